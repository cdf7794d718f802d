"""Pictures of frames: DataFrame in, matplotlib Axes out.

Each function draws on the Axes it is given, or on a new figure, and returns the Axes. Colours of
text, grid and background are those of the style in use, light or dark; those of the data are told
apart by people who are colour-blind (Okabe and Ito, "Color Universal Design", 2008).

Characters that the fonts of ``rcParams["font.family"]`` lack are shown as ``?``: for names in other
scripts add a font that has them, ``["DejaVu Sans", "Noto Sans CJK JP"]``.
"""

from __future__ import annotations

import unicodedata
from functools import lru_cache
from typing import TYPE_CHECKING, Any

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
from matplotlib import dates
from matplotlib.font_manager import FontProperties, findfont, get_font
from matplotlib.ticker import FixedLocator, MaxNLocator, StrMethodFormatter

from mailframe import analysis
from mailframe.analysis.columns import check_columns, group_column, group_values, text, time_column
from mailframe.analysis.periods import following, frequency_of, zone_of
from mailframe.analysis.senders import commonest, rank, sender_column, sender_values
from mailframe.idn import unicode_domain
from mailframe.timeline import trace

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import tzinfo

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mailframe.analysis.periods import Frequency, Zone
    from mailframe.analysis.senders import Ranking

__all__ = ["senders", "trace", "volume"]

_time_axis: Any = dates  # which has no types

# Okabe and Ito's, less black and yellow: each stands out on white as on black.
_COLOURS = ("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7")
_OTHERS = "#999999"

#: Above so many periods bars are too thin to be drawn apart.
_MOST_BARS = 70
_LEAST_WIDTH = 6  # periods for which there is room
#: Ticks of time; where periods are no more than that, one each, if there is room.
_MOST_TICKS = 13
_TICK_ROOM = 0.55  # inches
# How many ticks matplotlib's locator must be allowed, to be sure of so many: its intervals are six
# months, three weeks and twelve hours at most, and it warns if that does not do.
_LEAST_ROOM = ((11, 5), (7, 3), (5, 2))
_LACKING = {"address": "without a sender", "domain": "without a domain", "name": "without a name"}
_LEAST_ROWS = 4
_LONGEST = 34  # characters of a label


def volume(
    headers: pd.DataFrame,
    freq: str = "W",
    *,
    by: str | None = None,
    tz: str | tzinfo = "UTC",
    on: str = "date",
    ax: Axes | None = None,
) -> Axes:
    """Draw how many messages there were a period.

    Parameters
    ----------
    headers
        Messages, with the columns ``on``, that of ``by``, and ``utc_offset`` for ``tz="sender"``.
    freq, by, tz, on
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
    >>> from mailframe import schema
    >>> volume(schema.empty("headers"), "M", tz="Europe/Berlin").get_xlabel()
    'date sent (Europe/Berlin)'
    """
    frequency, zone = frequency_of(freq), zone_of(tz)
    grouping = [] if by is None else [group_column(headers, by)]
    offset = ["utc_offset"] if zone.zone is None else []
    check_columns(headers, [time_column(on), *grouping, *offset])
    names, codes = _main_groups(headers, by)
    counted = analysis.volume(
        pd.DataFrame(
            {name: headers[name].array for name in (on, *offset)} | {"size": 0, "group": codes}
        ),
        freq,
        by="group",
        tz=tz,
        on=on,
    )
    ax = _new_axes(8, 3.6) if ax is None else ax
    ax.set_title(f"Messages per {frequency.word}{'' if by is None else f', by {_label(by)}'}")
    ax.set_xlabel(_time_label(on, zone, counted.attrs["undated"]), loc="left")
    ax.set_ylabel("messages")
    if counted.empty:
        return _without_messages(ax)
    groups = counted["group"].unique().astype("int64")
    edges = _edges(pd.DatetimeIndex(counted["period"].iloc[:: len(groups)]), frequency)
    counts = counted["messages"].to_numpy().reshape(-1, len(groups))
    _draw_periods(ax, edges, counts, groups, names)
    _mark_time(ax, edges, zone)
    _mark_counts(ax.yaxis)
    _tidy(ax, "y")
    return ax


