"""A MAPI message -> RFC 5322 bytes; the same message always gives the same bytes."""

from __future__ import annotations

import re
import urllib.parse
from dataclasses import dataclass, field
from typing import Final

from mailforensics.mapi.attachments import file_part, message_part, missing_reason
from mailforensics.mapi.bodies import Bodies, read_bodies
from mailforensics.mapi.entity import Entity, binary_part, is_clean, multipart, text_part
from mailforensics.mapi.headers import (
    address_field,
    built_headers,
    is_stub,
    kept_headers,
    text_field,
)
from mailforensics.mapi.items import describe
from mailforensics.mapi.message import Attachment, MapiMessage
from mailforensics.mapi.properties import Tag

__all__ = ["DEEPEST", "Rebuilt", "assemble", "rebuild"]

DEEPEST: Final = 12
"""How deep messages inside messages are rebuilt."""

_CID = re.compile(rb"cid:([^\s\"'<>)]{1,400})", re.IGNORECASE)
_HTML_ALONE = re.compile(rb"x-mailforensics-original-content-type:\s*text/html\b", re.IGNORECASE)
_MHTML_REFERENCE = 0x4
_SIGNED = "IPM.NOTE.SMIME.MULTIPARTSIGNED"
_OPAQUE = "IPM.NOTE.SMIME"
_ENVELOPED = bytes.fromhex("2a864886f70d010703")


@dataclass(slots=True)
class Rebuilt:
    """A rebuilt message and what was met on the way.

    Attributes
    ----------
    raw
        The bytes.
    headers_kept
        Whether the headers are those that came with the message.
    was_html
        Whether the kept headers say that it had HTML alone; its plain text is then the store's.
    bodies
        Its bodies, decoded.
    details
        Readable lines about an item that is no mail.
    children
        For each ``message/rfc822`` part in order: the message that it was rebuilt from, with its
        own result; None for one that was attached as a file.
    flags
        What the protection of the message is: ``smime:signed``, ``smime:encrypted``.
    defects
        Codes of :data:`mailforensics.schema.DEFECTS`.
    """

    raw: bytes = b""
    headers_kept: bool = False
    was_html: bool = False
    bodies: Bodies = field(default_factory=Bodies)
    details: str = ""
    children: list[tuple[MapiMessage, Rebuilt] | None] = field(default_factory=list)
    flags: list[str] = field(default_factory=list)
    defects: list[str] = field(default_factory=list)


def rebuild(message: MapiMessage) -> bytes:
    """Rebuild a message as RFC 5322 bytes: seven-bit, CRLF, reproducible.

    The Internet headers are kept when the store has them, and built from properties otherwise
    (then marked ``X-Mailforensics-Headers``); see :mod:`mailforensics.mapi.headers`.
    """
    return assemble(message).raw


def assemble(message: MapiMessage, depth: int = 0) -> Rebuilt:
    """Rebuild a message and say what was met; ``depth`` counts the messages around it."""
    result = Rebuilt(defects=list(message.defects))
    if message.properties.unreadable:
        result.defects.append("property_unreadable")
    notes: list[bytes] = []
    content = _protected(message, result) or _content(message, result, notes, depth)
    fields = _headers(message, result)
    version = [] if b"mime-version:" in content.headers[0].lower() else [b"MIME-Version: 1.0"]
    result.raw = content.serialise([*fields, *notes, *version])
    result.defects = list(dict.fromkeys([*result.defects, *result.bodies.defects]))
    return result


def _headers(message: MapiMessage, result: Rebuilt) -> list[bytes]:
    text = message.transport_headers
    fields, defects = kept_headers(text) if text else ([], [])
    result.defects += defects
    result.headers_kept = bool(fields) and not is_stub(fields)
    result.was_html = any(_HTML_ALONE.match(entry) for entry in fields)
    if not result.headers_kept:
        result.defects.append("headers_built")
        return built_headers(message) + fields
    hidden = message.of_kind("bcc")
    if hidden and not any(entry.lower().startswith(b"bcc:") for entry in fields):
        fields.append(address_field("X-Mailforensics-Bcc", hidden))
    return fields


def _content(message: MapiMessage, result: Rebuilt, notes: list[bytes], depth: int) -> Entity:
    result.bodies = bodies = read_bodies(message)
    shown = [multipart("alternative", bodies.parts)] if len(bodies.parts) > 1 else bodies.parts
    inline, files = _attachments(message, result, notes, depth)
    if inline:
        shown = [multipart("related", [*shown, *inline])]
    listed = [*shown, *files]
    if not message.is_mail:
        result.defects.append("not_mail")
        result.details = describe(message)
        listed.insert(0, text_part(result.details.encode("utf-8", "replace"), "plain", "utf-8"))
    if not listed:
        return text_part(b"", "plain", "us-ascii")
    return shown[0] if listed == shown else multipart("mixed", listed)


