"""Maildir: one message a file, folders as directories (Maildir++ or plain), Dovecot's lists."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

from mailforensics import mime
from mailforensics.errors import EvidenceUnreadable, NoBytes
from mailforensics.readers.base import Reader, ReadLog, Source, Span
from mailforensics.readers.folders import place, role_of
from mailforensics.readers.maildirfolders import (
    BOXES,
    Folder,
    MailFile,
    Store,
    is_folder,
    list_entries,
    survey,
)
from mailforensics.readers.maildirnames import (
    FLAGS,
    MailName,
    parse_name,
    path_of_ref,
    ref_of_path,
)
from mailforensics.readers.uidlist import Listed, UidList
from mailforensics.readers.unpacking import Unpacked, unpack
from mailforensics.schema import (
    Completeness,
    Confidence,
    DeletionState,
    MessageRecord,
    RawKind,
    Record,
)

__all__ = ["MaildirReader"]

SPAN = 32 << 20
_INNER = re.compile(r"((?:/part:\d{1,9})+)\Z")


def _contents(file: MailFile | Path) -> Unpacked:
    path = file.path if isinstance(file, MailFile) else file
    return unpack(path.read_bytes())


def _crlf_size(message: bytes) -> int:
    return len(message) + message.count(b"\n") - message.count(b"\r\n")


def _apply_name(record: MessageRecord, name: MailName, message: bytes, box: str) -> None:
    """Write what the name of a file says into its record."""
    record.stored_at = name.delivered_at
    short = name.size is not None and len(message) < name.size
    if (name.size is not None and name.size != len(message)) or (
        name.crlf_size is not None and name.crlf_size != _crlf_size(message)
    ):
        record.defects.append("size_mismatch")
    if short:
        record.completeness = Completeness.PARTIAL
        record.defects.append("truncated_end")
    if box == "new":
        record.is_read = False
    elif name.flags is not None:
        record.is_read = "S" in name.flags


def _flag_words(name: MailName, keywords: dict[str, str], box: str) -> list[str]:
    letters = name.flags or ""
    words = [f"flags:{letters}"] if letters else []
    words += [word for letter, word in FLAGS.items() if letter in letters]
    words += [f"keyword:{keywords.get(letter, letter)}" for letter in letters if letter.islower()]
    return words if box == "cur" else [*words, box]


class MaildirReader(Reader):
    """Reads a Maildir with all its folders as one source."""

    name = "maildir"
    description = "Maildir (Dovecot, Courier, Postfix, and mail programs such as KMail)"
    expects = "a folder that holds the folders cur and new, or cur and a list of Dovecot"

    def sniff(self, head: bytes, path: Path) -> bool:  # noqa: ARG002 - a folder has no head
        """Say yes to a folder with ``cur`` and ``new`` or ``tmp``, or one of them and a sign."""
        if not path.is_dir():
            return False
        boxes = sum((path / box).is_dir() for box in BOXES)
        if boxes > 1:
            return (path / "cur").is_dir() or (path / "new").is_dir()
        if boxes == 1:
            return self._has_sign(path)
        return (path / "dovecot-uidlist").is_file()

    def _has_sign(self, path: Path) -> bool:
        """Say whether a folder with one of the three is a Maildir: copies lose empty ones."""
        if any((path / name).exists() for name in ("dovecot-uidlist", "maildirfolder")):
            return True
        if not is_folder(path):
            return False
        box = "cur" if (path / "cur").is_dir() else "new"
        names = [entry.name for entry in list_entries(path / box)[:20]]
        return any(parse_name(name).delivered_at is not None for name in names)

    def spans(self, source: Source) -> list[Span] | None:
        """Cut the files, as if they lay end to end, into ranges of 32 MiB."""
        size = survey(source.path).size
        if size <= SPAN:
            return None
        starts = range(0, size, SPAN)
        stops = [*starts[1:], size + 1]
        return [Span(start, stop) for start, stop in zip(starts, stops, strict=True)]

    def read(self, source: Source, log: ReadLog, span: Span | None = None) -> Iterator[Record]:
        """Yield the messages folder by folder, and after them what only a list still names."""
        store = survey(source.path)
        part = span or Span(0, store.size + 1)
        if part.start == 0:
            for where, reason in store.others:
                log.declare()
                log.skip(ref_of_path(where), reason)
        places = _places(store)
        for folder in store.folders:
            for file in folder.files:
                if part.start <= file.start < part.stop:
                    yield from self._file(file, folder, source, log)
            if part.start == 0 and folder.listed is not None:
                yield from self._listed_only(folder.listed, folder, places, source, log)

    def _file(
        self, file: MailFile, folder: Folder, source: Source, log: ReadLog
    ) -> list[MessageRecord]:
        """Turn a file into records, or into a row of the log that says why not."""
        ref = ref_of_path(file.relative)
        log.declare()
        if file.is_link:
            log.skip(ref, "It is a link; links are not followed.")
            return []
        try:
            contents = _contents(file)
        except OSError as error:
            log.fail(ref, "The file cannot be read.", error.strerror or str(error))
            return []
        if not mime.known_fields(contents.data[:65536]):
            reason = "The file is no mail." if contents.data else "The file is empty."
            log.fail(ref, reason, f"{file.size} bytes")
            return []
        return self._records(file, contents, folder, source)

    def _records(
        self, file: MailFile, contents: Unpacked, folder: Folder, source: Source
    ) -> list[MessageRecord]:
        name = parse_name(file.path.name)
        records = mime.read_nested(contents.data, source_ref=ref_of_path(file.relative))
        record = records[0]
        _apply_name(record, name, contents.data, file.box)
        if name.key in folder.uids:
            record.flags.append(f"uid:{folder.name}/{folder.uids[name.key]}")
        record.flags += _flag_words(name, folder.keywords, file.box)
        if contents.method is not None:
            record.flags.append(f"stored:{contents.method}")
        if not contents.whole:
            record.completeness = Completeness.PARTIAL
            record.defects.append("truncated_end")
        if "T" in (name.flags or "") and file.box == "cur":
            _mark_deleted(records, folder)
        place(records, mailbox=source.mailbox, folder=folder.name, role=role_of(folder.name))
        return records

    def _listed_only(
        self,
        listed: UidList,
        folder: Folder,
        places: dict[str, list[str]],
        source: Source,
        log: ReadLog,
    ) -> Iterator[MessageRecord]:
        """Yield a row for each message that the list names and whose file is gone."""
        where = f"{folder.relative}/dovecot-uidlist".lstrip("/")
        log.note(
            ref_of_path(where),
            f"dovecot mailbox guid {listed.guid or 'unknown'}; uidvalidity {listed.validity}",
            f"Folder {folder.name}. Two copies with the same values are of the same mailbox.",
        )
        if listed.bad_lines:
            lines = ", ".join(str(number) for number in listed.bad_lines[:20])
            log.declare(len(listed.bad_lines))
            log.fail(
                ref_of_path(where),
                "Lines of the list cannot be read.",
                f"Lines {lines}",
                count=len(listed.bad_lines),
            )
        here = {parse_name(file.path.name).key for file in folder.files}
        seen: set[int] = set()
        for entry in listed.entries:
            if entry.name.key in here or entry.uid in seen:
                continue
            seen.add(entry.uid)
            log.declare()
            ref = f"uidlist:{folder.name}/{entry.uid}"
            elsewhere = places.get(entry.name.key)
            if elsewhere:
                log.skip(ref, "The message was moved to another folder.", ", ".join(elsewhere))
            else:
                yield _known_only(entry, ref, where, folder, source)

    def raw(self, source: Source, source_ref: str) -> bytes:
        """Return the bytes of one message again, unpacked where the store keeps it packed."""
        found = _INNER.search(source_ref)
        relative = source_ref[: found.start()] if found else source_ref
        path = path_of_ref(relative)
        if path is None:
            raise NoBytes(
                "Only the list of the folder names this message; its file is gone",
                source_ref=source_ref,
            )
        message = self._bytes_at(source, path, source_ref)
        return mime.nested_bytes(message, source_ref) if found else message

    def _bytes_at(self, source: Source, relative: str, source_ref: str) -> bytes:
        """Read a file inside the Maildir, never through a link or out of it."""
        path = source.path
        for part in relative.split("/"):
            path = path / part
            if part in {"", ".", ".."} or path.is_symlink():
                raise NoBytes("This is no file of the Maildir", source_ref=source_ref)
        try:
            return _contents(path).data
        except OSError as error:
            raise EvidenceUnreadable(
                f"The file cannot be read: {error.strerror or error}", source_ref=source_ref
            ) from error


def _places(store: Store) -> dict[str, list[str]]:
    """Return the key of each message file -> the folders in which it lies."""
    places: dict[str, list[str]] = {}
    for folder in store.folders:
        for file in folder.files:
            places.setdefault(parse_name(file.path.name).key, []).append(folder.name)
    return places


def _mark_deleted(records: list[MessageRecord], folder: Folder) -> None:
    """Mark a message, and what it carries, as flagged T: deleted by the user, not yet removed."""
    for record in records:
        record.deletion_state = DeletionState.MARKED_DELETED
        record.deletion_basis = (
            f"The T in its file name in {folder.name}: it is marked deleted and not yet removed."
        )
        record.confidence = Confidence.CERTAIN


def _known_only(
    entry: Listed, ref: str, where: str, folder: Folder, source: Source
) -> MessageRecord:
    """Build the row of a message that only the list still names."""
    record = MessageRecord(
        source_ref=ref,
        raw_kind=RawKind.NONE,
        size=entry.name.size,
        stored_at=entry.name.delivered_at,
        flags=[f"uid:{folder.name}/{entry.uid}"],
        deletion_state=DeletionState.KNOWN_ONLY,
        deletion_basis=(
            f"Line {entry.line} of {where} lists message {entry.uid} as {entry.name.base}, and no "
            "file of that name is left in the Maildir. It was there for certain; that it was "
            "deleted is likely, since the list is tidied some time after a deletion."
        ),
        confidence=Confidence.PROBABLE,
        completeness=Completeness.METADATA_ONLY,
        defects=["index_only"],
    )
    place([record], mailbox=source.mailbox, folder=folder.name, role=role_of(folder.name))
    return record
