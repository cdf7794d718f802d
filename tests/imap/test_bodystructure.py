"""BODYSTRUCTURE -> a tree of Parts, and which structures are not to be trusted."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailframe.exceptions import ProtocolError
from mailframe.imap.bodystructure import (
    MAX_DEPTH,
    doubt_of_content,
    parse_bodystructure,
    suspicion,
)
from mailframe.imap.responses import parse_tokens
from mailframe.parsing import parse_headers, pick_parts
from mailframe.records import Part
from tests.imap.stream import framed
from tests.imap.vectors import load_vectors

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

    from mailframe.imap.responses import Token

LEAF = b'("TEXT" "PLAIN" ("CHARSET" "us-ascii") NIL NIL "7BIT" 7 1)'
PDF = (
    b'("APPLICATION" "PDF" ("NAME" "a.pdf") "<id@x>" "A paper" "BASE64" 1000 NIL '
    b'("ATTACHMENT" ("FILENAME" "a.pdf")) ("en") NIL)'
)
ADDRESS = b'(("A" NIL "a" "example.org"))'
FORWARDED = (
    b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 500 '
    b'("Mon, 5 Jan 2026 10:30:00 +0000" "Inner" %b %b %b NIL NIL NIL NIL "<1@x>") %b 12 '
    b'NIL ("ATTACHMENT" ("FILENAME" "inner.eml")) NIL NIL)'
) % (ADDRESS, ADDRESS, ADDRESS, LEAF)


def structure(text: bytes) -> Part:
    [token] = parse_tokens([text])
    return parse_bodystructure(token)


def flat(part: Part) -> Iterator[tuple[str, str]]:
    yield part.number, part.content_type
    for child in part.parts:
        yield from flat(child)


# -- what is read


def test_a_single_part_is_number_one() -> None:
    assert structure(
        b'("TEXT" "Plain" ("CHARSET" "UTF-8") NIL NIL "Quoted-Printable" 1315 42)'
    ) == (Part("1", "text/plain", charset="utf-8", encoding="quoted-printable", size=1315))


def test_an_attachment_has_name_id_and_disposition() -> None:
    assert structure(PDF) == Part(
        "1",
        "application/pdf",
        encoding="base64",
        disposition="attachment",
        filename="a.pdf",
        content_id="id@x",
        size=1000,
    )


def test_parts_are_numbered_as_fetch_wants_them() -> None:
    nested = b'((%b%b "MIXED" ("BOUNDARY" "b"))%b(%b%b "ALTERNATIVE")%b "MIXED")' % (
        LEAF, PDF, FORWARDED, LEAF, LEAF, PDF,
    )  # fmt: skip
    assert list(flat(structure(nested))) == [
        ("", "multipart/mixed"),
        ("1", "multipart/mixed"),
        ("1.1", "text/plain"),
        ("1.2", "application/pdf"),
        ("2", "message/rfc822"),
        ("3", "multipart/alternative"),
        ("3.1", "text/plain"),
        ("3.2", "text/plain"),
        ("4", "application/pdf"),
    ]


def test_a_forwarded_message_is_a_leaf_with_its_own_disposition() -> None:
    part = structure(FORWARDED)
    assert (part.parts, part.disposition, part.filename, part.size) == (
        (),
        "attachment",
        "inner.eml",
        500,
    )


def test_a_forwarded_message_without_extension_data_is_read_too() -> None:
    part = structure(b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 500)')
    assert (part.content_type, part.disposition) == ("message/rfc822", None)


def test_the_disposition_stands_behind_the_md5_of_each_kind_of_part() -> None:
    text = structure(b'("TEXT" "X" NIL NIL NIL "7BIT" 7 1 "md5" ("INLINE" NIL))')
    image = structure(b'("IMAGE" "PNG" NIL NIL NIL "BASE64" 7 "md5" ("INLINE" NIL))')
    assert (text.disposition, image.disposition) == ("inline", "inline")


def test_a_multipart_has_boundary_and_disposition() -> None:
    part = structure(b'(%b%b "MIXED" ("BOUNDARY" "b") ("INLINE" NIL) NIL)' % (LEAF, PDF))
    assert (part.boundary, part.disposition) == ("b", "inline")


def test_flowed_text_is_marked() -> None:
    form = b'("TEXT" "PLAIN" ("FORMAT" "Flowed" "DelSp" "%b") NIL NIL "7BIT" 7 1)'
    assert structure(form % b"Yes").format == "flowed delsp"
    assert structure(form % b"no").format == "flowed"
    assert structure(LEAF).format is None


@pytest.mark.parametrize(
    ("parameters", "filename"),
    [
        (b'("FILENAME" "plain.pdf")', "plain.pdf"),
        (b'("FILENAME" "=?utf-8?Q?Gr=C3=BC=C3=9Fe=2Epdf?=")', "Grüße.pdf"),
        (b'("FILENAME*" "utf-8\'\'Gr%C3%BC%C3%9Fe.pdf")', "Grüße.pdf"),
        (b'("FILENAME*0" "long-" "FILENAME*1" "name.pdf")', "long-name.pdf"),
        ('("FILENAME" "Grüße.pdf")'.encode(), "Grüße.pdf"),
        ('("FILENAME" "Grüße.pdf")'.encode("latin-1"), "Grüße.pdf"),
        (b'("FILENAME" NIL)', "from-type.pdf"),
        (b'("FILENAME")', "from-type.pdf"),
        (b"NIL", "from-type.pdf"),
    ],
)
def test_a_filename_is_decoded_however_it_was_sent(parameters: bytes, filename: str) -> None:
    part = structure(
        b'("APPLICATION" "PDF" ("NAME" "from-type.pdf") NIL NIL "BASE64" 9 NIL ("ATTACHMENT" %b))'
        % parameters
    )
    assert part.filename == filename


# -- odd, but readable


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        (b"(NIL NIL NIL NIL NIL NIL 7)", "application/x-unknown"),
        (b'("" "" NIL NIL NIL "" 7)', "application/x-unknown"),
        (b'("TEXT" NIL NIL NIL NIL "7BIT" 7 1)', "text/plain"),
        (b"(TEXT PLAIN NIL NIL NIL 7BIT 7 1)", "text/plain"),
        (b'("TEXT" "PLAIN" () () () "7BIT" 7 1)', "text/plain"),
        (b'("TEXT" "PLAIN" "odd" NIL NIL "7BIT" "7" 1)', "text/plain"),
        (b'(("TEXT" "PLAIN" NIL NIL NIL "7BIT" 7 1))', "multipart/mixed"),
        (b'(("TEXT" "PLAIN" NIL NIL NIL "7BIT" 7 1) NIL)', "multipart/mixed"),
        (b'("TEXT" "PLAIN" ("CHARSET") NIL NIL "7BIT" 7 1 NIL "INLINE")', "text/plain"),
    ],
)
def test_odd_forms_are_read_as_far_as_they_go(text: bytes, content_type: str) -> None:
    part = structure(text)
    assert part.content_type == content_type
    assert part.encoding == "7bit"


def test_a_disposition_without_its_list_is_taken() -> None:
    assert structure(b'("IMAGE" "PNG" NIL NIL NIL "BASE64" 7 NIL "INLINE")').disposition == "inline"


@pytest.mark.parametrize(
    ("subject", "expected"),
    [(b'"=?utf-8?q?Gr=C3=BC=C3=9Fe?="', "Grüße"), (b"NIL", None), (b'""', "")],
)
def test_a_message_within_has_the_subject_of_its_envelope(
    subject: bytes, expected: str | None
) -> None:
    envelope = b"(NIL %b NIL NIL NIL NIL NIL NIL NIL NIL)" % subject
    part = structure(
        b'("MESSAGE" "RFC822" NIL NIL NIL "7BIT" 99 %b %b 5 NIL ("ATTACHMENT" NIL))'
        % (envelope, LEAF)
    )
    assert (part.subject, part.disposition) == (expected, "attachment")
    [attachment] = pick_parts(part).attachments
    assert attachment.subject == expected


def test_an_extension_of_unknown_form_does_no_harm() -> None:
    part = structure(b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" 7 1 NIL ((NIL) ("a" (1 2))) 5 (()))')
    assert (part.content_type, part.size) == ("text/plain", 7)


# -- unreadable


@pytest.mark.parametrize(
    "text",
    [
        b"NIL",
        b'"text"',
        b"()",
        b"(())",
        b"((()))",
        b'("TEXT" "PLAIN")',
        b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" NIL 1)',
        b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" many 1)',
        b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" -7 1)',
        b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" (7) 1)',
        b'(("TEXT" "PLAIN" NIL NIL NIL "7BIT" 7 1) () "MIXED")',
    ],
)
def test_what_is_no_structure_is_a_protocol_error_that_shows_it(text: bytes) -> None:
    with pytest.raises(ProtocolError, match="BODYSTRUCTURE") as caught:
        structure(text)
    assert len(caught.value.reply) <= 200


def test_a_structure_may_be_as_deep_as_mail_is_and_no_deeper() -> None:
    def nested(depth: int) -> bytes:
        return b"(" * depth + LEAF + b' "MIXED")' * depth

    assert len(list(flat(structure(nested(MAX_DEPTH))))) == MAX_DEPTH + 1
    with pytest.raises(ProtocolError):
        structure(nested(MAX_DEPTH + 1))


@pytest.mark.parametrize(
    "text",
    [
        b"(" * 20_000 + b")" * 20_000,
        b'("TEXT" "PLAIN" %b NIL NIL "7BIT" NIL 1)' % (b"(" * 20_000 + b")" * 20_000),
    ],
    ids=["parts", "parameters"],
)
def test_a_structure_deeper_than_pythons_stack_is_a_protocol_error(text: bytes) -> None:
    with pytest.raises(ProtocolError):
        structure(text)


def test_an_absurd_size_is_a_protocol_error() -> None:
    with pytest.raises(ProtocolError):
        structure(b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" %b 1)' % (b"9" * 5000))


WORDS = st.sampled_from(
    [
        None,
        b"TEXT",
        b"PLAIN",
        b"7BIT",
        b"MESSAGE",
        b"RFC822",
        b"MULTIPART",
        b"0",
        b"7",
        b"\xff",
        b"",
    ]
)
TOKENS = st.recursive(WORDS | st.binary(max_size=5), lambda inner: st.lists(inner, max_size=12))
LEAF_LIKE = st.tuples(
    WORDS, WORDS, TOKENS, WORDS, WORDS, WORDS, st.just(b"7"), TOKENS, TOKENS, TOKENS
)
TREE_LIKE = st.recursive(
    LEAF_LIKE.map(list),
    lambda inner: st.tuples(
        st.lists(inner, min_size=1, max_size=4), st.lists(TOKENS, max_size=5)
    ).map(lambda pair: [*pair[0], *pair[1]]),
)


@settings(derandomize=True, deadline=None)
@given(TOKENS | TREE_LIKE)
def test_any_tokens_are_a_tree_or_a_protocol_error(token: Token) -> None:
    try:
        root = parse_bodystructure(token)
    except ProtocolError:
        return
    pick_parts(root)
    suspicion(root, parse_headers(b""), None)


@settings(derandomize=True, deadline=None, max_examples=25)
@given(TREE_LIKE)
def test_every_part_has_a_number_of_its_own(token: Token) -> None:
    try:
        numbers = [number for number, _ in flat(parse_bodystructure(token))]
    except ProtocolError:
        return
    assert len(set(numbers)) == len(numbers)


# -- vectors


def test_dovecots_nested_structure_is_read_as_it_is_written(corpora: Path) -> None:
    [segments], _ = framed(load_vectors(corpora, complete=True)["mailkit-0013"])
    [[_, token]] = parse_tokens([segments[0].partition(b"FETCH ")[2]])
    root = parse_bodystructure(token)
    assert list(flat(root)) == [
        ("", "multipart/mixed"),
        ("1", "multipart/alternative"),
        ("1.1", "text/plain"),
        ("1.2", "text/html"),
        ("2", "message/rfc822"),
        ("3", "message/rfc822"),
    ]
    assert [part.disposition for part in root.parts] == [None, "attachment", "attachment"]
    assert root.boundary == "----=_NextPart_000_0077_01CBB179.57530990"


# -- suspicion

FIELDS = b"Date: Mon, 5 Jan 2026 10:30:00 +0000\r\nFrom: a@example.org\r\n"
MIXED = b'(%b%b "MIXED" ("BOUNDARY" "b"))' % (LEAF, PDF)


@pytest.mark.parametrize(
    ("text", "content_type"),
    [
        (LEAF, None),
        (LEAF, "text/plain; charset=utf-8"),
        (LEAF, "TEXT/Plain"),
        (MIXED, "multipart/mixed; boundary=b"),
        (b'(%b%b "MIXED" ("BOUNDARY" "b"))' % (MIXED, LEAF), "multipart/mixed; boundary=b"),
    ],
)
def test_a_structure_that_fits_its_header_is_trusted(text: bytes, content_type: str | None) -> None:
    assert suspicion(structure(text), parse_headers(FIELDS), content_type) == ""


@pytest.mark.parametrize(
    ("text", "content_type", "why"),
    [
        (b'("TEXT" "PLAIN" NIL NIL NIL "7BIT" 0 0)', None, "part 1 is empty"),
        (LEAF.replace(b"7 1", b"0 0").join([b"(", PDF + b' "MIXED" ("BOUNDARY" "b"))']),
         "multipart/mixed", "part 1 is empty"),
        (b'(%b "MIXED" ("BOUNDARY" "b"))' % LEAF, "multipart/mixed", "at the top of one part"),
        (b'(%b%b "MIXED")' % (LEAF, PDF), "multipart/mixed", "at the top without boundary"),
        (b'(%b(%b "MIXED" ("BOUNDARY" "c")) "MIXED" ("BOUNDARY" "b"))' % (LEAF, PDF),
         "multipart/mixed", "multipart 2 of one part"),
        (LEAF, "text/html", "declared text/html, described as text/plain"),
        (PDF, None, "declared text/plain, described as application/pdf"),
        (MIXED, "text/plain", "declared text/plain, described as multipart/mixed"),
    ],
)  # fmt: skip
def test_the_signs_of_a_guess_are_named(text: bytes, content_type: str | None, why: str) -> None:
    assert why in suspicion(structure(text), parse_headers(FIELDS), content_type)


@pytest.mark.parametrize("missing", [b"Date", b"From"])
def test_without_from_or_date_the_header_may_have_been_cut_short(missing: bytes) -> None:
    fields = b"".join(line for line in FIELDS.splitlines(keepends=True) if missing not in line)
    assert suspicion(structure(LEAF), parse_headers(fields), None) == "no From or Date"


# -- content


PAGE = Part("2", "text/html")
MULTIPART = Part("", "multipart/alternative", parts=(Part("1", "text/plain"), PAGE), boundary="b")


@pytest.mark.parametrize(
    ("root", "part", "raw", "doubted"),
    [
        (MULTIPART, PAGE, b"<HTML><p>Hi", True),
        (MULTIPART, PAGE, b"<body><p>Hi</bo=\r\ndy>", False),
        (MULTIPART, PAGE, b"<html><p>Hi</html>", False),
        (MULTIPART, PAGE, b"<p>Hi", False),
        (PAGE, PAGE, b"<html><p>Hi", False),
        (MULTIPART, replace(PAGE, encoding="base64"), b"<html>", False),
        (MULTIPART, replace(PAGE, content_type="text/plain"), b"<html>", False),
    ],
)
def test_a_page_without_its_end_may_have_lost_it_to_a_boundary(
    root: Part, part: Part, raw: bytes, *, doubted: bool
) -> None:
    found = doubt_of_content(root, part, raw)
    assert found == ("the page in part 2 has no end" if doubted else "")
