"""Numbers as a report writes them; an en dash stands for what is not known."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd

from mailframe.sizes import in_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NONE", "count", "date", "length", "share", "size", "than_before"]

NONE = "\N{EN DASH}"

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
#: Up to so many of a unit the next smaller one is told, too.
_TWO_UNITS = 10
#: From less than this a growth in per cent says nothing.
_FEW = 5


def count(number: Any) -> str:
    """Write how many: ``1,234``."""
    return NONE if pd.isna(number) else f"{int(number):,}"


def size(octets: Any) -> str:
    """Write a size: ``1.2 MB``."""
    return NONE if pd.isna(octets) else in_bytes(float(octets))


def share(part: Any) -> str:
    """Write a share of 0 to 1: ``12 %``."""
    return NONE if pd.isna(part) else f"{part:.0%}".replace("%", "\N{NO-BREAK SPACE}%")


def date(moment: Any) -> str:
    """Write the day of a moment, by the clock of its zone: ``2026-10-31``."""
    return NONE if pd.isna(moment) else f"{moment:%Y-%m-%d}"


def length(time: Any) -> str:
    """Write how long something took.

    Examples
    --------
    >>> length(pd.Timedelta("3h 20min")), length(pd.Timedelta("40 days"))
    ('3 h 20 min', '40 days')
    """
    if pd.isna(time):
        return NONE
    seconds = round(time.total_seconds())
    for unit, name, smaller, small in (
        (_DAY, "day", _HOUR, "h"),
        (_HOUR, "h", _MINUTE, "min"),
        (_MINUTE, "min", 0, ""),
    ):
        if seconds >= unit:
            whole, rest = divmod(seconds, unit)
            plural = "s" if name == "day" and whole != 1 else ""
            more = rest // smaller if smaller and whole < _TWO_UNITS else 0
            return f"{whole:,} {name}{plural}" + (f" {more} {small}" if more else "")
    return f"{seconds} s"


def than_before(now: Any, before: Any, name: str, write: Callable[[Any], str] = count) -> str:
    """Write what a number was before, and by how much it has grown.

    Parameters
    ----------
    now, before
        Numbers, or lengths of time.
    name
        Of the time before.
    write
        How such a number is written.

    Examples
    --------
    >>> than_before(110, 100, "September 2026")
    'September 2026: 100 (+10 %)'
    """
    told = f"{name}: {write(before)}"
    if pd.isna(now) or pd.isna(before):
        return told
    is_few = before < (pd.Timedelta(1, "s") if isinstance(before, pd.Timedelta) else _FEW)
    if is_few or now == before:
        return told
    sign = f"{now / before - 1:+.0%}".replace("-", "\N{MINUS SIGN}")
    return f"{told} ({sign.replace('%', chr(0xA0) + '%')})"
