"""A case: evidence goes in, tables and bytes come out."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pandas as pd

from mailforensics import checks, deletion, export, timeline
from mailforensics.case.custody import CustodyLog
from mailforensics.case.frames import CaseFrames
from mailforensics.case.notes import Notes
from mailforensics.case.originals import Originals
from mailforensics.case.outlookmap import outlook_map
from mailforensics.case.reading import Reading, advancing
from mailforensics.case.registry import EvidenceRegistry
from mailforensics.case.secondreading import outlook_sources, second_readings
from mailforensics.case.settings import Settings
from mailforensics.case.tables import write_frame
from mailforensics.case.verification import Verification
from mailforensics.errors import EvidenceError
from mailforensics.evidence import EvidenceItem, FileHash, acquire
from mailforensics.ingest import CaseFolder, Report, recognise
from mailforensics.schema import Confidence

__all__ = ["Case"]


class Case(CaseFrames):
    """A case folder. Made by :func:`mailforensics.new_case` or :func:`mailforensics.open_case`.

    Attributes
    ----------
    folder
        Where everything lies.
    settings
        Name, examiner, time zone and language.
    notes
        What a person adds: ``notes.marks`` and ``notes.text``.
    """

    def __init__(self, root: Path, settings: Settings) -> None:
        self.folder = CaseFolder(root)
        self.settings = settings
        self.notes = Notes(self.folder)
        self._registry = EvidenceRegistry(self.folder)
        self._originals = Originals(self.folder, self._registry)

    def __repr__(self) -> str:
        """Return name and place."""
        return f"<Case {self.settings.name!r} at {self.folder.root}>"

    # ---- custody

    def record(self, action: str, **detail: Any) -> None:
        """Add a row to the custody log."""
        log = CustodyLog(self.folder.custody)
        log.append(action, self.settings.examiner, **detail)
        self.settings.custody_rows, self.settings.custody_head = log.head()
        self.settings.save(self.folder)

    def custody(self) -> pd.DataFrame:
        """Return the custody log: row, at, actor, action, detail, previous, hash."""
        return pd.DataFrame(CustodyLog(self.folder.custody).rows())

    # ---- evidence

    def items(self) -> list[EvidenceItem]:
        """Return the evidence items in the order in which they were added."""
        return self._registry.items()

    def add(
        self,
        path: str | Path,
        *,
        custodian: str = "",
        mailbox: str = "",
        as_of: datetime | None = None,
        supersedes: str | None = None,
        note: str = "",
        reader: str | None = None,
        report: Report | None = None,
    ) -> EvidenceItem:
        """Acquire a file or folder: recognise it, hash it, and enter it into the case.

        Parameters
        ----------
        custodian, mailbox
            Whose mail it is, and of which mailbox.
        as_of
            The moment whose state this copy shows, with a time zone.
        supersedes
            Id of an earlier copy of the same mailbox; what is in that and no longer in this one
            is ``absent_later``.
        reader
            Name of a reader to use whatever the content looks like.

        Raises
        ------
        EvidenceNotFound, EvidenceUnreadable
            It is not there or cannot be read.
        UnsupportedFormat
            Nobody knows it; lists each reader and why it said no.
        EvidenceError
            The same bytes are in the case already, or ``supersedes`` names no item.
        """
        place = Path(path).expanduser().absolute()
        kind, known, description = recognise(place, reader=reader)
        items = self.items()
        if supersedes is not None and supersedes not in {item.evidence_id for item in items}:
            raise EvidenceError(f"There is no evidence item {supersedes} in this case.")
        total = place.stat().st_size if place.is_file() else 0
        digests, listed = acquire(place, advance=advancing(report, "hash", place.name, total))
        for item in items:
            if item.sha256 == digests.sha256:
                raise EvidenceError(
                    f"{place.name} is in the case already, as {item.evidence_id} ({item.name}).",
                    hint="The same bytes twice would count every message twice.",
                )
        item = EvidenceItem(
            evidence_id=self._registry.next_id(),
            path=place,
            kind=kind,
            reader=known,
            description=description,
            size=digests.size,
            file_count=len(listed) or 1,
            sha256=digests.sha256,
            md5=digests.md5,
            acquired_at=datetime.now(UTC).replace(microsecond=0),
            acquired_by=self.settings.examiner,
            custodian=custodian,
            mailbox=mailbox,
            as_of=as_of,
            supersedes=supersedes,
            note=note,
        )
        self._registry.save(item, listed)
        self.forget()
        self.record(
            "evidence acquired",
            evidence_id=item.evidence_id,
            path=str(place),
            size=item.size,
            sha256=item.sha256,
            md5=item.md5,
            recognised_as=description,
        )
        return item

    # ---- reading

    def read(
        self,
        *,
        again: bool = False,
        workers: int | None = None,
        report: Report | None = None,
        stop: Callable[[], bool] | None = None,
        check_after: bool = True,
    ) -> pd.DataFrame:
        """Read all evidence that was not read yet into the tables; go on where it was stopped.

        Parameters
        ----------
        again
            Read everything anew.
        check_after
            Hash each item again after reading, to show that reading changed nothing.

        Returns
        -------
        DataFrame
            The read log; see :meth:`reads`.

        Raises
        ------
        HashMismatch
            The bytes of an item are not those that were acquired.
        """
        for item in self.items():
            if again:
                self.folder.table("reads", item.evidence_id).unlink(missing_ok=True)
            if not self.is_read(item):
                Reading(self, item).run(
                    workers=workers, report=report, stop=stop, check_after=check_after
                )
        return self.reads()

    def is_read(self, item: EvidenceItem) -> bool:
        """Say whether an item was read to its end."""
        return self.folder.table("reads", item.evidence_id).is_file()

    def hash_list(self, evidence_id: str) -> list[FileHash]:
        """Return the hash list of folder evidence; empty for a single file."""
        return self._registry.listed(evidence_id)

    def forget(self) -> None:
        """Drop what is remembered of the tables; they have changed."""
        self._originals.forget()
        self.folder.assessed.unlink(missing_ok=True)

    # ---- findings

    def deleted(self) -> pd.DataFrame:
        """Return the deleted messages; see :func:`mailforensics.deleted_messages`."""
        return deletion.deleted_messages(self.messages(), self.events())

    def gone(self) -> pd.DataFrame:
        """Return the best instance of each message that is deleted and nowhere still there.

        These are the messages that the headline counts.
        """
        deleted = self.deleted()
        return deleted[deleted["best"] & ~deleted["still_live"]]

    def summary(self) -> deletion.DeletionSummary:
        """Return the headline in numbers and words."""
        return deletion.summary(self.deleted())

    def headline(self) -> str:
        """Return the headline in words, with what it cannot be sure of and says nothing about."""
        words = [self.summary().sentence]
        unsure = int((self.gone()["confidence"] == Confidence.POSSIBLE).sum())
        if unsure:
            words.append(f"Of {unsure:,} it is only possible that it was deleted: see why in each.")
        reads = self.reads()
        failed = int(reads.loc[reads["row_kind"] == "source", "failed"].fillna(0).sum())
        if failed:
            items = "1 item" if failed == 1 else f"{failed:,} items"
            words.append(f"{items} could not be read: this says nothing of them.")
        return " ".join(words)

    def search(self, words: str, *, limit: int | None = 100) -> pd.DataFrame:
        """Find messages by subject, names, addresses, text and attachment names, best first.

        Returns
        -------
        DataFrame
            Columns of the messages table, before them ``score`` and ``surroundings``: the hit
            with the words around it.

        Raises
        ------
        SearchError
            The query cannot be understood.
        """
        return self._originals.search(
            words, self.messages(), limit=limit, tz=self.settings.time_zone
        )

    def matches(self, words: str) -> pd.DataFrame:
        """Return all messages that :meth:`search` would find, without the surroundings."""
        return self._originals.matches(words, self.messages(), tz=self.settings.time_zone)

    def raw(self, item_id: str) -> bytes:
        """Return the bytes of a message again, from the evidence.

        Raises
        ------
        NoBytes
            Only traces of it exist.
        """
        return self._originals.raw(item_id)

    def check(
        self,
        *,
        items: Iterable[str] | None = None,
        only: Iterable[str] | None = None,
        keys: str | Path | None = None,
        progress: Callable[[int, int], None] | None = None,
    ) -> pd.DataFrame:
        """Run the checks and keep their verdicts; see :mod:`mailforensics.checks`.

        Parameters
        ----------
        keys
            File of DKIM keys; by default ``dkim-keys.json`` of the case, if it is there.
        """
        results = checks.run(
            self.messages(),
            self.attachments(),
            self.events(),
            self.reads(),
            self.evidence(),
            raw=self.raw,
            verify=self.verify_evidence,
            second_readings=lambda: second_readings(self),
            items=items,
            only=only,
            keys=Path(keys) if keys is not None else self._keys(),
            progress=progress,
        )
        write_frame(results, "checks", self.folder.table("checks", "all"))
        self.record("checks run", verdicts=len(results))
        return self.checks()

    def _keys(self) -> Path | None:
        path = self.folder.root / "dkim-keys.json"
        return path if path.is_file() else None

    def timeline(self) -> pd.DataFrame:
        """Return the timeline; see :func:`mailforensics.timeline.timeline`."""
        return timeline.timeline(self.messages(), self.events(), tz=self.settings.time_zone)

    # ---- giving back, verifying

    def export(
        self,
        messages: pd.DataFrame,
        folder: str | Path,
        *,
        form: str = "eml",
        progress: Callable[[int, int], None] | None = None,
    ) -> export.ExportResult:
        """Write messages out with a manifest; never overwrites.

        Parameters
        ----------
        folder
            A new folder; a relative path lies below ``exports/`` of the case.
        form
            ``eml``, ``mbox`` or ``csv``.

        Raises
        ------
        WouldOverwrite
            The folder holds something already.
        """
        target = self.folder.exports / Path(folder).expanduser()
        result = export.export(
            messages,
            target,
            form=form,
            raw=self.raw,
            mapi=self._originals.mapi,
            evidence=self.evidence(),
            attachments=self.attachments(),
            tz=self.settings.time_zone,
            examiner=self.settings.examiner,
            case_name=self.settings.name,
            progress=progress,
        )
        part = f"{len(self.folder.parts_of('exports')) + 1:04d}"
        write_frame(result.rows, "exports", self.folder.table("exports", part))
        self.record(
            "messages exported",
            folder=str(target),
            form=form,
            written=result.written,
            skipped=result.skipped,
            failed=result.failed,
            manifest_sha256=result.manifest_sha256,
        )
        return result

    def free_export_name(self) -> str:
        """Return a name below ``exports/`` that is not taken: deleted-01, deleted-02 and so on."""
        number = 1
        while (self.folder.exports / f"deleted-{number:02d}").exists():
            number += 1
        return f"deleted-{number:02d}"

    def outlook_files(self) -> list[tuple[str, str]]:
        """Return evidence item and path inside it of each Outlook file that was read."""
        return outlook_sources(self)

    def outlook_map(
        self,
        evidence_id: str,
        source_path: str = "",
        *,
        progress: Callable[[int], None] | None = None,
    ) -> pd.DataFrame:
        """Return what lies where in an Outlook file; see :mod:`mailforensics.case.outlookmap`."""
        return outlook_map(self, evidence_id, source_path, progress=progress)

    def verify_evidence(self, report: Report | None = None) -> pd.DataFrame:
        """Hash all evidence again: evidence_id, name, unchanged, detail."""
        return Verification(self.folder, self._registry, self.settings).evidence(report)

    def verify(self, report: Report | None = None) -> pd.DataFrame:
        """Check evidence, custody log and exports: subject, status, detail; a row each."""
        return Verification(self.folder, self._registry, self.settings).everything(report)

    def report(self, path: str | Path | None = None, **options: Any) -> Path:
        """Write the report; see :mod:`mailforensics.export.report`."""
        from mailforensics.case.reporting import write_report

        return write_report(self, Path(path) if path is not None else None, **options)
