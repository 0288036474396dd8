from __future__ import annotations

import itertools
from datetime import UTC, datetime, timedelta

import numpy as np
import pandas as pd
import pytest
from matplotlib.backends.backend_agg import FigureCanvasAgg
from matplotlib.colors import to_rgb
from matplotlib.text import Text

from mailforensics import charts, fonts
from mailforensics.charts import axis, style
from mailforensics.errors import ExportError, WouldOverwrite
from mailforensics.schema import (
    MESSAGES,
    EventRecord,
    MessageRecord,
    Operation,
    event_table,
    message_table,
)

NOON = datetime(2026, 11, 12, 9, 38, tzinfo=UTC)
SPANS = {
    "1 hour": 1 / 24, "3 hours": 1 / 8, "1 day": 1, "3 days": 3, "1 week": 7, "1 month": 31,
    "3 months": 92, "1 year": 365, "2 years": 730, "10 years": 3650, "40 years": 14600,
}  # fmt: skip


def frame_of(table):
    return table.to_pandas(types_mapper=pd.ArrowDtype)


def dated(times, deleted_at=None):
    """A frame with what the chart needs, made fast."""
    kind = pd.ArrowDtype(MESSAGES.field("sent_at").type)
    count = len(times)
    none = pd.Series([None] * count, dtype=kind)
    word = pd.ArrowDtype(MESSAGES.field("item_id").type)
    return pd.DataFrame(
        {
            "item_id": pd.Series([f"{n:032x}" for n in range(count)], dtype=word),
            "content_key": pd.Series([f"k{n}" for n in range(count)], dtype=word),
            "sent_at": pd.Series(pd.to_datetime(times, utc=True)).astype(kind),
            "received_at": none,
            "stored_at": none,
            "deleted_at": none if deleted_at is None else pd.Series(deleted_at, dtype=kind),
            "deleted_at_kind": pd.Series(
                [None if deleted_at is None else "exact"] * count, dtype=word
            ),
        }
    )


def spread(days, count=200):
    return [NOON - timedelta(days=days * n / count) for n in range(count)]


def events_of(*records):
    return frame_of(
        event_table(list(records), evidence_id="E02", evidence_sha256="1" * 64, source_path="log")
    )


def event(at, number, operation=Operation.EXPUNGE, **extra):
    given = {"actor": "sales", "client_ip": "10.0.4.17", "mailbox": "sales"} | extra
    return EventRecord(
        source_ref=f"line:{number}", at=at, operation=operation, message_id=f"<{number}@h>", **given
    )


def boxes(chart):
    """Draw, then return the pixel boxes of tick labels and of all other texts."""
    with fonts.used():
        FigureCanvasAgg(chart.figure).draw()
    axes = chart.figure.axes[0]
    labels = [text for text in axes.get_xticklabels() if text.get_text()]
    low, high = sorted(axes.get_ylim())
    unseen = [
        label
        for label, place in zip(axes.get_yticklabels(), axes.get_yticks(), strict=True)
        if not low <= place <= high
    ]
    others = [
        text
        for text in chart.figure.findobj(Text)
        if text.get_text() and text.get_visible() and text not in unseen
    ]
    return (
        [text.get_window_extent() for text in labels],
        [text.get_window_extent() for text in others],
    )


def overlapping(found):
    return [
        (one, other)
        for one, other in itertools.combinations(found, 2)
        if one.x0 < other.x1 - 0.5
        and other.x0 < one.x1 - 0.5
        and one.y0 < other.y1 - 0.5
        and other.y0 < one.y1 - 0.5
    ]


def assert_readable(chart):
    ticks, texts = boxes(chart)
    assert not overlapping(ticks)
    assert not overlapping(texts)
    whole = chart.figure.bbox
    for box in texts:
        assert box.x0 >= -0.5
        assert box.y0 >= -0.5
        assert box.x1 <= whole.x1 + 0.5
        assert box.y1 <= whole.y1 + 0.5
    return ticks


