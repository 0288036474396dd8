from __future__ import annotations

import hashlib
from datetime import UTC, datetime
from email.message import EmailMessage

import pytest

from mailforensics.errors import NoBytes
from mailforensics.mime import nested_bytes, part_bytes, read_message, read_nested
from mailforensics.schema import DEFECTS, Completeness, DateSource, DeletionState, RawKind

FULL = b"""\
Received: from mx (mx [10.0.0.1])\r
\tby y; Tue, 2 Jan 2024 11:04:09 +0800 (CST)\r
Received: from first by mx; Tue, 2 Jan 2024 11:04:06 +0800\r
From: =?gb2312?B?wO7EyA==?= <lina@example.cn>\r
Sender: Office <office@example.cn>\r
To: "Wang, Wei" <wang@example.cn>,\r
 zhang@example.cn\r
Cc: b@example.cn\r
Bcc: c@example.cn\r
Subject: =?utf-8?B?5YWz5LqO5ZCI5ZCM?=\r
Date: Tue, 2 Jan 2024 11:04:05 +0800\r
Message-ID: <1@example.cn>\r
In-Reply-To: Your message of yesterday <0@example.cn>\r
References: <a@example.cn>\r
 <0@example.cn>\r
Content-Type: text/plain; charset=gb2312\r
Content-Transfer-Encoding: 8bit\r
\r
""" + "朱镕基：请查收\r\n".encode("gbk")


def test_every_field():
    record = read_message(FULL, source_ref="offset:0")
    assert record.source_ref == "offset:0"
    assert record.sha256 == hashlib.sha256(FULL).hexdigest()
    assert record.size == len(FULL)
    assert (record.from_name, record.from_addr) == ("李娜", "lina@example.cn")
    assert record.sender_addr == "office@example.cn"
    assert record.to_addrs == ["wang@example.cn", "zhang@example.cn"]
    assert (record.cc_addrs, record.bcc_addrs) == (["b@example.cn"], ["c@example.cn"])
    assert record.subject == "关于合同"
    assert record.message_id == "<1@example.cn>"
    assert record.in_reply_to == "<0@example.cn>"
    assert record.references == ["<a@example.cn>", "<0@example.cn>"]
    assert record.date_header == "Tue, 2 Jan 2024 11:04:05 +0800"
    assert record.sent_at == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert (record.sent_offset_min, record.date_source) == (480, DateSource.DATE_HEADER)
    assert record.received_at == datetime(2024, 1, 2, 3, 4, 9, tzinfo=UTC)
    assert (record.charset_declared, record.charset_used) == ("gb2312", "gb18030")
    assert record.text.strip() == "朱镕基：请查收"
    assert record.has_body is True
    assert (record.defects, record.attachments) == ([], [])
    assert record.completeness is Completeness.COMPLETE
    assert (record.raw_kind, record.deletion_state) == (RawKind.ORIGINAL, DeletionState.LIVE)
    assert record.is_read is None


def test_nothing_is_invented():
    record = read_message(b"X-Odd: 1\n\nbody", source_ref="x")
    empty = ("message_id", "subject", "from_addr", "date_header", "sent_at", "received_at")
    assert all(getattr(record, name) is None for name in empty)
    assert record.sent_offset_min is None
    assert record.date_source is DateSource.NONE
    assert set(record.defects) == {"no_message_id", "no_from", "no_date"}


def test_a_bad_date_stays_as_text_only():
    record = read_message(b"Date: Sun, 30 Nov 0002 00:00:00 -0800\n\nx", source_ref="x")
    assert record.sent_at is None
    assert record.date_header == "Sun, 30 Nov 0002 00:00:00 -0800"
    assert "bad_date" in record.defects


@pytest.mark.parametrize(
    ("raw", "completeness"),
    [
        (b"From: a@b.c\n\nbody", Completeness.COMPLETE),
        (b"From: a@b.c\nSubject: nothing to say\n\n", Completeness.COMPLETE),
        (b"From: a@b.c\nSubject: cut", Completeness.HEADERS_ONLY),
        (b"From: a@b.c\nContent-Type: multipart/mixed; boundary=b\n\n", Completeness.HEADERS_ONLY),
        (b"From: a@b.c\nContent-Length: 12\n\n", Completeness.HEADERS_ONLY),
        (b"From: a@b.c\nContent-Transfer-Encoding: base64\n\naGVsb", Completeness.PARTIAL),
        (
            b"From: a@b.c\nContent-Type: multipart/mixed; boundary=b\n\n--b\n\nhal",
            Completeness.PARTIAL,
        ),
    ],
)
def test_completeness(raw, completeness):
    assert read_message(raw, source_ref="x").completeness is completeness


