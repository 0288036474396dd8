"""Encoded words (RFC 2047) and raw bytes in header values -> text."""

from __future__ import annotations

import binascii
import re
from functools import lru_cache

from mailforensics.mime.charsets import canonical, decode_text
from mailforensics.mime.transfer import decode_base64

__all__ = ["decode_header", "decode_words", "header_text", "unfold"]

MAX_VALUE = 1_000_000
"""Signs of one header value that are decoded; what follows shows as it is, undecoded."""

_FOLD = re.compile(rb"\r?\n[ \t]*|\r[ \t]+")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]+")
_BASE64_REST = re.compile(r"[A-Za-z0-9+/\s]+=*\s*\Z")

_Word = tuple[str, str, str]


def unfold(value: bytes) -> bytes:
    """Join the lines of a folded value (RFC 5322 section 2.2.3) with one space each."""
    if b"\n" in value or b"\r" in value:
        return _FOLD.sub(b" ", value).strip()
    return value.strip()


def header_text(value: bytes, hint: str | None = None) -> tuple[str, list[str]]:
    """Turn the bytes of a value into text, encoded words left as they are.

    Parameters
    ----------
    value : bytes
        As it stands in the message.
    hint : str, optional
        A character set that the message names elsewhere, tried after UTF-8.

    Returns
    -------
    text : str
        Unfolded text.
    defects : list of str
        ``raw_8bit_header``, and ``undecodable_text`` where no set fits.
    """
    flat = unfold(value) if b"\n" in value or b"\r" in value else value.strip()
    if flat.isascii() and not (b"\x1b" in flat or (hint and _is_shifted(flat, hint))):
        return flat.decode("ascii"), []
    text, losses = _repair(flat, hint)
    if "\ufffd" in text:
        losses = ["undecodable_text"]
    return text, ["raw_8bit_header", *losses]


def _is_shifted(flat: bytes, hint: str | None) -> bool:
    """Say whether ASCII bytes are ISO-2022 or HZ text (RFC 1468, RFC 1843)."""
    if b"\x1b" in flat:
        return True
    return b"~{" in flat and hint is not None and canonical(hint) == "hz"


def _repair(flat: bytes, hint: str | None) -> tuple[str, list[str]]:
    """Decode raw 8-bit bytes: UTF-8, then the set named elsewhere, then by the bytes."""
    codec = canonical(hint) if hint else None
    if not flat.isascii():
        try:
            return flat.decode("utf-8"), []
        except UnicodeDecodeError:
            pass
    if codec not in (None, "ascii", "utf-8", "utf-7"):
        text, _, losses = decode_text(flat, codec)
        if not losses:
            return text, []
    text, _, losses = decode_text(flat, None)
    return text, [code for code in losses if code == "undecodable_text"]


def decode_header(raw: bytes, hint: str | None = None) -> tuple[str, list[str]]:
    """Decode a header value: folds, encoded words, raw 8-bit bytes.

    Parameters
    ----------
    raw : bytes
        The value as it stands in the message.
    hint : str, optional
        A character set that the message names elsewhere.

    Returns
    -------
    text : str
        Readable text.
    defects : list of str
        ``raw_8bit_header``, ``bad_encoded_word``, ``charset_unknown``, ``charset_mismatch``,
        ``undecodable_text``.
    """
    text, defects = header_text(raw, hint)
    if "=?" not in text:
        return text, defects
    decoded, more = decode_words(text)
    return decoded, defects + [code for code in more if code not in defects]


def decode_words(text: str) -> tuple[str, list[str]]:
    """Decode the encoded words of a text; anything else stays.

    Neighbours of one character set are joined before decoding, since writers split characters
    across words; white space between words is dropped (RFC 2047 section 6.2).
    """
    out: list[str] = []
    run: list[_Word] = []
    defects: list[str] = []
    for literal, word in _scan(text[:MAX_VALUE]):
        if literal and not (run and word is not None and literal.isspace()):
            _flush(run, out, defects)
            out.append(literal)
        if word is not None:
            run.append(word)
    _flush(run, out, defects)
    decoded = "".join(out) + text[MAX_VALUE:]
    return (decoded if decoded.isprintable() else _CONTROLS.sub(" ", decoded).strip()), defects


def _scan(text: str) -> list[tuple[str, _Word | None]]:
    """Cut a text into pairs of a literal and the encoded word after it, in one pass."""
    found: list[tuple[str, _Word | None]] = []
    done = position = 0
    while (start := text.find("=?", position)) >= 0:
        word, stop = _word_at(text, start)
        if word is None:
            position = start + 2
            if stop < 0:
                break
            continue
        found.append((text[done:start], word))
        done = position = stop
    found.append((text[done:], None))
    return found


def _word_at(text: str, start: int) -> tuple[_Word | None, int]:
    """Read the word at ``=?``; the second value is where it ends, -1 when no word can follow."""
    first = text.find("?", start + 2, start + 66)
    if first < 0 or text[first + 2 : first + 3] != "?":
        return None, 0
    coding = text[first + 1].upper()
    if coding not in "BQ":
        return None, 0
    charset = text[start + 2 : first]
    stop = text.find("?=", first + 3)
    inner = text.find("=?", first + 3, stop) if stop >= 0 else -1
    if stop < 0 or (inner >= 0 and coding == "B"):
        rest = text[first + 3 : inner] if inner >= 0 else text[first + 3 :]
        if coding == "B" and _BASE64_REST.match(rest):
            return (charset, "b", rest), first + 3 + len(rest)
        return None, -1 if stop < 0 else 0
    return (charset, coding, text[first + 3 : stop]), stop + 2


def _flush(run: list[_Word], out: list[str], defects: list[str]) -> None:
    """Decode a run of neighbouring words, those of one character set together."""
    index = 0
    while index < len(run):
        charset = run[index][0]
        stop = index
        while stop < len(run) and run[stop][0].lower() == charset.lower():
            stop += 1
        text, codes = _decode_run(charset, run[index:stop])
        out.append(text)
        defects += [code for code in codes if code not in defects]
        index = stop
    run.clear()


def _decode_run(charset: str, words: list[_Word]) -> tuple[str, list[str]]:
    data: list[bytes] = []
    defects: list[str] = []
    carried = ""
    for position, (_, coding, payload) in enumerate(words):
        if coding == "Q":
            data.append(_q_bytes(payload))
            continue
        joined = carried + payload
        carried = ""
        plain = "".join(joined.split())
        follows = position + 1 < len(words) and words[position + 1][1] in "Bb"
        if len(plain) % 4 and follows and not plain.endswith("="):
            carried = joined
            continue
        piece, faults = decode_base64(plain.encode("ascii", "replace"))
        data.append(piece)
        if (faults and "base64_garbage" in faults) or coding == "b":
            defects.append("bad_encoded_word")
    text, _, codes = decode_text(b"".join(data), charset.partition("*")[0] or None)
    return text, defects + [code for code in codes if code != "charset_guessed"]


@lru_cache(maxsize=256)
def _q_bytes(payload: str) -> bytes:
    """Undo the Q encoding (RFC 2047 section 4.2), raw spaces and raw bytes tolerated."""
    return binascii.a2b_qp(payload.encode("utf-8", "replace").replace(b" ", b"_"), header=True)
