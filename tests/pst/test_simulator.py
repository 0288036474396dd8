from __future__ import annotations

import hashlib
import struct
from collections import Counter
from pathlib import Path
from typing import Any

import pypff
import pytest

from mailforensics.errors import CorruptContainer
from mailforensics.pst.store import PstStore
from mailforensics.pst.writer import PstWriter
from tests.mapi.builders import SENT
from tests.pst.invariants import check_store
from tests.pst.simulator import (
    DAMAGES,
    VARIANTS,
    Simulation,
    Truth,
    damage,
    delete,
    truths_of,
)
from tests.pst.test_writer import KEY, varied

LAYOUTS = pytest.mark.parametrize("unicode4k", [False, True], ids=["unicode", "4k"])


@pytest.fixture(scope="module", params=[False, True], ids=["unicode", "4k"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("written") / "written.pst"
    with PstWriter(path, unicode4k=request.param, record_key=KEY, now=SENT) as out:
        for number, message in enumerate(varied(150, seed=7)):
            out.add(out.folder(("Inbox", f"Sub {number % 3}")), message)
    return path


Read = dict[int, tuple[str | None, str, tuple[str, ...]]]


def by_libpff(path: Path) -> tuple[Read, int]:
    """Return what libpff reads of each message, and how many times it fails."""
    file = pypff.file()
    file.open(str(path))
    found: Read = {}
    failed = 0
    waiting = [file.root_folder]
    while waiting:
        folder = waiting.pop()
        waiting += [folder.get_sub_folder(index) for index in range(folder.number_of_sub_folders)]
        try:
            count = folder.number_of_sub_messages
        except OSError:
            failed += 1
            continue
        for index in range(count):
            try:
                item = folder.get_sub_message(index)
                found[item.identifier] = said(item)
            except OSError:
                failed += 1
    file.close()
    return found, failed


def said(item: Any) -> tuple[str | None, str, tuple[str, ...]]:
    if not isinstance(item, pypff.message):
        return None, "", ()
    body = hashlib.sha256(item.plain_text_body or b"").hexdigest()
    entries = (item.get_attachment(at) for at in range(item.number_of_attachments))
    data = (entry.read_buffer(entry.size) if entry.size else b"" for entry in entries)
    return item.subject, body, tuple(hashlib.sha256(each).hexdigest() for each in data)


def facts_now(path: Path) -> dict[int, Any]:
    with PstStore.open(path) as store:
        return {truth.nid: truth.facts for truth in truths_of(store)}


@pytest.mark.parametrize("variant", VARIANTS)
@pytest.mark.parametrize("overwrite", [0.0, 0.25])
def test_what_is_left_reads_as_before(
    written: Path, tmp_path: Path, variant: str, overwrite: float
) -> None:
    before, _ = by_libpff(written)
    done = delete(
        written, tmp_path / "x.pst", seed=3, share=0.5, variant=variant, overwrite=overwrite
    )
    gone = {truth.nid for truth in done.deleted}
    assert len(gone) == 75
    after, failed = by_libpff(done.path)
    assert failed == 0
    assert after == {nid: what for nid, what in before.items() if nid not in gone}
    assert facts_now(done.path) == {truth.nid: truth.facts for truth in done.live}
    with PstStore.open(done.path) as store:
        assert store.faults == []
        assert store.unlisted() == []
        declared = {f.path[-1]: f.declared for f in store.folders() if f.path}
    left = Counter(truth.folder[-1] for truth in done.live)
    assert {name: declared[name] for name in left} == left


@pytest.mark.parametrize("variant", VARIANTS)
def test_maps_sums_and_references_are_right_after_a_deletion(
    written: Path, tmp_path: Path, variant: str
) -> None:
    check_store(delete(written, tmp_path / "x.pst", seed=4, variant=variant).path)


def in_index_pages(data: bytes, truths: list[Truth]) -> int:
    """Count the messages whose entry of the node tree stands anywhere in a file."""
    data = data.rstrip(b"\0")
    entries = (struct.pack("<QQQ", truth.nid, truth.data_bid, truth.sub_bid) for truth in truths)
    return sum(data.count(entry) for entry in entries)


def test_stale_leaves_old_index_pages_and_bare_none(written: Path, tmp_path: Path) -> None:
    bare = delete(written, tmp_path / "bare.pst", seed=5, share=0.8, variant="bare")
    stale = delete(written, tmp_path / "stale.pst", seed=5, share=0.8, variant="stale")
    assert bare.deleted == stale.deleted
    some = bare.deleted[::6]
    assert in_index_pages(bare.path.read_bytes(), some) == 0
    assert in_index_pages(stale.path.read_bytes(), some) == len(some)


def test_without_reuse_every_byte_is_there_still(written: Path, tmp_path: Path) -> None:
    done = delete(written, tmp_path / "x.pst", seed=6, share=1.0)
    data, source = done.path.read_bytes(), written.read_bytes()
    assert all(done.whole(truth) for truth in done.deleted)
    for truth in done.deleted:
        for block in truth.blocks:
            place = slice(block.offset, block.offset + block.stored)
            assert data[place] == source[place]
    assert done.live == []
    assert by_libpff(done.path) == ({}, 0)


def test_reuse_names_the_parts_that_are_lost(written: Path, tmp_path: Path) -> None:
    done = delete(written, tmp_path / "x.pst", seed=8, overwrite=0.25)
    data, source = done.path.read_bytes(), written.read_bytes()
    lost = [truth for truth in done.deleted if not done.whole(truth)]
    assert 0 < len(lost) < len(done.deleted)
    for truth in done.deleted:
        for part, blocks in truth.parts.items():
            changed = any(
                data[b.offset : b.offset + b.stored] != source[b.offset : b.offset + b.stored]
                for b in blocks
            )
            assert changed == (part in done.lost[truth.nid])
    names = {part.partition(":")[0] for parts in done.lost.values() for part in parts}
    assert {"properties", "recipients", "attachment", "property", "subnodes"} <= names


def test_the_same_seed_gives_the_same_file(written: Path, tmp_path: Path) -> None:
    how: dict[str, Any] = {"variant": "stale", "overwrite": 0.3}
    one = delete(written, tmp_path / "1.pst", seed=9, **how)
    two = delete(written, tmp_path / "2.pst", seed=9, **how)
    other = delete(written, tmp_path / "3.pst", seed=10, **how)
    assert one.path.read_bytes() == two.path.read_bytes() != other.path.read_bytes()
    assert (one.deleted, one.lost) == (two.deleted, two.lost)


def test_messages_can_be_named(written: Path, tmp_path: Path) -> None:
    with PstStore.open(written) as store:
        nid = truths_of(store)[5].nid
    done = delete(written, tmp_path / "x.pst", seed=1, nids=[nid])
    assert [truth.nid for truth in done.deleted] == [nid]
    assert done.deleted[0].folder[-2:] == ("Inbox", "Sub 0")


@pytest.mark.parametrize("kind", DAMAGES)
def test_damage_does_what_it_says(written: Path, tmp_path: Path, kind: str) -> None:
    done = damage(
        written, tmp_path / "x.pst", kind, seed=1, share=0.4 if kind == "truncated" else 0.1
    )
    data, source = done.path.read_bytes(), written.read_bytes()
    assert data != source
    whole = sum(done.whole(truth) for truth in done.live)
    if kind in {"header", "roots"}:
        assert whole == len(done.live) == 150
    if kind == "truncated":
        assert len(data) == round(len(source) * 0.6)
    if kind == "sectors":
        assert 0 < whole < 150
        zeroed = sum(
            not any(data[at : at + 512]) and any(source[at : at + 512])
            for at in range(0, len(data), 512)
        )
        assert zeroed > 0


def test_damage_after_a_deletion_keeps_both_truths(written: Path, tmp_path: Path) -> None:
    first = delete(written, tmp_path / "1.pst", seed=1, overwrite=0.2)
    done = damage(first, tmp_path / "2.pst", "sectors", seed=2)
    assert (done.deleted, done.live) == (first.deleted, first.live)
    assert all(first.lost[nid] <= done.lost[nid] for nid in first.lost)
    assert sum(map(done.whole, done.deleted)) < sum(map(first.whole, first.deleted))


def test_real_files_stay_readable(tmp_path: Path, corpora: Path) -> None:
    """Delete half of the messages of every real file; libpff reads the others as before."""
    deleted = 0
    for path in sorted((corpora / "pst").iterdir()):
        try:
            done: Simulation = delete(path, tmp_path / "x.pst", seed=2, variant="stale")
        except CorruptContainer:
            continue
        deleted += len(done.deleted)
        assert all(done.whole(truth) for truth in done.deleted), path.name
        assert facts_now(done.path) == {truth.nid: truth.facts for truth in done.live}, path.name
        try:
            before, failing = by_libpff(path)
        except OSError:
            continue
        after, failed = by_libpff(done.path)
        gone = {truth.nid for truth in done.deleted}
        assert failed <= failing, path.name
        assert after == {nid: what for nid, what in before.items() if nid not in gone}, path.name
    assert deleted > 250
