"""Hours at work: how much of the time between two moments was business time."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mailframe.analysis.periods import in_zone, zone_of
from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, tzinfo

    from numpy.typing import NDArray

__all__ = ["WEEKDAY", "WEEKDAYS", "BusinessHours"]

WEEKDAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
#: Of a column of them.
WEEKDAY = pd.CategoricalDtype(pd.Index(WEEKDAYS, dtype="str"), ordered=True)

_NUMBERS = {day[:3].lower(): number for number, day in enumerate(WEEKDAYS)}
_TIME = re.compile(r"([01]?[0-9]|2[0-4]):([0-5][0-9])")
_DAY_LONG = 24 * 60  # minutes
_DAY = np.timedelta64(1, "D")
# A date outside of it is a mistake, or spam, and thousands of years have too many days to count.
_MAIL = np.datetime64("1970-01-01", "us"), np.datetime64("2100-01-01", "us")


@dataclass(frozen=True, slots=True)
class BusinessHours:
    """When people are at work.

    Parameters
    ----------
    start, end
        Of a day at work, by the clock on the wall: ``"09:00"``, ``"17:30"``, ``"24:00"``.
    days
        Of the week: ``"Mon-Fri"``, ``"Sun-Thu"``, ``"Mon,Wed,Fri"``, or numbers from 0, Monday.
    tz
        Whose clock: as for `mailframe.analysis.volume`, but for ``"sender"``.
    holidays
        Days on which nobody works: dates, or text like ``"2026-12-25"``.

    Raises
    ------
    QueryError
        For what is no time of day, no weekday, no zone or no date.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> times = mf.analysis.response_times(headers, business=BusinessHours(tz="Europe/Copenhagen"))
    >>> times[times["answered"]][["asked", "time", "business_time"]].head(2)
                          asked            time   business_time
    1 2026-06-30 07:40:49+00:00 0 days 01:33:22 0 days 01:33:22
    2 2026-06-30 06:28:45+00:00 0 days 01:12:04 0 days 00:40:49

    From Friday at 16:00 to Monday at 9:30, there are an hour and a half of business time:

    >>> hours = BusinessHours("09:00", "17:00", tz="Europe/Berlin", holidays=["2025-12-25"])
    >>> friday, monday = pd.to_datetime(["2025-12-19T15:00Z", "2025-12-22T08:30Z"])
    >>> hours.between([friday], [monday])
    array([5400000000], dtype='timedelta64[us]')
    """

    start: str = "09:00"
    end: str = "17:00"
    days: str | Iterable[int | str] = "Mon-Fri"
    tz: str | tzinfo = "UTC"
    holidays: Iterable[date | str] = ()

    def __post_init__(self) -> None:
        if not isinstance(self.days, str):  # what can be read but once is read now
            object.__setattr__(self, "days", tuple(self.days))
        object.__setattr__(self, "holidays", _dates(self.holidays))
        if _minutes(self.start) >= _minutes(self.end):
            raise QueryError(
                f"A day at work from {self.start} to {self.end} has no end.",
                suggestion='The end is later than the start; midnight at the end is "24:00".',
            )
        _weekdays(self.days)
        if zone_of(self.tz).zone is None:
            raise QueryError(
                f"tz={self.tz!r} is nobody's place of work.",
                suggestion='A name like "Europe/Berlin", "UTC" or "local".',
            )

    def between(self, starts: Any, ends: Any) -> NDArray[np.timedelta64]:
        """Return how much business time passed.

        Parameters
        ----------
        starts, ends
            Moments, one each a row: `Series`, `DatetimeIndex`, array or list. Those without a zone
            are in UTC.

        Returns
        -------
        ndarray
            ``timedelta64[us]``. Days are as long as they are on the clock: one on which the clock
            is turned within the hours of work is longer or shorter; before 1970 and after 2099
            nobody works. Less than nothing where the end is before the start; NaT where either is
            not known.
        """
        first, last = _utc(starts), _utc(ends)
        moments = np.concatenate([first, last])
        result = np.full(len(first), np.timedelta64("NaT", "us"), dtype="m8[us]")
        both = ~np.isnat(first) & ~np.isnat(last)
        if not both.any():
            return result
        worked = self._worked(np.where(np.isnat(moments), first[both][0], moments))
        result[both] = (worked[len(first) :] - worked[: len(first)])[both].astype("m8[us]")
        return result

    def _worked(self, moments: NDArray[np.datetime64]) -> NDArray[np.int64]:
        """Return the microseconds of work from the first of these days to each of the moments."""
        moments = np.clip(moments, *_MAIL)
        # No zone is a day or more away from UTC.
        days = np.arange(
            moments.min().astype("M8[D]") - 2 * _DAY, moments.max().astype("M8[D]") + 3 * _DAY
        )
        # A zone may skip a whole day (Samoa had no 30 December 2011): it ends when it begins.
        days = days[:-1][np.diff(self._moments(days, "00:00")) > 0]
        weekmask = [day in _weekdays(self.days) for day in range(7)]
        at_work = np.is_busday(days, weekmask, np.array(self.holidays, dtype="M8[D]"))
        opens, closes = (self._moments(days, clock) for clock in (self.start, self.end))
        long = np.where(at_work, closes - opens, 0)
        before = np.cumsum(long) - long
        moment = moments.astype("M8[us]").astype("int64")
        place = np.searchsorted(opens, moment, side="right") - 1
        worked: NDArray[np.int64] = before[place] + np.minimum(moment - opens[place], long[place])
        return worked

    def _moments(self, days: NDArray[np.datetime64], clock: str) -> NDArray[np.int64]:
        """Return when the clock showed a time, in microseconds of UTC."""
        wall: Any = days.astype("M8[us]") + np.timedelta64(_minutes(clock), "m")
        utc = in_zone(wall, zone_of(self.tz)).tz_convert("UTC").tz_localize(None)
        return utc.to_numpy().astype("M8[us]").astype("int64")


def _utc(moments: Any) -> NDArray[np.datetime64]:
    times = pd.DatetimeIndex(pd.to_datetime(moments, utc=True)).as_unit("us")
    return times.tz_localize(None).to_numpy()


def _minutes(clock: str) -> int:
    found = _TIME.fullmatch(clock.strip()) if isinstance(clock, str) else None
    minutes = int(found[1]) * 60 + int(found[2]) if found else _DAY_LONG + 1
    if minutes > _DAY_LONG:
        raise QueryError(
            f"{clock!r} is no time of day.", suggestion='Hours and minutes: "09:00", "17:30".'
        )
    return minutes


def _weekdays(days: str | Iterable[int | str]) -> frozenset[int]:
    """Read which days of the week are meant."""
    found: set[int] = set()
    for words in days.split(",") if isinstance(days, str) else days:
        first, dash, last = words.partition("-") if isinstance(words, str) else (words, "", words)
        start, end = _weekday(first), _weekday(last if dash else first)
        found.update(day % 7 for day in range(start, end + 1 + 7 * (end < start)))
    if not found:
        raise QueryError("A week has no day at work.", suggestion='days="Mon-Fri".')
    return frozenset(found)


def _weekday(day: int | str) -> int:
    if isinstance(day, str):
        number = _NUMBERS.get(day.strip().lower()[:3], -1)
        if number >= 0 and WEEKDAYS[number].lower().startswith(day.strip().lower()):
            return number
    elif not isinstance(day, bool) and isinstance(day, int | np.integer) and 0 <= day < 7:  # noqa: PLR2004
        return int(day)
    raise QueryError(
        f"{day!r} is no day of the week.",
        suggestion='"Mon-Fri", "Mon,Wed,Fri", or numbers from 0 (Monday) to 6.',
    )


def _dates(holidays: Iterable[date | str]) -> tuple[date, ...]:
    days = () if isinstance(holidays, str) else holidays  # the letters of a text are no days
    found: set[Any]
    try:
        found = {pd.Timestamp(day).date() for day in days}
    except (TypeError, ValueError):
        found = {None}
    if isinstance(holidays, str) or any(day is None or pd.isna(day) for day in found):
        raise QueryError(
            f"holidays={holidays!r} are no dates.",
            suggestion='A list of dates, or of text like "2026-12-25".',
        )
    return tuple(sorted(found))
