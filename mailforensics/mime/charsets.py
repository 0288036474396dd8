"""Character sets: bytes and the name that stands beside them -> text that a person can read.

The names in mail are wrong in known ways. What says gb2312 holds GBK; what says iso-8859-1 holds
windows-1252; what says us-ascii holds anything. The wider set is used where the narrower one is
named, and a code of :data:`mailforensics.schema.DEFECTS` says when the name did not hold.
"""

from __future__ import annotations

import codecs
import re
from functools import lru_cache
from types import MappingProxyType

import cchardet

from mailforensics.mime.japanese import decode_jis

__all__ = ["canonical", "decode_text", "guess"]

_ALIASES = MappingProxyType(
    {
        "gb2312": "gb18030",
        "gb_2312-80": "gb18030",
        "gb2312-80": "gb18030",
        "csgb2312": "gb18030",
        "euc-cn": "gb18030",
        "euccn": "gb18030",
        "gbk": "gb18030",
        "x-gbk": "gb18030",
        "cp936": "gb18030",
        "ms936": "gb18030",
        "windows-936": "gb18030",
        "gb": "gb18030",
        "chinese": "gb18030",
        "hz-gb-2312": "hz",
        "big5": "cp950",
        "big-5": "cp950",
        "csbig5": "cp950",
        "cn-big5": "cp950",
        "x-x-big5": "cp950",
        "big5-hkscs": "big5hkscs",
        "ks_c_5601-1987": "cp949",
        "ks_c_5601": "cp949",
        "ksc5601": "cp949",
        "ks_c_5601-1989": "cp949",
        "euc-kr": "cp949",
        "euckr": "cp949",
        "korean": "cp949",
        "windows-949": "cp949",
        "shift_jis": "cp932",
        "shift-jis": "cp932",
        "sjis": "cp932",
        "x-sjis": "cp932",
        "ms_kanji": "cp932",
        "windows-31j": "cp932",
        "x-euc-jp": "euc_jp",
        "iso-2022-jp-ms": "iso2022_jp",
        "cp50220": "iso2022_jp",
        "cp50221": "iso2022_jp",
        "iso-8859-1": "cp1252",
        "iso8859-1": "cp1252",
        "iso_8859-1": "cp1252",
        "latin1": "cp1252",
        "latin-1": "cp1252",
        "windows-1252": "cp1252",
        "ansi": "cp1252",
        "iso-8859-9": "cp1254",
        "iso-8859-8-i": "iso8859-8",
        "iso-8859-8-e": "iso8859-8",
        "iso-8859-6-i": "iso8859-6",
        "utf8": "utf-8",
        "utf-8": "utf-8",
        "unicode-1-1-utf-8": "utf-8",
        "utf8mb4": "utf-8",
        "cp65001": "utf-8",
        "65001": "utf-8",
        "unicode-1-1-utf-7": "utf-7",
        "us-ascii": "ascii",
        "ascii": "ascii",
        "7bit": "ascii",
        "tis-620": "cp874",
        "windows-874": "cp874",
        "macintosh": "mac_roman",
        "x-mac-roman": "mac_roman",
    }
)
_UNNAMED = frozenset(
    {"unknown-8bit", "x-unknown", "unknown", "default", "default_charset", "x-user-defined", "8bit",
     "none", "auto", "undefined", "_autodetect", "x-default", "charset", "_iso-2022-jp$esc"}
)  # fmt: skip
_FORBIDDEN = frozenset(
    {"idna", "punycode", "unicode-escape", "unicode_escape", "raw-unicode-escape",
     "raw_unicode_escape", "undefined", "mbcs", "oem", "unicode_internal"}
)  # fmt: skip
_WIDER = MappingProxyType(
    {
        "cp950": ("big5hkscs",),
        "cp932": ("shift_jis_2004",),
        "euc_jp": ("euc_jis_2004",),
        "cp949": ("johab",),
        "hz": ("gb18030",),
        "ascii": (),
    }
)
_NAME = re.compile(r"[a-z0-9][a-z0-9_.:()+-]{0,39}")
_ESCAPES = re.compile(rb"\x1b(?:\$[@BA]|\$\([CD]|\([IJ]|\$\)[CA])")
_GB_PAIRS = re.compile(rb"(?:[\x00-\x7f]|[\xb0-\xf7][\xa1-\xfe]|[\xa1-\xa9][\xa1-\xfe])*")
_SAMPLE = 16384
_ENOUGH = 12
_ODD = re.compile(r"[\uff61-\uff9f\x80-\x9f\ue000-\uf8ff]")
_WIDE = re.compile(r"[\u0800-\ufffc]")
_C1 = re.compile(r"[\x80-\x9f]")
_SURE = 0.6


