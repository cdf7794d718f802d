"""What fills a mailbox."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mailframe.analysis.columns import check_columns, group_column, text, time_column
from mailframe.analysis.families import families
from mailframe.analysis.groups import grouped, grouping
from mailframe.analysis.keyed import KEY_NAMES, messages_at, numbered
from mailframe.analysis.periods import frequency_of, timeline, zone_of
from mailframe.analysis.volume import summed_sizes
from mailframe.exceptions import QueryError
from mailframe.source import check_count

if TYPE_CHECKING:
    from collections.abc import Hashable, Iterable, Mapping
    from datetime import tzinfo

    from numpy.typing import NDArray

    from mailframe.analysis.identity import Me

__all__ = ["KINDS", "PERIODS", "check_group_name", "largest", "measured", "storage", "total_of"]

#: Periods that sizes are told by.
PERIODS: Mapping[str, str] = {"month": "M", "quarter": "Q", "year": "Y"}
#: What attachments are told by, of their content type.
KINDS = ("type", "family")

# Only a frame of attachments has these.
_OF_ATTACHMENTS = ("content_type", "encoded_size")
_COUNTED = ("n_attachments", "attachment_size")
_OWN = ("messages", "attachments", "size", "share", "cumulative", "median_size", "largest",
        *_COUNTED)  # fmt: skip
_SHOWN = ("date", "from_address", "subject", "size", *_COUNTED)


def storage(
    frame: pd.DataFrame,
    by: str = "address",
    *,
    top: int | None = None,
    tz: str | tzinfo = "UTC",
    on: str = "date",
    me: Me = None,
) -> pd.DataFrame:
    """Tell what fills the mailbox.

    Parameters
    ----------
    frame
        Messages, with the columns ``size`` and that of ``by``; or attachments, as
        ``session.attachments()`` returns, with ``encoded_size`` and that of ``by``.
    by
        ``"address"``, ``"domain"`` (both the sender's), ``"list"``, ``"folder"``, ``"account"``,
        ``"direction"`` (as for `volume`), ``"month"``, ``"quarter"``, ``"year"``, or any column.
        Of attachments also ``"type"``, the content type, and ``"family"``: pictures, PDF, office
        documents, archives, and the like.
    top
        Only so many groups, the largest.
    tz, on
        Whose midnight ends a period, and which time counts, as for `volume`.
    me
        Who I am, for ``by="direction"``; None: guessed from the frame.

    Returns
    -------
    DataFrame
        A row a group, the largest first, in alphabetical order where equal; one of what has no
        such value. The group, under the name of ``by`` (of a period when it begins, in that zone);
        ``messages``, or ``attachments`` (int64); ``size`` in all (Int64, bytes; of those whose
        size is known, missing where none is); ``share`` of all bytes known, 0 to 1; ``cumulative``,
        that of this row and those before; ``median_size`` and ``largest``, of one. Of messages,
        where the frame has these columns, ``n_attachments`` and ``attachment_size``, summed up.
        ``attrs["size"]`` are all bytes known, shown or not; ``attrs["without_size"]`` counts what
        is of unknown size; for periods, ``attrs["undated"]`` what is in none.

    Raises
    ------
    QueryError
        For a column that is missing, for what cannot be grouped by, and for what is no number and
        no zone.

    Notes
    -----
    A message that lies in two folders takes up room twice, and is counted twice; where folders are
    views of others (Gmail's), read one of them. So is what the frame has in two rows, as after
    ``mf.concat`` of what overlaps. Sizes are those that the server tells (RFC 9051 section 2.3.4),
    and attachments as large as they lie there: encoded, by base64 a third larger than the file.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    ...     files = session.attachments(folder="*")
    >>> storage(headers, "folder", top=2)[["folder", "messages", "size", "cumulative"]].round(2)
            folder  messages     size  cumulative
    0        INBOX      1002  4920361        0.57
    1  Newsletters       277  1146103        0.70
    >>> storage(files, "family", top=2)[["family", "attachments", "size", "share"]].round(2)
      family  attachments     size  share
    0   text           54  2328115   0.64
    1    PDF           43   459700   0.13
    """
    check_columns(frame, [])
    check_count("top", top, "groups")
    is_file = by in KINDS or any(name in frame.columns for name in _OF_ATTACHMENTS)
    values, attrs = _values(frame, by, tz=tz, on=on, me=me, is_file=is_file)
    sizes = frame["encoded_size" if is_file else "size"].astype("Int64")
    codes, groups = pd.factorize(values, sort=True, use_na_sentinel=False)
    result = pd.DataFrame({by: pd.Index(groups)})
    counts = np.bincount(codes, minlength=len(result)).astype("int64")
    result["attachments" if is_file else "messages"] = counts
    result = result.assign(**measured(sizes, codes, len(result)))
    for name in () if is_file else _COUNTED:
        if name in frame.columns:
            result[name] = summed_sizes(frame[name].astype("Int64"), codes, pd.Series(counts))
    octets = result["size"].fillna(-1).to_numpy("int64")
    result = result.iloc[np.argsort(-octets, kind="stable")].reset_index(drop=True)
    total = total_of(sizes)
    so_far = result["size"].fillna(0).cumsum().astype("float64") / max(total, 1)
    result.insert(list(result.columns).index("share") + 1, "cumulative", so_far)
    result = result.iloc[:top].reset_index(drop=True)
    more: dict[Hashable, Any] = {"size": total, "without_size": int(sizes.isna().sum())}
    result.attrs = {**frame.attrs, **attrs, **more}
    return result


def largest(headers: pd.DataFrame, top: int | None = 20) -> pd.DataFrame:
    """List the largest messages.

    Parameters
    ----------
    headers
        Messages, with the key columns and ``size``.
    top
        Only so many; None: all, in this order.

    Returns
    -------
    DataFrame
        A row a message, the largest first, so that it can be given to ``session.attachments()`` or
        ``session.move()``: its key; ``date``, ``from_address``, ``subject``, ``size``,
        ``n_attachments`` and ``attachment_size``, as far as the headers have them; ``share`` of
        all bytes known, 0 to 1; ``cumulative``, that of this row and those before. Messages whose
        size is not known are in no row: ``attrs["without_size"]`` counts them. ``attrs["size"]``
        are all bytes known. Of rows of one message, by its key, the first counts; copies in
        several folders are several messages.

    Raises
    ------
    QueryError
        For a column that is missing, and for what is no number.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     rows = largest(session.headers(folder="*"), 2)
    ...     files = session.attachments(rows)
    >>> rows[["folder", "size", "n_attachments", "share"]].round(2)
             folder     size  n_attachments  share
    0         INBOX  1380506              1   0.16
    1  Archive/2024   329553              1   0.04
    >>> len(files)
    2
    """
    check_count("top", top, "messages")
    check_columns(headers, [*KEY_NAMES, "size"])
    is_again = pd.Series(numbered(headers)[0]).duplicated()
    sizes = headers["size"].astype("Int64").reset_index(drop=True)[~is_again]
    known = sizes[sizes.notna()].astype("int64")
    if top is not None:
        known = known.nlargest(top, keep="all") if top else known.head(0)
    some = messages_at(headers, known.index.to_numpy("int64"), _SHOWN)
    order = pd.DataFrame(
        {"size": -known.to_numpy()}
        | {name: text(some, name) for name in ("account", "folder")}
        | {name: some[name].array for name in ("uidvalidity", "uid")}
    ).sort_values(["size", *KEY_NAMES])  # fmt: skip
    result = some.iloc[order.index[:top]].reset_index(drop=True)
    total = total_of(sizes)
    octets = known.to_numpy()[order.index[:top]]
    result["share"] = octets / max(total, 1)
    result["cumulative"] = np.cumsum(octets) / max(total, 1)
    result.attrs = {**headers.attrs, "size": total, "without_size": int(sizes.isna().sum())}
    return result


def measured(
    sizes: pd.Series[Any], codes: NDArray[np.int64], groups: int
) -> dict[str, pd.Series[Any]]:
    """Tell how large groups are.

    Parameters
    ----------
    sizes
        Int64, in bytes.
    codes
        Of each size, which group it is of; -1 for none.
    groups
        How many there are.

    Returns
    -------
    dict
        The columns ``size``, ``share``, ``median_size`` and ``largest``, a value a group.
    """
    places = pd.RangeIndex(groups)
    placed = codes >= 0
    counts = pd.Series(np.bincount(codes[placed], minlength=groups), index=places)
    size = summed_sizes(sizes[placed], codes[placed], counts)
    by_group = pd.Series(sizes.array)[placed].groupby(codes[placed])
    # Half a byte is no size.
    median = by_group.median().round().astype("Int64")
    return {
        "size": size,
        "share": size.astype("Float64").astype("float64") / max(total_of(sizes), 1),
        "median_size": median.reindex(places),
        "largest": by_group.max().astype("Int64").reindex(places),
    }


def total_of(sizes: pd.Series[Any]) -> int:
    """Return all bytes that are known of.

    Parameters
    ----------
    sizes
        Int64.
    """
    return int(sizes.sum())


def check_group_name(by: str, own: Iterable[str]) -> None:
    """Refuse a group of which the result would have another column of the same name.

    Parameters
    ----------
    by
        The group.
    own
        The other columns.

    Raises
    ------
    QueryError
        It says to rename it.
    """
    if by in own:
        raise QueryError(
            f"by={by!r} has the name of a column of the result.",
            suggestion="Rename the column first: df.rename(columns=…).",
        )


def _values(
    frame: pd.DataFrame, by: str, *, tz: str | tzinfo, on: str, me: Me, is_file: bool
) -> tuple[pd.Series[Any], dict[Hashable, Any]]:
    """Return what each row is counted under, and what there is to say about that."""
    sized = "encoded_size" if is_file else "size"
    if by != "direction" and by not in (*PERIODS, *KINDS):
        group_column(frame, by, besides=["direction", *PERIODS, *(KINDS if is_file else ())])
    if by in PERIODS:
        zone = zone_of(tz)
        offset = ["utc_offset"] if zone.zone is None else []
        check_columns(frame, [time_column(on), sized, *offset])
        line = timeline(frame, frequency_of(PERIODS[by]), zone, on)
        begins = pd.Series(line.starts).reindex(line.places)  # -1: no period, NaT
        undated = int((line.places < 0).sum())
        return begins, {"on": on, "tz": zone.name, "undated": undated}
    if by in KINDS:
        check_columns(frame, ["content_type", sized])
        values = families(frame) if by == "family" else text(frame, "content_type")
        return values.astype("category"), {}
    columns = grouping(frame, by)
    check_group_name(by, _OWN)
    check_columns(frame, [sized, *columns])
    values = grouped(frame, by, me)
    is_category = isinstance(frame[columns[0]].dtype, pd.CategoricalDtype)
    return values.astype("category") if is_category else values, {}
