"""A picture of a conversation: who answered whom, and when."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from matplotlib import dates
from matplotlib.collections import LineCollection

from mailframe.analysis.columns import check_columns, text, time_column
from mailframe.analysis.links import LINKS
from mailframe.analysis.periods import zone_of
from mailframe.analysis.senders import commonest, rank, sender_values
from mailframe.analysis.trees import NEVER, messages_of, trees_of
from mailframe.exceptions import QueryError
from mailframe.plots.canvas import (
    COLOURS,
    OTHERS,
    add_legend,
    mark_time,
    new_axes,
    tidy,
    time_label,
    width_of,
    without_messages,
)
from mailframe.plots.labels import can_show, label

if TYPE_CHECKING:
    from datetime import tzinfo

    import pandas as pd
    from matplotlib.axes import Axes
    from numpy.typing import NDArray

    from mailframe.analysis.senders import Ranking
    from mailframe.analysis.trees import Messages, Trees

__all__ = ["thread"]

#: Of more messages the writers are told by colours alone, as where there is little room.
_MOST_NAMES = 40
_NAME_HEIGHT = 0.15  # inches
_NAMES_WIDTH = 4
_LEAST_ROWS = 6
_SECOND = 1 / 86_400  # matplotlib counts days
_time_axis: Any = dates  # which has no types
#: matplotlib raises for a time of the years before and after.
_DRAWABLE = _time_axis.date2num(np.array(["0001-01-01", "9999-12-31"], dtype="M8[D]"))


def thread(
    headers: pd.DataFrame,
    thread_id: str | None = None,
    *,
    subject: bool = False,
    gmail: bool = True,
    tz: str | tzinfo = "UTC",
    on: str = "date",
    ax: Axes | None = None,
) -> Axes:
    """Draw who answered whom in a thread, and when.

    Parameters
    ----------
    headers
        Messages, with the columns ``message_id``, ``in_reply_to``, ``references``,
        ``from_address``, ``from_name``, ``subject`` and ``on``.
    thread_id
        Which thread, as `mailframe.analysis.threads` names it; None: the one with most messages.
    subject, gmail
        As for `mailframe.analysis.threads`.
    tz
        A zone's name, ``"local"``, or a tzinfo.
    on
        ``"date"`` or ``"internal_date"``.
    ax
        What to draw on; a new figure otherwise.

    Returns
    -------
    Axes
        A dot a message, the answers to it below it, joined to it by a line.

    Raises
    ------
    QueryError
        For a column that is missing, and for a thread that is not there.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> thread(headers).get_title()
    'Tideline: no new…dings since 05:40 (42 messages)'

    Who wrote stands at the left, if there is room:

    >>> import pandas as pd
    >>> headers = pd.DataFrame({
    ...     "message_id": ["1@a", "2@a"], "in_reply_to": [None, "1@a"], "references": None,
    ...     "from_address": ["ann@example.org", "bob@example.com"], "from_name": ["Ann", "Bob"],
    ...     "subject": ["Boat", "Re: Boat"], "date": pd.to_datetime(["2025-03-01", "2025-03-02"]),
    ... })
    >>> ax = thread(headers)
    >>> ax.get_title(), [label.get_text() for label in ax.get_yticklabels()]
    ('Boat (2 messages)', ['Ann', 'Bob'])
    """
    zone = zone_of(tz)
    if zone.zone is None:
        raise QueryError(
            "Messages of several senders are on one axis: they need one clock.",
            suggestion='tz="local", or the name of a zone.',
        )
    check_columns(headers, [*LINKS, "from_address", "from_name", "subject", time_column(on)])
    messages = messages_of(headers, on)
    trees = trees_of(headers, messages, subject=subject, gmail=gmail)
    chosen = _chosen(trees, messages, thread_id)
    dated = chosen[messages.moment[chosen] != NEVER]
    rows = max(min(len(dated), _MOST_NAMES), _LEAST_ROWS)
    ax = new_axes(8, 1.4 + 0.2 * rows) if ax is None else ax
    ax.set_title(_title(headers, messages, trees, chosen), wrap=True)
    ax.set_xlabel(time_label(on, zone, len(chosen) - len(dated)), loc="left")
    if not len(dated):
        return without_messages(ax)
    places = _time_axis.date2num(messages.moment[dated].astype("M8[us]"))
    room = max((places.max() - places.min()) * 0.03, 30 * _SECOND)
    begin, end = np.clip([places.min() - room, places.max() + room], *_DRAWABLE)
    mark_time(ax, np.linspace(begin, end, 100), zone)
    _draw(ax, places, _above(trees, dated), headers.iloc[messages.row[dated]])
    ax.set_ylim(len(dated) - 0.3, -0.7)
    tidy(ax, "x")
    return ax


def _chosen(trees: Trees, messages: Messages, thread_id: str | None) -> NDArray[np.int64]:
    """Return the messages of a thread, each one above those that answer it."""
    if thread_id is not None:
        number = trees.names.index(thread_id).as_py()
    elif len(trees.head):
        number = int(np.bincount(trees.thread).argmax())
    else:
        return np.empty(0, dtype="int64")
    if number < 0:
        raise QueryError(
            f"There is no thread {thread_id!r} in this frame.",
            suggestion="threads(headers) returns those that there are; with the same subject= "
            "and gmail= they have the same names.",
        )
    members = np.flatnonzero(trees.thread == number)
    members = members[np.argsort(messages.moment[members], kind="stable")]
    answers: dict[int, list[int]] = {}
    for member in members.tolist()[::-1]:
        answers.setdefault(int(trees.parent[member]), []).append(member)
    order, waiting = [], answers.get(-1, [])
    while waiting:
        order.append(waiting.pop())
        waiting += answers.get(order[-1], [])
    return np.array(order, dtype="int64")


def _above(trees: Trees, shown: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return the place, among those shown, of what each one answers, or -1."""
    place = np.full(len(trees.parent) + 1, -1, dtype="int64")  # the last one: of -1
    place[shown] = np.arange(len(shown))
    above: NDArray[np.int64] = place[trees.parent[shown]]
    return above


