"""The bytes behind the rows, and the search over them."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from mailforensics import mime, search
from mailforensics.case.registry import EvidenceRegistry
from mailforensics.errors import CaseError, MailForensicsError, NoBytes
from mailforensics.evidence import EvidenceKind
from mailforensics.ingest import CaseFolder, discover, locate
from mailforensics.mapi import MapiMessage
from mailforensics.readers import Source, load
from mailforensics.schema import RawKind

__all__ = ["Originals"]

_COLUMNS = ["item_id", "evidence_id", "reader", "source_path", "source_ref", "raw_kind"]


@dataclass(frozen=True, slots=True)
class _Place:
    evidence_id: str
    reader: str
    source_path: str
    source_ref: str
    raw_kind: str


class Originals:
    """Finds the bytes of any item again, in the evidence."""

    def __init__(self, folder: CaseFolder, registry: EvidenceRegistry) -> None:
        self.folder = folder
        self.registry = registry
        self._sources: dict[tuple[str, str], Source] = {}
        self._tables: dict[Path, pa.Table] = {}

    def forget(self) -> None:
        """Drop what is remembered of places; to be called when tables change."""
        self._sources.clear()
        self._tables.clear()

    def raw(self, item_id: str) -> bytes:
        """Return the bytes of a message.

        Raises
        ------
        CaseError
            The case has no such item.
        NoBytes
            Only traces of it exist.
        """
        place = self._place(item_id)
        if place.raw_kind == RawKind.NONE:
            raise NoBytes("Only traces of this message exist; its bytes are gone.")
        source = self._source(place.evidence_id, place.source_path)
        return load(place.reader).raw(source, place.source_ref)

    def mapi(self, item_id: str) -> MapiMessage | None:
        """Return a message with its MAPI properties as stored; None where it is stored as bytes."""
        place = self._place(item_id)
        if place.raw_kind != RawKind.REBUILT_FROM_MAPI:
            return None
        source = self._source(place.evidence_id, place.source_path)
        return load(place.reader).mapi(source, place.source_ref)

    def _place(self, item_id: str) -> _Place:
        for path in [*self.folder.parts_of("messages"), self.folder.assessed]:
            if not path.is_file():
                continue
            table = self._table(path)
            row = pc.index(table["item_id"], item_id).as_py()
            if row >= 0:
                found = table.slice(row, 1).to_pylist()[0]
                found.pop("item_id")
                return _Place(**found)
        raise CaseError(f"There is no item {item_id} in this case.")

    def _table(self, path: Path) -> pa.Table:
        if path not in self._tables:
            self._tables[path] = pq.read_table(path, columns=_COLUMNS).combine_chunks()
        return self._tables[path]

    def _source(self, evidence_id: str, source_path: str) -> Source:
        key = (evidence_id, source_path)
        known = self._sources.get(key)
        if known is None or not known.path.exists():
            self._find(evidence_id, source_path)
        return self._sources[key]

    def _find(self, evidence_id: str, source_path: str) -> None:
        item = next(each for each in self.registry.items() if each.evidence_id == evidence_id)
        working = self.folder.working(evidence_id)
        if item.kind in {EvidenceKind.ARCHIVE, EvidenceKind.IMAGE}:
            for source, _ in discover(item, working).sources:
                self._sources[evidence_id, source.source_path] = source
        if (evidence_id, source_path) not in self._sources:
            self._sources[evidence_id, source_path] = locate(item, source_path, working)

    def search(
        self, words: str, messages: pd.DataFrame, *, limit: int | None, tz: str
    ) -> pd.DataFrame:
        """Return the messages that match, best first, with the words around each hit."""
        found = self.matches(words, messages, tz=tz)
        if limit is not None:
            found = found.head(limit)
        found.insert(1, "surroundings", [self._around(each, words) for each in found["item_id"]])
        return found

    def matches(self, words: str, messages: pd.DataFrame, *, tz: str) -> pd.DataFrame:
        """Return the messages that match, best first, with their score."""
        query = search.parse(words)
        allowed = messages[search.filter_frame(messages, query, tz=tz)]
        indexes = sorted((self.folder.root / "index").glob("*/*.sqlite"))
        if query.has_words:
            hits = search.find(indexes, query)
            scores = pd.DataFrame(
                {"item_id": [hit.item_id for hit in hits], "score": [hit.score for hit in hits]}
            )
            found = scores.merge(allowed, on="item_id", how="inner")
        else:
            found = allowed.sort_values("sent_at", ascending=False, kind="stable")
            found.insert(0, "score", 0.0)
        return found.reset_index(drop=True)

    def _around(self, item_id: str, words: str) -> str:
        try:
            record = mime.read_message(self.raw(item_id), source_ref="")
        except MailForensicsError:
            return ""
        names = [each.name for each in record.attachments]
        people = [record.from_name, record.from_addr, *record.to_addrs, *record.cc_addrs]
        lines = [record.subject, record.text, " ".join(filter(None, names + people))]
        text = "\n".join(filter(None, lines))
        return search.surroundings(text, words)
