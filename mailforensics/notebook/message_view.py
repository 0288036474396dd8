"""A message shown safely: nothing of it is run, rendered as it stands, or fetched."""

from __future__ import annotations

import html
from typing import Any

import ipywidgets as widgets
import pandas as pd

from mailforensics import mime
from mailforensics.case import Case
from mailforensics.errors import MailForensicsError
from mailforensics.notebook.page import block
from mailforensics.notebook.words import say

__all__ = ["message_view"]

TEXT_LIMIT = 20_000
HEADER_LIMIT = 20_000
RAW_LIMIT = 4_096


def message_view(case: Case, row: dict[str, Any]) -> widgets.Widget:
    """Return the view of one row of the messages table."""
    parts: list[tuple[str, widgets.Widget]] = [("Why and where", block(_why(row)))]
    try:
        raw = case.raw(str(row["item_id"]))
    except MailForensicsError as error:
        parts.insert(0, ("Message", block(html.escape(error.message), kind="warn")))
    else:
        record = mime.read_message(raw, source_ref="")
        text = html.escape(record.text[:TEXT_LIMIT]) or "(no text)"
        parts.insert(0, ("Message", block(f"{_facts(row)}<code>{text}</code>")))
        parts.insert(1, ("Attachments", block(_attachments(case, row))))
        parts.append(("Headers", block(f"<code>{html.escape(_headers(raw))}</code>")))
        parts.append(("Raw bytes", block(f"<code>{html.escape(_dump(raw))}</code>")))
    return widgets.Tab(
        children=[widget for _, widget in parts], titles=[title for title, _ in parts]
    )


def _text(value: Any) -> str:
    if isinstance(value, str):
        return value
    if value is None or (pd.api.types.is_scalar(value) and pd.isna(value)):
        return ""
    if pd.api.types.is_list_like(value):
        return ", ".join(str(part) for part in value)
    return str(value)


def _facts(row: dict[str, Any]) -> str:
    lines = [
        ("Subject", row["subject"]),
        ("From", f"{_text(row['from_name'])} <{_text(row['from_addr'])}>"),
        ("To", row["to_addrs"]),
        ("Sent (UTC)", row["sent_at"]),
    ]
    cells = "".join(
        f"<tr><th>{name}</th><td>{html.escape(_text(value))}</td></tr>" for name, value in lines
    )
    return f"<table>{cells}</table>"


def _why(row: dict[str, Any]) -> str:
    state = say(f"state.{row['deletion_state']}")
    lines = [
        ("What became of it", state),
        ("Why we say so", row["deletion_basis"]),
        ("How sure", row["confidence"]),
        ("Deleted", f"{_text(row['deleted_at'])} {_text(row['deleted_at_kind'])}"),
        ("By", row["deleted_by"]),
        ("Evidence", f"{_text(row['evidence_id'])} {_text(row['source_path'])}"),
        ("Place", row["source_ref"]),
        ("Bytes from, how many", f"{_text(row['source_offset'])}, {_text(row['source_length'])}"),
        ("SHA-256", row["sha256"]),
        ("How complete", row["completeness"]),
        ("Read by", f"{_text(row['reader'])} {_text(row['reader_version'])}"),
    ]
    cells = "".join(
        f"<tr><th>{name}</th><td>{html.escape(_text(value))}</td></tr>" for name, value in lines
    )
    return f"<table>{cells}</table>"


def _attachments(case: Case, row: dict[str, Any]) -> str:
    frame = case.attachments()
    mine = frame[frame["item_id"] == row["item_id"]]
    if mine.empty:
        return "No attachments."
    lines = "".join(
        f"<tr><td>{html.escape(_text(each['name']))}</td><td>{html.escape(_text(each['media_type']))}"
        f'</td><td class="number">{_text(each["size"])}</td><td>{_text(each["sha256"])}</td></tr>'
        for each in mine.to_dict("records")
    )
    head = "<tr><th>Name</th><th>Type</th><th>Bytes</th><th>SHA-256</th></tr>"
    return f"<table>{head}{lines}</table>"


def _headers(raw: bytes) -> str:
    ends = [place for place in (raw.find(b"\r\n\r\n"), raw.find(b"\n\n")) if place >= 0]
    return raw[: min([*ends, HEADER_LIMIT])].decode("utf-8", "replace")


def _dump(raw: bytes) -> str:
    """Return the first bytes as hexadecimal and text, 16 a line."""
    lines = []
    for start in range(0, min(len(raw), RAW_LIMIT), 16):
        part = raw[start : start + 16]
        text = "".join(chr(byte) if 32 <= byte < 127 else "." for byte in part)
        lines.append(f"{start:08x}  {part.hex(' '):<47}  {text}")
    return "\n".join(lines)
