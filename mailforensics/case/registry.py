"""Evidence items of a case: to and from the evidence table, with their hash lists."""

from __future__ import annotations

import csv
import io
import os
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq

from mailforensics.case.tables import write_table
from mailforensics.evidence import Digests, EvidenceItem, EvidenceKind, FileHash
from mailforensics.ingest import CaseFolder
from mailforensics.ingest.folder import write_atomically
from mailforensics.schema import EVIDENCE, table_of

__all__ = ["EvidenceRegistry"]


class EvidenceRegistry:
    """Keeps the evidence items of one case."""

    def __init__(self, folder: CaseFolder) -> None:
        self.folder = folder

    def next_id(self) -> str:
        """Return the id of the next item: E01, E02 and so on."""
        return f"E{len(self.folder.parts_of('evidence')) + 1:02d}"

    def save(self, item: EvidenceItem, listed: list[FileHash]) -> None:
        """Write an item and, for a folder, its hash list."""
        if listed:
            write_atomically(self.folder.hashes(item.evidence_id), _hash_list(listed))
        columns: dict[str, Sequence[Any]] = {name: [_value(item, name)] for name in EVIDENCE.names}
        write_table(table_of(EVIDENCE, columns), self.folder.table("evidence", item.evidence_id))

    def items(self) -> list[EvidenceItem]:
        """Return all items in the order in which they were added."""
        return [
            self._item(row)
            for path in self.folder.parts_of("evidence")
            for row in pq.read_table(path, schema=EVIDENCE).to_pylist()
        ]

    def listed(self, evidence_id: str) -> list[FileHash]:
        """Return the hash list of folder evidence; empty for a single file."""
        path = self.folder.hashes(evidence_id)
        if not path.is_file():
            return []
        text = path.read_bytes().decode("utf-8", "surrogateescape")
        rows = csv.DictReader(io.StringIO(text, newline=""))
        return [
            FileHash(row["path"], Digests(int(row["size"]), row["sha256"], row["md5"]))
            for row in rows
        ]

    def _item(self, row: dict[str, Any]) -> EvidenceItem:
        row.pop("name")
        row["path"] = self._place(Path(row["path"]))
        row["kind"] = EvidenceKind(row["kind"])
        return EvidenceItem(**row)

    def _place(self, path: Path) -> Path:
        """Find evidence again that was moved together with its case."""
        if path.exists():
            return path
        for parent in (self.folder.root, self.folder.root.parent):
            for start in range(1, len(path.parts)):
                moved = parent.joinpath(*path.parts[start:])
                if moved.exists():
                    return moved
        return path


def _hash_list(listed: list[FileHash]) -> bytes:
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(["path", "size", "sha256", "md5"])
    for entry in listed:
        digests = entry.digests
        writer.writerow([entry.path, digests.size, digests.sha256, digests.md5])
    return stream.getvalue().encode("utf-8", "surrogateescape")


def _value(item: EvidenceItem, name: str) -> Any:
    value = getattr(item, name)
    return os.fspath(value) if isinstance(value, Path) else value
