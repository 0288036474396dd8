"""File names that sort by date, are legal on Windows, and never collide."""

from __future__ import annotations

import hashlib
import re
import unicodedata
from datetime import UTC, datetime, tzinfo
from pathlib import Path

from mailforensics.errors import ExportError

__all__ = ["LONGEST", "LONGEST_PATH", "Names", "collision_key", "legal", "name_limit", "shorten"]

LONGEST = 120
"""Bytes of UTF-8 that a file name may have."""

LONGEST_PATH = 259
"""UTF-16 units that a whole path may have on Windows (MAX_PATH less its closing NUL)."""

SHORTEST = 48
"""Bytes that a name needs: date, time, a few letters, eight digits, suffix."""

DEVICES = frozenset(
    ["CON", "PRN", "AUX", "NUL", "CONIN$", "CONOUT$", "CLOCK$"]
    + [f"{port}{sign}" for port in ("COM", "LPT") for sign in "0123456789¹²³"]
)
"""Names that Windows keeps for devices, whatever follows their first dot."""

_ILLEGAL = re.compile(r'[<>:"/\\|?*]')
_SPACES = re.compile(r"[\s_]+")
_DROPPED = frozenset({"Cc", "Cf", "Cs", "Co", "Cn"})
_EDGES = "._- "


def legal(text: str, limit: int = LONGEST) -> str:
    """Turn any text into a file name without suffix that every common file system takes.

    Control, formatting (bidirectional overrides too), private and unassigned characters go;
    white space and the signs that Windows refuses become ``_``; device names are defused.

    Returns
    -------
    str
        In Unicode normal form C, at most ``limit`` bytes of UTF-8; ``""`` if nothing is left.
    """
    kept = "".join(map(_replaced, unicodedata.normalize("NFC", _printable(text))))
    # Dropping a sign may bring two together that compose.
    kept = unicodedata.normalize("NFC", _SPACES.sub("_", _ILLEGAL.sub("_", kept)))
    name = shorten(_trimmed(kept), limit)
    return shorten(f"_{name}", limit) if _is_device(name) else name


def _printable(text: str) -> str:
    return text.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "ignore")


def _replaced(sign: str) -> str:
    kind = unicodedata.category(sign)
    if kind.startswith("Z") or sign.isspace():
        return " "
    return "" if kind in _DROPPED else sign


def _trimmed(text: str) -> str:
    text = text.strip(_EDGES)
    while text and unicodedata.category(text[0]).startswith("M"):
        text = text[1:].lstrip(_EDGES)
    return text


def _is_device(name: str) -> bool:
    return name.split(".", 1)[0].rstrip(" ").upper() in DEVICES


def shorten(text: str, limit: int) -> str:
    """Cut a text to ``limit`` bytes of UTF-8, with ``…`` where it was cut.

    A letter is not parted from the marks that belong to it.
    """
    if len(text.encode()) <= limit:
        return text
    end = len(text.encode()[: limit - 3].decode("utf-8", "ignore"))
    while end and unicodedata.category(text[end]).startswith("M"):
        end -= 1
    return f"{text[:end].rstrip(_EDGES)}…"


def collision_key(name: str) -> str:
    """Return what two names share when some file system takes them for one."""
    folded = unicodedata.normalize("NFD", name).casefold()
    return unicodedata.normalize("NFD", folded)


def name_limit(folder: Path) -> int:
    """Return how many bytes a name in this folder may have.

    Raises
    ------
    ExportError
        The path of the folder leaves no room for a name on Windows.
    """
    # A text never has more UTF-16 units than bytes of UTF-8.
    units = len(str(folder.absolute()).encode("utf-16-le", "surrogatepass")) // 2
    room = LONGEST_PATH - units - 1
    if room < SHORTEST:
        raise ExportError(
            f"The path of the folder {folder} is too long: Windows could not open files in it.",
            hint="Choose a folder with a shorter path.",
        )
    return min(LONGEST, room)


class Names:
    """Gives out the names of one export; none twice, not even in other case or composition.

    Parameters
    ----------
    tz : tzinfo
        Zone in which the date and time in the names are given. In the one hour a year that a
        clock runs twice, names sort by the clock; the manifest has UTC.
    limit : int
        Bytes that a name may have.
    """

    def __init__(self, tz: tzinfo = UTC, limit: int = LONGEST, suffix: str = ".eml") -> None:
        self._tz = tz
        self._limit = limit
        self._suffix = suffix
        self._taken: set[str] = set()

    def take(self, subject: str | None, sent_at: datetime | None, item_id: str) -> str:
        """Return a new name: ``2026-11-12_1742_subject_1a2b3c4d.eml``, undated ones first.

        Parameters
        ----------
        subject : str or None
            As decoded; may hold anything.
        sent_at : datetime or None
            Aware; None gives ``0000-undated``.
        item_id : str
            Hexadecimal; its first eight digits close the name, more where they collide.
        """
        digits = _hexadecimal(item_id)
        for count in (8, 12, 16, 32):
            if name := self._free(subject, sent_at, digits[:count]):
                return name
        number = 2
        while not (name := self._free(subject, sent_at, f"{digits}-{number}")):
            number += 1
        return name

    def _free(self, subject: str | None, sent_at: datetime | None, tail: str) -> str:
        ends = len(tail) + len(self._suffix) + 2
        head = self._moment(sent_at)
        middle = legal(subject or "", max(self._limit - len(head) - ends, 4)) or "no_subject"
        name = f"{head}_{middle}_{tail}{self._suffix}"
        key = collision_key(name)
        if key in self._taken:
            return ""
        self._taken.add(key)
        return name

    def _moment(self, sent_at: datetime | None) -> str:
        if sent_at is None:
            return "0000-undated"
        try:
            local = sent_at.astimezone(self._tz)
        except OverflowError:
            local = sent_at
        return f"{local.year:04}-{local:%m-%d_%H%M}"


def _hexadecimal(item_id: str) -> str:
    if re.fullmatch(r"[0-9a-f]{8,64}", item_id):
        return item_id
    return hashlib.sha256(item_id.encode("utf-8", "surrogatepass")).hexdigest()[:32]
