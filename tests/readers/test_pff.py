"""libpff as the second reader: what it can give, and what it cannot."""

from __future__ import annotations

from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from mailforensics.mapi.rebuild import assemble
from mailforensics.readers.heap import heap_properties
from mailforensics.readers.pff import message_of, opened


@given(st.binary(max_size=400))
def test_no_heap_makes_it_fail(data):
    with suppress(OSError):
        heap_properties(b"\x0c\x00\xec\xbc\x20\x00\x00\x00" + data, 8176)


def test_embedded_rebuild_names_what_is_out_of_reach(corpora):
    path = next((corpora / "pst").glob("*submessage*"))
    with opened(path) as store:
        folders = [store.file.root_folder]
        items = []
        while folders and not items:
            folder = folders.pop()
            folders += list(folder.sub_folders)
            items = list(folder.sub_messages)
        result = assemble(message_of(items[0], store))
    inner, rebuilt = result.children[0]
    assert inner.subject == "This is an embedded message"
    assert b"This is the body of an embedded message" in rebuilt.raw
    assert "recipients_missing" in rebuilt.defects
