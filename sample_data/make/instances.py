"""One copy of a message in one evidence item: the row of instances.csv."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass

__all__ = [
    "FRIDAY",
    "LOG",
    "MONDAY",
    "OUTLOOK",
    "STICK",
    "THUNDERBIRD",
    "Instance",
    "instance",
]

THUNDERBIRD, MONDAY, FRIDAY = (
    "thunderbird-profile",
    "maildir-monday.tar.gz",
    "maildir-friday.tar.gz",
)
STICK, LOG, OUTLOOK = "usb-stick.zip", "mail-server.log", "outlook-archive.pst"


@dataclass(frozen=True, slots=True)
class Instance:
    """A copy: which message, in which evidence, where, in which state, how whole.

    ``stored`` are the bytes as they lie in the evidence when they are whole: a member, a file, or
    a slice; tests look for them by other means.
    """

    key: str
    evidence: str
    path: str
    place: str
    state: str
    completeness: str
    sha256: str = ""
    size: int = 0


def instance(  # noqa: PLR0917 - the columns of a row, in their order
    key: str,
    evidence: str,
    path: str,
    place: str,
    state: str,
    raw: bytes | None,
) -> Instance:
    """Return the row of a copy; without bytes it is one that only traces tell of."""
    if raw is None:
        return Instance(key, evidence, path, place, state, "metadata_only")
    digest = hashlib.sha256(raw).hexdigest()
    return Instance(key, evidence, path, place, state, "complete", digest, len(raw))
