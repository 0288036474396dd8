"""Addresses (RFC 5322 section 3.4), as programs really write them."""

from __future__ import annotations

import re
from functools import lru_cache

from mailforensics.mime.words import decode_words, header_text

__all__ = ["addresses", "read_addresses"]

MAX_ADDRESSES = 20_000
"""Addresses of one header that are kept."""

_SPEC = r"[^\s<>\"(),:;@\\]++@[^\s<>\"(),:;@\\]++"
_ITEM = re.compile(
    rf'\s*+(?:"([^"\\]*+)"\s*+<({_SPEC})>|([^"<>(),:;@\\]*+)<({_SPEC})>|({_SPEC}))\s*+(?:,|\Z)'
)
_TOKEN = re.compile(r'"(?:[^"\\]++|\\.)*+"|[^",;:()<>\\]++|.', re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_INSIDE = re.compile(r"<\s*([^<>\s]+@[^<>\s]+)\s*>?\s*$")
_WORD = re.compile(r"=\?[^?\s]{1,60}\?[BbQq]\?[^?\s]{0,1000}\?=")
_HIDDEN = {ord(sign): 0xFDD0 + place for place, sign in enumerate(',;:()<>"@\\')}
_SHOWN = {hidden: sign for sign, hidden in _HIDDEN.items()}
_SHORT = 1000
_WIDE = str.maketrans({"，": ",", "；": ";", "＜": "<", "＞": ">", "＠": "@", "《": "<", "》": ">"})
_WIDE_SIGNS = frozenset("，；＜＞＠《》")


def addresses(raw: bytes, hint: str | None = None) -> list[tuple[str, str]]:
    """Read the addresses of a From, To, Cc, Bcc, Sender or Reply-To value.

    Groups, comments, quoted names with commas, source routes, encoded words, a missing ``>`` and
    full-width punctuation are understood.

    Parameters
    ----------
    raw : bytes
        The value as it stands in the message.
    hint : str, optional
        A character set that the message names elsewhere, for raw 8-bit names.

    Returns
    -------
    list of (str, str)
        Decoded name and addr-spec of each, in order; either may be ``""``.
    """
    return read_addresses(raw, hint)[0]


def read_addresses(raw: bytes, hint: str | None = None) -> tuple[list[tuple[str, str]], list[str]]:
    """Read addresses as :func:`addresses` does, and return defect codes too."""
    found, defects = _remembered(raw, hint) if len(raw) < _SHORT else _read(raw, hint)
    return list(found), list(defects)


def _read(raw: bytes, hint: str | None) -> tuple[list[tuple[str, str]], list[str]]:
    text, defects = header_text(raw, hint)
    if "=?" in text:
        text = _WORD.sub(_mask, text)
    found = _simple(text)
    if found is None or not _WIDE_SIGNS.isdisjoint(text):
        found = _split(text)
        if any("@" not in addr or not _WIDE_SIGNS.isdisjoint(addr) for _, addr in found):
            found = _split(text.translate(_WIDE))
    return _decoded(found, defects), defects


def _mask(word: re.Match[str]) -> str:
    """Hide the punctuation in an encoded word, which must not divide addresses."""
    return word.group().translate(_HIDDEN)


_remembered = lru_cache(maxsize=4096)(_read)
"""The same people write to each other again and again."""


def _simple(text: str) -> list[tuple[str, str]] | None:
    """Read a list that is as the standard says; None when anything in it is not."""
    found: list[tuple[str, str]] = []
    position = 0
    while position < len(text):
        item = _ITEM.match(text, position)
        if item is None or len(found) >= MAX_ADDRESSES:
            return None
        quoted, first, name, second, bare = item.groups()
        found.append(("", bare) if bare else ((quoted or name or "").strip(), first or second))
        position = item.end()
    return found


def _decoded(found: list[tuple[str, str]], defects: list[str]) -> list[tuple[str, str]]:
    out: list[tuple[str, str]] = []
    for name, addr in found:
        if "=?" not in name and "=?" not in addr:
            out.append((name, addr))
            continue
        plain, codes = decode_words(name.translate(_SHOWN))
        defects += [code for code in codes if code not in defects]
        out.append(_inside(plain.strip(), decode_words(addr.translate(_SHOWN))[0].strip()))
    return out


def _inside(name: str, addr: str) -> tuple[str, str]:
    """Find the address where name and address were encoded as one word."""
    if "@" in addr:
        return name, addr
    found = _INSIDE.search(name[-2000:])
    if found is None:
        return (name, addr) if addr or "@" not in name or " " in name else ("", name)
    rest = name[: max(0, len(name) - 2000) + found.start()]
    return rest.strip(" \"'"), found.group(1)


class _Builder:
    """Gathers the pieces of one address until a comma ends it."""

    def __init__(self) -> None:
        self.done: list[tuple[str, str]] = []
        self.clear()

    def clear(self) -> None:
        self.words: list[str] = []
        self.plain: list[str] = []
        self.comments: list[str] = []
        self.angle: list[str] | None = None
        self.closed = False

    def end(self) -> None:
        """Close the address; nothing between two commas is no address."""
        if (self.plain or self.comments or self.angle is not None) and (
            len(self.done) < MAX_ADDRESSES
        ):
            self._add()
        self.clear()

    def _add(self) -> None:
        found = self._found("".join(self.words).strip(), " ".join(self.comments).strip())
        if found[0] or found[1]:
            self.done.append(found)

    def _found(self, name: str, comment: str) -> tuple[str, str]:
        if self.angle is not None:
            return name or comment, _spec("".join(self.angle))
        addr = "".join(self.plain).strip()
        if "@" in addr:
            return _bare(addr, comment)
        if " " in addr or "=?" in addr or addr.startswith('"'):
            return name, ""
        return comment, addr


def _bare(addr: str, comment: str) -> tuple[str, str]:
    """Read an address without angle brackets, perhaps after a name."""
    if addr.startswith('"') or " @" in addr or "@ " in addr:
        return comment, _spec(addr)
    words = addr.split()
    last = next(word for word in reversed(words) if "@" in word)
    words.remove(last)
    return " ".join(words).strip('"') or comment, last.strip("<>[]'")


def _spec(text: str) -> str:
    """Return the addr-spec of what stands between angle brackets: no route, no white space."""
    text = text.strip()
    if text.startswith("@") and ":" in text:
        text = text.rpartition(":")[2]
    text = text.removeprefix("mailto:").removeprefix("MAILTO:")
    if '"' in text:
        return text.strip()
    return "".join(text.split()) if "@" in text else text


def _split(text: str) -> list[tuple[str, str]]:
    """Walk the tokens once; quotes, comments, brackets and groups change what a comma means."""
    builder = _Builder()
    depth = 0
    comment: list[str] = []
    for sign in _TOKEN.findall(text):
        if depth or sign == "(":
            depth, comment = _in_comment(sign, depth, comment, builder)
        elif builder.angle is not None and not builder.closed:
            _in_angle(sign, builder)
        else:
            _in_name(sign, builder)
    if comment:
        builder.comments.append("".join(comment))
    builder.end()
    return builder.done


def _in_comment(
    sign: str, depth: int, comment: list[str], builder: _Builder
) -> tuple[int, list[str]]:
    depth += (sign == "(") - (sign == ")")
    if depth == 0:
        builder.comments.append("".join(comment))
        return 0, []
    if depth > 1 or sign != "(":
        comment.append(sign)
    return depth, comment


def _in_angle(sign: str, builder: _Builder) -> None:
    angle = builder.angle
    assert angle is not None
    if sign == ">":
        builder.closed = True
    elif sign in ",;" and not (angle and angle[0].startswith("@")):
        builder.end()  # the bracket was never closed
    elif sign == "<":
        angle.clear()
    elif angle or not sign.isspace():
        angle.append(sign if angle else sign.lstrip())


def _in_name(sign: str, builder: _Builder) -> None:
    if sign in ",;":
        builder.end()
    elif sign == ":":
        if not any("@" in word for word in builder.plain):
            builder.clear()  # the name of a group
    elif sign == "<":
        builder.angle, builder.closed = [], False
    elif sign.startswith('"') and len(sign) > 1:
        builder.plain.append(sign)
        builder.words.append(_ESCAPED.sub(r"\1", sign[1:-1]))
    elif sign not in "><":
        builder.plain.append(sign)
        builder.words.append(sign if sign not in '"\\' else "")
