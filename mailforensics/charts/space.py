"""How the bytes of an Outlook file are laid out, gathered into squares that can be drawn."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import pandas as pd

__all__ = ["KINDS", "Grid", "grid_of", "say_size", "union"]

KINDS: Final = ("live", "free", "index", "recovered")
"""What a square can be, in the order in which they are drawn."""

COLUMNS: Final = 64
_MOST_ROWS: Final = 30
_SMALLEST: Final = 512

Array = np.ndarray[Any, Any]


@dataclass(frozen=True, slots=True, eq=False)
class Grid:
    """The squares of a file, left to right and top to bottom.

    Attributes
    ----------
    size
        Bytes of the file.
    cell
        Bytes of a square.
    rows
        How many rows of 64 squares there are.
    kinds : ndarray of int8
        For each square what fills most of it, live, free or index: a number into :data:`KINDS`;
        -1 where nothing tells.
    gone : ndarray of float
        For each square which share of it recovered messages take, 0 to 1.
    bytes_of
        Kind -> bytes of it in the whole file.
    first_rows : ndarray of int
        For each recovered message the row in which it begins.
    inside
        Whether every byte of the recovered messages lies in free space.
    sure
        Whether all recovered messages were deleted for sure.
    """

    size: int
    cell: int
    rows: int
    kinds: Array
    gone: Array
    bytes_of: dict[str, int] = field(default_factory=dict)
    first_rows: Array = field(default_factory=lambda: np.empty(0, np.int64))
    inside: bool = True
    sure: bool = True

    @property
    def messages(self) -> int:
        """How many messages were recovered."""
        return len(self.first_rows)


def grid_of(frame: pd.DataFrame) -> Grid:
    """Gather ranges into at most some two thousand squares."""
    size = int(frame["stop"].max()) if len(frame) else 0
    cell = _SMALLEST
    while cell * COLUMNS * _MOST_ROWS < size:
        cell *= 2
    rows = max(1, -(-size // (cell * COLUMNS)))
    edges = np.arange(rows * COLUMNS + 1, dtype=np.int64) * cell
    spans = {kind: union(_spans(frame, kind)) for kind in KINDS}
    filled = np.stack([_covered(spans[kind], edges) for kind in KINDS])
    most = filled[:-1].max(axis=0)
    kinds = np.where(most > 0, filled[:-1].argmax(axis=0), -1)
    squares = -(-size // cell)
    gone = frame[frame["kind"] == "recovered"]
    names = gone["item_id"] if "item_id" in gone else pd.Series(gone.index, index=gone.index)
    starts = gone["start"].groupby(names).min().to_numpy(dtype=np.int64)
    return Grid(
        size,
        cell,
        rows,
        kinds[:squares].astype(np.int8),
        filled[-1][:squares] / cell,
        {kind: int((spans[kind][:, 1] - spans[kind][:, 0]).sum()) for kind in KINDS},
        starts // (cell * COLUMNS),
        _inside(spans["recovered"], spans["free"]),
        bool(gone["sure"].fillna(False).all()) if "sure" in gone else True,
    )


def _spans(frame: pd.DataFrame, kind: str) -> Array:
    mine = frame[frame["kind"] == kind]
    return np.stack([mine[name].to_numpy(dtype=np.int64) for name in ("start", "stop")], axis=1)


def union(spans: Array) -> Array:
    """Merge ranges that touch or overlap, shape (n, 2), sorted by start."""
    if not len(spans):
        return spans
    ordered = spans[np.argsort(spans[:, 0], kind="stable")]
    reach = np.maximum.accumulate(ordered[:, 1])
    fresh = np.concatenate([[True], ordered[1:, 0] > reach[:-1]])
    last = np.concatenate([np.flatnonzero(fresh)[1:] - 1, [len(ordered) - 1]])
    return np.stack([ordered[fresh, 0], reach[last]], axis=1)


def _covered(spans: Array, edges: Array) -> Array:
    """Return how many bytes of merged ranges lie between each two edges."""
    if not len(spans):
        return np.zeros(len(edges) - 1, np.int64)
    lengths = np.concatenate([[0], np.cumsum(spans[:, 1] - spans[:, 0])])
    at = np.searchsorted(spans[:, 0], edges, side="right") - 1
    known = np.maximum(at, 0)
    part = np.minimum(edges, spans[known, 1]) - spans[known, 0]
    before = np.where(at < 0, 0, lengths[known] + np.maximum(part, 0))
    return np.asarray(np.diff(before))


def _inside(spans: Array, others: Array) -> bool:
    """Say whether merged ranges lie in other merged ranges with every byte."""
    whole = int((spans[:, 1] - spans[:, 0]).sum())
    return int(_covered(others, spans.ravel())[::2].sum()) == whole if whole else True


def say_size(size: float) -> str:
    """Return a number of bytes in words: ``512 bytes``, ``265 KB``, ``1.5 GB``."""
    for unit in ("bytes", "KB", "MB", "GB"):
        if size < 1024 or unit == "GB":
            break
        size /= 1024
    digits = 0 if unit == "bytes" or size >= 100 or size == int(size) else 1
    return f"{size:,.{digits}f} {unit}"
