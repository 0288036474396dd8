"""The EDRM Message Identification Hash: by it two deliveries of mail can be compared."""

from __future__ import annotations

import hashlib
import re

__all__ = ["mih"]


def mih(message_id: str | None) -> str:
    """Return the EDRM Message Identification Hash; ``""`` without a Message-ID.

    It is the MD5 of the Message-ID value, angle brackets included, as UTF-8: the same in every
    tool that follows EDRM, so that two deliveries can be compared.
    """
    value = (message_id or "").strip()
    if not value:
        return ""
    found = re.search(r"<[^<>]*>", value)
    text = found[0] if found else value
    digest = hashlib.md5(text.encode("utf-8", "replace"), usedforsecurity=False)
    return digest.hexdigest()
