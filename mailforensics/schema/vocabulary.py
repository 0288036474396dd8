"""The words that a column may hold, and what each defect code means."""

from __future__ import annotations

from enum import StrEnum
from types import MappingProxyType

__all__ = [
    "DEFECTS",
    "DELETED_STATES",
    "CheckStatus",
    "Completeness",
    "Confidence",
    "DateSource",
    "DeletedAtKind",
    "DeletionState",
    "FolderRole",
    "Operation",
    "RawKind",
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
