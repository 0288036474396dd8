"""Live reading held against libpff, item by item, over real files."""

from __future__ import annotations

import hashlib
import mmap
from collections import Counter

import pypff
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailforensics.errors import CorruptContainer, EvidenceUnreadable, ReaderError
from mailforensics.mapi import AttachMethod, rebuild
from mailforensics.pst import ItemKind, PstStore, to_mapi
from mailforensics.pst.blocks import BlockReader


def items_of(store):
    """Return every item of a store by its node; search folders only show them."""
    found = {}
    for folder in store.folders():
        if not folder.is_search:
            found |= {message.nid: message for message in store.messages(folder)}
        assert folder.faults == []
    return found | {nid: store.message(nid) for nid in store.unlisted()}


@pytest.fixture(scope="module")
def stores(corpora):
    found = {}
    for path in sorted((corpora / "pst").iterdir()):
        try:
            found[path] = PstStore.open(path)
        except CorruptContainer:
            continue
    yield found
    for store in found.values():
        store.close()


@pytest.fixture(scope="module")
def items(stores):
    return {path: items_of(store) for path, store in stores.items()}


def digest(data):
    return hashlib.sha256(data).hexdigest() if data else None


def text(value):
    return value.rstrip("\0") or None if value else None


def of_libpff(item):
    """What libpff says of an item, in the shape of :func:`of_engine`."""
    values = {}
    if item.number_of_record_sets:
        for entry in item.get_record_set(0).entries:
            values[entry.entry_type] = digest(entry.data)
    people = []
    table = getattr(item, "recipients", None)
    for number in range(table.number_of_record_sets if table else 0):
        row = {entry.entry_type: entry for entry in table.get_record_set(number).entries}
        people.append(text(row[0x3001].data_as_string) if 0x3001 in row else None)
    files = []
    for number in range(getattr(item, "number_of_attachments", 0)):
        entry = item.get_attachment(number)
        tags = {e.entry_type: e for e in entry.get_record_set(0).entries}
        if tags[0x3705].data_as_integer == AttachMethod.BY_VALUE:
            data = entry.read_buffer(entry.size) if entry.size else b""
            files.append((entry.size, digest(data)))
    return values, people, files


def of_engine(message):
    values = {}
    for tag in message.properties.tags:
        kind, data = message.properties.read(tag)
        values[tag] = (kind, digest(data))
    people = [row.name for row in message.recipients]
    files = []
    for attachment in message.attachments:
        if attachment.method == AttachMethod.BY_VALUE:
            data = attachment.data()
            files.append((len(data), digest(data)))
    return values, people, files


def walk_libpff(file):
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
                continue


def test_every_item_is_read_without_a_fault(items):
    assert len(items) >= 77
    assert sum(map(len, items.values())) >= 588
    for found in items.values():
        for message in found.values():
            of_engine(message)
            assert message.readable
            assert message.faults == []


def test_it_reads_what_libpff_reads_property_by_property(items):
    compared = Counter()
    for path, found in items.items():
        file = pypff.file()
        file.open(str(path))
        for item in walk_libpff(file):
            message = found[item.identifier]
            theirs, their_people, their_files = of_libpff(item)
            ours, people, files = of_engine(message)
            # What an attachment or a body says is compared by digest; objects by their name only.
            assert {tag: pair[1] for tag, pair in ours.items()} == theirs
            assert people == their_people
            assert files == their_files
            if hasattr(item, "subject"):
                assert message.subject == text(item.subject)
                for own, other in (
                    (message.submitted_at, "client_submit_time"),
                    (message.delivered_at, "delivery_time"),
                ):
                    if own is not None:
                        assert own.replace(tzinfo=None) == getattr(item, other)
                # libpff ends a string at its first NUL.
                headers = (message.headers or "").partition("\0")[0]
                assert headers == (text(item.transport_headers) or "").partition("\0")[0]
                compared["bodies"] += message.body is not None
            compared["items"] += 1
            compared["files"] += len(files)
            compared["people"] += len(people)
        file.close()
    assert compared["items"] >= 570
    assert compared["files"] >= 200
    assert compared["people"] >= 400
    assert compared["bodies"] >= 300


def test_messages_in_messages_come_whole(items):
    inner = [
        attachment.embedded()
        for found in items.values()
        for message in found.values()
        for attachment in message.attachments
        if attachment.method == AttachMethod.EMBEDDED_MESSAGE
    ]
    assert len(inner) >= 57
    for message in inner:
        assert message.readable
        assert message.depth == 1
        assert message.subject or message.body
        of_engine(message)
        assert message.faults == []
    assert sum(bool(message.recipients) for message in inner) >= 50
    assert any(message.attachments for message in inner)


