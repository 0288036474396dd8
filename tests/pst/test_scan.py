from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailforensics.pst.amap import Allocation, AllocationMaps
from mailforensics.pst.header import Header, read_header
from mailforensics.pst.history import node_versions, old_blocks
from mailforensics.pst.layout import ANSI, LAYOUTS, UNICODE, PageType
from mailforensics.pst.rebuild import fill_gaps, guess_crypt, guess_layout, newest_root
from mailforensics.pst.scan import BlockState, scan, sound_spans, within
from mailforensics.pst.sums import crc, signature
from mailforensics.pst.trees import BlockTable, NodeTable, walk

STALE_LEAVES = "tghanem_PST__34244b__user1@test.lab.pst"


def _stores(corpora: Path) -> list[tuple[bytes, Header]]:
    """Return every real file whose header and trees are sound."""
    found = []
    for path in sorted((corpora / "pst").iterdir()):
        data = path.read_bytes()
        header, faults = read_header(data)
        if header is not None and header.block_root.offset and not faults:
            found.append((data, header))
    assert len(found) > 60
    return found


def _block(data: bytes, bid: int, offset: int) -> bytes:
    """Lay a Unicode block out as [MS-PST] 2.2.2.8 says."""
    span = UNICODE.span(len(data))
    body = data + bytes(span - len(data) - 16)
    tail = [
        len(data).to_bytes(2, "little"),
        signature(offset, bid).to_bytes(2, "little"),
        crc(data).to_bytes(4, "little"),
        bid.to_bytes(8, "little"),
    ]
    return body + b"".join(tail)


def test_each_live_block_of_real_files_is_found_and_sound(corpora: Path) -> None:
    blocks = 0
    for data, header in _stores(corpora):
        walked = walk(data, header.layout, header.block_root, PageType.BLOCK_TREE)
        if not walked.whole:
            continue
        table = BlockTable(walked.leaves)
        found = scan(data, header.layout, known=_rows(table), verify=True)
        live = found.of_state(BlockState.LIVE)
        inside = table.offset + table.stored < len(data)
        assert set(table.bid[inside].tolist()) == set(live["bid"].tolist())
        blocks += len(live)
    assert blocks > 5000


def _rows(table: BlockTable) -> np.ndarray:
    rows = np.empty(len(table), [("bid", "<i8"), ("offset", "<i8"), ("stored", "<u2")])
    rows["bid"], rows["offset"], rows["stored"] = table.bid, table.offset, table.stored
    return rows


def test_live_blocks_are_not_read_unless_asked_for() -> None:
    image = bytearray(64 * 4) + bytearray(_block(b"x" * 100, 8, 256))
    known = np.array([(8, 256, 100)], [("bid", "<i8"), ("offset", "<i8"), ("stored", "<u2")])
    image[260] ^= 1
    assert scan(image, UNICODE, known=known).blocks["state"].tolist() == [BlockState.LIVE]
    checked = scan(image, UNICODE, known=known, verify=True)
    assert checked.blocks["state"].tolist() == [BlockState.DAMAGED]
    assert scan(image, UNICODE).blocks["state"].tolist() == [BlockState.DAMAGED]


def test_a_block_verifies_only_at_its_place() -> None:
    block = _block(b"some data" * 20, 0x124, 0x5000)
    assert len(scan(bytes(0x5000) + block, UNICODE).blocks) == 1
    assert len(scan(bytes(0x5040) + block, UNICODE).blocks) == 0


@pytest.mark.parametrize("shift", [64, 512, 1000, 77_777])
def test_a_store_inside_an_image_is_scanned_from_its_start(corpora: Path, shift: int) -> None:
    data = (corpora / "pst" / STALE_LEAVES).read_bytes()
    plain, moved = scan(data, UNICODE), scan(bytes(shift) + data, UNICODE, start=shift)
    assert plain.blocks.tolist() == moved.blocks.tolist()
    assert plain.pages.tolist() == moved.pages.tolist()


def test_a_store_whose_beginning_is_missing_is_scanned_too(corpora: Path) -> None:
    data = (corpora / "pst" / STALE_LEAVES).read_bytes()
    plain, cut = scan(data, UNICODE), scan(data[0x8000:], UNICODE, start=-0x8000)
    kept = plain.blocks[plain.blocks["offset"] >= 0x8000]
    assert kept.tolist() == cut.blocks.tolist()


@given(st.binary(max_size=3000), st.integers(-2000, 2000))
def test_any_bytes_are_scanned(data: bytes, start: int) -> None:
    for layout in LAYOUTS:
        found = scan(data, layout, start=start)
        assert (found.blocks["offset"] + found.blocks["stored"] <= len(data) - start).all()


