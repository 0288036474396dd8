"""The figure of what lies where in an Outlook file."""

from __future__ import annotations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from matplotlib.collections import PatchCollection

from mailforensics import charts
from mailforensics.charts.space import COLUMNS, KINDS, grid_of, say_size
from tests.test_charts import assert_readable

SIZES = {"265 KB": 271_360, "2 MB": 2_302_976, "200 MB": 200 << 20, "50 GB": 50 << 30}


def frame(*rows):
    columns = ["start", "stop", "kind", "item_id", "sure"]
    whole = [(*row, *([None, None] if len(row) == 3 else [True])) for row in rows]
    made = pd.DataFrame([row[:5] for row in whole], columns=columns)
    return made.astype({"start": "int64", "stop": "int64"})


def mailbox(size, messages=12, parts=3):
    """A file of live and free stretches, with messages in the free ones."""
    step = max(size // 500, 64)
    rows = [(0, step, "index")]
    rows += [
        (at, min(at + step, size), "free" if at // step % 3 else "live")
        for at in range(step, size, step)
    ]
    free = [row for row in rows if row[2] == "free"]
    chosen = np.linspace(0, len(free) - 1, messages * parts).astype(int)
    for number, at in enumerate(chosen.tolist()):
        start = free[at][0]
        rows.append((start, start + 64, "recovered", f"m{number % messages}"))
    return frame(*rows)


@pytest.mark.parametrize("size", SIZES.values(), ids=SIZES.keys())
@pytest.mark.parametrize("messages", [0, 12, 300])
def test_files_of_every_size_are_readable(size, messages):
    chart = charts.file_map(mailbox(size, messages), name="mailbox.pst")
    assert_readable(chart)
    assert grid_of(mailbox(size)).kinds.size <= 2_000
    assert len(chart.figure.axes[0].collections) <= 4


def test_the_title_says_the_finding():
    found = charts.file_map(mailbox(1 << 20), name="mailbox.pst")
    assert found.title == "12 deleted messages were found in the free space of mailbox.pst"
    assert found.title in found.sentence
    assert "Of its 1 MB, 33% are in use, 67% are free" in found.sentence
    one = charts.file_map(mailbox(1 << 20, 1, 2), name="mailbox.pst")
    assert one.title == "1 deleted message was found in the free space of mailbox.pst"
    none = charts.file_map(mailbox(1 << 20, 0), name="mailbox.pst")
    assert none.title == "No deleted message was found outside the folders of mailbox.pst"


def test_messages_outside_free_space_are_not_said_to_lie_there():
    rows = frame((0, 9000, "live"), (9000, 99_000, "free"), (8900, 9100, "recovered", "a"))
    chart = charts.file_map(rows, name="a.pst")
    assert chart.title == "1 deleted message was found in a.pst"
    assert "Not all of that lies where" in chart.sentence


def test_what_may_be_live_is_not_called_deleted():
    rows = frame((0, 99_000, "free"), (8900, 9100, "recovered", "a"))
    rows["sure"] = rows["sure"].astype("boolean").where(rows["kind"] != "recovered", other=False)
    chart = charts.file_map(rows, name="a.pst")
    assert chart.title == "1 message that no list leads to was found in a.pst"
    assert "may not have been deleted" in chart.sentence


def test_one_message_is_seen_in_50_gb():
    size = 50 << 30
    rows = frame((0, size, "live"), (30 << 30, (30 << 30) + 64, "recovered", "a"))
    grid = grid_of(rows)
    assert (grid.gone > 0).sum() == 1
    assert set(grid.kinds.tolist()) == {KINDS.index("live")}
    boxes = charts.file_map(rows, name="a.pst").figure.axes[0].collections[-1].get_paths()
    assert len(boxes) == 1
    assert np.ptp(boxes[0].vertices[:, 1]) > 0.2
    assert grid.messages == 1
    assert grid.first_rows[0] == (30 << 30) // (grid.cell * COLUMNS)


def test_kinds_differ_by_more_than_colour():
    chart = charts.file_map(mailbox(1 << 20), name="a.pst")
    drawn = [each for each in chart.figure.axes[0].collections if isinstance(each, PatchCollection)]
    assert len(drawn) == 4
    assert len({each.get_hatch() for each in drawn}) == 3
    edged = [each.get_linewidth()[0] > 0 for each in drawn]
    assert edged == [False, False, False, True]


def test_a_million_ranges_are_gathered_before_they_are_drawn():
    edges = np.arange(1_000_001, dtype=np.int64) * 50_000
    kinds = np.where(np.arange(1_000_000) % 2, "live", "free")
    rows = pd.DataFrame({"start": edges[:-1], "stop": edges[1:], "kind": kinds})
    chart = charts.file_map(rows, name="a.pst")
    assert len(chart.png()) < 400_000
    assert "50% are in use" in chart.sentence


def test_an_empty_frame_and_odd_names_are_no_trouble():
    chart = charts.file_map(frame(), name="$x^2$ " + "很长的名字" * 20 + ".pst", language="xx")
    assert_readable(chart)
    assert chart.language == "en"
    assert "很长的名字" * 20 in charts.file_map(mailbox(1 << 20), name="很长的名字" * 20).sentence
    assert_readable(charts.file_map(mailbox(1 << 20), name="<b>王伟</b> $a$.pst"))


@given(
    rows=st.lists(
        st.tuples(st.integers(0, 9_000), st.integers(1, 3_000), st.sampled_from(KINDS)),
        min_size=1,
        max_size=12,
    )
)
@settings(max_examples=100, deadline=None)
def test_squares_are_what_fills_most_of_them(rows):
    made = frame(*[(start, start + length, kind) for start, length, kind in rows])
    grid = grid_of(made)
    flags = {kind: np.zeros(grid.rows * COLUMNS * grid.cell, np.bool_) for kind in KINDS}
    for start, length, kind in rows:
        flags[kind][start : start + length] = True
    for at, kind in enumerate(grid.kinds.tolist()):
        part = {
            name: int(each[at * grid.cell :][: grid.cell].sum()) for name, each in flags.items()
        }
        assert grid.gone[at] == part.pop("recovered") / grid.cell
        if any(part.values()):
            assert part[KINDS[kind]] == max(part.values())
        else:
            assert kind == -1
    assert grid.bytes_of == {kind: int(each.sum()) for kind, each in flags.items()}
    inside = not (flags["recovered"] & ~flags["free"]).any()
    assert grid.inside == inside


@pytest.mark.parametrize(
    ("size", "words"),
    [(0, "0 bytes"), (512, "512 bytes"), (271_360, "265 KB"), (1 << 20, "1 MB"),
     (1_610_612_736, "1.5 GB"), (5 << 40, "5,120 GB")],
)  # fmt: skip
def test_sizes_in_words(size, words):
    assert say_size(size) == words
