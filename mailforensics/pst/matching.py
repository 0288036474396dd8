"""Which orphan list of sub-nodes belongs to which orphan message.

A message that no index lists any more has lost the link to its recipients and attachments. A list
is given to it only when all of this holds, because a message shown with the recipients or the
attachments of another is the worst that recovery can do:

* the list holds every sub-node that the message's properties name;
* the names in its recipients table are those that the message itself shows, To and Cc apart;
* nothing else has a claim to it: each list is given once, and only to the message that is nearest
  to it by block number, while it is also the list nearest to that message.

Where numbers of sub-nodes do not prove the link, the distance must also be one that the file's own
live messages have, and the list must have attachments exactly when the message says so, of no more
bytes than the message claims. Numbers prove it only in files whose lists hardly share any.
"""

from __future__ import annotations

import hashlib
from bisect import bisect_left
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from enum import StrEnum
from typing import Final, NamedTuple

from mailforensics.mapi import Tag
from mailforensics.pst.blocks import BlockReader, SubNode
from mailforensics.pst.faults import Damage
from mailforensics.pst.layout import NidType, SpecialNid
from mailforensics.pst.messages import Message
from mailforensics.pst.trees import Node

__all__ = [
    "Candidate",
    "Ground",
    "Habits",
    "OrphanTree",
    "Proof",
    "candidate_of",
    "fits",
    "match",
    "tree_of",
]

_MESSAGE_SIZE: Final = 0x0E08
_HAS_ATTACHMENT: Final = 0x10
_SHOWN: Final = (Tag.DISPLAY_TO, Tag.DISPLAY_CC, Tag.DISPLAY_BCC)
_SLACK: Final = 4096
_NARROW: Final = 256
_FEW: Final = 8
_DIFFERENT: Final = 0.4
_USUAL_REACH: Final = 64
_RIVALS: Final = 64

People = tuple[int | None, ...]


@dataclass(frozen=True, slots=True)
class Candidate:
    """An orphan message that looks for its sub-nodes.

    Attributes
    ----------
    data_bid
        The root of its data.
    people
        Digests of the names that it shows as To, Cc and Bcc; None where it says nothing of a kind.
    external
        The sub-nodes that its properties name.
    has_attachments
        Whether it says that it has attachments.
    size
        Bytes that it says it has, attachments included; None when it does not say.
    """

    data_bid: int
    people: People
    external: frozenset[int]
    has_attachments: bool
    size: int | None


@dataclass(frozen=True, slots=True)
class OrphanTree:
    """A list of sub-nodes that no node claims.

    Attributes
    ----------
    bid
        Its block.
    people
        Digests of the names in its recipients table; None when that cannot be read.
    nodes
        The sub-nodes that it lists.
    attachment_bytes
        Bytes of its attachments as their blocks tell; 0 when it has none.
    """

    bid: int
    people: People | None
    nodes: frozenset[int]
    attachment_bytes: int

    @property
    def numbers(self) -> list[int]:
        """The sub-nodes that hold values of properties."""
        return [nid for nid in self.nodes if nid & 0x1F == NidType.LTP]

    @property
    def has_attachments(self) -> bool:
        """Whether it lists attachments."""
        return any(nid & 0x1F == NidType.ATTACHMENT for nid in self.nodes)


@dataclass(frozen=True, slots=True)
class Proof:
    """A list that was given to a message.

    Attributes
    ----------
    tree_bid
        The block of the list.
    reason
        Why, a :class:`Ground`.
    """

    tree_bid: int
    reason: str


@dataclass(frozen=True, slots=True)
class Habits:
    """What the live messages of a file have in common.

    Attributes
    ----------
    nearest, farthest
        The least and the greatest distance, in block numbers, from the data of a message to the
        list of its sub-nodes, but for the outermost twentieth on each side.
    sizes_hold
        Whether no message claims fewer bytes than its attachments have.
    numbers
        The sub-nodes that hold values of their properties, repeated as often as they occur.
    """

    nearest: int = -_USUAL_REACH
    farthest: int = _USUAL_REACH
    sizes_hold: bool = False
    numbers: tuple[int, ...] = ()

    @classmethod
    def of(cls, seen: Sequence[tuple[Candidate, OrphanTree]]) -> Habits:
        """Learn from live messages; from a few, nothing but the usual is concluded."""
        numbers = tuple(nid for _, tree in seen for nid in tree.numbers)
        if len(seen) < _FEW:
            return cls(numbers=numbers)
        ordered = sorted(tree.bid - message.data_bid for message, tree in seen)
        cut = len(ordered) // 20
        claims = ((message.size, tree.attachment_bytes) for message, tree in seen)
        sizes_hold = all(size is None or held <= size + _SLACK for size, held in claims)
        return cls(ordered[cut], ordered[-1 - cut], sizes_hold, numbers)

    def allow(self, distance: int) -> bool:
        """Whether a distance is one that live messages have."""
        return self.nearest <= distance <= self.farthest

    @property
    def narrow(self) -> bool:
        """Whether the distances of live messages hardly differ."""
        return self.farthest - self.nearest <= _NARROW


