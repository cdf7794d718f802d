"""How messages came: which servers they passed, how long each kept them, and who vouches for it."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import pandas_dtype

from mailframe import schema
from mailframe.analysis.clocks import CLOCK, plausible, stamps, tolerated
from mailframe.analysis.columns import check_columns, text
from mailframe.analysis.verdicts import verdicts
from mailframe.analysis.ways import encryption, hosts_of, way_of
from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import timedelta

    from numpy.typing import NDArray

    from mailframe.analysis.ways import Way

__all__ = ["delivery"]

_KEY = [column.name for column in schema.KEY]
_NEEDED = {"message": ["by_host", "with"], "host": ["by_host", "with"], "hop": ["by_host"]}
_BESIDES = ("from_host", "by_host", "with")

_OFF = ("ahead", "behind")
_NAT, _UNKNOWN = np.datetime64("NaT", "us"), np.timedelta64("NaT", "us")
# 146,000 years: what a host has lost in all is not worth an overflow.
_MOST = 2.0**62


def delivery(
    hops: pd.DataFrame,
    headers: pd.DataFrame | None = None,
    *,
    by: str = "message",
    trusted: str | Iterable[str] | None = None,
    tolerance: str | timedelta = "1s",
) -> pd.DataFrame:
    """Tell how messages came: which servers kept them how long, and whose clock is wrong.

    Parameters
    ----------
    hops
        From ``session.hops()``, with the key, ``hop``, ``time`` and ``by_host``; ``with`` too,
        unless by hop.
    headers
        Messages, with the key and ``internal_date``, by message ``date`` as well, and perhaps
        ``authentication_results``, from ``headers(fields=["Authentication-Results"])``.
        ``internal_date`` is one clock more where those of the hops disagree.
    by
        ``"message"``, ``"host"`` or ``"hop"``: what a row is.
    trusted
        By message: the servers (authserv-id) whose Authentication-Results are believed. None: the
        topmost field is, whoever wrote it.
    tolerance
        A step back in time by no more than this is none.

    Returns
    -------
    DataFrame
        Clocks: ``ok`` are those on every longest run of stamps without a step back in time.
        ``ahead`` or ``behind`` is what contradicts these, or what is before 1982, or after 2099.
        ``unknown`` is where no stamp can be read, where more than a hundred of them disagree, and
        where it cannot be told which of them is wrong, as with two of them alone. A delay is the
        time since the last hop whose clock is ok; others have none, and no delay is negative.
        Steps back of no more than ``tolerance`` each that together are more leave all clocks ok,
        while ``clocks_disagree`` and ``backwards`` tell of them.

        By message: a row each, of the hops or of the headers, the latest first. Its key; ``hops``,
        how many (int64); ``sent``, the sender's Date; ``received``, the stamp of the last hop whose
        clock is ok, else the internal date, else the last stamp; ``total``, how long it took until
        the last hop whose clock is ok, from ``sent``, or from the first such hop, if that is
        earlier or nothing else is known; ``slowest``, the longest delay, with ``slowest_hop``
        (Int64) and ``slowest_host``; ``encrypted`` (boolean), whether all hops that say so were
        encrypted, missing where none says; ``unencrypted``, how many say they were not;
        ``backwards``, by how much a stamp is earlier than one before it, at most: zero where none
        is, missing where there are not two; ``clocks_disagree``: by more than ``tolerance``, or a
        clock is ahead or behind; ``spf``, ``dkim``, ``dmarc``, ``arc`` (category: pass, fail,
        none, …), and ``authserv``, who says so. ``attrs`` count the messages ``without_hops`` and
        those whose ``clocks_disagree``.

        By host: a row each that received messages, the one where most time went first.
        ``host``; ``messages``; ``lost``, its delays together; ``median``, ``p90`` and ``longest``
        of them; ``negative``, how often a stamp of its is earlier than one before; ``skew``, how
        far its clock is off at least, negative where it is behind: the median, over the stamps of
        which it can be told; ``first`` and ``last`` stamp; ``encrypted``, the share of the hops
        that say so, 0 to 1. ``attrs["without_host"]`` counts hops whose server is not known.

        By hop: a row each, in the order of the messages above. Its key, ``hop``, ``from_host``,
        ``by_host`` and ``with``, where they are there; ``time``; ``delay``; ``elapsed``, since the
        first hop whose clock is ok; ``clock`` (category), and ``off``, by how much at least it is
        ahead, or, negative, behind; ``backwards``, by how much the stamp is earlier than the latest
        before it, zero where it is not. ``attrs["without_time"]`` counts hops without a stamp.

    Raises
    ------
    QueryError
        For a column that is missing, and for ``by``, ``trusted`` or ``tolerance`` that make no
        sense.

    Notes
    -----
    Received fields are those of RFC 5321 section 4.4; what they say of encryption is in RFC 3848,
    where only the words with an S of their own mean TLS. Whoever hands a message over can have
    forged every field that was there before, its stamps too. A clock that is wrong the same way in
    all stamps, or in the first one and slow, cannot be told from a delay.

    Of Authentication-Results (RFC 8601) only what one's own server wrote counts (section 7.1). It
    puts its field on top; but where it writes none, the topmost one came with the message, and
    where it writes several, only one is read: name the server then as ``trusted``. Of each trusted
    server its topmost field counts, and those directly below that have its name and tell of other
    methods. Where a server does not remove what claims to be from it, as section 5 asks of it, such
    a field that came with the message can fill in a method that the server itself says nothing
    about, but none that it does. Of several DKIM signatures one that passes is enough; of other
    methods the first result counts.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     hops = session.hops()
    ...     headers = session.headers(fields=["Authentication-Results"])
    >>> told = delivery(hops, headers)
    >>> told.nlargest(2, "total")[["uid", "hops", "total", "slowest_host", "dmarc"]]
         uid  hops           total        slowest_host dmarc
    67   935     4 0 days 01:27:08  mx1.fyrbak.example  pass
    428  574     3 0 days 01:23:05  mx1.fyrbak.example  pass
    >>> delivery(hops, by="host")[["host", "messages", "median", "longest"]].head(2)
                      host  messages          median         longest
    0   mx1.fyrbak.example       546 0 days 00:00:03 0 days 01:27:02
    1  imap.fyrbak.example      1002 0 days 00:00:02 0 days 00:00:03

    That it is the second clock which is wrong, all the others tell:

    >>> minutes = pd.to_timedelta([0, 7, 2, 5], unit="min")
    >>> hops = pd.DataFrame({
    ...     "account": "me", "folder": "INBOX", "uidvalidity": 1, "uid": 1, "hop": range(4),
    ...     "by_host": ["a.example", "b.example", "c.example", "d.example"],
    ...     "time": pd.Timestamp("2025-03-01T10:00Z") + minutes,
    ... })
    >>> delivery(hops, by="hop")[["by_host", "delay", "clock", "off"]]
         by_host           delay  clock             off
    0  a.example             NaT     ok 0 days 00:00:00
    1  b.example             NaT  ahead 0 days 00:05:00
    2  c.example 0 days 00:02:00     ok 0 days 00:00:00
    3  d.example 0 days 00:03:00     ok 0 days 00:00:00
    """
    if not isinstance(by, str) or by not in _NEEDED:
        raise QueryError(
            f"by={by!r} is nothing that deliveries are told by.",
            suggestion=f"One of {', '.join(map(repr, _NEEDED))}.",
        )
    check_columns(hops, [*_KEY, "hop", "time", *_NEEDED[by]])
    if headers is not None:
        dates = ["date", "internal_date"] if by == "message" else ["internal_date"]
        check_columns(headers, [*_KEY, *dates])
    way = way_of(hops, headers, tolerated(tolerance))
    if by == "host":
        return _by_host(hops, way)
    received = _received(way)
    order = _order(way.keys, received)
    if by == "hop":
        return _by_hop(hops, way, order)
    sent: NDArray[np.datetime64] = np.full(len(way.keys), _NAT)
    if headers is not None:
        sent = np.append(stamps(headers, "date"), _NAT)[way.in_headers]
    result = _by_message(hops, way, sent, received)
    told = verdicts(headers, trusted)
    for name in told.columns:
        result[name] = told[name].array.take(way.in_headers, allow_fill=True)
    result = result.take(order).reset_index(drop=True)
    result.attrs = {
        **hops.attrs,
        "without_hops": int((result["hops"] == 0).sum()),
        "clocks_disagree": int(result["clocks_disagree"].sum()),
    }
    return result


def _received(way: Way) -> NDArray[np.datetime64]:
    """Return when each message arrived, so far as anything tells."""
    last, right = np.full(len(way.keys), _NAT), np.full(len(way.keys), _NAT)
    known, is_right = ~np.isnat(way.times), ~np.isnat(way.read.elapsed)
    # Of several hops of a message the last one stays.
    last[way.messages[known]] = way.times[known]
    right[way.messages[is_right]] = way.times[is_right]
    return _first_known(right, way.arrived, last)


def _order(keys: pd.DataFrame, received: NDArray[np.datetime64]) -> NDArray[np.int64]:
    """Put the latest message first, those of unknown times last; where equal, by their keys."""
    codes = [keys[name].cat.codes.to_numpy("int64") for name in _KEY[:2]]
    latest = np.where(np.isnat(received), np.iinfo("int64").max, -received.astype("int64"))
    by_key = (-keys["uid"].to_numpy(), keys["uidvalidity"].to_numpy(), codes[1], codes[0])
    order: NDArray[np.int64] = np.lexsort((*by_key, latest))
    return order


def _by_message(
    hops: pd.DataFrame,
    way: Way,
    sent: NDArray[np.datetime64],
    received: NDArray[np.datetime64],
) -> pd.DataFrame:
    count = len(way.keys)
    slowest = _slowest(way, count)
    tls, plain = encryption(hops, way)
    n_tls, n_plain = (np.bincount(way.messages[is_so], minlength=count) for is_so in (tls, plain))
    back = pd.Series(way.read.back).groupby(way.messages).max().reindex(range(count))
    off = pd.Series(way.read.clock).isin([CLOCK.categories.get_loc(one) for one in _OFF])
    is_off = np.bincount(way.messages[off.to_numpy()], minlength=count) > 0
    hosts = hosts_of(hops, way).array.take(slowest, allow_fill=True)
    columns: dict[str, Any] = {
        **way.keys,
        "hops": np.bincount(way.messages, minlength=count).astype("int64"),
        "sent": _aware(sent),
        "received": _aware(received),
        "total": _total(way, sent),
        "slowest": np.append(way.read.delay, _UNKNOWN)[slowest],
        "slowest_hop": pd.Series(np.append(way.hop, 0)[slowest], dtype="Int64").mask(slowest < 0),
        "slowest_host": hosts,
        "encrypted": pd.Series(n_plain == 0, dtype="boolean").mask(n_tls + n_plain == 0),
        "unencrypted": n_plain.astype("int64"),
        "backwards": back.array,
        "clocks_disagree": (back > way.tolerance).to_numpy() | is_off,
    }
    return pd.DataFrame(columns)


def _by_hop(hops: pd.DataFrame, way: Way, order: NDArray[np.int64]) -> pd.DataFrame:
    place = np.empty(len(order), dtype="int64")
    place[order] = np.arange(len(order))
    rows = np.argsort(place[way.messages], kind="stable")
    words = {name: text(hops, name).iloc[way.rows].array for name in _BESIDES if name in hops}
    columns: dict[str, Any] = {
        **way.keys.take(way.messages).reset_index(drop=True),
        "hop": way.hop,
        **words,
        "time": _aware(way.times),
        "delay": way.read.delay,
        "elapsed": way.read.elapsed,
        "clock": pd.Categorical.from_codes(way.read.clock, dtype=CLOCK),
        "off": way.read.off,
        "backwards": np.maximum(way.read.back, np.timedelta64(0, "us")),
    }
    result = pd.DataFrame(columns).take(rows).reset_index(drop=True)
    result.attrs = {**hops.attrs, "without_time": int(np.isnat(way.times).sum())}
    return result


def _by_host(hops: pd.DataFrame, way: Way) -> pd.DataFrame:
    codes, hosts = pd.factorize(hosts_of(hops, way), sort=True)
    tls, plain = encryption(hops, way)
    # A stamp alone agrees with every clock.
    n_stamps = np.bincount(way.messages[~np.isnat(way.times)], minlength=len(way.keys))
    off = np.where(n_stamps[way.messages] > 1, way.read.off, _UNKNOWN)
    facts = pd.DataFrame(
        {
            "message": way.messages,
            "delay": _microseconds(way.read.delay),
            "off": _microseconds(off),
            "time": _aware(way.times),
            "negative": way.read.back > way.tolerance,
            "encrypted": np.where(tls | plain, tls, np.nan),
        }
    )
    known = codes >= 0
    grouped = facts[known].groupby(codes[known])
    delays = grouped["delay"]
    columns = {
        "host": pd.Series(hosts, dtype="str"),
        "messages": grouped["message"].nunique(),
        "lost": _span(delays.sum()),
        "median": _span(delays.median()),
        "p90": _span(delays.quantile(0.9)),
        "longest": _span(delays.max()),
        "negative": grouped["negative"].sum().astype("int64"),
        "skew": _span(grouped["off"].median()),
        "first": grouped["time"].min(),
        "last": grouped["time"].max(),
        "encrypted": grouped["encrypted"].mean(),
    }
    result = pd.DataFrame(columns).sort_values("lost", ascending=False, kind="stable")
    result = result.reset_index(drop=True)
    result.attrs = {**hops.attrs, "without_host": int((~known).sum())}
    return result


def _slowest(way: Way, count: int) -> NDArray[np.int64]:
    """Return the place of each message's longest delay, the first of equal ones; -1 without one."""
    found = np.full(count, -1, dtype="int64")
    rows = np.flatnonzero(~np.isnat(way.read.delay))
    # The shortest first, so that the longest stays; of equal ones the last hop first.
    order = rows[np.lexsort((-rows, way.read.delay[rows]))]
    found[way.messages[order]] = order
    return found


