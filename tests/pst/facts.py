"""What a message says, in a shape that two readings of it can be compared by."""

from __future__ import annotations

import hashlib
from dataclasses import dataclass, replace
from datetime import datetime

from mailforensics.mapi import Tag
from mailforensics.pst.messages import Attachment, Message


def digest(data: bytes | None) -> str | None:
    return None if data is None else hashlib.sha256(data).hexdigest()


@dataclass(frozen=True, slots=True)
class AttachmentFacts:
    """An attachment; of an embedded message ``embedded`` tells what it says."""

    name: str | None
    method: int
    size: int | None
    sha256: str | None
    embedded: Facts | None = None


@dataclass(frozen=True, slots=True)
class Facts:
    """A message. Bodies are digests; recipients are (kind, name, address)."""

    message_class: str | None
    subject: str | None
    submitted_at: datetime | None
    delivered_at: datetime | None
    sender: tuple[str | None, str | None]
    message_id: str | None
    search_key: bytes | None
    body: str | None
    html: str | None
    rtf: str | None
    headers: str | None
    recipients: tuple[tuple[int | None, str | None, str | None], ...]
    attachments: tuple[AttachmentFacts, ...]
    properties: str
    """A digest of all properties: identifier, type and bytes of each."""

    @property
    def core(self) -> tuple[object, ...]:
        """Subject, time and body: what the message is recognised by."""
        return self.subject, self.submitted_at, self.body

    def without_properties(self) -> Facts:
        """Leave the digests of all properties out, of messages inside too."""
        attachments = tuple(
            replace(entry, embedded=entry.embedded.without_properties())
            if entry.embedded
            else entry
            for entry in self.attachments
        )
        return replace(self, properties="", attachments=attachments)


def facts_of(message: Message) -> Facts:
    bag = message.properties
    return Facts(
        message_class=message.message_class,
        subject=message.subject,
        submitted_at=message.submitted_at,
        delivered_at=message.delivered_at,
        sender=(message.sender_name, message.sender_address),
        message_id=message.message_id,
        search_key=message.search_key,
        body=digest((bag.text(Tag.BODY) or "").encode("utf-8", "surrogatepass")),
        html=digest(message.html),
        rtf=digest(message.rtf),
        headers=digest((message.headers or "").encode("utf-8", "surrogatepass")),
        recipients=tuple((row.kind, row.name, row.address) for row in message.recipients),
        attachments=tuple(attachment_facts(entry) for entry in message.attachments),
        properties=properties_of(message),
    )


def attachment_facts(entry: Attachment) -> AttachmentFacts:
    inner = entry.embedded()
    data = None if inner is not None else entry.data()
    return AttachmentFacts(
        name=entry.name,
        method=entry.method,
        size=None if data is None else len(data),
        sha256=digest(data),
        embedded=None if inner is None else facts_of(inner),
    )


def properties_of(message: Message) -> str:
    """Return a digest of all properties; a value that cannot be read counts as such."""
    whole = hashlib.sha256()
    for tag in sorted(message.properties.tags):
        found = message.properties.stored(tag)
        kind, data = found if found is not None else (0, b"?")
        whole.update(f"{tag:04x}{kind:04x}{digest(data)}".encode())
    return whole.hexdigest()
