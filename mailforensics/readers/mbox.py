"""mbox files: mboxo, mboxrd, mboxcl, mboxcl2, Thunderbird, Gmail Takeout."""

from __future__ import annotations

import re
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import pairwise
from mmap import ACCESS_READ, mmap
from pathlib import Path

from mailforensics import mime
from mailforensics.errors import EvidenceUnreadable, NoBytes
from mailforensics.readers import quoting, takeout, thunderbird
from mailforensics.readers.base import Reader, ReadLog, Source, Span
from mailforensics.readers.folders import place, role_of
from mailforensics.readers.mork import FolderIndex, read_index
from mailforensics.readers.separators import (
    Buffer,
    Slot,
    first_separator,
    is_separator_line,
    slot_at,
    slots,
)
from mailforensics.schema import (
    Completeness,
    Confidence,
    DeletionState,
    FolderRole,
    MessageRecord,
    RawKind,
    Record,
)

__all__ = ["MboxReader", "StoredMessage"]

SPAN = 32 << 20
LAST_LONG = 3
_SUFFIXES = frozenset({".mbox", ".mbx"})
_BLANK = b"\xef\xbb\xbf\r\n\0 \t"
_KNOWN_FIELD = re.compile(
    rb"^(?:Received|Return-Path|Delivered-To|Date|From|To|Subject|Message-ID|MIME-Version):",
    re.M | re.I,
)
_HEADER_END = re.compile(rb"\n\r?\n")
_STATUS = re.compile(rb"^(X-)?Status:[ \t]*([A-Za-z]*)[ \t]*\r?$", re.M)
_ZONED = re.compile(
    rb"(\w{3}) +(\d{1,2}) +(\d\d?:\d\d:\d\d) +([+-]\d{4}) +(\d{4}) *$"
    rb"|(\w{3}) +(\d{1,2}) +(\d\d?:\d\d:\d\d) +(\d{4}) +([+-]\d{4}) *$"
)
_LETTERS = {"R": "read", "A": "answered", "F": "flagged", "D": "deleted", "T": "draft"}


class StoredMessage:
    """One message as an mbox file holds it, and the bytes that it had before.

    Attributes
    ----------
    ref
        Its ``source_ref``: where its stored bytes begin.
    message : bytes
        Without the lines that Thunderbird put before it, and without From-quoting where that
        could be proven.
    """

    __slots__ = ("front", "line", "message", "quoting", "ref", "slot")

    def __init__(self, buffer: Buffer, slot: Slot) -> None:
        stored = buffer[slot.start : slot.stop]
        self.slot = slot
        self.ref = f"offset:{slot.start}"
        self.line = buffer[slot.line : slot.start]
        self.front = thunderbird.front(stored)
        if self.front is not None:
            stored = stored[self.front.length :]
        self.message, self.quoting = quoting.unquote(stored)


@contextmanager
def _mapped(path: Path) -> Iterator[Buffer]:
    """Map a file, read-only; an empty one is empty bytes."""
    try:
        stream = path.open("rb")
    except OSError as error:
        raise EvidenceUnreadable(f"{path} cannot be read: {error.strerror or error}") from error
    with stream:
        if path.stat().st_size == 0:
            yield b""
            return
        with mmap(stream.fileno(), 0, access=ACCESS_READ) as buffer:
            yield buffer


def _stored_at(line: bytes) -> datetime | None:
    """Return the time of a separating line that names its zone; others mean nobody knows which."""
    signed = b" +" in line or b" -" in line
    found = _ZONED.search(line.rstrip()) if signed else None
    if found is None:
        return None
    month, day, clock, zone, year = found.groups()[:5]
    if month is None:
        month, day, clock, year, zone = found.groups()[5:]
    text = b" ".join((month, day, clock, year, zone)).decode("ascii")
    try:
        return datetime.strptime(text, "%b %d %H:%M:%S %Y %z").astimezone(UTC)
    except (ValueError, OverflowError):
        return None


