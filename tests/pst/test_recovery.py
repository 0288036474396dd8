from __future__ import annotations

import random
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from mailforensics.mapi import MapiMessage, Tag
from mailforensics.pst.amap import Allocation
from mailforensics.pst.grading import Grade, Part, assess
from mailforensics.pst.matching import Candidate, Habits, OrphanTree, fits, match
from mailforensics.pst.recovered import Origin, Recovered, Relation
from mailforensics.pst.recovery import Recovery
from mailforensics.pst.rescue import RescuedStore, looks_like_store, open_store
from mailforensics.pst.store import PstStore
from mailforensics.pst.writer import PstWriter
from tests.mapi.builders import SENT, attached, binary, mail, moment, string, to
from tests.pst.facts import Facts, facts_of
from tests.pst.simulator import Simulation, damage, delete

SOURCES = [
    "apache_tika__c10a92__testPST.pst",
    "mooijtech_go-pst__869d21__support.pst",
    "aspose-email_Aspose.Email-for-.NET__00cac2__source.pst",
    "enrondata_microsoft-pst-sdk__cceff7__sample2.pst",
    "tghanem_PST__943907__user1@test.lab.pst",
    "groupdocs-viewer_GroupDocs.Viewer-for-.NET__4b1198__sample.pst",
]
TGHANEM = "tghanem_PST__{}__user1@test.lab.pst"
EASY = settings(
    max_examples=6, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)


def recovered(path: Path) -> tuple[PstStore, list[Recovered]]:
    store = open_store(path)
    return store, list(Recovery(store).items())


def deleted(found: list[Recovered]) -> list[Recovered]:
    return [each for each in found if each.relation is Relation.DELETED and not each.is_hidden]


def live_facts(store: PstStore) -> Counter[Facts]:
    messages = map(store.message, store.nodes.of_type(4).tolist())
    return Counter(facts_of(each).without_properties() for each in messages if each is not None)


# --- real deletions -----------------------------------------------------------------------------


def test_messages_that_a_real_outlook_deleted(corpora: Path) -> None:
    """What a person finds in these mailboxes with a hex viewer."""
    expected = [
        (TGHANEM.format("34244b"), "TestWithTextFileAttachment", ("Outbox",), ["TextFile.txt"]),
        (TGHANEM.format("943907"), "TestWithYellowAndGreenCategories", ("Outbox",), []),
        ("tghanem_PST__3b6bcc__PST.pst", "Test1 To Test2", ("Inbox",), []),
    ]
    for name, subject, folder, files in expected:
        _, found = recovered(corpora / "pst" / name)
        (one,) = deleted(found)
        assert one.origin is Origin.OLD_NODE
        assert (one.grade, one.missing) == (Grade.COMPLETE, ())
        assert one.message is not None
        assert one.place is not None
        assert one.message.subject == subject
        assert one.place.path == folder
        assert [entry.name for entry in one.message.attachments] == files
        assert len(one.message.recipients) == 1
        assert one.allocation is Allocation.FREE
        assert one.page_bid


def test_what_is_lost_of_a_message_is_named(corpora: Path) -> None:
    expected = {
        (TGHANEM.format("5b7607"), "Test1"): (Part.RECIPIENTS,),
        (TGHANEM.format("f0d5fd"), "TestWithEmbeddedMessage"): (Part.ATTACHMENTS,),
        (TGHANEM.format("4b4993"), "Test"): (Part.HTML_BODY, Part.RECIPIENTS),
    }
    for (name, subject), missing in expected.items():
        _, found = recovered(corpora / "pst" / name)
        (one,) = [
            each for each in deleted(found) if each.message and each.message.subject == subject
        ]
        assert (one.grade, one.missing) == (Grade.PARTIAL, missing)
        assert one.message is not None
        assert one.message.body
        assert one.reasons


def test_rows_that_are_left_of_messages(corpora: Path) -> None:
    expected = {"7e21f0": "TestWithBodyOf4KCharacters", "f0d5fd": "TestWithTextFileAttachment"}
    for mark, subject in expected.items():
        _, found = recovered(corpora / "pst" / TGHANEM.format(mark))
        (one,) = [each for each in found if each.origin is Origin.STALE_ROW]
        assert one.grade is Grade.METADATA_ONLY
        assert one.message is None
        assert one.row is not None
        assert (one.row.text(Tag.SUBJECT) or "").endswith(subject)
        assert one.row.moment(Tag.CLIENT_SUBMIT_TIME) is not None


