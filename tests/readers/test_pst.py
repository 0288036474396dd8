from __future__ import annotations

import hashlib
import shutil
import subprocess
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import pypff
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailforensics import mime
from mailforensics.errors import CorruptContainer, EvidenceUnreadable, NoBytes
from mailforensics.mapi import Tag, rebuild
from mailforensics.mapi.rebuild import assemble
from mailforensics.readers import pst
from mailforensics.readers.base import ReadLog, Source
from mailforensics.readers.heap import heap_properties
from mailforensics.readers.pff import Store, message_of, opened
from mailforensics.readers.pst import PstReader
from mailforensics.schema import Confidence, DeletionState, RawKind, message_table
from tests.mapi.builders import integer, string

READER = PstReader()


def heads(folder: Path) -> list[Path]:
    return [
        path for path in sorted(folder.iterdir()) if READER.sniff(path.open("rb").read(64), path)
    ]


def read(path: Path):
    log, rows = ReadLog(), []
    try:
        for row in READER.read(Source(path), log):
            log.count(row)
            rows.append(row)
    except CorruptContainer:
        return None
    return log, rows


def walk(file):
    """Yield each item as a naive walk through libpff meets it: the second opinion."""
    waiting = [file.root_folder]
    while waiting:
        folder = waiting.pop()
        waiting += [folder.get_sub_folder(index) for index in range(folder.number_of_sub_folders)]
        try:
            count = folder.number_of_sub_messages
        except OSError:
            continue
        for index in range(count):
            try:
                yield folder.get_sub_message(index)
            except OSError:
                yield None


@pytest.fixture(scope="module")
def everything(corpora):
    return {path: read(path) for path in heads(corpora / "pst")}


def test_all_files_are_read_or_refused_with_a_reason(corpora, everything):
    files = sorted((corpora / "pst").iterdir())
    strange = [path for path in files if path not in everything]
    assert len(everything) > 70
    assert len(strange) <= 2
    for path in strange:
        assert "!BDN" in READER.why_not(path.open("rb").read(64), path)
    refused = [path for path, found in everything.items() if found is None]
    assert len(refused) <= 2
    for path in refused:
        with pytest.raises(CorruptContainer, match="damaged"):
            list(READER.read(Source(path), ReadLog()))


def test_every_count_balances_and_is_at_least_a_naive_walk(everything):
    total = 0
    for path, found in everything.items():
        if found is None:
            continue
        log, rows = found
        file = pypff.file()
        file.open(str(path))
        items = list(walk(file))
        assert log.balanced, path.name
        assert log.declared >= len(items)
        assert log.read >= sum(item is not None for item in items)
        identifiers = {f"nid:0x{item.identifier:x}" for item in items if item is not None}
        assert identifiers <= {row.source_ref for row in rows}
        assert len({row.source_ref for row in rows}) == len(rows)
        total += log.read
        file.close()
    assert total >= 564


def test_readpst_finds_no_mail_that_is_not_here(everything, tmp_path):
    if not shutil.which("readpst"):
        pytest.skip("readpst is not installed")
    chosen = [path for path in everything if "tika" in path.name or "libpst" in path.name]
    for path in chosen[:6]:
        out = tmp_path / path.name
        out.mkdir()
        subprocess.run(
            ["readpst", "-e", "-D", "-te", "-o", str(out), str(path)],
            check=False,
            capture_output=True,
        )
        theirs = list(out.rglob("*.eml"))
        _, rows = everything[path]
        ours = [row for row in rows if row.parent_ref is None]
        assert len(ours) >= len(theirs)
        ids = {row.message_id for row in rows}
        for file in theirs:
            found = mime.read_message(file.read_bytes(), source_ref="x").message_id
            assert found is None or found in ids or found.endswith("@MSGID")


def test_each_transport_header_line_is_in_the_rebuilt_mail(everything):
    checked = 0
    for path, found in everything.items():
        if found is None:
            continue
        with opened(path) as store:
            for item in walk(store.file):
                if item is None:
                    continue
                message = message_of(item, store)
                text = message.properties.text(Tag.TRANSPORT_MESSAGE_HEADERS)
                if not text:
                    continue
                head = rebuild(message).partition(b"\r\n\r\n")[0].split(b"\r\n")
                position = 0
                for line in text.rstrip("\r\n \0").replace("\r\n", "\n").split("\n"):
                    if not line.strip() or line.startswith("Microsoft Mail Internet Headers"):
                        continue
                    if "\0" in line:
                        assert b"=?utf-8?B?" in b"".join(head)
                        continue
                    wanted = line.encode("ascii")
                    renamed = b"X-Mailforensics-Original-" + wanted
                    places = [
                        index
                        for index in range(position, len(head))
                        if head[index] in {wanted, renamed}
                    ]
                    assert places, (path.name, line)
                    assert places[0] == position or position == 0
                    position = places[0] + 1
                    checked += 1
    assert checked > 2000


