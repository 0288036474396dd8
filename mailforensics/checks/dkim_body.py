"""Whether the body still has the hash that its DKIM signature states: no key is needed."""

from __future__ import annotations

from mailforensics.checks.base import Item, MessageCheck, Verdict
from mailforensics.checks.signatures import BodyMatch, Signature, body_forms, match_body, signatures
from mailforensics.schema import CheckStatus, Completeness, RawKind

__all__ = ["DkimBody", "not_signed"]

_REBUILT = "It was built from stored properties, so its bytes are not those that were signed."


class DkimBody(MessageCheck):
    """Computes the body hash (``bh=``) of each DKIM signature again."""

    NAME = "dkim_body"
    TITLE = "Body as signed"
    QUESTION = "Is the body, attachments included, the one that the sending server signed?"
    PROVES = (
        "Not one sign of the body has changed since the DKIM-Signature header was written, if "
        "that header is genuine (the next check looks at that)."
    )
    PROVES_NOT = (
        "That the header itself is genuine: whoever forges a body can compute a new hash. A "
        "mismatch is no proof of forgery: mailing lists, virus scanners and disclaimers change "
        "bodies on the way."
    )
    WORDS = {  # noqa: RUF012 - a class constant
        "pass": "have the body that was signed",
        "fail": "have another body than was signed",
        "warn": "are covered in part, or are themselves a part",
        "not_applicable": "carry no signature that can be used",
    }

    def judge(self, item: Item) -> Verdict:
        """Return the verdict about one message."""
        found = signatures(item)
        reason = not_signed(item, found)
        if reason is not None:
            return Verdict(CheckStatus.NOT_APPLICABLE, reason)
        usable = [each for each in found if each.trouble is None]
        if not usable:
            return Verdict(CheckStatus.WARN, "Its signature cannot be read.", _troubles(found))
        bodies = list(body_forms(item))
        matches = [(each, match_body(each, bodies)) for each in usable]
        return _verdict(item, matches)


def not_signed(item: Item, found: list[Signature]) -> str | None:
    """Say why DKIM does not apply to a message, None when it does."""
    if item.rebuilt:
        return _REBUILT
    if item.raw is None:
        return "Its bytes are gone or cannot be read."
    if not found:
        return "It carries no DKIM signature."
    return None


def _verdict(item: Item, matches: list[tuple[Signature, BodyMatch | None]]) -> Verdict:
    whole = [(each, match) for each, match in matches if match is not None and not match.uncovered]
    detail = "; ".join(_describe(each, match) for each, match in matches)
    if whole:
        names = ", ".join(each.name for each, _ in whole)
        return Verdict(CheckStatus.PASS, f"The body is the one that was signed by {names}.", detail)
    part = [(each, match) for each, match in matches if match is not None]
    if part:
        said = f"Only a part of the body is covered by the signature of {part[0][0].name}."
        return Verdict(CheckStatus.WARN, said, detail)
    if _is_part(item):
        said = "The body is not whole, so it cannot have the signed hash."
        return Verdict(CheckStatus.WARN, said, detail)
    return Verdict(CheckStatus.FAIL, "The body is not the one that was signed.", detail)


def _is_part(item: Item) -> bool:
    row = item.row
    whole = row["completeness"] in (None, Completeness.COMPLETE.value)
    return row["raw_kind"] == RawKind.FRAGMENT.value or not whole


def _describe(signature: Signature, match: BodyMatch | None) -> str:
    if match is None:
        return f"{signature.name}: another hash"
    treated = "" if match.treatment == "as stored" else f", {match.treatment}"
    if match.uncovered:
        covered = len(match.canonical) - match.uncovered
        return (
            f"{signature.name}: same hash over the first {covered:,} bytes only (l= tag); "
            f"{match.uncovered:,} bytes after them are not covered{treated}"
        )
    return f"{signature.name}: same hash{treated}"


def _troubles(found: list[Signature]) -> str:
    return "; ".join(each.trouble for each in found if each.trouble)
