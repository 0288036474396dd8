"""Makes the pictures of the README from the sample case: ``python docs/make_pictures.py``.

The pages are drawn by the browser test (it needs Chromium), the timeline by the charts.
"""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

from mailforensics import charts, sample

DOCS = Path(__file__).resolve().parent
PAGES = {"03": "find.png"}


def draw_timeline(folder: Path) -> None:
    """Draw when the mail of the sample case was removed, and by whom."""
    case = sample.build_case(folder / "case")
    case.read()
    target = DOCS / "timeline.png"
    target.unlink(missing_ok=True)
    charts.deletion_burst(case.timeline(), tz=case.settings.time_zone).save(target)


def draw_pages(folder: Path) -> None:
    """Walk through the pages in a browser and keep the pictures that are wanted."""
    command = [sys.executable, "-m", "pytest", "-q", "tests/notebooks/test_browser.py"]
    environment = {**os.environ, "MAILFORENSICS_PICTURES": str(folder)}
    subprocess.run(command, check=True, cwd=DOCS.parent, env=environment)  # noqa: S603
    for number, name in PAGES.items():
        shutil.copyfile(folder / f"{number}.png", DOCS / name)


def main() -> None:
    """Make all pictures."""
    with tempfile.TemporaryDirectory() as folder:
        draw_timeline(Path(folder))
        draw_pages(Path(folder))


if __name__ == "__main__":
    main()