def test_attachments_are_those_that_libpff_gives(everything):
    checked = 0
    for path, found in everything.items():
        if found is None:
            continue
        rows = {row.source_ref: row for row in found[1]}
        with opened(path) as store:
            for item in walk(store.file):
                for index in range(getattr(item, "number_of_attachments", 0)):
                    entry = item.get_attachment(index)
                    bag = message_of(item, store).attachments[index]
                    if bag.method != 1:
                        continue
                    data = entry.read_buffer(entry.size) if entry.size else b""
                    digest = hashlib.sha256(data).hexdigest()
                    row = rows[f"nid:0x{item.identifier:x}"]
                    kept = [found for found in row.attachments if found.sha256 == digest]
                    assert kept, (path.name, row.source_ref, bag.name)
                    assert bag.name is None or bag.name in {found.name for found in kept}
                    checked += 1
    assert checked > 200


def test_bytes_come_again_and_are_sound(everything):
    checked = 0
    for path, found in everything.items():
        if found is None:
            continue
        for row in found[1][-4:]:
            raw = READER.raw(Source(path), row.source_ref)
            assert raw == READER.raw(Source(path), row.source_ref)
            again = mime.read_message(raw, source_ref="x")
            assert again.message_id == row.message_id
            assert row.raw_kind is RawKind.REBUILT_FROM_MAPI
            assert b"\n" not in raw.replace(b"\r\n", b"")
            checked += 1
    assert checked > 200


def test_messages_inside_attachments_are_rows(everything):
    nested = [row for found in everything.values() if found for row in found[1] if row.parent_ref]
    assert len(nested) >= 57
    assert all("recipients_missing" in row.defects for row in nested)


def test_deleted_items_are_known_by_the_store_not_by_language(everything):
    states = [
        (row.deletion_state, row.folder, row.deletion_basis)
        for found in everything.values()
        if found
        for row in found[1]
    ]
    deleted = [entry for entry in states if entry[0] is DeletionState.IN_DELETED_FOLDER]
    assert len(deleted) >= 30
    assert all("Deleted Items" in folder for _, folder, _ in deleted)
    assert all(basis for _, _, basis in deleted)
    live = [folder for state, folder, _ in states if state is DeletionState.LIVE]
    assert not any(folder and "Deleted Items" in folder for folder in live)


def test_rows_fit_the_table(everything):
    rows = [row for found in everything.values() if found for row in found[1]]
    table = message_table(
        rows,
        evidence_id="E01",
        evidence_sha256="0" * 64,
        custodian="",
        reader="pst",
        reader_version="0",
        source_path="",
    )
    assert table.num_rows == len(rows)


def test_two_readings_are_equal(everything):
    path = max(
        (path for path, found in everything.items() if found),
        key=lambda path: len(everything[path][1]),
    )
    assert read(path)[1] == everything[path][1]


def test_a_text_file_named_pst_is_refused_with_a_reason(tmp_path):
    path = tmp_path / "notes.pst"
    path.write_bytes(b"just text")
    assert not READER.sniff(b"just text", path)
    assert "is named .pst" in READER.why_not(b"just text", path)
    assert "neither" in READER.why_not(b"!BDN....AB", path)
    with pytest.raises(EvidenceUnreadable):
        list(READER.read(Source(tmp_path / "absent.pst"), ReadLog()))


def test_an_unknown_reference_is_no_bytes(everything):
    path = next(path for path, found in everything.items() if found)
    with pytest.raises(NoBytes):
        READER.raw(Source(path), "nid:0x1")


class FakeItem:
    """Stands for a libpff item: properties in one record set."""

    def __init__(self, identifier=None, **values):
        self.identifier = identifier
        self.number_of_record_sets = 1
        self.number_of_attachments = 0
        self.recipients = None
        self.entries = [
            SimpleNamespace(entry_type=Tag[key.upper()], value_type=entry.kind, data=entry.data)
            for key, entry in values.items()
        ]

    def get_record_set(self, number):
        return self


class FakeFolder(FakeItem):
    """Stands for a libpff folder."""

    def __init__(self, identifier, name, *folders, items=(), **values):
        super().__init__(identifier, **values)
        self.name, self.folders, self.items = name, folders, items
        self.number_of_sub_folders = len(folders)

    @property
    def number_of_sub_messages(self):
        if self.items is None:
            raise OSError("table damaged")
        return len(self.items)

    def get_sub_folder(self, index):
        return self.folders[index]

    def get_sub_message(self, index):
        return self.items[index]


