"""Years and time zones for logs that write neither.

A session id holds the moment at which a session began, in UTC with its year. Where a line is
written at that moment (a login, a delivery), the difference of the two is the log's time zone.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta

from mailforensics.readers.loglines import Stamp
from mailforensics.readers.sessionid import Session

__all__ = ["Clock", "Clue"]

_QUARTER = timedelta(minutes=15)
_WIDEST = timedelta(hours=14, minutes=5)
_EARLY, _PROMPT = timedelta(seconds=-2), timedelta(seconds=120)


@dataclass(frozen=True, slots=True)
class Clue:
    """What one line tells: its year, and the zone of the log when it was written promptly.

    ``turn`` counts New Years that the log has passed at this line.
    """

    line: int
    turn: int
    year: int
    offset: timedelta | None
    lag: timedelta
    prompt: bool


@dataclass(slots=True)
class Clock:
    """Turns the times of one log into UTC.

    Call :meth:`see` for each line in order, then :meth:`settle`, then :meth:`restart` and
    :meth:`at` for each line in order again.
    """

    modified: datetime | None = None
    clues: list[Clue] = field(default_factory=list)
    year_source: str = ""
    zone_source: str = ""
    has_zoneless: bool = False
    _turn: int = 0
    _month: int | None = None
    _last: Stamp | None = None
    _next: int = 0
    _base: int | None = None
    _offset: timedelta | None = None
    _seen: set[str] = field(default_factory=set)

    def _pass(self, stamp: Stamp) -> int:
        """Count New Years: a step from December back to January, or the reverse."""
        if self._month is not None and abs(stamp.month - self._month) > 6:
            self._turn += 1 if stamp.month < self._month else -1
        self._month = stamp.month
        return self._turn

    def see(
        self, number: int, stamp: Stamp, session: str | None, known: Session | None, *, prompt: bool
    ) -> None:
        """Look at a line: the first line of each session is a clue."""
        turn = self._pass(stamp)
        if stamp.offset is not None:
            return
        self.has_zoneless = True
        if stamp.year is None:
            self._last = stamp
        if session is None or known is None or session in self._seen or len(self.clues) >= 100_000:
            return
        self._seen.add(session)
        clue = _clue(number, turn, stamp, known, prompt=prompt)
        if clue is not None:
            self.clues.append(clue)

    def settle(self) -> None:
        """Choose where year and zone come from; what cannot be known is said to be assumed."""
        self._seen.clear()
        told = [clue for clue in self.clues if clue.prompt and clue.offset is not None]
        if told:
            self.zone_source = "the session ids of logins and deliveries"
        elif offset := _common_offset(self.clues):
            self.zone_source = "the session ids"
            told = [replace(clue, offset=offset[0]) for clue in self.clues]
        else:
            told = [replace(clue, offset=None) for clue in self.clues]
        if self.clues:
            self.year_source = "the session ids"
        elif self._last is not None and self.modified is not None:
            self._base = self._year_by_file()
            self.year_source = f"the date of the file, {self.modified:%Y-%m-%d}"
        self.clues = told
        self.restart()

    def _year_by_file(self) -> int | None:
        """Return the year of turn 0, so that the last line is not after the file's date."""
        assert self._last is not None
        assert self.modified is not None
        limit = self.modified + timedelta(days=1)
        for year in range(limit.year, limit.year - 9, -1):
            moment = self._last.in_year(year)
            if moment is not None and moment - _WIDEST <= limit:
                return year - self._turn
        return None

    def restart(self) -> None:
        """Begin again at the first line."""
        self._turn, self._month, self._next = 0, None, 0
        if self.clues:
            self._use(self.clues[0])

    def _use(self, clue: Clue) -> None:
        self._base = clue.year - clue.turn
        self._offset = clue.offset

    def at(self, number: int, stamp: Stamp) -> datetime | None:
        """Return the UTC time of a line; None when its year cannot be known."""
        turn = self._pass(stamp)
        while self._next < len(self.clues) and self.clues[self._next].line <= number:
            self._use(self.clues[self._next])
            self._next += 1
        year = stamp.year if stamp.year is not None else self._year(turn)
        moment = stamp.in_year(year) if year is not None else None
        if moment is None:
            return None
        return moment - (stamp.offset if stamp.offset is not None else self._offset or timedelta(0))

    def _year(self, turn: int) -> int | None:
        return None if self._base is None else self._base + turn

    @property
    def zone_is_assumed(self) -> bool:
        """Whether lines without a zone are taken for UTC for want of a clue."""
        return self.has_zoneless and not self.zone_source

    @property
    def offset(self) -> timedelta | None:
        """The zone in force at the line that was asked for last."""
        return self._offset


def _common_offset(clues: list[Clue]) -> tuple[timedelta] | None:
    """Return the zone that three sessions agree on and none contradicts by being earlier.

    Lines that are not written promptly can be late by any time, but never early.
    """
    offsets = [clue.offset for clue in clues if clue.offset is not None]
    if not offsets or offsets.count(min(offsets)) < 3:
        return None
    earliest = min(clue.lag for clue in clues)
    return (min(offsets),) if earliest >= min(offsets) + _EARLY else None


def _years(stamp: Stamp, moment: datetime) -> Iterable[int]:
    return (stamp.year,) if stamp.year else (moment.year - 1, moment.year, moment.year + 1)


def _clue(number: int, turn: int, stamp: Stamp, known: Session, *, prompt: bool) -> Clue | None:
    """Match a line with the beginning of its session: a log writes soon after it."""
    best: tuple[timedelta, int, datetime] | None = None
    for moment in known.moments:
        for year in _years(stamp, moment):
            written = stamp.in_year(year)
            if written is None:
                continue
            gap = abs(written - moment)
            if best is None or gap < best[0]:
                best = gap, year, moment
    if best is None or best[0] > timedelta(days=30):
        return None
    written = stamp.in_year(best[1])
    assert written is not None
    lag = written - best[2].astimezone(UTC)
    offset = round((lag - _PROMPT / 4) / _QUARTER) * _QUARTER
    fits = _EARLY <= lag - offset <= _PROMPT and abs(offset) <= _WIDEST
    return Clue(number, turn, best[1], offset if fits else None, lag, prompt)
