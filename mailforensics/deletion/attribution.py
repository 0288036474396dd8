"""Who deleted a message, and when: rows in deleted states joined with the log."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mailforensics.comparison.copies import with_children
from mailforensics.comparison.frames import is_in, put, timestamp
from mailforensics.comparison.history import Event, History, read_history
from mailforensics.comparison.identity import clean_ids
from mailforensics.comparison.logged import verb_of
from mailforensics.comparison.places import (
    deleted_folders,
    mailbox_key,
    row_folders,
    same_folder,
    same_mailbox,
)
from mailforensics.schema import (
    DELETED_STATES,
    DeletedAtKind,
    DeletionState,
    Operation,
)

__all__ = ["attribute"]

_ARRIVING = frozenset({Operation.COPY, Operation.MOVE})


@dataclass(frozen=True, slots=True)
class _Row:
    """What of a deleted instance is compared with the log."""

    state: str
    mailbox: str
    folder: tuple[str, ...]
    after: pd.Timestamp | None
    until: pd.Timestamp | None

    @property
    def is_same_instance(self) -> bool:
        """Whether the log speaks of this instance: what is carved may come from anywhere."""
        return self.state != DeletionState.CARVED or bool(self.mailbox)

    def fits(self, event: Event) -> bool:
        """Say whether an event can be about this mailbox, in the time that is open."""
        if self.mailbox and event.mailbox and not same_mailbox(self.mailbox, event.mailbox):
            return False
        if self.after is not None and event.at <= self.after:
            return False
        return self.until is None or event.at <= self.until


class _Finding(NamedTuple):
    """What the log says of an instance, and whether its time is the time of this instance."""

    event: Event
    before: Event | None
    dates: bool


def attribute(
    messages: pd.DataFrame, events: pd.DataFrame, evidence: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Add to deleted instances what the log says about when and by whom.

    Joined by Message-ID, by mailbox where both name one by address or user, and by folder where
    both know it. For what an earlier copy has and a later one lacks, only events between the two
    count. ``deleted_at`` becomes exact unless the store itself knows it exactly; the log line
    is added to ``deletion_basis`` once.
    """
    if not len(events) or not len(messages):
        return messages
    history = read_history(events, deleted_folders(messages))
    ids = clean_ids(messages["message_id"])
    mask = is_in(messages["deletion_state"], frozenset(map(str, DELETED_STATES)))
    mask = mask & messages["parent_item_id"].isna().to_numpy(dtype=bool)
    mask &= is_in(ids, frozenset(history.of)) | _in_removed_folder(messages, history)
    if evidence is None:
        # When the earlier copy was made is not known here; assess has joined these.
        mask &= ~is_in(messages["deletion_state"], [DeletionState.ABSENT_LATER])
    found: dict[int, _Finding] = {}
    at = np.flatnonzero(mask)
    known = _log_mailboxes(history)
    for row, message_id, facts in zip(
        at.tolist(), ids.iloc[at], _facts(messages.iloc[at], evidence, known), strict=True
    ):
        about = [] if pd.isna(message_id) else history.of.get(message_id, [])
        event, before = _deciding(facts, about, history)
        if event is not None:
            found[row] = _Finding(event, before, facts.is_same_instance)
    return with_children(_written(messages, found, history)) if found else messages


def _in_removed_folder(messages: pd.DataFrame, history: History) -> Any:
    if not history.folders:
        return np.zeros(len(messages), dtype=bool)
    return is_in(messages["deletion_state"], [DeletionState.ABSENT_LATER])


def _log_mailboxes(history: History) -> set[str]:
    boxes = {event.mailbox.partition("@")[0] for group in history.of.values() for event in group}
    return boxes | {mailbox.partition("@")[0] for mailbox, _ in history.folders}


