"""What a line of a mail server log says was done: line -> event."""

from __future__ import annotations

import re
from collections import OrderedDict

from mailforensics.readers.loglines import LogLine, fields_of
from mailforensics.readers.logtime import Clock
from mailforensics.readers.sessionid import read_session
from mailforensics.schema import EventRecord, Operation

__all__ = ["LogEvents", "session_of"]

MAX_REMEMBERED = 200_000
_DONE = re.compile(
    r"(save|delete|undelete|expunge|flag_change|copy)(?: from (.+?)| -> (.+?))?: (?=[a-z]+=)"
)
_OPERATIONS = {
    "save": Operation.SAVE,
    "delete": Operation.MARK_DELETED,
    "undelete": Operation.UNMARK_DELETED,
    "expunge": Operation.EXPUNGE,
    "flag_change": Operation.FLAG_CHANGE,
    "copy": Operation.COPY,
}
_FOLDER = re.compile(r"Mailbox (created|deleted|renamed): (.+)")
_FOLDER_OPERATIONS = {
    "created": Operation.FOLDER_CREATE,
    "deleted": Operation.FOLDER_DELETE,
    "renamed": Operation.FOLDER_RENAME,
}
_LOGIN = re.compile(r"(?:Login|Logged in): (?=[a-z]+=)")
_REFUSED = re.compile(r"(?:Disconnected|Aborted login)\b.*?(?=user=<[^>])")
_STORED = re.compile(
    r"(?:sieve: )?msgid=(?P<id>.*?): (?:saved mail to|stored mail into mailbox) '?(?P<box>.+?)'?$"
)
_SUMMARY = re.compile(r"(?:Disconnected|Logged out|Connection closed)\b")
_COUNTS = re.compile(r"\b(deleted|expunged|trashed|del|retr)=(\d+(?:/\d+)?)")
_QUEUED = re.compile(r"([0-9A-Za-z]{5,20}): (.*)")
_POSTFIX_ID = re.compile(r"message-id=(<?[^>]*>?)")
_POSTFIX_TO = re.compile(r"to=<([^>]*)>.*?, relay=([^,]*), .*?status=sent \((.*)\)$")
_REPLY_SESSION = re.compile(r" ([A-Za-z0-9+/]{22}(?::\w+)?) Saved")
_AGENTS = frozenset({"lmtp", "lda", "deliver", "doveadm"})


class _Memory(OrderedDict[str, str]):
    """A dict that forgets the oldest, so that memory stays bounded."""

    def put(self, key: str, value: str) -> None:
        self[key] = value
        if len(self) > MAX_REMEMBERED:
            self.popitem(last=False)


