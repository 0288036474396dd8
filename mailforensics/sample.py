"""The sample incident: its case, and how findings compare with what is true.

What happened is told in ``sample_data/README.md``; ``sample_data/case.json`` is the recipe of the
case, ``sample_data/truth.csv`` has a row for each message.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
import json
import shutil
import tempfile
from collections.abc import Callable, Iterable
from datetime import datetime
from pathlib import Path
from typing import Any, NamedTuple, cast

import pandas as pd

from mailforensics import lab
from mailforensics.case import Case, new_case
from mailforensics.deletion import DeletionSummary
from mailforensics.errors import CaseError
from mailforensics.ingest import Report
from mailforensics.schema import RawKind

__all__ = [
    "Contents",
    "add_evidence",
    "build_case",
    "compare",
    "compare_export",
    "contents_of",
    "demo",
    "fresh_case",
    "is_fresh",
    "is_sample",
    "read_truth",
    "recipe",
]

_RECOVERY = {"complete": "whole", "partial": "part", "headers_only": "part"}
_KEYS = "dkim-keys.json"


def recipe() -> dict[str, Any]:
    """Return the recipe of the sample case: name, examiner, time zone, evidence."""
    text = (lab.shared_folder("sample_data") / "case.json").read_text(encoding="utf-8")
    made: dict[str, Any] = json.loads(text)
    return made


def read_truth() -> pd.DataFrame:
    """Return the truth table, one row a message; see ``sample_data/README.md`` for its columns."""
    path = lab.shared_folder("sample_data") / recipe()["truth"]
    return pd.read_csv(path, dtype="string[pyarrow]", keep_default_na=False)


def fresh_case(home: str | Path) -> Path:
    """Make a sample case without evidence in a new folder below ``home``; return the folder."""
    home = Path(home).expanduser().absolute()
    number, root = 1, home / "sample"
    while root.exists():
        number += 1
        root = home / f"sample-{number}"
    _new(root)
    return root


def _new(root: Path) -> Case:
    made = recipe()
    case = new_case(root, name=made["name"], examiner=made["examiner"], time_zone=made["time_zone"])
    shutil.copyfile(lab.shared_folder("sample_data") / made["dkim_keys"], root / _KEYS)
    return case


def is_sample(case: Case) -> bool:
    """Say whether a case is the sample case."""
    return bool(case.settings.name == recipe()["name"])


def is_fresh(case: Case) -> bool:
    """Say whether a case is the sample case and has no evidence yet."""
    return is_sample(case) and not case.items()


def add_evidence(case: Case, *, report: Report | None = None) -> None:
    """Add the evidence of the sample incident to an empty case, as the recipe says.

    Raises
    ------
    CaseError
        The case has evidence already.
    """
    if case.items():
        raise CaseError("This case has evidence already.", hint="Make a new sample case.")
    base = lab.shared_folder("sample_data")
    for entry in recipe()["evidence"]:
        case.add(
            base / entry["path"],
            custodian=entry["custodian"],
            mailbox=entry["mailbox"],
            as_of=datetime.fromisoformat(entry["as_of"]),
            supersedes=entry.get("supersedes"),
            note=entry["note"],
            report=report,
        )


def build_case(folder: str | Path, *, report: Report | None = None) -> Case:
    """Make the sample case with its evidence, ready to be read, in a new folder."""
    case = _new(Path(folder).expanduser().absolute())
    add_evidence(case, report=report)
    return case


# --- comparing --------------------------------------------------------------------------------


class _Verdict(NamedTuple):
    status: str
    detail: str = ""


class Contents(NamedTuple):
    """What must be equal when a message was rebuilt, so that its own bytes are no more.

    Attributes
    ----------
    subject
        Decoded.
    body_sha256
        Of the plain text in UTF-8, each run of white space one blank.
    attachments_sha256
        Of the decoded bytes of each attachment, sorted, with blanks between.
    """

    subject: str
    body_sha256: str
    attachments_sha256: str


def contents_of(raw: bytes) -> Contents:
    """Return what a message says, as Python's own email package reads it."""
    message = email.message_from_bytes(raw, policy=email.policy.default)
    body = message.get_body(("plain",))
    text = "" if body is None else str(body.get_content())
    files = [
        hashlib.sha256(cast("bytes", part.get_payload(decode=True) or b"")).hexdigest()
        for part in message.walk()
        if part.get_filename()
    ]
    digest = hashlib.sha256(" ".join(text.split()).encode("utf-8")).hexdigest()
    return Contents(str(message["Subject"] or ""), digest, " ".join(sorted(files)))


