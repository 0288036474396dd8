from __future__ import annotations

import os
from pathlib import Path

import pytest

from mailforensics import lab, sample
from tests.notebooks.browser import desk

pytestmark = pytest.mark.browser


def pictures(tmp_path: Path) -> Path:
    """Return where pictures are kept: a folder of the environment's choice, else thrown away."""
    folder = Path(os.environ.get("MAILFORENSICS_PICTURES", tmp_path / "pictures"))
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def test_from_the_start_page_to_exported_mail_by_buttons_alone(tmp_path: Path) -> None:
    home = tmp_path / "我的 cases"
    root = sample.fresh_case(home)
    pages = lab.copy_notebooks(root)
    with desk(home, pages / lab.START_PAGE, pictures(tmp_path)) as at:
        inner = f"{root.name}/notebooks"

        at.open(f"{inner}/00_start_here.ipynb")
        at.press("Try the sample case")
        at.see("is ready")
        at.check_outputs()
        at.picture("00")

        at.open(f"{inner}/01_open_a_case.ipynb")
        at.press("Add the sample evidence")
        at.see("Done.")
        at.window.locator("td:text-is('maildir-friday.tar.gz')").wait_for()
        at.check_outputs()
        at.picture("01")

        at.open(f"{inner}/02_read_the_evidence.ipynb")
        at.press("Read")
        at.see("Every count balances")
        at.check_outputs()
        at.picture("02")

        at.open(f"{inner}/03_find_deleted_messages.ipynb")
        at.see("messages are deleted")
        at.window.locator(".mf-table .link").first.click()
        at.window.locator("li:has-text('Why and where')").first.click()
        at.see("Why we say so")
        at.window.locator(".mf-table input[type=checkbox]").nth(0).check()
        at.window.locator(".mf-table input[type=checkbox]").nth(1).check()
        at.check_outputs()
        at.picture("03")

        at.open(f"{inner}/04_check_them.ipynb")
        at.press("Check")
        at.see("Done.", seconds=180)
        at.check_outputs()
        at.picture("04")

        at.open(f"{inner}/05_timeline.ipynb")
        at.window.locator("img[alt*='deleted']").first.wait_for(timeout=90_000)
        at.press("Save the moments")
        at.see("moments are in")
        at.check_outputs()
        at.picture("05")

        at.open(f"{inner}/06_give_back.ipynb")
        at.see("marked on page 03 (2)")
        at.press("Export")
        at.see("written and their hashes verified")
        at.check_outputs()
        at.picture("06")

        at.open(f"{inner}/07_report.ipynb")
        at.press("Make report")
        at.see("Open the report")
        at.check_outputs()
        at.picture("07")

    written = list((root / "exports").rglob("*.eml"))
    assert len(written) == 2
    found = sample.compare_export(root / "exports", sample.read_truth())
    assert "extra" not in set(found["status"])
    assert list((root / "exports").glob("report-*.html"))
