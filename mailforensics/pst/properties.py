"""Property contexts: the properties of one object, [MS-PST] 2.3.3.

Values stay bytes until somebody asks for them.
"""

from __future__ import annotations

import itertools
import struct
from abc import ABC, abstractmethod
from codecs import utf_16_le_decode
from collections.abc import Callable, Iterable
from datetime import datetime
from typing import Final

from mailforensics.mapi import NameKey, Property, PropertyBag, PropertyType, Tag, filetime
from mailforensics.pst.faults import Damage, Fault
from mailforensics.pst.heap import Heap
from mailforensics.pst.nodes import SubNodes

__all__ = ["FIXED_SIZES", "Properties", "PropertyContext", "Room", "values_of"]

FIXED_SIZES: Final = {
    0x0002: 2,
    0x0003: 4,
    0x0004: 4,
    0x0005: 8,
    0x0006: 8,
    0x0007: 8,
    0x000A: 4,
    0x000B: 1,
    0x0014: 8,
    0x0040: 8,
}
"""Property type -> bytes of its value, for types that never lie apart from a table's row."""

_INLINE: Final = {kind: size for kind, size in FIXED_SIZES.items() if size <= 4}
_WIDTHS: Final = FIXED_SIZES | {0x0048: 16}
_VARIABLE: Final = frozenset({PropertyType.STRING, PropertyType.STRING8, PropertyType.BINARY})
_MULTIVALUE: Final = 0x1000
_LARGEST_BAG: Final = 1 << 30
_CLIENT: Final = 0xBC
_CODE_PAGES: Final = (Tag.MESSAGE_CODEPAGE, Tag.MESSAGE_LOCALE_ID, Tag.INTERNET_CODEPAGE)
_RECORD: Final = struct.Struct("<HHI")
_INTEGERS: Final = {0x0002: 2, 0x0003: 4, 0x0014: 8}

Stored = tuple[int, bytes]
CodePage = Callable[[], int | None] | int | None
"""A code page, or what gives it when an 8-bit string needs one."""


class Room:
    """How many bytes an item may still fill in memory: a small file can claim to hold a lot.

    Attributes
    ----------
    left
        Bytes; none when it is not above zero.
    """

    __slots__ = ("left",)

    def __init__(self, left: int) -> None:
        self.left = left

    def take(self, size: int) -> bool:
        """Take some, and say whether there was enough."""
        self.left -= size
        return self.left > 0


class Properties(ABC):
    """Properties of one object, by their identifiers (16 bit).

    Attributes
    ----------
    faults
        Takes what is wrong with the object.
    unreadable
        Identifiers of properties that are there but could not be read.
    """

    __slots__ = ("_decoder", "_page", "faults", "unreadable")

    def __init__(self, faults: list[Fault], code_page: CodePage = None) -> None:
        self.faults = faults
        self.unreadable: list[int] = []
        self._page = code_page
        self._decoder: PropertyBag | None = None

    @property
    def code_page(self) -> int | None:
        """Code page of 8-bit strings where the object itself names none."""
        return self._page() if callable(self._page) else self._page

    @property
    @abstractmethod
    def tags(self) -> Iterable[int]:
        """The identifiers of the properties that are there."""

    @abstractmethod
    def read(self, tag: int) -> Stored | None:
        """Return type and bytes of a property, None when it is not there.

        Raises
        ------
        Damage
            It is there, but its value cannot be read.
        """

    def stored(self, tag: int) -> Stored | None:
        """Return type and bytes of a property, None when it is not there or unreadable."""
        try:
            return self.read(tag)
        except Damage as damage:
            if tag not in self.unreadable:
                self.unreadable.append(tag)
                self.faults.append(
                    Fault("property", f"Property {tag:#06x}: {damage}", damage.fault.offset)
                )
            return None

    def text(self, tag: int) -> str | None:
        """Return a string; None when it is not there, empty or of another type."""
        found = self.stored(tag)
        if found is None:
            return None
        kind, data = found
        if kind == 0x001F:
            if len(data) & 1:
                data = data[:-1]
            return utf_16_le_decode(data, "replace")[0].rstrip("\0") or None
        if kind != 0x001E:
            return None
        if data.isascii():
            return data.decode("ascii").rstrip("\0") or None
        return self._strings.decode8(data).rstrip("\0") or None

    def integer(self, tag: int) -> int | None:
        """Return a whole number, None when it is not there or of another type."""
        found = self.stored(tag)
        size = _INTEGERS.get(found[0]) if found else None
        if found is None or size is None or len(found[1]) < size:
            return None
        return int.from_bytes(found[1][:size], "little", signed=True)

    def flag(self, tag: int) -> bool | None:
        """Return a yes or no, None when it is not there or of another type."""
        found = self.stored(tag)
        if found is None or found[0] != PropertyType.BOOLEAN or not found[1]:
            return None
        return found[1][0] != 0

    def ticks(self, tag: int) -> int | None:
        """Return a point in time as the store keeps it: 100 ns since 1601, UTC."""
        found = self.stored(tag)
        if found is None or found[0] != PropertyType.TIME or len(found[1]) != 8:
            return None
        return int.from_bytes(found[1], "little")

    def moment(self, tag: int) -> datetime | None:
        """Return a point in time (UTC), None when it is not there or no real date."""
        found = self.stored(tag)
        if found is None or found[0] != PropertyType.TIME:
            return None
        return filetime(found[1])

    def binary(self, tag: int) -> bytes | None:
        """Return bytes as they are stored, None when it is not there or of another type."""
        found = self.stored(tag)
        return found[1] if found and found[0] == PropertyType.BINARY else None

    def bag(
        self,
        names: dict[int, NameKey] | None = None,
        *,
        without: frozenset[int] = frozenset(),
        room: Room | None = None,
    ) -> PropertyBag:
        """Return all properties, read, with the names that the store gives them.

        Parameters
        ----------
        names : dict, optional
            What the identifiers of named properties stand for.
        without : frozenset of int
            Identifiers to leave out.
        room : Room, optional
            What may be held in memory; properties that find no room count as unreadable.
        """
        bag = PropertyBag(names=names or {}, code_page=self.code_page)
        room = room or Room(_LARGEST_BAG)
        for tag in self.tags:
            if tag in without:
                continue
            found = self.stored(tag) if room.left > 0 else None
            if found is not None and room.take(len(found[1])):
                bag.values[tag] = Property(*found, values_of(*found))
            elif room.left <= 0:
                self.unreadable.append(tag)
        bag.unreadable = [tag for tag in self.unreadable if tag not in without]
        return bag

    @property
    def _strings(self) -> PropertyBag:
        """A bag that knows which code page the object's 8-bit strings have."""
        if self._decoder is None:
            found = {tag: self.stored(tag) for tag in _CODE_PAGES}
            pages = {int(tag): Property(*value) for tag, value in found.items() if value}
            self._decoder = PropertyBag(values=pages, code_page=self.code_page)
        return self._decoder

    def text_code_page(self) -> int | None:
        """Return the code page of this object's 8-bit strings, None when nothing names one."""
        return self._strings.text_code_page()


