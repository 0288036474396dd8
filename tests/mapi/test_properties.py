from __future__ import annotations

import struct
from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailforensics.mapi import Property, PropertyBag, PropertyType, Tag, filetime, property_names
from mailforensics.mapi.codepages import CODE_PAGES, charset_of, codec_of, locale_code_page
from tests.mapi.builders import integer, moment, string8


@pytest.mark.parametrize(
    "when",
    [
        datetime(1601, 1, 1, tzinfo=UTC),
        datetime(1970, 1, 1, tzinfo=UTC),
        datetime(4501, 1, 1, tzinfo=UTC),
    ],
)
def test_stand_ins_for_no_date_are_no_date(when):
    assert filetime(moment(when).data) is None


@given(st.binary(max_size=12))
def test_any_time_value_is_a_real_date_or_none(data):
    found = filetime(data)
    assert found is None or 1970 <= found.year < 2200


def test_times_keep_their_microseconds():
    ticks = 134_000_000_000_000_010
    assert filetime(struct.pack("<Q", ticks)).microsecond == 1


@given(st.binary(max_size=64), st.binary(max_size=160), st.binary(max_size=64))
def test_names_of_damaged_maps_stay_inside_their_streams(guids, entries, strings):
    found = property_names(guids, entries, strings)
    assert all(0x8000 <= tag < 0x10000 for tag in found)


def test_names_are_read_by_number_and_by_text():
    guid = bytes.fromhex("0820060000000000c000000000000046")
    entries = struct.pack("<IHH", 0x8560, 3 << 1, 0) + struct.pack("<IHH", 0, 2 << 1 | 1, 1)
    strings = struct.pack("<I", 8) + "Keys".encode("utf-16-le")
    assert property_names(guid, entries, strings) == {
        0x8000: ("00062008-0000-0000-c000-000000000046", 0x8560),
        0x8001: ("00020329-0000-0000-c000-000000000046", "Keys"),
    }


def test_code_page_of_strings_is_settled_by_message_then_store_then_locale():
    text = "合同"
    bag = PropertyBag({Tag.SUBJECT: string8(text.encode("gb18030"))})
    bag.values[Tag.MESSAGE_LOCALE_ID] = integer(0x804)
    assert bag.text(Tag.SUBJECT) == text
    bag.values[Tag.MESSAGE_CODEPAGE] = integer(936)
    bag.code_page = 1251
    assert bag.text(Tag.SUBJECT) == text
    assert PropertyBag({1: string8(text.encode())}).text(1) == text


@given(st.integers(0, 0xFFFF), st.binary(max_size=20))
def test_no_value_of_any_type_raises(kind, data):
    bag = PropertyBag({1: Property(kind, data, (data,))})
    bag.integer(1), bag.flag(1), bag.moment(1), bag.number(1), bag.binary(1), bag.text(1)
    bag.texts(1)


def test_code_pages_name_real_codecs():
    lacking = [page for page in CODE_PAGES if codec_of(page) is None]
    assert lacking == []
    assert codec_of(936) == "gb18030"
    assert charset_of(65001) == "utf-8"
    assert (locale_code_page(0x404), locale_code_page(0x804), locale_code_page(0x409)) == (
        950,
        936,
        1252,
    )
    assert codec_of(None) is None
    assert PropertyType.STRING == 0x1F
