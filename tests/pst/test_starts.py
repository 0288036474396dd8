from __future__ import annotations

import random
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailforensics.pst.rescue import rescue
from mailforensics.pst.starts import find_starts
from mailforensics.pst.store import PstStore
from tests.pst.facts import Facts, facts_of

NAMES = (
    "tghanem_PST__3b6bcc__PST.pst",
    "mooijtech_go-pst__869d21__support.pst",
    "enrondata_microsoft-pst-sdk__cceff7__sample2.pst",
)


def messages(store: PstStore) -> list[Facts]:
    found = map(store.message, store.nodes.of_type(4).tolist())
    return [facts_of(each) for each in found if each is not None and each.readable]


@pytest.mark.parametrize("name", NAMES)
def test_a_store_in_the_middle_of_an_image(corpora: Path, name: str) -> None:
    data = (corpora / "pst" / name).read_bytes()
    chance = random.Random(1)
    image = chance.randbytes(512 * 77) + data + chance.randbytes(5000)
    best = find_starts(image)[0]
    assert best.offset == 512 * 77
    whole = PstStore.from_image(data)
    assert best.layout is whole.layout
    assert messages(rescue(image, start=best.offset)) == messages(whole)


@pytest.mark.parametrize("name", NAMES[:2])
def test_a_store_whose_beginning_is_gone(corpora: Path, name: str) -> None:
    """The first 16 KB hold header and density list, and no block."""
    data = (corpora / "pst" / name).read_bytes()
    best = find_starts(data[0x4400:])[0]
    assert best.offset == -0x4400
    store = rescue(data[0x4400:], start=best.offset)
    assert messages(store) == messages(PstStore.from_image(data))


def test_two_stores_in_one_image_are_kept_apart(corpora: Path) -> None:
    one, two = ((corpora / "pst" / name).read_bytes() for name in NAMES[:2])
    image = one + bytes(512) + two
    found = {start.offset for start in find_starts(image)}
    assert {0, len(one) + 512} <= found
    first, second = rescue(image), rescue(image, start=len(one) + 512)
    assert messages(first) == messages(PstStore.from_image(one))
    assert messages(second) == messages(PstStore.from_image(two))


@given(st.binary(max_size=4000))
def test_nothing_is_found_in_noise(data: bytes) -> None:
    assert find_starts(data) == []
