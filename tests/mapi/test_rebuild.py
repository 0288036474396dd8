from __future__ import annotations

import email
import email.policy
import hashlib

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics import mime
from mailforensics.mapi import Attachment, PropertyBag, Recipient, Tag, rebuild
from mailforensics.mapi.message import Party, party
from tests.mapi.builders import (
    SENT,
    attached,
    binary,
    embedded,
    integer,
    mail,
    moment,
    string,
    string8,
    to,
)

TEXT = st.text(st.characters(exclude_categories=("Cs", "Cc", "Zl", "Zp", "Cn", "Co")), max_size=300)
WORDS = TEXT.map(lambda text: " ".join(text.split())).filter(bool)
BODY = st.text(st.characters(exclude_categories=("Cs",), exclude_characters="\0"), min_size=1)


def parsed(data: bytes):
    return email.message_from_bytes(data, policy=email.policy.default)


def faults(message) -> list[object]:
    found = [fault for part in message.walk() for fault in part.defects]
    for part in message.walk():
        for name in ("From", "Subject", "Content-Type", "Content-Disposition"):
            found += getattr(part[name], "defects", ())
    return found


def is_wire_clean(data: bytes) -> bool:
    lines = data.split(b"\r\n")
    return data.isascii() and not any(
        len(line) > 998 or b"\r" in line or b"\n" in line for line in lines
    )


@given(subject=WORDS, name=WORDS, body=BODY, file_name=WORDS, data=st.binary(max_size=4000))
@settings(max_examples=150, deadline=None)
def test_standard_library_gives_back_what_went_in(subject, name, body, file_name, data):
    message = mail(
        to(name, "li.na@example.com"),
        attachments=[attached(file_name, data)],
        subject=string(subject),
        body=string(body),
        sent_representing_name=string(name),
        sent_representing_smtp_address=string("wang@example.com"),
    )
    raw = rebuild(message)
    assert is_wire_clean(raw)
    assert raw == rebuild(message)
    found = parsed(raw)
    assert not faults(found)
    assert found["Subject"] == subject
    text, file = found.iter_parts()
    assert text.get_payload(decode=True).decode() == body.rstrip("\0")
    assert file.get_filename() == file_name
    assert file.get_payload(decode=True) == data
    assert [addr for _, addr in mime.addresses(field(raw, b"From"))] == ["wang@example.com"]
    assert [shown for shown, _ in mime.addresses(field(raw, b"To"))] == [name]


def field(raw: bytes, name: bytes) -> bytes:
    return next(value for key, value in mime.parse(raw).headers if bytes_of(key) == name)


def bytes_of(key: str | bytes) -> bytes:
    return key if isinstance(key, bytes) else key.encode()


@given(st.text(max_size=400), st.text(max_size=200))
@settings(max_examples=200, deadline=None)
def test_any_transport_headers_give_a_parsable_message(headers, subject):
    raw = rebuild(
        mail(
            transport_message_headers=string(headers),
            subject=string(subject),
            body=string("body text"),
        )
    )
    found = parsed(raw)
    assert not found.defects
    assert found.get_payload(decode=True) == b"body text"


def test_every_transport_header_line_stands_in_order():
    lines = [
        "Received: from a.example.com by b.example.com with ESMTP;",
        "\tThu, 5 Mar 2026 16:30:02 +0800",
        "Received: from c.example.com by a.example.com; Thu, 5 Mar 2026 16:30:01 +0800",
        "From: Li Na <li.na@example.com>",
        "To: wang@example.com",
        "Subject: quarterly",
        "  report",
        "Content-Type: multipart/alternative;",
        '\tboundary="abc"',
        "MIME-Version: 1.0",
        "X-Odd:no blank",
    ]
    text = "Microsoft Mail Internet Headers Version 2.0\r\n" + "\r\n".join(lines) + "\r\n\r\n"
    raw = rebuild(mail(transport_message_headers=string(text), body=string("x")))
    head = raw.partition(b"\r\n\r\n")[0].decode().split("\r\n")
    expected = [
        f"X-Mailforensics-Original-{line}" if line.startswith(("Content-Type", "MIME")) else line
        for line in lines
    ]
    assert head[: len(lines)] == expected
    assert "X-Mailforensics-Headers" not in raw.decode()


