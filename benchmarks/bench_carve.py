"""Carving a 1 GB image with sparse mail, beside ``grep -c -a`` over the same file.

Run ``python -m benchmarks.bench_carve`` (or the file). The image is made with a fixed seed below
the system's temporary folder, with the truth beside it, and kept for the next run.

It prints, in one run with alternating rounds, medians of wall and processor time, the ratio to
grep (the bar is 4), how many messages were found to the byte, and peak memory.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import json
import mmap
import multiprocessing
import multiprocessing.pool
import random
import shutil
import statistics
import subprocess
import sys
import sysconfig
import tempfile
import time
from collections.abc import Callable, Iterator
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT))

from mailforensics.carving import Carved, carve  # noqa: E402 - found beside this file

BLOCK = 4096
PIECE = 64 << 20
WORDS = str.split(
    "contract invoice delivery Friday payment signed copy attached please regards meeting "
    "schedule draft revised customer order confirm quarter budget approval 合同 发票 付款 会议 "
    "订单 确认 附件 请查收"
)


def body_text(rng: random.Random, size: int) -> bytes:
    lines = []
    while size > 0:
        line = " ".join(rng.choices(WORDS, k=rng.randint(4, 12)))
        lines.append(line.encode())
        size -= len(lines[-1]) + 1
    return b"\n".join(lines) + b"\n"


def message(rng: random.Random, number: int) -> bytes:
    """One message of the sizes that mail has; every eighth carries an attachment."""
    host = f"mx{rng.randint(1, 9)}.example.com"
    head = [
        f"Return-Path: <u{rng.randint(1, 999)}@example.com>",
        f"Received: from {host} (10.0.0.{rng.randint(1, 254)})",
        f"\tby mail.example.org with ESMTP id {rng.getrandbits(40):x};",
        f"\tTue, {rng.randint(1, 28)} Nov 2026 10:{rng.randint(10, 59)}:00 +0800",
        f"Message-ID: <{number}.{rng.getrandbits(48):x}@example.com>",
        f"Date: Tue, {rng.randint(1, 28)} Nov 2026 10:{rng.randint(10, 59)}:00 +0800",
        f"From: User {rng.randint(1, 99)} <u{rng.randint(1, 999)}@example.com>",
        f"To: <u{rng.randint(1, 999)}@example.org>",
        f"Subject: {' '.join(rng.choices(WORDS[:18], k=5))}",
        "MIME-Version: 1.0",
    ]
    text = body_text(rng, int(rng.lognormvariate(7.4, 0.9)))
    if rng.random() < 0.12:
        return _lines(head, _multipart(rng, number, text))
    return _lines(head, b"Content-Type: text/plain; charset=utf-8\n\n" + text)


def _lines(head: list[str], rest: bytes) -> bytes:
    return "\n".join(head).encode() + b"\n" + rest


def _multipart(rng: random.Random, number: int, text: bytes) -> bytes:
    mark = b"=_%d_%x" % (number, rng.getrandbits(64))
    data = base64.encodebytes(rng.randbytes(int(min(rng.lognormvariate(10.2, 1), 4e6))))
    return (
        b'Content-Type: multipart/mixed;\n boundary="' + mark + b'"\n\n--' + mark
        + b"\nContent-Type: text/plain; charset=utf-8\n\n" + text + b"\n--" + mark
        + b"\nContent-Type: application/pdf; name=a.pdf\nContent-Transfer-Encoding: base64\n\n"
        + data + b"\n--" + mark + b"--\n"
    )  # fmt: skip


def noise_files() -> dict[str, list[Path]]:
    """Text and binaries of the running Python."""
    root = Path(sysconfig.get_paths()["stdlib"])
    found = sorted(path for path in root.rglob("*") if path.is_file() and "mail" not in str(path))
    sites = sorted(Path(sysconfig.get_paths()["platlib"]).rglob("*.so"))
    return {
        "text": [path for path in found if path.suffix in {".py", ".txt", ".rst", ".h"}],
        "binary": [*sites, *(path for path in found if path.suffix in {".so", ".pyc"})],
    }


def noise(rng: random.Random, files: dict[str, list[Path]]) -> bytes:
    """One run of bytes that are no mail: random, zeros, text, or binaries."""
    draw = rng.random()
    size = rng.randint(64, 512) << 10
    if draw < 0.28:
        return rng.randbytes(size)
    if draw < 0.48:
        return bytes(size)
    kind = "text" if draw < 0.65 else "binary"
    gathered = bytearray()
    while len(gathered) < size:
        gathered += rng.choice(files[kind]).read_bytes()
    return bytes(gathered[:size])


class Image:
    """Writes the image and its truth."""

    def __init__(self, path: Path, rng: random.Random) -> None:
        self.stream = path.open("wb")
        self.rng = rng
        self.truth: list[tuple[int, int, str, str]] = []
        self.count = 0

    def put(self, data: bytes) -> None:
        """Write bytes."""
        self.stream.write(data)

    def fill_block(self) -> str:
        """Fill the block behind a file as file systems do; return with what."""
        gap = -self.stream.tell() % BLOCK
        zero = self.rng.random() < 0.75
        self.put(bytes(gap) if zero else self.rng.randbytes(gap))
        return "zero" if zero else "random"

    def message(self) -> bytes:
        """Make another message."""
        self.count += 1
        return message(self.rng, self.count)

    def note(self, data: bytes, kind: str) -> None:
        """Write down that a message begins here."""
        digest = hashlib.sha256(data).hexdigest()
        self.truth.append((self.stream.tell(), len(data), kind, digest))

    def eml(self) -> None:
        """Write one message as a file."""
        data = self.message()
        if self.rng.random() < 0.5:
            data = data.replace(b"\n", b"\r\n")
        self.note(data, "eml")
        self.put(data)
        slack = self.fill_block()
        offset, length, _, digest = self.truth[-1]
        self.truth[-1] = (offset, length, f"eml+{slack}", digest)

    def mbox(self) -> None:
        """Write an mbox file."""
        for _ in range(self.rng.randint(20, 200)):
            data = self.message()
            self.put(b"From sender@example.com Tue Nov 24 10:00:00 2026\n")
            self.note(data, "mbox")
            self.put(data + b"\n")
        self.fill_block()


def make(path: Path, size: int, share: float = 0.06) -> list[tuple[int, int, str, str]]:
    """Make the image, or take the one that is there."""
    truth = path.with_suffix(".json")
    if path.is_file() and path.stat().st_size == size and truth.is_file():
        return [tuple(row) for row in json.loads(truth.read_text())]
    rng = random.Random(20261124)
    files = noise_files()
    image = Image(path, rng)
    mail = 0
    while image.stream.tell() < size:
        before = image.stream.tell()
        if mail < share * before:
            image.mbox() if rng.random() < 0.25 else image.eml()
            mail += image.stream.tell() - before
        else:
            image.put(noise(rng, files))
            image.put(bytes(-image.stream.tell() % BLOCK))
    image.stream.truncate(size)
    image.stream.close()
    kept = [row for row in image.truth if row[0] + row[1] <= size]
    truth.write_text(json.dumps(kept))
    return kept


def carve_file(path: Path, own: tuple[int, int] | None = None) -> Iterator[Carved]:
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as data:
        given = 0

        def release(offset: int) -> None:
            nonlocal given
            if hasattr(mmap, "MADV_DONTNEED") and offset > given:
                data.madvise(mmap.MADV_DONTNEED, given, offset - given)
                given = offset

        yield from carve(data, own=own, release=release)


def one_piece(task: tuple[Path, int, int]) -> list[tuple[int, int]]:
    path, low, high = task
    return [(found.offset, found.length) for found in carve_file(path, (low, high))]


def alone(path: Path) -> list[tuple[int, int]]:
    return [(found.offset, found.length) for found in carve_file(path)]


def in_two(path: Path, pool: multiprocessing.pool.Pool) -> list[tuple[int, int]]:
    size = path.stat().st_size
    tasks = [(path, low, min(low + PIECE, size)) for low in range(0, size, PIECE)]
    return [row for rows in pool.map(one_piece, tasks, chunksize=1) for row in rows]


def grep(path: Path) -> int:
    done = subprocess.run(
        ["grep", "-c", "-a", "Message-ID", str(path)], capture_output=True, check=False
    )
    return int(done.stdout)


def peak_of_carving(path: Path) -> str:
    """Return peak memory of a fresh process that carves, and of one that only imports (Linux)."""
    peaks = []
    for work in ("pass", f"alone(Path({str(path)!r}))"):
        script = (
            f"import sys; sys.path.insert(0, {str(ROOT)!r})\n"
            "from pathlib import Path\nfrom benchmarks.bench_carve import alone\n"
            f"{work}\n"
            "lines = Path('/proc/self/status').read_text().splitlines()\n"
            "print(next(line.split()[1] for line in lines if line.startswith('VmHWM')))"
        )
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, check=True, text=True
        )
        peaks.append(int(done.stdout) // 1024)
    return f"{peaks[1]} MB, of which {peaks[0]} MB before any work"


def report(
    truth: list[tuple[int, int, str, str]], found: list[tuple[int, int]], path: Path
) -> None:
    by_start = dict(found)
    with path.open("rb") as stream:
        exact: dict[str, list[bool]] = {}
        for offset, length, kind, digest in truth:
            stream.seek(offset)
            data = stream.read(by_start.get(offset, 0))
            same = len(data) == length and hashlib.sha256(data).hexdigest() == digest
            exact.setdefault(kind, []).append(same)
    hits = sum(offset in by_start for offset, *_ in truth)
    right = sum(sum(values) for values in exact.values())
    print(f"messages planted {len(truth)}, starts exact {hits / len(truth):.2%}")
    print(f"byte-exact {right / len(truth):.2%}, found besides {len(found) - hits}")
    for kind in sorted(exact):
        print(f"  {kind}: {sum(exact[kind])} of {len(exact[kind])}")


def measure(path: Path, rounds: int, pool: multiprocessing.pool.Pool) -> None:
    """Time grep and the carver, alternating; the two processes are started before."""
    workers: dict[str, Callable[[], object]] = {
        "carve, 1 process": lambda: alone(path),
        "carve, 2 processes": lambda: in_two(path, pool),
    }
    if shutil.which("grep"):
        workers = {"grep -c -a": lambda: grep(path), **workers}
    walls: dict[str, list[float]] = {name: [] for name in workers}
    for _ in range(rounds):
        for name, work in workers.items():
            begin = time.perf_counter()
            work()
            walls[name].append(time.perf_counter() - begin)
    size = path.stat().st_size
    medians = {name: statistics.median(values) for name, values in walls.items()}
    base = medians.get("grep -c -a")
    for name, seconds in medians.items():
        ratio = f", {seconds / base:.2f} x grep" if base else ""
        print(f"{name}: {seconds:.2f} s, {size / 1e6 / seconds:.0f} MB/s{ratio}")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--size", type=int, default=1000, help="megabytes")
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--folder", type=Path, default=Path(tempfile.gettempdir()))
    given = parser.parse_args()
    path = given.folder / f"mailforensics-carve-{given.size}.img"
    truth = make(path, given.size * 1_000_000)
    with multiprocessing.get_context("spawn").Pool(2) as pool:
        in_two(path, pool)
        measure(path, given.rounds, pool)
        found = alone(path)
        assert found == in_two(path, pool), "pieces and the whole must give the same"
    report(truth, found, path)
    if Path("/proc/self/status").is_file():
        print(f"peak memory: {peak_of_carving(path)}")


if __name__ == "__main__":
    main()
