"""Pictures of what fills a mailbox, and of what is attached to the mail."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from matplotlib.ticker import EngFormatter, MaxNLocator

from mailframe import analysis
from mailframe.analysis.attached import offered
from mailframe.analysis.columns import check_columns, time_column
from mailframe.analysis.families import families
from mailframe.analysis.keyed import KEY_NAMES, rows_of
from mailframe.analysis.periods import frequency_of, zone_of
from mailframe.analysis.storage import PERIODS
from mailframe.plots.canvas import (
    COLOURS,
    edges_of,
    mark_time,
    new_axes,
    tidy,
    time_label,
    without_messages,
)
from mailframe.plots.labels import label
from mailframe.plots.people import font_size, leave_room, name_rows, rows_for
from mailframe.plots.volumes import draw_periods
from mailframe.sizes import in_bytes
from mailframe.source import check_count

if TYPE_CHECKING:
    from datetime import tzinfo

    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mailframe.analysis.identity import Me

__all__ = ["attachments", "storage"]

_PERIOD = "period"
_LEAST_ROWS = 4
_ROW = 0.14  # inches, of small writing


def storage(
    frame: pd.DataFrame,
    by: str = "address",
    *,
    top: int | None = 15,
    tz: str | tzinfo = "UTC",
    on: str = "date",
    me: Me = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw what fills the mailbox.

    Parameters
    ----------
    frame, by, tz, on, me
        As for `mailframe.analysis.storage`: messages or attachments.
    top
        Only so many groups, the largest.
    ax
        What to draw on; a new figure otherwise.

    Returns
    -------
    Axes
        A bar a group, with its size and its share of all; periods in their order.

    Raises
    ------
    QueryError
        As `mailframe.analysis.storage` does.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> ax = storage(headers, "folder", top=3)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['INBOX', 'Newsletters', 'Archive/2024']
    >>> [text.get_text() for text in ax.texts]
    ['4.9 MB (57%)', '1.1 MB (13%)', '740.0 kB (9%)']
    """
    check_count("top", top, "groups")
    table = analysis.storage(frame, by, tz=tz, on=on, me=me)
    of_files = "attachments" in table.columns
    return _draw(table, by, top, "attachments" if of_files else "messages", ax)


