"""Dates are read as sent, or not at all."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone

import pytest
from hypothesis import given
from hypothesis import strategies as st

from mailframe.parsing import parse_date


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
        ("Fri, 21 Nov 1997 09:55:06", at(1997, 11, 21, 9, 55, 6), None),
        ("Fri Nov 21 09:55:06 1997", at(1997, 11, 21, 9, 55, 6), None),
        ("Fri Nov 21 09:55:06 EST 1997", at(1997, 11, 21, 9, 55, 6, offset=-300), -300),
        ("1997-11-21T09:55:06+01:00", at(1997, 11, 21, 9, 55, 6, offset=60), 60),
        ("31 Dec 2016 23:59:60 +0000", at(2017, 1, 1, 0, 0, 0), 0),
        ("31 Dec 2016 24:00:00 +0000", at(2017, 1, 1, 0, 0, 0), 0),
        ("Fri, 21 Nov 1997 09(comment):   55  :  06 GMT", at(1997, 11, 21, 9, 55, 6), 0),
        ("Fri, 21 Nov 1997 9:55:06 PM GMT", at(1997, 11, 21, 21, 55, 6), 0),
        ("Fri, 21 Nov 1997 12:55:06 AM GMT", at(1997, 11, 21, 0, 55, 6), 0),
        ("Fri, 21 Nov 1997 12:55:06 p.m. GMT", at(1997, 11, 21, 12, 55, 6), 0),
        ("Fri, 21 Nov 1997 09:55:06 GMT+1", at(1997, 11, 21, 9, 55, 6, offset=60), 60),
        ("Fri, 21 Nov 1997 09:55:06 -6", at(1997, 11, 21, 9, 55, 6, offset=-360), -360),
        ("Friday, November 21st, 1997 9:55 PM", at(1997, 11, 21, 21, 55, 0), None),
        ("Fri, Nov 21 1997 09:55:06 +0000", at(1997, 11, 21, 9, 55, 6), 0),
        ("Date: Fri, 21 Nov 1997 09:55:06 +0000", at(1997, 11, 21, 9, 55, 6), 0),
        ("1997/11/21 09:55:06", at(1997, 11, 21, 9, 55, 6), None),
        ("19971121T095506Z", at(1997, 11, 21, 9, 55, 6), 0),
        ("21.11.1997 09:55:06", at(1997, 11, 21, 9, 55, 6), None),
        ("03.04.1997 09:55:06", at(1997, 4, 3, 9, 55, 6), None),
        ("21/11/1997 09:55:06", at(1997, 11, 21, 9, 55, 6), None),
        ("11/21/1997 09:55:06", at(1997, 11, 21, 9, 55, 6), None),
        ("Fr, 5 Dez 1997 09:55:06 +0000", at(1997, 12, 5, 9, 55, 6), 0),
        ("5 März 1997 09:55:06 +0000", at(1997, 3, 5, 9, 55, 6), 0),
        ("5 =?utf-8?q?M=C3=A4rz?= 1997 09:55:06 +0000", at(1997, 3, 5, 9, 55, 6), 0),
        ("ven., 5 juin 1997 09:55:06 +0000", at(1997, 6, 5, 9, 55, 6), 0),
        ("5 juil. 1997 09:55:06 +0000", at(1997, 7, 5, 9, 55, 6), 0),
        ("5 de diciembre de 1997 09:55:06 +0000", at(1997, 12, 5, 9, 55, 6), 0),
        ("5 октября 1997 09:55:06 +0000", at(1997, 10, 5, 9, 55, 6), 0),
        ("1997年12月5日 09:55:06 +0000", at(1997, 12, 5, 9, 55, 6), 0),
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
        ("0102", 2002, "three-digit year"),
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
        "Mon, 01 Jan 0001 00:00:00 +0000",
        "31 Dec 2016 24:00:01 +0000",
        "04/05/2024 10:00:00",
        "5 lis 2024 10:00:00",
        "1701770400",
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
    st.datetimes(datetime(1900, 1, 2), datetime(2261, 12, 30)),  # noqa: DTZ001 - zone below
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


@pytest.mark.parametrize("zone", ["CEST", "JST", "Eastern"])
def test_a_zone_that_means_several_things_is_told(zone: str) -> None:
    # RFC 5322 section 4.3: such names are read like -0000.
    moment, offset, defect = parse_date(f"Fri, 21 Nov 1997 09:55:06 {zone}")
    assert (moment, offset) == (datetime(1997, 11, 21, 9, 55, 6, tzinfo=UTC), None)
    assert defect == f"unknown zone {zone} in date"
