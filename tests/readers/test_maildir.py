from __future__ import annotations

import gzip
import hashlib
import os
import tempfile
from datetime import UTC, datetime
from pathlib import Path

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.errors import NoBytes
from mailforensics.readers import ReadLog, Source, Span, identify
from mailforensics.readers import maildir as maildir_module
from mailforensics.readers.maildir import MaildirReader
from mailforensics.readers.maildirnames import folder_name, parse_name, path_of_ref, ref_of_path
from mailforensics.readers.uidlist import read_uidlist
from mailforensics.readers.unpacking import unpack
from mailforensics.schema import (
    Completeness,
    Confidence,
    DeletionState,
    FolderRole,
    MessageRecord,
    RawKind,
)

READER = MaildirReader()
MAIL = b"From: li@corp.example\nSubject: one\nMessage-ID: <1@x>\n\nText\n"


def read(path: Path, span: Span | None = None) -> tuple[dict[str, MessageRecord], ReadLog]:
    log = ReadLog()
    source = Source(path, mailbox="given")
    records = {}
    for record in READER.read(source, log, span):
        assert isinstance(record, MessageRecord)
        log.count(record)
        assert record.source_ref not in records
        records[record.source_ref] = record
        if record.raw_kind is RawKind.NONE:
            with pytest.raises(NoBytes):
                READER.raw(source, record.source_ref)
        else:
            raw = READER.raw(source, record.source_ref)
            assert hashlib.sha256(raw).hexdigest() == record.sha256
    assert log.balanced
    return records, log


def maildir(tmp_path: Path, files: dict[str, bytes]) -> Path:
    root = tmp_path / "Maildir"
    for box in ("cur", "new", "tmp"):
        (root / box).mkdir(parents=True)
    for name, data in files.items():
        (root / name).parent.mkdir(parents=True, exist_ok=True)
        (root / name).write_bytes(data)
    return root


NAME = "1795456816.M36264P11716.vm"
TIME = datetime(2026, 11, 23, 18, 0, 16, 36264, tzinfo=UTC)


@pytest.mark.parametrize("sign", [":", ";", "!", "\uf022", "："])
def test_names(sign: str) -> None:
    name = parse_name(f"{NAME},S=60,W=65{sign}2,FSa")
    assert (name.key, name.flags, name.size, name.crlf_size) == (NAME, "FSa", 60, 65)
    assert name.delivered_at == TIME


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        ("1795456816.P1Q2M36264.vm", TIME),
        ("1795456816.12_3.vm,U=5", TIME.replace(microsecond=0)),
        ("1795456816_0.12.vm", TIME.replace(microsecond=0)),
        ("99999999999.x.vm", None),
        ("hello", None),
        ("", None),
    ],
)
def test_delivery_times(text: str, moment: datetime | None) -> None:
    assert parse_name(text).delivered_at == moment


def test_folder_names() -> None:
    assert folder_name(()) == "INBOX"
    assert folder_name((".Work.&XfJSIJZk-",)) == "Work/已删除"
    assert folder_name(("..EXPUNGED",)) == "EXPUNGED"
    assert folder_name(("Work", "v1.2")) == "Work/v1.2"


@given(name=st.text(alphabet=st.characters(exclude_characters="/\0"), min_size=1))
def test_refs_lead_back(name: str) -> None:
    try:
        os.fsencode(name)
    except UnicodeEncodeError:
        return
    assert path_of_ref(ref_of_path(name)) == name
    ref_of_path(name).encode("utf-8")


@given(name=st.text())
def test_any_name_can_be_taken_apart(name: str) -> None:
    assert name.startswith(parse_name(name).base)


