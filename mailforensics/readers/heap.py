"""The property context of a message inside a message, out of its heap bytes.

libpff's Python side gives a message inside a PST attachment only as the bytes of its heap, [MS-PST]
2.3.1 to 2.3.3. What the heap holds can be read from it; values kept in sub-nodes (large bodies,
attachments, the recipients table) cannot, and are named as unreadable.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import Final

from mailforensics.mapi import Property, PropertyBag

__all__ = ["heap_properties"]

_SIGNATURE: Final = 0xEC
_PROPERTY_CONTEXT: Final = 0xBC
_INLINE: Final = frozenset({0x0002, 0x0003, 0x0004, 0x000A, 0x000B})
_MOST: Final = 8192
_DEEPEST: Final = 4


def heap_properties(data: bytes, block_size: int) -> PropertyBag:
    """Read the properties that a heap holds.

    Parameters
    ----------
    data : bytes
        The blocks of the heap, one after the other.
    block_size : int
        How many bytes of data a full block has: 8176 in Unicode files, 8180 in ANSI files.

    Raises
    ------
    OSError
        The bytes are no property context.
    """
    if len(data) < 12 or data[2] != _SIGNATURE or data[3] != _PROPERTY_CONTEXT:
        raise OSError("the bytes are no property context")
    heap = _Heap(data, block_size)
    (root,) = struct.unpack_from("<I", data, 4)
    bag = PropertyBag()
    for tag, kind, value in heap.entries(root):
        if kind in _INLINE:
            size = {0x000B: 1, 0x0002: 2}.get(kind, 4)
            bag.values[tag] = Property(kind, struct.pack("<I", value)[:size])
        elif value == 0:
            bag.values[tag] = Property(kind)
        elif (found := heap.item(value)) is not None:
            bag.values[tag] = Property(kind, found)
        else:
            bag.unreadable.append(tag)
    return bag


class _Heap:
    """A heap-on-node, [MS-PST] 2.3.1."""

    def __init__(self, data: bytes, block_size: int) -> None:
        self.data = data
        self.block_size = block_size

    def item(self, identifier: int) -> bytes | None:
        """Return what an HID points to; None for a sub-node, or a place outside the heap."""
        index, block = identifier >> 5 & 0x7FF, identifier >> 16
        start = block * self.block_size
        if identifier & 0x1F or not index or start + 2 > len(self.data):
            return None
        content = self.data[start : start + self.block_size]
        (map_at,) = struct.unpack_from("<H", content, 0)
        at = map_at + 4 + 2 * (index - 1)
        if at + 4 > len(content):
            return None
        begin, end = struct.unpack_from("<HH", content, at)
        return content[begin:end] if begin <= end <= map_at else None

    def entries(self, root: int) -> Iterator[tuple[int, ...]]:
        """Yield tag, type and value of each property, [MS-PST] 2.3.2 and 2.3.3."""
        header = self.item(root)
        if header is None or len(header) < 8 or header[:3] != b"\xb5\x02\x06":
            return
        (first,) = struct.unpack_from("<I", header, 4)
        level = [first]
        for _ in range(min(header[3], _DEEPEST)):
            level = [
                child
                for identifier in level[:_MOST]
                for _, child in _rows("<HI", self.item(identifier))
            ]
        for identifier in level[:_MOST]:
            yield from _rows("<HHI", self.item(identifier))


def _rows(form: str, data: bytes | None) -> list[tuple[int, ...]]:
    size = struct.calcsize(form)
    return list(struct.iter_unpack(form, (data or b"")[: len(data or b"") // size * size]))
