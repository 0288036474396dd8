"""libpff's items -> MAPI messages.

Each value is taken as the bytes that libpff gives; what it cannot read is named, never guessed.
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pypff

from mailforensics.errors import CorruptContainer, EvidenceUnreadable
from mailforensics.mapi import (
    Attachment,
    AttachMethod,
    MapiMessage,
    NameKey,
    Property,
    PropertyBag,
    PropertyType,
    Recipient,
    Tag,
    property_names,
)
from mailforensics.readers.heap import heap_properties

__all__ = ["FAULTS", "Store", "bag_of", "cause", "message_of", "opened"]

FAULTS: Final = (OSError, MemoryError)
"""What libpff raises for damage; it calls it a lack of memory when it cannot build an item."""

_SUBTREE: Final = 0x35E0
_MOST_ATTACHMENTS: Final = 20_000
_MOST_RECIPIENTS: Final = 50_000
_LARGEST_ATTACHMENT: Final = 2 << 30
_HAS_ATTACHMENT: Final = 0x10
_MULTIVALUE: Final = 0x1000
_VARIABLE = frozenset({PropertyType.STRING, PropertyType.STRING8, PropertyType.BINARY})
_WIDTHS = {0x0002: 2, 0x0003: 4, 0x0004: 4, 0x0005: 8, 0x0014: 8, 0x0040: 8, 0x0048: 16}


@dataclass(frozen=True, slots=True)
class Store:
    """What holds for the whole file.

    Attributes
    ----------
    file
        The open ``pypff.file``.
    names
        Identifiers from 0x8000 up -> named properties.
    mailbox
        The display name of the store.
    wastebasket, subtree
        Nodes of the folder for deleted items and of the folder that holds what a user sees.
    block_size
        Bytes of data in a full block.
    """

    file: Any
    names: dict[int, NameKey]
    mailbox: str | None
    wastebasket: int | None
    subtree: int | None
    block_size: int


@contextmanager
def opened(path: Path) -> Iterator[Store]:
    """Open a file for the time of a ``with`` block.

    Raises
    ------
    EvidenceUnreadable
        The file cannot be opened.
    CorruptContainer
        libpff refuses it.
    """
    file = pypff.file()
    try:
        with path.open("rb") as stream:
            head = stream.read(12)
    except OSError as error:
        raise EvidenceUnreadable(f"{path} cannot be read: {error.strerror or error}") from error
    try:
        file.open(str(path))
    except FAULTS as error:
        raise CorruptContainer(
            f"{path.name} is damaged, or no Outlook data file: {cause(error)}",
            hint="Its mail can still be looked for with the reader 'carve'.",
        ) from error
    try:
        yield _store(file, 8180 if head[10:11] in b"\x0e\x0f" else 8176)
    finally:
        file.close()


def cause(error: Exception) -> str:
    """Return the part of libpff's chain of messages that names the cause."""
    parts = [part.strip() for part in str(error).split(". ") if part.strip()]
    first = parts[1] if len(parts) > 1 else str(error)
    return first.partition(": ")[2] or first


def _store(file: Any, block_size: int) -> Store:
    try:
        bag = bag_of(file.message_store, {})
    except FAULTS:
        bag = PropertyBag()
    return Store(
        file,
        _names(file),
        bag.text(Tag.DISPLAY_NAME),
        _folder_nid(bag, Tag.IPM_WASTEBASKET_ENTRY_ID),
        _folder_nid(bag, _SUBTREE),
        block_size,
    )


def _folder_nid(bag: PropertyBag, tag: int) -> int | None:
    """Return the node that an entry identifier names, [MS-PST] 2.4.3.2."""
    data = bag.binary(tag)
    return int.from_bytes(data[20:24], "little") if data and len(data) == 24 else None


def _names(file: Any) -> dict[int, NameKey]:
    try:
        bag = bag_of(file.name_to_id_map, {})
    except FAULTS:
        return {}
    streams = [bag.values.get(tag, Property(0)).data for tag in (0x0002, 0x0003, 0x0004)]
    return property_names(*streams)


