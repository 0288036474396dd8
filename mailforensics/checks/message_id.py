"""Whether messages have a Message-ID, and whether one stands for one message only."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mailforensics.checks.base import CaseCheck, Context, Scope, Verdict, rows_of
from mailforensics.schema import CheckStatus, Completeness, DeletionState

__all__ = ["MessageId"]

_MOST = 20
_WHOLE = Completeness.COMPLETE.value


class MessageId(CaseCheck):
    """Looks for missing Message-IDs, and for one Message-ID on messages of different text."""

    NAME = "message_id"
    TITLE = "Message-IDs"
    QUESTION = "Does each message have an id of its own, and does one id stand for one text?"
    PROVES = "Wherever one Message-ID occurs more than once, the text is the same."
    PROVES_NOT = (
        "That a Message-ID is genuine: any program can write one. Different texts under one id "
        "can be innocent (a mailing list's footer, a disclaimer, a copy that is cut off)."
    )
    SCOPE = Scope.CASE

    def examine(self, context: Context) -> Iterator[Verdict]:
        """Yield one verdict for the case, then the exceptions."""
        messages = context.messages
        there = messages[messages["deletion_state"] != DeletionState.KNOWN_ONLY.value]
        if there.empty:
            yield Verdict(CheckStatus.NOT_APPLICABLE, "There was no message to examine.")
            return
        missing = int(there["message_id"].isna().sum())
        shared = self._shared(there)
        ids = shared["message_id"].nunique()
        yield self._whole(len(there), missing, ids)
        yield from self._different(shared)
        yield from self._missing(context.chosen)

    def _shared(self, messages: pd.DataFrame) -> pd.DataFrame:
        """Return complete messages whose id also stands on a message with another text."""
        known = messages[
            messages["message_id"].notna()
            & messages["content_key"].notna()
            & (messages["completeness"] == _WHOLE)
        ]
        distinct = known.drop_duplicates(["message_id", "content_key"])
        ids = distinct.loc[distinct["message_id"].duplicated(), "message_id"]
        return known[known["message_id"].isin(ids)].sort_values("message_id", kind="stable")

    def _whole(self, count: int, missing: int, ids: int) -> Verdict:
        lacking = f"without any: {missing:,} of {count:,} (drafts often have none)"
        if ids:
            said = f"Message-IDs that stand on messages with different texts: {ids:,}; {lacking}."
            return Verdict(CheckStatus.WARN, said)
        same = "No Message-ID stands on messages with different texts"
        return Verdict(CheckStatus.PASS, f"{same}; {lacking}." if missing else f"{same}.")

    def _different(self, shared: pd.DataFrame) -> Iterator[Verdict]:
        names = ["item_id", "evidence_id", "message_id", "content_key"]
        groups: dict[str, list[dict[str, str]]] = {}
        for chunk in rows_of(shared, names):
            for row in chunk:
                groups.setdefault(row["message_id"], []).append(row)
        for key, rows in groups.items():
            texts = len({row["content_key"] for row in rows})
            listed = ", ".join(row["item_id"] for row in rows[:_MOST])
            said = f"{key} stands on {len(rows):,} messages with {texts:,} different texts."
            for row in rows[:_MOST]:
                yield Verdict(
                    CheckStatus.WARN,
                    said,
                    f"Messages: {listed}",
                    item_id=row["item_id"],
                    evidence_id=row["evidence_id"],
                )

    def _missing(self, chosen: pd.DataFrame) -> Iterator[Verdict]:
        lacking = chosen[chosen["message_id"].isna() & (chosen["completeness"] == _WHOLE)]
        for chunk in rows_of(lacking, ["item_id", "evidence_id"]):
            for row in chunk:
                yield Verdict(CheckStatus.WARN, "The message has no Message-ID.", **row)
