"""The columns that analyses stand on: whether they are there, and their values made comparable."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, pandas_dtype

from mailframe import schema
from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "GROUPS",
    "check_columns",
    "group_column",
    "group_values",
    "moments",
    "text",
    "time_column",
]

#: What messages are grouped by, and the column that says it.
GROUPS: Mapping[str, str] = {
    "account": "account",
    "folder": "folder",
    "address": "from_address",
    "domain": "from_domain",
    "list": "list_id",
}
# Of these case makes no difference: a mailbox's name is told apart by case in theory alone (RFC
# 5321 section 2.4), a domain (RFC 4343) and a list's identifier (RFC 2919 section 6) never.
_CASELESS = frozenset({"from_address", "from_domain", "list_id"})

_TIMES = ("date", "internal_date")


def check_columns(frame: pd.DataFrame, names: Iterable[str]) -> None:
    """Refuse a frame that lacks a column.

    Parameters
    ----------
    frame
        Of any kind.
    names
        The columns that are going to be used.

    Raises
    ------
    QueryError
        It names the columns that are missing, and who returns them.

    Examples
    --------
    >>> check_columns(pd.DataFrame({"date": []}), ["date", "size"])
    Traceback (most recent call last):
    mailframe.exceptions.QueryError: This frame has no column 'size'.
    What to do: session.headers() returns it: give its frame, or rows of it with that column kept.
    """
    if not isinstance(frame, pd.DataFrame):
        raise QueryError(
            f"A DataFrame is asked about, not a {type(frame).__name__}.",
            suggestion="Give the frame itself: session.headers(…).",
        )
    missing = [name for name in dict.fromkeys(names) if name not in frame.columns]
    if not missing:
        return
    one = len(missing) == 1
    raise QueryError(
        f"This frame has no column{'' if one else 's'} {', '.join(map(repr, missing))}.",
        suggestion=f"{_returned_by(missing)} {'it' if one else 'them'}: give its frame, or rows of "
        f"it with {'that column' if one else 'those columns'} kept.",
    )


def moments(frame: pd.DataFrame, on: str) -> pd.Series[Any]:
    """Return when each message was sent, or received.

    Parameters
    ----------
    frame
        With the column ``on``.
    on
        ``"date"``, the sender's; ``"internal_date"``, the server's.

    Returns
    -------
    Series
        ``datetime64[us, UTC]``. Times without a zone are taken as UTC.

    Raises
    ------
    QueryError
        If the column is missing or holds no times.
    """
    check_columns(frame, [time_column(on)])
    times = frame[on]
    if times.isna().all():  # of any dtype: nobody knows what pandas made of nothing but None
        return pd.Series(pd.NaT, index=frame.index, dtype=schema.TIME)
    if not is_datetime64_any_dtype(times.dtype):
        raise QueryError(
            f"The column {on!r} holds {times.dtype}, not times.",
            suggestion=f'As times: df["{on}"] = pd.to_datetime(df["{on}"], utc=True).',
        )
    aware = times.dt.tz_localize("UTC") if times.dt.tz is None else times
    converted: pd.Series[Any] = aware.astype(pandas_dtype(schema.TIME))
    return converted


def time_column(on: str) -> str:
    """Return the column that analyses go by.

    Parameters
    ----------
    on
        ``"date"`` or ``"internal_date"``.

    Raises
    ------
    QueryError
        For anything else.
    """
    if on not in _TIMES:
        raise QueryError(
            f"on={on!r} is no time of a message.",
            suggestion='on="date" is the sender\'s, on="internal_date" the server\'s.',
        )
    return on


def group_column(frame: pd.DataFrame, by: str, *, besides: Iterable[str] = ()) -> str:
    """Return the column that says what messages are grouped by.

    Parameters
    ----------
    frame
        Whose other columns can be grouped by as well.
    by
        One of `GROUPS`, or a column of the frame.
    besides
        What else whoever asks knows to group by, to be named in the error.

    Raises
    ------
    QueryError
        For anything else. Whether the column of one of `GROUPS` is there is not looked at.
    """
    if isinstance(by, str) and (by in GROUPS or by in frame.columns):
        return GROUPS.get(by, by)
    raise QueryError(
        f"by={by!r} is nothing that messages can be grouped by.",
        suggestion=f"One of {', '.join(map(repr, (*GROUPS, *besides)))}, or a column of the frame.",
    )


def group_values(frame: pd.DataFrame, by: str) -> pd.Series[Any]:
    """Return what each message is grouped under.

    Parameters
    ----------
    frame, by
        As for `group_column`; the column is there.

    Returns
    -------
    Series
        Text in lower case where case makes no difference. Categories are made text.
    """
    column = group_column(frame, by)
    if column in _CASELESS:
        return text(frame, column).str.lower()
    values = frame[column]
    return text(frame, column) if isinstance(values.dtype, pd.CategoricalDtype) else values


def text(frame: pd.DataFrame, column: str) -> pd.Series[Any]:
    """Return a column as ``str``, be it that or a category.

    Parameters
    ----------
    frame, column
        The column is there.
    """
    return frame[column].astype("str")


def _returned_by(names: Iterable[str]) -> str:
    """Say which frames have all of some columns."""
    wanted = set(names)
    kinds = ("headers", "recipients", "bodies", "attachments", "hops", "folders")
    having = [kind for kind in kinds if wanted <= {column.name for column in schema.FRAMES[kind]}]
    return f"session.{having[0] if having else 'headers'}() returns"
