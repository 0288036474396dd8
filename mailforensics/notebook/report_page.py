"""Page 07: notes and the report."""

from __future__ import annotations

import html
from pathlib import Path

import ipywidgets as widgets

from mailforensics.notebook.page import Page, block
from mailforensics.notebook.work import Work

__all__ = ["ReportPage"]


class ReportPage(Page):
    """Takes the examiner's notes and writes the report."""

    def report(self) -> None:
        """Show the notes and the button that makes the report."""
        self.show(self._form)

    def _form(self) -> widgets.Widget:
        case = self.need_reading()
        self.notes = widgets.Textarea(
            case.notes.text,
            description="Notes",
            placeholder="What the reader of the report should know",
            layout=widgets.Layout(width="48rem", height="8rem"),
        )
        self.notes.observe(self._keep_notes, "value")
        self.work = Work("Make report", lambda _: self._make())
        return widgets.VBox([self.notes, self.work.widget])

    def _keep_notes(self, change: dict[str, str]) -> None:
        self.need_case().notes.text = change["new"]

    def _make(self) -> widgets.Widget:
        case = self.need_reading()
        path = case.report()
        return block(self._words(path), kind="good")

    def _words(self, path: Path) -> str:
        inner = path.relative_to(self.root) if path.is_relative_to(self.root) else path
        link = f'<a href="../{html.escape(inner.as_posix())}" target="_blank">Open the report</a>'
        return f"The report is {html.escape(str(path))}. {link}"
