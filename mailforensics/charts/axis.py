"""Clock times on an axis: whole steps, short labels, the date written where it changes.

Axes count seconds of the local clock since 1970 (a float), because the zone of a case is one and
its clock is what people remember. Labels are computed for the span at hand, not by a locator that
guesses: at most as many as stay apart, whatever the figure is scaled to.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import numpy as np
import pandas as pd
import pyarrow as pa

__all__ = ["Tick", "clock", "date_axis", "local_seconds", "say_date", "ticks", "zone_label"]

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_STEPS = (
    *(("second", n, n) for n in (1, 5, 10, 15, 30)),
    *(("minute", n, n * _MINUTE) for n in (1, 2, 5, 10, 15, 30)),
    *(("hour", n, n * _HOUR) for n in (1, 2, 3, 6, 12)),
    *(("day", n, n * _DAY) for n in (1, 2, 5, 10, 15)),
    *(("month", n, n * 30 * _DAY) for n in (1, 2, 3, 6)),
    *(("year", n, n * 365 * _DAY) for n in (1, 2, 5, 10, 20, 50, 100, 200, 500, 1000)),
)
_MOST = {"second": 7, "minute": 8, "hour": 8, "day": 9, "month": 9, "year": 11}


@dataclass(frozen=True, slots=True)
class Tick:
    """One label: where (seconds of the local clock) and what it says, in one or two lines."""

    at: float
    text: str


def local_seconds(times: pd.Series, tz: str) -> np.ndarray[Any, np.dtype[np.float64]]:
    """Return UTC times as seconds of the clock in ``tz`` since 1970; nulls are left out."""
    array = pa.array(times, from_pandas=True)
    array = array.drop_null() if not pa.types.is_null(array.type) else array.slice(0, 0)
    if not len(array):
        return np.empty(0, dtype=np.float64)
    utc = array.cast(pa.timestamp("us", tz="UTC")).cast(pa.int64()).to_numpy()
    index = pd.DatetimeIndex(np.asarray(utc).view("datetime64[us]"), tz="UTC")
    naive = index.tz_convert(ZoneInfo(tz)).tz_localize(None)
    return naive.to_numpy().astype("datetime64[us]").astype(np.int64) / 1e6


def clock(seconds: float) -> datetime:
    """Return the local clock time; its ``tzinfo`` says UTC only because the clock is naive."""
    return datetime(1970, 1, 1, tzinfo=UTC) + timedelta(seconds=float(seconds))


def say_date(seconds: float) -> str:
    """Return a date such as ``12 Nov 2026``."""
    moment = clock(seconds)
    return f"{moment.day} {_MONTHS[moment.month - 1]} {moment.year}"


_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


def zone_label(tz: str, low: float, high: float) -> str:
    """Return the zone with its distance from UTC over a span: ``Asia/Shanghai (UTC+08:00)``."""
    if tz == "UTC":
        return "UTC"
    points = np.linspace(low, high, 25)
    offsets = {_offset(tz, at) for at in points}
    return f"{tz} ({' / '.join(sorted(offsets))})"


def _offset(tz: str, seconds: float) -> str:
    text = clock(seconds).replace(tzinfo=ZoneInfo(tz)).strftime("%z")
    return f"UTC{text[:3]}:{text[3:5]}"


def date_axis(axes: Any, low: float, high: float, tz: str) -> None:
    """Set limits, ticks and label of a horizontal axis of clock times."""
    axes.set_xlim(low, high)
    chosen = ticks(low, high)
    axes.set_xticks([tick.at for tick in chosen], [tick.text for tick in chosen])
    axes.set_xlabel(f"Time zone: {zone_label(tz, low, high)}")


def ticks(low: float, high: float) -> list[Tick]:
    """Return the labelled ticks inside a span of the local clock."""
    unit, count = next(
        ((unit, count) for unit, count, size in _STEPS if (high - low) / size <= _MOST[unit] - 1),
        ("year", 1000),
    )
    found: list[Tick] = []
    before: tuple[str, str] | None = None
    for at in _marks(unit, count, low, high):
        near, far = _label(unit, clock(at))
        shown = near if before is not None and before[1] == far else f"{near}\n{far}".rstrip()
        found.append(Tick(at, shown))
        before = (near, far)
    return found


def _marks(unit: str, count: int, low: float, high: float) -> Iterator[float]:
    sizes = {"second": 1, "minute": _MINUTE, "hour": _HOUR}
    if unit in sizes:
        step = sizes[unit] * count
        yield from np.arange(np.ceil(low / step) * step, high + 1e-9, step).tolist()
        return
    starts = _days(count, low, high) if unit == "day" else _months(unit, count, low, high)
    yield from (at for at in starts if low <= at <= high)


def _days(count: int, low: float, high: float) -> Iterator[float]:
    """Return days of the month that suit the step: 1, 6, 11 … with no pair too close."""
    day = np.floor(low / _DAY) * _DAY
    while day <= high:
        number = clock(day).day
        if (number - 1) % count == 0 and (number + count / 2 <= 31 or count == 1):
            yield float(day)
        day += _DAY


def _months(unit: str, count: int, low: float, high: float) -> Iterator[float]:
    first, last = clock(low).year, clock(high).year
    if unit == "year":
        pairs = [(year, 1) for year in range(first, last + 1) if year % count == 0]
    else:
        pairs = [(y, m) for y in range(first, last + 1) for m in range(1, 13, count)]
    for year, month in pairs:
        yield (datetime(year, month, 1, tzinfo=UTC) - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(
            seconds=1
        )


def _label(unit: str, moment: datetime) -> tuple[str, str]:
    """Return what each tick says, and what is said only where it changes."""
    month = _MONTHS[moment.month - 1]
    date = f"{moment.day} {month} {moment.year}"
    if unit == "second":
        return f"{moment:%H:%M:%S}", date
    if unit in {"minute", "hour"}:
        return f"{moment:%H:%M}", date
    if unit == "day":
        return f"{moment.day} {month}", str(moment.year)
    if unit == "month":
        return month, str(moment.year)
    return str(moment.year), ""
