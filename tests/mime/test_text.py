from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailforensics.mime import content_key, html_to_text


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<p>a</p><p>b<br>c</p>", "a\nb\nc"),
        ("a<script>x()</script><style>p{}</style>b", "a b"),
        ("<!-- no -->x &amp; y&nbsp;z &#20320;", "x & y z 你"),
        ("合<b>同</b>", "合同"),
        ("1 < 2 > 0", "1 < 2 > 0"),
        ("<script>never closed", "never closed"),
        ("<!-- never closed", "<!-- never closed"),
        ("<title>T</title><table><tr><td>a</td><td>b</td></tr></table>", "a\nb"),
        ("plain\n\ntext", "plain\ntext"),
        ("<SCRIPT>x</SCRIPT >y", "y"),
        ("&#9999999999999999999999;", "\ufffd"),
    ],
)
def test_html(html, text):
    assert html_to_text(html) == text


@given(st.text(alphabet="<>!-/&#;scriptyle \n\"'=x9", max_size=300))
def test_any_markup(markup):
    html_to_text(markup).encode()


def test_the_key_bears_what_stores_change():
    key = content_key("<1@x>", None, None, None, "Hello\r\n\r\nFrom here\r\n")
    assert key == content_key("<1@x> ", "a@b", None, "s", "Hello\n>From here")
    assert key != content_key("<2@x>", None, None, None, "Hello From here")
    assert key != content_key("<1@x>", None, None, None, "Hello From there")
    assert len(key) == 32


def test_without_message_id_the_fields_count():
    at = datetime(2024, 1, 2, 3, 4, 5, tzinfo=UTC)
    same = at.astimezone(timezone(timedelta(hours=8)))
    key = content_key(None, "A@b.c", at, "Hi  there", "x")
    assert key == content_key("", "a@b.c", same, "Hi there", " x\n")
    assert key != content_key(None, "a@b.c", at, "Hi there!", "x")
    assert key != content_key(None, "a@b.c", at + timedelta(seconds=1), "Hi there", "x")
    assert key != content_key(None, "d@b.c", at, "Hi there", "x")
