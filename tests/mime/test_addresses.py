from __future__ import annotations

import base64

import pytest

from mailforensics.mime import addresses


@pytest.mark.parametrize(
    ("raw", "found"),
    [
        (b"a@b.c", [("", "a@b.c")]),
        (b"Li Na <l@n.cn>", [("Li Na", "l@n.cn")]),
        (b'"Doe, John" <j@x.y>, b@c.d (Bob)', [("Doe, John", "j@x.y"), ("Bob", "b@c.d")]),
        (b'T: a@b.c, "X" <d@e.f>;, g@h.i', [("", "a@b.c"), ("X", "d@e.f"), ("", "g@h.i")]),
        (b"undisclosed-recipients:;", []),
        (b"", []),
        (b"<>", []),
        (b", ,", []),
        (b"John <j@x.y, k@z.w", [("John", "j@x.y"), ("", "k@z.w")]),
        (b"<@r1,@r2:j@x.y>", [("", "j@x.y")]),
        (b"root", [("", "root")]),
        (b"John Doe", [("John Doe", "")]),
        (b"=?utf-8?Q?M=C3=BCller,_H?= <h@m.de>, x@y.z", [("Müller, H", "h@m.de"), ("", "x@y.z")]),
        (b'"=?gb2312?B?wO7EyA==?=" <x@y.z>', [("李娜", "x@y.z")]),
        (b'"very \\"quoted\\"" <q@r.s>', [('very "quoted"', "q@r.s")]),
        (b'"a b"@c.d', [("", '"a b"@c.d')]),
        (b"a @ b . c", [("", "a@b.c")]),
        (b"a@b.c; d@e.f", [("", "a@b.c"), ("", "d@e.f")]),
        (b"Foo Bar a@b.c", [("Foo Bar", "a@b.c")]),
        (b"x (one (two) three) <a@b.c>", [("x", "a@b.c")]),
        ("李娜 <l@n.cn>".encode("gbk"), [("李娜", "l@n.cn")]),
        ("张三＜z@b.cn＞，李四＜l@b.cn＞".encode(), [("张三", "z@b.cn"), ("李四", "l@b.cn")]),
        ("李，王 <l@n.cn>".encode(), [("李，王", "l@n.cn")]),
    ],
)
def test_addresses(raw, found):
    assert addresses(raw) == found


def test_name_and_address_in_one_word():
    raw = b"=?utf-8?B?" + base64.b64encode("李娜 <l@n.cn>".encode()) + b"?="
    assert addresses(raw) == [("李娜", "l@n.cn")]


def test_a_long_list_keeps_everybody():
    raw = b",\r\n ".join(b'"Person, %d" <p%d@x.y>' % (n, n) for n in range(3000))
    found = addresses(raw)
    assert len(found) == 3000
    assert found[2999] == ("Person, 2999", "p2999@x.y")


def test_the_answer_is_the_callers_own():
    addresses(b"a@b.c").clear()
    assert addresses(b"a@b.c") == [("", "a@b.c")]
