"""Whether a second, independent tool reads the same in the Outlook files."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Final

import pandas as pd

from mailforensics.checks.base import CaseCheck, Context, Scope, Verdict, counted, rows_of
from mailforensics.schema import CheckStatus

__all__ = ["SecondReader"]

_TOTALS: Final = ["items", "agreed", "differing", "missed", "extra"]
_SHOWN: Final = [
    "evidence_id", "source_path", "source_ref", "field", "ours", "theirs", "cause", "count",
]  # fmt: skip
_PLACE: Final = ["evidence_id", "source_path", "source_ref"]


class SecondReader(CaseCheck):
    """Compares what mailforensics and libpff read of each item of the Outlook files."""

    NAME = "second_reader"
    TITLE = "Two tools read the same"
    QUESTION = "Does a second, independent tool read the same in the Outlook files?"
    PROVES = (
        "mailforensics and libpff, two programs that share no code, find the same items and the "
        "same subjects, times, people, texts and attachments in the Outlook files."
    )
    PROVES_NOT = (
        "That deleted messages were found by both: libpff finds none. That an item is genuine: "
        "both read what the file holds."
    )
    SCOPE = Scope.EVIDENCE

    def examine(self, context: Context) -> Iterator[Verdict]:
        """Yield one verdict for the case, then one for each difference."""
        rows = context.second_readings() if context.second_readings is not None else None
        if rows is None or rows.empty:
            reason = "There is no Outlook file in this case, or none was compared."
            yield Verdict(CheckStatus.NOT_APPLICABLE, reason)
            return
        differences = rows[rows["row_kind"] == "difference"]
        yield _whole(rows, differences)
        messages = _items(context.messages, differences)
        for chunk in rows_of(differences, _SHOWN):
            for row in chunk:
                yield _one(row, messages)


def _whole(rows: pd.DataFrame, differences: pd.DataFrame) -> Verdict:
    files = len(rows[_PLACE[:2]].drop_duplicates())
    sources = rows[rows["row_kind"] == "source"]
    totals = {name: int(sources[name].fillna(0).sum()) for name in _TOTALS}
    held = f"{counted(files, 'Outlook file')} with {counted(totals['items'], 'item')}"
    if differences.empty:
        said = f"Two independent tools read {held}: they agree on all of them."
        return Verdict(CheckStatus.PASS, said)
    parts = [f"they agree on {totals['agreed']:,}"]
    for name, words in (
        ("differing", "differ in parts of {}"),
        ("missed", "{} were read by mailforensics alone"),
        ("extra", "{} by libpff alone"),
    ):
        if totals[name]:
            parts.append(words.format(f"{totals[name]:,}"))
    said = f"Two independent tools read {held}: {'; '.join(parts)}."
    return Verdict(CheckStatus.WARN, said, _causes(differences))


def _causes(differences: pd.DataFrame) -> str:
    """Say how often there was which cause, the most frequent first."""
    counts = differences.groupby("cause")["count"].sum().sort_values(ascending=False)
    return "; ".join(f"{cause} ({counted(int(count), 'item')})" for cause, count in counts.items())


def _items(messages: pd.DataFrame, differences: pd.DataFrame) -> dict[tuple[str, ...], str]:
    """Return place -> item_id of the messages that differ."""
    refs = set(differences["source_ref"].dropna()) - {""}
    mine = messages[messages["source_ref"].isin(refs)]
    found: dict[tuple[str, ...], str] = {}
    for chunk in rows_of(mine, [*_PLACE, "item_id"]):
        for row in chunk:
            found[tuple(row[name] or "" for name in _PLACE)] = row["item_id"]
    return found


def _one(row: dict[str, Any], messages: dict[tuple[str, ...], str]) -> Verdict:
    place = tuple(row[name] or "" for name in _PLACE)
    where = " ".join(filter(None, place))
    part = f" ({row['field']})" if row["field"] else ""
    count = int(row["count"] or 0)
    many = f" ({count:,} items)" if count > 1 else ""
    said = [
        f"{tool}: {row[name]}"
        for tool, name in (("mailforensics", "ours"), ("libpff", "theirs"))
        if row[name]
    ]
    return Verdict(
        CheckStatus.WARN,
        f"{where}{part}: {row['cause']}{many}.",
        "; ".join(said) or None,
        item_id=messages.get(place),
        evidence_id=row["evidence_id"],
    )
