"""How much mail there was, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mailframe.analysis.columns import check_columns, time_column
from mailframe.analysis.groups import grouped, grouping
from mailframe.analysis.periods import frequency_of, timeline, zone_of
from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from datetime import tzinfo

    from numpy.typing import NDArray

    from mailframe.analysis.identity import Me
    from mailframe.analysis.periods import Timeline

__all__ = ["summed_sizes", "volume"]

# A gigabyte of frame, and more than anybody looks at.
_MOST_ROWS = 10_000_000
_OWN = frozenset({"period", "messages", "size"})


def volume(
    headers: pd.DataFrame,
    freq: str = "W",
    *,
    by: str | None = None,
    tz: str | tzinfo = "UTC",
    on: str = "date",
    me: Me = None,
) -> pd.DataFrame:
    """Count messages and bytes a period.

    Parameters
    ----------
    headers
        Messages, with the columns ``size`` and ``on``, that of ``by``, and ``utc_offset`` where
        ``tz="sender"``.
    freq
        ``"h"``, ``"D"``, ``"W"`` (weeks from Monday; pandas' ``"W-SAT"``: from Sunday), ``"M"``,
        ``"Q"`` or ``"Y"``.
    by
        Counted apart: ``"account"``, ``"folder"``, ``"address"``, ``"domain"`` (both the
        sender's), ``"list"``, ``"direction"`` (``"sent"`` by me, to myself too, ``"received"``,
        or ``"draft"``), or any column.
    tz
        Whose midnight ends a day: a name like ``"Europe/Berlin"``, ``"local"`` (this machine's),
        ``"sender"`` (each sender's own, UTC where it is not known), or a tzinfo.
    on
        ``"date"``, when it was sent; ``"internal_date"``, when the server received it.
    me
        Who I am, for ``by="direction"``: an address, several, or a frame with a column
        ``address``; None: guessed from the frame (`identities`).

    Returns
    -------
    DataFrame
        A row a period, and a group where there are some; those without mail included, from the
        first message to the last. ``period``: when it begins, in that zone (without a zone for
        ``"sender"``); the group, under the name of ``by``; ``messages`` (int64); ``size`` (Int64,
        bytes; of those whose size is known, missing where none is).
        ``attrs["undated"]`` counts the messages that are in no period: those without a date, or
        with one before 1970 or after 2099.

    Raises
    ------
    QueryError
        For a column that is missing, a period or zone that nobody knows, periods so many that no
        memory holds them, and directions if nothing tells who I am.

    Notes
    -----
    The date and the sender's offset are those of the Date field (RFC 5322 section 3.6.1), the
    internal date and the size those that the server tells (RFC 9051 sections 2.3.3 and 2.3.4).

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> volume(headers, "Y", by="direction").tail(3)
                         period direction  messages     size
    6 2026-01-01 00:00:00+00:00  received       574  2026388
    7 2026-01-01 00:00:00+00:00      sent       166   188289
    8 2026-01-01 00:00:00+00:00     draft         2     1041

    A day begins at midnight by the clock in use on it, and one without mail has a row:

    >>> headers = pd.DataFrame({
    ...     "date": pd.to_datetime(["2025-03-30 21:59", "2025-04-01 00:00"], utc=True),
    ...     "size": [1000, 20],
    ... })
    >>> volume(headers, "D", tz="Europe/Berlin")
                         period  messages  size
    0 2025-03-30 00:00:00+01:00         1  1000
    1 2025-03-31 00:00:00+02:00         0     0
    2 2025-04-01 00:00:00+02:00         1    20
    """
    frequency, zone = frequency_of(freq), zone_of(tz)
    columns = grouping(headers, by)
    if by in _OWN:
        raise QueryError(
            f"by={by!r} has the name of a column of the result.",
            suggestion="Rename the column first: df.rename(columns=…).",
        )
    offset = ["utc_offset"] if zone.zone is None else []
    check_columns(headers, [time_column(on), "size", *columns, *offset])
    line = timeline(headers, frequency, zone, on)
    dated = line.places >= 0
    if by is None:
        codes, groups = np.zeros(len(headers), dtype="int64"), pd.Index([""])
    else:
        values = grouped(headers, by, me)
        codes, groups = _groups(values[dated], line.places)
    _check_rows(line, len(groups), freq)
    cells = line.places[dated] * len(groups) + codes[dated]
    result = _grid(line, by, groups)
    if columns and isinstance(headers[columns[0]].dtype, pd.CategoricalDtype):
        result[by] = result[by].astype("category")
    result["messages"] = np.bincount(cells, minlength=len(result)).astype("int64")
    result["size"] = summed_sizes(headers["size"][dated], cells, result["messages"])
    result.attrs = {
        **headers.attrs,
        "on": on,
        "tz": zone.name,
        "undated": int((~dated).sum()),
    }
    return result


def summed_sizes(
    sizes: pd.Series[Any], cells: NDArray[np.int64], messages: pd.Series[Any]
) -> pd.Series[Any]:
    """Add up sizes, exactly.

    Parameters
    ----------
    sizes
        Of each message, in bytes; missing where it is not known.
    cells
        Of each message where it counts: a position of ``messages``.
    messages
        How many there are.

    Returns
    -------
    Series
        Int64, aligned with ``messages``: of those whose size is known, missing where none is.
    """
    known = sizes.notna().to_numpy()
    octets = sizes[known].to_numpy("int64")
    total = np.zeros(len(messages), dtype="int64")
    np.add.at(total, cells[known], octets)
    counted = np.bincount(cells[known], minlength=len(messages))
    summed: pd.Series[Any] = pd.Series(total, index=messages.index).astype("Int64")
    return summed.mask((counted == 0) & (messages > 0))


def _groups(
    values: pd.Series[Any], places: NDArray[np.int64]
) -> tuple[NDArray[np.int64], pd.Index[Any]]:
    """Assign numbers to groups in order, the one without a value last; what has no date gets -1."""
    found, groups = pd.factorize(values, sort=True, use_na_sentinel=False)
    codes = np.full(len(places), -1, dtype="int64")
    codes[places >= 0] = found
    return codes, pd.Index(groups)


def _grid(line: Timeline, by: str | None, groups: pd.Index[Any]) -> pd.DataFrame:
    columns: dict[str, Any] = {"period": line.starts.repeat(len(groups))}
    if by is not None:
        columns[by] = groups.take(np.tile(np.arange(len(groups)), len(line.starts)))
    return pd.DataFrame(columns)


def _check_rows(line: Timeline, groups: int, freq: str) -> None:
    rows = len(line.starts) * groups
    if rows > _MOST_ROWS:
        raise QueryError(
            f"{len(line.starts):,} periods of freq={freq!r}, from {line.starts[0]} to "
            f"{line.starts[-1]}, for {groups:,} groups would be {rows:,} rows.",
            suggestion="Choose longer periods, fewer groups, or leave out messages with dates far "
            "from the others.",
        )
