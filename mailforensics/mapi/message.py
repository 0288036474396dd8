"""A MAPI message, wherever it was kept: what every store fills and rebuilding reads."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from enum import IntEnum

from mailforensics.mapi.properties import PropertyBag, Tag

__all__ = ["AttachMethod", "Attachment", "MapiMessage", "Party", "Recipient", "one_off", "party"]


_MAIL_CLASSES = (
    "IPM.NOTE",
    "IPM.POST",
    "IPM.SCHEDULE.",
    "IPM.SHARING",
    "IPM.TASKREQUEST",
    "IPM.OUTLOOK.RECALL",
    "IPM.RECALL",
    "REPORT.",
)


_SHOWN = {"to": Tag.DISPLAY_TO, "cc": Tag.DISPLAY_CC, "bcc": Tag.DISPLAY_BCC}


class AttachMethod(IntEnum):
    """How an attachment is kept, PidTagAttachMethod, [MS-OXCMSG] 2.2.2.9."""

    NONE = 0
    BY_VALUE = 1
    BY_REFERENCE = 2
    BY_REFERENCE_RESOLVE = 3
    BY_REFERENCE_ONLY = 4
    EMBEDDED_MESSAGE = 5
    STORAGE = 6
    BY_WEB_REFERENCE = 7


@dataclass(frozen=True, slots=True)
class Party:
    """Somebody who wrote or received.

    Attributes
    ----------
    name
        The display name; never an address unless it is written as one.
    smtp
        The Internet address where the store knows one.
    native
        The address in the store's own terms where it is no Internet address, with its type:
        ``EX:/O=ORG/OU=...``.
    """

    name: str | None = None
    smtp: str | None = None
    native: str | None = None


def party(name: str | None, kind: str | None, address: str | None, smtp: str | None) -> Party:
    """Settle what is known of somebody; an Exchange (X.500) address never becomes an SMTP one."""
    label = _trimmed(name)
    native = None
    for candidate in (_trimmed(smtp), _trimmed(address)):
        if candidate and _is_internet_address(candidate):
            return Party(label, candidate, None)
    if _trimmed(address):
        native = f"{(kind or 'unknown').upper()}:{_trimmed(address)}"
    bare = (label or "").strip("'\"<>")
    if native is None and _is_internet_address(bare):
        return Party(label, bare, None)
    return Party(label, None, native)


_ONE_OFF = bytes.fromhex("812b1fa4bea310199d6e00dd010f5402")


def one_off(data: bytes, bag: PropertyBag) -> Party | None:
    """Read a one-off entry identifier, [MS-OXCDATA] 2.2.5.1; None when it is another kind."""
    if data[4:20] != _ONE_OFF or len(data) < 26:
        return None
    text = data[24:].decode("utf-16-le", "replace") if data[23] & 0x80 else bag.decode8(data[24:])
    strings = text.split("\0")
    return party(strings[0], strings[1], strings[2], None) if len(strings) >= 3 else None


def _entries(data: bytes) -> Iterator[bytes]:
    """Take a FLATENTRYLIST apart, [MS-OXCDATA] 2.3.3: count, size, then entries padded to four."""
    at, end = 8, len(data)
    while at + 4 <= end:
        (size,) = struct.unpack_from("<I", data, at)
        if not size or at + 4 + size > end:
            return
        yield data[at + 4 : at + 4 + size]
        at += 4 + (size + 3 & ~3)


def _trimmed(value: str | None) -> str | None:
    return (value or "").strip(" \t\r\n\0") or None


def _is_internet_address(value: str) -> bool:
    local, _, domain = value.rpartition("@")
    if not local or not domain or value.startswith("/"):
        return False
    return not any(sign in value for sign in ' \t\r\n<>(),;:"')


@dataclass(slots=True)
class Recipient:
    """One row of the recipients table.

    Attributes
    ----------
    kind
        ``to``, ``cc``, ``bcc`` or ``originator``.
    party
        Who it is.
    properties
        All that the store keeps in the row; None when it came from no store.
    """

    kind: str
    party: Party
    properties: PropertyBag | None = field(default=None, compare=False, repr=False)

    @classmethod
    def from_bag(cls, bag: PropertyBag) -> Recipient:
        """Read a row of the recipients table, [MS-OXCMSG] 2.2.3.1."""
        kinds = {0: "originator", 1: "to", 2: "cc", 3: "bcc"}
        kind = kinds.get((bag.integer(Tag.RECIPIENT_TYPE) or 1) & 0xF, "to")
        who = party(
            bag.text(Tag.DISPLAY_NAME) or bag.text(Tag.RECIPIENT_DISPLAY_NAME),
            bag.text(Tag.ADDRESS_TYPE),
            bag.text(Tag.EMAIL_ADDRESS),
            bag.text(Tag.SMTP_ADDRESS),
        )
        return cls(kind, who, bag)


@dataclass(slots=True)
class Attachment:
    """One attachment.

    Attributes
    ----------
    properties
        All that the store keeps about it.
    data
        Gives its bytes; raises :class:`OSError` when they cannot be read. None: it has none.
    embedded
        Gives the message inside it; raises :class:`OSError` when it cannot be read.
    """

    properties: PropertyBag
    data: Callable[[], bytes] | None = None
    embedded: Callable[[], MapiMessage] | None = None

    @property
    def method(self) -> int:
        """How it is kept, see :class:`AttachMethod`."""
        found = self.properties.integer(Tag.ATTACH_METHOD)
        return AttachMethod.BY_VALUE if found is None else found

    @property
    def name(self) -> str | None:
        """Its file name; the long one where there is one."""
        bag = self.properties
        for tag in (Tag.ATTACH_LONG_FILENAME, Tag.ATTACH_FILENAME, Tag.DISPLAY_NAME):
            if bag.text(tag):
                return bag.text(tag)
        return None

    @property
    def content_id(self) -> str | None:
        """Its Content-ID without angle brackets."""
        found = (self.properties.text(Tag.ATTACH_CONTENT_ID) or "").strip(" \t\r\n<>")
        return found or None


@dataclass(slots=True)
class MapiMessage:
    """A message (or other item) as a PST, an OST or an MSG keeps it.

    Attributes
    ----------
    properties
        Its own properties.
    recipients
        The rows of its recipients table; None when the table is not there or unreadable.
    attachments
        Its attachments in the store's order.
    defects
        Codes of :data:`mailforensics.schema.DEFECTS` that the store's reader found.
    """

    properties: PropertyBag
    recipients: list[Recipient] | None = None
    attachments: list[Attachment] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)

    @property
    def message_class(self) -> str:
        """Its class, ``IPM.Note`` when the store names none."""
        return (self.properties.text(Tag.MESSAGE_CLASS) or "IPM.Note").strip()

    @property
    def subject(self) -> str | None:
        """Its subject, without the mark that says where the prefix ends ([MS-PST] 2.5.3.1.1.1)."""
        bag = self.properties
        found = bag.text(Tag.SUBJECT)
        if found and found[0] == "\x01":
            found = found[2:]
        if not found and bag.text(Tag.NORMALIZED_SUBJECT):
            prefix = bag.text(Tag.SUBJECT_PREFIX) or ""
            found = prefix + (bag.text(Tag.NORMALIZED_SUBJECT) or "")
        return found or None

    @property
    def transport_headers(self) -> str | None:
        """The Internet headers as they came, None when the store keeps none."""
        found = self.properties.text(Tag.TRANSPORT_MESSAGE_HEADERS)
        return found if found and found.strip() else None

    @property
    def author(self) -> Party:
        """Whom it is from (From)."""
        bag = self.properties
        found = party(
            bag.text(Tag.SENT_REPRESENTING_NAME),
            bag.text(Tag.SENT_REPRESENTING_ADDRESS_TYPE),
            bag.text(Tag.SENT_REPRESENTING_EMAIL_ADDRESS),
            bag.text(Tag.SENT_REPRESENTING_SMTP_ADDRESS),
        )
        return found if found != Party() else self.sender

    @property
    def sender(self) -> Party:
        """Who handed it in (Sender)."""
        bag = self.properties
        return party(
            bag.text(Tag.SENDER_NAME),
            bag.text(Tag.SENDER_ADDRESS_TYPE),
            bag.text(Tag.SENDER_EMAIL_ADDRESS),
            bag.text(Tag.SENDER_SMTP_ADDRESS),
        )

    @property
    def reply_to(self) -> list[Party]:
        """Whom an answer goes to (Reply-To), as far as the store names them by address."""
        bag = self.properties
        found = [
            one_off(entry, bag)
            for entry in _entries(bag.binary(Tag.REPLY_RECIPIENT_ENTRIES) or b"")
        ]
        return [who for who in found if who is not None]

    @property
    def is_mail(self) -> bool:
        """Whether it is mail: a note, a post, a report, or a meeting message that was sent."""
        name = self.message_class.upper()
        return name == "IPM" or name.startswith(_MAIL_CLASSES)

    def of_kind(self, kind: str) -> list[Party]:
        """Return the recipients of a kind (``to``, ``cc``, ``bcc``) in order.

        Without a recipients table they are the names that the message shows.
        """
        if self.recipients is not None:
            return [row.party for row in self.recipients if row.kind == kind]
        names = (self.properties.text(_SHOWN[kind]) or "").split("; ")
        return [party(name, None, None, None) for name in names if _trimmed(name)]
