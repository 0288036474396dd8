from __future__ import annotations

import shutil
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.readers import ReadLog, Source
from mailforensics.readers.mbox import MboxReader
from mailforensics.readers.mork import FolderIndex, read_index
from mailforensics.schema import Confidence, DeletionState, MessageRecord

INNER = Path("ImapMail") / "127.0.0.1"
GROUP = "@$${9{@\n{1:^80 {(k^96:c)(s=9)} - [-9]}[1:^9F(^A1=3)]\n@$$}9}@\n"


@pytest.fixture
def profile(corpora: Path, tmp_path: Path) -> Path:
    """A copy of the real profile, to be changed."""
    found = corpora / "stores" / "thunderbird" / "after-delete-before-compact" / INNER
    folder = tmp_path / INNER
    folder.mkdir(parents=True)
    for name in ("INBOX", "INBOX.msf"):
        shutil.copyfile(found / name, folder / name)
    return folder


def states(path: Path) -> tuple[list[tuple[DeletionState, Confidence | None]], ReadLog]:
    log = ReadLog()
    found = []
    for record in MboxReader().read(Source(path), log):
        assert isinstance(record, MessageRecord)
        log.count(record)
        found.append((record.deletion_state, record.confidence))
    assert log.balanced
    return found, log


LIVE = (DeletionState.LIVE, None)
STRUCK = (DeletionState.ORPHANED, Confidence.CERTAIN)
UNLISTED = (DeletionState.ORPHANED, Confidence.PROBABLE)


def test_index_of_a_real_profile(profile: Path) -> None:
    listed, struck = frozenset({0, 1543, 2349, 3961}), frozenset({737, 3155})
    assert read_index(profile / "INBOX.msf") == FolderIndex(listed, struck)


def test_deleted_on_the_server(profile: Path) -> None:
    found, log = states(profile / "INBOX")
    assert found == [LIVE, STRUCK, LIVE, LIVE, STRUCK, LIVE]
    assert any("lists 4 messages" in (row.detail or "") for row in log.rows())


def test_after_compaction_all_is_live(corpora: Path) -> None:
    found, _ = states(corpora / "stores" / "thunderbird" / "after-compact" / INNER / "INBOX")
    assert found == [LIVE] * 4


def test_without_an_index_nothing_is_called_deleted(profile: Path) -> None:
    (profile / "INBOX.msf").unlink()
    found, log = states(profile / "INBOX")
    assert found == [LIVE] * 6
    assert any("is missing" in (row.detail or "") for row in log.rows())


def test_an_index_of_another_state_of_the_file_is_not_believed(profile: Path) -> None:
    data = (profile / "INBOX").read_bytes()
    (profile / "INBOX").write_bytes(data[737:])
    found, _ = states(profile / "INBOX")
    assert found == [LIVE] * 5


def test_mail_behind_the_last_listed_message_may_be_newer(profile: Path) -> None:
    data = (profile / "INBOX").read_bytes()
    (profile / "INBOX").write_bytes(data + data[:737])
    found, _ = states(profile / "INBOX")
    assert found[6] == LIVE


def test_unlisted_in_the_middle_is_probable(profile: Path) -> None:
    path = profile / "INBOX.msf"
    text = path.read_text("latin-1")
    rewritten = text[: text.index("@$${4{@")].replace(" 8 9 A", " 9 A")
    start = rewritten.index("  [8(^88=80)")
    rewritten = rewritten[:start] + rewritten[rewritten.index("  [9(^88=80)") :]
    rewritten = rewritten.replace("[8:^80(^BD=21)]", "")
    path.write_text(rewritten, "latin-1")
    assert read_index(path) is None, "it lists fewer messages than it says that there are"
    path.write_text(rewritten.replace("(^A1=6)", "(^A1=5)"), "latin-1")
    found, _ = states(profile / "INBOX")
    assert found == [LIVE, UNLISTED, LIVE, LIVE, LIVE, LIVE]


@pytest.mark.parametrize(
    ("group", "believed"),
    [
        (GROUP, True),
        (GROUP.replace("@$$}9}@", ""), False),
        (GROUP.replace("@$$}9}@", "@$$}~~}@"), False),
    ],
)
def test_only_committed_changes_count(profile: Path, group: str, believed: bool) -> None:
    path = profile / "INBOX.msf"
    path.write_text(path.read_text("latin-1") + group, "latin-1")
    found, _ = states(profile / "INBOX")
    assert found[2] == (STRUCK if believed else LIVE)


@given(cut=st.integers(0, 4789), put=st.text("<>(){}[]^-=:@$\\/ 1A8k\n", max_size=30))
@settings(max_examples=80, deadline=None)
def test_damage_is_no_error(corpora: Path, cut: int, put: str) -> None:
    found = corpora / "stores" / "thunderbird" / "after-delete-before-compact" / INNER / "INBOX.msf"
    data = found.read_bytes()
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder) / "INBOX.msf"
        path.write_bytes(data[:cut] + put.encode() + data[cut:])
        read_index(path)
        path.write_bytes(data[:cut] + put.encode())
        read_index(path)
