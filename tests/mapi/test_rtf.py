from __future__ import annotations

import logging
import time

import compressed_rtf
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.mapi import Tag, rtf
from mailforensics.readers import compound

FONTS = (
    rb"{\rtf1\ansi\ansicpg1252\fromhtml1 \deff0"
    rb"{\fonttbl{\f0\fswiss Arial;}{\f1\fcharset134 SimSun;}}"
)


def test_html_is_taken_out_of_rtf():
    data = (
        FONTS
        + rb"{\*\htmltag19 <html>}{\*\htmltag64 <p>}\htmlrtf {\b\htmlrtf0 Hello \f1 \'c4\'e3\f0"
        rb" \u22909?{\*\htmltag84 &nbsp;}\htmlrtf \~ }\htmlrtf0\line x{\*\mhtmltag <b>}\{\}</p>}"
    )
    assert rtf.html_of(data) == "<html><p>Hello 你好&nbsp;\r\nx{}</p>"


def test_text_is_taken_out_of_rtf():
    data = (
        rb"{\rtf1\ansi\ansicpg936{\fonttbl{\f0 SimSun;}}{\info{\title no}}\f0 \'ba\'cf\'cd\'ac"
        rb"\par one\tab two {\pict 00ff}\bin3 xyz\'85}"
    )
    assert rtf.text_of(data).startswith("合同\r\none\ttwo ")
    assert rtf.html_of(data) is None


@given(st.binary(max_size=600))
@settings(max_examples=300, deadline=None)
def test_no_bytes_make_it_fail(data):
    rtf.decompress(data)
    rtf.decompress(b"\x20\x00\x00\x00\xff\x00\x00\x00LZFu" + data)
    for text in (rtf.text_of(data), rtf.html_of(b"{\\rtf\\fromhtml1 " + data) or ""):
        text.encode("utf-8")


@given(
    st.lists(
        st.sampled_from(
            [b"{", b"}", b"\\", b"\\'", b"\\*", b"\\u-1?", b"\\bin9 ", b"a", b"\\htmlrtf"]
        )
    )
)
def test_odd_orders_of_tokens_do_not_fail(tokens):
    rtf.text_of(b"".join(tokens))


@pytest.mark.parametrize("unit", [b"{", b"\\", b"\\u1 ", b"\\'80", b"a" * 40, b"{\\*\\htmltag "])
def test_time_grows_with_size_only(unit):
    data = FONTS + unit * 50_000
    start = time.perf_counter()
    rtf.html_of(data)
    assert time.perf_counter() - start < 3


def test_packing_and_unpacking():
    data = FONTS + b" hello hello hello}"
    assert rtf.decompress(compressed_rtf.compress(data)) == data
    assert rtf.decompress(b"short") is None
    broken = bytearray(compressed_rtf.compress(data))
    broken[20] ^= 0xFF
    assert rtf.decompress(bytes(broken)) is None


def test_real_bodies_agree_with_a_second_opinion(corpora):
    logging.getLogger("RTFDE").disabled = True
    peer = pytest.importorskip("RTFDE.deencapsulate")
    same = other = 0
    for path in sorted((corpora / "msg").iterdir())[::2]:
        data = _packed(path)
        if not data or not rtf.is_html(data) or len(data) > 5_000:
            continue
        try:
            reader = peer.DeEncapsulator(data)
            reader.deencapsulate()
            theirs = reader.html
        except (ValueError, KeyError, peer.MalformedRtf):
            continue
        theirs = theirs.decode() if isinstance(theirs, bytes) else theirs
        ours = rtf.html_of(data) or ""
        equal = _bare(ours) == _bare(theirs)
        same, other = same + equal, other + (not equal)
    assert same > 10
    assert other == 0


def _packed(path):
    with compound.opened(path) as streams:
        packed = compound.message_of(streams).properties.binary(Tag.RTF_COMPRESSED)
    return rtf.decompress(packed) if packed else None


def _bare(html: str) -> str:
    return "".join(html.replace("&nbsp;", " ").split())
