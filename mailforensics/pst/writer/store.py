"""A new Outlook data file: what users give, put into folders."""

from __future__ import annotations

import hashlib
import os
import secrets
import struct
from collections.abc import Sequence
from contextlib import suppress
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import TracebackType
from typing import BinaryIO, Final, Self, cast

from mailforensics.errors import ExportError, WouldOverwrite
from mailforensics.mapi import MapiMessage, Property, Tag
from mailforensics.pst.crypt import CryptMethod
from mailforensics.pst.layout import UNICODE, UNICODE_4K, NidType, PageType, SpecialNid
from mailforensics.pst.writer.blocks import BlockWriter, NodeRef
from mailforensics.pst.writer.folders import Folder, FolderWriter
from mailforensics.pst.writer.header import header_bytes
from mailforensics.pst.writer.messages import MessageWriter
from mailforensics.pst.writer.names import NameMap
from mailforensics.pst.writer.properties import (
    binary,
    boolean,
    integer,
    moment,
    string,
    write_properties,
)
from mailforensics.pst.writer.space import Space, page_bytes
from mailforensics.pst.writer.trees import NodeList, PageTreeWriter

__all__ = ["PstWriter"]

_DENSITY_LIST: Final = 0x4200
_SUBTREE: Final = 0x8022
_SEARCH_ROOT: Final = 0x8042
_WASTEBASKET: Final = 0x8062
_SPAM_SEARCH: Final = 0x2223
_EMPTY_NODES: Final = (0x01E1, 0x0261)
_SEARCH_ACTIVITY: Final = 0x0201
_FIRST_MESSAGE: Final = 0x10001
_FIRST_ASSOCIATED: Final = 0x8001
_ASSOCIATED: Final = 0x40
_VALID_FOLDERS: Final = 0x89
"""Of PidTagValidFolderMask: the subtree, the folder for deleted items, the search root."""

_EPOCH: Final = datetime(1601, 1, 1, tzinfo=UTC)


