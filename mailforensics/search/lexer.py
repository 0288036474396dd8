"""Cuts a query into words, phrases, brackets, operators and fields."""

from __future__ import annotations

from enum import Enum, auto
from typing import NamedTuple

from mailforensics.errors import SearchError

__all__ = ["Kind", "Lexeme", "lex"]

_QUOTES = {'"': '"', "“": "”", "”": "”", "„": "“", "«": "»", "「": "」", "『": "』", "＂": "＂"}
_OPEN = frozenset("(（")
_CLOSE = frozenset(")）")
_COLONS = frozenset(":：")
_STARS = "*＊"
_MINUS = frozenset("-−－")
_ENDS = _OPEN | _CLOSE | frozenset(_QUOTES) | frozenset("|")


class Kind(Enum):
    """What a lexeme is."""

    WORD = auto()
    PHRASE = auto()
    FIELD = auto()
    OPEN = auto()
    CLOSE = auto()
    AND = auto()
    OR = auto()
    NOT = auto()
    END = auto()


class Lexeme(NamedTuple):
    """A piece of a query. ``prefix``: a star follows."""

    kind: Kind
    text: str
    prefix: bool = False


_OPERATORS = {"AND": Kind.AND, "OR": Kind.OR, "NOT": Kind.NOT}


def lex(query: str, fields: frozenset[str]) -> list[Lexeme]:
    """Cut a query into lexemes; the last is always END.

    Raises
    ------
    SearchError
        A quotation mark is not closed.
    """
    lexemes: list[Lexeme] = []
    at = 0
    while at < len(query):
        sign = query[at]
        if sign.isspace():
            at += 1
        elif sign in _QUOTES:
            lexeme, at = _phrase(query, at)
            lexemes.append(lexeme)
        elif sign in _OPEN or sign in _CLOSE:
            lexemes.append(Lexeme(Kind.OPEN if sign in _OPEN else Kind.CLOSE, sign))
            at += 1
        elif sign == "|":
            lexemes.append(Lexeme(Kind.OR, "OR"))
            at += 1
        elif sign in _MINUS and _begins(query, at):
            lexemes.append(Lexeme(Kind.NOT, "NOT"))
            at += 1
        else:
            lexeme, at = _word(query, at, fields)
            lexemes.append(lexeme)
    lexemes.append(Lexeme(Kind.END, ""))
    return lexemes


def _begins(query: str, at: int) -> bool:
    """Say whether a minus sign stands before a word, and not inside one or alone."""
    before = query[at - 1] if at else " "
    after = query[at + 1] if at + 1 < len(query) else " "
    return (before.isspace() or before in _OPEN) and not after.isspace()


def _phrase(query: str, at: int) -> tuple[Lexeme, int]:
    end = query.find(_QUOTES[query[at]], at + 1)
    if end < 0:
        raise SearchError(
            "A quotation mark is not closed.",
            hint='Put a second one behind the words that belong together: "price list"',
        )
    text = query[at + 1 : end]
    prefix = end + 1 < len(query) and query[end + 1] in _STARS
    return Lexeme(Kind.PHRASE, text, prefix), end + 1 + prefix


def _word(query: str, at: int, fields: frozenset[str]) -> tuple[Lexeme, int]:
    end = at
    while end < len(query) and not query[end].isspace() and query[end] not in _ENDS:
        if query[end] in _COLONS and query[at:end].lower() in fields:
            return Lexeme(Kind.FIELD, query[at:end].lower()), end + 1
        end += 1
    text = query[at:end]
    if text in _OPERATORS:
        return Lexeme(_OPERATORS[text], text), end
    return Lexeme(Kind.WORD, text, text[-1] in _STARS), end
