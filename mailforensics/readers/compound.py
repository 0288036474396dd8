"""The streams of an MSG file, and MAPI messages out of them, [MS-OXMSG].

extract-msg opens the file; where it refuses, olefile is asked directly. The property streams are
read here, so that values stay bytes until their code page is known.
"""

from __future__ import annotations

import io
import logging
import re
import struct
import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import olefile

from mailforensics.errors import CorruptContainer
from mailforensics.mapi import (
    Attachment,
    AttachMethod,
    MapiMessage,
    NameKey,
    Property,
    PropertyBag,
    PropertyType,
    Recipient,
    Tag,
    property_names,
)

__all__ = ["FAULTS", "PROPERTIES", "Compound", "message_of", "opened"]

PROPERTIES: Final = "__properties_version1.0"
FAULTS: Final = (
    OSError,
    ValueError,
    LookupError,
    TypeError,
    AttributeError,
    OverflowError,
    RecursionError,
    NotImplementedError,
    struct.error,
)
"""What the packages raise for damaged files, beside extract-msg's own errors."""

_Path = tuple[str, ...]
_VALUE = re.compile(r"__substg1\.0_([0-9a-f]{4})([0-9a-f]{4})(?:-([0-9a-f]{8}))?")
_FIXED: Final = {0x2: 2, 0x3: 4, 0x4: 4, 0x5: 8, 0x6: 8, 0x7: 8, 0xA: 4, 0xB: 1, 0x14: 8, 0x40: 8}
_PACKED: Final = {0x2: 2, 0x3: 4, 0x4: 4, 0x5: 8, 0x6: 8, 0x7: 8, 0x14: 8, 0x40: 8, 0x48: 16}
_STREAMED: Final = frozenset({0x1E, 0x1F, 0x48, 0x102})
_MULTIVALUE: Final = 0x1000
_TOP_HEADER, _EMBEDDED_HEADER, _CHILD_HEADER = 32, 24, 8
_MOST_VALUES: Final = 100_000


@dataclass(frozen=True, slots=True)
class Compound:
    """The streams of a compound file by their path in lower case."""

    streams: dict[_Path, Callable[[], bytes]]
    storages: dict[_Path, list[str]]

    def read(self, path: _Path) -> bytes | None:
        """Return the bytes of a stream; None when there is none or it cannot be read."""
        opener = self.streams.get(path)
        if opener is None:
            return None
        try:
            return opener()
        except FAULTS:
            return None


@contextmanager
def opened(path: Path) -> Iterator[Compound]:
    """Open an MSG file for the time of a ``with`` block.

    Raises
    ------
    CorruptContainer
        Neither package can open it.
    """
    with _silence():
        close, listing, read = _open(path)
        try:
            yield _compound(listing, read)
        finally:
            close()


@contextmanager
def _silence() -> Iterator[None]:
    """Keep the packages' own warnings away: what matters becomes a defect code."""
    logger = logging.getLogger("extract_msg")
    before = logger.disabled
    logger.disabled = True
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            yield
    finally:
        logger.disabled = before


_Opened = tuple[Callable[[], None], list[_Path], Callable[[_Path], bytes]]


def _open(path: Path) -> _Opened:
    try:
        return _through_extract_msg(path)
    except FAULTS:
        pass
    try:
        ole = olefile.OleFileIO(str(path))
    except FAULTS as error:
        raise CorruptContainer(
            f"{path.name} is damaged and cannot be opened as an Outlook message: {error}",
            hint="Its mail can still be looked for with the reader 'carve'.",
        ) from error
    listing = [tuple(entry) for entry in ole.listdir(streams=True, storages=False)]
    return ole.close, listing, lambda entry: bytes(ole.openstream(list(entry)).read())


def _through_extract_msg(path: Path) -> _Opened:
    import extract_msg
    from extract_msg.exceptions import ExMsgBaseException

    try:
        opener: Any = extract_msg.MSGFile
        message = opener(
            str(path),
            delayAttachments=True,
            errorBehavior=extract_msg.enums.ErrorBehavior.SUPPRESS_ALL,
        )
    except ExMsgBaseException as error:
        raise ValueError(str(error)) from error
    listing = [tuple(entry) for entry in message.listDir(streams=True, storages=False)]

    def read(entry: _Path) -> bytes:
        found = message.getStream(list(entry), prefix=False)
        if found is None:
            raise OSError(f"the stream {'/'.join(entry)} cannot be read")
        return bytes(found)

    return message.close, listing, read


def _compound(listing: list[_Path], read: Callable[[_Path], bytes]) -> Compound:
    streams: dict[_Path, Callable[[], bytes]] = {}
    storages: dict[_Path, list[str]] = {}
    for entry in listing:
        low = tuple(part.lower() for part in entry)
        streams.setdefault(low, lambda entry=entry: read(entry))  # type: ignore[misc]
        for depth in range(len(low)):
            inside = storages.setdefault(low[:depth], [])
            if low[depth] not in inside:
                inside.append(low[depth])
    return Compound(streams, storages)


