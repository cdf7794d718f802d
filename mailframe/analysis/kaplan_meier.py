"""How long things last of which some have not ended yet (Kaplan and Meier 1958)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import pandas_dtype

from mailframe import schema
from mailframe.analysis.business import WEEKDAY
from mailframe.analysis.columns import check_columns, text
from mailframe.analysis.exchanges import WHOSE
from mailframe.analysis.periods import zone_of
from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from datetime import tzinfo

    from numpy.typing import NDArray

__all__ = ["response_summary", "survival"]

#: What is measured, and the column that says how long was waited, be it for an answer or in vain.
_OF = {"time": "waited", "business_time": "business_waited"}
_SPAN: Any = pandas_dtype(schema.SPAN)
_BY = ("person", "weekday")
# A product of fractions is not exactly a half where it should be.
_ROUNDING = 1e-9
_NORMAL_95 = 1.959963984540054


def survival(
    times: pd.DataFrame, *, by: str | None = None, of: str = "time", tz: str | tzinfo = "UTC"
) -> pd.DataFrame:
    """Tell which share is still without an answer after so long.

    Parameters
    ----------
    times
        What `response_times` returned, or rows of it: ``direction``, ``answered`` and ``waited``.
    by
        A curve for each ``"person"`` or ``"weekday"`` on which was asked, or for all.
    of
        ``"time"``, or ``"business_time"``.
    tz
        Whose weekdays.

    Returns
    -------
    DataFrame
        For each direction, and group, a row for the beginning and one for each length of time that
        was waited: ``direction``, the group, ``time``, ``at_risk`` (without an answer until then),
        ``replies`` and ``censored`` (how many stopped waiting then, with and without an answer),
        ``unanswered``, the share from 0 to 1, and the ends ``low`` and ``high`` of its 95 %
        confidence interval, missing where there is none.

    Raises
    ------
    QueryError
        For a column that is missing, and for what is no group or measure.

    Notes
    -----
    The estimator of Kaplan and Meier (J. Am. Stat. Assoc. 53, 1958, 457-481): with *d* answers
    after the time *t* and *n* at risk until then,

        S(t) = product over all times up to t of (1 - d/n).

    What is still unanswered at the end counts as long as it was watched, and neither as answered
    then nor as never answered. The interval is Greenwood's (1926), of log(-log S) (Kalbfleisch and
    Prentice 1980), so that it stays between 0 and 1.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> times = mf.analysis.response_times(headers)
    >>> curve = survival(times)
    >>> curve[curve["time"] <= "1D"].groupby("direction")["unanswered"].min().round(3)
    direction
    mine      0.671
    theirs    0.434
    Name: unanswered, dtype: float64

    The second one stopped waiting without an answer: it counts until then.

    >>> times = pd.DataFrame({
    ...     "direction": "mine",
    ...     "answered": [True, False, True, True],
    ...     "waited": pd.to_timedelta([1, 2, 3, 9], unit="h"),
    ... })
    >>> survival(times)[["time", "at_risk", "replies", "censored", "unanswered"]]
                 time  at_risk  replies  censored  unanswered
    0 0 days 00:00:00        4        0         0       1.000
    1 0 days 01:00:00        4        1         0       0.750
    2 0 days 02:00:00        3        0         1       0.750
    3 0 days 03:00:00        2        1         0       0.375
    4 0 days 09:00:00        1        1         0       0.000
    """
    codes, groups = _groups(times, by, of, tz)
    curves = _curves(times, codes, len(groups), of)
    result = groups.iloc[curves.pop("group")].reset_index(drop=True).join(curves)
    result.attrs = dict(times.attrs)
    return result


def response_summary(
    times: pd.DataFrame, *, by: str | None = None, of: str = "time", tz: str | tzinfo = "UTC"
) -> pd.DataFrame:
    """Tell how long answers take as a rule.

    Parameters
    ----------
    times, by, of, tz
        As for `survival`.

    Returns
    -------
    DataFrame
        A row for each direction, and group: ``direction``; ``person``, those with most messages
        first; or ``weekday`` (0 is Monday) and ``day``, its name. ``messages``, ``replies``,
        ``unanswered`` (counts); ``median`` and ``p90``: the first time at which no more than half,
        and a tenth, were still without an answer, by the curve of `survival`; missing where so
        many were never answered. ``reply_median`` and ``reply_p90``: of the answers alone, which
        says how long they took, not how long to wait.

    Raises
    ------
    QueryError
        As `survival` does.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> times = mf.analysis.response_times(headers)
    >>> response_summary(times)[["direction", "messages", "unanswered", "reply_median"]]
      direction  messages  unanswered    reply_median
    0      mine      1188         762 0 days 01:40:01
    1    theirs       599         238 0 days 01:33:58

    What is unanswered makes the median longer than that of the answers:

    >>> times = pd.DataFrame({
    ...     "direction": "mine",
    ...     "answered": [True, False, True, False],
    ...     "waited": pd.to_timedelta([1, 2, 3, 9], unit="h"),
    ... })
    >>> response_summary(times)[["direction", "messages", "unanswered", "median", "reply_median"]]
      direction  messages  unanswered          median    reply_median
    0      mine         4           2 0 days 03:00:00 0 days 02:00:00
    """
    codes, groups = _groups(times, by, of, tz)
    curves = _curves(times, codes, len(groups), of)
    answered = times["answered"].to_numpy(dtype=bool)
    messages = np.bincount(codes, minlength=len(groups))
    replies = np.bincount(codes[answered], minlength=len(groups))
    took = pd.Series(times[_OF[of]].array[answered]).astype(_SPAN).groupby(codes[answered])
    result = groups.assign(
        messages=messages,
        replies=replies,
        unanswered=messages - replies,
        median=_reached(curves, 0.5, len(groups)),
        p90=_reached(curves, 0.1, len(groups)),
        reply_median=took.quantile(0.5).dt.round("s").astype(_SPAN),
        reply_p90=took.quantile(0.9).dt.round("s").astype(_SPAN),
    )
    if by == "person":
        result = result.sort_values(
            ["direction", "messages"], ascending=[True, False], kind="stable", ignore_index=True
        )
    result.attrs = dict(times.attrs)
    return result


def _groups(
    times: pd.DataFrame, by: str | None, of: str, tz: str | tzinfo
) -> tuple[NDArray[np.int64], pd.DataFrame]:
    """Return the number of each row's group, and what the groups are, in order."""
    if not isinstance(of, str) or of not in _OF:
        raise QueryError(
            f"of={of!r} is no measure of an answer.",
            suggestion='"time", or "business_time": response_times(…, business=BusinessHours(…)).',
        )
    if by is not None and (not isinstance(by, str) or by not in _BY):
        raise QueryError(
            f"by={by!r} is nothing that answers are grouped by.",
            suggestion=f"One of {', '.join(map(repr, _BY))}, or None.",
        )
    wanted = ["person"] if by == "person" else ["asked"] if by == "weekday" else []
    check_columns(times, ["direction", "answered", _OF[of], *wanted])
    keys = pd.DataFrame({"direction": text(times, "direction").array})
    if by == "person":
        keys["person"] = text(times, "person").array
    elif by == "weekday":
        zone = zone_of(tz).zone
        if zone is None:
            raise QueryError(
                "tz='sender' is not known of answers.", suggestion='A name like "Europe/Berlin".'
            )
        keys["weekday"] = (
            pd.to_datetime(times["asked"], utc=True).dt.tz_convert(zone).dt.day_of_week.array
        )
    grouped = keys.groupby(list(keys.columns), dropna=False, sort=True)
    groups = grouped.size().index.to_frame(index=False)
    groups["direction"] = groups["direction"].astype(WHOSE)
    if by == "weekday":
        groups["weekday"] = groups["weekday"].astype("int64")
        groups["day"] = pd.Categorical.from_codes(groups["weekday"], dtype=WEEKDAY)
    codes: Any = grouped.ngroup().to_numpy()
    return codes, groups


