"""Text -> tokens: what counts as the same word, in the index and in a query alike."""

from __future__ import annotations

import re
import unicodedata
from codecs import utf_16_le_decode, utf_16_le_encode
from functools import lru_cache

import numpy as np

__all__ = ["CJK_CLASS", "fold", "is_cjk", "phrase_tokens", "runs", "searchable"]

# Han with extensions A to H, kana with its marks, bopomofo, Hangul: written without spaces, or
# with particles glued on. Half-width kana and compatibility signs are folded into these.
_RANGES = (
    (0x1100, 0x11FF),
    (0x3005, 0x3007),
    (0x3041, 0x3096),
    (0x309D, 0x309F),
    (0x30A1, 0x30FA),
    (0x30FC, 0x312F),
    (0x3131, 0x318E),
    (0x31A0, 0x31BF),
    (0x31F0, 0x31FF),
    (0x3400, 0x4DBF),
    (0x4E00, 0x9FFF),
    (0xA960, 0xA97C),
    (0xAC00, 0xD7A3),
    (0xF900, 0xFAFF),
    (0x20000, 0x323AF),
)
CJK_CLASS = "".join(f"{chr(first)}-{chr(last)}" for first, last in _RANGES)
_CJK = re.compile(f"[{CJK_CLASS}]")
_TO_FOLD = re.compile(
    "[^\x00-\x7f\u3400-\u4dbf\u4e00-\u9fff\U00020000-\U0002f7ff\U00030000-\U000323af]+"
)
_MARKS = re.compile("[\u0300-\u036f]+")
_ACCENTED = re.compile("[\xc0-\u024f\u0386-\u03ce\u0401\u0451\u1e00-\u1fff]")
_TOKEN = re.compile(rf"[{CJK_CLASS}]+|(?:(?![{CJK_CLASS}])[^\W_])+")
_WORDS = re.compile(r"[^\W_]+")

# Unicode's canonical ordering takes quadratic time over a long run of combining marks.
_LONG_RUN = re.compile(r"[^\w\s]{64,}")
_SHORT = 64
_SPACE = 32

_IS_CJK = np.zeros(0x110000, dtype=bool)
for _first, _last in _RANGES:
    _IS_CJK[_first : _last + 1] = True

_BRIEF = 200


def is_cjk(sign: str) -> bool:
    """Say whether a sign belongs to a script that is indexed in pairs of signs."""
    return _CJK.match(sign) is not None


def _bare(match: re.Match[str]) -> str:
    plain = _MARKS.sub("", unicodedata.normalize("NFD", match.group()))
    return unicodedata.normalize("NFC", plain)


def _fold_run(run: str) -> str:
    wide = unicodedata.normalize("NFKC", run).casefold()
    return _ACCENTED.sub(_bare, _MARKS.sub("", unicodedata.normalize("NFC", wide)))


_fold_short = lru_cache(maxsize=1 << 16)(_fold_run)


def _fold_match(match: re.Match[str]) -> str:
    run = match.group()
    if len(run) <= _SHORT:
        return _fold_short(run)
    return _fold_run(_LONG_RUN.sub(" ", run))


def fold(text: str) -> str:
    """Fold width, case outside ASCII, and accents; ASCII letters are left to the tokenizer."""
    return text if text.isascii() else _TO_FOLD.sub(_fold_match, text)


def _single_units() -> np.ndarray:
    """Return, for each UTF-16 unit, the one that it is folded into, whatever stands beside it.

    0 says that it is not as simple. ASCII stays; Chinese signs stay; punctuation becomes a space.
    """
    units = np.zeros(0x10000, dtype="<u2")
    units[:0x80] = np.arange(0x80)
    units[0] = _SPACE
    units[0x3400:0x4DC0] = np.arange(0x3400, 0x4DC0)
    units[0x4E00:0x9FFD] = np.arange(0x4E00, 0x9FFD)
    for code in (*range(0x2010, 0x2028), *range(0x3000, 0x3004), *range(0x3008, 0x3012),
                 *range(0xFF01, 0xFF61)):  # fmt: skip
        folded = _words(chr(code))
        units[code] = ord(folded) if len(folded) == 1 else 0 if folded else _SPACE
    return units


def searchable(text: str) -> str:
    """Return a text as the index takes it: folded words, and pairs of signs, between spaces.

    The run ``合同管理`` becomes ``合同 同管 管理 理``: each sign begins exactly one token, so
    that one sign is found as the beginning of a token.
    """
    if text.isascii():
        return text
    return _searchable_short(text) if len(text) <= _BRIEF else _searchable(text)


def _searchable(text: str) -> str:
    units = _SINGLE[np.frombuffer(utf_16_le_encode(text, "surrogatepass")[0], dtype="<u2")]
    if np.count_nonzero(units) == len(units):
        return utf_16_le_decode(_pairs(units))[0]
    folded = _words(text)
    if _CJK.search(folded) is None:
        return folded
    return _pairs(np.frombuffer(folded.encode("utf-32-le"), dtype="<u4")).decode("utf-32-le")


_searchable_short = lru_cache(maxsize=1 << 14)(_searchable)
"""Names of people and attachments come again and again."""


def _words(text: str) -> str:
    return " ".join(_WORDS.findall(fold(text)))


def _pairs(signs: np.ndarray) -> bytes:
    # Three places for each sign: itself, the sign after it, a space; what is not needed is dropped.
    cjk = _IS_CJK[signs]
    after = np.zeros_like(cjk)
    after[:-1] = cjk[1:]
    places = np.empty((len(signs), 3), dtype=signs.dtype)
    places[:, 0] = signs
    places[:-1, 1] = signs[1:]
    places[:, 2] = _SPACE
    wanted = np.empty(places.shape, dtype=bool)
    wanted[:, 0] = True
    np.logical_and(cjk, after, out=wanted[:, 1])
    np.logical_or(cjk, after, out=wanted[:, 2])
    return places[wanted].tobytes()


_SINGLE = _single_units()


def runs(text: str) -> tuple[str, ...]:
    """Cut a query's word or phrase into folded words and runs of signs."""
    return tuple(_TOKEN.findall(_words(text).lower()))


def phrase_tokens(pieces: tuple[str, ...]) -> list[str]:
    """Return the tokens that stand in the index one after another for these words and runs."""
    tokens: list[str] = []
    for place, run in enumerate(pieces, 1):
        if not is_cjk(run[0]):
            tokens.append(run)
            continue
        tokens.extend(run[at : at + 2] for at in range(len(run) - 1))
        if len(run) == 1 or place < len(pieces):
            tokens.append(run[-1])
    return tokens
