"""Threads as trees: which messages hang together, and which is below which."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd
import pyarrow as pa

from mailframe.analysis.columns import moments, text
from mailframe.analysis.links import answered_ids, first_rows, joined, links
from mailframe.analysis.subjects import topics

if TYPE_CHECKING:
    from numpy.typing import NDArray

    from mailframe.analysis.links import Links

__all__ = ["NEVER", "Messages", "Trees", "messages_of", "trees_of"]

#: When messages without a date were sent: after those that have one.
NEVER = np.iinfo("int64").max


class Messages(NamedTuple):
    """The messages of a frame, each once; rows with one Message-ID are copies of one."""

    links: Links
    #: Of each row its message.
    of_row: NDArray[np.int64]
    #: Of each message its first row, the number of its Message-ID in ``links``, and when it was
    #: sent, in microseconds: the earliest of its copies.
    row: NDArray[np.int64]
    own: NDArray[np.int64]
    moment: NDArray[np.int64]


class Trees(NamedTuple):
    """Messages in threads, and what each is below."""

    #: Of each message its thread, the message it is below (or -1), and how many are above it.
    thread: NDArray[np.int64]
    parent: NDArray[np.int64]
    depth: NDArray[np.int64]
    #: Of each thread its name, in Arrow's array, and its first message.
    names: Any
    head: NDArray[np.int64]


def messages_of(headers: pd.DataFrame, on: str) -> Messages:
    """Tell which rows are copies of one message.

    Parameters
    ----------
    headers
        Messages, with the columns `mailframe.analysis.links.LINKS` and ``on``.
    on
        ``"date"`` or ``"internal_date"``.
    """
    found = links(headers)
    times = moments(headers, on)
    sent = np.where(times.isna(), NEVER, times.astype("int64"))
    rows = first_rows(found)
    own = np.flatnonzero(rows >= 0)
    number = np.full(len(rows), -1, dtype="int64")
    number[own] = np.arange(len(own))
    of_row = number[found.own]
    moment = np.full(len(own), NEVER)
    np.minimum.at(moment, of_row, sent)
    return Messages(found, of_row, rows[own], own, moment)


def trees_of(headers: pd.DataFrame, messages: Messages, *, subject: bool, gmail: bool) -> Trees:
    """Put messages into threads.

    Parameters
    ----------
    headers
        Messages; where asked for, with the column ``subject``.
    messages
        The same, from `messages_of`.
    subject, gmail
        As for `mailframe.analysis.conversations.thread_ids`.
    """
    found = messages.links
    conversations = _gmail(headers) if gmail else np.full(len(headers), -1)
    thread = _components(found, conversations)[messages.own]
    number = np.full(len(found.ids) + 1, -1, dtype="int64")  # the last one: of -1
    number[messages.own] = np.arange(len(messages.own))
    parent = number[answered_ids(found)[messages.own]]
    # Below none in another of Gmail's conversations.
    parent[(parent >= 0) & (thread[parent] != thread)] = -1
    parent = _opened(parent, messages)
    if subject:
        thread, parent = _by_subject(headers, messages, thread, parent)
    thread = np.unique(thread, return_inverse=True)[1]
    tops = np.flatnonzero(parent < 0)
    head = tops[_firsts(messages, tops, thread[tops])]
    head = head[np.argsort(thread[head])]
    origin = _origins(found, conversations >= 0)[messages.row[head]]
    names = found.ids.take(pa.array(origin))
    return Trees(thread, parent, _climbed(parent)[0], names, head)


def _gmail(headers: pd.DataFrame) -> NDArray[np.int64]:
    """Return of each row Gmail's number of its conversation, made small, or -1."""
    if "gmail_thread" not in headers.columns:
        return np.full(len(headers), -1)
    numbers = text(headers, "gmail_thread")
    numbers = numbers.mask(numbers == "")
    if "account" in headers.columns:  # each account has its own
        numbers = text(headers, "account").fillna("") + "/" + numbers
    codes: NDArray[np.int64] = pd.factorize(numbers)[0]
    return codes


