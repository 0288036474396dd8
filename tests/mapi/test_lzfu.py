from __future__ import annotations

import struct
import zlib

import compressed_rtf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.mapi.lzfu import unpack
from mailforensics.pst import PstStore


def packed(contents: bytes, raw_size: int = 0) -> bytes:
    checksum = zlib.crc32(contents, 0xFFFFFFFF) ^ 0xFFFFFFFF
    return struct.pack("<II4sI", len(contents) + 12, raw_size, b"LZFu", checksum) + contents


def by_the_package(data: bytes) -> bytes | None:
    try:
        return bytes(compressed_rtf.decompress(data))
    except struct.error:
        return None


TOKENS = st.lists(
    st.one_of(st.binary(min_size=8, max_size=40), st.sampled_from([b"\xff" * 17, b"\0"]))
)


@given(TOKENS.map(b"".join))
@settings(max_examples=300, deadline=None)
def test_any_tokens_expand_as_the_package_expands_them(contents):
    assert unpack(packed(contents)) == by_the_package(packed(contents))


@given(
    st.lists(
        st.sampled_from([b"{\\rtf1 ", b"\\par ", b"hello ", b"a", b"aaaa", b"\xff"]), max_size=900
    )
)
@settings(max_examples=60, deadline=None)
def test_what_was_packed_comes_back(words):
    data = b"".join(words)
    assert unpack(compressed_rtf.compress(data)) == data
    assert unpack(compressed_rtf.compress(data, compressed=False)) == data


def test_references_reach_around_the_window():
    data = bytes(range(256)) * 40 + b"end"
    assert unpack(compressed_rtf.compress(data)) == data


@pytest.mark.parametrize("place", [0, 3, 8, 12, 16, 40, -1])
def test_cut_or_changed_data_are_none(place):
    whole = compressed_rtf.compress(b"{\\rtf1 hello hello hello}" * 9)
    assert unpack(whole[:place]) is None
    if place > 3 or place < 0:
        changed = bytearray(whole)
        changed[place] ^= 0xFF
        assert unpack(bytes(changed)) is None


@given(st.binary(max_size=300))
def test_no_bytes_make_it_fail(data):
    unpack(data)


def test_real_bodies_expand_as_the_package_expands_them(corpora):
    checked = 0
    for path in sorted((corpora / "pst").glob("*[_-]*__[0-9a-f]*.[op]st"))[::3]:
        if path.read_bytes()[:4] != b"!BDN" or "108e6e" in path.name:
            continue
        with PstStore.open(path) as store:
            for folder in store.folders():
                for message in store.messages(folder):
                    if message.rtf and len(message.rtf) < 30_000:
                        assert unpack(message.rtf) == by_the_package(message.rtf)
                        checked += 1
    assert checked >= 10
