"""Letters to bytes: the message as its writer sent it, and the copy that a mailbox received."""

from __future__ import annotations

import base64
from dataclasses import dataclass
from datetime import datetime, timedelta, timezone

from sample_data.make.attachments import Attachment
from sample_data.make.chance import digest, number
from sample_data.make.letter import Letter
from sample_data.make.people import COMPANIES, PEOPLE, Person
from sample_data.make.signing import DOMAIN, signature

__all__ = ["Sent", "delivered_to", "file_name_of", "guid", "write"]

_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_BASE52 = "0123456789BCDFGHJKLMNPQRSTVWXYZbcdfghjklmnpqrstvwxyz"
HOST_HASH = bytes.fromhex("5b1fc2d7")


@dataclass(slots=True)
class Sent:
    """A message as it left its writer; ``raw`` has CRLF line ends and no trace headers."""

    letter: Letter
    message_id: str
    raw: bytes
    relay: bytes
    arrived: datetime


def rfc_date(moment: datetime) -> str:
    """Write a date as RFC 5322 does, whatever the locale."""
    offset = moment.strftime("%z")
    return (
        f"{_DAYS[moment.weekday()]}, {moment.day:02d} {_MONTHS[moment.month - 1]} {moment.year} "
        f"{moment:%H:%M:%S} {offset}"
    )


def asctime(moment: datetime) -> str:
    """Write a date as the From line of an mbox has it."""
    return (
        f"{_DAYS[moment.weekday()]} {_MONTHS[moment.month - 1]} {moment.day:02d} "
        f"{moment:%H:%M:%S} {moment.year}"
    )


def guid(when: datetime, process: int, *name: object) -> bytes:
    """Return a 128-bit id as Dovecot makes them: nanoseconds, seconds, process, host."""
    fraction = number(10**9, "guid", *name)
    parts = (fraction, int(when.timestamp()), process)
    return b"".join(part.to_bytes(4, "little") for part in parts) + HOST_HASH


def write(letter: Letter, ids: dict[str, str], sent: dict[str, Sent]) -> Sent:
    """Turn a letter into the bytes that its writer sent.

    Parameters
    ----------
    letter : Letter
        What is to be sent.
    ids : dict
        Key of a letter -> its Message-ID, for those that came before.
    sent : dict
        The messages sent so far: their References and their text to quote.
    """
    writer = PEOPLE[letter.sender]
    message_id = _message_id(letter, writer)
    headers = _headers(letter, writer, message_id, ids, sent)
    kind, body = _body(letter, writer, _quote(letter, sent))
    headers.append(("MIME-Version", b"1.0"))
    headers += kind
    relay = b""
    if writer.domain == DOMAIN:
        relay += b"DKIM-Signature: " + signature(headers, body, letter.sent) + b"\r\n"
    if writer.domain != "huayang.example":
        relay += _submission(letter, writer)
    raw = b"".join(_line(name, value) for name, value in headers) + b"\r\n" + body
    arrived = letter.sent + timedelta(seconds=3 + number(50, "arrive", letter.key))
    return Sent(letter, message_id, raw, relay, arrived)


def delivered_to(message: Sent, person: str) -> bytes:
    """Return the copy that arrived in somebody's mailbox, with its trace headers on top."""
    address, writer = PEOPLE[person].address, PEOPLE[message.letter.sender]
    home = COMPANIES[writer.domain]
    local = message.arrived.astimezone(timezone(timedelta(hours=8)))
    session = (
        base64.b64encode(guid(local, process_of(message), person, message.letter.key))
        .decode()
        .rstrip("=")
    )
    source = (
        f"from [{writer.machine or '10.0.1.5'}] (unknown [{writer.machine or '10.0.1.5'}])"
        if home.domain == "huayang.example"
        else f"from {home.host} ({home.host} [{home.address}])"
    )
    trace = (
        f"Return-Path: <{writer.address}>\r\n"
        f"Delivered-To: {address}\r\n"
        "Received: from mail.huayang.example ([10.0.1.5])\r\n"
        f"\tby mail.huayang.example with LMTP\r\n\tid {session}\r\n"
        f"\t(envelope-from <{writer.address}>)\r\n\tfor <{address}>; {rfc_date(local)}\r\n"
        f"Received: {source}\r\n"
        f"\tby mail.huayang.example (Postfix) with ESMTPS id {queue_id(message)}\r\n"
        f"\tfor <{address}>; {rfc_date(local - timedelta(seconds=1))}\r\n"
    )
    return trace.encode() + message.relay + message.raw


