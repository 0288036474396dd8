"""Page 00: what this is, what not to do now, a self-check, and the choice of a case."""

from __future__ import annotations

import html
import shutil
import sys
from datetime import datetime
from pathlib import Path

import ipywidgets as widgets

from mailforensics import __version__, fonts, lab, sample
from mailforensics.case import new_case
from mailforensics.notebook.page import Page, block, button, link_to, trouble
from mailforensics.notebook.words import STEPS

__all__ = ["StartPage"]


class StartPage(Page):
    """The first page."""

    def self_check(self) -> None:
        """Show in plain words whether this computer has what is needed."""
        self.show(self._self_check)

    def _self_check(self) -> widgets.Widget:
        free = shutil.disk_usage(self.root if self.root.is_dir() else Path.home()).free
        rows = [
            ("Program", f"mailforensics {__version__}, Python {sys.version.split()[0]}", True),
            ("Free disk space", f"{free / 1e9:,.1f} GB", free > 2e9),
            ("Chinese letters in charts", fonts.status(), fonts.cjk_family() is not None),
        ]
        cells = "".join(
            f"<tr><td>{'✓' if good else '!'}</td><td>{name}</td><td>{html.escape(words)}</td></tr>"
            for name, words, good in rows
        )
        return block(f"<table>{cells}</table>")

    def choose(self) -> None:
        """Offer the sample case and a new case."""
        self.show(self._choose)

    def _choose(self) -> widgets.Widget:
        self.answer = widgets.VBox()
        self.name = widgets.Text(description="Name", placeholder="such as: Sales mailbox November")
        self.sample_button = button("Try the sample case", self._sample, main=True)
        self.new_button = button("New case", self._new)
        form = widgets.HBox([self.name, self.new_button])
        return widgets.VBox([self.sample_button, form, self.answer])

    def _home(self) -> Path:
        return self.root.parent if self.case is not None else self.root

    def _sample(self) -> None:
        try:
            if self.case is not None and sample.is_fresh(self.case):
                root = self.root
            else:
                root = sample.fresh_case(self._home())
                lab.copy_notebooks(root)
        except Exception as error:  # noqa: BLE001 - shown as one message on the page
            self.answer.children = (trouble(error),)
            return
        self._lead_to(root)

    def _new(self) -> None:
        wanted = self.name.value.strip() or f"Case {datetime.now().astimezone():%Y-%m-%d %H%M}"
        folder = self._home() / _folder_name(wanted)
        try:
            new_case(folder, name=wanted)
            lab.copy_notebooks(folder)
        except Exception as error:  # noqa: BLE001 - shown as one message on the page
            self.answer.children = (trouble(error),)
            return
        self._lead_to(folder)

    def _lead_to(self, root: Path) -> None:
        words = f"The case <b>{html.escape(root.name)}</b> is ready."
        link = widgets.Output()
        link.append_display_data(
            link_to(f"../../{root.name}/notebooks/{STEPS[1][0]}.ipynb", "Next: Open a case")
        )
        self.answer.children = (block(words, kind="good"), link)


def _folder_name(name: str) -> str:
    """Return a name that every system takes for a folder."""
    signs = [sign if sign.isalnum() or sign in " -_" else "-" for sign in name]
    return "".join(signs).strip(" -")[:60] or "case"
