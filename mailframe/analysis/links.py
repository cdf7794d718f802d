"""Which message answers which: Message-ID, In-Reply-To, References (RFC 5322 section 3.6.4)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from mailframe.analysis.columns import check_columns, text

if TYPE_CHECKING:
    import pandas as pd
    from numpy.typing import NDArray

__all__ = ["LINKS", "Links", "answered_ids", "as_arrow", "first_rows", "joined", "links", "parents"]

#: The columns that say it.
LINKS = ("message_id", "in_reply_to", "references")

# What tells a message that has no Message-ID from others.
_KEY = ("account", "folder", "uidvalidity", "uid")
_AT_ONCE = 20_000


class Links(NamedTuple):
    """Message ids as numbers: the same for the same id, be its message in the frame or not."""

    #: Of each row its message's; a message without a Message-ID has one of its own.
    own: NDArray[np.int64]
    #: Of each row what it answers by In-Reply-To, or -1.
    answered: NDArray[np.int64]
    #: Of each id in a References field the row, ascending, and its number: the oldest first.
    referring: NDArray[np.int64]
    referred: NDArray[np.int64]
    #: The ids by their numbers: Arrow's array, in which a million take no objects.
    ids: Any


def parents(headers: pd.DataFrame) -> NDArray[np.int64]:
    """Return which row each message answers.

    Parameters
    ----------
    headers
        Messages, with the columns `LINKS`.

    Returns
    -------
    ndarray
        int64, of the frame's length: the position of the row that is answered, the first of
        several copies; -1 where it is not in the frame, or the message answers none. That is the
        last id of In-Reply-To, or else the last one of References that is in the frame. No message
        answers itself; a circle of several is left as it is.

    Raises
    ------
    QueryError
        For a column that is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> headers = pd.DataFrame({
    ...     "message_id": ["<1@a>", "<2@a>", "<3@a>"],
    ...     "in_reply_to": [None, "<1@a>", "<lost@a>"],
    ...     "references": [None, None, "<1@a> <2@a> <lost@a>"],
    ... })
    >>> parents(headers)
    array([-1,  0,  1])
    """
    found = links(headers)
    places = first_rows(found)
    above = answered_ids(found)[found.own]
    return np.where(above >= 0, places[above], -1)


def links(headers: pd.DataFrame) -> Links:
    """Read the ids by which messages refer to one another.

    Parameters
    ----------
    headers
        Messages, with the columns `LINKS`.

    Returns
    -------
    Links
        Numbers. A word without an ``@`` that is no message's Message-ID is no reference: some
        software puts words and dates between the ids, or breaks one in two.

    Raises
    ------
    QueryError
        For a column that is missing.

    Examples
    --------
    >>> import pandas as pd
    >>> headers = pd.DataFrame({
    ...     "message_id": ["1@a", "2@a"], "in_reply_to": [None, "1@a"],
    ...     "references": ["0@a of Monday", "1@a"],
    ... })
    >>> found = links(headers)
    >>> found.own, found.answered, found.referred, found.ids[:3].to_pylist()
    (array([0, 1]), array([-1,  0]), array([2, 0]), ['1@a', '2@a', '0@a'])
    """
    check_columns(headers, LINKS)
    own = as_arrow(text(headers, "message_id"))
    own = pc.replace_substring_regex(own, r"\s+", "")  # a fold in an id is no part of it
    nameless = pc.fill_null(pc.equal(own, ""), fill_value=True)
    if pc.any(nameless).as_py():
        own = pc.replace_with_mask(own, nameless, _made_up(headers, nameless))
    answered = _last_id(text(headers, "in_reply_to"), own)
    words, referring = _words(as_arrow(text(headers, "references")))
    numbered = pa.chunked_array([own.dictionary_encode(), answered.dictionary_encode(), *words])
    mine, theirs, *referred = numbered.unify_dictionaries().chunks
    own_codes, ids = _codes(mine), mine.dictionary
    is_id = pc.match_substring(ids, "@").to_numpy(zero_copy_only=False).copy()
    is_id[own_codes] = True
    is_id = np.append(is_id, False)  # of -1, which is no id
    codes = _codes(theirs)
    answered_codes = np.where(is_id[codes], codes, -1)
    codes = np.concatenate([np.empty(0, dtype="int64"), *map(_codes, referred)])
    kept = is_id[codes]
    return Links(own_codes, answered_codes, referring[kept], codes[kept], ids)


def first_rows(found: Links) -> NDArray[np.int64]:
    """Return of each id the row of its message, the first of several copies; -1 for no row."""
    places = np.full(len(found.ids), -1, dtype="int64")
    places[found.own[::-1]] = np.arange(len(found.own))[::-1]  # the last one written stays
    return places


def answered_ids(found: Links) -> NDArray[np.int64]:
    """Return of each id the one that its message answers; see `parents`.

    Parameters
    ----------
    found
        From `links`.

    Returns
    -------
    ndarray
        int64: a number of an id that is a message's in the frame, or -1. Of several copies the
        first one that says it counts: some mailing lists take fields away.
    """
    is_there = np.append(first_rows(found) >= 0, False)  # the last one: of -1
    above = np.full(len(found.own), -1, dtype="int64")
    one = is_there[found.referred] & (found.referred != found.own[found.referring])
    above[found.referring[one]] = found.referred[one]  # of several, the last one stays
    one = is_there[found.answered] & (found.answered != found.own)
    above[one] = found.answered[one]
    answered = np.full(len(found.ids), -1, dtype="int64")
    saying = np.flatnonzero(above >= 0)[::-1]  # from the last one, so that the first one stays
    answered[found.own[saying]] = above[saying]
    return answered


def as_arrow(values: pd.Series[Any]) -> Any:
    """Return text as Arrow's array, in one piece: that of joined frames is in several."""
    texts = pa.array(values.array, pa.large_string(), from_pandas=True)
    return texts.combine_chunks() if isinstance(texts, pa.ChunkedArray) else texts


