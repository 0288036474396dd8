"""What a report is made of, and the small ways of looking at it that its sections share."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime, tzinfo
from typing import Any, Protocol

import pandas as pd

from mailforensics.charts import Chart
from mailforensics.export.chosen import records
from mailforensics.export.report.texts import Texts
from mailforensics.export.report.wording import cut, time

__all__ = ["Explanation", "Material", "Summary"]


class Summary(Protocol):
    """The headline counts; see :func:`mailforensics.deletion.summary`."""

    @property
    def total(self) -> int:
        """Deleted messages."""

    @property
    def whole(self) -> int:
        """Those that can come back whole."""

    @property
    def in_part(self) -> int:
        """Those that can come back in part."""

    @property
    def traces_only(self) -> int:
        """Those known only by their traces."""

    @property
    def still_live(self) -> int:
        """Deleted copies of messages that are live elsewhere; not in the total."""

    @property
    def sentence(self) -> str:
        """The counts in words."""


class Explanation(Protocol):
    """What a check is called, and what its verdict proves and does not prove."""

    @property
    def title(self) -> str:
        """What the check is called."""

    @property
    def proves(self) -> str:
        """What its verdict proves."""

    @property
    def does_not_prove(self) -> str:
        """What it leaves open."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Material:
    """Everything that goes into one report; the frames have the columns of schema.py."""

    case_info: Mapping[str, Any]
    summary: Summary
    deleted: pd.DataFrame
    events: pd.DataFrame
    reads: pd.DataFrame
    checks: pd.DataFrame
    evidence: pd.DataFrame
    exports: pd.DataFrame
    messages: pd.DataFrame
    custody: Sequence[Mapping[str, Any]]
    custody_faults: Sequence[Any] | None
    charts: Sequence[Chart]
    explanations: Mapping[str, Explanation]
    notes: str
    say: Texts
    zone: tzinfo
    tz: str
    made_at: datetime
    most_rows: int
    numbers: Mapping[str, int] = field(default_factory=dict)

    def time(self, moment: Any) -> str:
        """Return a moment in the zone of the case, with its offset; ``""`` when unknown."""
        return time(moment if isinstance(moment, datetime) else None, self.zone)

    def text(self, value: Any) -> str:
        """Return a text from the evidence, cut if it is very long."""
        text = "" if value is None else str(value)
        rest = len(text) - len(cut(text, ""))
        return cut(text, self.say("more_characters", rest)) if rest else text

    def some(self, frame: pd.DataFrame) -> list[dict[str, Any]]:
        """Return as many rows as the report lists."""
        return records(frame.head(self.most_rows))

    def listed(self, count: int, where: str) -> str:
        """Say how many rows of a table are shown, and where the rest is."""
        if count <= self.most_rows:
            return self.say("shown", count)
        return self.say("shown_some", count, shown=f"{self.most_rows:,}", where=self.say(where))

    def subjects(self, items: pd.Series) -> dict[str, str]:
        """Return item id -> subject, for the items that are in the messages or deleted frames."""
        wanted = set(items.dropna())
        found: dict[str, str] = {}
        for frame in (self.messages, self.deleted):
            if {"item_id", "subject"} <= set(frame.columns):
                hits = frame[frame["item_id"].isin(wanted)]
                pairs = zip(hits["item_id"], hits["subject"], strict=True)
                found |= {item: "" if pd.isna(subject) else subject for item, subject in pairs}
        return found
