"""Room in the file: sections with their allocation maps, [MS-PST] 2.2.2.7.2 to 2.2.2.7.6.

A file is written front to back, a section (what one allocation map speaks for) at a time; so no
more than one section is in memory, however large the file grows.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import BinaryIO, Final

import numpy as np

from mailforensics.pst.layout import Layout, PageType
from mailforensics.pst.sums import crc, signature

__all__ = ["Space", "page_bytes"]

_SIGNED: Final = frozenset({PageType.BLOCK_TREE, PageType.NODE_TREE, PageType.DENSITY_LIST})
_FULL: Final = b"\xff"

_PAGE_MAP_EVERY: Final = 8
"""Sections; a page map covers 8 allocation maps, [MS-PST] 2.2.2.7.3."""

_FREE_MAP_FIRST: Final = 128
_FREE_MAP_EVERY: Final = 496
"""Sections; the first 128 are covered by rgbFM of the header, [MS-PST] 2.2.2.7.5."""

_FREE_PAGE_MAP_FIRST: Final = 128 * 8 * 8
_FREE_PAGE_MAP_EVERY: Final = 496 * 8 * 8
"""Sections; the first 8192 are covered by rgbFP of the header, [MS-PST] 2.2.2.7.6."""


def page_bytes(layout: Layout, kind: PageType, body: bytes, offset: int, bid: int) -> bytes:
    """Return a whole page: its body, padded, and its trailer (PAGETRAILER, 2.2.2.7.1).

    Parameters
    ----------
    layout : Layout
        How the file is laid out.
    kind : PageType
        Maps carry no signature; pages of trees and the density list do.
    body : bytes
        At most ``layout.page_body`` bytes.
    offset, bid : int
        Where it will lie, and its identifier.
    """
    body = body.ljust(layout.page_body, b"\0")
    check = signature(offset, bid) if kind in _SIGNED else 0
    trailer = struct.pack("<BBHIQ", kind, kind, check, crc(body), bid)
    return body + trailer.ljust(layout.page_trailer_size, b"\0")


def _maps(section: int) -> Iterator[PageType]:
    """Yield the maps that stand at the start of a section of a file with 512-byte pages."""
    yield PageType.ALLOCATION_MAP
    if section % _PAGE_MAP_EVERY == 0:
        yield PageType.PAGE_MAP
    if section >= _FREE_MAP_FIRST and (section - _FREE_MAP_FIRST) % _FREE_MAP_EVERY == 0:
        yield PageType.FREE_MAP
    if (
        section >= _FREE_PAGE_MAP_FIRST
        and (section - _FREE_PAGE_MAP_FIRST) % _FREE_PAGE_MAP_EVERY == 0
    ):
        yield PageType.FREE_PAGE_MAP


class Space:
    """Gives out room in the file and writes what is put there.

    Parameters
    ----------
    stream : file
        Binary, seekable, for writing.
    layout : Layout
        Unicode, with or without 4 KiB pages.
    """

    def __init__(self, stream: BinaryIO, layout: Layout) -> None:
        self._stream = stream
        self._layout = layout
        self._section = 0
        self._free = 0
        self._open()

    @property
    def amap_last(self) -> int:
        """Where the allocation map of the section in work lies."""
        return self._layout.amap_first + self._section * self._layout.amap_span

    @property
    def end(self) -> int:
        """Where the section in work ends; the file ends there when nothing more comes."""
        return self.amap_last + self._layout.amap_span

    @property
    def free(self) -> int:
        """Free bytes of all sections that are done, cbAMapFree of ROOT, [MS-PST] 2.2.2.5."""
        return self._free

    def place(self, size: int, align: int) -> int:
        """Take room and return its offset; at most a section less its maps."""
        offset = -(-(self.amap_last + self._used) // align) * align
        if offset + size > self.end:
            self._next()
            offset = -(-(self.amap_last + self._used) // align) * align
        self._mark(offset, size)
        return offset

    def put(self, offset: int, data: bytes) -> None:
        """Write what belongs to the room that was taken last."""
        start = offset - self.amap_last
        self._buffer[start : start + len(data)] = data

    def page(self, kind: PageType, body: bytes, bid: int) -> int:
        """Place and write a page, and return its offset."""
        offset = self.place(self._layout.page_size, self._layout.page_size)
        self.put(offset, page_bytes(self._layout, kind, body, offset, bid))
        return offset

    def leave_free(self, size: int) -> None:
        """Go on at least ``size`` bytes further; what lies between stays free, and sparse."""
        target = self.amap_last + self._used + size
        while self.end <= target:
            self._next()

    def finish(self) -> None:
        """Write the section in work; the file then ends at :attr:`end`."""
        self._flush()
        self._stream.truncate(self.end)

    def _open(self) -> None:
        layout = self._layout
        self._buffer = bytearray(layout.amap_span)
        self._taken = np.zeros(layout.amap_span // layout.amap_unit, np.bool_)
        self._used = 0
        kinds = [PageType.ALLOCATION_MAP] if layout.packs_blocks else list(_maps(self._section))
        self._mark(self.amap_last, len(kinds) * layout.page_size)
        for number, kind in enumerate(kinds[1:], start=1):
            offset = self.amap_last + number * layout.page_size
            self.put(offset, page_bytes(layout, kind, _FULL * layout.page_body, offset, offset))

    def _mark(self, offset: int, size: int) -> None:
        start, unit = offset - self.amap_last, self._layout.amap_unit
        self._taken[start // unit : -(-(start + size) // unit)] = True
        self._used = start + size

    def _next(self) -> None:
        self._flush()
        self._section += 1
        self._open()

    def _flush(self) -> None:
        layout, offset = self._layout, self.amap_last
        bits = np.packbits(self._taken).tobytes()
        page = page_bytes(layout, PageType.ALLOCATION_MAP, bits, offset, offset)
        self._buffer[: len(page)] = page
        self._free += int(np.count_nonzero(~self._taken)) * layout.amap_unit
        self._stream.seek(offset)
        self._stream.write(memoryview(self._buffer)[: self._used])
