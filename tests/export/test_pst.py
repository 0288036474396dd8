from __future__ import annotations

import email.message
import email.policy
import errno
import hashlib
import struct
from pathlib import Path
from typing import Any

import pandas as pd
import pytest

from mailforensics.errors import ExportError
from mailforensics.export import export, pst, verify_export
from mailforensics.export.cells import parse
from mailforensics.mapi import Property, from_eml, rebuild
from mailforensics.mime import parse as parse_mail
from mailforensics.pst.messages import Message
from mailforensics.pst.store import PstStore
from mailforensics.schema import RawKind
from tests.export.conftest import SENT, Evidence, mail, record
from tests.pst.invariants import check_store


def run(evidence: Evidence, folder: Path, **options: Any) -> Any:
    return export(evidence.messages, folder, form="pst", **evidence.arguments, **options)


def messages_of(path: Path) -> list[Message]:
    store = PstStore.open(path)
    return [message for folder in store.folders() for message in store.messages(folder)]


def with_files(subject: str, *files: bytes) -> bytes:
    message = email.message.EmailMessage(policy=email.policy.SMTP)
    message["From"] = "李娜 <li.na@huayang.example>"
    message["To"] = "Zhao <zhao@huayang.example>, wang@huayang.example"
    message["Cc"] = "Boss <boss@huayang.example>"
    message["Subject"] = subject
    message["Message-ID"] = f"<{len(files)}@x>"
    message["Date"] = "Thu, 12 Nov 2026 17:42:07 +0800"
    message.set_content("合同见附件\n")
    message.add_alternative("<p>合同见附件</p>", subtype="html")
    for number, data in enumerate(files):
        message.add_attachment(
            data, maintype="application", subtype="pdf", filename=f"附件{number}.pdf"
        )
    return message.as_bytes(policy=email.policy.SMTP)


def test_the_count_balances_and_each_has_its_item(several: Evidence, tmp_path: Path) -> None:
    result = run(several, tmp_path / "out")
    assert (result.written, result.skipped, result.failed) == (5, 1, 0)
    assert len(result.rows) == 5
    check_store(result.folder / "recovered.pst")
    items = {message.nid: message for message in messages_of(result.folder / "recovered.pst")}
    rows = parse((result.folder / "manifest.csv").read_bytes())[1]
    written = [row for row in rows if row["status"] == "written"]
    assert len(written) == len(items) == 5
    for row in written:
        assert row["file"] == "recovered.pst"
        nid = int(row["note"].rpartition("item 0x")[2].split(";")[0], 16)
        raw = several.bytes[row["item_id"]]
        assert items[nid].subject == from_eml(raw).subject
    assert set(verify_export(result.folder)["status"]) == {"ok"}
    assert "recovered.pst" in (result.folder / "READ_ME.txt").read_text("utf-8-sig")


def test_headers_bodies_people_and_files_come_back(tmp_path: Path) -> None:
    raw = with_files("合同", b"%PDF-1 one", b"%PDF-1 " + b"two" * 9000)
    evidence = Evidence((record("1", raw, folder="Inbox/Offers", is_read=True), raw))
    result = run(evidence, tmp_path / "out")
    with PstStore.open(result.folder / "recovered.pst") as store:
        paths = [folder.path for folder in store.folders() if folder.declared]
        assert paths == [("Top of Outlook data file", "Recovered mail", "Inbox", "Offers")]
    (item,) = messages_of(result.folder / "recovered.pst")
    assert item.subject == "合同"
    assert item.submitted_at == SENT
    assert item.flags & 0x11 == 0x11
    assert (item.body or "").strip() == "合同见附件"
    assert (item.html or b"").strip() == "<p>合同见附件</p>".encode()
    assert [(row.kind, row.name, row.address) for row in item.recipients] == [
        (1, "Zhao", "zhao@huayang.example"),
        (1, "wang@huayang.example", "wang@huayang.example"),
        (2, "Boss", "boss@huayang.example"),
    ]
    expected = [part.data for part in parse_mail(raw).parts if part.is_attachment]
    assert [entry.data() for entry in item.attachments] == expected
    assert [entry.name for entry in item.attachments] == ["附件0.pdf", "附件1.pdf"]
    assert (item.headers or "").encode() == raw.partition(b"\r\n\r\n")[0] + b"\r\n\r\n"


