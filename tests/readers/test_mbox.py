from __future__ import annotations

import base64
import hashlib
from pathlib import Path

import pytest

from mailforensics.errors import NoBytes
from mailforensics.readers import ReadLog, Source, Span, identify
from mailforensics.readers import mbox as mbox_module
from mailforensics.readers.mbox import MboxReader
from mailforensics.schema import (
    Completeness,
    Confidence,
    DeletionState,
    FolderRole,
    MessageRecord,
    RawKind,
)

READER = MboxReader()
LINE = b"From li@corp.example Fri Dec  5 14:31:36 2003\n"
MAIL = b"From: Li Na <li@corp.example>\nTo: b@corp.example\nSubject: =?utf-8?b?5ZCI5ZCM?=\n\nText\n"


def read(
    path: Path, source_path: str = "", span: Span | None = None
) -> tuple[list[MessageRecord], ReadLog]:
    log = ReadLog()
    source = Source(path, source_path, mailbox="given")
    records = []
    for record in READER.read(source, log, span):
        assert isinstance(record, MessageRecord)
        log.count(record)
        records.append(record)
        raw = READER.raw(source, record.source_ref)
        assert hashlib.sha256(raw).hexdigest() == record.sha256
        assert record.size == len(raw)
    assert log.balanced
    return records, log


def written(tmp_path: Path, data: bytes, name: str = "box.mbox") -> Path:
    path = tmp_path / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(data)
    return path


def notes(log: ReadLog) -> list[str]:
    return [row.reason or "" for row in log.rows() if row.row_kind == "note"]


def test_plain(tmp_path: Path) -> None:
    records, log = read(written(tmp_path, LINE + MAIL + b"\n" + LINE + MAIL + b"\n"))
    assert [record.subject for record in records] == ["合同", "合同"]
    first = records[0]
    assert first.source_ref == f"offset:{len(LINE)}"
    assert (first.source_offset, first.source_length) == (len(LINE), len(MAIL))
    assert first.raw_kind is RawKind.ORIGINAL
    assert first.deletion_state is DeletionState.LIVE
    assert first.is_read is None
    assert first.stored_at is None, "the separating line names no time zone"
    assert "From li@corp.example Fri Dec  5 14:31:36 2003" in first.flags
    assert (first.mailbox, first.folder, first.folder_role) == ("given", "box", FolderRole.OTHER)
    assert (log.declared, log.read) == (2, 2)


@pytest.mark.parametrize("data", [b"", b"\n\n", b"\0" * 100])
def test_nothing_in_it(tmp_path: Path, data: bytes) -> None:
    records, log = read(written(tmp_path, data))
    assert records == []
    assert log.declared == 0


def test_garbage_before_the_first_message_is_a_note(tmp_path: Path) -> None:
    records, log = read(written(tmp_path, b"\x01\x02junk\n\n" + LINE + MAIL))
    assert len(records) == 1
    row = next(row for row in log.rows() if row.row_kind == "note")
    assert row.source_ref == "offset:0"
    assert row.detail == "8 bytes from byte 0"


def test_a_message_without_its_separating_line_is_a_fragment(tmp_path: Path) -> None:
    torn = b"eived: from x\n" + MAIL + b"\n"
    records, log = read(written(tmp_path, torn + LINE + MAIL))
    assert [record.raw_kind for record in records] == [RawKind.FRAGMENT, RawKind.ORIGINAL]
    assert "truncated_start" in records[0].defects
    assert records[0].completeness is Completeness.PARTIAL
    assert log.declared == 2


def test_expunged_by_thunderbird(tmp_path: Path) -> None:
    front = b"X-Mozilla-Status: 0009\nX-Mozilla-Status2: 00000000\nX-Mozilla-Keys: $label1    \r\n"
    data = b"From - Mon Nov 23 18:20:13 2026\r\n" + front + MAIL + b"\r\n"
    path = written(tmp_path, data, "p/Mail/Local Folders/Work.sbd/Sub")
    (record,), log = read(path)
    assert record.size == len(MAIL)
    assert record.sha256 == hashlib.sha256(MAIL).hexdigest()
    assert (record.source_offset, record.source_length) == (33, len(front + MAIL))
    assert record.deletion_state is DeletionState.MARKED_DELETED
    assert record.confidence is Confidence.CERTAIN
    assert record.deletion_basis is not None
    assert record.deletion_basis.startswith("X-Mozilla-Status 0009 at byte 33 of Work/Sub:")
    assert record.is_read is True
    assert {"X-Mozilla-Status: 0009", "read", "expunged", "keyword:$label1"} <= set(record.flags)
    assert (record.mailbox, record.folder) == ("Local Folders", "Work/Sub")
    assert any("Thunderbird added" in note for note in notes(log))


