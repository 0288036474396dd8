from __future__ import annotations

from pathlib import Path

import pytest

from mailforensics.errors import NoBytes
from mailforensics.readers.base import ReadLog, Source
from mailforensics.readers.pst import PstReader
from mailforensics.schema import Completeness, Confidence, DeletionState, MessageRecord, RawKind

READER = PstReader()
NAME = "tghanem_PST__{}__user1@test.lab.pst"


def read(path: Path) -> tuple[ReadLog, list[MessageRecord]]:
    log, rows = ReadLog(), []
    for row in READER.read(Source(path), log):
        log.count(row)
        assert isinstance(row, MessageRecord)
        rows.append(row)
    assert log.balanced
    return log, rows


def test_a_deleted_message_is_a_row_with_its_basis(corpora: Path) -> None:
    path = corpora / "pst" / NAME.format("34244b")
    _, rows = read(path)
    (row,) = [each for each in rows if each.deletion_state is DeletionState.ORPHANED]
    assert row.subject == "TestWithTextFileAttachment"
    assert row.folder == "Outbox"
    assert row.completeness is Completeness.COMPLETE
    assert row.confidence is Confidence.CERTAIN
    assert row.source_ref == "nid:0x200124@page:0x1289"
    assert row.raw_kind is RawKind.REBUILT_FROM_MAPI
    assert [entry.name for entry in row.attachments] == ["TextFile.txt"]
    basis = row.deletion_basis or ""
    assert "older list" in basis
    assert "offset" in basis
    assert "free" in basis
    raw = READER.raw(Source(path), row.source_ref)
    assert b"Subject: TestWithTextFileAttachment\r\n" in raw
    assert b"TextFile.txt" in raw


def test_what_is_missing_is_said(corpora: Path) -> None:
    _, rows = read(corpora / "pst" / NAME.format("4b4993"))
    (row,) = [each for each in rows if each.deletion_state is DeletionState.ORPHANED]
    assert row.source_ref.startswith("block:0x")
    assert row.completeness is Completeness.PARTIAL
    assert row.confidence is Confidence.PROBABLE
    assert "Missing: HTML body, recipients." in (row.deletion_basis or "")


def test_a_line_of_a_list_is_known_only(corpora: Path) -> None:
    path = corpora / "pst" / NAME.format("7e21f0")
    _, rows = read(path)
    (row,) = [each for each in rows if each.deletion_state is DeletionState.KNOWN_ONLY]
    assert row.subject == "TestWithBodyOf4KCharacters"
    assert row.sent_at is not None
    assert row.raw_kind is RawKind.NONE
    assert row.completeness is Completeness.METADATA_ONLY
    assert row.defects == ["index_only"]
    with pytest.raises(NoBytes, match="gone"):
        READER.raw(Source(path), row.source_ref)


def test_copies_and_earlier_states_are_linked_in_the_log(corpora: Path) -> None:
    (path,) = (corpora / "pst").glob("*3632c3*")
    log, rows = read(path)
    skipped = [row for row in log.rows() if row.row_kind == "skipped"]
    links = [row for row in skipped if "@page:" in (row.source_ref or "")]
    assert links
    kept = {row.source_ref for row in rows}
    assert all((row.detail or "") in kept for row in links)
    assert not {row.source_ref for row in links} & kept


def test_references_are_unique_and_bytes_come_again(corpora: Path) -> None:
    deleted = 0
    for path in sorted((corpora / "pst").glob("*[tg]*.[op]st"))[:70]:
        if not READER.sniff(path.open("rb").read(64), path):
            continue
        _, rows = read(path)
        assert len({row.source_ref for row in rows}) == len(rows), path.name
        for row in rows:
            recovered = "@page:" in row.source_ref or row.source_ref.startswith(("block:", "att"))
            if recovered and row.raw_kind is not RawKind.NONE:
                raw = READER.raw(Source(path), row.source_ref)
                assert raw
                deleted += row.parent_ref is None
    assert deleted >= 6


def test_a_file_without_its_header_is_known_and_read(corpora: Path, tmp_path: Path) -> None:
    whole = corpora / "pst" / NAME.format("34244b")
    path = tmp_path / "broken.pst"
    path.write_bytes(bytes(564) + whole.read_bytes()[564:])
    assert READER.sniff(bytes(564), path)
    assert not READER.sniff(bytes(564), tmp_path / "other.pst")
    _, before = read(whole)
    log, after = read(path)
    live = DeletionState.LIVE
    assert [r.source_ref for r in after if r.deletion_state is live] == [
        r.source_ref for r in before if r.deletion_state is live
    ]
    assert any("damaged" in (row.reason or "") for row in log.rows())
