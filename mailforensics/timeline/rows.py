"""The rows of a timeline: one for each known date of each message, one for each log event."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from types import MappingProxyType
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute

from mailforensics.schema import EVENTS, MESSAGES, DeletedAtKind, Operation

__all__ = ["COLUMNS", "DELETIONS", "Undated", "between", "instants", "timeline", "undated"]

pc: Any = pyarrow.compute
_TIME = pa.timestamp("us", tz="UTC")

COLUMNS: Mapping[str, Any] = MappingProxyType(
    {
        "message": pa.string(),
        "datetime": _TIME,
        "timestamp_desc": pa.string(),
        "item_id": pa.string(),
        "event_id": pa.string(),
        "evidence_id": pa.string(),
        "source": pa.string(),
        "state": pa.string(),
        "actor": pa.string(),
        "client_ip": pa.string(),
        "mailbox": pa.string(),
        "folder": pa.string(),
        "message_id": pa.string(),
        "subject": pa.string(),
        "from_addr": pa.string(),
    }
)
"""Columns of a timeline; the first three are Timesketch's."""

_DATES = MappingProxyType(
    {
        "sent_at": "Message sent",
        "received_at": "Message received",
        "stored_at": "Message stored",
        "modified_at": "Message changed",
    }
)

_DELETED = MappingProxyType(
    {
        DeletedAtKind.EXACT.value: "Message deleted",
        DeletedAtKind.NOT_BEFORE.value: "Last seen in a copy",
        DeletedAtKind.NOT_AFTER.value: "Deleted by this time at the latest",
        DeletedAtKind.BETWEEN.value: "Deleted between two copies",
    }
)

_LOGGED = MappingProxyType(
    {
        Operation.LOGIN.value: "Log: logged in",
        Operation.LOGOUT.value: "Log: logged out",
        Operation.SAVE.value: "Log: saved",
        Operation.DELIVER.value: "Log: delivered",
        Operation.COPY.value: "Log: copied",
        Operation.MOVE.value: "Log: moved",
        Operation.MARK_DELETED.value: "Log: marked as deleted",
        Operation.UNMARK_DELETED.value: "Log: mark of deletion removed",
        Operation.EXPUNGE.value: "Log: expunged",
        Operation.FLAG_CHANGE.value: "Log: marks changed",
        Operation.FOLDER_CREATE.value: "Log: folder created",
        Operation.FOLDER_DELETE.value: "Log: folder deleted",
        Operation.FOLDER_RENAME.value: "Log: folder renamed",
        Operation.SESSION_SUMMARY.value: "Log: session ended",
        Operation.OTHER.value: "Log: other",
    }
)

DELETIONS = frozenset({"Message deleted", "Log: expunged"})
"""Values of ``timestamp_desc`` that give the moment at which a message was deleted."""


@dataclass(frozen=True, slots=True)
class Undated:
    """What has no place on a timeline: messages without any date, events without a time."""

    messages: int
    events: int

    @property
    def sentence(self) -> str:
        """Say it in words."""
        if not self.messages and not self.events:
            return "Every message and every log line has at least one date."
        return (
            "Without any date, and so not on the timeline: "
            f"{self.messages:,} of the messages, {self.events:,} of the log lines."
        )


def timeline(
    messages: pd.DataFrame, events: pd.DataFrame | None = None, *, tz: str = "UTC"
) -> pd.DataFrame:
    """Put messages and log events on one line of time.

    Parameters
    ----------
    messages : DataFrame
        Rows of :data:`mailforensics.schema.MESSAGES`.
    events : DataFrame, optional
        Rows of :data:`mailforensics.schema.EVENTS`.
    tz : str
        Time zone (IANA name) of the column ``datetime``.

    Returns
    -------
    DataFrame
        Columns of :data:`COLUMNS`, oldest first; one row for each known date of each message and
        for each dated event. ``datetime`` is ``timestamp[us, tz]``.
    """
    parts = list(_message_parts(messages))
    if events is not None and len(events):
        parts.append(_event_part(events))
    table = pa.concat_tables([_empty(), *parts])
    table = table.sort_by([(name, "ascending") for name in ("datetime", "timestamp_desc")])
    place = table.schema.get_field_index("datetime")
    local = table["datetime"].cast(pa.timestamp("us", tz=tz))
    table = table.set_column(place, pa.field("datetime", local.type), local)
    return _frame(table)


def undated(messages: pd.DataFrame, events: pd.DataFrame | None = None) -> Undated:
    """Count the messages without any date and the events without a time."""
    dates = messages[[*_DATES, "deleted_at"]]
    lost = 0 if events is None else int(events["at"].isna().sum())
    return Undated(int(dates.isna().all(axis=1).sum()), lost)


