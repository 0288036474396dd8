from __future__ import annotations

import re
import sqlite3
import time
from datetime import UTC, datetime
from pathlib import Path

import pandas as pd
import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.errors import SearchError
from mailforensics.schema import DeletionState, FolderRole, MessageRecord, message_table
from mailforensics.search import IndexWriter, filter_frame, find, parse, surroundings
from mailforensics.search.tokens import fold, phrase_tokens, runs, searchable

MESSAGES = {
    "a": {
        "subject": "Contract HY-2026-0417",
        "people": "Zhang Wei zhang@huayang.example",
        "attachments": "报价单.pdf",
        "text": "签订合同管理组合，价格 Café STRASSE\0tail snake_case",
    },
    "b": {
        "subject": "Re: price list",
        "people": "Li Na li.na@nord.example",
        "attachments": "invoice 7.xlsx",
        "text": "the price\nlist and ＡＢＣ１２３ 合同HY, カタカナ 계약서 조건",
    },
    "c": {
        "subject": "Vergütung für Müller",
        "people": "müller@nord.example",
        "attachments": "",
        "text": "list of prices; 合 同 apart. 𠀀𠀁𠀂",
    },
}


@pytest.fixture(scope="module")
def index(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("index") / "one.sqlite"
    with IndexWriter(path) as writer:
        for item_id, fields in MESSAGES.items():
            writer.add(item_id, **fields)
    return path


def ids(index: Path, query: str) -> str:
    return "".join(sorted(hit.item_id for hit in find([index], query)))


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("合同", "ab"),
        ("合", "abc"),
        ("同", "abc"),
        ("理", "a"),
        ("组", "a"),
        ("合同管理", "a"),
        ("合同管", "a"),
        ("合管", ""),
        ("合同HY", "b"),
        ("同HY", "b"),
        ("组合，价格", "a"),
        ("报价", "a"),
        ("カタカナ", "b"),
        ("ｶﾀｶﾅ", "b"),
        ("계약", "b"),
        ("𠀁𠀂", "c"),
        ("huayang", "a"),
        ("zhang@huayang.example", "a"),
        ("ZHANG@HUAYANG.EXAMPLE", "a"),
        ("hy-2026-0417", "a"),
        ("ＨＹ－2026", "a"),
        ("cafe", "a"),
        ("CAFÉ", "a"),
        ("cafe\u0301", "a"),
        ("straße", "a"),
        ("tail", "a"),
        ("snake", "a"),
        ("abc123", "b"),
        ("muller", "c"),
        ("Verguetung", ""),
        ("price list", "b"),
        ("list price", "b"),
        ('"price list"', "b"),
        ("“price list”", "b"),
        ('"list price"', ""),
        ("price*", "bc"),
        ("price AND list", "b"),
        ("price OR cafe", "ab"),
        ("price | cafe", "ab"),
        ("list -price", "c"),
        ("list NOT price", "c"),
        ("-price", "ac"),
        ("-price -cafe", "c"),
        ("NOT (price OR cafe)", "c"),
        ("-合同 OR price", "bc"),
        ("(price OR cafe) 合同", "ab"),
        ("subject:price", "b"),
        ("body:contract", ""),
        ("subject:(contract OR price)", "ab"),
        ("-subject:price", "ac"),
        ("主题：contract", "a"),
        ("主题: contract", "a"),
        ("发件人:zhang", "a"),
        ("to:nord", "bc"),
        ("attachment:报价单", "a"),
        ("附件:invoice", "b"),
        ("people:müller", "c"),
        ("Re: price", "b"),
        ("price & list", "b"),
        ("or", ""),
        ('"AND"', "b"),
        ("（price OR cafe）", "ab"),
    ],
)
def test_a_query_finds(index: Path, query: str, expected: str) -> None:
    assert ids(index, query) == expected


@pytest.mark.parametrize(
    ("query", "says"),
    [
        ("", "empty"),
        ("   ", "empty"),
        ('"price', "not closed"),
        ("(price", "not closed"),
        ("price)", "never opened"),
        ("()", "closed where"),
        ("OR price", "Before OR"),
        ("price OR", "ends where"),
        ("price AND OR list", "Before OR"),
        ("NOT", "ends where"),
        ("NOT NOT price", "twice"),
        ("subject:", "subject:contract"),
        ("folder:", "folder:Inbox"),
        ("&", "no letters"),
        ("- &", "no letters"),
        ("on:yesterday", "no date"),
        ("on:2026-02-30", "no date"),
        ("before:0000-01-01", "no date"),
        ("state:gone", "no state"),
        ("has:fun", "attachment"),
        ("price OR folder:Inbox", "narrow the whole search"),
        ("(folder:Inbox)", "narrow the whole search"),
        ("(" * 50 + "a" + ")" * 50, "deep"),
        ("a " * 2000, "1,000 words"),
        ("a" * 30_000, "too long"),
    ],
)
def test_what_cannot_be_understood_is_explained(query: str, says: str) -> None:
    with pytest.raises(SearchError, match=says):
        parse(query)


