"""Evidence -> tables: in parallel, bounded in memory, and able to go on where it was stopped."""

from __future__ import annotations

from mailforensics.ingest.folder import CaseFolder
from mailforensics.ingest.progress import Progress, Report, Stopped
from mailforensics.ingest.run import ingest
from mailforensics.ingest.sources import Discovery, Skipped, discover, locate, recognise

__all__ = [
    "CaseFolder",
    "Discovery",
    "Progress",
    "Report",
    "Skipped",
    "Stopped",
    "discover",
    "ingest",
    "locate",
    "recognise",
]
