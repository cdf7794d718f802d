"""What is text, what is HTML, what is attached."""

from __future__ import annotations

import base64
import tracemalloc

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.parsing import (
    decode_content,
    decode_text,
    parse_email,
    parse_structure,
    pick_parts,
    read_bodies,
)
from mailframe.records import Part


def leaf(number: str, kind: str = "text/plain", **fields: object) -> Part:
    return Part(number, kind, **fields)  # type: ignore[arg-type]


def multipart(kind: str, *parts: Part, number: str = "") -> Part:
    return Part(number, f"multipart/{kind}", parts)


def numbers(root: Part) -> tuple[list[str], list[str], list[tuple[str, bool]]]:
    picked = pick_parts(root)
    return (
        [part.number for part in picked.text],
        [part.number for part in picked.html],
        [(one.part, one.inline) for one in picked.attachments],
    )


HTML = "text/html"


@pytest.mark.parametrize(
    ("root", "picked"),
    [
        (leaf("1"), (["1"], [], [])),
        (leaf("1", HTML), ([], ["1"], [])),
        (leaf("1", "application/pdf"), ([], [], [("1", False)])),
        (multipart("alternative", leaf("1"), leaf("2", HTML)), (["1"], ["2"], [])),
        (multipart("mixed", leaf("1"), leaf("2", "a/b")), (["1"], [], [("2", False)])),
        (multipart("mixed", leaf("1"), leaf("2", filename="x")), (["1"], [], [("2", False)])),
        (multipart("mixed", leaf("1", disposition="attachment")), ([], [], [("1", False)])),
        (multipart("mixed", leaf("1"), leaf("2", "image/png")), (["1"], [], [("2", True)])),
        (multipart("mixed", leaf("1"), leaf("2")), (["1", "2"], [], [])),
        (multipart("mixed", leaf("1"), leaf("2", "message/rfc822")), (["1"], [], [("2", False)])),
        (multipart("mixed"), ([], [], [])),
        (
            multipart(
                "related",
                leaf("1", HTML),
                leaf("2", "image/png", content_id="a@b"),
                leaf("3", "image/png"),
            ),
            ([], ["1"], [("2", True), ("3", False)]),
        ),
        (
            # the example of RFC 8621 section 4.1.4
            multipart(
                "mixed",
                leaf("1", disposition="inline"),
                multipart(
                    "mixed",
                    multipart(
                        "alternative",
                        multipart(
                            "mixed",
                            leaf("2.1.1.1", disposition="inline"),
                            leaf("2.1.1.2", "image/jpeg", disposition="inline"),
                            leaf("2.1.1.3", disposition="inline"),
                            number="2.1.1",
                        ),
                        multipart(
                            "related",
                            leaf("2.1.2.1", HTML),
                            leaf("2.1.2.2", "image/jpeg", content_id="f"),
                            number="2.1.2",
                        ),
                        number="2.1",
                    ),
                    leaf("2.2", "image/jpeg", disposition="attachment"),
                    leaf("2.3", "application/x-excel"),
                    leaf("2.4", "message/rfc822"),
                    number="2",
                ),
                leaf("3", disposition="inline"),
            ),
            (
                ["1", "2.1.1.1", "2.1.1.3", "3"],
                ["2.1.2.1"],
                [
                    ("2.1.1.2", True),
                    ("2.1.2.2", True),
                    ("2.2", False),
                    ("2.3", False),
                    ("2.4", False),
                ],
            ),
        ),
    ],
)
def test_parts_are_picked(
    root: Part, picked: tuple[list[str], list[str], list[tuple[str, bool]]]
) -> None:
    assert numbers(root) == picked


@pytest.mark.parametrize("content", [b"", b"x", b"x" * 57, b"x" * 58, b"x" * 1_000_000])
def test_the_size_of_base64_is_worked_out(content: bytes) -> None:
    encoded = base64.encodebytes(content).replace(b"\n", b"\r\n").removesuffix(b"\r\n")
    part = leaf("1", "a/b", encoding="base64", size=len(encoded))
    (attachment,) = pick_parts(part).attachments
    assert not attachment.size_exact
    assert abs(attachment.size - len(content)) <= 3
    whole = leaf("1", "a/b", encoding="base64", size=len(encoded), raw=encoded)
    (attachment,) = pick_parts(whole).attachments
    assert (attachment.size, attachment.size_exact) == (len(content), True)
    assert attachment.content is None
    assert pick_parts(whole, with_content=True).attachments[0].content == content


def test_the_size_of_other_encodings() -> None:
    for encoding, exact in (("7bit", True), ("binary", True), ("quoted-printable", False)):
        part = leaf("1", "a/b", encoding=encoding, size=10)
        (attachment,) = pick_parts(part).attachments
        assert (attachment.size, attachment.size_exact) == (10, exact)


