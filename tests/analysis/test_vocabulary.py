"""The phrases that come back, and those that tell two periods apart."""

from __future__ import annotations

import math
import re
import unicodedata
from typing import Any

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.analysis import phrases
from mailframe.analysis.function_words import FUNCTION_WORDS
from mailframe.exceptions import QueryError
from mailframe.parsing import tokens
from tests.analysis.letters import headers


def texts(*values: str | None) -> pd.DataFrame:
    return pd.DataFrame({"text": pd.array(list(values), dtype="str")})


def found(frame: pd.DataFrame, **options: Any) -> dict[str, int]:
    """Return the messages of each phrase, in their order."""
    table = phrases(frame, **{"of": "text", "top": None, **options})
    return dict(zip(table["phrase"], table["messages"], strict=True))


def subjects(*values: str | None) -> dict[str, int]:
    frame = headers(*[{"subject": value} for value in values])
    table = phrases(frame, top=None)
    return dict(zip(table["phrase"], table["messages"], strict=True))


# -- what a phrase is


def test_a_message_counts_once_however_often_it_says_it() -> None:
    assert found(texts("tide tide tide", "Tide!"), n=1) == {"tide": 2}


def test_the_commonest_come_first_then_the_longer_then_the_alphabet() -> None:
    frame = texts(*["salt"] * 3, *["old boat"] * 2, *["alder"] * 2, *["cold rope"] * 2)
    assert list(found(frame)) == ["salt", "cold rope", "old boat", "alder"]


def test_of_equal_ones_the_alphabet_says_which_are_listed() -> None:
    frame = texts(*["zinc", "yarn", "alder"] * 2)
    assert list(found(frame, top=2)) == ["alder", "yarn"]
    assert compared([], frame["text"].tolist(), top=2)["phrase"].tolist() == ["alder", "yarn"]
    then = compared(["x"] * 6, frame["text"].tolist(), top=2, least=1)["phrase"]
    assert then.tolist() == ["x", "yarn", "zinc"]


def test_what_is_always_said_with_others_is_left_out() -> None:
    frame = texts("harbour sensor weekly", "harbour sensor weekly", "harbour", "boat", "boat")
    assert found(frame) == {"harbour": 3, "harbour sensor weekly": 2, "boat": 2}


def test_also_where_what_lies_between_is_no_phrase() -> None:
    # "end of" is none, for its last word.
    assert found(texts("end of year", "end of year")) == {"end of year": 2}


def test_it_stays_where_the_longer_one_is_not_asked_for() -> None:
    frame = texts("old boat", "old boat")
    assert found(frame, n=1) == {"boat": 2, "old": 2}
    assert found(frame, n=(2, 2)) == {"old boat": 2}


def test_no_phrase_begins_or_ends_with_a_word_that_says_nothing() -> None:
    frame = texts("the state of the art and", "the state of the art and")
    assert found(frame, n=(1, 4)) == {"state of the art": 2}
    assert found(frame, n=(1, 2)) == {"art": 2, "state": 2}


@pytest.mark.parametrize(
    ("said", "phrase"),
    [
        ("the tide of", "tide"), ("die Flut und", "flut"), ("la marée est", "marée"),
        ("la marea de", "marea"), ("la marea è", "marea"), ("a maré dos", "maré"),
        ("het getij van", "getij"), ("przypływ nie", "przypływ"), ("прилив и", "прилив"),
        ("は潮が", "潮"), ("的潮了", "潮"), ("42 tide 2026-02-11", "tide"),
    ],
)  # fmt: skip
def test_in_whatever_language(said: str, phrase: str) -> None:
    assert found(texts(said, said)) == {phrase: 2}


def test_other_words_may_be_given_instead() -> None:
    frame = texts("Hello the boat", "Hello the boat")
    assert found(frame, without=["HELLO"]) == {"the boat": 2}
    assert found(frame, without="hello") == {"the boat": 2}
    assert found(frame, without=()) == {"hello the boat": 2}


