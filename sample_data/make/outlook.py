"""The sales director's Outlook archive: mail filed, thrown away, deleted for good, overwritten."""

from __future__ import annotations

import tempfile
from dataclasses import dataclass
from pathlib import Path

from mailforensics.mapi import from_eml
from mailforensics.pst.layout import UNICODE
from mailforensics.pst.writer import PstWriter
from sample_data.make.chance import digest, some
from sample_data.make.fate import World, moment, received_by
from sample_data.make.instances import OUTLOOK, Instance
from sample_data.make.mail import Sent, delivered_to
from tests.pst.simulator import Truth, delete, lost_parts

__all__ = ["archive", "held"]

NAME = "陈志远 存档"
INBOX, SENT, REPORTS, DISCARDED = "收件箱", "已发送邮件", "报表", "已删除邮件"
ME = "chen"
_KEY = digest("record key")[:16]
_BEGIN, _END = moment(1, 0, 0, month=2), moment(12, 17, 0)
_PENALTY = moment(9, 0, 0, month=10)
"""Since then it is about the penalty: what he wrote and got about it is deleted for good."""

_EVERYDAY = frozenset({"canteen", "birthday", "office", "notice"})
_TORN = frozenset({"statement-2026-05-25", "statement-2026-06-22", "statement-2026-07-22"})


@dataclass(frozen=True, slots=True)
class _Filed:
    """A message in the archive: the folder it lay in, and what became of it."""

    message: Sent
    folder: str
    fate: str


def held(message: Sent) -> bytes:
    """Return the bytes as they were before Outlook took them in: its own properties keep no bytes.

    What he sent himself has no trace headers.
    """
    return message.raw if message.letter.sender == ME else delivered_to(message, ME)


def archive(made: World) -> tuple[bytes, list[Instance]]:
    """Return the file, and the copies of messages in it.

    The deletion is that of the tests' simulator: entries go out of the two trees, the rows out of
    the tables of the folders, and old pages stay in free room, as Outlook leaves them.
    """
    filed = _filed(made)
    with tempfile.TemporaryDirectory() as place:
        whole, gone = Path(place) / "whole.pst", Path(place) / "gone.pst"
        nids = _write(whole, filed)
        cut = [nid for nid, entry in nids.items() if entry.fate in {"gone", "torn"}]
        simulation = delete(whole, gone, seed=417, variant="stale", nids=cut)
        torn = [truth for truth in simulation.deleted if nids[truth.nid].fate == "torn"]
        data = _overwritten(gone.read_bytes(), torn)
        lost = lost_parts(simulation.deleted, whole.read_bytes(), data, UNICODE)
    assert {nid for nid, parts in lost.items() if parts} == {truth.nid for truth in torn}
    return data, [_instance(entry, nid) for nid, entry in nids.items()]


def _filed(made: World) -> list[_Filed]:
    """Choose a few dozen messages; who held what nobody else has is left to the other evidence."""
    mine = [
        entry
        for entry in made.messages.values()
        if _BEGIN < entry.letter.sent < _END
        and not entry.letter.fate
        and (entry.letter.sender == ME or received_by(entry, ME))
    ]
    plain = [entry for entry in mine if entry.letter.topic in _EVERYDAY]
    everyday = some(plain, 18, "archive", "everyday")
    thrown = {entry.letter.key for entry in some(everyday, 6, "archive", "thrown away")}
    reports = some([e for e in mine if e.letter.topic == "report"], 8, "archive", "reports")
    gone = {entry.letter.key for entry in some(reports, 3, "archive", "gone")}
    kept = [e for e in mine if e.letter.topic in {"dispute", "statement"}]
    chosen = sorted([*everyday, *reports, *kept], key=lambda entry: entry.arrived)
    return [_fate(entry, thrown, gone) for entry in chosen]


def _fate(message: Sent, thrown: set[str], gone: set[str]) -> _Filed:
    letter = message.letter
    folder = SENT if letter.sender == ME else INBOX
    if letter.topic in {"report", "statement"}:
        folder = REPORTS
    if letter.key in thrown:
        return _Filed(message, DISCARDED, "discarded")
    if letter.key in _TORN:
        return _Filed(message, folder, "torn")
    about_penalty = letter.topic == "dispute" and letter.sent > _PENALTY
    return _Filed(message, folder, "gone" if about_penalty or letter.key in gone else "live")


def _write(path: Path, filed: list[_Filed]) -> dict[int, _Filed]:
    """Write all messages into a new file; return them by their nodes."""
    with PstWriter(path, name=NAME, record_key=_KEY, now=moment(12, 17, 5)) as out:
        return {
            out.add(out.folder((entry.folder,)), from_eml(held(entry.message), is_read=True)): entry
            for entry in filed
        }


def _overwritten(data: bytes, torn: list[Truth]) -> bytes:
    """Write other bytes where the attachments of some deleted messages lay."""
    changed = bytearray(data)
    for truth in torn:
        for name, blocks in truth.parts.items():
            if name.startswith("attachment:"):
                for block in blocks:
                    filling = b"".join(
                        digest("filling", block.offset, place)
                        for place in range(block.stored // 32)
                    )
                    changed[block.offset : block.offset + len(filling)] = filling
    return bytes(changed)


def _instance(entry: _Filed, nid: int) -> Instance:
    """Return the row of a copy: it has no digest, since Outlook keeps properties, not bytes."""
    state = {"live": "live", "discarded": "in_deleted_folder"}.get(entry.fate, "orphaned")
    completeness = "partial" if entry.fate == "torn" else "complete"
    return Instance(
        entry.message.letter.key, OUTLOOK, entry.folder, f"nid:{nid:#x}", state, completeness
    )
