"""Which files are disk images, told by their first bytes."""

from __future__ import annotations

import struct
from pathlib import Path

from mailforensics.errors import UnsupportedFormat

__all__ = ["container_name", "demand_raw", "encryption_name", "looks_like_disk"]

_CONTAINERS = (
    (0, b"EVF\x09\x0d\x0a\xff\x00", "EnCase image (E01)"),
    (0, b"EVF2\x0d\x0a\x81\x00", "EnCase image (Ex01)"),
    (0, b"LVF\x09\x0d\x0a\xff\x00", "EnCase logical image (L01)"),
    (0, b"QFI\xfb", "QEMU disk (qcow2)"),
    (0, b"KDMV", "VMware disk (VMDK)"),
    (0, b"# Disk DescriptorFile", "VMware disk description (VMDK)"),
    (0, b"vhdxfile", "Hyper-V disk (VHDX)"),
    (0, b"conectix", "virtual PC disk (dynamic VHD)"),
    (64, b"\x7f\x10\xda\xbe", "VirtualBox disk (VDI)"),
    (0, b"AFF10", "AFF image"),
)
_ENCRYPTIONS = (
    (3, b"-FVE-FS-", "BitLocker"),
    (0, b"LUKS\xba\xbe", "LUKS"),
)
_SECTOR = 512
_PARTITIONS = 446
_BOOT_NAMES = (b"NTFS    ", b"EXFAT   ")


def container_name(head: bytes) -> str | None:
    """Return what kind of packed disk image begins with these bytes, None for others."""
    return next((name for at, magic, name in _CONTAINERS if head.startswith(magic, at)), None)


def encryption_name(head: bytes) -> str | None:
    """Return which disk encryption a partition that begins so uses, None for none known."""
    return next((name for at, magic, name in _ENCRYPTIONS if head.startswith(magic, at)), None)


def demand_raw(path: Path, head: bytes) -> None:
    """Refuse a packed disk image: its bytes are not those of the disk.

    Raises
    ------
    UnsupportedFormat
        With the kind of the image, and what to do.
    """
    name = container_name(head)
    if name is not None:
        raise UnsupportedFormat(
            f"{path.name} is a packed disk image: {name}. This version does not read it yet.",
            hint="Turn it into a raw image (.dd) with the tool that made it, and add that.",
        )


def looks_like_disk(head: bytes) -> bool:
    """Say whether a partition table or a file system begins here (first 4096 bytes)."""
    return (
        head.startswith(b"EFI PART", _SECTOR)
        or any(head.startswith(name, 3) for name in _BOOT_NAMES)
        or _is_ext(head)
        or _is_fat(head)
        or _is_partition_table(head)
    )


def _is_ext(head: bytes) -> bool:
    """Test the ext superblock: magic, block size, and blocks a group."""
    if len(head) < 1100 or head[1080:1082] != b"\x53\xef":
        return False
    log_size = int.from_bytes(head[1048:1052], "little")
    per_group = int.from_bytes(head[1056:1060], "little")
    return log_size <= 6 and 0 < per_group <= 8 << (10 + log_size)


def _is_fat(head: bytes) -> bool:
    """Test the FAT boot sector: jump, sector and cluster size, number of tables."""
    if len(head) < _SECTOR or head[510:512] != b"\x55\xaa" or head[0] not in {0xE9, 0xEB}:
        return False
    sector, cluster, reserved, tables = struct.unpack_from("<HBHB", head, 11)
    powers = sector in {512, 1024, 2048, 4096} and cluster and cluster & (cluster - 1) == 0
    return bool(powers and reserved and tables in {1, 2} and b"FAT" in head[54:90])


def _is_partition_table(head: bytes) -> bool:
    """Test the MBR: at least one entry, each with a flag and a range that make sense."""
    if len(head) < _SECTOR or head[510:512] != b"\x55\xaa":
        return False
    used = 0
    for place in range(4):
        entry = head[_PARTITIONS + 16 * place : _PARTITIONS + 16 * place + 16]
        start, length = struct.unpack_from("<II", entry, 8)
        if entry[0] not in {0, 0x80} or (entry[4] and not (start and length)):
            return False
        used += entry[4] != 0
    return used > 0
