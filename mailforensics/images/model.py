"""What a survey of a disk image finds."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from pathlib import Path

from mailforensics.images.ranges import Range

__all__ = ["DeletedEntry", "FileSystem", "ImageMap", "LiveFile"]


@dataclass(frozen=True, slots=True)
class LiveFile:
    """A file that the file system still has.

    Attributes
    ----------
    file_system
        Place of its file system in :attr:`ImageMap.file_systems`.
    path
        With ``/``, from the root of its file system.
    size
        In bytes.
    modified
        UTC; None when the file system does not say.
    inode
        Its number in the file system.
    runs
        Byte ranges of its content in the image, up to its size. Empty for resident content.
    resident
        Whether its content lies inside the file table itself.
    """

    file_system: int
    path: str
    size: int
    modified: datetime | None
    inode: int
    runs: tuple[Range, ...]
    resident: bool


@dataclass(frozen=True, slots=True)
class DeletedEntry:
    """A directory entry that is marked as deleted.

    Attributes
    ----------
    path
        As far as it is known; FAT loses the first letter of a short name.
    size
        In bytes; None when the file system no longer says.
    modified
        UTC; None when the file system does not say.
    inode
        Its number in the file system, 0 when unknown.
    runs
        Where its content lay, as far as the file system still says (FAT: assumed to lie together).
    """

    path: str
    size: int | None
    modified: datetime | None
    inode: int
    runs: tuple[Range, ...]

    @property
    def first(self) -> int | None:
        """Offset of its first byte in the image, None when unknown."""
        return self.runs[0][0] if self.runs else None


@dataclass(slots=True)
class FileSystem:
    """One file system of an image.

    Attributes
    ----------
    name
        ``FAT32``, ``NTFS``, ``ext4`` ...
    partition
        Number of the partition, None when the image is one bare file system.
    start, stop
        Its byte range in the image.
    origin, block_size
        Offset of its first data block and the size of a block, in bytes.
    live, deleted
        Files and deleted directory entries.
    free
        Byte ranges that belong to no file, in image coordinates.
    slack
        Byte ranges behind the end of live files, inside their last block.
    bitmap_read
        Whether ``free`` comes from the file system's own list of free blocks; otherwise it is what
        no file that was found uses.
    notes
        What an examiner should know.
    """

    name: str
    partition: int | None
    start: int
    stop: int
    origin: int
    block_size: int
    live: list[LiveFile] = field(default_factory=list)
    deleted: list[DeletedEntry] = field(default_factory=list)
    free: list[Range] = field(default_factory=list)
    slack: list[Range] = field(default_factory=list)
    bitmap_read: bool = False
    notes: list[str] = field(default_factory=list)


@dataclass(slots=True)
class ImageMap:
    """What lies where in a disk image.

    Attributes
    ----------
    path, size
        The image and its bytes.
    file_systems
        In the order of the partitions.
    outside
        Byte ranges outside of every file system that could be read.
    notes
        What an examiner should know: partitions that could not be read, and why.
    """

    path: Path
    size: int
    file_systems: list[FileSystem] = field(default_factory=list)
    outside: list[Range] = field(default_factory=list)
    notes: list[str] = field(default_factory=list)

    @property
    def live_files(self) -> list[LiveFile]:
        """The live files of all file systems."""
        return [file for system in self.file_systems for file in system.live]
