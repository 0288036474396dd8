"""Which rows are instances of the same message."""

from __future__ import annotations

import numpy as np
import pandas as pd

from mailforensics.comparison.frames import Codes, Mask, false
from mailforensics.schema import Completeness

__all__ = ["clean_ids", "same_as"]


def clean_ids(column: pd.Series) -> pd.Series:
    """Return Message-IDs without brackets and spaces, missing where nothing is left."""
    bare = column.str.strip(" \t\r\n<>")
    return bare.where(bare.str.len() > 0)


def same_as(messages: pd.DataFrame) -> pd.Series:
    """Return for each row the id of its message: equal for all its instances.

    Two complete instances are the same message when their ``content_key`` is equal. An instance
    of which a part is missing cannot have that key; it joins the complete one of the same
    Message-ID, provided that only one message bears that Message-ID: where several do, nothing
    is guessed. Without a key the Message-ID decides, then the hash, then the row stands alone.

    Returns
    -------
    Series of string
        Named ``same_as``, with the index of ``messages``.
    """
    ids = clean_ids(messages["message_id"])
    keys = messages["content_key"]
    keys = keys.where(keys.str.len() > 0)
    id_codes, _ = pd.factorize(ids)
    key_codes, key_values = pd.factorize(keys)
    complete = false(messages["completeness"] == Completeness.COMPLETE) & (key_codes >= 0)
    chosen = _joined(id_codes, key_codes, complete, len(key_values))
    named = pd.Series(
        ("c:" + pd.Series(key_values, dtype=keys.dtype)).array.take(chosen, allow_fill=True),
        index=messages.index,
    )
    named = named.fillna("m:" + ids).fillna("s:" + messages["sha256"])
    return named.fillna("i:" + messages["item_id"]).rename("same_as")


def _joined(ids: Codes, keys: Codes, complete: Mask, key_count: int) -> Codes:
    """Return the code of the key that each row goes by, -1 for none."""
    whole = complete & (ids >= 0)
    pairs = np.unique(ids[whole].astype(np.int64) * max(key_count, 1) + keys[whole])
    pair_ids, pair_keys = np.divmod(pairs, max(key_count, 1))
    bearers = np.bincount(pair_ids, minlength=int(ids.max(initial=-1)) + 1)
    only = np.full(len(bearers), -1, dtype=np.int64)
    only[pair_ids] = pair_keys
    only[bearers != 1] = -1
    chosen = keys.astype(np.int64)
    rest = np.flatnonzero(~complete & (ids >= 0))
    own = np.isin(ids[rest].astype(np.int64) * max(key_count, 1) + keys[rest], pairs)
    own &= keys[rest] >= 0
    undecided = bearers[ids[rest]] > 1
    chosen[rest] = np.where(own | undecided, keys[rest], only[ids[rest]])
    return chosen
