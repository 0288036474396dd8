"""Property contexts: the properties of one object, [MS-PST] 2.3.3."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from mailforensics.mapi import Property, PropertyBag, PropertyType
from mailforensics.mapi.codepages import codec_of
from mailforensics.pst.layout import Layout, NidType
from mailforensics.pst.writer.blocks import BlockWriter, NodeRef
from mailforensics.pst.writer.heap import LARGEST_ITEM, BTreeOnHeap, HeapWriter

__all__ = [
    "FIXED_WIDTHS",
    "MULTIVALUE",
    "SubNodes",
    "binary",
    "boolean",
    "integer",
    "moment",
    "stored_bytes",
    "string",
    "widened",
    "write_properties",
]

MULTIVALUE: Final = 0x1000
_PROPERTY_CONTEXT: Final = 0xBC
_INLINE: Final = 4
_FIRST_INDEX: Final = 0x401

FIXED_WIDTHS: Final[Mapping[int, int]] = {
    0x0002: 2,
    0x0003: 4,
    0x0004: 4,
    0x0005: 8,
    0x0006: 8,
    0x0007: 8,
    0x000A: 4,
    0x000B: 1,
    0x0014: 8,
    0x0040: 8,
    0x0048: 16,
}
"""Property type -> bytes of one value, [MS-OXCDATA] 2.11.1."""


def string(text: str) -> Property:
    """Return a Unicode string as a property."""
    return Property(PropertyType.STRING, text.encode("utf-16-le", "surrogatepass"))


def integer(value: int) -> Property:
    """Return a 32-bit number as a property."""
    return Property(PropertyType.INTEGER32, struct.pack("<I", value & 0xFFFFFFFF))


def boolean(value: bool) -> Property:
    """Return a yes or no as a property."""
    return Property(PropertyType.BOOLEAN, bytes([value]))


def binary(data: bytes) -> Property:
    """Return bytes as a property."""
    return Property(PropertyType.BINARY, data)


def moment(ticks: int) -> Property:
    """Return a FILETIME (100 ns since 1601, UTC) as a property."""
    return Property(PropertyType.TIME, struct.pack("<Q", ticks))


def widened(entry: Property, bag: PropertyBag) -> Property:
    """Return an 8-bit string as a Unicode one, which a Unicode store holds; others as they are.

    One whose bytes would not come back the same from its code page stays an 8-bit string.
    """
    if entry.kind & ~MULTIVALUE != PropertyType.STRING8:
        return entry
    parts = entry.values if entry.kind & MULTIVALUE else (entry.data,)
    texts = [_decoded(part, bag) for part in parts]
    if any(text is None for text in texts):
        return entry
    wide = tuple((text or "").encode("utf-16-le", "surrogatepass") for text in texts)
    if entry.kind & MULTIVALUE:
        return Property(MULTIVALUE | PropertyType.STRING, b"", wide)
    return Property(PropertyType.STRING, wide[0])


def _decoded(data: bytes, bag: PropertyBag) -> str | None:
    codec = "ascii" if data.isascii() else codec_of(bag.text_code_page())
    try:
        text = data.decode(codec) if codec else None
    except UnicodeDecodeError:
        return None
    if text is None or codec is None or text.encode(codec, "ignore") != data:
        return None
    return text


def stored_bytes(entry: Property) -> bytes:
    """Return a value as a property context keeps it.

    Many values stand one behind the other; those of varying length have a list of their places
    before them ([MS-PST] 2.3.3.4).
    """
    if entry.kind & MULTIVALUE:
        return _many(entry) if entry.values else entry.data
    width = FIXED_WIDTHS.get(entry.kind)
    return entry.data if width is None else entry.data[:width].ljust(width, b"\0")


def _many(entry: Property) -> bytes:
    width = FIXED_WIDTHS.get(entry.kind & ~MULTIVALUE)
    if width:
        return b"".join(value[:width].ljust(width, b"\0") for value in entry.values)
    count = len(entry.values)
    place, places = 4 + 4 * count, []
    for value in entry.values:
        places.append(place)
        place += len(value)
    return struct.pack(f"<I{count}I", count, *places) + b"".join(entry.values)


@dataclass(slots=True)
class SubNodes:
    """The sub-nodes of a node while it is written; identifiers count up as Outlook's do."""

    nodes: dict[int, NodeRef] = field(default_factory=dict)
    index: int = _FIRST_INDEX

    def take(self, kind: NidType) -> int:
        """Return a new identifier of a kind."""
        nid = self.index << 5 | kind
        self.index += 1
        return nid

    def hold(self, blocks: BlockWriter, data: bytes) -> int:
        """Write a value that is too large for a heap, and return the identifier of its sub-node."""
        nid = self.take(NidType.LTP)
        self.nodes[nid] = NodeRef(blocks.stream(data), 0)
        return nid


def write_properties(
    blocks: BlockWriter,
    layout: Layout,
    values: Mapping[int, Property],
    subnodes: SubNodes | None = None,
) -> NodeRef:
    """Write the properties of one object, and its sub-nodes.

    Parameters
    ----------
    blocks : BlockWriter
        What they are written with.
    layout : Layout
        How the file is laid out.
    values : mapping of int to Property
        Property identifier -> value. A value of type 0x0D (object) is the eight bytes of
        [MS-PST] 2.3.3.5 already.
    subnodes : SubNodes
        What the object consists of besides; large values are added.
    """
    nodes = subnodes or SubNodes()
    heap = HeapWriter(blocks, layout, _PROPERTY_CONTEXT)
    root = heap.add(bytes(8))
    tree = BTreeOnHeap(heap, 2, 6)
    for tag in sorted(values):
        entry = values[tag]
        data = stored_bytes(entry)
        if not entry.kind & MULTIVALUE and FIXED_WIDTHS.get(entry.kind, 9) <= _INLINE:
            place = int.from_bytes(data, "little")
        elif len(data) <= LARGEST_ITEM:
            place = heap.add(data)
        else:
            place = nodes.hold(blocks, data)
        tree.add(struct.pack("<HHI", tag, entry.kind, place))
    heap.replace(root, tree.finish())
    return NodeRef(heap.finish(root), blocks.subnodes(nodes.nodes))
