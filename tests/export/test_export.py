from __future__ import annotations

import errno
import hashlib
import os
import subprocess
from collections.abc import Iterator
from datetime import UTC, datetime
from io import FileIO
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mailforensics.errors import (
    CaseError,
    EvidenceUnreadable,
    ExportError,
    SchemaError,
    WouldOverwrite,
)
from mailforensics.export import export, verify_export, writing
from mailforensics.export.cells import parse
from mailforensics.schema import EXPORTS, RawKind
from tests.export.conftest import SENT, Evidence, mail, record

NOW = datetime(2026, 11, 16, 8, 0, tzinfo=UTC)


def manifest_of(folder: Path) -> list[dict[str, str]]:
    return parse((folder / "manifest.csv").read_bytes())[1]


def run(several: Evidence, folder: Path, form: str = "eml", **options: Any) -> Any:
    return export(several.messages, folder, form=form, now=NOW, **several.arguments, **options)


def test_originals_come_out_byte_for_byte(several: Evidence, tmp_path: Path) -> None:
    result = run(several, tmp_path / "out")
    for row in result.rows.to_dict("records"):
        assert Path(row["path"]).read_bytes() == several.bytes[row["item_id"]]
    originals = several.messages.set_index("item_id")["sha256"].dropna()
    written = result.rows.set_index("item_id")["sha256"]
    assert (written.loc[originals.index] == originals).all()


@pytest.mark.parametrize("form", ["eml", "mbox", "csv"])
def test_the_count_balances(several: Evidence, tmp_path: Path, form: str) -> None:
    result = run(several, tmp_path / "out", form)
    assert (result.written, result.skipped, result.failed) == (5, 1, 0)
    assert result.chosen == len(several.messages) == len(manifest_of(result.folder))
    assert len(result.rows) == 5
    assert "6 messages were chosen: 5 were written" in result.sentence
    assert result.left_out["reason"].tolist() == [
        "Only traces of this message exist; its bytes are gone."
    ]


def test_rows_have_the_columns_and_types_of_the_exports_table(
    several: Evidence, tmp_path: Path
) -> None:
    rows = run(several, tmp_path / "out", export_id="X07").rows
    assert list(rows.columns) == EXPORTS.names
    assert set(rows["export_id"]) == {"X07"}
    assert rows["exported_at"].dtype == pd.ArrowDtype(EXPORTS.field("exported_at").type)
    assert rows["source_sha256"].isna().sum() == 1


def test_the_manifest_leads_back_to_the_evidence(several: Evidence, tmp_path: Path) -> None:
    rows = {row["source_ref"]: row for row in manifest_of(run(several, tmp_path / "out").folder)}
    first = rows["1"]
    assert first["evidence_sha256"] == "e" * 64
    assert first["source_sha256"] == first["file_sha256"] == hashlib.sha256(mail("一")).hexdigest()
    assert first["sent_at"] == "2026-11-12T09:42:07Z"
    assert first["file"].startswith("messages/2026-11-12_0942_合同_HY-2026-0417_")
    assert rows["nid:4"]["note"] == "rebuilt from MAPI properties"
    assert rows["nid:4"]["source_sha256"] == ""
    assert rows["5"]["note"] == "partial"
    assert (rows["6"]["status"], rows["6"]["file"]) == ("skipped", "")


def test_the_same_messages_in_another_order_give_the_same_manifest(
    several: Evidence, tmp_path: Path
) -> None:
    one = run(several, tmp_path / "one")
    several.messages = several.messages.iloc[::-1]
    two = run(several, tmp_path / "two")
    assert one.manifest_sha256 == two.manifest_sha256


def test_bytes_that_changed_since_reading_are_a_failed_row_and_no_file(
    several: Evidence, tmp_path: Path
) -> None:
    victim = several.messages["item_id"].iloc[0]
    several.bytes[victim] = mail("other")
    result = run(several, tmp_path / "out")
    assert (result.written, result.failed) == (4, 1)
    assert "not those that were read" in result.left_out.set_index("item_id")["reason"][victim]
    assert len(list((result.folder / "messages").iterdir())) == 4


