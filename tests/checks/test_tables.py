"""Checks that look at the tables as a whole."""

from __future__ import annotations

import pandas as pd
import pytest

from mailforensics.checks.uid_gaps import missing_numbers
from mailforensics.schema import DeletionState, RawKind
from tests.checks.frames import Case, letter, statuses, whole


def verified(*unchanged):
    rows = [
        {"evidence_id": f"E{n:02}", "name": "a.pst", "unchanged": value, "detail": "SHA-256"}
        for n, value in enumerate(unchanged, 1)
    ]
    return lambda: pd.DataFrame(rows)


@pytest.mark.parametrize(
    ("verify", "status", "said"),
    [
        (verified(True, True), "pass", "All 2 evidence items have"),
        (verified(True), "pass", "The evidence has the SHA-256"),
        (verified(True, False), "fail", "1 of 2 evidence items are not what was acquired: E02"),
        (None, "not_applicable", "No evidence was hashed again"),
    ],
)
def test_evidence_unchanged(verify, status, said):
    results = Case().run("evidence_unchanged", verify=verify)
    row = whole(results, "evidence_unchanged")
    assert row["status"] == status
    assert said in row["summary"]
    singles = results[results["evidence_id"].notna()]
    assert len(singles) == (0 if verify is None else len(verify()))


def source(declared, read, failed=0, skipped=0, **more):
    return {
        "row_kind": "source", "evidence_id": "E01", "declared": declared, "read": read,
        "failed": failed, "skipped": skipped,
    } | more  # fmt: skip


@pytest.mark.parametrize(
    ("rows", "status", "exceptions"),
    [
        ([source(10, 10)], "pass", 0),
        ([source(10, 8, 2), {"row_kind": "failed", "evidence_id": "E01", "failed": 2}], "warn", 1),
        ([source(10, 8, 2)], "fail", 2),
        ([source(10, 9)], "fail", 1),
        ([source(10, 9, 0, 1), {"row_kind": "skipped", "evidence_id": "E01", "skipped": 1}],
         "pass", 0),
        ([source(10, 10, evidence_id="E02")], "warn", 1),
        ([], "not_applicable", 0),
    ],
)  # fmt: skip
def test_reading_balanced(rows, status, exceptions):
    results = Case(reads=rows).run("reading_balanced")
    assert whole(results, "reading_balanced")["status"] == status
    assert len(results) == 1 + exceptions


def test_duplicates_link_a_deleted_message_to_its_live_copy():
    case = Case().add(letter()).add(letter(), deletion_state=DeletionState.LIVE, folder="INBOX")
    case.add(letter("Another.", number=2))
    results = case.run("duplicates")
    row = whole(results, "duplicates")
    assert row["status"] == "warn"
    assert (
        "In more than one place: 1 message (2 places in all); equal in every byte: 1."
        in (row["summary"])
    )
    link = results[results["item_id"].notna()].iloc[0]
    ids = case.messages()["item_id"].tolist()
    assert link["item_id"] == ids[0]
    assert ids[1] in link["detail"]
    assert "E01, INBOX" in link["summary"]


def test_duplicates_pass_when_there_are_none():
    results = Case().add(letter()).add(letter("Other", number=2)).run("duplicates")
    assert whole(results, "duplicates")["status"] == "pass"
    assert len(results) == 1


def test_two_deleted_copies_are_no_exception():
    results = Case().add(letter()).add(letter()).run("duplicates")
    assert whole(results, "duplicates")["status"] == "pass"
    assert len(results) == 1


def test_thread_gaps_rank_by_citations():
    case = Case().add(letter(number=1))
    for number in (2, 3):
        case.add(letter(number=number, headers=["References: <1@huayang.example> <gone@x>"]))
    case.add(letter(number=4, headers=["In-Reply-To: <gone2@x>"]))
    case.add(letter(number=4, headers=["In-Reply-To: <gone2@x>"]))
    results = case.run("thread_gaps")
    row = whole(results, "thread_gaps")
    assert row["status"] == "warn"
    assert row["summary"].endswith("nowhere in the evidence: 2 messages.")
    gaps = results["summary"].tolist()[1:]
    assert gaps[0].startswith("2 messages cite <gone@x>")
    assert gaps[1].startswith("1 message cites <gone2@x>")


def test_a_trace_is_no_message_that_is_there():
    case = Case().add(letter(number=2, headers=["In-Reply-To: <1@huayang.example>"]))
    case.add(None, message_id="<1@huayang.example>", deletion_state=DeletionState.KNOWN_ONLY)
    assert whole(case.run("thread_gaps"), "thread_gaps")["status"] == "warn"
    case = Case().add(letter(number=2, headers=["In-Reply-To: <1@huayang.example>"]))
    case.add(letter(number=1))
    assert whole(case.run("thread_gaps"), "thread_gaps")["status"] == "pass"
    assert whole(Case().add(letter()).run("thread_gaps"), "thread_gaps")["status"] == (
        "not_applicable"
    )


def test_uid_gaps_list_ranges_per_folder():
    case = Case()
    for number in (2, 3, 7):
        case.add(letter(number=number), source_ref=f"uid:INBOX/{number}")
    case.add(letter(number=9), source_ref="uid:Sent/1")
    case.add(None, source_ref="uid:INBOX/5", deletion_state=DeletionState.KNOWN_ONLY)
    results = case.run("uid_gaps")
    row = whole(results, "uid_gaps")
    assert row["summary"] == (
        "1 of 2 folders have gaps in their numbering: 4 messages removed for certain."
    )
    gap = results.iloc[1]
    assert gap["detail"] == "Missing numbers: 1, 4-6"
    assert gap["evidence_id"] == "E01"


def test_uid_gaps_pass_and_do_not_apply():
    case = Case().add(letter(), flags=["uid:1"], folder="INBOX")
    assert whole(case.run("uid_gaps"), "uid_gaps")["status"] == "pass"
    assert whole(Case().add(letter()).run("uid_gaps"), "uid_gaps")["status"] == "not_applicable"


def test_uids_in_flags_name_their_folder():
    case = Case().add(letter(), flags=["seen", "uid:.Sent/3"], folder="Sent")
    gap = case.run("uid_gaps").iloc[1]
    assert gap["summary"] == "E01, folder .Sent: 2 messages were removed."
    assert gap["detail"] == "Missing numbers: 1-2"


def test_huge_uids_take_no_time():
    assert missing_numbers({1, 4_294_967_295}) == [(2, 4_294_967_294)]
    assert missing_numbers(set()) == []


def test_message_ids():
    case = Case().add(letter()).add(letter("Other text.")).add(letter(number=2))
    results = case.run("message_id")
    assert whole(results, "message_id")["status"] == "warn"
    assert statuses(results, "message_id") == ["warn", "warn"]
    same = Case().add(letter()).add(letter())
    assert whole(same.run("message_id"), "message_id")["status"] == "pass"


def test_a_missing_message_id_is_told_of_deleted_messages():
    bare = letter().replace(b"Message-ID: <1@huayang.example>\r\n", b"")
    results = Case().add(bare).run("message_id")
    assert whole(results, "message_id")["status"] == "pass"
    assert "without any: 1 of 1" in whole(results, "message_id")["summary"]
    assert statuses(results, "message_id") == ["warn"]
    only_traces = Case().add(None, deletion_state=DeletionState.KNOWN_ONLY, raw_kind=RawKind.NONE)
    assert whole(only_traces.run("message_id"), "message_id")["status"] == "not_applicable"