def between(
    frame: pd.DataFrame, start: datetime | None = None, end: datetime | None = None
) -> pd.DataFrame:
    """Return the rows from ``start`` up to but not including ``end``; None leaves a side open.

    Raises
    ------
    ValueError
        A limit has no time zone, so that it does not name a moment.
    """
    keep = np.ones(len(frame), dtype=bool)
    times = instants(frame["datetime"])
    if start is not None:
        keep &= times >= _instant(start)
    if end is not None:
        keep &= times < _instant(end)
    return frame[keep]


def _message_parts(messages: pd.DataFrame) -> Iterator[pa.Table]:
    table = _table(messages, MESSAGES, (*_SHARED, *_DATES, *_ABOUT_DELETION))
    for column, description in _DATES.items():
        yield _message_rows(table, column, description)
    kinds = table["deleted_at_kind"]
    for kind, description in _DELETED.items():
        yield _message_rows(table.filter(pc.equal(kinds, kind)), "deleted_at", description)
    unsaid = table.filter(pc.is_null(kinds))
    yield _message_rows(unsaid, "deleted_at", _DELETED[DeletedAtKind.NOT_AFTER.value])


_SHARED = (
    "item_id", "evidence_id", "reader", "mailbox", "folder", "message_id", "subject", "from_addr",
    "deletion_state",
)  # fmt: skip
_ABOUT_DELETION = ("deleted_at", "deleted_at_kind", "deleted_by")


def _message_rows(table: pa.Table, column: str, description: str) -> pa.Table:
    rows = table.filter(pc.is_valid(table[column]))
    columns = {
        "message": _say(description, rows["subject"], rows["from_addr"], "from"),
        "datetime": rows[column],
        "timestamp_desc": pa.array([description] * rows.num_rows, pa.string()),
        "source": rows["reader"],
        "state": rows["deletion_state"],
    }
    if column == "deleted_at":
        columns["actor"] = rows["deleted_by"]
    return _conform(rows, columns)


def _event_part(events: pd.DataFrame) -> pa.Table:
    table = _table(events, EVENTS, EVENTS.names)
    rows = table.filter(pc.is_valid(table["at"]))
    words = [_LOGGED.get(value or "", _LOGGED["other"]) for value in rows["operation"].to_pylist()]
    description = pa.chunked_array([pa.array(words, pa.string())])
    what = pc.coalesce(rows["subject"], rows["message_id"], rows["detail"], rows["folder"])
    return _conform(
        rows,
        {
            "message": _say(description, what, rows["actor"], "by"),
            "datetime": rows["at"],
            "timestamp_desc": description,
            "source": pa.array(["log"] * rows.num_rows, pa.string()),
        },
    )


def _say(description: Any, what: Any, who: Any, word: str) -> Any:
    """Return ``Message sent: Price list (from a@b.example)`` for each row."""
    lead = pc.binary_join_element_wise(description, pc.fill_null(what, "(no subject)"), ": ")
    tail = pc.binary_join_element_wise(pa.scalar(f" ({word} "), who, pa.scalar(")"), "")
    return pc.binary_join_element_wise(lead, pc.fill_null(tail, ""), "")


def _table(frame: pd.DataFrame, schema: pa.Schema, names: Any) -> pa.Table:
    """Return columns of a frame as Arrow, words as plain strings; an absent column is null."""
    arrays = []
    for name in names:
        kind = schema.field(name).type
        kind = pa.string() if pa.types.is_dictionary(kind) else kind
        values = (
            pa.nulls(len(frame), kind)
            if name not in frame
            else pa.array(frame[name], from_pandas=True)
        )
        arrays.append(values.cast(kind))
    return pa.table(arrays, names=list(names))


def _conform(rows: pa.Table, given: dict[str, Any]) -> pa.Table:
    """Build a table of :data:`COLUMNS` from what is given, then from the rows, else null."""
    arrays = []
    for name, kind in COLUMNS.items():
        if name in given:
            arrays.append(given[name])
        elif name in rows.column_names:
            arrays.append(rows[name])
        else:
            arrays.append(pa.nulls(rows.num_rows, kind))
    return pa.table(arrays, names=list(COLUMNS)).cast(pa.schema(list(COLUMNS.items())))


def _empty() -> pa.Table:
    return pa.schema(list(COLUMNS.items())).empty_table()


def _frame(table: pa.Table) -> pd.DataFrame:
    return table.to_pandas(types_mapper=pd.ArrowDtype)


def instants(times: pd.Series) -> np.ndarray[Any, np.dtype[np.int64]]:
    """Return times as int64: microseconds since 1970 in UTC."""
    array = pa.array(times, from_pandas=True)
    if pa.types.is_null(array.type):
        return np.empty(0, dtype=np.int64)
    return np.asarray(array.cast(_TIME).cast(pa.int64()).to_numpy(zero_copy_only=False), np.int64)


def _instant(moment: datetime) -> int:
    if moment.tzinfo is None:
        raise ValueError(f"{moment} names no moment: it has no time zone")
    return int((moment - datetime(1970, 1, 1, tzinfo=UTC)) // pd.Timedelta("1us").to_pytimedelta())
