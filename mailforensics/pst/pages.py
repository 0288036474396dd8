"""Pages of the two trees, [MS-PST] 2.2.2.7.7."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from mailforensics.pst.faults import Damage
from mailforensics.pst.layout import Dtype, Layout, PageType
from mailforensics.pst.sums import crc, signature

__all__ = ["TreePage", "entries", "read_page"]


@dataclass(frozen=True, slots=True)
class TreePage:
    """A page of the node tree or of the block tree.

    Attributes
    ----------
    offset
        Bytes from the start of the store.
    kind
        :attr:`~mailforensics.pst.layout.PageType.NODE_TREE` or ``BLOCK_TREE``.
    bid
        Its own identifier; it grows with time, so it orders pages by age.
    level
        0 for a leaf.
    count, entry_size
        How many entries, and bytes of each.
    crc_ok, signature_ok
        Whether its two check values agree.
    body
        Its bytes before the trailer.
    """

    offset: int
    kind: int
    bid: int
    level: int
    count: int
    entry_size: int
    crc_ok: bool
    signature_ok: bool
    body: bytes


def read_page(data: Any, offset: int, layout: Layout, start: int = 0) -> TreePage:
    """Read a page of a tree.

    Parameters
    ----------
    data : bytes-like
        The file, or the image that the store lies in.
    offset : int
        Bytes from the start of the store.
    layout : Layout
        How the store is laid out.
    start : int
        Where the store begins in ``data``.

    Raises
    ------
    Damage
        There is no page of a tree: outside the file, another kind of page, or counts that
        do not fit.
    """
    raw = bytes(data[start + offset : start + offset + layout.page_size]) if offset > 0 else b""
    if len(raw) != layout.page_size:
        raise Damage("page", "A page of an index lies outside the file.", offset)
    trailer = np.frombuffer(raw, layout.page, 1)[0]
    kind, bid = int(trailer["kind"]), int(trailer["bid"])
    if kind not in {PageType.BLOCK_TREE, PageType.NODE_TREE} or kind != trailer["kind_again"]:
        raise Damage("page", "There is no page of an index where one should be.", offset)
    count, _, entry_size, level = np.frombuffer(raw, layout.tree_counts, 1, layout.entry_area)[
        0
    ].item()
    if count * entry_size > layout.entry_area:
        raise Damage("page", "A page of an index claims more entries than it can hold.", offset)
    body = raw[: layout.page_body]
    return TreePage(
        offset,
        kind,
        bid,
        level,
        count,
        entry_size,
        crc(body) == trailer["crc"],
        signature(offset, bid) == trailer["signature"],
        body,
    )


def entries(page: TreePage, layout: Layout) -> npt.NDArray[np.void]:
    """Return the entries of a page.

    Returns
    -------
    ndarray, shape (n,)
        Of ``layout.branch_entry`` above the leaves, else ``layout.node_entry`` or
        ``layout.block_entry``. Empty when the page gives its entries another size.
    """
    kind = _entry_kind(page, layout)
    if page.entry_size == kind.itemsize:
        return np.frombuffer(page.body, kind, page.count)
    if page.entry_size < kind.itemsize:
        return np.empty(0, kind)
    wide = np.frombuffer(page.body, f"V{page.entry_size}", page.count)
    cut = wide.view(np.uint8).reshape(page.count, page.entry_size)[:, : kind.itemsize]
    return np.ascontiguousarray(cut).view(kind).reshape(-1)


def _entry_kind(page: TreePage, layout: Layout) -> Dtype:
    if page.level:
        return layout.branch_entry
    return layout.node_entry if page.kind == PageType.NODE_TREE else layout.block_entry
