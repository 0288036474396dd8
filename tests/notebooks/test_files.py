from __future__ import annotations

import json
from pathlib import Path

import pytest

from mailforensics.notebook.words import STEPS

FOLDER = Path(__file__).resolve().parents[2] / "notebooks"
PAGES = sorted(FOLDER.glob("*.ipynb"))


def cells(path: Path) -> list[dict]:
    return json.loads(path.read_text(encoding="utf-8"))["cells"]


def code_of(path: Path) -> list[dict]:
    return [cell for cell in cells(path) if cell["cell_type"] == "code"]


def test_the_pages_are_those_of_the_way() -> None:
    assert [path.stem for path in PAGES] == [stem for stem, _ in STEPS]


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_a_page_is_kept_clean_and_short(path: Path) -> None:
    code = code_of(path)
    assert len(code) <= 12
    for cell in code:
        assert cell["outputs"] == []
        assert cell["execution_count"] is None
        lines = "".join(cell["source"]).splitlines()
        assert len(lines) <= 15
        assert lines[0].startswith("# "), "hidden code starts with a plain sentence"
        assert lines[0].endswith(".")


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_one_parameters_cell_and_every_cell_locked(path: Path) -> None:
    tagged = [cell for cell in cells(path) if "parameters" in cell["metadata"].get("tags", [])]
    assert len(tagged) == 1
    for cell in cells(path):
        assert cell["metadata"]["editable"] is False
        assert cell["metadata"]["deletable"] is False


@pytest.mark.parametrize("path", PAGES, ids=lambda path: path.stem)
def test_cells_only_call_the_package(path: Path) -> None:
    for cell in code_of(path):
        source = "".join(line for line in cell["source"] if not line.startswith("#"))
        for word in ("def ", "class ", "for ", "while ", "lambda", "open("):
            assert word not in source.replace("open_page(", "")