@pytest.mark.parametrize(
    "query", ["a OR " * 999 + "a", "-a " * 999, "(b -(a OR -(" * 6 + "c" + ")))" * 6]
)
def test_large_queries_reach_the_database(index: Path, query: str) -> None:
    find([index], query)


WORDS = st.sampled_from(
    [
        *("合同", "合", "price", "OR", "AND", "NOT", "-", "(", ")", '"', "*", ":", "subject:"),
        *("from:", "folder:", "on:", "2026-11-12", "NEAR", "^", "{", "}", "+", "'", ";", "--"),
        *("\0", "\ud800", "before:", "state:", "live", " ", "é", "，", "“", "”", "mail", "|", "«"),
    ]
)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=40), st.lists(WORDS, max_size=15).map(" ".join)))
def test_any_query_gives_hits_or_a_search_error(index: Path, query: str) -> None:
    try:
        parsed = parse(query)
    except SearchError:
        return
    find([index], parsed)
    surroundings("合同 price list é", parsed)


def node_text(node: object) -> str:
    if isinstance(node, str):
        return node
    kind, *parts = node  # type: ignore[misc]
    texts = [node_text(part) for part in parts]
    return f"NOT ({texts[0]})" if kind == "not" else "(" + f" {kind} ".join(texts) + ")"


def holds(node: object, words: set[str]) -> bool:
    if isinstance(node, str):
        return node in words
    kind, *parts = node  # type: ignore[misc]
    values = [holds(part, words) for part in parts]
    return not values[0] if kind == "not" else (all if kind == "AND" else any)(values)


TREES = st.recursive(
    st.sampled_from(["alpha", "beta", "gamma"]),
    lambda inner: st.one_of(
        st.tuples(
            st.just("not"),
            st.one_of(
                st.sampled_from(["alpha", "beta"]),
                st.tuples(st.sampled_from(["AND", "OR"]), inner, inner),
            ),
        ),
        st.tuples(st.sampled_from(["AND", "OR"]), inner, inner),
    ),
    max_leaves=8,
)


@pytest.fixture(scope="module")
def truth_table(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[set[str]]]:
    path = tmp_path_factory.mktemp("truth") / "t.sqlite"
    sets = [
        {word for bit, word in enumerate(["alpha", "beta", "gamma"]) if number >> bit & 1}
        for number in range(8)
    ]
    with IndexWriter(path) as writer:
        for number, words in enumerate(sets):
            writer.add(
                str(number), subject="", people="", attachments="", text=" ".join(sorted(words))
            )
    return path, sets


@settings(max_examples=150, deadline=None)
@given(tree=TREES)
def test_and_or_not_mean_what_they_say(
    truth_table: tuple[Path, list[set[str]]], tree: object
) -> None:
    path, sets = truth_table
    expected = {str(number) for number, words in enumerate(sets) if holds(tree, words)}
    assert {hit.item_id for hit in find([path], node_text(tree))} == expected


HAN = st.text("合同管理价格甲乙", min_size=1, max_size=8)


@settings(max_examples=100, deadline=None)
@given(bodies=st.lists(st.text("合同管理 ，aB1", max_size=30), min_size=1, max_size=8), word=HAN)
def test_a_run_of_signs_is_found_wherever_it_stands(
    tmp_path_factory: pytest.TempPathFactory, bodies: list[str], word: str
) -> None:
    path = tmp_path_factory.mktemp("run") / "r.sqlite"
    with IndexWriter(path) as writer:
        for number, body in enumerate(bodies):
            writer.add(str(number), subject="", people="", attachments="", text=body)
    expected = {str(number) for number, body in enumerate(bodies) if word in body}
    assert {hit.item_id for hit in find([path], word)} == expected


def tokens_of(text: str) -> list[str]:
    """Cut as the tokenizer of the index does: ASCII letters and digits, and all beyond ASCII."""
    return re.findall("[0-9a-z\x80-\U0010ffff]+", text.lower())


SIGNS = st.text("合同０Ａｂ，。、：（）～＿　ｶﾞ「」—…“a1_.: \0é㐀𠀀々ー", max_size=30)


