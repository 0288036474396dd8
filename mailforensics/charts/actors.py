"""Who deleted what, from where: one lane for each account and client address."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
import pandas as pd

from mailforensics import fonts
from mailforensics.charts.axis import date_axis, local_seconds, say_date
from mailforensics.charts.chart import Chart
from mailforensics.charts.style import (
    BLACK,
    BLUE,
    GREEN,
    INK,
    MARK,
    ORANGE,
    PURPLE,
    Frame,
    fit,
    shown,
)  # fmt: skip
from mailforensics.schema import Operation

__all__ = ["who_deleted"]

_MOST_LANES = 10
_PLACES = 14
"""A row is cut in so many places; signs with less than one place between them are drawn as one."""
_ROW, _PAD, _LEFT = 0.21, 0.16, 2.3  # inches


@dataclass(frozen=True, slots=True)
class _Kind:
    """How an operation is drawn and called."""

    operation: str
    sign: str
    colour: str
    words: str


_KINDS = (
    _Kind(Operation.MARK_DELETED.value, "v", ORANGE, "marked as deleted"),
    _Kind(Operation.UNMARK_DELETED.value, "^", GREEN, "mark removed"),
    _Kind(Operation.MOVE.value, ">", BLUE, "moved"),
    _Kind(Operation.COPY.value, "d", BLUE, "copied"),
    _Kind(Operation.EXPUNGE.value, "X", MARK, "removed for good (expunged)"),
    _Kind(Operation.FOLDER_DELETE.value, "s", BLACK, "folder deleted"),
    _Kind(Operation.SESSION_SUMMARY.value, "P", PURPLE, "session that reports deletions"),
)
_REPORTS = r"\b(?:deleted|expunged|trashed)=0*[1-9]"


@dataclass(frozen=True, slots=True)
class _Lane:
    """One account at one address: ``mask`` says which rows are its own."""

    label: str
    name: str
    mask: np.ndarray[Any, Any]
    kinds: list[_Kind]
    removed: int

    @property
    def rows(self) -> int:
        """A lane is at least as high as its label."""
        return max(len(self.kinds), 2)

    @property
    def height(self) -> float:
        return self.rows * _ROW + _PAD


@fonts.used()
def who_deleted(events: pd.DataFrame, *, tz: str = "UTC", language: str = "en") -> Chart:
    """Draw who deleted what: a lane for each account and address, a sign for each operation.

    Parameters
    ----------
    events : DataFrame
        Rows of :data:`mailforensics.schema.EVENTS`.
    tz : str
        Time zone (IANA name) of days and hours.
    language : str
        Language of the texts; English where there are none in this language.
    """
    rows = _relevant(events)
    if rows.empty:
        title = "No log says who deleted anything"
        picture = Frame(1.2, language=language)
        picture.words(title)
        picture.nothing("There is no log line with a time about a deletion.")
        return picture.chart(title, f"{title}. A mail server's log could: add it as evidence.")
    rows = rows.assign(second=local_seconds(rows["at"], tz))
    lanes = _lanes(rows)
    present = [kind for kind in _KINDS if any(kind in lane.kinds for lane in lanes)]
    height, key_rows = sum(lane.height for lane in lanes), -(-len(present) // 4)
    picture = Frame(height, left=_LEFT, key_rows=key_rows, language=language)
    _draw(picture, rows, lanes, tz)
    picture.key([_handle(kind) for kind in present], 4)
    title, line = _title(rows, lanes), _line(rows)
    picture.words(title, line)
    return picture.chart(title, _sentence(lanes, line))


def _relevant(events: pd.DataFrame) -> pd.DataFrame:
    operation = events["operation"].astype("object")
    known = operation.isin([kind.operation for kind in _KINDS])
    summary = operation == Operation.SESSION_SUMMARY.value
    quiet = summary & ~events["detail"].astype("object").fillna("").str.contains(_REPORTS)
    keep = (known & ~quiet & events["at"].notna()).astype(bool)
    rows = events.loc[keep, ["at", "actor", "client_ip"]]
    return rows.assign(operation=operation[keep])


def _lanes(rows: pd.DataFrame) -> list[_Lane]:
    """Return the lanes with most removals first; when there are many, the last holds the others."""
    who = rows["actor"].astype("object").fillna("account not known")
    where = rows["client_ip"].astype("object").fillna("")
    codes, pairs = pd.MultiIndex.from_arrays([who, where]).factorize()
    expunged = (rows["operation"] == Operation.EXPUNGE.value).to_numpy(dtype=bool)
    counts, removed = np.bincount(codes), np.bincount(codes, weights=expunged)
    order = np.lexsort((np.arange(len(counts)), -counts, -removed))
    most = _MOST_LANES if len(order) <= _MOST_LANES else _MOST_LANES - 1
    lanes = [
        _lane(rows, codes == code, *_names(str(pairs[code][0]), str(pairs[code][1]), number))
        for number, code in enumerate(order[:most], 1)
    ]
    if len(order) > most:
        label = f"{len(order) - most:,} others"
        lanes.append(_lane(rows, np.isin(codes, order[most:]), label, label))
    return lanes


def _lane(rows: pd.DataFrame, mask: Any, label: str, name: str) -> _Lane:
    operations = rows["operation"].to_numpy()[mask]
    kinds = [kind for kind in _KINDS if (operations == kind.operation).any()]
    return _Lane(label, name, mask, kinds, int((operations == Operation.EXPUNGE.value).sum()))


def _names(who: str, where: str, number: int) -> tuple[str, str]:
    """Return the label of a lane, and the full name for the sentence."""
    label = shown(who, f"account {number}", 26)
    name = who if label == who else f"{who} ({label} in the figure)"
    if not where:
        return label, name
    return f"{label}\n{shown(where, 'address', 40)}", f"{name} from {where}"


def _draw(picture: Frame, rows: pd.DataFrame, lanes: list[_Lane], tz: str) -> None:
    axes = picture.axes
    seconds, operation = rows["second"].to_numpy(), rows["operation"].to_numpy()
    low, high = _limits(seconds)
    top, middles = 0.0, []
    for lane in lanes:
        axes.axhspan(top + 0.03, top + lane.height - 0.03, color="#F3F5F7", lw=0, zorder=0)
        middles.append(top + lane.height / 2)
        for row, kind in enumerate(lane.kinds):
            height = middles[-1] + (row + 0.5 - len(lane.kinds) / 2) * _ROW
            here = np.sort(seconds[lane.mask & (operation == kind.operation)])
            _signs(axes, here, height, kind, high - low)
        top += lane.height
    axes.set_yticks(middles, [lane.label for lane in lanes])
    axes.set_ylim(top, 0)
    date_axis(axes, low, high, tz)
    for label in axes.get_yticklabels():
        fit(label, (_LEFT - 0.2) * picture.figure.dpi)


def _limits(seconds: np.ndarray[Any, Any]) -> tuple[float, float]:
    low, high = float(seconds.min()), float(seconds.max())
    span = max(high - low, 600.0)
    return low - span * 0.05, low + span * 1.12


def _signs(axes: Any, seconds: Any, height: float, kind: _Kind, span: float) -> None:
    """Draw a sign for each cluster, a bar over its length with a stroke a moment, its number."""
    look = {"color": kind.colour, "zorder": 2}
    for part in _clusters(seconds, span / _PLACES):
        first, last = float(part[0]), float(part[-1])
        if last > first:
            axes.plot([first, last], [height, height], linewidth=1.2, **look)
            moments = np.unique(np.round(part / (span / 500))) * (span / 500)
            axes.plot(moments, np.full(len(moments), height), "|", markersize=5, **look)
        axes.plot(
            first, height, kind.sign, markersize=8, markeredgecolor="white", markeredgewidth=0.7,
            color=kind.colour, zorder=3,
        )  # fmt: skip
        if len(part) > 1:
            axes.annotate(
                f"{len(part):,}×", (last, height), (8, 0), textcoords="offset points",
                va="center_baseline", color=INK, size=8.5, zorder=4,
            )  # fmt: skip


def _clusters(seconds: np.ndarray[Any, Any], room: float) -> Iterator[np.ndarray[Any, Any]]:
    """Yield the stretches of sorted times that have no pause longer than ``room``."""
    if len(seconds):
        yield from np.split(seconds, np.flatnonzero(np.diff(seconds) > room) + 1)


def _handle(kind: _Kind) -> Any:
    from matplotlib.lines import Line2D

    look: dict[str, Any] = {"linestyle": "none", "markersize": 8, "markeredgecolor": "white"}
    return Line2D([], [], marker=kind.sign, color=kind.colour, label=kind.words, **look)


def _title(rows: pd.DataFrame, lanes: list[_Lane]) -> str:
    total = int((rows["operation"] == Operation.EXPUNGE.value).sum())
    label = lanes[0].label.replace("\n", " from ")
    if not total:
        return f"No message was removed for good; {label} did most"
    if lanes[0].removed == total:
        return f"All {total:,} removals were made by {label}"
    return f"{label} made {lanes[0].removed:,} of {total:,} removals"


def _line(rows: pd.DataFrame) -> str:
    first, last = say_date(rows["second"].min()), say_date(rows["second"].max())
    days = first if first == last else f"{first} to {last}"
    return f"{len(rows):,} log lines about deletions, {days}. Numbers count log lines."


def _sentence(lanes: list[_Lane], line: str) -> str:
    said = []
    for lane in lanes[:5]:
        others = int(lane.mask.sum()) - lane.removed
        said.append(f"{lane.name}: {lane.removed:,} removed for good, {others:,} other steps")
    more = f"; and {len(lanes) - 5:,} more lanes" if len(lanes) > 5 else ""
    return f"{line} {'; '.join(said)}{more}."