def _apply_front(record: MessageRecord, front: thunderbird.Front, place_: str, start: int) -> None:
    """Write Thunderbird's status bits into a record."""
    record.flags += front.flags
    record.is_read = bool(front.status & 1)
    if front.status & 0x400:
        record.completeness = Completeness.PARTIAL
    for bit, line, words in (
        (thunderbird.EXPUNGED, 0, "Thunderbird has expunged this message"),
        (thunderbird.IMAP_DELETED, 1, "Thunderbird has marked this message deleted"),
    ):
        if front.status & bit:
            record.deletion_state = DeletionState.MARKED_DELETED
            written = front.flags[line].replace(":", "")
            record.deletion_basis = (
                f"{written} at byte {start} of {place_}: {words} and not yet compacted the file."
            )
            record.confidence = Confidence.CERTAIN
            return


def _header_end(message: bytes) -> int:
    """Return where the headers end, quickly: a long body is not looked through."""
    first = message.find(b"\n")
    crlf = message[first - 1 : first] == b"\r"
    at = message.find(b"\n\r\n" if crlf else b"\n\n")
    if at >= 0:
        return at + 1
    end = _HEADER_END.search(message)
    return end.start() + 1 if end else len(message)


def _names_status(message: bytes, end: int) -> bool:
    """Say, quicker than an expression can, whether a line begins with Status or X-Status."""
    at = message.find(b"Status:", 0, end)
    while at >= 0:
        start = at - 2 if message[max(at - 2, 0) : at] == b"X-" else at
        if start == 0 or message[start - 1] == 10:
            return True
        at = message.find(b"Status:", at + 7, end)
    return False


def _apply_status(record: MessageRecord, message: bytes, place_: str, start: int) -> None:
    """Write the Status and X-Status lines of Unix mail programs into a record."""
    end = _header_end(message)
    if not _names_status(message, end):
        return
    found = _STATUS.findall(message, 0, end)
    if not found:
        return
    letters = b"".join(word for _, word in found).decode("ascii").upper()
    record.flags += [f"{(mark + b'Status').decode()}: {word.decode()}" for mark, word in found]
    record.flags += [name for letter, name in _LETTERS.items() if letter in letters]
    if any(not mark for mark, _ in found):
        record.is_read = "R" in letters
    if "D" in letters:
        record.deletion_state = DeletionState.MARKED_DELETED
        record.deletion_basis = (
            f"The D in the status lines of the message at byte {start} of {place_}: "
            "it is marked deleted and not yet removed."
        )
        record.confidence = Confidence.CERTAIN if len(found) > 1 else Confidence.PROBABLE


