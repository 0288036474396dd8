"""Attachments of a MAPI message as MIME parts."""

from __future__ import annotations

import re
from pathlib import PurePosixPath
from types import MappingProxyType
from typing import Final

from mailforensics.mapi.entity import Entity, binary_part, embed, is_clean, parameter
from mailforensics.mapi.message import Attachment, AttachMethod
from mailforensics.mapi.properties import Tag

__all__ = ["MEDIA_TYPES", "file_part", "media_type", "message_part", "missing_reason"]

MEDIA_TYPES = MappingProxyType(
    {
        ".7z": "application/x-7z-compressed",
        ".avi": "video/x-msvideo",
        ".bmp": "image/bmp",
        ".css": "text/css",
        ".csv": "text/csv",
        ".doc": "application/msword",
        ".docm": "application/vnd.ms-word.document.macroEnabled.12",
        ".docx": "application/vnd.openxmlformats-officedocument.wordprocessingml.document",
        ".emf": "image/emf",
        ".eml": "message/rfc822",
        ".gif": "image/gif",
        ".gz": "application/gzip",
        ".htm": "text/html",
        ".html": "text/html",
        ".ics": "text/calendar",
        ".ico": "image/vnd.microsoft.icon",
        ".jpeg": "image/jpeg",
        ".jpg": "image/jpeg",
        ".json": "application/json",
        ".mov": "video/quicktime",
        ".mp3": "audio/mpeg",
        ".mp4": "video/mp4",
        ".msg": "application/vnd.ms-outlook",
        ".odp": "application/vnd.oasis.opendocument.presentation",
        ".ods": "application/vnd.oasis.opendocument.spreadsheet",
        ".odt": "application/vnd.oasis.opendocument.text",
        ".p7m": "application/pkcs7-mime",
        ".p7s": "application/pkcs7-signature",
        ".pdf": "application/pdf",
        ".png": "image/png",
        ".ppt": "application/vnd.ms-powerpoint",
        ".pptx": "application/vnd.openxmlformats-officedocument.presentationml.presentation",
        ".rar": "application/vnd.rar",
        ".rtf": "application/rtf",
        ".svg": "image/svg+xml",
        ".tif": "image/tiff",
        ".tiff": "image/tiff",
        ".txt": "text/plain",
        ".vcf": "text/vcard",
        ".wav": "audio/x-wav",
        ".webp": "image/webp",
        ".wmf": "image/wmf",
        ".xls": "application/vnd.ms-excel",
        ".xlsm": "application/vnd.ms-excel.sheet.macroEnabled.12",
        ".xlsx": "application/vnd.openxmlformats-officedocument.spreadsheetml.sheet",
        ".xml": "application/xml",
        ".zip": "application/zip",
    }
)
"""Suffix -> media type; an own table, so that every machine writes the same bytes."""

OCTETS: Final = "application/octet-stream"
_MEDIA_TYPE = re.compile(r"[A-Za-z0-9!#$&^_.+-]{1,100}/[A-Za-z0-9!#$&^_.+-]{1,100}")
_CONTENT_ID = re.compile(r"[!-;=?-~]{1,400}")
_MESSAGE_START = re.compile(rb"[!-9;-~]{1,100}:")
_BY_REFERENCE = frozenset(
    {
        AttachMethod.BY_REFERENCE,
        AttachMethod.BY_REFERENCE_RESOLVE,
        AttachMethod.BY_REFERENCE_ONLY,
        AttachMethod.BY_WEB_REFERENCE,
    }
)


def media_type(attachment: Attachment) -> str:
    """Return the media type that the store names, else the one of the file name."""
    named = (attachment.properties.text(Tag.ATTACH_MIME_TAG) or "").strip().lower()
    if _MEDIA_TYPE.fullmatch(named):
        return named
    suffix = PurePosixPath((attachment.name or "").replace("\0", "")).suffix.lower()
    return MEDIA_TYPES.get(suffix, OCTETS)


def missing_reason(attachment: Attachment) -> str | None:
    """Say why an attachment that holds no bytes holds none; None when it holds some."""
    if attachment.data is not None or attachment.embedded is not None:
        return None
    if attachment.method in _BY_REFERENCE:
        bag = attachment.properties
        place = bag.text(Tag.ATTACH_LONG_PATHNAME) or bag.text(Tag.ATTACH_PATHNAME)
        return f"only a link was stored: {place}" if place else "only a link was stored"
    return "no bytes are stored"


def file_part(attachment: Attachment, data: bytes, *, inline: bool) -> Entity:
    """Wrap the bytes of an attachment, which come out again exactly."""
    kind = media_type(attachment)
    if kind == "message/rfc822" and _MESSAGE_START.match(data) and is_clean(data):
        return embed(_fields(attachment, kind, attachment.name, inline=inline), data)
    if kind.startswith(("message/", "multipart/")):
        kind = OCTETS
    return binary_part(_fields(attachment, kind, attachment.name, inline=inline), data)


def message_part(attachment: Attachment, data: bytes, subject: str | None) -> Entity:
    """Wrap a rebuilt message."""
    name = attachment.properties.text(Tag.ATTACH_LONG_FILENAME) or subject or attachment.name
    return embed(_fields(attachment, "message/rfc822", _eml_name(name), inline=False), data)


def _eml_name(name: str | None) -> str:
    stem = " ".join((name or "message").replace("\0", "").split())[:120]
    return stem if stem.lower().endswith((".eml", ".msg")) else f"{stem}.eml"


def _fields(attachment: Attachment, kind: str, name: str | None, *, inline: bool) -> list[bytes]:
    named = parameter("name", name) if name and name.isascii() else b""
    fields = [b"Content-Type: " + kind.encode() + named]
    disposition = b"Content-Disposition: " + (b"inline" if inline else b"attachment")
    fields.append(disposition + (parameter("filename", name) if name else b""))
    content_id = attachment.content_id
    if content_id and _CONTENT_ID.fullmatch(content_id):
        fields.append(f"Content-ID: <{content_id}>".encode())
    location = attachment.properties.text(Tag.ATTACH_CONTENT_LOCATION)
    if location and _CONTENT_ID.fullmatch(location):
        fields.append(f"Content-Location: {location}".encode())
    return fields
