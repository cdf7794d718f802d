"""How much people write in words of their own, by whatever period and group."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

from mailframe import schema
from mailframe.analysis import volume, words
from mailframe.exceptions import QueryError
from tests.analysis.letters import dated, headers

KEY = [column.name for column in schema.KEY]


def bodies(frame: pd.DataFrame, *n_words: int | None) -> pd.DataFrame:
    """Return the bodies of these messages, of which only the number of words is known."""
    return frame[KEY].assign(n_words=pd.array(n_words, dtype="Int64"))


def counted(table: pd.DataFrame, *columns: str) -> list[tuple[Any, ...]]:
    return list(table[list(columns)].itertuples(index=False, name=None))


# -- what is counted


def test_words_are_added_and_periods_without_mail_are_there() -> None:
    frame = dated("2025-03-01", "2025-03-31T23:59", "2025-05-02")
    table = words(bodies(frame, 10, 31, 5), frame)
    assert list(table.columns) == ["period", "messages", "words", "median_words", "longest"]
    assert counted(table, "messages", "words") == [(2, 41), (0, 0), (1, 5)]
    assert table["median_words"].tolist() == [20, pd.NA, 5]
    assert table["longest"].tolist() == [31, pd.NA, 5]
    assert str(table["period"][1]) == "2025-04-01 00:00:00+00:00"


def test_the_columns_have_the_types_of_the_schema() -> None:
    for frame in (dated("2025-03-01"), headers()):
        table = words(bodies(frame, *[3] * len(frame)), frame, by="folder")
        assert [str(dtype) for dtype in table.dtypes] == [
            "datetime64[us, UTC]", "category", "int64", "int64", "Int64", "Int64",
        ]  # fmt: skip


def test_the_periods_and_groups_are_those_of_volume() -> None:
    frame = headers(
        {"date": "2024-12-30T23:30", "folder": "B", "utc_offset": 60},
        {"date": "2025-01-06", "folder": "A"},
    )
    for options in ({"tz": "sender"}, {"tz": "Asia/Tokyo"}, {"by": "folder"}, {"by": "direction"}):
        table = words(bodies(frame, 1, 2), frame, "W", me="me@example.com", **options)
        like = volume(frame, "W", me="me@example.com", **options)
        groups = ["period", *(["by"] if "by" in options else [])]
        names = [options.get("by", "") if name == "by" else name for name in groups]
        pd.testing.assert_frame_equal(table[[*names, "messages"]], like[[*names, "messages"]])


def test_the_median_is_a_whole_number_of_words_of_each_group() -> None:
    frame = headers(
        *[{"from_address": address} for address in ("a@x.y", "A@x.y", "a@x.y", "b@x.y")]
    )
    table = words(bodies(frame, 1, 4, 100, 8), frame, by="address")
    assert counted(table, "address", "words", "median_words", "longest") == [
        ("a@x.y", 105, 4, 100),
        ("b@x.y", 8, 8, 8),
    ]
    assert words(bodies(frame, 1, 2, 3, 8), frame)["median_words"].tolist() == [2]


def test_what_i_sent_is_told_from_what_i_received() -> None:
    frame = headers(
        {"folder": "Sent", "from_address": "me@example.com"}, {}, {"message_id": "<1@x>"}
    )
    table = words(bodies(frame, 7, 2, 3), frame, by="direction")
    assert counted(table, "direction", "words") == [("received", 5), ("sent", 7)]


def test_a_message_that_has_no_group_has_words_too() -> None:
    frame = headers({"list_id": None}, {"list_id": "L.example"}, {"list_id": "l.example"})
    table = words(bodies(frame, 1, 2, 3), frame, by="list")
    assert table["words"].tolist() == [5, 1]
    assert table["list"].isna().tolist() == [False, True]


# -- what is left out


def test_a_message_without_words_is_none_of_the_messages() -> None:
    frame = dated("2025-03-01", "2025-03-02", "2025-03-03")
    table = words(bodies(frame, 0, None, 6), frame)
    assert counted(table, "messages", "words", "median_words") == [(1, 6, 6)]
    assert table.attrs["without_words"] == 2


def test_what_is_in_one_frame_alone_is_counted_in_attrs() -> None:
    frame = dated("2025-03-01", "2025-03-02", "2025-03-03")
    texts = bodies(frame, 5, 6, 7)
    table = words(texts.iloc[1:], frame.iloc[:2])
    assert table["words"].tolist() == [6]
    assert (table.attrs["without_header"], table.attrs["without_body"]) == (1, 1)


def test_a_message_is_known_by_its_whole_key() -> None:
    frame = headers({"folder": "A", "uid": 1}, {"folder": "B", "uid": 1}, {"uid": 1, "folder": "C"})
    other = frame.assign(uidvalidity=[1, 1, 2])
    table = words(bodies(other, 5, 6, 7).iloc[::-1], frame, by="folder")
    assert counted(table, "folder", "words") == [("A", 5), ("B", 6)]


def test_a_copy_counts_once_in_the_folder_that_comes_first() -> None:
    copy = {"message_id": "<1@x>", "from_address": "a@x.y"}
    frame = headers(
        {**copy, "folder": "B"}, {**copy, "folder": "A", "from_address": "A@x.y"}, {"folder": "B"}
    )
    for order in ([0, 1, 2], [2, 1, 0]):
        table = words(bodies(frame, 5, 5, 7).iloc[order], frame.iloc[order], by="folder")
        assert counted(table, "folder", "messages", "words") == [("A", 1, 5), ("B", 1, 7)]
        assert table.attrs["copies"] == 1


def test_two_messages_with_one_id_of_two_senders_are_no_copies() -> None:
    frame = headers(*[{"message_id": "<1@x>", "from_address": f"{one}@x.y"} for one in "ab"])
    assert words(bodies(frame, 5, 6), frame)["words"].tolist() == [11]


def test_messages_without_an_id_are_no_copies() -> None:
    for message_id in (None, ""):
        frame = headers({"message_id": message_id}, {"message_id": message_id})
        assert words(bodies(frame, 5, 6), frame)["messages"].tolist() == [2]


def test_a_copy_without_words_does_not_stand_for_one_that_has_some() -> None:
    frame = headers(*[{"message_id": "<1@x>", "folder": folder} for folder in "AB"])
    assert words(bodies(frame, None, 6), frame)["words"].tolist() == [6]


def test_undated_messages_are_in_no_period() -> None:
    frame = dated(None, "1969-12-31", "2025-03-01")
    table = words(bodies(frame, 1, 2, 3), frame, by="folder")
    assert table["words"].tolist() == [3]
    assert table.attrs["undated"] == 2


# -- where the words come from


def test_without_a_count_words_are_counted_in_what_the_author_wrote() -> None:
    frame = dated("2025-03-01", "2025-03-02")
    texts = frame[KEY].assign(own_text=["We don't.", None], text="One two three\n\n> four")
    assert words(texts, frame)["words"].tolist() == [2]
    assert words(texts.assign(n_words=9), frame)["words"].tolist() == [18]


def test_without_that_the_text_is_divided() -> None:
    frame = dated("2025-03-01")
    text = "Yes, at noon.\n\nOn 1 March 2025, Bob <bob@x.example> wrote:\n> When shall we meet?\n"
    assert words(frame[KEY].assign(text=[text]), frame)["words"].tolist() == [3]


def test_a_frame_without_any_text_is_refused() -> None:
    frame = dated("2025-03-01")
    with pytest.raises(QueryError, match="none of the columns 'n_words'") as caught:
        words(frame[KEY], frame)
    assert "session.bodies(own_text=True)" in str(caught.value)


# -- errors


@pytest.mark.parametrize("name", ["period", "messages", "words", "median_words", "longest"])
def test_a_group_has_no_name_that_is_taken(name: str) -> None:
    frame = dated("2025-03-01").assign(**{name: 1})
    with pytest.raises(QueryError, match="name of a column of the result"):
        words(bodies(frame, 1), frame, by=name)


@pytest.mark.parametrize(
    ("options", "words_of_error"),
    [
        ({"freq": "fortnight"}, "no length of a period"),
        ({"by": "mood"}, "nothing that messages can be grouped by"),
        ({"tz": "Mars"}, "no time zone"),
        ({"on": "size"}, "no time of a message"),
        ({"by": "direction", "me": "nobody"}, "no address"),
    ],
)
def test_what_makes_no_sense_is_said(options: dict[str, Any], words_of_error: str) -> None:
    frame = dated("2025-03-01")
    with pytest.raises(QueryError, match=words_of_error):
        words(bodies(frame, 1), frame, **options)


def test_only_the_columns_used_are_needed() -> None:
    frame = dated("2025-03-01")
    assert words(bodies(frame, 4), frame[[*KEY, "date"]])["words"].tolist() == [4]
    with pytest.raises(QueryError, match="'uid'"):
        words(bodies(frame, 4).drop(columns="uid"), frame)
    with pytest.raises(QueryError, match="'uid'"):
        words(bodies(frame, 4), frame.drop(columns="uid"))
