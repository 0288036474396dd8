"""What a case is called, who examines it, and in which zone times are shown."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass
from pathlib import Path
from zoneinfo import ZoneInfo, ZoneInfoNotFoundError

from mailforensics.errors import CaseError
from mailforensics.ingest import CaseFolder
from mailforensics.ingest.folder import write_atomically

__all__ = ["Settings"]

FORMAT = 1


@dataclass(slots=True, kw_only=True)
class Settings:
    """The settings in ``case.json``.

    Attributes
    ----------
    time_zone
        IANA name; times are UTC in tables and shown in this zone, with its offset.
    custody_rows, custody_head
        How many rows the custody log has and the hash of the last.
    """

    name: str
    examiner: str = ""
    time_zone: str = "UTC"
    language: str = "en"
    created_at: str = ""
    custody_rows: int = 0
    custody_head: str = ""

    def save(self, folder: CaseFolder) -> None:
        """Write ``case.json``, whole or not at all."""
        data = {"format": FORMAT, **asdict(self)}
        text = json.dumps(data, ensure_ascii=False, indent=1)
        write_atomically(folder.settings, text.encode())

    @classmethod
    def load(cls, root: Path) -> Settings:
        """Read ``case.json``.

        Raises
        ------
        CaseError
            The folder holds no case, or one of a newer version.
        """
        path = CaseFolder(root).settings
        if not path.is_file():
            raise CaseError(
                f"{root} holds no case.", hint="Make one with 'mailforensics new', or page 01."
            )
        try:
            data = json.loads(path.read_bytes())
            version = data.pop("format")
            settings = cls(**data)
        except (ValueError, TypeError, KeyError) as error:
            raise CaseError(f"The settings of the case in {root} are damaged: {error}") from error
        if version > FORMAT:
            raise CaseError(
                f"The case in {root} was made by a newer version.", hint="Update mailforensics."
            )
        return settings

    @property
    def zone(self) -> ZoneInfo:
        """The time zone as an object."""
        return zone_of(self.time_zone)


def zone_of(name: str) -> ZoneInfo:
    """Return a time zone by its name.

    Raises
    ------
    CaseError
        There is no zone of that name.
    """
    try:
        return ZoneInfo(name)
    except (ZoneInfoNotFoundError, ValueError, OSError) as error:
        raise CaseError(
            f"There is no time zone named {name}.",
            hint="Examples: Asia/Shanghai, Europe/Berlin, UTC.",
        ) from error
