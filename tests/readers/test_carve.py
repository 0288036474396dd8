from __future__ import annotations

import gzip
import hashlib
import random
import zipfile
from pathlib import Path

import pytest

from mailforensics.errors import NoBytes, UnsupportedFormat
from mailforensics.images import survey
from mailforensics.readers import identify, load
from mailforensics.readers.base import ReadLog, Source, Span
from mailforensics.readers.carve import CarveReader
from mailforensics.schema import (
    Completeness,
    Confidence,
    DeletionState,
    MessageRecord,
    RawKind,
)
from tests.carving.mail import SEPARATOR, block, crlf, multipart, plain
from tests.diskimages import Ext, Fat, partitioned

READER = CarveReader()
KEPT = plain(1, b"this one is live\n")
GONE = crlf(multipart(2, "合同已签\n".encode("gb18030") * 300))
SHORT = plain(3, b"short and gone\n")


def read(path: Path, span: Span | None = None) -> list[MessageRecord]:
    """Read a source; check what holds for every one."""
    source, log = Source(path), ReadLog()
    records = list(READER.read(source, log, span))
    for record in records:
        assert isinstance(record, MessageRecord)
        log.count(record)
        raw = READER.raw(source, record.source_ref)
        assert hashlib.sha256(raw).hexdigest() == record.sha256
        assert record.deletion_state is DeletionState.CARVED
        assert record.deletion_basis
        assert record.confidence is not None
        if record.parent_ref is None:
            content = path.read_bytes()
            start, length = record.source_offset, record.source_length
            assert content[start : start + length] == raw
    assert log.balanced
    return records


def blob(path: Path, data: bytes) -> Path:
    path.write_bytes(data)
    return path


def fat(path: Path, *options: str) -> Fat:
    image = Fat(path, 40 << 20, *(options or ("-F", "32", "-s", "1")))
    image.folder("Mail")
    for name, data in (("live.eml", KEPT), ("合同.eml", GONE), ("short letter.eml", SHORT)):
        image.put(f"Mail/{name}", data)
    image.put("Mail/last.eml", KEPT)
    return image


def test_deleted_mail_of_a_real_ext4_image(corpora, tmp_path):
    packed = (corpora / "stores/ext4-maildir-deleted.img.gz").read_bytes()
    path = blob(tmp_path / "maildir.img", gzip.decompress(packed))
    assert identify(path).reader == "carve"
    records = read(path)
    originals = corpora / "stores/originals"
    expected = {
        hashlib.sha256((originals / f"orig-maildir1-{number}.eml").read_bytes()).hexdigest()
        for number in (2, 5)
    }
    assert {record.sha256 for record in records} == expected
    for record in records:
        assert record.completeness is Completeness.COMPLETE
        assert record.raw_kind is RawKind.ORIGINAL
        assert record.confidence is Confidence.PROBABLE
        assert record.defects == []
        assert "free space of the ext4 file system" in record.deletion_basis


@pytest.mark.parametrize("options", [("-F", "32", "-s", "1"), ("-F", "16", "-s", "8")])
def test_deleted_mail_of_fat_with_its_name_and_folder(tmp_path, options):
    image = fat(tmp_path / "stick.dd", *options)
    assert read(image.path) == []
    image.delete("Mail/合同.eml")
    image.delete("Mail/short letter.eml")
    long, short = sorted(read(image.path), key=lambda record: -record.size)
    assert long.sha256 == hashlib.sha256(GONE).hexdigest()
    assert short.sha256 == hashlib.sha256(SHORT).hexdigest()
    for record, name in ((long, "合同.eml"), (short, "short letter.eml")):
        assert record.confidence is Confidence.CERTAIN
        assert record.folder == "Mail"
        assert f"the deleted directory entry Mail/{name} starts here" in record.deletion_basis
        assert record.completeness is Completeness.COMPLETE


