"""Gmail Takeout: what the labels of a message say."""

from __future__ import annotations

import csv
import re
from typing import NamedTuple

from mailforensics import mime
from mailforensics.readers.folders import role_of
from mailforensics.schema import FolderRole

__all__ = ["Labels", "labels_of"]

_FIRST = (b"X-GM-THRID:", b"X-Gmail-Labels:")
_FIELD = re.compile(rb"^(X-GM-THRID|X-Gmail-Labels):[ \t]*([^\n]*(?:\n[ \t][^\n]*)*)", re.M)
_UNREAD = (
    "unread|未读|未读邮件|未讀|未讀郵件|未読|읽지않음|읽지 않음|ungelesen|non lu|non lus|no leído|"
    "no leídos|da leggere|não lido|não lidas|непрочитанные|ongelezen|nieprzeczytane"
)
_OPENED = (
    "opened|已打开|已開啟|既読|열림|geöffnet|ouvert|ouverts|abierto|abiertos|aperti|aberto|abertas|"
    "открыто|geopend|otwarte"
)
_READ = dict.fromkeys(_OPENED.split("|"), True) | dict.fromkeys(_UNREAD.split("|"), False)
_ORDER = (
    FolderRole.JUNK,
    FolderRole.DRAFTS,
    FolderRole.INBOX,
    FolderRole.SENT,
    FolderRole.ARCHIVE,
)


class Labels(NamedTuple):
    """Labels of one message.

    Attributes
    ----------
    folder
        All labels, joined.
    role
        Deleted when one names the trash and none the inbox; else the most telling one.
    is_read
        By the labels Opened and Unread; None when neither is there.
    flags
        ``label:NAME`` and ``X-GM-THRID:NUMBER``.
    """

    folder: str
    role: FolderRole
    is_read: bool | None
    flags: list[str]


def _role(names: list[str]) -> FolderRole:
    roles = {role_of(name) for name in names}
    if FolderRole.DELETED in roles and FolderRole.INBOX not in roles:
        return FolderRole.DELETED
    return next((role for role in _ORDER if role in roles), FolderRole.OTHER)


def _is_read(names: list[str]) -> bool | None:
    told = {_READ.get(name.casefold()) for name in names} - {None}
    return all(told) if told else None


def labels_of(message: bytes) -> Labels | None:
    """Read the label lines that Takeout put before a message, or None when there are none.

    Lines further down among the headers are the sender's and are not believed.
    """
    if not message.startswith(_FIRST):
        return None
    found: dict[bytes, bytes] = {}
    for name, value in _FIELD.findall(message[:16384])[:2]:
        found.setdefault(name, value)
    text, _ = mime.decode_header(found.get(b"X-Gmail-Labels", b""))
    row = next(csv.reader([" ".join(text.split())], skipinitialspace=True), [])
    names = [name.strip() for name in row if name.strip()]
    flags = [f"label:{name}" for name in names]
    thread = found.get(b"X-GM-THRID", b"").strip().decode("ascii", "replace")
    if thread:
        flags.append(f"X-GM-THRID:{thread}")
    return Labels(", ".join(names), _role(names), _is_read(names), flags)
