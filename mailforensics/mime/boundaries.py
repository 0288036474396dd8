"""Boundaries (RFC 2046 section 5.1.1): where the parts of a multipart body begin and end."""

from __future__ import annotations

import re
from dataclasses import dataclass

__all__ = ["Division", "divide", "guess_boundary"]

MAX_PIECES = 5000
"""Parts of one multipart body that are looked at."""

_GUESS = re.compile(rb"^--([^\s-][^\s]{0,199}|-{2,60}[^\s-][^\s]{0,150})[ \t]*\r?\n", re.MULTILINE)
_GUESS_WITHIN = 65536


@dataclass(slots=True)
class Division:
    """How a boundary divides a body.

    Attributes
    ----------
    pieces : list of (int, int)
        Start and end of each part, headers included, the line end before a boundary excluded.
    closed : bool
        Whether the closing boundary is there.
    stop : int
        Where the closing boundary line ends, or the body when there is none.
    full : bool
        Whether there were more pieces than are looked at.
    """

    pieces: list[tuple[int, int]]
    closed: bool
    stop: int
    full: bool = False


def divide(raw: bytes, start: int, end: int, boundary: bytes) -> Division:
    """Find the parts between the boundary lines in ``raw[start:end]``, in one pass."""
    mark = b"--" + boundary
    size = len(mark)
    pieces: list[tuple[int, int]] = []
    opened = -1
    found = raw.find(mark, start, end)
    while found >= 0:
        after = found + size
        if found == start or raw[found - 1] == 10:
            line = raw.find(b"\n", after, end)
            line = end if line < 0 else line
            tail = raw[after : min(line, after + 80)].strip()
            if tail in (b"", b"--"):
                if opened >= 0:
                    pieces.append((opened, _before_line_end(raw, opened, found)))
                if tail:
                    return Division(pieces, True, min(line + 1, end))
                opened = after = min(line + 1, end)
                if len(pieces) >= MAX_PIECES:
                    return Division(pieces, False, end, full=True)
                after = max(opened - 1, found + size)
        found = raw.find(mark, after, end)
    if opened >= 0:
        pieces.append((opened, end))
    return Division(pieces, False, end)


def _before_line_end(raw: bytes, start: int, position: int) -> int:
    """Step back over the line end that belongs to the boundary."""
    if position > start and raw[position - 1] == 10:
        position -= 1
        if position > start and raw[position - 1] == 13:
            position -= 1
    return position


def guess_boundary(raw: bytes, start: int, end: int) -> bytes | None:
    """Find a line that serves as boundary where the named one is missing or does not occur.

    It must occur again as a closing boundary.
    """
    found = _GUESS.search(raw, start, min(end, start + _GUESS_WITHIN))
    if found is None:
        return None
    boundary = found.group(1)
    return boundary if raw.find(b"\n--" + boundary + b"--", found.end() - 2, end) >= 0 else None
