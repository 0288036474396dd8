"""The two trees of a store: nodes by their identifier, blocks by theirs, [MS-PST] 2.2.2.7.7.

Both become sorted arrays, one row an entry; so a store of millions of blocks stays small.
"""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, Final, NamedTuple

import numpy as np
import numpy.typing as npt

from mailforensics.pst.blocks import BlockRef
from mailforensics.pst.faults import Damage, Fault
from mailforensics.pst.header import PageRef
from mailforensics.pst.layout import Layout, PageType
from mailforensics.pst.pages import TreePage, entries, read_page

__all__ = ["BlockTable", "Node", "NodeTable", "Walk", "walk"]

_HIGHEST_LEVEL: Final = 10
_GATHERED: Final = 4096
_MOST_BID: Final = (1 << 63) - 1

Ints = npt.NDArray[np.int64]


@dataclass(slots=True)
class Walk:
    """What walking a tree from its root gave.

    Attributes
    ----------
    leaves
        The entries of all leaves, in order; a store empties it when it has made its tables.
    pages
        Places of the pages met, in bytes from the start of the store.
    faults
        Pages that could not be read, and what else is wrong.
    whole
        Whether each page that the tree names was read.
    """

    leaves: npt.NDArray[np.void]
    pages: list[int] = field(default_factory=list)
    faults: list[Fault] = field(default_factory=list)
    whole: bool = True


def walk(data: Any, layout: Layout, root: PageRef, kind: PageType, start: int = 0) -> Walk:
    """Walk a tree from its root page.

    Parameters
    ----------
    data : bytes-like
        The file, or the image that the store lies in.
    layout : Layout
        How the store is laid out.
    root : PageRef
        The root page.
    kind : PageType
        Which tree: ``NODE_TREE`` or ``BLOCK_TREE``.
    start : int
        Where the store begins in ``data``.
    """
    entry = layout.node_entry if kind == PageType.NODE_TREE else layout.block_entry
    found = Walk(np.empty(0, entry))
    gathered: list[npt.NDArray[np.void]] = []
    leaves: list[npt.NDArray[np.void]] = []
    waiting: list[tuple[PageRef, int]] = [(root, _HIGHEST_LEVEL)]
    seen: set[int] = set()
    while waiting:
        place, ceiling = waiting.pop()
        try:
            page = _visited(read_page(data, place.offset, layout, start), place, kind, ceiling)
            if place.offset in seen:
                raise Damage("tree", "An index names a page twice.", place.offset)  # noqa: TRY301
        except Damage as damage:
            found.faults.append(damage.fault)
            found.whole = False
            continue
        seen.add(place.offset)
        found.faults += _page_faults(page, place)
        if page.level:
            below = entries(page, layout)[["bid", "offset"]].tolist()
            waiting += [(PageRef(*child), page.level - 1) for child in reversed(below)]
        else:
            leaves.append(entries(page, layout))
            if len(leaves) == _GATHERED:
                # These arrays hold whole pages in memory; one array holds only entries.
                gathered.append(np.concatenate(leaves))
                leaves.clear()
    found.pages = sorted(seen)
    found.leaves = np.concatenate([found.leaves, *gathered, *leaves])
    return found


def _visited(page: TreePage, place: PageRef, kind: PageType, ceiling: int) -> TreePage:
    """Hold a page to what the page above says of it."""
    if page.kind != kind:
        raise Damage("tree", "A page belongs to the other index.", place.offset)
    if page.level > ceiling or ceiling not in {_HIGHEST_LEVEL, page.level}:
        raise Damage("tree", "A page has a wrong level.", place.offset)
    if page.bid != place.bid and not page.crc_ok:
        raise Damage("tree", "A page is overwritten.", place.offset)
    return page


def _page_faults(page: TreePage, place: PageRef) -> list[Fault]:
    faults = []
    if not page.crc_ok:
        detail = "The checksum of a page of an index does not agree."
        faults.append(Fault("page", detail, page.offset))
    if page.bid != place.bid:
        detail = "A page of an index is not the one that the page above names."
        faults.append(Fault("page", detail, page.offset))
    return faults


class Node(NamedTuple):
    """An entry of the node tree, NBTENTRY, [MS-PST] 2.2.2.7.7.4.

    Attributes
    ----------
    nid
        Its identifier.
    data_bid, sub_bid
        The blocks with its data and with the list of its sub-nodes; 0 for none.
    parent
        The folder that a folder or a message lies in.
    """

    nid: int
    data_bid: int
    sub_bid: int
    parent: int


def _signed(values: npt.NDArray[Any]) -> Ints:
    """Return identifiers as int64; one that does not fit points nowhere and becomes the largest."""
    signed: Ints = np.minimum(values, np.uint64(_MOST_BID)).astype(np.int64)
    return signed


