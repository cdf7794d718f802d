"""A header block becomes Headers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.parsing import headers as headers_module
from mailframe.parsing import parse_headers, parse_list_unsubscribe
from mailframe.parsing.headers import iter_fields, parse_ids
from mailframe.records import Address

BLOCK = b"""\
From: =?utf-8?Q?J=C3=B6rg?= <joerg@example.org>\r
To: a@example.org,\r
\tBob <b@example.org>\r
Subject: A long\r
 subject\r
Subject: the second\r
Date: Mon, 1 Jan 2024 10:00:00 +0000\r
Message-ID: <1@example.org>\r
In-Reply-To: <0@example.org> <other@example.org>\r
References: <x@example.org>\r
 <0@example.org>\r
List-Id: "The list" <list.example.org>\r
List-Unsubscribe: <mailto:off@example.org>\r
Delivered-To: one@example.org\r
Delivered-To: two@example.org\r
Cc:\r
\r
"""


@pytest.mark.parametrize("block", [BLOCK, BLOCK.replace(b"\r", b"")], ids=["crlf", "lf"])
def test_every_field_is_read(block: bytes) -> None:
    headers = parse_headers(block, extra={"delivered-to"})
    assert headers.from_ == (Address("Jörg", "joerg@example.org"),)
    assert headers.to == (Address(None, "a@example.org"), Address("Bob", "b@example.org"))
    assert headers.subject == "A long subject"
    assert headers.date == datetime(2024, 1, 1, 10, tzinfo=UTC)
    assert headers.utc_offset == 0
    assert headers.message_id == "1@example.org"
    assert headers.in_reply_to == "0@example.org"
    assert headers.references == ("x@example.org", "0@example.org")
    assert headers.list_id == "list.example.org"
    assert headers.list_unsubscribe == "<mailto:off@example.org>"
    expected = (("delivered-to", "one@example.org"), ("delivered-to", "two@example.org"))
    assert headers.extra == expected
    assert headers.cc == ()
    assert headers.bcc is None
    assert headers.defects == ()


def test_missing_and_empty_differ() -> None:
    assert parse_headers(b"\r\n").subject is None
    assert parse_headers(b"Subject:\r\n\r\n").subject == ""
    assert parse_headers(b"Message-ID: <>\r\n").message_id == ""


def test_what_cannot_be_read_is_none_and_noted() -> None:
    headers = parse_headers(b"Date: someday\r\nIn-Reply-To: your mail of Monday\r\nnonsense\r\n")
    assert headers.date is None
    assert headers.in_reply_to is None
    assert headers.defects == (
        "no header field: nonsense",
        "unreadable date: someday",
        "unreadable In-Reply-To: your mail of Monday",
    )


def test_the_line_that_an_mbox_adds_is_passed_over() -> None:
    headers = parse_headers(b"From a@example.org Mon Jan  1 10:00:00 2024\nSubject: Hi\n\n")
    assert (headers.subject, headers.defects) == ("Hi", ())


def test_raw_text_is_read_in_the_charset_of_the_message() -> None:
    block = 'Subject: Zażółć\nContent-Type: text/plain; charset="iso-8859-2"\n\n'
    assert parse_headers(block.encode("iso-8859-2")).subject == "Zażółć"


@given(st.binary() | st.text().map(lambda text: b"Subject: " + text.encode()))
def test_no_bytes_make_it_raise(block: bytes) -> None:
    headers = parse_headers(block, extra={"x"})
    for text in (headers.subject, headers.message_id, *headers.defects):
        (text or "").encode()


@given(
    st.sampled_from(["From", "Date", "Message-ID", "References", "List-Id", "Content-Type", "X"]),
    st.binary(),
)
def test_no_value_makes_it_raise(name: str, value: bytes) -> None:
    repr(parse_headers(name.encode() + b": " + value, extra={"x"})).encode()


@pytest.mark.parametrize("scrap", ["<", "< ", " ", "a", '"', '"\\', "=?a?q?", ";a", "a=", "("])
def test_hostile_fields_take_no_time(scrap: str) -> None:
    value = (scrap * 100_000).encode()
    for name in (b"References", b"List-Id", b"Subject", b"Date", b"Content-Type"):
        headers = parse_headers(name + b": x/y; " + value + b"\r\n z\r\n")
        assert len(headers.defects) <= 2


@pytest.mark.parametrize(
    ("block", "subject"),
    [
        (b"Subject: a\r\n\tb\r\n", "a b"),
        (b"Subject: a \r\n  b\r\n \r\n c\r\n", "a b c"),
        (b"Subject:\r\n a\r\n", "a"),
        (b"Subject : a\r\n", "a"),
        (b"SUBJECT:a\r\n", "a"),
        (b"Subject: =?utf-8?B?R3I\r\n =?=\r\n", "Gr"),
        (b"Subject: =?utf-8?Q?a\r\n b\r\n\tc?=\r\n d\r\n", "abc d"),
        (b"Subject: a\nX: b\n\nSubject: body\n", "a"),
        (b"Subject: a\r\nX: b\r\n\r\nSubject: body\r\n", "a"),
    ],
)
def test_a_field_is_unfolded(block: bytes, subject: str) -> None:
    headers = parse_headers(block)
    assert (headers.subject, headers.defects) == (subject, ())


def test_a_line_that_is_no_field_costs_only_itself() -> None:
    fields, defects = iter_fields(b" lost\r\nA: 1\r\nnonsense\r\n more\r\nB: 2\r\n")
    assert fields == [("A", "1"), ("B", "2")]
    assert defects == ["no header field: lost", "no header field: nonsense more"]


def test_what_changes_no_value_is_no_defect() -> None:
    block = (
        b"\r\n \r\nDate: Mon, 1 Jan 2024 10:00 -0000\r\nFrom: Ann <ann@example.org\r\n"
        b"Subject: =?x-none?q?plain?= =?iso-8859-2?q?Gr=C3=BCn?=\r\nMessage-ID: 1@example.org\r\n"
        b"Subject: again\r\nContent-Type: text/plain charset=x\r\n"
    )
    headers = parse_headers(block)
    assert headers.subject == "plainGr\u0102\u017an"
    assert headers.defects == ()


def test_what_cannot_be_shown_is_noted() -> None:
    headers = parse_headers(b"Subject: =?utf-8?q?a=FFb?=\r\n")
    assert headers.subject == "a\ufffdb"
    assert headers.defects == ("unreadable characters in Subject",)


@pytest.mark.parametrize(
    ("block", "defect"),
    [
        (b"Subject: " + b"a" * 2_000_000, "header cut at 1,000,000 bytes"),
        (b"Subject: x\r\n" + b"a:\r\n" * 20_000, "header cut at 10,000 fields"),
        (b"Subject: " + b"a" * 500_000, "subject cut at 200,000 characters"),
        (b"Subject: x\r\n" + b"X: a\r\n" * 2_000, "further fields cut at 1,000"),
        (b"Subject: x\r\nTo: " + b"a@b.c," * 50_000, "to cut at 150,000 characters"),
        (b"Subject: x\r\n" + b"junk\r\n" * 5_000, "no header field: 4,990 more lines"),
    ],
    ids=["bytes", "fields", "value", "extra", "people", "junk"],
)
def test_a_monstrous_header_is_cut_and_noted(block: bytes, defect: str) -> None:
    headers = parse_headers(block, extra={"x"})
    assert headers.subject
    assert defect in headers.defects
    assert len(headers.defects) <= 11
    assert len(iter_fields(block)[0]) <= 10_000


def test_a_cut_splits_no_character() -> None:
    [(_, value)], _ = iter_fields(b"Subject:" + "ü".encode() * 1_000_000 + b"\n")
    assert value == "ü" * 499_996
    [(_, value)], _ = iter_fields(b"Subject: " + "ü".encode() * 1_000_000 + b"\n")
    assert value == "ü" * 499_995


def test_all_address_fields_share_what_is_looked_at() -> None:
    people = b"a@example.org," * 10_000
    headers = parse_headers(b"To: " + people + b"\r\nCc: " + people + b"\r\n")
    assert headers.to is not None
    assert headers.cc is not None
    assert len(headers.to) == 10_000
    assert len(headers.cc) == 10_000 // len(b"a@example.org,") + 1
    assert headers.defects == ("cc cut at 10,000 characters",)


SCRAPS = [
    b"=?utf-8?q?", b"=?utf-8?q?x?= ", b"<", b"<<", b"(", b"()", b"(a", b'"', b'"\\', b",", b"Doe, ",
    b'a="b;', b"a b=c ", b"a at b.c,", b"A <a@b.c> ", b"\r\n ", b"1 Jan ", b"\xff", b"\0",
]  # fmt: skip


@pytest.mark.parametrize("scrap", SCRAPS)
def test_megabytes_of_rubbish_are_read_in_one_go(scrap: bytes) -> None:
    # Were any step quadratic, this would take hours.
    value = scrap * (10_000_000 // len(scrap))
    for name in (b"To", b"Subject", b"References", b"List-Id", b"List-Unsubscribe", b"Date"):
        headers = parse_headers(name + b": x" + value)
        assert "header cut at 1,000,000 bytes" in headers.defects


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("<1@example.org>", ("1@example.org",)),
        ("<1@example.org> (added by a server)", ("1@example.org",)),
        (
            "<1@example.org><2@example.org>,<3@example.org>",
            tuple(f"{n}@example.org" for n in "123"),
        ),
        ("<<1@example.org>>", ("1@example.org",)),
        ("< 1@example.org >", ("1@example.org",)),
        ("1@example.org 2@example.org", ("1@example.org", "2@example.org")),
        ("<1@example.org", ("1@example.org",)),
        ("<1>", ("1",)),
        ("<>", ()),
        ("", ()),
        ("<\udcff@example.org>", ("ÿ@example.org",)),
    ],
)
def test_message_ids_are_read(text: str, ids: tuple[str, ...]) -> None:
    assert parse_ids(text) == ids


@pytest.mark.parametrize(
    "value",
    [
        "<1@example.org>",
        "<1@example.org> <2@example.org>",
        'Message from Ann <ann@example.org> of "Mon, 1 Jan 2024" <1@example.org>',
        'Your message of "Mon, 1 Jan 2024." <1@example.org>',
    ],
)
def test_in_reply_to_names_the_message_and_not_its_sender(value: str) -> None:
    assert parse_headers(f"In-Reply-To: {value}\n".encode()).in_reply_to == "1@example.org"


@pytest.mark.parametrize(
    ("value", "uris"),
    [
        ("<mailto:off@example.org>", ("mailto:off@example.org",)),
        (
            "<https://example.org/?a= b>, <mailto:o@b.c>",
            ("https://example.org/?a=b", "mailto:o@b.c"),
        ),
        ("(by mail) <mailto:o@b.c>, <mailto:o@b.c>", ("mailto:o@b.c",)),
        ("https://example.org/off, mailto:o@b.c", ("https://example.org/off", "mailto:o@b.c")),
        ("=?utf-8?q?=3Chttps=3A//example.org/=3E?=", ("https://example.org/",)),
        ("<NO>", ()),
        ("", ()),
        ("".join(f"<a:{n}>," for n in range(100_000)), tuple(f"a:{n}" for n in range(20))),
    ],
)
def test_addresses_to_unsubscribe_at_are_read(value: str, uris: tuple[str, ...]) -> None:
    assert parse_list_unsubscribe(value) == uris


def test_a_carriage_return_alone_is_a_blank() -> None:
    assert parse_headers(b"Subject: a\rb\n").subject == "a b"


@given(
    st.lists(
        st.sampled_from(
            [b"A: b", b"Subject: x", b"From ", b"junk", b"\n", b"\r\n", b"\n\n", b"\r", b" ", b":"]
        )
    ).map(b"".join)
)
def test_a_short_block_is_split_as_a_long_one_is(block: bytes) -> None:
    quick = iter_fields(block)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(headers_module, "_ORDINARY", -1)
        assert iter_fields(block) == quick


FORGED = "=?us-ascii?q?a=3B_dmarc=3Dpass_?=@evil.example"


@pytest.mark.parametrize(
    "name",
    [
        "Authentication-Results",
        "ARC-Authentication-Results",
        "Received-SPF",
        "DKIM-Signature",
        "Received",
    ],
)
def test_what_programs_read_holds_no_encoded_words(name: str) -> None:
    block = f"{name}: mx.example.com; spf=fail\r\n\tsmtp.mailfrom={FORGED}\r\n\r\n".encode()
    headers = parse_headers(block, extra={name.lower()})
    assert headers.extra == ((name.lower(), f"mx.example.com; spf=fail smtp.mailfrom={FORGED}"),)


def test_the_sender_chooses_no_charset_of_what_programs_read() -> None:
    block = (
        b"Content-Type: text/plain; charset=utf-7\r\n"
        b"Authentication-Results: mx.example.com; spf=fail x=\xff+ADs dmarc+AD0-pass\0\r\n"
    )
    headers = parse_headers(block, extra={"authentication-results"})
    told = "mx.example.com; spf=fail x=\ufffd+ADs dmarc+AD0-pass\ufffd"
    assert headers.extra == (("authentication-results", told),)


def test_an_encoded_word_ends_no_field() -> None:
    headers = parse_headers(b"Delivered-To: =?us-ascii?q?a=0D=0Ab?=\r\n", extra={"delivered-to"})
    assert headers.extra == (("delivered-to", "a b"),)
