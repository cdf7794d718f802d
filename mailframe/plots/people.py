"""Pictures of whom the mail is from, and to."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

from mailframe.analysis.columns import check_columns, text
from mailframe.analysis.correspondents import recipients as told_recipients
from mailframe.analysis.registrable import registrable as registered
from mailframe.analysis.senders import Ranking, commonest, rank, sender_column, sender_values
from mailframe.plots.canvas import (
    COLOURS,
    NARROW,
    mark_counts,
    new_axes,
    tidy,
    width_of,
    without_messages,
)
from mailframe.plots.labels import can_show, label, left_out
from mailframe.source import check_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from matplotlib.axes import Axes

__all__ = ["domains", "font_size", "leave_room", "name_rows", "recipients", "rows_for", "senders"]

_LACKING = {"address": "without a sender", "domain": "without a domain", "name": "without a name"}
_LEAST_ROWS = 4
# A row of small writing, and what is written above and below rows, in inches.
_ROW = 0.14
_AROUND = 0.5
# A character of small writing, and of the usual one, in inches.
_SMALL = 0.065
_CHARACTER = 1 / 12


class _Words(NamedTuple):
    """What a bar is, and what those messages lack that are in none."""

    one: str
    lacking: str = ""


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
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers()
    >>> ax = senders(headers, top=3, by="name")
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['Build server', 'Monitoring', 'Fyrbåk Support']
    """
    check_columns(headers, [sender_column(by)])
    ranking = rank(sender_values(headers, by), top)
    names = _sender_labels(headers, ranking, by)
    return _draw(ranking, names, len(headers), _Words("sender", _LACKING[by]), ax)


def domains(
    headers: pd.DataFrame,
    *,
    top: int | None = 15,
    registrable: bool = False,
    ax: Axes | None = None,
) -> Axes:
    """Draw from which domains most messages came.

    Parameters
    ----------
    headers
        Messages, with the column ``from_domain``.
    top
        Only so many domains.
    registrable
        Draw what somebody registered, by the public suffix list: ``mail.shop.co.uk`` and
        ``shop.co.uk`` as one. Needs ``pip install 'mailframe[domains]'``.
    ax
        What to draw on; a new figure otherwise.

    Returns
    -------
    Axes
        A bar a domain, with the number of messages and their share of all.

    Raises
    ------
    QueryError
        If the column is missing, or ``top`` is no number.
    NotSupportedError
        If tldextract is needed and not installed.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers()
    >>> ax = domains(headers, top=3)
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['fyrbak.example', 'build.fyrbak.example', 'monitor.fyrbak.example']
    """
    check_columns(headers, ["from_domain"])
    values = sender_values(headers, "domain")
    if registrable:
        values = registered(values)
    ranking = rank(values, top)
    names = [label(str(name)) for name in ranking.senders]
    return _draw(ranking, names, len(headers), _Words("domain", _LACKING["domain"]), ax)


def recipients(
    frame: pd.DataFrame,
    *,
    top: int | None = 15,
    by: str = "address",
    roles: Sequence[str] = ("to", "cc", "bcc"),
    ax: Axes | None = None,
) -> Axes:
    """Draw who was written to most.

    Parameters
    ----------
    frame
        Who stands in which field, as ``session.recipients()`` returns, with the columns that
        `mailframe.analysis.recipients` needs.
    top
        Only so many recipients.
    by
        ``"address"``, ``"domain"`` or ``"name"``.
    roles
        The fields that count.
    ax
        What to draw on; a new figure otherwise.

    Returns
    -------
    Axes
        A bar a recipient, with the number of messages and their share of all.

    Raises
    ------
    QueryError
        As `mailframe.analysis.recipients` does.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     sent = session.recipients(folder="Sent")
    >>> ax = recipients(sent, top=3, by="name")
    >>> ax.get_title(), [label.get_text() for label in ax.get_yticklabels()]
    ('Messages by recipient (3 of 80)', ['Jonas Ek', 'Tomasz Zieliński', 'Sofia Marques'])
    """
    check_count("top", top, "recipients")
    table = told_recipients(frame, by=by, roles=roles)
    found = table if top is None else table.head(top)
    ranking = Ranking(
        pd.Index(found[by]), found["messages"].to_numpy("int64"), np.array([], dtype="int64"),
        len(table), 0,
    )  # fmt: skip
    messages = table.attrs["messages"]
    return _draw(
        ranking, [label(str(name)) for name in found[by]], messages, _Words("recipient"), ax
    )


