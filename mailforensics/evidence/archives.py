"""Members of zip, tar and gzip exports, written to a working copy that the readers open.

The archive itself is only read. Names are made safe, links and devices are left out, and every
member that cannot be had is a fault with its reason. A zip that is cut off (its directory stands
at the end) is read from its local headers as far as its bytes go ([APPNOTE] 4.3.7).
"""

from __future__ import annotations

import bz2
import errno
import gzip
import lzma
import os
import shutil
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from typing import IO

from mailforensics.errors import EvidenceError

__all__ = ["ArchiveFault", "Member", "Places", "expand", "is_archive"]

BLOCK = 1 << 20
MAX_MEMBERS = 5_000_000
RESERVE = 64 << 20
"""Bytes of the working disk that are left free."""

_COMPRESSED = {b"\x1f\x8b": gzip.open, b"BZh": bz2.open, b"\xfd7zXZ\x00": lzma.open}
_FAULTS = (
    OSError,
    EOFError,
    zlib.error,
    lzma.LZMAError,
    zipfile.BadZipFile,
    tarfile.TarError,
    NotImplementedError,
    RuntimeError,
    ValueError,
)
"""What the standard library raises for damaged, encrypted or unknown members."""


@dataclass(frozen=True, slots=True)
class Member:
    """One file of an archive and its working copy. ``name`` has ``/`` between its parts."""

    name: str
    path: Path
    size: int


@dataclass(frozen=True, slots=True)
class ArchiveFault:
    """One member that could not be had, or the place where an archive ends early."""

    name: str
    reason: str
    detail: str = ""


def is_archive(path: Path) -> bool:
    """Say whether a file is a zip, tar, or compressed file by its first bytes."""
    return _kind(path) is not None


def _kind(path: Path) -> str | None:
    try:
        with path.open("rb") as stream:
            head = stream.read(512)
    except OSError:
        return None
    if head[:4] in {b"PK\x03\x04", b"PK\x05\x06", b"PK\x07\x08"}:
        return "zip"
    if head[257:262] == b"ustar":
        return "tar"
    opener = _opener(head)
    if opener is None:
        return None
    try:
        with opener(path, "rb") as stream:
            return "tar" if stream.read(512)[257:262] == b"ustar" else "single"
    except _FAULTS:
        return "single"


def _opener(head: bytes):  # type: ignore[no-untyped-def]  # noqa: ANN202 - three library functions
    for magic, opener in _COMPRESSED.items():
        if head.startswith(magic):
            return opener
    return None


def expand(path: Path, folder: Path) -> Iterator[Member | ArchiveFault]:
    """Write the members of an archive below a folder and yield each as it is done.

    A member whose working copy is already there with the right size is not written again.

    Raises
    ------
    EvidenceError
        The disk has no room for the working copy.
    """
    kind = _kind(path)
    steps = {"zip": _expand_zip, "tar": _expand_tar, "single": _expand_single}
    if kind is None:
        yield ArchiveFault("", "This is no archive.")
        return
    yield from steps[kind](path, Places(folder))


def _expand_zip(path: Path, places: Places) -> Iterator[Member | ArchiveFault]:
    try:
        archive = zipfile.ZipFile(path)
    except _FAULTS as error:
        yield ArchiveFault(
            "",
            "The directory of this zip file is damaged or cut off; "
            "its members were read one by one as far as they go.",
            str(error),
        )
        yield from _salvage_zip(path, places)
        return
    with archive:
        for entry in archive.infolist()[:MAX_MEMBERS]:
            if entry.is_dir():
                continue
            name = places.name(_zip_name(entry))
            try:
                with archive.open(entry) as stream:
                    yield _write(stream, name, entry.file_size, places)
            except _FAULTS as error:
                yield _fault(name, error, encrypted=bool(entry.flag_bits & 1))


def _zip_name(entry: zipfile.ZipInfo) -> str:
    """Undo the cp437 reading of names that a Chinese or UTF-8 system wrote without saying so."""
    if entry.flag_bits & 0x800 or entry.filename.isascii():
        return entry.filename
    try:
        raw = entry.filename.encode("cp437")
    except UnicodeEncodeError:
        return entry.filename
    for charset in ("utf-8", "gb18030"):
        try:
            return raw.decode(charset)
        except UnicodeDecodeError:
            continue
    return entry.filename


_LOCAL = struct.Struct("<4s5H3L2H")
"""[APPNOTE] 4.3.7: signature, version, flags, method, time, date, crc, sizes, name and extra."""


def _salvage_zip(path: Path, places: Places) -> Iterator[Member | ArchiveFault]:
    with path.open("rb") as stream:
        while True:
            head = stream.read(_LOCAL.size)
            if len(head) < _LOCAL.size or head[:4] != b"PK\x03\x04":
                return
            fields = _LOCAL.unpack(head)
            flags, method, stored, name_size, extra_size = (
                fields[2],
                fields[3],
                fields[7],
                fields[9],
                fields[10],
            )
            entry = zipfile.ZipInfo(_local_name(stream.read(name_size), flags))
            entry.flag_bits, entry.compress_type = flags, method
            stream.read(extra_size)
            if flags & 0x8 and not stored:
                yield ArchiveFault(
                    entry.filename, "Its length stands only in the part that is cut off."
                )
                return
            data = stream.read(stored)
            if not entry.filename.endswith("/"):
                yield _salvaged(entry, data, stored, places)


