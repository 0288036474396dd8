"""The Outlook engine: PST and OST files, read and recovered from their bytes, [MS-PST]."""

from __future__ import annotations

__all__: list[str] = []