class MboxReader(Reader):
    """Reads mbox files of all writers."""

    name = "mbox"
    description = "mbox file (Thunderbird, Gmail Takeout, Unix mail programs, mail servers)"
    suffixes = _SUFFIXES
    magic = ((0, b"From "),)
    expects = (
        "a line that begins with From, with a date, and headers after it at the start of the file"
    )

    def sniff(self, head: bytes, path: Path) -> bool:
        """Say yes to a separating line at the start, or soon after it in a file named .mbox."""
        if path.is_dir():
            return False
        named = path.suffix.lower() in _SUFFIXES
        if not head:
            return named or (path.is_file() and thunderbird.summary_file(path) is not None)
        text = head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n\0 \t")
        if is_separator_line(text):
            return True
        cut = named or text.startswith((b"X-Mozilla-Status", b"X-Account-Key"))
        return cut and next(slots(head), None) is not None

    def spans(self, source: Source) -> list[Span] | None:
        """Cut the file into ranges; each message belongs to where its line begins.

        They are of 64 MiB, and of 32 MiB towards the end, so that no worker is busy much longer
        than the others.
        """
        size = source.path.stat().st_size
        if size <= SPAN:
            return None
        long = max(0, size // (2 * SPAN) - LAST_LONG) * 2 * SPAN
        starts = [*range(0, long, 2 * SPAN), *range(long, size, SPAN)]
        return [Span(*pair) for pair in pairwise([*starts, size])]

    def read(self, source: Source, log: ReadLog, span: Span | None = None) -> Iterator[Record]:
        """Yield the messages, each followed by the messages that it carries."""
        with _mapped(source.path) as buffer:
            part = span or Span(0, len(buffer))
            where = thunderbird.place_of(source)
            index = _index_of(source, where, buffer)
            if part.start == 0:
                yield from self._beginning(buffer, source, where, log)
                _note_index(source, where, index, log)
            for slot in slots(buffer, part.start, part.stop):
                log.declare()
                stored = StoredMessage(buffer, slot)
                self._note_oddities(buffer, stored, log)
                yield from self._records(stored, source, where, index)

    def raw(self, source: Source, source_ref: str) -> bytes:
        """Return the bytes of one message again; see :class:`StoredMessage`."""
        outer, _, inner = source_ref.partition("/")
        number = outer.removeprefix("offset:")
        if not outer.startswith("offset:") or not number.isdecimal():
            raise NoBytes(f"{source_ref} is no place in an mbox file", source_ref=source_ref)
        with _mapped(source.path) as buffer:
            slot = slot_at(buffer, int(number))
            if slot is not None:
                message = StoredMessage(buffer, slot).message
            else:
                message = self._fragment(buffer, int(number))
        if not message:
            raise NoBytes("No message begins at this place", source_ref=source_ref)
        return mime.nested_bytes(message, source_ref) if inner else message

    def _fragment(self, buffer: Buffer, start: int) -> bytes:
        """Return what lies before the first separating line, if it begins at ``start``."""
        first = first_separator(buffer)
        return buffer[start:first] if start == _lead(buffer, first) else b""

    def _beginning(
        self, buffer: Buffer, source: Source, where: thunderbird.Place, log: ReadLog
    ) -> Iterator[Record]:
        """Account for what lies before the first message, and note what cannot be told."""
        first = first_separator(buffer)
        lead = _lead(buffer, first)
        if lead < first:
            if _KNOWN_FIELD.search(buffer[lead : min(first, lead + 65536)]):
                log.declare()
                yield from self._fragment_records(buffer[lead:first], lead, source, where)
            else:
                log.note(
                    f"offset:{lead}",
                    "bytes before the first message that are no mail",
                    f"{first - lead} bytes from byte {lead}",
                )
        if thunderbird.front(buffer[first : first + 2048].partition(b"\n")[2]):
            log.note(
                "",
                "lines that Thunderbird added before each message are left out",
                "X-Mozilla-Status, X-Mozilla-Status2, X-Mozilla-Keys, and X-Account-Key and X-UIDL "
                "before them, are not part of the messages; sizes and hashes are without them.",
            )

    def _note_oddities(self, buffer: Buffer, stored: StoredMessage, log: ReadLog) -> None:
        slot = stored.slot
        if slot.inner:
            log.note(
                stored.ref,
                "the stored length holds lines inside the message that look like further messages",
                f"{slot.inner} such lines between byte {slot.start} and byte {slot.stop}",
            )
        gap = slot.following - slot.stop
        if gap > 4 and buffer[slot.following - 1] == 0:
            log.note(f"offset:{slot.stop}", "empty (zero) bytes after a message", f"{gap} bytes")

    def _records(
        self,
        stored: StoredMessage,
        source: Source,
        where: thunderbird.Place,
        index: FolderIndex | None,
    ) -> list[MessageRecord]:
        """Turn a stored message into records: itself, then those inside it."""
        records = mime.read_nested(stored.message, source_ref=stored.ref)
        record, slot = records[0], stored.slot
        record.source_offset, record.source_length = slot.start, slot.stop - slot.start
        if stored.quoting is not quoting.Quoting.NONE:
            record.defects.append(stored.quoting.value)
        record.stored_at = _stored_at(stored.line)
        sender = stored.line[5:].strip()
        if sender and record.stored_at is None:
            record.flags.append(f"From {sender.decode('utf-8', 'replace')}")
        labels = None
        if stored.front is not None:
            _apply_front(record, stored.front, where.folder, slot.start)
        else:
            labels = takeout.labels_of(stored.message)
        if labels is not None:
            record.is_read = labels.is_read
            record.flags += labels.flags
        elif stored.front is None:
            _apply_status(record, stored.message, where.folder, slot.start)
        if index is not None and record.deletion_state is DeletionState.LIVE:
            _apply_index(record, slot, index, source.path.name)
        folder, role = where.folder, role_of(where.folder)
        if labels is not None and labels.folder:
            folder, role = labels.folder, labels.role
        _settle(records, source, where, folder, role)
        return records

    def _fragment_records(
        self, fragment: bytes, lead: int, source: Source, where: thunderbird.Place
    ) -> list[MessageRecord]:
        records = mime.read_nested(fragment, source_ref=f"offset:{lead}")
        record = records[0]
        record.source_offset, record.source_length = lead, len(fragment)
        record.raw_kind = RawKind.FRAGMENT
        record.completeness = Completeness.PARTIAL
        record.defects.append("truncated_start")
        _settle(records, source, where, where.folder, role_of(where.folder))
        return records


def _index_of(source: Source, where: thunderbird.Place, buffer: Buffer) -> FolderIndex | None:
    """Return Thunderbird's index of a copy of a server folder, if it fits the file.

    In such a copy deletion sets no status bit: only the index tells. One that names a place where
    no message begins is of another state of the file and is not believed.
    """
    summary = thunderbird.summary_file(source.path) if where.is_imap_copy else None
    index = read_index(summary) if summary is not None else None
    if index is None or not index.listed:
        return None
    fits = all(buffer[place_ : place_ + 5] == b"From " for place_ in index.listed)
    return index if fits else None


def _note_index(
    source: Source, where: thunderbird.Place, index: FolderIndex | None, log: ReadLog
) -> None:
    if not where.is_imap_copy:
        return
    if index is not None:
        log.note(
            "",
            "the index of Thunderbird tells which messages were still on the server's list",
            f"{source.path.name}.msf lists {len(index.listed)} messages of this file.",
        )
    else:
        log.note(
            "",
            "copy of a server folder: what was deleted on the server is not marked here",
            f"The index {source.path.name}.msf is missing, empty, or of another state of the file.",
        )


def _apply_index(record: MessageRecord, slot: Slot, index: FolderIndex, name: str) -> None:
    """Mark a message whose bytes are still in the file and that the index no longer lists.

    What stands behind the last listed message may be newer than the index, and stays as it is.
    """
    if slot.line in index.listed:
        return
    if slot.line in index.struck:
        said, record.confidence = "has struck off its list", Confidence.CERTAIN
    elif slot.line < max(index.listed):
        said, record.confidence = "does not list", Confidence.PROBABLE
    else:
        return
    record.deletion_state = DeletionState.ORPHANED
    record.deletion_basis = (
        f"Thunderbird's index {name}.msf {said} the message at byte {slot.line} of {name}: it was "
        "deleted or moved away, and the file has not been compacted yet."
    )


def _lead(buffer: Buffer, first: int) -> int:
    """Return where the first byte that is not blank stands, before the first message."""
    head = buffer[: min(first, 65536)]
    return len(head) - len(head.lstrip(_BLANK)) if head.strip(_BLANK) else first


def _settle(
    records: list[MessageRecord],
    source: Source,
    where: thunderbird.Place,
    folder: str,
    role: FolderRole,
) -> None:
    """Give all records of a message its place, and its mark to those that it carries."""
    outer = records[0]
    for record in records[1:]:
        record.deletion_state, record.confidence = outer.deletion_state, outer.confidence
        record.deletion_basis = outer.deletion_basis
    place(records, mailbox=where.account or source.mailbox, folder=folder, role=role)
