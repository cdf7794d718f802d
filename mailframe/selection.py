"""What a user asks for -> messages of folders: criteria, folder names and globs, frames of keys."""

from __future__ import annotations

import re
from contextlib import closing, suppress
from datetime import UTC, datetime
from decimal import Decimal
from fnmatch import fnmatchcase
from numbers import Integral, Real
from typing import TYPE_CHECKING, Any, TypeAlias

import numpy as np
import pandas as pd

from mailframe import schema
from mailframe.criteria import ALL, NOTHING, to_tree
from mailframe.exceptions import FolderError, QueryError, UidValidityError
from mailframe.source import Selection, check_count, is_glob, is_role

if TYPE_CHECKING:
    from collections import UserString
    from collections.abc import Callable, Iterable, Sequence

    from mailframe.criteria import Node, Q
    from mailframe.records import Folder
    from mailframe.source import Source

__all__ = [
    "Criteria",
    "FolderNames",
    "check_folders",
    "described",
    "field_columns",
    "in_order_of",
    "keys_of",
    "one_folder",
    "select",
    "selections_of",
    "with_role",
]

Criteria: TypeAlias = "str | Q | UserString | Node | pd.DataFrame | pd.Series[Any] | pd.Index[Any]"
FolderNames: TypeAlias = "str | Sequence[str]"

# RFC 5322 section 3.6.8, less what an IMAP atom may not hold (RFC 3501 section 9).
_FIELD = re.compile(r"[A-Za-z0-9!#$&'+,./;<=>?@^_`|~-]+")

_KEYS = ["account", "folder", "uidvalidity", "uid"]
#: UIDs and UIDVALIDITYs have 32 bits (RFC 3501 section 9).
_LAST = 2**32 - 1

_AS_RETURNED = "Take the rows as a session returned them."


def select(
    source: Source, criteria: Criteria, folder: FolderNames, limit: int | None
) -> list[Selection]:
    """Find the messages that a call is about.

    Parameters
    ----------
    source
        Where to look.
    criteria
        A search string, a `Q`, an imap-tools object, or a frame of keys.
    folder
        A name, several, or a glob; of no account for a frame, which names its own.
    limit
        At most this many in all.

    Returns
    -------
    list of Selection
        Of a frame in the order of its rows, of anything else folder by folder and newest first.
        A folder may come several times.

    Raises
    ------
    QueryError
        For criteria that cannot be asked.
    FolderError
        For a folder that is not there, and UidValidityError for rows of an older UIDVALIDITY;
        both before anything is fetched.
    """
    check_count("limit", limit)
    if isinstance(criteria, pd.DataFrame):
        return _of_frame(source, criteria, limit)
    if isinstance(criteria, pd.Series | pd.Index):
        return _of_uids(source, criteria, folder, limit)
    tree = to_tree(criteria, datetime.now(UTC))
    names = _folder_names(source, folder)
    # A source of several connections searches side by side.
    each: Callable[..., list[Selection]] | None = getattr(source, "search_each", None)
    if each is not None:
        found = each(names, tree, limit)
    else:
        found = [source.search(name, tree, limit) for name in names]
    if limit is None or sum(len(one.uids) for one in found) <= limit:
        return found
    return _latest(source, found, limit)


def field_columns(fields: Sequence[str]) -> dict[str, str]:
    """Name the columns of header fields.

    Parameters
    ----------
    fields
        As in a message, in any case: ``["Delivered-To", "X-Mailer"]``.

    Returns
    -------
    dict
        Field in lower case -> column: ``delivered_to``; with ``header_`` in front where the
        headers frame has a column of that name.

    Raises
    ------
    QueryError
        For what cannot be the name of a field (RFC 5322 section 2.2).

    Examples
    --------
    >>> field_columns(["Delivered-To", "Date"])
    {'delivered-to': 'delivered_to', 'date': 'header_date'}
    """
    if isinstance(fields, str):
        fields = [fields]
    taken = {column.name for column in (*schema.HEADERS, *schema.GMAIL)}
    columns: dict[str, str] = {}
    for field in fields:
        if not isinstance(field, str) or not _FIELD.fullmatch(field):
            raise QueryError(
                f"{field!r} is no name of a header field.",
                suggestion='Names are like "Delivered-To", without the colon.',
            )
        name = field.lower().replace("-", "_")
        while name in taken and field.lower() not in columns:
            name = f"header_{name}"
        columns.setdefault(field.lower(), name)
        taken.add(name)
    return columns


def in_order_of(criteria: object, frame: pd.DataFrame) -> pd.DataFrame:
    """Give a frame the order of the frame that asked for it.

    Parameters
    ----------
    criteria
        What was asked for; anything but a frame leaves the order as it is.
    frame
        With the key columns. The order of several rows of one message is kept.
    """
    if not isinstance(criteria, pd.DataFrame) or frame.empty:
        return frame
    asked = pd.MultiIndex.from_frame(criteria[["folder", "uid"]].astype({"folder": "str"}))
    asked = asked.drop_duplicates()
    got = pd.MultiIndex.from_frame(frame[["folder", "uid"]].astype({"folder": "str"}))
    order = np.argsort(asked.get_indexer(got), kind="stable")
    return frame.take(order).reset_index(drop=True)


