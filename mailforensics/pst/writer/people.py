"""The properties of a recipient of whom only name and address are known, [MS-PST] 2.4.5.3.1."""

from __future__ import annotations

from typing import Final

from mailforensics.mapi import Property, Recipient, Tag
from mailforensics.mapi.oneoff import one_off_entry
from mailforensics.pst.writer.properties import binary, boolean, integer, string

__all__ = ["recipient_values"]

_TYPES: Final = {"originator": 0, "to": 1, "cc": 2, "bcc": 3}
_MAIL_USER: Final = 6


def recipient_values(recipient: Recipient) -> dict[int, Property]:
    """Return what name, address and kind of a recipient say; more is not made up."""
    who = recipient.party
    kind, _, native = (who.native or "").partition(":")
    kind, address = ("SMTP", who.smtp) if who.smtp else (kind, native)
    name = who.name or address or ""
    values = {
        Tag.RECIPIENT_TYPE: integer(_TYPES.get(recipient.kind, 1)),
        0x0E0F: boolean(True),
        0x0FFE: integer(_MAIL_USER),
        0x3900: integer(0),
        Tag.DISPLAY_NAME: string(name),
        0x39FF: string(name),
        0x3A40: boolean(False),
    }
    if address:
        entry = binary(one_off_entry(name, kind, address))
        values |= {Tag.ADDRESS_TYPE: string(kind), Tag.EMAIL_ADDRESS: string(address)}
        values |= {0x0FFF: entry, 0x0FF9: entry}
        values[0x300B] = binary(f"{kind}:{address}".upper().encode("utf-8", "replace") + b"\0")
    if who.smtp:
        values[Tag.SMTP_ADDRESS] = string(who.smtp)
    return {int(tag): value for tag, value in values.items()}
