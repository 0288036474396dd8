"""The standard library and fast_mail_parser read the same corpora; each difference is counted.

Where the standard library finds no fault, both must agree; where they differ, the reason stands
beside the number.
"""

from __future__ import annotations

import email
import email.policy
import hashlib
from email.errors import HeaderDefect
from email.utils import parsedate_to_datetime

import fast_mail_parser
import pytest

from mailforensics.mime import parse, read_message, read_nested
from mailforensics.schema import DEFECTS


@pytest.fixture(scope="module")
def blobs(corpora):
    paths = [path for path in (corpora / "eml").rglob("*") if path.is_file()]
    paths += [path for path in (corpora / "cjk").iterdir() if path.is_file()]
    return {str(path.relative_to(corpora)): path.read_bytes() for path in sorted(paths)}


def flat(text):
    return " ".join((text or "").split())


def std_subject(raw):
    """Return the subject, or None where the standard library finds fault with it."""
    try:
        message = email.message_from_bytes(raw, policy=email.policy.default)
        value = message["subject"]
    except (HeaderDefect, IndexError, AttributeError, ValueError):
        return None
    if value is None or value.defects or "\ufffd" in value:
        return None
    return str(value) if str(value).isprintable() else None


def std_files(part, found):
    """List digests of what the standard library holds for attachments, messages left unopened."""
    kind = part.get_content_type()
    if part.get_content_maintype() == "message":
        found.append(kind)
        return
    if part.is_multipart():
        for inner in part.get_payload():
            std_files(inner, found)
        return
    named = part.get_filename() or part.get_content_disposition() == "attachment"
    if named or part.get_content_maintype() != "text":
        data = part.get_payload(decode=True) or b""
        found.append(hashlib.sha256(data).hexdigest())


def test_nothing_crashes_and_nothing_is_unexplained(blobs):
    assert len(blobs) >= 1767
    for name, raw in blobs.items():
        records = read_nested(raw, source_ref=name)
        assert records[0].size == len(raw)
        for record in records:
            assert set(record.defects) <= set(DEFECTS)
            signs = (record.subject or "") + record.text + (record.from_name or "")
            if "\ufffd" in signs:
                assert "undecodable_text" in record.defects, name


def test_subjects(blobs):
    differ, same = [], 0
    for name, raw in blobs.items():
        theirs = std_subject(raw)
        if theirs is None:
            continue
        if flat(theirs) == flat(read_message(raw, source_ref="x").subject):
            same += 1
        else:
            differ.append(name)
    assert same >= 1500
    # One word that says UTF-8 and is none: the library shows its base64 instead.
    assert [name.rpartition("/")[2][:6] for name in differ] == ["af3a7f"]


def test_attachments(blobs):
    compared = files = 0
    differ = []
    for name, raw in blobs.items():
        message = email.message_from_bytes(raw)
        theirs: list[str] = []
        std_files(message, theirs)
        record = read_message(raw, source_ref="x")
        parts = parse(raw).parts
        mine = [
            part.media_type if part.media_type.startswith("message/") else one.sha256
            for one in record.attachments
            if not (part := parts[one.position - 1]).uu
        ]
        if {"boundary_not_found", "boundary_missing", "bad_header_line"} & set(record.defects):
            continue  # the library lists the whole body as one file, or stops at the odd line
        compared += 1
        files += len(theirs)
        if mine != theirs:
            differ.append(name)
    assert compared > 1600
    assert files > 500
    # Base64 with foreign signs (2) or without its end (1); the last line end of a part that no
    # boundary closes (2); a type that has a stray byte before it (1).
    assert len(differ) <= 6, differ


def test_dates(blobs):
    differ = []
    for name, raw in blobs.items():
        record = read_message(raw, source_ref="x")
        if record.date_header is None:
            continue
        try:
            theirs = parsedate_to_datetime(record.date_header)
        except (ValueError, TypeError, IndexError):
            continue
        if "0002 00:00:00" in record.date_header:  # the year 2: no date of any mail
            assert record.sent_at is None
            continue
        if record.sent_at is None or (
            record.sent_at.replace(tzinfo=None)
            != (theirs - (theirs.utcoffset() or theirs - theirs)).replace(tzinfo=None)
        ):
            differ.append((name, record.date_header))
    # Two dates in JST, a zone that the library takes for unknown; one on the 029th of a month.
    assert len(differ) <= 3, differ


def test_fast_mail_parser(blobs):
    same_subject = same_files = refused = compared = 0
    for raw in blobs.values():
        try:
            theirs = fast_mail_parser.parse_email(raw)
        except Exception:  # noqa: BLE001 - it has several kinds of error; all are refusals
            refused += 1
            continue
        record = read_message(raw, source_ref="x")
        compared += 1
        same_subject += flat(theirs.subject) == flat(record.subject)
        digests = {hashlib.sha256(one.content).hexdigest() for one in theirs.attachments}
        same_files += digests == {one.sha256 for one in record.attachments}
    assert refused < 30
    # It reads no headers after a From line, with CR alone or with odd lines among them, and does
    # not count unnamed parts as files.
    assert same_subject / compared > 0.93
    assert same_files / compared > 0.89


@pytest.mark.parametrize(
    ("part", "subject", "words"),
    [
        ("33ab29__mail_test_12", "代开各地增值税发票", "我公司可代开各类增值税发票"),
        ("0b05f1__testFOXMAIL", "欢迎使用 Foxmail 6.5 ！", "方便用户备忘、轻松管理各个事项"),
        ("Webklex_php-imap__b40936", "Nuu", "Hi"),
        ("3fffbe__lhost-kddi-01", "メールエラー通知", "送信先のメールボックスが一杯のため"),
        ("722d4e__lhost-ezweb-05", "Mail System Error - Returned Mail", "再送信を試みましたが"),
        ("b378bc__lhost-notes-01", "Undeliverable message", "エラー(テストメッセージとしての)"),
        ("8fd56b__failure", None, "次の受信者またはグループへの配信に失敗しました"),
        ("a7aebf__make-test-31", "メール送信エラー (Error message)", "宛先がみつかりませんでした"),
    ],
)
def test_east_asian_mail_is_readable(blobs, part, subject, words):
    (raw,) = (raw for name, raw in blobs.items() if name.startswith("cjk") and part in name)
    record = read_message(raw, source_ref="x")
    assert record.subject == subject
    assert words in record.text
    assert "\ufffd" not in record.text
