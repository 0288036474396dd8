"""Give chosen messages back: the one way through which every form goes."""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Mapping
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Protocol

import pandas as pd

from mailforensics.errors import ExportError, MailForensicsError, NoBytes
from mailforensics.export.beforehand import require_new, require_outside, require_room, zone_of
from mailforensics.export.chosen import About, Chosen, Outcome, Place, Status, chosen
from mailforensics.export.eml import EmlWriter
from mailforensics.export.loadfile import LOADFILE, loadfile
from mailforensics.export.manifest import MANIFEST, manifest, write_sums
from mailforensics.export.mbox import MboxWriter
from mailforensics.export.pst import Mapi, PstExport
from mailforensics.export.readme import README, readme
from mailforensics.export.result import ExportResult, result
from mailforensics.export.writing import TargetLost, write_new
from mailforensics.schema import RawKind

__all__ = ["FORMS", "export"]

FORMS = ("eml", "mbox", "csv", "pst")
"""EML files; one mbox; EML files with a CSV load file; one Outlook data file."""

_TRACES = "Only traces of this message exist; its bytes are gone."


class Writer(Protocol):
    """A form: where it puts each message, and what it says when all are there."""

    def add(self, message: Chosen, data: bytes) -> Place: ...
    def close(self) -> Mapping[str, tuple[str, int]]: ...


def export(
    messages: pd.DataFrame,
    folder: Path,
    *,
    form: str,
    raw: Callable[[str], bytes],
    evidence: pd.DataFrame,
    attachments: pd.DataFrame | None = None,
    tz: str = "UTC",
    progress: Callable[[int, int], None] | None = None,
    examiner: str = "",
    case_name: str = "",
    per_folder: bool = False,
    mapi: Mapi | None = None,
    export_id: str = "",
    now: datetime | None = None,
) -> ExportResult:
    """Write chosen messages into a new folder, with a manifest of hashes.

    Originals come out byte for byte; each is compared with the SHA-256 that it had when it was read
    and, once written, read again from the disk. Every chosen message has a row in the manifest.

    Parameters
    ----------
    messages : DataFrame
        Rows of the messages table.
    folder : Path
        New or empty.
    form : {"eml", "mbox", "csv", "pst"}
        See :data:`FORMS`.
    raw : callable
        item_id -> the bytes of the message, from the evidence. Raises a
        :class:`~mailforensics.errors.MailForensicsError` for what it cannot give.
    evidence : DataFrame
        The evidence table: for its hashes, and so that nothing is written into evidence.
    attachments : DataFrame, optional
        The attachments table, for the load file.
    tz : str
        Name of the zone of the dates in file names and of a column of the load file.
    progress : callable, optional
        Told after each message how many are done, and of how many; may raise to stop, which
        leaves a manifest of what was done.
    examiner, case_name : str
        For the READ_ME of the export.
    per_folder : bool
        For mbox: one file for each folder of the evidence.
    mapi : callable, optional
        For PST: item_id -> the message with all the properties that its store keeps, or None;
        without it, or for None, the bytes are turned into properties.
    export_id : str
        Of the rows; made from the time if empty.
    now : datetime, optional
        Aware; the present if None.

    Raises
    ------
    WouldOverwrite
        The folder is there and not empty. Nothing was written.
    ExportError
        The form or zone is unknown; the folder lies in the evidence or there is too little room
        (nothing was written); or the disk filled up, with what was and what was not written.
    SchemaError
        The messages lack a column.
    """
    folder, picked = Path(folder), chosen(messages)
    if form not in FORMS:
        raise ExportError(f"There is no form named {form}; known: {', '.join(FORMS)}.")
    about = About(
        form=form,
        moment=now or datetime.now(UTC),
        zone=zone_of(tz),
        tz=tz,
        examiner=examiner,
        case_name=case_name,
        export_id=export_id,
    )
    require_new(folder)
    require_outside(folder, evidence)
    require_room(folder, picked)
    writer = _writer(folder, about, picked, per_folder, mapi)
    run = _Run(picked, writer, raw, progress)
    try:
        run.go()
    finally:
        outcomes = run.settled()
        digest = _close(folder, outcomes, about, evidence, attachments)
        if run.lost or not digest:
            raise _incomplete(folder, outcomes, run.lost, bool(digest))
    return result(folder, outcomes, about, digest)


