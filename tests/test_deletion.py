from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.deletion import (
    EXTRA_COLUMNS,
    DeletionSummary,
    assess,
    deleted_messages,
    summary,
)
from mailforensics.schema import DELETED_STATES
from tests.frames import event, events, evidence, message, messages, moment, reads

TWO = evidence(("E01", "2026-11-09", None), ("E02", "2026-11-13", "E01"))
ONE = evidence(("E01", "2026-11-09", None))
TRASH = {"folder": "Trash", "folder_role": "deleted", "deletion_state": "in_deleted_folder"}
LI = {"custodian": "Li", "mailbox": "li@x.example"}


def row(frame: pd.DataFrame, item: str) -> Any:
    return frame.set_index("item_id").loc[item]


def states(frame: pd.DataFrame) -> dict[str, str]:
    return dict(zip(frame["item_id"], frame["deletion_state"], strict=True))


# ---- who and when


def test_the_log_says_who_deleted_what_a_later_copy_lacks() -> None:
    frame = messages(message("E01/a"), message("E02/b"))
    logged = events(
        event(1, "2026-11-08T09:00", "expunge", "a", "INBOX"),
        event(2, "2026-11-12T17:41", "copy", "a", "Trash"),
        event(3, "2026-11-12T17:42", "expunge", "a", "INBOX"),
        event(4, "2026-11-14T09:00", "expunge", "a", "INBOX"),
    )
    result = assess(frame, logged, TWO)
    gone = row(result, "E01/a")
    assert gone["deletion_state"] == "absent_later"
    assert gone["deleted_at"] == pd.Timestamp("2026-11-12T17:42Z")
    assert gone["deleted_at_kind"] == "exact"
    assert gone["deleted_by"] == "li from 10.0.4.17"
    assert gone["deletion_basis"].startswith(
        "In the copy of 2026-11-09 (E01), folder INBOX; not in"
    )
    assert "removed for good from INBOX on 2026-11-12 at 17:42:00 UTC" in gone["deletion_basis"]
    assert "Before: The log shows: copied among the deleted mail" in gone["deletion_basis"]
    assert "line:1" not in gone["deletion_basis"]
    assert "line:4" not in gone["deletion_basis"]


def test_a_folder_that_was_removed_takes_its_messages_along() -> None:
    frame = messages(message("E01/a", folder="Sales", folder_role="other"), message("E02/b"))
    logged = events(event(1, "2026-11-12T17:42", "folder_delete", None, "Sales"))
    gone = row(assess(frame, logged, TWO), "E01/a")
    assert gone["deleted_by"] == "li from 10.0.4.17"
    assert "removed with the whole folder Sales" in gone["deletion_basis"]
    other = events(event(1, "2026-11-12T17:42", "folder_delete", None, "Sales", mailbox="li"))
    assert pd.isna(row(assess(frame, other, TWO), "E01/a")["deleted_by"])


@pytest.mark.parametrize("state", ["orphaned", "recoverable", "known_only"])
def test_the_last_removal_dates_what_the_store_still_keeps(state: str) -> None:
    frame = messages(
        message(
            "E01/a",
            deletion_state=state,
            folder=None,
            folder_role=None,
            deletion_basis="Free block.",
        )
    )
    logged = events(
        event(1, "2026-11-07T09:00", "expunge", "a", "INBOX", actor="wu"),
        event(2, "2026-11-08T09:00", "expunge", "a", "INBOX", client_ip=None),
    )
    found = row(assess(frame, logged, ONE), "E01/a")
    assert found["deleted_at"] == pd.Timestamp("2026-11-08T09:00Z")
    assert found["deleted_by"] == "li"
    assert found["deletion_basis"].startswith("Free block. The log shows:")
    assert found["deletion_state"] == state


