"""The USB stick: mail exported from the sales mailbox, some of it deleted, some overwritten."""

from __future__ import annotations

import io
import zipfile
from datetime import datetime, timedelta

from sample_data.make.attachments import csv, pdf, png
from sample_data.make.chance import digest, number, some
from sample_data.make.fat16 import CLUSTER, Disk, Node
from sample_data.make.fate import World, moment
from sample_data.make.instances import STICK, Instance, instance
from sample_data.make.mail import Sent, asctime, delivered_to
from sample_data.make.people import PEOPLE

__all__ = ["stick"]

SIZE = 16 << 20
KEPT = 2
"""Clusters that are left of a message of which the end was overwritten."""

_PART_OLD = frozenset({"order-09-2", "order-11-2", "order-12-2", "order-13-2"})
_LIVE_OLD = frozenset({"order-14-1", "order-15-1", "order-15-2"})
_MBOX_ORDERS = 6


def exported(made: World, message: Sent) -> bytes:
    """Return the bytes that the sales mailbox held, as an export writes them."""
    box = made.sales.get(message.letter.key)
    if box is not None:
        return box.raw
    if message.letter.sender.startswith("sales"):
        return message.raw
    return delivered_to(message, "sales")


def stick(made: World) -> tuple[bytes, list[Instance]]:
    """Return the image, packed as a zip export, and the messages on it."""
    disk = Disk(SIZE, "ZHOUWEI", 0x2026A417)
    when = moment(15, 19, 10, month=10)
    disk.write("读我.txt", "销售资料备份 周伟\r\n".encode("gb18030"), when)
    for path in ("邮件导出", "邮件导出/北风2025", "邮件导出/北风2026", "样本"):
        disk.folder(path, when)
    found, whole, torn = _old_mail(disk, made, when)
    more, gone, cut = _new_mail(disk, made, when + timedelta(minutes=4))
    found += more + _live_mail(disk, made, when + timedelta(minutes=9))
    for node in whole + gone + torn + cut:
        disk.delete(node)
    _overwrite(disk, torn + cut)
    return _zipped(disk.finish()), found


def _old_mail(
    disk: Disk, made: World, when: datetime
) -> tuple[list[Instance], list[Node], list[Node]]:
    """Write the orders of 2025: the first as one mbox file, the others one by one."""
    found, whole, torn, first = [], [], [], []
    for message in made.of_topic("nordwind"):
        letter = message.letter
        if int(letter.key.split("-")[1]) <= _MBOX_ORDERS:
            first.append(message)
            continue
        path = f"邮件导出/北风2025/{_file_name(message)}"
        node = disk.write(path, exported(made, message), when)
        if letter.key in _LIVE_OLD:
            found.append(_row(made, message, path, "live"))
        elif letter.key in _PART_OLD:
            torn.append(node)
            found.append(_row(made, message, path, "carved", partial=True))
        else:
            whole.append(node)
            found.append(_row(made, message, path, "carved"))
    return [*found, *_mbox(disk, made, first, when, torn)], whole, torn


def _mbox(
    disk: Disk, made: World, messages: list[Sent], when: datetime, torn: list[Node]
) -> list[Instance]:
    """Write one mbox file of which the end of the last message will be overwritten."""
    path, data = "邮件导出/北风2024-2025.mbox", bytearray()
    for message in messages:
        sender = PEOPLE[message.letter.sender].address
        data += f"From {sender} {asctime(message.letter.sent)}\r\n".encode()
        last = len(data)
        data += exported(made, message) + b"\r\n"
    node = disk.write(path, bytes(data), when)
    keep = last // CLUSTER + KEPT
    assert keep < len(node.clusters), "nothing is left to overwrite"
    tail = Node(path, node.clusters[keep - KEPT :], 0, [])
    disk.delete(Node(path, node.clusters[: keep - KEPT], 0, node.entries))
    torn.append(tail)
    rows = [_row(made, message, path, "carved") for message in messages[:-1]]
    return [*rows, _row(made, messages[-1], path, "carved", partial=True)]


