from __future__ import annotations

import io
import tarfile
import zipfile
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailforensics.errors import EvidenceError
from mailforensics.evidence import ArchiveFault, Member, archives, expand, is_archive


def made_zip(path: Path, members: list[tuple[str, bytes]]) -> Path:
    with zipfile.ZipFile(path, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in members:
            archive.writestr(name, data)
    return path


def made_tar(path: Path, members: list[tuple[str, bytes]], mode: str = "w:gz") -> Path:
    with tarfile.open(path, mode) as archive:
        for name, data in members:
            entry = tarfile.TarInfo(name)
            entry.size = len(data)
            archive.addfile(entry, io.BytesIO(data))
    return path


def members(found: list[Member | ArchiveFault]) -> dict[str, bytes]:
    return {each.name: each.path.read_bytes() for each in found if isinstance(each, Member)}


@pytest.mark.parametrize("mode", ["w", "w:gz", "w:bz2", "w:xz"])
def test_tar_members_come_out_as_they_went_in(tmp_path: Path, mode: str) -> None:
    sent = [("a/一.eml", b"one"), ("b.eml", b"two" * 5000)]
    path = made_tar(tmp_path / "export.tar", sent, mode)
    assert is_archive(path)
    assert members(list(expand(path, tmp_path / "out"))) == dict(sent)


def test_names_cannot_leave_the_folder(tmp_path: Path) -> None:
    names = ["../../up", "/etc/passwd", "C:\\windows\\x", "a/../../b", "..", "\x00odd\n"]
    path = made_tar(tmp_path / "evil.tar", [(name, b"x") for name in names], "w")
    out = tmp_path / "deep" / "out"
    found = list(expand(path, out))
    assert len(members(found)) == len(names)
    for each in found:
        assert isinstance(each, Member)
        assert out.resolve() in each.path.resolve().parents
    assert sorted(entry.name for entry in tmp_path.iterdir()) == ["deep", "evil.tar"]


def test_links_and_devices_are_left_out_and_said(tmp_path: Path) -> None:
    path = tmp_path / "links.tar"
    with tarfile.open(path, "w") as archive:
        link = tarfile.TarInfo("link.eml")
        link.type, link.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(link)
        archive.addfile(tarfile.TarInfo("empty.eml"), io.BytesIO())
    found = list(expand(path, tmp_path / "out"))
    assert [type(each) for each in found] == [ArchiveFault, Member]
    assert not (tmp_path / "out" / "link.eml").exists()


def test_a_name_that_stands_twice_gives_two_members(tmp_path: Path) -> None:
    path = made_tar(tmp_path / "twice.tar", [("a.eml", b"first"), ("a.eml", b"other")], "w")
    assert members(list(expand(path, tmp_path / "out"))) == {
        "a.eml": b"first",
        "a.eml~2": b"other",
    }


def test_names_that_differ_only_in_case_do_not_share_a_place(tmp_path: Path) -> None:
    path = made_tar(tmp_path / "case.tar", [("A.eml", b"upper"), ("a.eml", b"lower")], "w")
    assert members(list(expand(path, tmp_path / "out"))) == {"A.eml": b"upper", "a.eml": b"lower"}


def test_a_truncated_tar_gives_the_rest_and_a_fault(tmp_path: Path) -> None:
    whole = made_tar(tmp_path / "w.tar", [(f"{n}.eml", bytes([n]) * 3000) for n in range(9)], "w")
    cut = tmp_path / "cut.tar"
    cut.write_bytes(whole.read_bytes()[:12_000])
    found = list(expand(cut, tmp_path / "out"))
    assert isinstance(found[-1], ArchiveFault)
    assert len(members(found)) == 3


def test_a_truncated_zip_is_read_as_far_as_it_goes(tmp_path: Path) -> None:
    sent = [(f"{n}.eml", bytes(range(256)) * 40) for n in range(5)]
    whole = made_zip(tmp_path / "w.zip", sent)
    data = whole.read_bytes()
    cut = tmp_path / "cut.zip"
    cut.write_bytes(data[: data.index(b"3.eml") + 20])
    found = list(expand(cut, tmp_path / "out"))
    assert members(found) == dict(sent[:3])
    faults = [each for each in found if isinstance(each, ArchiveFault)]
    assert [fault.name for fault in faults] == ["", "3.eml"]


def test_chinese_names_of_old_zip_programs(tmp_path: Path) -> None:
    path = tmp_path / "gbk.zip"
    name = "合同.eml"
    with zipfile.ZipFile(path, "w") as archive:
        archive.writestr("XXXX.eml", b"x")
    data = path.read_bytes().replace(b"XXXX.eml", name.encode("gbk"))
    path.write_bytes(data)
    assert list(members(list(expand(path, tmp_path / "out")))) == [name]


def test_no_room_is_an_error_before_the_disk_is_full(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = made_zip(tmp_path / "a.zip", [("a.eml", b"x" * 1000)])
    monkeypatch.setattr(archives, "RESERVE", 1 << 62)
    with pytest.raises(EvidenceError, match="no room"):
        list(expand(path, tmp_path / "out"))


@settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(data=st.binary(max_size=300), where=st.integers(0, 400), magic=st.sampled_from("ztg"))
def test_damaged_archives_never_raise(tmp_path: Path, data: bytes, where: int, magic: str) -> None:
    made = {
        "z": lambda: made_zip(tmp_path / "x.zip", [("a.eml", b"hello" * 30), ("b.eml", b"you")]),
        "t": lambda: made_tar(tmp_path / "x.tar", [("a.eml", b"hello" * 30)], "w"),
        "g": lambda: made_tar(tmp_path / "x.tgz", [("a.eml", b"hello" * 30)]),
    }[magic]()
    whole = made.read_bytes()
    made.write_bytes(whole[:where] + data + whole[where + len(data) :])
    for each in expand(made, tmp_path / "out"):
        assert isinstance(each, Member | ArchiveFault)
