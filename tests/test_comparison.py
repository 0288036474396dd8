from __future__ import annotations

from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.comparison import (
    absent_later,
    compare,
    known_from_events,
    known_from_replies,
    same_as,
)
from tests.frames import event, events, evidence, message, messages, reads

TWO = evidence(("E01", "2026-11-09", None), ("E02", "2026-11-13T18:00", "E01"))
THREE = evidence(
    ("E01", "2026-11-09", None), ("E02", "2026-11-11", "E01"), ("E03", "2026-11-13", "E02")
)


def states(frame: pd.DataFrame) -> dict[str, str]:
    return dict(zip(frame["item_id"], frame["deletion_state"], strict=True))


def row(frame: pd.DataFrame, item: str) -> Any:
    return frame.set_index("item_id").loc[item]


# ---- identity


def test_equal_content_is_the_same_message_and_other_content_is_not() -> None:
    frame = messages(
        message("E01/a"),
        message("E02/a"),
        message("E01/b"),
        message("E01/c", content_key="key-z", message_id="<a@x.example>"),
    )
    ids = list(same_as(frame))
    assert ids[0] == ids[1]
    assert len({ids[0], ids[2], ids[3]}) == 3


def test_a_part_joins_the_only_whole_message_of_its_id() -> None:
    frame = messages(
        message("E01/a"),
        message("E02/a", content_key="other", completeness="partial"),
        message("E03/a", content_key=None, completeness="metadata_only", message_id="a@x.example "),
    )
    assert same_as(frame).nunique() == 1


def test_a_part_is_not_guessed_to_belong_to_one_of_two() -> None:
    frame = messages(
        message("E01/a"),
        message("E01/b", message_id="<a@x.example>"),
        message("E02/a", content_key="other", completeness="partial"),
        message("E02/b", content_key="key-b", completeness="partial", message_id="<a@x.example>"),
        message("E02/c", content_key=None, completeness="headers_only", message_id="<a@x.example>"),
    )
    ids = list(same_as(frame))
    assert ids[2] not in {ids[0], ids[1]}
    assert ids[3] == ids[1]
    assert ids[4] not in {ids[0], ids[1]}


def test_parts_without_a_whole_go_by_their_message_id_and_else_by_hash_or_alone() -> None:
    frame = messages(
        message("E01/a", content_key="p", completeness="partial"),
        message("E02/a", content_key="q", completeness="partial"),
        message("E01/b", content_key=None, message_id=None, sha256="5"),
        message("E02/b", content_key=None, message_id="<>", sha256="5"),
        message("E01/c", content_key="", message_id=None),
        message("E02/c", content_key="", message_id=None),
    )
    ids = list(same_as(frame))
    assert ids[0] == ids[1]
    assert ids[2] == ids[3]
    assert ids[4] != ids[5]


def test_nothing_has_no_identity() -> None:
    assert list(same_as(messages())) == []


# ---- absent later


def test_what_the_later_copy_lacks_is_absent() -> None:
    frame = messages(message("E01/a"), message("E01/b"), message("E02/b"), message("E02/c"))
    result = absent_later(frame, TWO)
    assert states(result) == {
        "E01/a": "absent_later",
        "E01/b": "live",
        "E02/b": "live",
        "E02/c": "live",
    }
    gone = row(result, "E01/a")
    assert gone["deletion_basis"] == (
        "In the copy of 2026-11-09 (E01), folder INBOX; "
        "not in the copy of 2026-11-13 18:00 UTC (E02)."
    )
    assert gone["confidence"] == "certain"
    assert gone["deleted_at_kind"] == "between"
    assert gone["deleted_at"] == pd.Timestamp("2026-11-13T18:00Z")
    assert list(frame["deletion_state"]) == ["live"] * 4
    assert list(result.dtypes) == list(frame.dtypes)


