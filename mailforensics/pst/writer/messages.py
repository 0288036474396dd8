"""Messages, their recipients and attachments as nodes, [MS-PST] 2.4.5 and 2.4.6."""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from mailforensics.mapi import (
    Attachment,
    AttachMethod,
    MapiMessage,
    Property,
    PropertyBag,
    PropertyType,
    Recipient,
    Tag,
)
from mailforensics.pst.layout import Layout, NidType, SpecialNid
from mailforensics.pst.writer.blocks import BlockWriter, NodeRef
from mailforensics.pst.writer.columns import ATTACHMENTS, RECIPIENTS
from mailforensics.pst.writer.names import NameMap
from mailforensics.pst.writer.people import recipient_values
from mailforensics.pst.writer.properties import (
    SubNodes,
    integer,
    string,
    widened,
    write_properties,
)
from mailforensics.pst.writer.tables import MOST_COLUMNS, Column, TableWriter

__all__ = ["HAS_ATTACHMENT", "MessageWriter", "Written"]

HAS_ATTACHMENT: Final = 0x10
_DEEPEST: Final = 24
_ATTACH_SIZE: Final = 0x0E20
_MESSAGE_SIZE: Final = 0x0E08
_NULL: Final = 0x0001
_SEARCH_KEY: Final = 0x300B
_ROW_NUMBERS: Final = frozenset({0x67F1, 0x67F2, 0x67F3})
_OLD_PLACES: Final = frozenset({0x0E09, 0x0FF4, 0x0FF8, 0x0FF9, 0x0FFA, 0x0FFB, 0x0FFF})
"""Identifiers of the store, the folder and the place that a message came from."""

_ATTACHMENT_COLUMNS: Final = (
    *ATTACHMENTS,
    Column(Tag.ATTACH_LONG_FILENAME, PropertyType.STRING),
    Column(Tag.ATTACH_MIME_TAG, PropertyType.STRING),
    Column(Tag.ATTACH_CONTENT_ID, PropertyType.STRING),
    Column(Tag.ATTACH_FLAGS, PropertyType.INTEGER32),
)


@dataclass(frozen=True, slots=True)
class Written:
    """A message that was written: its content, and its properties for the folder's table."""

    content: NodeRef
    values: Mapping[int, Property]


