"""A header block becomes Headers."""

from __future__ import annotations

import json
from datetime import UTC, datetime
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.parsing import join_parameters, parse_content_type, parse_headers
from mailframe.parsing.headers import iter_fields, parse_ids
from mailframe.records import Address

if TYPE_CHECKING:
    from pathlib import Path

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
        assert len(headers.defects) <= 1


def test_id_vectors_hold(corpora: Path) -> None:
    for vector in json.loads((corpora / "headers" / "id.json").read_text("utf-8")):
        (_, value), *_ = iter_fields(b"Message-ID: " + vector["header"].encode())[0]
        assert list(parse_ids(value)) == (vector["expected"] or [])


@pytest.mark.parametrize(
    ("pairs", "joined"),
    [
        ([("NAME", "a.txt")], {"name": "a.txt"}),
        ([("name*0", "a"), ("name*1", "b.txt")], {"name": "ab.txt"}),
        ([("name*1", "b.txt"), ("name*0", "a")], {"name": "ab.txt"}),
        ([("name*", "utf-8'de'Gr%C3%BCn")], {"name": "Grün"}),
        ([("name*0*", "utf-8''%E2%82"), ("name*1*", "%AC"), ("name*2", "%20")], {"name": "€%20"}),
        ([("name", "plain"), ("name*", "utf-8''better")], {"name": "better"}),
        ([("name", "=?utf-8?Q?Gr=C3=BCn?=")], {"name": "Grün"}),
        ([("name", "first"), ("name", "second")], {"name": "first"}),
        ([("name*", "Gr%C3%BCn")], {"name": "Grün"}),
        ([("name*0*", "utf-8''a"), ("name*2", "c")], {"name": "a"}),
    ],
)
def test_parameters_are_joined(pairs: list[tuple[str, str]], joined: dict[str, str]) -> None:
    assert join_parameters(pairs) == joined


@pytest.mark.parametrize(
    ("value", "kind", "parameters"),
    [
        ("text/plain", "text/plain", {}),
        ("TEXT / HTML; charset = us-ascii (Plain)", "text/html", {"charset": "us-ascii"}),
        ('a/b; name="x;y\\"z"; q=1', "a/b", {"name": 'x;y"z', "q": "1"}),
        ("a/b; name=my file.pdf; q=1", "a/b", {"name": "my file.pdf", "q": "1"}),
        ('multipart/mixed boundary="b"', "multipart/mixed", {"boundary": "b"}),
        ("inline; charset=utf-8", "text/plain", {"charset": "utf-8"}),
        ("", "text/plain", {}),
        ('a/b; name="open', "a/b", {"name": "open"}),
    ],
)
def test_a_content_type_is_read(value: str, kind: str, parameters: dict[str, str]) -> None:
    assert parse_content_type(value) == (kind, parameters)


@given(st.lists(st.tuples(st.text(alphabet="ab*01"), st.text(alphabet="a'%=?u8Q\udcff"))))
def test_no_parameters_make_it_raise(pairs: list[tuple[str, str]]) -> None:
    repr(join_parameters(pairs)).encode()
