from __future__ import annotations

import itertools
import json
import os
import signal
import subprocess
import sys
import time
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from mailforensics import ingest as room
from mailforensics.evidence import EvidenceItem, EvidenceKind, acquire
from mailforensics.ingest import CaseFolder, Progress, Stopped, ingest, tasks, worker
from mailforensics.readers import READERS, Reader, Source, load
from mailforensics.readers import eml as eml_reader

TABLES = ("messages", "attachments", "events", "reads")


def message(number: int) -> bytes:
    return (
        f"From: a{number}@x.example\r\nTo: b@y.example\r\nMessage-ID: <{number}@x.example>\r\n"
        f"Date: Mon, 2 Nov 2026 10:00:{number % 60:02d} +0800\r\nSubject: Nr. {number} 合同\r\n\r\n"
        f"body {number}\r\n"
    ).encode()


def folder_of(root: Path, count: int) -> Path:
    root.mkdir(parents=True)
    for number in range(count):
        (root / f"{number:05d}.eml").write_bytes(message(number))
    return root


def mbox_of(path: Path, count: int) -> Path:
    with path.open("wb") as out:
        for number in range(count):
            raw = message(number).replace(b"\r\n", b"\n")
            out.write(b"From a@x.example Mon Nov  2 10:00:00 2026\n" + raw + b"\n")
    return path


def item_of(path: Path, reader: str | None = None) -> EvidenceItem:
    digests, listed = acquire(path)
    return EvidenceItem(
        evidence_id="E01",
        path=path,
        kind=EvidenceKind.FOLDER if listed else EvidenceKind.FILE,
        reader=reader,
        description="",
        size=digests.size,
        file_count=len(listed) or 1,
        sha256=digests.sha256,
        md5=digests.md5,
        acquired_at=datetime(2026, 11, 24, tzinfo=UTC),
    )


def tables(case: Path) -> dict[str, pa.Table]:
    folder = CaseFolder(case)
    return {name: pq.read_table(folder.table(name, "E01")) for name in TABLES}


@pytest.fixture
def small_spans(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tasks, "BATCH_SOURCES", 50)


def test_workers_and_this_process_give_the_same_tables(tmp_path: Path, small_spans: None) -> None:
    item = item_of(folder_of(tmp_path / "邮件 export", 220))
    ingest(item, CaseFolder(tmp_path / "alone"), workers=0)
    ingest(item, CaseFolder(tmp_path / "two"), workers=2)
    alone, two = tables(tmp_path / "alone"), tables(tmp_path / "two")
    for name in TABLES:
        assert alone[name].equals(two[name]), name
    assert alone["messages"].num_rows == 220
    assert not (tmp_path / "two" / "parts" / "E01").exists()


def test_stopping_keeps_what_is_done_and_going_on_gives_the_same(
    tmp_path: Path, small_spans: None
) -> None:
    item = item_of(folder_of(tmp_path / "export", 220))
    ingest(item, CaseFolder(tmp_path / "whole"), workers=0)
    stopped = CaseFolder(tmp_path / "stopped")
    with pytest.raises(Stopped):
        ingest(item, stopped, workers=0, stop=lambda: True)
    done = list(stopped.parts("E01").glob("*.json"))
    assert len(done) == 1
    assert not stopped.table("reads", "E01").exists()
    before = done[0].stat().st_mtime_ns
    reports: list[Progress] = []
    ingest(item, stopped, workers=0, report=reports.append)
    assert before
    assert reports[-1].done == reports[-1].total
    assert reports[-1].items == 220
    for name, table in tables(tmp_path / "whole").items():
        assert table.equals(tables(tmp_path / "stopped")[name]), name


KILLED = """
import sys
from pathlib import Path
sys.path.insert(0, {tests!r})
from tests.ingest.test_run import item_of
from mailforensics.ingest import CaseFolder, ingest, tasks
tasks.BATCH_SOURCES = 20
print("ready", flush=True)
ingest(item_of(Path(sys.argv[1])), CaseFolder(Path(sys.argv[2])), workers=2)
"""


@pytest.mark.skipif(os.name == "nt", reason="SIGKILL is of Unix")
@pytest.mark.parametrize("seconds", [0.0, 0.6, 1.2])
def test_killed_in_the_middle_and_run_again(tmp_path: Path, seconds: float) -> None:
    source = folder_of(tmp_path / "export", 900)
    item = item_of(source)
    root = Path(__file__).resolve().parents[2]
    script = KILLED.format(tests=str(root))
    process = subprocess.Popen(
        [sys.executable, "-c", script, str(source), str(tmp_path / "killed")],
        stdout=subprocess.PIPE,
        cwd=root,
    )
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(seconds)
    process.send_signal(signal.SIGKILL)
    process.wait()
    process.stdout.close()
    for path, raw in ((path, path.read_bytes()) for path in sorted(source.iterdir())):
        assert raw == message(int(path.stem))
    ingest(item, CaseFolder(tmp_path / "killed"), workers=2)
    ingest(item, CaseFolder(tmp_path / "whole"), workers=0)
    for name, table in tables(tmp_path / "whole").items():
        assert table.equals(tables(tmp_path / "killed")[name]), name


