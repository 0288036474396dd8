"""Page 04: whether what was found is genuine and complete."""

from __future__ import annotations

import html

import ipywidgets as widgets

from mailforensics import checks
from mailforensics.ingest import Progress
from mailforensics.notebook.page import Page, block
from mailforensics.notebook.work import Work

__all__ = ["CheckPage"]

_KINDS = {"pass": "good", "fail": "bad", "warn": "warn", "not_applicable": ""}
_VERDICTS = {
    "pass": "✓ passed",
    "fail": "✗ failed",
    "warn": "! look at this",
    "not_applicable": "–",
}
SHOWN = 200


class CheckPage(Page):
    """Runs the checks and shows a card for each."""

    def check(self) -> None:
        """Show the Check button and the cards of the last run."""
        self.show(self._form)

    def _form(self) -> widgets.Widget:
        case = self.need_reading()
        self.work = Work("Check", self._check)
        if not case.checks().empty:
            self.work.result.children = (self._cards(),)
        return self.work.widget

    def _check(self, work: Work) -> widgets.Widget:
        case = self.need_reading()
        case.check(
            progress=lambda done, total: work.report(Progress("check", "messages", done, total)),
        )
        return self._cards()

    def _cards(self) -> widgets.Widget:
        cards = checks.cards(self.need_case().checks())
        return widgets.VBox([_card(card) for card in cards])


def _card(card: checks.Card) -> widgets.Widget:
    exceptions = "".join(
        f"<tr><td>{html.escape(str(row['summary']))}</td></tr>"
        for row in card.exceptions.head(SHOWN).to_dict("records")
    )
    listed = (
        f"<details><summary>{len(card.exceptions):,} exceptions</summary>"
        f"<table>{exceptions}</table></details>"
        if exceptions
        else ""
    )
    status = str(card.status)
    return block(
        f"<h2>{html.escape(card.title)} — {_VERDICTS[status]}</h2>"
        f"<p>{html.escape(card.summary)}</p>{listed}"
        f"<p><small>Shows: {html.escape(card.proves)} Does not show: "
        f"{html.escape(card.proves_not)}</small></p>",
        kind=_KINDS[status],
    )
