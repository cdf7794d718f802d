"""What was sent to many at once: the fields that say so, and senders that look like it."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from mailframe.analysis.columns import text
from mailframe.analysis.habits import answered, internal
from mailframe.analysis.identity import is_mine, lies_in, untagged
from mailframe.analysis.senders import caseless, sender_values
from mailframe.analysis.subjects import topics

if TYPE_CHECKING:
    from collections.abc import Collection

    from numpy.typing import NDArray

__all__ = ["SIGNS", "Bulk", "bulk", "is_copy"]

#: What tells that mail is for many, in the order in which it is named.
SIGNS = (
    "unsubscribe", "list-id", "list-post", "one-click", "precedence", "automatic", "feedback",
    "looks",
)  # fmt: skip

_TO = ("to", "cc", "bcc")
_ONE_CLICK = r"\s*list-unsubscribe\s*=\s*one-click"
_POST = re.compile(r"\bmailto:\s*([^\s<>,?]+@[^\s<>,?]+)", re.IGNORECASE)
_ADDRESS = re.compile(r'(?<![^\s<>,;:"()])([^\s<>,;:"()@]++@[^\s<>,;:"()]++)')
# What comes from there answers mail of mine, and nobody can leave it.
_BOUNCE = r"(?:mailer-daemon|postmaster)(?:@|$)"
# "Do not answer", as it stands before the @ once accents, dots and dashes are taken away.
_UNANSWERABLE_WORDS = """
    noreply noreplies donotreply dontreply neverreply donotrespond noresponse sendonly
    keineantwort nichtantworten nichtbeantworten nepasrepondre nerepondezpas sansreponse
    noresponder noresponda nocontestar nocontestes norespongueu naoresponda naoresponder
    nonrispondere norispondere nuraspunde nuraspundeti nietantwoorden nietbeantwoorden
    nietreageren geenantwoord svaraej svarainte ejsvar svarikke ikkesvar besvarikke eivastausta
    eivastata alavastaa aravasta nieodpowiadaj neodpovidat neodpovidejte neodpovedat
    neodgovarati neodgovaraj nevalaszolj nevalaszoljon yanitlama cevaplama neotvechat neotvechai
    neatsakyti neatbildet
"""
_UNANSWERABLE = "|".join(_UNANSWERABLE_WORDS.split())
# Words that say what is sent from there; each is a whole one: "news" is, "newsom" is not.
_MASS_WORDS = """
    news newsletter newsletters rundbrief nyhetsbrev nyhedsbrev nieuwsbrief infolettre boletin
    bollettino uutiskirje hirlevel biuletyn mailing mailings digest notification notifications
    notify alert alerts updates announce announcements promo promos promotions offers deals
