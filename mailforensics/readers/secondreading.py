"""One Outlook file read by two independent tools, item by item: this engine's and libpff's.

libpff may crash on damaged files, so that whoever compares files of others lets this module run
as a program of its own: it takes a path and answers with JSON lines.
"""

from __future__ import annotations

import faulthandler
import json
import sys
from collections import Counter
from collections.abc import Iterator
from dataclasses import asdict, dataclass, field
from enum import StrEnum
from pathlib import Path
from typing import Any, Final

import numpy as np
import numpy.typing as npt
import pypff

from mailforensics.errors import MailForensicsError
from mailforensics.pst import PstStore
from mailforensics.pst.layout import NidType
from mailforensics.pst.rescue import open_store
from mailforensics.readers.itemfacts import (
    FIELDS,
    REFUSALS,
    Fact,
    facts_of_engine,
    facts_of_libpff,
)
from mailforensics.readers.pff import cause

__all__ = ["Cause", "Difference", "Totals", "second_reading"]

_MOST_ROWS: Final = 1_000
_MOST_FOLDERS: Final = 200_000
_LONGEST: Final = 300
_OPENING: Final = 1_800
_PATIENCE: Final = 300
"""Seconds that opening a file, and one item, may take before the program ends itself."""

_OURS: Final = 1
_THEIRS: Final = 2
_SHOWN: Final = 4


class Cause(StrEnum):
    """Why the two tools differ, in words."""

    CANNOT_OPEN = "libpff cannot open this file, so there is nothing to compare with"
    BOTH_REFUSE = "Neither tool can open this file"
    ENGINE_REFUSES = "libpff opens this file, mailforensics does not"
    FOLDER = "libpff cannot list this folder, so it does not give its items"
    ITEM = "libpff fails on items of this folder and does not give them"
    NOT_REACHED = "libpff does not come to these items by its list of folders"
    SEARCH_ONLY = "libpff shows this item only in search folders"
    ELSEWHERE = "libpff lists this item in a folder; mailforensics finds it in no folder's list"
    NO_NODE = "libpff gives an item that the list of items of the file does not name"
    ENGINE_DAMAGE = "mailforensics finds the bytes of this item damaged"
    REFUSED = "libpff cannot read this part of the item"
    BARE = "libpff gives this item without its people and attachments"
    NUL = "The text holds a NUL sign: libpff ends it there; the stored bytes are the same"
    SIGNS = "The stored bytes are the same; the tools show their characters differently"
    OTHER = "The tools read different bytes"


@dataclass(frozen=True, slots=True)
class Difference:
    """One thing that the tools do not say alike.

    Attributes
    ----------
    source_ref
        The item or folder, ``nid:0x…``; empty for the whole file.
    field
        One of :data:`~mailforensics.readers.itemfacts.FIELDS`; empty for whole items.
    ours, theirs
        What this engine and what libpff reads, cut to 300 signs; None for nothing.
    cause
        Why, in words.
    count
        How many items it concerns.
    """

    source_ref: str
    field: str
    cause: str
    ours: str | None = None
    theirs: str | None = None
    count: int = 1


@dataclass(slots=True)
class Totals:
    """How the comparison of one file ended; ``items = agreed + differing + missed``.

    Attributes
    ----------
    items, second_items
        Items that this engine, and that libpff, reads in folders.
    agreed, differing
        Items that both read: all facts alike, or some not.
    missed
        Items of this engine that libpff does not give.
    extra
        Items of libpff that this engine does not give as live.
    """

    items: int = 0
    second_items: int = 0
    agreed: int = 0
    differing: int = 0
    missed: int = 0
    extra: int = 0


def second_reading(path: Path) -> Iterator[Difference | Totals]:
    """Compare both readings of one file.

    Yields
    ------
    Difference
        As they are found; above a thousand they are counted by field and cause.
    Totals
        Once, last.

    Notes
    -----
    One item is in memory at a time, and a byte for each item of the file. Nothing that the bytes
    say raises an error.
    """
    store, refused = _engine(path)
    file, trouble = _libpff(path)
    try:
        if store is not None and file is not None:
            yield from _Comparison(store, file).run()
        else:
            yield from _unopened(store, refused, trouble)
    finally:
        if store is not None:
            store.close()
        if file is not None:
            file.close()


def _engine(path: Path) -> tuple[PstStore | None, str]:
    try:
        return open_store(path), ""
    except MailForensicsError as error:
        return None, error.message