@settings(max_examples=300, deadline=None)
@given(st.one_of(st.text(max_size=60), SIGNS))
def test_a_text_is_indexed_by_the_tokens_that_a_query_has(text: str) -> None:
    indexed = searchable(text)
    indexed.encode()
    pieces = runs(text)
    expected = phrase_tokens((*pieces, "end"))[:-1]  # with the sign that ends the last run
    assert tokens_of(indexed) == expected
    assert runs(fold(text)) == pieces


def test_long_runs_of_combining_marks_take_linear_time() -> None:
    begin = time.process_time()
    searchable("a" + "\u0300\u0316" * 200_000 + " tail合")
    surroundings("a" + "\u0300\u0316" * 200_000 + " tail", "tail")
    assert time.process_time() - begin < 5


def test_subject_weighs_more_and_ties_keep_their_order(tmp_path: Path) -> None:
    paths = []
    for name in ("x", "y"):
        paths.append(tmp_path / f"{name}.sqlite")
        with IndexWriter(paths[-1]) as writer:
            writer.add(f"{name}1", subject="other", people="", attachments="", text="contract here")
            writer.add(f"{name}2", subject="contract", people="", attachments="", text="other here")
            writer.add(f"{name}3", subject="other", people="", attachments="", text="contract here")
            for number in range(9):
                writer.add(f"{name}-{number}", subject="s", people="", attachments="", text="t")
    hits = find(paths, "contract")
    assert [hit.item_id for hit in hits] == ["x2", "y2", "x1", "x3", "y1", "y3"]
    assert hits[0].score > hits[-1].score
    assert find(paths, "contract", limit=3) == hits[:3]
    assert find(paths, "contract", limit=0) == []
    assert len(find(paths, "folder:Inbox")) == 24


def test_the_sender_can_be_asked_for_alone(tmp_path: Path) -> None:
    path = tmp_path / "s.sqlite"
    with IndexWriter(path) as writer:
        writer.add(
            "1",
            subject="",
            sender="Li li@x.example",
            people="wu@x.example",
            attachments="",
            text="",
        )
        writer.add(
            "2",
            subject="",
            sender="Wu wu@x.example",
            people="li@x.example",
            attachments="",
            text="",
        )
    assert [hit.item_id for hit in find([path], "from:li")] == ["1"]
    assert [hit.item_id for hit in find([path], "to:li")] == ["2"]
    assert len(find([path], "people:li")) == len(find([path], "li")) == 2


def test_the_index_is_deterministic_holds_no_bodies_and_appears_whole(tmp_path: Path) -> None:
    paths = [tmp_path / "1 #?%.sqlite", tmp_path / "2.sqlite"]
    for path in paths:
        with IndexWriter(path) as writer:
            for number in range(1200):
                writer.add(
                    str(number),
                    subject=f"s{number}",
                    people="",
                    attachments="",
                    text=f"Unmistakable body {number}",
                )
            assert not path.exists()
    assert paths[0].read_bytes() == paths[1].read_bytes()
    assert b"Unmistakable body" not in paths[0].read_bytes()
    assert sorted(each.name for each in tmp_path.iterdir()) == sorted(path.name for path in paths)
    assert len(find(paths, "unmistakable")) == 2400


def test_a_failed_build_leaves_nothing(tmp_path: Path) -> None:
    def build() -> None:
        with IndexWriter(tmp_path / "i.sqlite") as writer:
            writer.add("1", subject="s", people="", attachments="", text="t")
            raise KeyError

    with pytest.raises(KeyError):
        build()
    assert list(tmp_path.iterdir()) == []


def test_closing_twice_is_harmless(tmp_path: Path) -> None:
    writer = IndexWriter(tmp_path / "i.sqlite")
    writer.close()
    writer.close()
    assert find([tmp_path / "i.sqlite"], "anything") == []


@pytest.mark.parametrize("content", [None, b"", b"no database at all" * 100])
def test_a_broken_index_is_a_search_error(tmp_path: Path, content: bytes | None) -> None:
    path = tmp_path / "i.sqlite"
    if content is not None:
        path.write_bytes(content)
    with pytest.raises(SearchError, match="cannot be read"):
        find([path], "word")


def test_reading_never_writes(index: Path) -> None:
    before = (index.read_bytes(), index.stat().st_mtime_ns, sorted(index.parent.iterdir()))
    find([index], "合同 -x")
    assert before == (
        index.read_bytes(),
        index.stat().st_mtime_ns,
        sorted(index.parent.iterdir()),
    )
    with sqlite3.connect(index) as database:
        assert database.execute("PRAGMA integrity_check").fetchone() == ("ok",)


