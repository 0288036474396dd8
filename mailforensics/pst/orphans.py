"""Heads of things that no index lists: property contexts, tables and lists of sub-nodes."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from typing import Final

import numpy as np
import numpy.typing as npt

from mailforensics.mapi import Tag
from mailforensics.pst.blocks import BlockReader
from mailforensics.pst.faults import Damage
from mailforensics.pst.messages import Message
from mailforensics.pst.pool import BlockPool
from mailforensics.pst.references import References, read_references
from mailforensics.pst.trees import Node, NodeTable

__all__ = ["Orphans", "find_orphans", "is_message", "orphan_message"]

_SIGNATURE: Final = 0xEC
_PROPERTIES: Final = 0xBC
_TABLE: Final = 0x7C
_TELLING: Final = (
    Tag.SUBJECT,
    Tag.CONVERSATION_TOPIC,
    Tag.BODY,
    Tag.DISPLAY_TO,
    Tag.SENDER_NAME,
    Tag.TRANSPORT_MESSAGE_HEADERS,
)

Ints = npt.NDArray[np.int64]


@dataclass(slots=True)
class Orphans:
    """What nothing lists, each by the root of its data, newest first.

    Attributes
    ----------
    contexts
        Property contexts.
    tables
        Tables.
    trees
        Lists of sub-nodes, oldest first.
    """

    contexts: list[int] = field(default_factory=list)
    tables: list[int] = field(default_factory=list)
    trees: list[int] = field(default_factory=list)


def find_orphans(
    reader: BlockReader, pool: BlockPool, nodes: NodeTable, claimed: Iterable[int]
) -> Orphans:
    """Look at each block that neither a live node nor an old entry leads to.

    Parameters
    ----------
    reader : BlockReader
        Reads live and left-over blocks.
    pool : BlockPool
        All blocks.
    nodes : NodeTable
        The live nodes.
    claimed : iterable of int
        Blocks that old entries of the node tree name.
    """
    free = pool.free["bid"].astype(np.int64)
    live = pool.live.bid
    both = np.concatenate([live, free])
    named = read_references(reader, both[both & 2 != 0].tolist())
    taken = np.concatenate([nodes.data, nodes.sub, np.fromiter(claimed, np.int64)])
    gone = frozenset(taken.tolist())
    found = Orphans(trees=[bid for bid in named.subnode_trees if bid not in gone])
    heads = np.concatenate([free, np.setdiff1d(live, taken)])
    for bid in _heads(heads, named, taken):
        _sort_in(reader, bid, named.root_of(bid), found)
    return found


def _heads(bids: Ints, named: References, taken: Ints) -> Iterator[int]:
    """Yield data blocks that begin something unclaimed, newest first."""
    data = bids[bids & 2 == 0]
    begin = np.fromiter(named.data_trees, np.int64)
    data = data[~np.isin(data, named.named) | np.isin(data, begin)]
    gone = frozenset(taken.tolist())
    for bid in np.sort(data)[::-1].tolist():
        root = named.root_of(bid)
        if bid in gone or root in gone or named.names(root):
            continue
        if root == bid and named.names(bid):
            continue
        yield bid


def _sort_in(reader: BlockReader, bid: int, root: int, found: Orphans) -> None:
    try:
        head = reader.read(bid, [])[:4]
    except Damage:
        return
    if len(head) == 4 and head[2] == _SIGNATURE:
        if head[3] == _PROPERTIES:
            found.contexts.append(root)
        elif head[3] == _TABLE:
            found.tables.append(root)


def is_message(message: Message) -> bool:
    """Whether a property context is that of a message, and not of a folder or an attachment."""
    tags = message.properties.records
    return Tag.MESSAGE_CLASS in tags and any(tag in tags for tag in _TELLING)


def orphan_message(reader: BlockReader, data_bid: int, sub_bid: int, page: int | None) -> Message:
    """Return the message at a property context, with the list of sub-nodes that was proven."""
    return Message(reader, Node(0, data_bid, sub_bid, 0), None, page)
