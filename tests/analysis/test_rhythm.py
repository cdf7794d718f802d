"""At which times mail comes and goes."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import mailframe as mf
from mailframe.analysis.rhythm import activity, calendar, diurnal
from mailframe.exceptions import QueryError
from tests.analysis.letters import dated, headers

if TYPE_CHECKING:
    from pathlib import Path

ASKED = [activity, calendar, diurnal]


def busy(table: pd.DataFrame) -> list[tuple[Any, ...]]:
    """Return the rows that have messages, without their counts."""
    return [row[:-1] for row in table[table["messages"] > 0].itertuples(index=False, name=None)]


@pytest.fixture(scope="module")
def many() -> pd.DataFrame:
    random = np.random.default_rng(5)
    moments = pd.to_datetime(
        random.integers(1_400_000_000, 1_600_000_000, 3000), unit="s", utc=True
    )
    return pd.DataFrame({"date": moments.as_unit("us")})


# -- activity


def test_a_week_has_168_hours_with_mail_or_without() -> None:
    for frame in (headers(), dated("2025-03-03T07:59", None)):
        table = activity(frame)
        assert list(table.columns) == ["weekday", "day", "hour", "messages"]
        assert table["weekday"].tolist() == sorted(list(range(7)) * 24)
        assert table["hour"].tolist() == list(range(24)) * 7
        assert [str(dtype) for dtype in table.dtypes] == ["int64", "category", "int64", "int64"]
        assert table["messages"].sum() == table.attrs["undated"]
    assert table["day"].cat.ordered
    assert busy(table) == [(0, "Monday", 7)]


def test_hours_are_those_of_the_zone_in_summer_and_in_winter() -> None:
    frame = dated("2025-03-03T07:59", "2025-07-07T06:10", "2025-10-26T00:30", "2025-10-26T01:30")
    table = activity(frame, tz="Europe/Berlin")
    assert busy(table) == [(0, "Monday", 8), (6, "Sunday", 2)]
    assert table["messages"].max() == 2


def test_the_counts_are_those_of_pandas_own_way(many: pd.DataFrame) -> None:
    table = activity(many, tz="America/New_York")
    local = many["date"].dt.tz_convert("America/New_York").dt
    expected = many.groupby([local.day_of_week.rename("d"), local.hour.rename("h")]).size()
    counted = table.set_index(["weekday", "hour"])["messages"]
    assert counted[counted > 0].to_dict() == expected.to_dict()


# -- diurnal


def test_each_message_has_its_day_and_time_of_day() -> None:
    frame = dated("2025-03-03T23:30:15", None, "2025-07-07T06:10").set_axis([4, 4, 2])
    table = diurnal(frame, tz="Europe/Berlin")
    assert table.index.tolist() == [4, 2]
    assert table["day"].astype("str").tolist() == ["2025-03-04", "2025-07-07"]
    assert table["time"].tolist() == [pd.Timedelta("0:30:15"), pd.Timedelta("8:10:00")]
    assert [str(dtype) for dtype in table.dtypes] == ["datetime64[us]", "timedelta64[us]"]
    assert diurnal(headers()).dtypes.equals(table.dtypes)


# -- calendar


def test_a_day_stands_in_the_week_of_its_year() -> None:
    table = calendar(dated("2024-12-30", "2025-01-06", "2025-01-06T23:59"))
    assert len(table) == 8
    assert busy(table) == [
        (pd.Timestamp("2024-12-30"), 2024, 52, 0),
        (pd.Timestamp("2025-01-06"), 2025, 1, 0),
    ]
    assert table["messages"].tolist() == [1, 0, 0, 0, 0, 0, 0, 2]
    assert calendar(headers()).dtypes.equals(table.dtypes)


def test_no_two_days_stand_in_one_place_and_weeks_go_on_at_mondays() -> None:
    table = calendar(dated("1970-01-01", "2038-01-19T03:14:08"))
    assert not table.duplicated(["year", "week", "weekday"]).any()
    assert (table["weekday"] == table["day"].dt.day_of_week).all()
    assert (table["year"] == table["day"].dt.year).all()
    assert table["week"].max() == 53
    new = table["week"].diff().fillna(1) != 0
    first_of_year = table["day"].dt.day_of_year == 1
    assert (new == ((table["weekday"] == 0) | first_of_year)).all()
    assert table[first_of_year]["week"].eq(0).all()


def test_the_days_of_a_real_mailbox_are_those_that_others_counted(corpora: Path) -> None:
    truth = json.loads((corpora / "mailbox" / "analytics_truth.json").read_text("utf-8"))
    expected = truth["sa-dev.mbox"]
    with mf.open(corpora / "mailbox" / "sa-dev.mbox") as session:
        frame = session.headers()
    # The others took the year 102 for the year 102: each such message has a day of its own there.
    odd = frame["defects"].str.contains("three-digit year")
    table = calendar(frame[~odd])
    days = table.set_index(table["day"].dt.strftime("%Y-%m-%d"))["messages"]
    assert days.sum() + odd.sum() == expected["messages"]
    for day, messages in expected["messages_per_day_utc_top"]:
        assert days[day] == messages
    assert activity(frame)["messages"].sum() == expected["messages"]


# -- all of them


@pytest.mark.parametrize("ask", ASKED)
def test_the_sender_s_own_clock_counts_if_asked(ask: Any) -> None:
    frame = headers(
        {"date": "2025-03-03T23:30", "utc_offset": 60},
        {"date": "2025-03-03T23:30", "utc_offset": None},
    )
    table = ask(frame, tz="sender")
    assert table.attrs["tz"] == "the sender's own time"
    day = "weekday" if ask is activity else "day"
    shown = table if ask is diurnal else table[table["messages"] > 0]
    assert shown[day].nunique() == 2
    with pytest.raises(QueryError, match="no column 'utc_offset'"):
        ask(frame[["date"]], tz="sender")


@pytest.mark.parametrize("ask", ASKED)
def test_messages_on_no_clock_are_told(ask: Any) -> None:
    frame = dated("2025-03-01", None, "1969-12-31T23:59:59", "2100-01-01", "9999-12-31T23:59")
    frame.attrs = {"accounts": ["me@example.com"]}
    table = ask(frame, tz="Asia/Tokyo")
    assert table.attrs == {
        "accounts": ["me@example.com"], "on": "date", "tz": "Asia/Tokyo", "undated": 4,
    }  # fmt: skip
    assert ask(dated(None, None)).attrs["undated"] == 2


@pytest.mark.parametrize("ask", ASKED)
def test_the_server_s_time_counts_if_asked(ask: Any) -> None:
    frame = headers({"date": None, "internal_date": "2025-04-01T10:00"})
    pd.testing.assert_frame_equal(
        ask(frame, on="internal_date"), ask(dated("2025-04-01T10:00")), check_flags=False
    )


@pytest.mark.parametrize("ask", ASKED)
def test_the_frame_is_left_as_it_is_and_joined_frames_will_do(ask: Any) -> None:
    frame = mf.concat([dated("2025-03-01"), dated("2025-04-01", account="you@example.com")])
    before = frame.copy()
    table = ask(pd.concat([frame, frame]))
    assert len(table) == 4 if ask is diurnal else table["messages"].sum() == 4
    pd.testing.assert_frame_equal(frame, before)


@pytest.mark.parametrize("ask", ASKED)
@pytest.mark.parametrize(
    ("options", "words"),
    [({"tz": "berlin"}, "is no time zone"), ({"on": "time"}, "is no time of a message")],
)
def test_what_makes_no_sense_is_refused(ask: Any, options: dict[str, Any], words: str) -> None:
    with pytest.raises(QueryError, match=words):
        ask(dated("2025-03-01"), **options)
    with pytest.raises(QueryError, match="no column 'date'"):
        ask(dated("2025-03-01")[["size"]])
