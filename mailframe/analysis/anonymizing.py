"""Frames in which nobody is named, and which tell the same: to be shown, or given away."""

from __future__ import annotations

import re
from datetime import date, timedelta
from numbers import Number
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import (
    is_bool_dtype,
    is_datetime64_any_dtype,
    is_numeric_dtype,
    is_scalar,
    is_string_dtype,
    is_timedelta64_dtype,
)

from mailframe.analysis.clear_words import CLOSED
from mailframe.analysis.columns import check_columns, text
from mailframe.analysis.disguised_fields import FieldDisguises
from mailframe.analysis.pseudonyms import Memo
from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from collections.abc import Callable, Hashable, Mapping

__all__ = ["anonymize"]

# Of fewer bytes somebody may try all that a person would think of.
_SHORTEST_KEY = 16

# Columns, and the method of `FieldDisguises` that replaces what is in them.
_REPLACED: Mapping[str, str] = {
    column: method
    for method, columns in {
        "account": "account",
        "address": "address from_address person",
        "addresses": "to cc bcc reply_to sender delivered_to return_path errors_to x_original_to "
        "envelope_to resent_from resent_to resent_cc resent_bcc resent_sender resent_reply_to "
        "mail_followup_to mail_reply_to disposition_notification_to apparently_to x_forwarded_to",
        "domain": "domain from_domain from_host by_host",
        "filename": "filename path",
        "folder": "folder",
        "identifier": "message_id content_id gmail_thread reply_id thread_id resent_message_id",
        "identifiers": "in_reply_to references",
        "keywords": "keywords",
        "labels": "labels",
        "links": "list_unsubscribe list_post list_help list_subscribe list_owner list_archive",
        "list_id": "list list_id",
        "name": "from_name name",
        "names": "people",
        "subject": "subject",
    }.items()
    for column in columns.split()
}
# Of these all stays that is known to be no word of a sender's.
_KNOWN: Mapping[str, str] = {
    "charset": "charset",
    "content_type": "content_type",
    "defects": "defects",
    "part": "part",
    "rfc": "rfc",
    "tag": "tag",
    "authentication_results": "results",
    "arc_authentication_results": "results",
    "received_spf": "results",
}
_NAME = re.compile(r"[A-Za-z][A-Za-z0-9_-]*")
_IN_CLEAR = (is_bool_dtype, is_numeric_dtype, is_datetime64_any_dtype, is_timedelta64_dtype)
_PLAIN = (bool, np.bool_, Number, date, timedelta, np.datetime64, np.timedelta64, pd.Period)


