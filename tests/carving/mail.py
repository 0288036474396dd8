from __future__ import annotations

from hypothesis import strategies as st

HEAD = (
    b"Return-Path: <li.na@example.com>\n"
    b"Received: from mx.example.com (10.0.0.7) by mail.example.org with ESMTP id 4711;\n"
    b"\tTue, 24 Nov 2026 10:00:00 +0800\n"
    b"Message-ID: <%d@example.com>\n"
    b"Date: Tue, 24 Nov 2026 10:00:00 +0800\n"
    b"From: Li Na <li.na@example.com>\n"
    b"To: <wang@example.org>\n"
    b"Subject: contract\n"
    b"MIME-Version: 1.0\n"
)
SEPARATOR = b"From li.na@example.com Tue Nov 24 10:00:00 2026\n"
MULTIPART = (
    b'Content-Type: multipart/mixed;\n\tboundary="=_%d"\n\n--=_%d\n\n%s\n--=_%d\n'
    b"Content-Transfer-Encoding: base64\n\nSGVsbG8sIHdvcmxkIQ==\n--=_%d--\n"
)


def plain(number: int, text: bytes = b"The signed copy is attached.\n") -> bytes:
    """A message without parts."""
    return HEAD % number + b"\n" + text


def multipart(number: int, text: bytes = b"The signed copy is attached.\n") -> bytes:
    """A message with two parts."""
    marks = (number, number, text, number, number)
    return HEAD % number + MULTIPART % marks


def crlf(message: bytes) -> bytes:
    """The same message with the line ends of the wire."""
    return message.replace(b"\n", b"\r\n")


def block(data: bytes, size: int = 4096) -> bytes:
    """The data with zeros behind, up to whole blocks."""
    return data + bytes(-len(data) % size)


@st.composite
def messages(draw: st.DrawFn, *, closed: bool | None = None) -> bytes:
    """Messages of several shapes; the text may hold Chinese in GBK or UTF-8."""
    number = draw(st.integers(1, 10**6))
    words = st.sampled_from(
        ["合同已签", "see the copy", "发票", "From here on", "Date: soon", "ok"]
    )
    coding = draw(st.sampled_from(["utf-8", "gb18030"]))
    lines = draw(st.lists(words, min_size=1, max_size=40))
    text = "\n".join(lines).encode(coding) + b"\n"
    whole = draw(st.booleans()) if closed is None else closed
    message = multipart(number, text) if whole else plain(number, text)
    return crlf(message) if draw(st.booleans()) else message
