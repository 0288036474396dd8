from __future__ import annotations

import hashlib
import random
import shutil
import struct
import subprocess
import zlib
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pypff
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailforensics.errors import CorruptContainer, EncryptedContainer, ExportError, WouldOverwrite
from mailforensics.mapi import (
    Attachment,
    MapiMessage,
    Party,
    Property,
    PropertyBag,
    PropertyType,
    Recipient,
    Tag,
    rebuild,
)
from mailforensics.pst.conversion import to_mapi
from mailforensics.pst.crypt import CryptMethod
from mailforensics.pst.layout import PageType
from mailforensics.pst.messages import Message
from mailforensics.pst.store import PstStore
from mailforensics.pst.writer import PstWriter
from mailforensics.pst.writer.names import UNNAMED_SET
from mailforensics.pst.writer.properties import stored_bytes
from mailforensics.readers.compound import message_of, opened
from tests.mapi.builders import (
    SENT,
    attached,
    binary,
    embedded,
    integer,
    mail,
    moment,
    string,
    string8,
    to,
)
from tests.pst.facts import attachment_facts, facts_of
from tests.pst.invariants import check_store

LAYOUTS = pytest.mark.parametrize("unicode4k", [False, True], ids=["unicode", "4k"])
KEY = bytes(range(16))
COMMON = "00062008-0000-0000-c000-000000000046"
PUBLIC = "00020329-0000-0000-c000-000000000046"


def write(path: Path, *messages: MapiMessage, folder: tuple[str, ...] = ("Inbox",), **how: Any):
    how = {"record_key": KEY, "now": SENT} | how
    with PstWriter(path, **how) as out:
        for message in messages:
            out.add(out.folder(folder), message)
    return out


def read(path: Path) -> list[Message]:
    store = PstStore.open(path)
    assert store.faults == []
    found = [m for folder in store.folders() for m in store.messages(folder)]
    return sorted(found, key=lambda message: message.nid)


def varied(count: int, seed: int = 1) -> Iterator[MapiMessage]:
    """Yield messages of all sizes, some with attachments and messages inside."""
    chance = random.Random(seed)
    for number in range(count):
        words = chance.choices(
            ["alpha", "beta", "合同", "付款"], k=chance.choice([3, 60, 900, 5000])
        )
        files = [
            attached(
                f"{place}.bin", chance.randbytes(chance.choice([0, 9, 3580, 3581, 8176, 70_000]))
            )
            for place in range(chance.choice([0, 0, 1, 3]))
        ]
        if number % 9 == 4:
            inner = mail(
                to("Zhao", "zhao@x.example"),
                attachments=[attached("deep.bin", chance.randbytes(9000))],
                subject=string(f"inner {number}"),
            )
            files.append(embedded("inner", inner))
        yield mail(
            *[to(f"N{n}", f"n{n}@x.example") for n in range(chance.choice([0, 1, 2, 40]))],
            attachments=files,
            subject=string(f"Subject {number}"),
            body=string(" ".join(words)),
            html=binary(f"<p>{' '.join(words[:400])}</p>".encode()),
            client_submit_time=moment(SENT + timedelta(minutes=number)),
            sender_name=string("Li Na"),
            transport_message_headers=string(f"X-Number: {number}\r\n" * 5),
        )


# --- against other readers ----------------------------------------------------------------------


