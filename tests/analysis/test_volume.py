"""How much mail there was a period, by whose clock one likes."""

from __future__ import annotations

import json
from datetime import timedelta, timezone
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pytest

import mailframe as mf
from mailframe import schema
from mailframe.analysis import periods, volume
from mailframe.exceptions import QueryError
from tests.analysis.letters import dated, headers

if TYPE_CHECKING:
    from pathlib import Path


def counted(frame: pd.DataFrame, freq: str = "D", **options: Any) -> dict[str, int]:
    """Return the messages a period, by when it begins."""
    table = volume(frame, freq, **options)
    return {str(start): int(n) for start, n in zip(table["period"], table["messages"], strict=True)}


# -- the table


def test_the_days_of_a_real_mailbox_are_those_that_others_counted(corpora: Path) -> None:
    truth = json.loads((corpora / "mailbox" / "analytics_truth.json").read_text("utf-8"))
    expected = truth["sa-dev.mbox"]
    with mf.open(corpora / "mailbox" / "sa-dev.mbox") as session:
        frame = session.headers()
    whole = volume(frame, "D")
    assert whole["messages"].sum() == expected["messages"]
    assert whole.attrs["undated"] == expected["messages_without_usable_date"]
    # The others took the year 102 for the year 102: each such message has a day of its own there.
    odd = frame["defects"].str.contains("three-digit year")
    assert odd.sum() == expected["n_disagreements"]
    table = volume(frame[~odd], "D")
    days = table.set_index(table["period"].dt.strftime("%Y-%m-%d"))["messages"]
    assert (days > 0).sum() + odd.sum() == expected["distinct_days_utc"]
    for day, messages in expected["messages_per_day_utc_top"]:
        assert days[day] == messages
    assert sorted(days, reverse=True)[:10] == [n for _, n in expected["messages_per_day_utc_top"]]


def test_bytes_are_added_and_periods_without_mail_are_there() -> None:
    frame = headers(
        {"date": "2025-03-03T10:00", "size": 10},
        {"date": "2025-03-01T10:00", "size": 5},
        {"date": "2025-03-01T23:59", "size": 7},
    )
    table = volume(frame, "D")
    assert list(table.columns) == ["period", "messages", "size"]
    assert table["messages"].tolist() == [2, 0, 1]
    assert table["size"].tolist() == [12, 0, 10]
    assert [str(dtype) for dtype in table.dtypes] == ["datetime64[us, UTC]", "int64", "Int64"]


def test_a_size_is_missing_only_where_no_message_has_one() -> None:
    frame = headers(
        {"date": "2025-03-01", "size": None},
        {"date": "2025-03-01", "size": 7},
        {"date": "2025-03-03", "size": None},
    )
    sizes = volume(frame, "D")["size"]
    assert sizes.fillna(-1).tolist() == [7, 0, -1]


@pytest.mark.parametrize(
    ("spellings", "starts"),
    [
        (["h", "H", "hourly"], ["2025-12-30 22:00", "2025-12-30 23:00", "2025-12-31 00:00"]),
        (["D", "day", "Daily"], ["2025-12-30", "2025-12-31"]),
        (["W", "w", "weekly", "W-SUN"], ["2025-12-29"]),
        (["M", "ME", "MS", "month"], ["2025-12-01"]),
        (["Q", "QE", "quarter"], ["2025-10-01"]),
        (["Y", "YE", "A", " yearly "], ["2025-01-01"]),
    ],
)
def test_periods_have_many_names(spellings: list[str], starts: list[str]) -> None:
    frame = dated("2025-12-31T00:30", "2025-12-30T22:30")
    for freq in spellings:
        expected = [pd.Timestamp(start, tz="UTC") for start in starts]
        assert volume(frame, freq)["period"].tolist() == expected


@pytest.mark.parametrize("start", range(7))
def test_weeks_begin_on_the_day_after_the_one_that_names_them(start: int) -> None:
    last = ["SUN", "MON", "TUE", "WED", "THU", "FRI", "SAT"][start]
    frame = dated("1970-01-01", "2025-03-05", "2038-01-19")
    weeks = volume(frame, f"W-{last}")["period"]
    assert set(weeks.dt.day_of_week) == {start}
    sums = volume(frame, f"W-{last}").set_index("period")["messages"]
    assert sums.iloc[0] == sums.iloc[-1] == 1
    assert weeks.iloc[0] <= frame["date"].iloc[0] < weeks.iloc[1]
    assert weeks.iloc[-1] <= frame["date"].iloc[2] < weeks.iloc[-1] + timedelta(days=7)


