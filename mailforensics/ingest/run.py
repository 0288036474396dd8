"""Runs the tasks of an evidence item and puts their parts together into its tables."""

from __future__ import annotations

import json
import os
import shutil
import sqlite3
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
from pyarrow import ipc

from mailforensics.errors import CaseError
from mailforensics.evidence import EvidenceItem
from mailforensics.ingest.folder import CaseFolder
from mailforensics.ingest.parts import PartTables, PartWriter
from mailforensics.ingest.pool import CannotWrite, Crash, Pool, Result
from mailforensics.ingest.progress import Progress, Report, Stopped
from mailforensics.ingest.sources import Discovery, Skipped, discover
from mailforensics.ingest.tasks import Task, plan
from mailforensics.ingest.worker import run_task
from mailforensics.readers import ReadLog, load
from mailforensics.schema import READS, table_of

__all__ = ["ingest"]

ROW_GROUP = 20_000
ALONE_BELOW = 4 << 20
"""Evidence up to this many bytes is read in this process: workers would take longer to start."""

ISOLATED = frozenset({"pst"})
"""Readers whose C library has been seen to crash: always read in a worker of its own."""


def ingest(
    item: EvidenceItem,
    folder: CaseFolder,
    *,
    workers: int | None = None,
    report: Report | None = None,
    stop: Callable[[], bool] | None = None,
) -> None:
    """Read an evidence item into the tables of a case.

    What an earlier, interrupted call has done is kept and not read again; the tables are the
    same as after an undisturbed run. They appear at the end, all at once for each table, the
    read log last.

    Parameters
    ----------
    workers
        Processes to read with; by default one a core, and none for small evidence.
    report
        Called with a :class:`Progress` after each task.
    stop
        Asked between tasks; when it says yes, :class:`Stopped` is raised.
    """
    _tell(report, Progress("prepare", item.name, 0, 0))
    found = discover(item, folder.working(item.evidence_id))
    tasks = list(plan(item, found.sources))
    parts = folder.parts(item.evidence_id)
    done = _Run(item, parts, report, stop).run(tasks, workers)
    try:
        _assemble(item, folder, parts, done, found)
    except OSError as error:
        raise cannot_write(str(error)) from error
    shutil.rmtree(parts, ignore_errors=True)


def _tell(report: Report | None, progress: Progress) -> None:
    if report is not None:
        report(progress)


def cannot_write(words: str) -> CaseError:
    """Return the error for tables that cannot be written."""
    return CaseError(
        f"The tables cannot be written: {words}",
        hint="Free some space on the disk of the case and read again: "
        "what is done is kept, and reading goes on there.",
    )


class _Run:
    """Runs tasks here or in workers, tells of progress, and outlives crashes."""

    def __init__(
        self,
        item: EvidenceItem,
        parts: Path,
        report: Report | None,
        stop: Callable[[], bool] | None,
    ) -> None:
        self.item = item
        self.parts = parts
        self.report = report
        self.stop = stop
        self.bytes = 0
        self.items = 0
        self.total = 0

    def run(self, tasks: list[Task], workers: int | None) -> list[Task]:
        """Run what is not done yet; return the tasks whose parts make up the tables, in order."""
        self.total = sum(task.size for task in tasks)
        finished: dict[int, list[Task]] = {}
        waiting = []
        for task in tasks:
            if (self.parts / f"{task.name}.json").is_file():
                finished[task.number] = [task]
                self._note(task, _items(self.parts, task))
            else:
                waiting.append(task)
        for task, result in self._results(waiting, workers):
            if isinstance(result, CannotWrite):
                raise cannot_write(result.words)
            if isinstance(result, Crash):
                finished[task.number] = list(self._apart(task, result))
            else:
                finished[task.number] = [task]
                self._note(task, result)
            if self.stop is not None and self.stop():
                raise Stopped
        return [each for task in tasks for each in finished[task.number]]

    def _results(self, waiting: list[Task], workers: int | None) -> Iterator[tuple[Task, Result]]:
        readers = {piece.reader for task in waiting for piece in task.pieces}
        small = sum(task.size for task in waiting) <= ALONE_BELOW and not readers & ISOLATED
        if workers == 0 or (workers is None and small):
            for task in waiting:
                try:
                    yield task, run_task(task, self.parts)
                except (OSError, sqlite3.Error) as error:
                    yield task, CannotWrite(str(error))
            return
        with Pool(min(workers or os.cpu_count() or 1, len(waiting))) as pool:
            yield from pool.run(waiting, self.parts, self.stop)

    def _apart(self, task: Task, crash: Crash) -> Iterator[Task]:
        """Read the pieces of a task that crashed one by one; a piece that crashes is a fault."""
        alone = task.apart()
        with Pool(1) as pool:
            for single, result in pool.run(alone, self.parts):
                if isinstance(result, CannotWrite):
                    raise cannot_write(result.words)
                if isinstance(result, Crash):
                    _record_crash(single, self.parts, crash)
                self._note(single, result if isinstance(result, int) else 0)
        yield from alone

    def _note(self, task: Task, items: int) -> None:
        self.bytes += task.size
        self.items += items
        what = task.pieces[-1].source.source_path or self.item.name
        _tell(self.report, Progress("read", what, self.bytes, self.total, self.items))


