"""Allocation maps: which bytes of a file are in use, [MS-PST] 2.2.2.7.2.

They are evidence, not truth: a deleted message usually lies where its map says "free", and where a
map is lost or contradicts the index nothing is decided by it.
"""

from __future__ import annotations

from enum import StrEnum
from functools import lru_cache
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mailforensics.pst.layout import Layout, PageType
from mailforensics.pst.sums import crc

__all__ = ["Allocation", "AllocationMaps"]

_KEPT: Final = 64


class Allocation(StrEnum):
    """What the allocation maps say of a stretch of bytes."""

    FREE = "free"
    IN_USE = "in_use"
    MIXED = "mixed"
    UNKNOWN = "unknown"


class AllocationMaps:
    """Asks the allocation maps of a store.

    Parameters
    ----------
    data : bytes-like
        The file, or the image that the store lies in.
    layout : Layout
        How the store is laid out.
    start : int
        Where the store begins in ``data``.
    """

    def __init__(self, data: Any, layout: Layout, start: int = 0) -> None:
        self._data = data
        self._layout = layout
        self._start = start
        self._bits = lru_cache(maxsize=_KEPT)(self._read)

    def state(self, offset: int, size: int) -> Allocation:
        """Say whether ``size`` bytes from ``offset`` on are in use."""
        layout = self._layout
        if offset < layout.amap_first or size <= 0:
            return Allocation.UNKNOWN
        seen: set[bool] = set()
        end = offset + size
        while offset < end and len(seen) < 2:
            number, inside = divmod(offset - layout.amap_first, layout.amap_span)
            bits = self._bits(number)
            if bits is None:
                return Allocation.UNKNOWN
            stop = min(end - offset + inside, layout.amap_span)
            part = bits[inside // layout.amap_unit : -(-stop // layout.amap_unit)]
            seen.update(np.unique(part).astype(bool).tolist())
            offset += stop - inside
        return _verdict(seen)

    def bits(self, number: int) -> npt.NDArray[np.uint8] | None:
        """Return what one map says, a value for each unit (1: in use); None when it is lost."""
        return self._bits(number)

    def _read(self, number: int) -> npt.NDArray[np.uint8] | None:
        """Return the bits of one map, None when it is lost."""
        layout = self._layout
        offset = layout.amap_first + number * layout.amap_span
        at = self._start + offset
        if at < 0 or at + layout.page_size > len(self._data):
            return None
        page = bytes(self._data[at : at + layout.page_size])
        trailer = np.frombuffer(page, layout.page, 1)[0]
        right = trailer["kind"] == PageType.ALLOCATION_MAP and trailer["bid"] == offset
        if not right or crc(page[: layout.page_body]) != trailer["crc"]:
            return None
        first = layout.page_body - layout.amap_bytes
        return np.unpackbits(np.frombuffer(page, np.uint8, layout.amap_bytes, first))


def _verdict(seen: set[bool]) -> Allocation:
    if len(seen) == 1:
        return Allocation.IN_USE if True in seen else Allocation.FREE
    return Allocation.MIXED if seen else Allocation.UNKNOWN