def test_months_quarters_and_years_have_their_own_lengths() -> None:
    frame = dated("2023-12-31T23:59:59", "2025-02-28")
    assert list(counted(frame, "Y")) == [f"{y}-01-01 00:00:00+00:00" for y in (2023, 2024, 2025)]
    assert len(counted(frame, "M")) == 15
    assert len(counted(frame, "Q")) == 6
    assert list(counted(frame, "M").values()) == [1, *[0] * 13, 1]


def test_the_earliest_and_latest_times_of_computers_count() -> None:
    assert sum(counted(dated("1970-01-01", "2038-01-19T03:14:08"), "M").values()) == 2


def test_messages_in_no_period_are_told() -> None:
    frame = dated("2025-03-01", None, "1969-12-31T23:59:59", "2100-01-01", "9999-12-31T23:59")
    table = volume(frame, "h", tz="Asia/Tokyo")
    assert table["messages"].tolist() == [1]
    assert table.attrs["undated"] == 4


@pytest.mark.parametrize("tz", ["UTC", "Europe/Berlin", "sender"])
@pytest.mark.parametrize("freq", ["h", "D", "W", "M", "Q", "Y"])
@pytest.mark.parametrize("by", [None, "folder"])
def test_no_messages_are_a_table_of_the_same_columns(freq: str, tz: str, by: str | None) -> None:
    some = volume(dated("2025-03-01"), freq, tz=tz, by=by)
    for frame in (headers(), dated(None, None)):
        table = volume(frame, freq, tz=tz, by=by)
        assert table.empty
        assert list(map(str, table.dtypes)) == list(map(str, some.dtypes))
        assert table.attrs["undated"] == len(frame)


def test_it_goes_by_when_the_server_received_it_if_asked() -> None:
    frame = headers({"date": "2025-03-01", "internal_date": "2025-04-09T11:00"})
    assert counted(frame, on="internal_date") == {"2025-04-09 00:00:00+00:00": 1}


def test_order_index_and_other_columns_make_no_difference() -> None:
    frame = headers(
        {"date": "2025-03-03", "folder": "A", "size": 1},
        {"date": None, "folder": "B", "size": 2},
        {"date": "2025-03-01", "folder": "B", "size": 3},
        {"date": "2025-03-02", "folder": "C", "size": 4},
    )
    expected = volume(frame, "D", by="folder")
    mixed = frame.iloc[[2, 0, 3, 1]].set_axis([7, 7, 7, 1])
    pd.testing.assert_frame_equal(volume(mixed, "D", by="folder"), expected)
    pd.testing.assert_frame_equal(
        volume(mixed[["date", "size", "folder"]], "D", by="folder"), expected
    )


def test_the_frame_is_left_as_it_is() -> None:
    frame = dated("2025-03-01", None)
    before = frame.copy()
    volume(frame, "D", by="folder", tz="sender")
    pd.testing.assert_frame_equal(frame, before)
    assert frame.attrs == before.attrs


def test_what_is_told_beside_the_table_can_be_stored(tmp_path: Path) -> None:
    frame = dated("2025-03-01", None)
    frame.attrs = {"accounts": ["me@example.com"]}
    table = volume(frame, "D", tz="Europe/Berlin", by="folder")
    table.to_parquet(tmp_path / "volume.parquet")
    again = pd.read_parquet(tmp_path / "volume.parquet")
    assert again.attrs == {
        "accounts": ["me@example.com"], "on": "date", "tz": "Europe/Berlin", "undated": 1,
    }  # fmt: skip
    pd.testing.assert_frame_equal(again, table)


# -- zones


