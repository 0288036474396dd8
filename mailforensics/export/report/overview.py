"""The first page: what happened, what can be given back, what remains unknown."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

import pandas as pd

from mailforensics.export.report.material import Material
from mailforensics.export.report.tables import REMOVALS, counted, deleted_list
from mailforensics.schema import CheckStatus, Confidence, DeletedAtKind, RawKind

__all__ = ["overview"]

_MOST_NAMED = 3


def overview(material: Material) -> dict[str, Any]:
    """Return what the first page shows."""
    rows = deleted_list(material.deleted)
    summary, say = material.summary, material.say
    parts = ("total", "whole", "in_part", "traces")
    counts = (summary.total, summary.whole, summary.in_part, summary.traces_only)
    tiles = [
        {"number": f"{n:,}", "words": say(f"tile_{part}"), "part": part}
        for part, n in zip(parts, counts, strict=True)
    ]
    return {
        "headline": _headline(material),
        "still_live": say("still_live", summary.still_live) if summary.still_live else "",
        "tiles": tiles,
        "happened": _happened(material, rows),
        "back": _back(material, rows),
        "unknown": _unknown(material, rows),
    }


def _headline(material: Material) -> str:
    summary, say = material.summary, material.say
    if say.language == "en":
        return summary.sentence
    names = ("total", "whole", "in_part", "traces_only")
    return say("headline", **{name: f"{getattr(summary, name):,}" for name in names})


def _happened(material: Material, rows: pd.DataFrame) -> list[str]:
    if rows.empty:
        return [material.say("happened_none")]
    return [
        *_where(material, rows),
        *_when(material, rows),
        *_by_whom(material, rows),
        *_from_where(material),
    ]


def _where(material: Material, rows: pd.DataFrame) -> list[str]:
    folders = counted(rows, "folder")
    if not folders:
        return []
    named = [f"{name} ({n:,})" for name, n in folders[:_MOST_NAMED]]
    if missing := len(rows) - sum(n for _, n in folders):
        named.append(f"{material.say('no_folder')} ({missing:,})")
    if len(folders) > _MOST_NAMED:
        named.append(material.say("and_more", len(folders) - _MOST_NAMED))
    return [material.say("happened_where", folders=_joined(material, named))]


def _when(material: Material, rows: pd.DataFrame) -> list[str]:
    exact = rows[(rows["deleted_at_kind"] == DeletedAtKind.EXACT).fillna(value=False)]
    moments: list[datetime] = sorted(exact["deleted_at"].dropna())
    if not moments:
        return [material.say("happened_no_time")]
    first, last = material.time(moments[0]), material.time(moments[-1])
    key = "happened_once" if first == last else "happened_when"
    return [material.say(key, len(moments), first=first, last=last)]


def _by_whom(material: Material, rows: pd.DataFrame) -> list[str]:
    actors = counted(rows, "deleted_by")
    if not actors:
        return [material.say("happened_no_actor")]
    told = [material.say("happened_by", n, who=name) for name, n in actors[:_MOST_NAMED]]
    if rest := sum(n for _, n in actors[_MOST_NAMED:]):
        told.append(material.say("happened_other", rest))
    return [*told, material.say("account_note")]


def _from_where(material: Material) -> list[str]:
    events = material.events
    if events.empty:
        return []
    addresses = counted(events[events["operation"].isin(REMOVALS)], "client_ip")
    if not addresses:
        return []
    named = [name for name, _ in addresses[:_MOST_NAMED]]
    if len(addresses) > _MOST_NAMED:
        named.append(material.say("and_more", len(addresses) - _MOST_NAMED))
    return [material.say("happened_from", addresses=_joined(material, named))]


def _back(material: Material, rows: pd.DataFrame) -> list[str]:
    say, summary = material.say, material.summary
    told = [
        say(f"back_{part}", n)
        for part, n in (("whole", summary.whole), ("in_part", summary.in_part))
        if n
    ]
    kinds: Mapping[str, int] = dict(counted(rows, "raw_kind"))
    for key, kind in (("exact", RawKind.ORIGINAL), ("rebuilt", RawKind.REBUILT_FROM_MAPI)):
        if kinds.get(kind):
            told.append(say(f"back_{key}", kinds[kind]))
    exported = material.exports["item_id"].nunique() if len(material.exports) else 0
    if exported:
        return [*told, say("back_exported", exported, section=material.numbers["manifest"])]
    return [*told, say("back_not_exported")]


def _unknown(material: Material, rows: pd.DataFrame) -> list[str]:
    say = material.say
    balance, checks = material.numbers["balance"], material.numbers["checks"]
    failed, odd = _failures(material.reads)
    counts = {
        "unknown_traces": (material.summary.traces_only, 0),
        "unknown_time": (int(rows["deleted_at"].isna().sum()), 0),
        "unknown_actor": (int(rows["deleted_by"].isna().sum()), 0),
        "unknown_possible": (int((rows["confidence"] == Confidence.POSSIBLE).sum()), 0),
        "unknown_failed": (failed, balance),
        "unknown_unbalanced": (odd, balance),
        "unknown_checks": (_doubted(material.checks), checks),
    }
    told = [say(key, n, section=section) for key, (n, section) in counts.items() if n]
    if material.checks.empty:
        told.append(say("unknown_unchecked"))
    return [*(told or [say("unknown_nothing")]), say("unknown_outside")]


def _failures(reads: pd.DataFrame) -> tuple[int, int]:
    """Return how many items failed and how many sources do not balance."""
    if reads.empty:
        return 0, 0
    sources = reads[reads["row_kind"] == "source"]
    numbers = sources[["declared", "read", "failed", "skipped"]].fillna(0)
    ends = numbers["read"] + numbers["failed"] + numbers["skipped"]
    return int(numbers["failed"].sum()), int((numbers["declared"] != ends).sum())


def _doubted(checks: pd.DataFrame) -> int:
    if checks.empty:
        return 0
    bad = checks["status"].isin([CheckStatus.FAIL.value, CheckStatus.WARN.value])
    return int(checks[bad]["check"].nunique())


def _joined(material: Material, parts: list[str]) -> str:
    return ("、" if material.say.language == "zh" else ", ").join(map(material.text, parts))
