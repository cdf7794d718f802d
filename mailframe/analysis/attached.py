"""What is attached to messages."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mailframe.analysis.columns import (
    GROUPS,
    check_columns,
    group_column,
    group_values,
    moments,
    text,
    time_column,
)
from mailframe.analysis.families import extensions, families
from mailframe.analysis.groups import grouped, grouping
from mailframe.analysis.keyed import KEY_NAMES, numbered, rows_of
from mailframe.analysis.periods import frequency_of, timeline, zone_of
from mailframe.analysis.storage import check_group_name, measured, total_of
from mailframe.exceptions import QueryError
from mailframe.source import check_count

if TYPE_CHECKING:
    from collections.abc import Hashable, Mapping
    from datetime import tzinfo

    from numpy.typing import NDArray

    from mailframe.analysis.identity import Me

__all__ = ["attachments", "offered"]

#: What an attachment is, and the column that says it.
_BY: Mapping[str, str] = {
    "type": "content_type",
    "family": "content_type",
    "extension": "filename",
    "name": "filename",
}
_PERIOD = "period"
_DIRECTION = "direction"
_OWN = ("attachments", "messages", "size", "share", "median_size", "largest", "first", "last")


def attachments(
    frame: pd.DataFrame,
    *,
    headers: pd.DataFrame | None = None,
    by: str = "type",
    freq: str = "M",
    top: int | None = None,
    inline: bool = False,
    tz: str | tzinfo = "UTC",
    on: str = "date",
    me: Me = None,
) -> pd.DataFrame:
    """Tell what is attached to the mail: of which kinds, from whom, or when.

    Parameters
    ----------
    frame
        Attachments, as ``session.attachments()`` returns: the key columns, ``size``, ``inline``,
        and those of ``by``.
    headers
        The same messages' headers, with the key columns and ``on``: then it is told when as well.
    by
        ``"type"``, the content type; ``"family"``: pictures, PDF, office documents, archives, and
        the like; ``"extension"``, how the file's name ends; ``"name"``, the file's; ``"account"``,
        ``"folder"``, or any column. With headers ``"address"``, ``"domain"`` (both the
        sender's), ``"list"``, ``"direction"`` (as for `volume`), any column of theirs, or
        ``"period"``.
    freq, tz
        How long a period is, and whose midnight ends a day, as for `volume`.
    top
        Only so many groups, the largest. Periods are all shown.
    inline
        Count what is shown within the text as well, such as pictures of a newsletter.
    on
        ``"date"``, when it was sent; ``"internal_date"``, when the server received it.
    me
        Who I am, for ``by="direction"``; None: guessed from the headers.

    Returns
    -------
    DataFrame
        A row a group, the largest first, in alphabetical order where equal; one of what has no
        such value. Or a row a period, those without attachments included. The group, under the
        name of ``by``; ``attachments`` (int64), and ``messages``, how many have some; ``size`` in
        all (Int64, bytes; of those whose size is known, missing where none is); ``share`` of all
        bytes known, 0 to 1; ``median_size`` and ``largest``, of one; with headers, ``first`` and
        ``last``, when the messages are from.
        ``attrs["size"]`` are all bytes known; ``attrs["without_size"]`` counts the attachments of
        unknown size, ``attrs["inline"]`` those not counted, ``attrs["without_header"]`` those whose
        message the headers do not have; for periods, ``attrs["undated"]`` those in none.

    Raises
    ------
    QueryError
        For a column that is missing, for what cannot be grouped by, or not without headers, and
        for what is no number, no period and no zone.

    Notes
    -----
    Sizes are those of the files, decoded; where they were not read they are worked out from the
    encoded ones, as ``size_exact`` says of each. What lies in two folders is counted twice. A type
    is what the sender says it is (RFC 2045 section 5).

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    ...     files = session.attachments(folder="*")
    >>> attachments(files, by="family", top=3)[["family", "attachments", "messages", "size"]]
                 family  attachments  messages     size
    0              text           54        54  1701270
    1               PDF           43        43   335878
    2  office documents           35        35   222788
    >>> attachments(files, headers=headers, by="period", freq="Y")[["attachments", "size"]]
       attachments     size
    0           89   396171
    1          182  1638494
    2          101   529859
    """
    check_count("top", top, "groups")
    check_columns(frame, [*KEY_NAMES, "size"])
    own, theirs = _columns(frame, headers, by)
    check_columns(frame, own)
    kept = frame[offered(frame, inline=inline)]
    attrs: dict[Hashable, Any] = {**frame.attrs, "inline": len(frame) - len(kept)}
    rows = None
    if headers is not None:
        check_columns(headers, [*KEY_NAMES, time_column(on), *theirs])
        rows = rows_of(kept, headers)
        attrs |= {"on": on, "without_header": int((rows < 0).sum())}
    if headers is not None and rows is not None and by == _PERIOD:
        codes, groups, zone = _periods(headers, rows, freq, tz, on)
        attrs |= {"tz": zone, "undated": int((codes < 0).sum())}
    else:
        values = _values(kept, by) if own else _sent_by(headers, rows, by, me)
        codes, groups = pd.factorize(values, sort=True, use_na_sentinel=False)
    sizes = kept["size"].astype("Int64")
    result = pd.DataFrame({by: pd.Index(groups)})
    placed = codes >= 0
    pairs = pd.DataFrame({"group": codes, "message": numbered(kept)[0]})[placed]
    result["attachments"] = _counted(pairs, len(result))
    result["messages"] = _counted(pairs.drop_duplicates(), len(result))
    result = result.assign(**measured(sizes, codes, len(result)))
    if headers is not None:
        times = _reached(moments(headers, on), rows)[placed].groupby(codes[placed])
        result["first"], result["last"] = times.min(), times.max()
    if by != _PERIOD:
        octets = result["size"].fillna(-1).to_numpy("int64")
        result = result.iloc[np.argsort(-octets, kind="stable")[:top]].reset_index(drop=True)
    more: dict[Hashable, Any] = {
        "size": total_of(sizes),
        "without_size": int(sizes.isna().sum()),
    }
    result.attrs = {**attrs, **more}
    return result


def offered(frame: pd.DataFrame, *, inline: bool) -> NDArray[np.bool_]:
    """Tell which attachments count.

    Parameters
    ----------
    frame
        Attachments.
    inline
        Whether those count too that are shown within the text; else the column ``inline`` is
        needed.

    Raises
    ------
    QueryError
        If it is missing.
    """
    if inline:
        return np.ones(len(frame), dtype=bool)
    check_columns(frame, ["inline"])
    shown: NDArray[np.bool_] = ~frame["inline"].fillna(value=False).to_numpy(dtype=bool)
    return shown


def _columns(
    frame: pd.DataFrame, headers: pd.DataFrame | None, by: str
) -> tuple[list[str], list[str]]:
    """Return which columns a grouping needs, of the attachments and of the headers."""
    besides = (*_BY, _PERIOD, _DIRECTION)
    if not isinstance(by, str):
        group_column(frame, by, besides=besides)
    if by in _BY:
        return [_BY[by]], []
    if by == _PERIOD and headers is not None:
        return [], []
    if by not in {_PERIOD, _DIRECTION}:
        check_group_name(by, _OWN)
        if GROUPS.get(by, by) in frame.columns:
            return [GROUPS.get(by, by)], []
    if headers is not None:
        return [], grouping(headers, by)
    if by in {_PERIOD, _DIRECTION, *GROUPS}:
        raise QueryError(
            f"by={by!r} is told by headers, and there are none.",
            suggestion="Give those of the same messages: attachments(frame, headers=headers, "
            f"by={by!r}).",
        )
    group_column(frame, by, besides=besides)
    return [], []


def _values(frame: pd.DataFrame, by: str) -> pd.Series[Any]:
    """Return what each attachment is counted under, as its own columns tell."""
    if by == "type":
        return text(frame, "content_type").astype("category")
    if by == "family":
        return families(frame)
    if by == "extension":
        return extensions(frame)
    if by == "name":
        return text(frame, "filename")
    return _kept_category(frame, by, group_values(frame, by))


def _sent_by(headers: Any, rows: Any, by: str, me: Me) -> pd.Series[Any]:
    """Return what each attachment is counted under, as its header tells."""
    return _kept_category(headers, by, _reached(grouped(headers, by, me), rows))


def _kept_category(frame: pd.DataFrame, by: str, values: pd.Series[Any]) -> pd.Series[Any]:
    column = GROUPS.get(by, by)
    is_category = column in frame.columns and isinstance(frame[column].dtype, pd.CategoricalDtype)
    return values.astype("category") if is_category else values


def _reached(values: pd.Series[Any], rows: Any) -> pd.Series[Any]:
    """Return the value of each attachment's header; missing where there is none."""
    found: pd.Series[Any] = values.reset_index(drop=True).reindex(rows).reset_index(drop=True)
    return found


def _periods(
    headers: pd.DataFrame, rows: NDArray[np.int64], freq: str, tz: str | tzinfo, on: str
) -> tuple[NDArray[np.int64], pd.Index[Any], str]:
    """Return in which period each attachment came, -1 for none; the periods; and whose clock."""
    zone = zone_of(tz)
    if zone.zone is None:
        check_columns(headers, ["utc_offset"])
    line = timeline(headers, frequency_of(freq), zone, on)
    return np.append(line.places, -1)[rows], line.starts, zone.name


def _counted(pairs: pd.DataFrame, groups: int) -> NDArray[np.int64]:
    return np.bincount(pairs["group"], minlength=groups).astype("int64")
