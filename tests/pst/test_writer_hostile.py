"""Messages as damaged or crafted sources may give them: any tag, any type, any length."""

from __future__ import annotations

import random
from collections.abc import Callable
from pathlib import Path
from typing import TypeVar

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.mapi import (
    Attachment,
    MapiMessage,
    Party,
    Property,
    PropertyBag,
    Recipient,
    rebuild,
)
from mailforensics.pst.conversion import to_mapi
from mailforensics.pst.store import PstStore
from mailforensics.pst.writer import PstWriter
from tests.pst.invariants import check_store

KINDS = (0, 1, 2, 3, 4, 5, 6, 7, 0xA, 0xB, 0xD, 0x14, 0x1E, 0x1F, 0x40, 0x48, 0xFB, 0xFD, 0x102)
TAGS = (
    *(0x001A, 0x0037, 0x0039, 0x007D, 0x0C15, 0x0E07, 0x0E08, 0x0FFF, 0x1000, 0x1009, 0x1013),
    *(0x3001, 0x300B, 0x3701, 0x3705, 0x3FDE, 0x3FFD, 0x67F2, 0x67F3),
)
Kept = TypeVar("Kept")
SET = "00062008-0000-0000-c000-000000000046"


def entry(chance: random.Random) -> Property:
    kind = chance.choice(KINDS)
    if chance.random() < 0.3:
        values = (chance.randbytes(chance.choice([0, 1, 8, 16, 4000])) for _ in range(3))
        return Property(kind | 0x1000, b"", tuple(values))
    return Property(kind, chance.randbytes(chance.choice([0, 1, 2, 4, 7, 8, 16, 3580, 3581, 9000])))


def bag(chance: random.Random) -> PropertyBag:
    count = chance.randint(0, 30)
    tags = [
        chance.choice(TAGS) if chance.random() < 0.5 else chance.randint(1, 0xFFFF)
        for _ in range(count)
    ]
    names = {tag: (SET, chance.choice([5, "a", "合", "\ud800", 2**31])) for tag in tags[::2]}
    values = {tag: entry(chance) for tag in tags}
    return PropertyBag(values, {tag: name for tag, name in names.items() if tag >= 0x8000})


def recipient(chance: random.Random) -> Recipient:
    if chance.random() < 0.6:
        return Recipient.from_bag(bag(chance))
    native = chance.choice([None, "EX:/o=x", "", ":"])
    return Recipient("to", Party("x" * chance.randint(0, 5000), None, native))


def message(chance: random.Random, depth: int = 0) -> MapiMessage:
    people = [recipient(chance) for _ in range(chance.randint(0, 4))]
    made = MapiMessage(bag(chance), people if chance.random() < 0.9 else None)
    for _ in range(chance.randint(0, 3)):
        attachment = Attachment(bag(chance))
        if chance.random() < 0.3 and depth < 3:
            attachment.embedded = given_later(message(chance, depth + 1))
        elif chance.random() < 0.7:
            attachment.data = given_later(chance.randbytes(chance.choice([0, 5, 20_000])))
        made.attachments.append(attachment)
    return made


def given_later(value: Kept) -> Callable[[], Kept]:
    return lambda: value


@settings(max_examples=60, deadline=None)
@given(seed=st.integers(0, 2**32), unicode4k=st.booleans())
def test_any_messages_give_a_sound_file_that_reads_without_a_fault(
    tmp_path_factory: pytest.TempPathFactory, seed: int, unicode4k: bool
) -> None:
    path: Path = tmp_path_factory.mktemp("hostile") / "out.pst"
    chance = random.Random(seed)
    with PstWriter(path, unicode4k=unicode4k) as out:
        for _ in range(2):
            out.add(out.folder(("Inbox",)), message(chance))
    check_store(path)
    with PstStore.open(path) as store:
        assert store.faults == []
        for folder in store.folders():
            for found in store.messages(folder):
                rebuild(to_mapi(found, store.names))
                told = {fault.detail for fault in found.faults}
                assert told <= {"The message has attachments; none of them is there."}
    path.unlink()
