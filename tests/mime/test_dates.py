from __future__ import annotations

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailforensics.mime import parse_date


@pytest.mark.parametrize(
    ("text", "moment", "offset"),
    [
        ("Thu, 29 Oct 2020 21:21:01 +0100 (CET)", (2020, 10, 29, 20, 21, 1), 60),
        ("29 Oct 20 21:21 EST", (2020, 10, 30, 2, 21), -300),
        ("29 Oct 99 21:21:00 GMT", (1999, 10, 29, 21, 21), 0),
        ("Tue, 5 Mar 102 10:00:00 +0800", (2002, 3, 5, 2), 480),
        ("1 Jan 2001 10:00:00 -0000", (2001, 1, 1, 10), None),
        ("1 Jan 2001 10:00:00", (2001, 1, 1, 10), None),
        ("1 Jan 2001 10:00:00 XYZ", (2001, 1, 1, 10), None),
        ("Wed Sep  4 12:00:00 2002", (2002, 9, 4, 12), None),
        ("Wed Sep  4 12:00:00 EDT 2002", (2002, 9, 4, 16), -240),
        ("2003-01-02T03:04:05Z", (2003, 1, 2, 3, 4, 5), 0),
        ("2003-01-02 03:04:05 +08:00", (2003, 1, 1, 19, 4, 5), 480),
        ("2003年1月2日 星期四 下午 3:04 +0800", (2003, 1, 2, 7, 4), 480),
        ("Mon, 1 Jan 2001 00:00:60 +0000", (2001, 1, 1, 0, 1), 0),
        ("Thu, 1 Jan 1970 00:00:00 +0000", (1970, 1, 1), 0),
        ("Tue, 5 Mar 2019 10:00:00 GMT+08:00", (2019, 3, 5, 2), 480),
        ("Tue, 5 Mar 2019 10:00:00 +0545", (2019, 3, 5, 4, 15), 345),
        ("Thursday, April 09, 2003 9:00 PM", (2003, 4, 9, 21), None),
        ("Fri, 21 Nov 1997 09(comment):   55  :  06 -0600", (1997, 11, 21, 15, 55, 6), -360),
    ],
)
def test_dates(text, moment, offset):
    assert parse_date(text) == (datetime(*moment, tzinfo=UTC), offset)


@pytest.mark.parametrize(
    "text",
    ["", "x", "<HR>", "%date%", "Mon, 31 Feb 2001 10:00:00 GMT", "1 Jan 2001 25:00:00 GMT",
     "1 Jan 2001 10:00:00 +9999", "Sun, 30 Nov 0002 00:00:00 -0800", "1 Foo 2001 10:00:00 GMT"],
)  # fmt: skip
def test_what_is_no_date_stays_none(text):
    assert parse_date(text) == (None, None)


@given(
    st.datetimes(datetime(1971, 1, 2), datetime(2099, 1, 1), timezones=st.timezones()),  # noqa: DTZ001
)
def test_the_standard_library_agrees(moment):
    text = moment.replace(microsecond=0).strftime("%a, %d %b %Y %H:%M:%S %z")[:31]
    at, _ = parse_date(text)
    assert at == parsedate_to_datetime(text).replace(
        tzinfo=parsedate_to_datetime(text).tzinfo or UTC
    )


@given(st.text(max_size=400))
def test_any_text_is_taken(text):
    at, offset = parse_date(text)
    assert at is None or at.tzinfo is UTC
    assert offset is None or at is not None
