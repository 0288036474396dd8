"""What became of each message: where its copies lay, when they were moved, who deleted them."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sample_data.make.calendar import CHINA
from sample_data.make.chance import number, some
from sample_data.make.everyday import everyday
from sample_data.make.letter import read_dispute
from sample_data.make.mail import Sent, delivered_to, write

__all__ = [
    "FRIDAY",
    "LOG_END",
    "LOG_START",
    "MONDAY",
    "NORDWIND",
    "TRACES",
    "Box",
    "Deed",
    "World",
    "moment",
    "received_by",
    "world",
]


def moment(day: int, hour: int, minute: int, second: int = 0, *, month: int = 11) -> datetime:
    """Return a moment of 2026 in Beijing time, in November unless said otherwise."""
    return datetime(2026, month, day, hour, minute, second, tzinfo=CHINA)


MONDAY, FRIDAY = moment(9, 2, 0), moment(13, 2, 0)
LOG_START, LOG_END = moment(5, 0, 0), moment(13, 9, 5)
NORDWIND = "客户.北风泵业"
UNSEEN = frozenset({"known-by-reply"})
TRACES = frozenset({"key", "known-by-log", "known-by-reply"})


@dataclass(slots=True)
class Deed:
    """Something done to a message of the sales mailbox: copy, move, mark or expunge."""

    when: datetime
    what: str
    session: str
    target: str = ""


@dataclass(slots=True)
class Box:
    """A message in the sales mailbox through time.

    Attributes
    ----------
    stays
        ``(since, folder, uid)`` for each place where it lay, in order; folder "" when gone.
    deeds
        What was done to it while the log was written.
    """

    message: Sent
    raw: bytes
    stays: list[tuple[datetime, str, int]]
    flags: str = ""
    deeds: list[Deed] = field(default_factory=list)

    def at(self, when: datetime) -> tuple[datetime, str, int] | None:
        """Return the stay at that moment, None when it was not (or no longer) there."""
        held = [stay for stay in self.stays if stay[0] <= when]
        return held[-1] if held and held[-1][1] else None


@dataclass(slots=True)
class World:
    """All messages, and the sales mailbox with its history."""

    messages: dict[str, Sent]
    sales: dict[str, Box]
    stale: list[tuple[int, datetime, int]]

    def of_topic(self, *topics: str) -> list[Sent]:
        """Return the messages of some topics in the order of time."""
        return [entry for entry in self.messages.values() if entry.letter.topic in topics]


def world() -> World:
    """Make everything that happened."""
    letters = sorted([*read_dispute(), *everyday()], key=lambda entry: (entry.sent, entry.key))
    ids: dict[str, str] = {}
    messages: dict[str, Sent] = {}
    for letter in letters:
        message = write(letter, ids, messages)
        ids[letter.key], messages[letter.key] = message.message_id, message
    made = World(messages, {}, [])
    _fill(made)
    _tidy(made)
    _sort_by_hand(made)
    _ordinary_week(made)
    _burst(made)
    _number(made)
    _flag(made)
    return made


def received_by(message: Sent, person: str) -> bool:
    """Say whether a message came to somebody's own mailbox."""
    letter = message.letter
    return person in letter.recipients or ("all" in letter.recipients and letter.sender != person)


def _fill(made: World) -> None:
    for key, message in made.messages.items():
        letter = message.letter
        if letter.fate in UNSEEN or letter.fate == "old":
            continue
        if letter.sender.startswith("sales"):
            stay = (letter.sent + timedelta(seconds=2), "Sent", 0)
            made.sales[key] = Box(message, message.raw, [stay])
        elif received_by(message, "sales"):
            raw = delivered_to(message, "sales")
            made.sales[key] = Box(message, raw, [(message.arrived, "INBOX", 0)])


def _tidy(made: World) -> None:
    """Drop what was thrown away for good long ago: old advertising."""
    for key, box in list(made.sales.items()):
        topic, age = box.message.letter.topic, (MONDAY - box.message.arrived).days
        thrown = {"spam": 3, "newsletter": 2, "fair": 2}.get(topic)
        if thrown and age > 45 and number(thrown, "thrown", key):
            del made.sales[key]


def _sort_by_hand(made: World) -> None:
    """File what is older than a few days in folders, as people do on Friday afternoon."""
    for box in made.sales.values():
        folder = _filed(box.message)
        since = box.stays[0][0]
        when = since + timedelta(days=(4 - since.weekday()) % 7, hours=3)
        if folder and box.stays[0][1] == "INBOX" and when < LOG_START:
            box.stays.append((when, folder, 0))
    for place, box in enumerate(some(list(_candidates(made)), 9, "trash before")):
        cleared = moment(12, 10, 20, month=10) + timedelta(seconds=11 * place)
        when = max(box.stays[0][0] + timedelta(hours=5), cleared)
        box.stays.append((when, "Trash", 0))
    spoiled = [box for box in made.sales.values() if box.message.letter.topic == "spam"]
    for box in spoiled:
        if len(box.stays) == 1:
            box.stays = [(box.stays[0][0], "Junk", 0)]


def _candidates(made: World) -> Iterable[Box]:
    """Yield recent everyday mail that nobody needs: what is thrown away in October."""
    for box in made.sales.values():
        plain = {"canteen", "birthday", "office", "newsletter", "fair", "freight", "notice"}
        recent = moment(1, 0, 0, month=8) < box.stays[0][0] < moment(3, 0, 0)
        if box.message.letter.topic in plain and recent and len(box.stays) == 1:
            yield box


