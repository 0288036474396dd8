"""A small FAT16 writer (Microsoft FAT specification 1.03): files, long names, deletion.

It writes as an old computer does: clusters in order, the rest of the last sector filled with
zeros, the rest of the last cluster as it was. Deleting marks the directory entries (0xE5) and
frees the clusters; the bytes stay.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime

__all__ = ["CLUSTER", "Disk", "Node"]

SECTOR, PER_CLUSTER, RESERVED, FATS, ROOT_ENTRIES = 512, 4, 4, 2, 512
CLUSTER = SECTOR * PER_CLUSTER
_END, _DELETED = 0xFFFF, 0xE5


@dataclass(slots=True)
class Node:
    """A file or folder: its name, its clusters, and where its directory entries lie."""

    path: str
    clusters: list[int]
    size: int
    entries: list[int] = field(default_factory=list)


class Disk:
    """A disk image with a partition table and one FAT16 partition.

    Parameters
    ----------
    size : int
        Bytes of the image.
    label : str
        Name of the volume, at most 11 signs.
    serial : int
        Volume serial number.
    start : int
        First sector of the partition.
    """

    def __init__(self, size: int, label: str, serial: int, start: int = 2048) -> None:
        self.image = bytearray(size)
        self.origin = start * SECTOR
        sectors = size // SECTOR - start
        self.fat_sectors = -(-(sectors // PER_CLUSTER + 2) * 2 // SECTOR)
        root = RESERVED + FATS * self.fat_sectors
        data = root + ROOT_ENTRIES * 32 // SECTOR
        self.root, self.data = self.origin + root * SECTOR, self.origin + data * SECTOR
        self.count = (sectors - data) // PER_CLUSTER
        self.fat = [0xFFF8, _END] + [0] * self.count
        self.next = 2
        self.folders: dict[str, list[int]] = {}
        self._aliases: dict[str, int] = {}
        self._write_boot(sectors, start, label, serial)
        self._put(
            self._root_slots(1)[0],
            self._short(label.ljust(11), 0x08, 0, 0, datetime(2026, 3, 2, tzinfo=UTC)),
        )

    def _write_boot(self, sectors: int, start: int, label: str, serial: int) -> None:
        entry = struct.pack("<B3sB3sII", 0, b"\xfe\xff\xff", 0x06, b"\xfe\xff\xff", start, sectors)
        self.image[440:444] = struct.pack("<I", serial ^ 0x5A5A)
        self.image[446:462] = entry
        self.image[510:512] = b"\x55\xaa"
        boot = b"\xeb\x3c\x90MSDOS5.0" + struct.pack(
            "<HBHBHHBHHHII",
            SECTOR,
            PER_CLUSTER,
            RESERVED,
            FATS,
            ROOT_ENTRIES,
            sectors,
            0xF8,
            self.fat_sectors,
            63,
            255,
            start,
            0,
        )
        boot += struct.pack("<BBBI", 0x80, 0, 0x29, serial) + label.ljust(11).encode() + b"FAT16   "
        self.image[self.origin : self.origin + len(boot)] = boot
        self.image[self.origin + 510 : self.origin + 512] = b"\x55\xaa"

    def folder(self, path: str, when: datetime) -> None:
        """Make a folder below the root, in one cluster of 64 entries (more as it grows)."""
        (cluster,) = self._take(1)
        self.folders[path] = [cluster]
        parent = self.folders.get(path.rpartition("/")[0], [0])[0]
        dots = self._short(".".ljust(11), 0x10, cluster, 0, when) + self._short(
            "..".ljust(11), 0x10, parent, 0, when
        )
        self._fill(cluster, dots + b"\0" * (CLUSTER - 64))
        self._enter(path, 0x10, cluster, 0, when)

    def write(
        self, path: str, data: bytes, when: datetime, *, into: list[int] | None = None
    ) -> Node:
        """Write a file, behind all that was written or into given free clusters."""
        count = -(-len(data) // CLUSTER)
        clusters = self._claim(into[:count]) if into else self._take(count)
        for place, cluster in enumerate(clusters):
            self._fill(cluster, data[place * CLUSTER : (place + 1) * CLUSTER])
        entries = self._enter(path, 0x20, clusters[0], len(data), when)
        return Node(path, clusters, len(data), entries)

    def delete(self, node: Node) -> None:
        """Mark the directory entries of a file as free, and its clusters."""
        for place in node.entries:
            self.image[place] = _DELETED
        for cluster in node.clusters:
            self.fat[cluster] = 0

    def offset(self, cluster: int) -> int:
        """Return where a cluster begins in the image."""
        return self.data + (cluster - 2) * CLUSTER

    def finish(self) -> bytes:
        """Write both tables of clusters and return the image."""
        table = struct.pack(f"<{len(self.fat)}H", *self.fat)
        for copy in range(FATS):
            place = self.origin + (RESERVED + copy * self.fat_sectors) * SECTOR
            self.image[place : place + len(table)] = table
        return bytes(self.image)

    def _take(self, count: int) -> list[int]:
        clusters = list(range(self.next, self.next + count))
        self.next += count
        return self._claim(clusters)

    def _claim(self, clusters: list[int]) -> list[int]:
        assert not any(self.fat[cluster] for cluster in clusters), "these clusters are in use"
        for cluster, following in zip(clusters, [*clusters[1:], _END], strict=True):
            self.fat[cluster] = following
        return clusters

    def _fill(self, cluster: int, data: bytes) -> None:
        padded = data + b"\0" * (-len(data) % SECTOR)
        place = self.offset(cluster)
        self.image[place : place + len(padded)] = padded

    # --- directory entries (section 6 and 7) ---------------------------------------------------

    def _enter(self, path: str, kind: int, cluster: int, size: int, when: datetime) -> list[int]:
        parent, _, name = path.rpartition("/")
        short = self._alias(parent, name)
        rows = [*_long(name, _checksum(short)), self._short(short, kind, cluster, size, when)]
        slots = self._root_slots(len(rows)) if not parent else self._slots(parent, len(rows))
        for place, row in zip(slots, rows, strict=True):
            self._put(place, row)
        return slots

    def _root_slots(self, count: int) -> list[int]:
        places = [self.root + 32 * number for number in range(ROOT_ENTRIES)]
        return [place for place in places if not self.image[place]][:count]

    def _slots(self, parent: str, count: int) -> list[int]:
        """Return free entries at the end of a folder, which grows by a cluster when full."""
        clusters = self.folders[parent]
        places = [
            self.offset(cluster) + 32 * n for cluster in clusters for n in range(CLUSTER // 32)
        ]
        free = [place for place in places if not self.image[place]]
        if len(free) < count:
            (more,) = self._take(1)
            self.fat[clusters[-1]] = more
            clusters.append(more)
            self._fill(more, b"\0" * CLUSTER)
            return self._slots(parent, count)
        return free[:count]

    def _alias(self, parent: str, name: str) -> str:
        stem, _, suffix = name.rpartition(".") if "." in name else (name, "", "")
        letters = [sign for sign in stem.upper() if sign.isascii() and sign.isalnum()]
        self._aliases[parent] = self._aliases.get(parent, 0) + 1
        tail = f"~{self._aliases[parent]}"
        bare = ("".join(letters) or "_")[: 8 - len(tail)]
        return (bare + tail).ljust(8) + suffix.upper()[:3].ljust(3)

    def _put(self, place: int, row: bytes) -> None:
        self.image[place : place + 32] = row

    @staticmethod
    def _short(name: str, kind: int, cluster: int, size: int, when: datetime) -> bytes:
        day = (when.year - 1980) << 9 | when.month << 5 | when.day
        clock = when.hour << 11 | when.minute << 5 | when.second // 2
        stamps = (0, 0, clock, day, day, 0, clock, day)
        return name.encode("ascii") + struct.pack("<BBBHHHHHHHI", kind, *stamps, cluster, size)


def _checksum(short: str) -> int:
    total = 0
    for byte in short.encode("ascii"):
        total = ((total & 1) << 7 | total >> 1) + byte & 0xFF
    return total


def _long(name: str, check: int) -> list[bytes]:
    """Return the entries of a long name, last part first."""
    units = name.encode("utf-16-le")
    if len(units) % 26:
        units += b"\0\0"
    units += b"\xff" * (-len(units) % 26)
    parts = [units[start : start + 26] for start in range(0, len(units), 26)]
    rows = []
    for order, part in enumerate(parts, start=1):
        mark = order | (0x40 if order == len(parts) else 0)
        rows.append(
            bytes([mark]) + part[:10] + bytes([0x0F, 0, check]) + part[10:22] + b"\0\0" + part[22:]
        )
    return rows[::-1]
