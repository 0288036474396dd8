"""Free blocks, from the lists that file systems keep of them.

Sections: ext4 disk layout, "Super Block", "Block Group Descriptors", "Block and Inode Bitmaps";
Microsoft FAT specification 3-4; exFAT specification 3.1, 7.1; NTFS ``$Bitmap`` (file 6).
"""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from mailforensics.images.ranges import Range, from_flags, subtract

__all__ = ["Layout", "exfat", "ext", "fat", "ntfs"]

ReadAt: TypeAlias = Callable[[int, int], bytes]
"""(offset in the image, bytes) -> the bytes, fewer at the end of the image."""

_MOST_BLOCKS = 1 << 33
_PIECE = 4 << 20
_META_BG, _SIXTY_FOUR = 0x10, 0x80
_BIGALLOC, _SPARSE, _GDT_CSUM, _METADATA_CSUM = 0x200, 0x1, 0x10, 0x400
_BLOCK_UNINIT = 0x2


@dataclass(frozen=True, slots=True)
class Layout:
    """Where the data blocks of a file system lie, and which of them are free.

    Attributes
    ----------
    origin, block_size
        Offset of the first data block in the image; bytes of a block.
    free
        Byte ranges in image coordinates.
    """

    origin: int
    block_size: int
    free: list[Range]


def _clear_bits(bitmap: bytes, count: int) -> npt.NDArray[np.bool_]:
    bits = np.unpackbits(np.frombuffer(bitmap, dtype=np.uint8), bitorder="little")[:count]
    return np.equal(bits, 0)


