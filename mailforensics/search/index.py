"""The index: one SQLite file, written once, then only read."""

from __future__ import annotations

import os
import sqlite3
from collections.abc import Iterator, Sequence
from contextlib import closing
from operator import itemgetter
from pathlib import Path
from types import TracebackType
from typing import NamedTuple

from mailforensics.errors import SearchError
from mailforensics.search.query import Query, parse
from mailforensics.search.tokens import searchable

__all__ = ["Hit", "IndexWriter", "find"]

_BATCH_ROWS = 500
_BATCH_CHARS = 4 << 20
_MAX_CHARS = 100_000_000  # a value in SQLite holds at most 10**9 bytes

_SETUP = (
    "PRAGMA page_size = 8192",
    "PRAGMA journal_mode = OFF",
    "PRAGMA synchronous = OFF",
    "PRAGMA secure_delete = OFF",
    "PRAGMA locking_mode = EXCLUSIVE",
    "PRAGMA cache_size = -16384",
    "CREATE TABLE items (row INTEGER PRIMARY KEY, item_id TEXT NOT NULL)",
    "CREATE VIRTUAL TABLE mail USING fts5(subject, sender, people, attachments, body, "
    "content='', tokenize='ascii')",
    # What FTS5 gathers before it writes a segment: 32 MiB.
    "INSERT INTO mail(mail, rank) VALUES ('hashsize', 33554432)",
    "INSERT INTO mail(mail, rank) VALUES ('pgsz', 8000)",
    "BEGIN",
)
_INSERT = (
    "INSERT INTO mail(rowid, subject, sender, people, attachments, body) VALUES (?, ?, ?, ?, ?, ?)"
)
_EVERY = "SELECT item_id, 0.0 FROM items ORDER BY row"
_OTHERS = (
    "SELECT item_id, 0.0 FROM items "
    "WHERE row NOT IN (SELECT rowid FROM mail WHERE mail MATCH ?) ORDER BY row"
)
_RANKED = (
    "SELECT item_id, -bm25(mail, 10.0, 4.0, 3.0, 2.0, 1.0) AS score "
    "FROM mail JOIN items ON items.row = mail.rowid "
    "WHERE mail MATCH ?"
)
_BEST_FIRST = " ORDER BY score DESC, mail.rowid"


class Hit(NamedTuple):
    """A message that was found; the higher the score, the better it fits."""

    item_id: str
    score: float


class IndexWriter:
    """Writes the index of some messages; the file is there whole or not at all.

    The same messages in the same order give the same bytes.

    Parameters
    ----------
    path : Path
        The file to write. It appears on :meth:`close`; what stood there is replaced.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._temporary = path.with_name(f"{path.name}.tmp")
        self._temporary.unlink(missing_ok=True)
        self._database = sqlite3.connect(self._temporary, isolation_level=None)
        for statement in _SETUP:
            self._database.execute(statement)
        self._rows: list[tuple[int, str, str, str, str, str]] = []
        self._items: list[tuple[int, str]] = []
        self._chars = 0
        self._count = 0
        self._has_senders = False
        self._open = True

    def __enter__(self) -> IndexWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is None:
            self.close()
        else:
            self.discard()

    def add(
        self,
        item_id: str,
        *,
        subject: str,
        people: str,
        attachments: str,
        text: str,
        sender: str = "",
    ) -> None:
        """Take one message.

        Parameters
        ----------
        people
            Names and addresses of all people.
        sender
            Name and address of the sender, if ``people`` holds only the others: ``from:`` then
            asks for the sender alone. Otherwise ``from:`` and ``to:`` ask for anyone.
        attachments
            Names of the attachments.
        text
            The body. What stands after the first 100 million signs is not indexed.
        """
        self._count += 1
        self._has_senders = self._has_senders or bool(sender)
        self._rows.append((self._count, subject, sender, people, attachments, text))
        self._items.append((self._count, item_id))
        self._chars += len(text)
        if len(self._rows) >= _BATCH_ROWS or self._chars >= _BATCH_CHARS:
            self._flush()

    def _flush(self) -> None:
        rows = [(row, *map(_prepared, fields)) for row, *fields in self._rows]
        self._database.executemany(_INSERT, rows)
        self._database.executemany("INSERT INTO items(row, item_id) VALUES (?, ?)", self._items)
        self._rows, self._items, self._chars = [], [], 0

    def close(self) -> None:
        """Write what is waiting, make it durable, and give the file its name."""
        if not self._open:
            return
        self._flush()
        self._database.execute("COMMIT")
        self._database.execute(f"PRAGMA user_version = {int(self._has_senders)}")
        self._shut()
        with self._temporary.open("r+b") as stream:
            os.fsync(stream.fileno())
        self._temporary.replace(self.path)

    def discard(self) -> None:
        """Leave nothing behind."""
        if self._open:
            self._shut()
            self._temporary.unlink(missing_ok=True)

    def _shut(self) -> None:
        self._open = False
        self._database.close()


def _prepared(text: str) -> str:
    return searchable(text)[:_MAX_CHARS]


def find(indexes: Sequence[Path], query: str | Query, *, limit: int | None = None) -> list[Hit]:
    """Find the messages that match the words of a query, best first.

    Filters (``folder:``, ``state:``, dates) are not looked at here: see
    :func:`~mailforensics.search.filter_frame`. A query of filters alone finds every message.

    Parameters
    ----------
    indexes
        The index files.
    limit
        How many hits at most.

    Returns
    -------
    list of Hit
        Best first; ties in the order of the files and of the messages in them. Ranked by BM25, in
        which the subject weighs ten times the body; how rare a word is counts within each file.

    Raises
    ------
    SearchError
        The query cannot be understood, or an index cannot be read.
    """
    wanted = parse(query) if isinstance(query, str) else query
    found: list[Hit] = []
    for path in indexes:
        found.extend(_find_in(path, wanted, limit))
    found.sort(key=itemgetter(1), reverse=True)
    return found if limit is None else found[: max(limit, 0)]


def _find_in(path: Path, query: Query, limit: int | None) -> Iterator[Hit]:
    try:
        with closing(_open(path)) as database:
            sql, values = _statement(database, query, limit)
            if limit is not None:
                sql, values = f"{sql} LIMIT ?", [*values, max(limit, 0)]
            yield from map(Hit._make, database.execute(sql, values))
    except (sqlite3.Error, OSError) as error:
        raise SearchError(
            f"The search index {path.name} cannot be read.",
            hint="Read the evidence again: the index is then built anew.",
        ) from error


def _open(path: Path) -> sqlite3.Connection:
    return sqlite3.connect(f"{path.absolute().as_uri()}?mode=ro&immutable=1", uri=True)


def _statement(
    database: sqlite3.Connection, query: Query, limit: int | None
) -> tuple[str, list[str | int]]:
    if not query.has_words:
        return _EVERY, []
    senders = bool(database.execute("PRAGMA user_version").fetchone()[0])
    match = query.match(senders=senders)
    if match.inverted:
        return _OTHERS, [match.expression]
    # Without a limit the hits of all files are sorted together later.
    return (_RANKED if limit is None else _RANKED + _BEST_FIRST), [match.expression]