def _draw(
    ax: Axes, places: NDArray[np.float64], above: NDArray[np.int64], letters: pd.DataFrame
) -> None:
    """Draw dots and the lines between them, and say who wrote."""
    rows = np.arange(len(places))
    height = ax.get_window_extent().height / ax.figure.dpi
    many = len(places) > min(_MOST_NAMES, height / _NAME_HEIGHT) or width_of(ax) < _NAMES_WIDTH
    answering = above >= 0
    start, end = above[answering], rows[answering]
    corners = np.stack(
        [
            np.column_stack([places[start], start]),
            np.column_stack([places[start], end]),
            np.column_stack([places[end], end]),
        ],
        axis=1,
    )
    lines = LineCollection(list(corners), colors=OTHERS, linewidths=0.5 if many else 1, zorder=1)
    ax.add_collection(lines, autolim=False)
    ranking = rank(sender_values(letters, "address"))
    names = _names(ranking, letters)
    group = np.where(ranking.places < 0, len(COLOURS), np.minimum(ranking.places, len(COLOURS)))
    handles, texts = [], []
    for number in np.unique(group):
        some = group == number
        colour = COLOURS[number] if number < len(COLOURS) else OTHERS
        drawn = ax.scatter(places[some], rows[some], 9 if many else 30, color=colour, zorder=2,
                           clip_on=False)  # fmt: skip
        handles.append(drawn)
        texts.append(names[number] if number < len(COLOURS) else "others")
    if many:
        ax.set_yticks([])
        add_legend(ax, handles, texts)
    else:
        unknown = label("?")
        writers = [names[place] if place >= 0 else unknown for place in ranking.places]
        ax.set_yticks(rows, writers)
        ax.tick_params(axis="y", length=0)


def _names(ranking: Ranking, letters: pd.DataFrame) -> list[str]:
    """Return each writer's name, or the address where no font at hand can show it."""
    names = commonest(ranking, text(letters, "from_name"))
    pairs = zip(names, ranking.senders, strict=True)
    return [label(name if isinstance(name, str) and can_show(name) else who) for name, who in pairs]


def _title(
    headers: pd.DataFrame, messages: Messages, trees: Trees, chosen: NDArray[np.int64]
) -> str:
    if not len(chosen):
        return "No thread"
    head = trees.head[trees.thread[chosen[0]]]
    subject = text(headers, "subject").iloc[messages.row[head]]
    count = f"{len(chosen):,} message{'' if len(chosen) == 1 else 's'}"
    return f"{label(subject) if isinstance(subject, str) and subject else 'No subject'} ({count})"
