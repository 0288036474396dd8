"""Files and deleted directory entries of one file system, through The Sleuth Kit."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import Any

import pytsk3

from mailforensics.images.model import DeletedEntry, LiveFile
from mailforensics.images.ranges import Range

__all__ = ["Walk", "bitmap_reader", "walk"]

_MOST_ENTRIES = 2_000_000
_MOST_RUNS = 200_000
_DEEPEST = 256
_HOLES = int(pytsk3.TSK_FS_ATTR_RUN_FLAG_SPARSE) | int(pytsk3.TSK_FS_ATTR_RUN_FLAG_FILLER)
_ALLOCATED_NAME = int(pytsk3.TSK_FS_NAME_FLAG_ALLOC)
_ALLOCATED_META = int(pytsk3.TSK_FS_META_FLAG_ALLOC)
_RESIDENT = int(pytsk3.TSK_FS_ATTR_RES)
_PACKED = int(pytsk3.TSK_FS_ATTR_COMP) | int(pytsk3.TSK_FS_ATTR_ENC)
_CONTENT = {int(pytsk3.TSK_FS_ATTR_TYPE_DEFAULT), int(pytsk3.TSK_FS_ATTR_TYPE_NTFS_DATA)}
_DIRECTORY = int(pytsk3.TSK_FS_META_TYPE_DIR)
_REGULAR = int(pytsk3.TSK_FS_META_TYPE_REG)
_VIRTUAL_DIRECTORY = int(getattr(pytsk3, "TSK_FS_META_TYPE_VIRT_DIR", 12))


@dataclass(slots=True)
class Walk:
    """What a walk over the directories found.

    Attributes
    ----------
    live, deleted
        Files and deleted entries.
    used
        Byte ranges of everything that live files and folders own, metadata included.
    slack
        Byte ranges behind the ends of live files.
    notes
        What could not be walked.
    """

    live: list[LiveFile] = field(default_factory=list)
    deleted: list[DeletedEntry] = field(default_factory=list)
    used: list[Range] = field(default_factory=list)
    slack: list[Range] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)


@dataclass(frozen=True, slots=True)
class _Content:
    """The content of one file: byte ranges, and the slack behind them."""

    data: tuple[Range, ...]
    slack: tuple[Range, ...]
    used: tuple[Range, ...]
    resident: bool


def walk(system: Any, number: int, start: int, block: int) -> Walk:
    """List the files of an opened file system, live and deleted.

    Parameters
    ----------
    system : pytsk3.FS_Info
        The file system.
    number : int
        Its place among the file systems of the image.
    start : int
        Its offset in the image.
    block : int
        The unit in which it gives blocks to files, in bytes.
    """
    return _Walker(system, number, start, block).walk()


def bitmap_reader(system: Any, inode: int) -> Any:
    """Return a function (offset, length) -> bytes of the file with that number."""
    entry = system.open_meta(inode=inode)
    size = int(entry.info.meta.size)

    def read(offset: int, length: int) -> bytes:
        wanted = min(length, size - offset)
        return bytes(entry.read_random(offset, wanted)) if wanted > 0 else b""

    return read


class _Walker:
    """The walk, with what it must remember: folders and files that it has seen."""

    def __init__(self, system: Any, number: int, start: int, block: int) -> None:
        self.system, self.number, self.start, self.block = system, number, start, block
        self.unit = int(system.info.block_size)
        self.found = Walk()
        root = int(system.info.root_inum)
        self.seen = {root}
        self.folders: list[tuple[int, str]] = [(root, "")]
        self.entries = 0

    def walk(self) -> Walk:
        """Walk every folder once."""
        self._own(int(self.system.info.root_inum))
        while self.folders:
            inode, path = self.folders.pop()
            for entry in self._list(inode, path):
                self.entries += 1
                if self.entries > _MOST_ENTRIES:
                    self.found.notes.append(
                        f"Only the first {_MOST_ENTRIES:,} directory entries were read."
                    )
                    return self.found
                self._take(entry, path)
        return self.found

    def _list(self, inode: int, path: str) -> Iterator[Any]:
        try:
            yield from self.system.open_dir(inode=inode)
        except OSError:
            self.found.notes.append(f"The folder {path or '/'} could not be read.")

    def _own(self, inode: int) -> None:
        """Note the blocks of a folder or another live thing as used."""
        try:
            content = self._content(self.system.open_meta(inode=inode))
        except OSError:
            return
        self.found.used.extend(content.used)

    def _take(self, entry: Any, path: str) -> None:
        name = _name(entry.info.name)
        if name is None:
            return
        inside = f"{path}/{name}"
        inode = int(entry.info.name.meta_addr)
        if int(entry.info.name.flags) & _ALLOCATED_NAME:
            self._take_live(entry, inside, inode)
        else:
            self._take_deleted(entry, inside, inode)

    def _take_live(self, entry: Any, path: str, inode: int) -> None:
        meta = entry.info.meta
        if meta is None or not int(meta.flags) & _ALLOCATED_META:
            return
        kind = int(meta.type)
        if kind == _VIRTUAL_DIRECTORY:
            return
        if kind == _DIRECTORY:
            if inode not in self.seen and path.count("/") < _DEEPEST:
                self.seen.add(inode)
                self._own(inode)
                self.folders.append((inode, path))
            return
        content = self._content(entry)
        self.found.used.extend(content.used)
        if kind != _REGULAR:
            return
        self.found.slack.extend(content.slack)
        size = int(meta.size)
        self.found.live.append(
            LiveFile(self.number, path, size, _moment(meta), inode, content.data, content.resident)
        )

    def _take_deleted(self, entry: Any, path: str, inode: int) -> None:
        opened = self._reopen(entry, inode)
        if opened is None:
            self.found.deleted.append(DeletedEntry(path, None, None, inode, ()))
            return
        meta = opened.info.meta
        if int(meta.type) == _DIRECTORY:
            if inode not in self.seen and path.count("/") < _DEEPEST:
                self.seen.add(inode)
                self.folders.append((inode, path))
            return
        content = self._content(opened)
        size = int(meta.size)
        self.found.deleted.append(
            DeletedEntry(path, size or None, _moment(meta), inode, content.data)
        )

    def _reopen(self, entry: Any, inode: int) -> Any:
        """Open what a deleted entry names, None when its number belongs to another file now."""
        if entry.info.meta is not None:
            opened = entry
        elif not inode:
            return None
        else:
            try:
                opened = self.system.open_meta(inode=inode)
            except OSError:
                return None
        meta = opened.info.meta
        return None if meta is None or int(meta.flags) & _ALLOCATED_META else opened

    def _content(self, entry: Any) -> _Content:
        """Return where the bytes of a file lie in the image."""
        size = int(entry.info.meta.size) if entry.info.meta is not None else 0
        data: list[Range] = []
        slack: list[Range] = []
        used: list[Range] = []
        resident = False
        for attribute in _attributes(entry):
            runs = self._runs(attribute)
            used.extend(runs)
            if int(attribute.info.type) not in _CONTENT or attribute.info.name:
                continue
            flags = int(attribute.info.flags)
            resident = resident or bool(flags & _RESIDENT)
            if not flags & _PACKED:
                kept, rest = _split(self._placed(attribute), size)
                data.extend(kept)
                slack.extend(rest)
        return _Content(tuple(data), tuple(slack), tuple(used), resident)

    def _runs(self, attribute: Any) -> list[Range]:
        return [bytes_ for _, bytes_ in self._placed(attribute)]

    def _placed(self, attribute: Any) -> list[tuple[int, Range]]:
        """Return (offset in the file, byte range in the image) of each run that has bytes."""
        placed: list[tuple[int, Range]] = []
        if int(attribute.info.flags) & _RESIDENT:
            return placed
        for run in attribute:
            if len(placed) >= _MOST_RUNS:
                break
            if int(run.flags) & _HOLES or not int(run.addr):
                continue
            begin = self.start + int(run.addr) * self.unit
            placed.append((int(run.offset) * self.unit, (begin, begin + int(run.len) * self.unit)))
        return placed


def _attributes(entry: Any) -> Iterator[Any]:
    try:
        yield from entry
    except OSError:
        return


def _split(placed: list[tuple[int, Range]], size: int) -> tuple[list[Range], list[Range]]:
    """Part the runs of a file at its size: content before, slack behind."""
    data: list[Range] = []
    slack: list[Range] = []
    for offset, (begin, end) in placed:
        kept = min(max(size - offset, 0), end - begin)
        if kept:
            data.append((begin, begin + kept))
        if begin + kept < end:
            slack.append((begin + kept, end))
    return data, slack


def _name(name: Any) -> str | None:
    """Return a file name, None for one that no file has (dots, control signs)."""
    raw = name.name
    if not raw:
        return None
    text = raw.decode("utf-8", "replace") if isinstance(raw, bytes) else str(raw)
    if text in {".", ".."} or any(ord(sign) < 0x20 for sign in text) or "/" in text:
        return None
    return text


def _moment(meta: Any) -> datetime | None:
    seconds = int(meta.mtime or 0)
    if seconds <= 0:
        return None
    try:
        return datetime.fromtimestamp(seconds, UTC)
    except (OverflowError, ValueError, OSError):
        return None
