from __future__ import annotations

import base64
import codecs

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics import mime
from mailforensics.schema import DEFECTS, message_table

SIZE = 1_000_000
"""Inputs of this size take minutes where time grows with the square, and milliseconds else."""

HTML = b"Content-Type: text/html\n\n"
MULTIPART = b"Content-Type: multipart/mixed; boundary=a\n\n"
CRAFTED = {
    "marks": b"Subject: " + b"=?" * (SIZE // 2),
    "open words": b"Subject: " + b"=?utf-8?q?a" * (SIZE // 11),
    "words": b"From: " + b"=?utf-8?b?YQ==?= " * (SIZE // 17) + b"<a@b>",
    "folds": b"Subject: x" + b"\n a" * (SIZE // 3),
    "blanks": b"To: " + b" " * SIZE + b"x",
    "headers": b"a:b\n" * (SIZE // 4) + b"\nx",
    "no headers": b"Subject: x\n" + b"!\n" * (SIZE // 2) + b"From: x\n\n",
    "returns": b"a: " + b"\r" * SIZE + b"\n\n",
    "boundaries": MULTIPART + b"--a\n" * (SIZE // 4),
    "near boundaries": MULTIPART + b"--" * (SIZE // 2),
    "nested": b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(20000)
    ),
    "carried": b"Content-Type: message/rfc822\n\n" * (SIZE // 30),
    "tags": HTML + b"<" * SIZE,
    "open tags": HTML + b"<a " * (SIZE // 3),
    "scripts": HTML + b"<script><style>" * (SIZE // 15),
    "comments": HTML + b"<!--" * (SIZE // 4),
    "entities": HTML + b"&#9999999" * (SIZE // 9),
    "digits": HTML + b"&#" + b"9" * SIZE,
    "parentheses": b"To: " + b"(" * SIZE,
    "angles": b"To: " + b"<" * SIZE,
    "routes": b"To: <@" + b"a," * (SIZE // 2),
    "commas": b"To: " + b"," * SIZE,
    "quotes": b"To: " + b'"' * SIZE,
    "backslashes": b'To: "' + b"\\" * SIZE,
    "groups": b"To: " + b"a:" * (SIZE // 2),
    "parameters": b"Content-Type: text/plain" + b';a="' * (SIZE // 4),
    "sections": b"Content-Type: text/plain"
    + b"".join(b"; a%d*%d*=x" % (n, n % 999) for n in range(60000)),
    "padding": b"Content-Transfer-Encoding: base64\n\n" + b"A=" * (SIZE // 2),
    "soft breaks": b"Content-Transfer-Encoding: quoted-printable\n\n" + b"=\r" * (SIZE // 2),
    "begins": b"Subject: x\n\n" + b"begin 644 a\n`\n" * (SIZE // 14),
    "escapes": b"Content-Type: text/plain; charset=iso-2022-jp\n\n" + b"\x1b$B\xff" * (SIZE // 4),
    "hz": b"Content-Type: text/plain; charset=hz\n\n" + b"~{" * (SIZE // 2),
    "utf-7": b"Content-Type: text/plain; charset=utf-7\n\n" + b"+AAA" * (SIZE // 4),
    "punycode": b"Content-Type: text/plain; charset=punycode\n\n" + b"a" * SIZE,
    "bytes": b"Subject: " + bytes(range(128, 256)) * 5000,
    "dates": b"Date: Mon, " + b"1 " * (SIZE // 2),
    "zeros": b"\0" * SIZE,
}


@pytest.mark.parametrize("name", CRAFTED)
def test_crafted_messages(name):
    for record in mime.read_nested(CRAFTED[name], source_ref="x"):
        assert set(record.defects) <= set(DEFECTS)
        record.text.encode()


def test_messages_nested_in_base64_stop_at_the_cap():
    raw = b"Subject: innermost\n\nx"
    for _ in range(34):
        coded = base64.b64encode(raw) if len(raw) < 100_000 else raw
        kind = b"base64" if len(raw) < 100_000 else b"7bit"
        raw = b"Content-Type: message/rfc822\nContent-Transfer-Encoding: " + kind + b"\n\n" + coded
    records = mime.read_nested(raw, source_ref="x")
    assert len(records) == 31
    assert "too_deep" in records[-1].defects


SNIPPETS = st.sampled_from(
    [b"\n", b"\r\n", b"\r", b"\n\n", b"--a", b"--a--", b"From: ", b"To: ", b"Subject: ", b"Date: ",
     b"Content-Type: multipart/mixed; boundary=a\n", b"Content-Type: message/rfc822\n",
     b"Content-Type: text/html; charset=", b"gb2312", b"hz", b"utf-7", b"iso-2022-jp", b"utf-16",
     b"Content-Transfer-Encoding: base64\n", b"Content-Transfer-Encoding: quoted-printable\n",
     b"Content-Disposition: attachment; filename*0*=", b"utf-8''%E4", b"=?gb2312?B?", b"=?x?q?",
     b"?=", b"<a@b.c>", b'"', b",", b";", b"(", b"Received: x; ", b"1 Jan 2020 10:00:00 +0800",
     b"begin 644 x\n", b"end\n", b"%:&5L;&\\\n", b"=", b"<p>", b"&#", b"\x1b$B", b"\xc4\xe3", b" "]
)  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.lists(st.one_of(SNIPPETS, st.binary(max_size=12)), max_size=40).map(b"".join))
def test_any_bytes_are_read(raw):
    records = mime.read_nested(raw, source_ref="x")
    assert records[0].size == len(raw)
    for record in records:
        assert set(record.defects) <= set(DEFECTS)
        assert len(record.defects) == len(set(record.defects))
        assert len(mime.nested_bytes(raw, record.source_ref)) == record.size
    message_table(
        records, evidence_id="E01", evidence_sha256="", custodian="", reader="", reader_version="",
        source_path="",
    )  # fmt: skip
    for part in mime.parse(raw).parts:
        assert 0 <= part.start <= part.stop


NAMES = st.one_of(st.none(), st.text(max_size=20), st.sampled_from(
    ["gb2312", "big5", "hz", "utf-7", "utf-16", "iso-2022-jp", "iso-2022-kr", "euc-jp", "cp949",
     "shift_jis", "koi8-r", "unknown-8bit", "us-ascii", "iso-8859-1", "punycode", "utf-8-sig"]
))  # fmt: skip


@given(st.binary(max_size=200), NAMES)
def test_any_text_is_decoded(data, declared):
    text, used, defects = mime.decode_text(data, declared)
    text.encode()
    codecs.lookup(used)
    assert set(defects) <= set(DEFECTS)


@given(st.binary(max_size=200))
def test_any_header_is_decoded(data):
    text, defects = mime.decode_header(data)
    text.encode()
    assert set(defects) <= set(DEFECTS)
    for name, addr in mime.addresses(data):
        assert name or addr


@given(st.binary(max_size=3000))
def test_what_was_encoded_comes_back(data):
    coded = base64.encodebytes(data)
    raw = b"Content-Type: application/x\nContent-Transfer-Encoding: base64\n\n" + coded
    assert mime.part_bytes(raw, 1) == data