def test_links_and_objects_are_what_they_are(items):
    methods = Counter(
        attachment.method
        for found in items.values()
        for message in found.values()
        for attachment in message.attachments
    )
    assert methods[AttachMethod.BY_VALUE] > 200
    for found in items.values():
        for message in found.values():
            for attachment in message.attachments:
                if attachment.method == AttachMethod.STORAGE:
                    assert (
                        attachment.data()[:4] in {b"\xd0\xcf\x11\xe0", b"BM"} or attachment.data()
                    )
                if attachment.method in {2, 3, 4, 7}:
                    assert not attachment.holds_data


def test_kinds_of_items_are_told_apart(stores, items):
    kinds = Counter(message.kind for found in items.values() for message in found.values())
    assert kinds[ItemKind.MAIL] >= 290
    assert {ItemKind.APPOINTMENT, ItemKind.CONTACT, ItemKind.NOTE, ItemKind.DISTRIBUTION_LIST} <= {
        *kinds
    }
    hidden = [
        store.message(nid)
        for store in stores.values()
        for folder in store.folders()
        for nid in store.associated(folder)
    ]
    assert len(hidden) > 40
    assert {message.kind for message in hidden} == {ItemKind.ASSOCIATED}
    listed = {nid for found in items.values() for nid in found}
    assert not any(message.nid in listed and message.nid & 31 == 8 for message in hidden)


def test_folders_count_what_they_say(stores):
    for store in stores.values():
        for folder in store.folders():
            assert folder.attached
            listed = store.listed(folder)
            if folder.declared is not None and not folder.is_search:
                assert folder.declared == len(listed or ())
            assert folder.path == () or folder.path[-1] == (folder.name or "?")


def test_passwords_protect_nothing(stores):
    asked = {path.name for path, store in stores.items() if store.has_password}
    named = {path.name for path in stores if "password" in path.name}
    assert len(named) >= 3
    assert named <= asked
    assert len(asked) <= 10


def test_a_store_is_read_from_the_middle_of_an_image(items):
    path = min(items, key=lambda path: path.stat().st_size)
    image = b"\x55" * 4099 + path.read_bytes() + b"\x55" * 100
    moved = PstStore.from_image(image, start=4099)
    found = items_of(moved)
    assert set(found) == set(items[path])
    for nid, message in found.items():
        assert of_engine(message) == of_engine(items[path][nid])


def test_what_is_no_store_is_refused(tmp_path):
    path = tmp_path / "x.pst"
    with pytest.raises(EvidenceUnreadable):
        PstStore.open(path)
    for data in (b"", b"!BDN", b"!BDN" + bytes(2000), b"text" * 500):
        path.write_bytes(data)
        with pytest.raises(CorruptContainer):
            PstStore.open(path)


def test_opening_leaves_nothing_open(items):
    path = next(iter(items))
    with PstStore.open(path) as store:
        assert isinstance(store.image, mmap.mmap)
    assert store.image.closed


def use(store):
    """Ask for everything, as a reader would."""
    count = 0
    for folder in store.folders():
        store.associated(folder)
        for message in store.messages(folder):
            count += 1
            converted = to_mapi(message, store.names)
            assert converted.message_class
            if count % 3 == 0:
                rebuild(converted)
    store.unlisted()
    return count


DAMAGE = st.lists(
    st.tuples(
        st.integers(0, 1 << 30), st.sampled_from([b"\0", b"\xff", b"\xff" * 4, b"\x01\0", b""])
    ),
    min_size=1,
    max_size=30,
)


def damaged(data, damage):
    changed = bytearray(data)
    for place, value in damage:
        at = place % len(changed)
        changed[at : at + len(value)] = value[: len(changed) - at]
    return bytes(changed)


@pytest.fixture(scope="module")
def small(corpora):
    return sorted((corpora / "pst").glob("apache_tika__*"))[0].read_bytes()


@given(damage=DAMAGE)
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_damaged_files_never_raise(small, damage):
    try:
        store = PstStore.from_image(damaged(small, damage))
    except ReaderError:
        return
    use(store)


@given(damage=DAMAGE, every=st.integers(1, 12))
@settings(max_examples=40, deadline=None, suppress_health_check=list(HealthCheck))
def test_damaged_blocks_that_pass_their_checksums_never_raise(small, damage, every):
    """Change what blocks say behind their checksums, so that the damage gets further in."""
    plain = BlockReader.read
    turns = iter(range(1 << 30))

    def read(self, bid, faults):
        data = plain(self, bid, faults)
        return damaged(data, damage) if data and next(turns) % every == 0 else data

    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(BlockReader, "read", read)
        use(PstStore.from_image(small))