def _libpff(path: Path) -> tuple[Any, str]:
    file = pypff.file()
    try:
        file.open(str(path))
    except REFUSALS as error:
        return None, cause(error)
    return file, ""


def _unopened(store: PstStore | None, ours: str, theirs: str) -> Iterator[Difference | Totals]:
    """Say of a file that at least one tool refuses what the other reads of it."""
    totals = Totals()
    if store is not None:
        listed = _listed(store)
        totals.items = totals.missed = int(np.count_nonzero(listed.flags & _OURS))
    told = Cause.CANNOT_OPEN if store is not None else Cause.ENGINE_REFUSES
    if ours and theirs:
        told = Cause.BOTH_REFUSE
    yield Difference("", "", told, ours or None, theirs or None, totals.missed)
    yield totals


@dataclass(slots=True)
class _Listed:
    """Which tool lists which item: a byte of flags for each message node."""

    nids: npt.NDArray[np.int64]
    flags: npt.NDArray[np.uint8]
    folders: npt.NDArray[np.uint32]

    def mark(self, nid: int, flag: int) -> bool | None:
        """Set a flag; return whether it was set before, None for an item that there is not."""
        at = int(np.searchsorted(self.nids, nid))
        if at == len(self.nids) or self.nids[at] != nid:
            return None
        before = bool(self.flags[at] & flag)
        self.flags[at] |= flag
        return before

    def has(self, nid: int, flag: int) -> bool:
        at = int(np.searchsorted(self.nids, nid))
        return bool(at < len(self.nids) and self.nids[at] == nid and self.flags[at] & flag)

    def place(self, nid: int, folder: int) -> None:
        """Note the folder that lists an item."""
        if self.mark(nid, _OURS) is False:
            self.folders[np.searchsorted(self.nids, nid)] = folder & 0xFFFF_FFFF


def _listed(store: PstStore) -> _Listed:
    """Return the items that folders list, as the engine reads them."""
    nids = store.nodes.of_type(NidType.MESSAGE)
    found = _Listed(nids, np.zeros(len(nids), np.uint8), np.zeros(len(nids), np.uint32))
    for folder in store.folders():
        if folder.is_search:
            continue
        listed = store.listed(folder)
        for nid in store.items_in(folder.nid) if listed is None else listed:
            found.place(nid, folder.nid)
    return found


