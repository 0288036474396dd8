"""Header fields (RFC 5322 section 2.2): where they end, what they are called, what they hold."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

__all__ = ["KNOWN_NAMES", "Headers", "known_fields", "plain_fields", "read_headers"]

MAX_HEADER_BYTES = 4 << 20
"""Bytes of one header section that are looked at."""

MAX_FIELDS = 10_000
"""Fields of one header section that are kept."""

KNOWN_NAMES = frozenset(
    b"from to cc bcc date subject received message-id mime-version return-path content-type "
    b"content-transfer-encoding content-disposition content-id content-description reply-to "
    b"sender in-reply-to references delivered-to envelope-to dkim-signature delivery-date "
    b"authentication-results received-spf resent-from resent-to resent-date resent-message-id "
    b"list-id list-unsubscribe list-post list-help list-archive list-subscribe precedence "
    b"errors-to importance priority status thread-topic thread-index organization user-agent "
    b"x-mailer x-priority x-originating-ip x-mozilla-status x-mozilla-status2 x-uidl x-status "
    b"arc-seal arc-message-signature arc-authentication-results auto-submitted newsgroups path "
    b"lines xref sensitivity disposition-notification-to content-language content-length "
    b"domainkey-signature mailing-list x-spam-status x-gmail-labels x-gm-thrid apparently-to "
    b"x-received x-envelope-from x-sender keywords comments".split()
)
"""Field names, in lower case, by which a header section is known."""

_ONCE = frozenset(
    {"from", "sender", "reply-to", "to", "cc", "bcc", "message-id", "in-reply-to", "references",
     "subject", "date", "content-type", "content-transfer-encoding", "content-disposition",
     "mime-version", "content-id"}
)  # fmt: skip
_FIELD = re.compile(rb"^([!-9;-~]++[ \t]*+):([^\n]*+(?:\n[ \t][^\n]*+)*+)", re.MULTILINE)
_BARE_CR = re.compile(rb"\r(?!\n|\Z)")
_CR_FIELD = re.compile(rb"(?<!\r)\r++(?=[!-9;-~]++:|[ \t])")
_NAMES: dict[bytes, str] = {}


@dataclass(slots=True)
class Headers:
    """The header section of a message or part.

    Attributes
    ----------
    found : list of (bytes, bytes)
        Names and values as they stand there, in order.
    first : dict of str to bytes
        Lower-case name -> the value that stands first.
    stop : int
        Where the section ends and the empty line begins.
    body : int
        Where the body begins.
    ended : bool
        Whether an empty line ends the section.
    defects : list of str
        ``bad_header_line``, ``duplicate_header``.
    """

    found: list[tuple[bytes, bytes]] = field(default_factory=list)
    first: dict[str, bytes] = field(default_factory=dict)
    stop: int = 0
    body: int = 0
    ended: bool = True
    defects: list[str] = field(default_factory=list)

    @property
    def fields(self) -> list[tuple[str, bytes]]:
        """Names as written and values, outer white space removed, folds kept; in order."""
        return plain_fields(self.found)


def plain_fields(found: list[tuple[bytes, bytes]]) -> list[tuple[str, bytes]]:
    """Return names as text and values without the white space around them."""
    return [(name.rstrip().decode("ascii", "replace"), value.strip()) for name, value in found]


def read_headers(raw: bytes, start: int, end: int, *, envelope: bool = False) -> Headers:
    """Read the header section in ``raw[start:end]``.

    Parameters
    ----------
    raw : bytes
        The message; lines end in LF or CRLF.
    start, end : int
        Where the message or part begins and ends.
    envelope : bool
        Whether a byte order mark, empty lines and a ``From `` line may stand before it.
    """
    if envelope:
        start = _skip_envelope(raw, start, end)
    headers = Headers()
    _find_end(raw, start, end, headers)
    block = raw[start : min(headers.stop, start + MAX_HEADER_BYTES)]
    found = _FIELD.findall(block)
    size = sum([len(name) + len(value) for name, value in found]) + 2 * len(found)
    if size < len(block) or (b"\r" in block and _BARE_CR.search(block)):
        found = _careful(block, start, end, headers)
    if not found and block.strip():  # text without headers and without an empty line
        headers.stop = headers.body = start
    _fill(headers, found)
    return headers


def _skip_envelope(raw: bytes, start: int, end: int) -> int:
    """Step over what stores put before the first header."""
    if raw.startswith(b"\xef\xbb\xbf", start):
        start += 3
    while raw[start : start + 1] in (b"\r", b"\n") and start < end:
        start += 1
    if raw.startswith((b"From ", b">From "), start):
        line = raw.find(b"\n", start, end)
        start = end if line < 0 else line + 1
    return start


def _find_end(raw: bytes, start: int, end: int, headers: Headers) -> None:
    """Find the empty line; the kind of line end seen first is looked for first."""
    if raw.startswith(b"\n", start) or raw.startswith(b"\r\n", start):
        headers.stop = start
        headers.body = min(start + (1 if raw[start] == 10 else 2), end)
        return
    line = raw.find(b"\n", start, end)
    crlf = line > start and raw[line - 1] == 13
    first, second = (b"\n\r\n", b"\n\n") if crlf else (b"\n\n", b"\n\r\n")
    found = raw.find(first, start, end)
    size = len(first)
    other = raw.find(second, start, found if found >= 0 else end)
    if other >= 0:
        found, size = other, len(second)
    if found < 0:
        headers.stop = headers.body = end
        headers.ended = False
        return
    headers.stop = found + 1
    headers.body = found + size


def _careful(block: bytes, start: int, end: int, headers: Headers) -> list[tuple[bytes, bytes]]:
    """Read a section that holds lines of another kind; a body that begins too early ends it."""
    if _BARE_CR.search(block):
        block = _CR_FIELD.sub(lambda run: b"\n" * len(run.group()), block)
    matches = list(_FIELD.finditer(block))
    known = [one for one in matches if _is_known(one.group(1))]
    last = known[-1].end() + 1 if known else 0
    kept = [one for one in matches if one.start() < last] if known else list(matches)
    covered = sum(one.end() + 1 - one.start() for one in kept)
    if known and covered < min(last, len(block)):
        headers.defects.append("bad_header_line")
    rest = block[last:] if known else b""
    if known and rest.strip():
        kept = _with_followers(kept, matches, last)
        last = kept[-1].end() + 1
        if block[last:].strip():
            _end_at(headers, min(start + last, end))
    elif not known and covered < len(block):
        headers.defects.append("bad_header_line")
    return [(one.group(1), one.group(2)) for one in kept]


def _with_followers(
    kept: list[re.Match[bytes]], matches: list[re.Match[bytes]], last: int
) -> list[re.Match[bytes]]:
    """Add fields of unknown names that follow the last known one without a gap."""
    for one in matches[len(kept) :]:
        if one.start() != last:
            break
        kept.append(one)
        last = one.end() + 1
    return kept


def _end_at(headers: Headers, position: int) -> None:
    """Let the body begin where the lines are no header lines any more."""
    headers.defects.append("bad_header_line")
    headers.stop = headers.body = position
    headers.ended = True


def known_fields(head: bytes) -> set[str]:
    """Name the well-known fields with which a text begins.

    Parameters
    ----------
    head : bytes
        The first bytes of a file, perhaps cut off in the middle.

    Returns
    -------
    set of str
        Lower-case names of :data:`KNOWN_NAMES` up to the first empty line; empty when the first
        line is no header line or when the bytes are no text.
    """
    plain = head if b"\n" in head.strip() else head.replace(b"\r", b"\n")
    start = _skip_envelope(plain, 0, len(plain))
    if _FIELD.match(plain, start) is None:
        return set()
    headers = read_headers(plain, start, len(plain))
    if b"\0" in plain[: headers.stop]:
        return set()
    return {name for name in headers.first if name.encode() in KNOWN_NAMES}


def _is_known(name: bytes) -> bool:
    lower = name.rstrip().lower()
    return lower in KNOWN_NAMES or lower.startswith((b"x-", b"content-", b"resent-", b"list-"))


def _lower(name: bytes) -> str:
    """Return a name in lower case; those met before come from memory."""
    if len(_NAMES) > 4096:
        _NAMES.clear()
    lower = _NAMES[name] = name.rstrip().decode("ascii", "replace").lower()
    return lower


def _fill(headers: Headers, found: list[tuple[bytes, bytes]]) -> None:
    first = headers.first
    known = _NAMES.get
    headers.found = found if len(found) <= MAX_FIELDS else found[:MAX_FIELDS]
    for name, value in headers.found:
        lower = known(name) or _lower(name)
        if lower not in first:
            first[lower] = value.strip()
        elif lower in _ONCE and "duplicate_header" not in headers.defects:
            headers.defects.append("duplicate_header")