def message_of(compound: Compound) -> MapiMessage:
    """Read the message that the file holds.

    Raises
    ------
    OSError
        It has no properties at all.
    """
    names = property_names(
        *(
            compound.read(("__nameid_version1.0", f"__substg1.0_000{number}0102")) or b""
            for number in (2, 3, 4)
        )
    )
    return _message(compound, (), names, _TOP_HEADER, None)


def _message(
    compound: Compound, at: _Path, names: dict[int, NameKey], header: int, page: int | None
) -> MapiMessage:
    bag = _bag(compound, at, names, header)
    if not bag.values:
        raise OSError("the message has no properties")
    bag.code_page = page
    message = MapiMessage(bag)
    page = bag.text_code_page()
    rows = _numbered(compound, at, "__recip_version1.0_#")
    bags = [_bag(compound, row, {}, _CHILD_HEADER, page) for row in rows]
    message.recipients = [Recipient.from_bag(row) for row in bags if row.values]
    if not message.recipients and message.is_mail and bag.text(Tag.DISPLAY_TO):
        message.recipients = None
        message.defects.append("recipients_missing")
    for place in _numbered(compound, at, "__attach_version1.0_#"):
        message.attachments.append(_attachment(compound, place, names, page))
    return message


def _numbered(compound: Compound, at: _Path, start: str) -> list[_Path]:
    names = [name for name in compound.storages.get(at, []) if name.startswith(start)]
    return [(*at, name) for name in sorted(names)]


def _attachment(
    compound: Compound, at: _Path, names: dict[int, NameKey], page: int | None
) -> Attachment:
    bag = _bag(compound, at, names, _CHILD_HEADER, page)
    attachment = Attachment(bag)
    inner = (*at, "__substg1.0_3701000d")
    stream = (*at, "__substg1.0_37010102")
    if (*inner, PROPERTIES) in compound.streams:
        attachment.embedded = lambda: _message(compound, inner, names, _EMBEDDED_HEADER, page)
    elif inner in compound.storages:
        attachment.data = lambda: _storage(compound, inner)
    elif stream in compound.streams:
        attachment.data = compound.streams[stream]
    elif attachment.method == AttachMethod.BY_VALUE and Tag.ATTACH_DATA in bag:
        attachment.data = bytes
    return attachment


def _storage(compound: Compound, at: _Path) -> bytes:
    """Put an OLE object, which is a folder of streams, into a compound file of its own."""
    from extract_msg.exceptions import ExMsgBaseException
    from extract_msg.ole_writer import OleWriter

    writer = OleWriter()
    try:
        for path in sorted(compound.streams):
            if path[: len(at)] == at:
                _add(writer, path[len(at) :], compound.streams[path]())
        out = io.BytesIO()
        writer.write(out)
    except (*FAULTS, ExMsgBaseException) as error:
        raise OSError(str(error)) from error
    return out.getvalue()


def _add(writer: Any, path: _Path, data: bytes) -> None:
    for depth in range(1, len(path)):
        if list(path[:depth]) not in writer.listItems(streams=False, storages=True):
            writer.addEntry(list(path[:depth]), storage=True)
    writer.addEntry(list(path), data)


def _bag(
    compound: Compound, at: _Path, names: dict[int, NameKey], header: int, page: int | None = None
) -> PropertyBag:
    """Read the properties of one storage, [MS-OXMSG] 2.4."""
    bag = PropertyBag(names=names, code_page=page)
    entries = (compound.read((*at, PROPERTIES)) or b"")[header:]
    for kind, tag, _, value in struct.iter_unpack("<HHI8s", entries[: len(entries) // 16 * 16]):
        if kind in _FIXED:
            bag.values[tag] = Property(kind, value[: _FIXED[kind]])
        elif kind in _STREAMED and int.from_bytes(value[:4], "little") > 2:
            bag.unreadable.append(tag)
    for name in compound.storages.get(at, []):
        _value(compound, at, name, bag)
    bag.unreadable = [tag for tag in bag.unreadable if tag not in bag.values]
    return bag


def _value(compound: Compound, at: _Path, name: str, bag: PropertyBag) -> None:
    """Read a value that has a stream of its own."""
    match = _VALUE.fullmatch(name)
    if match is None or match[3] or (*at, name) not in compound.streams:
        return
    tag, kind = int(match[1], 16), int(match[2], 16)
    if tag == Tag.ATTACH_DATA:
        bag.values[tag] = Property(kind)
        return
    data = compound.read((*at, name))
    if data is None:
        bag.unreadable.append(tag)
    elif kind & _MULTIVALUE:
        bag.values[tag] = Property(kind, data, tuple(_many(compound, (*at, name), kind, data)))
    elif tag not in bag.values or kind == PropertyType.STRING:
        bag.values[tag] = Property(kind, data)


def _many(compound: Compound, path: _Path, kind: int, data: bytes) -> Iterator[bytes]:
    width = _PACKED.get(kind & ~_MULTIVALUE)
    if width:
        yield from (data[at : at + width] for at in range(0, len(data) - width + 1, width))
        return
    for number in range(_MOST_VALUES):
        value = compound.read((*path[:-1], f"{path[-1]}-{number:08x}"))
        if value is None:
            return
        yield value
