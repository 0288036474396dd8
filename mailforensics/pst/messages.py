"""Messages and other items, with their recipients and attachments, [MS-PST] 2.4.5 and 2.4.6."""

from __future__ import annotations

from datetime import datetime
from enum import StrEnum
from typing import Final

from mailforensics.mapi import AttachMethod, PropertyType, Tag
from mailforensics.pst.blocks import BlockReader, SubNode
from mailforensics.pst.faults import Damage, Fault
from mailforensics.pst.items import Absent, Item
from mailforensics.pst.layout import NidType, SpecialNid
from mailforensics.pst.properties import CodePage, PropertyContext, Room
from mailforensics.pst.tables import Row
from mailforensics.pst.trees import Node

__all__ = ["Attachment", "ItemKind", "Message", "RecipientRow"]

_MOST: Final = 20_000
_SMALL: Final = 64 << 20
_DEEPEST: Final = 24
_HAS_ATTACHMENT: Final = 0x10
_SEARCH_KEY: Final = 0x300B


class ItemKind(StrEnum):
    """What an item is, by its class and the type of its node."""

    MAIL = "mail"
    REPORT = "report"
    MEETING = "meeting"
    APPOINTMENT = "appointment"
    CONTACT = "contact"
    DISTRIBUTION_LIST = "distribution_list"
    TASK = "task"
    NOTE = "note"
    JOURNAL = "journal"
    POST = "post"
    ASSOCIATED = "associated"
    OTHER = "other"


_KINDS: Final = (
    ("IPM.NOTE", ItemKind.MAIL),
    ("REPORT.", ItemKind.REPORT),
    ("IPM.SCHEDULE.", ItemKind.MEETING),
    ("IPM.APPOINTMENT", ItemKind.APPOINTMENT),
    ("IPM.CONTACT", ItemKind.CONTACT),
    ("IPM.DISTLIST", ItemKind.DISTRIBUTION_LIST),
    ("IPM.TASK", ItemKind.TASK),
    ("IPM.STICKYNOTE", ItemKind.NOTE),
    ("IPM.ACTIVITY", ItemKind.JOURNAL),
    ("IPM.POST", ItemKind.POST),
)


class RecipientRow(Row):
    """A row of the recipients table, [MS-PST] 2.4.5.3.1."""

    __slots__ = ()

    @property
    def name(self) -> str | None:
        """The display name."""
        return self.text(Tag.DISPLAY_NAME) or self.text(Tag.RECIPIENT_DISPLAY_NAME)

    @property
    def address(self) -> str | None:
        """The Internet address where the store knows one, else the address as it is kept."""
        return self.text(Tag.SMTP_ADDRESS) or self.text(Tag.EMAIL_ADDRESS)

    @property
    def kind(self) -> int | None:
        """1 To, 2 Cc, 3 Bcc, PidTagRecipientType."""
        return self.integer(Tag.RECIPIENT_TYPE)


