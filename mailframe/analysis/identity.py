"""Whose mailbox it is: the addresses that are mine, and what was sent by me."""

from __future__ import annotations

import re
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from mailframe.analysis.columns import check_columns, text
from mailframe.exceptions import QueryError
from mailframe.roles import ROLES_BY_NAME

if TYPE_CHECKING:
    from collections.abc import Mapping

    from numpy.typing import NDArray

__all__ = [
    "DIRECTIONS",
    "Me",
    "directions",
    "is_mine",
    "is_of_others",
    "lies_in",
    "my_addresses",
    "my_sources",
    "untagged",
]

#: Who is asking: an address, several, a frame with a column ``address``, or None: to be guessed.
Me: TypeAlias = str | Iterable[str] | pd.DataFrame | None

#: Which way a message went.
DIRECTIONS = ("received", "sent", "draft")

_ADDRESS = re.compile(r"[^\s@<>,;/\\]+@[^\s@<>,;/\\]+")
# What stands for a user who has a name without an @ is named with its host.
_HOST = re.compile(
    r"[^@]+@(?:(?:imap[^.]*|mail\d*|mx\d*|pop[^.]*|outlook)\.[^.]+\..+|[^.]+|[\d.]+|\[.*\])"
)
# Where servers show other people's folders (RFC 2342): what they sent was not sent by me.
_OTHERS = frozenset({"other users", "user", "shared", "shared folders", "public folders"})
#: A sender of less of a Sent folder who writes from elsewhere was put there: redirected, or moved.
_STRAY = 0.1
#: An address to which less was delivered is that of a single message that got lost.
_LEAST_DELIVERED = 0.01


def is_mine(headers: pd.DataFrame, me: Me = None) -> NDArray[np.bool_]:
    """Tell which messages I wrote.

    Parameters
    ----------
    headers
        Messages, with the column ``from_address``; where ``me`` is None, ``account`` or ``folder``
        as well.
    me
        My address, several, or a frame with a column ``address``, as `identities` returns. None:
        what `my_addresses` finds. The case and a tag (``me+shop@…``) make no difference.

    Returns
    -------
    ndarray
        bool, of the frame's length. A draft is mine as well.

    Raises
    ------
    QueryError
        For a column that is missing, and if nothing tells who I am.

    Examples
    --------
    >>> headers = pd.DataFrame({"from_address": ["Ann@x.example", "ann+shop@x.example", "b@x.y"]})
    >>> is_mine(headers, "ann@x.example")
    array([ True,  True, False])
    """
    check_columns(headers, ["from_address"])
    codes, found = pd.factorize(text(headers, "from_address"))
    mine = pd.Series(sorted(my_addresses(headers, me)), dtype="str")
    is_my = untagged(pd.Series(found, dtype="str")).isin(untagged(mine)).to_numpy(dtype=bool)
    result: NDArray[np.bool_] = np.append(is_my, False)[codes]  # -1: nobody knows whose
    return result


def directions(headers: pd.DataFrame, me: Me = None) -> pd.Series[Any]:
    r"""Tell which way each message went.

    Parameters
    ----------
    headers, me
        As for `is_mine`.

    Returns
    -------
    Series
        category: ``"sent"`` by me, to myself too; ``"draft"`` where it is mine and has the flag
        \\Draft (column ``draft``, where there); else ``"received"``.

    Raises
    ------
    QueryError
        As `is_mine` does.
    """
    places = is_mine(headers, me).astype("int8")
    if "draft" in headers.columns:
        is_draft = headers["draft"].fillna(value=False).to_numpy(dtype=bool)
        places[is_draft & (places == 1)] = DIRECTIONS.index("draft")
    kinds = pd.CategoricalDtype(pd.Index(DIRECTIONS, dtype="str"))
    values: Any = pd.Categorical.from_codes(places, dtype=kinds)
    return pd.Series(values, index=headers.index, name="direction")


def my_addresses(headers: pd.DataFrame, me: Me = None) -> frozenset[str]:
    r"""Return which addresses are mine.

    Parameters
    ----------
    headers
        Messages, with ``from_address``; of ``folder``, ``labels``, ``account`` and
        ``delivered_to`` those that are there tell it.
    me
        As for `is_mine`.

    Returns
    -------
    frozenset of str
        In lower case: those given; else who sent what lies in a folder for sent mail (by its name,
        in many languages, or Gmail's label \\Sent), the account if it is an address, and to whom
        mail was delivered (the uppermost Delivered-To). Empty for a frame without rows.

    Raises
    ------
    QueryError
        If nothing tells, or ``me`` is no address.

    Examples
    --------
    >>> headers = pd.DataFrame({
    ...     "from_address": ["Ann@x.example", "bob@y.example"], "folder": ["Sent", "INBOX"],
    ... })
    >>> sorted(my_addresses(headers))
    ['ann@x.example']
    """
    sources = my_sources(headers, me)
    if not sources and (me is not None or len(headers)):
        raise QueryError(
            "Nothing in this frame tells which addresses are yours: it has no message from a "
            "folder for sent mail, and its account is no address.",
            suggestion='Say it: me="you@example.com", or a list of addresses. Or read the folder '
            'of sent mail as well: session.headers(folder="*").',
        )
    return frozenset(sources)


