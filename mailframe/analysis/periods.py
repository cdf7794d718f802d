"""Time cut into hours, days, weeks, months, quarters and years, by whose clock one likes."""

from __future__ import annotations

import os
from datetime import tzinfo
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple
from zoneinfo import ZoneInfo, available_timezones

import numpy as np
import pandas as pd

from mailframe.analysis.columns import moments
from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "Clock",
    "Frequency",
    "Timeline",
    "Zone",
    "clock",
    "following",
    "frequency_of",
    "in_zone",
    "timeline",
    "zone_of",
]

# No mail is older, and a message dated later is not from there: spam with such a date, far from
# all other mail, would ask for millions of empty periods.
_FIRST = pd.Timestamp("1970-01-01", tz="UTC")
_BEYOND = pd.Timestamp("2100-01-01", tz="UTC")
_HOUR = np.timedelta64(1, "h")


class Frequency(NamedTuple):
    """How long a period is: so many units, counted from the epoch less a shift."""

    word: str
    unit: str
    units: int = 1
    shift: int = 0


class Zone(NamedTuple):
    """Whose clock cuts time into periods; without a zone, each sender's own."""

    name: str
    zone: tzinfo | str | None


class Clock(NamedTuple):
    """What clocks showed when messages were sent, or received."""

    #: Whether it is known when, a value a message; what follows is of those alone.
    known: NDArray[np.bool_]
    #: In UTC, without a zone.
    moments: NDArray[np.datetime64]
    #: What the clock on the wall showed.
    wall: NDArray[np.datetime64]


class Timeline(NamedTuple):
    """Periods without a gap, and where the messages are on them."""

    starts: pd.DatetimeIndex
    #: Of each message the place of its period in ``starts``, or -1 where it has no date.
    places: NDArray[np.int64]


_HOURS = Frequency("hour", "h")
_MONTHS = Frequency("month", "M")
_QUARTERS = Frequency("quarter", "M", 3)
_YEARS = Frequency("year", "M", 12)
# 1970-01-01 was a Thursday, three days after a Monday, with which ISO 8601's weeks begin. pandas
# names weeks by their last day.
_WEEKS = Frequency("week", "D", 7, 3)
_WEEKS_BY_LAST_DAY = {
    f"W-{day}": _WEEKS._replace(shift=shift)
    for day, shift in zip(("SUN", "SAT", "FRI", "THU", "WED", "TUE", "MON"), (3, 4, 5, 6, 0, 1, 2),
                          strict=True)
}  # fmt: skip
_FREQUENCIES: Mapping[str, Frequency] = {
    **dict.fromkeys(("H", "HOUR", "HOURLY"), _HOURS),
    **dict.fromkeys(("D", "DAY", "DAILY"), Frequency("day", "D")),
    **dict.fromkeys(("W", "WEEK", "WEEKLY"), _WEEKS),
    **_WEEKS_BY_LAST_DAY,
    **dict.fromkeys(("M", "ME", "MS", "MONTH", "MONTHLY"), _MONTHS),
    **dict.fromkeys(("Q", "QE", "QS", "QUARTER", "QUARTERLY"), _QUARTERS),
    **dict.fromkeys(("Y", "YE", "YS", "A", "YEAR", "YEARLY"), _YEARS),
}


def frequency_of(freq: str) -> Frequency:
    """Read how long a period is to be.

    Parameters
    ----------
    freq
        pandas' letters or an English word, in any case.

    Raises
    ------
    QueryError
        For what is no such period.

    Examples
    --------
    >>> frequency_of("weekly").word, frequency_of("ME").word
    ('week', 'month')
    """
    found = _FREQUENCIES.get(freq.strip().upper()) if isinstance(freq, str) else None
    if found is None:
        raise QueryError(
            f"freq={freq!r} is no length of a period.",
            suggestion='"h" (hours), "D" (days), "W" (weeks from Monday; "W-SAT": from Sunday), '
            '"M" (months), "Q" (quarters) or "Y" (years).',
        )
    return found


def zone_of(tz: str | tzinfo) -> Zone:
    """Read whose clock is meant.

    Parameters
    ----------
    tz
        A name of the IANA database, ``"local"``, ``"sender"``, or a tzinfo.

    Raises
    ------
    QueryError
        For a zone that nobody knows.

    Examples
    --------
    >>> zone_of("Europe/Berlin").name
    'Europe/Berlin'
    """
    if isinstance(tz, tzinfo):
        return Zone(str(tz), tz)
    name = tz.strip() if isinstance(tz, str) else ""
    if name.lower() == "sender":
        return Zone("the sender's own time", None)
    if name.lower() == "local":
        return _local_zone()
    zone = _named("UTC" if name.lower() == "utc" else name)
    if zone is None:
        alike = _alike(name)
        raise QueryError(
            f"tz={tz!r} is no time zone.",
            suggestion=(f"Perhaps {alike!r}. " if alike else "")
            + 'A name like "Europe/Berlin", "UTC", "local" for this machine\'s zone, or "sender" '
            "for each sender's own.",
        )
    return Zone(name if name.lower() != "utc" else "UTC", zone)


def clock(frame: pd.DataFrame, zone: Zone, on: str) -> Clock:
    """Read what the clock on the wall showed at each message.

    Parameters
    ----------
    frame
        With the column ``on``, and ``utc_offset`` for the sender's own time.
    zone
        Whose clock.
    on
        ``"date"`` or ``"internal_date"``.

    Returns
    -------
    Clock
        Dates before 1970 and after 2099 count as none.
    """
    times = moments(frame, on)
    known = ((times >= _FIRST) & (times < _BEYOND)).to_numpy()
    moment = times.dt.tz_localize(None).to_numpy()[known]
    if zone.zone is None:
        wall = moment + _offsets(frame)[known]
    else:
        wall = times[known].dt.tz_convert(zone.zone).dt.tz_localize(None).to_numpy()
    return Clock(known, moment, wall)