def test_what_was_moved_or_is_there_once_less_is_not_absent() -> None:
    frame = messages(
        message("E01/a"),
        message("E01/a'"),
        message("E02/a", folder="Archive/2026", folder_role="archive"),
    )
    assert "absent_later" not in states(absent_later(frame, TWO)).values()


def test_what_is_among_deleted_mail_later_is_absent_from_where_it_stood() -> None:
    frame = messages(
        message("E01/a"), message("E02/a", folder="Trash", deletion_state="in_deleted_folder")
    )
    result = absent_later(frame, TWO)
    assert states(result) == {"E01/a": "absent_later", "E02/a": "in_deleted_folder"}
    assert "only as deleted mail" in row(result, "E01/a")["deletion_basis"]


@pytest.mark.parametrize("state", ["recoverable", "orphaned", "carved", "known_only"])
def test_what_later_is_only_left_over_is_absent(state: str) -> None:
    frame = messages(message("E01/a"), message("E02/a", deletion_state=state), message("E02/b"))
    assert states(absent_later(frame, TWO))["E01/a"] == "absent_later"


def test_purged_deleted_mail_is_absent_and_restored_or_kept_is_not() -> None:
    away = {"deletion_state": "in_deleted_folder", "folder": "Trash"}
    frame = messages(
        message("E01/purged", **away),
        message("E01/kept", **away),
        message("E01/restored", **away),
        message("E02/kept", **away),
        message("E02/restored"),
        message("E01/orphan", deletion_state="orphaned"),
    )
    result = states(absent_later(frame, TWO))
    assert result["E01/purged"] == "absent_later"
    assert result["E01/kept"] == result["E01/restored"] == "in_deleted_folder"
    assert result["E01/orphan"] == "orphaned"


def test_in_a_chain_the_latest_copy_decides() -> None:
    frame = messages(
        message("E01/back"), message("E03/back"),
        message("E01/later"), message("E02/later"),
        message("E01/first"),
        message("E02/other"), message("E03/other"),
    )  # fmt: skip
    result = absent_later(frame, THREE)
    assert {item for item, state in states(result).items() if state != "live"} == {
        "E01/later",
        "E02/later",
        "E01/first",
    }
    assert row(result, "E01/first")["deleted_at"] == pd.Timestamp("2026-11-11T00:00Z")
    assert row(result, "E01/later")["deleted_at"] == pd.Timestamp("2026-11-13T00:00Z")
    assert (
        "and still in the copy of 2026-11-11 (E02); not in the copy of 2026-11-13 (E03)"
        in row(result, "E01/later")["deletion_basis"]
    )


def test_an_unread_copy_makes_nothing_absent_and_a_read_empty_one_does() -> None:
    frame = messages(message("E01/a"))
    assert states(absent_later(frame, TWO))["E01/a"] == "live"
    assert (
        states(absent_later(frame, TWO, reads=reads(("E01", 1, 1), ("E02", 0, 0))))["E01/a"]
        == "absent_later"
    )
    assert states(absent_later(frame, TWO, reads=reads(("E02", 3, 0))))["E01/a"] == "live"
    traces = messages(message("E01/a"), message("E02/b", deletion_state="known_only"))
    assert states(absent_later(traces, TWO))["E01/a"] == "live"


def test_an_unread_copy_in_between_is_stepped_over() -> None:
    frame = messages(message("E01/a"), message("E01/b"), message("E03/b"))
    result = absent_later(frame, THREE)
    assert states(result)["E01/a"] == "absent_later"


@pytest.mark.parametrize(
    "told",
    [
        evidence(("E01", "2026-11-13", None), ("E02", "2026-11-09", "E01")),
        evidence(("E01", None, "E02"), ("E02", None, "E01")),
        evidence(("E01", None, "E01"), ("E02", None, "E07")),
        evidence(("E01", "2026-11-09", None), ("E02", "2026-11-13", None)),
    ],
)
def test_an_impossible_or_missing_succession_proves_nothing(told: pd.DataFrame) -> None:
    frame = messages(message("E01/a"), message("E02/b"))
    assert set(states(absent_later(frame, told)).values()) == {"live"}


