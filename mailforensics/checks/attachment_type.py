"""Whether attachments are what their names say, and whole."""

from __future__ import annotations

import hashlib
from typing import Any

from mailforensics import mime
from mailforensics.checks.base import Item, MessageCheck, Verdict
from mailforensics.checks.magic import (
    BY_MEDIA_TYPE,
    BY_SUFFIX,
    NAMES,
    PROGRAMS,
    broken,
    identify,
)  # fmt: skip
from mailforensics.errors import MailForensicsError
from mailforensics.schema import CheckStatus

__all__ = ["AttachmentType"]

_MOST = 500


class AttachmentType(MessageCheck):
    """Compares the content of each attachment with its name and its declared type."""

    NAME = "attachment_type"
    TITLE = "Attachments as named"
    QUESTION = "Is each attachment what its name says, and does it open to its end?"
    PROVES = (
        "The first bytes of each attachment fit its name and declared type; archives and Office "
        "files unpack with right checksums, PDF and pictures have their end."
    )
    PROVES_NOT = "That the content is genuine, harmless, or what the sender meant to send."
    WORDS = {  # noqa: RUF012 - a class constant
        "pass": "have attachments as named and whole",
        "fail": "have damaged or disguised attachments",
        "warn": "have attachments to be looked at",
        "not_applicable": "have no attachment that can be examined",
    }

    def judge(self, item: Item) -> Verdict:
        """Return the verdict about the attachments of one message."""
        if not item.attachments:
            return Verdict(CheckStatus.NOT_APPLICABLE, "It has no attachments.")
        if item.raw is None:
            return Verdict(CheckStatus.NOT_APPLICABLE, "Its bytes are gone or cannot be read.")
        findings = [_examine(item.raw, each) for each in item.attachments[:_MOST]]
        failed = [text for text, certain in findings if text and certain]
        doubtful = [text for text, certain in findings if text and not certain]
        if len(item.attachments) > _MOST:
            doubtful.append(f"Only the first {_MOST} attachments were examined.")
        if failed:
            said = "An attachment is damaged, or not what its name says."
            return Verdict(CheckStatus.FAIL, said, " ".join([*failed, *doubtful]))
        if doubtful:
            said = "An attachment is to be looked at."
            return Verdict(CheckStatus.WARN, said, " ".join(doubtful))
        count = len(item.attachments)
        said = "The attachment is" if count == 1 else f"All {count} attachments are"
        return Verdict(CheckStatus.PASS, f"{said} what the name says, and whole.")


def _examine(raw: bytes, attachment: dict[str, Any]) -> tuple[str | None, bool]:
    """Return what is wrong with an attachment, and whether that is certain."""
    name = attachment["name"] or f"attachment {attachment['position']}"
    try:
        data = mime.part_bytes(raw, attachment["position"])
    except (MailForensicsError, LookupError, ValueError):
        return f"{name}: it could not be taken out of the message.", False
    if not data:
        return f"{name}: it is empty.", attachment["size"] not in (0, None)
    if _differs(data, attachment):
        return f"{name}: its bytes are not those that were first read.", False
    kind = identify(data)
    said, certain = _disguised(attachment, kind)
    if said is None and kind is not None:
        said, certain = broken(kind, data)
    return (None if said is None else f"{name}: {said}"), certain


def _differs(data: bytes, attachment: dict[str, Any]) -> bool:
    noted = attachment["sha256"]
    return noted is not None and hashlib.sha256(data).hexdigest() != noted


def _disguised(attachment: dict[str, Any], kind: str | None) -> tuple[str | None, bool]:
    """Compare a kind with name and media type; a program under another name is certain."""
    suffix = (attachment["name"] or "").rpartition(".")[2].lower().strip()
    allowed = BY_SUFFIX.get(suffix)
    if allowed is not None and kind not in allowed:
        what = f"its content is {NAMES[kind]}" if kind else f"its content is no {suffix} file"
        if suffix in {"docx", "xlsx", "pptx"} and kind == "ole":
            return "it is protected with a password, or an older file under a new name.", False
        return f"{what}, its name ends in .{suffix}.", kind in PROGRAMS
    media = (attachment["media_type"] or "").lower()
    expected = BY_MEDIA_TYPE.get(media)
    if allowed is None and expected is not None and kind not in expected:
        what = f"its content is {NAMES[kind]}" if kind else "its content is something else"
        return f"{what}, its declared type is {media}.", kind in PROGRAMS
    return None, False
