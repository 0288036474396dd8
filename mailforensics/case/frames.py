"""The tables of a case as DataFrames."""

from __future__ import annotations

from typing import Any

import pandas as pd

from mailforensics import deletion
from mailforensics.case.sql import query
from mailforensics.case.tables import read_frame, write_frame
from mailforensics.ingest import CaseFolder

__all__ = ["CaseFrames"]


class CaseFrames:
    """Gives the tables of a case folder; Arrow types, vocabularies as strings, times in UTC."""

    folder: CaseFolder

    def evidence(self) -> pd.DataFrame:
        """Return the evidence table."""
        return read_frame(self.folder, "evidence")

    def messages(self, *, as_read: bool = False) -> pd.DataFrame:
        """Return the messages table, one row for each instance.

        Parameters
        ----------
        as_read
            As the readers found them, without what comparing copies, logs and replies tells.
        """
        if as_read:
            return read_frame(self.folder, "messages")
        if not self.folder.assessed.is_file():
            self._assess()
        return read_frame(self.folder, "assessed")

    def _assess(self) -> None:
        assessed = deletion.assess(
            self.messages(as_read=True), self.events(), self.evidence(), reads=self.reads()
        )
        write_frame(assessed, "messages", self.folder.assessed)

    def attachments(self) -> pd.DataFrame:
        """Return the attachments table."""
        return read_frame(self.folder, "attachments")

    def events(self) -> pd.DataFrame:
        """Return the events table."""
        return read_frame(self.folder, "events")

    def reads(self) -> pd.DataFrame:
        """Return the read log: for each source its balance, then each fault with its reason."""
        return read_frame(self.folder, "reads")

    def exports(self) -> pd.DataFrame:
        """Return the exports table: a row for each message that was written out."""
        return read_frame(self.folder, "exports")

    def checks(self) -> pd.DataFrame:
        """Return the verdicts of the last :meth:`check`."""
        return read_frame(self.folder, "checks")

    def sql(self, words: str, parameters: list[Any] | None = None) -> pd.DataFrame:
        """Answer a SQL query over the tables: ``messages``, ``attachments``, ``events`` and so on.

        Raises
        ------
        CaseError
            The query is wrong.
        """
        if not self.folder.assessed.is_file():
            self._assess()
        return query(self.folder, words, parameters)
