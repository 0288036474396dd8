r"""mbox in the mboxrd form: each message after a From_ line, lines that look like one quoted.

The rules (RFC 4155 appendix A, and the mboxrd quoting that can be undone without loss):

- The From_ line holds the envelope sender (Return-Path, else Sender, else From, else
  ``MAILER-DAEMON``) and, in UTC, the moment of receipt, else of sending, else of storing.
- The form must have a date there, or mail programs join the message to the one before it. When
  none is known the line holds ``Thu Jan  1 00:00:00 1970``, a placeholder, and the manifest says so
  in the row of that message. Nothing inside the message is touched.
- Every line that is ``From `` after any number of ``>`` gets one more ``>``.
- A message that does not end with a line end gets one; the manifest says so, and the length that it
  gives does not count it. The empty line after each message is ``\n`` alone.
- Line ends inside a message stay as they are. No Content-Length is added.
"""

from __future__ import annotations

import hashlib
import re
from collections.abc import Mapping
from datetime import UTC, datetime
from pathlib import Path

from mailforensics.export.chosen import Chosen, Place
from mailforensics.export.names import collision_key, legal, name_limit
from mailforensics.export.writing import append, new_file, settled

__all__ = ["MboxWriter", "from_line", "message_at", "quote", "unquote"]

_QUOTED = re.compile(rb"^(>*From )", re.MULTILINE)
_UNQUOTED = re.compile(rb"^>(>*From )", re.MULTILINE)
_RETURN_PATH = re.compile(rb"^return-path:[ \t]*<([^<>\r\n]*)>", re.IGNORECASE | re.MULTILINE)
_ADDRESS = re.compile(r"[!-~]{1,320}")
_PLACEHOLDER = "Thu Jan  1 00:00:00 1970"
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_HEAD = 1 << 16


def quote(data: bytes) -> bytes:
    """Quote the lines that look like a From_ line (mboxrd)."""
    return _QUOTED.sub(rb">\1", data)


def unquote(data: bytes) -> bytes:
    """Undo :func:`quote`."""
    return _UNQUOTED.sub(rb"\1", data)


def from_line(message: Chosen, data: bytes) -> tuple[bytes, bool]:
    """Return the From_ line of a message with its line end, and whether a date is known."""
    known = (message.moment(name) for name in ("received_at", "sent_at", "stored_at"))
    moment = next((found for found in known if found is not None), None)
    date = _PLACEHOLDER if moment is None else _asctime(moment)
    return f"From {_sender(message, data)} {date}\n".encode("ascii"), moment is not None


def _sender(message: Chosen, data: bytes) -> str:
    head = re.split(rb"\r?\n\r?\n", data[:_HEAD], maxsplit=1)[0]
    found = _RETURN_PATH.search(head)
    envelope = found[1].decode("latin-1") if found else ""
    for address in (envelope, message.text("sender_addr"), message.text("from_addr")):
        if _ADDRESS.fullmatch(address):
            return address
    return "MAILER-DAEMON"


def _asctime(moment: datetime) -> str:
    """Write a moment as C does, whatever the language of the computer."""
    utc = moment.astimezone(UTC)
    day, month = _DAYS[utc.weekday()], _MONTHS[utc.month - 1]
    return f"{day} {month} {utc.day:2} {utc:%H:%M:%S} {utc.year:04}"


def message_at(path: Path, offset: int, length: int) -> bytes:
    """Return the original bytes of one message of an exported mbox.

    Parameters
    ----------
    path : Path
        The mbox file.
    offset, length : int
        In bytes, as in the manifest.
    """
    with path.open("rb") as stream:
        stream.seek(offset)
        return unquote(stream.read(length))


class MboxWriter:
    """Writes all messages into one mbox file, or into one file a folder.

    Parameters
    ----------
    folder : Path
        The folder of the export; it is made.
    per_folder : bool
        One file for each custodian, mailbox and folder of the evidence.
    """

    def __init__(self, folder: Path, *, per_folder: bool = False) -> None:
        self._folder = folder
        self._limit = name_limit(folder)
        folder.mkdir(parents=True, exist_ok=True)
        self._per_folder = per_folder
        self._files: dict[tuple[str, ...], str] = {}
        self._taken: set[str] = set()
        self._digests: list[tuple[str, int, int, bytes]] = []

    def add(self, message: Chosen, data: bytes) -> Place:
        """Append one message and say where it lies.

        Raises
        ------
        WouldOverwrite, TargetLost, ExportError
            See :mod:`mailforensics.export.writing`; the file keeps only whole messages.
        """
        file = self._file_of(message)
        line, dated = from_line(message, data)
        body = quote(data)
        ended = body.endswith(b"\n")
        tail = b"\n" if ended else b"\n\n"
        start = append(self._folder / file, line + body + tail) + len(line)
        self._digests.append((file, start, len(body), hashlib.sha256(data).digest()))
        return Place(file=file, offset=start, length=len(body), note=_note(dated, ended))

    def close(self) -> Mapping[str, tuple[str, int]]:
        """Flush to the disk and return the SHA-256 and size of each file, read from the disk.

        Raises
        ------
        TargetLost, ExportError
            A file could not be flushed or read.
        """
        filled = [name for name in self._files.values() if self._kept(self._folder / name)]
        return {name: settled(self._folder / name) for name in filled}

    def damaged(self) -> set[tuple[str, int]]:
        """Return file and offset of each message that does not read back as it was given."""
        return {
            (file, start)
            for file, start, length, digest in self._digests
            if self._digest(file, start, length) != digest
        }

    def _digest(self, file: str, start: int, length: int) -> bytes:
        try:
            return hashlib.sha256(message_at(self._folder / file, start, length)).digest()
        except OSError:
            return b""

    @staticmethod
    def _kept(path: Path) -> bool:
        """Remove a file of this export into which nothing could be written."""
        if path.stat().st_size:
            return True
        path.unlink()
        return False

    def _file_of(self, message: Chosen) -> str:
        place: tuple[str, ...] = ()
        if self._per_folder:
            place = tuple(message.text(name) for name in ("custodian", "mailbox", "folder"))
        if place not in self._files:
            name = self._new_name(place)
            new_file(self._folder / name).close()
            self._files[place] = name
        return self._files[place]

    def _new_name(self, place: tuple[str, ...]) -> str:
        stem = legal(" - ".join(part for part in place if part), self._limit - 12) or "messages"
        name, number = f"{stem}.mbox", 2
        while collision_key(name) in self._taken:
            name, number = f"{stem}_{number}.mbox", number + 1
        self._taken.add(collision_key(name))
        return name


def _note(dated: bool, ended: bool) -> str:
    notes = []
    if not dated:
        notes.append("no date is known: the From_ line holds 1 January 1970 as a placeholder")
    if not ended:
        notes.append("a line end was added after the last line")
    return "; ".join(notes)