def test_unknown_moments_are_left_open() -> None:
    frame = messages(message("E01/a"), message("E02/b"))
    result = absent_later(frame, evidence(("E01", None, None), ("E02", None, "E01")))
    assert pd.isna(row(result, "E01/a")["deleted_at"])
    assert pd.isna(row(result, "E01/a")["deleted_at_kind"])
    assert (
        row(result, "E01/a")["deletion_basis"]
        == "In the copy E01, folder INBOX; not in the copy E02."
    )
    result = absent_later(frame, evidence(("E01", None, None), ("E02", "2026-11-13", "E01")))
    assert row(result, "E01/a")["deleted_at_kind"] == "not_after"


def test_doubt_is_said() -> None:
    frame = messages(
        message("E01/a", folder="Sales", folder_role="other"),
        message("E01/b"),
        message("E01/c"),
        message("E02/d"),
        message("E02/e", message_id="<c@x.example>"),
    )
    result = absent_later(frame, TWO)
    assert row(result, "E01/a")["confidence"] == "probable"
    assert "no message in this folder" in row(result, "E01/a")["deletion_basis"]
    assert row(result, "E01/b")["confidence"] == "certain"
    assert row(result, "E01/c")["confidence"] == "possible"
    result = absent_later(frame, TWO, reads=reads(("E02", 3, 2)))
    assert row(result, "E01/b")["confidence"] == "probable"
    assert "could not be read" in row(result, "E01/b")["deletion_basis"]


@pytest.mark.parametrize(
    "other",
    [
        {"reader": "pst", "raw_kind": "rebuilt_from_mapi"},
        {"reader": "pst"},
        {"completeness": "headers_only"},
        {"completeness": "metadata_only", "raw_kind": "none"},
    ],
)
def test_the_same_id_is_enough_where_content_cannot_be_compared(other: dict[str, str]) -> None:
    frame = messages(message("E01/a"), message("E02/a", content_key="elsewise", **other))
    assert states(absent_later(frame, TWO))["E01/a"] == "live"


def test_mailboxes_of_two_people_are_held_apart() -> None:
    li = {"mailbox": "li@x.example"}
    frame = messages(
        message("E01/a"), message("E01/a'", **li), message("E02/a", **li), message("E02/b")
    )
    result = states(absent_later(frame, TWO))
    assert result["E01/a"] == "absent_later"
    assert result["E01/a'"] == "live"


def test_differently_named_mailboxes_are_one_mailbox() -> None:
    frame = messages(message("E01/a"), message("E02/a", mailbox="backup"))
    assert states(absent_later(frame, TWO))["E01/a"] == "live"
    frame = messages(message("E01/a"), message("E02/a", mailbox="wu.sen@x.example"))
    assert states(absent_later(frame, TWO))["E01/a"] == "live"
    local = messages(message("E01/a"), message("E02/a", mailbox="Local Folders"), message("E02/b"))
    assert states(absent_later(local, TWO))["E01/a"] == "live"


def test_what_an_absent_message_carries_is_absent_with_it() -> None:
    frame = messages(
        message("E01/a"),
        message("E01/inner", parent_item_id="E01/a"),
        message("E01/innermost", parent_item_id="E01/inner"),
        message("E02/b"),
    )
    assert set(states(absent_later(frame, TWO)).values()) == {"absent_later", "live"}
    assert states(absent_later(frame, TWO))["E01/innermost"] == "absent_later"


def test_a_message_carried_by_another_is_no_copy_in_the_mailbox() -> None:
    frame = messages(message("E01/a"), message("E02/b"), message("E02/a", parent_item_id="E02/b"))
    assert states(absent_later(frame, TWO))["E01/a"] == "absent_later"


# ---- side by side


