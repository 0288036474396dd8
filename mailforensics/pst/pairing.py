"""Gathering what :mod:`mailforensics.pst.matching` decides on: orphans, lists, and habits."""

from __future__ import annotations

from functools import cached_property
from typing import Final

from mailforensics.pst.blocks import BlockReader
from mailforensics.pst.layout import NidType
from mailforensics.pst.likeness import likeness_of
from mailforensics.pst.matching import (
    Candidate,
    Ground,
    Habits,
    Proof,
    candidate_of,
    fits,
    match,
    tree_of,
)
from mailforensics.pst.messages import Message
from mailforensics.pst.orphans import Orphans, is_message, orphan_message
from mailforensics.pst.scan import Records
from mailforensics.pst.store import PstStore
from mailforensics.pst.trees import Node

__all__ = ["Pairing"]

_SAMPLE: Final = 200
"""Live messages from which the habits of a file are learned."""


class Pairing:
    """Pairs the orphan messages of a store with orphan lists of sub-nodes.

    Parameters
    ----------
    store : PstStore
        The store.
    reader : BlockReader
        Reads live and left-over blocks.
    versions : ndarray of :data:`~mailforensics.pst.history.NODE_VERSION`
        What old pages say of nodes.
    orphans : Orphans
        Heads of things that nothing names.
    """

    def __init__(
        self, store: PstStore, reader: BlockReader, versions: Records, orphans: Orphans
    ) -> None:
        self.store = store
        self.reader = reader
        self.versions = versions
        self.orphans = orphans

    def proofs(self) -> dict[int, Proof]:
        """Return, for data blocks of orphan messages, the list of sub-nodes proven to be theirs."""
        known = list(filter(None, map(self._candidate, self.orphans.contexts)))
        trees = [tree_of(self.reader, bid) for bid in self.orphans.trees]
        found = match(known, [tree for tree in trees if tree], self.habits)
        for candidate in known:
            if candidate.data_bid not in found:
                kept = self._kept_list(candidate)
                if kept:
                    found[candidate.data_bid] = Proof(kept, Ground.KIN)
        return found

    def _candidate(self, data_bid: int) -> Candidate | None:
        message = orphan_message(self.reader, data_bid, 0, self.store.code_page)
        return candidate_of(message) if is_message(message) else None

    def _kept_list(self, candidate: Candidate) -> int:
        """Return the list of an older state of a message, which saving it anew left in place."""
        message = orphan_message(self.reader, candidate.data_bid, 0, self.store.code_page)
        for digest in likeness_of(message).kin:
            for bid in self._old_lists.get(digest, ()):
                tree = tree_of(self.reader, bid)
                if tree is not None and fits(candidate, tree, self.habits):
                    return bid
        return 0

    @cached_property
    def _old_lists(self) -> dict[int, list[int]]:
        """Search key and subject of a deleted message -> lists that old pages say are its."""
        found: dict[int, list[int]] = {}
        wanted = (self.versions["nid"] & 0x1F == NidType.MESSAGE) & (self.versions["sub"] != 0)
        for row in self.versions[["nid", "data", "sub", "parent"]][wanted].tolist():
            node = Node(*row)
            if node.nid in self.store.nodes:
                continue
            message = Message(self.reader, node, None, self.store.code_page)
            for digest in likeness_of(message).kin if message.readable else ():
                found.setdefault(digest, []).append(node.sub_bid)
        return found

    @cached_property
    def habits(self) -> Habits:
        """What the live messages of this file have in common, from some of them."""
        nids = self.store.nodes.of_type(NidType.MESSAGE)
        seen = []
        for nid in nids[:: max(1, len(nids) // _SAMPLE)].tolist():
            node = self.store.nodes.find(nid)
            tree = tree_of(self.reader, node.sub_bid) if node and node.sub_bid else None
            if node is not None and tree is not None:
                message = Message(self.reader, node, None, self.store.code_page)
                seen.append((candidate_of(message), tree))
        return Habits.of(seen)
