"""Which stretch of time is meant, and which one is put beside it."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pandas as pd
import pytest

from mailframe.analysis.periods import zone_of
from mailframe.analysis.spans import span_of
from mailframe.exceptions import QueryError

BERLIN = zone_of("Europe/Berlin")
NOW = pd.Timestamp("2026-11-23 15:00", tz="UTC")
LATER = pd.Timestamp("2027-06-01", tz="UTC")


def told(period: Any, now: pd.Timestamp = NOW) -> list[str]:
    """Return when it begins and ends, by the clock in Berlin, and the same of the one before."""
    span = span_of(period, now, BERLIN)
    assert all(str(moment.tz) == "Europe/Berlin" for moment in span if not isinstance(moment, str))
    moments = (span.begin, span.end, span.before_begin, span.before_end)
    return [f"{moment:%Y-%m-%d %H:%M}".removesuffix(" 00:00") for moment in moments]


@pytest.mark.parametrize(
    ("period", "begin", "end", "before"),
    [
        ("yesterday", "2026-11-22", "2026-11-23", "2026-11-21"),
        ("last-day", "2026-11-22", "2026-11-23", "2026-11-21"),
        ("last-week", "2026-11-16", "2026-11-23", "2026-11-09"),
        ("last-month", "2026-10-01", "2026-11-01", "2026-09-01"),
        ("Last Month", "2026-10-01", "2026-11-01", "2026-09-01"),
        ("last_quarter", "2026-07-01", "2026-10-01", "2026-04-01"),
        ("last-year", "2025-01-01", "2026-01-01", "2024-01-01"),
        ("2026", "2026-01-01", "2027-01-01", "2025-01-01"),
        ("2026-Q1", "2026-01-01", "2026-04-01", "2025-10-01"),
        ("2026q1", "2026-01-01", "2026-04-01", "2025-10-01"),
        ("2026-01", "2026-01-01", "2026-02-01", "2025-12-01"),
        ("2026-W01", "2025-12-29", "2026-01-05", "2025-12-22"),
        ("2026-02-28", "2026-02-28", "2026-03-01", "2026-02-27"),
        (("2026-10-01", "2026-11-01"), "2026-10-01", "2026-11-01", "2026-08-31"),
        ((date(2026, 3, 1), date(2026, 4, 1)), "2026-03-01", "2026-04-01", "2026-01-29"),
    ],
)
def test_a_period_is_followed_to_the_one_before(
    period: Any, begin: str, end: str, before: str
) -> None:
    assert told(period, LATER if period == "2026" else NOW) == [begin, end, before, begin]


@pytest.mark.parametrize(
    ("period", "begin", "before"),
    [
        ("30d", "2026-10-24 16:00", "2026-09-24 16:00"),
        ("6m", "2026-05-23 16:00", "2025-11-23 15:00"),
        ("1y", "2025-11-23 16:00", "2024-11-23 16:00"),
        ("12h", "2026-11-23 04:00", "2026-11-22 16:00"),
        (timedelta(days=3), "2026-11-20 16:00", "2026-11-17 16:00"),
    ],
)
def test_an_age_goes_back_from_now(period: Any, begin: str, before: str) -> None:
    assert told(period) == [begin, "2026-11-23 16:00", before, begin]


def test_what_has_not_ended_is_compared_as_far_as_it_has_gone() -> None:
    assert told("this-month") == ["2026-11-01", "2026-11-23 16:00", "2026-10-01",
                                  "2026-10-23 16:00"]  # fmt: skip
    assert told("today") == ["2026-11-23", "2026-11-23 16:00", "2026-11-22", "2026-11-22 16:00"]


def test_what_is_still_to_come_is_cut_off_and_as_much_before() -> None:
    assert told("2026-11") == told("this-month")
    assert told(("2026-11-21", "2026-11-25")) == [
        "2026-11-21", "2026-11-23 16:00", "2026-11-17", "2026-11-19 16:00"]  # fmt: skip


def test_the_month_before_a_longer_one_ends_where_that_begins() -> None:
    late = pd.Timestamp("2026-03-30 12:00", tz="UTC")  # there is no 30 February
    assert told("this-month", late)[2:] == ["2026-02-01", "2026-03-01"]


def test_a_day_is_from_midnight_to_midnight_where_clocks_change() -> None:
    span = span_of("2026-10-25", NOW, BERLIN)
    assert span.end - span.begin == pd.Timedelta(25, "h")
    span = span_of(("2026-03-29", "2026-03-30"), NOW, BERLIN)
    assert span.end - span.begin == pd.Timedelta(23, "h")
    assert span.before_end - span.before_begin == pd.Timedelta(24, "h")


def test_the_zone_decides_which_day_it_is() -> None:
    late = pd.Timestamp("2026-10-31 23:30", tz="UTC")
    assert span_of("last-month", late, BERLIN).name == "October 2026"
    assert span_of("last-month", late, zone_of("America/New_York")).name == "September 2026"


@pytest.mark.parametrize(
    ("period", "name", "before"),
    [
        ("last-month", "October 2026", "September 2026"),
        ("2026-Q1", "Q1 2026", "Q4 2025"),
        ("2026-W01", "week 1 of 2026", "week 52 of 2025"),
        ("2026-02-28", "28 February 2026", "27 February 2026"),
        ("2025", "2025", "2024"),
        ("2026", "2026, so far", "2025, as far"),
        ("this-year", "2026, so far", "2025, as far"),
        ("30d", "the last 30 days", "the 30 days before"),
        ("1y", "the last year", "the year before"),
        (timedelta(days=3), "the last 3 days", "the 3 days before"),
        (timedelta(minutes=90), "the last 1.5 hours", "the 1.5 hours before"),
        (timedelta(minutes=20), "the last 20 minutes", "the 20 minutes before"),
        (("2026-10-01", "2026-11-01"), "2026-10-01 to 2026-10-31", "2026-08-31 to 2026-09-30"),
        (("2026-10-05", "2026-10-06"), "2026-10-05", "2026-10-04"),
        (
            ("2026-10-05T08:00", "2026-10-05T12:00"),
            "2026-10-05 08:00 to 2026-10-05 12:00",
            "2026-10-05 04:00 to 2026-10-05 08:00",
        ),
        (timedelta(minutes=1), "the last minute", "the minute before"),
    ],
)
def test_a_period_has_a_name(period: Any, name: str, before: str) -> None:
    span = span_of(period, NOW, BERLIN)
    assert (span.name, span.before) == (name, before)


def test_a_moment_may_have_a_zone_of_its_own() -> None:
    assert told(("2026-10-01T00:00Z", "2026-10-02T00:00+09:00"))[:2] == [
        "2026-10-01 02:00", "2026-10-01 17:00"]  # fmt: skip


@pytest.mark.parametrize(
    "period",
    ["", "x", "last", "last-decade", "2026-13", "2026-W60", "2026-02-30", "0d", "99999999y", 5,
     True, b"2026", (), (1, 2), ("2026-01-01",), ("x", "y"), (None, None), timedelta(0),
     timedelta(days=-1), timedelta.max, "9999", "0001", ("0001-01-02", "9999-12-31"), "now",
     ("2026-11-01", "now"), ["2026-01-01", "2026-01-02", "2026-01-03"]],
)  # fmt: skip
def test_what_says_no_time_is_refused_with_what_does(period: Any) -> None:
    with pytest.raises(QueryError, match='"last-month"'):
        span_of(period, NOW, BERLIN)


def test_what_ends_before_it_begins_is_refused() -> None:
    with pytest.raises(QueryError, match="ends before it begins"):
        span_of(("2026-11-01", "2026-10-01"), NOW, BERLIN)


def test_each_senders_own_time_has_no_midnight() -> None:
    with pytest.raises(QueryError, match="Europe/Berlin"):
        span_of("last-month", NOW, zone_of("sender"))
