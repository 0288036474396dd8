"""How the figures look: colours safe for colour-blind eyes, and the same frame for each."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mailforensics import fonts
from mailforensics.charts.chart import Chart

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = [
    "BLACK",
    "BLUE",
    "GREEN",
    "GREY",
    "INK",
    "LANGUAGES",
    "MARK",
    "ORANGE",
    "PURPLE",
    "Frame",
    "fit",
    "shown",
    "speak",
]

# Okabe and Ito's palette: tells apart for all common kinds of colour blindness.
BLUE, GREEN = "#0072B2", "#009E73"
ORANGE, PURPLE, MARK, BLACK = "#E69F00", "#CC79A7", "#D55E00", "#000000"
GREY, INK = "#C9CED6", "#2B2F36"

LANGUAGES = frozenset({"en"})
"""Languages for which the figures have texts."""

_WIDTH = 9.0
_LEFT, _RIGHT = 0.75, 0.4
_TOP, _BOTTOM = 0.95, 0.85


_KEY: dict[str, Any] = {
    "frameon": False, "fontsize": 9.5, "labelcolor": INK, "handlelength": 1.2,
    "handleheight": 0.9, "handletextpad": 0.5, "columnspacing": 1.6, "borderaxespad": 0.0,
}  # fmt: skip


class Frame:
    """A figure with a title above, a line of words below it, and one pair of axes.

    Parameters
    ----------
    height : float
        Height of the axes in inches.
    left : float
        Room left of the axes in inches.
    bottom : float
        Room below the axes in inches.
    key_rows : int
        Rows of the key between the words and the axes.
    language : str
        Language that is asked for.
    """

    def __init__(
        self,
        height: float,
        *,
        left: float = _LEFT,
        bottom: float = _BOTTOM,
        key_rows: int = 1,
        language: str = "en",
    ) -> None:
        from matplotlib.backends.backend_agg import FigureCanvasAgg
        from matplotlib.figure import Figure

        whole = height + _TOP + 0.22 * (key_rows - 1) + bottom
        self.figure: Figure = Figure(figsize=(_WIDTH, whole), facecolor="white")
        FigureCanvasAgg(self.figure)
        self.left = left / _WIDTH
        self.language = speak(language)
        self._whole = whole
        box = (self.left, bottom / whole, 1 - (left + _RIGHT) / _WIDTH, height / whole)
        self.axes: Any = self.figure.add_axes(box)
        self._dress()

    def _dress(self) -> None:
        for side in ("top", "right", "left"):
            self.axes.spines[side].set_visible(False)
        self.axes.spines["bottom"].set_color(INK)
        self.axes.tick_params(colors=INK, labelsize=10, length=4)
        self.axes.tick_params(axis="y", length=0)
        self.axes.xaxis.label.set(color=INK, size=9.5)
        self.axes.yaxis.label.set(color=INK, size=9.5)
        self.axes.set_axisbelow(True)

    def words(self, title: str, line: str = "") -> None:
        """Write the title and the line below it."""
        left = 0.2 / _WIDTH
        self._write(left, 0.22, title, size=13.5, weight="bold")
        self._write(left, 0.52, line, size=10)

    def _write(self, x: float, below: float, text: str, **look: Any) -> None:
        y = 1 - below / self._whole
        written = self.figure.text(x, y, text, ha="left", va="center", color=INK, **look)
        fit(written, (_WIDTH - 0.4) * self.figure.dpi)

    def key(self, handles: list[Any], columns: int) -> None:
        """Write the key, left and right below the words."""
        self.figure.legend(
            handles=handles,
            loc="upper left",
            ncols=columns,
            bbox_to_anchor=(0.1 / _WIDTH, 1 - 0.64 / self._whole),
            **_KEY,
        )

    def nothing(self, text: str) -> None:
        """Show that there is nothing to draw."""
        self.axes.set_xticks([])
        self.axes.set_yticks([])
        self.axes.spines["bottom"].set_visible(False)
        self.axes.text(
            0.5, 0.5, text, ha="center", va="center", transform=self.axes.transAxes,
            color=INK, size=11,
        )  # fmt: skip

    def chart(self, title: str, sentence: str) -> Chart:
        """Return the finished chart."""
        return Chart(self.figure, sentence, title, self.language)


def fit(text: Any, room: float) -> None:
    """Make a text smaller until it is no wider than ``room`` pixels."""
    wide = text.get_window_extent().width
    if wide > room:
        text.set_fontsize(text.get_fontsize() * room / wide)


def speak(language: str) -> str:
    """Return the language in which a figure speaks: the one that is asked for, else English."""
    return language if language in LANGUAGES else "en"


def shown(text: str, fallback: str, most: int = 32) -> str:
    """Return a name as the fonts can draw it, cut in the middle when it is long."""
    name = fonts.drawable(text, fallback)
    return name if len(name) <= most else f"{name[: most // 2]}…{name[-most // 2 + 1 :]}"
