"""The language of queries: words, phrases, OR, NOT, brackets, fields and filters."""

from __future__ import annotations

from dataclasses import dataclass
from types import MappingProxyType
from typing import NamedTuple

from mailforensics.errors import SearchError
from mailforensics.search.filters import FILTER_FIELDS, Filter, read_filter
from mailforensics.search.lexer import Kind, Lexeme, lex
from mailforensics.search.tokens import is_cjk, phrase_tokens, runs

__all__ = ["FIELDS", "Match", "Query", "Term", "parse"]

MAX_SIGNS = 20_000
MAX_TERMS = 1000
MAX_DEPTH = 20

FIELDS = MappingProxyType(
    {
        "subject": "subject",
        "主题": "subject",
        "主題": "subject",
        "标题": "subject",
        "標題": "subject",
        "from": "from",
        "发件人": "from",
        "寄件人": "from",
        "寄件者": "from",
        "to": "to",
        "cc": "to",
        "bcc": "to",
        "收件人": "to",
        "收件者": "to",
        "people": "people",
        "人员": "people",
        "人員": "people",
        "attachment": "attachment",
        "attachments": "attachment",
        "附件": "attachment",
        "body": "body",
        "text": "body",
        "正文": "body",
        "内容": "body",
        "內容": "body",
        **FILTER_FIELDS,
    }
)
"""What may stand before a colon, in English and Chinese -> the field that it means."""

_COLUMNS = MappingProxyType(
    {
        "subject": "{subject}",
        "from": "{sender}",
        "to": "{people}",
        "people": "{sender people}",
        "attachment": "{attachments}",
        "body": "{body}",
    }
)
_EXAMPLES = MappingProxyType(
    {
        "subject": "contract",
        "from": "zhang",
        "to": "zhang",
        "people": "zhang",
        "attachment": "invoice",
        "body": "contract",
    }
)


class Match(NamedTuple):
    """What FTS5 is asked; ``inverted`` when everything else is meant."""

    expression: str
    inverted: bool


@dataclass(frozen=True, slots=True)
class Term:
    """A word or phrase.

    Attributes
    ----------
    runs
        Folded words and runs of signs, one after another.
    star
        Whether the last word may go on.
    field
        Where it is looked for; None for anywhere.
    text
        As it was typed.
    """

    runs: tuple[str, ...]
    star: bool
    field: str | None
    text: str

    def match(self, *, senders: bool) -> Match:
        """Return the FTS5 expression: letters and digits in quotation marks, nothing else."""
        last = self.runs[-1]
        # One sign alone is found as the beginning of the pairs that it begins.
        goes_on = self.star or (len(last) == 1 and is_cjk(last))
        phrase = f'"{" ".join(phrase_tokens(self.runs))}"{" *" if goes_on else ""}'
        if self.field is None:
            return Match(phrase, False)
        columns = _COLUMNS[self.field]
        if not senders and self.field in {"from", "to"}:
            columns = "{people}"
        return Match(f"{columns} : {phrase}", False)


@dataclass(frozen=True, slots=True)
class Not:
    """All that does not match."""

    part: Node

    def match(self, *, senders: bool) -> Match:
        """Turn the match of the part round."""
        inner = self.part.match(senders=senders)
        return Match(inner.expression, not inner.inverted)


@dataclass(frozen=True, slots=True)
class Every:
    """All parts match."""

    parts: tuple[Node, ...]

    def match(self, *, senders: bool) -> Match:
        """FTS5 has only ``a NOT b``: what is inverted is gathered and taken away at the end."""
        matches = [part.match(senders=senders) for part in self.parts]
        wanted = _join([each.expression for each in matches if not each.inverted], "AND")
        unwanted = _join([each.expression for each in matches if each.inverted], "OR")
        if not wanted:
            return Match(unwanted, True)
        return Match(f"({wanted} NOT {unwanted})" if unwanted else wanted, False)


