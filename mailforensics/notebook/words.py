"""The words of the pages, apart from the code, so that another language can stand beside them."""

from __future__ import annotations

from types import MappingProxyType

__all__ = ["STEPS", "WORDS", "say"]

STEPS = (
    ("00_start_here", "Start here"),
    ("01_open_a_case", "Open a case"),
    ("02_read_the_evidence", "Read"),
    ("03_find_deleted_messages", "Find"),
    ("04_check_them", "Check"),
    ("05_timeline", "Timeline"),
    ("06_give_back", "Give back"),
    ("07_report", "Report"),
)

WORDS = MappingProxyType(
    {
        "next": "Next: {title}",
        "no_case": "This page belongs to no case yet. Go to page 00 and make one.",
        "what_happened": "What happened",
        "case_safe": "The evidence was not changed, and what was done before is kept.",
        "technical": "Technical text",
        "working": "Working …",
        "stopping": "Stopping …",
        "stopped": "Stopped. What is done is kept; press the button again to go on.",
        "done": "Done.",
        "could_add": (
            "What you could add: a backup of the mailbox, the server's log, an image of the disk."
        ),
        "not_read": "The evidence is not read yet. Go to page 02 and press Read.",
        "no_map": "There is no Outlook file in this case, so there is no map to show.",
        "draw_maps": "Draw the maps",
        "large_maps": "The Outlook files of this case are large ({size}); drawing takes a while.",
        "no_evidence": "There is no evidence in this case yet. Go to page 01 and add some.",
        "state.live": "still there",
        "state.in_deleted_folder": "in the deleted folder",
        "state.marked_deleted": "marked as deleted",
        "state.recoverable": "kept by the server",
        "state.orphaned": "removed, bytes left",
        "state.carved": "found in free space",
        "state.absent_later": "gone from later copy",
        "state.known_only": "known only by traces",
        "whole": "whole",
        "in part": "in part",
        "traces only": "traces only",
    }
)


def say(key: str, **values: object) -> str:
    """Return the words of a key, filled with values."""
    return WORDS[key].format(**values)
