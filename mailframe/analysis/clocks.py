"""Which of the clocks that a message passed can be believed, and how long each hop took by them.

A server stamps a message by its own clock. Where a stamp is earlier than that of a server before,
one of the two is wrong; which one, only the others can tell. Among the stamps of a message, those
that are on every longest run without a step back in time agree; what contradicts them is off.
"""

from __future__ import annotations

import contextlib
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from pandas.api.types import is_datetime64_any_dtype, pandas_dtype

from mailframe import schema
from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

__all__ = ["CLOCK", "Readings", "plausible", "read_clocks", "stamps", "tolerated"]

#: What can be said of a clock.
CLOCK = pd.CategoricalDtype(pd.Index(["ok", "ahead", "behind", "unknown"], dtype="str"))
_OK, _AHEAD, _BEHIND, _UNKNOWN = range(4)

# The field is from RFC 821, of August 1982: what is earlier is a clock that was never set.
_EARLIEST = np.datetime64("1982-01-01", "us")
_LATEST = np.datetime64("2100-01-01", "us")
# From so many Received fields on servers take a message to go in circles (RFC 5321 section 6.3).
_MOST_HOPS = 100
_NONE = np.timedelta64("NaT", "us")
_LOW, _HIGH = np.iinfo("int64").min, np.iinfo("int64").max


class Readings(NamedTuple):
    """What clocks say of each hop; an array each, as long as the hops."""

    #: Codes of `CLOCK`.
    clock: NDArray[np.int8]
    #: How far the clock is off at least: positive ahead, negative behind, zero where it is not.
    off: NDArray[np.timedelta64]
    #: Time since the last hop whose clock is right; missing where this one's is not.
    delay: NDArray[np.timedelta64]
    #: Time since the first hop whose clock is right; missing where this one's is not.
    elapsed: NDArray[np.timedelta64]
    #: How much earlier this one's stamp is than the latest before it; missing without one before.
    back: NDArray[np.timedelta64]


def tolerated(value: str | timedelta) -> np.timedelta64:
    """Read how much clocks may differ and still agree.

    Parameters
    ----------
    value
        ``"1s"``, ``"2 min"`` or a timedelta.

    Raises
    ------
    QueryError
        If it is no length of time, or a negative one.

    Examples
    --------
    >>> tolerated("1s")
    np.timedelta64(1000000,'us')
    """
    span: Any = None
    if isinstance(value, str | timedelta):
        with contextlib.suppress(ValueError):
            span = pd.Timedelta(value)
    if not isinstance(span, pd.Timedelta) or span < pd.Timedelta(0):
        raise QueryError(
            f"tolerance={value!r} is no length of time.",
            suggestion='"1s", "2 min", or a timedelta.',
        )
    return np.timedelta64(span.as_unit("us").to_timedelta64())


def stamps(frame: pd.DataFrame, column: str) -> NDArray[np.datetime64]:
    """Return times in UTC, as numpy has them.

    Parameters
    ----------
    frame, column
        The column is there. Times without a zone are taken as UTC.

    Raises
    ------
    QueryError
        If the column holds no times.
    """
    times = frame[column]
    if times.isna().all():  # of any dtype
        return np.full(len(times), np.datetime64("NaT", "us"))
    if not is_datetime64_any_dtype(times.dtype):
        raise QueryError(
            f"The column {column!r} holds {times.dtype}, not times.",
            suggestion=f'As times: df["{column}"] = pd.to_datetime(df["{column}"], utc=True).',
        )
    aware = times.dt.tz_localize("UTC") if times.dt.tz is None else times
    naive = aware.astype(pandas_dtype(schema.TIME)).dt.tz_localize(None)
    found: NDArray[np.datetime64] = naive.to_numpy("datetime64[us]")
    return found


def plausible(times: NDArray[np.datetime64]) -> NDArray[np.bool_]:
    """Tell which times can be those of mail: from 1982, when SMTP was defined, to 2099.

    Parameters
    ----------
    times
        NaT is not plausible.
    """
    can_be: NDArray[np.bool_] = (times >= _EARLIEST) & (times < _LATEST)
    return can_be


def read_clocks(
    messages: NDArray[np.int64],
    times: NDArray[np.datetime64],
    arrived: NDArray[np.datetime64],
    tolerance: np.timedelta64,
) -> Readings:
    """Tell which clocks are right, and how long each hop took.

    Parameters
    ----------
    messages
        The number of each hop's message, from 0, in ascending order.
    times
        Of each hop, in the order of the way; NaT where it is not known.
    arrived
        When each message arrived by the mailbox's own clock: a stamp more where others disagree.
    tolerance
        A step back by no more than this is none: servers write whole seconds.
    """
    values, least = times.astype("int64"), int(tolerance.astype("int64"))
    known, sane = ~np.isnat(times), plausible(times)
    clock = np.full(len(times), _UNKNOWN, dtype="int8")
    clock[known & (times < _EARLIEST)] = _BEHIND
    clock[known & (times >= _LATEST)] = _AHEAD
    clock[sane] = _OK
    back = _steps_back(messages, values, known)
    disputed = np.zeros(len(arrived), dtype="bool")
    among_sane = _steps_back(messages, values, sane)
    disputed[messages[among_sane > tolerance]] = True
    witness = np.where(plausible(arrived), arrived.astype("int64"), _HIGH)
    rows = np.flatnonzero(sane & disputed[messages])
    agreed, believed = _agreed(messages[rows], values[rows], witness, least)
    clock[rows[~agreed]] = _UNKNOWN
    witness[~(disputed & believed)] = _HIGH
    off = _told_off(messages, values, clock, witness, least)
    right = np.flatnonzero(clock == _OK)
    delay, elapsed = np.full(len(times), _NONE), np.full(len(times), _NONE)
    its, when = messages[right], times[right]
    follows = its[1:] == its[:-1]
    none = np.timedelta64(0, "us")
    delay[right[1:][follows]] = np.maximum(np.diff(when)[follows], none)
    begins = np.flatnonzero(np.r_[True, ~follows][: len(right)])
    lengths = np.diff(np.r_[begins, len(right)])
    elapsed[right] = np.maximum(when - np.repeat(when[begins], lengths), none)
    return Readings(clock, off, delay, elapsed, back)


