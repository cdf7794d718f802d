"""At which times mail comes and goes: hours of the week, times of the day, days of the year."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mailframe import schema
from mailframe.analysis.business import WEEKDAY
from mailframe.analysis.columns import check_columns, time_column
from mailframe.analysis.periods import clock, zone_of

if TYPE_CHECKING:
    from datetime import tzinfo

    from numpy.typing import NDArray

    from mailframe.analysis.periods import Clock, Zone

__all__ = ["activity", "calendar", "diurnal"]

_HOURS = 24
_DAYS = 7
# 1970-01-01 was a Thursday.
_FIRST_WEEKDAY = 3


def activity(headers: pd.DataFrame, *, tz: str | tzinfo = "UTC", on: str = "date") -> pd.DataFrame:
    """Count messages by the hour of the week.

    Parameters
    ----------
    headers
        Messages, with the column ``on``, and ``utc_offset`` where ``tz="sender"``.
    tz
        By whose clock: a name like ``"Europe/Berlin"``, ``"local"`` (this machine's), ``"sender"``
        (each sender's own, UTC where it is not known), or a tzinfo.
    on
        ``"date"``, when it was sent; ``"internal_date"``, when the server received it.

    Returns
    -------
    DataFrame
        168 rows, one an hour of the week, those without mail included: ``weekday`` (0 is Monday),
        ``day``, its name, ``hour`` (0 to 23), ``messages``. An hour that the clock shows twice in
        autumn is one.
        ``attrs["undated"]`` counts the messages that are in no row: those without a date, or with
        one before 1970 or after 2099.

    Raises
    ------
    QueryError
        For a column that is missing, and for a zone that nobody knows.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers()
    >>> table = activity(headers, tz="Europe/Copenhagen")
    >>> table.nlargest(3, "messages")
         weekday        day  hour  messages
    110        4     Friday    14        42
    58         2  Wednesday    10        38
    38         1    Tuesday    14        35
    """
    zone, shown = _shown(headers, tz, on)
    days, hours = _weekdays(shown.wall), shown.wall.astype("M8[h]").astype("int64") % _HOURS
    weekday = np.repeat(np.arange(_DAYS), _HOURS)
    result = pd.DataFrame(
        {
            "weekday": weekday,
            "day": pd.Categorical.from_codes(weekday, dtype=WEEKDAY),
            "hour": np.tile(np.arange(_HOURS), _DAYS),
            "messages": np.bincount(days * _HOURS + hours, minlength=_DAYS * _HOURS),
        }
    )
    result.attrs = _attrs(headers, shown, zone, on)
    return result


def diurnal(headers: pd.DataFrame, *, tz: str | tzinfo = "UTC", on: str = "date") -> pd.DataFrame:
    """Tell on which day, and at what time of the day, each message was sent.

    Parameters
    ----------
    headers, tz, on
        As for `activity`.

    Returns
    -------
    DataFrame
        A row a message that has a date, in the order and with the index of the headers: ``day``
        (``datetime64[us]``, midnight, without a zone) and ``time`` (``timedelta64[us]``), what the
        clock on the wall showed. ``attrs["undated"]`` counts the others.

    Raises
    ------
    QueryError
        As `activity` does.

    Notes
    -----
    After S. Wolfram, "The Personal Analytics of My Life" (2012).

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers()
    >>> diurnal(headers, tz="Asia/Tokyo").head(2)
             day            time
    0 2026-06-30 0 days 18:14:11
    1 2026-06-30 0 days 15:28:45
    """
    zone, shown = _shown(headers, tz, on)
    day = shown.wall.astype("M8[D]").astype("M8[us]")
    result = pd.DataFrame(
        {"day": day, "time": (shown.wall - day).astype(schema.SPAN)},
        index=headers.index[shown.known],
    )
    result.attrs = _attrs(headers, shown, zone, on)
    return result


def calendar(headers: pd.DataFrame, *, tz: str | tzinfo = "UTC", on: str = "date") -> pd.DataFrame:
    """Count messages by the day, and say where the day stands on the leaf of its year.

    Parameters
    ----------
    headers, tz, on
        As for `activity`.

    Returns
    -------
    DataFrame
        A row a day from the first message to the last, those without mail included: ``day``
        (``datetime64[us]``, midnight, without a zone), ``year``, ``week`` (from 0: the weeks of a
        year begin with Mondays, the first one with 1 January), ``weekday`` (0 is Monday),
        ``messages``. ``attrs["undated"]`` counts the messages in no row.

    Raises
    ------
    QueryError
        As `activity` does.

    Notes
    -----
    For the n-th day of a year, from 0, and the weekday w of 1 January, the week is
    floor((n + w) / 7).

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers()
    >>> table = calendar(headers)
    >>> table[table["day"].between("2024-12-31", "2025-01-01")]
               day  year  week  weekday  messages
    182 2024-12-31  2024    52        1         0
    183 2025-01-01  2025     0        2         1
    """
    zone, shown = _shown(headers, tz, on)
    found = shown.wall.astype("M8[D]").astype("int64")
    first, end = (found.min(), found.max() + 1) if len(found) else (0, 0)
    days = np.arange(first, end).astype("M8[D]")
    years = days.astype("M8[Y]")
    new_year = years.astype("M8[D]")
    week = ((days - new_year).astype("int64") + _weekdays(new_year)) // _DAYS
    result = pd.DataFrame(
        {
            "day": days.astype("M8[us]"),
            "year": years.astype("int64") + 1970,
            "week": week,
            "weekday": _weekdays(days),
            "messages": np.bincount(found - first, minlength=len(days)),
        }
    )
    result.attrs = _attrs(headers, shown, zone, on)
    return result


def _shown(headers: pd.DataFrame, tz: str | tzinfo, on: str) -> tuple[Zone, Clock]:
    zone = zone_of(tz)
    check_columns(headers, [time_column(on), *(["utc_offset"] if zone.zone is None else [])])
    return zone, clock(headers, zone, on)


def _weekdays(wall: NDArray[np.datetime64]) -> NDArray[np.int64]:
    days: NDArray[np.int64] = (wall.astype("M8[D]").astype("int64") + _FIRST_WEEKDAY) % _DAYS
    return days


def _attrs(headers: pd.DataFrame, shown: Clock, zone: Zone, on: str) -> dict[Any, Any]:
    undated = int((~shown.known).sum())
    return {**headers.attrs, "on": on, "tz": zone.name, "undated": undated}
