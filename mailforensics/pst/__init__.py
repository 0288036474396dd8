"""The Outlook engine: PST and OST files, read and recovered from their bytes, [MS-PST]."""

from __future__ import annotations

from mailforensics.pst.conversion import to_mapi
from mailforensics.pst.faults import Fault
from mailforensics.pst.folders import Folder
from mailforensics.pst.messages import Attachment, ItemKind, Message
from mailforensics.pst.store import PstStore

__all__ = ["Attachment", "Fault", "Folder", "ItemKind", "Message", "PstStore", "to_mapi"]
