"""Folders and the tables that list what lies in them, [MS-PST] 2.4.4."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Final

from mailforensics.mapi import Tag
from mailforensics.pst.faults import Damage, Fault
from mailforensics.pst.heap import Heap
from mailforensics.pst.items import Item
from mailforensics.pst.layout import NidType, SpecialNid
from mailforensics.pst.nodes import SubNodes
from mailforensics.pst.tables import TableContext
from mailforensics.pst.trees import Node

if TYPE_CHECKING:
    from mailforensics.pst.store import PstStore

__all__ = ["Folder", "table_of", "walk_folders"]

_UNREAD_COUNT: Final = 0x3603
_ASSOCIATED_COUNT: Final = 0x3617
_CONTAINER_CLASS: Final = 0x3613
_FOLDER_KINDS: Final = (NidType.FOLDER, NidType.SEARCH_FOLDER)
_DEEPEST: Final = 400
_LONGEST_NAME: Final = 1000


@dataclass(slots=True)
class Folder:
    """A folder of a store.

    Attributes
    ----------
    nid, parent
        Its node and the folder that it lies in.
    name
        Its display name; None when it has none or it cannot be read.
    path
        Names from the top down, its own last; the root folder has an empty path.
    declared, unread, associated
        How many items, unread items and hidden items it says it holds; None when it does not say.
    container_class
        What it is for, such as ``IPF.Contact``.
    attached
        Whether a way leads to it from the root folder.
    faults
        What is wrong with it.
    """

    nid: int
    parent: int
    name: str | None = None
    path: tuple[str, ...] = ()
    declared: int | None = None
    unread: int | None = None
    associated: int | None = None
    container_class: str | None = None
    attached: bool = True
    faults: list[Fault] = field(default_factory=list)

    @property
    def is_search(self) -> bool:
        """Whether it is a search folder, which only shows items that lie elsewhere."""
        return self.nid & 0x1F == NidType.SEARCH_FOLDER


def table_of(
    store: PstStore, folder: int, kind: NidType, faults: list[Fault]
) -> TableContext | None:
    """Return a table of a folder; None when it has none or it cannot be read.

    Parameters
    ----------
    store : PstStore
        The store.
    folder : int
        The folder's node.
    kind : NidType
        ``HIERARCHY_TABLE``, ``CONTENTS_TABLE``, ``ASSOCIATED_TABLE`` or
        ``SEARCH_CONTENTS_TABLE``.
    faults : list of Fault
        Takes what is wrong with it.
    """
    node = store.nodes.find(folder & ~0x1F | kind)
    if node is None:
        return None
    try:
        heap = Heap(store.reader.data_blocks(node.data_bid, faults), store.layout)
        below = SubNodes(store.reader, node.sub_bid, faults)
        return TableContext(heap, below, store.layout, faults)
    except Damage as damage:
        faults.append(
            Fault("table", f"A table of folder {folder:#x}: {damage}", damage.fault.offset)
        )
        return None


def walk_folders(store: PstStore) -> Iterator[Folder]:
    """Yield each folder once, parents before children, then those that no way leads to."""
    seen: set[int] = set()
    yield from _below(store, SpecialNid.ROOT_FOLDER, seen, attached=True)
    kinds = store.nodes.nid & 0x1F
    lost = store.nodes.nid[(kinds == NidType.FOLDER) | (kinds == NidType.SEARCH_FOLDER)].tolist()
    rest = {nid for nid in lost if nid not in seen}
    for top in [nid for nid in lost if nid in rest and _parent(store, nid) not in rest]:
        yield from _below(store, top, seen, attached=False)
    for nid in lost:
        yield from _below(store, nid, seen, attached=False)


def _parent(store: PstStore, nid: int) -> int:
    node = store.nodes.find(nid)
    return node.parent if node else 0


def _below(store: PstStore, top: int, seen: set[int], *, attached: bool) -> Iterator[Folder]:
    waiting: list[tuple[int, int, tuple[str, ...]]] = [(top, 0, ())]
    while waiting:
        nid, parent, above = waiting.pop()
        node = store.nodes.find(nid)
        if node is None or nid in seen:
            continue
        seen.add(nid)
        folder = _read(store, node, parent or node.parent, above)
        folder.attached = attached
        if nid == SpecialNid.ROOT_FOLDER:
            folder.path = ()
        yield folder
        path = folder.path if len(folder.path) < _DEEPEST else above
        waiting += [(child, nid, path) for child in reversed(_children(store, folder))]


def _children(store: PstStore, folder: Folder) -> list[int]:
    """Return the folders inside a folder: in the order of its table, then those it forgot."""
    table = table_of(store, folder.nid, NidType.HIERARCHY_TABLE, folder.faults)
    listed = [nid for nid in table.index if nid & 0x1F in _FOLDER_KINDS] if table else []
    there = store.folders_in(folder.nid)
    known = set(listed)
    return [*listed, *(nid for nid in there if nid not in known)]


def _read(store: PstStore, node: Node, parent: int, above: tuple[str, ...]) -> Folder:
    item = Item(store.reader, node, None, store.code_page)
    bag = item.properties
    name = bag.text(Tag.DISPLAY_NAME)
    if name and len(name) > _LONGEST_NAME:
        item.faults.append(Fault("folder", f"Its name has {len(name)} characters; it was cut."))
        name = name[:_LONGEST_NAME]
    return Folder(
        node.nid,
        parent,
        name,
        (*above, name or "?"),
        bag.integer(Tag.CONTENT_COUNT),
        bag.integer(_UNREAD_COUNT),
        bag.integer(_ASSOCIATED_COUNT),
        bag.text(_CONTAINER_CLASS),
        faults=item.faults,
    )