def described(
    account: str, criteria: Criteria, folder: FolderNames, limit: int | None
) -> tuple[list[str], Node, list[Selection] | None]:
    """Say what `select` would look for, without asking anyone.

    Parameters
    ----------
    account
        Whose mail it is.
    criteria, folder, limit
        As for `select`.

    Returns
    -------
    tuple
        Names as asked for, the tree, and None; or, for a frame, its selections as the last.
    """
    check_count("limit", limit)
    if isinstance(criteria, pd.Series | pd.Index):
        uids = _named_uids(criteria, folder)
        name = folder if isinstance(folder, str) else next(iter(folder))
        return [], ALL, [Selection(name, 0, uids[:limit])]
    if isinstance(criteria, pd.DataFrame):
        return [], ALL, selections_of(keys_of(criteria, account, limit))
    return _asked_names(folder), to_tree(criteria, datetime.now(UTC)), None


def _of_frame(source: Source, frame: pd.DataFrame, limit: int | None) -> list[Selection]:
    found = selections_of(keys_of(frame, source.account, limit))
    check_folders(source, found)  # nothing has been fetched yet
    return found


def check_folders(source: Source, found: Iterable[Selection]) -> None:
    """Make sure that UIDs from an earlier call mean the same messages.

    Parameters
    ----------
    source
        Where they are. Opening the folders is enough to know.
    found
        The messages.

    Raises
    ------
    UidValidityError
        If a folder was renumbered since, and FolderError if it is gone.
    """
    for folder, before in dict.fromkeys((one.folder, one.uidvalidity) for one in found):
        validity = source.search(folder, NOTHING).uidvalidity
        if validity != before:
            raise UidValidityError(
                f"The folder {folder!r} was renumbered: its UIDVALIDITY is {validity}, and was "
                f"{before} when these messages were found."
            )


def keys_of(frame: pd.DataFrame, account: str, limit: int | None = None) -> pd.DataFrame:
    """Return the keys in a frame, each once, in the order of its rows.

    Parameters
    ----------
    frame
        That a session returned, filtered and sorted as one likes.
    account
        Whose messages they must be.
    limit
        At most this many.

    Raises
    ------
    QueryError
        If it lacks keys or has none that can be, or they are of another account.
    """
    missing = [name for name in _KEYS if name not in frame.columns]
    if missing:
        raise QueryError(
            f"This frame does not say which messages it is about: no {', '.join(missing)}.",
            suggestion=f"Keep the columns {', '.join(_KEYS)} of a frame that a session returned.",
        )
    twice = [name for name in _KEYS if isinstance(frame[name], pd.DataFrame)]
    if twice:
        raise QueryError(
            f"This frame has more than one column {', '.join(map(repr, twice))}.",
            suggestion="Keep the first of each: df.loc[:, ~df.columns.duplicated()].",
        )
    keys = frame[_KEYS]
    if keys.isna().any(axis=None):
        raise QueryError(
            "Some rows of this frame have no key: a value is missing.",
            suggestion=f"Leave them out: df.dropna(subset={_KEYS}).",
        )
    # Before duplicates are looked for: a list is not even hashable.
    keys = keys.assign(
        **{name: _texts(keys[name], name) for name in _KEYS[:2]},
        **{name: _whole(keys[name], name) for name in _KEYS[2:]},
    ).drop_duplicates()
    others = sorted(set(keys["account"]) - {account})
    if others:
        raise QueryError(
            f"These rows are from {', '.join(others)}; this session reads {account}.",
            suggestion="Give each session its own rows: df[df.account == session.account].",
        )
    return keys.head(len(keys) if limit is None else limit)


def selections_of(keys: pd.DataFrame) -> list[Selection]:
    """Gather keys by folder, in the order in which the folders first come."""
    return [
        Selection(rows["folder"].iloc[0], int(rows["uidvalidity"].iloc[0]), _uids(rows["uid"]))
        for _, rows in keys.groupby(["folder", "uidvalidity"], sort=False)
    ]


def _of_uids(
    source: Source,
    uids: pd.Series[Any] | pd.Index[Any],
    folder: FolderNames,
    limit: int | None,
) -> list[Selection]:
    numbers = _named_uids(uids, folder)
    name = folder if isinstance(folder, str) else next(iter(folder))
    validity = source.search(name, NOTHING).uidvalidity
    return [Selection(name, validity, numbers[:limit])]