def test_two_copies_side_by_side() -> None:
    frame = messages(
        message("E01/same"), message("E02/same"),
        message("E01/moved"), message("E02/moved", folder="Archive"),
        message("E01/gone"),
        message("E02/new"),
        message("E01/twice"), message("E01/twice'", folder="Copies"), message("E02/twice"),
    )  # fmt: skip
    result = compare(frame, "E01", "E02")
    assert list(result["status"]) == ["same", "same", "moved", "absent", "copy_absent", "added"]
    moved = result[result["status"] == "moved"].iloc[0]
    assert (moved["folder_earlier"], moved["folder_later"]) == ("INBOX", "Archive")
    assert moved["subject"] == "About moved"
    new = result[result["status"] == "added"].iloc[0]
    assert pd.isna(new["item_id_earlier"])
    assert new["item_id_later"] == "E02/new"


def test_side_by_side_with_nothing() -> None:
    assert compare(messages(), "E01", "E02").empty
    assert list(compare(messages(message("E01/a")), "E01", "E02")["status"]) == ["absent"]
    assert list(compare(messages(message("E02/a")), "E01", "E02")["status"]) == ["added"]


INSTANCES = st.lists(
    st.tuples(
        st.sampled_from("abcd"),
        st.sampled_from(["INBOX", "Sent", "Trash"]),
        st.sampled_from(["E01", "E02"]),
    ),
    max_size=14,
)


@settings(max_examples=60, deadline=None)
@given(INSTANCES)
def test_the_counts_of_two_copies_balance(instances: list[tuple[str, str, str]]) -> None:
    rows = [
        message(f"{which}/{name}", item_id=f"{which}/{number}", folder=folder)
        for number, (name, folder, which) in enumerate(instances)
    ]
    result = compare(messages(*rows), "E01", "E02")
    counts = result["status"].value_counts()
    both = counts.get("same", 0) + counts.get("moved", 0)
    for side, words in (("E01", ("absent", "copy_absent")), ("E02", ("added", "copy_added"))):
        assert both + sum(counts.get(word, 0) for word in words) == sum(
            which == side for *_, which in instances
        )
    ids = pd.concat([result["item_id_earlier"], result["item_id_later"]]).dropna()
    assert sorted(ids) == sorted(entry["item_id"] for entry in rows)
    names = {
        "E01": {n for n, _, w in instances if w == "E01"},
        "E02": {n for n, _, w in instances if w == "E02"},
    }
    gone = {key.removeprefix("c:key-") for key in result[result["status"] == "absent"]["same_as"]}
    assert gone == names["E01"] - names["E02"]


# ---- answers


def answer(item: str, to: str, **more: Any) -> dict[str, Any]:
    return message(item, in_reply_to=to, **more)


SENT = {"folder": "Sent", "folder_role": "sent", "from_addr": "wu@x.example"}


def test_what_the_owner_answered_was_there() -> None:
    frame = messages(
        answer(
            "E01/b", "<lost@nord.example>", **SENT, sent_at=pd.Timestamp("2026-11-02", tz="UTC")
        ),
        answer(
            "E01/a", "<lost@nord.example>", **SENT, sent_at=pd.Timestamp("2026-11-01", tz="UTC")
        ),
    )
    result = known_from_replies(frame, evidence=TWO)
    assert len(result) == 1
    lost = result.iloc[0]
    assert lost["message_id"] == "<lost@nord.example>"
    assert lost["deletion_state"] == "known_only"
    assert lost["confidence"] == "possible"
    assert pd.isna(lost["subject"])
    assert pd.isna(lost["sent_at"])
    assert pd.isna(lost["deleted_at"])
    assert list(lost["defects"]) == ["reply_only"]
    assert lost["deletion_basis"] == (
        "2 messages answer it and no copy holds it; the first answer is E01/a, subject “About a”."
    )
    assert list(result.dtypes) == list(frame.dtypes)
    assert result.equals(known_from_replies(frame.iloc[::-1], evidence=TWO))


