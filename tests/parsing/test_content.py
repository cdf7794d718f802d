"""Content decoded in pieces is content decoded whole; a text that was cut ends where it reads."""

from __future__ import annotations

import base64
import quopri
from itertools import pairwise
from unittest import mock

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from mailframe.parsing import content as content_module
from mailframe.parsing.content import (
    ContentDecoder,
    decode_content,
    decoded_size,
    meant_encoding,
)
from mailframe.parsing.text import decode_text
from mailframe.records import Part

ENCODINGS = [
    "7bit", "8bit", "binary", "", "base64", "quoted-printable", "x-uuencode", "uuencode", "x-uue",
    "uue", "x-unheard-of",
]  # fmt: skip
LONG = 64 << 10
REPLACEMENT = "\ufffd"

# What matters in each encoding comes more often than by chance.
BASE64 = st.lists(
    st.sampled_from(
        [
            b"QUJD",
            b"Q",
            b"UU",
            b"/+8",
            b"=",
            b"==",
            b"\r\n",
            b"\n",
            b" ",
            b"!",
            b"-_",
            b"--",
            b"\r\n--",
            b"\n__",
            b"QUJDQUJDQUJDQUJD",
            b"QUI=\r\n",
            b"words of a list",
        ]
    )
    | st.binary(max_size=3),
    max_size=20,
).map(b"".join)
QUOTED = [
    b"=C3=BC", b"=41", b"=3d", b"=\r\n", b"= \t\r\n", b"\r\n", b" \r\n", b"\t\r\n", b"a", b"Z9",
    b" ", b"\t", b"\xfc", b"\0",
]  # fmt: skip
DAMAGED = [*QUOTED, b"=", b"==", b"=4", b"=G1", b"\r", b"=\r", b"=\ra"]
UU = [
    b"begin 644 a.txt\n", b"begin\r\n", b"#86)C\n", b"#86)C\r\n", b"`\n", b"end\n", b"junk\n",
    b"M", b"\x1c", b" ", b"\r",
]  # fmt: skip
UUENCODE = st.lists(
    st.sampled_from(UU),
    max_size=12,
).map(b"".join)


def quoted(fragments: list[bytes]) -> st.SearchStrategy[bytes]:
    return st.lists(st.sampled_from(fragments), max_size=25).map(b"".join)


def part(encoding: str, charset: str | None = None) -> Part:
    return Part("1", "text/plain", encoding=encoding, charset=charset)


def whole(encoding: str, raw: bytes) -> bytes:
    return decode_content(part(encoding), raw)[0]


def piecewise(encoding: str, pieces: list[bytes]) -> bytes:
    decoder = ContentDecoder(encoding)
    return b"".join([*map(decoder.feed, pieces), decoder.finish()])


def cut(raw: bytes, cuts: list[int]) -> list[bytes]:
    """Cut bytes at these places, whatever their order; empty pieces are pieces."""
    places = [0, *sorted(place % (len(raw) + 1) for place in cuts), len(raw)]
    return [raw[start:end] for start, end in pairwise(places)]


def singly(raw: bytes) -> list[bytes]:
    return [bytes([octet]) for octet in raw]


CUTS = st.lists(st.integers(0, 1 << 20), max_size=8)
thoroughly = settings(derandomize=True, deadline=None, max_examples=200)


# -- in pieces as in one


@pytest.mark.parametrize("encoding", ENCODINGS)
@thoroughly
@given(st.binary(max_size=60) | BASE64 | UUENCODE | quoted(QUOTED), CUTS)
def test_no_bytes_make_a_decoder_fail(encoding: str, raw: bytes, cuts: list[int]) -> None:
    assert isinstance(piecewise(encoding, cut(raw, cuts)), bytes)
    assert isinstance(piecewise(encoding, singly(raw)), bytes)