def _digest(names: str) -> int:
    """Return a digest of names; quotes, spaces and what separates them do not count."""
    bare = "".join(names.split()).replace("'", "").replace(";", "").replace("\0", "")
    joined = hashlib.blake2b(bare.encode("utf-8", "surrogatepass"), digest_size=7)
    return int.from_bytes(joined.digest(), "little")


_NOBODY: Final = _digest("")


def candidate_of(message: Message) -> Candidate:
    """Return what an orphan message says of its sub-nodes."""
    bag = message.properties
    return Candidate(
        message.node.data_bid,
        tuple(_digest(bag.text(tag) or "") if tag in bag.records else None for tag in _SHOWN),
        frozenset(bag.external()),
        bool(message.flags & _HAS_ATTACHMENT),
        bag.integer(_MESSAGE_SIZE),
    )


def tree_of(reader: BlockReader, bid: int) -> OrphanTree | None:
    """Read a list of sub-nodes; None when it cannot be read or is empty."""
    try:
        entries = reader.subnodes(bid, [])
    except Damage:
        return None
    if not entries:
        return None
    holder = Message(reader, Node(0, 0, bid, 0), None, None, entries)
    return OrphanTree(bid, _listed_people(holder), frozenset(entries), _bytes(reader, entries))


def _listed_people(holder: Message) -> People | None:
    """Return the digests of a recipients table; of none, those of nobody."""
    if SpecialNid.RECIPIENT_TABLE not in holder.subnodes.entries:
        return (_NOBODY,) * len(_SHOWN)
    holder.faults.clear()
    named = [(row.kind, row.name or "") for row in holder.recipients]
    if holder.faults or any(kind is None for kind, _ in named):
        return None
    kinds = range(1, len(_SHOWN) + 1)
    return tuple(_digest("".join(name for each, name in named if each == kind)) for kind in kinds)


def _bytes(reader: BlockReader, entries: dict[int, SubNode]) -> int:
    """Add up what the attachments hold, as far as blocks can be located; nothing is read twice."""
    total = 0
    for nid, entry in entries.items():
        if nid & 0x1F != NidType.ATTACHMENT:
            continue
        try:
            below = reader.subnodes(entry.sub_bid, [])
        except Damage:
            below = {}
        for bid in (entry.data_bid, *(child.data_bid for child in below.values())):
            total += _stored(reader, bid)
    return total


def _stored(reader: BlockReader, bid: int) -> int:
    try:
        bids = reader.data_tree(bid, []) if bid & 2 else [bid]
    except Damage:
        return 0
    return sum(place.inflated for place in map(reader.locate, bids) if place is not None)


def fits(candidate: Candidate, tree: OrphanTree, habits: Habits) -> bool:
    """Whether nothing speaks against a list being that of a message."""
    if tree.people is None or not candidate.external <= tree.nodes:
        return False
    if candidate.has_attachments != tree.has_attachments:
        return False
    if not _agree(candidate.people, tree.people):
        return False
    claims = candidate.size if habits.sizes_hold else None
    return claims is None or tree.attachment_bytes <= claims + _SLACK


def _agree(shown: People, listed: People) -> bool:
    """Whether names agree; who is Bcc counts only where the message shows it."""
    pairs = list(zip(shown, listed, strict=True))
    open_ones, hidden = pairs[:-1], pairs[-1]
    if any(names is not None and names != others for names, others in open_ones):
        return False
    return hidden[0] in {None, _NOBODY, hidden[1]}


