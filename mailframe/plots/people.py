"""Pictures of whom the mail is from."""

from __future__ import annotations

from typing import TYPE_CHECKING

import numpy as np

from mailframe.analysis.columns import check_columns, text
from mailframe.analysis.senders import commonest, rank, sender_column, sender_values
from mailframe.plots.canvas import COLOURS, mark_counts, new_axes, tidy, width_of, without_messages
from mailframe.plots.labels import can_show, label, left_out

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.axes import Axes

    from mailframe.analysis.senders import Ranking

__all__ = ["senders"]

_LACKING = {"address": "without a sender", "domain": "without a domain", "name": "without a name"}
_LEAST_ROWS = 4


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
    >>> import pandas as pd
    >>> ax = senders(pd.DataFrame({"from_address": ["a@b.example", "c@d.example", "A@b.example"]}))
    >>> [label.get_text() for label in ax.get_yticklabels()]
    ['a@b.example', 'c@d.example']
    """
    check_columns(headers, [sender_column(by)])
    ranking = rank(sender_values(headers, by), top)
    shown = len(ranking.senders)
    ax = new_axes(8, 1.2 + 0.27 * max(shown, _LEAST_ROWS)) if ax is None else ax
    ax.set_title(_senders_title(ranking))
    ax.set_xlabel("messages" + left_out(ranking.unknown, _LACKING[by]))
    if not shown:
        return without_messages(ax)
    bars = ax.barh(np.arange(shown), ranking.messages, color=COLOURS[0], height=0.75)
    shares = ranking.messages / len(headers)
    written = [f"{n:,} ({share:.0%})" for n, share in zip(ranking.messages, shares, strict=True)]
    ax.bar_label(bars, written, padding=3)
    ax.set_yticks(np.arange(shown), _sender_labels(headers, ranking, by))
    ax.set_ylim(max(shown, _LEAST_ROWS) - 0.5, -0.5)
    ax.tick_params(axis="y", length=0)
    # Room for what is written beside the longest bar, at about a twelfth of an inch a character.
    ax.margins(x=min(max(map(len, written)) / 12 / width_of(ax), 1))
    mark_counts(ax.xaxis)
    tidy(ax, "x")
    return ax


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
        labels = [name if can_show(name) else address or name for name, address in pairs]
    return [label(words) for words in labels]
