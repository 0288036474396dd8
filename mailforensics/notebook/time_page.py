"""Page 05: when it happened, and who did it from where."""

from __future__ import annotations

import base64
import html

import ipywidgets as widgets

from mailforensics import charts, timeline
from mailforensics.notebook.page import Page, block, button, trouble

__all__ = ["TimePage"]


class TimePage(Page):
    """Shows the charts with their sentences and the moments behind them."""

    def activity(self) -> None:
        """Show mail by day with the deletions marked."""
        self.show(lambda: self._chart("activity", self._activity()))

    def _activity(self) -> charts.Chart:
        case = self.need_reading()
        return charts.activity(
            case.messages(),
            case.gone(),
            tz=case.settings.time_zone,
            language=case.settings.language,
        )

    def burst(self) -> None:
        """Show the densest time of deletion."""
        self.show(lambda: self._chart("burst", self._burst()))

    def _burst(self) -> charts.Chart:
        case = self.need_reading()
        return charts.deletion_burst(
            case.timeline(), tz=case.settings.time_zone, language=case.settings.language
        )

    def who(self) -> None:
        """Show who deleted what from where."""
        self.show(lambda: self._chart("who", self._who()))

    def _who(self) -> charts.Chart:
        case = self.need_reading()
        return charts.who_deleted(
            case.events(), tz=case.settings.time_zone, language=case.settings.language
        )

    def _chart(self, name: str, chart: charts.Chart) -> widgets.Widget:
        picture = base64.b64encode(chart.png()).decode()
        words = html.escape(chart.sentence)
        shown = block(
            f'<img alt="{words}" style="max-width: 100%" src="data:image/png;base64,{picture}">'
            f"<p>{words}</p>"
        )
        said = widgets.Label()
        saving = button("Save as PNG and SVG", lambda: self._save(name, chart, said))
        return widgets.VBox([shown, widgets.HBox([saving, said])])

    def _save(self, name: str, chart: charts.Chart, said: widgets.Label) -> None:
        folder = self.need_case().folder.exports / "charts"
        folder.mkdir(parents=True, exist_ok=True)
        number = 1
        while any((folder / f"{name}-{number:02d}{end}").exists() for end in (".png", ".svg")):
            number += 1
        for ending in (".png", ".svg"):
            chart.save(folder / f"{name}-{number:02d}{ending}")
        said.value = f"Saved in {folder}"

    def save_moments(self) -> None:
        """Offer to save all moments as CSV and JSONL that Timesketch loads."""
        self.show(self._save_form)

    def _save_form(self) -> widgets.Widget:
        self.need_reading()
        self.answer = widgets.VBox()
        return widgets.VBox([button("Save the moments", self._save_moments), self.answer])

    def _save_moments(self) -> None:
        try:
            case = self.need_reading()
            frame, folder = case.timeline(), case.folder.exports
            folder.mkdir(parents=True, exist_ok=True)
            number = 1
            while (folder / f"timeline-{number:02d}.csv").exists():
                number += 1
            timeline.write_csv(frame, folder / f"timeline-{number:02d}.csv")
            timeline.write_jsonl(frame, folder / f"timeline-{number:02d}.jsonl")
        except Exception as error:  # noqa: BLE001 - shown as one message on the page
            self.answer.children = (trouble(error),)
            return
        words = f"{len(frame):,} moments are in {folder}, timeline-{number:02d}"
        self.answer.children = (block(html.escape(words), kind="good"),)
