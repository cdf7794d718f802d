"""A message is taken apart as RFC 2046 says, and where it is damaged as most parsers do."""

from __future__ import annotations

import tracemalloc
from email.message import EmailMessage
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailframe.parsing import mime
from mailframe.parsing.mime import DEEPEST, MOST_PARTS, split_message

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailframe.records import Part


def mixed(body: str, *, header: str = "", boundary: str = "b") -> bytes:
    return f'{header}Content-Type: multipart/mixed; boundary="{boundary}"\n\n{body}'.encode()


def contents(raw: bytes) -> list[bytes]:
    return [part.raw or b"" for part in leaves(split_message(raw).structure)]


def leaves(root: Part) -> Iterator[Part]:
    waiting = [root]
    while waiting:
        part = waiting.pop()
        waiting += reversed(part.parts)
        if not part.is_multipart:
            yield part


def shape(part: Part) -> Any:
    if part.is_multipart:
        return (part.number, part.content_type, [shape(child) for child in part.parts])
    return (part.number, part.content_type, part.raw)


TWO = mixed("preamble\n--b\n\none\n--b\nContent-Type: text/html\n\n<p>two\n\n--b--\nepilogue\n")


# -- delimiters (RFC 2046 section 5.1.1)


@pytest.mark.parametrize("end", [b"\n", b"\r\n", b"\r"], ids=["lf", "crlf", "cr"])
def test_parts_stand_between_delimiters_whatever_ends_a_line(end: bytes) -> None:
    split = split_message(TWO.replace(b"\n", end))
    assert shape(split.structure) == (
        "",
        "multipart/mixed",
        [("1", "text/plain", b"one"), ("2", "text/html", b"<p>two\r\n")],
    )
    assert split.defects == []
    assert split.size == len(TWO) + TWO.count(b"\n")
    assert [part.size for part in leaves(split.structure)] == [3, 8]


def test_blanks_may_follow_a_delimiter() -> None:
    assert contents(mixed("--b \t\n\none\n--b  \n\ntwo\n--b-- \t\nmore\n")) == [b"one", b"two"]


@pytest.mark.parametrize("line", ["--bb", "--b--b", "--b-", "--b x", " --b", "-b", "x--b", "--B"])
def test_what_only_looks_like_a_delimiter_is_text(line: str) -> None:
    assert contents(mixed(f"--b\n\none\n{line}\n--b--\n")) == [b"one\r\n" + line.encode()]


def test_a_delimiter_of_which_another_is_the_beginning_is_told_from_it() -> None:
    inner = "Content-Type: multipart/mixed; boundary=b1\n\n--b1\n\none\n--b1--\n"
    outer = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n"
    assert contents(mixed(f"--b\n{inner}--b\n\ntwo\n--b--\n")) == [b"one", b"two"]
    assert contents(mixed(f"--b1\n{outer}--b1--", boundary="b1")) == [b"one"]


def test_a_delimiter_written_twice_makes_no_empty_part() -> None:
    assert contents(mixed("--b\n--b\n\none\n--b\n--b\n\ntwo\n--b--\n")) == [b"one", b"two"]


def test_an_outer_delimiter_ends_what_was_not_closed_within() -> None:
    inner = "Content-Type: multipart/mixed; boundary=i\n\n--i\n\none\n"
    split = split_message(mixed(f"--b\n{inner}--b\n\ntwo\n--b--\n"))
    assert [part.raw for part in leaves(split.structure)] == [b"one", b"two"]
    assert split.defects == []


def test_the_same_boundary_within_itself_belongs_to_the_inner_multipart() -> None:
    inner = "Content-Type: multipart/mixed; boundary=b\n\n--b\n\none\n--b--\n"
    assert contents(mixed(f"--b\n{inner}--b\n\ntwo\n--b--\n")) == [b"one", b"two"]


def test_behind_the_last_delimiter_nothing_is_a_part() -> None:
    assert contents(mixed("--b\n\none\n--b--\n--b\n\ntwo\n--b--\n")) == [b"one"]