@pytest.mark.parametrize(
    ("status", "status2", "state"),
    [
        (b"0001", b"00000000", DeletionState.LIVE),
        (b"0000", b"10000000", DeletionState.LIVE),
        (b"1007", b"00000000", DeletionState.LIVE),
        (b"0008", b"00000000", DeletionState.MARKED_DELETED),
        (b"0001", b"00200000", DeletionState.MARKED_DELETED),
    ],
)
def test_status_bits(tmp_path: Path, status: bytes, status2: bytes, state: DeletionState) -> None:
    front = b"X-Mozilla-Status: " + status + b"\r\nX-Mozilla-Status2: " + status2 + b"\r\n"
    (record,), _ = read(written(tmp_path, b"From \r\n" + front + MAIL, "Inbox"))
    assert record.deletion_state is state
    assert record.is_read is bool(int(status, 16) & 1)


def test_lines_of_pop_accounts_are_left_out_too(tmp_path: Path) -> None:
    front = b"X-Account-Key: account1\nX-UIDL: 77\nX-Mozilla-Status: 0001\nX-Mozilla-Status2: 0\n"
    (record,), _ = read(written(tmp_path, b"From - Mon Nov 23 18:20:13 2026\n" + front + MAIL))
    assert record.sha256 == hashlib.sha256(MAIL).hexdigest()
    own = b"X-UIDL: 77\n" + MAIL
    (record,), _ = read(written(tmp_path, LINE + own))
    assert record.sha256 == hashlib.sha256(own).hexdigest()


def test_a_status_line_of_the_sender_is_not_believed(tmp_path: Path) -> None:
    sent = b"Received: by x\nX-Mozilla-Status: 0009\n" + MAIL
    (record,), _ = read(written(tmp_path, LINE + sent))
    assert record.deletion_state is DeletionState.LIVE
    assert record.size == len(sent)


def test_trash(tmp_path: Path) -> None:
    (record,), _ = read(written(tmp_path, LINE + MAIL, "Mail/pop.corp.example/Trash"))
    assert record.deletion_state is DeletionState.IN_DELETED_FOLDER
    assert record.deletion_basis == "It lies in the folder for deleted mail: Trash"
    inner = written(tmp_path, LINE + MAIL, "Deleted Items/Inbox.mbox")
    (record,), _ = read(inner, "Deleted Items/Inbox.mbox")
    assert record.deletion_state is DeletionState.LIVE, "folders of the examiner say nothing"


@pytest.mark.parametrize(
    ("lines", "state", "is_read"),
    [
        (b"Status: RO\nX-Status: D\n", DeletionState.MARKED_DELETED, True),
        (b"Status: O\n", DeletionState.LIVE, False),
        (b"Status: RO\nX-Status: AF\n", DeletionState.LIVE, True),
        (b"X-Spam-Status: Dirty\n", DeletionState.LIVE, None),
    ],
)
def test_status_lines_of_unix_programs(
    tmp_path: Path, lines: bytes, state: DeletionState, is_read: bool | None
) -> None:
    (record,), _ = read(written(tmp_path, LINE + lines + MAIL + b"\nX-Status: D\n"))
    assert record.deletion_state is state
    assert record.is_read is is_read
    assert record.size == len(lines + MAIL) + len(b"\nX-Status: D\n"), "nothing is left out"


@pytest.mark.parametrize(
    ("labels", "folder", "role", "is_read"),
    [
        (b"Unread,Inbox", "Unread, Inbox", FolderRole.INBOX, False),
        (b"Trash,Opened", "Trash, Opened", FolderRole.DELETED, True),
        ("已删除邮件,已打开".encode(), "已删除邮件, 已打开", FolderRole.DELETED, True),
        (b"=?UTF-8?B?5bey5Yig6Zmk6YKu5Lu2?=", "已删除邮件", FolderRole.DELETED, None),
        (b"Spam", "Spam", FolderRole.JUNK, None),
        (b'"A, B",Inbox', "A, B, Inbox", FolderRole.INBOX, None),
        (b"Inbox,Deleted Items", "Inbox, Deleted Items", FolderRole.INBOX, None),
    ],
)
def test_takeout_labels(
    tmp_path: Path, labels: bytes, folder: str, role: FolderRole, is_read: bool | None
) -> None:
    data = b"From 123@xxx Thu Jun 30 12:31:44 +0000 2016\r\n"
    mail = b"X-GM-THRID: 123\r\nX-Gmail-Labels: " + labels + b"\r\n" + MAIL
    (record,), _ = read(written(tmp_path, data + mail))
    assert (record.folder, record.folder_role, record.is_read) == (folder, role, is_read)
    assert "X-GM-THRID:123" in record.flags
    deleted = record.deletion_state is DeletionState.IN_DELETED_FOLDER
    assert deleted is (role is FolderRole.DELETED)
    assert record.sha256 == hashlib.sha256(mail).hexdigest()
    assert record.stored_at is not None
    assert record.stored_at.isoformat() == "2016-06-30T12:31:44+00:00"