def timeline(frame: pd.DataFrame, frequency: Frequency, zone: Zone, on: str) -> Timeline:
    """Place messages in periods.

    Parameters
    ----------
    frame
        With the column ``on``, and ``utc_offset`` for the sender's own time.
    frequency
        How long a period is.
    zone
        Whose clock counts.
    on
        ``"date"`` or ``"internal_date"``.

    Returns
    -------
    Timeline
        From the period of the first message to that of the last. A day is from midnight to
        midnight in that zone, be it of 23 or 25 hours; hours are all of 60 minutes. Dates before
        1970 and after 2099 count as none.
    """
    known, moment, wall = clock(frame, zone, on)
    places = np.full(len(frame), -1, dtype="int64")
    if not known.any():
        return Timeline(in_zone(np.array([], dtype="M8[us]"), zone), places)
    if frequency.unit == "h" and zone.zone is not None:
        # By the wall's clock an hour would come twice in autumn. Where zones are half an hour
        # apart, hours begin as those of the first message do.
        aside = (wall[0] - moment[0]) % _HOUR
        ordinals = _ordinals(moment + aside, frequency)
        starts = _moments_in(_start(_span(ordinals), frequency) - aside, zone)
    else:
        ordinals = _ordinals(wall, frequency)
        starts = in_zone(_start(_span(ordinals), frequency), zone)
    # A day that a zone skipped (Samoa had no 30 December 2011) begins when the next one does.
    kept = ~starts.duplicated(keep="last")
    place = np.cumsum(kept) - 1
    places[known] = place[ordinals - ordinals.min()]
    return Timeline(starts[kept], places)


def following(start: pd.Timestamp, frequency: Frequency) -> pd.Timestamp:
    """Return when the period after this one begins.

    Parameters
    ----------
    start
        Of a `Timeline`.
    frequency
        Of the same.

    Examples
    --------
    >>> following(pd.Timestamp("2025-03-30", tz="Europe/Berlin"), frequency_of("D"))
    Timestamp('2025-03-31 00:00:00+0200', tz='Europe/Berlin')
    """
    if frequency.unit == "h":
        return start + pd.Timedelta(hours=1)
    wall = np.array([start.tz_localize(None)], dtype="M8[us]")
    after = _start(_ordinals(wall, frequency) + 1, frequency)
    return in_zone(after, Zone("", start.tzinfo))[0]


def in_zone(wall: NDArray[np.datetime64], zone: Zone) -> pd.DatetimeIndex:
    """Give what the clock on the wall shows its zone: the first time, where it shows it twice.

    Parameters
    ----------
    wall
        In order. What a clock never showed becomes what it showed next.
    zone
        Whose clock; without a zone it stays as it is.
    """
    index = pd.DatetimeIndex(wall)
    if zone.zone is None or not len(index):
        return index.tz_localize(zone.zone)
    first = np.ones(len(index), dtype=bool)
    aware = index.tz_localize(zone.zone, ambiguous=first, nonexistent="shift_forward")
    # pandas shifts a midnight that was skipped with its whole day beyond the midnight after it.
    utc = aware.tz_convert("UTC").tz_localize(None).to_numpy()
    return _moments_in(np.minimum.accumulate(utc[::-1])[::-1], zone)


def _ordinals(wall: NDArray[np.datetime64], frequency: Frequency) -> NDArray[np.int64]:
    units = wall.astype(f"M8[{frequency.unit}]").astype("int64")
    ordinals: NDArray[np.int64] = (units + frequency.shift) // frequency.units
    return ordinals


def _span(ordinals: NDArray[np.int64]) -> NDArray[np.int64]:
    return np.arange(ordinals.min(), ordinals.max() + 1)


def _start(ordinals: NDArray[np.int64], frequency: Frequency) -> NDArray[np.datetime64]:
    units = ordinals * frequency.units - frequency.shift
    return units.astype(f"M8[{frequency.unit}]").astype("M8[us]")


def _moments_in(moment: NDArray[np.datetime64], zone: Zone) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(moment).tz_localize("UTC").tz_convert(zone.zone)


def _offsets(frame: pd.DataFrame) -> NDArray[np.timedelta64]:
    minutes: Any = frame["utc_offset"].astype("Int64").fillna(0)
    offsets: NDArray[np.timedelta64] = minutes.to_numpy("int64").astype("m8[m]")
    return offsets


def _named(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name)
    except (KeyError, ValueError, OSError):  # unknown; no name at all; "Europe", a folder
        return None


def _local_zone() -> Zone:
    """Find this machine's zone by its name, under which its daylight-saving rules are known."""
    named = os.environ.get("TZ", "").lstrip(":")
    path = Path("/etc/localtime").resolve().as_posix()
    for name in (named, path.rpartition("zoneinfo/")[2]):
        zone = _named(name)
        if zone is not None:
            return Zone(name, zone)
    # The rules of the C library (Windows); pandas' name for them.
    return Zone("this computer's time", "tzlocal()")


def _alike(name: str) -> str:
    """Return the zone of this name but for its case, its spaces and its continent."""
    wanted = name.lower().replace(" ", "_")
    zones = sorted(available_timezones())
    return next(
        (one for one in zones if wanted in {one.lower(), one.lower().rpartition("/")[2]}), ""
    )
