from __future__ import annotations

import itertools
import mmap
import random
import sysconfig
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.carving import Carved, EndedBy, Grid, StartKind, carve
from tests.carving.mail import HEAD, SEPARATOR, block, crlf, messages, multipart, plain


def carved(data: bytes, **given_: object) -> list[Carved]:
    return list(carve(data, **given_))  # type: ignore[arg-type]


def bytes_of(data: bytes, found: list[Carved]) -> list[bytes]:
    return [data[one.offset : one.offset + one.length] for one in found]


@pytest.mark.parametrize("shape", [plain, multipart])
@pytest.mark.parametrize("ends", [bytes, crlf])
def test_a_message_in_its_block_comes_back_to_the_byte(shape, ends):
    message = ends(shape(1))
    data = b"\0" * 4096 + block(message) + b"\0" * 4096
    (found,) = carved(data)
    assert bytes_of(data, [found]) == [message]
    assert (found.kind, found.ended_by) == (StartKind.ALIGNED, EndedBy.NUL)
    assert found.clean
    assert found.complete
    assert found.closed is (True if shape is multipart else None)


def test_an_mbox_run_is_cut_at_its_separator_lines():
    sent = [plain(1), multipart(2), plain(3, b">From here on\n\nall is quoted\n")]
    data = block(b"".join(SEPARATOR + message + b"\n" for message in sent))
    found = carved(data)
    assert bytes_of(data, found) == sent
    assert all(one.has_separator and one.clean for one in found)
    assert [one.ended_by for one in found] == [
        EndedBy.NEXT_SEPARATOR,
        EndedBy.NEXT_SEPARATOR,
        EndedBy.NUL,
    ]


def test_an_mbox_run_with_crlf_is_cut_at_its_separator_lines():
    sent = [crlf(plain(1)), crlf(multipart(2))]
    data = block(b"".join(crlf(SEPARATOR) + message + b"\r\n" for message in sent))
    assert bytes_of(data, carved(data)) == sent


def test_two_messages_in_adjacent_blocks_are_not_merged():
    first = plain(1, b"x" * 60 + b"\n")
    text = b"y" * (4096 - len(plain(2, b""))) + b""
    full = plain(2, text)
    assert len(full) == 4096
    data = block(first) + full + block(plain(3))
    assert bytes_of(data, carved(data)) == [first, full, plain(3)]


def test_a_message_without_its_end_ends_where_the_next_begins_and_is_not_complete():
    cut = multipart(1, b"z" * 9000)[:4096]
    data = cut + block(multipart(2))
    first, second = carved(data)
    assert bytes_of(data, [first, second]) == [cut, multipart(2)]
    assert first.closed is False
    assert not first.complete
    assert second.complete


def test_bytes_that_are_no_text_inside_mime_are_not_taken_for_content():
    whole = multipart(1, b"w" * 12000)
    other = random.Random(1).randbytes(4096)
    data = block(whole[:4096] + other + whole[8192:])
    found = carved(data)
    assert found[0].closed is False
    assert found[0].length <= 4096


def test_a_carried_message_is_no_new_message():
    inner = plain(2)
    text = b"see below\n--=_1\nContent-Type: message/rfc822\n\n" + inner
    outer = multipart(1, text)
    data = block(outer)
    assert bytes_of(data, carved(data)) == [outer]


def test_a_carried_message_whose_carrier_is_lost_is_found():
    inner = plain(2)
    rest = (
        b"text of the carrier\n\n--=_77\nContent-Type: message/rfc822\n\n" + inner + b"\n--=_77--\n"
    )
    data = block(rest)
    (found,) = carved(data)
    assert bytes_of(data, [found]) == [inner]
    assert (found.kind, found.ended_by) == (StartKind.LOOSE, EndedBy.CARRIER)


def test_text_of_another_file_behind_a_closed_message_is_cut_off():
    message = multipart(1)
    slack = (b"static int count = 0; /* source */\n" * 200)[: 4096 - len(message)]
    data = message + slack + block(plain(2))
    assert bytes_of(data, carved(data)) == [message, plain(2)]


def test_random_slack_is_cut_off():
    rng = random.Random(5)
    wrong = 0
    for number in range(200):
        message = plain(number, "合同已签，请查收。\n".encode("gb18030") * 3)
        data = message + rng.randbytes(4096 - len(message)) + bytes(4096)
        found = carved(data)
        assert found[0].offset == 0
        assert not found[0].clean
        wrong += bytes_of(data, found[:1]) != [message]
    assert wrong <= 10


def test_a_range_ends_a_message():
    message = multipart(1, b"v" * 9000)
    data = block(message)
    (found,) = carved(data, ranges=[(0, 4096)])
    assert (found.length, found.ended_by) == (4096, EndedBy.RANGE_END)
    assert not found.complete


def test_messages_in_several_ranges():
    data = block(plain(1)) + block(plain(2)) + block(plain(3))
    assert [one.offset for one in carved(data, ranges=[(0, 4096), (8192, 12288)])] == [0, 8192]


def test_blocks_need_not_be_multiples_of_4096_from_the_start():
    old = b"old text without an end " * 30
    message = plain(1)
    data = bytes(63) + block(old[:500] + message[:0], 512)[:512].replace(b"\0", b"x") + message
    (found,) = carved(data, grid=Grid(63, 512))
    assert found.offset == 63 + 512


def test_a_header_of_many_words_but_no_mail_is_no_message():
    assert carved(b"From: the docs\nSubject: how to\nTo: you\n\ntext\n") == []
    assert carved(b"Metadata-Version: 2.1\nName: x\nDate: 2020\nFrom: pip\n\ntext\n") == []


