"""Mail found by its content: in disk images outside of live files, and in files nobody knows."""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath

from mailforensics.carving import Carved, EndedBy, StartKind, carve
from mailforensics.errors import EvidenceUnreadable, NoBytes
from mailforensics.images import (
    DeletedEntry,
    ImageMap,
    container_name,
    looks_like_disk,
    total,
)
from mailforensics.mime import nested_bytes, read_nested
from mailforensics.readers import thunderbird
from mailforensics.readers.base import Reader, ReadLog, Source, Span
from mailforensics.readers.carveplaces import Area, Place, areas
from mailforensics.readers.folders import role_of
from mailforensics.schema import (
    Completeness,
    Confidence,
    DeletionState,
    MessageRecord,
    RawKind,
    Record,
)

__all__ = ["CarveReader"]

SPAN = 64 << 20
_LOOKED_THROUGH = 16 << 20
_SUFFIXES = frozenset(
    {".dd", ".img", ".raw", ".001", ".bin", ".blob", ".unalloc", ".blkls", ".mem", ".vmem"}
)


@dataclass(frozen=True, slots=True)
class _Find:
    """A message found in an area.

    Attributes
    ----------
    carved
        Its bounds by content.
    area
        Where it lies.
    entry
        The deleted directory entry that points at it, if any.
    begins_there
        Whether the file of that entry begins with this message.
    length
        Its bytes, corrected by the size in the entry where content left the end open.
    """

    carved: Carved
    area: Area
    entry: DeletedEntry | None
    begins_there: bool
    length: int

    @property
    def sized(self) -> bool:
        """Whether the directory entry confirms the end."""
        return self.begins_there and self.entry is not None and self.entry.size == self.length

    @property
    def complete(self) -> bool:
        """Whether nothing shows that bytes are missing."""
        if self.sized or self.carved.closed:
            return True
        if self.begins_there and not self.carved.has_separator and self._lacks_bytes:
            return False
        return self.carved.complete or (self.carved.closed is None and self._at_file_end)

    @property
    def _at_file_end(self) -> bool:
        """Whether the message ends with the file, which is no disk: nothing follows it."""
        return self.area.place is Place.WHOLE and self.carved.ended_by is EndedBy.RANGE_END

    @property
    def _lacks_bytes(self) -> bool:
        size = self.entry.size if self.entry is not None else None
        return size is not None and size > self.length and not self.carved.clean


@contextmanager
def _mapped(path: Path) -> Iterator[mmap.mmap | bytes]:
    """Map a file, read-only; an empty one is empty bytes."""
    try:
        stream = path.open("rb")
    except OSError as error:
        raise EvidenceUnreadable(f"{path} cannot be read: {error.strerror or error}") from error
    with stream:
        if path.stat().st_size == 0:
            yield b""
            return
        with mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as buffer:
            yield buffer


def _releaser(buffer: mmap.mmap | bytes) -> Callable[[int], None] | None:
    """Return a function that gives pages of the map back that were looked at."""
    if not isinstance(buffer, mmap.mmap) or not hasattr(mmap, "MADV_DONTNEED"):
        return None
    given = 0

    def release(offset: int) -> None:
        nonlocal given
        end = offset - offset % mmap.PAGESIZE
        if end > given:
            buffer.madvise(mmap.MADV_DONTNEED, given, end - given)
        given = max(end, 0)

    return release


def _finds(buffer: mmap.mmap | bytes, planned: list[Area], own: Span) -> Iterator[_Find]:
    """Yield what begins in a span, area by area."""
    for area in planned:
        near = [part for part in area.ranges if part[0] < own.stop and own.start < part[1]]
        for carved in carve(
            buffer,
            near,
            own=(own.start, own.stop),
            grid=area.grid,
            release=_releaser(buffer),
        ):
            yield _find(buffer, carved, area)


def _find(buffer: mmap.mmap | bytes, carved: Carved, area: Area) -> _Find:
    beginning = area.entries.beginning_at(carved.offset)
    entry = beginning or area.entries.covering(carved.offset)
    length = carved.length
    if beginning is not None and beginning.size is not None:
        length = _sized(buffer, carved, beginning.size)
    return _Find(carved, area, entry, beginning is not None, length)


def _sized(buffer: mmap.mmap | bytes, carved: Carved, size: int) -> int:
    """Return the length that a directory entry gives, if content left it open and agrees.

    The entry may be of an earlier file in the same place: the message must end a line there, and
    its closing boundary if it has one.
    """
    shortest = carved.body_offset - carved.offset
    if carved.clean or carved.has_separator or not shortest <= size <= carved.length:
        return carved.length
    tail = buffer[max(carved.offset, carved.offset + size - 256) : carved.offset + size]
    fits = tail.endswith(b"\n") and (not carved.closed or tail.rstrip().endswith(b"--"))
    return size if fits else carved.length


