"""One person with several addresses: shown first, joined by whoever has looked."""

from __future__ import annotations

import re
import unicodedata
from typing import TYPE_CHECKING

import numpy as np
import pandas as pd

from mailframe.analysis.columns import check_columns, text
from mailframe.analysis.identity import is_mine, lies_in, my_sources, untagged
from mailframe.analysis.links import joined
from mailframe.analysis.senders import commonest, rank, sender_values

if TYPE_CHECKING:
    from collections.abc import Iterable

    from mailframe.analysis.identity import Me

__all__ = ["identities", "people"]

_SOURCES = pd.CategoricalDtype(pd.Index(["given", "sent", "account", "delivered"], dtype="str"))

# Of these many firms have one, and notices of many people come from them: that two are called the
# same relates nobody.
_ROLES = re.compile(
    r"(?:(?:no|do[._-]?not)[._-]?reply|reply|notif(?:y|ications?)|alerts?|bounces?|news(?:letters?)?|"
    r"info|support|help(?:desk)?|services?|contact|admin|postmaster|mailer(?:-daemon)?|sales|team|"
    r"office|mail|accounts?|billing|invitations?|lists?|root|hello)(?:[._-].*+|\d*+)"
)
_BESIDE = re.compile(r"\([^()]*\)|\[[^\[\]]*\]|[\"'“”„]")
_NO_LETTERS = re.compile(r"[\W\d_]+")


def identities(headers: pd.DataFrame, *, me: Me = None) -> pd.DataFrame:
    """Tell which addresses are mine, and how that is known.

    Parameters
    ----------
    headers
        Messages, with the columns ``from_address`` and ``from_name``; of ``folder``, ``labels``,
        ``account`` and ``delivered_to`` (``session.headers(fields=["Delivered-To"])``, RFC 9228)
        those that are there tell it.
    me
        My address, or several, where they are not to be guessed.

    Returns
    -------
    DataFrame
        A row an address, the one with most messages first. ``address``, in lower case; ``name``,
        the display name used most, missing where it sent nothing; ``source`` (category):
        ``"given"``; ``"sent"``, it sent what lies in a folder for sent mail; ``"account"``; or
        ``"delivered"``, to which mail was delivered; ``messages``, how many it sent; ``person``,
        the address that stands for whoever has it, as `people` proposes. A tagged address
        (``me+shop@…``) has a row where it sent something. The frame, or rows of it, goes as
        ``me`` to whatever asks for it.

    Raises
    ------
    QueryError
        For a column that is missing, and if nothing tells.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> identities(headers)[["address", "source", "messages"]]
                        address source  messages
    0  mira.holm@fyrbak.example   sent       619

    A tagged address has a row, and is the same person's:

    >>> headers = pd.DataFrame({
    ...     "from_address": ["Ann@x.example", "ann+b@x.example", "ann@x.example", "bob@y.example"],
    ...     "from_name": ["Ann", None, "Ann", "Bob"],
    ...     "folder": ["Sent", "Sent", "Archive", "INBOX"],
    ... })
    >>> identities(headers)[["address", "source", "messages", "person"]]
               address source  messages         person
    0    ann@x.example   sent         2  ann@x.example
    1  ann+b@x.example   sent         1  ann@x.example
    """
    check_columns(headers, ["from_address", "from_name"])
    sources = my_sources(headers, me)
    mine = headers[is_mine(headers, sorted(sources) or me)]
    table = _addresses(mine).set_index("address")
    silent = sorted(set(sources) - set(table.index))
    table = table.reindex([*table.index, *silent]).rename_axis("address").reset_index()
    table["address"] = table["address"].astype("str")
    table["messages"] = table["messages"].fillna(0).astype("int64")
    known = table["address"].map(sources)
    table["source"] = known.fillna(untagged(table["address"]).map(sources)).astype(_SOURCES)
    table["person"] = _proposed(table)["person"]
    result = table[["address", "name", "source", "messages", "person"]]
    result.attrs = dict(headers.attrs)
    return result


