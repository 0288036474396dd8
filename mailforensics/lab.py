"""JupyterLab on the working copy of the notebooks that a case holds.

The notebooks of the package are never opened themselves: a case gets copies, and the original of
a page can be had back at any time. Lab is told to ask no server for news or updates.
"""

from __future__ import annotations

import json
import os
import secrets
import shutil
import socket
import subprocess
import sys
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from mailforensics.errors import CaseError, MailForensicsError

__all__ = [
    "LabServer",
    "copy_notebooks",
    "has_desktop",
    "notebook_folder",
    "run_lab",
    "shared_folder",
    "wait_until_up",
]

START_PAGE = "00_start_here.ipynb"

_OVERRIDES = {
    "@jupyterlab/apputils-extension:notification": {
        "fetchNews": "false",
        "checkForUpdates": False,
    },
    "@jupyterlab/notebook-extension:tracker": {"windowingMode": "none"},
    "@jupyterlab/docmanager-extension:plugin": {"autosaveInterval": 30},
}
_LOCALES = {"en": "default", "zh": "zh_CN"}


def shared_folder(name: str) -> Path:
    """Return a folder that comes with the package: ``notebooks`` or ``sample_data``.

    In a checkout it stands at the top; in an installed wheel inside the package.
    """
    package = Path(str(resources.files("mailforensics")))
    for place in (package / "_share" / name, package.parent / name):
        if place.is_dir():
            return place
    raise MailForensicsError(f"The folder {name} did not come with this installation.")


def notebook_folder(case: Path) -> Path:
    """Return where a case keeps its copies of the notebooks."""
    return case / "notebooks"


def copy_notebooks(case: Path, *, again: bool = False) -> Path:
    """Give a case its own copies of the pages; those that are there stay as they are.

    Parameters
    ----------
    again
        Put the original pages back; the ones that were there are kept beside them as ``.old``.
    """
    source, target = shared_folder("notebooks"), notebook_folder(case)
    for page in sorted(source.rglob("*.ipynb")):
        if ".ipynb_checkpoints" in page.parts:
            continue
        copy = target / page.relative_to(source)
        copy.parent.mkdir(parents=True, exist_ok=True)
        if copy.exists() and again:
            copy.replace(copy.with_suffix(".old"))
        if not copy.exists():
            shutil.copyfile(page, copy)
    return target


@dataclass(frozen=True, slots=True)
class LabServer:
    """A JupyterLab that runs: its address and its process."""

    address: str
    process: subprocess.Popen[bytes]


def _settings(home: Path, language: str) -> Path:
    folder = home / ".lab" / "settings"
    folder.mkdir(parents=True, exist_ok=True)
    locale = {"locale": _LOCALES.get(language, "default")}
    overrides = {**_OVERRIDES, "@jupyterlab/translation-extension:plugin": locale}
    (folder / "overrides.json").write_text(json.dumps(overrides), encoding="utf-8")
    return folder


def command(home: Path, port: int, token: str, language: str) -> list[str]:
    """Return the command line that starts JupyterLab below a folder, on this machine alone."""
    settings = _settings(home, language)
    arguments = {
        "ServerApp.ip": "127.0.0.1",
        "ServerApp.port": port,
        "ServerApp.port_retries": 0,
        "ServerApp.root_dir": home,
        "ServerApp.open_browser": False,
        "IdentityProvider.token": token,
        "LabApp.app_settings_dir": settings,
        "LabApp.user_settings_dir": home / ".lab" / "user",
        "LabApp.workspaces_dir": home / ".lab" / "workspaces",
        "LabApp.check_for_updates_class": "jupyterlab.NeverCheckForUpdate",
        "LabApp.expose_app_in_browser": True,
        "LabApp.collaborative": False,
    }
    if hasattr(os, "geteuid") and os.geteuid() == 0:
        arguments["ServerApp.allow_root"] = True
    options = [f"--{name}={value}" for name, value in arguments.items()]
    return [sys.executable, "-m", "jupyterlab", *options]


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def run_lab(home: Path, page: Path, *, language: str = "en") -> Iterator[LabServer]:
    """Run JupyterLab below a folder until the ``with`` block ends.

    Parameters
    ----------
    page
        The notebook that its address opens; lies below ``home``.

    Raises
    ------
    CaseError
        JupyterLab is not installed.
    """
    try:
        import jupyterlab  # noqa: F401
    except ImportError as error:
        raise CaseError(
            "JupyterLab is not installed.", hint="pip install 'mailforensics[lab]'"
        ) from error
    token, port = secrets.token_hex(16), _free_port()
    inner = page.relative_to(home).as_posix()
    address = f"http://127.0.0.1:{port}/lab/tree/{inner}?token={token}"
    environment = {**os.environ, "JUPYTER_NO_CONFIG": "1", "JUPYTER_PLATFORM_DIRS": "1"}
    order = command(home, port, token, language)
    with (home / ".lab" / "lab.log").open("ab") as said:
        process = subprocess.Popen(  # noqa: S603 - our own interpreter
            order, env=environment, stdout=said, stderr=said
        )
    try:
        yield LabServer(address, process)
    finally:
        process.terminate()
        process.wait(timeout=30)


def wait_until_up(server: LabServer, *, seconds: float = 120.0) -> None:
    """Wait until JupyterLab answers.

    Raises
    ------
    CaseError
        It ended, or does not answer in time.
    """
    root, _, token = server.address.partition("?")
    status = f"{root.split('/lab')[0]}/api/status?{token}"
    deadline = time.monotonic() + seconds
    while time.monotonic() < deadline and server.process.poll() is None:
        try:
            with urllib.request.urlopen(status, timeout=2):  # noqa: S310 - this machine
                return
        except OSError:
            time.sleep(0.2)
    raise CaseError(
        "JupyterLab did not start.", hint="The file .lab/lab.log in the case says more."
    )


def has_desktop() -> bool:
    """Say whether a browser window can be opened here."""
    if sys.platform in {"win32", "darwin"}:
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))