def test_no_live_message_is_called_deleted_and_every_file_is_read(corpora: Path) -> None:
    total = Counter[str]()
    for path in sorted((corpora / "pst").iterdir()):
        if path.name.startswith("aspose-email_Aspose.Email-for-C__82f5cb"):
            continue  # a text file under the name of a PST
        store, found = recovered(path)
        live = live_facts(store)
        for one in deleted(found):
            if one.message is not None and one.message.readable:
                facts = facts_of(one.message).without_properties()
                assert not live[facts], (path.name, one.ref)
                assert one.blocks
        assert len({one.ref for one in found}) == len(found)
        total.update(one.origin for one in deleted(found))
    assert total[Origin.OLD_NODE] >= 6
    assert total[Origin.ORPHAN] >= 2


def test_the_task_of_a_damaged_file(corpora: Path) -> None:
    """Its header has a wrong checksum and its block tree is empty."""
    (path,) = (corpora / "pst").glob("*108e6e*")
    store, found = recovered(path)
    assert isinstance(store, RescuedStore)
    subjects = [one.message.subject for one in found if one.message is not None]
    assert "Task with attacment" in subjects


def test_a_message_is_had_again_by_its_reference(corpora: Path) -> None:
    for mark in ("34244b", "4b4993", "943907", "5b7607"):
        path = corpora / "pst" / TGHANEM.format(mark)
        store, found = recovered(path)
        recovery = Recovery(store)
        for one in found:
            if one.message is not None and one.origin is not Origin.UNLISTED_NODE:
                again = recovery.message(one.ref)
                assert again is not None
                assert facts_of(again) == facts_of(one.message)
        for nonsense in ("", "nid:0x1@page:0x2", "block:", "block:0x99999990", "x:0x1"):
            message = recovery.message(nonsense)
            assert message is None or not message.readable


def test_two_runs_give_the_same(corpora: Path) -> None:
    path = corpora / "pst" / TGHANEM.format("943907")
    first, second = (
        [(each.ref, each.relation, each.grade, each.blocks) for each in recovered(path)[1]]
        for _ in range(2)
    )
    assert first == second


# --- simulated deletions ------------------------------------------------------------------------


def letters(count: int, seed: int) -> Iterator[MapiMessage]:
    """Yield messages to few people, so that recipients alone tell hardly any of them apart."""
    chance = random.Random(seed)
    for number in range(count):
        words = " ".join(chance.choices(["contract", "合同", "付款", "plan"], k=1 + number % 400))
        files = [
            attached(f"{place}.bin", chance.randbytes(chance.choice([10, 5000, 40_000])))
            for place in range(chance.choice([0, 0, 1, 2]))
        ]
        people = [f"N{n}" for n in range(chance.choice([1, 1, 2]))]
        yield mail(
            *[to(name, f"{name}@x.example") for name in people],
            attachments=files,
            display_to=string("; ".join(people)),
            display_cc=string(""),
            subject=string(f"Subject {number}"),
            body=string(words),
            html=binary(f"<p>{words}</p>".encode() * chance.choice([1, 60])),
            client_submit_time=moment(SENT + timedelta(minutes=number)),
            sender_name=string("Li Na"),
        )


