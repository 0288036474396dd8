"""HTML -> text for search and for comparison; nothing is rendered, nothing fetched."""

from __future__ import annotations

import html
import re

__all__ = ["html_to_text"]

MAX_HTML = 4_000_000
"""Signs of one HTML text that are reduced; what follows is left out."""

_HUGE = re.compile(r"&#[0-9]{9,}+;?")
_HIDDEN = re.compile(r"<(script|style|title|noscript|template)\b", re.IGNORECASE)
_BLOCK = re.compile(
    r"</?(?:p|div|br|tr|li|ul|ol|h[1-6]|table|td|th|blockquote|pre|hr|dd|dt|dl|center|section|"
    r"article|header|footer|option|body|html|form)\b[^<>]*>",
    re.IGNORECASE,
)
_TAG = re.compile(r"</?[A-Za-z][^<>]*>|<![^<>]*>|<\?[^<>]*>")


def html_to_text(html_text: str) -> str:
    """Reduce HTML to its text.

    Parameters
    ----------
    html_text : str
        Markup, sound or not.

    Returns
    -------
    str
        Text: scripts, styles and comments dropped, entities resolved, blocks on lines of their
        own.
    """
    source = html_text[:MAX_HTML]
    if "<" in source:
        source = _without_hidden(_without_comments(source)).replace("\n", " ")
        source = _TAG.sub("", _BLOCK.sub("\n", source))
    if "&" in source:
        source = (
            html.unescape(_HUGE.sub("\ufffd", source)).encode("utf-8", "replace").decode("utf-8")
        )
    lines = [" ".join(line.split()) for line in source.split("\n")]
    return "\n".join(filter(None, lines))


def _without_comments(source: str) -> str:
    """Drop ``<!-- ... -->`` in one pass; an unclosed one drops only its mark."""
    if "<!--" not in source:
        return source
    out: list[str] = []
    done = 0
    while (start := source.find("<!--", done)) >= 0:
        stop = source.find("-->", start + 4)
        if stop < 0:
            break
        out.append(source[done:start])
        done = stop + 3
    out.append(source[done:])
    return "".join(out)


def _without_hidden(source: str) -> str:
    """Drop elements whose content nobody reads; an unclosed one drops only its tag."""
    found = _HIDDEN.search(source)
    if found is None:
        return source
    lower = source.lower()
    if len(lower) != len(source):  # a few letters grow when made small
        lower = source
    out: list[str] = []
    missing: set[str] = set()
    done = 0
    while found is not None:
        name = found.group(1).lower()
        stop = -1 if name in missing else lower.find(f"</{name}", found.end())
        if stop < 0:
            missing.add(name)
            after = found.end()
            out.append(source[done:after])
        else:
            out.append(source[done : found.start()])
            out.append(" ")
            after = _end_of_tag(source, stop)
        done = after
        found = _HIDDEN.search(source, done)
    out.append(source[done:])
    return "".join(out)


def _end_of_tag(source: str, start: int) -> int:
    stop = source.find(">", start, start + 200)
    return stop + 1 if stop >= 0 else start + 2
