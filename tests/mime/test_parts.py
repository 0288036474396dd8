from __future__ import annotations

import base64
import hashlib

import pytest

from mailforensics.mime import known_fields, parse, part_bytes, read_message
from mailforensics.mime.transfer import decode_base64, decode_transfer, decode_uu

TWO = b"""\
From: a@b.c
Content-Type: multipart/mixed; boundary="xx"

preamble
--xx
Content-Type: text/plain; charset=utf-8

first
--xx-not-a-boundary
--xx
Content-Type: application/pdf; name="a.pdf"
Content-Disposition: attachment
Content-ID: <one@two>
Content-Transfer-Encoding: base64

aGVsbG8=
--xx--
epilogue
"""


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"])
def test_structure_with_any_line_end(end):
    raw = TWO.replace(b"\n", end)
    message = parse(raw)
    assert [name for name, _ in message.headers] == ["From", "Content-Type"]
    assert message.defects == []
    first, second = message.parts
    assert first.data == b"first\n--xx-not-a-boundary".replace(b"\n", end)
    assert raw[second.start : second.stop] == b"aGVsbG8="
    assert (second.name, second.data, second.content_id) == ("a.pdf", b"hello", "one@two")
    assert [part.section for part in message.parts] == ["1", "2"]
    assert message.closed
    assert part_bytes(raw, 2) == b"hello"


def test_headers_with_cr_and_body_with_lf():
    raw = b"From: a@b.c\rSubject: x\r\rbody\nmore"
    record = read_message(raw, source_ref="x")
    assert (record.subject, record.from_addr) == ("x", "a@b.c")
    assert parse(raw).parts[0].data == b"body\nmore"


def test_cr_cr_lf():
    record = read_message(b"From: a@b.c\r\r\nSubject: x\r\r\n\r\r\nbody\r\r\n", source_ref="x")
    assert (record.subject, record.text.strip()) == ("x", "body")
    assert "line_ends_unknown" in record.defects


@pytest.mark.parametrize(
    "front", [b"\xef\xbb\xbf", b"\r\n\r\n", b"From x Mon Jan  1 00:00:00 2001\n", b">From x\n"]
)
def test_what_stores_put_before_the_headers(front):
    assert read_message(front + b"Subject: x\n\nbody", source_ref="x").subject == "x"


def test_lines_that_are_no_headers():
    message = parse(b"Subject: x\n!! virus checked\nFrom: a@b.c\nX-Odd: 1\n\nbody")
    assert set(message.first) == {"subject", "from", "x-odd"}
    assert message.defects == ["bad_header_line"]
    assert message.parts[0].data == b"body"


def test_a_body_without_an_empty_line_before_it_is_not_lost():
    message = parse(b"Subject: x\nFrom: a@b.c\nHello there,\nhow are you?\n\nBye")
    assert message.parts[0].data == b"Hello there,\nhow are you?\n\nBye"
    message = parse(b"No headers at all,\nonly text.\n\nBye")
    assert message.headers == []
    assert message.parts[0].data == b"No headers at all,\nonly text.\n\nBye"


@pytest.mark.parametrize(
    ("raw", "code"),
    [
        (TWO.replace(b"--xx--\n", b""), "boundary_not_closed"),
        (TWO.replace(b'; boundary="xx"', b""), "boundary_missing"),
        (TWO.replace(b'"xx"', b'"yy"'), "boundary_not_found"),
        (TWO.replace(b"base64", b"x-odd"), "unknown_transfer_encoding"),
        (TWO.replace(b"From:", b"From: b@c.d\nFrom:"), "duplicate_header"),
    ],
)
def test_codes(raw, code):
    message = parse(raw)
    assert code in message.defects
    assert message.parts[-1].name == "a.pdf"  # and nothing of it is lost


def test_an_inner_multipart_that_is_not_closed_ends_with_the_outer():
    raw = b"""Content-Type: multipart/mixed; boundary=o

--o
Content-Type: multipart/alternative; boundary=i

--i

one
--o
Content-Type: application/x
Content-Disposition: attachment; filename=z

two
--o--
"""
    message = parse(raw)
    assert [part.data for part in message.parts] == [b"one", b"two"]
    assert message.closed
    assert [part.section for part in message.parts] == ["1.1", "2"]


