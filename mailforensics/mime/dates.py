"""Dates in headers (RFC 5322 section 3.3 and 4.3, and the forms seen beside them)."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from types import MappingProxyType

__all__ = ["ParsedDate", "parse_date"]

ParsedDate = tuple[datetime | None, int | None]

_Day = tuple[int, int, int]
_Clock = tuple[str | int, str, str | None]

_NOTHING: ParsedDate = (None, None)
_MONTHS = MappingProxyType(
    {
        name: number
        for number, name in enumerate(
            ["jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"],
            start=1,
        )
    }
)
_ZONES = MappingProxyType(
    {
        "ut": 0, "utc": 0, "gmt": 0, "z": 0, "wet": 0, "est": -300, "edt": -240, "cst": -360,
        "cdt": -300, "mst": -420, "mdt": -360, "pst": -480, "pdt": -420, "akst": -540,
        "akdt": -480, "hst": -600, "ast": -240, "adt": -180, "nst": -210, "ndt": -150,
        "bst": 60, "west": 60, "cet": 60, "met": 60, "mez": 60, "cest": 120, "mest": 120,
        "mesz": 120, "eet": 120, "eest": 180, "msk": 180, "msd": 240, "jst": 540, "kst": 540,
        "hkt": 480, "sgt": 480, "awst": 480, "aest": 600, "aedt": 660, "nzst": 720, "nzdt": 780,
    }
)  # fmt: skip
"""Zone names -> minutes east of UTC. CST is North American, as RFC 5322 section 4.3 says."""

_FARTHEST = 24 * 60
_RFC = re.compile(
    r"\s*(?:[A-Za-z]{3,9}\.?\s*,?\s*)?(\d{1,2})[\s-]\s*([A-Za-z]{3})[a-z]*\.?[\s-]\s*(\d{2,4})"
    r"[\s,]\s*(\d{1,2})[:.](\d{2})(?:[:.](\d{2})(?:\.\d{1,9})?)?\s*([^\s(].*)?(?:\(.*)?",
    re.DOTALL,
)
_USUAL = re.compile(
    r"(?:[A-Za-z]{3}, )?(\d{1,2}) ([A-Za-z]{3}) (\d{4}) ((?:[01]\d|2[0-3]):\d\d:\d\d) "
    r"([+-]\d{4}|GMT)",
    re.ASCII,
)
_ASCTIME = re.compile(
    r"\s*(?:[A-Za-z]{3,9},?\s+)?([A-Za-z]{3})[a-z]*\.?\s+(\d{1,2}),?\s+(\d{1,2}):(\d{2})"
    r"(?::(\d{2}))?\s+(?:([A-Za-z]{1,5}|[+-]\d{4})\s+)?(\d{4})(?:\s+([A-Za-z]{1,5}|[+-]\d{4}))?\s*"
)
_US = re.compile(
    r"\s*(?:[A-Za-z]{3,9},?\s+)?([A-Za-z]{3})[a-z]*\.?\s+(\d{1,2}),?\s+(\d{4}),?\s+"
    r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(?:([AaPp])[Mm])?\s*(\S.*)?",
    re.DOTALL,
)
_ISO = re.compile(
    r"\s*(?:[A-Za-z]{3,9},?\s+)?(\d{4})([-/.])(\d{1,2})\2(\d{1,2})[T\s]\s*"
    r"(\d{1,2}):(\d{2})(?::(\d{2})(?:[.,]\d{1,9})?)?\s*(\S.*)?",
    re.DOTALL,
)
_CJK = re.compile(
    r"\s*(\d{4})\s*年\s*(\d{1,2})\s*月\s*(\d{1,2})\s*日?\s*"
    r"[（(]?(?:(?:星期|周|週)?[一二三四五六日天月火水木金土](?:曜日)?)?[)）]?\s*"
    r"(上午|下午|午前|午後|早上|晚上|中午|凌晨)?\s*(\d{1,2})[:：时時](\d{2})"
    r"(?:[:：分](\d{2})?秒?)?\s*(\S.*)?",
    re.DOTALL,
)
_OFFSET = re.compile(r"(?:GMT|UTC|UT)?\s*([+-])\s*(\d{1,2}):?(\d{2})?(?!\d)", re.IGNORECASE)
_COMMENT = re.compile(r"\([^()]*+\)")
_AROUND_COLON = re.compile(r"(?<!\s)\s*+:\s*+")
_WORD = re.compile(r"[A-Za-z]+")


def parse_date(text: str) -> ParsedDate:
    """Read a date as headers write it.

    Parameters
    ----------
    text : str
        The value of a Date header, or what follows the last semicolon of Received.

    Returns
    -------
    at : datetime or None
        In UTC; None when the text is no date. Where no zone stands, or one that says nothing
        (``-0000``, an unknown name), the time is read as UTC.
    offset_min : int or None
        Minutes east of UTC that the writer stated; None when unknown.
    """
    if len(text) > 300:
        text = text[:300]
    found = _USUAL.fullmatch(text)
    if found is not None:
        usual = _usual(*found.groups())
        if usual is not None:
            return usual
    found = _RFC.fullmatch(text)
    if found is not None:
        day, month, year, hour, minute, second, zone = found.groups()
        number = _MONTHS.get(month.lower())
        if number is None:
            return _NOTHING
        return _build((_year(year), number, int(day)), (hour, minute, second), zone)
    for pattern, read in _FORMS:
        found = pattern.fullmatch(text)
        if found is not None:
            return read(found)
    plain = _AROUND_COLON.sub(":", _COMMENT.sub("", text))
    return parse_date(plain) if plain != text else _NOTHING


def _usual(day: str, month: str, year: str, clock: str, zone: str) -> ParsedDate | None:
    """Read a date that is as the standard says; None leaves it to the patient way."""
    number = _MONTHS.get(month.lower(), 0)
    try:
        local = datetime.fromisoformat(f"{year}-{number:02}-{day:0>2}T{clock}+00:00")
    except ValueError:
        return None
    offset, sound = _zone(zone)
    if not sound or not 1900 <= local.year <= 9000:
        return None
    return (local - timedelta(minutes=offset) if offset else local), offset


def _year(digits: str) -> int:
    """Widen a short year (RFC 5322 section 4.3)."""
    year = int(digits)
    if len(digits) == 2:
        return year + (2000 if year < 50 else 1900)
    return year + 1900 if len(digits) == 3 else year


def _build(day: _Day, clock: _Clock, zone: str | None) -> ParsedDate:
    """Build the moment; what no calendar knows is no date."""
    offset, sound = _zone(zone)
    year, month, date = day
    hour, minute, second = clock
    seconds = int(second or 0)
    if not sound or seconds > 60 or not 1900 <= year <= 9000:
        return _NOTHING
    try:
        local = datetime(year, month, date, int(hour), int(minute), min(seconds, 59), tzinfo=UTC)
    except ValueError:
        return _NOTHING
    shift = (seconds == 60) - (offset or 0) * 60
    return (local + timedelta(seconds=shift) if shift else local), offset


@lru_cache(maxsize=1024)
def _zone(zone: str | None) -> tuple[int | None, bool]:
    """Return minutes east of UTC or None when unknown, and whether the zone can be."""
    if not zone:
        return None, True
    found = _OFFSET.match(zone)
    if found is None:
        word = _WORD.match(zone)
        return (_ZONES.get(word.group().lower()) if word else None), True
    sign, hours, minutes = found.groups()
    if sign == "-" and not int(hours) and not int(minutes or 0):
        return None, True
    offset = int(hours) * 60 + int(minutes or 0)
    if offset > _FARTHEST or int(minutes or 0) > 59:
        return None, False
    return (-offset if sign == "-" else offset), True


def _asctime(found: re.Match[str]) -> ParsedDate:
    month, day, hour, minute, second, zone, year, after = found.groups()
    number = _MONTHS.get(month.lower())
    if number is None:
        return _NOTHING
    return _build((int(year), number, int(day)), (hour, minute, second), zone or after)


def _american(found: re.Match[str]) -> ParsedDate:
    month, day, year, hour, minute, second, half, zone = found.groups()
    number = _MONTHS.get(month.lower())
    if number is None or (half and not 1 <= int(hour) <= 12):
        return _NOTHING
    clock = int(hour) if not half else int(hour) % 12 + (12 if half in "Pp" else 0)
    return _build((int(year), number, int(day)), (clock, minute, second), zone)


def _iso(found: re.Match[str]) -> ParsedDate:
    year, _, month, day, hour, minute, second, zone = found.groups()
    return _build((int(year), int(month), int(day)), (hour, minute, second), zone)


def _east_asian(found: re.Match[str]) -> ParsedDate:
    year, month, day, half, hour, minute, second, zone = found.groups()
    clock = int(hour)
    if half in ("下午", "午後", "晚上") and clock < 12:
        clock += 12
    elif half in ("上午", "午前", "凌晨") and clock == 12:
        clock = 0
    return _build((int(year), int(month), int(day)), (clock, minute, second), zone)


_FORMS: tuple[tuple[re.Pattern[str], Callable[[re.Match[str]], ParsedDate]], ...] = (
    (_ASCTIME, _asctime),
    (_US, _american),
    (_ISO, _iso),
    (_CJK, _east_asian),
)
