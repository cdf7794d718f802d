"""With whom there is mail: the domains it is from, the people it is to."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mailframe import schema
from mailframe.analysis.columns import check_columns, moments, text, time_column
from mailframe.analysis.registrable import registrable as registered
from mailframe.analysis.senders import caseless, commonest, rank, senders
from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from collections.abc import Sequence
    from datetime import date, timedelta

    from numpy.typing import NDArray

    from mailframe.analysis.identity import Me
    from mailframe.analysis.senders import Ranking

__all__ = ["domains", "recipient_column", "recipient_values", "recipients"]

_KEY = [column.name for column in schema.KEY]
_ROLES = ("from", "sender", "reply_to", "to", "cc", "bcc")
#: What a recipient is, and the column that says it.
_BY = ("address", "domain", "name")


def domains(
    headers: pd.DataFrame,
    *,
    top: int | None = None,
    registrable: bool = False,
    on: str = "date",
    me: Me = None,
    at: str | date | None = None,
    dormant_after: str | timedelta = "180d",
    new_within: str | timedelta = "30d",
) -> pd.DataFrame:
    """Tell from which domains how much came.

    Parameters
    ----------
    headers
        Messages, with the columns ``from_domain``, ``from_address``, ``size``, ``seen``,
        ``answered`` and ``on``.
    top
        Only so many, those with the most messages.
    registrable
        Count what somebody registered, by the public suffix list (publicsuffix.org):
        ``mail.shop.co.uk`` and ``shop.co.uk`` as one. Needs ``pip install 'mailframe[domains]'``;
        nothing is asked of the network.
    on, me, at, dormant_after, new_within
        As for `senders`.

    Returns
    -------
    DataFrame
        A row a domain, with the columns of ``senders(headers, by="domain")``.

    Raises
    ------
    QueryError
        As `senders` does.
    NotSupportedError
        If tldextract is needed and not installed.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers()
    >>> domains(headers, registrable=True, top=2)[["domain", "addresses", "messages"]]
               domain  addresses  messages
    0  fyrbak.example         32       674
    1     example.net          4        49
    """
    check_columns(headers, ["from_domain"])
    if registrable:
        headers = headers.assign(from_domain=registered(text(headers, "from_domain")).array)
    return senders(
        headers,
        top=top,
        by="domain",
        on=on,
        me=me,
        at=at,
        dormant_after=dormant_after,
        new_within=new_within,
    )


def recipients(
    frame: pd.DataFrame,
    *,
    top: int | None = None,
    by: str = "address",
    roles: Sequence[str] = ("to", "cc", "bcc"),
    headers: pd.DataFrame | None = None,
    on: str = "date",
) -> pd.DataFrame:
    """Tell who was written to how much.

    Parameters
    ----------
    frame
        Who stands in which field, as ``session.recipients()`` returns: the key columns, ``role``,
        ``address``, and ``name`` or ``domain`` by ``by``. For whom I write to: that of the folder
        of sent mail.
    top
        Only so many, those with the most messages.
    by
        ``"address"`` (in lower case), ``"domain"``, or ``"name"``, the display name.
    roles
        The fields that count, one or several of ``"from"``, ``"sender"``, ``"reply_to"``
        (RFC 5322 section 3.6.2), ``"to"``, ``"cc"``, ``"bcc"`` (section 3.6.3).
    headers
        The same messages' headers, with the key columns and ``on``: then it is told when as well.
    on
        ``"date"``, when it was sent; ``"internal_date"``, when the server received it.

    Returns
    -------
    DataFrame
        A row a recipient, most messages first, in alphabetical order where equal. ``address`` and
        ``name``, the display name used most; or ``domain`` and ``addresses``, how many there are;
        or ``name`` and ``address``, the one used most. ``messages`` (one in which it stands twice
        counts once); ``share`` of all messages that have such a field, 0 to 1; a column a role,
        how many messages have it there; with ``headers``, ``first`` and ``last``, when.
        ``attrs["messages"]`` counts those messages, ``attrs["without_recipient"]`` the entries
        whose recipient is not known.

    Raises
    ------
    QueryError
        For a column that is missing, and for what is no number, no role or no kind of recipient.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     sent = session.recipients(folder="Sent")
    >>> recipients(sent, top=2)[["name", "messages", "share", "to", "cc"]].round(2)
                   name  messages  share  to  cc
    0          Jonas Ek        54   0.09  34  20
    1  Tomasz Zieliński        49   0.08  28  21
    """
    wanted = _checked(roles)
    check_columns(frame, [*_KEY, "role", "address", recipient_column(by), *_beside(by)])
    rows = frame[text(frame, "role").isin(wanted).to_numpy()]
    groups: Any = rows.groupby(_KEY, sort=False, observed=True, dropna=False)
    messages: NDArray[np.int64] = groups.ngroup().to_numpy("int64")
    values = recipient_values(rows, by)
    once = ~pd.DataFrame({"whom": values.array, "message": messages}).duplicated().to_numpy()
    ranking = rank(values[once], top)
    places = ranking.senders.get_indexer(pd.Index(values)).astype("int64")
    ranking = ranking._replace(places=places)
    total = int(messages.max(initial=-1)) + 1
    result = pd.DataFrame(
        {
            by: ranking.senders,
            **_companion(rows, ranking, by),
            "messages": ranking.messages,
            "share": ranking.messages / max(total, 1),
            **_role_counts(rows, wanted, messages, ranking),
        }
    )
    if headers is not None:
        times = _times(rows, headers, on)[places >= 0].groupby(places[places >= 0])
        result["first"], result["last"] = times.min(), times.max()
    result = result.reset_index(drop=True)
    result.attrs = {
        **frame.attrs,
        "messages": total,
        "without_recipient": int(values.isna().sum()),
    }
    return result


def recipient_column(by: str) -> str:
    """Return the column that says who a recipient is.

    Parameters
    ----------
    by
        ``"address"``, ``"domain"`` or ``"name"``.

    Raises
    ------
    QueryError
        For anything else.
    """
    if not isinstance(by, str) or by not in _BY:
        raise QueryError(
            f"by={by!r} is no kind of recipient.",
            suggestion=f"One of {', '.join(map(repr, _BY))}.",
        )
    return by


def recipient_values(frame: pd.DataFrame, by: str) -> pd.Series[Any]:
    """Return who each recipient is: missing where nobody knows, never empty.

    Parameters
    ----------
    frame
        Recipients, with the column `recipient_column`.
    by
        ``"address"``, ``"domain"`` or ``"name"``.
    """
    return caseless(text(frame, recipient_column(by)), by)


def _checked(roles: Sequence[str]) -> list[str]:
    wanted = [roles] if isinstance(roles, str) else list(dict.fromkeys(roles))
    wrong = [role for role in wanted if role not in _ROLES]
    if wrong or not wanted:
        raise QueryError(
            f"roles={roles!r}: {wrong[0]!r} is no role." if wrong else "roles= names no role.",
            suggestion=f"One or several of {', '.join(map(repr, _ROLES))}.",
        )
    return wanted


def _beside(by: str) -> list[str]:
    return ["name"] if by == "address" else []


def _companion(rows: pd.DataFrame, ranking: Ranking, by: str) -> dict[str, pd.Series[Any]]:
    """Return the column that helps to recognise a recipient."""
    if by == "address":
        return {"name": commonest(ranking, text(rows, "name"))}
    addresses = recipient_values(rows, "address")
    if by == "name":
        return {"address": commonest(ranking, addresses)}
    known = ranking.places >= 0
    counted = addresses[known].groupby(ranking.places[known]).nunique()
    return {"addresses": counted.astype("int64")}


def _role_counts(
    rows: pd.DataFrame, roles: list[str], messages: NDArray[np.int64], ranking: Ranking
) -> dict[str, NDArray[np.int64]]:
    """Count the messages that have each recipient in a field; twice in one field counts once."""
    entries = pd.DataFrame(
        {"place": ranking.places, "message": messages, "role": text(rows, "role").array}
    )
    entries = entries[ranking.places >= 0].drop_duplicates()
    return {
        role: np.bincount(
            entries["place"][(entries["role"] == role).to_numpy()], minlength=len(ranking.senders)
        ).astype("int64")
        for role in roles
    }


def _times(rows: pd.DataFrame, headers: pd.DataFrame, on: str) -> pd.Series[Any]:
    """Return when the message of each row was sent, or received."""
    check_columns(headers, [*_KEY, time_column(on)])

    def keys(frame: pd.DataFrame) -> pd.DataFrame:
        # As text: frames of several sessions have categories of their own.
        words = {name: text(frame, name).array for name in ("account", "folder")}
        return pd.DataFrame(words | {name: frame[name].array for name in ("uidvalidity", "uid")})

    known = keys(headers).assign(moment=moments(headers, on).array).drop_duplicates(_KEY)
    result: pd.Series[Any] = keys(rows).merge(known, on=_KEY, how="left")["moment"]
    return result