@lru_cache(maxsize=1024)
def canonical(name: str) -> str | None:
    """Return the name of the codec that is to be used for a character set named in mail.

    Parameters
    ----------
    name : str
        As written: any case, quoted or with spaces around it.

    Returns
    -------
    str or None
        The widest codec of that family, such as ``gb18030`` for gb2312; None when the name means
        nothing or says that the writer did not know either.
    """
    found = _NAME.search(name.strip("\"' \t").lower())
    if found is None:
        return None
    plain = found.group().rstrip(".:(+-")
    for candidate in (plain, plain.replace("_", "-"), plain.removeprefix("x-")):
        if candidate in _UNNAMED:
            return None
        if candidate in _ALIASES:
            return _ALIASES[candidate]
    return _known_codec(plain) or _known_codec(plain.removeprefix("x-"))


def _known_codec(name: str) -> str | None:
    """Look a codec up, leaving out those that are no character sets or take quadratic time."""
    if name in _FORBIDDEN:
        return None
    try:
        found = codecs.lookup(name)
    except (LookupError, ValueError):
        return None
    is_text = getattr(found, "_is_text_encoding", False)
    if not is_text or found.name in _FORBIDDEN:
        return None
    return _ALIASES.get(found.name, found.name)


def decode_text(data: bytes, declared: str | None) -> tuple[str, str, list[str]]:
    """Decode text with the named character set, or with the one that fits.

    Parameters
    ----------
    data : bytes
        The text, transfer encoding undone.
    declared : str or None
        The character set as the message names it.

    Returns
    -------
    text : str
        Readable text; what fits no character set shows as U+FFFD.
    used : str
        Codec that was used, such as ``gb18030``.
    defects : list of str
        Codes: ``charset_unknown``, ``charset_mismatch``, ``charset_guessed``,
        ``undecodable_text``.
    """
    codec = canonical(declared) if declared else None
    if data.isascii() and codec in _ASCII_SAFE and not _is_shifted(data, codec):
        return data.decode("ascii"), codec or "ascii", _unknown(declared, codec)
    if codec == "utf-8":
        try:
            text = _without_bom(data.decode("utf-8"))
        except UnicodeDecodeError:
            pass
        else:  # another program may have lost signs before
            return text, codec, ["undecodable_text"] if "\ufffd" in text else []
    if codec is None or codec == "ascii":
        return _undeclared(data, declared, codec)
    return _declared(data, codec)


_ASCII_SAFE = frozenset(
    {None, "utf-8", "cp1252", "gb18030", "cp950", "big5hkscs", "cp949", "ascii", "euc_jp", "cp1251",
     "cp1250", "cp1254", "koi8-r", "iso8859-2", "iso8859-15"}
)  # fmt: skip


def _is_shifted(data: bytes, codec: str | None) -> bool:
    """Say whether text without a useful name is ISO-2022, which needs no byte above 127."""
    return codec in (None, "ascii") and b"\x1b" in data and _ESCAPES.search(data) is not None


def _unknown(declared: str | None, codec: str | None) -> list[str]:
    unknown = declared and codec is None and declared.strip("\"' \t").lower() not in _UNNAMED
    return ["charset_unknown"] if unknown else []


def _without_bom(text: str) -> str:
    return text[1:] if text.startswith("\ufeff") else text


def _undeclared(data: bytes, declared: str | None, codec: str | None) -> tuple[str, str, list[str]]:
    """Decode what names no character set, or one that cannot be right."""
    if codec == "ascii":
        defect = "charset_mismatch" if declared else "charset_guessed"
    elif declared and _unknown(declared, codec):
        defect = "charset_unknown"
    else:
        defect = "charset_guessed"
    used = guess(data)
    text, clean = _decode(data, used)
    return text, used, [defect] if clean else [defect, "undecodable_text"]


