from __future__ import annotations

import base64
import csv
import hashlib
import json

import dkim
import pytest
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519, rsa
from dkim.canonicalization import CanonicalizationPolicy
from hypothesis import given, settings
from hypothesis import strategies as st

from mailforensics.checks.base import Item
from mailforensics.checks.dkim_body import DkimBody
from mailforensics.checks.dkim_keys import Key, KeyRing, read_keys
from mailforensics.checks.dkim_signature import DkimSignature
from mailforensics.checks.signatures import body_forms, canonical_body, match_body, signatures
from mailforensics.errors import CaseError
from mailforensics.schema import Completeness, RawKind
from tests.checks.frames import Case, letter, whole

DER, PEM = serialization.Encoding.DER, serialization.Encoding.PEM


def rsa_key(bits):
    return rsa.generate_private_key(65537, bits)


KEY = rsa_key(2048)
OTHER = rsa_key(1024)


def private(key):
    return key.private_bytes(
        PEM, serialization.PrivateFormat.TraditionalOpenSSL, serialization.NoEncryption()
    )


def record(key, extra=""):
    der = key.public_key().public_bytes(DER, serialization.PublicFormat.SubjectPublicKeyInfo)
    return f"v=DKIM1; k=rsa; {extra}p={base64.b64encode(der).decode()}"


def signed(raw=None, *, key=KEY, form=b"relaxed", **more):
    raw = letter("Hello  \r\n\tworld.\r\n\r\n") if raw is None else raw
    return (
        dkim.sign(
            raw, b"s1", b"huayang.example", private(key), canonicalize=(b"relaxed", form), **more
        )
        + raw
    )


@pytest.fixture
def keys(tmp_path):
    def write(txt=None, **more):
        row = {"domain": "huayang.example", "selector": "s1", "txt": txt or record(KEY)} | more
        path = tmp_path / f"keys{len(list(tmp_path.iterdir()))}.json"
        path.write_text(json.dumps([row]))
        return path

    return write


def one(check, raw, *, path=None, **changed):
    case = Case().add(raw, **changed)
    results = case.run(check, items=case.messages()["item_id"], keys=path)
    row = results[results["item_id"].notna()].iloc[0]
    assert whole(results, check)["status"] == row["status"]
    return row["status"], f"{row['summary']} {row['detail']}"


@pytest.mark.parametrize("form", [b"simple", b"relaxed"])
@pytest.mark.parametrize(
    "change",
    [
        lambda raw: raw,
        lambda raw: raw.replace(b"\r\n", b"\n"),
        lambda raw: raw + b"\r\n\r\n\r\n",
        lambda raw: raw.rstrip(b"\r\n"),
        lambda raw: b"From MAILER-DAEMON Thu Nov 12 09:38:00 2026\n" + raw.replace(b"\r\n", b"\n"),
    ],
    ids=["as sent", "LF", "blank lines", "no last line end", "mbox"],
)
def test_a_body_as_signed_passes(form, change, keys):
    raw = change(signed(form=form))
    status, said = one("dkim_body", raw)
    assert status == "pass", said
    assert "huayang.example (selector s1)" in said
    status, said = one("dkim_signature", raw, path=keys())
    assert status == "pass", said


def test_what_an_mbox_did_to_lines_is_undone():
    raw = signed(letter("Hi\r\nFrom here on\r\n")).replace(b"\r\nFrom here", b"\r\n>From here")
    status, said = one("dkim_body", raw)
    assert status == "pass"
    assert "with >From undone" in said


def test_a_changed_body_fails_both(keys):
    raw = signed().replace(b"world", b"w0rld")
    assert one("dkim_body", raw)[0] == "fail"
    status, said = one("dkim_signature", raw, path=keys())
    assert status == "fail"
    assert "the body is not the one" in said


def test_a_changed_header_fails_the_signature_alone(keys):
    raw = signed().replace(b"HY-2026-0417", b"HY-2026-0418")
    assert one("dkim_body", raw)[0] == "pass"
    status, said = one("dkim_signature", raw, path=keys())
    assert status == "fail"
    assert "the signed headers have changed" in said


def test_lines_appended_below_a_covered_part_are_told(keys):
    raw = signed(length=True) + b"Pay to another account.\r\n"
    status, said = one("dkim_body", raw)
    assert status == "warn"
    assert "are not covered" in said
    status, said = one("dkim_signature", raw, path=keys())
    assert status == "warn"
    assert "27 bytes of the body are not covered" in said


def test_a_cut_body_below_its_length_tag_fails():
    raw = signed(letter("line one\r\n" * 9), length=True)
    assert one("dkim_body", raw[:-30])[0] == "fail"


