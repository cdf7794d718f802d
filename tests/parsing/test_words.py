"""Encoded words and raw 8-bit text become text."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.parsing import decode_words
from mailframe.parsing.headers import iter_fields

if TYPE_CHECKING:
    from pathlib import Path


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


# Upstream puts a blank where an encoded word touches other text; as sent there is none.
TOUCHING = "[SUSPECTED SPAM]=?", "=here"


def test_unstructured_vectors_hold(corpora: Path) -> None:
    vectors = json.loads((corpora / "headers" / "unstructured.json").read_text("utf-8"))
    wrong = []
    for vector in vectors:
        (_, value), *_ = iter_fields(b"X: " + vector["header"].encode())[0]
        if decode_words(value) != vector["expected"]:
            wrong.append(vector["header"])
    assert all(any(mark in header for mark in TOUCHING) for header in wrong)
    assert len(vectors) - len(wrong) >= 26
