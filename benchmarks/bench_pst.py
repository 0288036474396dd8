"""Reading a PST of 12,000 messages beside libpff (pypff), in one run, taking turns.

    python benchmarks/bench_pst.py [--file some.pst] [--rounds 5] [--rtf FOLDER]

Without ``--file`` the file of ``make_pst.py`` is made below the system's temporary folder and kept.

``full`` reads the text, the HTML, the headers, each recipient (name, address, kind) and the bytes
of each attachment; ``columns`` reads subject, sender and the two dates. Both sides must give the
same numbers of everything. ``rtf`` unpacks the RTF bodies of real files in a folder. Printed are
medians of wall time and of processor time, and the ratio of each (bars: 2.5, 3 and 1).

``processes`` reads the file into rows with the reader, in one process and in two (bar: 1.7).
"""

from __future__ import annotations

import argparse
import statistics
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[:0] = [str(ROOT), str(ROOT / "benchmarks")]

import pypff  # noqa: E402

from mailforensics.mapi import rtf  # noqa: E402
from mailforensics.pst import Message, PstStore  # noqa: E402
from mailforensics.readers import ReadLog, Source, Span, load  # noqa: E402

NAME, ADDRESS, SMTP, KIND = 0x3001, 0x3003, 0x39FE, 0x0C15
Numbers = tuple[int, ...]


def our_items(store: PstStore) -> Iterator[Message]:
    for folder in store.folders():
        if not folder.is_search:
            yield from store.messages(folder)


def our_full(path: Path) -> Numbers:
    messages = people = files = headers = html = data = 0
    with PstStore.open(path) as store:
        for message in our_items(store):
            messages += 1
            _ = message.subject, message.sender_name, message.submitted_at, message.delivered_at
            _ = message.body
            headers += len(message.headers or "")
            html += len(message.html or b"")
            for row in message.recipients:
                people += 1
                _ = row.name, row.address, row.kind
            for attachment in message.attachments:
                files += 1
                _ = attachment.name
                data += len(attachment.data() or b"")
    return messages, people, files, headers, html, data


def our_columns(path: Path) -> Numbers:
    count = 0
    with PstStore.open(path) as store:
        for message in our_items(store):
            count += 1
            _ = message.subject, message.sender_name, message.submitted_at, message.delivered_at
    return (count,)


def our_rtf(path: Path) -> Numbers:
    with PstStore.open(path) as store:
        bodies = [rtf.decompress(message.rtf or b"") or b"" for message in our_items(store)]
    return (len(bodies),)


def their_items(file: pypff.file) -> Iterator[pypff.message]:
    waiting = [file.root_folder]
    while waiting:
        folder = waiting.pop()
        waiting += list(folder.sub_folders)
        for index in range(folder.number_of_sub_messages):
            yield folder.get_sub_message(index)


def their_person(table: pypff.recipients, number: int) -> None:
    for entry in table.get_record_set(number).entries:
        kind = entry.entry_type
        if kind in {NAME, ADDRESS, SMTP}:
            _ = entry.data_as_string
        elif kind == KIND:
            _ = entry.data_as_integer


def their_full(path: Path) -> Numbers:
    messages = people = files = headers = html = data = 0
    file = pypff.file()
    file.open(str(path))
    for message in their_items(file):
        messages += 1
        _ = (
            message.subject,
            message.sender_name,
            message.client_submit_time,
            message.delivery_time,
        )
        _ = message.plain_text_body
        headers += len(message.transport_headers or "")
        html += len(message.html_body or b"")
        table = message.recipients
        for number in range(table.number_of_record_sets if table else 0):
            people += 1
            their_person(table, number)
        for attachment in message.attachments:
            files += 1
            _ = attachment.long_filename
            data += len(attachment.read_buffer(attachment.size)) if attachment.size else 0
    file.close()
    return messages, people, files, headers, html, data


def their_columns(path: Path) -> Numbers:
    count = 0
    file = pypff.file()
    file.open(str(path))
    for message in their_items(file):
        count += 1
        _ = (
            message.subject,
            message.sender_name,
            message.client_submit_time,
            message.delivery_time,
        )
    file.close()
    return (count,)


def their_rtf(path: Path) -> Numbers:
    count = 0
    file = pypff.file()
    file.open(str(path))
    for message in their_items(file):
        count += 1
        try:
            _ = message.rtf_body
        except (OSError, AttributeError):
            continue
    file.close()
    return (count,)


