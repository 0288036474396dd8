"""Frames as a case gives them, from few words."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any

import pandas as pd
import pyarrow as pa

from mailforensics.schema import EVENTS, EVIDENCE, MESSAGES, READS, table_of


def moment(text: str | None) -> datetime | None:
    return None if text is None else datetime.fromisoformat(text).replace(tzinfo=UTC)


def frame(schema: pa.Schema, rows: list[dict[str, Any]]) -> pd.DataFrame:
    lists = {field.name for field in schema if pa.types.is_list(field.type)}
    columns = {
        name: [row.get(name, [] if name in lists else None) for row in rows]
        for name in schema.names
    }
    table = table_of(schema, columns)
    plain = [c.cast(pa.string()) if pa.types.is_dictionary(c.type) else c for c in table.columns]
    return pa.table(plain, names=table.column_names).to_pandas(types_mapper=pd.ArrowDtype)


def message(item: str, **more: Any) -> dict[str, Any]:
    """Return a live, complete message; ``item`` is ``E01/name``, which names its content too."""
    evidence, _, name = item.partition("/")
    name = name.rstrip("'")
    row = {
        "item_id": item,
        "evidence_id": evidence,
        "custodian": "Wu",
        "reader": "maildir",
        "source_path": "",
        "source_ref": item,
        "raw_kind": "original",
        "content_key": f"key-{name}",
        "mailbox": "wu@x.example",
        "folder": "INBOX",
        "folder_role": "inbox",
        "message_id": f"<{name}@x.example>",
        "subject": f"About {name}",
        "deletion_state": "live",
        "completeness": "complete",
        "attachment_count": 0,
    }
    return row | more


def messages(*rows: dict[str, Any]) -> pd.DataFrame:
    return frame(MESSAGES, list(rows))


def evidence(*rows: tuple[str, str | None, str | None]) -> pd.DataFrame:
    """Return evidence of (id, as_of, supersedes)."""
    return frame(
        EVIDENCE,
        [
            {"evidence_id": name, "as_of": moment(as_of), "supersedes": earlier, "sha256": name * 8}
            for name, as_of, earlier in rows
        ],
    )


def event(
    line: int, at: str, operation: str, name: str | None, folder: str | None, **more: Any
) -> dict[str, Any]:
    row = {
        "event_id": f"L{line}",
        "evidence_id": "E09",
        "source_ref": f"line:{line}",
        "at": moment(at),
        "actor": "li",
        "client_ip": "10.0.4.17",
        "operation": operation,
        "mailbox": "wu@x.example",
        "folder": folder,
        "message_id": None if name is None else f"<{name}@x.example>",
        "subject": None if name is None else f"Logged {name}",
        "detail": "uid 1; from Ma Li <ma@nord.example>; session abc",
    }
    return row | more


def events(*rows: dict[str, Any]) -> pd.DataFrame:
    return frame(EVENTS, list(rows))


def reads(*rows: tuple[str, int, int]) -> pd.DataFrame:
    """Return totals of (evidence id, declared, read)."""
    return frame(
        READS,
        [
            {
                "evidence_id": name,
                "row_kind": "source",
                "declared": declared,
                "read": read,
                "failed": declared - read,
                "skipped": 0,
            }
            for name, declared, read in rows
        ],
    )
