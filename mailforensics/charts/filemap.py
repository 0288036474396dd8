"""Where deleted messages were found in an Outlook file, and what lies around them."""

from __future__ import annotations

from typing import Any, Final

import numpy as np
import pandas as pd

from mailforensics import fonts
from mailforensics.charts.chart import Chart
from mailforensics.charts.space import COLUMNS, KINDS, Grid, grid_of, say_size
from mailforensics.charts.style import BLACK, GREY, INK, MARK, Frame, shown

__all__ = ["file_map"]

_WORDS: Final = {
    "live": "in use",
    "free": "free",
    "index": "the file's own lists",
    "recovered": "deleted messages that were found",
}
_LOOKS: Final[dict[str, dict[str, Any]]] = {
    "live": {"facecolor": "#A9D0E8", "edgecolor": "#A9D0E8", "linewidth": 0.0},
    "free": {"facecolor": "#FFFFFF", "edgecolor": "#9AA3AE", "hatch": "...", "linewidth": 0.0},
    "index": {"facecolor": GREY, "edgecolor": INK, "hatch": "/////", "linewidth": 0.0},
    "recovered": {"facecolor": MARK, "edgecolor": BLACK, "linewidth": 0.5},
}
_FOOT_EMPTY: Final = "A square shows what fills most of it."
_FOOT: Final = f"{_FOOT_EMPTY} Its dark part, at least a third, stands for deleted messages."
_LEAST: Final = 0.3
"""Part of a square that is dark at least, so that one message is seen in any file."""
_NOTES: Final = 11
_GAP: Final = 0.17
_RIGHT: Final = 1


@fonts.used()
def file_map(frame: pd.DataFrame, *, name: str, language: str = "en") -> Chart:
    """Draw an Outlook file as rows of squares.

    Parameters
    ----------
    frame : DataFrame
        ``start, stop`` (bytes, half-open) and ``kind``: ``live``, ``free``, ``index`` or
        ``recovered``; ``item_id`` of the message that recovered bytes belong to (else each range
        is a message), and ``sure`` where it was deleted for sure, may be there too.
    name : str
        Of the file, as it stands in the title.
    language : str
        Language of the texts; English where there are none in this language.
    """
    grid = grid_of(frame)
    label = shown(name, "the file", most=40)
    tall = min(max(grid.rows * 0.16, 1.4), 4.8)
    picture = Frame(tall, left=0.95, bottom=0.45, language=language)
    title = _title(grid, label)
    if not grid.size:
        picture.words(title)
        picture.nothing("Nothing is known of what lies where in this file.")
        return picture.chart(title, f"{title}. Nothing is known of what lies where in it.")
    _draw(picture.axes, grid, tall)
    picture.key(_key(grid), columns=4)
    picture.words(title, _line(grid))
    return picture.chart(title, _sentence(grid, _title(grid, name)))


def _draw(axes: Any, grid: Grid, tall: float) -> None:
    from matplotlib.collections import PatchCollection

    for number, kind in enumerate(KINDS):
        boxes = _marks(grid.gone) if kind == "recovered" else _boxes(grid.kinds == number)
        if boxes:
            axes.add_collection(PatchCollection(boxes, **_LOOKS[kind]))
    axes.set_xlim(0, COLUMNS + _NOTES * (grid.messages > 0) + _RIGHT)
    axes.set_ylim(grid.rows, 0)
    axes.set_xticks([])
    axes.spines["bottom"].set_visible(False)
    axes.set_xlabel(_FOOT if grid.messages else _FOOT_EMPTY, loc="left", labelpad=6, size=9)
    apart = max(1, int(np.ceil(grid.rows / tall * 0.3)))
    steps = range(0, grid.rows, _round(apart))
    axes.set_yticks([step + 0.5 for step in steps])
    axes.set_yticklabels([say_size(step * COLUMNS * grid.cell) for step in steps])
    axes.tick_params(axis="y", labelsize=8.5)
    _notes(axes, grid, max(1, int(np.ceil(grid.rows / tall * _GAP))))


def _round(step: int) -> int:
    """Return the next power of two, so that labels are round numbers."""
    return 1 << (step - 1).bit_length()