def _items(parts: Path, task: Task) -> int:
    return int(json.loads((parts / f"{task.name}.json").read_bytes())["items"])


def _record_crash(task: Task, parts: Path, crash: Crash) -> None:
    with PartWriter(parts, task.name, task.evidence_sha256) as part:
        for piece in task.pieces:
            log = ReadLog()
            log.declare()
            log.fail(
                "", "The program that reads this source broke off, twice.", crash.words, count=1
            )
            part.begin(piece.source, load(piece.reader))
            part.end(log)


def _assemble(
    item: EvidenceItem, folder: CaseFolder, parts: Path, done: list[Task], found: Discovery
) -> None:
    for table, schema in PartTables.items():
        files = [parts / f"{task.name}.{table}.arrow" for task in done]
        _concatenate(files, schema, folder.table(table, item.evidence_id))
    _move_index(parts, done, folder.index(item.evidence_id))
    rows = list(_read_rows(item, parts, done, found))
    reads = table_of(READS, {name: [row.get(name) for row in rows] for name in READS.names})
    _write_table(reads, folder.table("reads", item.evidence_id))


def _concatenate(files: list[Path], schema: pa.Schema, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.tmp")
    words = [entry.name for entry in schema if pa.types.is_dictionary(entry.type)]
    options: dict[str, Any] = {"compression": "zstd", "use_dictionary": words}
    with pq.ParquetWriter(temporary, schema, **options) as writer:
        waiting: list[pa.Table] = []
        for file in files:
            waiting.append(_read_part(file))
            if sum(table.num_rows for table in waiting) >= ROW_GROUP:
                _write_group(writer, waiting)
                waiting = []
        _write_group(writer, waiting)
    temporary.replace(target)


def _read_part(file: Path) -> pa.Table:
    with pa.OSFile(str(file), "rb") as stream:
        return ipc.open_stream(stream).read_all()


def _write_group(writer: pq.ParquetWriter, tables: list[pa.Table]) -> None:
    if tables:
        writer.write_table(pa.concat_tables(tables).combine_chunks(), row_group_size=ROW_GROUP)


def _write_table(table: pa.Table, target: Path) -> None:
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.tmp")
    pq.write_table(table, temporary, compression="zstd")
    temporary.replace(target)


def _move_index(parts: Path, done: list[Task], target: Path) -> None:
    shutil.rmtree(target, ignore_errors=True)
    target.mkdir(parents=True)
    for task in done:
        source = parts / f"{task.name}.sqlite"
        if source.is_file():
            _link_or_copy(source, target / source.name)


def _link_or_copy(source: Path, target: Path) -> None:
    """Give a file a second name: no byte is written twice, and the first name goes away soon."""
    try:
        target.hardlink_to(source)
    except OSError:
        shutil.copyfile(source, target)


def _read_rows(
    item: EvidenceItem, parts: Path, done: list[Task], found: Discovery
) -> Iterator[dict[str, Any]]:
    """Yield the rows of the read log: a source's totals, then its faults."""
    totals: dict[tuple[str, str], dict[str, Any]] = {}
    faults: dict[tuple[str, str], list[dict[str, Any]]] = {}
    for task in done:
        for row in json.loads((parts / f"{task.name}.json").read_bytes())["reads"]:
            key = (row["source_path"], row["reader"])
            if row["row_kind"] == "source":
                _add_totals(totals, key, row)
            else:
                faults.setdefault(key, []).append(row)
    for key, row in totals.items():
        yield {**row, "evidence_id": item.evidence_id}
        for fault in faults.get(key, []):
            yield {**fault, "evidence_id": item.evidence_id}
    if found.skipped:
        yield from _skipped_rows(item, found.skipped)


def _add_totals(
    totals: dict[tuple[str, str], dict[str, Any]], key: tuple[str, str], row: dict[str, Any]
) -> None:
    if key not in totals:
        totals[key] = dict(row)
        return
    for column in ("declared", "read", "failed", "skipped"):
        totals[key][column] += row[column]
    totals[key]["reason"] = totals[key]["reason"] or row["reason"]


def _skipped_rows(item: EvidenceItem, skipped: list[Skipped]) -> Iterator[dict[str, Any]]:
    total = sum(entry.count for entry in skipped)
    failed = sum(entry.count for entry in skipped if entry.failed)
    yield {
        "evidence_id": item.evidence_id,
        "source_path": "",
        "row_kind": "source",
        "declared": total,
        "read": 0,
        "failed": failed,
        "skipped": total - failed,
        "reason": "Files beside those that are read",
    }
    for entry in skipped:
        kind = "failed" if entry.failed else "skipped"
        yield {
            "evidence_id": item.evidence_id,
            "source_path": entry.source_path,
            "row_kind": kind,
            kind: entry.count,
            "reason": entry.reason,
            "detail": entry.detail or None,
        }
