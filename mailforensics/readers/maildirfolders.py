"""Which folders and files a Maildir holds; links are never followed."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path

from mailforensics.errors import EvidenceUnreadable
from mailforensics.readers.maildirnames import folder_name
from mailforensics.readers.uidlist import UidList, read_keywords, read_uidlist

__all__ = ["BOXES", "Folder", "MailFile", "Store", "is_folder", "list_entries", "survey"]

MAX_DEPTH = 16
BOXES = ("new", "cur", "tmp")
_QUIET = ("dovecot", ".dovecot", "courier", "maildir", "subscriptions", "sieve", "shared-maildirs")


@dataclass(slots=True)
class MailFile:
    """One file in ``new``, ``cur`` or ``tmp``; ``start`` as if all files lay end to end."""

    path: Path
    relative: str
    box: str
    size: int
    start: int
    is_link: bool


@dataclass(slots=True)
class Folder:
    """One folder of a Maildir.

    Attributes
    ----------
    relative
        Path inside the Maildir, ``""`` for the inbox.
    listed, uids
        Dovecot's list, and key of a file name -> UID out of it.
    keywords
        Flag letter -> name of the keyword.
    """

    name: str
    path: Path
    relative: str
    files: list[MailFile] = field(default_factory=list)
    listed: UidList | None = None
    uids: dict[str, int] = field(default_factory=dict)
    keywords: dict[str, str] = field(default_factory=dict)


@dataclass(slots=True)
class Store:
    """What a Maildir holds: folders, and (relative path, reason) of what is left out."""

    folders: list[Folder] = field(default_factory=list)
    others: list[tuple[str, str]] = field(default_factory=list)
    size: int = 0


def list_entries(path: Path) -> list[os.DirEntry[str]]:
    """List a directory in the order of the bytes of its names.

    Raises
    ------
    EvidenceUnreadable
        It cannot be read.
    """
    try:
        with os.scandir(path) as entries:
            return sorted(entries, key=lambda entry: os.fsencode(entry.name))
    except OSError as error:
        raise EvidenceUnreadable(f"{path} cannot be read: {error.strerror or error}") from error


def _join(relative: str, name: str) -> str:
    return f"{relative}/{name}" if relative else name


def is_folder(path: Path) -> bool:
    """Say whether a path holds ``cur`` or ``new``."""
    return any((path / box).is_dir() for box in ("cur", "new"))


def _add_files(store: Store, folder: Folder, box: str) -> None:
    """Add the files of ``new``, ``cur`` or ``tmp`` to a folder."""
    path = folder.path / box
    if path.is_symlink():
        store.others.append((_join(folder.relative, box), "It is a link; links are not followed."))
        return
    relative = _join(folder.relative, box)
    for entry in list_entries(path) if path.is_dir() else []:
        where = f"{relative}/{entry.name}"
        if entry.is_dir(follow_symlinks=False):
            store.others.append((where, "A folder where only messages belong; it was not read."))
            continue
        size = entry.stat(follow_symlinks=False).st_size
        found = MailFile(Path(entry.path), where, box, size, store.size, entry.is_symlink())
        folder.files.append(found)
        store.size += size


def _add_lists(folder: Folder) -> None:
    folder.listed = read_uidlist(folder.path / "dovecot-uidlist")
    if folder.listed is not None:
        folder.uids = {entry.name.key: entry.uid for entry in folder.listed.entries}
    folder.keywords = read_keywords(folder.path / "dovecot-keywords")


def _visit(store: Store, path: Path, parts: tuple[str, ...]) -> None:
    """Add the folder at a path, if it is one, and those below."""
    relative = "/".join(parts)
    if is_folder(path):
        folder = Folder(folder_name(parts), path, relative)
        store.folders.append(folder)
        for box in BOXES:
            _add_files(store, folder, box)
        _add_lists(folder)
    for entry in list_entries(path):
        if entry.name in BOXES:
            continue
        where = _join(relative, entry.name)
        if entry.is_symlink():
            store.others.append((where, "It is a link; links are not followed."))
        elif entry.is_dir():
            if len(parts) >= MAX_DEPTH:
                store.others.append((where, "Folders are nested too deep; it was not read."))
            else:
                _visit(store, Path(entry.path), (*parts, entry.name))
        elif not entry.name.startswith(_QUIET) and not entry.name.endswith(".lock"):
            store.others.append((where, "It is neither a message nor a known file of a Maildir."))


def survey(path: Path) -> Store:
    """List the folders and files of a Maildir in a stable order; links are never followed."""
    store = Store()
    _visit(store, path, ())
    return store
