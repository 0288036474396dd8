"""The structure of a message: a flat list of parts, each with its place in the raw bytes."""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from mailforensics.mime.boundaries import divide, guess_boundary
from mailforensics.mime.headers import Headers, plain_fields, read_headers
from mailforensics.mime.parameters import Parameters, read_parameters
from mailforensics.mime.transfer import TRANSFER_ENCODINGS, decode_transfer
from mailforensics.mime.uu import find_uu

__all__ = ["MESSAGE_TYPES", "Multipart", "ParsedMessage", "Part", "parse"]

MAX_DEPTH = 50
"""How deep parts may lie in parts; deeper ones are not opened."""

MAX_PARTS = 5000
"""How many parts of a message are opened."""

MESSAGE_TYPES = frozenset({"message/rfc822", "message/global", "message/news"})
"""Media types whose parts are messages of their own."""

_TYPE = re.compile(r"[a-z0-9!#$&^_.+*'-]{1,80}/[a-z0-9!#$&^_.+*'-]{1,100}")
_LONE_CR = re.compile(rb"\r(?![\r\n])")
_BRACKETS = "<> \t"


@dataclass(slots=True, eq=False)
class Part:
    """One leaf of the structure; a message inside the message is a leaf too.

    Attributes
    ----------
    position : int
        Counts from 1 in the order of parts.
    section : str
        Its number in IMAP (RFC 3501 section 6.4.5), such as ``2.1``.
    media_type : str
        Lower case, such as ``text/plain``.
    charset : str or None
        As declared.
    encoding : str
        Transfer encoding in lower case; ``""`` when none is named.
    disposition : str
        ``attachment``, ``inline`` or ``""``.
    name : str or None
        File name, decoded.
    content_id : str or None
        Without brackets.
    start, stop : int
        Where its encoded body lies in :attr:`ParsedMessage.raw`.
    depth : int
        How many multiparts lie around it.
    within : str
        Media type of the multipart that holds it; ``""`` for the message itself.
    alternative, related : bool
        Whether it lies, at any depth, in a multipart of that kind.
    closed : bool
        Whether a boundary follows it, or it is the message itself.
    uu : bool
        Whether it is a uuencoded file inside the text of another part.
    headers : dict of str to bytes
        Lower-case names and raw values; of the part, for the root those of the message.
    defects : list of str
        Codes found in its headers.
    """

    position: int
    section: str
    media_type: str
    charset: str | None
    encoding: str
    disposition: str
    name: str | None
    content_id: str | None
    start: int
    stop: int
    depth: int
    within: str
    alternative: bool
    related: bool
    closed: bool
    headers: dict[str, bytes]
    owner: bytes = field(repr=False)
    uu: bool = False
    holes: list[tuple[int, int]] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)

    @property
    def is_message(self) -> bool:
        """Whether the part is a message of its own."""
        return self.media_type in MESSAGE_TYPES

    @property
    def is_attachment(self) -> bool:
        """Whether the part is a file rather than the text of the message."""
        return (
            self.disposition == "attachment"
            or self.name is not None
            or not self.media_type.startswith("text/")
        )

    def decode(self) -> tuple[bytes, list[str]]:
        """Return the decoded bytes and codes for what is wrong with the encoding."""
        data = self.owner[self.start : self.stop]
        return decode_transfer(data, "x-uuencode" if self.uu else self.encoding)

    @property
    def data(self) -> bytes:
        """The decoded bytes."""
        return self.decode()[0]


@dataclass(slots=True)
class Multipart:
    """One multipart: its type, boundary, place, and whether the boundary closes it."""

    media_type: str
    boundary: bytes
    start: int
    stop: int
    depth: int
    closed: bool


