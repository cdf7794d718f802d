"""Server replies -> values: whatever a server sends is either read or a ProtocolError."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from imapclient.response_parser import parse_response

from mailframe.exceptions import ProtocolError
from mailframe.imap.bodystructure import parse_bodystructure
from mailframe.imap.responses import (
    Unread,
    parse_fetch,
    parse_reply,
    parse_tokens,
    split_code,
)
from tests.imap.stream import framed
from tests.imap.vectors import FETCHED, load_kind, load_vectors

if TYPE_CHECKING:
    from pathlib import Path

    from mailframe.imap.responses import Fetched, Token

ENVELOPE_OF_RFC_3501 = [
    b"Wed, 17 Jul 1996 02:23:25 -0700 (PDT)",
    b"IMAP4rev1 WG mtg summary and minutes",
    [[b"Terry Gray", None, b"gray", b"cac.washington.edu"]],
    [[b"Terry Gray", None, b"gray", b"cac.washington.edu"]],
    [[b"Terry Gray", None, b"gray", b"cac.washington.edu"]],
    [[None, None, b"imap", b"cac.washington.edu"]],
    [
        [None, None, b"minutes", b"CNRI.Reston.VA.US"],
        [b"John Klensin", None, b"KLENSIN", b"MIT.EDU"],
    ],
    None,
    None,
    b"<B27397-0100000@cac.washington.edu>",
]


def fetched(*segments: bytes) -> Fetched:
    return parse_fetch(parse_reply((b"* 1 FETCH " + segments[0], *segments[1:])))


# -- heads


@pytest.mark.parametrize(
    ("line", "tag", "kind", "number", "text"),
    [
        (b"* 12 EXISTS", b"*", "EXISTS", 12, b""),
        (b"* 12 fetch (UID 3)", b"*", "FETCH", 12, b"(UID 3)"),
        (b"* ok [ALERT] Hi", b"*", "OK", None, b"[ALERT] Hi"),
        (b"* SEARCH", b"*", "SEARCH", None, b""),
        (b"* SEARCH 2 84", b"*", "SEARCH", None, b"2 84"),
        (b"A1 NO [LIMIT] Later", b"A1", "NO", None, b"[LIMIT] Later"),
        (b"A1 OK", b"A1", "OK", None, b""),
        (b"+ Zm9v", b"+", "", None, b"Zm9v"),
        (b"+ ", b"+", "", None, b""),
        (b"+", b"+", "", None, b""),
        (b"* BYE Sch\xf6nen Tag", b"*", "BYE", None, b"Sch\xf6nen Tag"),
    ],
)
def test_the_head_of_a_reply_says_whose_it_is_and_what(
    line: bytes, tag: bytes, kind: str, number: int | None, text: bytes
) -> None:
    reply = parse_reply([line])
    assert (reply.tag, reply.kind, reply.number, reply.text) == (tag, kind, number, text)


@pytest.mark.parametrize("line", [b"", b" ", b"*", b"* ", b" OK", b"* 12", b"* 12 ", b"A1", b"\0"])
def test_a_line_without_tag_or_kind_is_not_imap(line: bytes) -> None:
    with pytest.raises(ProtocolError, match="not IMAP"):
        parse_reply([line])


def test_an_absurd_message_number_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError):
        parse_reply([b"* " + b"9" * 5000 + b" EXISTS"])


# -- tokens


@pytest.mark.parametrize(
    ("segments", "tokens"),
    [
        ([b""], []),
        ([b"  "], []),
        ([b"a b"], [b"a", b"b"]),
        ([b"()"], [[]]),
        ([b"(a (b) ())"], [[b"a", [b"b"], []]]),
        ([b"(a)(b)"], [[b"a"], [b"b"]]),
        ([b"NIL nil Nil"], [None, None, None]),
        ([b'"NIL"'], [b"NIL"]),
        ([b'""'], [b""]),
        ([b'"a (b) c"'], [b"a (b) c"]),
        ([rb'"a \"b\" \\ \c"'], [rb'a "b" \ c']),
        ([b'"Gr\xc3\xbc\xc3\x9fe" \xfc'], ["Grüße".encode(), b"\xfc"]),
        ([b"\\Seen \\* $Junk"], [b"\\Seen", b"\\*", b"$Junk"]),
        ([b"(a {3}", b"b)c", b" d)"], [[b"a", b"b)c", b"d"]]),
        ([b"{0}", b"", b""], [b""]),
        ([b"{3}", b"NIL", b""], [b"NIL"]),
        ([b"({1}", b"a", b"{1}", b"b", b")"], [[b"a", b"b"]]),
        ([b"~{2}", b"\0\r", b""], [b"\0\r"]),
        ([b"{2+}", b"ab", b""], [b"ab"]),
        ([b"BODY[HEADER.FIELDS (FROM TO)] x"], [b"BODY[HEADER.FIELDS (FROM TO)]", b"x"]),
        ([b'body.peek[header.fields ("A")]'], [b'body.peek[header.fields ("A")]']),
        ([b"BINARY[1.2]<0> x"], [b"BINARY[1.2]<0>", b"x"]),
        ([b"BODY[]{1}", b"x", b""], [b"BODY[]", b"x"]),
        ([b'BODY[1]"x"'], [b"BODY[1]", b"x"]),
        ([b"BODY (x)"], [b"BODY", [b"x"]]),
        ([b'a"b"'], [b"a", b"b"]),
    ],
)
def test_text_and_literals_become_nested_lists(segments: list[bytes], tokens: list[Token]) -> None:
    assert parse_tokens(segments) == tokens


@pytest.mark.parametrize(
    ("segments", "why"),
    [
        ([b"("], "not closed"),
        ([b"((a)"], "not closed"),
        ([b")"], "one parenthesis too many"),
        ([b"(a))"], "one parenthesis too many"),
        ([b'"a'], "a string does not end"),
        ([b'(a "b\\")'], "a string does not end"),
        ([b'a "'], "a string does not end"),
        ([b"(a {3}"], "a literal is missing"),
        ([b"(a {3}", b"abc", b""], "not closed"),
    ],
)
def test_what_does_not_close_is_a_protocol_error_that_shows_it(
    segments: list[bytes], why: str
) -> None:
    with pytest.raises(ProtocolError, match=why) as caught:
        parse_tokens(segments)
    assert repr(segments[0])[2:-1] in caught.value.reply


def test_an_error_shows_the_beginning_of_what_came_and_no_literal() -> None:
    with pytest.raises(ProtocolError) as caught:
        parse_tokens([b"(" + b"x" * 100_000 + b" {6}", b"secret", b""])
    assert len(caught.value.reply) < 300
    with pytest.raises(ProtocolError) as caught:
        parse_tokens([b"({6}", b"secret", b""])
    assert "secret" not in str(caught.value)


def test_parentheses_may_be_nested_deeper_than_pythons_stack() -> None:
    [token] = parse_tokens([b"(" * 50_000 + b")" * 50_000])
    assert isinstance(token, list)


# -- FETCH


@pytest.mark.parametrize(
    ("name", "read_as"),
    [
        (b"FLAGS", "FLAGS"),
        (b"flags", "FLAGS"),
        (b"Rfc822.Size", "RFC822.SIZE"),
        (b"BODY[]", "BODY[]"),
        (b"body[]", "BODY[]"),
        (b"BODY[]<0>", "BODY[]<0>"),
        (b"BODY[1.2.MIME]", "BODY[1.2.MIME]"),
        (b"BODY[HEADER]", "BODY[HEADER]"),
        (b"BODY.PEEK[HEADER]", "BODY[HEADER]"),
        (b"BODY[HEADER.FIELDS (DATE FROM)]", "BODY[HEADER.FIELDS]"),
        (b'BODY[HEADER.FIELDS ("From" "DATE")]', "BODY[HEADER.FIELDS]"),
        (b"Body[Header.Fields (date)]<12>", "BODY[HEADER.FIELDS]<12>"),
        (b"BODY[HEADER.FIELDS(DATE)]", "BODY[HEADER.FIELDS]"),
        (b"BODY[HEADER.FIELDS.NOT (DATE)]", "BODY[HEADER.FIELDS.NOT]"),
        (b"BODY[2.HEADER.FIELDS (DATE)]", "BODY[2.HEADER.FIELDS]"),
        (b"BINARY[1]", "BINARY[1]"),
        (b"X-GM-THRID", "X-GM-THRID"),
        (b"M\xfcll", "M\N{REPLACEMENT CHARACTER}LL"),
    ],
)
def test_an_item_has_one_name_however_the_server_writes_it(name: bytes, read_as: str) -> None:
    assert fetched(b"(%b x)" % name) == {read_as: b"x"}


def test_items_may_come_in_any_order_as_strings_literals_or_nil() -> None:
    items = fetched(
        b"(BODY[1] {5}", b"a\r\n)(", b' FLAGS (\\Seen) BODY[2] "x" BODY[3] {0}', b"",
        b" BODY[4] NIL UID 7)",
    )  # fmt: skip
    assert items == {
        "BODY[1]": b"a\r\n)(",
        "FLAGS": [b"\\Seen"],
        "BODY[2]": b"x",
        "BODY[3]": b"",
        "BODY[4]": None,
        "UID": b"7",
    }


@pytest.mark.parametrize(
    "items", [b"", b"UID 1", b"(UID)", b"(UID 1 FLAGS)", b"((UID) 1)", b"(NIL 1)", b"(UID 1) x"]
)
def test_what_is_no_list_of_names_and_values_is_a_protocol_error(items: bytes) -> None:
    with pytest.raises(ProtocolError):
        fetched(items)


# -- status


@pytest.mark.parametrize(
    ("text", "parts"),
    [
        (b"[UIDVALIDITY 17] UIDs valid", ("UIDVALIDITY", b"17", "UIDs valid")),
        (b"[uidvalidity 17]", ("UIDVALIDITY", b"17", "")),
        (b"[READ-ONLY] Done.", ("READ-ONLY", b"", "Done.")),
        (b"[BADCHARSET (UTF-8 X)] no", ("BADCHARSET", b"(UTF-8 X)", "no")),
        (b"[CAPABILITY IMAP4rev1 ID] in", ("CAPABILITY", b"IMAP4rev1 ID", "in")),
        (b"Words [CODE] behind", ("", b"", "Words [CODE] behind")),
        (b"[unclosed", ("", b"", "[unclosed")),
        (b"[] empty", ("", b"", "[] empty")),
        (b"", ("", b"", "")),
        ("Schön".encode(), ("", b"", "Schön")),
        (b"Sch\xf6n", ("", b"", "Sch\N{REPLACEMENT CHARACTER}n")),
    ],
)
def test_a_status_has_a_code_arguments_and_words(
    text: bytes, parts: tuple[str, bytes, str]
) -> None:
    assert split_code(text) == parts


# -- replies from other projects


def test_every_complete_vector_can_be_framed_and_read(corpora: Path) -> None:
    wanted = set().union(*(load_kind(corpora, kind) for kind in FETCHED))
    for name, raw in load_vectors(corpora, complete=True).items():
        replies, error = framed(raw)
        # Some end in the middle of a next line, which no server would leave unfinished.
        assert replies, name
        assert error is None or not raw.endswith(b"\n"), name
        for segments in replies:
            reply = parse_reply(segments)
            if reply.kind == "FETCH":
                assert parse_fetch(reply), name
        assert name not in wanted or any(b"FETCH" in one[0] for one in replies), name


def test_every_bodystructure_of_the_vectors_is_a_tree_of_parts(corpora: Path) -> None:
    names = load_kind(corpora, "BODYSTRUCTURE")
    vectors = load_vectors(corpora, complete=True)
    for name in sorted(names & vectors.keys()):
        [segments], _ = framed(vectors[name])
        structure = parse_fetch(parse_reply(segments))["BODYSTRUCTURE"]
        assert parse_bodystructure(structure).content_type, name


def test_every_incomplete_vector_is_an_error(corpora: Path) -> None:
    for name, raw in load_vectors(corpora, complete=False).items():
        replies, error = framed(raw)
        if error is None:
            for segments in replies:
                with pytest.raises(ProtocolError):
                    parse_fetch(parse_reply(segments))
        assert error is not None or replies, name


@pytest.mark.parametrize("name", ["mailkit-0002", "mailkit-0003", "imap-codec-0171"])
def test_an_envelope_is_the_same_in_strings_and_in_literals(corpora: Path, name: str) -> None:
    [segments], _ = framed(load_vectors(corpora, complete=True)[name])
    assert parse_fetch(parse_reply(segments))["ENVELOPE"] == ENVELOPE_OF_RFC_3501


def test_vectors_have_the_values_that_their_projects_expect(corpora: Path) -> None:
    vectors = load_vectors(corpora, complete=True)

    def items(name: str) -> Fetched:
        [segments], _ = framed(vectors[name])
        return parse_fetch(parse_reply(segments))

    assert items("imap-codec-0135") == {"RFC822": b"hello"}
    assert items("tokio-imap-0215") == {"BODY[TEXT]": b"foo"}
    assert items("tokio-imap-0227") == {
        "UID": b"1",
        "BODY[HEADER.FIELDS]": b"Chat-Version: 1.0\r\n\r\n",
    }
    assert items("tokio-imap-0233") == {
        "UID": b"87567",
        "INTERNALDATE": b"06-May-2023 18:48:30 +0200",
        "RFC822.SIZE": b"5799845",
    }
    assert items("tokio-imap-0245") == {"UID": b"7", "THREADID": None, "BODY[]<0>": b"hi"}


def test_every_fetch_of_the_vectors_has_the_values_that_imapclient_reads(corpora: Path) -> None:
    compared = 0
    fetched = set().union(*(load_kind(corpora, kind) for kind in FETCHED))
    for name, raw in load_vectors(corpora, complete=True).items():
        if name not in fetched:
            continue
        replies, _ = framed(raw)
        for segments in replies:
            reply = parse_reply(segments)
            if reply.kind != "FETCH":
                continue
            # As imaplib hands it on: the text before a literal with it, the last text alone.
            pairs = list(zip(reply.segments[:-1:2], reply.segments[1::2], strict=True))
            (theirs,) = parse_response([*pairs, reply.segments[-1]])
            ours = parse_fetch(reply)
            assert as_tokens(list(ours.values())) == as_tokens(theirs[1::2]), name
            assert len(ours) == len(theirs[::2]), name
            compared += 1
    assert compared >= 30


def as_tokens(value: Any) -> Any:
    """Bring both parsers' values to one form: bytes, None and lists."""
    if isinstance(value, Unread):
        value = value.read()
    if isinstance(value, tuple | list):
        return [as_tokens(one) for one in value]
    return str(value).encode() if isinstance(value, int | str) else value


