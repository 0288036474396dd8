"""What a log says became of a message: events -> histories -> fates."""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import pandas as pd

from mailforensics.comparison.frames import Mask, is_in, values
from mailforensics.comparison.identity import clean_ids
from mailforensics.comparison.places import folder_key, mailbox_key
from mailforensics.schema import Operation

__all__ = ["Event", "Fate", "History", "fate_of", "fates_of", "read_history"]

FolderKey = tuple[str, ...]

_OF_MESSAGES = (
    Operation.SAVE,
    Operation.DELIVER,
    Operation.COPY,
    Operation.MOVE,
    Operation.MARK_DELETED,
    Operation.UNMARK_DELETED,
    Operation.EXPUNGE,
)
_REMOVING = (Operation.EXPUNGE, Operation.MARK_DELETED)
_ARRIVING = frozenset({Operation.SAVE, Operation.COPY, Operation.MOVE})
_NUMBER = re.compile(r"(\d{1,18})\D*$")
_MAX_FOR_ONE = 2000
_COLUMNS = (
    *("at", "operation", "mailbox", "folder", "evidence_id", "source_ref"),
    *("actor", "client_ip", "message_id", "subject", "detail"),
)


@dataclass(frozen=True, slots=True)
class Event:
    """One line of a log about one message or folder."""

    at: pd.Timestamp
    operation: str
    mailbox: str
    mailbox_name: str | None
    folder: FolderKey
    folder_name: str | None
    actor: str | None
    client_ip: str | None
    evidence_id: str
    source_ref: str
    message_id: str | None
    subject: str | None
    detail: str | None

    @property
    def who(self) -> str | None:
        """Who did it and from where, as far as the log says."""
        if self.client_ip is None:
            return self.actor
        return f"{self.actor or 'someone unknown'} from {self.client_ip}"

    @property
    def order(self) -> tuple[pd.Timestamp, str, int, str]:
        """Sort key: time, then the place in the log."""
        number = _NUMBER.search(self.source_ref)
        return self.at, self.evidence_id, int(number[1]) if number else 0, self.source_ref

    def sentence(self, verb: str) -> str:
        """Say in words what the log shows, with the place."""
        place = f" {self.folder_name}" if self.folder_name else ""
        by = f" by {self.who}" if self.who else ""
        return (
            f"The log shows: {verb}{place} on {self.at:%Y-%m-%d at %H:%M:%S} UTC{by} "
            f"({self.evidence_id}, {self.source_ref})."
        )


@dataclass(slots=True)
class History:
    """Events about messages that were removed at some time, and about removed folders.

    Attributes
    ----------
    of
        Message-ID without brackets -> its events in the order in which they happened.
    folders
        (Mailbox, folder) -> the last removal of that folder.
    trash
        Keys of folders that hold deleted mail.
    """

    of: dict[str, list[Event]] = field(default_factory=dict)
    folders: dict[tuple[str, FolderKey], Event] = field(default_factory=dict)
    trash: frozenset[FolderKey] = frozenset()

    def holds_deleted(self, folder: FolderKey) -> bool:
        """Say whether a folder is one for deleted mail, by its whole name or its end."""
        return bool(folder) and (folder in self.trash or folder[-1:] in self.trash)


class Fate(NamedTuple):
    """What became of a message in one mailbox.

    Attributes
    ----------
    kept
        Whether it is still in a folder that is not for deleted mail, as far as is known.
    removal
        The event that removed it, or put it among the deleted mail.
    trashed
        The event that copied it to a folder of deleted mail before it was removed.
    """

    kept: bool
    removal: Event | None
    trashed: Event | None


def read_history(events: pd.DataFrame, trash: frozenset[FolderKey]) -> History:
    """Read the events about messages that were removed or marked, and about removed folders."""
    timed = events[events["at"].notna().to_numpy(dtype=bool)]
    ids = clean_ids(timed["message_id"])
    about = is_in(timed["operation"], _OF_MESSAGES) & ids.notna().to_numpy(dtype=bool)
    moved = is_in(timed["operation"], [Operation.COPY, Operation.MOVE]) & _into_trash(timed, trash)
    gone = is_in(timed["operation"], [Operation.FOLDER_DELETE])
    dropped = is_in(timed["folder"], frozenset(timed["folder"][gone].dropna()))
    removed = ids[about & (is_in(timed["operation"], _REMOVING) | moved | dropped)].unique()
    wanted = about & ids.isin(removed).fillna(value=False).to_numpy(dtype=bool)
    history = History(trash=trash)
    listed: defaultdict[str, list[Event]] = defaultdict(list)
    for event in _events(timed[wanted], ids[wanted]):
        assert event.message_id is not None
        listed[event.message_id].append(event)
    for message_id, group in listed.items():
        # A hostile log may name one message a million times; the latest tell its fate.
        history.of[message_id] = sorted(group, key=_order)[-_MAX_FOR_ONE:]
    for event in sorted(_events(timed[gone], ids[gone]), key=_order):
        history.folders[event.mailbox, event.folder] = event
    return history