def test_labels_of_the_sender_are_not_believed(tmp_path: Path) -> None:
    (record,), _ = read(written(tmp_path, LINE + b"Received: x\nX-Gmail-Labels: Trash\n" + MAIL))
    assert record.deletion_state is DeletionState.LIVE


BODY = b"Hello\n>From here on\n>>From there\n"
PLAIN = b"Hello\nFrom here on\n>From there\n"


def signed(body: bytes, canonical: str) -> bytes:
    """A signature over a body; only its body hash counts here."""
    lines = body.replace(b"\n", b"\r\n")
    digest = base64.b64encode(hashlib.sha256(lines).digest()).decode()
    return (
        f"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/{canonical}; d=x; s=y;\n"
        f" h=from; bh={digest[:20]}\n {digest[20:]}; b=AAAA\n"
    ).encode()


@pytest.mark.parametrize(
    ("header", "body", "defect"),
    [
        (b"", BODY, "from_quoting_ambiguous"),
        (b"Content-Length: %d\n" % len(PLAIN), PLAIN, "from_quoting_undone"),
        (b"Content-Length: %d\n" % len(BODY), BODY, "from_quoting_ambiguous"),
        (signed(PLAIN, "simple"), PLAIN, "from_quoting_undone"),
        (signed(PLAIN, "relaxed"), PLAIN, "from_quoting_undone"),
        (signed(BODY, "relaxed"), BODY, None),
        (signed(b"other\n", "simple"), BODY, "from_quoting_ambiguous"),
    ],
)
def test_from_quoting(tmp_path: Path, header: bytes, body: bytes, defect: str | None) -> None:
    path = written(tmp_path, LINE + header + b"From: a@b\n\n" + BODY + b"\n")
    (record,), _ = read(path)
    raw = READER.raw(Source(path), record.source_ref)
    assert raw == header + b"From: a@b\n\n" + body
    assert [d for d in record.defects if d.startswith("from_")] == ([defect] if defect else [])


def test_messages_inside_messages(tmp_path: Path) -> None:
    inner = b"From: in@corp.example\nSubject: inner\nMessage-ID: <i@x>\n\nInner text\n"
    outer = (
        b"From: a@b\nSubject: outer\nMIME-Version: 1.0\n"
        b"Content-Type: multipart/mixed; boundary=q\n\n--q\nContent-Type: message/rfc822\n\n"
        + inner
        + b"\n--q--\n"
    )
    path = written(tmp_path, LINE + outer + b"\n" + LINE + MAIL, "Mail/x/Trash")
    records, log = read(path)
    assert [record.subject for record in records] == ["outer", "inner", "合同"]
    assert records[1].parent_ref == records[0].source_ref
    assert records[1].deletion_state is DeletionState.IN_DELETED_FOLDER
    assert (log.declared, log.read) == (2, 2)


def test_stored_length_over_lookalikes_is_noted(tmp_path: Path) -> None:
    body = b"see\n\n" + LINE + MAIL
    held = b"From: a@b\nContent-Length: %d\n\n%b" % (len(body), body)
    records, log = read(written(tmp_path, LINE + held + b"\n" + LINE + MAIL))
    assert len(records) == 2
    assert any("look like further messages" in note for note in notes(log))


