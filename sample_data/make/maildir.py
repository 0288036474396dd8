"""The sales mailbox as Dovecot keeps it (Maildir++), copied by the server into a tar archive."""

from __future__ import annotations

import base64
import gzip
import io
import tarfile
from collections.abc import Iterator
from datetime import datetime

from sample_data.make.chance import number
from sample_data.make.fate import NORDWIND, Box, World, moment
from sample_data.make.instances import FRIDAY, MONDAY, Instance, instance
from sample_data.make.mail import guid

__all__ = ["both", "file_name", "modified_utf7", "snapshot"]

ROOT = "sales/Maildir"
_FOLDERS = (
    "INBOX",
    "Sent",
    "Drafts",
    "Trash",
    "Junk",
    "Archive",
    NORDWIND,
    "客户.国内",
    "供应商.江海铸造",
)
_VALIDITY = 1714960000


def modified_utf7(name: str) -> str:
    """Write a folder name as IMAP does (RFC 3501, section 5.1.3)."""
    out, run = "", ""
    for sign in [*name, ""]:
        if sign and not " " <= sign <= "~":
            run += sign
            continue
        if run:
            coded = base64.b64encode(run.encode("utf-16-be")).decode().rstrip("=")
            out, run = out + "&" + coded.replace("/", ",") + "-", ""
        out += "&-" if sign == "&" else sign
    return out


def file_name(box: Box, since: datetime, raw: bytes) -> str:
    """Return the name of a file without flags: second, microsecond, process, host, sizes."""
    process = 1800 + number(28000, "file", box.message.message_id, since)
    fraction = number(10**6, "micro", box.message.message_id, since)
    lines = raw.count(b"\n")
    return f"{int(since.timestamp())}.M{fraction}P{process}.mail,S={len(raw)},W={len(raw) + lines}"


def snapshot(made: World, evidence: str, when: datetime) -> tuple[bytes, list[Instance]]:
    """Return the archive of the mailbox as it was at a moment, and what lies in it."""
    members: list[tuple[str, bytes, int]] = []
    found: list[Instance] = []
    for folder in _FOLDERS:
        members += _folder_files(made, folder, when)
        for box, since, uid in _held(made, folder, when):
            raw = box.raw.replace(b"\r\n", b"\n")
            name = _path(box, folder, since, raw, when)
            members.append((name, raw, int(since.timestamp())))
            state = _state(box, folder, when)
            place = f"{folder}/{uid}"
            found.append(instance(box.message.letter.key, evidence, name, place, state, raw))
    if when == moment(9, 2, 0):
        found += [
            instance(
                f"stale-{uid}",
                evidence,
                f"{ROOT}/dovecot-uidlist",
                f"INBOX/{uid}",
                "known_only",
                None,
            )
            for uid, _, _ in made.stale
        ]
    return _archive(members, when), found


def _held(made: World, folder: str, when: datetime) -> Iterator[tuple[Box, datetime, int]]:
    rows = []
    for box in made.sales.values():
        stay = box.at(when)
        if stay is not None and stay[1] == folder:
            rows.append((stay[2], box, stay[0]))
    for uid, box, since in sorted(rows, key=lambda row: row[0]):
        yield box, since, uid


def _base(folder: str) -> str:
    return ROOT if folder == "INBOX" else f"{ROOT}/.{modified_utf7(folder)}"


def _path(box: Box, folder: str, since: datetime, raw: bytes, when: datetime) -> str:
    name = file_name(box, since, raw)
    last_seen = moment(6, 17, 40) if when == moment(9, 2, 0) else moment(12, 18, 30)
    if folder == "INBOX" and since > last_seen:
        return f"{_base(folder)}/new/{name}"
    flags = box.flags
    if folder == "INBOX" and (when - since).days < 4 and number(2, "seen", name, when):
        flags = ""
    if any(deed.what == "mark" and deed.when <= when for deed in box.deeds):
        flags += "T"
    return f"{_base(folder)}/cur/{name}:2,{flags}"


def _state(box: Box, folder: str, when: datetime) -> str:
    if folder == "Trash":
        return "in_deleted_folder"
    marked = any(deed.what == "mark" and deed.when <= when for deed in box.deeds)
    return "marked_deleted" if marked else "live"


