"""Table contexts, written row by row, [MS-PST] 2.3.4."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Mapping
from typing import Final, NamedTuple

from mailforensics.mapi import Property
from mailforensics.pst.layout import Layout, NidType
from mailforensics.pst.writer.blocks import BlockWriter, DataTree, NodeRef
from mailforensics.pst.writer.heap import LARGEST_ITEM, BTreeOnHeap, HeapWriter
from mailforensics.pst.writer.properties import FIXED_WIDTHS, SubNodes, stored_bytes

__all__ = ["MOST_COLUMNS", "Column", "TableWriter"]

MOST_COLUMNS: Final = 250
"""Columns of one table besides the two that number its rows."""

_TABLE_CONTEXT: Final = 0x7C
_ROW_ID: Final = 0x67F2
_ROW_VERSION: Final = 0x67F3
_REFERENCE: Final = 4


class Column(NamedTuple):
    """A column: the identifier and the type of its property."""

    tag: int
    kind: int


class _Cell(NamedTuple):
    """Where the values of a column lie in a row, TCOLDESC, [MS-PST] 2.3.4.2."""

    tag: int
    kind: int
    place: int
    width: int
    bit: int
    fixed: bool


def _width(kind: int) -> int:
    width = FIXED_WIDTHS.get(kind, _REFERENCE)
    return width if width <= 8 else _REFERENCE


def _is_fixed(kind: int) -> bool:
    return FIXED_WIDTHS.get(kind, 9) <= 8


class TableWriter:
    """Writes a table whose rows come in the order of their identifiers.

    Rows leave memory as soon as they fill a block, and so does what they refer to.

    Parameters
    ----------
    blocks : BlockWriter
        What it is written with.
    layout : Layout
        How the file is laid out.
    columns : iterable of Column
        Those of the rows; the two that number the rows are added.
    """

    def __init__(self, blocks: BlockWriter, layout: Layout, columns: Iterable[Column]) -> None:
        self._blocks = blocks
        self._layout = layout
        self._shape(list(columns)[:MOST_COLUMNS])
        self._heap = HeapWriter(blocks, layout, _TABLE_CONTEXT)
        self._index_root = self._heap.add(bytes(8))
        self._info_root = self._heap.add(bytes(22 + 8 * len(self._cells)))
        self._index = BTreeOnHeap(self._heap, 4, 4)
        self._subnodes = SubNodes()
        self._rows: list[bytes] = []
        self._matrix: DataTree | None = None
        self._matrix_nid = 0
        self.count = 0

    def _shape(self, columns: list[Column]) -> None:
        """Lay the columns out: 8- and 4-byte values, then 2, then 1, then the bits of presence."""
        named = [Column(_ROW_ID, 3), Column(_ROW_VERSION, 3), *columns]
        bits = {column.tag: bit for bit, column in enumerate(named)}
        order = named[:2] + [c for w in (8, 4, 2, 1) for c in columns if _width(c.kind) == w]
        place, cells, ends = 0, {}, {8: 0, 4: 0, 2: 0, 1: 0}
        for column in order:
            width = _width(column.kind)
            fixed = _is_fixed(column.kind)
            cells[column.tag] = _Cell(*column, place, width, bits[column.tag], fixed)
            place += width
            ends[width] = place
        self._end4 = max(ends[8], ends[4])
        self._end2 = max(self._end4, ends[2])
        self._end1 = max(self._end2, ends[1])
        self._row_size = self._end1 + (len(named) + 7) // 8
        self._cells = [cells[tag] for tag in sorted(cells)]

    def add(self, row_id: int, values: Mapping[int, Property]) -> None:
        """Add a row; values of another type than their column's are left out."""
        row = bytearray(self._row_size)
        self.count += 1
        for cell in self._cells:
            if cell.tag == _ROW_ID:
                data = struct.pack("<I", row_id)
            elif cell.tag == _ROW_VERSION:
                data = struct.pack("<I", self.count)
            else:
                entry = values.get(cell.tag)
                if entry is None or entry.kind != cell.kind:
                    continue
                data = self._cell(stored_bytes(entry), cell)
            row[cell.place : cell.place + cell.width] = data
            row[self._end1 + (cell.bit >> 3)] |= 0x80 >> (cell.bit & 7)
        self._index.add(struct.pack("<II", row_id, self.count - 1))
        self._rows.append(bytes(row))
        self._spill()

    def finish(self) -> NodeRef:
        """Write what is left and return the content of the table's node."""
        index = self._index.finish()
        rows = self._finish_rows()
        head = struct.pack(
            "<BBHHHHIII",
            _TABLE_CONTEXT,
            len(self._cells),
            self._end4,
            self._end2,
            self._end1,
            self._row_size,
            self._index_root,
            rows,
            0,
        )
        columns = (
            struct.pack("<IHBB", cell.tag << 16 | cell.kind, cell.place, cell.width, cell.bit)
            for cell in self._cells
        )
        self._heap.replace(self._index_root, index)
        self._heap.replace(self._info_root, head + b"".join(columns))
        data = self._heap.finish(self._info_root)
        return NodeRef(data, self._blocks.subnodes(self._subnodes.nodes))

    def _cell(self, data: bytes, cell: _Cell) -> bytes:
        if cell.fixed:
            return data
        if len(data) <= LARGEST_ITEM:
            return struct.pack("<I", self._heap.add(data))
        return struct.pack("<I", self._subnodes.hold(self._blocks, data))

    @property
    def _per_block(self) -> int:
        return self._layout.largest_block // self._row_size

    def _spill(self) -> None:
        """Write rows that fill a block, once there are more than the heap can hold."""
        if self._matrix is None:
            if len(self._rows) * self._row_size <= LARGEST_ITEM:
                return
            self._matrix = DataTree(self._blocks)
            self._matrix_nid = self._subnodes.take(NidType.LTP)
        while len(self._rows) > self._per_block:
            block = b"".join(self._rows[: self._per_block])
            self._matrix.append(block.ljust(self._layout.largest_block, b"\0"))
            del self._rows[: self._per_block]

    def _finish_rows(self) -> int:
        """Return hnidRows of TCINFO, [MS-PST] 2.3.4.1."""
        rest = b"".join(self._rows)
        if self._matrix is None:
            return self._heap.add(rest)
        self._matrix.append(rest)
        self._subnodes.nodes[self._matrix_nid] = NodeRef(self._matrix.finish(), 0)
        return self._matrix_nid