def test_reasons_why_it_does_not_apply(keys):
    for raw, changed, said in (
        (letter(), {}, "carries no DKIM signature"),
        (signed(), {"raw_kind": RawKind.REBUILT_FROM_MAPI}, "built from stored properties"),
        (None, {}, "bytes are gone"),
    ):
        for check in ("dkim_body", "dkim_signature"):
            status, text = one(check, raw, path=keys(), **changed)
            assert status == "not_applicable"
            assert said in text
    status, text = one("dkim_signature", signed())
    assert status == "not_applicable"
    assert "Wanted: huayang.example (selector s1)" in text


def test_a_part_of_a_message_is_no_forgery():
    raw = signed().replace(b"world", b"")
    assert one("dkim_body", raw, completeness=Completeness.PARTIAL)[0] == "warn"


def test_reservations(keys):
    weak = signed(key=OTHER)
    status, said = one("dkim_signature", weak, path=keys(record(OTHER)))
    assert status == "pass", said
    status, said = one("dkim_signature", signed(), path=keys(record(KEY, "t=y; ")))
    assert status == "warn"
    assert "only tests DKIM" in said


def test_a_short_key_is_told_of(keys, monkeypatch):
    monkeypatch.setattr("mailforensics.checks.dkim_signature.WEAK_BITS", 2049)
    status, said = one("dkim_signature", signed(), path=keys())
    assert status == "warn"
    assert "only 2048 bits" in said


def test_a_wrong_or_broken_key_fails_in_words(keys):
    assert one("dkim_signature", signed(), path=keys(record(OTHER)))[0] == "fail"
    for txt in ("v=DKIM1; p=AAAA", "nonsense", "v=DKIM1; k=rsa; p=!!!", "v=DKIM1; p=", "p=é"):
        status, said = one("dkim_signature", signed(), path=keys(txt))
        assert status == "fail"
        assert "cannot be verified" in said, txt


def test_an_expired_signature_of_the_past_still_verifies(keys):
    raw = letter()
    sign = dkim.DKIM(raw)
    head = sign.sign(b"s1", b"huayang.example", private(KEY))
    assert b"; t=" in head

    # Signed again with an expiry long past, as it stands on mail of the time.
    class Past(dkim.DKIM):
        def gen_header(self, fields, *rest, **more):
            changed = [(n, b"1000000000" if n == b"t" else v) for n, v in fields]
            place = [n for n, _ in changed].index(b"t")
            changed.insert(place + 1, (b"x", b"1000600000"))
            return super().gen_header(changed, *rest, **more)

    old = Past(raw).sign(b"s1", b"huayang.example", private(KEY)) + raw
    assert b"x=1000600000" in old
    assert one("dkim_signature", old, path=keys())[0] == "pass"


def test_ed25519(keys):
    pytest.importorskip("nacl")
    key = ed25519.Ed25519PrivateKey.generate()
    seed = base64.b64encode(
        key.private_bytes(
            serialization.Encoding.Raw,
            serialization.PrivateFormat.Raw,
            serialization.NoEncryption(),
        )
    )
    public = base64.b64encode(
        key.public_key().public_bytes(serialization.Encoding.Raw, serialization.PublicFormat.Raw)
    ).decode()
    raw = letter()
    raw = dkim.sign(
        raw, b"s1", b"huayang.example", seed, signature_algorithm=b"ed25519-sha256"
    ) + raw  # fmt: skip
    assert one("dkim_signature", raw, path=keys(f"v=DKIM1; k=ed25519; p={public}"))[0] == "pass"
    changed = raw.replace(b"0417", b"0418")
    assert one("dkim_signature", changed, path=keys(f"v=DKIM1; k=ed25519; p={public}"))[0] == "fail"


def test_of_two_signatures_one_that_verifies_is_enough(keys):
    relayed = b"DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/simple; d=list.example; s=x;\r\n" \
        b" h=from; bh=AAAA; b=AAAA\r\n" + signed()  # fmt: skip
    assert one("dkim_body", relayed)[0] == "pass"
    assert one("dkim_signature", relayed, path=keys())[0] == "pass"


