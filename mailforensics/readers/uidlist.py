"""Dovecot's ``dovecot-uidlist`` and ``dovecot-keywords``: what a Maildir folder holds and held."""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from pathlib import Path

from mailforensics.readers.maildirnames import MailName, parse_name

__all__ = ["Listed", "UidList", "read_keywords", "read_uidlist"]

MAX_BYTES = 256 << 20
_KEYWORD = re.compile(r"(\d{1,2}) (\S.*)")


@dataclass(frozen=True, slots=True)
class Listed:
    """One line of the list: line number from 1, UID, and the file name without flags."""

    line: int
    uid: int
    name: MailName


@dataclass(slots=True)
class UidList:
    """A whole list.

    Attributes
    ----------
    version
        1 or 3.
    validity, guid
        Identify the mailbox: two copies with the same values are copies of the same mailbox.
    bad_lines
        Numbers of lines that could not be read.
    """

    version: int = 0
    validity: int | None = None
    guid: str | None = None
    entries: list[Listed] = field(default_factory=list)
    bad_lines: list[int] = field(default_factory=list)


def _header(listed: UidList, words: list[str]) -> None:
    listed.version = int(words[0]) if words and words[0].isdecimal() else 0
    if listed.version == 1 and len(words) > 1 and words[1].isdecimal():
        listed.validity = int(words[1])
    for word in words[1:] if listed.version != 1 else []:
        if word[0] == "V" and word[1:].isdecimal():
            listed.validity = int(word[1:])
        elif word[0] == "G":
            listed.guid = word[1:]


def _entry(number: int, line: str, version: int) -> Listed | None:
    uid, _, rest = line.partition(" ")
    name = rest if version == 1 else rest[1:] if rest[:1] == ":" else rest.partition(" :")[2]
    if not uid.isdecimal() or len(uid) > 10 or not name or "/" in name:
        return None
    return Listed(number, int(uid), parse_name(name))


def read_uidlist(path: Path) -> UidList | None:
    """Read a list, versions 1 and 3; None when there is none that can be read."""
    try:
        with path.open("rb") as stream:
            data = stream.read(MAX_BYTES)
    except OSError:
        return None
    lines = data.decode("utf-8", "surrogateescape").split("\n")
    listed = UidList()
    _header(listed, lines[0].split())
    if listed.version not in {1, 3}:
        return None
    for number, line in enumerate(lines[1:], 2):
        if not line.strip("\0"):
            continue
        entry = _entry(number, line, listed.version)
        if entry is None:
            listed.bad_lines.append(number)
        else:
            listed.entries.append(entry)
    return listed


def read_keywords(path: Path) -> dict[str, str]:
    """Read ``dovecot-keywords``: flag letter (a to z) -> name of the keyword."""
    try:
        with path.open("rb") as stream:
            text = stream.read(65536).decode("utf-8", "replace")
    except OSError:
        return {}
    found = (_KEYWORD.match(line) for line in text.splitlines())
    return {
        chr(ord("a") + int(match.group(1))): match.group(2).strip()
        for match in found
        if match and int(match.group(1)) < 26
    }
