"""SQL over the tables of a case, for whoever wants it: duckdb on the parquet files."""

from __future__ import annotations

from typing import Any

import duckdb
import pandas as pd

from mailforensics.case.tables import frame_of
from mailforensics.errors import CaseError
from mailforensics.ingest import CaseFolder
from mailforensics.schema import TABLES

__all__ = ["query"]


def query(folder: CaseFolder, words: str, parameters: list[Any] | None = None) -> pd.DataFrame:
    """Run one SQL query over views named as the tables.

    ``messages`` is as assessed, ``messages_as_read`` as the readers found them. Times are
    TIMESTAMPTZ in UTC.

    Raises
    ------
    CaseError
        The query is wrong; the message is duckdb's.
    """
    with duckdb.connect() as connection:
        connection.execute("SET TimeZone = 'UTC'")
        for name in TABLES:
            _view(connection, folder, name, name)
        _view(connection, folder, "messages", "messages_as_read")
        if folder.assessed.is_file():
            connection.read_parquet(str(folder.assessed)).create_view("messages", replace=True)
        try:
            found: Any = connection.sql(words, params=parameters or None)
            return frame_of(found.to_arrow_table())
        except duckdb.Error as error:
            raise CaseError(f"The query cannot be answered: {error}") from error


def _view(connection: Any, folder: CaseFolder, table: str, name: str) -> None:
    parts = [str(part) for part in folder.parts_of(table)]
    if parts:
        connection.read_parquet(parts).create_view(name, replace=True)
    else:
        connection.from_arrow(TABLES[table].empty_table()).create_view(name, replace=True)
