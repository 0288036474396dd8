"""CSV that a spreadsheet opens without harm: evidence never becomes a formula.

A cell that begins with ``=``, ``+``, ``-``, ``@``, a tab, a line end, their full-width forms or an
apostrophe gets an apostrophe before it; :func:`bare` takes it away again. Control characters
appear as their pictures (U+2400 and after). Files are UTF-8 with a byte order mark, lines end
with CRLF (RFC 4180), times are ISO 8601.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any

__all__ = ["bare", "guarded", "parse", "render", "stamp", "without_controls"]

_RISKY = tuple("=+-@\t\r\n'＝＋－＠")
_PICTURES = {code: 0x2400 + code for code in range(0x20) if code not in {0x09, 0x0A}}
_PICTURES |= {0x7F: 0x2421}


def without_controls(text: str) -> str:
    """Show control characters as pictures; tabs and line feeds stay, lone surrogates become �."""
    return text.encode("utf-8", "replace").decode("utf-8").translate(_PICTURES)


def guarded(text: str) -> str:
    """Return a cell that no spreadsheet takes for a formula."""
    text = without_controls(text)
    return f"'{text}" if text.startswith(_RISKY) else text


def bare(cell: str) -> str:
    """Undo the apostrophe of :func:`guarded`."""
    return cell.removeprefix("'")


def stamp(moment: datetime | None, zone: tzinfo = UTC) -> str:
    """Return a moment as ``2026-11-12T09:42:07Z`` or with its offset; ``""`` when unknown."""
    if moment is None:
        return ""
    try:
        local = moment.astimezone(zone)
    except OverflowError:
        local = moment
    return local.isoformat(timespec="seconds").replace("+00:00", "Z")


def render(columns: Sequence[str], rows: Iterable[Mapping[str, Any]]) -> bytes:
    """Return a CSV file; a missing or unknown value is an empty cell, a time is in UTC."""
    stream = io.StringIO(newline="")
    writer = csv.writer(stream)
    writer.writerow(columns)
    writer.writerows([_cell(row.get(name)) for name in columns] for row in rows)
    return stream.getvalue().encode("utf-8-sig")


def parse(data: bytes) -> tuple[set[str], list[dict[str, str]]]:
    """Return the columns and rows of a CSV file that :func:`render` made, apostrophes taken away.

    Raises
    ------
    UnicodeDecodeError, csv.Error
        The file is none of ours, or damaged.
    """
    reader = csv.DictReader(io.StringIO(data.decode("utf-8-sig"), newline=""), strict=True)
    rows = [
        {name: bare(cell or "") for name, cell in row.items() if isinstance(name, str)}
        for row in reader
    ]
    return set(reader.fieldnames or ()), rows


def _cell(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, int):
        return str(value)
    if isinstance(value, datetime):
        return stamp(value)
    if isinstance(value, list | tuple):
        return guarded("; ".join(str(part) for part in value))
    return guarded(str(value))
