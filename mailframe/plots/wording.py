"""Pictures of how much people write, and of what."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib import patheffects
from matplotlib.transforms import ScaledTranslation

from mailframe import analysis
from mailframe.analysis.columns import check_columns, time_column
from mailframe.analysis.groups import grouped, grouping
from mailframe.analysis.keyed import KEY_NAMES
from mailframe.analysis.periods import frequency_of, zone_of
from mailframe.analysis.wording import written
from mailframe.plots.canvas import (
    COLOURS,
    NARROW,
    edges_of,
    mark_counts,
    mark_time,
    new_axes,
    tidy,
    time_label,
    width_of,
    without_messages,
)
from mailframe.plots.labels import label, left_out
from mailframe.plots.people import font_size, leave_room, name_rows, rows_for
from mailframe.plots.volumes import draw_periods

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import tzinfo

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mailframe.analysis.identity import Me
    from mailframe.analysis.wording import Written

__all__ = ["phrases", "words"]

#: Of more periods the median is told of longer ones: it would be a scrawl.
_MOST_POINTS = 60
_LONGER = ("D", "W", "M", "Q", "Y")
_BESIDE = 0.6  # inches, of what is written on the right of the axes
_LEAST_ROWS = 4
_ROW = 0.14  # inches, of small writing
_NOW, _BEFORE = COLOURS[0], COLOURS[1]
_TEXTS = {"subject": "subjects", "own_text": "own words", "text": "texts"}


def words(
    bodies: pd.DataFrame,
    headers: pd.DataFrame,
    freq: str = "M",
    *,
    by: str | None = None,
    tz: str | tzinfo = "UTC",
    on: str = "date",
    me: Me = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw how many words people wrote themselves a period.

    Parameters
    ----------
    bodies, headers, freq, by, tz, on, me
        As for `mailframe.analysis.words`. Of more than six groups those with fewer words are drawn
        together.
    ax
        What to draw on; a new figure otherwise.

    Returns
    -------
    Axes
        Bars on an axis of time, one upon the other where there are groups. Where there is room, a
        line, with an axis of its own on the right: the median of a message, of all groups, a
        period, or a longer one where periods are many.

    Raises
    ------
    QueryError
        As `mailframe.analysis.words` does.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    ...     bodies = session.bodies(headers, own_text=True)
    >>> ax = words(bodies, headers, by="direction")
    >>> ax.get_title(), ax.get_ylabel()
    ('Words per month, by direction', 'words')
    """
    frequency, zone = frequency_of(freq), zone_of(tz)
    offset = ["utc_offset"] if zone.zone is None else []
    check_columns(headers, [time_column(on), *grouping(headers, by), *offset])
    found = written(bodies, headers, on=on)
    names, codes = _main_groups(headers, found, by, me)
    mail = headers[[*KEY_NAMES, on, *offset]].iloc[found.rows].assign(group=codes)
    texts = mail[[*KEY_NAMES]].assign(n_words=found.words)
    counted = analysis.words(texts, mail, freq, by="group", tz=tz, on=on)
    ax = new_axes(8, 3.6) if ax is None else ax
    grouped_by = "" if by is None else f", by {label(by)}"
    ax.set_title(f"Words per {frequency.word}{grouped_by}", wrap=True)
    lacking = left_out(found.left_out["without_words"], "without words")
    told = time_label(on, zone, counted.attrs["undated"]) + lacking
    small = "x-small" if width_of(ax) < NARROW else None
    ax.set_xlabel(told, loc="left", wrap=True, fontsize=small)
    ax.set_ylabel("words")
    if counted.empty:
        return without_messages(ax)
    groups = counted["group"].unique().astype("int64")
    edges = edges_of(pd.DatetimeIndex(counted["period"].iloc[:: len(groups)]), frequency)
    mark_time(ax, edges, zone)
    heights = counted["words"].to_numpy().reshape(-1, len(groups))
    draw_periods(ax, edges, heights, groups, names)
    # A group without words in the highest period keeps matplotlib from leaving room above it.
    ax.set_ylim(top=max(ax.get_ylim()[1], 1.05 * heights.sum(axis=1).max()))
    mark_counts(ax.yaxis)
    tidy(ax, "y")
    if width_of(ax) >= NARROW:
        _draw_medians(ax, texts, mail, freq, tz, on)
    return ax


