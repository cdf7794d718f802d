"""Pictures of how much mail there was, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mailframe import analysis
from mailframe.analysis.columns import check_columns, time_column
from mailframe.analysis.groups import grouped, grouping
from mailframe.analysis.periods import frequency_of, zone_of
from mailframe.analysis.senders import rank
from mailframe.plots.canvas import (
    COLOURS,
    NARROW,
    OTHERS,
    add_legend,
    edges_of,
    mark_counts,
    mark_time,
    new_axes,
    tidy,
    time_label,
    width_of,
    without_messages,
)
from mailframe.plots.labels import label

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mailframe.analysis.identity import Me

__all__ = ["draw_periods", "volume"]

#: Above so many periods bars are too thin to be drawn apart.
_MOST_BARS = 70


def volume(
    headers: pd.DataFrame,
    freq: str = "W",
    *,
    by: str | None = None,
    tz: str | tzinfo = "UTC",
    on: str = "date",
    me: Me = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many messages there were a period.

    Parameters
    ----------
    headers
        Messages, with the columns ``on``, that of ``by``, and ``utc_offset`` for ``tz="sender"``.
    freq, by, tz, on, me
        As for `mailframe.analysis.volume`. Of more than seven groups the smaller ones are drawn
        together.
    ax
        What to draw on; a new figure otherwise.

    Returns
    -------
    Axes
        Bars on an axis of time, which names the zone; one upon the other where there are groups.

    Raises
    ------
    QueryError
        As `mailframe.analysis.volume` does.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> ax = volume(headers, "M", by="direction", tz="Europe/Copenhagen")
    >>> ax.get_title(), ax.get_xlabel().splitlines()[0]
    ('Messages per month, by direction', 'date sent (Europe/Copenhagen)')
    """
    frequency, zone = frequency_of(freq), zone_of(tz)
    columns = grouping(headers, by)
    offset = ["utc_offset"] if zone.zone is None else []
    check_columns(headers, [time_column(on), *columns, *offset])
    names, codes = _main_groups(headers, by, me)
    counted = analysis.volume(
        pd.DataFrame(
            {name: headers[name].array for name in (on, *offset)} | {"size": 0, "group": codes}
        ),
        freq,
        by="group",
        tz=tz,
        on=on,
    )
    ax = new_axes(8, 3.6) if ax is None else ax
    grouped_by = "" if by is None else f", by {label(by)}"
    ax.set_title(f"Messages per {frequency.word}{grouped_by}", wrap=True)
    ax.set_xlabel(time_label(on, zone, counted.attrs["undated"]), loc="left", wrap=True)
    ax.set_ylabel("messages")
    if counted.empty:
        return without_messages(ax)
    groups = counted["group"].unique().astype("int64")
    edges = edges_of(pd.DatetimeIndex(counted["period"].iloc[:: len(groups)]), frequency)
    counts = counted["messages"].to_numpy().reshape(-1, len(groups))
    mark_time(ax, edges, zone)
    draw_periods(ax, edges, counts, groups, names)
    mark_counts(ax.yaxis)
    tidy(ax, "y")
    return ax


def _main_groups(
    headers: pd.DataFrame, by: str | None, me: Me
) -> tuple[list[str], NDArray[np.int64]]:
    """Name the largest groups, and number each message's; what is left is one group, the last."""
    if by is None:
        return [""], np.zeros(len(headers), dtype="int64")
    values = grouped(headers, by, me)
    missing = values.isna()
    ranking = rank(values.astype("str").mask(missing, f"no {by}"))
    names = [label(name) for name in ranking.senders]
    if len(names) <= len(COLOURS):
        return names, ranking.places
    main = len(COLOURS)
    names = [*names[:main], f"{len(names) - main:,} others"]
    return names, np.minimum(ranking.places, main)


def draw_periods(
    ax: Axes,
    edges: NDArray[np.float64],
    counts: NDArray[np.int64],
    groups: NDArray[np.int64],
    names: Sequence[str],
) -> None:
    """Draw groups a period, one upon the other.

    Parameters
    ----------
    ax
        With its axis of time, and the label of it.
    edges
        From `edges_of`.
    counts
        How high: a row a period, a column a group.
    groups
        Of each column its colour, and its place in ``names``.
    names
        What the legend says; none for one alone.
    """
    bottom = np.zeros(len(counts), dtype="int64")
    drawn: list[Any] = []
    for group, heights in zip(groups, counts.T, strict=True):
        colour = COLOURS[group] if group < len(COLOURS) else OTHERS
        if len(counts) <= _MOST_BARS:
            # The background between bars and groups tells them apart without colours.
            drawn.append(
                ax.bar(edges[:-1], heights, np.diff(edges), bottom, align="edge", color=colour,
                       edgecolor=ax.get_facecolor(), linewidth=0.7)
            )  # fmt: skip
        else:
            # Steps up to the end of the last period. (Axes.stairs looks at thousands of edges one
            # by one for the limits of the axes, which takes half a second.)
            low, high = (np.append(ends, ends[-1]) for ends in (bottom, bottom + heights))
            drawn.append(ax.fill_between(edges, low, high, step="post", color=colour, linewidth=0))
        bottom = bottom + heights
    ax.set_ylim(bottom=0)
    if len(names) > 1:
        if width_of(ax) < NARROW and ax.figure.get_layout_engine() is None:
            # The legend has its room above the bars.
            ax.set_ylim(top=ax.get_ylim()[1] * (1 + 0.35 * len(groups)))
        # As they lie: the group on top is the first in the legend.
        add_legend(ax, drawn[::-1], [names[group] for group in groups][::-1])
