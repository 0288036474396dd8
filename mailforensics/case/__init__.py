"""The case: its folder, its tables as DataFrames, the bytes of any item, the custody log."""

from __future__ import annotations

from mailforensics.case.case import Case
from mailforensics.case.custody import CustodyFault, CustodyLog
from mailforensics.case.opening import new_case, open_case
from mailforensics.case.settings import Settings

__all__ = ["Case", "CustodyFault", "CustodyLog", "Settings", "new_case", "open_case"]
