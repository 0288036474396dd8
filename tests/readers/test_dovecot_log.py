from __future__ import annotations

import base64
import bz2
import gzip
import os
from datetime import UTC, datetime, timedelta
from ipaddress import ip_address
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailforensics.errors import NoBytes
from mailforensics.readers import ReadLog, Source, identify
from mailforensics.readers.dovecot_log import DovecotLogReader
from mailforensics.readers.loglines import fields_of, parse_line
from mailforensics.readers.sessionid import read_session
from mailforensics.schema import EventRecord, Operation

READER = DovecotLogReader()
FEBRUARY = datetime(2026, 2, 10, tzinfo=UTC)


def session_id(moment: datetime, address: str = "192.0.2.7", port: int = 40000) -> str:
    micro = int((moment - datetime(1970, 1, 1, tzinfo=UTC)) / timedelta(microseconds=1))
    data = (micro % (1 << 48)).to_bytes(6, "little") + port.to_bytes(2, "little")
    return base64.b64encode(data + ip_address(address).packed).decode().rstrip("=")


def read(path: Path) -> tuple[list[EventRecord], ReadLog]:
    log = ReadLog()
    events = []
    for event in READER.read(Source(path), log):
        assert isinstance(event, EventRecord)
        log.count(event)
        events.append(event)
        assert READER.raw(Source(path), event.source_ref)
    assert log.balanced
    return events, log


def written(
    tmp_path: Path, text: str | bytes, name: str = "dovecot.log", modified: datetime = FEBRUARY
) -> Path:
    path = tmp_path / name
    path.write_bytes(text.encode() if isinstance(text, str) else text)
    os.utime(path, (modified.timestamp(), modified.timestamp()))
    return path


def notes(log: ReadLog) -> str:
    return " ".join(f"{row.reason} {row.detail}" for row in log.rows() if row.row_kind == "note")


EXPUNGE = "expunge: box=INBOX, uid=2, msgid=<a@x>, size=7, subject=Hi, flags=(\\Deleted)"


@pytest.mark.parametrize(
    "head",
    [
        "Nov 23 18:00:16 imap(li)<11><S>: Info: ",
        "Nov 23 18:00:16 mx dovecot: imap(li)<11><S>: ",
        "Nov 23 18:00:16 mx dovecot[7]: imap(li)<11><S>: Info: ",
        "2026-11-23T18:00:16.123456+00:00 mx dovecot: imap(li)<11><S>: ",
        "<22>1 2026-11-23T18:00:16Z mx dovecot 7 - - imap(li)<11><S>: ",
        '<22>1 2026-11-23T18:00:16Z mx dovecot 7 - [a b="c"] imap(li)<11><S>: ',
        "2026-11-23 18:00:16 imap(li)<11><S>: Info: ",
        "11月 23 18:00:16 mx dovecot: imap(li)<11><S>: Info: ",
    ],
)
def test_forms_of_lines(head: str) -> None:
    line = parse_line(head + EXPUNGE)
    assert line is not None
    assert (line.service, line.user, line.session, line.text) == ("imap", "li", "S", EXPUNGE)
    moment = line.stamp.in_year(2026)
    assert moment is not None
    assert moment.replace(microsecond=0) == datetime(2026, 11, 23, 18, 0, 16, tzinfo=UTC)


def test_forms_of_users() -> None:
    line = parse_line("Nov  3 18:00:16 imap(li@x,192.0.2.9): Info: x")
    assert line is not None
    assert (line.user, line.client_ip) == ("li@x", "192.0.2.9")
    line = parse_line("Nov  3 18:00:16 lmtp(25597, bob@x): Info: x")
    assert line is not None
    assert line.user == "bob@x"
    for other in ("Foo 23 18:00:16 imap(li): x", "Nov 31 18:00:16 imap(li): x", "imap(li): x", ""):
        assert parse_line(other) is None


def test_subjects_hold_commas_and_keys() -> None:
    values = fields_of(
        "box=INBOX, uid=2, msgid=<a@x>, size=7, from=Li, Na <li@x>, "
        "subject=合同, uid=9, box=Trash, flags=(no), flags=(\\Seen)"
    )
    assert values["box"] == "INBOX"
    assert values["uid"] == "2"
    assert values["from"] == "Li, Na <li@x>"
    assert values["subject"] == "合同"
    assert values["flags"] == "(\\Seen)"