@dataclass(slots=True)
class ParsedMessage:
    """A message taken apart.

    Attributes
    ----------
    raw : bytes
        The bytes that offsets refer to: those given, unless lines ended in CR CR LF.
    found : list of (bytes, bytes)
        Names and values of the header fields as they stand there, in order.
    first : dict of str to bytes
        Lower-case name -> the first value.
    body : int
        Where the body begins.
    header_ended : bool
        Whether an empty line follows the headers.
    parts : list of Part
        Leaves in order; uuencoded files found in texts come last.
    multiparts : list of Multipart
        The containers, outermost first.
    defects : list of str
        Codes, each once.
    """

    raw: bytes
    found: list[tuple[bytes, bytes]]
    first: dict[str, bytes]
    body: int
    header_ended: bool
    parts: list[Part] = field(default_factory=list)
    multiparts: list[Multipart] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)

    @property
    def headers(self) -> list[tuple[str, bytes]]:
        """Names as written and raw values, outer white space removed, folds kept; in order."""
        return plain_fields(self.found)

    @property
    def closed(self) -> bool:
        """Whether the outermost multipart, if there is one, ends with its closing boundary."""
        return not self.multiparts or self.multiparts[0].closed

    @property
    def charset_hint(self) -> str | None:
        """The first character set that a part declares; helps with raw bytes in headers."""
        return next((part.charset for part in self.parts if part.charset), None)


def parse(raw: bytes | memoryview) -> ParsedMessage:
    """Take a message apart: headers, and a flat list of parts.

    Nothing in the bytes raises; what is wrong is a code in ``defects``.

    Parameters
    ----------
    raw : bytes or memoryview
        An RFC 5322 message; lines may end in LF, CRLF, CR or a mix.
    """
    data = bytes(raw)
    plain, defects = _line_ends(data)
    data = plain if len(plain) != len(data) else data
    headers = read_headers(plain, 0, len(plain), envelope=True)
    message = ParsedMessage(
        data, headers.found, headers.first, headers.body, headers.ended, defects=defects
    )
    walk = _Walk(plain, message)
    walk.entity(headers, len(plain), _Place())
    walk.add_uu()
    return message


def _line_ends(data: bytes) -> tuple[bytes, list[str]]:
    """Return bytes whose lines end in LF or CRLF, of the same length where possible."""
    line = data.find(b"\n")
    if line < 0:
        return (data.replace(b"\r", b"\n") if b"\r" in data else data), []
    head = data.find(b"\r", 0, line)
    if head < 0 or head == line - 1:
        return data, []
    if data.startswith(b"\r\r\n", head):
        return data.replace(b"\r\r\n", b"\r\n"), ["line_ends_unknown"]
    return _LONE_CR.sub(b"\n", data), []


@dataclass(slots=True)
class _Place:
    """Where in the structure an entity lies."""

    depth: int = 0
    within: str = ""
    alternative: bool = False
    related: bool = False
    closed: bool = True
    section: str = ""