def test_header_text_outside_ascii_becomes_encoded_words():
    text = (
        'From: "张三，经理" <zhang@example.com>\r\nSubject: 合同 修改 v2\r\n'
        "nonsense\r\n\r\nSubject: two"
    )
    raw = rebuild(mail(transport_message_headers=string(text)))
    found = parsed(raw)
    assert is_wire_clean(raw)
    assert found["From"].addresses[0].display_name == "张三，经理"
    assert found["Subject"] == "合同 修改 v2"
    assert found.get_all("X-Mailforensics-Original-Line") == ["nonsense", "Subject: two"]


def test_exchange_addresses_are_not_turned_into_internet_addresses():
    native = "/O=EXAMPLE/OU=FIRST/CN=RECIPIENTS/CN=LINA"
    message = mail(
        Recipient("to", party("Wang Wei", "EX", native, None)),
        Recipient("to", party("Zhao", "EX", native, "zhao@example.com")),
        sent_representing_name=string("Li Na"),
        sent_representing_address_type=string("EX"),
        sent_representing_email_address=string(native),
        subject=string("hello"),
    )
    raw = rebuild(message)
    found = parsed(raw)
    assert found["From"].addresses == ()
    assert found["From"].groups[0].display_name == "Li Na"
    assert [who.addr_spec for who in found["To"].addresses] == ["zhao@example.com"]
    assert f"EX:{native}" in found["X-Mailforensics-Native-From"]
    assert found["X-Mailforensics-Headers"] == "built from MAPI properties"
    assert found["Date"] is None
    assert found["Message-ID"] is None


@pytest.mark.parametrize("text", ["a\r\nBcc: spy@example.com", "a\nX: y", "\r\n\r\nbody"])
def test_a_stored_subject_cannot_add_header_lines(text):
    found = parsed(rebuild(mail(subject=string(text), body=string("real body"))))
    assert found["Bcc"] is None
    assert found["X"] is None
    assert found.get_payload(decode=True) == b"real body"


def test_date_is_the_submit_time_and_threads_are_kept():
    found = parsed(
        rebuild(
            mail(
                client_submit_time=moment(SENT),
                internet_message_id=string("<1@example.com>"),
                in_reply_to_id=string("<0@example.com>"),
                internet_references=string("<a@example.com> <0@example.com>"),
                importance=integer(2),
                conversation_index=binary(b"\x01" * 22),
            )
        )
    )
    assert found["Date"].datetime == SENT
    assert found["Message-ID"] == "<1@example.com>"
    assert found["In-Reply-To"] == "<0@example.com>"
    assert found["References"] == "<a@example.com> <0@example.com>"
    assert found["Importance"] == "high"
    assert found["Thread-Index"] == "AQEBAQEBAQEBAQEBAQEBAQEBAQEBAQ=="


def test_inline_image_stays_inside_its_html():
    image = attached(
        "logo.png",
        b"\x89PNG",
        attach_content_id=string("logo@1"),
        attach_mime_tag=string("image/png"),
    )
    file = attached("报价.pdf", b"%PDF")
    html = b'<p>hi</p><img src="cid:logo@1">'
    message = mail(
        attachments=[file, image],
        body=string("hi"),
        html=binary(html),
        internet_codepage=integer(65001),
    )
    found = parsed(rebuild(message))
    assert found.get_content_type() == "multipart/mixed"
    related, second = found.iter_parts()
    alternative, picture = related.iter_parts()
    assert related.get_content_type() == "multipart/related"
    assert [part.get_content_type() for part in alternative.iter_parts()] == [
        "text/plain",
        "text/html",
    ]
    assert picture["Content-ID"] == "<logo@1>"
    assert picture.get_content_disposition() == "inline"
    assert second.get_filename() == "报价.pdf"
    assert second.get_content_type() == "application/pdf"


def test_html_bytes_come_out_exactly_under_their_character_set():
    html = "<html><body>朱镕基，合同</body></html>".encode("gb18030")
    found = parsed(rebuild(mail(html=binary(html), internet_codepage=integer(936))))
    assert found.get_payload(decode=True) == html
    assert found.get_content() == html.decode("gb18030")


