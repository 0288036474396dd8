"""Writing Outlook data files: recovered mail given back as a PST."""

from __future__ import annotations

from mailforensics.pst.writer.folders import Folder
from mailforensics.pst.writer.store import PstWriter

__all__ = ["Folder", "PstWriter"]
