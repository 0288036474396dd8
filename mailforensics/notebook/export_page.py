"""Page 06: giving messages back as files."""

from __future__ import annotations

import html

import ipywidgets as widgets
import pandas as pd

from mailforensics.errors import ExportError
from mailforensics.ingest import Progress
from mailforensics.notebook.page import Page, block
from mailforensics.notebook.work import Work

__all__ = ["ExportPage"]

_HOW = {
    "eml": (
        "Outlook: drag the .eml files into a folder of the mailbox. Thunderbird: select the files "
        "and drop them on a folder. Server: copy them with an IMAP program."
    ),
    "mbox": "Thunderbird: put the file into the folder “Local Folders” of the profile and restart.",
    "pst": "Outlook: File, Open & Export, Open Outlook Data File; then move what is wanted.",
    "csv": "Open the file in a spreadsheet, or load it into a review program.",
}


class ExportPage(Page):
    """Writes the chosen messages with a manifest of hashes."""

    def export(self) -> None:
        """Show the choices, what would be written, and the Export button."""
        self.show(self._form)

    def _form(self) -> widgets.Widget:
        case = self.need_reading()
        self.frame = case.deleted()
        self.marked = set(case.notes.marks)
        self.what = widgets.RadioButtons(
            description="What",
            options=[
                (f"marked on page 03 ({len(self._chosen('marked')):,})", "marked"),
                (f"all that can come back whole ({len(self._chosen('whole')):,})", "whole"),
                (f"all, in part and traces too ({len(self._chosen('all')):,})", "all"),
            ],
            value="marked" if self.marked else "whole",
            layout=widgets.Layout(width="auto"),
        )
        self.form = widgets.Dropdown(
            description="Form",
            options=[
                ("EML files", "eml"),
                ("one mbox file", "mbox"),
                ("one Outlook file (PST)", "pst"),
                ("table (CSV)", "csv"),
            ],
        )
        self.name = widgets.Text(case.free_export_name(), description="Folder")
        self.preview = widgets.VBox()
        for control in (self.what, self.form):
            control.observe(lambda _: self._show_preview(), "value")
        self.work = Work("Export", self._export)
        self._show_preview()
        place = widgets.Label(f"below {case.folder.exports}")
        return widgets.VBox(
            [
                self.what,
                widgets.HBox([self.form, self.name, place]),
                self.preview,
                self.work.widget,
            ]
        )

    def _chosen(self, what: str) -> pd.DataFrame:
        best = self.need_case().gone()
        if what == "marked":
            return self.frame[self.frame["item_id"].isin(self.marked)]
        return best[best["can_come_back"] == "whole"] if what == "whole" else best

    def _show_preview(self) -> None:
        chosen = self._chosen(self.what.value)
        lines = "".join(
            f"<li>{html.escape(str(row['subject']))}</li>"
            for row in chosen.head(5).to_dict("records")
        )
        more = f"<li>… and {len(chosen) - 5:,} more</li>" if len(chosen) > 5 else ""
        words = f"{len(chosen):,} messages would be written:<ul>{lines}{more}</ul>"
        self.preview.children = (block(words),)

    def _export(self, work: Work) -> widgets.Widget:
        case = self.need_reading()
        chosen = self._chosen(self.what.value)
        if chosen.empty:
            raise ExportError("Nothing is chosen.", hint="Mark messages on page 03 first.")
        result = case.export(
            chosen,
            self.name.value.strip(),
            form=self.form.value,
            progress=lambda done, total: work.report(Progress("export", "messages", done, total)),
        )
        self.name.value = case.free_export_name()
        words = (
            f"{result.written:,} written and their hashes verified, {result.skipped:,} have no "
            f"bytes, {result.failed:,} failed. Folder: {html.escape(str(result.folder))}"
        )
        kind = "bad" if result.failed else "good"
        return block(f"{words}<p>{_HOW[self.form.value]}</p>", kind=kind)
