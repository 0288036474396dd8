"""Chance without chance: every choice is a digest of its name, so that order never matters."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from typing import TypeVar

Thing = TypeVar("Thing")
SEED = "HY-2026-0417"


def digest(*name: object) -> bytes:
    """Return 32 bytes that belong to this name and to no other."""
    return hashlib.sha256("\0".join([SEED, *map(str, name)]).encode("utf-8")).digest()


def number(limit: int, *name: object) -> int:
    """Return a number from 0 to ``limit`` - 1."""
    return int.from_bytes(digest(*name)[:8], "big") % limit


def pick(things: Sequence[Thing], *name: object) -> Thing:
    """Return one of the things."""
    return things[number(len(things), *name)]


def some(things: Sequence[Thing], count: int, *name: object) -> list[Thing]:
    """Return ``count`` of the things, in their own order."""
    ranked = sorted(range(len(things)), key=lambda place: digest(*name, place))
    return [things[place] for place in sorted(ranked[:count])]
