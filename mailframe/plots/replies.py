"""Pictures of how long answers take."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator, PercentFormatter

from mailframe.analysis import replies
from mailframe.analysis.kaplan_meier import response_summary, survival
from mailframe.plots.canvas import COLOURS, new_axes, tidy, width_of, without_messages
from mailframe.plots.labels import left_out

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date

    from matplotlib.axes import Axes

    from mailframe.analysis.business import BusinessHours
    from mailframe.analysis.identity import Me

__all__ = ["response_times"]

_NAMES = {"mine": "my answers", "theirs": "answers to me"}
# Lengths of time, in seconds, from which it is the next unit that says them better.
_MINUTE, _HOUR, _DAY = 60, 3600, 86400
_TICKS = {
    10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 6 * 3600: "6 h", 86400: "1 d",
    7 * 86400: "1 w", 30 * 86400: "30 d", 365 * 86400: "1 y", 3650 * 86400: "10 y",
}  # fmt: skip
_WORK_TICKS = {
    10: "10 s", 60: "1 min", 600: "10 min", 3600: "1 h", 8 * 3600: "8 h", 40 * 3600: "40 h",
    200 * 3600: "200 h", 1000 * 3600: "1,000 h", 10_000 * 3600: "10,000 h",
}  # fmt: skip
#: A step every few thousandths of the width is as good as thousands of them.
_STEPS = 400
_NARROW = 4  # inches


def response_times(
    headers: pd.DataFrame,
    *,
    me: Me = None,
    expecting: str | Iterable[bool] = "personal",
    business: BusinessHours | None = None,
    at: date | str | None = None,
    on: str = "date",
    ax: Axes | None = None,
) -> Axes:
    """Draw which share of messages is still without an answer after so long.

    Parameters
    ----------
    headers
        Messages, or what `mailframe.analysis.response_times` returned, rows of it perhaps, which
        is drawn as it is; ``business`` then says that business time is meant.
    me, expecting, business, at, on
        As for `mailframe.analysis.response_times`.
    ax
        What to draw on; a new figure otherwise.

    Returns
    -------
    Axes
        A curve for my answers to others and one for theirs to me, each with its 95 % confidence
        interval, on a logarithmic axis of time; as `mailframe.analysis.survival` has them.

    Raises
    ------
    QueryError
        As `mailframe.analysis.response_times` does.

    Notes
    -----
    The estimator of Kaplan and Meier: see `mailframe.analysis.survival`.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> ax = response_times(headers)
    >>> ax.get_ylabel(), ax.get_xlabel()
    ('still without an answer', 'time since it was asked')
    """
    times = headers
    if not isinstance(headers, pd.DataFrame) or "waited" not in headers.columns:
        times = replies.response_times(
            headers, me=me, expecting=expecting, business=business, at=at, on=on
        )
    of = "time" if business is None else "business_time"
    curves, summary = survival(times, of=of), response_summary(times, of=of)
    unknown = int(times["waited"].isna().sum())
    ax = new_axes(8, 4) if ax is None else ax
    ax.set_title("How long answers take")
    since = "time" if business is None else "business time"
    ax.set_xlabel(
        f"{since} since it was asked" + left_out(unknown, "of unknown times"), loc="left", wrap=True
    )
    ax.set_ylabel("still without an answer")
    if len(times) == unknown:
        return without_messages(ax)
    low, high = _limits(curves)
    is_narrow = width_of(ax) < _NARROW
    for direction, curve in curves.groupby("direction", observed=True):
        colour = COLOURS[list(_NAMES).index(str(direction))]
        row = summary[summary["direction"] == direction].iloc[0]
        name = _NAMES[str(direction)]
        _draw(ax, curve, (low, high), colour, name if is_narrow else f"{name} ({_facts(row)})")
    ax.set(xscale="log", xlim=(low, high), ylim=(0, 1.02))
    _mark_lengths(ax, _TICKS if business is None else _WORK_TICKS, low, high)
    ax.yaxis.set_major_formatter(PercentFormatter(1))
    ax.legend(loc="best", fontsize="small").set_in_layout(False)  # it lies on the axes
    tidy(ax, "both")
    return ax


def _limits(curves: pd.DataFrame) -> tuple[float, float]:
    """Return from when to when there is something to see: some time after the last answer."""
    replied = curves["time"][curves["replies"] > 0].dt.total_seconds()
    if replied.empty:
        replied = curves["time"].dt.total_seconds()
    first = 10 if ((replied > 0) & (replied < _MINUTE)).any() else _MINUTE
    return first, max(replied.max() * 2, _DAY)


def _draw(
    ax: Axes, curve: pd.DataFrame, limits: tuple[float, float], colour: str, name: str
) -> None:
    seconds = curve["time"].dt.total_seconds().to_numpy()
    end = min(seconds[-1], limits[1])
    grid = np.geomspace(limits[0], max(end, limits[0] * 1.01), _STEPS)
    shown = curve.iloc[np.searchsorted(seconds, grid, side="right") - 1]
    ax.step(grid, shown["unanswered"], where="post", color=colour, label=name, linewidth=1.8)
    ax.fill_between(
        grid, shown["low"], shown["high"], step="post", color=colour, alpha=0.2, linewidth=0
    )


def _facts(row: Any) -> str:
    median = "not reached" if pd.isna(row["median"]) else _words(row["median"].total_seconds())
    return f"{row['replies']:,} of {row['messages']:,}; median {median}"


def _words(seconds: float) -> str:
    for unit, name in ((_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min")):
        if seconds >= unit:
            units = seconds / unit
            return f"{units:.2g} {name}" if units < 9.5 else f"{units:,.0f} {name}"  # noqa: PLR2004
    return f"{seconds:.0f} s"


def _mark_lengths(ax: Axes, ticks: dict[int, str], low: float, high: float) -> None:
    """Mark an axis of lengths of time with words, as many as there is room for."""
    room = np.log(high / low) / max(width_of(ax) / 0.5, 1)  # half an inch each
    chosen: list[int] = []
    for tick in ticks:
        if low <= tick <= high and (not chosen or np.log(tick / chosen[-1]) >= room):
            chosen.append(tick)
    ax.xaxis.set_major_locator(FixedLocator(chosen))
    ax.xaxis.set_major_formatter(FixedFormatter([ticks[tick] for tick in chosen]))
    ax.xaxis.set_minor_locator(NullLocator())
