"""Messages that only a log tells of."""

from __future__ import annotations

import re
from typing import Any

import pandas as pd

from mailforensics._version import __version__
from mailforensics.comparison.frames import is_in, message_rows
from mailforensics.comparison.history import Event, Fate, History, fates_of, read_history
from mailforensics.comparison.identity import clean_ids
from mailforensics.comparison.places import (
    deleted_folders,
    is_draft,
    mailbox_key,
    same_mailbox,
)
from mailforensics.schema import (
    Completeness,
    Confidence,
    DeletedAtKind,
    DeletionState,
    Operation,
    RawKind,
    item_id,
)

__all__ = ["known_from_events", "verb_of"]

_FROM = re.compile(r"(?:^|; )from (?:([^<>;]{0,200}?) ?)?<?([^\s<>;]+@[^\s<>;]+?)>?(?:;|$)")


def verb_of(event: Event, history: History) -> str:
    """Say what an event did, to stand before the name of the folder."""
    if event.operation == Operation.EXPUNGE:
        return "removed for good from"
    if event.operation == Operation.MARK_DELETED:
        return "marked as deleted in"
    if event.operation == Operation.FOLDER_DELETE:
        return "removed with the whole folder"
    verb = "moved" if event.operation == Operation.MOVE else "copied"
    return f"{verb} among the deleted mail, to" if history.holds_deleted(event.folder) else verb


def known_from_events(
    messages: pd.DataFrame, events: pd.DataFrame, *, evidence: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Return rows for messages that the log shows to have been removed and that nobody has.

    A copy to another folder and a removal is a move: such a message is not deleted, whether or not
    a copy of the mailbox holds it.

    Parameters
    ----------
    messages : DataFrame
        Rows of the messages table; every Message-ID in it is known already.
    events : DataFrame
        Rows of the events table.
    evidence : DataFrame, optional
        Makes ``item_id`` the same in every case that holds this log.

    Returns
    -------
    DataFrame
        New rows of the messages table, one for each Message-ID, sorted by ``item_id``, with the
        subject as logged, and who removed it when.
    """
    history = read_history(events, deleted_folders(messages))
    known = set(clean_ids(messages["message_id"]).dropna().unique())
    people = _custodians(messages)
    hashes = _hashes(evidence)
    rows = []
    for message_id in sorted(set(history.of) - known):
        fates = fates_of(history.of[message_id], history)
        removed = [fate for fate in fates.values() if not fate.kept and fate.removal is not None]
        if removed:
            kept = sum(fate.kept for fate in fates.values())
            rows.append(
                _row(history.of[message_id], removed, kept, history, people=people, hashes=hashes)
            )
    return message_rows(sorted(rows, key=lambda row: str(row["item_id"])))


def _row(
    events: list[Event],
    removed: list[Fate],
    kept: int,
    history: History,
    *,
    people: dict[str, str],
    hashes: dict[str, str],
) -> dict[str, Any]:
    fate = max(removed, key=lambda each: each.removal.order if each.removal else events[0].order)
    removal = fate.removal
    assert removal is not None
    message_id = f"<{events[0].message_id}>"
    ref = f"logged:{message_id}"
    arrived = [each for each in events if each.operation in {Operation.SAVE, Operation.DELIVER}]
    name, address = _sender(events)
    return {
        "item_id": item_id(hashes.get(removal.evidence_id, removal.evidence_id), "", ref),
        "evidence_id": removal.evidence_id,
        "custodian": _custodian(removal, people),
        "mailbox": removal.mailbox_name,
        "folder": removal.folder_name,
        "reader": "events",
        "reader_version": __version__,
        "source_path": "",
        "source_ref": ref,
        "raw_kind": str(RawKind.NONE),
        "message_id": message_id,
        "subject": next((each.subject for each in events if each.subject), None),
        "from_name": name,
        "from_addr": address,
        "stored_at": arrived[0].at if arrived else None,
        "date_source": "none",
        "deletion_state": str(DeletionState.KNOWN_ONLY),
        "deletion_basis": _basis(fate, removal, history, others=len(removed) - 1, kept=kept),
        "confidence": str(_confidence(removal)),
        "deleted_at": removal.at,
        "deleted_at_kind": str(DeletedAtKind.EXACT),
        "deleted_by": removal.who,
        "completeness": str(Completeness.METADATA_ONLY),
    }


def _basis(fate: Fate, removal: Event, history: History, *, others: int, kept: int) -> str:
    text = f"No copy holds it. {removal.sentence(verb_of(removal, history))}"
    if fate.trashed is not None:
        text += f" Before: {fate.trashed.sentence(verb_of(fate.trashed, history))}"
    if others:
        more = "another mailbox" if others == 1 else f"{others} other mailboxes"
        text += f" It was removed from {more} too."
    if kept:
        more = "another mailbox" if kept == 1 else f"{kept} other mailboxes"
        text += f" By the log it is still in {more}."
    if is_draft(removal.folder):
        text += " It lay among the drafts: a newer draft may have replaced it."
    return text


def _confidence(removal: Event) -> Confidence:
    if is_draft(removal.folder):
        return Confidence.POSSIBLE
    certain = removal.operation in {Operation.EXPUNGE, Operation.FOLDER_DELETE}
    return Confidence.CERTAIN if certain else Confidence.PROBABLE


def _sender(events: list[Event]) -> tuple[str | None, str | None]:
    for event in events:
        found = _FROM.search(event.detail or "")
        if found is not None:
            return (found[1] or "").strip(' "') or None, found[2]
    return None, None


def _custodians(messages: pd.DataFrame) -> dict[str, str]:
    """Return mailbox key -> whose it is, where the copies of that mailbox agree."""
    pairs = messages[["mailbox", "custodian"]].dropna().drop_duplicates()
    pairs = pairs[~is_in(pairs["custodian"], [""])]
    found: dict[str, set[str]] = {}
    for mailbox, custodian in zip(pairs["mailbox"], pairs["custodian"], strict=True):
        found.setdefault(mailbox_key(mailbox), set()).add(custodian)
    return {box: next(iter(people)) for box, people in found.items() if len(people) == 1 and box}


def _custodian(event: Event, people: dict[str, str]) -> str | None:
    if not event.mailbox:
        return None
    if event.mailbox in people:
        return people[event.mailbox]
    fitting = {who for box, who in people.items() if same_mailbox(box, event.mailbox)}
    return next(iter(fitting)) if len(fitting) == 1 else None


def _hashes(evidence: pd.DataFrame | None) -> dict[str, str]:
    if evidence is None:
        return {}
    pairs = zip(evidence["evidence_id"], evidence["sha256"], strict=True)
    return {name: digest for name, digest in pairs if not pd.isna(digest)}
