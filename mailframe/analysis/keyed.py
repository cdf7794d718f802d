"""Rows of several frames that are of one message, known by its key."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mailframe import schema
from mailframe.analysis.columns import check_columns, moments, text

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["KEY_NAMES", "messages_at", "numbered", "rows_of"]

#: The columns of a message's key.
KEY_NAMES = tuple(column.name for column in schema.KEY)
_WHOLE = frozenset({"uidvalidity", "uid"})
_TIMES = frozenset({"date", "internal_date"})
_COUNTS = frozenset({"size", "n_attachments", "attachment_size"})


def numbered(*frames: pd.DataFrame) -> list[NDArray[np.int64]]:
    """Give each message a number, the same in all frames.

    Parameters
    ----------
    *frames
        With the key columns.

    Returns
    -------
    list of ndarray
        int64, of each frame's length: from 0, in the order in which messages are met.

    Raises
    ------
    QueryError
        For a column that is missing.

    Examples
    --------
    >>> one = pd.DataFrame({"account": "me", "folder": "INBOX", "uidvalidity": 1, "uid": [7, 8, 7]})
    >>> numbered(one, one.tail(2))
    [array([0, 1, 0]), array([1, 0])]
    """
    for frame in frames:
        check_columns(frame, KEY_NAMES)
    numbers = np.zeros(sum(map(len, frames)), dtype="int64")
    for name in KEY_NAMES:
        whole = name in _WHOLE
        # As text: frames of several sessions have categories of their own.
        parts = [frame[name].astype("Int64") if whole else text(frame, name) for frame in frames]
        codes, found = pd.factorize(pd.concat(parts), use_na_sentinel=False)
        numbers, _ = pd.factorize(numbers * max(len(found), 1) + codes)
    ends = np.cumsum([len(frame) for frame in frames])[:-1]
    return np.split(numbers.astype("int64"), ends)


def rows_of(frame: pd.DataFrame, headers: pd.DataFrame) -> NDArray[np.int64]:
    """Find the header of the message that each row is of.

    Parameters
    ----------
    frame, headers
        With the key columns.

    Returns
    -------
    ndarray
        int64: a position in ``headers``, the first of several, or -1 where there is none.

    Raises
    ------
    QueryError
        For a column that is missing.
    """
    wanted, there = numbered(frame, headers)
    place = np.full(max(wanted.max(initial=-1), there.max(initial=-1)) + 1, -1, dtype="int64")
    place[there[::-1]] = np.arange(len(there))[::-1]  # the last one written stays
    return place[wanted]


def messages_at(
    headers: pd.DataFrame, rows: NDArray[np.int64], names: Sequence[str]
) -> pd.DataFrame:
    """Return messages as rows that a session takes.

    Parameters
    ----------
    headers
        With the key columns.
    rows
        Positions in it.
    names
        What is told of each beside its key, as far as the headers have it.

    Returns
    -------
    DataFrame
        In the order of ``rows``, with a plain RangeIndex; times and sizes as in the schema.
    """
    columns = [name for name in dict.fromkeys((*KEY_NAMES, *names)) if name in headers.columns]
    result = headers[columns].iloc[rows].reset_index(drop=True)
    for name in columns:
        if name in _TIMES:
            result[name] = moments(result, name)
        elif name in _COUNTS:
            result[name] = result[name].astype("Int64")
    return result
