"""Where things lie in a store: live blocks, free space, its own index, and recovered messages."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
import numpy.typing as npt

from mailforensics.pst.amap import AllocationMaps
from mailforensics.pst.layout import Layout
from mailforensics.pst.recovered import Recovered, Relation
from mailforensics.pst.recovery import Recovery
from mailforensics.pst.store import PstStore

__all__ = ["KINDS", "RANGE", "FileMap", "file_map"]

KINDS: Final = ("live", "free", "index", "recovered")
"""Names of the kinds of ranges, by their number.

``live``: blocks that the block index lists. ``free``: what the allocation maps call free and
nothing live lies in. ``index``: the header, the pages of both trees and the allocation maps.
``recovered``: blocks of recovered messages, wherever they lie; they may overlap the others.
"""

RANGE: Final = np.dtype(
    [("start", "<i8"), ("stop", "<i8"), ("kind", "u1"), ("message", "<i4"), ("sure", "?")]
)
"""Bytes from the start of the store, ``[start, stop)``; a number into :data:`KINDS`; the number of
the recovered message, -1 for other kinds; whether that message was deleted for sure."""

_LIVE: Final = 0
_FREE: Final = 1
_INDEX: Final = 2
_RECOVERED: Final = 3
_AT_ONCE: Final = 1_024

Spans = npt.NDArray[np.int64]
Ranges = npt.NDArray[np.void]


@dataclass(frozen=True, slots=True)
class FileMap:
    """What :func:`file_map` gives.

    Attributes
    ----------
    size
        Bytes of the store.
    ranges : ndarray of RANGE
        Ranges of one kind do not overlap, but for recovered ones; sorted by kind, then start.
    refs
        For each recovered message the name that :attr:`.Recovered.ref` gives it.
    """

    size: int
    ranges: Ranges
    refs: list[str]


def file_map(store: PstStore, *, progress: Callable[[int], None] | None = None) -> FileMap:
    """Say of a store what lies where.

    Where neither the trees nor an intact allocation map tell of some bytes, no range covers them.

    Parameters
    ----------
    store : PstStore
        The open store.
    progress : callable, optional
        Told how many more bytes were looked at, now and then.
    """
    size = len(store.image) - store.start
    live, index = _live(store), _index(store)
    free = _without(_joined([*_free(store)]), _joined([live, index]))
    found = [_rows(live, _LIVE), _rows(free, _FREE), _rows(index, _INDEX)]
    refs: list[str] = []
    for message in Recovery(store, progress=progress).items(unlisted=False):
        if _counts(message):
            found.append(_recovered(message, len(refs), store.layout))
            refs.append(message.ref)
    ranges = np.concatenate(found)
    ranges["stop"] = np.minimum(ranges["stop"], size)
    kept = ranges[ranges["start"] < ranges["stop"]]
    return FileMap(size, kept[np.lexsort((kept["start"], kept["kind"]))], refs)


def _counts(found: Recovered) -> bool:
    """Whether it is a message that is gone, and some of its bytes are there."""
    kin = found.relation in {Relation.COPY, Relation.EARLIER_VERSION}
    return bool(found.blocks) and not kin and not found.is_hidden


def _recovered(found: Recovered, number: int, layout: Layout) -> Ranges:
    starts = np.array([offset for offset, _ in found.blocks], np.int64)
    sizes = np.array([stored for _, stored in found.blocks], np.int64)
    rows = _rows(_union(np.stack([starts, starts + _spans(sizes, layout)], axis=1)), _RECOVERED)
    rows["message"] = number
    rows["sure"] = found.relation is Relation.DELETED
    return rows


def _rows(spans: Spans, kind: int) -> Ranges:
    rows: Ranges = np.zeros(len(spans), RANGE)
    rows["start"], rows["stop"] = spans[:, 0], spans[:, 1]
    rows["kind"], rows["message"] = kind, -1
    return rows


def _live(store: PstStore) -> Spans:
    """Return where the blocks lie that the block tree lists."""
    blocks = store.blocks
    size = len(store.image) - store.start
    kept = (blocks.offset >= 0) & (blocks.offset < size)
    starts = blocks.offset[kept]
    ends = starts + _spans(blocks.stored[kept].astype(np.int64), store.layout)
    return _union(np.stack([starts, ends], axis=1))


def _index(store: PstStore) -> Spans:
    """Return where the header, the pages of the trees and the allocation maps lie."""
    layout = store.layout
    size = len(store.image) - store.start
    maps = np.arange(layout.amap_first, size, layout.amap_span, dtype=np.int64)
    trees = np.array([*store.node_walk.pages, *store.block_walk.pages], np.int64)
    pages = np.concatenate([maps, trees])
    spans = np.stack([pages, pages + layout.page_size], axis=1)
    return _joined([np.array([[0, layout.amap_first]], np.int64), spans])


def _spans(sizes: Spans, layout: Layout) -> Spans:
    """Return how many bytes blocks of these sizes take, trailer and padding included."""
    align = layout.block_align
    return -(-(sizes + layout.block_trailer_size) // align) * align


# --- what the allocation maps call free -----------------------------------------------------------


def _free(store: PstStore) -> Iterator[Spans]:
    """Yield the stretches that the allocation maps call free; a lost map calls nothing free."""
    layout, size = store.layout, len(store.image) - store.start
    maps = AllocationMaps(store.image, layout, store.start)
    lost = np.ones(layout.amap_bytes * 8, np.uint8)
    count = max(0, (size - layout.page_size - layout.amap_first) // layout.amap_span + 1)
    for first in range(0, count, _AT_ONCE):
        numbers = range(first, min(first + _AT_ONCE, count))
        known = [maps.bits(number) for number in numbers]
        taken = np.concatenate([lost if bits is None else bits for bits in known])
        edges = np.flatnonzero(np.diff(np.concatenate([[1], taken, [1]]).astype(np.int8)))
        places = layout.amap_first + first * layout.amap_span + edges * layout.amap_unit
        yield places.reshape(-1, 2).astype(np.int64)


# --- spans ----------------------------------------------------------------------------------------


def _joined(parts: list[Spans]) -> Spans:
    return _union(np.concatenate([np.empty((0, 2), np.int64), *parts]))


def _union(spans: Spans) -> Spans:
    """Merge spans that touch or overlap; sorted by start."""
    if not len(spans):
        return spans
    ordered = spans[np.argsort(spans[:, 0], kind="stable")]
    reach = np.maximum.accumulate(ordered[:, 1])
    fresh = np.concatenate([[True], ordered[1:, 0] > reach[:-1]])
    last = np.concatenate([np.flatnonzero(fresh)[1:] - 1, [len(ordered) - 1]])
    return np.stack([ordered[fresh, 0], reach[last]], axis=1)


def _without(spans: Spans, others: Spans) -> Spans:
    """Return the parts of some spans that no other span covers; both merged and sorted."""
    places = np.concatenate([spans.ravel(), others.ravel()])
    signs = np.concatenate([np.tile([1, -1], len(spans)), np.zeros(2 * len(others), np.int64)])
    covers = np.concatenate([np.zeros(2 * len(spans), np.int64), np.tile([1, -1], len(others))])
    order = np.argsort(places, kind="stable")
    places = places[order]
    inside = (np.cumsum(signs[order]) > 0) & (np.cumsum(covers[order]) <= 0)
    starts, stops = places[:-1], places[1:]
    kept = inside[:-1] & (starts < stops)
    return _union(np.stack([starts[kept], stops[kept]], axis=1))
