"""The bodies of a MAPI message: plain text, HTML and RTF, each as a MIME part.

Text that the store keeps as characters becomes UTF-8; HTML kept as bytes stays as it is under the
character set that its code page names. RTF is looked at only where there is no HTML: what only
wraps HTML or text is taken out of it, genuine RTF stands beside the plain text.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass, field

from mailforensics import mime
from mailforensics.mapi import rtf
from mailforensics.mapi.codepages import charset_of, codec_of
from mailforensics.mapi.entity import Entity, binary_part, text_part
from mailforensics.mapi.message import MapiMessage
from mailforensics.mapi.properties import PropertyType, Tag

__all__ = ["Bodies", "read_bodies"]

_META_CHARSET = re.compile(rb"charset\s{0,8}=\s{0,8}[\"']?\s{0,8}([A-Za-z0-9_:.+-]{2,40})", re.I)
_META_WITHIN = 4096


@dataclass(slots=True)
class Bodies:
    """What was found.

    Attributes
    ----------
    plain, html
        The texts, decoded; None when there is none.
    html_source
        The HTML as it stands in its part, to look for references to inline images.
    parts
        A MIME part for each body, the plainest first.
    charset_declared, charset_used
        The character set that the store names, and the one that decoded the richest text.
    defects
        Codes of :data:`mailforensics.schema.DEFECTS`.
    """

    plain: str | None = None
    html: str | None = None
    html_source: bytes = b""
    parts: list[Entity] = field(default_factory=list)
    charset_declared: str | None = None
    charset_used: str | None = None
    defects: list[str] = field(default_factory=list)


def read_bodies(message: MapiMessage) -> Bodies:
    """Read the bodies of a message."""
    bag = message.properties
    page = bag.integer(Tag.INTERNET_CODEPAGE) or bag.text_code_page()
    found = Bodies(charset_declared=charset_of(page))
    if {Tag.BODY, Tag.HTML} & set(bag.unreadable):
        found.defects.append("body_unreadable")
    _plain(message, found)
    _html(message, found)
    if found.html is None:
        _rtf(message, found)
    return found


def _plain(message: MapiMessage, found: Bodies) -> None:
    bag = message.properties
    tag = Tag.BODY if Tag.BODY in bag else Tag.REPORT_TEXT
    entry = bag.values.get(tag)
    if entry is None or not entry.data:
        return
    found.plain = bag.text(tag)
    wide = entry.kind == PropertyType.STRING
    found.charset_used = "utf-16-le" if wide else codec_of(bag.text_code_page())
    if found.plain:
        _note_replacements(found.plain, found)
        found.parts.append(text_part(found.plain.encode("utf-8", "replace"), "plain", "utf-8"))


def _note_replacements(text: str, found: Bodies) -> None:
    if "\ufffd" in text:
        found.defects.append("undecodable_text")


def _html(message: MapiMessage, found: Bodies) -> None:
    bag = message.properties
    entry = bag.values.get(Tag.HTML)
    if entry is None or not entry.data.strip(b"\0"):
        return
    if entry.kind == PropertyType.BINARY:
        _html_bytes(entry.data, bag.integer(Tag.INTERNET_CODEPAGE), found)
    elif text := bag.text(Tag.HTML):
        _add_html(text, "utf-16-le", found)


def _add_html(text: str, used: str | None, found: Bodies) -> None:
    found.html, found.charset_used = text, used
    found.html_source = text.encode("utf-8", "replace")
    _note_replacements(text, found)
    found.parts.append(text_part(found.html_source, "html", "utf-8"))


def _html_bytes(data: bytes, page: int | None, found: Bodies) -> None:
    """Keep HTML bytes under a character set by which any reader decodes them strictly."""
    named = charset_of(page)
    for charset in filter(None, (named, _meta_charset(data))):
        text = _strict(data, charset)
        if text is not None:
            found.html, found.html_source, found.charset_used = text, data, charset
            found.parts.append(text_part(data, "html", charset))
            return
    codec = codec_of(page)
    text = _strict(data, codec) if codec else None
    if text is None:
        text, codec, defects = mime.decode_text(data, named)
        found.defects += [code for code in defects if code not in found.defects]
    _add_html(text, codec, found)


def _meta_charset(data: bytes) -> str | None:
    match = _META_CHARSET.search(data[:_META_WITHIN])
    if not match:
        return None
    name = match[1].decode("ascii").lower()
    return "gb18030" if name in {"gb2312", "gbk", "x-gbk"} else name


def _strict(data: bytes, charset: str) -> str | None:
    try:
        info = codecs.lookup(charset)
        return data.decode(info.name) if info._is_text_encoding else None
    except (LookupError, UnicodeError):
        return None


def _rtf(message: MapiMessage, found: Bodies) -> None:
    packed = message.properties.binary(Tag.RTF_COMPRESSED)
    if not packed:
        if Tag.RTF_COMPRESSED in message.properties.unreadable:
            found.defects.append("rtf_undecodable" if found.plain else "body_unreadable")
        return
    data = rtf.decompress(packed)
    if data is None:
        found.defects.append("rtf_undecodable")
        return
    html = rtf.html_of(data)
    if html is not None:
        _add_html(html, "rtf", found)
        return
    if rtf.is_html(data):
        found.defects.append("rtf_undecodable")
    text = rtf.text_of(data)
    if found.plain is None and text.strip():
        found.plain, found.charset_used = text, "rtf"
        _note_replacements(text, found)
        found.parts.append(text_part(text.encode("utf-8", "replace"), "plain", "utf-8"))
    if not rtf.is_plain(data) and (text.strip() or b"\\pict" in data or b"\\object" in data):
        found.parts.append(binary_part([b"Content-Type: text/rtf"], data))