def test_only_events_of_the_same_mailbox_and_folder_count() -> None:
    gone = {"deletion_state": "orphaned"}
    frame = messages(
        message("E01/a", **gone),
        message("E01/b", folder="Sales", folder_role="other", **gone),
        message("E01/c", mailbox="Archive 2026", **gone),
        message("E01/d", mailbox="", **gone),
    )
    logged = events(
        event(1, "2026-11-08", "expunge", "a", "INBOX", mailbox="zhao"),
        event(2, "2026-11-08", "expunge", "b", "INBOX"),
        event(3, "2026-11-08", "expunge", "c", "INBOX"),
        event(4, "2026-11-08", "expunge", "d", "INBOX"),
        event(5, "2026-11-08", "expunge", "d", "INBOX", mailbox="zhao"),
    )
    result = assess(frame, logged, ONE)
    dated = result[result["deleted_at"].notna()]
    assert list(dated["item_id"]) == ["E01/c"]


def test_logs_name_mailboxes_without_domain() -> None:
    frame = messages(message("E01/a", deletion_state="orphaned"))
    logged = events(event(1, "2026-11-08", "expunge", "a", "INBOX", mailbox="WU"))
    assert row(assess(frame, logged, ONE), "E01/a")["deleted_by"] == "li from 10.0.4.17"


def test_a_time_that_the_store_knows_exactly_stays() -> None:
    known = {"deleted_at": moment("2026-11-08T08:59"), "deleted_at_kind": "exact"}
    frame = messages(message("E01/a", deletion_state="recoverable", **known))
    logged = events(event(1, "2026-11-08T09:00", "expunge", "a", "INBOX"))
    found = row(assess(frame, logged, ONE), "E01/a")
    assert found["deleted_at"] == pd.Timestamp("2026-11-08T08:59Z")
    assert found["deleted_by"] == "li from 10.0.4.17"


def test_deleted_mail_is_dated_by_its_move_and_marks_by_their_mark() -> None:
    frame = messages(
        message("E01/a", **TRASH),
        message("E01/b", **TRASH),
        message("E01/c", deletion_state="marked_deleted"),
    )
    logged = events(
        event(1, "2026-11-08T09:00", "copy", "a", "Trash"),
        event(2, "2026-11-08T09:01", "expunge", "a", "INBOX"),
        event(3, "2026-11-08T09:02", "expunge", "b", "INBOX"),
        event(4, "2026-11-08T09:03", "mark_deleted", "c", "INBOX"),
    )
    result = assess(frame, logged, ONE)
    assert [stamp.minute for stamp in result["deleted_at"]] == [0, 2, 3]


def test_what_was_carved_anywhere_is_not_dated_by_the_server() -> None:
    frame = messages(
        message("E01/a", deletion_state="carved", mailbox="", folder=None, folder_role=None)
    )
    logged = events(event(1, "2026-11-08T09:00", "expunge", "a", "INBOX"))
    found = row(assess(frame, logged, ONE), "E01/a")
    assert pd.isna(found["deleted_at"])
    assert pd.isna(found["deleted_by"])
    assert "removed for good from INBOX" in found["deletion_basis"]


# ---- live and the log


def test_what_the_log_removes_after_the_copy_is_gone() -> None:
    frame = messages(
        message("E01/a"), message("E01/inner", parent_item_id="E01/a"), message("E01/b")
    )
    logged = events(event(1, "2026-11-12T17:42", "expunge", "a", "INBOX", mailbox="wu"))
    result = assess(frame, logged, ONE)
    assert states(result) == {"E01/a": "absent_later", "E01/inner": "absent_later", "E01/b": "live"}
    gone = row(result, "E01/a")
    assert gone["confidence"] == "probable"
    assert gone["deleted_at_kind"] == "exact"
    assert "(E09, line:1)" in gone["deletion_basis"]


def steps(*words: str) -> list[dict[str, Any]]:
    """Return events about ``a``, a minute apart."""
    return [
        event(number, f"2026-11-12T09:{number:02d}", *word.split()[:1], "a", word.split()[1])
        for number, word in enumerate(words)
    ]


