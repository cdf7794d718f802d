"""BODY[…]: which bytes a section means (RFC 3501 section 6.4.5)."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.embedded.entities import DEEPEST, find_entities
from mailframe.embedded.sections import Section, content_of, header_content, partial


def lines(*texts: str) -> bytes:
    return "".join(f"{text}\r\n" for text in texts).encode()


INNER = lines(
    "Subject: Inner",
    "MIME-Version: 1.0",
    "Content-Type: multipart/alternative; boundary=in",
    "",
    "--in",
    "",
    "plain",
    "--in",
    "Content-Type: text/html",
    "",
    "<p>html</p>",
    "--in--",
    "",
)
MESSAGE = (
    lines(
        "Subject: Outer",
        "MIME-Version: 1.0",
        "Content-Type: multipart/mixed; boundary=out",
        "",
        "preamble",
        "--out",
        "Content-Type: text/plain",
        "X-Part: one",
        "",
        "first",
        "",
        "--out",
        "Content-Type: message/rfc822",
        "",
    )
    + INNER
    + lines("--out--", "epilogue")
)
SINGLE = lines("Subject: Single", "Content-Type: text/html", "", "body")


def cut(raw: bytes, path: str, text: str = "", *names: bytes) -> bytes | None:
    numbers = tuple(int(number) for number in path.split(".") if number)
    return content_of(raw, find_entities(raw), Section(numbers, text, names))


def test_a_message_is_its_header_and_its_text() -> None:
    assert cut(MESSAGE, "") == MESSAGE
    header, text = cut(MESSAGE, "", "HEADER"), cut(MESSAGE, "", "TEXT")
    assert header is not None
    assert text is not None
    assert header + text == MESSAGE
    assert text.startswith(b"preamble")


def test_parts_are_numbered_from_one() -> None:
    assert cut(MESSAGE, "1") == b"first\r\n"
    assert cut(MESSAGE, "1", "MIME") == b"Content-Type: text/plain\r\nX-Part: one\r\n\r\n"
    assert cut(MESSAGE, "2", "MIME") == b"Content-Type: message/rfc822\r\n\r\n"


def test_the_line_break_before_a_delimiter_belongs_to_the_delimiter() -> None:
    assert cut(MESSAGE, "2") == INNER[:-2]
    assert cut(MESSAGE, "2.1") == b"plain"


def test_the_parts_of_a_message_within_are_numbered_behind_its_own_number() -> None:
    assert cut(MESSAGE, "2.2") == b"<p>html</p>"
    assert cut(MESSAGE, "2.2", "MIME") == b"Content-Type: text/html\r\n\r\n"


def test_a_message_within_has_a_header_and_a_text() -> None:
    header, text = cut(MESSAGE, "2", "HEADER"), cut(MESSAGE, "2", "TEXT")
    assert header is not None
    assert text is not None
    assert header.startswith(b"Subject: Inner\r\n")
    assert header + text == INNER[:-2]
    assert cut(MESSAGE, "2", "HEADER.FIELDS", b"SUBJECT") == b"Subject: Inner\r\n\r\n"
    rest = cut(MESSAGE, "2", "HEADER.FIELDS.NOT", b"subject")
    assert rest == header.removeprefix(b"Subject: Inner\r\n")


def test_a_message_that_is_no_multipart_has_one_part() -> None:
    assert cut(SINGLE, "1") == b"body\r\n"
    assert cut(SINGLE, "1", "MIME") == cut(SINGLE, "", "HEADER")


def test_a_message_within_that_is_no_multipart_has_one_part_too() -> None:
    raw = lines("MIME-Version: 1.0", "Content-Type: message/rfc822", "") + SINGLE
    assert cut(raw, "1") == SINGLE
    assert cut(raw, "1.1") == b"body\r\n"
    assert cut(raw, "1.1", "MIME") == cut(raw, "1", "HEADER") == SINGLE[:-6]


@pytest.mark.parametrize(
    ("path", "text"),
    [("3", ""), ("1.1", ""), ("2.3", ""), ("1", "HEADER"), ("1", "TEXT"), ("2.1", "HEADER"),
     ("3", "MIME"), ("0", ""), ("2.2.1.1", "")],
)  # fmt: skip
def test_what_is_not_there_is_none(path: str, text: str) -> None:
    assert cut(MESSAGE, path, text) is None


def test_a_header_cut_off_by_a_delimiter_is_given_with_an_empty_line() -> None:
    raw = lines(
        "MIME-Version: 1.0",
        "Content-Type: multipart/report; boundary=b",
        "",
        "--b",
        "Content-Type: message/rfc822",
        "",
        "From: ann@example.org",
        "Subject: Returned",
        "--b--",
    )
    assert cut(raw, "1") == b"From: ann@example.org\r\nSubject: Returned\r\n"
    assert cut(raw, "1", "HEADER.FIELDS", b"Subject") == b"Subject: Returned\r\n\r\n"
    assert cut(raw, "1", "HEADER.FIELDS.NOT", b"From") == b"Subject: Returned\r\n\r\n"


def test_an_empty_line_before_a_delimiter_is_the_delimiters_of_a_header_too() -> None:
    raw = lines("Content-Type: multipart/mixed; boundary=b", "", "--b", "X: y", "", "--b--")
    assert cut(raw, "1", "MIME") == b"X: y\r\n"
    assert cut(raw, "1") == b""


def test_between_two_closing_delimiters_the_line_break_stays_as_in_dovecot() -> None:
    raw = lines(
        "Content-Type: multipart/mixed; boundary=out",
        "",
        "--out",
        "Content-Type: multipart/mixed; boundary=in",
        "",
        "--in",
        "",
        "x",
        "--in--",
        "--out--",
    )
    assert cut(raw, "1") == b"--in\r\n\r\nx\r\n--in--\r\n"


def test_fields_are_given_as_they_are_in_their_order_with_their_folds() -> None:
    header = b"to: a\r\nSubject : x\r\n y\r\n\tz\r\nTo-Do: no\r\nTO: b\r\n\r\n"
    named = Section((), "HEADER.FIELDS", (b"subject", b"To"))
    assert header_content(header, named) == (b"to: a\r\nSubject : x\r\n y\r\n\tz\r\nTO: b\r\n\r\n")
    others = Section((), "HEADER.FIELDS.NOT", (b"subject", b"To"))
    assert header_content(header, others) == b"To-Do: no\r\n\r\n"


def test_a_field_that_is_not_there_leaves_the_empty_line() -> None:
    section = Section((), "HEADER.FIELDS", (b"X-Nothing",))
    assert header_content(b"Subject: Hi\r\n\r\n", section) == b"\r\n"


def test_a_name_is_text_and_no_expression() -> None:
    section = Section((), "HEADER.FIELDS", (b".*", b"a|b", b"("))
    assert header_content(b"Subject: Hi\r\n(: x\r\n\r\n", section) == b"(: x\r\n\r\n"


def test_a_part_of_the_bytes_ends_where_they_end() -> None:
    assert partial(b"0123456789", 0, 3) == b"012"
    assert partial(b"0123456789", 8, 10) == b"89"
    assert partial(b"0123456789", 10, 1) == b""
    assert partial(b"0123456789", 2**40, 2**40) == b""


@pytest.mark.parametrize(
    ("section", "label"),
    [
        (Section(), b"BODY[]"),
        (Section((1, 2)), b"BODY[1.2]"),
        (Section((), "HEADER"), b"BODY[HEADER]"),
        (Section((3,), "MIME"), b"BODY[3.MIME]"),
        (Section((), "HEADER.FIELDS", (b"from",)), b"BODY[HEADER.FIELDS (FROM)]"),
        (Section((2,), "HEADER.FIELDS.NOT", (b"a", b'x "y')),
         b'BODY[2.HEADER.FIELDS.NOT (A "X \\"Y")]'),
    ],
)  # fmt: skip
def test_a_reply_names_the_section(section: Section, label: bytes) -> None:
    assert section.label() == label


def test_parts_beyond_the_deepest_are_bytes_of_the_last() -> None:
    levels = DEEPEST + 50
    opened = "".join(
        f"Content-Type: multipart/mixed; boundary={n:04}x\r\n\r\n--{n:04}x\r\n"
        for n in range(levels)
    )
    raw = ("MIME-Version: 1.0\r\n" + opened).encode()
    found, depth = find_entities(raw), 0
    while found.children:
        found, depth = found.children[0], depth + 1
    assert depth == DEEPEST - 1
    deepest = content_of(raw, find_entities(raw), Section((1,) * depth))
    assert deepest == raw[found.body :]


_PIECES = st.sampled_from(
    [b"\r\n", b"\n", b"\r", b"--b", b"--bb", b"--", b"--b--", b" ", b"\0", b"\xe9", b"From: a@b",
     b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: message/rfc822",
     b"Content-Type: multipart/digest; boundary=bb", b"MIME-Version: 1.0", b"x"]
)  # fmt: skip
ANY = st.lists(_PIECES | st.binary(max_size=5), max_size=40).map(b"".join)


@given(ANY, st.lists(st.integers(0, 3), max_size=4))
def test_any_section_of_any_bytes_is_some_of_the_bytes(raw: bytes, path: list[int]) -> None:
    root = find_entities(raw)
    for text in ("", "HEADER", "TEXT", "MIME"):
        found = content_of(raw, root, Section(tuple(path), text))
        assert found is None or found in raw
    for text in ("HEADER.FIELDS", "HEADER.FIELDS.NOT"):
        content_of(raw, root, Section(tuple(path), text, (b"From",)))


@given(ANY)
def test_the_parts_of_any_bytes_lie_within_each_other(raw: bytes) -> None:
    open_ = [find_entities(raw)]
    assert (open_[0].start, open_[0].end) == (0, len(raw))
    while open_:
        one = open_.pop()
        assert one.start <= one.body <= one.end
        position = one.body
        for child in one.children:
            assert position <= child.start
            assert child.end <= one.end
            position = child.end
        open_ += one.children
