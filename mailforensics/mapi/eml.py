"""RFC 5322 bytes -> a MAPI message, so that mail of any source can go into an Outlook data file.

The Internet headers are kept as they came (PidTagTransportMessageHeaders), attachments byte for
byte; what the message does not say stays absent. [MS-OXCMAIL] 2.2.
"""

from __future__ import annotations

import base64
import binascii
import codecs
import re
import struct
import urllib.parse
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from pathlib import PurePosixPath
from typing import Final

from mailforensics import mime
from mailforensics.mapi.codepages import CODE_PAGES
from mailforensics.mapi.message import Attachment, AttachMethod, MapiMessage, Party, Recipient
from mailforensics.mapi.oneoff import entry_list, one_off_entry
from mailforensics.mapi.properties import Property, PropertyBag, PropertyType, Tag
from mailforensics.mime import ParsedMessage, Part
from mailforensics.schema import MessageRecord

__all__ = ["from_eml"]

_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)
_READ: Final = 0x1
_UTF8: Final = 65001
_SHOWN_IN_HTML: Final = 0x4
_REPLY_NAMES: Final = 0x0050
_EXTENSION: Final = 0x3703
_PREFIX: Final = re.compile(r"[^\W\d_]{1,3}: ")
_CITED: Final = re.compile(r"cid:([^\s\"'<>)]{1,400})", re.IGNORECASE)
_SIMPLIFIED: Final = frozenset({"gb2312", "gbk", "x-gbk", "cp936", "gb_2312-80"})
_SIMPLIFIED_PAGE: Final = 936
_GRADES: Final = {"low": 0, "normal": 1, "high": 2}
_SIGNED: Final = "IPM.Note.SMIME.MultipartSigned"
_OPAQUE: Final = "IPM.Note.SMIME"
_PKCS7: Final = frozenset({"application/pkcs7-mime", "application/x-pkcs7-mime"})
_PKCS7_SIGNATURE: Final = re.compile(
    rb"protocol\s{0,9}=\s{0,9}\"?application/(?:x-)?pkcs7-sig", re.I
)


def from_eml(raw: bytes, *, is_read: bool | None = None) -> MapiMessage:
    """Turn a message into properties, recipients and attachments.

    Parameters
    ----------
    raw : bytes
        An RFC 5322 message; nothing in it raises.
    is_read : bool, optional
        Whether it is marked as read; unknown counts as unread, as in any mailbox.

    Returns
    -------
    MapiMessage
        Messages inside the message are attached as files, so that their bytes stay as they are.
        Mail signed with S/MIME keeps the signed bytes whole ([MS-OXOSMIME] 2.1.3).
    """
    message = mime.parse(raw)
    record = mime.read_message(raw, source_ref="")
    made = _Made(message, record)
    made.text(Tag.MESSAGE_CLASS, "IPM.Note")
    made.number(Tag.MESSAGE_FLAGS, _READ if is_read else 0)
    made.headers()
    made.people()
    made.content()
    return MapiMessage(made.bag, made.recipients, made.attachments)


