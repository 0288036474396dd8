"""Heaps and the B-trees on them, written block by block, [MS-PST] 2.3.1 and 2.3.2."""

from __future__ import annotations

import itertools
import struct
from bisect import bisect_left
from typing import Final

from mailforensics.errors import ExportError
from mailforensics.pst.layout import Layout
from mailforensics.pst.writer.blocks import LARGEST_DATA, BlockWriter, DataTree

__all__ = ["LARGEST_ITEM", "BTreeOnHeap", "HeapWriter"]

LARGEST_ITEM: Final = 3580
"""Bytes that one item of a heap can have, [MS-PST] 2.3.1.1; larger values get a sub-node."""

_SIGNATURE: Final = 0xEC
_BTREE: Final = 0xB5
_FIRST_HEAD: Final = 12
_MAP_HEAD: Final = 66
_OTHER_HEAD: Final = 2
_FIRST_GROUP: Final = 8
_HID_BITS: Final = 27
"""Bits of a HID that number block and item, [MS-PST] 2.3.1.1."""

_GROUP: Final = 128

_FREE_BELOW: Final = (8, 16, 32, 64, 128, 256, 512, 768, 1024, 1280, 1536, 1792, 2048, 2560, 3584)
"""Free bytes below which the fill level is 15, 14, … 1, [MS-PST] 2.3.1.2."""


def _fill_level(free: int) -> int:
    return 15 - bisect_left(_FREE_BELOW, free + 1)


class _Block:
    """One block of a heap while it fills."""

    __slots__ = ("head", "items", "size")

    def __init__(self, head: int) -> None:
        self.head = head
        self.items: list[bytes] = []
        self.size = head

    def fits(self, length: int, most_items: int) -> bool:
        count = len(self.items) + 1
        page_map = 4 + 2 * (count + 1) + 1
        return count <= most_items and self.size + length + page_map <= LARGEST_DATA

    def add(self, item: bytes) -> int:
        self.items.append(item)
        self.size += len(item)
        return len(self.items)

    def closed(self) -> tuple[int, bytes, int]:
        """Return the place of the page map, all behind the head, and the free bytes."""
        ends = list(itertools.accumulate(map(len, self.items), initial=self.head))
        place = ends[-1] + (ends[-1] & 1)
        padding = b"\0" * (place - ends[-1])
        page_map = struct.pack(f"<HH{len(ends)}H", len(self.items), 0, *ends)
        free = LARGEST_DATA - place - len(page_map)
        return place, b"".join([*self.items, padding, page_map]), free


