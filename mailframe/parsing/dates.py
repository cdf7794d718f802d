"""The Date field: RFC 5322 section 3.3, the obsolete forms of section 4.3, and what is met."""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone
from functools import lru_cache

from mailframe.parsing.words import decode_words

__all__ = ["parse_date"]

ParsedDate = tuple[datetime | None, int | None, str | None]

_MONTHS = {
    name: number
    for number, name in enumerate(
        ("jan", "feb", "mar", "apr", "may", "jun", "jul", "aug", "sep", "oct", "nov", "dec"), 1
    )
}
# What programs that ask the user's language write, by its first letters, where no language means
# another month by them (lis is November in Polish and October in Croatian).
_FOREIGN_MONTHS = {
    name: number
    for number, names in enumerate(
        (
            "ene gen jän янв",
            "fev fév фев",
            "mär mrz mrt мар",
            "abr avr апр",
            "mai maj mag mei май мая",
            "juin giu июн",
            "juil lug июл",
            "ago aoû авг",
            "set сен",
            "okt ott out окт",
            "ноя",
            "dez dic déc des дек",
        ),
        1,
    )
    for name in names.split()
}
_LONGEST_MONTH = 4  # letters to tell one by

# RFC 5322 section 4.3, with UTC and Z, which are met and mean what they say. All other names, the
# military ones as well, are read like -0000.
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
    (?: \s* "? (?:GMT|UTC)? \s* (?P<digits>[+-]?\d{1,2}:?\d\d|[+-]\d{1,2}) (?!\d)
      | \s* "? (?P<name>[A-Za-z]+) )?
"""
_CLOCK = r"""
    (?P<hour>\d{1,2}) (?:\s*[:.]\s*|\s) (?P<minute>\d{1,2})
    (?: (?:\s*[:.]\s*|\s) (?P<second>\d{1,2}) (?!\d) )? (?:[.,]\d+)?
    (?:\s* (?P<half>[AP])\.?M\b\.? )?
"""
_LETTERS = "A-Za-zÀ-ÿА-яё"
_WEEKDAY = rf"(?: [{_LETTERS}]++ (?: [\s.,]+ | (?=\d) ) )?"
_MONTH = rf"(?P<month>[{_LETTERS}]{{3,10}})"
_FORMS = tuple(
    re.compile(form, re.VERBOSE | re.ASCII | re.IGNORECASE)
    for form in (
        # RFC 5322: 21 Nov 1997 09:55:06 -0600, also 21-Nov-97, and the month as a number
        _WEEKDAY + r"(?P<day>\d{1,2}) (?P<mark>[\s./-]+) (?:de\s+)?"
        + _MONTH.replace(")", r"|\d{1,2})") + r"[\s.,/-]+ (?:de\s+)? (?P<year>\d{2,4}) [\s,]+ "
        + _CLOCK + r"[\s,]*" + _ZONE,
        # asctime and date(1): Fri Nov 21 09:55:06 [EST] 1997
        _WEEKDAY + _MONTH + r"\s+ (?P<day>\d{1,2}) [\s,]+ " + _CLOCK
        # the zone stands on either side of the year
        + r"(?:\s+(?P<before>[A-Za-z]{1,5}|[+-]\d{4}))? \s+ (?P<year>\d{4})" + _ZONE,
        # as Americans write it: November 21, 1997 9:55 AM
        _WEEKDAY + _MONTH + r"\.? \s+ (?P<day>\d{1,2}) (?:st|nd|rd|th)? [\s,]+ (?P<year>\d{4})"
        r"[\s,]+ (?:at\s+)?" + _CLOCK + _ZONE,
        # ISO 8601, from programs that never read RFC 5322; the year first leaves no doubt
        r"(?P<year>\d{4}) [-/.年] (?P<month>\d{1,2}) [-/.月] (?P<day>\d{1,2}) (?:T|日?\s*)(?<!\d)"
        + _CLOCK + _ZONE,
        r"(?P<year>\d{4})(?P<month>\d\d)(?P<day>\d\d) T (?P<hour>\d\d)(?P<minute>\d\d)"
        r"(?P<second>\d\d)" + _ZONE,
    )
)  # fmt: skip

_PREFIX = re.compile(r"Date\s*:\s*", re.IGNORECASE)  # twice, after a forwarder's mistake
_COMMENT = re.compile(r"\((?:[^()\\]|\\.)*\)", re.DOTALL)
_LONGEST = 1_000
_FIRST_YEAR = 1900
_LAST_YEAR = 2261  # with what comes later pandas cannot write JSON; and nobody has written mail yet
_PIVOT = 50  # RFC 5322 section 4.3: 50 is 1950, 49 is 2049
_LEAP_SECOND = 60
_MIDNIGHT, _NOON = 24, 12
_MONTH_COUNT = 12
_HOURS_ALONE = 2  # digits of a zone
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
        number = digits.lstrip("+-").replace(":", "")
        number = f"{number:0>4}" if len(number) > _HOURS_ALONE else f"{number:0>2}00"  # GMT+1
        minutes = int(number[:-2]) * 60 + int(number[-2:])
        if minutes >= _DAY or int(number[-2:]) >= _HOUR:
            return None, "impossible zone in date"
        if digits.startswith("-"):
            # RFC 5322 section 3.3: -0000 is UTC, and says nothing of the sender's zone.
            return (-minutes, None) if minutes else (None, None)
        return minutes, None
    if not name or name.lower() in _ZONES:
        return _ZONES.get(name.lower()) if name else None, None
    # A letter alone is a military zone, which meant one thing and its opposite. Words like CET mean
    # something to people, and several things to programs: the time may be some hours off.
    return None, f"unknown zone {name} in date" if len(name) > 1 else None


def _year(digits: str) -> tuple[int, str | None]:
    """Read a year of two or three digits by RFC 5322 section 4.3."""
    year = int(digits)
    match len(digits):
        case 2:
            return year + (1900 if year >= _PIVOT else 2000), "two-digit year"
        case 3:
            return year + 1900, "three-digit year"
        case 4 if digits.startswith("01"):  # programs that count from 1900, and fill up with zeros
            return year + 1900, "three-digit year"
    return year, None


def _month(word: str, day: int, mark: str) -> tuple[int, int]:
    """Tell month and day; the month is 0 where that would be a guess."""
    if not word.isdigit():
        known = _MONTHS.get(word[:3])
        for length in (3, _LONGEST_MONTH):
            known = known or _FOREIGN_MONTHS.get(word[:length])
        return known or 0, day
    month = int(word)
    # 12.5.2023 is in May, but 12/5/2023 in December for Americans.
    if not set("/-").intersection(mark) or month == day or day > _MONTH_COUNT:
        return month, day
    return (day, month) if month > _MONTH_COUNT else (0, day)


def _hour(text: str, half: str | None) -> int:
    """Read an hour, of twelve where AM or PM follows."""
    hour = int(text)
    if half is None or hour > _NOON:
        return hour
    return hour % _NOON + (_NOON if half.lower() == "p" else 0)


def _unreadable(text: str) -> ParsedDate:
    return None, None, f"unreadable date: {text.strip()[:80]}"


def _parse_unusual(text: str) -> ParsedDate:
    bare = text[:_LONGEST]
    if "=?" in bare or not bare.isascii():
        bare = decode_words(bare)
    bare = _without_comments(bare.rpartition(";")[2])  # Received has the date behind it
    bare = _PREFIX.sub("", bare.strip())
    found = next(filter(None, (form.match(bare) for form in _FORMS)), None)
    if found is None:
        return _unreadable(text)

    parts = found.groupdict()
    # Where the year comes first, there is no doubt.
    month, day = _month(parts["month"].lower(), int(parts["day"]), parts.get("mark", ""))
    year, year_defect = _year(parts["year"])
    before = parts.get("before")
    if before and not parts["digits"] and not parts["name"]:
        parts["digits" if before[0] in "+-" else "name"] = before
    offset, zone_defect = _offset(parts["digits"], parts["name"])
    hour, minute = _hour(parts["hour"], parts.get("half")), int(parts["minute"])
    second = int(parts["second"] or 0)
    leap = second == _LEAP_SECOND
    midnight = hour == _MIDNIGHT and minute == second == 0  # ISO 8601: the end of that day
    try:
        moment = datetime(
            year,
            month,
            day,
            0 if midnight else hour,
            minute,
            second - leap,
            tzinfo=_fixed(offset or 0),
        ) + timedelta(days=midnight, seconds=leap)
        moment.astimezone(UTC)  # out of range in the first and the last year
    except (ValueError, OverflowError):
        return _unreadable(text)
    # RFC 5322 section 3.3: "any numeric year 1900 or later".
    if not _FIRST_YEAR <= year <= _LAST_YEAR:
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