def _facts(rows: pd.DataFrame, evidence: pd.DataFrame | None, known: set[str]) -> list[_Row]:
    """Gather the facts of each row; a mailbox name that is no user's is as good as none."""
    as_of: dict[str, pd.Timestamp | None] = {}
    if evidence is not None:
        pairs = zip(evidence["evidence_id"], evidence["as_of"], strict=True)
        as_of = {name: timestamp(moment) for name, moment in pairs}
    columns = (rows[name] for name in ("deletion_state", "mailbox", "evidence_id", "deleted_at"))
    facts = []
    for folder, state, mailbox, evidence_id, until in zip(row_folders(rows), *columns, strict=True):
        box = mailbox_key(None if pd.isna(mailbox) else mailbox)
        if "@" not in box and box not in known:
            box = ""
        between = state == DeletionState.ABSENT_LATER
        after = as_of.get(evidence_id) if between else None
        facts.append(_Row(state, box, folder, after, timestamp(until) if between else None))
    return facts


def _deciding(row: _Row, about: list[Event], history: History) -> tuple[Event | None, Event | None]:
    """Return the event that deleted an instance, and the copy to deleted mail before it."""
    fitting = [event for event in about if row.fits(event)]
    here = [event for event in fitting if same_folder(event.folder, row.folder)]
    if not row.mailbox and len({event.mailbox for event in here}) > 1:
        return None, None  # Whose deletion this is cannot be told.
    if row.state == DeletionState.IN_DELETED_FOLDER:
        event = _last(here, _ARRIVING) or _last(
            [each for each in fitting if not same_folder(each.folder, row.folder)],
            {Operation.EXPUNGE},
        )
        return event, None
    if row.state == DeletionState.MARKED_DELETED:
        return _last(here, {Operation.MARK_DELETED}), None
    event = _last(here, {Operation.EXPUNGE}) or _last(here, {Operation.MARK_DELETED})
    if event is None:
        event = _removed_folder(row, history)
    trash = [
        each
        for each in fitting
        if event is not None
        and history.holds_deleted(each.folder)
        and each.folder != event.folder
        and each.at <= event.at
    ]
    return event, _last(trash, _ARRIVING)


def _last(events: list[Event], operations: frozenset[Operation] | set[Operation]) -> Event | None:
    return next((each for each in reversed(events) if each.operation in operations), None)


def _removed_folder(row: _Row, history: History) -> Event | None:
    """Return the removal of the folder in which a message lay, if mailbox and folder are sure."""
    if row.state != DeletionState.ABSENT_LATER or not row.mailbox or not row.folder:
        return None
    fitting = [
        event
        for (_, folder), event in history.folders.items()
        if folder and row.folder[: len(folder)] == folder and row.fits(event)
    ]
    return max(fitting, key=lambda event: event.order, default=None)


def _written(
    messages: pd.DataFrame,
    found: dict[int, _Finding],
    history: History,
) -> pd.DataFrame:
    result = messages.copy()
    rows = sorted(found)
    mask = np.zeros(len(result), dtype=bool)
    mask[rows] = True
    old = result["deletion_basis"].iloc[rows]
    texts = [
        _with_log("" if pd.isna(basis) else basis, found[row], history)
        for row, basis in zip(rows, old, strict=True)
    ]
    put(result, "deletion_basis", mask, texts)
    mask[[row for row in rows if not found[row].dates]] = False
    unknown = mask & result["deleted_by"].isna().to_numpy(dtype=bool)
    people = [found[row].event.who for row in np.flatnonzero(unknown).tolist()]
    put(result, "deleted_by", unknown, people)
    mask &= ~is_in(result["deleted_at_kind"], [DeletedAtKind.EXACT])
    times = [found[row].event.at for row in np.flatnonzero(mask).tolist()]
    put(result, "deleted_at", mask, times)
    put(result, "deleted_at_kind", mask, [str(DeletedAtKind.EXACT)] * len(times))
    return result


def _with_log(basis: str, finding: _Finding, history: History) -> str:
    event, before = finding.event, finding.before
    sentences = [event.sentence(verb_of(event, history))]
    if before is not None:
        sentences.append(f"Before: {before.sentence(verb_of(before, history))}")
    new = [sentence for sentence in sentences if sentence not in basis]
    return " ".join([basis, *new]).strip()
