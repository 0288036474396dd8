"""ISO-2022-JP as it is written, with the signs of Microsoft and NEC that the standard lacks."""

from __future__ import annotations

import re

__all__ = ["decode_jis"]

_ESCAPE = re.compile(rb"\x1b(\$[@B]|\$\([A-Z@]|\([A-Z])")
_KANJI = (b"$@", b"$B", b"$(B", b"$(@")


def decode_jis(data: bytes) -> tuple[str, bool]:
    """Decode ISO-2022-JP; pairs go through Shift_JIS in Microsoft's version (CP50221).

    Returns
    -------
    text : str
        Decoded text; U+FFFD where nothing fits.
    clean : bool
        Whether every byte had a meaning.
    """
    try:
        return data.decode("iso2022_jp"), True
    except UnicodeDecodeError:
        pass
    pieces = _ESCAPE.split(data)
    texts = [_plain(pieces[0])]
    texts += [
        _shifted(escape, piece) for escape, piece in zip(pieces[1::2], pieces[2::2], strict=True)
    ]
    text = "".join(texts)
    return text, "\ufffd" not in text


def _plain(piece: bytes) -> str:
    return piece.decode("cp932", "replace")


def _shifted(escape: bytes, piece: bytes) -> str:
    if escape in _KANJI:
        return _kanji(piece)
    if escape == b"(I":
        return bytes(byte | 0x80 if 0x20 < byte < 0x60 else byte for byte in piece).decode(
            "cp932", "replace"
        )
    if escape == b"$(D":
        return (b"\x1b$(D" + piece).decode("iso2022_jp_ext", "replace")
    return _plain(piece)


def _kanji(piece: bytes) -> str:
    """Turn JIS X 0208 pairs into Shift_JIS pairs; a line end ends the shift."""
    line, mark, rest = piece.partition(b"\n")
    out = bytearray()
    for index in range(0, len(line) - 1, 2):
        out += _sjis(line[index], line[index + 1])
    text = out.decode("cp932", "replace") + ("\ufffd" if len(line.rstrip(b"\r")) % 2 else "")
    return text + (mark + rest).decode("cp932", "replace")


def _sjis(row: int, cell: int) -> bytes:
    if not (0x21 <= row <= 0x7E and 0x21 <= cell <= 0x7E):
        return bytes((row, cell))
    lead = (row + 1) // 2 + (0x70 if row < 0x5F else 0xB0)
    if row % 2:
        return bytes((lead, cell + (0x1F if cell < 0x60 else 0x20)))
    return bytes((lead, cell + 0x7E))
