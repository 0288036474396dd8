"""Choosing files and folders by browsing, with what each is recognised as."""

from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import ipywidgets as widgets

from mailforensics.errors import MailForensicsError
from mailforensics.ingest import recognise
from mailforensics.notebook.page import block, button, trouble

__all__ = ["Browser"]


class Browser:
    """A list of what lies in a folder; open folders, choose one or several entries.

    Attributes
    ----------
    chosen
        The paths that are selected now.
    """

    def __init__(self, start: Path, *, on_choice: Callable[[list[Path]], None]) -> None:
        self._folder = start
        self._on_choice = on_choice
        self.place = widgets.Label()
        self.entries = widgets.SelectMultiple(
            description="Contents", rows=10, layout=widgets.Layout(width="40rem")
        )
        self.known = widgets.VBox()
        self.entries.observe(lambda _: self._chosen(), "value")
        steps = widgets.HBox(
            [button("Up", self._up), button("Open folder", self._open), button("Home", self._home)]
        )
        self.widget = widgets.VBox([self.place, steps, self.entries, self.known])
        self._list()

    @property
    def chosen(self) -> list[Path]:
        """The paths that are selected now."""
        return [self._folder / name.rstrip("/") for name in self.entries.value]

    def go(self, folder: Path) -> None:
        """Show another folder."""
        self._folder = folder
        self._list()

    def _up(self) -> None:
        self.go(self._folder.parent)

    def _home(self) -> None:
        self.go(Path.home())

    def _open(self) -> None:
        folders = [path for path in self.chosen if path.is_dir()]
        if folders:
            self.go(folders[0])

    def _list(self) -> None:
        self.place.value = f"Folder: {self._folder}"
        try:
            with os.scandir(self._folder) as found:
                shown = [entry for entry in found if not entry.name.startswith(".")]
                listed = sorted(shown, key=lambda entry: (not entry.is_dir(), entry.name.lower()))
                names = [f"{entry.name}/" if entry.is_dir() else entry.name for entry in listed]
        except OSError as error:
            names = []
            self.known.children = (
                block(f"This folder cannot be read: {error.strerror}", kind="bad"),
            )
        self.entries.value = ()
        self.entries.options = names

    def _chosen(self) -> None:
        self.known.children = tuple(self._words(path) for path in self.chosen)
        self._on_choice(self.chosen)

    @staticmethod
    def _words(path: Path) -> widgets.Widget:
        try:
            _, _, description = recognise(path)
        except MailForensicsError as error:
            return trouble(error)
        return widgets.Label(f"{path.name}: {description}")