def process_of(message: Sent) -> int:
    """Return the process number of the delivery agent, growing through the day."""
    moment = message.arrived.astimezone(timezone(timedelta(hours=8)))
    return 2000 + moment.hour * 1300 + moment.minute * 20 + moment.second % 20


def queue_id(message: Sent) -> str:
    """Return a long queue id as Postfix makes them: seconds and microseconds in base 52."""
    seconds = _base52(int(message.arrived.timestamp()) - 1, 6)
    return f"{seconds}{_base52(number(10**6, 'usec', message.letter.key), 4)}z" + _base52(
        4000 + number(90000, "inode", message.letter.key), 3
    )


def _base52(value: int, width: int) -> str:
    out = ""
    while value:
        value, rest = divmod(value, 52)
        out = _BASE52[rest] + out
    return out.rjust(width, "0")


def _message_id(letter: Letter, writer: Person) -> str:
    text = digest("message-id", letter.key).hex()
    if writer.domain == "huayang.example":
        return (
            f"<{text[:8]}-{text[8:12]}-4{text[13:16]}-a{text[17:20]}-{text[20:32]}@{writer.domain}>"
        )
    if writer.domain == "nordwind.example":
        return f"<NWP{text[:22].upper()}@{writer.domain}>"
    return f"<{letter.sent:%Y%m%d%H%M%S}.{text[:10]}@{writer.domain}>"


def _headers(
    letter: Letter, writer: Person, message_id: str, ids: dict[str, str], sent: dict[str, Sent]
) -> list[tuple[str, bytes]]:
    headers = [
        ("From", _mailboxes([letter.sender], writer)),
        ("To", _mailboxes(letter.to, writer)),
    ]
    if letter.cc:
        headers.append(("Cc", _mailboxes(letter.cc, writer)))
    headers += [
        ("Subject", encoded(letter.subject, writer)),
        ("Date", rfc_date(letter.sent).encode()),
        ("Message-ID", message_id.encode()),
    ]
    if letter.reply_to:
        chain = _chain(letter, ids, sent)
        headers.append(("In-Reply-To", chain[-1].encode()))
        headers.append(("References", "\r\n ".join(chain).encode()))
    if writer.agent:
        name = "User-Agent" if writer.agent.startswith("Mozilla") else "X-Mailer"
        headers.append((name, writer.agent.encode()))
    return headers


def _chain(letter: Letter, ids: dict[str, str], sent: dict[str, Sent]) -> list[str]:
    chain, key = [], letter.reply_to
    while key:
        chain.insert(0, ids[key])
        key = sent[key].letter.reply_to
    return chain[:1] + chain[1:][-6:]


def _mailboxes(names: list[str], writer: Person) -> bytes:
    shown = []
    for name in names:
        person = PEOPLE[name]
        word = encoded(person.name, writer).decode()
        shown.append(f"{word} <{person.address}>")
    return ",\r\n ".join(shown).encode()


def encoded(text: str, writer: Person) -> bytes:
    """Encode header text (RFC 2047) in the writer's character set, in words of at most 75 signs."""
    if text.isascii():
        return text.encode()
    charset, label = writer.charset, writer.label
    try:
        text.encode(charset)
    except UnicodeEncodeError:
        charset = label = "UTF-8"
    words, chunk = [], ""
    for sign in text:
        if len(base64.b64encode((chunk + sign).encode(charset))) > 60 - len(label):
            words.append(chunk)
            chunk = ""
        chunk += sign
    words.append(chunk)
    coded = (base64.b64encode(word.encode(charset)).decode() for word in words)
    return "\r\n ".join(f"=?{label}?B?{word}?=" for word in coded).encode()


def _quote(letter: Letter, sent: dict[str, Sent]) -> str:
    """Return the text answered, quoted, as the writer's program does it; nothing for unseen mail."""  # noqa: E501
    held = sent.get(letter.reply_to)
    if held is None or held.letter.fate in {"key", "known-by-reply", "known-by-log"}:
        return ""
    original = held.letter
    name, day = PEOPLE[original.sender].name, original.sent
    chinese = PEOPLE[letter.sender].domain == "huayang.example" and not letter.subject.isascii()
    lead = (
        f"在 {day:%Y-%m-%d %H:%M}，{name} 写道："
        if chinese
        else f"On {day:%Y-%m-%d %H:%M}, {name} wrote:"
    )
    lines = (f"> {line}".rstrip() for line in original.text.split("\n"))
    return "\n\n" + lead + "\n" + "\n".join(lines)


