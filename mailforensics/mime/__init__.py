"""RFC 5322 bytes -> fields, parts and text; character sets as they are, not as they are named."""

from __future__ import annotations

from mailforensics.mime.addresses import addresses
from mailforensics.mime.charsets import decode_text
from mailforensics.mime.dates import parse_date
from mailforensics.mime.fingerprint import content_key
from mailforensics.mime.headers import known_fields
from mailforensics.mime.parts import Multipart, ParsedMessage, Part, parse
from mailforensics.mime.record import nested_bytes, part_bytes, read_message, read_nested
from mailforensics.mime.text import html_to_text
from mailforensics.mime.words import decode_header

__all__ = [
    "Multipart",
    "ParsedMessage",
    "Part",
    "addresses",
    "content_key",
    "decode_header",
    "decode_text",
    "html_to_text",
    "known_fields",
    "nested_bytes",
    "parse",
    "parse_date",
    "part_bytes",
    "read_message",
    "read_nested",
]
