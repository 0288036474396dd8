"""MAPI messages, wherever they were kept -> the same columns as mail, and RFC 5322 bytes.

A store's reader fills :class:`MapiMessage`; :func:`rebuild` gives its bytes, :func:`records` its
rows. [MS-OXPROPS], [MS-OXCMSG], [MS-OXCMAIL].
"""

from __future__ import annotations

from mailforensics.mapi.eml import from_eml
from mailforensics.mapi.loaded import loaded
from mailforensics.mapi.message import Attachment, AttachMethod, MapiMessage, Party, Recipient
from mailforensics.mapi.properties import (
    NameKey,
    Property,
    PropertyBag,
    PropertyType,
    Tag,
    filetime,
    property_names,
)
from mailforensics.mapi.rebuild import rebuild
from mailforensics.mapi.record import record, records

__all__ = [
    "AttachMethod",
    "Attachment",
    "MapiMessage",
    "NameKey",
    "Party",
    "Property",
    "PropertyBag",
    "PropertyType",
    "Recipient",
    "Tag",
    "filetime",
    "from_eml",
    "loaded",
    "property_names",
    "rebuild",
    "record",
    "records",
]