class _Trees:
    """Orphan lists by what they name."""

    def __init__(self, trees: Sequence[OrphanTree]) -> None:
        self.trees = sorted(trees, key=lambda tree: tree.bid)
        self.by_node: dict[int, list[int]] = {}
        self.by_people: dict[int | None, list[int]] = {}
        for at, tree in enumerate(self.trees):
            for nid in tree.nodes:
                self.by_node.setdefault(nid, []).append(at)
            if tree.people is not None:
                self.by_people.setdefault(tree.people[0], []).append(at)

    def numbers_tell(self, habits: Habits) -> bool:
        """Whether numbers of values are so rarely the same that they prove a link.

        Outlook counts on through the whole file, so that only states of one message share them;
        other writers begin anew in each message.
        """
        numbers = [*habits.numbers, *(nid for tree in self.trees for nid in tree.numbers)]
        different = len(set(numbers))
        return different >= _FEW and different >= _DIFFERENT * len(numbers)

    def holding(self, external: frozenset[int]) -> list[OrphanTree]:
        """Return the lists that hold all of some sub-nodes, unless many hold one of them."""
        rarest = min((self.by_node.get(nid, []) for nid in external), key=len)
        if len(rarest) > _RIVALS:
            return []
        return [self.trees[at] for at in rarest if external <= self.trees[at].nodes]

    def near(self, candidate: Candidate) -> list[OrphanTree]:
        """Return the nearest lists with the same people in To."""
        places = self.by_people.get(candidate.people[0], [])
        middle = bisect_left(places, candidate.data_bid, key=lambda at: self.trees[at].bid)
        return [self.trees[at] for at in places[max(0, middle - _RIVALS) : middle + _RIVALS]]


def match(
    candidates: Iterable[Candidate], trees: Sequence[OrphanTree], habits: Habits
) -> dict[int, Proof]:
    """Give orphan lists to orphan messages.

    Parameters
    ----------
    candidates : iterable of Candidate
        The messages.
    trees : sequence of OrphanTree
        The lists that nothing claims.
    habits : Habits
        What the live messages of the file have in common.

    Returns
    -------
    dict
        Data block of a message -> :class:`Proof`. Messages that nothing proves are left out.
    """
    known = _Trees(trees)
    telling = known.numbers_tell(habits)
    pairs = [pair for each in candidates for pair in _pairs(each, known, habits, telling)]
    found: dict[int, Proof] = {}
    pairs.sort(key=_order)
    while chosen := _round(pairs):
        found |= {pair.data_bid: Proof(pair.tree_bid, pair.ground) for pair in chosen}
        given = {proof.tree_bid for proof in found.values()}
        pairs = [p for p in pairs if p.data_bid not in found and p.tree_bid not in given]
    return found


def _round(pairs: Sequence[_Pair]) -> list[_Pair]:
    """Choose the best pairs, each message and list once; where two are equally near, neither.

    What is given away may decide between the two, so that the next round can choose.
    """
    tied = _ties(pairs)
    messages: set[int] = set()
    lists: set[int] = set()
    chosen = []
    for pair in pairs:
        if pair.data_bid in messages or pair.tree_bid in lists:
            continue
        if pair.ground is Ground.NODES or (pair.distance, pair.data_bid) not in tied:
            chosen.append(pair)
        messages.add(pair.data_bid)
        lists.add(pair.tree_bid)
    return chosen


class Ground(StrEnum):
    """Why a list was given, in a sentence."""

    NODES = "Its recipients agree, and no other list holds the parts that it names."
    NEAREST = "Its recipients agree, and no other list lies nearer."
    KIN = "Its recipients agree, and the list belongs to an older state of the same message."


class _Pair(NamedTuple):
    ground: Ground
    distance: int
    data_bid: int
    tree_bid: int


def _order(pair: _Pair) -> tuple[bool, int, int, int]:
    """Order what numbers of sub-nodes prove first, then by distance."""
    return (pair.ground is not Ground.NODES, pair.distance, pair.data_bid, pair.tree_bid)


def _pairs(candidate: Candidate, known: _Trees, habits: Habits, telling: bool) -> Iterator[_Pair]:
    """Yield each list that fits a message, with the ground on which it may be given."""
    if candidate.people[0] is None and not candidate.external:
        return
    holding = known.holding(candidate.external) if telling and candidate.external else []
    proven = len(holding) == 1
    for tree in holding or known.near(candidate):
        if not fits(candidate, tree, habits):
            continue
        distance = tree.bid - candidate.data_bid
        likely = habits.allow(distance) and (
            habits.narrow or habits.sizes_hold or not tree.has_attachments
        )
        if proven or likely:
            ground = Ground.NODES if proven else Ground.NEAREST
            yield _Pair(ground, abs(distance), candidate.data_bid, tree.bid)


def _ties(pairs: Sequence[_Pair]) -> set[tuple[int, int]]:
    """Return messages with two lists at the same distance."""
    seen = Counter((pair.distance, pair.data_bid) for pair in pairs)
    return {key for key, count in seen.items() if count > 1}
