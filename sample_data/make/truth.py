"""What is true: one row for each message, one for each copy, and the numbers to be found."""

from __future__ import annotations

import csv
import io
import json
from collections import Counter, defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from mailforensics.sample import contents_of
from sample_data.make import outlook
from sample_data.make.fate import FRIDAY, LOG_START, TRACES, Box, World
from sample_data.make.instances import FRIDAY as FRIDAY_COPY
from sample_data.make.instances import LOG, OUTLOOK, STICK, THUNDERBIRD, Instance, instance
from sample_data.make.instances import MONDAY as MONDAY_COPY
from sample_data.make.mail import Sent
from sample_data.make.people import PEOPLE
from sample_data.make.words import why

__all__ = ["EVIDENCE_IDS", "Row", "case_json", "instance_rows", "rows", "table", "truth_json"]

EVIDENCE_IDS = {
    THUNDERBIRD: "E01",
    MONDAY_COPY: "E02",
    FRIDAY_COPY: "E03",
    STICK: "E04",
    LOG: "E05",
    OUTLOOK: "E06",
}
CUSTODIANS = {
    THUNDERBIRD: "Li Na",
    MONDAY_COPY: "Sales",
    FRIDAY_COPY: "Sales",
    STICK: "Zhou Wei",
    LOG: "Sales",
    OUTLOOK: "Chen Zhiyuan",
}
_EASIEST = (FRIDAY_COPY, THUNDERBIRD, MONDAY_COPY, STICK)
STATES = (
    "in_deleted_folder",
    "marked_deleted",
    "orphaned",
    "carved",
    "absent_later",
    "known_only",
)
"""Deleted states, the one from which a message is most easily taken first."""


_IN_OUTLOOK = {"live": "chen_live", "in_deleted_folder": "chen_trash", "orphaned": "chen_gone"}


@dataclass(frozen=True, slots=True)
class Row:
    """One message of the incident: the columns of truth.csv."""

    truth_id: str
    message_id: str
    source_ref: str
    subject: str
    sent_at: str
    from_addr: str
    topic: str
    places: str
    what_was_done: str
    deleted: str
    custodians: str
    expected_states: str
    expected_state: str
    expected_recovery: str
    live_elsewhere: str
    sha256: str
    body_sha256: str
    attachments_sha256: str
    deleted_at: str
    deleted_from: str
    why_en: str
    why_zh: str


def instance_rows(made: World, found: Iterable[Instance]) -> list[Instance]:
    """Return all copies as the case must show them: with what two copies and the log tell.

    What Friday's copy lacks, or holds only as deleted mail, is absent later. What nobody has, and
    the log or an answer tells of, is known only.
    """
    rows = []
    found = list(found)
    deleted_now = {
        entry.key for entry in found if entry.evidence == FRIDAY_COPY and entry.state != "live"
    }
    for entry in found:
        box = made.sales.get(entry.key)
        if entry.evidence == MONDAY_COPY and box is not None and _left(entry, box, deleted_now):
            entry = Instance(  # noqa: PLW2901 - the same copy, seen from Friday
                entry.key,
                entry.evidence,
                entry.path,
                entry.place,
                "absent_later",
                entry.completeness,
                entry.sha256,
                entry.size,
            )
        rows.append(entry)
    for key, message in made.messages.items():
        if message.letter.fate in TRACES:
            source = LOG if key in made.sales else MONDAY_COPY
            rows.append(instance(key, source, "", message.message_id, "known_only", None))
    return rows


def _left(entry: Instance, box: Box, deleted_now: set[str]) -> bool:
    """Say whether a copy of Monday is absent later."""
    if entry.state == "known_only":
        return False
    return box.at(FRIDAY) is None or (entry.state == "live" and entry.key in deleted_now)


def rows(made: World, found: list[Instance]) -> list[Row]:
    """Return the truth table, oldest message first."""
    held: dict[str, list[Instance]] = defaultdict(list)
    for entry in found:
        held[entry.key].append(entry)
    known = [key for key in made.messages if key in held]
    stale = [key for key in held if key.startswith("stale-")]
    return [
        _row(made, key, held[key], f"T{number:04d}")
        for number, key in enumerate([*known, *stale], start=1)
    ]


