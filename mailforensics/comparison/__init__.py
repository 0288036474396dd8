"""Copies side by side; messages that only answers or logs tell of. Frames in, frames out."""

from __future__ import annotations

from mailforensics.comparison.compare import STATUSES, compare
from mailforensics.comparison.copies import absent_later
from mailforensics.comparison.identity import same_as
from mailforensics.comparison.logged import known_from_events
from mailforensics.comparison.replies import known_from_replies

__all__ = [
    "STATUSES",
    "absent_later",
    "compare",
    "known_from_events",
    "known_from_replies",
    "same_as",
]
