"""Which message answers which."""

from __future__ import annotations

from typing import Any

import numpy as np
import pandas as pd
import pytest

from mailframe.analysis.links import joined, links, parents
from mailframe.exceptions import QueryError
from tests.analysis.letters import headers


def mail(*rows: tuple[str | None, ...]) -> pd.DataFrame:
    """Return messages by Message-ID, In-Reply-To and References."""
    names = ("message_id", "in_reply_to", "references")
    return headers(*[dict(zip(names, row, strict=False)) for row in rows])


@pytest.mark.parametrize(
    ("rows", "expected"),
    [
        ([("1@a",), ("2@a", "1@a")], [-1, 0]),
        ([("2@a", "1@a"), ("1@a",)], [1, -1]),
        # In-Reply-To first, then the youngest reference that is there.
        ([("1@a",), ("2@a",), ("3@a", "1@a", "1@a 2@a")], [-1, -1, 0]),
        ([("1@a",), ("2@a",), ("3@a", "lost@a", "1@a 2@a lost@a")], [-1, -1, 1]),
        ([("1@a",), ("2@a",), ("3@a", None, "1@a 2@a lost@a")], [-1, -1, 1]),
        # Nothing answers itself; circles are left.
        ([("1@a", "1@a", "1@a")], [-1]),
        ([("1@a", "2@a"), ("2@a", "1@a")], [1, 0]),
        # Of copies the first is answered, and the first that says what it answers is believed.
        ([("1@a",), ("1@a",), ("2@a", "1@a")], [-1, -1, 0]),
        ([("1@a",), ("2@a",), ("2@a", "1@a")], [-1, 0, 0]),
        ([("1@a",), ("2@a",), ("3@a", "2@a"), ("3@a", "1@a")], [-1, -1, 1, 1]),
        ([("1@a",), ("2@a", None, "2@a 1@a 2@a")], [-1, 0]),
        # Without an id of its own a message can answer, but not be answered.
        ([(None, "1@a"), ("1@a",), ("", "1@a"), ("2@a", "")], [1, -1, 1, -1]),
        # Words around an id, several ids, and an id that was folded.
        ([("1@a",), ("2@a", "0@a 1@a"), ("3@a", "Message of Monday 1@a")], [-1, 0, 0]),
        ([("one@long.example",), ("2@a", "one@lo ng.example")], [-1, 0]),
        ([("on e@x.example",), ("2@a", "one@x.example")], [-1, 0]),
        ([("plain",), ("2@a", "plain"), ("3@a", None, "plain")], [-1, 0, 0]),
        ([("1@a",), ("2@a", "1@A")], [-1, -1]),  # case counts
    ],
)
def test_a_message_answers(rows: list[tuple[str | None, ...]], expected: list[int]) -> None:
    assert parents(mail(*rows)).tolist() == expected


def test_words_that_are_no_ids_connect_nothing() -> None:
    frame = mail(("1@a", None, "your message of 0@a"), ("2@a", "of", "of Monday"), ("of@a",))
    found = links(frame)
    assert found.referring.tolist() == [0]
    assert found.answered.tolist() == [-1, -1, -1]
    assert found.ids[int(found.referred[0])].as_py() == "0@a"


def test_messages_without_an_id_are_told_apart_by_where_they_are() -> None:
    frame = mail((None,), ("",), ("1@a",))
    frame = pd.concat([frame, frame])
    own = links(frame).own
    assert own.tolist()[:3] == own.tolist()[3:]
    assert len(set(own)) == 3
    assert len(set(links(frame.drop(columns="uid")).own)) == 5


def test_references_are_read_in_order_however_many_messages_there_are() -> None:
    count = 45_000
    numbers = np.arange(count)
    frame = pd.DataFrame(
        {
            "message_id": [f"{n}@a" for n in numbers],
            "in_reply_to": None,
            "references": [f"x@a {n // 2}@a" if n % 3 else None for n in numbers],
        }
    )
    expected = np.where(numbers % 3 > 0, numbers // 2, -1)
    expected[expected == numbers] = -1
    assert parents(frame).tolist() == expected.tolist()
    referring = links(frame).referring
    assert (np.diff(referring) >= 0).all()


@pytest.mark.parametrize("dtype", ["str", "category", "object"])
def test_index_and_dtype_make_no_difference(dtype: Any) -> None:
    frame = mail(("1@a",), ("2@a", "1@a"), ("3@a", None, "1@a 2@a"), (None, None, None))
    names = ["message_id", "in_reply_to", "references"]
    other = frame.astype(dict.fromkeys(names, dtype)).set_axis([5, 5, 5, 5])
    before = other.copy()
    assert parents(other).tolist() == [-1, 0, 1, -1]
    pd.testing.assert_frame_equal(other, before)


def test_frames_may_be_joined_from_several() -> None:
    one, other = mail(("1@a",), ("2@a", "1@a")), mail((None, "2@a"), ("3@a", None, "0@a 2@a"))
    assert parents(pd.concat([one, other, one])).tolist() == [-1, 0, 1, 1, -1, 0]


def test_frames_may_be_empty_or_say_nothing() -> None:
    assert parents(headers()).tolist() == []
    assert parents(mail((None,), (None,))).tolist() == [-1, -1]
    nothing = {name: [None, None] for name in ("message_id", "in_reply_to", "references")}
    assert parents(pd.DataFrame(nothing)).tolist() == [-1, -1]


def test_columns_that_are_missing_are_named() -> None:
    with pytest.raises(QueryError, match="no columns 'in_reply_to', 'references'"):
        parents(headers()[["message_id"]])


# -- what hangs together


def by_hand(count: int, left: np.ndarray[Any, Any], right: np.ndarray[Any, Any]) -> list[int]:
    roots = list(range(count))

    def root(one: int) -> int:
        while roots[one] != one:
            one = roots[one]
        return one

    for one, other in zip(left.tolist(), right.tolist(), strict=True):
        low, high = sorted((root(one), root(other)))
        roots[high] = low
    return [root(one) for one in range(count)]


@pytest.mark.parametrize("seed", range(20))
def test_what_hangs_together_is_found_as_by_hand(seed: int) -> None:
    random = np.random.default_rng(seed)
    left, right = random.integers(0, 300, (2, random.integers(0, 400)))
    assert joined(300, left, right).tolist() == by_hand(300, left, right)


@pytest.mark.parametrize("order", ["as it comes", "shuffled"])
@pytest.mark.parametrize("shape", ["chain", "star", "circle"])
def test_long_chains_and_wide_stars_hang_together(shape: str, order: str) -> None:
    count = 5_000
    names = np.arange(count)
    if order == "shuffled":
        names = np.random.default_rng(1).permutation(count)
    left = names[1:] if shape != "circle" else np.roll(names, 1)
    right = {"chain": names[:-1], "star": np.full(count - 1, names[0]), "circle": names}[shape]
    assert (joined(count, left, right) == 0).all()
