from __future__ import annotations

import email.message
import email.policy
import hashlib
import struct
from collections import Counter
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics import mime
from mailforensics.mapi import Tag, from_eml, rebuild
from mailforensics.mapi.message import Party, _entries, one_off
from mailforensics.mapi.oneoff import entry_list, one_off_entry
from mailforensics.mapi.properties import PropertyBag


def built(**headers: str) -> email.message.EmailMessage:
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    for name, value in headers.items():
        message[name.replace("_", "-")] = value
    return message


def test_what_the_headers_say() -> None:
    message = built(
        From="李娜 <li.na@x.example>",
        Sender="desk@x.example",
        To="Zhao <zhao@x.example>, wang@x.example",
        Bcc="hidden@x.example",
        Subject="RE: Offer",
        Date="Thu, 12 Nov 2026 17:42:07 +0800",
        Message_ID="<1@x>",
        In_Reply_To="<0@x>",
        References="<a@x> <0@x>",
        Importance="High",
        Thread_Index="AQHWabcdAQ==",
        Reply_To="Answers <answers@x.example>",
    )
    message.set_content("text\n")
    found = from_eml(message.as_bytes(), is_read=True)
    bag = found.properties
    assert bag.text(Tag.SUBJECT) == "\x01\x05RE: Offer"
    assert found.subject == "RE: Offer"
    assert bag.text(Tag.CONVERSATION_TOPIC) == "Offer"
    assert found.author == Party("李娜", "li.na@x.example")
    assert found.sender == Party("desk@x.example", "desk@x.example")
    assert bag.text(Tag.DISPLAY_TO) == "Zhao; wang@x.example"
    assert [(r.kind, r.party.smtp) for r in found.recipients or ()] == [
        ("to", "zhao@x.example"),
        ("to", "wang@x.example"),
        ("bcc", "hidden@x.example"),
    ]
    assert str(bag.moment(Tag.CLIENT_SUBMIT_TIME)) == "2026-11-12 09:42:07+00:00"
    assert bag.text(Tag.INTERNET_MESSAGE_ID) == "<1@x>"
    assert bag.text(Tag.IN_REPLY_TO_ID) == "<0@x>"
    assert bag.text(Tag.INTERNET_REFERENCES) == "<a@x> <0@x>"
    assert (bag.integer(Tag.IMPORTANCE), bag.integer(Tag.MESSAGE_FLAGS)) == (2, 1)
    assert len(bag.binary(Tag.CONVERSATION_INDEX) or b"") == 7
    assert found.reply_to == [Party("Answers", "answers@x.example")]


def test_what_is_not_said_stays_absent() -> None:
    found = from_eml(b"Subject: s\n\nbody\n")
    absent = {Tag.CLIENT_SUBMIT_TIME, Tag.MESSAGE_DELIVERY_TIME, Tag.SENDER_NAME, Tag.HTML}
    absent |= {Tag.INTERNET_MESSAGE_ID, Tag.DISPLAY_TO, Tag.IMPORTANCE}
    assert not absent & set(found.properties.values)
    assert found.recipients == []
    assert found.properties.integer(Tag.MESSAGE_FLAGS) == 0


def test_headers_are_kept_as_they_came() -> None:
    raw = b"Received: by x\r\n\tid 7\r\nX-Odd: \xe5\x90\x88\r\nSubject: s\r\n\r\nbody"
    kept = from_eml(raw).transport_headers
    assert kept == "Received: by x\r\n\tid 7\r\nX-Odd: 合\r\nSubject: s\r\n\r\n"


@pytest.mark.parametrize(
    ("charset", "page"), [("gb2312", 936), ("utf-8", 65001), ("iso-8859-1", 28591), ("big5", 950)]
)
def test_html_keeps_its_bytes_under_its_code_page(charset: str, page: int) -> None:
    text = "<p>合同</p>" if charset != "iso-8859-1" else "<p>é</p>"
    data = text.encode(charset)
    raw = b"Content-Type: text/html; charset=%b\n\n%b" % (charset.encode(), data)
    bag = from_eml(raw).properties
    assert bag.binary(Tag.HTML) == data
    assert bag.integer(Tag.INTERNET_CODEPAGE) == page


def test_html_of_no_known_charset_becomes_utf8() -> None:
    raw = "Content-Type: text/html; charset=x-unknown\n\n<p>合同</p>".encode("gb18030")
    bag = from_eml(raw).properties
    assert bag.binary(Tag.HTML) == "<p>合同</p>".encode()
    assert bag.integer(Tag.INTERNET_CODEPAGE) == 65001