@given(
    st.lists(st.tuples(st.integers(0, 90), st.integers(0, 20)), max_size=8),
    st.lists(st.integers(0, 120), max_size=20),
)
def test_within_agrees_with_a_loop(spans: list[tuple[int, int]], places: list[int]) -> None:
    rows = np.array(sorted((a, a + b) for a, b in spans), np.int64).reshape(-1, 2)
    expected = [any(a <= place < b for a, b in rows.tolist()) for place in places]
    assert within(np.array(places, np.int64), rows).tolist() == expected


def test_what_lies_inside_a_sound_block_is_no_damaged_block() -> None:
    inner = bytearray(_block(b"y" * 40, 12, 0x5040))
    inner[0] ^= 0xFF
    outer = _block(bytes(64) + bytes(inner) + bytes(64), 8, 0x5000)
    found = scan(bytes(0x5000) + outer, UNICODE)
    assert found.blocks["bid"].tolist() == [8]
    assert len(sound_spans(found.blocks, found.pages, UNICODE)) == 1


def test_roots_are_found_without_the_header(corpora: Path) -> None:
    """research: right in all files for both trees."""
    for data, header in _stores(corpora):
        found = scan(data, header.layout)
        for kind, root in (
            (PageType.NODE_TREE, header.node_root),
            (PageType.BLOCK_TREE, header.block_root),
        ):
            if walk(data, header.layout, root, kind).whole:
                assert newest_root(data, header.layout, found.pages, kind) == root


def test_layout_and_encoding_are_found_without_the_header(corpora: Path) -> None:
    for data, header in _stores(corpora):
        assert guess_layout(bytes(564) + data[564:]) is header.layout
        found = scan(data, header.layout)
        if len(found.blocks) > 20:
            assert guess_crypt(data, found) == header.crypt


def test_a_lost_branch_page_is_made_good_by_its_leaves(corpora: Path) -> None:
    path = corpora / "pst" / "mooijtech_go-pst__869d21__support.pst"
    data = bytearray(path.read_bytes())
    header, _ = read_header(data)
    assert header is not None
    whole = walk(data, UNICODE, header.node_root, PageType.NODE_TREE)
    root = header.node_root.offset
    data[root : root + 512] = bytes(512)
    broken = walk(data, UNICODE, header.node_root, PageType.NODE_TREE)
    assert not broken.whole
    pages = scan(data, UNICODE).pages
    rows, added = fill_gaps(data, UNICODE, pages, broken, kind=PageType.NODE_TREE)
    assert added > 1
    before, after = NodeTable(whole.leaves), NodeTable(rows)
    assert set(before.nid.tolist()) <= set(after.nid.tolist())


def test_old_pages_name_what_the_live_tree_does_not(corpora: Path) -> None:
    data = (corpora / "pst" / STALE_LEAVES).read_bytes()
    header, _ = read_header(data)
    assert header is not None
    nodes = NodeTable(walk(data, UNICODE, header.node_root, PageType.NODE_TREE).leaves)
    blocks = BlockTable(walk(data, UNICODE, header.block_root, PageType.BLOCK_TREE).leaves)
    pages = scan(data, UNICODE).pages
    versions = node_versions(data, UNICODE, pages, nodes)
    gone = versions[(versions["nid"] & 0x1F == 4) & ~np.isin(versions["nid"], nodes.nid)]
    assert 2097444 in gone["nid"].tolist()
    assert not set(old_blocks(data, UNICODE, pages, blocks).bid) & set(blocks.bid)


def test_allocation_maps_know_what_is_in_use(corpora: Path) -> None:
    data = (corpora / "pst" / STALE_LEAVES).read_bytes()
    header, _ = read_header(data)
    assert header is not None
    blocks = BlockTable(walk(data, UNICODE, header.block_root, PageType.BLOCK_TREE).leaves)
    maps = AllocationMaps(data, UNICODE)
    states = {maps.state(ref.offset, UNICODE.span(ref.stored)) for ref in blocks}
    assert states == {Allocation.IN_USE}
    assert maps.state(0x100, 64) == Allocation.UNKNOWN
    assert maps.state(len(data) + 0x10_0000, 64) == Allocation.UNKNOWN
    free = scan(data, UNICODE, known=_rows(blocks)).of_state(BlockState.INTACT)
    spans = [maps.state(int(row["offset"]), UNICODE.span(int(row["stored"]))) for row in free]
    assert spans.count(Allocation.FREE) > 0.9 * len(spans) > 5


def test_an_ansi_file_is_scanned(corpora: Path) -> None:
    data = (corpora / "pst" / "enrondata_microsoft-pst-sdk__cceff7__sample2.pst").read_bytes()
    found = scan(data, ANSI)
    assert found.pages["intact"].sum() > 4
    assert (found.blocks["state"] == BlockState.INTACT).sum() > 50
