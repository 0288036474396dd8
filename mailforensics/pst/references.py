"""Which blocks other blocks name: parts of data trees and of sub-node trees.

What nothing names is the head of something: the data of a node, or the list of its sub-nodes.
[MS-PST] 2.2.2.8.3
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from typing import Any, Final

import numpy as np
import numpy.typing as npt

from mailforensics.pst.blocks import BlockReader
from mailforensics.pst.faults import Damage

__all__ = ["References", "read_references"]

_DATA_TREE: Final = 1
_SUBNODE_TREE: Final = 2
_LEVELS: Final = 2
_CLEAR: Final = np.uint64(0xFFFF_FFFF_FFFF_FFFE)

Ints = npt.NDArray[np.int64]


@dataclass(slots=True)
class References:
    """What the tree blocks of a file name.

    Attributes
    ----------
    named : ndarray of int64
        Every block that a tree block names, sorted, each once.
    below : ndarray of int64
        Those of them that are sub-node trees of sub-nodes, or parts of a larger such tree.
    data_trees
        First data block -> root of the data tree (the newest, when several begin alike).
    subnode_trees
        Blocks that list sub-nodes and that no other such block names, sorted.
    """

    named: Ints
    below: Ints
    data_trees: dict[int, int] = field(default_factory=dict)
    subnode_trees: list[int] = field(default_factory=list)

    def names(self, bid: int) -> bool:
        """Whether some tree block names a block."""
        return _holds(self.named, bid)

    def root_of(self, bid: int) -> int:
        """Return the root of the data tree that begins with a block, else the block itself."""
        root = bid
        for _ in range(_LEVELS):
            root = self.data_trees.get(root, root)
        return root


def _holds(values: Ints, value: int) -> bool:
    at = int(np.searchsorted(values, value))
    return at < len(values) and int(values[at]) == value


def read_references(reader: BlockReader, bids: Iterable[int]) -> References:
    """Read all tree blocks.

    Parameters
    ----------
    reader : BlockReader
        Reads live and free blocks.
    bids : iterable of int
        The identifiers of all blocks that hold trees.
    """
    gathered = _Gathered(reader)
    for bid in bids:
        gathered.add(bid)
    return gathered.result()


class _Gathered:
    def __init__(self, reader: BlockReader) -> None:
        self.reader = reader
        self.named: list[Ints] = []
        self.below: list[Ints] = []
        self.data_trees: dict[int, int] = {}
        self.parts: set[int] = set()
        self.lists: list[int] = []

    def add(self, bid: int) -> None:
        """Note what one block names; one that is no tree block names nothing."""
        try:
            block = self.reader.read(bid, [])
        except Damage:
            return
        if len(block) >= 8 and block[0] == _DATA_TREE and block[1] in {1, 2}:
            self._data_tree(bid, block)
        elif len(block) >= 8 and block[0] == _SUBNODE_TREE and block[1] in {0, 1}:
            self._subnodes(bid, block)

    def _data_tree(self, bid: int, block: bytes) -> None:
        layout = self.reader.layout
        raw = np.frombuffer(block, layout.bid, *_reach(block, layout.bid, layout.data_tree_start))
        bids = _clear(raw)
        self.named.append(bids)
        if len(bids):
            first = int(bids[0])
            self.data_trees[first] = max(bid, self.data_trees.get(first, 0))

    def _subnodes(self, bid: int, block: bytes) -> None:
        layout = self.reader.layout
        kind = layout.subnode_branch if block[1] else layout.subnode_entry
        rows = np.frombuffer(block, kind, *_reach(block, kind, layout.subnode_start))
        columns = [_clear(rows[name]) for name in (("bid",) if block[1] else ("data", "sub"))]
        self.named += columns
        self.below.append(columns[-1])
        self.lists.append(bid)

    def result(self) -> References:
        named, below = _unique(self.named), _unique(self.below)
        trees = sorted(bid for bid in self.lists if not _holds(below, bid))
        return References(named, below, self.data_trees, trees)


def _reach(block: bytes, kind: np.dtype[Any], start: int) -> tuple[int, int]:
    """Return how many rows a tree block has, never more than fit, and where they begin."""
    count = int.from_bytes(block[2:4], "little")
    return max(0, min(count, (len(block) - start) // kind.itemsize)), start


def _clear(bids: npt.NDArray[Any]) -> Ints:
    """Clear the reserved lowest bit."""
    found: Ints = (bids.astype(np.uint64) & _CLEAR).astype(np.int64)
    return found


def _unique(parts: list[Ints]) -> Ints:
    joined: Ints = np.unique(np.concatenate([np.empty(0, np.int64), *parts]))
    return joined
