"""The tables of the report: one function a section, each giving plain values to the template."""

from __future__ import annotations

from datetime import datetime
from pathlib import PurePath
from typing import Any

import pandas as pd

from mailforensics.export.report.material import Material
from mailforensics.export.report.wording import flat, size
from mailforensics.schema import CheckStatus, Operation

__all__ = [
    "REMOVALS",
    "balance_section",
    "checks_section",
    "counted",
    "custody_section",
    "deleted_list",
    "evidence_section",
    "findings_section",
    "log_section",
    "manifest_section",
]

REMOVALS = frozenset({Operation.MARK_DELETED, Operation.EXPUNGE, Operation.FOLDER_DELETE})
"""What a log line says when something was deleted."""

_COUNTS = ("declared", "read", "failed", "skipped")
_WORST = (CheckStatus.FAIL, CheckStatus.WARN, CheckStatus.PASS, CheckStatus.NOT_APPLICABLE)
_VERDICTS = (CheckStatus.PASS, CheckStatus.WARN, CheckStatus.FAIL, CheckStatus.NOT_APPLICABLE)
_MOST_NAMES = 4


def counted(frame: pd.DataFrame, column: str) -> list[tuple[str, int]]:
    """Return the values of a column with how often each occurs, most frequent first."""
    counts = frame[column].dropna().value_counts()
    pairs = [(str(value), int(n)) for value, n in counts.items() if str(value)]
    return sorted(pairs, key=lambda pair: (-pair[1], pair[0]))


def deleted_list(deleted: pd.DataFrame) -> pd.DataFrame:
    """Return one row for each deleted message: the best copy, if none of its copies is live."""
    keep = pd.Series(data=True, index=deleted.index)
    if "best" in deleted.columns:
        keep &= deleted["best"].fillna(value=False).astype(bool)
    if "still_live" in deleted.columns:
        keep &= ~deleted["still_live"].fillna(value=False).astype(bool)
    return deleted[keep].sort_values(
        ["sent_at", "item_id"], ascending=[False, True], na_position="last"
    )


def findings_section(material: Material) -> dict[str, Any]:
    """Return the table of deleted messages."""
    frame = deleted_list(material.deleted)
    rows = [_finding(material, row) for row in material.some(frame)]
    return {"rows": rows, "shown": material.listed(len(frame), "the_manifest")}


def _finding(material: Material, row: dict[str, Any]) -> dict[str, Any]:
    say, text = material.say, material.text
    sender = " ".join(text(row[name]) for name in ("from_name", "from_addr") if row[name])
    count = row["attachment_count"] or 0
    return {
        "sent": material.time(row["sent_at"]) or say("unknown_date"),
        "subject": text(row["subject"]) or say("no_subject"),
        "people": say(
            "from_to", sender=sender or say("no_sender"), recipients=_recipients(material, row)
        ),
        "where": _where(material, row),
        "attachments": say("attachments", count) if count else "",
        "state": say.word("state", row["deletion_state"] or ""),
        "at": _deleted_at(material, row),
        "by": say("by", who=text(row["deleted_by"])) if row["deleted_by"] else "",
        "basis": text(row["deletion_basis"]),
        "confidence": say.word("confidence", row["confidence"] or ""),
        "left": say.word("completeness", row["completeness"] or ""),
        "completeness": row["completeness"],
        "raw": say.word("raw", row["raw_kind"] or ""),
        "item": row["item_id"],
        "place": " ".join(text(row[n]) for n in ("evidence_id", "source_path", "source_ref")),
    }


def _recipients(material: Material, row: dict[str, Any]) -> str:
    names = [*(row["to_addrs"] or ()), *(row["cc_addrs"] or ()), *(row["bcc_addrs"] or ())]
    if not names:
        return material.say("nobody")
    shown = ", ".join(material.text(name) for name in names[:_MOST_NAMES])
    rest = len(names) - _MOST_NAMES
    return f"{shown} {material.say('and_more', rest)}" if rest > 0 else shown


def _where(material: Material, row: dict[str, Any]) -> str:
    parts = []
    if row["folder"]:
        parts.append(material.say("in_folder", folder=material.text(row["folder"])))
    if row["mailbox"]:
        parts.append(material.say("of_mailbox", mailbox=material.text(row["mailbox"])))
    return ", ".join(parts)


