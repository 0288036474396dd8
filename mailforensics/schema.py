"""The tables, their vocabularies, and the records that readers yield.

A table is a :class:`pyarrow.Schema`; a vocabulary is a :class:`enum.StrEnum` whose members are
the only values its column may hold; a record is what a reader yields, one for each message
instance or log event. :func:`message_table` and its sisters turn records into tables.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from datetime import datetime
from enum import StrEnum
from operator import attrgetter
from types import MappingProxyType
from typing import Any

import pyarrow as pa

from mailforensics.errors import SchemaError

__all__ = [
    "ATTACHMENTS",
    "CHECKS",
    "DEFECTS",
    "DELETED_STATES",
    "EVENTS",
    "EVIDENCE",
    "EXPORTS",
    "MESSAGES",
    "READS",
    "TABLES",
    "AttachmentRecord",
    "CheckStatus",
    "Completeness",
    "Confidence",
    "DateSource",
    "DeletedAtKind",
    "DeletionState",
    "EventRecord",
    "FolderRole",
    "MessageRecord",
    "Operation",
    "RawKind",
    "ReadRow",
    "Record",
    "attachment_table",
    "check_table",
    "empty_table",
    "event_table",
    "item_id",
    "message_table",
    "table_of",
]


class DeletionState(StrEnum):
    """Where a message instance stands between here and gone."""

    LIVE = "live"
    IN_DELETED_FOLDER = "in_deleted_folder"
    MARKED_DELETED = "marked_deleted"
    RECOVERABLE = "recoverable"
    ORPHANED = "orphaned"
    CARVED = "carved"
    ABSENT_LATER = "absent_later"
    KNOWN_ONLY = "known_only"


DELETED_STATES = frozenset(DeletionState) - {DeletionState.LIVE}


class Confidence(StrEnum):
    """How sure a statement about deletion is."""

    CERTAIN = "certain"
    PROBABLE = "probable"
    POSSIBLE = "possible"


class Completeness(StrEnum):
    """How much of a message is there."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    HEADERS_ONLY = "headers_only"
    METADATA_ONLY = "metadata_only"


class RawKind(StrEnum):
    """What ``case.raw(item_id)`` gives."""

    ORIGINAL = "original"
    REBUILT_FROM_MAPI = "rebuilt_from_mapi"
    FRAGMENT = "fragment"
    NONE = "none"


class FolderRole(StrEnum):
    """What a folder is for, whatever its name and language."""

    INBOX = "inbox"
    SENT = "sent"
    DRAFTS = "drafts"
    DELETED = "deleted"
    JUNK = "junk"
    ARCHIVE = "archive"
    RECOVERABLE = "recoverable"
    OTHER = "other"


class DateSource(StrEnum):
    """Where ``sent_at`` was taken from."""

    DATE_HEADER = "date_header"
    CLIENT_SUBMIT_TIME = "PidTagClientSubmitTime"
    DELIVERY_TIME = "PidTagMessageDeliveryTime"
    RECEIVED_HEADER = "received_header"
    NONE = "none"


class DeletedAtKind(StrEnum):
    """How ``deleted_at`` is to be read."""

    EXACT = "exact"
    NOT_BEFORE = "not_before"
    NOT_AFTER = "not_after"
    BETWEEN = "between"


class CheckStatus(StrEnum):
    """The verdict of a check."""

    PASS = "pass"  # noqa: S105 - a verdict, no password
    FAIL = "fail"
    WARN = "warn"
    NOT_APPLICABLE = "not_applicable"


class Operation(StrEnum):
    """What a log line says was done to a message or a folder."""

    LOGIN = "login"
    LOGOUT = "logout"
    SAVE = "save"
    DELIVER = "deliver"
    COPY = "copy"
    MOVE = "move"
    MARK_DELETED = "mark_deleted"
    UNMARK_DELETED = "unmark_deleted"
    EXPUNGE = "expunge"
    FLAG_CHANGE = "flag_change"
    FOLDER_CREATE = "folder_create"
    FOLDER_DELETE = "folder_delete"
    FOLDER_RENAME = "folder_rename"
    SESSION_SUMMARY = "session_summary"
    OTHER = "other"


