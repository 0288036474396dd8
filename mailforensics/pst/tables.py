"""Table contexts: rows of the same properties, [MS-PST] 2.3.4."""

from __future__ import annotations

import struct
from collections.abc import Iterable, Iterator
from functools import lru_cache
from typing import Final, NamedTuple, TypeVar

from mailforensics.pst.faults import Damage, Fault
from mailforensics.pst.heap import Heap
from mailforensics.pst.layout import Layout
from mailforensics.pst.nodes import SubNodes
from mailforensics.pst.properties import FIXED_SIZES, CodePage, Properties, Stored

__all__ = ["Column", "Row", "Shape", "TableContext"]

_CLIENT: Final = 0x7C
_INFO: Final = struct.Struct("<BB4HIII")
_COLUMN: Final = struct.Struct("<IHBB")
_ONE_MATRIX: Final = 1 << 30


class Column(NamedTuple):
    """A column of a table, TCOLDESC, [MS-PST] 2.3.4.2.

    Attributes
    ----------
    kind
        The property type.
    offset, size
        Where its cell lies in a row, in bytes.
    apart
        Whether the cell only says where the value is (a HNID).
    bit_at, bit
        The byte and the bit of a row that say whether the cell is filled, 2.3.4.4.1.
    """

    kind: int
    offset: int
    size: int
    apart: bool
    bit_at: int
    bit: int


class Shape(NamedTuple):
    """How the rows of a table look: bytes of a row, and property identifier -> column."""

    row_size: int
    columns: dict[int, Column]


class Row(Properties):
    """One row of a table: the properties of one object.

    Attributes
    ----------
    row_id
        The key of the row: the node that it speaks of, or a running number.
    data
        Its bytes in the matrix.
    """

    __slots__ = ("data", "row_id", "table")

    def __init__(self, table: TableContext, row_id: int, data: bytes) -> None:
        super().__init__(table.faults, table.code_page)
        self.table = table
        self.row_id = row_id
        self.data = data

    @property
    def tags(self) -> Iterable[int]:
        """The identifiers of the cells that are filled."""
        data = self.data
        columns = self.table.shape.columns.items()
        return [tag for tag, column in columns if data[column.bit_at] & column.bit]

    def read(self, tag: int) -> Stored | None:
        """Return type and bytes of a cell, None when it is not filled.

        Raises
        ------
        Damage
            It is filled, but its value cannot be read.
        """
        column = self.table.shape.columns.get(tag)
        if column is None:
            return None
        kind, offset, size, apart, bit_at, bit = column
        data = self.data
        if not data[bit_at] & bit:
            return None
        cell = data[offset : offset + size]
        return kind, (self.table.value(int.from_bytes(cell, "little")) if apart else cell)


RowType = TypeVar("RowType", bound=Row)


