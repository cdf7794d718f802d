"""Whom the mail is from."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from mailframe.analysis.columns import check_columns, moments, text, time_column
from mailframe.analysis.exchanges import end_of
from mailframe.analysis.habits import answered, gaps, internal, threshold
from mailframe.analysis.identity import my_sources
from mailframe.exceptions import QueryError
from mailframe.source import check_count

if TYPE_CHECKING:
    from collections.abc import Mapping
    from datetime import date, timedelta

    from numpy.typing import NDArray

    from mailframe.analysis.identity import Me

__all__ = [
    "Ranking",
    "caseless",
    "commonest",
    "rank",
    "sender_column",
    "sender_values",
    "senders",
    "told",
]


class Ranking(NamedTuple):
    """Senders in order, and who of them sent each message."""

    senders: pd.Index[Any]
    messages: NDArray[np.int64]
    #: Of each message the place of its sender in ``senders``, or -1.
    places: NDArray[np.int64]
    #: How many senders there are, be they in ``senders`` or not.
    total: int
    #: Messages whose sender is not known.
    unknown: int


#: What a sender is: the column that says it.
_BY: Mapping[str, str] = {"address": "from_address", "domain": "from_domain", "name": "from_name"}


def senders(
    headers: pd.DataFrame,
    *,
    top: int | None = None,
    by: str = "address",
    on: str = "date",
    me: Me = None,
    merge: pd.DataFrame | None = None,
    at: str | date | None = None,
    dormant_after: str | timedelta = "180d",
    new_within: str | timedelta = "30d",
) -> pd.DataFrame:
    """Tell who sent how much.

    Parameters
    ----------
    headers
        Messages, with the columns ``from_address``, ``size``, ``seen``, ``answered`` and ``on``;
        ``from_name`` and ``from_domain`` by ``by``. Where there are ``message_id`` and
        ``in_reply_to``, my own replies count as answers, and copies of a message make no gap.
    top
        Only so many, those with the most messages.
    by
        ``"address"`` (in lower case), ``"domain"``, or ``"name"``, the display name.
    on
        ``"date"``, when it was sent; ``"internal_date"``, when the server received it.
    me
        My address, several, or a frame with a column ``address``; None: guessed from the frame,
        and if nothing tells, done without.
    merge
        Addresses that are one person's, as `people` proposes: columns ``address`` and ``person``.
    at
        The moment that ``dormant`` and ``new`` look back from, UTC where it has no zone. None: the
        newest one of the frame, or the newest ``internal_date`` where that is earlier: some mail
        is dated in the future.
    dormant_after, new_within
        How long without a message makes a sender dormant; how short a time ago the first message
        of a new one was: ``"30d"``, ``"6m"`` (months), ``"1y"``, or a timedelta.

    Returns
    -------
    DataFrame
        A row a sender, most messages first, in alphabetical order where equal. ``address`` and
        ``name``, the display name used most; or ``domain`` and ``addresses``, how many there are;
        or ``name`` and ``address``, the one used most. ``messages``; ``share`` of all messages, 0
        to 1; ``first`` and ``last``, when; ``gap``, the median time from one message to the next,
        missing where there are not two; ``size`` in all and ``median_size``, in bytes, of those
        whose size is known; ``read_rate`` and ``answered_rate``, the shares that are flagged as
        read, and that are flagged as answered or have a reply of mine, 0 to 1; ``internal``
        (boolean; missing where it is not known who I am): the address is mine, or all messages are
        from a domain of mine (the registered one, so far as tldextract is installed, and what is
        below it), unless anybody gets an address there, as at gmail.com; ``dormant`` and ``new``.
        ``attrs["without_sender"]`` counts the messages whose sender is not known: they are in no
        row, but among all messages. ``attrs["at"]`` says what was looked back from.

    Raises
    ------
    QueryError
        For a column that is missing, and for what is no number, no time or no kind of sender.

    Notes
    -----
    Read and answered are the flags Seen and Answered (RFC 9051 section 2.3.2).

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers()
    >>> senders(headers, top=2)[["address", "messages", "median_size", "read_rate"]].round(2)
                              address  messages  median_size  read_rate
    0         ci@build.fyrbak.example        80         1276       0.76
    1  monitor@monitor.fyrbak.example        56         1332       0.75
    """
    columns = [sender_column(by), "from_address", *(["from_name"] if by == "address" else [])]
    check_columns(headers, [*columns, time_column(on), "size", "seen", "answered"])
    values = sender_values(headers, by)
    if merge is not None:
        values = _merged(values, by, merge)
    ranking = rank(values, top)
    result = told(headers, ranking, by, on=on, me=me)
    now = end_of(headers, at, on)
    result["dormant"] = result["last"] < threshold("dormant_after", dormant_after, now)
    result["new"] = result["first"] > threshold("new_within", new_within, now)
    result.attrs = {
        **headers.attrs,
        "on": on,
        "without_sender": ranking.unknown,
        "at": None if pd.isna(now) else now.isoformat(),
    }
    return result


def told(
    headers: pd.DataFrame, ranking: Ranking, by: str, *, on: str, me: Me = None
) -> pd.DataFrame:
    """Describe senders: the columns of `senders` that look back from no moment.

    Parameters
    ----------
    headers, by, on, me
        As for `senders`.
    ranking
        Whom to describe.
    """
    mine = my_sources(headers, me)
    facts = pd.DataFrame(
        {
            "moment": moments(headers, on).array,
            "size": headers["size"].astype("Int64").array,
            "seen": headers["seen"].astype("float64").array,
            "answered": answered(headers, mine).array,
        }
    )
    known = ranking.places >= 0
    grouped = facts[known].groupby(ranking.places[known])
    near = pd.Series(internal(headers, mine)[known]).groupby(ranking.places[known]).all()
    columns = {
        by: ranking.senders,
        **_companion(headers, ranking, by),
        "messages": ranking.messages,
        "share": ranking.messages / max(len(headers), 1),
        "first": grouped["moment"].min(),
        "last": grouped["moment"].max(),
        "gap": gaps(headers, ranking.places, facts["moment"], len(ranking.senders)),
        "size": grouped["size"].sum(min_count=1),
        # Half a byte is no size.
        "median_size": grouped["size"].median().round().astype("Int64"),
        "read_rate": grouped["seen"].mean(),
        "answered_rate": grouped["answered"].mean(),
        "internal": near.astype("boolean") if mine else pd.array([None] * len(near), "boolean"),
    }
    return pd.DataFrame(columns).reset_index(drop=True)


def _merged(addresses: pd.Series[Any], by: str, merge: pd.DataFrame) -> pd.Series[Any]:
    """Put the address that stands for a person in place of the person's others."""
    if by != "address":
        raise QueryError(
            f"merge= joins addresses; by={by!r} counts none.", suggestion='by="address".'
        )
    check_columns(merge, ["address", "person"])
    pairs = pd.DataFrame(
        {name: text(merge, name).str.lower() for name in ("address", "person")}
    ).drop_duplicates()
    several = pairs["address"][pairs["address"].duplicated()]
    if len(several):
        raise QueryError(
            f"merge= says of {several.iloc[0]!r} that it is two persons'.",
            suggestion="Drop one of the rows.",
        )
    persons = addresses.map(pairs.set_index("address")["person"])
    return persons.where(persons.notna(), addresses).astype("str")