def test_no_name_is_ever_looked_up(keys, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the network was asked")

    monkeypatch.setattr("socket.socket.connect", refuse)
    monkeypatch.setattr("socket.getaddrinfo", refuse)
    monkeypatch.setattr(dkim, "get_txt", refuse)
    assert one("dkim_signature", signed(), path=keys())[0] == "pass"
    assert one("dkim_signature", signed(), path=keys(selector="s2"))[0] == "not_applicable"


def test_key_files(tmp_path):
    rows = [{"domain": "A.example.", "selector": "S", "txt": '"v=DKIM1; " "p=AA"', "source": "z"}]
    path = tmp_path / "k.csv"
    with path.open("w", newline="") as stream:
        writer = csv.DictWriter(stream, fieldnames=list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    found = read_keys(path).find("a.EXAMPLE", "s")
    assert found == [Key("a.example", "s", "v=DKIM1; p=AA", source="z")]
    (tmp_path / "k.json").write_text(json.dumps({"keys": rows}))
    assert read_keys(tmp_path / "k.json").find("a.example", "s") == found
    for text in ("", "{}", "[1]", '[{"domain": 3}]', "[" * 100_000):
        (tmp_path / "bad.json").write_text(text)
        with pytest.raises(CaseError):
            read_keys(tmp_path / "bad.json")
    with pytest.raises(CaseError):
        read_keys(tmp_path / "absent.json")


def test_the_testing_flag():
    assert Key("d", "s", "v=DKIM1; t=y; p=AA").testing
    assert Key("d", "s", "v=DKIM1; t=s:y; p=AA").testing
    assert not Key("d", "s", "v=DKIM1; t=s; p=yy").testing
    assert not Key("d", "s", "v=DKIM1; p=yt=y").testing


LINES = st.lists(st.text("ab \t", max_size=6).map(lambda text: text.encode() + b"\r\n"), max_size=8)


@given(LINES, st.sampled_from(["simple", "relaxed"]))
@settings(max_examples=300, deadline=None)
def test_canonical_bodies_are_those_of_another_program(lines, form):
    body = b"".join(lines)
    policy = CanonicalizationPolicy.from_c_value(f"simple/{form}".encode())
    mine = canonical_body(body, form)
    assert mine == policy.canonicalize_body(body)
    assert canonical_body(mine, form) == mine


@given(st.binary(max_size=300))
@settings(max_examples=200, deadline=None)
def test_any_header_is_a_signature_or_has_a_trouble(data):
    raw = b"DKIM-Signature: v=1; a=rsa-sha256; d=x; s=y; bh=AA==; " + data + b"\r\n\r\nbody"
    for each in signatures(Item(row={}, raw=raw)):
        assert each.trouble is None or each.trouble


@given(st.binary(max_size=60), st.integers(0, 500))
@settings(max_examples=80, deadline=None)
def test_any_damage_gives_a_verdict(noise, place):
    raw = SIGNED[:place] + noise + SIGNED[place + len(noise) :]
    check = ALL_KEYS
    item = Item(row={"raw_kind": "original", "completeness": "complete", "item_id": "i"}, raw=raw)
    assert check.judge(item).summary


def _with_keys():
    check = DkimSignature()
    check.keys = KeyRing([Key("huayang.example", "s1", record(KEY))])
    return check


SIGNED = signed()
ALL_KEYS = _with_keys()


def test_a_million_spaces_take_no_time(keys):
    import time

    raw = signed(letter("Hello" + " " * 500 + "x\r\n"))
    start = time.perf_counter()
    one("dkim_signature", raw + b" " * 1_000_000 + b"x\r\n", path=keys())
    one("dkim_body", letter(" " * 2_000_000, headers=["DKIM-Signature: " + "a= " * 3]))
    assert time.perf_counter() - start < 3


def test_real_signatures_have_the_verdict_of_another_program(corpora):
    check, passed, compared = DkimBody(), 0, 0
    for path in sorted(path for path in (corpora / "eml").rglob("*.eml") if path.is_file()):
        raw = path.read_bytes()
        if b"dkim-signature:" not in raw.lower():
            continue
        item = Item(row={"raw_kind": "original", "completeness": "complete"}, raw=raw)
        passed += check.judge(item).status == "pass"
        try:
            body = dkim.rfc822_parse(raw[len(raw) - len(raw.lstrip(b"\r\n")) :])[1]
        except (dkim.MessageFormatError, IndexError):  # it reads fewer messages
            continue
        for each in signatures(item):
            if each.trouble is None:
                policy = CanonicalizationPolicy.from_c_value(f"simple/{each.body_form}".encode())
                theirs = policy.canonicalize_body(body)[: each.length]
                name = "sha1" if each.algorithm.endswith("sha1") else "sha256"
                same = hashlib.new(name, theirs).digest() == each.body_hash
                assert same == (match_body(each, [next(body_forms(item))]) is not None), path
                compared += 1
    assert passed >= 30
    assert compared >= 100
