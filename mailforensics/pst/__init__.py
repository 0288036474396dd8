"""The Outlook engine: PST and OST files, read and recovered from their bytes, [MS-PST]."""

from __future__ import annotations

from mailforensics.pst.conversion import to_mapi
from mailforensics.pst.faults import Fault
from mailforensics.pst.folders import Folder
from mailforensics.pst.grading import Grade, Part
from mailforensics.pst.messages import Attachment, ItemKind, Message
from mailforensics.pst.recovered import Origin, Recovered, Relation
from mailforensics.pst.recovery import recover
from mailforensics.pst.rescue import open_store, rescue
from mailforensics.pst.starts import find_starts
from mailforensics.pst.store import PstStore

__all__ = [
    "Attachment",
    "Fault",
    "Folder",
    "Grade",
    "ItemKind",
    "Message",
    "Origin",
    "Part",
    "PstStore",
    "Recovered",
    "Relation",
    "find_starts",
    "open_store",
    "recover",
    "rescue",
    "to_mapi",
]
