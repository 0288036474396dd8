"""Messages put together by hand, as a store's reader would."""

from __future__ import annotations

import struct
from datetime import UTC, datetime

from mailforensics.mapi import (
    Attachment,
    MapiMessage,
    Party,
    Property,
    PropertyBag,
    PropertyType,
    Recipient,
    Tag,
)

SENT = datetime(2026, 3, 5, 8, 30, tzinfo=UTC)


def string(text: str) -> Property:
    return Property(PropertyType.STRING, text.encode("utf-16-le", "surrogatepass"))


def string8(data: bytes) -> Property:
    return Property(PropertyType.STRING8, data)


def integer(value: int) -> Property:
    return Property(PropertyType.INTEGER32, struct.pack("<i", value))


def binary(data: bytes) -> Property:
    return Property(PropertyType.BINARY, data)


def moment(value: datetime) -> Property:
    ticks = int((value - datetime(1601, 1, 1, tzinfo=UTC)).total_seconds() * 10_000_000)
    return Property(PropertyType.TIME, struct.pack("<Q", ticks))


def mail(*recipients: Recipient, attachments: list[Attachment] | None = None, **values: Property):
    """Build a message; keywords are names of :class:`Tag`."""
    bag = PropertyBag({Tag[name.upper()]: value for name, value in values.items()})
    bag.values.setdefault(Tag.MESSAGE_CLASS, string("IPM.Note"))
    return MapiMessage(bag, list(recipients), attachments or [])


def to(name: str | None, smtp: str | None, native: str | None = None) -> Recipient:
    return Recipient("to", Party(name, smtp, native))


def attached(name: str, data: bytes, **values: Property) -> Attachment:
    bag = PropertyBag({Tag[key.upper()]: value for key, value in values.items()})
    bag.values[Tag.ATTACH_LONG_FILENAME] = string(name)
    return Attachment(bag, data=lambda: data)


def embedded(name: str, inner: MapiMessage) -> Attachment:
    bag = PropertyBag({Tag.DISPLAY_NAME: string(name), Tag.ATTACH_METHOD: integer(5)})
    return Attachment(bag, embedded=lambda: inner)
