"""MAPI properties: their types, the tags that mail needs, and a bag that holds one object's.

Values stay as the store keeps them (little-endian bytes) until somebody asks; so the code page of
8-bit strings can be settled late and nothing is lost on the way. [MS-OXCDATA] 2.11,
[MS-OXPROPS] for the names of the tags.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from enum import IntEnum
from typing import Final

from mailforensics import mime
from mailforensics.mapi.codepages import charset_of, codec_of, locale_code_page

__all__ = [
    "NameKey",
    "Property",
    "PropertyBag",
    "PropertyType",
    "Tag",
    "filetime",
    "property_names",
]

NameKey = tuple[str, int | str]
"""Property set GUID (lower-case, without braces) and the number or name inside it."""

MULTIVALUE: Final = 0x1000
_EPOCH = datetime(1601, 1, 1, tzinfo=UTC)
_EARLIEST = datetime(1970, 1, 2, tzinfo=UTC)
_LATEST = datetime(2200, 1, 1, tzinfo=UTC)
_INTEGERS = {0x0002: "<h", 0x0003: "<i", 0x0014: "<q"}


class PropertyType(IntEnum):
    """Property types, [MS-OXCDATA] 2.11.1."""

    INTEGER16 = 0x0002
    INTEGER32 = 0x0003
    FLOATING32 = 0x0004
    FLOATING64 = 0x0005
    CURRENCY = 0x0006
    FLOATING_TIME = 0x0007
    ERROR_CODE = 0x000A
    BOOLEAN = 0x000B
    OBJECT = 0x000D
    INTEGER64 = 0x0014
    STRING8 = 0x001E
    STRING = 0x001F
    TIME = 0x0040
    GUID = 0x0048
    BINARY = 0x0102


class Tag(IntEnum):
    """Property identifiers; the names are those of [MS-OXPROPS] without ``PidTag``."""

    IMPORTANCE = 0x0017
    MESSAGE_CLASS = 0x001A
    SENSITIVITY = 0x0036
    SUBJECT = 0x0037
    CLIENT_SUBMIT_TIME = 0x0039
    SUBJECT_PREFIX = 0x003D
    SENT_REPRESENTING_NAME = 0x0042
    REPLY_RECIPIENT_ENTRIES = 0x004F
    SENT_REPRESENTING_ADDRESS_TYPE = 0x0064
    SENT_REPRESENTING_EMAIL_ADDRESS = 0x0065
    CONVERSATION_TOPIC = 0x0070
    CONVERSATION_INDEX = 0x0071
    TRANSPORT_MESSAGE_HEADERS = 0x007D
    NON_DELIVERY_REPORT_SUPPLEMENTARY = 0x0C1B
    RECIPIENT_TYPE = 0x0C15
    SENDER_NAME = 0x0C1A
    SENDER_ADDRESS_TYPE = 0x0C1E
    SENDER_EMAIL_ADDRESS = 0x0C1F
    DISPLAY_BCC = 0x0E02
    DISPLAY_CC = 0x0E03
    DISPLAY_TO = 0x0E04
    MESSAGE_DELIVERY_TIME = 0x0E06
    MESSAGE_FLAGS = 0x0E07
    NORMALIZED_SUBJECT = 0x0E1D
    BODY = 0x1000
    REPORT_TEXT = 0x1001
    RTF_COMPRESSED = 0x1009
    HTML = 0x1013
    NATIVE_BODY = 0x1016
    INTERNET_MESSAGE_ID = 0x1035
    INTERNET_REFERENCES = 0x1039
    IN_REPLY_TO_ID = 0x1042
    LAST_VERB_EXECUTED = 0x1081
    FLAG_STATUS = 0x1090
    DISPLAY_NAME = 0x3001
    ADDRESS_TYPE = 0x3002
    EMAIL_ADDRESS = 0x3003
    CREATION_TIME = 0x3007
    LAST_MODIFICATION_TIME = 0x3008
    IPM_WASTEBASKET_ENTRY_ID = 0x35E3
    CONTENT_COUNT = 0x3602
    ATTACH_DATA = 0x3701
    ATTACH_FILENAME = 0x3704
    ATTACH_METHOD = 0x3705
    ATTACH_LONG_FILENAME = 0x3707
    ATTACH_PATHNAME = 0x3708
    RENDERING_POSITION = 0x370B
    ATTACH_LONG_PATHNAME = 0x370D
    ATTACH_MIME_TAG = 0x370E
    ATTACH_CONTENT_ID = 0x3712
    ATTACH_CONTENT_LOCATION = 0x3713
    ATTACH_FLAGS = 0x3714
    SMTP_ADDRESS = 0x39FE
    GIVEN_NAME = 0x3A06
    BUSINESS_TELEPHONE_NUMBER = 0x3A08
    HOME_TELEPHONE_NUMBER = 0x3A09
    SURNAME = 0x3A11
    POSTAL_ADDRESS = 0x3A15
    COMPANY_NAME = 0x3A16
    TITLE = 0x3A17
    MOBILE_TELEPHONE_NUMBER = 0x3A1C
    BUSINESS_FAX_NUMBER = 0x3A24
    INTERNET_CODEPAGE = 0x3FDE
    MESSAGE_LOCALE_ID = 0x3FF1
    MESSAGE_CODEPAGE = 0x3FFD
    SENDER_SMTP_ADDRESS = 0x5D01
    SENT_REPRESENTING_SMTP_ADDRESS = 0x5D02
    RECIPIENT_DISPLAY_NAME = 0x5FF6
    ATTACHMENT_HIDDEN = 0x7FFE


@dataclass(frozen=True, slots=True)
class Property:
    """One stored value.

    Attributes
    ----------
    kind
        Its property type, [MS-OXCDATA] 2.11.1; with 0x1000 set when it has many values.
    data
        Its bytes, little-endian.
    values
        The bytes of each value of a property with many.
    """

    kind: int
    data: bytes = b""
    values: tuple[bytes, ...] = ()


def filetime(data: bytes) -> datetime | None:
    """Turn a FILETIME (100 ns since 1601, UTC) into a datetime.

    Stand-ins for "no date" (zero, 1601, 1970-01-01, 4501) and what no mail can have give None.
    """
    if len(data) != 8:
        return None
    (ticks,) = struct.unpack("<Q", data)
    try:
        moment = _EPOCH + timedelta(microseconds=ticks // 10)
    except OverflowError:
        return None
    return moment if _EARLIEST <= moment < _LATEST else None


@dataclass(slots=True)
class PropertyBag:
    """The properties of one object: a message, a recipient, an attachment.

    Attributes
    ----------
    values
        Property identifier (16 bit) -> :class:`Property`.
    names
        Property identifier (0x8000 and up) -> its property set and number or name.
    code_page
        Code page of 8-bit strings where the object itself names none.
    unreadable
        Identifiers of properties that are there but could not be read.
    """

    values: dict[int, Property] = field(default_factory=dict)
    names: dict[int, NameKey] = field(default_factory=dict)
    code_page: int | None = None
    unreadable: list[int] = field(default_factory=list)

    def __contains__(self, tag: object) -> bool:
        return tag in self.values

    def text_code_page(self) -> int | None:
        """Return the code page of this object's 8-bit strings, None when nothing names one."""
        for page in (
            self.integer(Tag.MESSAGE_CODEPAGE),
            self.code_page,
            locale_code_page(self.integer(Tag.MESSAGE_LOCALE_ID)),
            self.integer(Tag.INTERNET_CODEPAGE),
        ):
            if page not in {1200, 1201} and codec_of(page):
                return page
        return None

    def integer(self, tag: int) -> int | None:
        """Return a whole number, None when it is not there or of another type."""
        entry = self.values.get(tag)
        form = _INTEGERS.get(entry.kind) if entry else None
        if entry is None or form is None or len(entry.data) < struct.calcsize(form):
            return None
        return int(struct.unpack_from(form, entry.data)[0])

    def flag(self, tag: int) -> bool | None:
        """Return a yes or no, None when it is not there."""
        entry = self.values.get(tag)
        if entry is None or entry.kind != PropertyType.BOOLEAN or not entry.data:
            return None
        return entry.data[0] != 0

    def moment(self, tag: int) -> datetime | None:
        """Return a point in time (UTC), None when it is not there or no real date."""
        entry = self.values.get(tag)
        if entry is None or entry.kind != PropertyType.TIME:
            return None
        return filetime(entry.data)

    def number(self, tag: int) -> float | None:
        """Return a floating-point number, None when it is not there."""
        entry = self.values.get(tag)
        if entry is None or entry.kind != PropertyType.FLOATING64 or len(entry.data) < 8:
            return None
        return float(struct.unpack_from("<d", entry.data)[0])

    def binary(self, tag: int) -> bytes | None:
        """Return bytes as they are stored, None when it is not there."""
        entry = self.values.get(tag)
        return entry.data if entry and entry.kind == PropertyType.BINARY else None

    def text(self, tag: int) -> str | None:
        """Return a string, decoded; None when it is not there, empty or of another type."""
        entry = self.values.get(tag)
        return (self.decode(entry) or None) if entry else None

    def texts(self, tag: int) -> list[str]:
        """Return the strings of a property with many values."""
        entry = self.values.get(tag)
        if entry is None:
            return []
        kind = entry.kind & ~MULTIVALUE
        found = [self.decode(Property(kind, value)) for value in entry.values]
        return [value for value in found if value]

    def decode(self, entry: Property) -> str:
        """Decode a string value; empty when the property holds no string."""
        if entry.kind == PropertyType.STRING:
            data = entry.data[: len(entry.data) & ~1]
            return data.decode("utf-16-le", "replace").rstrip("\0")
        if entry.kind == PropertyType.STRING8:
            return self.decode8(entry.data).rstrip("\0")
        return ""

    def decode8(self, data: bytes) -> str:
        """Decode an 8-bit string: by its code page where it fits, else by what fits."""
        if data.isascii():
            return data.decode("ascii")
        page = self.text_code_page()
        try:
            if codec := codec_of(page):
                return data.decode(codec)
        except UnicodeDecodeError:
            pass
        return mime.decode_text(data.rstrip(b"\0"), charset_of(page))[0]

    def named(self, guid: str, name: int | str) -> int | None:
        """Return the identifier under which this store keeps a named property."""
        key = (guid, name)
        return next((tag for tag, known in self.names.items() if known == key), None)


