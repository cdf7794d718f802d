"""Two periods, or two accounts, side by side."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mailframe.analysis.columns import check_columns
from mailframe.analysis.groups import grouped, grouping
from mailframe.analysis.identity import my_sources
from mailframe.analysis.volume import summed_sizes
from mailframe.exceptions import QueryError
from mailframe.source import check_count

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

    from mailframe.analysis.identity import Me

__all__ = ["compare"]

_COUNTED = ("messages", "share", "size")


def compare(
    headers: pd.DataFrame,
    before: pd.DataFrame,
    *,
    by: str | None = None,
    top: int | None = None,
    names: Sequence[str] = ("now", "before"),
    me: Me = None,
) -> pd.DataFrame:
    """Put the messages of two periods, or of two accounts, side by side.

    Parameters
    ----------
    headers, before
        Messages, with the columns ``size`` and that of ``by``: of this period and of the one
        before, of one account and of another one, or of whatever else is to be compared.
    by
        What is compared: ``"address"``, ``"domain"`` (both the sender's), ``"folder"``,
        ``"list"``, ``"account"``, ``"direction"``, or any column; None: all messages.
    top
        Only so many, those with the most messages in both together.
    names
        What the columns of the two are called by.
    me
        Who I am, for ``by="direction"``: an address, several, or a frame with a column
        ``address``; None: guessed from the two frames together.

    Returns
    -------
    DataFrame
        A row a group, the one with most messages in both first, in alphabetical order where equal,
        that without a value missing in name; a single row without ``by``. The group, under the name
        of ``by``; ``messages_now``, ``messages_before``; ``share_now``, ``share_before`` of all
        messages, 0 to 1, missing where there are none; ``size_now``, ``size_before``, in bytes, of
        those whose size is known; ``difference`` (messages now less those before) and ``ratio``
        (now divided by before; infinite for what is new, missing where there is neither).

    Raises
    ------
    QueryError
        For a column that is missing, names that are not two, what messages cannot be grouped by,
        and directions if nothing tells who I am.

    Notes
    -----
    Counts are as they are: of a February and a March, the March has more days.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> early = headers[headers["date"] < "2025-07-01"]
    >>> late = headers[headers["date"] >= "2025-07-01"]
    >>> table = compare(late, early, by="direction", names=("late", "early"))
    >>> table[["direction", "messages_late", "messages_early", "difference", "ratio"]].round(2)
      direction  messages_late  messages_early  difference  ratio
    0  received           1078             857         221   1.26
    1      sent            327             289          38   1.13
    2     draft              3               0           3    inf
    """
    check_count("top", top, "groups")
    columns = [f"{what}_{name}" for what in _COUNTED for name in _two(names)]
    if by in {*columns, "difference", "ratio"}:
        raise QueryError(
            f"by={by!r} has the name of a column of the result.",
            suggestion="Rename the column first: df.rename(columns=…), or choose other names=.",
        )
    for frame in (headers, before):
        check_columns(frame, ["size", *grouping(frame, by)])
    codes, groups = _together(headers, before, by, me)
    result = pd.DataFrame({} if by is None else {by: groups}, index=range(len(groups)))
    sides = (headers, before)
    counted = [
        (
            pd.Series(np.bincount(own, minlength=len(groups)).astype("int64")),
            own,
            frame,
        )
        for own, frame in zip(np.split(codes, [len(headers)]), sides, strict=True)
    ]
    now, then = counted[0][0], counted[1][0]
    values = [
        *(messages for messages, _, _ in counted),
        *(messages / (len(frame) or np.nan) for messages, _, frame in counted),
        *(summed_sizes(frame["size"], own, messages) for messages, own, frame in counted),
    ]
    result[columns] = pd.DataFrame(dict(zip(columns, values, strict=True)))
    result["difference"] = now - then
    result["ratio"] = now / then  # nothing by nothing is missing, something by nothing infinite
    order = np.argsort(-(now + then).to_numpy(), kind="stable")[:top]
    result = result.iloc[order].reset_index(drop=True)
    # What is said of one frame alone would be wrong of both.
    result.attrs = {k: v for k, v in headers.attrs.items() if before.attrs.get(k) == v}
    return result


def _two(names: Sequence[str]) -> Sequence[str]:
    is_text = not isinstance(names, str) and all(isinstance(name, str) and name for name in names)
    if not is_text or len(names) != 2 or names[0] == names[1]:  # noqa: PLR2004 this and that
        raise QueryError(
            f"names={names!r} are not two names.", suggestion='names=("2025", "2024").'
        )
    return names


def _together(
    headers: pd.DataFrame, before: pd.DataFrame, by: str | None, me: Me
) -> tuple[NDArray[np.int64], pd.Index[Any]]:
    """Give numbers to the groups of both frames, to what has no value the last one."""
    if by is None:
        return np.zeros(len(headers) + len(before), dtype="int64"), pd.Index([""])
    if by == "direction":
        # A period in which nothing was sent does not tell who I am; the other one does.
        me = sorted({*my_sources(headers, me), *my_sources(before, me)}) or None
    values = [grouped(frame, by, me).reset_index(drop=True) for frame in (headers, before)]
    together = pd.concat([one for one in values if len(one)] or values[:1], ignore_index=True)
    codes, found = pd.factorize(together, sort=True, use_na_sentinel=False)
    return codes, pd.Index(found)
