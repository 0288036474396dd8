"""What older index pages say: nodes and blocks as they were before something was deleted.

A store never changes a page of an index in place: it writes a new one and frees the old. Until its
space is used again, the old page still lists the nodes that were deleted since. Identifiers of
blocks are not given out twice, so an old entry is exactly right as long as its blocks are there;
identifiers of pages grow, so they order pages by age. [MS-PST] 2.2.2.7.7
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mailforensics.pst.faults import Damage
from mailforensics.pst.layout import Layout, PageType
from mailforensics.pst.pages import entries, read_page
from mailforensics.pst.scan import Records
from mailforensics.pst.trees import BlockTable, NodeTable

__all__ = ["NODE_VERSION", "leaf_entries", "node_versions", "old_blocks"]

NODE_VERSION: Final = np.dtype(
    [
        ("nid", "<i8"),
        ("data", "<i8"),
        ("sub", "<i8"),
        ("parent", "<i8"),
        ("page_bid", "<i8"),
        ("page_offset", "<i8"),
    ]
)
"""An entry of the node tree as an old page gives it, with the identifier and the place of the page
(bytes from the start of the store)."""

_MOST_BID: Final = np.uint64((1 << 63) - 1)


def leaf_entries(
    data: Any, layout: Layout, pages: Records, kind: PageType, start: int = 0
) -> Iterator[tuple[np.void, Records]]:
    """Yield each sound leaf page of a tree, as it was scanned, with its entries.

    Parameters
    ----------
    data : bytes-like
        The file, or the image that the store lies in.
    layout : Layout
        How the store is laid out.
    pages : ndarray of :data:`~mailforensics.pst.scan.PAGE`
        The scanned pages.
    kind : PageType
        Which tree.
    start : int
        Where the store begins in ``data``.
    """
    sound = pages["intact"] & (pages["kind"] == kind) & (pages["level"] == 0)
    for page in pages[sound & (pages["count"] > 0)]:
        try:
            rows = entries(read_page(data, int(page["offset"]), layout, start), layout)
        except Damage:
            continue
        if len(rows):
            yield page, rows


def node_versions(
    data: Any, layout: Layout, pages: Records, live: NodeTable, start: int = 0
) -> Records:
    """Return what old pages say of nodes and the live tree does not.

    Returns
    -------
    ndarray of NODE_VERSION
        Sorted by node, then from the newest page to the oldest; each version once, with the
        newest page that holds it.
    """
    parts = [
        _versions(page, rows)
        for page, rows in leaf_entries(data, layout, pages, PageType.NODE_TREE, start)
    ]
    found: Records = np.concatenate([np.empty(0, NODE_VERSION), *parts])
    order = np.lexsort((-found["page_bid"], found["sub"], found["data"], found["nid"]))
    found = found[order]
    same = np.zeros(len(found), np.bool_)
    same[1:] = np.all([found[name][1:] == found[name][:-1] for name in _VERSION], axis=0)
    found = found[~same & ~_is_live(found, live)]
    newest: Records = found[np.lexsort((-found["page_bid"], found["nid"]))]
    return newest


_VERSION: Final = ("nid", "data", "sub")


def _versions(page: np.void, rows: Records) -> Records:
    found: Records = np.empty(len(rows), NODE_VERSION)
    found["nid"], found["parent"] = rows["nid"], rows["parent"]
    found["data"], found["sub"] = _clear(rows["data"]), _clear(rows["sub"])
    found["page_bid"] = min(int(page["bid"]), int(_MOST_BID))
    found["page_offset"] = page["offset"]
    return found


def _clear(bids: npt.NDArray[Any]) -> npt.NDArray[np.int64]:
    """Clear the reserved lowest bit; what does not fit points nowhere."""
    signed: npt.NDArray[np.int64] = np.minimum(bids.astype(np.uint64), _MOST_BID).astype(np.int64)
    return signed & ~1


def _is_live(found: Records, live: NodeTable) -> npt.NDArray[np.bool_]:
    if not len(live):
        return np.zeros(len(found), np.bool_)
    at = np.minimum(np.searchsorted(live.nid, found["nid"]), len(live) - 1)
    same: npt.NDArray[np.bool_] = live.nid[at] == found["nid"]
    same &= (live.data[at] == found["data"]) & (live.sub[at] == found["sub"])
    return same


def old_blocks(
    data: Any, layout: Layout, pages: Records, live: BlockTable, start: int = 0
) -> BlockTable:
    """Return where old pages say that blocks lie which the live tree does not list.

    Of two pages that name the same block the newer counts.
    """
    parts = list(leaf_entries(data, layout, pages, PageType.BLOCK_TREE, start))
    parts.sort(key=lambda part: -int(part[0]["bid"]))
    rows = np.concatenate([np.empty(0, layout.block_entry), *(rows for _, rows in parts)])
    bids = _clear(rows["bid"])
    at = np.searchsorted(live.bid, bids)
    listed = at < len(live)
    listed[listed] = live.bid[at[listed]] == bids[listed]
    return BlockTable(rows[~listed])