def _new_mail(
    disk: Disk, made: World, when: datetime
) -> tuple[list[Instance], list[Node], list[Node]]:
    """Write letters of the dispute; all of them are deleted later."""
    found, whole, torn = [], [], []
    for message in made.of_topic("dispute"):
        fate = message.letter.fate
        if not fate.startswith("stick-"):
            continue
        path = f"邮件导出/北风2026/{_file_name(message)}"
        stamp = moment(11, 17, 52) if fate == "stick-only" else when
        node = disk.write(path, exported(made, message), stamp)
        (torn if fate == "stick-part" else whole).append(node)
        found.append(_row(made, message, path, "carved", partial=fate == "stick-part"))
    return found, whole, torn


def _live_mail(disk: Disk, made: World, when: datetime) -> list[Instance]:
    """Write a few everyday letters that are still there, and other files."""
    found = []
    customers = [entry for entry in made.of_topic("customer") if entry.letter.key in made.sales]
    for message in some(customers[-20:], 4, "live on the stick"):
        path = f"邮件导出/{_file_name(message)}"
        disk.write(path, exported(made, message), when)
        found.append(_row(made, message, path, "live"))
    disk.write(
        "样本/闸阀样本.pdf",
        pdf("", "闸阀样本 2026", ["Gate valves", "DN50 to DN300"], pages=12).data,
        when,
    )
    rows = [
        ["客户", "电话"],
        ["安澜水务", "555-0101"],
        ["新源供水", "555-0132"],
        ["北港船务", "555-0177"],
    ]
    disk.write("样本/通讯录.csv", csv("", rows).data, when)
    return found


def _overwrite(disk: Disk, torn: list[Node]) -> None:
    """Write new files where the ends of deleted ones lay: a catalogue and a picture."""
    free = [cluster for node in torn for cluster in node.clusters[KEPT:]]
    half = len(free) // 2
    later = moment(12, 18, 2)
    pages = half * CLUSTER // 420
    catalogue = pdf("", "止回阀样本 2026", ["Check valves", "DN50 to DN300"], pages=pages).data
    catalogue = _fitted(catalogue, half)
    disk.write("样本/止回阀样本.pdf", catalogue, later, into=free[:half])
    side = int(((len(free) - half) * CLUSTER - 400) ** 0.5)
    pixels = bytes(
        (x * x + y * number(7, "row", y)) // 97 % 32 for y in range(side) for x in range(side)
    )
    picture = png("", side - 4, side - 4, [value * 0x080604 for value in range(32)], pixels).data
    assert -(-len(picture) // CLUSTER) == len(free) - half, "the picture must fill what is free"
    disk.write("样本/展台.png", picture, later + timedelta(minutes=1), into=free[half:])


def _fitted(data: bytes, clusters: int) -> bytes:
    """Bring a PDF to fill exactly so many clusters: bytes after its end mark are allowed."""
    size = clusters * CLUSTER - 300
    assert len(data) <= size, "the catalogue is too long"
    return data + b"%" * (size - len(data) - 1) + b"\n"


def _row(made: World, message: Sent, path: str, state: str, *, partial: bool = False) -> Instance:
    key, place = message.letter.key, message.message_id
    if not partial:
        return instance(key, STICK, f"usb-stick.img/{path}", place, state, exported(made, message))
    return Instance(key, STICK, f"usb-stick.img/{path}", place, state, "partial")


def _file_name(message: Sent) -> str:
    """Return a name as mail programs give it to an exported letter."""
    subject = "".join("_" if sign in '\\/:*?"<>|' else sign for sign in message.letter.subject)
    mark = digest("export", message.message_id).hex()[:3]
    return f"{message.letter.sent:%Y%m%d} {subject[:48].strip()} {mark}.eml"


def _zipped(image: bytes) -> bytes:
    packed = io.BytesIO()
    entry = zipfile.ZipInfo("usb-stick.img", (2026, 11, 13, 9, 20, 0))
    entry.create_system, entry.external_attr = 3, 0o100444 << 16
    with zipfile.ZipFile(packed, "w") as archive:
        archive.writestr(entry, image, zipfile.ZIP_DEFLATED, 9)
    return packed.getvalue()