def test_flags_and_folders(tmp_path: Path) -> None:
    root = maildir(
        tmp_path,
        {
            f"cur/{NAME}:2,S": MAIL,
            "cur/1795456817.M1P1.vm:2,T": MAIL,
            "new/1795456818.M1P1.vm": MAIL,
            ".Trash/cur/1795456819.M1P1.vm:2,": MAIL,
            ".&XfJSIJZk-/cur/1795456819.M2P1.vm:2,FRa": MAIL,
            "..EXPUNGED/cur/1795456820.M1P1.vm:2,": MAIL,
            "Work/Trash/cur/1795456821.M1P1.vm:2,": MAIL,
            ".&XfJSIJZk-/dovecot-keywords": b"0 $Important\n",
        },
    )
    records, log = read(root)
    found = {(r.folder, r.deletion_state, r.is_read) for r in records.values()}
    assert found == {
        ("INBOX", DeletionState.LIVE, True),
        ("INBOX", DeletionState.MARKED_DELETED, False),
        ("INBOX", DeletionState.LIVE, False),
        ("Trash", DeletionState.IN_DELETED_FOLDER, False),
        ("已删除", DeletionState.IN_DELETED_FOLDER, False),
        ("EXPUNGED", DeletionState.RECOVERABLE, False),
        ("Work/Trash", DeletionState.IN_DELETED_FOLDER, False),
    }
    chinese = records["file:.&XfJSIJZk-/cur/1795456819.M2P1.vm:2,FRa"]
    assert chinese.flags == ["flags:FRa", "flagged", "replied", "keyword:$Important"]
    live = records[f"file:cur/{NAME}:2,S"]
    assert live.stored_at == TIME
    assert live.folder_role is FolderRole.INBOX
    assert live.defects == ["no_date"]
    marked = records["file:cur/1795456817.M1P1.vm:2,T"]
    assert marked.confidence is Confidence.CERTAIN
    assert marked.deletion_basis is not None
    assert marked.deletion_basis.startswith("The T in its file name in INBOX")
    assert log.declared == 7


def test_sizes_are_checked(tmp_path: Path) -> None:
    size, crlf = len(MAIL), len(MAIL) + MAIL.count(b"\n")
    root = maildir(
        tmp_path,
        {
            f"cur/1.a,S={size},W={crlf}:2,": MAIL,
            f"cur/2.a,S={size},W={crlf + 1}:2,": MAIL,
            f"cur/3.a,S={size + 9}:2,": MAIL,
            f"cur/4.a,S={size - 1}:2,": MAIL,
        },
    )
    records, _ = read(root)
    defects = [[d for d in r.defects if d != "no_date"] for r in records.values()]
    assert defects == [[], ["size_mismatch"], ["size_mismatch", "truncated_end"], ["size_mismatch"]]
    assert [r.completeness for r in records.values()].count(Completeness.PARTIAL) == 1


def zstd(data: bytes) -> bytes:
    sink = pa.BufferOutputStream()
    with pa.CompressedOutputStream(sink, "zstd") as stream:
        stream.write(data)
    return sink.getvalue().to_pybytes()


@pytest.mark.parametrize(
    ("packed", "method"), [(gzip.compress(MAIL), "gzip"), (zstd(MAIL), "zstd")]
)
def test_packed_messages(tmp_path: Path, packed: bytes, method: str) -> None:
    name = f"{NAME},S={len(MAIL)}:2,S"
    records, _ = read(maildir(tmp_path, {f"cur/{name}": packed}))
    record = records[f"file:cur/{name}"]
    assert record.sha256 == hashlib.sha256(MAIL).hexdigest()
    assert record.size == len(MAIL)
    assert f"stored:{method}" in record.flags
    assert record.defects == ["no_date"]


def test_a_packed_message_that_is_cut_off(tmp_path: Path) -> None:
    big = MAIL + os.urandom(3000).hex().encode()
    records, _ = read(maildir(tmp_path, {"cur/1.a:2,": gzip.compress(big)[:1200]}))
    (record,) = records.values()
    assert record.completeness is Completeness.PARTIAL
    assert "truncated_end" in record.defects
    assert record.subject == "one"


def test_unpacking_stops_at_its_limit() -> None:
    for packed in (gzip.compress(b"\0" * 100_000), zstd(b"\0" * 100_000)):
        out = unpack(packed, limit=1000)
        assert len(out.data) <= 1000
        assert not out.whole
    two = unpack(gzip.compress(b"a") + gzip.compress(b"b"))
    assert (two.data, two.whole) == (b"ab", True)