def _body(letter: Letter, writer: Person, quote: str) -> tuple[list[tuple[str, bytes]], bytes]:
    text = letter.text + quote + "\n"
    head, body = _text_part("plain", text, writer)
    if letter.html:
        head, body = _multipart(
            "alternative", letter, [(head, body), _text_part("html", letter.html + "\n", writer)]
        )
    if letter.attachments:
        files = [_file_part(entry, writer) for entry in letter.attachments]
        head, body = _multipart("mixed", letter, [(head, body), *files])
    return head, body


Part = tuple[list[tuple[str, bytes]], bytes]


def _text_part(kind: str, text: str, writer: Person) -> Part:
    charset, label = writer.charset, writer.label
    if text.isascii():
        charset, label = "ascii", "us-ascii"
    try:
        data = text.replace("\n", "\r\n").encode(charset)
    except UnicodeEncodeError:
        charset = label = "UTF-8"
        data = text.replace("\n", "\r\n").encode(charset)
    plain = label in {"us-ascii", "ISO-2022-JP"} and all(
        len(row) < 990 for row in data.split(b"\n")
    )
    coding = "7bit" if plain else "base64"
    eight = writer.agent.startswith("Mozilla") and charset.lower() == "utf-8"
    if eight:
        coding = "8bit"
    head = [
        ("Content-Type", f"text/{kind}; charset={label}".encode()),
        ("Content-Transfer-Encoding", coding.encode()),
    ]
    return head, data if coding != "base64" else _wrapped(data)


def _file_part(entry: Attachment, writer: Person) -> Part:
    if entry.media_type == "text/calendar":
        head = [
            ("Content-Type", b'text/calendar; charset=UTF-8; method=REQUEST; name="invite.ics"')
        ]
    else:
        name = encoded(entry.name, writer).decode()
        head = [("Content-Type", f'{entry.media_type};\r\n name="{name}"'.encode())]
    head += [
        ("Content-Transfer-Encoding", b"base64"),
        ("Content-Disposition", b"attachment;\r\n " + file_name_of(entry.name)),
    ]
    return head, _wrapped(entry.data)


def file_name_of(name: str) -> bytes:
    """Return the filename parameter of an attachment (RFC 2231 when not ASCII)."""
    if name.isascii():
        return f'filename="{name}"'.encode()
    quoted = "".join(
        chr(byte) if (chr(byte).isalnum() and byte < 128) or byte in b"-._" else f"%{byte:02X}"
        for byte in name.encode("utf-8")
    )
    return f"filename*=UTF-8''{quoted}".encode()


def _multipart(kind: str, letter: Letter, parts: list[Part]) -> Part:
    boundary = f"------------{digest(kind, letter.key).hex()[:24]}"
    out = b"" if kind == "alternative" else b"This is a multi-part message in MIME format.\r\n"
    for head, body in parts:
        out += f"--{boundary}\r\n".encode()
        out += b"".join(_line(name, value) for name, value in head) + b"\r\n"
        out += body if body.endswith(b"\r\n") else body + b"\r\n"
    out += f"--{boundary}--\r\n".encode()
    return [("Content-Type", f'multipart/{kind};\r\n boundary="{boundary}"'.encode())], out


def _submission(letter: Letter, writer: Person) -> bytes:
    home = COMPANIES[writer.domain]
    code = digest("submission", letter.key).hex()[:12].upper()
    return (
        f"Received: from [{writer.machine}] (unknown [{writer.machine}])\r\n"
        f"\tby {home.host} with ESMTPSA id {code};\r\n"
        f"\t{rfc_date(letter.sent + timedelta(seconds=1))}\r\n"
    ).encode()


def _wrapped(data: bytes) -> bytes:
    text = base64.b64encode(data)
    return b"".join(text[start : start + 76] + b"\r\n" for start in range(0, len(text), 76))


def _line(name: str, value: bytes) -> bytes:
    return name.encode() + b": " + value + b"\r\n"
