from __future__ import annotations

import hashlib
import shutil
from datetime import UTC, datetime
from pathlib import Path

import pytest

import mailforensics
from mailforensics import Case, errors, new_case, open_case, sample
from mailforensics.schema import MESSAGES, RawKind


@pytest.fixture(scope="module")
def case(tmp_path_factory: pytest.TempPathFactory) -> Case:
    """The sample case, read. Tests of this module only look at it."""
    made = sample.build_case(tmp_path_factory.mktemp("我的 cases") / "sample")
    made.read()
    return made


def test_every_original_comes_back_with_its_digest(case: Case) -> None:
    messages = case.messages()
    originals = messages[messages["raw_kind"] == RawKind.ORIGINAL]
    assert len(originals) > 1000
    for row in originals.to_dict("records"):
        raw = case.raw(row["item_id"])
        assert len(raw) == row["size"]
        assert hashlib.sha256(raw).hexdigest() == row["sha256"]


def test_traces_have_no_bytes_and_say_so(case: Case) -> None:
    messages = case.messages()
    traces = messages[messages["raw_kind"] == RawKind.NONE]
    assert len(traces)
    with pytest.raises(errors.NoBytes):
        case.raw(traces["item_id"].iloc[0])
    with pytest.raises(errors.CaseError):
        case.raw("no such item")


def test_tables_have_the_columns_of_the_schema(case: Case) -> None:
    assert list(case.messages().columns) == MESSAGES.names
    assert list(case.messages(as_read=True).columns) == MESSAGES.names
    for frame in (case.attachments(), case.events(), case.reads(), case.evidence()):
        assert len(frame)
    assert str(case.messages()["source_offset"].dtype) == "int64[pyarrow]"


def test_one_number_in_headline_list_export_and_report(case: Case, tmp_path: Path) -> None:
    summary, gone = case.summary(), case.gone()
    assert summary.total == len(gone) == summary.whole + summary.in_part + summary.traces_only
    result = case.export(gone, tmp_path / "out")
    assert result.written + result.skipped + result.failed == summary.total
    assert result.failed == 0
    page = case.report(tmp_path / "report.html").read_text(encoding="utf-8")
    assert summary.sentence.split(";")[0] in page


def test_live_mail_is_never_among_the_deleted(case: Case) -> None:
    deleted = case.deleted()
    assert not (deleted["deletion_state"] == "live").any()
    assert mailforensics.deleted_messages(case.messages(), case.events()).equals(deleted)


@pytest.mark.parametrize("words", ["合同", "subject:contract", "nordwind", '"HY-2026-0417"'])
def test_search_finds_and_shows_the_words_around(case: Case, words: str) -> None:
    found = case.search(words, limit=5)
    assert len(found)
    assert found["score"].notna().all()
    assert all("«" in text for text in found["surroundings"] if text)


def test_search_covers_deleted_mail_and_filters(case: Case) -> None:
    everything = case.matches("合同")
    assert set(everything["deletion_state"]) >= {"live", "absent_later"}
    late = case.matches("合同 after:2026-09-15")
    assert 0 < len(late) < len(everything)
    assert (late["sent_at"] >= datetime(2026, 9, 14, tzinfo=UTC)).all()


def test_sql_over_the_tables(case: Case) -> None:
    frame = case.sql("SELECT deletion_state, count(*) n FROM messages GROUP BY 1 ORDER BY 1")
    counts = case.messages()["deletion_state"].value_counts()
    assert {row["deletion_state"]: row["n"] for row in frame.to_dict("records")} == dict(
        counts.items()
    )
    with pytest.raises(errors.CaseError):
        case.sql("SELEC nonsense")


def test_the_sample_is_verified_and_reopened_elsewhere(case: Case, tmp_path: Path) -> None:
    assert set(case.verify()["status"]) == {"pass"}
    moved = tmp_path / "moved case"
    shutil.copytree(case.folder.root, moved)
    again = open_case(moved)
    assert again.messages().equals(case.messages())
    item = case.messages()["item_id"].iloc[0]
    assert again.raw(item) == case.raw(item)


def test_reading_again_gives_the_same_tables(case: Case, tmp_path: Path) -> None:
    other = sample.build_case(tmp_path / "again")
    other.read(workers=2)
    assert other.messages().equals(case.messages())
    assert other.events().equals(case.events())
    before = other.reads()
    assert other.read().equals(before)
    assert other.read(again=True).equals(before)


def test_marks_and_notes_outlive_the_kernel(tmp_path: Path) -> None:
    case = new_case(tmp_path / "case")
    case.notes.marks = ["b", "a", "a"]
    case.notes.text = "看这封"
    again = open_case(tmp_path / "case")
    assert again.notes.marks == ["a", "b"]
    assert again.notes.text == "看这封"


def test_a_case_is_not_made_over_something(tmp_path: Path) -> None:
    (tmp_path / "full").mkdir()
    (tmp_path / "full" / "x").touch()
    with pytest.raises(errors.CaseError, match="not empty"):
        new_case(tmp_path / "full")
    with pytest.raises(errors.CaseError, match="no time zone"):
        new_case(tmp_path / "new", time_zone="Mars/Olympus")
    assert not (tmp_path / "new").exists()
    with pytest.raises(errors.CaseError, match="no case"):
        open_case(tmp_path / "full")


def test_changed_evidence_stops_the_reading_and_says_so(tmp_path: Path) -> None:
    source = tmp_path / "a.eml"
    source.write_bytes(b"From: a@x.example\r\nSubject: s\r\nDate: x\r\n\r\nbody\r\n")
    case = new_case(tmp_path / "case")
    case.add(source)
    source.write_bytes(source.read_bytes() + b"changed")
    with pytest.raises(errors.HashMismatch, match="changed since"):
        case.read()
    last = case.custody().iloc[-1]
    assert last["action"] == "evidence hash checked after reading"
    assert last["detail"]["unchanged"] is False
