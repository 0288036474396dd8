"""Entry identifiers of people who are in no address book, [MS-OXCDATA] 2.2.5.1."""

from __future__ import annotations

import struct
from collections.abc import Iterable
from typing import Final

__all__ = ["entry_list", "one_off_entry"]

_PROVIDER: Final = bytes.fromhex("812b1fa4bea310199d6e00dd010f5402")
_UNICODE_NO_RICH_TEXT: Final = 0x9001


def one_off_entry(name: str, kind: str, address: str) -> bytes:
    """Return the entry identifier of somebody.

    Parameters
    ----------
    name, kind, address : str
        Display name, type of the address (``SMTP``), and the address.
    """
    strings = "".join(f"{text}\0" for text in (name, kind, address))
    head = bytes(4) + _PROVIDER + struct.pack("<HH", 0, _UNICODE_NO_RICH_TEXT)
    return head + strings.encode("utf-16-le", "surrogatepass")


def entry_list(entries: Iterable[bytes]) -> bytes:
    """Return a FLATENTRYLIST, [MS-OXCDATA] 2.3.3."""
    listed = list(entries)
    body = b"".join(
        struct.pack("<I", len(entry)) + entry + bytes(-len(entry) % 4) for entry in listed
    )
    return struct.pack("<II", len(listed), len(body)) + body
