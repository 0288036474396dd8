"""Messages that a copy still shows and that the log shows to have been removed since."""

from __future__ import annotations

from collections import Counter, defaultdict
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from mailforensics.comparison.copies import Copy, Succession, with_children
from mailforensics.comparison.frames import Mask, is_in, put
from mailforensics.comparison.history import Event, Fate, History, fate_of, read_history
from mailforensics.comparison.identity import clean_ids
from mailforensics.comparison.logged import verb_of
from mailforensics.comparison.places import (
    deleted_folders,
    mailbox_keys,
    row_folders,
    same_mailbox,
)
from mailforensics.schema import Confidence, DeletedAtKind, DeletionState

__all__ = ["removed_afterwards"]

FolderKey = tuple[str, ...]

_SHOWN = (
    DeletionState.LIVE,
    DeletionState.IN_DELETED_FOLDER,
    DeletionState.MARKED_DELETED,
)


class _Place(NamedTuple):
    message_id: str
    evidence_id: str
    mailbox: str


def removed_afterwards(
    messages: pd.DataFrame, events: pd.DataFrame, evidence: pd.DataFrame
) -> pd.DataFrame:
    """Mark live messages that the log shows to have been removed after their copy was made.

    A copy shows a moment; the log goes on. Only events of the same mailbox, by name, after the
    copy's ``as_of`` count; a message that was moved, of which one of several copies was removed,
    or that a copy made after the removal shows, stays live.
    """
    if not len(events):
        return messages
    history = read_history(events, deleted_folders(messages))
    copies = Succession(evidence, set()).copies
    ids = clean_ids(messages["message_id"])
    boxes = mailbox_keys(messages["mailbox"])
    rows = _candidates(messages, ids, boxes, history)
    folders = row_folders(messages.iloc[rows])
    places: defaultdict[_Place, list[int]] = defaultdict(list)
    start: defaultdict[_Place, Counter[FolderKey]] = defaultdict(Counter)
    live = is_in(messages["deletion_state"], [DeletionState.LIVE])
    names = messages["evidence_id"]
    for row, folder in zip(rows.tolist(), folders, strict=True):
        place = _Place(ids.iloc[row], names.iloc[row], boxes.iloc[row])
        start[place][folder] += 1
        if live[row]:
            places[place].append(row)
    found: dict[int, tuple[Copy, Event]] = {}
    for place, members in places.items():
        removal = _removal(place, start[place], copies, history)
        if removal is not None and not _shown_later(place, removal, places, copies):
            found |= dict.fromkeys(members, (copies[place.evidence_id], removal))
    return _written(messages, found, history)


def _candidates(
    messages: pd.DataFrame, ids: pd.Series, boxes: pd.Series, history: History
) -> np.ndarray[Any, np.dtype[np.int64]]:
    mask: Mask = is_in(ids, frozenset(history.of)) & is_in(messages["deletion_state"], _SHOWN)
    mask &= messages["parent_item_id"].isna().to_numpy(dtype=bool)
    mask &= (boxes != "").to_numpy(dtype=bool)
    return np.flatnonzero(mask).astype(np.int64)


def _removal(
    place: _Place, start: Counter[FolderKey], copies: dict[str, Copy], history: History
) -> Event | None:
    """Return the event that removed the last that was left of a message, if one did."""
    copy = copies.get(place.evidence_id)
    if copy is None or copy.as_of is None:
        return None
    later = [
        event
        for event in history.of[place.message_id]
        if event.mailbox and event.at > copy.as_of and same_mailbox(event.mailbox, place.mailbox)
    ]
    if not later:
        return None
    fate: Fate = fate_of(later, history, _as_logged(start, later), copy.as_of)
    return None if fate.kept else fate.removal


def _as_logged(start: Counter[FolderKey], events: list[Event]) -> Counter[FolderKey]:
    """Call folders of the copy by the names of the log, where one is the end of the other."""
    names = {event.folder for event in events}
    result: Counter[FolderKey] = Counter()
    for folder, count in start.items():
        ends = [name for name in names if name and folder[-len(name) :] == name]
        result[max(ends, key=len) if ends and folder not in names else folder] += count
    return result


def _shown_later(
    place: _Place,
    removal: Event,
    places: dict[_Place, list[int]],
    copies: dict[str, Copy],
) -> bool:
    """Say whether a copy of the same mailbox that was made after the removal has it live."""
    for evidence_id, copy in copies.items():
        other = place._replace(evidence_id=evidence_id)
        if copy.as_of is not None and copy.as_of > removal.at and places.get(other):
            return True
    return False


def _written(
    messages: pd.DataFrame, found: dict[int, tuple[Copy, Event]], history: History
) -> pd.DataFrame:
    if not found:
        return messages
    rows = sorted(found)
    mask = np.zeros(len(messages), dtype=bool)
    mask[rows] = True
    names = messages["folder"].fillna("")
    texts = []
    for row in rows:
        copy, event = found[row]
        folder = f", folder {names.iloc[row]}" if names.iloc[row] else ""
        texts.append(f"In {copy.text}{folder}. {event.sentence(verb_of(event, history))}")
    result = messages.copy()
    put(result, "deletion_state", mask, [str(DeletionState.ABSENT_LATER)] * len(rows))
    put(result, "deletion_basis", mask, texts)
    put(result, "confidence", mask, [str(Confidence.PROBABLE)] * len(rows))
    put(result, "deleted_at", mask, [found[row][1].at for row in rows])
    put(result, "deleted_at_kind", mask, [str(DeletedAtKind.EXACT)] * len(rows))
    put(result, "deleted_by", mask, [found[row][1].who for row in rows])
    return with_children(result)
