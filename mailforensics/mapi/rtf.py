"""RTF bodies: unpacking ([MS-OXRTFCP]), HTML inside RTF ([MS-OXRTFEX]), and their bare text.

The reader goes through the tokens once, keeps no tree, and never fails: what it does not know it
passes over.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, replace
from types import MappingProxyType

from mailforensics.mapi.codepages import codec_of
from mailforensics.mapi.lzfu import unpack

__all__ = ["decompress", "html_of", "is_html", "is_plain", "text_of"]

LARGEST = 32 << 20
"""Packed RTF above this size is not unpacked."""

_HEAD = 4096
_TOKEN = re.compile(
    rb"\\([a-zA-Z]{1,32})(-?[0-9]{1,10})? ?"  # control word
    rb"|\\'([0-9a-fA-F]{2})"  # one byte
    rb"|\\(.)"  # control symbol
    rb"|([{}])"
    rb"|[\r\n]+"
    rb"|([^\\{}\r\n]+)",
    re.DOTALL,
)
_SKIPPED = frozenset(
    b"colortbl stylesheet info pict object header footer headerl headerr headerf footerl footerr "
    b"footerf ftncn ftnsep ftnsepc filetbl revtbl listtable listoverridetable rsidtbl xmlnstbl "
    b"themedata colorschememapping datastore latentstyles generator nonshppict fldinst".split()
)
_CHARSETS = MappingProxyType(
    {77: 10000, 128: 932, 129: 949, 130: 1361, 134: 936, 136: 950, 161: 1253, 162: 1254}
    | {163: 1258, 177: 1255, 178: 1256, 186: 1257, 204: 1251, 222: 874, 238: 1250, 254: 437}
    | {255: 850}
)
_WESTERN = "western"
"""Stands for font character set 0."""

_SIGNS = MappingProxyType(
    {
        b"par": ("\r\n", "\r\n"),
        b"line": ("\r\n", "\r\n"),
        b"sect": ("\r\n", "\r\n"),
        b"page": ("\r\n", "\r\n"),
        b"row": ("\r\n", "\r\n"),
        b"tab": ("\t", "\t"),
        b"cell": ("\t", "\t"),
        b"lquote": ("\u2018", "&lsquo;"),
        b"rquote": ("\u2019", "&rsquo;"),
        b"ldblquote": ("\u201c", "&ldquo;"),
        b"rdblquote": ("\u201d", "&rdquo;"),
        b"bullet": ("\u2022", "&bull;"),
        b"endash": ("\u2013", "&ndash;"),
        b"emdash": ("\u2014", "&mdash;"),
        b"~": ("\u00a0", "&nbsp;"),
        b"_": ("\u2011", "&shy;"),
        b"-": ("", ""),
    }
)
"""Control word or symbol -> what it stands for in text and in HTML."""


def decompress(packed: bytes) -> bytes | None:
    """Unpack PidTagRtfCompressed; None when it is damaged or larger than is sensible."""
    return None if len(packed) > LARGEST else unpack(packed)


def is_html(rtf: bytes) -> bool:
    """Whether the RTF only wraps HTML."""
    return b"\\fromhtml" in rtf[:_HEAD]


def is_plain(rtf: bytes) -> bool:
    """Whether the RTF only wraps plain text."""
    return b"\\fromtext" in rtf[:_HEAD]


def html_of(rtf: bytes) -> str | None:
    """Return the HTML that the RTF wraps, None when it wraps none."""
    if not is_html(rtf):
        return None
    found = _Reader(rtf, html=True).run()
    return found if found.strip() else None


def text_of(rtf: bytes) -> str:
    """Return the bare text of RTF."""
    return _Reader(rtf, html=False).run()


@dataclass(frozen=True, slots=True)
class _State:
    """What a group inherits and a closing brace gives back."""

    skipped: bool = False
    tag: bool = False
    hidden: bool = False
    fonts: bool = False
    fallback: int = 1
    codec: str | None = None


class _Reader:
    def __init__(self, data: bytes, *, html: bool) -> None:
        self.data = data
        self.html = html
        self.state = _State()
        self.stack: list[_State] = []
        self.codec = "cp1252"
        self.fonts: dict[int, str] = {}
        self.font = 0
        self.starred = False
        self.to_skip = 0
        self.pending = bytearray()
        self.parts: list[str] = []

    def run(self) -> str:
        """Go through the tokens once."""
        position, size = 0, len(self.data)
        while position < size:
            token = _TOKEN.match(self.data, position)
            if token is None:
                position += 1
                continue
            position = token.end()
            word, number, byte, symbol, brace, text = token.groups()
            if text is not None:
                self._bytes(text)
            elif byte is not None:
                self._bytes(bytes([int(byte, 16)]))
            elif brace is not None:
                self._brace(brace)
            elif symbol is not None:
                self._symbol(symbol)
            elif word == b"bin" and number:
                position += max(0, int(number))
            elif word is not None:
                self._word(word, int(number) if number else None)
        self._flush()
        joined = "".join(self.parts)
        return joined.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")

    @property
    def _silent(self) -> bool:
        state = self.state
        return state.skipped or state.fonts or (self.html and state.hidden and not state.tag)

    def _flush(self) -> None:
        if self.pending:
            self.parts.append(self._decoded(bytes(self.pending)))
            self.pending.clear()

    def _decoded(self, data: bytes) -> str:
        if self.state.codec == _WESTERN:
            # Writers mean the document's code page as often as they mean Latin.
            try:
                return data.decode(self.codec)
            except UnicodeDecodeError:
                return data.decode("cp1252", "replace")
        return data.decode(self.state.codec or self.codec, "replace")

    def _emit(self, text: str) -> None:
        self._flush()
        if not self._silent:
            self.parts.append(text)

    def _bytes(self, data: bytes) -> None:
        self.starred = False
        if self.to_skip:
            dropped = min(self.to_skip, len(data))
            self.to_skip -= dropped
            data = data[dropped:]
        if not self._silent:
            self.pending += data.replace(b"\0", b"")

    def _brace(self, brace: bytes) -> None:
        self._flush()
        self.to_skip, self.starred = 0, False
        if brace == b"{":
            self.stack.append(self.state)
        elif self.stack:
            self.state = self.stack.pop()

    def _symbol(self, symbol: bytes) -> None:
        if symbol == b"*":
            self.starred = True
        elif symbol in b"\\{}":
            self._bytes(symbol)
        elif symbol in b"\r\n":
            self._emit("\r\n")
        elif symbol in _SIGNS:
            self._emit(_SIGNS[symbol][self.html])

    def _word(self, word: bytes, number: int | None) -> None:
        starred, self.starred = self.starred, False
        self._flush()
        if starred:
            self._destination(word)
        elif word in _SKIPPED:
            self.state = replace(self.state, skipped=True)
        elif word in _SIGNS:
            self._sign(word)
        elif word == b"u" and number is not None:
            self._unicode(number)
        else:
            self._setting(word, number)

    def _destination(self, word: bytes) -> None:
        tag = self.html and word == b"htmltag"
        self.state = replace(self.state, tag=tag, skipped=self.state.skipped or not tag)

    def _sign(self, word: bytes) -> None:
        if self.to_skip:
            self.to_skip -= 1
        else:
            self._emit(_SIGNS[word][self.html])

    def _unicode(self, number: int) -> None:
        if -32768 <= number <= 65535:
            self._emit(chr(number & 0xFFFF))
        self.to_skip = self.state.fallback

    def _setting(self, word: bytes, number: int | None) -> None:
        if word == b"htmlrtf":
            self.state = replace(self.state, hidden=number != 0)
        elif word == b"uc" and number is not None:
            self.state = replace(self.state, fallback=min(max(number, 0), 16))
        elif word == b"ansicpg":
            self.codec = codec_of(number) or self.codec
        elif word == b"fonttbl":
            self.state = replace(self.state, fonts=True)
        elif word == b"f" and number is not None:
            self.font = number
            if not self.state.fonts:
                self.state = replace(self.state, codec=self.fonts.get(number))
        elif word == b"fcharset" and self.state.fonts:
            page = _CHARSETS.get(-1 if number is None else number)
            self.fonts[self.font] = _WESTERN if number == 0 else codec_of(page) or self.codec
        elif word in {b"plain", b"pard"} and not self.state.fonts:
            self.state = replace(self.state, codec=None if word == b"plain" else self.state.codec)
