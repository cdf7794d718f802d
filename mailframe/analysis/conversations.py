"""Conversations: messages that answer one another, and what each conversation amounts to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.analysis.columns import check_columns, text, time_column
from mailframe.analysis.identity import is_mine
from mailframe.analysis.links import LINKS, as_arrow
from mailframe.analysis.senders import commonest, rank, sender_values
from mailframe.analysis.trees import NEVER, messages_of, trees_of
from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mailframe.analysis.identity import Me
    from mailframe.analysis.trees import Messages, Trees

__all__ = ["thread_ids", "threads"]


def thread_ids(
    headers: pd.DataFrame, *, subject: bool = False, gmail: bool = True, on: str = "date"
) -> pd.DataFrame:
    """Tell which thread each message belongs to.

    Messages are of one thread if one has the other's Message-ID in References or as the last id of
    In-Reply-To, or both have one of a third message, be that in the frame or not, or there are
    others between them for which this holds. Copies of a message, in whatever folder or account,
    are one.

    Parameters
    ----------
    headers
        Messages, with the columns ``message_id``, ``in_reply_to``, ``references``, ``on``, and
        ``subject`` if that is asked for.
    subject
        Join threads that begin with the same subject but for ``Re:`` and its like (`base_subject`,
        case makes no difference), as THREAD=REFERENCES of RFC 5256 does: for mail programs that
        write no References. Newsletters that all have one subject become one thread too.
    gmail
        Go by Gmail's own conversations where ``gmail_thread`` says which; False: by references.
        Messages of other accounts join them by references.
    on
        The time that tells which message is the first: ``"date"`` or ``"internal_date"``.

    Returns
    -------
    DataFrame
        With the index of ``headers``, a row for each of its rows. ``thread_id``, the Message-ID of
        the message that began the thread, which needs not be in the frame: the oldest one that the
        first message refers to, or else its own; where that one has none, account, folder and UID
        make up for it. It does not depend on the order of rows. ``depth``, how many messages of
        the frame are above it, each the answer to the next: those that are missing do not count.
        Where messages answer one another in a circle, the first one has depth 0.

    Raises
    ------
    QueryError
        For a column that is missing.

    Notes
    -----
    By references, the threads are those of notmuch. With ``subject`` an answer without References
    stands below the first message of that subject (RFC 5256 section 3, step 5).

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> len(headers), thread_ids(headers)["thread_id"].nunique()
    (2556, 1366)
    >>> thread_ids(headers, subject=True)["thread_id"].nunique()
    908

    The third one answers a message that is not there, and refers to the first:

    >>> headers = pd.DataFrame({
    ...     "message_id": ["1@a", "2@a", "3@a", "4@a"],
    ...     "in_reply_to": [None, "1@a", "0@a", None],
    ...     "references": [None, "1@a", "1@a 0@a", None],
    ...     "date": pd.to_datetime(["2025-03-01", "2025-03-02", "2025-03-03", "2025-03-04"]),
    ...     "subject": ["Boat", "Re: Boat", "Re: Boat", "AW: Boat"],
    ... })
    >>> thread_ids(headers)
      thread_id  depth
    0       1@a      0
    1       1@a      1
    2       1@a      1
    3       4@a      0
    >>> thread_ids(headers, subject=True)["depth"].tolist()
    [0, 1, 1, 1]
    """
    check_columns(headers, [*LINKS, time_column(on), *(["subject"] if subject else [])])
    messages = messages_of(headers, on)
    trees = trees_of(headers, messages, subject=subject, gmail=gmail)
    of_row = pa.array(trees.thread[messages.of_row])
    return pd.DataFrame(
        {
            "thread_id": pd.array(trees.names.take(of_row), dtype="str"),
            "depth": trees.depth[messages.of_row],
        },
        index=headers.index,
    )


def threads(
    headers: pd.DataFrame,
    *,
    subject: bool = False,
    gmail: bool = True,
    me: Me = None,
    on: str = "date",
) -> pd.DataFrame:
    """Tell of each thread how long it is, who wrote, and who waits.

    Parameters
    ----------
    headers
        Messages, with the columns ``message_id``, ``in_reply_to``, ``references``,
        ``from_address``, ``from_name``, ``subject``, ``seen`` and ``on``; those with ``draft`` set,
        where that column is there, were not sent and leave the others waiting.
    subject, gmail
        As for `thread_ids`.
    me
        My address, several, or a frame with the column ``address``; None: what the frame tells.
    on
        ``"date"``, when a message was sent; ``"internal_date"``, when the server received it.

    Returns
    -------
    DataFrame
        A row a thread, that with the latest message first. ``thread_id``, as in `thread_ids`;
        ``subject`` of its first message; ``messages``, copies not counted; ``depth``, the greatest;
        ``participants``, how many addresses wrote, and ``people``, who they are, who wrote most
        first, joined by commas; ``first`` and ``last``, when, and ``duration`` between them;
        ``unread``, messages of which no copy has been read; ``waiting``, who wrote last and thus
        would wait for an answer: ``"me"`` or ``"them"``, missing where nobody knows who I am.
        ``attrs["undated"]`` counts the messages without a date, ``attrs["copies"]`` the rows that
        are further copies of a message.

    Raises
    ------
    QueryError
        For a column that is missing, and for what is no address.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> table = threads(headers).nlargest(2, "messages")
    >>> table[["subject", "messages", "participants", "waiting"]]
                                       subject  messages  participants waiting
    314  Tideline: no new readings since 05:40        42            15    them
    526     Ticket 560: wave height shows zero        11             2      me
    """
    check_columns(
        headers, [*LINKS, time_column(on), "from_address", "from_name", "subject", "seen"]
    )
    messages = messages_of(headers, on)
    trees = trees_of(headers, messages, subject=subject, gmail=gmail)
    count = len(trees.head)
    deepest = np.zeros(count, dtype="int64")
    np.maximum.at(deepest, trees.thread, trees.depth)
    times = _times(messages.moment).groupby(trees.thread)
    seen = headers["seen"].astype("boolean").fillna(value=True).to_numpy("bool")
    unread = ~_any(seen, messages)
    result = pd.DataFrame(
        {
            "thread_id": pd.array(trees.names, dtype="str"),
            "subject": text(headers, "subject").take(messages.row[trees.head]).array,
            "messages": np.bincount(trees.thread, minlength=count),
            "depth": deepest,
            **_people(headers, messages, trees),
            "first": times.min(),
            "last": times.max(),
        }
    )
    result["duration"] = result["last"] - result["first"]
    result["unread"] = np.bincount(trees.thread[unread], minlength=count)
    result["waiting"] = _waiting(headers, messages, trees, me)
    order = result.sort_values(["last", "thread_id"], ascending=[False, True], na_position="last")
    result = order.reset_index(drop=True)
    result.attrs = {
        **headers.attrs,
        "on": on,
        "undated": int((messages.moment == NEVER).sum()),
        "copies": len(headers) - len(messages.row),
    }
    return result


def _people(headers: pd.DataFrame, messages: Messages, trees: Trees) -> dict[str, Any]:
    """Return how many wrote in each thread, and who, the one who wrote most first."""
    ranking = rank(sender_values(headers, "address"))
    names = commonest(ranking, text(headers, "from_name"))
    names = names.fillna(pd.Series(ranking.senders))
    pairs = pd.DataFrame({"thread": trees.thread, "place": ranking.places[messages.row]})
    counted = pairs[pairs["place"] >= 0].value_counts(sort=False).reset_index(name="messages")
    counted = counted.sort_values(["thread", "messages", "place"], ascending=[True, False, True])
    participants = np.bincount(counted["thread"], minlength=len(trees.head))
    ends = np.concatenate([[0], np.cumsum(participants)])
    shown = as_arrow(names.take(counted["place"].to_numpy()))
    lists = pa.ListArray.from_arrays(pa.array(ends, pa.int32()), shown)
    comma = pa.scalar(", ", pa.large_string())
    people = pd.array(pc.binary_join(lists, comma), dtype="str")
    people[participants == 0] = None
    return {"participants": participants, "people": people}


def _waiting(headers: pd.DataFrame, messages: Messages, trees: Trees, me: Me) -> Any:
    """Return who wrote the last message of each thread that was sent."""
    count = len(trees.head)
    words = pd.Series(pd.Categorical([None] * count, categories=["me", "them"]))
    try:
        mine = is_mine(headers, me)
    except QueryError:
        if me is not None:
            raise
        return words
    by_me = mine[messages.row]
    sent = np.ones(len(messages.row), dtype="bool")
    if "draft" in headers.columns:
        draft = headers["draft"].astype("boolean").fillna(value=False).to_numpy("bool")
        sent = _any(~draft, messages)
    # What has no date comes before the others here; of two at one time, the answer is the later.
    moment = np.where(messages.moment == NEVER, np.iinfo("int64").min, messages.moment)
    order = np.lexsort((trees.depth, moment))
    order = order[sent[order]]
    last = np.full(count, -1, dtype="int64")
    last[trees.thread[order]] = order
    words[last >= 0] = np.where(by_me[last[last >= 0]], "me", "them")
    return words


def _any(values: NDArray[np.bool_], messages: Messages) -> NDArray[np.bool_]:
    """Tell of which messages a copy has what rows have."""
    found = np.zeros(len(messages.row), dtype="bool")
    found[messages.of_row[values]] = True
    return found


def _times(moment: NDArray[np.int64]) -> pd.Series[Any]:
    known = np.where(moment == NEVER, np.iinfo("int64").min, moment)  # which is numpy's NaT
    return pd.Series(known.astype("M8[us]")).dt.tz_localize("UTC")
