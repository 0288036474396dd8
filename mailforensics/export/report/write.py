"""Put the sections together and write the file."""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from importlib import resources
from pathlib import Path
from typing import Any

import pandas as pd
from jinja2 import Environment, StrictUndefined
from markupsafe import Markup

from mailforensics._version import __version__
from mailforensics.charts import Chart
from mailforensics.errors import ExportError
from mailforensics.export.beforehand import zone_of
from mailforensics.export.report import tables
from mailforensics.export.report.material import Explanation, Material, Summary
from mailforensics.export.report.overview import overview
from mailforensics.export.report.texts import Texts
from mailforensics.export.report.wording import visible
from mailforensics.export.writing import write_new
from mailforensics.schema import (
    CHECKS,
    DELETED_STATES,
    EVENTS,
    EVIDENCE,
    EXPORTS,
    MESSAGES,
    READS,
    DeletionState,
)

__all__ = ["report"]

_SECTIONS = (
    "findings",
    "timeline",
    "balance",
    "checks",
    "evidence",
    "method",
    "manifest",
    "custody",
    "notes",
)
_ABOUT = ("case", "reference", "organisation", "examiner", "question")


def report(
    path: Path,
    *,
    case_info: Mapping[str, Any],
    summary: Summary,
    deleted: pd.DataFrame,
    reads: pd.DataFrame,
    checks: pd.DataFrame,
    evidence: pd.DataFrame,
    exports: pd.DataFrame | None = None,
    events: pd.DataFrame | None = None,
    messages: pd.DataFrame | None = None,
    custody: Sequence[Mapping[str, Any]] = (),
    custody_faults: Sequence[Any] | None = None,
    charts: Sequence[Chart] = (),
    explanations: Mapping[str, Explanation] | None = None,
    notes: str = "",
    language: str = "en",
    tz: str = "UTC",
    made_at: datetime | None = None,
    most_rows: int = 2000,
) -> Path:
    """Write the report: one HTML file without scripts, with its figures inside.

    The same arguments give the same bytes.

    Parameters
    ----------
    path : Path
        A new file.
    case_info : mapping
        ``name`` or ``case``, ``examiner``, ``reference``, ``organisation``, ``question``;
        those that are missing or empty are left out.
    summary : Summary
        The headline counts, the same that the notebook shows.
    deleted : DataFrame
        Messages columns; where ``best`` and ``still_live`` are there, the table of findings lists
        the best copies of messages that are live nowhere.
    reads, checks, evidence, exports, events, messages : DataFrame
        The tables of the case; an empty frame may lack its columns. ``messages`` gives subjects.
    custody : sequence of mapping
        Rows of the custody log: row, at, actor, action, detail, hash.
    custody_faults : sequence, optional
        What is wrong with its chain (``row``, ``what``); empty says that it holds.
    charts : sequence
        From :mod:`mailforensics.charts`: ``title``, ``sentence`` and ``png()`` are used.
    explanations : mapping, optional
        Check name -> object with ``title``, ``proves``, ``does_not_prove``.
    notes : str
        Text of the examiner; line ends are kept.
    language : {"en", "zh"}
    tz : str
        Name of the zone in which times are shown, with their offset.
    made_at : datetime, optional
        Aware; the present if None.
    most_rows : int
        Rows that a table lists at most; what is left out is stated.

    Raises
    ------
    WouldOverwrite
        There is a file of that name.
    ExportError
        The language or zone is unknown, or the file cannot be written.
    """
    sections = {name: number for number, name in enumerate(_SECTIONS, 1)}
    material = Material(
        case_info=case_info,
        summary=summary,
        deleted=_filled(deleted, MESSAGES.names),
        events=_filled(events, EVENTS.names),
        reads=_filled(reads, READS.names),
        checks=_filled(checks, CHECKS.names),
        evidence=_filled(evidence, EVIDENCE.names),
        exports=_filled(exports, EXPORTS.names),
        messages=_filled(messages, MESSAGES.names),
        custody=custody,
        custody_faults=custody_faults,
        charts=charts,
        explanations=explanations or {},
        notes=notes,
        say=Texts(language),
        zone=zone_of(tz),
        tz=tz,
        made_at=made_at or datetime.now(UTC),
        most_rows=most_rows,
        numbers=sections,
    )
    page = _render(material)
    path = Path(path)
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        raise ExportError(f"{path.parent} cannot be made: {error.strerror}.") from error
    write_new(path, page.encode("utf-8"))
    return path


def _filled(frame: pd.DataFrame | None, columns: Sequence[str]) -> pd.DataFrame:
    """Return a frame that has the columns; those of an empty one may have been missing."""
    if frame is None:
        return pd.DataFrame(columns=list(columns))
    lacking = {name: None for name in columns if name not in frame.columns}
    return frame.assign(**lacking) if lacking else frame


def _render(material: Material) -> str:
    environment = Environment(
        autoescape=True,
        finalize=_harmless,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
    )
    folder = resources.files(__package__ or "")
    template = environment.from_string((folder / "template.html").read_text(encoding="utf-8"))
    return template.render(_context(material, (folder / "style.css").read_text(encoding="utf-8")))


def _harmless(value: Any) -> Any:
    """Make every value that the template prints visible; it is escaped after this."""
    return visible(value) if isinstance(value, str) and not isinstance(value, Markup) else value


def _context(material: Material, style: str) -> dict[str, Any]:
    say = material.say
    return {
        "t": say,
        "style": Markup(style),  # noqa: S704 - a file of the package
        "lang": "zh-CN" if say.language == "zh" else "en",
        "version": __version__,
        "about": _about(material),
        "overview": overview(material),
        "sections": [(name, number, say(name)) for name, number in material.numbers.items()],
        "findings": tables.findings_section(material),
        "figures": [_figure(number, chart) for number, chart in enumerate(material.charts, 1)],
        "log": tables.log_section(material),
        "balance": tables.balance_section(material),
        "checks": tables.checks_section(material),
        "evidence": tables.evidence_section(material),
        "manifest": tables.manifest_section(material),
        "custody": tables.custody_section(material),
        "notes": material.notes.strip(),
        "states": _states(say),
    }


def _about(material: Material) -> list[tuple[str, str]]:
    say, info = material.say, dict(material.case_info)
    info["case"] = info.get("case") or info.get("name")
    rows = [(say(name), str(info[name])) for name in _ABOUT if info.get(name)]
    return [
        *rows,
        (say("evidence"), say("evidence_count", len(material.evidence))),
        (say("made"), material.time(material.made_at)),
        (say("zone"), say("zone_note", tz=material.tz)),
    ]


def _figure(number: int, chart: Chart) -> dict[str, Any]:
    data = base64.b64encode(chart.png()).decode("ascii")
    return {
        "number": number,
        "title": chart.title,
        "sentence": chart.sentence,
        "source": Markup(f"data:image/png;base64,{data}"),  # noqa: S704 - base64 alone
    }


def _states(say: Texts) -> list[tuple[str, str]]:
    return [
        (say(f"state.{state}"), say(f"explain.{state}"))
        for state in DeletionState
        if state in DELETED_STATES
    ]