def joined(count: int, left: NDArray[np.int64], right: NDArray[np.int64]) -> NDArray[np.int64]:
    """Find what hangs together.

    Parameters
    ----------
    count
        How many things there are: 0 to ``count - 1``.
    left, right
        Pairs of them that are connected.

    Returns
    -------
    ndarray
        Of each thing the least one that it is connected with, over however many others. The larger
        of two roots is hung under the smaller one, and every thing directly under its root, until
        no pair lies across (Shiloach and Vishkin 1982, without their concurrency).

    Examples
    --------
    >>> joined(6, np.array([5, 3, 1]), np.array([3, 1, 4]))
    array([0, 1, 2, 1, 1, 1])
    """
    roots = np.arange(count)
    while True:
        one, other = roots[left], roots[right]
        across = one != other
        if not across.any():
            return roots
        left, right, one, other = left[across], right[across], one[across], other[across]
        np.minimum.at(roots, np.maximum(one, other), np.minimum(one, other))
        while not np.array_equal(above := roots[roots], roots):
            roots = above


def _last_id(answered: pd.Series[Any], own: Any) -> Any:
    """Return the id of In-Reply-To: the last of several, or what stands behind other words."""
    several = answered.str.contains(r"\s", na=False)
    if not several.any():
        return as_arrow(answered)
    words = answered[several]
    whole = words.str.replace(r"\s+", "", regex=True)
    is_one = pc.is_in(as_arrow(whole), own).to_numpy(zero_copy_only=False)  # with a fold in it
    return as_arrow(answered.mask(several, whole.where(is_one, words.str.rsplit(n=1).str[-1])))


def _words(texts: Any) -> tuple[list[Any], NDArray[np.int64]]:
    """Return the words of texts, each different one kept once, and which text each one is of.

    Some texts at a time: all the words of a large mailbox take more memory than its frame.
    """
    words, places = [], [np.empty(0, dtype="int64")]
    for start in range(0, len(texts), _AT_ONCE):
        lists = pc.ascii_split_whitespace(texts.slice(start, _AT_ONCE))
        words.append(pc.list_flatten(lists).dictionary_encode())
        places.append(pc.list_parent_indices(lists).to_numpy() + start)
    return words, np.concatenate(places)


def _codes(encoded: Any) -> NDArray[np.int64]:
    codes: NDArray[np.int64] = pc.fill_null(encoded.indices, -1).to_numpy().astype("int64")
    return codes


def _made_up(headers: pd.DataFrame, nameless: Any) -> Any:
    """Return what stands for a Message-ID where there is none: where the message lies."""
    rows = np.flatnonzero(nameless.to_numpy(zero_copy_only=False))
    if all(name in headers.columns for name in _KEY):
        some = headers[[*_KEY]].iloc[rows]
        account, folder, uidvalidity, uid = (text(some, name).fillna("") for name in _KEY)
        return as_arrow(account + "/" + folder + ";UIDVALIDITY=" + uidvalidity + ";UID=" + uid)
    return pa.array([f"row {row}" for row in rows], pa.large_string())
