"""The READ_ME of an export: what lies here, how to check it, how to put it back."""

from __future__ import annotations

from collections.abc import Sequence
from types import MappingProxyType

from mailforensics._version import __version__
from mailforensics.export.cells import stamp, without_controls
from mailforensics.export.chosen import About, Outcome, count

__all__ = ["README", "readme"]

README = "READ_ME.txt"

_PUT_BACK = MappingProxyType(
    {
        "eml": """\
The messages are in the folder "messages", one file each. Their names begin with the date sent
({tz}) and end with the first digits of the item number in the manifest.

To put them back:
- Thunderbird: mark the files and drag them onto a folder.
- Outlook for Windows: a double click opens a file; then Move to Folder. For many, import them with
  Thunderbird into an IMAP folder of the same mailbox.
- A mail server with Maildir: copy the files into the folder "new" of a new Maildir folder.""",
        "mbox": """\
Each .mbox file holds many messages one after the other (form mboxrd). The columns file_offset and
file_length of the manifest say where each one lies.

To put them back:
- Thunderbird: close it, copy the file without ".mbox" into "Local Folders" of the profile.
- Apple Mail: File, Import Mailboxes.""",
        "pst": """\
All messages are in recovered.pst, in the folders that they were found in, below the folder
"Recovered mail". The column note of the manifest names the item of each. The file was read back
with another program; Outlook itself was not tried.

To put them back:
- Outlook for Windows: File, Open & Export, Open Outlook Data File; then copy what is needed into
  the mailbox.
- Outlook for Mac: File, Import, Outlook for Windows archive file (.pst).""",
        "csv": """\
The messages are in the folder "messages", one file each; loadfile.csv is the table of them, for a
spreadsheet or a review platform. Times are UTC where the heading says nothing else. A cell that a
spreadsheet would take for a formula begins with an apostrophe that is not part of the evidence.""",
    }
)

_TEXT = """\
Exported mail
=============
Case:        {case_name}
Examiner:    {examiner}
Exported:    {moment} ({tz})
Program:     mailforensics {version}

{chosen} messages were chosen: {written} were written and their hashes checked, {skipped} were left
out because their bytes are gone or they were chosen twice, {failed} failed.
manifest.csv has a row for each of them, with the reason.

{put_back}

To check that nothing was changed since, let mailforensics verify this folder, or compare the
SHA-256 of each file with the column file_sha256 of manifest.csv. manifest.csv.sha256 holds the
hash of the manifest itself. Do not edit or rename anything here: work on a copy.
Messages marked "rebuilt from MAPI properties" were put together from what Outlook stores, which
is not the text that once came over the Internet.
"""


def readme(outcomes: Sequence[Outcome], about: About) -> bytes:
    """Return the text, UTF-8 with a byte order mark and CRLF so that every editor shows it."""
    text = _TEXT.format(
        case_name=_line(about.case_name),
        examiner=_line(about.examiner),
        moment=stamp(about.moment, about.zone),
        tz=about.tz,
        version=__version__,
        chosen=len(outcomes),
        put_back=_PUT_BACK[about.form].format(tz=about.tz),
        **count(outcomes),
    )
    return text.replace("\n", "\r\n").encode("utf-8-sig")


def _line(text: str) -> str:
    return " ".join(without_controls(text).split()) or "-"
