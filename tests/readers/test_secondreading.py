"""The comparison of both readings, over real files and with faked differences."""

from __future__ import annotations

import json
import subprocess
import sys

import pypff
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailforensics.readers import secondreading
from mailforensics.readers.itemfacts import FIELDS, REFUSALS, Fact, facts_of_engine
from mailforensics.readers.secondreading import Cause, Difference, Totals, second_reading


@pytest.fixture(scope="module")
def readings(corpora):
    return {path: list(second_reading(path)) for path in sorted((corpora / "pst").iterdir())}


def refused_by_libpff(path):
    file = pypff.file()
    try:
        file.open(str(path))
    except REFUSALS:
        return True
    file.close()
    return False


def small(corpora):
    return sorted((corpora / "pst").glob("apache_tika__*"))[0]


def test_the_counts_of_every_file_balance(readings):
    for rows in readings.values():
        assert [isinstance(row, Totals) for row in rows] == [False] * (len(rows) - 1) + [True]
        found = rows[-1]
        assert found.items == found.agreed + found.differing + found.missed
        assert found.second_items == found.agreed + found.differing + found.extra
        named = [row for row in rows[:-1] if not row.field]
        assert sum(row.count for row in named) == found.missed + found.extra


def test_both_tools_read_nearly_every_real_item_alike(readings):
    totals = [rows[-1] for rows in readings.values()]
    assert sum(found.agreed for found in totals) >= 568
    assert sum(found.extra for found in totals) == 0
    different = [row for rows in readings.values() for row in rows[:-1] if row.field]
    assert {row.cause for row in different} <= {Cause.NUL, Cause.REFUSED}
    assert sum(found.differing for found in totals) <= 2


def test_files_that_libpff_refuses_are_named_with_the_cause(readings):
    refused = {path for path in readings if refused_by_libpff(path)}
    assert len(refused) >= 2
    named = {
        path
        for path, rows in readings.items()
        if any(not row.source_ref and row.cause == Cause.CANNOT_OPEN for row in rows[:-1])
    }
    assert named == refused
    for path in named:
        first, last = readings[path]
        assert first.theirs
        assert first.count == last.missed == last.items


def test_items_that_libpff_cannot_build_are_named_by_their_folder(readings):
    rows = [row for rows in readings.values() for row in rows[:-1] if row.cause == Cause.ITEM]
    assert sum(row.count for row in rows) >= 18
    assert all("value type" in row.theirs for row in rows)


@pytest.mark.parametrize("name", FIELDS)
def test_a_difference_in_any_part_is_found(corpora, monkeypatch, name):
    plain = facts_of_engine
    path = small(corpora)
    before = list(second_reading(path))[-1]

    def wrong(message):
        return plain(message) | {name: Fact("something else", "0")}

    monkeypatch.setattr(secondreading, "facts_of_engine", wrong)
    *rows, totals = second_reading(path)
    assert before.agreed == totals.differing == len(rows) > 0
    assert {(row.field, row.cause, row.ours) for row in rows} == {
        (name, Cause.OTHER, "something else")
    }


def test_a_wrong_character_is_told_from_wrong_bytes(corpora, monkeypatch):
    plain = facts_of_engine

    def wrong(message):
        found = plain(message)
        subject = found["subject"]
        return found | {"subject": Fact(f"{subject.shown}?", subject.stored)}

    monkeypatch.setattr(secondreading, "facts_of_engine", wrong)
    *rows, _ = second_reading(small(corpora))
    assert Cause.SIGNS in {row.cause for row in rows}


def test_items_that_one_tool_alone_lists_are_told(corpora, monkeypatch):
    path = small(corpora)
    whole = list(second_reading(path))[-1]
    plain = secondreading._listed

    def fewer(store):
        found = plain(store)
        found.flags[:1] = 0
        return found

    monkeypatch.setattr(secondreading, "_listed", fewer)
    *rows, totals = second_reading(path)
    assert [row.cause for row in rows] == [Cause.ELSEWHERE]
    assert (totals.extra, totals.agreed) == (1, whole.agreed - 1)
    monkeypatch.setattr(secondreading, "_listed", plain)
    monkeypatch.setattr(secondreading._Comparison, "_folders", lambda self: iter(()))
    *rows, totals = second_reading(path)
    assert {row.cause for row in rows} == {Cause.NOT_REACHED}
    assert totals.missed == whole.items


def test_many_differences_are_counted_not_listed(corpora, monkeypatch):
    plain = facts_of_engine
    monkeypatch.setattr(secondreading, "_MOST_ROWS", 3)
    monkeypatch.setattr(
        secondreading, "facts_of_engine", lambda message: plain(message) | {"subject": Fact("x")}
    )
    *rows, totals = second_reading(small(corpora))
    assert sum(row.count for row in rows) == totals.differing > 3
    assert len(rows) == 4
    assert rows[-1].source_ref == ""


def test_what_is_no_outlook_file_is_refused_by_both(tmp_path):
    for data in (b"", b"!BDN", b"text" * 500):
        path = tmp_path / f"{len(data)}.pst"
        path.write_bytes(data)
        (row, totals) = second_reading(path)
        assert row.cause == Cause.BOTH_REFUSE
        assert row.ours
        assert row.theirs
        assert totals == Totals()


def test_as_a_program_it_answers_in_lines(corpora):
    path = small(corpora)
    said = subprocess.run(
        [sys.executable, "-m", "mailforensics.readers.secondreading", str(path)],
        capture_output=True,
        check=True,
    )
    rows = [json.loads(line) for line in said.stdout.splitlines()]
    assert rows[-1]["row_kind"] == "source"
    assert rows[-1]["agreed"] == list(second_reading(path))[-1].agreed


@given(
    places=st.lists(
        st.tuples(st.integers(0, 1 << 30), st.sampled_from([b"\0", b"\xff" * 4, b"\x01\0"])),
        min_size=1,
        max_size=30,
    )
)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_damaged_files_become_rows(corpora, tmp_path_factory, places):
    changed = bytearray(small(corpora).read_bytes())
    for place, value in places:
        at = 600 + place % (len(changed) - 700)
        changed[at : at + len(value)] = value
    path = tmp_path_factory.mktemp("damaged") / "a.pst"
    path.write_bytes(changed)
    *rows, found = second_reading(path)
    assert all(isinstance(row, Difference) for row in rows)
    assert found.items == found.agreed + found.differing + found.missed
    assert found.second_items == found.agreed + found.differing + found.extra or not rows
