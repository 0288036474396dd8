"""Reading, cut into tasks that can be done apart, in any order, and again."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from mailforensics._version import __version__
from mailforensics.evidence import EvidenceItem
from mailforensics.readers import Source, Span, load

__all__ = ["Piece", "Task", "plan"]

BATCH_BYTES = 16 << 20
BATCH_SOURCES = 1000


@dataclass(frozen=True, slots=True)
class Piece:
    """A source, or one span of it, and the reader that reads it."""

    source: Source
    reader: str
    span: Span | None = None
    size: int = 0

    def to_dict(self) -> dict[str, Any]:
        """Return what :meth:`from_dict` takes."""
        source = self.source
        return {
            "path": str(source.path),
            "source_path": source.source_path,
            "evidence_id": source.evidence_id,
            "custodian": source.custodian,
            "mailbox": source.mailbox,
            "reader": self.reader,
            "span": [self.span.start, self.span.stop] if self.span else None,
            "size": self.size,
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Piece:
        """Build a piece from what :meth:`to_dict` gave."""
        source = Source(
            path=Path(data["path"]),
            source_path=data["source_path"],
            evidence_id=data["evidence_id"],
            custodian=data["custodian"],
            mailbox=data["mailbox"],
        )
        span = Span(*data["span"]) if data["span"] else None
        return cls(source, data["reader"], span, data["size"])


@dataclass(frozen=True, slots=True)
class Task:
    """Some pieces that one worker reads into one set of part files.

    ``name`` sorts in the order of the evidence and changes when what is read, or the version
    that reads it, changes: parts of another reading are never taken for this one's.
    """

    number: int
    evidence_sha256: str
    pieces: tuple[Piece, ...]

    @property
    def name(self) -> str:
        """The stem of the part files."""
        text = json.dumps([self.to_dict(), __version__], sort_keys=True)
        return f"{self.number:08d}-{hashlib.sha256(text.encode()).hexdigest()[:12]}"

    @property
    def size(self) -> int:
        """Bytes to read."""
        return sum(piece.size for piece in self.pieces)

    def to_dict(self) -> dict[str, Any]:
        """Return what :meth:`from_dict` takes."""
        return {
            "number": self.number,
            "evidence_sha256": self.evidence_sha256,
            "pieces": [piece.to_dict() for piece in self.pieces],
        }

    @classmethod
    def from_dict(cls, data: dict[str, Any]) -> Task:
        """Build a task from what :meth:`to_dict` gave."""
        pieces = tuple(Piece.from_dict(piece) for piece in data["pieces"])
        return cls(data["number"], data["evidence_sha256"], pieces)

    def apart(self) -> list[Task]:
        """Return a task for each piece, so that one bad piece cannot take others with it."""
        return [
            Task(self.number * 10_000 + index, self.evidence_sha256, (piece,))
            for index, piece in enumerate(self.pieces, 1)
        ]


def plan(item: EvidenceItem, sources: list[tuple[Source, str]]) -> Iterator[Task]:
    """Cut the sources of an evidence item into tasks, small ones together, large ones apart."""
    number = 0
    batch: list[Piece] = []
    for piece in _pieces(sources):
        batch.append(piece)
        if len(batch) >= BATCH_SOURCES or sum(each.size for each in batch) >= BATCH_BYTES:
            number += 1
            yield Task(number, item.sha256, tuple(batch))
            batch = []
    if batch:
        yield Task(number + 1, item.sha256, tuple(batch))


def _pieces(sources: list[tuple[Source, str]]) -> Iterator[Piece]:
    for source, reader in sources:
        spans = load(reader).spans(source)
        if spans:
            for span in spans:
                yield Piece(source, reader, span, span.stop - span.start)
        else:
            yield Piece(source, reader, None, _size(source.path))


def _size(path: Path) -> int:
    if path.is_dir():
        return sum(entry.stat().st_size for entry in path.rglob("*") if entry.is_file())
    return path.stat().st_size
