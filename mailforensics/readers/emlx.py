"""Apple Mail messages (.emlx, .partial.emlx): a byte count, the message, and a property list."""

from __future__ import annotations

import plistlib
import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from types import MappingProxyType
from typing import Any, ClassVar
from xml.parsers.expat import ExpatError

from mailforensics import mime
from mailforensics.readers.base import Reader, ReadLog, Source, Span
from mailforensics.readers.eml import read_file
from mailforensics.readers.emlxparts import fill_parts
from mailforensics.schema import Confidence, DeletionState, MessageRecord, Record

__all__ = ["EmlxReader"]

FLAGS = MappingProxyType(
    {
        0: "read",
        1: "deleted",
        2: "answered",
        3: "encrypted",
        4: "flagged",
        5: "recent",
        6: "draft",
        7: "initial",
        8: "forwarded",
        9: "redirected",
        23: "signed",
        24: "junk",
        25: "not_junk",
    }
)
"""Bit of the ``flags`` value -> what it says."""

_COUNT = re.compile(rb"(?:\xef\xbb\xbf)?(\d{1,12})[ \t]*\r?\n")
_PLIST = b"<?xml"
_SUFFIXES = (".emlx", ".emlxpart")
_LONGEST_PLIST = 4 << 20


@dataclass(slots=True)
class _Stored:
    """One file taken apart: the message, where it stands, and what Apple Mail noted."""

    message: bytes
    offset: int
    notes: dict[str, Any] = field(default_factory=dict)
    defects: list[str] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)


class EmlxReader(Reader):
    """Reads a message file of Apple Mail, with its flags."""

    name: ClassVar[str] = "emlx"
    description: ClassVar[str] = "A message file of Apple Mail"
    suffixes: ClassVar[frozenset[str]] = frozenset(_SUFFIXES)
    expects: ClassVar[str] = "a line with a number, and mail headers after it"

    def sniff(self, head: bytes, path: Path) -> bool:
        """Say whether a byte count and mail headers stand at the beginning."""
        if not head:
            return False
        if path.suffix.lower() == ".emlxpart":
            return True
        count = _COUNT.match(head)
        known = mime.known_fields(head[count.end() :] if count else head)
        if path.suffix.lower() == ".emlx":
            return bool(known) or count is not None
        return count is not None and len(known) >= 2

    def why_not(self, head: bytes, path: Path) -> str:
        """Say in a sentence why the file is not taken for one of Apple Mail."""
        if not head and path.is_file():
            return "the file is empty"
        return f"expects {self.expects}"

    def read(self, source: Source, log: ReadLog, span: Span | None = None) -> Iterator[Record]:  # noqa: ARG002 - one message has no spans
        """Yield the message with its flags, and those inside it."""
        log.declare()
        if source.path.suffix.lower() == ".emlxpart":
            log.skip("offset:0", _part_reason(source.path))
            return
        stored = _take_apart(read_file(source))
        if not stored.message:
            log.fail("offset:0", "The file holds no message.")
            return
        ref = f"offset:{stored.offset}"
        records = mime.read_nested(stored.message, source_ref=ref)
        _place(records[0], stored)
        _note(stored, ref, log)
        if missing := fill_parts(stored.message, records[0], source.path):
            log.note(ref, "Attachments were never downloaded or are gone.", ", ".join(missing))
        yield from records

    def raw(self, source: Source, source_ref: str) -> bytes:
        """Return the message without count and property list, or a message inside it."""
        return mime.nested_bytes(_take_apart(read_file(source)).message, source_ref)


def _part_reason(path: Path) -> str:
    number = path.name.partition(".")[0]
    return f"This is an attachment of message {number}.partial.emlx and is read with it."


def _take_apart(raw: bytes) -> _Stored:
    """Cut a file into message and property list; the byte count is believed where it fits."""
    count = _COUNT.match(raw)
    offset = count.end() if count else 0
    stop = offset + int(count.group(1)) if count else len(raw)
    rest = raw[stop:].lstrip()
    if (
        count is not None
        and stop <= len(raw)
        and (not rest or rest.startswith((_PLIST, b"bplist", b"<plist", b"<!DOC")))
    ):
        stored = _Stored(raw[offset:stop], offset)
    else:
        stored = _by_content(raw, offset, stop, counted=count is not None)
        rest = raw[stored.offset + len(stored.message) :].lstrip()
    _read_notes(rest[:_LONGEST_PLIST], stored)
    return stored


def _by_content(raw: bytes, offset: int, stop: int, *, counted: bool) -> _Stored:
    """Find the end where the byte count is missing or wrong: before the property list."""
    found = raw.rfind(b"\n" + _PLIST)
    end = found + 1 if found >= offset and b"<plist" in raw[found : found + 400] else len(raw)
    stored = _Stored(raw[offset:end], offset)
    if not counted:
        stored.faults.append("The first line is no byte count; the end was found by content.")
        stored.defects.append("end_undecided")
    elif stop > end:
        stored.faults.append("The file holds fewer bytes than its first line says.")
        stored.defects += (
            ["size_mismatch", "truncated_end"] if end == len(raw) else ["size_mismatch"]
        )
    else:
        stored.faults.append("The byte count in the first line does not fit the message.")
        stored.defects.append("size_mismatch")
    return stored


def _read_notes(rest: bytes, stored: _Stored) -> None:
    if not rest:
        stored.faults.append("The property list with the flags is missing.")
        return
    try:
        notes = plistlib.loads(rest.rstrip(b"\0\r\n "))
    except (plistlib.InvalidFileException, ExpatError, ValueError, TypeError, AttributeError,
            IndexError, KeyError, OverflowError, RecursionError, LookupError):  # fmt: skip
        stored.faults.append("The property list with the flags is damaged.")
        return
    if isinstance(notes, dict):
        stored.notes = notes


def _place(record: MessageRecord, stored: _Stored) -> None:
    """Write what Apple Mail noted into the record."""
    record.source_offset = stored.offset
    record.source_length = len(stored.message)
    record.defects += [code for code in stored.defects if code not in record.defects]
    received = _moment(stored.notes.get("date-received"))
    if received is not None:
        record.received_at = received
    flags = stored.notes.get("flags")
    if isinstance(flags, int) and not isinstance(flags, bool) and 0 <= flags < 1 << 64:
        _flag(record, flags)


def _flag(record: MessageRecord, flags: int) -> None:
    record.flags = [f"emlx-flags:{flags:#x}"]
    record.flags += [word for bit, word in FLAGS.items() if flags >> bit & 1]
    record.is_read = bool(flags & 1)
    if flags & 2:
        record.deletion_state = DeletionState.MARKED_DELETED
        record.deletion_basis = (
            f"Apple Mail noted the message as deleted (flags {flags:#x} in the property list "
            "after the message) and had not yet removed it."
        )
        record.confidence = Confidence.CERTAIN


def _moment(value: object) -> datetime | None:
    """Turn seconds since 1970 into a moment; 0 means that nothing was noted."""
    if isinstance(value, datetime):
        return value.replace(tzinfo=UTC)
    if not isinstance(value, int | float) or isinstance(value, bool) or not 0 < value < 2**33:
        return None
    return datetime.fromtimestamp(value, UTC)


def _note(stored: _Stored, ref: str, log: ReadLog) -> None:
    for fault in stored.faults:
        log.note(ref, fault)
    known = {name: stored.notes.get(name) for name in ("remote-id", "original-mailbox")}
    told = [f"{name}: {value}" for name, value in known.items() if isinstance(value, str | int)]
    if told:
        log.note(ref, "Apple Mail noted where the message comes from.", "; ".join(told)[:500])
