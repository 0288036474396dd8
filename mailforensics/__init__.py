"""Find, check and give back deleted mail.

>>> import mailforensics
>>> case = mailforensics.open_case("CASE")          # doctest: +SKIP
>>> case.add("mailbox.mbox", custodian="Li Na")     # doctest: +SKIP
>>> case.read()                                     # doctest: +SKIP
>>> deleted = case.deleted()                        # doctest: +SKIP

Names are loaded when they are first used: a worker that reads evidence needs no DataFrames.
"""

from __future__ import annotations

import importlib
from types import MappingProxyType
from typing import TYPE_CHECKING, Any

from mailforensics._version import __version__

if TYPE_CHECKING:
    from mailforensics import errors, timeline
    from mailforensics.case import Case, Settings, new_case, open_case
    from mailforensics.deletion import DeletionSummary, assess, deleted_messages, summary
    from mailforensics.evidence import EvidenceItem
    from mailforensics.ingest import Progress, recognise
    from mailforensics.readers import READERS
    from mailforensics.schema import DEFECTS, TABLES, Completeness, DeletionState

__all__ = [
    "DEFECTS",
    "READERS",
    "TABLES",
    "Case",
    "Completeness",
    "DeletionState",
    "DeletionSummary",
    "EvidenceItem",
    "Progress",
    "Settings",
    "__version__",
    "assess",
    "deleted_messages",
    "errors",
    "new_case",
    "open_case",
    "recognise",
    "summary",
    "timeline",
]

_ROOMS = MappingProxyType(
    {
        "case": ("Case", "Settings", "new_case", "open_case"),
        "deletion": ("DeletionSummary", "assess", "deleted_messages", "summary"),
        "evidence": ("EvidenceItem",),
        "ingest": ("Progress", "recognise"),
        "readers": ("READERS",),
        "schema": ("DEFECTS", "TABLES", "Completeness", "DeletionState"),
    }
)
_ROOM_OF = MappingProxyType({name: room for room, names in _ROOMS.items() for name in names})


def __getattr__(name: str) -> Any:
    if name in _ROOM_OF:
        return getattr(importlib.import_module(f"mailforensics.{_ROOM_OF[name]}"), name)
    if name in {"errors", "timeline"}:
        return importlib.import_module(f"mailforensics.{name}")
    raise AttributeError(f"module 'mailforensics' has no attribute {name!r}")


def __dir__() -> list[str]:
    return sorted(__all__)
