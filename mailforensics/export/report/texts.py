"""The words of the report, in each language that it speaks.

A text with ``|`` has a form for one and a form for many. Keys and placeholders are the same in
all languages (a test holds it).
"""

from __future__ import annotations

from collections.abc import Mapping
from types import MappingProxyType

from mailforensics.errors import ExportError
from mailforensics.export.report.chinese import CHINESE
from mailforensics.export.report.english import ENGLISH

__all__ = ["LANGUAGES", "Texts"]

LANGUAGES: Mapping[str, Mapping[str, str]] = MappingProxyType({"en": ENGLISH, "zh": CHINESE})


class Texts:
    """The texts of one language.

    Parameters
    ----------
    language : {"en", "zh"}

    Raises
    ------
    ExportError
        The report does not speak that language.
    """

    def __init__(self, language: str) -> None:
        if language not in LANGUAGES:
            raise ExportError(
                f"The report cannot be written in {language!r}; known: {', '.join(LANGUAGES)}."
            )
        self.language = language
        self._texts = LANGUAGES[language]

    def __call__(self, key: str, n: int | None = None, /, **values: object) -> str:
        """Return a text with its values; ``n`` chooses the form and stands for ``{n}``."""
        text = self._texts[key]
        if n is not None:
            one, _, many = text.partition("|")
            text = many if many and n != 1 else one
            values["n"] = f"{n:,}"
        return text.format_map(values) if values else text

    def word(self, kind: str, value: str) -> str:
        """Return a value of a vocabulary in words, the value itself if it is not known."""
        return self._texts.get(f"{kind}.{value}", value.replace("_", " "))
