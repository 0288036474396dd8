from __future__ import annotations

import gzip
import hashlib
import random
import shutil
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.errors import UnsupportedFormat
from mailforensics.images import (
    extract,
    looks_like_disk,
    merge,
    read_file,
    subtract,
    survey,
    total,
)
from mailforensics.images.freespace import ext, fat
from tests.carving.mail import plain
from tests.diskimages import Ext, Fat, partitioned, run

FILES = {
    "mail/cur/1.eml": plain(1),
    "mail/cur/second-letter.eml": plain(2, b"second\n" * 3000),
    "mail/large.bin": random.Random(7).randbytes(700_000),
    "mail/合同.eml": plain(3),
    "empty": b"",
}
FATS = {
    "FAT12": (8 << 20, ("-F", "12", "-s", "8")),
    "FAT16": (40 << 20, ("-F", "16", "-s", "8")),
    "FAT32": (40 << 20, ("-F", "32", "-s", "1")),
}
EXTS = {
    "ext2": ("-t", "ext2", "-b", "1024"),
    "ext3": ("-t", "ext3", "-b", "1024"),
    "ext4": ("-t", "ext4", "-b", "4096"),
    "ext4-64bit": ("-t", "ext4", "-b", "1024", "-O", "64bit,flex_bg,metadata_csum"),
    "ext4-plain": ("-t", "ext4", "-b", "1024", "-O", "^flex_bg,^uninit_bg,^metadata_csum"),
}


def fat_image(path: Path, kind: str) -> Fat:
    size, options = FATS[kind]
    image = Fat(path, size, *options)
    image.folder("mail")
    image.folder("mail/cur")
    for name, data in FILES.items():
        image.put(name, data)
    return image


@pytest.fixture(params=sorted(FATS))
def fat_disk(request, tmp_path):
    return request.param, fat_image(tmp_path / "disk.img", request.param)


@pytest.fixture(params=sorted(EXTS))
def ext_disk(request, tmp_path):
    return request.param, Ext(tmp_path / "disk.img", 48 << 20, FILES, *EXTS[request.param])


def free_by_sleuthkit(path: Path) -> list[tuple[int, int]]:
    """The free blocks that blkls lists."""
    if shutil.which("blkls") is None:
        pytest.skip("the sleuthkit tools are not installed")
    unit = survey(path).file_systems[0]
    size = 512 if unit.name.startswith("FAT") else unit.block_size
    blocks = []
    for line in run("blkls", "-l", path).splitlines():
        number, _, rest = line.partition("|")
        if number.isdecimal() and rest.startswith("f"):
            blocks.append((int(number) * size, (int(number) + 1) * size))
    return merge(blocks)


def check_live(path: Path, expected: dict[str, bytes]) -> None:
    found = {file.path.lstrip("/"): file for file in survey(path).live_files}
    assert {name for name in found if not name.startswith("$")} == set(expected)
    content = path.read_bytes()
    for name, data in expected.items():
        file = found[name]
        assert file.size == len(data)
        assert b"".join(read_file(path, file)) == data
        assert b"".join(content[start:stop] for start, stop in file.runs) == data
        assert file.modified is not None


def test_files_and_free_space_of_fat(fat_disk):
    kind, image = fat_disk
    image.delete("mail/cur/second-letter.eml")
    (system,) = survey(image.path).file_systems
    assert (system.name, system.bitmap_read, system.partition) == (kind, True, None)
    left = {name: data for name, data in FILES.items() if name != "mail/cur/second-letter.eml"}
    check_live(image.path, left)
    assert system.free == free_by_sleuthkit(image.path)
    entry = next(entry for entry in system.deleted if entry.path.endswith("second-letter.eml"))
    assert entry.path == "/mail/cur/second-letter.eml"
    assert entry.size == len(FILES["mail/cur/second-letter.eml"])
    start = entry.first
    assert start is not None
    assert image.path.read_bytes()[start : start + 50] == FILES["mail/cur/second-letter.eml"][:50]


def test_files_and_free_space_of_ext(ext_disk):
    _, image = ext_disk
    image.delete("mail/cur/second-letter.eml")
    (system,) = survey(image.path).file_systems
    assert system.name.startswith("ext")
    assert system.bitmap_read
    left = {name: data for name, data in FILES.items() if name != "mail/cur/second-letter.eml"}
    check_live(image.path, left)
    theirs = free_by_sleuthkit(image.path)
    assert subtract(system.free, theirs) == []
    # The second opinion lists copies of the superblock in groups never used as free.
    assert total(subtract(theirs, system.free)) <= 64 << 10
    gone = FILES["mail/cur/second-letter.eml"]
    content = image.path.read_bytes()
    at = content.find(gone[:2000])
    assert any(start <= at < stop for start, stop in system.free)


def test_no_free_byte_belongs_to_a_live_file(ext_disk, tmp_path):
    _, image = ext_disk
    (system,) = survey(image.path).file_systems
    owned = merge(run_ for file in system.live for run_ in file.runs)
    assert subtract(owned, [*system.free, *system.slack]) == owned


def test_slack_is_what_follows_the_end_of_a_file(tmp_path):
    image = fat_image(tmp_path / "disk.img", "FAT16")
    (system,) = survey(image.path).file_systems
    by_path = {file.path: file for file in system.live}
    stop = by_path["/mail/cur/1.eml"].runs[-1][1]
    assert any(start == stop and end - start < 4096 for start, end in system.slack)


