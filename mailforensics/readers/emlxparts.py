"""Attachments that Apple Mail keeps beside a message (.emlxpart, Attachments/)."""

from __future__ import annotations

import hashlib
from pathlib import Path

from mailforensics import mime
from mailforensics.mime.transfer import decode_transfer
from mailforensics.schema import AttachmentRecord, Completeness, MessageRecord

__all__ = ["fill_parts"]

_MARK = "x-apple-content-length"


def fill_parts(message: bytes, record: MessageRecord, path: Path) -> list[str]:
    """Give attachments that lie beside the message their size and digest.

    Parameters
    ----------
    message : bytes
        The message, in which the part is empty and says its length.
    record : MessageRecord
        Its record; changed in place.
    path : Path
        The .emlx file.

    Returns
    -------
    list of str
        Names of the attachments whose bytes are nowhere.
    """
    if b"x-apple-content-length" not in message.lower():
        return []
    parts = mime.parse(message).parts
    listed = {one.position: one for one in record.attachments}
    missing: list[str] = []
    for part in parts:
        if _MARK not in part.headers or part.data.strip() or part.position not in listed:
            continue
        data = _beside(path, part)
        if data is None:
            missing.append(part.name or f"part {part.section}")
            listed[part.position].size = listed[part.position].sha256 = None
        else:
            _fill(listed[part.position], data)
    _judge(record, missing)
    return missing


def _fill(attachment: AttachmentRecord, data: bytes) -> None:
    attachment.size = len(data)
    attachment.sha256 = hashlib.sha256(data).hexdigest()


def _judge(record: MessageRecord, missing: list[str]) -> None:
    if missing:
        record.completeness = Completeness.PARTIAL
        if "attachment_missing" not in record.defects:
            record.defects.append("attachment_missing")
    elif "attachment_missing" in record.defects:
        record.defects.remove("attachment_missing")


def _beside(path: Path, part: mime.Part) -> bytes | None:
    """Find the bytes of a part: an .emlxpart file (still encoded), or a saved file (decoded)."""
    number = path.name.partition(".")[0]
    try:
        encoded = path.with_name(f"{number}.{part.section}.emlxpart")
        if encoded.is_file():
            return decode_transfer(encoded.read_bytes(), part.encoding)[0]
        folder = path.parent.parent / "Attachments" / number / part.section
        saved = sorted(one for one in folder.iterdir() if one.is_file()) if folder.is_dir() else []
        return saved[0].read_bytes() if len(saved) == 1 else None
    except OSError:
        return None
