from __future__ import annotations

import csv
import hashlib
import io
from pathlib import Path

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailforensics.export import export
from mailforensics.export.cells import bare, guarded, parse, render, without_controls
from mailforensics.export.loadfile import HEADINGS
from mailforensics.schema import MESSAGES, AttachmentRecord
from tests.export.conftest import SENT, Evidence, mail, record

FORMULAS = ["=1+1", "+1", "-1", "@SUM(A1)", "\tx", "\n=x", "＝1", "'quoted", "=cmd|'/c calc'!A1"]


def test_every_column_of_messages_has_a_heading() -> None:
    assert list(HEADINGS) == MESSAGES.names
    assert len(set(HEADINGS.values())) == len(HEADINGS)


@pytest.mark.parametrize("text", FORMULAS)
def test_a_formula_is_never_live(text: str) -> None:
    assert guarded(text).startswith("'")
    assert bare(guarded(text)) == without_controls(text)


@given(st.lists(st.text(st.characters(exclude_categories=["Cs"])), min_size=1, max_size=6))
def test_cells_come_back(cells: list[str]) -> None:
    data = render(["n", "x"], [{"n": "1", "x": cell} for cell in cells])
    assert [row["x"] for row in parse(data)[1]] == [without_controls(cell) for cell in cells]
    for row in csv.reader(io.StringIO(data.decode("utf-8-sig"), newline="")):
        assert not row[1].startswith(("=", "+", "-", "@", "\t", "\r"))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    first = record(
        "1",
        mail(),
        subject="=HYPERLINK(1)",
        sent_at=SENT,
        to_addrs=["a@x", "b@x"],
        message_id="<a@b>",
        attachments=[
            AttachmentRecord(position=2, name="价格表.xlsx", sha256="1" * 64),
            AttachmentRecord(position=1, name=None),
        ],
    )
    evidence = Evidence((first, mail()), (record("2", None, subject="Gone"), None))
    export(
        evidence.messages,
        tmp_path / "out",
        form="csv",
        attachments=evidence.attachments,
        tz="Asia/Shanghai",
        **evidence.arguments,
    )
    return tmp_path / "out"


def test_the_load_file_opens_in_pandas_and_excel(folder: Path) -> None:
    data = (folder / "loadfile.csv").read_bytes()
    assert data.startswith(b"\xef\xbb\xbf")
    frame = pd.read_csv(folder / "loadfile.csv", dtype=str, keep_default_na=False)
    gone, first = frame.to_dict("records")
    assert first["DocID"] == "MF00000002"
    assert first["Subject"] == "'=HYPERLINK(1)"
    assert first["Sent (UTC)"] == "2026-11-12T09:42:07Z"
    assert first["Sent (Asia/Shanghai)"] == "2026-11-12T17:42:07+08:00"
    assert first["To"] == "a@x; b@x"
    assert first["Attachments"] == "(no name); 价格表.xlsx"
    assert first["Attachments SHA-256"] == "'-; " + "1" * 64
    assert first["EDRM MIH"] == hashlib.md5(b"<a@b>").hexdigest()
    assert (folder / first["File"]).read_bytes() == mail()
    assert (gone["File"], gone["Export"]) == ("", "skipped")
    assert gone["Reason"]