@pytest.mark.parametrize(
    ("encoding", "raw", "content", "defects"),
    [
        ("7bit", b"a\r\n", b"a\r\n", ()),
        ("base64", b"SGVs\r\nbG8=\r\n", b"Hello", ()),
        ("base64", b"SGVsbG8", b"Hello", ()),
        ("base64", b"SGVsbG8=\r\n-- \r\nfooter", b"Hello", ("text behind the end of base64",)),
        ("base64", b"SGVsb", b"Hel", ("cut base64",)),
        ("base64", b"!!", b"", ()),
        ("quoted-printable", b"a=3Db=\r\nc=20\r\n", b"a=bc \r\n", ()),
        ("quoted-printable", b"a  \r\nb= \r\nc", b"a\r\nbc", ()),
        ("quoted-printable", b"a=zz", b"a=zz", ()),
        ("x-uuencode", b"begin 644 a\r\n%2&5L;&\\\r\n`\r\nend\r\n", b"Hello", ()),
        ("x-none", b"a", b"a", ("unknown encoding x-none",)),
    ],
)
def test_content_is_decoded(
    encoding: str, raw: bytes, content: bytes, defects: tuple[str, ...]
) -> None:
    assert decode_content(leaf("1", encoding=encoding), raw) == (content, defects)


@pytest.mark.parametrize(
    ("charset", "raw", "text", "used", "defects"),
    [
        (None, b"a\r\nb", "a\nb", "us-ascii", ()),
        ("us-ascii", "Grün".encode(), "Grün", "utf-8", ()),
        (None, "Grün".encode("latin-1"), "Grün", "windows-1252", ()),
        ("iso-8859-1", b"\x80", "€", "iso-8859-1", ()),
        ("gb2312", "镕".encode("gbk"), "镕", "gb2312", ()),
        ("utf-8", b"a\xff", "a\ufffd", "utf-8", ("not utf-8",)),
        ("iso-2022-jp", "Grün".encode(), "Grün", "utf-8", ()),
        ("x-none", "Grün".encode(), "Grün", "utf-8", ("unknown charset x-none",)),
        ("utf-8", b"a\0b", "a\ufffdb", "utf-8", ()),
    ],
)
def test_text_is_decoded(
    charset: str | None, raw: bytes, text: str, used: str, defects: tuple[str, ...]
) -> None:
    assert decode_text(leaf("1", charset=charset), raw) == (text, used, defects)


def test_utf_7_is_not_read() -> None:
    # It would let markup past every filter that looks for "<".
    assert decode_text(leaf("1", charset="utf-7"), b"+ADw-script+AD4-")[0] == "+ADw-script+AD4-"


def test_undeclared_text_is_recognised() -> None:
    for charset, text in (
        ("cp1251", "Привет, как дела? " * 9),
        ("euc_jp", "日本語の文章です。" * 9),
    ):
        assert decode_text(leaf("1"), text.encode(charset))[0] == text


def test_html_may_declare_its_charset_itself() -> None:
    raw = '<meta charset="iso-8859-2">Zażółć'.encode("iso-8859-2")
    text, charset, _ = decode_text(leaf("1", HTML), raw)
    assert (text[-6:], charset) == ("Zażółć", "iso-8859-2")


@given(
    st.binary(),
    st.sampled_from(["7bit", "base64", "quoted-printable", "x-uuencode"]),
    st.sampled_from([None, "utf-8", "utf-16", "utf-7", "hex", "iso-2022-jp", "idna", "é"]),
)
def test_no_content_makes_it_raise(raw: bytes, encoding: str, charset: str | None) -> None:
    text, _, _ = decode_text(leaf("1", encoding=encoding, charset=charset), raw)
    text.encode()
    assert "\0" not in text


def test_bodies_are_the_same_by_part_and_whole() -> None:
    contents = {"1": b"one", "2": b"<p>two"}
    apart = multipart("alternative", leaf("1"), leaf("2", HTML))
    whole = multipart("alternative", leaf("1", raw=b"one"), leaf("2", HTML, raw=b"<p>two"))
    for html in (False, True):
        assert read_bodies(pick_parts(apart), contents, html=html) == read_bodies(
            pick_parts(whole), {}, html=html
        )


def test_text_is_taken_from_the_html_where_there_is_no_other() -> None:
    bodies = read_bodies(pick_parts(leaf("1", HTML)), {"1": b"<p>Hi"}, html=False)
    assert (bodies.text, bodies.html, bodies.text_source) == ("Hi", None, "html")


def test_several_texts_are_joined_by_a_line_break() -> None:
    root = multipart("mixed", leaf("1"), leaf("2"))
    assert read_bodies(pick_parts(root), {"1": b"a", "2": b"b"}, html=False).text == "a\nb"


def test_a_message_without_bodies_has_none() -> None:
    bodies = read_bodies(pick_parts(leaf("1", "application/pdf")), {}, html=True)
    assert (bodies.text, bodies.html, bodies.text_source) == (None, None, "none")


def test_a_part_that_was_not_read_is_noted() -> None:
    bodies = read_bodies(pick_parts(leaf("1")), {}, html=False)
    assert bodies.text is None
    assert bodies.defects == ("part 1 was not read",)


