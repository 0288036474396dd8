from __future__ import annotations

import struct

from mailforensics import mime
from mailforensics.mapi import Property, PropertyType, Recipient, Tag, rebuild, record, records
from mailforensics.mapi.message import party
from mailforensics.schema import Completeness, DateSource, RawKind
from tests.mapi.builders import SENT, attached, binary, embedded, integer, mail, moment, string, to

HEADERS = (
    "From: Li Na <li.na@example.com>\r\nTo: wang@example.com\r\n"
    "Date: Thu, 5 Mar 2026 16:30:00 +0800\r\nMessage-ID: <1@example.com>\r\nSubject: plan\r\n"
)


def test_columns_of_a_built_message():
    row = record(
        mail(
            to("Wang", "wang@example.com"),
            Recipient("cc", party("Zhao", "EX", "/O=X/CN=ZHAO", None)),
            Recipient("bcc", party(None, "SMTP", "boss@example.com", None)),
            attachments=[attached("a.txt", b"abc")],
            sent_representing_name=string("Li Na"),
            sent_representing_smtp_address=string("li.na@example.com"),
            sender_smtp_address=string("desk@example.com"),
            subject=string("\x01\x05RE: plan"),
            client_submit_time=moment(SENT),
            creation_time=moment(SENT),
            message_flags=integer(0x1),
            body=string("see the plan"),
        ),
        source_ref="nid:0x24",
    )
    assert (row.from_name, row.from_addr, row.sender_addr) == (
        "Li Na",
        "li.na@example.com",
        "desk@example.com",
    )
    assert (row.to_addrs, row.cc_addrs, row.bcc_addrs) == (
        ["wang@example.com"],
        [],
        ["boss@example.com"],
    )
    assert row.subject == "RE: plan"
    assert (row.sent_at, row.date_source) == (SENT, DateSource.CLIENT_SUBMIT_TIME)
    assert (row.date_header, row.sent_offset_min, row.received_at) == (None, None, None)
    assert (row.stored_at, row.is_read) == (SENT, True)
    assert row.flags == ["PidTagMessageFlags:0x1"]
    assert (row.raw_kind, row.sha256, row.size) == (RawKind.REBUILT_FROM_MAPI, None, None)
    assert (row.attachments[0].name, row.attachments[0].size) == ("a.txt", 3)
    assert row.text == "see the plan"
    assert row.defects == ["headers_built"]
    assert row.completeness is Completeness.COMPLETE


def test_same_message_has_the_same_content_key_as_its_file():
    eml = (HEADERS + "\r\nplease  see\r\nthe plan\r\n").encode()
    stored = mail(
        transport_message_headers=string(HEADERS + "\r\n"),
        body=string("please see\r\nthe plan\r\n"),
    )
    row = record(stored, source_ref="nid:1")
    assert row.content_key == mime.read_message(eml, source_ref="x").content_key
    assert (row.sent_at, row.sent_offset_min, row.date_source) == (
        SENT,
        480,
        DateSource.DATE_HEADER,
    )
    assert row.to_addrs == ["wang@example.com"]
    assert row.defects == []


def test_no_date_stays_no_date():
    row = record(
        mail(subject=string("x"), creation_time=Property(0x40, struct.pack("<Q", 0))),
        source_ref="r",
    )
    assert (row.sent_at, row.received_at, row.stored_at, row.date_source) == (
        None,
        None,
        None,
        DateSource.NONE,
    )
    assert "1970" not in rebuild(mail(subject=string("x"))).decode()


def test_messages_inside_get_their_own_rows():
    deepest = mail(subject=string("deepest"), body=string("c"), client_submit_time=moment(SENT))
    middle = mail(subject=string("middle"), body=string("b"), attachments=[embedded("in", deepest)])
    file = attached("x.eml", b"Subject: file\r\n\r\nz\r\n")
    outer = mail(
        subject=string("outer"), body=string("a"), attachments=[file, embedded("in", middle)]
    )
    rows = records(outer, source_ref="nid:0x24")
    by_subject = {row.subject: row for row in rows}
    assert set(by_subject) == {"outer", "middle", "deepest", "file"}
    assert by_subject["middle"].parent_ref == "nid:0x24"
    assert by_subject["deepest"].parent_ref == by_subject["middle"].source_ref
    assert by_subject["deepest"].sent_at == SENT
    assert by_subject["deepest"].message_class == "IPM.Note"
    assert by_subject["file"].raw_kind is RawKind.ORIGINAL
    raw = rebuild(outer)
    for row in rows[1:]:
        inside = mime.nested_bytes(raw, row.source_ref)
        assert mime.read_message(inside, source_ref="x").subject == row.subject
    assert mime.nested_bytes(raw, by_subject["deepest"].source_ref) == rebuild(deepest)


