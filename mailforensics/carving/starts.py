"""Where messages begin: anchors, walked back to the first line of their header block."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from enum import StrEnum
from functools import lru_cache

from mailforensics.carving import grammar
from mailforensics.carving.anchors import IDENTITY, SEPARATOR, TRACE, Buffer, scan

__all__ = ["MAX_HEADER", "WINDOW", "Grid", "Scanner", "Start", "StartKind"]

WINDOW = 16 << 20
"""Bytes that are scanned at a time."""

MAX_HEADER = 256 << 10
"""Longest header block that is believed, in bytes."""

SECTOR = 512
_LONG_LINE = 64 << 10
_DEBRIS = 4096
_TOLERATED_LINES = 3
_CARRIER_REACH = 2048


class StartKind(StrEnum):
    """What shows that a message begins here."""

    SEPARATOR = "separator"
    ALIGNED = "aligned"
    AFTER_BINARY = "after_binary"
    LOOSE = "loose"


@dataclass(frozen=True, slots=True)
class Grid:
    """The blocks of the file system that the bytes come from.

    Attributes
    ----------
    origin
        Offset of the first block.
    block
        Size of a block in bytes.
    """

    origin: int = 0
    block: int = 4096

    def on_block(self, offset: int) -> bool:
        """Say whether a block begins at ``offset``."""
        return (offset - self.origin) % self.block == 0

    def last_multiple(self, offset: int, unit: int) -> int:
        """Return the last multiple of ``unit`` from the origin at or before ``offset``."""
        return offset - (offset - self.origin) % unit

    def next_multiple(self, offset: int, unit: int) -> int:
        """Return the first multiple of ``unit`` from the origin at or after ``offset``."""
        return offset + (self.origin - offset) % unit


@dataclass(frozen=True, slots=True)
class Start:
    """The beginning of a message.

    Attributes
    ----------
    begins
        Offset of its From_ line, or of its header.
    offset
        Offset of its header: the first byte of the message.
    header_end, body
        End of the last header line; first byte after the blank line.
    kind
        What shows that it begins here.
    carrier
        A boundary line of the message that carries this one (``b""``: a carrier without), or
        None when nothing shows that it was carried.
    """

    begins: int
    offset: int
    header_end: int
    body: int
    kind: StartKind
    carrier: bytes | None = None

    @property
    def strong(self) -> bool:
        """Whether it ends the message before it."""
        return self.kind is not StartKind.LOOSE


class _Finder:
    """Finds the next of a byte string, each byte being searched once."""

    def __init__(self, buffer: Buffer, needle: bytes, limit: int) -> None:
        self.buffer, self.needle, self.limit = buffer, needle, limit
        self.clear_from = self.clear_to = 0

    def find(self, offset: int, horizon: int) -> int:
        """Return where the needle comes first from ``offset`` on, ``horizon`` if not before."""
        if not self.clear_from <= offset <= self.clear_to:
            self.clear_from = self.clear_to = offset
        begin = max(offset, self.clear_to)
        if begin < horizon:
            hit = self.buffer.find(self.needle, begin, min(self.limit, horizon + len(self.needle)))
            self.clear_to = horizon if hit < 0 else min(hit, horizon)
        return min(self.clear_to, horizon)


class Scanner:
    """Finds the starts in one range of the buffer, window by window.

    What a window gives depends on the bytes alone, not on the windows asked for before: pieces
    read apart give what the whole gives.

    Parameters
    ----------
    buffer : bytes or mmap
        The bytes.
    low, high : int
        The range: nothing outside of it is looked at.
    grid : Grid
        Where file system blocks begin.
    window : int
        Bytes a window; windows begin at multiples of it.
    """

    def __init__(
        self, buffer: Buffer, low: int, high: int, grid: Grid, window: int = WINDOW
    ) -> None:
        self.buffer, self.low, self.high, self.grid = buffer, low, high, grid
        self.window = window
        self.starts = lru_cache(maxsize=4)(self._starts)

    def index(self, offset: int) -> int:
        """Return the number of the window that holds ``offset``."""
        return offset // self.window

    def _starts(self, index: int) -> tuple[Start, ...]:
        """Return the starts whose first anchor stands in a window, in order."""
        begin = max(self.low, index * self.window)
        end = min(self.high, (index + 1) * self.window)
        if begin >= end:
            return ()
        synced = self._synchronize(begin)
        hits = scan(self.buffer, synced, end, self.high)
        return tuple(_Window(self, hits, synced, end).starts(begin))

    def _synchronize(self, offset: int) -> int:
        """Go back to where surely no header block is open: after a blank line or a NUL."""
        floor = max(self.low, offset - MAX_HEADER)
        reached = [floor]
        for mark in (b"\n\n", b"\n\r\n", b"\0"):
            found = self.buffer.rfind(mark, floor, offset)
            if found >= 0:
                reached.append(found + len(mark) - 1)
        return max(reached)


class _Window:
    """One sweep over the anchors of a window."""

    def __init__(self, scanner: Scanner, hits: list[tuple[int, int]], low: int, high: int) -> None:
        self.scanner, self.hits, self.high = scanner, hits, high
        self.buffer, self.limit, self.grid = scanner.buffer, scanner.high, scanner.grid
        self.done = low
        self.place = 0
        self.ends = [_Finder(self.buffer, mark, self.limit) for mark in (b"\n\n", b"\n\r\n", b"\0")]

    def starts(self, begin: int) -> Iterator[Start]:
        """Yield the starts whose first anchor stands at or after ``begin``."""
        while self.place < len(self.hits):
            bit, offset = self.hits[self.place]
            if offset < self.done:
                self.place += 1
                continue
            start = self._evaluate(bit, offset)
            if start is not None and offset > begin:
                yield start

    def _evaluate(self, bit: int, offset: int) -> Start | None:
        """Judge the header block round an anchor, and move past it."""
        begins, kind = offset, StartKind.SEPARATOR
        if bit != SEPARATOR:
            begins, kind = self._walk_back(offset)
        header = begins
        if kind is StartKind.SEPARATOR:
            ended = grammar.separator_end(self.buffer, begins, self.limit)
            if ended is None or ended >= self.limit:
                self.place += 1
                return None
            header = ended
        header_end, body = self._header_end(header, kind)
        cores = self._cores(header, header_end)
        self.done = max(self.done, offset + 1, header_end)
        return self._judge(Start(begins, header, header_end, body, kind), cores)

    def _cores(self, header: int, header_end: int) -> dict[int, list[int]]:
        """Return the core headers of a block: bit -> where each stands (at most three)."""
        cores: dict[int, list[int]] = {}
        first = grammar.first_line_bit(self.buffer, header, header_end)
        if first:
            cores[first] = [header]
        for bit, offset in self._hits_until(header_end):
            if bit != SEPARATOR and offset > header and len(cores.setdefault(bit, [])) < 3:
                cores[bit].append(offset)
        return cores

    def _hits_until(self, offset: int) -> Iterator[tuple[int, int]]:
        while self.place < len(self.hits) and self.hits[self.place][1] < offset:
            yield self.hits[self.place]
            self.place += 1
        if offset > self.high:
            yield from (hit for hit in scan(self.buffer, self.high, offset, self.limit))

    def _header_end(self, header: int, kind: StartKind) -> tuple[int, int]:
        """Return where the header block ends and where the body begins."""
        horizon = min(self.limit, header + MAX_HEADER)
        first, second, zero = self.ends
        line_end = self.buffer.find(b"\n", header, min(horizon, header + _DEBRIS))
        if line_end > header and self.buffer[line_end - 1] == 0x0D:
            first, second = second, first
        near = first.find(header, horizon)
        blank = second.find(header, near)
        nul = zero.find(header, blank)
        if nul == blank < horizon:
            header_end = blank + 1
            body = header_end + (1 if self.buffer[header_end] == 0x0A else 2)
        else:
            header_end = body = nul
        cut = self._bad_line(header, header_end, kind)
        return (cut, cut) if cut is not None else (header_end, min(body, self.limit))

    def _bad_line(self, header: int, header_end: int, kind: StartKind) -> int | None:
        """Return where a header block breaks off, None when it holds."""
        cut = self._file_inside(header, header_end)
        stop = (cut or header_end) - 1
        allowed = 0 if kind is StartKind.LOOSE else _TOLERATED_LINES
        first = None
        for count, bad in enumerate(grammar.BAD_LINE.finditer(self.buffer, header, stop)):
            first = bad.end() if first is None else first
            if count >= allowed:
                return first
        return cut

    def _file_inside(self, header: int, header_end: int) -> int | None:
        """Return where another file begins in the middle of a line of this block."""
        block = self.grid.block
        for edge in range(self.grid.next_multiple(header + 1, block), header_end, block):
            if self.buffer[edge - 1] != 0x0A and self._file_at(edge, header_end):
                return edge
        return None

    def _file_at(self, offset: int, limit: int) -> bool:
        if self.buffer[offset : offset + 5] == b"From ":
            return grammar.separator_end(self.buffer, offset, self.limit) is not None
        return grammar.known_header_at(self.buffer, offset, limit)

    def _walk_back(self, offset: int) -> tuple[int, StartKind]:
        """Go up from a header line to the first line of its block.

        A few lines that are no header lines are passed over when a sure start stands above them.
        """
        floor = max(self.scanner.low, self.done, offset - MAX_HEADER)
        stops: list[tuple[int, StartKind]] = []
        while offset > floor:
            line_end = offset - 1
            longest = max(floor, line_end - _LONG_LINE)
            line = self.buffer.rfind(b"\n", longest, line_end) + 1 or longest
            inside = self._start_inside(line, line_end)
            if inside is not None:
                return inside
            if not grammar.HEADER_LINE.match(self.buffer, line, line_end):
                stop = self._start_in_debris(line, line_end, offset)
                stops.append(stop)
                blank = line_end - line <= 1
                if blank or stop[1] is not StartKind.LOOSE or len(stops) > _TOLERATED_LINES:
                    break
            offset = line
        else:
            stops.append(self._plain(offset))
        return stops[-1] if stops[-1][1] is not StartKind.LOOSE else stops[0]

    def _start_inside(self, line: int, line_end: int) -> tuple[int, StartKind] | None:
        """Return the file or separator that begins in this line, if one surely does."""
        edge = self.grid.last_multiple(line_end, self.grid.block)
        if edge > line and self._file_at(edge, line_end + 1):
            return self._kind_at(edge, line_end)
        if self.buffer[line : line + 5] == b"From " and self._kind_at(line, line_end)[1] is (
            StartKind.SEPARATOR
        ):
            return line, StartKind.SEPARATOR
        return None

    def _start_in_debris(self, line: int, line_end: int, offset: int) -> tuple[int, StartKind]:
        """Find the start behind a line that is no header line."""
        line = max(line, line_end - _DEBRIS)
        for edge in range(self.grid.next_multiple(line, SECTOR), line_end, SECTOR):
            if self._header_from(edge, line_end):
                return self._kind_at(edge, line_end)
        last = None
        for last in grammar.CONTROL.finditer(self.buffer, line, line_end):  # noqa: B007
            pass
        if last is None:
            return self._plain(offset)
        begins = last.end()
        if begins < line_end and self._header_from(begins, line_end):
            return self._kind_at(begins, line_end, StartKind.AFTER_BINARY)
        return offset, StartKind.AFTER_BINARY

    def _header_from(self, offset: int, line_end: int) -> bool:
        if self.buffer[offset : offset + 5] == b"From ":
            return grammar.separator_end(self.buffer, offset, self.limit) is not None
        return self.buffer[offset] > 0x20 and bool(
            grammar.HEADER_LINE.match(self.buffer, offset, line_end)
        )

    def _kind_at(
        self, offset: int, line_end: int, otherwise: StartKind = StartKind.ALIGNED
    ) -> tuple[int, StartKind]:
        is_separator = (
            self.buffer[offset : offset + 5] == b"From "
            and grammar.separator_end(self.buffer, offset, line_end + 1) is not None
        )
        return offset, StartKind.SEPARATOR if is_separator else otherwise

    def _plain(self, offset: int) -> tuple[int, StartKind]:
        on_edge = offset == self.scanner.low or self.grid.on_block(offset)
        return offset, StartKind.ALIGNED if on_edge else StartKind.LOOSE

    def _judge(self, start: Start, cores: dict[int, list[int]]) -> Start | None:
        """Return the start with the kind that it deserves, None when this is no mail."""
        if len(cores) < 2:
            return None
        bits = self._believable(cores, start.header_end)
        kind = self._demoted(start, bits)
        if not _is_mail(bits, kind):
            return None
        carrier = self._carrier(start.begins)
        if carrier is not None and start.begins != self.scanner.low:
            kind = StartKind.LOOSE
        return Start(start.begins, start.offset, start.header_end, start.body, kind, carrier)

    def _believable(self, cores: dict[int, list[int]], header_end: int) -> int:
        """Return the bits of the headers with believable values, as many as can matter."""
        bits = 0
        for bit, offsets in cores.items():
            for offset in offsets:
                if grammar.believable(bit, self.buffer, offset, header_end):
                    bits |= bit
                    break
            if bits & TRACE and bits.bit_count() >= 4 and (bits & IDENTITY).bit_count() >= 2:
                break
        return bits

    def _demoted(self, start: Start, bits: int) -> StartKind:
        """Call a start loose when what stands before it could be the same message."""
        before = start.begins - 1
        if before < self.scanner.low:
            return start.kind
        if start.kind is StartKind.ALIGNED:
            return self._aligned_kind(start.begins, bits)
        if start.kind is StartKind.SEPARATOR and not self._blank_before(start.begins):
            enough = bits.bit_count() >= 3 and bits & TRACE and not self._ruled_off(start.begins)
            return StartKind.SEPARATOR if enough else StartKind.LOOSE
        return start.kind

    def _aligned_kind(self, begins: int, bits: int) -> StartKind:
        """Demand more of a start at a block's edge when text runs up to it."""
        before = self.buffer[begins - 1]
        if before == 0x0A:
            held = self.grid.on_block(begins) and bits.bit_count() >= 4 and bits & TRACE
        elif 0x20 <= before < 0x7F:
            held = self.grid.on_block(begins) and bits.bit_count() >= 3
        else:
            held = True
        return StartKind.ALIGNED if held else StartKind.LOOSE

    def _blank_before(self, offset: int) -> bool:
        """Say whether a blank line, a NUL or a block's edge stands before ``offset``."""
        tail = self.buffer[max(self.scanner.low, offset - 3) : offset]
        return tail.endswith((b"\n\n", b"\n\r\n", b"\0")) or self.grid.on_block(offset)

    def _ruled_off(self, offset: int) -> bool:
        """Say whether a line of dashes or the like stands before ``offset``: a quotation."""
        tail = self.buffer[max(self.scanner.low, offset - 5) : offset].rstrip(b"\r\n")
        return tail[-3:] in {b"---", b"===", b"___", b"***", b"..."}

    def _carrier(self, offset: int) -> bytes | None:
        """Return the boundary line of the message that carries the one at ``offset``."""
        low = max(self.scanner.low, offset - _CARRIER_REACH)
        before = self.buffer[low:offset]
        if not before.endswith((b"\n\n", b"\n\r\n")):
            return None
        block = before.rstrip(b"\r\n").replace(b"\r\n", b"\n").rpartition(b"\n\n")[2]
        if b"message/rfc822" not in block.lower():
            return None
        boundary = next((line for line in block.split(b"\n") if line.startswith(b"--")), b"")
        return boundary.rstrip()


def _is_mail(bits: int, kind: StartKind) -> bool:
    """Say whether headers of these kinds, each with a value that makes sense, are mail."""
    identity, count = (bits & IDENTITY).bit_count(), bits.bit_count()
    if kind is StartKind.SEPARATOR:
        return identity >= 1 and count >= 2
    if kind is StartKind.LOOSE:
        return identity >= 3 or (identity >= 2 and bool(bits & TRACE) and count >= 4)
    if kind is StartKind.ALIGNED:
        return identity >= 1 and count >= 2
    return identity >= 2 or (identity == 1 and count >= 3)
