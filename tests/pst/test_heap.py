from __future__ import annotations

import struct
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailforensics.pst.faults import Damage
from mailforensics.pst.heap import Heap
from mailforensics.pst.layout import UNICODE, UNICODE_4K
from mailforensics.pst.nodes import SubNodes
from mailforensics.pst.properties import PropertyContext, Room, values_of
from mailforensics.pst.tables import TableContext
from tests.pst.crafted import Image, heap_block, properties_block


def properties(block, layout=UNICODE, image=None, sub=0):
    faults = []
    reader = (image or Image(layout)).reader
    heap = Heap([block], layout)
    return PropertyContext(heap, SubNodes(reader, sub, faults), faults), faults


@pytest.mark.parametrize("layout", [UNICODE, UNICODE_4K], ids=lambda layout: layout.name)
def test_items_over_two_blocks(layout):
    blocks = [heap_block([b"one", b"", b"three"]), heap_block([b"four"], first=False)]
    heap = Heap(blocks, layout)
    second = 1 << (5 + layout.hid_index_bits)
    assert [heap.item(hid) for hid in (0, 0x20, 0x40, 0x60)] == [b"", b"one", b"", b"three"]
    assert heap.item(second | 0x20) == b"four"
    for hid in (0x80, second | 0x40, second * 2 | 0x20, 0x21, 0xFFFFFFE0):
        with pytest.raises(Damage):
            heap.item(hid)


def test_a_lost_block_of_a_heap_is_damage_only_for_what_lay_in_it():
    heap = Heap([heap_block([b"one"]), None], UNICODE)
    assert heap.item(0x20) == b"one"
    with pytest.raises(Damage, match="lost"):
        heap.item(1 << 16 | 0x20)


def test_trees_with_levels_and_trees_that_turn_back():
    leaf = struct.pack("<HI", 1, 10) + struct.pack("<HI", 2, 20)
    other = struct.pack("<HI", 3, 30)
    index = struct.pack("<HIHI", 1, 0x60, 3, 0x80)
    head = struct.pack("<BBBBI", 0xB5, 2, 4, 1, 0x40)
    heap = Heap([heap_block([head, index, leaf, other])], UNICODE)
    assert heap.tree(0x20).records == leaf + other
    twice = struct.pack("<HIHI", 1, 0x60, 3, 0x60)
    heap = Heap([heap_block([head, twice, leaf])], UNICODE)
    with pytest.raises(Damage, match="twice"):
        heap.tree(0x20)
    deep = struct.pack("<BBBBI", 0xB5, 2, 4, 255, 0x40)
    with pytest.raises(Damage, match="levels"):
        Heap([heap_block([deep])], UNICODE).tree(0x20)


def test_values_of_every_kind():
    image = Image(UNICODE)
    image.put(4, "long text".encode("utf-16-le"))
    image.subnodes(2, 0, [(0x803F, 4, 0)])
    rows = [
        (0x0017, 0x0003, 0xFFFFFFFF),
        (0x0002, 0x0002, 0xFFFE),
        (0x0E1B, 0x000B, 1),
        (0x0037, 0x001F, 0x60),
        (0x0039, 0x0040, 0x80),
        (0x3001, 0x001E, 0xA0),
        (0x300B, 0x0102, 0xC0),
        (0x1000, 0x001F, 0x803F),
        (0x0E04, 0x001F, 0),
        (0x0E08, 0x0014, 0x80),
        (0x7D, 0x001F, 0x805F),
    ]
    ticks = struct.pack("<Q", 132539328000000000)
    block = properties_block(rows, "Café\0".encode("utf-16-le"), ticks, b"plain\0", b"\0\1\2")
    bag, faults = properties(block, image=image, sub=2)
    assert bag.integer(0x17) == -1
    assert bag.integer(0x02) == -2
    assert bag.flag(0x0E1B) is True
    assert bag.text(0x37) == "Café"
    assert bag.ticks(0x39) == 132539328000000000
    assert bag.moment(0x39).isoformat() == "2021-01-01T00:00:00+00:00"
    assert bag.text(0x3001) == "plain"
    assert bag.binary(0x300B) == b"\0\1\2"
    assert bag.text(0x1000) == "long text"
    assert bag.text(0x0E04) is None
    assert bag.integer(0x0E08) == 132539328000000000
    assert bag.external() == [0x805F, 0x803F]
    assert [bag.text(0x17), bag.integer(0x37), bag.moment(0x37), bag.flag(0x37)] == [None] * 4
    assert faults == []
    assert bag.text(0x7D) is None
    assert bag.unreadable == [0x7D]
    assert [fault.code for fault in faults] == ["property"]
    assert bag.text(0x7D) is None
    assert len(faults) == 1


