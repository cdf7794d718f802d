"""What happens in a folder -> frames, as it happens."""

from __future__ import annotations

from contextlib import closing
from numbers import Real
from typing import TYPE_CHECKING

import pandas as pd

from mailframe import frames
from mailframe.exceptions import NotSupportedError, QueryError
from mailframe.selection import keys_of, one_folder, selections_of
from mailframe.source import is_glob

if TYPE_CHECKING:
    from collections.abc import Callable, Generator, Mapping

    from mailframe.records import Change
    from mailframe.source import Source

__all__ = ["watched_frames"]


def watched_frames(
    source: Source,
    folder: str,
    fields: Mapping[str, str],
    *,
    changes: bool,
    after: pd.DataFrame | None,
    duration: float | None,
    poll: float,
) -> Generator[pd.DataFrame]:
    """Open a folder at once, and give frames of what happens in it from then on.

    Parameters
    ----------
    source
        Where it is.
    fields
        Further header fields, and their columns.
    folder, changes, after, duration, poll
        See `Session.watch`.
    """
    watch: Callable[..., Generator[list[Change]]] | None = getattr(source, "watch", None)
    if watch is None:
        raise NotSupportedError(
            "Only a server tells what arrives.",
            suggestion="This session reads files; mf.connect(…) opens an account on a server.",
        )
    if not isinstance(folder, str) or is_glob(folder):
        raise QueryError(
            f"folder={folder!r} is not one folder.",
            suggestion="Watch each for itself: on an AsyncSession several at a time.",
        )
    _check_seconds("duration", duration)
    _check_seconds("poll", poll)
    # The one name that has no case (RFC 3501 section 5.1).
    name = "INBOX" if folder.upper() == "INBOX" else one_folder(source, folder)
    uidvalidity, newest = _newest(after, name, source.account)
    happening = watch(
        name,
        uidvalidity=uidvalidity,
        after=newest,
        changes=changes,
        fields=tuple(fields),
        duration=duration,
        poll=poll,
    )
    made = _frames(source, happening, fields, changes=changes)
    next(made)  # from now on nothing is missed, whenever the first frame is asked for
    return made


def _frames(
    source: Source,
    happening: Generator[list[Change]],
    fields: Mapping[str, str],
    *,
    changes: bool,
) -> Generator[pd.DataFrame]:
    labels: bool = getattr(source, "has_labels", False)
    with closing(happening):
        for found in happening:
            if changes:
                yield frames.events_frame(found, source.account, fields=fields, labels=labels)
            else:
                records = (change.record for change in found)
                yield frames.headers_frame(records, source.account, fields=fields, labels=labels)


def _newest(after: pd.DataFrame | None, folder: str, account: str) -> tuple[int | None, int | None]:
    """Return UIDVALIDITY and UID of the newest row."""
    if after is None:
        return None, None
    if not isinstance(after, pd.DataFrame):
        raise QueryError(
            f"after= takes rows of {folder!r}, and no {type(after).__name__}.",
            suggestion="after=session.headers(limit=1)",
        )
    if after.empty:
        return None, None
    found = selections_of(keys_of(after, account))
    if {one.folder for one in found} != {folder}:
        names = ", ".join(sorted({repr(one.folder) for one in found}))
        raise QueryError(
            f"after= has rows of {names}, and {folder!r} is to be watched.",
            suggestion=f"df[df.folder == {folder!r}]",
        )
    if len(found) > 1:
        raise QueryError(
            f"after= has rows from before and after {folder!r} was renumbered.",
            suggestion="df[df.uidvalidity == df.uidvalidity.iloc[-1]]",
        )
    return found[0].uidvalidity, max(found[0].uids)


def _check_seconds(name: str, value: object) -> None:
    is_number = isinstance(value, Real) and not isinstance(value, bool)
    if value is None and name == "duration":
        return
    if not is_number or not 0 < value < float("inf"):  # type: ignore[operator] # it is one
        raise QueryError(f"{name}={value!r} is no number of seconds.", suggestion=f"{name}=60")
