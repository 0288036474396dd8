"""What must hold before the first byte is written."""

from __future__ import annotations

import os
import shutil
from collections.abc import Sequence
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

import pandas as pd

from mailforensics.errors import ExportError, WouldOverwrite
from mailforensics.export.chosen import Chosen

__all__ = ["require_new", "require_outside", "require_room", "zone_of"]


def zone_of(tz: str) -> ZoneInfo:
    """Return the zone of that name, or raise :class:`ExportError`."""
    try:
        return ZoneInfo(tz)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise ExportError(
            f"There is no time zone named {tz}.", hint="Use a name such as Asia/Shanghai."
        ) from error


def require_new(folder: Path) -> None:
    """Make sure that a folder is new or empty.

    Raises
    ------
    WouldOverwrite
        There is a file of that name, or the folder holds something.
    """
    if not os.path.lexists(folder):
        return
    if not folder.is_dir():
        raise WouldOverwrite(
            f"{folder} is there already and is no folder.", hint="Choose another name."
        )
    if any(folder.iterdir()):
        raise WouldOverwrite(
            f"The folder {folder} is there already and is not empty. Nothing was written.",
            hint="Choose a new folder: nothing is ever overwritten.",
        )


def require_outside(folder: Path, evidence: pd.DataFrame) -> None:
    """Refuse a folder inside the evidence, which is never written."""
    target = folder.resolve()
    for place in evidence["path"].dropna() if "path" in evidence.columns else ():
        if target.is_relative_to(Path(str(place)).resolve()):
            raise ExportError(
                f"{folder} lies inside the evidence {place}, which is never written to.",
                hint="Choose a folder outside the evidence.",
            )


def require_room(folder: Path, picked: Sequence[Chosen]) -> None:
    """Refuse a disk that has too little room for what is known to come."""
    needed = sum((message.number("size") or 0) + 4096 for message in picked if message.has_bytes)
    there = next(place for place in (folder, *folder.absolute().parents) if place.is_dir())
    free = shutil.disk_usage(there).free
    if needed > free:
        raise ExportError(
            f"The export needs about {needed / 1e6:,.0f} MB, but only {free / 1e6:,.0f} MB are "
            f"free on the disk with {there}. Nothing was written.",
            hint="Choose another disk, or fewer messages.",
        )
