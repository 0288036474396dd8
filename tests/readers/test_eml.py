from __future__ import annotations

import hashlib

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailforensics.errors import EvidenceUnreadable
from mailforensics.readers import ReadLog, Source, load
from mailforensics.readers.eml import EmlReader

MAIL = b"From: a@b.c\r\nTo: d@e.f\r\nSubject: x\r\n\r\nbody\r\n"
CARRYING = b"From: a@b.c\nSubject: out\nContent-Type: message/rfc822\n\nSubject: in\n\nx"


def read(path):
    reader, log, records = EmlReader(), ReadLog(), []
    for record in reader.read(Source(path), log):
        log.count(record)
        records.append(record)
    assert log.balanced
    return records, log


@pytest.mark.parametrize(
    ("name", "head", "claimed"),
    [
        ("a.eml", MAIL, True),
        ("a", MAIL, True),
        ("a.txt", b"\xef\xbb\xbf\r\n" + MAIL, True),
        ("a.eml", b"Subject: only one\n\nx", True),
        ("a.eml", b"X-Unknown: only one\n\nx", True),
        ("a.eml", MAIL + b"\0", True),
        ("a.eml", MAIL.replace(b"\r\n", b"\r"), True),
        ("a.eml", b"From x Mon Jan  1 00:00:00 2001\rFrom: a@b.c\rSubject: x\r\rbody", True),
        ("a.txt", b"Note: something\nand more\n", False),
        ("a.txt", b"Subject: one header\n\nis too little", False),
        ("a.eml", b"no header here\n", False),
        ("a.mbox", b"From x Mon Jan  1 00:00:00 2001\n" + MAIL, False),
        ("a.eml", b"From x Mon Jan  1 00:00:00 2001\n" + MAIL, False),
        ("a.log", b"2024-01-01 12:00:00 imap: Info: From: x\nTo: y\n", False),
        ("a.http", b"HTTP/1.1 200 OK\nDate: x\nContent-Type: y\n", False),
        ("a.eml", b"PK\x03\x04" + bytes(50), False),
        ("a.eml", bytes(100), False),
        ("a.eml", b"\r\n\r\n", False),
        ("a.eml", b"", False),
    ],
)
def test_sniff(tmp_path, name, head, claimed):
    path = tmp_path / name
    path.write_bytes(head)
    reader = EmlReader()
    assert reader.sniff(head, path) is claimed
    if not claimed:
        assert reader.why_not(head, path)


def test_an_empty_file_is_called_empty(tmp_path):
    path = tmp_path / "a.eml"
    path.touch()
    assert EmlReader().why_not(b"", path) == "the file is empty"
    records, log = read(path)
    assert (records, log.failed) == ([], 1)


def test_a_message_and_the_one_inside(tmp_path):
    path = tmp_path / "a.eml"
    path.write_bytes(CARRYING)
    records, log = read(path)
    assert [record.source_ref for record in records] == ["offset:0", "offset:0/part:1"]
    assert (records[0].source_offset, records[0].source_length) == (0, len(CARRYING))
    assert records[1].parent_ref == "offset:0"
    assert (log.declared, log.read) == (1, 1)
    reader = load("eml")
    assert reader.raw(Source(path), "offset:0") == CARRYING
    assert reader.raw(Source(path), "offset:0/part:1") == b"Subject: in\n\nx"


def test_a_file_that_is_gone(tmp_path):
    with pytest.raises(EvidenceUnreadable, match="cannot be read"):
        read(tmp_path / "gone.eml")


@given(st.binary(max_size=300))
def test_sniff_takes_any_bytes(tmp_path_factory, head):
    path = tmp_path_factory.getbasetemp() / "any.eml"
    path.touch()
    reader = EmlReader()
    assert reader.sniff(head, path) or reader.why_not(head, path)


def test_every_message_file_of_the_corpora(corpora):
    reader = EmlReader()
    count = 0
    for path in sorted((corpora / "eml").rglob("*")):
        if not path.is_file() or not reader.sniff(path.read_bytes()[:4096], path):
            continue
        records, _ = read(path)
        count += 1
        raw = path.read_bytes()
        assert records[0].sha256 == hashlib.sha256(raw).hexdigest()
        for record in records[1:2]:
            data = reader.raw(Source(path), record.source_ref)
            assert hashlib.sha256(data).hexdigest() == record.sha256
    # Of 1,745 files 73 hold only the text of a body, and 68 begin as an mbox.
    assert count == 1604


@pytest.mark.parametrize("folder", ["pst", "msg", "mbox", "emlx", "dbx", "tnef", "olm", "disk"])
def test_other_formats_are_left_alone(corpora, folder):
    reader = EmlReader()
    for path in (corpora / folder).rglob("*"):
        if path.is_file():
            with path.open("rb") as stream:
                assert not reader.sniff(stream.read(4096), path), path.name
