"""The reader that CONTRIBUTING.md shows is a whole reader: it is run here as it stands there."""

from __future__ import annotations

import base64
import re
from pathlib import Path

from mailforensics.readers import ReadLog, Source
from tests.ingest.test_run import message

TEXT = (Path(__file__).resolve().parent.parent / "CONTRIBUTING.md").read_text(encoding="utf-8")


def example() -> str:
    (found,) = re.findall(r"```python\n(.*?)```", TEXT, re.DOTALL)
    return found


def test_the_example_is_short() -> None:
    assert len(example().splitlines()) <= 45


def test_the_example_reads_fails_and_gives_back(tmp_path: Path) -> None:
    space: dict = {}
    exec(compile(example(), "CONTRIBUTING.md", "exec"), space)
    reader = space["LinesReader"]()
    path = tmp_path / "a.b64lines"
    lines = [base64.b64encode(message(1)), b"x", base64.b64encode(message(2))]
    path.write_bytes(b"\n".join(lines) + b"\n")
    assert reader.sniff(path.read_bytes()[:4096], path)
    assert not reader.sniff(b"", tmp_path / "a.eml")
    source, log = Source(path), ReadLog()
    records = list(reader.read(source, log))
    for record in records:
        log.count(record)
        assert reader.raw(source, record.source_ref) in {message(1), message(2)}
    assert (log.declared, log.read, log.failed) == (3, 2, 1)
    assert log.balanced
