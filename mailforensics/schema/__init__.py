"""The tables, their vocabularies, and the records that readers yield.

A table is a :class:`pyarrow.Schema`; a vocabulary is a :class:`enum.StrEnum` whose members are
the only values its column may hold; a record is what a reader yields, one for each message
instance or log event. :func:`message_table` and its sisters turn records into tables.
"""

from __future__ import annotations

from mailforensics.schema.building import (
    attachment_table,
    check_table,
    empty_table,
    event_table,
    item_id,
    message_table,
    table_of,
)
from mailforensics.schema.records import (
    AttachmentRecord,
    EventRecord,
    MessageRecord,
    ReadRow,
    Record,
)
from mailforensics.schema.tables import (
    ATTACHMENTS,
    CHECKS,
    EVENTS,
    EVIDENCE,
    EXPORTS,
    MESSAGES,
    READS,
    TABLES,
)
from mailforensics.schema.vocabulary import (
    DEFECTS,
    DELETED_STATES,
    CheckStatus,
    Completeness,
    Confidence,
    DateSource,
    DeletedAtKind,
    DeletionState,
    FolderRole,
    Operation,
    RawKind,
)

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
