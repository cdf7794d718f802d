"""What is told of senders besides counts: how often, how lately, answered or not, near or far."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd
from pandas.api.types import pandas_dtype

from mailframe import schema
from mailframe.analysis.columns import text
from mailframe.analysis.exchanges import moment_of
from mailframe.analysis.identity import is_mine, untagged
from mailframe.analysis.registrable import has_list, registrable

if TYPE_CHECKING:
    from collections.abc import Collection
    from datetime import timedelta

    from numpy.typing import NDArray

__all__ = ["answered", "gaps", "internal", "threshold"]

# Where anybody gets an address: that two people have one there does not relate them.
_PUBLIC_NAMES = """
    126.com 139.com 163.com aol.com att.net bigpond.com bluewin.ch btinternet.com comcast.net
    cox.net daum.net fastmail.com foxmail.com free.fr freenet.de gmail.com gmx.at gmx.ch gmx.com
    gmx.de gmx.net googlemail.com hanmail.net hey.com hotmail.com hotmail.co.uk hotmail.de
    hotmail.fr hotmail.it icloud.com inbox.lv interia.pl laposte.net libero.it live.com mac.com
    mail.com mail.ru mailbox.org me.com msn.com naver.com o2.pl onet.pl orange.fr outlook.com
    outlook.de outlook.fr pm.me posteo.de proton.me protonmail.com qq.com rediffmail.com
    rocketmail.com sbcglobal.net seznam.cz sina.com sky.com t-online.de telenet.be tuta.com
    tutanota.com ukr.net uol.com.br verizon.net wanadoo.fr web.de wp.pl xs4all.nl yahoo.co.in
    yahoo.co.jp yahoo.co.uk yahoo.com yahoo.com.br yahoo.de yahoo.fr yahoo.it yandex.com yandex.ru
    yeah.net ymail.com ziggo.nl zoho.com
"""
_PUBLIC = frozenset(_PUBLIC_NAMES.split())


def threshold(name: str, value: str | timedelta, at: pd.Timestamp) -> pd.Timestamp:
    """Return the moment so long before another one.

    Parameters
    ----------
    name, value
        Of the argument: an age, ``"30d"``, ``"6m"`` (months), ``"1y"``, a timedelta, or a moment.
    at
        What it counts back from; NaT gives NaT.

    Raises
    ------
    QueryError
        If it is neither.
    """
    is_known = not pd.isna(at)
    found = moment_of(name, value, at if is_known else pd.Timestamp("2000-01-01", tz="UTC"))
    return found if is_known else at


def gaps(
    headers: pd.DataFrame, places: NDArray[np.int64], times: pd.Series[Any], count: int
) -> pd.Series[Any]:
    """Return the median time between each sender's messages.

    Parameters
    ----------
    headers
        ``message_id`` tells copies, where it is there: one message in two folders is no gap.
    places
        Of each message the number of its sender, or -1.
    times
        When each was sent.
    count
        How many senders there are.

    Returns
    -------
    Series
        timedelta of each sender; missing for less than two messages with a date.
    """
    kept = (places >= 0) & times.notna().to_numpy()
    if "message_id" in headers.columns:
        ids = text(headers, "message_id")
        kept &= ~(ids.duplicated() & ids.notna() & (ids != "")).to_numpy()
    moments = times.dt.tz_localize(None).to_numpy("M8[us]").astype("int64")[kept]
    order = np.lexsort((moments, places[kept]))
    whose, moments = places[kept][order], moments[order]
    is_next = whose[1:] == whose[:-1]
    between = pd.Series((moments[1:] - moments[:-1])[is_next], dtype="float64")
    median = between.groupby(whose[1:][is_next]).median().round()
    spans: pd.Series[Any] = median.astype(pandas_dtype(schema.SPAN)).reindex(range(count))
    return spans


def answered(headers: pd.DataFrame, mine: Collection[str]) -> pd.Series[Any]:
    r"""Tell which messages were answered.

    Parameters
    ----------
    headers
        With ``answered``, and ``from_address``; ``message_id`` and ``in_reply_to`` where known.
    mine
        My addresses; none if that is not known.

    Returns
    -------
    Series
        float64: 1 for those with the flag \\Answered, or a reply of mine in the frame.
    """
    flags: pd.Series[Any] = headers["answered"].astype("float64")
    links = ["message_id", "in_reply_to"]
    if not mine or not all(name in headers.columns for name in links):
        return flags
    replies = headers[links][is_mine(headers, mine)]
    # The last word: some write the name and date of whom they answer before the id.
    above = text(replies, "in_reply_to").dropna().str.strip().str.replace(r"^.*\s", "", regex=True)
    # (Series.isin takes five times as long.)
    places = pd.Index(above[above != ""].unique()).get_indexer(pd.Index(text(headers, links[0])))
    return flags.mask(places >= 0, 1.0)


def internal(headers: pd.DataFrame, mine: Collection[str]) -> NDArray[np.bool_]:
    """Tell which messages are from a domain of mine, or from me.

    Parameters
    ----------
    headers
        With ``from_address``.
    mine
        My addresses.

    Returns
    -------
    ndarray
        bool, a value a message.
    """
    codes, found = pd.factorize(text(headers, "from_address").str.lower())
    addresses = pd.Series(found, dtype="str")
    domains = addresses.str.replace("^.*@", "", regex=True)
    near = untagged(addresses).isin(untagged(pd.Series(sorted(mine), dtype="str")))
    for domain in _domains(mine):
        near |= (domains == domain) | domains.str.endswith(f".{domain}")
    result: NDArray[np.bool_] = np.append(near.to_numpy(dtype=bool), False)[codes]
    return result


def _domains(mine: Collection[str]) -> list[str]:
    """Return the domains at which everybody belongs to where I do."""
    own = {address.rpartition("@")[2] for address in mine} - _PUBLIC
    # With one dot or none it is what was registered, and tldextract takes a while to import.
    below = sorted(domain for domain in own if domain.count(".") > 1)
    if below and has_list():
        own = own.difference(below) | set(registrable(pd.Series(below, dtype="str")))
    return sorted(own - _PUBLIC)