def _deleted_at(material: Material, row: dict[str, Any]) -> str:
    if row["deleted_at"] is None:
        return material.say("at.unknown")
    moment = material.time(row["deleted_at"])
    return material.say(f"at.{row['deleted_at_kind'] or 'exact'}", time=moment)


def log_section(material: Material) -> dict[str, Any]:
    """Return what the logs say was deleted."""
    events = material.events
    removals = events[events["operation"].isin(REMOVALS)].sort_values(["at", "event_id"])
    rows = [
        {
            "at": material.time(row["at"]) or material.say("unknown_date"),
            "actor": material.text(row["actor"]),
            "address": material.text(row["client_ip"]),
            "operation": material.say.word("operation", row["operation"]),
            "folder": material.text(row["folder"]),
            "subject": material.text(row["subject"] or row["message_id"]),
            "place": f"{material.text(row['evidence_id'])} {material.text(row['source_ref'])}",
        }
        for row in material.some(removals)
    ]
    return {"rows": rows, "shown": material.listed(len(removals), "the_case")}


def balance_section(material: Material) -> dict[str, Any]:
    """Return the count balance of each source, and every item that was not read."""
    reads = material.reads
    sources = [_source(material, row) for row in material.some(_of_kind(reads, "source"))]
    whole = _of_kind(reads, "source")
    totals = {name: int(whole[name].fillna(0).sum()) for name in _COUNTS}
    ends = sum(whole[name].fillna(0) for name in _COUNTS[1:])
    odd = int((whole["declared"].fillna(0) != ends).sum()) if len(whole) else 0
    faults = reads[reads["row_kind"] != "source"]
    say = material.say
    shown = {name: f"{n:,}" for name, n in totals.items()}
    return {
        "sources": sources,
        "shown_sources": material.listed(len(whole), "the_case"),
        "totals": shown,
        "sentence": say("balance_sentence", **shown),
        "verdict": say("unbalanced", odd) if odd else say("balanced"),
        "balanced": not odd,
        "faults": [_fault(material, row) for row in material.some(faults)],
        "shown_faults": material.listed(len(faults), "the_case"),
    }


def _of_kind(reads: pd.DataFrame, kind: str) -> pd.DataFrame:
    return reads[reads["row_kind"] == kind]


def _source(material: Material, row: dict[str, Any]) -> dict[str, Any]:
    counts = {name: int(row[name] or 0) for name in _COUNTS}
    return {
        "place": f"{material.text(row['evidence_id'])} {material.text(row['source_path'])}",
        "reader": f"{material.text(row['reader'])} {material.text(row['reader_version'])}",
        **{name: f"{n:,}" for name, n in counts.items()},
        "balances": counts["declared"] == counts["read"] + counts["failed"] + counts["skipped"],
    }


def _fault(material: Material, row: dict[str, Any]) -> dict[str, Any]:
    place = " ".join(material.text(row[n]) for n in ("evidence_id", "source_path", "source_ref"))
    kind = str(row["row_kind"])
    return {
        "place": place,
        "kind": material.say.word("rowkind", kind),
        "count": f"{int(row.get(kind) or 0):,}" if kind in _COUNTS else "",
        "reason": material.text(row["reason"]),
        "detail": material.text(row["detail"]),
    }


def checks_section(material: Material) -> dict[str, Any]:
    """Return each check with its verdict, what it proves, and its exceptions."""
    checks = material.checks
    subjects = material.subjects(checks["item_id"])
    names = list(dict.fromkeys(checks["check"].dropna()))
    cards = [_card(material, name, checks[checks["check"] == name], subjects) for name in names]
    return {"cards": cards}


def _card(
    material: Material, name: str, rows: pd.DataFrame, subjects: dict[str, str]
) -> dict[str, Any]:
    say, told = material.say, material.explanations.get(name)
    single = rows["item_id"].notna() | rows["evidence_id"].notna()
    whole, apart = rows[~single], rows[single]
    odd = apart[apart["status"].isin([CheckStatus.FAIL, CheckStatus.WARN])]
    if whole.empty:
        whole = apart[apart["item_id"].isna() & ~apart.index.isin(odd.index)]
    status = _worst(rows)
    return {
        "title": told.title if told else name.replace("_", " ").capitalize(),
        "proves": told.proves if told else "",
        "proves_not": told.does_not_prove if told else "",
        "status": status.value,
        "verdict": say.word("status", status),
        "sentences": [
            (material.text(row["summary"]), material.text(row["detail"]))
            for row in material.some(whole)
        ],
        "counts": _verdicts(material, apart),
        "exceptions": [_exception(material, row, subjects) for row in material.some(odd)],
        "shown": material.listed(len(odd), "the_case"),
    }


