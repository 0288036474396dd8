"""What a reader yields: one record for each message instance or log event."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

from mailforensics.schema.vocabulary import (
    Completeness,
    Confidence,
    DateSource,
    DeletedAtKind,
    DeletionState,
    FolderRole,
    Operation,
    RawKind,
)

__all__ = ["AttachmentRecord", "EventRecord", "MessageRecord", "ReadRow", "Record"]


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