class HeapWriter:
    """Writes the heap of one node.

    Full blocks leave memory as soon as their fill levels are known: after the first 8, then after
    each 128. The very first stays until the end, for the items that are known last.

    Parameters
    ----------
    blocks : BlockWriter
        What the blocks are written with.
    layout : Layout
        How the file is laid out.
    client : int
        What the heap is for, bClientSig: 0xBC properties, 0x7C a table.
    """

    def __init__(self, blocks: BlockWriter, layout: Layout, client: int) -> None:
        self._layout = layout
        self._client = client
        self._tree = DataTree(blocks)
        self._most_items = (1 << layout.hid_index_bits) - 1
        self._most_blocks = 1 << (_HID_BITS - layout.hid_index_bits)
        self._kept = [_Block(_FIRST_HEAD)]
        self._start = 0
        self._first_group: list[_Block] = []

    def add(self, item: bytes) -> int:
        """Add an item of at most :data:`LARGEST_ITEM` bytes; return its HID, 0 when empty."""
        if not item:
            return 0
        block = self._kept[-1]
        if not block.fits(len(item), self._most_items):
            block = self._new_block()
        index = block.add(item)
        number = self._start + len(self._kept) - 1
        return index << 5 | number << (5 + self._layout.hid_index_bits)

    def replace(self, hid: int, item: bytes) -> None:
        """Set an item of the first block again, at its length."""
        first = self._first_group[0] if self._first_group else self._kept[0]
        first.items[(hid >> 5) - 1] = item

    def finish(self, root: int) -> int:
        """Write what is left; ``root`` is hidUserRoot. Return the identifier of the data."""
        if self._start:
            self._write_group(self._kept)
            self._write_first(self._first_group, root)
        else:
            self._tree.reserve(len(self._kept))
            self._write_first(self._kept, root)
        return self._tree.finish()

    def _new_block(self) -> _Block:
        number = self._start + len(self._kept)
        if number == self._most_blocks:
            raise ExportError("A folder holds more messages than a PST can list.")
        if number == _FIRST_GROUP:
            self._first_group, self._kept, self._start = self._kept, [], _FIRST_GROUP
            self._tree.reserve(_FIRST_GROUP)
        elif number > _FIRST_GROUP and (number - _FIRST_GROUP) % _GROUP == 0:
            self._write_group(self._kept)
            self._kept, self._start = [], number
        block = _Block(_MAP_HEAD if number >= _FIRST_GROUP and not self._kept else _OTHER_HEAD)
        self._kept.append(block)
        return block

    def _write_first(self, group: list[_Block], root: int) -> None:
        closed = [block.closed() for block in group]
        levels = _levels([free for _, _, free in closed], _FIRST_GROUP)
        for index, (place, body, _) in enumerate(closed):
            head = struct.pack("<H", place)
            if index == 0:
                head += struct.pack("<BBI", _SIGNATURE, self._client, root) + levels
            self._tree.fill(index, head + body)

    def _write_group(self, group: list[_Block]) -> None:
        closed = [block.closed() for block in group]
        levels = _levels([free for _, _, free in closed], _GROUP)
        for index, (place, body, _) in enumerate(closed):
            self._tree.append(struct.pack("<H", place) + (b"" if index else levels) + body)


def _levels(free: list[int], count: int) -> bytes:
    """Return the fill levels of a group of blocks, four bits each."""
    levels = [_fill_level(each) for each in free] + [0] * (count - len(free))
    return bytes(low | high << 4 for low, high in zip(levels[::2], levels[1::2], strict=True))


class BTreeOnHeap:
    """Writes a B-tree onto a heap, its records given in order, [MS-PST] 2.3.2.

    Parameters
    ----------
    heap : HeapWriter
        Where it goes.
    key, data : int
        Bytes of a key and of what belongs to it.
    """

    def __init__(self, heap: HeapWriter, key: int, data: int) -> None:
        self._heap = heap
        self._key = key
        self._data = data
        self._each = LARGEST_ITEM // (key + data)
        self._waiting: list[bytes] = []
        self._leaves: list[tuple[bytes, int]] = []

    def add(self, record: bytes) -> None:
        """Add a record, key first."""
        self._waiting.append(record)
        if len(self._waiting) == self._each:
            self._leaf()

    def finish(self) -> bytes:
        """Write the levels above and return the header (BTHHEADER, 2.3.2.1)."""
        if self._waiting:
            self._leaf()
        level, nodes = 0, self._leaves
        each = LARGEST_ITEM // (self._key + 4)
        while len(nodes) > 1:
            chunks = [nodes[at : at + each] for at in range(0, len(nodes), each)]
            nodes = [(chunk[0][0], self._branch(chunk)) for chunk in chunks]
            level += 1
        root = nodes[0][1] if nodes else 0
        return struct.pack("<BBBBI", _BTREE, self._key, self._data, level, root)

    def _leaf(self) -> None:
        first = self._waiting[0][: self._key]
        self._leaves.append((first, self._heap.add(b"".join(self._waiting))))
        self._waiting = []

    def _branch(self, nodes: list[tuple[bytes, int]]) -> int:
        return self._heap.add(b"".join(key + struct.pack("<I", hid) for key, hid in nodes))