def _worst(rows: pd.DataFrame) -> CheckStatus:
    there = set(rows["status"].dropna())
    return next((status for status in _WORST if status in there), CheckStatus.NOT_APPLICABLE)


def _verdicts(material: Material, rows: pd.DataFrame) -> str:
    if rows.empty:
        return ""
    counts = rows["status"].value_counts()
    passed, warned, failed, unfit = (f"{int(counts.get(status, 0)):,}" for status in _VERDICTS)
    return material.say("verdicts", passed=passed, warned=warned, failed=failed, unfit=unfit)


def _exception(material: Material, row: dict[str, Any], subjects: dict[str, str]) -> dict[str, Any]:
    say, item = material.say, row["item_id"]
    if item:
        about = material.text(subjects.get(item)) or say("no_subject")
    elif row["evidence_id"]:
        about = say("evidence_item", name=row["evidence_id"])
    else:
        about = say("whole_case")
    return {
        "about": about,
        "item": item or "",
        "status": row["status"],
        "verdict": say.word("status", row["status"]),
        "found": material.text(row["summary"]),
        "detail": material.text(row["detail"]),
    }


def evidence_section(material: Material) -> dict[str, Any]:
    """Return the evidence items with their hashes."""
    say = material.say
    rows = [
        {
            "id": row["evidence_id"],
            "name": material.text(row["name"]),
            "description": material.text(row["description"]),
            "note": material.text(row["note"]),
            "owner": material.text(row["custodian"]),
            "mailbox": material.text(row["mailbox"]),
            "size": size(row["size"]),
            "files": say("files", row["file_count"]) if row["file_count"] else "",
            "as_of": say("as_of", time=material.time(row["as_of"])) if row["as_of"] else "",
            "acquired": material.time(row["acquired_at"]),
            "acquired_by": material.text(row["acquired_by"]),
            "sha256": row["sha256"] or "",
            "md5": row["md5"] or "",
        }
        for row in material.some(material.evidence)
    ]
    return {"rows": rows, "shown": material.listed(len(material.evidence), "the_case")}


def manifest_section(material: Material) -> dict[str, Any]:
    """Return the exported files with their hashes."""
    exports = material.exports
    subjects = material.subjects(exports["item_id"])
    rows = [
        {
            "export": material.text(row["export_id"]),
            "file": material.text(PurePath(str(row["path"]).replace("\\", "/")).name),
            "subject": material.text(subjects.get(row["item_id"], "")),
            "item": row["item_id"],
            "sha256": row["sha256"] or "",
            "same": _compared(material, row),
        }
        for row in material.some(exports)
    ]
    return {"rows": rows, "shown": material.listed(len(exports), "the_manifest")}


def _compared(material: Material, row: dict[str, Any]) -> str:
    if row["form"] == "mbox":
        return material.say("several")
    if not row["source_sha256"]:
        return material.say("rebuilt")
    return material.say("same") if row["source_sha256"] == row["sha256"] else ""


def custody_section(material: Material) -> dict[str, Any]:
    """Return the rows of the custody log and what is wrong with its chain."""
    say, faults = material.say, material.custody_faults
    log = list(material.custody)
    rows = [
        {
            "row": flat(row.get("row", number)),
            "at": _logged_at(material, flat(row.get("at"))),
            "actor": material.text(row.get("actor")),
            "action": material.text(row.get("action")),
            "detail": material.text(flat(row.get("detail"))),
            "hash": material.text(row.get("hash")),
        }
        for number, row in enumerate(log[: material.most_rows], 1)
    ]
    told = [say("custody_fault", row=fault.row, what=fault.what) for fault in faults or ()]
    if faults is not None and not faults and log:
        told = [say("custody_holds")]
    return {
        "rows": rows,
        "shown": material.listed(len(log), "the_case"),
        "chain": told,
        "broken": bool(faults),
    }


def _logged_at(material: Material, text: str) -> str:
    """Show a time of the log in the zone of the case; as it stands, if it is none."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return text
    return material.time(moment) if moment.tzinfo else text
