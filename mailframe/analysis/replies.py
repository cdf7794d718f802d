"""How long people wait for answers, and who still does."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
import pandas as pd

from mailframe import schema
from mailframe.analysis.columns import check_columns, text
from mailframe.analysis.conversations import thread_ids
from mailframe.analysis.exchanges import WHOSE, end_of, moment_of, turns
from mailframe.exceptions import QueryError

if TYPE_CHECKING:
    from collections.abc import Iterable
    from datetime import date, timedelta

    from numpy.typing import NDArray

    from mailframe.analysis.business import BusinessHours
    from mailframe.analysis.exchanges import Turns
    from mailframe.analysis.identity import Me

__all__ = ["awaiting_reply", "response_times"]

_EPOCH = pd.Timestamp(0, tz="UTC")
_KEY = tuple(column.name for column in schema.KEY)


def response_times(
    headers: pd.DataFrame,
    *,
    me: Me = None,
    expecting: str | Iterable[bool] = "personal",
    business: BusinessHours | None = None,
    at: date | str | None = None,
    on: str = "date",
) -> pd.DataFrame:
    """Tell how long I took to answer others, and others to answer me.

    Parameters
    ----------
    headers
        Messages of all folders, those I sent as well, with the columns ``message_id``,
        ``in_reply_to``, ``references``, ``from_address``, ``to``, ``on``, and for
        ``expecting="personal"`` ``list_id`` and ``list_unsubscribe``. Where they are there,
        ``cc``, ``bcc``, ``folder``, ``draft`` and ``auto_submitted`` (from
        ``headers(fields=["Auto-Submitted"])``) make it more exact.
    me
        My address, several, a frame with a column ``address``, or None: what the frame tells.
    expecting
        Which messages can expect an answer. ``"personal"``: those from a person, not over a
        mailing list or newsletter, not in a folder for junk, and to me, not to others with a copy
        for me (Cc). ``"all"``. Or a value, True or False, a row.
        What I wrote myself is to be to somebody else, and drafts never count.
    business
        When people work: then that time is told as well.
    at
        Until when to look. None: until the newest message, a date in the future left aside.
    on
        ``"date"``, when it was sent; ``"internal_date"``, when the server received it, which is
        one clock for all.

    Returns
    -------
    DataFrame
        A row a message that could expect an answer, newest first; one of which there are copies in
        several folders once. Its key, ``message_id`` and ``subject``, where the headers have them;
        ``direction`` (``"mine"``: my answers to others; ``"theirs"``: theirs to me); ``person``,
        the other's address: who asked, or answered, or whom I asked first; ``asked`` and
        ``replied``, when; ``reply_id``, the Message-ID of the answer; ``answered``; ``time``, how
        long it took; ``waited``, the same, or how long it had been waited in vain until ``at``:
        what `survival` needs, to count what is unanswered as neither answered nor never to be.
        With ``business`` also ``business_time`` and ``business_waited``.
        An answer older than its question, because clocks disagree, and one without a date are
        answers, whose times are missing. ``attrs`` count them (``"clocks"``), the messages without
        a date (``"undated"``) and from later than ``at`` (``"later"``), which are in no row, and
        those that could expect no answer (``"not_expecting"``).

    Raises
    ------
    QueryError
        For a column that is missing, for what is no moment, and if nothing tells who I am.

    Notes
    -----
    The answer is the first message of the other side that names this one in In-Reply-To, or as the
    nearest there is in References (RFC 5322 section 3.6.4). Who writes again, in answer to a
    message of his own, waits on: an answer to the second message answers the first as well. What
    is automatic, by its sender (no-reply, mailer-daemon) or Auto-Submitted (RFC 3834), is none.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> times = response_times(headers)
    >>> times[["direction", "answered", "time", "waited"]].head(3)
      direction  answered            time          waited
    0      mine     False             NaT 0 days 00:00:00
    1    theirs      True 0 days 01:33:22 0 days 01:33:22
    2      mine      True 0 days 01:12:04 0 days 01:12:04
    """
    turn = turns(headers, me, expecting, on)
    end = end_of(headers, at, on)
    until = np.datetime64("NaT", "us") if pd.isna(end) else end.tz_localize(None).to_datetime64()
    dated = ~np.isnat(turn.times)
    later = turn.times > until
    asked = np.flatnonzero(turn.expecting & dated & ~later)
    asked = asked[np.argsort(turn.times[asked], kind="stable")[::-1]]
    reply = _answers(turn, ~later)[asked]
    result = _rows(headers, turn, asked, reply)
    result["waited"] = result["time"].mask(
        ~result["answered"], pd.Series(_span(turn.times[asked], until))
    )
    if business is not None:
        ends = result["replied"].mask(~result["answered"], end)
        spent = pd.Series(business.between(result["asked"], ends)).mask(result["waited"].isna())
        result["business_time"] = spent.mask(~result["answered"])
        result["business_waited"] = spent
    result.attrs = {
        **headers.attrs,
        "on": on,
        "at": None if pd.isna(end) else end.isoformat(),
        "clocks": int((result["answered"] & result["time"].isna()).sum()),
        "undated": int((~dated).sum()),
        "later": int(later.sum()),
        "not_expecting": int((~turn.expecting & dated & ~later).sum()),
    }
    return result


def awaiting_reply(
    headers: pd.DataFrame,
    *,
    me: Me = None,
    whose: str = "them",
    older_than: date | timedelta | str | None = "3d",
    expecting: str | Iterable[bool] = "personal",
    subject: bool = False,
    at: date | str | None = None,
    on: str = "date",
) -> pd.DataFrame:
    """List conversations in which the last word waits for an answer.

    Parameters
    ----------
    headers, me, expecting, on
        As for `response_times`.
    whose
        ``"them"``: I wrote last, and they have not answered. ``"me"``: they did, and I have not.
    older_than
        Only what has been waiting so long: ``"3d"``, ``"12h"``, ``"2w"``, a timedelta, or a date
        before which it was written. None: everything.
    subject
        Whether what has the same subject is one conversation, as for `threads`.
    at
        When it is asked. None: at the newest message.

    Returns
    -------
    DataFrame
        A row a conversation, what has waited longest first: the key of the last message, its
        ``message_id`` and ``subject``, where the headers have them; ``thread_id``; ``messages``,
        how many there are; ``person``, who wrote it, or to whom it is; ``asked``, when; ``waited``
        until ``at``. Conversations whose last message can expect no answer are left out.
        ``attrs["undated"]`` counts the messages without a date, which are nobody's last.

    Raises
    ------
    QueryError
        As `response_times` does, and for ``whose`` and ``older_than`` that make no sense.

    Examples
    --------
    >>> import mailframe as mf
    >>> with mf.demo() as session:
    ...     headers = session.headers(folder="*")
    >>> waiting = awaiting_reply(headers, older_than="2w", at="2026-07-01")
    >>> waiting[["person", "messages", "waited"]].tail(2)
                           person  messages           waited
    187      per-erik@example.net         2 16 days 07:56:00
    188  ana.kovac@fyrbak.example         2 15 days 08:24:36
    """
    if not isinstance(whose, str) or whose not in {"them", "me"}:
        raise QueryError(
            f"whose={whose!r} does not say whose answer is waited for.",
            suggestion='"them": I wrote last. "me": they did.',
        )
    turn = turns(headers, me, expecting, on)
    end = end_of(headers, at, on)
    until = np.datetime64("NaT", "us") if pd.isna(end) else end.tz_localize(None).to_datetime64()
    now = _EPOCH if pd.isna(end) else end  # of no messages none is older
    before = now if older_than is None else moment_of("older_than", older_than, now)
    found = thread_ids(headers, subject=subject)
    thread = pd.factorize(found["thread_id"])[0][turn.rows]
    depth = found["depth"].to_numpy()[turn.rows]
    sent = np.flatnonzero((turn.times <= until) & turn.written)
    # Of messages of the same second the one that answers the others is the last.
    order = sent[np.lexsort((depth[sent], turn.times[sent]))]
    last = order[~pd.Series(thread[order]).duplicated(keep="last").to_numpy()]
    last = last[turn.expecting[last] & (turn.mine[last] == (whose == "them"))]
    last = last[turn.times[last] <= before.tz_localize(None).to_datetime64()]
    result = _question(headers, turn, last)
    result["thread_id"] = found["thread_id"].iloc[turn.rows[last]].array
    result["messages"] = np.bincount(thread[sent], minlength=len(turn.rows) + 1)[thread[last]]
    result["person"] = turn.person.iloc[last].array
    result["asked"] = _aware(turn.times[last])
    result["waited"] = _span(turn.times[last], until)
    result.attrs = {
        **headers.attrs,
        "on": on,
        "at": None if pd.isna(end) else end.isoformat(),
        "undated": int(np.isnat(turn.times).sum()),
    }
    return result


def _answers(turn: Turns, in_time: NDArray[np.bool_]) -> NDArray[np.int64]:
    """Return the place of the first answer to each message, or -1."""
    count = len(turn.rows)
    children = np.flatnonzero(turn.parent >= 0)
    above = turn.parent[children]
    is_answer = (turn.mine[children] != turn.mine[above]) & turn.written[children]
    is_answer &= in_time[children]
    # By rank, so that the earliest is the least; those without a date come last.
    ranked = np.argsort(turn.times, kind="stable")
    rank = np.empty(count, dtype="int64")
    rank[ranked] = np.arange(count)
    first = np.full(count + 1, count, dtype="int64")
    np.minimum.at(first, above[is_answer], rank[children[is_answer]])
    # Who goes on writing waits with all the messages before. Of a chain of them each takes over
    # the answer of the next, of the next but one, the fourth, and so on (pointer jumping), which
    # ends, circles included.
    goes_on = (turn.sender[children] == turn.sender[above]) & (turn.sender[children] >= 0)
    before = np.full(count + 1, count, dtype="int64")
    before[children[goes_on]] = above[goes_on]
    for _ in range(count.bit_length()):
        if not (before < count).any():
            break
        taken = first.copy()
        np.minimum.at(taken, before, first)
        first, before = taken, before[before]
        first[count] = count
    answers: NDArray[np.int64] = np.append(ranked, -1)[first[:count]]
    return answers


def _rows(
    headers: pd.DataFrame, turn: Turns, asked: NDArray[np.int64], reply: NDArray[np.int64]
) -> pd.DataFrame:
    """Return the columns that stand for themselves."""
    answered = reply >= 0
    result = _question(headers, turn, asked)
    result["direction"] = pd.Categorical.from_codes(turn.mine[asked].astype("int8"), dtype=WHOSE)
    person = turn.person.to_numpy(dtype=object)
    by_them = answered & turn.mine[asked]
    result["person"] = pd.Series(
        np.where(by_them, person[reply], person[asked]) if len(person) else [], dtype="str"
    )
    replied = np.append(turn.times, np.datetime64("NaT", "us"))[reply]
    result["asked"], result["replied"] = _aware(turn.times[asked]), _aware(replied)
    ids = text(headers, "message_id").iloc[turn.rows].array
    result["reply_id"] = pd.Series(ids.take(reply, allow_fill=True), dtype="str")
    result["answered"] = answered
    result["time"] = _span(turn.times[asked], replied)
    result["time"] = result["time"].mask(result["time"] < pd.Timedelta(0))
    return result


def _question(headers: pd.DataFrame, turn: Turns, asked: NDArray[np.int64]) -> pd.DataFrame:
    """Return the columns by which a message is found again."""
    check_columns(headers, ["message_id"])
    names = [name for name in (*_KEY, "message_id", "subject") if name in headers.columns]
    return headers[names].iloc[turn.rows[asked]].reset_index(drop=True)


def _aware(times: NDArray[np.datetime64]) -> pd.DatetimeIndex:
    return pd.DatetimeIndex(times).as_unit("us").tz_localize("UTC")


def _span(start: NDArray[np.datetime64], end: Any) -> NDArray[np.timedelta64]:
    span: NDArray[np.timedelta64] = (end - start).astype(schema.SPAN)
    return span
