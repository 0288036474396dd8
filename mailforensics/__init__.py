"""Find, check and give back deleted mail."""

from __future__ import annotations

from mailforensics._version import __version__

__all__ = ["__version__"]
