"""The lines of mail server logs: time, process, text; written by the server itself or syslog."""

from __future__ import annotations

import ipaddress
import re
from datetime import datetime, timedelta, timezone
from typing import NamedTuple

__all__ = ["LogLine", "Stamp", "fields_of", "parse_line"]

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_SYSLOG = re.compile(
    r"(?:<\d{1,3}>)?(?:([A-Z][a-z]{2})|(\d{1,2})月) +(\d{1,2}) (\d\d):(\d\d):(\d\d)(?:\.\d{1,9})? "
)
_ISO = re.compile(
    r"(?:<\d{1,3}>1 )?(\d{4})-(\d\d)-(\d\d)[T ](\d\d):(\d\d):(\d\d)(?:[.,](\d{1,9}))?"
    r" ?(Z|[+-]\d\d:?\d\d)? "
)
_TAG = re.compile(r"(?:\S+ )?dovecot(?:\[\d+\]: |: | \S+ \S+ (?:-|\[.*?\]) )")
_PROCESS = re.compile(
    r"(imap|pop3|lmtp|lda|deliver|doveadm|submission|sieve|imap-login|pop3-login|submission-login|"
    r"managesieve-login|managesieve|imap-hibernate)"
    r"(?:\(([^()]{0,300})\))?(?:<(\d{1,10})>)?(?:<([^<>]{0,100})>)?: "
    r"(?:(?:Info|Debug|Warning|Error|Fatal|Panic): )?"
)
_POSTFIX = re.compile(r"(?:\S+ )?postfix(?:-[\w-]+)?/(?:[\w-]+/)?([\w-]+)\[\d+\]: ")
_KEYS = (
    "box|uid|msgid|size|vsize|psize|from|subject|flags|user|method|rip|lip|rport|lport|mpid|session"
)
_FIELD = re.compile(rf"(?:^|, )({_KEYS})=")
_LAST = frozenset({"flags", "session"})


class Stamp(NamedTuple):
    """The time of a line as written; ``year`` and ``offset`` are None where it names none."""

    year: int | None
    month: int
    day: int
    clock: timedelta
    offset: timedelta | None

    def in_year(self, year: int) -> datetime | None:
        """Return the time as if the clock were UTC, or None when there is no such day."""
        try:
            day = datetime(year, self.month, self.day, tzinfo=timezone.utc)  # noqa: UP017
        except ValueError:
            return None
        return day + self.clock


class LogLine(NamedTuple):
    """A line taken apart.

    Attributes
    ----------
    service
        ``imap``, ``imap-login``, ``lmtp`` …; ``postfix/lmtp`` … for lines of Postfix.
    user, session, client_ip
        As the line names them before its text; None where it does not.
    """

    stamp: Stamp
    service: str
    user: str | None
    session: str | None
    client_ip: str | None
    text: str


def _syslog_stamp(found: re.Match[str]) -> Stamp | None:
    word, number, day, hour, minute, second = found.groups()
    if word is not None and word not in _MONTHS:
        return None
    month = _MONTHS.index(word) + 1 if word else int(number)
    clock = timedelta(hours=int(hour), minutes=int(minute), seconds=int(second))
    return Stamp(None, month, int(day), clock, None)


def _offset(zone: str | None) -> timedelta | None:
    if zone is None:
        return None
    if zone == "Z":
        return timedelta(0)
    size = timedelta(hours=int(zone[1:3]), minutes=int(zone[-2:]))
    return -size if zone[0] == "-" else size


def _iso_stamp(found: re.Match[str]) -> Stamp | None:
    year, month, day, hour, minute, second, fraction, zone = found.groups()
    micro = int((fraction or "0")[:6].ljust(6, "0"))
    clock = timedelta(hours=int(hour), minutes=int(minute), seconds=int(second), microseconds=micro)
    return Stamp(int(year), int(month), int(day), clock, _offset(zone))


def _stamp(line: str) -> tuple[Stamp | None, int]:
    """Return the time at the beginning of a line and where the rest begins."""
    found = _SYSLOG.match(line)
    stamp = _syslog_stamp(found) if found else None
    if found is None:
        found = _ISO.match(line)
        stamp = _iso_stamp(found) if found else None
    if found is None or stamp is None or stamp.in_year(stamp.year or 2000) is None:
        return None, 0
    return stamp, found.end()


def _is_address(text: str) -> bool:
    try:
        ipaddress.ip_address(text)
    except ValueError:
        return False
    return True


def _who(names: str | None) -> tuple[str | None, str | None]:
    """Split what stands in the parentheses into user and address; process ids are dropped."""
    user = address = None
    for part in (names or "").split(","):
        word = part.strip()
        if not word or word.isdecimal() or word.startswith("pid="):
            continue
        if user is not None and _is_address(word):
            address = word
        elif user is None:
            user = word
    return user, address


def parse_line(line: str) -> LogLine | None:
    """Take a line apart; None when it is none of Dovecot's or Postfix's."""
    stamp, start = _stamp(line)
    if stamp is None:
        return None
    tag = _TAG.match(line, start)
    found = _PROCESS.match(line, tag.end() if tag else start)
    if found is not None:
        service, names, _, session = found.groups()
        user, address = _who(names)
        return LogLine(stamp, service, user, session or None, address, line[found.end() :])
    found = _POSTFIX.match(line, start)
    if found is None:
        return None
    return LogLine(stamp, f"postfix/{found.group(1)}", None, None, None, line[found.end() :])


def fields_of(text: str) -> dict[str, str]:
    """Read ``key=value, key=value``; only known keys divide, since subjects hold commas.

    What the sender wrote (from, subject) stands behind what the server wrote, so of a key that
    stands twice the first counts; of the flags and the session, which end the line, the last.
    """
    found = list(_FIELD.finditer(text))
    values: dict[str, str] = {}
    for match, after in zip(found, [*found[1:], None], strict=False):
        value = text[match.end() : after.start() if after else len(text)]
        key = match.group(1)
        if key in _LAST or key not in values:
            values[key] = value
    return values
