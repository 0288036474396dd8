"""How much mail there was, how much of it is deleted, and when deletions took place."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mailforensics import fonts
from mailforensics.charts.axis import clock, date_axis, local_seconds, say_date
from mailforensics.charts.chart import Chart
from mailforensics.charts.style import GREY, INK, MARK, Frame
from mailforensics.schema import DeletedAtKind

__all__ = ["activity"]

_DAY = 86400
_MONDAY = 4 * _DAY  # 5 January 1970
_INSIDE_A_DAY = frozenset({"5 minutes", "hour"})


@dataclass(frozen=True, slots=True)
class _Bins:
    """Stretches of the local clock: ``edges`` has one more value than there are stretches."""

    name: str
    edges: np.ndarray[Any, Any]

    def count(self, seconds: np.ndarray[Any, Any]) -> np.ndarray[Any, Any]:
        return np.histogram(seconds, self.edges)[0]


@fonts.used()
def activity(
    messages: pd.DataFrame, deleted: pd.DataFrame, *, tz: str = "UTC", language: str = "en"
) -> Chart:
    """Draw messages by day (week or month over long spans) with the deleted ones marked.

    Bars stand at the date of the message (sent, else received, else stored); triangles stand
    where messages were deleted, for deletions whose time is known exactly. A message in several
    places counts once.

    Parameters
    ----------
    messages, deleted : DataFrame
        Rows of :data:`mailforensics.schema.MESSAGES`: everything, and what is deleted.
    tz : str
        Time zone (IANA name) of days and hours.
    language : str
        Language of the texts; English where there are none in this language.
    """
    everything = _once(pd.concat([deleted[_NEEDED], messages[_NEEDED]]))
    gone = _once(deleted[_NEEDED])
    dates, lost = local_seconds(_date(everything), tz), local_seconds(_date(gone), tz)
    removed = local_seconds(gone.loc[_exact(gone), "deleted_at"], tz)
    title = _title(len(everything), len(gone))
    frame = Frame(2.9, language=language)
    spread = np.concatenate([dates, removed])
    if not len(spread):
        frame.words(title)
        frame.nothing("No message has a date that can be drawn.")
        return frame.chart(title, f"{title}. None has a date, so there is nothing to draw.")
    bins = _bins(float(spread.min()), float(spread.max()))
    _draw(frame, bins, dates=dates, lost=lost, removed=removed)
    date_axis(frame.axes, bins.edges[0], bins.edges[-1], tz)
    line = _peak(bins, removed)
    frame.words(title, line)
    undated = len(everything) - len(dates)
    return frame.chart(title, _sentence(title, line, bins, dates=dates, lost=lost, undated=undated))


_NEEDED = [
    "item_id", "content_key", "sent_at", "received_at", "stored_at", "deleted_at",
    "deleted_at_kind",
]  # fmt: skip


def _once(frame: pd.DataFrame) -> pd.DataFrame:
    """Keep one row a message: equal content is the same message in another place."""
    keys = frame["content_key"].fillna(frame["item_id"])
    return frame[~keys.duplicated()]


def _date(frame: pd.DataFrame) -> pd.Series:
    return frame["sent_at"].fillna(frame["received_at"]).fillna(frame["stored_at"])


def _exact(frame: pd.DataFrame) -> pd.Series:
    exact = frame["deleted_at_kind"] == DeletedAtKind.EXACT.value
    return exact.fillna(False).astype(bool)


def _bins(low: float, high: float) -> _Bins:
    """Return a size that suits the span: 5 minutes for three hours, months for fifteen years."""
    span = high - low
    if span <= 3 * 3600:
        return _Bins("5 minutes", _even(low, high, 300, 0, least=12))
    if span <= 3 * _DAY:
        return _Bins("hour", _even(low, high, 3600, 0, least=6))
    if span <= 124 * _DAY:
        return _Bins("day", _even(low, high, _DAY, 0))
    if span <= 3 * 366 * _DAY:
        return _Bins("week", _even(low, high, 7 * _DAY, _MONDAY))
    first, last = (np.datetime64(int(at), "s").astype("datetime64[M]") for at in (low, high))
    step = 1 if span <= 15 * 366 * _DAY else 12
    first = first if step == 1 else first.astype("datetime64[Y]").astype("datetime64[M]")
    edges = np.arange(first, last + step + 1, step).astype("datetime64[s]").astype(np.int64)
    return _Bins("month" if step == 1 else "year", edges.astype(np.float64))


def _even(low: float, high: float, step: int, origin: int, least: int = 1) -> np.ndarray[Any, Any]:
    first = np.floor((low - origin) / step)
    count = max(int(np.floor((high - origin) / step) - first) + 1, least)
    return np.asarray((first + np.arange(count + 1)) * step + origin, dtype=np.float64)


def _draw(picture: Frame, bins: _Bins, *, dates: Any, lost: Any, removed: Any) -> None:
    axes = picture.axes
    counts, gone, moments = (bins.count(values) for values in (dates, lost, removed))
    top = max(int(counts.max()), 1)
    left, width = bins.edges[:-1], np.diff(bins.edges) * 0.86
    # What is deleted stays visible however little it is: at least a line high.
    floor = np.where(gone > 0, np.maximum(gone, top * 0.014), 0)
    rest = np.maximum(counts - floor, 0)
    look = {"align": "edge", "width": width}
    keys = [axes.bar(left, floor, color=MARK, label="deleted", **look)]
    keys.append(axes.bar(left, rest, bottom=floor, color=GREY, label="still there", **look))
    if moments.any():
        at = (left + width / 2)[moments > 0]
        label = "deletion took place"
        mark: dict[str, Any] = {
            "color": INK,
            "markersize": 8,
            "clip_on": False,
            "linestyle": "none",
        }
        keys += axes.plot(at, np.full(len(at), top * 1.1), "v", label=label, **mark)
    axes.set_ylim(0, top * 1.18)
    _finish(axes, bins)
    picture.key(keys, 3)


def _finish(axes: Any, bins: _Bins) -> None:
    from matplotlib.ticker import MaxNLocator, StrMethodFormatter

    axes.yaxis.set_major_locator(MaxNLocator(4, integer=True))
    axes.yaxis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))
    axes.yaxis.grid(True, color="#E3E6EA", linewidth=0.8)
    axes.set_ylabel(f"messages each {bins.name}")


def _title(count: int, gone: int) -> str:
    if not count:
        return "There are no messages"
    if count == 1:
        return f"The only message is {'deleted' if gone else 'not deleted'}"
    if not gone:
        return f"None of {count:,} messages is deleted"
    return f"{gone:,} of {count:,} messages {'is' if gone == 1 else 'are'} deleted"


def _peak(bins: _Bins, removed: Any) -> str:
    if not len(removed):
        return "The exact time of deletion is not known for any message."
    counts = bins.count(removed)
    place = int(counts.argmax())
    then = _when(bins, place)
    if int(counts[place]) == len(removed):
        return f"All deletions whose time is known ({len(removed):,}) took place {then}."
    return (
        f"Of {len(removed):,} deletions whose time is known, {int(counts[place]):,} took place "
        f"{then}, the most."
    )


def _when(bins: _Bins, place: int) -> str:
    low, high = bins.edges[place], bins.edges[place + 1]
    if bins.name in _INSIDE_A_DAY:
        return f"on {say_date(low)} between {clock(low):%H:%M} and {clock(high):%H:%M}"
    return (
        f"on {say_date(low)}" if bins.name == "day" else f"in the {bins.name} from {say_date(low)}"
    )


def _stretch(seconds: Any) -> str:
    first, last = say_date(seconds.min()), say_date(seconds.max())
    return f"from {first}" if first == last else f"from {first} to {last}"


def _sentence(title: str, line: str, bins: _Bins, *, dates: Any, lost: Any, undated: int) -> str:
    parts = [f"{title}."]
    if len(dates):
        parts.append(f"The messages date {_stretch(dates)}, drawn by {bins.name}.")
    if len(lost):
        parts.append(f"The deleted ones date {_stretch(lost)}.")
        parts.append(line)
    if undated:
        parts.append(f"{undated:,} without a date are not drawn.")
    return " ".join(parts)