@pytest.mark.parametrize(
    ("value", "name"),
    [
        (b"filename=plain name.txt", "plain name.txt"),
        (b'filename="a;b\\"c.txt"', 'a;b"c.txt'),
        (b'filename="C:\\dir\\file.txt"', "C:\\dir\\file.txt"),
        (b"filename*=gb2312''%BA%CF%CD%AC.doc", "合同.doc"),
        (b"filename*0*=utf-8''%E5%90%88; filename*1*=%E5%90%8C; filename*2=.doc", "合同.doc"),
        (b"filename*1*=%E5%90%8C.doc; filename*0*=utf-8''%E5%90%88", "合同.doc"),
        (b'filename="=?gb2312?B?us/NrC5kb2M=?="', "合同.doc"),
        (b'filename="' + "合同.doc".encode("gbk") + b'"', "合同.doc"),
        (b'filename="' + "合同.doc".encode() + b'"', "合同.doc"),
        (b'filename="' + "会議.doc".encode("iso2022_jp") + b'"', "会議.doc"),
        (b"filename=", None),
    ],
)
def test_names(value, name):
    raw = b"Content-Type: text/plain; charset=gb2312\nContent-Disposition: attachment; " + value
    assert parse(raw + b"\n\nx").parts[0].name == name


def test_a_big5_name_that_ends_in_a_backslash_byte():
    raw = (
        b'Content-Type: image/png; charset=big5; name="' + "成功".encode("big5") + b'"; a="b"\n\nx'
    )
    part = parse(raw).parts[0]
    assert part.name == "成功"


def test_uuencoded_files_in_a_text():
    raw = b"Subject: x\n\nsee\nbegin 644 a.txt\n%:&5L;&\\\n`\nend\nbye\nbegin the day\n"
    record = read_message(raw, source_ref="x")
    (attachment,) = record.attachments
    assert (attachment.position, attachment.name, attachment.size) == (2, "a.txt", 5)
    assert attachment.sha256 == hashlib.sha256(b"hello").hexdigest()
    assert part_bytes(raw, 2) == b"hello"
    assert "begin the day" in record.text
    assert "644" not in record.text


@pytest.mark.parametrize(
    ("coded", "data", "codes"),
    [
        (b"aGVs\r\nbG8=\r\n", b"hello", []),
        (b"aGVsbG8", b"hello", ["base64_truncated"]),
        (b"aGVsbG", b"hell", ["base64_truncated"]),
        (b"aGVs!bG8=", b"hello", ["base64_garbage"]),
        (b"aGU=aGU=", b"hehe", []),
        (b"", b"", []),
        (b"A", b"", ["base64_truncated"]),
    ],
)
def test_base64(coded, data, codes):
    assert decode_base64(coded) == (data, codes)


def test_other_encodings():
    assert decode_transfer(b"a=3Db=\r\nc", "quoted-printable")[0] == b"a=bc"
    assert decode_transfer(b"a=3Db=\rc\rd", "quoted-printable")[0] == b"a=bc\rd"
    assert decode_transfer(b"\0\xff", "8bit") == (b"\0\xff", [])
    assert decode_uu(b"begin 644 x\n%:&5L;&\\\nend\n") == b"hello"


def test_caps_leave_a_code():
    deep = b"".join(
        b"Content-Type: multipart/mixed; boundary=b%d\n\n--b%d\n" % (n, n) for n in range(99)
    )
    assert "too_deep" in parse(deep).defects
    wide = b"Content-Type: multipart/mixed; boundary=b\n\n" + b"--b\n\nx\n" * 6000
    message = parse(wide)
    assert "too_many_parts" in message.defects
    assert len(message.parts) <= 5001


def test_known_fields():
    assert known_fields(b"From: a\nSubject: b\n\nTo: c") == {"from", "subject"}
    assert known_fields(b"2024-01-01 12:00 login\nFrom: a\n") == set()
    assert known_fields(b"\x89PNG\r\n\x1a\n\0\0") == set()
    assert known_fields(b"") == set()


def test_offsets_point_at_the_bytes():
    coded = base64.encodebytes(bytes(range(256)))
    raw = TWO.replace(b"aGVsbG8=\n", coded)
    part = parse(memoryview(raw)).parts[1]
    assert raw[part.start : part.stop] + b"\n" == coded
    assert part.data == bytes(range(256))
