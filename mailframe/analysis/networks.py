"""Who writes to whom: edges from senders to those who receive."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from mailframe import schema
from mailframe.analysis.columns import check_columns, moments, text, time_column
from mailframe.analysis.identity import my_addresses
from mailframe.analysis.periods import frequency_of, timeline, zone_of
from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from numpy.typing import NDArray

    from mailframe.analysis.identity import Me
    from mailframe.analysis.periods import Timeline

__all__ = ["network"]

#: The roles of those who receive a message.
_RECEIVING = ("to", "cc", "bcc")
_KEY = tuple(column.name for column in schema.KEY)


class _Sent(NamedTuple):
    """Messages, and a row for each one who received one: parallel arrays of numbers."""

    #: People in alphabetical order.
    people: pd.Index[Any]
    #: Of each message the number of who sent it, or -1.
    sender: NDArray[np.int64]
    #: Which message, and who received it.
    message: NDArray[np.int64]
    receiver: NDArray[np.int64]


def network(
    recipients: pd.DataFrame,
    *,
    headers: pd.DataFrame | None = None,
    roles: str | Sequence[str] = ("to", "cc"),
    directed: bool = True,
    freq: str | None = None,
    tz: str | tzinfo = "UTC",
    on: str = "date",
    without_me: bool = False,
    me: Me = None,
) -> pd.DataFrame:
    """Tell who writes to whom, and how much.

    An edge leads from the address in From (the first, where there are several) to each address
    that the message went to; both in lower case. Nobody is their own neighbour: what people send
    to themselves is no edge.

    Parameters
    ----------
    recipients
        Of messages, with the columns ``account``, ``folder``, ``uidvalidity``, ``uid``, ``role``,
        ``position`` and ``address``.
    headers
        Of the same messages: those that are not in it do not count. With the key, the column
        ``on``, and ``utc_offset`` for periods by ``tz="sender"``; where it has ``message_id``, the
        copies of a message in several folders count once.
    roles
        Of the receivers: ``"to"``, ``"cc"``, ``"bcc"``.
    directed
        Otherwise both directions are one edge, from the address that is first in the alphabet.
    freq, tz
        Edges a period, as for `mailframe.analysis.volume`. This takes ``headers``.
    on
        ``"date"``, when it was sent; ``"internal_date"``, when the server received it.
    without_me
        Leave out the edges from me and to me.
    me
        Who that is: an address, several, or a frame of `mailframe.analysis.identities`; guessed
        from the frame otherwise.

    Returns
    -------
    DataFrame
        A row an edge, most messages first, in alphabetical order where equal; with ``freq`` a row
        an edge and ``period`` with messages, in order of periods. ``source`` and ``target``;
        ``messages`` (int64); ``weight`` (float64): each message shares 1 among those who receive
        it, as a paper does among an author's co-authors: the sum of 1 / (n - 1) over messages of
        n people [1]_. So mail to one tells more of a tie than mail to a hundred. With ``headers``
        also ``first`` and ``last``, when; missing where no message has a date.
        ``attrs["without_edge"]`` counts the messages that have no sender or nobody else who
        receives them; with ``headers``, ``attrs["without_header"]`` those that are not in it, and
        ``attrs["undated"]`` those with an edge and without a date, which are in no period.

    Raises
    ------
    QueryError
        For a column that is missing, for what is no role, period or time, and for ``without_me``
        where nothing tells who I am.

    References
    ----------
    .. [1] M. E. J. Newman, "Scientific collaboration networks. II", Physical Review E 64, 016132
       (2001), equation 2.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     recipients = session.recipients(folder="*")
    >>> edges = network(recipients, without_me=True)
    >>> edges[edges["target"] == "jonas.ek@fyrbak.example"].head(2)
                             source                   target  messages    weight
    21   anders.back@fyrbak.example  jonas.ek@fyrbak.example         8  2.983333
    28  nadia.rahimi@fyrbak.example  jonas.ek@fyrbak.example         8  2.658333

    The first message has two receivers, half a weight each; the second one has one:

    >>> recipients = pd.DataFrame({
    ...     "account": "me", "folder": "INBOX", "uidvalidity": 1, "uid": [1, 1, 1, 2, 2],
    ...     "role": ["from", "to", "cc", "from", "to"], "position": 0,
    ...     "address": ["ann@x.example", "bob@x.example", "cy@x.example", "Ann@x.example",
    ...                 "bob@x.example"],
    ... })
    >>> network(recipients)
              source         target  messages  weight
    0  ann@x.example  bob@x.example         2     1.5
    1  ann@x.example   cy@x.example         1     0.5
    """
    roles = _checked(roles)
    check_columns(recipients, [*_KEY, "role", "position", "address"])
    frequency = None if freq is None else frequency_of(freq)
    zone = zone_of(tz)
    if headers is None and frequency is not None:
        raise QueryError(
            "Recipients have no dates: periods cannot be told from them.",
            suggestion="Give the headers of the same messages: network(…, freq=…, headers=…).",
        )
    dates = None
    if headers is not None:
        by_sender = ["utc_offset"] if frequency is not None and zone.zone is None else []
        check_columns(headers, [*_KEY, time_column(on), *by_sender])
    numbers, rows = _numbered(recipients, headers)
    sent = _sent(recipients, numbers, roles)
    attrs = {**recipients.attrs}
    if headers is not None:
        attrs["without_header"] = int((~_among(sent.sender, rows)).sum())
        sent, dates = _joined(sent, headers, rows, on)
    mine: Sequence[int] | NDArray[np.int64] = []
    if without_me:
        mine = _numbers_of_me(recipients, headers, me, sent.people)
    linked = np.bincount(sent.message, minlength=len(sent.sender)) > 0
    attrs["without_edge"] = int((~linked).sum())
    period: Timeline | None = None
    if dates is not None:
        attrs |= {"on": on, "undated": int(dates[on][linked].isna().sum())}
        if frequency is not None:
            period = timeline(dates, frequency, zone, on)
            attrs |= {"tz": zone.name, "undated": int((period.places[linked] < 0).sum())}
    result = _edges(sent, dates, period, on, mine, directed=directed)
    result.attrs = attrs
    return result


def _checked(roles: str | Sequence[str]) -> tuple[str, ...]:
    chosen = (roles,) if isinstance(roles, str) else tuple(roles)
    wrong = [role for role in chosen if role not in _RECEIVING]
    if wrong or not chosen:
        raise QueryError(
            f"roles={roles!r} are not those of people who receive a message.",
            suggestion=f"Of {', '.join(map(repr, _RECEIVING))}, one or more.",
        )
    return chosen


def _numbered(
    recipients: pd.DataFrame, headers: pd.DataFrame | None
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give the messages of both frames the same numbers by their keys, from 0, without a gap."""
    frames = [recipients] if headers is None else [recipients, headers]
    numbers = np.zeros(sum(map(len, frames)), dtype="int64")
    for name in _KEY:
        whole = name in ("uidvalidity", "uid")
        parts = [frame[name].astype("Int64") if whole else frame[name] for frame in frames]
        dtypes = {one.dtype for one in parts}
        if not whole and not (len(dtypes) == 1 and isinstance(parts[0].dtype, pd.CategoricalDtype)):
            parts = [text(frame, name) for frame in frames]  # categories of two sessions differ
        codes, found = pd.factorize(pd.concat(parts), use_na_sentinel=False)
        numbers, _ = pd.factorize(numbers * max(len(found), 1) + codes)
    return numbers[: len(recipients)], numbers[len(recipients) :]