def ntfs(bitmap: Callable[[int, int], bytes], start: int, cluster: int, count: int) -> Layout:
    """Read the free clusters from ``$Bitmap``, given as a function of offset and length."""
    free: list[Range] = []
    for at in range(0, (min(count, _MOST_BLOCKS) + 7) // 8, _PIECE):
        piece = bitmap(at, _PIECE)
        if not piece:
            break
        flags = _clear_bits(piece, count - at * 8)
        free.extend(from_flags(flags, start + at * 8 * cluster, cluster))
    return Layout(start, cluster, free)


def exfat(read: ReadAt, bitmap: Callable[[int, int], bytes], start: int) -> Layout | None:
    """Read the free clusters of an exFAT file system from its allocation bitmap."""
    boot = read(start, 512)
    if len(boot) < 512:
        return None
    heap, count = struct.unpack_from("<II", boot, 88)
    sector_bits, cluster_bits = boot[108], boot[109]
    if not 9 <= sector_bits <= 12 or sector_bits + cluster_bits > 25:
        return None
    return ntfs(bitmap, start + (heap << sector_bits), 1 << (sector_bits + cluster_bits), count)


@dataclass(frozen=True, slots=True)
class _Fat:
    """The numbers of a FAT boot sector, offsets in the image."""

    table: int
    table_size: int
    data: int
    cluster: int
    clusters: int

    @property
    def bits(self) -> int:
        if self.clusters < 4085:
            return 12
        return 16 if self.clusters < 65525 else 32


def _fat_numbers(boot: bytes, start: int) -> _Fat | None:
    if len(boot) < 512:
        return None
    sector, per_cluster, reserved, tables, roots, total, _, size = struct.unpack_from(
        "<HBHBHHBH", boot, 11
    )
    total = total or int.from_bytes(boot[32:36], "little")
    size = size or int.from_bytes(boot[36:40], "little")
    if sector not in {512, 1024, 2048, 4096} or not per_cluster or not size:
        return None
    data = reserved + tables * size + (roots * 32 + sector - 1) // sector
    if data >= total:
        return None
    return _Fat(
        table=start + reserved * sector,
        table_size=size * sector,
        data=start + data * sector,
        cluster=per_cluster * sector,
        clusters=(total - data) // per_cluster,
    )


def fat(read: ReadAt, start: int) -> Layout | None:
    """Read the free clusters of a FAT12, FAT16 or FAT32 file system from its first table."""
    numbers = _fat_numbers(read(start, 512), start)
    if numbers is None:
        return None
    free: list[Range] = []
    if numbers.bits == 12:
        table = read(numbers.table, min(numbers.table_size, 8192))
        free = _free_clusters(_twelve_bits(table), 0, numbers)
    else:
        width = numbers.bits // 8
        wanted = min(numbers.table_size, (numbers.clusters + 2) * width)
        for at in range(0, wanted, _PIECE):
            piece = read(numbers.table + at, min(_PIECE, wanted - at))
            piece = piece[: len(piece) - len(piece) % width]
            entries = np.frombuffer(piece, dtype="<u2" if width == 2 else "<u4")
            if width == 4:
                entries = entries & np.uint32(0x0FFFFFFF)
            free.extend(_free_clusters(entries, at // width, numbers))
    return Layout(numbers.data, numbers.cluster, free)


def _twelve_bits(table: bytes) -> npt.NDArray[np.integer]:
    usable = np.frombuffer(table[: len(table) - len(table) % 3], dtype=np.uint8).astype(np.uint16)
    triples = usable.reshape(-1, 3)
    pairs = np.empty((len(triples), 2), dtype=np.uint16)
    pairs[:, 0] = triples[:, 0] | (triples[:, 1] & 0x0F) << 8
    pairs[:, 1] = triples[:, 1] >> 4 | triples[:, 2] << 4
    return pairs.reshape(-1)


def _free_clusters(entries: npt.NDArray[np.integer], first: int, numbers: _Fat) -> list[Range]:
    flags = np.asarray(entries == 0)
    flags = flags[: max(0, numbers.clusters + 2 - first)].copy()
    flags[: max(0, 2 - first)] = False
    return from_flags(flags, numbers.data + (first - 2) * numbers.cluster, numbers.cluster)


@dataclass(frozen=True, slots=True)
class _Ext:
    """The numbers of an ext superblock; blocks are counted from the start of the file system."""

    block: int
    blocks: int
    first: int
    per_group: int
    table_blocks: int
    descriptor: int
    sparse: bool
    checksums: bool

    @property
    def groups(self) -> int:
        return (self.blocks - self.first + self.per_group - 1) // self.per_group


def _ext_numbers(superblock: bytes) -> _Ext | None:
    if len(superblock) < 1024 or superblock[56:58] != b"\x53\xef":
        return None
    blocks, first, log_size, per_group = (
        int.from_bytes(superblock[at : at + 4], "little") for at in (4, 20, 24, 32)
    )
    inodes, incompatible, read_only = (
        int.from_bytes(superblock[at : at + 4], "little") for at in (40, 96, 100)
    )
    wide = bool(incompatible & _SIXTY_FOUR)
    if wide:
        blocks |= int.from_bytes(superblock[336:340], "little") << 32
    if log_size > 6 or incompatible & _META_BG or read_only & _BIGALLOC:
        return None
    block = 1024 << log_size
    if not 0 < per_group <= 8 * block or not first < blocks <= _MOST_BLOCKS:
        return None
    inode = int.from_bytes(superblock[88:90], "little") or 128
    descriptor = int.from_bytes(superblock[254:256], "little") if wide else 32
    if not 32 <= descriptor <= 1024:
        return None
    return _Ext(
        block=block,
        blocks=blocks,
        first=first,
        per_group=per_group,
        table_blocks=min((inodes * inode + block - 1) // block, per_group),
        descriptor=descriptor,
        sparse=bool(read_only & _SPARSE),
        checksums=bool(read_only & (_GDT_CSUM | _METADATA_CSUM)),
    )


def ext(read: ReadAt, start: int) -> Layout | None:
    """Read the free blocks of an ext2, ext3 or ext4 file system from its block bitmaps."""
    numbers = _ext_numbers(read(start + 1024, 1024))
    if numbers is None:
        return None
    size = numbers.groups * numbers.descriptor
    descriptors = read(start + (numbers.first + 1) * numbers.block, min(size, 1 << 28))
    if len(descriptors) < size:
        return None
    free: list[Range] = []
    taken: list[Range] = []
    for group in range(numbers.groups):
        entry = descriptors[group * numbers.descriptor : (group + 1) * numbers.descriptor]
        bitmap, inode_bitmap, table = _ext_places(entry)
        for place, count in ((bitmap, 1), (inode_bitmap, 1), (table, numbers.table_blocks)):
            taken.append(_bytes(start, numbers.block, place, count))
        base = numbers.first + group * numbers.per_group
        count = min(numbers.per_group, numbers.blocks - base)
        flags = int.from_bytes(entry[18:20], "little")
        if numbers.checksums and flags & _BLOCK_UNINIT:
            free.append(_bytes(start, numbers.block, base, count))
            taken.append(_bytes(start, numbers.block, base, _copies(numbers, group, size)))
        else:
            content = read(start + bitmap * numbers.block, numbers.block)
            free.extend(
                from_flags(_clear_bits(content, count), start + base * numbers.block, numbers.block)
            )
    return Layout(start, numbers.block, subtract(free, taken))


def _ext_places(entry: bytes) -> tuple[int, int, int]:
    """Return the blocks of the block bitmap, the inode bitmap and the inode table."""
    low = [int.from_bytes(entry[at : at + 4], "little") for at in (0, 4, 8)]
    high = [int.from_bytes(entry[at : at + 4], "little") for at in (32, 36, 40)]
    wide = len(entry) >= 64
    places = [near | (far << 32 if wide else 0) for near, far in zip(low, high, strict=True)]
    return places[0], places[1], places[2]


def _bytes(start: int, block: int, place: int, count: int) -> Range:
    return start + place * block, start + (place + count) * block


def _copies(numbers: _Ext, group: int, size: int) -> int:
    """Return how many blocks copies of superblock and descriptors take in a group."""
    if numbers.sparse and not _holds_copy(group):
        return 0
    return 1 + (size + numbers.block - 1) // numbers.block


def _holds_copy(group: int) -> bool:
    """Say whether the group number is 0, 1, or a power of 3, 5 or 7 (sparse_super)."""
    for base in (3, 5, 7):
        power = base
        while power < group:
            power *= base
        if power == group:
            return True
    return group <= 1
