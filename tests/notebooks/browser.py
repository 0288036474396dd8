"""A real JupyterLab in headless Chromium, driven as a person would drive it."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from mailforensics import lab

FLAGS = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
]
CONNECTED = """() => window.jupyterapp?.shell.currentWidget?.sessionContext?.session
    ?.kernel?.connectionStatus === 'connected'"""
RUN_ALL = "async () => { await window.jupyterapp.commands.execute('notebook:run-all-cells') }"
OUTPUTS = """() => {
    const model = window.jupyterapp.shell.currentWidget.content.model;
    const found = [];
    for (let i = 0; i < model.cells.length; i++) {
        const cell = model.cells.get(i);
        if (cell.type !== 'code') continue;
        found.push({count: cell.executionCount, outputs: cell.outputs.toJSON()});
    }
    return found;
}"""


def chromium() -> str:
    """Return the browser's program; skip the test when there is none."""
    found = shutil.which("chromium") or shutil.which("chromium-browser")
    if found is None:
        pytest.skip("Chromium is not installed")
    return found


@contextmanager
def browser() -> Iterator[Any]:
    """Give a browser that asks nobody but this machine."""
    api = pytest.importorskip("playwright.sync_api", reason="playwright is not installed")
    with api.sync_playwright() as play:
        opened = play.chromium.launch(executable_path=chromium(), args=FLAGS)
        try:
            yield opened
        finally:
            opened.close()


@dataclass
class Desk:
    """A JupyterLab and a window on it."""

    server: lab.LabServer
    window: Any
    pictures: Path

    def open(self, inner: str) -> None:
        """Open a notebook by its path below the home folder, and run all of it."""
        root, _, token = self.server.address.partition("?")
        base = root.split("/lab")[0]
        self.window.goto(f"{base}/lab/tree/{inner}?{token}&reset", wait_until="load")
        self.window.wait_for_selector(".jp-Notebook .jp-Cell", timeout=90_000)
        self.window.wait_for_function(CONNECTED, timeout=90_000)
        self.window.evaluate(RUN_ALL)
        self.window.wait_for_timeout(300)

    def check_outputs(self) -> None:
        """Demand that every cell ran, without an error and without a warning."""
        for cell in self.window.evaluate(OUTPUTS):
            assert cell["count"] is not None
            for output in cell["outputs"]:
                assert output["output_type"] != "error", output
                assert output.get("name") != "stderr", output

    def press(self, verb: str) -> None:
        """Press the button with that word."""
        self.window.locator(f"button:text-is('{verb}')").first.click()

    def see(self, words: str, *, seconds: float = 90) -> None:
        """Wait until words stand on the page."""
        self.window.locator(f".jp-OutputArea >> text={words}").first.wait_for(
            timeout=seconds * 1000
        )

    def picture(self, name: str) -> None:
        """Keep a picture of the whole page."""
        self.window.screenshot(path=self.pictures / f"{name}.png")


@contextmanager
def desk(home: Path, page: Path, pictures: Path) -> Iterator[Desk]:
    """Start JupyterLab below ``home`` and a window of a common size."""
    with browser() as opened, lab.run_lab(home, page) as server:
        lab.wait_until_up(server)
        window = opened.new_page(viewport={"width": 1366, "height": 768})
        outside: list[str] = []
        window.on("request", lambda request: outside.append(request.url))
        yield Desk(server, window, pictures)
        foreign = [
            url for url in outside if not url.startswith(("http://127.0.0.1", "data:", "blob:"))
        ]
        assert foreign == []
