"""Pictures of two periods, or of two accounts, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.ticker import MaxNLocator

from mailframe import analysis
from mailframe.analysis.columns import check_columns, time_column
from mailframe.analysis.comparison import compare as compared
from mailframe.analysis.groups import grouping
from mailframe.analysis.periods import frequency_of, timeline, zone_of
from mailframe.plots.canvas import (
    COLOURS,
    add_legend,
    mark_counts,
    new_axes,
    tidy,
    without_messages,
)
from mailframe.plots.labels import label, left_out
from mailframe.plots.people import leave_room, name_rows, rows_for

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mailframe.analysis.identity import Me
    from mailframe.analysis.periods import Frequency, Zone

__all__ = ["compare"]

#: What two periods are laid upon each other by: the shortest of these that has room for each.
_WHOLES = ("D", "W", "M", "Q", "Y")
_NOW, _BEFORE = COLOURS[0], COLOURS[1]
_LEAST_ROWS = 3
_ROW = 0.24  # inches, of two bars where there is little room


class _Course(NamedTuple):
    """Messages a period, from a number of periods after the beginning on."""

    offset: int
    messages: NDArray[np.int64]


def compare(
    headers: pd.DataFrame,
    before: pd.DataFrame,
    *,
    by: str | None = None,
    top: int | None = 10,
    freq: str = "D",
    names: Sequence[str] = ("now", "before"),
    tz: str | tzinfo = "UTC",
    on: str = "date",
    me: Me = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw this period beside the one before, or two accounts side by side.

    Parameters
    ----------
    headers, before
        Messages, with the column of ``by``; without it with ``on``, and ``utc_offset`` for
        ``tz="sender"``.
    by, names, me
        As for `mailframe.analysis.compare`.
    top
        Only so many groups, those with the most messages in both.
    freq, tz, on
        Without ``by``: as for `mailframe.analysis.volume`.
    ax
        What to draw on; a new figure otherwise.

    Returns
    -------
    Axes
        With ``by``, two bars a group, with their numbers of messages. Without, how many messages
        there were a day (or ``freq``) of each: one course upon the other, from the beginning of
        the day, week, month, quarter or year that each of them lies in; where one is longer than
        a year, from the first message on.

    Raises
    ------
    QueryError
        As `mailframe.analysis.compare` and `volume` do.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> early = headers[headers["date"] < "2025-07-01"]
    >>> late = headers[headers["date"] >= "2025-07-01"]
    >>> ax = compare(late, early, by="direction", names=("late", "early"))
    >>> ax.get_title(), [label.get_text() for label in ax.get_yticklabels()]
    ('Messages by direction: late and early', ['received', 'sent', 'draft'])
    """
    if by is not None:
        return _draw_groups(headers, before, by, top, names, me, ax)
    return _draw_courses(headers, before, freq, names, tz, on, ax)


def _draw_groups(
    headers: pd.DataFrame,
    before: pd.DataFrame,
    by: str,
    top: int | None,
    names: Sequence[str],
    me: Me,
    ax: Axes | None,
) -> Axes:
    frames = [_needed(frame, grouping(frame, by)).assign(size=0) for frame in (headers, before)]
    table = compared(*frames, by=by, top=top, names=names, me=me)
    shown = len(table)
    ax = new_axes(8, 1.2 + 0.46 * max(shown, _LEAST_ROWS)) if ax is None else ax
    table = table.head(rows_for(ax, _ROW))
    shown = len(table)
    now, then = names
    ax.set_title(f"Messages by {label(by)}: {label(now)} and {label(then)}", wrap=True)
    ax.set_xlabel("messages")
    if not shown:
        return without_messages(ax)
    drawn, texts = [], []
    for name, colour, place in ((now, _NOW, -0.2), (then, _BEFORE, 0.2)):
        messages = table[f"messages_{name}"].to_numpy()
        bars = ax.barh(np.arange(shown) + place, messages, height=0.36, color=colour)
        written = [f"{n:,}" for n in messages]
        ax.bar_label(bars, written, padding=3, fontsize="x-small")
        texts += written
        drawn.append(bars)
    groups = table[by].astype("str").where(table[by].notna(), f"no {by}")
    ax.set_ylim(max(shown, _LEAST_ROWS) - 0.5, -0.5)
    name_rows(ax, [label(str(group)) for group in groups])
    leave_room(ax, texts)
    mark_counts(ax.xaxis)
    tidy(ax, "x")
    add_legend(ax, drawn, [label(name) for name in names])
    return ax


