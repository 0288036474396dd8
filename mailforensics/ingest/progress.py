"""What long work tells of itself while it goes on."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

__all__ = ["Progress", "Report", "Stopped"]


@dataclass(frozen=True, slots=True)
class Progress:
    """One report of long work.

    Attributes
    ----------
    step
        What is being done: ``hash``, ``prepare``, ``read``, ``verify``, ``export``.
    what
        On what, such as the path inside the evidence.
    done, total
        Bytes, or items where the step counts items; ``total`` is 0 while unknown.
    items
        Messages and events so far.
    """

    step: str
    what: str
    done: int
    total: int
    items: int = 0


class Stopped(Exception):
    """Reading was stopped on request; what is done stays, and reading goes on there next time."""


Report = Callable[[Progress], None]
