"""The name-to-identifier map: named properties of the whole store, [MS-PST] 2.4.7."""

from __future__ import annotations

import struct
import uuid
from collections import defaultdict
from typing import Final

from mailforensics.mapi import NameKey, Property, PropertyBag
from mailforensics.pst.sums import crc
from mailforensics.pst.writer.properties import binary, integer

__all__ = ["UNNAMED_SET", "NameMap"]

UNNAMED_SET: Final = "6d61696c-666f-7265-6e73-696373000001"
"""Property set of properties whose name the source did not know: ``0x8123`` and the like."""

_FIRST_NAMED: Final = 0x8000
_MOST: Final = 0x7FFE
_BUCKETS: Final = 251
_FIXED_SETS: Final = {
    "00020328-0000-0000-c000-000000000046": 1,
    "00020329-0000-0000-c000-000000000046": 2,
}
"""PS_MAPI and PS_PUBLIC_STRINGS have fixed places, [MS-PST] 2.4.7.1."""

_SIDE_EFFECTS: Final[NameKey] = ("00062008-0000-0000-c000-000000000046", 0x8510)
"""PidLidSideEffects: some readers refuse a map that is empty."""


class NameMap:
    """Gives each named property one identifier in the new store."""

    def __init__(self) -> None:
        self._known: dict[NameKey, int] = {}
        self.of(_SIDE_EFFECTS)

    def of(self, name: NameKey) -> int | None:
        """Return the identifier of a named property; None when the store can name no more."""
        found = self._known.get(name)
        if found is None and len(self._known) < _MOST:
            found = self._known[name] = _FIRST_NAMED + len(self._known)
        return found

    def placed(self, tag: int, bag: PropertyBag) -> int | None:
        """Return the identifier in this store of a property of a bag."""
        if tag < _FIRST_NAMED:
            return tag
        return self.of(bag.names.get(tag, (UNNAMED_SET, f"0x{tag:04x}")))

    def properties(self) -> dict[int, Property]:
        """Return the properties of the map's node: streams and hash buckets, 2.4.7.1 to 2.4.7.5."""
        sets, entries, strings = dict(_FIXED_SETS), bytearray(), bytearray()
        buckets: defaultdict[int, bytearray] = defaultdict(bytearray)
        for index, (guid, name) in enumerate(self._known):
            place = sets.setdefault(guid, len(sets) + 1)
            kind = place << 1 | isinstance(name, str)
            number, hashed = _number(name, strings)
            entries += struct.pack("<IHH", number, kind, index)
            buckets[(hashed ^ kind) % _BUCKETS] += struct.pack("<IHH", hashed, kind, index)
        guids = b"".join(uuid.UUID(guid).bytes_le for guid in list(sets)[len(_FIXED_SETS) :])
        values = {0x0001: integer(_BUCKETS), 0x0002: binary(guids), 0x0003: binary(bytes(entries))}
        values[0x0004] = binary(bytes(strings) or bytes(4))
        return values | {0x1000 + at: binary(bytes(held)) for at, held in buckets.items()}


def _number(name: int | str, strings: bytearray) -> tuple[int, int]:
    """Return what an entry holds for a name, and what it is hashed by; a string is appended."""
    if isinstance(name, int):
        return name & 0xFFFFFFFF, name & 0xFFFFFFFF
    data = name.encode("utf-16-le", "surrogatepass")
    place = len(strings)
    strings += struct.pack("<I", len(data)) + data + bytes(-len(data) % 4)
    return place, crc(data)
