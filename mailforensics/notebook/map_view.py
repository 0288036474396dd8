"""The maps of the Outlook files of a case: what lies where in each."""

from __future__ import annotations

import base64
import html
from pathlib import PurePosixPath
from typing import Final

import ipywidgets as widgets

from mailforensics import charts
from mailforensics.case import Case
from mailforensics.errors import MailForensicsError
from mailforensics.ingest import Progress, Stopped
from mailforensics.notebook.page import block, trouble
from mailforensics.notebook.words import say
from mailforensics.notebook.work import Work

__all__ = ["map_view"]

_AT_ONCE: Final = 256 << 20
"""Bytes of evidence up to which the maps are drawn without being asked for."""


def map_view(case: Case) -> widgets.Widget:
    """Return a map of each Outlook file, or one sentence when there is none.

    For large files a button stands there instead, with its bar and Stop.
    """
    files = case.outlook_files()
    if not files:
        return block(html.escape(say("no_map")))
    holders = {evidence_id for evidence_id, _ in files}
    size = sum(item.size for item in case.items() if item.evidence_id in holders)
    if size <= _AT_ONCE:
        return widgets.VBox([_one(case, *place, None) for place in files])
    words = say("large_maps", size=charts.say_size(size))
    work = Work(say("draw_maps"), lambda work: _all(case, files, work))
    return widgets.VBox([block(html.escape(words)), work.widget])


def _all(case: Case, files: list[tuple[str, str]], work: Work) -> widgets.Widget:
    return widgets.VBox([_one(case, *place, work) for place in files])


def _one(case: Case, evidence_id: str, source_path: str, work: Work | None) -> widgets.Widget:
    """Return the map of one file; one that cannot be read does not hide the others."""
    item = next(each for each in case.items() if each.evidence_id == evidence_id)
    name = PurePosixPath(source_path or item.name).name
    watch = None if work is None else _Watch(work, name, item.size)
    try:
        frame = case.outlook_map(evidence_id, source_path, progress=watch)
    except (MailForensicsError, OSError) as error:
        return trouble(error)
    return _picture(charts.file_map(frame, name=name, language=case.settings.language))


class _Watch:
    """Tells the bar how many bytes were looked at, and stops when Stop was pressed."""

    def __init__(self, work: Work, name: str, total: int) -> None:
        self.work = work
        self.name = name
        self.total = total
        self.done = 0

    def __call__(self, count: int) -> None:
        self.done += count
        self.work.report(Progress("map", self.name, self.done, max(self.total, self.done)))
        if self.work.stopping():
            raise Stopped


def _picture(chart: charts.Chart) -> widgets.Widget:
    picture = base64.b64encode(chart.png()).decode()
    words = html.escape(chart.sentence)
    image = f'<img alt="{words}" style="max-width: 100%" src="data:image/png;base64,{picture}">'
    return block(f"{image}<p>{words}</p>")
