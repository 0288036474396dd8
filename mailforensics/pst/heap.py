"""The heap on a node and the tree in it, [MS-PST] 2.3.1 and 2.3.2."""

from __future__ import annotations

import struct
from collections.abc import Sequence
from typing import Final

from mailforensics.pst.faults import Damage
from mailforensics.pst.layout import Layout

__all__ = ["Heap", "HeapTree"]

_SIGNATURE: Final = 0xEC
_TREE: Final = 0xB5
_DEEPEST: Final = 8
_MOST_ITEMS: Final = 1 << 20

Spans = tuple[int, ...]


class HeapTree:
    """A tree in a heap, BTH, [MS-PST] 2.3.2: records of one size, sorted by their key.

    Attributes
    ----------
    key_size, data_size
        Bytes of a key, and of the data behind it.
    records
        All records, one behind the other.
    """

    __slots__ = ("data_size", "key_size", "records")

    def __init__(self, key_size: int, data_size: int, records: bytes) -> None:
        self.key_size = key_size
        self.data_size = data_size
        self.records = records


class Heap:
    """Small items in the data blocks of a node, each found by its identifier (HID).

    Parameters
    ----------
    blocks : sequence of bytes or None
        The data blocks of the node, decoded; None stands for one that is lost.
    layout : Layout
        How the store is laid out.

    Attributes
    ----------
    client
        What the heap is for: 0xBC properties, 0x7C a table, 0xB5 a bare tree; 2.3.1.2.
    root
        The HID that its client begins with.

    Raises
    ------
    Damage
        The first block is lost or is no heap.
    """

    __slots__ = ("_bits", "_count", "_mask", "_spans", "blocks", "client", "root")

    def __init__(self, blocks: Sequence[bytes | None], layout: Layout) -> None:
        first = blocks[0] if blocks else None
        if first is None or len(first) < 12 or first[2] != _SIGNATURE:
            raise Damage("heap", "The data of a node is no heap.")
        self.blocks = blocks
        self.client = first[3]
        self.root = int.from_bytes(first[4:8], "little")
        self._bits = 5 + layout.hid_index_bits
        self._mask = (1 << layout.hid_index_bits) - 1
        self._count = len(blocks)
        self._spans: list[Spans | None] = [None] * self._count

    @property
    def size(self) -> int:
        """Bytes of its blocks."""
        return sum(len(block or b"") for block in self.blocks)

    def spans(self, number: int) -> Spans:
        """Return where the items of a block begin, and where the last one ends; 2.3.1.5.

        Raises
        ------
        Damage
            There is no such block, it is lost, or its page map does not fit.
        """
        if number >= self._count:
            raise Damage("heap", f"A heap has no block {number}.")
        found = self._spans[number]
        if found is None:
            found = self._spans[number] = _page_map(self.blocks[number])
        return found

    def item(self, hid: int) -> bytes:
        """Return an item; the HID 0 names an empty one.

        Raises
        ------
        Damage
            The heap has no such item.
        """
        if hid == 0:
            return b""
        number = hid >> self._bits
        spans = self._spans[number] if number < self._count else None
        if spans is None:
            spans = self.spans(number)
        index = hid >> 5 & self._mask
        if 0 < index < len(spans) and not hid & 0x1F:
            begin, end = spans[index - 1], spans[index]
            found = self.blocks[number][begin:end]  # type: ignore[index]  # spans() saw it
            if len(found) == end - begin:
                return found
        raise Damage("heap", f"A heap has no item {hid:#x}.")

    def tree(self, hid: int) -> HeapTree:
        """Return the records of a tree in the heap, BTH.

        Raises
        ------
        Damage
            There is no tree, or it is damaged.
        """
        head = self.item(hid)
        if len(head) < 8 or head[0] != _TREE or not head[1]:
            raise Damage("heap", "A heap holds no tree where one should be.")
        key_size, data_size, level = head[1], head[2], head[3]
        root = int.from_bytes(head[4:8], "little")
        if level == 0:
            return HeapTree(key_size, data_size, self.item(root))
        if level > _DEEPEST:
            raise Damage("heap", "A tree in a heap claims too many levels.")
        leaves = self._below([root], key_size, level)
        return HeapTree(key_size, data_size, b"".join(map(self.item, leaves)))

    def _below(self, hids: list[int], key_size: int, levels: int) -> list[int]:
        """Go down some levels; 2.3.2.2: a key, then the HID of the item below."""
        seen = set(hids)
        for _ in range(levels):
            below: list[int] = []
            for hid in hids:
                step = struct.Struct(f"<{key_size}xI")
                data = self.item(hid)
                below += [
                    child
                    for (child,) in step.iter_unpack(data[: len(data) // step.size * step.size])
                ]
            if len(set(below)) != len(below) or seen & set(below) or len(below) > _MOST_ITEMS:
                raise Damage("heap", "A tree in a heap names an item twice.")
            seen |= set(below)
            hids = below
        return hids


def _page_map(block: bytes | None) -> Spans:
    """Read HNPAGEMAP, [MS-PST] 2.3.1.5; its place is the first word of the block."""
    if block is None:
        raise Damage("heap", "A block of a heap is lost.")
    at = int.from_bytes(block[:2], "little")
    count = int.from_bytes(block[at : at + 2], "little")
    if at + 6 + 2 * count > len(block):
        raise Damage("heap", "The page map of a heap lies outside its block.")
    return struct.unpack(f"<{count + 1}H", block[at + 4 : at + 6 + 2 * count])