def _named_uids(uids: pd.Series[Any] | pd.Index[Any], folder: FolderNames) -> tuple[int, ...]:
    names = [folder] if isinstance(folder, str) else list(folder)
    if uids.name != "uid" or len(names) != 1 or is_glob(names[0]):
        raise QueryError(
            "A Series or Index is taken for UIDs only if it is named 'uid' and folder is one name.",
            suggestion="Give the rows themselves: session.bodies(df[mask]). (df[mask].index holds "
            "row numbers, not UIDs.)",
        )
    return _uids(uids)


def _uids(values: pd.Series[Any] | pd.Index[Any]) -> tuple[int, ...]:
    return tuple(_whole(pd.Series(values), "uid").drop_duplicates().tolist())


def _texts(column: pd.Series[Any], name: str) -> pd.Series[Any]:
    """Read names. A folder called 2026 is a number when it comes back from a CSV file."""
    others = [kind for kind in _kinds(column) if not issubclass(kind, str | Integral)]
    wrong = f"a {others[0].__name__}, and no text" if others else "half a character"
    with suppress(UnicodeEncodeError):
        if not others:
            return column.astype("str")
    raise QueryError(f"The column {name!r} of these rows holds {wrong}.", suggestion=_AS_RETURNED)


def _whole(column: pd.Series[Any], name: str) -> pd.Series[Any]:
    """Read numbers that IMAP can have; a mask and times are none, though pandas counts them."""
    kinds = _kinds(column)
    if all(issubclass(kind, str | Real | Decimal) and not issubclass(kind, bool) for kind in kinds):
        with suppress(TypeError, ValueError, OverflowError):
            given = pd.to_numeric(column)
            whole = given.astype("int64")
            if whole.eq(given).all() and whole.between(1, _LAST).all():
                return whole
    raise QueryError(
        f"The column {name!r} of these rows holds something that is no {name.upper()}: a whole "
        f"number from 1 to {_LAST}.",
        suggestion=_AS_RETURNED,
    )


def _kinds(column: pd.Series[Any]) -> set[type]:
    """Say of which types the values are; only a column of objects has several."""
    if isinstance(column.dtype, pd.CategoricalDtype):
        column = column.cat.remove_unused_categories().cat.categories.to_series()
    return set(map(type, column if column.dtype == "object" else column.head(1)))


def _folder_names(source: Source, folder: FolderNames) -> list[str]:
    asked = _asked_names(folder)
    if not any(map(is_glob, asked)) and not any(map(is_role, asked)):
        return asked
    listed = source.folders(status=False)
    names: list[str] = []
    for pattern in asked:
        if is_role(pattern):
            names.append(with_role(listed, pattern))
            continue
        if not is_glob(pattern) or any(one.name == pattern for one in listed):
            names.append(pattern)
            continue
        found = [
            one.name
            for one in listed
            if one.selectable and not one.is_view and fnmatchcase(one.name, pattern)
        ]
        if not found:
            raise FolderError(f"No folder is called like {pattern!r}.")
        names += found
    return list(dict.fromkeys(names))


def one_folder(source: Source, folder: str) -> str:
    r"""Return the name of a folder given by name or role.

    Parameters
    ----------
    source
        Where to look for roles.
    folder
        ``"Archive"`` or ``"\Archive"``.

    Raises
    ------
    FolderError
        If none has that role.
    """
    return _folder_names(source, folder)[0] if is_role(folder) else folder


def _asked_names(folder: FolderNames) -> list[str]:
    asked = [folder] if isinstance(folder, str) else list(folder)
    if not asked:
        raise FolderError("No folder was named.")
    # The one name that has no case (RFC 3501 section 5.1).
    return list(dict.fromkeys("INBOX" if name.upper() == "INBOX" else name for name in asked))


def with_role(listed: Sequence[Folder], role: str) -> str:
    r"""Find the folder with a role (RFC 6154).

    Parameters
    ----------
    listed
        All there are.
    role
        ``"\Trash"``.

    Raises
    ------
    FolderError
        If none has it.
    """
    if role.lower() == "\\inbox":
        return "INBOX"
    for one in listed:
        if (one.special_use or "").lower() == role.lower() and one.selectable:
            return one.name
    known = sorted({one.special_use for one in listed if one.special_use and one.selectable})
    raise FolderError(
        f"No folder has the role {role}.",
        suggestion=f"The roles here: {', '.join(known)}." if known else FolderError.suggestion,
    )


#: Where the server gives no date.
_NEVER = datetime.min.replace(tzinfo=UTC)


def _latest(source: Source, found: list[Selection], limit: int) -> list[Selection]:
    """Keep those that were received last: UIDs of different folders cannot be compared."""
    dated: list[tuple[datetime, int, int]] = []
    for place, one in enumerate(found):
        if one.uids:
            with closing(source.headers(one, "dates")) as records:
                dated += [(r.internal_date or _NEVER, place, r.uid) for r in records]
    kept = {(place, uid) for _, place, uid in sorted(dated, reverse=True)[:limit]}
    return [
        Selection(one.folder, one.uidvalidity, tuple(u for u in one.uids if (place, u) in kept))
        for place, one in enumerate(found)
    ]
