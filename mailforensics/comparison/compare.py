"""Two copies side by side, instance by instance."""

from __future__ import annotations

import pandas as pd

from mailforensics.comparison.frames import is_in
from mailforensics.comparison.identity import same_as
from mailforensics.comparison.places import mailbox_keys
from mailforensics.schema import DeletionState

__all__ = ["STATUSES", "compare"]

STATUSES = ("same", "moved", "absent", "copy_absent", "added", "copy_added")
"""What became of an instance: in the same folder; in another; gone; one of several copies of a
message gone; new; one more copy of a message that was there."""

_SHOWN = (
    DeletionState.LIVE,
    DeletionState.IN_DELETED_FOLDER,
    DeletionState.MARKED_DELETED,
    DeletionState.ABSENT_LATER,
)
_TAKEN = ["item_id", "folder", "deletion_state", "subject", "from_addr", "sent_at"]


def compare(messages: pd.DataFrame, earlier_id: str, later_id: str) -> pd.DataFrame:
    """Pair the instances of two copies of a mailbox.

    Returns
    -------
    DataFrame
        Columns ``status`` (see :data:`STATUSES`), ``same_as``, ``subject``, ``from_addr``,
        ``sent_at``, and ``item_id``, ``folder`` and ``deletion_state`` each with ``_earlier`` and
        ``_later``, missing on the side that lacks the instance. Counts balance: the earlier copy
        has same + moved + absent + copy_absent instances, the later one same + moved + added +
        copy_added. What a copy shows counts: live, in a folder of deleted mail, marked.
    """
    frame = messages.assign(same_as=same_as(messages))
    earlier, later = _shown(frame, earlier_id), _shown(frame, later_id)
    shared = set(earlier["box"]) & set(later["box"])
    for side in (earlier, later):
        side["box"] = side["box"].where(side["box"].isin(shared), "")
    kept = _pair(earlier, later, ["same_as", "box", "folder_key"])
    moved = _pair(_rest(earlier, kept, "earlier"), _rest(later, kept, "later"), ["same_as", "box"])
    both = pd.concat([kept.assign(status="same"), moved.assign(status="moved")])
    gone, new = _rest(earlier, both, "earlier"), _rest(later, both, "later")
    result = pd.concat(
        [
            _joined(earlier, later, both),
            _one_sided(gone, "earlier", _status(gone, later, "absent")),
            _one_sided(new, "later", _status(new, earlier, "added")),
        ],
        ignore_index=True,
    )
    order = result["status"].map({name: number for number, name in enumerate(STATUSES)})
    result = result.assign(order=order.astype("int64"))
    result = result.sort_values(["order", "sent_at", "same_as"], na_position="last", kind="stable")
    return result.drop(columns="order").reset_index(drop=True)


def _shown(frame: pd.DataFrame, evidence_id: str) -> pd.DataFrame:
    rows = is_in(frame["evidence_id"], [evidence_id]) & is_in(frame["deletion_state"], _SHOWN)
    rows &= frame["parent_item_id"].isna().to_numpy(dtype=bool)
    part = frame.loc[rows, ["same_as", "mailbox", *_TAKEN]].sort_values("item_id")
    part = part.assign(box=mailbox_keys(part["mailbox"]), folder_key=part["folder"].fillna(""))
    return part.drop(columns="mailbox").reset_index(drop=True)


def _pair(earlier: pd.DataFrame, later: pd.DataFrame, keys: list[str]) -> pd.DataFrame:
    """Pair the first with the first, the second with the second, of those with equal keys."""
    left, right = (
        side[[*keys, "item_id"]].assign(turn=side.groupby(keys, sort=False).cumcount())
        for side in (earlier, later)
    )
    both = left.merge(right, on=[*keys, "turn"], suffixes=("_earlier", "_later"))
    return both[["item_id_earlier", "item_id_later"]]


def _rest(side: pd.DataFrame, paired: pd.DataFrame, name: str) -> pd.DataFrame:
    return side[~is_in(side["item_id"], frozenset(paired[f"item_id_{name}"]))]


def _status(rest: pd.DataFrame, other: pd.DataFrame, word: str) -> pd.Series:
    there = set(zip(other["same_as"], other["box"], strict=True))
    words = [
        f"copy_{word}" if pair in there else word
        for pair in zip(rest["same_as"], rest["box"], strict=True)
    ]
    return pd.Series(words, index=rest.index, dtype="object")


def _joined(earlier: pd.DataFrame, later: pd.DataFrame, both: pd.DataFrame) -> pd.DataFrame:
    sides = earlier.drop(columns=["box", "folder_key"]).add_suffix("_earlier")
    result = both.merge(sides, on="item_id_earlier", how="left")
    other = later[["item_id", "folder", "deletion_state"]].add_suffix("_later")
    result = result.merge(other, on="item_id_later", how="left")
    return _named(result, "earlier")


def _one_sided(rest: pd.DataFrame, name: str, status: pd.Series) -> pd.DataFrame:
    part = rest.drop(columns=["box", "folder_key"]).add_suffix(f"_{name}").assign(status=status)
    other = "later" if name == "earlier" else "earlier"
    for column in ("item_id", "folder", "deletion_state"):
        part[f"{column}_{other}"] = pd.Series(pd.NA, index=part.index, dtype=rest[column].dtype)
    return _named(part, name)


def _named(frame: pd.DataFrame, name: str) -> pd.DataFrame:
    shared = ("same_as", "subject", "from_addr", "sent_at")
    frame = frame.rename(columns={f"{column}_{name}": column for column in shared})
    sides = [
        f"{c}_{s}" for c in ("item_id", "folder", "deletion_state") for s in ("earlier", "later")
    ]
    return frame[["status", *shared, *sides]]