@pytest.mark.parametrize(
    "error", [EvidenceUnreadable("The medium fails."), OSError(errno.EIO, "I/O error")]
)
def test_a_message_that_cannot_be_read_stops_nothing(
    several: Evidence, tmp_path: Path, error: Exception
) -> None:
    victim = several.messages["item_id"].iloc[1]

    def raw(item_id: str) -> bytes:
        if item_id == victim:
            raise error
        return several.raw(item_id)

    result = export(
        several.messages, tmp_path / "out", form="eml", raw=raw, evidence=several.evidence
    )
    assert (result.written, result.skipped, result.failed) == (4, 1, 1)


def test_an_item_chosen_twice_is_written_once(several: Evidence, tmp_path: Path) -> None:
    several.messages = pd.concat([several.messages, several.messages.iloc[:1]])
    result = run(several, tmp_path / "out")
    assert (result.chosen, result.written, result.skipped) == (7, 5, 2)


def test_nothing_is_ever_overwritten(several: Evidence, tmp_path: Path) -> None:
    (tmp_path / "letter.txt").write_text("mine")
    for target in (tmp_path, tmp_path / "letter.txt"):
        with pytest.raises(WouldOverwrite):
            run(several, target)
    assert [path.name for path in tmp_path.rglob("*")] == ["letter.txt"]
    assert (tmp_path / "letter.txt").read_text() == "mine"


def test_an_empty_folder_is_taken(several: Evidence, tmp_path: Path) -> None:
    assert run(several, tmp_path).written == 5


def test_nothing_is_written_into_evidence(several: Evidence, tmp_path: Path) -> None:
    several.evidence["path"] = str(tmp_path)
    with pytest.raises(ExportError, match="never written"):
        run(several, tmp_path / "deep" / "out")
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("options", "words"), [({"form": "docx"}, "eml, mbox, csv"), ({"tz": "Mars/Base"}, "Mars/Base")]
)
def test_a_wrong_wish_is_refused_before_anything_is_written(
    several: Evidence, tmp_path: Path, options: dict[str, str], words: str
) -> None:
    with pytest.raises(ExportError, match=words):
        run(several, tmp_path / "out", **options)
    assert not (tmp_path / "out").exists()


def test_a_frame_without_the_needed_columns_is_refused(several: Evidence, tmp_path: Path) -> None:
    several.messages = several.messages.drop(columns="sha256")
    with pytest.raises(SchemaError, match="sha256"):
        run(several, tmp_path / "out")


def test_progress_is_told(several: Evidence, tmp_path: Path) -> None:
    told: list[tuple[int, int]] = []
    run(several, tmp_path / "out", progress=lambda done, total: told.append((done, total)))
    assert told == [(n, 6) for n in range(1, 7)]


def test_stopping_leaves_a_manifest_of_what_was_done(several: Evidence, tmp_path: Path) -> None:
    def stop(done: int, total: int) -> None:
        if done == 3:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        run(several, tmp_path / "out", progress=stop)
    rows = manifest_of(tmp_path / "out")
    assert [row["status"] for row in rows].count("written") == 3
    assert [row["reason"] for row in rows].count("The export was stopped before this message.") == 3
    assert set(verify_export(tmp_path / "out")["status"]) == {"ok"}


def test_an_error_of_the_case_itself_is_not_swallowed_per_message(
    several: Evidence, tmp_path: Path
) -> None:
    def raw(item_id: str) -> bytes:
        raise CaseError("The case is in use.")

    result = export(
        several.messages, tmp_path / "out", form="eml", raw=raw, evidence=several.evidence
    )
    assert result.failed == 5
    assert set(result.left_out["reason"]) >= {"The case is in use."}


def test_too_little_room_is_said_before_writing(several: Evidence, tmp_path: Path) -> None:
    several.messages["size"] = pd.array([10**16] * 6, dtype="int64[pyarrow]")
    with pytest.raises(ExportError, match=r"needs about .* Nothing was written"):
        run(several, tmp_path / "out")
    assert not (tmp_path / "out").exists()