def _boxes(mine: Any) -> list[Any]:
    """Return a box for each run of equal squares in a row."""
    from matplotlib.patches import Rectangle

    rows = -(-len(mine) // COLUMNS)
    squares = np.zeros(rows * COLUMNS, np.bool_)
    squares[: len(mine)] = mine
    fence = np.zeros((rows, 1), np.int8)
    edges = np.diff(np.hstack([fence, squares.reshape(rows, COLUMNS), fence]).astype(np.int8))
    begin, end = np.argwhere(edges == 1), np.argwhere(edges == -1)
    return [
        Rectangle((left, row + 0.06), right - left, 0.88)
        for (row, left), (_, right) in zip(begin.tolist(), end.tolist(), strict=True)
    ]


def _marks(gone: Any) -> list[Any]:
    """Return a box for each square with a part of a message, as tall as that part."""
    from matplotlib.patches import Rectangle

    found = np.flatnonzero(gone)
    shares = np.clip(gone[found], _LEAST, 1.0) * 0.88
    return [
        Rectangle((at % COLUMNS + 0.04, at // COLUMNS + 0.94 - share), 0.92, share)
        for at, share in zip(found.tolist(), shares.tolist(), strict=True)
    ]


def _notes(axes: Any, grid: Grid, apart: int) -> None:
    """Write right of the rows how many messages begin there; rows close together share a note."""
    rows, counts = np.unique(grid.first_rows, return_counts=True)
    waiting = list(zip(rows.tolist(), counts.tolist(), strict=True))
    while waiting:
        first, count = waiting.pop(0)
        last = first
        while waiting and waiting[0][0] - first < apart:
            last, more = waiting.pop(0)
            count += more
        middle = (first + last + 1) / 2
        axes.plot([COLUMNS + 0.4] * 2, [first + 0.1, last + 0.9], color=MARK, linewidth=2)
        text = "1 starts here" if count == 1 else f"{count:,} start here"
        axes.text(COLUMNS + 1, middle, text, va="center", ha="left", size=8.5, color=INK)


def _key(grid: Grid) -> list[Any]:
    from matplotlib.patches import Patch

    return [
        Patch(label=f"{_WORDS[kind]}, {say_size(grid.bytes_of[kind])}", **_edged(kind))
        for kind in reversed(KINDS)
        if grid.bytes_of[kind]
    ]


def _edged(kind: str) -> dict[str, Any]:
    """Return how a sample in the key looks: as in the figure, with an edge."""
    look = {**_LOOKS[kind], "linewidth": 0.7}
    return look | ({"edgecolor": INK} if kind == "live" else {})


def _many(grid: Grid) -> str:
    return "1 deleted message" if grid.messages == 1 else f"{grid.messages:,} deleted messages"


def _title(grid: Grid, name: str) -> str:
    if not grid.messages:
        return f"No deleted message was found outside the folders of {name}"
    were = "was" if grid.messages == 1 else "were"
    if not grid.sure:
        few = "1 message" if grid.messages == 1 else f"{grid.messages:,} messages"
        return f"{few} that no list leads to {were} found in {name}"
    place = "the free space of " if grid.inside else ""
    return f"{_many(grid)} {were} found in {place}{name}"


def _line(grid: Grid) -> str:
    read = "read them from left to right, line by line"
    return f"{say_size(grid.size)} in squares of {say_size(grid.cell)}; {read}."


def _sentence(grid: Grid, title: str) -> str:
    """Say in words what the figure shows."""
    live, free, index = (grid.bytes_of[kind] / grid.size for kind in KINDS[:3])
    said = [
        f"{title}.",
        f"Of its {say_size(grid.size)}, {live:.0%} are in use, {free:.0%} are free, and "
        f"{index:.0%} hold the file's own lists.",
    ]
    if grid.messages:
        what = "The message takes" if grid.messages == 1 else "Together the messages take"
        said.append(f"{what} {say_size(grid.bytes_of['recovered'])}.")
        if not grid.inside:
            said.append("Not all of that lies where the file marks its space as free.")
    if not grid.sure:
        said.append("The file's own lists are damaged: some may not have been deleted.")
    said.append("Free space is overwritten when Outlook goes on writing to the file.")
    return " ".join(said)
