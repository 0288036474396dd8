from __future__ import annotations

from pathlib import Path

import pytest

from mailforensics.errors import CorruptContainer
from mailforensics.pst import PstStore
from mailforensics.pst.amap import Allocation, AllocationMaps


def test_live_blocks_of_old_files_are_in_use(corpora: Path) -> None:
    """The maps of ANSI files begin four bytes later ([MS-PST] 2.2.2.7.2)."""
    seen = 0
    for path in sorted((corpora / "pst").iterdir()):
        try:
            store = PstStore.open(path)
        except CorruptContainer:
            continue
        with store:
            if store.layout.name != "ansi":
                continue
            allocation = AllocationMaps(memoryview(path.read_bytes()), store.layout)
            for block in store.blocks:
                verdict = allocation.state(block.offset, store.layout.span(block.stored))
                assert verdict is Allocation.IN_USE
                seen += 1
    if not seen:
        pytest.skip("no ANSI file")
    assert seen >= 100
