"""DKIM-Signature headers and the bodies that they cover (RFC 6376), without any key."""

from __future__ import annotations

import base64
import hashlib
import re
from collections.abc import Iterator
from dataclasses import dataclass

from mailforensics.checks.base import Item

__all__ = ["BodyMatch", "Signature", "body_forms", "canonical_body", "match_body", "signatures"]

MAX_SIGNATURE = 8 << 10
"""Bytes of a DKIM-Signature header that are looked at; real ones have a tenth."""

MAX_SIGNATURES = 20
_HASHES = {"rsa-sha256": "sha256", "ed25519-sha256": "sha256", "rsa-sha1": "sha1"}
_LONG_SPACE = re.compile(rb"\s{200}")


@dataclass(frozen=True, slots=True)
class Signature:
    """One DKIM-Signature header.

    Attributes
    ----------
    index
        Which of the message's DKIM-Signature headers it is, from the top, from 0.
    body_form
        ``simple`` or ``relaxed``.
    length
        How many bytes of the body are covered (``l=``), None for all.
    trouble
        Why it cannot be used; None when it can.
    """

    index: int
    domain: str = ""
    selector: str = ""
    algorithm: str = ""
    body_form: str = "simple"
    body_hash: bytes = b""
    length: int | None = None
    trouble: str | None = None

    @property
    def name(self) -> str:
        """How it is called in sentences."""
        return f"{self.domain} (selector {self.selector})"


@dataclass(frozen=True, slots=True)
class BodyMatch:
    """A body that has the hash of a signature: how it was treated, and what is not covered."""

    treatment: str
    canonical: bytes
    uncovered: int


def signatures(item: Item) -> list[Signature]:
    """Return the DKIM-Signature headers of a message, the topmost first."""
    values = item.values("dkim-signature")[:MAX_SIGNATURES]
    return [_read(index, value) for index, value in enumerate(values)]


def _read(index: int, value: bytes) -> Signature:
    if len(value) > MAX_SIGNATURE or _LONG_SPACE.search(value):
        return Signature(index, trouble="it is far longer than a signature is")
    try:
        return _parse(index, value)
    except (ValueError, KeyError) as error:
        return Signature(index, trouble=f"it cannot be read ({error})")


def _parse(index: int, value: bytes) -> Signature:
    tags = dict(_tags(value.decode("latin-1")))
    forms = (re.sub(r"\s", "", tags.get("c", "simple/simple")) + "/simple").split("/")
    algorithm = tags["a"].strip()
    length = tags.get("l")
    if algorithm not in _HASHES:
        raise ValueError(f"unknown algorithm {algorithm}")
    if not {forms[0], forms[1]} <= {"simple", "relaxed"}:
        raise ValueError(f"unknown form {tags.get('c')}")
    if length is not None and not re.fullmatch(r"[0-9]{1,18}", length.strip()):
        raise ValueError("its length is no number")
    digest = base64.b64decode(re.sub(r"\s", "", tags["bh"]), validate=True)
    return Signature(
        index=index,
        domain=tags["d"].strip().lower(),
        selector=tags["s"].strip(),
        algorithm=algorithm,
        body_form=forms[1],
        body_hash=digest,
        length=None if length is None else int(length),
    )


def _tags(text: str) -> Iterator[tuple[str, str]]:
    """Yield the tags of a signature or key record (RFC 6376 3.2)."""
    seen = set()
    for part in text.strip().rstrip(";").split(";"):
        name, mark, value = part.partition("=")
        name = name.strip()
        if not mark or name in seen:
            raise ValueError("its tags are not well formed")
        seen.add(name)
        yield name, value.strip()


def canonical_body(body: bytes, form: str) -> bytes:
    """Return a body in canonical form (RFC 6376 3.4.3 and 3.4.4).

    Parameters
    ----------
    body : bytes
        With CRLF line ends.
    form : str
        ``simple`` or ``relaxed``.
    """
    if form == "relaxed":
        body = re.sub(rb"[ \t]+", b" ", body).replace(b" \r\n", b"\r\n")
    end = len(body)
    while body.endswith(b"\r\n", 0, end):
        end -= 2
    if end == 0 and form == "relaxed":
        return b""
    return body[:end] + b"\r\n"


def body_forms(item: Item) -> Iterator[tuple[str, bytes]]:
    """Yield the body with CRLF line ends: as stored, then with what stores do to it undone."""
    if item.raw is None or item.headers is None:
        return
    body = re.sub(rb"\r?\n", b"\r\n", item.raw[item.headers.body :])
    yield "as stored", body
    if b">From " in body:
        yield "with >From undone", re.sub(rb"(?m)^>From ", b"From ", body)
        yield "with one > before From undone", re.sub(rb"(?m)^>(>*From )", rb"\1", body)
    if b"From " in body:
        yield "with From quoted", re.sub(rb"(?m)^From ", b">From ", body)


def match_body(signature: Signature, bodies: list[tuple[str, bytes]]) -> BodyMatch | None:
    """Return the first form of the body that has the hash of the signature, None if none has."""
    for treatment, body in bodies:
        canonical = canonical_body(body, signature.body_form)
        covered = canonical if signature.length is None else canonical[: signature.length]
        if signature.length is not None and signature.length > len(canonical):
            continue
        digest = hashlib.new(_HASHES[signature.algorithm], covered, usedforsecurity=False)
        if digest.digest() == signature.body_hash:
            return BodyMatch(treatment, canonical, len(canonical) - len(covered))
    return None