@pytest.mark.parametrize(
    ("end", "defects"), [("\n", []), ("", ["multipart not closed: it may be cut"])]
)
def test_what_is_never_closed_ends_with_the_message(end: str, defects: list[str]) -> None:
    split = split_message(mixed(f"--b\n\none{end}"))
    assert [part.raw for part in leaves(split.structure)] == [
        b"one" + end.replace("\n", "\r\n").encode()
    ]
    assert split.defects == defects


def test_a_boundary_declared_with_blanks_at_its_end_may_be_written_with_them_or_without() -> None:
    assert contents(mixed("--b \n\none\n--b\nstill\n--b --\n", boundary="b ")) == [
        b"one\r\n--b\r\nstill"
    ]
    assert contents(mixed("--b\n\none\n--b--\n", boundary="b ")) == [b"one"]


def test_many_false_delimiters_do_not_hide_the_true_one() -> None:
    text = "--bx\n" * (mime._MOST_FALSE + 5)
    [found] = contents(mixed(f"--b\n\n{text}--b--\nmore\n"))
    assert found == text.replace("\n", "\r\n").encode().removesuffix(b"\r\n")


def test_a_multipart_without_its_boundary_shows_nothing_and_says_so() -> None:
    split = split_message(mixed("Hello\n"))
    assert shape(split.structure) == ("", "multipart/mixed", [])
    assert split.defects == ["multipart without parts: its text is not shown"]
    assert split_message(mixed(" \n")).defects == []


def test_a_multipart_without_a_boundary_is_text() -> None:
    split = split_message(b"Content-Type: multipart/mixed\n\nHello\n")
    assert shape(split.structure) == ("1", "text/plain", b"Hello\r\n")


# -- headers (RFC 5322 section 2.2)


def test_a_part_may_have_no_header_and_no_content() -> None:
    assert contents(mixed("--b\n\none\n--b\n\n--b\nX: y\n--b\nX: y\n\n--b--\n")) == [
        b"one",
        b"",
        b"",
        b"",
    ]


def test_a_header_ends_before_the_next_delimiter() -> None:
    root = split_message(mixed("--b\nContent-Type: text/html\n--b\n\ntwo\n--b--\n")).structure
    assert [(part.content_type, part.raw) for part in root.parts] == [
        ("text/html", b""),
        ("text/plain", b"two"),
    ]


def test_text_may_follow_a_header_without_an_empty_line() -> None:
    split = split_message(b"Subject: Hi\nHello\n\nBye\n")
    assert (split.fields, split.structure.raw) == ([("Subject", "Hi")], b"Hello\r\n\r\nBye\r\n")
    assert split.defects == []


def test_a_line_that_is_no_field_does_not_end_a_header_that_goes_on() -> None:
    raw = b"Received: by a\nTo: b@example.org\nid 7 badly wrapped\nX-A: b\nSubject: Hi\n\nHello\n"
    split = split_message(raw)
    assert dict(split.fields)["Subject"] == "Hi"
    assert split.structure.raw == b"Hello\r\n"
    assert (split.problems, split.defects) == (["no header field: id 7 badly wrapped"], [])


def test_a_line_of_blanks_may_stand_for_the_empty_line() -> None:
    split = split_message(b"From: a@example.org\nTo: b\n \nHello\nSubject: z\n\nBye\n")
    assert split.structure.raw == b"Hello\r\nSubject: z\r\n\r\nBye\r\n"


def test_a_byte_order_mark_may_stand_before_the_header() -> None:
    assert split_message(b"\xef\xbb\xbfSubject: Hi\n\nHello").fields == [("Subject", "Hi")]


def test_what_begins_with_no_field_has_no_header() -> None:
    split = split_message(b"Dear all,\nSubject: Hi\n\nHello\n")
    assert (split.fields, split.structure.raw) == ([], b"Dear all,\r\nSubject: Hi\r\n\r\nHello\r\n")


def test_a_delimiter_in_place_of_the_empty_line_begins_a_part() -> None:
    raw = mixed("--b\nContent-Type: text/html\n\none\n--b--\n", header="From: a@example.org\n")
    assert contents(raw.replace(b"\n\n--b", b"\n--b", 1)) == [b"one"]


