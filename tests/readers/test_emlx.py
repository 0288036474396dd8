from __future__ import annotations

import base64
import hashlib
import plistlib
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailforensics.readers import ReadLog, Source
from mailforensics.readers.emlx import EmlxReader
from mailforensics.schema import Completeness, Confidence, DeletionState

MAIL = b"From: a@b.c\nSubject: x\nReceived: by y; Tue, 2 Jan 2024 03:04:05 +0000\n\nbody\n"


def emlx(message=MAIL, *, count=None, **notes):
    size = len(message) if count is None else count
    plist = plistlib.dumps({name.replace("_", "-"): value for name, value in notes.items()})
    return b"%-10d\n" % size + message + plist


def read(path, raw=None):
    if raw is not None:
        path.write_bytes(raw)
    reader, log, records = EmlxReader(), ReadLog(), []
    for record in reader.read(Source(path), log):
        log.count(record)
        records.append(record)
    assert log.balanced
    return records, log


def reasons(log):
    return " ".join(row.reason or "" for row in log.rows())


def test_a_message_with_its_notes(tmp_path):
    path = tmp_path / "1.emlx"
    raw = emlx(flags=0x11, date_received=1704164646, remote_id="77")
    (record,), log = read(path, raw)
    assert record.source_ref == "offset:11"
    assert raw[11 : 11 + record.source_length] == MAIL
    assert record.flags == ["emlx-flags:0x11", "read", "flagged"]
    assert record.is_read is True
    assert record.received_at == datetime(2024, 1, 2, 3, 4, 6, tzinfo=UTC)
    assert record.deletion_state is DeletionState.LIVE
    assert log.rows()[1].detail == "remote-id: 77"
    assert EmlxReader().raw(Source(path), record.source_ref) == MAIL


def test_the_deleted_flag(tmp_path):
    (record,), _ = read(tmp_path / "1.emlx", emlx(flags=2))
    assert record.deletion_state is DeletionState.MARKED_DELETED
    assert record.confidence is Confidence.CERTAIN
    assert "flags 0x2" in record.deletion_basis
    assert record.is_read is False


@pytest.mark.parametrize("flags", [0, 1, 4, 0x600030801])
def test_other_flags_delete_nothing(tmp_path, flags):
    (record,), _ = read(tmp_path / "1.emlx", emlx(flags=flags))
    assert record.deletion_state is DeletionState.LIVE


def test_without_notes_nothing_is_said(tmp_path):
    (record,), log = read(tmp_path / "1.emlx", b"%d\n" % len(MAIL) + MAIL)
    assert (record.is_read, record.flags) == (None, [])
    assert record.received_at == datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    assert "missing" in reasons(log)


@pytest.mark.parametrize("count", [3, len(MAIL) - 9, len(MAIL) + 9, 10**9])
def test_a_wrong_count_is_found_out(tmp_path, count):
    path = tmp_path / "1.emlx"
    (record,), log = read(path, emlx(count=count, flags=1))
    assert EmlxReader().raw(Source(path), record.source_ref) == MAIL
    assert "size_mismatch" in record.defects
    assert record.is_read is True
    assert "byte" in reasons(log)


def test_no_count_at_all(tmp_path):
    (record,), log = read(tmp_path / "1.emlx", emlx(flags=1).split(b"\n", 1)[1])
    assert record.subject == "x"
    assert record.sha256 == hashlib.sha256(MAIL).hexdigest()
    assert "end_undecided" in record.defects
    assert "no byte count" in reasons(log)


def test_a_cut_file(tmp_path):
    (record,), _ = read(tmp_path / "1.emlx", emlx()[:70])
    assert record.subject == "x"
    assert {"truncated_end", "size_mismatch"} <= set(record.defects)
    assert record.completeness is not Completeness.COMPLETE