GONE = steps("expunge INBOX")


@pytest.mark.parametrize(
    ("rows", "logged"),
    [
        pytest.param(["E01/a"], [event(1, "2026-11-08", "expunge", "a", "INBOX")], id="before"),
        pytest.param(["E01/a"], [GONE[0] | {"mailbox": "li"}], id="other mailbox"),
        pytest.param([message("E01/a", mailbox="")], GONE, id="no mailbox"),
        pytest.param(["E01/a"], steps("expunge Sent"), id="other folder"),
        pytest.param(["E01/a"], steps("copy Archive", "expunge INBOX"), id="move"),
        pytest.param(["E01/a", message("E01/a'", folder="Sent", folder_role="sent")], GONE),
        pytest.param(["E01/a", "E01/a'"], GONE, id="two copies"),
        pytest.param(["E01/a"], steps("expunge INBOX", "save INBOX"), id="back"),
        pytest.param(["E01/a", "E02/a"], GONE, id="later copy"),
        pytest.param(["E01/a"], steps("mark_deleted INBOX", "unmark_deleted INBOX"), id="unmarked"),
    ],
)
def test_live_mail_is_never_called_deleted(
    rows: list[dict[str, Any] | str], logged: list[dict[str, Any]]
) -> None:
    listed = [message(each) if isinstance(each, str) else each for each in rows]
    result = assess(messages(*listed), events(*logged), TWO)
    assert set(result["deletion_state"]) == {"live"}


def test_without_the_moment_of_the_copy_the_log_proves_nothing() -> None:
    logged = events(event(1, "2026-11-12", "expunge", "a", "INBOX"))
    result = assess(messages(message("E01/a")), logged, evidence(("E01", None, None)))
    assert states(result)["E01/a"] == "live"


def test_moved_to_trash_after_the_copy_is_deleted() -> None:
    logged = events(
        event(1, "2026-11-12T09:00", "copy", "a", "Trash"),
        event(2, "2026-11-12T09:00", "expunge", "a", "INBOX"),
    )
    assert states(assess(messages(message("E01/a")), logged, ONE))["E01/a"] == "absent_later"


def test_all_of_it_together_adds_each_lost_message_once() -> None:
    sent = {"folder": "Sent", "folder_role": "sent", "from_addr": "wu@x.example"}
    frame = messages(
        message("E01/a", in_reply_to="<lost@x.example>", **sent),
        message("E01/b", in_reply_to="<other@nord.example>", **sent),
    )
    logged = events(event(1, "2026-11-08", "expunge", "lost", "INBOX"))
    result = assess(frame, logged, ONE)
    added = result[result["deletion_state"] == "known_only"]
    assert sorted(added["message_id"]) == ["<lost@x.example>", "<other@nord.example>"]
    assert set(added["reader"]) == {"events", "replies"}
    assert list(result.columns) == list(frame.columns)
    assert list(result.dtypes) == list(frame.dtypes)
    assert result.head(2).equals(frame)


# ---- the list


def test_the_list_links_instances_and_chooses_the_best() -> None:
    frame = messages(
        message(
            "E01/a",
            deletion_state="carved",
            completeness="partial",
            raw_kind="fragment",
            content_key="x",
        ),
        message("E02/a", deletion_state="orphaned", raw_kind="rebuilt_from_mapi"),
        message("E03/a", deletion_state="carved"),
        message(
            "E04/a",
            deletion_state="known_only",
            raw_kind="none",
            completeness="metadata_only",
            content_key=None,
        ),
        message("E01/live"),
        message("E01/inner", parent_item_id="E01/a", deletion_state="carved"),
    )
    deleted = deleted_messages(frame)
    assert list(deleted.columns) == [*frame.columns, *EXTRA_COLUMNS]
    assert set(deleted["item_id"]) == {"E01/a", "E02/a", "E03/a", "E04/a"}
    assert deleted["same_as"].nunique() == 1
    assert set(deleted["copies"]) == {4}
    assert list(deleted[deleted["best"]]["item_id"]) == ["E03/a"]
    ways = dict(zip(deleted["item_id"], deleted["can_come_back"], strict=True))
    assert ways == {"E01/a": "in part", "E02/a": "whole", "E03/a": "whole", "E04/a": "traces only"}
    assert not deleted["still_live"].any()
    assert not deleted["live_elsewhere"].any()


