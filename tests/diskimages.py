"""Disk images that tests make with the system's own tools."""

from __future__ import annotations

import os
import shutil
import struct
import subprocess
from pathlib import Path

import pytest

__all__ = ["Ext", "Fat", "partitioned"]

_ENVIRONMENT = {**os.environ, "MTOOLS_SKIP_CHECK": "1", "LC_ALL": "C.UTF-8"}


def run(*command: str | Path) -> str:
    """Run a tool; skip the test when it is not installed."""
    name = str(command[0])
    found = shutil.which(name, path=f"{os.environ.get('PATH', '')}:/sbin:/usr/sbin")
    if found is None:
        pytest.skip(f"{name} is not installed")
    done = subprocess.run(
        [found, *map(str, command[1:])],
        env=_ENVIRONMENT,
        capture_output=True,
        check=True,
        encoding="utf-8",
    )
    return done.stdout


class Fat:
    """A FAT image that files are put into and deleted from."""

    def __init__(self, path: Path, size: int, *options: str) -> None:
        self.path = path
        with path.open("wb") as stream:
            stream.truncate(size)
        run("mkfs.fat", *options, path)

    def folder(self, name: str) -> None:
        """Make a folder."""
        run("mmd", "-i", self.path, f"::/{name}")

    def put(self, name: str, data: bytes) -> None:
        """Write a file."""
        source = self.path.with_suffix(".put")
        source.write_bytes(data)
        run("mcopy", "-o", "-i", self.path, source, f"::/{name}")

    def delete(self, name: str) -> None:
        """Delete a file."""
        run("mdel", "-i", self.path, f"::/{name}")


class Ext:
    """An ext image that is made from files, some of which are deleted then."""

    def __init__(self, path: Path, size: int, files: dict[str, bytes], *options: str) -> None:
        self.path = path
        root = path.with_suffix(".root")
        for name, data in files.items():
            target = root / name
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(data)
        with path.open("wb") as stream:
            stream.truncate(size)
        run("mke2fs", "-q", "-F", *options, "-d", root, path)

    def delete(self, name: str) -> None:
        """Delete a file."""
        run("debugfs", "-w", "-R", f"rm {name}", self.path)

    def put(self, name: str, data: bytes) -> None:
        """Write a file."""
        source = self.path.with_suffix(".put")
        source.write_bytes(data)
        run("debugfs", "-w", "-R", f"write {source} {name}", self.path)


def partitioned(path: Path, content: bytes, *, start: int = 63, behind: bytes = b"") -> Path:
    """Write a disk with one partition, and bytes behind it that no partition holds."""
    sectors = len(content) // 512
    entry = struct.pack("<B3sB3sII", 0x80, b"\0\0\0", 0x0C, b"\0\0\0", start, sectors)
    head = bytes(446) + entry + bytes(48) + b"\x55\xaa"
    gap = bytes(64 << 10)
    path.write_bytes(head + bytes((start - 1) * 512) + content + gap + behind + gap)
    return path