def test_eight_bit_body_in_a_chinese_code_page():
    text = "你好，朱镕基。请看附件。\r\n"
    message = mail(
        body=string8(text.encode("gb18030")),
        subject=string8("会议纪要".encode("gbk")),
        message_codepage=integer(936),
    )
    found = parsed(rebuild(message))
    assert found.get_content().replace("\n", "\r\n").replace("\r\r", "\r") == text
    assert found["Subject"] == "会议纪要"


def test_messages_inside_messages_and_their_depth_are_bounded():
    inner = mail(subject=string("innermost"), body=string("deep"))
    for number in range(20):
        inner = mail(subject=string(f"level {number}"), attachments=[embedded("next", inner)])
    raw = rebuild(inner)
    found = parsed(raw)
    depth = 0
    while found.is_multipart():
        found = found.get_payload(0)
        depth += found.get_content_type() == "message/rfc822"
    assert depth == 11
    assert b"nested too deep" in raw


def test_an_attached_mail_file_stays_byte_for_byte():
    data = b"From: a@example.com\r\nSubject: x\r\n\r\nbody\r\n"
    broken = b"From: a@example.com\nSubject: x\n\nbody\n"
    message = mail(attachments=[attached("a.eml", data), attached("b.eml", broken)])
    first, second = _attachment_bytes(message)
    assert first == data
    assert second == broken


def _attachment_bytes(message):
    raw = rebuild(message)
    row = mime.read_message(raw, source_ref="x")
    return [mime.part_bytes(raw, entry.position) for entry in row.attachments]


def test_what_cannot_be_read_is_said_and_not_faked():
    def fails() -> bytes:
        raise OSError("damaged")

    link = Attachment(
        PropertyBag(
            {
                Tag.ATTACH_METHOD: integer(7),
                Tag.ATTACH_LONG_FILENAME: string("plan.docx"),
                Tag.ATTACH_LONG_PATHNAME: string("https://example.com/plan.docx"),
            }
        )
    )
    lost = Attachment(PropertyBag({Tag.ATTACH_LONG_FILENAME: string("lost.bin")}), data=fails)
    found = parsed(rebuild(mail(body=string("see"), attachments=[link, lost])))
    notes = found.get_all("X-Mailforensics-Missing-Attachment")
    assert not found.is_multipart()
    assert "plan.docx" in notes[0]
    assert "https://example.com/plan.docx" in notes[0]
    assert "lost.bin" in notes[1]


def test_signed_and_encrypted_messages_come_out_as_they_were_sent():
    signed = (
        b'Content-Type: multipart/signed; protocol="application/pkcs7-signature";\r\n'
        b' micalg=sha1; boundary="b"\r\n\r\n--b\r\nContent-Type: text/plain\r\n\r\nhello\r\n'
        b"--b\r\nContent-Type: application/pkcs7-signature\r\n\r\nxx\r\n--b--\r\n"
    )
    raw = rebuild(
        mail(
            attachments=[attached("smime.p7m", signed)],
            message_class=string("IPM.Note.SMIME.MultipartSigned"),
        )
    )
    assert raw.endswith(signed)
    opaque = bytes.fromhex("3080060b2a864886f70d010703") + b"rest"
    found = parsed(
        rebuild(
            mail(
                attachments=[attached("smime.p7m", opaque)], message_class=string("IPM.Note.SMIME")
            )
        )
    )
    assert found.get_content_type() == "application/pkcs7-mime"
    assert found["Content-Type"].params["smime-type"] == "enveloped-data"
    assert found.get_payload(decode=True) == opaque


def test_same_message_same_bytes_on_every_machine():
    message = mail(
        to("Wang", "wang@example.com"),
        attachments=[attached("合同.txt", b"text")],
        subject=string("合同"),
        body=string("plain"),
        html=string("<p>plain</p>"),
        client_submit_time=moment(SENT),
    )
    digest = hashlib.sha256(rebuild(message)).hexdigest()
    assert digest == "2a162ac410c11ecf0eabdfa593aa00908d79bdb3ec276fc41deb2bc1eb7f5e74"


def test_party_without_anything_is_nobody():
    assert party(None, None, " ", None) == Party()
    assert party("x@example.com", "SMTP", None, None).smtp == "x@example.com"
    assert party("Li Na", "SMTP", "not an address", None).smtp is None