class MessageWriter:
    """Writes messages, with what is attached to them, into blocks.

    Parameters
    ----------
    blocks : BlockWriter
        What they are written with.
    layout : Layout
        How the file is laid out.
    names : NameMap
        Named properties of the store.
    fault : callable
        Told a sentence about what could not be written.
    """

    def __init__(
        self, blocks: BlockWriter, layout: Layout, names: NameMap, fault: Callable[[str], None]
    ) -> None:
        self._blocks = blocks
        self._layout = layout
        self._names = names
        self._fault = fault

    def write(
        self, message: MapiMessage, defaults: Mapping[int, Property], depth: int = 0
    ) -> Written:
        """Write a message.

        Parameters
        ----------
        message : MapiMessage
            Its properties are written as they are, but for those that name its old place.
        defaults : mapping of int to Property
            What it must have in this store where it does not bring it.
        depth : int
            How many messages lie around it.
        """
        subnodes = SubNodes()
        values = self._objects(self._placed(message.properties, _OLD_PLACES), subnodes)
        size = self._recipients(message, subnodes)
        size += self._attachments(message, subnodes, defaults, depth)
        values = {**defaults, **values}
        if message.attachments:
            values[Tag.MESSAGE_FLAGS] = _flagged(values.get(Tag.MESSAGE_FLAGS))
        size += sum(len(entry.data) + sum(map(len, entry.values)) for entry in values.values())
        values.setdefault(_MESSAGE_SIZE, integer(size))
        content = write_properties(self._blocks, self._layout, values, subnodes)
        return Written(content, values)

    def _placed(self, bag: PropertyBag, without: frozenset[int]) -> dict[int, Property]:
        """Return the properties of a bag under the identifiers of this store."""
        values: dict[int, Property] = {}
        for tag, entry in bag.values.items():
            if tag in without or tag in _ROW_NUMBERS or entry.kind <= _NULL:
                continue
            place = self._names.placed(tag, bag)
            if place is None:
                self._fault(f"The property 0x{tag:04X} has no place: this file names too many.")
                continue
            values[place] = entry if tag == Tag.HTML else widened(entry, bag)
        return values

    def _objects(self, values: dict[int, Property], subnodes: SubNodes) -> dict[int, Property]:
        """Put what objects (PtypObject) hold into sub-nodes, [MS-PST] 2.3.3.5."""
        for tag, entry in values.items():
            if entry.kind == PropertyType.OBJECT and entry.data:
                nid = subnodes.hold(self._blocks, entry.data)
                values[tag] = _object(nid, len(entry.data))
        return values

    def _recipients(self, message: MapiMessage, subnodes: SubNodes) -> int:
        rows = [self._recipient(each) for each in message.recipients or ()]
        table = TableWriter(self._blocks, self._layout, self._columns(rows))
        for index, row in enumerate(rows):
            table.add(index, row)
        subnodes.nodes[SpecialNid.RECIPIENT_TABLE] = table.finish()
        return sum(len(entry.data) for row in rows for entry in row.values())

    def _recipient(self, recipient: Recipient) -> dict[int, Property]:
        known = self._placed(recipient.properties, frozenset()) if recipient.properties else {}
        return known or recipient_values(recipient)

    def _columns(self, rows: Iterable[Mapping[int, Property]]) -> list[Column]:
        """Return the usual columns and one for each other property of the rows."""
        columns = {column.tag: column for column in RECIPIENTS}
        for row in rows:
            for tag, entry in row.items():
                kind = columns.setdefault(tag, Column(tag, entry.kind)).kind
                if kind != entry.kind:
                    self._fault(f"The property 0x{tag:04X} of a recipient is of two types.")
        if len(columns) > MOST_COLUMNS:
            self._fault("A message has recipients with more properties than a table can hold.")
        return list(columns.values())

    def _attachments(
        self,
        message: MapiMessage,
        subnodes: SubNodes,
        defaults: Mapping[int, Property],
        depth: int,
    ) -> int:
        if not message.attachments:
            return 0
        table = TableWriter(self._blocks, self._layout, _ATTACHMENT_COLUMNS)
        total = 0
        for attachment in message.attachments:
            nid = subnodes.take(NidType.ATTACHMENT)
            content, row, size = self._attachment(attachment, defaults, depth)
            subnodes.nodes[nid] = content
            table.add(nid, row)
            total += size
        subnodes.nodes[SpecialNid.ATTACHMENT_TABLE] = table.finish()
        return total

    def _attachment(
        self, attachment: Attachment, defaults: Mapping[int, Property], depth: int
    ) -> tuple[NodeRef, dict[int, Property], int]:
        subnodes, size = SubNodes(), 0
        placed = self._placed(attachment.properties, frozenset({Tag.ATTACH_DATA}))
        values = self._objects(placed, subnodes)
        held = self._held(attachment, subnodes, defaults, depth)
        if held is not None:
            values[Tag.ATTACH_DATA], size = held
        values.setdefault(_ATTACH_SIZE, integer(size))
        values.setdefault(Tag.ATTACH_METHOD, integer(attachment.method))
        values.setdefault(Tag.RENDERING_POSITION, integer(-1))
        if Tag.ATTACH_FILENAME not in values and attachment.name:
            values[Tag.ATTACH_FILENAME] = string(attachment.name)
        content = write_properties(self._blocks, self._layout, values, subnodes)
        return content, values, size

    def _held(
        self,
        attachment: Attachment,
        subnodes: SubNodes,
        defaults: Mapping[int, Property],
        depth: int,
    ) -> tuple[Property, int] | None:
        """Return what PidTagAttachData becomes, and how many bytes it stands for."""
        try:
            if attachment.embedded is not None:
                return self._embedded(attachment.embedded(), subnodes, defaults, depth)
            if attachment.data is None:
                return None
            data = attachment.data()
        except OSError as error:
            self._fault(f"The attachment {attachment.name or 'without name'} is lost: {error}.")
            return None
        if attachment.method != AttachMethod.STORAGE:
            return Property(PropertyType.BINARY, data), len(data)
        return _object(subnodes.hold(self._blocks, data), len(data)), len(data)

    def _embedded(
        self,
        message: MapiMessage,
        subnodes: SubNodes,
        defaults: Mapping[int, Property],
        depth: int,
    ) -> tuple[Property, int] | None:
        if depth >= _DEEPEST:
            self._fault("A message inside messages lies too deep and was left out.")
            return None
        inherited = {tag: value for tag, value in defaults.items() if tag != _SEARCH_KEY}
        written = self.write(message, inherited, depth + 1)
        nid = subnodes.take(NidType.MESSAGE)
        subnodes.nodes[nid] = written.content
        size = struct.unpack("<I", written.values[_MESSAGE_SIZE].data[:4].ljust(4, b"\0"))[0]
        return _object(nid, size), size


def _object(nid: int, size: int) -> Property:
    """Return a value of type PtypObject: its sub-node and size, [MS-PST] 2.3.3.5."""
    return Property(PropertyType.OBJECT, struct.pack("<II", nid, size))


def _flagged(flags: Property | None) -> Property:
    """Return message flags that say that there are attachments."""
    value = struct.unpack("<I", flags.data[:4].ljust(4, b"\0"))[0] if flags else 0
    return integer(value | HAS_ATTACHMENT)
