"""The values of FETCH items."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta, timezone
from typing import TYPE_CHECKING

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from mailframe.imap.items import (
    read_flags,
    read_internal_date,
    read_number,
    read_string,
    write_internal_date,
)

if TYPE_CHECKING:
    from mailframe.imap.responses import Token


@pytest.mark.parametrize(
    ("text", "moment"),
    [
        (b"17-Jul-1996 02:44:25 -0700", datetime(1996, 7, 17, 9, 44, 25, tzinfo=UTC)),
        (b" 1-Feb-2026 00:00:00 +0000", datetime(2026, 2, 1, tzinfo=UTC)),
        (b"1-feb-2026 00:00:00 +0000", datetime(2026, 2, 1, tzinfo=UTC)),
        (b"01-FEB-2026 05:45:00 +0545", datetime(2026, 2, 1, tzinfo=UTC)),
        (b"29-Feb-2024 23:59:59 +1400", datetime(2024, 2, 29, 9, 59, 59, tzinfo=UTC)),
    ],
)
def test_an_internal_date_is_a_moment(text: bytes, moment: datetime) -> None:
    assert read_internal_date(text) == moment


def test_an_internal_date_keeps_the_servers_zone() -> None:
    read = read_internal_date(b"17-Jul-1996 02:44:25 -0730")
    assert read is not None
    assert read.tzinfo == timezone(timedelta(hours=-7, minutes=-30))


@pytest.mark.parametrize(
    "token",
    [
        None,
        [],
        b"",
        b"NIL",
        b"17-Jul-1996",
        b"17-Jul-1996 02:44:25",
        b"32-Jul-1996 02:44:25 +0000",
        b"29-Feb-2025 02:44:25 +0000",
        b"17-Foo-1996 02:44:25 +0000",
        b"17-Jul-0000 02:44:25 +0000",
        b"17-Jul-1996 24:44:25 +0000",
        b"17-Jul-1996 02:44:25 +9900",
        b"17-Jul-1996 02:44:25 +0000 ",
        "17-Jul-1996 02:44:2\N{ARABIC-INDIC DIGIT FIVE} +0000".encode(),
    ],
)
def test_what_is_no_date_is_none(token: Token) -> None:
    assert read_internal_date(token) is None


def test_flags_are_as_spelled_without_recent() -> None:
    token: Token = [b"\\Seen", b"\\Recent", b"$Junk", b"\\RECENT", b"NonJunk"]
    assert read_flags(token) == ("\\Seen", "$Junk", "NonJunk")


@pytest.mark.parametrize("token", [None, b"\\Seen", [], [None, []], [b""]])
def test_what_is_no_list_of_flags_has_none(token: Token) -> None:
    assert read_flags(token) == ()


def test_numbers_and_strings_come_from_bytes_alone() -> None:
    assert read_number(b"4286") == 4286
    assert [read_number(token) for token in (None, [], b"", b"-1", b"x", b"1.5")] == [None] * 6
    assert (read_string(b"x"), read_string(None), read_string([b"x"])) == (b"x", b"", b"")


def test_an_absurd_number_is_none() -> None:
    assert read_number(b"9" * 5000) is None


@settings(derandomize=True, deadline=None)
@given(st.recursive(st.none() | st.binary(), st.lists))
def test_no_token_makes_them_raise(token: Token) -> None:
    read_flags(token)
    read_internal_date(token)
    read_number(token)
    read_string(token)


@pytest.mark.parametrize(
    ("when", "written"),
    [
        (datetime(2026, 1, 5, 9, 3, 7, tzinfo=UTC), b" 5-Jan-2026 09:03:07 +0000"),
        (datetime(2026, 12, 31, 23, 59, 59, 999_999, tzinfo=UTC), b"31-Dec-2026 23:59:59 +0000"),
        (datetime(1, 2, 3, tzinfo=UTC), b" 3-Feb-0001 00:00:00 +0000"),
        (datetime(9999, 5, 10, tzinfo=UTC), b"10-May-9999 00:00:00 +0000"),
        (
            datetime(2026, 8, 5, tzinfo=timezone(timedelta(hours=5.75))),
            b" 5-Aug-2026 00:00:00 +0545",
        ),
        (
            datetime(2026, 9, 5, tzinfo=timezone(-timedelta(hours=9.5))),
            b" 5-Sep-2026 00:00:00 -0930",
        ),
        # Of Amsterdam before 1937: an INTERNALDATE has no seconds there.
        (
            datetime(1930, 3, 5, tzinfo=timezone(timedelta(minutes=19, seconds=32))),
            b" 5-Mar-1930 00:00:00 +0019",
        ),
    ],
)
def test_an_internal_date_is_written_as_servers_read_it(when: datetime, written: bytes) -> None:
    assert write_internal_date(when) == written


@settings(derandomize=True, deadline=None)
@given(
    st.datetimes(datetime(1, 1, 3), datetime(9999, 12, 29)),  # noqa: DTZ001 the zone comes next
    st.integers(-23 * 60, 23 * 60),
)
def test_an_internal_date_that_is_written_can_be_read(when: datetime, minutes: int) -> None:
    aware = when.replace(microsecond=0, tzinfo=timezone(timedelta(minutes=minutes)))
    read = read_internal_date(write_internal_date(aware))
    assert read == aware
    assert read is not None
    assert read.utcoffset() == aware.utcoffset()


def test_months_are_english_in_every_country(monkeypatch: pytest.MonkeyPatch) -> None:
    # strftime's %b would be the locale's.
    monkeypatch.setattr("calendar.month_abbr", ["", *("x" * 12)])
    names = [write_internal_date(datetime(2026, n, 1, tzinfo=UTC))[3:6] for n in range(1, 13)]
    assert b" ".join(names) == b"Jan Feb Mar Apr May Jun Jul Aug Sep Oct Nov Dec"
