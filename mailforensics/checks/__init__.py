"""Whether what was found is genuine and complete.

Each check says one thing about the case, also when it found nothing (a row without ``item_id``
and ``evidence_id``), and gives a row for each exception. Messages that pass get a row of their
own only when they were named (``items``); evidence items always do. A case of 200,000 messages
so has a page of verdicts, not a million rows.

Checks that need bytes look at the deleted messages, or at ``items`` when these are given; they
read one message at a time. Nothing is asked of the network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import pandas as pd
import pyarrow as pa

from mailforensics.checks.attachment_type import AttachmentType
from mailforensics.checks.base import (
    CaseCheck,
    Check,
    Context,
    Item,
    MessageCheck,
    Scope,
    Verdict,
    rows_of,
)  # fmt: skip
from mailforensics.checks.date_order import DateOrder
from mailforensics.checks.dkim_body import DkimBody
from mailforensics.checks.dkim_signature import DkimSignature
from mailforensics.checks.duplicates import Duplicates
from mailforensics.checks.evidence_unchanged import EvidenceUnchanged
from mailforensics.checks.message_id import MessageId
from mailforensics.checks.mime_complete import MimeComplete
from mailforensics.checks.reading_balanced import ReadingBalanced
from mailforensics.checks.second_reader import SecondReader
from mailforensics.checks.thread_gaps import ThreadGaps
from mailforensics.checks.uid_gaps import UidGaps
from mailforensics.errors import MailForensicsError
from mailforensics.schema import (
    ATTACHMENTS,
    DELETED_STATES,
    CheckStatus,
    RawKind,
    check_table,
)  # fmt: skip

__all__ = ["CHECKS", "Card", "Check", "Explanation", "Scope", "cards", "explanations", "run"]

CHECKS: MappingProxyType[str, type[Check]] = MappingProxyType(
    {
        check.NAME: check
        for check in (
            EvidenceUnchanged,
            ReadingBalanced,
            SecondReader,
            MimeComplete,
            AttachmentType,
            DateOrder,
            DkimBody,
            DkimSignature,
            MessageId,
            Duplicates,
            ThreadGaps,
            UidGaps,
        )
    }
)
"""Name -> check, in the order in which they are run and shown."""


@dataclass(frozen=True, slots=True)
class Card:
    """What a person reads about one check.

    Attributes
    ----------
    status, summary, detail
        The verdict about the case.
    proves, proves_not
        What a pass shows, and what it does not.
    exceptions : DataFrame
        Rows of :data:`mailforensics.schema.CHECKS` that failed or are to be looked at.
    """

    name: str
    title: str
    question: str
    status: CheckStatus
    summary: str
    detail: str | None
    proves: str
    proves_not: str
    exceptions: pd.DataFrame


@dataclass(frozen=True, slots=True)
class Explanation:
    """The texts of one check, for a report."""

    title: str
    question: str
    proves: str
    does_not_prove: str


def explanations() -> dict[str, Explanation]:
    """Return name -> texts of each check, in the order of :data:`CHECKS`."""
    return {
        name: Explanation(check.TITLE, check.QUESTION, check.PROVES, check.PROVES_NOT)
        for name, check in CHECKS.items()
    }


def run(
    messages: pd.DataFrame,
    attachments: pd.DataFrame,
    events: pd.DataFrame,
    reads: pd.DataFrame,
    evidence: pd.DataFrame,
    *,
    raw: Callable[[str], bytes],
    verify: Callable[[], pd.DataFrame] | None = None,
    second_readings: Callable[[], pd.DataFrame] | None = None,
    only: Iterable[str] | None = None,
    items: Iterable[str] | None = None,
    progress: Callable[[int, int], None] | None = None,
    keys: Path | None = None,
) -> pd.DataFrame:
    """Run the checks.

    Parameters
    ----------
    messages, attachments, events, reads, evidence : DataFrame
        The tables of :mod:`mailforensics.schema`.
    raw : callable
        ``item_id`` -> bytes of the message.
    verify : callable, optional
        Hashes the evidence again; returns a frame with ``evidence_id``, ``name``, ``unchanged``
        (bool) and ``detail``, a row for each evidence item.
    second_readings : callable, optional
        Reads the Outlook files with a second tool; returns a frame with a row for each file and
        for each difference, see :mod:`mailforensics.checks.second_reader`.
    only : iterable of str, optional
        Names of :data:`CHECKS` to run; all by default.
    items : iterable of str, optional
        The messages whose bytes are examined; each gets a row for each check. By default all
        deleted messages, of which only exceptions get rows.
    progress : callable, optional
        Called with steps done and steps in all.
    keys : Path, optional
        Key file for DKIM (CSV or JSON), see :mod:`mailforensics.checks.dkim_keys`.

    Returns
    -------
    DataFrame
        Columns of :data:`mailforensics.schema.CHECKS`.

    Raises
    ------
    MailForensicsError
        There is no check of that name.
    CaseError
        The key file cannot be read.
    """
    chosen = _chosen(messages, items)
    context = Context(
        messages=messages,
        attachments=attachments,
        events=events,
        reads=reads,
        evidence=evidence,
        chosen=chosen,
        named=items is not None,
        verify=verify,
        second_readings=second_readings,
        keys=keys,
        acquired=_acquired(evidence),
    )
    found = _Run(context, raw, _wanted(only), progress or _quiet)
    return _frame(found.rows())


def cards(results: pd.DataFrame) -> list[Card]:
    """Return a card for each check that was run, in the order of :data:`CHECKS`."""
    found = []
    for name, check in CHECKS.items():
        rows = results[results["check"] == name]
        whole = rows[rows["item_id"].isna() & rows["evidence_id"].isna()]
        if whole.empty:
            continue
        first = whole.iloc[0]
        bad = rows["status"].isin([CheckStatus.FAIL.value, CheckStatus.WARN.value])
        exceptions = rows[bad].drop(index=first.name, errors="ignore")
        detail = first["detail"]
        found.append(
            Card(
                name=name,
                title=check.TITLE,
                question=check.QUESTION,
                status=CheckStatus(str(first["status"])),
                summary=str(first["summary"]),
                detail=detail if isinstance(detail, str) else None,
                proves=check.PROVES,
                proves_not=check.PROVES_NOT,
                exceptions=exceptions,
            )
        )
    return found


_NEEDED = [
    "item_id", "evidence_id", "raw_kind", "sha256", "size", "sent_at", "received_at", "stored_at",
    "completeness", "defects",
]  # fmt: skip


class _Run:
    """One run: case checks one by one, then one pass over the chosen messages."""

    def __init__(
        self,
        context: Context,
        raw: Callable[[str], bytes],
        names: list[str],
        progress: Callable[[int, int], None],
    ) -> None:
        self.context = context
        self.raw = raw
        self.progress = progress
        checks = [CHECKS[name]() for name in names]
        self.wholes = [check for check in checks if isinstance(check, CaseCheck)]
        self.singles = [check for check in checks if isinstance(check, MessageCheck)]
        self.total = len(self.wholes) + (len(context.chosen) if self.singles else 0)
        self.done = 0

    def rows(self) -> list[dict[str, Any]]:
        """Run all and return rows of the checks table."""
        found: list[dict[str, Any]] = []
        for single in self.singles:
            single.prepare(self.context)
        for whole in self.wholes:
            found += [_row(whole, verdict) for verdict in whole.examine(self.context)]
            self._step()
        if self.singles:
            for item in self._items():
                found += self._examine(item)
                self._step()
        found += [_row(single, single.conclude()) for single in self.singles]
        return found

    def _step(self) -> None:
        self.done += 1
        self.progress(self.done, self.total)

    def _examine(self, item: Item) -> Iterator[dict[str, Any]]:
        for single in self.singles:
            verdict = single.examine_item(item)
            if self.context.named or verdict.status in (CheckStatus.FAIL, CheckStatus.WARN):
                yield _row(single, verdict)

    def _items(self) -> Iterator[Item]:
        names = ATTACHMENTS.names
        for chunk in rows_of(self.context.chosen, _NEEDED):
            wanted = [row["item_id"] for row in chunk]
            mine = self.context.attachments
            mine = mine[mine["item_id"].isin(wanted)]
            carried: dict[str, list[dict[str, Any]]] = {}
            for part in rows_of(mine, names):
                for each in part:
                    carried.setdefault(each["item_id"], []).append(each)
            for row in chunk:
                yield self._item(row, carried.get(row["item_id"], []))

    def _item(self, row: dict[str, Any], carried: list[dict[str, Any]]) -> Item:
        item = Item(row=row, attachments=carried)
        item.acquired_at = self.context.acquired.get(row["evidence_id"])
        if row["raw_kind"] in (None, RawKind.NONE.value):
            item.trouble = "Only traces of it exist."
            return item
        try:
            item.raw = bytes(self.raw(row["item_id"]))
        except (MailForensicsError, OSError) as error:
            item.trouble = str(error)
        return item


def _row(check: Check, verdict: Verdict) -> dict[str, Any]:
    return {
        "item_id": verdict.item_id,
        "evidence_id": verdict.evidence_id,
        "check": check.NAME,
        "status": verdict.status.value,
        "summary": verdict.summary,
        "detail": verdict.detail,
    }


def _chosen(messages: pd.DataFrame, items: Iterable[str] | None) -> pd.DataFrame:
    if items is not None:
        return messages[messages["item_id"].isin(set(items))]
    return messages[messages["deletion_state"].isin([state.value for state in DELETED_STATES])]


def _wanted(only: Iterable[str] | None) -> list[str]:
    if only is None:
        return list(CHECKS)
    names = set(only)
    unknown = names - CHECKS.keys()
    if unknown:
        raise MailForensicsError(
            f"There is no check named {', '.join(sorted(unknown))}",
            hint=f"The checks are: {', '.join(CHECKS)}",
        )
    return [name for name in CHECKS if name in names]


def _acquired(evidence: pd.DataFrame) -> dict[str, Any]:
    return {
        row["evidence_id"]: row["acquired_at"]
        for chunk in rows_of(evidence, ["evidence_id", "acquired_at"])
        for row in chunk
    }


def _frame(rows: list[dict[str, Any]]) -> pd.DataFrame:
    table = check_table(rows)
    plain = pa.schema([(name, pa.string()) for name in table.column_names])
    frame: pd.DataFrame = table.cast(plain).to_pandas(types_mapper=pd.ArrowDtype)
    return frame


def _quiet(done: int, total: int) -> None:
    """Report nothing."""