@dataclass(frozen=True, slots=True)
class Either:
    """At least one part matches."""

    parts: tuple[Node, ...]

    def match(self, *, senders: bool) -> Match:
        """Take away ``b NOT a`` where ``a OR not b`` is meant."""
        inverse = Every(tuple(Not(part) for part in self.parts)).match(senders=senders)
        return Match(inverse.expression, not inverse.inverted)


Node = Term | Not | Every | Either


def _join(expressions: list[str], word: str) -> str:
    if len(expressions) < 2:
        return "".join(expressions)
    return f"({f' {word} '.join(expressions)})"


@dataclass(frozen=True, slots=True)
class Query:
    """What :func:`parse` understood.

    Attributes
    ----------
    text
        As it was typed.
    words
        The part that the full-text index answers; None when there are only filters.
    filters
        The part that the messages table answers.
    terms
        The words and phrases that are wanted (none behind NOT), for showing them in a text.
    """

    text: str
    words: Node | None
    filters: tuple[Filter, ...]
    terms: tuple[Term, ...]

    @property
    def has_words(self) -> bool:
        """Whether the index has to be asked."""
        return self.words is not None

    def match(self, *, senders: bool = False) -> Match:
        """Return what FTS5 is asked.

        Parameters
        ----------
        senders
            Whether the index keeps senders apart from other people.
        """
        assert self.words is not None
        return self.words.match(senders=senders)


def parse(query: str) -> Query:
    """Understand a query as people in an office write it.

    ``contract price`` both words; ``"price list"`` words beside each other; ``合同 OR invoice``;
    ``NOT draft`` or ``-draft``; brackets; ``price*`` words that begin so; ``subject:`` ``from:``
    ``to:`` ``people:`` ``attachment:`` ``body:`` before a word, a phrase or brackets; the filters
    ``folder:`` ``state:`` ``custodian:`` ``evidence:`` ``has:attachment`` ``before:`` ``after:``
    ``on:`` (days as YYYY-MM-DD, also YYYY-MM and YYYY). Fields also in Chinese: ``主题:``.
    Several values of one filter widen it: ``state:carved state:orphaned`` finds both.

    Raises
    ------
    SearchError
        It cannot be understood; the sentence says why.
    """
    if len(query) > MAX_SIGNS:
        raise SearchError(f"The query is too long: more than {MAX_SIGNS:,} signs.")
    parser = _Parser(lex(query, frozenset(FIELDS)))
    words = parser.read()
    terms = () if words is None else tuple(_wanted(words))
    return Query(query, words, tuple(parser.filters), terms)


def _wanted(node: Node, *, inverted: bool = False) -> list[Term]:
    if isinstance(node, Term):
        return [] if inverted else [node]
    if isinstance(node, Not):
        return _wanted(node.part, inverted=not inverted)
    return [term for part in node.parts for term in _wanted(part, inverted=inverted)]


