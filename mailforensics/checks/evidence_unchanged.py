"""Whether the evidence still has the hash that it had when it was acquired."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from mailforensics.checks.base import CaseCheck, Context, Scope, Verdict
from mailforensics.schema import CheckStatus

__all__ = ["EvidenceUnchanged"]


class EvidenceUnchanged(CaseCheck):
    """Compares the hash of each evidence item now with the one taken on acquisition."""

    NAME = "evidence_unchanged"
    TITLE = "Evidence unchanged"
    QUESTION = "Are the bytes of the evidence still those that were acquired?"
    PROVES = "Not one byte of the evidence has changed since it was acquired."
    PROVES_NOT = "That nobody changed it before it was acquired."
    SCOPE = Scope.EVIDENCE

    def examine(self, context: Context) -> Iterator[Verdict]:
        """Yield one verdict for the case and one for each evidence item."""
        if context.verify is None or context.evidence.empty:
            yield Verdict(CheckStatus.NOT_APPLICABLE, "No evidence was hashed again this time.")
            return
        rows = context.verify().to_dict("records")
        changed = [row for row in rows if not row["unchanged"]]
        if changed:
            names = ", ".join(str(row["evidence_id"]) for row in changed[:10])
            said = f"{len(changed)} of {len(rows)} evidence items are not what was acquired"
            yield Verdict(CheckStatus.FAIL, f"{said}: {names}. Stop and find out why.")
        else:
            said = f"All {len(rows)} evidence items have" if len(rows) > 1 else "The evidence has"
            yield Verdict(CheckStatus.PASS, f"{said} the SHA-256 of the acquisition.")
        for row in rows:
            yield self._one(row)

    def _one(self, row: Mapping[Any, Any]) -> Verdict:
        name = f"{row['evidence_id']} {row.get('name') or ''}".strip()
        status = CheckStatus.PASS if row["unchanged"] else CheckStatus.FAIL
        said = "is unchanged" if row["unchanged"] else "has changed since it was acquired"
        return Verdict(
            status, f"{name} {said}.", str(row["detail"]), evidence_id=str(row["evidence_id"])
        )
