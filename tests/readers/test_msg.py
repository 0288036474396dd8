from __future__ import annotations

import hashlib
import logging
from pathlib import Path

import extract_msg
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailforensics import mime
from mailforensics.errors import CorruptContainer, EvidenceUnreadable, NoBytes
from mailforensics.mapi import Tag, rebuild
from mailforensics.readers import compound
from mailforensics.readers.base import ReadLog, Source
from mailforensics.readers.msg import MsgReader
from mailforensics.schema import DeletionState, message_table

READER = MsgReader()


def read(path: Path):
    log, rows = ReadLog(), []
    for row in READER.read(Source(path), log):
        log.count(row)
        rows.append(row)
    return log, rows


@pytest.fixture(scope="module")
def everything(corpora):
    return {path: read(path) for path in sorted((corpora / "msg").iterdir())}


def test_all_files_are_read_and_balance(everything):
    assert len(everything) == 221
    for path, (log, rows) in everything.items():
        assert READER.sniff(path.open("rb").read(4096), path), path.name
        assert log.balanced
        assert log.read == 1
        assert rows[0].source_ref == "msg:0"
        assert all(row.deletion_state is DeletionState.LIVE for row in rows)
    rows = [row for _, found in everything.values() for row in found]
    assert len(rows) >= 245
    kinds = {row.message_class for row in rows}
    assert {"IPM.Appointment", "IPM.Contact", "IPM.Task", "IPM.StickyNote"} <= kinds
    table = message_table(
        rows,
        evidence_id="E01",
        evidence_sha256="0" * 64,
        custodian="",
        reader="msg",
        reader_version="0",
        source_path="",
    )
    assert table.num_rows == len(rows)


def test_second_opinion_agrees_on_subject_and_attachments(everything):
    logging.getLogger("extract_msg").disabled = True
    checked = 0
    for path, (_, rows) in list(everything.items())[::3]:
        try:
            peer = extract_msg.openMsg(
                str(path), errorBehavior=extract_msg.enums.ErrorBehavior.SUPPRESS_ALL
            )
        except extract_msg.exceptions.UnrecognizedMSGTypeError:
            continue
        with peer:
            if rows[0].flags and any(flag.startswith("smime") for flag in rows[0].flags):
                continue
            ascii_subject = (peer.subject or "").isascii()
            if ascii_subject:
                assert (rows[0].subject or "").strip() == (peer.subject or "").strip("\0 ")
            digests = {entry.sha256 for entry in rows[0].attachments}
            for attachment in peer.attachments:
                if isinstance(attachment.data, bytes):
                    assert hashlib.sha256(attachment.data).hexdigest() in digests
                    checked += 1
    assert checked > 15


def test_each_transport_header_line_is_in_the_rebuilt_mail(everything):
    checked = 0
    for path in everything:
        with compound.opened(path) as streams:
            message = compound.message_of(streams)
            text = message.properties.text(Tag.TRANSPORT_MESSAGE_HEADERS)
            head = rebuild(message).partition(b"\r\n\r\n")[0].split(b"\r\n")
        body = False
        for line in (text or "").replace("\r\n", "\n").strip("\n\0 ").split("\n"):
            body = body or not line.strip()
            if body or line.startswith("Microsoft Mail Internet Headers") or not line.isascii():
                continue
            wanted = line.encode()
            renamed = {
                b"X-Mailforensics-Original-" + wanted,
                b"X-Mailforensics-Original-Line: " + wanted,
            }
            assert wanted in head or renamed & set(head) or "\0" in line, (path.name, line)
            checked += 1
    assert checked > 1000


def test_bytes_come_again(everything):
    for path, (_, rows) in list(everything.items())[::4]:
        for row in rows:
            raw = READER.raw(Source(path), row.source_ref)
            assert raw == READER.raw(Source(path), row.source_ref)
            assert b"\n" not in raw.replace(b"\r\n", b"")
            assert mime.read_message(raw, source_ref="x").message_id == row.message_id
    with pytest.raises(NoBytes):
        READER.raw(Source(next(iter(everything))), "msg:0/part:99")


def test_chinese_is_readable(everything):
    texts = {path.name: rows[0] for path, (_, rows) in everything.items()}
    traditional = next(row for name, row in texts.items() if "chinese-traditional" in name)
    assert traditional.from_name == "Tests Chang@FT (張毓倫)"
    plain = next(row for name, row in texts.items() if "chinese_message.msg" in name)
    assert "\ufffd" not in plain.text


def test_olefile_alone_gives_the_same_rows(everything, monkeypatch):
    def refuse(path):
        raise ValueError("refused")

    monkeypatch.setattr(compound, "_through_extract_msg", refuse)
    for path, (_, rows) in list(everything.items())[::15]:
        assert read(path)[1] == rows


def test_signed_and_encrypted_messages_are_flagged(everything):
    flags = [flag for _, rows in everything.values() for row in rows for flag in row.flags]
    assert flags.count("smime:signed") >= 2
    assert flags.count("smime:encrypted") >= 2


def test_other_office_files_are_refused_with_a_reason(tmp_path, corpora):
    writer = extract_msg.ole_writer.OleWriter()
    writer.addEntry(["WordDocument"], b"x" * 5000)
    path = tmp_path / "letter.doc"
    writer.write(str(path))
    head = path.read_bytes()[:4096]
    assert not READER.sniff(head, path)
    assert "Office" in READER.why_not(head, path)
    text = tmp_path / "notes.msg"
    text.write_bytes(b"hello")
    assert not READER.sniff(b"hello", text)
    assert "is named .msg" in READER.why_not(b"hello", text)


def test_damaged_and_absent_files(tmp_path, corpora):
    original = sorted((corpora / "msg").iterdir())[0].read_bytes()
    path = tmp_path / "cut.msg"
    path.write_bytes(original[:600])
    assert READER.sniff(original[:600], path)
    with pytest.raises(CorruptContainer):
        read(path)
    with pytest.raises(EvidenceUnreadable):
        read(tmp_path / "absent.msg")


@given(
    cut=st.integers(512, 30_000),
    spots=st.lists(st.tuples(st.integers(0, 30_000), st.integers(0, 255)), max_size=12),
)
@settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
def test_damaged_files_are_rows_or_reasons(corpora, tmp_path_factory, cut, spots):
    original = sorted((corpora / "msg").glob("*attachmentFiles*"))[0].read_bytes()
    data = bytearray(original[:cut])
    for place, value in spots:
        if place < len(data):
            data[place] = value
    path = tmp_path_factory.mktemp("damaged") / "x.msg"
    path.write_bytes(data)
    READER.sniff(bytes(data[:4096]), path)
    try:
        log, _ = read(path)
    except CorruptContainer:
        return
    assert log.balanced