class CarveReader(Reader):
    """Finds mail by its content: in the free space of disk images, and in any other bytes."""

    name = "carve"
    description = "Disk image, or any other bytes in which mail is found by its content"
    suffixes = _SUFFIXES
    expects = "a disk image, or mail somewhere near the beginning"

    def sniff(self, head: bytes, path: Path) -> bool:
        """Say yes to partition tables, file systems, image names, and files that hold mail."""
        if path.is_dir() or not head or container_name(head) is not None:
            return False
        if looks_like_disk(head) or path.suffix.lower() in _SUFFIXES:
            return True
        try:
            with path.open("rb") as stream:
                beginning = stream.read(_LOOKED_THROUGH)
        except OSError:
            return False
        return next(carve(beginning), None) is not None

    def why_not(self, head: bytes, path: Path) -> str:
        """Say why :meth:`sniff` said no."""
        name = container_name(head)
        if name is not None:
            return f"this is a packed disk image, {name}, which is not read yet: make it a raw one"
        if path.is_dir() or not head:
            return f"expects {self.expects}"
        return f"no mail found in its first {_LOOKED_THROUGH >> 20} MB"

    def spans(self, source: Source) -> list[Span] | None:
        """Cut the file into ranges of 64 MiB; each message belongs to where it begins."""
        size = source.path.stat().st_size
        if size <= SPAN:
            return None
        return [Span(start, min(start + SPAN, size)) for start in range(0, size, SPAN)]

    def read(self, source: Source, log: ReadLog, span: Span | None = None) -> Iterator[Record]:
        """Yield the messages found, each followed by the messages that it carries.

        Live files of a file system are left out: other readers read them from copies.

        Raises
        ------
        UnsupportedFormat
            The file is a packed disk image.
        """
        found, planned = areas(source.path)
        part = span or Span(0, found.size)
        if part.start == 0:
            _note_survey(found, planned, log)
        with _mapped(source.path) as buffer:
            for find in _finds(buffer, planned, part):
                log.declare()
                yield from _records(buffer, find, source)

    def raw(self, source: Source, source_ref: str) -> bytes:
        """Return the bytes of one message again, found anew at its place."""
        outer, _, inner = source_ref.partition("/")
        number = outer.removeprefix("offset:")
        if not outer.startswith("offset:") or not (number.isascii() and number.isdecimal()):
            raise NoBytes(f"{source_ref} is no place in a disk image", source_ref=source_ref)
        offset = int(number)
        _, planned = areas(source.path)
        with _mapped(source.path) as buffer:
            for find in _finds(buffer, planned, Span(offset, offset + 1)):
                message, _ = _message(buffer, find)
                return nested_bytes(message, source_ref) if inner else message
        raise NoBytes(f"No message begins at byte {offset:,}", source_ref=source_ref)


def _message(buffer: mmap.mmap | bytes, find: _Find) -> tuple[bytes, thunderbird.Front | None]:
    """Return the bytes of a message without the lines that Thunderbird put before it."""
    offset = find.carved.offset
    stored = buffer[offset : offset + find.length]
    front = thunderbird.front(stored) if find.carved.has_separator else None
    return (stored[front.length :] if front is not None else stored), front


def _records(buffer: mmap.mmap | bytes, find: _Find, source: Source) -> Iterator[MessageRecord]:
    message, front = _message(buffer, find)
    records = read_nested(message, source_ref=f"offset:{find.carved.offset}")
    first = records[0]
    first.source_offset = find.carved.offset + (front.length if front is not None else 0)
    first.source_length = len(message)
    if front is not None:
        first.flags += front.flags
        first.is_read = bool(front.status & 1)
    _judge_end(first, find)
    basis, confidence = _basis(find)
    for record in records:
        record.mailbox = source.mailbox or None
        record.deletion_state = DeletionState.CARVED
        record.deletion_basis, record.confidence = basis, confidence
        _place_folder(record, find)
        whole = record.completeness is Completeness.COMPLETE
        record.raw_kind = RawKind.ORIGINAL if whole else RawKind.FRAGMENT
    yield from records


def _judge_end(record: MessageRecord, find: _Find) -> None:
    """Merge what the bounds show into what the bytes showed."""
    if not find.complete:
        if record.completeness is Completeness.COMPLETE:
            record.completeness = Completeness.PARTIAL
        _add_defect(record, "truncated_end")
    elif not (find.carved.clean or find.sized):
        _add_defect(record, "end_undecided")


def _add_defect(record: MessageRecord, code: str) -> None:
    if code not in record.defects:
        record.defects.append(code)


def _place_folder(record: MessageRecord, find: _Find) -> None:
    """Name the folder of the deleted file that surely held the message."""
    if find.entry is None or not (find.begins_there or find.carved.has_separator):
        return
    parent = str(PurePosixPath(find.entry.path).parent).strip("/")
    if parent:
        record.folder = parent
        record.folder_role = role_of(parent)


def _basis(find: _Find) -> tuple[str, Confidence]:
    """Say what shows that the message was deleted, and how surely."""
    words = find.area.words(find.carved.offset)
    confidence = find.area.confidence
    if find.entry is not None and find.begins_there:
        words += f"; the deleted directory entry {_name(find.entry)} starts here"
        confidence = Confidence.CERTAIN
    elif find.entry is not None:
        words += (
            f"; as far as its directory entry says, the deleted file {_name(find.entry)} lay here"
        )
    if find.carved.kind is StartKind.LOOSE:
        words += "; text that may belong to something else stands right before it"
    if find.carved.ended_by is EndedBy.RANGE_END and not find.complete and find.area.system:
        words += "; the bytes after it belong to a live file now"
    return f"{words}.", confidence


def _name(entry: DeletedEntry) -> str:
    return entry.path.lstrip("/")


def _note_survey(found: ImageMap, planned: list[Area], log: ReadLog) -> None:
    """Note how many bytes were looked at, and how many were left to other readers."""
    carved = sum(total(area.ranges) for area in planned)
    live = found.live_files
    log.note(
        "",
        f"{found.size:,} bytes surveyed; {carved:,} of them searched for mail by content.",
        f"{len(live):,} live files with {sum(file.size for file in live):,} bytes are left to "
        "the other readers."
        if found.file_systems
        else "There is no file system that can be read.",
    )
    for system in found.file_systems:
        for note in system.notes:
            log.note(f"offset:{system.start}", note)
    for note in found.notes:
        log.note("", note)