def test_messages_of_outlook_keep_all_their_properties(tmp_path: Path) -> None:
    raw = with_files("s")
    known = from_eml(raw)
    known.properties.values[0x8105] = Property(3, struct.pack("<i", 42))
    name = ("00062008-0000-0000-c000-000000000046", 0x8503)
    known.properties.names[0x8105] = name
    built = rebuild(known)
    row = record("nid:4", built, raw_kind=RawKind.REBUILT_FROM_MAPI)
    row.sha256 = None
    evidence = Evidence((row, built), (record("2", mail()), mail()))
    outlook = evidence.messages["item_id"].iloc[0]
    result = run(evidence, tmp_path / "out", mapi={outlook: known}.get)
    assert result.written == 2
    with PstStore.open(result.folder / "recovered.pst") as store:
        tag = {name: tag for tag, name in store.names.items()}[name]
    values = [item.properties.integer(tag) for item in messages_of(result.folder / "recovered.pst")]
    assert sorted(values, key=str) == [42, None]


def test_several_custodians_get_a_folder_each(tmp_path: Path) -> None:
    evidence = Evidence(
        (record("1", mail("1"), folder="Inbox"), mail("1")), (record("2", mail("2")), mail("2"))
    )
    evidence.messages["custodian"] = pd.Series(["Li Na", "Zhao"], dtype="string[pyarrow]")
    result = run(evidence, tmp_path / "out")
    with PstStore.open(result.folder / "recovered.pst") as store:
        paths = {folder.path[2:] for folder in store.folders() if folder.declared}
    assert paths == {("Li Na", "Inbox"), ("Zhao", pst.NO_FOLDER)}


def test_what_does_not_read_back_is_failed(
    several: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    real = pst.read_back

    def other(path: Path) -> dict[int, Any]:
        found = real(path)
        first, second, *_ = sorted(found)
        del found[first]
        found[second].attachments.append("0" * 64)
        return found

    monkeypatch.setattr(pst, "read_back", other)
    result = run(several, tmp_path / "out")
    assert (result.written, result.skipped, result.failed) == (3, 1, 2)
    failed = result.left_out[result.left_out["status"] == "failed"]
    assert set(failed["reason"]) == {"It does not read back from recovered.pst as it was written."}


def test_a_file_that_libpff_refuses_reads_back_as_nothing(tmp_path: Path) -> None:
    (tmp_path / "x.pst").write_bytes(b"!BDN" + bytes(2000))
    assert pst.read_back(tmp_path / "x.pst") == {}


def test_reading_back_sees_changed_attachment_bytes(tmp_path: Path) -> None:
    data = b"%PDF-1 " + bytes(range(256)) * 40
    raw = with_files("s", data)
    result = run(Evidence((record("1", raw), raw)), tmp_path / "out")
    path = result.folder / "recovered.pst"
    (seen,) = pst.read_back(path).values()
    assert seen == pst.Seen("s", 3, [hashlib.sha256(data).hexdigest()])
    whole = bytearray(path.read_bytes())
    with PstStore.open(path) as store:
        (place,) = (block for block in store.blocks if block.stored == 8176)
    whole[place.offset + 4000] ^= 1
    path.write_bytes(whole)
    assert list(pst.read_back(path).values()) != [seen]


def test_without_messages_there_is_no_file(tmp_path: Path) -> None:
    result = run(Evidence((record("6", None, subject="Gone"), None)), tmp_path / "out")
    assert (result.written, result.skipped) == (0, 1)
    assert not list(result.folder.glob("*.pst*"))
    assert not list(result.folder.glob(".*"))


def test_a_full_disk_loses_the_file_and_says_so(
    several: Evidence, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(*_: object) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    monkeypatch.setattr("mailforensics.pst.writer.space.Space.finish", full)
    with pytest.raises(ExportError, match=r"is full\. Of 6 messages 0 were written"):
        run(several, tmp_path / "out")
    assert not list((tmp_path / "out").glob("*.pst*"))
    assert not list((tmp_path / "out").glob(".*"))
