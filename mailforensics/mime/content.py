"""What a message says and carries: its text for the index, its body, its attachments."""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass, field

from mailforensics.mime.charsets import decode_text
from mailforensics.mime.parts import ParsedMessage, Part
from mailforensics.mime.text import html_to_text
from mailforensics.schema import AttachmentRecord

__all__ = ["Content", "read_content"]

MAX_TEXT = 1_000_000
"""Signs of one message that go to the index."""

MAX_ATTACHED = 200_000
"""Bytes of one attached text that go to the index."""

_CITED = re.compile(r"cid:([^\s\"'<>()]{1,250})", re.IGNORECASE)
_META = re.compile(rb"<meta\s[^<>]{0,200}?charset\s*=\s*[\"']?\s*([\w.:-]{1,40})", re.IGNORECASE)


@dataclass(slots=True)
class Content:
    """Body, text for the index, attachments, and the character set of the body."""

    body: str = ""
    text: str = ""
    has_body: bool = False
    attachments: list[AttachmentRecord] = field(default_factory=list)
    charset_declared: str | None = None
    charset_used: str | None = None


class _Gatherer:
    """Collects texts and attachments part by part."""

    def __init__(self, defects: list[str]) -> None:
        self.defects = defects
        self.content = Content()
        self.plains: list[str] = []
        self.marked: list[tuple[Part, str]] = []
        self.others: list[str] = []
        self.attached: list[str] = []

    def note(self, codes: list[str]) -> None:
        for code in codes:
            if code not in self.defects:
                self.defects.append(code)

    def body_part(self, part: Part) -> None:
        data = _without_holes(part) if part.holes else self._decoded(part)
        if not data.strip():
            return
        self.content.has_body = True
        text = self._text(part, data)
        if part.media_type == "text/html":
            self.marked.append((part, text))
        elif part.media_type == "text/plain":
            self.plains.append(text)
        else:
            self.others.append(text)

    def _decoded(self, part: Part) -> bytes:
        data, codes = part.decode()
        self.note(codes)
        return data

    def _text(self, part: Part, data: bytes) -> str:
        charset = part.charset
        if charset is None and part.media_type == "text/html" and not data.isascii():
            found = _META.search(data, 0, 4096)
            charset = found.group(1).decode("ascii", "replace") if found else None
        text, used, codes = decode_text(data, charset)
        self.note(codes)
        if self.content.charset_used is None:
            self.content.charset_declared = part.charset
            self.content.charset_used = used
        return text if "\r" not in text else text.replace("\r\n", "\n").replace("\r", "\n")

    def attachment(self, part: Part) -> None:
        data = self._decoded(part)
        self.note(part.defects)
        if data:
            self.content.has_body = True
        elif part.headers:
            self.note(_announced_missing(part))
        self.content.attachments.append(
            AttachmentRecord(
                position=part.position,
                name=part.name,
                media_type=part.media_type,
                size=len(data),
                sha256=hashlib.sha256(data).hexdigest(),
                content_id=part.content_id,
                inline=part.disposition == "inline",
            )
        )
        if part.media_type.startswith("text/") and data:
            text = decode_text(data[:MAX_ATTACHED], part.charset)[0]
            self.attached.append(html_to_text(text) if part.media_type == "text/html" else text)

    def finish(self, parts: list[Part]) -> Content:
        content = self.content
        reduced = [html_to_text(text) for part, text in self._needed()]
        content.body = "\n".join(self.plains or reduced or self.others or self.attached[:1])
        pieces = [*self.plains, *reduced, *self.others, *self.attached]
        content.text = "\n".join(pieces)[:MAX_TEXT]
        self._mark_inline(parts)
        return content

    def _needed(self) -> list[tuple[Part, str]]:
        """HTML that says something the plain text does not."""
        if not self.plains:
            return self.marked
        return [(part, text) for part, text in self.marked if not part.alternative]

    def _mark_inline(self, parts: list[Part]) -> None:
        """Call a part inline that the HTML shows, or that belongs to it and is no file."""
        cited: set[str] | None = None
        for record in self.content.attachments:
            part = parts[record.position - 1]
            if record.inline or not part.content_id or not part.related:
                continue
            if part.disposition == "attachment" and cited is None:
                cited = {one for _, text in self.marked for one in _CITED.findall(text)}
            record.inline = part.disposition != "attachment" or part.content_id in (cited or ())


def _without_holes(part: Part) -> bytes:
    """Return the text around uuencoded files."""
    pieces: list[bytes] = []
    done = part.start
    for start, stop in part.holes:
        pieces.append(part.owner[done:start])
        done = stop
    pieces.append(part.owner[done : part.stop])
    return b"".join(pieces)


def _announced_missing(part: Part) -> list[str]:
    """Say that an attachment is missing where a mail program left its size in place of it."""
    return ["attachment_missing"] if "x-apple-content-length" in part.headers else []


def read_content(message: ParsedMessage, defects: list[str]) -> Content:
    """Gather the texts and attachments of a parsed message; codes are added to ``defects``."""
    gatherer = _Gatherer(defects)
    for part in message.parts:
        if part.is_attachment:
            gatherer.attachment(part)
        else:
            gatherer.body_part(part)
    return gatherer.finish(message.parts)
