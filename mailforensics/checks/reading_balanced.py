"""Whether every item that a source declares was read, or is listed with a reason."""

from __future__ import annotations

from collections.abc import Iterator

import pandas as pd

from mailforensics.checks.base import CaseCheck, Context, Scope, Verdict, rows_of
from mailforensics.schema import CheckStatus

__all__ = ["ReadingBalanced"]

_COUNTS = ["declared", "read", "failed", "skipped"]


class ReadingBalanced(CaseCheck):
    """Adds up the read log: declared = read + failed + skipped, for each source."""

    NAME = "reading_balanced"
    TITLE = "Nothing lost in reading"
    QUESTION = "Was every item that the evidence declares read, or listed with a reason?"
    PROVES = "No item was dropped silently: declared = read + failed + skipped in each source."
    PROVES_NOT = "That a source declares all that it once held."
    SCOPE = Scope.EVIDENCE

    def examine(self, context: Context) -> Iterator[Verdict]:
        """Yield one verdict for the case, then one for each source with an exception."""
        sources = context.reads[context.reads["row_kind"] == "source"]
        if sources.empty:
            yield Verdict(CheckStatus.NOT_APPLICABLE, "No evidence has been read yet.")
            return
        exceptions = [*self._sources(sources), *self._faults(context), *self._unread(context)]
        yield self._whole(sources, exceptions)
        yield from exceptions

    def _whole(self, sources: pd.DataFrame, exceptions: list[Verdict]) -> Verdict:
        declared, read, failed, skipped = (int(sources[name].fillna(0).sum()) for name in _COUNTS)
        said = (
            f"The evidence declares {declared:,} items: {read:,} were read, {failed:,} could not "
            f"be read, {skipped:,} were left out on purpose"
        )
        status = {verdict.status for verdict in exceptions}
        if CheckStatus.FAIL in status:
            return Verdict(CheckStatus.FAIL, f"{said}. The counts do not balance.")
        if status:
            return Verdict(CheckStatus.WARN, f"{said}; the counts balance, see the exceptions.")
        return Verdict(CheckStatus.PASS, f"{said}; the counts balance.")

    def _sources(self, sources: pd.DataFrame) -> Iterator[Verdict]:
        names = ["evidence_id", "source_path", *_COUNTS]
        for chunk in rows_of(sources, names):
            for row in chunk:
                declared, *parts = (row[name] or 0 for name in _COUNTS)
                place = f"{row['evidence_id']} {row['source_path'] or ''}".strip()
                evidence_id = row["evidence_id"]
                if declared != sum(parts):
                    said = f"{place} declares {declared:,} items, but {sum(parts):,} are accounted"
                    yield Verdict(CheckStatus.FAIL, f"{said} for.", evidence_id=evidence_id)
                elif row["failed"]:
                    said = f"{place}: {row['failed']:,} of {declared:,} items could not be read."
                    yield Verdict(CheckStatus.WARN, said, evidence_id=evidence_id)

    def _faults(self, context: Context) -> Iterator[Verdict]:
        """Compare the totals of each evidence item with its listed faults."""
        reads = context.reads
        for name in ("failed", "skipped"):
            counts = reads[name].fillna(0).astype("int64")
            whole = counts[reads["row_kind"] == "source"].groupby(reads["evidence_id"]).sum()
            listed = counts[reads["row_kind"] == name].groupby(reads["evidence_id"]).sum()
            for evidence_id, count in whole.items():
                if count != (found := int(listed.get(evidence_id, 0))):
                    said = f"{evidence_id}: {count:,} items are counted as {name}, {found:,} listed"
                    yield Verdict(CheckStatus.FAIL, f"{said}.", evidence_id=str(evidence_id))

    def _unread(self, context: Context) -> Iterator[Verdict]:
        seen = set(context.reads["evidence_id"].dropna())
        for evidence_id in context.evidence["evidence_id"]:
            if evidence_id not in seen:
                said = f"{evidence_id} has not been read."
                yield Verdict(CheckStatus.WARN, said, evidence_id=str(evidence_id))
