"""Rows of contents tables that name messages which are not there any more.

A row whose message was deleted stays in the matrix of its table until it is written over; and old
versions of tables lie in free blocks, whole. They give subject, people and dates, and no body.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from mailforensics.mapi import Tag
from mailforensics.pst.blocks import BlockReader
from mailforensics.pst.faults import Damage, Fault
from mailforensics.pst.heap import Heap
from mailforensics.pst.layout import NidType
from mailforensics.pst.nodes import SubNodes
from mailforensics.pst.scan import Records
from mailforensics.pst.store import PstStore
from mailforensics.pst.tables import Row, TableContext
from mailforensics.pst.trees import Node

__all__ = ["Trace", "stale_rows"]


@dataclass(frozen=True, slots=True)
class Trace:
    """A row that names a message.

    Attributes
    ----------
    row_id
        The node that the message had.
    row
        What the table says of it.
    folder
        The folder whose table it is; 0 when nothing tells it.
    table_bid
        The data of the table.
    """

    row_id: int
    row: Row
    folder: int
    table_bid: int

    @property
    def subject(self) -> str | None:
        """The subject, without the mark that says where its prefix ends."""
        found = self.row.text(Tag.SUBJECT)
        return (found[2:] if found and found[0] == "\x01" else found) or None


def stale_rows(
    store: PstStore, reader: BlockReader, versions: Records, orphans: list[int]
) -> Iterator[Trace]:
    """Yield each message that a row of a contents table names, once.

    Stale rows of live tables come first, then old versions of tables, then tables that nothing
    leads to. Rows of live messages are among them: the caller knows which those are.

    Parameters
    ----------
    store : PstStore
        The store.
    reader : BlockReader
        Reads live and left-over blocks.
    versions : ndarray of :data:`~mailforensics.pst.history.NODE_VERSION`
        What old pages say of nodes.
    orphans : list of int
        The data of tables that nothing leads to.
    """
    seen: set[int] = set()
    for node, is_live in _tables(store, versions, orphans):
        for row in _rows(reader, node, is_live=is_live, page=store.code_page):
            if row.row_id & 0x1F != NidType.MESSAGE or row.row_id in seen or not _tells(row):
                continue
            seen.add(row.row_id)
            folder = node.nid & ~0x1F | NidType.FOLDER if node.nid else 0
            yield Trace(row.row_id, row, folder, node.data_bid)


def _tables(store: PstStore, versions: Records, orphans: list[int]) -> Iterator[tuple[Node, bool]]:
    for nid in store.nodes.of_type(NidType.CONTENTS_TABLE).tolist():
        node = store.nodes.find(nid)
        if node is not None:
            yield node, True
    old = versions[versions["nid"] & 0x1F == NidType.CONTENTS_TABLE]
    for row in old[["nid", "data", "sub", "parent"]].tolist():
        yield Node(*row), False
    for data_bid in orphans:
        yield Node(0, data_bid, 0, 0), False


def _rows(reader: BlockReader, node: Node, *, is_live: bool, page: int | None) -> Iterator[Row]:
    """Yield the rows of a table; of a live one only those that its index lists no more."""
    faults: list[Fault] = []
    try:
        heap = Heap(reader.data_blocks(node.data_bid, faults), reader.layout)
        below = SubNodes(reader, node.sub_bid, faults)
        table = TableContext(heap, below, reader.layout, faults, page)
    except Damage:
        return
    if not is_live:
        yield from table
    yield from table.unlisted()


def _tells(row: Row) -> bool:
    """Whether a row says anything of its message; the rest of an overwritten one does not."""
    subject = row.text(Tag.SUBJECT) or ""
    name = row.text(Tag.MESSAGE_CLASS) or ""
    return bool(subject or name) and "\ufffd" not in subject + name and name.isascii()
