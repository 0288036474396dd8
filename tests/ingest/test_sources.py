from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime
from pathlib import Path

import pytest

from mailforensics.errors import EvidenceNotFound, UnsupportedFormat
from mailforensics.evidence import EvidenceItem, EvidenceKind
from mailforensics.ingest import discover, recognise
from mailforensics.readers import READERS

MESSAGE = (
    b"From: a@x.example\r\nDate: Mon, 2 Nov 2026 10:00:00 +0800\r\nSubject: hi\r\n\r\nbody\r\n"
)


def item(path: Path, kind: EvidenceKind, reader: str | None = None) -> EvidenceItem:
    return EvidenceItem(
        evidence_id="E01",
        path=path,
        kind=kind,
        reader=reader,
        description="",
        size=0,
        file_count=1,
        sha256="0" * 64,
        md5="",
        acquired_at=datetime(2026, 11, 24, tzinfo=UTC),
    )


def test_an_unknown_file_names_each_reader_and_why_it_said_no(tmp_path: Path) -> None:
    path = tmp_path / "notes.pst"
    path.write_text("This is a shopping list.\nMilk, bread.\n")
    with pytest.raises(UnsupportedFormat) as caught:
        recognise(path)
    for name in READERS:
        assert f"  {name}: " in caught.value.message


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EvidenceNotFound):
        recognise(tmp_path / "没有.mbox")


def test_a_folder_gives_its_sources_in_order_and_each_other_file_a_reason(tmp_path: Path) -> None:
    (tmp_path / "b").mkdir()
    (tmp_path / "b" / "two.eml").write_bytes(MESSAGE)
    (tmp_path / "a 合同.eml").write_bytes(MESSAGE)
    (tmp_path / "empty.eml").touch()
    (tmp_path / "notes.txt").write_text("Milk.\n")
    (tmp_path / "loop").symlink_to(tmp_path)
    found = discover(item(tmp_path, EvidenceKind.FOLDER), tmp_path.parent / "working")
    assert [source.source_path for source, _ in found.sources] == ["a 合同.eml", "b/two.eml"]
    assert {entry.source_path for entry in found.skipped} == {"empty.eml", "loop", "notes.txt"}
    assert all(entry.reason for entry in found.skipped)


def test_archives_inside_archives(tmp_path: Path) -> None:
    inner = io.BytesIO()
    with zipfile.ZipFile(inner, "w") as archive:
        archive.writestr("in.eml", MESSAGE)
    path = tmp_path / "export.zip"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("out.eml", MESSAGE)
        archive.writestr("more/inner.zip", inner.getvalue())
    kind, reader, _ = recognise(path)
    assert (kind, reader) == (EvidenceKind.ARCHIVE, None)
    found = discover(item(path, kind), tmp_path / "working")
    assert [(source.source_path, name) for source, name in found.sources] == [
        ("more/inner.zip!/in.eml", "eml"),
        ("out.eml", "eml"),
    ]
    assert all(source.path.read_bytes() == MESSAGE for source, _ in found.sources)


def test_a_document_that_is_a_zip_is_not_taken_apart(tmp_path: Path) -> None:
    folder = tmp_path / "evidence"
    folder.mkdir()
    with zipfile.ZipFile(folder / "letter.docx", "w") as archive:
        archive.writestr("word/document.xml", "<x/>")
    found = discover(item(folder, EvidenceKind.FOLDER), tmp_path / "working")
    assert [entry.source_path for entry in found.skipped] == ["letter.docx"]
