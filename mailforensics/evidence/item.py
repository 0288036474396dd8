"""One piece of evidence: where it lies, whose it is, and its digests on acquisition."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from pathlib import Path

from mailforensics.errors import EvidenceNotFound
from mailforensics.evidence.hashing import Digests, FileHash, folder_digest, hash_file, hash_folder

__all__ = ["Difference", "EvidenceItem", "EvidenceKind", "acquire", "verify"]


class EvidenceKind(StrEnum):
    """What an evidence item is on disk."""

    FILE = "file"
    FOLDER = "folder"
    ARCHIVE = "archive"
    IMAGE = "image"


@dataclass(frozen=True, slots=True, kw_only=True)
class EvidenceItem:
    """One acquired file or folder; see :data:`mailforensics.schema.EVIDENCE`.

    Attributes
    ----------
    sha256, md5
        Of the file; of the list of hashes for a folder.
    acquired_at, as_of
        Aware, UTC. ``as_of`` is the moment whose state a copy shows, None when unknown.
    supersedes
        Id of the earlier copy of the same mailbox that this one follows.
    """

    evidence_id: str
    path: Path
    kind: EvidenceKind
    reader: str | None
    description: str
    size: int
    file_count: int
    sha256: str
    md5: str
    acquired_at: datetime
    acquired_by: str = ""
    custodian: str = ""
    mailbox: str = ""
    as_of: datetime | None = None
    supersedes: str | None = None
    note: str = ""

    @property
    def name(self) -> str:
        """The last part of its path."""
        return self.path.name


@dataclass(frozen=True, slots=True)
class Difference:
    """One way in which evidence is not what was acquired. ``path`` is ``""`` for a single file."""

    path: str
    what: str


def acquire(
    path: Path, *, advance: Callable[[int], None] | None = None
) -> tuple[Digests, list[FileHash]]:
    """Hash a file or every file of a folder.

    Returns
    -------
    tuple
        The digests of the whole, and the hash list of a folder (empty for a file).

    Raises
    ------
    EvidenceNotFound
        There is nothing at that path.
    EvidenceUnreadable
        It cannot be read.
    """
    if not path.exists():
        raise EvidenceNotFound(
            f"There is no file or folder at {path}", hint="Check the spelling and the drive."
        )
    if path.is_dir():
        listed = hash_folder(path, advance=advance)
        return folder_digest(listed), listed
    return hash_file(path, advance=advance), []


def verify(
    item: EvidenceItem,
    listed: list[FileHash],
    *,
    advance: Callable[[int], None] | None = None,
) -> list[Difference]:
    """Hash evidence again and name each difference to its acquisition; none means unchanged."""
    try:
        now, files = acquire(item.path, advance=advance)
    except EvidenceNotFound:
        return [Difference("", "it is no longer at its place")]
    if now.sha256 == item.sha256:
        return []
    if item.kind is not EvidenceKind.FOLDER:
        return [Difference("", f"its SHA-256 is now {now.sha256}")]
    return _folder_differences(listed, files)


def _folder_differences(before: list[FileHash], now: list[FileHash]) -> list[Difference]:
    old = {entry.path: entry.digests.sha256 for entry in before}
    new = {entry.path: entry.digests.sha256 for entry in now}
    found = []
    for path in sorted(old.keys() | new.keys()):
        if path not in new:
            found.append(Difference(path, "it is gone"))
        elif path not in old:
            found.append(Difference(path, "it was not there"))
        elif old[path] != new[path]:
            found.append(Difference(path, f"its SHA-256 is now {new[path]}"))
    return found
