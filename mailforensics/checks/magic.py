"""What a file is, by its first bytes; and whether its end is there."""

from __future__ import annotations

import io
import struct
import zipfile
import zlib
from lzma import LZMAError
from types import MappingProxyType

__all__ = ["BY_MEDIA_TYPE", "BY_SUFFIX", "NAMES", "PROGRAMS", "broken", "identify"]

_HEADS = (
    (0, b"%PDF-", "pdf"), (0, b"\xd0\xcf\x11\xe0\xa1\xb1\x1a\xe1", "ole"),
    (0, b"PK\x03\x04", "zip"), (0, b"PK\x05\x06", "zip"), (0, b"{\\rtf", "rtf"),
    (0, b"\x89PNG\r\n\x1a\n", "png"), (0, b"\xff\xd8\xff", "jpeg"), (0, b"GIF87a", "gif"),
    (0, b"GIF89a", "gif"), (0, b"II*\x00", "tiff"), (0, b"MM\x00*", "tiff"),
    (8, b"WEBP", "webp"), (8, b"WAVE", "wav"), (8, b"AVI ", "avi"), (0, b"Rar!\x1a\x07", "rar"),
    (0, b"7z\xbc\xaf\x27\x1c", "7z"), (0, b"\x1f\x8b", "gzip"), (0, b"BZh", "bz2"),
    (0, b"\xfd7zXZ\x00", "xz"), (0, b"\x7fELF", "program"),
    (0, b"L\x00\x00\x00\x01\x14\x02\x00", "shortcut"), (0, b"#!", "script"), (0, b"ID3", "mp3"),
    (0, b"OggS", "ogg"), (0, b"fLaC", "flac"), (0, b"\x1aE\xdf\xa3", "matroska"),
    (0, b"%!PS", "postscript"), (0, b"!BDN", "pst"), (0, b"SQLite format 3\x00", "sqlite"),
    (0, b"8BPS", "psd"), (0, b"\x78\x9f\x3e\x22", "tnef"), (0, b"AC10", "dwg"),
)  # fmt: skip

NAMES = MappingProxyType(
    {
        "pdf": "a PDF", "ole": "an Office file of the old kind", "zip": "a ZIP archive",
        "docx": "a Word file", "xlsx": "an Excel file", "pptx": "a PowerPoint file",
        "odf": "an OpenDocument file", "rtf": "an RTF text", "png": "a PNG picture",
        "jpeg": "a JPEG picture", "gif": "a GIF picture", "bmp": "a BMP picture",
        "tiff": "a TIFF picture", "webp": "a WebP picture", "heif": "a HEIC picture",
        "mp4": "a video", "mp3": "sound", "wav": "sound", "ogg": "sound", "flac": "sound",
        "avi": "a video", "matroska": "a video", "rar": "a RAR archive", "7z": "a 7-Zip archive",
        "gzip": "a gzip archive", "bz2": "a bzip2 archive", "xz": "an xz archive",
        "program": "a program", "shortcut": "a Windows shortcut", "script": "a script",
        "postscript": "PostScript", "pst": "an Outlook data file", "sqlite": "a SQLite database",
        "psd": "a Photoshop picture", "tnef": "a winmail.dat", "dwg": "a CAD drawing",
        "html": "HTML", "xml": "XML", "text": "text",
    }
)  # fmt: skip
"""Kind -> what it is called."""

PROGRAMS = frozenset({"program", "shortcut", "script"})
"""Kinds that do something when they are opened."""

_TEXT = frozenset({"text", "html", "xml"})
_OFFICE = frozenset({"ole", "rtf"})

BY_SUFFIX = MappingProxyType(
    {
        "pdf": {"pdf"}, "doc": _OFFICE | {"html", "xml"}, "dot": _OFFICE,
        "xls": _OFFICE | {"html", "xml", "text"}, "ppt": {"ole"}, "msg": {"ole"},
        "docx": {"docx"}, "docm": {"docx"}, "xlsx": {"xlsx"}, "xlsm": {"xlsx"},
        "pptx": {"pptx"}, "pptm": {"pptx"}, "odt": {"odf"}, "ods": {"odf"}, "odp": {"odf"},
        "rtf": {"rtf"}, "zip": {"zip", "docx", "xlsx", "pptx", "odf"}, "rar": {"rar"},
        "7z": {"7z"}, "gz": {"gzip"}, "tgz": {"gzip"}, "bz2": {"bz2"}, "xz": {"xz"},
        "png": {"png"}, "jpg": {"jpeg"}, "jpeg": {"jpeg"}, "gif": {"gif"}, "bmp": {"bmp"},
        "tif": {"tiff"}, "tiff": {"tiff"}, "webp": {"webp"}, "heic": {"heif"}, "mp4": {"mp4"},
        "mov": {"mp4"}, "m4a": {"mp4"}, "wav": {"wav"}, "avi": {"avi"}, "ogg": {"ogg"},
        "txt": _TEXT, "csv": _TEXT, "log": _TEXT, "ics": _TEXT, "vcf": _TEXT, "eml": _TEXT,
        "htm": _TEXT, "html": _TEXT, "xml": _TEXT, "json": _TEXT, "exe": {"program"},
        "dll": {"program"}, "lnk": {"shortcut"}, "ps": {"postscript"}, "pst": {"pst"},
        "psd": {"psd"},
    }
)  # fmt: skip
"""Suffix of a file name -> kinds that may stand under it."""

