"""Stretches of time that reports are about: ``"last-month"``, ``"2026-10"``, ``"30d"``."""

from __future__ import annotations

import re
from collections.abc import Sequence
from datetime import date, timedelta
from typing import TYPE_CHECKING, Any, NamedTuple, TypeAlias

import pandas as pd

from mailframe.analysis.exchanges import moment_of
from mailframe.analysis.periods import in_zone
from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from mailframe.analysis.periods import Zone

__all__ = ["Period", "Span", "span_of"]

#: How a user says which time is meant; None: all of it.
Period: TypeAlias = str | timedelta | tuple[str | date, str | date] | None

# What a unit of the calendar is for pandas: weeks are from Monday (ISO 8601).
_UNITS = {"day": "D", "week": "W-SUN", "month": "M", "quarter": "Q", "year": "Y"}
_DAYS = {"today": "this-day", "yesterday": "last-day"}
_RELATIVE = re.compile(rf"(last|this)[-_ ]({'|'.join(_UNITS)})")
_NAMED = (
    (re.compile(r"\d{4}"), "Y"),
    (re.compile(r"\d{4}-?Q[1-4]"), "Q"),
    (re.compile(r"\d{4}-\d{2}"), "M"),
    (re.compile(r"\d{4}-\d{2}-\d{2}"), "D"),
)
_WEEK = re.compile(r"(\d{4})-?W(\d{2})")
_AGE = re.compile(r"(\d+)\s*([a-z]+)")
_SPELT = {"h": "hour", "d": "day", "w": "week", "m": "month", "y": "year"}
_ENDS = 2
_FIRST, _BEYOND = (pd.Timestamp(f"{year}-01-01", tz="UTC") for year in (1970, 2200))


class Span(NamedTuple):
    """A stretch of time, and the one before it.

    Attributes
    ----------
    begin, end
        It is from the first, and before the second.
    name
        ``"October 2026"``.
    before_begin, before_end
        Of the one before.
    before
        Its name.
    """

    begin: pd.Timestamp
    end: pd.Timestamp
    name: str
    before_begin: pd.Timestamp
    before_end: pd.Timestamp
    before: str


def span_of(period: Period, now: pd.Timestamp, zone: Zone) -> Span:
    """Read which time is meant.

    Parameters
    ----------
    period
        ``"last-month"``, ``"this-month"`` (until now), or the same with ``day``, ``week``,
        ``quarter`` or ``year``; ``"today"``, ``"yesterday"``; ``"2026"``, ``"2026-Q3"``,
        ``"2026-10"``, ``"2026-W41"`` (ISO 8601) or ``"2026-10-05"``; an age, ``"30d"``, ``"6m"``,
        ``"1y"``, or a timedelta, until now; or two moments, from the first until the second.
    now
        With a zone.
    zone
        Whose midnight ends a day.

    Returns
    -------
    Span
        The time before is the same unit of the calendar before, as far as it had gone by then for
        ``"this-…"``; else it is as long.

    Raises
    ------
    QueryError
        For what says no time, or one that ends before it begins.

    Examples
    --------
    >>> from mailframe.analysis.periods import zone_of
    >>> now = pd.Timestamp("2026-11-23 15:00", tz="UTC")
    >>> span = span_of("last-month", now, zone_of("Europe/Berlin"))
    >>> span.name, str(span.begin), span.before
    ('October 2026', '2026-10-01 00:00:00+02:00', 'September 2026')
    """
    if zone.zone is None:
        raise QueryError(
            "tz='sender' has no midnight of its own.", suggestion='A name like "Europe/Berlin".'
        )
    now = now.tz_convert(zone.zone)
    try:
        span = _read(period, now, zone)
        if not (span.begin >= _FIRST and span.end <= _BEYOND):
            raise _unknown(period)
    except (ValueError, OverflowError, NotImplementedError) as error:  # pandas knows 584 years
        raise error if isinstance(error, QueryError) else _unknown(period) from error
    return _until(span, now)


def _read(period: object, now: pd.Timestamp, zone: Zone) -> Span:
    if isinstance(period, str):
        return _in_words(period, now, zone)
    if isinstance(period, timedelta) and period > timedelta(0):
        return _ago(now, now - period, now - 2 * period, _length(period))
    if isinstance(period, Sequence) and len(period) == _ENDS:
        begin, end = (_moment(one, zone) for one in period)
        if not begin < end:
            raise QueryError(
                f"period={period!r} ends before it begins.", suggestion="The earlier moment first."
            )
        return _between(begin, end, zone)
    raise _unknown(period)


def _until(span: Span, now: pd.Timestamp) -> Span:
    """Cut off what is still to come, and as much of the time before."""
    if not span.begin < now < span.end:
        return span
    before_end = min(span.before_begin + (now - span.begin), span.before_end)
    name, before = f"{span.name}, so far", f"{span.before}, as far"
    return Span(span.begin, now, name, span.before_begin, before_end, before)