@thoroughly
@given(BASE64, CUTS)
@example(b"QUI=QUJD", [])  # padding ends it
@example(b"=QUJD", [1])
@example(b"QUJDR", [5])  # a letter too many
@example(b"QUJDRA", [])  # not padded
@example(b"Q\r\nU\xffI=", [])
@example(b"QUI\r\n=\r\n=", [])
@example(b"\n--\n--QUJD\n--", [])
@example(b"QUJD\r\n-QUJD", [6, 7])
@example(b"QUI=\r\nQUI=\r\nQUI=", [])
@example(b"QUI=\r\nQUJDQUJDQUJDQUJDQUJD", [8, 12])
@example(b"QUI=\r\nQUJDQUJDQUJDQUJ!", [8, 12])
def test_base64_in_pieces_is_base64_whole(raw: bytes, cuts: list[int]) -> None:
    assert piecewise("base64", cut(raw, cuts)) == whole("base64", raw)
    assert piecewise("base64", singly(raw)) == whole("base64", raw)


@thoroughly
@given(st.binary(max_size=200), st.sampled_from([b"\r\n", b"\n", b""]), CUTS)
def test_base64_in_pieces_gives_back_what_was_encoded(
    content: bytes, line_end: bytes, cuts: list[int]
) -> None:
    raw = base64.encodebytes(content).replace(b"\n", line_end)
    assert piecewise("base64", cut(raw, cuts)) == content


@thoroughly
@given(quoted(QUOTED), CUTS)
@example(b"a=C3=BCb", [3])
@example(b"a=\r\nb", [2])
@example(b"a=\r\nb", [3])
@example(b"a \t\r\nb", [2])
@example(b"a = \r\nb ", [4])
def test_quoted_printable_in_pieces_is_quoted_printable_whole(raw: bytes, cuts: list[int]) -> None:
    assert piecewise("quoted-printable", cut(raw, cuts)) == whole("quoted-printable", raw)
    assert piecewise("quoted-printable", singly(raw)) == whole("quoted-printable", raw)


@thoroughly
@given(quoted(DAMAGED), CUTS)
def test_damaged_quoted_printable_in_pieces_is_the_same_whole(raw: bytes, cuts: list[int]) -> None:
    assert piecewise("quoted-printable", cut(raw, cuts)) == whole("quoted-printable", raw)
    assert piecewise("quoted-printable", singly(raw)) == whole("quoted-printable", raw)


@thoroughly
@given(quoted([*QUOTED, b"\n", b"=\n", b"a\n"]), CUTS)
@example(b"one \ntwo \r\n", [5])
def test_quoted_printable_with_bare_line_feeds_in_pieces_is_the_same_whole(
    raw: bytes, cuts: list[int]
) -> None:
    assert piecewise("quoted-printable", cut(raw, cuts)) == whole("quoted-printable", raw)
    assert piecewise("quoted-printable", singly(raw)) == whole("quoted-printable", raw)


@pytest.mark.parametrize("line_end", [b"\n", b"\r\n"])
def test_blanks_at_the_end_of_a_line_are_dropped(line_end: bytes) -> None:
    assert whole("quoted-printable", b"one \t" + line_end + b"two") == b"one" + line_end + b"two"


@thoroughly
@given(st.text(max_size=60), CUTS)
def test_quoted_printable_in_pieces_gives_back_what_was_encoded(text: str, cuts: list[int]) -> None:
    content = "".join(char for char in text if char not in "\r\n").encode()
    raw = quopri.encodestring(content, quotetabs=True).replace(b"\n", b"\r\n")
    assert piecewise("quoted-printable", cut(raw, cuts)) == content


@thoroughly
@given(UUENCODE, CUTS)
def test_uuencode_in_pieces_is_uuencode_whole(raw: bytes, cuts: list[int]) -> None:
    assert piecewise("uuencode", cut(raw, cuts)) == whole("uuencode", raw)


@pytest.mark.parametrize("encoding", ["x-uuencode", "uuencode", "x-uue", "uue"])
def test_every_name_of_uuencode_is_decoded(encoding: str) -> None:
    pieces = [b"Look:\r\nbegin 644 a.t", b"xt\r\n#86", b")C\r\n`\r\nend\r\n"]
    assert piecewise(encoding, pieces) == b"abc"