class Libpff:
    """What libpff reads of a file."""

    def __init__(self, path: Path) -> None:
        self.file = pypff.file()
        self.file.open(str(path))
        self.subjects: Counter[str] = Counter()
        self.bodies: Counter[str] = Counter()
        self.recipients: dict[str, int] = {}
        self.attachments: dict[str, list[str | None]] = {}
        self.folders: dict[str, int] = {}
        self._walk(self.file.root_folder, "")
        self.file.close()

    def _walk(self, folder: Any, path: str) -> None:
        for index in range(folder.number_of_sub_folders):
            child = folder.get_sub_folder(index)
            self._walk(child, f"{path}/{child.name}")
        self.folders[path] = folder.number_of_sub_messages
        for index in range(folder.number_of_sub_messages):
            item = folder.get_sub_message(index)
            self.subjects[item.subject] += 1
            self.bodies[hashlib.sha256(item.plain_text_body or b"").hexdigest()] += 1
            table = item.recipients
            self.recipients[item.subject] = table.number_of_record_sets if table else 0
            entries = [item.get_attachment(at) for at in range(item.number_of_attachments)]
            self.attachments[item.subject] = [self._digest(entry) for entry in entries]

    @staticmethod
    def _digest(entry: Any) -> str | None:
        kinds = {e.entry_type: e for e in entry.get_record_set(0).entries}
        if kinds[Tag.ATTACH_METHOD].data_as_integer == 5:
            return None
        data = entry.read_buffer(entry.size) if entry.size else b""
        return hashlib.sha256(data).hexdigest()


@LAYOUTS
def test_libpff_reads_all_of_it(tmp_path: Path, unicode4k: bool) -> None:
    given = list(varied(60))
    path = tmp_path / "out.pst"
    with PstWriter(path, name="Recovered", unicode4k=unicode4k) as out:
        for number, message in enumerate(given):
            out.add(out.folder(("收件箱", f"Sub {number % 3}")), message)
    assert out.faults == []
    assert out.count == 60
    found = Libpff(path)
    assert found.subjects == Counter(message.subject for message in given)
    assert found.recipients == {m.subject: len(m.recipients or ()) for m in given}
    expected = {
        m.subject: [
            None if a.data is None else hashlib.sha256(a.data()).hexdigest() for a in m.attachments
        ]
        for m in given
    }
    assert found.attachments == expected
    bodies = (m.properties.text(Tag.BODY) or "" for m in given)
    assert found.bodies == Counter(hashlib.sha256(b.encode()).hexdigest() for b in bodies)
    top = "/Top of Outlook data file/Recovered"
    assert {p: n for p, n in found.folders.items() if p.startswith(top)} == {
        top: 0,
        f"{top}/收件箱": 0,
        **{f"{top}/收件箱/Sub {n}": 20 for n in range(3)},
    }


