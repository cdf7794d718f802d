"""Two periods, or two accounts, side by side."""

from __future__ import annotations

from typing import Any

import pandas as pd
import pytest

import mailframe as mf
from mailframe.analysis.comparison import compare
from mailframe.exceptions import QueryError
from tests.analysis.letters import headers, sent_by


def test_all_messages_are_one_row() -> None:
    now, before = headers({"size": 10}, {"size": 20}), headers({"size": 5})
    assert compare(now, before).to_dict("records") == [
        {"messages_now": 2, "messages_before": 1, "share_now": 1.0, "share_before": 1.0,
         "size_now": 30, "size_before": 5, "difference": 1, "ratio": 2.0}
    ]  # fmt: skip


def test_groups_of_both_are_side_by_side() -> None:
    now = sent_by("Ann@x.example", "ann@x.example", "bob@x.example", None)
    before = sent_by(
        "ann@x.example", "cy@x.example", "cy@x.example", "cy@x.example", "cy@x.example"
    )
    table = compare(now, before, by="address", names=("2025", "2024"))
    assert table["address"].fillna("").tolist() == [
        "cy@x.example", "ann@x.example", "bob@x.example", "",
    ]  # fmt: skip
    assert table["messages_2025"].tolist() == [0, 2, 1, 1]
    assert table["messages_2024"].tolist() == [4, 1, 0, 0]
    assert table["share_2025"].tolist() == [0, 0.5, 0.25, 0.25]
    assert table["share_2024"].tolist() == [0.8, 0.2, 0, 0]
    assert table["difference"].tolist() == [-4, 1, 1, 1]
    assert table["ratio"].tolist() == [0, 2, float("inf"), float("inf")]
    assert compare(now, before, by="address", top=2)["address"].tolist() == [
        "cy@x.example", "ann@x.example",
    ]  # fmt: skip


def test_a_size_is_missing_only_where_no_message_has_one() -> None:
    now, before = headers({"size": None}, {"size": None}), headers({"size": 3}, {"size": None})
    row = compare(now, before).iloc[0]
    assert row["size_now"] is pd.NA
    assert row["size_before"] == 3


def test_nothing_is_compared_with_nothing() -> None:
    none, some = headers(), headers({})
    row = compare(none, none).iloc[0]
    assert row["messages_now"] == row["messages_before"] == row["difference"] == 0
    assert pd.isna(row[["share_now", "ratio"]]).all()
    assert compare(some, none).iloc[0]["ratio"] == float("inf")
    for by in ("address", "folder", "direction", "seen"):
        table = compare(none, none, by=by)
        assert table.empty
        assert list(table.columns) == list(compare(some, some, by=by).columns)
        assert compare(none, some, by=by)["messages_before"].tolist() == [1]
    dtypes = [str(dtype) for dtype in compare(some, none, by="address").dtypes]
    assert dtypes == ["str", "int64", "int64", "float64", "float64", "Int64", "Int64", "int64",
                      "float64"]  # fmt: skip


def test_directions_are_those_of_one_person_in_both() -> None:
    now = headers({"from_address": "ann@x.example", "account": "user"}, {"account": "user"})
    before = headers({"from_address": "ann@x.example", "folder": "Sent", "account": "user"})
    table = compare(now, before, by="direction").set_index("direction")
    assert table["messages_now"].to_dict() == {"sent": 1, "received": 1}
    assert table["messages_before"].to_dict() == {"sent": 1, "received": 0}
    assert compare(now, now, by="direction", me="ann@x.example")["messages_now"].sum() == 2
    with pytest.raises(QueryError, match="which addresses are yours"):
        compare(now, now, by="direction")


def test_two_accounts_are_compared_whatever_their_frames_have_been_through() -> None:
    one, other = sent_by("a@x.example", folder="A"), sent_by("a@x.example", folder="B")
    expected = compare(one, other, by="folder")
    mixed = mf.concat([one, other]).set_axis([1, 1])
    halves = [mixed[mixed["folder"] == name] for name in ("A", "B")]
    pd.testing.assert_frame_equal(compare(*halves, by="folder"), expected)
    text = [frame.astype({"folder": "str"}) for frame in halves]
    pd.testing.assert_frame_equal(
        compare(*text, by="folder"), expected.astype({"folder": "str"}), check_dtype=False
    )


def test_what_is_told_of_both_is_true_of_both() -> None:
    now, before = headers({}), headers({})
    now.attrs, before.attrs = {"accounts": ["a"], "x": 1}, {"accounts": ["b"], "x": 1}
    assert compare(now, before).attrs == {"x": 1}
    assert (now.attrs["accounts"], before.attrs["accounts"]) == (["a"], ["b"])


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"names": "ab"}, "names='ab' are not two names"),
        ({"names": ("a", "a")}, "are not two names"),
        ({"names": ("a",)}, "are not two names"),
        ({"names": ("a", 1)}, "are not two names"),
        ({"by": "colour"}, "by='colour' is nothing"),
        ({"by": "ratio"}, "by='ratio' has the name of a column of the result"),
        ({"by": "folder", "top": -1}, "top=-1 is no number of groups"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    frame = headers({}).assign(ratio=1)
    with pytest.raises(QueryError, match=words):
        compare(frame, frame, **options)


def test_columns_that_are_missing_are_named_of_either_frame() -> None:
    frame = headers({})
    for pair in ((frame, frame[["size"]]), (frame[["size"]], frame)):
        with pytest.raises(QueryError, match="no column 'from_address'"):
            compare(*pair, by="address")
    with pytest.raises(QueryError, match="not a Series"):
        compare(frame, frame["size"])  # type: ignore[arg-type]
