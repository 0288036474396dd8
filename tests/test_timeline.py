from __future__ import annotations

import csv
import json
from datetime import UTC, datetime, timedelta

import pandas as pd
import pytest

from mailforensics.errors import WouldOverwrite
from mailforensics.schema import (
    MESSAGES,
    DeletedAtKind,
    DeletionState,
    EventRecord,
    MessageRecord,
    Operation,
    empty_table,
    event_table,
    message_table,
)
from mailforensics.timeline import (
    between,
    bursts,
    deletions,
    timeline,
    undated,
    write_csv,
    write_jsonl,
)

NOON = datetime(2026, 11, 12, 9, 38, tzinfo=UTC)


def frame_of(table):
    return table.to_pandas(types_mapper=pd.ArrowDtype)


def messages_of(*records):
    table = message_table(
        list(records),
        evidence_id="E01",
        evidence_sha256="0" * 64,
        custodian="Li Na",
        reader="mbox",
        reader_version="1",
        source_path="",
    )
    return frame_of(table)


def events_of(*records):
    return frame_of(
        event_table(list(records), evidence_id="E02", evidence_sha256="1" * 64, source_path="log")
    )


def expunge(minute, number, **extra):
    given = {"actor": "sales", "client_ip": "10.0.4.17", "mailbox": "sales"} | extra
    return EventRecord(
        source_ref=f"line:{number}",
        at=NOON + timedelta(minutes=minute),
        operation=Operation.EXPUNGE,
        message_id=f"<{number}@huayang.example>",
        **given,
    )


def test_each_known_date_is_a_row_and_no_unknown_one():
    messages = messages_of(
        MessageRecord(
            source_ref="a", subject="合同 HY", from_addr="li@h.example", sent_at=NOON,
            received_at=NOON + timedelta(seconds=5),
        ),
        MessageRecord(source_ref="b", subject="no date"),
        MessageRecord(
            source_ref="c", deletion_state=DeletionState.KNOWN_ONLY, deleted_at=NOON,
            deleted_at_kind=DeletedAtKind.NOT_BEFORE, deleted_by="sales",
        ),
    )  # fmt: skip
    frame = timeline(messages, events_of(expunge(1, 1), EventRecord(
        source_ref="x", at=None, operation=Operation.OTHER)), tz="Asia/Shanghai")  # fmt: skip
    assert frame["timestamp_desc"].tolist() == [
        "Last seen in a copy", "Message sent", "Message received", "Log: expunged",
    ]  # fmt: skip
    assert frame["message"].tolist()[1] == "Message sent: 合同 HY (from li@h.example)"
    assert str(frame["datetime"].iloc[1]) == "2026-11-12 17:38:00+08:00"
    assert frame["actor"].tolist()[0] == "sales"
    assert frame["state"].tolist()[0] == "known_only"
    assert frame["event_id"].notna().tolist() == [False, False, False, True]
    lost = undated(messages, events_of(EventRecord(
        source_ref="x", at=None, operation=Operation.OTHER)))  # fmt: skip
    assert (lost.messages, lost.events) == (1, 1)
    assert "1 of the messages, 1 of the log lines" in lost.sentence


def test_nothing_gives_an_empty_timeline_that_still_can_be_written(tmp_path):
    frame = timeline(frame_of(empty_table(MESSAGES)))
    assert frame.empty
    assert bursts(frame).empty
    assert between(frame, NOON, NOON).empty
    write_csv(frame, tmp_path / "t.csv")
    assert (tmp_path / "t.csv").read_text().startswith("message,datetime,timestamp_desc,")


def test_files_are_what_timesketch_asks_for(tmp_path):
    messages = messages_of(
        MessageRecord(source_ref="a", subject='price, "new"\nline', sent_at=NOON),
    )
    frame = timeline(messages, events_of(expunge(3, 1)), tz="Asia/Shanghai")
    write_csv(frame, tmp_path / "t.csv")
    with (tmp_path / "t.csv").open(encoding="utf-8", newline="") as stream:
        rows = list(csv.DictReader(stream))
    assert list(rows[0])[:3] == ["message", "datetime", "timestamp_desc"]
    assert [row["datetime"] for row in rows] == [
        "2026-11-12T09:38:00.000000+00:00",
        "2026-11-12T09:41:00.000000+00:00",
    ]
    assert rows[0]["subject"] == 'price, "new"\nline'
    write_jsonl(frame, tmp_path / "t.jsonl")
    lines = [json.loads(line) for line in (tmp_path / "t.jsonl").read_text("utf-8").splitlines()]
    assert [line["datetime"] for line in lines] == [row["datetime"] for row in rows]
    assert all({"message", "datetime", "timestamp_desc"} <= set(line) for line in lines)
    assert "event_id" not in lines[0]


