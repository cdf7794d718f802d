"""Pictures of newsletters and lists: how much of them comes, and how much of it is read."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mailframe import analysis
from mailframe.plots.canvas import (
    COLOURS,
    NARROW,
    add_legend,
    mark_counts,
    new_axes,
    tidy,
    width_of,
    without_messages,
)
from mailframe.plots.labels import can_show, label
from mailframe.plots.people import font_size, leave_room, name_rows, rows_for
from mailframe.source import check_count

if TYPE_CHECKING:
    from matplotlib.axes import Axes

    from mailframe.analysis.identity import Me

__all__ = ["newsletters"]

# Dark and plain, light and hatched: told apart on paper and by everybody.
_UNREAD, _READ = COLOURS[0], COLOURS[4]
_HATCH = "////"
_LEAST_ROWS = 4
_ROW = 0.14  # inches, of small writing
_LEGEND = 14  # characters, which it takes of the width where it is beside the bars


def newsletters(
    headers: pd.DataFrame,
    *,
    top: int | None = 15,
    on: str = "date",
    me: Me = None,
    ax: Axes | None = None,
) -> Axes:
    """Draw which newsletters and lists come, and how much of each is read.

    Parameters
    ----------
    headers
        Messages, with the columns that `mailframe.analysis.newsletters` needs; or what it
        returned, rows of it perhaps, which is drawn as it is.
    top
        Only so many, those of which most is unread.
    on, me
        As for `mailframe.analysis.newsletters`.
    ax
        What to draw on; a new figure otherwise.

    Returns
    -------
    Axes
        A bar a newsletter, unread and read messages one beside the other, with the number of
        messages and the share that is read. One whose name no font at hand can show, or whose name
        another one has too, is named by its address; a list is named by its List-Id, or without
        one by the address to write to, or to leave at.

    Raises
    ------
    QueryError
        As `mailframe.analysis.newsletters` does.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> ax = newsletters(headers, top=3)
    >>> [label.get_text() for label in ax.get_yticklabels()][:2]
    ['Restaurang Kajutan', 'Harbour & Sensor Weekly']
    >>> [text.get_text() for text in ax.texts]
    ['68 (29% read)', '105 (70% read)', '75 (72% read)']
    """
    check_count("top", top, "newsletters")
    is_table = isinstance(headers, pd.DataFrame) and {"unread", "evidence"} <= {*headers.columns}
    table = headers if is_table else analysis.newsletters(headers, on=on, me=me)
    total = len(table)
    top = total if top is None else top
    shown = min(top, total)
    ax = new_axes(8, 1.4 + 0.27 * max(shown, _LEAST_ROWS)) if ax is None else ax
    table = table.head(min(shown, rows_for(ax, _ROW)))
    shown = len(table)
    several = f" of {total:,}" * (shown < total)
    ax.set_title("Newsletters and lists" + f" ({shown:,}{several})" * bool(shown), wrap=True)
    ax.set_xlabel("messages")
    if not shown:
        return without_messages(ax)
    places = np.arange(shown)
    messages, unread = (table[name].to_numpy("int64") for name in ("messages", "unread"))
    dark = ax.barh(places, unread, color=_UNREAD, height=0.75)
    light = ax.barh(
        places, messages - unread, left=unread, color=_READ, height=0.75, hatch=_HATCH,
        edgecolor=ax.get_facecolor(), linewidth=0,
    )  # fmt: skip
    for bar in light:  # or else the axis ends where the longest of them begins
        bar.sticky_edges.x.clear()
    rates = table["read_rate"]
    written = [
        f"{n:,}" if pd.isna(rate) else f"{n:,} ({rate:.0%} read)"
        for n, rate in zip(messages, rates, strict=True)
    ]
    ax.bar_label(light, written, padding=3, fontsize=font_size(ax))
    ax.set_ylim(max(shown, _LEAST_ROWS) - 0.5, -0.5)
    name_rows(ax, _names(table))
    is_beside = width_of(ax) >= NARROW and ax.figure.get_layout_engine() is not None
    leave_room(ax, [one + " " * (_LEGEND if is_beside else 0) for one in written])
    mark_counts(ax.xaxis)
    tidy(ax, "x")
    add_legend(ax, [dark, light], ["unread", "read"])
    return ax


def _names(table: pd.DataFrame) -> list[str]:
    """Name what is drawn, as a person would, where that tells one from the other."""
    is_list = table["kind"] == "list"
    # Of a list its own address, where that is known; never one of its authors'.
    posts = table["address"].where(table["evidence"].str.contains("list-post"))
    ways = table["unsubscribe"].str.replace(r"^\w+:/*|\?.*$", "", regex=True)
    lists = table["list_id"].fillna(posts).fillna(ways)
    addresses = lists.where(is_list).fillna(table["address"]).fillna(table["list_id"]).fillna("")
    is_clear = table["name"].notna() & ~table["name"].duplicated(keep=False)
    pairs = zip(table["name"].where(is_clear, ""), addresses, strict=True)
    return [label(name if name.strip() and can_show(name) else address) for name, address in pairs]
