"""What is no mail (appointments, contacts, tasks, notes, lists) as readable lines."""

from __future__ import annotations

from collections.abc import Iterator
from types import MappingProxyType
from typing import Final

from mailforensics.mapi.message import MapiMessage, one_off
from mailforensics.mapi.properties import PropertyBag, PropertyType, Tag

__all__ = ["describe"]

_APPOINTMENT: Final = "00062002-0000-0000-c000-000000000046"
_TASK: Final = "00062003-0000-0000-c000-000000000046"
_ADDRESS: Final = "00062004-0000-0000-c000-000000000046"
_COMMON: Final = "00062008-0000-0000-c000-000000000046"
_LOG: Final = "0006200a-0000-0000-c000-000000000046"

_Line = tuple[str, int | tuple[str, int]]
_CONTACT: tuple[_Line, ...] = (
    ("Name", Tag.DISPLAY_NAME),
    ("Given name", Tag.GIVEN_NAME),
    ("Surname", Tag.SURNAME),
    ("Company", Tag.COMPANY_NAME),
    ("Job title", Tag.TITLE),
    ("E-mail", (_ADDRESS, 0x8083)),
    ("E-mail 2", (_ADDRESS, 0x8093)),
    ("E-mail 3", (_ADDRESS, 0x80A3)),
    ("Business telephone", Tag.BUSINESS_TELEPHONE_NUMBER),
    ("Home telephone", Tag.HOME_TELEPHONE_NUMBER),
    ("Mobile telephone", Tag.MOBILE_TELEPHONE_NUMBER),
    ("Business fax", Tag.BUSINESS_FAX_NUMBER),
    ("Postal address", Tag.POSTAL_ADDRESS),
)
_KINDS: MappingProxyType[str, tuple[str, tuple[_Line, ...]]] = MappingProxyType(
    {
        "IPM.APPOINTMENT": (
            "Appointment",
            (
                ("Begins", (_APPOINTMENT, 0x820D)),
                ("Ends", (_APPOINTMENT, 0x820E)),
                ("Place", (_APPOINTMENT, 0x8208)),
                ("All day", (_APPOINTMENT, 0x8215)),
                ("Organiser", Tag.SENT_REPRESENTING_NAME),
                ("Attendees", Tag.DISPLAY_TO),
            ),
        ),
        "IPM.CONTACT": ("Contact", _CONTACT),
        "IPM.DISTLIST": ("Distribution list", (("Name", Tag.DISPLAY_NAME),)),
        "IPM.TASK": (
            "Task",
            (
                ("Begins", (_TASK, 0x8104)),
                ("Due", (_TASK, 0x8105)),
                ("Done on", (_TASK, 0x810F)),
                ("Done", (_TASK, 0x8102)),
                ("Owner", (_TASK, 0x811F)),
            ),
        ),
        "IPM.STICKYNOTE": ("Note", ()),
        "IPM.ACTIVITY": (
            "Journal entry",
            (
                ("Kind", (_LOG, 0x8700)),
                ("Begins", (_LOG, 0x8706)),
                ("Ends", (_LOG, 0x8708)),
                ("Minutes", (_LOG, 0x8707)),
            ),
        ),
    }
)
_OTHER = ("Item", ())
_MEMBERS = (_ADDRESS, 0x8055)
_LARGEST_LIST = 10_000


def describe(message: MapiMessage) -> str:
    """Return the key facts of an item that is no mail, a line each; empty for mail."""
    if message.is_mail:
        return ""
    name = message.message_class.upper()
    kinds = (entry for start, entry in _KINDS.items() if name.startswith(start))
    label, lines = next(kinds, _OTHER)
    found = [f"{label} ({message.message_class})"]
    if message.subject:
        found.append(f"Subject: {message.subject}")
    for title, key in (*lines, ("Reminder", (_COMMON, 0x8560))):
        value = _shown(message.properties, key)
        if value:
            found.append(f"{title}: {value}")
    found += [f"Member: {member}" for member in _members(message.properties)]
    return "\r\n".join(" ".join(line.split()) for line in found) + "\r\n"


def _tag(bag: PropertyBag, key: int | tuple[str, int]) -> int | None:
    return bag.named(*key) if isinstance(key, tuple) else key


def _shown(bag: PropertyBag, key: int | tuple[str, int]) -> str | None:
    tag = _tag(bag, key)
    entry = bag.values.get(tag) if tag is not None else None
    if tag is None or entry is None:
        return None
    if entry.kind == PropertyType.TIME:
        moment = bag.moment(tag)
        return moment.strftime("%Y-%m-%d %H:%M UTC") if moment else None
    if entry.kind == PropertyType.BOOLEAN:
        return "yes" if bag.flag(tag) else None
    if entry.kind == PropertyType.FLOATING64:
        return f"{bag.number(tag) or 0:.0%}"
    if entry.kind in {PropertyType.INTEGER16, PropertyType.INTEGER32}:
        return str(bag.integer(tag))
    return bag.text(tag)


def _members(bag: PropertyBag) -> Iterator[str]:
    tag = _tag(bag, _MEMBERS)
    entry = bag.values.get(tag) if tag is not None else None
    for data in entry.values[:_LARGEST_LIST] if entry else ():
        who = one_off(data, bag)
        if who is not None:
            yield f"{who.name or ''} <{who.smtp or who.native or ''}>"