def _steps_back(
    messages: NDArray[np.int64], values: NDArray[np.int64], counts: NDArray[np.bool_]
) -> NDArray[np.timedelta64]:
    """Return how much earlier each stamp is than the latest before it; NaT for the first one."""
    rows = np.flatnonzero(counts)
    its = messages[rows]
    latest = pd.Series(values[rows]).groupby(its).cummax().to_numpy("int64")
    back = np.full(len(values), _NONE)
    back[rows] = (latest - values[rows]).astype("timedelta64[us]")
    back[rows[np.r_[True, its[1:] != its[:-1]][: len(rows)]]] = _NONE
    return back


def _agreed(
    messages: NDArray[np.int64],
    values: NDArray[np.int64],
    witness: NDArray[np.int64],
    least: int,
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which stamps agree: of hops, in the messages given, and of the arrival of each message.

    Messages with as many hops are looked at together.
    """
    agreed = np.zeros(len(values), dtype="bool")
    believed = np.zeros(len(witness), dtype="bool")
    begins = np.flatnonzero(np.r_[True, messages[1:] != messages[:-1]][: len(messages)])
    lengths = np.diff(np.r_[begins, len(messages)])
    arrival = witness[messages[begins]] < _HIGH
    for has_arrived in (False, True):
        for length in np.unique(lengths[arrival == has_arrived]):
            if length > _MOST_HOPS:
                continue
            first = begins[(lengths == length) & (arrival == has_arrived)]
            rows = first[:, None] + np.arange(length)
            table = values[rows]
            if has_arrived:
                table = np.column_stack([table, witness[messages[first]]])
            found = _on_every_longest_run(table, least)
            agreed[rows] = found[:, :length]
            if has_arrived:
                believed[messages[first]] = found[:, -1]
    return agreed, believed


def _on_every_longest_run(table: NDArray[np.int64], least: int) -> NDArray[np.bool_]:
    """Tell which values of each row are on all its longest runs that never step back."""
    upto = _longest(table, least)
    onwards = _longest(-table[:, ::-1], least)[:, ::-1]
    whole = upto + onwards - 1
    on_some = whole == whole.max(axis=1, keepdims=True)
    # A longest run has one value at each of its places: the only one that can be there is on all.
    level = np.where(on_some, upto, 0)
    rivals = (level[:, :, None] == level[:, None, :]).sum(axis=2)
    found: NDArray[np.bool_] = on_some & (rivals == 1)
    return found


def _longest(table: NDArray[np.int64], least: int) -> NDArray[np.int64]:
    """Return how long the longest run is that ends at each value."""
    length = np.ones(table.shape, dtype="int64")
    for place in range(1, table.shape[1]):
        before = table[:, :place] <= table[:, place, None] + least
        length[:, place] += np.where(before, length[:, :place], 0).max(axis=1)
    return length


def _told_off(
    messages: NDArray[np.int64],
    values: NDArray[np.int64],
    clock: NDArray[np.int8],
    witness: NDArray[np.int64],
    least: int,
) -> NDArray[np.timedelta64]:
    """Say of the clocks that are not right which way they are off, and return how far at least."""
    right = clock == _OK
    latest = pd.Series(np.where(right, values, _LOW)).groupby(messages).cummax().to_numpy("int64")
    earliest = _from_the_end(messages, np.where(right, values, _HIGH))
    earliest = np.minimum(earliest, witness[messages])
    off = np.full(len(values), _NONE)
    off[right] = np.timedelta64(0, "us")
    # Without a stamp to compare with, how far it is off stays open.
    told = ~right & (values != _LOW)
    after = np.flatnonzero(told & (earliest < _HIGH))
    after = after[values[after] - earliest[after] > least]
    before = np.flatnonzero(told & (latest > _LOW))
    before = before[latest[before] - values[before] > least]
    for rows, bound, code in ((after, earliest, _AHEAD), (before, latest, _BEHIND)):
        clock[rows] = code
        off[rows] = (values[rows] - bound[rows]).astype("timedelta64[us]")
    return off


def _from_the_end(messages: NDArray[np.int64], values: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return of each hop the least value from there on."""
    backwards: Any = pd.Series(values[::-1]).groupby(messages[::-1]).cummin()
    least: NDArray[np.int64] = backwards.to_numpy("int64")[::-1]
    return least