class Message(Item):
    """A message, or another item of a folder.

    Attributes
    ----------
    depth
        0 for an item of a folder, 1 for a message inside it, and so on.
    recipients_listed
        How many recipients its table lists, once :attr:`recipients` was asked for; None when
        there is no table that can be read.
    """

    __slots__ = ("_attachments", "_recipients", "depth", "recipients_listed")

    def __init__(
        self,
        reader: BlockReader,
        node: Node,
        faults: list[Fault] | None = None,
        code_page: CodePage = None,
        subnodes: dict[int, SubNode] | None = None,
        *,
        depth: int = 0,
    ) -> None:
        super().__init__(reader, node, faults, code_page, subnodes)
        self.depth = depth
        self.recipients_listed: int | None = None
        self._recipients: list[RecipientRow] | None = None
        self._attachments: list[Attachment] | None = None

    @property
    def message_class(self) -> str | None:
        """PidTagMessageClass."""
        return self.properties.text(Tag.MESSAGE_CLASS)

    @property
    def kind(self) -> ItemKind:
        """What it is."""
        if self.nid & 0x1F == NidType.ASSOCIATED_MESSAGE:
            return ItemKind.ASSOCIATED
        name = (self.message_class or "IPM.Note").upper()
        found = (kind for start, kind in _KINDS if name.startswith(start))
        return next(found, ItemKind.MAIL if name == "IPM" else ItemKind.OTHER)

    @property
    def is_item(self) -> bool:
        """Whether its node is one of a message or another item, hidden ones included."""
        return self.nid & 0x1F in {NidType.MESSAGE, NidType.ASSOCIATED_MESSAGE}

    @property
    def subject(self) -> str | None:
        """Its subject, without the mark that says where the prefix ends, [MS-PST] 2.5.3.1.1.1."""
        found = self.properties.text(Tag.SUBJECT)
        if found and found[0] == "\x01":
            found = found[2:]
        return found or None

    @property
    def sender_name(self) -> str | None:
        """PidTagSenderName, else PidTagSentRepresentingName."""
        bag = self.properties
        return bag.text(Tag.SENDER_NAME) or bag.text(Tag.SENT_REPRESENTING_NAME)

    @property
    def sender_address(self) -> str | None:
        """The Internet address of the sender where one is kept, else the address as it is kept."""
        tags = (
            Tag.SENDER_SMTP_ADDRESS,
            Tag.SENDER_EMAIL_ADDRESS,
            Tag.SENT_REPRESENTING_EMAIL_ADDRESS,
        )
        return next(filter(None, map(self.properties.text, tags)), None)

    @property
    def submitted_at(self) -> datetime | None:
        """PidTagClientSubmitTime, UTC."""
        return self.properties.moment(Tag.CLIENT_SUBMIT_TIME)

    @property
    def delivered_at(self) -> datetime | None:
        """PidTagMessageDeliveryTime, UTC."""
        return self.properties.moment(Tag.MESSAGE_DELIVERY_TIME)

    @property
    def created_at(self) -> datetime | None:
        """PidTagCreationTime, UTC."""
        return self.properties.moment(Tag.CREATION_TIME)

    @property
    def modified_at(self) -> datetime | None:
        """PidTagLastModificationTime, UTC."""
        return self.properties.moment(Tag.LAST_MODIFICATION_TIME)

    @property
    def headers(self) -> str | None:
        """The Internet headers as they came, PidTagTransportMessageHeaders."""
        return self.properties.text(Tag.TRANSPORT_MESSAGE_HEADERS)

    @property
    def message_id(self) -> str | None:
        """PidTagInternetMessageId."""
        return self.properties.text(Tag.INTERNET_MESSAGE_ID)

    @property
    def search_key(self) -> bytes | None:
        """PidTagSearchKey: equal in copies of a message."""
        return self.properties.binary(_SEARCH_KEY)

    @property
    def body(self) -> str | None:
        """The plain text, PidTagBody."""
        return self.properties.text(Tag.BODY)

    @property
    def html(self) -> bytes | None:
        """The HTML as bytes; UTF-8 where the store keeps characters. PidTagHtml."""
        found = self.properties.stored(Tag.HTML)
        if found is None:
            return None
        if found[0] == PropertyType.BINARY:
            return found[1]
        text = self.properties.text(Tag.HTML)
        return text.encode("utf-8", "replace") if text else None

    @property
    def rtf(self) -> bytes | None:
        """The RTF as it is kept: compressed, [MS-OXRTFCP]. PidTagRtfCompressed."""
        return self.properties.binary(Tag.RTF_COMPRESSED)

    @property
    def flags(self) -> int:
        """PidTagMessageFlags, 0 when the store does not say."""
        return self.properties.integer(Tag.MESSAGE_FLAGS) or 0

    @property
    def recipients(self) -> list[RecipientRow]:
        """The rows of its recipients table, in order."""
        if self._recipients is None:
            table = self.table(SpecialNid.RECIPIENT_TABLE)
            self.recipients_listed = None if table is None else len(table)
            self._recipients = [] if table is None else list(table.rows(RecipientRow))
        return self._recipients

    @property
    def attachments(self) -> list[Attachment]:
        """Its attachments: those that its table lists, in order, then those it does not list."""
        if self._attachments is None:
            self._attachments = []
            rows = self._attachment_rows()
            room = Room(2 * len(self.reader.image) + _SMALL)
            for nid, row in rows.items():
                attachment = Attachment(self, nid, row)
                if not room.take(attachment.heap_size) or len(self._attachments) == _MOST:
                    detail = f"Only {len(self._attachments)} of {len(rows)} attachments were read."
                    self.faults.append(Fault("attachment", detail))
                    break
                self._attachments.append(attachment)
        return self._attachments

    def _attachment_rows(self) -> dict[int, Row | None]:
        """Return its attachments with their rows in the table, [MS-PST] 2.4.6.1."""
        there = self.subnodes.of_type(NidType.ATTACHMENT)
        if not there and not self.flags & _HAS_ATTACHMENT:
            return {}
        table = self.table(SpecialNid.ATTACHMENT_TABLE)
        if table is None and not there:
            self.faults.append(
                Fault("attachment", "The message has attachments; none of them is there.")
            )
        rows = {row.row_id: row for row in table} if table is not None else {}
        listed = dict.fromkeys(table.index) if table is not None else {}
        return {nid: rows.get(nid) for nid in (*listed, *there)}


