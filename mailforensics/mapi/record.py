"""A MAPI message -> the row of the messages table.

The rebuilt bytes are read as any mail is, so positions of parts and attachments are those of what
``case.raw`` gives; then the columns that the store knows better are set from its properties.
"""

from __future__ import annotations

from typing import Final

from mailforensics import mime
from mailforensics.mapi.message import MapiMessage, Party
from mailforensics.mapi.properties import Tag
from mailforensics.mapi.rebuild import Rebuilt, assemble
from mailforensics.schema import Completeness, DateSource, MessageRecord, RawKind

__all__ = ["record", "records"]

_INCOMPLETE: Final = frozenset(
    {
        "attachment_missing",
        "attachment_unreadable",
        "body_unreadable",
        "checksum_failed",
        "property_unreadable",
        "recipients_missing",
        "too_deep",
    }
)
_OWN_DEFECTS: Final = frozenset({"no_headers", "no_body", "bad_header_line", "charset_guessed"})
"""Codes that say something of the rebuilt bytes, not of the message in its store."""

_HEADER_DEFECTS: Final = frozenset({"no_date", "no_message_id", "no_from", "bad_date"})
_READ: Final = 0x1


def record(message: MapiMessage, *, source_ref: str) -> MessageRecord:
    """Return the row of a message; see :func:`records` for what it carries inside."""
    return records(message, source_ref=source_ref)[0]


def records(message: MapiMessage, *, source_ref: str) -> list[MessageRecord]:
    """Return the row of a message, then one for each message inside it.

    Parameters
    ----------
    message : MapiMessage
        The message.
    source_ref : str
        Its place in the store; messages inside it get ``{source_ref}/part:{position}``.
    """
    rebuilt = assemble(message)
    rows = mime.read_nested(rebuilt.raw, source_ref=source_ref)
    _settle(rows, rows[0], message, rebuilt)
    return rows


def _settle(
    rows: list[MessageRecord], row: MessageRecord, message: MapiMessage, rebuilt: Rebuilt
) -> None:
    """Set the columns of a row, and of the rows of the messages that it was rebuilt with."""
    inside = [other for other in rows if other.parent_ref == row.source_ref]
    _fill(row, message, rebuilt)
    if len(inside) != len(rebuilt.children):
        return
    for other, child in zip(inside, rebuilt.children, strict=True):
        if child is not None:
            _settle(rows, other, *child)


def _fill(row: MessageRecord, message: MapiMessage, rebuilt: Rebuilt) -> None:
    bag = message.properties
    row.raw_kind, row.sha256, row.size = RawKind.REBUILT_FROM_MAPI, None, None
    row.message_class = message.message_class
    row.subject = message.subject if message.subject is not None else row.subject
    row.received_at = bag.moment(Tag.MESSAGE_DELIVERY_TIME)
    row.stored_at = bag.moment(Tag.CREATION_TIME)
    row.modified_at = bag.moment(Tag.LAST_MODIFICATION_TIME)
    _fill_date(row, message, rebuilt)
    _fill_people(row, message, rebuilt)
    _fill_flags(row, message, rebuilt)
    _fill_text(row, rebuilt)
    _fill_condition(row, message, rebuilt)


def _fill_date(row: MessageRecord, message: MapiMessage, rebuilt: Rebuilt) -> None:
    if not rebuilt.headers_kept:
        row.date_header, row.sent_at, row.sent_offset_min = None, None, None
    if row.sent_at is not None:
        return
    for tag, source in (
        (Tag.CLIENT_SUBMIT_TIME, DateSource.CLIENT_SUBMIT_TIME),
        (Tag.MESSAGE_DELIVERY_TIME, DateSource.DELIVERY_TIME),
    ):
        row.sent_at, row.date_source = message.properties.moment(tag), source
        if row.sent_at is not None:
            return
    row.date_source = DateSource.NONE


def _fill_people(row: MessageRecord, message: MapiMessage, rebuilt: Rebuilt) -> None:
    author, sender = message.author, message.sender
    if not rebuilt.headers_kept:
        row.from_name, row.from_addr, row.sender_addr = author.name, author.smtp, None
        row.to_addrs, row.cc_addrs, row.bcc_addrs = [], [], []
        if sender.smtp and (sender.smtp.lower() != (author.smtp or "").lower()):
            row.sender_addr = sender.smtp
    elif row.from_addr is None and author.smtp:
        row.from_name, row.from_addr = row.from_name or author.name, author.smtp
    row.to_addrs = _addresses(message.of_kind("to"), row.to_addrs)
    row.cc_addrs = _addresses(message.of_kind("cc"), row.cc_addrs)
    row.bcc_addrs = _addresses(message.of_kind("bcc"), row.bcc_addrs)


def _addresses(people: list[Party], in_headers: list[str]) -> list[str]:
    """Prefer the recipients table, unless the headers know addresses that it lacks."""
    known = [who.smtp for who in people if who.smtp]
    return known if len(known) >= len(in_headers) else in_headers


def _fill_flags(row: MessageRecord, message: MapiMessage, rebuilt: Rebuilt) -> None:
    bag = message.properties
    flags = bag.integer(Tag.MESSAGE_FLAGS)
    row.is_read = None if flags is None else bool(flags & _READ)
    row.flags = [] if flags is None else [f"PidTagMessageFlags:0x{flags & 0xFFFFFFFF:x}"]
    for name, tag in (
        ("PidTagFlagStatus", Tag.FLAG_STATUS),
        ("PidTagLastVerbExecuted", Tag.LAST_VERB_EXECUTED),
    ):
        value = bag.integer(tag)
        if value:
            row.flags.append(f"{name}:{value}")
    row.flags += rebuilt.flags


def _fill_text(row: MessageRecord, rebuilt: Rebuilt) -> None:
    bodies = rebuilt.bodies
    if rebuilt.flags:
        return
    row.charset_declared, row.charset_used = bodies.charset_declared, bodies.charset_used
    row.has_body = bool((bodies.plain or "").strip() or (bodies.html or "").strip())
    text = bodies.plain if (bodies.plain or "").strip() else None
    if bodies.html is not None and (text is None or rebuilt.was_html):
        text = mime.html_to_text(bodies.html)
    row.content_key = mime.content_key(
        row.message_id, row.from_addr, row.sent_at, row.subject, text or ""
    )
    row.text = "\n".join(filter(None, (rebuilt.details, text)))


def _fill_condition(row: MessageRecord, message: MapiMessage, rebuilt: Rebuilt) -> None:
    ignored = _OWN_DEFECTS if rebuilt.headers_kept else _OWN_DEFECTS | _HEADER_DEFECTS
    found = [code for code in row.defects if code not in ignored]
    found += rebuilt.defects
    if not row.has_body and message.is_mail and not row.attachments and not rebuilt.flags:
        found.append("no_body")
    row.defects = list(dict.fromkeys(found))
    lost_body = "rtf_undecodable" in found and not row.has_body
    partial = lost_body or bool(_INCOMPLETE & set(found))
    row.completeness = Completeness.PARTIAL if partial else Completeness.COMPLETE
