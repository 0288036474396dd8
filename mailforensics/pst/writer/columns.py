"""The columns of the tables that a store has, as Outlook makes them, [MS-PST] 2.4.4 and 2.4.5."""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType
from typing import Final

from mailforensics.pst.writer.tables import Column

__all__ = [
    "ASSOCIATED",
    "ATTACHMENTS",
    "CONTENTS",
    "HIERARCHY",
    "RECIPIENTS",
    "TEMPLATES",
]

_KINDS: Final = MappingProxyType(
    {
        "integer": 0x0003,
        "boolean": 0x000B,
        "long": 0x0014,
        "text": 0x001F,
        "time": 0x0040,
        "binary": 0x0102,
        "integers": 0x1003,
    }
)


def _columns(**tags: tuple[int, ...]) -> tuple[Column, ...]:
    return tuple(sorted(Column(tag, _KINDS[kind]) for kind, named in tags.items() for tag in named))


HIERARCHY: Final = _columns(
    integer=(0x0E38, 0x3602, 0x3603, 0x6635, 0x6636),
    boolean=(0x360A,),
    long=(0x0E33,),
    text=(0x3001, 0x3613),
    binary=(0x0E30, 0x0E34),
)
"""Folders in a folder, 2.4.4.4.1."""

CONTENTS: Final = _columns(
    integer=(0x0017, 0x0036, 0x0E07, 0x0E08, 0x0E17, 0x0E38, 0x1097, 0x65C6),
    boolean=(0x0057, 0x0058),
    long=(0x0E33,),
    text=(0x001A, 0x0037, 0x0042, 0x0070, 0x0E03, 0x0E04),
    time=(0x0039, 0x0E06, 0x3008),
    binary=(0x0071, 0x0E30, 0x0E34, 0x0E3C, 0x0E3D, 0x3013),
)
"""Messages in a folder, 2.4.4.5.1."""

ASSOCIATED: Final = _columns(
    integer=(0x0E07, 0x0E17, 0x7003, 0x7007),
    boolean=(0x6803,),
    text=(0x001A, 0x3001, 0x6800, 0x682F, 0x7006),
    binary=(0x7004, 0x7005),
    integers=(0x6805,),
)
"""Hidden items of a folder, 2.4.4.6.1."""

_SEARCH: Final = _columns(
    integer=(0x0017, 0x0036, 0x0E07, 0x0E08, 0x0E17, 0x67F1),
    boolean=(0x0057, 0x0058, 0x0E2A),
    text=(0x001A, 0x0037, 0x0042, 0x0E03, 0x0E04, 0x0E05),
    time=(0x0E06, 0x3008),
)

RECIPIENTS: Final = _columns(
    integer=(0x0C15, 0x0FFE, 0x3900),
    boolean=(0x0E0F, 0x3A40),
    text=(0x3001, 0x3002, 0x3003, 0x39FF),
    binary=(0x0FF9, 0x0FFF, 0x300B),
)
"""Recipients of a message, 2.4.5.3.1."""

ATTACHMENTS: Final = _columns(integer=(0x0E20, 0x3705, 0x370B), text=(0x3704,))
"""Attachments of a message, 2.4.6.1.1."""

TEMPLATES: Final[Mapping[int, tuple[Column, ...]]] = MappingProxyType(
    {
        0x060D: HIERARCHY,
        0x060E: CONTENTS,
        0x060F: ASSOCIATED,
        0x0610: _SEARCH,
        0x062B: _columns(integer=(0x6605,), text=(0x001A,)),
        0x064C: _columns(
            integer=(0x0E07, 0x0E10, 0x0E14, 0x67F1), text=(0x0E29,), time=(0x000F, 0x0039)
        ),
        0x0671: ATTACHMENTS,
        0x0692: RECIPIENTS,
        0x06B6: _columns(integer=(0x0E38,), long=(0x0E33,), binary=(0x0E37,)),
        0x06D7: _columns(
            integer=(0x0E38,),
            long=(0x0E33,),
            text=(0x001A,),
            binary=(0x0E30, 0x0E31, 0x0E34, 0x0E3E),
        ),
        0x06F8: _columns(long=(0x0E33,), time=(0x3007,)),
    }
)
"""Empty tables that each store has: node -> columns, 2.4.1."""
