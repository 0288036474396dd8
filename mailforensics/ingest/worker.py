"""Reads one task into part files; also the program that runs as a worker of its own.

As a program it takes tasks as JSON lines on its standard input and answers each with a line:
a crash of a reader's C library ends this process alone.
"""

from __future__ import annotations

import gc
import json
import sqlite3
import sys
from collections.abc import Iterator
from importlib.abc import MetaPathFinder
from pathlib import Path
from typing import Any

from mailforensics.errors import MailForensicsError
from mailforensics.ingest.parts import PartWriter
from mailforensics.ingest.tasks import Piece, Task
from mailforensics.readers import Reader, ReadLog, load
from mailforensics.schema import Record

__all__ = ["run_task"]


def run_task(task: Task, folder: Path) -> int:
    """Read a task into part files below a folder.

    Returns
    -------
    int
        How many messages and events were read.
    """
    with PartWriter(folder, task.name, task.evidence_sha256) as part:
        for piece in task.pieces:
            _read_piece(piece, part)
    return part.items


def _read_piece(piece: Piece, part: PartWriter) -> None:
    reader = load(piece.reader)
    log = ReadLog()
    part.begin(piece.source, reader)
    for record in _records(reader, piece, log):
        log.count(record)
        part.add(record)
    part.end(log)


def _records(reader: Reader, piece: Piece, log: ReadLog) -> Iterator[Record]:
    """Yield the records of a piece; what goes wrong in the reader becomes a row of the log.

    What goes wrong in writing the records is no fault of the source and is not caught here.
    """
    try:
        yield from reader.read(piece.source, log, piece.span)
    except MailForensicsError as error:
        _give_up(log, error.message, "")
    except Exception as error:  # noqa: BLE001 - a fault of a reader must not lose other sources
        _give_up(
            log,
            "The rest of this source could not be read: the reader met something unexpected.",
            f"{type(error).__name__}: {error}",
        )


def _give_up(log: ReadLog, reason: str, detail: str) -> None:
    rest = log.declared - log.read - log.failed - log.skipped
    if rest <= 0:
        log.declare()
        rest = 1
    log.fail("", reason, detail, count=rest)


def main() -> None:
    """Answer tasks until the input ends."""
    _prepare()
    for line in sys.stdin:
        sys.stdout.write(json.dumps(_answer(json.loads(line))) + "\n")
        sys.stdout.flush()


def _prepare() -> None:
    """Keep this process from work that reading does not need.

    Records hold no reference cycles: the garbage collector may look at them seldom.
    """
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)
    sys.meta_path.insert(0, _WithoutFrames())


class _WithoutFrames(MetaPathFinder):
    """Says that there is no pandas, which pyarrow loads only to ask whether a list is a frame."""

    def find_spec(self, fullname: str, path: object, target: object = None) -> None:  # noqa: ARG002
        if fullname == "pandas":
            raise ModuleNotFoundError(fullname, name=fullname)


def _answer(order: dict[str, Any]) -> dict[str, Any]:
    try:
        return {"items": run_task(Task.from_dict(order["task"]), Path(order["folder"]))}
    except (OSError, sqlite3.Error) as error:
        return {"error": str(error)}


if __name__ == "__main__":
    main()