@pytest.mark.parametrize("encoding", ["7bit", "8bit", "binary", "", "x-unheard-of"])
@thoroughly
@given(st.binary(max_size=60), CUTS)
def test_what_is_not_encoded_passes_through_at_once(
    encoding: str, raw: bytes, cuts: list[int]
) -> None:
    decoder = ContentDecoder(encoding)
    for piece in cut(raw, cuts):
        assert decoder.feed(piece) == piece
    assert decoder.finish() == b""
    assert whole(encoding, raw) == raw


# -- names of encodings


@pytest.mark.parametrize(
    ("meant", "names"),
    [
        ("base64", ["base64", "BASE64", '"base64"', "base64;", "base-64", "(why) base64 (so)"]),
        (
            "quoted-printable",
            ["Quoted-Printable", "quoted printable", "quoted_printable", "quoted"],
        ),
        ("x-uuencode", ["x-uuencode", "uuencode", "X-UUE", "uue"]),
        ("binary", ["7bit", "8bit", "binary", "7-bit", "8 bit", "8", "7bits", "8BITS", "none"]),
        ("binary", ["", "(nothing)", "utf-8", "us-ascii", "text/plain", "plain", "6bit"]),
        ("binary", ["(", "(8", "\0"]),
        ("", ["x-yenc", "x-gzip64", "base9000", "7vit", "hex", "x"]),
    ],
)
def test_an_encoding_is_known_by_every_name_it_is_given(meant: str, names: list[str]) -> None:
    assert {name: meant_encoding(name) for name in names} == dict.fromkeys(names, meant)


# -- damage


@pytest.mark.parametrize(
    ("raw", "content", "defects"),
    [
        (b"SGVsbG8", b"Hello", ()),
        (b"SGVsbG8gd29ybGQh\r\n", b"Hello world!", ()),
        (b"SGVs!bG8=", b"Hello", ()),
        (b"> SGVs\r\n> bG8=\r\n", b"Hello", ()),
        (b"SGVsbG8=\r\n\r\n", b"Hello", ()),
        (b"SGVsb", b"Hel", ("cut base64",)),
        # one text for each call of an encoder, each with padding of its own
        (b"SGVsbG8=\r\nIHdvcmxk\r\nIQ==\r\n", b"Hello", ("text behind the end of base64",)),
        (b"SGVsbG8=\r\nIQ==\r\nIQ==\r\n", b"Hello!!", ()),
        (b"SGVsbG8=IQ==", b"Hello!", ()),
        (b"SGVsbG8=\r\nIHdvcmxkLCBob3cgYXJlIHlvdT8K", b"Hello world, how are you?\n", ()),
        # what a mailing list puts behind it, with padding before it and without
        (b"SGVsbG8=\r\n_____\r\nlist", b"Hello", ("text behind the end of base64",)),
        (b"SGVsbG8=\r\n\r\nUnsubscribe\r\n", b"Hello", ("text behind the end of base64",)),
        (b"SGVsbG8=\r\n-----\r\n", b"Hello", ()),
        (b"SGVs\r\n-- \r\nlist", b"Hel", ("text behind the end of base64",)),
        (b"SGVs\r\n________\r\nlist", b"Hel", ("text behind the end of base64",)),
        (b"-----\r\nSGVs\r\n", b"Hel", ()),
        (b"\r\n-----\r\nSGVs\r\n", b"Hel", ()),
        (b"", b"", ()),
    ],
)
def test_damaged_base64_says_what_it_can(
    raw: bytes, content: bytes, defects: tuple[str, ...]
) -> None:
    assert decode_content(part("base64"), raw) == (content, defects)
    assert piecewise("base64", singly(raw)) == content


@pytest.mark.parametrize(
    ("raw", "content"),
    [
        (b"a=3db=3D3D", b"a=b=3D"),
        (b"a=\r\nb=\nc=", b"abc"),
        (b"a=  \r\nb", b"ab"),
        (b"a=\rb\r\nc", b"ab\r\nc"),  # and not "ac"
        (b"a=\r\r\nb", b"ab"),
        (b"?a=b&c=zz", b"?a=b&c=zz"),
        (b"\xfc=FC", b"\xfc\xfc"),
        (b"a=4", b"a=4"),
        (b"a=0D=0A\r\n", b"a\r\n\r\n"),
    ],
)
def test_damaged_quoted_printable_is_text_where_it_is_nothing_else(
    raw: bytes, content: bytes
) -> None:
    assert decode_content(part("quoted-printable"), raw) == (content, ())
    assert piecewise("quoted-printable", singly(raw)) == content


