"""The trees of a store whose header or pages are lost, put together from what is left of them."""

from __future__ import annotations

from bisect import bisect_right, insort
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mailforensics.pst.crypt import CryptMethod, decode
from mailforensics.pst.faults import Damage
from mailforensics.pst.header import PageRef
from mailforensics.pst.history import leaf_entries
from mailforensics.pst.layout import LAYOUTS, Layout, PageType
from mailforensics.pst.pages import entries, read_page
from mailforensics.pst.scan import BlockState, Records, Scan, scan
from mailforensics.pst.trees import Walk

__all__ = ["fill_gaps", "guess_crypt", "guess_layout", "newest_root"]

_LOOKED_AT: Final = 64 << 20
_VOTERS: Final = 4000
_HEAP: Final = 0xEC
_CLIENTS: Final = frozenset({0xBC, 0x7C, 0xB5})


def guess_layout(data: Any, start: int = 0) -> Layout | None:
    """Return the layout in which most pages of the trees verify, None when none does.

    Parameters
    ----------
    data : bytes-like
        The file, or the image that the store lies in; its first 64 MB are looked at.
    start : int
        Where the store begins in ``data``.
    """
    with memoryview(data) as view, view[: max(start, 0) + _LOOKED_AT] as head:
        votes = [
            (int(scan(head, each, start=start).pages["intact"].sum()), each) for each in LAYOUTS
        ]
    most, layout = max(votes, key=lambda vote: vote[0])
    return layout if most else None


def newest_root(
    data: Any, layout: Layout, pages: Records, kind: PageType, start: int = 0
) -> PageRef | None:
    """Find the root of a tree: the newest sound page that no other sound page names.

    Stale roots are older, and newer pages that are no root are named by a branch.

    Parameters
    ----------
    data : bytes-like
        The file, or the image that the store lies in.
    layout : Layout
        How the store is laid out.
    pages : ndarray of :data:`~mailforensics.pst.scan.PAGE`
        The scanned pages in the order of the file.
    kind : PageType
        Which tree.
    start : int
        Where the store begins in ``data``.
    """
    mine: Records = pages[pages["intact"] & (pages["kind"] == kind)]
    named = _named(data, layout, mine, start)
    roots: Records = mine[~named]
    if not len(roots):
        return None
    root = roots[np.argmax(roots["bid"])]
    return PageRef(int(root["bid"]), int(root["offset"]))


def _named(data: Any, layout: Layout, pages: Records, start: int) -> npt.NDArray[np.bool_]:
    """Say of each page whether a branch page names it, by place and identifier."""
    named = np.zeros(len(pages), np.bool_)
    for page in pages[pages["level"] > 0]:
        try:
            below = entries(read_page(data, int(page["offset"]), layout, start), layout)
        except Damage:
            continue
        at = np.searchsorted(pages["offset"], below["offset"].astype(np.int64))
        inside = at < len(pages)
        at, below = at[inside], below[inside]
        right = pages["offset"][at] == below["offset"]
        right &= pages["bid"][at] == below["bid"]
        named[at[right]] = True
    return named


def fill_gaps(
    data: Any, layout: Layout, pages: Records, walked: Walk, *, kind: PageType, start: int = 0
) -> tuple[Records, int]:
    """Add to the leaves of a broken tree what leaf pages outside it say.

    The newest pages come first; one is taken when the span of its keys meets no page that was
    taken before it. So an older state never overrules a newer one.

    Returns
    -------
    rows : ndarray of entries
        The leaves that were walked, then those that were added.
    added : int
        How many pages were added.
    """
    key = "nid" if kind == PageType.NODE_TREE else "bid"
    inside = frozenset(walked.pages)
    leaves = list(leaf_entries(data, layout, pages, kind, start))
    taken = sorted(_reach(rows[key]) for page, rows in leaves if int(page["offset"]) in inside)
    rest = [leaf for leaf in leaves if int(leaf[0]["offset"]) not in inside]
    rest.sort(key=lambda leaf: -int(leaf[0]["bid"]))
    added = []
    for _, rows in rest:
        reach = _reach(rows[key])
        at = bisect_right(taken, (reach[1], _FAR)) - 1
        if at < 0 or taken[at][1] < reach[0]:
            insort(taken, reach)
            added.append(rows)
    joined: Records = np.concatenate([walked.leaves, *added])
    return joined, len(added)


_FAR: Final = 1 << 64


def _reach(keys: npt.NDArray[Any]) -> tuple[int, int]:
    return int(keys.min()), int(keys.max())


def guess_crypt(data: Any, found: Scan, start: int = 0) -> int | None:
    """Return the encoding in which most blocks begin as a heap does, None when none does.

    Parameters
    ----------
    data : bytes-like
        The file, or the image that the store lies in.
    found : Scan
        What a pass over it found.
    start : int
        Where the store begins in ``data``.
    """
    sound = found.blocks["state"] != BlockState.DAMAGED
    plain = found.blocks["stored"] == found.blocks["inflated"]
    outer = (found.blocks["bid"] & np.uint64(2)) == 0
    votes = dict.fromkeys((CryptMethod.PERMUTE, CryptMethod.NONE, CryptMethod.CYCLIC), 0)
    for row in found.blocks[sound & plain & outer & (found.blocks["stored"] >= 12)][:_VOTERS]:
        at = start + int(row["offset"])
        begin = bytes(data[at : at + 4])
        for method in votes:
            votes[method] += _is_heap(decode(begin, method, int(row["bid"])))
    best = max(votes, key=lambda method: votes[method])
    return best if votes[best] else None


def _is_heap(head: bytes) -> bool:
    return len(head) == 4 and head[2] == _HEAP and head[3] in _CLIENTS
