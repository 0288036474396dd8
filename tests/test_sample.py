"""The sample case, and how findings are compared with what is true."""

from __future__ import annotations

from pathlib import Path

import pandas as pd
import pytest

from mailforensics import sample
from mailforensics.case import open_case
from mailforensics.errors import CaseError

RECOVERED = {"whole": "complete", "part": "partial", "traces": "metadata_only"}


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return sample.read_truth()


@pytest.fixture
def found(truth: pd.DataFrame) -> pd.DataFrame:
    """Findings that are as the truth table says."""
    deleted = truth[truth["deleted"] == "yes"]
    return pd.DataFrame(
        {
            "evidence_id": "E01",
            "message_id": [name or None for name in deleted["message_id"]],
            "source_ref": [ref or f"offset:{n}" for n, ref in enumerate(deleted["source_ref"])],
            "subject": list(deleted["subject"]),
            "deletion_state": list(deleted["expected_state"]),
            "completeness": [RECOVERED[kind] for kind in deleted["expected_recovery"]],
            "sha256": [cell.split()[0] if cell else None for cell in deleted["sha256"]],
        }
    )


def _copies(truth: pd.DataFrame) -> pd.DataFrame:
    """Return all copies as the truth table says."""
    rows = [
        {
            "evidence_id": part.partition(":")[0],
            "message_id": row["message_id"] or None,
            "source_ref": row["source_ref"] or "offset:0",
            "subject": row["subject"],
            "deletion_state": part.partition(":")[2],
        }
        for row in truth.to_dict("records")
        for part in row["expected_states"].split()
    ]
    return pd.DataFrame(rows)


def _odd(frame: pd.DataFrame) -> list[tuple[str, str]]:
    odd = frame[frame["status"] != "found"]
    return list(zip(odd["truth_id"], odd["status"], strict=True))


def _whole(found: pd.DataFrame, truth: pd.DataFrame) -> tuple[int, str]:
    """Return the position and truth_id of a message that comes back whole."""
    place = int((found["completeness"] == "complete").to_numpy().argmax())
    name = found["message_id"].iloc[place]
    return place, truth.loc[truth["message_id"] == name, "truth_id"].iloc[0]


def test_true_findings_are_found(truth: pd.DataFrame, found: pd.DataFrame) -> None:
    compared = sample.compare(found, truth)
    assert _odd(compared) == []
    assert len(compared) == (truth["deleted"] == "yes").sum()
    everything = sample.compare(found, truth, messages=_copies(truth))
    assert _odd(everything) == []
    assert len(everything) == len(truth)


def test_a_message_not_found_is_missing(truth: pd.DataFrame, found: pd.DataFrame) -> None:
    place, truth_id = _whole(found, truth)
    compared = sample.compare(found.drop(index=place), truth)
    assert _odd(compared) == [(truth_id, "missing")]


def test_a_live_message_called_deleted_is_extra(truth: pd.DataFrame, found: pd.DataFrame) -> None:
    live = truth[truth["deleted"] == "no"].iloc[0]
    row = {**found.iloc[0].to_dict(), "message_id": live["message_id"]}
    compared = sample.compare(pd.concat([found, pd.DataFrame([row])]), truth)
    assert _odd(compared) == [(live["truth_id"], "extra")]


def test_an_unknown_message_is_extra(truth: pd.DataFrame, found: pd.DataFrame) -> None:
    row = {**found.iloc[0].to_dict(), "message_id": "<nobody@nowhere.example>"}
    compared = sample.compare(pd.concat([found, pd.DataFrame([row])]), truth)
    assert _odd(compared) == [("", "extra")]
    assert "no row of the truth table" in compared["detail"].iloc[-1]


def test_another_state_is_wrong(truth: pd.DataFrame, found: pd.DataFrame) -> None:
    place, truth_id = _whole(found, truth)
    found.loc[place, "deletion_state"] = "recoverable"
    assert _odd(sample.compare(found, truth)) == [(truth_id, "wrong state")]


def test_less_than_can_be_had_is_wrong(truth: pd.DataFrame, found: pd.DataFrame) -> None:
    place, truth_id = _whole(found, truth)
    found.loc[place, "completeness"] = "partial"
    assert _odd(sample.compare(found, truth)) == [(truth_id, "wrong state")]


def test_other_bytes_are_wrong(truth: pd.DataFrame, found: pd.DataFrame) -> None:
    place, truth_id = _whole(found, truth)
    found.loc[place, "sha256"] = "0" * 64
    assert _odd(sample.compare(found, truth)) == [(truth_id, "wrong hash")]


def test_a_live_copy_called_otherwise_is_wrong(truth: pd.DataFrame, found: pd.DataFrame) -> None:
    copies = _copies(truth)
    place = int((copies["deletion_state"] == "live").to_numpy().argmax())
    copies.loc[place, "deletion_state"] = "carved"
    ((truth_id, status),) = _odd(sample.compare(found, truth, messages=copies))
    assert status == "wrong state"
    held = truth.loc[truth["truth_id"] == truth_id, "message_id"].iloc[0]
    assert held == copies.loc[place, "message_id"]


def test_exported_files_are_told_by_their_digest(truth: pd.DataFrame, tmp_path: Path) -> None:
    (tmp_path / "odd.eml").write_bytes(b"Subject: odd\r\n\r\n")
    compared = sample.compare_export(tmp_path, truth)
    assert compared["status"].value_counts().to_dict() == {
        "extra": 1,
        "missing": int(
            ((truth["deleted"] == "yes") & (truth["expected_recovery"] == "whole")).sum()
        ),
    }


def test_a_fresh_case_has_no_evidence_until_it_is_added(tmp_path: Path) -> None:
    first, second = sample.fresh_case(tmp_path), sample.fresh_case(tmp_path)
    assert first != second
    case = open_case(first)
    assert sample.is_sample(case)
    assert sample.is_fresh(case)
    assert (first / "dkim-keys.json").is_file()
    sample.add_evidence(case)
    assert [item.evidence_id for item in case.items()] == ["E01", "E02", "E03", "E04", "E05"]
    assert not sample.is_fresh(case)
    with pytest.raises(CaseError, match="evidence already"):
        sample.add_evidence(case)


def test_the_demo_finds_what_is_true(tmp_path: Path) -> None:
    lines: list[str] = []
    assert sample.demo(tmp_path / "case", echo=lines.append) == 0, "\n".join(lines)
    assert lines[-1] == "All is as the truth table says."
