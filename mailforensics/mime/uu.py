"""Uuencoded files inside the text of a message."""

from __future__ import annotations

import re
from dataclasses import dataclass

from mailforensics.mime.words import decode_header

__all__ = ["UuFile", "find_uu"]

MAX_FILES = 200
"""Files in one text that are listed."""

_BEGIN = re.compile(rb"begin(?:-base64)?[ ]+[0-7]{3,4}[ ]+([^\r\n]{1,255})\r?\n")


@dataclass(frozen=True, slots=True)
class UuFile:
    """A file between ``begin`` and ``end``: its name, its place, whether ``end`` is there."""

    name: str
    start: int
    stop: int
    closed: bool


def find_uu(raw: bytes, start: int, end: int) -> list[UuFile]:
    """Find uuencoded files in ``raw[start:end]`` in one pass."""
    found: list[UuFile] = []
    position = raw.find(b"begin ", start, end)
    while position >= 0 and len(found) < MAX_FILES:
        after = position + 6
        if position == start or raw[position - 1] in b"\r\n":
            begin = _BEGIN.match(raw, position, end)
            if begin is not None and _is_data(raw, begin.end(), end):
                stop, closed = _end(raw, begin.end(), end)
                name = decode_header(begin.group(1))[0].strip()
                found.append(UuFile(name, position, stop, closed))
                after = stop
        position = raw.find(b"begin ", after, end)
    return found


def _is_data(raw: bytes, start: int, end: int) -> bool:
    """Say whether a line of uuencoded data stands there: its length fits its first sign."""
    line = raw.find(b"\n", start, min(end, start + 200))
    text = raw[start : line if line >= 0 else min(end, start + 200)].rstrip(b"\r")
    if text in (b"`", b" ", b"end"):
        return True
    if not text or not 33 <= text[0] <= 96:
        return False
    signs = ((text[0] - 32) * 4 + 2) // 3
    return abs(len(text) - 1 - signs) <= 4 and all(32 <= sign <= 96 for sign in text)


def _end(raw: bytes, start: int, end: int) -> tuple[int, bool]:
    """Find the line that says ``end``."""
    position = start - 1
    while (position := raw.find(b"\nend", position, end)) >= 0:
        if raw[position + 4 : position + 5] in (b"", b"\r", b"\n", b" ") or position + 4 == end:
            return position + 4, True
        position += 4
    return end, False
