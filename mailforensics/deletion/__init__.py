"""What was deleted, on what basis, when and by whom. Frames in, frames out."""

from __future__ import annotations

from mailforensics.deletion.assess import assess
from mailforensics.deletion.headline import DeletionSummary, summary
from mailforensics.deletion.listing import EXTRA_COLUMNS, deleted_messages

__all__ = ["EXTRA_COLUMNS", "DeletionSummary", "assess", "deleted_messages", "summary"]