def senders(
    headers: pd.DataFrame, *, top: int | None = 15, by: str = "address", ax: Axes | None = None
) -> Axes:
    """Draw who sent most messages.

    Parameters
    ----------
    headers
        Messages, with the column ``from_address``, ``from_domain`` or ``from_name``.
    top
        Only so many senders.
    by
        ``"address"``, ``"domain"`` or ``"name"``. A name that no font at hand can show is replaced
        by the address, where that column is there.
    ax
        What to draw on; a new figure otherwise.

    Returns
    -------
    Axes
        A bar a sender, with the number of messages and their share of all.

    Raises
    ------
    QueryError
        For a column that is missing, and for what is no number or no kind of sender.

    Examples
    --------
    >>> ax = senders(pd.DataFrame({"from_address": ["a@b.example", "c@d.example", "A@b.example"]}))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['a@b.example', 'c@d.example']
    """
    check_columns(headers, [sender_column(by)])
    ranking = rank(sender_values(headers, by), top)
    shown = len(ranking.senders)
    ax = _new_axes(8, 1.2 + 0.27 * max(shown, _LEAST_ROWS)) if ax is None else ax
    ax.set_title(_senders_title(ranking))
    ax.set_xlabel("messages" + _left_out(ranking.unknown, _LACKING[by]))
    if not shown:
        return _without_messages(ax)
    bars = ax.barh(np.arange(shown), ranking.messages, color=_COLOURS[0], height=0.75)
    shares = ranking.messages / len(headers)
    written = [f"{n:,} ({share:.0%})" for n, share in zip(ranking.messages, shares, strict=True)]
    ax.bar_label(bars, written, padding=3)
    ax.set_yticks(np.arange(shown), _sender_labels(headers, ranking, by))
    ax.set_ylim(max(shown, _LEAST_ROWS) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    # Room for what is written beside the longest bar, at about a twelfth of an inch a character.
    ax.margins(x=min(max(map(len, written)) / 12 / _width(ax), 1))
    _mark_counts(ax.xaxis)
    _tidy(ax, "x")
    return ax


# -- what is drawn


def _main_groups(headers: pd.DataFrame, by: str | None) -> tuple[list[str], NDArray[np.int64]]:
    """Name the largest groups, and number each message's; what is left is one group, the last."""
    if by is None:
        return [""], np.zeros(len(headers), dtype="int64")
    values = group_values(headers, by)
    missing = values.isna()
    ranking = rank(values.astype("str").mask(missing, f"no {by}"))
    names = [_label(name) for name in ranking.senders]
    if len(names) <= len(_COLOURS):
        return names, ranking.places
    main = len(_COLOURS)
    names = [*names[:main], f"{len(names) - main:,} others"]
    return names, np.minimum(ranking.places, main)


def _draw_periods(
    ax: Axes,
    edges: NDArray[np.float64],
    counts: NDArray[np.int64],
    groups: NDArray[np.int64],
    names: Sequence[str],
) -> None:
    """Draw groups, the columns of ``counts``, one upon the other."""
    bottom = np.zeros(len(counts), dtype="int64")
    drawn: list[Any] = []
    for group, heights in zip(groups, counts.T, strict=True):
        colour = _COLOURS[group] if group < len(_COLOURS) else _OTHERS
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
        # As they lie: the group on top is the first in the legend.
        _add_legend(ax, drawn[::-1], [names[group] for group in groups][::-1])


def _add_legend(ax: Axes, handles: list[Any], labels: list[str]) -> None:
    if ax.figure.get_layout_engine() is None:  # beside the axes it would be cut off
        ax.legend(handles, labels, loc="best")
    else:
        ax.legend(handles, labels, loc="upper left", bbox_to_anchor=(1, 1), frameon=False)


def _edges(periods: pd.DatetimeIndex, frequency: Frequency) -> NDArray[np.float64]:
    """Return where periods begin, and where the last one ends, in matplotlib's days."""
    moments: Any = periods.append(pd.DatetimeIndex([following(periods[-1], frequency)]))
    if moments.tz is not None:
        moments = moments.tz_convert("UTC").tz_localize(None)
    edges: NDArray[np.float64] = _time_axis.date2num(moments.to_numpy())
    return edges


def _mark_time(ax: Axes, edges: NDArray[np.float64], zone: Zone) -> None:
    # pandas knows zones by more names than matplotlib does.
    clock = pd.Timestamp(0, tz=zone.zone or "UTC").tzinfo
    most = min(max(int(_width(ax) / _TICK_ROOM), _LEAST_ROOM[-1][0]), _MOST_TICKS)
    locator: Any
    if len(edges) <= _MOST_TICKS:
        locator = FixedLocator(edges[:: -(-len(edges) // most)].tolist())
    else:
        least = next(ticks for room, ticks in _LEAST_ROOM if most >= room)
        locator = _time_axis.AutoDateLocator(tz=clock, minticks=least, maxticks=most)
    ax.xaxis_date(clock)
    ax.xaxis.set_major_locator(locator)
    ax.xaxis.set_major_formatter(_time_axis.ConciseDateFormatter(locator, tz=clock))
    # A bar alone is a bar, not a wall.
    beside = max(_LEAST_WIDTH - (len(edges) - 1), 0) / 2 * (edges[1] - edges[0])
    ax.set_xlim(edges[0] - beside, edges[-1] + beside)


def _width(ax: Axes) -> float:
    """Return about how wide the axes are, in inches: they are laid out when they are drawn."""
    width: float = ax.get_window_extent().width / ax.figure.dpi
    return width


def _mark_counts(axis: Any) -> None:
    axis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(StrMethodFormatter("{x:,.0f}"))


def _tidy(ax: Axes, grid: str) -> None:
    ax.spines[["top", "right"]].set_visible(False)
    ax.set_axisbelow(True)
    ax.grid(visible=True, axis=grid, alpha=0.35, linewidth=0.6)  # type: ignore[arg-type]


def _new_axes(width: float, height: float) -> Axes:
    ax: Axes = plt.subplots(figsize=(width, height), layout="constrained")[1]
    return ax


def _without_messages(ax: Axes) -> Axes:
    ax.set(xticks=[], yticks=[])
    ax.text(0.5, 0.5, "no messages", transform=ax.transAxes, ha="center", va="center")
    _tidy(ax, "both")
    return ax


# -- what is written


def _time_label(on: str, zone: Zone, undated: int) -> str:
    sent = "date sent" if on == "date" else "date received"
    return f"{sent} ({zone.name})" + _left_out(undated, "without a date")


def _left_out(messages: int, lacking: str) -> str:
    one = messages == 1
    return f"\n{messages:,} message{'' if one else 's'} {lacking} not shown" if messages else ""


def _senders_title(ranking: Ranking) -> str:
    shown = len(ranking.senders)
    if not shown:
        return "Messages by sender"
    return f"Messages by sender ({shown:,}{f' of {ranking.total:,}' * (shown < ranking.total)})"


def _sender_labels(headers: pd.DataFrame, ranking: Ranking, by: str) -> list[str]:
    labels = [str(name) for name in ranking.senders]
    if by == "name" and "from_address" in headers.columns:
        addresses = commonest(ranking, text(headers, "from_address").str.lower())
        pairs = zip(labels, addresses.fillna(""), strict=True)
        labels = [name if _can_show(name) else address or name for name, address in pairs]
    return [_label(label) for label in labels]


def _label(words: str) -> str:
    """Make a label of what a mail says: one line, not long, of characters there are glyphs for."""
    local, at, domain = " ".join(words.split()).rpartition("@")
    shown = f"{local}{at}{unicode_domain(domain)}"
    if not _can_show(shown):
        shown = "".join(char if _can_show(char) else "?" for char in f"{local}{at}{domain}")
    # matplotlib reads what stands between dollars as a formula.
    return _shortened(shown).replace("$", r"\$")


def _shortened(words: str) -> str:
    if len(words) <= _LONGEST:
        return words
    local, at, domain = words.rpartition("@")
    if at and len(domain) < _LONGEST - 8:
        return f"{local[: _LONGEST - len(domain) - 2]}…@{domain}"
    half = _LONGEST // 2
    return f"{words[: half - 1]}…{words[-half:]}"


def _can_show(words: str) -> bool:
    families = tuple(FontProperties().get_family())
    return all(_has_glyph(char, families) for char in words)


@lru_cache(maxsize=4096)
def _has_glyph(char: str, families: tuple[str, ...]) -> bool:
    if unicodedata.category(char)[0] == "C":  # what turns the direction of writing, for one
        return False
    paths = [findfont(FontProperties(family=[family])) for family in families]
    return any(get_font(path).get_char_index(ord(char)) for path in paths)
