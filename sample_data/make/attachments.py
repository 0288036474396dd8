"""Small but real attachments: xlsx, PDF, PNG, CSV, iCalendar.

Nothing here is compressed by a library: what zlib writes differs between its versions, and the
sample must be the same bytes everywhere.
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime

__all__ = ["Attachment", "calendar_entry", "csv", "pdf", "png", "xlsx"]


@dataclass(frozen=True, slots=True)
class Attachment:
    """A file that goes with a letter."""

    name: str
    media_type: str
    data: bytes


def csv(name: str, rows: Sequence[Sequence[object]]) -> Attachment:
    """Return a table as a spreadsheet program writes it: UTF-8 with a mark, CRLF."""
    text = "\ufeff" + "".join(",".join(map(str, row)) + "\r\n" for row in rows)
    return Attachment(name, "text/csv", text.encode("utf-8"))


def calendar_entry(name: str, uid: str, title: str, start: datetime, stop: datetime) -> Attachment:
    """Return an invitation (RFC 5545)."""
    lines = (
        "BEGIN:VCALENDAR",
        "VERSION:2.0",
        "PRODID:-//Huayang Valve//Mail//ZH",
        "METHOD:REQUEST",
        "BEGIN:VEVENT",
        f"UID:{uid}",
        f"DTSTAMP:{_stamp(start)}",
        f"DTSTART:{_stamp(start)}",
        f"DTEND:{_stamp(stop)}",
        f"SUMMARY:{title}",
        "ORGANIZER;CN=Li Na:mailto:li.na@huayang.example",
        "END:VEVENT",
        "END:VCALENDAR",
        "",
    )
    return Attachment(name, "text/calendar", "\r\n".join(lines).encode("utf-8"))


def _stamp(moment: datetime) -> str:
    return moment.astimezone(UTC).strftime("%Y%m%dT%H%M%SZ")


# --- PDF -------------------------------------------------------------------------------------


def pdf(name: str, title: str, lines: Sequence[str], *, pages: int = 1) -> Attachment:
    """Return a PDF 1.4 with a title of any language and pages of Latin text."""
    objects = [
        b"<< /Type /Catalog /Pages 2 0 R >>",
        b"<< /Type /Pages /Kids [%s] /Count %d >>"
        % (b" ".join(b"%d 0 R" % (5 + 2 * page) for page in range(pages)), pages),
        b"<< /Type /Font /Subtype /Type1 /BaseFont /Helvetica >>",
        b"<< /Title <%s> /Producer (Huayang sample) /CreationDate (D:20260410120000+08'00') >>"
        % ("\ufeff" + title).encode("utf-16-be").hex().upper().encode(),
    ]
    for page in range(pages):
        stream = _page(lines, page + 1, pages)
        objects.append(
            b"<< /Type /Page /Parent 2 0 R /MediaBox [0 0 595 842] /Contents %d 0 R "
            b"/Resources << /Font << /F1 3 0 R >> >> >>" % (6 + 2 * page)
        )
        objects.append(b"<< /Length %d >>\nstream\n%s\nendstream" % (len(stream), stream))
    return Attachment(name, "application/pdf", _assemble(objects))


def _page(lines: Sequence[str], page: int, pages: int) -> bytes:
    shown = [f"({_escape(line)}) Tj T*" for line in [*lines, "", f"Page {page} of {pages}"]]
    return "\n".join(["BT", "/F1 11 Tf", "60 780 Td", "15 TL", *shown, "ET"]).encode("latin-1")


def _escape(line: str) -> str:
    return line.replace("\\", "\\\\").replace("(", "\\(").replace(")", "\\)")


def _assemble(objects: Sequence[bytes]) -> bytes:
    out = bytearray(b"%PDF-1.4\n%\xe2\xe3\xcf\xd3\n")
    places = []
    for position, body in enumerate(objects, start=1):
        places.append(len(out))
        out += b"%d 0 obj\n%s\nendobj\n" % (position, body)
    start = len(out)
    out += b"xref\n0 %d\n0000000000 65535 f \n" % (len(objects) + 1)
    out += b"".join(b"%010d 00000 n \n" % place for place in places)
    out += b"trailer\n<< /Size %d /Root 1 0 R /Info 4 0 R >>\n" % (len(objects) + 1)
    return bytes(out + b"startxref\n%d\n%%%%EOF\n" % start)


# --- xlsx ------------------------------------------------------------------------------------

_XML = '<?xml version="1.0" encoding="UTF-8" standalone="yes"?>\n'
_OFFICE = "http://schemas.openxmlformats.org/officeDocument/2006/relationships"
_PACKAGE = "http://schemas.openxmlformats.org/package/2006"
_SHEET = "http://schemas.openxmlformats.org/spreadsheetml/2006/main"
_TYPE = "application/vnd.openxmlformats-officedocument.spreadsheetml"


def xlsx(name: str, sheet: str, rows: Sequence[Sequence[object]]) -> Attachment:
    """Return a workbook of one sheet (ECMA-376) with text and numbers."""
    cells = "".join(
        f'<row r="{line}">{"".join(_cell(line, place, value) for place, value in enumerate(row))}'
        "</row>"
        for line, row in enumerate(rows, start=1)
    )
    members = {
        "[Content_Types].xml": f'<Types xmlns="{_PACKAGE}/content-types">'
        '<Default Extension="rels" '
        'ContentType="application/vnd.openxmlformats-package.relationships+xml"/>'
        f'<Override PartName="/xl/workbook.xml" ContentType="{_TYPE}.sheet.main+xml"/>'
        f'<Override PartName="/xl/worksheets/sheet1.xml" ContentType="{_TYPE}.worksheet+xml"/>'
        "</Types>",
        "_rels/.rels": f'<Relationships xmlns="{_PACKAGE}/relationships"><Relationship Id="rId1" '
        f'Type="{_OFFICE}/officeDocument" Target="xl/workbook.xml"/></Relationships>',
        "xl/workbook.xml": f'<workbook xmlns="{_SHEET}" xmlns:r="{_OFFICE}"><sheets>'
        f'<sheet name="{sheet}" sheetId="1" r:id="rId1"/></sheets></workbook>',
        "xl/_rels/workbook.xml.rels": f'<Relationships xmlns="{_PACKAGE}/relationships">'
        f'<Relationship Id="rId1" Type="{_OFFICE}/worksheet" '
        'Target="worksheets/sheet1.xml"/></Relationships>',
        "xl/worksheets/sheet1.xml": f'<worksheet xmlns="{_SHEET}"><sheetData>{cells}'
        "</sheetData></worksheet>",
    }
    data = stored_zip({path: (_XML + text).encode("utf-8") for path, text in members.items()})
    return Attachment(name, f"{_TYPE}.sheet", data)


def _cell(line: int, place: int, value: object) -> str:
    where = f"{chr(ord('A') + place)}{line}"
    if isinstance(value, str):
        return f'<c r="{where}" t="inlineStr"><is><t>{value}</t></is></c>'
    return f'<c r="{where}"><v>{value}</v></c>'


def stored_zip(members: dict[str, bytes]) -> bytes:
    """Return a zip archive without compression (APPNOTE 4.3), all dated 10 April 2026."""
    out, index = bytearray(), bytearray()
    stamp = (12 << 11, (2026 - 1980) << 9 | 4 << 5 | 10)
    for path, data in members.items():
        name = path.encode("utf-8")
        fields = (20, 0x800, 0, *stamp, zlib.crc32(data), len(data), len(data), len(name), 0)
        index += struct.pack("<IH5H3I2H3H2I", 0x02014B50, 20, *fields, 0, 0, 0, 0, len(out)) + name
        out += struct.pack("<I5H3I2H", 0x04034B50, *fields) + name + data
    end = (0x06054B50, 0, 0, len(members), len(members), len(index), len(out), 0)
    return bytes(out + index + struct.pack("<I4H2IH", *end))


# --- PNG -------------------------------------------------------------------------------------


def png(name: str, width: int, height: int, colours: Sequence[int], pixels: bytes) -> Attachment:
    """Return a picture of indexed colours (PNG 11.2); ``colours`` as 0xRRGGBB, a byte a pixel."""
    palette = b"".join(colour.to_bytes(3, "big") for colour in colours)
    rows = b"".join(b"\0" + pixels[row * width : (row + 1) * width] for row in range(height))
    data = b"\x89PNG\r\n\x1a\n" + b"".join(
        _chunk(kind, body)
        for kind, body in (
            (b"IHDR", struct.pack(">IIBBBBB", width, height, 8, 3, 0, 0, 0)),
            (b"PLTE", palette),
            (b"IDAT", _stored_stream(rows)),
            (b"IEND", b""),
        )
    )
    return Attachment(name, "image/png", data)


def _chunk(kind: bytes, body: bytes) -> bytes:
    return struct.pack(">I", len(body)) + kind + body + struct.pack(">I", zlib.crc32(kind + body))


def _stored_stream(data: bytes) -> bytes:
    """Return a zlib stream (RFC 1950) of stored blocks."""
    out = bytearray(b"\x78\x01")
    pieces = [data[start : start + 65535] for start in range(0, len(data), 65535)]
    for position, piece in enumerate(pieces, start=1):
        out += struct.pack("<BHH", position == len(pieces), len(piece), len(piece) ^ 0xFFFF) + piece
    return bytes(out + struct.pack(">I", zlib.adler32(data)))
