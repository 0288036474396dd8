"""Values in words: times with their offset, sizes, and text from evidence made harmless."""

from __future__ import annotations

import json
import unicodedata
from datetime import datetime, tzinfo
from typing import Any

from mailforensics.export.cells import without_controls

__all__ = ["cut", "flat", "size", "time", "visible"]

LONGEST_TEXT = 400
"""Characters of one text from the evidence that the report shows."""

_KEPT = frozenset("\u200c\u200d\n\t")
_UNSEEN = frozenset({"Cf", "Cc", "Zl", "Zp"})


def visible(text: str) -> str:
    """Show signs that cannot be seen, or that turn the direction of writing, as their code.

    Control characters become their pictures, lone surrogates ``�``; the joiners of Persian, Indic
    scripts and emoji stay.
    """
    text = without_controls(text)
    return text if text.isascii() else "".join(map(_sign, text))


def _sign(sign: str) -> str:
    if sign in _KEPT or unicodedata.category(sign) not in _UNSEEN:
        return sign
    return f"‹U+{ord(sign):04X}›"


def cut(text: str, more: str, longest: int = LONGEST_TEXT) -> str:
    """Cut a long text; ``more`` holds ``{n}`` for the number of characters left out."""
    rest = len(text) - longest
    return text if rest <= 0 else text[:longest] + more.format(n=f"{rest:,}")


def time(moment: datetime | None, zone: tzinfo, unknown: str = "") -> str:
    """Return ``2026-11-12 17:42:07 +08:00``; the offset never stands on a line of its own."""
    if moment is None:
        return unknown
    try:
        local = moment.astimezone(zone)
    except OverflowError:
        local = moment
    text = local.isoformat(" ", "seconds")
    return f"{text[:19]}\N{NO-BREAK SPACE}{text[19:]}"


def size(count: int | None) -> str:
    """Return a number of bytes in the largest unit that fits, by thousands."""
    if count is None:
        return ""
    amount, unit = float(count), "bytes"
    for larger in ("KB", "MB", "GB", "TB"):
        if amount < 1000:
            break
        amount, unit = amount / 1000, larger
    return f"{count:,} bytes" if unit == "bytes" else f"{amount:.1f} {unit}"


def flat(value: Any) -> str:
    """Return any value of the custody log as one line of text."""
    if value is None:
        return ""
    if isinstance(value, dict):
        return "; ".join(f"{key}: {flat(part)}" for key, part in value.items())
    if isinstance(value, list | tuple):
        return ", ".join(flat(part) for part in value)
    if isinstance(value, str):
        return value
    return json.dumps(value, ensure_ascii=False, default=str)
