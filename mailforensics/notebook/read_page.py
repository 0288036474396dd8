"""Page 02: reading, and the balance of what was read."""

from __future__ import annotations

import html

import ipywidgets as widgets
import pandas as pd

from mailforensics.notebook.page import Page, block
from mailforensics.notebook.work import Work

__all__ = ["ReadPage"]


class ReadPage(Page):
    """Reads the evidence and shows that every count balances."""

    def read(self) -> None:
        """Show the Read button; the balance appears when reading is done."""
        self.show(self._read_form)

    def _read_form(self) -> widgets.Widget:
        self.need_case()
        self.counts = widgets.VBox()
        self.work = Work("Read", self._read)
        return self.work.widget

    def _read(self, work: Work) -> None:
        self.need_case().read(report=work.report, stop=work.stopping)
        self.counts.children = (self._balance(),)

    def balance(self) -> None:
        """Show declared, read, failed and skipped for each source, each fault with its reason."""
        self.show(self._show_balance)

    def _show_balance(self) -> widgets.Widget:
        self.counts.children = (self._balance(),)
        return self.counts

    def _balance(self) -> widgets.Widget:
        reads = self.need_case().reads()
        if reads.empty:
            return block("Nothing is read yet.")
        sources = reads[reads["row_kind"] == "source"]
        totals = {
            name: int(sources[name].fillna(0).sum())
            for name in ("declared", "read", "failed", "skipped")
        }
        good = totals["declared"] == totals["read"] + totals["failed"] + totals["skipped"]
        line = (
            f"Declared {totals['declared']:,} = read {totals['read']:,} + "
            f"failed {totals['failed']:,} + skipped {totals['skipped']:,}"
        )
        verdict = "Every count balances." if good else "The count does not balance."
        head = block(
            f'<span class="headline">{line}</span><br>{verdict}', kind="good" if good else "bad"
        )
        return widgets.VBox([head, block(_source_table(sources)), *self._faults(reads)])

    @staticmethod
    def _faults(reads: pd.DataFrame) -> list[widgets.Widget]:
        made = []
        for kind, title in (
            ("failed", "could not be read"),
            ("skipped", "left out"),
            ("note", "notes"),
        ):
            rows = reads[reads["row_kind"] == kind]
            if not rows.empty:
                made.append(block(_fault_list(rows, title)))
        return made


def _source_table(sources: pd.DataFrame) -> str:
    """Return one row for each reader of each evidence item."""
    grouped = (
        sources.assign(reader=sources["reader"].fillna("—"))
        .groupby(["evidence_id", "reader"], sort=True)[["declared", "read", "failed", "skipped"]]
        .sum()
        .reset_index()
    )
    titles = ("Evidence", "Read by", "Declared", "Read", "Failed", "Skipped")
    head = "".join(f"<th>{title}</th>" for title in titles)
    rows = "".join(
        "<tr>"
        + "".join(f"<td>{html.escape(str(row[name]))}</td>" for name in ("evidence_id", "reader"))
        + "".join(
            f'<td class="number">{int(row[name]):,}</td>'
            for name in ("declared", "read", "failed", "skipped")
        )
        + "</tr>"
        for row in grouped.to_dict("records")
    )
    return f"<table><tr>{head}</tr>{rows}</table>"


SHOWN = 500


def _fault_list(rows: pd.DataFrame, title: str) -> str:
    lines = "".join(
        f"<tr><td>{html.escape(str(row['evidence_id']))}</td>"
        f"<td>{html.escape(str(row['source_path'] or ''))} "
        f"{html.escape(str(row['source_ref']) if pd.notna(row['source_ref']) else '')}</td>"
        f"<td>{html.escape(str(row['reason']))}</td></tr>"
        for row in rows.head(SHOWN).to_dict("records")
    )
    more = f"<p>… and {len(rows) - SHOWN:,} more in case.reads().</p>" if len(rows) > SHOWN else ""
    return (
        f"<details><summary>{len(rows):,} {title}: show each with its reason</summary>"
        f"<table>{lines}</table>{more}</details>"
    )
