"""The messages that were chosen for export, as records; and what became of each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime, tzinfo
from typing import Any

import pandas as pd
import pyarrow as pa

from mailforensics.errors import SchemaError
from mailforensics.schema import Completeness, RawKind

__all__ = ["About", "Chosen", "Outcome", "Place", "Status", "chosen", "count", "records"]

NEEDED = ("item_id", "evidence_id", "source_ref", "raw_kind", "sha256")
"""Columns without which nothing can be given back and checked."""


class Status:
    """The three ends that a chosen message can come to."""

    WRITTEN = "written"
    SKIPPED = "skipped"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Chosen:
    """One chosen message.

    Attributes
    ----------
    row
        Its row of the messages frame: column -> plain Python value, None where unknown.
    again
        Whether the same item was chosen before in the same frame.
    """

    row: Mapping[str, Any]
    again: bool = False

    def text(self, column: str) -> str:
        """Return a column as text, ``""`` where unknown."""
        value = self.row.get(column)
        return "" if value is None else str(value)

    def moment(self, column: str) -> datetime | None:
        """Return a time column, aware, or None where unknown."""
        value = self.row.get(column)
        return value if isinstance(value, datetime) else None

    def number(self, column: str) -> int | None:
        """Return a column of whole numbers, None where unknown."""
        value = self.row.get(column)
        return None if value is None else int(value)

    @property
    def item_id(self) -> str:
        """The id of the item."""
        return self.text("item_id")

    @property
    def has_bytes(self) -> bool:
        """Whether the message is more than traces."""
        return self.text("raw_kind") not in {"", RawKind.NONE}

    @property
    def note(self) -> str:
        """What whoever receives the bytes has to know of them."""
        notes = []
        if self.text("raw_kind") == RawKind.REBUILT_FROM_MAPI:
            notes.append("rebuilt from MAPI properties")
        if self.text("raw_kind") == RawKind.FRAGMENT:
            notes.append("fragment")
        if self.text("completeness") in {Completeness.PARTIAL, Completeness.HEADERS_ONLY}:
            notes.append(self.text("completeness").replace("_", " "))
        return "; ".join(notes)


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where the bytes of a message lie in the export.

    Attributes
    ----------
    file
        Path inside the folder of the export, with ``/``.
    sha256, size
        Of that file as it lies on the disk; ``""`` and 0 until it is closed.
    offset, length
        Bytes of this message in the file, where it holds several.
    node
        Node of this message in an Outlook data file.
    note
        What the form had to change.
    """

    file: str
    sha256: str = ""
    size: int = 0
    offset: int | None = None
    length: int | None = None
    node: int | None = None
    note: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one chosen message."""

    chosen: Chosen
    status: str
    reason: str = ""
    place: Place | None = None
    source_sha256: str = ""
    source_size: int | None = None

    @property
    def note(self) -> str:
        """What whoever receives it has to know: of the message, then of the form."""
        of_form = self.place.note if self.place else ""
        return "; ".join(note for note in (self.chosen.note, of_form) if note)


@dataclass(frozen=True, slots=True, kw_only=True)
class About:
    """What is true of a whole export. ``moment`` is aware; ``tz`` is the name of ``zone``."""

    form: str
    moment: datetime
    zone: tzinfo
    tz: str
    examiner: str = ""
    case_name: str = ""
    export_id: str = ""


def count(outcomes: Iterable[Outcome]) -> dict[str, int]:
    """Return how many messages came to each end; the three add up to those chosen."""
    ends = Counter(outcome.status for outcome in outcomes)
    return {status: ends[status] for status in (Status.WRITTEN, Status.SKIPPED, Status.FAILED)}


def records(frame: pd.DataFrame) -> list[dict[str, Any]]:
    """Return the rows of a frame as dicts of plain Python values, None where unknown."""
    table = pa.Table.from_pandas(frame, preserve_index=False)
    rows: list[dict[str, Any]] = table.to_pylist()
    return rows


def chosen(messages: pd.DataFrame) -> list[Chosen]:
    """Return the chosen messages by date, undated first, whatever the order of the frame.

    Raises
    ------
    SchemaError
        The frame lacks a column that is needed.
    """
    lacking = [name for name in NEEDED if name not in messages.columns]
    if lacking:
        raise SchemaError(f"The messages lack these columns: {', '.join(lacking)}")
    seen: set[str] = set()
    found = []
    for row in sorted(records(messages), key=_by_date):
        item = str(row["item_id"])
        found.append(Chosen(row, again=item in seen))
        seen.add(item)
    return found


def _by_date(row: Mapping[str, Any]) -> tuple[float, str]:
    sent_at = row.get("sent_at")
    moment = sent_at.timestamp() if isinstance(sent_at, datetime) else float("-inf")
    return moment, str(row["item_id"])
