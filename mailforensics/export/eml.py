"""EML: one file a message, byte for byte as the evidence holds it."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, tzinfo
from pathlib import Path

from mailforensics.export.chosen import Chosen, Place
from mailforensics.export.names import Names, name_limit
from mailforensics.export.writing import write_new

__all__ = ["MESSAGES_FOLDER", "EmlWriter"]

MESSAGES_FOLDER = "messages"
"""Folder inside the export that holds the EML files and nothing else."""


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
        self._folder.mkdir(parents=True, exist_ok=True)

    def add(self, message: Chosen, data: bytes) -> Place:
        """Write one message and say where it lies.

        Raises
        ------
        WouldOverwrite, TargetLost, ExportError
            See :func:`mailforensics.export.writing.write_new`.
        """
        name = self._names.take(message.text("subject"), message.moment("sent_at"), message.item_id)
        digest = write_new(self._folder / name, data)
        return Place(file=f"{MESSAGES_FOLDER}/{name}", sha256=digest, size=len(data))

    def close(self) -> Mapping[str, tuple[str, int]]:
        """Return the SHA-256 and size of files that were still open: none."""
        return {}