def compare(
    deleted: pd.DataFrame,
    truth: pd.DataFrame,
    *,
    messages: pd.DataFrame | None = None,
    raw: Callable[[str], bytes] | None = None,
) -> pd.DataFrame:
    """Compare findings with the truth table.

    Parameters
    ----------
    deleted : DataFrame
        The deleted messages as found (``case.deleted()``).
    truth : DataFrame
        See :func:`read_truth`.
    messages : DataFrame, optional
        All copies (``case.messages()``): then the state of every copy in every evidence item is
        compared too, live ones included.
    raw : callable, optional
        ``case.raw``: then rebuilt copies are compared by subject, body and attachments with the
        truth, else by subject alone.

    Returns
    -------
    DataFrame
        A row for each message that is deleted in truth or in the findings (with ``messages``:
        for each message): truth_id, message_id, subject, status, expected, found, detail.
        ``status`` is ``found``, ``missing`` (deleted, but not found), ``extra`` (called deleted,
        but live or unknown), ``wrong state`` or ``wrong hash``.
    """
    found = _by_key(_lost(deleted))
    copies = _by_key(messages) if messages is not None else None
    rows = []
    for row in _rows(truth):
        key = row["message_id"] or row["source_ref"]
        verdict = _judge(
            row, found.pop(key, []), None if copies is None else copies.pop(key, []), raw
        )
        if verdict is not None:
            rows.append(_result(row, verdict))
    for key, strangers in {**(copies or {}), **found}.items():
        rows.append(_stranger(key, strangers[0]))
    columns = ["truth_id", "message_id", "subject", "status", "expected", "found", "detail"]
    return pd.DataFrame(rows, columns=columns)


def _rows(frame: pd.DataFrame) -> list[dict[str, Any]]:
    return [{str(name): value for name, value in row.items()} for row in frame.to_dict("records")]


def _lost(deleted: pd.DataFrame) -> pd.DataFrame:
    """Leave out deleted copies of messages that are still there for the same person."""
    if "still_live" not in deleted.columns:
        return deleted
    return deleted[~deleted["still_live"].to_numpy(dtype=bool)]


def _by_key(frame: pd.DataFrame) -> dict[str, list[dict[str, Any]]]:
    """Group rows by Message-ID; rows without one by the place that tells of them."""
    grouped: dict[str, list[dict[str, Any]]] = {}
    for row in _rows(frame):
        key = row["source_ref"] if pd.isna(row["message_id"]) else row["message_id"]
        grouped.setdefault(str(key), []).append(row)
    return grouped


def _judge(
    row: dict[str, Any],
    found: list[dict[str, Any]],
    copies: list[dict[str, Any]] | None,
    raw: Callable[[str], bytes] | None,
) -> _Verdict | None:
    """Judge one message of the truth table; None when there is nothing to say of it."""
    if row["deleted"] == "no":
        if found:
            return _Verdict("extra", f"live, but called {found[0]['deletion_state']}")
        return None if copies is None else _judge_copies(row, copies)
    if not found:
        return _Verdict("missing", "not among the deleted messages")
    if row["expected_state"] not in _states(found):
        return _Verdict("wrong state", f"found as {', '.join(sorted(_states(found)))}")
    if copies is not None:
        verdict = _judge_copies(row, copies)
        if verdict.status != "found":
            return verdict
    return _judge_bytes(row, found, raw)


def _states(found: Iterable[dict[str, Any]]) -> set[str]:
    return {str(row["deletion_state"]) for row in found}


def _judge_copies(row: dict[str, Any], copies: list[dict[str, Any]]) -> _Verdict:
    """Compare the states of all copies, evidence item by evidence item; traces lie anywhere."""
    if not copies:
        return _Verdict("missing", "no copy of it is in the case")
    expected = {part for part in row["expected_states"].split() if not part.endswith(":known_only")}
    seen = {
        f"{copy['evidence_id']}:{copy['deletion_state']}"
        for copy in copies
        if copy["deletion_state"] != "known_only"
    }
    if expected == seen:
        return _Verdict("found")
    return _Verdict("wrong state", f"copies are {' '.join(sorted(seen))}")


def _judge_bytes(
    row: dict[str, Any], found: list[dict[str, Any]], raw: Callable[[str], bytes] | None
) -> _Verdict:
    """Compare how much comes back, and what comes back whole: by digest, if rebuilt by contents."""
    ways = {_RECOVERY.get(str(entry["completeness"]), "traces") for entry in found}
    best = next(way for way in ("whole", "part", "traces") if way in ways)
    if row["expected_recovery"] != best:
        return _Verdict("wrong state", f"comes back: {best}")
    if row["expected_recovery"] != "whole":
        return _Verdict("found")
    digests = set()
    for entry in found:
        if _RECOVERY.get(str(entry["completeness"])) != "whole":
            continue
        if entry.get("raw_kind") != RawKind.REBUILT_FROM_MAPI:
            digests.add(str(entry["sha256"]))
        elif not _says_the_same(row, entry, raw):
            return _Verdict("wrong hash", "a rebuilt copy has another subject, body or attachment")
    agreed = digests & set(row["sha256"].split()) or not digests
    return _Verdict("found") if agreed else _Verdict("wrong hash")


def _says_the_same(
    row: dict[str, Any], entry: dict[str, Any], raw: Callable[[str], bytes] | None
) -> bool:
    """Compare a rebuilt copy with the truth."""
    if raw is None:
        return bool(entry["subject"] == row["subject"])
    return contents_of(raw(str(entry["item_id"]))) == _true_contents(row)


def _true_contents(row: dict[str, Any]) -> Contents:
    return Contents(row["subject"], row["body_sha256"], row["attachments_sha256"])


