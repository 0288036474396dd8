"""Transfer encodings (RFC 2045 section 6): encoded bytes -> the bytes that were sent."""

from __future__ import annotations

import binascii
import re
from functools import partial

try:
    import pybase64
except ImportError:  # no wheel for this machine: the same result, at a fifteenth of the speed
    _decode = partial(binascii.a2b_base64, strict_mode=True)
else:
    _decode = partial(pybase64.b64decode, validate=True)

__all__ = ["TRANSFER_ENCODINGS", "decode_base64", "decode_transfer", "decode_uu"]

_SPACE = b" \t\r\n\x0b\x0c"
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_OTHERS = bytes(set(range(256)) - set(_ALPHABET) - set(b"="))
_PADDING = re.compile(rb"=+")
_SOFT_CR = re.compile(rb"=\r(?!\n)")
_IDENTITY = frozenset({"", "7bit", "8bit", "binary", "7-bit", "8-bit", "7 bit", "8 bit", "none"})
_BASE64 = frozenset({"base64", "base-64"})
_PRINTABLE = frozenset({"quoted-printable", "quoted_printable", "quotedprintable"})
_UU = frozenset({"x-uuencode", "uuencode", "x-uue", "uue"})
TRANSFER_ENCODINGS = _IDENTITY | _BASE64 | _PRINTABLE | _UU


def decode_transfer(data: bytes, encoding: str) -> tuple[bytes, list[str]]:
    """Undo a transfer encoding.

    Parameters
    ----------
    data : bytes
        As it stands in the message.
    encoding : str
        The value of Content-Transfer-Encoding in lower case, ``""`` when there is none.

    Returns
    -------
    data : bytes
        Decoded bytes; those of an unknown encoding stay as they are.
    defects : list of str
        ``base64_garbage``, ``base64_truncated``, ``unknown_transfer_encoding``.
    """
    if encoding in _IDENTITY:
        return data, []
    if encoding in _BASE64:
        return decode_base64(data)
    if encoding in _PRINTABLE:
        if data.count(b"=\r") != data.count(b"=\r\n"):  # lines that end in CR alone
            data = _SOFT_CR.sub(b"=\n", data)
        return binascii.a2b_qp(data), []
    if encoding in _UU:
        start = data.find(b"begin ")
        return decode_uu(data[start:] if start >= 0 else data), []
    return data, ["unknown_transfer_encoding"]


def decode_base64(data: bytes) -> tuple[bytes, list[str]]:
    """Decode base64; what does not belong is left out and said, never taken for an end."""
    joined = data.replace(b"\n", b"")
    if b"\r" in joined:
        joined = joined.replace(b"\r", b"")
    try:
        return _decode(joined), []
    except (binascii.Error, ValueError):
        return _tidied(data.translate(None, _SPACE))


def _tidied(compact: bytes) -> tuple[bytes, list[str]]:
    try:
        return binascii.a2b_base64(compact, strict_mode=True), []
    except binascii.Error:
        return _repaired(compact)


def _repaired(compact: bytes) -> tuple[bytes, list[str]]:
    """Decode base64 with foreign signs, padding inside, or a missing end."""
    clean = compact.translate(None, _OTHERS)
    defects = ["base64_garbage"] if len(clean) != len(compact) else []
    groups = [group for group in _PADDING.split(clean) if group]
    pieces = [_group(group) for group in groups]
    last_bare = bool(groups) and not clean.endswith(b"=")
    if last_bare and len(groups[-1]) % 4:
        defects.append("base64_truncated")
    return b"".join(pieces), defects


def _group(group: bytes) -> bytes:
    spare = len(group) % 4
    if spare == 1:  # six bits are no byte
        group, spare = group[:-1], 0
    return binascii.a2b_base64(group + b"=" * (-spare % 4))


def decode_uu(data: bytes) -> bytes:
    """Decode uuencoded lines; ``begin`` and ``end`` lines may stand around them."""
    out = bytearray()
    for line in data.splitlines():
        if line.startswith(b"begin ") and not out:
            continue
        if line.strip() == b"end":
            break
        out += _uu_line(line)
    return bytes(out)


def _uu_line(line: bytes) -> bytes:
    if not line.strip():
        return b""
    try:
        return binascii.a2b_uu(line)
    except binascii.Error:
        pass
    length = (line[0] - 32) & 63
    signs = (length * 4 + 2) // 3
    padded = line[: 1 + signs]
    try:  # encoders that pad wrongly, and lines cut short
        return binascii.a2b_uu(padded)
    except binascii.Error:
        return b""
