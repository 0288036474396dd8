"""What an export has done."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pandas as pd
import pyarrow as pa

from mailforensics.export.cells import stamp
from mailforensics.export.chosen import About, Outcome, Place, Status, count
from mailforensics.export.manifest import MANIFEST
from mailforensics.schema import EXPORTS, table_of

__all__ = ["ExportResult", "result"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ExportResult:
    """What an export has done: chosen = written + skipped + failed.

    Attributes
    ----------
    folder, manifest
        Where the files and ``manifest.csv`` lie.
    manifest_sha256
        For the custody log; see :func:`mailforensics.export.verify_export`.
    rows
        DataFrame with the columns of :data:`mailforensics.schema.EXPORTS`, one row for each
        message written; ``path`` is absolute, ``source_sha256`` null where bytes were rebuilt.
    left_out
        DataFrame of what was skipped or failed: item_id, subject, status, reason.
    """

    folder: Path
    written: int
    skipped: int
    failed: int
    manifest: Path
    manifest_sha256: str
    rows: pd.DataFrame
    left_out: pd.DataFrame

    @property
    def chosen(self) -> int:
        """How many messages were to be exported."""
        return self.written + self.skipped + self.failed

    @property
    def sentence(self) -> str:
        """The counts in words."""
        return (
            f"{self.chosen:,} messages were chosen: {self.written:,} were written and their hashes "
            f"checked, {self.skipped:,} were left out, {self.failed:,} failed."
        )


def result(
    folder: Path, outcomes: Sequence[Outcome], about: About, manifest_sha256: str
) -> ExportResult:
    """Sum up what became of each message."""
    ends = count(outcomes)
    return ExportResult(
        folder=folder,
        written=ends[Status.WRITTEN],
        skipped=ends[Status.SKIPPED],
        failed=ends[Status.FAILED],
        manifest=folder / MANIFEST,
        manifest_sha256=manifest_sha256,
        rows=_export_rows(folder, outcomes, about),
        left_out=_left_out(outcomes),
    )


def _placed(outcomes: Sequence[Outcome]) -> Iterator[tuple[Outcome, Place]]:
    return ((outcome, outcome.place) for outcome in outcomes if outcome.place is not None)


def _export_rows(folder: Path, outcomes: Sequence[Outcome], about: About) -> pd.DataFrame:
    pairs = list(_placed(outcomes))
    plain_time = stamp(about.moment).translate({ord("-"): None, ord(":"): None})
    columns: dict[str, Sequence[Any]] = {
        "export_id": [about.export_id or f"X{plain_time}"] * len(pairs),
        "item_id": [outcome.chosen.item_id for outcome, _ in pairs],
        "form": [about.form] * len(pairs),
        "path": [str((folder / place.file).absolute()) for _, place in pairs],
        "sha256": [place.sha256 for _, place in pairs],
        "source_sha256": [outcome.source_sha256 or None for outcome, _ in pairs],
        "exported_at": [about.moment] * len(pairs),
    }
    table = table_of(EXPORTS, columns)
    plain = pa.schema([(entry.name, _undressed(entry.type)) for entry in EXPORTS])
    frame: pd.DataFrame = table.cast(plain).to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def _undressed(kind: pa.DataType) -> pa.DataType:
    return kind.value_type if pa.types.is_dictionary(kind) else kind


def _left_out(outcomes: Sequence[Outcome]) -> pd.DataFrame:
    rows = [
        (outcome.chosen.item_id, outcome.chosen.text("subject"), outcome.status, outcome.reason)
        for outcome in outcomes
        if outcome.status != Status.WRITTEN
    ]
    return pd.DataFrame(
        rows, columns=["item_id", "subject", "status", "reason"], dtype="string[pyarrow]"
    )