def _order(event: Event) -> tuple[pd.Timestamp, str, int, str]:
    return event.order


def _into_trash(events: pd.DataFrame, trash: frozenset[FolderKey]) -> Mask:
    names = events["folder"].dropna().unique()
    known = [name for name in names if folder_key(name) in trash or folder_key(name)[-1:] in trash]
    return is_in(events["folder"], known)


def _events(rows: pd.DataFrame, ids: pd.Series) -> Iterable[Event]:
    named = rows.assign(message_id=ids, mailbox=rows["mailbox"].fillna(rows["actor"]))
    columns = [values(named[name]) for name in _COLUMNS]
    for at, operation, mailbox, folder, evidence_id, ref, *rest in zip(*columns, strict=True):
        actor, client_ip, message_id, subject, detail = rest
        yield Event(
            at=pd.Timestamp(at),
            operation=operation or "",
            mailbox=mailbox_key(mailbox),
            mailbox_name=mailbox,
            folder=folder_key(folder),
            folder_name=folder,
            actor=actor,
            client_ip=client_ip,
            evidence_id=evidence_id or "",
            source_ref=ref or "",
            message_id=message_id,
            subject=subject,
            detail=detail,
        )


def fate_of(
    events: Sequence[Event],
    history: History,
    start: Counter[FolderKey],
    since: pd.Timestamp | None = None,
) -> Fate:
    """Follow a message in one mailbox through its events, folder by folder.

    Copies are counted: when one of two is removed, the message is still there; a copy to another
    folder followed by a removal is a move.

    Parameters
    ----------
    events
        Its events in this mailbox, in order.
    start
        In which folders it lay before, and how often.
    since
        The moment of ``start``.
    """
    track = _Track(history, Counter(start), since)
    # One delivery is told by up to three lines (mail agent, delivery, save): saves count.
    saves = any(event.operation == Operation.SAVE for event in events)
    for event in events:
        if event.operation == Operation.DELIVER and (saves or not event.folder):
            continue
        track.follow(event)
    return track.fate(events[0].mailbox if events else "")


def fates_of(events: Sequence[Event], history: History) -> dict[str, Fate]:
    """Return the fate in each mailbox of a message of which only the log tells."""
    boxes: defaultdict[str, list[Event]] = defaultdict(list)
    for event in events:
        boxes[event.mailbox].append(event)
    return {box: fate_of(group, history, Counter()) for box, group in sorted(boxes.items())}


class _Track:
    """Where a message lies, event by event."""

    def __init__(
        self, history: History, here: Counter[FolderKey], since: pd.Timestamp | None
    ) -> None:
        self.history = history
        self.here = here
        self.touched = {} if since is None else dict.fromkeys(here, since)
        self.marked: dict[FolderKey, Event] = {}
        self.expunged: Event | None = None
        self.trashed: Event | None = None

    def follow(self, event: Event) -> None:
        folder = event.folder
        self.touched[folder] = event.at
        if event.operation == Operation.DELIVER:
            self.here[folder] = max(self.here[folder], 1)
        elif event.operation in _ARRIVING:
            self.here[folder] += 1
            if self.history.holds_deleted(folder) and event.operation != Operation.SAVE:
                self.trashed = event
        elif event.operation == Operation.EXPUNGE:
            self.here[folder] = max(self.here[folder] - 1, 0)
            self.marked.pop(folder, None)
            self.expunged = event
        elif event.operation == Operation.MARK_DELETED:
            self.marked[folder] = event
        else:
            self.marked.pop(folder, None)

    def fate(self, mailbox: str) -> Fate:
        """Take away what lay in a folder that was removed after the last event about it."""
        dropped = None
        for folder, count in self.here.items():
            gone = self.history.folders.get((mailbox, folder))
            since = self.touched.get(folder)
            if count > 0 and gone is not None and since is not None and since <= gone.at:
                self.here[folder] = 0
                dropped = gone
        kept = any(
            count > 0 and folder not in self.marked and not self.history.holds_deleted(folder)
            for folder, count in self.here.items()
        )
        marked = max(self.marked.values(), key=_order, default=None)
        removal = dropped or self.expunged or marked or self.trashed
        return Fate(kept, removal, self.trashed if self.trashed is not removal else None)