# -- anything


PIECES = st.sampled_from(
    b'* |1 |FETCH |(|)|(UID 1 |"|"a"|\\|{3}\r\n|{0}\r\n|abc|NIL|BODY[|BODY[]|]|<0>| |\r\n'.split(
        b"|"
    )
)
NEARLY_IMAP = st.lists(PIECES | st.binary(max_size=4), max_size=30).map(b"".join)


@settings(derandomize=True, deadline=None)
@given(st.binary() | NEARLY_IMAP.map(b"* 1 FETCH ".__add__))
def test_any_bytes_are_replies_or_a_protocol_error(said: bytes) -> None:
    replies, _ = framed(said)
    for segments in replies:
        try:
            reply = parse_reply(segments)
            split_code(reply.text)
            parse_fetch(reply)
        except ProtocolError as error:
            assert str(error)  # noqa: PT017 a message, always


NAMES = st.sampled_from(
    [b"UID", b"FLAGS", b"RFC822.SIZE", b"BODYSTRUCTURE", b"BODY[1]", b"BODY[]<0>", b"NIL", b"X"]
)
VALUES = st.sampled_from(
    [b"7", b"007", b"NIL", b"nil", b"()", b"(\\Seen)", b"(\\Seen $Junk)", b"(NIL)", b'"x"', b'""',
     b'"a \\"b"', b'"NIL"', b'("a" NIL)', b"((a) b)", b"(", b")", b'"', b"", b" ", b"{1}",
     b'("TEXT" "PLAIN" ("CHARSET" "utf-8") NIL NIL "7BIT" 7 1)',
     b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" 007 1 NIL ("INLINE" NIL))',
     b'("TEXT" "PLAIN" ("NAME" "a\\"(\\\\") NIL NIL "7BIT" 7 1)',
     b"(TEXT PLAIN NIL NIL NIL 7BIT 7 1)",
     b'(("TEXT" "PLAIN" NIL NIL NIL "7BIT" 7 1)("IMAGE" "PNG" nil NIL NIL "" 7) "MIXED")',
     b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" NIL 1)', '("TEXT" "Ü" NIL NIL NIL "7BIT" 7 1)'.encode()]
)  # fmt: skip
ITEMS = st.lists(st.tuples(NAMES, VALUES).map(b" ".join), max_size=4).map(b" ".join)


def outcome(text: bytes) -> object:
    try:
        items = fetched(text)
    except ProtocolError:
        return "unreadable"
    if "BODYSTRUCTURE" in items:
        try:
            return items | {"BODYSTRUCTURE": parse_bodystructure(items["BODYSTRUCTURE"])}
        except ProtocolError:
            # The short way notices only here what makes the long way give up the reply; the message
            # is read without its structure in either case.
            return "unreadable"
    return items


@settings(derandomize=True, deadline=None, max_examples=1000)
@given(ITEMS)
def test_more_blanks_than_usual_make_no_difference(items: bytes) -> None:
    # What is usual may be read by a shorter way; it must come to the same.
    assert outcome(b"(" + items + b")") == outcome(b"(  " + items + b")")


@settings(derandomize=True, deadline=None)
@given(st.recursive(st.none() | st.binary(), st.lists))
def test_what_is_written_as_literals_is_read_back(token: Token) -> None:
    segments = [b""]
    _write(token, segments)
    assert parse_tokens(segments) == [token]


def _write(token: Token, segments: list[bytes]) -> None:
    if token is None:
        segments[-1] += b" NIL"
    elif isinstance(token, bytes):
        segments[-1] += b" {%d}" % len(token)
        segments += [token, b""]
    else:
        segments[-1] += b" ("
        for one in token:
            _write(one, segments)
        segments[-1] += b" )"
