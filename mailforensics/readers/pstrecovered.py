"""Deleted mail of Outlook files: what recovery gives -> rows, and lines of the log."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Final

from mailforensics.errors import NoBytes
from mailforensics.mapi import MapiMessage, Tag, records
from mailforensics.pst import PstStore, to_mapi
from mailforensics.pst.amap import Allocation
from mailforensics.pst.grading import Grade
from mailforensics.pst.recovered import Origin, Recovered, Relation
from mailforensics.pst.recovery import Recovery
from mailforensics.pst.rescue import open_store
from mailforensics.readers.base import ReadLog, Source
from mailforensics.readers.folders import role_of
from mailforensics.schema import (
    Completeness,
    Confidence,
    DateSource,
    DeletionState,
    MessageRecord,
    RawKind,
)

__all__ = ["recovered_message", "recovered_rows"]

_MOST_PLACES: Final = 4
_LINKS: Final = {
    Relation.COPY: "The same message is there already; this copy of it is left over in free space.",
    Relation.EARLIER_VERSION: "An earlier state of a message is left over; it is no message more.",
}
_HIDDEN: Final = "A setting that Outlook keeps hidden (a view, a rule) is left over; it is no mail."
_ORIGINS: Final = {
    Origin.OLD_NODE: "An older list inside the file still names this message; today's does not",
    Origin.ORPHAN: "No list inside the file leads to this message any more",
    Origin.STRAY_ATTACHMENTS: (
        "No list inside the file leads to these attachments any more; the message that they came "
        "with is gone"
    ),
    Origin.STALE_ROW: (
        "A line left over in the contents list of a folder names this message; the message itself "
        "is gone"
    ),
}
_SPACE: Final = {
    Allocation.FREE: " The file marks this space as free.",
    Allocation.IN_USE: " The file marks this space as in use.",
    Allocation.MIXED: " The file marks a part of this space as free.",
    Allocation.UNKNOWN: "",
}
_DAMAGED: Final = " The lists inside this file are damaged, so it may not have been deleted."


def recovered_rows(store: PstStore, source: Source, log: ReadLog) -> Iterator[MessageRecord]:
    """Yield a row for each deleted message, and log what is linked to others or hidden.

    Parameters
    ----------
    store : PstStore
        The open store.
    source : Source
        Where it comes from.
    log : ReadLog
        Takes the counts.
    """
    recovery = Recovery(store)
    for found in recovery.items(unlisted=False):
        log.declare()
        if found.relation in _LINKS:
            log.skip(found.ref, _LINKS[found.relation], _link(found))
        elif found.is_hidden:
            log.skip(found.ref, _HIDDEN)
        else:
            yield from _rows(found, store, source)
    if recovery.gone:
        count = len(recovery.gone)
        reason = f"Older lists name {count} more messages of which nothing is left in the file."
        log.note("", reason, " ".join(f"nid:0x{nid:x}" for nid in recovery.gone[:50]))


def recovered_message(path: Path, source_ref: str) -> MapiMessage:
    """Return a recovered message again.

    Raises
    ------
    NoBytes
        The file holds no such message, or nothing but a line of a list tells of it.
    """
    if source_ref.startswith("row:"):
        raise NoBytes(
            "Only a line in a list of the file tells of this message; its bytes are gone."
        )
    state = path.stat()
    recovery = _recovery(path, state.st_mtime_ns, state.st_size)
    message = recovery.message(source_ref)
    if message is None:
        raise NoBytes(f"{path.name} holds no item {source_ref} that can be read.")
    return to_mapi(message, recovery.store.names)


@lru_cache(maxsize=2)
def _recovery(path: Path, modified: int, size: int) -> Recovery:  # noqa: ARG001 - the key
    """Look through a file once for many messages; the file stays open for them."""
    return Recovery(open_store(path))


def _link(found: Recovered) -> str:
    other = found.version_of or 0
    return f"nid:0x{other:x}" if other > 0 else f"block:0x{-other:x}"


def _rows(found: Recovered, store: PstStore, source: Source) -> list[MessageRecord]:
    if found.message is None:
        rows = [_known_only(found)]
    else:
        rows = records(to_mapi(found.message, store.names), source_ref=found.ref)
        _grade(rows[0], found)
    for row in rows:
        _mark(row, found, store, source)
    return rows


def _known_only(found: Recovered) -> MessageRecord:
    """Return what a line in a contents list tells of a message."""
    row = found.row
    record = MessageRecord(source_ref=found.ref, raw_kind=RawKind.NONE)
    record.completeness, record.defects = Completeness.METADATA_ONLY, ["index_only"]
    if row is None:
        return record
    subject = row.text(Tag.SUBJECT)
    record.subject = (subject[2:] if subject and subject[0] == "\x01" else subject) or None
    record.message_class = row.text(Tag.MESSAGE_CLASS) or "IPM.Note"
    record.from_name = row.text(Tag.SENT_REPRESENTING_NAME) or row.text(Tag.SENDER_NAME)
    record.sent_at = row.moment(Tag.CLIENT_SUBMIT_TIME)
    record.received_at = row.moment(Tag.MESSAGE_DELIVERY_TIME)
    if record.sent_at is not None:
        record.date_source = DateSource.CLIENT_SUBMIT_TIME
    return record


def _grade(row: MessageRecord, found: Recovered) -> None:
    """Let the grade of recovery overrule what the rebuilt bytes seem to be."""
    if found.grade is not Grade.COMPLETE:
        row.completeness = Completeness.PARTIAL
    if found.blocks:
        offsets = [offset for offset, _ in found.blocks]
        first, last = min(found.blocks), max(found.blocks)
        if len(set(offsets)) == 1:
            row.source_offset, row.source_length = first[0], last[1]


def _mark(row: MessageRecord, found: Recovered, store: PstStore, source: Source) -> None:
    path = "/".join(found.place.path) if found.place is not None else ""
    row.mailbox = store.name or source.mailbox or None
    row.folder, row.folder_role = path or None, role_of(path)
    row.deletion_state = DeletionState.ORPHANED
    if found.origin is Origin.STALE_ROW:
        row.deletion_state = DeletionState.KNOWN_ONLY
    row.confidence = _confidence(found)
    row.deletion_basis = _basis(found)


def _confidence(found: Recovered) -> Confidence:
    if found.relation is Relation.UNDECIDED:
        return Confidence.POSSIBLE
    return Confidence.CERTAIN if found.origin is Origin.OLD_NODE else Confidence.PROBABLE


def _basis(found: Recovered) -> str:
    """Say what shows that the message was deleted, and where."""
    text = _ORIGINS[found.origin]
    if found.page_offset is not None:
        text += f" (the older list is at offset {found.page_offset})"
    text += "."
    if found.blocks:
        shown = ", ".join(str(offset) for offset, _ in found.blocks[:_MOST_PLACES])
        more = len(found.blocks) - _MOST_PLACES
        text += f" Its bytes lie at offset {shown}"
        text += f" and {more} more." if more > 0 else "."
        text += _SPACE[found.allocation]
    if found.place is not None and found.place.deleted:
        text += " The folder that it lay in was deleted too."
    if found.missing and found.origin is not Origin.STALE_ROW:
        text += f" Missing: {', '.join(found.missing)}."
    return text + (_DAMAGED if found.relation is Relation.UNDECIDED else "")
