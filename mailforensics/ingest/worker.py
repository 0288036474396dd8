"""Reads one task into part files; also the program that runs as a worker of its own.

As a program it takes tasks as JSON lines on its standard input and answers each with a line:
a crash of a reader's C library ends this process alone.
"""

from __future__ import annotations

import json
import sys
from pathlib import Path

from mailforensics.errors import MailForensicsError
from mailforensics.ingest.parts import PartWriter
from mailforensics.ingest.tasks import Piece, Task
from mailforensics.readers import Reader, ReadLog, load

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
    try:
        _read_records(reader, piece, part, log)
    except MailForensicsError as error:
        _give_up(log, error.message, "")
    except Exception as error:  # noqa: BLE001 - a fault of a reader must not lose other sources
        _give_up(
            log,
            "The rest of this source could not be read: the reader met something unexpected.",
            f"{type(error).__name__}: {error}",
        )
    part.end(log)


def _read_records(reader: Reader, piece: Piece, part: PartWriter, log: ReadLog) -> None:
    for record in reader.read(piece.source, log, piece.span):
        log.count(record)
        part.add(record)


def _give_up(log: ReadLog, reason: str, detail: str) -> None:
    rest = log.declared - log.read - log.failed - log.skipped
    if rest <= 0:
        log.declare()
        rest = 1
    log.fail("", reason, detail, count=rest)


def main() -> None:
    """Answer tasks until the input ends."""
    for line in sys.stdin:
        order = json.loads(line)
        items = run_task(Task.from_dict(order["task"]), Path(order["folder"]))
        sys.stdout.write(json.dumps({"items": items}) + "\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
