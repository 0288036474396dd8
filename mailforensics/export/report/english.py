"""The report in English."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

__all__ = ["ENGLISH"]

ENGLISH: Mapping[str, str] = MappingProxyType(
    {
        "title": "Report on deleted mail",
        "case": "Case",
        "examiner": "Examiner",
        "organisation": "Organisation",
        "reference": "Reference",
        "question": "Question put",
        "made": "Report made",
        "zone": "Times shown in",
        "zone_note": "{tz}, each with its distance from UTC",
        "program": "Program",
        "evidence_count": "{n} item of evidence|{n} items of evidence",
        # ---- the first page
        "in_short": "In short",
        "headline": "{total} messages are deleted: {whole} can come back whole, {in_part} in part, "
        "{traces_only} are known only by their traces.",
        "tile_total": "deleted",
        "tile_whole": "can come back whole",
        "tile_in_part": "can come back in part",
        "tile_traces": "known only by traces",
        "still_live": "{n} more deleted copy is of a message that still exists in a mailbox; it is "
        "not counted.|{n} more deleted copies are of messages that still exist in a mailbox; they "
        "are not counted.",
        "happened": "What happened",
        "happened_none": "No message in this evidence is deleted.",
        "happened_when": "The deletions whose moment is known took place between {first} and "
        "{last} ({n} message).|The deletions whose moment is known took place between {first} and "
        "{last} ({n} messages).",
        "happened_once": "The moment of deletion is known for {n} message: {first}.|The moment of "
        "deletion is known for {n} messages, the same for all: {first}.",
        "happened_no_time": "The evidence does not say when the messages were deleted.",
        "happened_by": "By the records, {n} message was deleted under the account {who}.|By the "
        "records, {n} messages were deleted under the account {who}.",
        "happened_other": "Other accounts deleted {n} message.|Other accounts deleted {n} "
        "messages.",
        "happened_no_actor": "The evidence does not say who deleted the messages.",
        "happened_from": "The deletions in the logs came from {addresses}.",
        "happened_where": "The deleted messages come from {folders}.",
        "no_folder": "places without a folder name",
        "account_note": "An account is not a person: who sat at the computer is for others to "
        "find out.",
        "back": "What can be given back",
        "back_whole": "{n} message can come back whole.|{n} messages can come back whole.",
        "back_in_part": "{n} message can come back in part.|{n} messages can come back in part.",
        "back_exact": "Of the messages listed below, {n} is there byte for byte as it was "
        "stored.|Of the messages listed below, {n} are there byte for byte as they were stored.",
        "back_rebuilt": "{n} is put together again from what Outlook stores.|{n} are put together "
        "again from what Outlook stores.",
        "back_exported": "{n} message has been exported so far; the list of hashes is in section "
        "{section}.|{n} messages have been exported so far; the list of hashes is in section "
        "{section}.",
        "back_not_exported": "Nothing has been exported yet.",
        "unknown": "What remains unknown",
        "unknown_traces": "Of {n} message only traces exist; its text is gone.|Of {n} messages "
        "only traces exist; their text is gone.",
        "unknown_time": "When {n} message was deleted is not known.|When {n} messages were "
        "deleted is not known.",
        "unknown_actor": "By whom {n} message was deleted is not known.|By whom {n} messages were "
        "deleted is not known.",
        "unknown_possible": "For {n} message the deletion is possible, not certain or "
        "probable.|For {n} messages the deletion is possible, not certain or probable.",
        "unknown_failed": "{n} item of the evidence could not be read (section {section}).|{n} "
        "items of the evidence could not be read (section {section}).",
        "unknown_unbalanced": "The count of {n} source does not balance (section {section}).|The "
        "counts of {n} sources do not balance (section {section}).",
        "unknown_checks": "{n} check found something to look at (section {section}).|{n} checks "
        "found something to look at (section {section}).",
        "unknown_unchecked": "No checks have been run.",
        "unknown_nothing": "Nothing that this evidence could have told is missing.",
        "unknown_outside": "What lies outside this evidence is not known to this report.",
        "contents": "Contents",
        # ---- findings
        "findings": "Findings",
        "findings_intro": "One row for each deleted message, newest first. Where a message was "
        "found in several places, the best copy stands here.",
        "findings_none": "No message in this evidence is deleted.",
        "number": "No.",
        "sent": "Sent",
        "message": "Message",
        "deleted": "Deleted",
        "left": "What is left",
        "no_subject": "(no subject)",
        "no_sender": "(sender unknown)",
        "unknown_date": "date unknown",
        "from_to": "From {sender} to {recipients}",
        "nobody": "(no recipients)",
        "and_more": "and {n} more",
        "in_folder": "Folder {folder}",
        "of_mailbox": "mailbox {mailbox}",
        "attachments": "{n} attachment|{n} attachments",
        "by": "by {who}",
        "more_characters": "… ({n} more character)|… ({n} more characters)",
        "shown": "One is listed.|All {n} are listed.",
        "shown_some": "The first {shown} of {n} are listed; the rest are in {where}.",
        "the_manifest": "the table of deleted messages of the case and the manifest of the export",
        "the_case": "the tables of the case",
        "at.exact": "{time}",
        "at.not_before": "not before {time}",
        "at.not_after": "not after {time}",
        "at.between": "about {time}; the span is in the basis",
        "at.unknown": "time unknown",
        "state.live": "live",
        "state.in_deleted_folder": "in a folder of deleted items",
        "state.marked_deleted": "marked as deleted, not yet removed",
        "state.recoverable": "removed, kept by the system for recovery",
        "state.orphaned": "removed, bytes still in the store",
        "state.carved": "found outside any mailbox",
        "state.absent_later": "in an earlier copy, missing in a later one",
        "state.known_only": "gone, known only by traces",
        "explain.in_deleted_folder": "The message lies in Deleted Items, Trash or a folder "
        "like it.",
        "explain.marked_deleted": "A user or program has marked it; the mailbox has not yet been "
        "tidied up.",
        "explain.recoverable": "It was removed from the folders, and the mail system keeps it on "
        "purpose for a time.",
        "explain.orphaned": "No index of the mailbox lists it any more, but its bytes are still in "
        "the file.",
        "explain.carved": "It was recognised by its content on a disk or in a file that is no "
        "mailbox.",
        "explain.absent_later": "Two copies of the mailbox from different days were compared.",
        "explain.known_only": "An index, a log or a reply proves that it existed.",
        "confidence.certain": "certain",
        "confidence.probable": "probable",
        "confidence.possible": "possible",
        "completeness.complete": "whole",
        "completeness.partial": "in part",
        "completeness.headers_only": "header lines only",
        "completeness.metadata_only": "traces only",
        "raw.original": "as stored, byte for byte",
        "raw.rebuilt_from_mapi": "rebuilt from MAPI properties",
        "raw.fragment": "fragment",
        "raw.none": "no bytes",
        # ---- timeline
        "timeline": "Timeline",
        "timeline_none": "No figures were made.",
        "figure": "Figure {n}",
        "log_lines": "Deletions in the logs",
        "log_lines_intro": "What server and mailbox logs say was removed, oldest first.",
        "when": "When",
        "account": "Account",
        "address": "From address",
        "done": "What was done",
        "operation.mark_deleted": "marked as deleted",
        "operation.expunge": "removed for good",
        "operation.folder_delete": "folder deleted",
        "operation.move": "moved",
        # ---- balance
        "balance": "What was read",
        "balance_intro": "Every item that a source declares was read, could not be read, or was "
        "left out for a reason that is stated. The counts must balance.",
        "balance_none": "Nothing has been read yet.",
        "balance_sentence": "{declared} items declared = {read} read + {failed} failed + {skipped} "
        "left out.",
        "balanced": "The counts of all sources balance.",
        "unbalanced": "The count of {n} source does not balance.|The counts of {n} sources do not "
        "balance.",
        "source": "Source",
        "read_as": "Read as",
        "declared": "Declared",
        "read": "Read",
        "failed": "Failed",
        "skipped": "Left out",
        "balances": "Balances",
        "yes": "yes",
        "no": "no",
        "total": "Total",
        "faults": "Items not read, and notes",
        "faults_none": "No item failed and none was left out.",
        "place": "Place",
        "items": "Items",
        "kind": "Kind",
        "reason": "Reason",
        "rowkind.failed": "failed",
        "rowkind.skipped": "left out",
        "rowkind.note": "note",
        # ---- checks
        "checks": "Checks",
        "checks_intro": "Each check says what it found, what that proves and what it does not.",
        "checks_none": "No checks have been run.",
        "proves": "Proves",
        "proves_not": "Does not prove",
        "exceptions": "To look at",
        "about": "About",
        "found": "Found",
        "verdict": "Verdict",
        "whole_case": "the whole case",
        "evidence_item": "evidence {name}",
        "status.pass": "passed",
        "status.warn": "look at this",
        "status.fail": "failed",
        "status.not_applicable": "not applicable",
        "verdicts": "{passed} passed, {warned} to look at, {failed} failed, {unfit} not "
        "applicable.",
        # ---- evidence
        "evidence": "Evidence",
        "evidence_intro": "Each item was opened for reading only. Its hashes were taken when it "
        "was added to the case.",
        "evidence_none": "There is no evidence in this case.",
        "item": "Item",
        "description": "What it is",
        "custodian": "Whose",
        "size": "Size",
        "files": "{n} file|{n} files",
        "acquired": "Added",
        "as_of": "State of {time}",
        "hashes": "Hashes",
        # ---- exports
        "manifest": "Exports and their hashes",
        "manifest_intro": "SHA-256 of each file as it lies on the disk. The manifest beside the "
        "files has the way back to the evidence for each.",
        "manifest_none": "Nothing has been exported.",
        "same": "same as in the evidence",
        "rebuilt": "rebuilt: no original to compare with",
        "several": "one of several in this file",
        "file": "File",
        "export": "Export",
        # ---- custody
        "custody": "Custody log",
        "custody_intro": "Who did what in this case, and when. Each row holds the hash of the row "
        "before it, so that a changed or missing row is found.",
        "custody_none": "The custody log is empty.",
        "custody_holds": "The chain of hashes holds for all rows.",
        "custody_fault": "Row {row}: {what}",
        "who": "Who",
        "action": "Action",
        "detail": "Detail",
        "hash": "Hash",
        # ---- notes
        "notes": "Notes of the examiner",
        "notes_none": "No notes.",
        "signature": "Name, date, signature",
        # ---- method
        "method": "Method and limits",
        "method_read": "The evidence was hashed when it was added and opened for reading only; "
        "nothing in it was changed, repaired or compacted. Readers for each kind of source list "
        "every message, live or deleted, with its place, so that its bytes can be fetched again "
        "from the evidence.",
        "method_deleted": "A message is called deleted only on a stated basis: the folder it lies "
        "in, a mark that the store keeps, its absence from a later copy, or its being found where "
        "no index lists it. Each basis has a degree: certain, probable, possible.",
        "method_bytes": "Messages that the store keeps in their Internet form are given back byte "
        "for byte. Outlook files keep properties instead; their messages are rebuilt and marked "
        "so. A header line or date that is not there was not made up.",
        "method_times": "Times come from the message, the store or a log, each of which a sender "
        "or an operator can set. They are kept in UTC and shown in the zone of the case.",
        "method_limits": "Deleted mail whose space has been used again cannot come back. That "
        "nothing was found does not prove that nothing existed. Logs name accounts and addresses, "
        "not persons. Messages in encrypted containers are not read without their key.",
        "method_words": "Words for the state of a message",
        "method_text": "Text from the evidence is shown as text only. Signs that cannot be seen or "
        "that turn the direction of writing are shown as their code, such as ‹U+202E›; long text "
        "is cut, and the cut is stated.",
    }
)
