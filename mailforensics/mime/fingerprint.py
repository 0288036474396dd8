"""What makes two instances the same message, wherever they are stored."""

from __future__ import annotations

import hashlib
import re
from datetime import UTC, datetime

__all__ = ["content_key"]

_QUOTED_FROM = re.compile(r"^>+From ", re.MULTILINE)
_SPACE = b" \t\r\n\x0b\x0c"


def content_key(
    message_id: str | None,
    from_addr: str | None,
    sent_at: datetime | None,
    subject: str | None,
    text: str,
) -> str:
    """Return a key that is equal for the same message in different sources.

    It is made of the Message-ID and the body; without a Message-ID of sender, date, subject and
    body. White space is left out, since stores wrap lines and change line ends; so is the ``>``
    that mbox files put before ``From ``.

    Parameters
    ----------
    message_id, from_addr, subject : str or None
        As in the messages table.
    sent_at : datetime or None
        In UTC; counts to the second.
    text : str
        The body: text/plain, else HTML reduced to text.

    Returns
    -------
    str
        32 hexadecimal digits: the first 128 bits of a SHA-256.
    """
    if ">From " in text:
        text = _QUOTED_FROM.sub("From ", text)
    if not text.isascii():
        text = text.replace("\xa0", " ").replace("\u3000", " ")
    body = text.encode("utf-8", "replace").translate(None, _SPACE)
    if message_id and message_id.strip():
        head = message_id.strip()
    else:
        at = sent_at.astimezone(UTC).strftime("%Y%m%dT%H%M%S") if sent_at else ""
        plain = "".join((subject or "").split())
        head = f"{(from_addr or '').strip().lower()}\0{at}\0{plain}"
    digest = hashlib.sha256(head.encode("utf-8", "replace") + b"\0" + body)
    return digest.hexdigest()[:32]
