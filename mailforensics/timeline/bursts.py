"""Bursts: stretches of time in which unusually many messages were deleted."""

from __future__ import annotations

import itertools
from collections.abc import Iterator
from datetime import datetime
from typing import Any

import numpy as np
import pandas as pd

from mailforensics.timeline.rows import DELETIONS, instants

__all__ = ["bursts", "deletions", "identities", "offset_name"]

_COLUMNS = ["start", "end", "count", "actor", "client_ip", "mailbox", "share", "sentence"]


def bursts(
    frame: pd.DataFrame,
    *,
    gap: pd.Timedelta | str = "10min",
    longest: pd.Timedelta | str = "6h",
    minimum: int = 5,
) -> pd.DataFrame:
    """Find the stretches of time in which unusually many messages were deleted.

    Deletions by one account from one address that follow each other within ``gap`` belong
    together, for at most ``longest``. They are a burst when there are at least ``minimum`` of
    them, and three times as many as if all deletions were spread evenly. A message in several
    rows (a log line and a finding, or two copies) counts once.

    Parameters
    ----------
    frame : DataFrame
        A timeline.

    Returns
    -------
    DataFrame
        Largest first: ``start``, ``end`` (first and last deletion, zone of the timeline),
        ``count``, ``actor``, ``client_ip``, ``mailbox`` (null when it is not one and the same),
        ``share`` (of all deletions with a known time, 0 to 1), ``sentence``.
    """
    rows = deletions(frame)
    times, keys = instants(rows["datetime"]), identities(rows)
    limits = _microseconds(gap), _microseconds(longest)
    found = [
        _burst(rows.iloc[places], [keys[place] for place in places], len(set(keys)))
        for places in _stretches(rows, times, *limits)
        if len(places) >= minimum and _dense(times, places, limits[1])
    ]
    kept = [entry for entry in found if entry["count"] >= minimum]
    kept.sort(key=lambda entry: (-entry["count"], entry["start"]))
    return pd.DataFrame(kept, columns=_COLUMNS)


def deletions(frame: pd.DataFrame) -> pd.DataFrame:
    """Return the rows that give the moment of a deletion, each deletion once.

    What a log says counts before what was found in a store: it names who and from where.
    """
    rows = frame[frame["timestamp_desc"].isin(DELETIONS)]
    keys = pd.Series(identities(rows), dtype="object")
    logged = rows["event_id"].notna().to_numpy(dtype=bool)
    again = keys.duplicated() | keys.isin(set(keys[logged]))
    return rows[logged | ~again.to_numpy(dtype=bool)]


def _stretches(rows: pd.DataFrame, times: Any, gap: int, longest: int) -> Iterator[Any]:
    """Yield the places of the deletions that one account made from one address in one stretch."""
    who = [rows[name].astype("object").fillna("") for name in ("actor", "client_ip")]
    codes = pd.MultiIndex.from_arrays(who).factorize()[0]
    for code in range(int(codes.max()) + 1 if len(codes) else 0):
        places = np.flatnonzero(codes == code)
        for low, high in _runs(_groups(times[places], gap, longest)):
            yield places[low:high]


def _microseconds(length: pd.Timedelta | str) -> int:
    return int(pd.Timedelta(length) // pd.Timedelta("1us"))


def _groups(times: Any, gap: int, longest: int) -> np.ndarray[Any, Any]:
    """Give each deletion the number of its stretch, which a pause or ``longest`` ends."""
    if not len(times):
        return times  # type: ignore[no-any-return]
    begins = np.concatenate([[True], np.diff(times) > gap])
    since = times - times[np.flatnonzero(begins)][np.cumsum(begins) - 1]
    piece = since // longest
    begins[1:] |= np.diff(piece) != 0
    return np.asarray(np.cumsum(begins))


def _dense(times: Any, places: Any, longest: int) -> bool:
    """Whether a stretch holds three times what an even spread would put there."""
    whole = int(times[-1] - times[0])
    if whole <= longest:
        return True
    even = len(times) * int(times[places[-1]] - times[places[0]]) / whole
    return len(places) >= 3 * even


def offset_name(moment: datetime) -> str:
    """Return the distance of a moment's clock from UTC, such as ``UTC+08:00``."""
    text = moment.strftime("%z") or "+0000"
    return "UTC" if text[:5] in {"+0000", "-0000"} else f"UTC{text[:3]}:{text[3:5]}"


def identities(rows: pd.DataFrame) -> list[str]:
    """Return for each row what tells its message from others: Message-ID, else the row's id."""
    columns = [rows[name].tolist() for name in ("message_id", "item_id", "event_id")]
    return [
        next((str(value) for value in values if isinstance(value, str) and value), str(place))
        for place, values in enumerate(zip(*columns, strict=True))
    ]


def _runs(group: np.ndarray[Any, Any]) -> Iterator[tuple[int, int]]:
    if len(group):
        edges = np.flatnonzero(np.diff(group)) + 1
        bounds = [0, *edges.tolist(), len(group)]
        yield from itertools.pairwise(bounds)


def _burst(rows: pd.DataFrame, keys: list[str], total: int) -> dict[str, Any]:
    count = len(set(keys))
    entry: dict[str, Any] = {
        "start": rows["datetime"].iloc[0],
        "end": rows["datetime"].iloc[-1],
        "count": count,
        "share": count / total,
    }
    for name in ("actor", "client_ip", "mailbox"):
        values = set(rows[name].dropna())
        entry[name] = values.pop() if len(values) == 1 else None
    entry["sentence"] = _burst_sentence(entry)
    return entry


def _burst_sentence(entry: dict[str, Any]) -> str:
    start, end = pd.Timestamp(entry["start"]), pd.Timestamp(entry["end"])
    same_day = start.date() == end.date()
    until = f"{end:%H:%M}" if same_day else f"{end.day} {end:%b %Y %H:%M}"
    who = f" by {entry['actor']}" if entry["actor"] else ""
    where = f" from {entry['client_ip']}" if entry["client_ip"] else ""
    return (
        f"{entry['count']:,} messages were deleted between {start.day} {start:%b %Y %H:%M} and "
        f"{until} ({offset_name(start)}){who}{where}: {entry['share']:.0%} of all deletions "
        "whose time is known."
    )
