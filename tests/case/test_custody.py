from __future__ import annotations

import json
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailforensics.case import CustodyLog


@pytest.fixture
def log(tmp_path: Path) -> CustodyLog:
    log = CustodyLog(tmp_path / "custody.jsonl")
    for number in range(5):
        log.append("step", "Wang", number=number, note="取证")
    return log


def lines(log: CustodyLog) -> list[str]:
    return log.path.read_text(encoding="utf-8").splitlines()


def test_an_untouched_log_holds(log: CustodyLog) -> None:
    assert log.verify() == []
    assert log.verify(log.head()) == []
    assert [row["row"] for row in log.rows()] == [1, 2, 3, 4, 5]


@pytest.mark.parametrize("row", range(5))
@pytest.mark.parametrize("key", ["at", "actor", "action", "detail", "row"])
def test_an_edited_row_is_found(log: CustodyLog, row: int, key: str) -> None:
    written = lines(log)
    changed = json.loads(written[row])
    changed[key] = "someone else"
    written[row] = json.dumps(changed, ensure_ascii=False, sort_keys=True)
    log.path.write_text("\n".join(written) + "\n", encoding="utf-8")
    assert log.verify()[0].row == row + 1


@pytest.mark.parametrize("row", range(5))
def test_a_removed_row_is_found(log: CustodyLog, row: int) -> None:
    head = log.head()
    written = lines(log)
    del written[row]
    log.path.write_text("\n".join(written) + "\n", encoding="utf-8")
    assert log.verify(head)


@pytest.mark.parametrize("row", range(1, 5))
def test_rows_that_change_places_are_found(log: CustodyLog, row: int) -> None:
    written = lines(log)
    written[row - 1], written[row] = written[row], written[row - 1]
    log.path.write_text("\n".join(written) + "\n", encoding="utf-8")
    assert log.verify()


@given(data=st.binary(max_size=200))
def test_any_bytes_are_checked_without_an_exception(
    tmp_path_factory: pytest.TempPathFactory, data: bytes
) -> None:
    log = CustodyLog(tmp_path_factory.mktemp("log") / "custody.jsonl")
    log.path.write_bytes(data)
    log.verify((3, "x"))
