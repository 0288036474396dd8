"""Carving: messages and mbox fragments found by their content, in one pass."""

from __future__ import annotations

import mmap
from collections import deque
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass

from mailforensics.carving.anchors import Buffer
from mailforensics.carving.bounds import MAX_MESSAGE, EndedBy, Extent, extent
from mailforensics.carving.starts import MAX_HEADER, Grid, Scanner, Start, StartKind

__all__ = ["Carved", "carve"]

_FAR = 100


@dataclass(frozen=True, slots=True)
class Carved:
    """A message found by its content: ``buffer[offset : offset + length]``.

    Attributes
    ----------
    offset, length
        Its bytes, without the From_ line and the blank line that mbox files put round it.
    kind
        What shows that it begins there.
    ended_by
        What ends it.
    closed
        Whether its closing boundary is there; None when it names none.
    clean
        Whether the end is sure.
    has_separator
        Whether a From_ line stands in front.
    body_offset
        Offset of the first byte after its header block.
    """

    offset: int
    length: int
    kind: StartKind
    ended_by: EndedBy
    closed: bool | None
    clean: bool
    has_separator: bool
    body_offset: int

    @property
    def complete(self) -> bool:
        """Whether nothing shows that bytes are missing."""
        if self.closed is not None:
            return self.closed
        return self.ended_by not in {EndedBy.RANGE_END, EndedBy.LIMIT}


def carve(
    buffer: bytes | bytearray | memoryview | mmap.mmap,
    ranges: Sequence[tuple[int, int]] | None = None,
    *,
    own: tuple[int, int] | None = None,
    grid: Grid | None = None,
    release: Callable[[int], None] | None = None,
    window: int | None = None,
) -> Iterator[Carved]:
    """Find messages by their content.

    Two messages are never merged: a message ends where the next begins. A message inside another
    one (forwarded, attached) is part of it.

    Parameters
    ----------
    buffer : bytes, bytearray, memoryview or mmap
        What to search. A memory map is never copied; a memoryview or bytearray is.
    ranges : sequence of (int, int), optional
        Half-open byte ranges, ascending and apart: a message lies inside one of them. None
        stands for the whole buffer.
    own : (int, int), optional
        Yield only messages that begin in this half-open range, looking beyond it where needed.
        Ranges read apart give exactly what one pass gives.
    grid : Grid, optional
        Block size and first block of the file system; 4096 from 0 when not given.
    release : callable, optional
        Called with an offset when nothing in front of it is needed soon.
    window : int, optional
        Bytes scanned at a time.

    Yields
    ------
    Carved
        In the order of their offsets.
    """
    data: Buffer = buffer if isinstance(buffer, bytes | mmap.mmap) else bytes(buffer)
    size = len(data)
    low, high = own or (0, size)
    for begin, end in ranges if ranges is not None else [(0, size)]:
        begin, end = max(begin, 0), min(end, size)  # noqa: PLW2901 - clipped
        if begin < end and begin < high and low < end:
            scanner = Scanner(data, begin, end, grid or Grid(), **_window(window))
            yield from _Carver(scanner, max(low, begin), min(high, end), release).carve()


def _window(window: int | None) -> dict[str, int]:
    return {} if window is None else {"window": window}


class _Carver:
    """Carves one range: starts come in, messages go out."""

    def __init__(
        self, scanner: Scanner, low: int, high: int, release: Callable[[int], None] | None
    ) -> None:
        self.scanner, self.low, self.high = scanner, low, high
        self.release = release
        self.next_window = scanner.index(low)
        self.queue: deque[Start] = deque()
        self.header_end = -1

    def carve(self) -> Iterator[Carved]:
        """Yield the messages that begin in ``[low, high)``."""
        covered = -1
        first = True
        while (start := self._pop()) is not None and start.offset < self.high:
            if first:
                covered = self._covered_by_earlier(start)
                first = False
            if not start.strong and start.begins < covered:
                continue
            found = self._extent(start)
            covered = found.end
            if start.offset >= self.low:
                yield _carved(start, found)

    def _covered_by_earlier(self, first: Start) -> int:
        """Return the end of the message before the range, where that can matter."""
        if first.strong:
            return -1
        earlier = self._earlier_starts()
        covered = -1
        for place, start in enumerate(earlier):
            if not start.strong and start.begins < covered:
                continue
            following = _head_after(start, [*earlier[place + 1 :], first, *self.queue])
            covered = self._bounded(start, following).end
        return covered

    def _earlier_starts(self) -> list[Start]:
        """Return the starts before the range, from the last strong one on."""
        earlier: list[Start] = []
        index = self.scanner.index(self.low) - 1
        last = self.scanner.index(max(self.scanner.low, self.low - MAX_MESSAGE))
        while index >= last:
            found = self.scanner.starts(index)
            strong = [place for place, start in enumerate(found) if start.strong]
            earlier[:0] = found[strong[-1] :] if strong else found
            if strong:
                break
            index -= 1
        return earlier

    def _pop(self) -> Start | None:
        while not self.queue and self._more(self.high + MAX_HEADER):
            pass
        return self.queue.popleft() if self.queue else None

    def _more(self, until: int) -> bool:
        """Read another window, if one begins before ``until``; say whether there was one."""
        begins = self.next_window * self.scanner.window
        if begins >= min(until, self.scanner.high):
            return False
        if self.release is not None:
            self.release(begins - self.scanner.window)
        for start in self.scanner.starts(self.next_window):
            if start.offset >= self.header_end:
                self.queue.append(start)
                self.header_end = start.header_end
        self.next_window += 1
        return True

    def _extent(self, start: Start) -> Extent:
        """Find the end of a message, reading on as far as it may reach."""
        following = _head_after(start, self.queue)
        found = self._bounded(start, following)
        if following is not None:
            return found
        while following is None and self._more(found.end + MAX_HEADER):
            following = _head_after(start, self.queue)
        return found if following is None else self._bounded(start, following)

    def _bounded(self, start: Start, following: Start | None) -> Extent:
        scanner = self.scanner
        return extent(scanner.buffer, start, following, scanner.high, scanner.grid)


def _head_after(start: Start, queue: Sequence[Start] | deque[Start]) -> Start | None:
    """Return the next start that ends the message, None when none is known yet.

    A loose message ends at the latest after ``_FAR`` messages that it may carry.
    """
    for place, other in enumerate(queue):
        far = place >= _FAR or other.carrier is None
        if other.strong or (far and not start.strong):
            return other
    return None


def _carved(start: Start, found: Extent) -> Carved:
    end = max(found.end, start.header_end)
    return Carved(
        offset=start.offset,
        length=end - start.offset,
        kind=start.kind,
        ended_by=found.ended_by,
        closed=found.closed,
        clean=found.clean,
        has_separator=start.kind is StartKind.SEPARATOR,
        body_offset=min(start.body, end),
    )
