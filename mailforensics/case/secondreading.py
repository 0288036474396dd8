"""Each Outlook file of a case, read by a second tool and compared item by item."""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import pandas as pd

from mailforensics.errors import MailForensicsError
from mailforensics.ingest import locate

if TYPE_CHECKING:
    from mailforensics.case.case import Case
    from mailforensics.readers import Source

__all__ = ["outlook_sources", "second_readings"]

_PACKAGE_PARENT: Final = Path(__file__).resolve().parents[2]
_TYPES: Final = {
    "evidence_id": "string",
    "source_path": "string",
    "row_kind": "string",
    "source_ref": "string",
    "field": "string",
    "cause": "string",
    "ours": "string",
    "theirs": "string",
    "count": "Int64",
    "items": "Int64",
    "second_items": "Int64",
    "agreed": "Int64",
    "differing": "Int64",
    "missed": "Int64",
    "extra": "Int64",
}
_STOPPED: Final = "The comparison stopped here: libpff ended or hung in the middle of this file"
_GONE: Final = "The file could not be opened for the comparison"


def outlook_sources(case: Case) -> list[tuple[str, str]]:
    """Return evidence item and path inside it of each Outlook file that was read, in order."""
    reads = case.reads()
    mine = reads[(reads["reader"] == "pst") & (reads["row_kind"] == "source")]
    pairs = zip(mine["evidence_id"], mine["source_path"].fillna(""), strict=True)
    return list(dict.fromkeys(pairs))


def located(case: Case, evidence_id: str, source_path: str) -> Source:
    """Return where an Outlook file of the case can be opened.

    Raises
    ------
    EvidenceNotFound
        It is no longer there.
    """
    item = next(each for each in case.items() if each.evidence_id == evidence_id)
    return locate(item, source_path, case.folder.working(evidence_id))


def second_readings(case: Case) -> pd.DataFrame:
    """Read each Outlook file of a case with both tools.

    Returns
    -------
    DataFrame
        ``row_kind`` is ``difference`` (``source_ref, field, ours, theirs, cause, count``) or
        ``source``: the totals of one file (``items, second_items, agreed, differing, missed,
        extra``), see :mod:`mailforensics.readers.secondreading`. Both have ``evidence_id`` and
        ``source_path``. Empty when the case has no Outlook file.
    """
    rows = [row for place in outlook_sources(case) for row in _compared(case, *place)]
    frame = pd.DataFrame(rows, columns=list(_TYPES))
    return frame.astype(_TYPES)


def _compared(case: Case, evidence_id: str, source_path: str) -> Iterator[dict[str, Any]]:
    place = {"evidence_id": evidence_id, "source_path": source_path}
    try:
        path = located(case, evidence_id, source_path).path
        for row in _answers(path):
            yield place | row
    except (MailForensicsError, OSError) as error:
        yield place | _trouble(_GONE, str(error))


def _answers(path: Path) -> Iterator[dict[str, Any]]:
    """Yield what a program of its own finds: a crash or a hang of libpff ends that one alone."""
    kinds = set()
    with (
        tempfile.TemporaryFile() as errors,
        subprocess.Popen(  # noqa: S603 - this interpreter and a path of the case
            [sys.executable, "-m", "mailforensics.readers.secondreading", str(path)],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=errors,
            encoding="utf-8",
            env=_environment(),
        ) as process,
    ):
        assert process.stdout is not None
        try:
            for line in process.stdout:
                row: dict[str, Any] = json.loads(line)
                kinds.add(row["row_kind"])
                yield row
        finally:
            process.kill()
        code = process.wait()
        if "source" not in kinds:
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace").strip()
            yield _trouble(_STOPPED, f"exit code {code}; {said[-400:]}")


def _trouble(cause: str, detail: str) -> dict[str, Any]:
    return {
        "row_kind": "difference",
        "source_ref": "",
        "field": "",
        "cause": cause,
        "theirs": detail,
        "count": 0,
    }


def _environment() -> dict[str, str]:
    paths = [str(_PACKAGE_PARENT), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUTF8": "1",
    }
