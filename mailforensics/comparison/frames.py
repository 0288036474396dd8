"""Frames of Arrow types: reading columns, setting some rows, adding rows."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailforensics.schema import MESSAGES, table_of

__all__ = ["Codes", "Mask", "codes", "false", "is_in", "message_rows", "put", "timestamp", "values"]

Mask = np.ndarray[Any, np.dtype[np.bool_]]
Codes = np.ndarray[Any, np.dtype[np.int64]]


def false(column: pd.Series) -> Mask:
    """Return a mask as booleans; what is unknown counts as false."""
    return column.fillna(value=False).to_numpy(dtype=bool)


def is_in(column: pd.Series, values: Sequence[str] | frozenset[str]) -> Mask:
    """Say which rows hold one of some values."""
    return false(column.isin([str(value) for value in values]))


def codes(*columns: pd.Series) -> Codes:
    """Give each combination of values a number; -1 where the first column is missing."""
    numbers = np.zeros(len(columns[0]), dtype=np.int64)
    for column in columns:
        part, different = pd.factorize(column, use_na_sentinel=True)
        numbers = numbers * (len(different) + 1) + part + 1
        _, numbers = np.unique(numbers, return_inverse=True)
    numbers = numbers.astype(np.int64)
    numbers[columns[0].isna().to_numpy(dtype=bool)] = -1
    return numbers


def values(column: pd.Series) -> list[Any]:
    """Return the values of a column, None where one is missing."""
    return list(pa.array(column, from_pandas=True).to_pylist())


def put(frame: pd.DataFrame, column: str, mask: Mask, new: Sequence[Any]) -> None:
    """Set the rows of a mask to new values, in place, and keep the type of the column."""
    if not mask.any():
        return
    old = pa.array(frame[column])
    if isinstance(old, pa.ChunkedArray):
        old = old.combine_chunks()
    both = pc.replace_with_mask(old, pa.array(mask), pa.array(new, type=old.type))
    frame[column] = pd.Series(pd.arrays.ArrowExtensionArray(both), index=frame.index)


def message_rows(rows: list[dict[str, Any]]) -> pd.DataFrame:
    """Build rows of the messages table; columns that are not named are missing."""
    lists = {field.name for field in MESSAGES if pa.types.is_list(field.type)}
    columns: dict[str, Sequence[Any]] = {
        name: [row.get(name, [] if name in lists else None) for row in rows]
        for name in MESSAGES.names
    }
    table = table_of(MESSAGES, columns)
    plain = [
        column.cast(pa.string()) if pa.types.is_dictionary(column.type) else column
        for column in table.columns
    ]
    return pa.table(plain, names=table.column_names).to_pandas(types_mapper=pd.ArrowDtype)


def timestamp(value: Any) -> pd.Timestamp | None:
    """Return a moment, or None when it is missing."""
    return None if pd.isna(value) else pd.Timestamp(value)
