"""Write new files, and only new ones; hash what then lies on the disk."""

from __future__ import annotations

import errno
import hashlib
import os
from contextlib import suppress
from io import FileIO
from pathlib import Path

from mailforensics.errors import ExportError, WouldOverwrite

__all__ = [
    "TargetLost",
    "append",
    "create",
    "explained",
    "hash_of",
    "new_file",
    "settled",
    "write_new",
]

_FULL = frozenset({errno.ENOSPC, errno.EDQUOT, errno.EFBIG})
_GONE = frozenset({errno.EIO, errno.EROFS, errno.ENODEV, errno.ENXIO, errno.ENOTCONN})
_BLOCK = 1 << 20


class TargetLost(ExportError):
    """Nothing more can be written to the target: it is full, gone or write-protected."""


def write_new(path: Path, data: bytes) -> str:
    """Create a file, write it to completion, and return the SHA-256 of what lies on the disk.

    Raises
    ------
    WouldOverwrite
        There is a file of that name.
    TargetLost
        The disk is full, gone or write-protected; what was begun is removed.
    ExportError
        The file could not be written for another reason, or reads back otherwise.
    """
    create(path, data)
    on_disk, _ = settled(path)
    if on_disk != hashlib.sha256(data).hexdigest():
        path.unlink(missing_ok=True)
        raise ExportError(f"{path.name} reads back otherwise than it was written; it was removed.")
    return on_disk


def create(path: Path, data: bytes) -> None:
    """Create a file and write it; to be followed by :func:`settled`.

    Raises
    ------
    WouldOverwrite, TargetLost, ExportError
        As :func:`write_new`.
    """
    with new_file(path) as stream:
        try:
            _pour(stream, data)
        except BaseException as error:
            stream.close()
            path.unlink(missing_ok=True)
            if isinstance(error, OSError):
                raise explained(path, error) from error
            raise


def new_file(path: Path) -> FileIO:
    """Open a file for writing that is not there yet.

    Raises
    ------
    WouldOverwrite
        There is a file of that name.
    TargetLost, ExportError
        It cannot be created.
    """
    try:
        return path.open("xb", buffering=0)
    except FileExistsError as error:
        raise WouldOverwrite(f"{path.name} is there already; it was left as it is.") from error
    except OSError as error:
        raise explained(path, error) from error


def append(path: Path, data: bytes) -> int:
    """Add bytes to a file of this export and return where they begin.

    Raises
    ------
    TargetLost, ExportError
        They could not be written; the file is cut back to where it was.
    """
    start = _size_of(path)
    try:
        with path.open("ab", buffering=0) as stream:
            _pour(stream, data)
    except BaseException as error:
        _cut_back(path, start)
        if isinstance(error, OSError):
            raise explained(path, error) from error
        raise
    return start


def _size_of(path: Path) -> int:
    """Return the size of a file in bytes, or raise :class:`ExportError`."""
    try:
        return path.stat().st_size
    except OSError as error:
        raise explained(path, error) from error


def _cut_back(path: Path, size: int) -> None:
    with suppress(OSError):
        os.truncate(path, size)


def hash_of(path: Path) -> tuple[str, int]:
    """Return the SHA-256 of a file, read from the disk, and its size in bytes."""
    digest = hashlib.sha256()
    size = 0
    with path.open("rb") as stream:
        while block := stream.read(_BLOCK):
            digest.update(block)
            size += len(block)
    return digest.hexdigest(), size


def settled(path: Path) -> tuple[str, int]:
    """Flush a file of this export to the disk; return its SHA-256 and size as read from there.

    Raises
    ------
    TargetLost, ExportError
        It could not be flushed or read.
    """
    try:
        with path.open("rb+") as stream:
            os.fsync(stream.fileno())
        return hash_of(path)
    except OSError as error:
        raise explained(path, error) from error


def _pour(stream: FileIO, data: bytes) -> None:
    """Write all of it. Unbuffered, so that closing after a fault does not try once more."""
    rest = memoryview(data)
    while rest:
        rest = rest[stream.write(rest) :]


def explained(path: Path, error: OSError) -> ExportError:
    """Return the error that says in words why a file could not be written."""
    if error.errno in _FULL:
        return TargetLost(f"The disk with {path.parent} is full.")
    if error.errno in _GONE:
        return TargetLost(f"{path.parent} can no longer be written to: {error.strerror}.")
    return ExportError(f"{path.name} could not be written: {error.strerror or error}.")
