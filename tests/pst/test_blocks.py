from __future__ import annotations

import zlib
from contextlib import suppress

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailforensics.mapi import MapiMessage, PropertyBag
from mailforensics.pst import PstStore
from mailforensics.pst.blocks import BlockRef, SubNode
from mailforensics.pst.crypt import CryptMethod, encode
from mailforensics.pst.faults import Damage
from mailforensics.pst.layout import ANSI, UNICODE, UNICODE_4K
from mailforensics.pst.writer import PstWriter
from tests.pst.crafted import LAYOUTS, Image

EACH = pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)


@EACH
@pytest.mark.parametrize("crypt", [0, 1, 2])
@pytest.mark.parametrize("start", [0, 12345])
def test_blocks_come_back(layout, crypt, start):
    image = Image(layout, crypt, start)
    kept = {bid: bytes([bid]) * (bid * 37) for bid in range(4, 100, 4)}
    for bid, data in kept.items():
        image.put(bid, data)
    faults = []
    for bid, data in kept.items():
        assert image.reader.read(bid, faults) == data
        assert image.reader.read(bid | 1, faults) == data
    assert faults == []


@EACH
def test_what_stands_in_another_s_place_is_refused(layout):
    image = Image(layout, CryptMethod.PERMUTE)
    image.put(4, b"one")
    image.put(8, b"two")
    image.places[8] = image.places[4]._replace(bid=8)
    with pytest.raises(Damage, match="In place of 0x8 lies block 0x4"):
        image.reader.read(8, [])


@EACH
def test_a_wrong_checksum_is_told_and_the_bytes_are_given(layout):
    image = Image(layout)
    image.put(4, b"abc" * 50)
    image.data[image.places[4].offset] ^= 0xFF
    faults = []
    assert image.reader.read(4, faults)[1:] == (b"abc" * 50)[1:]
    assert [fault.code for fault in faults] == ["block_checksum"]
    assert faults[0].offset == image.places[4].offset


@EACH
def test_blocks_that_are_nowhere(layout):
    image = Image(layout)
    image.put(4, b"abc")
    for place in (
        None,
        BlockRef(8, 1 << 62, 3, 3),
        BlockRef(8, 0, 3, 3),
        BlockRef(8, len(image.data) - 8, 3, 3),
    ):
        image.places[8] = place
        with pytest.raises(Damage) as caught:
            image.reader.read(8, [])
        assert caught.value.fault.code == "block_missing"


@EACH
def test_data_trees_join_in_order_over_two_levels(layout):
    image = Image(layout, CryptMethod.CYCLIC)
    leaves = [image.put(4 * number, bytes([number]) * 50) for number in range(1, 60)]
    image.tree(0x1002, 1, leaves[:30])
    image.tree(0x1006, 1, leaves[30:])
    image.tree(0x100A, 2, [0x1002, 0x1006])
    whole = b"".join(bytes([number]) * 50 for number in range(1, 60))
    faults = []
    assert image.reader.data(0x1002, faults) == whole[: 30 * 50]
    assert image.reader.data(0x100A, faults) == whole
    assert image.reader.data_tree(0x100A, faults) == leaves
    assert faults == []


def test_a_lost_leaf_is_a_hole_and_no_shorter_data():
    image = Image(UNICODE)
    image.put(4, b"a")
    image.tree(2, 1, [4, 8])
    faults = []
    assert image.reader.data_blocks(2, faults) == [b"a", None]
    assert faults[0].code == "block_missing"
    with pytest.raises(Damage, match="lost"):
        image.reader.data(2, [])


@pytest.mark.parametrize(
    ("level", "children"),
    [(1, [4, 4]), (1, [4, 2]), (1, [2]), (2, [2]), (2, [4]), (3, [4]), (0, [4])],
)
def test_trees_that_bite_their_tail_are_refused(level, children):
    image = Image(UNICODE)
    image.put(4, b"a" * 16)
    image.tree(2, level, children)
    with pytest.raises(Damage):
        image.reader.data(2, [])


def test_a_small_file_cannot_claim_to_be_large():
    image = Image(UNICODE)
    leaves = [image.put(4 * number, b"x") for number in range(1, 1001)]
    image.tree(0x2002, 1, leaves)
    image.tree(0x2006, 2, [0x2002] * 900)
    assert image.reader.data(0x2006, []) == b"x" * 1000
    image.tree(0x200A, 1, leaves)
    image.tree(0x200E, 2, [0x2002, 0x200A])
    with pytest.raises(Damage, match="cannot be in it"):
        image.reader.data(0x200E, [])