_OOXML = "application/vnd.openxmlformats-officedocument."
BY_MEDIA_TYPE = MappingProxyType(
    {
        "application/pdf": {"pdf"}, "application/msword": _OFFICE | {"html", "xml", "docx"},
        "application/vnd.ms-excel": _OFFICE | {"html", "xml", "text", "xlsx"},
        "application/vnd.ms-powerpoint": {"ole", "pptx"}, "application/rtf": {"rtf"},
        _OOXML + "wordprocessingml.document": {"docx"},
        _OOXML + "spreadsheetml.sheet": {"xlsx"},
        _OOXML + "presentationml.presentation": {"pptx"},
        "application/zip": {"zip", "docx", "xlsx", "pptx", "odf"},
        "application/x-zip-compressed": {"zip", "docx", "xlsx", "pptx", "odf"},
        "image/png": {"png"}, "image/jpeg": {"jpeg"}, "image/jpg": {"jpeg"},
        "image/gif": {"gif"}, "image/bmp": {"bmp"}, "image/tiff": {"tiff"},
        "image/webp": {"webp"}, "application/gzip": {"gzip"}, "application/x-gzip": {"gzip"},
        "text/html": _TEXT, "text/xml": _TEXT, "application/xml": _TEXT,
    }
)  # fmt: skip
"""Media type -> kinds that may stand under it; a type that says little is not here."""


def identify(data: bytes) -> str | None:
    """Return the kind of a file, None when its bytes do not say."""
    for place, head, kind in _HEADS:
        if data.startswith(head, place):
            return _zip_kind(data) if kind == "zip" else kind
    if data[4:8] == b"ftyp":
        return "heif" if data[8:12] in {b"heic", b"heix", b"mif1", b"hevc"} else "mp4"
    if data[:2] == b"MZ" and _is_program(data):
        return "program"
    if data[:2] == b"BM" and len(data) > 26 and data[14] in (12, 40, 108, 124):
        return "bmp"
    return _text_kind(data[:4096])


def _is_program(data: bytes) -> bool:
    """Whether the header of DOS programs points to one for Windows, or looks like one for DOS."""
    if len(data) < 64:
        return False
    place = int.from_bytes(data[60:64], "little")
    return data[place : place + 2] in {b"PE", b"NE", b"LE"} or data[24:26] in {b"\x40\0", b"\x1e\0"}


def _zip_kind(data: bytes) -> str:
    """Tell Office files from other archives by the names at the head and the tail."""
    ends = data[:65_536] + data[-65_536:]
    if b"mimetypeapplication/vnd.oasis.opendocument" in data[:200]:
        return "odf"
    if b"[Content_Types].xml" in ends:
        for folder, kind in ((b"word/", "docx"), (b"xl/", "xlsx"), (b"ppt/", "pptx")):
            if folder in ends:
                return kind
    return "zip"


def _text_kind(head: bytes) -> str | None:
    start = head.removeprefix(b"\xef\xbb\xbf").lstrip()[:200].lower()
    if start.startswith((b"<!doctype html", b"<html", b"<head", b"<body")):
        return "html"
    if start.startswith(b"<?xml"):
        return "xml"
    if head.startswith((b"\xff\xfe", b"\xfe\xff")):
        return "text"
    plain = not any(sign < 9 or 13 < sign < 27 for sign in head)
    return "text" if head and plain else None


def broken(kind: str, data: bytes) -> tuple[str | None, bool]:
    """Return what shows that the end or the inside of a file is damaged, and whether for certain.

    Returns
    -------
    tuple
        A sentence or None; and whether bytes are missing for certain.
    """
    if kind in {"zip", "docx", "xlsx", "pptx", "odf"}:
        return _broken_zip(data)
    if kind == "pdf" and b"%%EOF" not in data[-2048:]:
        return "The end mark of the PDF is missing.", True
    if kind == "png" and b"IEND" not in data[-64:]:
        return "The end mark of the picture is missing.", True
    if kind == "jpeg" and b"\xff\xd9" not in data[-65_536:]:
        return "The end mark of the picture is missing.", True
    if kind == "gif" and not data.rstrip(b"\x00").endswith(b";"):
        return "The end mark of the picture is missing.", False
    return None, False


_MOST_MEMBERS = 5_000
_MOST_BYTES = 256 << 20


def _broken_zip(data: bytes) -> tuple[str | None, bool]:
    """Unpack an archive into nothing, so that its checksums are compared; at most 256 MB."""
    try:
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            members = archive.infolist()
            if len(members) > _MOST_MEMBERS:
                return f"It holds {len(members):,} files; they were not tested.", False
            return _test_members(archive, members)
    except _ZIP_FAULTS as error:
        return f"The archive cannot be opened: {error or type(error).__name__}.", True


_ZIP_FAULTS = (
    zipfile.BadZipFile, zipfile.LargeZipFile, zlib.error, LZMAError, EOFError, OSError, ValueError,
    NotImplementedError, RuntimeError, struct.error, OverflowError, KeyError, IndexError,
)  # fmt: skip


def _test_members(
    archive: zipfile.ZipFile, members: list[zipfile.ZipInfo]
) -> tuple[str | None, bool]:
    left = _MOST_BYTES
    for member in members:
        if member.flag_bits & 1:
            return "It is protected with a password; its content was not tested.", False
        with archive.open(member) as stream:
            while part := stream.read(1 << 16):
                left -= len(part)
                if left < 0:
                    return "It unpacks to more than 256 MB; the rest was not tested.", False
    return None, False