def sender_column(by: str) -> str:
    """Return the column that says who a sender is.

    Parameters
    ----------
    by
        ``"address"``, ``"domain"`` or ``"name"``.

    Raises
    ------
    QueryError
        For anything else.
    """
    if not isinstance(by, str) or by not in _BY:
        raise QueryError(
            f"by={by!r} is no kind of sender.",
            suggestion=f"One of {', '.join(map(repr, _BY))}.",
        )
    return _BY[by]


def sender_values(headers: pd.DataFrame, by: str) -> pd.Series[Any]:
    """Return who sent each message: missing where nobody knows, never empty.

    Parameters
    ----------
    headers
        With the column `sender_column`.
    by
        ``"address"``, ``"domain"`` or ``"name"``.
    """
    return caseless(text(headers, sender_column(by)), by)


def caseless(values: pd.Series[Any], by: str) -> pd.Series[Any]:
    """Make one of what differs in case alone; missing where nobody knows, never empty.

    Parameters
    ----------
    values
        Text.
    by
        ``"address"`` or ``"domain"``, in which case makes no difference, or ``"name"``.
    """
    if by != "name":
        values = values.str.lower()
    return values.mask(values == "")


def rank(values: pd.Series[Any], top: int | None = None) -> Ranking:
    """Order senders by their messages, in alphabetical order where equal.

    Parameters
    ----------
    values
        From `sender_values`.
    top
        Only so many.

    Raises
    ------
    QueryError
        If ``top`` is no number of senders.
    """
    check_count("top", top, "senders")
    codes, found = pd.factorize(values, sort=True)
    known = codes >= 0
    messages = np.bincount(codes[known], minlength=len(found)).astype("int64")
    order = np.argsort(-messages, kind="stable")[:top]
    place = np.full(len(found), -1, dtype="int64")
    place[order] = np.arange(len(order))
    places = np.full(len(values), -1, dtype="int64")
    places[known] = place[codes[known]]
    names = pd.Index(found).take(order).astype("str")
    return Ranking(names, messages[order], places, len(found), int((~known).sum()))


def commonest(ranking: Ranking, values: pd.Series[Any]) -> pd.Series[Any]:
    """Return what goes most often with each sender, the first of the alphabet where equal.

    Parameters
    ----------
    ranking
        Senders.
    values
        Text, a row a message. Missing and empty values do not count.

    Returns
    -------
    Series
        A value for each sender, in their order; missing where there is none.
    """
    codes, found = pd.factorize(values.mask(values == ""), sort=True)
    pairs = pd.DataFrame({"sender": ranking.places, "value": codes})
    counted = pairs[(pairs["sender"] >= 0) & (pairs["value"] >= 0)].value_counts(sort=False)
    # Sorted by sender and value: of those that are equal the first one stays the first.
    rows = counted.sort_index().sort_values(ascending=False, kind="stable").reset_index()
    first = rows.drop_duplicates("sender").set_index("sender")["value"]
    texts = pd.Series(pd.Index(found).take(first.to_numpy()), index=first.index, dtype="str")
    result: pd.Series[Any] = texts.reindex(range(len(ranking.senders)))
    return result


def _companion(headers: pd.DataFrame, ranking: Ranking, by: str) -> dict[str, pd.Series[Any]]:
    """Return the column that helps to recognise a sender."""
    if by == "address":
        return {"name": commonest(ranking, text(headers, "from_name"))}
    addresses = sender_values(headers, "address")
    if by == "name":
        return {"address": commonest(ranking, addresses)}
    known = ranking.places >= 0
    counted = addresses[known].groupby(ranking.places[known]).nunique()
    return {"addresses": counted.astype("int64")}
