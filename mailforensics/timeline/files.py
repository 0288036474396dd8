"""A timeline as files that Timesketch loads."""

from __future__ import annotations

import csv
import json
from collections.abc import Iterator
from datetime import UTC
from pathlib import Path
from typing import Any, TextIO

import pandas as pd
import pyarrow as pa

from mailforensics.errors import WouldOverwrite
from mailforensics.timeline.rows import COLUMNS

__all__ = ["write_csv", "write_jsonl"]


def write_csv(frame: pd.DataFrame, path: Path) -> Path:
    """Write a timeline as CSV that Timesketch loads: UTF-8, a header line, times in UTC.

    Raises
    ------
    WouldOverwrite
        There is a file of that name already.
    """
    with _new_file(path) as stream:
        writer = csv.DictWriter(stream, fieldnames=list(COLUMNS), lineterminator="\n")
        writer.writeheader()
        writer.writerows(_plain_rows(frame))
    return path


def write_jsonl(frame: pd.DataFrame, path: Path) -> Path:
    """Write a timeline as JSON lines that Timesketch loads; what is not known is left out.

    Raises
    ------
    WouldOverwrite
        There is a file of that name already.
    """
    with _new_file(path) as stream:
        for row in _plain_rows(frame):
            known = {name: value for name, value in row.items() if value is not None}
            stream.write(json.dumps(known, ensure_ascii=False) + "\n")
    return path


def _new_file(path: Path) -> TextIO:
    try:
        return path.open("x", encoding="utf-8", newline="")
    except FileExistsError as error:
        raise WouldOverwrite(
            f"{path} is there already", hint="Choose another name; nothing is ever overwritten."
        ) from error


def _plain_rows(frame: pd.DataFrame) -> Iterator[dict[str, Any]]:
    table = pa.Table.from_pandas(frame[list(COLUMNS)], preserve_index=False)
    for batch in table.to_batches(max_chunksize=10_000):
        for row in batch.to_pylist():
            row["datetime"] = row["datetime"].astimezone(UTC).isoformat(timespec="microseconds")
            yield row