@pytest.mark.parametrize(
    ("kind", "raw", "defects"),
    [
        ("text/plain", b"Written in words.", ()),
        ("text/plain", "Größe ".encode(), ("unknown encoding x-none",)),
        ("text/plain", b"H4sIAAAAAAAAA0XM", ("unknown encoding x-none",)),
        ("image/gif", b"GIF 89", ("unknown encoding x-none",)),
    ],
)
def test_an_unknown_encoding_is_told_where_it_may_hide_something(
    kind: str, raw: bytes, defects: tuple[str, ...]
) -> None:
    assert decode_content(Part("1", kind, encoding="x-none"), raw) == (raw, defects)


@pytest.mark.parametrize(
    "text", ["Nothing of this is base64.\n", "x = 3, and so on\n-- \nAnn\n", "Größe ist anders, ja"]
)
def test_text_that_is_called_base64_and_is_none_is_read_as_it_stands(text: str) -> None:
    raw = text.encode()
    assert decode_text(part("base64", "utf-8"), raw)[::2] == (text, ("not base64",))
    assert decode_text(part("base64", "utf-8"), raw, is_cut=True)[2] == ("not base64",)


@pytest.mark.parametrize(
    "raw",
    [
        b"SGVsbG8gd29ybGQ=\r\n-- \r\nA list, and how to leave it\r\n",
        b"> SGVsbG8gd29ybGQsIGhvdyBhcmUgeW91LCBhbmQgaG93\r\n> IGlzIGxpZmU/\r\n",
        b"SGVsbG8gd29ybGQ==\r\n\r\nA list, and how to leave it\r\n",
    ],
)
def test_base64_is_base64_whatever_stands_around_it(raw: bytes) -> None:
    assert decode_text(part("base64"), raw)[0].startswith("Hello world")


def test_a_few_letters_are_base64_if_that_is_what_they_are_called() -> None:
    assert decode_text(part("base64"), b"S Gk=")[::2] == ("Hi", ())


def test_what_was_cut_is_not_called_damaged() -> None:
    raw = base64.b64encode(b"Hello there, and so on")
    cuts = [decode_text(part("base64"), raw[:end], is_cut=True) for end in range(len(raw))]
    assert [defects for _, _, defects in cuts if defects] == []


def test_a_hostile_number_of_pieces_has_an_end() -> None:
    raw = b"QUI=\r\n" * 150_000
    with mock.patch.object(content_module, "_MOST_PIECES", 1_000):
        assert whole("base64", raw) == b"AB" * 1_000


# -- sizes, without the content


@thoroughly
@given(st.sampled_from(ENCODINGS), st.binary(max_size=60) | BASE64 | UUENCODE | quoted(DAMAGED))
def test_a_size_is_that_of_the_content(encoding: str, raw: bytes) -> None:
    for block in (1, 7, 1 << 20):
        with mock.patch.object(content_module, "_BLOCK", block):
            assert decoded_size(part(encoding), raw) == len(whole(encoding, raw))
            assert decoded_size(part(encoding), memoryview(raw)) == len(whole(encoding, raw))


@pytest.mark.parametrize("encoding", ENCODINGS)
def test_a_view_is_as_good_as_bytes(encoding: str) -> None:
    raw = b"begin 644 a\n#86)C\n`\nend\n"
    assert decode_content(part(encoding), memoryview(raw)) == decode_content(part(encoding), raw)
    assert decode_text(part(encoding), memoryview(raw)) == decode_text(part(encoding), raw)
    assert piecewise(encoding, [memoryview(raw)]) == whole(encoding, raw)  # type: ignore[list-item]


# -- lines without end


