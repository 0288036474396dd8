"""Page 01: the case's name, who examines it, and its evidence."""

from __future__ import annotations

import html
from collections.abc import Hashable, Mapping
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import available_timezones

import ipywidgets as widgets

from mailforensics import sample
from mailforensics.errors import EvidenceError
from mailforensics.notebook.browse import Browser
from mailforensics.notebook.page import Page, block, button
from mailforensics.notebook.work import Work

__all__ = ["CasePage"]


class CasePage(Page):
    """Names the case and takes evidence in."""

    def case_form(self) -> None:
        """Show the name, the examiner and the time zone, to be changed."""
        self.show(self._case_form)

    def _case_form(self) -> widgets.Widget:
        settings = self.need_case().settings
        self.name = widgets.Text(settings.name, description="Case")
        self.examiner = widgets.Text(settings.examiner, description="Examiner")
        self.zone = widgets.Combobox(
            value=settings.time_zone,
            options=sorted(available_timezones()),
            description="Time zone",
            ensure_option=True,
        )
        self.saved = widgets.Label()
        return widgets.VBox(
            [self.name, self.examiner, self.zone, button("Save", self._save), self.saved]
        )

    def _save(self) -> None:
        case = self.need_case()
        settings = case.settings
        settings.name = self.name.value.strip() or settings.name
        settings.examiner = self.examiner.value.strip()
        settings.time_zone = self.zone.value or settings.time_zone
        case.record("case settings changed", name=settings.name, time_zone=settings.time_zone)
        self.saved.value = "Saved."

    def choose_evidence(self) -> None:
        """Show the folders to choose evidence from, and whose mail it is."""
        self.show(self._choose_evidence)

    def _choose_evidence(self) -> widgets.Widget:
        self.paths: list[Path] = []
        self.browser = Browser(Path.home(), on_choice=self._note_choice)
        self.custodian = widgets.Text(description="Whose mail", placeholder="such as: Li Na")
        self.as_of = widgets.NaiveDatetimePicker(description="State of")
        self.supersedes = widgets.Dropdown(
            description="Follows copy", style={"description_width": "initial"}
        )
        self.add_work = Work("Add to the case", self._add)
        self.table = widgets.VBox()
        self._show_evidence()
        parts = [
            self.browser.widget,
            widgets.HBox([self.custodian, self.as_of, self.supersedes]),
            self.add_work.widget,
        ]
        if sample.is_sample(self.need_case()):
            self.sample_work = Work("Add the sample evidence", self._add_sample)
            words = "This is the sample case: its evidence lies ready."
            parts.insert(0, widgets.VBox([block(words), self.sample_work.widget]))
        return widgets.VBox([*parts, self.table])

    def _note_choice(self, paths: list[Path]) -> None:
        self.paths = paths

    def _add(self, work: Work) -> widgets.Widget | None:
        case = self.need_case()
        if not self.paths:
            raise EvidenceError("Nothing is chosen.", hint="Select a file or folder in the list.")
        for path in self.paths:
            if work.stopping():
                break
            case.add(
                path,
                custodian=self.custodian.value.strip(),
                as_of=self._moment(),
                supersedes=self.supersedes.value or None,
                report=work.report,
            )
        self._show_evidence()
        return None

    def _moment(self) -> datetime | None:
        when: datetime | None = self.as_of.value
        if when is None:
            return None
        return when.replace(tzinfo=self.need_case().settings.zone).astimezone(UTC)

    def _add_sample(self, work: Work) -> widgets.Widget | None:
        sample.add_evidence(self.need_case(), report=work.report)
        self._show_evidence()
        return None

    def _show_evidence(self) -> None:
        frame = self.need_case().evidence()
        copies = [(f"{row.evidence_id} {row.name}", row.evidence_id) for row in frame.itertuples()]
        self.supersedes.options = [("(none)", ""), *copies]
        if frame.empty:
            self.table.children = (block("No evidence yet."),)
            return
        rows = "".join(_evidence_row(row) for row in frame.to_dict("records"))
        head = "".join(
            f"<th>{title}</th>" for title in ("", "What it is", "Name", "Whose", "Bytes", "SHA-256")
        )
        tip = (
            "What else would help: a backup of this mailbox, the mail server's log, "
            "the computer on which the mail was read."
        )
        self.table.children = (block(f"<table><tr>{head}</tr>{rows}</table><p>{tip}</p>"),)


def _evidence_row(row: Mapping[Hashable, Any]) -> str:
    cells = [row["evidence_id"], row["description"], row["name"], row["custodian"]]
    plain = "".join(f"<td>{html.escape(str(cell or ''))}</td>" for cell in cells)
    size = f'<td class="number">{int(str(row["size"])):,}</td>'
    digest = str(row["sha256"])
    return f'<tr>{plain}{size}<td title="{digest}">{digest[:16]}…</td></tr>'
