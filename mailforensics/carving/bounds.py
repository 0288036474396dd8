"""Where messages end: the next one, the closing boundary, or where text turns into other bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass
from enum import StrEnum

from mailforensics.carving import grammar
from mailforensics.carving.anchors import Buffer
from mailforensics.carving.starts import SECTOR, Grid, Start, StartKind

__all__ = ["MAX_MESSAGE", "EndedBy", "Extent", "extent"]

MAX_MESSAGE = 128 << 20
"""Longest message that is believed, in bytes."""

_TAIL = 4096
_DECLARES_BINARY = re.compile(rb"\ncontent-transfer-encoding:[ \t]*binary", re.IGNORECASE)
_PRINTABLE = re.compile(rb"[\t -~]*")
_SURELY_TEXT = 16
_BLANK = b"\r\n\t "


class EndedBy(StrEnum):
    """What ends a message."""

    NEXT_SEPARATOR = "next_separator"
    NEXT_MESSAGE = "next_message"
    MIME_CLOSE = "mime_close"
    CARRIER = "carrier"
    NUL = "nul"
    CONTROL = "control"
    RANGE_END = "range_end"
    LIMIT = "limit"


@dataclass(frozen=True, slots=True)
class Extent:
    """The end of a message and how sure it is.

    Attributes
    ----------
    end
        Offset of the first byte that does not belong to the message.
    ended_by
        What stands there.
    closed
        Whether the closing boundary is there; None when the header names no boundary.
    clean
        Whether the end is sure: a separator, zeros up to the end of the sector, or nothing but
        white space behind the closing boundary.
    """

    end: int
    ended_by: EndedBy
    closed: bool | None
    clean: bool


def extent(buffer: Buffer, start: Start, following: Start | None, high: int, grid: Grid) -> Extent:
    """Find the end of a message.

    Parameters
    ----------
    buffer : bytes or mmap
        The bytes.
    start, following : Start
        The message, and the start that ends it at the latest.
    high : int
        End of the range.
    grid : Grid
        Where file system blocks begin.
    """
    return _Bounds(buffer, start, following, high, grid).extent()


class _Bounds:
    """The steps of :func:`extent`."""

    def __init__(
        self, buffer: Buffer, start: Start, following: Start | None, high: int, grid: Grid
    ) -> None:
        self.buffer, self.start, self.grid = buffer, start, grid
        self.limit = min(high, start.offset + MAX_MESSAGE)
        self.ended_by = EndedBy.RANGE_END if self.limit == high else EndedBy.LIMIT
        if following is not None and following.begins <= self.limit:
            self.limit = following.begins
            separated = following.kind is StartKind.SEPARATOR and self._in_one_file()
            self.ended_by = EndedBy.NEXT_SEPARATOR if separated else EndedBy.NEXT_MESSAGE
        self._leave_carrier()

    def extent(self) -> Extent:
        """Return the end."""
        boundary = grammar.boundary_of(self.buffer[self.start.offset : self.start.header_end])
        if boundary is None:
            end, ended_by = self._text_end(self.start.body)
            closed = None
        else:
            mime_end = self._mime_end(boundary)
            closed = mime_end >= 0
            end, ended_by = self._text_end(max(mime_end, self.start.body))
            if closed:
                end, ended_by = self._without_slack(mime_end, end, ended_by)
        clean = self._is_clean(end, ended_by)
        if closed and not clean:
            clean = not self.buffer[mime_end : min(end, mime_end + _TAIL)].strip(_BLANK)
        return Extent(self._without_blank_line(end, ended_by), ended_by, closed, clean)

    def _in_one_file(self) -> bool:
        """Say whether the next separator line follows within the same mbox file."""
        tail = self.buffer[max(self.start.offset, self.limit - 3) : self.limit]
        blank = tail.endswith((b"\n\n", b"\n\r\n"))
        return blank or (self.start.kind is StartKind.SEPARATOR and tail.endswith(b"\n"))

    def _leave_carrier(self) -> None:
        """End at the boundary of the message that carries this one, or at the first NUL.

        Both are looked for in growing steps: many carried messages cost no more than their bytes.
        """
        if self.start.carrier is None or self.start.strong:
            return
        mark = b"\n" + self.start.carrier if self.start.carrier else b"\0"
        low, step = max(self.start.offset, self.start.body - 1), _TAIL
        while low < self.limit:
            high = min(self.limit, low + step)
            found = self.buffer.find(mark, low, min(self.limit, high + len(mark)))
            nul = self.buffer.find(b"\0", low, high)
            if nul >= 0 and not 0 <= found < nul:
                self.limit, self.ended_by = max(nul, self.start.body), EndedBy.NUL
            elif found >= 0:
                before = self.buffer[max(self.start.body, found - 1) : found]
                self.limit = max(self.start.body, found - (before == b"\r"))
                self.ended_by = EndedBy.CARRIER
            low, step = high, step * 2

    def _mime_end(self, boundary: bytes) -> int:
        """Return the end of the closing boundary, -1 when it is not there.

        A closing boundary behind bytes that are no text counts only if the message says that it
        holds binary parts: else other data lies between.
        """
        closing = b"\n--" + boundary + b"--"
        low = max(self.start.offset, self.start.body - 1)
        nul = self._first_nul(self.start.body)
        found = self.buffer.find(closing, low, self.limit if nul < 0 else nul)
        if found < 0 <= nul and self._holds_binary(nul):
            found = self.buffer.find(closing, nul, self.limit)
        return found + len(closing) if found >= 0 else -1

    def _holds_binary(self, nul: int) -> bool:
        if self.start.carrier is not None:
            return False
        return _DECLARES_BINARY.search(self.buffer, self.start.offset, nul) is not None

    def _first_nul(self, low: int) -> int:
        """Return the first NUL that is no lone one within text, -1 when there is none."""
        nul = self.buffer.find(b"\0", low, self.limit)
        while nul >= 0 and self._is_lone(nul):
            nul = self.buffer.find(b"\0", nul + 1, self.limit)
        return nul

    def _is_lone(self, nul: int) -> bool:
        behind = self.buffer[nul + 1 : min(nul + 65, self.limit)]
        return bool(behind[:8].strip(b"\0")) and not grammar.CONTROL.search(behind)

    def _text_end(self, low: int) -> tuple[int, EndedBy]:
        """Return where the text from ``low`` on ends."""
        nul = self._first_nul(low)
        limit = self.limit if nul < 0 else nul
        ended_by = self.ended_by if nul < 0 else EndedBy.NUL
        if ended_by is EndedBy.NEXT_SEPARATOR:
            return limit, ended_by
        turn = self._turn(max(low, limit - _TAIL), limit, nul)
        if turn < 0:
            return limit, ended_by
        return _last_line_end(self.buffer, low, turn), EndedBy.CONTROL

    def _turn(self, low: int, limit: int, nul: int) -> int:
        """Return where text turns into other bytes, -1 when it does not."""
        zeros = nul >= 0 and self._zeros_to_sector_end(nul)
        for found in grammar.CONTROL.finditer(self.buffer, low, limit):
            control = found.start()
            window = self.buffer[control : min(control + 64, limit)]
            if len(grammar.CONTROL.findall(window)) >= 2 or (nul - control < 64 and not zeros):
                return control
        return nul if nul >= 0 and not zeros and not self.grid.on_block(nul) else -1

    def _zeros_to_sector_end(self, nul: int) -> bool:
        return not self.buffer[nul : min(self.grid.next_multiple(nul, SECTOR), nul + 8)].strip(
            b"\0"
        )

    def _without_slack(self, mime_end: int, end: int, ended_by: EndedBy) -> tuple[int, EndedBy]:
        """Cut behind the closing boundary when text of other files seems to follow."""
        if ended_by in {EndedBy.NEXT_SEPARATOR, EndedBy.CARRIER}:
            return end, ended_by
        block_end = self.grid.next_multiple(mime_end, self.grid.block)
        if end < block_end or not self.buffer[mime_end : min(end, mime_end + _TAIL)].strip(_BLANK):
            return end, ended_by
        line_end = self.buffer[mime_end : mime_end + 2]
        width = 2 if line_end == b"\r\n" else int(line_end[:1] == b"\n")
        return min(end, mime_end + width), EndedBy.MIME_CLOSE

    def _is_clean(self, end: int, ended_by: EndedBy) -> bool:
        if ended_by in {EndedBy.NEXT_SEPARATOR, EndedBy.CARRIER}:
            return True
        if ended_by is not EndedBy.NUL or self.grid.on_block(end):
            return False
        stop = min(self.grid.next_multiple(end, SECTOR), self.limit)
        return not self.buffer[end:stop].strip(b"\0")

    def _without_blank_line(self, end: int, ended_by: EndedBy) -> int:
        """Drop the blank line that an mbox file puts behind each message."""
        if self.start.kind is not StartKind.SEPARATOR or ended_by in {
            EndedBy.LIMIT,
            EndedBy.MIME_CLOSE,
        }:
            return end
        tail = self.buffer[max(self.start.body, end - 4) : end]
        if tail.endswith(b"\n\r\n"):
            return end - 2
        return end - 1 if tail.endswith(b"\n\n") else end


def _last_line_end(buffer: Buffer, low: int, turn: int) -> int:
    """Return the end of the last line before ``turn`` that reads as text."""
    begun = buffer.rfind(b"\n", max(low - 1, turn - 2048), turn) + 1 or low
    printable = _PRINTABLE.match(buffer, begun, turn)
    if printable is not None and (printable.end() - begun >= _SURELY_TEXT or begun <= low):
        return printable.end()
    for _ in range(4):
        line_end = buffer.rfind(b"\n", max(low - 1, turn - 2048), turn)
        if line_end < low:
            return low if line_end >= 0 else turn
        line = buffer.rfind(b"\n", max(low - 1, line_end - 2048), line_end) + 1 or low
        if line_end - line >= 300 or _reads_as_text(buffer, low, line, line_end):
            return line_end + 1
        turn = line_end - 1 if line_end > line else line_end
    return line_end + 1


def _reads_as_text(buffer: Buffer, low: int, line: int, line_end: int) -> bool:
    """Say whether a line is text, and not the random bytes that follow a file."""
    content = buffer[line:line_end].rstrip(b"\r")
    if any(byte < 0x20 and byte not in b"\t\x0c\x0e\x0f\x1b" for byte in content):
        return False
    if content.isascii() or _is_utf8(content):
        return True
    before = buffer[max(low, line - 4096) : line]
    if before.isascii():
        return len(content) >= 40 and _mostly_ascii(content)
    return not _is_utf8(before[before.find(b"\n") + 1 :])


def _mostly_ascii(content: bytes) -> bool:
    return sum(0x20 <= byte < 0x7F for byte in content) >= 0.55 * len(content)


def _is_utf8(content: bytes) -> bool:
    try:
        content.decode("utf-8")
    except UnicodeDecodeError:
        return False
    return True