def test_session_ids() -> None:
    moment = datetime(2026, 11, 23, 10, 0, 16, 123456, tzinfo=UTC)
    for address in ("192.0.2.7", "2001:db8::1"):
        session = read_session(session_id(moment, address, 1234))
        assert session is not None
        assert moment in session.moments
        assert (session.client_ip, session.client_port) == (address, 1234)
    mapped = read_session(session_id(moment, "::ffff:192.0.2.7"))
    assert mapped is not None
    assert mapped.client_ip == "192.0.2.7"
    delivery = read_session("hrReF5iCBGv9YwAAg+zDdQ")
    assert delivery is not None
    assert [m.replace(microsecond=0) for m in delivery.moments] == [
        datetime(2026, 11, 23, 18, 14, 48, tzinfo=UTC)
    ]
    assert read_session("not base64!") is None
    assert read_session("AAAA") is None


def test_year_and_zone_come_from_the_login(tmp_path: Path) -> None:
    session = session_id(datetime(2024, 11, 23, 10, 0, 15, tzinfo=UTC))
    path = written(
        tmp_path,
        f"Nov 23 18:00:16 imap-login: Info: Login: user=<li>, method=PLAIN, rip=192.0.2.7, "
        f"lip=192.0.2.1, mpid=11, TLS, session=<{session}>\n"
        f"Nov 23 18:00:20 imap(li)<11><{session}>: Info: {EXPUNGE}\n",
    )
    (login, expunge), log = read(path)
    assert login.operation is Operation.LOGIN
    assert (login.actor, login.client_ip) == ("li", "192.0.2.7")
    assert expunge.operation is Operation.EXPUNGE
    assert expunge.at == datetime(2024, 11, 23, 10, 0, 20, tzinfo=UTC)
    assert (expunge.actor, expunge.mailbox, expunge.folder) == ("li", "li", "INBOX")
    assert (expunge.message_id, expunge.subject) == ("<a@x>", "Hi")
    assert expunge.client_ip == "192.0.2.7"
    assert expunge.detail == f"uid 2; size 7; flags (\\Deleted); session {session}"
    assert "UTC+08:00" in notes(log)
    assert "assumed" not in notes(log)


def test_address_out_of_the_session_id_when_the_login_is_rotated_away(tmp_path: Path) -> None:
    session = session_id(datetime(2025, 11, 23, 10, 0, 15, tzinfo=UTC), "192.0.2.99", 5)
    path = written(tmp_path, f"Nov 23 19:07:00 imap(li)<11><{session}>: Info: {EXPUNGE}\n")
    (event,), log = read(path)
    assert event.client_ip == "192.0.2.99"
    assert event.detail is not None
    assert "port 5 out of the session id" in event.detail
    assert event.at == datetime(2025, 11, 23, 19, 7, tzinfo=UTC)
    assert "The year is taken from the session ids" in notes(log)
    assert "assumed to be UTC" in notes(log), "one late line tells no zone"
    assert "time zone assumed to be UTC" in event.detail


def test_zone_from_sessions_that_agree(tmp_path: Path) -> None:
    begin = datetime(2025, 11, 23, 10, 0, tzinfo=UTC)
    lines = []
    for minute in range(4):
        session = session_id(begin + timedelta(minutes=minute))
        lines.append(f"Nov 23 05:0{minute}:03 imap(li)<1><{session}>: Info: {EXPUNGE}\n")
    events, log = read(written(tmp_path, "".join(lines)))
    assert events[0].at == begin + timedelta(seconds=3)
    assert "UTC-05:00" in notes(log)


def test_year_from_the_date_of_the_file(tmp_path: Path) -> None:
    text = "".join(
        f"{stamp} 23:59:58 imap(li): Info: {EXPUNGE}\n" for stamp in ("Nov 30", "Dec 31", "Jan  1")
    )
    events, log = read(written(tmp_path, text))
    assert [event.at.year for event in events if event.at] == [2025, 2025, 2026]
    assert "The year is taken from the date of the file, 2026-02-10." in notes(log)
    assert "assumed to be UTC" in notes(log)
    late = text.replace("Jan  1", "Dec 31")
    events, _ = read(written(tmp_path, late))
    assert [event.at.year for event in events if event.at] == [2025, 2025, 2025]