def test_eight_bit_strings_take_the_code_page_of_their_object():
    text = "合同".encode("gb18030")
    named = properties_block([(0x3FFD, 0x0003, 936), (0x37, 0x001E, 0x60)], text)
    assert properties(named)[0].text(0x37) == "合同"
    bare = properties_block([(0x37, 0x001E, 0x60)], text)
    faults = []
    for page in (936, lambda: 936):
        below = SubNodes(Image(UNICODE).reader, 0, faults)
        bag = PropertyContext(Heap([bare], UNICODE), below, faults, page)
        assert bag.text(0x37) == "合同"
        assert bag.bag().text(0x37) == "合同"


def test_values_that_are_many():
    assert values_of(0x1003, struct.pack("<3i", 1, 2, 3)) == (b"\1\0\0\0", b"\2\0\0\0", b"\3\0\0\0")
    many = struct.pack("<III", 2, 12, 15) + b"abcde"
    assert values_of(0x1102, many) == (b"abc", b"de")
    assert values_of(0x1102, b"\xff\xff\xff\xff") == ()
    assert values_of(0x0102, many) == ()


def test_no_room_is_told():
    rows = [(tag, 0x0102, 0x60) for tag in range(1, 40)]
    bag, _ = properties(properties_block(rows, b"x" * 1000))
    read = bag.bag(room=Room(5000))
    assert 1 < len(read.values) < 8
    assert len(read.values) + len(read.unreadable) >= 38


def table(info, *items, layout=UNICODE):
    head = struct.pack("<BBBBI", 0xB5, 4, 4, 0, 0x60)
    faults = []
    below = SubNodes(Image(layout).reader, 0, faults)
    heap = Heap([heap_block([head, info, *items], client=0x7C, root=0x40)], layout)
    return TableContext(heap, below, layout, faults), faults


INFO = struct.pack("<BB4HIII", 0x7C, 3, 12, 12, 13, 14, 0x20, 0x80, 0) + b"".join(
    struct.pack("<IHBB", *column)
    for column in (
        (0x67F20003, 0, 4, 0),
        (0x3001001F, 8, 4, 2),
        (0x0E1B000B, 12, 1, 1),
    )
)


def row(row_id, flag, hid, filled):
    return struct.pack("<IIIBB", row_id, 0, hid, flag, filled)


def test_rows_by_their_index_and_rows_it_forgot():
    rows = row(7, 1, 0xA0, 0xE0) + row(9, 0, 0, 0x80) + row(8, 1, 0xA0, 0xE0)
    index = struct.pack("<IIII", 7, 0, 11, 99)
    found, faults = table(INFO, index, rows, "Li Na".encode("utf-16-le"))
    listed = list(found)
    assert [entry.row_id for entry in listed] == [7]
    assert listed[0].text(0x3001) == "Li Na"
    assert listed[0].flag(0x0E1B) is True
    assert listed[0].integer(0x67F2) == 7
    assert [fault.detail for fault in faults] == ["The row 0xb of a table is lost."]
    forgotten = list(found.unlisted())
    assert [entry.row_id for entry in forgotten] == [9, 8]
    assert list(forgotten[0].tags) == [0x67F2]
    assert forgotten[0].text(0x3001) is None


@pytest.mark.parametrize("cut", range(0, len(INFO), 5))
def test_cut_heads_of_tables_are_damage(cut):
    with pytest.raises(Damage):
        table(INFO[:cut], b"", b"")


@given(
    st.binary(max_size=400), st.sampled_from([0xBC, 0x7C]), st.sampled_from([UNICODE, UNICODE_4K])
)
def test_no_bytes_make_a_heap_fail(data, client, layout):
    faults = []
    below = SubNodes(Image(layout).reader, 0, faults)
    block = b"\x10\x00\xec" + bytes([client]) + b"\x20\0\0\0" + data
    for blocks in ([block], [block, data], [data], []):
        with suppress(Damage):
            heap = Heap(blocks, layout)
            if client == 0xBC:
                PropertyContext(heap, below, faults).bag()
            else:
                found = TableContext(heap, below, layout, faults)
                for entry in (*found, *found.unlisted()):
                    entry.bag()


@given(st.binary(max_size=120), st.binary(max_size=40), st.binary(max_size=60))
def test_no_head_of_a_table_makes_it_fail(info, index, rows):
    with suppress(Damage):
        found, _ = table(b"\x7c" + info, index, rows)
        for entry in (*found, *found.unlisted()):
            entry.bag()