class _Parser:
    """Recursive descent; an empty word (only punctuation) gives None and is left out."""

    def __init__(self, lexemes: list[Lexeme]) -> None:
        self.lexemes = lexemes
        self.at = 0
        self.terms = 0
        self.depth = 0
        self.field: str | None = None
        self.filters: list[Filter] = []

    def read(self) -> Node | None:
        if self.peek().kind is Kind.END:
            raise SearchError("The query is empty.", hint="Type a word to look for.")
        node = self.either()
        if self.peek().kind is not Kind.END:
            raise SearchError("A bracket is closed that was never opened.")
        if node is None and not self.filters:
            raise SearchError("The query has no letters or digits to look for.")
        return node

    def peek(self) -> Lexeme:
        return self.lexemes[self.at]

    def next(self) -> Lexeme:
        lexeme = self.lexemes[self.at]
        self.at += 1
        return lexeme

    def either(self) -> Node | None:
        filters = len(self.filters)
        parts = [self.every()]
        while self.peek().kind is Kind.OR:
            self.next()
            parts.append(self.every())
        if len(parts) > 1 and len(self.filters) > filters:
            self.refuse_filter()
        return _combine(Either, parts)

    def every(self) -> Node | None:
        parts = [self.single()]
        while self.peek().kind not in {Kind.END, Kind.CLOSE, Kind.OR}:
            if self.peek().kind is Kind.AND:
                self.next()
            parts.append(self.single())
        return _combine(Every, parts)

    def single(self) -> Node | None:
        lexeme = self.next()
        if lexeme.kind is Kind.NOT:
            return self.negated()
        if lexeme.kind is Kind.FIELD:
            return self.in_field(lexeme, negated=False)
        if lexeme.kind is Kind.OPEN:
            return self.bracket()
        if lexeme.kind in {Kind.WORD, Kind.PHRASE}:
            return self.term(lexeme)
        raise SearchError(_missing(lexeme))

    def negated(self) -> Node | None:
        if self.peek().kind is Kind.NOT:
            raise SearchError("NOT (or a minus sign) stands twice in a row.")
        if self.peek().kind is Kind.FIELD:
            return self.in_field(self.next(), negated=True)
        part = self.single()
        return None if part is None else Not(part)

    def in_field(self, lexeme: Lexeme, *, negated: bool) -> Node | None:
        field = FIELDS[lexeme.text]
        if field in FILTER_FIELDS:
            self.add_filter(field, lexeme.text, negated=negated)
            return None
        if self.peek().kind not in {Kind.WORD, Kind.PHRASE, Kind.OPEN}:
            raise SearchError(
                f"After {lexeme.text}: a word is missing, "
                f"for instance {lexeme.text}:{_EXAMPLES[field]}"
            )
        outer, self.field = self.field, field
        part = self.single()
        self.field = outer
        return Not(part) if negated and part is not None else part

    def add_filter(self, field: str, name: str, *, negated: bool) -> None:
        if self.depth:
            self.refuse_filter()
        value = self.peek()
        text = self.next().text if value.kind in {Kind.WORD, Kind.PHRASE} else ""
        self.filters.append(read_filter(field, name, text, negated=negated))
        if len(self.filters) > MAX_TERMS:
            raise SearchError(f"The query has more than {MAX_TERMS:,} filters.")

    def refuse_filter(self) -> None:
        raise SearchError(
            "folder:, state: and dates narrow the whole search: "
            "they cannot stand beside OR or inside brackets.",
            hint="Put the words around OR into brackets: (contract OR invoice) folder:Inbox",
        )

    def bracket(self) -> Node | None:
        self.depth += 1
        if self.depth > MAX_DEPTH:
            raise SearchError(f"Brackets stand more than {MAX_DEPTH} deep.")
        part = self.either()
        self.depth -= 1
        if self.next().kind is not Kind.CLOSE:
            raise SearchError("A bracket is opened and not closed.")
        return part

    def term(self, lexeme: Lexeme) -> Term | None:
        self.terms += 1
        if self.terms > MAX_TERMS:
            raise SearchError(f"The query has more than {MAX_TERMS:,} words.")
        pieces = runs(lexeme.text)
        return Term(pieces, lexeme.prefix, self.field, lexeme.text) if pieces else None


def _combine(kind: type[Every] | type[Either], parts: list[Node | None]) -> Node | None:
    there = tuple(part for part in parts if part is not None)
    if len(there) < 2:
        return there[0] if there else None
    return kind(there)


def _missing(lexeme: Lexeme) -> str:
    if lexeme.kind is Kind.END:
        return "The query ends where a word should follow."
    if lexeme.kind is Kind.CLOSE:
        return "A bracket is closed where a word should stand."
    return (
        f"Before {lexeme.text} a word is missing; "
        f'to look for the word itself write "{lexeme.text.lower()}".'
    )
