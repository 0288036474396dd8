"""The hash manifest: one row for each chosen message, and the way to check it later."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterable, Mapping, Sequence
from pathlib import Path, PurePosixPath
from typing import Any

import pandas as pd

from mailforensics.errors import ExportError
from mailforensics.export.cells import parse, render
from mailforensics.export.chosen import Outcome, Status
from mailforensics.export.loadfile import LOADFILE
from mailforensics.export.mih import mih
from mailforensics.export.readme import README
from mailforensics.export.writing import hash_of, write_new

__all__ = ["COLUMNS", "MANIFEST", "SUMS", "manifest", "verify_export", "write_sums"]

MANIFEST = "manifest.csv"
SUMS = "manifest.csv.sha256"

COLUMNS = (
    "item_id",
    "evidence_id",
    "evidence_sha256",
    "source_path",
    "source_ref",
    "source_offset",
    "source_length",
    "raw_kind",
    "source_sha256",
    "source_size",
    "file",
    "file_sha256",
    "file_size",
    "file_offset",
    "file_length",
    "subject",
    "sent_at",
    "deletion_state",
    "completeness",
    "mih",
    "status",
    "reason",
    "note",
)
"""``source_sha256`` is of the original bytes, empty where they were rebuilt; ``file_sha256`` of
what lies on the disk; ``file_offset`` and ``file_length`` find a message in an mbox; times are
UTC."""

_COPIED = (
    "item_id",
    "evidence_id",
    "source_path",
    "source_ref",
    "source_offset",
    "source_length",
    "raw_kind",
    "subject",
    "sent_at",
    "deletion_state",
    "completeness",
)
_RESULT = ("file", "status", "expected_sha256", "found_sha256", "detail")
_SUM_LINE = re.compile(r"([0-9a-f]{64}) [ *](.+)")


def manifest(outcomes: Iterable[Outcome], evidence: pd.DataFrame) -> bytes:
    """Return ``manifest.csv``."""
    digests = evidence_digests(evidence)
    return render(COLUMNS, (_row(outcome, digests) for outcome in outcomes))


def evidence_digests(evidence: pd.DataFrame) -> dict[str, str]:
    """Return evidence id -> SHA-256 on acquisition."""
    if not {"evidence_id", "sha256"} <= set(evidence.columns):
        return {}
    pairs = zip(evidence["evidence_id"], evidence["sha256"], strict=True)
    return {str(name): str(digest) for name, digest in pairs if pd.notna(digest)}


def _row(outcome: Outcome, digests: Mapping[str, str]) -> dict[str, Any]:
    message, place = outcome.chosen, outcome.place
    row = {name: message.row.get(name) for name in _COPIED}
    for name in ("source_offset", "source_length"):
        row[name] = message.number(name)
    row |= {
        "evidence_sha256": digests.get(message.text("evidence_id"), ""),
        "source_sha256": outcome.source_sha256,
        "source_size": outcome.source_size,
        "mih": mih(message.text("message_id")),
        "status": outcome.status,
        "reason": outcome.reason,
        "note": outcome.note,
    }
    if place is not None:
        row |= {
            "file": place.file,
            "file_sha256": place.sha256,
            "file_size": place.size,
            "file_offset": place.offset,
            "file_length": place.length,
        }
    return row


def write_sums(folder: Path, names: Sequence[str]) -> str:
    """Write the list of hashes that guards the manifest, in the form of ``sha256sum``.

    Returns
    -------
    str
        SHA-256 of the first file named, which is the manifest.
    """
    digests = [hash_of(folder / name)[0] for name in names]
    lines = (f"{digest}  {name}\n" for digest, name in zip(digests, names, strict=True))
    write_new(folder / SUMS, "".join(lines).encode())
    return digests[0]


def verify_export(folder: Path, *, manifest_sha256: str | None = None) -> pd.DataFrame:
    """Hash everything in the folder of an export again and compare it with its manifest.

    Parameters
    ----------
    folder : Path
        The folder that :func:`mailforensics.export.export` made.
    manifest_sha256 : str or None
        SHA-256 of the manifest as the custody log keeps it. With it, even a manifest that was
        edited together with its ``.sha256`` is found.

    Returns
    -------
    DataFrame
        One row a file: ``file``, ``status`` (``ok``, ``changed``, ``missing`` or ``extra``),
        ``expected_sha256``, ``found_sha256``, ``detail``.

    Raises
    ------
    ExportError
        There is no manifest, or it cannot be read as one.
    """
    folder = Path(folder)
    rows = [*_listed(folder), *_custody(folder, manifest_sha256)]
    known = {row["file"] for row in rows} | {SUMS, MANIFEST}
    if not (folder / SUMS).is_file():
        known |= {README, LOADFILE}
    for path in sorted(folder.rglob("*")):
        name = path.relative_to(folder).as_posix()
        if name not in known and (path.is_symlink() or not path.is_dir()):
            rows.append(_verdict(name, "extra", detail="The manifest does not list this file."))
    return pd.DataFrame(rows, columns=list(_RESULT), dtype="string[pyarrow]")


def _listed(folder: Path) -> list[dict[str, str]]:
    written = {
        row["file"]: row.get("file_sha256", "")
        for row in _rows(folder)
        if row.get("status") == Status.WRITTEN and row.get("file")
    }
    return _guard(folder) + [_compared(folder, name, digest) for name, digest in written.items()]


def _guard(folder: Path) -> list[dict[str, str]]:
    """Compare the manifest and what stands beside it with the list of their hashes."""
    if not (folder / SUMS).is_file():
        return [_verdict(SUMS, "missing", detail="Nothing guards the manifest any more.")]
    expected = _sums(folder)
    rows = [_compared(folder, name, digest) for name, digest in expected.items()]
    if MANIFEST not in expected:
        rows.append(_verdict(SUMS, "changed", detail="It no longer lists the manifest."))
    return rows


def _rows(folder: Path) -> list[dict[str, str]]:
    try:
        columns, rows = parse((folder / MANIFEST).read_bytes())
    except OSError as error:
        raise ExportError(
            f"{folder} holds no {MANIFEST} that can be read.",
            hint="Choose the folder that an export has made.",
        ) from error
    except (UnicodeDecodeError, csv.Error) as error:
        raise ExportError(f"{folder / MANIFEST} is damaged: {error}.") from error
    if not {"file", "file_sha256", "status"} <= columns:
        raise ExportError(f"{folder / MANIFEST} is no manifest of an export.")
    return rows


def _sums(folder: Path) -> dict[str, str]:
    try:
        lines = (folder / SUMS).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeDecodeError):
        return {}
    found = (_SUM_LINE.fullmatch(line) for line in lines)
    return {match[2]: match[1] for match in found if match}


def _custody(folder: Path, digest: str | None) -> list[dict[str, str]]:
    if not digest:
        return []
    row = _compared(folder, MANIFEST, digest)
    if row["status"] == "changed":
        row["detail"] = "The manifest is not the one that the custody log names."
    return [row] if row["status"] != "ok" else []


def _compared(folder: Path, name: str, expected: str) -> dict[str, str]:
    path = PurePosixPath(name)
    if path.is_absolute() or ".." in path.parts or "\\" in name or ":" in name or "\0" in name:
        return _verdict(name, "changed", expected, detail="This path leads out of the folder.")
    target = folder.joinpath(*path.parts)
    if not target.resolve().is_relative_to(folder.resolve()) or target.is_symlink():
        return _verdict(name, "changed", expected, detail="A link stands in place of the file.")
    if not target.is_file():
        return _verdict(name, "missing", expected, detail="The file is not there.")
    try:
        found, _ = hash_of(target)
    except OSError as error:
        return _verdict(name, "changed", expected, detail=f"It cannot be read: {error.strerror}.")
    if found == expected:
        return _verdict(name, "ok", expected, found)
    return _verdict(name, "changed", expected, found, "Its bytes are not those that were written.")


def _verdict(
    file: str, status: str, expected: str = "", found: str = "", detail: str = ""
) -> dict[str, str]:
    return dict(zip(_RESULT, (file, status, expected, found, detail), strict=True))