@pytest.mark.parametrize("form", ["eml", "mbox", "csv"])
@pytest.mark.parametrize("code", [errno.ENOSPC, errno.EIO])
def test_a_disk_that_fails_midway_is_told_and_leaves_no_half_message(
    several: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str, code: int
) -> None:
    pour, calls = writing._pour, []

    def failing(stream: FileIO, data: bytes) -> None:
        calls.append(stream.name)
        if len(calls) == 3:
            stream.write(data[: len(data) // 2])
            raise OSError(code, os.strerror(code))
        pour(stream, data)

    monkeypatch.setattr(writing, "_pour", failing)
    with pytest.raises(ExportError, match=r"Of 6 messages 2 were written .* 4 were not"):
        run(several, tmp_path / "out", form)
    rows = manifest_of(tmp_path / "out")
    assert [row["status"] for row in rows] == ["written"] * 2 + ["failed"] * 4
    assert set(verify_export(tmp_path / "out")["status"]) == {"ok"}


@pytest.mark.parametrize("form", ["eml", "mbox"])
def test_a_file_that_reads_back_otherwise_is_a_failed_row(
    several: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, form: str
) -> None:
    pour, victim = writing._pour, mail("2")

    def lossy(stream: FileIO, data: bytes) -> None:
        pour(stream, data.replace(victim, victim.replace(b"Hello", b"Hellu")))

    monkeypatch.setattr(writing, "_pour", lossy)
    result = run(several, tmp_path / "out", form)
    assert (result.written, result.skipped, result.failed) == (4, 1, 1)
    assert "does not read back" in result.left_out.iloc[0]["reason"]
    assert victim.replace(b"Hello", b"Hellu") not in [
        path.read_bytes() for path in (tmp_path / "out").rglob("*.eml")
    ]


@pytest.fixture
def tiny_disk(tmp_path: Path) -> Iterator[Path]:
    """A real file system of 64 KB."""
    disk = tmp_path / "disk"
    disk.mkdir()
    command = ["mount", "-t", "tmpfs", "-o", "size=64k", "tmpfs", str(disk)]
    try:
        subprocess.run(command, check=True, capture_output=True)
    except (OSError, subprocess.CalledProcessError):
        pytest.skip("no right to mount a small file system here")
    yield disk
    subprocess.run(["umount", str(disk)], check=True)


@pytest.mark.parametrize("form", ["eml", "mbox"])
def test_a_disk_that_is_really_full(tiny_disk: Path, form: str) -> None:
    big = [(record(str(n), mail(str(n)), sent_at=SENT, size=None), mail(str(n))) for n in range(8)]
    evidence = Evidence(*big)
    evidence.bytes = {key: mail(key, "x" * 9000 + "\n") for key in evidence.messages["item_id"]}
    evidence.messages["sha256"] = [
        hashlib.sha256(evidence.bytes[key]).hexdigest() for key in evidence.messages["item_id"]
    ]
    with pytest.raises(ExportError, match=r"full\. Of 8 messages [1-7] were written"):
        run(evidence, tiny_disk / "out", form)
    for path in (tiny_disk / "out").rglob("*.eml"):
        assert path.read_bytes() in evidence.bytes.values()


def test_a_folder_that_cannot_be_made_is_told_plainly(several: Evidence, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("no folder")
    with pytest.raises(ExportError, match="cannot be made"):
        run(several, tmp_path / "file" / "out")


def test_hostile_subjects_stay_inside_the_folder(tmp_path: Path) -> None:
    subjects = ["../../etc/passwd", "CON", "a\0b", "\u202etxt.exe", "x" * 500, "=cmd|'/c calc'!A1"]
    evidence = Evidence(
        *((record(s, mail(str(n)), subject=s), mail(str(n))) for n, s in enumerate(subjects))
    )
    result = run(evidence, tmp_path / "out")
    assert result.written == len(subjects)
    files = sorted((tmp_path / "out" / "messages").iterdir())
    assert len(files) == len(subjects)
    assert {path.name for path in tmp_path.iterdir()} == {"out"}


def test_the_read_me_tells_counts_and_who(several: Evidence, tmp_path: Path) -> None:
    folder = run(
        several, tmp_path / "out", examiner="Wang Wei", case_name="HY\r\n2026", tz="Asia/Shanghai"
    ).folder
    text = (folder / "READ_ME.txt").read_text(encoding="utf-8-sig")
    assert "Wang Wei" in text
    assert "2026-11-16T16:00:00+08:00 (Asia/Shanghai)" in text
    assert "6 messages were chosen: 5 were written" in text


def test_a_fragment_is_given_as_it_is_and_marked(tmp_path: Path) -> None:
    data = b"ubject: cut off\n\nhalf a bo"
    piece = record("block:9", data, raw_kind=RawKind.FRAGMENT, completeness="partial", sha256=None)
    result = run(Evidence((piece, data)), tmp_path / "out")
    (row,) = manifest_of(result.folder)
    assert row["note"] == "fragment; partial; no hash was kept on reading to compare with"
    assert (result.folder / row["file"]).read_bytes() == data