@pytest.mark.parametrize("days", SPANS.values(), ids=SPANS.keys())
def test_every_span_has_readable_dates(days):
    messages = dated(spread(days))
    gone = messages.iloc[::9]
    chart = charts.activity(messages, gone, tz="Asia/Shanghai")
    assert len(assert_readable(chart)) >= 3
    log = events_of(*[event(at, n) for n, at in enumerate(spread(days, 60))])
    assert len(assert_readable(charts.deletion_burst(log, tz="Asia/Shanghai"))) >= 3
    assert len(assert_readable(charts.who_deleted(log, tz="America/New_York"))) >= 3


@pytest.mark.parametrize("shift", range(0, 400, 23))
@pytest.mark.parametrize("days", [0.3, 20, 47, 75, 250, 500, 1500])
def test_ticks_lie_inside_and_apart(shift, days):
    low = 1_750_000_000 + shift * 86400.0
    high = low + days * 86400
    found = axis.ticks(low, high)
    assert 3 <= len(found) <= 11
    assert all(low <= tick.at <= high for tick in found)
    steps = np.diff([tick.at for tick in found])
    assert steps.min() > 0.5 * steps.max()
    assert "\n" in found[0].text or found[0].text.isdigit()


def test_the_title_says_the_finding_and_the_axis_the_zone():
    log = events_of(*[event(NOON + timedelta(seconds=10 * n), n) for n in range(37)])
    chart = charts.deletion_burst(log, tz="Asia/Shanghai")
    assert chart.title == (
        "37 messages left the sales mailbox on 12 Nov 2026 between 17:38 and 17:44"
    )
    assert "By sales, from 10.0.4.17." in chart.sentence
    assert "The busiest minute saw 6." in chart.sentence
    label = chart.figure.axes[0].get_xlabel()
    assert label == "Time zone: Asia/Shanghai (UTC+08:00)"
    assert "UTC+01:00 / UTC+02:00" in axis.zone_label("Europe/Berlin", 1.75e9, 1.78e9)


def test_a_bar_counts_what_it_should():
    times = [NOON, NOON + timedelta(minutes=1), NOON + timedelta(days=5)]
    messages = dated(times)
    again = messages.iloc[[0]].assign(item_id="f" * 32)
    gone = dated(times, deleted_at=[NOON + timedelta(days=9)] * 3).iloc[[0]]
    chart = charts.activity(pd.concat([messages, again]), gone, tz="Asia/Shanghai")
    assert chart.title == "1 of 3 messages is deleted"
    lost, rest = chart.figure.axes[0].containers[:2]
    assert sum(bar.get_height() for bar in lost) == 1
    assert sum(bar.get_height() for bar in rest) == 2
    assert "took place on 21 Nov 2026" in chart.sentence


@pytest.mark.parametrize("count", [0, 1, 3])
def test_few_messages_are_no_trouble(count):
    messages = dated(spread(300, 3)[:count])
    chart = charts.activity(messages, messages.iloc[:1])
    assert_readable(chart)
    assert chart.sentence
    log = events_of(*[event(at, n) for n, at in enumerate(spread(300, 3)[:count])])
    for chart in (charts.deletion_burst(log), charts.who_deleted(log)):
        assert_readable(chart)
        assert chart.sentence


def test_undated_messages_are_counted_in_words():
    record = MessageRecord(source_ref="a")
    table = message_table(
        [record], evidence_id="E01", evidence_sha256="0" * 64, custodian="", reader="mbox",
        reader_version="1", source_path="",
    )  # fmt: skip
    chart = charts.activity(frame_of(table), frame_of(table).iloc[:0])
    assert "None has a date" in chart.sentence


