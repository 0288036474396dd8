"""Items of a store -> MAPI messages, from which rows and RFC 5322 bytes are made."""

from __future__ import annotations

from collections.abc import Callable
from typing import Final

from mailforensics.mapi import (
    Attachment as MapiAttachment,
)
from mailforensics.mapi import (
    AttachMethod,
    MapiMessage,
    NameKey,
    PropertyBag,
    Recipient,
    Tag,
)
from mailforensics.pst.layout import SpecialNid
from mailforensics.pst.messages import Attachment, Message
from mailforensics.pst.properties import Room

__all__ = ["to_mapi"]

_DATA: Final = frozenset({int(Tag.ATTACH_DATA)})
_KEPT: Final = frozenset({AttachMethod.BY_VALUE, AttachMethod.STORAGE})

_LARGEST: Final = 2 << 30
_SMALL: Final = 64 << 20

Names = dict[int, NameKey]


def to_mapi(message: Message, names: Names, room: Room | None = None) -> MapiMessage:
    """Read a whole item; the bytes of its attachments are read when somebody asks for them.

    Parameters
    ----------
    message : Message
        The item.
    names : dict
        What the identifiers of named properties stand for in its store.
    room : Room, optional
        What it may fill in memory, messages inside it included; by default what its file can
        hold.
    """
    room = room or _room(message)
    found = MapiMessage(message.properties.bag(names, room=room))
    _recipients(message, found, room)
    found.attachments = [_attachment(entry, names, found, room) for entry in message.attachments]
    codes = {fault.code for fault in message.faults}
    if "block_checksum" in codes:
        found.defects.append("checksum_failed")
    if "attachment" in codes and not found.attachments:
        found.defects.append("attachment_unreadable")
    return found


def _room(message: Message) -> Room:
    """Return twice what the file can hold, were nothing in it compressed."""
    reader = message.reader
    if reader.layout.packs_blocks:
        return Room(_LARGEST)
    return Room(min(_LARGEST, 2 * len(reader.image) + _SMALL))


def _recipients(message: Message, found: MapiMessage, room: Room) -> None:
    rows = message.recipients
    listed = message.recipients_listed
    if rows:
        found.recipients = [Recipient.from_bag(row.bag(room=room)) for row in rows]
    elif not listed and listed is not None and not _names_people(found):
        found.recipients = []
    lost = len(rows) < (listed or 0) or (listed is None and _table_is_there(message))
    if lost or (not rows and _names_people(found)):
        found.defects.append("recipients_missing")


def _names_people(found: MapiMessage) -> bool:
    """Whether the message says to whom it went, so that there must be a table of them."""
    return found.is_mail and bool(found.properties.text(Tag.DISPLAY_TO))


def _table_is_there(message: Message) -> bool:
    return SpecialNid.RECIPIENT_TABLE in message.subnodes.entries


def _attachment(entry: Attachment, names: Names, found: MapiMessage, room: Room) -> MapiAttachment:
    if entry.readable:
        bag = entry.properties.bag(names, without=_DATA, room=room)
    else:
        bag = _listed(entry, names)
    attachment = MapiAttachment(bag)
    if not entry.readable:
        attachment.data = _unreadable
    elif attachment.method == AttachMethod.EMBEDDED_MESSAGE:
        attachment.embedded = _embedded(entry, names, room)
    elif entry.holds_data or attachment.method in _KEPT:
        attachment.data = _bytes(entry, found, room)
    return attachment


def _listed(entry: Attachment, names: Names) -> PropertyBag:
    """Return what the table of attachments says of one that is lost."""
    return entry.row.bag(names) if entry.row is not None else PropertyBag(names=names)


def _unreadable() -> bytes:
    raise OSError("the attachment is missing or damaged")


def _bytes(entry: Attachment, found: MapiMessage, room: Room) -> Callable[[], bytes]:
    def read() -> bytes:
        before = len(entry.faults)
        data = entry.data() if room.left > 0 else None
        if data is None:
            raise OSError(_detail(entry))
        room.take(len(data))
        codes = {fault.code for fault in entry.faults[before:]}
        if "block_checksum" in codes and "checksum_failed" not in found.defects:
            found.defects.append("checksum_failed")
        return data

    return read


def _embedded(entry: Attachment, names: Names, room: Room) -> Callable[[], MapiMessage]:
    def read() -> MapiMessage:
        message = entry.embedded()
        if message is None or not message.readable:
            raise OSError(_detail(entry))
        return to_mapi(message, names, room)

    return read


def _detail(entry: Attachment) -> str:
    return entry.faults[-1].detail if entry.faults else "no bytes are stored"