@pytest.mark.parametrize(
    ("day", "before", "after", "hours"),
    [
        ("2025-03-30", "2025-03-29T23:00", "2025-03-30T21:59:59", 23),
        ("2025-10-26", "2025-10-25T22:00", "2025-10-26T22:59:59", 25),
    ],
)
def test_a_day_is_from_midnight_to_midnight_where_clocks_change(
    day: str, before: str, after: str, hours: int
) -> None:
    inside = pd.date_range(before, after, freq="30min", tz="UTC")
    outside = [inside[0] - timedelta(seconds=1), pd.Timestamp(after, tz="UTC") + timedelta(0, 1)]
    frame = dated(*map(str, [*inside, *outside]))
    table = volume(frame, "D", tz="Europe/Berlin")
    assert table["messages"].tolist() == [1, 2 * hours, 1]
    assert str(table["period"].dt.date.iloc[1]) == day
    assert table["period"].diff().iloc[2] == timedelta(hours=hours)
    assert table["period"].dt.hour.tolist() == [0, 0, 0]


def test_the_hour_that_comes_twice_is_two_hours() -> None:
    frame = dated(*[f"2025-10-{t}" for t in ("25T23:30", "26T00:30", "26T01:30", "26T02:30")])
    assert counted(frame, "h", tz="Europe/Berlin") == {
        "2025-10-26 01:00:00+02:00": 1,
        "2025-10-26 02:00:00+02:00": 1,
        "2025-10-26 02:00:00+01:00": 1,
        "2025-10-26 03:00:00+01:00": 1,
    }


def test_the_hour_that_never_comes_is_no_period() -> None:
    frame = dated("2025-03-30T00:30", "2025-03-30T01:30")
    assert list(counted(frame, "h", tz="Europe/Berlin")) == [
        "2025-03-30 01:00:00+01:00", "2025-03-30 03:00:00+02:00",
    ]  # fmt: skip


@pytest.mark.parametrize("tz", ["Asia/Kolkata", "Australia/Lord_Howe", "Asia/Kathmandu"])
def test_no_hour_is_lost_where_zones_are_apart_by_parts_of_it(tz: str) -> None:
    times = pd.date_range("2025-04-05T13:10", "2025-04-05T18:50", freq="10min", tz="UTC")
    table = volume(dated(*map(str, times)), "h", tz=tz)
    assert table["messages"].sum() == len(times)
    assert set(table["period"].diff().dropna()) == {timedelta(hours=1)}
    assert str(table["period"].iloc[0])[14:16] == "00"


@pytest.mark.parametrize(
    ("tz", "dates", "days"),
    [
        # Midnight was skipped, came twice, and was skipped with its whole day.
        ("America/Sao_Paulo", ("2018-11-03T12", "2018-11-05T12"), ["3 00", "4 01", "5 00"]),
        ("America/Havana", ("2018-11-03T12", "2018-11-05T12"), ["3 00", "4 00", "5 00"]),
        ("Pacific/Apia", ("2011-12-29T12", "2011-12-31T12"), ["29 00", "31 00", "1 00"]),
    ],
)
def test_strange_midnights_begin_one_day_each(
    tz: str, dates: tuple[str, str], days: list[str]
) -> None:
    table = volume(dated(*dates), "D", tz=tz)
    assert [f"{start.day} {start.hour:02}" for start in table["period"]] == days
    assert table["messages"].tolist() == [1, 0, 1]


def test_the_sender_s_own_clock_counts_if_asked() -> None:
    frame = headers(
        {"date": "2025-03-01T23:30", "utc_offset": 60},
        {"date": "2025-03-01T23:30", "utc_offset": -300},
        {"date": "2025-03-01T23:30", "utc_offset": None},
    )
    assert counted(frame, tz="sender") == {"2025-03-01 00:00:00": 2, "2025-03-02 00:00:00": 1}
    assert str(volume(frame, "D", tz="sender")["period"].dtype) == "datetime64[us]"
    assert list(counted(frame, "h", tz="sender")) == [
        f"2025-03-0{t}:00:00" for t in ("1 18", "1 19", "1 20", "1 21", "1 22", "1 23", "2 00")
    ]


def test_a_zone_may_be_given_as_an_object() -> None:
    zone = timezone(timedelta(hours=5, minutes=30))
    assert list(counted(dated("2025-03-01T18:30"), tz=zone)) == ["2025-03-02 00:00:00+05:30"]


