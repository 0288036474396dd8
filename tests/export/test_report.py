from __future__ import annotations

import io
import re
import shutil
import string
import struct
import subprocess
import zlib
from dataclasses import dataclass
from datetime import UTC, datetime
from html.parser import HTMLParser
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailforensics.errors import ExportError, WouldOverwrite
from mailforensics.export import export
from mailforensics.export.report import LANGUAGES, report
from mailforensics.export.report.texts import Texts
from mailforensics.export.report.wording import flat, size, time, visible
from mailforensics.schema import (
    CHECKS,
    DELETED_STATES,
    EVENTS,
    READS,
    Completeness,
    Confidence,
    DeletedAtKind,
    DeletionState,
    RawKind,
    table_of,
)
from tests.export.conftest import SENT, Evidence, mail, opened, record

MADE = datetime(2026, 11, 16, 1, 2, 3, tzinfo=UTC)
HOSTILE = [
    "<script>alert(1)</script>",
    '"><img src=x onerror=alert(1)>',
    "' onmouseover='alert(1)",
    "javascript:alert(1)",
    "</td></table></body></html><iframe src=//evil.example>",
    "</style><script>x</script>",
    "{{ 7*7 }} {% raw %}",
    "a\u202egpj.exe\u2066\u200f\ufeff",
    "nul\0 bell\x07 \x1b[31m",
    "<!-- --> ]]> &amp; &#60;",
]


@dataclass
class Headline:
    total: int = 3
    whole: int = 2
    in_part: int = 0
    traces_only: int = 1
    still_live: int = 1
    sentence: str = "3 messages are deleted."


@dataclass
class Figure:
    title: str
    sentence: str

    def png(self) -> bytes:
        def chunk(kind: bytes, data: bytes) -> bytes:
            check = struct.pack(">I", zlib.crc32(kind + data))
            return struct.pack(">I", len(data)) + kind + data + check

        head = struct.pack(">IIBBBBB", 1, 1, 8, 0, 0, 0, 0)
        body = chunk(b"IHDR", head) + chunk(b"IDAT", zlib.compress(b"\0\0")) + chunk(b"IEND", b"")
        return b"\x89PNG\r\n\x1a\n" + body


@dataclass
class Told:
    title: str = "Order of dates"
    proves: str = "The times agree."
    does_not_prove: str = "That the clocks were right."


def frame(schema: Any, *rows: dict[str, Any]) -> pd.DataFrame:
    return opened(
        table_of(schema, {name: [row.get(name) for row in rows] for name in schema.names})
    )


def case(subjects: list[str], **fields: Any) -> Evidence:
    defaults = {
        "deletion_state": DeletionState.ABSENT_LATER,
        "deletion_basis": "In E01, not in E02",
        "confidence": "certain",
        "sent_at": SENT,
        "deleted_at": SENT,
        "deleted_at_kind": "exact",
        "deleted_by": "zhao.min",
        "folder": "INBOX/合同",
    }
    made = [
        (record(str(n), mail(str(n)), subject=subject, **(defaults | fields)), mail(str(n)))
        for n, subject in enumerate(subjects)
    ]
    return Evidence(*made)


def write(path: Path, evidence: Evidence, **options: Any) -> str:
    arguments: dict[str, Any] = {
        "case_info": {"name": "Huayang Valve", "examiner": "Wang Wei"},
        "summary": Headline(),
        "deleted": evidence.messages,
        "messages": evidence.messages,
        "reads": frame(READS),
        "checks": frame(CHECKS),
        "evidence": evidence.evidence,
        "tz": "Asia/Shanghai",
        "made_at": MADE,
    }
    report(path, **(arguments | options))
    return path.read_text(encoding="utf-8")