@pytest.mark.parametrize(
    "said",
    [
        "old. boat", "old, boat", "old (boat", "old “boat", "old - boat", "old — boat",
        "old\n\nboat", "> old\n>\n> boat", "old。boat", "old، boat", "old: boat", "old?! boat",
        "old\r\n\r\nboat", "old • boat", "old -- boat", "old\u3000boat",
    ],
)  # fmt: skip
def test_a_phrase_ends_at_punctuation_and_between_paragraphs(said: str) -> None:
    assert found(texts(said, said)) == {"boat": 2, "old": 2}


@pytest.mark.parametrize("said", ["old\nboat", "old\r\nboat", "> old\n> boat", "old  boat"])
def test_it_goes_on_where_a_line_ends(said: str) -> None:
    assert found(texts(said, said)) == {"old boat": 2}


def test_there_may_be_no_phrase_so_long() -> None:
    for frame in (texts("old boat", "old boat"), texts(), texts("...", ".")):
        for n in (5, (3, 50)):
            table = phrases(frame, frame, of="text", n=n)
            assert table.empty
            assert str(table["messages_before"].dtype) == "int64"
    long = texts(*[" ".join(3 * chr(97 + n) for n in range(26))] * 2)
    assert phrases(long, of="text", n=(1, 50))["n"].tolist() == [26]


def test_it_does_not_go_on_in_the_next_message() -> None:
    assert "boat old" not in found(texts("old boat", "old boat", "old boat"), without=())


def test_what_is_within_a_word_does_not_end_it() -> None:
    said = "e-mail don't v1.2 https://x.example/a(b)?c=d"
    assert found(texts(said, said), n=(4, 4), without=()) == {"e-mail don't v1 2": 2}


def test_words_are_compared_whatever_their_case_and_composition() -> None:
    # An accent by itself, or with its letter; the German ß is ss.
    assert found(texts("Cafe\u0301 STRASSE", "café Straße")) == {"café strasse": 2}


@pytest.mark.parametrize("said", ["שלום עולם", "اجتماع الفريق", "हिन्दी में", "내일 만나요"])
def test_writing_in_any_direction_stays_as_it_is(said: str) -> None:
    assert found(texts(said, f"\u202b{said}\u202c")) == {unicodedata.normalize("NFC", said): 2}


def test_characters_that_are_written_without_blanks_are_joined_without() -> None:
    assert found(texts("数据缺失", "数据缺失"), n=(2, 6)) == {"数据缺失": 2}
    assert found(texts("3時 meeting", "3時 meeting"), without=()) == {"3時meeting": 2}


def test_what_is_in_fewer_messages_is_not_listed() -> None:
    frame = texts("tide tide", "salt", "salt", "rope", "rope", "rope")
    assert found(frame) == {"rope": 3, "salt": 2}
    assert found(frame, least=3) == {"rope": 3}
    assert found(frame, least=1) == {"rope": 3, "salt": 2, "tide tide": 1}


def test_so_many_are_listed() -> None:
    frame = texts("a1 a2", "b", "b", "c", "c", "c", *"de" * 2)
    assert list(found(frame, top=2)) == ["c", "b"]
    assert list(found(frame, top=3)) == ["c", "b", "d"]
    assert not found(frame, top=0)


# -- of which texts


def test_marks_of_answering_are_no_phrase() -> None:
    assert subjects("Boat trip", "Re: Boat trip", "AW: [crew] boat trip") == {"boat trip": 3}


def test_a_share_is_of_the_messages_that_have_a_text() -> None:
    frame = headers({"subject": "Boat"}, {"subject": "re: boat"}, {"subject": "Rope"},
                    {"subject": "Re:"}, {"subject": None}, {"subject": " "})  # fmt: skip
    table = phrases(frame)
    assert table["share"].tolist() == [pytest.approx(2 / 3)]
    assert (table.attrs["messages"], table.attrs["without_text"]) == (3, 3)


def test_copies_count_once() -> None:
    copy = {"message_id": "<1@x>", "subject": "Boat"}
    assert not subjects("Boat")
    frame = headers({**copy, "folder": "A"}, {**copy, "folder": "B"})
    table = phrases(frame, least=1)
    assert table["messages"].tolist() == [1]
    assert table.attrs["copies"] == 1
    other = frame.assign(message_id=[None, None])
    assert phrases(other)["messages"].tolist() == [2]


