"""Objects of a store: a node with properties and sub-nodes of its own."""

from __future__ import annotations

from mailforensics.pst.blocks import BlockReader, SubNode
from mailforensics.pst.faults import Damage, Fault
from mailforensics.pst.heap import Heap
from mailforensics.pst.nodes import SubNodes
from mailforensics.pst.properties import CodePage, PropertyContext, Stored
from mailforensics.pst.tables import TableContext
from mailforensics.pst.trees import Node

__all__ = ["Absent", "Item"]


class Absent(PropertyContext):
    """Stands for the properties of an object whose heap cannot be read."""

    __slots__ = ()

    def __init__(self, subnodes: SubNodes, faults: list[Fault]) -> None:
        super(PropertyContext, self).__init__(faults)
        self.subnodes = subnodes
        self.records = {}

    def read(self, tag: int) -> Stored | None:  # noqa: ARG002 - there is none
        """Return None: there is none."""
        return None


class Item:
    """An object with properties of its own and sub-nodes: message, folder, attachment, store.

    Reading it never fails: what cannot be read is absent and told in :attr:`faults`.

    Parameters
    ----------
    reader : BlockReader
        Reads the blocks.
    node : Node
        Where its data and sub-nodes are.
    faults : list of Fault, optional
        Takes what is wrong with it; an object inside another shares its list.
    code_page : int or callable, optional
        Code page of 8-bit strings where it names none.
    subnodes : dict, optional
        Its sub-nodes where they are known already (recovery infers them).

    Attributes
    ----------
    node, nid
        As given.
    properties
        Its properties.
    readable
        Whether its property context could be read.
    faults
        What is wrong with it, as far as it was looked at.
    """

    __slots__ = ("faults", "node", "properties", "readable", "reader", "subnodes")

    def __init__(
        self,
        reader: BlockReader,
        node: Node,
        faults: list[Fault] | None = None,
        code_page: CodePage = None,
        subnodes: dict[int, SubNode] | None = None,
    ) -> None:
        self.reader = reader
        self.node = node
        self.faults: list[Fault] = [] if faults is None else faults
        self.subnodes = SubNodes(reader, node.sub_bid, self.faults, subnodes)
        self.readable = True
        self.properties = self._properties(code_page)

    def _properties(self, code_page: CodePage) -> PropertyContext:
        try:
            blocks = self.reader.data_blocks(self.node.data_bid, self.faults)
            heap = Heap(blocks, self.reader.layout)
            return PropertyContext(heap, self.subnodes, self.faults, code_page)
        except Damage as damage:
            self.faults.append(damage.fault)
            self.readable = False
            return Absent(self.subnodes, self.faults)

    @property
    def nid(self) -> int:
        """Its node identifier."""
        return self.node.nid

    @property
    def heap_size(self) -> int:
        """Bytes of the heap that holds its properties."""
        return self.properties.heap.size if self.readable else 0

    def table(self, nid: int) -> TableContext | None:
        """Return a table among its sub-nodes; None when it is absent or unreadable."""
        if nid not in self.subnodes.entries:
            return None
        try:
            layout = self.reader.layout
            heap = Heap(self.subnodes.blocks(nid), layout)
            below = self.subnodes.below(nid)
            page = self.properties.text_code_page
            return TableContext(heap, below, layout, self.faults, page)
        except Damage as damage:
            detail = f"The table {nid:#x}: {damage}"
            self.faults.append(Fault("table", detail, damage.fault.offset))
            return None

    def __repr__(self) -> str:
        return f"<{type(self).__name__} nid:0x{self.nid:x}>"
