from __future__ import annotations

import hashlib
import itertools
import shutil
import subprocess
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailforensics import mime
from mailforensics.errors import CorruptContainer, EvidenceUnreadable, NoBytes
from mailforensics.mapi import MapiMessage, PropertyBag, Tag, rebuild
from mailforensics.pst import PstStore
from mailforensics.pst.writer import PstWriter
from mailforensics.readers import pst
from mailforensics.readers.base import ReadLog, Source
from mailforensics.readers.pff import message_of, opened
from mailforensics.readers.pst import PstReader
from mailforensics.schema import Confidence, DeletionState, RawKind, message_table
from tests.mapi.builders import string

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


@pytest.fixture(scope="module")
def second(everything):
    """The files that libpff opens too."""
    found = {}
    for path, result in everything.items():
        try:
            with opened(path):
                found[path] = result
        except CorruptContainer:
            continue
    assert len(found) >= 76
    assert all(result is not None for result in found.values())
    return found


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


def test_every_count_balances_and_is_at_least_a_naive_walk(everything, second):
    total = 0
    for path, found in everything.items():
        if found is None:
            continue
        log, rows = found
        assert log.balanced, path.name
        assert len({row.source_ref for row in rows}) == len(rows)
        total += log.read
    for path, (log, rows) in second.items():
        with opened(path) as store:
            # What libpff gives must not be asked once its file is closed.
            items = [None if item is None else item.identifier for item in walk(store.file)]
        assert log.declared >= len(items)
        assert log.read >= sum(item is not None for item in items)
        identifiers = {f"nid:0x{item:x}" for item in items if item is not None}
        assert identifiers <= {row.source_ref for row in rows}
    assert total >= 582


def test_no_item_of_an_undamaged_file_fails(second):
    for log, _ in second.values():
        assert log.failed == 0
        assert not any("damaged" in (row.reason or "") for row in log.rows())


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


def test_each_transport_header_line_is_in_the_rebuilt_mail(second):
    checked = 0
    for path in second:
        with opened(path) as store:
            for item in walk(store.file):
                if item is None:
                    continue
                text = message_of(item, store).properties.text(Tag.TRANSPORT_MESSAGE_HEADERS)
                if not text:
                    continue
                raw = READER.raw(Source(path), f"nid:0x{item.identifier:x}")
                head = raw.partition(b"\r\n\r\n")[0].split(b"\r\n")
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


def test_attachments_are_those_that_libpff_gives(second):
    checked = 0
    for path, found in second.items():
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


def test_items_rebuild_to_what_libpff_s_rebuild_to(second):
    """Two readers that share no code up to the properties: the same bytes, digest by digest."""
    checked = 0
    for path, found in second.items():
        inside = {row.parent_ref for row in found[1]}
        with opened(path) as store:
            for item in walk(store.file):
                ref = None if item is None else f"nid:0x{item.identifier:x}"
                if ref is None or ref in inside:
                    continue
                assert READER.raw(Source(path), ref) == rebuild(message_of(item, store))
                checked += 1
    assert checked > 480


def test_bytes_come_again_and_are_sound(everything):
    checked = 0
    for path, found in everything.items():
        if found is None:
            continue
        rows = [row for row in found[1] if row.raw_kind is not RawKind.NONE]
        for row in rows[-4:]:
            raw = READER.raw(Source(path), row.source_ref)
            assert raw == READER.raw(Source(path), row.source_ref)
            again = mime.read_message(raw, source_ref="x")
            assert again.message_id == row.message_id
            assert row.raw_kind is RawKind.REBUILT_FROM_MAPI
            assert b"\n" not in raw.replace(b"\r\n", b"")
            checked += 1
    assert checked > 200


def test_messages_inside_attachments_are_rows_and_whole(everything):
    nested = [
        row
        for found in everything.values()
        if found
        for row in found[1]
        if row.parent_ref and row.parent_ref.startswith("nid:") and "@" not in row.parent_ref
    ]
    assert len(nested) >= 57
    lost = {"recipients_missing", "attachment_unreadable", "property_unreadable", "body_unreadable"}
    assert not any(lost & set(row.defects) for row in nested)
    assert {str(row.completeness) for row in nested} == {"complete"}
    assert any(row.attachments for row in nested)
    assert sum(bool(row.to_addrs) for row in nested) >= 50


def test_search_folders_and_hidden_settings_are_left_out_by_the_line(everything):
    reasons = [
        row.reason
        for found in everything.values()
        if found
        for row in found[0].rows()
        if row.row_kind == "skipped"
    ]
    assert sum("search folder" in reason for reason in reasons) >= 2
    assert sum("views, rules" in reason for reason in reasons) >= 25


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


def a_message(subject):
    return MapiMessage(PropertyBag({int(Tag.SUBJECT): string(subject)}), recipients=[])