@pytest.mark.parametrize(
    "rest", [b"<?xml <plist", b"<?xml version='1.0'?><plist><array/></plist>", b"bplist00junk"]
)
def test_a_damaged_property_list(tmp_path, rest):
    (record,), _ = read(tmp_path / "1.emlx", b"%d\n" % len(MAIL) + MAIL + rest)
    assert record.subject == "x"
    assert record.flags == []


PARTIAL = b"""From: a@b.c
Content-Type: multipart/mixed; boundary=b

--b

text
--b
Content-Type: application/pdf; name=a.pdf
Content-Transfer-Encoding: base64
X-Apple-Content-Length: 12

--b--
"""


def test_an_attachment_that_was_never_downloaded(tmp_path):
    (record,), log = read(tmp_path / "5.partial.emlx", emlx(PARTIAL))
    (attachment,) = record.attachments
    assert (attachment.name, attachment.size, attachment.sha256) == ("a.pdf", None, None)
    assert "attachment_missing" in record.defects
    assert record.completeness is Completeness.PARTIAL
    assert "never downloaded" in reasons(log)


@pytest.mark.parametrize("saved", [False, True])
def test_an_attachment_beside_the_message(tmp_path, saved):
    folder = tmp_path / "Messages"
    folder.mkdir()
    if saved:
        (tmp_path / "Attachments/5/2").mkdir(parents=True)
        (tmp_path / "Attachments/5/2/a.pdf").write_bytes(b"hello")
    else:
        (folder / "5.2.emlxpart").write_bytes(base64.encodebytes(b"hello"))
    (record,), _ = read(folder / "5.partial.emlx", emlx(PARTIAL))
    (attachment,) = record.attachments
    assert (attachment.size, attachment.sha256) == (5, hashlib.sha256(b"hello").hexdigest())
    assert "attachment_missing" not in record.defects


def test_a_part_file_is_skipped_with_its_reason(tmp_path):
    path = tmp_path / "5.2.emlxpart"
    path.write_bytes(b"aGVsbG8=")
    assert EmlxReader().sniff(b"aGVsbG8=", path)
    records, log = read(path)
    assert (records, log.skipped) == ([], 1)
    assert "5.partial.emlx" in reasons(log)


def test_sniff(tmp_path):
    reader = EmlxReader()
    assert reader.sniff(emlx()[:4096], tmp_path / "1.emlx")
    assert reader.sniff(emlx()[:4096], tmp_path / "1")
    assert not reader.sniff(MAIL, tmp_path / "1.eml")
    assert not reader.sniff(b"12\nhello\n", tmp_path / "1.txt")
    empty = tmp_path / "e.emlx"
    empty.touch()
    assert not reader.sniff(b"", empty)
    assert reader.why_not(b"", empty) == "the file is empty"


def test_the_corpora(corpora):
    found = {}
    for path in sorted((corpora / "emlx").iterdir()):
        assert EmlxReader().sniff(path.read_bytes()[:4096], path)
        for record in read(path)[0]:
            found[record.subject] = record
    assert len(found) == 3
    partial = found["Re: promulgare lege"]
    assert partial.flags == ["emlx-flags:0x600030801", "read"]
    assert partial.received_at == datetime(2015, 12, 6, 11, 4, 51, tzinfo=UTC)
    assert [one.size for one in partial.attachments] == [28195, None]
    assert found["[jira] Commented: (TIKA-461) RFC822 messages not parsed"].size == 1795


def test_the_parts_of_the_corpora_found_beside_their_message(corpora, tmp_path):
    for path in (corpora / "emlx").glob("*1498*"):
        (tmp_path / path.name.rpartition("__")[2]).write_bytes(path.read_bytes())
    (record,), _ = read(tmp_path / "1498.partial.emlx")
    pdf = record.attachments[1]
    assert pdf.size is not None
    assert pdf.size > 50_000
    assert "attachment_missing" not in record.defects


@given(st.binary(max_size=300), st.sampled_from([b"", b"12\n", b"5 \r\n"]))
def test_any_bytes(tmp_path_factory, data, front):
    path = tmp_path_factory.getbasetemp() / "any.emlx"
    read(path, front + data)
