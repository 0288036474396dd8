"""A store: an Outlook data file, opened for reading."""

from __future__ import annotations

import mmap
from collections.abc import Iterable, Iterator
from dataclasses import replace
from functools import cached_property
from pathlib import Path
from types import TracebackType
from typing import Any, Final

import numpy as np

from mailforensics.errors import CorruptContainer, EncryptedContainer, EvidenceUnreadable
from mailforensics.mapi import NameKey, Tag
from mailforensics.pst.blocks import BlockReader, BlockRef, SubNode
from mailforensics.pst.crypt import CryptMethod
from mailforensics.pst.faults import Fault
from mailforensics.pst.folders import Folder, table_of, walk_folders
from mailforensics.pst.header import Header, read_header
from mailforensics.pst.items import Item
from mailforensics.pst.layout import Layout, NidType, PageType, SpecialNid
from mailforensics.pst.messages import Message
from mailforensics.pst.names import read_names
from mailforensics.pst.trees import BlockTable, Node, NodeTable, Walk, walk

__all__ = ["PstStore"]

_SAMPLE: Final = 50
_PASSWORD: Final = 0x67FF
_SUBTREE: Final = 0x35E0
_FOLDER_NIDS: Final = (NidType.FOLDER, NidType.SEARCH_FOLDER)


