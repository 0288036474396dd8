"""Logs of Dovecot (mail_log and plain lines, 2.2 to 2.4) and deliveries of Postfix -> events."""

from __future__ import annotations

import bz2
import gzip
import lzma
import re
import zlib
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from itertools import islice
from pathlib import Path
from typing import IO, NamedTuple, cast

from mailforensics.errors import EvidenceUnreadable, NoBytes
from mailforensics.readers.base import Reader, ReadLog, Source, Span
from mailforensics.readers.logevents import LogEvents, session_of
from mailforensics.readers.loglines import parse_line
from mailforensics.readers.logtime import Clock
from mailforensics.readers.sessionid import read_session
from mailforensics.readers.unpacking import unpack
from mailforensics.schema import EventRecord, Record

__all__ = ["DovecotLogReader"]

MAX_LINE = 65536
_SNIFFED = 256 << 10
_DAMAGED = (OSError, EOFError, zlib.error, lzma.LZMAError)
_OPENERS: tuple[tuple[bytes, Callable[..., IO[bytes]]], ...] = (
    (b"\x1f\x8b\x08", cast("Callable[..., IO[bytes]]", gzip.open)),
    (b"BZh", cast("Callable[..., IO[bytes]]", bz2.open)),
    (b"\xfd7zXZ\0", cast("Callable[..., IO[bytes]]", lzma.open)),
)


class _Text(NamedTuple):
    """One line: its number from 1, its text, and whether it was decoded without loss."""

    number: int
    text: str
    clean: bool


class DovecotLogReader(Reader):
    """Reads who saved, copied, marked, expunged what, when and from which address."""

    name = "dovecot_log"
    description = "Mail server log (Dovecot, with deliveries of Postfix)"
    suffixes = frozenset({".log"})
    expects = "log lines of Dovecot or Postfix, plain or packed with gzip, bzip2 or xz"

    def sniff(self, head: bytes, path: Path) -> bool:
        """Say yes when one of the first lines is Dovecot's or Postfix's."""
        if path.is_dir() or not head:
            return False
        packed = any(head.startswith(magic) for magic, _ in _OPENERS)
        if not packed and (b"\0" in head or b"\n" not in head):
            return False
        text = unpack(head, limit=_SNIFFED).data if packed else head
        if self._knows(text):
            return True
        if packed or not re.match(rb"(?:<\d+>1? ?)?(?:[A-Z][a-z]{2} +\d|\d{4}-\d\d-\d\d)", head):
            return False
        try:
            with path.open("rb") as stream:
                return self._knows(stream.read(_SNIFFED))
        except OSError:
            return False

    def _knows(self, data: bytes) -> bool:
        lines = data.decode("utf-8", "replace").splitlines()
        return any(parse_line(line) is not None for line in lines)

    def read(self, source: Source, log: ReadLog, span: Span | None = None) -> Iterator[Record]:  # noqa: ARG002 - a log is read as one
        """Yield an event for each line that says what was done.

        The log is read twice: first for what its session ids tell about year and time zone.
        """
        clock = Clock(_modified(source.path))
        for text in _lines(source.path, None):
            line = parse_line(text.text)
            if line is not None:
                session = session_of(line)
                known = read_session(session) if session else None
                prompt = line.service.endswith("-login") or line.service in {"lmtp", "postfix/lmtp"}
                clock.see(text.number, line.stamp, session, known, prompt=prompt)
        clock.settle()
        yield from self._events(source, log, clock)
        _note_times(clock, log)

    def _events(self, source: Source, log: ReadLog, clock: Clock) -> Iterator[EventRecord]:
        events = LogEvents(clock)
        silent = 0
        for text in _lines(source.path, log):
            log.declare()
            line = parse_line(text.text)
            event = events.of(text.number, line) if line is not None else None
            if event is not None:
                yield event
            elif text.clean:
                silent += 1
            else:
                log.fail(f"line:{text.number}", "The line cannot be decoded.")
        if silent:
            log.skip("", "lines that say nothing about messages", count=silent)

    def raw(self, source: Source, source_ref: str) -> bytes:
        """Return one line of the log as it stands there."""
        number = source_ref.removeprefix("line:")
        if not number.isdecimal() or number == "0":
            raise NoBytes(f"{source_ref} is no line of a log", source_ref=source_ref)
        try:
            with _opened(source.path) as stream:
                found = next(islice(_pieces(stream), int(number) - 1, None), None)
        except _DAMAGED as error:
            raise EvidenceUnreadable(f"The log cannot be read: {error}") from error
        if found is None:
            raise NoBytes(f"The log has no {source_ref}", source_ref=source_ref)
        return found


def _modified(path: Path) -> datetime | None:
    """Return when a log was last written: as gzip notes it (RFC 1952), else the file's date."""
    with path.open("rb") as stream:
        head = stream.read(8)
    seconds = int.from_bytes(head[4:8], "little") if head[:3] == b"\x1f\x8b\x08" else 0
    moment = float(seconds) if seconds else path.stat().st_mtime
    try:
        return datetime.fromtimestamp(moment, UTC)
    except (OverflowError, ValueError, OSError):
        return None


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    try:
        with path.open("rb") as stream:
            head = stream.read(6)
    except OSError as error:
        raise EvidenceUnreadable(f"{path} cannot be read: {error.strerror or error}") from error
    opener = next((opener for magic, opener in _OPENERS if head.startswith(magic)), None)
    with path.open("rb") if opener is None else opener(path, "rb") as stream:
        yield stream


def _pieces(stream: IO[bytes]) -> Iterator[bytes]:
    """Yield lines; of one longer than 64 KiB only the beginning."""
    while line := stream.readline(MAX_LINE):
        yield line
        while not line.endswith(b"\n") and (line := stream.readline(MAX_LINE)):
            pass


def _lines(path: Path, log: ReadLog | None) -> Iterator[_Text]:
    """Yield the lines of a log, packed or not; damage ends it and is a row of the read log."""
    number = 0
    with _opened(path) as stream:
        pieces = _pieces(stream)
        while True:
            try:
                line = next(pieces, None)
            except _DAMAGED as error:
                if log is not None:
                    log.declare()
                    log.fail(f"line:{number + 1}", "The packed log is damaged here.", str(error))
                return
            if line is None:
                return
            number += 1
            try:
                text, clean = line.decode("utf-8"), True
            except UnicodeDecodeError:
                text, clean = line.decode("gb18030", "replace"), False
            yield _Text(number, text.rstrip("\r\n"), clean)


def _note_times(clock: Clock, log: ReadLog) -> None:
    """Say where the year and the time zone of the log come from."""
    if not clock.has_zoneless:
        return
    if clock.year_source:
        log.note("", "the log names no year", f"The year is taken from {clock.year_source}.")
    if clock.zone_is_assumed:
        log.note(
            "",
            "the log names no time zone and nothing in it tells one",
            "Its times are assumed to be UTC.",
        )
    else:
        log.note(
            "",
            "the log names no time zone",
            f"It was worked out from {clock.zone_source}: UTC{_sign(clock)} at the end of the log.",
        )


def _sign(clock: Clock) -> str:
    minutes = int(clock.offset.total_seconds() // 60) if clock.offset is not None else 0
    return f"{'-' if minutes < 0 else '+'}{abs(minutes) // 60:02d}:{abs(minutes) % 60:02d}"
