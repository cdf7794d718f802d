"""Address lists are read as they are met."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.parsing import parse_addresses
from mailframe.records import Address

ANN = Address("Ann", "ann@example.org")
BARE = Address(None, "ann@example.org")


@pytest.mark.parametrize(
    ("raw", "addresses"),
    [
        ("Ann <ann@example.org>", (ANN,)),
        ("ann@example.org", (BARE,)),
        ("<ann@example.org>", (BARE,)),
        ("ann@example.org (Ann)", (ANN,)),
        ("Ann <ann@example.org> (on leave)", (ANN,)),
        ("Ann ann@example.org", (ANN,)),
        ("Ann <ann@example.org", (ANN,)),
        ("Ann <@relay.example:ann@example.org>", (ANN,)),
        ('"Doe, Ann" <ann@example.org>', (Address("Doe, Ann", "ann@example.org"),)),
        ('"A \\"B\\"" <ann@example.org>', (Address('A "B"', "ann@example.org"),)),
        ("=?utf-8?Q?J=C3=B6rg?= <ann@example.org>", (Address("Jörg", "ann@example.org"),)),
        ("=?utf-8?Q?Doe,_Ann?= <ann@example.org>", (Address("Doe, Ann", "ann@example.org"),)),
        ("Ann <ann@example.org>; ann@example.org", (ANN, BARE)),
        ("Team: Ann <ann@example.org>, ann@example.org;", (ANN, BARE)),
        ("undisclosed-recipients:;", ()),
        ("", ()),
        (" , ,", ()),
        ("root", (Address(None, "root"),)),
        ("Undisclosed Sender", (Address("Undisclosed Sender", None),)),
        ('"a b"@example.org', (Address(None, '"a b"@example.org'),)),
        ('"Ann" <"a b"@example.org>', (Address("Ann", '"a b"@example.org'),)),
        ("a=b@example.org", (Address(None, "a=b@example.org"),)),
        # quotes and brackets: too many, too few
        ("<<ann@example.org>>", (BARE,)),
        ("Ann <Ann <ann@example.org>>", (Address("Ann Ann", "ann@example.org"),)),
        ("Ann ann@example.org>", (ANN,)),
        ('"ann@example.org"', (BARE,)),
        ("'ann@example.org'", (BARE,)),
        ('Ann <"ann@example.org">', (ANN,)),
        ("Ann <'ann@example.org'>", (ANN,)),
        ("O'Neil <o'neil@example.org>", (Address("O'Neil", "o'neil@example.org"),)),
        ("MAILER-DAEMON <>", (Address("MAILER-DAEMON", None),)),
        # commas: too many, too few
        ("ann@example.org ann@example.org", (BARE, BARE)),
        ("Ann <ann@example.org> Ann <ann@example.org>", (ANN, ANN)),
        ("ann@example.org;ann@example.org;", (BARE, BARE)),
        ("Doe, Ann <ann@example.org>", (Address("Doe, Ann", "ann@example.org"),)),
        ("ann@example.org, D, A <a@b.c>", (BARE, Address("D, A", "a@b.c"))),
        ("=?utf-8?Q?D=C3=B6?=, Ann <ann@example.org>", (Address("Dö, Ann", "ann@example.org"),)),
        ("root, Ann <ann@example.org>", (Address(None, "root"), ANN)),
        ("Bob; Ann <ann@example.org>", (Address(None, "Bob"), ANN)),
        # blanks and comments, RFC 5322 section 4.4
        ("ann @ example . org", (BARE,)),
        ("Ann <ann@example(c).  org >", (ANN,)),
        ("Ann (at (home)) <ann@example.org>", (ANN,)),
        ("Ann (at home <ann@example.org>", (Address("Ann at home", "ann@example.org"),)),
        ("((((((((Ann <ann@example.org>", (ANN,)),
        ("Ann \\(x\\) <ann@example.org>", (Address("Ann (x)", "ann@example.org"),)),
        ("Ann <@a.example,@b.example:ann@example.org>", (ANN,)),
        # encoded words that hold more than a name
        ("=?utf-8?Q?Ann_=3Cann=40example=2Eorg=3E?=", (ANN,)),
        ("=?utf-8?Q?ann=40example=2Eorg?=", (BARE,)),
        ("=?utf-8?Q?A_=3Ca=40b=2Ec=3E?= <d@e.f>", (Address("A <a@b.c>", "d@e.f"),)),
        # as archives write it
        ("ann at example.org (Ann)", (ANN,)),
        ("ann at example dot org", (BARE,)),
        ("ann[at]example.org", (BARE,)),
        ("Ann <ann at example.org>", (ANN,)),
        ('"ann at example.org" <>', (BARE,)),
        ('"ann at example.org" <d@e.f>', (Address("ann at example.org", "d@e.f"),)),
        ("Ann at Work", (Address("Ann at Work", None),)),
        ("Ann at Work <ann@example.org>", (Address("Ann at Work", "ann@example.org"),)),
        ("The Team at Example.org", (Address("The Team at Example.org", None),)),
    ],
)
def test_addresses_are_read(raw: str, addresses: tuple[Address, ...]) -> None:
    assert parse_addresses(raw) == addresses


@pytest.mark.parametrize(
    "raw",
    [scrap * 50_000 for scrap in ('"', "(", "<", '"\\', '<"\\', "<()", "a ", "=?a?q?")]
    + ["a" + " " * 100_000 + "a", "<" + "()" * 50_000 + ">"],
    ids=range(10),
)
def test_hostile_fields_take_no_time(raw: str) -> None:
    assert len(parse_addresses(raw)) <= len(raw)


@given(st.binary() | st.text(alphabet='ab@<>"(),;: =?\\').map(str.encode))
def test_no_field_makes_it_raise_and_nothing_is_empty(raw: bytes) -> None:
    for address in parse_addresses(raw):
        assert "" not in (address.name, address.address)
        str(address).encode()


@pytest.mark.parametrize(
    ("address", "display"),
    [
        (None, None),
        ("ann@example.org", "ann@example.org"),
        ("ann@xn--bcher-kva.example", "ann@bücher.example"),
        ("ann@mail.XN--BCHER-KVA.Example", "ann@mail.bücher.Example"),
        ("ann@bücher.example", "ann@bücher.example"),
        ("xn--bcher-kva@example.org", "xn--bcher-kva@example.org"),
        ("ann@xn--wgv71a119e.jp", "ann@日本語.jp"),
        ("ann@xn--e1afmkfd.xn--p1ai", "ann@пример.рф"),
        ("ann@xn--hxajbheg2az3al.xn--jxalpdlp", "ann@παράδειγμα.δοκιμή"),
    ],
)
def test_an_international_domain_is_shown_in_its_script(
    address: str | None, display: str | None
) -> None:
    assert Address("Ann", address).display == display


@pytest.mark.parametrize(
    "domain",
    [
        pytest.param("xn--pple-43d.com", id="a Cyrillic letter among Latin ones"),
        pytest.param("xn--80ak6aa92e.com", id="Cyrillic letters that look Latin"),
        pytest.param("xn--ls8h.la", id="no letter"),
        pytest.param("xn--.example", id="nothing"),
        pytest.param("xn--zzzzzz--.example", id="no punycode"),
        pytest.param("xn--" + "9" * 59 + ".example", id="beyond Unicode"),
        pytest.param("xn--abc-.example", id="ASCII"),
        pytest.param("xn--" + "a" * 100 + ".example", id="too long"),
        pytest.param("xn--\xfc.example", id="not ASCII"),
    ],
)
def test_a_label_that_could_deceive_stays_as_sent(domain: str) -> None:
    assert Address(None, f"ann@{domain}").display == f"ann@{domain}"


@given(st.text(alphabet="xn-abz09kü.@"))
def test_every_address_has_a_display(address: str) -> None:
    assert Address(None, address).display is not None
    assert Address(None, f"a@xn--{address}").display


def test_a_comment_behind_a_group_is_nobody() -> None:
    assert parse_addresses("unlisted-recipients:; (no To-header on input)") == ()
    assert parse_addresses("Team: a@example.org; (all), b@example.org (Ben)") == (
        Address(None, "a@example.org"),
        Address("Ben", "b@example.org"),
    )