def test_the_dtypes_are_the_same_of_no_messages() -> None:
    full, none = phrases(texts("a1", "a1"), of="text"), phrases(texts(), of="text")
    assert full.dtypes.equals(none.dtypes)
    assert [str(dtype) for dtype in full.dtypes] == ["str", "int64", "int64", "float64"]
    both = phrases(texts(), texts(), of="text")
    assert [str(dtype) for dtype in both.dtypes] == ["str", *["int64"] * 3, *["float64"] * 3]


# -- two periods


def compared(now: list[str], then: list[str], **options: Any) -> pd.DataFrame:
    options = {"of": "text", **options}
    return phrases(texts(*now), texts(*then), **options)


def test_the_most_typical_of_now_is_first_and_of_before_last() -> None:
    now = ["boat"] * 9 + ["rope"] * 3 + ["salt"] * 5
    then = ["boat"] * 3 + ["rope"] * 9 + ["salt"] * 5
    table = compared(now, then)
    assert table["phrase"].tolist() == ["boat", "rope"]  # salt tells nothing
    assert table["messages"].tolist() == [9, 3]
    assert table["messages_before"].tolist() == [3, 9]
    assert table["score"][0] == pytest.approx(-table["score"][1])
    assert list(table.columns) == [
        "phrase", "n", "messages", "messages_before", "share", "share_before", "score",
    ]  # fmt: skip
    assert compared(now, then, top=None)["phrase"].tolist() == ["boat", "salt", "rope"]


def test_so_many_are_listed_of_each_period() -> None:
    now = [f"now{n}" for n in "abc" for _ in range(3)]
    then = [f"then{n}" for n in "abc" for _ in range(3)]
    assert compared(now, then, top=2)["phrase"].tolist() == ["nowa", "nowb", "thenb", "thenc"]
    assert compared(now, then[:3], top=2)["phrase"].tolist() == ["nowa", "nowb", "thena"]


def test_the_score_is_that_of_the_formula() -> None:
    table = compared(["boat"] * 8 + ["x"] * 12, ["boat"] * 2 + ["x"] * 28, top=None)
    row = table.set_index("phrase").loc["boat"]
    # The prior: (20 + 30) / 2 messages, (8 + 2) / 2 of which have it.
    a1, a2 = 8 + 5, 2 + 5
    b1, b2 = 20 + 25 - a1, 30 + 25 - a2
    deviation = math.sqrt(1 / a1 + 1 / b1 + 1 / a2 + 1 / b2)
    assert row["score"] == pytest.approx((math.log(a1 / b1) - math.log(a2 / b2)) / deviation)
    assert (row["share"], row["share_before"]) == (pytest.approx(0.4), pytest.approx(2 / 30))


def test_what_is_rare_is_less_sure() -> None:
    now = ["often"] * 40 + ["seldom"] * 2 + ["x"] * 58
    table = compared(now, ["x"] * 100).set_index("phrase")["score"]
    assert table["often"] > 3 > table["seldom"] > 0


def test_what_is_in_every_message_tells_nothing() -> None:
    table = compared(["boat"] * 3, ["boat"] * 5, top=None)
    assert table["score"].tolist() == [0]


def test_a_phrase_stays_where_it_was_alone_before() -> None:
    # As many messages as the longer one now, but not before.
    table = compared(["old boat"] * 3, ["boat"] * 2 + ["old boat"], top=None)
    assert set(table["phrase"]) == {"boat", "old boat"}


def test_without_anything_to_compare_with_there_is_no_score() -> None:
    table = compared(["boat", "boat", "rope"], [], least=1)
    assert table["phrase"].tolist() == ["boat", "rope"]
    assert table["score"].isna().all()
    assert table["share_before"].isna().all()
    assert table.attrs["messages_before"] == 0
    assert compared([], ["boat", "boat"])["messages_before"].tolist() == [2]


def test_attrs_of_one_frame_alone_are_not_said_of_both() -> None:
    now, then = texts("a1"), texts("a1")
    now.attrs, then.attrs = {"accounts": ["x"], "n": 1}, {"accounts": ["x"], "n": 2}
    attrs = phrases(now, then, of="text").attrs
    assert attrs["accounts"] == ["x"]
    assert "n" not in attrs


