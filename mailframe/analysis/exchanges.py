"""Messages as turns in a conversation: each once, who wrote it, and what it is an answer to."""

from __future__ import annotations

import re
from datetime import timedelta
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from mailframe.analysis.columns import check_columns, moments, text, time_column
from mailframe.analysis.identity import is_mine, lies_in, my_addresses, untagged
from mailframe.analysis.links import LINKS, parents
from mailframe.criteria.dates import read_time
from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable, Iterator
    from datetime import date

    from numpy.typing import NDArray

    from mailframe.analysis.identity import Me

__all__ = ["EXPECTING", "WHOSE", "Turns", "end_of", "expecting_of", "moment_of", "turns"]

#: Who answers: I others, or others me.
WHOSE = pd.CategoricalDtype(pd.Index(["mine", "theirs"], dtype="str"))

#: Which messages can expect an answer.
EXPECTING = ("personal", "all")

_TO = ("to", "cc", "bcc")
# Nobody reads what is sent there: by what the part before the @ begins with.
_NOBODY = r"(?:no|do?n.?t|do[-_.]?not|never)[-_.]?reply|mailer-daemon(?:@|$)|bounces?[-_.+@]"
# One address of a list of them, or what else stands between two commas.
_ONE = re.compile(r"[^,<>]*+<([^<>]*+)>|([^,<>]++)")


class Turns(NamedTuple):
    """Messages, each once however many copies there are; what is -1 is not known."""

    #: The position of its first copy in the frame.
    rows: NDArray[np.int64]
    #: When, in UTC, without a zone.
    times: NDArray[np.datetime64]
    mine: NDArray[np.bool_]
    #: A number for each person; all that is mine has the same one.
    sender: NDArray[np.int64]
    #: Who wrote it, or to whom it is where it is mine; lower case.
    person: pd.Series[Any]
    #: The place of the message that it answers.
    parent: NDArray[np.int64]
    #: Whether a person wrote it and sent it off: no draft, nothing automatic.
    written: NDArray[np.bool_]
    #: Whether it can expect an answer.
    expecting: NDArray[np.bool_]
    #: Of each row of the frame, the place of its message.
    places: NDArray[np.int64]


def turns(headers: pd.DataFrame, me: Me, expecting: str | Iterable[bool], on: str) -> Turns:
    """Tell each message once.

    Parameters
    ----------
    headers
        Messages, with the columns `LINKS`, ``from_address``, ``to`` and ``on``; ``list_id`` and
        ``list_unsubscribe`` where ``expecting="personal"``. Where they are there, ``cc``, ``bcc``,
        ``folder``, ``draft`` and ``auto_submitted`` count as well.
    me
        As for `is_mine`.
    expecting
        ``"personal"``: what is from a person, to no list, not to me as a copy only (Cc), and not in
        a folder for junk. ``"all"``: everything. Or a value a row. What I wrote is to be
        to somebody else in any case.
    on
        ``"date"`` or ``"internal_date"``; of several copies the earliest.

    Returns
    -------
    Turns
        In the order of their first copies.

    Raises
    ------
    QueryError
        For a column that is missing, for ``expecting`` that is none of these, and if nothing tells
        who I am.
    """
    is_asked_for = expecting_of(headers, expecting)
    lists = ["list_id", "list_unsubscribe"] if is_asked_for is None else []
    check_columns(headers, [*LINKS, "from_address", "to", time_column(on), *lists])
    places, rows = _once(headers)
    times = moments(headers, on).dt.tz_localize(None).to_numpy()
    mine = _any(is_mine(headers, me), places, len(rows))
    wrote = text(headers, "from_address").str.lower()
    sender, senders = pd.factorize(wrote.mask(wrote == ""))
    sender = np.where(mine, len(senders), sender[rows])
    first = headers.iloc[rows]
    own = my_addresses(headers, me)
    asked, others = _asked(first[mine], own)
    person = wrote.iloc[rows].set_axis(np.arange(len(rows)))
    person[mine] = asked.array
    automatic = _any(_automatic(headers) & ~mine[places], places, len(rows))
    automatic |= _any(_submitted(headers), places, len(rows))
    written = ~_all(_drafts(headers), places, len(rows)) & ~automatic
    if is_asked_for is None:
        can = written & ~_all(lies_in(headers, "\\Junk", of_others=True), places, len(rows))
        listed = _there(headers, "list_id") | _there(headers, "list_unsubscribe")
        can &= ~_any(listed, places, len(rows))
        can &= mine | ~_only_copied(first, own)
        can[mine] &= ~_to_lists(headers, others)
    else:
        can = _any(is_asked_for, places, len(rows)) & ~_all(_drafts(headers), places, len(rows))
    can[mine] &= asked.notna().to_numpy()
    return Turns(
        rows, _earliest(times, places, len(rows)), mine, sender, person,
        _parents(headers, places, rows), written, can, places,
    )  # fmt: skip


