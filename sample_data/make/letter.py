"""A letter before it is bytes, and the reading of dispute.txt."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path

from sample_data.make.attachments import Attachment
from sample_data.make.chance import number
from sample_data.make.papers import PAPERS

__all__ = ["Letter", "read_dispute", "subject_of_reply"]

_SALES_STAFF = ("chen", "zhou", "zhao", "liu", "wang")


@dataclass(slots=True, kw_only=True)
class Letter:
    """Who writes what to whom, when, in answer to what. People stand by their short names."""

    key: str
    sent: datetime
    sender: str
    to: list[str]
    cc: list[str] = field(default_factory=list)
    subject: str
    text: str
    html: str = ""
    attachments: list[Attachment] = field(default_factory=list)
    reply_to: str = ""
    topic: str = ""
    fate: str = ""

    @property
    def recipients(self) -> list[str]:
        """Everybody who gets it, the list of all staff written out."""
        return [*self.to, *self.cc]


def subject_of_reply(subject: str, *, chinese: bool) -> str:
    """Return the subject of an answer; a second answer adds nothing."""
    bare = re.sub(r"^(Re: |回复：)+", "", subject)
    return f"回复：{bare}" if chinese else f"Re: {bare}"


def read_dispute() -> Iterator[Letter]:
    """Yield the letters of dispute.txt in its order."""
    text = Path(__file__).with_name("dispute.txt").read_text(encoding="utf-8")
    subjects: dict[str, str] = {}
    for block in text.split("\n=== ")[1:]:
        head, subject, body = block.split("\n", 2)
        letter = _letter(head, subject, body.strip("\n"))
        if subject == "Re":
            chinese = re.search("[\u4e00-\u9fff]", body) is not None
            letter.subject = subject_of_reply(subjects[letter.reply_to], chinese=chinese)
        subjects[letter.key] = letter.subject
        yield letter


def _letter(head: str, subject: str, body: str) -> Letter:
    key, when, route, *options = (part.strip() for part in head.split(" | "))
    named = dict(option.split("=", 1) for option in options)
    sender, _, rest = route.partition(" > ")
    to, _, cc = rest.partition(" ; ")
    papers = [PAPERS[name]() for name in named.get("att", "").split(",") if name]
    return Letter(
        key=key,
        sent=datetime.strptime(when, "%Y-%m-%d %H:%M %z")
        + timedelta(seconds=number(60, "second", key)),
        sender=sender,
        to=_people(to),
        cc=_people(cc),
        subject=subject,
        text=body,
        attachments=papers,
        reply_to=named.get("re", ""),
        topic="dispute",
        fate=named.get("fate", ""),
    )


def _people(listed: str) -> list[str]:
    names = [name.strip() for name in listed.split(",") if name.strip()]
    return [*_SALES_STAFF, "sales"] if names == ["all.sales"] else names
