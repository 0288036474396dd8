"""What tells messages apart, and which live message a recovered one is like.

Two messages are the same when subject, date, the people shown and one of their bodies are. An item
that never had a body is the same when all of its lasting properties are. Of a message whose body
is lost, subject and date decide: rather a deleted message is shown as the copy of a live one than
a live one as deleted. A search key that is equal, with the subject and either the date or the
length of the text, makes the one an earlier version of the other.
"""

from __future__ import annotations

import hashlib
from array import array
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np

from mailforensics.mapi import AttachMethod, Tag
from mailforensics.pst.messages import Attachment, Message

__all__ = [
    "Likeness",
    "Likenesses",
    "attachment_likeness",
    "bare_likeness",
    "likeness_of",
    "outer_nid",
    "with_inner",
]

_TIMES: Final = (Tag.CLIENT_SUBMIT_TIME, Tag.MESSAGE_DELIVERY_TIME, Tag.CREATION_TIME)
_HAS_ATTACHMENT: Final = 0x10
_ATTACH_SIZE: Final = 0x0E20
_BODIES: Final = (Tag.BODY, Tag.HTML, Tag.RTF_COMPRESSED)
_PASSING: Final = frozenset(
    {Tag.MESSAGE_FLAGS, Tag.LAST_MODIFICATION_TIME, Tag.FLAG_STATUS, Tag.LAST_VERB_EXECUTED}
    | {0x0E08, 0x0E17, 0x65E2, 0x65E3, 0x67A4, 0x67F2, 0x67F3, 0x0E33, 0x0E34, 0x0E38}
)
"""Size, status, and what synchronising and the store itself write: no part of the content."""


@dataclass(frozen=True, slots=True)
class Likeness:
    """Digests of 64 bits that tell a message apart.

    Attributes
    ----------
    same
        One for each body: of subject, date, people and that body. Of an item that never had a
        body: one of all its properties.
    bare
        Of subject and date; None when it lacks one of them.
    kin
        Of search key, subject and date, and of search key, subject and length of the text; empty
        when the message has no search key.
    """

    same: tuple[int, ...]
    bare: int | None
    kin: tuple[int, ...]

    @property
    def strongest(self) -> tuple[int, ...]:
        """The digests by which it is looked for: of bodies, or the bare one when they are lost."""
        return self.same or (() if self.bare is None else (self.bare,))

    @property
    def all(self) -> tuple[int, ...]:
        """All digests."""
        bare = () if self.bare is None else (self.bare,)
        return (*self.same, *bare, *self.kin)


def likeness_of(message: Message) -> Likeness:
    """Return what tells a message apart."""
    bag = message.properties
    moment = next((ticks for ticks in map(bag.ticks, _TIMES) if ticks), 0)
    head = ((message.subject or "").encode("utf-8", "surrogatepass"), moment.to_bytes(8, "little"))
    shown = (bag.text(tag) or "" for tag in (Tag.DISPLAY_TO, Tag.DISPLAY_CC))
    people = "\0".join(shown).encode("utf-8", "surrogatepass")
    same = tuple(_digest(*head, people, tag.name.encode(), body) for tag, body in _bodies(message))
    if not same and not any(tag in bag.unreadable for tag in _BODIES):
        same = (_whole(message),)
    return Likeness(
        same,
        _digest(*head) if moment and head[0] else None,
        _kin(message, *head) if message.search_key else (),
    )


def _kin(message: Message, subject: bytes, moment: bytes) -> tuple[int, ...]:
    key, length = message.search_key or b"", len((message.body or "").strip())
    by_date = _digest(b"date", key, subject, moment)
    return (
        (by_date, _digest(b"text", key, subject, length.to_bytes(8, "little")))
        if length
        else (by_date,)
    )


def _whole(message: Message) -> int:
    """Return a digest of the properties that stay when an item is moved or marked."""
    bag = message.properties
    lasting = (tag for tag in sorted(bag.tags) if tag not in _PASSING)
    stored = ((tag, bag.stored(tag)) for tag in lasting)
    parts = (tag.to_bytes(2, "little") + value[1] for tag, value in stored if value)
    return _digest(b"whole", *parts)


def _bodies(message: Message) -> Iterator[tuple[Tag, bytes]]:
    """Yield the bodies that are there; the ends of lines at the end of a text do not count."""
    text = (message.body or "").strip()
    if text:
        yield Tag.BODY, text.encode("utf-8", "surrogatepass")
    for tag in (Tag.HTML, Tag.RTF_COMPRESSED):
        stored = message.properties.stored(tag)
        if stored is not None and stored[1]:
            yield tag, stored[1]


def bare_likeness(subject: str | None, ticks: int | None) -> int | None:
    """Return the digest of subject and date; None when one of them is lacking."""
    if not subject or not ticks:
        return None
    return _digest(subject.encode("utf-8", "surrogatepass"), ticks.to_bytes(8, "little"))


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


def outer_nid(message: Message) -> int:
    """Return the node of the message that carries it, or its own."""
    return message.node.parent if message.depth else message.nid


def with_inner(message: Message) -> Iterator[Message]:
    """Yield a message and the messages inside it."""
    yield message
    for attachment in message.attachments if message.flags & _HAS_ATTACHMENT else ():
        if attachment.method == AttachMethod.EMBEDDED_MESSAGE:
            inner = attachment.embedded()
            if inner is not None and inner.readable:
                yield from with_inner(inner)


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
