"""ENVELOPE, BODY and BODYSTRUCTURE (RFC 3501 section 7.4.2)."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.embedded.describe import bodystructure, envelope
from mailframe.embedded.entities import MOST_ENTITIES, find_entities

ANN = b'((NIL NIL "ann" "example.org"))'
PLAIN = b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" %d %d NIL NIL NIL NIL)'
NOTHING = PLAIN % (0, 0)

# RFC 3501 section 9. A quoted string holds neither line breaks nor NUL nor 8-bit octets.
_TOKEN = re.compile(
    rb'"((?:[^"\\\r\n\x00\x80-\xff]|\\["\\])*+)"|([()])|\{(\d+)\}\r\n|(NIL|\d+)', re.DOTALL
)


def lines(*texts: str) -> bytes:
    return "".join(f"{text}\r\n" for text in texts).encode("latin-1")


def read(wire: bytes) -> object:
    """Read what goes over the wire as strictly as a client may: lists, bytes, NIL as None."""
    stack: list[list[object]] = [[]]
    position = 0
    while position < len(wire):
        token = _TOKEN.match(wire, position)
        assert token, wire[position : position + 50]
        position = token.end()
        quoted, parenthesis, length, atom = token.groups()
        if parenthesis == b"(":
            stack.append([])
        elif parenthesis == b")":
            done = stack.pop()
            stack[-1].append(done)
        elif length is not None:
            text = wire[position : position + int(length)]
            assert len(text) == int(length)
            assert b"\0" not in text
            stack[-1].append(text)
            position += len(text)
        else:
            text = re.sub(rb"\\(.)", rb"\1", quoted or b"")
            stack[-1].append(None if atom == b"NIL" else int(atom) if atom else text)
        if wire[position : position + 1] == b" ":
            position += 1
    assert len(stack) == 1, "the parentheses are not balanced"
    [whole] = stack[0]
    return whole


def addresses(value: str) -> object:
    """Read the addresses of a To field."""
    described = read(envelope(lines(f"To: {value}", "")))
    assert isinstance(described, list)
    return described[5]


def structure(*texts: str, extended: bool = True) -> bytes:
    raw = lines(*texts)
    return bodystructure(raw, find_entities(raw), extended=extended)


# -- ENVELOPE


def test_an_envelope_has_ten_fields_in_their_order() -> None:
    header = lines(
        "Message-ID: <1@example.org>",
        "In-Reply-To: <0@example.org>",
        "Bcc: f@x",
        "Cc: e@x",
        "To: d@x",
        "Reply-To: c@x",
        "Sender: b@x",
        "From: a@x",
        "Subject: Hi",
        "Date: Mon, 1 Jan 2024 10:00:00 +0100",
        "",
    )
    people = [[[None, None, letter, b"x"]] for letter in (b"a", b"b", b"c", b"d", b"e", b"f")]
    assert read(envelope(header)) == [
        b"Mon, 1 Jan 2024 10:00:00 +0100",
        b"Hi",
        *people,
        b"<0@example.org>",
        b"<1@example.org>",
    ]


def test_what_is_missing_is_nil() -> None:
    assert envelope(b"\r\n") == b"(" + b" ".join([b"NIL"] * 10) + b")"
    assert envelope(b"") == envelope(b"\r\n")


@pytest.mark.parametrize("value", ["", " ", "(nobody)"])
def test_sender_and_reply_to_are_as_from_where_there_are_none(value: str) -> None:
    header = lines("From: ann@example.org", f"Sender:{value}", "")
    assert envelope(header) == b"(NIL NIL %b %b %b NIL NIL NIL NIL NIL)" % (ANN, ANN, ANN)


def test_strings_of_a_repeated_field_are_the_last_and_addresses_all() -> None:
    header = lines("Subject: one", "To: a@x", "subject: two", "TO: b@x", "")
    described = read(envelope(header))
    assert isinstance(described, list)
    assert described[1] == b"two"
    assert described[5] == [[None, None, b"a", b"x"], [None, None, b"b", b"x"]]


def test_folds_are_undone_and_encoded_words_are_not() -> None:
    header = lines(
        "Subject: =?utf-8?q?a?=", "\t=?utf-8?q?b?= ", "In-Reply-To: <a@x>", "  <b@x>", ""
    )
    described = read(envelope(header))
    assert isinstance(described, list)
    assert described[1] == b"=?utf-8?q?a?= =?utf-8?q?b?="
    assert described[8] == b"<a@x>  <b@x>"


@pytest.mark.parametrize(
    ("subject", "written"),
    [
        ('say "hi" \\o/', b'"say \\"hi\\" \\\\o/"'),
        ("gr\xfcn", b"{4}\r\ngr\xfcn"),
        ("a\0b", b"{5}\r\na\xef\xbf\xbdb"),
        ("a\rb", b'"a b"'),
    ],
)
def test_a_string_is_quoted_or_a_literal(subject: str, written: bytes) -> None:
    assert envelope(lines(f"Subject: {subject}", "")).startswith(b"(NIL %b NIL " % written)


def test_a_date_with_a_line_break_in_it_is_a_literal() -> None:
    assert envelope(b"Date: a\rb\r\n\r\n").startswith(b"({3}\r\na\rb NIL ")


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("a@x, b@y", [[None, None, b"a", b"x"], [None, None, b"b", b"y"]]),
        ("Ann Lee <a@x>", [[b"Ann Lee", None, b"a", b"x"]]),
        ('"Lee,  \\"A\\""  J. <a@x>', [[b'Lee, "A" J.', None, b"a", b"x"]]),
        ("a@x (Ann (the) Lee)", [[b"Ann (the) Lee", None, b"a", b"x"]]),
        ("<a@x> (Ann)", [[None, None, b"a", b"x"]]),
        ("<@r,@s:a@x>", [[None, b"@r,@s", b"a", b"x"]]),
        ('"a b"@x', [[None, None, b"a b", b"x"]]),
        ("a . b @ x . y", [[None, None, b"a.b", b"x.y"]]),
        ("a@[192.0.2.1]", [[None, None, b"a", b"[192.0.2.1]"]]),
        ("=?utf-8?q?a?= <a@x>", [[b"=?utf-8?q?a?=", None, b"a", b"x"]]),
        ("a@x (Ann", [[None, None, b"a", b"x"]]),
        ("A. B.C <a@x>", [[b"A. B.C", None, b"a", b"x"]]),
        ("", None),
    ],
)  # fmt: skip
def test_addresses_are_taken_apart(value: str, found: object) -> None:
    assert addresses(value) == found


def test_a_group_has_its_name_and_its_end() -> None:
    end = [None, None, None, None]
    assert addresses("A:a@x, b@x;, c@x") == [
        [None, None, b"A", None],
        [None, None, b"a", b"x"],
        [None, None, b"b", b"x"],
        end,
        [None, None, b"c", b"x"],
    ]
    assert addresses("undisclosed-recipients:;") == [
        [None, None, b"undisclosed-recipients", None],
        end,
    ]


@pytest.mark.parametrize(
    ("value", "found"),
    [
        ("ann", [None, None, b"ann", b"MISSING_DOMAIN"]),
        ("Ann Lee", [b"Ann Lee", None, b"MISSING_MAILBOX", b"MISSING_DOMAIN"]),
        ("<>", [None, None, b"MISSING_MAILBOX", b"MISSING_DOMAIN"]),
        ("a@x.", [None, None, b"a", b"MISSING_DOMAIN"]),
        ("@x", [None, None, b"MISSING_MAILBOX", b"x"]),
        ("Ann <a@x", [b"Ann", None, b"a", b"SYNTAX_ERROR"]),
    ],
)
def test_what_an_address_lacks_has_a_name_as_nil_says_group(value: str, found: object) -> None:
    assert addresses(value) == [found]


# -- BODY and BODYSTRUCTURE


def test_a_message_without_a_type_is_plain_text() -> None:
    assert structure("Subject: Hi", "", "one", "two") == PLAIN % (10, 2)
    assert structure("Subject: Hi", "", "one", extended=False) == (
        b'("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 1)'
    )


def test_a_part_is_described_as_it_was_sent() -> None:
    assert structure(
        "MIME-Version: 1.0",
        'Content-Type: Image/PNG; Name="a;b.png" (comment); x=y',
        "Content-ID: <1@x>",
        "Content-Description: a",
        "  picture",
        "Content-Transfer-Encoding: BASE64 (yes)",
        "Content-MD5: Q2hlY2s=",
        "Content-Disposition: Inline; FileName=b.png",
        "Content-Language: en, de (German)",
        "Content-Location: http://example.org/",
        "",
        "AAAA",
    ) == (
        b'("Image" "PNG" ("Name" "a;b.png" "x" "y") "<1@x>" "a  picture" "BASE64" 6'
        b' "Q2hlY2s=" ("Inline" ("FileName" "b.png")) ("en" "de") "http://example.org/")'
    )


def test_what_is_not_mime_has_no_content_fields() -> None:
    assert structure("Content-Transfer-Encoding: base64", "", "AAAA") == PLAIN % (6, 1)
    assert b'"base64"' in structure("MIME-Version: 1.0", "Content-Transfer-Encoding: base64", "")


@pytest.mark.parametrize(
    ("value", "described"),
    [
        ("text/plain; charset=utf-8", b'"text" "plain" ("charset" "utf-8")'),
        ("text/x; charset*=''x", b'"text" "x" ("charset*" "\'\'x" "charset" "us-ascii")'),
        ("a/b; n*0=1; n*1=2", b'"a" "b" ("n" "12")'),
        ("a/b; n*1*=%42; n*0*=utf-8''%41; c=d", b'"a" "b" ("c" "d" "n*" "utf-8\'\'%41%42")'),
        ("a/b; n==?utf-8?q?x?=", b'"a" "b" ("n" "=?utf-8?q?x?=")'),
        ('a/b; n="\\"\\\\"', b'"a" "b" ("n" "\\"\\\\")'),
        ("a/b; n=c d; m=e", b'"a" "b" ("n" "c" "m" "e")'),
        ("a/b; n", b'"a" "b" NIL'),
        ("a", b'"a" "" NIL'),
        ("a/b c=d", b'"" "" NIL'),
    ],
)
def test_types_and_parameters(value: str, described: bytes) -> None:
    found = structure("MIME-Version: 1.0", f"Content-Type: {value}", "")
    assert found.startswith(b"(%b NIL NIL " % described)


def test_a_multipart_has_its_parts_and_its_subtype() -> None:
    texts = (
        "MIME-Version: 1.0",
        "Content-Type: Multipart/Mixed; boundary=b",
        "Content-Disposition: inline",
        "",
        "--b",
        "",
        "one",
        "--b",
        "",
        "two",
        "",
        "--b--",
    )
    parts = PLAIN % (3, 0) + PLAIN % (5, 1)
    assert structure(*texts) == (b'(%b "Mixed" ("boundary" "b") ("inline" NIL) NIL NIL)' % parts)
    without = parts.replace(b" NIL NIL NIL NIL)", b")")
    assert structure(*texts, extended=False) == b'(%b "Mixed")' % without


@pytest.mark.parametrize("body", ["", "--b--", "nothing", "--bad"])
def test_a_multipart_without_parts_has_an_empty_text(body: str) -> None:
    found = structure("MIME-Version: 1.0", "Content-Type: multipart/mixed; boundary=bb", "", body)
    assert found == b'(%b "mixed" ("boundary" "bb") NIL NIL NIL)' % NOTHING


def test_a_message_within_has_its_envelope_and_structure() -> None:
    inner = (b"Subject: In", b"From: ann@example.org")
    found = structure(
        "MIME-Version: 1.0", "Content-Type: message/rfc822", "", *map(bytes.decode, inner), "", "x"
    )
    written = b'(NIL "In" %b %b %b NIL NIL NIL NIL NIL)' % (ANN, ANN, ANN)
    size = sum(len(line) + 2 for line in (*inner, b"", b"x"))
    assert found == b'("message" "rfc822" NIL NIL NIL "7bit" %d %b %b 4 NIL NIL NIL NIL)' % (
        size,
        written,
        PLAIN % (3, 1),
    )


def test_a_part_of_a_digest_is_a_message() -> None:
    found = structure(
        "MIME-Version: 1.0",
        "Content-Type: multipart/digest; boundary=b",
        "",
        "--b",
        "",
        "Subject: In",
        "",
        "x",
        "--b--",
    )
    assert found.startswith(b'(("message" "rfc822" NIL NIL NIL "7bit" 16 (NIL "In" ')


def test_a_delimiter_may_have_more_on_its_line_and_the_longer_one_wins() -> None:
    found = structure(
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=b",
        "",
        "--b and more",
        "Content-Type: multipart/alternative; boundary=bb",
        "",
        "--bb",
        "",
        "x",
        "--bb--",
        "--b--",
    )
    inner = b'(%b "alternative" ("boundary" "bb") NIL NIL NIL)' % (PLAIN % (1, 0))
    assert found == b'(%b "mixed" ("boundary" "b") NIL NIL NIL)' % inner


def test_a_delimiter_that_fills_its_line_goes_before_a_longer_one() -> None:
    found = structure(
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=b--",
        "",
        "--b--",
        "Content-Type: multipart/alternative; boundary=b",
        "",
        "--b",
        "",
        "x",
        "--b--",
        "--b----",
    )
    inner = b'(%b "alternative" ("boundary" "b") NIL NIL NIL)' % (PLAIN % (1, 0))
    assert found == b'(%b "mixed" ("boundary" "b--") NIL NIL NIL)' % inner


def test_the_delimiters_between_two_of_which_one_begins_the_other_are_found() -> None:
    found = structure(
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=b1",
        "",
        "--b1",
        "Content-Type: multipart/mixed; boundary=c",
        "",
        "--c",
        "Content-Type: multipart/mixed; boundary=b10",
        "",
        "--b10",
        "",
        "x",
        "--c",
        "",
        "yy",
        "--b1--",
    )
    inner = b'(%b "mixed" ("boundary" "b10") NIL NIL NIL)' % (PLAIN % (1, 0))
    middle = b'(%b%b "mixed" ("boundary" "c") NIL NIL NIL)' % (inner, PLAIN % (2, 0))
    assert found == b'(%b "mixed" ("boundary" "b1") NIL NIL NIL)' % middle


@pytest.mark.parametrize("delimiter", ["--b ", "--b"])
def test_a_boundary_with_a_blank_at_its_end_may_be_written_without(delimiter: str) -> None:
    found = structure(
        "MIME-Version: 1.0",
        'Content-Type: multipart/mixed; boundary="b "',
        "",
        delimiter,
        "",
        "x",
        f"{delimiter}--",
    )
    assert found == b'(%b "mixed" ("boundary" "b ") NIL NIL NIL)' % (PLAIN % (1, 0))


# -- whatever comes


def test_there_is_an_end_to_the_parts() -> None:
    raw = b"Content-Type: multipart/mixed; boundary=b\r\n\r\n" + b"--b\r\n" * (MOST_ENTITIES + 10)
    assert len(find_entities(raw).children) == MOST_ENTITIES - 1


@pytest.mark.parametrize(
    "hostile",
    [
        b"Content-Type: message/rfc822\r\n\r\n" * 2_000,
        b"".join(
            b"Content-Type: multipart/mixed; boundary=%d\r\n\r\n--%d\r\n" % (n, n)
            for n in range(2_000)
        ),
        b"Content-Type: multipart/mixed; boundary=b\r\n\r\n"
        + b"--b\r\nContent-Type: multipart/mixed; boundary=c\r\n\r\n" * 2_000,
        b"To: " + b'"\\' * 100_000,
        b"To: " + b"(" * 100_000,
        b"To: " + b"a:<@b,[" * 20_000,
        b"Content-Type: a/b" + b";(" * 100_000,
        b"Content-Type: a/b" + b';a="\\' * 50_000,
        b"Content-Type: a/b" + b"".join(b"; a*%d*=x" % n for n in range(20_000)),
        b"a " * 100_000,
    ],
    ids=range(10),
)
def test_hostile_messages_are_described(hostile: bytes) -> None:
    root = find_entities(hostile)
    read(envelope(hostile[: root.body]))
    read(bodystructure(hostile, root, extended=True))


_PIECES = st.sampled_from(
    [b"\r\n", b"\n", b" ", b"\0", b"\xe9", b'"', b"\\", b"(", b")", b"<", b">", b"@", b",", b":",
     b";", b"[", b"]", b".", b"--b", b"--bb--", b"From: ", b"To: ", b"Subject: ", b"Date: ",
     b"MIME-Version: 1.0\r\n", b"Content-Type: ", b"multipart/mixed; boundary=b", b"text/plain",
     b"message/rfc822", b"multipart/digest; boundary=bb", b"Content-Disposition: ", b"; a*0*=",
     b"Content-Language: ", b"Content-ID: ", b"a"]
)  # fmt: skip


@given(st.lists(_PIECES | st.binary(max_size=5), max_size=60).map(b"".join))
def test_any_bytes_are_described_in_words_that_can_be_read(raw: bytes) -> None:
    root = find_entities(raw)
    described = read(envelope(raw[: root.body]))
    assert isinstance(described, list)
    assert len(described) == 10
    for extended in (True, False):
        assert isinstance(read(bodystructure(raw, root, extended=extended)), list)
