"""Page 07: notes and the report."""

from __future__ import annotations

import html

import ipywidgets as widgets

from mailforensics.notebook.page import Page, block, link_to
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
        path = self.need_reading().report()
        words = block(f"The report is {html.escape(str(path))}", kind="good")
        if not path.is_relative_to(self.root):
            return words
        link = widgets.Output()
        inner = path.relative_to(self.root).as_posix()
        link.append_display_data(link_to(f"../{inner}", "Open the report"))
        return widgets.VBox([words, link])
