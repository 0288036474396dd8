"""Deleted messages of a store: whatever of them is left, with what shows it.

In this order: what old pages of the node tree list, what no folder lists, property contexts that
nothing leads to, attachments whose message is lost, and rows of tables that name a message whose
bytes are gone.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from dataclasses import replace
from functools import cached_property

import numpy as np

from mailforensics.mapi import Tag
from mailforensics.pst.amap import Allocation, AllocationMaps
from mailforensics.pst.blocks import BlockRef
from mailforensics.pst.grading import Assessment, Grade, Part, assess
from mailforensics.pst.history import node_versions, old_blocks
from mailforensics.pst.layout import NidType
from mailforensics.pst.likeness import (
    Likeness,
    Likenesses,
    attachment_likeness,
    bare_likeness,
    likeness_of,
    outer_nid,
    with_inner,
)
from mailforensics.pst.matching import Proof
from mailforensics.pst.messages import Message
from mailforensics.pst.orphans import Orphans, find_orphans, is_message, orphan_message
from mailforensics.pst.pairing import Pairing
from mailforensics.pst.places import FolderPlaces
from mailforensics.pst.pool import BlockPool, Standing, known_blocks
from mailforensics.pst.recovered import Origin, Recovered, Relation
from mailforensics.pst.rescue import RescuedStore, needs_rescue
from mailforensics.pst.salvage import SalvagedMessage
from mailforensics.pst.scan import Scan, scan
from mailforensics.pst.store import PstStore
from mailforensics.pst.torn import TornReader
from mailforensics.pst.traces import Trace, stale_rows
from mailforensics.pst.trees import Node

__all__ = ["Recovery", "recover"]


def recover(
    store: PstStore, *, progress: Callable[[int], None] | None = None
) -> Iterator[Recovered]:
    """Yield what can be recovered from a store.

    The order is the same on every machine; one message is in memory at a time.

    Parameters
    ----------
    store : PstStore
        The open store.
    progress : callable, optional
        Told how many more bytes were looked at, now and then.
    """
    yield from Recovery(store, progress=progress).items()


class Recovery:
    """Everything about a store that recovery needs, gathered when it is asked for.

    Parameters
    ----------
    store : PstStore
        The open store.
    found : Scan, optional
        What a pass over it found, when one was made already.
    progress : callable, optional
        Told how many more bytes were looked at, now and then.

    Attributes
    ----------
    store
        As given.
    scan
        What a pass over the file found.
    pool, reader
        All blocks, live and left over, and who reads them.
    maps
        The allocation maps.
    versions
        What old pages of the node tree say of nodes and the live tree does not.
    gone
        Nodes of messages that old pages list and of which no byte is left; filled by
        :meth:`items`.
    """

    def __init__(
        self,
        store: PstStore,
        found: Scan | None = None,
        *,
        progress: Callable[[int], None] | None = None,
    ) -> None:
        self.store = store
        image, layout, start = store.image, store.layout, store.start
        if found is None and isinstance(store, RescuedStore):
            found = store.scan
        if found is None:
            known = known_blocks(store.blocks)
            found = scan(image, layout, start=start, known=known, progress=progress)
        self.scan = found
        old = old_blocks(image, layout, found.pages, store.blocks, start)
        ceiling = store.header.next_bid if store.header.crc_ok else None
        self.pool = BlockPool(store.blocks, found, old, layout, ceiling)
        self.reader = TornReader(image, layout, store.header.crypt, self.pool.locate, start)
        self.maps = AllocationMaps(image, layout, start)
        self.versions = node_versions(image, layout, found.pages, store.nodes, start)
        self.gone: list[int] = []
        self._seen: dict[int, int] = {}

    def items(self, *, unlisted: bool = True) -> Iterator[Recovered]:
        """Yield what can be recovered, each message once.

        Parameters
        ----------
        unlisted : bool
            Also yield the live nodes that no folder lists; a reader may have them already.
        """
        self.gone, self._seen = [], {}
        yield from self._old_nodes()
        if unlisted:
            yield from self._unlisted()
        yield from self._orphans()
        yield from self._strays()
        yield from self._rows()

    @cached_property
    def places(self) -> FolderPlaces:
        """Folders as they are and as they were."""
        return FolderPlaces(self.reader, self.store.nodes, self.versions, self.store.subtree)

    # --- what old pages list --------------------------------------------------------------------

    def _old_nodes(self) -> Iterator[Recovered]:
        kinds = self.versions["nid"] & 0x1F
        wanted = (kinds == NidType.MESSAGE) | (kinds == NidType.ASSOCIATED_MESSAGE)
        rows = self.versions[wanted]
        for nid in np.unique(rows["nid"]).tolist():
            first, last = np.searchsorted(rows["nid"], [nid, nid + 1]).tolist()
            yield from self._node(rows[first:last].tolist())

    def _node(self, rows: list[tuple[int, ...]]) -> Iterator[Recovered]:
        """Yield the states of one node, the newest first; each content once."""
        nid = rows[0][0]
        best: dict[Likeness | None, Recovered] = {}
        for found in filter(None, map(self._state, rows)):
            before = best.get(found.likeness)
            if before is not None and _rank(before) <= _rank(found):
                before.copies += 1
                continue
            if before is not None:
                found.copies = before.copies + 1
            best[found.likeness] = found
        if not best and nid not in self.store.nodes:
            self.gone.append(nid)
        yield from self._settled(nid, list(best.values()))

    def _state(self, row: tuple[int, ...]) -> Recovered | None:
        nid, data_bid, sub_bid, parent, page_bid, page_offset = row
        self.pool.trace.clear()
        node = Node(nid, data_bid, sub_bid, parent)
        message = SalvagedMessage(self.reader, node, None, self.store.code_page)
        if not message.readable and not any(each.readable for each in message.attachments):
            return None
        found = self._recovered(Origin.OLD_NODE, message, assess(message))
        found.page_bid, found.page_offset = page_bid, page_offset
        found.place = self.places.place(parent) if parent else None
        return found

    def _settled(self, nid: int, states: list[Recovered]) -> Iterator[Recovered]:
        """Say of each state what it is to live messages and to newer states."""
        listed = nid in self.store.nodes
        for number, found in enumerate(states):
            if listed or number:
                found.relation, found.version_of = Relation.EARLIER_VERSION, nid
            self._compare(found, nid, besides=nid)
            yield found

    # --- what no folder lists -------------------------------------------------------------------

    def _unlisted(self) -> Iterator[Recovered]:
        for nid in self.store.unlisted():
            node = self.store.nodes.find(nid)
            if node is None:
                continue
            self.pool.trace.clear()
            message = Message(self.reader, node, None, self.store.code_page)
            found = self._recovered(Origin.UNLISTED_NODE, message, assess(message))
            found.place = self.places.place(node.parent) if node.parent else None
            self._compare(found, nid, besides=nid)
            yield found

    # --- what nothing leads to ------------------------------------------------------------------

    @cached_property
    def orphans(self) -> Orphans:
        """Heads of things that neither the live index nor an old page names."""
        claimed = np.concatenate([self.versions["data"], self.versions["sub"]]).tolist()
        return find_orphans(self.reader, self.pool, self.store.nodes, claimed)

    @cached_property
    def proofs(self) -> dict[int, Proof]:
        """Data block of an orphan message -> the list of sub-nodes that is proven to be its."""
        return Pairing(self.store, self.reader, self.versions, self.orphans).proofs()

    def _orphans(self) -> Iterator[Recovered]:
        for data_bid in self.orphans.contexts:
            proof = self.proofs.get(data_bid)
            self.pool.trace.clear()
            page = self.store.code_page
            message = orphan_message(self.reader, data_bid, proof.tree_bid if proof else 0, page)
            if not is_message(message):
                continue
            found = self._recovered(
                Origin.ORPHAN, message, assess(message, tree_unknown=proof is None)
            )
            if proof is not None:
                found.reasons = (*found.reasons, proof.reason)
            self._compare(found, -data_bid)
            yield found

    # --- attachments whose message is lost ------------------------------------------------------

    def _strays(self) -> Iterator[Recovered]:
        given = {proof.tree_bid for proof in self.proofs.values()}
        for bid in self.orphans.trees:
            if bid in given:
                continue
            self.pool.trace.clear()
            message = Message(self.reader, Node(0, 0, bid, 0), None, self.store.code_page)
            readable = [each for each in message.attachments if each.readable]
            if not readable:
                continue
            found = self._recovered(Origin.STRAY_ATTACHMENTS, message, assess(message))
            digests = [attachment_likeness(each) for each in readable]
            owners = [self._owner(digest) for digest in digests]
            if None not in owners:
                found.relation, found.version_of = Relation.COPY, owners[0]
            yield found

    def _owner(self, digest: int) -> int | None:
        """Return the message that has an attachment, live or recovered already."""
        live = self._live_attachments.find(digest)
        return self._seen.get(digest) if live is None else live

    # --- rows of tables -------------------------------------------------------------------------

    def _rows(self) -> Iterator[Recovered]:
        nodes = self.store.nodes
        old = self.versions
        known = {int(nid) for nid in old["nid"]} - set(self.gone)
        for trace in stale_rows(self.store, self.reader, old, self.orphans.tables):
            if trace.row_id in nodes or trace.row_id in known:
                continue
            yield self._known_by(trace)

    def _known_by(self, trace: Trace) -> Recovered:
        """Return what a row tells, and whether a message like it is there after all."""
        found = Recovered(
            Origin.STALE_ROW,
            Grade.METADATA_ONLY,
            nid=trace.row_id,
            row=trace.row,
            table_bid=trace.table_bid,
            place=self.places.place(trace.folder) if trace.folder else None,
            missing=(Part.PROPERTIES,),
        )
        digest = bare_likeness(trace.subject, trace.row.ticks(Tag.CLIENT_SUBMIT_TIME))
        twin = None if digest is None else self._live.find(digest) or self._seen.get(digest)
        if twin is not None:
            found.relation, found.version_of = Relation.COPY, twin
        elif needs_rescue(self.store):
            found.relation = Relation.UNDECIDED
        return found

    # --- one of them again ----------------------------------------------------------------------

    def message(self, ref: str) -> Message | None:
        """Return a recovered message by :attr:`~mailforensics.pst.recovered.Recovered.ref`."""
        node = self._node_of(ref)
        if node is None:
            return None
        message = SalvagedMessage(self.reader, node, None, self.store.code_page)
        return message if message.readable or message.attachments else None

    def _node_of(self, ref: str) -> Node | None:
        numbers = [int(number, 16) for number in re.findall(r"0x([0-9a-f]{1,16})", ref)]
        kind = ref.partition(":")[0]
        if kind == "block" and numbers:
            return Node(0, numbers[0], numbers[1] if len(numbers) > 1 else 0, 0)
        if kind == "attachments" and numbers:
            return Node(0, 0, numbers[0], 0)
        if kind == "nid" and "@page:" in ref and len(numbers) == 2:
            old = self.versions
            at = np.flatnonzero((old["nid"] == numbers[0]) & (old["page_bid"] == numbers[1]))
            rows = old[["nid", "data", "sub", "parent"]][at].tolist()
            return Node(*rows[0]) if rows else None
        return None

    # --- evidence -------------------------------------------------------------------------------

    def _recovered(self, origin: Origin, message: Message, verdict: Assessment) -> Recovered:
        refs = sorted(set(self.pool.trace), key=lambda ref: (ref.offset, ref.bid))
        if any(self.pool.standing(ref) == Standing.AMBIGUOUS for ref in refs):
            reason = "The file holds two blocks with the same number and different bytes."
            missing = verdict.missing or (Part.SURE_BYTES,)
            verdict = replace(
                verdict,
                grade=Grade.PARTIAL,
                missing=missing,
                reasons=(*verdict.reasons, reason),
            )
        allocation = self._allocation(refs)
        undecided = needs_rescue(self.store) and allocation is not Allocation.FREE
        return Recovered(
            origin,
            verdict.grade,
            Relation.UNDECIDED if undecided else Relation.DELETED,
            nid=message.nid,
            message=message,
            missing=verdict.missing,
            reasons=verdict.reasons,
            blocks=tuple((ref.offset, ref.stored) for ref in refs),
            allocation=allocation,
            likeness=likeness_of(message) if message.readable else None,
        )

    def _allocation(self, refs: list[BlockRef]) -> Allocation:
        states = {self.maps.state(ref.offset, self.store.layout.span(ref.stored)) for ref in refs}
        if len(states) == 1:
            return states.pop()
        return Allocation.MIXED if states else Allocation.UNKNOWN

    # --- what it is like ------------------------------------------------------------------------

    def _compare(self, found: Recovered, name: int, besides: int | None = None) -> None:
        """Say whether it is like something live or recovered already; remember it if not."""
        likeness, message = found.likeness, found.message
        if likeness is None or message is None:
            return
        twin = self._twin(likeness, besides)
        if twin is not None:
            found.relation, found.version_of = Relation.COPY, twin
            return
        kin = next(filter(None, map(self._live.find, likeness.kin)), None)
        if kin is not None and kin != besides:
            found.relation, found.version_of = Relation.EARLIER_VERSION, kin
        for digest in (*likeness.all, *map(attachment_likeness, message.attachments)):
            self._seen.setdefault(digest, name)

    def _twin(self, likeness: Likeness, besides: int | None) -> int | None:
        """Return a message that is the same: live, else recovered already."""
        for find in (self._live.find, self._seen.get):
            for digest in likeness.strongest:
                twin = find(digest)
                if twin is not None and twin != besides:
                    return twin
        return None

    @cached_property
    def _live(self) -> Likenesses:
        """What live messages are like."""
        return Likenesses(
            (digest, outer_nid(message))
            for message in self._live_messages()
            for digest in likeness_of(message).all
        )

    @cached_property
    def _live_attachments(self) -> Likenesses:
        """What attachments of live messages are like."""
        return Likenesses(
            (attachment_likeness(attachment), outer_nid(message))
            for message in self._live_messages()
            for attachment in message.attachments
        )

    def _live_messages(self) -> Iterator[Message]:
        """Yield the live messages, and the messages inside them, with the node of the outer one."""
        for nid in self.store.nodes.of_type(NidType.MESSAGE).tolist():
            message = self.store.message(nid)
            if message is not None and message.readable:
                yield from with_inner(message)


def _rank(found: Recovered) -> int:
    """Return a number that is smaller when more is there."""
    return list(Grade).index(found.grade) * 100 + len(found.missing)
