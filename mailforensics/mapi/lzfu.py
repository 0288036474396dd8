"""Unpacking compressed RTF, [MS-OXRTFCP]: runs of bytes, and references into the last 4096.

A group is a control byte and eight tokens, each a byte or a reference of two. The form of a group
follows from its control byte alone, so a table of forms reads a group in one step.
"""

from __future__ import annotations

import itertools
import struct
import zlib
from typing import Final

__all__ = ["unpack"]

_COMPRESSED: Final = b"LZFu"
_PLAIN: Final = b"MELA"
_HEAD: Final = struct.Struct("<II4sI")
_PRELOAD: Final = (
    rb"{\rtf1\ansi\mac\deff0\deftab720{\fonttbl;}{\f0\fnil \froman \fswiss \fmodern \fscript "
    rb"\fdecor MS Sans SerifSymbolArialTimes New RomanCourier{\colortbl\red0\green0\blue0"
    b"\r\n"
    rb"\par \pard\plain\f0\fs20\b\i\u\tab\tx"
)
"""What the dictionary begins with, 2.1.3.1.2."""

_WINDOW: Final = 4096
_BEFORE: Final = b" " * (_WINDOW - len(_PRELOAD)) + _PRELOAD
_SHIFT: Final = len(_PRELOAD)


def _form(control: int) -> struct.Struct:
    """Return how the tokens behind a control byte lie, the lowest bit first."""
    bits = (control >> place & 1 for place in range(8))
    runs = ((bit, len(list(run))) for bit, run in itertools.groupby(bits))
    return struct.Struct(">" + "".join(f"{size}H" if bit else f"{size}s" for bit, size in runs))


_FORMS: Final = tuple(_form(control) for control in range(256))
_SIZES: Final = tuple(form.size for form in _FORMS)
_READS: Final = tuple(form.unpack_from for form in _FORMS)


def unpack(packed: bytes) -> bytes | None:
    """Unpack PidTagRtfCompressed.

    Parameters
    ----------
    packed : bytes
        Header and contents.

    Returns
    -------
    bytes or None
        None when the header or the checksum is wrong, or a reference is cut.
    """
    if len(packed) < _HEAD.size:
        return None
    size, raw_size, kind, checksum = _HEAD.unpack_from(packed)
    contents = packed[_HEAD.size : max(4 + size, _HEAD.size)]
    if kind == _PLAIN:
        return contents[:raw_size] if checksum == 0 else None
    if kind != _COMPRESSED or zlib.crc32(contents, 0xFFFFFFFF) ^ 0xFFFFFFFF != checksum:
        return None
    return _expand(contents)


def _expand(data: bytes) -> bytes | None:
    """Expand whole groups at once, then what is left token by token."""
    out = bytearray(_BEFORE)
    filled, at, last = len(out), 0, len(data) - 17
    while at <= last:
        control = data[at]
        for token in _READS[control](data, at + 1):
            if token.__class__ is bytes:
                out += token
                filled += len(token)
                continue
            back = (filled + _SHIFT - (token >> 4)) & 4095
            if not back:
                return bytes(out[_WINDOW:])
            length = (token & 15) + 2
            start = filled - back
            if back >= length:
                out += out[start : start + length]
            else:
                out += (out[start:] * (length // back + 1))[:length]
            filled += length
        at += 1 + _SIZES[control]
    return _rest(data[at:], out)


def _rest(data: bytes, out: bytearray) -> bytes | None:
    at = 0
    while at < len(data):
        control = data[at]
        at += 1
        for place in range(8):
            if not control >> place & 1:
                out += data[at : at + 1]
                at += 1
            elif at >= len(data):
                break
            elif at + 1 == len(data):
                return None
            else:
                token = data[at] << 8 | data[at + 1]
                at += 2
                back = (len(out) + _SHIFT - (token >> 4)) & 4095
                if not back:
                    return bytes(out[_WINDOW:])
                for _ in range((token & 15) + 2):
                    out.append(out[-back])
    return bytes(out[_WINDOW:])
