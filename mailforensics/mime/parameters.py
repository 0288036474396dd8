"""Structured values with parameters (RFC 2045 section 5.1, RFC 2231): Content-Type and its kin."""

from __future__ import annotations

import re
from functools import lru_cache
from urllib.parse import unquote_to_bytes

from mailforensics.mime.charsets import decode_text
from mailforensics.mime.words import decode_header, unfold

__all__ = ["Parameters", "read_parameters"]

Parameters = tuple[str, dict[str, str], bool]

_LONGEST = 65536
_PARAMETER = re.compile(
    rb';\s*+([^\s=;"]++)\s*+=\s*+("(?:[^"\\\x80-\xff]++|[\x80-\xff]\\?+|\\.)*+"|[^;]*+)', re.DOTALL
)
# In Big5, GBK and Shift_JIS the second byte of a sign may be a backslash.
_QUOTED_PAIR = re.compile(rb'(?<![\x80-\xff])\\(["\\])')
_COMMENT = re.compile(rb"\([^()]*+\)")
_SECTION = re.compile(r"([^*]+)\*(?:(\d{1,3})(\*)?)?")


@lru_cache(maxsize=4096)
def read_parameters(value: bytes, hint: str | None = None) -> Parameters:
    """Read a value such as ``text/plain; charset="gb2312"``.

    Parameters
    ----------
    value : bytes
        As it stands in the message.
    hint : str, optional
        A character set that the message names elsewhere, for names in raw bytes.

    Returns
    -------
    main : str
        What stands before the first semicolon, in lower case.
    parameters : dict of str to str
        Lower-case names -> decoded values; continuations joined.
    sound : bool
        Whether each value could be decoded. The dict is shared: never change it.
    """
    flat = unfold(value[:_LONGEST])
    head, mark, _ = flat.partition(b";")
    main = head.strip().lower().decode("latin-1")
    if b"(" in head:
        main = _COMMENT.sub(b"", head).strip().lower().decode("latin-1")
    if not mark:
        return main, {}, True
    pairs: dict[str, bytes] = {}
    for name, text in _PARAMETER.findall(flat, len(head)):
        pairs.setdefault(name.lower().decode("latin-1"), _unquote(text))
    return main, *_decode(pairs, hint)


def _unquote(text: bytes) -> bytes:
    text = text.strip()
    if text[:1] != b'"':
        return text
    inner = text[1:-1] if len(text) > 1 and text.endswith(b'"') else text[1:]
    return _QUOTED_PAIR.sub(rb"\1", inner) if b"\\" in inner else inner


def _decode(pairs: dict[str, bytes], hint: str | None) -> tuple[dict[str, str], bool]:
    sound = True
    out: dict[str, str] = {}
    sections: dict[str, dict[int, tuple[bytes, bool]]] = {}
    for name, value in pairs.items():
        if "*" not in name:
            text, defects = decode_header(value, hint)
            out[name] = text
            sound = sound and not defects
            continue
        found = _SECTION.fullmatch(name)
        if found is None:
            continue
        number = int(found.group(2) or 0)
        coded = found.group(2) is None or found.group(3) is not None
        sections.setdefault(found.group(1), {})[number] = (value, coded)
    for name, pieces in sections.items():
        out[name], good = _join(pieces, hint)
        sound = sound and good
    return out, sound


def _join(pieces: dict[int, tuple[bytes, bool]], hint: str | None) -> tuple[str, bool]:
    """Join the sections of one parameter (RFC 2231 sections 3 and 4), then decode them."""
    charset = ""
    data: list[bytes] = []
    coded_any = False
    for number in sorted(pieces):
        value, coded = pieces[number]
        coded_any = coded_any or coded
        if coded and number == min(pieces) and value.count(b"'") >= 2:
            name, _, rest = value.partition(b"'")
            charset, value = name.decode("latin-1"), rest.partition(b"'")[2]
        data.append(unquote_to_bytes(value) if coded else value)
    joined = b"".join(data)
    if not coded_any or (not charset and b"=?" in joined):
        text, defects = decode_header(joined, hint)
        return text, not defects
    text, _, defects = decode_text(joined, charset or hint)
    return text, not defects
