"""The sample incident: made again byte for byte, true in itself, and like life."""

from __future__ import annotations

import base64
import email
import email.policy
import gzip
import hashlib
import io
import ipaddress
import json
import mailbox
import os
import re
import shutil
import struct
import subprocess
import sys
import tarfile
import zipfile
from collections import Counter
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import dkim
import pandas as pd
import pypff
import pytest
import pytsk3

from mailforensics.pst.crypt import CryptMethod, encode
from tests.conftest import ROOT

SAMPLE = ROOT / "sample_data"
EVIDENCE = SAMPLE / "evidence"
CHINA = timezone(timedelta(hours=8))
MADE = ("evidence/", "truth.csv", "instances.csv", "truth.json", "case.json", "dkim-keys.json")
PERMUTE = encode(bytes(range(256)), CryptMethod.PERMUTE, 0)
ADDED = re.compile(
    rb"\A(X-Account-Key:[^\n]*\n|X-UIDL:[^\n]*\n|X-Mozilla-(Status2?|Keys):[^\n]*\n)+"
)


@pytest.fixture(scope="module")
def truth() -> pd.DataFrame:
    return pd.read_csv(SAMPLE / "truth.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def instances() -> pd.DataFrame:
    return pd.read_csv(SAMPLE / "instances.csv", dtype=str, keep_default_na=False)


@pytest.fixture(scope="module")
def image() -> bytes:
    with zipfile.ZipFile(EVIDENCE / "usb-stick.zip") as archive:
        assert archive.namelist() == ["usb-stick.img"]
        return archive.read("usb-stick.img")


def _members(name: str) -> dict[str, bytes]:
    with tarfile.open(EVIDENCE / name) as tar:
        return {
            entry.name: tar.extractfile(entry).read()
            for entry in tar.getmembers()
            if entry.isfile()
        }


def _thunderbird() -> list[tuple[str, int, bytes]]:
    """Read the profile with Python's mailbox module: path, status bits, bytes without additions."""
    found = []
    profile = EVIDENCE / "thunderbird-profile"
    for path in sorted(profile.rglob("*")):
        if not path.is_file() or not path.read_bytes().startswith(b"From - "):
            continue
        box = mailbox.mbox(path, create=False)
        for key in box.keys():  # noqa: SIM118 - a mailbox iterates over messages
            raw = box.get_bytes(key)
            status = int(re.search(rb"^X-Mozilla-Status: (\w+)", raw, re.M)[1], 16)
            plain = ADDED.sub(b"", raw).removesuffix(b"\r\n").replace(b"\n>From ", b"\nFrom ")
            found.append((path.relative_to(profile).as_posix(), status, plain))
        box.close()
    return found


def _on_stick(image: bytes) -> dict[str, tuple[bool, int, int]]:
    """Read the directories with The Sleuth Kit: path -> allocated, offset, size."""

    class Memory(pytsk3.Img_Info):
        def __init__(self) -> None:
            super().__init__(url="", type=pytsk3.TSK_IMG_TYPE_EXTERNAL)

        def read(self, offset: int, size: int) -> bytes:
            return image[offset : offset + size]

        def get_size(self) -> int:
            return len(image)

    start = struct.unpack_from("<I", image, 454)[0] * 512
    system = pytsk3.FS_Info(Memory(), offset=start)
    found: dict[str, tuple[bool, int, int]] = {}

    def walk(folder: pytsk3.Directory, path: str) -> None:
        for entry in folder:
            name = entry.info.name.name.decode("utf-8")
            if name in {".", ".."} or name.startswith("$") or entry.info.meta is None:
                continue
            if entry.info.meta.type == pytsk3.TSK_FS_META_TYPE_DIR:
                walk(entry.as_directory(), f"{path}{name}/")
            elif entry.info.meta.size:
                live = bool(entry.info.meta.flags & pytsk3.TSK_FS_META_FLAG_ALLOC)
                first = next(run.addr for attribute in entry for run in attribute)
                found[path + name] = (live, start + first * 512, entry.info.meta.size)

    walk(system.open_dir("/"), "")
    return found


# --- making it again ----------------------------------------------------------------------------


def _contents(path: Path) -> bytes:
    """Return the bytes, of packed files those inside: zlib versions pack differently."""
    data = path.read_bytes()
    if path.name.endswith(".tar.gz"):
        return gzip.decompress(data)
    if path.suffix == ".zip":
        with zipfile.ZipFile(io.BytesIO(data)) as archive:
            return b"".join(archive.read(entry) for entry in archive.infolist())
    return data


def _files(folder: Path) -> dict[str, str]:
    return {
        path.relative_to(folder).as_posix(): hashlib.sha256(_contents(path)).hexdigest()
        for path in sorted(folder.rglob("*"))
        if path.is_file() and path.relative_to(folder).as_posix().startswith(MADE)
    }


def test_the_script_makes_the_same_bytes_wherever_it_runs(tmp_path: Path) -> None:
    surroundings = {
        **os.environ, "TZ": "America/New_York", "PYTHONHASHSEED": "77", "LC_ALL": "C",
        "PYTHONPATH": str(ROOT), "PYTHONDONTWRITEBYTECODE": "1",
    }  # fmt: skip
    command = [sys.executable, "-m", "sample_data.make", str(tmp_path / "out")]
    subprocess.run(command, check=True, env=surroundings, cwd=tmp_path, capture_output=True)
    assert _files(tmp_path / "out") == _files(SAMPLE)


def test_nothing_is_large() -> None:
    sizes = [path.stat().st_size for path in SAMPLE.rglob("*") if path.is_file()]
    assert max(sizes) < 2_000_000
    assert sum(sizes) < 4_000_000


# --- the truth is true --------------------------------------------------------------------------


def test_every_copy_in_thunderbird_is_there(instances: pd.DataFrame) -> None:
    mine = instances[instances.evidence_id == "E01"]
    expected = Counter(zip(mine.path, mine.state == "marked_deleted", mine.sha256, strict=True))
    found = Counter(
        (path, bool(status & 8), hashlib.sha256(raw).hexdigest())
        for path, status, raw in _thunderbird()
    )
    assert found == expected


@pytest.mark.parametrize(
    ("evidence", "name"), [("E02", "maildir-monday.tar.gz"), ("E03", "maildir-friday.tar.gz")]
)
def test_every_copy_on_the_server_is_there(
    instances: pd.DataFrame, evidence: str, name: str
) -> None:
    mine = instances[(instances.evidence_id == evidence) & (instances.sha256 != "")]
    members = _members(name)
    mails = {path for path in members if "/cur/" in path or "/new/" in path}
    assert set(mine.path) == mails
    for row in mine.itertuples():
        raw = members[row.path]
        assert hashlib.sha256(raw).hexdigest() == row.sha256
        sizes = re.search(r",S=(\d+),W=(\d+)", row.path).groups()
        assert sizes == (str(len(raw)), str(len(raw) + raw.count(b"\n")))


def test_uid_lists_name_every_file_and_two_that_are_gone() -> None:
    stale = 0
    for name in ("maildir-monday.tar.gz", "maildir-friday.tar.gz"):
        members = _members(name)
        files = {path.rpartition("/")[2].partition(":")[0] for path in members if "/cur/" in path}
        files |= {path.rpartition("/")[2] for path in members if "/new/" in path}
        listed = set()
        for path, data in members.items():
            if path.endswith("dovecot-uidlist"):
                head, *lines = data.decode().splitlines()
                uids = [int(line.split()[0]) for line in lines]
                assert uids == sorted(set(uids))
                assert int(re.search(r"N(\d+)", head)[1]) > max(uids, default=0)
                listed |= {line.partition(":")[2] for line in lines}
        assert files <= listed
        stale += len(listed - files)
    assert stale == 2


def test_monday_and_friday_differ_as_the_truth_says(truth: pd.DataFrame) -> None:
    def ids(name: str) -> set[str]:
        mails = [
            data for path, data in _members(name).items() if "/cur/" in path or "/new/" in path
        ]
        return {re.search(rb"^Message-ID: (<.*>)", raw, re.M)[1].decode() for raw in mails}

    monday, friday = ids("maildir-monday.tar.gz"), ids("maildir-friday.tar.gz")
    states = truth.expected_states.str
    absent = set(truth[states.contains("E02:absent_later") & ~states.contains("E03:")].message_id)
    assert monday - friday == absent
    assert len(absent) > 50
    assert friday - monday, "new mail came in between"


def test_every_whole_copy_lies_on_the_stick(instances: pd.DataFrame, image: bytes) -> None:
    mine = instances[instances.evidence_id == "E04"]
    entries = _on_stick(image)
    for path, rows in mine.groupby("path"):
        live, offset, size = entries[path.removeprefix("usb-stick.img/")]
        stored = image[offset : offset + size]
        assert live == (set(rows.state) == {"live"})
        if path.endswith(".mbox"):
            pieces = re.split(rb"(?:\A|(?<=\r\n\r\n))From \S+@[^\r\n]* 20\d\d\r\n", stored)[1:]
            whole = {hashlib.sha256(raw.removesuffix(b"\r\n")).hexdigest() for raw in pieces}
            assert set(rows.sha256) - {""} == whole & set(rows.sha256)
            assert (rows.completeness == "partial").sum() == 1
        elif set(rows.completeness) == {"complete"}:
            assert hashlib.sha256(stored).hexdigest() == rows.sha256.iloc[0]
        else:
            begin = re.search(rb"^Message-ID: (<.*>)", stored, re.M)[1].decode()
            assert begin == rows.place.iloc[0]
            torn = stored[2 * 2048 : 3 * 2048]
            assert re.search(rb"[^A-Za-z0-9+/=\r\n-]", torn), "other bytes lie where base64 was"
            assert re.fullmatch(rb"[A-Za-z0-9+/=\r\n]+", stored[2 * 2048 - 200 : 2 * 2048])


def _shown_by_outlook() -> Iterator[tuple[str, pypff.message]]:
    """Read the folders of the archive with libpff: name of the folder, message."""
    file = pypff.file()
    file.open(str(EVIDENCE / "outlook-archive.pst"))
    folders = [file.get_root_folder()]
    for folder in folders:
        folders += folder.sub_folders
        yield from ((folder.name, message) for message in folder.sub_messages)
    file.close()


def _said_in_outlook(message: pypff.message) -> tuple[str, str, str]:
    """Return the Message-ID and the digests of body and attachments."""
    name = re.search(r"^Message-ID: (<.*>)", message.transport_headers, re.M)[1]
    text = message.plain_text_body.decode("utf-8")
    entries = [message.get_attachment(at) for at in range(message.number_of_attachments)]
    files = [_digest(entry.read_buffer(entry.get_size())) for entry in entries]
    return name, _digest(" ".join(text.split()).encode()), " ".join(sorted(files))


def _digest(data: bytes) -> str:
    return hashlib.sha256(data).hexdigest()


def test_every_copy_that_outlook_shows_is_there(
    truth: pd.DataFrame, instances: pd.DataFrame
) -> None:
    shown = instances[(instances.evidence_id == "E06") & (instances.state != "orphaned")]
    held = shown.merge(truth, on="truth_id")
    found = [(folder, *_said_in_outlook(message)) for folder, message in _shown_by_outlook()]
    assert sorted(found) == sorted(
        zip(held.path, held.message_id, held.body_sha256, held.attachments_sha256, strict=True)
    )
    assert (shown.path == "已删除邮件").sum() == (shown.state == "in_deleted_folder").sum() > 3


def test_what_outlook_lost_still_lies_in_the_file_or_in_part(
    truth: pd.DataFrame, instances: pd.DataFrame
) -> None:
    data = (EVIDENCE / "outlook-archive.pst").read_bytes()
    mails = _members("maildir-monday.tar.gz").values()
    mails = [*mails, *(raw for _, _, raw in _thunderbird())]
    gone = instances[(instances.evidence_id == "E06") & (instances.state == "orphaned")]
    assert gone.completeness.value_counts().to_dict() == {"complete": 13, "partial": 3}
    for row in gone.merge(truth, on="truth_id").itertuples():
        needle = f"\nMessage-ID: {row.message_id}".encode()
        message = email.message_from_bytes(
            next(raw for raw in mails if needle in raw), policy=email.policy.default
        )
        assert f"Message-ID: {row.message_id}".encode("utf-16-le").translate(PERMUTE) in data
        files = [part.get_payload(decode=True) for part in message.iter_attachments()]
        assert files or row.completeness == "complete"
        for file in files:
            assert (file.translate(PERMUTE) in data) == (row.completeness == "complete")


def test_what_has_only_traces_lies_nowhere(truth: pd.DataFrame, image: bytes) -> None:
    traces = [name for name in truth[truth.expected_recovery == "traces"].message_id if name]
    assert len(traces) == 3
    texts = [raw for _, _, raw in _thunderbird()] + [image]
    for name in ("maildir-monday.tar.gz", "maildir-friday.tar.gz"):
        texts += _members(name).values()
    for name in traces:
        needle = b"Message-ID: " + name.encode()
        assert not any(needle in text for text in texts)


def test_the_key_letter_is_known_by_an_answer_and_the_log(truth: pd.DataFrame) -> None:
    (row,) = truth[truth.what_was_done.str.startswith("key ")].to_dict("records")
    log = (EVIDENCE / "mail-server.log").read_text(encoding="utf-8")
    lines = [line for line in log.splitlines() if row["message_id"] in line]
    assert [re.search(r": (save|delete|expunge): ", line)[1] for line in lines] == [
        "save", "delete", "expunge",
    ]  # fmt: skip
    answers = [raw for _, _, raw in _thunderbird() if row["message_id"].encode() in raw]
    assert any(b"accepts the penalty of EUR 18,640" in raw for raw in answers)


def test_the_numbers_follow_from_the_rows(truth: pd.DataFrame, instances: pd.DataFrame) -> None:
    told = json.loads((SAMPLE / "truth.json").read_text(encoding="utf-8"))
    deleted = truth[truth.deleted == "yes"]
    assert told["messages"] == len(truth) == truth.truth_id.nunique()
    assert told["deleted"]["total"] == len(deleted)
    for kind in ("whole", "part", "traces"):
        assert told["deleted"][kind] == (deleted.expected_recovery == kind).sum()
    assert sum(told["deleted"]["by_state"].values()) == len(deleted)
    for evidence, states in told["copies"].items():
        mine = instances[instances.evidence_id == evidence].state.value_counts().to_dict()
        assert mine == states
    digests = {digest for cell in truth.sha256 for digest in cell.split()}
    assert digests <= set(instances.sha256)
    assert (truth.why_en != "").all()
    assert (truth.why_zh != "").all()


def test_the_rule_of_deletion_holds_row_by_row(
    truth: pd.DataFrame, instances: pd.DataFrame
) -> None:
    recipe = json.loads((SAMPLE / "case.json").read_text(encoding="utf-8"))
    owner = {f"E{place:02d}": item["custodian"] for place, item in enumerate(recipe["evidence"], 1)}
    old = {item["supersedes"] for item in recipe["evidence"] if "supersedes" in item}
    now = instances[~(instances.evidence_id.isin(old) & (instances.state == "live"))]
    now = now.assign(owner=now.evidence_id.map(owner))
    gone = now.groupby(["truth_id", "owner"]).state.agg(lambda states: "live" not in set(states))
    named = gone[gone].reset_index()
    named = named.groupby("truth_id").owner.agg(lambda names: "; ".join(sorted(names)))
    stale = truth[truth.message_id == ""]
    expected = truth[(truth.deleted == "yes") & ~truth.truth_id.isin(stale.truth_id)]
    assert dict(zip(expected.truth_id, expected.custodians, strict=True)) == {
        key: value for key, value in named.items() if not key.startswith("stale")
    }


# --- it is mail ---------------------------------------------------------------------------------


def _all_mail(image: bytes) -> dict[str, bytes]:
    """Return every whole message once a copy, by digest."""
    raws = [raw for _, _, raw in _thunderbird()]
    for name in ("maildir-monday.tar.gz", "maildir-friday.tar.gz"):
        raws += [
            data for path, data in _members(name).items() if "/cur/" in path or "/new/" in path
        ]
    raws += [
        image[offset : offset + size]
        for path, (live, offset, size) in _on_stick(image).items()
        if path.endswith(".eml") and live
    ]
    return {hashlib.sha256(raw).hexdigest(): raw for raw in raws}


def test_every_message_parses_without_a_defect(image: bytes) -> None:
    kinds: Counter[str] = Counter()
    for raw in _all_mail(image).values():
        message = email.message_from_bytes(raw, policy=email.policy.default)
        for part in message.walk():
            assert not part.defects, (message["Message-ID"], part.defects)
            kinds[part.get_content_type()] += 1
            if part.get_content_type() == "application/pdf":
                data = part.get_payload(decode=True)
                assert data.startswith(b"%PDF-1.4")
                assert data.endswith(b"%%EOF\n")
            if part.get_content_type().endswith("spreadsheetml.sheet"):
                assert zipfile.ZipFile(io.BytesIO(part.get_payload(decode=True))).testzip() is None
        when = message["Date"].datetime
        assert datetime(2024, 11, 1, tzinfo=UTC) < when < datetime(2026, 11, 14, tzinfo=UTC)
    for kind in ("text/calendar", "text/csv", "image/png", "application/pdf", "text/html"):
        assert kinds[kind] > 0


def test_every_signature_of_nordwind_verifies(image: bytes) -> None:
    (key,) = json.loads((SAMPLE / "dkim-keys.json").read_text(encoding="utf-8"))
    record = key["txt"].encode()
    asked = {f"{key['selector']}._domainkey.{key['domain']}.".encode()}
    count = 0
    for raw in _all_mail(image).values():
        if b"\nDKIM-Signature:" not in raw:
            assert b"@nordwind.example>\n" not in re.search(rb"From: .*\n", raw)[0]
            continue

        def answer(name: bytes, timeout: int = 5) -> bytes:
            assert name in asked
            return record

        whole = raw if b"\r\n" in raw else raw.replace(b"\n", b"\r\n")
        assert dkim.verify(whole, dnsfunc=answer)
        assert not dkim.verify(whole.replace(b"Dear", b"Deer", 1), dnsfunc=answer) or (
            b"Dear" not in whole
        )
        count += 1
    assert count > 30


def test_character_sets_are_those_of_life(image: bytes) -> None:
    labels: Counter[str] = Counter()
    beyond = 0
    for raw in _all_mail(image).values():
        message = email.message_from_bytes(raw)
        for part in message.walk():
            label = (part.get_content_charset() or "").lower()
            labels[label] += 1
            if label == "gb2312":
                text = part.get_payload(decode=True).decode("gb18030")
                beyond += any(not _in_gb2312(sign) for sign in text)
    assert {"utf-8", "gb18030", "gbk", "gb2312", "big5", "iso-2022-jp", "us-ascii"} <= set(labels)
    assert beyond > 5, "mail labelled gb2312 holds signs that gb2312 lacks"


def _in_gb2312(sign: str) -> bool:
    try:
        sign.encode("gb2312")
    except UnicodeEncodeError:
        return False
    return True


def test_everything_is_invented(image: bytes) -> None:
    packed = {".gz", ".zip", ".pst"}
    texts = [
        path.read_bytes()
        for path in EVIDENCE.rglob("*")
        if path.suffix not in packed and path.is_file()
    ]
    texts += [*_all_mail(image).values(), image]
    texts += [message.transport_headers.encode() for _, message in _shown_by_outlook()]
    nets = [ipaddress.ip_network(net) for net in
            ("10.0.0.0/8", "192.0.2.0/24", "198.51.100.0/24", "203.0.113.0/24")]  # fmt: skip
    for text in texts:
        for domain in re.findall(rb"@([A-Za-z0-9-]+\.[A-Za-z0-9.-]*[A-Za-z])", text):
            assert domain.endswith(b".example"), domain
        for found in set(re.findall(rb"(?<![\d.=])(\d{1,3}(?:\.\d{1,3}){3})(?![\d.])", text)):
            address = ipaddress.ip_address(found.decode())
            assert any(address in net for net in nets), found


# --- the log and the stick ----------------------------------------------------------------------


def test_session_names_hold_time_port_and_address() -> None:
    log = (EVIDENCE / "mail-server.log").read_text(encoding="utf-8")
    logins = re.findall(
        r"^(\w+ \d\d [\d:]+) \w+-login: Info: Login: .* rip=([\d.]+), .* session=<(.*)>$", log, re.M
    )
    assert len(logins) > 100
    for stamp, address, name in logins:
        data = base64.b64decode(name + "=" * (-len(name) % 4))
        micro = int.from_bytes(data[:6], "little")
        when = datetime.strptime(f"2026 {stamp} +0800", "%Y %b %d %H:%M:%S %z")
        assert micro // 10**6 == int(when.timestamp()) % 2**48 or (
            abs(micro - int(when.timestamp()) * 10**6 % 2**48) < 10**6
        )
        assert ".".join(map(str, data[8:])) == address
        assert int.from_bytes(data[6:8], "little") >= 49152


