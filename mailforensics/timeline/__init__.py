"""One line of time: what was sent, received, stored, deleted and logged, in Timesketch's contract.

Each row has ``message`` (what happened, in words), ``datetime`` and ``timestamp_desc`` (what the
time means), as Timesketch asks of any timeline that it loads, and the ids that lead back to the
evidence. A date that is not known makes no row: :func:`undated` counts what is left out.
"""

from __future__ import annotations

from mailforensics.timeline.bursts import bursts, deletions, identities, offset_name
from mailforensics.timeline.files import write_csv, write_jsonl
from mailforensics.timeline.rows import COLUMNS, DELETIONS, Undated, between, timeline, undated

__all__ = [
    "COLUMNS",
    "DELETIONS",
    "Undated",
    "between",
    "bursts",
    "deletions",
    "identities",
    "offset_name",
    "timeline",
    "undated",
    "write_csv",
    "write_jsonl",
]