def _sent(recipients: pd.DataFrame, numbers: NDArray[np.int64], roles: Sequence[str]) -> _Sent:
    addresses = text(recipients, "address").str.strip().str.lower()
    people, names = pd.factorize(addresses.mask(addresses == ""), sort=True)
    role, known = recipients["role"], people >= 0
    writes = role.isin(["from"]).to_numpy(bool) & known
    position = recipients["position"].astype("Int64").fillna(0).to_numpy("int64")
    # From the last one to the first: of several, the first one is left standing.
    order = np.lexsort((people[writes], position[writes]))[::-1]
    sender = np.full(numbers.max(initial=-1) + 1, -1, dtype="int64")
    sender[numbers[writes][order]] = people[writes][order]
    receives = role.isin(roles).to_numpy(bool) & known
    message, receiver = _distinct(numbers[receives], people[receives], len(names))
    linked = (sender[message] >= 0) & (sender[message] != receiver)
    return _Sent(pd.Index(names), sender, message[linked], receiver[linked])


def _distinct(
    one: NDArray[np.int64], other: NDArray[np.int64], others: int
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    # (numpy's unique looks at each number by its hash first: three times as long.)
    pairs = np.sort(one * max(others, 1) + other)
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    return pairs // max(others, 1), pairs % max(others, 1)


def _among(sender: NDArray[np.int64], rows: NDArray[np.int64]) -> NDArray[np.bool_]:
    there = np.zeros(len(sender), dtype=bool)
    there[rows[rows < len(sender)]] = True
    return there


def _joined(
    sent: _Sent, headers: pd.DataFrame, rows: NDArray[np.int64], on: str
) -> tuple[_Sent, pd.DataFrame]:
    """Keep what headers know, the copies of a message as one, and tell the date of each."""
    messages = len(sent.sender)
    own = rows < messages  # a header may be of a message without recipients
    rows = rows[own]
    copy_of = np.arange(messages)
    if "message_id" in headers.columns:
        ids = text(headers, "message_id").to_numpy(object)[own]
        ids, _ = pd.factorize(pd.Series(ids, dtype="str").replace("", None), sort=True)
        of_id = np.full(messages, -1, dtype="int64")
        np.maximum.at(of_id, rows, ids)
        # What two people sent are two messages, though they have one id.
        same = of_id * (len(sent.people) + 1) + sent.sender + 1
        copy_of = np.where(of_id >= 0, same, -1 - np.arange(messages))
    is_there = np.zeros(messages, dtype=bool)
    is_there[rows] = True
    _, number = np.unique(copy_of[is_there], return_inverse=True)
    place = np.full(messages, -1, dtype="int64")
    place[is_there] = number
    count = int(number.max(initial=-1)) + 1
    sender = np.full(count, -1, dtype="int64")
    sender[number] = sent.sender[is_there]
    kept = is_there[sent.message]
    message, receiver = _distinct(place[sent.message[kept]], sent.receiver[kept], len(sent.people))
    dates = _earliest(headers[own], place[rows], on)
    return _Sent(sent.people, sender, message, receiver), dates


def _earliest(headers: pd.DataFrame, number: NDArray[np.int64], on: str) -> pd.DataFrame:
    """Return when each message was sent, by the copy with the earliest date."""
    facts = pd.DataFrame({"number": number, on: moments(headers, on).array})
    if "utc_offset" in headers.columns:
        facts["utc_offset"] = headers["utc_offset"].astype("Int64").array
    ordered = facts.sort_values(list(facts.columns), na_position="last")
    return ordered.drop_duplicates("number").set_index("number")


def _numbers_of_me(
    recipients: pd.DataFrame,
    headers: pd.DataFrame | None,
    me: Me,
    people: pd.Index[Any],
) -> NDArray[np.int64]:
    if headers is None:
        wrote = recipients[text(recipients, "role") == "from"]
        headers = wrote.rename(columns={"address": "from_address", "name": "from_name"})
    return np.flatnonzero(people.isin(list(my_addresses(headers, me))))


def _edges(
    sent: _Sent,
    dates: pd.DataFrame | None,
    period: Timeline | None,
    on: str,
    mine: Sequence[int] | NDArray[np.int64],
    *,
    directed: bool,
) -> pd.DataFrame:
    message, target = sent.message, sent.receiver
    source = sent.sender[message]
    weight = 1 / np.bincount(message, minlength=1)[message]
    place = np.zeros(len(message), dtype="int64") if period is None else period.places[message]
    kept = (place >= 0) & ~np.isin(source, mine) & ~np.isin(target, mine)
    message, source, target, weight = message[kept], source[kept], target[kept], weight[kept]
    if not directed:
        source, target = np.minimum(source, target), np.maximum(source, target)
    people = max(len(sent.people), 1)
    each = (place[kept] * people + source) * people + target
    # What is added up in the same order is the same to the last digit, whatever the order of rows.
    ordered = np.lexsort((weight, each))
    message, weight = message[ordered], weight[ordered]
    each = each[ordered]
    begins = np.diff(each, prepend=-1) > 0
    edges, which = each[begins], np.cumsum(begins) - 1
    messages = np.bincount(which, minlength=len(edges))
    when, pair = edges // people**2, edges % people**2
    order = np.lexsort((pair, -messages, when))
    columns: dict[str, Any] = {} if period is None else {"period": period.starts[when[order]]}
    columns |= {
        "source": sent.people.take(pair[order] // people).astype("str"),
        "target": sent.people.take(pair[order] % people).astype("str"),
        "messages": messages[order].astype("int64"),
        "weight": np.bincount(which, weight, len(edges)).astype("float64")[order],
    }
    if dates is not None:
        times = dates[on].iloc[message].groupby(which)
        columns |= {"first": times.min().array[order], "last": times.max().array[order]}
    return pd.DataFrame(columns)
