"""The report: one HTML file for a manager, a lawyer and the file, readable without a network."""

from __future__ import annotations

from mailforensics.export.report.texts import LANGUAGES
from mailforensics.export.report.write import report

__all__ = ["LANGUAGES", "report"]