def test_files_keep_their_bytes_and_inline_images_are_hidden() -> None:
    message = built(Subject="s")
    message.set_content("text")
    message.add_alternative('<img src="cid:logo@x">', subtype="html")
    html = message.get_payload()[1]
    html.add_related(b"\x89PNG", "image", "png", cid="<logo@x>", filename="logo.png")
    message.add_attachment(
        b"\0\xff" * 99, maintype="application", subtype="x", filename="合同.docx"
    )
    first, second = from_eml(message.as_bytes()).attachments
    assert (first.name, first.content_id) == ("logo.png", "logo@x")
    assert first.properties.flag(Tag.ATTACHMENT_HIDDEN)
    assert (second.name, second.properties.flag(Tag.ATTACHMENT_HIDDEN)) == ("合同.docx", None)
    assert second.data is not None
    assert second.data() == b"\0\xff" * 99


def test_messages_inside_keep_their_bytes() -> None:
    inner = b"Subject: inner\r\nFrom: a@x.example\r\n\r\nbody\r\n"
    head = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n--b\r\n"
    (entry,) = from_eml(
        head + b"Content-Type: message/rfc822\r\n\r\n" + inner + b"\r\n--b--\r\n"
    ).attachments
    assert entry.name == "inner.eml"
    assert entry.data is not None
    assert entry.data() == inner


def test_signed_mail_keeps_what_was_signed() -> None:
    body = (
        b"--b\n\nContent-Type: text/plain\n\nsigned\n\n--b\n"
        b"Content-Type: application/pkcs7-signature; name=smime.p7s\n"
        b"Content-Transfer-Encoding: base64\n\nMIIB\n--b--\n"
    )
    kind = b'multipart/signed; protocol="application/pkcs7-signature"; boundary=b'
    raw = b"Subject: s\nMIME-Version: 1.0\nContent-Type: " + kind + b"\n\n" + body
    found = from_eml(raw)
    assert found.message_class == "IPM.Note.SMIME.MultipartSigned"
    assert [entry.name for entry in found.attachments] == ["smime.p7m"]
    assert body.replace(b"\n", b"\r\n") in rebuild(found)


def test_entries_of_people_read_back() -> None:
    people = [("李娜", "SMTP", "li@x.example"), ("", "SMTP", "a@x.example")]
    data = entry_list(one_off_entry(*who) for who in people)
    assert struct.unpack_from("<II", data) == (2, len(data) - 8)
    back = [one_off(entry, PropertyBag()) for entry in _entries(data)]
    assert back == [Party("李娜", "li@x.example"), Party(None, "a@x.example")]


@settings(max_examples=150, deadline=None)
@given(st.binary(max_size=400) | st.lists(st.sampled_from(
    [b"Content-Type: multipart/mixed; boundary=b\n", b"\n", b"--b\n", b"--b--", b"From: a@b\n",
     b"Content-Type: message/rfc822\n\n", b"Content-Type: text/html; charset=hex\n\n", b"\xff\x00",
     b"Subject: =?utf-8?q?=ff?=\n", b"begin 644 x\n#0V%T\n`\nend\n", b"Thread-Index: !\n",
     b"Date: Mon, 1 Jan 0001 00:00:00 +0000\n"]), max_size=12).map(b"".join))  # fmt: skip
def test_no_bytes_make_it_fail(raw: bytes) -> None:
    found = from_eml(raw)
    for entry in found.attachments:
        assert entry.data is not None
        entry.data()
    rebuild(found)


def test_real_mail_loses_no_attachment(corpora: Path) -> None:
    count = 0
    for path in sorted(each for each in (corpora / "eml").rglob("*") if each.is_file())[::3]:
        raw = path.read_bytes()
        found, read = from_eml(raw), mime.read_message(raw, source_ref="")
        if found.message_class.startswith("IPM.Note.SMIME"):
            continue
        given = Counter(hashlib.sha256(e.data()).hexdigest() for e in found.attachments if e.data)
        assert not Counter(e.sha256 for e in read.attachments) - given, path.name
        assert found.subject == (read.subject or None), path.name
        assert found.properties.moment(Tag.CLIENT_SUBMIT_TIME) in {read.sent_at, None}, path.name
        count += 1
    assert count > 500
