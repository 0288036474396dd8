"""PST and OST files of Outlook, read through libpff.

libpff says of each folder how many items it holds; each of them becomes a row or a line of the
log. It gives no message that Outlook has removed for good. [MS-PST]
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from pathlib import Path
from typing import Any, Final

from mailforensics import mime
from mailforensics.errors import NoBytes
from mailforensics.mapi import Tag, rebuild, records
from mailforensics.readers.base import Reader, ReadLog, Source, Span
from mailforensics.readers.folders import place, role_of
from mailforensics.readers.pff import FAULTS, Store, bag_of, cause, message_of, opened
from mailforensics.schema import Confidence, DeletionState, FolderRole, MessageRecord, Record

__all__ = ["PstReader"]

_PASSWORD: Final = 0x67FF
_SEARCH_FOLDER: Final = 3
_MOST_FOLDERS: Final = 200_000


@dataclass(slots=True)
class _Folder:
    """A folder on the way down. ``route``: the indexes that lead to it from the root."""

    entry: Any
    route: tuple[int, ...] = ()
    names: tuple[str, ...] = ()
    in_wastebasket: bool = False
    nid: int = 0

    @property
    def path(self) -> str:
        return "/".join(self.names)


@dataclass(frozen=True, slots=True)
class _Place:
    """Where an item is: in the folder at ``route``, or among the orphans when that is None."""

    route: tuple[int, ...] | None
    index: int


@dataclass(slots=True)
class _Names:
    """Gives each item a reference that no other item of the file has."""

    seen: dict[str, int] = field(default_factory=dict)

    def ref(self, identifier: int | None, fallback: str) -> str:
        base = fallback if identifier is None else f"nid:0x{identifier:x}"
        self.seen[base] = number = self.seen.get(base, 0) + 1
        return base if number == 1 else f"{base}#{number}"


@dataclass(slots=True)
class _Pass:
    """One reading of one file."""

    store: Store
    source: Source
    log: ReadLog
    names: _Names = field(default_factory=_Names)

    def folder(self, folder: _Folder) -> Iterator[MessageRecord]:
        """Yield the rows of a folder."""
        count = _message_count(folder, self.log)
        self.log.declare(count)
        if count and folder.nid & 0x1F == _SEARCH_FOLDER:
            reason = "A search folder only shows items that lie in other folders."
            self.log.skip(f"nid:0x{folder.nid:x}", reason, folder.path, count=count)
            return
        for index in range(count):
            fallback = f"folder:0x{folder.nid:x}/{index}"
            rows = self._item(folder.entry.get_sub_message, index, fallback, folder.path)
            _settle(rows, self.store, folder, self.source)
            yield from rows

    def orphans(self) -> Iterator[MessageRecord]:
        """Yield the rows of the items that no folder lists."""
        try:
            count = self.store.file.number_of_orphan_items
        except FAULTS as error:
            self.log.note("", "The items that no folder lists could not be counted.", str(error))
            return
        self.log.declare(count)
        for index in range(count):
            rows = self._item(self.store.file.get_orphan_item, index, f"orphan:{index}", "")
            for row in rows:
                _mark_orphan(row, rows[0].source_ref, self.store.mailbox or self.source.mailbox)
            yield from rows

    def _item(
        self, fetch: Callable[[int], Any], index: int, fallback: str, folder: str
    ) -> list[MessageRecord]:
        """Read one item into rows; a damaged one becomes a line of the log."""
        ref = None
        try:
            item = fetch(index)
            ref = self.names.ref(item.identifier, fallback)
            return records(message_of(item, self.store), source_ref=ref)
        except FAULTS as error:
            ref = ref or self.names.ref(None, fallback)
            reason = "This item is damaged and could not be read."
            self.log.fail(ref, reason, f"{folder}: {error}")
            return []


class PstReader(Reader):
    """Reads Outlook data files: every folder, and the items that no folder lists."""

    name = "pst"
    description = "Outlook data file (PST, OST)"
    suffixes = frozenset({".pst", ".ost"})
    magic = ((0, b"!BDN"),)
    expects = "a file that begins with the signature of an Outlook data file (!BDN)"

    def sniff(self, head: bytes, path: Path) -> bool:  # noqa: ARG002 - content decides
        """Say whether the file has the signature, [MS-PST] 2.2.2.6."""
        return head[:4] == b"!BDN" and head[8:10] in {b"SM", b"SO"}

    def why_not(self, head: bytes, path: Path) -> str:
        """Say in a sentence why :meth:`sniff` said no."""
        if head[:4] == b"!BDN":
            return "begins like an Outlook data file, but is neither a PST nor an OST"
        if path.suffix.lower() in self.suffixes:
            return f"is named {path.suffix}, but does not begin as an Outlook data file does (!BDN)"
        return f"expects {self.expects}"

    def read(self, source: Source, log: ReadLog, span: Span | None = None) -> Iterator[Record]:  # noqa: ARG002
        """Yield a row for each item, folder by folder, then the orphans.

        Raises
        ------
        CorruptContainer
            libpff cannot open the file.
        """
        with opened(source.path) as store:
            _note_protection(store, log)
            run = _Pass(store, source, log)
            for folder in _folders(store, log):
                yield from run.folder(folder)
            yield from run.orphans()

    def raw(self, source: Source, source_ref: str) -> bytes:
        """Rebuild one message.

        Raises
        ------
        NoBytes
            The file holds no such item.
        """
        base = source_ref.partition("/part:")[0]
        state = source.path.stat()
        found = _index(source.path, state.st_mtime_ns, state.st_size).get(base)
        if found is None:
            raise NoBytes(f"{source.path.name} holds no item {base}")
        with opened(source.path) as store:
            try:
                message = message_of(_fetch(store, found), store)
            except FAULTS as error:
                raise NoBytes(f"The item {base} could not be read: {cause(error)}") from error
            data = rebuild(message)
        return data if base == source_ref else mime.nested_bytes(data, source_ref)


def _note_protection(store: Store, log: ReadLog) -> None:
    try:
        password = bag_of(store.file.message_store, {}).integer(_PASSWORD)
    except FAULTS as error:
        log.note("", "The properties of the whole file could not be read.", cause(error))
        return
    if password:
        log.note("", "The file asks for a password in Outlook. It hides nothing: all was read.")


def _folders(store: Store, log: ReadLog) -> Iterator[_Folder]:
    """Walk the folders, each once, parents before children."""
    try:
        root = store.file.root_folder
    except FAULTS as error:
        log.note("", "The list of folders could not be read.", str(error))
        return
    if root is None:
        log.note("", "The file has no list of folders.")
        return
    waiting = [_Folder(root, nid=root.identifier or 0)]
    seen: set[int] = set()
    while waiting:
        folder = waiting.pop()
        if folder.nid in seen or len(seen) >= _MOST_FOLDERS:
            reason = "A folder stands in the tree more than once, or there are too many."
            log.note(f"nid:0x{folder.nid:x}", reason, folder.path)
            continue
        seen.add(folder.nid)
        yield folder
        waiting += reversed(list(_children(store, folder, log)))


def _children(store: Store, parent: _Folder, log: ReadLog) -> Iterator[_Folder]:
    ref = f"nid:0x{parent.nid:x}"
    try:
        count = parent.entry.number_of_sub_folders
    except FAULTS as error:
        log.note(ref, "The folders inside this folder could not be listed.", str(error))
        return
    for index in range(min(count, _MOST_FOLDERS)):
        try:
            entry = parent.entry.get_sub_folder(index)
            nid, name = entry.identifier or 0, _name(entry)
        except FAULTS as error:
            log.note(ref, "A folder inside this folder could not be read.", str(error))
            continue
        names = () if nid == store.subtree else (*parent.names, name)
        inside = parent.in_wastebasket or nid == store.wastebasket
        yield _Folder(entry, (*parent.route, index), names, inside, nid)


def _name(entry: Any) -> str:
    try:
        return str(entry.name or "")
    except FAULTS:
        return "?"


def _message_count(folder: _Folder, log: ReadLog) -> int:
    """Return how many items a folder lists; when the list is damaged, log what is lost."""
    try:
        return int(folder.entry.number_of_sub_messages)
    except FAULTS as error:
        ref, detail = f"nid:0x{folder.nid:x}", f"{folder.path}: {error}"
        try:
            declared = bag_of(folder.entry, {}).integer(Tag.CONTENT_COUNT) or 0
        except FAULTS:
            declared = 0
        if declared > 0:
            log.declare(declared)
            reason = "The list of items in this folder is damaged; none of them could be read."
            log.fail(ref, reason, detail, count=declared)
        else:
            reason = "The list of items in this folder is damaged; the folder says it is empty."
            log.note(ref, reason, detail)
        return 0


def _mark_orphan(row: MessageRecord, ref: str, mailbox: str) -> None:
    row.mailbox = mailbox or None
    row.deletion_state = DeletionState.ORPHANED
    row.deletion_basis = f"The file still holds this item ({ref}), but no folder lists it."
    row.confidence = Confidence.PROBABLE


def _settle(rows: list[MessageRecord], store: Store, folder: _Folder, source: Source) -> None:
    """Say where the rows lie, and whether that is a folder for deleted mail."""
    role = role_of(folder.path)
    if folder.in_wastebasket:
        role = FolderRole.DELETED
        for row in rows:
            row.deletion_state = DeletionState.IN_DELETED_FOLDER
            row.deletion_basis = (
                f"It lies in the folder that the file itself names for deleted items: {folder.path}"
            )
            row.confidence = Confidence.CERTAIN
    place(rows, mailbox=store.mailbox or source.mailbox, folder=folder.path, role=role)
    if role is FolderRole.DELETED and store.wastebasket and not folder.in_wastebasket:
        for row in rows:
            row.confidence = Confidence.PROBABLE


def _fetch(store: Store, found: _Place) -> Any:
    if found.route is None:
        return store.file.get_orphan_item(found.index)
    folder = store.file.root_folder
    for step in found.route:
        folder = folder.get_sub_folder(step)
    return folder.get_sub_message(found.index)


@lru_cache(maxsize=8)
def _index(path: Path, modified: int, size: int) -> dict[str, _Place]:  # noqa: ARG001 - the key
    """Say where each item lies, by the references that reading gives."""
    names, log = _Names(), ReadLog()
    found: dict[str, _Place] = {}
    with opened(path) as store:
        for folder in _folders(store, log):
            count = _message_count(folder, log)
            if folder.nid & 0x1F == _SEARCH_FOLDER:
                continue
            for index in range(count):
                fallback = f"folder:0x{folder.nid:x}/{index}"
                fetch = folder.entry.get_sub_message
                _remember(found, names, fallback, _Place(folder.route, index), fetch)
        try:
            orphans = store.file.number_of_orphan_items
        except FAULTS:
            orphans = 0
        for index in range(orphans):
            fetch = store.file.get_orphan_item
            _remember(found, names, f"orphan:{index}", _Place(None, index), fetch)
    return found


def _remember(
    found: dict[str, _Place],
    names: _Names,
    fallback: str,
    where: _Place,
    fetch: Callable[[int], Any],
) -> None:
    try:
        identifier = fetch(where.index).identifier
    except FAULTS:
        identifier = None
    found[names.ref(identifier, fallback)] = where