class _Made:
    """A message while it is put together."""

    def __init__(self, message: ParsedMessage, record: MessageRecord) -> None:
        self.message = message
        self.record = record
        self.bag = PropertyBag()
        self.recipients: list[Recipient] = []
        self.attachments: list[Attachment] = []

    def text(self, tag: int, value: str | None) -> None:
        if value:
            self.bag.values[tag] = _string(value)

    def number(self, tag: int, value: int) -> None:
        self.bag.values[tag] = Property(PropertyType.INTEGER32, struct.pack("<i", value))

    def binary(self, tag: int, value: bytes) -> None:
        self.bag.values[tag] = Property(PropertyType.BINARY, value)

    def moment(self, tag: int, value: datetime | None) -> None:
        if value is not None and value >= _EPOCH:
            ticks = (value - _EPOCH) // timedelta(microseconds=1) * 10
            self.bag.values[tag] = Property(PropertyType.TIME, struct.pack("<Q", ticks))

    # --- headers --------------------------------------------------------------------------------

    def headers(self) -> None:
        record, first = self.record, self.message.first
        self.text(Tag.TRANSPORT_MESSAGE_HEADERS, self._header_text())
        self._subject(record.subject)
        self.moment(Tag.CLIENT_SUBMIT_TIME, record.sent_at)
        self.moment(Tag.MESSAGE_DELIVERY_TIME, record.received_at)
        self.text(Tag.INTERNET_MESSAGE_ID, record.message_id)
        self.text(Tag.IN_REPLY_TO_ID, record.in_reply_to)
        self.text(Tag.INTERNET_REFERENCES, " ".join(record.references or ()))
        grade = first.get("importance", b"").strip().lower().decode("ascii", "replace")
        if grade in _GRADES:
            self.number(Tag.IMPORTANCE, _GRADES[grade])
        if index := _decoded_index(first.get("thread-index", b"")):
            self.binary(Tag.CONVERSATION_INDEX, index)

    def _subject(self, subject: str | None) -> None:
        """Keep the subject with the mark that says where its prefix ends, [MS-PST] 2.5.3.1.1.1."""
        if not subject:
            return
        match = _PREFIX.match(subject)
        prefix = match.group() if match else ""
        self.text(Tag.SUBJECT, f"\x01{chr(len(prefix) + 1)}{subject}")
        topic = self.message.first.get("thread-topic")
        named = mime.decode_header(topic)[0] if topic else ""
        self.text(Tag.CONVERSATION_TOPIC, named or subject[len(prefix) :])

    def _header_text(self) -> str:
        data = self.message.raw[: self.message.body]
        if not self.message.first:
            return ""
        text = mime.decode_text(data, self.message.charset_hint)[0]
        return _crlf(text)

    # --- people ---------------------------------------------------------------------------------

    def people(self) -> None:
        author = next(iter(self._named("from")), None)
        sender = next(iter(self._named("sender")), author)
        self._party(
            author,
            Tag.SENT_REPRESENTING_NAME,
            Tag.SENT_REPRESENTING_ADDRESS_TYPE,
            Tag.SENT_REPRESENTING_EMAIL_ADDRESS,
            Tag.SENT_REPRESENTING_SMTP_ADDRESS,
        )
        self._party(
            sender,
            Tag.SENDER_NAME,
            Tag.SENDER_ADDRESS_TYPE,
            Tag.SENDER_EMAIL_ADDRESS,
            Tag.SENDER_SMTP_ADDRESS,
        )
        self._recipients()
        if replies := [who for who in self._named("reply-to") if who[1]]:
            entries = (one_off_entry(name or addr, "SMTP", addr) for name, addr in replies)
            self.binary(Tag.REPLY_RECIPIENT_ENTRIES, entry_list(entries))
            self.text(_REPLY_NAMES, "; ".join(name or addr for name, addr in replies))

    def _named(self, field: str) -> list[tuple[str, str]]:
        value = self.message.first.get(field)
        return mime.addresses(value, self.message.charset_hint) if value else []

    def _party(
        self, who: tuple[str, str] | None, name: Tag, kind: Tag, address: Tag, smtp: Tag
    ) -> None:
        if who is None:
            return
        self.text(name, who[0] or who[1])
        if who[1]:
            self.text(kind, "SMTP")
            self.text(address, who[1])
            self.text(smtp, who[1])

    def _recipients(self) -> None:
        shown = {"to": Tag.DISPLAY_TO, "cc": Tag.DISPLAY_CC, "bcc": Tag.DISPLAY_BCC}
        for kind, tag in shown.items():
            named = self._named(kind)
            self.text(tag, "; ".join(name or addr for name, addr in named))
            self.recipients += [
                Recipient(kind, Party(name or None, addr or None)) for name, addr in named
            ]

    # --- content --------------------------------------------------------------------------------

    def content(self) -> None:
        plain, html, files = _sorted_parts(self.message.parts)
        texts = [_crlf(_text_of(part)) for part in plain]
        self.text(Tag.BODY, "\r\n".join(texts))
        shown = self._html(html)
        if self._protected(files):
            return
        cited = {urllib.parse.unquote(name).lower() for name in _CITED.findall(shown)}
        self.attachments += [_attachment(part, cited) for part in files]

    def _html(self, parts: list[Part]) -> str:
        """Keep the HTML: its very bytes where a code page says how to read them, else as UTF-8."""
        texts = [_text_of(part) for part in parts]
        if not texts:
            return ""
        page = _page_of(parts[0].charset) if len(parts) == 1 else None
        data = parts[0].data if page else b""
        if page is None or not _reads_as(data, page, texts[0]):
            page, data = _UTF8, "\r\n".join(texts).encode("utf-8", "replace")
        self.binary(Tag.HTML, data)
        self.number(Tag.INTERNET_CODEPAGE, page)
        return "\n".join(texts)

    def _protected(self, files: list[Part]) -> bool:
        """Keep what S/MIME protects in one attachment, [MS-OXOSMIME] 2.1.3."""
        message = self.message
        kind = message.first.get("content-type", b"")
        outer = message.multiparts[0].media_type if message.multiparts else ""
        if outer == "multipart/signed" and _PKCS7_SIGNATURE.search(kind):
            data = b"Content-Type: " + kind + b"\r\n\r\n" + message.raw[message.body :]
            self.text(Tag.MESSAGE_CLASS, _SIGNED)
            self.attachments.append(_file(_canonical(data), "smime.p7m", "multipart/signed"))
            return True
        if len(message.parts) == 1 and files and files[0].media_type in _PKCS7:
            self.text(Tag.MESSAGE_CLASS, _OPAQUE)
        return False


