"""The pages of the node tree and of the block tree, [MS-PST] 2.2.2.7.7."""

from __future__ import annotations

import struct
from typing import Final

import numpy as np
import numpy.typing as npt

from mailforensics.pst.header import PageRef
from mailforensics.pst.layout import Layout, PageType
from mailforensics.pst.writer.blocks import NodeRef
from mailforensics.pst.writer.space import Space

__all__ = ["NodeList", "PageTreeWriter"]

_NODE: Final = np.dtype([("nid", "<u8"), ("rest", "V24")])


class NodeList:
    """The nodes of a store, kept as the bytes of their entries (NBTENTRY, 2.2.2.7.7.4)."""

    def __init__(self) -> None:
        self._entries = bytearray()
        self.highest: dict[int, int] = {}

    def add(self, nid: int, content: NodeRef, parent: int = 0) -> None:
        """Remember a node; each identifier once."""
        self._entries += struct.pack("<QQQII", nid, *content, parent, 0)
        kind, index = nid & 0x1F, nid >> 5
        self.highest[kind] = max(self.highest.get(kind, 0), index)

    def entries(self) -> bytes:
        """Return all entries, sorted."""
        nodes: npt.NDArray[np.void] = np.frombuffer(bytes(self._entries), _NODE)
        return nodes[np.argsort(nodes["nid"], kind="stable")].tobytes()


class PageTreeWriter:
    """Writes trees of pages, leaves first.

    Parameters
    ----------
    space : Space
        Where they go.
    layout : Layout
        How the file is laid out.
    """

    def __init__(self, space: Space, layout: Layout) -> None:
        self._space = space
        self._layout = layout
        self.next_bid = 1

    def write(self, kind: PageType, entries: bytes, size: int) -> PageRef:
        """Write a tree over sorted entries of ``size`` bytes, whose first 8 are the key."""
        level = 0
        while True:
            most = self._layout.entry_area // size
            step = most * size
            starts = range(0, max(len(entries), 1), step)
            pages = [self._page(kind, entries[at : at + step], size, level) for at in starts]
            if len(pages) == 1:
                return pages[0][1]
            entries = b"".join(struct.pack("<QQQ", key, *_pair(ref)) for key, ref in pages)
            size, level = 24, level + 1

    def _page(self, kind: PageType, entries: bytes, size: int, level: int) -> tuple[int, PageRef]:
        layout = self._layout
        counts = np.zeros(1, layout.tree_counts)
        counts[0] = (len(entries) // size, layout.entry_area // size, size, level)
        bid = self.next_bid
        self.next_bid += 1
        body = entries.ljust(layout.entry_area, b"\0") + counts.tobytes()
        key = struct.unpack_from("<Q", entries)[0] if entries else 0
        return key, PageRef(bid, self._space.page(kind, body, bid))


def _pair(ref: PageRef) -> tuple[int, int]:
    return ref.bid, ref.offset
