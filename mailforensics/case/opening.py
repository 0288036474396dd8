"""Making and opening a case."""

from __future__ import annotations

import getpass
from datetime import UTC, datetime
from pathlib import Path

from mailforensics.case.case import Case
from mailforensics.case.settings import Settings, zone_of
from mailforensics.errors import CaseError
from mailforensics.ingest import CaseFolder

__all__ = ["new_case", "open_case"]


def new_case(
    folder: str | Path,
    *,
    name: str = "",
    examiner: str = "",
    time_zone: str = "UTC",
    language: str = "en",
) -> Case:
    """Make an empty case in a folder that does not exist yet or is empty.

    Parameters
    ----------
    time_zone
        IANA name of the zone in which times are shown; tables always hold UTC.
    language
        ``en`` or ``zh``: language of charts and reports.

    Raises
    ------
    CaseError
        The folder holds something already, cannot be written, or the zone is unknown.
    """
    root = Path(folder).expanduser().absolute()
    zone_of(time_zone)
    try:
        if root.exists() and any(root.iterdir()):
            raise CaseError(
                f"{root} is not empty.", hint="Choose a new folder, or open the case that is there."
            )
        root.mkdir(parents=True, exist_ok=True)
        settings = Settings(
            name=name or root.name,
            examiner=examiner or _user(),
            time_zone=time_zone,
            language=language,
            created_at=datetime.now(UTC).isoformat(timespec="seconds"),
        )
        settings.save(CaseFolder(root))
    except OSError as error:
        raise CaseError(
            f"{root} cannot be written: {error.strerror or error}",
            hint="Choose a folder in which you may write.",
        ) from error
    case = Case(root, settings)
    case.record("case made", name=settings.name, time_zone=time_zone)
    return case


def open_case(folder: str | Path) -> Case:
    """Open a case.

    Raises
    ------
    CaseError
        The folder holds no case, or its settings are damaged.
    """
    root = Path(folder).expanduser().absolute()
    return Case(root, Settings.load(root))


def _user() -> str:
    try:
        return getpass.getuser()
    except (OSError, KeyError, ImportError):
        return ""
