"""Which newsletters and lists there are, how much of them is read, and how one leaves them."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mailframe.analysis.bulk import SIGNS, bulk, is_copy
from mailframe.analysis.columns import check_columns, moments, text, time_column
from mailframe.analysis.exchanges import end_of
from mailframe.analysis.habits import threshold
from mailframe.analysis.identity import my_sources
from mailframe.analysis.senders import Ranking, commonest, rank, sender_values, told
from mailframe.parsing import parse_list_unsubscribe
from mailframe.source import check_count

if TYPE_CHECKING:
    from datetime import date, timedelta

    from numpy.typing import NDArray

    from mailframe.analysis.bulk import Bulk
    from mailframe.analysis.identity import Me

__all__ = ["KINDS", "newsletters"]

#: What kinds there are.
KINDS = ("newsletter", "list", "bulk")

_COLUMNS = (
    "from_address", "from_name", "list_id", "list_unsubscribe", "size", "seen", "answered",
)  # fmt: skip
_MONTH = 365.2425 / 12 * 86_400  # seconds
# Where one goes to leave, the best first: http is read by others on the way.
_SCHEMES = ("https", "mailto", "http")
# Whatever else a field may hold (javascript:, file:, data:), nobody is to click on it.
_WAY = re.compile(
    r"(?P<web>https?)://[^/?#@:][^/?#@]*+(?:[/?#]|\Z)|(?P<mail>mailto):[^?@]+@[^?@]", re.IGNORECASE
)
# What stands before an @ is taken for the host by who looks at it, not by a browser, to which \ is
# a / besides.
_MISLEADING = re.compile(r"[\\\x00-\x20\x7f-\xa0\u200b-\u200f\u2028-\u202e\u2066-\u2069]")
# A discussion, where it does not say so itself: one message in ten answers another; or three
# write, of whom nobody wrote more than four fifths.
_ANSWERS = 0.1
_VOICES = 3
_LOUDEST = 0.8


def newsletters(
    headers: pd.DataFrame,
    *,
    top: int | None = None,
    on: str = "date",
    me: Me = None,
    at: str | date | None = None,
    dormant_after: str | timedelta = "180d",
) -> pd.DataFrame:
    """List newsletters, mailing lists and other senders of mail for many.

    Parameters
    ----------
    headers
        Messages, with the columns ``from_address``, ``from_name``, ``list_id``,
        ``list_unsubscribe``, ``size``, ``seen``, ``answered`` and ``on``. More is found, and told
        better, where there are ``message_id``, ``in_reply_to``, ``subject``, ``to``, ``cc`` and
        ``bcc``, the folder of sent mail, and from ``headers(fields=["Precedence",
        "List-Unsubscribe-Post", "Auto-Submitted", "List-Post", "Feedback-ID"])`` ``precedence``,
        ``list_unsubscribe_post``, ``auto_submitted``, ``list_post`` and ``feedback_id``.
    top
        Only so many, those of which most is unread.
    on
        ``"date"``, when it was sent; ``"internal_date"``, when the server received it.
    me
        My address, several, or a frame with a column ``address``; None: guessed from the frame,
        and if nothing tells, done without.
    at
        The moment that ``dormant`` looks back from, as for `senders`.
    dormant_after
        How long without a message makes one dormant: ``"180d"``, ``"6m"`` (months), ``"1y"``, or a
        timedelta.

    Returns
    -------
    DataFrame
        A row a list, by its List-Id, or where there is none by the address that List-Post names, or
        by List-Unsubscribe where several senders have the same one; else a row a sender, by the
        address. What is worth leaving comes first: most unread
        messages, then most messages, then the alphabet. ``list_id``, in lower case; ``address``,
        the one used most (of a list its busiest author's; the one that the row is of, if it is of
        one); ``name``, the display name used most, missing for a list, whose authors are many;
        ``kind`` (category): ``"newsletter"``, ``"list"`` where people discuss, ``"bulk"`` without a
        field that says how to leave; ``evidence``, what tells that it is for many, words joined by
        spaces: ``unsubscribe``, ``list-id``, ``list-post``, ``one-click``, ``precedence``,
        ``automatic``, ``feedback``, ``looks``. ``messages``, and of these ``unread``;
        ``read_rate`` and ``answered_rate``, as of `senders`; ``per_month``, how many messages came
        a month from the first to the last one (what came within a month is that many, missing for
        one alone; a copy counts once); ``gap``, the median time from one to the next; ``first`` and
        ``last``, when; ``dormant``: nothing has come for long. ``size`` in all and ``median_size``,
        in bytes. ``unsubscribe``, the address to leave at, https where there is one, else mailto,
        else http, of the newest message that has any; nothing else is ever handed on, nor what has
        a user name before its host, or a backslash, which make it look like another's.
        ``one_click`` (boolean): it says that one request to that address is enough; missing where
        ``list_unsubscribe_post`` was not read.
        ``attrs`` count the messages that are in no row: ``"mine"``, ``"junk"`` (whose addresses
        to leave at are traps) and ``"others"``, mail for few; and those in a row that have no date
        (``"undated"``); ``attrs["at"]`` says what was looked back from.

    Raises
    ------
    QueryError
        For a column that is missing, and for what is no number, no time and no address.

    Notes
    -----
    This is a report: nothing is sent, and no address is opened. List-Unsubscribe and List-Post are
    of RFC 2369, List-Id is of RFC 2919, Precedence (bulk, list, junk) of RFC 2076 section 3.9,
    Auto-Submitted of RFC 3834, List-Unsubscribe-Post of RFC 8058. One-click holds for https alone,
    and only if a valid DKIM signature covers both fields, which is not looked at here.

    A message with List-Id, List-Unsubscribe or List-Post counts for itself. Without them a sender
    counts as bulk, with all its messages, if most of them, and two at least, say ``Precedence:
    bulk`` or ``junk``, or ``Auto-Submitted: auto-generated``, without answering anything; or by its
    looks: three messages from an address named like noreply, in many languages, or newsletter; or
    twelve from outside my domain, half of them with the subject of another one, figures aside,
    where the folder of sent mail is there; and in either case none that answers anything. A message
    answers if it has In-Reply-To or References, or a subject with ``Re:``, ``Fwd:`` or their like.
    Nobody counts as bulk to whom I ever wrote, or of whom any message was answered.

    A list is one where List-Post names an address; where one message in ten answers another and
    two or more write; or where three addresses write, none of them more than four fifths.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*", fields=["List-Unsubscribe-Post"])
    >>> found = newsletters(headers, top=3)
    >>> found[["name", "kind", "messages", "unread", "per_month", "one_click"]].round(1)
                          name        kind  messages  unread  per_month  one_click
    0       Restaurang Kajutan  newsletter        68      48        3.8       True
    1  Harbour & Sensor Weekly  newsletter       105      31        4.3       True
    2                      NaN        list        75      21        3.1      False
    """
    check_columns(headers, [*_COLUMNS, time_column(on)])
    check_count("top", top, "newsletters")
    attrs = headers.attrs
    headers = headers.reset_index(drop=True)
    mine = my_sources(headers, me)
    found = bulk(headers, mine)
    counted = found.keys.where(~(found.mine | found.junk))
    unread = (headers["seen"].astype("float64") == 0).to_numpy(dtype=bool)
    ranking = _worst_first(counted, unread, top)
    facts = told(headers, ranking, "address", on=on, me=me)
    places = ranking.places
    count = len(ranking.senders)
    times = moments(headers, on)
    kinds = _kinds(headers, found, ranking)
    now = end_of(headers, at, on)
    result = pd.DataFrame(
        {
            "list_id": commonest(ranking, found.list_ids),
            "address": _addresses(headers, found, ranking),
            "name": facts["name"].mask(kinds == "list"),
            "kind": kinds,
            "evidence": _evidence(found, ranking),
            "messages": facts["messages"],
            "unread": _tally(places, unread, count),
            "read_rate": facts["read_rate"],
            "answered_rate": facts["answered_rate"],
            "per_month": _per_month(headers, places, times, count),
            "gap": facts["gap"],
            "first": facts["first"],
            "last": facts["last"],
            "dormant": facts["last"] < threshold("dormant_after", dormant_after, now),
            "size": facts["size"],
            "median_size": facts["median_size"],
            **_ways_out(headers, found, ranking, times),
        }
    )
    in_row = counted.notna().to_numpy(dtype=bool)
    result.attrs = {
        **attrs,
        "on": on,
        "at": None if pd.isna(now) else now.isoformat(),
        "mine": int(found.mine.sum()),
        "junk": int((found.junk & ~found.mine).sum()),
        "others": int((~in_row & ~found.mine & ~found.junk).sum()),
        "undated": int((in_row & times.isna().to_numpy()).sum()),
    }
    return result


def _worst_first(keys: pd.Series[Any], unread: NDArray[np.bool_], top: int | None) -> Ranking:
    """Order by what is unread; where that is equal the order of `rank` stays."""
    ranking = rank(keys)
    order = np.argsort(-_tally(ranking.places, unread, len(ranking.senders)), kind="stable")[:top]
    place = np.full(len(ranking.senders) + 1, -1, dtype="int64")
    place[order] = np.arange(len(order))
    return ranking._replace(
        senders=ranking.senders.take(order),
        messages=ranking.messages[order],
        places=place[ranking.places],
    )


def _tally(places: NDArray[np.int64], which: NDArray[np.bool_], count: int) -> NDArray[np.int64]:
    return np.bincount(places[which & (places >= 0)], minlength=count).astype("int64")


def _addresses(headers: pd.DataFrame, found: Bulk, ranking: Ranking) -> pd.Series[Any]:
    """Return the address used most, and where the row is of an address that one."""
    has_post = found.listed & found.list_ids.isna() & found.posts.notna()
    return commonest(ranking, sender_values(headers, "address").mask(has_post, found.posts))


def _evidence(found: Bulk, ranking: Ranking) -> pd.Series[Any]:
    """Name the signs that any message of each row has."""
    count = len(ranking.senders)
    words = pd.Series("", index=range(count), dtype="str")
    for sign in SIGNS:
        has = _tally(ranking.places, found.signs[sign], count) > 0
        words = words.mask(has, words + f" {sign}")
    return words.str.strip()


def _kinds(headers: pd.DataFrame, found: Bulk, ranking: Ranking) -> pd.Series[Any]:
    """Tell newsletters, with one voice, from lists, with many: mine counts among them."""
    count = len(ranking.senders)
    # (An Index finds missing keys too: they are in no row.)
    places = pd.Index(ranking.senders).get_indexer(pd.Index(found.keys.fillna("")))
    places = np.where(found.junk, -1, places).astype("int64")
    listed = _tally(places, found.listed, count) > 0
    writers = sender_values(headers, "address").fillna("")
    pairs = pd.DataFrame(
        {
            "place": places,
            "address": pd.factorize(writers)[0],
            "name": pd.factorize(text(headers, "from_name").fillna(""))[0],
        }
    )[places >= 0]
    voices = np.bincount(pairs.drop_duplicates()["place"], minlength=count)
    wrote = pairs.groupby(["place", "address"], sort=False).size()
    by_place = wrote.groupby(level="place")
    addresses = by_place.size().reindex(range(count), fill_value=0).to_numpy()
    loudest = by_place.max().reindex(range(count), fill_value=0).to_numpy()
    messages = np.bincount(pairs["place"], minlength=count)
    discussed = (voices > 1) & (_tally(places, found.answers, count) >= _ANSWERS * messages)
    shared = (addresses >= _VOICES) & (loudest <= _LOUDEST * messages)
    posted = _tally(places, found.posts.notna().to_numpy(dtype=bool), count) > 0
    kinds = np.select([~listed, posted | discussed | shared], ["bulk", "list"], "newsletter")
    dtype = pd.CategoricalDtype(pd.Index(KINDS, dtype="str"))
    return pd.Series(pd.Index(kinds, dtype="str"), dtype="str").astype(dtype)


def _per_month(
    headers: pd.DataFrame, places: NDArray[np.int64], times: pd.Series[Any], count: int
) -> NDArray[np.float64]:
    """Return the steps from first to last by their time: two in an hour are two, not thousands."""
    kept = (places >= 0) & times.notna().to_numpy()
    kept &= ~is_copy(headers, kept)
    dated = times[kept].groupby(places[kept])
    messages = np.bincount(places[kept], minlength=count)
    span = (dated.max() - dated.min()).reindex(range(count))
    months = span.dt.total_seconds().to_numpy() / _MONTH
    rate = np.full(count, np.nan)
    several = messages > 1
    least = (messages[several] - 1) / messages[several]  # so that no month has more than came
    rate[several] = (messages[several] - 1) / np.maximum(months[several], least)
    return rate


def _ways_out(
    headers: pd.DataFrame, found: Bulk, ranking: Ranking, times: pd.Series[Any]
) -> dict[str, pd.Series[Any]]:
    """Return where one would go to leave, as the newest message says that says it."""
    count = len(ranking.senders)
    fields = text(headers, "list_unsubscribe")
    has_way = fields.str.contains(r"\b(?:https?|mailto):", case=False, regex=True)
    said = has_way.fillna(value=False).to_numpy(dtype=bool) & (ranking.places >= 0)
    rows = pd.DataFrame(
        {
            "place": ranking.places[said],
            "when": times[said].array,
            "field": fields[said].array,
            "one_click": found.signs["one-click"][said],
        }
    )
    newest = rows.groupby("place")["when"].transform("max")
    rows = rows[(rows["when"] == newest) | newest.isna()]
    # Of messages of the same moment any would do; this one is the same in any order of rows.
    rows = rows.sort_values(["place", "field", "one_click"]).drop_duplicates("place")
    ways = pd.Series([_way_out(one) for one in rows["field"]], index=rows["place"], dtype="str")
    one_click = pd.Series(rows["one_click"].to_numpy(), index=rows["place"], dtype="boolean")
    one_click &= ways.str.match("https:", case=False).astype("boolean").fillna(value=False)
    is_read = "list_unsubscribe_post" in headers.columns
    return {
        "unsubscribe": ways.reindex(range(count)).astype("str"),
        "one_click": one_click.reindex(range(count), fill_value=False)
        if is_read
        else pd.Series(None, index=range(count), dtype="boolean"),
    }


def _way_out(field: str) -> str | None:
    """Return the best address of a List-Unsubscribe, None if there is none to be shown."""
    ways: dict[str, str] = {}
    for uri in parse_list_unsubscribe(field):
        found = _WAY.match(uri)
        if found and not _MISLEADING.search(uri):
            ways.setdefault((found["web"] or found["mail"]).lower(), uri)
    return next((ways[scheme] for scheme in _SCHEMES if scheme in ways), None)
