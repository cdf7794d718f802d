"""Received fields become hops."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.parsing.headers import iter_fields
from mailframe.parsing.received import parse_hops, parse_received
from mailframe.records import Hop

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

DATE = "Mon, 1 Jan 2024 10:00:00 +0000"
TEN = datetime(2024, 1, 1, 10, tzinfo=UTC)


@pytest.mark.parametrize(
    ("value", "hop"),
    [
        pytest.param(
            "from Client.Example.ORG (host.example.net [192.0.2.1]) by mx.example.com (Postfix)"
            f" with ESMTPS id 4AbC for <ann@example.com>; {DATE}",
            Hop("client.example.org", "mx.example.com", "ESMTPS", TEN),
            id="postfix",
        ),
        pytest.param(
            f"by mx.example.com (Postfix, from userid 1000) id 4AbC; {DATE}",
            Hop(None, "mx.example.com", None, TEN),
            id="postfix-local",
        ),
        pytest.param(
            "from [192.0.2.1] (unknown [192.0.2.9]) (using TLSv1.3 with cipher X (256/256 bits))"
            f" (No client certificate requested) by mx.example.com (Postfix) with ESMTPSA; {DATE}",
            Hop("192.0.2.9", "mx.example.com", "ESMTPSA", TEN),
            id="postfix-submission",
        ),
        pytest.param(
            "from host.example ([192.0.2.1]:57350 helo=other.example) by mx.example.com"
            f" with esmtps (TLS1.3) tls X (Exim 4.96) (envelope-from <a@b.example>) id 1r; {DATE}",
            Hop("host.example", "mx.example.com", "ESMTPS", TEN),
            id="exim",
        ),
        pytest.param(
            f"from [192.0.2.1] (port=1 helo=mx.example) by mx.example.com with esmtp; {DATE}",
            Hop("mx.example", "mx.example.com", "ESMTP", TEN),
            id="exim-without-reverse-name",
        ),
        pytest.param(
            f"from ann by mx.example.com with local (Exim 4.96) id 1r; {DATE}",
            Hop(None, "mx.example.com", "LOCAL", TEN),
            id="exim-local",
        ),
        pytest.param(
            f"from localhost (localhost [127.0.0.1]) (uid 500) by mx with local; {DATE}",
            Hop("localhost", "mx", "LOCAL", TEN),
            id="courier-local",
        ),
        pytest.param(
            f"(from host.example [192.0.2.1]) by mx.example.com (NAVGW 2.5) with SMTP; {DATE}",
            Hop("host.example", "mx.example.com", "SMTP", TEN),
            id="virus-scanner",
        ),
        pytest.param(
            f"(qmail 123 invoked by uid 1); {DATE}",
            Hop(None, None, None, TEN),
            id="qmail-local",
        ),
        pytest.param(
            f"from unknown (HELO client.example) ([192.0.2.1]) by mx.example.com with SMTP; {DATE}",
            Hop("client.example", "mx.example.com", "SMTP", TEN),
            id="qmail",
        ),
        pytest.param(
            f"from unknown (HELO 192.0.2.5) (192.0.2.1) by mx.example.com with SMTP; {DATE}",
            Hop("192.0.2.1", "mx.example.com", "SMTP", TEN),
            id="qmail-told-an-address",
        ),
        pytest.param(
            "from PR3.eurprd.example (2603:10a6:102::1) by AM6.eurprd.example (2603:10a6:20b::7)"
            f" with Microsoft SMTP Server (version=TLS1_2, cipher=X) id 15.20.1; {DATE}",
            Hop("pr3.eurprd.example", "am6.eurprd.example", "SMTP", TEN),
            id="exchange",
        ),
        pytest.param(
            f"from A.example ([fe80::1]) by A.example ([fe80::1%3]) with mapi id 15.20.1; {DATE}",
            Hop("a.example", "a.example", "MAPI", TEN),
            id="exchange-mapi",
        ),
        pytest.param(
            f"from mail pickup service by mx.example.com with Microsoft SMTPSVC(5.0.1); {DATE}",
            Hop(None, "mx.example.com", "SMTP", TEN),
            id="iis",
        ),
        pytest.param(
            f"by dulce with Internet Mail Service (5.5.2653.19) id <R2>; {DATE}",
            Hop(None, "dulce", None, TEN),
            id="old-exchange",
        ),
        pytest.param(
            f"by 2002:a05:6a00:1::1 with SMTP id x7csp1; {DATE}",
            Hop(None, "2002:a05:6a00:1::1", "SMTP", TEN),
            id="gmail-inside",
        ),
        pytest.param(
            f"by mail-ed1.google.example with SMTP id x7so1 for <ann@example.com>; {DATE}",
            Hop(None, "mail-ed1.google.example", "SMTP", TEN),
            id="gmail",
        ),
        pytest.param(
            f"from [*.*.*.*] (host.example. [*.*.*.*]) by smtp.example with ESMTPSA; {DATE}",
            Hop("host.example", "smtp.example", "ESMTPSA", TEN),
            id="gmail-made-anonymous",
        ),
        pytest.param(
            "from unknown (IDENT:root@host.example [192.0.2.1] (may be forged)) by mx.example.com"
            f" (8.12.5/8.12.5) with ESMTP id g71; {DATE} (envelope-from a@b.example)",
            Hop("host.example", "mx.example.com", "ESMTP", TEN),
            id="sendmail",
        ),
        pytest.param(
            f"(from ann@localhost) by mx.example.com (8.12.5/8.12.5/Submit) id g71; {DATE}",
            Hop(None, "mx.example.com", None, TEN),
            id="sendmail-local",
        ),
        pytest.param(
            "from pop.example [192.0.2.1] by localhost with IMAP (fetchmail-6.3)"
            f" for ann@localhost (single-drop); {DATE}",
            Hop("pop.example", "localhost", "IMAP", TEN),
            id="fetchmail",
        ),
        pytest.param(
            f"from murder ([unix socket]) by mx.example.com (Cyrus v2.2.12) with LMTPA; {DATE}",
            Hop("murder", "mx.example.com", "LMTPA", TEN),
            id="cyrus",
        ),
        pytest.param(
            f"from [192.0.2.1] by web.example via HTTP; {DATE}",
            Hop("192.0.2.1", "web.example", None, TEN),
            id="yahoo",
        ),
        pytest.param(
            f"from ann@example.org by mx.example.com (mail_out_v34.) id 7; {DATE}",
            Hop(None, "mx.example.com", None, TEN),
            id="aol",
        ),
        pytest.param(
            f"from [IPv6:2001:db8::1] by [192.0.2.25]:25 with UTF8SMTPSA id 7; {DATE}",
            Hop("2001:db8::1", "192.0.2.25", "UTF8SMTPSA", TEN),
            id="literals",
        ),
    ],
)
def test_what_servers_write_is_read(value: str, hop: Hop) -> None:
    assert parse_received(value) == hop


@pytest.mark.parametrize(
    "value",
    [
        f"from a.example (by (from x;y) z; with Q) by b.example with SMTP; {DATE}",
        f"from a.example (\\) by c.example) by b.example with SMTP; {DATE}",
        f"from a.example (((deep) from d.example) ;) by b.example with SMTP; {DATE}",
        f"from a.example (never closed by b.example with SMTP; {DATE}",
        f"from a.example ) by b.example with SMTP; {DATE}",
        f"from a.example (one)by b.example(two)with SMTP(three); {DATE}",
        f"from a.example\r\n\tby b.example\r\n\twith SMTP;\r\n\t{DATE}",
        f"FROM A.EXAMPLE BY B.EXAMPLE WITH smtp; {DATE}",
        f"from a.example by b.example; (1.2) id 7 with SMTP; {DATE}",
        f"from a.example by b.example with SMTP; {DATE} (later; by c.example)",
        f"from a.example by b.example with SMTP {DATE}",
        f"from a.example by b.example with SMTP id 7; {DATE}; queued",
        f"from a.example (=?utf-8?q?Gr=C3=BC=C3=9Fe?=) by b.example with SMTP; {DATE}",
        f"from a.example (Grüße \udcfc \0) by b.example with SMTP; {DATE}",
    ],
)
def test_comments_folds_and_missing_marks_do_no_harm(value: str) -> None:
    assert parse_received(value) == Hop("a.example", "b.example", "SMTP", TEN)


@pytest.mark.parametrize(
    ("clause", "host"),
    [
        ("mx", "mx"),
        ("mx.example.", "mx.example"),
        ("bücher.example", "bücher.example"),
        ("unknown", None),
        ("UNKNOWN ([192.0.2.1])", "192.0.2.1"),
        ("unknown [192.0.2.1]", "192.0.2.1"),
        ("192.0.2.1 (unknown[192.0.2.2])", "192.0.2.2"),
        ("mx (what (it) is) said", "mx"),
        ("192.0.2.1 (EHLO mx.example) ([192.0.2.2])", "mx.example"),
        ("192.0.2.1 (real.example [192.0.2.2] helo=told.example)", "real.example"),
        ("[192.0.2.1] (helo=[192.0.2.7])", "192.0.2.1"),
        ("?Some?Phone? (box [192.0.2.1])", "box"),
        ("some phone.example", None),
        ("mx.example - 192.0.2.1", "mx.example"),
        ("=?utf-8?q?mx?=", None),
        ("\udcfc.example", None),
        ("0", None),
        ("1.2.3", None),
        ("[999.0.0.1]", None),
        ("a" * 300, None),
        ("(HELO)", None),
        ("()", None),
        ("", None),
    ],
)
def test_the_sender_is_a_host_or_nothing(clause: str, host: str | None) -> None:
    assert parse_received(f"from {clause} by b.example").from_host == host


@pytest.mark.parametrize(
    ("clause", "host"),
    [
        ("mx", "mx"),
        ("[192.0.2.1]", "192.0.2.1"),
        ("0", None),
        ("MailEnable Inbound Mail Agent", None),
        ("", None),
    ],
)
def test_the_receiver_is_a_host_or_nothing(clause: str, host: str | None) -> None:
    assert parse_received(f"by {clause} with SMTP").by_host == host


@pytest.mark.parametrize(
    ("clause", "protocol"),
    [
        ("esmtp", "ESMTP"),
        ("ESMTP via TCP", "ESMTP"),
        ("ASMTP", "ASMTP"),
        ("MailEnable ESMTP", "ESMTP"),
        ("LISTAR (v0.1; list x)", "LISTAR"),
        ("HTTP", "HTTP"),
        ("POP3", "POP3"),
        ("ESMTP-TLS", "ESMTPS"),
        ("<x>", None),
        ("", None),
    ],
)
def test_the_protocol_is_the_word_behind_with(clause: str, protocol: str | None) -> None:
    assert parse_received(f"by b.example with {clause} id 7").protocol == protocol


@pytest.mark.parametrize(
    ("value", "time"),
    [
        (f"by b.example; {DATE}", TEN),
        ("by b.example; 1 Jan 2024 11:00 +0100 (CET)", TEN),
        ("by b.example Mon Jan  1 10:00:00 2024", TEN),
        ("by b.example; yesterday", None),
        ("by b.example; 31 Feb 2024 10:00:00 +0000", None),
        ("by b.example;", None),
        ("by b.example", None),
    ],
)
def test_the_time_is_read_or_none(value: str, time: datetime | None) -> None:
    assert parse_received(value).time == time


def test_the_time_keeps_the_zone_of_the_server() -> None:
    time = parse_received("by b.example; Mon, 1 Jan 2024 15:30:00 +0530").time
    assert time is not None
    assert time.tzinfo == timezone(timedelta(hours=5, minutes=30))


def test_hops_come_oldest_first() -> None:
    fields = (f"from {name}.example by x.example" for name in ("third", "second", "first"))
    assert [hop.from_host for hop in parse_hops(fields)] == [
        "first.example",
        "second.example",
        "third.example",
    ]


def test_no_field_is_no_hop() -> None:
    assert parse_hops([]) == ()


def test_a_field_that_tells_nothing_is_still_a_hop() -> None:
    assert parse_hops(["", f"by b.example; {DATE}"]) == (
        Hop(None, "b.example", None, TEN),
        Hop(None, None, None, None),
    )


PIECES = st.lists(
    st.sampled_from(
        ["from ", "by ", "with ", "id ", "unknown ", "HELO ", "helo=", "a.example ", "[192.0.2.1]"]
    )
    | st.sampled_from(
        ["[::1%", "IPv6:", "(", ")", "\\", ";", " ", "\r\n\t", "@", ":", ".", "ü", "\udc80", "\0"]
    )
    | st.sampled_from([DATE, "Jan 2024", "1 "])
).map("".join)


@given(st.text(st.characters()) | PIECES)
def test_no_text_makes_it_raise(value: str) -> None:
    hop = parse_received(value)
    for text in hop[:3]:
        # Ready for a frame: no blanks, no half characters, no empty strings.
        assert text is None or (text.split() == [text] and text.encode())
    assert hop.from_host is None or hop.from_host == hop.from_host.lower()
    assert hop.time is None or hop.time.tzinfo is not None


@pytest.mark.parametrize(
    "piece",
    ["(", ")", "()", "((a)", "\\", ";", "from ", "by with ", "(HELO ", "a@", "[", "1.", "1:", "; 1",
    "Jan ", "from a.example (helo= ", "1 Jan 2024 ", "\0", "\n", "=?utf-8?q?", "from [::1%"],
)  # fmt: skip
def test_a_long_field_is_read_in_one_go(piece: str) -> None:
    # Were any step quadratic, this would take minutes.
    hop = parse_received(piece * (200_000 // len(piece)) + f"; {DATE}")
    assert hop.by_host is None


def received_fields(corpora: Path) -> Iterator[str]:
    messages = [path.read_bytes() for path in (corpora / "mime").rglob("*.eml")]
    for path in (corpora / "mailbox").glob("*.mbox"):
        messages += re.split(rb"^From [^\n]*\n", path.read_bytes(), flags=re.MULTILINE)[1:]
    for message in messages:
        fields, _ = iter_fields(message)
        yield from (value for name, value in fields if name.lower() == "received")


def test_real_fields_tell_the_receiver_and_the_time(corpora: Path) -> None:
    # 7 in 100 are qmail's "(qmail 123 invoked from network)", which names no host; most dates that
    # cannot be read are made up by spammers.
    hops = parse_hops(received_fields(corpora))
    assert len(hops) > 3_000
    assert sum(hop.by_host is not None for hop in hops) >= 0.92 * len(hops)
    assert sum(hop.time is not None for hop in hops) >= 0.99 * len(hops)
