"""Blocks, and the trees of blocks that hold what is larger than one, [MS-PST] 2.2.2.8."""

from __future__ import annotations

import struct
import zlib
from array import array
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple, TypeVar

from mailforensics.errors import ExportError
from mailforensics.pst.crypt import CryptMethod, encode
from mailforensics.pst.layout import Layout
from mailforensics.pst.sums import crc, signature
from mailforensics.pst.writer.space import Space

__all__ = ["LARGEST_DATA", "BlockWriter", "DataTree", "NodeRef"]

LARGEST_DATA: Final = 8176
"""Bytes in a block of a heap, of a tree of blocks or of sub-nodes, in both layouts."""

_INTERNAL: Final = 2
_FIRST: Final = 4
_STEP: Final = 4
_PACKED_FROM: Final = 256
_BID_BYTES: Final = 8
_Entry = TypeVar("_Entry")


class NodeRef(NamedTuple):
    """What a node consists of: the identifiers of its data and of its sub-nodes; 0 for none."""

    data: int
    sub: int


class BlockWriter:
    """Writes blocks and remembers where, for the block tree.

    Parameters
    ----------
    space : Space
        Where they go.
    layout : Layout
        How the file is laid out.
    crypt : int
        How data blocks are encoded, a :class:`~mailforensics.pst.crypt.CryptMethod`.
    """

    def __init__(self, space: Space, layout: Layout, crypt: int) -> None:
        self._space = space
        self._layout = layout
        self._crypt = crypt
        self._entries = bytearray()
        self._shared: dict[int, int] = {}
        self.next_bid = _FIRST

    def data(self, data: bytes) -> int:
        """Write a block of data and return its identifier."""
        return self._write(data, self._take())

    def internal(self, data: bytes) -> int:
        """Write a block that holds a tree; such are neither encoded nor compressed."""
        return self._write(data, self._take() | _INTERNAL)

    def stream(self, data: bytes) -> int:
        """Write bytes of any length and return the identifier of their block or tree; 0 if none."""
        if len(data) <= self._layout.largest_block:
            return self.data(data) if data else 0
        tree = DataTree(self)
        view = memoryview(data)
        for start in range(0, len(data), self._layout.largest_block):
            tree.append(bytes(view[start : start + self._layout.largest_block]))
        return tree.finish()

    def subnodes(self, nodes: Mapping[int, NodeRef]) -> int:
        """Write a sub-node tree (SLBLOCK, SIBLOCK, 2.2.2.8.3.3); return 0 when there are none."""
        if not nodes:
            return 0
        entries = [struct.pack("<QQQ", nid, *nodes[nid]) for nid in sorted(nodes)]
        leaves = [self._subnode_block(0, chunk) for chunk in _chunks(entries, 24)]
        if len(leaves) == 1:
            return leaves[0][1]
        branches = [struct.pack("<QQ", nid, bid) for nid, bid in leaves]
        if len(branches) * 16 > LARGEST_DATA - 8:
            raise ExportError(f"An item with {len(entries):,} parts does not fit into a PST.")
        return self._subnode_block(1, branches)[1]

    def share(self, bid: int) -> None:
        """Count one more node that uses a block, cRef of BBTENTRY, 2.2.2.7.7.3."""
        if bid:
            self._shared[bid] = self._shared.get(bid, 0) + 1

    def entries(self) -> bytes:
        """Return the entries of the block tree, by identifier (BBTENTRY, 2.2.2.7.7.3)."""
        entry = 24
        for bid, more in self._shared.items():
            at = bid // _STEP - 1
            place = at * entry + (20 if self._layout.packs_blocks else 18)
            struct.pack_into("<H", self._entries, place, min(2 + more, 0xFFFF))
        return bytes(self._entries)

    def _subnode_block(self, level: int, entries: list[bytes]) -> tuple[int, int]:
        head = struct.pack("<BBHI", 2, level, len(entries), 0)
        (first,) = struct.unpack_from("<Q", entries[0])
        return first, self.internal(head + b"".join(entries))

    def _take(self) -> int:
        bid = self.next_bid
        self.next_bid += _STEP
        return bid

    def _write(self, data: bytes, bid: int) -> int:
        layout, size = self._layout, len(data)
        stored = data if bid & _INTERNAL else self._stored(data, bid)
        span = layout.span(len(stored))
        offset = self._space.place(span, layout.block_align)
        trailer = struct.pack("<HHIQ", len(stored), signature(offset, bid), crc(stored), bid)
        if layout.packs_blocks:
            trailer += struct.pack("<HHI", 2, size, 0)
            entry = struct.pack("<QQHHHH", bid, offset, len(stored), size, 2, 0)
        else:
            entry = struct.pack("<QQHHI", bid, offset, size, 2, 0)
        self._space.put(offset, stored.ljust(span - len(trailer), b"\0") + trailer)
        self._entries += entry
        return bid

    def _stored(self, data: bytes, bid: int) -> bytes:
        """Return a data block as it is stored: encoded, or compressed where that saves room.

        Never both: of blocks that are encoded and compressed no real file was seen.
        """
        if not self._layout.packs_blocks or self._crypt != CryptMethod.NONE:
            return encode(data, self._crypt, bid)
        packed = zlib.compress(data) if len(data) > _PACKED_FROM else data
        return packed if len(packed) < len(data) else data


class DataTree:
    """Blocks that together are the data of one node (XBLOCK, XXBLOCK, 2.2.2.8.3.2).

    Parameters
    ----------
    blocks : BlockWriter
        What they are written with.
    """

    def __init__(self, blocks: BlockWriter) -> None:
        self._blocks = blocks
        self._bids = array("Q")
        self._sizes = array("H")

    def __len__(self) -> int:
        return len(self._bids)

    def reserve(self, count: int) -> None:
        """Leave the next places for blocks that are written later, with :meth:`fill`."""
        self._bids.extend([0] * count)
        self._sizes.extend([0] * count)

    def append(self, data: bytes) -> None:
        """Write the next block."""
        self._bids.append(self._blocks.data(data))
        self._sizes.append(len(data))

    def fill(self, index: int, data: bytes) -> None:
        """Write the block for a place that was left."""
        self._bids[index] = self._blocks.data(data)
        self._sizes[index] = len(data)

    def finish(self) -> int:
        """Write the tree above the blocks; return its identifier, 0 when there are none."""
        kept = [pair for pair in zip(self._bids, self._sizes, strict=True) if pair[0]]
        if len(kept) <= 1:
            return kept[0][0] if kept else 0
        lists = [self._list(1, chunk) for chunk in _chunks(kept, _BID_BYTES)]
        if len(lists) == 1:
            return lists[0][0]
        if len(lists) * _BID_BYTES > LARGEST_DATA - 8:
            raise ExportError("A value of more than 8 GB does not fit into a PST.")
        return self._list(2, lists)[0]

    def _list(self, level: int, members: Iterable[tuple[int, int]]) -> tuple[int, int]:
        pairs = list(members)
        total = sum(size for _, size in pairs)
        bids = struct.pack(f"<{len(pairs)}Q", *(bid for bid, _ in pairs))
        head = struct.pack("<BBHI", 1, level, len(pairs), total & 0xFFFFFFFF)
        return self._blocks.internal(head + bids), total


def _chunks(entries: list[_Entry], size: int) -> Iterable[list[_Entry]]:
    """Cut entries of ``size`` bytes into lists that fit into one block."""
    each = (LARGEST_DATA - 8) // size
    return (entries[start : start + each] for start in range(0, len(entries), each))
