"""Small cases as frames, made from messages in bytes."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime

import pandas as pd

from mailforensics import checks, mime
from mailforensics.errors import NoBytes
from mailforensics.schema import (
    EVENTS,
    EVIDENCE,
    READS,
    DeletionState,
    RawKind,
    attachment_table,
    empty_table,
    message_table,
    table_of,
)

HASH = "0" * 64
ACQUIRED = datetime(2027, 6, 13, 8, 0, tzinfo=UTC)


def frame_of(table):
    frame = table.to_pandas(types_mapper=pd.ArrowDtype)
    for name in frame.columns:
        if "dictionary" in str(frame[name].dtype):
            frame[name] = frame[name].astype("string[pyarrow]")
    return frame


@dataclass
class Case:
    """Adds messages, then runs checks over them."""

    records: list = field(default_factory=list)
    bytes_: dict = field(default_factory=dict)
    reads: list = field(default_factory=list)
    evidence: list = field(default_factory=lambda: ["E01"])

    def add(self, raw=None, **changed):
        ref = changed.pop("source_ref", f"offset:{len(self.records)}")
        if raw is None:
            raw, changed = b"Subject: x\r\n\r\n", {"raw_kind": RawKind.NONE} | changed
        record = mime.read_message(raw, source_ref=ref)
        record.deletion_state = DeletionState.ORPHANED
        for name, value in changed.items():
            setattr(record, name, value)
        self.records.append(record)
        self.bytes_[ref] = None if record.raw_kind is RawKind.NONE else raw
        return self

    def messages(self):
        table = message_table(
            self.records, evidence_id="E01", evidence_sha256=HASH, custodian="Li Na",
            reader="mbox", reader_version="1", source_path="",
        )  # fmt: skip
        return frame_of(table)

    def evidence_frame(self):
        count = len(self.evidence)
        columns = {name: [None] * count for name in EVIDENCE.names}
        columns["evidence_id"] = self.evidence
        columns["acquired_at"] = [ACQUIRED] * count
        return frame_of(table_of(EVIDENCE, columns))

    def reads_frame(self):
        rows = [dict.fromkeys(READS.names) | row for row in self.reads]
        return frame_of(table_of(READS, {name: [r[name] for r in rows] for name in READS.names}))

    def run(self, *only, **given):
        messages = self.messages()
        refs = dict(zip(messages["item_id"], messages["source_ref"], strict=True))
        self.asked = []

        def raw(item_id):
            self.asked.append(item_id)
            data = self.bytes_[refs[item_id]]
            if data is None:
                raise NoBytes("gone")
            return data

        attachments = attachment_table(self.records, evidence_sha256=HASH, source_path="")
        return checks.run(
            messages, frame_of(attachments), frame_of(empty_table(EVENTS)), self.reads_frame(),
            self.evidence_frame(), raw=given.pop("raw", raw), only=only or None, **given,
        )  # fmt: skip


def whole(results, check):
    """The verdict about the case."""
    rows = results[
        (results["check"] == check) & results["item_id"].isna() & results["evidence_id"].isna()
    ]
    assert rows["summary"].notna().all()
    return rows.iloc[0]


def statuses(results, check):
    """The statuses of single messages."""
    rows = results[(results["check"] == check) & results["item_id"].notna()]
    return rows["status"].tolist()


def letter(body="Hello.\r\n", *, headers=(), date="Thu, 12 Nov 2026 17:38:00 +0800", number=1):
    lines = [
        *headers,
        "From: li@huayang.example",
        "To: sales@nordwind.example",
        f"Date: {date}",
        f"Message-ID: <{number}@huayang.example>",
        "Subject: Contract HY-2026-0417",
    ]
    return ("\r\n".join(line for line in lines if line) + "\r\n\r\n" + body).encode()
