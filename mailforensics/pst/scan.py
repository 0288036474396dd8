"""One pass over the bytes of a file: every index page and every block, live or left over.

Pages and blocks end with a trailer at a multiple of the page size or of the block alignment. Its
signature depends on the place ([MS-PST] 5.5), so it is tested for a whole stretch at once; only
what passes has its CRC ([MS-PST] 5.3) computed.
"""

from __future__ import annotations

import zlib
from collections.abc import Callable
from dataclasses import dataclass
from enum import IntEnum
from functools import cache
from typing import Any, Final, TypeAlias

import numpy as np
import numpy.typing as npt

from mailforensics.pst.layout import Layout
from mailforensics.pst.sums import signatures

__all__ = ["BLOCK", "PAGE", "BlockState", "Records", "Scan", "scan", "sound_spans", "within"]

Records: TypeAlias = npt.NDArray[np.void]

PAGE: Final = np.dtype(
    [
        ("offset", "<i8"),
        ("bid", "<u8"),
        ("kind", "u1"),
        ("level", "u1"),
        ("count", "<u2"),
        ("entry_size", "u1"),
        ("intact", "?"),
    ]
)
"""An index page: bytes from the start of the store, its identifier, its type, what it says of its
entries, and whether its CRC agrees."""

BLOCK: Final = np.dtype(
    [
        ("offset", "<i8"),
        ("bid", "<u8"),
        ("crc", "<u4"),
        ("stored", "<u2"),
        ("inflated", "<u2"),
        ("state", "u1"),
    ]
)
"""A block in 25 bytes: bytes from the start of the store, its identifier with the lowest bit
cleared, the CRC that its trailer gives, bytes stored and unpacked, and a :class:`BlockState`."""

_BTREE_KINDS: Final = np.array([0x8080, 0x8181], np.uint16)
_STRETCH: Final = 4 << 20
_ONES: Final = 0xFFFF_FFFF
_CLEAR: Final = np.uint64(0xFFFF_FFFF_FFFF_FFFE)
_WIDE: Final = np.uint64(48)


class BlockState(IntEnum):
    """What is known of a scanned block."""

    DAMAGED = 0
    INTACT = 1
    LIVE = 2


@dataclass(frozen=True, slots=True)
class Scan:
    """What a pass found.

    Attributes
    ----------
    pages : ndarray of PAGE
        Index pages whose signature agrees, in the order of the file.
    blocks : ndarray of BLOCK
        Blocks whose signature agrees, sorted by identifier, then place. ``LIVE``: the index lists
        this very block; its CRC was not computed unless that was asked for.
    size : int
        Bytes that were looked at.
    """

    pages: Records
    blocks: Records
    size: int

    def of_state(self, state: BlockState) -> Records:
        """Return the blocks of one state, sorted by identifier."""
        found: Records = self.blocks[self.blocks["state"] == state]
        return found