def _sorted(keys: Ints, rows: npt.NDArray[np.void]) -> tuple[Ints, npt.NDArray[np.void]]:
    """Sort rows by their keys; of two with the same key the first counts."""
    if len(keys) < 2 or bool((keys[1:] > keys[:-1]).all()):
        return keys, rows
    unique, first = np.unique(keys, return_index=True)
    return unique, rows[first]


def _views(*columns: npt.NDArray[Any]) -> tuple[memoryview[int], ...]:
    """Return views whose items are plain numbers: faster to search one by one than arrays."""
    return tuple(column.data for column in columns)


class NodeTable:
    """The nodes of a store, sorted by identifier.

    Parameters
    ----------
    rows : ndarray, shape (n,), of ``layout.node_entry``
        The entries; of two with the same identifier the first counts.

    Attributes
    ----------
    nid, data, sub, parent
        Columns, int64, the reserved bit of block identifiers cleared.
    repeated
        How many entries were dropped because their identifier stood there already.
    """

    __slots__ = ("_views", "data", "nid", "parent", "repeated", "sub")

    def __init__(self, rows: npt.NDArray[np.void]) -> None:
        nid, kept = _sorted(rows["nid"].astype(np.int64), rows)
        self.nid: Ints = nid
        self.data: Ints = _signed(kept["data"]) & ~1
        self.sub: Ints = _signed(kept["sub"]) & ~1
        self.parent: Ints = kept["parent"].astype(np.int64)
        self.repeated = len(rows) - len(nid)
        self._views = _views(self.nid, self.data, self.sub, self.parent)

    def __len__(self) -> int:
        return len(self.nid)

    def __iter__(self) -> Iterator[Node]:
        return map(self.row, range(len(self.nid)))

    def __contains__(self, nid: object) -> bool:
        return isinstance(nid, int) and self.find(nid) is not None

    def find(self, nid: int) -> Node | None:
        """Return the node of that identifier, None when there is none."""
        at = int(self.nid.searchsorted(nid))
        if at == len(self.nid) or self.nid[at] != nid:
            return None
        return self.row(at)

    def row(self, at: int) -> Node:
        """Return the node in a row."""
        return Node(int(self.nid[at]), int(self.data[at]), int(self.sub[at]), int(self.parent[at]))

    def of_type(self, kind: int) -> Ints:
        """Return the identifiers of a :class:`~mailforensics.pst.layout.NidType`, sorted."""
        found: Ints = self.nid[self.nid & 0x1F == kind]
        return found

    def children(self, parent: int, *kinds: int) -> list[int]:
        """Return the nodes of some types that say they lie in a folder, sorted."""
        found = self.nid[self.parent == parent]
        return [nid for nid in found.tolist() if nid & 0x1F in kinds and nid != parent]


class BlockTable:
    """The blocks of a store, sorted by identifier.

    Parameters
    ----------
    rows : ndarray, shape (n,), of ``layout.block_entry``
        The entries; of two with the same identifier the first counts.

    Attributes
    ----------
    bid, offset
        Columns, int64; the reserved bit is cleared.
    stored, inflated, references
        Columns, uint16.
    repeated
        How many entries were dropped because their identifier stood there already.
    """

    __slots__ = ("_views", "bid", "inflated", "offset", "references", "repeated", "stored")

    def __init__(self, rows: npt.NDArray[np.void]) -> None:
        bid, kept = _sorted(_signed(rows["bid"]) & ~1, rows)
        self.bid: Ints = bid
        self.offset: Ints = _signed(kept["offset"])
        self.stored: npt.NDArray[np.uint16] = np.ascontiguousarray(kept["stored"])
        packs = "inflated" in (rows.dtype.names or ())
        self.inflated = np.ascontiguousarray(kept["inflated"]) if packs else self.stored
        self.references: npt.NDArray[np.uint16] = np.ascontiguousarray(kept["references"])
        self.repeated = len(rows) - len(bid)
        self._views = _views(self.bid, self.offset, self.stored, self.inflated)

    def __len__(self) -> int:
        return len(self.bid)

    def __iter__(self) -> Iterator[BlockRef]:
        return map(self.row, range(len(self.bid)))

    def __contains__(self, bid: object) -> bool:
        return isinstance(bid, int) and self.find(bid) is not None

    def find(self, bid: int) -> BlockRef | None:
        """Return where a block is, None when no entry says."""
        bid &= ~1
        keys, offset, stored, inflated = self._views
        at = bisect_left(keys, bid)
        if at == len(keys) or keys[at] != bid:
            return None
        return BlockRef(bid, offset[at], stored[at], inflated[at])

    def row(self, at: int) -> BlockRef:
        """Return the block in a row."""
        return BlockRef(*(view[at] for view in self._views))
