"""RFC 5322 bytes -> a record of the messages table, and back to the bytes of any part."""

from __future__ import annotations

import hashlib
import re

from mailforensics.errors import NoBytes
from mailforensics.mime.addresses import read_addresses
from mailforensics.mime.content import read_content
from mailforensics.mime.dates import parse_date
from mailforensics.mime.fingerprint import content_key
from mailforensics.mime.parts import ParsedMessage, parse
from mailforensics.mime.words import decode_header, header_text
from mailforensics.schema import Completeness, DateSource, MessageRecord

__all__ = ["nested_bytes", "part_bytes", "read_message", "read_nested"]

MAX_NESTING = 30
"""How deep messages may lie in messages."""

MAX_NESTED = 2000
"""How many messages inside one message are read."""

_REFERENCE = re.compile(rb"<[^<>\s]+>")
_PART = re.compile(r"/part:(\d{1,9})")
_SUFFIX = re.compile(r"(?:/part:\d{1,9})*\Z")


def read_message(raw: bytes | memoryview, *, source_ref: str) -> MessageRecord:
    """Read everything that the bytes of a message can tell.

    Parameters
    ----------
    raw : bytes or memoryview
        An RFC 5322 message.
    source_ref : str
        Where it stands, for the record.

    Returns
    -------
    MessageRecord
        Its state is live and its kind original; place, folder, flags and state are the caller's
        to set. What is wrong with the message is a code in ``defects``.
    """
    data = raw if isinstance(raw, bytes) else bytes(raw)
    return _record(data, parse(data), source_ref)


def _record(data: bytes, message: ParsedMessage, source_ref: str) -> MessageRecord:
    defects = message.defects
    record = MessageRecord(
        source_ref=source_ref,
        sha256=hashlib.sha256(data).hexdigest(),
        size=len(data),
        defects=defects,
    )
    _read_fields(message, record, defects)
    _read_dates(message.first, record, defects)
    content = read_content(message, defects)
    record.attachments = content.attachments
    record.text = content.text
    record.has_body = content.has_body
    record.charset_declared = content.charset_declared
    record.charset_used = content.charset_used
    record.content_key = content_key(
        record.message_id, record.from_addr, record.sent_at, record.subject, content.body
    )
    record.completeness = _completeness(message, record, defects)
    return record


def _read_fields(message: ParsedMessage, record: MessageRecord, defects: list[str]) -> None:
    first = message.first
    if not first:
        defects.append("no_headers")
    record.message_id = _plain(first.get("message-id"))
    if not record.message_id:
        defects.append("no_message_id")
    record.in_reply_to = _reference(first.get("in-reply-to"))
    if "references" in first:
        record.references = _references(first["references"])
    if "subject" in first:
        record.subject = _words(message, first["subject"], defects)
    _read_people(message, record, defects)


def _words(message: ParsedMessage, value: bytes, defects: list[str]) -> str:
    hint = None if value.isascii() else message.charset_hint
    text, codes = decode_header(value, hint)
    for code in codes:
        if code not in defects:
            defects.append(code)
    return text


def _read_people(message: ParsedMessage, record: MessageRecord, defects: list[str]) -> None:
    senders = _people(message, "from", defects)
    if senders:
        name, addr = senders[0]
        record.from_name, record.from_addr = name or None, addr or None
    elif "from" not in message.first:
        defects.append("no_from")
    if "sender" in message.first:
        record.sender_addr = next((a for _, a in _people(message, "sender", defects) if a), None)
    record.to_addrs = [addr for _, addr in _people(message, "to", defects) if addr]
    if "cc" in message.first:
        record.cc_addrs = [addr for _, addr in _people(message, "cc", defects) if addr]
    if "bcc" in message.first:
        record.bcc_addrs = [addr for _, addr in _people(message, "bcc", defects) if addr]


def _people(message: ParsedMessage, name: str, defects: list[str]) -> list[tuple[str, str]]:
    value = message.first.get(name)
    if not value:
        return []
    found, codes = read_addresses(value, None if value.isascii() else message.charset_hint)
    for code in codes:
        if code not in defects:
            defects.append(code)
    return found


def _plain(value: bytes | None) -> str | None:
    return header_text(value)[0] or None if value else None


def _reference(value: bytes | None) -> str | None:
    """Return the message id in an In-Reply-To value, or the value when it names none."""
    if not value:
        return None
    found = _REFERENCE.search(value)
    return found.group().decode("latin-1") if found else _plain(value)


