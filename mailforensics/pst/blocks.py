"""Blocks: where they are, what they say, and the trees that join them.

Data of a node lies in one block, or in a tree of blocks (XBLOCK, XXBLOCK, [MS-PST] 2.2.2.8.3.2).
Sub-nodes of a node are listed in blocks of their own (SLBLOCK, SIBLOCK, 2.2.2.8.3.3).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable
from typing import Any, Final, NamedTuple

import numpy as np

from mailforensics.pst.crypt import PERMUTE_DECODE, CryptMethod, decode
from mailforensics.pst.faults import Damage, Fault
from mailforensics.pst.layout import Layout

__all__ = ["BlockReader", "BlockRef", "SubNode", "is_internal"]

_ZLIB: Final = b"\x78"
_DATA_TREE: Final = 0x01
_SUBNODE_TREE: Final = 0x02
_MOST_BLOCKS: Final = 1 << 20
"""Blocks that one data tree may have: 8 GB with 8 KiB blocks."""

_MOST_SUBNODES: Final = 1 << 20
_LARGEST_DATA: Final = 1 << 31


class BlockRef(NamedTuple):
    """Where a block is.

    Attributes
    ----------
    bid
        Its identifier, the reserved lowest bit cleared.
    offset
        Bytes from the start of the store.
    stored, inflated
        Bytes in the file, and bytes once unpacked; equal unless the block is compressed.
    """

    bid: int
    offset: int
    stored: int
    inflated: int


class SubNode(NamedTuple):
    """An entry of a sub-node tree, SLENTRY, [MS-PST] 2.2.2.8.3.3.1.1."""

    data_bid: int
    sub_bid: int


def is_internal(bid: int) -> bool:
    """Whether a block holds a tree and not data, [MS-PST] 2.2.2.2; such are never encoded."""
    return bid & 2 != 0


class BlockReader:
    """Reads blocks of a store by their identifiers.

    Parameters
    ----------
    data : bytes-like
        The file, or the image that the store lies in; slices of it are ``bytes``.
    layout : Layout
        How the store is laid out.
    crypt : int
        How data blocks are encoded.
    locate : callable
        Identifier -> :class:`BlockRef`, or None when the block is nowhere. Recovery gives one
        that also knows stale blocks.
    start : int
        Where the store begins in ``data``.

    Attributes
    ----------
    checks
        Whether blocks are held to their trailers; a store that is of a kind nobody has described
        may have others.
    """

    __slots__ = ("_trailer", "_wide", "checks", "crypt", "image", "layout", "locate", "start")

    def __init__(
        self,
        data: Any,
        layout: Layout,
        crypt: int,
        locate: Callable[[int], BlockRef | None],
        start: int = 0,
    ) -> None:
        self.image = data
        self.layout = layout
        self.crypt = crypt
        self.locate = locate
        self.start = start
        self.checks = True
        self._wide = layout.wide
        self._trailer = _trailer_of(layout)

    def read(self, bid: int, faults: list[Fault]) -> bytes:
        """Return the decoded bytes of one block.

        A wrong checksum is noted in ``faults``, and the bytes are given nevertheless.

        Raises
        ------
        Damage
            The block is nowhere, outside the file, or another block stands in its place.
        """
        bid &= ~1
        place = self.locate(bid)
        if place is None:
            raise Damage("block_missing", f"The block {bid:#x} is in no index.")
        stored = self._stored(place, faults)
        if place.stored != place.inflated:
            if stored[:1] != _ZLIB and not bid & 2:
                return _inflated(decode(stored, self.crypt, bid), place, faults)
            stored = _inflated(stored, place, faults)
        if bid & 2:
            return stored
        if self.crypt == CryptMethod.PERMUTE:
            return stored.translate(PERMUTE_DECODE)
        return decode(stored, self.crypt, bid)

    def verifies(self, place: BlockRef) -> bool:
        """Whether a block agrees with its trailer."""
        faults: list[Fault] = []
        try:
            self._stored(place, faults)
        except Damage:
            return False
        return not faults

    def _stored(self, place: BlockRef, faults: list[Fault]) -> bytes:
        """Return the bytes of a block as they are stored, held to its trailer."""
        bid, offset, size, _ = place
        align, trailer = self.layout.block_align, self.layout.block_trailer_size
        span = -(-(size + trailer) // align) * align
        begin = self.start + offset
        whole = self.image[begin : begin + span]
        if offset <= 0 or len(whole) < span:
            raise Damage("block_missing", f"The block {bid:#x} lies outside the file.", offset)
        stored = whole[:size]
        if not self.checks:
            return bytes(stored)
        length, _, first, second = self._trailer.unpack_from(whole, span - trailer)
        checksum, owner = (first, second) if self._wide else (second, first)
        right = zlib.crc32(stored, 0xFFFFFFFF) ^ 0xFFFFFFFF == checksum
        if owner & ~1 != bid and right:
            raise Damage("block_foreign", f"In place of {bid:#x} lies block {owner:#x}.", offset)
        if not right or length != size:
            detail = f"The checksum of block {bid:#x} does not agree."
            faults.append(Fault("block_checksum", detail, offset))
        return bytes(stored)

    def data_blocks(self, bid: int, faults: list[Fault]) -> list[bytes | None]:
        """Return the blocks of a data tree in order; None stands for one that is lost.

        Raises
        ------
        Damage
            The tree itself cannot be read.
        """
        if not bid & ~1:
            return []
        if not bid & 2:
            return [self.read(bid, faults)]
        return self._leaves(self.data_tree(bid, faults), faults)

    def _leaves(self, bids: list[int], faults: list[Fault]) -> list[bytes | None]:
        found: list[bytes | None] = []
        for bid in bids:
            try:
                found.append(self.read(bid, faults))
            except Damage as damage:
                faults.append(damage.fault)
                found.append(None)
        return found

    def data_tree(self, bid: int, faults: list[Fault]) -> list[int]:
        """Return the identifiers of the data blocks that a tree joins, in order.

        Raises
        ------
        Damage
            The root is no tree, or the tree names a block twice or too many of them.
        """
        level, bids = self._data_tree_block(bid, faults)
        if level == 2:
            bids = self._second_level(bids, faults)
        external = [child & ~1 for child in bids if not child & 2]
        if len(external) != len(bids) or len(set(external)) != len(external):
            raise Damage("data_tree", f"The data tree {bid:#x} names a block that cannot be in it.")
        if len(external) > _MOST_BLOCKS:
            raise Damage("data_tree", f"The data tree {bid:#x} names too many blocks.")
        return external

    def _second_level(self, bids: list[int], faults: list[Fault]) -> list[int]:
        found: list[int] = []
        for child in dict.fromkeys(bids):
            level, below = self._data_tree_block(child, faults)
            if level != 1:
                raise Damage("data_tree", f"The data tree block {child:#x} has a wrong level.")
            found += below
        return found

    def _data_tree_block(self, bid: int, faults: list[Fault]) -> tuple[int, list[int]]:
        """Read an XBLOCK or XXBLOCK: its level, and the blocks below it."""
        block = self.read(bid, faults)
        start, kind = self.layout.data_tree_start, self.layout.bid
        if len(block) < start or block[0] != _DATA_TREE or block[1] not in {1, 2}:
            raise Damage("data_tree", f"The block {bid:#x} is no data tree.")
        count = int.from_bytes(block[2:4], "little")
        if start + count * kind.itemsize > len(block):
            raise Damage("data_tree", f"The data tree {bid:#x} claims more than it holds.")
        return block[1], np.frombuffer(block, kind, count, start).tolist()

    def data(self, bid: int, faults: list[Fault]) -> bytes:
        """Return the joined data of a node.

        Raises
        ------
        Damage
            A part of it is lost.
        """
        if not bid & 2:
            return self.read(bid, faults) if bid & ~1 else b""
        blocks = self.data_blocks(bid, faults)
        whole = [block for block in blocks if block is not None]
        if len(whole) != len(blocks):
            raise Damage("block_missing", f"Parts of the data {bid:#x} are lost.")
        if sum(map(len, whole)) > _LARGEST_DATA:
            raise Damage("data_tree", f"The data {bid:#x} is too large.")
        return whole[0] if len(whole) == 1 else b"".join(whole)

    def subnodes(self, bid: int, faults: list[Fault]) -> dict[int, SubNode]:
        """Return the sub-nodes that a tree lists: node identifier -> :class:`SubNode`.

        Raises
        ------
        Damage
            The root cannot be read.
        """
        if not bid & ~1:
            return {}
        level, rows = self._subnode_block(bid, faults)
        if level == 0:
            return _entries_of(rows)
        found: dict[int, SubNode] = {}
        for _, child in dict.fromkeys(rows):
            try:
                below, rows = self._subnode_block(child, faults)
                if below:
                    raise Damage("subnode", f"The sub-node block {child:#x} has a wrong level.")  # noqa: TRY301
            except Damage as damage:
                faults.append(damage.fault)
                continue
            found.update(_entries_of(rows))
            if len(found) > _MOST_SUBNODES:
                raise Damage("subnode", f"The sub-node tree {bid:#x} is too large.")
        return found

    def _subnode_block(self, bid: int, faults: list[Fault]) -> tuple[int, list[tuple[int, ...]]]:
        """Read an SLBLOCK or SIBLOCK: its level and its rows."""
        block = self.read(bid, faults)
        layout = self.layout
        if len(block) < layout.subnode_start or block[0] != _SUBNODE_TREE or block[1] > 1:
            raise Damage("subnode", f"The block {bid:#x} lists no sub-nodes.")
        row = _subnode_row(layout, block[1])
        end = layout.subnode_start + int.from_bytes(block[2:4], "little") * row.size
        if end > len(block):
            faults.append(Fault("subnode", f"The sub-node block {bid:#x} is cut short."))
            end = layout.subnode_start
            end += (len(block) - end) // row.size * row.size
        return block[1], list(row.iter_unpack(block[layout.subnode_start : end]))


def _entries_of(rows: list[tuple[int, ...]]) -> dict[int, SubNode]:
    return {nid & _LOW: SubNode(data & ~1, sub & ~1) for nid, data, sub in rows}


_LOW: Final = 0xFFFFFFFF
_WIDE_ROWS: Final = (struct.Struct("<QQQ"), struct.Struct("<QQ"))
_NARROW_ROWS: Final = (struct.Struct("<III"), struct.Struct("<II"))
_WIDE_TRAILER: Final = struct.Struct("<HHIQ")
_NARROW_TRAILER: Final = struct.Struct("<HHII")


def _subnode_row(layout: Layout, level: int) -> struct.Struct:
    return (_WIDE_ROWS if layout.wide else _NARROW_ROWS)[level]


def _trailer_of(layout: Layout) -> struct.Struct:
    """Return BLOCKTRAILER, [MS-PST] 2.2.2.8.1; its last two fields change places with ANSI."""
    return _WIDE_TRAILER if layout.wide else _NARROW_TRAILER


def _inflated(stored: bytes, place: BlockRef, faults: list[Fault]) -> bytes:
    """Unpack a compressed block; never more than it says."""
    unpacker = zlib.decompressobj()
    try:
        found = unpacker.decompress(stored, place.inflated + 1)
    except zlib.error as error:
        detail = f"The block {place.bid:#x} cannot be unpacked: {error}"
        raise Damage("block_packed", detail, place.offset) from error
    if len(found) != place.inflated:
        detail = f"The block {place.bid:#x} unpacks to another size than it says."
        faults.append(Fault("block_packed", detail, place.offset))
    return found[: place.inflated]
