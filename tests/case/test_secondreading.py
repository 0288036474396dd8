"""Outlook files of a case, read by a second tool, wherever they lie."""

from __future__ import annotations

import zipfile

import pytest

from mailforensics import checks, new_case
from mailforensics.case import secondreading

LETTER = (
    b"From: a@b.example\r\nSubject: x\r\nDate: Thu, 12 Nov 2026 17:38:00 +0800\r\n\r\nHello\r\n"
)


@pytest.fixture(scope="module")
def files(corpora):
    found = sorted((corpora / "pst").glob("apache_tika__*"))[:1]
    refused = sorted((corpora / "pst").glob("aspose-email_Aspose.Email-for-C__82f5cb__*"))
    return [*found, *refused]


@pytest.fixture(scope="module")
def case(files, tmp_path_factory):
    folder = tmp_path_factory.mktemp("second")
    with zipfile.ZipFile(folder / "export.zip", "w") as archive:
        for number, path in enumerate(files):
            archive.write(path, f"mail/{number}.pst")
    case = new_case(folder / "case")
    case.add(folder / "export.zip")
    case.add(files[0], reader="pst")
    case.read(workers=1)
    return case


def test_every_outlook_file_is_compared_also_in_archives(case):
    rows = secondreading.second_readings(case)
    sources = rows[rows["row_kind"] == "source"]
    assert sources[["evidence_id", "source_path"]].values.tolist() == [
        ["E01", "mail/0.pst"],
        ["E01", "mail/1.pst"],
        ["E02", ""],
    ]
    assert sources["agreed"].iloc[0] == sources["agreed"].iloc[2] > 0
    refused = rows[rows["row_kind"] == "difference"]
    assert refused["source_path"].tolist() == ["mail/1.pst"]
    assert refused["theirs"].tolist() == ["invalid file signature"]


def test_the_check_of_a_case_names_what_differs(case):
    case.check(only=["second_reader"])
    card = checks.cards(case.checks())[0]
    assert card.status == "warn"
    assert "3 Outlook files" in card.summary
    assert "libpff cannot open this file" in card.exceptions["summary"].iloc[0]


def test_a_tool_that_ends_in_the_middle_is_told(case, tmp_path, monkeypatch):
    (tmp_path / "python").write_text("#!/bin/sh\necho broken >&2\nexit 7\n")
    (tmp_path / "python").chmod(0o755)
    monkeypatch.setattr(secondreading.sys, "executable", str(tmp_path / "python"))
    rows = secondreading.second_readings(case)
    assert set(rows["row_kind"]) == {"difference"}
    assert rows["theirs"].str.contains("exit code 7; broken").all()
    assert rows["cause"].str.contains("stopped").all()


def test_a_case_without_outlook_files(tmp_path):
    (tmp_path / "a.eml").write_bytes(LETTER)
    case = new_case(tmp_path / "case")
    case.add(tmp_path / "a.eml")
    case.read(workers=1)
    assert secondreading.second_readings(case).empty
    case.check(only=["second_reader"])
    assert case.checks()["status"].tolist() == ["not_applicable"]


def test_a_file_that_is_gone_is_told(case, monkeypatch):
    monkeypatch.setattr(secondreading, "outlook_sources", lambda case: [("E01", "mail/9.pst")])
    rows = secondreading.second_readings(case)
    assert rows["cause"].str.contains("could not be opened").all()
