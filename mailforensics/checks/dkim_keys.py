"""The keys of senders' domains, as kept in a file of the case. Nothing is asked of the network."""

from __future__ import annotations

import csv
import json
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailforensics.errors import CaseError

__all__ = ["Key", "KeyRing", "read_keys"]

_HINT = (
    "The file lists keys as CSV with the columns domain, selector, txt (and, if known, first_seen, "
    "source), or as a JSON list of objects with these names."
)
_QUOTED = re.compile(r'"((?:[^"\\]|\\.)*)"')


@dataclass(frozen=True, slots=True)
class Key:
    """One key record: ``txt`` is the text of the DNS record, from where and since when known."""

    domain: str
    selector: str
    txt: str
    first_seen: str = ""
    source: str = ""

    @property
    def testing(self) -> bool:
        """Whether the domain says that it only tests DKIM (``t=y``)."""
        return re.search(r"(?:^|;)\s*t\s*=[^;]*\by\b", self.txt) is not None


class KeyRing:
    """Finds the keys of a domain and selector; there may be several, of different times."""

    def __init__(self, keys: list[Key]) -> None:
        self._keys: dict[tuple[str, str], list[Key]] = {}
        for key in keys:
            self._keys.setdefault((key.domain, key.selector), []).append(key)

    def __len__(self) -> int:
        return sum(map(len, self._keys.values()))

    def find(self, domain: str, selector: str) -> list[Key]:
        """Return the keys, in the order of the file."""
        return self._keys.get((domain.lower(), selector.lower()), [])


def read_keys(path: Path | None) -> KeyRing:
    """Read a key file; without one the ring is empty.

    Raises
    ------
    CaseError
        The file is not there or is no list of keys.
    """
    if path is None:
        return KeyRing([])
    try:
        text = path.read_text(encoding="utf-8-sig")
    except (OSError, UnicodeDecodeError) as error:
        raise CaseError(f"The key file {path} cannot be read: {error}", hint=_HINT) from error
    return KeyRing([_key(row, path) for row in _rows(text, path)])


def _rows(text: str, path: Path) -> list[Any]:
    if path.suffix.lower() == ".csv":
        return list(csv.DictReader(text.splitlines()))
    try:
        data = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise CaseError(f"The key file {path} is no JSON: {error}", hint=_HINT) from error
    found = data.get("keys") if isinstance(data, dict) else data
    if not isinstance(found, list):
        raise CaseError(f"The key file {path} holds no list of keys", hint=_HINT)
    return found


def _key(row: Any, path: Path) -> Key:
    if not isinstance(row, dict) or not all(
        isinstance(row.get(name), str) for name in ("domain", "selector", "txt")
    ):
        raise CaseError(f"The key file {path} has a row that is no key: {row}", hint=_HINT)
    parts = _QUOTED.findall(row["txt"])
    return Key(
        domain=row["domain"].strip().rstrip(".").lower(),
        selector=row["selector"].strip().lower(),
        txt="".join(parts) if parts else row["txt"].strip(),
        first_seen=str(row.get("first_seen") or ""),
        source=str(row.get("source") or ""),
    )
