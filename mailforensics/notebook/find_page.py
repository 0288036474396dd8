"""Page 03: the deleted messages, filtered, opened and marked."""

from __future__ import annotations

import html
from typing import Any

import ipywidgets as widgets
import pandas as pd

from mailforensics.errors import MailForensicsError
from mailforensics.notebook.map_view import map_view
from mailforensics.notebook.message_view import message_view
from mailforensics.notebook.page import Page, block, trouble
from mailforensics.notebook.table import PagedTable
from mailforensics.notebook.words import WORDS, say

__all__ = ["FindPage"]

COLUMNS = (
    ("sent_at", "Sent", "7.4rem"),
    ("from_addr", "From", "8.8rem"),
    ("subject", "Subject", "auto"),
    ("deletion_state", "What became of it", "8.8rem"),
    ("can_come_back", "Comes back", "6.2rem"),
    ("deleted_at", "Deleted", "7.4rem"),
)
ANY = "(any)"


class FindPage(Page):
    """Shows what is deleted and lets a person mark what matters."""

    def headline(self) -> None:
        """Say in a sentence how many messages are deleted and how many can come back."""
        self.show(self._headline)

    def _headline(self) -> widgets.Widget:
        case = self.need_reading()
        summary = case.summary()
        words = case.headline()
        if not (summary.total or summary.still_live):
            words += f" {say('could_add')}"
        return block(f'<span class="headline">{html.escape(words)}</span>')

    def findings(self) -> None:
        """Show the filters, the table, and the message that is opened."""
        self.show(self._findings)

    def _findings(self) -> widgets.Widget:
        case = self.need_reading()
        self.frame = case.deleted()
        self.gone = set(case.gone()["item_id"])
        self.every = widgets.Checkbox(description="show every copy", indent=False)
        self.words = widgets.Text(
            description="Words", placeholder="such as: 合同 OR contract", continuous_update=False
        )
        self.state = widgets.Dropdown(
            description="State", options=[(ANY, ""), *self._state_options()]
        )
        self.folder = widgets.Dropdown(description="Folder", options=self._folder_options())
        self.since = widgets.DatePicker(description="From")
        self.until = widgets.DatePicker(description="To")
        controls = (self.words, self.state, self.folder, self.since, self.until, self.every)
        for control in controls:
            control.observe(lambda _: self._filter(), "value")
        self.table = PagedTable(
            self._shown(),
            columns=COLUMNS,
            key="item_id",
            link="subject",
            show=self._cell,
            sort=["sent_at", True],
            picked=case.notes.marks,
        )
        self.table.observe(self._open_message, "opened")
        self.table.observe(self._keep_marks, "picked")
        self.message = widgets.VBox()
        self.note = widgets.VBox()
        filters = widgets.VBox(
            [
                widgets.HBox([self.words, self.state, self.folder]),
                widgets.HBox([self.since, self.until, self.every]),
            ]
        )
        return widgets.VBox([filters, self.note, self.table, self.message])

    def file_maps(self) -> None:
        """Show where live mail, free space and deleted messages lie in the Outlook files."""
        self.show(lambda: map_view(self.need_reading()))

    def _state_options(self) -> list[tuple[str, str]]:
        states = sorted(self.frame["deletion_state"].unique())
        return [(WORDS[f"state.{state}"], state) for state in states]

    def _folder_options(self) -> list[tuple[str, str]]:
        folders = sorted(self.frame["folder"].dropna().unique())
        return [(ANY, ""), *((folder, folder) for folder in folders)]

    def _shown(self) -> pd.DataFrame:
        """Return the messages that the headline counts, or every deleted copy."""
        if self.every.value:
            return self.frame
        return self.frame[self.frame["item_id"].isin(self.gone)]

    def _filter(self) -> None:
        frame = self._shown()
        try:
            if self.words.value.strip():
                found = self.need_case().matches(self.words.value)
                frame = frame[frame["item_id"].isin(found["item_id"])]
        except MailForensicsError as error:
            self.note.children = (trouble(error),)
            return
        self.note.children = ()
        if self.state.value:
            frame = frame[frame["deletion_state"] == self.state.value]
        if self.folder.value:
            frame = frame[frame["folder"] == self.folder.value]
        self.table.set_frame(self._between(frame))

    def _between(self, frame: pd.DataFrame) -> pd.DataFrame:
        days = frame["sent_at"].dt.tz_convert(self.need_case().settings.time_zone)
        if self.since.value is not None:
            frame = frame[days.dt.date >= self.since.value]
            days = days.loc[frame.index]
        if self.until.value is not None:
            frame = frame[days.dt.date <= self.until.value]
        return frame

    def _cell(self, name: str, value: Any) -> str:
        if value is None or value is pd.NaT or value is pd.NA:
            return ""
        if name == "deletion_state":
            return say(f"state.{value}")
        if name in {"sent_at", "deleted_at"}:
            zone = self.need_case().settings.zone
            return f"{value.astimezone(zone):%Y-%m-%d %H:%M}"
        return str(value)

    def _keep_marks(self, change: dict[str, Any]) -> None:
        self.need_case().notes.marks = change["new"]

    def _open_message(self, change: dict[str, Any]) -> None:
        rows = self.frame[self.frame["item_id"] == change["new"]]
        if not rows.empty:
            view = message_view(self.need_case(), rows.iloc[0].to_dict())
            self.message.children = (view,)
