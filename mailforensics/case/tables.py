"""Parquet files of a case as DataFrames."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.parquet as pq

from mailforensics.ingest import CaseFolder
from mailforensics.schema import MESSAGES, TABLES

__all__ = ["frame_of", "read_frame", "write_frame"]


def frame_of(table: pa.Table) -> pd.DataFrame:
    """Return a table as a frame of Arrow types; vocabularies become plain strings."""
    columns = [
        column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    plain = pa.table(columns, names=table.column_names)
    return plain.to_pandas(types_mapper=pd.ArrowDtype)


def read_frame(folder: CaseFolder, name: str, columns: Sequence[str] | None = None) -> pd.DataFrame:
    """Return all parts of a table as one frame, in the order of the evidence items."""
    schema = MESSAGES if name == "assessed" else TABLES[name]
    if columns is not None:
        schema = pa.schema([schema.field(column) for column in columns])
    tables = [
        pq.read_table(path, schema=schema, columns=list(schema.names))
        for path in folder.parts_of(name)
    ]
    return frame_of(pa.concat_tables(tables) if tables else schema.empty_table())


def write_frame(frame: pd.DataFrame, name: str, path: Path) -> None:
    """Write a frame with the columns of a table, held to its schema, whole or not at all."""
    schema = TABLES[name]
    plain = pa.schema(
        [
            (field.name, pa.string() if pa.types.is_dictionary(field.type) else field.type)
            for field in schema
        ]
    )
    table = pa.Table.from_pandas(frame[schema.names], schema=plain, preserve_index=False)
    write_table(table.replace_schema_metadata(None).cast(schema), path)


def write_table(table: pa.Table, path: Path) -> None:
    """Write a table, whole or not at all."""
    path.parent.mkdir(parents=True, exist_ok=True)
    temporary = path.with_name(f"{path.name}.tmp")
    pq.write_table(table, temporary, compression="zstd")
    temporary.replace(path)
