"""All that comparing copies, logs and answers tells, written into the messages."""

from __future__ import annotations

import pandas as pd

from mailforensics.comparison import absent_later, known_from_events, known_from_replies
from mailforensics.comparison.identity import clean_ids
from mailforensics.deletion.afterwards import removed_afterwards
from mailforensics.deletion.attribution import attribute

__all__ = ["assess"]


def assess(
    messages: pd.DataFrame,
    events: pd.DataFrame,
    evidence: pd.DataFrame,
    *,
    reads: pd.DataFrame | None = None,
) -> pd.DataFrame:
    """Return the messages with what can be said about deletion when everything is seen together.

    One after the other: messages that the latest copy of a mailbox lacks become ``absent_later``;
    so do messages that the log shows to have been removed after the copy was made; messages
    that only the log or answers tell of are added as ``known_only``; rows in deleted states learn
    from the log when and by whom. Assessing the result again changes nothing, and the order of
    the rows does not matter.

    Parameters
    ----------
    messages, events, evidence : DataFrame
        The tables of that name, of Arrow types.
    reads : DataFrame, optional
        The read log: a later copy that could not be read whole proves less.

    Returns
    -------
    DataFrame
        The columns of ``messages``; its rows in their order, then the new ones.
    """
    result = absent_later(messages.reset_index(drop=True), evidence, reads=reads)
    result = removed_afterwards(result, events, evidence)
    logged = known_from_events(result, events, evidence=evidence)
    answered = known_from_replies(result, events=events, evidence=evidence)
    # The log tells more: who, when and the subject.
    known = frozenset(clean_ids(logged["message_id"]).dropna())
    fresh = ~clean_ids(answered["message_id"]).isin(known).fillna(value=False).to_numpy(dtype=bool)
    result = _extended(result, [logged, answered[fresh]])
    return attribute(result, events, evidence)


def _extended(messages: pd.DataFrame, more: list[pd.DataFrame]) -> pd.DataFrame:
    there = set(messages["item_id"])
    added = [rows[~rows["item_id"].isin(there).to_numpy(dtype=bool)] for rows in more]
    added = [rows.reindex(columns=messages.columns) for rows in added if len(rows)]
    return pd.concat([messages, *added], ignore_index=True) if added else messages