def _references(value: bytes) -> list[str]:
    found = [one.decode("latin-1") for one in _REFERENCE.findall(value)]
    return found or header_text(value)[0].split()


def _read_dates(first: dict[str, bytes], record: MessageRecord, defects: list[str]) -> None:
    value = first.get("date")
    if not value:
        defects.append("no_date")
    else:
        record.date_header = header_text(value)[0]
        record.sent_at, record.sent_offset_min = parse_date(record.date_header)
        if record.sent_at is None:
            defects.append("bad_date")
        else:
            record.date_source = DateSource.DATE_HEADER
    received = first.get("received")
    if received and b";" in received:
        stamp = header_text(received.rpartition(b";")[2])[0]
        record.received_at = parse_date(stamp)[0]


def _completeness(
    message: ParsedMessage, record: MessageRecord, defects: list[str]
) -> Completeness:
    if not record.has_body:
        defects.append("no_body")
        if not message.header_ended or _promises_body(message):
            return Completeness.HEADERS_ONLY
        return Completeness.COMPLETE
    if not message.closed or "base64_truncated" in defects or "truncated_end" in defects:
        return Completeness.PARTIAL
    return Completeness.COMPLETE


def _promises_body(message: ParsedMessage) -> bool:
    """Say whether the headers say that there is a body."""
    first = message.first
    kind = first.get("content-type", b"").lower()
    if kind and not kind.startswith(b"text"):
        return True
    if first.get("content-transfer-encoding", b"").lower() == b"base64":
        return True
    return any(
        first.get(name, b"0").isdigit() and int(first[name][:9]) > 0
        for name in _LENGTHS
        if name in first
    )


_LENGTHS = ("content-length", "lines")


def read_nested(raw: bytes | memoryview, *, source_ref: str) -> list[MessageRecord]:
    """Read a message and each message inside it.

    Parameters
    ----------
    raw : bytes or memoryview
        An RFC 5322 message.
    source_ref : str
        Where it stands. A message inside it has ``{source_ref}/part:{position}``, and names the
        message that carries it in ``parent_ref``.

    Returns
    -------
    list of MessageRecord
        The message first, then those inside it, each before those inside itself.
    """
    data = raw if isinstance(raw, bytes) else bytes(raw)
    records: list[MessageRecord] = []
    _read_inside(data, source_ref, None, 0, records)
    return records


def _read_inside(
    data: bytes, source_ref: str, parent: str | None, depth: int, records: list[MessageRecord]
) -> None:
    message = parse(data)
    record = _record(data, message, source_ref)
    record.parent_ref = parent
    records.append(record)
    for part in message.parts:
        if not part.is_message:
            continue
        if depth >= MAX_NESTING or len(records) > MAX_NESTED:
            code = "too_deep" if depth >= MAX_NESTING else "too_many_parts"
            if code not in record.defects:
                record.defects.append(code)
            return
        inside = len(records)
        ref = f"{source_ref}/part:{part.position}"
        _read_inside(part.data, ref, source_ref, depth + 1, records)
        if not part.closed:
            _may_be_cut(records[inside])


def _may_be_cut(record: MessageRecord) -> None:
    """Mark a message that no boundary closes in the message around it."""
    if "boundary_not_closed" not in record.defects:
        record.defects.append("boundary_not_closed")
    if record.completeness is Completeness.COMPLETE:
        record.completeness = Completeness.PARTIAL


def part_bytes(raw: bytes | memoryview, position: int) -> bytes:
    """Return the decoded bytes of one part.

    Raises
    ------
    NoBytes
        There is no part at that position.
    """
    parts = parse(raw).parts
    if not 1 <= position <= len(parts):
        raise NoBytes(f"The message has {len(parts)} parts; there is no part {position}.")
    return parts[position - 1].data


def nested_bytes(raw: bytes | memoryview, source_ref: str) -> bytes:
    """Return the bytes of the message that a ``source_ref`` names inside another message.

    Parameters
    ----------
    raw : bytes or memoryview
        The outermost message.
    source_ref : str
        Such as ``offset:0/part:2/part:1``; without ``/part:`` the message itself is returned.

    Raises
    ------
    NoBytes
        The message has no such part.
    """
    data = bytes(raw)
    found = _SUFFIX.search(source_ref)
    for position in _PART.findall(found.group()) if found else ():
        data = part_bytes(data, int(position))
    return data
