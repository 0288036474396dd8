"""The sub-nodes of a node: what is too large for its heap, and its attachments and tables."""

from __future__ import annotations

from mailforensics.pst.blocks import BlockReader, SubNode
from mailforensics.pst.faults import Damage, Fault

__all__ = ["SubNodes"]


class SubNodes:
    """The sub-nodes of one node, read when somebody asks.

    Parameters
    ----------
    reader : BlockReader
        Reads the blocks.
    bid : int
        The block with their list; 0 for none.
    faults : list of Fault
        Takes what is wrong with the item that they belong to.
    entries : dict, optional
        The list where it is known already.
    """

    __slots__ = ("_entries", "bid", "faults", "reader")

    def __init__(
        self,
        reader: BlockReader,
        bid: int,
        faults: list[Fault],
        entries: dict[int, SubNode] | None = None,
    ) -> None:
        self.reader = reader
        self.bid = bid
        self.faults = faults
        self._entries = entries

    @property
    def entries(self) -> dict[int, SubNode]:
        """Node identifier -> where its data and its own sub-nodes are; empty when unreadable."""
        if self._entries is None:
            try:
                self._entries = self.reader.subnodes(self.bid, self.faults)
            except Damage as damage:
                self.faults.append(damage.fault)
                self._entries = {}
        return self._entries

    def of_type(self, kind: int) -> list[int]:
        """Return the identifiers of a :class:`~mailforensics.pst.layout.NidType`, in order."""
        return [nid for nid in self.entries if nid & 0x1F == kind]

    def blocks(self, nid: int) -> list[bytes | None]:
        """Return the data blocks of a sub-node; None stands for one that is lost.

        Raises
        ------
        Damage
            There is no such sub-node, or its data tree cannot be read.
        """
        return self.reader.data_blocks(self._entry(nid).data_bid, self.faults)

    def data(self, nid: int) -> bytes:
        """Return the joined data of a sub-node.

        Raises
        ------
        Damage
            There is no such sub-node, or a part of its data is lost.
        """
        return self.reader.data(self._entry(nid).data_bid, self.faults)

    def below(self, nid: int) -> SubNodes:
        """Return the sub-nodes of a sub-node.

        Raises
        ------
        Damage
            There is no such sub-node.
        """
        return SubNodes(self.reader, self._entry(nid).sub_bid, self.faults)

    def _entry(self, nid: int) -> SubNode:
        found = self.entries.get(nid)
        if found is None:
            raise Damage("subnode", f"The sub-node {nid:#x} is missing.")
        return found
