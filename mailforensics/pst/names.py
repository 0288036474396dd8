"""The table of named properties of a store, [MS-PST] 2.4.7."""

from __future__ import annotations

from mailforensics.mapi import NameKey, property_names
from mailforensics.pst.items import Item

__all__ = ["read_names"]

_GUIDS, _ENTRIES, _STRINGS = 0x0002, 0x0003, 0x0004


def read_names(item: Item) -> dict[int, NameKey]:
    """Return what the identifiers from 0x8000 up stand for.

    Parameters
    ----------
    item : Item
        The node 0x61.
    """
    streams = [item.properties.stored(tag) for tag in (_GUIDS, _ENTRIES, _STRINGS)]
    return property_names(*(found[1] if found else b"" for found in streams))