def _in_words(period: str, now: pd.Timestamp, zone: Zone) -> Span:
    words = period.strip()
    relative = _RELATIVE.fullmatch(_DAYS.get(words.lower(), words.lower()))
    if relative is not None:
        unit: Any = pd.Period(now.tz_localize(None), _UNITS[relative[2]])
        return _calendar(unit if relative[1] == "this" else unit - 1, zone)
    week = _WEEK.fullmatch(words.upper())
    freq = next((freq for form, freq in _NAMED if form.fullmatch(words.upper())), None)
    try:
        if week is not None:
            day = date.fromisocalendar(int(week[1]), int(week[2]), 1)
            return _calendar(pd.Period(day, _UNITS["week"]), zone)
        if freq is not None:
            return _calendar(pd.Period(words.upper().replace("-Q", "Q"), freq), zone)
        age = _AGE.fullmatch(words.lower())
        if age is not None and int(age[1]):
            begin = moment_of("period", age[0], now)
            return _ago(now, begin, moment_of("period", age[0], begin), _spelt(*age.groups()))
    except (ValueError, QueryError) as error:
        raise _unknown(period) from error
    raise _unknown(period)


def _calendar(unit: Any, zone: Zone) -> Span:
    starts = [_start(one, zone) for one in (unit - 1, unit, unit + 1)]
    return Span(starts[1], starts[2], _name(unit), starts[0], starts[1], _name(unit - 1))


def _ago(now: pd.Timestamp, begin: pd.Timestamp, before: pd.Timestamp, words: str) -> Span:
    begin, before = begin.tz_convert(now.tz), before.tz_convert(now.tz)
    return Span(begin, now, f"the last {words}", before, begin, f"the {words} before")


def _between(begin: pd.Timestamp, end: pd.Timestamp, zone: Zone) -> Span:
    # By the clock on the wall: before a month with a change to summer time midnight stays midnight.
    wall = [one.tz_localize(None) for one in (begin, end)]
    earlier = in_zone(pd.DatetimeIndex([wall[0] - (wall[1] - wall[0])]).to_numpy(), zone)[0]
    return Span(begin, end, _dates(begin, end), earlier, begin, _dates(earlier, begin))


def _dates(begin: pd.Timestamp, end: pd.Timestamp) -> str:
    if begin == begin.normalize() and end == end.normalize():
        first, last = f"{begin:%Y-%m-%d}", f"{end - pd.Timedelta(1, 'us'):%Y-%m-%d}"
        return first if first == last else f"{first} to {last}"
    return f"{begin:%Y-%m-%d %H:%M} to {end:%Y-%m-%d %H:%M}"


def _spelt(number: str, unit: str) -> str:
    """Write ``30d`` out."""
    word = _SPELT.get(unit, unit)
    return word if number == "1" else f"{number} {word}s"


def _length(length: timedelta) -> str:
    hours = pd.Timedelta(length) / pd.Timedelta(1, "h")
    if hours < 1:
        return _spelt(f"{60 * hours:.3g}", "minute")
    return _spelt(f"{hours / 24:g}", "d") if hours % 24 == 0 else _spelt(f"{hours:g}", "h")


def _start(unit: Any, zone: Zone) -> pd.Timestamp:
    return in_zone(pd.DatetimeIndex([unit.start_time]).to_numpy(), zone)[0]


def _name(unit: Any) -> str:
    match unit.freqstr[0]:
        case "D":
            return f"{unit.day} {unit.strftime('%B %Y')}"
        case "W":
            year, week, _ = unit.start_time.isocalendar()
            return f"week {week} of {year}"
        case "M":
            name: str = unit.strftime("%B %Y")
            return name
        case "Q":
            return f"Q{unit.quarter} {unit.year}"
        case _:
            return str(unit.year)


def _moment(value: object, zone: Zone) -> pd.Timestamp:
    """Read one end of a span; without a zone it is by the clock of this one."""
    if isinstance(value, date) or (isinstance(value, str) and value[:1].isdigit()):
        try:
            stamp = pd.Timestamp(value)
        except ValueError as error:
            raise _unknown(value) from error
        if not pd.isna(stamp):
            if stamp.tz is None:
                return in_zone(pd.DatetimeIndex([stamp]).to_numpy(), zone)[0]
            return stamp.tz_convert(zone.zone)
    raise _unknown(value)


def _unknown(period: object) -> QueryError:
    return QueryError(
        f"period={period!r} says no time.",
        suggestion='"last-month", "this-year", "2026", "2026-Q3", "2026-10", "2026-W41", '
        '"2026-10-05", an age such as "30d", or two dates: ("2026-10-01", "2026-11-01").',
    )
