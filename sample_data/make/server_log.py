"""The log of the mail server (Dovecot with its mail_log lines) from 5 to 13 November 2026.

Local time, no year, as Dovecot writes it. Session names hold the second, the port and the address
of whoever logged in, as real ones do.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from sample_data.make.calendar import workday
from sample_data.make.chance import digest, number, pick
from sample_data.make.fate import LOG_END, LOG_START, Box, Deed, World, moment, received_by
from sample_data.make.mail import Sent, delivered_to, guid, process_of
from sample_data.make.people import MACHINES, PEOPLE, STAFF

__all__ = ["server_log", "session_name"]

SERVER = MACHINES["server"]
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")


@dataclass(slots=True)
class Session:
    """One login: who, from where, from when to when, and the lines in between."""

    user: str
    address: str
    begin: datetime
    end: datetime
    protocol: str = "imap"
    lines: list[tuple[datetime, str]] = field(default_factory=list)
    deleted: int = 0
    expunged: int = 0
    trashed: int = 0


def session_name(when: datetime, port: int, address: str) -> str:
    """Return a session name: 48 bits of microseconds, the port, the address (all base64)."""
    micro = int(when.timestamp()) * 10**6 + number(10**6, "session", when, port)
    data = (micro % 2**48).to_bytes(6, "little") + port.to_bytes(2, "little")
    return base64.b64encode(data + bytes(map(int, address.split(".")))).decode().rstrip("=")


def server_log(made: World) -> bytes:
    """Return the log, in the order of time."""
    rows: list[tuple[datetime, int, str]] = []
    for when, line in _lines(made):
        if LOG_START <= when < LOG_END:
            rows.append((when, len(rows), line))
    rows.sort(key=lambda row: row[:2])
    return "".join(f"{_stamp(when)} {line}\n" for when, _, line in rows).encode("utf-8")


def _stamp(when: datetime) -> str:
    return f"{_MONTHS[when.month - 1]} {when.day:02d} {when:%H:%M:%S}"


def _lines(made: World) -> Iterator[tuple[datetime, str]]:
    yield from _deliveries(made)
    for session in _sessions(made):
        yield from _session_lines(session)
    for day in range(5, 14):
        yield moment(day, 3, 15, 2), "master: Warning: SIGHUP received - reloading configuration"
    for day in (6, 11):
        yield (
            moment(day, 4, 12, 44),
            (
                "imap-login: Info: Disconnected: Connection closed (auth failed, 1 attempts in 2 secs): "  # noqa: E501
                f"user=<admin@huayang.example>, method=PLAIN, rip=203.0.113.{90 + day}, lip={SERVER}, TLS, "  # noqa: E501
                f"session=<{session_name(moment(day, 4, 12, 42), 40000 + day, f'203.0.113.{90 + day}')}>"  # noqa: E501
            ),
        )


# --- deliveries -------------------------------------------------------------------------------


def _deliveries(made: World) -> Iterator[tuple[datetime, str]]:
    for message in made.messages.values():
        if not LOG_START <= message.arrived < LOG_END:
            continue
        for person in ("sales", *STAFF):
            if received_by(message, person):
                yield from _delivery(
                    message.message_id, person, message.arrived, process_of(message)
                )
    for day in (5, 6, 9, 10, 11, 12):
        for place in range(4):
            person = pick(("chen", "wang", "liu", "zhao", "sun", "huang"), "other mail", day, place)
            name = digest("other mail", day, place).hex()[:12]
            when = moment(day, 9 + 2 * place, number(60, "other", day, place), 17)
            yield from _delivery(
                f"<{name}@beigang.example>", person, when, 2100 + 1300 * (9 + 2 * place)
            )


def _delivery(
    message_id: str, person: str, when: datetime, process: int
) -> Iterator[tuple[datetime, str]]:
    local = when.astimezone(LOG_START.tzinfo).replace(microsecond=0)
    name = base64.b64encode(guid(local, process, person, message_id)).decode().rstrip("=")
    address = PEOPLE[person].address
    yield local, f"lmtp({process}): Info: Connect from {SERVER}"
    yield (
        local,
        f"lmtp({address})<{process}><{name}>: Info: msgid={message_id}: saved mail to INBOX",
    )
    yield local, f"lmtp({process}): Info: Disconnect from {SERVER}: Logged out (state=READY)"


# --- sessions ---------------------------------------------------------------------------------


def _sessions(made: World) -> Iterator[Session]:
    yield from _sales_sessions(made)
    yield from _own_sessions(made)
    yield from _pop_sessions(made)


_SALES = {
    "lina-10": ("10.0.4.21", moment(10, 13, 55, 21), moment(10, 17, 31, 2)),
    "phone-11": (MACHINES["sales-phone"], moment(11, 7, 46, 3), moment(11, 7, 52, 40)),
    "lina-11": ("10.0.4.21", moment(11, 8, 31, 47), moment(11, 17, 28, 10)),
    "lina-12-morning": ("10.0.4.21", moment(12, 8, 33, 5), moment(12, 12, 4, 11)),
    "burst": ("10.0.4.17", moment(12, 17, 41, 26), moment(12, 17, 44, 51)),
    "lina-12": ("10.0.4.21", moment(12, 18, 9, 50), moment(12, 18, 31, 8)),
    "lina-13": ("10.0.4.21", moment(13, 8, 24, 33), moment(13, 8, 36, 2)),
}


def _sales_sessions(made: World) -> Iterator[Session]:
    """Yield the logins to the sales mailbox, those with a deed and those with none."""
    sessions = {
        name: Session("sales@huayang.example", address, begin, end)
        for name, (address, begin, end) in _SALES.items()
    }
    for box in made.sales.values():
        for deed in box.deeds:
            _log_deed(sessions[deed.session], box, deed)
    chen = Session(
        "sales@huayang.example", "10.0.4.11", moment(12, 10, 2, 8), moment(12, 10, 24, 40)
    )
    written = made.sales["d65"]
    since, _, uid = written.stays[0]
    chen.lines.append(
        (since, f"save: box=Sent, {_facts(written.message, written.raw, uid, chr(92) + 'Seen')}")
    )
    yield from [*sessions.values(), chen]
    for message in made.messages.values():
        box = made.sales.get(message.letter.key)
        sent = box is not None and box.stays[0][1] == "Sent" and message.letter.key != "d65"
        if sent and box is not None and LOG_START <= box.stays[0][0] < LOG_END:
            yield _sending(box)
    for day in (5, 6, 9, 10, 11, 12):
        for place, address in enumerate(("10.0.4.21", "10.0.4.17", "10.0.4.11")):
            begin = moment(day, 8, 20 + 12 * place, number(60, "login", day, place))
            yield Session(
                "sales@huayang.example", address, begin, begin + timedelta(minutes=4 + place)
            )


def _sending(box: Box) -> Session:
    since, _, uid = box.stays[0]
    machine = PEOPLE[box.message.letter.sender].machine
    session = Session(
        "sales@huayang.example", machine, since - timedelta(seconds=1), since + timedelta(minutes=1)
    )
    session.lines.append(
        (since, f"save: box=Sent, {_facts(box.message, box.raw, uid, chr(92) + 'Seen')}")
    )
    return session


def _log_deed(session: Session, box: Box, deed: Deed) -> None:
    """Write the lines of one deed: a move is a copy and an expunge, as Dovecot logs it."""
    held = box.at(deed.when - timedelta(seconds=1))
    assert held is not None, "nothing was there"
    _, folder, uid = held
    flags = " ".join(f"\\{name}" for letter, name in _FLAGS if letter in box.flags)
    after = _facts(box.message, box.raw, uid, f"\\Deleted {flags}".strip())
    if deed.what == "move":
        target = next(stay for stay in box.stays if stay[0] == deed.when)
        copied = _facts(box.message, box.raw, target[2], flags)
        session.lines.append((deed.when, f"copy from {folder}: box={deed.target}, {copied}"))
        session.trashed += deed.target == "Trash"
    else:
        session.lines.append((deed.when, f"delete: box={folder}, {after}"))
        session.deleted += 1
    if deed.what != "mark":
        pause = timedelta(seconds=6) if session.address == "10.0.4.17" else timedelta(0)
        session.lines.append((deed.when + pause, f"expunge: box={folder}, {after}"))
        session.expunged += 1


_FLAGS = (("R", "Answered"), ("F", "Flagged"), ("S", "Seen"))


def _facts(message: Sent, raw: bytes, uid: int, flags: str) -> str:
    """Return the fields of a mail_log line."""
    short = len(raw) - raw.count(b"\r\n")
    writer = PEOPLE[message.letter.sender]
    return (
        f"uid={uid}, msgid={message.message_id}, size={short}, vsize={len(raw)}, "
        f"from={writer.name} <{writer.address}>, subject={message.letter.subject}, flags=({flags})"
    )


def _own_sessions(made: World) -> Iterator[Session]:
    """Yield the logins of the staff to their own mailboxes; some throw the menu away."""
    menus = [
        entry
        for entry in made.of_topic("canteen", "birthday", "notice", "office")
        if moment(20, 0, 0, month=10) < entry.arrived < moment(12, 0, 0)
    ]
    for day in _days():
        for person in ("chen", "zhou", "wang", "liu", "zhao", "sun", "huang"):
            user = PEOPLE[person]
            for half, hour in enumerate((8, 13)):
                begin = moment(
                    day, hour, 5 + number(50, "own", person, day, half), number(60, person, day)
                )
                end = begin + timedelta(minutes=60 + number(170, "stay", person, day, half))
                session = Session(user.address, user.machine, begin, end)
                if half and number(3, "throws", person, day) == 0 and menus:
                    _throw(session, menus[(day + len(person)) % len(menus)], person)
                yield session


def _throw(session: Session, message: Sent, person: str) -> None:
    """Expunge one's own copy of a letter to all staff; the other copies stay where they are."""
    if message.letter.sender == person or message.arrived > session.begin:
        return
    raw = delivered_to(message, person)
    uid = 800 + number(900, "own uid", person, message.message_id)
    facts = _facts(message, raw, uid, "\\Deleted \\Seen")
    when = session.begin + timedelta(minutes=2, seconds=5)
    session.lines.append((when, f"delete: box=INBOX, {facts}"))
    session.lines.append((when + timedelta(seconds=1), f"expunge: box=INBOX, {facts}"))
    session.deleted += 1
    session.expunged += 1


