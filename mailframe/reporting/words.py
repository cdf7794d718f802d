"""Numbers as a report writes them; an en dash stands for what is not known."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Any

import pandas as pd

from mailframe.sizes import in_bytes

if TYPE_CHECKING:
    from collections.abc import Callable

__all__ = ["NONE", "count", "date", "length", "share", "size", "than_before"]

NONE = "\N{EN DASH}"

_MINUTE, _HOUR, _DAY = 60, 3600, 86400
#: From so many seconds on, a length is told to the nearest so many.
_STEPS = ((10 * _DAY, _DAY), (_DAY, _HOUR), (10 * _HOUR, _HOUR), (_MINUTE, _MINUTE))
_SPACE = "\N{NO-BREAK SPACE}"
_NEXT_TO_NOTHING = 0.005
#: From less than this a growth in per cent says nothing.
_FEW = 5


def count(number: Any) -> str:
    """Write how many: ``1,234``."""
    return NONE if pd.isna(number) else f"{int(number):,}"


def size(octets: Any) -> str:
    """Write a size: ``1.2 MB``."""
    return NONE if pd.isna(octets) else in_bytes(float(octets))


def share(part: Any) -> str:
    """Write a share of 0 to 1: ``12 %``; none and all of them is what is exactly that."""
    if pd.isna(part):
        return NONE
    if 0 < part < _NEXT_TO_NOTHING:
        return f"<1{_SPACE}%"
    return f"{99 if 1 - _NEXT_TO_NOTHING <= part < 1 else round(100 * part)}{_SPACE}%"


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
    seconds = time.total_seconds()
    step = next((step for least, step in _STEPS if seconds >= least), 1)
    whole = math.floor(seconds / step + 0.5) * step
    days, hours, minutes = whole // _DAY, whole % _DAY // _HOUR, whole % _HOUR // _MINUTE
    named = [(days, "day" if days == 1 else "days"), (hours, "h"), (minutes, "min")]
    written = [f"{number:,} {name}" for number, name in named if number]
    return " ".join(written[:2]) or f"{whole} s"


def than_before(now: Any, before: Any, name: str, write: Callable[[Any], str] = count) -> str:
    r"""Write what a number was before, and by how much it has grown.

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
    >>> than_before(110, 100, "September 2026").replace("\xa0", " ")
    'September 2026: 100 (+10 %)'
    """
    told = f"{name}: {write(before)}"
    if pd.isna(now) or pd.isna(before):
        return told
    is_few = before < (pd.Timedelta(1, "s") if isinstance(before, pd.Timedelta) else _FEW)
    if is_few or now == before:
        return told
    growth = int(100 * (now / before - 1))  # towards none: what is not gone is not 100 % less
    sign = "+" if growth > 0 else "\N{MINUS SIGN}"
    return f"{told} ({sign}{abs(growth):,}{_SPACE}%)" if growth else told
