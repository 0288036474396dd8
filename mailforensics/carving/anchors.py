"""The words by which a mail header gives itself away, found in one pass."""

from __future__ import annotations

import mmap
from typing import TypeAlias

import ahocorasick_rs

__all__ = ["CORE_HEADERS", "IDENTITY", "SEPARATOR", "TRACE", "Buffer", "Hit", "core_bit", "scan"]

Buffer: TypeAlias = bytes | mmap.mmap
"""Bytes that can be searched in place."""

Hit: TypeAlias = tuple[int, int]
"""The bit of a header (:data:`SEPARATOR` for a From_ line) and the offset of its first byte."""

SEPARATOR = 0
"""Stands in a hit for the ``From `` that begins an mbox separator line."""

_NAMES = (
    b"Received",
    b"Return-Path",
    b"Message-ID",
    b"Date",
    b"From",
    b"To",
    b"Subject",
    b"MIME-Version",
    b"Delivered-To",
    b"X-Mozilla-Status",
)

CORE_HEADERS = {name.lower(): 1 << place for place, name in enumerate(_NAMES)}
"""Lower-case header name -> its bit."""

IDENTITY = sum(CORE_HEADERS[name] for name in (b"received", b"message-id", b"date", b"from"))
"""Headers of which real mail has at least one with a value that makes sense."""

TRACE = sum(CORE_HEADERS[name] for name in (b"received", b"return-path", b"message-id"))
"""Headers that a mail system adds; a forwarding person rarely copies them."""


def _spellings(name: bytes) -> set[bytes]:
    return {name, name.lower(), name.upper(), name.title()}


def _patterns() -> tuple[list[bytes], list[int]]:
    patterns, bits = [b"\nFrom "], [SEPARATOR]
    for name in _NAMES:
        for spelling in sorted(_spellings(name)):
            patterns.append(b"\n" + spelling + b":")
            bits.append(CORE_HEADERS[name.lower()])
    return patterns, bits


_PATTERNS, _BITS = _patterns()
_LONGEST = max(map(len, _PATTERNS))
_AUTOMATON = ahocorasick_rs.BytesAhoCorasick(
    _PATTERNS, matchkind=ahocorasick_rs.MatchKind.LeftmostFirst
)


def scan(buffer: Buffer, low: int, high: int, limit: int) -> list[Hit]:
    """Return every anchor whose line break lies in ``[low, high)``.

    Parameters
    ----------
    buffer : bytes or mmap
        What to search.
    low, high : int
        Where the line break in front of the word may stand.
    limit : int
        No byte from here on is looked at.
    """
    with memoryview(buffer) as view, view[low : min(high + _LONGEST, limit)] as window:
        found = _AUTOMATON.find_matches_as_indexes(window)
    span = high - low
    return [(_BITS[which], low + start + 1) for which, start, _ in found if start < span]


def core_bit(name: bytes) -> int:
    """Return the bit of a header name in any case, 0 when it is none of the core headers."""
    return CORE_HEADERS.get(name.lower(), 0)