def test_blanks_may_stand_before_the_colon_of_a_field() -> None:
    split = split_message(b"Subject : Hi\nContent-Type \t: text/html\n\n<p>\n")
    assert (split.fields[0], split.structure.content_type) == (("Subject", "Hi"), "text/html")


@pytest.mark.parametrize(
    "line", [b"From a@example.org Thu Jan  1 00:00:00 2026\n", b">From a\n", b">>From a\n"]
)
def test_the_line_that_mbox_writes_is_no_part_of_the_message(line: bytes) -> None:
    assert shape(split_message(line + TWO).structure) == shape(split_message(TWO).structure)


def test_of_a_field_given_twice_the_first_counts() -> None:
    part = split_message(b"Content-Type: text/html\ncontent-type: text/plain\n\n").structure
    assert part.content_type == "text/html"


def test_a_part_says_what_it_is() -> None:
    part = split_message(
        b"Content-Type: text/plain; charset=UTF-8; format=Flowed; delsp=yes; name=a.txt\n"
        b"Content-Disposition: Attachment; filename=b.txt\n"
        b'Content-Transfer-Encoding: "Base64" (of course)\n'
        b"Content-ID: <a@b>\n\nSGk=\n"
    ).structure
    assert (part.charset, part.format, part.encoding) == ("utf-8", "flowed delsp", "base64")
    assert (part.disposition, part.filename, part.content_id) == ("attachment", "b.txt", "a@b")
    assert (part.raw, part.size) == (b"SGk=\n", 6)  # line ends mean nothing in it, but do count


def test_the_parts_of_a_digest_are_messages_unless_they_say_otherwise() -> None:
    parts = "--b\n\nSubject: One\n\nx\n--b\nContent-Type: text/plain\n\ny\n--b--\n"
    root = split_message(mixed(parts).replace(b"mixed", b"digest", 1)).structure
    assert [(part.content_type, part.subject) for part in root.parts] == [
        ("message/rfc822", "One"),
        ("text/plain", None),
    ]


# -- messages within the message (RFC 2046 section 5.2.1)


@pytest.mark.parametrize(
    ("encoding", "content"),
    [
        ("7bit", "Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?=\n\nHello"),
        ("base64", "U3ViamVjdDogR3LDvMOfZQ0KDQpIZWxsbw=="),
    ],
)
def test_a_message_within_is_a_leaf_with_a_subject_of_its_own(encoding: str, content: str) -> None:
    header = f"Content-Type: message/rfc822\nContent-Transfer-Encoding: {encoding}\n\n"
    root = split_message(
        mixed(f"--b\n{header}{content}\n--b--\n", header="Subject: Outer\n")
    ).structure
    assert [(part.number, part.subject, part.parts) for part in root.parts] == [("1", "Grüße", ())]


def test_a_message_within_that_is_all_header_keeps_its_last_line_break() -> None:
    part = "Content-Type: message/rfc822\n\nSubject: One\n"
    assert contents(mixed(f"--b\n{part}--b--\n")) == [b"Subject: One\r\n"]
    assert contents(mixed(f"--b\n{part}\nx\n--b--\n")) == [b"Subject: One\r\n\r\nx"]


# -- bounds


def test_ten_thousand_levels_are_cut_where_no_mail_is() -> None:
    depth = 10_000
    opening = "".join(
        f"Content-Type: multipart/mixed; boundary=b{n}\n\n--b{n}\n" for n in range(depth)
    )
    split = split_message(f"{opening}\nHello\n".encode())
    part, levels = split.structure, 0
    while part.parts:
        [part], levels = part.parts, levels + 1
    assert levels == DEEPEST
    assert f"parts nested deeper than {DEEPEST}" in split.defects


def test_of_a_hundred_thousand_parts_the_last_one_has_the_rest() -> None:
    split = split_message(mixed("--b\n\nx\n" * 100_000 + "--b--\n"))
    assert len(split.structure.parts) == MOST_PARTS
    assert split.structure.parts[-2].raw == b"x"
    assert (split.structure.parts[-1].raw or b"").count(b"--b\r\n") == 100_000 - MOST_PARTS
    assert split.defects == [f"more than {MOST_PARTS:,} parts"]