def test_millions_are_gathered_before_they_are_drawn():
    count = 300_000
    times = np.arange(count) * 1_000_000 * 900 + 1_500_000_000_000_000
    messages = dated(times.astype("datetime64[us]"))
    chart = charts.activity(messages, messages.iloc[: count // 3])
    assert len(chart.figure.axes[0].patches) < 500
    assert len(chart.png()) < 200_000


def test_many_accounts_and_every_operation_stay_readable():
    records = [
        event(NOON + timedelta(hours=n), n, actor=f"王伟{n % 30}@very-long-domain-name.example",
              client_ip=f"2001:db8:85a3::8a2e:370:{n % 30}")
        for n in range(300)
    ]  # fmt: skip
    records += [
        event(NOON + timedelta(minutes=n), 900 + n, operation, actor="a$b$", detail="expunged=2")
        for n, operation in enumerate(Operation)
    ]
    chart = charts.who_deleted(events_of(*records), tz="Asia/Shanghai")
    assert_readable(chart)
    labels = [text.get_text() for text in chart.figure.axes[0].get_yticklabels()]
    assert len(labels) == 10
    assert labels[-1].endswith("others")


def test_sessions_without_deletions_are_left_out():
    quiet = event(NOON, 1, Operation.SESSION_SUMMARY, detail="in=3 out=4 deleted=0 expunged=0")
    assert "No log says" in charts.who_deleted(events_of(quiet)).title
    busy = event(NOON, 1, Operation.SESSION_SUMMARY, detail="deleted=0 expunged=12")
    assert "No message was removed for good" in charts.who_deleted(events_of(busy)).title


def test_without_a_chinese_font_names_become_numbers(monkeypatch):
    monkeypatch.setattr(fonts, "cjk_family", lambda: None)
    fonts._signs.cache_clear()
    try:
        log = events_of(*[event(NOON, n, actor="王伟", mailbox="销售") for n in range(6)])
        chart = charts.who_deleted(log)
        chart.png()
        assert chart.figure.axes[0].get_yticklabels()[0].get_text().startswith("account 1")
        assert "王伟 (account 1 in the figure)" in chart.sentence
        burst = charts.deletion_burst(log)
        burst.png()
        assert burst.title.isascii() or "’" in burst.title
        assert "王伟" in burst.sentence
    finally:
        fonts._signs.cache_clear()


def test_files_are_the_same_each_time_and_never_replace_others(tmp_path):
    log = events_of(*[event(NOON + timedelta(minutes=n), n, actor="王伟") for n in range(9)])
    for suffix in ("png", "svg"):
        first = charts.who_deleted(log).save(tmp_path / f"a.{suffix}")
        second = charts.who_deleted(log).save(tmp_path / f"b.{suffix}")
        assert first.read_bytes() == second.read_bytes()
        with pytest.raises(WouldOverwrite):
            charts.who_deleted(log).save(first)
        assert first.read_bytes() == second.read_bytes()
    assert "<dc:date>" not in (tmp_path / "a.svg").read_text("utf-8")
    with pytest.raises(ExportError):
        charts.who_deleted(log).save(tmp_path / "a.gif")


def test_notebooks_get_the_sentence_and_no_markup_from_evidence():
    chart = charts.who_deleted(events_of(event(NOON, 1, actor="<script>alert(1)</script>")))
    page = chart._repr_html_()
    assert "<script>" not in page
    assert "&lt;script&gt;" in page
    assert "<figcaption>" in page
    assert chart._repr_png_().startswith(b"\x89PNG")


def test_colours_differ_in_grey_print():
    def light(colour):
        red, green, blue = to_rgb(colour)
        return 0.299 * red + 0.587 * green + 0.114 * blue

    assert light(style.GREY) - light(style.MARK) > 0.3
    assert light(style.MARK) - light(style.INK) > 0.2


def test_a_figure_says_in_which_language_it_speaks():
    chart = charts.activity(dated([NOON]), dated([]), language="xx")
    assert chart.language == "en"
    assert '<figure lang="en"' in chart._repr_html_()
    assert charts.who_deleted(events_of(), language="xx").language == "en"
    assert charts.deletion_burst(events_of(), language="xx").language == "en"