def test_leap_day(tmp_path: Path) -> None:
    (event,), _ = read(written(tmp_path, f"Feb 29 10:00:00 imap(li): Info: {EXPUNGE}\n"))
    assert event.at == datetime(2024, 2, 29, 10, tzinfo=UTC)


def test_new_year_between_logins(tmp_path: Path) -> None:
    first = session_id(datetime(2024, 12, 31, 23, 0, 0, tzinfo=UTC))
    login = "imap-login: Info: Login: user=<li>, rip=192.0.2.7, "
    text = (
        f"Dec 31 23:00:01 {login}session=<{first}>\n"
        f"Jan  1 00:30:00 imap(li)<1><{first}>: Info: {EXPUNGE}\n"
    )
    events, _ = read(written(tmp_path, text))
    assert events[1].at == datetime(2025, 1, 1, 0, 30, tzinfo=UTC)


@pytest.mark.parametrize(
    ("text", "operation", "folder", "words"),
    [
        ("copy from INBOX: box=Trash, uid=1, msgid=<a@x>", Operation.COPY, "Trash", "copied from"),
        ("copy -> Trash: uid=1, msgid=<a@x>", Operation.COPY, "Trash", "uid 1"),
        ("save: box=垃圾箱, uid=1, msgid=<a@x>", Operation.SAVE, "垃圾箱", "uid 1"),
        ("delete: box=INBOX, uid=2, msgid=<a@x>", Operation.MARK_DELETED, "INBOX", "uid 2"),
        ("undelete: box=INBOX, uid=2", Operation.UNMARK_DELETED, "INBOX", "uid 2"),
        ("flag_change: box=INBOX, uid=2, flags=(\\Seen)", Operation.FLAG_CHANGE, "INBOX", "Seen"),
        ("Mailbox created: A/B", Operation.FOLDER_CREATE, "A/B", "session"),
        ("Mailbox deleted: Trash", Operation.FOLDER_DELETE, "Trash", "session"),
        ("Mailbox renamed: A -> B", Operation.FOLDER_RENAME, "A", "renamed to B"),
        ("Logged out in=3 deleted=3 expunged=2", Operation.SESSION_SUMMARY, None, "expunged 2"),
        ("msgid=<a@x>: saved mail to INBOX", Operation.DELIVER, "INBOX", "session"),
        ("sieve: msgid=<a@x>: stored mail into mailbox 'A B'", Operation.DELIVER, "A B", "session"),
    ],
)
def test_operations(
    tmp_path: Path, text: str, operation: Operation, folder: str | None, words: str
) -> None:
    path = written(tmp_path, f"Nov 23 18:00:16 imap(li)<11><S>: Info: {text}\n")
    (event,), _ = read(path)
    assert (event.operation, event.folder) == (operation, folder)
    assert words in (event.detail or "")


def test_an_administrator_is_not_the_owner(tmp_path: Path) -> None:
    path = written(tmp_path, f"Nov 23 18:00:16 doveadm(li)<11><>: Info: {EXPUNGE}\n")
    (event,), _ = read(path)
    assert (event.actor, event.mailbox) == ("doveadm", "li")


def test_silent_and_broken_lines_are_counted(tmp_path: Path) -> None:
    text = f"Nov 23 18:00:16 master: Warning: x\n\nNov 23 18:00:16 imap(li): Info: {EXPUNGE}\n"
    broken = b"\xff\xfe\xff\n" + b"y" * 200_000 + b"\n"
    gbk = f"Nov 23 18:00:16 imap(li): Info: {EXPUNGE}".replace("Hi", "合同").encode("gbk") + b"\n"
    events, log = read(written(tmp_path, text.encode() + broken + gbk))
    assert [event.subject for event in events] == ["Hi", "合同"]
    assert [event.source_ref for event in events] == ["line:3", "line:6"]
    assert (log.declared, log.skipped, log.failed) == (6, 3, 1)
    failed = next(row for row in log.rows() if row.row_kind == "failed")
    assert failed.source_ref == "line:4"


