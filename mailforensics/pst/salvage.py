"""Heaps whose page map, head or tree is damaged: read as far as their bytes go.

The page map is the last thing in a block and ends with it, so it is found from behind when the word
that leads to it is lost; of a map that is lost in part, the items count whose two edges are there.
The list of properties is known by its shape: records of eight bytes, sorted, with known types.
[MS-PST] 2.3.1.5, 2.3.3.3
"""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator, Sequence
from typing import Final

from mailforensics.pst.faults import Damage, Fault
from mailforensics.pst.heap import Heap, HeapTree
from mailforensics.pst.layout import Layout
from mailforensics.pst.messages import Message
from mailforensics.pst.properties import CodePage, PropertyContext
from mailforensics.pst.torn import Spans, TornBlock

__all__ = ["SalvagedHeap", "SalvagedMessage"]

_PROPERTIES: Final = 0xBC
_NOWHERE: Final = 1 << 20
_RECORD: Final = struct.Struct("<HHI")
_TYPES: Final = frozenset(
    {0x02, 0x03, 0x04, 0x05, 0x06, 0x07, 0x0A, 0x0B, 0x0D, 0x14, 0x1E, 0x1F, 0x40, 0x48, 0x102}
    | {0x1002, 0x1003, 0x1014, 0x101E, 0x101F, 0x1040, 0x1048, 0x1102}
)
_FEWEST: Final = 4


class SalvagedHeap(Heap):
    """The property context of a node, some of whose bytes are lost.

    Parameters
    ----------
    blocks : sequence of bytes or None
        Its data blocks; None stands for one that is lost.
    layout : Layout
        How the store is laid out.

    Raises
    ------
    Damage
        Nothing in it looks like a list of properties.
    """

    __slots__ = ("_records",)

    def __init__(self, blocks: Sequence[bytes | None], layout: Layout) -> None:
        self.blocks = blocks
        self.client, self.root = _PROPERTIES, 0
        self._bits = 5 + layout.hid_index_bits
        self._mask = (1 << layout.hid_index_bits) - 1
        self._count = len(blocks)
        self._spans = [_edges(block) for block in blocks]
        self._records = b"".join(sorted(set(self._found())))
        if len(self._records) < _FEWEST * _RECORD.size:
            raise Damage("heap", "No list of properties is left in the data of a node.")

    def tree(self, hid: int) -> HeapTree:  # noqa: ARG002 - its tree is not followed
        """Return the records that were found."""
        return HeapTree(2, 6, self._records)

    def _found(self) -> Iterator[bytes]:
        """Yield the records of each item, or else stretch of bytes, that is a list of them."""
        for number, block in enumerate(self.blocks):
            lists = [item for item in self._items(number) if _is_list(item)]
            if not lists and block is not None:
                lists = _lists_in(block)
            for each in lists:
                yield from (each[at : at + 8] for at in range(0, len(each), 8))

    def _items(self, number: int) -> Iterator[bytes]:
        for index in range(1, len(self._spans[number] or ())):
            try:
                yield self.item(index << 5 | number << self._bits)
            except Damage:
                continue


def _lost(block: bytes) -> Spans:
    return block.lost if isinstance(block, TornBlock) else ()


def _edges(block: bytes | None) -> tuple[int, ...]:
    """Return where items begin and end; an edge that is lost lies outside the block."""
    if block is None or len(block) < 8:
        return ()
    data, lost = bytes(block), _lost(block)
    at = _map_at(data, lost)
    if at is None:
        return ()
    count = (len(data) - at - 6) // 2
    edges = []
    for index in range(count + 1):
        place = at + 4 + 2 * index
        gone = any(place < last and first < place + 2 for first, last in lost)
        edge = int.from_bytes(data[place : place + 2], "little")
        edges.append(_NOWHERE + 7 * index if gone or edge > at else edge)
    return tuple(edges)


def _map_at(data: bytes, lost: Spans) -> int | None:
    """Return where the page map begins."""
    told = int.from_bytes(data[:2], "little")
    if not any(first < 2 for first, _ in lost) and 2 <= told <= len(data) - 6:
        return told
    for at in range(len(data) - 8 - len(data) % 2, 2, -2):
        count = int.from_bytes(data[at : at + 2], "little")
        if at + 6 + 2 * count == len(data) and _is_map(data, at, count):
            return at
    return None


def _is_map(data: bytes, at: int, count: int) -> bool:
    edges = struct.unpack_from(f"<{count + 1}H", data, at + 4)
    rising = all(one <= two for one, two in itertools.pairwise(edges))
    return rising and edges[0] in {2, 12, 66} and at - edges[-1] in {0, 1}


def _is_list(item: bytes) -> bool:
    return bool(item) and len(item) % 8 == 0 and _length(item, 0) == len(item)


def _length(data: bytes, begin: int) -> int:
    """Return how many bytes from a place on are records: known types, sorted by identifier."""
    before, at = 0, begin
    while at + 8 <= len(data):
        tag, kind, _ = _RECORD.unpack_from(data, at)
        if tag <= before or kind not in _TYPES:
            break
        before, at = tag, at + 8
    return at - begin


def _lists_in(block: bytes) -> list[bytes]:
    """Return the longest stretch of a block that is a list of records."""
    data, best, begin, at = bytes(block), 0, 0, 0
    while at + 8 <= len(data):
        length = _length(data, at)
        if length > best:
            best, begin = length, at
        at += max(2, length - 8)
    return [data[begin : begin + best]] if best >= _FEWEST * 8 else []


class SalvagedMessage(Message):
    """A message that is read as far as the bytes of its heap go."""

    __slots__ = ()

    def _properties(self, code_page: CodePage) -> PropertyContext:
        found = super()._properties(code_page)
        if self.readable:
            return found
        faults: list[Fault] = []
        try:
            blocks = self.reader.data_blocks(self.node.data_bid, faults)
            if len(faults) > sum(isinstance(block, TornBlock | None) for block in blocks):
                return found  # whose bytes the others are is open
            heap = SalvagedHeap(blocks, self.reader.layout)
            found = PropertyContext(heap, self.subnodes, self.faults, code_page)
        except Damage:
            return found
        self.readable = True
        return found