# -- sizes and memory


def test_an_attachment_that_is_only_listed_is_not_decoded_at_once() -> None:
    raw = base64.encodebytes(bytes(6_000_000)).replace(b"\n", b"\r\n")
    part = leaf("1", "a/b", encoding="base64", size=len(raw), raw=raw)
    tracemalloc.start()
    try:
        (attachment,) = pick_parts(part).attachments
        _, peak = tracemalloc.get_traced_memory()
    finally:
        tracemalloc.stop()
    assert (attachment.size, attachment.size_exact) == (6_000_000, True)
    assert peak < 5_000_000


@pytest.mark.parametrize("name", ["8-bit", "7bits", "none", "BINARY"])
def test_an_encoding_that_changes_nothing_has_exact_sizes_by_any_name(name: str) -> None:
    (attachment,) = pick_parts(leaf("1", "a/b", encoding=name, size=10)).attachments
    assert (attachment.size, attachment.size_exact, attachment.encoding) == (10, True, name)


# -- trees of any depth


@pytest.mark.parametrize("kind", ["mixed", "alternative", "related"])
def test_a_tree_may_be_as_deep_as_it_likes(kind: str) -> None:
    root = leaf("1", raw=b"deep")
    for _ in range(20_000):
        root = multipart(kind, root)
    picked = pick_parts(root)
    assert (picked.text, [one.part for one in picked.attachments]) == ((), ["1"])


def test_a_tree_as_deep_as_parsers_make_it_has_a_body() -> None:
    root = leaf("1")
    for _ in range(100):
        root = multipart("mixed", root)
    assert [part.number for part in pick_parts(root).text] == ["1"]


# -- what parts hand on


def test_a_message_within_the_message_keeps_its_subject() -> None:
    (attachment,) = pick_parts(leaf("1", "message/rfc822", subject="Re: Hi")).attachments
    assert attachment.subject == "Re: Hi"


# -- files within the text

UUENCODED = b"Look:\r\nbegin 644 a.png\r\n#86)C\r\n`\r\nend\r\nBye\r\n"


def test_files_within_the_text_are_attachments_where_that_is_wanted() -> None:
    root = leaf("1", raw=UUENCODED, size=len(UUENCODED))
    picked = pick_parts(root, with_content=True, uuencoded=True)
    (attachment,) = picked.attachments
    assert (attachment.part, attachment.filename, attachment.content_type) == (
        "1",
        "a.png",
        "image/png",
    )
    assert (attachment.size, attachment.size_exact, attachment.content) == (3, True, b"abc")
    assert (attachment.encoding, attachment.inline) == ("x-uuencode", False)
    assert read_bodies(picked, {}, html=False, uuencoded=True).text == "Look:\nBye\n"
    assert pick_parts(root, uuencoded=True).attachments[0].content is None


def test_files_within_the_text_stay_there_unless_asked_for() -> None:
    root = leaf("1", raw=UUENCODED)
    picked = pick_parts(root)
    assert picked.attachments == ()
    assert "#86)C" in (read_bodies(picked, {}, html=False).text or "")


def test_a_file_of_no_known_kind_is_octets() -> None:
    raw = UUENCODED.replace(b"a.png", b"a.unheard-of")
    (attachment,) = pick_parts(leaf("1", raw=raw), uuencoded=True).attachments
    assert attachment.content_type == "application/octet-stream"


def test_a_structure_alone_shows_no_files_within_the_text() -> None:
    assert pick_parts(leaf("1"), uuencoded=True).attachments == ()
    assert pick_parts(leaf("1", "text/html", raw=UUENCODED), uuencoded=True).attachments == ()


# -- text and HTML that follow each other


PAGE_AND_FOOTER = b"""\
Content-Type: multipart/mixed; boundary=b

--b
Content-Type: text/html; charset=utf-8

<p>A <b>page</b></p>
--b
Content-Type: text/plain

____
footer
--b--
"""


def test_a_footer_below_a_page_is_not_all_there_is_to_read() -> None:
    picked = pick_parts(parse_structure(PAGE_AND_FOOTER))
    assert [part.number for part in picked.spoken] == ["1", "2"]
    assert [part.number for part in picked.wanted(html=False)] == ["1", "2"]
    assert [part.number for part in picked.wanted(html=True)] == ["1", "2"]
    bodies = read_bodies(picked, {}, html=True)
    assert (bodies.text, bodies.text_source) == ("A page\n____\nfooter", "html")
    assert (bodies.html, bodies.charset) == ("<p>A <b>page</b></p>", "utf-8")
    email = parse_email(PAGE_AND_FOOTER)
    assert (email.text, email.body) == ("____\nfooter", "A page\n____\nfooter")


def test_versions_of_one_text_are_not_read_twice() -> None:
    both = PAGE_AND_FOOTER.replace(b"multipart/mixed", b"multipart/alternative")
    picked = pick_parts(parse_structure(both))
    assert (picked.spoken, [part.number for part in picked.text]) == ((), ["2"])
