"""Evidence items: acquire, hash, verify; the members of zip and tar exports."""

from __future__ import annotations

from mailforensics.evidence.archives import ArchiveFault, Member, Places, expand, is_archive
from mailforensics.evidence.hashing import Digests, FileHash, folder_digest, hash_file, hash_folder
from mailforensics.evidence.item import Difference, EvidenceItem, EvidenceKind, acquire, verify

__all__ = [
    "ArchiveFault",
    "Difference",
    "Digests",
    "EvidenceItem",
    "EvidenceKind",
    "FileHash",
    "Member",
    "Places",
    "acquire",
    "expand",
    "folder_digest",
    "hash_file",
    "hash_folder",
    "is_archive",
    "verify",
]
