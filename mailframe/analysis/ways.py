"""The hops of many messages side by side: in order, each once, with what clocks say of them."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from mailframe import schema
from mailframe.analysis.clocks import read_clocks, stamps
from mailframe.analysis.columns import text

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mailframe.analysis.clocks import Readings

__all__ = ["Way", "encryption", "hosts_of", "way_of"]

_KEY = [column.name for column in schema.KEY]
_NAT = np.datetime64("NaT", "us")

# What says that a connection was encrypted, and what says that it was not (RFC 3848 and RFC 6531).
# SMTP and LMTP say neither: Exchange writes SMTP over TLS as well, and LMTP is no way between sites
# (RFC 2033 section 1).
_TLS = frozenset(
    {"ESMTPS", "ESMTPSA", "UTF8SMTPS", "UTF8SMTPSA", "LMTPS", "LMTPSA", "UTF8LMTPS", "UTF8LMTPSA",
     "SMTPS", "SMTPSA", "HTTPS"}
)  # fmt: skip
_PLAIN = frozenset({"ESMTP", "ESMTPA", "UTF8SMTP", "UTF8SMTPA"})


class Way(NamedTuple):
    """The hops of all messages, each once, message by message, and what clocks say of them."""

    keys: pd.DataFrame
    #: Of each message its row in the headers, or -1.
    in_headers: NDArray[np.int64]
    #: Of each hop its row in the hops frame.
    rows: NDArray[np.int64]
    #: Of each hop the place of its message in ``keys``.
    messages: NDArray[np.int64]
    hop: NDArray[np.int64]
    times: NDArray[np.datetime64]
    #: Of each message, by the mailbox's clock.
    arrived: NDArray[np.datetime64]
    read: Readings
    tolerance: np.timedelta64


def way_of(hops: pd.DataFrame, headers: pd.DataFrame | None, tolerance: np.timedelta64) -> Way:
    """Bring hops into the order of their messages and of their way, and read the clocks.

    Parameters
    ----------
    hops
        With the key, ``hop`` and ``time``.
    headers
        With the key and ``internal_date``; their messages have a place too, hops or none.
    tolerance
        From `clocks.tolerated`.

    Raises
    ------
    QueryError
        If a column of times holds none.
    """
    frames = [hops] if headers is None else [hops, headers]
    both = pd.DataFrame(
        {
            name: pd.concat([text(frame, name) for frame in frames], ignore_index=True).astype(
                "category"
            )
            for name in _KEY[:2]
        }
        | {
            name: np.concatenate([frame[name].to_numpy("int64") for frame in frames])
            for name in _KEY[2:]
        }
    )
    numbers = both.groupby(_KEY, sort=False, observed=True, dropna=False).ngroup().to_numpy("int64")
    keys = both[~pd.Series(numbers).duplicated()].reset_index(drop=True)
    in_headers = np.full(len(keys), -1, dtype="int64")
    in_headers[numbers[len(hops) :][::-1]] = np.arange(len(both) - len(hops))[::-1]
    hop = hops["hop"].to_numpy("int64")
    rows = np.lexsort((hop, numbers[: len(hops)]))
    # Rows of one message that were put together twice are no way twice as long.
    again = pd.DataFrame({"message": numbers[rows], "hop": hop[rows]}).duplicated().to_numpy()
    rows = rows[~again]
    arrived: NDArray[np.datetime64] = np.full(len(keys), _NAT)
    if headers is not None:
        arrived = np.append(stamps(headers, "internal_date"), _NAT)[in_headers]
    times, messages = stamps(hops, "time")[rows], numbers[rows]
    read = read_clocks(messages, times, arrived, tolerance)
    return Way(keys, in_headers, rows, messages, hop[rows], times, arrived, read, tolerance)


def encryption(hops: pd.DataFrame, way: Way) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which hops say that they were encrypted, and which that they were not.

    Parameters
    ----------
    hops, way
        The frame with the column ``with``, and what `way_of` made of it.
    """
    codes, words = pd.factorize(text(hops, "with").str.upper())
    says = [np.append(pd.Index(words).isin(some), False) for some in (_TLS, _PLAIN)]
    tls, plain = (of_word[codes][way.rows] for of_word in says)
    return tls, plain


def hosts_of(hops: pd.DataFrame, way: Way) -> pd.Series[Any]:
    """Return the server of each hop: in lower case, missing where it is not known.

    Parameters
    ----------
    hops, way
        The frame with the column ``by_host``, and what `way_of` made of it.
    """
    hosts = text(hops, "by_host").str.lower().iloc[way.rows].reset_index(drop=True)
    return hosts.mask(hosts == "")
