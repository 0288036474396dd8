"""What a reader is, and the log that it keeps."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import ClassVar

from mailforensics._version import __version__
from mailforensics.mapi import MapiMessage
from mailforensics.schema import MessageRecord, ReadRow, Record

__all__ = ["ReadLog", "Reader", "Source", "Span"]

HEAD_SIZE = 4096
"""How many bytes of a file ``sniff`` is given."""


@dataclass(frozen=True, slots=True)
class Source:
    """One thing that one reader reads: a file, or a folder such as a Maildir.

    Attributes
    ----------
    path
        Where its bytes can be opened now, read-only: in the evidence, or in a working copy of an
        archive member.
    source_path
        Its path inside the evidence item, with ``/``; ``""`` when it is the item itself.
    evidence_id, custodian, mailbox
        As in the evidence table.
    """

    path: Path
    source_path: str = ""
    evidence_id: str = "E01"
    custodian: str = ""
    mailbox: str = ""


@dataclass(frozen=True, slots=True)
class Span:
    """A half-open byte range ``[start, stop)``: the reader yields what *starts* in it."""

    start: int
    stop: int


class ReadLog:
    """Counts what a source declares and what became of it: declared = read + failed + skipped.

    The reader calls :meth:`declare`, :meth:`fail`, :meth:`skip` and :meth:`note`; whoever
    consumes its records calls :meth:`count` for each.
    """

    def __init__(self) -> None:
        self.declared = 0
        self.read = 0
        self.failed = 0
        self.skipped = 0
        self._rows: list[ReadRow] = []

    def declare(self, count: int = 1) -> None:
        """Add to the number of items that the source says it holds."""
        self.declared += count

    def count(self, record: Record) -> None:
        """Count a record as read; a message inside another message counts with its parent."""
        if not (isinstance(record, MessageRecord) and record.parent_ref is not None):
            self.read += 1

    def fail(self, source_ref: str, reason: str, detail: str = "", *, count: int = 1) -> None:
        """Note declared items that could not be read, with the place and the reason."""
        self.failed += count
        self._rows.append(
            ReadRow(
                row_kind="failed",
                failed=count,
                source_ref=source_ref,
                reason=reason,
                detail=detail or None,
            )
        )

    def skip(self, source_ref: str, reason: str, detail: str = "", *, count: int = 1) -> None:
        """Note declared items that were left out on purpose, with the place and the reason."""
        self.skipped += count
        self._rows.append(
            ReadRow(
                row_kind="skipped",
                skipped=count,
                source_ref=source_ref,
                reason=reason,
                detail=detail or None,
            )
        )

    def note(self, source_ref: str, reason: str, detail: str = "") -> None:
        """Note something that an examiner should know and that counts no item."""
        self._rows.append(
            ReadRow(row_kind="note", source_ref=source_ref, reason=reason, detail=detail or None)
        )

    @property
    def balanced(self) -> bool:
        """Whether every declared item was read, failed or skipped."""
        return self.declared == self.read + self.failed + self.skipped

    def rows(self) -> list[ReadRow]:
        """Return the row of totals and, after it, a row for each fault and note."""
        totals = ReadRow(
            row_kind="source",
            declared=self.declared,
            read=self.read,
            failed=self.failed,
            skipped=self.skipped,
            reason=None if self.balanced else "The count does not balance.",
        )
        return [totals, *self._rows]


class Reader(ABC):
    """Reads one kind of source into records.

    A subclass sets the class attributes and writes :meth:`sniff`, :meth:`read` and :meth:`raw`.
    It keeps no state between calls, never writes, and raises
    :class:`~mailforensics.errors.ReaderError` only when nothing of the source can be read: a
    damaged item is a row of the log.
    """

    name: ClassVar[str]
    description: ClassVar[str]
    suffixes: ClassVar[frozenset[str]] = frozenset()
    magic: ClassVar[tuple[tuple[int, bytes], ...]] = ()
    expects: ClassVar[str]
    version: ClassVar[str] = __version__

    @abstractmethod
    def sniff(self, head: bytes, path: Path) -> bool:
        """Say whether this reader reads the source.

        Parameters
        ----------
        head : bytes
            The first bytes of the file, at most 4096; empty for a folder.
        path : Path
            Where it lies; may be looked at, never written.
        """

    def why_not(self, head: bytes, path: Path) -> str:  # noqa: ARG002 - for subclasses
        """Say in a sentence why :meth:`sniff` said no."""
        return f"expects {self.expects}"

    def spans(self, source: Source) -> list[Span] | None:  # noqa: ARG002 - for subclasses
        """Return byte ranges that can be read apart, or None when the source is read as one."""
        return None

    @abstractmethod
    def read(self, source: Source, log: ReadLog, span: Span | None = None) -> Iterator[Record]:
        """Yield the records of a source, or of one span of it, in a stable order."""

    def mapi(self, source: Source, source_ref: str) -> MapiMessage | None:  # noqa: ARG002
        """Return an item with its MAPI properties as stored; None where mail is stored as bytes."""
        return None

    @abstractmethod
    def raw(self, source: Source, source_ref: str) -> bytes:
        """Return the bytes of one message again, from the evidence.

        Raises
        ------
        NoBytes
            Only traces of the message exist.
        """
