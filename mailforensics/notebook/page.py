"""What every page has: where one is, what comes next, and one message instead of a traceback."""

from __future__ import annotations

import html
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote

import ipywidgets as widgets
from IPython.display import Markdown, display

from mailforensics.case import Case, open_case
from mailforensics.errors import MailForensicsError
from mailforensics.notebook.words import STEPS, say

__all__ = ["Page", "block", "button", "link_to", "shown_safely", "trouble"]

STYLE = """
<style>
.mf {font-family: system-ui, sans-serif; font-size: 14px; line-height: 1.45; max-width: 72rem}
.mf-steps {display: flex; flex-wrap: wrap; gap: .25rem; margin: 0 0 .6rem; padding: 0}
.mf-steps span {padding: .15rem .6rem; border: 1px solid #9aa5b1; border-radius: 1rem}
.mf-steps span.here {background: #1f4e79; color: #fff; border-color: #1f4e79; font-weight: 600}
.mf h2 {font-size: 1.25rem; margin: .2rem 0}
.mf table {border-collapse: collapse; margin: .4rem 0}
.mf th {text-align: left; border-bottom: 2px solid #52606d; padding: .25rem .6rem}
.mf td {border-bottom: 1px solid #d3dae1; padding: .25rem .6rem; vertical-align: top}
.mf td.number {text-align: right; font-variant-numeric: tabular-nums}
.mf .headline {font-size: 1.15rem; font-weight: 600; margin: .4rem 0}
.mf .warn {border-left: 4px solid #b35900; padding: .3rem .8rem; background: #fff4e5; color: #222}
.mf .bad {border-left: 4px solid #a61b1b; padding: .3rem .8rem; background: #fdecea; color: #222}
.mf .good {border-left: 4px solid #1b6e4b; padding: .3rem .8rem; background: #e7f5ee; color: #222}
.mf code {white-space: pre-wrap; overflow-wrap: anywhere}
</style>
"""


def block(inner: str, *, kind: str = "") -> widgets.HTML:
    """Return HTML of ours as a widget; whatever comes from evidence is escaped by the caller."""
    return widgets.HTML(f'{STYLE}<div class="mf"><div class="{kind}">{inner}</div></div>')


def link_to(path: str, words: str) -> Markdown:
    """Return a link that JupyterLab opens in itself; ``path`` is seen from the notebook."""
    made: Markdown = Markdown(f"### [{words} →]({quote(path)})")  # type: ignore[no-untyped-call]
    return made


def button(verb: str, action: Callable[[], None], *, main: bool = False) -> widgets.Button:
    """Return a button named by its verb."""
    made = widgets.Button(
        description=verb,
        button_style="primary" if main else "",
        layout=widgets.Layout(width="auto", min_width="8rem"),
    )
    made.on_click(lambda _: action())
    return made


def trouble(error: BaseException) -> widgets.Widget:
    """Say what happened, what it means for the case and what to do; the technical text folded."""
    if isinstance(error, MailForensicsError):
        words, hint = error.message, error.hint
    else:
        words, hint = "Something unexpected happened in the program.", ""
    technical = "".join(traceback.format_exception(error))
    text = (
        f"<b>{say('what_happened')}:</b> {html.escape(words)}<br>{say('case_safe')}"
        f"{'<br>' + html.escape(hint) if hint else ''}"
        f"<details><summary>{say('technical')}</summary>"
        f"<code>{html.escape(technical)}</code></details>"
    )
    return block(text, kind="bad")


def shown_safely(make: Callable[[], Any]) -> None:
    """Display what a function makes, or one message when it fails."""
    try:
        made = make()
    except Exception as error:  # noqa: BLE001 - a person sees one message, never a traceback
        made = trouble(error)
    if made is not None:
        display(made)  # type: ignore[no-untyped-call]


class Page:
    """One page of the way, on one case.

    Parameters
    ----------
    number : int
        0 to 7.
    case_folder : str
        Where the case lies, relative to the notebook.
    """

    def __init__(self, number: int, case_folder: str | Path = "..") -> None:
        self.number = number
        self.root = Path(case_folder).resolve()
        self.case: Case | None = None
        self._open()
        self.show(self.header)

    def _open(self) -> None:
        try:
            self.case = open_case(self.root)
        except MailForensicsError:
            self.case = None

    def show(self, make: Callable[[], Any]) -> None:
        """Display what a function makes, or one message when it fails."""
        shown_safely(make)

    def need_case(self) -> Case:
        """Return the case of this page.

        Raises
        ------
        MailForensicsError
            The page belongs to no case.
        """
        if self.case is None:
            raise MailForensicsError(say("no_case"))
        return self.case

    def need_reading(self) -> Case:
        """Return the case when all its evidence is read.

        Raises
        ------
        MailForensicsError
            There is no evidence, or some is not read.
        """
        case = self.need_case()
        items = case.items()
        if not items:
            raise MailForensicsError(say("no_evidence"))
        if not all(case.is_read(item) for item in items):
            raise MailForensicsError(say("not_read"))
        return case

    def header(self) -> widgets.Widget:
        """Return the line that says where one is."""
        steps = "".join(
            f'<span class="{"here" if index == self.number else ""}"'
            f"{' aria-current=step' if index == self.number else ''}>{index} {title}</span>"
            for index, (_, title) in enumerate(STEPS)
        )
        name = html.escape(self.case.settings.name) if self.case else "no case yet"
        zone = html.escape(self.case.settings.time_zone) if self.case else "UTC"
        return block(f'<div class="mf-steps">{steps}</div>Case <b>{name}</b> · times in {zone}')

    def next_step(self) -> Markdown:
        """Return the link to the page that comes next."""
        stem, title = STEPS[min(self.number + 1, len(STEPS) - 1)]
        return link_to(f"{stem}.ipynb", say("next", title=title))