class _Run:
    """The messages of one export on their way."""

    def __init__(
        self,
        picked: list[Chosen],
        writer: Writer,
        raw: Callable[[str], bytes],
        progress: Callable[[int, int], None] | None,
    ) -> None:
        self._picked = picked
        self._writer = writer
        self._raw = raw
        self._progress = progress
        self._done: list[Outcome] = []
        self.lost = ""

    def go(self) -> None:
        for message in self._picked:
            try:
                self._done.append(self._outcome(message))
            except TargetLost as error:
                self.lost = error.message
                return
            if self._progress:
                self._progress(len(self._done), len(self._picked))

    def _outcome(self, message: Chosen) -> Outcome:
        if message.again:
            return _left(message, Status.SKIPPED, "This item was chosen twice.")
        if not message.has_bytes:
            return _left(message, Status.SKIPPED, _TRACES)
        try:
            return self._given(message, self._raw(message.item_id))
        except NoBytes as error:
            return _left(message, Status.SKIPPED, error.message)
        except TargetLost:
            raise
        except MailForensicsError as error:
            return _left(message, Status.FAILED, error.message)
        except OSError as error:
            reason = f"The evidence could not be read: {error.strerror or error}."
            return _left(message, Status.FAILED, reason)

    def _given(self, message: Chosen, data: bytes) -> Outcome:
        digest = hashlib.sha256(data).hexdigest()
        expected = message.text("sha256")
        if expected and expected != digest:
            return _left(
                message,
                Status.FAILED,
                "The bytes are not those that were read from the evidence before "
                f"(SHA-256 then {expected}, now {digest}); they were not exported.",
            )
        place = self._writer.add(message, data)
        rebuilt = message.text("raw_kind") == RawKind.REBUILT_FROM_MAPI
        return Outcome(
            chosen=message,
            status=Status.WRITTEN,
            place=place if expected or rebuilt else _uncompared(place),
            source_sha256="" if rebuilt else digest,
            source_size=len(data),
        )

    def settled(self) -> list[Outcome]:
        """Close the files; return an outcome for every chosen message, in order."""
        files: Mapping[str, tuple[str, int]] = {}
        try:
            files = self._writer.close()
        except ExportError as error:
            self.lost = self.lost or error.message
        damaged: set[tuple[str, int | None]] = set()
        if isinstance(self._writer, MboxWriter | PstExport):
            damaged |= self._writer.damaged()
        reached = [_filed(outcome, files, damaged) for outcome in self._done]
        reason = self.lost or "The export was stopped before this message."
        rest = self._picked[len(self._done) :]
        return reached + [_left(message, Status.FAILED, reason) for message in rest]


def _left(message: Chosen, status: str, reason: str) -> Outcome:
    return Outcome(chosen=message, status=status, reason=reason)


def _uncompared(place: Place) -> Place:
    notes = (place.note, "no hash was kept on reading to compare with")
    return replace(place, note="; ".join(filter(None, notes)))


def _filed(
    outcome: Outcome, files: Mapping[str, tuple[str, int]], damaged: set[tuple[str, int | None]]
) -> Outcome:
    place = outcome.place
    if place is None:
        return outcome
    where = place.offset if place.node is None else place.node
    if place.file not in files or (place.file, where) in damaged:
        reason = f"It does not read back from {place.file} as it was written."
        return _left(outcome.chosen, Status.FAILED, reason)
    digest, size = files[place.file]
    return replace(outcome, place=replace(place, sha256=digest, size=size))


def _writer(
    folder: Path, about: About, picked: list[Chosen], per_folder: bool, mapi: Mapi | None
) -> Writer:
    try:
        if about.form == "pst":
            return PstExport(folder, picked, mapi=mapi)
        if about.form == "mbox":
            return MboxWriter(folder, per_folder=per_folder)
        return EmlWriter(folder, about.zone)
    except OSError as error:
        raise ExportError(f"The folder {folder} cannot be made: {error.strerror}.") from error


def _close(
    folder: Path,
    outcomes: list[Outcome],
    about: About,
    evidence: pd.DataFrame,
    attachments: pd.DataFrame | None,
) -> str:
    """Write the manifest and what stands beside it; return its SHA-256, "" if there is no room."""
    files = {MANIFEST: manifest(outcomes, evidence), README: readme(outcomes, about)}
    if about.form == "csv":
        files[LOADFILE] = loadfile(outcomes, attachments, about)
    try:
        for name, data in files.items():
            write_new(folder / name, data)
        return write_sums(folder, list(files))
    except ExportError:
        return ""


def _incomplete(folder: Path, outcomes: list[Outcome], lost: str, complete: bool) -> ExportError:
    written = sum(outcome.status == Status.WRITTEN for outcome in outcomes)
    listed = (
        f"{MANIFEST} lists which."
        if complete
        else "There was no room for the whole manifest, so this export cannot be checked."
    )
    cause = lost or f"{MANIFEST} could not be written."
    return ExportError(
        f"{cause} Of {len(outcomes):,} messages {written:,} were written to {folder} and checked, "
        f"{len(outcomes) - written:,} were not. {listed}",
        hint="Export again into a new folder on a disk with more room.",
    )
