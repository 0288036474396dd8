"""Checks that look at one message at a time, DKIM aside."""

from __future__ import annotations

import base64
import io
import struct
import zipfile
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics import mime
from mailforensics.checks.base import Item
from mailforensics.checks.date_order import received_times, thread_index_time
from mailforensics.checks.magic import broken, identify
from mailforensics.schema import Completeness, RawKind
from tests.checks.frames import Case, letter, statuses, whole

SENT = datetime(2026, 11, 12, 9, 38, tzinfo=UTC)


def hop(at):
    return f"Received: from a by b; {at:%a, %d %b %Y %H:%M:%S} +0000"


def one(check, raw, **changed):
    """Status and detail of a single message."""
    case = Case().add(raw, **changed)
    results = case.run(check, items=case.messages()["item_id"])
    row = results[results["item_id"].notna()].iloc[0]
    return row["status"], f"{row['summary']} {row['detail']}"


def test_times_in_order_pass():
    status, said = one(
        "date_order",
        letter(headers=[hop(SENT + timedelta(seconds=9)), hop(SENT + timedelta(seconds=2))]),
    )
    assert status == "pass"
    assert "3 times" in said


@pytest.mark.parametrize(
    ("hops", "said"),
    [
        ([timedelta(0), timedelta(minutes=6)], "6 minutes before the server that handed"),
        ([timedelta(days=-2)], "2 days after the first server"),
        ([timedelta(hours=-30)], "30 hours after the first server"),
        ([timedelta(days=30)], "30 days before the first server"),
    ],
)
def test_times_out_of_order_are_told(hops, said):
    status, text = one("date_order", letter(headers=[hop(SENT + delta) for delta in hops]))
    assert status == "warn"
    assert said in text


@pytest.mark.parametrize(
    "hops",
    [
        [timedelta(0), timedelta(minutes=4)],
        [timedelta(hours=-20)],
        [timedelta(days=6)],
    ],
)
def test_times_within_tolerance_pass(hops):
    raw = letter(headers=[hop(SENT + delta) for delta in hops])
    assert one("date_order", raw)[0] == "pass"


def test_stored_before_received_future_and_ancient_times():
    raw = letter(headers=[hop(SENT)])
    assert (
        "stored 25 hours before" in one("date_order", raw, stored_at=SENT - timedelta(hours=25))[1]
    )
    assert one("date_order", raw, stored_at=SENT - timedelta(hours=14))[0] == "pass"
    late = letter(date="Sun, 12 Dec 2027 10:00:00 +0000", headers=[hop(SENT + timedelta(days=395))])
    assert "after the evidence was acquired" in one("date_order", late)[1]
    old = letter(date="Thu, 01 Jan 1970 00:00:00 +0000", headers=[hop(SENT)])
    assert "before there was Internet mail" in one("date_order", old)[1]


def test_one_time_is_nothing_to_compare():
    assert one("date_order", letter())[0] == "not_applicable"


