"""PST and OST files of Outlook, read with the engine of :mod:`mailforensics.pst`.

Each item that a folder lists becomes a row or a line of the log; so does each item that no folder
lists, and each deleted one of which something is left. [MS-PST]
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from mailforensics import mime
from mailforensics.errors import NoBytes
from mailforensics.mapi import MapiMessage, loaded, rebuild, records
from mailforensics.pst import Folder, Message, PstStore, to_mapi
from mailforensics.pst.rescue import looks_like_store, open_store
from mailforensics.readers.base import Reader, ReadLog, Source, Span
from mailforensics.readers.folders import place, role_of
from mailforensics.readers.pstrecovered import recovered_message, recovered_rows
from mailforensics.schema import Confidence, DeletionState, FolderRole, MessageRecord, Record

__all__ = ["PstReader"]

SPAN_SIZE: Final = 64 << 20
"""Files above twice this size are read in parts, in parallel."""

_MOST_FAULTS: Final = 50
_DEEPEST: Final = 200
"""Names that the path of a folder has at most; a crafted file may nest as many as it has bytes."""


@dataclass(slots=True)
class _Names:
    """Gives each item a reference that no other item of the file has."""

    seen: dict[str, int] = field(default_factory=dict)

    def ref(self, nid: int) -> str:
        base = f"nid:0x{nid:x}"
        self.seen[base] = number = self.seen.get(base, 0) + 1
        return base if number == 1 else f"{base}#{number}"


@dataclass(slots=True)
class _Places:
    """What is known of folders on the way down: their paths as users see them."""

    store: PstStore
    paths: dict[int, tuple[str, ...]] = field(default_factory=dict)
    discarded: set[int] = field(default_factory=set)

    def enter(self, folder: Folder) -> None:
        """Note a folder; those above it were noted before."""
        above = self.paths.get(folder.parent, ())[:_DEEPEST]
        hidden = folder.nid == self.store.subtree or not folder.path
        self.paths[folder.nid] = () if hidden else (*above, folder.name or "")
        if folder.nid == self.store.wastebasket or folder.parent in self.discarded:
            self.discarded.add(folder.nid)

    def path(self, nid: int) -> str:
        return "/".join(self.paths.get(nid, ()))


@dataclass(slots=True)
class _Pass:
    """One reading of one file, or of one part of it: the items whose data begin there."""

    store: PstStore
    source: Source
    log: ReadLog
    span: Span | None
    places: _Places
    names: _Names = field(default_factory=_Names)
    met: set[int] = field(default_factory=set)

    @property
    def first(self) -> bool:
        """Whether this part also tells what belongs to no one item."""
        return self.span is None or self.span.start == 0

    def folder(self, folder: Folder) -> Iterator[MessageRecord]:
        """Yield the rows of a folder."""
        self.places.enter(folder)
        listed = self.store.listed(folder)
        if folder.is_search:
            self._skip_search(folder, len(listed or ()))
            return
        if listed is None:
            listed = self._forgotten(folder)
        self._skip_hidden(folder)
        self.met.update(listed)
        for nid in listed:
            rows = self._item(nid, self.places.path(folder.nid))
            _settle(rows, self, folder)
            yield from rows
        if self.first:
            _note_faults(folder, self.log)

    def orphans(self) -> Iterator[MessageRecord]:
        """Yield the rows of the items that no folder lists."""
        for nid in self.store.items_beside(self.met):
            node = self.store.nodes.find(nid)
            path = self.places.path(node.parent) if node else ""
            rows = self._item(nid, path)
            for row in rows:
                _mark_orphan(row, rows[0].source_ref, path, self)
            yield from rows

    def _item(self, nid: int, path: str) -> list[MessageRecord]:
        """Read one item into rows; a damaged one becomes a line of the log."""
        ref = self.names.ref(nid)
        if not self._is_mine(nid):
            return []
        self.log.declare()
        message = self.store.message(nid)
        if message is None or not message.readable:
            reason = "This item is damaged and could not be read."
            if message is None:
                reason = "The folder lists this item, but the file does not hold it."
            self.log.fail(ref, reason, f"{path}: {_detail(message)}")
            return []
        rows = records(to_mapi(message, self.store.names), source_ref=ref)
        if message.faults:
            self.log.note(ref, "Parts of this item are damaged.", f"{path}: {_detail(message)}")
        return rows

    def _is_mine(self, nid: int) -> bool:
        if self.span is None:
            return True
        node = self.store.nodes.find(nid)
        block = self.store.block(node.data_bid) if node else None
        offset = block.offset if block and block.offset < len(self.store.image) else 0
        return self.span.start <= offset < self.span.stop

    def _forgotten(self, folder: Folder) -> list[int]:
        """Return the items of a folder whose list is damaged or gone; log what is lost."""
        there = self.store.items_in(folder.nid)
        lost = (folder.declared or 0) - len(there)
        if self.first and (lost > 0 or folder.faults):
            ref, path = f"nid:0x{folder.nid:x}", self.places.path(folder.nid)
            reason = "The list of items in this folder is damaged; they were found without it."
            self.log.note(ref, reason, path)
            if lost > 0:
                self.log.declare(lost)
                reason = "The folder says that it holds more items than could be found."
                self.log.fail(ref, reason, path, count=lost)
        return there

    def _skip_search(self, folder: Folder, count: int) -> None:
        if self.first and count:
            self.log.declare(count)
            reason = "A search folder only shows items that lie in other folders."
            self.log.skip(f"nid:0x{folder.nid:x}", reason, folder.name or "", count=count)

    def _skip_hidden(self, folder: Folder) -> None:
        count = len(self.store.associated(folder)) if self.first else 0
        if count:
            self.log.declare(count)
            reason = "Settings that Outlook keeps hidden in this folder (views, rules) are no mail."
            path = self.places.path(folder.nid)
            self.log.skip(f"nid:0x{folder.nid:x}", reason, path, count=count)


class PstReader(Reader):
    """Reads Outlook data files: every folder, and the items that no folder lists."""

    name = "pst"
    description = "Outlook data file (PST, OST)"
    suffixes = frozenset({".pst", ".ost"})
    magic = ((0, b"!BDN"),)
    expects = "a file that begins with the signature of an Outlook data file (!BDN)"

    def sniff(self, head: bytes, path: Path) -> bool:
        """Say whether the file has the signature, [MS-PST] 2.2.2.6, or lost only its header."""
        if head[:4] == b"!BDN":
            return head[8:10] in {b"SM", b"SO"}
        return path.suffix.lower() in self.suffixes and looks_like_store(path)

    def why_not(self, head: bytes, path: Path) -> str:
        """Say in a sentence why :meth:`sniff` said no."""
        if head[:4] == b"!BDN":
            return "begins like an Outlook data file, but is neither a PST nor an OST"
        if path.suffix.lower() in self.suffixes:
            return f"is named {path.suffix}, but does not begin as an Outlook data file does (!BDN)"
        return f"expects {self.expects}"

    def spans(self, source: Source) -> list[Span] | None:
        """Return parts of a large file; an item belongs to the part where its data begin."""
        size = source.path.stat().st_size
        if size < 2 * SPAN_SIZE:
            return None
        starts = range(0, size - SPAN_SIZE + 1, SPAN_SIZE)
        ends = [*starts[1:], size]
        return [Span(start, end) for start, end in zip(starts, ends, strict=True)]

    def read(self, source: Source, log: ReadLog, span: Span | None = None) -> Iterator[Record]:
        """Yield a row for each item, folder by folder, then the orphans, then what was deleted.

        Raises
        ------
        CorruptContainer
            Nothing of the file can be read.
        """
        with open_store(source.path) as store:
            run = _Pass(store, source, log, span, _Places(store))
            if run.first:
                _note_store(store, log)
            for folder in store.folders():
                yield from run.folder(folder)
            yield from run.orphans()
            if run.first:
                yield from recovered_rows(store, source, log)

    def raw(self, source: Source, source_ref: str) -> bytes:
        """Rebuild one message.

        Raises
        ------
        NoBytes
            The file holds no such item.
        """
        base = source_ref.partition("/part:")[0]
        with _again(source.path, base) as message:
            data = rebuild(message)
        return data if base == source_ref else mime.nested_bytes(data, source_ref)

    def mapi(self, source: Source, source_ref: str) -> MapiMessage | None:
        """Return an item with its properties as stored; None for one inside another."""
        if "/part:" in source_ref:
            return None
        with _again(source.path, source_ref) as message:
            return loaded(message)


@contextmanager
def _again(path: Path, ref: str) -> Iterator[MapiMessage]:
    """Give an item of a reference, live or recovered, for the time of a ``with`` block."""
    if _is_recovered(ref):
        yield recovered_message(path, ref)
        return
    with open_store(path) as store:
        message = store.message(_nid(ref))
        if message is None or not message.readable or not message.is_item:
            raise NoBytes(f"{path.name} holds no item {ref} that can be read.")
        yield to_mapi(message, store.names)


def _is_recovered(ref: str) -> bool:
    return "@page:" in ref or ref.partition(":")[0] in {"block", "attachments", "row"}


def _nid(ref: str) -> int:
    """Return the node that a reference names; 0, which no node has, when it names none."""
    kind, _, number = ref.partition("#")[0].partition(":")
    try:
        return int(number, 16) if kind == "nid" and number.startswith("0x") else 0
    except ValueError:
        return 0


def _detail(message: Message | None) -> str:
    if message is None:
        return "it is in no index"
    details = dict.fromkeys(fault.detail for fault in message.faults[:_MOST_FAULTS])
    return " ".join(details)


def _note_store(store: PstStore, log: ReadLog) -> None:
    if store.has_password:
        log.note("", "The file asks for a password in Outlook. It hides nothing: all was read.")
    for fault in store.faults[:_MOST_FAULTS]:
        ref = "" if fault.offset is None else f"offset:{fault.offset}"
        log.note(ref, "The file itself is damaged.", fault.detail)
    if not store.root.readable:
        log.note("", "The properties of the whole file could not be read.")


def _note_faults(folder: Folder, log: ReadLog) -> None:
    for fault in folder.faults[:_MOST_FAULTS]:
        ref = f"nid:0x{folder.nid:x}"
        log.note(ref, "This folder is damaged.", f"{'/'.join(folder.path)}: {fault.detail}")


def _mark_orphan(row: MessageRecord, ref: str, path: str, run: _Pass) -> None:
    row.mailbox = run.store.name or run.source.mailbox or None
    row.folder, row.folder_role = path or None, role_of(path)
    row.deletion_state = DeletionState.ORPHANED
    if run.store.node_walk.whole:
        row.confidence = Confidence.PROBABLE
        row.deletion_basis = f"The file still holds this item ({ref}), but no folder lists it."
    else:
        row.confidence = Confidence.POSSIBLE
        row.deletion_basis = (
            f"The file still holds this item ({ref}), but no folder lists it; "
            "the lists of this file are damaged, so it may have been in one."
        )


def _settle(rows: list[MessageRecord], run: _Pass, folder: Folder) -> None:
    """Say where the rows lie, and whether that is a folder for deleted mail."""
    path = run.places.path(folder.nid)
    role = role_of(path)
    certain = folder.nid in run.places.discarded
    if certain:
        role = FolderRole.DELETED
        for row in rows:
            row.deletion_state = DeletionState.IN_DELETED_FOLDER
            row.deletion_basis = (
                f"It lies in the folder that the file itself names for deleted items: {path}"
            )
            row.confidence = Confidence.CERTAIN
    place(rows, mailbox=run.store.name or run.source.mailbox, folder=path, role=role)
    if role is FolderRole.DELETED and run.store.wastebasket and not certain:
        for row in rows:
            row.confidence = Confidence.PROBABLE