class TableContext:
    """A table in a heap, TC, [MS-PST] 2.3.4.

    Parameters
    ----------
    heap : Heap
        The heap of the table.
    subnodes : SubNodes
        Its sub-nodes, which hold what is too large for the heap.
    layout : Layout
        How the store is laid out.
    faults : list of Fault
        Takes what is wrong with the table.
    code_page : int or callable, optional
        Code page of its 8-bit strings.

    Attributes
    ----------
    shape
        Its columns and the size of its rows.
    index
        Row identifier -> number of the row in the matrix, in the order of the index.

    Raises
    ------
    Damage
        The heap holds no table, or its head is damaged.
    """

    __slots__ = (
        "_matrix",
        "_rows",
        "code_page",
        "faults",
        "heap",
        "index",
        "layout",
        "shape",
        "subnodes",
    )

    def __init__(
        self,
        heap: Heap,
        subnodes: SubNodes,
        layout: Layout,
        faults: list[Fault],
        code_page: CodePage = None,
    ) -> None:
        self.heap = heap
        self.subnodes = subnodes
        self.layout = layout
        self.faults = faults
        self.code_page = code_page
        if heap.client != _CLIENT:
            raise Damage("table", f"The heap holds no table (kind {heap.client:#x}).")
        info = heap.item(heap.root)
        self.shape = _shape(info)
        hid_index, self._rows = struct.unpack_from("<II", info, 10)
        self._matrix: tuple[int, list[bytes | None]] | None = None
        self.index = self._index(hid_index)

    def _index(self, hid: int) -> dict[int, int]:
        """Read the row index, 2.3.4.3."""
        tree = self.heap.tree(hid)
        size = 4 + tree.data_size
        if tree.key_size != 4 or tree.data_size not in {2, 4}:
            raise Damage("table", "The index of the rows has another shape.")
        form = struct.Struct("<II" if tree.data_size == 4 else "<IH")
        return dict(form.iter_unpack(tree.records[: len(tree.records) // size * size]))

    def __len__(self) -> int:
        return len(self.index)

    def __iter__(self) -> Iterator[Row]:
        """Yield the rows that the index lists; a lost one becomes a fault."""
        return self.rows(Row)

    def rows(self, kind: type[RowType]) -> Iterator[RowType]:
        """Yield the rows that the index lists as objects of a kind of :class:`Row`."""
        for row_id, number in self.index.items():
            data = self._row(number)
            if data is None:
                self.faults.append(Fault("table", f"The row {row_id:#x} of a table is lost."))
            else:
                yield kind(self, row_id, data)

    def unlisted(self) -> Iterator[Row]:
        """Yield the rows that still lie in the matrix though the index lists them no more."""
        listed = set(self.index.values())
        per_block, blocks = self._blocks()
        for at, block in enumerate(blocks):
            for step in range(len(block or b"") // self.shape.row_size):
                number = at * per_block + step
                data = None if number in listed else self._row(number)
                if data is None:
                    continue
                row_id = int.from_bytes(data[:4], "little")
                if row_id and row_id not in self.index:
                    yield Row(self, row_id, data)

    def _row(self, number: int) -> bytes | None:
        per_block, blocks = self._blocks()
        at, step = divmod(number, per_block)
        size = self.shape.row_size
        block = blocks[at] if at < len(blocks) else None
        if block is None or (step + 1) * size > len(block):
            return None
        try:
            return block[step * size : step * size + size]
        except Damage:  # recovery gives blocks of which some bytes are lost
            return None

    def _blocks(self) -> tuple[int, list[bytes | None]]:
        """Return how many rows lie in a block, and the blocks of the row matrix, 2.3.4.4."""
        if self._matrix is None:
            try:
                self._matrix = self._read_matrix()
            except Damage as damage:
                self.faults.append(damage.fault)
                self._matrix = (_ONE_MATRIX, [])
        return self._matrix

    def _read_matrix(self) -> tuple[int, list[bytes | None]]:
        if self._rows & 0x1F == 0:
            return _ONE_MATRIX, [self.heap.item(self._rows)]
        blocks = self.subnodes.blocks(self._rows)
        if len(blocks) < 2:
            return _ONE_MATRIX, blocks
        full = self.layout.largest_block if blocks[0] is None else len(blocks[0])
        return max(1, full // self.shape.row_size), blocks

    def value(self, hnid: int) -> bytes:
        """Return the value that a cell points to.

        Raises
        ------
        Damage
            It cannot be read.
        """
        return self.subnodes.data(hnid) if hnid & 0x1F else self.heap.item(hnid)


@lru_cache(maxsize=256)
def _shape(info: bytes) -> Shape:
    """Read TCINFO and its columns, [MS-PST] 2.3.4.1; most tables of a store have equal ones."""
    if len(info) < _INFO.size or info[0] != _CLIENT:
        raise Damage("table", "A table has no head.")
    _, count, _, _, bitmap, row_size, *_ = _INFO.unpack_from(info)
    if len(info) < _INFO.size + count * _COLUMN.size or bitmap >= row_size or row_size < 4:
        raise Damage("table", "The head of a table is damaged.")
    columns = {}
    for tag, offset, size, bit in _COLUMN.iter_unpack(
        info[_INFO.size : _INFO.size + count * _COLUMN.size]
    ):
        kind = tag & 0xFFFF
        apart = kind not in FIXED_SIZES
        fits = offset + size <= bitmap and bitmap + (bit >> 3) < row_size
        if fits and size == FIXED_SIZES.get(kind, 4):
            at = bitmap + (bit >> 3)
            columns[tag >> 16] = Column(kind, offset, size, apart, at, 0x80 >> (bit & 7))
    return Shape(row_size, columns)