def _draw_courses(
    headers: pd.DataFrame,
    before: pd.DataFrame,
    freq: str,
    names: Sequence[str],
    tz: str | tzinfo,
    on: str,
    ax: Axes | None,
) -> Axes:
    frequency, zone = frequency_of(freq), zone_of(tz)
    compared(*(frame[[]].assign(size=0) for frame in (headers, before)), names=names)
    offset = ["utc_offset"] if zone.zone is None else []
    frames = [_needed(frame, [time_column(on), *offset]) for frame in (headers, before)]
    whole, starts = _wholes(frames, frequency, zone, on)
    courses = [
        _course(frame.assign(size=0), freq, start, tz, on)
        for frame, start in zip(frames, starts, strict=True)
    ]
    ax = new_axes(8, 3.6) if ax is None else ax
    now, then = (label(name) for name in names)
    ax.set_title(f"Messages per {frequency.word}: {now} and {then}", wrap=True)
    undated = sum(len(frame) for frame in frames) - sum(int(one.messages.sum()) for one in courses)
    ax.set_xlabel(
        f"{frequency.word} of the {whole} ({zone.name})" + left_out(undated, "without a date"),
        loc="left",
        wrap=True,
    )
    ax.set_ylabel("messages")
    if not any(len(one.messages) for one in courses):
        return without_messages(ax)
    # Days and months are counted from 1, hours from 0.
    first = 0.0 if frequency.unit == "h" else 0.5
    outlines = []
    for course in courses:
        edges = course.offset + np.arange(len(course.messages) + 1) + first
        heights = np.append(course.messages, course.messages[-1:])
        outlines.append((edges[: len(heights)], heights))
    (edges, heights), (other_edges, other_heights) = outlines
    drawn: list[Any] = [ax.fill_between(edges, heights, step="post", color=_NOW, linewidth=0)]
    drawn += ax.step(other_edges, other_heights, where="post", color=_BEFORE, linewidth=1.8)
    ax.set_ylim(bottom=0)
    ends = np.concatenate([edges, other_edges])
    ax.set_xlim(first if whole != "period" else ends.min(), ends.max())
    ax.xaxis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    mark_counts(ax.yaxis)
    tidy(ax, "y")
    add_legend(ax, drawn, [now, then])
    return ax


def _needed(frame: pd.DataFrame, columns: list[str]) -> pd.DataFrame:
    """Return the columns that are used, and what tells who I am."""
    check_columns(frame, columns)
    telling = ("from_address", "account", "folder", "labels", "delivered_to", "draft")
    return frame[list(dict.fromkeys([*columns, *(c for c in telling if c in frame.columns)]))]


def _wholes(
    frames: list[pd.DataFrame], frequency: Frequency, zone: Zone, on: str
) -> tuple[str, list[Any]]:
    """Name what each of the frames lies in one of, and say when these begin."""
    order = ("hour", *(frequency_of(one).word for one in _WHOLES))
    for whole in _WHOLES[order.index(frequency.word) :]:
        lines = [timeline(frame, frequency_of(whole), zone, on).starts for frame in frames]
        if all(len(starts) <= 1 for starts in lines):
            return frequency_of(whole).word, [next(iter(starts), None) for starts in lines]
    return "period", [None, None]


def _course(
    headers: pd.DataFrame, freq: str, start: pd.Timestamp | None, tz: str | tzinfo, on: str
) -> _Course:
    counted = analysis.volume(headers, freq, tz=tz, on=on)
    offset = 0
    if start is not None:
        frequency = frequency_of(freq)
        first, whole = counted["period"].iloc[0], start
        if frequency.unit == "h":  # a day may have 23 or 25
            offset = int((first - whole) // pd.Timedelta(hours=1))
        else:
            walls = np.array([one.tz_localize(None) for one in (whole, first)], dtype="M8[us]")
            units = walls.astype(f"M8[{frequency.unit}]").astype("int64")
            # The week in which a month begins may begin before it.
            offset = max(int(units[1] - units[0]) // frequency.units, 0)
    return _Course(offset, counted["messages"].to_numpy("int64"))
