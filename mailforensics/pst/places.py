"""Folders as they are and as they were: where an old entry or a stale row says a message lay."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache
from typing import Final

import numpy as np

from mailforensics.mapi import Tag
from mailforensics.pst.blocks import BlockReader
from mailforensics.pst.items import Item
from mailforensics.pst.layout import NidType, SpecialNid
from mailforensics.pst.scan import Records
from mailforensics.pst.trees import Node, NodeTable

__all__ = ["FolderPlaces", "Place"]

_DEEPEST: Final = 400
_KEPT: Final = 4096


@dataclass(frozen=True, slots=True)
class Place:
    """A folder that a message lay in.

    Attributes
    ----------
    nid
        The folder's node.
    path
        Names from the top down, without the root; ``?`` stands for a name that is lost.
    deleted
        Whether the folder itself is gone from the index.
    """

    nid: int
    path: tuple[str, ...]
    deleted: bool


class FolderPlaces:
    """Names folders, live ones and deleted ones.

    Parameters
    ----------
    reader : BlockReader
        Reads live and left-over blocks.
    live : NodeTable
        The live nodes.
    versions : ndarray of :data:`~mailforensics.pst.history.NODE_VERSION`
        What old pages say of nodes.
    top : int, optional
        The folder that holds what users see; paths begin below it.
    """

    def __init__(
        self, reader: BlockReader, live: NodeTable, versions: Records, top: int | None = None
    ) -> None:
        self._reader = reader
        self._live = live
        self._tops = frozenset({0, int(SpecialNid.ROOT_FOLDER), top or 0})
        kinds = versions["nid"] & 0x1F
        self._old: Records = versions[(kinds == NidType.FOLDER) | (kinds == NidType.SEARCH_FOLDER)]
        self._name = lru_cache(maxsize=_KEPT)(self._read_name)
        self.place = lru_cache(maxsize=_KEPT)(self._place)

    def deleted(self) -> list[Place]:
        """Return the folders that old pages list and the live index does not, sorted by node."""
        nids = np.unique(self._old["nid"]).tolist()
        return [self.place(nid) for nid in nids if nid not in self._live]

    def _place(self, nid: int) -> Place:
        """Return what is known of a folder."""
        names: list[str] = []
        seen: set[int] = set()
        at = nid
        while at not in self._tops and at not in seen and len(seen) < _DEEPEST:
            seen.add(at)
            name, parent = self._name(at)
            names.append(name or "?")
            at = parent
        return Place(nid, tuple(reversed(names)), nid not in self._live)

    def _read_name(self, nid: int) -> tuple[str | None, int]:
        """Return the name of a folder and the folder above it; the newest that can be read."""
        nodes = self._nodes(nid)
        for node in nodes:
            name = Item(self._reader, node).properties.text(Tag.DISPLAY_NAME)
            if name:
                return name, node.parent
        return None, nodes[0].parent if nodes else 0

    def _nodes(self, nid: int) -> list[Node]:
        live = self._live.find(nid)
        if live is not None:
            return [live]
        first, last = np.searchsorted(self._old["nid"], [nid, nid + 1]).tolist()
        rows = self._old[["nid", "data", "sub", "parent"]][first:last]
        return [Node(*row) for row in rows.tolist()]