@pytest.mark.parametrize("write", [write_csv, write_jsonl])
def test_nothing_is_overwritten(tmp_path, write):
    path = tmp_path / "there"
    path.write_text("mine")
    with pytest.raises(WouldOverwrite):
        write(timeline(messages_of()), path)
    assert path.read_text() == "mine"


def test_between_takes_its_start_and_not_its_end():
    frame = timeline(messages_of(), events_of(*[expunge(n, n) for n in range(5)]))
    kept = between(frame, NOON + timedelta(minutes=1), NOON + timedelta(minutes=3))
    assert kept["message_id"].tolist() == ["<1@huayang.example>", "<2@huayang.example>"]
    with pytest.raises(ValueError, match="no time zone"):
        between(frame, datetime(2026, 1, 1))  # noqa: DTZ001 - the fault under test


def test_a_burst_counts_each_message_once_and_names_who():
    log = [expunge(n / 6, n) for n in range(37)]
    log += [expunge(600, 90), expunge(900, 91, actor="li")]
    found = MessageRecord(
        source_ref="m", message_id="<3@huayang.example>", deleted_at=NOON + timedelta(seconds=30),
        deleted_at_kind=DeletedAtKind.EXACT, deletion_state=DeletionState.ORPHANED,
    )  # fmt: skip
    burst = bursts(timeline(messages_of(found), events_of(*log), tz="Asia/Shanghai"))
    assert len(burst) == 1
    row = burst.iloc[0]
    assert row["count"] == 37
    assert row["client_ip"] == "10.0.4.17"
    assert round(row["share"], 3) == round(37 / 39, 3)
    assert (
        "37 messages were deleted between 12 Nov 2026 17:38 and 17:44 (UTC+08:00)"
        in row["sentence"]
    )


def test_the_largest_burst_comes_first_and_accounts_are_kept_apart():
    small = [expunge(n / 6, n, actor=None, client_ip=None) for n in range(6)]
    large = [expunge(n / 6, 100 + n) for n in range(9)]
    other = [expunge(n, 200 + n, actor="li") for n in range(3)]
    burst = bursts(timeline(messages_of(), events_of(*small, *large, *other)))
    assert burst["count"].tolist() == [9, 6]
    assert burst["actor"].tolist()[0] == "sales"
    assert pd.isna(burst["actor"].tolist()[1])


def test_a_finding_that_the_log_also_has_is_one_deletion():
    found = MessageRecord(
        source_ref="m", message_id="<1@huayang.example>", deleted_at=NOON + timedelta(days=3),
        deleted_at_kind=DeletedAtKind.EXACT, deletion_state=DeletionState.ORPHANED,
    )  # fmt: skip
    alone = MessageRecord(
        source_ref="n", deleted_at=NOON, deleted_at_kind=DeletedAtKind.EXACT,
        deletion_state=DeletionState.ORPHANED,
    )  # fmt: skip
    frame = timeline(messages_of(found, alone), events_of(expunge(1, 1)))
    assert deletions(frame)["timestamp_desc"].tolist() == ["Message deleted", "Log: expunged"]


def test_a_steady_trickle_is_no_burst():
    log = [expunge(9 * n, n) for n in range(2000)]
    assert bursts(timeline(messages_of(), events_of(*log))).empty


def test_a_burst_inside_a_steady_trickle_is_found():
    log = [expunge(30 * n, n) for n in range(500)]
    log += [expunge(3011 + n / 20, 1000 + n) for n in range(80)]
    burst = bursts(timeline(messages_of(), events_of(*log)))
    assert burst["count"].tolist() == [80]
