"""The header of a store, [MS-PST] 2.2.2.6."""

from __future__ import annotations

import struct
from dataclasses import dataclass
from typing import Any, Final

import numpy as np

from mailforensics.pst.faults import Fault
from mailforensics.pst.layout import MAGIC, Layout, layout_of
from mailforensics.pst.sums import crc

__all__ = ["Header", "PageRef", "read_header"]

_CLIENTS: Final = frozenset({b"SM", b"SO", b"AB"})
_SUMMED: Final = slice(8, 479)
"""What dwCRCPartial covers."""


@dataclass(frozen=True, slots=True)
class PageRef:
    """Where a page is said to be, BREF, [MS-PST] 2.2.2.4.

    Attributes
    ----------
    bid
        The identifier that the page must carry.
    offset
        Bytes from the start of the store.
    """

    bid: int
    offset: int


@dataclass(frozen=True, slots=True)
class Header:
    """What the header says.

    Attributes
    ----------
    layout
        How the rest of the store is laid out.
    version
        wVer: 14 or 15 ANSI, 21 to 23 Unicode, 36 and above with 4 KiB pages.
    client
        ``SM`` for a PST, ``SO`` for an OST, ``AB`` for an address book.
    crypt
        How data blocks are encoded, a :class:`~mailforensics.pst.crypt.CryptMethod`.
    node_root, block_root
        The roots of the node tree and of the block tree.
    next_bid
        Identifiers of blocks at or above it were never given out.
    file_size, amap_last, amap_free
        Bytes of the store; place of the last allocation map; bytes free in all maps.
    amap_valid
        fAMapValid: 1 or 2 when the allocation maps can be relied on.
    crc_ok
        Whether the checksum of the header agrees.
    """

    layout: Layout
    version: int
    client: str
    crypt: int
    node_root: PageRef
    block_root: PageRef
    next_bid: int
    file_size: int
    amap_last: int
    amap_free: int
    amap_valid: int
    crc_ok: bool


def read_header(data: Any, start: int = 0) -> tuple[Header | None, list[Fault]]:
    """Read the header of a store.

    Parameters
    ----------
    data : bytes-like
        The file, or the image that the store lies in.
    start : int
        Where the store begins in it.

    Returns
    -------
    header : Header or None
        None when the bytes name no layout.
    faults : list of Fault
        What is wrong with it.
    """
    head = bytes(data[start : start + 1024])
    if len(head) < 564:
        return None, [Fault("header", "The file is too short to hold a header.", 0)]
    (version,) = struct.unpack_from("<H", head, 10)
    layout = layout_of(version)
    if layout is None or (head[:4] != MAGIC and head[8:10] not in _CLIENTS):
        return None, [Fault("header", f"There is no header of a known version ({version}).", 0)]
    fields = np.frombuffer(head, layout.header, 1)[0]
    header = _header(
        layout, {name: fields[name].item() for name in layout.header.names or ()}, head
    )
    return header, list(_faults(header, head))


def _header(layout: Layout, fields: dict[str, Any], head: bytes) -> Header:
    return Header(
        layout,
        fields["version"],
        fields["client"].decode("latin-1"),
        fields["crypt"],
        PageRef(fields["node_bid"], fields["node_offset"]),
        PageRef(fields["block_bid"], fields["block_offset"]),
        fields["next_bid"],
        fields["file_size"],
        fields["amap_last"],
        fields["amap_free"],
        fields["amap_valid"],
        crc(head[_SUMMED]) == fields["crc"],
    )


def _faults(header: Header, head: bytes) -> list[Fault]:
    found = []
    if head[:4] != MAGIC:
        found.append(Fault("header", "The file does not begin with !BDN.", 0))
    if not header.crc_ok:
        found.append(Fault("header", "The checksum of the header does not agree.", 4))
    if head[8:10] not in _CLIENTS:
        found.append(Fault("header", "The header does not say PST or OST.", 8))
    return found