def people(headers: pd.DataFrame) -> pd.DataFrame:
    """Propose which addresses are one person's: to be looked at, then given to `senders`.

    Parameters
    ----------
    headers
        Messages, with the columns ``from_address`` and ``from_name``; ``folder`` tells what is
        junk, where it is there.

    Returns
    -------
    DataFrame
        A row an address of those who have several, in the order of their messages. ``person``, the
        address that stands for all: one without a tag if there is one, of these that with most
        messages; ``address``, in lower case; ``name``, the display name used most; ``messages``;
        ``reason``, what it shares with another one of the person: ``"tag"`` (it is the same but
        for a tag, ``ann+shop@…``, RFC 5233), ``"name and local part"``, ``"name and domain"``,
        joined by commas. Drop the rows that are wrong: ``senders(headers, merge=proposal)``.

    Notes
    -----
    A name has to be the same to the last word, but for case, accents and order ("Lee, Ann"), and
    to have two words; an address of an office or a machine (``info@``, ``noreply@``) is nobody's.
    At one domain both local parts have to be made of that name: there may be two of that name.
    Who poses as somebody takes name and local part as well: an address whose mail lies in a folder
    for junk alone, or whose domain is written in other letters (``xn--``), is joined by no name.
    A namesake with the same local part elsewhere is proposed all the same.

    Raises
    ------
    QueryError
        For a column that is missing.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")

    Who poses as a colleague is not taken for her:

    >>> poses = headers["from_name"] == "Astrid Lindqvist"
    >>> headers.loc[poses, ["from_address", "folder"]].drop_duplicates()
                                      from_address folder
    72             astrid.lindqvist@fyrbak.example  INBOX
    1265  astrid.lindqvist@office-mail.example.net   Junk
    1277    astrid.lindqvist@xn--frbak-eze.example   Junk
    >>> people(headers).empty
    True

    One person at two firms is proposed:

    >>> headers = pd.DataFrame({
    ...     "from_address": ["ann.lee@x.example", "Ann.Lee@y.example", "bob@y.example"],
    ...     "from_name": ["Ann Lee", "Lee, Ann", "Bob"],
    ... })
    >>> people(headers)[["person", "address", "reason"]]
                  person            address               reason
    0  ann.lee@x.example  ann.lee@x.example  name and local part
    1  ann.lee@x.example  ann.lee@y.example  name and local part
    """
    check_columns(headers, ["from_address", "from_name"])
    table = _addresses(headers)
    table[["person", "reason"]] = _proposed(table)
    several = table[table["person"].duplicated(keep=False)]
    total = several.groupby("person")["messages"].transform("sum")
    order = several.assign(
        total=-total, less=-several["messages"], other=several["person"] != several["address"]
    ).sort_values(["total", "person", "other", "less", "address"])
    result = order[["person", "address", "name", "messages", "reason"]].reset_index(drop=True)
    result.attrs = dict(headers.attrs)
    return result


def _addresses(headers: pd.DataFrame) -> pd.DataFrame:
    """Return who sent how much, and under which name."""
    ranking = rank(sender_values(headers, "address"))
    known = ranking.places >= 0
    is_junk = pd.Series(lies_in(headers, "\\Junk")[known])
    return pd.DataFrame(
        {
            "address": ranking.senders,
            "name": commonest(ranking, text(headers, "from_name")),
            "messages": ranking.messages,
            "junk": is_junk.groupby(ranking.places[known]).all(),
        }
    )


def _proposed(table: pd.DataFrame) -> pd.DataFrame:
    """Return of each address whose it is, and why; the table has a plain index."""
    base = untagged(table["address"])
    local = base.str.replace("@[^@]*$", "", regex=True)
    domain = base.str.replace("^.*@", "", regex=True)
    words = [_words(name) for name in table["name"].fillna("")]
    names = pd.Series([" ".join(sorted(one)) for one in words], dtype="str")
    is_full = pd.Series([sum(len(word) > 1 for word in one) > 1 for one in words], dtype=bool)
    is_posing = table["junk"].eq(other=True) | base.str.contains(r"[@.]xn--", regex=True)
    is_persons = (
        is_full & ~is_posing & ~local.map(lambda word: bool(_ROLES.fullmatch(word))).astype(bool)
    )
    speaks = pd.Series(
        [p and _is_of_name(a, b) for p, a, b in zip(is_persons, local, words, strict=True)],
        dtype=bool,
    )
    # A list or a shop that writes for many people tags its address: they are not one.
    one_name = names.mask(names == "").groupby(base).transform("nunique") <= 1
    keys = {
        "tag": base.where(one_name, base + " " + names),
        "name and local part": (names + " " + local).where(is_persons),
        "name and domain": (names + " " + domain).where(speaks),
    }
    reasons = pd.Series("", index=table.index, dtype="str")
    one, other = [], []
    for reason, key in keys.items():
        shared = (key.notna() & key.duplicated(keep=False)).to_numpy()
        reasons = reasons.mask(shared, reasons + ", " + reason)
        rows = np.flatnonzero(shared)
        codes, found = pd.factorize(key[shared])
        firsts = np.zeros(len(found), dtype="int64")
        firsts[codes[::-1]] = rows[::-1]
        one.append(firsts[codes])
        other.append(rows)
    person = joined(len(table), np.concatenate(one), np.concatenate(other))
    order = pd.DataFrame(
        {
            "group": person,
            "tagged": base != table["address"],
            "less": -table["messages"],
            "address": table["address"],
        }
    )
    first = order.sort_values(["tagged", "less", "address"]).groupby("group")["address"].first()
    return pd.DataFrame(
        {"person": order["group"].map(first).astype("str"), "reason": reasons.str[2:]}
    )


def _words(name: str) -> list[str]:
    """Return a name's words, comparable: "Lee, Ánn (Sales)" has "ann" and "lee"."""
    last, comma, first = _BESIDE.sub(" ", name).partition(",")
    plain = unicodedata.normalize("NFKD", f"{first} {last}" if comma else last).casefold()
    letters = "".join(char for char in plain if not unicodedata.combining(char))
    return _NO_LETTERS.sub(" ", letters).split()


def _is_of_name(local: str, words: list[str]) -> bool:
    """Tell whether a local part is made of a name: ann.lee, alee, leea, lee, al."""
    first, last = words[0], words[-1]
    made: Iterable[str] = (
        first + last, last + first, first, last, first[0] + last, last + first[0],
        first + last[0], "".join(words), "".join(word[0] for word in words),
    )  # fmt: skip
    return re.sub(r"[._-]", "", local) in made
