"""Header fields of a rebuilt message: the Internet headers as they came, or built ones.

Kept headers lose no line and no order. Only what describes the MIME structure, which is rebuilt,
is renamed ``X-Mailforensics-Original-…``; a line that is no header line is kept under
``X-Mailforensics-Original-Line``. The line "Microsoft Mail Internet Headers Version 2.0" that
Exchange puts before them is the one thing left out: it was never in the message.
"""

from __future__ import annotations

import base64
import email.utils
import re
from typing import Final

from mailforensics.mapi.message import MapiMessage, Party
from mailforensics.mapi.properties import Tag

__all__ = [
    "BUILT_MARK",
    "address_field",
    "built_headers",
    "is_stub",
    "kept_headers",
    "text_field",
]

BUILT_MARK: Final = b"X-Mailforensics-Headers: built from MAPI properties"
RENAMED: Final = b"X-Mailforensics-Original-"
_FIRST_LINE = "microsoft mail internet headers version"
_STRUCTURE = frozenset(
    b"content-type content-transfer-encoding mime-version content-length content-disposition "
    b"content-id content-description content-location content-base content-md5".split()
)
_FIELD = re.compile(rb"([!-9;-~]{1,256}):")
_CONTROLS = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]+")
_DELIMITERS = re.compile(r"([\s<>()\",;:@\[\]]+)")
_PLAIN_TEXT = re.compile(r"[!-~]+(?: [!-~]+)*")
_ESSENTIAL = frozenset({b"from", b"to", b"subject", b"date", b"received", b"message-id"})
_GRADES: Final[tuple[tuple[str, Tag, dict[int, str]], ...]] = (
    ("Importance", Tag.IMPORTANCE, {0: "low", 2: "high"}),
    ("Sensitivity", Tag.SENSITIVITY, {1: "Personal", 2: "Private", 3: "Company-Confidential"}),
)
_WIDTH = 76
_LONGEST = 998


def kept_headers(text: str) -> tuple[list[bytes], list[str]]:
    """Turn the transport headers into header fields.

    Parameters
    ----------
    text : str
        PidTagTransportMessageHeaders.

    Returns
    -------
    fields : list of bytes
        Header fields in order, folded lines inside, without the last CRLF.
    defects : list of str
        Codes of :data:`mailforensics.schema.DEFECTS`.
    """
    fields: list[bytes] = []
    defects: list[str] = []
    ended = False
    for line in _lines(text):
        if not line.strip():
            ended = True
            continue
        data = _ascii_line(line)
        if not ended and fields and line[0] in " \t":
            fields[-1] += b"\r\n" + data
        elif not ended and line[0] not in " \t" and (match := _FIELD.match(data)):
            renamed = match[1].lower() in _STRUCTURE
            fields.append(RENAMED + data if renamed else data)
        else:
            fields.append(RENAMED + b"Line: " + data.strip())
            defects.append("bad_header_line")
    return [_shortened(entry) for entry in fields], list(dict.fromkeys(defects))


def is_stub(fields: list[bytes]) -> bool:
    """Whether kept header fields name neither who, nor what, nor when."""
    names = {entry.partition(b":")[0].lower() for entry in fields}
    return not names & _ESSENTIAL


def _lines(text: str) -> list[str]:
    lines = text.replace("\r\n", "\n").replace("\r", "\n").split("\n")
    while lines and not lines[0].strip():
        del lines[0]
    if lines and lines[0].strip().lower().startswith(_FIRST_LINE):
        del lines[0]
    while lines and not lines[0].strip():
        del lines[0]
    while lines and not lines[-1].strip(" \t\0"):
        del lines[-1]
    return lines


def _ascii_line(line: str) -> bytes:
    """Put what is not ASCII into encoded words (RFC 2047) and leave the rest as it is."""
    if line.isascii() and "\0" not in line:
        return line.encode("ascii")
    quoted = line.split('"')
    for index in range(1, len(quoted) - 1, 2):
        piece = quoted[index]
        quoted[index] = f'"{piece}"' if piece.isascii() else _words(piece)
    if len(quoted) % 2 == 0:
        quoted[-1] = '"' + quoted[-1]
    return _coded_tokens("".join(quoted)).encode("ascii")


def _coded_tokens(line: str) -> str:
    """Encode each run of tokens outside ASCII, the blanks between them included."""
    tokens = _DELIMITERS.split(line)
    foreign = [not token.isascii() or "\0" in token for token in tokens]
    done: list[str] = []
    run = ""
    for index, token in enumerate(tokens):
        between = run and token.isspace() and any(foreign[index + 1 : index + 2])
        if foreign[index] or between:
            run += token
        else:
            done.append((_words(run) if run else "") + token)
            run = ""
    return "".join(done) + (_words(run) if run else "")


def _shortened(entry: bytes) -> bytes:
    """Fold a line above 998 bytes before a blank, which changes no value."""
    if len(entry) <= _LONGEST:
        return entry
    done: list[bytes] = []
    for line in entry.split(b"\r\n"):
        rest = line
        while len(rest) > _LONGEST:
            cut = max(rest.rfind(b" ", 1, _LONGEST), rest.rfind(b"\t", 1, _LONGEST))
            if cut < 1 or not rest[:cut].strip() or not rest[cut:].strip():
                break
            done.append(rest[:cut])
            rest = rest[cut:]
        done.append(rest)
    return b"\r\n".join(done)


