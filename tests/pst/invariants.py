"""What must hold in any sound store, checked without the readers of the project."""

from __future__ import annotations

import struct
import zlib
from collections import Counter
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from mailforensics.pst.layout import Layout, layout_of

TREES = (0x80, 0x81)


def crc(data: bytes) -> int:
    return zlib.crc32(data, 0xFFFFFFFF) ^ 0xFFFFFFFF


def signature(offset: int, bid: int) -> int:
    mixed = (offset ^ bid) & 0xFFFFFFFF
    return (mixed >> 16 ^ mixed) & 0xFFFF


class Checked:
    """A wide (Unicode) store whose structures are walked and checked one by one."""

    def __init__(self, path: Path) -> None:
        self.data = path.read_bytes()
        layout = layout_of(struct.unpack_from("<H", self.data, 10)[0])
        assert layout is not None
        assert layout.wide
        self.layout: Layout = layout
        fields = struct.unpack_from("<QQQQQQQQB", self.data, 184)
        self.size, self.amap_last, self.amap_free, self.pmap_free, *roots, self.valid = fields
        self.node_root, self.block_root = (roots[0], roots[1]), (roots[2], roots[3])
        self.crypt = self.data[513]
        self.used: list[tuple[int, int]] = []
        self.page_bids: list[int] = []
        self.nodes = list(self._leaves(self.node_root, 0x81))
        self.blocks = {row[0]: row for row in self._leaves(self.block_root, 0x80)}

    def check(self) -> None:
        self._header()
        self._blocks()
        self._maps()
        self._references()

    # --- trees ----------------------------------------------------------------------------------

    def _leaves(self, root: tuple[int, int], kind: int) -> Iterator[tuple[int, ...]]:
        bid, offset = root
        layout = self.layout
        page = self.data[offset : offset + layout.page_size]
        body = page[: layout.page_body]
        found, again, mark, check, own = struct.unpack_from("<BBHIQ", page, layout.page_body)
        assert (found, again, own) == (kind, kind, bid)
        assert mark == signature(offset, bid)
        assert check == crc(body)
        assert offset % layout.page_size == 0
        form = "<HHBB" if layout.packs_blocks else "<BBBB"
        count, most, size, level = struct.unpack_from(form, page, layout.entry_area)
        assert count <= most == layout.entry_area // size
        self.used.append((offset, layout.page_size))
        self.page_bids.append(bid)
        shape = "<QQQ" if level else self._entry(kind)
        rows = [struct.unpack_from(shape, page, at * size) for at in range(count)]
        keys = [row[0] for row in rows]
        assert keys == sorted(set(keys))
        for row in rows:
            if level:
                below = list(self._leaves((row[1], row[2]), kind))
                assert below[0][0] == row[0]
                yield from below
            else:
                yield row

    def _entry(self, kind: int) -> str:
        if kind == 0x81:
            return "<QQQI"
        return "<QQHHH" if self.layout.packs_blocks else "<QQHH"

    # --- the parts ------------------------------------------------------------------------------

    def _header(self) -> None:
        data = self.data
        assert data[:4] == b"!BDN"
        assert struct.unpack_from("<I", data, 4)[0] == crc(data[8:479])
        assert struct.unpack_from("<I", data, 524)[0] == crc(data[8:524])
        assert self.size == len(data)
        assert self.valid == 2
        assert data[512] == 0x80
        assert struct.unpack_from("<Q", data, 516)[0] > max(self.blocks)
        assert struct.unpack_from("<Q", data, 32)[0] > max(self.page_bids)
        assert len(set(self.page_bids)) == len(self.page_bids)
        counters = struct.unpack_from("<32I", data, 44)
        assert all(counters[nid & 0x1F] > nid >> 5 for nid, *_ in self.nodes if nid >> 5 >= 0x400)

    def _blocks(self) -> None:
        for bid, offset, stored, *_ in self.blocks.values():
            span = self.layout.span(stored)
            end = offset + span
            size, mark, check, own = struct.unpack_from(
                "<HHIQ", self.data, end - self.layout.block_trailer_size
            )
            assert offset % self.layout.block_align == 0
            assert (size, own) == (stored, bid)
            assert mark == signature(offset, bid)
            assert check == crc(self.data[offset : offset + stored])
            self.used.append((offset, span))

    def _maps(self) -> None:
        layout = self.layout
        sections = (self.amap_last - layout.amap_first) // layout.amap_span + 1
        assert self.size == layout.amap_first + sections * layout.amap_span
        free = 0
        told = []
        for section in range(sections):
            offset = layout.amap_first + section * layout.amap_span
            for at in range(
                offset, offset + self._map_pages(section) * layout.page_size, layout.page_size
            ):
                self._map_page(at, first=at == offset)
                self.used.append((at, layout.page_size))
            raw = np.frombuffer(self.data, np.uint8, layout.amap_bytes, offset)
            bits = np.unpackbits(raw)
            told.append(bits)
            free += int((bits == 0).sum()) * layout.amap_unit
        assert free == self.amap_free
        real = np.zeros(sections * layout.amap_span // layout.amap_unit, np.uint8)
        for offset, size in self.used:
            start = (offset - layout.amap_first) // layout.amap_unit
            stop = -(-(offset - layout.amap_first + size) // layout.amap_unit)
            assert not real[start:stop].any(), f"two things lie at {offset:#x}"
            real[start:stop] = 1
        assert np.array_equal(real, np.concatenate(told))

    def _map_pages(self, section: int) -> int:
        if self.layout.packs_blocks:
            return 1
        fmap = section >= 128 and (section - 128) % 496 == 0
        fpmap = section >= 8192 and (section - 8192) % 31744 == 0
        return 1 + (section % 8 == 0) + fmap + fpmap

    def _map_page(self, offset: int, *, first: bool) -> None:
        layout = self.layout
        page = self.data[offset : offset + layout.page_size]
        kind, again, mark, check, bid = struct.unpack_from("<BBHIQ", page, layout.page_body)
        assert kind == again
        assert (kind == 0x84) == first
        assert kind in {0x82, 0x83, 0x84, 0x85}
        assert (mark, bid, check) == (0, offset, crc(page[: layout.page_body]))

    def _references(self) -> None:
        """Every block is referred to as often as its entry says, and each reference has a block."""
        count: Counter[int] = Counter()
        for _, data, sub, *_ in self.nodes:
            count.update(filter(None, (data, sub)))
        for bid in self.blocks:
            if bid & 2:
                count.update(self._inside(bid))
        assert set(count) == set(self.blocks)
        where = 4 if self.layout.packs_blocks else 3
        assert all(row[where] == count[bid] + 1 for bid, row in self.blocks.items())

    def _inside(self, bid: int) -> list[int]:
        _, offset, stored, *_ = self.blocks[bid]
        block = self.data[offset : offset + stored]
        if self.layout.packs_blocks and self.blocks[bid][3] != stored:
            block = zlib.decompress(block)
        kind, level, count = struct.unpack_from("<BBH", block)
        if kind == 1:
            return list(struct.unpack_from(f"<{count}Q", block, 8))
        if level == 1:
            return [struct.unpack_from("<QQ", block, 8 + 16 * at)[1] for at in range(count)]
        rows = (struct.unpack_from("<QQQ", block, 8 + 24 * at) for at in range(count))
        return [bid for _, data, sub in rows for bid in (data, sub) if bid]


def check_store(path: Path) -> None:
    """Raise AssertionError when something in a store does not hold."""
    Checked(path).check()