def _curves(times: pd.DataFrame, codes: NDArray[np.int64], groups: int, of: str) -> pd.DataFrame:
    """Return the curve of each group, one after the other."""
    waited = times[_OF[of]].astype(_SPAN)
    known = waited.notna().to_numpy()  # the clocks of both sides may disagree
    # Each group begins with a row for what comes before all time.
    group = np.concatenate([np.arange(groups), codes[known]])
    after = np.concatenate([np.full(groups, -1), waited[known].to_numpy().astype("int64")])
    answered = np.concatenate(
        [np.zeros(groups, dtype=bool), times["answered"].to_numpy(bool)[known]]
    )
    order = np.lexsort((after, group))
    group, after, answered = group[order], after[order], answered[order]
    starts = np.flatnonzero(
        np.append(True, (np.diff(group) != 0) | (np.diff(after) != 0))[: len(group)]
    )
    ended = np.add.reduceat((after >= 0).astype("int64"), starts) if len(starts) else starts
    replies = np.add.reduceat(answered.astype("int64"), starts) if len(starts) else starts
    group, after = group[starts], after[starts]
    at_risk = np.bincount(codes[known], minlength=groups)[group] - _before(ended, group)
    with np.errstate(divide="ignore", invalid="ignore"):
        steps = pd.DataFrame(
            {
                "left": np.where(replies > 0, 1 - replies / at_risk, 1.0),
                "spread": np.where(replies > 0, replies / (at_risk * (at_risk - replies)), 0.0),
            }
        ).groupby(group)
        left, spread = steps["left"].cumprod().to_numpy(), steps["spread"].cumsum().to_numpy()
        width = _NORMAL_95 * np.sqrt(spread) / np.log(left)
        is_open = (left > _ROUNDING) & (left < 1 - _ROUNDING)
        low, high = (np.where(is_open, left ** np.exp(sign * width), np.nan) for sign in (-1, 1))
    return pd.DataFrame(
        {
            "group": group,
            "time": np.maximum(after, 0).astype("m8[us]"),
            "at_risk": at_risk,
            "replies": replies,
            "censored": ended - replies,
            "unanswered": left,
            "low": low,
            "high": high,
        }
    )


def _before(counts: NDArray[np.int64], group: NDArray[np.int64]) -> NDArray[np.int64]:
    """Add up what came earlier in the same group."""
    before = np.cumsum(counts) - counts
    starts = np.append(True, np.diff(group) != 0)[: len(group)]
    return before - before[np.maximum.accumulate(np.where(starts, np.arange(len(group)), 0))]


def _reached(curves: pd.DataFrame, share: float, groups: int) -> pd.Series[Any]:
    """Return when no more than this share was left of each group."""
    reached = curves[curves["unanswered"] <= share + _ROUNDING]
    first = reached.drop_duplicates("group").set_index("group")["time"]
    result: pd.Series[Any] = first.reindex(range(groups))
    return result