@given(data=st.binary(max_size=300), cut=st.integers(0, 300), flip=st.integers(0, 299))
@settings(deadline=None)
def test_damage_in_packed_bytes_is_no_error(data: bytes, cut: int, flip: int) -> None:
    for packed in (gzip.compress(data), zstd(data)):
        assert unpack(packed).data == data
        bad = bytearray(packed[: cut + 1])
        bad[flip % len(bad)] ^= 0x41
        unpack(bytes(bad))


def test_what_is_no_message(tmp_path: Path) -> None:
    outside = tmp_path / "outside"
    outside.mkdir()
    (outside / "secret").write_bytes(MAIL)
    root = maildir(
        tmp_path,
        {
            "cur/1.a:2,": b"",
            "cur/2.a:2,": b"\0" * 300,
            "cur/3.a:2,": b"\x89PNG\r\n\x1a\n....",
            "cur/dir/x": MAIL,
            "dovecot.index.log": b"x",
            "subscriptions": b"x",
            "notes.txt": b"x",
        },
    )
    (root / "cur" / "4.link:2,").symlink_to(outside / "secret")
    (root / ".Linked").symlink_to(outside)
    records, log = read(root)
    assert records == {}
    rows = {row.source_ref: (row.row_kind, row.reason) for row in log.rows()[1:]}
    assert rows["file:cur/1.a:2,"] == ("failed", "The file is empty.")
    assert rows["file:cur/2.a:2,"] == ("failed", "The file is no mail.")
    assert rows["file:cur/3.a:2,"] == ("failed", "The file is no mail.")
    link = ("skipped", "It is a link; links are not followed.")
    assert rows["file:cur/4.link:2,"] == rows["file:.Linked"] == link
    assert rows["file:notes.txt"][0] == rows["file:cur/dir"][0] == "skipped"
    assert len(rows) == 7
    for ref in ("file:cur/4.link:2,", "file:../outside/secret", "file:.Linked/secret", "file:/x"):
        with pytest.raises(NoBytes):
            READER.raw(Source(root), ref)


def test_names_that_are_no_unicode(tmp_path: Path) -> None:
    root = maildir(tmp_path, {})
    try:
        (root / "cur" / os.fsdecode(b"1.\xb0\xcf:2,S")).write_bytes(MAIL)
    except OSError:
        pytest.skip("this file system takes Unicode names only")
    records, _ = read(root)
    assert list(records) == ["filebytes:cur/1.%B0%CF%3A2%2CS"]


UIDLIST = f"""3 V1795456815 N9 G0375833a2f7f046bc42d000083ecc375
1 :{NAME},S={len(MAIL)}
2 G1795456817.M1P1.vm :1795456817.M1P1.vm,S=717,W=750
3 :1795456818.M1P1.vm
broken line
4 :../../etc/passwd
"""


def test_what_only_the_list_knows(tmp_path: Path) -> None:
    root = maildir(
        tmp_path,
        {
            f"cur/{NAME},S={len(MAIL)}:2,S": MAIL,
            ".Work/cur/1795456818.M1P1.vm:2,S": MAIL,
            "dovecot-uidlist": UIDLIST.encode(),
        },
    )
    records, log = read(root)
    assert "uid:INBOX/1" in records[f"file:cur/{NAME},S={len(MAIL)}:2,S"].flags
    (gone,) = [record for record in records.values() if record.raw_kind is RawKind.NONE]
    assert gone.source_ref == "uidlist:INBOX/2"
    assert gone.deletion_state is DeletionState.KNOWN_ONLY
    assert gone.confidence is Confidence.PROBABLE
    assert gone.completeness is Completeness.METADATA_ONLY
    assert gone.defects == ["index_only"]
    assert (gone.size, gone.sha256, gone.sent_at) == (717, None, None)
    assert gone.stored_at == datetime(2026, 11, 23, 18, 0, 17, 1, tzinfo=UTC)
    assert gone.deletion_basis is not None
    assert gone.deletion_basis.startswith("Line 3 of dovecot-uidlist lists message 2")
    rows = {row.source_ref: row for row in log.rows()[1:] if row.row_kind != "note"}
    assert rows["uidlist:INBOX/3"].reason == "The message was moved to another folder."
    assert rows["uidlist:INBOX/3"].detail == "Work"
    assert rows["file:dovecot-uidlist"].failed == 2
    assert rows["file:dovecot-uidlist"].detail == "Lines 5, 6"
    notes = [row.reason for row in log.rows() if row.row_kind == "note"]
    guid = "0375833a2f7f046bc42d000083ecc375"
    assert notes == [f"dovecot mailbox guid {guid}; uidvalidity 1795456815"]


