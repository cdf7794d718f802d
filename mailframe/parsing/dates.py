"""The Date field: RFC 5322 section 3.3, the obsolete forms of section 4.3, and what is met."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

__all__ = ["parse_date"]

ParsedDate = tuple[datetime | None, int | None, str | None]

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}

# RFC 5322 section 4.3: only these names have a meaning; all others are read like -0000.
_ZONES = {
    "ut": 0,
    "utc": 0,
    "gmt": 0,
    "z": 0,
    "est": -300,
    "edt": -240,
    "cst": -360,
    "cdt": -300,
    "mst": -420,
    "mdt": -360,
    "pst": -480,
    "pdt": -420,
}

# What nearly every message has. The years keep conversion to UTC within datetime's range.
_ORDINARY = re.compile(
    r"\s*(?:[A-Za-z]{3}, ?)? ?(\d{1,2}) ([A-Za-z]{3}) ((?:19|20)\d\d)"
    r" (\d\d):(\d\d):([0-5]\d) ([+-]\d\d[0-5]\d|GMT|UTC)(?: \([^()]*\))?\s*",
    re.ASCII,
)

_ZONE = r"""
    (?: \s* (?:GMT|UTC)? \s* (?P<digits>[+-]?\d{1,2}:?\d\d|[+-]?\d{1,4}) (?!\d)
      | \s* (?P<name>[A-Za-z]+) )?
