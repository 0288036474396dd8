from __future__ import annotations

import pytest

from mailforensics.mime import decode_text
from mailforensics.mime.charsets import canonical, guess

CHINESE = "朱镕基在北京会见客人，讨论合同与付款的事项。请查收附件，谢谢您的支持与合作。"
TRADITIONAL = "請查收附件，謝謝您的支持與合作。會議時間改為下午三點，合約已經寄出。"
JAPANESE = "会議の資料を添付しますので、ご確認をお願いいたします。ありがとうございます。"
KOREAN = "회의 자료를 첨부하오니 확인하여 주시기 바랍니다. 감사합니다."


@pytest.mark.parametrize(
    ("declared", "codec"),
    [
        ("gb2312", "gb18030"),
        ('"GB2312"', "gb18030"),
        ("x-gbk", "gb18030"),
        ("HZ-GB-2312", "hz"),
        ("Big5", "cp950"),
        ("ks_c_5601-1987", "cp949"),
        ("Shift_JIS", "cp932"),
        ("ISO-8859-1", "cp1252"),
        ("iso-2022-jp", "iso2022_jp"),
        ("utf-8; format=flowed", "utf-8"),
        ("unknown-8bit", None),
        ("base64", None),
        ("punycode", None),
        ("idna", None),
        ("unicode_escape", None),
        ("rot13", None),
        ("../../etc", None),
        ("", None),
    ],
)
def test_names(declared, codec):
    assert canonical(declared) == codec


@pytest.mark.parametrize(
    ("text", "codec", "declared", "used"),
    [
        (CHINESE, "gb18030", "gb2312", "gb18030"),
        ("𠮷 ㌔ 朱镕基", "gb18030", "gbk", "gb18030"),
        ("你好，世界", "hz", "hz-gb-2312", "hz"),
        (TRADITIONAL, "cp950", "big5", "cp950"),
        ("香港㗎嘅", "big5hkscs", "big5", "big5hkscs"),
        (JAPANESE + "①㈱", "cp932", "shift_jis", "cp932"),
        (JAPANESE, "iso2022_jp", "iso-2022-jp", "iso2022_jp"),
        ("똠방각하 " + KOREAN, "cp949", "ks_c_5601-1987", "cp949"),
        ("“quoted” – €5", "cp1252", "iso-8859-1", "cp1252"),
        ("Hi 你", "utf-7", "utf-7", "utf-7"),
        ("plain", "ascii", "us-ascii", "ascii"),
    ],
)
def test_wider_sets_are_used_without_a_word(text, codec, declared, used):
    assert decode_text(text.encode(codec), declared) == (text, used, [])


@pytest.mark.parametrize(
    ("codec", "text"),
    [
        ("gb18030", CHINESE),
        ("utf-8", CHINESE),
        ("cp950", TRADITIONAL),
        ("cp932", JAPANESE),
        ("iso2022_jp", JAPANESE),
        ("cp949", KOREAN),
    ],
)
def test_unnamed_sets_are_found_by_the_bytes(codec, text):
    assert decode_text(text.encode(codec) * 3, None) == (text * 3, codec, ["charset_guessed"])


def test_utf8_under_another_name_is_seen():
    assert decode_text(CHINESE.encode(), "gb2312") == (CHINESE, "utf-8", ["charset_mismatch"])
    assert decode_text(JAPANESE.encode(), "iso-2022-jp")[1:] == ("utf-8", ["charset_mismatch"])
    assert decode_text("naïve café".encode(), "iso-8859-1")[1] == "utf-8"


def test_gbk_under_the_name_utf8_is_seen():
    text, used, defects = decode_text(CHINESE.encode("gbk"), "utf-8")
    assert (text, used, defects) == (CHINESE, "gb18030", ["charset_mismatch"])


def test_unknown_name():
    assert decode_text(CHINESE.encode(), "x-martian")[2] == ["charset_unknown"]
    assert decode_text(b"plain", "x-martian") == ("plain", "ascii", ["charset_unknown"])


def test_a_cut_sign_at_the_end_costs_one_sign_only():
    text, used, defects = decode_text(CHINESE.encode("gb18030")[:-1], "gb2312")
    assert text[:-1] == CHINESE[:-1]
    assert text[-1] == "\ufffd"
    assert (used, defects) == ("gb18030", ["undecodable_text"])


def test_a_damaged_byte_does_not_turn_utf8_into_nonsense():
    data = CHINESE.encode().replace("北".encode(), b"\xe5\x8c")
    text, used, _ = decode_text(data, "iso-2022-jp")
    assert used == "utf-8"
    assert "讨论合同与付款的事项" in text


def test_microsoft_signs_in_iso_2022_jp():
    assert decode_text(b"\x1b$B-!$3\x1b(B x", "iso-2022-jp")[0] == "①こ x"
    assert decode_text(b"\x1b(I1\x1b(B", "iso-2022-jp")[0] == "ｱ"


def test_few_bytes_without_a_name():
    assert guess("张三".encode("gbk")) == "gb18030"
    assert guess(b"caf\xe9") == "cp1252"
    assert guess(b"plain") == "ascii"
