from __future__ import annotations

import json
import zipfile
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from mailforensics import open_case
from mailforensics.cli import main
from tests.ingest.test_run import folder_of, mbox_of, message


def run(*arguments: str | Path, code: int | None = 0) -> Result:
    result = CliRunner().invoke(main, [str(argument) for argument in arguments])
    if code is not None:
        assert result.exit_code == code, result.output
    return result


THUNDERBIRD = (
    b"From - Mon Nov  2 10:00:00 2026\nX-Mozilla-Status: %s\nX-Mozilla-Status2: 00000000\n"
)


@pytest.fixture
def profile(tmp_path: Path) -> Path:
    """A mailbox with four live messages and one that is expunged and not yet compacted."""
    path = tmp_path / "我的 邮件" / "Inbox"
    path.parent.mkdir()
    parts = []
    for number in range(5):
        status = b"0009" if number == 3 else b"0001"
        parts.append(THUNDERBIRD % status + message(number).replace(b"\r\n", b"\n") + b"\n")
    path.write_bytes(b"".join(parts))
    return path


def test_step_by_step(tmp_path: Path, profile: Path) -> None:
    case = tmp_path / "case"
    run("new", case, "--examiner", "Wang", "--time-zone", "Asia/Shanghai")
    assert "E01" in run("add", case, profile, "--custodian", "Li Na").output
    assert "Declared 5 = read 5 + failed 0 + skipped 0" in run("read", case).output
    assert "1 message" in run("deleted", case).output
    assert "Nr. 3" in run("search", case, "合同", "subject:3").output
    run("check", case)
    run("timeline", case, "--csv", tmp_path / "t.csv", "--jsonl", tmp_path / "t.jsonl")
    assert (tmp_path / "t.csv").read_text(encoding="utf-8-sig").startswith("message,datetime,")
    out = tmp_path / "out"
    assert "1 written" in run("export", case, out).output
    (written,) = out.rglob("*.eml")
    assert written.read_bytes() == message(3).replace(b"\r\n", b"\n")
    run("report", case, "--to", tmp_path / "report.html")
    assert "pass" in run("verify", case).output


def test_all_in_one_go(tmp_path: Path, profile: Path) -> None:
    case = tmp_path / "case"
    result = run("recover", profile.parent, "--case", case)
    assert "1 message" in result.output
    assert len(list((case / "exports" / "deleted-01").rglob("*.eml"))) == 1
    assert (case / "exports" / "report-01.html").is_file()


def test_wrong_evidence_has_a_row_and_a_code_and_the_rest_is_read(
    tmp_path: Path, profile: Path
) -> None:
    text = tmp_path / "mail.pst"
    text.write_text("no mail at all\n")
    empty = tmp_path / "empty.mbox"
    empty.touch()
    cut = tmp_path / "cut.zip"
    with zipfile.ZipFile(cut, "w") as archive:
        archive.writestr("a.eml", message(77))
        archive.writestr("b.eml", message(78))
    cut.write_bytes(cut.read_bytes()[:-200])
    broken = tmp_path / "broken.pst"
    broken.write_bytes(b"!BDN" + bytes(4) + b"SM" + bytes(600))
    case = tmp_path / "case"
    paths = (text, empty, cut, broken, tmp_path / "gone.eml", profile)
    result = run("recover", *paths, "--case", case, code=None)
    assert result.exit_code == 5
    for path in (text, empty, tmp_path / "gone.eml"):
        assert f"{path}: not added." in result.output
    reads = open_case(case).reads()
    failed = reads[reads["row_kind"] == "failed"]
    assert {"E01", "E02"} <= set(failed["evidence_id"])
    assert "1 message" in result.output
    subjects = set(open_case(case).messages()["subject"])
    assert "Nr. 77 合同" in subjects


def test_what_is_only_possibly_deleted_is_said_in_the_headline(
    tmp_path: Path, profile: Path
) -> None:
    blob = tmp_path / "blob.bin"
    blob.write_bytes(bytes(8192) + message(5) + bytes(4096))
    result = run("recover", blob, "--case", tmp_path / "blob-case")
    assert "1 message" in result.output
    assert "only possible" in result.output
    result = run("recover", profile, "--case", tmp_path / "sure-case")
    assert "only possible" not in result.output


def test_an_empty_folder_is_said_kindly(tmp_path: Path) -> None:
    (tmp_path / "nothing").mkdir()
    result = run("recover", tmp_path / "nothing", "--case", tmp_path / "case")
    assert "No message in this evidence is deleted" in result.output


def test_nothing_is_written_over(tmp_path: Path, profile: Path) -> None:
    case = tmp_path / "case"
    run("recover", profile, "--case", case)
    run("export", case, tmp_path / "out")
    assert "Error" in run("export", case, tmp_path / "out", code=6).output
    run("deleted", case, "--csv", tmp_path / "d.csv")
    run("deleted", case, "--csv", tmp_path / "d.csv", code=6)
    run("new", case, code=1)


def test_the_same_bytes_are_not_added_twice(tmp_path: Path, profile: Path) -> None:
    run("new", tmp_path / "case")
    run("add", tmp_path / "case", profile)
    assert "in the case already" in run("add", tmp_path / "case", profile, code=3).output


def test_verify_finds_changed_evidence_and_an_edited_log(tmp_path: Path, profile: Path) -> None:
    case = tmp_path / "case"
    run("recover", profile, "--case", case)
    before = profile.read_bytes()
    profile.write_bytes(before + b"x")
    assert "Evidence E01" in run("verify", case, code=4).output
    profile.write_bytes(before)
    run("verify", case)
    log = case / "custody.jsonl"
    rows = log.read_text(encoding="utf-8").splitlines()
    changed = json.loads(rows[1])
    changed["actor"] = "nobody"
    log.write_text("\n".join([rows[0], json.dumps(changed), *rows[2:]]) + "\n", encoding="utf-8")
    assert "Row 2" in run("verify", case, code=4).output


def test_reading_leaves_the_evidence_as_it_was(tmp_path: Path) -> None:
    source = folder_of(tmp_path / "export", 30)
    mbox_of(source / "all.mbox", 20)
    for path in source.iterdir():
        path.chmod(0o444)
    before = {path: (path.stat().st_mtime_ns, path.read_bytes()) for path in source.iterdir()}
    run("recover", source, "--case", tmp_path / "case")
    assert before == {
        path: (path.stat().st_mtime_ns, path.read_bytes()) for path in source.iterdir()
    }