def my_sources(headers: pd.DataFrame, me: Me = None) -> Mapping[str, str]:
    """Return what tells that an address is mine.

    Parameters
    ----------
    headers, me
        As for `my_addresses`.

    Returns
    -------
    mapping
        From each address, in lower case, to ``"given"``, ``"sent"``, ``"account"`` or
        ``"delivered"``, the first of these that holds.

    Raises
    ------
    QueryError
        If ``me`` is no address.
    """
    if me is not None:
        return dict.fromkeys(_given(me), "given")
    check_columns(headers, ["from_address"])
    return (
        dict.fromkeys(_delivered(headers), "delivered")
        | dict.fromkeys(_accounts(headers), "account")
        | dict.fromkeys(_senders_of_sent(headers), "sent")
    )


def untagged(addresses: pd.Series[Any]) -> pd.Series[Any]:
    """Take the tag off addresses: ``ann+shop@…`` is ``ann@…`` (RFC 5233 section 4).

    Parameters
    ----------
    addresses
        Text. Which character begins a tag is a server's own affair; nearly all take ``+``.

    Returns
    -------
    Series
        In lower case. One that begins with ``+`` has no tag.

    Examples
    --------
    >>> untagged(pd.Series(["Ann+Shop@x.example", "bob@x.example"])).tolist()
    ['ann@x.example', 'bob@x.example']
    """
    lower = addresses.astype("str").str.lower()
    result: pd.Series[Any] = lower.str.replace(r"^([^+@]+)\+[^@]*@", r"\1@", regex=True)
    return result


def lies_in(headers: pd.DataFrame, role: str, *, of_others: bool = False) -> NDArray[np.bool_]:
    r"""Tell which messages lie in a folder of a role.

    Parameters
    ----------
    headers
        Messages; of ``folder`` and ``labels`` (Gmail's) those that are there tell it.
    role
        As in RFC 6154: ``"\\Sent"``.
    of_others
        Whether other people's folders count as well.

    Returns
    -------
    ndarray
        bool: the folder's name, or that of one above it, is one for this; or Gmail's label of
        this name is there.
    """
    result = np.zeros(len(headers), dtype=bool)
    if "folder" in headers.columns:
        codes, folders = pd.factorize(headers["folder"])
        result |= np.array(
            [*(_is_for(role, str(one), of_others=of_others) for one in folders), False]
        )[codes]
    if "labels" in headers.columns:
        labels = "\n" + text(headers, "labels").str.lower() + "\n"
        is_labelled = labels.str.contains(f"\n{role.lower()}\n", regex=False)
        result |= is_labelled.fillna(value=False).to_numpy(dtype=bool)
    return result


def is_of_others(headers: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which messages lie in other people's folders, or in shared ones.

    Parameters
    ----------
    headers
        Messages, with the column ``folder``.

    Returns
    -------
    ndarray
        bool: the name begins as servers let theirs begin (RFC 2342).
    """
    codes, folders = pd.factorize(headers["folder"])
    is_theirs = [_levels(str(one))[0] in _OTHERS for one in folders]
    return np.array([*is_theirs, False], dtype=bool)[codes]


def _levels(folder: str) -> list[str]:
    # A frame does not say what separates the levels of a name; it is one of these.
    return [level.casefold() for level in re.split(r"[/.\\]", folder.lstrip("#"))]


def _is_for(role: str, folder: str, *, of_others: bool) -> bool:
    levels = _levels(folder)
    is_own = of_others or levels[0] not in _OTHERS
    return is_own and any(ROLES_BY_NAME.get(one) == role for one in levels)


def _given(me: object) -> list[str]:
    if isinstance(me, pd.DataFrame):
        check_columns(me, ["address"])
        me = me["address"]
    words: list[Any] = [me]
    if isinstance(me, Iterable) and not isinstance(me, str):
        words = list(me)
    wrong = [one for one in words if not isinstance(one, str) or "@" not in one.strip("@ ")]
    if wrong or not words:
        raise QueryError(
            f"me={wrong[0]!r} is no address." if wrong else "me= names no address.",
            suggestion='me="you@example.com", a list of addresses, or rows of identities(headers).',
        )
    return [word.strip().lower() for word in words]


def _senders_of_sent(headers: pd.DataFrame) -> list[str]:
    is_sent = lies_in(headers, "\\Sent")
    if not is_sent.any():
        return []
    codes, found = pd.factorize(text(headers, "from_address").str.lower())
    account = pd.factorize(headers["account"])[0] if "account" in headers.columns else 0
    rows = pd.DataFrame({"account": account, "address": codes, "sent": is_sent})
    counts = rows.groupby(["account", "address"])["sent"].agg(["sum", "size"]).reset_index()
    share = counts["sum"] / counts.groupby("account")["sum"].transform("sum")
    is_stray = (share < _STRAY) & (counts["sum"] < counts["size"] / 2)
    mine = counts["address"][(counts["sum"] > 0) & ~is_stray & (counts["address"] >= 0)]
    return [address for address in found[mine.unique()] if address]


def _accounts(headers: pd.DataFrame) -> list[str]:
    if "account" not in headers.columns:
        return []
    names = {str(name).lower() for name in headers["account"].dropna().unique()}
    found = sorted(name for name in names if _ADDRESS.fullmatch(name))
    doubtful = {name for name in found if _HOST.fullmatch(name)}
    if doubtful:
        doubtful -= set(text(headers, "from_address").str.lower())
    return [name for name in found if name not in doubtful]


def _delivered(headers: pd.DataFrame) -> list[str]:
    if "delivered_to" not in headers.columns:
        return []
    # The last to deliver it wrote the first line; those before it may be those of a list.
    first = text(headers, "delivered_to").str.partition("\n")[0].str.strip().str.lower()
    shares = first.value_counts(normalize=True)
    often = shares.index[(shares >= _LEAST_DELIVERED).to_numpy()]
    return [address for address in often if _ADDRESS.fullmatch(address)]