def test_ways_back() -> None:
    frame = messages(
        message("E01/a", deletion_state="carved", raw_kind="none"),
        message("E01/b", deletion_state="carved", raw_kind=None),
        message("E01/c", deletion_state="carved", completeness="headers_only"),
        message("E01/d", deletion_state="carved", raw_kind="fragment"),
        message("E01/e", deletion_state="carved", completeness=None),
    )
    ways = deleted_messages(frame).set_index("item_id")["can_come_back"]
    assert list(ways.sort_index()) == [
        "traces only",
        "traces only",
        "in part",
        "in part",
        "in part",
    ]


def test_what_is_still_there_is_told_apart() -> None:
    frame = messages(
        message("E01/a", **TRASH), message("E01/a'"),
        message("E01/b", **TRASH), message("E02/b", **LI),
        message("E01/c", **TRASH), message("E02/c", **(LI | TRASH)), message("E02/c'", **LI),
        message("E01/d", deletion_state="orphaned"), message("E01/d'", mailbox="Local Folders"),
        message("E01/e", **(TRASH | {"mailbox": "Local Folders"})), message("E01/e'"),
        message("E01/f", **TRASH), message("E01/f'", mailbox="zhao@x.example"),
        message("E01/g", **TRASH), message("E01/g'", parent_item_id="E01/f"),
    )  # fmt: skip
    deleted = deleted_messages(frame).set_index("item_id")
    live = deleted["still_live"]
    assert {item for item in live.index if live[item]} == {"E01/a", "E01/d", "E01/e"}
    elsewhere = deleted["live_elsewhere"]
    assert {item for item in live.index if elsewhere[item]} == {"E01/b", "E01/c", "E01/f"}
    assert summary(deleted.reset_index()).total == 4
    assert summary(deleted.reset_index()).still_live == 3


def test_an_earlier_copy_does_not_keep_a_message_alive() -> None:
    frame = messages(
        message("E01/a"), message("E02/a", **TRASH), message("E01/b"), message("E02/b")
    )
    deleted = deleted_messages(assess(frame, events(), TWO))
    assert set(deleted["item_id"]) == {"E01/a", "E02/a"}
    assert not deleted["still_live"].any()
    assert list(deleted[deleted["best"]]["item_id"]) == ["E02/a"]
    assert summary(deleted).by_state == {"in_deleted_folder": 1}


def test_newest_first_and_undated_last() -> None:
    gone = {"deletion_state": "carved"}
    frame = messages(
        message("E01/a", **gone),
        message("E01/b", sent_at=moment("2026-01-01"), **gone),
        message("E01/c", sent_at=moment("2026-03-01"), **gone),
        message("E01/d", sent_at=moment("2026-03-01"), **gone),
    )
    assert list(deleted_messages(frame)["item_id"]) == ["E01/c", "E01/d", "E01/b", "E01/a"]


def test_the_log_can_be_joined_while_listing_and_joins_once() -> None:
    frame = messages(
        message("E01/a", deletion_state="orphaned"), message("E01/b"), message("E02/c")
    )
    logged = events(
        event(1, "2026-11-12", "expunge", "a", "INBOX"),
        event(2, "2026-11-01", "expunge", "b", "INBOX"),
    )
    assert deleted_messages(frame, logged).iloc[0]["deleted_by"] == "li from 10.0.4.17"
    assessed = assess(frame, logged, TWO)
    assert deleted_messages(assessed, logged).equals(deleted_messages(assessed))
    assert pd.isna(row(deleted_messages(assessed, logged), "E01/b")["deleted_by"])


