"""Numbers that a mail server gave out and that are gone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from itertools import pairwise

import pandas as pd

from mailforensics.checks.base import CaseCheck, Context, Scope, Verdict, counted, rows_of
from mailforensics.schema import CheckStatus, DeletionState

__all__ = ["UidGaps", "missing_numbers"]

_REF = re.compile(r"uid:(?:(.*)/)?(\d{1,10})", re.DOTALL)
_MOST_RANGES = 40
_NEEDED = ["evidence_id", "source_path", "source_ref", "mailbox", "folder", "flags"]


class UidGaps(CaseCheck):
    """Looks for missing numbers below the highest UID of each folder (RFC 3501 2.3.1.1)."""

    NAME = "uid_gaps"
    TITLE = "Missing numbers"
    QUESTION = "Does the server's numbering of messages have gaps?"
    PROVES = (
        "A server gives each message of a folder a higher number than the last and never uses one "
        "again: whatever bore a missing number was removed from the folder, for certain."
    )
    PROVES_NOT = "What the message was, who removed it, or that it was not moved to another folder."
    SCOPE = Scope.CASE

    def examine(self, context: Context) -> Iterator[Verdict]:
        """Yield one verdict for the case, then one for each folder with a gap."""
        folders = self._folders(context.messages)
        if not folders:
            said = "No source of this case numbers its messages as an IMAP server does."
            yield Verdict(CheckStatus.NOT_APPLICABLE, said)
            return
        gaps = {place: missing_numbers(numbers) for place, numbers in folders.items()}
        total = sum(high - low + 1 for ranges in gaps.values() for low, high in ranges)
        with_gap = sum(bool(ranges) for ranges in gaps.values())
        if not total:
            said = f"The numbering has no gap in any of {len(folders):,} folders."
            yield Verdict(CheckStatus.PASS, said)
            return
        yield Verdict(
            CheckStatus.WARN,
            f"{with_gap:,} of {len(folders):,} folders have gaps in their numbering: "
            f"{counted(total, 'message')} removed for certain.",
        )
        for (evidence_id, _, folder), ranges in gaps.items():
            if ranges:
                yield _gap(evidence_id, folder, ranges)

    def _folders(self, messages: pd.DataFrame) -> dict[tuple[str, str, str], set[int]]:
        there = messages["deletion_state"] != DeletionState.KNOWN_ONLY.value
        found: dict[tuple[str, str, str], set[int]] = {}
        for chunk in rows_of(messages[there], _NEEDED):
            for row in chunk:
                place = _number(row)
                if place is not None:
                    folder, number = place
                    key = (row["evidence_id"], row["source_path"] or "", folder)
                    found.setdefault(key, set()).add(number)
        return found


def _number(row: dict[str, object]) -> tuple[str, int] | None:
    """Return folder and UID, from the reference or a flag: ``uid:FOLDER/N``, ``uid:N``."""
    flags = row["flags"] if isinstance(row["flags"], list) else []
    for text in (row["source_ref"], *flags):
        match = _REF.fullmatch(str(text))
        if match is not None:
            return (match[1] if match[1] is not None else str(row["folder"] or "")), int(match[2])
    return None


def missing_numbers(numbers: set[int]) -> list[tuple[int, int]]:
    """Return the ranges missing between 1 and the highest number."""
    ordered = [0, *sorted(number for number in numbers if number > 0)]
    return [(low + 1, high - 1) for low, high in pairwise(ordered) if high - low > 1]


def _gap(evidence_id: str, folder: str, ranges: list[tuple[int, int]]) -> Verdict:
    count = sum(high - low + 1 for low, high in ranges)
    what = "1 message was" if count == 1 else f"{count:,} messages were"
    listed = ", ".join(
        str(low) if low == high else f"{low}-{high}" for low, high in ranges[:_MOST_RANGES]
    )
    more = f" and {len(ranges) - _MOST_RANGES:,} more" if len(ranges) > _MOST_RANGES else ""
    return Verdict(
        CheckStatus.WARN,
        f"{evidence_id}, folder {folder or '(top)'}: {what} removed.",
        f"Missing numbers: {listed}{more}",
        evidence_id=evidence_id,
    )
