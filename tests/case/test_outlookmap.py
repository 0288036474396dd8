"""Maps of the Outlook files of a case, and how page 03 shows them."""

from __future__ import annotations

import zipfile

import pytest

from mailforensics import charts, new_case
from mailforensics.case import Case
from mailforensics.errors import EvidenceNotFound
from mailforensics.notebook import map_view
from tests.case.test_secondreading import LETTER


@pytest.fixture(scope="module")
def case(corpora, tmp_path_factory) -> Case:
    folder = tmp_path_factory.mktemp("map")
    path = next((corpora / "pst").glob("tghanem_PST__5b7607*"))
    with zipfile.ZipFile(folder / "export.zip", "w") as archive:
        archive.write(path, "mail/a.pst")
    case = new_case(folder / "case")
    case.add(folder / "export.zip")
    case.read(workers=1)
    return case


def test_recovered_bytes_point_to_their_messages(case):
    assert case.outlook_files() == [("E01", "mail/a.pst")]
    told = []
    frame = case.outlook_map("E01", "mail/a.pst", progress=told.append)
    assert sum(told) == frame["stop"].max() == 271_360
    recovered = frame[frame["kind"] == "recovered"]
    messages = case.messages()
    found = messages[messages["item_id"].isin(set(recovered["item_id"]))]
    assert len(found) == recovered["item_id"].nunique() == 2
    assert set(found["deletion_state"]) == {"orphaned"}
    assert frame[frame["kind"] != "recovered"]["item_id"].isna().all()
    chart = charts.file_map(frame, name="a.pst")
    assert chart.title == "2 deleted messages were found in the free space of a.pst"


def test_a_file_that_the_case_does_not_hold(case):
    with pytest.raises(EvidenceNotFound):
        case.outlook_map("E01", "mail/b.pst")


def test_the_page_shows_figure_and_sentence(case):
    shown = map_view.map_view(case).children
    assert len(shown) == 1
    assert "2 deleted messages were found in the free space of a.pst" in shown[0].value
    assert "data:image/png" in shown[0].value


def test_large_files_wait_for_the_button(case, monkeypatch):
    monkeypatch.setattr(map_view, "_AT_ONCE", 1)
    words, form = map_view.map_view(case).children
    assert "KB" in words.value
    assert "data:image" not in str(form)
    button = form.children[0].children[0]
    assert button.description == "Draw the maps"
    works = []
    plain = map_view.Work

    def made(*given):
        works.append(plain(*given))
        return works[-1]

    monkeypatch.setattr(map_view, "Work", made)
    map_view.map_view(case)
    works[0].start()
    works[0].wait(30)
    assert "2 deleted messages" in works[0].result.children[0].children[0].value


def test_a_case_without_outlook_files_gets_one_kind_sentence(tmp_path):
    (tmp_path / "a.eml").write_bytes(LETTER)
    case = new_case(tmp_path / "case")
    case.add(tmp_path / "a.eml")
    case.read(workers=1)
    shown = map_view.map_view(case)
    assert "no Outlook file in this case" in shown.value


def test_a_file_that_is_gone_does_not_hide_the_others(case, monkeypatch):
    files = [("E01", "mail/b.pst"), ("E01", "mail/a.pst")]
    monkeypatch.setattr(type(case), "outlook_files", lambda self: files)
    first, second = map_view.map_view(case).children
    assert "holds nothing at mail/b.pst" in first.value
    assert "2 deleted messages" in second.value
