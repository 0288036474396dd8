"""The three layouts of Outlook data files as tables: ANSI, Unicode, and Unicode with 4 KiB pages.

Every structure that lies in a file at a fixed shape is a numpy dtype here, with its section of
[MS-PST] beside it. The 4 KiB layout (OST of Outlook 2013 and later) is in no specification.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from enum import IntEnum
from typing import Any, Final

import numpy as np

__all__ = [
    "ANSI",
    "LAYOUTS",
    "UNICODE",
    "UNICODE_4K",
    "Layout",
    "NidType",
    "PageType",
    "SpecialNid",
    "layout_of",
    "nid_type",
]

Dtype = np.dtype[np.void]

MAGIC: Final = b"!BDN"


class PageType(IntEnum):
    """What a page holds, ptype of PAGETRAILER, [MS-PST] 2.2.2.7.1."""

    BLOCK_TREE = 0x80
    NODE_TREE = 0x81
    FREE_MAP = 0x82
    PAGE_MAP = 0x83
    ALLOCATION_MAP = 0x84
    FREE_PAGE_MAP = 0x85
    DENSITY_LIST = 0x86


class NidType(IntEnum):
    """What a node is: the low five bits of its identifier, [MS-PST] 2.2.2.1."""

    HID = 0x00
    INTERNAL = 0x01
    FOLDER = 0x02
    SEARCH_FOLDER = 0x03
    MESSAGE = 0x04
    ATTACHMENT = 0x05
    SEARCH_UPDATE_QUEUE = 0x06
    SEARCH_CRITERIA = 0x07
    ASSOCIATED_MESSAGE = 0x08
    CONTENTS_TABLE_INDEX = 0x0A
    RECEIVE_FOLDER_TABLE = 0x0B
    OUTGOING_QUEUE_TABLE = 0x0C
    HIERARCHY_TABLE = 0x0D
    CONTENTS_TABLE = 0x0E
    ASSOCIATED_TABLE = 0x0F
    SEARCH_CONTENTS_TABLE = 0x10
    ATTACHMENT_TABLE = 0x11
    RECIPIENT_TABLE = 0x12
    SEARCH_TABLE_INDEX = 0x13
    LTP = 0x1F


class SpecialNid(IntEnum):
    """Nodes with a fixed identifier, [MS-PST] 2.4.1."""

    MESSAGE_STORE = 0x21
    NAME_TO_ID_MAP = 0x61
    ROOT_FOLDER = 0x122
    ATTACHMENT_TABLE = 0x671
    RECIPIENT_TABLE = 0x692


def nid_type(nid: int) -> int:
    """Return the low five bits of a node identifier; a :class:`NidType` where it is known."""
    return nid & 0x1F


@dataclass(frozen=True, slots=True, eq=False)
class Layout:
    """One way of laying a store out in a file.

    Attributes
    ----------
    name
        ``ansi``, ``unicode`` or ``unicode_4k``.
    header
        HEADER, [MS-PST] 2.2.2.6, with ROOT, 2.2.2.5: fields ``magic, crc, client, version,
        next_bid, file_size, amap_last, amap_free, pmap_free, node_bid, node_offset, block_bid,
        block_offset, amap_valid, crypt``.
    page_size, page_body, page_trailer_size
        Bytes of a page, and of a page before its trailer, and of the trailer.
    page
        A whole page seen from its trailer (PAGETRAILER, 2.2.2.7.1): ``kind, kind_again,
        signature, crc, bid``.
    entry_area, tree_counts
        Bytes for entries in a page of a tree (BTPAGE, 2.2.2.7.7.1), and what follows them:
        ``count, most, entry_size, level``.
    node_entry
        NBTENTRY, 2.2.2.7.7.4: ``nid, data, sub, parent``.
    block_entry
        BBTENTRY, 2.2.2.7.7.3: ``bid, offset, stored, references``, and ``inflated`` with 4 KiB
        pages.
    branch_entry
        BTENTRY, 2.2.2.7.7.2: ``key, bid, offset``.
    block_align, block_trailer_size, largest_block
        Blocks begin at multiples of the first; the last is how many bytes of data fit in one.
    block_tail
        The last ``block_align`` bytes of a block, which end with BLOCKTRAILER (2.2.2.8.1):
        ``size, signature, crc, bid``, and ``inflated`` with 4 KiB pages.
    bid
        A block identifier in XBLOCK and XXBLOCK (2.2.2.8.3.2), which begin with
        :attr:`data_tree_start` bytes.
    subnode_entry, subnode_branch, subnode_start
        SLENTRY and SIENTRY, 2.2.2.8.3.3: ``nid, data, sub`` and ``nid, bid``; bytes before them.
    hid_index_bits
        Bits of the item number in a HID, 2.3.1.1; the block number follows.
    row_index_size
        Bytes of a row number in the row index of a table, 2.3.4.3.1.
    amap_first, amap_span, amap_unit, amap_bytes
        Place of the first allocation map (2.2.2.7.2), bytes that a map speaks for (itself
        included), bytes for each of its bits, bytes of the map itself.
    versions
        ``wVer`` of the header, from and to.
    """

    name: str
    header: Dtype
    page_size: int
    page_body: int
    page_trailer_size: int
    page: Dtype
    entry_area: int
    tree_counts: Dtype
    node_entry: Dtype
    block_entry: Dtype
    branch_entry: Dtype
    block_align: int
    block_trailer_size: int
    largest_block: int
    block_tail: Dtype
    bid: np.dtype[np.unsignedinteger[Any]]
    data_tree_start: int
    subnode_entry: Dtype
    subnode_branch: Dtype
    subnode_start: int
    hid_index_bits: int
    row_index_size: int
    amap_first: int
    amap_span: int
    amap_unit: int
    amap_bytes: int
    versions: tuple[int, int]

    @property
    def wide(self) -> bool:
        """Whether block identifiers have 64 bits."""
        return self.bid.itemsize == 8

    @property
    def packs_blocks(self) -> bool:
        """Whether blocks may be stored compressed."""
        return "inflated" in (self.block_entry.names or ())

    def span(self, size: int) -> int:
        """Return how many bytes a block of ``size`` bytes takes, trailer and padding included."""
        return -(-(size + self.block_trailer_size) // self.block_align) * self.block_align

    def __repr__(self) -> str:
        return f"<Layout {self.name}>"


def _placed(size: int, /, **fields: tuple[int, str]) -> Dtype:
    """Make a dtype of fields at given offsets."""
    shape: Any = {
        "names": list(fields),
        "offsets": [place for place, _ in fields.values()],
        "formats": [kind for _, kind in fields.values()],
        "itemsize": size,
    }
    made: Dtype = np.dtype(shape)
    return made


def _packed(**fields: str) -> Dtype:
    """Make a dtype of fields, one behind the other; the names of gaps begin with ``gap``."""
    whole = np.dtype(list(fields.items()))
    named: Mapping[str, Any] = whole.fields or {}
    kept = {name: named[name] for name in fields if not name.startswith("gap")}
    return _placed(
        whole.itemsize, **{name: (entry[1], entry[0].str) for name, entry in kept.items()}
    )


_HEADER_START: Final = {
    "magic": (0, "S4"),
    "crc": (4, "<u4"),
    "client": (8, "S2"),
    "version": (10, "<u2"),
}
_HEADER_ANSI: Final = _placed(
    512,
    **_HEADER_START,
    next_bid=(24, "<u4"),
    file_size=(168, "<u4"),
    amap_last=(172, "<u4"),
    amap_free=(176, "<u4"),
    pmap_free=(180, "<u4"),
    node_bid=(184, "<u4"),
    node_offset=(188, "<u4"),
    block_bid=(192, "<u4"),
    block_offset=(196, "<u4"),
    amap_valid=(200, "u1"),
    crypt=(461, "u1"),
)
_HEADER_UNICODE: Final = _placed(
    564,
    **_HEADER_START,
    file_size=(184, "<u8"),
    amap_last=(192, "<u8"),
    amap_free=(200, "<u8"),
    pmap_free=(208, "<u8"),
    node_bid=(216, "<u8"),
    node_offset=(224, "<u8"),
    block_bid=(232, "<u8"),
    block_offset=(240, "<u8"),
    amap_valid=(248, "u1"),
    crypt=(513, "u1"),
    next_bid=(516, "<u8"),
)

_NARROW_COUNTS: Final = _packed(count="u1", most="u1", entry_size="u1", level="u1")
_WIDE_COUNTS: Final = _packed(count="<u2", most="<u2", entry_size="u1", level="u1")

_NODE_WIDE: Final = _packed(nid="<u4", gap0="<u4", data="<u8", sub="<u8", parent="<u4", gap1="<u4")
_BRANCH_WIDE: Final = _packed(key="<u8", bid="<u8", offset="<u8")
_SUBNODE_WIDE: Final = _packed(nid="<u4", gap0="<u4", data="<u8", sub="<u8")
_SUBNODE_BRANCH_WIDE: Final = _packed(nid="<u4", gap0="<u4", bid="<u8")

ANSI: Final = Layout(
    name="ansi",
    header=_HEADER_ANSI,
    page_size=512,
    page_body=500,
    page_trailer_size=12,
    page=_packed(gap0="V500", kind="u1", kind_again="u1", signature="<u2", bid="<u4", crc="<u4"),
    entry_area=496,
    tree_counts=_NARROW_COUNTS,
    node_entry=_packed(nid="<u4", data="<u4", sub="<u4", parent="<u4"),
    block_entry=_packed(bid="<u4", offset="<u4", stored="<u2", references="<u2"),
    branch_entry=_packed(key="<u4", bid="<u4", offset="<u4"),
    block_align=64,
    block_trailer_size=12,
    largest_block=8180,
    block_tail=_packed(gap0="V52", size="<u2", signature="<u2", bid="<u4", crc="<u4"),
    bid=np.dtype("<u4"),
    data_tree_start=8,
    subnode_entry=_packed(nid="<u4", data="<u4", sub="<u4"),
    subnode_branch=_packed(nid="<u4", bid="<u4"),
    subnode_start=4,
    hid_index_bits=11,
    row_index_size=2,
    amap_first=0x4400,
    amap_span=253_952,
    amap_unit=64,
    amap_bytes=496,
    versions=(14, 15),
)

UNICODE: Final = Layout(
    name="unicode",
    header=_HEADER_UNICODE,
    page_size=512,
    page_body=496,
    page_trailer_size=16,
    page=_packed(gap0="V496", kind="u1", kind_again="u1", signature="<u2", crc="<u4", bid="<u8"),
    entry_area=488,
    tree_counts=_NARROW_COUNTS,
    node_entry=_NODE_WIDE,
    block_entry=_packed(bid="<u8", offset="<u8", stored="<u2", references="<u2", gap0="<u4"),
    branch_entry=_BRANCH_WIDE,
    block_align=64,
    block_trailer_size=16,
    largest_block=8176,
    block_tail=_packed(gap0="V48", size="<u2", signature="<u2", crc="<u4", bid="<u8"),
    bid=np.dtype("<u8"),
    data_tree_start=8,
    subnode_entry=_SUBNODE_WIDE,
    subnode_branch=_SUBNODE_BRANCH_WIDE,
    subnode_start=8,
    hid_index_bits=11,
    row_index_size=4,
    amap_first=0x4400,
    amap_span=253_952,
    amap_unit=64,
    amap_bytes=496,
    versions=(21, 35),
)

UNICODE_4K: Final = Layout(
    name="unicode_4k",
    header=_HEADER_UNICODE,
    page_size=4096,
    page_body=4072,
    page_trailer_size=24,
    page=_packed(
        gap0="V4072",
        kind="u1",
        kind_again="u1",
        signature="<u2",
        crc="<u4",
        bid="<u8",
        gap1="V8",
    ),
    entry_area=4056,
    tree_counts=_WIDE_COUNTS,
    node_entry=_NODE_WIDE,
    block_entry=_packed(
        bid="<u8", offset="<u8", stored="<u2", inflated="<u2", references="<u2", gap0="<u2"
    ),
    branch_entry=_BRANCH_WIDE,
    block_align=512,
    block_trailer_size=24,
    largest_block=65_512,
    block_tail=_packed(
        gap0="V488",
        size="<u2",
        signature="<u2",
        crc="<u4",
        bid="<u8",
        gap1="<u2",
        inflated="<u2",
        gap2="<u4",
    ),
    bid=np.dtype("<u8"),
    data_tree_start=8,
    subnode_entry=_SUBNODE_WIDE,
    subnode_branch=_SUBNODE_BRANCH_WIDE,
    subnode_start=8,
    hid_index_bits=14,
    row_index_size=4,
    amap_first=0x22000,
    amap_span=16_678_912,
    amap_unit=512,
    amap_bytes=4072,
    versions=(36, 63),
)

LAYOUTS: Final = (UNICODE, ANSI, UNICODE_4K)


def layout_of(version: int) -> Layout | None:
    """Return the layout that ``wVer`` of a header names, None when it names none."""
    for layout in LAYOUTS:
        first, last = layout.versions
        if first <= version <= last:
            return layout
    return None