def test_live_mail_is_never_called_deleted(tmp_path):
    files = {f"cur/{number}.eml": plain(number, b"t\n" * number) for number in range(1, 60)}
    image = Ext(tmp_path / "disk.img", 16 << 20, files, "-t", "ext4", "-b", "1024")
    assert read(image.path) == []
    gone = [f"cur/{number}.eml" for number in (4, 5, 6, 40)]
    for name in gone:
        image.delete(name)
    found = {record.sha256 for record in read(image.path)}
    assert found == {hashlib.sha256(files[name]).hexdigest() for name in gone}


def test_deleted_messages_in_adjacent_blocks_are_not_merged(tmp_path):
    files = {f"{number}.eml": block(plain(number), 1024)[:1024] for number in range(1, 9)}
    files = {name: data.rstrip(b"\0") for name, data in files.items()}
    image = Ext(tmp_path / "disk.img", 8 << 20, files, "-t", "ext2", "-b", "1024")
    for name in files:
        image.delete(name)
    found = sorted(record.sha256 for record in read(image.path))
    assert found == sorted(hashlib.sha256(data).hexdigest() for data in files.values())


def test_a_message_whose_end_a_live_file_took_is_partial(tmp_path):
    image = Fat(tmp_path / "stick.img", 40 << 20, "-F", "32", "-s", "1")
    image.put("front.bin", b"f" * 2000)
    image.put("long letter.eml", GONE)
    image.put("end.bin", b"e" * 300)
    (system,) = survey(image.path).file_systems
    start = next(file.runs[0][0] for file in system.live if file.path == "/long letter.eml")
    image.delete("long letter.eml")
    data = bytearray(image.path.read_bytes())
    owner = next(file for file in system.live if file.path == "/end.bin")
    _give_cluster(data, system.origin, start + 1024, owner.runs[0][0])
    image.path.write_bytes(data)
    (record,) = read(image.path)
    assert record.completeness is Completeness.PARTIAL
    assert record.raw_kind is RawKind.FRAGMENT
    assert "truncated_end" in record.defects
    assert (record.source_offset, record.size) == (start, 1024)
    assert "belong to a live file now" in record.deletion_basis


