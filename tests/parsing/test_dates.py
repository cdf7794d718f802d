"""Dates are read as sent, or not at all."""

from __future__ import annotations

import json
from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.parsing import parse_date
from mailframe.parsing.headers import iter_fields

if TYPE_CHECKING:
    from pathlib import Path


def at(*fields: int, offset: int = 0) -> datetime:
    year, month, day, hour, minute, second = fields
    zone = timezone(timedelta(minutes=offset))
    return datetime(year, month, day, hour, minute, second, tzinfo=zone)


@pytest.mark.parametrize(
    ("text", "moment", "offset"),
    [
        ("Fri, 21 Nov 1997 09:55:06 -0600", at(1997, 11, 21, 9, 55, 6, offset=-360), -360),
        ("21 Nov 1997 09:55 +0530 (IST)", at(1997, 11, 21, 9, 55, 0, offset=330), 330),
        ("Fri, 21 Nov 1997 09:55:06 EDT", at(1997, 11, 21, 9, 55, 6, offset=-240), -240),
        ("Fri, 21 Nov 1997 09:55:06 GMT", at(1997, 11, 21, 9, 55, 6), 0),
        ("Fri, 21 Nov 1997 09:55:06 -0000", at(1997, 11, 21, 9, 55, 6), None),
        ("Fri, 21 Nov 1997 09:55:06 A", at(1997, 11, 21, 9, 55, 6), None),
        ("Fri, 21 Nov 1997 09:55:06 CEST", at(1997, 11, 21, 9, 55, 6), None),
        ("Fri, 21 Nov 1997 09:55:06", at(1997, 11, 21, 9, 55, 6), None),
        ("Fri Nov 21 09:55:06 1997", at(1997, 11, 21, 9, 55, 6), None),
        ("Fri Nov 21 09:55:06 EST 1997", at(1997, 11, 21, 9, 55, 6, offset=-300), -300),
        ("1997-11-21T09:55:06+01:00", at(1997, 11, 21, 9, 55, 6, offset=60), 60),
        ("31 Dec 2016 23:59:60 +0000", at(2017, 1, 1, 0, 0, 0), 0),
    ],
)
def test_a_date_is_read(text: str, moment: datetime, offset: int | None) -> None:
    assert parse_date(text) == (moment, offset, None)


@pytest.mark.parametrize(
    ("year", "meant", "defect"),
    [
        ("97", 1997, "two-digit year"),
        ("49", 2049, "two-digit year"),
        ("102", 2002, "three-digit year"),
    ],
)
def test_a_short_year_is_read_and_noted(year: str, meant: int, defect: str) -> None:
    moment, _, noted = parse_date(f"21 Nov {year} 09:55:06 +0000")
    assert moment == at(meant, 11, 21, 9, 55, 6)
    assert noted == defect


@pytest.mark.parametrize(
    "text",
    [
        "",
        "yesterday",
        "31 Feb 2024 10:00:00 +0000",
        "Mon, 1 Jan 2024 25:00:00 +0000",
        "1 Jan 0001 00:00:00 +0200",
        "31 Dec 9999 23:59:59 -1200",
        "1 Jan 2024",
    ],
)
def test_an_impossible_date_is_none_and_noted(text: str) -> None:
    assert parse_date(text) == (None, None, f"unreadable date: {text}")


def test_an_impossible_zone_is_noted() -> None:
    moment, offset, defect = parse_date("1 Jan 2024 10:00:00 +9999")
    assert (moment, offset, defect) == (at(2024, 1, 1, 10, 0, 0), None, "impossible zone in date")


@given(st.text())
def test_no_text_makes_it_raise(text: str) -> None:
    parse_date(text)


@given(
    st.datetimes(datetime(1900, 1, 2), datetime(9999, 12, 30)),  # noqa: DTZ001 - zone below
    st.integers(-1439, 1439),
)
def test_what_the_rfc_writes_is_read_back(moment: datetime, offset: int) -> None:
    sent = moment.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=offset)))
    text = sent.strftime(f"%a, %d %b {sent.year:04d} %H:%M:%S %z")
    got, minutes, defect = parse_date(text)
    assert got == sent
    assert defect is None
    assert minutes == (offset or (None if "-0000" in text else 0))
    assert got.astimezone(UTC) == sent


def test_date_vectors_hold(corpora: Path) -> None:
    vectors = json.loads((corpora / "headers" / "date.json").read_text("utf-8"))
    for vector in vectors:
        (_, value), *_ = iter_fields(b"Date: " + vector["header"].encode())[0]
        moment, _, _ = parse_date(value)
        expected = vector["expected"]
        if expected is None:
            assert moment is None, value
            continue
        sign = -1 if expected["tz_before_gmt"] else 1
        names = ("year", "month", "day", "hour", "minute", "second")
        offset = sign * (expected["tz_hour"] * 60 + expected["tz_minute"])
        wanted = at(*(expected[name] for name in names), offset=offset)
        assert moment is not None, value
        assert (moment, moment.utcoffset()) == (wanted, wanted.utcoffset()), value
