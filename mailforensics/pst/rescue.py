"""Opening a store that is damaged: without its header, without pages of its trees, or cut off.

What the header and the trees still say is kept. A lost root is the newest page that no other page
names; gaps in a tree are filled by the newest pages that fit in them and that the allocation maps
do not call free. Blocks are found by a pass over the file wherever the trees do not tell them.
"""

from __future__ import annotations

import mmap
from collections.abc import Callable, Iterable
from dataclasses import replace
from pathlib import Path
from typing import Any, BinaryIO, Final

import numpy as np

from mailforensics.errors import CorruptContainer, EncryptedContainer
from mailforensics.pst.amap import Allocation, AllocationMaps
from mailforensics.pst.crypt import CryptMethod
from mailforensics.pst.faults import Fault
from mailforensics.pst.header import Header, PageRef, read_header
from mailforensics.pst.history import old_blocks
from mailforensics.pst.layout import LAYOUTS, Layout, PageType
from mailforensics.pst.messages import Message
from mailforensics.pst.pool import BlockPool
from mailforensics.pst.rebuild import fill_gaps, guess_crypt, guess_layout, newest_root
from mailforensics.pst.salvage import SalvagedMessage
from mailforensics.pst.scan import Records, Scan, scan
from mailforensics.pst.store import PstStore
from mailforensics.pst.torn import TornReader
from mailforensics.pst.trees import Walk, walk

__all__ = ["RescuedStore", "looks_like_store", "needs_rescue", "open_store", "rescue"]

_TREES: Final = (PageType.NODE_TREE, PageType.BLOCK_TREE)


class RescuedStore(PstStore):
    """A store whose trees were put together from what is left of them.

    Attributes
    ----------
    scan
        What a pass over the file found.
    whole
        Whether both trees are whole, so that what they do not list was deleted for sure.
    """

    def __init__(
        self,
        image: Any,
        header: Header,
        nodes: Walk,
        blocks: Walk,
        faults: Iterable[Fault],
        *,
        found: Scan,
        start: int = 0,
    ) -> None:
        super().__init__(image, header, nodes, blocks, faults, start=start)
        self.scan = found
        self.whole = nodes.whole and blocks.whole
        old = old_blocks(image, header.layout, found.pages, self.blocks, start)
        pool = BlockPool(self.blocks, found, old, header.layout, header.next_bid or None)
        self.reader = TornReader(image, header.layout, header.crypt, pool.locate, start)
        self._pool = pool

    def message(self, nid: int) -> Message | None:
        """Return an item, read as far as its bytes go; None when there is no such node."""
        node = self.nodes.find(nid)
        return None if node is None else SalvagedMessage(self.reader, node, None, self.code_page)


def needs_rescue(store: PstStore) -> bool:
    """Whether a store that could be opened has lost parts of its trees."""
    return not (store.node_walk.whole and store.block_walk.whole)


def rescue(
    image: Any,
    name: str = "The file",
    *,
    start: int = 0,
    progress: Callable[[int], None] | None = None,
) -> RescuedStore:
    """Open a damaged store.

    Parameters
    ----------
    image : bytes-like
        The file, or the image that the store lies in; slices of it must be ``bytes``.
    name : str
        How to call it in an error.
    start : int
        Where the store begins in it.
    progress : callable, optional
        Told how many more bytes were looked at, now and then.

    Raises
    ------
    CorruptContainer
        No page of its trees is left.
    EncryptedContainer
        Its blocks are encrypted by Windows; the key is not in the file.
    """
    header, faults = read_header(image, start)
    trusted = header is not None and header.crc_ok
    layout = header.layout if header is not None and trusted else guess_layout(image, start)
    if layout is None:
        raise CorruptContainer(f"{name} holds no index of an Outlook data file.")
    if header is not None and header.layout is not layout:
        header = None
    found = scan(image, layout, start=start, progress=progress)
    return _put_together(image, name, header or _blank(layout), found, faults, start=start)


def open_store(path: Path | str) -> PstStore:
    """Open a file as it is, or, when its header or its trees are damaged, put together again.

    Raises
    ------
    EvidenceUnreadable
        The file cannot be opened.
    CorruptContainer
        Nothing of a store is left in it.
    EncryptedContainer
        Its blocks are encrypted by Windows; the key is not in the file.
    """
    path = Path(path)
    try:
        store = PstStore.open(path)
    except CorruptContainer:
        if path.stat().st_size == 0:
            raise
        return _rescued(path)
    if not needs_rescue(store):
        return store
    return rescue(store.image, path.name)


