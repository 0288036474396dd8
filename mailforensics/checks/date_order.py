"""Whether the times of a message follow each other as they must."""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime, timedelta
from itertools import pairwise

from mailforensics.checks.base import Item, MessageCheck, Verdict
from mailforensics.mime.dates import parse_date
from mailforensics.schema import CheckStatus

__all__ = ["DateOrder", "received_times", "thread_index_time"]

SKEW = timedelta(minutes=5)
"""By how much the clocks of two servers may differ."""

CLIENT_SKEW = timedelta(hours=24)
"""By how much the clock of the sender may be ahead."""

STORE_SKEW = timedelta(hours=24)
"""By how much a store's time may be early: mbox files write it without a zone, and Outlook notes
when a draft was begun."""

LONG_BEFORE = timedelta(days=7)
"""How long a message may wait between its Date and the first server."""

_FIRST_MAIL = datetime(1982, 8, 1, tzinfo=UTC)
_FILETIME = datetime(1601, 1, 1, tzinfo=UTC)
_MOST_HOPS = 200


class DateOrder(MessageCheck):
    """Compares Date, the Received chain, the store's times and Thread-Index."""

    NAME = "date_order"
    TITLE = "Times in order"
    QUESTION = "Do the times that sender, servers and store wrote follow each other?"
    PROVES = (
        "Sender, servers and store agree about the time: servers within 5 minutes, the clocks of "
        "sender and store within 24 hours, at most 7 days between writing and sending."
    )
    PROVES_NOT = (
        "That the times are true: a sender sets his own clock, and whoever can edit a store can "
        "write any time. A message out of order is often innocent (a wrong clock, a draft sent "
        "late, a message moved to another mailbox)."
    )
    WORDS = {  # noqa: RUF012 - a class constant
        "pass": "have their times in order",
        "fail": "have impossible times",
        "warn": "have times that do not follow each other",
        "not_applicable": "have fewer than two times to compare",
    }

    def judge(self, item: Item) -> Verdict:
        """Return the verdict about one message."""
        hops = [] if item.rebuilt and not item.values("received") else received_times(item)
        sent, received, stored = (
            item.row[name] for name in ("sent_at", "received_at", "stored_at")
        )
        times = [at for at in (sent, *(hops or [received]), stored) if at is not None]
        if len(times) < 2:
            return Verdict(CheckStatus.NOT_APPLICABLE, "It has fewer than two times to compare.")
        notes = [*_chain(hops), *_ends(sent, hops or [received], stored)]
        notes += [*_limits(times, item.acquired_at), *_thread(item, sent)]
        if notes:
            return Verdict(CheckStatus.WARN, "Its times do not follow each other.", " ".join(notes))
        said = f"Its {len(times)} times follow each other."
        return Verdict(CheckStatus.PASS, said, " → ".join(_say(at) for at in times[:8]))


def received_times(item: Item) -> list[datetime]:
    """Return the times of the Received headers that can be read, first server first."""
    found = []
    for value in reversed(item.values("received")[:_MOST_HOPS]):
        text = value[-300:].rpartition(b";")[2].decode("latin-1")
        at = parse_date(re.sub(r"\s+", " ", text).strip())[0]
        if at is not None:
            found.append(at)
    return found


def thread_index_time(value: bytes) -> tuple[datetime, int] | None:
    """Return when a Thread-Index began, and how many replies deep it is ([MS-OXOMSG] 2.2.1.3).

    After a reserved byte 1 stand the upper 40 bits of a FILETIME, 16 bytes of GUID, then five bytes
    for each reply. Older programs write the upper 48 bits without the reserved byte: their first
    byte is also 1, as it is in the FILETIME of any day from 1829 to 2057.
    """
    try:
        data = base64.b64decode(re.sub(rb"\s", b"", value[:20_000]), validate=True)
    except (binascii.Error, ValueError):
        return None
    if len(data) < 22 or data[0] != 1:
        return None
    newer = data[1] == 1
    ticks = (
        int.from_bytes(data[1:6], "big") << 24 if newer else int.from_bytes(data[:6], "big") << 16
    )
    return _FILETIME + timedelta(microseconds=ticks // 10), (len(data) - 22) // 5


def _chain(hops: list[datetime]) -> Iterator[str]:
    for number, (before, after) in enumerate(pairwise(hops), 2):
        if before - after > SKEW:
            yield (
                f"Server {number} wrote {_say(after)}, {_length(before - after)} before the "
                f"server that handed the message to it."
            )


def _ends(
    sent: datetime | None, hops: Sequence[datetime | None], stored: datetime | None
) -> Iterator[str]:
    first, last = hops[0] if hops else None, hops[-1] if hops else None
    if sent and first:
        if sent - first > CLIENT_SKEW:
            yield f"Its Date lies {_length(sent - first)} after the first server received it."
        elif first - sent > LONG_BEFORE:
            yield f"Its Date lies {_length(first - sent)} before the first server received it."
    if stored and last and last - stored > STORE_SKEW:
        yield f"It was stored {_length(last - stored)} before the last server received it."
    if sent and stored and not last and sent - stored > CLIENT_SKEW:
        yield f"It was stored {_length(sent - stored)} before its Date."


def _limits(times: list[datetime], acquired_at: datetime | None) -> Iterator[str]:
    if acquired_at is not None and max(times) - acquired_at > CLIENT_SKEW:
        yield f"It bears a time after the evidence was acquired: {_say(max(times))}."
    if min(times) < _FIRST_MAIL:
        yield f"It bears a time before there was Internet mail: {_say(min(times))}."


def _thread(item: Item, sent: datetime | None) -> Iterator[str]:
    values = item.values("thread-index")
    found = thread_index_time(values[0]) if values else None
    if found is None or sent is None:
        return
    began, depth = found
    if began - sent > CLIENT_SKEW:
        yield f"Its Thread-Index says that the conversation began on {_say(began)}, after its Date."
    elif depth == 0 and sent - began > LONG_BEFORE:
        yield f"Its Thread-Index says that it was begun on {_say(began)}, long before its Date."


def _say(at: datetime) -> str:
    return f"{at.astimezone(UTC):%Y-%m-%d %H:%M:%S} UTC"


def _length(span: timedelta) -> str:
    minutes = int(span.total_seconds() // 60)
    if minutes < 120:
        return f"{minutes:,} minutes"
    return f"{minutes // 60:,} hours" if minutes < 2 * 1440 else f"{minutes // 1440:,} days"