def _row(made: World, key: str, copies: list[Instance], truth_id: str) -> Row:
    deleted = _deleted_for(copies)
    states = _states(copies)
    state = _state(copies) if deleted else "live"
    recovery = _recovery(copies) if deleted else "live"
    when, source = _deed(made, key)
    done = _done(made, key, copies, deleted)
    message = made.messages.get(key)
    letter = message.letter if message else None
    english, chinese = why(done, recovery)
    body, attachments = _contents(message, copies)
    return Row(
        truth_id=truth_id,
        message_id=message.message_id if message else "",
        source_ref="" if message else f"uidlist:{copies[0].place}",
        subject=letter.subject if letter and letter.key != "d33" else "",
        sent_at=_utc(letter.sent) if letter and letter.key != "d33" else "",
        from_addr=PEOPLE[letter.sender].address if letter and letter.key != "d33" else "",
        topic=letter.topic if letter else "",
        places="; ".join(
            f"{EVIDENCE_IDS[entry.evidence]} {entry.path or entry.evidence}" for entry in copies
        ),
        what_was_done=done,
        deleted="yes" if deleted else "no",
        custodians="; ".join(deleted),
        expected_states=" ".join(states),
        expected_state=state,
        expected_recovery=recovery,
        live_elsewhere="yes" if deleted and _is_elsewhere(copies) else "no",
        sha256=" ".join(_digests(copies)) if recovery in {"whole", "live"} else "",
        body_sha256=body,
        attachments_sha256=attachments,
        deleted_at=_utc(when) if when else "",
        deleted_from=source,
        why_en=english,
        why_zh=chinese,
    )


def _deleted_for(copies: list[Instance]) -> list[str]:
    """Return the custodians for whom the message is deleted.

    Deleted for a custodian: one of his copies is in a deleted state and none of his is live.
    Monday's copy of the sales mailbox is history: what is live in it counts for nothing, since
    Friday's copy follows it.
    """
    now = [
        entry for entry in copies if not (entry.evidence == MONDAY_COPY and entry.state == "live")
    ]
    names = sorted({CUSTODIANS[entry.evidence] for entry in now})
    out = []
    for name in names:
        states = {entry.state for entry in now if CUSTODIANS[entry.evidence] == name}
        if "live" not in states:
            out.append(name)
    return out


def _states(copies: list[Instance]) -> list[str]:
    return sorted({f"{EVIDENCE_IDS[entry.evidence]}:{entry.state}" for entry in copies})


def _recovery(copies: list[Instance]) -> str:
    """Say how much the deleted copies give back together."""
    kinds = {entry.completeness for entry in copies if entry.state != "live"}
    if "complete" in kinds:
        return "whole"
    return "part" if "partial" in kinds else "traces"


def _state(copies: list[Instance]) -> str:
    """Return the state of the deleted copy that gives back most: its own bytes before others."""
    gone = [entry for entry in copies if entry.state != "live"]
    if not gone:
        return "live"
    kinds = ("complete", "partial", "metadata_only")
    best = min(
        gone,
        key=lambda entry: (
            kinds.index(entry.completeness),
            entry.evidence == OUTLOOK,
            STATES.index(entry.state),
        ),
    )
    return best.state


def _is_elsewhere(copies: list[Instance]) -> bool:
    """Say whether somebody still has a live copy; Monday's backup is nobody's today."""
    return any(entry.state == "live" and entry.evidence != MONDAY_COPY for entry in copies)


def _digests(copies: list[Instance]) -> list[str]:
    """Return the digests of the whole copies, deleted ones and easy ones first, each once."""
    ranked = sorted(
        (entry for entry in copies if entry.sha256),
        key=lambda entry: (entry.state == "live", _EASIEST.index(entry.evidence), entry.path),
    )
    return list(dict.fromkeys(entry.sha256 for entry in ranked))


def _contents(message: Sent | None, copies: list[Instance]) -> tuple[str, str]:
    """Return what a copy that is rebuilt must have: the digests of its body and attachments."""
    if message is None or OUTLOOK not in {entry.evidence for entry in copies}:
        return "", ""
    contents = contents_of(outlook.held(message))
    return contents.body_sha256, contents.attachments_sha256


def _deed(made: World, key: str) -> tuple[datetime | None, str]:
    """Return when and from which machine the log says that it was deleted."""
    box = made.sales.get(key)
    deeds = [deed for deed in box.deeds if deed.target != "Archive"] if box else []
    if not deeds:
        return None, ""
    places = {"burst": "10.0.4.17", "phone-11": "10.8.0.5"}
    return deeds[-1].when, places.get(deeds[-1].session, "10.0.4.21")


def _done(made: World, key: str, copies: list[Instance], deleted: list[str]) -> str:
    """Say in codes what was done, in the order in which words.py explains them."""
    message, codes = made.messages.get(key), []
    states = {(entry.evidence, entry.state) for entry in copies}
    box = made.sales.get(key)
    if message is None:
        return "stale_uid"
    if message.letter.fate in TRACES:
        codes.append(message.letter.fate.replace("-", "_"))
    codes += [
        "burst"
        if deed.session == "burst"
        else f"sales_{deed.what}_{deed.target.lower()}".rstrip("_")
        for deed in (box.deeds if box else ())
    ]
    if (FRIDAY_COPY, "in_deleted_folder") in states and not (box and box.deeds):
        codes.append("sales_trash_before")
    if (
        box
        and box.deeds
        and (MONDAY_COPY, "absent_later") not in states
        and box.stays[0][0] > LOG_START
    ):
        codes.append("between_the_copies")
    if "Li Na" in deleted:
        trash = (THUNDERBIRD, "in_deleted_folder") in states
        codes.append("li_na_trash" if trash else "li_na_expunged")
    elif (THUNDERBIRD, "marked_deleted") in states:
        codes.append("li_na_moved")
    elif (THUNDERBIRD, "live") in states and (deleted or "burst" in codes):
        codes.append("li_na_live")
    for entry in copies:
        if entry.evidence == STICK:
            torn = entry.completeness == "partial"
            codes.append(
                "stick_live" if entry.state == "live" else "stick_part" if torn else "stick_whole"
            )
        if entry.evidence == OUTLOOK and (entry.state != "live" or deleted or "burst" in codes):
            torn = entry.completeness == "partial"
            codes.append(_IN_OUTLOOK[entry.state] + ("_part" if torn else ""))
    return " ".join(codes) or "live"


