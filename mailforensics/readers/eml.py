"""Single messages: one RFC 5322 message a file (.eml, .emltpl, .mht, or no suffix at all)."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import ClassVar

from mailforensics import mime
from mailforensics.errors import EvidenceUnreadable
from mailforensics.readers.base import Reader, ReadLog, Source, Span
from mailforensics.schema import Record

__all__ = ["EmlReader", "read_file"]

_SEPARATOR = re.compile(rb"From [^\r\n]{1,200}\d\d:\d\d[^\r\n]{0,60}\d{4}")
_CORE = frozenset(
    {"from", "to", "date", "subject", "received", "message-id", "mime-version", "return-path",
     "delivered-to", "reply-to", "sender", "resent-from", "envelope-to", "x-mozilla-status"}
)  # fmt: skip
_LEADING = b"\xef\xbb\xbf\r\n \t"
_FIELD_LINE = re.compile(rb"[A-Za-z][A-Za-z0-9_-]{0,60}[ \t]*:")


def read_file(source: Source) -> bytes:
    """Return the bytes of a source that is one file.

    Raises
    ------
    EvidenceUnreadable
        The file cannot be opened.
    """
    try:
        return source.path.read_bytes()
    except OSError as error:
        raise EvidenceUnreadable(
            f"{source.source_path or source.path.name} cannot be read: {error.strerror or error}",
            hint="Close the program that uses it, or ask for the right to read it.",
        ) from error


class EmlReader(Reader):
    """Reads a file that is one message; messages inside it become records of their own."""

    name: ClassVar[str] = "eml"
    description: ClassVar[str] = "A single message saved as a file"
    suffixes: ClassVar[frozenset[str]] = frozenset({".eml", ".emltpl", ".mht", ".mhtml"})
    expects: ClassVar[str] = "a text file that begins with mail headers such as From, To and Date"

    def sniff(self, head: bytes, path: Path) -> bool:
        """Say whether the file begins with mail headers; a suffix makes one header enough."""
        return self._refusal(head, path) is None

    def why_not(self, head: bytes, path: Path) -> str:
        """Say in a sentence why the file is not taken for a message."""
        return self._refusal(head, path) or f"expects {self.expects}"

    def _refusal(self, head: bytes, path: Path) -> str | None:
        text = head.lstrip(_LEADING)
        if not head:
            return "the file is empty" if path.is_file() else "expects a file, not a folder"
        if not text.strip(b"\0"):
            return "the file holds nothing but blanks at its beginning"
        named = path.suffix.lower() in self.suffixes
        if _SEPARATOR.match(text) and not (named and b"\n" not in text):  # CR alone: no mbox
            return "begins like a mailbox of many messages (mbox)"
        return None if _is_mail(text, named=named) else f"expects {self.expects}"

    def read(self, source: Source, log: ReadLog, span: Span | None = None) -> Iterator[Record]:  # noqa: ARG002 - one message has no spans
        """Yield the message and those inside it."""
        raw = read_file(source)
        log.declare()
        if not raw:
            log.fail("offset:0", "The file is empty.")
            return
        records = mime.read_nested(raw, source_ref="offset:0")
        records[0].source_offset = 0
        records[0].source_length = len(raw)
        yield from records

    def raw(self, source: Source, source_ref: str) -> bytes:
        """Return the file, or the message inside it that ``source_ref`` names."""
        return mime.nested_bytes(read_file(source), source_ref)


def _is_mail(text: bytes, *, named: bool) -> bool:
    """Say whether a text begins with mail headers; with a suffix of mail, one is enough."""
    known = mime.known_fields(text)
    if len(known) >= 2 and known & _CORE:
        return True
    line = text[: text.find(b"\n")] if b"\n" in text else text
    return named and b"\0" not in line and _FIELD_LINE.match(text) is not None
