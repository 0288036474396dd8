"""Where stores begin in a larger image: a disk, a memory dump, files stuck together.

Pages of the allocation maps name their own place in their store ([MS-PST] 2.2.2.7.1: their
identifier is their offset), so each of them tells where its store begins, even when the beginning
itself is gone. A header tells it too.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mailforensics.pst.header import read_header
from mailforensics.pst.layout import LAYOUTS, MAGIC, Layout, PageType
from mailforensics.pst.sums import crc

__all__ = ["Start", "find_starts"]

_KINDS: Final = (PageType.ALLOCATION_MAP, PageType.PAGE_MAP, PageType.FREE_MAP)
_STRETCH: Final = 8 << 20
_MOST_HEADERS: Final = 10_000


@dataclass(frozen=True, slots=True)
class Start:
    """A place where a store begins.

    Attributes
    ----------
    offset
        In bytes from the begin of the image; negative when the store's own beginning is missing.
    layout
        How it is laid out.
    votes
        How many of its maps say so, and its header as one more.
    """

    offset: int
    layout: Layout
    votes: int


def find_starts(image: Any) -> list[Start]:
    """Find the stores in an image.

    Parameters
    ----------
    image : bytes-like
        A disk image, a dump, or any other file; slices of it must be ``bytes``.

    Returns
    -------
    list of Start
        The one with most votes first. Pieces of a store that was cut up and moved have a start
        each; those whose pages lie at a distance that no sector has are not found.
    """
    votes: Counter[tuple[int, str]] = Counter()
    for layout in LAYOUTS:
        votes.update((start, layout.name) for start in _by_maps(image, layout))
    votes.update(_by_headers(image))
    named = {layout.name: layout for layout in LAYOUTS}
    found = [Start(start, named[name], count) for (start, name), count in votes.items()]
    return sorted(found, key=lambda each: (-each.votes, each.offset, each.layout.name))


def _by_maps(image: Any, layout: Layout) -> list[int]:
    """Return the start that each sound map page tells; pages lie at multiples of a sector."""
    found = []
    size, page = len(image), layout.page_size
    for begin in range(0, size, _STRETCH):
        part = bytes(image[begin : begin + _STRETCH + page])
        for at in _likely(part, layout):
            if at >= _STRETCH:
                continue
            trailer = np.frombuffer(part, layout.page, 1, at)[0]
            if crc(part[at : at + layout.page_body]) == trailer["crc"]:
                found.append(begin + at - int(trailer["bid"]))
    return found


def _likely(part: bytes, layout: Layout) -> list[int]:
    """Return where pages may begin whose trailers call them maps; maps have no signature."""
    count = (len(part) - layout.page_size) // 512 + 1
    if count < 1:
        return []
    fields: Any = layout.page.fields
    kind, name = fields["kind"][1], fields["bid"][1]
    data = np.frombuffer(part, np.uint8)
    places: npt.NDArray[np.int64] = np.arange(count, dtype=np.int64) * 512
    first, second = data[places + kind], data[places + kind + 1]
    likely = (first == second) & np.isin(first, np.array(_KINDS, np.uint8))
    width = layout.bid.itemsize
    chosen = places[likely].tolist()
    bids = [int.from_bytes(part[at + name : at + name + width], "little") for at in chosen]
    pairs = zip(chosen, bids, strict=True)
    return [at for at, bid in pairs if bid >= layout.amap_first and bid % layout.amap_unit == 0]


def _by_headers(image: Any) -> list[tuple[int, str]]:
    """Return the start that each header with a right checksum tells."""
    found: list[tuple[int, str]] = []
    at = image.find(MAGIC)
    while at >= 0 and len(found) < _MOST_HEADERS:
        header, _ = read_header(image, at)
        if header is not None and header.crc_ok:
            found.append((at, header.layout.name))
        at = image.find(MAGIC, at + 1)
    return found
