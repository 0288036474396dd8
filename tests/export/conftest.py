from __future__ import annotations

import hashlib
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa
import pytest

from mailforensics.errors import NoBytes
from mailforensics.schema import (
    EVIDENCE,
    Completeness,
    DeletionState,
    MessageRecord,
    RawKind,
    attachment_table,
    message_table,
    table_of,
)

EVIDENCE_SHA = "e" * 64
SENT = datetime(2026, 11, 12, 9, 42, 7, tzinfo=UTC)


def opened(table: pa.Table) -> pd.DataFrame:
    """Return a table as the case opens it from parquet."""
    plain = [
        (entry.name, entry.type.value_type if pa.types.is_dictionary(entry.type) else entry.type)
        for entry in table.schema
    ]
    return table.cast(pa.schema(plain)).to_pandas(types_mapper=pd.ArrowDtype)


def record(ref: str, data: bytes | None, **fields: Any) -> MessageRecord:
    """Return the record of a message whose original bytes are these."""
    if data is None:
        fields = {
            "raw_kind": RawKind.NONE,
            "deletion_state": DeletionState.KNOWN_ONLY,
            "completeness": Completeness.METADATA_ONLY,
        } | fields
        return MessageRecord(source_ref=ref, **fields)
    defaults = {"sha256": hashlib.sha256(data).hexdigest(), "size": len(data)}
    return MessageRecord(source_ref=ref, **(defaults | fields))


class Evidence:
    """Some messages, their frames, and the way back to their bytes."""

    def __init__(self, *pairs: tuple[MessageRecord, bytes | None]) -> None:
        records = [each for each, _ in pairs]
        source = {"evidence_sha256": EVIDENCE_SHA, "source_path": "Inbox"}
        self.messages = opened(
            message_table(
                records,
                evidence_id="E01",
                custodian="Li Na",
                reader="mbox",
                reader_version="1",
                **source,
            )
        )
        self.attachments = opened(attachment_table(records, **source))
        self.bytes = dict(zip(self.messages["item_id"], (data for _, data in pairs), strict=True))
        columns: dict[str, list[Any]] = {name: [None] for name in EVIDENCE.names}
        columns |= {"evidence_id": ["E01"], "sha256": [EVIDENCE_SHA], "name": ["sales.mbox"]}
        columns["path"] = ["/nowhere/sales.mbox"]
        self.evidence = opened(table_of(EVIDENCE, columns))

    def raw(self, item_id: str) -> bytes:
        data = self.bytes[item_id]
        if data is None:
            raise NoBytes("Only traces of this message exist.")
        return data

    @property
    def arguments(self) -> dict[str, Any]:
        return {"raw": self.raw, "evidence": self.evidence}


def mail(subject: str = "Contract", body: str = "Hello.\n") -> bytes:
    text = f"From: li.na@huayang.example\nSubject: {subject}\nMessage-ID: <a@b>\n\n{body}"
    return text.encode()


@pytest.fixture
def several() -> Evidence:
    """Return two whole messages, one undated, one rebuilt, one in part, one known only."""
    rebuilt = record("nid:4", b"", raw_kind=RawKind.REBUILT_FROM_MAPI, sent_at=SENT, sha256=None)
    rebuilt.size = None
    return Evidence(
        (record("1", mail("一"), subject="合同 HY-2026-0417", sent_at=SENT), mail("一")),
        (record("2", mail("2"), subject="Contract", sent_at=SENT.replace(year=2025)), mail("2")),
        (record("3", mail("3"), subject="Undated"), mail("3")),
        (rebuilt, mail("rebuilt")),
        (
            record("5", mail("5")[:60], completeness=Completeness.PARTIAL, sent_at=SENT),
            mail("5")[:60],
        ),
        (record("6", None, subject="Gone", message_id="<gone@x>", sent_at=SENT), None),
    )


Build = Callable[..., Evidence]
