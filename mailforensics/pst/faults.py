"""What is wrong with a file, told as values.

The bytes of a file may say anything. Lower layers raise :class:`Damage`; whoever reads an item
turns it into a :class:`Fault` and goes on.
"""

from __future__ import annotations

from dataclasses import dataclass

__all__ = ["Damage", "Fault"]


@dataclass(frozen=True, slots=True)
class Fault:
    """One thing that is wrong.

    Attributes
    ----------
    code
        Which kind: ``header``, ``page``, ``tree``, ``block_missing``, ``block_checksum``,
        ``block_foreign``, ``block_packed``, ``data_tree``, ``subnode``, ``heap``, ``property``,
        ``table``, ``recipients``, ``attachment``, ``folder``, ``encrypted``.
    detail
        What was found, in a sentence.
    offset
        Where it is, in bytes from the start of the store; None when it has no one place.
    """

    code: str
    detail: str
    offset: int | None = None


class Damage(Exception):
    """The bytes do not hold what they should; carries the :class:`Fault`. Never leaves the room."""

    def __init__(self, code: str, detail: str, offset: int | None = None) -> None:
        super().__init__(detail)
        self.fault = Fault(code, detail, offset)
