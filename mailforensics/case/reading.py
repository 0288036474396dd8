"""Reading one evidence item into the tables of its case, and showing that nothing changed."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from mailforensics.errors import EvidenceError, HashMismatch
from mailforensics.evidence import EvidenceItem, verify
from mailforensics.ingest import Progress, Report, ingest

if TYPE_CHECKING:
    from mailforensics.case.case import Case

__all__ = ["Reading", "advancing"]


class Reading:
    """Reads one evidence item, notes the balance in the custody log, and hashes it again."""

    def __init__(self, case: Case, item: EvidenceItem) -> None:
        self.case = case
        self.item = item

    def run(
        self,
        *,
        workers: int | None,
        report: Report | None,
        stop: Callable[[], bool] | None,
        check_after: bool,
    ) -> None:
        """Read the item.

        Raises
        ------
        EvidenceError
            It is no longer at its place.
        HashMismatch
            Its bytes are not those that were acquired.
        """
        if not self.item.path.exists():
            raise EvidenceError(
                f"{self.item.path} is no longer there.",
                hint="Connect the drive on which it lies, or put it back.",
                evidence_id=self.item.evidence_id,
            )
        ingest(self.item, self.case.folder, workers=workers, report=report, stop=stop)
        self.case.forget()
        self._note_balance()
        if check_after:
            self._check_unchanged(report)

    def _note_balance(self) -> None:
        reads = self.case.reads()
        mine = reads["evidence_id"] == self.item.evidence_id
        sources = reads[mine & (reads["row_kind"] == "source")]
        counts = {
            name: int(sources[name].fillna(0).sum())
            for name in ("declared", "read", "failed", "skipped")
        }
        self.case.record("evidence read", evidence_id=self.item.evidence_id, **counts)

    def _check_unchanged(self, report: Report | None) -> None:
        item = self.item
        advance = advancing(report, "verify", item.name, item.size)
        found = verify(item, self.case.hash_list(item.evidence_id), advance=advance)
        self.case.record(
            "evidence hash checked after reading",
            evidence_id=item.evidence_id,
            unchanged=not found,
        )
        if found:
            raise HashMismatch(
                f"{item.name} changed since it was acquired: {found[0].path} {found[0].what}",
                hint="Work on a copy that nobody uses, and acquire it anew.",
                evidence_id=item.evidence_id,
            )


def advancing(
    report: Report | None, step: str, what: str, total: int
) -> Callable[[int], None] | None:
    """Return a function that adds to the bytes done and reports them; None without a report."""
    if report is None:
        return None
    done = 0

    def advance(size: int) -> None:
        nonlocal done
        done += size
        report(Progress(step, what, done, total))

    return advance