TO_WU = {"from_addr": "ma@nord.example", "to_addrs": ["Wu@X.example"]}
CC_WU = {"from_addr": "ma@nord.example", "cc_addrs": ["wu@x.example"]}
TO_LIST = {"from_addr": "ma@nord.example", "to_addrs": ["list@x.example"]}
BY_WU = {"from_addr": "wu@x.example"}


@pytest.mark.parametrize(
    ("row", "known"),
    [
        (answer("E01/a", "<lost@x.example>", **TO_WU), True),
        (answer("E01/a", "<lost@mail.x.example>", **CC_WU), True),
        (answer("E01/a", "<lost@nord.example>", **TO_WU), False),
        (answer("E01/a", "<lost@x.example>", **TO_LIST), False),
        (answer("E01/a", "<lost@x.example>", **TO_WU, mailbox=""), False),
        (answer("E01/a", "<lost@notx.example>", **TO_WU), False),
        (answer("E01/a", "Your message of Monday <lost@nord.example> (Ma)", **BY_WU), True),
        (answer("E01/a", "lost@nord.example", **BY_WU), True),
        (answer("E01/a", "your letter", **BY_WU), False),
        (answer("E01/a", "<a@x.example>", **BY_WU), False),
        (message("E01/a", references=["<lost@nord.example>"], **SENT), False),
        (answer("E01/a", "<lost@nord.example>", **SENT, parent_item_id="E01/z"), False),
    ],
)
def test_a_cited_message_is_known_only_when_it_must_have_been_here(
    row: dict[str, Any], known: bool
) -> None:
    assert len(known_from_replies(messages(row))) == known


def test_a_cited_message_that_anybody_has_is_not_lost() -> None:
    frame = messages(
        answer("E01/a", "<b@x.example>", **SENT),
        message("E05/b", mailbox="li@x.example", parent_item_id="E05/z"),
    )
    assert known_from_replies(frame).empty


def test_the_owner_of_an_unnamed_mailbox_is_who_wrote_what_was_sent() -> None:
    plain = {"mailbox": ""}
    frame = messages(
        message("E01/s", **(SENT | plain)),
        answer(
            "E01/a",
            "<lost@x.example>",
            from_addr="ma@nord.example",
            to_addrs=["wu@x.example"],
            **plain,
        ),
    )
    assert len(known_from_replies(frame)) == 1


def test_a_cited_message_that_the_log_shows_alive_is_not_lost() -> None:
    frame = messages(answer("E01/a", "<lost@x.example>", **SENT))
    assert known_from_replies(
        frame, events=events(event(1, "2026-11-10", "save", "lost", "INBOX"))
    ).empty
    logged = events(
        event(1, "2026-11-10", "save", "lost", "INBOX"),
        event(2, "2026-11-11", "expunge", "lost", "INBOX"),
    )
    assert len(known_from_replies(frame, events=logged)) == 1


# ---- the log


def test_what_the_log_shows_removed_and_nobody_has_is_known() -> None:
    logged = events(
        event(1, "2026-11-10T08:00", "save", "lost", "INBOX"),
        event(2, "2026-11-12T17:41", "copy", "lost", "Trash"),
        event(3, "2026-11-12T17:41", "expunge", "lost", "INBOX"),
        event(4, "2026-11-12T17:42", "expunge", "lost", "Trash"),
        event(5, "2026-11-12T17:42", "expunge", "had", "INBOX"),
    )
    result = known_from_events(messages(message("E01/had")), logged, evidence=TWO)
    assert len(result) == 1
    lost = result.iloc[0]
    assert lost["message_id"] == "<lost@x.example>"
    assert lost["subject"] == "Logged lost"
    assert (lost["from_name"], lost["from_addr"]) == ("Ma Li", "ma@nord.example")
    assert lost["custodian"] == "Wu"
    assert lost["stored_at"] == pd.Timestamp("2026-11-10T08:00Z")
    assert lost["deleted_at"] == pd.Timestamp("2026-11-12T17:42Z")
    assert lost["deleted_at_kind"] == "exact"
    assert lost["deleted_by"] == "li from 10.0.4.17"
    assert lost["confidence"] == "certain"
    assert (
        "removed for good from Trash on 2026-11-12 at 17:42:00 UTC by li from 10.0.4.17 "
        "(E09, line:4)" in lost["deletion_basis"]
    )
    assert (
        "Before: The log shows: copied among the deleted mail, to Trash" in lost["deletion_basis"]
    )
    assert result.equals(
        known_from_events(messages(message("E01/had")), logged.iloc[::-1], evidence=TWO)
    )


