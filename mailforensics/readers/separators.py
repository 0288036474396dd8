"""Where one message of an mbox file ends and the next begins.

A line that begins with ``From`` and a space separates two messages when (RFC 4155 appendix A, and
what writers do in practice):

- *strict*: a sender and an asctime date (``From li@corp.example Fri Dec  5 14:31:36 2003``, with
  or without a time zone) after an empty line; without the empty line only when a header follows;
- *loose*: some time and some year in the line, after an empty line and before a header;
- *bare*: ``From`` with nothing or a dash behind it, as Thunderbird writes, after an empty line
  and before a header; without the empty line only before ``X-Mozilla-Status``.

A ``Content-Length`` that ends exactly at such a line or at the end of the file (mboxcl2, Dovecot)
proves that what lies before belongs to one message, lines like the above included.

All rules look at the neighbourhood of a line only (at most :data:`REACH` bytes before it), so that
parts of a file can be split apart and give what the whole gives.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from mmap import mmap
from typing import NamedTuple

import numpy as np

__all__ = ["REACH", "Separator", "Slot", "first_separator", "is_separator_line", "slot_at", "slots"]

REACH = 32 << 20
"""A Content-Length is believed up to this many bytes."""

_BLOCK = 2 << 20
_HEADER = 64 << 10
_LINE = 400
_DAYS = rb"(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)"
_MONTHS = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_ZONES = rb"(?: +[A-Z+-][A-Za-z0-9:+-]{0,8}){0,2}"
_ASCTIME = re.compile(
    rb" %b +%b +\d{1,2} +\d\d?:\d\d(?::\d\d)?%b +\d{4}%b(?: remote from [^ ]{1,80})? *$"
    % (_DAYS, _MONTHS, _ZONES, _ZONES)
)
_TIME = re.compile(rb"\d\d?:\d\d")
_YEAR = re.compile(rb"(?:^|\D)\d{4}(?:\D|$)")
_FIELD = re.compile(rb"[!-9;-~]{1,80}[ \t]*:")
_LENGTHS = (b"\nContent-Length:", b"\nContent-length:")
_LENGTH = re.compile(rb"\nContent-[Ll]ength:[ \t]*(\d{1,10})[ \t]*\r?\n")
_HEADER_END = re.compile(rb"\n\r?\n")
_STRICT, _LOOSE, _BARE = 3, 2, 1

Buffer = bytes | mmap


class Separator(NamedTuple):
    """A separating line: its offset, where the message begins, and the end that is proven."""

    line: int
    body: int
    proven_stop: int = -1
    proven_next: int = -1


class Slot(NamedTuple):
    """One stored message: half-open byte ranges in the file.

    Attributes
    ----------
    line
        Offset of the separating line.
    start, stop
        The message: after the separating line, up to the empty line before the next one.
    following
        Offset of the next separating line, or the size of the file.
    inner
        How many separating lines lie inside, held by a proven Content-Length.
    """

    line: int
    start: int
    stop: int
    following: int
    inner: int


def _grade(line: bytes) -> int:
    """Grade a line that begins with ``From `` and has no line end; 0 is no separator."""
    rest = line[5:].strip()
    if rest in (b"", b"-"):
        return _BARE
    if rest[:1] == b":":
        return 0
    date = _ASCTIME.search(line)
    if date:
        sender = line[5 : date.start()].strip()
        if b" " not in sender or b"@" in sender or sender[:1] == b'"':
            return _STRICT
    return _LOOSE if _TIME.search(rest) and _YEAR.search(rest) else 0


def _accepts(grade: int, *, after_blank: bool, following: bytes) -> bool:
    """Decide by the grade of a line and what stands before and after it."""
    if grade == 0:
        return False
    if grade == _STRICT and after_blank:
        return True
    if grade == _BARE and not after_blank:
        return following.startswith(b"X-Mozilla-Status")
    return (after_blank or grade == _STRICT) and _FIELD.match(following) is not None


def is_separator_line(head: bytes) -> bool:
    """Say whether bytes begin with a separating line and what may follow it."""
    end = head.find(b"\n", 0, _LINE)
    line, following = (head[:_LINE], b"") if end < 0 else (head[:end], head[end + 1 :])
    if not head.startswith(b"From "):
        return False
    grade = _grade(line.rstrip(b"\r"))
    return grade == _STRICT or _accepts(grade, after_blank=True, following=following)


def _is_blank_before(data: bytes, index: int, base: int) -> bool:
    """Say whether the line before ``data[index]``, a line start, is empty."""
    if data[index - 2 : index] == b"\n\n" or data[index - 3 : index] == b"\n\r\n":
        return True
    return base + index <= 2 and not data[:index].strip()


def _found(data: bytes, start: int, stop: int) -> list[int]:
    """Return where ``From `` begins a line, or follows NULs, in order."""
    low = max(start - 1, 0)
    signs = np.frombuffer(data, np.uint8)[low : stop + 1]
    before = signs[:-1] == 10
    if b"\0" in data:
        before |= signs[:-1] == 0
    before &= signs[1:] == 70  # F: two numpy passes are quicker than one search for six bytes
    places = (np.flatnonzero(before) + low + 1).tolist()
    return [at for at in places if data.startswith(b"From ", at) and at < stop]


def _judge(data: bytes, index: int, base: int) -> int:
    """Return the index after the separating line at ``index``, or -1 when it is none."""
    end = data.find(b"\n", index, index + _LINE)
    if end < 0:
        return -1
    blank = data[index - 1] == 0 or _is_blank_before(data, index, base)
    grade = _grade(data[index:end].rstrip(b"\r"))
    accepted = _accepts(grade, after_blank=blank, following=data[end + 1 : end + 90])
    return end + 1 if accepted else -1


def _start_of_file(buffer: Buffer) -> Separator | None:
    """Return the separator that opens the file, after a byte order mark, NULs or empty lines."""
    head = buffer[: _LINE * 4]
    lead = len(head) - len(head.removeprefix(b"\xef\xbb\xbf").lstrip(b"\r\n\0 \t"))
    if not is_separator_line(head[lead:]):
        return None
    end = head.find(b"\n", lead)
    return Separator(lead, len(head) if end < 0 else end + 1)


def _is_end(buffer: Buffer, at: int) -> int:
    """Return where the next separating line or the end of the file stands, if right here."""
    tail = buffer[at : at + _LINE + 100]
    for ends in (b"\r\n\r\n", b"\n\n", b"\r\n", b"\n", b""):
        if tail.startswith(ends):
            rest = tail[len(ends) :]
            if not rest or is_separator_line(rest):
                return at + len(ends)
    return -1


def _names_length(data: bytes, body: int) -> bool:
    """Say whether the header that begins at ``body`` names a Content-Length."""
    stop = body + _HEADER
    end = data.find(b"\n\n", body, stop)
    stop = stop if end < 0 else end + 2
    if data.find(b"\r", body, stop) >= 0:
        end = data.find(b"\n\r\n", body, stop)
        stop = stop if end < 0 else end + 3
    if data.find(b"ength:", body, stop) < 0:
        return False
    return any(data.find(spelling, body - 1, stop) >= 0 for spelling in _LENGTHS)


def _with_length(buffer: Buffer, found: Separator) -> Separator:
    """Add the end that a Content-Length proves, if it proves one."""
    head = b"\n" + buffer[found.body : found.body + _HEADER]
    end = _HEADER_END.search(head)
    length = _LENGTH.search(head, 0, end.start() + 1) if end else None
    if end is None or length is None:
        return found
    stop = found.body - 1 + end.end() + int(length.group(1))
    if stop > len(buffer) or stop - found.line > REACH:
        return found
    following = _is_end(buffer, stop)
    return found if following < 0 else found._replace(proven_stop=stop, proven_next=following)


def _blocks(start: int, stop: int) -> Iterator[tuple[int, int]]:
    """Cut a range into blocks: small first, since a single message is mostly small."""
    size = _HEADER
    while start < stop:
        yield start, min(start + size, stop)
        start += size
        size = min(size * 4, _BLOCK)


def _separators(buffer: Buffer, start: int, stop: int, *, proven_only: bool) -> Iterator[Separator]:
    """Yield the separators whose line begins in ``[start, stop)``, in order.

    With ``proven_only`` parts of the file that name no Content-Length are passed over.
    """
    opening = _start_of_file(buffer) if start == 0 else None
    if opening is not None and opening.line < stop:
        yield _with_length(buffer, opening)
    for base, end in _blocks(start, stop):
        low = max(base - 3, 0)
        data = buffer[low : end + _HEADER]
        if proven_only and not any(spelling in data for spelling in _LENGTHS):
            continue
        for index in _found(data, base - low, end - low):
            body = _judge(data, index, low)
            if body < 0 or (opening is not None and low + index <= opening.line):
                continue
            found = Separator(low + index, low + body)
            yield _with_length(buffer, found) if _names_length(data, body) else found


def _message_stop(buffer: Buffer, start: int, following: int) -> int:
    """Return the end of a message: before NULs and one empty line that the writer added."""
    stop = following
    while stop > start and buffer[stop - 1] == 0:
        chunk = buffer[max(start, stop - 4096) : stop]
        stop -= len(chunk) - len(chunk.rstrip(b"\0"))
    tail = buffer[max(start - 1, stop - 3, 0) : stop]
    if tail.endswith(b"\n\r\n"):
        return max(stop - 2, start)
    return max(stop - 1, start) if tail.endswith(b"\n\n") else stop


def _close(buffer: Buffer, opened: Separator, following: int, inner: int) -> Slot:
    proven = opened.proven_next == following
    stop = opened.proven_stop if proven else _message_stop(buffer, opened.body, following)
    return Slot(opened.line, opened.body, stop, following, inner)


def _held_until(buffer: Buffer, start: int) -> int:
    """Return up to where messages that begin before ``start`` are proven to reach."""
    before = _separators(buffer, max(0, start - REACH), start, proven_only=True)
    return max((found.proven_next for found in before), default=-1)


def slots(buffer: Buffer, start: int = 0, stop: int | None = None) -> Iterator[Slot]:
    """Yield the messages whose separating line begins in ``[start, stop)``, in order.

    Parameters
    ----------
    buffer : bytes or mmap
        The whole file.
    start, stop : int
        Byte offsets; by default the whole file.

    Notes
    -----
    One pass of ``find`` over blocks: about a second for a gigabyte.
    """
    size = len(buffer)
    stop = size if stop is None else stop
    held = _held_until(buffer, start)
    opened: Separator | None = None
    inner = 0
    for found in _separators(buffer, start, size, proven_only=False):
        if found.line >= held:
            if opened is not None:
                yield _close(buffer, opened, found.line, inner)
            if found.line >= stop:
                return
            opened, inner = found, 0
        else:
            inner += 1
        held = max(held, found.proven_next)
    if opened is not None:
        yield _close(buffer, opened, size, inner)


def slot_at(buffer: Buffer, start: int) -> Slot | None:
    """Return the message that begins at ``start``, right after its separating line, if one does.

    Only its neighbourhood is looked at, so this is quick in a file of any size.
    """
    if not 0 < start <= len(buffer):
        return None
    low = max(0, start - _LINE - 4)
    line = low + max(buffer[low : start - 1].rfind(sign) for sign in (b"\n", b"\0")) + 1
    near = _separators(buffer, line, len(buffer), proven_only=False)
    opened: Separator | None = None
    held, inner = -1, 0
    for found in near:
        if opened is None:
            if found.body != start:
                return None
            opened = found
        elif found.line >= held:
            return _close(buffer, opened, found.line, inner)
        else:
            inner += 1
        held = max(held, found.proven_next)
    return None if opened is None else _close(buffer, opened, len(buffer), inner)


def first_separator(buffer: Buffer) -> int:
    """Return the offset of the first separating line, or the size of the file."""
    first = next(_separators(buffer, 0, len(buffer), proven_only=False), None)
    return len(buffer) if first is None else first.line
