"""Pictures of the times at which mail comes and goes."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import colormaps, dates
from matplotlib.collections import LineCollection
from matplotlib.colors import PowerNorm, to_rgb
from matplotlib.ticker import FixedLocator, FuncFormatter

from mailframe.analysis import rhythm
from mailframe.analysis.business import WEEKDAYS
from mailframe.analysis.periods import Zone, zone_of
from mailframe.plots.canvas import (
    COLOURS,
    mark_counts,
    mark_time,
    new_axes,
    tidy,
    time_label,
    width_of,
    without_messages,
)

if TYPE_CHECKING:
    from datetime import tzinfo

    import pandas as pd
    from matplotlib.axes import Axes
    from matplotlib.colors import Colormap
    from numpy.typing import NDArray

__all__ = ["activity", "calendar", "diurnal"]

_time_axis: Any = dates  # which has no types

_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DAYS = 7
_HOURS = 24
_WEEKS = 54  # that a year may touch
_LEAF = 8.3  # weekdays high, with the room between two years
_MONTH_LONG = _WEEKS / 12.2
_INK = 0.2  # of the axes that dots cover, if they do not cover each other
_DOTS = (0.9, 5.0)  # points across
_FAINTEST, _FULLEST = 0.03, 0.75
_LEAST_CELL = 0.06  # inches, of what is parted by lines
_GOLDEN = 0.6180339887498949


def activity(
    headers: pd.DataFrame,
    *,
    tz: str | tzinfo = "UTC",
    on: str = "date",
    ax: Axes | None = None,
) -> Axes:
    """Draw how many messages there are in each hour of the week.

    Parameters
    ----------
    headers, tz, on
        As for `mailframe.analysis.activity`.
    ax
        What to draw on; a new figure otherwise.

    Returns
    -------
    Axes
        A row a weekday, a column an hour; hours without mail are left empty.

    Raises
    ------
    QueryError
        As `mailframe.analysis.activity` does.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers()
    >>> ax = activity(headers, tz="Europe/Copenhagen")
    >>> ax.get_title(), ax.get_xlabel()
    ('Messages by hour of the week', 'date sent (Europe/Copenhagen)')
    """
    table = rhythm.activity(headers, tz=tz, on=on)
    ax = new_axes(8, 3.2) if ax is None else ax
    ax.set_title("Messages by hour of the week", wrap=True)
    ax.set_xlabel(time_label(on, zone_of(tz), table.attrs["undated"]), loc="left", wrap=True)
    counts = table["messages"].to_numpy().reshape(_DAYS, _HOURS)
    if not counts.any():
        return without_messages(ax)
    mesh = ax.pcolormesh(
        np.ma.masked_equal(counts, 0), cmap=_colours(ax), vmin=0, edgecolors=ax.get_facecolor(),
        linewidth=0.5,
    )  # fmt: skip
    step = next(step for step in (2, 3, 6, 12) if width_of(ax) / (_HOURS / step) > 0.42)  # noqa: PLR2004
    ax.set_xticks(np.arange(0, _HOURS + 1, step), [f"{h:02}" for h in range(0, 25, step)])
    ax.set_yticks(np.arange(_DAYS) + 0.5, [day[:3] for day in WEEKDAYS])
    ax.set_ylim(_DAYS, 0)
    ax.tick_params(axis="y", length=0)
    _add_scale(ax, mesh)
    tidy(ax, "x")
    ax.grid(visible=False)
    return ax


def diurnal(
    headers: pd.DataFrame,
    *,
    tz: str | tzinfo = "UTC",
    on: str = "date",
    ax: Axes | None = None,
) -> Axes:
    """Draw every message as a dot: its day across, its time of day up.

    Parameters
    ----------
    headers, tz, on
        As for `mailframe.analysis.diurnal`.
    ax
        What to draw on; a new figure otherwise.

    Returns
    -------
    Axes
        With dots that are smaller and fainter the more there are; those of one day stand side by
        side within its width.

    Raises
    ------
    QueryError
        As `mailframe.analysis.diurnal` does.

    Notes
    -----
    After S. Wolfram, "The Personal Analytics of My Life" (2012).

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers()
    >>> ax = diurnal(headers, tz="Europe/Copenhagen")
    >>> ax.get_xlabel(), ax.get_ylabel()
    ('date sent (Europe/Copenhagen)', 'time of day')
    """
    table = rhythm.diurnal(headers, tz=tz, on=on)
    ax = new_axes(8, 4.2) if ax is None else ax
    ax.set_title("Messages by day and time of day", wrap=True)
    ax.set_xlabel(time_label(on, zone_of(tz), table.attrs["undated"]), loc="left", wrap=True)
    ax.set_ylabel("time of day")
    if table.empty:
        return without_messages(ax)
    day = _time_axis.date2num(table["day"].to_numpy())
    hour = table["time"].to_numpy() / np.timedelta64(1, "h")
    # The multiples of the golden ratio fill the width of a day evenly, however many there are.
    beside = (np.arange(len(day)) * _GOLDEN) % 1
    size, alpha = _dots(ax, len(day))
    ax.plot(
        day + 0.15 + 0.7 * beside, hour, linestyle="none", marker="o", markersize=size,
        markeredgewidth=0, color=COLOURS[0 if _is_light(ax) else 4], alpha=alpha, rasterized=True,
    )  # fmt: skip
    mark_time(ax, np.arange(day.min(), day.max() + 2), Zone("", None))
    _mark_hours(ax)
    tidy(ax, "both")
    return ax


def calendar(
    headers: pd.DataFrame,
    *,
    tz: str | tzinfo = "UTC",
    on: str = "date",
    ax: Axes | None = None,
) -> Axes:
    """Draw how many messages there are each day: a leaf a year, a row a weekday, a column a week.

    Parameters
    ----------
    headers, tz, on
        As for `mailframe.analysis.calendar`.
    ax
        What to draw on; a new figure otherwise.

    Returns
    -------
    Axes
        The years one above the other, those without mail left out; lines part the months. Days
        without mail, from the first to the last, are grey.

    Raises
    ------
    QueryError
        As `mailframe.analysis.calendar` does.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers()
    >>> ax = calendar(headers)
    >>> [label.get_text() for label in ax.get_yticklabels()], ax.get_xlabel()
    (['2024', '2025', '2026'], 'date sent (UTC)')
    """
    table = rhythm.calendar(headers, tz=tz, on=on)
    busy = table.groupby("year")["messages"].transform("sum") > 0
    years, leaf = np.unique(table["year"][busy], return_inverse=True)
    ax = new_axes(8, min(0.9 + 1.15 * max(len(years), 1), 30)) if ax is None else ax
    ax.set_title("Messages per day")
    ax.set_xlabel(time_label(on, zone_of(tz), table.attrs["undated"]), loc="left", wrap=True)
    if table.empty:
        return without_messages(ax)
    days = table[busy]
    counts = np.full((len(years) * _DAYS, _WEEKS), -1)
    counts[leaf * _DAYS + days["weekday"], days["week"]] = days["messages"]
    # Counts differ by the square of what is looked at: else one day makes all others look alike.
    scale = PowerNorm(0.5, vmin=0, vmax=counts.max())
    has_lines = width_of(ax) / _WEEKS > _LEAST_CELL
    for year, top in enumerate(_tops(len(years))):
        rows = counts[year * _DAYS : (year + 1) * _DAYS]
        edges = np.arange(_WEEKS + 1), top + np.arange(_DAYS + 1)
        no_mail = np.ma.masked_not_equal(rows, 0)
        ax.pcolormesh(*edges, no_mail, cmap="gray", alpha=0.15, vmin=-1, vmax=1)
        mesh = ax.pcolormesh(
            *edges, np.ma.masked_less(rows, 1), cmap=_colours(ax), norm=scale,
            edgecolors=ax.get_facecolor(), linewidth=0.3 if has_lines else 0,
        )  # fmt: skip
    if has_lines:
        _part_months(ax, years, days["day"].to_numpy())
    _mark_leaves(ax, years)
    _add_scale(ax, mesh)
    return ax


def _colours(ax: Axes) -> Colormap:
    """Return colours of which those of many messages stand out most from the background."""
    return colormaps["cividis_r" if _is_light(ax) else "cividis"]


def _is_light(ax: Axes) -> bool:
    red, green, blue = to_rgb(ax.get_facecolor())
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue > 0.5  # noqa: PLR2004


def _add_scale(ax: Axes, mesh: Any) -> None:
    bar = ax.figure.colorbar(mesh, ax=ax, pad=0.015, aspect=18, fraction=0.06)
    bar.set_label("messages")
    bar.outline.set_visible(False)
    mark_counts(bar.ax.yaxis)


def _dots(ax: Axes, messages: int) -> tuple[float, float]:
    """Return how large dots are, in points, and how opaque, so that many of them can be seen."""
    box = ax.get_window_extent()
    room = box.width * box.height * (72 / ax.figure.dpi) ** 2  # square points
    size = float(np.clip((_INK * room / messages) ** 0.5, *_DOTS))
    layers = messages * size**2 / room
    return size, float(np.clip(0.5 / layers, _FAINTEST, _FULLEST))


def _mark_hours(ax: Axes) -> None:
    height = ax.get_window_extent().height / ax.figure.dpi
    step = next(step for step in (3, 6, 12) if height / (_HOURS / step) > 0.25 or step == 12)  # noqa: PLR2004
    ax.yaxis.set_major_locator(FixedLocator(np.arange(0, _HOURS + 1, step).tolist()))
    ax.yaxis.set_major_formatter(FuncFormatter(lambda hour, _: f"{hour:02.0f}:00"))
    ax.set_ylim(0, _HOURS)


def _tops(years: int) -> NDArray[np.float64]:
    return np.arange(years, dtype="float64") * _LEAF


def _part_months(ax: Axes, years: NDArray[np.int64], days: NDArray[np.datetime64]) -> None:
    """Draw a line before the first day of each month but January."""
    lines = []
    for year, top in zip(years, _tops(len(years)), strict=True):
        months = np.arange(f"{year}-02", f"{year + 1}-01", dtype="M8[M]").astype("M8[D]")
        months = months[(months > days[0]) & (months <= days[-1])]
        new_year = np.datetime64(f"{year}-01-01")
        shift = (new_year.astype("int64") + 3) % _DAYS
        week, weekday = np.divmod((months - new_year).astype("int64") + shift, _DAYS)
        for x, y in zip(week, weekday, strict=True):
            lines.append([(x + 1, top), (x + 1, top + y), (x, top + y), (x, top + _DAYS)])
    colour = ax.xaxis.label.get_color()
    ax.add_collection(LineCollection(lines, colors=colour, linewidths=0.7), autolim=False)


def _mark_leaves(ax: Axes, years: NDArray[np.int64]) -> None:
    """Write the years, the months, and the weekdays where there is room."""
    every = next(step for step in (1, 2, 3, 4, 6) if width_of(ax) / 12 * step > 0.5 or step == 6)  # noqa: PLR2004
    months = range(0, 12, every)
    ax.set_xticks([(month + 0.5) * _MONTH_LONG for month in months], [_MONTHS[m] for m in months])
    tops = _tops(len(years))
    height = ax.get_window_extent().height / ax.figure.dpi
    step = -(-len(years) * 0.16 // height)  # of an inch each
    ax.set_yticks((tops + _DAYS / 2)[:: int(step)], [str(year) for year in years[:: int(step)]])
    if height / (len(years) * _LEAF) > 0.1:  # noqa: PLR2004
        ax.set_yticks(
            (tops[:, None] + np.array([0.5, 2.5, 4.5])).ravel(),
            ["Mon", "Wed", "Fri"] * len(years), minor=True, fontsize="x-small",
        )  # fmt: skip
        ax.tick_params(axis="y", which="major", pad=26)
    ax.set(xlim=(0, _WEEKS), ylim=(tops[-1] + _DAYS, 0))
    ax.tick_params(which="both", length=0)
    ax.spines[:].set_visible(False)
