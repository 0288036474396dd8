"""The disk engine: messages found by their content, whatever holds them."""

from __future__ import annotations

from mailforensics.carving.bounds import EndedBy
from mailforensics.carving.carver import Carved, carve
from mailforensics.carving.starts import Grid, StartKind

__all__ = ["Carved", "EndedBy", "Grid", "StartKind", "carve"]