def _local_name(raw: bytes, flags: int) -> str:
    entry = zipfile.ZipInfo(
        raw.decode("utf-8" if flags & 0x800 else "cp437", "replace") or "member"
    )
    entry.flag_bits = flags
    return _zip_name(entry)


def _salvaged(
    entry: zipfile.ZipInfo, data: bytes, stored: int, places: Places
) -> Member | ArchiveFault:
    name = places.name(entry.filename)
    if entry.flag_bits & 1:
        return ArchiveFault(name, "It is encrypted.")
    if len(data) < stored:
        return ArchiveFault(name, "The archive ends in the middle of it.")
    try:
        plain = zlib.decompress(data, -15) if entry.compress_type == 8 else data
    except zlib.error as error:
        return ArchiveFault(name, "It is damaged.", str(error))
    target = places.target(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    target.write_bytes(plain)
    return Member(name, target, len(plain))


def _expand_tar(path: Path, places: Places) -> Iterator[Member | ArchiveFault]:
    count = 0
    try:
        with tarfile.open(path, "r:*", errorlevel=1) as archive:
            for entry in archive:
                count += 1
                if count > MAX_MEMBERS:
                    yield ArchiveFault("", f"It holds more than {MAX_MEMBERS:,} members.")
                    return
                if entry.isdir():
                    continue
                if not entry.isreg():
                    yield ArchiveFault(entry.name, "It is a link or a device, not a file.")
                    continue
                stream = archive.extractfile(entry)
                assert stream is not None
                yield _write(stream, places.name(entry.name), entry.size, places)
    except _FAULTS as error:
        yield ArchiveFault(
            "", f"The archive is damaged or ends early after {count:,} members.", str(error)
        )


def _expand_single(path: Path, places: Places) -> Iterator[Member | ArchiveFault]:
    with path.open("rb") as raw:
        opener = _opener(raw.read(16))
    assert opener is not None
    name = path.stem if path.suffix.lower() in {".gz", ".bz2", ".xz"} else path.name
    target = places.target(name)
    target.parent.mkdir(parents=True, exist_ok=True)
    done, fault = 0, None
    temporary = target.with_name(f"{target.name}.part")
    with temporary.open("wb") as out:
        try:
            with opener(path, "rb") as stream:
                while block := stream.read(BLOCK):
                    _check_room(places.folder, len(block))
                    out.write(block)
                    done += len(block)
        except _FAULTS as error:
            fault = ArchiveFault(
                name,
                f"The compressed data ends early or is damaged after {done:,} bytes.",
                str(error),
            )
    temporary.replace(target)
    if fault is not None:
        yield fault
    if done:
        yield Member(name, target, done)


def _write(stream: IO[bytes], name: str, size: int, places: Places) -> Member:
    target = places.target(name)
    if target.is_file() and target.stat().st_size == size:
        return Member(name, target, size)
    _check_room(places.folder, size)
    target.parent.mkdir(parents=True, exist_ok=True)
    temporary = target.with_name(f"{target.name}.part")
    with temporary.open("wb") as out:
        shutil.copyfileobj(stream, out, BLOCK)
    temporary.replace(target)
    return Member(name, target, target.stat().st_size)


def _check_room(folder: Path, size: int) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    free = shutil.disk_usage(folder).free
    if free < size + RESERVE:
        raise EvidenceError(
            f"The disk has no room for a working copy: {size:,} bytes are needed, "
            f"{free:,} are free.",
            hint="Free some space, or put the case on a larger disk.",
        )


_WINDOWS_SIGNS = str.maketrans(dict.fromkeys('<>:"|?*', ";"))


class Places:
    """Gives each member a place of its own below the folder, whatever its name tries."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names: set[str] = set()
        self._taken: set[str] = set()

    def name(self, name: str) -> str:
        """Return the name, numbered when the archive holds it more than once."""
        number, unique = 1, name
        while unique in self._names:
            number += 1
            unique = f"{name}~{number}"
        self._names.add(unique)
        return unique

    def target(self, name: str) -> Path:
        """Return the path of the working copy; no two members share one."""
        number, path = 1, _target(self.folder, name)
        first = path
        while str(path).casefold() in self._taken:
            number += 1
            path = first.with_name(f"{first.name}~{number}")
        self._taken.add(str(path).casefold())
        return path


def _target(folder: Path, name: str) -> Path:
    parts = [
        part
        for part in PurePosixPath(name.replace("\\", "/")).parts
        if part not in {"/", "..", "."} and not part.endswith(":")
    ]
    safe = [_safe_part(part) for part in parts] or ["member"]
    return folder.joinpath(*safe)


def _safe_part(part: str) -> str:
    text = "".join(sign if sign.isprintable() else "_" for sign in part)
    if os.name == "nt":
        text = text.translate(_WINDOWS_SIGNS).rstrip(" .") or "_"
    if len(os.fsencode(text)) > 240:
        text = text[:60] + "~" + text[-15:]
    return text


def _fault(name: str, error: BaseException, *, encrypted: bool) -> ArchiveFault:
    if isinstance(error, OSError) and error.errno == errno.ENOSPC:
        raise EvidenceError(
            "The disk became full while a working copy was made.",
            hint="Free some space, or put the case on a larger disk.",
        ) from error
    reason = "It is encrypted." if encrypted else "It is damaged or packed in an unknown way."
    return ArchiveFault(name, reason, str(error))