class LogEvents:
    """Turns lines into events, remembering logins and queue ids on the way."""

    def __init__(self, clock: Clock) -> None:
        self._clock = clock
        self._addresses = _Memory()
        self._queue = _Memory()

    def of(self, number: int, line: LogLine) -> EventRecord | None:
        """Return the event of a line, or None when it says nothing about messages."""
        at = self._clock.at(number, line.stamp)
        event = EventRecord(source_ref=f"line:{number}", at=at, operation=Operation.OTHER)
        detail = self._fill(event, line)
        if detail is None:
            return None
        if line.session:
            self._add_address(event, line, detail)
            detail.append(f"session {line.session}")
        if self._clock.zone_is_assumed and line.stamp.offset is None and at is not None:
            detail.append("time zone assumed to be UTC")
        event.detail = "; ".join(detail) or None
        return event

    def _fill(self, event: EventRecord, line: LogLine) -> list[str] | None:
        """Write what the text of a line says into an event; return details, or None."""
        if line.service.startswith("postfix/"):
            return self._postfix(event, line)
        if line.service.endswith("-login"):
            return self._login(event, line)
        event.mailbox = line.user
        event.actor = line.service if line.service in _AGENTS else line.user
        done = _DONE.match(line.text)
        if done is not None:
            return _message(event, done, fields_of(line.text[done.end() :]))
        folder = _FOLDER.match(line.text)
        if folder is not None:
            event.operation = _FOLDER_OPERATIONS[folder.group(1)]
            old, _, new = folder.group(2).partition(" -> ")
            event.folder = old
            return [f"renamed to {new}"] if new else []
        stored = _STORED.match(line.text)
        if stored is not None:
            event.operation = Operation.DELIVER
            event.message_id = _message_id(stored.group("id"))
            event.folder = stored.group("box")
            return []
        return _summary(event, line)

    def _login(self, event: EventRecord, line: LogLine) -> list[str] | None:
        found = _LOGIN.match(line.text)
        refused = None if found else _REFUSED.match(line.text)
        start = found or refused
        if start is None:
            return None
        values = fields_of(line.text[start.end() :])
        user = _bare(values.get("user"))
        session = _bare(values.get("session"))
        event.operation = Operation.LOGIN if found else Operation.OTHER
        event.actor = event.mailbox = user
        event.client_ip = values.get("rip")
        if found and session and event.client_ip:
            self._addresses.put(session, event.client_ip)
        detail = [line.service.removesuffix("-login")]
        if values.get("method"):
            detail.append(f"method {values['method']}")
        if refused:
            detail.insert(0, "login refused or broken off")
        return [*detail, f"session {session}"] if session else detail

    def _add_address(self, event: EventRecord, line: LogLine, detail: list[str]) -> None:
        """Add the client's address: of the line, of the login, or out of the session id."""
        assert line.session is not None
        event.client_ip = line.client_ip or self._addresses.get(line.session)
        known = read_session(line.session) if event.client_ip is None else None
        if known is not None and known.client_ip is not None:
            event.client_ip = known.client_ip
            detail.append(f"address and port {known.client_port} out of the session id")

    def _postfix(self, event: EventRecord, line: LogLine) -> list[str] | None:
        found = _QUEUED.match(line.text)
        if found is None:
            return None
        queue_id, text = found.groups()
        named = _POSTFIX_ID.match(text) if line.service == "postfix/cleanup" else None
        if named is not None:
            self._queue.put(queue_id, named.group(1))
            return None
        sent = _POSTFIX_TO.search(text)
        if sent is None:
            return None
        event.operation = Operation.DELIVER
        event.actor = "postfix"
        event.mailbox = sent.group(1)
        event.message_id = _message_id(self._queue.get(queue_id))
        return [f"queue id {queue_id}", f"relay {sent.group(2)}", f"reply {sent.group(3)}"]


def _bare(text: str | None) -> str | None:
    return (text or "").strip().removeprefix("<").removesuffix(">") or None


def _message_id(text: str | None) -> str | None:
    return None if not text or text in {"<>", "unspecified", "?"} else text.strip()


def _message(event: EventRecord, done: re.Match[str], values: dict[str, str]) -> list[str]:
    """Fill an event about one message."""
    word, origin, target = done.groups()
    event.operation = _OPERATIONS[word]
    event.folder = values.get("box") or target
    event.message_id = _message_id(values.get("msgid"))
    event.subject = values.get("subject")
    detail = [f"copied from {origin}"] if origin else []
    detail += [f"{key} {values[key]}" for key in ("uid", "size", "from") if values.get(key)]
    if values.get("flags", "()") != "()":
        detail.append(f"flags {values['flags']}")
    return detail


def _summary(event: EventRecord, line: LogLine) -> list[str] | None:
    """Fill an event about the end of a session, if the line counts anything."""
    if _SUMMARY.match(line.text) is None:
        return None
    counts = _COUNTS.findall(line.text)
    if not counts:
        return None
    event.operation = Operation.SESSION_SUMMARY
    return [f"{name} {count}" for name, count in counts]


def session_of(line: LogLine) -> str | None:
    """Return the session id of a line, wherever it stands."""
    if line.session is not None:
        return line.session
    if line.service.endswith("-login"):
        return _bare(fields_of(line.text).get("session")) if _LOGIN.match(line.text) else None
    found = _REPLY_SESSION.search(line.text) if line.service == "postfix/lmtp" else None
    return found.group(1) if found else None
