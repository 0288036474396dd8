"""Worker processes that each do one task at a time and may crash without harm.

The standard library's process pool loses every waiting task when one worker dies, and needs the
caller's main module to be importable; neither fits a notebook that reads hostile files.
"""

from __future__ import annotations

import json
import os
import queue
import subprocess
import sys
import tempfile
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from types import TracebackType
from typing import IO, Any

from mailforensics.ingest.progress import Stopped
from mailforensics.ingest.tasks import Task

__all__ = ["CannotWrite", "Crash", "Pool", "Result"]

PACKAGE_PARENT = Path(__file__).resolve().parents[2]


@dataclass(frozen=True, slots=True)
class Crash:
    """A worker ended in the middle of a task. ``words`` is the last that it said."""

    words: str


@dataclass(frozen=True, slots=True)
class CannotWrite:
    """What a worker read could not be written: the disk is full, or may not be written."""

    words: str


Result = int | Crash | CannotWrite
"""Number of items read, or why there is none."""


class Pool:
    """Some workers; ended with the ``with`` block, also in the middle of a task."""

    def __init__(self, size: int) -> None:
        self.size = max(size, 1)
        self._workers: list[_Worker] = []
        self._closed = threading.Event()

    def __enter__(self) -> Pool:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self._closed.set()
        for worker in self._workers:
            worker.end()

    def run(
        self, tasks: list[Task], folder: Path, stop: Callable[[], bool] | None = None
    ) -> Iterator[tuple[Task, Result]]:
        """Yield each task with the number of items that it read, in the order of finishing.

        ``stop`` is asked four times a second; when it says yes, :class:`Stopped` is raised.
        """
        waiting: queue.SimpleQueue[Task] = queue.SimpleQueue()
        results: queue.SimpleQueue[tuple[Task, Result]] = queue.SimpleQueue()
        for task in tasks:
            waiting.put(task)
        for _ in range(min(self.size, len(tasks))):
            worker = _Worker()
            self._workers.append(worker)
            arguments = (worker, waiting, results, folder)
            threading.Thread(target=self._serve, args=arguments, daemon=True).start()
        for _ in tasks:
            yield _wait(results, stop)

    def _serve(
        self,
        worker: _Worker,
        waiting: queue.SimpleQueue[Task],
        results: queue.SimpleQueue[tuple[Task, Result]],
        folder: Path,
    ) -> None:
        while not self._closed.is_set():
            try:
                task = waiting.get_nowait()
            except queue.Empty:
                break
            results.put((task, worker.do(task, folder)))
        worker.end()


def _wait(
    results: queue.SimpleQueue[tuple[Task, Result]], stop: Callable[[], bool] | None
) -> tuple[Task, Result]:
    while True:
        try:
            return results.get(timeout=0.25)
        except queue.Empty:
            if stop is not None and stop():
                raise Stopped from None


class _Worker:
    """One worker process, started when it is first needed and again after a crash."""

    def __init__(self) -> None:
        self._process: subprocess.Popen[str] | None = None
        self._errors: IO[bytes] | None = None
        self._lock = threading.Lock()

    def do(self, task: Task, folder: Path) -> Result:
        process = self._running()
        assert process.stdin is not None
        assert process.stdout is not None
        order = json.dumps({"task": task.to_dict(), "folder": str(folder)})
        try:
            process.stdin.write(order + "\n")
            process.stdin.flush()
            answer = process.stdout.readline()
        except (OSError, ValueError):
            answer = ""
        if answer:
            return _result(json.loads(answer))
        words = self._last_words()
        self.end()
        return Crash(words)

    def _running(self) -> subprocess.Popen[str]:
        with self._lock:
            if self._process is None:
                self._errors = tempfile.TemporaryFile()  # noqa: SIM115 - closed by end()
                self._process = subprocess.Popen(
                    [sys.executable, "-c", "from mailforensics.ingest.worker import main; main()"],
                    stdin=subprocess.PIPE,
                    stdout=subprocess.PIPE,
                    stderr=self._errors,
                    text=True,
                    encoding="utf-8",
                    env=_environment(),
                )
            return self._process

    def _last_words(self) -> str:
        with self._lock:
            process, errors = self._process, self._errors
        if process is None or errors is None:
            return "ended on request"
        code = process.wait()
        try:
            errors.seek(0)
            said = errors.read().decode("utf-8", "replace").strip()
        except ValueError:
            said = ""
        return f"exit code {code}; {said[-400:]}"

    def end(self) -> None:
        """End the process, by its own pid, and wait for it."""
        with self._lock:
            process, self._process = self._process, None
            errors, self._errors = self._errors, None
        if process is not None:
            process.kill()
            process.wait()
            for stream in (process.stdin, process.stdout):
                if stream is not None:
                    _close(stream)
        if errors is not None:
            errors.close()


def _result(answer: dict[str, Any]) -> int | CannotWrite:
    return CannotWrite(answer["error"]) if "error" in answer else int(answer["items"])


def _close(stream: IO[str]) -> None:
    try:
        stream.close()
    except OSError:
        return


def _environment() -> dict[str, str]:
    paths = [str(PACKAGE_PARENT), os.environ.get("PYTHONPATH", "")]
    return {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(filter(None, paths)),
        "PYTHONIOENCODING": "utf-8",
        "PYTHONUTF8": "1",
        "OPENBLAS_NUM_THREADS": "1",  # numpy's threads would wait for work that never comes
    }