def thread_index(at, replies=0):
    ticks = int((at - datetime(1601, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1)) * 10
    return base64.b64encode(struct.pack(">Q", ticks)[:6] + b"g" * 16 + b"\0" * 5 * replies).decode()


def test_thread_index():
    at, depth = thread_index_time(thread_index(SENT, 3).encode())
    assert abs(at - SENT) < timedelta(milliseconds=7)
    assert depth == 3
    # The start of a real header of 2020.
    known = base64.b64decode("AdXL") + b"\0" * 19
    assert thread_index_time(base64.b64encode(known))[0].year == 2020
    # The start of one by Exchange, which puts a reserved byte before the time.
    exchange = base64.b64decode("AQHO") + b"\0" * 19
    assert thread_index_time(base64.b64encode(exchange))[0].year == 2013
    raw = letter(headers=[hop(SENT), f"Thread-Index: {thread_index(SENT + timedelta(days=3))}"])
    assert "conversation began" in one("date_order", raw)[1]
    raw = letter(headers=[hop(SENT), f"Thread-Index: {thread_index(SENT - timedelta(days=30))}"])
    assert "long before its Date" in one("date_order", raw)[1]
    raw = letter(headers=[hop(SENT), f"Thread-Index: {thread_index(SENT - timedelta(days=30), 2)}"])
    assert one("date_order", raw)[0] == "pass"


@given(st.binary(max_size=400))
@settings(max_examples=60, deadline=None)
def test_any_bytes_give_times_or_none(data):
    thread_index_time(data)
    item = Item(row={"raw_kind": "original"}, raw=b"Received: a; " + data + b"\n\n")
    assert isinstance(received_times(item), list)


MULTI = (
    "--b\r\nContent-Type: text/plain\r\n\r\nHi\r\n--b\r\n"
    'Content-Type: application/pdf; name="{name}"\r\nContent-Transfer-Encoding: base64\r\n'
    'Content-Disposition: attachment; filename="{name}"\r\n\r\n{data}\r\n--b--\r\n'
)


def with_attachment(name, data, media="application/octet-stream"):
    body = MULTI.format(name=name, data=base64.encodebytes(data).decode().replace("\n", "\r\n"))
    body = body.replace("application/pdf", media)
    return letter(body, headers=['Content-Type: multipart/mixed; boundary="b"'])


def test_a_whole_message_is_complete():
    assert one("mime_complete", letter())[0] == "pass"
    assert one("mime_complete", with_attachment("a.pdf", b"%PDF-1.4 x %%EOF"))[0] == "pass"


@pytest.mark.parametrize("cut", [10, 60, 120])
def test_a_message_that_is_cut_off_is_not(cut):
    raw = with_attachment("a.pdf", b"%PDF-1.4 " + b"x" * 300)[:-cut]
    status, said = one("mime_complete", raw)
    assert status == "fail"
    assert "closing boundary is missing" in said


def test_changed_bytes_are_found():
    assert "SHA-256 differs" in one("mime_complete", letter(), sha256="1" * 64)[1]
    rebuilt = one("mime_complete", letter(), raw_kind=RawKind.REBUILT_FROM_MAPI, sha256=None)
    assert rebuilt[0] == "pass"
    assert "built from stored properties" in rebuilt[1]


def test_parts_traces_and_doubts():
    assert one("mime_complete", letter(), completeness=Completeness.HEADERS_ONLY)[0] == "fail"
    assert one("mime_complete", None)[0] == "not_applicable"
    assert one("mime_complete", letter(), defects=["end_undecided"])[0] == "warn"
    exact = letter("12345\n", headers=["Content-Length: 6"])
    assert one("mime_complete", exact)[0] == "pass"


def zipped(**members):
    stream = io.BytesIO()
    with zipfile.ZipFile(stream, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members.items():
            archive.writestr(name.replace("__", "/").replace("CT", "[Content_Types].xml"), data)
    return stream.getvalue()


DOCX = zipped(CT="<Types/>", word__document="word" * 500)
PNG = b"\x89PNG\r\n\x1a\n" + b"\0" * 30 + b"IEND\xaeB`\x82"
EXE = b"MZ" + b"\0" * 58 + b"\x40\0\0\0" + b"PE\0\0" + b"\0" * 40


@pytest.mark.parametrize(
    ("name", "data", "status"),
    [
        ("contract.pdf", b"%PDF-1.7 abc\n%%EOF\n", "pass"),
        ("contract.pdf", b"%PDF-1.7 abc\n", "fail"),
        ("contract.pdf", b"plain text", "warn"),
        ("contract.pdf", EXE, "fail"),
        ("setup.exe", EXE, "pass"),
        ("prices.docx", DOCX, "pass"),
        ("prices.docx", DOCX[:-40], "fail"),
        ("prices.xlsx", DOCX, "warn"),
        ("prices.docx", b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1" + b"\0" * 600, "warn"),
        ("photo.png", PNG, "pass"),
        ("photo.png", PNG[:-12], "fail"),
        ("photo.jpg", PNG, "warn"),
        ("list.csv", b"a,b\r\n1,2\r\n", "pass"),
        ("notes", b"\x01\x02\x03", "pass"),
        ("empty.txt", b"", "warn"),
    ],
)
def test_attachments(name, data, status):
    assert one("attachment_type", with_attachment(name, data))[0] == status


def test_damage_inside_an_archive_is_found():
    middle = DOCX.index(b"word/document") + 20
    hurt = DOCX[:middle] + bytes([DOCX[middle] ^ 0xFF]) + DOCX[middle + 1 :]
    assert one("attachment_type", with_attachment("a.docx", hurt))[0] == "fail"


def test_a_declared_type_counts_when_the_name_says_nothing():
    status, said = one("attachment_type", with_attachment("scan", b"plain", "image/png"))
    assert status == "warn"
    assert "declared type is image/png" in said


def test_no_attachment_is_nothing_to_examine():
    results = Case().add(letter()).run("attachment_type")
    assert whole(results, "attachment_type")["status"] == "not_applicable"
    assert statuses(results, "attachment_type") == []


def test_a_bomb_is_not_unpacked(monkeypatch):
    monkeypatch.setattr("mailforensics.checks.magic._MOST_BYTES", 1 << 20)
    bomb = zipped(a=b"\0" * (2 << 20))
    said, certain = broken("zip", bomb)
    assert "more than 256 MB" in said
    assert not certain


@given(st.sampled_from([b"", DOCX, PNG, EXE, b"PK\x03\x04", b"%PDF-"]), st.binary(max_size=200),
       st.integers(0, 400))  # fmt: skip
@settings(max_examples=150, deadline=None)
def test_any_bytes_are_identified_without_error(base, noise, place):
    data = base[:place] + noise + base[place:]
    kind = identify(data)
    if kind is not None:
        broken(kind, data)


def test_real_conversations_begin_before_their_messages(corpora):
    compared = 0
    for path in sorted(path for path in (corpora / "eml").rglob("*") if path.is_file()):
        raw = path.read_bytes()
        if b"thread-index:" not in raw.lower():
            continue
        sent = mime.read_message(raw, source_ref="x").sent_at
        values = Item(row={"raw_kind": "original"}, raw=raw).values("thread-index")
        found = thread_index_time(values[0]) if values else None
        if found is not None and sent is not None:
            assert timedelta(days=-1) < sent - found[0] < timedelta(days=400), path
            compared += 1
    assert compared >= 20