def test_damage_makes_a_row_partial():
    message = mail(subject=string("x"))
    message.properties.unreadable.append(Tag.BODY)
    message.recipients = None
    message.defects.append("recipients_missing")
    message.properties.values[Tag.DISPLAY_TO] = string("Wang; Zhao")
    row = record(message, source_ref="r")
    assert row.completeness is Completeness.PARTIAL
    assert {"body_unreadable", "property_unreadable", "recipients_missing"} <= set(row.defects)
    assert row.to_addrs == []
    assert b'To: "Wang" :;,\r\n "Zhao" :;' in rebuild(message)


def test_a_shown_name_is_an_address_only_when_it_is_written_as_one():
    message = mail(subject=string("x"), display_to=string("'wang@example.com'; Zhao Li"))
    message.recipients = None
    assert record(message, source_ref="r").to_addrs == ["wang@example.com"]


def test_answers_go_where_the_store_says():
    head = bytes(4) + bytes.fromhex("812b1fa4bea310199d6e00dd010f5402") + b"\x00\x00\x01\x80"
    entry = head + "Desk\0SMTP\0desk@example.com\0".encode("utf-16-le")
    data = struct.pack("<III", 1, len(entry) + 4, len(entry)) + entry + b"\0\0"
    raw = rebuild(mail(reply_recipient_entries=binary(data), subject=string("x")))
    assert b'Reply-To: "Desk"\r\n <desk@example.com>' in raw
    assert b"Reply-To" not in rebuild(mail(reply_recipient_entries=binary(data[:20])))


def test_mail_that_was_html_alone_has_the_key_of_its_html():
    html = "<p>please see <b>the plan</b></p>"
    eml = (HEADERS + "Content-Type: text/html; charset=utf-8\r\n\r\n" + html).encode()
    stored = mail(
        transport_message_headers=string(HEADERS + "Content-Type: text/html; charset=utf-8\r\n"),
        body=string("please see the plan <made by the store>"),
        html=string(html),
    )
    row = record(stored, source_ref="nid:1")
    assert row.content_key == mime.read_message(eml, source_ref="x").content_key


def test_unpackable_rtf_is_said():
    row = record(mail(rtf_compressed=binary(b"garbage" * 10)), source_ref="r")
    assert "rtf_undecodable" in row.defects
    assert row.completeness is Completeness.PARTIAL


def test_what_is_no_mail_becomes_readable_text():
    message = mail(
        message_class=string("IPM.Appointment"),
        subject=string("Audit"),
        display_to=string("Li; Wang"),
    )
    guid = "00062002-0000-0000-c000-000000000046"
    message.properties.names = {
        0x8001: (guid, 0x820D),
        0x8002: (guid, 0x8208),
        0x8003: (guid, 0x8215),
    }
    message.properties.values |= {
        0x8001: moment(SENT),
        0x8002: string("Room 5"),
        0x8003: Property(PropertyType.BOOLEAN, b"\x01"),
    }
    row = record(message, source_ref="r")
    assert row.text.splitlines() == [
        "Appointment (IPM.Appointment)",
        "Subject: Audit",
        "Begins: 2026-03-05 08:30 UTC",
        "Place: Room 5",
        "All day: yes",
        "Attendees: Li; Wang",
    ]
    assert row.message_class == "IPM.Appointment"
    assert "not_mail" in row.defects


def test_members_of_a_list_are_named():
    head = bytes(4) + bytes.fromhex("812b1fa4bea310199d6e00dd010f5402") + b"\x00\x00\x01\x80"
    entry = head + "Li Na\0SMTP\0li.na@example.com\0".encode("utf-16-le")
    message = mail(message_class=string("IPM.DistList"), display_name=string("Board"))
    message.properties.names = {0x8005: ("00062004-0000-0000-c000-000000000046", 0x8055)}
    message.properties.values[0x8005] = Property(0x1102, b"", (entry, b"short"))
    assert "Member: Li Na <li.na@example.com>" in record(message, source_ref="r").text


def test_encrypted_mail_is_flagged():
    data = bytes.fromhex("3080060b2a864886f70d010703") + b"rest"
    row = record(
        mail(attachments=[attached("smime.p7m", data)], message_class=string("IPM.Note.SMIME")),
        source_ref="r",
    )
    assert "smime:encrypted" in row.flags
    assert row.completeness is Completeness.COMPLETE
