from __future__ import annotations

from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
CORPORA = ROOT.parent / "shared" / "corpora"


@pytest.fixture(scope="session")
def corpora() -> Path:
    """The folder of real mail files, which lies beside the checkout on some machines."""
    if not CORPORA.is_dir():
        pytest.skip("the corpora are not on this machine")
    return CORPORA
