"""The CSV load file: EML files, and a table of them for a review platform or a spreadsheet."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from datetime import tzinfo
from types import MappingProxyType
from typing import Any

import pandas as pd

from mailforensics.export.cells import render, stamp
from mailforensics.export.chosen import About, Outcome, records
from mailforensics.export.mih import mih

__all__ = ["HEADINGS", "LOADFILE", "loadfile"]

LOADFILE = "loadfile.csv"

HEADINGS = MappingProxyType(
    {
        "item_id": "Item",
        "evidence_id": "Evidence item",
        "custodian": "Custodian",
        "reader": "Read by",
        "reader_version": "Reader version",
        "source_path": "Path in the evidence",
        "source_ref": "Place in the source",
        "source_offset": "Offset (bytes)",
        "source_length": "Length (bytes)",
        "parent_item_id": "Carried by item",
        "raw_kind": "Kind of bytes",
        "sha256": "SHA-256 of the original",
        "size": "Size (bytes)",
        "content_key": "Same content key",
        "mailbox": "Mailbox",
        "folder": "Folder",
        "folder_role": "Kind of folder",
        "message_class": "Message class",
        "message_id": "Message-ID",
        "in_reply_to": "In reply to",
        "references": "References",
        "subject": "Subject",
        "from_name": "From (name)",
        "from_addr": "From",
        "sender_addr": "Sender",
        "to_addrs": "To",
        "cc_addrs": "Cc",
        "bcc_addrs": "Bcc",
        "date_header": "Date as written",
        "sent_at": "Sent (UTC)",
        "received_at": "Received (UTC)",
        "stored_at": "Stored (UTC)",
        "modified_at": "Changed (UTC)",
        "sent_offset_min": "Sender's offset from UTC (minutes)",
        "date_source": "Source of the date",
        "charset_declared": "Character set named",
        "charset_used": "Character set used",
        "attachment_count": "Number of attachments",
        "has_body": "Has a body",
        "is_read": "Read",
        "flags": "Flags",
        "deletion_state": "State",
        "deletion_basis": "Basis of the state",
        "confidence": "Confidence",
        "deleted_at": "Deleted (UTC)",
        "deleted_at_kind": "Precision of the deletion time",
        "deleted_by": "Deleted by",
        "completeness": "Completeness",
        "defects": "Defects",
    }
)
"""Every column of the messages table -> its heading in the load file."""


def loadfile(
    outcomes: Iterable[Outcome],
    attachments: pd.DataFrame | None,
    about: About,
) -> bytes:
    """Return ``loadfile.csv``: one row for each chosen message, also for those without bytes.

    ``DocID`` counts by date; ``File`` is the path in the export. Lists are joined with ``; ``. A
    cell that a spreadsheet would take for a formula begins with an apostrophe.
    """
    lists = _attachment_lists(attachments)
    local = f"Sent ({about.tz})"
    columns = ("DocID", "File", *HEADINGS.values(), local, "EDRM MIH", "SHA-256 of the file")
    columns += ("Attachments", "Attachments SHA-256", "Export", "Reason", "Note")
    return render(columns, _rows(outcomes, lists, local, about.zone))


def _rows(
    outcomes: Iterable[Outcome], lists: Mapping[str, list[dict[str, Any]]], local: str, zone: tzinfo
) -> Iterator[dict[str, Any]]:
    for number, outcome in enumerate(outcomes, 1):
        message, place = outcome.chosen, outcome.place
        row = {heading: message.row.get(name) for name, heading in HEADINGS.items()}
        parts = lists.get(message.item_id, [])
        yield row | {
            "DocID": f"MF{number:08}",
            "File": place.file if place else "",
            local: stamp(message.moment("sent_at"), zone),
            "EDRM MIH": mih(message.text("message_id")),
            "SHA-256 of the file": place.sha256 if place else "",
            "Attachments": [part.get("name") or "(no name)" for part in parts],
            "Attachments SHA-256": [part.get("sha256") or "-" for part in parts],
            "Export": outcome.status,
            "Reason": outcome.reason,
            "Note": outcome.note,
        }


def _attachment_lists(attachments: pd.DataFrame | None) -> dict[str, list[dict[str, Any]]]:
    lists: dict[str, list[dict[str, Any]]] = {}
    if attachments is not None:
        for part in sorted(records(attachments), key=lambda part: part.get("position") or 0):
            lists.setdefault(str(part.get("item_id")), []).append(part)
    return lists
