"""Fonts for the figures: the first installed one that holds Chinese, and what to do without.

Fonts are looked up in matplotlib's list of installed fonts, so that nothing is printed about
fonts that are not there.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator
from contextlib import contextmanager
from functools import cache
from typing import Any

__all__ = ["FAMILIES", "apply", "cjk_family", "drawable", "settings", "status", "used"]

FAMILIES = (
    "Microsoft YaHei",
    "PingFang SC",
    "Noto Sans CJK SC",
    "Noto Sans SC",
    "Source Han Sans SC",
    "Source Han Sans CN",
    "Hiragino Sans GB",
    "Heiti SC",
    "STHeiti",
    "WenQuanYi Micro Hei",
    "WenQuanYi Zen Hei",
    "SimHei",
    "SimSun",
    "Droid Sans Fallback",
    "Arial Unicode MS",
    "Noto Sans CJK JP",
    "Noto Sans CJK TC",
)
"""Families that hold Chinese, best first: Windows, macOS, Linux."""

_BASE = "DejaVu Sans"


@cache
def cjk_family() -> str | None:
    """Return the first installed family of :data:`FAMILIES`, None when there is none."""
    from matplotlib.font_manager import fontManager

    installed = {entry.name for entry in fontManager.ttflist}
    return next((name for name in FAMILIES if name in installed), None)


def settings() -> Any:
    """Return the matplotlib settings under which the figures are made and drawn."""
    chosen = cjk_family()
    return {
        "font.family": [_BASE] if chosen is None else [_BASE, chosen],
        "axes.unicode_minus": False,
        "text.parse_math": False,
        "svg.fonttype": "path",
        "svg.hashsalt": "mailforensics",
    }


@contextmanager
def used() -> Iterator[None]:
    """Use the settings inside a ``with`` block and leave the caller's as they were."""
    import matplotlib as mpl

    with mpl.rc_context(settings()):
        yield


def apply() -> str:
    """Use the fonts for every figure from now on; return the sentence of :func:`status`."""
    import matplotlib as mpl

    mpl.rcParams.update(settings())
    return status()


def status() -> str:
    """Say which font shows Chinese in the figures, or how to get one."""
    chosen = cjk_family()
    if chosen is not None:
        return f"Chinese text in the figures is drawn with {chosen}."
    return (
        "No font with Chinese characters is installed: figures name people and folders that are "
        "written in Chinese by a number, and the sentence below the figure gives the name. "
        "To get one: Debian and Ubuntu, install the package fonts-noto-cjk; Fedora, "
        "google-noto-sans-cjk-fonts; Windows and macOS bring one. Then start again."
    )


def drawable(text: str, fallback: str) -> str:
    """Return text as the fonts can draw it.

    Control and direction characters are left out. A text with a character that no font holds
    becomes its ASCII part, or ``fallback`` when less than three letters are left.
    """
    shown = "".join(sign for sign in text if unicodedata.category(sign) not in _UNSEEN).strip()
    known = _signs()
    if shown and all(ord(sign) in known for sign in shown):
        return shown
    plain = "".join(sign for sign in shown if sign.isascii()).strip()
    return plain if sum(sign.isalnum() for sign in plain) >= 3 else fallback


_UNSEEN = frozenset({"Cc", "Cf", "Cs", "Co", "Cn", "Zl", "Zp"})


@cache
def _signs() -> frozenset[int]:
    """Return the code points that the base font or the chosen one holds."""
    from matplotlib.font_manager import FontProperties, fontManager, get_font

    names = [_BASE] if cjk_family() is None else [_BASE, str(cjk_family())]
    found: set[int] = set()
    for name in names:
        path = fontManager.findfont(FontProperties(family=[name]), fallback_to_default=False)
        found.update(get_font(path).get_charmap())
    return frozenset(found)
