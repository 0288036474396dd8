"""Working days: weekends and (about) the holidays of 2024 to 2026 in China."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import date, datetime, timedelta, timezone

from sample_data.make.chance import number

__all__ = ["CHINA", "FIRST", "LAST", "at", "each", "workday"]

CHINA = timezone(timedelta(hours=8))
FIRST, LAST = date(2024, 11, 4), date(2026, 11, 12)

_HOLIDAYS = (
    (date(2025, 1, 1), date(2025, 1, 1)),
    (date(2025, 1, 28), date(2025, 2, 4)),
    (date(2025, 4, 4), date(2025, 4, 6)),
    (date(2025, 5, 1), date(2025, 5, 5)),
    (date(2025, 5, 31), date(2025, 6, 2)),
    (date(2025, 10, 1), date(2025, 10, 8)),
    (date(2026, 1, 1), date(2026, 1, 3)),
    (date(2026, 2, 15), date(2026, 2, 23)),
    (date(2026, 4, 4), date(2026, 4, 6)),
    (date(2026, 5, 1), date(2026, 5, 5)),
    (date(2026, 6, 19), date(2026, 6, 21)),
    (date(2026, 10, 1), date(2026, 10, 7)),
)


def workday(day: date) -> date:
    """Return the day itself, or the next one on which people work."""
    while day.weekday() > 4 or any(first <= day <= last for first, last in _HOLIDAYS):
        day += timedelta(days=1)
    return day


def at(day: date, hour: int, minute: int, *name: object) -> datetime:
    """Return a moment of that day in Beijing time, give or take 20 minutes by the name."""
    base = datetime(day.year, day.month, day.day, hour, minute, tzinfo=CHINA)
    return base + timedelta(seconds=number(2400, "when", day, *name) - 1200)


def each(days: int, start: date = FIRST) -> Iterator[date]:
    """Yield working days, about ``days`` apart, from the first to the last of the story."""
    day = start
    while day <= LAST:
        moved = workday(day)
        if moved <= LAST:
            yield moved
        day += timedelta(days=days)
