"""Forms, tables and progress for the notebooks: the only room that knows ipywidgets."""

from __future__ import annotations

from pathlib import Path

from mailforensics.notebook.case_page import CasePage
from mailforensics.notebook.check_page import CheckPage
from mailforensics.notebook.export_page import ExportPage
from mailforensics.notebook.find_page import FindPage
from mailforensics.notebook.page import Page
from mailforensics.notebook.read_page import ReadPage
from mailforensics.notebook.report_page import ReportPage
from mailforensics.notebook.start_page import StartPage
from mailforensics.notebook.time_page import TimePage

__all__ = [
    "CasePage",
    "CheckPage",
    "ExportPage",
    "FindPage",
    "Page",
    "ReadPage",
    "ReportPage",
    "StartPage",
    "TimePage",
    "open_page",
]

_PAGES: tuple[type[Page], ...] = (
    StartPage,
    CasePage,
    ReadPage,
    FindPage,
    CheckPage,
    TimePage,
    ExportPage,
    ReportPage,
)


def open_page(number: int, case_folder: str | Path = "..") -> Page:
    """Open a page of the way, 0 to 7, on the case in a folder."""
    return _PAGES[number](number, case_folder)
