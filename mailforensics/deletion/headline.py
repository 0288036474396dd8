"""How many messages are deleted, and what can come back: in numbers and in a sentence."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime

import pandas as pd

from mailforensics.comparison.frames import false, timestamp
from mailforensics.deletion.listing import WAYS_BACK
from mailforensics.schema import DeletionState

__all__ = ["DeletionSummary", "summary"]


@dataclass(frozen=True, slots=True)
class DeletionSummary:
    """The headline. Always: total = whole + in_part + traces_only.

    Attributes
    ----------
    total
        Different messages that are deleted; each counts once, however many instances there are.
    whole, in_part, traces_only
        How many of them can come back whole, in part, or are known only by their traces.
    still_live
        Deleted copies of messages that are still there; not in ``total``.
    by_state
        ``deletion_state`` of the best instance -> how many messages; adds up to ``total``.
    first, last
        The earliest and latest time of deletion that is known.
    """

    total: int
    whole: int
    in_part: int
    traces_only: int
    still_live: int = 0
    by_state: dict[str, int] = field(default_factory=dict)
    first: datetime | None = None
    last: datetime | None = None

    @property
    def sentence(self) -> str:
        """Say it in words."""
        text = self._deleted()
        if self.still_live == 1:
            return f"{text} (+ 1 deleted copy of a message that is still there)"
        if self.still_live:
            return f"{text} (+ {self.still_live:,} deleted copies of messages that are still there)"
        return text

    def _deleted(self) -> str:
        if not self.total:
            return "No message in this evidence is deleted."
        if self.total == 1:
            return f"1 message is deleted; {self._one()}."
        return f"{self.total:,} messages are deleted; {self._many()}."

    def _one(self) -> str:
        if self.traces_only:
            return "it is known only by its traces"
        return f"it can come back {'whole' if self.whole else 'in part'}"

    def _many(self) -> str:
        if self.total in {self.whole, self.in_part}:
            return f"all can come back {'whole' if self.whole else 'in part'}"
        if self.total == self.traces_only:
            return "all are known only by their traces"
        parts = []
        if self.whole:
            parts.append(f"{self.whole:,} can come back whole")
        if self.in_part:
            parts.append(f"{self.in_part:,} {'' if self.whole else 'can come back '}in part")
        if self.traces_only:
            known = "is known only by its" if self.traces_only == 1 else "are known only by their"
            parts.append(f"{self.traces_only:,} {known} traces")
        return ", ".join(parts)


def summary(deleted: pd.DataFrame) -> DeletionSummary:
    """Count what :func:`~mailforensics.deletion.deleted_messages` returned, or some rows of it."""
    live = false(deleted["still_live"])
    rows = deleted[~live]
    ways = {name: place for place, name in enumerate(WAYS_BACK)}
    # Of a choice of rows the best may not be among them: the best of those there counts.
    order = pd.DataFrame(
        {
            "same_as": rows["same_as"],
            "way": [ways[way] for way in rows["can_come_back"]],
            "other": ~false(rows["best"]),
            "state": [list(DeletionState).index(state) for state in rows["deletion_state"]],
        }
    )
    best = order.sort_values(["way", "other", "state"], kind="stable").drop_duplicates("same_as")
    counts = best["way"].value_counts()
    states = best["state"].value_counts()
    times = rows["deleted_at"].dropna()
    return DeletionSummary(
        total=len(best),
        whole=int(counts.get(0, 0)),
        in_part=int(counts.get(1, 0)),
        traces_only=int(counts.get(2, 0)),
        still_live=int(live.sum()),
        by_state={
            str(state): int(states[place])
            for place, state in enumerate(DeletionState)
            if place in states.index
        },
        first=_moment(times.min()) if len(times) else None,
        last=_moment(times.max()) if len(times) else None,
    )


def _moment(value: object) -> datetime | None:
    moment = timestamp(value)
    return None if moment is None else moment.to_pydatetime()