def _filed(message: Sent) -> str:
    letter, sent = message.letter, message.letter.sent
    if letter.sender == "jianghai":
        return "供应商.江海铸造"
    if letter.topic == "dispute" and letter.sender != "blueharbor":
        return NORDWIND
    if letter.topic == "customer" and sent.date() < date(2026, 9, 1):
        return "客户.国内"
    if letter.topic in {"report", "statement", "meeting"} and sent.date() < date(2026, 7, 1):
        return "Archive"
    if letter.topic in {"newsletter", "fair", "partner"} and sent.date() < date(2026, 1, 1):
        return "Archive"
    return ""


def _ordinary_week(made: World) -> None:
    """Move, delete and mark a few messages between the copies, as on any other day."""
    calm = [
        box
        for box in made.sales.values()
        if len(box.stays) == 1
        and box.stays[0][1] == "INBOX"
        and box.message.letter.topic not in {"dispute", "week"}
        and box.stays[0][0] < moment(6, 0, 0)
    ]
    news = [box for box in calm if box.message.letter.topic in {"canteen", "birthday", "office"}]
    chosen = some(news, 3, "to trash")
    for place, box in enumerate(chosen):
        _do(box, Deed(moment(10, 14, 12, 4 + 7 * place), "move", "lina-10", "Trash"))
    rest = [box for box in calm if box not in chosen]
    freight = [box for box in rest if box.message.letter.topic in {"freight", "report"}]
    for place, box in enumerate(some(freight, 4, "to archive")):
        _do(box, Deed(moment(11, 10, 5, 11 + 5 * place), "move", "lina-11", "Archive"))
    mails = [box for box in rest if box.message.letter.topic in {"newsletter", "fair", "notice"}]
    gone = some(mails, 3, "by telephone")
    for place, box in enumerate(gone):
        _do(box, Deed(moment(11, 7, 48, 20 + 9 * place), "expunge", "phone-11"))
    marked = [box for box in rest if box.message.letter.topic in {"statement", "birthday"}]
    for place, box in enumerate(some(marked, 2, "marked")):
        _do(box, Deed(moment(12, 18, 12, 31 + 4 * place), "mark", "lina-12"))
    trash = sorted(
        (box for box in made.sales.values() if box.stays[-1][1] == "Trash"),
        key=lambda box: (box.stays[-1][0], box.message.message_id),
    )
    old = [box for box in trash if box.stays[-1][0] < moment(13, 0, 0, month=10)]
    for place, box in enumerate(old[:2]):
        _do(box, Deed(moment(12, 9, 1, 40 + place), "expunge", "lina-12-morning"))


def _do(box: Box, deed: Deed) -> None:
    """Note a deed and its effect on where the message lies."""
    box.deeds.append(deed)
    if deed.what in {"move", "expunge"}:
        box.stays.append((deed.when, deed.target, 0))


def _burst(made: World) -> None:
    """Delete all about Nordwind Pumps, from the desk of 10.0.4.17, in the evening of 12 November."""  # noqa: E501
    waves = {
        NORDWIND: moment(12, 17, 42, 9),
        "Sent": moment(12, 17, 43, 2),
        "INBOX": moment(12, 17, 43, 38),
    }
    for box in made.sales.values():
        stay = box.at(moment(12, 17, 42))
        if stay is None or not _about_nordwind(box.message, stay[1]):
            continue
        _do(box, Deed(waves[stay[1]], "expunge", "burst"))


def _about_nordwind(message: Sent, folder: str) -> bool:
    letter = message.letter
    if folder == NORDWIND:
        return True
    return (
        folder in {"Sent", "INBOX"} and letter.topic == "dispute" and letter.sender != "blueharbor"
    )


def _number(made: World) -> None:
    """Give each stay its UID: in INBOX every message that ever came has one."""
    inbox = 312
    counters = {"Trash": 208, "Junk": 41, "Archive": 6}
    stays = sorted(
        (
            (stay[0], box.message.message_id, box, place)
            for box in made.sales.values()
            for place, stay in enumerate(box.stays)
        ),
        key=lambda row: row[:2],
    )
    for since, name, box, place in stays:
        folder = box.stays[place][1]
        if folder == "INBOX":
            inbox += 1 + (number(5, "uid", name) == 0)
            uid = inbox
            if moment(29, 0, 0, month=10) < since < moment(4, 0, 0) and len(made.stale) < 2:
                made.stale.append(
                    (
                        inbox + 1,
                        since.astimezone(CHINA) + timedelta(minutes=20),
                        2600 + number(4000, "stale", uid),
                    )
                )
                inbox += 1
        else:
            uid = counters[folder] = counters.get(folder, 0) + 1
        box.stays[place] = (since, folder, uid if folder else 0)


def _flag(made: World) -> None:
    """Set Maildir flags: seen, answered, flagged."""
    answered = {
        entry.letter.reply_to
        for entry in made.messages.values()
        if entry.letter.sender.startswith("sales")
    }
    for key, box in made.sales.items():
        letter = box.message.letter
        flagged = "F" if number(23, "flagged", key) == 0 or letter.key in {"d41", "d50"} else ""
        box.flags = flagged + ("R" if key in answered else "") + "S"
        if letter.topic in {"spam", "newsletter"} and number(2, "unread", key):
            box.flags = ""