class Attachment(Item):
    """An attachment of a message, [MS-PST] 2.4.6.2.

    Attributes
    ----------
    message
        The message that it belongs to.
    row
        What the table of attachments says of it; None when the table does not list it.
    """

    __slots__ = ("message", "row")

    def __init__(self, message: Message, nid: int, row: Row | None = None) -> None:
        entry = message.subnodes.entries.get(nid)
        self.message = message
        self.row = row
        faults = message.faults
        if entry is None:
            faults.append(Fault("attachment", f"The attachment {nid:#x} is listed, but missing."))
        node = Node(nid, *(entry or (0, 0)), message.nid)
        page = message.properties.text_code_page
        super().__init__(message.reader, node, faults, page)

    def _properties(self, code_page: CodePage) -> PropertyContext:
        if not self.node.data_bid:
            self.readable = False
            return Absent(self.subnodes, self.faults)
        return super()._properties(code_page)

    @property
    def name(self) -> str | None:
        """Its file name; the long one where there is one."""
        tags = (Tag.ATTACH_LONG_FILENAME, Tag.ATTACH_FILENAME, Tag.DISPLAY_NAME)
        return next(filter(None, map(self.properties.text, tags)), None)

    @property
    def method(self) -> int:
        """How it is kept, PidTagAttachMethod; see :class:`mailforensics.mapi.AttachMethod`."""
        found = self.properties.integer(Tag.ATTACH_METHOD)
        return AttachMethod.BY_VALUE if found is None else found

    @property
    def link(self) -> str | None:
        """Where the file is, of an attachment by reference."""
        bag = self.properties
        return bag.text(Tag.ATTACH_LONG_PATHNAME) or bag.text(Tag.ATTACH_PATHNAME)

    @property
    def holds_data(self) -> bool:
        """Whether the store keeps bytes (or a message) for it."""
        return Tag.ATTACH_DATA in self.properties.records

    def data(self) -> bytes | None:
        """Return its bytes; None when there are none or they cannot be read.

        Of an OLE object (method 6) they are a compound file.
        """
        found = self.properties.stored(Tag.ATTACH_DATA)
        return found[1] if found else None

    def embedded(self) -> Message | None:
        """Return the message inside it, None when it holds none or it is missing."""
        if self.method != AttachMethod.EMBEDDED_MESSAGE:
            return None
        try:
            nid = self.properties.object_nid(Tag.ATTACH_DATA)
            entry = self.subnodes.entries.get(nid or 0)
            if nid is None or entry is None:
                raise Damage("attachment", "The message inside an attachment is missing.")  # noqa: TRY301
            if self.message.depth >= _DEEPEST:
                raise Damage("attachment", "Messages lie too deep in one another.")  # noqa: TRY301
        except Damage as damage:
            self.faults.append(damage.fault)
            return None
        page = self.properties.text_code_page
        node = Node(nid, *entry, self.message.nid)
        return Message(self.reader, node, [], page, depth=self.message.depth + 1)