def test_spans_give_what_the_whole_gives(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    mail = MAIL + b"line of text\n" * 30
    data = b"".join(LINE + mail.replace(b"Text", b"%d" % n) + b"\n" for n in range(60))
    path = written(tmp_path, b"From: torn@x\n\n" + data + b"\0" * 500)
    assert READER.spans(Source(path)) is None
    monkeypatch.setattr(mbox_module, "SPAN", 500)
    spans = READER.spans(Source(path))
    assert spans is not None
    assert len(spans) > 20
    assert {span.stop - span.start for span in spans[:-1]} == {500, 1000}
    assert [0, *(span.stop for span in spans)] == [
        *(span.start for span in spans),
        path.stat().st_size,
    ]
    whole, whole_log = read(path)
    logs = [read(path, span=span) for span in spans]
    assert [record for records, _ in logs for record in records] == whole
    assert sum(log.declared for _, log in logs) == whole_log.declared == 61
    assert [note for _, log in logs for note in notes(log)] == notes(whole_log)


def test_places_that_are_no_messages(tmp_path: Path) -> None:
    path = written(tmp_path, LINE + MAIL)
    for ref in ("offset:3", "offset:99999999", "uid:3", "offset:-1", "offset:x"):
        with pytest.raises(NoBytes):
            READER.raw(Source(path), ref)


@pytest.mark.parametrize(
    ("name", "data", "claimed"),
    [
        ("Inbox", LINE + MAIL, True),
        ("Inbox", b"From - Mon Nov 23 18:20:13 2026\r\nX-Mozilla-Status: 0001\r\n", True),
        ("Inbox", b"\xef\xbb\xbf\r\n" + LINE + MAIL, True),
        ("Inbox", b"X-Mozilla-Status: 0001\n\ntext\n\n" + LINE + MAIL, True),
        ("empty.mbox", b"", True),
        ("empty", b"", False),
        ("note.txt", b"From the start it was 12:30 in 2024.\nSo it was.\n", False),
        ("mail.eml", MAIL, False),
        ("x.pst", b"!BDN" + b"\0" * 500, False),
    ],
)
def test_sniff(tmp_path: Path, name: str, data: bytes, claimed: bool) -> None:
    assert READER.sniff(data[:4096], written(tmp_path, data, name)) is claimed


def test_empty_folder_of_thunderbird_is_claimed(tmp_path: Path) -> None:
    written(tmp_path, b"x", "Unsent Messages.msf")
    assert READER.sniff(b"", written(tmp_path, b"", "Unsent Messages"))
    assert not READER.sniff(b"", tmp_path)


# --- real files -----------------------------------------------------------------------------


def test_real_mboxes(corpora: Path) -> None:
    counts = {path.name: len(read(path)[0]) for path in sorted((corpora / "mbox").iterdir())}
    assert sorted(counts.values()) == [2, 30]


def test_a_mailbox_named_pst(tmp_path: Path) -> None:
    path = tmp_path / "Outlook.pst"
    path.write_bytes(b"From - Mon Jan 01 12:00:00 2024\nFrom: a@x.example\nSubject: s\n\nbody\n")
    assert identify(path).reader == "mbox"


def test_an_outlook_file_whose_first_bytes_are_a_mailbox(corpora: Path) -> None:
    """Its header is overwritten by one message; all else of it is still an Outlook file."""
    (path,) = (corpora / "pst").glob("*82f5cb__Outlook.pst")
    assert identify(path).reader == "pst"
    (record,), log = read(path)
    assert record.subject == "added 1 from Aspose.Email(Aspose.Email Evaluation)"
    assert "empty (zero) bytes after a message" in notes(log)


def test_dovecot_mbox_after_expunge(corpora: Path) -> None:
    stores = corpora / "stores"
    records, _ = read(stores / "dovecot-after-expunge" / "mbox1" / "inbox")
    assert [record.message_id for record in records] == [
        f"<mbox1.{number}@corp.example>" for number in (1, 3, 4, 6)
    ]
    assert [record.deletion_state for record in records] == [
        DeletionState.MARKED_DELETED,
        *[DeletionState.LIVE] * 3,
    ]
    for record, number in zip(records, (1, 3, 4, 6), strict=True):
        path = stores / "dovecot-after-expunge" / "mbox1" / "inbox"
        raw = READER.raw(Source(path), record.source_ref)
        original = (stores / "originals" / f"orig-mbox1-{number}.eml").read_bytes()
        original = original.replace(b"\r\n", b"\n")
        assert raw.partition(b"\n\n")[2] == original.partition(b"\n\n")[2]
        assert raw.startswith(original.partition(b"\n\n")[0])


def test_thunderbird_before_and_after_compaction(corpora: Path) -> None:
    profile = corpora / "stores" / "thunderbird"
    inner = "Mail/Local Folders/Proj"
    before, _ = read(profile / "after-delete-before-compact" / inner)
    after, _ = read(profile / "after-compact" / inner)
    assert [record.message_id for record in before if record.deletion_state != "live"] == [
        "<tbl.2@corp.example>",
        "<tbl.5@corp.example>",
    ]
    kept = {r.message_id: r for r in before if r.deletion_state == "live"}
    assert [r.message_id for r in after] == list(kept)
    for record in after:  # the two states are of two runs: the boundary of message 3 differs
        assert record.message_id is not None
        assert record.size == kept[record.message_id].size
        if record.message_id != "<tbl.3@corp.example>":
            assert record.sha256 == kept[record.message_id].sha256, "X-Mozilla lines are left out"
    trash, _ = read(profile / "after-compact" / "Mail" / "Local Folders" / "Trash")
    moved = next(r for r in before if r.message_id == trash[0].message_id)
    assert trash[0].sha256 == moved.sha256
    assert trash[0].deletion_state is DeletionState.IN_DELETED_FOLDER
