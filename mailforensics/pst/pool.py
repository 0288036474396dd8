"""All blocks of a file, live and left over, found by their identifier."""

from __future__ import annotations

from bisect import bisect_left
from enum import IntEnum
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mailforensics.pst.blocks import BlockRef
from mailforensics.pst.layout import Layout
from mailforensics.pst.scan import BlockState, Records, Scan, sound_spans
from mailforensics.pst.trees import BlockTable

__all__ = ["BlockPool", "Standing", "known_blocks"]

_MOST_BIDS_AHEAD: Final = 4096


class Standing(IntEnum):
    """How sure it is that the bytes of a block are those of that block."""

    LIVE = 0
    INTACT = 1
    AMBIGUOUS = 2
    DAMAGED = 3
    UNVERIFIED = 4


class BlockPool:
    """Locates blocks by the best witness that there is.

    The live tree comes first, then what a pass over the file found, then old index pages where
    nothing newer lies.

    Parameters
    ----------
    live : BlockTable
        What the live tree lists.
    scan : Scan
        What a pass over the file found.
    old : BlockTable
        What old pages say of blocks that the live tree does not list.
    layout : Layout
        How the store is laid out.
    next_bid : int, optional
        Identifiers at or above it were never given out, so damaged blocks far above are chance.

    Attributes
    ----------
    trace : list of BlockRef
        Every block that was asked for and found, in order; whoever reads an item clears it first.
    free : ndarray of :data:`~mailforensics.pst.scan.BLOCK`
        Sound blocks that the live tree does not list, each identifier once.
    """

    __slots__ = (
        "_ambiguous",
        "_damaged",
        "_keys",
        "_old",
        "_seen",
        "_spans",
        "free",
        "live",
        "trace",
    )

    def __init__(
        self,
        live: BlockTable,
        scan: Scan,
        old: BlockTable,
        layout: Layout,
        next_bid: int | None = None,
    ) -> None:
        self.live = live
        self.trace: list[BlockRef] = []
        sound = scan.of_state(BlockState.INTACT)
        self._ambiguous = _different(sound)
        self._seen = _last_of_each(sound)
        listed = _listed(self._seen["bid"], live.bid)
        self.free: Records = self._seen[~listed]
        self._keys = self._seen["bid"].astype(np.int64).data
        damaged = scan.of_state(BlockState.DAMAGED)
        if next_bid is not None:
            damaged = damaged[damaged["bid"] <= next_bid + _MOST_BIDS_AHEAD]
        self._damaged = {int(row["bid"]): _ref(row) for row in damaged[::-1]}
        self._old = old
        self._spans = sound_spans(scan.blocks, scan.pages, layout)

    def locate(self, bid: int) -> BlockRef | None:
        """Return where a block is, None when nothing says; for ``BlockReader``."""
        found = self._find(bid & ~1)
        if found is not None:
            self.trace.append(found)
        return found

    def _find(self, bid: int) -> BlockRef | None:
        listed = self.live.find(bid)
        seen = self._sound(bid)
        if listed is not None:
            return listed if seen is None or seen.stored != listed.stored else seen
        if seen is not None:
            return seen
        found = self._damaged.get(bid) or self._old.find(bid)
        return None if found is None or self._is_covered(found) else found

    def _sound(self, bid: int) -> BlockRef | None:
        at = bisect_left(self._keys, bid)
        if at == len(self._keys) or self._keys[at] != bid:
            return None
        return _ref(self._seen[at])

    def _is_covered(self, ref: BlockRef) -> bool:
        """Whether a sound block or page lies over a part of a block, which is then not its own."""
        begins, ends = self._spans[:, 0], self._spans[:, 1]
        at = int(np.searchsorted(begins, ref.offset + max(ref.stored, 1))) - 1
        return at >= 0 and int(ends[at]) > ref.offset

    def standing(self, ref: BlockRef) -> Standing:
        """Say how sure it is that the bytes at a place are those of the block."""
        if self.live.find(ref.bid) == ref:
            return Standing.LIVE
        if self._sound(ref.bid) == ref:
            return Standing.AMBIGUOUS if ref.bid in self._ambiguous else Standing.INTACT
        return Standing.DAMAGED if self._damaged.get(ref.bid) == ref else Standing.UNVERIFIED


def known_blocks(table: BlockTable) -> Records:
    """Return the blocks of a tree as :func:`~mailforensics.pst.scan.scan` takes them."""
    rows: Records = np.empty(len(table), [("bid", "<i8"), ("offset", "<i8"), ("stored", "<u2")])
    rows["bid"], rows["offset"], rows["stored"] = table.bid, table.offset, table.stored
    return rows


def _ref(row: np.void) -> BlockRef:
    return BlockRef(int(row["bid"]), int(row["offset"]), int(row["stored"]), int(row["inflated"]))


def _last_of_each(rows: Records) -> Records:
    """Keep of each identifier the block that lies last in the file."""
    last = np.ones(len(rows), np.bool_)
    last[:-1] = rows["bid"][1:] != rows["bid"][:-1]
    found: Records = rows[last]
    return found


def _different(rows: Records) -> frozenset[int]:
    """Return identifiers that stand on sound blocks with different bytes: none can be preferred."""
    again = (rows["bid"][1:] == rows["bid"][:-1]) & (rows["crc"][1:] != rows["crc"][:-1])
    return frozenset(rows["bid"][1:][again].tolist())


def _listed(bids: npt.NDArray[Any], live: npt.NDArray[np.int64]) -> npt.NDArray[np.bool_]:
    wanted = bids.astype(np.int64)
    at = np.searchsorted(live, wanted)
    found: npt.NDArray[np.bool_] = at < len(live)
    found[found] = live[at[found]] == wanted[found]
    return found
