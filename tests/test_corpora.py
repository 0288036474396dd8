"""All real mail files at once, the way a person would add them: folder by folder."""

from __future__ import annotations

from pathlib import Path

import pyarrow.compute as pc
import pyarrow.parquet as pq
import pytest

from mailforensics.ingest import CaseFolder, ingest
from mailforensics.schema import TABLES
from tests.ingest.test_run import balance, item_of

FOLDERS = {
    "eml": 1600,
    "msg": 221,
    "pst": 570,
    "cjk": 21,
    "emlx": 3,
    "mbox": 32,
    "stores": 40,
}


@pytest.mark.parametrize(("name", "least"), FOLDERS.items())
def test_a_folder_of_real_files_is_read_and_balances(
    corpora: Path, tmp_path: Path, name: str, least: int
) -> None:
    case = CaseFolder(tmp_path / "case")
    ingest(item_of(corpora / name), case)
    tables = {
        table: pq.read_table(case.table(table, "E01"))
        for table in ("messages", "attachments", "events", "reads")
    }
    for table, rows in tables.items():
        assert rows.schema.equals(TABLES[table])
    messages = tables["messages"]
    assert messages.num_rows >= least
    assert pc.count_distinct(messages["item_id"]).as_py() == messages.num_rows
    balance(tables["reads"])
    faults = [
        row for row in tables["reads"].to_pylist() if row["row_kind"] in {"failed", "skipped"}
    ]
    assert all(row["reason"] for row in faults)
    for column in ("sent_at", "received_at", "stored_at", "modified_at"):
        years = {value.year for value in messages[column].to_pylist() if value is not None}
        assert not years & {1601, 4501}


def test_every_file_is_a_source_or_has_a_reason(corpora: Path, tmp_path: Path) -> None:
    case = CaseFolder(tmp_path / "case")
    ingest(item_of(corpora / "msg"), case)
    reads = pq.read_table(case.table("reads", "E01")).to_pylist()
    told = {row["source_path"] for row in reads}
    assert told >= {path.name for path in (corpora / "msg").iterdir()}