class PstWriter:
    """Writes messages into a new Unicode PST.

    Everything goes into one top folder that bears the name of the file. The file comes to stand
    under its own name only when it is whole; until then it has a temporary name beside it.

    Parameters
    ----------
    path : Path
        The new file.
    name : str
        Of the data file and of its top folder, as Outlook shows it.
    unicode4k : bool
        Lay the file out as an OST with 4 KiB pages, for trials.
    crypt : CryptMethod, optional
        How data blocks are encoded. When None, as Outlook does by default (PERMUTE); with
        4 KiB pages they are then compressed instead.
    record_key : bytes, optional
        16 bytes that identify the store; random when None.
    now : datetime, optional
        Aware; stands for the time at which messages that bring none came into this store.

    Attributes
    ----------
    faults : list of str
        What could not be written, in sentences.
    count : int
        Messages written.

    Raises
    ------
    WouldOverwrite
        There is a file of that name.
    ExportError
        The file cannot be created.

    Examples
    --------
    >>> with PstWriter(Path("recovered.pst"), name="Recovered mail") as out:
    ...     out.add(out.folder(("Inbox", "Offers")), message)
    """

    def __init__(
        self,
        path: Path,
        *,
        name: str = "Recovered mail",
        unicode4k: bool = False,
        crypt: CryptMethod | None = None,
        record_key: bytes | None = None,
        now: datetime | None = None,
    ) -> None:
        self.path = Path(path)
        self.name = name
        self.faults: list[str] = []
        self.count = 0
        usual = CryptMethod.NONE if unicode4k else CryptMethod.PERMUTE
        self._crypt = usual if crypt is None else crypt
        self._layout = UNICODE_4K if unicode4k else UNICODE
        self._record_key = record_key or secrets.token_bytes(16)
        self._ticks = (now or datetime.now(UTC)) - _EPOCH
        self._temporary, self._stream = _temporary(self.path)
        self._space = Space(self._stream, self._layout)
        self._blocks = BlockWriter(self._space, self._layout, self._crypt)
        self._nodes = NodeList()
        self._names = NameMap()
        self._writer = MessageWriter(self._blocks, self._layout, self._names, self.faults.append)
        self._folders = FolderWriter(self._blocks, self._layout, self._nodes)
        self._next = {
            NidType.MESSAGE: _FIRST_MESSAGE,
            NidType.ASSOCIATED_MESSAGE: _FIRST_ASSOCIATED,
        }
        self._plant()

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if kind is None:
            self.close()
        else:
            self.discard()

    def folder(self, names: Sequence[str], *, role: str = "") -> Folder:
        """Return a folder under the top folder; it is made when it is not there.

        Parameters
        ----------
        names : sequence of str
            Its path; empty for the top folder itself.
        role : str
            What it is for; ``calendar``, ``contacts``, ``tasks``, ``notes`` and ``journal`` are
            shown as such, all others as folders of mail.
        """
        found = self._top
        for depth, name in enumerate(names, start=1):
            found = self._folders.inside(found, name, role if depth == len(names) else "")
        return found

    def add(self, folder: Folder, message: MapiMessage) -> int:
        """Write a message into a folder and return its node.

        Parameters
        ----------
        folder : Folder
            From :meth:`folder`.
        message : MapiMessage
            All its properties are kept, those with names under the identifiers of this store;
            8-bit strings become Unicode where that loses nothing. What an object must have in a
            store and this one lacks is added: class, flags, size, a search key, and the moment
            of writing as the time at which it came into this store.

        Raises
        ------
        ExportError
            The disk is full or gone.
        """
        flags = message.properties.integer(Tag.MESSAGE_FLAGS) or 0
        kind = NidType.ASSOCIATED_MESSAGE if flags & _ASSOCIATED else NidType.MESSAGE
        nid = self._next[kind] << 5 | kind
        self._next[kind] += 1
        try:
            written = self._writer.write(message, self._defaults(nid))
            self._nodes.add(nid, written.content, folder.nid)
            self._folders.list_message(folder, nid, written.values)
        except OSError as error:
            raise self._unwritten(error) from error
        self.count += 1
        return nid

    @property
    def size(self) -> int:
        """Bytes that the file has so far, whole sections."""
        return self._space.end

    def leave_free(self, size: int) -> None:
        """Leave at least ``size`` bytes of the file unused and, where the disk can, sparse."""
        self._space.leave_free(size)

    def close(self) -> None:
        """Write the folders, the maps and the header, and give the file its name.

        Raises
        ------
        WouldOverwrite
            A file of that name has come to be meanwhile.
        ExportError
            The disk is full or gone. The temporary file is removed.
        """
        if self._stream.closed:
            return
        try:
            self._finish()
            self._stream.flush()
            os.fsync(self._stream.fileno())
            self._stream.close()
            _rename(self._temporary, self.path)
        except OSError as error:
            self.discard()
            if isinstance(error, ExportError):
                raise
            raise self._unwritten(error) from error

    def discard(self) -> None:
        """Remove what was written."""
        with suppress(OSError):
            self._stream.close()
        self._temporary.unlink(missing_ok=True)

    def _plant(self) -> None:
        """Make the folders that each store has, [MS-PST] 2.7.3."""
        self._folders.templates()
        root = int(SpecialNid.ROOT_FOLDER)
        self._root = Folder(root, "", root)
        self._subtree = Folder(_SUBTREE, "Top of Outlook data file", root)
        self._root.children = {
            "subtree": self._subtree,
            "search": Folder(_SEARCH_ROOT, "Search Root", root),
            "spam": Folder(_SPAM_SEARCH, "SPAM Search Folder 2", root),
        }
        self._subtree.children["wastebasket"] = Folder(_WASTEBASKET, "Deleted Items", _SUBTREE)
        self._top = self._folders.inside(self._subtree, self.name, "")

    def _defaults(self, nid: int) -> dict[int, Property]:
        """Return what a message must have, [MS-PST] 2.4.5.1.1."""
        key = hashlib.blake2b(self._record_key + struct.pack("<I", nid), digest_size=16).digest()
        written = moment(self._ticks // timedelta(microseconds=1) * 10)
        return {
            int(Tag.MESSAGE_CLASS): string("IPM.Note"),
            int(Tag.MESSAGE_FLAGS): integer(0),
            0x0E17: integer(0),
            int(Tag.CREATION_TIME): written,
            int(Tag.LAST_MODIFICATION_TIME): written,
            0x300B: binary(key),
        }

    def _entry_id(self, nid: int) -> Property:
        """Return the entry identifier of a node, [MS-PST] 2.4.3.2."""
        return binary(bytes(4) + self._record_key + struct.pack("<I", nid))

    def _finish(self) -> None:
        self._folders.write(self._root)
        for nid in _EMPTY_NODES:
            self._nodes.add(nid, NodeRef(0, 0))
        activity = self._blocks.data(struct.pack("<I", _SPAM_SEARCH))
        self._nodes.add(_SEARCH_ACTIVITY, NodeRef(activity, 0))
        self._properties(SpecialNid.NAME_TO_ID_MAP, self._names.properties())
        self._properties(SpecialNid.MESSAGE_STORE, self._store_values())
        self._indexes()

    def _properties(self, nid: int, values: dict[int, Property]) -> None:
        self._nodes.add(nid, write_properties(self._blocks, self._layout, values))

    def _store_values(self) -> dict[int, Property]:
        """Return the properties of the message store, [MS-PST] 2.4.3.1."""
        one = struct.pack("<I", 1)
        return {
            0x0E34: binary(one + self._record_key + one),
            0x0E38: integer(0),
            0x0FF9: binary(self._record_key),
            int(Tag.DISPLAY_NAME): string(self.name),
            0x35DF: integer(_VALID_FOLDERS),
            0x35E0: self._entry_id(_SUBTREE),
            int(Tag.IPM_WASTEBASKET_ENTRY_ID): self._entry_id(_WASTEBASKET),
            0x35E7: self._entry_id(_SEARCH_ROOT),
            0x6633: boolean(True),
            0x66FA: integer(0x000E000D),
            0x67FF: integer(0),
        }

    def _indexes(self) -> None:
        """Write the two trees, the density list and the header."""
        layout, trees = self._layout, PageTreeWriter(self._space, self._layout)
        nodes = trees.write(PageType.NODE_TREE, self._nodes.entries(), 32)
        blocks = trees.write(PageType.BLOCK_TREE, self._blocks.entries(), 24)
        self._space.finish()
        if not layout.packs_blocks:
            page = page_bytes(layout, PageType.DENSITY_LIST, b"", _DENSITY_LIST, trees.next_bid)
            self._stream.seek(_DENSITY_LIST)
            self._stream.write(page)
        head = header_bytes(
            layout,
            space=self._space,
            nodes=nodes,
            blocks=blocks,
            next_page=trees.next_bid + 1,
            next_block=self._blocks.next_bid,
            highest=self._nodes.highest,
            crypt=self._crypt,
        )
        self._stream.seek(0)
        self._stream.write(head)

    def _unwritten(self, error: OSError) -> ExportError:
        return ExportError(f"{self.path.name} could not be written: {error.strerror or error}.")


def _temporary(path: Path) -> tuple[Path, BinaryIO]:
    """Open a new file beside the one that is to be."""
    if os.path.lexists(path):
        raise WouldOverwrite(f"{path.name} is there already; it was left as it is.")
    temporary = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
    try:
        return temporary, cast("BinaryIO", temporary.open("xb"))
    except OSError as error:
        raise ExportError(f"{path.name} cannot be created: {error.strerror or error}.") from error


def _rename(temporary: Path, path: Path) -> None:
    """Give the file its name, unless another one has it by now."""
    try:
        path.hardlink_to(temporary)
    except FileExistsError as error:
        raise WouldOverwrite(f"{path.name} is there already; it was left as it is.") from error
    except OSError:
        if os.path.lexists(path):
            raise WouldOverwrite(f"{path.name} is there already; it was left as it is.") from None
        temporary.rename(path)
    else:
        temporary.unlink()
