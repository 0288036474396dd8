"""Copies of a mailbox that follow each other: what an earlier one has and the latest has not."""

from __future__ import annotations

from dataclasses import dataclass
from functools import lru_cache

import numpy as np
import pandas as pd

from mailforensics.comparison.frames import Codes, Mask, codes, false, is_in, put, timestamp, values
from mailforensics.comparison.identity import clean_ids, same_as
from mailforensics.comparison.places import Holders, mailbox_keys, row_folders
from mailforensics.schema import Completeness, Confidence, DeletedAtKind, DeletionState, RawKind

__all__ = ["Copy", "Succession", "absent_later", "moment_text", "with_children"]

_LIVE = (DeletionState.LIVE, DeletionState.ABSENT_LATER)
_PUT_AWAY = (DeletionState.IN_DELETED_FOLDER, DeletionState.MARKED_DELETED)
_MAX_NESTING = 50


@lru_cache(maxsize=1024)
def moment_text(moment: pd.Timestamp | None) -> str:
    """Say when, with the zone unless it is a day alone."""
    if moment is None:
        return ""
    whole_day = moment == moment.normalize()
    return f"{moment:%Y-%m-%d}" if whole_day else f"{moment:%Y-%m-%d %H:%M} UTC"


@dataclass(frozen=True, slots=True)
class Copy:
    """One copy of a mailbox, an evidence item."""

    evidence_id: str
    as_of: pd.Timestamp | None
    supersedes: str | None

    @property
    def text(self) -> str:
        """Name it in a sentence."""
        when = moment_text(self.as_of)
        return (
            f"the copy of {when} ({self.evidence_id})" if when else f"the copy {self.evidence_id}"
        )


class Succession:
    """Which copy follows which.

    A copy that says it follows a later one (by ``as_of``) is not believed, nor is a circle.
    A later copy without a single message is left out unless the read log shows that it was read:
    an unread copy must not make everything before it look deleted.
    """

    def __init__(
        self, evidence: pd.DataFrame, held: set[str], reads: pd.DataFrame | None = None
    ) -> None:
        self.copies: dict[str, Copy] = {}
        columns = (evidence[name] for name in ("evidence_id", "as_of", "supersedes"))
        for name, as_of, earlier in zip(*columns, strict=True):
            follows = None if pd.isna(earlier) or not earlier else str(earlier)
            self.copies[name] = Copy(name, timestamp(as_of), follows)
        self.damaged, read = _readings(reads)
        self.known = held | (read - self.damaged)
        self.next: dict[str, list[str]] = {}
        for copy in self.copies.values():
            if copy.supersedes in self.copies and self._follows(copy):
                self.next.setdefault(str(copy.supersedes), []).append(copy.evidence_id)

    def _follows(self, copy: Copy) -> bool:
        earlier = self.copies[str(copy.supersedes)]
        if copy.as_of is not None and earlier.as_of is not None and copy.as_of < earlier.as_of:
            return False
        seen = {copy.evidence_id}
        at: str | None = copy.supersedes
        while at is not None and at in self.copies:
            if at in seen:
                return False
            seen.add(at)
            at = self.copies[at].supersedes
        return True

    def later(self, evidence_id: str) -> list[str]:
        """Return the copies after one that were read, the nearest first."""
        found: list[str] = []
        waiting = list(self.next.get(evidence_id, []))
        while waiting:
            at = waiting.pop(0)
            found.append(at)
            waiting += self.next.get(at, [])
        return [each for each in found if each in self.known]

    def latest(self, evidence_id: str) -> list[str]:
        """Return the copies at the end of the succession after one."""
        later = self.later(evidence_id)
        return [each for each in later if not self.later(each)]


def _readings(reads: pd.DataFrame | None) -> tuple[set[str], set[str]]:
    """Return the items of which something could not be read, and all that were read."""
    if reads is None:
        return set(), set()
    totals = reads[is_in(reads["row_kind"], ["source"])]
    declared = totals["declared"].fillna(0).to_numpy(dtype=np.int64)
    accounted = sum(totals[name].fillna(0).to_numpy(dtype=np.int64) for name in ("read", "skipped"))
    return set(totals["evidence_id"][declared > accounted]), set(totals["evidence_id"])


