"""Long work beside the page: a button, a bar with the time left, and Stop."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable

import ipywidgets as widgets

from mailforensics.ingest import Progress, Stopped
from mailforensics.notebook.page import button, trouble
from mailforensics.notebook.words import say

__all__ = ["Work"]


class Work:
    """Runs a function in a thread so that the page stays alive; a second press does no harm.

    Parameters
    ----------
    verb
        Word on the button.
    do
        The work: takes this object, tells it of progress by :meth:`report`, asks :meth:`stopping`
        whether to stop, and returns what is to be shown when it is done.
    """

    def __init__(self, verb: str, do: Callable[[Work], widgets.Widget | None]) -> None:
        self._do = do
        self._stop = threading.Event()
        self._thread: threading.Thread | None = None
        self._began = 0.0
        self._shown = 0.0
        self.start_button = button(verb, self.start, main=True)
        self.stop_button = button("Stop", self.stop)
        self.stop_button.disabled = True
        self.bar = widgets.FloatProgress(min=0.0, max=1.0, layout=widgets.Layout(width="20rem"))
        self.label = widgets.Label()
        self.result = widgets.VBox()
        row = widgets.HBox([self.start_button, self.stop_button, self.bar, self.label])
        self.widget = widgets.VBox([row, self.result])

    def start(self) -> None:
        """Begin, unless it is going on already."""
        if self._thread is not None and self._thread.is_alive():
            return
        self._stop.clear()
        self._began = time.monotonic()
        self.start_button.disabled = True
        self.stop_button.disabled = False
        self.label.value = say("working")
        self._thread = threading.Thread(target=self._run, daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Ask the work to stop."""
        self._stop.set()
        self.label.value = say("stopping")

    def wait(self, seconds: float | None = None) -> None:
        """Wait until it is done; for scripts and tests."""
        if self._thread is not None:
            self._thread.join(seconds)

    def _run(self) -> None:
        words = say("done")
        try:
            made = self._do(self)
            self.bar.value = 1.0
            self.result.children = (made,) if made is not None else ()
        except Stopped:
            words = say("stopped")
        except Exception as error:  # noqa: BLE001 - shown as one message on the page
            words = ""
            self.result.children = (trouble(error),)
        finally:
            self.label.value = words
            self.start_button.disabled = False
            self.stop_button.disabled = True

    def stopping(self) -> bool:
        """Say whether Stop was pressed."""
        return self._stop.is_set()

    def report(self, progress: Progress) -> None:
        """Show how far the work is."""
        now = time.monotonic()
        if now - self._shown < 0.2 and progress.done < progress.total:
            return
        self._shown = now
        share = progress.done / progress.total if progress.total else 0.0
        self.bar.value = min(share, 1.0)
        self.label.value = f"{progress.what[-40:]}  {_left(now - self._began, share)}"


def _left(passed: float, share: float) -> str:
    """Return the time left in words; nothing while it would be a guess."""
    if share < 0.05 or passed < 2:
        return ""
    left = passed * (1 - share) / share
    if left < 60:
        return f"about {max(round(left), 1)} s left"
    return f"about {round(left / 60)} min left"