def phrases(
    frame: pd.DataFrame,
    before: pd.DataFrame | None = None,
    *,
    of: str = "subject",
    n: int | tuple[int, int] = (1, 3),
    top: int | None = None,
    least: int = 2,
    without: Iterable[str] | None = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw the phrases that come back in messages, or that tell two periods apart.

    Parameters
    ----------
    frame, before, of, n, least, without
        As for `mailframe.analysis.phrases`.
    top
        Only so many; None: 15, with ``before`` 10 of each period.
    ax
        What to draw on; a new figure otherwise.

    Returns
    -------
    Axes
        A bar a phrase: with the number of messages and their share of all. With ``before``, bars
        to the right for what is typical of now, to the left for what was typical before, as long
        as the score, with the messages of now and before.

    Raises
    ------
    QueryError
        As `mailframe.analysis.phrases` does.

    Notes
    -----
    The score is that of `mailframe.analysis.phrases`.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> ax = phrases(headers, top=3)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['weekly', 'harbour', 'sensor']
    """
    if top is None:
        top = 15 if before is None else 10
    table = analysis.phrases(frame, before, of=of, n=n, top=top, least=least, without=without)
    ax = new_axes(8, 1.2 + 0.27 * max(len(table), _LEAST_ROWS)) if ax is None else ax
    where = _TEXTS.get(of, label(of))
    if before is None:
        ax.set_title(f"Commonest phrases in {where}", wrap=True)
        ax.set_xlabel("messages")
    else:
        ax.set_title(f"Phrases in {where}: now and before", wrap=True)
        narrow = width_of(ax) < NARROW
        ax.set_xlabel(
            "before  ←  score  →  now"
            if narrow
            else "typical of before   ←   score   →   typical of now\n"
            "beside the bars: messages now / before"
        )
    wanting = _wanting(table)
    if wanting:
        without_messages(ax).texts[-1].set_text(wanting)
        return ax
    table = _with_room(table, rows_for(ax, _ROW))
    _draw_commonest(ax, table) if before is None else _draw_typical(ax, table)
    return ax


def _main_groups(
    headers: pd.DataFrame, found: Written, by: str | None, me: Me
) -> tuple[list[str], NDArray[np.int64]]:
    """Name the groups with most words, and number each message's; what is left is the last one."""
    if by is None:
        return [""], np.zeros(len(found.rows), dtype="int64")
    values = grouped(headers, by, me).iloc[found.rows]
    codes, groups = pd.factorize(values.astype("str").mask(values.isna(), f"no {by}"), sort=True)
    total = np.bincount(codes, found.words, len(groups))
    order = np.argsort(-total, kind="stable")
    place = np.empty(len(order), dtype="int64")
    place[order] = np.arange(len(order))
    names = [label(str(groups[one])) for one in order]
    main = len(COLOURS)
    if len(names) > main:
        names = [*names[:main], f"{len(names) - main:,} others"]
    return names, np.minimum(place, main)[codes]


def _draw_medians(
    ax: Axes, texts: pd.DataFrame, mail: pd.DataFrame, freq: str, tz: str | tzinfo, on: str
) -> None:
    """Draw how long a message is, on an axis of its own."""
    frequency = frequency_of(freq)
    table = analysis.words(texts, mail, freq, tz=tz, on=on)
    words = ["hour", *(frequency_of(one).word for one in _LONGER)]
    for longer in _LONGER[words.index(frequency.word) :]:
        if len(table) <= _MOST_POINTS:
            break
        frequency = frequency_of(longer)
        table = analysis.words(texts, mail, longer, tz=tz, on=on)
    edges = edges_of(pd.DatetimeIndex(table["period"]), frequency)
    known = table["median_words"].notna().to_numpy()
    low, high = ax.get_xlim()
    middles = np.clip((edges[:-1] + edges[1:]) / 2, low, high)
    medians = table["median_words"][known].astype("float64")
    twin = ax.twinx()
    twin.plot(
        middles[known],
        medians,
        color=ax.yaxis.label.get_color(),  # that of words: black on white, white on black
        linewidth=1.4,
        marker="o",
        markersize=3.5,
        # An edge of the background's colour, to be seen on bars of any.
        path_effects=[patheffects.withStroke(linewidth=3.4, foreground=ax.get_facecolor())],
    )
    ax.set_xlim(low, high)
    twin.set_ylim(0, max(medians.max() * 1.15, 1))
    a_period = "" if frequency == frequency_of(freq) else f" a {frequency.word}"
    twin.set_ylabel(f"median of a message{a_period} (line)")
    mark_counts(twin.yaxis)
    twin.spines[:].set_visible(False)
    legend = ax.get_legend()
    if legend is not None and ax.figure.get_layout_engine() is not None:
        aside = ScaledTranslation(_BESIDE, 0, ax.figure.dpi_scale_trans)
        legend.set_bbox_to_anchor((1, 1), transform=ax.transAxes + aside)


def _wanting(table: pd.DataFrame) -> str:
    """Say why there is nothing to draw, if there is not."""
    messages = [
        table.attrs[name] for name in ("messages", "messages_before") if name in table.attrs
    ]
    if not any(messages):
        return "no messages"
    if not all(messages):
        return "nothing to compare with"
    return "no phrases that come back" if table.empty else ""


def _with_room(table: pd.DataFrame, rows: int) -> pd.DataFrame:
    """Leave out what there is no room for: of two periods what is least typical of them."""
    if "score" not in table.columns or len(table) <= rows:
        return table.head(rows)
    later = min(int((table["score"] > 0).sum()), rows - rows // 2)
    return pd.concat([table.head(later), table.tail(rows - later)])


def _draw_commonest(ax: Axes, table: pd.DataFrame) -> None:
    pairs = zip(table["messages"], table["share"], strict=True)
    written = [f"{messages:,} ({share:.0%})" for messages, share in pairs]
    _draw_rows(ax, table, table["messages"], written)
    mark_counts(ax.xaxis)


def _draw_typical(ax: Axes, table: pd.DataFrame) -> None:
    pairs = zip(table["messages"], table["messages_before"], strict=True)
    _draw_rows(ax, table, table["score"], [f"{now:,} / {then:,}" for now, then in pairs])
    ax.axvline(0, color=ax.yaxis.label.get_color(), linewidth=0.8)


def _draw_rows(ax: Axes, table: pd.DataFrame, lengths: pd.Series[Any], written: list[str]) -> None:
    shown = len(table)
    colours = np.where(lengths > 0, _NOW, _BEFORE).tolist()
    bars = ax.barh(np.arange(shown), lengths, color=colours, height=0.75)
    ax.bar_label(bars, written, padding=3, fontsize=font_size(ax))
    ax.set_ylim(max(shown, _LEAST_ROWS) - 0.5, -0.5)
    name_rows(ax, [label(str(one)) for one in table["phrase"]])
    leave_room(ax, written)
    tidy(ax, "x")
