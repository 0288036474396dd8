"""Single messages saved by Outlook (MSG, OFT), read through extract-msg; [MS-OXMSG]."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import olefile

from mailforensics import mime
from mailforensics.errors import EvidenceUnreadable, NoBytes
from mailforensics.mapi import MapiMessage, loaded, rebuild, records
from mailforensics.readers.base import Reader, ReadLog, Source, Span
from mailforensics.readers.compound import FAULTS, PROPERTIES, message_of, opened
from mailforensics.schema import Record

__all__ = ["MsgReader"]

_SIGNATURE = bytes.fromhex("d0cf11e0a1b11ae1")
_REF = "msg:0"


class MsgReader(Reader):
    """Reads one message a file, with what it carries inside."""

    name = "msg"
    description = "Outlook message (MSG, OFT)"
    suffixes = frozenset({".msg", ".oft"})
    magic = ((0, _SIGNATURE),)
    expects = "an Outlook message: a compound file that holds a list of message properties"

    def sniff(self, head: bytes, path: Path) -> bool:
        """Say whether it is a compound file with message properties, [MS-OXMSG] 2.4."""
        if not head.startswith(_SIGNATURE):
            return False
        try:
            with olefile.OleFileIO(str(path)) as ole:
                return bool(ole.exists(PROPERTIES))
        except FAULTS:
            return path.suffix.lower() in self.suffixes

    def why_not(self, head: bytes, path: Path) -> str:
        """Say in a sentence why :meth:`sniff` said no."""
        if head.startswith(_SIGNATURE):
            return "is an Office file, but not a message (it has no list of message properties)"
        if path.suffix.lower() in self.suffixes:
            return f"is named {path.suffix}, but is no Outlook message inside"
        return f"expects {self.expects}"

    def read(self, source: Source, log: ReadLog, span: Span | None = None) -> Iterator[Record]:  # noqa: ARG002
        """Yield the row of the message, then one for each message inside it.

        Raises
        ------
        CorruptContainer
            The file cannot be opened.
        """
        log.declare()
        _demand(source.path)
        try:
            with opened(source.path) as compound:
                rows = records(message_of(compound), source_ref=_REF)
        except OSError as error:
            log.fail(_REF, "This message is damaged and could not be read.", str(error))
            return
        for row in rows:
            row.mailbox = source.mailbox or None
        yield from rows

    def raw(self, source: Source, source_ref: str) -> bytes:
        """Rebuild the message, or one inside it.

        Raises
        ------
        NoBytes
            The message cannot be read.
        """
        _demand(source.path)
        try:
            with opened(source.path) as compound:
                data = rebuild(message_of(compound))
        except OSError as error:
            raise NoBytes(f"{source.path.name} could not be read: {error}") from error
        return data if source_ref == _REF else mime.nested_bytes(data, source_ref)

    def mapi(self, source: Source, source_ref: str) -> MapiMessage | None:
        """Return the message with its properties as stored; None for one inside it."""
        if source_ref != _REF:
            return None
        with opened(source.path) as compound:
            return loaded(message_of(compound))


def _demand(path: Path) -> None:
    """Tell a file that may not be read from one that is damaged."""
    try:
        with path.open("rb"):
            pass
    except OSError as error:
        raise EvidenceUnreadable(f"{path} cannot be read: {error.strerror or error}") from error
