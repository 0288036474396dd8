"""Half-open byte ranges: lists of (start, stop), ascending and apart."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

__all__ = ["Range", "clip", "from_flags", "merge", "overlaps", "subtract", "total"]

Range: TypeAlias = tuple[int, int]


def merge(ranges: Iterable[Range]) -> list[Range]:
    """Sort ranges and join those that touch or overlap."""
    merged: list[Range] = []
    for start, stop in sorted(ranges):
        if start >= stop:
            continue
        if merged and start <= merged[-1][1]:
            if stop > merged[-1][1]:
                merged[-1] = (merged[-1][0], stop)
        else:
            merged.append((start, stop))
    return merged


def subtract(ranges: Iterable[Range], taken: Iterable[Range]) -> list[Range]:
    """Return what is left of ranges without the taken ones."""
    left: list[Range] = []
    holes = merge(taken)
    place = 0
    for start, stop in merge(ranges):
        while place < len(holes) and holes[place][1] <= start:
            place += 1
        begin, ahead = start, place
        while ahead < len(holes) and holes[ahead][0] < stop:
            if holes[ahead][0] > begin:
                left.append((begin, holes[ahead][0]))
            begin = max(begin, holes[ahead][1])
            ahead += 1
        if begin < stop:
            left.append((begin, stop))
        place = max(place, ahead - 1)
    return left


def clip(ranges: Iterable[Range], low: int, high: int) -> list[Range]:
    """Return what of the ranges lies in ``[low, high)``."""
    return [
        (max(start, low), min(stop, high)) for start, stop in ranges if start < high and low < stop
    ]


def overlaps(first: Sequence[Range], second: Sequence[Range]) -> bool:
    """Say whether any byte lies in both lists; each ascending and apart."""
    here = there = 0
    while here < len(first) and there < len(second):
        if first[here][1] <= second[there][0]:
            here += 1
        elif second[there][1] <= first[here][0]:
            there += 1
        else:
            return True
    return False


def total(ranges: Iterable[Range]) -> int:
    """Return how many bytes ranges hold."""
    return sum(stop - start for start, stop in ranges)


def from_flags(flags: npt.NDArray[np.bool_], origin: int, unit: int) -> list[Range]:
    """Return the byte ranges where flags are set.

    Parameters
    ----------
    flags : ndarray of bool, shape (blocks,)
        One for each block.
    origin, unit : int
        Offset of the first block, and the bytes of each.
    """
    padded = np.zeros(len(flags) + 2, dtype=np.int8)
    padded[1:-1] = flags
    steps = np.diff(padded)
    starts = np.flatnonzero(steps == 1)
    stops = np.flatnonzero(steps == -1)
    return [
        (origin + int(start) * unit, origin + int(stop) * unit)
        for start, stop in zip(starts, stops, strict=True)
    ]
