"""The report of a case: its tables, charts, checks and notes brought together."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path

from mailforensics import charts, checks, export
from mailforensics.case.case import Case
from mailforensics.case.custody import CustodyLog

__all__ = ["write_report"]


def write_report(case: Case, path: Path | None, *, made_at: datetime | None = None) -> Path:
    """Write the report of a case to a new file and note it in the custody log.

    Parameters
    ----------
    path
        By default the next free ``exports/report-NN.html`` of the case.
    made_at
        Aware; the present if None.
    """
    target = path or _free_name(case)
    target.parent.mkdir(parents=True, exist_ok=True)
    messages, events, deleted = case.messages(), case.events(), case.deleted()
    settings = case.settings
    log = CustodyLog(case.folder.custody)
    zone = settings.time_zone
    drawn: list[Callable[[], charts.Chart]] = [
        lambda: charts.activity(messages, case.gone(), tz=zone, language=settings.language),
        lambda: charts.deletion_burst(case.timeline(), tz=zone, language=settings.language),
        lambda: charts.who_deleted(events, tz=zone, language=settings.language),
    ]
    written = export.report(
        target,
        case_info={"name": settings.name, "examiner": settings.examiner},
        summary=case.summary(),
        deleted=deleted,
        reads=case.reads(),
        checks=case.checks(),
        evidence=case.evidence(),
        exports=case.exports(),
        events=events,
        messages=messages,
        custody=log.rows(),
        custody_faults=log.verify((settings.custody_rows, settings.custody_head)),
        charts=[draw() for draw in drawn],
        explanations=checks.explanations(),
        notes=case.notes.text,
        language=settings.language,
        tz=zone,
        made_at=made_at,
    )
    case.record("report written", path=str(written))
    return written


def _free_name(case: Case) -> Path:
    number = 1
    while (case.folder.exports / f"report-{number:02d}.html").exists():
        number += 1
    return case.folder.exports / f"report-{number:02d}.html"
