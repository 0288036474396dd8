"""Whether a message is whole: parts closed, lengths as declared, bytes as first read."""

from __future__ import annotations

import hashlib
import re

from mailforensics.checks.base import Item, MessageCheck, Verdict
from mailforensics.schema import DEFECTS, CheckStatus, Completeness, RawKind

__all__ = ["MimeComplete"]

_MISSING = (
    "truncated_start", "truncated_end", "boundary_not_closed", "base64_truncated",
    "attachment_missing", "no_body",
)  # fmt: skip
_DOUBTFUL = (
    "boundary_missing", "boundary_not_found", "base64_garbage", "unknown_transfer_encoding",
    "attachment_unreadable", "body_unreadable", "rtf_undecodable", "property_unreadable",
    "size_mismatch", "end_undecided", "too_deep", "too_many_parts", "recipients_missing",
)  # fmt: skip
_NUMBER = re.compile(rb"\s*(\d{1,15})\s*")


class MimeComplete(MessageCheck):
    """Looks for signs that bytes of a message are missing."""

    NAME = "mime_complete"
    TITLE = "Messages complete"
    QUESTION = "Is the whole message there, from its first header to its last boundary?"
    PROVES = (
        "Every part that the message opens is closed, encoded parts end where they should, and "
        "sizes that are declared are met."
    )
    PROVES_NOT = "That nothing was cut out or exchanged so well that the structure still fits."
    WORDS = {  # noqa: RUF012 - a class constant
        "pass": "are complete",
        "fail": "have parts missing",
        "warn": "are to be looked at",
        "not_applicable": "have no bytes to examine",
    }

    def judge(self, item: Item) -> Verdict:
        """Return the verdict about one message."""
        if item.raw is None:
            return self._without_bytes(item)
        row = item.row
        defects = list(row["defects"] or [])
        missing = [DEFECTS[code] for code in _MISSING if code in defects]
        doubtful = [DEFECTS[code] for code in _DOUBTFUL if code in defects]
        if row["completeness"] not in (None, Completeness.COMPLETE.value) and not missing:
            missing.append(f"Only part of it is there ({_WORDS[row['completeness']]}).")
        if not item.rebuilt:
            missing += self._changed(item)
            missing += self._short(item)
        if missing:
            said = "The message is not complete."
            return Verdict(CheckStatus.FAIL, said, " ".join([*missing, *doubtful]))
        if doubtful:
            return Verdict(
                CheckStatus.WARN, "It may not be complete, or was damaged.", " ".join(doubtful)
            )
        built = " It was built from stored properties." if item.rebuilt else ""
        return Verdict(CheckStatus.PASS, f"The message is complete.{built}")

    def _without_bytes(self, item: Item) -> Verdict:
        if item.row["raw_kind"] in (None, RawKind.NONE.value):
            said = "Only traces of the message exist; its bytes are gone."
            return Verdict(CheckStatus.NOT_APPLICABLE, said)
        return Verdict(CheckStatus.WARN, "Its bytes could not be read again.", item.trouble)

    def _changed(self, item: Item) -> list[str]:
        """Compare the bytes with what was noted when they were first read."""
        raw, row = item.raw or b"", item.row
        if row["sha256"] is not None and hashlib.sha256(raw).hexdigest() != row["sha256"]:
            return ["The bytes are not those that were first read: their SHA-256 differs."]
        if row["sha256"] is None and row["size"] is not None and len(raw) != row["size"]:
            return [f"It has {len(raw):,} bytes; {row['size']:,} were first read."]
        return []

    def _short(self, item: Item) -> list[str]:
        """Compare the body with a Content-Length header, counting line ends either way."""
        found = [_NUMBER.fullmatch(value) for value in item.values("content-length")]
        if not found or found[0] is None or item.headers is None or item.raw is None:
            return []
        declared, body = int(found[0][1]), len(item.raw) - item.headers.body
        lines = item.raw.count(b"\n", item.headers.body)
        crlf = item.raw.count(b"\r\n", item.headers.body)
        if body + lines - crlf + 2 >= declared:
            return []
        return [f"The body has {body:,} bytes; its header declares {declared:,}."]


_WORDS = {
    Completeness.PARTIAL.value: "a part is missing",
    Completeness.HEADERS_ONLY.value: "headers only",
    Completeness.METADATA_ONLY.value: "facts about it only",
}