def _total(way: Way, sent: NDArray[np.datetime64]) -> NDArray[np.timedelta64]:
    """Return how long each message took, so far as clocks agree on it."""
    count = len(way.keys)
    right = np.flatnonzero(~np.isnat(way.read.elapsed))
    its = way.messages[right]
    first, last = np.full(count, _NAT), np.full(count, _NAT)
    first[its[::-1]], last[its] = way.times[right][::-1], way.times[right]
    # Who dates a message after a server had it has a clock that is ahead, or a lie to tell.
    is_before = plausible(sent) & (sent <= first + way.tolerance)
    begin = np.where(is_before, sent, first)
    begin[~is_before & (np.bincount(its, minlength=count) == 1)] = _NAT
    total: NDArray[np.timedelta64] = np.maximum(last - begin, np.timedelta64(0, "us"))
    return total


def _first_known(*times: NDArray[np.datetime64]) -> NDArray[np.datetime64]:
    found = times[0]
    for more in times[1:]:
        found = np.where(np.isnat(found), more, found)
    return found


def _microseconds(spans: NDArray[np.timedelta64]) -> NDArray[np.float64]:
    return np.where(np.isnat(spans), np.nan, spans.astype("int64"))


def _span(microseconds: pd.Series[Any]) -> pd.Series[Any]:
    known = microseconds.notna()
    whole = microseconds.fillna(0).clip(-_MOST, _MOST).round().astype("int64")
    spans: pd.Series[Any] = whole.astype(pandas_dtype(schema.SPAN)).where(known)
    return spans


def _aware(times: NDArray[np.datetime64]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(times).as_unit("us").tz_localize("UTC")