def test_an_empty_case() -> None:
    empty = messages()
    assert assess(empty, events(), evidence()).empty
    deleted = deleted_messages(empty, events())
    assert list(deleted.columns) == [*empty.columns, *EXTRA_COLUMNS]
    assert summary(deleted) == DeletionSummary(0, 0, 0, 0)
    assert summary(deleted).sentence == "No message in this evidence is deleted."


# ---- the headline


COPY = "(+ 1 deleted copy of a message that is still there)"
SENTENCES = {
    (212, 187, 19, 6): "212 messages are deleted; "
    "187 can come back whole, 19 in part, 6 are known only by their traces.",
    (1, 1, 0, 0): "1 message is deleted; it can come back whole.",
    (1, 0, 1, 0): "1 message is deleted; it can come back in part.",
    (1, 0, 0, 1): "1 message is deleted; it is known only by its traces.",
    (2, 2, 0, 0, 1): f"2 messages are deleted; all can come back whole. {COPY}",
    (2, 0, 2, 0): "2 messages are deleted; all can come back in part.",
    (2, 0, 0, 2): "2 messages are deleted; all are known only by their traces.",
    (3, 0, 2, 1): "3 messages are deleted; 2 can come back in part, 1 is known only by its traces.",
    (0, 0, 0, 0, 40): "No message in this evidence is deleted. "
    "(+ 40 deleted copies of messages that are still there)",
    (1200, 1100, 0, 100): "1,200 messages are deleted; "
    "1,100 can come back whole, 100 are known only by their traces.",
}


@pytest.mark.parametrize(("counts", "sentence"), SENTENCES.items())
def test_the_headline_in_words(counts: tuple[int, ...], sentence: str) -> None:
    assert DeletionSummary(*counts).sentence == sentence


def test_the_headline_of_a_choice_of_rows() -> None:
    frame = messages(
        message("E01/a", deletion_state="carved", deleted_at=moment("2026-11-01")),
        message(
            "E02/a", deletion_state="orphaned", raw_kind="fragment", deleted_at=moment("2026-11-05")
        ),
    )
    deleted = deleted_messages(frame)
    assert summary(deleted).whole == 1
    assert summary(deleted).first == datetime(2026, 11, 1, tzinfo=UTC)
    assert summary(deleted).last == datetime(2026, 11, 5, tzinfo=UTC)
    assert summary(deleted[deleted["item_id"] == "E02/a"]).in_part == 1


# ---- laws

STATES = ["live", "live", "in_deleted_folder", "orphaned", "known_only", "marked_deleted"]
DONE = ["save", "copy", "move", "expunge", "mark_deleted", "unmark_deleted", "folder_delete"]
DONE += ["deliver", "login"]
NAMES = st.sampled_from("abcd")
ROWS = st.lists(
    st.fixed_dictionaries(
        {
            "name": NAMES,
            "evidence_id": st.sampled_from(["E01", "E02", "E03"]),
            "folder": st.sampled_from(["INBOX", "Sent", "Trash", None]),
            "mailbox": st.sampled_from(["wu@x.example", "li@x.example", "", None]),
            "custodian": st.sampled_from(["Wu", "Li", None]),
            "deletion_state": st.sampled_from(STATES),
            "completeness": st.sampled_from(["complete", "complete", "partial", "metadata_only"]),
            "raw_kind": st.sampled_from(["original", "rebuilt_from_mapi", "fragment", "none"]),
            "content_key": st.sampled_from(["key-a", "key-b", None]),
            "in_reply_to": st.sampled_from([None, "<z@x.example>", "<a@x.example>"]),
            "from_addr": st.sampled_from(["wu@x.example", None]),
            "parent": st.sampled_from([None, None, 0, 1, 2]),
        }
    ),
    max_size=9,
)  # fmt: skip
LOG = st.lists(
    st.tuples(
        st.integers(1, 20),
        st.sampled_from(DONE),
        st.sampled_from(["a", "b", "z", None]),
        st.sampled_from(["INBOX", "Sent", "Trash", None]),
        st.sampled_from(["wu", "li@x.example", None]),
    ),
    max_size=10,
)  # fmt: skip
DAYS = {"E01": "2026-11-05", "E02": "2026-11-10", "E03": "2026-11-15"}
COPIES = st.builds(
    lambda follows, dated: evidence(
        *((name, DAYS[name] if name in dated else None, follows.get(name)) for name in DAYS)
    ),
    st.dictionaries(st.sampled_from(sorted(DAYS)), st.sampled_from(sorted(DAYS))),
    st.sets(st.sampled_from(sorted(DAYS))),
)