def expecting_of(
    headers: pd.DataFrame, expecting: str | Iterable[bool]
) -> NDArray[np.bool_] | None:
    """Read which rows can expect an answer; None where it is to be told from what they are.

    Parameters
    ----------
    headers, expecting
        As for `turns`.

    Raises
    ------
    QueryError
        For what is neither one of `EXPECTING` nor a value a row.
    """
    if isinstance(expecting, str) and expecting == EXPECTING[0]:
        return None
    if isinstance(expecting, str) and expecting == EXPECTING[1]:
        return np.ones(len(headers), dtype=bool)
    try:
        values = None if isinstance(expecting, str) else np.array(list(expecting))
    except TypeError:
        values = None
    if values is None or len(values) != len(headers) or (len(values) and values.dtype != bool):
        raise QueryError(
            f"expecting={expecting!r} does not say which messages can expect an answer.",
            suggestion='"personal" (no lists, no junk, nothing automatic), "all", or a value, True '
            "or False, for each row of the frame.",
        )
    return values.astype(bool)


def end_of(headers: pd.DataFrame, at: date | str | None, on: str) -> pd.Timestamp:
    """Return until when it is known who answered.

    Parameters
    ----------
    headers
        With the column ``on``.
    at
        That moment; None: the newest of the frame, by the sender's clock or by the server's,
        whichever is earlier: a date in the future is a mistake, or spam.
    on
        ``"date"`` or ``"internal_date"``.

    Raises
    ------
    QueryError
        If ``at`` is no moment.
    """
    if at is not None:
        return moment_of("at", at)
    names = [on, *(["internal_date"] if "internal_date" in headers.columns else [])]
    newest = [moment for name in names if not pd.isna(moment := moments(headers, name).max())]
    return min(newest) if newest else pd.NaT  # type: ignore[return-value]


def moment_of(name: str, value: object, now: pd.Timestamp | None = None) -> pd.Timestamp:
    """Read a moment, or an age.

    Parameters
    ----------
    name, value
        Of the argument. Without a zone it is in UTC.
    now
        What ages count back from; none are read otherwise.

    Raises
    ------
    QueryError
        If it is neither.
    """
    is_age = isinstance(value, timedelta) or (isinstance(value, str) and "-" not in value)
    if is_age:  # what is like "3d" pandas may take for a day of this month
        moment: Any = None if now is None else read_time(value, now.to_pydatetime())
    else:
        moment = value
    try:
        stamp = pd.Timestamp(moment)
    except (TypeError, ValueError):
        stamp = pd.NaT  # type: ignore[assignment]
    if pd.isna(stamp) or isinstance(value, bool | int | float):
        ages = '"3d", "12h", "2w", "6m", ' if now is not None else ""
        raise QueryError(
            f"{name}={value!r} is no moment{' and no age' if ages else ''}.",
            suggestion=f'{ages}a date, or text like "2026-01-31" or "2026-01-31T10:00+02:00".',
        )
    return stamp.tz_localize("UTC") if stamp.tz is None else stamp.tz_convert("UTC")


def _once(headers: pd.DataFrame) -> tuple[NDArray[np.int64], NDArray[np.int64]]:
    """Give messages numbers, by first copies; one without an id is no copy of another."""
    ids = text(headers, "message_id")
    codes, found = pd.factorize(ids.mask(ids == ""))
    codes = codes.astype("int64")
    unknown = codes < 0
    codes[unknown] = len(found) + np.arange(unknown.sum())
    places, order = pd.factorize(codes)
    rows = np.full(len(order), len(headers), dtype="int64")
    np.minimum.at(rows, places, np.arange(len(headers)))
    return places.astype("int64"), rows


def _parents(
    headers: pd.DataFrame, places: NDArray[np.int64], rows: NDArray[np.int64]
) -> NDArray[np.int64]:
    answered = parents(headers)
    result = np.full(len(rows), -1, dtype="int64")
    answers = np.flatnonzero(answered >= 0)[::-1]  # of several copies, the first is left standing
    result[places[answers]] = places[answered[answers]]
    result[result == np.arange(len(rows))] = -1
    return result


