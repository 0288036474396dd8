from __future__ import annotations

import subprocess
from pathlib import Path

import pytest

from mailforensics.errors import ExportError
from mailforensics.export import ExportResult, export, mih, verify_export
from mailforensics.export.cells import parse
from mailforensics.export.manifest import COLUMNS
from tests.export.conftest import Evidence


@pytest.fixture(params=["eml", "mbox", "csv"])
def exported(several: Evidence, tmp_path: Path, request: pytest.FixtureRequest) -> ExportResult:
    return export(several.messages, tmp_path / "out", form=request.param, **several.arguments)


def odd(folder: Path, digest: str | None = None) -> dict[str, str]:
    frame = verify_export(folder, manifest_sha256=digest)
    frame = frame[frame["status"] != "ok"]
    return dict(zip(frame["file"], frame["status"], strict=True))


def test_mih_is_that_of_edrm() -> None:
    vector = "<CALckR-a8UDkRjO4xJyjd_s0GPxQWw@mail.gmail.com>"
    assert mih(vector) == mih(f"  {vector} ") == "1de319c276884bd0c9e2f1621ada26cc"
    assert mih(None) == mih(" ") == ""
    assert mih("<\ud800@x>")


def test_an_untouched_export_verifies(exported: ExportResult) -> None:
    assert odd(exported.folder, exported.manifest_sha256) == {}
    listed = set(verify_export(exported.folder)["file"]) | {"manifest.csv.sha256"}
    there = {p.relative_to(exported.folder).as_posix() for p in exported.folder.rglob("*")}
    assert there - {"messages"} == listed


def test_sha256sum_agrees(exported: ExportResult) -> None:
    command = ["sha256sum", "--check", "--strict", "manifest.csv.sha256"]
    done = subprocess.run(command, cwd=exported.folder, capture_output=True, check=False)
    assert done.returncode == 0, done.stderr


def test_every_kind_of_tampering_is_found(exported: ExportResult) -> None:
    folder = exported.folder
    first = Path(exported.rows["path"].iloc[0])
    name = first.relative_to(folder).as_posix()
    first.write_bytes(first.read_bytes() + b" ")
    (folder / "extra.txt").write_text("x")
    (folder / "READ_ME.txt").unlink()
    assert odd(folder) == {name: "changed", "extra.txt": "extra", "READ_ME.txt": "missing"}
    first.unlink()
    assert odd(folder)[name] == "missing"


def test_an_edited_manifest_is_found(exported: ExportResult) -> None:
    path = exported.manifest
    path.write_bytes(path.read_bytes().replace(b"E01", b"E02"))
    assert odd(exported.folder) == {"manifest.csv": "changed"}
    sums = exported.folder / "manifest.csv.sha256"
    sums.unlink()
    assert odd(exported.folder) == {"manifest.csv.sha256": "missing"}
    sums.write_text("nothing\n")
    assert odd(exported.folder)["manifest.csv.sha256"] == "changed"


def test_a_manifest_edited_with_its_guard_is_found_by_the_custody_log(
    exported: ExportResult,
) -> None:
    path, sums = exported.manifest, exported.folder / "manifest.csv.sha256"
    path.write_bytes(path.read_bytes().replace(b"E01", b"E02"))
    done = subprocess.run(
        ["sha256sum", *(p.name for p in exported.folder.glob("*") if p.suffix in {".csv", ".txt"})],
        cwd=exported.folder,
        capture_output=True,
        check=True,
    )
    sums.write_bytes(done.stdout)
    assert odd(exported.folder) == {}
    assert odd(exported.folder, exported.manifest_sha256) == {"manifest.csv": "changed"}


@pytest.mark.parametrize("name", ["../secret", "/etc/passwd", "C:\\secret", "link", "a\0b"])
def test_a_hostile_manifest_leads_nowhere(tmp_path: Path, name: str) -> None:
    (tmp_path / "secret").write_text("x")
    folder = tmp_path / "out"
    folder.mkdir()
    (folder / "link").symlink_to(tmp_path / "secret")
    (folder / "manifest.csv").write_text(f'file,file_sha256,status\n"{name}",{"0" * 64},written\n')
    frame = verify_export(folder).set_index("file")
    assert frame.loc[name, "status"] == "changed"
    assert frame.loc[name, "found_sha256"] == ""


@pytest.mark.parametrize("data", [b"", b"\xff\xfe", b'a,b\n"x', b"one,two\n1,2\n"])
def test_what_is_no_manifest_is_said(tmp_path: Path, data: bytes) -> None:
    (tmp_path / "manifest.csv").write_bytes(data)
    with pytest.raises(ExportError, match=r"damaged|no manifest"):
        verify_export(tmp_path)


def test_a_folder_without_manifest_is_said(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match=r"manifest\.csv"):
        verify_export(tmp_path)


def test_the_manifest_has_its_columns(exported: ExportResult) -> None:
    rows = parse(exported.manifest.read_bytes())[1]
    assert all(tuple(row) == COLUMNS for row in rows)
    assert all(row["mih"] for row in rows if row["source_ref"] == "6")
