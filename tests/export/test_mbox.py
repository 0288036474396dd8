from __future__ import annotations

import mailbox
from datetime import datetime, timedelta, timezone
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.export import export
from mailforensics.export.cells import parse
from mailforensics.export.chosen import Chosen
from mailforensics.export.mbox import MboxWriter, from_line, message_at, quote, unquote
from tests.export.conftest import SENT, Evidence, mail, record

PIECES = st.sampled_from(
    [
        b"From ",
        b">From ",
        b">>From x",
        b"\n",
        b"\r\n",
        b"\r",
        b"a",
        b"From: x",
        b"",
        b"\n\n",
        b"\xff",
    ]
)
BYTES = st.one_of(st.lists(PIECES, max_size=12).map(b"".join), st.binary(max_size=60))


def python_reads(path: Path) -> list[bytes]:
    """Return the messages as Python's own mailbox finds them, unquoted."""
    box = mailbox.mbox(path, create=False)
    try:
        return [unquote(box.get_bytes(key)) for key in box.keys()]  # noqa: SIM118 - no dict
    finally:
        box.close()


@given(BYTES)
def test_quoting_is_undone_without_loss(data: bytes) -> None:
    assert unquote(quote(data)) == data
    assert not any(line.startswith(b"From ") for line in quote(data).split(b"\n"))


@settings(max_examples=60, deadline=None)
@given(messages=st.lists(BYTES, min_size=1, max_size=5))
def test_any_messages_come_back(
    tmp_path_factory: pytest.TempPathFactory, messages: list[bytes]
) -> None:
    folder = tmp_path_factory.mktemp("mbox")
    writer = MboxWriter(folder)
    places = [writer.add(Chosen({"item_id": str(n)}), data) for n, data in enumerate(messages)]
    writer.close()
    assert not writer.damaged()
    path = folder / "messages.mbox"
    back = [message_at(path, place.offset or 0, place.length or 0) for place in places]
    assert back == messages
    ended = [data if data.endswith(b"\n") else data + b"\n" for data in messages]
    assert python_reads(path) == ended


def row(**fields: Any) -> Chosen:
    return Chosen({"item_id": "1", **fields})


def test_the_from_line_holds_the_envelope_sender_and_the_moment_of_receipt_in_utc() -> None:
    local = datetime(2026, 11, 2, 1, 2, 3, tzinfo=timezone(timedelta(hours=8)))
    data = b"Received: x\nreturn-path: <bounce@nordwind.example>\n\nReturn-Path: <no@x>\n"
    line, dated = from_line(row(received_at=local, sent_at=SENT, from_addr="a@b"), data)
    assert line == b"From bounce@nordwind.example Sun Nov  1 17:02:03 2026\n"
    assert dated


@pytest.mark.parametrize(
    ("fields", "sender"),
    [
        ({"sender_addr": "s@x", "from_addr": "f@x"}, b"s@x"),
        ({"from_addr": "f@x"}, b"f@x"),
        ({}, b"MAILER-DAEMON"),
        ({"from_addr": "two words@x"}, b"MAILER-DAEMON"),
        ({"from_addr": "a@b\nFrom evil"}, b"MAILER-DAEMON"),
        ({"from_addr": "李@x"}, b"MAILER-DAEMON"),
    ],
)
def test_the_sender_never_breaks_the_line(fields: dict[str, str], sender: bytes) -> None:
    line, _ = from_line(row(sent_at=SENT, **fields), b"Return-Path: <>\n\n")
    assert line == b"From " + sender + b" Thu Nov 12 09:42:07 2026\n"


def test_an_unknown_date_is_a_placeholder_that_the_manifest_names(tmp_path: Path) -> None:
    result = export_mbox(Evidence((record("1", mail()), mail())), tmp_path / "out")
    (only,) = parse((result.folder / "manifest.csv").read_bytes())[1]
    data = (result.folder / "messages.mbox").read_bytes()
    assert data.startswith(b"From MAILER-DAEMON Thu Jan  1 00:00:00 1970\n")
    assert "placeholder" in only["note"]
    assert only["sent_at"] == ""
    assert data[int(only["file_offset"]) :][: int(only["file_length"])] == mail()


def export_mbox(evidence: Evidence, folder: Path, **options: Any) -> Any:
    return export(
        evidence.messages,
        folder,
        form="mbox",
        raw=evidence.raw,
        evidence=evidence.evidence,
        **options,
    )


def test_real_mail_comes_back_through_python(corpora: Path, tmp_path: Path) -> None:
    paths = sorted((corpora / "eml").rglob("*.eml"))[::9]
    assert len(paths) > 50
    pairs = [(record(path.name, path.read_bytes()), path.read_bytes()) for path in paths]
    evidence = Evidence(*pairs)
    result = export_mbox(evidence, tmp_path / "out")
    assert (result.written, result.failed) == (len(paths), 0)
    rows = parse((result.folder / "manifest.csv").read_bytes())[1]
    ordered = [evidence.bytes[each["item_id"]] for each in rows]
    path = result.folder / "messages.mbox"
    ended = [data if data.endswith(b"\n") else data + b"\n" for data in ordered]
    assert python_reads(path) == ended
    exact = [message_at(path, int(r["file_offset"]), int(r["file_length"])) for r in rows]
    assert exact == ordered


def test_one_file_a_folder_with_legal_names(tmp_path: Path) -> None:
    folders = ["INBOX", "inbox", "CON", "已删除", "../up", None]
    evidence = Evidence(
        *((record(str(n), mail(), folder=name), mail()) for n, name in enumerate(folders))
    )
    result = export_mbox(evidence, tmp_path / "out", per_folder=True)
    assert result.written == len(folders)
    names = sorted(path.name for path in result.folder.glob("*.mbox"))
    assert len(names) == len({name.casefold() for name in names}) == len(folders)
    assert any("已删除" in name for name in names)
    assert {path.name for path in tmp_path.iterdir()} == {"out"}
