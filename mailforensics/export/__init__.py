"""Giving back: EML, mbox, a CSV load file, a hash manifest, a report."""

from __future__ import annotations

from mailforensics.export.giving import FORMS, export
from mailforensics.export.manifest import verify_export
from mailforensics.export.mih import mih
from mailforensics.export.report import report
from mailforensics.export.result import ExportResult

__all__ = ["FORMS", "ExportResult", "export", "mih", "report", "verify_export"]
