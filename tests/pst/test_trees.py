from __future__ import annotations

import struct

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailforensics.pst.header import PageRef
from mailforensics.pst.layout import ANSI, UNICODE, PageType
from mailforensics.pst.sums import crc, signature
from mailforensics.pst.trees import BlockTable, NodeTable, walk

NODE, BLOCK = PageType.NODE_TREE, PageType.BLOCK_TREE


def page(offset, kind, level, rows, bid=None):
    """A page of the Unicode layout; ``rows`` are bytes of equal length."""
    body = b"".join(rows).ljust(488, b"\0")
    size = len(rows[0]) if rows else 32
    body += struct.pack("<BBBB4x", len(rows), 15, size, level)
    bid = offset // 512 if bid is None else bid
    return body + struct.pack("<BBHIQ", kind, kind, signature(offset, bid), crc(body), bid)


def node(nid, data=4, sub=0, parent=0x122):
    return struct.pack("<QQQII", nid, data, sub, parent, 0)


def branch(key, offset, bid=None):
    return struct.pack("<QQQ", key, offset // 512 if bid is None else bid, offset)


def image(*pages):
    return bytes(512) + b"".join(pages)


def test_a_tree_of_two_levels():
    data = image(
        page(512, NODE, 1, [branch(1, 1024), branch(9, 1536)]),
        page(1024, NODE, 0, [node(1), node(5)]),
        page(1536, NODE, 0, [node(9, 9, 13, 1)]),
    )
    found = walk(data, UNICODE, PageRef(1, 512), NODE)
    assert found.whole
    assert found.faults == []
    assert found.pages == [512, 1024, 1536]
    table = NodeTable(found.leaves)
    assert [entry.nid for entry in table] == [1, 5, 9]
    assert table.find(9) == (9, 8, 12, 1)
    assert table.find(2) is None
    assert 5 in table
    assert "5" not in table


@pytest.mark.parametrize(
    ("pages", "read"),
    [
        ([page(512, NODE, 1, [branch(1, 512)])], 0),
        ([page(512, NODE, 1, [branch(1, 1024), branch(2, 1024)]),
          page(1024, NODE, 0, [node(1)])], 1),
        ([page(512, NODE, 1, [branch(1, 1024)]), page(1024, BLOCK, 0, [node(1)])], 0),
        ([page(512, NODE, 2, [branch(1, 1024)]), page(1024, NODE, 0, [node(1)])], 0),
        ([page(512, NODE, 1, [branch(1, 1 << 40), branch(2, 1024)]),
          page(1024, NODE, 0, [node(1)])], 1),
        ([page(512, NODE, 200, [branch(1, 1024)])], 0),
        ([bytes(512)], 0),
    ],
)  # fmt: skip
def test_damaged_trees_give_what_can_be_read(pages, read):
    found = walk(image(*pages), UNICODE, PageRef(1, 512), NODE)
    assert not found.whole
    assert found.faults
    assert len(found.leaves) == read


def test_a_page_with_another_name_or_checksum_is_read_and_told():
    data = image(page(512, NODE, 0, [node(1)], bid=77))
    found = walk(data, UNICODE, PageRef(1, 512), NODE)
    assert len(found.leaves) == 1
    assert found.whole
    assert "not the one" in found.faults[0].detail
    broken = bytearray(image(page(512, NODE, 0, [node(1)])))
    broken[512 + 300] = 1
    found = walk(bytes(broken), UNICODE, PageRef(1, 512), NODE)
    assert len(found.leaves) == 1
    assert "checksum" in found.faults[0].detail


def test_a_store_in_the_middle_of_an_image():
    data = b"#" * 777 + image(page(512, NODE, 0, [node(3)]))
    assert len(walk(data, UNICODE, PageRef(1, 512), NODE, start=777).leaves) == 1


IDS = st.integers(0, (1 << 32) - 1)


@given(st.lists(st.tuples(IDS, IDS, IDS, IDS), max_size=50), st.sampled_from([UNICODE, ANSI]))
def test_nodes_are_found_as_in_a_dict(rows, layout):
    array = np.zeros(len(rows), layout.node_entry)
    for at, row in enumerate(rows):
        array[at] = row
    table = NodeTable(array)
    known = {}
    for nid, data, sub, parent in rows:
        known.setdefault(nid, (nid, data & ~1, sub & ~1, parent))
    assert {entry.nid: tuple(entry) for entry in table} == known
    assert all(table.find(nid) == entry for nid, entry in known.items())
    assert len(table) + table.repeated == len(rows)
    for parent in {row[3] for row in rows}:
        expected = sorted(n for n, e in known.items() if e[3] == parent and n & 31 == 4)
        assert table.children(parent, 4) == [nid for nid in expected if nid != parent]


BIDS = st.integers(0, (1 << 64) - 1)


@given(st.lists(st.tuples(BIDS, BIDS, st.integers(0, 65535)), max_size=50))
def test_blocks_are_found_as_in_a_dict(rows):
    array = np.zeros(len(rows), UNICODE.block_entry)
    for at, (bid, offset, size) in enumerate(rows):
        array[at] = (bid, offset, size, 2)
    table = BlockTable(array)
    known = {}
    for bid, offset, size in rows:
        if bid < 1 << 63:
            known.setdefault(bid & ~1, (min(offset, (1 << 63) - 1), size))
    for bid, (offset, size) in known.items():
        if bid != (1 << 63) - 2:
            assert table.find(bid | 1) == (bid, offset, size, size)
    assert len(table) + table.repeated == len(rows)
    assert table.find((1 << 64) - 2) is None


@given(
    st.binary(min_size=512, max_size=3000), st.integers(-5, 5000), st.sampled_from([NODE, BLOCK])
)
def test_no_bytes_make_a_walk_fail(data, offset, kind):
    marked = bytearray(data)
    for at in range(496, len(marked) - 1, 512):
        marked[at] = marked[at + 1] = kind
    found = walk(bytes(marked), UNICODE, PageRef(1, offset), kind)
    assert found.whole or found.faults