def test_the_zone_of_this_machine_has_a_name(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", ":Asia/Tokyo")
    table = volume(dated("2025-03-01T15:00"), "D", tz="Local")
    assert table.attrs["tz"] == "Asia/Tokyo"
    assert list(map(str, table["period"])) == ["2025-03-02 00:00:00+09:00"]


def test_a_machine_whose_zone_has_no_name_has_its_rules_all_the_same(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(periods, "_named", lambda _: None)
    table = volume(dated("2025-03-01T12:00", "2025-07-01T12:00"), "M", tz="local")
    assert table["messages"].tolist() == [1, 0, 0, 0, 1]
    assert table.attrs["tz"] == "this computer's time"


# -- groups


def test_every_group_has_every_period() -> None:
    frame = headers(
        {"date": "2025-03-01", "folder": "B", "size": 1},
        {"date": "2025-03-03", "folder": "A", "size": 2},
        {"date": None, "folder": "undated alone"},
    )
    table = volume(frame, "D", by="folder")
    assert list(table.columns) == ["period", "folder", "messages", "size"]
    assert table["folder"].tolist() == ["A", "B"] * 3
    assert table["messages"].tolist() == [0, 1, 0, 0, 1, 0]
    assert table["size"].tolist() == [0, 1, 0, 0, 2, 0]
    assert table["folder"].dtype == "category"


@pytest.mark.parametrize("dtype", ["str", "category"])
@pytest.mark.parametrize(
    ("by", "column", "values", "groups"),
    [
        ("account", "account", ["b@x.example", "a@x.example"], ["a@x.example", "b@x.example"]),
        ("address", "from_address", ["B@x.example", "b@X.example"], ["b@x.example"]),
        ("domain", "from_domain", ["x.example", None], ["x.example", None]),
        ("list", "list_id", ["L.x.example", "l.x.example"], ["l.x.example"]),
        ("subject", "subject", ["b", "B"], ["B", "b"]),
    ],
)
def test_groups_are_text_whatever_the_column_is(
    by: str, column: str, values: list[str | None], groups: list[str | None], dtype: str
) -> None:
    frame = headers(*[{column: value} for value in values]).astype({column: dtype})
    table = volume(frame, "D", by=by)
    assert [None if pd.isna(one) else one for one in table[by]] == groups
    assert table["messages"].sum() == 2
    assert table[by].dtype == dtype


def test_yes_and_no_are_groups_too() -> None:
    table = volume(headers({"seen": True}, {"seen": False}, {"seen": True}), "D", by="seen")
    assert table["seen"].tolist() == [False, True]
    assert table["messages"].tolist() == [1, 2]


def test_frames_of_two_accounts_are_counted_together() -> None:
    one, other = dated("2025-03-01"), dated("2025-03-01", account="you@example.com")
    table = volume(mf.concat([one, other]), "D", by="account")
    assert table["messages"].tolist() == [1, 1]


# -- what cannot be asked


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"freq": "3W"}, "freq='3W' is no length of a period"),
        ({"freq": "min"}, "freq='min' is no"),
        ({"freq": None}, "freq=None is no"),
        ({"tz": "berlin"}, "tz='berlin' is no time zone.\nWhat to do: Perhaps 'Europe/Berlin'"),
        ({"tz": "../../etc/passwd"}, "is no time zone"),
        ({"tz": "Europe"}, "tz='Europe' is no time zone"),
        ({"tz": ""}, "tz='' is no time zone"),
        ({"tz": None}, "tz=None is no time zone"),
        ({"by": "colour"}, "by='colour' is nothing that messages can be grouped by"),
        ({"by": ["folder"]}, r"by=\['folder'\] is nothing"),
        ({"by": "size"}, "by='size' has the name of a column of the result"),
        ({"on": "time"}, "on='time' is no time of a message"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(QueryError, match=words):
        volume(dated("2025-03-01"), **{"freq": "D", **options})


def test_columns_that_are_missing_are_named_all_at_once() -> None:
    with pytest.raises(QueryError, match=r"no columns 'date', 'list_id', 'utc_offset'") as error:
        volume(dated("2025-03-01")[["size"]], "D", by="list", tz="sender")
    assert "session.headers() returns them" in str(error.value)


def test_what_is_no_frame_is_refused() -> None:
    with pytest.raises(QueryError, match="not a Series"):
        volume(dated("2025-03-01")["date"], "D")  # type: ignore[arg-type]


def test_dates_that_are_text_are_refused_with_the_remedy() -> None:
    frame = dated("2025-03-01").astype({"date": "str"})
    with pytest.raises(QueryError, match=r"pd\.to_datetime"):
        volume(frame, "D")


def test_dates_in_other_zones_or_none_are_read() -> None:
    frame = dated("2025-03-01T23:30")
    for times in (
        frame["date"].dt.tz_convert("Europe/Berlin"),
        frame["date"].dt.tz_localize(None),
        frame["date"].dt.as_unit("ns"),
    ):
        pd.testing.assert_frame_equal(volume(frame.assign(date=times), "D"), volume(frame, "D"))


def test_periods_that_no_memory_holds_are_refused() -> None:
    frame = pd.DataFrame({
        "date": pd.to_datetime(["1970-01-01", "2038-01-19"] * 20, utc=True),
        "size": 1,
        "subject": [f"{n}" for n in range(40)],
    })  # fmt: skip
    with pytest.raises(QueryError, match=r"from 1970-01-01 .* to 2038-01-19"):
        volume(frame, "h", by="subject")


def test_the_counts_are_those_of_pandas_own_way() -> None:
    random = np.random.default_rng(5)
    moments = pd.to_datetime(
        random.integers(1_700_000_000, 1_760_000_000, 2000), unit="s", utc=True
    )
    frame = pd.DataFrame({"date": moments.as_unit("us"), "size": random.integers(1, 9999, 2000)})
    local = frame.assign(date=frame["date"].dt.tz_convert("America/New_York")).set_index("date")
    for freq, theirs in (("D", "D"), ("M", "MS"), ("Q", "QS"), ("Y", "YS"), ("W", "W-MON")):
        expected = local["size"].resample(theirs, closed="left", label="left").agg(["size", "sum"])
        table = volume(frame, freq, tz="America/New_York")
        assert table["messages"].tolist() == expected["size"].tolist()
        assert table["size"].tolist() == expected["sum"].tolist()
        assert table["period"].tolist() == expected.index.tolist()


def test_a_whole_headers_frame_will_do() -> None:
    assert volume(schema.empty("headers")).empty


# -- directions


def test_what_was_sent_is_told_from_what_was_received() -> None:
    frame = headers(
        {"date": "2025-03-01", "from_address": "Me@Example.com", "size": 10},
        {"date": "2025-03-02", "from_address": "me+x@example.com", "size": 20},
        {"date": "2025-03-02", "from_address": "ann@example.org", "size": 40},
        {"date": "2025-03-02", "from_address": None, "size": 80},
        {"date": None, "from_address": "me@example.com"},
    )
    table = volume(frame, "D", by="direction")
    assert table["direction"].tolist() == ["received", "sent"] * 2
    assert table["messages"].tolist() == [0, 1, 2, 1]
    assert table["size"].tolist() == [0, 10, 120, 20]
    assert table["direction"].dtype == "category"
    assert table.attrs["undated"] == 1
    others = volume(frame, "Y", by="direction", me=["ann@example.org"])
    assert others["messages"].tolist() == [3, 1]


def test_a_draft_is_neither_sent_nor_received() -> None:
    frame = headers({"from_address": "me@example.com", "draft": True}, {})
    table = volume(frame, "D", by="direction")
    assert dict(zip(table["direction"], table["messages"], strict=True)) == {
        "received": 1, "draft": 1,
    }  # fmt: skip


def test_directions_need_to_know_who_i_am() -> None:
    with pytest.raises(QueryError, match="which addresses are yours"):
        volume(dated("2025-03-01", account="user"), by="direction")
    with pytest.raises(QueryError, match="no column 'from_address'"):
        volume(dated("2025-03-01")[["date", "size"]], by="direction")
    with pytest.raises(QueryError, match="'direction', or a column"):
        volume(dated("2025-03-01"), by="directions")
    assert volume(headers(), by="direction").empty