def anonymize(frame: pd.DataFrame, *, key: str | bytes) -> pd.DataFrame:
    """Put pseudonyms in place of names, addresses, ids and words.

    The same key gives the same pseudonyms in every frame and every session, so that frames
    anonymised one by one still belong together, and analyses of them tell the same. Without the
    key nobody can tell which pseudonym is whose.

    Parameters
    ----------
    frame
        Of any kind that a session or an analysis returns, or rows and columns of it.
    key
        A secret of at least 16 characters: ``secrets.token_hex()``. Keep it for what is to belong
        to the same frames; throw it away where nobody is to find back.

    Returns
    -------
    DataFrame
        The same rows, columns and dtypes, with a plain RangeIndex; categories that are not used
        are gone. A person has an invented name (``Mir-dav Kol-nes-fub``), whose words are in the
        address as well (``mir-dav.kol-nes-fub@…``) where those of the real name were; case, tags
        (``+shop``), accents and the order of words are kept. Domains end with ``.example``
        (RFC 2606): each label has a pseudonym, what somebody registered one for all of it. IP
        addresses become reserved ones; message ids ``code@domain``; URLs keep how they begin. Other
        text is replaced word by word, numbers by others of as many digits; punctuation, quote marks
        and line breaks stay. ``html`` is missing.

        What stays besides numbers, times and flags: INBOX and the folders of a role; keywords of
        programs; ``Re:`` and its like; words for offices and machines before the @ (``noreply``,
        ``info``) and in host names (``mail``, ``smtp``); common endings of files; and the words
        of standards, in the columns that have few. ``attrs["in_clear"]`` names the columns of which
        nothing, or nothing but what a sender made up, was replaced; ``attrs["accounts"]`` are
        pseudonyms; nothing else is in ``attrs``. Columns that are not known are replaced word by
        word where they are text, and stay where they are not. Names of columns stay if they are
        written as such, in letters, digits, ``_`` and ``-``.

    Raises
    ------
    QueryError
        For a key that is short or none, for the frame of a dialogue or an explanation, which has
        folders, searches and mail in lines of no fixed form, and for columns of several levels.

    Notes
    -----
    A pseudonym is the HMAC-SHA256 (RFC 2104) of a value, written in syllables of three letters.
    No run of letters in it is longer, so that a word of four letters or more is not found by
    accident: what is found was left standing. That of 100,000 persons two have one name has a
    probability of 1 in 38,000; that of 10,000 domains two are the same, of 1 in 5,000. Two words of
    up to seven letters are the same with one of 1 in 500,000. Numbers are never made one.

    It does not hide how often somebody writes, when, how much, to how many, and who answers whom:
    who knows that of a person finds that person. Nor does it hide which words are frequent: of
    long texts, much can be guessed, so leave ``text`` away where that matters. Whoever holds the
    key can try addresses until the pseudonym is found.

    Providers that give anybody an address (gmail.com) are domains like others here, lest a
    pseudonym be somebody's address: where mine is of one, `senders` takes all of it for internal.
    Below which suffix a name was registered is told by a rule (``co.uk``, not ``com``), so that it
    is the same on every machine.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers, recipients = session.headers(limit=400), session.recipients(limit=400)
    >>> key = "an example, and thus no secret"
    >>> shown = anonymize(headers, key=key)
    >>> shown.loc[[1], ["from_name", "from_address"]]
                 from_name                                 from_address
    1  Ros-dis Fim-pud-pom  ros-dis.fim-pud-pom@hov-lim-ban-zov.example
    >>> counts = [mf.analysis.senders(one, top=3)["messages"] for one in (headers, shown)]
    >>> counts[0].tolist(), counts[1].tolist()
    ([28, 22, 19], [28, 22, 19])

    The frames still belong together; whoever has the key finds a pseudonym again:

    >>> people = anonymize(recipients, key=key)
    >>> len(shown.merge(people, on=["account", "folder", "uidvalidity", "uid"])) == len(people)
    True
    >>> mine = anonymize(pd.DataFrame({"address": ["mira.holm@fyrbak.example"]}), key=key)
    >>> mine["address"].tolist() == shown.attrs["accounts"]
    True
    """
    check_columns(frame, [])
    _check(frame)
    made = FieldDisguises(_bytes_of(key))
    replacing = _replacing(frame, made)
    columns: list[pd.Series[Any]] = []
    labels, in_clear = [], []
    for place, name in enumerate(frame.columns):
        values = frame.iloc[:, place].reset_index(drop=True)
        replaced = _replaced(values, replacing.get(name, made.text))
        columns.append(values.copy() if replaced is None else replaced)
        labels.append(_label(name, made))
        if replaced is None or name in _KNOWN or name in CLOSED:
            in_clear.append(str(labels[-1]))
    result = pd.DataFrame(dict(enumerate(columns)), index=pd.RangeIndex(len(frame)))
    result.columns = pd.Index(labels)
    result.attrs = {
        "accounts": [made.account(str(one)) for one in frame.attrs.get("accounts", ())],
        "in_clear": in_clear,
    }
    return result


def _bytes_of(key: object) -> bytes:
    given = key.encode("utf-8", "surrogatepass") if isinstance(key, str) else key
    if not isinstance(given, bytes) or len(given) < _SHORTEST_KEY:
        raise QueryError(
            f"key= is no secret of {_SHORTEST_KEY} characters or more: who tries names would find "
            "whose the pseudonyms are.",
            suggestion="key=secrets.token_hex(), kept for what is to belong to the same frames.",
        )
    return given


