"""Unpacking messages and logs that a server stores compressed, never beyond a limit."""

from __future__ import annotations

import bz2
import io
import lzma
import zlib
from typing import NamedTuple

import pyarrow as pa

__all__ = ["LIMIT", "Unpacked", "unpack"]

LIMIT = 512 << 20
"""A single message or log is never unpacked beyond this many bytes."""


class Unpacked(NamedTuple):
    """Unpacked bytes.

    Attributes
    ----------
    method
        ``gzip``, ``bzip2``, ``xz``, ``zstd``; None when the bytes were not packed.
    whole
        False when the packed bytes are damaged or cut off, or the limit was reached.
    """

    data: bytes
    method: str | None
    whole: bool


def _gzip(data: bytes, limit: int) -> tuple[bytes, bool]:
    """Unpack all members of a gzip stream, RFC 1952."""
    out = bytearray()
    while data[:2] == b"\x1f\x8b":
        member = zlib.decompressobj(wbits=31)
        try:
            out += member.decompress(data, max(limit - len(out), 1))
        except zlib.error:
            return bytes(out) + _salvage(data, limit - len(out)), False
        if not member.eof:
            return bytes(out), False
        data = member.unused_data
    return bytes(out), not data.strip(b"\0")


def _salvage(data: bytes, limit: int) -> bytes:
    """Return what can be unpacked before the damage."""
    member = zlib.decompressobj(wbits=31)
    out = bytearray()
    for start in range(0, len(data), 256):
        try:
            out += member.decompress(data[start : start + 256], max(limit - len(out), 1))
        except zlib.error:
            break
    return bytes(out)


def _stream(
    member: bz2.BZ2Decompressor | lzma.LZMADecompressor, data: bytes, limit: int
) -> tuple[bytes, bool]:
    try:
        out = member.decompress(data, limit)
    except (OSError, EOFError, lzma.LZMAError):
        return b"", False
    return out, member.eof


def _zstd(data: bytes, limit: int) -> tuple[bytes, bool]:
    out = bytearray()
    try:
        with pa.CompressedInputStream(pa.BufferReader(data), "zstd") as stream:
            while len(out) < limit and (
                chunk := stream.read(min(limit, io.DEFAULT_BUFFER_SIZE * 32))
            ):
                out += chunk
    except (OSError, pa.ArrowException):
        return bytes(out), False
    return bytes(out[:limit]), len(out) < limit


def unpack(data: bytes, *, limit: int = LIMIT) -> Unpacked:
    """Unpack bytes if they are packed; other bytes come back as they are."""
    if data[:3] == b"\x1f\x8b\x08":
        return Unpacked(*_named("gzip", _gzip(data, limit)))
    if data[:3] == b"BZh" and data[4:10] == b"1AY&SY":
        return Unpacked(*_named("bzip2", _stream(bz2.BZ2Decompressor(), data, limit)))
    if data[:6] == b"\xfd7zXZ\0":
        return Unpacked(*_named("xz", _stream(lzma.LZMADecompressor(), data, limit)))
    if data[:4] == b"\x28\xb5\x2f\xfd":
        return Unpacked(*_named("zstd", _zstd(data, limit)))
    return Unpacked(data, None, True)


def _named(method: str, result: tuple[bytes, bool]) -> tuple[bytes, str, bool]:
    return result[0], method, result[1]
