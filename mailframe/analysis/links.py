"""Which message answers which: Message-ID, In-Reply-To, References (RFC 5322 section 3.6.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mailframe.analysis.columns import check_columns, text

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["LINKS", "parents"]

#: The columns that say it.
LINKS = ("message_id", "in_reply_to", "references")


def parents(headers: pd.DataFrame) -> NDArray[np.int64]:
    """Return which row each message answers.

    Parameters
    ----------
    headers
        Messages, with the columns `LINKS`.

    Returns
    -------
    ndarray
        int64, of the frame's length: the position of the row that is answered, the first of
        several copies; -1 where it is not in the frame, or the message answers none. That is the
        last id of In-Reply-To, or else the last one of References that is in the frame. No message
        answers itself; a circle of several is left as it is.

    Raises
    ------
    QueryError
        For a column that is missing.

    Examples
    --------
    >>> headers = pd.DataFrame({
    ...     "message_id": ["<1@a>", "<2@a>", "<3@a>"],
    ...     "in_reply_to": [None, "<1@a>", "<lost@a>"],
    ...     "references": [None, None, "<1@a> <2@a> <lost@a>"],
    ... })
    >>> parents(headers)
    array([-1,  0,  1])
    """
    check_columns(headers, LINKS)
    positions = np.arange(len(headers))
    ids = text(headers, "message_id")
    known = ids.notna().to_numpy() & (ids != "").to_numpy() & ~ids.duplicated().to_numpy()
    index = pd.Index(ids[known])
    places = np.append(positions[known], -1)  # what is not found (-1) is the last one

    def found(values: pd.Series[Any]) -> NDArray[np.int64]:
        rows: NDArray[np.int64] = places[index.get_indexer(pd.Index(values))]
        return rows

    # Some write the name and date of whom they answer before the id, so that the last word counts.
    answered = found(text(headers, "in_reply_to").str.rsplit(n=1).str[-1])
    words = text(headers, "references").reset_index(drop=True).str.split().explode().dropna()
    own = words.index.to_numpy()
    referred = np.full(len(headers), -1, dtype="int64")
    above = found(words)
    is_there = (above >= 0) & (above != own)
    referred[own[is_there]] = above[is_there]  # of several, the last one is left standing
    answered[answered == positions] = -1
    return np.where(answered >= 0, answered, referred)
