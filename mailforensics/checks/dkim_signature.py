"""Whether a DKIM signature verifies with a key that is kept in the case."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Any

from mailforensics.checks.base import Context, Item, MessageCheck, Verdict
from mailforensics.checks.dkim_body import not_signed
from mailforensics.checks.dkim_keys import Key, KeyRing, read_keys
from mailforensics.checks.signatures import BodyMatch, Signature, body_forms, match_body, signatures
from mailforensics.schema import CheckStatus

__all__ = ["DkimSignature"]

MAX_HEADER_BYTES = 256 << 10
MAX_FIELDS = 2_000
WEAK_BITS = 1024
"""Keys with fewer bits can be broken by anybody (RFC 8301 3.2)."""


@dataclass(frozen=True, slots=True)
class _Outcome:
    """What came of one signature: verified or not, and in words."""

    good: bool
    words: str
    doubts: tuple[str, ...] = ()


class DkimSignature(MessageCheck):
    """Verifies DKIM signatures offline, with keys from a file of the case."""

    NAME = "dkim_signature"
    TITLE = "Signature of the sender's domain"
    QUESTION = "Did the sender's domain sign this message, headers and body?"
    PROVES = (
        "A server that held the domain's private key signed these headers and this body; nothing "
        "that the signature covers has changed since."
    )
    PROVES_NOT = (
        "Who wrote the message, or that headers outside the signature are genuine. It rests on "
        "the key file: note where each key comes from. Some domains publish old private keys on "
        "purpose; from then on, anybody can sign in their name."
    )
    WORDS = {  # noqa: RUF012 - a class constant
        "pass": "bear a signature that verifies",
        "fail": "bear signatures that do not verify",
        "warn": "bear a signature that verifies with reservations",
        "not_applicable": "bear no signature for which there is a key",
    }

    def __init__(self) -> None:
        super().__init__()
        self.keys = KeyRing([])

    def prepare(self, context: Context) -> None:
        """Read the key file of the case.

        Raises
        ------
        CaseError
            The key file cannot be read.
        """
        self.keys = read_keys(context.keys)

    def judge(self, item: Item) -> Verdict:
        """Return the verdict about one message."""
        found = signatures(item)
        reason = not_signed(item, found)
        if reason is not None:
            return Verdict(CheckStatus.NOT_APPLICABLE, reason)
        outcomes = [
            outcome
            for each in found
            if each.trouble is None
            for outcome in [self._try(item, each)]
            if outcome is not None
        ]
        if not outcomes:
            names = ", ".join(sorted({each.name for each in found if each.trouble is None}))
            said = "There is no key for its signature in the key file."
            return Verdict(CheckStatus.NOT_APPLICABLE, said, f"Wanted: {names}" if names else None)
        return _verdict(outcomes)

    def _try(self, item: Item, signature: Signature) -> _Outcome | None:
        """Try each key of a signature; None when there is no key."""
        keys = self.keys.find(signature.domain, signature.selector)
        if not keys:
            return None
        match = match_body(signature, list(body_forms(item)))
        if match is None:
            return _Outcome(False, f"{signature.name}: the body is not the one that was signed")
        outcomes = [_verify(item, signature, match, key) for key in keys]
        return next((each for each in outcomes if each.good), outcomes[0])


def _verdict(outcomes: list[_Outcome]) -> Verdict:
    detail = "; ".join(each.words for each in outcomes)
    good = [each for each in outcomes if each.good]
    if not good:
        return Verdict(CheckStatus.FAIL, "No signature of the message verifies.", detail)
    clean = [each for each in good if not each.doubts]
    if clean:
        return Verdict(CheckStatus.PASS, f"{clean[0].words}.", detail)
    doubts = " ".join(good[0].doubts)
    return Verdict(CheckStatus.WARN, f"{good[0].words}, but: {doubts}", detail)


def _verify(item: Item, signature: Signature, match: BodyMatch, key: Key) -> _Outcome:
    """Verify one signature with one key through dkimpy, whatever the clock says today."""
    name = signature.name
    block = _header_block(item)
    if block is None:
        return _Outcome(False, f"{name}: there are too many headers to verify")
    try:
        good, bits = _through_dkimpy(block, match.canonical, signature, key)
    except _faults() as error:
        return _Outcome(False, f"{name}: cannot be verified ({_say(error)})")
    source = f", key from {key.source}" if key.source else ""
    if not good:
        return _Outcome(False, f"{name}: the signed headers have changed, or the key is another")
    doubts = tuple(_doubts(bits, signature, match, key))
    return _Outcome(True, f"The signature of {name} verifies{source}", doubts)


def _header_block(item: Item) -> bytes | None:
    headers = item.headers
    if headers is None or len(headers.fields) > MAX_FIELDS:
        return None
    lines = [name.encode("latin-1", "replace") for name, _ in headers.fields]
    if sum(map(len, lines)) + sum(len(value) for _, value in headers.fields) > MAX_HEADER_BYTES:
        return None
    raw = item.raw or b""
    return re.sub(rb"\r?\n", b"\r\n", raw[_first_header(raw) : headers.stop])


def _first_header(raw: bytes) -> int:
    """Step over what a store put before the first header: empty lines, a ``From `` line."""
    start = len(raw) - len(raw.lstrip(b"\r\n"))
    if raw.startswith((b"From ", b">From "), start):
        start = raw.find(b"\n", start) + 1 or len(raw)
    return start


def _through_dkimpy(
    block: bytes, body: bytes, signature: Signature, key: Key
) -> tuple[bool, int | None]:
    """Return whether a signature verifies, and the bits of an RSA key (None for Ed25519).

    The body is given in canonical form: it stays the same when it is brought there once more, and
    holds no run of spaces on which a pattern could lose itself. Times of the signature are not
    compared with today's clock, which says nothing about mail of the past.
    """
    import dkim
    from dkim.util import parse_tag_value

    message = dkim.DKIM(block + b"\r\n" + body, minkey=0)
    txt = key.txt.encode("ascii")
    _, bits, kind, _ = dkim.evaluate_pk(signature.selector.encode(), txt)
    fields = [pair for pair in message.headers if pair[0].lower() == b"dkim-signature"]
    tags = parse_tag_value(fields[signature.index][1])
    timeless = {name: value for name, value in tags.items() if name not in (b"t", b"x")}
    dkim.validate_signature_fields(timeless)
    names = [name.lower() for name in re.split(rb"\s*:\s*", tags[b"h"])]
    good = message.verify_sig(tags, names, fields[signature.index], lambda *_, **__: txt)
    return bool(good), bits if kind == b"rsa" else None


def _faults() -> tuple[type[Exception], ...]:
    """Return what dkimpy raises for what a message or key holds."""
    import dkim
    from dkim.asn1 import ASN1FormatError
    from dkim.crypto import DigestTooLargeError, UnparsableKeyError
    from dkim.util import InvalidTagValueList

    listed: tuple[Any, ...] = (
        dkim.DKIMException, InvalidTagValueList, UnparsableKeyError, ASN1FormatError,
        DigestTooLargeError, ValueError, LookupError, TypeError, ArithmeticError,
    )  # fmt: skip
    return listed


def _say(error: Exception) -> str:
    return str(error)[:200] or type(error).__name__


def _doubts(bits: int | None, signature: Signature, match: BodyMatch, key: Key) -> list[str]:
    found = []
    if bits is not None and bits < WEAK_BITS:
        found.append(f"its key has only {bits} bits and can be forged.")
    if signature.algorithm == "rsa-sha1":
        found.append("it uses SHA-1, which can be forged with effort.")
    if match.uncovered:
        found.append(f"the last {match.uncovered:,} bytes of the body are not covered (l= tag).")
    if key.testing:
        found.append("the domain says that it only tests DKIM (t=y).")
    return found
