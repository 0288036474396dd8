"""The list of deleted messages, as a person reads it."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mailforensics.comparison.frames import Codes, Mask, is_in
from mailforensics.comparison.identity import same_as
from mailforensics.comparison.places import Holders, mailbox_keys
from mailforensics.deletion.attribution import attribute
from mailforensics.schema import DELETED_STATES, Completeness, DeletionState, RawKind

__all__ = ["EXTRA_COLUMNS", "WAYS_BACK", "deleted_messages"]

WAYS_BACK = ("whole", "in part", "traces only")
"""Values of ``can_come_back``, the best first."""

EXTRA_COLUMNS = {
    "same_as": "Equal for all instances of one message.",
    "copies": "How many instances of the message there are, deleted or not.",
    "best": "Whether this is the instance to give back; one of each message.",
    "still_live": "Whether every deleted instance of the message has a live one beside it.",
    "live_elsewhere": "Whether another person's mailbox still has it.",
    "can_come_back": "What can be given back of this instance: whole, in part, or traces only.",
}
"""Columns that :func:`deleted_messages` adds to those of the messages table."""


def deleted_messages(messages: pd.DataFrame, events: pd.DataFrame | None = None) -> pd.DataFrame:
    """Return the deleted instances, newest first.

    Messages that are carried inside another message come with that one and are not listed.

    Parameters
    ----------
    messages : DataFrame
        The messages of the case, as :func:`~mailforensics.deletion.assess` returns them.
    events : DataFrame, optional
        The log; who and when are joined unless that was done already.

    Returns
    -------
    DataFrame
        Rows of the messages table in a deleted state with the columns of :data:`EXTRA_COLUMNS`.
        ``deleted[deleted["best"] & ~deleted["still_live"]]`` are the deleted messages, each once:
        the number that :func:`~mailforensics.deletion.summary` gives.
    """
    frame = messages.reset_index(drop=True)
    if events is not None:
        frame = attribute(frame, events)
    frame = frame[frame["parent_item_id"].isna().to_numpy(dtype=bool)].reset_index(drop=True)
    deleted = is_in(frame["deletion_state"], frozenset(map(str, DELETED_STATES)))
    named = same_as(frame)
    group, _ = pd.factorize(named)
    frame = frame.assign(same_as=named, copies=np.bincount(group)[group] if len(group) else group)
    mine, others = _whereabouts(frame, group.astype(np.int64))
    frame = frame.assign(still_live=mine, live_elsewhere=others)
    result = frame[deleted].reset_index(drop=True)
    result["can_come_back"] = pd.Series(
        [WAYS_BACK[rank] for rank in _rank(result)], dtype=messages["item_id"].dtype
    )
    lost = result.groupby("same_as")["still_live"].transform("all")
    result["still_live"] = lost.astype(bool)
    result["best"] = _best(result)
    order = ["sent_at", "item_id"]
    result = result.sort_values(order, ascending=[False, True], na_position="last", kind="stable")
    return result[[*messages.columns, *EXTRA_COLUMNS]].reset_index(drop=True)


def _whereabouts(frame: pd.DataFrame, group: Codes) -> tuple[Mask, Mask]:
    """Say which messages are live in the same person's mailbox, and which with others."""
    live = is_in(frame["deletion_state"], [DeletionState.LIVE])
    person, _ = pd.factorize(frame["custodian"].fillna(""))
    holders = Holders(group, person.astype(np.int64), mailbox_keys(frame["mailbox"]))
    mine = holders.counts(live)
    return mine > 0, holders.all_counts(live) > mine


def _rank(rows: pd.DataFrame) -> Codes:
    """Return the place in :data:`WAYS_BACK` of each row."""
    metadata = is_in(rows["completeness"], [Completeness.METADATA_ONLY])
    gone = is_in(rows["raw_kind"], [RawKind.NONE]) | rows["raw_kind"].isna().to_numpy(dtype=bool)
    complete = is_in(rows["completeness"], [Completeness.COMPLETE])
    kept = is_in(rows["raw_kind"], [RawKind.ORIGINAL, RawKind.REBUILT_FROM_MAPI])
    return np.where(metadata | gone, 2, np.where(complete & kept, 0, 1)).astype(np.int64)


def _best(rows: pd.DataFrame) -> pd.Series:
    """Choose one instance of each message: the most that can come back, the closest to original."""
    ranks = pd.DataFrame(
        {
            "same_as": rows["same_as"],
            "way": _rank(rows),
            "completeness": _places(rows["completeness"], tuple(Completeness)),
            "raw": _places(rows["raw_kind"], tuple(RawKind)),
            "state": _places(rows["deletion_state"], tuple(DeletionState)),
            "item_id": rows["item_id"],
        }
    )
    ordered = ranks.sort_values(["way", "completeness", "raw", "state", "item_id"], kind="stable")
    best = ordered.drop_duplicates("same_as").index
    return pd.Series(rows.index.isin(best), index=rows.index)


def _places(column: pd.Series, order: tuple[str, ...]) -> Codes:
    places = {str(value): place for place, value in enumerate(order)}
    return np.array([places.get(value, len(places)) for value in column.fillna("")], dtype=np.int64)