def _draw(
    ranking: Ranking, names: list[str], messages: int, words: _Words, ax: Axes | None
) -> Axes:
    shown = len(ranking.senders)
    ax = new_axes(8, 1.2 + 0.27 * max(shown, _LEAST_ROWS)) if ax is None else ax
    shown = min(shown, rows_for(ax, _ROW))
    ranking = ranking._replace(senders=ranking.senders[:shown], messages=ranking.messages[:shown])
    ax.set_title(_title(ranking, words.one), wrap=True)
    ax.set_xlabel("messages" + left_out(ranking.unknown, words.lacking), wrap=True)
    if not shown:
        return without_messages(ax)
    bars = ax.barh(np.arange(shown), ranking.messages, color=COLOURS[0], height=0.75)
    shares = ranking.messages / messages
    written = [f"{n:,} ({share:.0%})" for n, share in zip(ranking.messages, shares, strict=True)]
    ax.bar_label(bars, written, padding=3, fontsize=font_size(ax))
    ax.set_ylim(max(shown, _LEAST_ROWS) - 0.5, -0.5)
    name_rows(ax, names[:shown])
    leave_room(ax, written)
    mark_counts(ax.xaxis)
    tidy(ax, "x")
    return ax


def rows_for(ax: Axes, height: float) -> int:
    """Return how many rows there is room for: on an Axes that is given, perhaps not for all.

    Parameters
    ----------
    ax
        Before anything is written around it.
    height
        Of a row, in inches, where there is little room.
    """
    room = ax.get_window_extent().height / ax.figure.dpi - _AROUND
    return max(int(room / height), _LEAST_ROWS)


def font_size(ax: Axes) -> str:
    """Return how large names and numbers are written: small where there is little room."""
    return "x-small" if width_of(ax) < NARROW else "medium"


def name_rows(ax: Axes, names: Sequence[str]) -> None:
    """Name the rows of bars, in no more than about two fifths of the picture.

    Parameters
    ----------
    ax
        With a bar, or a pair, at each whole number from 0.
    names
        From `label`.
    """
    is_narrow = width_of(ax) < NARROW
    most = max(int(0.42 * width_of(ax) / _SMALL), 8) if is_narrow else 99
    shown = [name if len(name) <= most else f"{name[: most - 1]}…" for name in names]
    ax.set_yticks(np.arange(len(names)), shown, fontsize=font_size(ax))
    ax.tick_params(axis="y", length=0)


def leave_room(ax: Axes, written: Sequence[str]) -> None:
    """Leave room for what is written beside the longest bar.

    Parameters
    ----------
    ax
        With the bars, and the names of its rows.
    written
        Beside all bars.
    """
    width = width_of(ax)
    names = max((len(one.get_text()) for one in ax.get_yticklabels()), default=0)
    character = _SMALL if width < NARROW else _CHARACTER
    room = max(width - names * character, width / 3)
    ax.margins(x=min(max(map(len, written)) * character / room, 1))


def _title(ranking: Ranking, one: str) -> str:
    shown = len(ranking.senders)
    if not shown:
        return f"Messages by {one}"
    several = f" of {ranking.total:,}" * (shown < ranking.total)
    return f"Messages by {one} ({shown:,}{several})"


def _sender_labels(headers: pd.DataFrame, ranking: Ranking, by: str) -> list[str]:
    labels = [str(name) for name in ranking.senders]
    if by == "name" and "from_address" in headers.columns:
        addresses = commonest(ranking, text(headers, "from_address").str.lower())
        pairs = zip(labels, addresses.fillna(""), strict=True)
        labels = [name if can_show(name) else address or name for name, address in pairs]
    return [label(words) for words in labels]
