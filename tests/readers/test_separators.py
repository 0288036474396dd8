from __future__ import annotations

import mailbox
import tempfile
from collections.abc import Iterator
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.readers import separators
from mailforensics.readers.separators import first_separator, is_separator_line, slot_at, slots

LINE = b"From li@corp.example Fri Dec  5 14:31:36 2003\n"


def bodies(data: bytes) -> list[bytes]:
    return [data[slot.start : slot.stop] for slot in slots(data)]


def message(number: int, body: bytes = b"text\n") -> bytes:
    return b"From: a@b.example\nSubject: %d\n\n%b" % (number, body)


@pytest.mark.parametrize(
    "line",
    [
        b"From li@corp.example Fri Dec  5 14:31:36 2003",
        b"From li@corp.example Fri Dec  5 14:31 2003",
        b"From mrc@CAC.Washington.EDU Mon Feb  8 02:53:47 PST 1993",
        b"From mrc@CAC.Washington.EDU Mon Feb  8 02:53:47 1993 +0800",
        b"From 1538564978720419823@xxx Thu Jun 30 12:31:44 +0000 2016",
        b"From - Mon Nov 23 18:20:13 2026",
        b'From "Li Na"@corp.example Mon Nov 23 18:20:13 2026',
        b"From li Fri Dec  5 14:31:36 2003 remote from relay",
    ],
)
def test_strict_line_separates_whatever_follows(line: bytes) -> None:
    assert is_separator_line(line + b"\nno header here\n")
    for end in (b"\n", b"\r\n"):
        data = LINE + message(1) + end + line + end + b"no header\n"
        assert bodies(data)[1:] == [b"no header\n"]


@pytest.mark.parametrize(
    "line",
    [
        b"From what I remember it was fine.",
        b"From the 12:30 meeting in 2024 we took this:",
        b"From: li@corp.example Fri Dec  5 14:31:36 2003",
        b"From : li@corp.example Fri Dec  5 14:31:36 2003",
        b"From what I know, on Fri Dec  5 14:31:36 2003",
        b"From",
        b"from li@corp.example Fri Dec  5 14:31:36 2003",
        b">From li@corp.example Fri Dec  5 14:31:36 2003",
    ],
)
def test_prose_does_not_separate(line: bytes) -> None:
    data = LINE + message(1, b"before\n\n" + line + b"\nafter, with words\n")
    assert len(bodies(data)) == 1


def test_without_an_empty_line_only_a_strict_line_before_a_header_separates() -> None:
    joined = LINE + message(1) + LINE + message(2)
    assert bodies(joined) == [message(1), message(2)]
    quoted = LINE + message(1, b"he wrote\n" + LINE + b"and more\n")
    assert len(bodies(quoted)) == 1
    loose = LINE + message(1, b"he wrote\nFrom x 2003-12-05 14:31\nTo: you\n")
    assert len(bodies(loose)) == 1


@pytest.mark.parametrize("bare", [b"From \r\n", b"From \n", b"From -\r\n", b"From - \n"])
def test_bare_lines_of_thunderbird(bare: bytes) -> None:
    status = b"X-Mozilla-Status: 0001\n"
    data = bare + status + message(1) + b"\r\n" + bare + status + message(2) + bare + status
    assert bodies(data) == [status + message(1), status + message(2), status]
    assert len(bodies(bare + message(1, b"a\n\n" + bare + b"not a header\n"))) == 1


def test_crlf_file_keeps_its_line_ends() -> None:
    data = (LINE + message(1) + b"\n").replace(b"\n", b"\r\n") * 3
    assert bodies(data) == [message(1).replace(b"\n", b"\r\n")] * 3


def test_zeros_in_the_middle_and_at_the_end_belong_to_no_message() -> None:
    data = LINE + message(1) + b"\n" + b"\0" * 5000 + LINE + message(2) + b"\n" + b"\0" * 70000
    assert bodies(data) == [message(1), message(2)]


@pytest.mark.parametrize(
    "lead", [b"", b"\n", b"\r\n\r\n", b"\xef\xbb\xbf", b"\xef\xbb\xbf\n", b"\0\0"]
)
def test_blank_beginnings(lead: bytes) -> None:
    data = lead + LINE + message(1) + b"\n" + LINE + message(2)
    assert bodies(data) == [message(1), message(2)]
    assert first_separator(data) == len(lead)
    for slot in slots(data):
        assert slot_at(data, slot.start) == slot


