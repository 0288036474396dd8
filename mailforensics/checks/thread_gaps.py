"""Messages that others answer or cite, and that nobody has."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pandas as pd

from mailforensics.checks.base import CaseCheck, Context, Scope, Verdict, counted, rows_of
from mailforensics.schema import CheckStatus, DeletionState

__all__ = ["ThreadGaps"]

_NEEDED = [
    "item_id",
    "evidence_id",
    "message_id",
    "in_reply_to",
    "references",
    "subject",
    "sent_at",
]
_MOST = 1_000


class ThreadGaps(CaseCheck):
    """Lists Message-IDs that are cited but missing, those with most citations first."""

    NAME = "thread_gaps"
    TITLE = "Gaps in conversations"
    QUESTION = "Do messages answer or cite others that are nowhere in the evidence?"
    PROVES = "Each listed message once existed: somebody answered or cited it."
    PROVES_NOT = (
        "That it was ever in this mailbox, or that it was deleted: it may have gone to others "
        "only. A conversation without a gap may still lack messages that nobody answered."
    )
    SCOPE = Scope.CASE

    def examine(self, context: Context) -> Iterator[Verdict]:
        """Yield one verdict for the case, then one for each missing message, at who cites it."""
        citing, ids = self._citing(context.messages)
        if not citing:
            said = "No message cites another, so there is no conversation to follow."
            yield Verdict(CheckStatus.NOT_APPLICABLE, said)
            return
        missing = {key: refs for key, refs in citing.items() if key not in ids}
        ranked = sorted(missing.items(), key=lambda pair: (-len(pair[1]), pair[0]))
        if not ranked:
            said = f"All {len(citing):,} messages that others answer or cite are there."
            yield Verdict(CheckStatus.PASS, said)
            return
        said = f"Cited by others but nowhere in the evidence: {counted(len(ranked), 'message')}."
        cut = f"Only the {_MOST:,} with most citations are listed." if len(ranked) > _MOST else None
        yield Verdict(CheckStatus.WARN, said, cut)
        for key, refs in ranked[:_MOST]:
            yield _gap(key, list(refs.values()))

    def _citing(
        self, messages: pd.DataFrame
    ) -> tuple[dict[str, dict[str, dict[str, Any]]], set[str]]:
        """Return who cites each id, each message once, and the ids of messages that are there."""
        there = messages["deletion_state"] != DeletionState.KNOWN_ONLY.value
        ids = {_plain(value) for value in messages.loc[there, "message_id"].dropna()}
        cites = messages["in_reply_to"].notna() | messages["references"].notna()
        found: dict[str, dict[str, dict[str, Any]]] = {}
        for chunk in rows_of(messages[cites & there], _NEEDED):
            for row in chunk:
                own = _plain(row["message_id"] or row["item_id"])
                for key in {_plain(value) for value in _cited(row)} - {"", own}:
                    found.setdefault(key, {}).setdefault(own, row)
        return found, ids


def _cited(row: dict[str, Any]) -> list[str]:
    answered = (row["in_reply_to"] or "").split()
    return [value for value in [*answered, *(row["references"] or [])] if "@" in value]


def _plain(message_id: str) -> str:
    return message_id.strip().strip("<>")


def _gap(key: str, refs: list[dict[str, Any]]) -> Verdict:
    first = min(refs, key=lambda row: (row["sent_at"] is None, row["sent_at"]))
    count = "1 message cites" if len(refs) == 1 else f"{len(refs):,} messages cite"
    when = f", from {first['sent_at']:%Y-%m-%d}" if first["sent_at"] else ""
    listed = ", ".join(str(row["item_id"]) for row in refs[:20])
    return Verdict(
        CheckStatus.WARN,
        f"{count} <{key}>, which is nowhere in the evidence; the first is "
        f"“{first['subject'] or 'without subject'}”{when}.",
        f"Cited by {listed}",
        item_id=first["item_id"],
        evidence_id=first["evidence_id"],
    )
