"""Where in a disk image mail is looked for by its content, and what each place says."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Iterator
from dataclasses import dataclass, field
from enum import StrEnum
from pathlib import Path

from mailforensics.carving import Grid
from mailforensics.images import DeletedEntry, FileSystem, ImageMap, Range, subtract, survey
from mailforensics.schema import Confidence

__all__ = ["Area", "Entries", "Place", "areas"]


class Place(StrEnum):
    """Kinds of places."""

    FREE = "free"
    SLACK = "slack"
    OUTSIDE = "outside"
    WHOLE = "whole"


class Entries:
    """Deleted directory entries by the bytes that they point at.

    Parameters
    ----------
    entries : list of DeletedEntry
        Of one file system.
    """

    def __init__(self, entries: list[DeletedEntry]) -> None:
        self._first: dict[int, list[DeletedEntry]] = {}
        self._runs: list[tuple[int, int, DeletedEntry]] = []
        for entry in entries:
            if entry.first is not None:
                self._first.setdefault(entry.first, []).append(entry)
            self._runs.extend((start, stop, entry) for start, stop in entry.runs)
        self._runs.sort(key=lambda run: run[:2])
        self._starts = [start for start, _, _ in self._runs]

    def beginning_at(self, offset: int) -> DeletedEntry | None:
        """Return the one entry whose file begins here, None when there is none or several."""
        found = self._first.get(offset, [])
        return found[0] if len(found) == 1 else None

    def covering(self, offset: int) -> DeletedEntry | None:
        """Return an entry whose file held this byte, None when none that is near says so."""
        place = bisect_right(self._starts, offset)
        for start, stop, entry in reversed(self._runs[max(0, place - 16) : place]):
            if start <= offset < stop:
                return entry
        return None


@dataclass(slots=True)
class Area:
    """Byte ranges of one kind in one file system.

    Attributes
    ----------
    place
        What kind of bytes they are.
    ranges
        In image coordinates, ascending and apart.
    grid
        Where blocks begin.
    system
        The file system; None outside of every one.
    entries
        Its deleted directory entries.
    """

    place: Place
    ranges: list[Range]
    grid: Grid
    system: FileSystem | None = None
    entries: Entries = field(default_factory=lambda: Entries([]))

    @property
    def confidence(self) -> Confidence:
        """How sure it is that a message found here was deleted, directory entries apart."""
        if self.system is None:
            return Confidence.POSSIBLE
        return Confidence.PROBABLE if self.system.bitmap_read else Confidence.POSSIBLE

    def words(self, offset: int) -> str:
        """Say in a sentence what the place at ``offset`` shows."""
        if self.place is Place.WHOLE:
            return (
                f"Found by its content at byte {offset:,}; there is no file system here that can "
                "be read, so whether the message was deleted cannot be told"
            )
        if self.place is Place.OUTSIDE or self.system is None:
            return (
                f"Found by its content at byte {offset:,}, outside every file system that can be "
                "read, so whether the message was deleted cannot be told"
            )
        where = _system_words(self.system)
        if self.place is Place.SLACK:
            return (
                f"Found behind the end of a live file, in its last block in {where}, at byte "
                f"{offset:,}; these bytes are left over from an earlier file"
            )
        if self.system.bitmap_read:
            return (
                f"Found in free space of {where} at byte {offset:,}; "
                "no file owns these bytes any more"
            )
        return (
            f"Found in {where} at byte {offset:,}, in space that no file found there uses; its "
            "list of free blocks cannot be read"
        )


def _system_words(system: FileSystem) -> str:
    name = "the file system" if system.name == "unknown" else f"the {system.name} file system"
    return name if system.partition is None else f"{name} (partition {system.partition})"


def areas(path: Path) -> tuple[ImageMap, list[Area]]:
    """Plan where to look: everything but the live files of file systems that can be read.

    Raises
    ------
    UnsupportedFormat
        The file is a packed disk image.
    EvidenceUnreadable
        The file cannot be opened.
    """
    found = survey(path)
    if not found.file_systems:
        return found, [Area(Place.WHOLE, [(0, found.size)], Grid())]
    planned = [area for system in found.file_systems for area in _areas_of(system)]
    live = [run for file in found.live_files for run in file.runs]
    outside = subtract(found.outside, live)
    return found, [*planned, Area(Place.OUTSIDE, outside, Grid())]


def _areas_of(system: FileSystem) -> Iterator[Area]:
    grid = Grid(system.origin, system.block_size)
    entries = Entries(system.deleted)
    yield Area(Place.FREE, system.free, grid, system, entries)
    yield Area(Place.SLACK, system.slack, grid, system, entries)
