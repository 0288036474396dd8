"""Full-text search over 200,000 messages: build rate, size, query times, and right counts.

Run ``python benchmarks/bench_search.py [messages]``. The text is a salad of English and Chinese
words (one message in four is Chinese) of about 1 KB each, with planted words of two and of four
signs and one English word; the counts of the index are held against a scan of the text.
"""

from __future__ import annotations

import random
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from statistics import median

from mailforensics.search import Hit, IndexWriter, find

FILES = 30
PLANTED = {"合同": 0.0025, "季度报告": 0.0025, "quarterly": 0.07, "HY-2026-0417": 0.0005}
QUERIES = [
    "合同",
    "季度报告",
    "合",
    "quarterly",
    "hy-2026-0417",
    "合同 OR quarterly",
    "quarterly -合同",
    '"price list"',
    "subject:message",
    "hua*",
]


def salad(count: int) -> list[str]:
    """Return that many bodies of about 1 KB."""
    rng = random.Random(417)
    letters = "abcdefghijklmnopqrstuvwxyz"
    english = ["".join(rng.choices(letters, k=rng.randint(2, 9))) for _ in range(20_000)]
    english += ["price", "list", "the", "huayang"]
    signs = [chr(0x4E00 + at) for at in range(3000) if chr(0x4E00 + at) not in "合同季度报告"]
    chinese = ["".join(rng.choices(signs, k=rng.randint(2, 4))) for _ in range(20_000)]
    weights = [1 / (rank + 3) for rank in range(20_000)]
    bodies = []
    for number in range(count):
        if number % 4 == 0:
            words = rng.choices(chinese, weights, k=112)
        else:
            words = rng.choices(english, [*weights, 0.01, 0.01, 0.1, 0.01], k=158)
        for word, share in PLANTED.items():
            if rng.random() < share:
                words.insert(rng.randrange(len(words)), word)
        bodies.append(_written(words, chinese=number % 4 == 0))
    return bodies


def _written(words: list[str], *, chinese: bool) -> str:
    if not chinese:
        return " ".join(words)
    return "，".join("".join(words[at : at + 4]) for at in range(0, len(words), 4))


def build(bodies: list[str], folder: Path, files: int) -> list[Path]:
    """Build the index in that many files."""
    size = -(-len(bodies) // files)
    paths = []
    for part in range(files):
        path = folder / f"{files}-{part:03d}.sqlite"
        with IndexWriter(path) as writer:
            for number in range(part * size, min((part + 1) * size, len(bodies))):
                writer.add(
                    f"{number:032x}",
                    subject=f"Message {number}",
                    people="Li Na li.na@huayang.example sales@nordwind.example",
                    attachments="",
                    text=bodies[number],
                )
        paths.append(path)
    return paths


def timed(call: Callable[[], list[Hit]]) -> tuple[float, int]:
    """Return the median of five runs in seconds, and the number of hits."""
    times = []
    for _ in range(5):
        begin = time.perf_counter()
        hits = call()
        times.append(time.perf_counter() - begin)
    return median(times), len(hits)


def check(bodies: list[str], paths: list[Path]) -> None:
    """Hold the counts of planted words against a plain scan."""
    for word in PLANTED:
        expected = sum(word in body for body in bodies)
        found = len(find(paths, word))
        print(f"  {word}: {found} found, {expected} by a plain scan")
        assert found == expected, word


def main() -> None:
    """Build, check, measure."""
    count = int(sys.argv[1]) if len(sys.argv) > 1 else 200_000
    bodies = salad(count)
    raw = sum(len(body.encode()) for body in bodies)
    print(f"{count:,} messages, {raw / 1e6:.0f} MB of text")
    with tempfile.TemporaryDirectory() as name:
        for files in (1, FILES):
            begin = time.process_time()
            paths = build(bodies, Path(name), files)
            spent = time.process_time() - begin
            size = sum(path.stat().st_size for path in paths)
            print(
                f"{files} file(s): {count / spent:,.0f} messages per CPU second, "
                f"{size / 1e6:.0f} MB = {size / raw:.2f} of the text"
            )
            check(bodies, paths)
            for query in QUERIES:
                seconds, hits = timed(lambda query=query, paths=paths: find(paths, query))
                top, _ = timed(lambda query=query, paths=paths: find(paths, query, limit=100))
                print(f"  {query:22} {hits:8,} hits {seconds * 1e3:7.1f} ms; 100: {top * 1e3:.1f}")


if __name__ == "__main__":
    main()
