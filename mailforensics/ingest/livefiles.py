"""Live files of a disk image that a reader may know, copied out for reading."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from itertools import islice
from pathlib import Path, PurePosixPath

from mailforensics import images
from mailforensics.errors import EvidenceUnreadable
from mailforensics.evidence import Places, is_archive
from mailforensics.readers import identify

__all__ = ["ARCHIVE_SUFFIXES", "CopyFault", "Copying", "copy_live_files"]

ARCHIVE_SUFFIXES = frozenset({".zip", ".tar", ".tgz", ".gz", ".bz2", ".xz", ".tbz", ".txz"})
"""Only files so named are opened as archives inside other evidence: documents are zips too."""

_OLE = bytes.fromhex("d0cf11e0a1b11ae1")
_MAILDIR_FOLDERS = {"cur", "new"}
_MAILDIR_FILES = {"dovecot-uidlist", "dovecot-keywords", "maildirfolder"}


@dataclass(frozen=True, slots=True)
class CopyFault:
    """A live file that could not be copied out."""

    path: str
    reason: str


@dataclass(slots=True)
class Copying:
    """How many live files were copied and how many hold nothing that a reader knows."""

    copied: int = 0
    others: int = 0


def copy_live_files(image: Path, folder: Path, tally: Copying) -> Iterator[CopyFault]:
    """Copy the live files of an image that may hold mail below a folder; yield the faults."""
    found = images.survey(image)
    places = Places(folder)
    many = len(found.file_systems) > 1
    for file in found.live_files:
        inner = file.path.lstrip("/")
        name = f"file system {file.file_system + 1}/{inner}" if many else inner
        try:
            if not file.size or not _worth(image, file):
                tally.others += 1
                continue
            target = places.target(name)
            target.parent.mkdir(parents=True, exist_ok=True)
            if not (target.is_file() and target.stat().st_size == file.size):
                target.unlink(missing_ok=True)
                images.extract(image, file, target)
            tally.copied += 1
        except EvidenceUnreadable as error:
            yield CopyFault(name, error.message)


def _worth(image: Path, file: images.LiveFile) -> bool:
    """Say whether a reader would claim the file, by its place, its name and its first bytes."""
    place = PurePosixPath(file.path)
    if place.parent.name in _MAILDIR_FOLDERS or place.name in _MAILDIR_FILES:
        return True
    head = b"".join(islice(images.read_file(image, file), 1))
    if head.startswith(_OLE):
        return place.suffix.lower() in {".msg", ".oft"}
    with tempfile.TemporaryDirectory() as folder:
        probe = Path(folder) / (place.name[-80:] or "file")
        probe.write_bytes(head)
        if place.suffix.lower() in ARCHIVE_SUFFIXES and is_archive(probe):
            return True
        return identify(probe, without=frozenset({"carve"})).reader is not None
