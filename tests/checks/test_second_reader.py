"""The check that two tools read the same, with frames as the case gives them."""

from __future__ import annotations

import pandas as pd
import pytest

from mailforensics import checks
from tests.checks.frames import Case, letter, whole

TOTALS = {"items": 5, "second_items": 5, "agreed": 5, "differing": 0, "missed": 0, "extra": 0}
COLUMNS = [
    "evidence_id", "source_path", "row_kind", "source_ref", "field", "cause", "ours", "theirs",
    "count", *TOTALS,
]  # fmt: skip


def frame(*rows):
    plain = {"evidence_id": "E01", "source_path": ""}
    return pd.DataFrame([plain | row for row in rows], columns=COLUMNS)


def source(**changed):
    return {"row_kind": "source"} | TOTALS | changed


def difference(**changed):
    row = {
        "row_kind": "difference", "source_ref": "nid:0x200024", "field": "subject", "count": 1,
        "ours": "Offer", "theirs": "Offe", "cause": "The tools read different bytes",
    }  # fmt: skip
    return row | changed


def test_it_passes_when_both_tools_agree_on_all():
    results = Case().run(
        "second_reader",
        second_readings=lambda: frame(source(), source(source_path="b.pst", agreed=5)),
    )
    row = whole(results, "second_reader")
    assert row["status"] == "pass"
    assert "2 Outlook files with 10 items: they agree on all" in row["summary"]
    assert len(results) == 1


@pytest.mark.parametrize("given", [None, frame])
def test_without_outlook_files_it_does_not_apply(given):
    row = whole(Case().run("second_reader", second_readings=given), "second_reader")
    assert row["status"] == "not_applicable"


def test_a_difference_is_listed_with_its_cause_and_its_message():
    case = Case().add(letter(), source_ref="nid:0x200024").add(letter(number=2))
    rows = frame(
        difference(),
        difference(source_ref="", field="", cause="libpff cannot open this file", ours=None,
                   theirs="bad header", count=17, source_path="b.pst"),
        source(agreed=4, differing=1),
        source(source_path="b.pst", items=17, agreed=0, missed=17),
    )  # fmt: skip
    results = case.run("second_reader", second_readings=lambda: rows)
    row = whole(results, "second_reader")
    assert row["status"] == "warn"
    assert row["summary"] == (
        "Two independent tools read 2 Outlook files with 22 items: they agree on 4; differ in "
        "parts of 1; 17 were read by mailforensics alone."
    )
    assert row["detail"].startswith("libpff cannot open this file (17 items); The tools")
    card = checks.cards(results)[0]
    assert len(card.exceptions) == 2
    first, second = card.exceptions.to_dict("records")
    assert first["item_id"] == case.messages()["item_id"].iloc[0]
    assert first["summary"] == ("E01 nid:0x200024 (subject): The tools read different bytes.")
    assert first["detail"] == "mailforensics: Offer; libpff: Offe"
    assert second["summary"] == "E01 b.pst: libpff cannot open this file (17 items)."
    assert second["evidence_id"] == "E01"


def test_a_file_that_could_not_be_compared_is_no_pass():
    rows = frame(difference(source_ref="", field="", count=0, cause="The comparison stopped here"))
    results = Case().run("second_reader", second_readings=lambda: rows)
    row = whole(results, "second_reader")
    assert row["status"] == "warn"
    assert "1 Outlook file" in row["summary"]


def test_the_files_are_read_once_and_only_for_this_check():
    asked = []

    def readings():
        asked.append(1)
        return frame(source())

    Case().run("duplicates", second_readings=readings)
    assert not asked
    Case().add(letter()).run(second_readings=readings)
    assert len(asked) == 1
