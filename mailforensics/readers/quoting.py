"""Undoing the ``>`` that mbox writers put before lines that begin with ``From``.

It is undone only where something proves which bytes were there before: a Content-Length that fits
the unquoted body only, or the body hash of a DKIM signature (RFC 6376 section 3.7). Where the hash
fits the bytes as stored, the ``>`` is the writer's own, and nothing is in doubt.
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import re
from enum import Enum
from typing import NamedTuple

__all__ = ["Quoting", "Unquoted", "unquote"]

_QUOTED = re.compile(rb"^>(>*From )", re.M)
_END = re.compile(rb"\n\r?\n")
_LENGTH = re.compile(rb"^Content-Length:[ \t]*(\d{1,10})[ \t]*\r?$", re.M | re.I)
_SIGNATURE = re.compile(rb"^DKIM-Signature:((?:[^\n]*\n)(?:[ \t][^\n]*\n)*)", re.M | re.I)
_SIGNATURES_TRIED = 8


class Quoting(Enum):
    """What became of quoted lines."""

    NONE = "none"
    AMBIGUOUS = "from_quoting_ambiguous"
    UNDONE = "from_quoting_undone"


class Unquoted(NamedTuple):
    """A message, with the quoting undone where that is proven, and how it went."""

    message: bytes
    quoting: Quoting


def _canonical(body: bytes, *, relaxed: bool) -> bytes:
    """Bring a body into the form that DKIM hashes, RFC 6376 sections 3.4.3 and 3.4.4."""
    text = body.replace(b"\r\n", b"\n")
    if relaxed:
        text = re.sub(rb"[ \t]+", b" ", text)
        text = text.replace(b" \n", b"\n").removesuffix(b" ")
    text = text.rstrip(b"\n")
    if not text:
        return b"" if relaxed else b"\r\n"
    return text.replace(b"\n", b"\r\n") + b"\r\n"


def _tags(signature: bytes) -> dict[str, str]:
    pairs = (part.partition(b"=") for part in b"".join(signature.split()).split(b";"))
    return {name.decode("latin-1"): value.decode("latin-1") for name, _, value in pairs}


def _fits(tags: dict[str, str], body: bytes) -> bool:
    """Say whether the body hash of a signature is that of a body."""
    algorithm = "sha1" if tags.get("a", "").endswith("sha1") else "sha256"
    relaxed = tags.get("c", "").partition("/")[2] == "relaxed"
    try:
        named = base64.b64decode(tags.get("bh", ""), validate=True)
    except (binascii.Error, ValueError):
        return False
    hashed = _canonical(body, relaxed=relaxed)
    if tags.get("l", "").isdecimal():
        hashed = hashed[: int(tags["l"])]
    return hashlib.new(algorithm, hashed, usedforsecurity=False).digest() == named


def _judge(header: bytes, body: bytes, plain: bytes) -> Quoting:
    """Decide whether the body as stored or the plain one is the writer's."""
    for signature in _SIGNATURE.findall(header)[:_SIGNATURES_TRIED]:
        tags = _tags(signature)
        if _fits(tags, plain):
            return Quoting.UNDONE
        if _fits(tags, body):
            return Quoting.NONE
    length = _LENGTH.search(header)
    proven = length is not None and int(length.group(1)) == len(plain) != len(body)
    return Quoting.UNDONE if proven else Quoting.AMBIGUOUS


def unquote(message: bytes) -> Unquoted:
    """Return a message with From-quoting undone where that is proven.

    A message without lines like ``>From`` comes back as it is, at the cost of one search.
    """
    if b">From " not in message:
        return Unquoted(message, Quoting.NONE)
    end = _END.search(message)
    if end is None:
        return Unquoted(message, Quoting.NONE)
    header, body = message[: end.end()], message[end.end() :]
    plain, count = _QUOTED.subn(rb"\1", body)
    if count == 0:
        return Unquoted(message, Quoting.NONE)
    quoting = _judge(header, body, plain)
    return Unquoted(header + plain if quoting is Quoting.UNDONE else message, quoting)