def _folder_files(made: World, folder: str, when: datetime) -> list[tuple[str, bytes, int]]:
    """Return what Dovecot keeps beside the mails; its caches are left out by the backup."""
    base, stamp = _base(folder), int(when.timestamp())
    lines = []
    for box, since, uid in _held(made, folder, when):
        name = file_name(box, since, box.raw.replace(b"\r\n", b"\n"))
        lines.append((uid, f"{uid} :{name}\n"))
    if folder == "INBOX" and when == moment(9, 2, 0):
        lines += [
            (uid, f"{uid} :{_stale_name(uid, since, size)}\n") for uid, since, size in made.stale
        ]
    after = max((uid for uid in _uids(made, folder, when)), default=0) + 1
    mailbox = guid(moment(6, 9, 30, month=5), 1544, folder).hex()
    validity = _VALIDITY + _FOLDERS.index(folder)
    head = f"3 V{validity} N{after} G{mailbox}\n"
    text = head + "".join(line for _, line in sorted(lines))
    files = [(f"{base}/dovecot-uidlist", text.encode(), stamp)]
    if folder == "INBOX":
        names = "".join(f"{modified_utf7(name)}\n" for name in _FOLDERS[1:])
        files.append((f"{base}/subscriptions", f"V\t2\n\n{names}".encode(), stamp))
        files.append((f"{base}/dovecot-uidvalidity", f"{_VALIDITY:08x}".encode(), stamp))
    else:
        files.append((f"{base}/maildirfolder", b"", _VALIDITY))
    return files


def _uids(made: World, folder: str, when: datetime) -> Iterator[int]:
    """Yield every UID that was ever given in a folder until then."""
    for box in made.sales.values():
        for since, place, uid in box.stays:
            if place == folder and since <= when:
                yield uid
    if folder == "INBOX":
        yield from (uid for uid, _, _ in made.stale)


def _stale_name(uid: int, since: datetime, size: int) -> str:
    fraction, process = number(10**6, "stale", uid), 1800 + number(28000, "stale file", uid)
    lines = size // 40
    return f"{int(since.timestamp())}.M{fraction}P{process}.mail,S={size},W={size + lines}"


def _archive(members: list[tuple[str, bytes, int]], when: datetime) -> bytes:
    """Pack a tar.gz whose bytes depend on its members alone (and on the version of zlib)."""
    packed = io.BytesIO()
    with tarfile.open(fileobj=packed, mode="w", format=tarfile.PAX_FORMAT) as tar:
        for path in sorted({parent for name, _, _ in members for parent in _parents(name)}):
            _add(tar, path, None, int(when.timestamp()))
        for name, data, stamp in sorted(members):
            _add(tar, name, data, stamp)
    return gzip.compress(packed.getvalue(), compresslevel=9, mtime=0)


def _parents(name: str) -> list[str]:
    parts = name.split("/")[:-1]
    if parts[-1] in {"cur", "new"}:
        base = "/".join(parts[:-1])
        return ["/".join(parts[: end + 1]) for end in range(len(parts) - 1)] + [
            f"{base}/{name}" for name in ("cur", "new", "tmp")
        ]
    return ["/".join(parts[: end + 1]) for end in range(len(parts))] + [
        f"{'/'.join(parts)}/{name}" for name in ("cur", "new", "tmp")
    ]


def _add(tar: tarfile.TarFile, path: str, data: bytes | None, stamp: int) -> None:
    entry = tarfile.TarInfo(path)
    entry.mtime, entry.uid, entry.gid, entry.uname, entry.gname = (
        stamp,
        5000,
        5000,
        "vmail",
        "vmail",
    )
    if data is None:
        entry.type, entry.mode = tarfile.DIRTYPE, 0o700
        tar.addfile(entry)
    else:
        entry.size, entry.mode = len(data), 0o600
        tar.addfile(entry, io.BytesIO(data))


def both(made: World) -> dict[str, tuple[bytes, list[Instance]]]:
    """Return Monday's and Friday's archive."""
    return {
        MONDAY: snapshot(made, MONDAY, moment(9, 2, 0)),
        FRIDAY: snapshot(made, FRIDAY, moment(13, 2, 0)),
    }
