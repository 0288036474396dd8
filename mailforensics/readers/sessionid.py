"""What Dovecot's session ids say: when a session began, and from which address.

A login id is base64 of 48 bits of microseconds since 1970 (little-endian; it wraps after 8.9
years), the client's port (16 bits) and its IPv4 or IPv6 address. A delivery id is base64 of a
GUID: nanoseconds and seconds since 1970 (32 bits each, little-endian), process id, host.
"""

from __future__ import annotations

import base64
import binascii
import ipaddress
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from typing import NamedTuple

__all__ = ["Session", "read_session"]

WRAP = timedelta(microseconds=1 << 48)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_FIRST, _LAST = datetime(2000, 1, 1, tzinfo=UTC), datetime(2100, 1, 1, tzinfo=UTC)


class Session(NamedTuple):
    """A session id taken apart.

    Attributes
    ----------
    moments
        The possible beginnings, UTC: one for a delivery, one in 8.9 years for a login.
    client_ip, client_port
        None for a delivery.
    """

    moments: tuple[datetime, ...]
    client_ip: str | None
    client_port: int | None


def _login(data: bytes) -> Session:
    moment = _EPOCH + timedelta(microseconds=int.from_bytes(data[:6], "little"))
    moments = []
    while moment < _LAST:
        if moment >= _FIRST:
            moments.append(moment)
        moment += WRAP
    address = ipaddress.ip_address(data[8:])
    if isinstance(address, ipaddress.IPv6Address) and address.ipv4_mapped:
        address = address.ipv4_mapped
    return Session(tuple(moments), str(address), int.from_bytes(data[6:8], "little"))


def _delivery(data: bytes) -> Session | None:
    nanoseconds = int.from_bytes(data[:4], "little")
    moment = _EPOCH + timedelta(seconds=int.from_bytes(data[4:8], "little"))
    if nanoseconds >= 10**9 or not _FIRST <= moment < _LAST:
        return None
    return Session((moment + timedelta(microseconds=nanoseconds // 1000),), None, None)


@lru_cache(maxsize=65536)
def read_session(text: str) -> Session | None:
    """Take a session id apart; None when it is of no known form.

    A suffix such as ``:1``, which later deliveries of one connection carry, is allowed.
    """
    coded = text.partition(":")[0]
    try:
        data = base64.b64decode(coded + "=" * (-len(coded) % 4), validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(data) in {12, 24}:
        return _login(data)
    return _delivery(data) if len(data) == 16 else None