def _pop_sessions(made: World) -> Iterator[Session]:
    """Yield Li Na's fetching of mail; what is older than fourteen days goes from the server."""
    mine = [entry for entry in made.messages.values() if received_by(entry, "lina")]
    for day in _days():
        for place, hour in enumerate((8, 10, 12, 14, 16)):
            begin = moment(day, hour, 30, number(9, "pop", day, hour))
            session = Session(
                "li.na@huayang.example", "10.0.4.21", begin, begin + timedelta(seconds=2), "pop3"
            )
            if place == 0:
                _fetch_away(session, mine, day)
            yield session


def _fetch_away(session: Session, mine: Iterable[Sent], day: int) -> None:
    stop = moment(day, 8, 0) - timedelta(days=14)
    start = stop - timedelta(days=3 if stop.weekday() == 0 else 1)
    for message in mine:
        if start <= message.arrived < stop:
            raw = delivered_to(message, "lina")
            uid = 3100 + number(400, "pop uid", message.message_id)
            facts = _facts(message, raw, uid, "\\Deleted \\Seen")
            session.lines.append((session.end, f"expunge: box=INBOX, {facts}"))
            session.expunged += 1


def _days() -> Iterator[int]:
    for day in range(5, 13):
        if workday(date(2026, 11, day)) == date(2026, 11, day):
            yield day


