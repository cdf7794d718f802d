"""Pictures of how messages came: the way of one, or where many of them were kept."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.lines import Line2D
from matplotlib.patches import Patch
from matplotlib.ticker import FixedFormatter, FixedLocator, NullLocator

from mailframe import analysis, schema
from mailframe.plots.canvas import (
    COLOURS,
    NARROW,
    OTHERS,
    add_legend,
    new_axes,
    tidy,
    width_of,
    without_messages,
)
from mailframe.plots.labels import label
from mailframe.plots.people import font_size, name_rows, rows_for
from mailframe.source import check_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["delivery"]

_KEY = [column.name for column in schema.KEY]
_TOLERANCE = "1s"
# A row of small writing, in inches, and of a new figure.
_ROW = 0.14
_NEW_ROW = 0.27
_LEAST_ROWS = 4
_MOST_ROWS = 40
# A character of small writing, and of the usual one, in inches.
_SMALL = 0.065
_CHARACTER = 1 / 12
_TICK_ROOM = 0.5
# A bar of no width would not be seen.
_THINNEST = 0.05

_DELAYED, _LONGEST, _WRONG = COLOURS[0], COLOURS[1], COLOURS[3]

_MINUTE, _HOUR, _DAY, _YEAR = 60, 3600, 86400, 31_557_600
_UNITS = ((_YEAR, "y"), (_DAY, "d"), (_HOUR, "h"), (_MINUTE, "min"), (1, "s"))
#: Lengths of time, in seconds, that are round.
_ROUND = (
    *(1, 2, 5, 10, 15, 30),
    *(n * _MINUTE for n in (1, 2, 5, 10, 15, 30)),
    *(n * _HOUR for n in (1, 2, 3, 6, 12)),
    *(n * _DAY for n in (1, 2, 5, 10, 30, 100)),
    *(n * _YEAR for n in (1, 2, 5, 10, 20, 50)),
)
_LOGARITHMIC = (1, 10, _MINUTE, 10 * _MINUTE, _HOUR, 6 * _HOUR, _DAY, 7 * _DAY, 30 * _DAY, _YEAR,
                10 * _YEAR, 100 * _YEAR)  # fmt: skip


def delivery(
    hops: pd.DataFrame,
    headers: pd.DataFrame | None = None,
    *,
    top: int | None = 15,
    ax: Axes | None = None,
) -> Axes:
    """Draw the way of a message, or how long hosts kept many of them.

    Parameters
    ----------
    hops
        As for `mailframe.analysis.delivery`: of one message or of several.
    headers
        Messages, with the key and ``internal_date``, which is one clock more.
    top
        Of several messages only so many hosts, those where most time went.
    ax
        What to draw on; a new figure otherwise.

    Returns
    -------
    Axes
        Of one message: a row a hop, with a bar from the stamp before to its own. Where a clock is
        wrong, the bar is hatched, goes from the last right stamp to the next, when it must have
        been, and says by how much the clock is wrong.
        Of several messages: a row a host, with its delays on a logarithmic axis (below a second a
        linear one): the half in the middle, eight in ten, the median, and the longest. On the left,
        apart from them, how much earlier a stamp is than one before it: there clocks disagree.

    Raises
    ------
    QueryError
        As `mailframe.analysis.delivery` does, and for ``top`` that is no number.

    Notes
    -----
    Which clocks are right: see `mailframe.analysis.delivery`.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     hops = session.hops()
    >>> delivery(hops, top=5).get_title()
    'Delays by host (5 of 85)'
    >>> ax = delivery(hops[hops["uid"] == 999])
    >>> ax.get_title(), [text.get_text() for text in ax.texts]
    ('One message: 5 hops in 9 s', ['', '2 s', '3 s', '3 s', '1 s'])
    """
    check_count("top", top, "hosts")
    told = analysis.delivery(hops, headers, by="hop", tolerance=_TOLERANCE)
    if len(told[_KEY].drop_duplicates()) == 1:
        return _draw_way(told, ax)
    table = analysis.delivery(hops, headers, by="host", tolerance=_TOLERANCE)
    return _draw_hosts(told, table, top, ax)


# -- of one message


def _draw_way(told: pd.DataFrame, ax: Axes | None) -> Axes:
    shown = min(len(told), _MOST_ROWS)
    ax = new_axes(8, 1.2 + _NEW_ROW * max(shown, _LEAST_ROWS)) if ax is None else ax
    shown = min(shown, rows_for(ax, _ROW))
    elapsed = told["elapsed"].dt.total_seconds()
    span = elapsed.max() if elapsed.notna().any() else 0.0
    ax.set_title(_way_title(told, shown, span), wrap=True)
    ax.set_xlabel(_since(told), loc="left", wrap=True)
    # A hop whose clock is wrong was between those before and behind whose clocks are not.
    before = elapsed.ffill().shift().fillna(0.0)
    begin = (elapsed - told["delay"].dt.total_seconds()).fillna(elapsed).fillna(before)
    end = elapsed.bfill().fillna(elapsed.max()).fillna(0.0)
    rows = told.head(shown)
    written = _words(told)[:shown]
    name_rows(ax, [_name(host) for host in rows["by_host"]])
    least = max(span, 1.0) * _THINNEST / width_of(ax)
    widths = np.maximum(end - begin, least).to_numpy()[:shown]
    is_wrong = (rows["clock"] != "ok").to_numpy()
    colours = np.where(rows["clock"].isin(["ahead", "behind"]), _WRONG, OTHERS)
    bars: Any = ax.barh(np.arange(shown), widths, left=begin.to_numpy()[:shown], height=0.6)
    for bar, wrong, colour in zip(bars, is_wrong, colours, strict=True):
        bar.set(**(_hatched(str(colour)) if wrong else {"color": _DELAYED}))
    ax.bar_label(bars, written, padding=3, fontsize=font_size(ax))
    ax.set_ylim(max(shown, _LEAST_ROWS) - 0.5, -0.5)
    ax.set_xlim(-least, _limit(ax, (begin.to_numpy()[:shown] + widths), written, max(span, 1.0)))
    _mark_lengths(ax, span)
    tidy(ax, "x")
    return ax


def _hatched(colour: str) -> dict[str, Any]:
    return {"facecolor": "none", "edgecolor": colour, "hatch": "////", "linewidth": 0.8}


def _way_title(told: pd.DataFrame, shown: int, span: float) -> str:
    hops = f"{len(told):,} hop{'' if len(told) == 1 else 's'}"
    took = f" in {_spelled(span)}" if (told["clock"] == "ok").sum() > 1 else ""
    some = f" (the first {shown:,} shown)" if shown < len(told) else ""
    return f"One message: {hops}{took}{some}"


def _since(told: pd.DataFrame) -> str:
    right = told["time"][told["clock"] == "ok"]
    if len(right):
        return f"time since {right.iloc[0]:%Y-%m-%d %H:%M:%S} UTC"
    return "which clock is right cannot be told" if told["time"].notna().any() else "no time known"


def _words(told: pd.DataFrame) -> list[str]:
    """Return what is written beside each bar."""
    columns = (told[name].dt.total_seconds() for name in ("delay", "off", "backwards"))
    return [
        _word(str(clock), *values)
        for clock, *values in zip(told["clock"], *columns, told["time"].notna(), strict=True)
    ]


def _word(clock: str, delay: float, off: float, back: float, is_timed: bool) -> str:  # noqa: FBT001
    if clock == "ok":
        return "" if np.isnan(delay) else _spelled(delay)
    if clock != "unknown":
        return f"clock {clock}" + ("" if np.isnan(off) else f" by ≥ {_spelled(abs(off))}")
    if not is_timed:
        return "no time"
    return f"{_spelled(back)} before one above" if back > 0 else "clock unclear"


def _limit(ax: Axes, ends: Any, written: Sequence[str], least: float) -> float:
    """Return where the axis ends, so that what is written behind the bars has room."""
    width = width_of(ax)
    character = _SMALL if width < NARROW else _CHARACTER
    names = max((len(one.get_text()) for one in ax.get_yticklabels()), default=0)
    room = max(width - names * character, width / 3)
    free = 1 - np.array([len(words) + 1 for words in written]) * character / room
    return max(float((ends / np.maximum(free, 0.25)).max()), least * 1.02)


def _mark_lengths(ax: Axes, span: float) -> None:
    """Mark an axis of lengths of time at round ones, as many as there is room for."""
    high = ax.get_xlim()[1]
    room = width_of(ax) * 0.7

    def fits(step: float) -> bool:
        longest = max(len(_spelled(tick)) for tick in np.arange(0, high, step))
        return high / step * max(longest * _SMALL + 0.2, _TICK_ROOM) <= room

    # (Shorter ones have more ticks than anybody counts.)
    step = next((one for one in _ROUND if high / one <= room / _TICK_ROOM and fits(one)), high)
    ticks = np.arange(0, high, step) if span else np.array([])
    ax.xaxis.set_major_locator(FixedLocator(ticks.tolist()))
    ax.xaxis.set_major_formatter(FixedFormatter([_spelled(tick) for tick in ticks]))


# -- of several


def _draw_hosts(told: pd.DataFrame, table: pd.DataFrame, top: int | None, ax: Axes | None) -> Axes:
    table = table[table["longest"].notna() | (table["negative"] > 0)]
    shown = min(len(table), _MOST_ROWS if top is None else top)
    ax = new_axes(9, 1.3 + _NEW_ROW * max(shown, _LEAST_ROWS)) if ax is None else ax
    shown = min(shown, rows_for(ax, _ROW))
    hosts = pd.Index(table["host"].head(shown))
    several = f" of {len(table):,}" * (shown < len(table))
    ax.set_title("Delays by host" + (f" ({shown:,}{several})" if shown else ""), wrap=True)
    ax.set_xlabel("time since the stamp before", wrap=True)
    if not shown:
        without_messages(ax)
        if len(told):
            ax.texts[-1].set_text("no delays")
        return ax
    place = pd.Series(hosts.get_indexer(told["by_host"].str.lower()), index=told.index)
    is_shown = place >= 0
    delays = told["delay"].dt.total_seconds()[is_shown].groupby(place[is_shown])
    levels = pd.DataFrame({q: delays.quantile(q) for q in (0.1, 0.25, 0.5, 0.75, 0.9)})
    back = told["backwards"].dt.total_seconds()
    is_back = is_shown & (told["backwards"] > pd.Timedelta(_TOLERANCE))
    backwards = back[is_back].groupby(place[is_back])
    longest = delays.max().max()
    low = backwards.max().max() if is_back.any() else 0.0
    ax.set_xscale("symlog", linthresh=1, linscale=0.7)
    ax.set_xlim(-2 * low if low else -0.15, max(longest if longest > 0 else 1.0, 60.0) * 2)
    handles, names = _draw_delays(ax, levels, delays.max())
    if low:
        handles, names = [*handles, _draw_back(ax, backwards)], [*names, "clocks differ by"]
    ax.set_ylim(max(shown, _LEAST_ROWS) - 0.5, -0.5)
    name_rows(ax, [_name(host) for host in hosts])
    _mark_logarithms(ax)
    tidy(ax, "x")
    add_legend(ax, handles, names)
    return ax


def _draw_delays(
    ax: Axes, levels: pd.DataFrame, longest: pd.Series[Any]
) -> tuple[list[Any], list[str]]:
    """Draw a box a row, and return what the legend shows."""
    levels = levels.dropna()
    rows = levels.index.to_numpy()
    ax.hlines(rows, levels[0.1], levels[0.9], color=_DELAYED, linewidth=1.5)
    half = levels[0.75] - levels[0.25]
    ax.barh(rows, half, left=levels[0.25], height=0.55, color=_DELAYED, linewidth=0)
    median: dict[str, Any] = {
        "marker": "|", "markersize": 9, "markeredgewidth": 2, "linestyle": "none",
        "color": ax.xaxis.label.get_color(),  # that of text stands out, light or dark
    }  # fmt: skip
    ax.plot(levels[0.5], rows, **median)
    dot: dict[str, Any] = {"marker": "o", "markersize": 4, "linestyle": "none", "color": _LONGEST}
    ax.plot(longest.dropna(), longest.dropna().index, **dot)
    handles = [Patch(color=_DELAYED), Line2D([], [], color=_DELAYED), Line2D([], [], **median),
               Line2D([], [], **dot)]  # fmt: skip
    return handles, ["middle half", "8 in 10", "median", "longest"]


def _draw_back(ax: Axes, backwards: Any) -> Any:
    """Draw by how much clocks disagree, left of all delays."""
    rows = backwards.max()
    ax.axvspan(ax.get_xlim()[0], 0, color=OTHERS, alpha=0.12, linewidth=0)
    ax.hlines(rows.index, -rows, -backwards.min(), color=_WRONG, linewidth=1.5)
    style: dict[str, Any] = {"marker": "D", "markersize": 4, "linestyle": "none", "color": _WRONG}
    ax.plot(-backwards.median(), rows.index, **style)
    return Line2D([], [], **style)


def _mark_logarithms(ax: Axes) -> None:
    """Mark a logarithmic axis, left and right of zero, with as many ticks as there is room for."""
    low, high = ax.get_xlim()
    scale = ax.xaxis.get_transform()
    inch = (scale.transform([high])[0] - scale.transform([low])[0]) / (width_of(ax) * 0.65)
    chosen = [0.0]
    for ticks in (_LOGARITHMIC, [-tick for tick in _LOGARITHMIC]):
        last = 0.0
        for tick in ticks:
            apart = abs(scale.transform([tick])[0] - scale.transform([last])[0])
            if low <= tick <= high and apart >= _TICK_ROOM * inch:
                chosen.append(float(tick))
                last = tick
    chosen.sort()
    ax.xaxis.set_major_locator(FixedLocator(chosen))
    words = ["0" if not tick else f"{'-' * (tick < 0)}{_spelled(abs(tick))}" for tick in chosen]
    ax.xaxis.set_major_formatter(FixedFormatter(words))
    ax.xaxis.set_minor_locator(NullLocator())


# -- words


def _name(host: Any) -> str:
    return "no name" if pd.isna(host) or not str(host).strip() else label(str(host))


def _spelled(seconds: float) -> str:
    """Say how long it is, in two units at most."""
    left = round(seconds)
    if left != seconds and seconds < _MINUTE:
        return f"{seconds:.2g} s"
    words = []
    for size, unit in _UNITS:
        number, rest = divmod(left, size)
        if number:
            words.append(f"{number:,} {unit}")
            left = rest
        elif words:
            break
    return " ".join(words[:2]) or "0 s"