@pytest.mark.parametrize("filler", [b"x", b"=41", b"x ", b"=C3=BC"])
@settings(derandomize=True, deadline=None, max_examples=60)
@given(st.integers(-6, 3), quoted(QUOTED), st.lists(st.integers(-8, 8), max_size=4))
def test_a_line_too_long_to_wait_for_is_decoded_the_same(
    filler: bytes, short: int, tail: bytes, cuts: list[int]
) -> None:
    line = filler * ((LONG + short) // len(filler)) + tail
    raw = line + b"\r\nend \r\n"
    near = [LONG + place for place in cuts]
    assert piecewise("quoted-printable", cut(raw, near)) == whole("quoted-printable", raw)
    assert piecewise("quoted-printable", [line, b"\r\nend \r\n"]) == whole("quoted-printable", raw)


@pytest.mark.parametrize("behind", [b"=", b"=C", b"", b"=C3"])
def test_a_blank_before_an_escape_survives_where_a_long_line_is_given_up(behind: bytes) -> None:
    escape = b"=C3=BC"
    pieces = [b"x" * LONG + b" " + behind, escape.removeprefix(behind)]
    assert piecewise("quoted-printable", pieces) == b"x" * LONG + " ü".encode()


@thoroughly
@given(quoted(QUOTED), CUTS)
def test_wherever_a_long_line_is_given_up_it_is_decoded_the_same(
    raw: bytes, cuts: list[int]
) -> None:
    with mock.patch.object(content_module, "_LONGEST_LINE", 4):
        assert piecewise("quoted-printable", cut(raw, cuts)) == whole("quoted-printable", raw)
        assert piecewise("quoted-printable", singly(raw)) == whole("quoted-printable", raw)


@pytest.mark.parametrize("octets", [b"x", b"=", b"=4", b"=41", b"x ", b"=\r", b"a\r", b"\xff"])
def test_a_stream_without_a_line_end_is_not_collected(octets: bytes) -> None:
    decoder = ContentDecoder("quoted-printable")
    piece = octets * (LONG // len(octets))
    for _ in range(20):
        decoder.feed(piece)
        assert len(decoder._rest) <= 2 * LONG


@pytest.mark.parametrize("octets", [b" \t", b"\r"])
def test_a_stream_of_blanks_is_not_collected(octets: bytes) -> None:
    decoder = ContentDecoder("quoted-printable")
    for _ in range(20):
        decoder.feed(octets * (LONG // len(octets)))
        assert len(decoder._rest) <= 2 * LONG


def test_base64_holds_back_less_than_a_group() -> None:
    decoder = ContentDecoder("base64")
    for size in (1, 2, 3, 5, LONG + 1):
        decoder.feed(b"A" * size)
        assert len(decoder._base64._group) < 4
        assert len(decoder._base64._held) < 4


# -- texts that were cut

LETTERS = list("aZ =.\tüß€語🙂")
ONE_LINE = st.text(st.sampled_from(LETTERS), max_size=40)
LINES = st.lists(st.sampled_from([*LETTERS, "\r\n"]), max_size=40).map("".join)


def encoded(text: str, encoding: str, charset: str) -> bytes:
    content = text.encode(charset)
    if encoding == "base64":
        return base64.encodebytes(content).replace(b"\n", b"\r\n")
    if encoding == "one line of base64":
        return base64.b64encode(content)
    if encoding == "quoted-printable":
        lines = content.split(b"\r\n")
        quotes = (quopri.encodestring(line, quotetabs=True) for line in lines)
        return b"\r\n".join(line.replace(b"\n", b"\r\n") for line in quotes)
    return content


def read_cut(raw: bytes, encoding: str, charset: str) -> str:
    encoding = encoding.rpartition(" ")[2]
    return decode_text(part(encoding, charset), raw, is_cut=True)[0]


@pytest.mark.parametrize("encoding", ["8bit", "base64", "one line of base64", "quoted-printable"])
@thoroughly
@given(LINES | ONE_LINE, st.integers(0, 1 << 20))
@example("ü", 1)
@example("語", 2)
@example("🙂", 3)
@example("aü", 2)
@example("aü", 3)
@example("aü", 4)
@example("aü", 5)
@example("aü", 6)
@example("aaa\r\n", 6)
def test_a_text_cut_anywhere_is_how_the_text_begins(encoding: str, text: str, place: int) -> None:
    raw = encoded(text, encoding, "utf-8")
    shown = read_cut(raw[: place % (len(raw) + 1)], encoding, "utf-8")
    assert REPLACEMENT not in shown
    assert text.replace("\r\n", "\n").startswith(shown)


@thoroughly
@given(LINES, st.integers(0, 1 << 20))
def test_a_cut_text_has_every_whole_character(text: str, place: int) -> None:
    raw = text.encode()
    raw = raw[: place % (len(raw) + 1)]
    whole = raw.decode(errors="ignore").removesuffix("\r").replace("\r\n", "\n")
    lines = whole[: whole.rfind("\n") + 1]
    # The last line, being broken, goes if that leaves half of it.
    assert read_cut(raw, "8bit", "utf-8") == (lines if len(lines) * 2 >= len(whole) else whole)


def test_a_cut_between_carriage_return_and_line_feed_leaves_neither() -> None:
    assert read_cut(b"Hello.\r", "8bit", "utf-8") == "Hello."


@pytest.mark.parametrize(
    ("charset", "text"),
    [
        ("iso-8859-1", "Größe ÀÿÜ"),
        ("windows-1251", "Привет, мир"),
        ("koi8-r", "Привет, мир"),
        ("shift_jis", "日本語のテキスト、ソ"),
        ("euc-jp", "日本語のテキスト"),
        ("gb18030", "你好,世界€"),
        ("big5", "繁體中文功"),
    ],
)
def test_a_line_in_another_charset_cut_anywhere_ends_with_a_whole_character(
    charset: str, text: str
) -> None:
    for encoding in ("8bit", "one line of base64"):
        raw = encoded(text, encoding, charset)
        shown = [read_cut(raw[:place], encoding, charset) for place in range(len(raw))]
        assert [one for one in shown if not text.startswith(one)] == []


@pytest.mark.parametrize("charset", ["utf-16", "utf-16-le", "utf-16-be"])
def test_lines_in_utf_16_cut_anywhere_are_how_the_text_begins(charset: str) -> None:
    text = "One line.\r\nZwei 🙂 Zeilen.\r\nThree."
    begins = text.replace("\r\n", "\n")
    raw = encoded(text, "base64", charset)
    shown = [read_cut(raw[:place], "base64", charset) for place in range(len(raw))]
    assert [one for one in shown if not begins.startswith(one)] == []


def test_a_text_that_was_not_cut_keeps_its_last_line() -> None:
    for raw in (b"one\r\ntwo", b"two", "ü".encode()):
        text, _, defects = decode_text(part("8bit", "utf-8"), raw)
        assert (text, defects) == (raw.decode().replace("\r\n", "\n"), ())


@pytest.mark.parametrize("encoding", ENCODINGS)
@thoroughly
@given(st.binary(max_size=60) | BASE64 | UUENCODE | quoted(DAMAGED))
def test_no_bytes_make_a_cut_text_fail(encoding: str, raw: bytes) -> None:
    text, _, _ = decode_text(part(encoding, "utf-8"), raw, is_cut=True)
    assert "\0" not in text


# -- what a text is written in

HELLO = "Grüße, 語\r\n"


@pytest.mark.parametrize(
    ("declared", "raw", "used"),
    [
        ("iso-8859-1", HELLO.encode("utf-8-sig"), "utf-8"),
        (None, HELLO.encode("utf-8-sig"), "utf-8"),
        ("utf-16", HELLO.encode("utf-16-le"), "utf-16-le"),
        ("utf-16", HELLO.encode("utf-16-be"), "utf-16-be"),
        ("utf-16", b"\xff\xfe" + HELLO.encode("utf-16-le"), "utf-16-le"),
        ("utf-16", b"\xfe\xff" + HELLO.encode("utf-16-be"), "utf-16-be"),
        ("utf-16le", HELLO.encode("utf-16-le"), "utf-16le"),
        (None, b"\xff\xfe" + HELLO.encode("utf-16-le"), "utf-16-le"),
        ("utf-8", b"\xfe\xff" + HELLO.encode("utf-16-be"), "utf-16-be"),
    ],
)
def test_byte_order_marks_are_read_and_dropped(declared: str | None, raw: bytes, used: str) -> None:
    assert decode_text(part("8bit", declared), raw) == ("Grüße, 語\n", used, ())
    assert decode_text(part("8bit", declared), raw, is_cut=True)[0] == "Grüße, 語\n"


def test_a_text_that_is_called_utf_16_and_is_ascii_is_read_as_what_it_is() -> None:
    assert decode_text(part("7bit", "utf-16"), b"Hello there") == ("Hello there", "us-ascii", ())


def test_letters_that_look_like_a_byte_order_mark_are_letters() -> None:
    assert decode_text(part("8bit", "iso-8859-1"), b"\xff\xfea")[0] == "ÿþa"


def test_katakana_of_half_width_are_read() -> None:
    raw = b"\x1b(I6@6E\x1b(B \x1b$B%+\x1b(B"
    assert decode_text(part("7bit", "iso-2022-jp"), raw) == ("ｶﾀｶﾅ カ", "iso-2022-jp", ())


LATIN_2 = "<p>Zażółć</p>".encode("iso-8859-2")


@pytest.mark.parametrize(
    ("declared", "start", "used"),
    [
        (None, b'<meta charset="iso-8859-2">', "iso-8859-2"),
        ("us-ascii", b"<META content='text/html; charset=ISO-8859-2'>", "iso-8859-2"),
        (None, b'<?xml version="1.0" encoding="iso-8859-2"?>', "iso-8859-2"),
        (None, b'<!-- <meta charset="koi8-r"> --><meta charset=iso-8859-2>', "iso-8859-2"),
        ("iso-8859-2", b'<meta charset="utf-8">', "iso-8859-2"),
    ],
)
def test_a_page_may_say_its_charset_itself(declared: str | None, start: bytes, used: str) -> None:
    page = Part("1", "text/html", charset=declared, encoding="8bit")
    text, charset, defects = decode_text(page, start + LATIN_2)
    assert (text[-13:], charset, defects) == ("<p>Zażółć</p>", used, ())


def test_a_page_is_asked_where_the_declared_charset_is_unknown() -> None:
    page = Part("1", "text/html", charset="x-none", encoding="8bit")
    text, charset, defects = decode_text(page, b'<meta charset="iso-8859-2">' + LATIN_2)
    assert (text[-13:], charset, len(defects)) == ("<p>Zażółć</p>", "iso-8859-2", 1)


def test_a_page_that_can_be_searched_is_not_utf_16() -> None:
    page = Part("1", "text/html", encoding="8bit")
    raw = b'<meta charset="utf-16"><p>Gr\xc3\xbcn'
    assert decode_text(page, raw)[:2] == ('<meta charset="utf-16"><p>Grün', "utf-8")


@pytest.mark.parametrize(
    ("raw", "text"),
    [(b"a\r\r\nb", "a\nb"), (b"a\rb\r", "a\nb\n"), (b"a\r\n\r\nb", "a\n\nb")],
)
def test_line_ends_are_line_feeds(raw: bytes, text: str) -> None:
    assert decode_text(part("8bit"), raw)[0] == text


def test_only_flowed_plain_text_is_joined() -> None:
    raw = b"one \r\ntwo\r\n"
    for kind, form, text in (
        ("text/plain", None, "one \ntwo\n"),
        ("text/plain", "flowed", "one two\n"),
        ("text/plain", "flowed delsp", "onetwo\n"),
        ("text/html", "flowed", "one \ntwo\n"),
    ):
        assert decode_text(Part("1", kind, format=form), raw)[0] == text


def test_a_flowed_text_that_was_cut_is_joined() -> None:
    raw = b"one \r\ntwo \r\nthr"
    flowed = Part("1", "text/plain", format="flowed")
    assert decode_text(flowed, raw, is_cut=True)[0] == "one two\n"