@pytest.mark.parametrize("packer", [gzip.compress, bz2.compress])
def test_packed_logs(tmp_path: Path, packer: object) -> None:
    assert callable(packer)
    text = f"Nov 23 18:00:16 imap(li): Info: {EXPUNGE}\n" * 3
    path = written(tmp_path, packer(text.encode()), "mail.log.1.gz")
    assert identify(path).reader == "dovecot_log"
    events, _ = read(path)
    assert len(events) == 3
    assert READER.raw(Source(path), "line:3") == text.encode().splitlines(keepends=True)[2]


def test_a_packed_log_that_is_cut_off(tmp_path: Path) -> None:
    lines = [f"Nov 23 18:00:16 imap(u{os.urandom(9).hex()}): Info: {EXPUNGE}\n" for _ in range(900)]
    packed = gzip.compress("".join(lines).encode())
    events, log = read(written(tmp_path, packed[: len(packed) // 2], "x.gz"))
    assert 0 < len(events) < 900
    assert log.failed == 1


@pytest.mark.parametrize("ref", ["line:0", "line:99", "offset:1", "line:x"])
def test_lines_that_are_not_there(tmp_path: Path, ref: str) -> None:
    path = written(tmp_path, f"Nov 23 18:00:16 imap(li): Info: {EXPUNGE}\n")
    with pytest.raises(NoBytes):
        READER.raw(Source(path), ref)


def test_sniff(tmp_path: Path) -> None:
    other = "".join(f"Nov 23 18:00:{n % 60:02d} mx cron[1]: x\n" for n in range(300))
    mixed = other + f"Nov 23 18:00:16 mx dovecot: imap(li): {EXPUNGE}\n"
    for text, claimed in ((mixed, True), (other, False), ("hello\n", False), ("", False)):
        path = written(tmp_path, text)
        assert READER.sniff(path.read_bytes()[:4096], path) is claimed
    assert not READER.sniff(b"", tmp_path)
    mail = b"From: li@x\nSubject: Nov 23 18:00:16 imap(li): Info: x\n\ntext\n"
    assert not READER.sniff(mail, written(tmp_path, mail))


@given(text=st.text(max_size=300))
def test_any_line(text: str) -> None:
    parse_line(text)
    parse_line("Nov 23 18:00:16 imap(li)<1><" + text + ">: Info: " + text)
    fields_of(text)
    read_session(text)


def test_real_log(corpora: Path) -> None:
    events, log = read(corpora / "stores" / "logs" / "dovecot.log")
    assert (log.declared, log.read, log.failed) == (168, 157, 0)
    counts: dict[Operation, int] = {}
    for event in events:
        counts[event.operation] = counts.get(event.operation, 0) + 1
    lines = (corpora / "stores" / "logs" / "dovecot.log").read_text().splitlines()
    for words, operation in (
        (": Info: expunge: ", Operation.EXPUNGE),
        (": Info: delete: ", Operation.MARK_DELETED),
        (": Info: save: ", Operation.SAVE),
        (": Info: copy from ", Operation.COPY),
        ("Info: Login: ", Operation.LOGIN),
        ("saved mail to", Operation.DELIVER),
        ("Mailbox created", Operation.FOLDER_CREATE),
        ("Mailbox deleted", Operation.FOLDER_DELETE),
    ):
        assert counts[operation] == sum(words in line for line in lines)
    for event in events:
        assert event.at is not None
        assert event.at.year == 2026
        if event.actor != "lmtp":
            assert event.client_ip == "127.0.0.1"
    assert "UTC+00:00" in notes(log)


def test_deliveries_of_postfix(corpora: Path) -> None:
    path = corpora / "stores" / "logs" / "postfix.log"
    assert identify(path).reader == "dovecot_log"
    events, _ = read(path)
    assert [(e.operation, e.mailbox, e.message_id) for e in events] == [
        (Operation.DELIVER, "bob@corp.example", "<pf.1@corp.example>"),
        (Operation.DELIVER, "bob@corp.example", "<pf.2@corp.example>"),
    ]
    assert events[0].detail is not None
    assert events[0].detail.startswith("queue id 4DE972CA2E9")
