"""Takes rows out of folders' tables inside the blocks that they lie in."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterator

from mailforensics.mapi import Tag
from mailforensics.pst.faults import Damage
from mailforensics.pst.folders import Folder
from mailforensics.pst.layout import Layout, NidType
from tests.pst.image import Image, NoRoom

Sizes = dict[int, tuple[int, int]]


class Pieces:
    """The items of a heap, block by block, some of which become shorter."""

    def __init__(self, blocks: list[bytes], layout: Layout) -> None:
        self.blocks = blocks
        self._bits = layout.hid_index_bits
        self.items = [_items(block) for block in blocks]

    def at(self, hid: int) -> tuple[int, int]:
        return hid >> (5 + self._bits), (hid >> 5 & (1 << self._bits) - 1) - 1

    def item(self, hid: int) -> bytes:
        block, index = self.at(hid)
        return self.items[block][index]

    def block(self, number: int) -> bytes:
        """Return a block with the items as they are now, as long as it was."""
        old, items = self.blocks[number], self.items[number]
        place, starts = _page_map(old)
        head = bytearray(old[: starts[0]])
        ends = [starts[0]]
        for item in items:
            ends.append(ends[-1] + len(item))
        new_place = ends[-1] + (ends[-1] & 1)
        struct.pack_into("<H", head, 0, new_place)
        _, spare = struct.unpack_from("<HH", old, place)
        page_map = struct.pack(f"<HH{len(ends)}H", len(items), spare, *ends)
        body = bytes(head) + b"".join(items) + bytes(new_place - ends[-1]) + page_map
        return body.ljust(len(old), b"\0")

    def leaves(self, header: int) -> Iterator[tuple[int, int]]:
        """Yield the leaf items of a tree on the heap and the size of their records."""
        _, key, data, level, root = struct.unpack("<BBBBI", self.item(header)[:8])
        hids = [root] if root else []
        for _ in range(level):
            rows = (self.item(hid) for hid in hids)
            step = key + 4
            hids = [
                struct.unpack_from("<I", row, at + key)[0]
                for row in rows
                for at in range(0, len(row), step)
            ]
        yield from ((hid, key + data) for hid in hids)


def _page_map(block: bytes) -> tuple[int, tuple[int, ...]]:
    (place,) = struct.unpack_from("<H", block)
    count = struct.unpack_from("<H", block, place)[0]
    return place, struct.unpack_from(f"<{count + 1}H", block, place + 4)


def _items(block: bytes) -> list[bytes]:
    _, starts = _page_map(block)
    return [block[a:b] for a, b in itertools.pairwise(starts)]


def drop_rows(image: Image, chosen: set[int]) -> tuple[set[int], Sizes]:
    """Take rows of messages out of the tables of their folders.

    Returns
    -------
    gone : set of int
        The messages whose row is gone; the heap of a table does not always allow it.
    resized : dict
        Block -> its new sizes, where they changed.
    """
    gone: set[int] = set()
    resized: Sizes = {}
    folders = list(image.store.folders())
    for folder in (each for each in folders if not each.is_search):
        nid = folder.nid & ~0x1F | NidType.CONTENTS_TABLE
        dropped = _drop(image, nid, chosen, resized)
        gone |= dropped
        if dropped:
            _count_less(image, folder, len(dropped), resized)
    for folder in (each for each in folders if each.is_search):
        _drop(image, folder.nid & ~0x1F | NidType.SEARCH_CONTENTS_TABLE, gone, resized)
    return gone, resized


def _heap(image: Image, nid: int) -> tuple[list[int], Pieces] | None:
    """Return the data blocks of a node and the heap in them; None when others share them."""
    store, node = image.store, image.store.nodes.find(nid)
    if node is None or not node.data_bid & ~1:
        return None
    try:
        bid = node.data_bid & ~1
        bids = store.reader.data_tree(bid, []) if bid & 2 else [bid]
        if any(image.references.get(each, 2) > 2 for each in (bid, *bids)):
            return None
        return bids, Pieces([store.read_block(each) for each in bids], store.layout)
    except (Damage, struct.error, IndexError):
        return None


def _drop(image: Image, nid: int, chosen: set[int], resized: Sizes) -> set[int]:
    """Take rows out of one table; return the messages whose row is gone."""
    found = _heap(image, nid)
    if found is None:
        return set()
    table = _Table(image, nid, *found)
    gone = table.drop(chosen)
    return gone if gone and _write(image, table.changed(), resized) else set()


class _Table:
    """The rows of a table and their index.

    The rows stay numbered without gaps: the last ones move up, as some readers expect. What lay
    behind them stays in the room of the rows.
    """

    def __init__(self, image: Image, nid: int, bids: list[int], heap: Pieces) -> None:
        self.bids, self.heap = bids, heap
        self.root = struct.unpack_from("<I", heap.blocks[0], 4)[0]
        info = heap.item(self.root)
        (self.row_size,) = struct.unpack_from("<H", info, 8)
        self.index, self.hnid = struct.unpack_from("<II", info, 10)
        self.leaves = list(heap.leaves(self.index))
        self.touched: set[int] = set()
        self.matrix: dict[int, bytearray] = {}
        self._matrix_bids = self._rows_of(image, nid)
        self._store = image.store
        self._per = image.layout.largest_block // self.row_size

    def _rows_of(self, image: Image, nid: int) -> list[int]:
        """Return the blocks that the rows lie in; none when it is the heap."""
        if self.hnid & 0x1F == 0:
            return []
        node = image.store.nodes.find(nid)
        assert node is not None
        bid = image.store.subnodes(node.sub_bid)[self.hnid].data_bid & ~1
        return image.store.reader.data_tree(bid, []) if bid & 2 else [bid]

    def drop(self, chosen: set[int]) -> set[int]:
        """Take rows out of the index and close the gaps."""
        kept, gone = self._sorted_out(chosen)
        count = sum(map(len, kept))
        numbers = {self._number(row) for rows in kept for row in rows}
        gaps = [number for number in range(count) if number not in numbers]
        moves = dict(zip(sorted(each for each in numbers if each >= count), gaps, strict=True))
        for before, after in moves.items():
            self._move(before, after)
        for (hid, size), rows in zip(self.leaves, kept, strict=True):
            new = b"".join(self._renumbered(row, size, moves) for row in rows)
            self._set(hid, new)
        if not count and self.leaves:
            self._set(self.index, self.heap.item(self.index)[:4] + bytes(4))
            info = self.heap.item(self.root)
            self._set(self.root, info[:14] + bytes(4) + info[18:])
        return gone

    def changed(self) -> dict[int, bytes]:
        """Return what the changed blocks say now."""
        found = {self.bids[number]: self.heap.block(number) for number in self.touched}
        return found | {bid: bytes(data) for bid, data in self.matrix.items()}

    def _sorted_out(self, chosen: set[int]) -> tuple[list[list[bytes]], set[int]]:
        kept: list[list[bytes]] = []
        gone: set[int] = set()
        for hid, size in self.leaves:
            data = self.heap.item(hid)
            rows = [data[at : at + size] for at in range(0, len(data), size)]
            hit = {struct.unpack_from("<I", row)[0] for row in rows} & chosen
            if len(hit) == len(rows) and len(self.leaves) > 1:
                hit = set()
            gone |= hit
            kept.append([row for row in rows if struct.unpack_from("<I", row)[0] not in hit])
        return kept, gone

    @staticmethod
    def _number(row: bytes) -> int:
        return int.from_bytes(row[4:], "little")

    def _renumbered(self, row: bytes, size: int, moves: dict[int, int]) -> bytes:
        number = self._number(row)
        return row[:4] + moves.get(number, number).to_bytes(size - 4, "little")

    def _set(self, hid: int, data: bytes) -> None:
        number, place = self.heap.at(hid)
        if self.heap.items[number][place] != data:
            self.heap.items[number][place] = data
            self.touched.add(number)

    def _move(self, before: int, after: int) -> None:
        size = self.row_size
        if not self._matrix_bids:
            rows = bytearray(self.heap.item(self.hnid))
            rows[after * size : (after + 1) * size] = rows[before * size : (before + 1) * size]
            self._set(self.hnid, bytes(rows))
            return
        source, at = self._block(before)
        target, to = self._block(after)
        target[to : to + size] = source[at : at + size]

    def _block(self, number: int) -> tuple[bytearray, int]:
        block, step = divmod(number, self._per)
        bid = self._matrix_bids[block]
        if bid not in self.matrix:
            self.matrix[bid] = bytearray(self._store.read_block(bid))
        return self.matrix[bid], step * self.row_size


def _write(image: Image, blocks: dict[int, bytes], resized: Sizes) -> bool:
    """Write changed blocks; all of them or none."""
    saved, sizes = bytes(image.bytes), {}
    try:
        for bid, data in blocks.items():
            sizes[bid] = image.rewrite_block(bid, data)
    except NoRoom:
        image.bytes[:] = saved
        return False
    resized.update(sizes)
    return True


def _count_less(image: Image, folder: Folder, fewer: int, resized: Sizes) -> None:
    """Let the folder say that it holds fewer messages, PidTagContentCount."""
    found = _heap(image, folder.nid)
    if found is None or folder.declared is None:
        return
    bids, heap = found
    header = struct.unpack_from("<I", heap.blocks[0], 4)[0]
    for hid, size in heap.leaves(header):
        number, place = heap.at(hid)
        rows = heap.items[number][place]
        for at in range(0, len(rows), size):
            tag = struct.unpack_from("<H", rows, at)[0]
            if tag == Tag.CONTENT_COUNT:
                value = struct.pack("<I", max(folder.declared - fewer, 0))
                heap.items[number][place] = rows[: at + 4] + value + rows[at + 8 :]
                _write(image, {bids[number]: heap.block(number)}, resized)