def absent_later(
    messages: pd.DataFrame, evidence: pd.DataFrame, *, reads: pd.DataFrame | None = None
) -> pd.DataFrame:
    """Mark what an earlier copy of a mailbox has and the latest copy has not.

    What counts is the latest copy: a message that is missing in one copy and back in the next is
    not deleted; one that was moved, or of which one of two copies is gone, is not either. A
    message that the latest copy has only as deleted mail counts as absent from where it stood.
    The same content makes the same message; where the two copies were read by different readers,
    or an instance is incomplete, the same Message-ID is enough.

    Parameters
    ----------
    messages : DataFrame
        Rows of the messages table.
    evidence : DataFrame
        Rows of the evidence table; ``supersedes`` names the copy that each follows.
    reads : DataFrame, optional
        The read log: copies of which something could not be read make the statement weaker.

    Returns
    -------
    DataFrame
        ``messages`` with ``deletion_state`` ``absent_later``, basis, confidence, ``deleted_at``
        (the moment of the first copy that lacks it) and ``deleted_at_kind`` set in such rows:
        ``between`` the copy that the basis names and that moment, or ``not_after`` it.
    """
    result = messages.copy()
    held = set(messages["evidence_id"][~is_in(messages["deletion_state"], ["known_only"])])
    succession = Succession(evidence, held, reads)
    earlier = [each for each in succession.copies if each in held and succession.latest(each)]
    if earlier:
        comparison = _Comparison(result, succession)
        for evidence_id in earlier:
            comparison.mark(evidence_id)
        comparison.write(result)
    return with_children(result)


class _Comparison:
    """The columns that comparing needs, as arrays, and what was found."""

    def __init__(self, messages: pd.DataFrame, succession: Succession) -> None:
        self.succession = succession
        self.names = messages["evidence_id"].to_numpy(dtype=object)
        top = messages["parent_item_id"].isna().to_numpy(dtype=bool)
        self.live = top & is_in(messages["deletion_state"], _LIVE)
        self.now_live = top & is_in(messages["deletion_state"], [DeletionState.LIVE])
        self.put_away = top & is_in(messages["deletion_state"], _PUT_AWAY)
        self.group, _ = pd.factorize(same_as(messages))
        self.ids, _ = pd.factorize(clean_ids(messages["message_id"]))
        self.reader = codes(messages["reader"].fillna(""))
        self.exact = is_in(messages["completeness"], [Completeness.COMPLETE]) & is_in(
            messages["raw_kind"], [RawKind.ORIGINAL]
        )
        self.mailbox = mailbox_keys(messages["mailbox"])
        self.folder_name = messages["folder"].fillna("").to_numpy(dtype=object)
        self.folder, _ = pd.factorize(pd.Series([" ".join(key) for key in row_folders(messages)]))
        self.found: dict[int, tuple[str, str, pd.Timestamp | None, str | None]] = {}

    def holds(self, evidence_id: str, rows: Codes, holding: Mask) -> Mask:
        """Say which rows have their message among the holding rows of another copy."""
        part = np.concatenate([rows, np.flatnonzero(holding & (self.names == evidence_id))])
        there = np.arange(len(part)) >= len(rows)
        boxes = self.mailbox.iloc[part].reset_index(drop=True)
        own = _share_mailboxes(boxes[~there], boxes[there])
        one = np.zeros(len(part), dtype=np.int64)
        same = Holders(self.group[part], one, boxes).counts(there, own=own) > 0
        ids = Holders(self.ids[part], one, boxes)
        exact, reader = self.exact[part], self.reader[part]
        loose = ids.counts(there & ~exact, own=own) > 0
        any_of = ids.counts(there, own=own)
        alike = Holders(_pairs(self.ids[part], reader), one, boxes).counts(there & exact, own=own)
        other_reader = any_of - ids.counts(there & ~exact, own=own) > alike
        by_id = np.where(exact, loose | other_reader, any_of > 0)
        return (same | by_id)[: len(rows)]

    def mark(self, evidence_id: str) -> None:
        """Compare one copy with all that follow it."""
        mine = self.names == evidence_id
        later = self.succession.later(evidence_id)
        ends = set(self.succession.latest(evidence_id))
        for rows, holding in (
            (np.flatnonzero(mine & self.now_live), self.live),
            (np.flatnonzero(mine & self.put_away), self.live | self.put_away),
        ):
            if not len(rows):
                continue
            shown = {each: self.holds(each, rows, holding) for each in later}
            gone = ~np.logical_or.reduce([shown[each] for each in ends])
            self._note(evidence_id, rows[gone], later, {k: v[gone] for k, v in shown.items()})

    def _note(
        self, evidence_id: str, rows: Codes, later: list[str], shown: dict[str, Mask]
    ) -> None:
        if not len(rows):
            return
        last = np.full(len(rows), -1)
        missing = np.zeros(len(rows), dtype=np.int64)
        for number, each in enumerate(later):
            last[shown[each]] = number
            missing[shown[each]] = min(number + 1, len(later) - 1)
        texts = _Texts(self, evidence_id, later)
        for end in set(missing.tolist()):
            texts.prepare(rows, later[end])
        for row, seen, first in zip(rows.tolist(), last.tolist(), missing.tolist(), strict=True):
            self.found[row] = texts.of(row, None if seen < 0 else later[seen], later[first])

    def write(self, messages: pd.DataFrame) -> None:
        """Set the deletion columns of what was found, keeping an exact time that is known."""
        rows = sorted(self.found)
        mask = np.zeros(len(messages), dtype=bool)
        mask[rows] = True
        found = [self.found[row] for row in rows]
        exact = is_in(messages["deleted_at_kind"], [DeletedAtKind.EXACT])
        put(messages, "deletion_state", mask, [str(DeletionState.ABSENT_LATER)] * len(rows))
        put(messages, "deletion_basis", mask, [each[0] for each in found])
        put(messages, "confidence", mask, [each[1] for each in found])
        timed = [each for row, each in zip(rows, found, strict=True) if not exact[row]]
        put(messages, "deleted_at", mask & ~exact, [each[2] for each in timed])
        put(messages, "deleted_at_kind", mask & ~exact, [each[3] for each in timed])


