"""The custody log: who did what with the evidence, when; each row chained to the one before.

A row's ``hash`` is the SHA-256 of the row itself (its JSON with sorted keys, without ``hash``),
which holds the hash of the row before it as ``previous``. Changing, removing or inserting a row
breaks the chain from there on. Removal of the last rows shows against the count and hash that
the case settings keep.
"""

from __future__ import annotations

import hashlib
import json
import os
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

__all__ = ["CustodyFault", "CustodyLog"]

START = "0" * 64


@dataclass(frozen=True, slots=True)
class CustodyFault:
    """One place at which the log does not hold together. ``row`` counts from 1."""

    row: int
    what: str


class CustodyLog:
    """Appends to and checks one ``custody.jsonl``."""

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, action: str, actor: str, **detail: Any) -> dict[str, Any]:
        """Add a row and return it; the file is only ever appended to."""
        rows = self.rows()
        row = {
            "row": len(rows) + 1,
            "at": datetime.now(UTC).isoformat(timespec="seconds"),
            "actor": actor,
            "action": action,
            "detail": detail,
            "previous": rows[-1].get("hash", START) if rows else START,
        }
        row["hash"] = _hash(row)
        with self.path.open("a", encoding="utf-8", newline="\n") as stream:
            stream.write(json.dumps(row, ensure_ascii=False, sort_keys=True) + "\n")
            stream.flush()
            os.fsync(stream.fileno())
        return row

    def rows(self) -> list[dict[str, Any]]:
        """Return the rows that can be read, in order."""
        return [row for row in self._parsed() if row is not None]

    def _parsed(self) -> list[dict[str, Any] | None]:
        if not self.path.is_file():
            return []
        text = self.path.read_text(encoding="utf-8", errors="replace")
        return [_parse(line) for line in text.split("\n") if line]

    def head(self) -> tuple[int, str]:
        """Return the number of rows and the hash of the last."""
        rows = self.rows()
        return (len(rows), str(rows[-1].get("hash", ""))) if rows else (0, START)

    def verify(self, head: tuple[int, str] | None = None) -> list[CustodyFault]:
        """Name each row that was changed, removed or inserted; none means the chain holds.

        Parameters
        ----------
        head
            Number of rows and last hash as kept elsewhere.
        """
        faults = []
        previous = START
        parsed = self._parsed()
        for number, row in enumerate(parsed, 1):
            if row is None:
                faults.append(CustodyFault(number, "the row cannot be read"))
                continue
            if row.get("hash") != _hash(row):
                faults.append(CustodyFault(number, "the row was changed after it was written"))
            if row.get("previous") != previous or row.get("row") != number:
                faults.append(
                    CustodyFault(number, "a row before it was changed, removed or inserted")
                )
            previous = str(row.get("hash"))
        if head is not None and not faults and (len(parsed), previous) != head:
            faults.append(
                CustodyFault(
                    len(parsed), f"the log should end with row {head[0]}: rows are missing"
                )
            )
        return faults


def _parse(line: str) -> dict[str, Any] | None:
    try:
        row = json.loads(line)
    except json.JSONDecodeError:
        return None
    return row if isinstance(row, dict) else None


def _hash(row: dict[str, Any]) -> str:
    plain = {key: value for key, value in row.items() if key != "hash"}
    text = json.dumps(plain, ensure_ascii=False, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(text.encode("utf-8", "surrogatepass")).hexdigest()
