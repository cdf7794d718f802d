"""What fills a mailbox."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import mailframe as mf
from mailframe import schema
from mailframe.analysis import largest, storage
from mailframe.exceptions import QueryError
from tests.analysis.files import files
from tests.analysis.letters import headers

ANN, BOB = "ann@example.org", "bob@example.com"


def test_what_is_told_of_a_sender() -> None:
    frame = headers(
        {"size": 10, "n_attachments": 1, "attachment_size": 4},
        {"size": 13, "from_address": "Ann@Example.ORG", "n_attachments": 2, "attachment_size": 5},
        {"size": None, "n_attachments": None, "attachment_size": None},
        {"size": 77, "from_address": BOB},
    )
    frame.attrs = {"accounts": ["me@example.com"]}
    table = storage(frame)
    assert table["address"].tolist() == [BOB, ANN]
    assert table.iloc[1].to_dict() == {
        "address": ANN,
        "messages": 3,
        "size": 23,
        "share": 0.23,
        "cumulative": 1.0,
        "median_size": 12,
        "largest": 13,
        "n_attachments": 3,
        "attachment_size": 9,
    }
    assert table.attrs == {"accounts": ["me@example.com"], "size": 100, "without_size": 1}


def test_the_largest_come_first_then_the_alphabet() -> None:
    frame = headers(*[{"from_address": one, "size": 5} for one in "cbda"], {"from_address": "c"})
    assert storage(frame)["address"].tolist() == ["c", "a", "b", "d"]
    assert storage(frame.iloc[::-1]).equals(storage(frame))
    assert storage(frame, top=2)["address"].tolist() == ["c", "a"]
    assert storage(frame, top=0).empty
    assert storage(frame, top=2)["share"].tolist() == storage(frame)["share"].head(2).tolist()
    with pytest.raises(QueryError, match="top=-1 is no number of groups"):
        storage(frame, top=-1)


def test_what_is_of_unknown_size_is_no_zero_and_comes_last() -> None:
    frame = headers({"size": None}, {"size": 0, "from_address": BOB}, {"size": None})
    table = storage(frame)
    assert table["address"].tolist() == [BOB, ANN]
    assert table[["size", "share", "median_size", "largest"]].iloc[1].isna().all()
    assert table["size"].iloc[0] == 0
    assert table["cumulative"].tolist() == [0, 0]
    assert table.attrs["without_size"] == 2


def test_what_has_no_such_value_is_a_row_too() -> None:
    frame = headers({"list_id": "A.example", "size": 1}, {"size": 3}, {"list_id": "a.example"})
    table = storage(frame, "list")
    assert table["list"].isna().tolist() == [False, True]
    assert table["messages"].tolist() == [2, 1]
    assert table["cumulative"].iloc[-1] == 1


def test_a_message_in_two_folders_takes_up_room_twice() -> None:
    frame = headers({"message_id": "a", "folder": "INBOX"}, {"message_id": "a", "folder": "All"})
    assert storage(frame)["size"].tolist() == [2000]
    by_folder = storage(frame, "folder")
    assert by_folder["size"].tolist() == [1000, 1000]
    assert str(by_folder["folder"].dtype) == "category"


def test_periods_begin_by_the_clock_asked_for() -> None:
    frame = headers(
        {"date": "2024-12-31T23:30", "size": 7}, {"date": "2025-06-01", "size": 1},
        {"date": None, "size": 2}, {"date": "1815-06-18", "size": 2},
    )  # fmt: skip
    table = storage(frame, "year", tz="Europe/Berlin")
    assert table["year"].tolist()[:1] == [pd.Timestamp("2025-01-01", tz="Europe/Berlin")]
    assert table["year"].isna().tolist() == [False, True]
    assert table["size"].tolist() == [8, 4]
    assert table.attrs["undated"] == 2
    assert table.attrs["tz"] == "Europe/Berlin"
    assert storage(frame, "year")["size"].tolist() == [7, 4, 1]
    assert storage(frame, "quarter")["quarter"].iloc[0] == pd.Timestamp("2024-10-01", tz="UTC")
    assert storage(frame, "month", on="internal_date")["size"].tolist() == [12]


def test_directions_are_told_too() -> None:
    frame = headers({"from_address": "me@example.com", "size": 3}, {"size": 8})
    assert storage(frame, "direction")["direction"].tolist() == ["received", "sent"]
    assert storage(frame, "direction", me=ANN)["size"].tolist() == [8, 3]


def test_attachments_are_as_large_as_they_lie_there() -> None:
    frame = files(
        {"encoded_size": 1000, "size": 730}, {"content_type": "image/png", "encoded_size": 3000},
        {"content_type": "image/gif", "size": None},
    )  # fmt: skip
    table = storage(frame, "type")
    assert table["type"].tolist() == ["image/png", "image/gif", "application/pdf"]
    assert table["size"].tolist() == [3000, 1400, 1000]
    assert list(table.columns[:2]) == ["type", "attachments"]
    by_family = storage(frame, "family")
    assert by_family["family"].tolist() == ["pictures", "PDF"]
    assert by_family["attachments"].tolist() == [2, 1]
    assert storage(frame, "folder")["attachments"].tolist() == [3]


def test_columns_have_the_same_dtypes_without_rows() -> None:
    some, none = headers({}, {"date": None}), headers()
    for by in ("address", "list", "month", "direction", "seen"):
        table, empty = storage(some, by), storage(none, by)
        assert empty.empty
        assert empty.dtypes.equals(table.dtypes), by
    assert storage(schema.empty("attachments"), "family").empty


def test_only_the_columns_used_are_needed() -> None:
    frame = headers({"size": 5})[["size", "subject"]]
    table = storage(frame, "subject")
    assert list(table.columns[-3:]) == ["cumulative", "median_size", "largest"]
    with pytest.raises(QueryError, match="no column 'from_address'"):
        storage(frame)
    with pytest.raises(QueryError, match="no column 'content_type'"):
        storage(files({}).drop(columns="content_type"), "type")
    with pytest.raises(QueryError, match="no column 'encoded_size'"):
        storage(files({}).drop(columns="encoded_size"), "folder")
    with pytest.raises(QueryError, match="no column 'utc_offset'"):
        storage(headers({}).drop(columns="utc_offset"), "year", tz="sender")


@pytest.mark.parametrize("by", ["sender", None, 7, ["address"]])
def test_what_nothing_can_be_grouped_by_is_refused(by: Any) -> None:
    with pytest.raises(QueryError, match="is nothing that messages can be grouped by") as caught:
        storage(headers({}), by)
    assert "'month', 'quarter', 'year'" in str(caught.value)


def test_a_group_that_is_a_column_of_the_result_is_refused() -> None:
    with pytest.raises(QueryError, match="has the name of a column of the result"):
        storage(headers({}), "size")


# -- the largest


def test_the_largest_messages_are_rows_that_a_session_takes() -> None:
    with mf.demo() as session:
        rows = largest(session.headers(folder="*", progress=False), 3)
        found = session.attachments(rows, progress=False)
    assert rows["size"].is_monotonic_decreasing
    assert found["uid"].tolist() == rows["uid"].tolist()


def test_of_each_it_is_told_how_much_it_is_of_all() -> None:
    frame = headers({"size": 10}, {"size": 60}, {"size": None}, {"size": 30})
    table = largest(frame, 2)
    assert table["uid"].tolist() == [2, 4]
    assert table["share"].tolist() == [0.6, 0.3]
    assert table["cumulative"].tolist() == [0.6, 0.9]
    assert table.attrs == {"size": 100, "without_size": 1}
    assert list(table.columns) == [
        "account", "folder", "uidvalidity", "uid", "date", "from_address", "subject", "size",
        "n_attachments", "attachment_size", "share", "cumulative",
    ]  # fmt: skip
    assert largest(frame, None)["uid"].tolist() == [2, 4, 1]
    assert largest(frame)["uid"].tolist() == [2, 4, 1]
    assert largest(frame, 0).dtypes.equals(table.dtypes)
    assert (
        largest(headers())
        .dtypes.drop(["account", "folder"])
        .equals(table.dtypes.drop(["account", "folder"]))
    )


def test_messages_as_large_as_each_other_are_in_the_order_of_their_keys() -> None:
    frame = headers(*[{"folder": one} for one in ("b", "a", "b", "a")])
    for given in (frame, frame.iloc[::-1]):
        assert largest(given, 3)[["folder", "uid"]].to_numpy().tolist() == [
            ["a", 2], ["a", 4], ["b", 1],
        ]  # fmt: skip


def test_a_row_that_is_there_twice_is_one_of_the_largest() -> None:
    frame = headers({"size": 60}, {"size": 40}, {"size": None}, {"size": 40, "folder": "Archive"})
    once, twice = largest(frame), largest(pd.concat([frame, frame]))
    assert twice.equals(once)
    assert twice.attrs == once.attrs == {"size": 140, "without_size": 1}
    assert largest(pd.concat([frame, frame]), 1)["share"].tolist() == [60 / 140]


def test_the_largest_need_a_key_and_a_size() -> None:
    frame = headers({})[["account", "folder", "uidvalidity", "uid", "size"]]
    assert list(largest(frame).columns) == [*frame.columns, "share", "cumulative"]
    with pytest.raises(QueryError, match="no columns 'uid', 'size'"):
        largest(frame.drop(columns=["uid", "size"]))
    with pytest.raises(QueryError, match="top='5' is no number of messages"):
        largest(frame, "5")  # type: ignore[arg-type]