@pytest.mark.parametrize(
    ("text", "query", "expected"),
    [
        ("签订合同管理", "合同", "签订«合同»管理"),
        ("签订合同HY管理", "hy", "签订合同«HY»管理"),
        ("the PRICE\n list", '"price list"', "the «PRICE list»"),
        ("a prices b", "price", "a prices b"),
        ("a prices b", "price*", "a «prices» b"),
        ("ＡＢＣ公司", "abc", "«ＡＢＣ»公司"),
        ("Cafe\u0301 au lait", "café", "«Cafe\u0301» au lait"),
        ("price and cost", "cost -price", "price and «cost»"),
        ("zhang@huayang.example", "huayang", "zhang@«huayang».example"),
        ("合同 合同", "合", "«合»同 «合»同"),
        ("nothing here", "合同", "nothing here"),
        ("", "合同", ""),
    ],
)
def test_the_hit_is_shown_with_its_surroundings(text: str, query: str, expected: str) -> None:
    assert surroundings(text, query) == expected


def test_surroundings_are_cut_around_the_first_hit() -> None:
    text = "x " * 300 + "contract" + " y" * 300
    shown = surroundings(text, "contract", width=40)
    assert shown.startswith("…")
    assert shown.endswith("…")
    assert "«contract»" in shown
    assert len(shown) < 50
    assert surroundings("word " * 50, "zzz", width=20) == "word word word word…"


def frame() -> pd.DataFrame:
    def day(text: str) -> datetime:
        return datetime.fromisoformat(text).replace(tzinfo=UTC)

    records = [
        MessageRecord(
            source_ref="1",
            folder="INBOX/Sales",
            folder_role=FolderRole.INBOX,
            sent_at=day("2026-11-11T23:30:00"),
        ),
        MessageRecord(
            source_ref="2",
            folder="已删除",
            folder_role=FolderRole.DELETED,
            sent_at=day("2026-11-12T12:00:00"),
            deletion_state=DeletionState.IN_DELETED_FOLDER,
        ),
        MessageRecord(
            source_ref="3",
            received_at=day("2026-10-01T00:00:00"),
            deletion_state=DeletionState.CARVED,
        ),
        MessageRecord(
            source_ref="4", folder="Sent", folder_role=FolderRole.SENT, mailbox="li@x.example"
        ),
    ]
    table = message_table(
        records,
        evidence_id="E01",
        evidence_sha256="0",
        custodian="Wu",
        reader="r",
        reader_version="1",
        source_path="",
    )
    plain = pa.table(
        [c.cast(pa.string()) if pa.types.is_dictionary(c.type) else c for c in table.columns],
        names=table.column_names,
    )
    return plain.to_pandas(types_mapper=pd.ArrowDtype)


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("word", "1234"),
        ("folder:inbox", "1"),
        ("folder:sales", "1"),
        ("folder:deleted", "2"),
        ("文件夹:已删除", "2"),
        ("-folder:inbox", "234"),
        ("folder:inbox folder:sent", "14"),
        ("state:deleted", "23"),
        ("state:live", "14"),
        ("state:carved state:live", "134"),
        ('state:"in deleted folder"', "2"),
        ("on:2026-11-12", "2"),
        ("before:2026-11-12", "13"),
        ("after:2026-11-12", "2"),
        ("after:2026-10 before:2026-11", "3"),
        ("on:2026", "123"),
        ("日期:2026年11月12日", "2"),
        ("-on:2026", "4"),
        ("custodian:wu", "1234"),
        ("custodian:li@x", "4"),
        ("evidence:e02", ""),
        ("has:attachment", ""),
        ("word on:2026-11-12 folder:已", "2"),
    ],
)
def test_filters_choose_rows(query: str, expected: str) -> None:
    messages = frame()
    mask = filter_frame(messages, parse(query))
    assert mask.dtype == bool
    assert "".join(messages[mask]["source_ref"]) == expected


def test_days_begin_in_the_time_zone_of_the_case() -> None:
    messages = frame()
    shanghai = filter_frame(messages, parse("on:2026-11-12"), tz="Asia/Shanghai")
    assert list(messages[shanghai]["source_ref"]) == ["1", "2"]
    with pytest.raises(SearchError, match="time zone"):
        filter_frame(messages, parse("on:2026-11-12"), tz="Mars/Crater")


def test_an_empty_frame_can_be_filtered() -> None:
    assert filter_frame(frame().head(0), parse("on:2026 folder:x state:live")).empty
