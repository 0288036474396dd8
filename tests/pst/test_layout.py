from __future__ import annotations

import struct
import zlib

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailforensics.pst.crypt import CryptMethod, decode, encode
from mailforensics.pst.header import read_header
from mailforensics.pst.layout import ANSI, LAYOUTS, UNICODE, UNICODE_4K, layout_of
from mailforensics.pst.sums import crc, signature, signatures


@pytest.mark.parametrize("layout", LAYOUTS, ids=lambda layout: layout.name)
def test_structures_fill_what_holds_them(layout):
    assert layout.page.itemsize == layout.page_size
    assert layout.page_body + layout.page_trailer_size == layout.page_size
    assert layout.block_tail.itemsize == layout.block_align
    assert layout.entry_area + layout.tree_counts.itemsize <= layout.page_body
    assert layout.span(layout.largest_block) % layout.block_align == 0
    assert layout.span(1) == layout.block_align
    assert (layout.amap_bytes * 8 * layout.amap_unit) == layout.amap_span


def test_versions_name_layouts():
    assert [layout_of(number) for number in (14, 15, 21, 23, 36, 37)] == [
        *(ANSI, ANSI, UNICODE, UNICODE, UNICODE_4K, UNICODE_4K)
    ]
    assert layout_of(0) is None
    assert layout_of(0x4A20) is None


def crc_by_table(data: bytes) -> int:
    """The CRC as [MS-PST] 5.3 tells it: bit by bit, nothing inverted."""
    value = 0
    for byte in data:
        value ^= byte
        for _ in range(8):
            value = value >> 1 ^ (0xEDB88320 if value & 1 else 0)
    return value


@given(st.binary(max_size=300))
def test_the_crc_is_that_of_the_specification(data):
    assert crc(data) == crc_by_table(data)
    assert crc(data) != zlib.crc32(data) or not data


@given(st.lists(st.tuples(st.integers(0, 1 << 40), st.integers(0, (1 << 62) - 1)), max_size=20))
def test_signatures_of_many_are_those_of_each(pairs):
    offsets = np.array([offset for offset, _ in pairs], np.int64)
    bids = np.array([bid for _, bid in pairs], np.int64)
    expected = [signature(offset, bid) for offset, bid in pairs]
    assert signatures(offsets, bids).tolist() == expected


@given(st.binary(max_size=9000), st.sampled_from(CryptMethod), st.integers(0, (1 << 64) - 1))
def test_encoding_and_decoding_are_inverse(data, method, bid):
    assert decode(encode(data, method, bid), method, bid) == data
    if method in {CryptMethod.NONE, CryptMethod.WINDOWS_PROTECTED}:
        assert encode(data, method, bid) == data


def test_encodings_mix_every_byte():
    every = bytes(range(256))
    assert sorted(encode(every, CryptMethod.PERMUTE, 0)) == list(every)
    assert encode(every, CryptMethod.PERMUTE, 4) == encode(every, CryptMethod.PERMUTE, 8)
    assert encode(every, CryptMethod.CYCLIC, 4) != encode(every, CryptMethod.CYCLIC, 8)
    assert encode(every, CryptMethod.CYCLIC, 1 << 16) == encode(every, CryptMethod.CYCLIC, 1)


@given(st.binary(max_size=1200), st.integers(0, 100), st.booleans())
def test_no_bytes_of_a_header_make_it_fail(data, version, signed):
    if signed:
        data = b"!BDN" + bytes(4) + b"SM" + struct.pack("<H", version) + data
    header, faults = read_header(data)
    assert header is not None or faults
    if header is not None:
        assert header.layout is layout_of(header.version)
        assert header.crc_ok or faults
