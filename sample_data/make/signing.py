"""DKIM signatures (RFC 6376, rsa-sha256, relaxed/relaxed) with a key made for the sample.

The key signs for nordwind.example, a domain that cannot exist, and is published with the sample:
it protects nothing.
"""

from __future__ import annotations

import base64
import hashlib
import re
from datetime import datetime

from sample_data.make.samplekey import EXPONENT, MODULUS, PRIVATE_EXPONENT

__all__ = ["DOMAIN", "SELECTOR", "key_record", "signature"]

DOMAIN, SELECTOR = "nordwind.example", "post2025"
SIGNED = ("from", "to", "cc", "subject", "date", "message-id", "mime-version", "content-type")

_SHA256_INFO = bytes.fromhex("3031300d060960864801650304020105000420")
_RSA_INFO = bytes.fromhex("300d06092a864886f70d0101010500")


def signature(headers: list[tuple[str, bytes]], body: bytes, when: datetime) -> bytes:
    """Return the value of the DKIM-Signature header of a message."""
    names = [name for name in SIGNED if any(name == held.lower() for held, _ in headers)]
    digest = base64.b64encode(hashlib.sha256(_relaxed_body(body)).digest()).decode()
    value = (
        f"v=1; a=rsa-sha256; c=relaxed/relaxed; d={DOMAIN}; s={SELECTOR};\r\n"
        f"\tt={int(when.timestamp())}; h={':'.join(names)};\r\n\tbh={digest};\r\n\tb="
    )
    first = {name.lower(): content for name, content in reversed(headers)}
    signed = b"".join(_relaxed_header(name, first[name]) + b"\r\n" for name in names)
    signed += _relaxed_header("dkim-signature", value.encode())
    return (value + _folded(base64.b64encode(_sign(signed)).decode())).encode()


def key_record() -> str:
    """Return the text of the DNS record that publishes the key."""
    numbers = _der(0x30, _der_integer(MODULUS) + _der_integer(EXPONENT))
    info = _der(0x30, _RSA_INFO + _der(0x03, b"\0" + numbers))
    return f"v=DKIM1; k=rsa; p={base64.b64encode(info).decode()}"


def _relaxed_header(name: str, value: bytes) -> bytes:
    unfolded = re.sub(rb"[ \t]+", b" ", value.replace(b"\r\n", b"")).strip(b" ")
    return name.lower().encode() + b":" + unfolded


def _relaxed_body(body: bytes) -> bytes:
    lines = [re.sub(rb"[ \t]+", b" ", line).rstrip(b" ") for line in body.split(b"\r\n")]
    while lines and not lines[-1]:
        lines.pop()
    return b"".join(line + b"\r\n" for line in lines)


def _sign(data: bytes) -> bytes:
    """Sign by RSASSA-PKCS1-v1_5 (RFC 8017, section 8.2)."""
    size = (MODULUS.bit_length() + 7) // 8
    info = _SHA256_INFO + hashlib.sha256(data).digest()
    block = b"\0\1" + b"\xff" * (size - len(info) - 3) + b"\0" + info
    return pow(int.from_bytes(block, "big"), PRIVATE_EXPONENT, MODULUS).to_bytes(size, "big")


def _folded(text: str) -> str:
    return "\r\n\t ".join(text[start : start + 70] for start in range(0, len(text), 70))


def _der(tag: int, body: bytes) -> bytes:
    if len(body) < 128:
        return bytes([tag, len(body)]) + body
    size = len(body).to_bytes((len(body).bit_length() + 7) // 8, "big")
    return bytes([tag, 128 | len(size)]) + size + body


def _der_integer(value: int) -> bytes:
    return _der(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))
