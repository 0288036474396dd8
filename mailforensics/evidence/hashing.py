"""Hashes of files and folders, each made in one streamed pass."""

from __future__ import annotations

import hashlib
import os
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailforensics.errors import EvidenceUnreadable

__all__ = ["Digests", "FileHash", "files_below", "folder_digest", "hash_file", "hash_folder"]

BLOCK = 4 << 20

Advance = Callable[[int], None]
"""Called with the number of bytes that were just done."""


@dataclass(frozen=True, slots=True)
class Digests:
    """SHA-256 and MD5 (for older tools) of a run of bytes, in lower-case hexadecimal."""

    size: int
    sha256: str
    md5: str


@dataclass(frozen=True, slots=True)
class FileHash:
    """One file of a folder: its path below the folder, with ``/``, and its digests."""

    path: str
    digests: Digests


def hash_file(path: Path, *, advance: Advance | None = None) -> Digests:
    """Hash a file in one pass.

    Raises
    ------
    EvidenceUnreadable
        The file cannot be opened or the medium fails; the message says at which byte.
    """
    sha256 = hashlib.sha256()
    md5 = hashlib.md5(usedforsecurity=False)
    done = 0
    try:
        with path.open("rb", buffering=0) as stream:
            size = os.fstat(stream.fileno()).st_size
            for block in _blocks(stream, min(max(size, 1), BLOCK)):
                _update(sha256, md5, block)
                done += len(block)
                if advance is not None:
                    advance(len(block))
    except OSError as error:
        raise EvidenceUnreadable(
            f"{path} cannot be read at byte {done}: {error.strerror or error}",
            hint="Close the program that uses it, ask for the right to read it, "
            "or make an image of the medium first.",
        ) from error
    return Digests(done, sha256.hexdigest(), md5.hexdigest())


def _blocks(stream: Any, size: int) -> Iterator[memoryview]:
    buffer = bytearray(size)
    while done := stream.readinto(buffer):
        yield memoryview(buffer)[:done]


_POOL = ThreadPoolExecutor(max_workers=1, thread_name_prefix="md5")


def _update(sha256: Any, md5: Any, block: memoryview) -> None:
    if len(block) < BLOCK:
        sha256.update(block)
        md5.update(block)
        return
    other = _POOL.submit(md5.update, block)
    sha256.update(block)
    other.result()


def files_below(folder: Path) -> Iterator[Path]:
    """Yield the regular files below a folder in a stable order; links are not followed."""
    pending = [folder]
    while pending:
        current = pending.pop()
        entries = sorted(os.scandir(current), key=lambda entry: os.fsencode(entry.name))
        folders = []
        for entry in entries:
            if entry.is_dir(follow_symlinks=False):
                folders.append(Path(entry.path))
            elif entry.is_file(follow_symlinks=False):
                yield Path(entry.path)
        pending.extend(reversed(folders))


def hash_folder(folder: Path, *, advance: Advance | None = None) -> list[FileHash]:
    """Hash every regular file below a folder, sorted by path."""
    listed = [
        FileHash(path.relative_to(folder).as_posix(), hash_file(path, advance=advance))
        for path in files_below(folder)
    ]
    return sorted(listed, key=lambda entry: entry.path)


def folder_digest(listed: list[FileHash]) -> Digests:
    """Return the digests that stand for a whole folder.

    They are taken over the hash list itself, one line a file: ``sha256``, two spaces, path.
    """
    text = "".join(f"{entry.digests.sha256}  {entry.path}\n" for entry in listed)
    data = text.encode("utf-8", "surrogateescape")
    return Digests(
        sum(entry.digests.size for entry in listed),
        hashlib.sha256(data).hexdigest(),
        hashlib.md5(data, usedforsecurity=False).hexdigest(),
    )