LIFE = [
    (["save INBOX", "expunge INBOX"], True),
    (["expunge INBOX"], True),
    (["save INBOX", "copy Archive", "expunge INBOX"], False),
    (["copy Archive", "expunge INBOX"], False),
    (["copy Archive", "expunge INBOX", "expunge Archive"], True),
    (["save INBOX", "copy Trash", "expunge INBOX"], True),
    (["save INBOX", "copy 已删除", "expunge INBOX"], True),
    (["save INBOX", "expunge INBOX", "save INBOX"], False),
    (["save INBOX", "save INBOX", "expunge INBOX"], False),
    (["deliver INBOX", "save INBOX", "expunge INBOX"], True),
    (["deliver INBOX", "deliver INBOX", "expunge INBOX"], True),
    (["save INBOX", "mark_deleted INBOX"], True),
    (["save INBOX", "mark_deleted INBOX", "unmark_deleted INBOX"], False),
    (["save INBOX"], False),
    (["save Drafts", "save Sent", "expunge Drafts"], False),
    (["save Sales", "folder_delete Sales"], True),
    (["save Sales", "copy Archive", "folder_delete Sales"], False),
    (["folder_delete Sales", "save Sales"], False),
]


@pytest.mark.parametrize(
    ("life", "deleted"), LIFE, ids=lambda value: " ".join(value) if isinstance(value, list) else ""
)
def test_a_move_is_no_deletion(life: list[str], deleted: bool) -> None:
    rows = []
    for number, step in enumerate(life):
        operation, folder = step.split()
        name = None if operation == "folder_delete" else "m"
        rows.append(event(number, f"2026-11-12T10:00:{number:02d}", operation, name, folder))
    assert len(known_from_events(messages(), events(*rows))) == deleted


def test_a_delivery_without_a_folder_keeps_nothing_alive() -> None:
    rows = [
        event(1, "2026-11-10", "deliver", "m", None),
        event(2, "2026-11-11", "expunge", "m", "INBOX"),
    ]
    assert len(known_from_events(messages(), events(*rows))) == 1


def test_one_row_for_each_id_and_other_mailboxes_are_mentioned() -> None:
    rows = [
        event(1, "2026-11-10", "expunge", "m", "INBOX"),
        event(2, "2026-11-11", "expunge", "m", "INBOX", mailbox="li", actor=None),
        event(3, "2026-11-11", "save", "m", "INBOX", mailbox="zhao"),
        event(4, "2026-11-11", "expunge", "m", "Drafts", mailbox="ma", client_ip=None),
    ]
    result = known_from_events(messages(), events(*rows))
    assert len(result) == 1
    basis = result.iloc[0]["deletion_basis"]
    assert "It was removed from 2 other mailboxes too." in basis
    assert "By the log it is still in another mailbox." in basis
    assert result.iloc[0]["deleted_by"] == "li"
    assert result.iloc[0]["confidence"] == "possible"


def test_an_empty_log_tells_nothing() -> None:
    assert known_from_events(messages(message("E01/a")), events()).empty
    assert known_from_replies(messages()).empty
    assert list(known_from_events(messages(), events()).columns) == list(messages().columns)


def test_a_log_that_repeats_itself_is_read_in_bounded_time() -> None:
    rows = [event(n, "2026-11-10", "expunge", "m", f"F{n % 50}") for n in range(5000)]
    assert len(known_from_events(messages(), events(*rows))) == 1
