"""Li Na's Thunderbird profile: a POP account, local archives, mail deleted but not compacted."""

from __future__ import annotations

from collections import defaultdict
from dataclasses import dataclass
from datetime import datetime, timedelta

from sample_data.make.chance import digest, number, some
from sample_data.make.fate import World, moment, received_by
from sample_data.make.instances import THUNDERBIRD, Instance, instance
from sample_data.make.mail import Sent, asctime, delivered_to

__all__ = ["fetched_at", "profile"]

_POP = "Mail/pop.huayang.example"
_LOCAL = "Mail/Local Folders"
TAKEN = moment(13, 9, 30)
_UNNEEDED = frozenset({"canteen", "birthday", "office", "travel", "freight", "notice"})
_READ, _REPLIED, _EXPUNGED, _ATTACHED = 0x0001, 0x0002, 0x0008, 0x10000000
_KEYS = b"X-Mozilla-Keys: " + b" " * 80 + b"\r\n"


@dataclass(slots=True)
class _Entry:
    """One message in one mbox file."""

    message: Sent
    raw: bytes
    written: datetime
    expunged: bool


def fetched_at(message: Sent) -> datetime:
    """Return when the program fetched a message: at the next quarter of an hour at work."""
    when = message.arrived.astimezone(moment(1, 0, 0).tzinfo)
    if when.hour >= 18:
        when = (when + timedelta(days=1)).replace(hour=8, minute=25)
    elif when.hour < 8:
        when = when.replace(hour=8, minute=25)
    return when + timedelta(minutes=15 - when.minute % 15, seconds=number(4, "fetch", when))


def profile(made: World) -> tuple[dict[str, bytes], list[Instance]]:
    """Return the files of the profile by path, and the copies of messages in them."""
    boxes = _boxes(made)
    files: dict[str, bytes] = {"prefs.js": _PREFS.encode(), f"{_LOCAL}/Archives": b""}
    found: list[Instance] = []
    answered = {
        entry.letter.reply_to for entry in made.messages.values() if entry.letter.sender == "lina"
    }
    for path, entries in sorted(boxes.items()):
        data, rows = _mbox(path, entries, answered)
        files[path] = data
        found += rows
    for path in [*files]:
        if path.startswith("Mail/"):
            files[f"{path}.msf"] = _summary(path, len(boxes.get(path, [])))
    files[f"{_POP}/popstate.dat"] = _popstate(boxes[f"{_POP}/Inbox"])
    return files, found


def _boxes(made: World) -> dict[str, list[_Entry]]:
    boxes: dict[str, list[_Entry]] = defaultdict(list)
    inbox, trash = f"{_POP}/Inbox", f"{_POP}/Trash"
    fates = _fates(made)
    for key, message in made.messages.items():
        letter = message.letter
        if letter.sender == "lina":
            gone = fates.get(key) == "deleted"
            boxes[f"{_POP}/Sent"].append(_Entry(message, message.raw, letter.sent, gone))
        if not received_by(message, "lina"):
            continue
        raw, when, fate = delivered_to(message, "lina"), fetched_at(message), fates.get(key, "")
        if fate.startswith("archive"):
            archived = moment(15, 16, 2, month=1) + timedelta(seconds=number(50, "archived", key))
            boxes[f"{_LOCAL}/Archives.sbd/{letter.sent.year}"].append(
                _Entry(message, raw, archived, False)
            )
        if fate.startswith("trash"):
            moved = max(when + timedelta(hours=2), moment(26, 16, 30, month=10))
            boxes[trash].append(_Entry(message, raw, moved, fate == "trash-deleted"))
        if fate != "archive-compacted":
            boxes[inbox].append(_Entry(message, raw, when, bool(fate)))
    for entries in boxes.values():
        entries.sort(key=lambda entry: (entry.written, entry.message.arrived))
    return boxes


def _fates(made: World) -> dict[str, str]:
    """Say what Li Na (or somebody at her desk) did to her copies.

    Mail of 2024 and 2025 was archived in January 2026; the Inbox was compacted on 2 December 2025,
    so that what was moved after still lies there, marked.
    """
    fates: dict[str, str] = {}
    recent = []
    for key, message in made.messages.items():
        if not received_by(message, "lina"):
            continue
        letter = message.letter
        if letter.sent.year < 2026:
            compacted = letter.sent < moment(2, 0, 0).replace(year=2025, month=10)
            fates[key] = "archive-compacted" if compacted else "archive"
        elif letter.fate == "na-expunged":
            fates[key] = "deleted"
        elif letter.topic in _UNNEEDED and letter.sent < moment(5, 0, 0):
            recent.append(key)
    for place, key in enumerate(some(recent, 17, "li na deletes")):
        fates[key] = ("trash", "deleted", "trash", "deleted", "trash-deleted")[place % 5]
    written = [
        key
        for key, entry in made.messages.items()
        if entry.letter.sender == "lina" and entry.letter.topic == "meeting"
    ]
    fates[some(written, 1, "li na takes back")[0]] = "deleted"
    return fates


