"""Blocks that are torn: some of their bytes are known to be gone, the others still count.

A medium gives lost sectors back as zeros, and a newer block may lie over the beginning of an older
one. What a heap item had there is lost and named; what lies beside it is still good.
"""

from __future__ import annotations

import zlib
from typing import Any, Final

from mailforensics.pst.blocks import BlockReader, BlockRef
from mailforensics.pst.crypt import decode
from mailforensics.pst.faults import Damage, Fault

__all__ = ["TornBlock", "TornReader"]

_SECTOR: Final = 512
_BLANK: Final = bytes(_SECTOR)

Spans = tuple[tuple[int, int], ...]


class TornBlock(bytes):
    """The bytes of a block; a slice that touches lost ones raises :class:`Damage`.

    Attributes
    ----------
    lost
        Begins and ends of what is lost.
    """

    lost: Spans

    def __new__(cls, data: bytes, lost: Spans) -> TornBlock:
        """Wrap the bytes of a block."""
        block = super().__new__(cls, data)
        block.lost = lost
        return block

    def __getitem__(self, key: Any) -> Any:
        """Return bytes, unless some of them are lost."""
        begin, end, _ = (key if isinstance(key, slice) else slice(key, key + 1)).indices(len(self))
        if any(begin < last and first < end for first, last in self.lost):
            raise Damage("block_checksum", "These bytes of a block are lost.")
        return super().__getitem__(key)


class TornReader(BlockReader):
    """A block reader that knows lost sectors when it sees them.

    Blocks of data whose checksum does not agree come as :class:`TornBlock` when sectors of them
    are blank. Blocks whose trailer belongs to something else are lost.
    """

    __slots__ = ()

    def read(self, bid: int, faults: list[Fault]) -> bytes:
        """Return the decoded bytes of one block; see :meth:`BlockReader.read`."""
        before = len(faults)
        try:
            found = super().read(bid, faults)
        except Damage as damage:
            if damage.fault.code != "block_packed":
                raise
            return self._unpacked(bid, faults)
        if len(faults) == before or bid & 2:
            return found
        place = self.locate(bid & ~1)
        lost = self._lost(place) if place is not None else ()
        if place is None or not lost:
            return found
        if place.stored != place.inflated:
            return self._unpacked(bid, faults)
        return TornBlock(_blanked(found, lost), lost)

    def data(self, bid: int, faults: list[Fault]) -> bytes:
        """Return the joined data of a node; lost sectors are zeros in it."""
        return bytes(super().data(bid, faults))

    def _lost(self, place: BlockRef) -> Spans:
        """Return the parts of a block that lie in blank sectors, in bytes from its begin."""
        begin = self.start + place.offset
        stored = bytes(self.image[begin : begin + place.stored])
        first = -begin % _SECTOR - _SECTOR
        spans = []
        for at in range(first, place.stored, _SECTOR):
            part = stored[max(at, 0) : at + _SECTOR]
            if part and not part.strip(b"\0") and self._is_blank(begin + at):
                spans.append((max(at, 0), min(at + _SECTOR, place.stored)))
        return tuple(spans)

    def _is_blank(self, at: int) -> bool:
        return at >= 0 and bytes(self.image[at : at + _SECTOR]) == _BLANK

    def _unpacked(self, bid: int, faults: list[Fault]) -> bytes:
        """Unpack a compressed block as far as its first lost sector.

        Raises
        ------
        Damage
            Nothing tells which of its bytes are lost, or the first ones are.
        """
        place = self.locate(bid & ~1)
        lost = self._lost(place) if place is not None else ()
        if place is None or not lost or not lost[0][0]:
            raise Damage("block_packed", f"The block {bid:#x} cannot be unpacked.")
        begin = self.start + place.offset
        stored = bytes(self.image[begin : begin + lost[0][0]])
        if stored[:1] != b"\x78":
            stored = decode(stored, self.crypt, bid)
        try:
            found = zlib.decompressobj().decompress(stored, place.inflated)
        except zlib.error as error:
            raise Damage("block_packed", f"The block {bid:#x} cannot be unpacked.") from error
        faults.append(Fault("block_packed", f"The end of block {bid:#x} is lost.", place.offset))
        whole = found.ljust(place.inflated, b"\0")
        return TornBlock(whole, ((len(found), place.inflated),))


def _blanked(data: bytes, lost: Spans) -> bytes:
    """Put zeros where bytes are lost, which decoding has turned into other ones."""
    found = bytearray(data)
    for begin, end in lost:
        found[begin:end] = bytes(end - begin)
    return bytes(found)
