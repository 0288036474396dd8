"""Where things lie in the Outlook files of a case."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import numpy as np
import numpy.typing as npt
import pandas as pd
import pyarrow as pa

from mailforensics.case.secondreading import located
from mailforensics.pst.filemap import KINDS, FileMap, file_map
from mailforensics.pst.rescue import open_store
from mailforensics.schema import item_id

if TYPE_CHECKING:
    from mailforensics.case.case import Case

__all__ = ["outlook_map"]


def outlook_map(
    case: Case,
    evidence_id: str,
    source_path: str = "",
    *,
    progress: Callable[[int], None] | None = None,
) -> pd.DataFrame:
    """Return which bytes of an Outlook file are live, free, its own index, or recovered mail.

    Parameters
    ----------
    evidence_id, source_path
        The evidence item, and the path of the file inside it.
    progress : callable, optional
        Told how many more bytes were looked at, now and then.

    Returns
    -------
    DataFrame
        ``start, stop`` (int64, bytes from the start of the file, half-open), ``kind`` (``live``,
        ``free``, ``index`` or ``recovered``), ``item_id`` of the message that recovered bytes
        belong to, and ``sure`` (bool): whether it was deleted for sure; both null for other kinds.

    Raises
    ------
    EvidenceNotFound, CorruptContainer
        It is no longer there, or nothing of it can be read.
    """
    item = next(each for each in case.items() if each.evidence_id == evidence_id)
    with open_store(located(case, evidence_id, source_path).path) as store:
        found = file_map(store, progress=progress)
    ids = [item_id(item.sha256, source_path, ref) for ref in found.refs]
    return _frame(found, ids)


def _frame(found: FileMap, ids: list[str]) -> pd.DataFrame:
    ranges: npt.NDArray[Any] = found.ranges
    others = ranges["message"] < 0
    numbers = pa.array(ranges["message"], pa.int32(), mask=others)
    kinds = np.array(KINDS, dtype=object)[ranges["kind"]]
    table = pa.table(
        {
            "start": pa.array(ranges["start"]),
            "stop": pa.array(ranges["stop"]),
            "kind": pa.array(kinds, pa.string()),
            "item_id": pa.array(ids, pa.string()).take(numbers),
            "sure": pa.array(ranges["sure"], pa.bool_(), mask=others),
        }
    )
    frame: pd.DataFrame = table.to_pandas(types_mapper=pd.ArrowDtype)
    return frame