def built(rows: list[dict[str, Any]]) -> pd.DataFrame:
    listed = []
    for number, entry in enumerate(rows):
        values = {key: value for key, value in entry.items() if key not in {"name", "parent"}}
        parent = entry["parent"]
        values["parent_item_id"] = None if parent is None or parent >= number else f"i{parent}"
        values["folder_role"] = "deleted" if values["folder"] == "Trash" else None
        listed.append(
            message(f"{entry['evidence_id']}/{entry['name']}", **values, item_id=f"i{number}")
        )
    return messages(*listed)


def log(entries: list[tuple[Any, ...]]) -> pd.DataFrame:
    return events(
        *(
            event(number, f"2026-11-{day:02d}", operation, name, folder, mailbox=mailbox)
            for number, (day, operation, name, folder, mailbox) in enumerate(entries)
        )
    )


def sorted_rows(frame: pd.DataFrame) -> pd.DataFrame:
    return frame.sort_values("item_id").reset_index(drop=True)


@settings(max_examples=60, deadline=None)
@given(ROWS, LOG, COPIES, st.randoms(use_true_random=False))
def test_laws(
    rows: list[dict[str, Any]], entries: list[tuple[Any, ...]], told: pd.DataFrame, shuffle: Any
) -> None:
    frame, logged = built(rows), log(entries)
    before = frame.copy()
    result = assess(frame, logged, told)
    assert frame.equals(before)
    # Nothing is lost, nothing doubled, nothing but the deletion columns changed.
    assert list(result["item_id"].head(len(frame))) == list(frame["item_id"])
    assert result["item_id"].is_unique
    kept = [c for c in frame.columns if not c.startswith("delet") and c != "confidence"]
    assert result[kept].head(len(frame)).equals(frame[kept])
    was_deleted = frame["deletion_state"] != "live"
    assert (result["deletion_state"].head(len(frame))[was_deleted] != "live").all()
    assert set(result["deletion_state"].iloc[len(frame) :]) <= {"known_only"}
    # Again changes nothing, and order does not matter.
    assert assess(result, logged, told).equals(result)
    order = list(range(len(frame)))
    shuffle.shuffle(order)
    lines = list(range(len(logged)))
    shuffle.shuffle(lines)
    other = assess(frame.iloc[order], logged.iloc[lines], told)
    assert sorted_rows(other).equals(sorted_rows(result))
    # The list and the headline agree.
    deleted = deleted_messages(result, logged)
    assert set(deleted["deletion_state"]) <= set(map(str, DELETED_STATES))
    assert deleted["best"].sum() == deleted["same_as"].nunique()
    counts = summary(deleted)
    assert counts.total == counts.whole + counts.in_part + counts.traces_only
    assert counts.total == (deleted["best"] & ~deleted["still_live"]).sum()
    assert counts.total == sum(counts.by_state.values())
    assert counts.sentence
    assert sorted_rows(deleted_messages(other, logged)).equals(sorted_rows(deleted))


def test_a_later_copy_that_could_not_be_read_whole_proves_less() -> None:
    frame = messages(message("E01/a"), message("E02/b"))
    result = assess(frame, events(), TWO, reads=reads(("E02", 2, 1)))
    assert row(result, "E01/a")["confidence"] == "probable"
