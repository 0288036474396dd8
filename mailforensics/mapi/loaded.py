"""A message that outlives the store it was read from."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from typing import NoReturn, TypeVar

from mailforensics.mapi.message import Attachment, MapiMessage

__all__ = ["loaded"]

_T = TypeVar("_T")
_MOST_DEPTH = 32


def loaded(message: MapiMessage, depth: int = 0) -> MapiMessage:
    """Return the message with the bytes of its attachments read, also of those inside it.

    What cannot be read raises its :class:`OSError` when it is asked for, as before.
    """
    if depth > _MOST_DEPTH:
        return replace(message, attachments=[])
    return replace(message, attachments=[_kept(each, depth) for each in message.attachments])


def _kept(attachment: Attachment, depth: int) -> Attachment:
    embedded = attachment.embedded
    return Attachment(
        attachment.properties,
        data=_now(attachment.data) if attachment.data is not None else None,
        embedded=_now(lambda: loaded(embedded(), depth + 1)) if embedded is not None else None,
    )


def _now(give: Callable[[], _T]) -> Callable[[], _T]:
    """Ask now, and answer later what came: the value, or the error."""
    try:
        value = give()
    except OSError as error:
        return _raising(error)
    return lambda: value


def _raising(error: OSError) -> Callable[[], NoReturn]:
    def give() -> NoReturn:
        raise error

    return give
