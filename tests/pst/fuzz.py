"""Fuzzing of the Outlook engine over mutated real files; long, so outside the test suite.

``python -m tests.pst.fuzz FOLDER --seconds 3600 --seed 1`` mutates files of a folder, reads each
through the reader (live and recovered mail, the bytes of some), and reports what raises, what takes
long and what needs much memory. A found fault is kept as its file and seed.
"""

from __future__ import annotations

import argparse
import random
import sys
import tempfile
import time
import traceback
from collections.abc import Callable, Iterator
from pathlib import Path

from mailforensics.errors import MailForensicsError
from mailforensics.readers import ReadLog, Source, load

SLOW = 10.0
LARGEST = 1_000_000


def flip(data: bytearray, rng: random.Random) -> None:
    data[rng.randrange(len(data))] = rng.randrange(256)


def extreme(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data))
    value = rng.choice((b"\xff" * 8, bytes(8), (1 << 63).to_bytes(8, "little")))
    data[at : at + 8] = value[: len(data) - at]


def transplant(data: bytearray, rng: random.Random) -> None:
    size = rng.choice((16, 64, 512, 4096))
    source, target = rng.randrange(len(data)), rng.randrange(len(data))
    part = bytes(data[source : source + size])
    data[target : target + len(part)] = part[: len(data) - target]


def blank(data: bytearray, rng: random.Random) -> None:
    at = rng.randrange(len(data)) // 512 * 512
    data[at : at + 512] = bytes(len(data[at : at + 512]))


MUTATIONS: tuple[Callable[[bytearray, random.Random], None], ...] = (
    flip,
    flip,
    extreme,
    transplant,
    blank,
)


def mutated(data: bytes, rng: random.Random) -> bytes:
    """Return a damaged copy."""
    copy = bytearray(data)
    for _ in range(rng.choice((1, 10, 100, 1000))):
        rng.choice(MUTATIONS)(copy, rng)
    if rng.random() < 0.2:
        del copy[rng.randrange(len(copy)) + 1 :]
    return bytes(copy)


def read(path: Path, rng: random.Random) -> None:
    """Read a file as the tool does, and ask for the bytes of some of its items."""
    reader, source, log = load("pst"), Source(path), ReadLog()
    refs = []
    for record in reader.read(source, log):
        log.count(record)
        refs.append(record.source_ref)
    assert log.balanced, "the count does not balance"
    for ref in rng.sample(refs, min(3, len(refs))):
        reader.raw(source, ref)


def trials(files: list[Path], seed: int, seconds: float) -> Iterator[tuple[Path, int]]:
    end, number = time.process_time() + seconds, seed * 1_000_000
    while time.process_time() < end:
        number += 1
        yield files[number % len(files)], number


def run(folder: Path, seed: int, seconds: float, kept: Path) -> int:
    """Fuzz; return the number of faults."""
    files = [path for path in sorted(folder.iterdir()) if 0 < path.stat().st_size <= LARGEST]
    faults, done, longest = 0, 0, 0.0
    with tempfile.TemporaryDirectory() as place:
        target = Path(place) / "mutated.pst"
        for path, number in trials(files, seed, seconds):
            rng = random.Random(number)
            target.write_bytes(mutated(path.read_bytes(), rng))
            began = time.process_time()
            try:
                read(target, rng)
            except MailForensicsError:
                pass
            except Exception:
                faults += 1
                kept.mkdir(parents=True, exist_ok=True)
                (kept / f"{number}.pst").write_bytes(target.read_bytes())
                print(f"{path.name} seed {number}\n{traceback.format_exc(limit=-6)}", flush=True)
            passed = time.process_time() - began
            longest = max(longest, passed)
            if passed > SLOW:
                print(f"{path.name} seed {number}: {passed:.1f} s", flush=True)
            done += 1
            target.unlink()
    print(f"{done} files, {faults} faults, longest {longest:.1f} s of processor time")
    return faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("folder", type=Path)
    parser.add_argument("--seconds", type=float, default=3600)
    parser.add_argument("--seed", type=int, default=1)
    parser.add_argument("--kept", type=Path, default=Path(tempfile.gettempdir()) / "pst-faults")
    options = parser.parse_args()
    sys.exit(run(options.folder, options.seed, options.seconds, options.kept) > 0)


if __name__ == "__main__":
    main()