def scan(
    data: Any,
    layout: Layout,
    *,
    start: int = 0,
    known: Records | None = None,
    verify: bool = False,
    progress: Callable[[int], None] | None = None,
) -> Scan:
    """Look at every place where a page or a block of the store could end.

    Parameters
    ----------
    data : bytes-like
        The file, or the image that the store lies in.
    layout : Layout
        How the store is laid out.
    start : int
        Where the store begins in ``data``; may be negative when its beginning is missing.
    known : ndarray with ``bid``, ``offset`` and ``stored``, optional
        The live blocks, sorted by ``bid``. They get the state ``LIVE`` without a look at their
        bytes.
    verify : bool
        Compute the CRC of the live blocks too; what fails becomes ``DAMAGED``.
    progress : callable, optional
        Told how many more bytes were looked at, now and then.

    Returns
    -------
    Scan
        Damaged blocks whose trailer lies inside a sound block are left out: they are chance.
    """
    looked = _Pass(memoryview(data), layout, start, known, verify)
    pages, blocks = [], []
    first = -(start // layout.page_size) * layout.page_size if start < 0 else 0
    size = len(looked.view) - start
    for begin in range(first, size, _STRETCH):
        end = min(begin + _STRETCH, size)
        pages.append(looked.pages(begin, end))
        blocks.append(looked.blocks(begin, end))
        if progress is not None:
            progress(end - begin)
    found = _joined(pages, PAGE)
    return Scan(found, _settled(_joined(blocks, BLOCK), found, layout), size - first)


def _joined(parts: list[Records], kind: np.dtype[np.void]) -> Records:
    found: Records = np.concatenate([np.empty(0, kind), *parts])
    return found


@dataclass(frozen=True, slots=True)
class _Pass:
    """One pass; places are in bytes from the start of the store."""

    view: memoryview
    layout: Layout
    start: int
    known: Records | None
    verify: bool

    def pages(self, begin: int, end: int) -> Records:
        """Find the index pages that lie in ``[begin, end)``."""
        layout = self.layout
        places = (end - begin) // layout.page_size
        pages = np.frombuffer(self.view, _page_view(layout), places, self.start + begin)
        at = np.flatnonzero(np.isin(pages["kinds"], _BTREE_KINDS))
        rows: Records = np.zeros(len(at), PAGE)
        rows["offset"] = begin + at * layout.page_size
        for name in ("bid", "kind", "level", "count", "entry_size"):
            rows[name] = pages[name][at]
        right = signatures(rows["offset"], rows["bid"]) == pages["signature"][at]
        rows, sums = rows[right], pages["crc"][at[right]]
        fits = rows["count"].astype(np.int64) * rows["entry_size"] <= layout.entry_area
        sizes = np.full(len(rows), layout.page_body)
        rows["intact"] = fits & self._sound(rows["offset"], sizes, sums)
        return rows

    def blocks(self, begin: int, end: int) -> Records:
        """Find the blocks that end in ``[begin, end)``."""
        layout = self.layout
        places = (end - begin) // layout.block_align
        tails = np.frombuffer(self.view, layout.block_tail, places, self.start + begin)
        size = tails["size"]
        at = np.flatnonzero((size - np.uint16(1)) < np.uint16(layout.largest_block))
        bid = tails["bid"][at]
        offset = begin + (at + 1) * layout.block_align - _spans(size[at], layout)
        right = signatures(offset, bid) == tails["signature"][at]
        right &= (bid > 1) & (offset >= max(0, -self.start))
        return self._rows(offset[right], tails[at[right]])

    def _rows(self, offset: npt.NDArray[np.int64], tails: Records) -> Records:
        rows: Records = np.empty(len(offset), BLOCK)
        rows["offset"], rows["stored"], rows["crc"] = offset, tails["size"], tails["crc"]
        rows["bid"] = tails["bid"].astype(np.uint64) & _CLEAR
        rows["inflated"] = tails["inflated" if self.layout.packs_blocks else "size"]
        live = _listed(rows, self.known)
        state = np.where(live, BlockState.LIVE, BlockState.INTACT).astype(np.uint8)
        unsure = np.arange(len(rows)) if self.verify else np.flatnonzero(~live)
        sound = self._sound(offset[unsure], rows["stored"][unsure], tails["crc"][unsure])
        state[unsure[~sound]] = BlockState.DAMAGED
        rows["state"] = state
        return rows

    def _sound(
        self,
        offset: npt.NDArray[np.int64],
        size: npt.NDArray[np.integer],
        expected: npt.NDArray[np.uint32],
    ) -> npt.NDArray[np.bool_]:
        """Say of each stretch of bytes whether its CRC agrees."""
        crc32, ones, view = zlib.crc32, _ONES, self.view
        begin = offset + self.start
        bounds = zip(begin.tolist(), (begin + size).tolist(), strict=True)
        sums = [crc32(view[first:last], ones) for first, last in bounds]
        agrees: npt.NDArray[np.bool_] = np.array(sums, np.uint32) ^ np.uint32(ones) == expected
        return agrees


@cache
def _page_view(layout: Layout) -> np.dtype[np.void]:
    """Return a page as both its trailer and the counts of its entries show it."""
    trailer, counts = _fields(layout.page), _fields(layout.tree_counts)
    shape: dict[str, tuple[int, Any]] = {name: (at, kind) for name, (kind, at) in trailer.items()}
    shape["kinds"] = (trailer["kind"][1], "<u2")
    shape |= {name: (layout.entry_area + at, kind) for name, (kind, at) in counts.items()}
    view: Any = {
        "names": list(shape),
        "offsets": [place for place, _ in shape.values()],
        "formats": [kind for _, kind in shape.values()],
        "itemsize": layout.page_size,
    }
    whole: np.dtype[np.void] = np.dtype(view)
    return whole


def _fields(kind: np.dtype[np.void]) -> dict[str, tuple[np.dtype[Any], int]]:
    return {name: (entry[0], entry[1]) for name, entry in (kind.fields or {}).items()}


def _listed(rows: Records, known: Records | None) -> npt.NDArray[np.bool_]:
    """Say of each block whether the index lists it at this place with this size."""
    if known is None or not len(known):
        return np.zeros(len(rows), np.bool_)
    bids = known["bid"]
    at = np.minimum(np.searchsorted(bids, rows["bid"].astype(bids.dtype)), len(known) - 1)
    entry = known[at]
    same: npt.NDArray[np.bool_] = entry["bid"] == rows["bid"]
    same &= (entry["offset"] == rows["offset"]) & (entry["stored"] == rows["stored"])
    return same


def _settled(blocks: Records, pages: Records, layout: Layout) -> Records:
    """Sort blocks, and drop damaged ones that are chance."""
    spans = sound_spans(blocks, pages, layout)
    end = blocks["offset"] + _span(blocks, layout)
    chance = blocks["state"] == BlockState.DAMAGED
    chance &= within(end - layout.block_trailer_size, spans) | (blocks["bid"] >> _WIDE != 0)
    kept = blocks[~chance]
    found: Records = kept[np.lexsort((kept["offset"], kept["bid"]))]
    return found


def sound_spans(blocks: Records, pages: Records, layout: Layout) -> npt.NDArray[np.int64]:
    """Return where sound blocks and pages lie.

    Returns
    -------
    ndarray, shape (n, 2), int64
        Begin and end of each, sorted by begin.
    """
    kept, sure = blocks[blocks["state"] != BlockState.DAMAGED], pages[pages["intact"]]
    begin = np.concatenate([kept["offset"], sure["offset"]])
    end = np.concatenate([kept["offset"] + _span(kept, layout), sure["offset"] + layout.page_size])
    order = np.argsort(begin, kind="stable")
    return np.stack([begin[order], end[order]], axis=1)


def _span(blocks: Records, layout: Layout) -> npt.NDArray[np.int64]:
    return _spans(blocks["stored"], layout)


def _spans(size: npt.NDArray[np.uint16], layout: Layout) -> npt.NDArray[np.int64]:
    """Return how many bytes blocks of these sizes take."""
    align = layout.block_align
    return (size.astype(np.int64) + (layout.block_trailer_size + align - 1)) // align * align


def within(places: npt.NDArray[np.int64], spans: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    """Say of each place whether it lies in one of the spans.

    Parameters
    ----------
    places : ndarray, shape (m,), int64
        Bytes from the start of the store.
    spans : ndarray, shape (n, 2), int64
        Begins and ends, sorted by begin.
    """
    if not len(spans):
        return np.zeros(len(places), np.bool_)
    reach = np.maximum.accumulate(spans[:, 1])
    at = np.searchsorted(spans[:, 0], places, side="right") - 1
    return (at >= 0) & (places < reach[np.maximum(at, 0)])
