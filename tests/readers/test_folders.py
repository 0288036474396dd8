from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailforensics.readers.folders import decode_imap_utf7, path_parts, role_of
from mailforensics.schema import FolderRole

NAMES = {
    FolderRole.INBOX: ["INBOX", "收件箱", "受信トレイ", "Posteingang", "Skrzynka odbiorcza"],
    FolderRole.SENT: ["Sent Items", "已发送", "寄件備份", "[Gmail]/已发邮件", "Отправленные"],
    FolderRole.DRAFTS: ["Drafts", "草稿箱", "Entwürfe", "Rascunhos"],
    FolderRole.DELETED: [
        "Trash",
        ".Trash",
        "INBOX.Trash",
        "[Gmail]/Trash",
        "[Google Mail]/Bin",
        "Deleted Items",
        "已删除",
        "已删除邮件",
        "已刪除的郵件",
        "废件箱",
        "回收站",
        "ごみ箱",
        "지운 편지함",
        "Gelöschte Elemente",
        "GELÖSCHTE ELEMENTE",
        "E\u0301le\u0301ments supprimés",
        "Papelera",
        "Posta eliminata",
        "Lixeira",
        "Удалённые",
        "Prullenbak",
        "Kosz",
        "&XfJSIJZk-",
        "Top of Personal Folders\\Deleted Items\\Project X\\Inbox",
    ],
    FolderRole.JUNK: ["Junk E-mail", "垃圾邮件", "垃圾箱", "迷惑メール"],
    FolderRole.ARCHIVE: ["Archive", "Archives/2024", "归档", "[Gmail]/All Mail"],
    FolderRole.RECOVERABLE: [
        "Recoverable Items\\Deletions",
        "Recoverable Items/Versions",
        "Recoverable Items/Purges",
        "DiscoveryHolds",
        ".EXPUNGED",
    ],
    FolderRole.OTHER: [
        "",
        "Versions",
        "Project X",
        "Inbox/Contracts",
        "Trashcan lids",
        "Sent to me",
    ],
}


@pytest.mark.parametrize(
    ("role", "name"), [(role, name) for role, names in NAMES.items() for name in names]
)
def test_role(role: FolderRole, name: str) -> None:
    assert role_of(name) is role


def test_modified_utf7() -> None:
    assert decode_imap_utf7("&XfJSIJZk-/A&-B") == "已删除/A&B"
    assert decode_imap_utf7("&Broken") == "&Broken"
    assert decode_imap_utf7("&A-x") == "&A-x"


def test_path_parts() -> None:
    assert path_parts("INBOX.Work.2024") == ["INBOX", "Work", "2024"]
    assert path_parts("a.b/c\\d/") == ["a.b", "c", "d"]


@given(st.text())
def test_any_text_has_a_role(name: str) -> None:
    assert isinstance(role_of(name), FolderRole)