def _declared(data: bytes, codec: str) -> tuple[str, str, list[str]]:
    """Decode with the named set; where the bytes do not fit, with one that fits."""
    if codec not in _ESCAPED and _is_wide_utf8(data):
        return _without_bom(data.decode("utf-8")), "utf-8", ["charset_mismatch"]
    for candidate in (codec, *_WIDER.get(codec, ())):
        text, clean = _decode(data, candidate)
        if clean:
            return text, candidate, []
    return _best_of(data, codec)


def _best_of(data: bytes, codec: str) -> tuple[str, str, list[str]]:
    """Choose where no candidate fits every byte: the named set unless another loses far less."""
    text, _ = _decode(data, codec)
    shifted = codec in _ESCAPED and not data.isascii()
    if not shifted and _few_losses(text) and not _is_nearly_utf8(data):
        return text, codec, ["undecodable_text"]
    others = ("utf-8", "euc_jp", "cp932") if codec == "iso2022_jp" else (guess(data),)
    used, loss = codec, _losses(text)
    for candidate in others:
        tried, _ = _decode(data, candidate)
        if _losses(tried) < loss:
            text, used, loss = tried, candidate, _losses(tried)
    defects = [] if used == codec else ["charset_mismatch"]
    return text, used, [*defects, "undecodable_text"] if "\ufffd" in text else defects


def _losses(text: str) -> int:
    """Weigh what nobody can read: replacement signs, lone kana bytes, control signs."""
    return 2 * text.count("\ufffd") + len(_ODD.findall(text))


def _is_nearly_utf8(data: bytes) -> bool:
    """Say whether bytes are UTF-8 with a little damage."""
    text = data[:_SAMPLE].decode("utf-8", "replace")
    foreign = len(_WIDE.findall(text))
    return foreign >= 8 and text.count("\ufffd") * 10 <= foreign


_ESCAPED = frozenset({"utf-8", "utf-7", "hz", "iso2022_jp", "iso2022_kr", "utf-16", "utf-32"})


def _decode(data: bytes, codec: str) -> tuple[str, bool]:
    """Return the text, and whether every byte had a meaning."""
    if codec == "iso2022_jp":
        return decode_jis(data)
    try:
        return _tidy(data.decode(codec)), True
    except (UnicodeError, ValueError):
        pass
    if codec == "cp1252":  # five bytes of windows-1252 have no meaning; iso-8859-1 has one
        return data.decode("latin-1"), True
    return _tidy(data.decode(codec, "replace")), False


def _tidy(text: str) -> str:
    """Replace lone surrogates, which utf-7 and utf-16 can bring."""
    if text.isascii():
        return text
    return _without_bom(text).encode("utf-8", "replace").decode("utf-8")


def _few_losses(text: str) -> bool:
    return text.count("\ufffd") <= max(1, len(text) // 100)


def _is_wide_utf8(data: bytes) -> bool:
    """Say whether bytes are UTF-8 beyond chance: valid, and with at least two signs."""
    try:
        text = data.decode("utf-8")
    except UnicodeDecodeError:
        return False
    foreign = [sign for sign in text[:_SAMPLE] if sign > "\x7f"]
    wide = sum(1 for sign in foreign if sign > "\u07ff")
    return wide >= 2 or (len(foreign) >= 2 and not _C1.search(text))


def guess(data: bytes) -> str:
    """Choose a codec by the bytes alone: UTF-8, escape sequences, statistics, then patterns."""
    sample = data[:_SAMPLE]
    if b"\x1b" in sample and _ESCAPES.search(sample):
        return "iso2022_kr" if b"\x1b$)C" in sample else "iso2022_jp"
    try:
        data.decode("utf-8")
    except UnicodeDecodeError:
        return _guess_8bit(sample)
    return "ascii" if data.isascii() else "utf-8"


def _guess_8bit(sample: bytes) -> str:
    if _is_nearly_utf8(sample):
        return "utf-8"
    high = len(sample.translate(None, _ASCII))
    if high >= _ENOUGH:
        found = cchardet.detect(sample)
        codec = canonical(found["encoding"] or "")
        if codec and codec not in ("ascii", "utf-8") and (found["confidence"] or 0) >= _SURE:
            return codec
    if high > 1 and _GB_PAIRS.fullmatch(sample):
        return "gb18030"
    return "cp1252"


_ASCII = bytes(range(128))