def _attachments(
    message: MapiMessage, result: Rebuilt, notes: list[bytes], depth: int
) -> tuple[list[Entity], list[Entity]]:
    wanted = _references(result.bodies)
    inline: list[Entity] = []
    files: list[Entity] = []
    inline_children: list[tuple[MapiMessage, Rebuilt] | None] = []
    for attachment in message.attachments:
        shown = _is_inline(attachment, wanted, result.bodies)
        before = len(result.children)
        part = _one(attachment, result, notes, depth, inline=shown)
        if part is None:
            continue
        (inline if shown else files).append(part)
        if shown:
            inline_children += result.children[before:]
            del result.children[before:]
    result.children[:0] = inline_children
    return inline, files


def _references(bodies: Bodies) -> frozenset[str]:
    found = _CID.findall(bodies.html_source)
    return frozenset(
        urllib.parse.unquote(name.decode("utf-8", "replace")).lower() for name in found
    )


def _is_inline(attachment: Attachment, wanted: frozenset[str], bodies: Bodies) -> bool:
    if bodies.html is None:
        return False
    content_id = attachment.content_id
    if content_id and content_id.lower() in wanted:
        return True
    location = attachment.properties.text(Tag.ATTACH_CONTENT_LOCATION)
    if location and location.encode("utf-8", "replace") in bodies.html_source:
        return True
    flags = attachment.properties.integer(Tag.ATTACH_FLAGS) or 0
    return bool(content_id and flags & _MHTML_REFERENCE)


def _one(
    attachment: Attachment, result: Rebuilt, notes: list[bytes], depth: int, *, inline: bool
) -> Entity | None:
    reason = missing_reason(attachment)
    code = "attachment_missing"
    if reason is None:
        try:
            if attachment.embedded is not None:
                part = _embedded(attachment, result, depth)
                if part is not None:
                    return part
                reason, code = "messages are nested too deep here", "too_deep"
            elif attachment.data is not None:
                part = file_part(attachment, attachment.data(), inline=inline)
                if part.headers[0].startswith(b"Content-Type: message/rfc822"):
                    result.children.append(None)
                return part
        except OSError:
            reason, code = "its bytes could not be read", "attachment_unreadable"
    result.defects.append(code)
    note = f"{attachment.name or 'without name'} ({reason})"
    notes.append(text_field("X-Mailforensics-Missing-Attachment", note))
    return None


def _embedded(attachment: Attachment, result: Rebuilt, depth: int) -> Entity | None:
    if depth + 1 >= DEEPEST or attachment.embedded is None:
        return None
    inner = attachment.embedded()
    rebuilt = assemble(inner, depth + 1)
    result.children.append((inner, rebuilt))
    return message_part(attachment, rebuilt.raw, inner.subject)


def _protected(message: MapiMessage, result: Rebuilt) -> Entity | None:
    """Give back a signed or encrypted message as it was sent, [MS-OXOSMIME] 2.1.3."""
    name = message.message_class.upper()
    if not name.startswith(_OPAQUE) or len(message.attachments) != 1:
        return None
    read = message.attachments[0].data
    try:
        data = read() if read is not None else b""
    except OSError:
        return None
    if not data:
        return None
    if name.startswith(_SIGNED):
        return _signed(data, result)
    encrypted = _ENVELOPED in data[:64]
    result.flags.append("smime:encrypted" if encrypted else "smime:signed")
    kind = b"enveloped-data" if encrypted else b"signed-data"
    return binary_part(
        [
            b'Content-Type: application/pkcs7-mime;\r\n smime-type=%b;\r\n name="smime.p7m"' % kind,
            b'Content-Disposition: attachment;\r\n filename="smime.p7m"',
        ],
        data,
    )


def _signed(data: bytes, result: Rebuilt) -> Entity | None:
    head, blank, body = data.partition(b"\r\n\r\n")
    if not blank or b"multipart/signed" not in head.lower() or not is_clean(data):
        return None
    fields, _ = kept_headers(head.decode("latin-1"))
    if not head.isascii() or not any(b"content-type:" in entry.lower() for entry in fields):
        return None
    result.flags.append("smime:signed")
    return Entity((head,), body)