@pytest.fixture(scope="module", params=[False, True], ids=["unicode", "4k"])
def written(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("written") / "mail.pst"
    with PstWriter(path, record_key=bytes(16), now=SENT, unicode4k=request.param) as out:
        for message in letters(40, seed=3):
            out.add(out.folder(("Inbox",)), message)
    return path


def with_inner(facts: Facts) -> Iterator[Facts]:
    """Yield a message and those inside it, which may come back on their own."""
    yield facts
    for entry in facts.attachments:
        if entry.embedded is not None:
            yield from with_inner(entry.embedded)


def check(simulation: Simulation, source: Path) -> tuple[int, int]:
    """Hold recovery to the truth; return how many were due and how many were had."""
    before = {facts_of(each.message) for each in recovered(source)[1] if each.message is not None}
    store, found = recovered(simulation.path)
    live = live_facts(store)
    truths = {facts for truth in simulation.deleted for facts in with_inner(truth.facts)}
    had = Counter(facts_of(each.message) for each in found if each.message is not None)
    for one in found:
        if one.message is None or one.is_hidden or one.relation is not Relation.DELETED:
            continue
        facts = facts_of(one.message)
        assert not live[facts.without_properties()], one.ref
        if one.grade is Grade.COMPLETE:
            assert facts in truths or facts in before, f"falsely complete: {one.ref}"
    due = [truth for truth in simulation.deleted if simulation.whole(truth)]
    missed = [t for t in due if not had[t.facts] and not live[t.facts.without_properties()]]
    assert not missed, [(t.nid, t.facts.subject) for t in missed]
    return len(due), len(simulation.deleted)


@pytest.mark.parametrize("variant", ["bare", "stale"])
@pytest.mark.parametrize("name", SOURCES)
def test_without_reuse_all_come_back_whole(
    corpora: Path, tmp_path: Path, name: str, variant: str
) -> None:
    source = corpora / "pst" / name
    simulation = delete(source, tmp_path / "x.pst", seed=11, share=0.7, variant=variant)
    due, count = check(simulation, source)
    assert due == count > 0


@EASY
@given(seed=st.integers(0, 10**6), variant=st.sampled_from(["bare", "stale"]))
def test_written_files_come_back_whole(
    written: Path, tmp_path: Path, seed: int, variant: str
) -> None:
    simulation = delete(written, tmp_path / "x.pst", seed=seed, variant=variant)
    due, count = check(simulation, written)
    assert due == count == 20


@EASY
@given(
    seed=st.integers(0, 10**6),
    variant=st.sampled_from(["bare", "stale"]),
    case=st.tuples(st.integers(0, len(SOURCES) - 1), st.sampled_from([0.25, 0.5])),
)
def test_of_overwritten_files_nothing_is_falsely_complete(
    corpora: Path, tmp_path: Path, seed: int, variant: str, case: tuple[int, float]
) -> None:
    number, share = case
    source = corpora / "pst" / SOURCES[number]
    target = tmp_path / "x.pst"
    check(delete(source, target, seed=seed, variant=variant, overwrite=share), source)


@EASY
@given(seed=st.integers(0, 10**6), variant=st.sampled_from(["bare", "stale"]))
def test_of_written_files_that_were_overwritten_the_rest_is_graded_right(
    written: Path, tmp_path: Path, seed: int, variant: str
) -> None:
    simulation = delete(written, tmp_path / "x.pst", seed=seed, variant=variant, overwrite=0.25)
    check(simulation, written)
    lost = {t.facts.subject: simulation.lost[t.nid] for t in simulation.deleted}
    _, found = recovered(simulation.path)
    for one in deleted(found):
        if one.message is None or not one.message.readable or not one.message.subject:
            continue
        parts = lost[one.message.subject]
        if "property:0x1013" in parts:
            assert Part.HTML_BODY in one.missing
        if {"recipients", "subnodes"} & parts:
            assert Part.RECIPIENTS in one.missing
        if any(part.startswith("attachment") for part in parts):
            assert Part.ATTACHMENTS in one.missing or Part.RECIPIENTS in one.missing


# --- damaged files ------------------------------------------------------------------------------


@pytest.mark.parametrize("kind", ["header", "roots"])
def test_header_and_roots_are_not_needed(
    corpora: Path, written: Path, tmp_path: Path, kind: str
) -> None:
    for source in (written, *(corpora / "pst" / name for name in SOURCES[:4])):
        simulation = damage(source, tmp_path / source.name, kind, seed=5)
        assert looks_like_store(simulation.path)
        store, found = recovered(simulation.path)
        there = live_facts(store)
        if not len(store.nodes):  # the root was the only page: what was live is lost with it
            there.update(
                facts_of(one.message).without_properties()
                for one in found
                if one.message is not None and one.relation is Relation.UNDECIDED
            )
        assert all(there[truth.facts.without_properties()] for truth in simulation.live)
        truths = {truth.facts for truth in simulation.live}
        assert not [
            one for one in deleted(found) if one.message and facts_of(one.message) in truths
        ]


@EASY
@given(
    seed=st.integers(0, 10**6),
    kind=st.sampled_from(["truncated", "sectors"]),
    number=st.integers(0, len(SOURCES) - 1),
)
def test_of_damaged_files_nothing_is_falsely_complete(
    corpora: Path, tmp_path: Path, seed: int, kind: str, number: int
) -> None:
    source = corpora / "pst" / SOURCES[number]
    known = {
        facts
        for each in recovered(source)[1]
        if each.message is not None
        for facts in with_inner(facts_of(each.message).without_properties())
    }
    simulation = damage(source, tmp_path / "x.pst", kind, seed=seed, share=0.1)
    known |= {f for t in simulation.live for f in with_inner(t.facts.without_properties())}
    store, found = recovered(simulation.path)
    messages = list(filter(None, map(store.message, store.nodes.of_type(4).tolist())))
    for message in messages:
        if assess(message).grade is Grade.COMPLETE:
            assert facts_of(message).without_properties() in known
    for one in found:
        if one.message is not None and one.grade is Grade.COMPLETE and not one.is_hidden:
            assert facts_of(one.message).without_properties() in known, one.ref


# --- which list belongs to which message --------------------------------------------------------

PEOPLE = st.sampled_from([(1, 0, 0), (2, 0, 0), (1, 3, 0)])
NODES = st.frozensets(st.sampled_from([0x801F, 0x803F, 0x8025]), max_size=3)
HABITS = Habits(-40, 40, sizes_hold=True)


@given(
    st.lists(st.tuples(PEOPLE, NODES, st.booleans()), max_size=8),
    st.lists(st.tuples(PEOPLE, NODES, st.integers(0, 90)), max_size=8),
)
def test_each_list_is_given_once_and_only_where_it_fits(
    messages: list[tuple[tuple[int, ...], frozenset[int], bool]],
    lists: list[tuple[tuple[int, ...], frozenset[int], int]],
) -> None:
    candidates = [
        Candidate(100 + 8 * at, people, frozenset(n for n in nodes if n & 31 == 31), has, 5000)
        for at, (people, nodes, has) in enumerate(messages)
    ]
    trees = [
        OrphanTree(102 + 4 * at, people, nodes | {0x692}, size * 100)
        for at, (people, nodes, size) in enumerate(lists)
    ]
    given_to = match(candidates, trees, HABITS)
    taken = [proof.tree_bid for proof in given_to.values()]
    assert len(set(taken)) == len(taken)
    by_bid = {tree.bid: tree for tree in trees}
    for candidate in candidates:
        if candidate.data_bid in given_to:
            assert fits(candidate, by_bid[given_to[candidate.data_bid].tree_bid], HABITS)


def test_a_list_with_the_same_people_that_lies_too_far_is_not_given() -> None:
    candidate = Candidate(100, (1, 0, 0), frozenset(), has_attachments=True, size=9000)
    near = OrphanTree(102, (1, 0, 0), frozenset({0x692, 0x8025}), 4000)
    far = OrphanTree(402, (1, 0, 0), frozenset({0x692, 0x8025}), 4000)
    assert match([candidate], [near, far], HABITS)[100].tree_bid == 102
    assert not match([candidate], [far], HABITS)


def test_numbers_of_values_prove_only_where_lists_hardly_share_them() -> None:
    people = (1, 0, 0)
    one = Candidate(100, people, frozenset({0x801F}), has_attachments=False, size=9000)
    far = OrphanTree(902, people, frozenset({0x692, 0x801F}), 0)
    others = [
        OrphanTree(1000 + 4 * at, (2, 0, 0), frozenset({0x692, 0x901F + 0x20 * at}), 0)
        for at in range(9)
    ]
    assert not match([one], [far], HABITS)
    assert match([one], [far, *others], HABITS)[100].tree_bid == 902
    alike = [OrphanTree(each.bid, (2, 0, 0), far.nodes, 0) for each in others]
    assert not match([one], [far, *alike], HABITS)


def test_habits_are_learned_from_live_messages() -> None:
    people = (1, 0, 0)
    pairs = [
        (
            Candidate(8 * at, people, frozenset(), has_attachments=False, size=50),
            OrphanTree(8 * at + 2, people, frozenset({0x692}), 0),
        )
        for at in range(20)
    ]
    assert Habits.of(pairs) == Habits(2, 2, sizes_hold=True)
    assert Habits.of(pairs[:3]) == Habits()


def test_a_list_with_more_bytes_than_the_message_claims_is_not_given() -> None:
    candidate = Candidate(100, (1, 0, 0), frozenset(), has_attachments=True, size=9000)
    large = OrphanTree(102, (1, 0, 0), frozenset({0x692, 0x8025}), 90_000)
    assert not match([candidate], [large], HABITS)
