from __future__ import annotations

import pytest

from mailforensics import checks
from mailforensics.errors import EvidenceUnreadable, MailForensicsError
from mailforensics.schema import CHECKS, CheckStatus, DeletionState
from tests.checks.frames import Case, letter, statuses, whole


def test_each_check_says_something_about_an_empty_case():
    results = Case(evidence=[]).run()
    assert results.columns.tolist() == CHECKS.names
    assert set(results["check"]) == set(checks.CHECKS)
    assert results["summary"].str.len().min() > 10
    assert results["item_id"].isna().all()
    assert [card.name for card in checks.cards(results)] == list(checks.CHECKS)


def test_each_check_has_the_texts_of_its_card():
    for check in checks.CHECKS.values():
        assert check.QUESTION.endswith("?")
        assert check.PROVES.endswith(".")
        assert check.PROVES_NOT.endswith(".")
        assert check.TITLE
        assert check.SCOPE in checks.Scope
    told = checks.explanations()
    assert list(told) == list(checks.CHECKS)
    assert told["dkim_body"].does_not_prove == checks.CHECKS["dkim_body"].PROVES_NOT


def test_only_deleted_messages_are_read_and_those_that_pass_get_no_row():
    case = Case().add(letter()).add(letter(number=2), deletion_state=DeletionState.LIVE)
    results = case.run("mime_complete")
    assert len(case.asked) == 1
    assert len(results) == 1
    assert whole(results, "mime_complete")["summary"] == "1 message was examined: 1 is complete."


def test_named_messages_get_a_row_for_each_check():
    case = Case().add(letter()).add(letter(number=2), deletion_state=DeletionState.LIVE)
    live = case.messages()["item_id"].iloc[1]
    results = case.run("mime_complete", "dkim_body", items=[live])
    assert set(case.asked) == {live}
    assert statuses(results, "mime_complete") == ["pass"]
    assert statuses(results, "dkim_body") == ["not_applicable"]
    assert set(results["item_id"].dropna()) == {live}


def test_bytes_are_read_once_for_all_checks():
    case = Case().add(letter()).add(letter(number=2))
    case.run()
    assert len(case.asked) == 2


def test_bytes_that_cannot_be_read_stop_nothing():
    def raw(item_id):
        raise EvidenceUnreadable("The drive is gone")

    results = Case().add(letter()).run("mime_complete", "dkim_body", "attachment_type", raw=raw)
    assert statuses(results, "mime_complete") == ["warn"]
    row = results[results["item_id"].notna()].iloc[0]
    assert "The drive is gone" in row["detail"]
    assert whole(results, "dkim_body")["status"] == "not_applicable"


def test_progress_ends_at_its_total():
    seen = []
    Case().add(letter()).add(letter(number=2)).run(progress=lambda *pair: seen.append(pair))
    assert seen[-1] == (9, 9)
    assert [done for done, _ in seen] == list(range(1, 10))


def test_an_unknown_name_lists_the_known_ones():
    with pytest.raises(MailForensicsError, match="evidence_unchanged"):
        Case().run("no_such_check")


def test_cards_carry_verdict_and_exceptions():
    case = Case().add(letter()).add(letter("x" * 10, headers=["Content-Length: 400"], number=2))
    card = checks.cards(case.run("mime_complete"))[0]
    assert card.status is CheckStatus.FAIL
    assert card.summary == ("2 messages were examined: 1 has parts missing; 1 is complete.")
    assert len(card.exceptions) == 1
    assert "declares 400" in card.exceptions["detail"].iloc[0]


def test_there_is_one_verdict_about_the_case_for_each_check():
    case = Case(reads=[{"row_kind": "source", "evidence_id": "E02", "declared": 2, "read": 1}])
    case.add(letter(headers=["References: <gone@x> <gone2@x>"]), source_ref="uid:INBOX/4")
    case.add(letter(), deletion_state=DeletionState.LIVE, source_ref="uid:INBOX/9")
    results = case.run()
    about = results[results["item_id"].isna() & results["evidence_id"].isna()]
    assert sorted(about["check"]) == sorted(checks.CHECKS)
    assert len(results) > len(about) + 4