def test_the_log_is_in_order_and_shows_the_burst(truth: pd.DataFrame) -> None:
    lines = (EVIDENCE / "mail-server.log").read_text(encoding="utf-8").splitlines()
    stamps = [line[:15] for line in lines]
    assert stamps == sorted(stamps)
    told = json.loads((SAMPLE / "truth.json").read_text(encoding="utf-8"))["burst"]
    (session,) = {
        re.search(r"session=<(.*)>", line)[1]
        for line in lines
        if line.startswith("Nov 12 17:41") and f"rip={told['from']}," in line
    }
    burst = [line for line in lines if f"<{session}>: Info: expunge:" in line]
    assert len(burst) == told["total"]
    assert {line[7:12] for line in burst} == {"17:42", "17:43"}
    ids = {re.search(r"msgid=(<[^>]*>)", line)[1] for line in burst}
    assert ids == set(truth[truth.what_was_done.str.contains("burst")].message_id)
    others = [line for line in lines if "expunge:" in line and session not in line]
    assert len(others) > 15


@pytest.mark.skipif(shutil.which("fsck.fat") is None, reason="fsck.fat is not on this machine")
def test_the_file_system_is_sound(image: bytes, tmp_path: Path) -> None:
    start = struct.unpack_from("<I", image, 454)[0] * 512
    path = tmp_path / "partition.img"
    path.write_bytes(image[start:])
    done = subprocess.run(
        ["fsck.fat", "-n", str(path)], capture_output=True, text=True, check=False
    )
    assert done.returncode == 0, done.stdout
    assert "files" in done.stdout


# --- it looks like life -------------------------------------------------------------------------


def test_people_work_on_working_days(truth: pd.DataFrame) -> None:
    ours = truth[truth.from_addr.str.endswith("@huayang.example")]
    when = pd.to_datetime(ours.sent_at).dt.tz_convert("Asia/Shanghai")
    assert set(when.dt.day_of_week) == {0, 1, 2, 3, 4}
    assert when.dt.hour.between(7, 18).all()
    feast = when[(when >= "2026-02-15") & (when < "2026-02-24")]
    assert feast.empty
    months = when.dt.strftime("%Y-%m").nunique()
    assert months == 25
    assert len(truth) > 400
    assert (truth.topic == "dispute").mean() < 0.25
