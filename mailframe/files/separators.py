"""The line between the messages of an mbox: ``From sender date`` (RFC 4155 appendix A).

There is no one format. The date is as C's ``asctime`` writes it, or with a zone before or behind
the year, as Takeout and some servers do, or as in a header; Thunderbird leaves sender and date out.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime, timedelta, timezone

__all__ = ["LONGEST_LINE", "is_separator", "line_date", "looks_like_header", "separates_alone"]

#: Longer than any separator, in bytes.
LONGEST_LINE = 1024
_MOST_WORDS = 40

_MONTHS = {
    name: number
    for number, name in enumerate(
        b"jan feb mar apr may jun jul aug sep oct nov dec".split(), start=1
    )
}
_WEEKDAYS = frozenset(b"mon tue wed thu fri sat sun".split())
_TIME = re.compile(rb"(\d{1,2}):(\d\d)(?::(\d\d))?(?:\.\d+)?")
_OFFSET = re.compile(rb"([+-])(\d\d):?(\d\d)")
_ZONE = re.compile(rb"\(?[A-Z]{1,5}\)?")
_DAY = re.compile(rb"\d{1,2},?")
_YEAR = re.compile(rb"(?:19|20)\d\d")
# Two-digit years are of the seventies to the nineties: nobody wrote them later.
_SHORT_YEAR = re.compile(rb"[7-9]\d")
_ISO = re.compile(rb"(?:19|20)\d\d-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d)?(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)?")
_FIELD = re.compile(rb"[!-9;-~]{1,100}+[ \t]*+:")
# As most are: a fifth of the time.
_USUAL = re.compile(
    rb"From [^\s]{1,320}+ (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) "
    rb"(?:Jan|Feb|Mar|Apr|May|Jun|Jul|Aug|Sep|Oct|Nov|Dec) "
    rb"[ 0-2]\d [0-2]\d:[0-5]\d:[0-5]\d (?:[+-]\d{4} )?(?:19|20)\d\d\r?"
)
_BARE = frozenset({b"From", b"From -"})


def is_separator(line: bytes, following: bytes) -> bool:
    r"""Say whether a line begins a message; an empty line must stand above it.

    Parameters
    ----------
    line
        Beginning with ``From``, without its line end.
    following
        The beginning of the next line.

    Examples
    --------
    >>> is_separator(b"From ann@example.org Mon Jan  5 09:30:00 2026", b"")
    True
    >>> is_separator(b"From that day on I stayed in bed.", b"")
    False
    """
    if line.strip() in _BARE:  # as Thunderbird writes it: only the next line can tell
        return looks_like_header(following)
    return _USUAL.fullmatch(line) is not None or line_date(line) is not None


def separates_alone(line: bytes, following: bytes) -> bool:
    r"""Say whether a line begins a message even where no empty line stands above it.

    Eudora leaves none, nor does ``cat`` of files that end without one. Writers that quote only
    behind empty lines let such a line stand in a text: it must have a date, and a header below.

    Parameters
    ----------
    line, following
        As for `is_separator`.

    Examples
    --------
    >>> separates_alone(b"From ???@??? Mon Jan 05 09:30:00 2026", b"Subject: Hi\n")
    True
    >>> separates_alone(b"From ann@example.org Mon Jan  5 09:30:00 2026", b"she wrote\n")
    False
    """
    return looks_like_header(following) and line_date(line) is not None


def looks_like_header(following: bytes) -> bool:
    """Say whether bytes begin with a header field, or with the envelope line of another mbox."""
    return following.startswith(b">From ") or _FIELD.match(following) is not None


def line_date(line: bytes) -> datetime | None:
    """Read when a message was received; a separator without a zone is read as UTC.

    Parameters
    ----------
    line
        The whole line.

    Returns
    -------
    datetime
        Aware; None where the line does not end in a date, and so is no separator.

    Examples
    --------
    >>> line_date(b"From 1796@xxx Tue Apr 16 08:41:38 +0200 2024").isoformat()
    '2024-04-16T08:41:38+02:00'
    """
    if len(line) > LONGEST_LINE:
        return None
    words = line.split(None, _MOST_WORDS)[1:]
    if words[-3:-1] == [b"remote", b"from"]:  # UUCP's
        del words[-3:]
    iso = _ISO.fullmatch(b" ".join(words[1:]))
    try:
        if iso:
            moment = datetime.fromisoformat(iso[0].decode("ascii"))
            return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
        return _date_of(words)
    except ValueError:  # the 31st of February
        return None


def _date_of(words: list[bytes]) -> datetime | None:
    """Read a date that begins with a weekday and goes on to the end of the line."""
    places = [i for i, word in enumerate(words) if word[:3].lower() in _WEEKDAYS]
    # A sender may be called Sunny.
    for place in reversed(places):
        moment = _moment(words[place + 1 :])
        if moment is not None:
            return moment
    return None


def _moment(words: list[bytes]) -> datetime | None:
    month = day = year = clock = None
    zone = UTC
    for number, word in enumerate(words):
        if month is None and word[:3].lower() in _MONTHS:
            month = _MONTHS[word[:3].lower()]
        elif clock is None and (time := _TIME.fullmatch(word)):
            clock = time
        elif day is None and _DAY.fullmatch(word):
            day = int(word.rstrip(b","))
        elif year is None and _YEAR.fullmatch(word):
            year = int(word)
        elif year is None and number == len(words) - 1 and _SHORT_YEAR.fullmatch(word):
            year = 1900 + int(word)
        elif offset := _OFFSET.fullmatch(word):
            minutes = int(offset[2]) * 60 + int(offset[3])
            zone = timezone(timedelta(minutes=-minutes if offset[1] == b"-" else minutes))
        elif not _ZONE.fullmatch(word):
            return None
    if month is None or day is None or year is None or clock is None:
        return None
    # 60 is a leap second.
    second = min(int(clock[3] or 0), 59)
    return datetime(year, month, day, int(clock[1]), int(clock[2]), second, tzinfo=zone)