def _pairs(left: Codes, right: Codes) -> Codes:
    """Give each pair of codes a number; -1 where the left is missing."""
    return np.where(left >= 0, left * (int(right.max(initial=0)) + 1) + right, -1)


def _share_mailboxes(mine: pd.Series, theirs: pd.Series) -> bool:
    """Say whether two copies name mailboxes alike, so that they can be held apart."""
    personal = set(mine[mine.str.contains("@", regex=False).to_numpy(dtype=bool)])
    return bool(personal & set(theirs))


class _Texts:
    """Basis and confidence of the rows of one copy, worded once for each kind of case."""

    def __init__(self, comparison: _Comparison, evidence_id: str, later: list[str]) -> None:
        self.data = comparison
        self.mine = comparison.succession.copies[evidence_id]
        self.later = later
        self.put_away: dict[str, set[int]] = {}
        self.same_id: dict[str, set[int]] = {}
        self.folders: dict[str, set[int]] = {}

    def prepare(self, rows: Codes, copy: str) -> None:
        """Find out how the copy that lacks them differs."""
        data = self.data
        theirs = data.names == copy
        self.put_away[copy] = set(rows[data.holds(copy, rows, data.put_away)].tolist())
        visible = (data.live | data.put_away) & theirs
        self.same_id[copy] = set(
            rows[np.isin(data.ids[rows], data.ids[visible & (data.ids >= 0)])].tolist()
        )
        self.folders[copy] = set(data.folder[visible].tolist())

    def of(
        self, row: int, seen: str | None, missing: str
    ) -> tuple[str, str, pd.Timestamp | None, str | None]:
        """Return basis, confidence, time and kind of time of one row."""
        copies = self.data.succession.copies
        folder = self.data.folder_name[row]
        text = f"In {self.mine.text}{f', folder {folder}' if folder else ''}"
        if seen is not None:
            text += f", and still in {copies[seen].text}"
        confidence = Confidence.CERTAIN
        if row in self.put_away[missing]:
            text += f"; in {copies[missing].text} only as deleted mail."
        else:
            text += f"; not in {copies[missing].text}."
            if row in self.same_id[missing]:
                text += " Another content with the same Message-ID is there."
                confidence = Confidence.POSSIBLE
            elif self.data.folder[row] not in self.folders[missing]:
                text += " That copy has no message in this folder."
                confidence = Confidence.PROBABLE
        if missing in self.data.succession.damaged and confidence is Confidence.CERTAIN:
            text += " Some of that copy could not be read."
            confidence = Confidence.PROBABLE
        end = copies[missing].as_of
        start = copies[seen].as_of if seen is not None else self.mine.as_of
        kind = None if end is None else "between" if start is not None else "not_after"
        return text, str(confidence), end, kind


def with_children(messages: pd.DataFrame) -> pd.DataFrame:
    """Let live messages that are carried by an absent one share its state."""
    carried = messages["parent_item_id"].notna().to_numpy(dtype=bool)
    if not carried.any():
        return messages
    columns = ["deletion_state", "deletion_basis", "confidence"]
    columns += ["deleted_at", "deleted_at_kind", "deleted_by"]
    for _ in range(_MAX_NESTING):
        gone = messages[is_in(messages["deletion_state"], [DeletionState.ABSENT_LATER])]
        mask = carried & is_in(messages["deletion_state"], [DeletionState.LIVE])
        mask &= false(messages["parent_item_id"].isin(gone["item_id"]))
        if not mask.any():
            break
        parents = gone.drop_duplicates("item_id").set_index("item_id")
        rows = parents.loc[messages["parent_item_id"][mask].tolist()]
        for column in columns:
            put(messages, column, mask, values(rows[column]))
    return messages
