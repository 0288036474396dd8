"""Mailboxes and folders by the names that stores and logs give them."""

from __future__ import annotations

import re
from functools import lru_cache

import numpy as np
import pandas as pd

from mailforensics.comparison.frames import Codes, Mask, is_in
from mailforensics.schema import FolderRole

__all__ = [
    "Holders",
    "deleted_folders",
    "folder_key",
    "is_draft",
    "mailbox_key",
    "mailbox_keys",
    "row_folders",
    "same_folder",
    "same_mailbox",
]

_SEPARATORS = re.compile(r"[/\\.\x1f]+")
_TRASH = (
    *("trash", "deleted items", "deleted messages", "deleted", "bin", "expunged", "papierkorb"),
    *("gelöschte elemente", "corbeille", "éléments supprimés", "papelera", "cestino", "lixeira"),
    *("elementos eliminados", "posta eliminata", "корзина", "удаленные", "prullenbak", "kosz"),
    *("已删除", "已删除邮件", "已删除的邮件", "废件箱", "废纸篓", "回收站", "垃圾桶", "已刪除"),
    *("已刪除郵件", "刪除的郵件", "ごみ箱", "ゴミ箱", "削除済みアイテム", "휴지통", "지운 편지함"),
)
_DRAFTS = ("draft", "entwürfe", "brouillons", "borradores", "草稿", "下書き")


@lru_cache(maxsize=1 << 14)
def folder_key(folder: str | None) -> tuple[str, ...]:
    """Return the names on the way to a folder, folded; empty when it is not known."""
    parts = tuple(part for part in _SEPARATORS.split((folder or "").casefold().strip()) if part)
    return parts[1:] if len(parts) > 1 and parts[0] == "inbox" else parts


def same_folder(left: tuple[str, ...], right: tuple[str, ...]) -> bool:
    """Say whether two folders may be one: the shorter way is the end of the longer.

    A folder that is not known may be any.
    """
    size = min(len(left), len(right))
    return size == 0 or left[-size:] == right[-size:]


@lru_cache(maxsize=1 << 14)
def mailbox_key(mailbox: str | None) -> str:
    """Return the name of a mailbox, folded; empty when it is not known."""
    return (mailbox or "").strip().casefold()


def same_mailbox(left: str, right: str) -> bool:
    """Say whether two mailbox names mean one: logs often give only what stands before the @."""
    if "@" in left and "@" in right:
        return left == right
    return left.partition("@")[0] == right.partition("@")[0]


def row_folders(messages: pd.DataFrame) -> list[tuple[str, ...]]:
    """Return the folder key of each row; an inbox is called inbox in every language."""
    inbox = is_in(messages["folder_role"], [FolderRole.INBOX])
    names = messages["folder"].fillna("")
    return [
        ("inbox",) if is_inbox and len(folder_key(name)) < 2 else folder_key(name)
        for name, is_inbox in zip(names, inbox, strict=True)
    ]


def deleted_folders(messages: pd.DataFrame) -> frozenset[tuple[str, ...]]:
    """Return the keys of the folders that hold deleted mail, as the readers recognised them."""
    rows = messages[is_in(messages["folder_role"], [FolderRole.DELETED, FolderRole.RECOVERABLE])]
    known = {folder_key(name) for name in rows["folder"].dropna().unique()}
    return frozenset(known | {(name,) for name in _TRASH}) - {()}


def is_draft(folder: tuple[str, ...]) -> bool:
    """Say whether a folder is one of drafts, by its name."""
    return bool(folder) and any(name in folder[-1] for name in _DRAFTS)


class Holders:
    """Knows in whose mailbox a message is held by some rows.

    A mailbox that is named by an address is a person's own, and is held apart; other names
    (``Local Folders``) are places of the same person.

    Parameters
    ----------
    what
        Code of the message of each row; -1 for none.
    scope
        Code of the evidence item or custodian of each row.
    mailbox
        Mailbox key of each row.
    """

    def __init__(self, what: Codes, scope: Codes, mailbox: pd.Series) -> None:
        spread = int(scope.max(initial=0)) + 1
        self.what = what
        self.pair = np.where(what >= 0, what * spread + scope, -1)
        self.personal = mailbox.str.contains("@", regex=False).to_numpy(dtype=bool)
        boxes, names = pd.factorize(mailbox)
        self.full = np.where(what >= 0, self.pair * (len(names) + 1) + boxes, -1)

    def counts(self, holding: Mask, *, own: bool = True) -> Codes:
        """Return for each row how many of the holding rows are in the same person's mailbox.

        Parameters
        ----------
        holding
            The rows that count.
        own
            Whether mailboxes named by addresses are held apart.
        """
        held = holding & (self.what >= 0)
        anywhere = _count(self.pair, held)
        if not own or not self.personal.any():
            return anywhere
        mine = _count(self.full, held & self.personal) + _count(self.pair, held & ~self.personal)
        return np.where(self.personal, mine, anywhere)

    def all_counts(self, holding: Mask) -> Codes:
        """Return for each row how many of the holding rows there are with anybody."""
        return _count(self.what, holding & (self.what >= 0))


def _count(keys: Codes, held: Mask) -> Codes:
    values, numbers = np.unique(keys[held], return_counts=True)
    if not len(values):
        return np.zeros(len(keys), dtype=np.int64)
    at = np.minimum(np.searchsorted(values, keys), len(values) - 1)
    return np.where((values[at] == keys) & (keys >= 0), numbers[at], 0)


def mailbox_keys(column: pd.Series) -> pd.Series:
    """Return the mailbox key of each row."""
    places, names = pd.factorize(column.fillna(""))
    keys = np.array([mailbox_key(name) for name in names], dtype=object)
    return pd.Series(keys[places], index=column.index, dtype=object)