def _words(text: str) -> str:
    """Return encoded words of at most 75 signs, with a blank between them."""
    pieces: list[bytes] = [b""]
    for sign in text:
        coded = sign.encode("utf-8", "replace")
        if len(pieces[-1]) + len(coded) > 45:
            pieces.append(b"")
        pieces[-1] += coded
    return " ".join(f"=?utf-8?B?{base64.b64encode(piece).decode()}?=" for piece in pieces)


def _cleaned(text: str) -> str:
    return _CONTROLS.sub(" ", text)


def text_field(name: str, text: str) -> bytes:
    """Return an unstructured header field, encoded where it must be, folded."""
    value = _cleaned(text)
    simple = _PLAIN_TEXT.fullmatch(value) and "=?" not in value
    if not simple or any(len(word) > 900 for word in value.split(" ")):
        value = _words(value)
    return _folded(f"{name}:", value.split(" "))


def _folded(start: str, words: list[str]) -> bytes:
    lines, line = [], start
    for word in words:
        if len(line) + 1 + len(word) > _WIDTH and line != start:
            lines.append(line)
            line = ""
        line += " " + word
    lines.append(line)
    return "\r\n".join(lines).encode("ascii")


def token_field(name: str, value: str) -> bytes:
    """Return a field of identifiers; as it is stored, save what ASCII cannot hold."""
    words = _cleaned(value).split()
    return _folded(f"{name}:", [word if word.isascii() else _words(word) for word in words])


def address_field(name: str, parties: list[Party]) -> bytes:
    """Return a field of addresses.

    Somebody whose Internet address is not known stands as a group without members,
    ``"Li Na" :;`` (RFC 5322 3.4, RFC 6854), so that no address is invented.
    """
    listed = [_mailbox(who) for who in parties]
    return (f"{name}: " + ",\r\n ".join(listed)).encode("ascii")


def _mailbox(who: Party) -> str:
    if who.smtp and who.smtp.isascii():
        if not who.name or who.name == who.smtp:
            return who.smtp if len(who.smtp) < 900 else f"{_phrase(who.smtp)} :;"
        return f"{_phrase(who.name)}\r\n <{who.smtp}>"
    label = " ".join(filter(None, (who.name, who.smtp))) or who.native or "unknown"
    return f"{_phrase(label)} :;"


def _phrase(text: str) -> str:
    value = _cleaned(text)
    if value.isascii() and len(value) <= 200 and "=?" not in value and value == value.strip():
        return '"' + value.replace("\\", "\\\\").replace('"', '\\"') + '"'
    return _words(value).replace(" ", "\r\n ")


def native_fields(message: MapiMessage) -> list[bytes]:
    """Keep the addresses that are no Internet addresses, beside the name they belong to."""
    people = [("From", message.author), ("Sender", message.sender)]
    if message.author == message.sender:
        del people[1]
    people += [(row.kind.capitalize(), row.party) for row in message.recipients or []]
    return [
        text_field(f"X-Mailforensics-Native-{kind}", f"{who.name or ''} <{who.native}>".strip())
        for kind, who in people
        if who.native
    ]


def built_headers(message: MapiMessage) -> list[bytes]:
    """Build header fields from properties; what no property says is absent."""
    fields = [BUILT_MARK]
    author, sender = message.author, message.sender
    sent = message.properties.moment(Tag.CLIENT_SUBMIT_TIME)
    if sent:
        fields.append(b"Date: " + email.utils.format_datetime(sent.replace(microsecond=0)).encode())
    if author != Party():
        fields.append(address_field("From", [author]))
    if (
        sender not in (Party(), author)
        and (sender.smtp or "").lower() != (author.smtp or "").lower()
    ):
        fields.append(address_field("Sender", [sender]))
    if message.reply_to:
        fields.append(address_field("Reply-To", message.reply_to))
    fields += _recipient_fields(message)
    if message.subject is not None:
        fields.append(text_field("Subject", message.subject))
    return fields + _other_fields(message) + native_fields(message)


def _recipient_fields(message: MapiMessage) -> list[bytes]:
    kinds = [(kind, message.of_kind(kind)) for kind in ("to", "cc", "bcc")]
    return [address_field(kind.capitalize(), listed) for kind, listed in kinds if listed]


def _other_fields(message: MapiMessage) -> list[bytes]:
    bag = message.properties
    fields = []
    for name, tag in (
        ("Message-ID", Tag.INTERNET_MESSAGE_ID),
        ("In-Reply-To", Tag.IN_REPLY_TO_ID),
        ("References", Tag.INTERNET_REFERENCES),
    ):
        if value := (bag.text(tag) or "").strip():
            fields.append(token_field(name, value))
    for name, tag, words in _GRADES:
        grade = bag.integer(tag)
        if grade is not None and grade in words:
            fields.append(f"{name}: {words[grade]}".encode())
    if topic := bag.text(Tag.CONVERSATION_TOPIC):
        fields.append(text_field("Thread-Topic", topic))
    if index := bag.binary(Tag.CONVERSATION_INDEX):
        coded = base64.b64encode(index[:512]).decode()
        fields.append(_folded("Thread-Index:", [coded]))
    return fields
