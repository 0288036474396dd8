"""Surveying a raw disk image: partitions, file systems, files, and the space between them."""

from __future__ import annotations

from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import Any, BinaryIO

import pytsk3

from mailforensics.errors import EvidenceUnreadable
from mailforensics.images import freespace
from mailforensics.images.files import bitmap_reader, walk
from mailforensics.images.formats import demand_raw, encryption_name
from mailforensics.images.model import FileSystem, ImageMap, LiveFile
from mailforensics.images.ranges import clip, merge, subtract

__all__ = ["extract", "read_file", "survey"]

_PIECE = 1 << 20
_HEAD = 4096
_NTFS_BITMAP = 6
_ALLOCATED_PARTITION = int(pytsk3.TSK_VS_PART_FLAG_ALLOC)
_NAMES = {
    int(getattr(pytsk3, f"TSK_FS_TYPE_{key}")): name
    for key, name in {
        "NTFS": "NTFS",
        "FAT12": "FAT12",
        "FAT16": "FAT16",
        "FAT32": "FAT32",
        "EXFAT": "exFAT",
        "EXT2": "ext2",
        "EXT3": "ext3",
        "EXT4": "ext4",
        "HFS": "HFS+",
        "ISO9660": "ISO 9660",
        "FFS1": "UFS 1",
        "FFS2": "UFS 2",
        "YAFFS2": "YAFFS2",
    }.items()
    if hasattr(pytsk3, f"TSK_FS_TYPE_{key}")
}


class _RawImage(pytsk3.Img_Info):  # type: ignore[misc] # the package has no types
    """A raw image, opened for reading only."""

    def __init__(self, stream: BinaryIO, size: int) -> None:
        self._stream, self._size = stream, size
        super().__init__(url="", type=pytsk3.TSK_IMG_TYPE_EXTERNAL)

    def read(self, offset: int, size: int) -> bytes:
        """Return bytes from the image, fewer at its end."""
        if not 0 <= offset < self._size:
            return b""
        self._stream.seek(offset)
        return self._stream.read(min(size, self._size - offset))

    def get_size(self) -> int:
        """Return the bytes of the image."""
        return self._size


def survey(path: Path) -> ImageMap:
    """Find out what lies where in a raw disk image; nothing is written.

    A survey is kept and given again while the file's size and time stay the same.

    Raises
    ------
    UnsupportedFormat
        The file is a packed disk image (E01, qcow2, VMDK, VHD ...), which is not read yet.
    EvidenceUnreadable
        The file cannot be opened.
    """
    try:
        status = path.stat()
    except OSError as error:
        raise EvidenceUnreadable(f"{path} cannot be read: {error.strerror or error}") from error
    return _survey(path, status.st_size, status.st_mtime_ns)


@lru_cache(maxsize=2)
def _survey(path: Path, size: int, _changed: int) -> ImageMap:
    with path.open("rb") as stream:
        demand_raw(path, stream.read(_HEAD))
        image = _RawImage(stream, size)
        found = ImageMap(path, size)
        for start, length, partition in _volumes(image, found):
            _add_file_system(image, start, length, partition, found)
    owned = [(system.start, system.stop) for system in found.file_systems]
    found.outside = subtract([(0, size)], owned)
    return found


def _open(image: _RawImage, start: int) -> Any:
    try:
        return pytsk3.FS_Info(image, offset=start)
    except OSError:
        return None


def _volumes(image: _RawImage, found: ImageMap) -> list[tuple[int, int, int | None]]:
    """Return (start, length, number) of each place where a file system may stand."""
    whole = (0, image.get_size(), None)
    if _open(image, 0) is not None:
        return [whole]
    try:
        table = pytsk3.Volume_Info(image)
        unit = int(table.info.block_size)
        parts = [
            (int(part.start) * unit, int(part.len) * unit)
            for part in table
            if int(part.flags) & _ALLOCATED_PARTITION
        ]
    except OSError:
        name = encryption_name(image.read(0, _HEAD))
        if name:
            found.notes.append(f"The image is encrypted with {name}; it cannot be read.")
        return []
    return [(start, length, place) for place, (start, length) in enumerate(parts[:256], 1)]


def _add_file_system(
    image: _RawImage, start: int, length: int, partition: int | None, found: ImageMap
) -> None:
    """Survey one file system, or note why it cannot be."""
    system = _open(image, start)
    if system is None:
        name = encryption_name(image.read(start, _HEAD))
        reason = f"is encrypted with {name}" if name else "holds no file system that can be read"
        found.notes.append(f"Partition {partition} at byte {start:,} {reason}.")
        return
    kind = _NAMES.get(int(system.info.ftype), "unknown")
    layout = _layout(image, system, kind, start)
    unit = layout.block_size if layout else int(system.info.block_size)
    size = min(int(system.info.block_count) * int(system.info.block_size), length)
    stop = min(start + size, image.get_size())
    listed = walk(system, len(found.file_systems), start, unit)
    used = merge(clip(listed.used, start, stop))
    free = layout.free if layout else [(start, stop)]
    content = merge(run for file in listed.live for run in file.runs)
    found.file_systems.append(
        FileSystem(
            name=kind,
            partition=partition,
            start=start,
            stop=stop,
            origin=layout.origin if layout else start,
            block_size=unit,
            live=listed.live,
            deleted=listed.deleted,
            free=subtract(clip(free, start, stop), used),
            slack=subtract(clip(listed.slack, start, stop), content),
            bitmap_read=layout is not None,
            notes=listed.notes,
        )
    )


def _layout(image: _RawImage, system: Any, kind: str, start: int) -> freespace.Layout | None:
    """Read the file system's own list of free blocks, None when it cannot be read."""
    if kind.startswith("ext"):
        return freespace.ext(image.read, start)
    if kind.startswith("FAT"):
        return freespace.fat(image.read, start)
    try:
        if kind == "NTFS":
            reader = bitmap_reader(system, _NTFS_BITMAP)
            cluster, count = int(system.info.block_size), int(system.info.block_count)
            return freespace.ntfs(reader, start, cluster, count)
        if kind == "exFAT":
            entry = system.open("/$ALLOC_BITMAP")
            reader = bitmap_reader(system, int(entry.info.meta.addr))
            return freespace.exfat(image.read, reader, start)
    except OSError:
        return None
    return None


def read_file(path: Path, file: LiveFile) -> Iterator[bytes]:
    """Yield the content of a live file of a raw image, in pieces of at most 1 MiB.

    Raises
    ------
    EvidenceUnreadable
        The image no longer gives the file.
    """
    start = survey(path).file_systems[file.file_system].start
    try:
        with path.open("rb") as stream:
            image = _RawImage(stream, path.stat().st_size)
            entry = pytsk3.FS_Info(image, offset=start).open_meta(inode=file.inode)
            for offset in range(0, file.size, _PIECE):
                piece = bytes(entry.read_random(offset, min(_PIECE, file.size - offset)))
                if not piece:
                    break
                yield piece
    except OSError as error:
        raise EvidenceUnreadable(
            f"The file {file.path} in {path.name} cannot be read: {error}", source_ref=file.path
        ) from error


def extract(path: Path, file: LiveFile, target: Path) -> int:
    """Copy a live file of a raw image to ``target``, which must not exist; return its bytes.

    Raises
    ------
    FileExistsError
        There is something at ``target``.
    EvidenceUnreadable
        The image no longer gives the file.
    """
    written = 0
    with target.open("xb") as stream:
        for piece in read_file(path, file):
            written += stream.write(piece)
    return written