def test_python_itself_holds_almost_no_mail():
    root = Path(sysconfig.get_paths()["stdlib"])
    paths = sorted(path for path in root.glob("*.py")) + sorted((root / "lib-dynload").glob("*.so"))
    data = b"".join(block(path.read_bytes()) for path in paths)
    assert len(data) > 2_000_000
    assert carved(data) == []


def test_every_kind_of_buffer_gives_the_same(tmp_path):
    data = b"".join(block(plain(number)) for number in range(9))
    expected = carved(data)
    assert len(expected) == 9
    assert carved(bytearray(data)) == expected
    assert carved(memoryview(data)[:]) == expected
    path = tmp_path / "image"
    path.write_bytes(data)
    with path.open("rb") as stream, mmap.mmap(stream.fileno(), 0, access=mmap.ACCESS_READ) as whole:
        assert list(carve(whole)) == expected


def test_pages_are_released_in_order():
    data = bytes(1 << 20)
    released: list[int] = []
    assert list(carve(data, release=released.append, window=1 << 16)) == []
    assert released == sorted(released)
    assert released[-1] >= (1 << 20) - (1 << 17)


def test_real_messages_come_back_to_the_byte(corpora):
    paths = [
        path
        for path in sorted((corpora / "eml" / "apache_spamassassin").rglob("*"))
        if path.is_file() and not path.read_bytes().startswith(b"From ")
    ]
    assert len(paths) > 20
    data, expected = b"", []
    for path in paths:
        message = path.read_bytes()
        expected.append((len(data), message))
        data += block(message)
    found = {one.offset: one for one in carved(data)}
    right = sum(
        offset in found and bytes_of(data, [found[offset]]) == [message]
        for offset, message in expected
    )
    assert right >= 0.98 * len(expected)


NOISE = st.one_of(
    st.integers(0, 2**32).map(lambda seed: random.Random(seed).randbytes(4096 * (1 + seed % 3))),
    st.integers(1, 3).map(lambda count: bytes(4096 * count)),
)


@st.composite
def disks(draw: st.DrawFn) -> tuple[bytes, list[tuple[int, bytes]]]:
    """Blocks of messages and noise, and where each message begins."""
    data, planted = bytearray(), []
    for _ in range(draw(st.integers(1, 6))):
        data += draw(NOISE)
        if draw(st.booleans()):
            message = draw(messages())
            planted.append((len(data), message))
            data += block(message)
        else:
            for message in draw(st.lists(messages(), min_size=1, max_size=4)):
                ends = b"\r\n" if b"\r\n" in message else b"\n"
                data += SEPARATOR.replace(b"\n", ends)
                planted.append((len(data), message))
                data += message + ends
            data += bytes(-len(data) % 4096)
    return bytes(data), planted


@settings(max_examples=60, deadline=None)
@given(disks())
def test_planted_messages_come_back_to_the_byte(disk):
    data, planted = disk
    found = {one.offset: one for one in carved(data)}
    for offset, message in planted:
        assert offset in found
        assert bytes_of(data, [found[offset]]) == [message]


@settings(max_examples=60, deadline=None)
@given(disks(), st.integers(1, 9), st.sampled_from([512, 4096, 10_000, 1 << 24]), st.randoms())
def test_pieces_give_what_the_whole_gives(disk, count, window, rng):
    data, _ = disk
    whole = carved(data, window=window)
    cuts = sorted({0, len(data), *(rng.randrange(len(data)) for _ in range(count))})
    pieces = [
        one
        for low, high in itertools.pairwise(cuts)
        for one in carved(data, own=(low, high), window=window)
    ]
    assert pieces == whole
    assert whole == carved(data)


FRAGMENTS = st.lists(
    st.sampled_from(
        [
            HEAD % 1,
            SEPARATOR,
            b"\n",
            b"\r\n",
            b"\0",
            b"\0" * 600,
            b"no header line\n",
            b"From \n",
            b"Content-Type: message/rfc822\n\n",
            b'Content-Type: multipart/x; boundary="b"\n',
            b"\n--b\n",
            b"\n--b--\n",
            b"\x01\x02\x03\xff",
            b"x" * 700,
            b"From: a@b.cc\nDate: 1 Jan 2020 10:00\nMessage-ID: <a@b>\n",
        ]
    )
    | st.binary(max_size=40),
    max_size=40,
)


@settings(max_examples=200, deadline=None)
@given(FRAGMENTS, st.sampled_from([64, 512, 1 << 24]))
def test_any_bytes_give_messages_that_lie_apart_and_in_order(parts, window):
    data = b"".join(parts)
    found = carved(data, window=window)
    end = 0
    for one in found:
        assert end <= one.offset <= one.body_offset <= one.offset + one.length <= len(data)
        assert one.length > 0
        end = one.offset + (one.length if one.kind is not StartKind.LOOSE else 0)


@settings(max_examples=150, deadline=None)
@given(FRAGMENTS, st.integers(0, 1500))
def test_hostile_bytes_in_two_pieces_give_what_the_whole_gives(parts, cut):
    data = b"".join(parts)
    whole = carved(data, window=256)
    low = min(cut, len(data))
    halves = carved(data, own=(0, low), window=256) + carved(data, own=(low, len(data)), window=256)
    assert halves == whole


def test_many_beginnings_without_ends_cost_no_more_than_their_bytes():
    class Counting(bytes):
        looked = 0

        def find(self, what, low, high):  # type: ignore[override]
            at = bytes.find(self, what, low, high)
            Counting.looked += (high if at < 0 else at) - low
            return at

    def looked_at(count: int) -> int:
        Counting.looked = 0
        list(carve(Counting((HEAD % 1 + b"bad\nbad\nbad\nbad\nbad\n") * count)))
        return Counting.looked

    small, large = looked_at(400), looked_at(1600)
    assert large < 6 * small
