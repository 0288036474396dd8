"""A hit with its surroundings."""

from __future__ import annotations

import re
from functools import lru_cache

from mailforensics.search.query import Query, Term, parse
from mailforensics.search.tokens import CJK_CLASS, fold, is_cjk

__all__ = ["surroundings"]

_CLUSTER = re.compile("[^\x00-\x7f][\u0300-\u036f\u3099\u309a\uff9e\uff9f]{0,8}|[\x00-\x7f]")
_SPACE = re.compile(r"\s+")
_BEGIN = rf"(?:(?<![^\W_])|(?<=[{CJK_CLASS}]))"
_END = rf"(?:(?![^\W_])|(?=[{CJK_CLASS}]))"
_REST = rf"(?:(?![{CJK_CLASS}])[^\W_])*+"
_MAX_TERMS = 50
_HALF = 0.4  # how much of the width stands before the first hit


def surroundings(text: str, query: str | Query, width: int = 80) -> str:
    """Return the piece of a text where a query first hits, each hit between « and ».

    Parameters
    ----------
    text
        A subject, a body.
    width
        About how many signs of the text to show.

    Returns
    -------
    str
        One line; ``…`` where text is left out. The beginning of the text when nothing hits.

    Raises
    ------
    SearchError
        The query cannot be understood.
    """
    wanted = parse(query) if isinstance(query, str) else query
    width = max(width, 1)
    spans = _spans(text, wanted.terms)
    first = spans[0][0] if spans else 0
    start = max(0, first - int(width * _HALF)) if first > width * _HALF else 0
    stop = min(len(text), max(start + width, spans[0][1] if spans else 0))
    return _marked(text, start, stop, spans)


def _marked(text: str, start: int, stop: int, spans: list[tuple[int, int]]) -> str:
    pieces: list[str] = []
    at = start
    for begin, end in spans:
        if end > stop:
            break
        if begin < at:
            continue
        pieces += [text[at:begin], "«", text[begin:end], "»"]
        at = end
    pieces.append(text[at:stop])
    line = _SPACE.sub(" ", "".join(pieces)).strip()
    return f"{'…' if start else ''}{line}{'…' if stop < len(text) else ''}"


def _spans(text: str, terms: tuple[Term, ...]) -> list[tuple[int, int]]:
    if not terms:
        return []
    pattern = _pattern(terms[:_MAX_TERMS])
    if text.isascii():
        return [match.span() for match in pattern.finditer(text.lower())]
    folded, places = _folded(text)
    return [(places[match.start()], places[match.end()]) for match in pattern.finditer(folded)]


@lru_cache(maxsize=1 << 15)
def _fold_cluster(cluster: str) -> str:
    return fold(cluster).lower()


def _folded(text: str) -> tuple[str, list[int]]:
    """Fold a text sign by sign; also return where in the text each folded sign begins."""
    pieces: list[str] = []
    places: list[int] = []
    for match in _CLUSTER.finditer(text):
        piece = _fold_cluster(match.group())
        pieces.append(piece)
        places.extend([match.start()] * len(piece))
    places.append(len(text))
    return "".join(pieces), places


@lru_cache(maxsize=64)
def _pattern(terms: tuple[Term, ...]) -> re.Pattern[str]:
    # Longest first, so that a phrase is marked as one.
    sources = sorted({_source(term) for term in terms}, key=lambda each: (-len(each), each))
    return re.compile("|".join(sources), re.DOTALL)


def _source(term: Term) -> str:
    """Return the pattern of a term, with the same borders of words as in the index."""
    source = "" if is_cjk(term.runs[0][0]) else _BEGIN
    for place, run in enumerate(term.runs):
        if place:
            touching = is_cjk(run[0]) != is_cjk(term.runs[place - 1][0])
            source += r"[\W_]*+" if touching else r"[\W_]++"
        source += re.escape(run)
    if is_cjk(term.runs[-1][0]):
        return source
    return source + (_REST if term.star else _END)