def bag_of(item: Any, names: dict[int, NameKey], number: int = 0) -> PropertyBag:
    """Read one set of properties of a libpff item; a table has one for each row."""
    bag = PropertyBag(names=names)
    if number >= item.number_of_record_sets:
        return bag
    for entry in item.get_record_set(number).entries:
        tag = entry.entry_type
        if tag is None or tag == Tag.ATTACH_DATA:
            continue
        try:
            kind, data = entry.value_type, entry.data
        except FAULTS:
            bag.unreadable.append(tag)
            continue
        bag.values[tag] = _property(kind or 0, data or b"")
    return bag


def _property(kind: int, data: bytes) -> Property:
    return Property(kind, data, _many(kind & ~_MULTIVALUE, data) if kind & _MULTIVALUE else ())


def _many(kind: int, data: bytes) -> tuple[bytes, ...]:
    """Take a value with many values apart, [MS-PST] 2.3.3.4.2."""
    width = _WIDTHS.get(kind)
    if width:
        return tuple(data[at : at + width] for at in range(0, len(data) - width + 1, width))
    if kind not in _VARIABLE or len(data) < 4:
        return ()
    (count,) = struct.unpack_from("<I", data)
    if count * 4 + 4 > len(data):
        return ()
    ends = [*struct.unpack_from(f"<{count}I", data, 4), len(data)]
    return tuple(data[begin:end] for begin, end in itertools.pairwise(ends))


def message_of(item: Any, store: Store) -> MapiMessage:
    """Read a message (or other item) of libpff.

    Raises
    ------
    OSError
        Its own properties cannot be read.
    """
    message = MapiMessage(bag_of(item, store.names))
    _recipients(item, message)
    _attachments(item, message, store)
    return message


def _recipients(item: Any, message: MapiMessage) -> None:
    try:
        table = getattr(item, "recipients", None)
        count = min(table.number_of_record_sets, _MOST_RECIPIENTS) if table else 0
        bags = [bag_of(table, {}, number) for number in range(count)]
    except FAULTS:
        message.defects.append("recipients_missing")
        return
    page = message.properties.text_code_page()
    for bag in bags:
        bag.code_page = page
    if bags:
        message.recipients = [Recipient.from_bag(bag) for bag in bags]
    elif message.is_mail and message.properties.text(Tag.DISPLAY_TO):
        message.defects.append("recipients_missing")
    elif table is not None:
        message.recipients = []


def _attachments(item: Any, message: MapiMessage, store: Store) -> None:
    try:
        count = min(getattr(item, "number_of_attachments", 0), _MOST_ATTACHMENTS)
    except FAULTS:
        message.defects.append("attachment_unreadable")
        return
    page = message.properties.text_code_page()
    for index in range(count):
        try:
            entry = item.get_attachment(index)
            bag = bag_of(entry, store.names)
        except FAULTS:
            message.defects.append("attachment_unreadable")
            continue
        bag.code_page = page
        message.attachments.append(_attachment(entry, bag, store, page))


def _attachment(entry: Any, bag: PropertyBag, store: Store, page: int | None) -> Attachment:
    attachment = Attachment(bag)
    try:
        holds = entry.size is not None
    except FAULTS:
        holds = attachment.method in {AttachMethod.BY_VALUE, AttachMethod.STORAGE}
    if attachment.method == AttachMethod.EMBEDDED_MESSAGE:
        attachment.embedded = lambda: _embedded(entry, store, page)
    elif holds:
        attachment.data = lambda: _read(entry)
    return attachment


def _read(entry: Any) -> bytes:
    size = entry.size
    if size > _LARGEST_ATTACHMENT:
        raise OSError(f"the attachment claims {size} bytes")
    try:
        entry.seek_offset(0, 0)
        data = bytes(entry.read_buffer(size)) if size else b""
    except MemoryError as error:
        raise OSError(str(error)) from error
    if len(data) != size:
        raise OSError(f"{len(data)} of {size} bytes could be read")
    return data


def _embedded(entry: Any, store: Store, page: int | None) -> MapiMessage:
    bag = heap_properties(_read(entry), store.block_size)
    bag.names, bag.code_page = store.names, page
    message = MapiMessage(bag)
    message.defects.append("recipients_missing")
    if (bag.integer(Tag.MESSAGE_FLAGS) or 0) & _HAS_ATTACHMENT:
        message.defects.append("attachment_unreadable")
    return message
