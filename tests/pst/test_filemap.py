"""The map of a file, held unit by unit to what its trees and allocation maps say."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.errors import ReaderError
from mailforensics.pst.amap import Allocation, AllocationMaps
from mailforensics.pst.filemap import KINDS, _union, _without, file_map
from mailforensics.pst.rescue import open_store
from mailforensics.pst.store import PstStore
from mailforensics.pst.writer import PstWriter
from tests.mapi.builders import SENT
from tests.pst.simulator import VARIANTS, delete
from tests.pst.test_writer import KEY, varied


def painted(found, kind):
    """A flag for each 64 bytes of the file."""
    flags = np.zeros(-(-found.size // 64), np.bool_)
    for row in found.ranges[found.ranges["kind"] == KINDS.index(kind)]:
        flags[row["start"] // 64 : -(-row["stop"] // 64)] = True
    return flags


def blocks_painted(store, size):
    flags = np.zeros(-(-size // 64), np.bool_)
    for block in store.blocks:
        flags[block.offset // 64 : (block.offset + store.layout.span(block.stored)) // 64] = True
    return flags


@pytest.fixture(scope="module")
def maps(corpora):
    found = {}
    paths = sorted((corpora / "pst").iterdir())[::4]
    for path in {*paths, *(corpora / "pst").glob("tghanem_PST__5b7607*")}:
        with open_store(path) as store:
            found[path] = file_map(store)
    return found


def test_each_byte_is_of_one_kind_and_nearly_each_is_known(maps):
    for found in maps.values():
        live, free, index = (painted(found, kind) for kind in KINDS[:3])
        assert not (live & free).any()
        assert not (index & free).any()
        assert not (index & live).any()
        assert (live | free | index).mean() > 0.38
    shares = [sum(painted(found, kind).mean() for kind in KINDS[:3]) for found in maps.values()]
    assert np.median(shares) > 0.99


def test_it_says_what_trees_and_maps_say(maps):
    for path, found in maps.items():
        with open_store(path) as store:
            layout = store.layout
            live = blocks_painted(store, found.size)
            assert (painted(found, "live") == live[: -(-found.size // 64)]).all()
            asked = AllocationMaps(store.image, layout)
            free = painted(found, "free")
            for at in range(0, found.size - 64, 64 * 7):
                state = asked.state(at, 64)
                if free[at // 64]:
                    assert state == Allocation.FREE
                elif state == Allocation.FREE:
                    assert live[at // 64] or painted(found, "index")[at // 64]


def test_recovered_messages_lie_where_recovery_says(maps):
    with_some = [found for found in maps.values() if found.refs]
    assert sum(len(found.refs) for found in with_some) >= 2
    for found in with_some:
        rows = found.ranges[found.ranges["kind"] == KINDS.index("recovered")]
        assert set(rows["message"].tolist()) == set(range(len(found.refs)))
    others = [found.ranges[found.ranges["message"] < 0] for found in maps.values()]
    assert all((rows["kind"] < KINDS.index("recovered")).all() for rows in others)


@pytest.mark.parametrize("unicode4k", [False, True], ids=["unicode", "4k"])
@pytest.mark.parametrize("variant", VARIANTS)
def test_deleted_messages_lie_in_free_space(tmp_path, unicode4k, variant):
    path, target = tmp_path / "a.pst", tmp_path / "b.pst"
    with PstWriter(path, unicode4k=unicode4k, record_key=KEY, now=SENT) as out:
        for message in varied(40, seed=3):
            out.add(out.folder(("Inbox",)), message)
    with PstStore.open(path) as store:
        before = file_map(store)
    assert before.refs == []
    truth = delete(path, target, seed=2, share=0.3, variant=variant)
    with PstStore.open(target) as store:
        found = file_map(store)
    assert len(found.refs) == len(truth.deleted) == 12
    rows = found.ranges[found.ranges["kind"] == KINDS.index("recovered")]
    assert rows["sure"].all()
    gone, free = painted(found, "recovered"), painted(found, "free")
    assert not (gone & ~free).any()
    for message in truth.deleted:
        own = {block.offset for block in message.parts["properties"]}
        assert all(gone[offset // 64] for offset in own)


def test_damaged_files_give_a_map_too(corpora):
    plain = sorted((corpora / "pst").glob("apache_tika__*"))[0].read_bytes()
    for at in (100, 0x4400, 0x4600, 0x5000, 60_000):
        image = bytearray(plain)
        image[at : at + 600] = bytes(600)
        for data in (bytes(image), bytes(image)[: at + 30_000]):
            try:
                found = file_map(PstStore.from_image(data))
            except ReaderError:
                continue
            assert (found.ranges["stop"] <= found.size).all()
            assert (found.ranges["start"] < found.ranges["stop"]).all()
            if at == 0x4400:
                assert not painted(found, "free").any()


SPANS = st.lists(
    st.tuples(st.integers(0, 60), st.integers(1, 20)).map(lambda pair: (pair[0], sum(pair))),
    max_size=12,
)


def cells(spans):
    return {place for start, stop in spans for place in range(int(start), int(stop))}


@given(spans=SPANS, others=SPANS)
@settings(max_examples=300)
def test_spans_are_sets_of_bytes(spans, others):
    one, other = (_union(np.array(each, np.int64).reshape(-1, 2)) for each in (spans, others))
    assert cells(one) == cells(spans)
    assert (one[1:, 0] > one[:-1, 1]).all()
    rest = _without(one, other)
    assert cells(rest) == cells(spans) - cells(others)
    assert (rest[:, 0] < rest[:, 1]).all()