def _check(frame: pd.DataFrame) -> None:
    names = set(frame.columns)
    if {"direction", "line"} <= names or {"side", "meaning"} <= names:
        written = [name for name in ("line", "meaning", "words") if name in names]
        raise QueryError(
            f"What is said to a server names folders, people and mail anywhere in its lines: "
            f"{', '.join(written)} cannot be anonymised.",
            suggestion=f"Leave it away: frame.drop(columns={written!r}).",
        )
    if frame.columns.nlevels > 1:
        raise QueryError(
            "Columns of several levels cannot be anonymised: what they hold is told by their name.",
            suggestion="Make them one: frame.stack(), or frame.columns = […].",
        )


def _replacing(
    frame: pd.DataFrame, made: FieldDisguises
) -> Mapping[Hashable, Callable[[str], Any]]:
    """Return what is to be done with the values of each column."""
    names = set(frame.columns)
    replacing: dict[Hashable, Callable[[str], Any]] = {
        column: made.closed(column) for column in CLOSED
    }
    for column, method in {**_REPLACED, **_KNOWN}.items():
        found = getattr(made, method)
        replacing[column] = found.__getitem__ if isinstance(found, Memo) else found
    replacing["html"] = lambda _: None  # whatever is in its tags
    # Some names have two meanings: those of folders and of networks.
    if names & {"delimiter", "special_use"}:
        replacing["name"] = made.folder.__getitem__
    replacing["target"] = replacing["address" if "source" in names else "folder"]
    replacing["flags"] = made.flags
    is_label = "action" in names and text(frame, "action").eq("labels").any()
    replacing["add"] = replacing["remove"] = made.labels if is_label else made.flags
    if {"message_id", "in_reply_to"} <= names and text(frame, "in_reply_to").str.contains(
        r"\s", na=False
    ).any():
        # An id that was folded is one of the frame, or else several (`links` reads it so).
        ids = text(frame, "message_id").str.replace(r"\s+", "", regex=True)
        known = set(ids.dropna())
        replacing["in_reply_to"] = lambda value: made.identifiers(value, known)
    return replacing


def _label(name: Hashable, made: FieldDisguises) -> Hashable:
    """Return the name of a column: of a pivot it may be somebody's."""
    if isinstance(name, str):
        return name if _NAME.fullmatch(name) else made.text(name)
    return name if _stays(name) else made.text(str(name))


def _replaced(values: pd.Series[Any], replace: Callable[[str], Any]) -> pd.Series[Any] | None:
    """Return a column of the same dtype, each distinct text replaced; None where there is none."""
    dtype: Any = values.dtype
    is_object = isinstance(dtype, np.dtype) and dtype.kind == "O"
    if isinstance(dtype, pd.CategoricalDtype):
        return _categories(values, replace)
    if is_string_dtype(dtype) and not is_object:
        codes, found = pd.factorize(values)
        once = found.to_numpy(dtype=object)  # which is gone through faster
        texts: Any = pd.array([*map(replace, once), None], dtype=dtype)
        return pd.Series(texts.take(codes))  # -1, for what is missing, is the last one
    if any(is_kind(dtype) for is_kind in _IN_CLEAR) or all(map(_stays, values)):
        return None
    made = Memo(replace)
    objects = [one if _stays(one) else made[str(one)] for one in values]
    return pd.Series(objects, dtype=object if is_object else "str")


def _categories(values: pd.Series[Any], replace: Callable[[str], Any]) -> pd.Series[Any] | None:
    categories, codes = values.cat.categories, values.cat.codes.to_numpy()
    if all(map(_stays, categories)):
        return None
    words = [one if _stays(one) else replace(str(one)) for one in categories]
    if words == list(categories):
        return values.copy()
    used = np.unique(codes[codes >= 0])
    ordered = bool(values.cat.ordered)
    # What has no order has none of the names that were there, either.
    places, found = pd.factorize(
        pd.Series([words[one] for one in used], dtype=object), sort=not ordered
    )
    renumbered = np.full(len(categories) + 1, -1)
    renumbered[used] = places
    kept = pd.Index(found, dtype=categories.dtype)
    coded: Any = pd.Categorical.from_codes(renumbered[codes], categories=kept, ordered=ordered)
    return pd.Series(coded)


def _stays(value: Any) -> bool:
    """Tell what is a number, a time, yes or no, or missing."""
    return isinstance(value, _PLAIN) or (is_scalar(value) and bool(pd.isna(value)))