def test_counts_beyond_the_block_are_refused():
    image = Image(UNICODE)
    image.put(4, b"x")
    image.put(2, b"\x01\x01\xff\xff" + bytes(12))
    with pytest.raises(Damage, match="claims more"):
        image.reader.data(2, [])


@EACH
def test_sub_nodes_over_two_levels(layout):
    image = Image(layout)
    first = [(0x671, 4, 0), (0x692, 8, 12)]
    second = [(0x8025, 16, 0)]
    image.subnodes(2, 0, first)
    image.subnodes(6, 0, second)
    image.subnodes(10, 1, [(0x671, 2), (0x8025, 6)])
    faults = []
    assert image.reader.subnodes(2, faults) == {0x671: (4, 0), 0x692: (8, 12)}
    assert image.reader.subnodes(10, faults)[0x8025] == SubNode(16, 0)
    assert len(image.reader.subnodes(10, faults)) == 3
    assert image.reader.subnodes(0, faults) == {}
    assert faults == []


def test_damaged_lists_of_sub_nodes_keep_the_rest():
    image = Image(UNICODE)
    image.subnodes(2, 0, [(0x671, 4, 0)])
    image.subnodes(10, 1, [(0x671, 2), (0x700, 10), (0x800, 14)])
    faults = []
    assert set(image.reader.subnodes(10, faults)) == {0x671}
    assert [fault.code for fault in faults] == ["subnode", "block_missing"]
    with pytest.raises(Damage):
        image.reader.subnodes(14, [])


def test_compressed_blocks():
    data = b"The quick brown fox. " * 400
    for crypt in (CryptMethod.NONE, CryptMethod.PERMUTE):
        packed_first, encoded_first = Image(UNICODE_4K, crypt), Image(UNICODE_4K)
        packed_first.put(4, zlib.compress(data), len(data))
        encoded_first.put(4, zlib.compress(encode(data, crypt, 4)), len(data))
        encoded_first.crypt = crypt
        assert packed_first.reader.read(4, []) == data
        assert encoded_first.reader.read(4, []) == data
    image = Image(UNICODE_4K)
    bomb = zlib.compress(bytes(60_000_000))[:65_000]
    image.put(4, bomb, 1000)
    faults = []
    assert image.reader.read(4, faults) == bytes(1000)
    assert faults[0].code == "block_packed"
    image.put(8, b"\x78\x9cnonsense", 500)
    with pytest.raises(Damage, match="unpacked"):
        image.reader.read(8, [])


@given(
    st.sampled_from([UNICODE, ANSI, UNICODE_4K]),
    st.binary(max_size=200),
    st.lists(st.integers(0, 40), max_size=8),
    st.integers(0, 3),
)
def test_no_bytes_make_a_reader_fail(layout, data, children, level):
    image = Image(layout)
    for bid in (4, 8, 12):
        image.put(bid, data)
    image.put(2, data)
    image.tree(6, level, children)
    image.subnodes(10, level & 1, [(bid, bid)[: 2 + (level & 1)] for bid in children][:5])
    reader = image.reader
    for bid in (2, 6, 10):
        for read in (reader.data, reader.subnodes, reader.data_blocks):
            with suppress(Damage):
                read(bid, [])


def test_a_kind_of_trailer_that_nobody_described_is_no_damage(tmp_path):
    path = tmp_path / "x.ost"
    with PstWriter(path, unicode4k=True) as out:
        out.add(out.folder(("Inbox",)), MapiMessage(PropertyBag()))
    whole = bytearray(path.read_bytes())
    with PstStore.open(path) as store:
        assert store.reader.checks
        for place in store.blocks:
            end = place.offset + store.layout.span(place.stored)
            whole[end - 20 : end - 16] = b"none"
    changed = PstStore.from_image(bytes(whole))
    assert not changed.reader.checks
    assert [fault.code for fault in changed.faults] == ["block_checksum"]
    [message] = [m for folder in changed.folders() for m in changed.messages(folder)]
    assert message.readable
    assert message.faults == []