def fake_read(monkeypatch, tmp_path, root, wastebasket=None):
    store = Store(
        SimpleNamespace(root_folder=root, number_of_orphan_items=0, message_store=FakeItem()),
        {},
        "Li Na",
        wastebasket,
        0x22,
        8176,
    )

    @contextmanager
    def fake(path):
        yield store

    monkeypatch.setattr(pst, "opened", fake)
    log, rows = ReadLog(), []
    for row in READER.read(Source(tmp_path), log):
        log.count(row)
        rows.append(row)
    assert log.balanced
    return log, rows


def test_a_damaged_list_loses_as_many_as_the_folder_declares(monkeypatch, tmp_path):
    root = FakeFolder(0x2, None, FakeFolder(0x42, "Inbox", items=None, content_count=integer(5)))
    log, rows = fake_read(monkeypatch, tmp_path, root)
    assert rows == []
    assert (log.declared, log.failed) == (5, 5)


def test_cycles_search_folders_and_repeated_references(monkeypatch, tmp_path):
    inbox = FakeFolder(0x42, "Inbox", items=[FakeItem(0x24), FakeItem(0x24), FakeItem(0x44)])
    inbox.folders, inbox.number_of_sub_folders = (inbox,), 1
    search = FakeFolder(0x43, "Unread", items=[FakeItem(0x24)])
    log, rows = fake_read(monkeypatch, tmp_path, FakeFolder(0x2, None, inbox, search))
    assert [row.source_ref for row in rows] == ["nid:0x24", "nid:0x24#2", "nid:0x44"]
    assert (log.declared, log.read, log.skipped) == (4, 3, 1)


def test_what_counts_as_deleted(monkeypatch, tmp_path):
    def one(number):
        return [FakeItem(number, subject=string("x"))]

    subtree = FakeFolder(
        0x22,
        "Top of Personal Folders",
        FakeFolder(0x42, "Inbox", items=one(0x24)),
        FakeFolder(
            0x62, "Ausgemistet", FakeFolder(0x82, "Projects", items=one(0x64)), items=one(0x44)
        ),
        FakeFolder(0xA2, "已删除邮件", items=one(0x84)),
    )
    dumpster = FakeFolder(0xC2, "Recoverable Items", FakeFolder(0xE2, "Purges", items=one(0xA4)))
    root = FakeFolder(0x2, None, subtree, dumpster)
    _, rows = fake_read(monkeypatch, tmp_path, root, wastebasket=0x62)
    found = {row.source_ref: (row.folder, row.deletion_state, row.confidence) for row in rows}
    deleted = DeletionState.IN_DELETED_FOLDER
    assert found == {
        "nid:0x24": ("Inbox", DeletionState.LIVE, None),
        "nid:0x44": ("Ausgemistet", deleted, Confidence.CERTAIN),
        "nid:0x64": ("Ausgemistet/Projects", deleted, Confidence.CERTAIN),
        "nid:0x84": ("已删除邮件", deleted, Confidence.PROBABLE),
        "nid:0xa4": ("Recoverable Items/Purges", DeletionState.RECOVERABLE, Confidence.CERTAIN),
    }
    _, rows = fake_read(monkeypatch, tmp_path, root)
    states = {row.source_ref: row.deletion_state for row in rows}
    assert states["nid:0x44"] is DeletionState.LIVE
    assert states["nid:0x84"] is deleted
    assert {row.mailbox for row in rows} == {"Li Na"}


@given(
    cut=st.integers(600, 260_000),
    spots=st.lists(st.tuples(st.integers(520, 260_000), st.integers(0, 255)), max_size=8),
)
@settings(max_examples=25, deadline=None, suppress_health_check=list(HealthCheck))
def test_damaged_files_still_balance(corpora, tmp_path_factory, cut, spots):
    original = sorted((corpora / "pst").glob("*tika__3b9418*"))[0].read_bytes()
    data = bytearray(original[: max(cut, len(original) // 2)])
    for place, value in spots:
        if place < len(data):
            data[place] = value
    path = tmp_path_factory.mktemp("damaged") / "x.pst"
    path.write_bytes(data)
    found = read(path)
    assert found is None or found[0].balanced


@given(st.binary(max_size=400))
def test_no_heap_makes_it_fail(data):
    try:
        heap_properties(b"\x0c\x00\xec\xbc\x20\x00\x00\x00" + data, 8176)
    except OSError:
        return


def test_embedded_rebuild_names_what_is_out_of_reach(everything):
    path = next(path for path in everything if "submessage" in path.name)
    with opened(path) as store:
        item = next(walk(store.file))
        result = assemble(message_of(item, store))
    inner, rebuilt = result.children[0]
    assert inner.subject == "This is an embedded message"
    assert b"This is the body of an embedded message" in rebuilt.raw
    assert "recipients_missing" in rebuilt.defects
