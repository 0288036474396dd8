from __future__ import annotations

import hashlib
import os
from pathlib import Path

import pytest

from mailforensics.errors import EvidenceNotFound, EvidenceUnreadable
from mailforensics.evidence import acquire


def test_digests_are_those_of_the_standard_library(tmp_path: Path) -> None:
    data = os.urandom(9 << 20)
    path = tmp_path / "合同 with space.mbox"
    path.write_bytes(data)
    done: list[int] = []
    digests, listed = acquire(path, advance=done.append)
    assert digests.sha256 == hashlib.sha256(data).hexdigest()
    assert digests.md5 == hashlib.md5(data).hexdigest()
    assert digests.size == sum(done) == len(data)
    assert listed == []


def test_folder_digest_is_that_of_its_list_and_not_of_the_order_on_disk(tmp_path: Path) -> None:
    for name in ("b", "a", "c/d"):
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(name.encode())
    digests, listed = acquire(tmp_path)
    lines = [f"{hashlib.sha256(name.encode()).hexdigest()}  {name}\n" for name in ("a", "b", "c/d")]
    assert digests.sha256 == hashlib.sha256("".join(lines).encode()).hexdigest()
    assert [entry.path for entry in listed] == ["a", "b", "c/d"]


def test_links_are_not_followed(tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "in" / "link").symlink_to(tmp_path / "secret")
    assert acquire(tmp_path / "in")[1] == []


def test_what_is_not_there(tmp_path: Path) -> None:
    with pytest.raises(EvidenceNotFound):
        acquire(tmp_path / "nothing")


@pytest.mark.skipif(not hasattr(os, "geteuid") or os.geteuid() == 0, reason="root reads all")
def test_what_may_not_be_read(tmp_path: Path) -> None:
    path = tmp_path / "locked"
    path.write_bytes(b"x")
    path.chmod(0)
    with pytest.raises(EvidenceUnreadable):
        acquire(path)