@pytest.fixture
def written(tmp_path, monkeypatch):
    """A store of our own writer, the top folder of which stands for what a user sees."""

    def write(*places):
        path = tmp_path / "x.pst"
        with PstWriter(path, name="Li Na") as out:
            top = out.folder(())
            nids = [
                (out.folder(place), out.add(out.folder(place), a_message("x"))) for place in places
            ]
        monkeypatch.setattr(PstStore, "subtree", top.nid)
        return path, [folder.nid for folder, _ in nids], [f"nid:0x{nid:x}" for _, nid in nids]

    return write


def test_what_counts_as_deleted(written, monkeypatch):
    path, folders, refs = written(
        ("Inbox",),
        ("Ausgemistet",),
        ("Ausgemistet", "Projects"),
        ("已删除邮件",),
        ("Recoverable Items", "Purges"),
    )
    deleted = DeletionState.IN_DELETED_FOLDER
    expected = [
        ("Inbox", DeletionState.LIVE, None),
        ("Ausgemistet", deleted, Confidence.CERTAIN),
        ("Ausgemistet/Projects", deleted, Confidence.CERTAIN),
        ("已删除邮件", deleted, Confidence.PROBABLE),
        ("Recoverable Items/Purges", DeletionState.RECOVERABLE, Confidence.CERTAIN),
    ]
    monkeypatch.setattr(PstStore, "wastebasket", folders[1])
    _, rows = read(path)
    found = {row.source_ref: (row.folder, row.deletion_state, row.confidence) for row in rows}
    assert found == dict(zip(refs, expected, strict=True))
    assert {row.mailbox for row in rows} == {"Li Na"}
    monkeypatch.setattr(PstStore, "wastebasket", None)
    states = {row.source_ref: row.deletion_state for row in read(path)[1]}
    assert states[refs[1]] is DeletionState.LIVE
    assert states[refs[3]] is deleted


def test_a_folder_without_its_list_gives_its_items_and_tells(written, monkeypatch):
    path, folders, refs = written(("Inbox",), ("Inbox",), ("Sent",))
    plain = PstStore.listed
    monkeypatch.setattr(
        PstStore,
        "listed",
        lambda self, folder: None if folder.nid == folders[0] else plain(self, folder),
    )
    log, rows = read(path)
    assert log.balanced
    assert {row.source_ref: row.folder for row in rows} == dict(
        zip(refs, ["Inbox", "Inbox", "Sent"], strict=True)
    )
    assert {row.deletion_state for row in rows} == {DeletionState.LIVE}
    monkeypatch.setattr(PstStore, "items_in", lambda self, folder: [])
    monkeypatch.setattr(PstStore, "items_beside", lambda self, known: [])
    log, rows = read(path)
    assert log.balanced
    assert log.failed == 2
    assert [row.folder for row in rows] == ["Sent"]


def test_items_that_no_folder_lists_and_items_listed_twice_or_in_vain(written, monkeypatch):
    path, folders, refs = written(("Inbox",), ("Inbox",))
    first = int(refs[0][4:], 16)
    lists = {folders[0]: [first, first, 0x900004]}
    plain = PstStore.listed
    monkeypatch.setattr(
        PstStore, "listed", lambda self, folder: lists.get(folder.nid) or plain(self, folder)
    )
    log, rows = read(path)
    assert log.balanced
    assert (log.read, log.failed) == (3, 1)
    found = {row.source_ref: (row.folder, row.deletion_state, row.confidence) for row in rows}
    assert found == {
        refs[0]: ("Inbox", DeletionState.LIVE, None),
        refs[0] + "#2": ("Inbox", DeletionState.LIVE, None),
        refs[1]: ("Inbox", DeletionState.ORPHANED, Confidence.PROBABLE),
    }
    raw = READER.raw(Source(path), refs[0])
    assert READER.raw(Source(path), refs[0] + "#2") == raw


@pytest.mark.parametrize("size", [20_000, 60_000, 100_000])
def test_parts_of_a_file_give_what_the_whole_gives(everything, monkeypatch, size):
    monkeypatch.setattr(pst, "SPAN_SIZE", size)
    path = max(
        (path for path, found in everything.items() if found), key=lambda p: len(everything[p][1])
    )
    log, rows = everything[path]
    spans = READER.spans(Source(path))
    assert spans[0].start == 0
    assert spans[-1].stop == path.stat().st_size
    assert all(one.stop == two.start for one, two in itertools.pairwise(spans))
    logs, parts = [], []
    for span in spans:
        part = ReadLog()
        for row in READER.read(Source(path), part, span):
            part.count(row)
            parts.append(row)
        assert part.balanced
        logs.append(part)
    key = lambda row: row.source_ref  # noqa: E731
    assert sorted(parts, key=key) == sorted(rows, key=key)
    assert sum(part.declared for part in logs) == log.declared
    assert sum(part.skipped for part in logs) == log.skipped


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