# -- counted otherwise


def counted_slowly(said: list[str], longest: int, least: int) -> dict[str, int]:
    counts: dict[str, set[int]] = {}
    for n, one in enumerate(said):
        for part in re.split(r"[.,;]", one):
            words = tokens(part)
            for length in range(1, longest + 1):
                for at in range(len(words) - length + 1):
                    counts.setdefault(" ".join(words[at : at + length]), set()).add(n)
    enough = {phrase: len(where) for phrase, where in counts.items() if len(where) >= least}
    return {
        phrase: n
        for phrase, n in enough.items()
        if not any(
            n == others and f" {phrase} " in f" {longer} " and phrase != longer
            for longer, others in enough.items()
        )
    }


@given(
    st.lists(st.lists(st.sampled_from(["aa", "bb", "cc", ", "]), max_size=8), max_size=6),
    st.integers(1, 9),
    st.integers(1, 3),
)
def test_counts_are_those_of_a_slow_way(said: list[list[str]], longest: int, least: int) -> None:
    lines = [" ".join(one) for one in said]
    table = found(texts(*lines), n=(1, longest), least=least, without=())
    assert table == counted_slowly(lines, longest, least)


@given(st.lists(st.text() | st.text(alphabet="ab.-\n> \u0301日")))
def test_no_text_is_too_odd(said: list[str]) -> None:
    table = phrases(texts(*said), texts("a b"), of="text", least=1, top=None, n=(1, 4))
    assert table["phrase"].is_unique
    assert (table["phrase"] != "").all()
    assert ((table["messages"] + table["messages_before"]) > 0).all()


@pytest.mark.parametrize("unit", ["a ", "a. ", "\n", "\n ", ".", "- ", "-", "> \n", "a\n\n"])
def test_a_long_text_is_read_in_one_go(unit: str) -> None:
    table = phrases(texts(*[unit * (500_000 // len(unit))] * 2), of="text", top=3)
    assert len(table) <= 3


# -- errors


@pytest.mark.parametrize("n", [0, -1, 1.5, True, (2, 1), (0, 2), (1, 2, 3), "2", None, ()])
def test_what_is_no_number_of_words_is_refused(n: Any) -> None:
    with pytest.raises(QueryError, match="no number of words"):
        phrases(texts("a1"), of="text", n=n)


@pytest.mark.parametrize("options", [{"top": -1}, {"top": "all"}, {"least": -2}])
def test_what_is_no_count_is_refused(options: dict[str, Any]) -> None:
    with pytest.raises(QueryError, match="is no number of"):
        phrases(texts("a1"), of="text", **options)


@pytest.mark.parametrize("without", [3, [1], [None]])
def test_what_are_no_words_is_refused(without: Any) -> None:
    with pytest.raises(QueryError, match="are no words"):
        phrases(texts("a1"), of="text", without=without)


def test_a_column_that_holds_no_text_is_refused() -> None:
    frame = headers({})
    for of in ("uid", "date", "seen"):
        with pytest.raises(QueryError, match=f"'{of}' holds"):
            phrases(frame, of=of)


def test_it_is_said_who_returns_the_own_text() -> None:
    with pytest.raises(QueryError, match=r"no column 'own_text'") as caught:
        phrases(texts("a1"), of="own_text")
    assert "session.bodies(own_text=True)" in str(caught.value)


def test_the_frame_of_before_is_looked_at_too() -> None:
    with pytest.raises(QueryError, match="no column 'text'"):
        phrases(texts("a1"), headers({}), of="text")


# -- the words that say nothing


def test_each_of_them_is_one_word_as_texts_have_it() -> None:
    assert [word for word in FUNCTION_WORDS if tokens(word) != [word]] == []
    assert not FUNCTION_WORDS & {"door", "war", "car", "hat", "tide", "boat"}


def test_how_many_words_is_taken_from_numpy_as_well() -> None:
    assert found(texts("old boat", "old boat"), n=np.int64(1)) == {"boat": 2, "old": 2}