class Page(HTMLParser):
    """What a browser would make of the page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.words: list[str] = []
        self.open: list[str] = []
        self.feed(text)
        self.close()
        assert self.open == [], f"not closed: {self.open}"

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in {"meta", "img", "br", "col"}:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.words.append(data)

    @property
    def text(self) -> str:
        return " ".join(" ".join(self.words).split())


def hostile_everywhere(path: Path, evil: str) -> str:
    evidence = case([evil], from_name=evil, folder=evil, deleted_by=evil, deletion_basis=evil)
    evidence.evidence["description"] = evil
    evidence.evidence["name"] = evil
    item = evidence.messages["item_id"].iloc[0]
    check = {"item_id": item, "check": evil, "status": "fail", "summary": evil, "detail": evil}
    fault = {"row_kind": "failed", "failed": 1, "source_ref": evil, "reason": evil, "detail": evil}
    event = {"event_id": "1", "operation": "expunge", "actor": evil, "client_ip": evil}
    return write(
        path,
        evidence,
        checks=frame(CHECKS, check),
        reads=frame(READS, {"row_kind": "source", "declared": 1, "failed": 1}, fault),
        events=frame(EVENTS, event),
        custody=[{"row": 1, "at": evil, "actor": evil, "action": evil, "detail": {evil: [evil]}}],
        charts=[Figure(evil, evil)],
        notes=evil,
        case_info={"name": evil, "examiner": evil, "question": evil},
        summary=Headline(sentence=evil),
    )


@pytest.mark.parametrize("evil", HOSTILE)
def test_nothing_from_evidence_comes_alive(tmp_path: Path, evil: str) -> None:
    harmless = Page(hostile_everywhere(tmp_path / "a.html", "harmless"))
    page = Page(hostile_everywhere(tmp_path / "b.html", evil))
    assert [tag for tag, _ in page.tags] == [tag for tag, _ in harmless.tags]
    assert [set(attrs) for _, attrs in page.tags] == [set(attrs) for _, attrs in harmless.tags]
    assert page.text.count(" ".join(visible(evil).split())) >= 15


def test_nothing_is_loaded_run_or_linked_outside(tmp_path: Path) -> None:
    page = Page(hostile_everywhere(tmp_path / "a.html", HOSTILE[4]))
    for tag, attrs in page.tags:
        assert tag not in {"script", "iframe", "object", "link", "form", "input", "base"}
        assert not any(
            name.startswith("on") or (name == "style" and tag != "col") for name in attrs
        )
        assert (attrs.get("href") or "#").startswith("#")
        assert (attrs.get("src") or "data:image/png;base64,").startswith("data:image/png;base64,")
    policy = next(attrs["content"] for tag, attrs in page.tags if "http-equiv" in attrs)
    assert policy is not None
    assert policy.startswith("default-src 'none'")
    assert "url(" not in (tmp_path / "a.html").read_text(encoding="utf-8")


@given(st.text(st.characters(exclude_categories=[])))
def test_visible_text_has_no_unseen_signs(text: str) -> None:
    shown = visible(text)
    assert not re.search(
        "[\u0000-\u0008\u000b-\u001f\u007f-\u009f\u200e\u200f\u202a-\u202e]", shown
    )
    assert not re.search("[\u2028\u2029\u2066-\u2069\ufeff\u00ad]", shown)
    shown.encode("utf-8")


def test_a_picture_says_what_it_shows(tmp_path: Path) -> None:
    said = "60 messages were removed in 3 minutes."
    text = write(tmp_path / "a.html", case(["x"]), charts=[Figure("One afternoon", said)])
    page = Page(text)
    (image,) = (attrs for tag, attrs in page.tags if tag == "img")
    assert image["alt"] == said
    assert page.text.count(said) == 1


def test_the_same_arguments_give_the_same_bytes(tmp_path: Path) -> None:
    evidence = case(["b", "a", "c"])
    first = write(tmp_path / "a.html", evidence)
    evidence.messages = evidence.messages.iloc[::-1]
    assert write(tmp_path / "b.html", evidence) == first
    assert write(tmp_path / "c.html", evidence, made_at=MADE.replace(year=2027)) != first


def test_a_report_is_never_overwritten(tmp_path: Path) -> None:
    write(tmp_path / "a.html", case(["x"]))
    before = (tmp_path / "a.html").read_bytes()
    with pytest.raises(WouldOverwrite):
        write(tmp_path / "a.html", case(["y"]))
    assert (tmp_path / "a.html").read_bytes() == before


def test_what_is_left_out_of_a_long_table_is_said(tmp_path: Path) -> None:
    text = write(tmp_path / "a.html", case([f"subject-{n}" for n in range(30)]), most_rows=10)
    page = Page(text)
    assert (
        "The first 10 of 30 are listed; the rest are in the table of deleted messages" in page.text
    )
    assert len(set(re.findall(r"subject-\d+", text))) == 10


def test_a_long_text_is_cut_and_says_so(tmp_path: Path) -> None:
    text = write(tmp_path / "a.html", case(["x" * 1000]))
    assert "x" * 400 + "… (600 more characters)" in text


def test_only_the_best_copy_of_what_is_live_nowhere_is_listed(tmp_path: Path) -> None:
    evidence = case(["best copy", "second copy", "still there"])
    deleted = evidence.messages.assign(best=[True, False, True], still_live=[False, False, True])
    page = Page(write(tmp_path / "a.html", evidence, deleted=deleted))
    assert "best copy" in page.text
    assert "second copy" not in page.text
    assert "still there" not in page.text
    assert "1 more deleted copy is of a message that still exists" in page.text


def test_the_first_page_tells_what_when_who_and_what_is_unknown(tmp_path: Path) -> None:
    events = frame(
        EVENTS,
        {"event_id": "1", "operation": "expunge", "client_ip": "10.0.4.17", "at": SENT},
        {"event_id": "2", "operation": "login", "client_ip": "10.9.9.9", "at": SENT},
    )
    reads = frame(
        READS,
        {"evidence_id": "E01", "row_kind": "source", "declared": 9, "read": 6, "failed": 2},
    )
    text = Page(write(tmp_path / "a.html", case(["x"]), events=events, reads=reads)).text
    for words in (
        "3 messages are deleted.",
        "The moment of deletion is known for 1 message: 2026-11-12 17:42:07 +08:00.",
        "1 message was deleted under the account zhao.min.",
        "The deletions in the logs came from 10.0.4.17.",
        "Of 1 message only traces exist",
        "2 items of the evidence could not be read (section 3).",
        "The count of 1 source does not balance (section 3).",
        "9 items declared = 6 read + 2 failed + 0 left out.",
        "Nothing has been exported yet.",
    ):
        assert words in text
    assert "10.9.9.9" not in text


def test_what_the_evidence_does_not_say_is_not_made_up(tmp_path: Path) -> None:
    evidence = case(["x"], deleted_at=None, deleted_by=None, sent_at=None, deleted_at_kind=None)
    text = Page(write(tmp_path / "a.html", evidence)).text
    assert "does not say when" in text
    assert "does not say who" in text
    assert "date unknown" in text
    assert "1970" not in text


def test_checks_say_what_they_prove_and_what_they_do_not(tmp_path: Path) -> None:
    evidence = case(["Contract"])
    checks = frame(
        CHECKS,
        {"check": "date_order", "status": "pass", "summary": "The dates are in order."},
        {
            "check": "date_order",
            "status": "warn",
            "item_id": evidence.messages["item_id"].iloc[0],
            "summary": "Received before it was sent.",
        },
    )
    told = {"date_order": Told()}
    text = Page(write(tmp_path / "a.html", evidence, checks=checks, explanations=told)).text
    assert "Order of dates look at this The dates are in order." in text
    assert "Proves The times agree. Does not prove That the clocks were right." in text
    assert "Received before it was sent." in text


def test_a_check_of_one_evidence_item_says_its_sentence(tmp_path: Path) -> None:
    row = {"check": "unchanged", "evidence_id": "E01", "status": "pass", "summary": "As added."}
    text = Page(write(tmp_path / "a.html", case(["x"]), checks=frame(CHECKS, row))).text
    assert "Unchanged passed As added." in text


def test_exports_and_custody_are_listed(tmp_path: Path) -> None:
    evidence = case(["Contract"])
    done = export(evidence.messages, tmp_path / "out", form="eml", **evidence.arguments)
    custody = [{"row": 1, "at": "2026-11-16T01:00:00+00:00", "actor": "W", "action": "added"}]
    page = Page(
        write(tmp_path / "a.html", evidence, exports=done.rows, custody=custody, custody_faults=[])
    )
    assert done.rows["sha256"].iloc[0] in page.text
    assert "same as in the evidence" in page.text
    assert "2026-11-16 09:00:00 +08:00" in page.text
    assert "The chain of hashes holds" in page.text


@pytest.mark.parametrize("language", ["en", "zh"])
def test_an_empty_case_still_gives_a_report(tmp_path: Path, language: str) -> None:
    empty = pd.DataFrame()
    report(
        tmp_path / "a.html",
        case_info={},
        summary=Headline(0, 0, 0, 0, 0, "No message in this evidence is deleted."),
        deleted=empty,
        reads=empty,
        checks=empty,
        evidence=empty,
        language=language,
        made_at=MADE,
    )
    page = Page((tmp_path / "a.html").read_text(encoding="utf-8"))
    assert Texts(language)("findings_none") in page.text
    assert Texts(language)("unknown_unchecked") in page.text


def test_wrong_wishes_are_told(tmp_path: Path) -> None:
    with pytest.raises(ExportError, match="en, zh"):
        write(tmp_path / "a.html", case(["x"]), language="tlh")
    with pytest.raises(ExportError, match="time zone"):
        write(tmp_path / "a.html", case(["x"]), tz="Mars/Base")
    assert not list(tmp_path.iterdir())


def test_both_languages_say_the_same_with_the_same_values() -> None:
    def names(text: str) -> set[str]:
        return {name for _, name, _, _ in string.Formatter().parse(text) if name}

    english, chinese = LANGUAGES["en"], LANGUAGES["zh"]
    assert set(english) == set(chinese)
    for key, text in english.items():
        for form in text.split("|"):
            assert names(form) <= names(chinese[key]), key
        assert names(chinese[key]) <= names(text), key


def test_every_word_of_the_vocabularies_is_known() -> None:
    texts = LANGUAGES["en"]
    for kind, values in {
        "state": DeletionState,
        "explain": DELETED_STATES,
        "confidence": Confidence,
        "completeness": Completeness,
        "raw": RawKind,
        "at": DeletedAtKind,
    }.items():
        assert all(f"{kind}.{value}" in texts for value in values)


def test_values_in_words() -> None:
    assert time(SENT, ZoneInfo("America/New_York")) == "2026-11-12 04:42:07\u00a0-05:00"
    assert [size(n) for n in (None, 999, 1000, 16_777_216)] == [
        "",
        "999 bytes",
        "1.0 KB",
        "16.8 MB",
    ]
    assert flat({"a": [1, None, {"b": "c"}], "d": True}) == "a: 1, , b: c; d: true"


@pytest.mark.browser
def test_it_prints_on_a4_with_a_first_page_of_its_own(tmp_path: Path) -> None:
    chromium = shutil.which("chromium") or shutil.which("chromium-browser")
    if not chromium:
        pytest.skip("Chromium is not on this machine")
    write(tmp_path / "a.html", case([f"合同 {n}" for n in range(40)]), charts=[Figure("T", "S")])
    flags = ["--headless", "--no-sandbox", "--disable-gpu", "--disable-quic", "--no-first-run"]
    flags += ["--disable-background-networking", "--disable-component-update", "--disable-sync"]
    flags += [f"--user-data-dir={tmp_path / 'profile'}", "--no-pdf-header-footer"]
    target = tmp_path / "a.pdf"
    command = [chromium, *flags, f"--print-to-pdf={target}", (tmp_path / "a.html").as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=60)
    data = target.read_bytes()
    pages = len(re.findall(rb"/Type\s*/Page\b", data))
    boxes = set(re.findall(rb"/MediaBox\s*\[0 0 ([\d.]+) ([\d.]+)\]", data))
    assert pages >= 5
    assert {(round(float(w)), round(float(h))) for w, h in boxes} == {(595, 842)}
    if shutil.which("pdftotext"):
        first, second = (printed(target, number) for number in (1, 2))
        assert "What remains unknown" in first
        assert "Notes of the examiner" in first
        assert "One row for each deleted message" in second
        assert "What is left" in printed(target, 3), "headings are repeated"


def printed(path: Path, page: int) -> str:
    command = ["pdftotext", "-f", str(page), "-l", str(page), "-layout", str(path), "-"]
    done = subprocess.run(command, check=True, capture_output=True)
    return io.TextIOWrapper(io.BytesIO(done.stdout), encoding="utf-8").read()