"""
_CLOCK = r"(?P<hour>\d{1,2}) [\s:.] (?P<minute>\d{1,2}) (?:[\s:.] (?P<second>\d{1,2}))?"
_FORMS = tuple(
    re.compile(form, re.VERBOSE | re.ASCII | re.IGNORECASE)
    for form in (
        # RFC 5322: 21 Nov 1997 09:55:06 -0600, also 21-Nov-97, and the month as a number
        r"(?:[^\W\d]+ [\s,.]* )? (?P<day>\d{1,2}) [\s./-]+ (?P<month>[A-Za-z]{3,9}|\d{1,2})"
        r"[\s.,/-]+ (?P<year>\d{2,4}) [\s,]+ " + _CLOCK + r"(?:\.\d+)? [\s,]*" + _ZONE,
        # asctime and date(1): Fri Nov 21 09:55:06 [EST] 1997
        r"(?:[^\W\d]+ [\s,.]+)? (?P<month>[A-Za-z]{3,9}) \s+ (?P<day>\d{1,2}) [\s,]+ " + _CLOCK
        # the zone stands on either side of the year
        + r"(?:\s+(?P<before>[A-Za-z]{1,5}|[+-]\d{4}))? \s+ (?P<year>\d{4})" + _ZONE,
        # ISO 8601, from programs that never read RFC 5322
        r"(?P<year>\d{4}) - (?P<month>\d{1,2}) - (?P<day>\d{1,2}) [T\s]+ " + _CLOCK
        + r"(?:\.\d+)?" + _ZONE,
    )
)  # fmt: skip

_COMMENT = re.compile(r"\((?:[^()\\]|\\.)*\)", re.DOTALL)
_LONGEST = 1_000
_FIRST_YEAR = 1900
_PIVOT = 50  # RFC 5322 section 4.3: 50 is 1950, 49 is 2049
_LEAP_SECOND = 60
_HOUR, _DAY = 60, 24 * 60  # in minutes


@lru_cache(maxsize=512)
def _fixed(minutes: int) -> timezone:
    return timezone(timedelta(minutes=minutes)) if minutes else UTC


def _without_comments(text: str) -> str:
    """Take out comments, the innermost first (RFC 5322 section 3.2.2)."""
    while "(" in text:
        shorter = _COMMENT.sub(" ", text)
        if shorter == text:
            break
        text = shorter
    return text


def _offset(digits: str | None, name: str | None) -> tuple[int | None, str | None]:
    """Minutes east of UTC, None where the zone says nothing, and a defect."""
    if digits:
        number = digits.lstrip("+-").replace(":", "").zfill(4)
        minutes = int(number[:-2]) * 60 + int(number[-2:])
        if minutes >= _DAY or int(number[-2:]) >= _HOUR:
            return None, "impossible zone in date"
        if digits.startswith("-"):
            # RFC 5322 section 3.3: -0000 is UTC, and says nothing of the sender's zone.
            return (-minutes, None) if minutes else (None, None)
        return minutes, None
    return _ZONES.get(name.lower()) if name else None, None


def _year(digits: str) -> tuple[int, str | None]:
    """Read a year of two or three digits by RFC 5322 section 4.3."""
    year = int(digits)
    match len(digits):
        case 2:
            return year + (1900 if year >= _PIVOT else 2000), "two-digit year"
        case 3:
            return year + 1900, "three-digit year"
    return year, None


def _unreadable(text: str) -> ParsedDate:
    return None, None, f"unreadable date: {text.strip()[:80]}"


def _parse_unusual(text: str) -> ParsedDate:
    bare = text[:_LONGEST]
    bare = _without_comments(bare.rpartition(";")[2]).strip()  # Received has the date behind it
    for form in _FORMS:
        found = form.match(bare)
        if found is not None:
            break
    else:
        return _unreadable(text)

    parts = found.groupdict()
    month_word = parts["month"].lower()
    month = int(month_word) if month_word.isdigit() else _MONTHS.get(month_word[:3], 0)
    year, year_defect = _year(parts["year"])
    before = parts.get("before")
    if before and not parts["digits"] and not parts["name"]:
        parts["digits" if before[0] in "+-" else "name"] = before
    offset, zone_defect = _offset(parts["digits"], parts["name"])
    second = int(parts["second"] or 0)
    leap = second == _LEAP_SECOND
    try:
        moment = datetime(
            year,
            month,
            int(parts["day"]),
            int(parts["hour"]),
            int(parts["minute"]),
            second - leap,
            tzinfo=_fixed(offset or 0),
        ) + timedelta(seconds=leap)
        moment.astimezone(UTC)  # out of range in the first and the last year
    except (ValueError, OverflowError):
        return _unreadable(text)
    if year < _FIRST_YEAR:  # RFC 5322 section 3.3: "any numeric year 1900 or later"
        return _unreadable(text)
    return moment, offset, year_defect or zone_defect


def parse_date(text: str) -> ParsedDate:
    """Read a Date field (RFC 5322 sections 3.3 and 4.3).

    Parameters
    ----------
    text
        The field's value. What stands before a semicolon (a Received field) is passed over.

    Returns
    -------
    tuple of datetime or None, int or None, str or None
        The moment, aware, in the zone it was sent in; that zone in minutes east of UTC, None for
        ``-0000``, a military, an unknown or no zone (the moment is in UTC then); what was wrong.
        A date that cannot be read or cannot be is None, never a guess.

    Examples
    --------
    >>> parse_date("Fri, 21 Nov 97 09:55:06 EST")
    (datetime.datetime(1997, 11, 21, 9, 55, 6, tzinfo=datetime.timezone(datetime.timedelta(days=-1, seconds=68400))), -300, 'two-digit year')
    >>> parse_date("31 Feb 2024 10:00 +0000")[0] is None
    True
    """  # noqa: E501 - a timezone's repr
    found = _ORDINARY.fullmatch(text)
    if found is None:
        return _parse_unusual(text)
    day, month, year, hour, minute, second, zone = found.groups()
    if zone[0] == "+":
        offset = int(zone[1:3]) * 60 + int(zone[3:])
    elif zone[0] == "-":
        offset = -int(zone[1:3]) * 60 - int(zone[3:])
        if not offset:
            return _parse_unusual(text)
    else:
        offset = 0
    try:
        return (
            datetime(
                int(year),
                _MONTHS[month.lower()],
                int(day),
                int(hour),
                int(minute),
                int(second),
                tzinfo=_fixed(offset),
            ),
            offset,
            None,
        )
    except (ValueError, KeyError):
        return _parse_unusual(text)