def timed(job: Callable[[Path], Numbers], paths: list[Path]) -> tuple[float, float, list[Numbers]]:
    wall, cpu = time.perf_counter(), time.process_time()
    found = [job(path) for path in paths]
    return time.perf_counter() - wall, time.process_time() - cpu, found


def race(
    name: str,
    ours: Callable[[Path], Numbers],
    theirs: Callable[[Path], Numbers],
    paths: list[Path],
    rounds: int,
) -> None:
    """Let both take turns and print medians."""
    runs: list[tuple[float, float, float, float]] = []
    for _ in range(rounds):
        wall, cpu, found = timed(ours, paths)
        other_wall, other_cpu, expected = timed(theirs, paths)
        assert found == expected, (found, expected)
        runs.append((wall, cpu, other_wall, other_cpu))
    wall, cpu, other_wall, other_cpu = (
        statistics.median(column) for column in zip(*runs, strict=True)
    )
    count = sum(numbers[0] for numbers in found)
    print(
        f"{name:9} {count:6} items   ours {wall:6.2f} s ({cpu:6.2f} s of processor, "
        f"{count / wall:6.0f}/s)   libpff {other_wall:6.2f} s ({other_cpu:6.2f} s)   "
        f"ratio {other_wall / wall:4.2f} ({other_cpu / cpu:4.2f} by processor)"
    )


def read_span(path: Path, span: Span | None) -> tuple[int, float]:
    """Return how many rows a part gives, and the processor time that they took."""
    reader, log, begun = load("pst"), ReadLog(), time.process_time()
    return sum(1 for _ in reader.read(Source(path), log, span)), time.process_time() - begun


def processes(path: Path, rounds: int) -> None:
    """Read the file into rows in one process and in two, taking turns."""
    size = path.stat().st_size
    halves = [Span(0, size // 2), Span(size // 2, size)]
    walls, cpus = [], []
    with ProcessPoolExecutor(2, get_context("spawn")) as pool:
        list(pool.map(read_span, [path] * 2, halves))
        for _ in range(rounds):
            begun = time.perf_counter()
            [(count, alone)] = pool.map(read_span, [path], [None])
            middle = time.perf_counter()
            parts = list(pool.map(read_span, [path] * 2, halves))
            walls.append((middle - begun, time.perf_counter() - middle))
            cpus.append((alone, max(cpu for _, cpu in parts)))
            assert sum(rows for rows, _ in parts) == count
    one, two = (statistics.median(column) for column in zip(*walls, strict=True))
    cpu_one, cpu_two = (statistics.median(column) for column in zip(*cpus, strict=True))
    print(
        f"processes {count:6} rows    one {one:6.2f} s   two {two:6.2f} s   ratio {one / two:4.2f} "
        f"({cpu_one / cpu_two:4.2f} by processor time of the busier one)"
    )


def made() -> Path:
    import make_pst

    path = Path(tempfile.gettempdir()) / "mailforensics-bench" / "bench.pst"
    path.parent.mkdir(exist_ok=True)
    if not path.is_file():
        make_pst.make(path)
    return path


def with_rtf(folder: Path) -> list[Path]:
    """Return the files of a folder that both sides read and that have RTF bodies."""
    found = []
    for path in sorted(folder.iterdir()):
        try:
            their_rtf(path)
            with PstStore.open(path) as store:
                count = sum(bool(message.rtf) for message in our_items(store))
        except Exception as error:  # noqa: BLE001 - whatever they refuse is left out
            print(f"left out: {path.name}: {str(error).partition('.')[0]}", file=sys.stderr)
            continue
        if count:
            found.append(path)
    return found


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--file", type=Path)
    parser.add_argument("--rounds", type=int, default=5)
    parser.add_argument("--rtf", type=Path, help="a folder of real files")
    parser.add_argument("--only", choices=["full", "columns", "rtf", "processes"])
    given = parser.parse_args()
    path = given.file or made()
    wanted = {given.only} if given.only else {"full", "columns", "rtf", "processes"}
    print(f"{path.name}: {path.stat().st_size / 1e6:.0f} MB")
    if "full" in wanted:
        race("full", our_full, their_full, [path], given.rounds)
    if "columns" in wanted:
        race("columns", our_columns, their_columns, [path], given.rounds)
    if "rtf" in wanted and given.rtf:
        race("rtf", our_rtf, their_rtf, with_rtf(given.rtf), given.rounds)
    if "processes" in wanted:
        processes(path, given.rounds)


if __name__ == "__main__":
    main()