def attachments(
    frame: pd.DataFrame,
    *,
    headers: pd.DataFrame | None = None,
    by: str = "type",
    freq: str = "M",
    top: int | None = 15,
    inline: bool = False,
    tz: str | tzinfo = "UTC",
    on: str = "date",
    me: Me = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw what is attached to the mail: of which kinds, from whom, or when.

    Parameters
    ----------
    frame, headers, by, freq, inline, tz, on, me
        As for `mailframe.analysis.attachments`. ``by="period"`` needs ``content_type`` as well.
    top
        Only so many groups, the largest; periods are all shown.
    ax
        What to draw on; a new figure otherwise.

    Returns
    -------
    Axes
        A bar a group, with its size and its share of all. For ``by="period"`` an axis of time,
        with pictures, office documents and the like one upon the other.

    Raises
    ------
    QueryError
        As `mailframe.analysis.attachments` does.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     files = session.attachments(folder="*")
    >>> ax = attachments(files, by="family", top=3)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['text', 'PDF', 'office documents']
    """
    check_count("top", top, "groups")
    if by == _PERIOD and headers is not None:
        check_columns(frame, [*KEY_NAMES, "content_type", "size"])
        return _draw_over_time(frame[offered(frame, inline=inline)], headers, freq, tz, on, ax)
    table = analysis.attachments(
        frame, headers=headers, by=by, freq=freq, inline=inline, tz=tz, on=on, me=me
    )
    return _draw(table, by, top, "attachments", ax)


def _draw(table: pd.DataFrame, by: str, top: int | None, what: str, ax: Axes | None) -> Axes:
    chosen = table.iloc[:top]
    if ax is None:
        ax = new_axes(8, 1.2 + 0.27 * max(len(chosen), _LEAST_ROWS))
    chosen = chosen.iloc[: rows_for(ax, _ROW)]
    if by in PERIODS:
        chosen = chosen.sort_values(by)
    several = f" of {len(table):,}" * (len(chosen) < len(table))
    counted = f" ({len(chosen):,}{several})" if len(chosen) else ""
    ax.set_title(f"Size of {what} by {label(by)}{counted}", wrap=True)
    unknown = table.attrs["without_size"]
    ax.set_xlabel("size" + f"\n{unknown:,} of unknown size not counted" * bool(unknown), wrap=True)
    if chosen.empty:
        return without_messages(ax)
    sizes = chosen["size"].fillna(0).astype("float64").to_numpy()
    bars = ax.barh(np.arange(len(chosen)), sizes, color=COLOURS[0], height=0.75)
    written = [
        "unknown" if pd.isna(size) else f"{in_bytes(size)} ({share:.0%})"
        for size, share in zip(chosen["size"], chosen["share"], strict=True)
    ]
    ax.bar_label(bars, written, padding=3, fontsize=font_size(ax))
    ax.set_ylim(max(len(chosen), _LEAST_ROWS) - 0.5, -0.5)
    name_rows(ax, _names(chosen[by], by))
    leave_room(ax, written)
    _mark_bytes(ax.xaxis)
    ax.set_xlim(left=0, right=None if sizes.any() else 1)
    tidy(ax, "x")
    return ax


def _names(values: pd.Series[Any], by: str) -> list[str]:
    """Name groups, the one without a value as well."""
    if by not in PERIODS:
        return [f"no {label(by)}" if pd.isna(one) else label(str(one)) for one in values]
    begins = pd.DatetimeIndex(values)
    years = begins.year.astype("Int64").astype("str")
    names = {
        "year": years,
        "quarter": years + " Q" + begins.quarter.astype("Int64").astype("str"),
        "month": begins.strftime("%Y-%m"),
    }[by]
    return [
        "no date" if unknown else str(name)
        for name, unknown in zip(names, begins.isna(), strict=True)
    ]


def _draw_over_time(
    files: pd.DataFrame,
    headers: pd.DataFrame,
    freq: str,
    tz: str | tzinfo,
    on: str,
    ax: Axes | None,
) -> Axes:
    """Draw how much there was a period, one family upon the other."""
    frequency, zone = frequency_of(freq), zone_of(tz)
    offset = ["utc_offset"] if zone.zone is None else []
    check_columns(headers, [*KEY_NAMES, time_column(on), *offset])
    names, codes = _main_families(files)
    sent = headers[[on, *offset]].reset_index(drop=True).reindex(rows_of(files, headers))
    counted = analysis.volume(
        sent.assign(size=files["size"].astype("Int64").array, group=codes),
        freq,
        by="group",
        tz=tz,
        on=on,
    )
    ax = new_axes(8, 3.6) if ax is None else ax
    ax.set_title(f"Attachments per {frequency.word}", wrap=True)
    words = time_label(on, zone, 0)
    words += _beside(counted.attrs["undated"], "without a date not shown")
    words += _beside(int(files["size"].isna().sum()), "of unknown size not counted")
    ax.set_xlabel(words, loc="left", wrap=True)
    ax.set_ylabel("size")
    if counted.empty:
        return without_messages(ax)
    groups = counted["group"].unique().astype("int64")
    edges = edges_of(pd.DatetimeIndex(counted["period"].iloc[:: len(groups)]), frequency)
    sizes = counted["size"].fillna(0).to_numpy("int64").reshape(-1, len(groups))
    mark_time(ax, edges, zone)
    draw_periods(ax, edges, sizes, groups, names)
    _mark_bytes(ax.yaxis)
    ax.set_ylim(top=None if sizes.any() else 1)
    tidy(ax, "y")
    return ax


def _main_families(files: pd.DataFrame) -> tuple[list[str], NDArray[np.int64]]:
    """Name the largest families, and number each file's; what is left is one, the last."""
    family = families(files).astype("str").reset_index(drop=True)
    sizes = pd.Series(files["size"].astype("Int64").fillna(0).array)
    order = sizes.groupby(family).sum().sort_index().sort_values(ascending=False, kind="stable")
    names = [str(name) for name in order.index]
    places = pd.Series(np.arange(len(names)), index=order.index)
    codes = family.map(places).to_numpy("int64")
    if len(names) <= len(COLOURS):
        return names, codes
    main = len(COLOURS)
    return [*names[:main], f"{len(names) - main:,} others"], np.minimum(codes, main)


def _beside(number: int, lacking: str) -> str:
    """Say how many are not in the picture; nothing if all are."""
    return f"\n{number:,} attachment{'' if number == 1 else 's'} {lacking}" if number else ""


def _mark_bytes(axis: Any) -> None:
    axis.set_major_locator(MaxNLocator("auto", integer=True, steps=[1, 2, 5, 10]))
    axis.set_major_formatter(EngFormatter("B"))
