"""What tells messages apart, and which live message a recovered one is like.

Two messages are the same when subject, date and one of their bodies are. Of a message whose bodies
are lost, subject and date decide: rather a deleted message is shown as the copy of a live one than
a live one as deleted. A search key that is equal makes the one an earlier version of the other.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from mailforensics.mapi import Tag
from mailforensics.pst.messages import Attachment, Message

__all__ = ["Likeness", "Likenesses", "attachment_likeness", "likeness_of"]

_TIMES: Final = (Tag.CLIENT_SUBMIT_TIME, Tag.MESSAGE_DELIVERY_TIME, Tag.CREATION_TIME)
_ATTACH_SIZE: Final = 0x0E20


@dataclass(frozen=True, slots=True)
class Likeness:
    """Digests of 64 bits that tell a message apart.

    Attributes
    ----------
    same
        One for each body: of subject, date and that body.
    bare
        Of subject and date.
    kin
        Of search key and subject; None when the message has no search key.
    """

    same: tuple[int, ...]
    bare: int
    kin: int | None

    @property
    def strongest(self) -> tuple[int, ...]:
        """The digests by which it is looked for: those of its bodies, or the bare one."""
        return self.same or (self.bare,)


def likeness_of(message: Message) -> Likeness:
    """Return what tells a message apart."""
    bag = message.properties
    moment = next((ticks for ticks in map(bag.ticks, _TIMES) if ticks), 0)
    head = ((message.subject or "").encode("utf-8", "surrogatepass"), moment.to_bytes(8, "little"))
    key = message.search_key
    return Likeness(
        tuple(_digest(*head, tag.name.encode(), body) for tag, body in _bodies(message)),
        _digest(*head),
        _digest(b"key", head[0], key) if key else None,
    )


def _bodies(message: Message) -> Iterator[tuple[Tag, bytes]]:
    """Yield the bodies that are there; the ends of lines at the end of a text do not count."""
    text = (message.body or "").strip()
    if text:
        yield Tag.BODY, text.encode("utf-8", "surrogatepass")
    for tag in (Tag.HTML, Tag.RTF_COMPRESSED):
        stored = message.properties.stored(tag)
        if stored is not None and stored[1]:
            yield tag, stored[1]


def attachment_likeness(attachment: Attachment) -> int:
    """Return a digest of name and size of an attachment."""
    size = attachment.properties.integer(_ATTACH_SIZE) or 0
    name = (attachment.name or "").encode("utf-8", "surrogatepass")
    return _digest(b"attachment", name, size.to_bytes(8, "little", signed=True))


def _digest(*parts: bytes) -> int:
    joined = hashlib.blake2b(digest_size=8)
    for part in parts:
        joined.update(len(part).to_bytes(8, "little"))
        joined.update(part)
    return int.from_bytes(joined.digest(), "little")


class Likenesses:
    """Finds messages by their digests; 16 bytes for each digest.

    Parameters
    ----------
    known : iterable of (int, int)
        Digest and the node that has it; of equal digests the first counts.
    """

    __slots__ = ("_digests", "_nids")

    def __init__(self, known: Iterable[tuple[int, int]]) -> None:
        digests, nids = array("Q"), array("q")
        for digest, nid in known:
            digests.append(digest)
            nids.append(nid)
        values = np.frombuffer(digests, np.uint64) if digests else np.empty(0, np.uint64)
        self._digests, first = np.unique(values, return_index=True)
        self._nids = np.array(nids, np.int64)[first]

    def find(self, digest: int) -> int | None:
        """Return the node that has a digest, None when none has."""
        at = int(np.searchsorted(self._digests, np.uint64(digest)))
        if at == len(self._digests) or int(self._digests[at]) != digest:
            return None
        return int(self._nids[at])
