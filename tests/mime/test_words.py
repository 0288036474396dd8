from __future__ import annotations

import base64

import pytest

from mailforensics.mime import decode_header


def b64(text, charset):
    return base64.b64encode(text.encode(charset))


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain", "plain"),
        (b" folded\r\n\tline ", "folded line"),
        (b"=?gb2312?B?u7bTrcq508MgRm94bWFpbA==?=", "欢迎使用 Foxmail"),
        (b"=?UTF-8?q?a_b=C3=A9?=", "a bé"),
        (b"=?utf-8?Q?a b?= c", "a b c"),
        (b"=?utf-8?B?5L2g?=\r\n =?utf-8?B?5aW9?=", "你好"),
        (b"=?utf-8?B?5L2g?= and =?utf-8?B?5aW9?=", "你 and 好"),
        (b"re:=?gb2312?B?xOO6ww==?=x", "re:你好x"),
        (b"=?utf-8?B?5L2g5aW9?", "=?utf-8?B?5L2g5aW9?"),
        (b"=?utf-8?B?5L2g5aW9", "你好"),
        (b"=?utf-8*zh?B?5L2g?=", "你"),
        (b"=?utf-8?Q?What=3F_?Yes??=", "What? ?Yes?"),
        (b"=?iso-8859-1?q?=93x=94?=", "“x”"),
        (b'"=?utf-8?B?5L2g?="', '"你"'),
        (b"=? =?? ?= a=?b", "=? =?? ?= a=?b"),
        (b"=?utf-8?B??=", ""),
    ],
)
def test_values(raw, text):
    assert decode_header(raw)[0] == text


def test_signs_split_across_words_are_joined():
    data = "你好世界".encode()
    cut = [data[:4], data[4:7], data[7:]]
    raw = b"\r\n ".join(b"=?utf-8?B?" + base64.b64encode(piece) + b"?=" for piece in cut)
    assert decode_header(raw) == ("你好世界", [])
    raw = b" ".join(
        b"=?utf-8?Q?" + b"".join(b"=%02X" % byte for byte in piece) + b"?=" for piece in cut
    )
    assert decode_header(raw) == ("你好世界", [])


def test_base64_cut_inside_a_group_is_joined():
    coded = b64("关于合同的会议", "utf-8")
    raw = b"=?utf-8?B?" + coded[:10] + b"?= =?utf-8?B?" + coded[10:] + b"?="
    assert decode_header(raw) == ("关于合同的会议", [])


def test_missing_padding_is_repaired():
    assert decode_header(b"=?gb2312?B?" + b64("朱镕基", "gbk").rstrip(b"=") + b"?=")[0] == "朱镕基"


@pytest.mark.parametrize("codec", ["utf-8", "gb18030", "big5", "shift_jis"])
def test_raw_bytes_with_a_hint(codec):
    text = "會議"
    raw = text.encode(codec)
    assert decode_header(raw, codec) == (text, ["raw_8bit_header"])


def test_raw_bytes_without_a_hint():
    assert decode_header("代开各地增值税发票".encode("gbk"))[0] == "代开各地增值税发票"
    assert decode_header(b"\x1b$B$3$s\x1b(B x") == ("こん x", ["raw_8bit_header"])
    assert decode_header(b"caf\xe9")[0] == "café"


def test_raw_bytes_beside_words():
    raw = "你好 ".encode("gbk") + b"=?utf-8?B?5L2g?="
    assert decode_header(raw, "gb2312")[0] == "你好 你"


def test_unknown_set_and_control_signs():
    text, defects = decode_header(b"=?x-martian?B?YWJj?=")
    assert (text, defects) == ("abc", ["charset_unknown"])
    assert decode_header(b"=?utf-8?Q?a=0D=0ABcc:_x?=")[0] == "a Bcc: x"
