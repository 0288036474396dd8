"""MIME entities as bytes: transfer encodings, parameters, multiparts.

The same content gives the same bytes: a boundary is a digest of what it bounds. Everything is
seven-bit and every line ends CRLF.
"""

from __future__ import annotations

import binascii
import hashlib
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

__all__ = ["Entity", "binary_part", "embed", "is_clean", "multipart", "parameter", "text_part"]

LONGEST_LINE: Final = 998
_SAFE_PARAMETER = re.compile(r"[ !#-\[\]-~]{1,60}")
_ASCII = bytes(range(128))
_UNRESERVED = frozenset(
    b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789!#$&+-.^_`|~"
)


@dataclass(frozen=True, slots=True)
class Entity:
    """A MIME entity: its own header fields (each without the last CRLF) and its encoded body."""

    headers: tuple[bytes, ...]
    body: bytes

    def serialise(self, before: Sequence[bytes] = ()) -> bytes:
        """Return the bytes, with further header fields put before its own."""
        return b"\r\n".join([*before, *self.headers, b"", self.body])


def is_clean(data: bytes) -> bool:
    """Whether data may stand in a message as it is, 8-bit aside: CRLF, short lines, no NUL."""
    if b"\0" in data:
        return False
    lines = data.split(b"\r\n")
    return not any(len(line) > LONGEST_LINE or b"\r" in line or b"\n" in line for line in lines)


def text_part(data: bytes, subtype: str, charset: str) -> Entity:
    """Wrap text, whose bytes come out again exactly."""
    kind = f'Content-Type: text/{subtype}; charset="{charset}"'.encode()
    if data.isascii() and is_clean(data):
        return _coded((kind,), "7bit", data)
    foreign = len(data.translate(None, _ASCII))
    if foreign * 6 <= len(data):
        return _coded((kind,), "quoted-printable", _quoted_printable(data))
    return _coded((kind,), "base64", _base64(data))


def binary_part(headers: Sequence[bytes], data: bytes) -> Entity:
    """Wrap bytes of any kind."""
    return _coded(tuple(headers), "base64", _base64(data))


def embed(headers: Sequence[bytes], data: bytes) -> Entity:
    """Wrap a message that may stand as it is (:func:`is_clean`)."""
    return _coded(tuple(headers), "7bit" if data.isascii() else "8bit", data)


def multipart(subtype: str, children: Sequence[Entity]) -> Entity:
    """Put parts side by side."""
    payloads = [child.serialise() for child in children]
    digest = hashlib.sha256(subtype.encode())
    for payload in payloads:
        digest.update(hashlib.sha256(payload).digest())
    boundary = f"=_mf_{digest.hexdigest()[:40]}".encode()
    body = b"".join(b"--%b\r\n%b\r\n" % (boundary, payload) for payload in payloads)
    kind = b'Content-Type: multipart/%b;\r\n boundary="%b"' % (subtype.encode(), boundary)
    eight_bit = any(not payload.isascii() for payload in payloads)
    headers = (kind, b"Content-Transfer-Encoding: 8bit") if eight_bit else (kind,)
    return Entity(headers, body + b"--%b--\r\n" % boundary)


def parameter(name: str, value: str) -> bytes:
    """Return ``; name=value`` folded: quoted where ASCII allows, else by RFC 2231."""
    if _SAFE_PARAMETER.fullmatch(value) and "=?" not in value and value == value.strip():
        return f';\r\n {name}="{value}"'.encode()
    runs = _percent_runs(value)
    if len(runs) == 1:
        return f";\r\n {name}*=utf-8''{runs[0]}".encode()
    lines = [
        f";\r\n {name}*{number}*={'' if number else chr(39).join(['utf-8', '', ''])}{run}"
        for number, run in enumerate(runs)
    ]
    return "".join(lines).encode()


def _percent_runs(value: str) -> list[str]:
    """Encode per RFC 2231 in runs that split no character, so that each decodes on its own."""
    runs = [""]
    for sign in value:
        data = sign.encode("utf-8", "replace")
        coded = "".join(chr(byte) if byte in _UNRESERVED else f"%{byte:02X}" for byte in data)
        if len(runs[-1]) + len(coded) > 56:
            runs.append("")
        runs[-1] += coded
    return runs


def _coded(headers: tuple[bytes, ...], encoding: str, body: bytes) -> Entity:
    return Entity((*headers, b"Content-Transfer-Encoding: " + encoding.encode()), body)


def _base64(data: bytes) -> bytes:
    coded = binascii.b2a_base64(data, newline=False)
    return b"\r\n".join(coded[start : start + 76] for start in range(0, len(coded), 76))


def _quoted_printable(data: bytes) -> bytes:
    lines = [
        binascii.b2a_qp(line, quotetabs=False, istext=False, header=False)
        for line in data.split(b"\r\n")
    ]
    return b"\r\n".join(line.replace(b"\n", b"\r\n") for line in lines)
