"""The sample case, and how findings are compared with what is true."""

from __future__ import annotations

import hashlib
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


def _rebuilt(truth: pd.DataFrame) -> tuple[pd.DataFrame, dict[str, str], bytes]:
    """Return a finding that was rebuilt, its row of the truth, and bytes that say the same."""
    raw = (
        b"Message-ID: <a@huayang.example>\r\nSubject: Two valves\r\n"
        b'Content-Type: multipart/mixed; boundary="b"\r\n\r\n'
        b"--b\r\nContent-Type: text/plain\r\n\r\nThey  leak.\r\n"
        b"--b\r\nContent-Type: text/csv; name=x.csv\r\nContent-Disposition: attachment;"
        b" filename=x.csv\r\n\r\n1,2\r\n--b--\r\n"
    )
    row = {
        **truth[truth["expected_state"] == "orphaned"].iloc[0].to_dict(),
        "message_id": "<a@huayang.example>",
        "subject": "Two valves",
        "expected_recovery": "whole",
        "body_sha256": hashlib.sha256(b"They leak.").hexdigest(),
        "attachments_sha256": hashlib.sha256(b"1,2").hexdigest(),
    }
    finding = {
        "evidence_id": "E06",
        "item_id": "E06/1",
        "message_id": row["message_id"],
        "source_ref": "nid:0x1",
        "subject": "Two valves",
        "deletion_state": "orphaned",
        "completeness": "complete",
        "raw_kind": "rebuilt_from_mapi",
        "sha256": None,
    }
    return pd.DataFrame([finding]), row, raw


@pytest.mark.parametrize(
    ("old", "new", "status"),
    [
        (b"They  leak", b"They\r\nleak", "found"),
        (b"leak", b"hold", "wrong hash"),
        (b"1,2", b"1,3", "wrong hash"),
        (b"Two", b"Six", "wrong hash"),
        (b"filename=x.csv\r\n\r\n1,2", b"filename=x.csv\r\n\r\n", "wrong hash"),
    ],
)
def test_what_was_rebuilt_must_say_the_same(
    truth: pd.DataFrame, tmp_path: Path, old: bytes, new: bytes, status: str
) -> None:
    finding, row, raw = _rebuilt(truth)
    true = pd.DataFrame([row])
    given = raw.replace(old, new)
    assert given != raw
    compared = sample.compare(finding, true, raw={"E06/1": given}.__getitem__)
    assert list(compared["status"]) == [status]
    (tmp_path / "given.eml").write_bytes(given)
    files = sample.compare_export(tmp_path, true)
    assert list(files["status"]) == (["found"] if status == "found" else ["extra", "missing"])


def test_a_rebuilt_copy_hides_no_wrong_original(truth: pd.DataFrame) -> None:
    finding, row, raw = _rebuilt(truth)
    original = {**finding.iloc[0].to_dict(), "raw_kind": "original", "sha256": "0" * 64}
    both = pd.DataFrame([*finding.to_dict("records"), original])
    compared = sample.compare(both, pd.DataFrame([row]), raw={"E06/1": raw}.__getitem__)
    assert list(compared["status"]) == ["wrong hash"]


def test_a_rebuilt_message_without_bytes_is_judged_by_its_subject(truth: pd.DataFrame) -> None:
    finding, row, _ = _rebuilt(truth)
    assert list(sample.compare(finding, pd.DataFrame([row]))["status"]) == ["found"]
    finding["subject"] = "Six valves"
    assert list(sample.compare(finding, pd.DataFrame([row]))["status"]) == ["wrong hash"]


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
    assert [item.evidence_id for item in case.items()] == [f"E0{n}" for n in range(1, 7)]
    assert not sample.is_fresh(case)
    with pytest.raises(CaseError, match="evidence already"):
        sample.add_evidence(case)


def test_the_demo_finds_what_is_true(tmp_path: Path) -> None:
    lines: list[str] = []
    assert sample.demo(tmp_path / "case", echo=lines.append) == 0, "\n".join(lines)
    assert lines[-1] == "All is as the truth table says."