def test_stored_length_holds_unquoted_lines() -> None:
    inner = b"see\n\n" + LINE + message(9)
    held = b"From: a@b.example\nContent-Length: %d\n\n%b" % (len(inner), inner)
    data = LINE + held + b"\n" + LINE + message(2)
    assert bodies(data) == [held, message(2)]
    assert [slot.inner for slot in slots(data)] == [1, 0]
    assert bodies(LINE + held) == [held]
    wrong = held.replace(b"Content-Length: %d" % len(inner), b"Content-Length: 7")
    assert len(bodies(LINE + wrong + b"\n" + LINE + message(2))) == 3


def test_stored_length_beyond_reach_is_not_believed(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(separators, "REACH", 100)
    inner = b"x" * 200 + b"\n\n" + LINE + message(9)
    held = b"From: a@b.example\nContent-Length: %d\n\n%b" % (len(inner), inner)
    assert len(bodies(LINE + held)) == 2


FROM_LIKE = st.sampled_from(
    [
        b"From li@corp.example Fri Dec  5 14:31:36 2003",
        b"From - Mon Nov 23 18:20:13 2026",
        b"From ",
        b"From the 12:30 meeting in 2024",
        b">From here",
        b">>From there",
        b"",
        b"Subject: x",
        b"X-Mozilla-Status: 0009",
        b"Content-Length: 12",
    ]
)
TEXT = st.lists(FROM_LIKE | st.binary(max_size=30).filter(lambda b: b"\r" not in b), max_size=12)
BODIES = st.lists(TEXT.map(b"\n".join), min_size=1, max_size=6)


@given(texts=BODIES)
@settings(max_examples=150, deadline=None)
def test_what_python_writes_is_read_as_python_reads_it(texts: list[bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "box"
        box = mailbox.mbox(path)
        for number, text in enumerate(texts):
            box.add(b"From: a@b.example\nSubject: %d\n\n" % number + text)
        box.flush()
        expected = [box.get_bytes(key) for key in box.keys()]  # noqa: SIM118 - a mailbox, no dict
        box.close()
        assert [body.rstrip(b"\0") for body in bodies(path.read_bytes())] == [
            body.rstrip(b"\0") for body in expected
        ]


def small_blocks(start: int, stop: int) -> Iterator[tuple[int, int]]:
    for at in range(start, stop, 37):
        yield at, min(at + 37, stop)


@given(texts=BODIES, step=st.integers(1, 400), data=st.data())
@settings(max_examples=200, deadline=None)
def test_parts_of_a_file_give_what_the_whole_gives(
    texts: list[bytes], step: int, data: st.DataObject
) -> None:
    whole = b""
    for text in texts:
        whole += data.draw(FROM_LIKE) + data.draw(st.sampled_from([b"\n", b"\r\n"]))
        length = len(text) + data.draw(st.sampled_from([0, 0, 1, 60]))
        header = b"Content-Length: %d\n" % length if data.draw(st.booleans()) else b""
        whole += b"From: a@b\n" + header + b"\n" + text + b"\n\n"
    reach = data.draw(st.sampled_from([separators.REACH, 80]))
    with mock.patch.object(separators, "REACH", reach):
        found = list(slots(whole))
        starts = range(0, len(whole), step)
        assert [slot for at in starts for slot in slots(whole, at, at + step)] == found
        for slot in found:
            assert slot_at(whole, slot.start) == slot
        with mock.patch.object(separators, "_blocks", small_blocks):
            assert list(slots(whole)) == found


@given(data=st.binary(max_size=400) | TEXT.map(b"\n".join))
@settings(max_examples=200, deadline=None)
def test_every_byte_is_accounted_for(data: bytes) -> None:
    at = first_separator(data)
    for slot in slots(data):
        assert slot.line == at
        assert slot.line < slot.start <= slot.stop <= slot.following
        assert not data[slot.stop : slot.following].strip(b"\r\n\0")
        at = slot.following
    assert at == len(data)
