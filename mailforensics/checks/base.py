"""What a check is: a question, an answer in words, and what the answer does and does not prove."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from datetime import datetime
from enum import StrEnum
from pathlib import Path
from typing import Any, ClassVar

import pandas as pd
import pyarrow as pa

from mailforensics.mime.headers import Headers, read_headers
from mailforensics.schema import CheckStatus, RawKind

__all__ = [
    "CaseCheck",
    "Check",
    "Context",
    "Item",
    "MessageCheck",
    "Scope",
    "Verdict",
    "counted",
    "rows_of",
]

_CHUNK = 2_000


class Scope(StrEnum):
    """What a check looks at."""

    ITEM = "item"
    EVIDENCE = "evidence"
    CASE = "case"


@dataclass(frozen=True, slots=True)
class Verdict:
    """One row of :data:`mailforensics.schema.CHECKS`, about a message, an evidence item or all."""

    status: CheckStatus
    summary: str
    detail: str | None = None
    item_id: str | None = None
    evidence_id: str | None = None


@dataclass(frozen=True, slots=True)
class Context:
    """What the checks may look at. ``chosen`` holds the messages whose bytes are examined."""

    messages: pd.DataFrame
    attachments: pd.DataFrame
    events: pd.DataFrame
    reads: pd.DataFrame
    evidence: pd.DataFrame
    chosen: pd.DataFrame
    named: bool
    verify: Callable[[], pd.DataFrame] | None
    keys: Path | None
    acquired: dict[str, datetime | None] = field(default_factory=dict)
    second_readings: Callable[[], pd.DataFrame] | None = None


@dataclass(slots=True, kw_only=True)
class Item:
    """One message under examination.

    Attributes
    ----------
    row
        Its row of the messages table, as Python values.
    attachments
        Its rows of the attachments table.
    raw
        Its bytes; None when they are gone or cannot be read, and ``trouble`` says why.
    acquired_at
        When its evidence item was acquired.
    """

    row: dict[str, Any]
    attachments: list[dict[str, Any]] = field(default_factory=list)
    raw: bytes | None = None
    trouble: str | None = None
    acquired_at: datetime | None = None
    _headers: Headers | None = None

    @property
    def rebuilt(self) -> bool:
        """Whether its bytes were built from stored properties, not kept."""
        return bool(self.row["raw_kind"] == RawKind.REBUILT_FROM_MAPI.value)

    @property
    def headers(self) -> Headers | None:
        """Its header section, None without bytes."""
        if self._headers is None and self.raw is not None:
            self._headers = read_headers(self.raw, 0, len(self.raw), envelope=True)
        return self._headers

    def values(self, name: str) -> list[bytes]:
        """Return the raw values of a header, top to bottom."""
        found = self.headers
        return [] if found is None else [v for n, v in found.fields if n.lower() == name]


class Check(ABC):
    """A check. Its texts make the card that a person reads.

    A check always says one thing about the case, also when it found nothing; besides, it gives a
    row for each exception.
    """

    NAME: ClassVar[str]
    TITLE: ClassVar[str]
    QUESTION: ClassVar[str]
    PROVES: ClassVar[str]
    PROVES_NOT: ClassVar[str]
    SCOPE: ClassVar[Scope]


class CaseCheck(Check):
    """A check that looks at the tables as a whole."""

    @abstractmethod
    def examine(self, context: Context) -> Iterator[Verdict]:
        """Yield the verdict about the case first, then the exceptions."""


class MessageCheck(Check):
    """A check that looks at one message at a time.

    ``WORDS`` says, for each status, what is true of the messages that got it, in the plural and
    after a number: ``{"pass": "are complete", …}``.
    """

    SCOPE = Scope.ITEM
    WORDS: ClassVar[dict[str, str]]

    def __init__(self) -> None:
        self.tally: Counter[CheckStatus] = Counter()
        self.reasons: Counter[str] = Counter()

    def prepare(self, context: Context) -> None:
        """Get ready for the messages of a case."""

    @abstractmethod
    def judge(self, item: Item) -> Verdict:
        """Return the verdict about one message."""

    def examine_item(self, item: Item) -> Verdict:
        """Judge a message and count the verdict."""
        verdict = self.judge(item)
        self.tally[verdict.status] += 1
        if verdict.status is CheckStatus.NOT_APPLICABLE:
            self.reasons[verdict.summary] += 1
        return replace(
            verdict, item_id=item.row["item_id"], evidence_id=item.row.get("evidence_id")
        )

    def conclude(self) -> Verdict:
        """Return the verdict about all messages that were examined."""
        total = self.tally.total()
        if not total:
            return Verdict(CheckStatus.NOT_APPLICABLE, "There was no message to examine.")
        said = [
            f"{self.tally[status]:,} {_agree(self.tally[status], self.WORDS[status.value])}"
            for status in _WORST_FIRST
            if self.tally[status]
        ]
        looked = f"{counted(total, 'message')} {_agree(total, 'were')} examined"
        reasons = "; ".join(f"{count:,}: {why}" for why, count in self.reasons.most_common(5))
        return Verdict(self._status(), f"{looked}: {'; '.join(said)}.", reasons or None)

    def _status(self) -> CheckStatus:
        return next(status for status in _WORST_FIRST if self.tally[status])


_WORST_FIRST = (
    CheckStatus.FAIL,
    CheckStatus.WARN,
    CheckStatus.PASS,
    CheckStatus.NOT_APPLICABLE,
)


def counted(count: int, noun: str) -> str:
    """Return a number with its noun: ``1 message``, ``2,000 messages``."""
    return f"{count:,} {noun}" if count == 1 else f"{count:,} {noun}s"


_SINGULAR = {"are": "is", "have": "has", "bear": "bears", "carry": "carries", "were": "was"}


def _agree(count: int, words: str) -> str:
    """Put the verb at the head of some words into the singular for one."""
    verb, space, rest = words.partition(" ")
    return f"{_SINGULAR[verb]}{space}{rest}" if count == 1 else words


def rows_of(frame: pd.DataFrame, names: list[str]) -> Iterator[list[dict[str, Any]]]:
    """Yield rows as Python values, some thousand at a time; what is not known is None."""
    table = pa.Table.from_pandas(frame[names], preserve_index=False)
    for start in range(0, table.num_rows, _CHUNK):
        yield table.slice(start, _CHUNK).to_pylist()