def _components(found: Links, conversations: NDArray[np.int64]) -> NDArray[np.int64]:
    """Return what hangs together: of each id a number."""
    numbered = conversations >= 0
    answering = (found.answered >= 0) & ~numbered
    referring = ~numbered[found.referring]
    left = (
        found.own[answering],
        found.own[found.referring[referring]],
        found.own[numbered],
    )
    right = (
        found.answered[answering],
        found.referred[referring],
        len(found.ids) + conversations[numbered],
    )
    count = len(found.ids) + conversations.max(initial=-1) + 1
    return joined(count, np.concatenate(left), np.concatenate(right))


def _origins(found: Links, numbered: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return of each row the oldest id of its thread that it names."""
    origin = np.where((found.answered >= 0) & ~numbered, found.answered, found.own)
    kept = np.flatnonzero(~numbered[found.referring])[::-1]  # from the youngest: the oldest stays
    origin[found.referring[kept]] = found.referred[kept]
    return origin


def _opened(parent: NDArray[np.int64], messages: Messages) -> NDArray[np.int64]:
    """Open circles: the first message of each is below none."""
    rest = _climbed(parent)[1]
    circling = np.unique(rest[rest >= 0])
    after = np.searchsorted(circling, parent[circling])
    circle = np.arange(len(circling))
    for _ in range(len(circling).bit_length()):
        circle, after = np.minimum(circle, circle[after]), after[after]
    opened = parent.copy()
    opened[circling[_firsts(messages, circling, circle)]] = -1
    return opened


def _climbed(parent: NDArray[np.int64]) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Take 1, 2, 4, … steps up at once: as many rounds as the number of messages has digits.

    Returns how many steps there are from each, and where those are that come to no end: in a
    circle, and every place of every circle is among these.
    """
    steps, above = (parent >= 0).astype("int64"), parent.copy()
    for _ in range(len(parent).bit_length() + 1):
        going = np.flatnonzero(above >= 0)
        if not going.size:
            break
        steps[going] += steps[above[going]]
        above[going] = above[above[going]]
    return steps, above


def _firsts(
    messages: Messages, some: NDArray[np.int64], group: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return the places, in ``some``, of each group's first message: by date, then by its id."""
    earliest = np.full(group.max(initial=-1) + 1, NEVER)
    np.minimum.at(earliest, group, messages.moment[some])
    places = np.flatnonzero(messages.moment[some] == earliest[group])
    several = np.bincount(group[places], minlength=len(earliest))[group[places]] > 1
    alone, tied = places[~several], places[several]
    ids = messages.links.ids.take(pa.array(messages.own[some[tied]]))
    ties = pd.DataFrame({"group": group[tied], "id": pd.array(ids, dtype="str"), "place": tied})
    first = ties.sort_values(["group", "id"]).drop_duplicates("group")["place"].to_numpy()
    return np.concatenate([alone, first])


def _by_subject(
    headers: pd.DataFrame,
    messages: Messages,
    thread: NDArray[np.int64],
    parent: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Join threads whose first messages have one subject (RFC 5256 section 3, step 5)."""
    tops = np.flatnonzero(parent < 0)
    head = tops[_firsts(messages, tops, thread[tops])]
    row, about = messages.row[head], topics(headers)
    topic, answers = about.codes[row], about.answers[row]
    of_thread = np.full(thread.max(initial=-1) + 1, -1, dtype="int64")
    of_thread[thread[head]] = topic
    # Those that answer are below the first one that does not, where there is one.
    asking = (topic >= 0) & ~answers
    chosen = _firsts(messages, head[asking], topic[asking])
    first = np.full(topic.max(initial=-1) + 2, -1, dtype="int64")  # the last one: of no subject
    first[topic[asking][chosen]] = head[asking][chosen]
    below = np.full(len(of_thread), -1, dtype="int64")
    below[thread[head[answers]]] = first[topic[answers]]
    joined_up = np.where(of_thread >= 0, of_thread, len(first) + np.arange(len(of_thread)))
    return joined_up[thread], np.where(parent < 0, below[thread], parent)
