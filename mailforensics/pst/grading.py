"""How much of a recovered message is there: everything is read once, and what is lost is named."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum
from typing import Final

from mailforensics.mapi import AttachMethod, Tag
from mailforensics.pst.layout import SpecialNid
from mailforensics.pst.messages import Attachment, ItemKind, Message

__all__ = ["Assessment", "Grade", "Part", "assess"]

_HAS_ATTACHMENT: Final = 0x10
_DEEPEST: Final = 24
_MAIL: Final = frozenset({ItemKind.MAIL, ItemKind.REPORT, ItemKind.MEETING, ItemKind.POST})
_DISPLAYED: Final = (Tag.DISPLAY_TO, Tag.DISPLAY_CC, Tag.DISPLAY_BCC)


class Grade(StrEnum):
    """How much of a message came back."""

    COMPLETE = "complete"
    PARTIAL = "partial"
    METADATA_ONLY = "metadata_only"


class Part(StrEnum):
    """A part of a message that may be missing."""

    PROPERTIES = "properties"
    SUBJECT = "subject"
    SENDER = "sender"
    DATES = "dates"
    HEADERS = "headers"
    TEXT_BODY = "text body"
    HTML_BODY = "HTML body"
    RTF_BODY = "RTF body"
    RECIPIENTS = "recipients"
    ATTACHMENTS = "attachments"
    OTHER_PROPERTIES = "other properties"
    SURE_BYTES = "certainty about some bytes"


_PARTS: Final[dict[int, Part]] = {
    Tag.SUBJECT: Part.SUBJECT,
    Tag.SENDER_NAME: Part.SENDER,
    Tag.SENDER_EMAIL_ADDRESS: Part.SENDER,
    Tag.SENT_REPRESENTING_NAME: Part.SENDER,
    Tag.SENT_REPRESENTING_EMAIL_ADDRESS: Part.SENDER,
    Tag.CLIENT_SUBMIT_TIME: Part.DATES,
    Tag.MESSAGE_DELIVERY_TIME: Part.DATES,
    Tag.TRANSPORT_MESSAGE_HEADERS: Part.HEADERS,
    Tag.BODY: Part.TEXT_BODY,
    Tag.HTML: Part.HTML_BODY,
    Tag.RTF_COMPRESSED: Part.RTF_BODY,
}


@dataclass(frozen=True, slots=True)
class Assessment:
    """The verdict on one message.

    Attributes
    ----------
    grade
        How much of it is there.
    missing
        The parts that are not, in the order of :class:`Part`.
    reasons
        What was found wrong, in sentences, each once.
    """

    grade: Grade
    missing: tuple[Part, ...] = ()
    reasons: tuple[str, ...] = ()


def assess(message: Message, *, tree_unknown: bool = False) -> Assessment:
    """Read all of a message and say what is missing.

    Parameters
    ----------
    message : Message
        The message; its ``faults`` grow by what is found.
    tree_unknown : bool
        Nothing says where its sub-nodes are, or whether there are any.
    """
    tree_unknown |= bool(message.node.sub_bid) and not message.subnodes.entries
    missing = _properties_missing(message)
    if _recipients_missing(message, tree_unknown=tree_unknown):
        missing.add(Part.RECIPIENTS)
    if _attachments_missing(message, tree_unknown=tree_unknown, depth=0):
        missing.add(Part.ATTACHMENTS)
    if message.faults and not missing:
        missing.add(Part.SURE_BYTES)
    order = list(Part)
    return Assessment(
        Grade.PARTIAL if missing else Grade.COMPLETE,
        tuple(sorted(missing, key=order.index)),
        tuple(dict.fromkeys(fault.detail for fault in message.faults)),
    )


def _properties_missing(message: Message) -> set[Part]:
    """Read each property, the large ones one after the other."""
    if not message.readable:
        return {Part.PROPERTIES}
    found = {Part.SURE_BYTES} if message.faults else set()
    if any(fault.code == "heap" for fault in message.faults):
        found.add(Part.OTHER_PROPERTIES)
    bag = message.properties
    for tag in bag.tags:
        before = len(message.faults)
        bag.stored(tag)
        if len(message.faults) > before or tag in bag.unreadable:
            found.add(_PARTS.get(tag, Part.OTHER_PROPERTIES))
    return found


def _recipients_missing(message: Message, *, tree_unknown: bool) -> bool:
    """Read the recipients table; say whether rows, cells or the table are missing."""
    before = len(message.faults)
    for row in message.recipients:
        for tag in row.tags:
            row.stored(tag)
    if len(message.faults) > before:
        return True
    if SpecialNid.RECIPIENT_TABLE in message.subnodes.entries:
        return False
    shown = [tag for tag in _DISPLAYED if tag in message.properties.records]
    if any((message.properties.text(tag) or "").strip() for tag in shown):
        return True
    return tree_unknown and message.kind in _MAIL and len(shown) < len(_DISPLAYED)


def _attachments_missing(message: Message, *, tree_unknown: bool, depth: int) -> bool:
    """Read the attachments, one in memory at a time; say whether something of them is missing."""
    before = len(message.faults)
    found = message.attachments
    parts = [_is_whole(attachment, depth) for attachment in found]
    whole = all(parts)
    if tree_unknown and message.flags & _HAS_ATTACHMENT and not found:
        return True
    return not whole or len(message.faults) > before


def _is_whole(attachment: Attachment, depth: int) -> bool:
    if not attachment.readable:
        return False
    bag = attachment.properties
    for tag in bag.tags:
        if tag != Tag.ATTACH_DATA:
            bag.stored(tag)
    if attachment.method == AttachMethod.EMBEDDED_MESSAGE:
        return _embedded_is_whole(attachment, depth)
    if attachment.holds_data:
        return attachment.data() is not None
    return attachment.method not in {AttachMethod.BY_VALUE, AttachMethod.STORAGE}


def _embedded_is_whole(attachment: Attachment, depth: int) -> bool:
    inside = attachment.embedded() if depth < _DEEPEST else None
    if inside is None:
        return False
    missing = _properties_missing(inside)
    lost = _recipients_missing(inside, tree_unknown=False)
    lost |= _attachments_missing(inside, tree_unknown=False, depth=depth + 1)
    attachment.faults += inside.faults
    return not (missing or lost)
