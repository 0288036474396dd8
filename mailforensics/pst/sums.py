"""The two check values of pages and blocks: the CRC and the signature of the place."""

from __future__ import annotations

import zlib
from typing import Final

import numpy as np
import numpy.typing as npt

__all__ = ["crc", "signature", "signatures"]

_ONES: Final = 0xFFFFFFFF


def crc(data: bytes | memoryview) -> int:
    """Return the CRC of [MS-PST] 5.3.

    It is the CRC-32 of zlib without its first and last inversion.
    """
    return zlib.crc32(data, _ONES) ^ _ONES


def signature(offset: int, bid: int) -> int:
    """Return the signature of a page or block at a place, [MS-PST] 5.5.

    A copy that was moved does not verify; a stale one at its old place does.
    """
    mixed = (offset ^ bid) & _ONES
    return (mixed >> 16 ^ mixed) & 0xFFFF


def signatures(
    offsets: npt.NDArray[np.int64], bids: npt.NDArray[np.integer]
) -> npt.NDArray[np.uint16]:
    """Return the signatures of many places.

    Parameters
    ----------
    offsets : ndarray, shape (n,), int64
        Bytes from the start of the store.
    bids : ndarray, shape (n,), any integer
        The block identifiers that are said to be there.

    Returns
    -------
    ndarray, shape (n,), uint16
    """
    mixed = offsets.astype(np.uint64) ^ bids.astype(np.uint64)
    low = mixed.astype(np.uint32)
    return (low >> np.uint32(16) ^ low).astype(np.uint16)
