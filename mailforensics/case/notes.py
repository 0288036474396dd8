"""What a person adds to a case: marks on messages, and notes for the report."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from mailforensics.ingest import CaseFolder
from mailforensics.ingest.folder import write_atomically

__all__ = ["Notes"]


class Notes:
    """Marks and notes, kept in ``notes.json`` of the case, so that they outlive the kernel."""

    def __init__(self, folder: CaseFolder) -> None:
        self._path = folder.root / "notes.json"

    def _load(self) -> dict[str, Any]:
        try:
            data = json.loads(self._path.read_bytes())
        except (OSError, ValueError):
            return {}
        return data if isinstance(data, dict) else {}

    def _save(self, **changes: Any) -> None:
        data = {**self._load(), **changes}
        write_atomically(self._path, json.dumps(data, ensure_ascii=False, indent=1).encode())

    @property
    def marks(self) -> list[str]:
        """Ids of the messages that are marked, sorted."""
        return sorted(str(mark) for mark in self._load().get("marks", []))

    @marks.setter
    def marks(self, item_ids: Iterable[str]) -> None:
        self._save(marks=sorted(set(item_ids)))

    @property
    def text(self) -> str:
        """The examiner's notes."""
        return str(self._load().get("text", ""))

    @text.setter
    def text(self, text: str) -> None:
        self._save(text=text)
