"""Windows code pages and locales -> Python codecs and MIME charset names.

gb2312 and gbk (936, 20936, 54936, 52936's plain part) all decode as gb18030, their superset.
"""

from __future__ import annotations

import codecs
from functools import lru_cache
from types import MappingProxyType

__all__ = ["CODE_PAGES", "LOCALE_CODE_PAGES", "charset_of", "codec_of", "locale_code_page"]

CODE_PAGES = MappingProxyType(
    {
        # code page: (Python codec, MIME charset)
        437: ("cp437", "ibm437"),
        708: ("iso8859-6", "iso-8859-6"),
        720: ("cp720", "cp720"),
        737: ("cp737", "cp737"),
        775: ("cp775", "cp775"),
        850: ("cp850", "cp850"),
        852: ("cp852", "cp852"),
        855: ("cp855", "cp855"),
        857: ("cp857", "cp857"),
        858: ("cp858", "cp858"),
        862: ("cp862", "cp862"),
        866: ("cp866", "cp866"),
        874: ("cp874", "windows-874"),
        932: ("cp932", "shift_jis"),
        936: ("gb18030", "gb18030"),
        949: ("cp949", "ks_c_5601-1987"),
        950: ("cp950", "big5"),
        1200: ("utf-16-le", "utf-16le"),
        1201: ("utf-16-be", "utf-16be"),
        1250: ("cp1250", "windows-1250"),
        1251: ("cp1251", "windows-1251"),
        1252: ("cp1252", "windows-1252"),
        1253: ("cp1253", "windows-1253"),
        1254: ("cp1254", "windows-1254"),
        1255: ("cp1255", "windows-1255"),
        1256: ("cp1256", "windows-1256"),
        1257: ("cp1257", "windows-1257"),
        1258: ("cp1258", "windows-1258"),
        1361: ("johab", "johab"),
        10000: ("mac-roman", "macintosh"),
        20127: ("ascii", "us-ascii"),
        20866: ("koi8-r", "koi8-r"),
        20932: ("euc-jp", "euc-jp"),
        20936: ("gb18030", "gb18030"),
        21866: ("koi8-u", "koi8-u"),
        28591: ("iso8859-1", "iso-8859-1"),
        28592: ("iso8859-2", "iso-8859-2"),
        28593: ("iso8859-3", "iso-8859-3"),
        28594: ("iso8859-4", "iso-8859-4"),
        28595: ("iso8859-5", "iso-8859-5"),
        28596: ("iso8859-6", "iso-8859-6"),
        28597: ("iso8859-7", "iso-8859-7"),
        28598: ("iso8859-8", "iso-8859-8"),
        28599: ("iso8859-9", "iso-8859-9"),
        28603: ("iso8859-13", "iso-8859-13"),
        28605: ("iso8859-15", "iso-8859-15"),
        38598: ("iso8859-8", "iso-8859-8-i"),
        50220: ("iso2022_jp", "iso-2022-jp"),
        50221: ("iso2022_jp_ext", "iso-2022-jp"),
        50222: ("iso2022_jp_ext", "iso-2022-jp"),
        50225: ("iso2022_kr", "iso-2022-kr"),
        51932: ("euc-jp", "euc-jp"),
        51936: ("gb18030", "gb18030"),
        51949: ("euc-kr", "euc-kr"),
        52936: ("hz", "hz-gb-2312"),
        54936: ("gb18030", "gb18030"),
        65000: ("utf-7", "utf-7"),
        65001: ("utf-8", "utf-8"),
    }
)
"""Code page identifier -> Python codec, MIME charset name."""

LOCALE_CODE_PAGES = MappingProxyType(
    {
        # primary language of a locale identifier ([MS-LCID]): ANSI code page
        0x01: 1256,
        0x02: 1251,
        0x05: 1250,
        0x08: 1253,
        0x0D: 1255,
        0x0E: 1250,
        0x11: 932,
        0x12: 949,
        0x15: 1250,
        0x18: 1250,
        0x19: 1251,
        0x1A: 1250,
        0x1B: 1250,
        0x1E: 874,
        0x1F: 1254,
        0x20: 1256,
        0x22: 1251,
        0x23: 1251,
        0x24: 1250,
        0x25: 1257,
        0x26: 1257,
        0x27: 1257,
        0x29: 1256,
        0x2A: 1258,
        0x2F: 1251,
    }
)
"""Primary language of a locale -> its ANSI code page, where that is not 1252."""

_SIMPLIFIED = frozenset({0x0804, 0x1004, 0x0004})


def locale_code_page(locale: int | None) -> int | None:
    """Return the ANSI code page of a locale identifier, None when it says nothing."""
    if not locale or locale in {0x400, 0x800}:
        return None
    if locale & 0x3FF == 0x04:
        return 936 if locale in _SIMPLIFIED else 950
    return LOCALE_CODE_PAGES.get(locale & 0x3FF, 1252)


@lru_cache(maxsize=256)
def codec_of(code_page: int | None) -> str | None:
    """Return the Python codec of a code page, None when it is unknown or this Python lacks it."""
    entry = CODE_PAGES.get(code_page or 0)
    if entry is None:
        return None
    try:
        codecs.lookup(entry[0])
    except LookupError:
        return None
    return entry[0]


def charset_of(code_page: int | None) -> str | None:
    """Return the MIME charset name of a code page, None when it is unknown."""
    entry = CODE_PAGES.get(code_page or 0)
    return entry[1] if entry else None
