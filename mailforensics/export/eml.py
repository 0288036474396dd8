"""EML: one file a message, byte for byte as the evidence holds it."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, tzinfo
from pathlib import Path

from mailforensics.errors import ExportError
from mailforensics.export.chosen import Chosen, Place
from mailforensics.export.names import Names, name_limit
from mailforensics.export.writing import create, settled

__all__ = ["MESSAGES_FOLDER", "EmlWriter"]

MESSAGES_FOLDER = "messages"
"""Folder inside the export that holds the EML files and nothing else."""

_AT_ONCE = 8


class EmlWriter:
    """Writes each message into a file of its own.

    Parameters
    ----------
    folder : Path
        The folder of the export; it is made.
    tz : tzinfo
        Zone of the dates in the names.
    """

    def __init__(self, folder: Path, tz: tzinfo = UTC) -> None:
        self._folder = folder / MESSAGES_FOLDER
        self._names = Names(tz, name_limit(self._folder))
        self._digests: dict[str, str] = {}
        self._folder.mkdir(parents=True, exist_ok=True)

    def add(self, message: Chosen, data: bytes) -> Place:
        """Write one message and say where it lies.

        Raises
        ------
        WouldOverwrite, TargetLost, ExportError
            See :func:`mailforensics.export.writing.create`.
        """
        name = self._names.take(message.text("subject"), message.moment("sent_at"), message.item_id)
        create(self._folder / name, data)
        self._digests[name] = hashlib.sha256(data).hexdigest()
        return Place(file=f"{MESSAGES_FOLDER}/{name}")

    def close(self) -> Mapping[str, tuple[str, int]]:
        """Flush all files to the disk, read each again, and return its SHA-256 and size.

        One that does not read back as it was given is removed and left out. Several are flushed
        at a time: the disk then takes many in one go, which is some five times as fast.
        """
        names = list(self._digests)
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            states = list(pool.map(self._settled, (self._folder / name for name in names)))
        found = {}
        for name, (digest, size) in zip(names, states, strict=True):
            if digest == self._digests[name]:
                found[f"{MESSAGES_FOLDER}/{name}"] = (digest, size)
            else:
                (self._folder / name).unlink(missing_ok=True)
        return found

    @staticmethod
    def _settled(path: Path) -> tuple[str, int]:
        try:
            return settled(path)
        except ExportError:
            return "", 0
