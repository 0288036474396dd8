"""One Outlook data file (PST) with all messages in the folders that they were found in."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final

from mailforensics.errors import ExportError
from mailforensics.export.chosen import Chosen, Place
from mailforensics.export.writing import explained, settled
from mailforensics.mapi import AttachMethod, MapiMessage, PropertyType, Tag, from_eml
from mailforensics.pst.writer import PstWriter

__all__ = ["PST_FILE", "Mapi", "PstExport", "read_back"]

PST_FILE: Final = "recovered.pst"
NO_FOLDER: Final = "No folder known"
TOP_FOLDER: Final = "Recovered mail"

Mapi = Callable[[str], MapiMessage | None]
"""item_id -> the message as its store keeps it, None where it was kept as Internet mail."""

_FAULTS: Final = (OSError, MemoryError, AttributeError)
"""What libpff raises for items that it cannot build, or builds without the usual attributes."""


@dataclass(slots=True)
class Seen:
    """What another reader must find again of one message.

    Attributes
    ----------
    subject
        Its subject, up to a null sign, where libpff stops reading; None when it has none.
    recipients
        How many.
    attachments
        SHA-256 of each, ``""`` where it holds a message or no bytes; in order.
    """

    subject: str | None
    recipients: int
    attachments: list[str] = field(default_factory=list)


class PstExport:
    """Writes all messages into one PST.

    Messages of Outlook keep all their properties; others are turned into properties, with their
    Internet headers kept and their attachments byte for byte.

    Parameters
    ----------
    folder : Path
        The folder of the export; it is made.
    picked : sequence of Chosen
        The messages to come; mailboxes of several custodians get a folder each.
    mapi : callable, optional
        See :data:`Mapi`.
    """

    def __init__(
        self, folder: Path, picked: Sequence[Chosen] = (), *, mapi: Mapi | None = None
    ) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self._path = folder / PST_FILE
        self._mapi = mapi
        self._many = len({each.text("custodian") for each in picked}) > 1
        self._expected: dict[int, Seen] = {}
        self._out = PstWriter(self._path, name=TOP_FOLDER)

    def add(self, message: Chosen, data: bytes) -> Place:
        """Write one message and say where it lies.

        Raises
        ------
        TargetLost, ExportError
            See :mod:`mailforensics.export.writing`.
        """
        known = self._mapi(message.item_id) if self._mapi else None
        item = known or from_eml(data, is_read=message.row.get("is_read"))
        before = len(self._out.faults)
        try:
            target = self._out.folder(self._names(message), role=message.text("folder_role"))
            nid = self._out.add(target, item)
        except ExportError as error:
            if isinstance(error.__cause__, OSError):
                raise explained(self._path, error.__cause__) from error
            raise
        self._expected[nid] = _seen(item)
        notes = [f"item 0x{nid:x}", *dict.fromkeys(self._out.faults[before:])]
        return Place(file=PST_FILE, node=nid, note="; ".join(notes))

    def close(self) -> Mapping[str, tuple[str, int]]:
        """Finish the file, flush it and return its SHA-256 and size, read from the disk.

        Raises
        ------
        TargetLost, ExportError
            It could not be finished; it is then not there.
        """
        if not self._expected:
            self._out.discard()
            return {}
        try:
            self._out.close()
        except ExportError as error:
            if isinstance(error.__cause__, OSError):
                raise explained(self._path, error.__cause__) from error
            raise
        return {PST_FILE: settled(self._path)}

    def damaged(self) -> set[tuple[str, int | None]]:
        """Return file and node of each message that libpff does not read back as it was given."""
        if not self._path.is_file():
            return set()
        found = read_back(self._path)
        wrong = {nid for nid, seen in self._expected.items() if found.get(nid) != seen}
        return {(PST_FILE, nid) for nid in wrong}

    def _names(self, message: Chosen) -> tuple[str, ...]:
        """Return the path of a message's folder, with the custodian before it where needed."""
        names = [name for name in message.text("folder").split("/") if name.strip()]
        custodian = [message.text("custodian") or "No custodian"] if self._many else []
        return (*custodian, *(names or [NO_FOLDER]))


def _seen(message: MapiMessage) -> Seen:
    attachments = [
        _digest(each.data) if each.embedded is None else "" for each in message.attachments
    ]
    subject = (message.subject or "").partition("\0")[0] or None
    return Seen(subject, len(message.recipients or ()), attachments)


def _digest(read: Callable[[], bytes] | None) -> str:
    """Return the SHA-256 of what a function gives; "" when that is nothing."""
    try:
        data = read() if read is not None else b""
    except OSError:
        return ""
    return hashlib.sha256(data).hexdigest() if data else ""


def read_back(path: Path) -> dict[int, Seen]:
    """Read a PST with libpff: node -> what it finds of each message that it can read."""
    import pypff

    file = pypff.file()
    try:
        file.open(str(path))
    except _FAULTS:
        return {}
    try:
        return dict(_items(file.root_folder))
    except _FAULTS:
        return {}
    finally:
        file.close()


def _items(top: Any) -> Iterator[tuple[int, Seen]]:
    waiting = [top]
    while waiting:
        folder = waiting.pop()
        waiting += [folder.get_sub_folder(index) for index in range(folder.number_of_sub_folders)]
        for index in range(folder.number_of_sub_messages):
            try:
                item = folder.get_sub_message(index)
                yield item.identifier, _found(item)
            except _FAULTS:
                continue


def _found(item: Any) -> Seen:
    """Return what libpff finds of an item; some kinds it gives without the usual attributes."""
    subject = item.subject if hasattr(item, "subject") else _value(item, Tag.SUBJECT)
    recipients = getattr(item, "recipients", None)
    count = recipients.number_of_record_sets if recipients else 0
    entries = (item.get_attachment(at) for at in range(getattr(item, "number_of_attachments", 0)))
    return Seen(subject or None, count, [_attached(entry) for entry in entries])


def _attached(entry: Any) -> str:
    """Return the SHA-256 of an attachment; "" of one that holds a message or no bytes."""
    if _value(entry, Tag.ATTACH_METHOD) == AttachMethod.EMBEDDED_MESSAGE:
        return ""

    def read() -> bytes:
        size = entry.size
        return bytes(entry.read_buffer(size)) if size else b""

    return _digest(read)


def _value(item: Any, tag: int) -> Any:
    """Return a property as libpff reads it: a number or a text."""
    for record in item.get_record_set(0).entries if item.number_of_record_sets else ():
        if record.entry_type == tag:
            whole = record.value_type == PropertyType.INTEGER32
            return record.data_as_integer if whole else record.data_as_string
    return None
