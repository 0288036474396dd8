"""Blocks and heaps put together by hand, for what no writer writes."""

from __future__ import annotations

import struct

from mailforensics.pst.blocks import BlockReader, BlockRef
from mailforensics.pst.crypt import CryptMethod, encode
from mailforensics.pst.layout import ANSI, UNICODE, UNICODE_4K, Layout
from mailforensics.pst.sums import crc, signature

TRAILERS = {
    "unicode": lambda size, mark, check, bid, inflated: struct.pack(
        "<HHIQ", size, mark, check, bid
    ),
    "ansi": lambda size, mark, check, bid, inflated: struct.pack("<HHII", size, mark, bid, check),
    "unicode_4k": lambda size, mark, check, bid, inflated: struct.pack(
        "<HHIQHHI", size, mark, check, bid, 0, inflated, 0
    ),
}
LAYOUTS = (UNICODE, ANSI, UNICODE_4K)


class Image:
    """Blocks in a file that is nothing else."""

    def __init__(self, layout: Layout, crypt: int = CryptMethod.NONE, start: int = 0) -> None:
        self.layout, self.crypt, self.start = layout, crypt, start
        self.data = bytearray(start + layout.block_align)
        self.places: dict[int, BlockRef] = {}

    def put(self, bid: int, data: bytes, inflated: int | None = None) -> int:
        stored = data if bid & 2 else encode(data, self.crypt, bid)
        offset = len(self.data) - self.start
        size = len(stored) if inflated is None else inflated
        tail = TRAILERS[self.layout.name](
            len(stored), signature(offset, bid), crc(stored), bid, size
        )
        span = self.layout.span(len(stored))
        self.data += stored.ljust(span - len(tail), b"\0") + tail
        self.places[bid] = BlockRef(bid, offset, len(stored), size)
        return bid

    def tree(self, bid: int, level: int, children: list[int], total: int = 0) -> int:
        """Put a block that joins others: XBLOCK, XXBLOCK."""
        ids = b"".join(child.to_bytes(self.layout.bid.itemsize, "little") for child in children)
        return self.put(bid, struct.pack("<BBHI", 1, level, len(children), total) + ids)

    def subnodes(self, bid: int, level: int, rows: list[tuple[int, ...]]) -> int:
        """Put a block that lists sub-nodes: SLBLOCK, SIBLOCK."""
        sign = "Q" if self.layout.wide else "I"
        head = struct.pack("<BBH", 2, level, len(rows)).ljust(self.layout.subnode_start, b"\0")
        return self.put(
            bid, head + b"".join(struct.pack(f"<{len(row)}{sign}", *row) for row in rows)
        )

    @property
    def reader(self) -> BlockReader:
        return BlockReader(bytes(self.data), self.layout, self.crypt, self.places.get, self.start)


def heap_block(
    items: list[bytes], *, client: int = 0xBC, root: int = 0x20, first: bool = True
) -> bytes:
    """Return a block of a heap that holds items."""
    head = 12 if first else 2
    place = head + sum(map(len, items))
    ends = [head]
    for item in items:
        ends.append(ends[-1] + len(item))
    start = struct.pack("<HBBI4x", place, 0xEC, client, root) if first else struct.pack("<H", place)
    page_map = struct.pack(f"<HH{len(ends)}H", len(items), 0, *ends)
    return start + b"".join(items) + page_map


def properties_block(records: list[tuple[int, int, int]], *items: bytes) -> bytes:
    """Return a heap of properties: (identifier, type, value); the HIDs of items begin at 0x60."""
    head = struct.pack("<BBBBI", 0xB5, 2, 6, 0, 0x40)
    rows = b"".join(struct.pack("<HHI", *record) for record in sorted(records))
    return heap_block([head, rows, *items])
