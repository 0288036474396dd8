"""What recovery gives: a message, or what is left of one, with its evidence."""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

from mailforensics.pst.amap import Allocation
from mailforensics.pst.grading import Grade, Part
from mailforensics.pst.layout import NidType
from mailforensics.pst.likeness import Likeness
from mailforensics.pst.messages import Message
from mailforensics.pst.places import Place
from mailforensics.pst.tables import Row

__all__ = ["Origin", "Recovered", "Relation"]

_ASSOCIATED: int = 0x40


class Origin(StrEnum):
    """What led to a recovered message."""

    OLD_NODE = "old_node"
    UNLISTED_NODE = "unlisted_node"
    ORPHAN = "orphan"
    STRAY_ATTACHMENTS = "stray_attachments"
    STALE_ROW = "stale_row"


class Relation(StrEnum):
    """What a recovered message is to the others of its store."""

    DELETED = "deleted"
    EARLIER_VERSION = "earlier_version"
    COPY = "copy"
    UNDECIDED = "undecided"


@dataclass(slots=True)
class Recovered:
    """A message that was recovered, or what is left of one.

    Attributes
    ----------
    origin
        What led to it.
    grade
        How much of it is there.
    relation
        ``DELETED``: no live message is like it. ``EARLIER_VERSION``: the node that it was has
        another content now. ``COPY``: a message with the same content is live, or was recovered
        before it. ``UNDECIDED``: the index of the store is damaged and the allocation maps do not
        call its blocks free, so that it may have been live.
    version_of
        The node of that other message; negative when it is an orphan, which has no node: then the
        number is that of its first block.
    nid
        Its node; 0 when nothing tells it.
    message
        The message; None for a row of a table.
    row
        The row, of a stale row of a table.
    missing
        The parts that are not there.
    reasons
        What was found wrong, and why a list of sub-nodes was given to it, in sentences.
    page_bid, page_offset
        The newest old page that lists it; its number grows with time. None: no page does.
    table_bid
        The data of the table that the row is in; 0 when there is none.
    blocks
        Place and size of each block that it was read from, in bytes from the start of the store,
        in the order of the file.
    allocation
        What the allocation maps say of these blocks.
    place
        The folder that it lay in; None when nothing tells it.
    copies
        How many more old pages show the same content.
    likeness
        What tells it apart from other messages; None when its properties are lost.
    """

    origin: Origin
    grade: Grade
    relation: Relation = Relation.DELETED
    version_of: int | None = None
    nid: int = 0
    message: Message | None = None
    row: Row | None = None
    missing: tuple[Part, ...] = ()
    reasons: tuple[str, ...] = ()
    page_bid: int | None = None
    page_offset: int | None = None
    table_bid: int = 0
    blocks: tuple[tuple[int, int], ...] = ()
    allocation: Allocation = Allocation.UNKNOWN
    place: Place | None = None
    copies: int = 0
    likeness: Likeness | None = None

    @property
    def ref(self) -> str:
        """Name it by where it is: the same in every run over the same bytes."""
        if self.origin is Origin.OLD_NODE:
            return f"nid:{self.nid:#x}@page:{self.page_bid or 0:#x}"
        if self.origin is Origin.UNLISTED_NODE:
            return f"nid:{self.nid:#x}"
        if self.origin is Origin.STALE_ROW:
            return f"row:{self.nid:#x}@block:{self.table_bid:#x}"
        node = self.message.node if self.message is not None else None
        data_bid, sub_bid = (node.data_bid, node.sub_bid) if node is not None else (0, 0)
        if self.origin is Origin.STRAY_ATTACHMENTS:
            return f"attachments:{sub_bid:#x}"
        return f"block:{data_bid:#x}" + (f"+{sub_bid:#x}" if sub_bid else "")

    @property
    def is_hidden(self) -> bool:
        """Whether it is one of the items that Outlook keeps for itself (views, rules, settings)."""
        if self.message is None:
            return False
        if self.nid & 0x1F == NidType.ASSOCIATED_MESSAGE:
            return True
        name = (self.message.message_class or "").upper()
        own = name.startswith(("IPM.CONFIGURATION", "IPM.MESSAGEMANAGER", "IPM.MICROSOFT."))
        return own or bool(self.message.flags & _ASSOCIATED)