def carried() -> bytes:
    inner = EmailMessage()
    inner["Subject"], inner["Message-ID"] = "innermost", "<3@x>"
    inner.set_content("deep text")
    middle = EmailMessage()
    middle["Subject"], middle["Message-ID"] = "middle", "<2@x>"
    middle.set_content("middle text")
    middle.add_attachment(inner)
    outer = EmailMessage()
    outer["Subject"], outer["Message-ID"] = "outer", "<1@x>"
    outer.set_content("outer text")
    outer.add_attachment(b"%PDF", maintype="application", subtype="pdf", filename="a.pdf")
    outer.add_attachment(middle)
    return outer.as_bytes()


def test_messages_inside_messages():
    raw = carried()
    records = read_nested(raw, source_ref="offset:7")
    assert [record.subject for record in records] == ["outer", "middle", "innermost"]
    refs = ["offset:7", "offset:7/part:3", "offset:7/part:3/part:2"]
    assert [record.source_ref for record in records] == refs
    assert [record.parent_ref for record in records] == [None, refs[0], refs[1]]
    assert [record.text.strip() for record in records] == ["outer text", "middle text", "deep text"]
    for record in records:
        data = nested_bytes(raw, record.source_ref)
        assert hashlib.sha256(data).hexdigest() == record.sha256
    media = [(a.name, a.media_type) for a in records[0].attachments]
    assert media == [("a.pdf", "application/pdf"), (None, "message/rfc822")]
    assert records[0].attachments[1].sha256 == records[1].sha256


def test_a_part_that_is_not_there():
    with pytest.raises(NoBytes, match="no part 9"):
        part_bytes(FULL, 9)
    with pytest.raises(NoBytes):
        nested_bytes(FULL, "offset:0/part:1/part:2")


def test_a_cut_message_inside_is_partial_too():
    raw = carried()
    cut = raw[: raw.index(b"deep text") + 4]
    records = read_nested(cut, source_ref="x")
    assert [record.completeness for record in records] == [Completeness.PARTIAL] * 3


def html_message(*, plain: bool) -> EmailMessage:
    message = EmailMessage()
    message["From"] = "a@b.c"
    if plain:
        message.set_content("plain words")
        message.add_alternative("<p>marked words</p>", subtype="html")
    else:
        message.set_content("<p>marked words</p><img src='cid:pic@x'>", subtype="html")
        message.add_related(b"GIF", "image", "gif", cid="<pic@x>", filename="p.gif")
    return message


def test_plain_text_stands_for_its_alternative():
    record = read_message(html_message(plain=True).as_bytes(), source_ref="x")
    assert record.text.strip() == "plain words"
    assert record.attachments == []


def test_html_is_reduced_and_its_pictures_are_inline():
    record = read_message(html_message(plain=False).as_bytes(), source_ref="x")
    assert record.text.strip() == "marked words"
    (picture,) = record.attachments
    assert (picture.inline, picture.content_id, picture.name) == (True, "pic@x", "p.gif")


def test_attached_text_is_found_by_search_but_is_not_the_body():
    message = EmailMessage()
    message["Message-ID"] = "<1@x>"
    message.set_content("body")
    bare = read_message(message.as_bytes(), source_ref="x")
    message.add_attachment("合同编号 42", filename="n.txt")
    record = read_message(message.as_bytes(), source_ref="x")
    assert "合同编号 42" in record.text
    assert record.content_key == bare.content_key


def test_the_key_bears_another_transfer_encoding():
    text = "Grüße\n" * 5
    keys = set()
    for encoding in ("base64", "quoted-printable", "8bit"):
        message = EmailMessage()
        message["Message-ID"] = "<1@x>"
        message.set_content(text, cte=encoding)
        keys.add(read_message(message.as_bytes(), source_ref="x").content_key)
    assert len(keys) == 1


def test_codes_are_explained():
    for raw in (carried()[:300], b"", b"\0\xff", b"Subject: \xff\xfe\n\n\xff"):
        assert set(read_message(raw, source_ref="x").defects) <= set(DEFECTS)