class _Walk:
    """Walks the entities of one message and lists its leaves."""

    def __init__(self, plain: bytes, message: ParsedMessage) -> None:
        self.plain = plain
        self.message = message
        self.opened = 0
        self.charset: str | None = None

    def defect(self, code: str) -> None:
        if code not in self.message.defects:
            self.message.defects.append(code)

    def entity(self, headers: Headers, end: int, place: _Place) -> None:
        """Read one entity whose headers are known: open a multipart, or list a leaf."""
        for code in headers.defects:
            self.defect(code)
        value = headers.first.get("content-type")
        default = "message/rfc822" if place.within == "multipart/digest" else "text/plain"
        media_type, parameters, sound = (
            (default, {}, True) if value is None else self._parameters(value)
        )
        self.opened += 1
        if media_type.startswith("multipart/"):
            if self._multipart(headers, end, place, media_type, parameters):
                return
            media_type = "text/plain"
        elif _TYPE.fullmatch(media_type) is None:
            media_type = _sensible(media_type, default)
        self._leaf(headers, end, place, (media_type, parameters, sound))

    def _multipart(
        self,
        headers: Headers,
        end: int,
        place: _Place,
        media_type: str,
        parameters: dict[str, str],
    ) -> bool:
        """Open a multipart; False when it cannot be opened and is to be listed as it is."""
        if place.depth >= MAX_DEPTH:
            self.defect("too_deep")
            return False
        start = headers.body
        boundary = parameters.get("boundary", "").encode("utf-8", "replace").rstrip()
        if not boundary:
            self.defect("boundary_missing")
        division = divide(self.plain, start, end, boundary) if boundary else None
        if division is None or not division.pieces:
            if boundary and not (division and division.closed):
                self.defect("boundary_not_found")
            guessed = guess_boundary(self.plain, start, end)
            if guessed is None:
                return False
            boundary, division = guessed, divide(self.plain, start, end, guessed)
        if not division.closed:
            self.defect("too_many_parts" if division.full else "boundary_not_closed")
        self.message.multiparts.append(
            Multipart(media_type, boundary, start, division.stop, place.depth, division.closed)
        )
        self._pieces(division.pieces, division.closed, place, media_type)
        return True

    def _pieces(
        self, pieces: list[tuple[int, int]], closed: bool, place: _Place, media_type: str
    ) -> None:
        alternative = place.alternative or media_type == "multipart/alternative"
        related = place.related or media_type == "multipart/related"
        last = len(pieces) - 1
        for index, (start, stop) in enumerate(pieces):
            if self.opened >= MAX_PARTS:
                self.defect("too_many_parts")
                return
            headers = read_headers(self.plain, start, stop)
            inner = _Place(
                place.depth + 1,
                media_type,
                alternative,
                related,
                closed or index < last,
                f"{place.section}.{index + 1}" if place.section else str(index + 1),
            )
            self.entity(headers, stop, inner)

    def _leaf(self, headers: Headers, end: int, place: _Place, kind: Parameters) -> None:
        media_type, parameters, sound = kind
        first = headers.first
        charset = parameters.get("charset") or None
        self.charset = self.charset or charset
        disposition, name, good = self._disposition(first.get("content-disposition"))
        name = name or parameters.get("name") or parameters.get("filename") or None
        encoding = _encoding(first.get("content-transfer-encoding"))
        content_id = first.get("content-id")
        part = Part(
            len(self.message.parts) + 1,
            place.section or "1",
            media_type,
            charset,
            encoding,
            disposition,
            name,
            content_id.decode("latin-1").strip(_BRACKETS) or None if content_id else None,
            headers.body,
            end,
            place.depth,
            place.within,
            place.alternative,
            place.related,
            place.closed,
            first,
            self.message.raw,
        )
        if not (sound and good):
            part.defects.append("bad_encoded_word")
        if encoding not in TRANSFER_ENCODINGS:
            self.defect("unknown_transfer_encoding")
        self.message.parts.append(part)

    def _parameters(self, value: bytes) -> Parameters:
        """Read a value; raw bytes in it are in the character set of the text, most likely."""
        found = read_parameters(value)
        if value.isascii():
            return found
        hint = found[1].get("charset") or self.charset
        return read_parameters(value, hint) if hint else found

    def _disposition(self, value: bytes | None) -> tuple[str, str | None, bool]:
        """Return the disposition, the file name and whether the name could be decoded."""
        if value is None:
            return "", None, True
        main, parameters, sound = self._parameters(value)
        name = parameters.get("filename") or parameters.get("name")
        if main in ("inline", "attachment", ""):
            return main, name, sound
        return ("attachment" if main.isalnum() else ""), name, sound

    def add_uu(self) -> None:
        """List uuencoded files that stand in texts, after all other parts."""
        for part in list(self.message.parts):
            if part.encoding in _PLAIN and part.media_type == "text/plain":
                for found in find_uu(self.plain, part.start, part.stop):
                    self._uu_part(part, found.name, found.start, found.stop)
                    if not found.closed:
                        self.defect("truncated_end")

    def _uu_part(self, part: Part, name: str, start: int, stop: int) -> None:
        part.holes.append((start, stop))
        self.message.parts.append(
            Part(
                len(self.message.parts) + 1,
                part.section,
                "application/octet-stream",
                None,
                "x-uuencode",
                "attachment",
                name,
                None,
                start,
                stop,
                part.depth,
                part.within,
                False,
                False,
                True,
                {},
                self.message.raw,
                uu=True,
            )
        )


_PLAIN = frozenset({"", "7bit", "8bit", "binary"})


def _sensible(media_type: str, default: str) -> str:
    """Return a type for a value that names none."""
    found = _TYPE.search(media_type)
    if found is not None and found.start() == 0:
        return found.group()
    main = media_type.partition("/")[0].strip()
    if main in ("text", "html", ""):
        return "text/html" if main == "html" else default
    if main in ("application", "image", "audio", "video"):
        return "application/octet-stream"
    return default


def _encoding(value: bytes | None) -> str:
    if value is None:
        return ""
    return read_parameters(value)[0].strip("\"' ;")
