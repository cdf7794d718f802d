"""Words are counted as people count them, in any script."""

from __future__ import annotations

from unicodedata import normalize

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.parsing.tokenizer import count_words, tokens


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", []),
        ("Yes.", ["yes"]),
        ("Don't, don\u2019t", ["don't", "don't"]),
        ("'quoted' -dash- e-mail -- rock'n'roll", ["quoted", "dash", "e-mail", "rock'n'roll"]),
        ("a-a-a", ["a-a-a"]),
        ("a--a a'-a", ["a", "a", "a", "a"]),
        ("snake_case 3.14 1,000 v2", ["snake", "case", "3", "14", "1", "000", "v2"]),
        ("STRASSE Straße", ["strasse", "strasse"]),
        ("Zusammen\u00adarbeit", ["zusammenarbeit"]),
        ("Prost! 🍻 :-)", ["prost"]),
    ],
)
def test_a_word_is_letters_and_digits_with_single_signs_within(text: str, words: list[str]) -> None:
    assert tokens(text) == words


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("明日は3時に", ["明", "日", "は", "3", "時", "に"]),
        ("メール", ["メ", "ー", "ル"]),
        ("请看https://example.com/a谢谢", ["请", "看", "谢", "谢"]),
        ("写信给ann@example.org谢谢", ["写", "信", "给", "谢", "谢"]),
        ("สวัสดี", ["ส", "วั", "ส", "ดี"]),
        ("내일 만나요", ["내일", "만나요"]),
        ("हिन्दी में", ["हिन्दी", "में"]),
        ("Привет, Ёлка", ["привет", "ёлка"]),
        ("שָׁלוֹם", ["שָׁלוֹם"]),
        ("بي\u200cتر", ["بي\u200cتر"]),
        ("l\u2019été d'œuvre", ["l'été", "d'œuvre"]),
    ],
)
def test_marks_stay_with_their_letters_and_scripts_without_blanks_are_read_by_the_character(
    text: str, words: list[str]
) -> None:
    assert tokens(text) == [normalize("NFC", word) for word in words]


def test_an_accent_is_the_same_composed_or_not() -> None:
    assert tokens("cafe\u0301") == tokens("caf\u00e9") == ["café"]


@pytest.mark.parametrize(
    "address",
    [
        "ann@example.org",
        "<ann.b+c@mail.example.org>",
        "https://example.org/a-b?c=d#e",
        "HTTP://EXAMPLE.ORG",
        "www.example.org/path",
        "mailto:ann@example.org",
        "jürgen@müller.example",
    ],
)
def test_an_address_is_no_word(address: str) -> None:
    assert tokens(f"See {address} now") == ["see", "now"]


def test_a_bracket_around_an_address_ends_it() -> None:
    assert tokens("see(http://x.example/z)and [www.x.example]or") == ["see", "and", "or"]
    assert tokens("see http://x.example/a_(b)_c now") == ["see", "now"]
    assert tokens("see http://[::1]/a now") == ["see", "now"]


def test_an_at_sign_or_a_colon_alone_hides_nothing() -> None:
    assert tokens("meet @ noon: home") == ["meet", "noon", "home"]
    assert tokens("wwwhat is://this") == ["wwwhat", "is", "this"]


@given(st.text() | st.text(alphabet="aB1'-_. @:/wé\u2019\u0301\u0e31日ก"))
def test_as_many_are_counted_as_there_are(text: str) -> None:
    assert count_words(text) == len(tokens(text))


@given(st.text())
def test_a_word_taken_apart_again_is_itself(text: str) -> None:
    for word in tokens(text):
        assert tokens(word) == [word]


@pytest.mark.parametrize(
    "unit", ["a", "a.", "a@", "a-", "@", "www.", "é", "a\u0301", "http://", "www.(", "www.a(b"]
)
def test_what_is_long_is_read_in_one_go(unit: str) -> None:
    text = unit * (1_000_000 // len(unit))

    assert count_words(text) == len(tokens(text))
