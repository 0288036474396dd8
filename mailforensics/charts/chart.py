"""A figure with its title and the sentence that says what it shows."""

from __future__ import annotations

import base64
import html
import io
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailforensics import fonts
from mailforensics.errors import ExportError, WouldOverwrite

if TYPE_CHECKING:
    from matplotlib.figure import Figure

__all__ = ["Chart"]

_DPI = 160


@dataclass(frozen=True, slots=True, eq=False)
class Chart:
    """What the chart functions return.

    Attributes
    ----------
    figure
        Made without pyplot: nothing global is touched and nothing needs closing.
    sentence
        What the figure shows, for whoever cannot see it; belongs below it wherever it stands.
    title
        The finding, as written above the figure.
    language
        Of title and sentence.
    """

    figure: Figure
    sentence: str
    title: str
    language: str = "en"

    def save(self, path: Path) -> Path:
        """Write the figure as PNG or SVG, by the suffix; the same chart gives the same bytes.

        Raises
        ------
        WouldOverwrite
            There is a file of that name already.
        ExportError
            The suffix is neither ``.png`` nor ``.svg``.
        """
        form = path.suffix.lower().lstrip(".")
        if form not in {"png", "svg"}:
            raise ExportError(
                f"A figure cannot be saved as {path.name}", hint="Choose a name in .png or .svg."
            )
        data = self._bytes(form)
        try:
            with path.open("xb") as stream:
                stream.write(data)
        except FileExistsError as error:
            raise WouldOverwrite(
                f"{path} is there already", hint="Choose another name; nothing is ever overwritten."
            ) from error
        return path

    def png(self) -> bytes:
        """Return the figure as PNG."""
        return self._bytes("png")

    def svg(self) -> str:
        """Return the figure as SVG; letters are outlines, so that no font is needed to read it."""
        return self._bytes("svg").decode("utf-8")

    def _bytes(self, form: str) -> bytes:
        from matplotlib.backends.backend_agg import FigureCanvasAgg

        about: Any = {"Title": self.title, "Description": self.sentence, "Software": None}
        if form == "svg":
            about = {"Title": self.title, "Description": self.sentence, "Date": None}
        stream = io.BytesIO()
        with fonts.used():
            FigureCanvasAgg(self.figure)
            self.figure.savefig(stream, format=form, dpi=_DPI, metadata=about)
        return stream.getvalue()

    def _repr_png_(self) -> bytes:
        return self.png()

    def _repr_html_(self) -> str:
        data = base64.b64encode(self.png()).decode("ascii")
        said = html.escape(self.sentence)
        return (
            f'<figure lang="{self.language}" style="margin:0">'
            f'<img style="max-width:100%" alt="{said}" '
            f'src="data:image/png;base64,{data}"><figcaption>{said}</figcaption></figure>'
        )