"""
_MASS = rf"(?:^|[-_.+\d])(?:{'|'.join(_MASS_WORDS.split())})(?:[-_.+\d]|$)"
# What no subject of an answer lacks: to take one apart takes longer.
_MAY_ANSWER = r"[:\uff1a]|(?i:\(fwd\)\s*$)"
# Without ids copies would be alike, and without the rest nobody knows what is.
_ALIKE = frozenset({"message_id", "in_reply_to", "subject", "to"})
# One may be the note of who is away, whom a server gave no id to answer.
_LEAST_MARKED = 2
# Fewer messages from an address of that kind are those of a service that one signed up to.
_LEAST_FROM_NOBODY = 3
# From any other address, if all of them look alike.
_LEAST_ALIKE = 12


class Bulk(NamedTuple):
    """Of each message whether it is for many; without an index."""

    #: What it is counted under: the list, or the address; missing where it is for few.
    keys: pd.Series[Any]
    #: Whether a field of its own says that it came over a list, or how to leave one.
    listed: NDArray[np.bool_]
    #: The list's identifier, and the address to write to it; in lower case.
    list_ids: pd.Series[Any]
    posts: pd.Series[Any]
    #: By each of `SIGNS`.
    signs: dict[str, NDArray[np.bool_]]
    #: Whether it answers another message, by its ids or its subject.
    answers: NDArray[np.bool_]
    mine: NDArray[np.bool_]
    junk: NDArray[np.bool_]


def bulk(headers: pd.DataFrame, mine: Collection[str]) -> Bulk:
    """Tell which messages are for many at once, and why.

    Parameters
    ----------
    headers
        Messages, with the columns ``from_address``, ``list_id``, ``list_unsubscribe`` and
        ``answered``, and a RangeIndex. What else tells counts where it is there.
    mine
        My addresses; none if that is not known.

    Returns
    -------
    Bulk
        What `mailframe.analysis.newsletters` says of its evidence.
    """
    sender = sender_values(headers, "address")
    nobody = np.zeros(len(headers), dtype=bool)
    is_my = is_mine(headers, mine) if mine else nobody
    junk = lies_in(headers, "\\Junk", of_others=True)
    list_ids = caseless(text(headers, "list_id").str.strip(), "address")
    posts = _posts(headers)
    signs = {
        "unsubscribe": _has(headers, "list_unsubscribe"),
        "list-id": list_ids.notna().to_numpy(dtype=bool),
        "list-post": _has(headers, "list_post"),
        "one-click": _says(headers, "list_unsubscribe_post", _ONE_CLICK),
        "precedence": _says(headers, "precedence", r"\s*(?:bulk|list|junk)\b"),
        "automatic": _says(headers, "auto_submitted", r"\s*auto-(?:generated|notified)\b"),
        "feedback": _has(headers, "feedback_id"),
    }
    listed = signs["unsubscribe"] | signs["list-id"] | signs["list-post"]
    is_answer = _answers(headers)
    replied = _says(headers, "auto_submitted", r"\s*auto-replied\b")
    # Who is away says "bulk" as well, by Exchange auto-generated; and Precedence: list is that of
    # a list's authors too.
    marks = _says(headers, "precedence", r"\s*(?:bulk|junk)\b") & ~replied
    marks = (marks | signs["automatic"]) & ~is_answer
    rest = ~(listed | is_my | junk)
    marked, looks = _machines(headers, sender, rest, marks, is_answer, mine)
    signs["looks"] = looks
    shared = _shared(headers, sender, signs["unsubscribe"] & ~junk)
    keys = sender.where(shared.isna(), shared + "\0\0").where(posts.isna(), posts)
    # So that no address, whoever made it up, is taken for a list of that name.
    keys = keys.where(list_ids.isna(), list_ids + "\0").where(listed, sender)
    keys = keys.where(listed | marked | looks)
    return Bulk(keys, listed, list_ids, posts, signs, is_answer, is_my, junk)


def is_copy(headers: pd.DataFrame, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which messages are there once more, above; none where nobody knows.

    Parameters
    ----------
    headers
        ``message_id`` tells it.
    among
        Which messages are looked at; the others are no copies.
    """
    if "message_id" not in headers.columns:
        return np.zeros(len(headers), dtype=bool)
    ids = text(headers, "message_id").where(among)
    copies: NDArray[np.bool_] = (ids.duplicated() & ids.notna() & (ids != "")).to_numpy(dtype=bool)
    return copies


def _has(headers: pd.DataFrame, column: str) -> NDArray[np.bool_]:
    """Tell where there is a field; nowhere if it was not read."""
    if column not in headers.columns:
        return np.zeros(len(headers), dtype=bool)
    values = text(headers, column).str.strip()
    return (values.notna() & (values != "")).to_numpy(dtype=bool)


def _says(headers: pd.DataFrame, column: str, pattern: str) -> NDArray[np.bool_]:
    """Tell where a field begins like that; nowhere if it was not read."""
    if column not in headers.columns:
        return np.zeros(len(headers), dtype=bool)
    codes, found = pd.factorize(text(headers, column))
    matched = pd.Series(found, dtype="str").str.match(pattern, case=False).to_numpy(dtype=bool)
    return np.append(matched, False)[codes]


def _answers(headers: pd.DataFrame) -> NDArray[np.bool_]:
    """Tell which messages answer another, by their ids or their subjects."""
    found = _has(headers, "in_reply_to") | _has(headers, "references")
    if "subject" in headers.columns:
        may = text(headers, "subject").str.contains(_MAY_ANSWER, regex=True)
        looked_at = may.fillna(value=False).to_numpy(dtype=bool) & ~found
        found[looked_at] = topics(headers.loc[looked_at, ["subject"]]).answers
    return found


def _posts(headers: pd.DataFrame) -> pd.Series[Any]:
    """Return the address that List-Post names; that of an announcement is ``NO``."""
    if "list_post" not in headers.columns:
        return pd.Series(None, index=headers.index, dtype="str")
    named = text(headers, "list_post").str.extract(_POST, expand=False)
    return caseless(named.astype("str"), "address")


def _shared(
    headers: pd.DataFrame, sender: pd.Series[Any], among: NDArray[np.bool_]
) -> pd.Series[Any]:
    """Return what List-Unsubscribe says where it says the same for several senders.

    Lists of before RFC 2919 have no List-Id, and their authors are no newsletters.
    """
    fields = text(headers, "list_unsubscribe").str.strip().where(among)
    codes, found = pd.factorize(fields)
    whose = pd.factorize(sender)[0]
    pairs = pd.DataFrame({"field": codes, "sender": whose})[(codes >= 0) & (whose >= 0)]
    senders = np.bincount(pairs.drop_duplicates()["field"], minlength=len(found))
    return fields.where(np.append(senders > 1, False)[codes])


