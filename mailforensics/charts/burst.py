"""The stretch of time in which most messages were deleted, minute by minute."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mailforensics import fonts
from mailforensics.charts.axis import clock, date_axis, local_seconds, say_date
from mailforensics.charts.chart import Chart
from mailforensics.charts.style import INK, MARK, Frame, shown
from mailforensics.schema import MESSAGES, empty_table
from mailforensics.timeline import bursts, deletions, identities, timeline

__all__ = ["deletion_burst"]

_STEPS = (
    (60, "minute"), (300, "5 minutes"), (900, "15 minutes"), (3600, "hour"),
    (6 * 3600, "6 hours"), (86400, "day"), (7 * 86400, "week"), (28 * 86400, "4 weeks"),
    (364 * 86400, "year"), (10 * 365 * 86400, "10 years"),
)  # fmt: skip


@dataclass(frozen=True, slots=True)
class _Window:
    """What is drawn: deletions of one stretch, as seconds of the local clock."""

    seconds: np.ndarray[Any, Any]
    actor: str | None
    client_ip: str | None
    mailbox: str | None
    total: int
    dense: bool


@fonts.used()
def deletion_burst(rows: pd.DataFrame, *, tz: str = "UTC", language: str = "en") -> Chart:
    """Draw the deletions of the densest stretch of time.

    Parameters
    ----------
    rows : DataFrame
        A timeline, or rows of :data:`mailforensics.schema.EVENTS`.
    tz : str
        Time zone (IANA name) of days and hours.
    language : str
        Language of the texts; English where there are none in this language.
    """
    frame = rows if "timestamp_desc" in rows else _from_events(rows, tz)
    window = _densest(frame, tz)
    picture = Frame(2.6, language=language)
    if window is None:
        title = "No deletion with a known time"
        picture.words(title)
        picture.nothing("No log and no store says at what time a message was deleted.")
        return picture.chart(title, "There is no deletion whose time is known exactly.")
    step, name = _step(window.seconds)
    _draw(picture.axes, window.seconds, step, name, tz)
    title, line = _title(window), _line(window)
    picture.words(title, line)
    return picture.chart(title, _sentence(window, step, name))


def _from_events(events: pd.DataFrame, tz: str) -> pd.DataFrame:
    nothing = empty_table(MESSAGES).to_pandas(types_mapper=pd.ArrowDtype)
    return timeline(nothing, events, tz=tz)


def _densest(frame: pd.DataFrame, tz: str) -> _Window | None:
    rows = deletions(frame)
    if rows.empty:
        return None
    total = len(set(identities(rows)))
    found = bursts(frame)
    if len(found):
        rows = rows[_inside(rows, found.iloc[0])]
    once = rows[(~pd.Series(identities(rows)).duplicated()).to_numpy()]
    same = {name: _same(rows[name]) for name in ("actor", "client_ip", "mailbox")}
    return _Window(local_seconds(once["datetime"], tz), total=total, dense=len(found) > 0, **same)


def _inside(rows: pd.DataFrame, burst: pd.Series) -> Any:
    keep = (rows["datetime"] >= burst["start"]) & (rows["datetime"] <= burst["end"])
    for name in ("actor", "client_ip"):
        known = isinstance(burst[name], str)
        keep &= rows[name] == burst[name] if known else rows[name].isna()
    return keep.fillna(False).to_numpy(dtype=bool)


def _same(values: pd.Series) -> str | None:
    known = set(values.dropna())
    return str(known.pop()) if len(known) == 1 else None


def _step(seconds: np.ndarray[Any, Any]) -> tuple[int, str]:
    span = seconds.max() - seconds.min()
    return next((pair for pair in _STEPS if span / pair[0] <= 36), _STEPS[-1])


def _draw(axes: Any, seconds: np.ndarray[Any, Any], step: int, name: str, tz: str) -> None:
    first = np.floor(seconds.min() / step)
    bars = int(np.floor(seconds.max() / step) - first) + 1
    aside = max(2, (22 - bars + 1) // 2, bars // 8)
    counts = np.bincount((np.floor(seconds / step) - first).astype(int), minlength=bars)
    left = (first + np.arange(bars)) * step
    axes.bar(left, counts, width=step * 0.86, align="edge", color=MARK)
    _numbers(axes, left + step * 0.43, counts, bars + 2 * aside)
    axes.set_ylim(0, counts.max() * 1.15)
    axes.set_yticks([])
    axes.set_ylabel(f"deletions each {name}" if name[0].isalpha() else f"deletions in {name}")
    date_axis(axes, (first - aside) * step, (first + bars + aside) * step, tz)


def _numbers(axes: Any, middle: Any, counts: Any, places: int) -> None:
    """Write the number above each bar, or above the highest alone when they would touch."""
    wide = len(f"{counts.max():,}")
    every = places * wide <= 110
    chosen = np.flatnonzero(counts) if every else [int(counts.argmax())]
    for place in chosen:
        axes.text(
            middle[place], counts[place], f"{counts[place]:,}", ha="center", va="bottom",
            color=INK, size=9.5,
        )  # fmt: skip


def _title(window: _Window) -> str:
    count = len(window.seconds)
    what = "1 message" if count == 1 else f"{count:,} messages"
    if window.mailbox:
        left = f"left the {shown(window.mailbox, 'user’s')} mailbox"
    else:
        left = "was deleted" if count == 1 else "were deleted"
    return f"{what} {left} {_when(window.seconds)}"


def _when(seconds: np.ndarray[Any, Any]) -> str:
    low, high = float(seconds.min()), float(seconds.max())
    start, end = f"{clock(low):%H:%M}", f"{clock(high):%H:%M}"
    if say_date(low) != say_date(high):
        return f"between {say_date(low)} {start} and {say_date(high)} {end}"
    if start == end:
        return f"on {say_date(low)} at {start}"
    return f"on {say_date(low)} between {start} and {end}"


def _line(window: _Window, *, whole: bool = False) -> str:
    spread = (
        ""
        if window.dense or len(window.seconds) == 1
        else " The deletions are few or spread out: this is no burst."
    )
    if window.actor is None and window.client_ip is None:
        return f"By more than one account, or by one that is not known.{spread}"
    name = window.actor or "an unknown account"
    who = name if whole else shown(name, "one account")
    where = f", from {window.client_ip}" if window.client_ip else ""
    return f"By {who}{where}.{spread}"


def _sentence(window: _Window, step: int, name: str) -> str:
    count = len(window.seconds)
    busiest = int(np.unique(np.floor(window.seconds / step), return_counts=True)[1].max())
    mailbox = f" in the mailbox {window.mailbox}" if window.mailbox else ""
    return (
        f"{count:,} of {window.total:,} deletions whose time is known took place{mailbox} "
        f"{_when(window.seconds)}. {_line(window, whole=True)} "
        f"The busiest {name} saw {busiest:,}."
    )