class PstStore:
    """An Outlook data file (PST, OST), opened for reading.

    Open one with :meth:`open`, best in a ``with`` statement. Nothing that its bytes say raises an
    error later: what cannot be read is told in ``faults``, here and on each item.

    Parameters
    ----------
    image : bytes-like
        The file, or the image that the store lies in.
    header : Header
        What its header says, or what recovery found instead.
    nodes, blocks : Walk
        What walking its two trees gave.
    faults : list of Fault
        What is wrong with the header.
    start : int
        Where the store begins in ``image``.

    Attributes
    ----------
    layout, header
        How it is laid out, and what its header says.
    nodes
        :class:`~mailforensics.pst.trees.NodeTable`, the node tree (NBT).
    blocks
        :class:`~mailforensics.pst.trees.BlockTable`, the block tree (BBT).
    node_walk, block_walk
        How walking the two trees went: pages, faults, whether they are whole.
    reader
        Reads blocks by their identifiers.
    faults
        What is wrong with the whole store.
    """

    def __init__(
        self,
        image: Any,
        header: Header,
        nodes: Walk,
        blocks: Walk,
        faults: Iterable[Fault] = (),
        *,
        start: int = 0,
    ) -> None:
        self.image = image
        self.start = start
        self.header = header
        self.layout: Layout = header.layout
        self.nodes = NodeTable(nodes.leaves)
        self.blocks = BlockTable(blocks.leaves)
        self.node_walk, self.block_walk = _emptied(nodes), _emptied(blocks)
        self.faults: list[Fault] = [*faults, *nodes.faults, *blocks.faults, *self._repeated()]
        self.reader = BlockReader(image, self.layout, header.crypt, self.blocks.find, start)
        self.reader.checks = self._trailers_are_known()

    def _repeated(self) -> Iterator[Fault]:
        for what, count in (("node", self.nodes.repeated), ("block", self.blocks.repeated)):
            if count:
                yield Fault("tree", f"The {what} index names {count} entries more than once.")

    def _trailers_are_known(self) -> bool:
        """Say whether blocks have the trailers that the layout says.

        Those of 4 KiB stores are in no specification: where not one of many agrees, the rule is
        another one, and the blocks are not damaged.
        """
        if not self.layout.packs_blocks or not len(self.blocks):
            return True
        rows = range(0, len(self.blocks), max(1, len(self.blocks) // _SAMPLE))
        if any(self.reader.verifies(self.blocks.row(at)) for at in rows):
            return True
        self.faults.append(Fault("block_checksum", "The checksums of this kind are not known."))
        return False

    @classmethod
    def open(cls, path: Path | str) -> PstStore:
        """Open a file.

        Raises
        ------
        EvidenceUnreadable
            The file cannot be opened.
        CorruptContainer
            It has no header that can be read, or neither of its indexes can be.
        EncryptedContainer
            Its blocks are encrypted by Windows; the key is not in the file.
        """
        path = Path(path)
        try:
            with path.open("rb") as stream:
                image = mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ)
        except OSError as error:
            raise EvidenceUnreadable(f"{path} cannot be read: {error.strerror or error}") from error
        except ValueError as error:
            raise CorruptContainer(f"{path.name} is empty.") from error
        try:
            return cls.from_image(image, path.name)
        except BaseException:
            image.close()
            raise

    @classmethod
    def from_image(cls, image: Any, name: str = "The file", *, start: int = 0) -> PstStore:
        """Read a store that lies in memory, or somewhere inside a larger image.

        Parameters
        ----------
        image : bytes-like
            Slices of it must be ``bytes``.
        name : str
            How to call it in an error.
        start : int
            Where the store begins in it.

        Raises
        ------
        CorruptContainer, EncryptedContainer
            As :meth:`open`.
        """
        header, faults = read_header(image, start)
        if header is None:
            raise CorruptContainer(
                f"{name} is damaged, or no Outlook data file: {faults[0].detail}"
            )
        if header.crypt == CryptMethod.WINDOWS_PROTECTED:
            raise EncryptedContainer(
                f"{name} is encrypted by Windows.",
                hint="It can be read on the computer and under the account that it comes from.",
            )
        nodes = walk(image, header.layout, header.node_root, PageType.NODE_TREE, start)
        blocks = walk(image, header.layout, header.block_root, PageType.BLOCK_TREE, start)
        if not len(nodes.leaves) or not len(blocks.leaves):
            raise CorruptContainer(
                f"{name} is damaged: its lists of items and of blocks cannot be read.",
                hint="Its mail can still be looked for with the reader 'carve'.",
            )
        return cls(image, header, nodes, blocks, faults, start=start)

    def close(self) -> None:
        """Close the file."""
        if isinstance(self.image, mmap.mmap):
            self.image.close()

    def __enter__(self) -> PstStore:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        self.close()

    def __repr__(self) -> str:
        return f"<PstStore {self.layout.name}, {len(self.nodes)} nodes, {len(self.blocks)} blocks>"

    # --- blocks ---------------------------------------------------------------------------------

    def block(self, bid: int) -> BlockRef | None:
        """Return where a block is."""
        return self.blocks.find(bid)

    def read_block(self, bid: int, faults: list[Fault] | None = None) -> bytes:
        """Return the decoded bytes of a block.

        Raises
        ------
        Damage
            It cannot be read.
        """
        return self.reader.read(bid, [] if faults is None else faults)

    def data(self, bid: int, faults: list[Fault] | None = None) -> bytes:
        """Return the joined data of a data tree.

        Raises
        ------
        Damage
            A part of it cannot be read.
        """
        return self.reader.data(bid, [] if faults is None else faults)

    def subnodes(self, bid: int, faults: list[Fault] | None = None) -> dict[int, SubNode]:
        """Return the sub-nodes that a block lists.

        Raises
        ------
        Damage
            It cannot be read.
        """
        return self.reader.subnodes(bid, [] if faults is None else faults)

    # --- the store itself -----------------------------------------------------------------------

    def item(self, nid: int) -> Item | None:
        """Return a node as an object with properties; None when there is no such node."""
        node = self.nodes.find(nid)
        return None if node is None else Item(self.reader, node)

    @cached_property
    def root(self) -> Item:
        """The properties of the store itself, [MS-PST] 2.4.3."""
        node = self.nodes.find(SpecialNid.MESSAGE_STORE) or Node(SpecialNid.MESSAGE_STORE, 0, 0, 0)
        return Item(self.reader, node)

    @cached_property
    def name(self) -> str | None:
        """The display name of the store."""
        return self.root.properties.text(Tag.DISPLAY_NAME)

    @cached_property
    def code_page(self) -> int | None:
        """The code page of 8-bit strings that the store names."""
        return self.root.properties.text_code_page()

    @cached_property
    def names(self) -> dict[int, NameKey]:
        """What the identifiers of properties from 0x8000 up stand for."""
        item = self.item(SpecialNid.NAME_TO_ID_MAP)
        return {} if item is None else read_names(item)

    @cached_property
    def subtree(self) -> int | None:
        """The folder that holds what a user sees."""
        return self._entry(_SUBTREE)

    @cached_property
    def wastebasket(self) -> int | None:
        """The folder for deleted items, whatever its name."""
        return self._entry(Tag.IPM_WASTEBASKET_ENTRY_ID)

    def _entry(self, tag: int) -> int | None:
        """Return the node that an entry identifier names, [MS-PST] 2.4.3.2."""
        data = self.root.properties.binary(tag)
        return int.from_bytes(data[20:24], "little") if data and len(data) == 24 else None

    @property
    def has_password(self) -> bool:
        """Whether Outlook asks for a password. It is only a checksum and protects nothing."""
        return bool(self.root.properties.integer(_PASSWORD))

    # --- folders and items ----------------------------------------------------------------------

    def folders(self) -> Iterator[Folder]:
        """Yield each folder once, parents before children."""
        return walk_folders(self)

    def folders_in(self, nid: int) -> list[int]:
        """Return the folders whose nodes say that they lie in a folder."""
        return self._by_parent.get(nid, [])

    @cached_property
    def _by_parent(self) -> dict[int, list[int]]:
        found: dict[int, list[int]] = {}
        for kind in _FOLDER_NIDS:
            for nid in self.nodes.of_type(kind).tolist():
                node = self.nodes.find(nid)
                if node is not None and node.parent != nid:
                    found.setdefault(node.parent, []).append(nid)
        return found

    def listed(self, folder: Folder) -> list[int] | None:
        """Return the items that a folder's table lists, in order; None when it is unreadable."""
        kind = NidType.SEARCH_CONTENTS_TABLE if folder.is_search else NidType.CONTENTS_TABLE
        table = table_of(self, folder.nid, kind, folder.faults)
        return None if table is None else list(table.index)

    def associated(self, folder: Folder) -> list[int]:
        """Return the hidden items of a folder (views, rules, settings), in order."""
        table = table_of(self, folder.nid, NidType.ASSOCIATED_TABLE, folder.faults)
        return [] if table is None else list(table.index)

    def message(self, nid: int) -> Message | None:
        """Return an item; None when there is no such node."""
        node = self.nodes.find(nid)
        return None if node is None else Message(self.reader, node, None, self.code_page)

    def messages(self, folder: Folder) -> Iterator[Message]:
        """Yield the items that a folder's table lists, in order.

        Where the table cannot be read they are those whose nodes say that they lie there. Items
        that no table lists are those of :meth:`unlisted`.
        """
        listed = self.listed(folder)
        if listed is None:
            listed = self.items_in(folder.nid)
        for nid in listed:
            found = self.message(nid)
            if found is None:
                folder.faults.append(Fault("folder", f"The listed item {nid:#x} is missing."))
            else:
                yield found

    def items_in(self, folder: int) -> list[int]:
        """Return the items whose nodes say that they lie in a folder, sorted."""
        return self.nodes.children(folder, NidType.MESSAGE)

    def items_beside(self, known: set[int]) -> list[int]:
        """Return the items that are not among known ones, sorted."""
        return [nid for nid in self.nodes.of_type(NidType.MESSAGE).tolist() if nid not in known]

    def unlisted(self) -> list[int]:
        """Return the items that no folder's table lists, sorted.

        Items of a folder whose table cannot be read count as listed.
        """
        known: set[int] = set()
        for folder in self.folders():
            if not folder.is_search:
                listed = self.listed(folder)
                known.update(self.items_in(folder.nid) if listed is None else listed)
        return self.items_beside(known)


def _emptied(found: Walk) -> Walk:
    """Return what is left to tell of a walk once its entries are in a table."""
    return replace(found, leaves=np.empty(0, found.leaves.dtype))
