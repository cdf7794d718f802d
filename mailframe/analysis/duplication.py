"""Messages that are there more than once."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mailframe.analysis.columns import check_columns, moments, text
from mailframe.analysis.identity import is_of_others, lies_in
from mailframe.analysis.keyed import KEY_NAMES, messages_at, numbered
from mailframe.analysis.storage import check_group_name
from mailframe.exceptions import QueryError
from mailframe.records import VIEWS

if TYPE_CHECKING:
    from collections.abc import Sequence

    from numpy.typing import NDArray

__all__ = ["duplicates"]

#: What lies here lies nowhere else, at Gmail too.
_BINS = ("\\Trash", "\\Junk")
#: Where a message would not stay, or is none yet: the further on, the less.
_UNWANTED = ("\\Drafts", "\\Junk", "\\Trash")
#: What tells messages of one Message-ID apart, beside the columns that are asked for.
_CONTENT = ("date", "subject", "from_address")
#: Without something on both sides of an @ an ID is none: "none", "<@>".
_IS_ID = r"[^\s<>@]@[^\s<>@]"
#: Gmail puts its own folders below one of these, in every language.
_OF_GMAIL = ("[gmail]", "[google mail]")
#: What Gmail's headers have, and others lack.
_BY_GMAIL = ("labels", "gmail_thread")
_AT_GMAIL = r"@(?:gmail|googlemail|imap\.gmail|imap\.googlemail)\.com$"
_OWN = ("group", "copies", "surplus")
_SHOWN = ("message_id", "subject", "from_address", "date", "size")


def duplicates(
    headers: pd.DataFrame,
    *,
    by: str | Sequence[str] = ("message_id", "size"),
    folders: pd.DataFrame | None = None,
) -> pd.DataFrame:
    r"""Find messages that are there more than once, and which of the copies could go.

    Parameters
    ----------
    headers
        Messages of all folders in question, with the key columns, ``internal_date``, ``size`` and
        those of ``by``. Where there are ``date``, ``subject``, ``from_address``, ``deleted``,
        ``draft``, ``labels`` and ``gmail_thread`` (Gmail's), they count as well. All rows must be
        of one moment: see the notes.
    by
        The columns in which copies are equal. ``"message_id"`` alone finds those too that came
        over a mailing list besides, if it left the subject and the sender as they were;
        ``("folder", "message_id", "size")`` those in one folder. What has the same Message-ID and
        another date, subject or sender is another message, and what has no date is nobody's copy.
        Without ``"message_id"`` nothing else is compared: then copies may be no copies.
    folders
        What the folders are for, as ``session.folders()`` tells, with the columns ``name`` and
        ``special_use``. None: what their names tell.

    Returns
    -------
    DataFrame
        A row a message of which there are copies in the same account. Its key, so that rows can be
        given to a session; ``group``, a number that copies have in common, from 0, what takes up
        most room first; ``copies``, how many there are; ``surplus``, False for one of them, the
        first; ``message_id``, ``subject``, ``from_address``, ``date`` and ``size``, as far as the
        headers have them, and the columns ``by``. What stays is a copy in an ordinary folder, else
        a draft, else one in the junk, else one in the trash or marked as deleted; of several the
        one with the oldest ``internal_date``, then the lowest UID.
        ``attrs["surplus_size"]`` are the bytes of all that is surplus. Others count messages that
        are neither surplus nor stay for another: ``"without_id"`` those that lack one of the
        columns ``by``, or whose Message-ID is none; ``"undated"`` those without a date;
        ``"different"`` those that only date, subject or sender tell apart; ``"views"`` those that
        are the same message under another name; ``"of_others"`` those in other people's folders;
        ``"renumbered"`` those in folders of which there are rows with several UIDVALIDITYs.

    Raises
    ------
    QueryError
        For a column that is missing, and if ``by`` names none.

    Notes
    -----
    A Message-ID belongs to one version of one message (RFC 5322 section 3.6.4), so that messages
    with the same one, of one date and size, are most likely the same, byte by byte: nobody
    compared them. Some devices give all they send the same one. What a list sent on has other
    trace fields, as has the copy that its sender kept, and with them another size: it is no
    duplicate here. Flags and keywords of copies may differ.

    **Read the headers anew, in one go, before anything is deleted.** If rows are of different
    moments, what was moved in between is there twice, and the copy that stays may be gone: that
    cannot be seen here. It can if a folder was numbered anew in between (another UIDVALIDITY;
    RFC 9051 section 2.3.1.1): which rows still hold nobody knows, so that none of them counts. Nor
    does what lies in other people's folders, as far as their names tell (``Other Users/…``,
    ``user/…``, ``Shared/…``; RFC 2342): it is not mine to delete, nor to rely on.

    Views show messages that lie elsewhere (``\All``, ``\Flagged``; RFC 6154 section 2): to delete
    one there may delete it everywhere. Of Gmail each folder but the trash and junk is a label, and
    what has several is one message: of its folders the one with most copies counts. Gmail is known
    by the account, its folders and columns. Of other servers views are known by ``folders``;
    ``headers(folder="*")`` reads none.

    Examples
    --------
    In the sample mailbox a gauge gives all its alarms one Message-ID, but nothing is there twice,
    until something is copied:

    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> found = duplicates(headers)
    >>> len(found), found.attrs["different"]
    (0, 2)
    >>> with mf.demo(readonly=False) as session:
    ...     done = session.copy(session.headers(limit=2), "Archive", apply=True)
    ...     found = duplicates(session.headers(folder="*"))
    ...     plan = session.delete(found[found["surplus"]])
    >>> found[["folder", "group", "copies", "surplus", "size"]]
        folder  group  copies  surplus  size
    0  Archive      0       2    False  3043
    1    INBOX      0       2     True  3043
    2  Archive      1       2    False  1876
    3    INBOX      1       2     True  1876
    >>> plan.bytes == found.attrs["surplus_size"]
    True
    """
    names = _columns_of(by)
    check_columns(headers, [*KEY_NAMES, *names, "internal_date", "size"])
    binned = _lie_in(headers, folders, _BINS)
    views = _in_folders(headers, folders, VIEWS)
    of_others = is_of_others(headers)
    placed = headers.assign(folder=_one_inbox(headers))
    renumbered = _renumbered(placed)
    equal, lacking = _alike(headers, names)
    same, undated = equal, np.zeros(len(headers), dtype=bool)
    if "message_id" in names:
        same, undated = _of_one_content(headers, equal), _undated(headers)
    # A frame may have a row twice: that is no message twice.
    candidates = ~pd.Series(numbered(placed)[0]).duplicated().to_numpy()
    candidates &= ~(lacking | undated | views | of_others | renumbered)
    by_equal = _several(np.flatnonzero(candidates), equal)
    rows = _several(by_equal, same)
    of_gmail = rows[_gmails(headers)[rows]]
    different = len(by_equal) - len(rows)
    hidden = _labels(headers, of_gmail[~binned[of_gmail]], same)
    rows = _several(np.setdiff1d(rows, hidden), same)
    unwanted = _unwanted(headers, folders)
    rows, groups, copies = _arranged(headers, rows, same, unwanted)
    result = messages_at(headers, rows, (*_SHOWN, *names))
    surplus = pd.Series(groups).duplicated().to_numpy()
    for place, (name, values) in enumerate(
        {"group": groups, "copies": copies, "surplus": surplus}.items(), len(KEY_NAMES)
    ):
        result.insert(place, name, values)
    result.attrs = {
        **headers.attrs,
        "surplus_size": int(result["size"][surplus].sum()),
        "without_id": int(lacking.sum()),
        "undated": int((undated & ~lacking).sum()),
        "different": different,
        "views": int(views.sum()) + len(hidden),
        "of_others": int(of_others.sum()),
        "renumbered": int(renumbered.sum()),
    }
    return result


def _columns_of(by: str | Sequence[str]) -> list[str]:
    names = [by] if isinstance(by, str) else list(by) if isinstance(by, Iterable) else []
    if not names or not all(isinstance(name, str) for name in names):
        raise QueryError(
            f"by={by!r} names no columns in which copies are equal.",
            suggestion='by="message_id", or several: by=("message_id", "size").',
        )
    for name in names:
        check_group_name(name, _OWN)
    return list(dict.fromkeys(names))


def _alike(
    headers: pd.DataFrame, names: Sequence[str]
) -> tuple[NDArray[np.int64], NDArray[np.bool_]]:
    """Give what is equal, of one account, the same number, and tell what lacks a column."""
    same, _ = pd.factorize(text(headers, "account"), use_na_sentinel=False)
    lacking = np.zeros(len(headers), dtype=bool)
    for name in names:
        values = text(headers, name) if _is_text(headers[name]) else headers[name]
        if _is_text(values):
            is_said = values.str.contains(_IS_ID) if name == "message_id" else values != ""
            values = values.where(is_said.fillna(value=False).astype(bool))
        codes, found = pd.factorize(values)
        lacking |= codes < 0
        same, _ = pd.factorize(same * (len(found) + 1) + codes + 1)
    return same.astype("int64"), lacking


def _of_one_content(headers: pd.DataFrame, same: NDArray[np.int64]) -> NDArray[np.int64]:
    """Tell apart what differs in what its sender wrote, where there are these columns."""
    for name in _CONTENT:
        if name in headers.columns:
            values = moments(headers, name) if name == "date" else text(headers, name)
            codes, found = pd.factorize(values)
            same, _ = pd.factorize(same * (len(found) + 1) + codes + 1)
    return same.astype("int64")


def _undated(headers: pd.DataFrame) -> NDArray[np.bool_]:
    if "date" not in headers.columns:
        return np.zeros(len(headers), dtype=bool)
    return moments(headers, "date").isna().to_numpy(dtype=bool)


def _one_inbox(headers: pd.DataFrame) -> pd.Series[Any]:
    """Return the names of folders, that of the inbox in the case in which it is listed."""
    names = text(headers, "folder")
    # Of this name alone the case does not matter (RFC 9051 section 5.1).
    return names.mask(names.str.upper() == "INBOX", "INBOX")


def _renumbered(headers: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which messages lie in a folder that has been numbered anew between two readings."""
    table = pd.DataFrame({name: text(headers, name).array for name in ("account", "folder")})
    folders = table.groupby(["account", "folder"], dropna=False).ngroup().to_numpy()
    numbers, found = pd.factorize(headers["uidvalidity"].astype("Int64"), use_na_sentinel=False)
    pairs = pd.unique(folders.astype("int64") * max(len(found), 1) + numbers)
    several = np.bincount(pairs // max(len(found), 1), minlength=1) > 1
    result: NDArray[np.bool_] = several[folders]
    return result


def _several(rows: NDArray[np.int64], same: NDArray[np.int64]) -> NDArray[np.int64]:
    """Keep those that are not alone."""
    counts = np.bincount(same[rows], minlength=1)
    return rows[counts[same[rows]] > 1]


def _lie_in(
    headers: pd.DataFrame, folders: pd.DataFrame | None, roles: Sequence[str]
) -> NDArray[np.bool_]:
    """Tell which messages lie in a folder of one of these roles, said or by its name."""
    result = _in_folders(headers, folders, roles)
    for role in roles:
        result = result | lies_in(headers, role, of_others=True)
    return result


def _unwanted(headers: pd.DataFrame, folders: pd.DataFrame | None) -> NDArray[np.int64]:
    """Tell how little each message would stay where it is: 0 in an ordinary folder."""
    result = np.zeros(len(headers), dtype="int64")
    flags = {"\\Drafts": "draft", "\\Trash": "deleted"}
    for rank, role in enumerate(_UNWANTED, 1):
        result[_lie_in(headers, folders, [role]) | _are(headers, flags.get(role))] = rank
    return result


def _are(headers: pd.DataFrame, flag: str | None) -> NDArray[np.bool_]:
    if flag not in headers.columns:
        return np.zeros(len(headers), dtype=bool)
    marked: NDArray[np.bool_] = headers[flag].fillna(value=False).to_numpy(dtype=bool)
    return marked


def _in_folders(
    headers: pd.DataFrame, folders: pd.DataFrame | None, roles: Sequence[str] | frozenset[str]
) -> NDArray[np.bool_]:
    """Tell which messages lie in a folder that is said to have one of these roles."""
    if folders is None:
        return np.zeros(len(headers), dtype=bool)
    check_columns(folders, ["name", "special_use"])
    names = text(folders, "name")[text(folders, "special_use").isin(list(roles)).to_numpy()]
    result: NDArray[np.bool_] = text(headers, "folder").isin(names.to_list()).to_numpy(dtype=bool)
    return result


def _gmails(headers: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which messages are of an account at Gmail."""
    accounts, found = pd.factorize(text(headers, "account"), use_na_sentinel=False)
    signs = text(headers, "folder").str.lower().str.startswith(_OF_GMAIL).to_numpy(dtype=bool)
    for name in _BY_GMAIL:
        if name in headers.columns:
            signs = signs | headers[name].notna().to_numpy(dtype=bool)
    names = pd.Series(found, dtype="str").str.lower()
    signs = signs | names.str.contains(_AT_GMAIL).to_numpy(dtype=bool)[accounts]
    return np.bincount(accounts[signs], minlength=len(found))[accounts] > 0


def _labels(
    headers: pd.DataFrame, rows: NDArray[np.int64], same: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Return those of Gmail's messages that are the same as one in another folder."""
    table = pd.DataFrame(
        {"same": same[rows], "folder": text(headers.iloc[rows], "folder").to_numpy()}
    )
    counts = table.value_counts(sort=False).rename("copies").reset_index()
    counts = counts.sort_values(["copies", "folder"], ascending=[False, True])
    chosen = counts.drop_duplicates("same").set_index("same")["folder"]
    is_other = table["folder"] != table["same"].map(chosen).astype("str")
    return rows[is_other.to_numpy(dtype=bool)]


def _arranged(
    headers: pd.DataFrame,
    rows: NDArray[np.int64],
    same: NDArray[np.int64],
    unwanted: NDArray[np.int64],
) -> tuple[NDArray[np.int64], NDArray[np.int64], NDArray[np.int64]]:
    """Order copies: what frees most room first, and of each group the one that stays."""
    some = headers.iloc[rows].reset_index(drop=True)
    table = pd.DataFrame(
        {
            "same": same[rows],
            "unwanted": unwanted[rows],
            "moment": moments(some, "internal_date").array,
            "size": some["size"].astype("Int64").fillna(0).array,
            "uid": some["uid"].array,
            "account": text(some, "account").array,
            "folder": text(some, "folder").array,
            "uidvalidity": some["uidvalidity"].array,
        }
    )
    table = table.sort_values(["unwanted", "moment", "uid", "folder", "uidvalidity", "account"])
    first = ~table["same"].duplicated()
    freed = table["size"].mask(first, 0).groupby(table["same"]).sum()
    table["freed"] = -table["same"].map(freed).astype("int64")
    # Of groups as large as each other the order is that of what stays.
    table["rank"] = table["same"].map(
        pd.Series(np.arange(int(first.sum())), index=table["same"][first])
    )
    table = table.sort_values(["freed", "rank"], kind="stable")
    groups, _ = pd.factorize(table["same"])
    groups = groups.astype("int64")
    copies = np.bincount(groups, minlength=1)[groups].astype("int64")
    return rows[table.index.to_numpy("int64")], groups, copies


def _is_text(values: pd.Series[Any]) -> bool:
    return isinstance(values.dtype, pd.CategoricalDtype) or pd.api.types.is_string_dtype(values)
