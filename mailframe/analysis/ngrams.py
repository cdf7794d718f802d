"""Words that come after one another again and again, counted as numbers."""

from __future__ import annotations

from array import array
from collections import defaultdict
from itertools import count
from typing import TYPE_CHECKING, NamedTuple

import numpy as np
import pandas as pd

if TYPE_CHECKING:
    from collections.abc import Iterable

    from numpy.typing import NDArray

__all__ = ["Phrases", "Running", "find_phrases", "running"]


class Running(NamedTuple):
    """The words of texts, one after the other."""

    #: Of each word its number; -1 where a phrase ends.
    words: NDArray[np.int32]
    #: In which text it is.
    texts: NDArray[np.int64]
    #: The words by their numbers.
    vocabulary: list[str]


class Phrases(NamedTuple):
    """Phrases, and in how many messages each is."""

    #: Where each begins for the first time, among the running words.
    places: NDArray[np.int64]
    lengths: NDArray[np.int64]
    #: A row a phrase, a column a group of messages.
    messages: NDArray[np.int64]


class _Level(NamedTuple):
    """Phrases of one length."""

    places: NDArray[np.int64]
    messages: NDArray[np.int64]
    #: Whether neither end is a word that no phrase begins or ends with.
    whole: NDArray[np.bool_]
    #: Of each the two phrases of one word less that it consists of.
    parts: tuple[NDArray[np.int64], NDArray[np.int64]]


def running(texts: Iterable[list[str]], end: str) -> Running:
    """Put numbers in place of words.

    Parameters
    ----------
    texts
        The words of each text.
    end
        What stands where a phrase ends.

    Examples
    --------
    >>> running([["a", "b", "|", "a"], ["b"]], "|").words
    array([ 0,  1, -1,  0, -1,  1, -1], dtype=int32)
    """
    numbers = defaultdict(count().__next__, {end: -1})
    words, ends = array("i"), array("q")
    for text in texts:
        words.extend(map(numbers.__getitem__, text))
        words.append(-1)
        ends.append(len(words))
    del numbers[end]
    lengths = np.diff(np.array(ends, dtype="int64"), prepend=0)
    return Running(
        np.array(words, dtype="int32"), np.repeat(np.arange(len(lengths)), lengths), list(numbers)
    )


def find_phrases(
    said: Running,
    messages: NDArray[np.int64],
    lengths: tuple[int, int],
    least: int,
    is_edge: NDArray[np.bool_],
) -> Phrases:
    """Find the phrases that are in enough messages.

    Parameters
    ----------
    said
        From `running`.
    messages
        In how many messages each text is: a row a text, a column a group of messages.
    lengths
        How many words a phrase has at least, and at most.
    least
        In how many messages of all groups it is.
    is_edge
        Of each word of the vocabulary whether no phrase begins or ends with it.

    Returns
    -------
    Phrases
        Without those that are part of a longer one which is in as many messages of each group.
    """
    levels: list[_Level] = []
    shorter = said.words.astype("int64")
    while len(levels) < lengths[1]:
        # A phrase can be in enough messages only if both phrases of one word less are.
        size = len(levels[-1].places) if levels else 1
        at = np.flatnonzero(shorter >= 0)
        keys = shorter[at]
        if levels:
            at = np.flatnonzero((shorter[:-1] >= 0) & (shorter[1:] >= 0))
            keys = shorter[at] * size + shorter[at + 1]
        codes, found = pd.factorize(keys)
        counted = _messages(codes, said.texts[at], len(found), messages)
        is_common = counted.sum(axis=1) >= least
        if not is_common.any():
            break
        first = np.empty(len(found), dtype="int64")
        first[codes[::-1]] = at[::-1]  # the last one written stays
        places = first[is_common]
        begins, ends = is_edge[said.words[places]], is_edge[said.words[places + len(levels)]]
        parts = found[is_common] // size, found[is_common] % size
        levels.append(_Level(places, counted[is_common], ~begins & ~ends, parts))
        number = np.where(is_common, np.cumsum(is_common) - 1, -1)
        shorter = np.full(len(shorter), -1, dtype="int64")
        shorter[at] = number[codes]
    return _told(levels, lengths[0], messages.shape[1])


def _messages(
    phrase: NDArray[np.int64], text: NDArray[np.int64], phrases: int, messages: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Count the messages of each phrase: one that has it twice counts once."""
    # (numpy's unique looks at each number by its hash first: three times as long.)
    pairs = np.sort(phrase * max(len(messages), 1) + text)
    pairs = pairs[np.diff(pairs, prepend=-1) > 0]
    phrase, text = pairs // max(len(messages), 1), pairs % max(len(messages), 1)
    columns = [np.bincount(phrase, group[text], phrases) for group in messages.T]
    return np.column_stack(columns).astype("int64")


def _told(levels: list[_Level], least: int, groups: int) -> Phrases:
    """Leave out what is part of something longer, and what is too short."""
    none = np.empty(0, dtype="int64")
    kept = [Phrases(none, none, np.empty((0, groups), dtype="int64"))]
    covered = np.zeros(len(levels[-1].places) if levels else 0, dtype=bool)
    for length, level in reversed(list(enumerate(levels, 1))):
        own = np.flatnonzero(level.whole & ~covered)
        if length >= least:
            kept.append(Phrases(level.places[own], np.full(len(own), length), level.messages[own]))
        if length == 1:
            break
        # Also by way of one that is no phrase itself: "end of year" covers "year".
        covers = level.whole | covered
        below = levels[length - 2]
        covered = np.zeros(len(below.places), dtype=bool)
        for part in level.parts:
            same = (level.messages == below.messages[part]).all(axis=1)
            covered[part[covers & same]] = True
    return Phrases(*map(np.concatenate, zip(*kept, strict=True)))
