"""The header of a new store, [MS-PST] 2.2.2.6, with its root, 2.2.2.5."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mailforensics.pst.crypt import CryptMethod
from mailforensics.pst.header import PageRef
from mailforensics.pst.layout import MAGIC, Layout
from mailforensics.pst.sums import crc
from mailforensics.pst.writer.space import Space

__all__ = ["header_bytes"]

_SIZE: Final = 564
_NODE_COUNTERS: Final = 44
_ROOT: Final = 180
_FREE_MAPS: Final = 256
_SENTINEL: Final = 0x80
_VALID: Final = 2
_COUNTER_STARTS: Final = MappingProxyType(
    {3: 0x4000, 4: 0x10000, 6: 0x4000, 7: 0x4000, 8: 0x8000, 16: 0x4000}
)
"""Node type -> its first index in rgnid; 0x400 for all others."""


def header_bytes(
    layout: Layout,
    *,
    space: Space,
    nodes: PageRef,
    blocks: PageRef,
    next_page: int,
    next_block: int,
    highest: Mapping[int, int],
    crypt: CryptMethod,
) -> bytes:
    """Return the header.

    Parameters
    ----------
    layout : Layout
        How the file is laid out.
    space : Space
        The room of the file, finished.
    nodes, blocks : PageRef
        The roots of the two trees.
    next_page, next_block : int
        Identifiers that come next, of pages and of blocks.
    highest : mapping of int to int
        Node type -> the highest index in use.
    crypt : CryptMethod
        How data blocks are encoded.
    """
    head = bytearray(_SIZE)
    version, client, by = (36, b"SO", 12) if layout.packs_blocks else (23, b"SM", 19)
    struct.pack_into("<4s4x2sHHBB", head, 0, MAGIC, client, version, by, 1, 1)
    struct.pack_into("<QQI", head, 24, 0, next_page, 1)
    struct.pack_into("<32I", head, _NODE_COUNTERS, *_counters(highest))
    places = (nodes.bid, nodes.offset, blocks.bid, blocks.offset)
    root = (0, space.end, space.amap_last, space.free, 0, *places, _VALID, 0, 0)
    struct.pack_into("<IQQQQQQQQBBH", head, _ROOT, *root)
    head[_FREE_MAPS : _FREE_MAPS + 256] = b"\xff" * 256
    struct.pack_into("<BBHQ", head, 512, _SENTINEL, crypt, 0, next_block)
    struct.pack_into("<I", head, 4, crc(bytes(head[8:479])))
    struct.pack_into("<I", head, 524, crc(bytes(head[8:524])))
    return bytes(head)


def _counters(highest: Mapping[int, int]) -> list[int]:
    """Return rgnid: for each type of node the index that comes next."""
    starts = [_COUNTER_STARTS.get(kind, 0x400) for kind in range(32)]
    return [max(start, highest.get(kind, 0) + 1) for kind, start in enumerate(starts)]