DEFECTS = MappingProxyType(
    {
        "no_headers": "The store keeps no Internet headers for this message.",
        "headers_built": "The headers are built from stored properties; the originals are missing.",
        "bad_header_line": "A line among the headers is no header line.",
        "raw_8bit_header": "A header holds bytes outside ASCII without saying their character set.",
        "bad_encoded_word": "An encoded word in a header could not be decoded.",
        "duplicate_header": "A header that may stand once stands more than once; the first counts.",
        "no_date": "There is no Date header.",
        "bad_date": "The Date header cannot be read as a date.",
        "no_message_id": "There is no Message-ID header.",
        "no_from": "There is no From header.",
        "charset_unknown": "The named character set is not known; another was tried.",
        "charset_mismatch": "The bytes do not fit the named character set; one that fits was used.",
        "charset_guessed": "No character set is named; one was chosen by the bytes.",
        "undecodable_text": "Some bytes fit no character set; they are shown as replacement signs.",
        "boundary_missing": "The multipart type names no boundary.",
        "boundary_not_found": "The named boundary does not occur in the message.",
        "boundary_not_closed": "The closing boundary is missing: the end may be cut off.",
        "base64_truncated": "A base64 part does not end on a whole group: bytes are missing.",
        "base64_garbage": "A base64 part holds signs that do not belong there.",
        "unknown_transfer_encoding": "A part names a transfer encoding that is not known.",
        "too_deep": "Parts are nested deeper than is sensible; the innermost were not opened.",
        "too_many_parts": "There are more parts than is sensible; the last were not opened.",
        "no_body": "There are headers but no body.",
        "truncated_start": "The beginning is missing.",
        "truncated_end": "The end is missing.",
        "size_mismatch": "The stored size differs from the size that the store declares.",
        "attachment_missing": "An attachment is named but its bytes are not there.",
        "attachment_unreadable": "An attachment is there but could not be read.",
        "recipients_missing": "The list of recipients is not there.",
        "body_unreadable": "The body is there but could not be read.",
        "rtf_undecodable": "The body is RTF that could not be unpacked.",
        "property_unreadable": "A stored property could not be read.",
        "checksum_failed": "A checksum of the store does not agree: some bytes may be damaged.",
        "not_mail": "This item is no mail (an appointment, contact, task or note).",
        "end_undecided": "The end was found by content alone; a few bytes after it may not belong.",
        "line_ends_unknown": "The store changed line ends; the original ones are not known.",
        "from_quoting_undone": "The store had quoted lines that begin with From; this was undone.",
        "from_quoting_ambiguous": "Lines that begin with >From may be the writer's or the store's.",
        "reply_only": "Known only because another message answers or cites it.",
        "index_only": "Known only because an index of the store lists it.",
    }
)
"""Codes of the ``defects`` column -> what each means, in words for the person who reads."""

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


@dataclass(slots=True, kw_only=True)
class AttachmentRecord:
    """One attachment; see :data:`ATTACHMENTS`. ``position`` counts from 1 in the order of parts."""

    position: int
    name: str | None = None
    media_type: str | None = None
    size: int | None = None
    sha256: str | None = None
    content_id: str | None = None
    inline: bool = False


@dataclass(slots=True, kw_only=True)
class MessageRecord:
    """One message instance as a reader found it; see :data:`MESSAGES` for the columns.

    Times are aware :class:`~datetime.datetime` in UTC or None, never a stand-in. ``parent_ref``
    is the ``source_ref`` of the message that carries this one. ``attachments`` and ``text`` do
    not enter the messages table: they feed the attachments table and the search index.
    """

    source_ref: str
    raw_kind: RawKind = RawKind.ORIGINAL
    source_offset: int | None = None
    source_length: int | None = None
    parent_ref: str | None = None
    sha256: str | None = None
    size: int | None = None
    content_key: str | None = None
    mailbox: str | None = None
    folder: str | None = None
    folder_role: FolderRole | None = None
    message_class: str | None = "message/rfc822"
    message_id: str | None = None
    in_reply_to: str | None = None
    references: list[str] = field(default_factory=list)
    subject: str | None = None
    from_name: str | None = None
    from_addr: str | None = None
    sender_addr: str | None = None
    to_addrs: list[str] = field(default_factory=list)
    cc_addrs: list[str] = field(default_factory=list)
    bcc_addrs: list[str] = field(default_factory=list)
    date_header: str | None = None
    sent_at: datetime | None = None
    received_at: datetime | None = None
    stored_at: datetime | None = None
    modified_at: datetime | None = None
    sent_offset_min: int | None = None
    date_source: DateSource = DateSource.NONE
    charset_declared: str | None = None
    charset_used: str | None = None
    has_body: bool | None = None
    is_read: bool | None = None
    flags: list[str] = field(default_factory=list)
    deletion_state: DeletionState = DeletionState.LIVE
    deletion_basis: str | None = None
    confidence: Confidence | None = None
    deleted_at: datetime | None = None
    deleted_at_kind: DeletedAtKind | None = None
    deleted_by: str | None = None
    completeness: Completeness = Completeness.COMPLETE
    defects: list[str] = field(default_factory=list)
    attachments: list[AttachmentRecord] = field(default_factory=list)
    text: str = ""


@dataclass(slots=True, kw_only=True)
class EventRecord:
    """One thing that a log says was done; see :data:`EVENTS`."""

    source_ref: str
    at: datetime | None
    operation: Operation
    actor: str | None = None
    client_ip: str | None = None
    mailbox: str | None = None
    folder: str | None = None
    message_id: str | None = None
    subject: str | None = None
    detail: str | None = None


Record = MessageRecord | EventRecord


@dataclass(slots=True, kw_only=True)
class ReadRow:
    """One row of the read log; see :data:`READS`."""

    row_kind: str
    declared: int | None = None
    read: int | None = None
    failed: int | None = None
    skipped: int | None = None
    source_ref: str | None = None
    reason: str | None = None
    detail: str | None = None


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
