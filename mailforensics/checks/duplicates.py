"""The same message in several places: linked, never dropped."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from mailforensics.checks.base import CaseCheck, Context, Scope, Verdict, counted, rows_of
from mailforensics.schema import CheckStatus, DeletionState

__all__ = ["Duplicates"]

_NEEDED = [
    "item_id", "evidence_id", "source_path", "folder", "sha256", "content_key", "deletion_state",
    "subject",
]  # fmt: skip
_MOST_PLACES = 10
_MOST_ROWS = 50_000


class Duplicates(CaseCheck):
    """Groups messages by content, and says which deleted ones also lie somewhere undeleted."""

    NAME = "duplicates"
    TITLE = "Same message elsewhere"
    QUESTION = "Does a deleted message also lie somewhere as an ordinary message?"
    PROVES = (
        "Messages linked here have the same Message-ID and the same text; where the SHA-256 is "
        "also the same, they are equal in every byte."
    )
    PROVES_NOT = "That copies with the same text have the same attachments, unless bytes are equal."
    SCOPE = Scope.CASE

    def examine(self, context: Context) -> Iterator[Verdict]:
        """Yield one verdict for the case, then one for each deleted message with a live copy."""
        messages = context.messages
        known = messages[messages["content_key"].notna()]
        groups = known[known["content_key"].duplicated(keep=False)]
        if messages.empty:
            yield Verdict(CheckStatus.NOT_APPLICABLE, "There was no message to examine.")
            return
        live = groups["deletion_state"] == DeletionState.LIVE.value
        both = groups[
            groups["content_key"].isin(groups.loc[live, "content_key"])
            & groups["content_key"].isin(groups.loc[~live, "content_key"])
        ]
        deleted = int((both["deletion_state"] != DeletionState.LIVE.value).sum())
        yield self._whole(messages, groups, deleted)
        yield from self._linked(both)

    def _whole(self, messages: pd.DataFrame, groups: pd.DataFrame, deleted: int) -> Verdict:
        if groups.empty:
            said = f"Each of {len(messages):,} messages is there once."
            return Verdict(CheckStatus.PASS, said)
        distinct = groups["content_key"].nunique()
        equal = groups[groups["sha256"].notna()].groupby("content_key")["sha256"]
        same = int((equal.nunique().eq(1) & equal.size().gt(1)).sum())
        said = (
            f"In more than one place: {counted(distinct, 'message')} "
            f"({len(groups):,} places in all); equal in every byte: {same:,}. "
            "All are kept and linked."
        )
        if not deleted:
            return Verdict(
                CheckStatus.PASS, f"{said} No deleted one also lies somewhere undeleted."
            )
        more = f" Deleted, and somewhere also an ordinary message: {deleted:,}."
        return Verdict(CheckStatus.WARN, said + more, _cut(deleted))

    def _linked(self, both: pd.DataFrame) -> Iterator[Verdict]:
        places: dict[str, list[dict[str, Any]]] = {}
        gone: list[dict[str, Any]] = []
        for chunk in rows_of(both, _NEEDED):
            for row in chunk:
                if row["deletion_state"] == DeletionState.LIVE.value:
                    places.setdefault(row["content_key"], []).append(row)
                else:
                    gone.append(row)
        for row in gone[:_MOST_ROWS]:
            yield _link(row, places[row["content_key"]])


def _cut(count: int) -> str | None:
    return f"Only the first {_MOST_ROWS:,} are listed." if count > _MOST_ROWS else None


def _link(row: dict[str, Any], live: list[dict[str, Any]]) -> Verdict:
    listed = "; ".join(
        f"{each['evidence_id']} {each['folder'] or each['source_path'] or ''} ({each['item_id']}"
        f"{', equal in every byte' if _equal(row, each) else ''})"
        for each in live[:_MOST_PLACES]
    )
    more = f"; and {len(live) - _MOST_PLACES:,} more" if len(live) > _MOST_PLACES else ""
    return Verdict(
        CheckStatus.WARN,
        f"The same message also lies undeleted in {_first(live[0])}.",
        listed + more,
        item_id=row["item_id"],
        evidence_id=row["evidence_id"],
    )


def _equal(one: dict[str, Any], other: dict[str, Any]) -> bool:
    return one["sha256"] is not None and one["sha256"] == other["sha256"]


def _first(row: dict[str, Any]) -> str:
    return f"{row['evidence_id']}, {row['folder'] or row['source_path'] or 'the item itself'}"
