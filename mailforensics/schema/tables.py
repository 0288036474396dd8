"""The tables: one :class:`pyarrow.Schema` each."""

from __future__ import annotations

from types import MappingProxyType

import pyarrow as pa

__all__ = ["ATTACHMENTS", "CHECKS", "EVENTS", "EVIDENCE", "EXPORTS", "MESSAGES", "READS", "TABLES"]

_STRING: pa.DataType = pa.string()
_WORD: pa.DataType = pa.dictionary(pa.int32(), pa.string())
_TIME: pa.DataType = pa.timestamp("us", tz="UTC")
_LIST: pa.DataType = pa.list_(pa.string())

MESSAGES = pa.schema(
    [
        ("item_id", _STRING),
        ("evidence_id", _STRING),
        ("custodian", _WORD),
        ("reader", _WORD),
        ("reader_version", _WORD),
        ("source_path", _STRING),
        ("source_ref", _STRING),
        ("source_offset", pa.int64()),
        ("source_length", pa.int64()),
        ("parent_item_id", _STRING),
        ("raw_kind", _WORD),
        ("sha256", _STRING),
        ("size", pa.int64()),
        ("content_key", _STRING),
        ("mailbox", _STRING),
        ("folder", _STRING),
        ("folder_role", _WORD),
        ("message_class", _WORD),
        ("message_id", _STRING),
        ("in_reply_to", _STRING),
        ("references", _LIST),
        ("subject", _STRING),
        ("from_name", _STRING),
        ("from_addr", _STRING),
        ("sender_addr", _STRING),
        ("to_addrs", _LIST),
        ("cc_addrs", _LIST),
        ("bcc_addrs", _LIST),
        ("date_header", _STRING),
        ("sent_at", _TIME),
        ("received_at", _TIME),
        ("stored_at", _TIME),
        ("modified_at", _TIME),
        ("sent_offset_min", pa.int16()),
        ("date_source", _WORD),
        ("charset_declared", _WORD),
        ("charset_used", _WORD),
        ("attachment_count", pa.int32()),
        ("has_body", pa.bool_()),
        ("is_read", pa.bool_()),
        ("flags", _LIST),
        ("deletion_state", _WORD),
        ("deletion_basis", _STRING),
        ("confidence", _WORD),
        ("deleted_at", _TIME),
        ("deleted_at_kind", _WORD),
        ("deleted_by", _STRING),
        ("completeness", _WORD),
        ("defects", _LIST),
    ]
)
"""One row for each message instance, live or deleted."""

ATTACHMENTS = pa.schema(
    [
        ("item_id", _STRING),
        ("position", pa.int32()),
        ("name", _STRING),
        ("media_type", _WORD),
        ("size", pa.int64()),
        ("sha256", _STRING),
        ("content_id", _STRING),
        ("inline", pa.bool_()),
    ]
)
"""One row for each attachment; ``size`` and ``sha256`` are of the decoded bytes."""

EVENTS = pa.schema(
    [
        ("event_id", _STRING),
        ("evidence_id", _STRING),
        ("source_ref", _STRING),
        ("at", _TIME),
        ("actor", _STRING),
        ("client_ip", _STRING),
        ("operation", _WORD),
        ("mailbox", _STRING),
        ("folder", _STRING),
        ("message_id", _STRING),
        ("subject", _STRING),
        ("detail", _STRING),
    ]
)
"""One row for each thing that a log says was done."""

READS = pa.schema(
    [
        ("evidence_id", _STRING),
        ("source_path", _STRING),
        ("reader", _WORD),
        ("reader_version", _WORD),
        ("row_kind", _WORD),
        ("declared", pa.int64()),
        ("read", pa.int64()),
        ("failed", pa.int64()),
        ("skipped", pa.int64()),
        ("source_ref", _STRING),
        ("reason", _STRING),
        ("detail", _STRING),
    ]
)
"""The read log. ``row_kind`` is ``source`` (totals of one source), ``failed`` or ``skipped`` (one
fault; its own column says how many items it stands for), or ``note`` (counts nothing)."""

CHECKS = pa.schema(
    [
        ("item_id", _STRING),
        ("evidence_id", _STRING),
        ("check", _WORD),
        ("status", _WORD),
        ("summary", _STRING),
        ("detail", _STRING),
    ]
)
"""One row for each verdict: about a message (``item_id``), an evidence item, or the whole case."""

EVIDENCE = pa.schema(
    [
        ("evidence_id", _STRING),
        ("path", _STRING),
        ("name", _STRING),
        ("kind", _WORD),
        ("reader", _WORD),
        ("description", _STRING),
        ("custodian", _STRING),
        ("mailbox", _STRING),
        ("size", pa.int64()),
        ("file_count", pa.int64()),
        ("sha256", _STRING),
        ("md5", _STRING),
        ("acquired_at", _TIME),
        ("acquired_by", _STRING),
        ("as_of", _TIME),
        ("supersedes", _STRING),
        ("note", _STRING),
    ]
)
"""One row for each evidence item. ``kind``: file, folder, archive or image. ``as_of``: the moment
whose state a copy shows. ``supersedes``: the earlier copy of the same mailbox that this follows."""

EXPORTS = pa.schema(
    [
        ("export_id", _STRING),
        ("item_id", _STRING),
        ("form", _WORD),
        ("path", _STRING),
        ("sha256", _STRING),
        ("source_sha256", _STRING),
        ("exported_at", _TIME),
    ]
)
"""One row for each message that was written out."""

TABLES = MappingProxyType(
    {
        "messages": MESSAGES,
        "attachments": ATTACHMENTS,
        "events": EVENTS,
        "reads": READS,
        "checks": CHECKS,
        "evidence": EVIDENCE,
        "exports": EXPORTS,
    }
)
