"""What Thunderbird writes into and beside its mbox files."""

from __future__ import annotations

import re
from pathlib import Path, PurePosixPath
from types import MappingProxyType
from typing import NamedTuple

from mailforensics.readers.base import Source
from mailforensics.readers.folders import decode_imap_utf7

__all__ = [
    "EXPUNGED",
    "IMAP_DELETED",
    "STATUS_BITS",
    "Front",
    "Place",
    "front",
    "place_of",
    "summary_file",
]

EXPUNGED = 0x0008
IMAP_DELETED = 0x00200000

STATUS_BITS = MappingProxyType(
    {
        0x00000001: "read",
        0x00000002: "replied",
        0x00000004: "marked",
        EXPUNGED: "expunged",
        0x00000080: "offline",
        0x00000400: "partial",
        0x00000800: "queued",
        0x00001000: "forwarded",
        0x00010000: "new",
        0x00040000: "ignored",
        IMAP_DELETED: "imap_deleted",
        0x00400000: "receipt_requested",
        0x00800000: "receipt_sent",
        0x01000000: "template",
        0x10000000: "attachment",
    }
)
"""Bits of X-Mozilla-Status (low half) and X-Mozilla-Status2 (high half) and what they mean."""

_FRONT = re.compile(
    rb"(?:X-Account-Key:[^\n]*\n(?:X-UIDL:[^\n]*\n)?)?"
    rb"X-Mozilla-Status:[ \t]*([0-9A-Fa-f]{1,8})[ \t]*\r?\n"
    rb"(?:X-Mozilla-Status2:[ \t]*([0-9A-Fa-f]{1,8})[ \t]*\r?\n)?"
    rb"(?:X-Mozilla-Keys:([^\n]*)\n)?"
)
_SUFFIXES = (".mbox", ".mbx")


class Front(NamedTuple):
    """The lines that Thunderbird put before a message.

    Attributes
    ----------
    length
        Bytes that they take.
    status
        All bits, Status and Status2 together; see :data:`STATUS_BITS`.
    flags
        The lines as written, the names of the bits, and keywords as ``keyword:NAME``.
    """

    length: int
    status: int
    flags: list[str]


class Place(NamedTuple):
    """Where an mbox file lies: account folder if known, folder path, whether an IMAP copy."""

    account: str | None
    folder: str
    is_imap_copy: bool


def front(message: bytes) -> Front | None:
    """Read the lines that Thunderbird put before a message, or None when there are none."""
    if not message.startswith((b"X-Mozilla-Status:", b"X-Account-Key:")):
        return None
    found = _FRONT.match(message)
    if found is None:
        return None
    low, high, keys = found.groups()
    status = int(low, 16) & 0xFFFF | (int(high, 16) & 0xFFFF0000 if high else 0)
    flags = [f"X-Mozilla-Status: {low.decode()}"]
    if high:
        flags.append(f"X-Mozilla-Status2: {high.decode()}")
    flags += [name for bit, name in STATUS_BITS.items() if status & bit]
    words = (keys or b"").decode("utf-8", "replace").split()
    return Front(found.end(), status, flags + [f"keyword:{word}" for word in words])


def _names(parts: tuple[str, ...]) -> tuple[list[str], int]:
    """Return the folder path in readable names, and how many parts of the path it took."""
    if len(parts) > 1 and parts[-1] == "mbox" and parts[-2].endswith(".mbox"):
        return [parts[-2].removesuffix(".mbox")], 2
    last = parts[-1]
    for suffix in _SUFFIXES:
        last = last[: -len(suffix)] if last.lower().endswith(suffix) else last
    names, taken = [last or parts[-1]], 1
    while taken < len(parts) and parts[-1 - taken].endswith(".sbd"):
        names.insert(0, parts[-1 - taken].removesuffix(".sbd"))
        taken += 1
    return [decode_imap_utf7(name) for name in names], taken


def place_of(source: Source) -> Place:
    """Say which folder of which account an mbox file holds, by where it lies.

    In a profile it is ``Mail/ACCOUNT/Inbox`` or ``ImapMail/SERVER/INBOX.sbd/Sub``; elsewhere the
    folder is named after the file alone, since folders of the examiner say nothing.
    """
    path = PurePosixPath(source.source_path) if source.source_path else source.path
    parts = path.parts or (source.path.name,)
    names, taken = _names(parts)
    above = parts[: len(parts) - taken]
    in_profile = len(above) > 1 and above[-2] in {"Mail", "ImapMail"}
    account = above[-1] if in_profile else None
    return Place(account, "/".join(names), in_profile and above[-2] == "ImapMail")


def summary_file(path: Path) -> Path | None:
    """Return the index (.msf) that Thunderbird keeps beside an mbox file, if it is there."""
    beside = path.with_name(path.name + ".msf")
    return beside if beside.is_file() else None
