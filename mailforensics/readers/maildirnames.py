"""What the names in a Maildir say: delivery time, sizes and flags of a message, paths of folders.

A message is ``TIME.UNIQUE.HOST,S=SIZE,W=SIZE:2,FLAGS``; where ``:`` is not allowed, copies of a
Maildir use another sign.
"""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from types import MappingProxyType
from urllib.parse import quote, unquote_to_bytes

from mailforensics.readers.folders import decode_imap_utf7

__all__ = ["FLAGS", "MailName", "folder_name", "parse_name", "path_of_ref", "ref_of_path"]

FLAGS = MappingProxyType(
    {"D": "draft", "F": "flagged", "P": "passed", "R": "replied", "S": "seen", "T": "trashed"}
)
"""Letters after ``:2,`` and what they mean."""

_NAME = re.compile(r"(.+?)(?:[:;!+%_\uf022\uf03a：-]2,([A-Za-z]*)(?:,.*)?)?", re.S)
_TIME = re.compile(r"(\d{9,11})[._](?:[^.,]{0,64}?M(\d{1,6})(?!\d))?")
_SIZE = re.compile(r",S=(\d{1,18})(?:,|$)")
_CRLF_SIZE = re.compile(r",W=(\d{1,18})(?:,|$)")
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_PLAIN, _CODED = "file:", "filebytes:"


@dataclass(frozen=True, slots=True)
class MailName:
    """The name of a message file, taken apart.

    Attributes
    ----------
    base
        Without flags: it stays the same as long as the message stays in the store.
    flags
        The letters; None when the name has no place for flags.
    delivered_at
        UTC, from the time at the beginning; None when there is none.
    size, crlf_size
        Bytes that the message must have, as stored and with CRLF line ends; None when unsaid.
    """

    base: str
    flags: str | None
    delivered_at: datetime | None
    size: int | None
    crlf_size: int | None

    @property
    def key(self) -> str:
        """The base without sizes, by which messages of one store are told apart."""
        return self.base.partition(",")[0]


def _number(found: re.Match[str] | None) -> int | None:
    return int(found.group(1)) if found else None


def _time(base: str) -> datetime | None:
    found = _TIME.match(base)
    if found is None or int(found.group(1)) > 32503680000:
        return None
    micro = int(found.group(2) or 0)
    return _EPOCH + timedelta(seconds=int(found.group(1)), microseconds=micro)


def parse_name(name: str) -> MailName:
    """Take the name of a message file apart."""
    found = _NAME.fullmatch(name)
    base, flags = found.groups() if found else (name, None)
    size, crlf_size = _number(_SIZE.search(base)), _number(_CRLF_SIZE.search(base))
    return MailName(base, flags, _time(base), size, crlf_size)


def folder_name(parts: tuple[str, ...]) -> str:
    """Return the readable path of a folder by the directories that lead to it; () is INBOX.

    ``.Work.2024`` (Maildir++) and ``Work/2024`` both give ``Work/2024``.
    """
    names: list[str] = []
    for part in parts:
        pieces = part.strip(".").split(".") if part.startswith(".") else [part]
        names += [decode_imap_utf7(piece) for piece in pieces if piece]
    return "/".join(names) or "INBOX"


def ref_of_path(relative: str) -> str:
    """Return the ``source_ref`` of a file; names that are no Unicode are written in ``%`` codes."""
    try:
        relative.encode("utf-8")
    except UnicodeEncodeError:
        return _CODED + quote(os.fsencode(relative))
    return _PLAIN + relative


def path_of_ref(source_ref: str) -> str | None:
    """Return the relative path that a ``source_ref`` names, or None when it names no file."""
    if source_ref.startswith(_CODED):
        return os.fsdecode(unquote_to_bytes(source_ref.removeprefix(_CODED)))
    return source_ref.removeprefix(_PLAIN) if source_ref.startswith(_PLAIN) else None