def _earliest(
    times: NDArray[np.datetime64], places: NDArray[np.int64], messages: int
) -> NDArray[np.datetime64]:
    result = np.full(messages, np.datetime64("NaT", "us"), dtype="M8[us]")
    np.fmin.at(result, places, times.astype("M8[us]"))
    return result


def _any(values: NDArray[np.bool_], places: NDArray[np.int64], messages: int) -> NDArray[np.bool_]:
    return np.bincount(places[values], minlength=messages) > 0


def _all(values: NDArray[np.bool_], places: NDArray[np.int64], messages: int) -> NDArray[np.bool_]:
    return ~_any(~values, places, messages)


def _there(headers: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    values = text(headers, column)
    return (values.notna() & (values != "")).to_numpy(dtype=bool)


def _drafts(headers: pd.DataFrame) -> NDArray[np.bool_]:
    drafts = lies_in(headers, "\\Drafts", of_others=True)
    if "draft" in headers.columns:
        drafts |= headers["draft"].astype("boolean").fillna(value=False).to_numpy(dtype=bool)
    return drafts


def _automatic(headers: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell what has a sender that is no person."""
    codes, senders = pd.factorize(text(headers, "from_address"))
    nobody = pd.Series(senders, dtype="str").str.match(_NOBODY, case=False).to_numpy(dtype=bool)
    return np.append(nobody, False)[codes]


def _submitted(headers: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell what says itself that it is automatic (RFC 3834 section 5), where that was read."""
    if "auto_submitted" not in headers.columns:
        return np.zeros(len(headers), dtype=bool)
    word = text(headers, "auto_submitted").str.strip().str.lower()
    by_hand = word.isna() | word.str.match(r"(?:no\b|$)").fillna(value=True).astype(bool)
    return ~by_hand.to_numpy(dtype=bool)


def _only_copied(first: pd.DataFrame, me: frozenset[str]) -> NDArray[np.bool_]:
    """Tell what is to others, and to me for my information."""
    if "cc" not in first.columns or not me:
        return np.zeros(len(first), dtype=bool)
    tagged = (r"(?:\+[^@\s]*+)?@".join(map(re.escape, one.split("@", 1))) for one in sorted(me))
    # Neither is more of the address beside it.
    pattern = rf"(?<![^\s<>,;:\"'])(?:{'|'.join(tagged)})(?![\w.-])"

    def names_me(column: str) -> NDArray[np.bool_]:
        codes, found = pd.factorize(text(first, column))
        lower = pd.Series(found, dtype="str").str.lower()
        named = lower.str.contains(pattern, regex=True).to_numpy(dtype=bool)
        return np.append(named, False)[codes]

    return names_me("cc") & ~names_me("to")


def _asked(mine: pd.DataFrame, me: frozenset[str]) -> tuple[pd.Series[Any], pd.Series[Any]]:
    """Return whom each of my messages is to, the first one and all, joined by spaces; not me."""
    joined = text(mine, "to").fillna("")
    for name in _TO[1:]:
        if name in mine.columns:
            joined = joined + "," + text(mine, name).fillna("")
    codes, found = pd.factorize(joined)
    myself = set(untagged(pd.Series(sorted(me), dtype="str")))
    others = [" ".join(_others(words, me, myself)) for words in found]
    everybody = pd.Series(pd.Index(others, dtype="str").take(codes), dtype="str")
    return everybody.str.split(n=1).str[0].astype("str"), everybody


def _others(words: str, me: frozenset[str], myself: set[str]) -> Iterator[str]:
    for within, bare in _ONE.findall(words):
        address = (within or bare).strip(" \t\"'").lower()
        local, at, domain = address.rpartition("@")
        if local and at and domain and not re.search(r"\s", address):
            base = f"{local.partition('+')[0] or local}@{domain}"
            if address not in me and base not in myself:
                yield address


def _to_lists(headers: pd.DataFrame, others: pd.Series[Any]) -> NDArray[np.bool_]:
    """Tell what I wrote to a mailing list.

    The list's identifier is its address, with a dot in place of the @, in all common programs
    (RFC 2919 section 2 has them so, with or without more before the domain).
    """
    lists = text(headers, "list_id").str.strip(" <>").str.lower()
    words = others.str.split().explode().dropna()
    is_list = words.str.replace("@", ".", regex=False).isin(lists.dropna().unique())
    result = np.zeros(len(others), dtype=bool)
    result[words.index[is_list].unique()] = True
    return result
