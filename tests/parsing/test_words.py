"""Encoded words and raw 8-bit text become text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.parsing import decode_words
from mailframe.parsing.charsets import decode_bytes


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        (b"plain", "plain"),
        (b"=?utf-8?B?4oI=?= =?utf-8?B?rA==?=", "€"),
        (b"=?utf-8?b?4oKs?=", "€"),
        (b"=?utf-8?B?4oKsIQ?=", "€!"),
        (b"=?iso-8859-1?Q?a_b?= c", "a b c"),
        (b"=?utf-8*EN?Q?language?=", "language"),
        (b"=?utf-8?Q?What??=", "What?"),
        (b"=?x-none?Q?Gr=C3=BCn?=", "Grün"),
        (b"=?iso-2022-jp?B?GyRCRnxLXBsoQg==?=", "日本"),
        (b"=?utf-8?Q?=E2=82?= =?UTF-8?B?rA==?=", "€"),
        (b"=?iso-8859-1?Q?a?=\t=?iso-8859-2?Q?b?= c", "ab c"),
        (b"=?utf-8?Q?a?==?utf-8?Q?b?=c", "abc"),
        (b"=?utf-8?B?!!!!?=", ""),
        (b"=?utf-8?Q?a=?=", "a"),
        (b"=?utf-8?Q?a=ZZb?=", "a=ZZb"),
        (b"=?utf-8?X?a?=", "=?utf-8?X?a?="),
        (b"=?us-ascii?Q?Gr=FCn?=", "Grün"),
        (b"=?win-1251?Q?=CF=F0?=", "Пр"),
        (b"=?x-cp1251?Q?=CF=F0?=", "Пр"),
        (b"=?iso88592?Q?=BF?=", "ż"),
        (b"=?utf8?Q?=C3=BC?= \xc3\xbc", "ü ü"),
        ("Grün".encode(), "Grün"),
        ("Formação".encode("latin-1"), "Formação"),
        ("Привет, друзья".encode("cp1251"), "Привет, друзья"),
        (b"=?utf-8?Q?open", "=?utf-8?Q?open"),
    ],
)
def test_a_header_text_is_decoded(raw: bytes, text: str) -> None:
    assert decode_words(raw) == text


def test_raw_text_is_read_in_the_charset_of_the_message() -> None:
    assert decode_words("Zażółć".encode("iso-8859-2"), "iso-8859-2") == "Zażółć"


@pytest.mark.parametrize(
    ("octets", "charset", "defect"),
    [
        (b"plain", "x-none", None),
        (b"plain", "x-none" * 100_000, None),
        (b"plain", "utf-7", None),
        (b"+ADw-", "utf-7", "unknown charset utf-7"),
        ("ü".encode(), "iso-2022-jp", None),
        ("ü".encode(), None, None),
        (b"\xfc", None, None),
        (b"\xfc", "unknown", None),
        (b"\xfc", "x-none", "unknown charset x-none"),
        (b"\xfc", "utf-8", "not utf-8"),
    ],
)
def test_a_wrong_charset_is_told_where_it_costs_something(
    octets: bytes, charset: str | None, defect: str | None
) -> None:
    assert decode_bytes(octets, charset).defect == defect


def test_utf7_is_not_read() -> None:
    assert decode_words(b"=?utf-7?Q?+ADw-script?=") == "+ADw-script"


def test_many_beginnings_without_an_end_take_no_time() -> None:
    raw = b"=?a?q?x" * 200_000
    assert decode_words(raw) == raw.decode()


@given(
    st.binary()
    | st.text(alphabet="=?utf-8QB\x00\udc80é _").map(lambda t: t.encode("utf-8", "surrogatepass"))
)
def test_no_surrogate_and_no_nul_comes_out(raw: bytes) -> None:
    text = decode_words(raw)
    text.encode()
    assert "\0" not in text
