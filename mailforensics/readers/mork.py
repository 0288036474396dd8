"""Thunderbird's folder index (.msf, Mork 1.4): which messages of an mbox file it still lists.

Only what this question needs is read: dictionaries, the rows and the table of messages, and the
cells ``storeToken`` (byte of the separating line in the mbox file), ``flags`` and ``numMsgs``.
Changes are appended as groups; a group without its closing line was never committed and does not
count.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from functools import lru_cache
from pathlib import Path
from typing import NamedTuple

__all__ = ["FolderIndex", "read_index"]

MAX_BYTES = 1 << 30
_OFFLINE = 0x80
_MAGIC = b"// <!-- <mdb:mork:z"
_MESSAGES = "ns:msg:db:table:kind:msgs"
_GROUP = re.compile(r"@\$\$\{([0-9A-Fa-f]+)\{@")
_TOKEN = re.compile(
    r"(?P<comment>//[^\n]*)"
    r"|(?P<columns><\s*<\(a=c\)>)"
    r"|(?P<sign>[<>{}\[\]])"
    r"|\((?P<key>\^?[^\^=()\s]+)\s*"
    r"(?:=(?P<value>(?:\\[\s\S]|[^\\)])*)|\^(?P<ref>[0-9A-Fa-f]+)(?::[^)]*)?)\)"
    r"|(?P<id>-?[0-9A-Fa-f]+)(?::(?P<scope>\^?[\w:]+))?"
    r"|(?P<minus>-)"
)


class FolderIndex(NamedTuple):
    """What an index says about an mbox file; all numbers are bytes of separating lines.

    Attributes
    ----------
    listed
        Messages on the list.
    struck
        Messages that were on the list and were struck off, as far as the index still shows it.
    """

    listed: frozenset[int]
    struck: frozenset[int]


def _committed(text: str) -> Iterator[str]:
    """Yield the text outside groups, and the groups that were committed."""
    at = 0
    while (opening := _GROUP.search(text, at)) is not None:
        yield text[at : opening.start()]
        following = _GROUP.search(text, opening.end())
        limit = following.start() if following else len(text)
        end = "@$$}" + opening.group(1) + "}@"
        closing = text.find(end, opening.end(), limit)
        if closing >= 0:
            yield text[opening.end() : closing]
        at = closing + len(end) if closing >= 0 else limit
    yield text[at:]


class _Mork:
    """Takes the tokens of an index and keeps the rows of messages."""

    def __init__(self) -> None:
        self.columns: dict[str, str] = {}
        self.values: dict[str, str] = {}
        self.rows: dict[str, dict[str, str]] = {}
        self.listed: dict[str, None] = {}
        self.struck: set[str] = set()
        self.info: dict[str, str] = {}
        self._scope = ""
        self._clear()

    def _clear(self) -> None:
        self._dictionary: dict[str, str] | None = None
        self._depth = 0
        self._table_scope = ""
        self._is_messages = False
        self._expects_scope = self._in_row = self._minus = False
        self._row: dict[str, str] | None = None

    def take(self, text: str) -> None:
        """Take one committed piece; what it leaves open is closed."""
        self._clear()
        for token in _TOKEN.finditer(text):
            kind = token.lastgroup
            if kind == "sign":
                self._sign(token.group())
            elif kind == "columns":
                self._dictionary = self.columns
            elif kind in {"value", "ref"}:
                self._cell(token)
            elif kind in {"id", "scope"}:
                self._id(token)
            elif kind == "minus":
                self._minus = True

    def _sign(self, sign: str) -> None:
        if sign == "<":
            self._dictionary = self.values
        elif sign == ">":
            self._dictionary = None
        elif sign == "{":
            self._depth += 1
            if self._depth == 1:
                self._expects_scope, self._is_messages = True, False
        elif sign == "}":
            self._depth = max(self._depth - 1, 0)
        elif sign == "[":
            self._in_row, self._row = True, None
        else:
            self._in_row, self._row = False, None

    def _cell(self, token: re.Match[str]) -> None:
        key, value, ref = token.group("key", "value", "ref")
        if self._dictionary is not None:
            if value is not None:
                self._dictionary[key] = value
        elif self._row is not None:
            column = self.columns.get(key[1:], "") if key.startswith("^") else key
            if column in {"storeToken", "flags", "numMsgs"}:
                self._row[column] = self.values.get(ref, "") if ref else value
        elif self._depth == 2 and key == "k" and ref:
            self._is_messages = self.columns.get(ref) == _MESSAGES

    def _id(self, token: re.Match[str]) -> None:
        if self._dictionary is not None:
            return
        if self._depth == 1 and self._expects_scope and not self._in_row:
            self._table_scope, self._expects_scope = token.group("scope") or "", False
        elif self._in_row and self._row is None:
            self._open_row(token.group("id"), token.group("scope") or self._table_scope)
        elif self._depth == 1 and not self._in_row:
            self._list(token.group("id").lstrip("-"), cut=token.group("id").startswith("-"))

    def _open_row(self, row_id: str, scope: str) -> None:
        name = row_id.lstrip("-")
        kind = self.columns.get(scope.lstrip("^"))
        if kind != "ns:msg:db:row:scope:msgs:all":
            self._row = self.info if kind == "ns:msg:db:row:scope:dbfolderinfo:all" else {}
            self._minus = False
            return
        if self._depth == 1:
            self._list(name, cut=self._minus)
        if row_id.startswith("-"):
            self.rows[name] = {}
        self._row = self.rows.setdefault(name, {})

    def _list(self, name: str, *, cut: bool) -> None:
        """Put a row on the list of messages, or strike it off."""
        self._minus = False
        if not self._is_messages:
            return
        if not cut:
            self.listed[name] = None
        elif name in self.listed:
            del self.listed[name]
            self.struck.add(self.rows.get(name, {}).get("storeToken", ""))


def _number(text: str) -> int:
    """Read a hexadecimal cell; -1, which has all bits, when it is none."""
    return int(text, 16) if re.fullmatch(r"[0-9A-Fa-f]{1,16}", text) else -1


def _places(mork: _Mork) -> FolderIndex | None:
    """Turn rows into places.

    None when the list is not as long as the index says, as in a damaged index, or when a message
    that is in the file has no place.
    """
    if _number(mork.info.get("numMsgs", "")) != len(mork.listed):
        return None
    listed = set()
    for name in mork.listed:
        row = mork.rows.get(name, {})
        token = row.get("storeToken", "")
        if token.isdecimal():
            listed.add(int(token))
            continue
        if _number(row.get("flags", "0")) & _OFFLINE:
            return None
    struck = {int(token) for token in mork.struck if token.isdecimal()}
    return FolderIndex(frozenset(listed), frozenset(struck - listed))


def read_index(path: Path) -> FolderIndex | None:
    """Read an index; None when it is none, is damaged, or does not say where messages stand."""
    try:
        facts = path.stat()
        return _read(path, facts.st_size, facts.st_mtime_ns)
    except OSError:
        return None


@lru_cache(maxsize=4)
def _read(path: Path, size: int, modified: int) -> FolderIndex | None:  # noqa: ARG001 - they make the cache see a change
    with path.open("rb") as stream:
        data = stream.read(min(size, MAX_BYTES))
    if not data.startswith(_MAGIC):
        return None
    mork = _Mork()
    for piece in _committed(data.decode("latin-1")):
        mork.take(piece)
    return _places(mork) if mork.listed or mork.struck else None
