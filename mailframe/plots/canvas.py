"""What every picture stands on: colours, axes of time and of counts, no more ink than needed."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import pandas as pd
from matplotlib import dates
from matplotlib.ticker import FixedLocator, MaxNLocator, StrMethodFormatter
from matplotlib.transforms import ScaledTranslation

from mailframe.analysis.periods import following
from mailframe.plots.labels import left_out

if TYPE_CHECKING:
    import numpy as np
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mailframe.analysis.periods import Frequency, Zone

__all__ = [
    "COLOURS",
    "NARROW",
    "OTHERS",
    "add_legend",
    "edges_of",
    "mark_counts",
    "mark_time",
    "new_axes",
    "tidy",
    "time_label",
    "width_of",
    "without_messages",
]

_time_axis: Any = dates  # which has no types

# Okabe and Ito's, less black and yellow: each stands out on white as on black.
COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7")
OTHERS = "#999999"

#: Axes less wide, in inches, have small writing.
NARROW = 4
_LEAST_WIDTH = 6  # periods for which there is room
#: Ticks of time; where periods are no more than that, one each, if there is room.
_MOST_TICKS = 13
_TICK_ROOM = 0.55  # inches
_BELOW_DATE = 14  # points, of what is below the date that stands below the ticks
_CHARACTER = 0.065  # inches, of small writing
# How many ticks matplotlib's locator must be allowed, to be sure of so many: its intervals are six
# months, three weeks and twelve hours at most, and it warns if that does not do.
_LEAST_ROOM = ((11, 5), (7, 3), (5, 2))


def new_axes(width: float, height: float) -> Axes:
    """Make a new figure, which has room for what is written around its only axes.

    Parameters
    ----------
    width, height
        In inches.
    """
    ax: Axes = plt.subplots(figsize=(width, height), layout="constrained")[1]
    return ax


def tidy(ax: Axes, grid: str) -> None:
    """Draw what surrounds the data thinly.

    Parameters
    ----------
    ax
        With its data.
    grid
        Along which axis values are read: ``"x"``, ``"y"`` or ``"both"``.
    """
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    ax.grid(visible=True, axis=grid, alpha=0.35, linewidth=0.6)  # type: ignore[arg-type]


def without_messages(ax: Axes) -> Axes:
    """Say that there is nothing to draw.

    Parameters
    ----------
    ax
        Without data.
    """
    ax.set(xticks=[], yticks=[])
    ax.text(0.5, 0.5, "no messages", transform=ax.transAxes, ha="center", va="center")
    tidy(ax, "both")
    return ax


def add_legend(ax: Axes, handles: list[Any], labels: list[str]) -> None:
    """Say what the colours mean: beside the axes or below them, where the figure makes room.

    Parameters
    ----------
    ax
        With its data, and the label of its x-axis.
    handles, labels
        What was drawn, and its names.
    """
    if ax.figure.get_layout_engine() is None:  # beside the axes it would be cut off
        ax.legend(handles, labels, loc="best")
    elif width_of(ax) < NARROW:  # beside them it would take half of the picture
        _add_legend_below(ax, handles, labels)
    else:
        ax.legend(handles, labels, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)


def _add_legend_below(ax: Axes, handles: list[Any], labels: list[str]) -> None:
    lines = ax.get_xlabel().count("\n") + 1
    down = ScaledTranslation(
        0, -(0.25 + 0.17 * lines + ax.xaxis.labelpad / 72), ax.figure.dpi_scale_trans
    )
    most = max(int((0.65 * width_of(ax) - 0.35) / _CHARACTER), 8)  # of two columns, less the mark
    shown = [name if len(name) <= most else f"{name[: most - 1]}…" for name in labels]
    ax.legend(handles, shown, loc="upper center", bbox_to_anchor=(0.5, 0), frameon=False,
              bbox_transform=ax.transAxes + down, ncols=2, fontsize="x-small")  # fmt: skip


def edges_of(periods: pd.DatetimeIndex, frequency: Frequency) -> NDArray[np.float64]:
    """Return where periods begin, and where the last one ends, in matplotlib's days."""
    moments: Any = periods.append(pd.DatetimeIndex([following(periods[-1], frequency)]))
    if moments.tz is not None:
        moments = moments.tz_convert("UTC").tz_localize(None)
    edges: NDArray[np.float64] = _time_axis.date2num(moments.to_numpy())
    return edges


def mark_time(ax: Axes, edges: NDArray[np.float64], zone: Zone) -> None:
    """Mark an axis of time, with as many ticks as there is room for.

    Parameters
    ----------
    ax
        Whose x-axis it is.
    edges
        From `edges_of`.
    zone
        Whose clock the labels show.
    """
    # pandas knows zones by more names than matplotlib does.
    clock = pd.Timestamp(0, tz=zone.zone or "UTC").tzinfo
    most = min(max(int(width_of(ax) / _TICK_ROOM), _LEAST_ROOM[-1][0]), _MOST_TICKS)
    locator: Any
    if len(edges) <= _MOST_TICKS:
        locator = FixedLocator(edges[:: -(-len(edges) // most)].tolist())
    else:
        least = next(ticks for room, ticks in _LEAST_ROOM if most >= room)
        locator = _time_axis.AutoDateLocator(tz=clock, minticks=least, maxticks=most)
    ax.xaxis_date(clock)
    ax.xaxis.set_major_locator(locator)
    formatter = _time_axis.ConciseDateFormatter(locator, tz=clock)
    ax.xaxis.set_major_formatter(formatter)
    # A bar alone is a bar, not a wall.
    beside = max(_LEAST_WIDTH - (len(edges) - 1), 0) / 2 * (edges[1] - edges[0])
    ax.set_xlim(edges[0] - beside, edges[-1] + beside)
    formatter.format_ticks(locator())
    if formatter.get_offset() and width_of(ax) < NARROW:
        ax.xaxis.labelpad = _BELOW_DATE  # beside each other there is no room for both


def mark_counts(axis: Any) -> None:
    """Mark an axis of counts at whole numbers.

    Parameters
    ----------
    axis
        ``ax.xaxis`` or ``ax.yaxis``.
    """
    axis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def time_label(on: str, zone: Zone, undated: int) -> str:
    """Say which time an axis shows, and how many messages are not on it.

    Parameters
    ----------
    on
        ``"date"`` or ``"internal_date"``.
    zone
        Whose clock.
    undated
        How many messages have no such time.
    """
    sent = "date sent" if on == "date" else "date received"
    return f"{sent} ({zone.name})" + left_out(undated, "without a date")


def width_of(ax: Axes) -> float:
    """Return about how wide the axes are, in inches: they are laid out when they are drawn."""
    width: float = ax.get_window_extent().width / ax.figure.dpi
    return width