def test_a_header_of_ten_megabytes_is_a_header() -> None:
    raw = b"Subject: " + b"x" * 10_000_000 + b"\nContent-Type: text/html\n\n<p>Hi\n"
    assert split_message(raw).structure.raw == b"<p>Hi\r\n"


@pytest.mark.parametrize(
    "raw",
    [
        mixed("--b\n" + "--b \t x\n" * 200_000),
        mixed("\n--" * 500_000),
        mixed("--b\n" * 300_000),
        mixed("--b\nContent-Type: multipart/mixed; boundary=b\n\n" * 20_000),
        b"From x\n" * 300_000,
        b"a\n" * 500_000,
        b"a:\nb\n" * 300_000,
        b"\n" * 2_000_000,
        b"A: b\n " * 300_000,
    ],
    ids=["blanks", "dashes", "delimiters", "multiparts", "from", "junk", "mixed", "empty", "folds"],
)
def test_hostile_repetition_ends(raw: bytes) -> None:
    split = split_message(raw)
    assert split.size == len(raw) + raw.count(b"\n")


def test_listing_a_large_message_makes_one_copy_of_it() -> None:
    size = 8 << 20
    raw = mixed("--b\nContent-Transfer-Encoding: base64\n\n" + "QUJD" * (size // 4) + "\n--b--\n")
    tracemalloc.start()
    split = split_message(raw)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert split.structure.parts[0].size == size
    assert peak < 1.1 * len(raw)


# -- against the standard library's writer

TEXTS = st.text(st.sampled_from("ab-=_ \n"), max_size=40)
NAMES = st.sampled_from(["mixed", "alternative", "related", "parallel"])
TREES = st.recursive(
    TEXTS, lambda inner: st.tuples(NAMES, st.lists(inner, min_size=1, max_size=4)), max_leaves=12
)


def written(tree: Any) -> EmailMessage:
    message = EmailMessage()
    if isinstance(tree, str):
        message.set_content(tree, cte="8bit")
        return message
    name, children = tree
    message["Content-Type"] = f"multipart/{name}"
    for child in children:
        message.attach(written(child))
    return message


def expected(message: Any, number: str = "") -> Any:
    if not message.is_multipart():
        content = message.get_payload(decode=True).replace(b"\n", b"\r\n")
        return (number or "1", "text/plain", content)
    prefix = f"{number}." if number else ""
    parts = message.get_payload()
    return (
        number,
        message.get_content_type(),
        [expected(part, f"{prefix}{place}") for place, part in enumerate(parts, 1)],
    )


@settings(deadline=None, derandomize=True)
@given(TREES, st.booleans())
def test_what_the_standard_library_writes_comes_back(tree: Any, crlf: bool) -> None:  # noqa: FBT001 hypothesis fills it in
    message = written(tree)
    raw = message.as_bytes()
    split = split_message(raw.replace(b"\n", b"\r\n") if crlf else raw)
    assert shape(split.structure) == expected(message)
    assert split.defects == []


PIECES = st.lists(
    st.sampled_from(
        [
            b"--b", b"--b--", b"--c", b"--c--", b"\n", b"\r\n", b"\r", b"\n\n", b" ", b"x", b"\0",
            b"Content-Type: multipart/mixed; boundary=b", b"Content-Type: message/rfc822",
            b"Content-Type: multipart/mixed; boundary=c", b"Content-Transfer-Encoding: base64",
            b"\xff", b"From ", b"A: b", b":",
        ]
    )
    | st.binary(max_size=3),
    max_size=40,
)  # fmt: skip


@settings(deadline=None, derandomize=True)
@given(PIECES)
def test_any_bytes_are_taken_apart(pieces: list[bytes]) -> None:
    raw = b"".join(pieces)
    root = split_message(raw).structure
    found = list(leaves(root))
    assert len({part.number for part in found}) == len(found)
    assert sum(part.size for part in found) <= len(raw) + raw.count(b"\n") + raw.count(b"\r")