_FIXED_SETS = {
    1: "00020328-0000-0000-c000-000000000046",  # PS_MAPI
    2: "00020329-0000-0000-c000-000000000046",  # PS_PUBLIC_STRINGS
}


def property_names(guids: bytes, entries: bytes, strings: bytes) -> dict[int, NameKey]:
    """Read the table that gives names to identifiers from 0x8000 up.

    The three streams have the same shape in a PST ([MS-PST] 2.4.7) and an MSG
    ([MS-OXMSG] 2.2.3). Entries that point outside their streams are left out.
    """
    found: dict[int, NameKey] = {}
    for number, kind, index in struct.iter_unpack("<IHH", entries[: len(entries) // 8 * 8]):
        guid = _FIXED_SETS.get(kind >> 1) or _guid(guids, (kind >> 1) - 3)
        name: int | str | None = _name(strings, number) if kind & 1 else number
        if guid is not None and name is not None and index < 0x7FFF:
            found[0x8000 + index] = (guid, name)
    return found


def _guid(guids: bytes, index: int) -> str | None:
    if index < 0 or 16 * index + 16 > len(guids):
        return None
    first, second, third, rest = struct.unpack_from("<IHH8s", guids, 16 * index)
    tail = rest.hex()
    return f"{first:08x}-{second:04x}-{third:04x}-{tail[:4]}-{tail[4:]}"


def _name(strings: bytes, offset: int) -> str | None:
    if offset + 4 > len(strings):
        return None
    (size,) = struct.unpack_from("<I", strings, offset)
    data = strings[offset + 4 : offset + 4 + size]
    return data.decode("utf-16-le", "replace") if len(data) == size else None
