"""An Outlook data file in memory whose structures can be changed as Outlook changes them."""

from __future__ import annotations

import struct
import zlib
from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np
import numpy.typing as npt

from mailforensics.pst.crypt import encode
from mailforensics.pst.header import PageRef
from mailforensics.pst.layout import Layout, PageType
from mailforensics.pst.pages import TreePage, entries, read_page
from mailforensics.pst.store import PstStore
from mailforensics.pst.sums import crc, signature

Change = Callable[[list[bytes]], list[bytes]]


class NoRoom(Exception):
    """A change does not fit where it has to go."""


class Image:
    """The bytes of a store, and the ways to change them with all sums right."""

    def __init__(self, path: Path) -> None:
        self.before = path.read_bytes()
        self.bytes = bytearray(self.before)
        self.store = PstStore.from_image(self.before, path.name)
        self.layout: Layout = self.store.layout
        blocks = self.store.blocks
        self.references = dict(zip(blocks.bid.tolist(), blocks.references.tolist(), strict=True))
        self.freed: list[int] = []
        at = 32 if self.layout.wide else 28
        self.next_page: int = struct.unpack_from(self._word, self.bytes, at)[0]

    @property
    def _word(self) -> str:
        return "<Q" if self.layout.wide else "<I"

    # --- allocation maps ------------------------------------------------------------------------

    def mark(self, offset: int, size: int, used: bool) -> None:
        """Set or clear the bits of a stretch, [MS-PST] 2.2.2.7.2."""
        layout = self.layout
        section, start = divmod(offset - layout.amap_first, layout.amap_span)
        bits = self._bits(section)
        bits[start // layout.amap_unit : -(-(start + size) // layout.amap_unit)] = used
        self._set_bits(section, bits)

    def used(self) -> Iterator[tuple[int, npt.NDArray[np.bool_]]]:
        """Yield the place of each map and its bits."""
        layout = self.layout
        last = (self.store.header.amap_last - layout.amap_first) // layout.amap_span
        for section in range(last + 1):
            yield layout.amap_first + section * layout.amap_span, self._bits(section)

    def _place(self, section: int) -> int:
        """Return where the bits of a map begin; in ANSI files four bytes lie before them."""
        layout = self.layout
        page = layout.amap_first + section * layout.amap_span
        return page + layout.page_body - layout.amap_bytes

    def _bits(self, section: int) -> npt.NDArray[np.bool_]:
        raw = np.frombuffer(self.bytes, np.uint8, self.layout.amap_bytes, self._place(section))
        return np.unpackbits(raw).astype(np.bool_)

    def _set_bits(self, section: int, bits: npt.NDArray[np.bool_]) -> None:
        layout, place = self.layout, self._place(section)
        self.bytes[place : place + layout.amap_bytes] = np.packbits(bits).tobytes()
        page = layout.amap_first + section * layout.amap_span
        self._seal(page, PageType.ALLOCATION_MAP, page)

    def take_page(self) -> int:
        """Find a free page, mark it as used and return its place."""
        layout = self.layout
        units = layout.page_size // layout.amap_unit
        for first, bits in self.used():
            free = np.flatnonzero(~bits)
            starts = free[(first + free * layout.amap_unit) % layout.page_size == 0]
            for start in starts.tolist():
                if start + units <= len(bits) and not bits[start : start + units].any():
                    offset: int = first + start * layout.amap_unit
                    self.mark(offset, layout.page_size, used=True)
                    return offset
        raise NoRoom("no free page")

    # --- pages ----------------------------------------------------------------------------------

    def _seal(self, offset: int, kind: int, bid: int) -> None:
        """Write the trailer of a page for what is in it now."""
        layout = self.layout
        body = bytes(self.bytes[offset : offset + layout.page_body])
        page = np.frombuffer(self.bytes, layout.page, 1, offset)
        signed = kind in {PageType.BLOCK_TREE, PageType.NODE_TREE}
        page["kind"], page["kind_again"] = kind, kind
        page["signature"] = signature(offset, bid) if signed else 0
        page["crc"], page["bid"] = crc(body), bid

    def rewrite_tree(self, root: PageRef, change: Change, *, moving: bool) -> PageRef:
        """Change the leaf entries of a tree and return its root.

        ``moving`` writes each changed page to a new place under a new identifier and frees the
        old one, which stays as it is: what Outlook does. Otherwise pages are changed in place.
        """
        return self._rewrite(root, change, moving) or root

    def _rewrite(
        self, ref: PageRef, change: Change, moving: bool, top: bool = True
    ) -> PageRef | None:
        page = read_page(self.bytes, ref.offset, self.layout)
        size = page.entry_size
        rows = [page.body[at * size : (at + 1) * size] for at in range(page.count)]
        new = self._branches(page, change, moving) if page.level else change(rows)
        if new == rows:
            return ref
        if moving or (not new and not top):
            self.freed.append(ref.offset)
        if not new and not top:
            if not moving:
                end = ref.offset + self.layout.page_size
                self.bytes[ref.offset : end] = bytes(self.layout.page_size)
            return None
        where = PageRef(self._new_page(), self.take_page()) if moving else ref
        self._write_page(page, new, where)
        return where

    def _branches(self, page: TreePage, change: Change, moving: bool) -> list[bytes]:
        word = 8 if self.layout.wide else 4
        kept = []
        for entry in entries(page, self.layout):
            child = PageRef(int(entry["bid"]), int(entry["offset"]))
            new = self._rewrite(child, change, moving, top=False)
            if new is not None:
                places = new.bid.to_bytes(word, "little") + new.offset.to_bytes(word, "little")
                kept.append(bytes(self.bytes[new.offset : new.offset + word]) + places)
        return kept

    def free_pages(self) -> None:
        """Clear the bits of the pages that moved; what they say stays."""
        for offset in self.freed:
            self.mark(offset, self.layout.page_size, used=False)
        self.freed = []

    def _new_page(self) -> int:
        self.next_page += 1
        return self.next_page - 1

    def _write_page(self, old: TreePage, rows: list[bytes], where: PageRef) -> None:
        layout = self.layout
        counts = np.frombuffer(old.body, layout.tree_counts, 1, layout.entry_area).copy()
        counts["count"] = len(rows)
        tail = counts.tobytes() + old.body[layout.entry_area + layout.tree_counts.itemsize :]
        body = b"".join(rows).ljust(layout.entry_area, b"\0") + tail
        self.bytes[where.offset : where.offset + layout.page_size] = bytes(layout.page_size)
        self.bytes[where.offset : where.offset + layout.page_body] = body
        self._seal(where.offset, old.kind, where.bid)

    # --- blocks ---------------------------------------------------------------------------------

    def rewrite_block(self, bid: int, data: bytes) -> tuple[int, int]:
        """Change what a block says, at its place; return its new sizes, stored and inflated.

        Raises
        ------
        NoRoom
            It would take more room than it has.
        """
        layout, place = self.layout, self.store.blocks.find(bid)
        assert place is not None
        stored = data if bid & 2 else encode(data, self.store.header.crypt, bid)
        if place.stored != place.inflated:
            stored = zlib.compress(stored)
        old, span = layout.span(place.stored), layout.span(len(stored))
        if span > old:
            raise NoRoom(f"block {bid:#x}")
        self.mark(place.offset + span, old - span, used=False)
        self.bytes[place.offset : place.offset + old] = stored.ljust(old, b"\0")
        end = place.offset + span
        tail = np.frombuffer(self.bytes, layout.block_tail, 1, end - layout.block_align)
        tail["size"], tail["crc"], tail["bid"] = len(stored), crc(stored), bid
        tail["signature"] = signature(place.offset, bid)
        if layout.packs_blocks:
            tail["inflated"] = len(data)
        return len(stored), len(data)

    # --- header ---------------------------------------------------------------------------------

    def write_header(self, nodes: PageRef, blocks: PageRef) -> None:
        """Write the roots, the free room and the sums into the header."""
        layout = self.layout
        head = np.frombuffer(self.bytes, layout.header, 1)
        head["node_bid"], head["node_offset"] = nodes.bid, nodes.offset
        head["block_bid"], head["block_offset"] = blocks.bid, blocks.offset
        head["amap_free"] = sum(
            int(np.count_nonzero(~bits)) * layout.amap_unit for _, bits in self.used()
        )
        struct.pack_into(self._word, self.bytes, 32 if layout.wide else 28, self.next_page)
        struct.pack_into("<I", self.bytes, 4, crc(bytes(self.bytes[8:479])))
        if layout.wide:
            struct.pack_into("<I", self.bytes, 524, crc(bytes(self.bytes[8:524])))