def _result(row: dict[str, Any], verdict: _Verdict) -> dict[str, Any]:
    expected = f"{row['expected_state']}, {row['expected_recovery']}"
    return {
        "truth_id": row["truth_id"],
        "message_id": row["message_id"],
        "subject": row["subject"],
        "status": verdict.status,
        "expected": expected if row["deleted"] == "yes" else row["expected_states"],
        "found": verdict.status in {"found", "wrong state", "wrong hash"},
        "detail": verdict.detail,
    }


def _stranger(key: str, row: dict[str, Any]) -> dict[str, Any]:
    return {
        "truth_id": "",
        "message_id": key,
        "subject": "" if pd.isna(row["subject"]) else row["subject"],
        "status": "extra",
        "expected": "",
        "found": True,
        "detail": f"{row['evidence_id']} {row['source_ref']} is in no row of the truth table",
    }


def compare_export(folder: str | Path, truth: pd.DataFrame) -> pd.DataFrame:
    """Compare exported EML files with the truth table: path, sha256, truth_id, status.

    ``status`` is ``found`` when the digest of the file is that of a whole copy, or when it was
    rebuilt and says what it must; else ``extra``. A message that can come back whole and is not
    there is a row with ``missing``.
    """
    listed = _rows(truth)
    owner = {digest: row["truth_id"] for row in listed for digest in row["sha256"].split()}
    said = {
        (row["message_id"], _true_contents(row)): row["truth_id"]
        for row in listed
        if row["body_sha256"]
    }
    rows, given = [], set()
    for path in sorted(Path(folder).rglob("*.eml")):
        data = path.read_bytes()
        digest = hashlib.sha256(data).hexdigest()
        truth_id = owner.get(digest, "") or said.get((_message_id(data), contents_of(data)), "")
        given.add(truth_id)
        rows.append((path.name, digest, truth_id, "found" if truth_id else "extra"))
    whole = truth[(truth["deleted"] == "yes") & (truth["expected_recovery"] == "whole")]
    rows += [("", "", name, "missing") for name in whole["truth_id"] if name not in given]
    return pd.DataFrame(rows, columns=["path", "sha256", "truth_id", "status"])


def _message_id(data: bytes) -> str:
    message = email.message_from_bytes(data, policy=email.policy.default)
    return str(message["Message-ID"] or "").strip()


def demo(folder: str | Path | None = None, *, echo: Callable[[str], None]) -> int:
    """Do the main job over the sample incident and say how it compares with the truth.

    Parameters
    ----------
    folder
        Where the case is kept; without one it is thrown away at the end.
    echo
        Called with each line.

    Returns
    -------
    int
        0 when everything is as the truth table says, else 1.
    """
    if folder is not None:
        return _demo(Path(folder), echo)
    with tempfile.TemporaryDirectory(ignore_cleanup_errors=True) as place:
        return _demo(Path(place) / "sample", echo)


def _demo(folder: Path, echo: Callable[[str], None]) -> int:
    case = build_case(folder)
    for item in case.items():
        echo(f"{item.evidence_id}  {item.name}: {item.description}, {item.size:,} bytes")
    case.read()
    truth, deleted = read_truth(), case.deleted()
    headline = case.summary()
    echo(headline.sentence)
    once = deleted[deleted["best"] & ~deleted["still_live"]]
    given = case.export(once[once["can_come_back"] == "whole"], case.free_export_name())
    echo(f"{given.written} messages were given back, in {given.folder}")
    compared = compare(deleted, truth, messages=case.messages(), raw=case.raw)
    files = compare_export(given.folder, truth)
    for title, frame in (("Messages", compared), ("Exported files", files)):
        counts = frame["status"].value_counts().sort_index()
        words = ", ".join(f"{count} {name}" for name, count in counts.items())
        echo(f"{title} beside the truth table: {words}")
        for row in frame[frame["status"] != "found"].to_dict("records"):
            echo("  " + "  ".join(str(value) for value in row.values() if str(value)))
    agreed = bool((compared["status"] == "found").all() and (files["status"] == "found").all())
    agreed &= _same_numbers(headline, echo)
    echo("All is as the truth table says." if agreed else "This is not what the truth table says.")
    return 0 if agreed else 1


def _same_numbers(headline: DeletionSummary, echo: Callable[[str], None]) -> bool:
    """Compare the headline with the numbers of ``truth.json``, and name those that differ."""
    path = lab.shared_folder("sample_data") / "truth.json"
    true = json.loads(path.read_text(encoding="utf-8"))["deleted"]
    pairs = {
        "total": headline.total,
        "whole": headline.whole,
        "part": headline.in_part,
        "traces": headline.traces_only,
        **{f"by_state.{state}": count for state, count in headline.by_state.items()},
    }
    flat = {**true, **{f"by_state.{state}": count for state, count in true["by_state"].items()}}
    odd = {name: count for name, count in pairs.items() if flat.get(name, 0) != count}
    for name, count in odd.items():
        echo(f"  {name}: {count} found, {flat.get(name, 0)} in truth")
    return not odd
