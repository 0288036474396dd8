"""Disk images: partitions, file systems, files, deleted entries, and free space."""

from __future__ import annotations

from mailforensics.images.formats import container_name, looks_like_disk
from mailforensics.images.model import DeletedEntry, FileSystem, ImageMap, LiveFile
from mailforensics.images.ranges import Range, clip, merge, subtract, total
from mailforensics.images.survey import extract, read_file, survey

__all__ = [
    "DeletedEntry",
    "FileSystem",
    "ImageMap",
    "LiveFile",
    "Range",
    "clip",
    "container_name",
    "extract",
    "looks_like_disk",
    "merge",
    "read_file",
    "subtract",
    "survey",
    "total",
]
