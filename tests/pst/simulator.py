"""Deletes messages from an Outlook data file as Outlook does, and damages files; knows the truth.

Everything is decided by the seed: the same file and seed give the same bytes.
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable
from dataclasses import dataclass, field
from pathlib import Path

from mailforensics.pst.blocks import BlockRef
from mailforensics.pst.layout import Layout, NidType, SpecialNid
from mailforensics.pst.messages import Message
from mailforensics.pst.store import PstStore
from tests.pst.facts import Facts, facts_of
from tests.pst.image import Change, Image
from tests.pst.rows import Sizes, drop_rows

VARIANTS = ("bare", "stale")
"""No old index page is left; or old pages stay in free room, as copy-on-write leaves them."""


@dataclass(frozen=True, slots=True)
class Truth:
    """A message as it was before.

    Attributes
    ----------
    nid, data_bid, sub_bid
        Its node.
    folder
        Path of the folder that listed it.
    facts
        What it says.
    parts
        Part -> the blocks that it consists of: ``properties``, ``subnodes`` (the list of all that
        follows), ``recipients``, ``attachments`` (their table), ``attachment:0x8025``,
        ``property:0x1000``.
    """

    nid: int
    data_bid: int
    sub_bid: int
    folder: tuple[str, ...]
    facts: Facts
    parts: dict[str, tuple[BlockRef, ...]] = field(repr=False)

    @property
    def blocks(self) -> set[BlockRef]:
        """All blocks that it consists of."""
        return {block for blocks in self.parts.values() for block in blocks}


@dataclass(frozen=True, slots=True)
class Simulation:
    """A changed file and what is true of it.

    Attributes
    ----------
    path
        The changed file.
    deleted, live
        The messages that were deleted, and those that still are in the file's folders.
    lost
        Node -> the parts of a message whose bytes are no longer what they were.
    """

    path: Path
    seed: int
    variant: str
    deleted: list[Truth]
    live: list[Truth]
    lost: dict[int, frozenset[str]]

    def whole(self, truth: Truth) -> bool:
        """Whether every byte of a message still is in the file."""
        return not self.lost.get(truth.nid)


# --- reading the truth --------------------------------------------------------------------------


def truths_of(store: PstStore) -> list[Truth]:
    """Read all messages that folders list."""
    found = []
    seen: set[int] = set()
    for folder in store.folders():
        if folder.is_search:
            continue
        for message in store.messages(folder):
            if message.nid not in seen and message.nid & 0x1F == NidType.MESSAGE:
                seen.add(message.nid)
                node = message.node
                parts = parts_of(store, message)
                facts = facts_of(message)
                found.append(
                    Truth(node.nid, node.data_bid, node.sub_bid, folder.path, facts, parts)
                )
    return found


def parts_of(store: PstStore, message: Message) -> dict[str, tuple[BlockRef, ...]]:
    """Say which blocks each part of a message consists of."""
    node = message.node
    parts = {"properties": data_blocks(store, node.data_bid)}
    if not node.sub_bid & ~1:
        return {name: _located(store, bids) for name, bids in parts.items()}
    parts["subnodes"] = list_blocks(store, node.sub_bid)
    holders = {value: tag for tag, (_, value) in message.properties.records.items() if value & 0x1F}
    for nid, entry in store.subnodes(node.sub_bid).items():
        bids = [*data_blocks(store, entry.data_bid), *all_subnode_blocks(store, entry.sub_bid)]
        parts[_part_name(nid, holders)] = bids
    return {name: _located(store, bids) for name, bids in parts.items()}


def _part_name(nid: int, holders: dict[int, int]) -> str:
    if nid == SpecialNid.RECIPIENT_TABLE:
        return "recipients"
    if nid == SpecialNid.ATTACHMENT_TABLE:
        return "attachments"
    if nid & 0x1F == NidType.ATTACHMENT:
        return f"attachment:{nid:#x}"
    return f"property:{holders[nid]:#06x}" if nid in holders else f"subnode:{nid:#x}"


def _located(store: PstStore, bids: Iterable[int]) -> tuple[BlockRef, ...]:
    places = (store.blocks.find(bid) for bid in bids)
    return tuple(place for place in places if place is not None)


def data_blocks(store: PstStore, bid: int) -> list[int]:
    """Return all blocks of a data tree, its inner ones first."""
    bid &= ~1
    if not bid & 2:
        return [bid] if bid else []
    block = store.read_block(bid)
    layout = store.layout
    count = struct.unpack_from("<H", block, 2)[0]
    kind = "Q" if layout.wide else "I"
    children = struct.unpack_from(f"<{count}{kind}", block, layout.data_tree_start)
    return [bid, *(below for child in children for below in data_blocks(store, child))]


def list_blocks(store: PstStore, bid: int) -> list[int]:
    """Return the blocks that list sub-nodes."""
    bid &= ~1
    if not bid:
        return []
    block, layout = store.read_block(bid), store.layout
    if block[1] == 0:
        return [bid]
    count = struct.unpack_from("<H", block, 2)[0]
    rows = struct.unpack_from(
        f"<{2 * count}{'Q' if layout.wide else 'I'}", block, layout.subnode_start
    )
    return [bid, *(child & ~1 for child in rows[1::2])]


def all_subnode_blocks(store: PstStore, bid: int) -> list[int]:
    """Return all blocks of a sub-node tree and of what lies below it."""
    found = list_blocks(store, bid)
    for entry in store.subnodes(bid).values() if bid & ~1 else ():
        found += data_blocks(store, entry.data_bid)
        found += all_subnode_blocks(store, entry.sub_bid)
    return found


# --- deleting -----------------------------------------------------------------------------------


def delete(
    source: Path,
    target: Path,
    *,
    seed: int,
    share: float = 0.5,
    variant: str = "bare",
    overwrite: float = 0.0,
    nids: Iterable[int] | None = None,
) -> Simulation:
    """Delete messages of a file for good and write the result to a new one.

    The entries go out of the node tree and the block tree, the bits of the allocation maps are
    cleared, the row goes out of the folder's table and the folder counts one less.

    Parameters
    ----------
    source, target : Path
        The file, and the one to write.
    seed : int
        Of all that is left to chance.
    share : float
        How many of the messages are deleted.
    variant : {"bare", "stale"}
        See :data:`VARIANTS`.
    overwrite : float
        The share of the freed blocks that are then filled with other bytes.
    nids : iterable of int, optional
        The messages to delete, instead of a share.
    """
    chance = random.Random(seed)
    image = Image(source)
    truths = truths_of(image.store)
    chosen = set(nids) if nids is not None else _chosen(truths, share, chance)
    gone, resized = drop_rows(image, chosen)
    deleted = [truth for truth in truths if truth.nid in gone]
    freed = _cut(image, deleted, resized, moving=variant == "stale")
    for block in chance.sample(freed, round(overwrite * len(freed))):
        span = image.layout.span(block.stored)
        image.bytes[block.offset : block.offset + span] = chance.randbytes(span)
    target.write_bytes(image.bytes)
    live = [truth for truth in truths if truth.nid not in gone]
    lost = lost_parts(deleted, image.before, bytes(image.bytes), image.layout)
    return Simulation(target, seed, variant, deleted, live, lost)


def _chosen(truths: list[Truth], share: float, chance: random.Random) -> set[int]:
    nids = sorted(truth.nid for truth in truths)
    return set(chance.sample(nids, round(share * len(nids))))


def _cut(image: Image, deleted: list[Truth], resized: Sizes, *, moving: bool) -> list[BlockRef]:
    """Take nodes and blocks out of the trees, free their room, and write the header."""
    gone = {truth.nid for truth in deleted}
    kept = dict(image.references)
    freed: list[int] = []
    for truth in deleted:
        for bid in (truth.data_bid, truth.sub_bid):
            _release(image.store, bid, kept, freed)
    changed = {bid for bid, count in kept.items() if count != image.references[bid]}
    header = image.store.header
    nodes = image.rewrite_tree(header.node_root, _without_nodes(gone), moving=moving)
    change = _changed_blocks(image.layout, kept, changed, resized)
    blocks = image.rewrite_tree(header.block_root, change, moving=moving)
    image.free_pages()
    places = [place for place in map(image.store.blocks.find, freed) if place is not None]
    for place in places:
        image.mark(place.offset, image.layout.span(place.stored), used=False)
    image.write_header(nodes, blocks)
    return places


def _release(store: PstStore, bid: int, kept: dict[int, int], freed: list[int]) -> None:
    """Count one reference less to a block; with the last one it goes, and what it refers to."""
    bid &= ~1
    if bid not in kept:
        return
    kept[bid] -= 1
    if kept[bid] > 1:
        return
    freed.append(bid)
    if bid & 2:
        for child in _references(store, bid):
            _release(store, child, kept, freed)


def _references(store: PstStore, bid: int) -> list[int]:
    block, layout = store.read_block(bid), store.layout
    if block[0] == 2 and block[1] == 0:
        return [each for entry in store.subnodes(bid).values() for each in entry]
    if block[0] == 2:
        return list_blocks(store, bid)[1:]
    count, kind = struct.unpack_from("<H", block, 2)[0], "Q" if layout.wide else "I"
    return list(struct.unpack_from(f"<{count}{kind}", block, layout.data_tree_start))


def _without_nodes(gone: set[int]) -> Change:
    return lambda rows: [row for row in rows if struct.unpack_from("<I", row)[0] not in gone]


def _changed_blocks(
    layout: Layout, kept: dict[int, int], changed: set[int], resized: Sizes
) -> Change:
    """Return what takes freed blocks out of a leaf and sets references and sizes of others."""
    word = layout.bid.itemsize
    at = 2 * word

    def change(rows: list[bytes]) -> list[bytes]:
        found = []
        for row in rows:
            bid = int.from_bytes(row[:word], "little") & ~1
            new = bytearray(row)
            if bid in resized:
                sizes = resized[bid] if layout.packs_blocks else resized[bid][:1]
                struct.pack_into(f"<{len(sizes)}H", new, at, *sizes)
            if bid in changed:
                struct.pack_into("<H", new, at + (4 if layout.packs_blocks else 2), kept[bid])
            if kept[bid] > 1:
                found.append(bytes(new))
        return found

    return change


def lost_parts(
    truths: Iterable[Truth], before: bytes, after: bytes, layout: Layout
) -> dict[int, frozenset[str]]:
    """Say which parts of messages have bytes that are no longer what they were."""

    def is_lost(block: BlockRef) -> bool:
        place = slice(block.offset, block.offset + layout.span(block.stored))
        return before[place] != after[place]

    return {
        truth.nid: frozenset(
            name for name, blocks in truth.parts.items() if any(map(is_lost, blocks))
        )
        for truth in truths
    }


# --- damage -------------------------------------------------------------------------------------

DAMAGES = ("header", "roots", "truncated", "sectors")
"""The header zeroed; the root pages of both trees overwritten; the end cut off; sectors zeroed."""


def damage(
    source: Path | Simulation, target: Path, kind: str, *, seed: int, share: float = 0.1
) -> Simulation:
    """Damage a file and write the result to a new one.

    Parameters
    ----------
    source : Path or Simulation
        The file, or what a deletion left; its deleted messages are then told too.
    target : Path
        The file to write.
    kind : str
        One of :data:`DAMAGES`.
    seed : int
        Of all that is left to chance.
    share : float
        How much of the file is cut off, or how many of its 512-byte sectors are zeroed.
    """
    chance = random.Random(seed)
    earlier = source if isinstance(source, Simulation) else None
    image = Image(source.path if isinstance(source, Simulation) else source)
    deleted = earlier.deleted if earlier else []
    live = earlier.live if earlier else truths_of(image.store)
    data, header = image.bytes, image.store.header
    if kind == "header":
        data[:564] = bytes(564)
    elif kind == "roots":
        for ref in (header.node_root, header.block_root):
            size = image.layout.page_size
            data[ref.offset : ref.offset + size] = chance.randbytes(size)
    elif kind == "truncated":
        del data[round(len(data) * (1 - share)) :]
    elif kind == "sectors":
        sectors = range(len(data) // 512)
        for sector in chance.sample(sectors, round(share * len(sectors))):
            data[sector * 512 : (sector + 1) * 512] = bytes(512)
    else:
        raise ValueError(kind)
    target.write_bytes(data)
    lost = lost_parts([*live, *deleted], image.before, bytes(data), image.layout)
    for nid, parts in (earlier.lost if earlier else {}).items():
        lost[nid] = lost.get(nid, frozenset()) | parts
    return Simulation(target, seed, kind, deleted, live, lost)
