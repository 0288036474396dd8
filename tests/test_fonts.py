from __future__ import annotations

import matplotlib as mpl
import pytest

from mailforensics import fonts


@pytest.fixture
def without_chinese(monkeypatch):
    monkeypatch.setattr(fonts, "cjk_family", lambda: None)
    fonts._signs.cache_clear()
    yield
    fonts._signs.cache_clear()


def test_the_first_installed_family_is_chosen(monkeypatch):
    class Entry:
        def __init__(self, name):
            self.name = name

    names = [Entry("SimHei"), Entry("Noto Sans CJK SC"), Entry("DejaVu Sans")]
    monkeypatch.setattr("matplotlib.font_manager.fontManager.ttflist", names)
    fonts.cjk_family.cache_clear()
    try:
        assert fonts.cjk_family() == "Noto Sans CJK SC"
    finally:
        fonts.cjk_family.cache_clear()


def test_settings_last_only_inside_the_block():
    before = mpl.rcParams["font.family"]
    with fonts.used():
        assert mpl.rcParams["font.family"][0] == "DejaVu Sans"
        assert not mpl.rcParams["text.parse_math"]
    assert mpl.rcParams["font.family"] == before


def test_status_names_the_font_or_how_to_get_one(without_chinese):
    assert "fonts-noto-cjk" in fonts.status()
    assert fonts.settings()["font.family"] == ["DejaVu Sans"]


def test_apply_sets_and_says():
    with mpl.rc_context():
        assert fonts.apply() == fonts.status()
        assert mpl.rcParams["font.family"] == fonts.settings()["font.family"]


def test_text_that_no_font_holds_is_replaced(without_chinese):
    assert fonts.drawable("王伟", "person 1") == "person 1"
    assert fonts.drawable("王伟 wang@h.example", "person 1") == "wang@h.example"
    assert fonts.drawable("sales$a$", "x") == "sales$a$"
    assert fonts.drawable("a\u202eb\x00\nc", "x") == "abc"
    assert fonts.drawable("", "x") == "x"


def test_chinese_is_kept_when_a_font_holds_it():
    if fonts.cjk_family() is None:
        pytest.skip("no font with Chinese characters is installed")
    assert fonts.drawable("华阳阀门", "x") == "华阳阀门"
    assert fonts.drawable("\U00013000", "face") == "face"
    assert fonts.status().endswith(f"{fonts.cjk_family()}.")