def test_fls_lists_the_same_files(corpora, tmp_path):
    if shutil.which("fls") is None:
        pytest.skip("the sleuthkit tools are not installed")
    path = tmp_path / "disk.img"
    path.write_bytes(gzip.decompress((corpora / "stores/ext4-maildir-deleted.img.gz").read_bytes()))
    lines = run("fls", "-r", "-p", "-F", "-u", path).splitlines()
    theirs = {line.partition("\t")[2] for line in lines if line.startswith("r/r")}
    assert {file.path.lstrip("/") for file in survey(path).live_files} == theirs


def test_real_raw_images_are_surveyed(corpora):
    for name, count in (("dfvfs__ext2.splitraw.000", 3), ("plaso__syslog_image.dd", 2)):
        found = survey(corpora / "disk" / name)
        assert len(found.live_files) == count
        assert found.outside == []


def test_partitions_and_what_lies_outside_of_them(tmp_path):
    image = fat_image(tmp_path / "bare.img", "FAT16")
    bare = survey(image.path).file_systems[0]
    path = partitioned(tmp_path / "disk.dd", image.path.read_bytes(), behind=plain(9))
    found = survey(path)
    (system,) = found.file_systems
    assert (system.partition, system.start) == (1, 63 * 512)
    moved = [(start + system.start, stop + system.start) for start, stop in bare.free]
    assert system.free == moved
    assert found.outside == [(0, system.start), (system.stop, found.size)]
    check_live(path, FILES)


def test_a_partition_that_cannot_be_read_is_said(tmp_path):
    path = partitioned(tmp_path / "disk.dd", b"LUKS\xba\xbe" + bytes(1 << 20))
    found = survey(path)
    assert found.file_systems == []
    assert found.outside == [(0, found.size)]
    assert found.notes == ["Partition 1 at byte 32,256 is encrypted with LUKS."]


def test_extract_copies_and_never_overwrites(tmp_path):
    image = fat_image(tmp_path / "disk.img", "FAT12")
    before = hashlib.sha256(image.path.read_bytes()).hexdigest()
    file = next(file for file in survey(image.path).live_files if file.path == "/mail/合同.eml")
    target = tmp_path / "copy.eml"
    assert extract(image.path, file, target) == file.size
    assert target.read_bytes() == FILES["mail/合同.eml"]
    with pytest.raises(FileExistsError):
        extract(image.path, file, target)
    assert hashlib.sha256(image.path.read_bytes()).hexdigest() == before


@pytest.mark.parametrize(
    ("name", "kind"),
    [
        ("dfvfs__ext2.E01", "E01"),
        ("dfvfs__ext2.qcow2", "qcow2"),
        ("dfvfs__ext2.vmdk", "VMDK"),
        ("dfvfs__ext2.vhd", "VHD"),
    ],
)
def test_packed_images_are_refused_plainly(corpora, name, kind):
    with pytest.raises(UnsupportedFormat, match=kind):
        survey(corpora / "disk" / name)


def test_no_file_system_at_all(tmp_path):
    path = tmp_path / "blob"
    path.write_bytes(random.Random(3).randbytes(200_000))
    found = survey(path)
    assert (found.file_systems, found.outside) == ([], [(0, 200_000)])


def test_looks_like_disk(tmp_path):
    heads = [
        fat_image(tmp_path / "f.img", "FAT16").path.read_bytes()[:4096],
        Ext(tmp_path / "e.img", 8 << 20, FILES).path.read_bytes()[:4096],
        partitioned(tmp_path / "p.img", bytes(4096)).read_bytes()[:4096],
        bytes(512) + b"EFI PART" + bytes(3000),
    ]
    assert all(looks_like_disk(head) for head in heads)
    others = [plain(1), bytes(4096), b"\xff" * 4096, bytes(510) + b"\x55\xaa" + bytes(100), b""]
    assert not any(looks_like_disk(head) for head in others)


@settings(max_examples=40, deadline=None)
@given(st.integers(0, 2**32), st.sampled_from(["FAT12", "ext2"]))
def test_damaged_file_systems_are_survived(tmp_path_factory, seed, kind):
    base = tmp_path_factory.getbasetemp() / f"damaged-{kind}.img"
    if not base.exists():
        if kind == "ext2":
            Ext(base, 2 << 20, {"a.eml": plain(1)}, "-t", "ext2", "-b", "1024")
        else:
            Fat(base, 2 << 20, "-F", "12").put("A.EML", plain(1))
    rng = random.Random(seed)
    data = bytearray(base.read_bytes())
    for _ in range(rng.randint(1, 60)):
        data[rng.randrange(min(len(data), 40_000))] = rng.randrange(256)
    target = base.with_name(f"{kind}-{seed}.img")
    target.write_bytes(data)
    try:
        found = survey(target)
        for system in found.file_systems:
            for start, stop in [*system.free, *system.slack]:
                assert 0 <= start < stop <= found.size
    finally:
        target.unlink()


RANGES = st.lists(st.tuples(st.integers(0, 60), st.integers(0, 60)), max_size=8)


@given(RANGES, RANGES)
def test_subtraction_of_ranges_is_that_of_sets(first, second):
    def members(ranges):
        return {place for start, stop in ranges for place in range(start, stop)}

    left = subtract(first, second)
    assert members(left) == members(first) - members(second)
    assert left == merge(left)


@given(st.binary(max_size=2000))
def test_free_space_of_any_bytes_is_none_or_ranges(data):
    def read(offset, size):
        return data[offset : offset + size]

    for found in (fat(read, 0), ext(read, 0)):
        assert found is None or all(start < stop for start, stop in found.free)
