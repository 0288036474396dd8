"""Folders and their three tables, [MS-PST] 2.4.4."""

from __future__ import annotations

import struct
from collections.abc import Mapping
from dataclasses import dataclass, field
from types import MappingProxyType
from typing import Final

from mailforensics.mapi import Property, PropertyType, Tag
from mailforensics.pst.layout import Layout, NidType
from mailforensics.pst.writer.blocks import BlockWriter, NodeRef
from mailforensics.pst.writer.columns import ASSOCIATED, CONTENTS, HIERARCHY, TEMPLATES
from mailforensics.pst.writer.heap import LARGEST_ITEM
from mailforensics.pst.writer.properties import boolean, integer, string, write_properties
from mailforensics.pst.writer.tables import Column, TableWriter
from mailforensics.pst.writer.trees import NodeList

__all__ = ["Folder", "FolderWriter"]

_FIRST_FOLDER: Final = 0x8082 >> 5
_READ: Final = 0x1
_CONTENT_COUNT: Final = 0x3602
_UNREAD_COUNT: Final = 0x3603
_SUBFOLDERS: Final = 0x360A
_CONTAINER_CLASS: Final = 0x3613
_SEARCH_FLAGS: Final = 0x660B

_CLASSES: Final = MappingProxyType(
    {
        "calendar": "IPF.Appointment",
        "contacts": "IPF.Contact",
        "tasks": "IPF.Task",
        "notes": "IPF.StickyNote",
        "journal": "IPF.Journal",
    }
)
"""Role of a folder -> what Outlook shows it as; everything else is mail."""


@dataclass(slots=True, eq=False)
class Folder:
    """One folder that is written.

    Attributes
    ----------
    nid
        Its node.
    name
        As users see it.
    parent
        The node of the folder around it.
    role
        What it is for.
    children
        The folders in it, by name.
    contents, associated
        Its tables, once something is in them.
    unread
        Messages in it that are not marked as read.
    """

    nid: int
    name: str
    parent: int
    role: str = ""
    children: dict[str, Folder] = field(default_factory=dict, repr=False)
    contents: TableWriter | None = field(default=None, repr=False)
    associated: TableWriter | None = field(default=None, repr=False)
    unread: int = 0

    @property
    def count(self) -> int:
        """Messages in it."""
        return self.contents.count if self.contents else 0


class FolderWriter:
    """Keeps the folders of a store and writes them at the end.

    Parameters
    ----------
    blocks : BlockWriter
        What they are written with.
    layout : Layout
        How the file is laid out.
    nodes : NodeList
        Where their nodes are remembered.
    """

    def __init__(self, blocks: BlockWriter, layout: Layout, nodes: NodeList) -> None:
        self._blocks = blocks
        self._layout = layout
        self._nodes = nodes
        self._next = _FIRST_FOLDER
        self._templates: dict[int, NodeRef] = {}

    def templates(self) -> None:
        """Write the empty tables that each store has."""
        for nid, columns in TEMPLATES.items():
            content = TableWriter(self._blocks, self._layout, columns).finish()
            self._templates[nid & 0x1F] = content
            self._nodes.add(nid, content)

    def inside(self, parent: Folder, name: str, role: str) -> Folder:
        """Return the folder of a name in another one; it is made when it is not there."""
        found = parent.children.get(name)
        if found is None:
            nid = self._next << 5 | NidType.FOLDER
            self._next += 1
            found = parent.children[name] = Folder(nid, name, parent.nid, role)
        return found

    def list_message(self, folder: Folder, nid: int, values: Mapping[int, Property]) -> None:
        """Add a message to the table of its folder."""
        hidden = nid & 0x1F == NidType.ASSOCIATED_MESSAGE
        if hidden and folder.associated is None:
            folder.associated = TableWriter(self._blocks, self._layout, ASSOCIATED)
        if not hidden and folder.contents is None:
            folder.contents = TableWriter(self._blocks, self._layout, CONTENTS)
        table = folder.associated if hidden else folder.contents
        assert table is not None
        columns = ASSOCIATED if hidden else CONTENTS
        table.add(nid, _shortened(values, columns))
        if not hidden and not _flags(values) & _READ:
            folder.unread += 1

    def write(self, folder: Folder) -> None:
        """Write a folder, and those in it."""
        for child in folder.children.values():
            self.write(child)
        content = write_properties(self._blocks, self._layout, _row(folder))
        self._nodes.add(folder.nid, content, folder.parent)
        if folder.nid & 0x1F == NidType.SEARCH_FOLDER:
            self._search(folder.nid)
            return
        self._table(folder.nid, NidType.HIERARCHY_TABLE, self._hierarchy(folder))
        self._table(folder.nid, NidType.CONTENTS_TABLE, folder.contents)
        self._table(folder.nid, NidType.ASSOCIATED_TABLE, folder.associated)

    def _search(self, nid: int) -> None:
        """Write the rest of a search folder; it finds nothing, [MS-PST] 2.4.8.6."""
        criteria = write_properties(self._blocks, self._layout, {_SEARCH_FLAGS: integer(0)})
        index = nid & ~0x1F
        self._nodes.add(index | NidType.SEARCH_UPDATE_QUEUE, NodeRef(0, 0))
        self._nodes.add(index | NidType.SEARCH_CRITERIA, criteria)
        self._table(nid, NidType.SEARCH_CONTENTS_TABLE, None)

    def _table(self, folder: int, kind: NidType, table: TableWriter | None) -> None:
        """Write a table of a folder; empty ones share the blocks of the template."""
        content = table.finish() if table else self._templates[kind]
        if table is None:
            self._blocks.share(content.data)
        self._nodes.add(folder & ~0x1F | kind, content)

    def _hierarchy(self, folder: Folder) -> TableWriter | None:
        if not folder.children:
            return None
        table = TableWriter(self._blocks, self._layout, HIERARCHY)
        for child in sorted(folder.children.values(), key=lambda child: child.nid):
            table.add(child.nid, _row(child))
        return table


def _row(folder: Folder) -> dict[int, Property]:
    """Return what a folder says of itself and what the table of its parent says of it."""
    values = {
        int(Tag.DISPLAY_NAME): string(folder.name),
        _CONTENT_COUNT: integer(folder.count),
        _UNREAD_COUNT: integer(folder.unread),
        _SUBFOLDERS: boolean(bool(folder.children)),
    }
    if folder.nid >= _FIRST_FOLDER << 5 and folder.nid & 0x1F == NidType.FOLDER:
        values[_CONTAINER_CLASS] = string(_CLASSES.get(folder.role, "IPF.Note"))
    return values


def _flags(values: Mapping[int, Property]) -> int:
    entry = values.get(Tag.MESSAGE_FLAGS)
    return struct.unpack("<I", entry.data[:4].ljust(4, b"\0"))[0] if entry else 0


def _shortened(values: Mapping[int, Property], columns: tuple[Column, ...]) -> dict[int, Property]:
    """Return what a row says: long texts cut, as the message itself holds them whole."""
    row = {}
    for column in columns:
        entry = values.get(column.tag)
        if entry is None:
            continue
        if len(entry.data) > LARGEST_ITEM:
            if entry.kind != PropertyType.STRING:
                continue
            text = entry.data[:LARGEST_ITEM].decode("utf-16-le", "ignore")
            entry = string(text)
        row[column.tag] = entry
    return row
