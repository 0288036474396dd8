"""A table that pages: real HTML text, rows that can be picked and opened, sorted in Python."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping, Sequence
from typing import Any

import anywidget
import pandas as pd
import traitlets

__all__ = ["PagedTable"]

_SCRIPT = """
function cell(tag, text, title) {
  const made = document.createElement(tag);
  made.textContent = text;
  if (title) made.title = title;
  return made;
}
function render({ model, el }) {
  const draw = () => {
    const columns = model.get("columns"), rows = model.get("rows");
    const picked = new Set(model.get("picked"));
    el.replaceChildren();
    el.classList.add("mf-table");
    const table = document.createElement("table");
    const head = table.createTHead().insertRow();
    const first = cell("th", model.get("pick_title"));
    first.style.width = "3rem";
    head.append(first);
    for (const [name, title, width] of columns) {
      const th = document.createElement("th");
      th.style.width = width;
      const sort = document.createElement("button");
      const [key, down] = model.get("sort");
      sort.textContent = title + (key === name ? (down ? " ▼" : " ▲") : "");
      th.setAttribute("aria-sort", key === name ? (down ? "descending" : "ascending") : "none");
      sort.onclick = () => {
        model.set("sort", [name, key === name ? !down : false]);
        model.save_changes();
      };
      th.append(sort);
      head.append(th);
    }
    const body = table.createTBody();
    for (const row of rows) {
      const line = body.insertRow();
      if (row.id === model.get("opened")) line.className = "open";
      const box = document.createElement("input");
      box.type = "checkbox";
      box.checked = picked.has(row.id);
      box.setAttribute("aria-label", model.get("pick_title") + ": " + row.label);
      box.onchange = () => {
        const now = new Set(model.get("picked"));
        box.checked ? now.add(row.id) : now.delete(row.id);
        model.set("picked", [...now]);
        model.save_changes();
      };
      line.insertCell().append(box);
      row.cells.forEach((text, index) => {
        const td = line.insertCell();
        if (index === model.get("link_column")) {
          const open = document.createElement("button");
          open.className = "link";
          open.textContent = text || "—";
          open.title = text;
          open.onclick = () => { model.set("opened", row.id); model.save_changes(); };
          td.append(open);
        } else { td.textContent = text; td.title = text; }
      });
    }
    const foot = document.createElement("div");
    foot.className = "foot";
    const step = (text, by, off) => {
      const made = document.createElement("button");
      made.textContent = text;
      made.disabled = off;
      made.onclick = () => { model.set("page", model.get("page") + by); model.save_changes(); };
      return made;
    };
    const page = model.get("page"), pages = model.get("pages");
    foot.append(step("‹ " + model.get("back_title"), -1, page <= 0),
      cell("span", model.get("foot")),
      step(model.get("on_title") + " ›", 1, page >= pages - 1));
    el.append(table, foot);
  };
  draw();
  for (const name of ["rows", "picked", "opened", "foot", "columns"])
    model.on("change:" + name, draw);
}
export default { render };
"""

_STYLE = """
.mf-table {font: 13px/1.4 system-ui, sans-serif; max-width: 76rem; overflow-x: auto}
.mf-table table {border-collapse: collapse; width: 100%; table-layout: fixed}
.mf-table th {text-align: left; border-bottom: 2px solid #52606d; padding: .2rem .4rem;
  white-space: nowrap}
.mf-table td {border-bottom: 1px solid #d3dae1; padding: .2rem .4rem; overflow: hidden;
  text-overflow: ellipsis; white-space: nowrap}
.mf-table th button, .mf-table .link {background: none; border: 0; padding: 0;
  font: inherit; color: inherit; cursor: pointer; text-align: left; max-width: 100%;
  overflow: hidden; text-overflow: ellipsis}
.mf-table th button {font-weight: 600}
.mf-table .link {color: #1f4e79; text-decoration: underline}
.mf-table tr.open {background: #e3eef9; color: #111}
.mf-table tr.open .link {color: #1f4e79}
.mf-table .foot {display: flex; gap: 1rem; align-items: center; margin: .4rem 0}
"""


class PagedTable(anywidget.AnyWidget):
    """Shows one page of a frame at a time; a frame of any length costs the same.

    Attributes
    ----------
    picked : list of str
        Ids of the rows whose box is ticked, on whatever page.
    opened : str
        Id of the row that was opened last.
    """

    _esm = _SCRIPT
    _css = _STYLE
    columns: Any = traitlets.List().tag(sync=True)
    rows: Any = traitlets.List().tag(sync=True)
    picked: Any = traitlets.List().tag(sync=True)
    opened = traitlets.Unicode("").tag(sync=True)
    page = traitlets.Int(0).tag(sync=True)
    pages = traitlets.Int(1).tag(sync=True)
    sort: Any = traitlets.List(["", True]).tag(sync=True)
    foot = traitlets.Unicode("").tag(sync=True)
    link_column = traitlets.Int(0).tag(sync=True)
    pick_title = traitlets.Unicode("Mark").tag(sync=True)
    back_title = traitlets.Unicode("Back").tag(sync=True)
    on_title = traitlets.Unicode("On").tag(sync=True)

    def __init__(
        self,
        frame: pd.DataFrame,
        *,
        columns: Sequence[tuple[str, str, str]],
        key: str,
        link: str,
        show: Callable[[str, Any], str],
        size: int = 15,
        **traits: Any,
    ) -> None:
        self._key, self._show, self._size = key, show, size
        self._names = [name for name, _, _ in columns]
        self._frame = frame
        self._sorted = frame
        super().__init__(
            columns=[list(column) for column in columns],
            link_column=self._names.index(link),
            **traits,
        )
        self.observe(lambda _: self._fill(), "page")
        self.observe(lambda _: self._order(), "sort")
        self._fill()

    def set_frame(self, frame: pd.DataFrame) -> None:
        """Show other rows; what is picked stays picked."""
        self._frame = frame
        self._order()

    def _order(self) -> None:
        name, down = self.sort
        self._sorted = (
            self._frame.sort_values(name, ascending=not down, kind="stable", na_position="last")
            if name
            else self._frame
        )
        self.page = 0
        self._fill()

    def _fill(self) -> None:
        total = len(self._sorted)
        self.pages = max(-(-total // self._size), 1)
        page = min(max(self.page, 0), self.pages - 1)
        first = page * self._size
        part = self._sorted.iloc[first : first + self._size]
        self.rows = [self._row(row) for row in part.to_dict("records")]
        last = first + len(part)
        self.foot = f"{first + 1:,}–{last:,} of {total:,}" if total else "no rows"

    def _row(self, row: Mapping[Hashable, Any]) -> dict[str, Any]:
        cells = [self._show(name, row[name]) for name in self._names]
        return {"id": str(row[self._key]), "cells": cells, "label": cells[self.link_column]}
