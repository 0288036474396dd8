"""The layout of a case folder."""

from __future__ import annotations

import os
from dataclasses import dataclass
from pathlib import Path

__all__ = ["CaseFolder", "write_atomically"]


@dataclass(frozen=True, slots=True)
class CaseFolder:
    """Knows where everything of a case lies; creates nothing but on request.

    ::

        case.json  custody.jsonl  notes.json
        tables/<table>/<E01>.parquet    index/<E01>/*.sqlite    hashes/<E01>.csv
        exports/    working/<E01>/ (copies of archive members)    parts/<E01>/ (reading under way)
    """

    root: Path

    @property
    def settings(self) -> Path:
        """Name, examiner, time zone and language of the case."""
        return self.root / "case.json"

    @property
    def custody(self) -> Path:
        """The hash-chained custody log."""
        return self.root / "custody.jsonl"

    @property
    def exports(self) -> Path:
        """Where exports go unless another folder is named."""
        return self.root / "exports"

    def table(self, name: str, part: str) -> Path:
        """Return the parquet file of a table for one evidence item."""
        return self.root / "tables" / name / f"{part}.parquet"

    @property
    def assessed(self) -> Path:
        """The messages of all evidence with what comparing copies, logs and replies tells."""
        return self.table("assessed", "all")

    def parts_of(self, name: str) -> list[Path]:
        """Return the parquet files of a table, sorted."""
        return sorted((self.root / "tables" / name).glob("*.parquet"))

    def index(self, evidence_id: str) -> Path:
        """Return the folder of the search index of one evidence item."""
        return self.root / "index" / evidence_id

    def hashes(self, evidence_id: str) -> Path:
        """Return the hash list of folder evidence."""
        return self.root / "hashes" / f"{evidence_id}.csv"

    def working(self, evidence_id: str) -> Path:
        """Return the folder of working copies of archive members."""
        return self.root / "working" / evidence_id

    def parts(self, evidence_id: str) -> Path:
        """Return the folder in which reading under way keeps what is done."""
        return self.root / "parts" / evidence_id


def write_atomically(path: Path, data: bytes) -> None:
    """Write a file so that it is there whole or not at all, also after a crash."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.{os.getpid()}.tmp")
    with temporary.open("wb") as stream:
        stream.write(data)
        stream.flush()
        os.fsync(stream.fileno())
    temporary.replace(path)
