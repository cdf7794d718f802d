"""What messages are counted apart by: what a column says, or which way they went."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from mailframe.analysis.columns import group_column, group_values
from mailframe.analysis.identity import directions

if TYPE_CHECKING:
    import pandas as pd

    from mailframe.analysis.identity import Me

__all__ = ["grouped", "grouping"]

_DIRECTION = "direction"


def grouping(headers: pd.DataFrame, by: str | None) -> list[str]:
    """Return the column that a grouping needs; none for None.

    Parameters
    ----------
    headers, by
        As for `columns.group_column`; ``"direction"`` as well.

    Raises
    ------
    QueryError
        For what messages cannot be grouped by.
    """
    if by is None:
        return []
    if by == _DIRECTION:
        return ["from_address"]
    return [group_column(headers, by, besides=[_DIRECTION])]


def grouped(headers: pd.DataFrame, by: str, me: Me = None) -> pd.Series[Any]:
    """Return what each message is counted under.

    Parameters
    ----------
    headers, by
        As for `grouping`; the column is there.
    me
        Who I am, for ``"direction"``; None: guessed from the frame.

    Returns
    -------
    Series
        As from `columns.group_values`, or `identity.directions`.

    Raises
    ------
    QueryError
        If nothing tells who I am.
    """
    return directions(headers, me) if by == _DIRECTION else group_values(headers, by)