def _utc(when: datetime) -> str:
    return when.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def table(header: list[str], lines: Iterable[Iterable[object]]) -> bytes:
    """Return a CSV file: UTF-8, LF."""
    out = io.StringIO()
    writer = csv.writer(out, lineterminator="\n")
    writer.writerow(header)
    writer.writerows(lines)
    return out.getvalue().encode("utf-8")


def truth_json(listed: list[Row], found: list[Instance]) -> bytes:
    """Return the numbers that a case over the sample must show."""
    deleted = [row for row in listed if row.deleted == "yes"]
    recovery = Counter(row.expected_recovery for row in deleted)
    burst = [row for row in listed if "burst" in row.what_was_done.split()]
    data = {
        "messages": len(listed),
        "copies": {
            EVIDENCE_IDS[name]: dict(
                sorted(Counter(e.state for e in found if e.evidence == name).items())
            )
            for name in EVIDENCE_IDS
        },
        "deleted": {
            "total": len(deleted),
            "whole": recovery["whole"],
            "part": recovery["part"],
            "traces": recovery["traces"],
            "by_state": {
                name: sum(row.expected_state == name for row in deleted) for name in STATES
            },
            "by_custodian": dict(
                sorted(
                    Counter(name for row in deleted for name in row.custodians.split("; ")).items()
                )
            ),
        },
        "burst": {"total": len(burst), "from": "10.0.4.17", "begins": "2026-11-12T17:42:09+08:00"},
        "meaning": (
            "A message is deleted for a custodian when one of his copies is in a deleted state and "
            "none of his is live; what is live in a copy that a later copy supersedes does not "
            "count. A removal of which only the log tells counts when nobody has the message any "
            "more. "
            "Whole: a deleted copy holds all of its bytes, in whatever evidence item. Live "
            "elsewhere: another person still has it."
        ),
    }
    return (json.dumps(data, ensure_ascii=False, indent=2) + "\n").encode("utf-8")


def case_json() -> bytes:
    """Return the recipe of the case: which evidence, whose, as of when."""
    taken = "2026-11-13T09:30:00+08:00"
    sales = "sales@huayang.example"
    evidence: list[dict[str, str]] = [
        {
            "path": f"evidence/{THUNDERBIRD}",
            "custodian": "Li Na",
            "mailbox": "li.na@huayang.example",
            "as_of": taken,
            "note": "Copied from the assistant's computer, Thunderbird closed.",
        },
        {
            "path": f"evidence/{MONDAY_COPY}",
            "custodian": "Sales",
            "mailbox": sales,
            "as_of": "2026-11-09T02:00:00+08:00",
            "note": "Backup of the mail server, Monday night.",
        },
        {
            "path": f"evidence/{FRIDAY_COPY}",
            "custodian": "Sales",
            "mailbox": sales,
            "as_of": "2026-11-13T02:00:00+08:00",
            "supersedes": "E02",
            "note": "Backup of the mail server, Friday night.",
        },
        {
            "path": f"evidence/{STICK}",
            "custodian": "Zhou Wei",
            "mailbox": "",
            "as_of": taken,
            "note": "Image of a USB stick that was handed in at the reception.",
        },
        {
            "path": f"evidence/{LOG}",
            "custodian": "Sales",
            "mailbox": sales,
            "as_of": "2026-11-13T09:05:00+08:00",
            "note": "Log of the mail server since 5 November.",
        },
        {
            "path": f"evidence/{OUTLOOK}",
            "custodian": "Chen Zhiyuan",
            "mailbox": "chen.zhiyuan@huayang.example",
            "as_of": taken,
            "note": "Archive file of the sales director's Outlook, copied with Outlook closed.",
        },
    ]
    data = {
        "name": "HY-2026-0417: missing mail of the sales department",
        "examiner": "Sun Lei, IT",
        "time_zone": "Asia/Shanghai",
        "evidence": evidence,
        "dkim_keys": "dkim-keys.json",
        "truth": "truth.csv",
    }
    return (json.dumps(data, ensure_ascii=False, indent=2) + "\n").encode("utf-8")
