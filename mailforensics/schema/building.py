"""Records -> tables, held to their schemas."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import fields
from operator import attrgetter
from typing import Any

import pyarrow as pa

from mailforensics.errors import SchemaError
from mailforensics.schema.records import EventRecord, MessageRecord
from mailforensics.schema.tables import ATTACHMENTS, CHECKS, EVENTS, MESSAGES

__all__ = [
    "attachment_table",
    "check_table",
    "empty_table",
    "event_table",
    "item_id",
    "message_table",
    "table_of",
]


def item_id(evidence_sha256: str, source_path: str, source_ref: str) -> str:
    """Return the id of an item: the same evidence gives the same id on every machine.

    Returns
    -------
    str
        32 hexadecimal digits: the first 128 bits of a SHA-256.
    """
    text = f"{evidence_sha256}\0{source_path}\0{source_ref}"
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()[:32]


def empty_table(schema: pa.Schema) -> pa.Table:
    """Return a table of that schema without rows."""
    return schema.empty_table()


def table_of(schema: pa.Schema, columns: dict[str, Sequence[Any]]) -> pa.Table:
    """Build a table from columns of Python values, held to its schema.

    Raises
    ------
    SchemaError
        A column is missing, unknown, or its values do not fit.
    """
    if set(columns) != set(schema.names):
        odd = sorted(set(columns) ^ set(schema.names))
        raise SchemaError(f"These columns are missing or unknown: {', '.join(odd)}")
    try:
        arrays = [_array(columns[entry.name], entry.type) for entry in schema]
    except (pa.ArrowInvalid, pa.ArrowTypeError, OverflowError) as error:
        raise SchemaError(f"A value does not fit its column: {error}") from error
    return pa.Table.from_arrays(arrays, schema=schema)


def _array(values: Sequence[Any], kind: pa.DataType) -> pa.Array[Any]:
    try:
        return pa.array(values, kind)
    except UnicodeEncodeError:
        return pa.array(_clean(values, kind), kind)


def _clean(values: Sequence[Any], kind: pa.DataType) -> Sequence[Any]:
    """Replace lone surrogates, which UTF-8 and so Arrow cannot hold."""
    if pa.types.is_string(kind) or pa.types.is_dictionary(kind):
        return [_text(value) for value in values]
    if pa.types.is_list(kind):
        return [None if value is None else [_text(part) for part in value] for value in values]
    return values


def _text(value: str | None) -> str | None:
    if value is None or value.isascii():
        return value
    return value.encode("utf-8", "replace").decode("utf-8")


_COPIED = tuple(
    entry.name
    for entry in fields(MessageRecord)
    if entry.name in MESSAGES.names and entry.name != "parent_item_id"
)
_copied = attrgetter(*_COPIED)


Spread = str | Sequence[str]
"""One value for all records, or one for each."""


def _spread(value: Spread, count: int) -> Sequence[str]:
    return [value] * count if isinstance(value, str) else value


def _item_ids(
    records: Sequence[MessageRecord | EventRecord], evidence_sha256: str, source_path: Spread
) -> list[str]:
    paths = _spread(source_path, len(records))
    return [
        item_id(evidence_sha256, path, record.source_ref)
        for record, path in zip(records, paths, strict=True)
    ]


def message_table(
    records: Sequence[MessageRecord],
    *,
    evidence_id: str,
    evidence_sha256: str,
    custodian: str,
    reader: Spread,
    reader_version: Spread,
    source_path: Spread,
    owners: Sequence[str] | None = None,
) -> pa.Table:
    """Turn message records into rows of :data:`MESSAGES`.

    ``reader``, ``reader_version`` and ``source_path`` are one value, or one for each record;
    ``owners`` are the ids of the records, where they are known already.
    """
    count = len(records)
    paths = _spread(source_path, count)
    copied = zip(*map(_copied, records), strict=True) if records else [()] * len(_COPIED)
    columns: dict[str, Sequence[Any]] = dict(zip(_COPIED, copied, strict=True))
    columns["item_id"] = owners or _item_ids(records, evidence_sha256, paths)
    columns["parent_item_id"] = [
        None if record.parent_ref is None else item_id(evidence_sha256, path, record.parent_ref)
        for record, path in zip(records, paths, strict=True)
    ]
    columns["attachment_count"] = [len(record.attachments) for record in records]
    for name, value in (
        ("evidence_id", evidence_id),
        ("custodian", custodian),
        ("reader", reader),
        ("reader_version", reader_version),
        ("source_path", paths),
    ):
        columns[name] = _spread(value, count)
    return table_of(MESSAGES, columns)


def attachment_table(
    records: Sequence[MessageRecord],
    *,
    evidence_sha256: str,
    source_path: Spread,
    owners: Sequence[str] | None = None,
) -> pa.Table:
    """Turn the attachments of message records into rows of :data:`ATTACHMENTS`.

    ``owners`` are the ids of the records, where they are known already.
    """
    owners = owners or _item_ids(records, evidence_sha256, source_path)
    pairs = [
        (owner, attachment)
        for owner, record in zip(owners, records, strict=True)
        for attachment in record.attachments
    ]
    columns: dict[str, Sequence[Any]] = {
        name: [getattr(attachment, name) for _, attachment in pairs]
        for name in ATTACHMENTS.names
        if name != "item_id"
    }
    columns["item_id"] = [owner for owner, _ in pairs]
    return table_of(ATTACHMENTS, columns)


def event_table(
    records: Sequence[EventRecord],
    *,
    evidence_id: str,
    evidence_sha256: str,
    source_path: Spread,
) -> pa.Table:
    """Turn event records into rows of :data:`EVENTS`."""
    columns: dict[str, Sequence[Any]] = {
        name: [getattr(record, name) for record in records]
        for name in EVENTS.names
        if name not in {"event_id", "evidence_id"}
    }
    columns["event_id"] = _item_ids(records, evidence_sha256, source_path)
    columns["evidence_id"] = [evidence_id] * len(records)
    return table_of(EVENTS, columns)


def check_table(rows: Iterable[dict[str, Any]]) -> pa.Table:
    """Turn verdicts (dicts with the columns of :data:`CHECKS`) into a table."""
    listed = list(rows)
    return table_of(CHECKS, {name: [row.get(name) for row in listed] for name in CHECKS.names})
