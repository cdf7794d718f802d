"""Hours at work, over weekends, holidays and turned clocks."""

from __future__ import annotations

from datetime import date
from typing import Any

import numpy as np
import pandas as pd
import pytest

from mailframe.analysis.business import BusinessHours
from mailframe.exceptions import QueryError


def hours(office: BusinessHours, start: str, end: str) -> float:
    return float(office.between([pd.Timestamp(start)], [pd.Timestamp(end)])[0] / pd.Timedelta("1h"))


@pytest.mark.parametrize(
    ("start", "end", "expected"),
    [
        ("2025-03-03T10:00", "2025-03-03T12:30", 2.5),
        ("2025-03-03T07:00", "2025-03-03T08:00", 0),
        ("2025-03-03T07:00", "2025-03-03T09:30", 0.5),
        ("2025-03-03T16:00", "2025-03-04T10:00", 2),
        ("2025-03-07T16:00", "2025-03-10T10:00", 2),  # over a weekend
        ("2025-03-08T10:00", "2025-03-09T20:00", 0),  # within it
        ("2025-03-03T00:00", "2025-03-17T00:00", 80),
        ("2025-03-03T12:00", "2025-03-03T12:00", 0),
        ("2025-03-04T10:00", "2025-03-03T16:00", -2),
    ],
)
def test_only_hours_at_work_count(start: str, end: str, expected: float) -> None:
    assert hours(BusinessHours(), start, end) == expected


def test_holidays_are_not_worked() -> None:
    for holidays in (["2025-03-04"], [date(2025, 3, 4)], pd.DatetimeIndex(["2025-03-04"])):
        office = BusinessHours(holidays=holidays)
        assert hours(office, "2025-03-03T16:00", "2025-03-05T10:00") == 2


@pytest.mark.parametrize(
    ("days", "worked"),
    [
        ("Mon-Fri", "01234"),
        ("Sun-Thu", "01236"),
        ("sat-sun", "56"),
        ("Monday, Wed,fri", "024"),
        ([0, 6], "06"),
        (["Tue", np.int64(3)], "13"),
    ],
)
def test_days_of_the_week_have_names_and_numbers(days: Any, worked: str) -> None:
    office = BusinessHours(days=days)
    monday = pd.date_range("2025-03-03", periods=7, freq="D", tz="UTC")
    spent = office.between(monday, monday + pd.Timedelta("1D"))
    assert [str(day) for day in range(7) if spent[day]] == list(worked)


@pytest.mark.parametrize(
    ("tz", "around"),
    [
        ("Europe/Berlin", "2025-03-30"),  # 02:00 to 03:00 was skipped
        ("Europe/Berlin", "2025-10-26"),  # and came twice
        ("America/Sao_Paulo", "2018-11-04"),  # midnight was skipped
        ("America/Havana", "2018-11-04"),  # and came twice
        ("Australia/Lord_Howe", "2025-04-06"),  # half an hour
        ("Pacific/Apia", "2011-12-30"),  # the whole day was skipped
    ],
)
@pytest.mark.parametrize("times", ["00:00-24:00", "09:00-17:30", "1:00-5:00"])
def test_the_minutes_are_those_that_a_clock_on_the_wall_shows(
    tz: str, around: str, times: str
) -> None:
    start, end = times.split("-")
    first_day, holiday = (pd.Timestamp(around) + pd.Timedelta(days=days) for days in (-5, 2))
    office = BusinessHours(start, end, days="Fri-Mon", tz=tz, holidays=[holiday])
    minutes = pd.date_range(first_day, periods=10 * 1440, freq="min", tz="UTC")
    clock = minutes.tz_convert(tz)
    low, high = (int(at.split(":")[0]) * 60 + int(at.split(":")[1]) for at in (start, end))
    of_day = clock.hour * 60 + clock.minute
    worked = (of_day >= low) & (of_day < high) & clock.day_of_week.isin([4, 5, 6, 0])
    worked &= clock.strftime("%Y-%m-%d") != str(holiday.date())
    before = np.append(0, np.cumsum(worked))
    random = np.random.default_rng(3)
    first, last = random.integers(0, len(minutes), (2, 500))
    expected = before[last] - before[first]
    spent = office.between(minutes[first], minutes[last])
    assert (spent / np.timedelta64(1, "m")).tolist() == expected.tolist()


def test_what_is_not_known_stays_so() -> None:
    moments = pd.Series(pd.to_datetime(["2025-03-03T10:00", None], utc=True), index=[7, 7])
    spent = BusinessHours().between(moments, moments.iloc[::-1])
    assert np.isnat(spent).all()
    assert spent.dtype == "m8[us]"
    assert len(BusinessHours().between([], [])) == 0


def test_the_earliest_and_latest_times_of_computers_count() -> None:
    office = BusinessHours(tz="Asia/Tokyo")
    weeks = (pd.Timestamp("2038-01-19") - pd.Timestamp("1970-01-01")).days / 7
    assert hours(office, "1970-01-01", "2038-01-19") == pytest.approx(weeks * 40, abs=40)


def test_nobody_works_before_there_was_mail_or_long_after_us() -> None:
    office = BusinessHours(tz="Asia/Tokyo")
    whole = hours(office, "1970-01-01", "2100-01-01")
    assert hours(office, "0001-01-01", "9999-12-31T23:59") == whole
    assert hours(office, "0001-01-01", "1970-01-01") == 0


def test_hours_are_values() -> None:
    one = BusinessHours(days=iter([0, 1]), holidays=iter(["2025-12-25"]))
    assert one == BusinessHours(days=(0, 1), holidays=(date(2025, 12, 25),))
    assert hash(one) == hash(BusinessHours(days=[0, 1], holidays=["2025-12-25"]))


@pytest.mark.parametrize(
    ("options", "words"),
    [
        ({"start": "9"}, "'9' is no time of day"),
        ({"start": "25:00"}, "'25:00' is no time of day"),
        ({"end": "24:01"}, "'24:01' is no time of day"),
        ({"end": 17}, "17 is no time of day"),
        ({"start": "17:00", "end": "09:00"}, "from 17:00 to 09:00 has no end"),
        ({"days": "Mon-Fry"}, "'Fry' is no day of the week"),
        ({"days": [7]}, "7 is no day"),
        ({"days": [True]}, "True is no day"),
        ({"days": []}, "no day at work"),
        ({"tz": "sender"}, "nobody's place of work"),
        ({"tz": "Berlin"}, "tz='Berlin' is no time zone"),
        ({"holidays": "2025-12-25"}, "are no dates"),
        ({"holidays": ["Christmas"]}, "are no dates"),
        ({"holidays": [None]}, "are no dates"),
    ],
)
def test_what_makes_no_sense_is_refused(options: dict[str, Any], words: str) -> None:
    with pytest.raises(QueryError, match=words):
        BusinessHours(**options)
