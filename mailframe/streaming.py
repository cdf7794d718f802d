"""Frames as they come: a mailbox of any size, a batch of messages at a time."""

from __future__ import annotations

from contextlib import closing
from itertools import islice
from numbers import Integral
from typing import TYPE_CHECKING

import pandas as pd

from mailframe.exceptions import QueryError
from mailframe.progress import watched
from mailframe.records import GONE
from mailframe.selection import in_order_of, keys_of, selections_of
from mailframe.source import Selection

if TYPE_CHECKING:
    from collections.abc import Generator, Sequence
    from typing import Any, TypeAlias

    from mailframe.kinds import Kind
    from mailframe.selection import Criteria
    from mailframe.source import Source

    #: Messages that are read together, by folder.
    Piece: TypeAlias = list[Selection]

__all__ = ["check_batch", "cut", "cut_frame", "frames_of", "not_empty"]


def check_batch(batch: int) -> None:
    """Refuse what is no number of messages to read at a time.

    Raises
    ------
    QueryError
        For anything but a whole number from 1.
    """
    if isinstance(batch, bool) or not isinstance(batch, Integral) or batch < 1:
        raise QueryError(
            f"batch={batch!r} is no number of messages.", suggestion="A whole number from 1."
        )


def cut(found: Sequence[Selection], size: int) -> list[Piece]:
    """Cut what was found into pieces of so many messages; the last may have fewer.

    Parameters
    ----------
    found
        The messages, in order.
    size
        Messages a piece. A piece may hold messages of several folders.
    """
    pieces: list[Piece] = []
    room = 0
    for one in found:
        start = 0
        while start < len(one.uids):
            if not room:
                pieces.append([])
                room = size
            uids = one.uids[start : start + room]
            pieces[-1].append(Selection(one.folder, one.uidvalidity, uids))
            start += len(uids)
            room -= len(uids)
    return pieces


def cut_frame(frame: pd.DataFrame, size: int, account: str, limit: int | None) -> list[Piece]:
    """Cut the messages of a frame into pieces, in the order of its rows.

    Parameters
    ----------
    frame
        With the key columns.
    size
        Messages a piece.
    account
        Whose mail it is.
    limit
        At most this many in all.
    """
    keys = keys_of(frame, account, limit)
    return [selections_of(keys.iloc[start : start + size]) for start in range(0, len(keys), size)]


def frames_of(
    source: Source, kind: Kind, pieces: Sequence[Piece], criteria: Criteria, progress: Any
) -> Generator[pd.DataFrame]:
    """Read pieces, and give a frame of each as soon as it is there.

    Parameters
    ----------
    source
        Where the mail is.
    kind
        Of frame.
    pieces
        From `cut` or `cut_frame`.
    criteria
        What was asked for: a frame gives its order, and keeps messages that have gone.
    progress
        See `Session`.

    Yields
    ------
    DataFrame
        One a piece, also where nothing is left of it.
    """
    is_frame = isinstance(criteria, pd.DataFrame)
    sizes = [sum(len(one.uids) for one in piece) for piece in pieces]
    flat = [one for piece in pieces for one in piece]
    with (
        watched(source, sum(sizes), progress) as tick,
        # Those that have gone are counted, so that every piece ends where it should.
        closing(kind.read(flat, tick, keep_gone=True)) as records,
    ):
        for size in sizes:
            here = islice(records, size)
            kept = here if is_frame else (one for one in here if one.defects != GONE)
            yield _in_order(criteria, kind.tabulate(kept))
        for _ in records:  # there is none, but now it has ended
            pass


def not_empty(frames: Generator[pd.DataFrame]) -> Generator[pd.DataFrame]:
    """Leave out frames without rows; closing this closes those.

    Parameters
    ----------
    frames
        They belong to this from now on.

    Yields
    ------
    DataFrame
        With a row at least.
    """
    with closing(frames):
        for frame in frames:
            if len(frame):
                yield frame


def _in_order(criteria: Criteria, frame: pd.DataFrame) -> pd.DataFrame:
    """Give a frame the order of those few rows that asked for it.

    Looking at all rows for each piece takes half a minute where there are 200,000.
    """
    if isinstance(criteria, pd.DataFrame):
        criteria = criteria[criteria["uid"].isin(frame["uid"])]
    return in_order_of(criteria, frame)