def _give_cluster(data: bytearray, origin: int, offset: int, owner: int) -> None:
    """Chain the cluster at ``offset`` behind the last one of a live file (FAT32, one sector)."""
    table = int.from_bytes(data[14:16], "little") * 512
    taken, last = ((place - origin) // 512 + 2 for place in (offset, owner))
    data[table + last * 4 : table + last * 4 + 4] = taken.to_bytes(4, "little")
    data[table + taken * 4 : table + taken * 4 + 4] = b"\xff\xff\xff\x0f"
    entry = data.find(b"END     BIN")
    assert entry > 0
    data[entry + 28 : entry + 32] = (600).to_bytes(4, "little")


def test_a_partition_is_named_and_the_rest_is_not_called_deleted(tmp_path):
    image = fat(tmp_path / "bare.img")
    image.delete("Mail/合同.eml")
    path = partitioned(tmp_path / "disk.dd", image.path.read_bytes(), behind=SHORT)
    inside, outside = read(path)
    assert "(partition 1)" in inside.deletion_basis
    assert inside.confidence is Confidence.CERTAIN
    assert "cannot be told" in outside.deletion_basis
    assert outside.confidence is Confidence.POSSIBLE
    assert outside.sha256 == hashlib.sha256(SHORT).hexdigest()


def test_a_blob_without_file_system_says_that_it_cannot_tell(tmp_path):
    path = blob(tmp_path / "unknown.dat", bytes(5000) + b"\x01\x02" + block(SHORT))
    assert identify(path).reader == "carve"
    (record,) = read(path)
    assert record.confidence is Confidence.POSSIBLE
    assert "whether the message was deleted cannot be told" in record.deletion_basis


def test_a_message_that_ends_with_the_file_is_not_said_to_lack_its_end(tmp_path):
    data = bytes(600) + SEPARATOR + SHORT + b"\n" + SEPARATOR + KEPT + b"\n"
    first, last = read(blob(tmp_path / "tail.dat", data))
    assert first.defects == []
    assert last.sha256 == hashlib.sha256(KEPT).hexdigest()
    assert last.completeness is Completeness.COMPLETE
    assert last.defects == ["end_undecided"]


def test_lines_of_thunderbird_are_kept_as_flags_and_left_out_of_the_bytes(tmp_path):
    front = b"X-Mozilla-Status: 0009\nX-Mozilla-Status2: 00000000\n"
    data = b"".join(SEPARATOR + front + message + b"\n" for message in (SHORT, KEPT))
    first, second = read(blob(tmp_path / "free.unalloc", bytes(4096) + block(data)))
    assert first.sha256 == hashlib.sha256(SHORT).hexdigest()
    assert second.sha256 == hashlib.sha256(KEPT).hexdigest()
    assert "X-Mozilla-Status: 0009" in first.flags


def test_messages_inside_messages_follow_theirs(tmp_path):
    inner = plain(8, b"inner\n")
    outer = multipart(7, b"text\n--=_7\nContent-Type: message/rfc822\n\n" + inner)
    records = read(blob(tmp_path / "free.bin", bytes(512) + block(outer)))
    assert len(records) == 2
    assert records[1].parent_ref == records[0].source_ref
    assert records[1].sha256 is not None


def test_spans_give_what_the_whole_gives(tmp_path, monkeypatch):
    monkeypatch.setattr("mailforensics.readers.carve.SPAN", 20_000)
    rng = random.Random(2)
    parts = [block(plain(number, b"u\n" * rng.randint(1, 4000))) for number in range(30)]
    path = blob(tmp_path / "free.bin", b"".join(parts))
    whole = read(path)
    spans = READER.spans(Source(path))
    assert spans is not None
    assert len(spans) > 5
    assert [record for span in spans for record in read(path, span)] == whole
    assert len(whole) == 30


def test_the_log_tells_how_much_was_looked_at(tmp_path):
    image = fat(tmp_path / "stick.img")
    log = ReadLog()
    assert list(READER.read(Source(image.path), log)) == []
    note = log.rows()[1]
    assert note.reason.startswith(f"{40 << 20:,} bytes surveyed")
    assert note.detail.startswith("4 live files")


def test_files_without_mail_are_not_claimed(tmp_path):
    text = blob(tmp_path / "notes.txt", b"Notes\n\nFrom: the office\nTo: all\n\nNo mail.\n")
    archive = tmp_path / "letters.docx"
    with zipfile.ZipFile(archive, "w") as packed:
        packed.writestr("word/document.xml", "<w:t>Date: today</w:t>" * 100)
    picture = blob(tmp_path / "photo.jpg", b"\xff\xd8\xff\xe0" + random.Random(1).randbytes(90_000))
    for path in (text, archive, picture):
        found = identify(path)
        assert found.reader is None
        assert found.refusals["carve"] == "no mail found in its first 16 MB"


def test_packed_images_are_not_carved(corpora):
    path = corpora / "disk" / "dfvfs__ext2.qcow2"
    found = identify(path)
    assert found.reader is None
    assert "packed disk image" in found.refusals["carve"]
    with pytest.raises(UnsupportedFormat, match="qcow2"):
        list(READER.read(Source(path), ReadLog()))


def test_any_file_can_be_read_by_force(tmp_path):
    path = blob(tmp_path / "letter.txt", b"nothing\n")
    assert read(path) == []
    assert read(blob(tmp_path / "empty.bin", b"")) == []
    assert load("carve").name == "carve"


@pytest.mark.parametrize("ref", ["offset:12", "uid:3", "offset:x", "offset:-1", "offset:٣"])
def test_a_place_without_a_message_gives_no_bytes(tmp_path, ref):
    path = blob(tmp_path / "free.bin", block(SHORT))
    with pytest.raises(NoBytes):
        READER.raw(Source(path), ref)


def test_evidence_is_not_changed(tmp_path):
    image = fat(tmp_path / "stick.img")
    image.delete("Mail/合同.eml")
    before = image.path.read_bytes()
    image.path.chmod(0o444)
    assert len(read(image.path)) == 1
    assert image.path.read_bytes() == before