@dataclass(slots=True)
class _Comparison:
    """One comparison of one file."""

    store: PstStore
    file: Any
    totals: Totals = field(default_factory=Totals)
    unlisted: set[int] = field(default_factory=set)
    failing: set[int] = field(default_factory=set)
    reasons: dict[int, str] = field(default_factory=dict)
    rest: Counter[tuple[str, str]] = field(default_factory=Counter)
    given: int = 0

    def run(self) -> Iterator[Difference | Totals]:
        listed = _listed(self.store)
        self.totals.items = int(np.count_nonzero(listed.flags & _OURS))
        for difference in self._differences(listed):
            if self.given < _MOST_ROWS:
                self.given += 1
                yield difference
            else:
                self.rest[difference.field, difference.cause] += difference.count
        for (name, why), count in self.rest.items():
            yield Difference("", name, why, count=count)
        yield self.totals

    def _differences(self, listed: _Listed) -> Iterator[Difference]:
        for item, shown in self._items():
            yield from self._item(item, listed, shown=shown)
        yield from self._shown_only(listed)
        yield from self._missed(listed)

    # --- what libpff gives ----------------------------------------------------------------------

    def _items(self) -> Iterator[tuple[Any, bool]]:
        """Yield each item that libpff finds in folders, and whether only a search shows it."""
        for nid, folder in self._folders():
            search = nid & 0x1F == NidType.SEARCH_FOLDER
            try:
                count = folder.number_of_sub_messages
            except REFUSALS as error:
                self.unlisted.add(nid)
                self.reasons[nid] = cause(error)
                continue
            for index in range(count):
                try:
                    item = folder.get_sub_message(index)
                except REFUSALS as error:
                    self.failing.add(nid)
                    self.reasons.setdefault(nid, cause(error))
                    continue
                yield item, search

    def _folders(self) -> Iterator[tuple[int, Any]]:
        """Walk libpff's folders, each once."""
        seen: set[int] = set()
        waiting = [root] if (root := _asked(lambda: self.file.root_folder)) is not None else []
        while waiting:
            folder = waiting.pop()
            nid = _asked(lambda folder=folder: folder.identifier) or 0
            if nid in seen or len(seen) >= _MOST_FOLDERS:
                continue
            seen.add(nid)
            yield nid, folder
            count = _asked(lambda folder=folder: folder.number_of_sub_folders) or 0
            for index in range(min(count, _MOST_FOLDERS)):
                below = _asked(lambda f=folder, index=index: f.get_sub_folder(index))
                if below is not None:
                    waiting.append(below)

    # --- one item -------------------------------------------------------------------------------

    def _item(self, item: Any, listed: _Listed, *, shown: bool) -> Iterator[Difference]:
        nid = _asked(lambda: item.identifier)
        if nid is None:
            return
        if shown:
            listed.mark(nid, _SHOWN)
            return
        before = listed.mark(nid, _THEIRS)
        if before:
            return
        self.totals.second_items += 1
        ours = listed.has(nid, _OURS)
        if not ours:
            self.totals.extra += 1
            why = Cause.NO_NODE if before is None else Cause.ELSEWHERE
            yield Difference(f"nid:0x{nid:x}", "", why)
            return
        _watch(_PATIENCE)
        found = list(self._facts(nid, item))
        self.totals.agreed += not found
        self.totals.differing += bool(found)
        yield from found

    def _facts(self, nid: int, item: Any) -> Iterator[Difference]:
        """Compare what both tools say of one item."""
        message, ref = self.store.message(nid), f"nid:0x{nid:x}"
        if message is None or not message.readable:
            yield Difference(ref, "", Cause.ENGINE_DAMAGE)
            return
        ours, theirs = facts_of_engine(message), facts_of_libpff(item)
        bare = not hasattr(type(item), "recipients")
        for name in FIELDS:
            one, other = ours[name], theirs[name]
            if one.shown != other.shown or one.refused or other.refused:
                why = _why(one, other, bare=bare and name in {"recipients", "attachments"})
                said = other.refused or other.shown
                yield Difference(ref, name, why, _cut(one.refused or one.shown), _cut(said))

    # --- what only one of them gives ------------------------------------------------------------

    def _shown_only(self, listed: _Listed) -> Iterator[Difference]:
        """Yield the items that libpff shows in search folders and the engine in no folder at all.

        An item that the engine lists and libpff shows in a search folder only is missed.
        """
        flags = listed.flags
        for nid in listed.nids[(flags & _OURS == 0) & (flags & _SHOWN != 0)].tolist():
            self.totals.extra += 1
            yield Difference(f"nid:0x{nid:x}", "", Cause.SEARCH_ONLY)

    def _missed(self, listed: _Listed) -> Iterator[Difference]:
        """Yield the items that libpff does not give, folder by folder."""
        missed = (listed.flags & _OURS != 0) & (listed.flags & _THEIRS == 0)
        self.totals.missed = int(np.count_nonzero(missed))
        folders, counts = np.unique(listed.folders[missed], return_counts=True)
        for nid, count in zip(folders.tolist(), counts.tolist(), strict=True):
            why = Cause.NOT_REACHED
            if nid in self.unlisted or nid in self.failing:
                why = Cause.FOLDER if nid in self.unlisted else Cause.ITEM
            theirs = self.reasons.get(nid)
            yield Difference(f"nid:0x{nid:x}", "", why, f"{count:,} items", theirs, count)


def _why(ours: Fact, theirs: Fact, *, bare: bool) -> str:
    if bare:
        return Cause.BARE
    if theirs.refused:
        return Cause.REFUSED
    if ours.refused:
        return Cause.ENGINE_DAMAGE
    if ours.stored is None or ours.stored != theirs.stored:
        return Cause.OTHER
    return Cause.NUL if "\0" in (ours.shown or "") else Cause.SIGNS


def _cut(text: str | None) -> str | None:
    """Return a value short enough for a table, without signs that nobody can see."""
    if text is None:
        return None
    seen = "".join(sign if sign.isprintable() else " " for sign in text[:_LONGEST])
    return f"{seen}…" if len(text) > _LONGEST else seen


def _asked(ask: Any) -> Any:
    """Return what libpff answers, None when it cannot."""
    try:
        return ask()
    except REFUSALS:
        return None


def _watch(seconds: int) -> None:
    """Let the program end when the next step takes longer than anybody would wait for."""
    if __name__ == "__main__":
        faulthandler.dump_traceback_later(seconds, exit=True)


def main() -> None:
    """Compare the file that is named; a line for each difference, the totals last."""
    _watch(_OPENING)
    for row in second_reading(Path(sys.argv[1])):
        kind = "source" if isinstance(row, Totals) else "difference"
        sys.stdout.write(json.dumps({"row_kind": kind} | asdict(row)) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
