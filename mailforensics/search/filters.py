"""Filters of a query that the messages table answers: folder, state, person, dates."""

from __future__ import annotations

import re
import unicodedata
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from functools import reduce
from itertools import groupby
from operator import attrgetter
from types import MappingProxyType
from typing import TYPE_CHECKING
from zoneinfo import ZoneInfo

from mailforensics.errors import SearchError
from mailforensics.schema import DELETED_STATES, DeletionState

if TYPE_CHECKING:
    import pandas as pd

    from mailforensics.search.query import Query

__all__ = ["FILTER_FIELDS", "Filter", "filter_frame", "read_filter"]

FILTER_FIELDS = MappingProxyType(
    {
        "folder": "folder",
        "文件夹": "folder",
        "資料夾": "folder",
        "state": "state",
        "状态": "state",
        "狀態": "state",
        "custodian": "custodian",
        "保管人": "custodian",
        "evidence": "evidence",
        "证据": "evidence",
        "證據": "evidence",
        "has": "has",
        "before": "before",
        "早于": "before",
        "早於": "before",
        "after": "after",
        "晚于": "after",
        "晚於": "after",
        "on": "on",
        "日期": "on",
    }
)

_STATES = MappingProxyType(
    {
        **{str(state): frozenset({str(state)}) for state in DeletionState},
        **{name: frozenset(map(str, DELETED_STATES)) for name in ("deleted", "已删除", "已刪除")},
        "existing": frozenset({"live"}),
        "现存": frozenset({"live"}),
        "現存": frozenset({"live"}),
    }
)
_DATES = frozenset({"before", "after", "on"})
_DAY = re.compile(r"(\d{4})(?:[-/.年](\d{1,2})(?:[-/.月](\d{1,2})日?|月)?|年)?")


@dataclass(frozen=True, slots=True)
class Filter:
    """One filter.

    Attributes
    ----------
    field
        folder, state, custodian, evidence, has, before, after or on.
    value
        Folded text, as typed for dates.
    negated
        Whether what fits is left out.
    start, stop
        First day, and the day after the last, of a date; without a time zone.
    """

    field: str
    value: str
    negated: bool = False
    start: datetime | None = None
    stop: datetime | None = None


def _folded(text: str) -> str:
    return unicodedata.normalize("NFC", text[:1000]).casefold().strip()


def read_filter(field: str, name: str, value: str, *, negated: bool) -> Filter:
    """Check the value of a filter.

    Raises
    ------
    SearchError
        It is missing or cannot be what the filter asks for.
    """
    folded = _folded(value)
    if not folded:
        raise SearchError(f"After {name}: a value is missing{_example(field, name)}")
    if field in _DATES:
        start, stop = _read_day(name, value.strip())
        return Filter(field, value.strip(), negated, start, stop)
    if field == "state" and folded.replace(" ", "_") not in _STATES:
        raise SearchError(
            f"{value} is no state of a message.", hint=f"Known are: {', '.join(sorted(_STATES))}"
        )
    if field == "has" and folded not in {"attachment", "attachments", "附件"}:
        raise SearchError("After has: only the word attachment may stand: has:attachment")
    return Filter(field, folded.replace(" ", "_") if field == "state" else folded, negated)


def _example(field: str, name: str) -> str:
    examples = {"folder": "Inbox", "state": "deleted", "has": "attachment", "evidence": "E01"}
    example = "2026-11-12" if field in _DATES else examples.get(field)
    return f", for instance {name}:{example}" if example else "."


def _read_day(name: str, text: str) -> tuple[datetime, datetime]:
    wrong = SearchError(
        f"{text[:40]} is no date.", hint=f"Write year, month and day: {name}:2026-11-12"
    )
    match = _DAY.fullmatch(text)
    if match is None or not 1900 <= int(match[1]) <= 2999:
        raise wrong
    year, month, day = (int(part) if part else None for part in match.groups())
    assert year is not None
    try:
        start = datetime(year, month or 1, day or 1)  # noqa: DTZ001 - the zone comes with the case
    except ValueError:
        raise wrong from None
    if day:
        return start, start + timedelta(days=1)
    if month:
        return start, (start + timedelta(days=31)).replace(day=1)
    return start, start.replace(year=year + 1)


def filter_frame(messages: pd.DataFrame, query: Query, *, tz: str = "UTC") -> pd.Series:
    """Say for each message whether it passes the filters of a query.

    Dates are compared with ``sent_at``, or ``received_at`` where that is missing; ``before:`` ends
    with the day before, ``after:`` begins with the day itself. A message without any date passes no
    date filter. Folders and people fit when the value stands anywhere in their name, or names
    the role of the folder (inbox, sent, deleted …). Values of one filter widen, filters narrow.

    Parameters
    ----------
    messages : DataFrame
        Rows of the messages table.
    tz : str
        The time zone in which days begin and end.

    Returns
    -------
    Series of bool
        With the index of ``messages``.

    Raises
    ------
    SearchError
        The time zone is not known.
    """
    import pandas as pd  # not needed where an index is written

    mask = pd.Series(True, index=messages.index)
    ordered = sorted(query.filters, key=attrgetter("field", "negated"))
    for (field, negated), group in groupby(ordered, key=attrgetter("field", "negated")):
        fits = [_fits(messages, each, _zone(tz)) for each in group]
        # "before" twice means before both: only names and states widen.
        narrow = negated or field in {"before", "after"}
        if negated:
            fits = [~each for each in fits]
        mask &= reduce(pd.Series.__and__ if narrow else pd.Series.__or__, fits)
    return mask


def _zone(tz: str) -> ZoneInfo:
    try:
        return ZoneInfo(tz)
    except (KeyError, ValueError, OSError) as error:
        raise SearchError(f"The time zone {tz} is not known.") from error


def _fits(messages: pd.DataFrame, wanted: Filter, zone: ZoneInfo) -> pd.Series:
    if wanted.field in _DATES:
        return _in_time(messages, wanted, zone)
    if wanted.field == "state":
        return _plain(messages["deletion_state"].isin(_STATES[wanted.value]))
    if wanted.field == "has":
        return _plain(messages["attachment_count"] > 0)
    if wanted.field == "evidence":
        return _plain(messages["evidence_id"].str.lower() == wanted.value)
    if wanted.field == "custodian":
        return _holds(messages["custodian"], wanted.value) | _holds(
            messages["mailbox"], wanted.value
        )
    role = _plain(messages["folder_role"] == wanted.value)
    return role | _holds(messages["folder"], wanted.value)


def _plain(mask: pd.Series) -> pd.Series:
    return mask.fillna(value=False).astype(bool)


def _holds(column: pd.Series, value: str) -> pd.Series:
    # Few different names: fold each once.
    names = column.dropna().unique()
    fitting = [name for name in names if value in _folded(str(name))]
    return _plain(column.isin(fitting))


def _in_time(messages: pd.DataFrame, wanted: Filter, zone: ZoneInfo) -> pd.Series:
    import pandas as pd

    times = messages["sent_at"].fillna(messages["received_at"])
    assert wanted.start is not None
    assert wanted.stop is not None
    start, stop = (
        pd.Timestamp(day.replace(tzinfo=zone).astimezone(UTC))
        for day in (wanted.start, wanted.stop)
    )
    if wanted.field == "before":
        return _plain(times < start)
    if wanted.field == "after":
        return _plain(times >= start)
    return _plain((times >= start) & (times < stop))