def test_spans_of_one_large_file_give_the_same_as_one_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    item = item_of(mbox_of(tmp_path / "all.mbox", 500), "mbox")
    ingest(item, CaseFolder(tmp_path / "one"), workers=0)
    from mailforensics.readers import Span

    size = item.size
    cuts = [0, 1, 777, size // 3, size // 3 + 50, size]
    spans = [Span(a, b) for a, b in itertools.pairwise(cuts)]
    monkeypatch.setattr(type(load("mbox")), "spans", lambda self, source: spans)
    monkeypatch.setattr(tasks, "BATCH_BYTES", 100)
    ingest(item, CaseFolder(tmp_path / "many"), workers=0)
    one, many = tables(tmp_path / "one"), tables(tmp_path / "many")
    assert one["messages"].num_rows == 500
    for name in ("messages", "attachments", "events"):
        assert one[name].equals(many[name]), name
    totals = many["reads"].to_pylist()[0]
    assert (totals["declared"], totals["read"]) == (500, 500)


def test_a_reader_that_fails_loses_its_own_source_alone(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = eml_reader.EmlReader.read

    def read(self: Reader, source: Source, log, span=None):
        if source.path.name == "00003.eml":
            raise ZeroDivisionError("a fault in the reader")
        yield from whole(self, source, log, span)

    monkeypatch.setattr(eml_reader.EmlReader, "read", read)
    item = item_of(folder_of(tmp_path / "export", 6))
    ingest(item, CaseFolder(tmp_path / "case"), workers=0)
    found = tables(tmp_path / "case")
    assert found["messages"].num_rows == 5
    rows = [row for row in found["reads"].to_pylist() if row["row_kind"] == "failed"]
    assert [row["source_path"] for row in rows] == ["00003.eml"]
    assert "ZeroDivisionError" in rows[0]["detail"]
    balance(found["reads"])


def balance(reads: pa.Table) -> None:
    for row in reads.to_pylist():
        if row["row_kind"] == "source":
            assert row["declared"] == row["read"] + row["failed"] + row["skipped"]


CRASHING = """
import os
from mailforensics.readers import eml
whole = eml.EmlReader.read
def read(self, source, log, span=None):
    if source.path.name == "00003.eml":
        os._exit(17)
    yield from whole(self, source, log, span)
eml.EmlReader.read = read
"""


def test_a_crash_of_a_worker_loses_the_one_source_that_crashed(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = tmp_path / "hook"
    hook.mkdir()
    (hook / "sitecustomize.py").write_text(CRASHING)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(hook), str(room_parent())]))
    item = item_of(folder_of(tmp_path / "export", 8))
    ingest(item, CaseFolder(tmp_path / "case"), workers=2)
    found = tables(tmp_path / "case")
    assert found["messages"].num_rows == 7
    rows = [row for row in found["reads"].to_pylist() if row["row_kind"] == "failed"]
    assert [row["source_path"] for row in rows] == ["00003.eml"]
    assert "exit code 17" in rows[0]["detail"]
    balance(found["reads"])


def room_parent() -> Path:
    return Path(room.__file__).resolve().parents[2]


def test_tasks_survive_the_way_to_a_worker(tmp_path: Path) -> None:
    item = item_of(folder_of(tmp_path / "export", 3))
    source = Source(tmp_path / "export" / "00001.eml", "合同 1.eml", "E01", "李娜", "box")
    for task in tasks.plan(item, [(source, "eml")]):
        again = tasks.Task.from_dict(json.loads(json.dumps(task.to_dict())))
        assert again == task
        assert again.name == task.name
        assert worker.run_task(task, tmp_path / "parts") == 1


def test_every_reader_of_the_registry_can_be_loaded() -> None:
    for name in READERS:
        assert load(name).name == name


def test_a_full_disk_is_no_fault_of_the_source(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mailforensics.errors import CaseError
    from mailforensics.ingest import parts

    item = item_of(folder_of(tmp_path / "export", 10))
    write = parts.PartWriter._write

    def full(self, table, rows):
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(parts.PartWriter, "_write", full)
    with pytest.raises(CaseError, match="No space left"):
        ingest(item, CaseFolder(tmp_path / "case"), workers=0)
    left = [path.name for path in (tmp_path / "case" / "parts" / "E01").iterdir()]
    assert left == []
    monkeypatch.setattr(parts.PartWriter, "_write", write)
    ingest(item, CaseFolder(tmp_path / "case"), workers=0)
    found = tables(tmp_path / "case")
    assert found["messages"].num_rows == 10
    assert found["reads"].num_rows == 10


def test_stop_is_heard_while_a_worker_is_busy(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    hook = tmp_path / "hook"
    hook.mkdir()
    slow = CRASHING.replace("os._exit(17)", "__import__('time').sleep(60)")
    (hook / "sitecustomize.py").write_text(slow)
    monkeypatch.setenv("PYTHONPATH", os.pathsep.join([str(hook), str(room_parent())]))
    item = item_of(folder_of(tmp_path / "export", 8))
    began = time.monotonic()
    with pytest.raises(Stopped):
        ingest(
            item,
            CaseFolder(tmp_path / "case"),
            workers=1,
            stop=lambda: time.monotonic() - began > 1,
        )