def _machines(
    headers: pd.DataFrame,
    sender: pd.Series[Any],
    rest: NDArray[np.bool_],
    marks: NDArray[np.bool_],
    is_answer: NDArray[np.bool_],
    mine: Collection[str],
) -> tuple[NDArray[np.bool_], NDArray[np.bool_]]:
    """Tell which of the rest is from a machine: by most of its messages' marks, and by looks."""
    codes, found = pd.factorize(sender)
    addresses = pd.Series(found, dtype="str")
    once = rest & (codes >= 0) & ~is_copy(headers, rest)

    def count(which: NDArray[np.bool_]) -> NDArray[np.int64]:
        return np.bincount(codes[once & which], minlength=len(addresses)).astype("int64")

    messages, n_marked, is_silent = count(once), count(marks), count(is_answer) == 0
    marked = (n_marked >= _LEAST_MARKED) & (2 * n_marked > messages)
    looks = (messages >= _LEAST_FROM_NOBODY) & is_silent & _is_nobody(addresses)
    if mine and lies_in(headers, "\\Sent").any() and set(headers.columns) >= _ALIKE:
        silent = (messages >= _LEAST_ALIKE) & is_silent
        silent &= ~internal(pd.DataFrame({"from_address": addresses}), mine)
        several = once & np.append(silent, False)[codes]
        looks |= silent & (2 * _alike(headers, codes, several) >= messages)
    bounces = addresses.str.match(_BOUNCE).to_numpy(dtype=bool)
    doubtful = np.flatnonzero((marked | looks) & ~bounces)
    known = doubtful[_is_known(headers, addresses, codes, doubtful, mine)]
    is_stranger = np.append(~bounces, False)
    is_stranger[known] = False
    by_marks, by_looks = (np.append(one, False) & is_stranger for one in (marked, looks))
    return by_marks[codes] & rest, by_looks[codes] & rest


def _is_known(
    headers: pd.DataFrame,
    addresses: pd.Series[Any],
    codes: NDArray[np.int64],
    doubtful: NDArray[np.int64],
    mine: Collection[str],
) -> NDArray[np.bool_]:
    """Tell of which of these I wrote to, or anything was answered."""
    is_my = is_mine(headers, mine) if mine else np.zeros(len(headers), dtype=bool)
    is_doubtful = np.zeros(len(addresses) + 1, dtype=bool)
    is_doubtful[doubtful] = True
    concerned = is_doubtful[codes] | is_my
    has_answer = (answered(headers[concerned], mine) > 0).to_numpy(dtype=bool)
    known = np.zeros(len(addresses) + 1, dtype=bool)
    known[codes[concerned][has_answer]] = True
    sent = headers[is_my]
    names = [name for name in _TO if name in sent.columns]
    words = "\n".join("\n".join(text(sent, name).dropna().unique()) for name in names).lower()
    written = pd.Series([one.strip("'") for one in set(_ADDRESS.findall(words))], dtype="str")
    wrote = untagged(addresses.iloc[doubtful]).isin(untagged(written)).to_numpy(dtype=bool)
    result: NDArray[np.bool_] = known[doubtful] | wrote
    return result


def _is_nobody(addresses: pd.Series[Any]) -> NDArray[np.bool_]:
    """Tell which addresses are named as no person is."""
    local = addresses.str.replace(r"@[^@]*$", "", regex=True).str.normalize("NFKD")
    plain = local.str.replace(r"[^a-z0-9]", "", regex=True)
    named = plain.str.contains(_UNANSWERABLE) | local.str.contains(_MASS)
    result: NDArray[np.bool_] = named.to_numpy(dtype=bool)
    return result


def _alike(
    headers: pd.DataFrame, codes: NDArray[np.int64], which: NDArray[np.bool_]
) -> NDArray[np.int64]:
    """Count each sender's messages whose subject, figures aside, another one of it has."""
    senders = int(codes.max(initial=-1)) + 1
    subjects = text(headers, "subject")[which].str.strip().str.lower()
    same = subjects.str.replace(r"\d+", "0", regex=True)
    pairs = pd.DataFrame({"sender": codes[which], "subject": same.array})
    again = pairs.duplicated(keep=False) & pairs["subject"].notna() & (pairs["subject"] != "")
    return np.bincount(codes[which][again.to_numpy()], minlength=senders).astype("int64")