def test_list_of_version_1(tmp_path: Path) -> None:
    path = tmp_path / "dovecot-uidlist"
    path.write_bytes(b"1 1795456815 9\n7 1795456816.M1P1.vm\n")
    listed = read_uidlist(path)
    assert listed is not None
    assert (listed.validity, [entry.uid for entry in listed.entries]) == (1795456815, [7])


@given(data=st.binary(max_size=200))
@settings(deadline=None)
def test_any_bytes_as_a_list(data: bytes) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for head in (b"", b"3 V1 N1\n", b"3 V1 N1\n1 :"):
            path = Path(folder) / "dovecot-uidlist"
            path.write_bytes(head + data)
            read_uidlist(path)


def test_spans_give_what_the_whole_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    files = {f"cur/{number}.a:2,S": MAIL + b"x" * number for number in range(1000, 1040)}
    files |= {".Work/cur/9.a:2,": MAIL, "cur/0.a:2,": b"", "odd": b"x", ".Work/tmp/1.z": MAIL}
    root = maildir(tmp_path, {**files, "dovecot-uidlist": UIDLIST.encode(), ".Work/new/9.z": b""})
    assert READER.spans(Source(root)) is None
    monkeypatch.setattr(maildir_module, "SPAN", 5000)
    spans = READER.spans(Source(root))
    assert spans is not None
    assert len(spans) == 9
    whole, log = read(root)
    logs = [read(root, span) for span in spans]
    assert {ref: r for records, _ in logs for ref, r in records.items()} == whole
    assert sum(one.declared for _, one in logs) == log.declared


def test_sniff(tmp_path: Path) -> None:
    root = maildir(tmp_path, {})
    assert READER.sniff(b"", root)
    assert identify(root).reader == "maildir"
    assert not READER.sniff(b"", tmp_path)
    lost = tmp_path / "lost"
    (lost / "cur").mkdir(parents=True)
    assert not READER.sniff(b"", lost)
    (lost / "cur" / NAME).write_bytes(MAIL)
    assert READER.sniff(b"", lost)


@pytest.mark.parametrize("user", ["maildir1", "maildirgz1"])
def test_dovecot_after_expunge(corpora: Path, user: str) -> None:
    stores = corpora / "stores"
    root = stores / "dovecot-after-expunge" / user / "Maildir"
    records, log = read(root)
    states = {
        flag: (r.folder, r.deletion_state)
        for r in records.values()
        for flag in r.flags
        if flag.startswith("uid:")
    }
    assert states == {
        "uid:INBOX/1": ("INBOX", DeletionState.MARKED_DELETED),
        "uid:INBOX/2": ("INBOX", DeletionState.KNOWN_ONLY),
        "uid:INBOX/3": ("INBOX", DeletionState.LIVE),
        "uid:INBOX/4": ("INBOX", DeletionState.LIVE),
        "uid:INBOX/5": ("INBOX", DeletionState.KNOWN_ONLY),
        "uid:INBOX/6": ("INBOX", DeletionState.LIVE),
        "uid:Trash/1": ("Trash", DeletionState.IN_DELETED_FOLDER),
    }
    assert log.declared == 7
    for record in records.values():
        if record.raw_kind is RawKind.NONE:
            continue
        number = (record.message_id or "").split(".")[1].split("@")[0]
        original = (stores / "originals" / f"orig-{user}-{number}.eml").read_bytes()
        raw = READER.raw(Source(root), record.source_ref)
        assert raw == original.replace(b"\r\n", b"\n")
        assert "size_mismatch" not in record.defects