def _session_lines(session: Session) -> Iterator[tuple[datetime, str]]:
    port = 49152 + number(16000, "port", session.user, session.begin, session.address)
    process = 2000 + session.begin.hour * 1300 + session.begin.minute * 20 + port % 20
    name = session_name(session.begin, port, session.address)
    yield (
        session.begin,
        (
            f"{session.protocol}-login: Info: Login: user=<{session.user}>, method=PLAIN, "
            f"rip={session.address}, lip={SERVER}, mpid={process}, TLS, session=<{name}>"
        ),
    )
    head = f"{session.protocol}({session.user})<{process}><{name}>: Info: "
    for when, line in session.lines:
        yield when.astimezone(LOG_START.tzinfo), head + line
    sizes = number(9000, "traffic", name)
    if session.protocol == "pop3":
        fetched = number(4, "retr", name)
        yield (
            session.end,
            head
            + (
                f"Disconnected: Logged out top=0/0, retr={fetched}/{fetched * 2711}, "
                f"del={session.expunged}/{38 + session.expunged}, size={190000 + sizes}"
            ),
        )
        return
    yield (
        session.end,
        head
        + (
            f"Disconnected: Logged out in={300 + sizes} out={4000 + 9 * sizes} deleted={session.deleted} "  # noqa: E501
            f"expunged={session.expunged} trashed={session.trashed} hdr_count={number(30, name)} "
            f"hdr_bytes={number(9000, name)} body_count={number(9, name)} body_bytes={sizes}"
        ),
    )
