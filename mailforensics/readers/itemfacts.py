"""What a tool reads of one item of an Outlook file, in one shape for both tools.

Bodies and attachments become digests of their stored bytes; people become names and addresses.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from typing import Any, Final

from mailforensics.mapi import AttachMethod, Tag
from mailforensics.pst import Attachment, Message
from mailforensics.pst.faults import Damage
from mailforensics.pst.properties import Properties

__all__ = ["FIELDS", "REFUSALS", "Fact", "Facts", "facts_of_engine", "facts_of_libpff"]

REFUSALS: Final = (
    OSError,
    MemoryError,
    ValueError,
    OverflowError,
    TypeError,
    AttributeError,
    RuntimeError,
)
"""What libpff raises for items that it cannot build, or builds without the usual attributes."""

_TEXTS: Final[dict[str, tuple[int, ...]]] = {
    "subject": (Tag.SUBJECT,),
    "sender name": (Tag.SENDER_NAME, Tag.SENT_REPRESENTING_NAME),
    "sender address": (
        Tag.SENDER_SMTP_ADDRESS,
        Tag.SENDER_EMAIL_ADDRESS,
        Tag.SENT_REPRESENTING_EMAIL_ADDRESS,
    ),
    "headers": (Tag.TRANSPORT_MESSAGE_HEADERS,),
}
_TIMES: Final[dict[str, int]] = {
    "time sent": Tag.CLIENT_SUBMIT_TIME,
    "time delivered": Tag.MESSAGE_DELIVERY_TIME,
}
_BODIES: Final[dict[str, int]] = {
    "plain text": Tag.BODY,
    "HTML": Tag.HTML,
    "RTF": Tag.RTF_COMPRESSED,
}
FIELDS: Final = (*_TEXTS, *_TIMES, *_BODIES, "recipients", "attachments")
"""What is compared of each item, in words."""

_PIECE: Final = 1 << 20
_MOST: Final = 20_000
_FIRST_YEAR: Final = 1601


@dataclass(frozen=True, slots=True)
class Fact:
    """One thing that a tool says of an item.

    Attributes
    ----------
    shown
        What it reads; None when the item has no such thing.
    stored
        A digest of the bytes behind it; None when it has none or they were not asked for.
    refused
        Why it could not be read; empty when it could.
    """

    shown: str | None = None
    stored: str | None = None
    refused: str = ""


Facts = dict[str, Fact]


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def _bytes_fact(data: bytes | None) -> Fact:
    if not data:
        return Fact()
    return Fact(f"{len(data):,} bytes, SHA-256 {_digest(data)}")


def _clean(text: str | None) -> str | None:
    """Drop the mark that says where the prefix of a subject ends, and the NUL at the end."""
    found = (text or "").rstrip("\0")
    return (found[2:] if found[:1] == "\x01" else found) or None


def _joined(lines: Iterator[str]) -> Fact:
    """Return one fact of many things; their order is no evidence."""
    found = sorted(lines)
    return Fact(f"{len(found)}: {'; '.join(found)}") if found else Fact()


# --- the engine -----------------------------------------------------------------------------------


def facts_of_engine(message: Message) -> Facts:
    """Return what the engine reads of an item; what it cannot read is refused."""
    bag = message.properties
    found = {name: _engine_text(bag, tags) for name, tags in _TEXTS.items()}
    found |= {name: _engine_time(bag.moment(tag)) for name, tag in _TIMES.items()}
    found |= {name: _engine_body(bag, tag) for name, tag in _BODIES.items()}
    rows = [(row.kind, row.name, row.address) for row in message.recipients]
    found["recipients"] = _joined(_person(*row) for row in rows)
    found["attachments"] = _joined(map(_engine_attachment, message.attachments))
    return found


def _engine_text(bag: Properties, tags: tuple[int, ...]) -> Fact:
    for tag in tags:
        text = _clean(bag.text(tag))
        if text:
            kept = bag.stored(tag)
            return Fact(text, _digest(kept[1]) if kept else None)
    return _unread(bag, tags)


def _unread(bag: Properties, tags: tuple[int, ...]) -> Fact:
    lost = any(tag in bag.unreadable for tag in tags)
    return Fact(refused="its bytes are damaged") if lost else Fact()


def _engine_time(moment: datetime | None) -> Fact:
    return _time(None if moment is None else moment.replace(tzinfo=None))


def _time(moment: datetime | None) -> Fact:
    """Return a moment; one in 1601 is the zero of the clock and no date."""
    if moment is None or moment.year <= _FIRST_YEAR:
        return Fact()
    return Fact(f"{moment.isoformat(sep=' ')} UTC")


def _engine_body(bag: Properties, tag: int) -> Fact:
    try:
        kept = bag.read(tag)
    except Damage as damage:
        return Fact(refused=str(damage))
    return _bytes_fact(kept[1] if kept else None)


def _engine_attachment(attachment: Attachment) -> str:
    if not attachment.readable:
        return "cannot be read"
    if attachment.method != AttachMethod.BY_VALUE:
        return f"kind {attachment.method}"
    data = attachment.data()
    if data is None and attachment.holds_data:
        return "bytes cannot be read"
    return f"{len(data or b''):,} bytes, SHA-256 {_digest(data or b'')}"


def _person(kind: int | None, name: str | None, address: str | None) -> str:
    return f"{kind} {_head(name)} <{_head(address)}>"


def _head(text: str | None) -> str:
    """Return a name up to its first NUL, where both tools end it."""
    return (text or "").partition("\0")[0]


# --- libpff ---------------------------------------------------------------------------------------


def facts_of_libpff(item: Any) -> Facts:
    """Return what libpff reads of an item; what it refuses is refused, never left out."""
    entries = _Entries(item)
    found = {name: _told(partial(entries.text, tags)) for name, tags in _TEXTS.items()}
    found |= {name: _told(partial(entries.time, tag)) for name, tag in _TIMES.items()}
    found |= {name: _told(partial(entries.body, tag)) for name, tag in _BODIES.items()}
    found["recipients"] = _told(lambda: _joined(_libpff_people(item)))
    found["attachments"] = _told(lambda: _joined(_libpff_attachments(item)))
    return found


def _told(ask: Callable[[], Fact]) -> Fact:
    try:
        return ask()
    except REFUSALS as error:
        return Fact(refused=str(error) or type(error).__name__)


class _Entries:
    """The properties that libpff gives in one set of an item, by their identifiers."""

    def __init__(self, item: Any, number: int = 0) -> None:
        self.of: dict[int, Any] = {}
        self.trouble: Exception | None = None
        try:
            if number < item.number_of_record_sets:
                for entry in item.get_record_set(number).entries:
                    self.of.setdefault(entry.entry_type, entry)
        except REFUSALS as error:
            self.trouble = error

    def _entry(self, tag: int) -> Any:
        if self.trouble is not None:
            raise self.trouble
        return self.of.get(tag)

    def text(self, tags: tuple[int, ...]) -> Fact:
        for tag in tags:
            entry = self._entry(tag)
            text = _clean(entry.data_as_string) if entry is not None else None
            if text:
                return Fact(text, _digest(entry.data or b""))
        return Fact()

    def plain(self, *tags: int) -> str | None:
        return self.text(tags).shown

    def time(self, tag: int) -> Fact:
        entry = self._entry(tag)
        return Fact() if entry is None else _time(entry.data_as_datetime)

    def number(self, tag: int) -> int | None:
        entry = self._entry(tag)
        return None if entry is None else int(entry.data_as_integer)

    def body(self, tag: int) -> Fact:
        entry = self._entry(tag)
        return Fact() if entry is None else _bytes_fact(entry.data)


def _libpff_people(item: Any) -> Iterator[str]:
    table = getattr(item, "recipients", None)
    for number in range(min(table.number_of_record_sets, _MOST) if table else 0):
        row = _Entries(table, number)
        name = row.plain(Tag.DISPLAY_NAME, Tag.RECIPIENT_DISPLAY_NAME)
        address = row.plain(Tag.SMTP_ADDRESS, Tag.EMAIL_ADDRESS)
        yield _person(row.number(Tag.RECIPIENT_TYPE), name, address)


def _libpff_attachments(item: Any) -> Iterator[str]:
    for number in range(min(getattr(item, "number_of_attachments", 0), _MOST)):
        try:
            yield _libpff_attachment(item.get_attachment(number))
        except REFUSALS:
            yield "cannot be read"


def _libpff_attachment(entry: Any) -> str:
    method = _Entries(entry).number(Tag.ATTACH_METHOD)
    if method not in {None, AttachMethod.BY_VALUE}:
        return f"kind {method}"
    try:
        size, digest = _streamed(entry)
    except REFUSALS:
        return "bytes cannot be read"
    return f"{size:,} bytes, SHA-256 {digest}"


def _streamed(entry: Any) -> tuple[int, str]:
    """Return size and digest of an attachment, read a piece at a time."""
    size, done, digest = entry.size or 0, 0, hashlib.sha256()
    if size:
        entry.seek_offset(0, 0)
    while done < size:
        piece = entry.read_buffer(min(_PIECE, size - done))
        if not piece:
            raise OSError(f"{done} of {size} bytes could be read")
        digest.update(piece)
        done += len(piece)
    return done, digest.hexdigest()
