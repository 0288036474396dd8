"""What a header line, a separator line and a believable value look like.

Sections: RFC 5322 2.2 (fields), 3.6 (field definitions); RFC 4155 (From_ lines);
RFC 2046 5.1.1 (boundary).
"""

from __future__ import annotations

import re
from collections.abc import Callable

from mailforensics.carving.anchors import CORE_HEADERS, Buffer, core_bit

__all__ = [
    "BAD_LINE",
    "CONTROL",
    "HEADER_LINE",
    "believable",
    "boundary_of",
    "first_line_bit",
    "known_header_at",
    "separator_end",
]

_CONTROL_BYTES = rb"\x00-\x08\x0e-\x1a\x1c-\x1f"

HEADER_LINE = re.compile(
    rb"(?:(?:\xef\xbb\xbf)?[!-9;-~]{1,80}[ \t]*:|[ \t])[^"
    + _CONTROL_BYTES
    + rb"]*\Z|>From [^\0]*\Z"
)
"""A field (a byte order mark may stand before it), a folded line, or a quoted From_ line."""

BAD_LINE = re.compile(rb"\n(?![ \t]|[!-9;-~]{1,80}[ \t]*:|>?From )")
"""A line break that no header line follows."""

CONTROL = re.compile(rb"[\x00-\x06\x10-\x1a\x1c-\x1f\x7f]")
"""A byte that text does not hold. Escape, shift-in and shift-out (ISO-2022) are text."""

_KNOWN = re.compile(
    rb"(?:Return-Path|Received|From|To|Cc|Date|Subject|Message-ID|MIME-Version|Delivered-To"
    rb"|X-[!-9;-~]{2,40}|Reply-To|Sender|Content-Type|Delivery-Date|Envelope-To|DKIM-Signature"
    rb"|ARC-[A-Z][!-9;-~]{4,30}|Authentication-Results|Received-SPF):[ \t\r\n]",
    re.IGNORECASE,
)
_NAME = re.compile(rb"(?:\xef\xbb\xbf)?([!-9;-~]{1,80})[ \t]*:")
_VALUE = re.compile(rb"[^\n:]{1,90}:([^\n]{0,998}(?:\n[ \t][^\n]{0,998}){0,20})")

_MONTH = rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec)"
_SEPARATOR_LINE = re.compile(
    rb"From [^\r\n\0]{0,200}?" + _MONTH + rb"[^\r\n\0]{0,60}\r?\n", re.IGNORECASE
)
_CLOCK_AND_YEAR = re.compile(rb"\d\d?:\d\d")
_YEAR = re.compile(rb"(?<!\d)(?:19[789]|20\d)\d(?!\d)")

_DATE = re.compile(rb"\d{1,2}[ \t-]+" + _MONTH + rb"[a-z]*[ \t-]+\d{2,4}|" + _MONTH, re.IGNORECASE)
_HOUR = re.compile(rb"\d{1,2}[:.]\d\d")
_HOPS = re.compile(rb"(?:^|[\s(])(?:from|by|for|with|id|via)[\s]", re.IGNORECASE)
_ANGLE = re.compile(rb"<[^<>\r\n]{1,900}>|[^\s@]+@[^\s@]+")
_MAILBOX = re.compile(rb"[^\s@<>,;:%{}]@[^\s@<>,;:%{}]|=\?[^?\s]{2,40}\?[BbQq]\?[^?]{0,200}\?=")
_HEX4 = re.compile(rb"\s*[0-9A-Fa-f]{4}\s*\Z")

_BOUNDARY = re.compile(
    rb"(?:\A|\n)content-type:[ \t]*(?:\r?\n[ \t]+)*multipart/(?:[^\n]|\n(?=[ \t]))*?"
    rb'[\s;]boundary[ \t]*=[ \t]*(?:"([^"\r\n]{1,200})"|([^\s;"]{1,200}))',
    re.IGNORECASE,
)


def separator_end(buffer: Buffer, offset: int, limit: int) -> int | None:
    """Return the end of the From_ line that begins at ``offset``, None when there is none.

    The line must name a month, a time of day and a year.
    """
    found = _SEPARATOR_LINE.match(buffer, offset, min(limit, offset + 320))
    if found is None:
        return None
    line = found.group()
    return found.end() if _CLOCK_AND_YEAR.search(line) and _YEAR.search(line) else None


def known_header_at(buffer: Buffer, offset: int, limit: int) -> bool:
    """Say whether a header of well-known name begins exactly here."""
    return _KNOWN.match(buffer, offset, limit) is not None


def first_line_bit(buffer: Buffer, offset: int, limit: int) -> int:
    """Return the bit of the core header that begins here, 0 when there is none."""
    found = _NAME.match(buffer, offset, limit)
    return core_bit(found.group(1)) if found else 0


def believable(bit: int, buffer: Buffer, offset: int, limit: int) -> bool:
    """Say whether the core header at ``offset`` has a value that real mail would have."""
    found = _VALUE.match(buffer, offset, limit)
    return found is not None and _TESTS[bit](found.group(1))


def _is_date(value: bytes) -> bool:
    return bool(_DATE.search(value[:200]) and _HOUR.search(value[:200]))


def _is_hop(value: bytes) -> bool:
    return bool(_HOPS.search(value) and (b";" in value or _HOUR.search(value)))


def _is_mailbox(value: bytes) -> bool:
    return _MAILBOX.search(value) is not None


def _is_path(value: bytes) -> bool:
    return b"<>" in value or _MAILBOX.search(value) is not None


def _is_identifier(value: bytes) -> bool:
    return _ANGLE.search(value) is not None


_TESTS: dict[int, Callable[[bytes], bool]] = {
    CORE_HEADERS[b"received"]: _is_hop,
    CORE_HEADERS[b"return-path"]: _is_path,
    CORE_HEADERS[b"message-id"]: _is_identifier,
    CORE_HEADERS[b"date"]: _is_date,
    CORE_HEADERS[b"from"]: _is_mailbox,
    CORE_HEADERS[b"to"]: _is_mailbox,
    CORE_HEADERS[b"subject"]: lambda value: bool(value.strip()),
    CORE_HEADERS[b"mime-version"]: lambda value: b"1.0" in value,
    CORE_HEADERS[b"delivered-to"]: _is_mailbox,
    CORE_HEADERS[b"x-mozilla-status"]: lambda value: _HEX4.match(value) is not None,
}


def boundary_of(header: bytes) -> bytes | None:
    """Return the boundary that a multipart header block names, None for other blocks."""
    if b"oundary" not in header and b"OUNDARY" not in header:
        return None
    found = _BOUNDARY.search(header)
    return (found.group(1) or found.group(2)).rstrip() if found else None