class PropertyContext(Properties):
    """The properties in a heap, PC, [MS-PST] 2.3.3.

    Parameters
    ----------
    heap : Heap
        The heap of the object.
    subnodes : SubNodes
        Its sub-nodes, which hold what is too large for the heap.
    faults : list of Fault
        Takes what is wrong with the object.
    code_page : int or callable, optional
        Code page of 8-bit strings where the object itself names none.

    Attributes
    ----------
    records
        Identifier -> type and value or HNID, 2.3.3.3.

    Raises
    ------
    Damage
        The heap holds no properties.
    """

    __slots__ = ("heap", "records", "subnodes")

    def __init__(
        self,
        heap: Heap,
        subnodes: SubNodes,
        faults: list[Fault],
        code_page: CodePage = None,
    ) -> None:
        super().__init__(faults, code_page)
        self.heap = heap
        self.subnodes = subnodes
        if heap.client != _CLIENT:
            raise Damage("heap", f"The heap holds no properties (kind {heap.client:#x}).")
        tree = heap.tree(heap.root)
        if tree.key_size != 2 or tree.data_size != 6:
            raise Damage("heap", "The list of properties has another shape.")
        data = tree.records
        if len(data) & 7:
            data = data[: len(data) & ~7]
        self.records = {tag: (kind, value) for tag, kind, value in _RECORD.iter_unpack(data)}

    @property
    def tags(self) -> Iterable[int]:
        """The identifiers of the properties that are there."""
        return self.records

    def read(self, tag: int) -> Stored | None:
        """Return type and bytes of a property, None when it is not there.

        Raises
        ------
        Damage
            It is there, but its value cannot be read.
        """
        found = self.records.get(tag)
        if found is None:
            return None
        kind, value = found
        size = _INLINE.get(kind)
        if size is not None:
            return kind, value.to_bytes(4, "little")[:size]
        if value & 0x1F == 0:
            data = self.heap.item(value)
            return kind, (self._object(data) if kind == 0x000D and data else data)
        return kind, self.subnodes.data(value)

    def object_nid(self, tag: int) -> int | None:
        """Return the sub-node that a property of type object names, 2.3.3.5.

        Raises
        ------
        Damage
            The property cannot be read.
        """
        kind, value = self.records.get(tag, (0, 0))
        if kind != PropertyType.OBJECT:
            return None
        data = self.heap.item(value)
        return int.from_bytes(data[:4], "little") if len(data) >= 4 else None

    def _object(self, data: bytes) -> bytes:
        return self.subnodes.data(int.from_bytes(data[:4], "little"))

    def external(self) -> list[int]:
        """Return the sub-nodes that hold values."""
        return [
            value for kind, value in self.records.values() if kind not in _INLINE and value & 0x1F
        ]


def values_of(kind: int, data: bytes) -> tuple[bytes, ...]:
    """Take a property with many values apart, [MS-PST] 2.3.3.4; empty for one with a single."""
    if not kind & _MULTIVALUE:
        return ()
    kind &= ~_MULTIVALUE
    width = _WIDTHS.get(kind)
    if width:
        return tuple(data[at : at + width] for at in range(0, len(data) - width + 1, width))
    if kind not in _VARIABLE or len(data) < 4:
        return ()
    count = int.from_bytes(data[:4], "little")
    if count * 4 + 4 > len(data):
        return ()
    ends = [*struct.unpack_from(f"<{count}I", data, 4), len(data)]
    return tuple(data[begin:end] for begin, end in itertools.pairwise(ends))
