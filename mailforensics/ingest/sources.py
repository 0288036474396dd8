"""Which sources an evidence item holds, and where their bytes can be opened."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from mailforensics.errors import (
    EvidenceNotFound,
    EvidenceUnreadable,
    MailForensicsError,
    UnsupportedFormat,
)
from mailforensics.evidence import ArchiveFault, EvidenceItem, EvidenceKind, expand, is_archive
from mailforensics.images import looks_like_disk
from mailforensics.ingest.livefiles import ARCHIVE_SUFFIXES, Copying, copy_live_files
from mailforensics.readers import Source, identify, load, unsupported

__all__ = ["Discovery", "Skipped", "discover", "locate", "recognise"]

MAX_NESTING = 4
"""Archives inside archives are opened to this depth."""

INSIDE = "!/"
"""Stands between the path of an archive or image and the path inside it."""


@dataclass(frozen=True, slots=True)
class Skipped:
    """What is not read. ``failed`` tells damage from what is left out on purpose."""

    source_path: str
    reason: str
    detail: str = ""
    failed: bool = False
    count: int = 1


@dataclass(slots=True)
class Discovery:
    """The sources of an evidence item with the names of their readers, and what is not read."""

    sources: list[tuple[Source, str]] = field(default_factory=list)
    skipped: list[Skipped] = field(default_factory=list)


def recognise(path: Path, *, reader: str | None = None) -> tuple[EvidenceKind, str | None, str]:
    """Say what a path is, before it is added to a case.

    Returns
    -------
    tuple
        Kind, name of the reader that reads it as a whole (None for a folder or archive of
        several sources), and a description in words.

    Raises
    ------
    EvidenceNotFound, EvidenceUnreadable
        It is not there or cannot be read.
    UnsupportedFormat
        Nobody knows it; the message lists each reader and why it said no.
    """
    if not path.exists():
        raise EvidenceNotFound(
            f"There is no file or folder at {path}", hint="Check the spelling and the drive."
        )
    if path.is_file() and path.stat().st_size == 0:
        raise UnsupportedFormat(
            f"{path.name} is empty: it has no bytes at all.",
            hint="If it should hold mail, copy it again, or look for it in a backup.",
        )
    if reader is not None:
        kind = EvidenceKind.FOLDER if path.is_dir() else EvidenceKind.FILE
        return kind, reader, load(reader).description
    found = identify(path, without=frozenset({"carve"}))
    if path.is_dir():
        description = load(found.reader).description if found.reader else _folder_words(path)
        return EvidenceKind.FOLDER, found.reader, description
    if found.reader:
        return EvidenceKind.FILE, found.reader, load(found.reader).description
    if is_archive(path):
        return EvidenceKind.ARCHIVE, None, "Archive with exported files"
    last = identify(path)
    if last.reader is None:
        raise unsupported(path, last.refusals)
    kind = EvidenceKind.IMAGE if is_image(path) else EvidenceKind.FILE
    return kind, last.reader, load(last.reader).description


def is_image(path: Path) -> bool:
    """Say whether a file is a raw disk image, by its partition table or file system."""
    with path.open("rb") as stream:
        return looks_like_disk(stream.read(4096))


def _folder_words(path: Path) -> str:
    try:
        names = {entry.name for entry in os.scandir(path)}
    except OSError as error:
        raise EvidenceUnreadable(
            f"{path} cannot be read: {error.strerror or error}",
            hint="Ask for the right to read it.",
        ) from error
    if "prefs.js" in names and ("Mail" in names or "ImapMail" in names):
        return "Thunderbird profile"
    return "Folder with mail files" if names else "Empty folder"


def discover(item: EvidenceItem, working: Path) -> Discovery:
    """List the sources of an evidence item in a stable order.

    Archives are expanded into ``working``; so are the live files of a disk image that a reader
    knows. The evidence itself is only read.
    """
    found = Discovery()
    walk = _Walk(item, found)
    if item.reader is not None and item.kind is not EvidenceKind.IMAGE:
        found.sources.append((walk.source(item.path, ""), item.reader))
    else:
        walk.visit(item.path, "", working, 0)
    return found


class _Walk:
    """Walks through folders, archives and images of one evidence item."""

    def __init__(self, item: EvidenceItem, found: Discovery) -> None:
        self.item = item
        self.found = found

    def source(self, path: Path, source_path: str) -> Source:
        return Source(
            path=path,
            source_path=source_path,
            evidence_id=self.item.evidence_id,
            custodian=self.item.custodian,
            mailbox=self.item.mailbox,
        )

    def skip(
        self, source_path: str, reason: str, detail: str = "", *, failed: bool = False
    ) -> None:
        self.found.skipped.append(Skipped(source_path, reason, detail, failed))

    def visit(self, path: Path, source_path: str, working: Path, depth: int) -> None:
        try:
            if path.is_symlink():
                self.skip(source_path, "It is a link; links are not followed.")
            elif path.is_dir():
                self.folder(path, source_path, working, depth)
            elif path.is_file():
                self.file(path, source_path, working, depth)
        except EvidenceUnreadable as error:
            self.skip(source_path, "It cannot be read.", error.message, failed=True)

    def folder(self, path: Path, source_path: str, working: Path, depth: int) -> None:
        reader = identify(path).reader
        if reader is not None:
            self.found.sources.append((self.source(path, source_path), reader))
            return
        try:
            names = sorted(entry.name for entry in os.scandir(path))
        except OSError as error:
            self.skip(source_path, "This folder cannot be read.", str(error), failed=True)
            return
        for name in names:
            inner = f"{source_path}/{name}" if source_path else name
            if source_path.endswith(INSIDE):
                inner = f"{source_path}{name}"
            self.visit(path / name, inner, working / f"{name}.d", depth)

    def file(self, path: Path, source_path: str, working: Path, depth: int) -> None:
        if path.stat().st_size == 0:
            self.skip(source_path, "It is empty.")
            return
        known = identify(path, without=frozenset({"carve"}))
        if known.reader is not None:
            self.found.sources.append((self.source(path, source_path), known.reader))
        elif is_archive(path) and (not source_path or path.suffix.lower() in ARCHIVE_SUFFIXES):
            self.archive(path, source_path, working, depth)
        elif is_image(path):
            self.image(path, source_path, working)
        elif source_path == "" and identify(path).reader == "carve":
            self.found.sources.append((self.source(path, source_path), "carve"))
        else:
            self.skip(source_path, "No reader knows this file.")

    def archive(self, path: Path, source_path: str, working: Path, depth: int) -> None:
        if depth >= MAX_NESTING:
            self.skip(source_path, "Archives are nested too deep; this one was not opened.")
            return
        prefix = f"{source_path}{INSIDE}" if source_path else ""
        for member in expand(path, working):
            if isinstance(member, ArchiveFault):
                place = prefix + member.name if member.name else source_path
                self.skip(place, member.reason, member.detail, failed=True)
        if working.is_dir():
            self.folder(working, prefix, working.with_name(f"{working.name}.x"), depth + 1)

    def image(self, path: Path, source_path: str, working: Path) -> None:
        prefix = f"{source_path}{INSIDE}" if source_path else ""
        tally = Copying()
        try:
            for fault in copy_live_files(path, working, tally):
                self.skip(
                    f"{prefix}{fault.path}", "It cannot be copied.", fault.reason, failed=True
                )
        except (MailForensicsError, OSError) as error:
            self.skip(
                source_path, "The files of this image cannot be listed.", str(error), failed=True
            )
        if tally.others:
            reason = "Files of the image that no reader knows"
            self.found.skipped.append(Skipped(source_path, reason, count=tally.others))
        if working.is_dir():
            self.folder(working, prefix, working.with_name(f"{working.name}.x"), 1)
        self.found.sources.append((self.source(path, source_path), "carve"))


def locate(item: EvidenceItem, source_path: str, working: Path) -> Source:
    """Return the source at a path inside an evidence item, making a working copy if need be.

    Raises
    ------
    EvidenceNotFound
        The evidence holds no such source.
    """
    simple = Source(
        path=item.path / source_path if source_path else item.path,
        source_path=source_path,
        evidence_id=item.evidence_id,
        custodian=item.custodian,
        mailbox=item.mailbox,
    )
    inside_folder = item.kind is EvidenceKind.FOLDER and INSIDE not in source_path
    whole = source_path == "" and item.kind in {EvidenceKind.FILE, EvidenceKind.IMAGE}
    if (whole or inside_folder) and simple.path.exists():
        return simple
    for source, _ in discover(item, working).sources:
        if source.source_path == source_path:
            return source
    raise EvidenceNotFound(
        f"{item.path.name} holds nothing at {source_path}",
        hint="Run verify: the evidence may have changed or moved.",
        evidence_id=item.evidence_id,
    )
