from __future__ import annotations

import mailforensics
from tests.test_imports import rank


def test_all_is_sorted_and_complete() -> None:
    assert list(mailforensics.__all__) == sorted(mailforensics.__all__, key=rank)
    for name in mailforensics.__all__:
        assert getattr(mailforensics, name) is not None


def test_names_of_the_design_are_there() -> None:
    promised = {"open_case", "new_case", "deleted_messages", "Case", "__version__"}
    assert promised <= set(mailforensics.__all__)
