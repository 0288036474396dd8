"""Make the PST that reading is measured on: 12,000 messages, about 200 MB, always the same bytes.

    python benchmarks/make_pst.py big.pst
    python benchmarks/make_pst.py sparse.pst --sparse 20

The second lays the same messages out over 20 GB, most of it free and, where the disk can, sparse.
"""

from __future__ import annotations

import argparse
import random
import struct
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

from mailforensics.mapi import (
    Attachment,
    MapiMessage,
    Party,
    Property,
    PropertyBag,
    PropertyType,
    Recipient,
    Tag,
)
from mailforensics.pst.writer import PstWriter

SEED = 20260417
MESSAGES = 12_000
FOLDERS = (
    ("Inbox",),
    ("Inbox", "Offers"),
    ("Inbox", "合同"),
    ("Sent Items",),
    ("Archive", "2025"),
    ("Archive", "2026"),
)
WORDS = [
    *("offer", "invoice", "contract", "delivery", "schedule", "payment", "terms", "meeting"),
    *("minutes", "draft", "final", "version", "shipment", "customs", "insurance", "warranty"),
    *("quarter", "budget", "forecast", "review", "approval", "signature", "项目", "合同", "付款"),
    *("发票", "会议", "纪要", "报价", "交货", "验收", "审批", "客户", "供应商", "附件", "谢谢"),
]
PEOPLE = [(f"Person {number:03d}", f"person{number:03d}@huayang.example") for number in range(300)]
START = datetime(2025, 1, 6, 8, tzinfo=UTC)
EPOCH = datetime(1601, 1, 1, tzinfo=UTC)


def text(value: str) -> Property:
    return Property(PropertyType.STRING, value.encode("utf-16-le"))


def binary(data: bytes) -> Property:
    return Property(PropertyType.BINARY, data)


def number(value: int) -> Property:
    return Property(PropertyType.INTEGER32, struct.pack("<I", value))


def moment(value: datetime) -> Property:
    ticks = (value - EPOCH) // timedelta(microseconds=1) * 10
    return Property(PropertyType.TIME, struct.pack("<Q", ticks))


def prose(chance: random.Random, low: int, high: int) -> str:
    words = chance.choices(WORDS, k=chance.randint(low, high))
    return "\r\n".join(" ".join(words[at : at + 12]) for at in range(0, len(words), 12))


def attachment(chance: random.Random, place: int) -> Attachment:
    name = f"document {place}.{chance.choice(['pdf', 'docx', 'xlsx', 'png'])}"
    data = chance.randbytes(chance.choice([900, 7_000, 24_000, 60_000]))
    bag = PropertyBag({Tag.ATTACH_LONG_FILENAME: text(name), Tag.ATTACH_METHOD: number(1)})
    return Attachment(bag, data=lambda: data)


def message(chance: random.Random, place: int) -> MapiMessage:
    sent = START + timedelta(minutes=37 * place)
    sender, *others = chance.sample(PEOPLE, chance.randint(2, 7))
    kinds = ["to", *chance.choices(["to", "to", "cc"], k=len(others) - 1)]
    people = [
        Recipient(kind, Party(name, address))
        for kind, (name, address) in zip(kinds, others, strict=True)
    ]
    subject = f"{' '.join(chance.choices(WORDS, k=5))} {place}"
    body = prose(chance, 60, 700)
    attached = [attachment(chance, place) for _ in range(chance.choice([0] * 17 + [1, 1, 2]))]
    message_id = f"<{place}.{chance.getrandbits(64):016x}@huayang.example>"
    shown = {k: "; ".join(p.party.name or "" for p in people if p.kind == k) for k in ("to", "cc")}
    values = {
        Tag.MESSAGE_CLASS: text("IPM.Note"),
        Tag.SUBJECT: text("\x01\x01" + subject),
        Tag.CONVERSATION_TOPIC: text(subject),
        Tag.CLIENT_SUBMIT_TIME: moment(sent),
        Tag.MESSAGE_DELIVERY_TIME: moment(sent + timedelta(seconds=chance.randint(1, 90))),
        Tag.SENDER_NAME: text(sender[0]),
        Tag.SENDER_ADDRESS_TYPE: text("SMTP"),
        Tag.SENDER_EMAIL_ADDRESS: text(sender[1]),
        Tag.SENT_REPRESENTING_NAME: text(sender[0]),
        Tag.SENT_REPRESENTING_ADDRESS_TYPE: text("SMTP"),
        Tag.SENT_REPRESENTING_EMAIL_ADDRESS: text(sender[1]),
        Tag.DISPLAY_TO: text(shown["to"]),
        Tag.DISPLAY_CC: text(shown["cc"]),
        Tag.MESSAGE_FLAGS: number(1),
        Tag.BODY: text(body),
        Tag.HTML: binary(f"<html><body><p>{body}</p></body></html>".encode()),
        Tag.INTERNET_CODEPAGE: number(65001),
        Tag.INTERNET_MESSAGE_ID: text(message_id),
        Tag.TRANSPORT_MESSAGE_HEADERS: text(
            f"From: {sender[0]} <{sender[1]}>\r\nDate: {sent:%a, %d %b %Y %H:%M:%S} +0000\r\n"
            f"Message-ID: {message_id}\r\nX-Place: {place}\r\n"
        ),
    }
    return MapiMessage(
        PropertyBag({int(tag): value for tag, value in values.items()}), people, attached
    )


def messages(count: int) -> Iterator[MapiMessage]:
    chance = random.Random(SEED)
    for place in range(count):
        yield message(chance, place)


def make(path: Path, *, count: int = MESSAGES, sparse: int = 0, unicode4k: bool = False) -> None:
    """Write the file; with ``sparse`` the messages are spread over that many bytes."""
    gap = sparse // count
    with PstWriter(
        path, name="Benchmark", unicode4k=unicode4k, record_key=b"mailforensics-16", now=START
    ) as out:
        for place, each in enumerate(messages(count)):
            out.add(out.folder(FOLDERS[place % len(FOLDERS)]), each)
            if (place + 1) * gap > out.size:
                out.leave_free((place + 1) * gap - out.size)
    assert not out.faults


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("path", type=Path)
    parser.add_argument("--messages", type=int, default=MESSAGES)
    parser.add_argument("--sparse", type=float, default=0, metavar="GB")
    parser.add_argument("--unicode4k", action="store_true")
    given = parser.parse_args()
    started = time.perf_counter()
    make(
        given.path,
        count=given.messages,
        sparse=int(given.sparse * 1e9),
        unicode4k=given.unicode4k,
    )
    took = time.perf_counter() - started
    size = given.path.stat().st_size / 1e6
    print(f"{given.path}: {given.messages:,} messages, {size:,.0f} MB, {took:.1f} s")


if __name__ == "__main__":
    main()
