"""Takes rows out of folders' tables inside the blocks that they lie in."""

from __future__ import annotations

import itertools
import struct
from collections.abc import Iterable, Iterator

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
    for folder in image.store.folders():
        if folder.is_search:
            continue
        nid = folder.nid & ~0x1F | NidType.CONTENTS_TABLE
        dropped = _drop(image, nid, chosen, resized)
        gone |= dropped
        if dropped:
            _count_less(image, folder, len(dropped), resized)
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


def _drop(image: Image, table: int, chosen: set[int], resized: Sizes) -> set[int]:
    found = _heap(image, table)
    if found is None:
        return set()
    bids, heap = found
    gone: set[int] = set()
    root = struct.unpack_from("<I", heap.blocks[0], 4)[0]
    index = struct.unpack_from("<I", heap.item(root), 10)[0]
    leaves = list(heap.leaves(index))
    for hid, size in leaves:
        number, place = heap.at(hid)
        rows = heap.items[number][place]
        records = [rows[at : at + size] for at in range(0, len(rows), size)]
        kept = [row for row in records if struct.unpack_from("<I", row)[0] not in chosen]
        if len(kept) == len(records) or (not kept and len(leaves) > 1):
            continue
        before = [list(items) for items in heap.items]
        heap.items[number][place] = b"".join(kept)
        touched = {number}
        if not kept:
            block, item = heap.at(index)
            heap.items[block][item] = heap.items[block][item][:4] + bytes(4)
            touched.add(block)
        if _write(image, bids, heap, touched, resized):
            gone |= {struct.unpack_from("<I", row)[0] for row in records} & chosen
        else:
            heap.items = before
    return gone


def _write(
    image: Image, bids: list[int], heap: Pieces, touched: Iterable[int], resized: Sizes
) -> bool:
    """Write changed blocks; all of them or none."""
    saved = bytes(image.bytes)
    try:
        for number in touched:
            data = heap.block(number)
            resized[bids[number]] = image.rewrite_block(bids[number], data)
            heap.blocks[number] = data
    except NoRoom:
        image.bytes[:] = saved
        return False
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
                _write(image, bids, heap, {number}, resized)
