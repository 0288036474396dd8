"""Find, check and give back deleted mail.

>>> import mailforensics
>>> case = mailforensics.open_case("CASE")          # doctest: +SKIP
>>> case.add("mailbox.mbox", custodian="Li Na")     # doctest: +SKIP
>>> case.read()                                     # doctest: +SKIP
>>> deleted = case.deleted()                        # doctest: +SKIP
"""

from __future__ import annotations

from mailforensics import errors, timeline
from mailforensics._version import __version__
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
