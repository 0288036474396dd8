"""The registry of readers: name -> where the class stands, and what to install for it.

Order is priority: the first reader whose ``sniff`` says yes reads the source.
"""

from __future__ import annotations

import importlib
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from types import MappingProxyType

from mailforensics.errors import EvidenceUnreadable, ReaderUnavailable, UnsupportedFormat
from mailforensics.readers.base import HEAD_SIZE, Reader, ReadLog, Source, Span

__all__ = ["READERS", "Identification", "ReadLog", "Reader", "Source", "Span", "identify", "load"]

READERS = MappingProxyType(
    {
        "pst": ("mailforensics.readers.pst:PstReader", "pip install libpff-python"),
        "msg": ("mailforensics.readers.msg:MsgReader", "pip install extract-msg"),
        "maildir": ("mailforensics.readers.maildir:MaildirReader", ""),
        "emlx": ("mailforensics.readers.emlx:EmlxReader", ""),
        "mbox": ("mailforensics.readers.mbox:MboxReader", ""),
        "dovecot_log": ("mailforensics.readers.dovecot_log:DovecotLogReader", ""),
        "eml": ("mailforensics.readers.eml:EmlReader", ""),
        # Last: it takes what nobody else claims.
        "carve": ("mailforensics.readers.carve:CarveReader", "pip install ahocorasick-rs"),
    }
)


@dataclass(frozen=True, slots=True)
class Identification:
    """Which reader reads a path, or why none does.

    Attributes
    ----------
    reader
        Name of the reader, None when nobody claims it.
    refusals
        Reader name -> the sentence why it said no, for each that was asked.
    """

    reader: str | None
    refusals: dict[str, str]


@cache
def load(name: str) -> Reader:
    """Return the reader of that name.

    Raises
    ------
    ReaderUnavailable
        Its package is not installed; the hint says what to install.
    UnsupportedFormat
        There is no reader of that name.
    """
    if name not in READERS:
        raise UnsupportedFormat(f"There is no reader named {name}; known: {', '.join(READERS)}")
    target, install = READERS[name]
    module, _, attribute = target.partition(":")
    try:
        reader = getattr(importlib.import_module(module), attribute)()
    except ImportError as error:
        raise ReaderUnavailable(
            f"The reader {name} cannot be loaded: {error}", hint=install
        ) from error
    assert isinstance(reader, Reader)
    return reader


def identify(path: Path, *, without: frozenset[str] = frozenset()) -> Identification:
    """Ask each reader in turn whether it reads a file or folder.

    Raises
    ------
    EvidenceUnreadable
        The file cannot be opened.
    """
    head = b""
    if not path.is_dir():
        try:
            with path.open("rb") as stream:
                head = stream.read(HEAD_SIZE)
        except OSError as error:
            raise EvidenceUnreadable(
                f"{path} cannot be read: {error.strerror or error}",
                hint="Close the program that uses it, or ask for the right to read it.",
            ) from error
    refusals: dict[str, str] = {}
    for name in READERS:
        if name in without:
            continue
        try:
            reader = load(name)
        except ReaderUnavailable as error:
            refusals[name] = f"is not installed ({error.hint})"
            continue
        if reader.sniff(head, path):
            return Identification(name, refusals)
        refusals[name] = reader.why_not(head, path)
    return Identification(None, refusals)


def unsupported(path: Path, refusals: dict[str, str]) -> UnsupportedFormat:
    """Build the error that lists each reader and why it said no."""
    lines = "\n".join(f"  {name}: {reason}" for name, reason in refusals.items())
    return UnsupportedFormat(
        f"No reader knows {path.name}:\n{lines}",
        hint="If it is part of a larger export, add the whole folder. "
        "To search its bytes for mail whatever it is, choose the reader 'carve'.",
    )