def _canonical(data: bytes) -> bytes:
    """Return lines that end in CRLF, over which a signature is made; with bare CR as they are."""
    plain = data.replace(b"\r\n", b"\n")
    return data if b"\r" in plain else plain.replace(b"\n", b"\r\n")


def _string(value: str) -> Property:
    return Property(PropertyType.STRING, value.encode("utf-16-le", "surrogatepass"))


def _crlf(text: str) -> str:
    return text.replace("\r\n", "\n").replace("\r", "\n").replace("\n", "\r\n")


def _decoded_index(value: bytes) -> bytes:
    try:
        return base64.b64decode(b"".join(value.split()), validate=True)
    except binascii.Error:
        return b""


def _sorted_parts(parts: list[Part]) -> tuple[list[Part], list[Part], list[Part]]:
    """Divide the parts into plain texts, HTML and files."""
    plain: list[Part] = []
    html: list[Part] = []
    files: list[Part] = []
    for part in parts:
        body = {"text/plain": plain, "text/html": html}.get(part.media_type, files)
        (files if part.is_attachment else body).append(part)
    return plain, html, files


def _text_of(part: Part) -> str:
    data = part.data
    if part.holes:
        edges = [part.start, *(edge for hole in part.holes for edge in hole), part.stop]
        pieces = zip(edges[::2], edges[1::2], strict=True)
        data = b"".join(part.owner[start:stop] for start, stop in pieces)
    return mime.decode_text(data, part.charset)[0]


@lru_cache(maxsize=256)
def _page_of(charset: str | None) -> int | None:
    """Return the code page of a MIME character set."""
    label = (charset or "").strip().lower()
    if label in _SIMPLIFIED:
        return _SIMPLIFIED_PAGE
    wanted = _codec_name(label)
    for page, (codec, name) in CODE_PAGES.items():
        if name == label or (wanted and _codec_name(codec) == wanted):
            return page
    return None


def _codec_name(codec: str) -> str:
    try:
        return codecs.lookup(codec).name
    except LookupError:
        return ""


def _reads_as(data: bytes, page: int, text: str) -> bool:
    try:
        return data.decode(CODE_PAGES[page][0]) == text
    except (UnicodeDecodeError, LookupError):
        return False


def _attachment(part: Part, cited: set[str]) -> Attachment:
    name = part.name
    if name is None and part.is_message:
        subject = mime.read_message(part.data, source_ref="").subject or "message"
        name = f"{subject[:120]}.eml"
    found = _file(b"", name, part.media_type)
    found.data = lambda: part.data
    bag = found.properties
    if part.content_id:
        bag.values[Tag.ATTACH_CONTENT_ID] = _string(part.content_id)
    location = part.headers.get("content-location")
    if location:
        bag.values[Tag.ATTACH_CONTENT_LOCATION] = _string(mime.decode_header(location)[0])
    if part.content_id and part.content_id.lower() in cited:
        bag.values[Tag.ATTACH_FLAGS] = _number(_SHOWN_IN_HTML)
        bag.values[Tag.ATTACHMENT_HIDDEN] = Property(PropertyType.BOOLEAN, b"\x01")
    return found


def _file(data: bytes, name: str | None, kind: str) -> Attachment:
    bag = PropertyBag()
    bag.values[Tag.ATTACH_METHOD] = _number(AttachMethod.BY_VALUE)
    bag.values[Tag.RENDERING_POSITION] = _number(-1)
    bag.values[Tag.ATTACH_MIME_TAG] = _string(kind)
    if name:
        for tag in (Tag.DISPLAY_NAME, Tag.ATTACH_LONG_FILENAME, Tag.ATTACH_FILENAME):
            bag.values[tag] = _string(name)
        if suffix := PurePosixPath(name.replace("\0", "")).suffix:
            bag.values[_EXTENSION] = _string(suffix)
    return Attachment(bag, data=lambda: data)


def _number(value: int) -> Property:
    return Property(PropertyType.INTEGER32, struct.pack("<i", value))
