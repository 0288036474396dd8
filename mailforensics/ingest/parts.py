"""The part files of one task: rows of the tables, the search index, and the read log."""

from __future__ import annotations

import contextlib
import json
import os
from dataclasses import asdict
from pathlib import Path
from types import TracebackType
from typing import Any

import pyarrow as pa
from pyarrow import ipc

from mailforensics.ingest.folder import write_atomically
from mailforensics.readers import Reader, ReadLog, Source
from mailforensics.schema import (
    ATTACHMENTS,
    EVENTS,
    MESSAGES,
    EventRecord,
    MessageRecord,
    Record,
    attachment_table,
    event_table,
    item_id,
    message_table,
)
from mailforensics.search import IndexWriter

__all__ = ["PartTables", "PartWriter"]

FLUSH_RECORDS = 2000

PartTables = {"messages": MESSAGES, "attachments": ATTACHMENTS, "events": EVENTS}


class PartWriter:
    """Takes the records of one task and leaves its part files, whole or not at all.

    The file ``<name>.json`` is written last: where it stands, the others are complete.
    """

    def __init__(self, folder: Path, name: str, evidence_sha256: str) -> None:
        folder.mkdir(parents=True, exist_ok=True)
        self.folder = folder
        self.name = name
        self.evidence_sha256 = evidence_sha256
        self._writers = {
            table: ipc.new_stream(str(self._temporary(table)), schema)
            for table, schema in PartTables.items()
        }
        self._index_path = folder / f"{name}.{os.getpid()}.sqlite"
        self._index_path.unlink(missing_ok=True)
        self._index = IndexWriter(self._index_path)
        self._reads: list[dict[str, Any]] = []
        self._messages: list[tuple[MessageRecord, Source, Reader]] = []
        self._events: list[tuple[EventRecord, Source]] = []
        self._owners: list[str] = []
        self._source: Source | None = None
        self._reader: Reader | None = None
        self.items = 0

    def _temporary(self, table: str) -> Path:
        return self.folder / f"{self.name}.{table}.{os.getpid()}.tmp"

    def __enter__(self) -> PartWriter:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        if error is not None:
            self._give_up()
            return
        try:
            self.flush()
            self._index.close()
            for writer in self._writers.values():
                writer.close()
            self._finish()
        except BaseException:
            self._give_up()
            raise

    def _give_up(self) -> None:
        self._index.discard()
        for table, writer in self._writers.items():
            with contextlib.suppress(OSError):
                writer.close()
            self._temporary(table).unlink(missing_ok=True)

    def _finish(self) -> None:
        for table in self._writers:
            final = self.folder / f"{self.name}.{table}.arrow"
            self._temporary(table).replace(final)
        self._index_path.replace(self.folder / f"{self.name}.sqlite")
        done = {"reads": self._reads, "items": self.items}
        write_atomically(self.folder / f"{self.name}.json", json.dumps(done).encode())

    def begin(self, source: Source, reader: Reader) -> None:
        """Start with the records of a source."""
        self._source, self._reader = source, reader

    def add(self, record: Record) -> None:
        """Take one record of the source that was begun."""
        assert self._source is not None
        assert self._reader is not None
        self.items += 1
        if isinstance(record, EventRecord):
            self._events.append((record, self._source))
        else:
            self._add_message(record, self._source, self._reader)
        if len(self._messages) + len(self._events) >= FLUSH_RECORDS:
            self.flush()

    def _add_message(self, record: MessageRecord, source: Source, reader: Reader) -> None:
        owner = item_id(self.evidence_sha256, source.source_path, record.source_ref)
        self._add_to_index(owner, record)
        record.text = ""  # the index has it; what waits here stays small
        self._owners.append(owner)
        self._messages.append((record, source, reader))

    def end(self, log: ReadLog) -> None:
        """Finish the source that was begun and keep its read log."""
        assert self._source is not None
        assert self._reader is not None
        for row in log.rows():
            self._reads.append(
                {
                    "source_path": self._source.source_path,
                    "reader": self._reader.name,
                    "reader_version": self._reader.version,
                    **asdict(row),
                }
            )

    def flush(self) -> None:
        """Write the rows that are waiting."""
        if self._messages:
            self._write_messages()
        if self._events:
            self._write_events()

    def _write_messages(self) -> None:
        waiting, self._messages = self._messages, []
        owners, self._owners = self._owners, []
        records = [record for record, _, _ in waiting]
        paths = [source.source_path for _, source, _ in waiting]
        first = waiting[0][1]
        rows = message_table(
            records,
            evidence_id=first.evidence_id,
            evidence_sha256=self.evidence_sha256,
            custodian=first.custodian,
            reader=[reader.name for _, _, reader in waiting],
            reader_version=[reader.version for _, _, reader in waiting],
            source_path=paths,
            owners=owners,
        )
        self._write("messages", rows)
        self._write(
            "attachments",
            attachment_table(
                records,
                evidence_sha256=self.evidence_sha256,
                source_path=paths,
                owners=owners,
            ),
        )

    def _add_to_index(self, owner: str, record: MessageRecord) -> None:
        sender = [record.from_name, record.from_addr, record.sender_addr]
        others = record.to_addrs + record.cc_addrs + record.bcc_addrs
        names = [attachment.name for attachment in record.attachments]
        self._index.add(
            owner,
            subject=record.subject or "",
            sender=" ".join(filter(None, sender)),
            people=" ".join(filter(None, others)),
            attachments=" ".join(filter(None, names)),
            text=record.text,
        )

    def _write_events(self) -> None:
        waiting, self._events = self._events, []
        self._write(
            "events",
            event_table(
                [record for record, _ in waiting],
                evidence_id=waiting[0][1].evidence_id,
                evidence_sha256=self.evidence_sha256,
                source_path=[source.source_path for _, source in waiting],
            ),
        )

    def _write(self, table: str, rows: pa.Table) -> None:
        if rows.num_rows:
            self._writers[table].write_table(rows)