def _rescued(path: Path) -> RescuedStore:
    with path.open("rb") as stream:
        image = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
    try:
        return rescue(image, path.name)
    except BaseException:
        image.close()
        raise


def looks_like_store(path: Path) -> bool:
    """Whether the first allocation map of a store is in its place, whatever the header says."""
    try:
        with path.open("rb") as stream:
            return any(_has_first_map(stream, layout) for layout in LAYOUTS)
    except OSError:
        return False


def _has_first_map(stream: BinaryIO, layout: Layout) -> bool:
    stream.seek(layout.amap_first)
    page = stream.read(layout.page_size)
    if len(page) < layout.page_size:
        return False
    trailer = np.frombuffer(page, layout.page, 1)[0]
    right = trailer["kind"] == trailer["kind_again"] == PageType.ALLOCATION_MAP
    return bool(right and trailer["bid"] == layout.amap_first)


def _blank(layout: Layout) -> Header:
    """Return a header that says nothing but the layout."""
    nowhere = PageRef(0, 0)
    return Header(layout, 0, "", CryptMethod.PERMUTE, nowhere, nowhere, 0, 0, 0, 0, 0, False)


def _put_together(
    image: Any, name: str, header: Header, found: Scan, faults: list[Fault], *, start: int
) -> RescuedStore:
    layout = header.layout
    if header.crc_ok and header.crypt == CryptMethod.WINDOWS_PROTECTED:
        raise EncryptedContainer(f"{name} is encrypted by Windows.")
    maps = AllocationMaps(image, layout, start)
    pages = found.pages[[_may_be_live(maps, layout, page) for page in found.pages]]
    named = dict(zip(_TREES, (header.node_root, header.block_root), strict=True))
    walks = {}
    for kind in _TREES:
        root: PageRef | None = named[kind]
        walked = walks[kind] = _walked(image, layout, root, kind, start)
        if not header.crc_ok and not walked.whole:
            root = newest_root(image, layout, found.pages, kind, start)
            walked = walks[kind] = _walked(image, layout, root, kind, start)
            walked.whole &= not fill_gaps(image, layout, pages, walked, kind=kind, start=start)[1]
        if not walked.whole:
            _fill(image, layout, pages, walked, kind=kind, start=start)
    nodes, blocks = walks[PageType.NODE_TREE], walks[PageType.BLOCK_TREE]
    if blocks.whole and not nodes.whole:
        nodes.leaves = _backed(nodes.leaves, blocks)
    if not len(nodes.leaves) and not len(found.blocks):
        raise CorruptContainer(f"{name} holds no index of an Outlook data file.")
    crypt = header.crypt if header.crc_ok else guess_crypt(image, found, start)
    header = replace(header, crypt=header.crypt if crypt is None else crypt)
    return RescuedStore(image, header, nodes, blocks, faults, found=found, start=start)


def _walked(image: Any, layout: Layout, root: PageRef | None, kind: PageType, start: int) -> Walk:
    """Walk from a root; a tree without any entry is not whole."""
    walked = walk(image, layout, root or PageRef(0, 0), kind, start)
    walked.whole &= bool(len(walked.leaves))
    return walked


def _backed(nodes: Records, blocks: Walk) -> Records:
    """Keep the nodes whose data the block tree lists: the others were deleted."""
    clear = np.uint64(0xFFFF_FFFF_FFFF_FFFE)
    listed = blocks.leaves["bid"].astype(np.uint64) & clear
    data = nodes["data"].astype(np.uint64) & clear
    kept: Records = nodes[(data == 0) | np.isin(data, listed)]
    return kept


def _may_be_live(maps: AllocationMaps, layout: Layout, page: np.void) -> bool:
    return maps.state(int(page["offset"]), layout.page_size) != Allocation.FREE


def _fill(
    image: Any, layout: Layout, pages: Records, walked: Walk, *, kind: PageType, start: int
) -> None:
    """Fill the gaps of a tree and say so."""
    walked.leaves, added = fill_gaps(image, layout, pages, walked, kind=kind, start=start)
    what = "items" if kind == PageType.NODE_TREE else "blocks"
    detail = f"The index of {what} is damaged; {added} of its older or detached pages were used."
    walked.faults.append(Fault("tree", detail))
