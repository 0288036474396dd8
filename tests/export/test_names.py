from __future__ import annotations

import re
import unicodedata
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailforensics.errors import ExportError
from mailforensics.export.names import DEVICES, Names, collision_key, legal, name_limit, shorten

TEXT = st.text(st.characters(exclude_categories=[]), max_size=300)
HOSTILE = st.sampled_from(
    ["CON", "nul.txt", "..", ". .", "a/b\\c", "\u202egpj.exe", "\ud800x", "\0", "é", "é", "A", "a"]
)
SUBJECTS = st.one_of(st.none(), HOSTILE, TEXT)
TIMES = st.one_of(st.none(), st.datetimes(timezones=st.just(UTC)))
IDS = st.text("0123456789abcdef", min_size=32, max_size=32)


def assert_legal(name: str, limit: int = 120) -> None:
    assert 0 < len(name.encode("utf-8")) <= limit
    assert not re.search(r'[<>:"/\\|?*\x00-\x1f\x7f]', name)
    assert name[-1] not in ". "
    assert name[0] not in ". "
    assert name.split(".", maxsplit=1)[0].rstrip().upper() not in DEVICES
    kinds = {unicodedata.category(sign) for sign in name}
    assert not kinds & {"Cc", "Cf", "Cs", "Cn", "Co", "Zl", "Zp"}
    assert unicodedata.is_normalized("NFC", name)


@given(SUBJECTS, TIMES, IDS)
def test_any_subject_gives_a_legal_name(
    subject: str | None, sent_at: datetime | None, item: str
) -> None:
    name = Names().take(subject, sent_at, item)
    assert_legal(name)
    assert name.endswith(f"_{item[:8]}.eml")


@given(TEXT, st.integers(8, 120))
def test_any_text_gives_a_legal_stem_or_none(text: str, limit: int) -> None:
    name = legal(text, limit)
    if name:
        assert_legal(name, limit)
        assert legal(name, limit) == name


@given(st.lists(st.tuples(SUBJECTS, TIMES, st.sampled_from(["a" * 32, "a" * 31 + "b"]))))
def test_names_never_collide_in_case_or_composition(
    rows: list[tuple[str | None, datetime | None, str]],
) -> None:
    names = Names()
    given_out = [names.take(*row) for row in rows]
    for form in ("NFC", "NFD"):
        keys = {unicodedata.normalize(form, name).casefold() for name in given_out}
        assert len(keys) == len(rows)


@given(st.lists(st.tuples(SUBJECTS, TIMES, IDS), min_size=2, max_size=6))
def test_names_sort_by_date_with_undated_ones_first(
    rows: list[tuple[str | None, datetime | None, str]],
) -> None:
    names = Names(timezone(timedelta(hours=8)))
    dated = sorted(
        (names.take(*row), row[1].timestamp() // 60 if row[1] else float("-inf")) for row in rows
    )
    assert [minute for _, minute in dated] == sorted(minute for _, minute in dated)


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("合同 HY-2026-0417", "2026-11-12_1742_合同_HY-2026-0417_1a2b3c4d.eml"),
        ("Re: Fwd: a/b", "2026-11-12_1742_Re_Fwd_a_b_1a2b3c4d.eml"),
        ("invoice\u202egpj.exe", "2026-11-12_1742_invoicegpj.exe_1a2b3c4d.eml"),
        ("  . . ", "2026-11-12_1742_no_subject_1a2b3c4d.eml"),
        (None, "2026-11-12_1742_no_subject_1a2b3c4d.eml"),
    ],
)
def test_names_are_readable(subject: str | None, expected: str) -> None:
    names = Names(ZoneInfo("Asia/Shanghai"))
    sent_at = datetime(2026, 11, 12, 9, 42, tzinfo=UTC)
    assert names.take(subject, sent_at, "1a2b3c4d" + "0" * 24) == expected


def test_undated_names_say_so() -> None:
    assert Names().take("x", None, "1a2b3c4d" * 4) == "0000-undated_x_1a2b3c4d.eml"


def test_device_names_are_defused_whatever_follows_the_dot() -> None:
    assert [legal(name) for name in ("con", "NUL.tar.gz", "LPT¹", "console")] == [
        "_con",
        "_NUL.tar.gz",
        "_LPT¹",
        "console",
    ]


def test_a_cut_name_keeps_letters_whole() -> None:
    assert shorten("華" * 50, 20) == "華" * 5 + "…"
    assert shorten("ab" + "q\u0323\u0323\u0323", 8) == "ab…"


def test_long_collisions_get_more_digits() -> None:
    names, item = Names(), "ab" * 16
    taken = [names.take("x", None, item) for _ in range(6)]
    assert [name.split("_")[-1] for name in taken[:3]] == [f"{item[:n]}.eml" for n in (8, 12, 16)]
    assert len({collision_key(name) for name in taken}) == 6


def test_a_deep_folder_shortens_names_and_a_deeper_one_is_refused(tmp_path: Path) -> None:
    folder = Path("/" + "d" * 180)
    limit = name_limit(folder)
    name = Names(limit=limit).take("x" * 200, None, "ab" * 16)
    assert len(str(folder / name)) < 260
    assert name_limit(Path("/short")) == 120
    with pytest.raises(ExportError, match="too long"):
        name_limit(Path("/" + "d" * 240))