def _mbox(path: str, entries: list[_Entry], answered: set[str]) -> tuple[bytes, list[Instance]]:
    out, found = bytearray(), []
    for entry in entries:
        key = entry.message.letter.key
        out += f"From - {asctime(entry.written)}\r\n".encode()
        out += _marks(path, entry, key in answered)
        out += _quoted(entry.raw) + b"\r\n"
        found.append(
            instance(
                key, THUNDERBIRD, path, entry.message.message_id, _state(path, entry), entry.raw
            )
        )
    return bytes(out), found


def _state(path: str, entry: _Entry) -> str:
    if entry.expunged:
        return "marked_deleted"
    return "in_deleted_folder" if path.endswith("/Trash") else "live"


def _marks(path: str, entry: _Entry, replied: bool) -> bytes:
    """Return the lines that Thunderbird puts before a message."""
    status = _READ | (_REPLIED if replied else 0) | (_EXPUNGED if entry.expunged else 0)
    fresh = entry.written > moment(13, 8, 0) and not replied
    status &= ~_READ if fresh and not path.endswith("/Sent") else 0xFFFF
    second = _ATTACHED if entry.message.letter.attachments else 0
    lines = f"X-Mozilla-Status: {status:04x}\r\nX-Mozilla-Status2: {second:08x}\r\n".encode()
    if path.endswith("/Sent"):
        return lines
    uidl = digest("uidl", entry.message.message_id).hex()[:16]
    return f"X-Account-Key: account1\r\nX-UIDL: {uidl}\r\n".encode() + lines + _KEYS


def _quoted(raw: bytes) -> bytes:
    """Quote body lines that begin with From, as mbox needs it."""
    head, gap, body = raw.partition(b"\r\n\r\n")
    return head + gap + body.replace(b"\r\nFrom ", b"\r\n>From ")


def _summary(path: str, count: int) -> bytes:
    """Return a small Mork file with the table of the folder and its counts."""
    return (
        '// <!-- <mdb:mork:z v="1.4"/> -->\r\n'
        "< <(a=c)> // (f=iso-8859-1)\r\n"
        "  (B8=folderDate)(B9=totMsgs)(BA=numNewMsgs)(BB=flags)(80=ns:msg:db:row:scope:dbfolderinfo:all)\r\n"  # noqa: E501
        "  (81=ns:msg:db:table:kind:dbfolderinfo)>\r\n\r\n"
        f"<(C0={int(TAKEN.timestamp()):x})(C1={count:x})(C2=0)(C3=4)>\r\n"
        "{1:^80 {(k^81:c)(s=9u) 1 }[1(^B8^C0)(^B9^C1)(^BA^C2)(^BB^C3)]}\r\n"
        f"// {path.rpartition('/')[2]}\r\n"
    ).encode()


def _popstate(entries: list[_Entry]) -> bytes:
    """Return the list of what is still on the server: the last fourteen days."""
    rows = [
        f"k {digest('uidl', entry.message.message_id).hex()[:16]} {int(entry.written.timestamp())}\r\n"  # noqa: E501
        for entry in entries
        if entry.written > TAKEN - timedelta(days=14)
    ]
    head = "# POP3 State File\r\n# This is a generated file!  Do not edit.\r\n\r\n*pop.huayang.example li.na\r\n"  # noqa: E501
    return (head + "".join(rows)).encode()


_PREFS = """// Mozilla User Preferences

user_pref("mail.account.account1.identities", "id1");
user_pref("mail.account.account1.server", "server1");
user_pref("mail.account.account2.server", "server2");
user_pref("mail.accountmanager.accounts", "account1,account2");
user_pref("mail.accountmanager.defaultaccount", "account1");
user_pref("mail.accountmanager.localfoldersserver", "server2");
user_pref("mail.identity.id1.archive_folder", "mailbox://nobody@Local%20Folders/Archives");
user_pref("mail.identity.id1.fullName", "李娜");
user_pref("mail.identity.id1.useremail", "li.na@huayang.example");
user_pref("mail.purge_threshhold_mb", 200);
user_pref("mail.server.server1.delete_by_age_from_server", true);
user_pref("mail.server.server1.directory-rel", "[ProfD]Mail/pop.huayang.example");
user_pref("mail.server.server1.hostname", "pop.huayang.example");
user_pref("mail.server.server1.leave_on_server", true);
user_pref("mail.server.server1.num_days_to_leave_on_server", 14);
user_pref("mail.server.server1.type", "pop3");
user_pref("mail.server.server1.userName", "li.na@huayang.example");
user_pref("mail.server.server2.directory-rel", "[ProfD]Mail/Local Folders");
user_pref("mail.server.server2.hostname", "Local Folders");
user_pref("mail.server.server2.type", "none");
user_pref("mailnews.tags.$label1.tag", "重要");
"""
