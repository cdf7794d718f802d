"""Days, moments and ages, as a user writes them.

A `date` is a day of the server, its zone ignored (RFC 3501 section 6.4.4). A `datetime` is an exact
moment, local time if it is naive. An age counts back from now.
"""

from __future__ import annotations

import re
from calendar import monthrange
from datetime import date, datetime, timedelta

__all__ = ["imap_date", "parse_imap_date", "read_time"]

# Not strftime's %b, which speaks the language of the machine.
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_IMAP_DATE = re.compile(r"([0-9]{1,2})-([A-Za-z]{3})-([0-9]{4})")
_AGE = re.compile(r"([0-9]{1,9}) ?([hdwmy])")
_HOURS = {"h": 1, "d": 24, "w": 24 * 7}
_MONTHS_IN = {"m": 1, "y": 12}


def imap_date(day: date) -> str:
    """Write a day as IMAP does (RFC 3501 section 9, ``date``).

    Examples
    --------
    >>> imap_date(date(2026, 1, 31))
    '31-Jan-2026'
    """
    return f"{day.day}-{_MONTHS[day.month - 1]}-{day.year:04}"


def parse_imap_date(text: str) -> date:
    """Read a day as IMAP writes it.

    Raises
    ------
    ValueError
        When it is none.
    """
    if found := _IMAP_DATE.fullmatch(text):
        day, month, year = found.groups()
        return date(int(year), _MONTHS.index(month.capitalize()) + 1, int(day))
    raise ValueError(text)


def read_time(value: object, now: datetime) -> date | None:
    """Read a day, a moment or an age.

    Parameters
    ----------
    value
        ``date``, ``datetime``, ``timedelta``, or text: ``"2026-01-31"``, ``"31-Jan-2026"``,
        ``"2026-01-31T10:00+02:00"``, or an age: a number and h, d, w, m (months) or y.
    now
        What ages count back from; aware.

    Returns
    -------
    date, datetime or None
        A ``date`` means the server's day, an aware ``datetime`` that very moment; None for what
        is neither, pandas' NaT among it.

    Examples
    --------
    >>> from datetime import UTC
    >>> read_time("6m", now=datetime(2026, 8, 31, 12, tzinfo=UTC))
    datetime.datetime(2026, 2, 28, 12, 0, tzinfo=datetime.timezone.utc)
    """
    try:
        match value:
            case str():
                return _read_text(value, now)
            case timedelta() if value >= timedelta(0):
                # A plain one: with pandas' subclass the result would be pandas' as well.
                return now - timedelta(value.days, value.seconds, value.microseconds)
            case datetime():
                return _aware(value)
            case date():
                return value
    # NaT is a datetime whose year is a float (TypeError); the others: no such day or number.
    except (TypeError, ValueError, OverflowError, OSError):
        pass
    return None


def _read_text(text: str, now: datetime) -> date:
    if age := _AGE.fullmatch(text):
        number, unit = int(age[1]), age[2]
        if unit in _HOURS:
            return now - timedelta(hours=number * _HOURS[unit])
        return _months_before(now, number * _MONTHS_IN[unit])
    for read in (parse_imap_date, date.fromisoformat):
        try:
            return read(text)
        except ValueError:
            continue
    return _aware(datetime.fromisoformat(text))


def _months_before(moment: datetime, months: int) -> datetime:
    """Go back by the calendar: a month before 31 March is the last day of February."""
    year, month = divmod(moment.year * 12 + moment.month - 1 - months, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)


def _aware(moment: datetime) -> datetime:
    plain = datetime(  # pandas' Timestamp, a subclass, becomes what it stands for
        moment.year,
        moment.month,
        moment.day,
        moment.hour,
        moment.minute,
        moment.second,
        moment.microsecond,
        moment.tzinfo,
        fold=moment.fold,
    )
    return plain if plain.utcoffset() is not None else plain.astimezone()
