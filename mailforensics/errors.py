"""Every error that a user can meet.

::

    MailForensicsError
     ├─ CaseError              the case folder: missing, damaged, in use, or already there
     ├─ EvidenceError          an evidence item cannot be opened
     │   ├─ EvidenceNotFound   no file or folder at that path
     │   ├─ EvidenceUnreadable no rights, in use, or the medium fails
     │   └─ HashMismatch       the bytes are not those that were acquired
     ├─ ReaderError            a source cannot be read
     │   ├─ UnsupportedFormat  no reader knows it; lists each reader and why it said no
     │   ├─ CorruptContainer   the container itself is damaged
     │   ├─ EncryptedContainer a key is needed
     │   └─ ReaderUnavailable  the package that the reader needs is not installed
     ├─ SchemaError            a table lacks a column or has another type
     ├─ SearchError            the words of a query cannot be understood
     └─ ExportError            something cannot be given back
         ├─ WouldOverwrite     a file of that name is there already
         └─ NoBytes            only traces of this message exist

A fault of a single item is no exception: it is a row of ``reads`` and a code in ``defects``.
"""

from __future__ import annotations

__all__ = [
    "CaseError",
    "CorruptContainer",
    "EncryptedContainer",
    "EvidenceError",
    "EvidenceNotFound",
    "EvidenceUnreadable",
    "ExportError",
    "HashMismatch",
    "MailForensicsError",
    "NoBytes",
    "ReaderError",
    "ReaderUnavailable",
    "SchemaError",
    "SearchError",
    "UnsupportedFormat",
    "WouldOverwrite",
]


class MailForensicsError(Exception):
    """Root of the tree.

    Parameters
    ----------
    message : str
        What happened, in a sentence that someone who does not program understands.
    hint : str, optional
        What to do about it.
    evidence_id, source_ref : str, optional
        Where it happened.
    """

    exit_code = 1

    def __init__(
        self, message: str, *, hint: str = "", evidence_id: str = "", source_ref: str = ""
    ) -> None:
        super().__init__(message)
        self.message = message
        self.hint = hint
        self.evidence_id = evidence_id
        self.source_ref = source_ref

    def __str__(self) -> str:
        """Return the message, the place and the hint as one text."""
        place = " ".join(part for part in (self.evidence_id, self.source_ref) if part)
        text = f"{place}: {self.message}" if place else self.message
        return f"{text}\n{self.hint}" if self.hint else text


class CaseError(MailForensicsError):
    """The case folder is missing, damaged, in use, or already there."""


class EvidenceError(MailForensicsError):
    """An evidence item cannot be opened."""

    exit_code = 3


class EvidenceNotFound(EvidenceError, FileNotFoundError):
    """No file or folder at that path."""


class EvidenceUnreadable(EvidenceError, PermissionError):
    """No rights to read, in use by another program, or the medium fails."""


class HashMismatch(EvidenceError):
    """The bytes are not those that were acquired."""

    exit_code = 4


class ReaderError(MailForensicsError):
    """A source cannot be read."""

    exit_code = 5


class UnsupportedFormat(ReaderError):
    """No reader knows this source; the message lists each reader and why it said no."""


class CorruptContainer(ReaderError):
    """The container itself is damaged."""


class EncryptedContainer(ReaderError):
    """A key or password is needed to read this."""


class ReaderUnavailable(ReaderError, ImportError):
    """The package that a reader needs is not installed."""


class SchemaError(MailForensicsError, ValueError):
    """A table lacks a column or has another type than schema.py says."""


class SearchError(MailForensicsError, ValueError):
    """The words of a query cannot be understood."""


class ExportError(MailForensicsError):
    """Something cannot be given back."""

    exit_code = 6


class WouldOverwrite(ExportError, FileExistsError):
    """A file of that name is there already; nothing is ever overwritten."""


class NoBytes(ExportError):
    """Only traces of this message exist; its bytes are gone."""