def exported(tool: str, *arguments: str) -> None:
    program = shutil.which(tool)
    if program is None:
        pytest.skip(f"{tool} is not on this machine")
    done = subprocess.run([program, *arguments], capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, done.stderr[-500:]


@LAYOUTS
def test_readpst_reads_all_of_it(tmp_path: Path, unicode4k: bool) -> None:
    path, target = tmp_path / "out.pst", tmp_path / "eml"
    target.mkdir()
    write(path, *varied(30), unicode4k=unicode4k)
    exported("readpst", "-q", "-j", "0", "-e", "-D", "-o", str(target), str(path))
    assert len(list(target.rglob("*.eml"))) == 30


@LAYOUTS
def test_pffexport_reads_all_of_it(tmp_path: Path, unicode4k: bool) -> None:
    path, target = tmp_path / "out.pst", tmp_path / "items"
    write(path, *varied(30), unicode4k=unicode4k)
    exported("pffexport", "-q", "-m", "items", "-t", str(target), str(path))
    messages = [p for p in tmp_path.rglob("Message0*") if "Attachments" not in p.parts]
    assert len(messages) == 30


@LAYOUTS
@pytest.mark.parametrize("crypt", [CryptMethod.NONE, CryptMethod.PERMUTE, CryptMethod.CYCLIC])
def test_every_structure_is_sound(tmp_path: Path, unicode4k: bool, crypt: CryptMethod) -> None:
    path = tmp_path / "out.pst"
    given = list(varied(40))
    write(path, *given, unicode4k=unicode4k, crypt=crypt)
    check_store(path)
    assert [m.subject for m in read(path)] == [m.subject for m in given]


# --- nothing is lost ----------------------------------------------------------------------------


def rich() -> MapiMessage:
    """Return a message with properties of all types, names and ways of keeping them."""
    number = struct.pack
    values = {
        Tag.SUBJECT: string("\x01\x05RE: Offer"),
        Tag.BODY: string("body\r\n" * 4000),
        Tag.HTML: binary(b"<p>x</p>"),
        0x1009: binary(bytes(range(256)) * 20),
        0x0026: integer(-1),
        0x0057: Property(PropertyType.BOOLEAN, b"\x01"),
        0x6701: Property(PropertyType.INTEGER16, number("<h", -7)),
        0x6702: Property(PropertyType.FLOATING64, number("<d", 2.5)),
        0x6703: Property(PropertyType.INTEGER64, number("<q", -9)),
        0x6704: Property(PropertyType.GUID, bytes(range(16))),
        0x6705: Property(PropertyType.FLOATING32, number("<f", 1.5)),
        0x6706: Property(0x1003, b"", (number("<i", 1), number("<i", -2))),
        0x6707: Property(0x101F, b"", tuple(t.encode("utf-16-le") for t in ("a", "合同", ""))),
        0x6708: Property(0x1102, b"", (b"1" * 5000, b"")),
        0x6709: binary(b""),
        0x670A: string(""),
        0x670B: Property(PropertyType.OBJECT, b"an object " * 30),
        0x300B: binary(b"search key 16 by"),
        Tag.CLIENT_SUBMIT_TIME: moment(SENT),
        0x8123: string("green"),
        0x8124: integer(5),
        0x8FFF: binary(b"nobody knows my name"),
    }
    bag = PropertyBag({int(tag): value for tag, value in values.items()})
    bag.names = {0x8123: (PUBLIC, "Keywords-x"), 0x8124: (COMMON, 0x8503)}
    return MapiMessage(bag, [], [])


@LAYOUTS
def test_all_properties_come_back_raw(tmp_path: Path, unicode4k: bool) -> None:
    given = rich()
    path = tmp_path / "out.pst"
    write(path, given, unicode4k=unicode4k)
    (found,) = read(path)
    with PstStore.open(path) as store:
        names = {name: tag for tag, name in store.names.items()}
    for tag, entry in given.properties.values.items():
        name = given.properties.names.get(tag, (UNNAMED_SET, f"0x{tag:04x}"))
        place = tag if tag < 0x8000 else names[name]
        assert found.properties.stored(place) == (entry.kind, stored_bytes(entry)), hex(tag)
    added = set(found.properties.tags) - set(given.properties.values) - set(names.values())
    assert added == {0x001A, 0x0E07, 0x0E08, 0x0E17, 0x3007, 0x3008}


def test_named_properties_of_different_sources_keep_apart(tmp_path: Path) -> None:
    one, two = rich(), rich()
    two.properties.names = {0x8123: (COMMON, 0x8503), 0x8124: (PUBLIC, "Keywords-x")}
    two.properties.values[0x8123], two.properties.values[0x8124] = integer(5), string("green")
    write(tmp_path / "out.pst", one, two)
    first, second = read(tmp_path / "out.pst")
    with PstStore.open(tmp_path / "out.pst") as store:
        names = {name: tag for tag, name in store.names.items()}
    for name, text in (((PUBLIC, "Keywords-x"), "green"),):
        assert first.properties.text(names[name]) == second.properties.text(names[name]) == text
    assert second.properties.integer(names[COMMON, 0x8503]) == 5


def bucket_entries(path: Path) -> tuple[int, int]:
    """Look each name of a store up as [MS-PST] 2.4.7.5 says; return how many there are and fit."""
    with PstStore.open(path) as store:
        item = store.item(0x61)
        assert item is not None
        bag = item.properties
        strings, found, count = bag.binary(4) or b"", 0, 0
        for number, kind, index in struct.iter_unpack("<IHH", bag.binary(3) or b""):
            hashed = number
            if kind & 1:
                (size,) = struct.unpack_from("<I", strings, number)
                text = strings[number + 4 : number + 4 + size]
                hashed = zlib.crc32(text, 0xFFFFFFFF) ^ 0xFFFFFFFF
            bucket = bag.binary(0x1000 + (hashed ^ kind) % (bag.integer(1) or 1)) or b""
            entry = struct.pack("<IHH", hashed, kind, index)
            found += any(bucket[at : at + 8] == entry for at in range(0, len(bucket), 8))
            count += 1
    return count, found


def test_the_hash_buckets_find_each_name_as_in_a_real_file(tmp_path: Path, corpora: Path) -> None:
    write(tmp_path / "out.pst", rich())
    assert bucket_entries(tmp_path / "out.pst") == (4, 4)
    count, found = bucket_entries(corpora / "pst" / "tghanem_PST__3b6bcc__PST.pst")
    assert count == found > 100


def test_more_properties_than_one_leaf_holds(tmp_path: Path) -> None:
    bag = PropertyBag({0x6000 + at: integer(at) for at in range(2000)})
    write(tmp_path / "out.pst", MapiMessage(bag, [], []))
    check_store(tmp_path / "out.pst")
    (found,) = read(tmp_path / "out.pst")
    assert all(found.properties.integer(tag) == tag - 0x6000 for tag in bag.values)
    assert sum(Libpff(tmp_path / "out.pst").subjects.values()) == 1


def test_the_folders_that_each_store_has(tmp_path: Path) -> None:
    write(tmp_path / "out.pst", mail())
    with PstStore.open(tmp_path / "out.pst") as store:
        nids = {folder.nid for folder in store.folders()}
        assert (store.subtree, store.wastebasket) == (0x8022, 0x8062)
    assert {0x122, 0x2223, 0x8022, 0x8042, 0x8062} <= nids


def test_eight_bit_strings_become_unicode_only_where_nothing_is_lost(tmp_path: Path) -> None:
    good = mail(subject=string8("合同".encode("gbk")), body=string8(b"plain"))
    good.properties.values[Tag.MESSAGE_CODEPAGE] = integer(936)
    bad = mail(subject=string8(b"\xff\xfe\x81"), body=string8(b"plain"))
    bad.properties.values[Tag.MESSAGE_CODEPAGE] = integer(932)
    write(tmp_path / "out.pst", good, bad)
    first, second = read(tmp_path / "out.pst")
    assert first.properties.stored(Tag.SUBJECT) == (0x1F, "合同".encode("utf-16-le"))
    assert second.properties.stored(Tag.SUBJECT) == (0x1E, b"\xff\xfe\x81")
    assert second.properties.stored(Tag.BODY) == (0x1F, "plain".encode("utf-16-le"))


def test_recipients_keep_all_that_their_rows_say(tmp_path: Path) -> None:
    bag = PropertyBag(
        {
            Tag.RECIPIENT_TYPE: integer(0x1000_0002),
            Tag.DISPLAY_NAME: string("Wang Wei"),
            Tag.ADDRESS_TYPE: string("EX"),
            Tag.EMAIL_ADDRESS: string("/O=X/CN=WANG"),
            0x3A16: string("C" * 5000),
            0x5FF7: binary(b"entry"),
            0x8001: string("named"),
        },
        {0x8001: (PUBLIC, "x-recipient")},
    )
    message = mail(Recipient.from_bag(bag), to("Li Na", "li@x.example"), subject=string("s"))
    write(tmp_path / "out.pst", message)
    (found,) = read(tmp_path / "out.pst")
    first, second = found.recipients
    for tag, entry in bag.values.items():
        if tag < 0x8000:
            assert first.stored(tag) == (entry.kind, entry.data), hex(tag)
    assert "named" in [first.text(tag) for tag in first.tags if tag >= 0x8000]
    assert 0x39FF not in first.tags
    assert (second.kind, second.name, second.address) == (1, "Li Na", "li@x.example")
    assert second.binary(0x300B) == b"SMTP:LI@X.EXAMPLE\0"


def test_messages_in_messages_and_ole_objects(tmp_path: Path) -> None:
    ole = attached("chart.ole", b"\xd0\xcf" + b"ole" * 3000, attach_method=integer(6))
    deepest = mail(subject=string("third"), attachments=[ole], body=string("3" * 9000))
    middle = mail(
        to("A", "a@x.example"), subject=string("second"), attachments=[embedded("c", deepest)]
    )
    write(tmp_path / "out.pst", mail(subject=string("first"), attachments=[embedded("b", middle)]))
    check_store(tmp_path / "out.pst")
    (found,) = read(tmp_path / "out.pst")
    second = facts_of(found).attachments[0].embedded
    assert second is not None
    third = second.attachments[0].embedded
    assert third is not None
    assert (second.subject, third.subject) == ("second", "third")
    assert second.recipients == ((1, "A", "a@x.example"),)
    assert third.attachments[0].sha256 == hashlib.sha256(ole.data()).hexdigest()
    assert found.flags & 0x10


def test_an_attachment_that_cannot_be_read_is_told_and_the_rest_written(tmp_path: Path) -> None:
    def fail() -> bytes:
        raise OSError("the medium fails")

    broken = attached("a.bin", b"")
    broken.data = fail
    message = mail(subject=string("s"), attachments=[broken, attached("b.bin", b"12")])
    out = write(tmp_path / "out.pst", message)
    assert out.faults == ["The attachment a.bin is lost: the medium fails."]
    (found,) = read(tmp_path / "out.pst")
    first, second = (attachment_facts(entry) for entry in found.attachments)
    assert (first.name, first.sha256) == ("a.bin", None)
    assert second.size == 2


def test_messages_without_end_in_messages_do_not_hang(tmp_path: Path) -> None:
    message = mail(subject=string("again"))
    message.attachments.append(embedded("again", message))
    out = write(tmp_path / "out.pst", message)
    assert out.faults == ["A message inside messages lies too deep and was left out."]
    check_store(tmp_path / "out.pst")


def test_identifiers_of_the_old_place_are_not_taken_over(tmp_path: Path) -> None:
    message = mail(subject=string("s"))
    message.properties.values |= {0x0FFF: binary(b"old entry"), 0x0FFA: binary(b"old store")}
    write(tmp_path / "out.pst", message)
    (found,) = read(tmp_path / "out.pst")
    assert not {0x0FFF, 0x0FFA} & set(found.properties.tags)


def test_hidden_items_go_into_the_hidden_table(tmp_path: Path) -> None:
    view = mail(message_class=string("IPM.Configuration.X"), message_flags=integer(0x40))
    write(tmp_path / "out.pst", view, mail(subject=string("s")))
    with PstStore.open(tmp_path / "out.pst") as store:
        (folder,) = (each for each in store.folders() if each.name == "Inbox")
        assert [nid & 0x1F for nid in store.associated(folder)] == [8]
        assert [nid & 0x1F for nid in store.listed(folder) or ()] == [4]
        assert folder.declared == 1


# --- sizes --------------------------------------------------------------------------------------


@settings(
    max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)
@given(
    sizes=st.lists(
        st.sampled_from(
            [0, 1, 7, 100, 3579, 3580, 3581, 8175, 8176, 8177, 65_512, 65_513, 200_000]
        ),
        max_size=25,
    ),
    rows=st.integers(0, 60),
    unicode4k=st.booleans(),
)
def test_any_sizes_come_back(
    tmp_path_factory, sizes: list[int], rows: int, unicode4k: bool
) -> None:
    path = tmp_path_factory.mktemp("sizes") / "out.pst"
    bag = PropertyBag({0x6800 + at: binary(bytes([at]) * size) for at, size in enumerate(sizes)})
    people = [to(f"Name {n} " + "x" * (n * 67), f"n{n}@x.example") for n in range(rows)]
    write(path, MapiMessage(bag, people, []), unicode4k=unicode4k)
    check_store(path)
    (found,) = read(path)
    for tag, entry in bag.values.items():
        assert found.properties.binary(tag) == entry.data
    assert [row.name for row in found.recipients] == [who.party.name for who in people]


@LAYOUTS
def test_large_attachments_and_long_tables(tmp_path: Path, unicode4k: bool) -> None:
    large = random.Random(3).randbytes(9_000_000)
    given = [mail(subject=string(f"{n} " + "s" * 200)) for n in range(1200)]
    given[7].attachments.append(attached("large.bin", large))
    path = tmp_path / "out.pst"
    write(path, *given, unicode4k=unicode4k)
    check_store(path)
    found = read(path)
    assert [m.subject for m in found] == [m.subject for m in given]
    assert found[7].attachments[0].data() == large
    assert Libpff(path).subjects == Counter(m.subject for m in given)


def test_files_above_two_gigabytes_have_all_their_maps(tmp_path: Path) -> None:
    path = tmp_path / "out.pst"
    span = 253_952
    with PstWriter(path, record_key=KEY, now=SENT) as out:
        for number in range(3):
            out.add(out.folder(("A",)), mail(subject=string(f"s{number}")))
            out.leave_free(1_100_000_000)
    assert path.stat().st_size > 3 * 1_000_000_000
    assert getattr(path.stat(), "st_blocks", 0) * 512 < 300_000_000
    with path.open("rb") as stream:
        for section, place, kind in (
            (0, 1, PageType.PAGE_MAP),
            (128, 2, PageType.FREE_MAP),
            (128 + 496, 2, PageType.FREE_MAP),
            (8192, 2, PageType.FREE_PAGE_MAP),
        ):
            stream.seek(0x4400 + section * span + place * 512 + 496)
            assert stream.read(1)[0] == kind
    assert Libpff(path).subjects == Counter({"s0": 1, "s1": 1, "s2": 1})
    assert [m.subject for m in read(path)] == ["s0", "s1", "s2"]


# --- the file -----------------------------------------------------------------------------------


def test_the_same_messages_give_the_same_bytes(tmp_path: Path) -> None:
    for name in ("a", "b"):
        write(tmp_path / name, *varied(10))
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_nothing_is_overwritten(tmp_path: Path) -> None:
    path = tmp_path / "out.pst"
    path.write_bytes(b"mine")
    with pytest.raises(WouldOverwrite):
        PstWriter(path)
    path.unlink()
    out = PstWriter(path)
    path.write_bytes(b"mine")
    with pytest.raises(WouldOverwrite):
        out.close()
    assert path.read_bytes() == b"mine"
    assert list(tmp_path.iterdir()) == [path]


def test_what_fails_leaves_nothing_behind(tmp_path: Path) -> None:
    with pytest.raises(AttributeError):
        write(tmp_path / "out.pst", mail(), None)  # type: ignore[arg-type]
    assert list(tmp_path.iterdir()) == []
    with pytest.raises(ExportError):
        PstWriter(tmp_path / "missing" / "out.pst")


def test_a_full_disk_is_told(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    out = PstWriter(tmp_path / "out.pst")

    def full(*_: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(out._space, "finish", full)
    with pytest.raises(ExportError, match="No space left") as caught:
        out.close()
    assert isinstance(caught.value.__cause__, OSError)
    assert list(tmp_path.iterdir()) == []


def test_the_file_is_not_there_before_it_is_whole(tmp_path: Path) -> None:
    path = tmp_path / "out.pst"
    with PstWriter(path) as out:
        out.add(out.folder(()), mail())
        assert not path.exists()
    assert path.exists()


def test_roles_decide_what_a_folder_is_shown_as(tmp_path: Path) -> None:
    with PstWriter(tmp_path / "out.pst") as out:
        out.add(out.folder(("Cal",), role="calendar"), mail())
        out.add(out.folder(("Sent",), role="sent"), mail())
        assert out.folder(("Sent",)) is out.folder(("Sent",))
    with PstStore.open(tmp_path / "out.pst") as store:
        kinds = {folder.name: folder.container_class for folder in store.folders()}
    assert (kinds["Cal"], kinds["Sent"]) == ("IPF.Appointment", "IPF.Note")
    assert kinds["Deleted Items"] is None


def test_somebody_without_address_gets_none(tmp_path: Path) -> None:
    write(
        tmp_path / "out.pst", mail(Recipient("cc", Party("Zhao", None, None)), subject=string("s"))
    )
    (found,) = read(tmp_path / "out.pst")
    (row,) = found.recipients
    assert (row.kind, row.name, row.address) == (2, "Zhao", None)
    assert not {Tag.SMTP_ADDRESS, Tag.ADDRESS_TYPE, 0x300B} & set(row.tags)


def test_a_file_without_data(tmp_path: Path) -> None:
    message = mail(subject=string("s"))
    message.attachments.append(Attachment(PropertyBag({Tag.ATTACH_METHOD: integer(4)})))
    write(tmp_path / "out.pst", message)
    (found,) = read(tmp_path / "out.pst")
    assert not found.attachments[0].holds_data


# --- real mail ----------------------------------------------------------------------------------


def items_of(corpora: Path) -> Iterator[tuple[Path, tuple[str, ...], Message, MapiMessage]]:
    """Yield all sound items of all real files."""
    for path in sorted((corpora / "pst").iterdir()):
        try:
            store = PstStore.open(path)
        except (CorruptContainer, EncryptedContainer):
            continue
        for folder in store.folders():
            for message in () if folder.is_search else store.messages(folder):
                facts_of(message)
                if message.readable and not message.faults:
                    yield path, folder.path, message, to_mapi(message, store.names)


def test_real_mail_goes_through_unchanged(tmp_path: Path, corpora: Path) -> None:
    """All items of all real files into one new PST; what each says is what it said before."""
    given: dict[int, Message] = {}
    sources = set()
    with PstWriter(tmp_path / "out.pst", record_key=KEY, now=SENT) as out:
        for path, folder, message, item in items_of(corpora):
            sources.add(path)
            given[out.add(out.folder(folder), item)] = message
    assert out.faults == []
    assert len(sources) > 60
    assert len(given) > 500
    check_store(tmp_path / "out.pst")
    with PstStore.open(tmp_path / "out.pst") as store:
        for nid, before in given.items():
            after = store.message(nid)
            assert after is not None
            old, new = facts_of(before), facts_of(after)
            new = new if old.search_key else replace(new, search_key=None)
            assert new.without_properties() == old.without_properties()
            assert lost_properties(before, after) == []


def lost_properties(before: Message, after: Message) -> list[str]:
    """Return properties (those with fixed identifiers) that are not what they were."""
    placed = {0x0E09, 0x0FF4, 0x0FF8, 0x0FF9, 0x0FFA, 0x0FFB, 0x0FFF}
    found = []
    for tag in before.properties.tags:
        kind, data = before.properties.stored(tag) or (0, b"")
        if kind <= 1 or tag >= 0x8000 or tag in placed or kind & 0xFFF == PropertyType.STRING8:
            continue
        same = after.properties.stored(tag) == (kind, data)
        if not same and tag == Tag.MESSAGE_FLAGS:
            same = bool(before.attachments)
        if not same:
            found.append(
                f"{tag:#06x} {kind:#06x} {data[:20]!r} {after.properties.stored(tag)!r:.60}"
            )
    return found


def test_messages_of_msg_files_rebuild_to_the_same_bytes(tmp_path: Path, corpora: Path) -> None:
    """From MSG through a PST: the Internet mail that is made of it is the same to the byte."""
    given: dict[int, bytes] = {}
    with PstWriter(tmp_path / "out.pst", record_key=KEY, now=SENT) as out:
        for path in sorted((corpora / "msg").iterdir()):
            try:
                with opened(path) as compound:
                    message = message_of(compound)
                    nid = out.add(out.folder(("msg",)), message)
                    given[nid] = rebuild(message)
            except OSError:
                continue
    assert len(given) > 200
    check_store(tmp_path / "out.pst")
    with PstStore.open(tmp_path / "out.pst") as store:
        for nid, raw in given.items():
            found = store.message(nid)
            assert found is not None
            assert rebuild(to_mapi(found, store.names)) == raw
