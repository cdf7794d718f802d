"""The mail that a report is about: read from a session, or found in a frame."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, NamedTuple

import numpy as np
import pandas as pd

from mailframe.aio import AsyncSession
from mailframe.analysis.columns import check_columns, moments, text
from mailframe.analysis.exchanges import end_of
from mailframe.analysis.identity import lies_in, my_sources
from mailframe.analysis.periods import zone_of
from mailframe.analysis.spans import Span, span_of
from mailframe.criteria import Q
from mailframe.exceptions import NotSupportedError, QueryError
from mailframe.session import Session

if TYPE_CHECKING:
    from datetime import datetime, tzinfo

    from numpy.typing import NDArray

    from mailframe.analysis.identity import Me
    from mailframe.analysis.spans import Period

__all__ = ["Mail", "gather"]

#: Header fields that tell machines and newsletters from people.
FIELDS = ("Auto-Submitted", "Precedence", "List-Post", "List-Unsubscribe-Post")
#: How far back questions are looked for that were answered in the period, or never were.
_EARLIER = pd.Timedelta(90, "D")
#: Nobody counts what lies there; it takes room all the same.
_ASIDE = ("\\Junk", "\\Trash")
_NEEDED = (
    "account", "folder", "uidvalidity", "uid", "message_id", "in_reply_to", "references", "date",
    "internal_date", "from_name", "from_address", "from_domain", "to", "subject", "list_id",
    "list_unsubscribe", "size", "seen", "answered",
)  # fmt: skip
_MOMENT = pd.Timedelta(1, "us")
_FIRST = pd.Timestamp("1970-01-01", tz="UTC")


class Mail(NamedTuple):
    """What a report is made of.

    Attributes
    ----------
    now, before
        Headers of the period, and of the one before; ``before`` is None where all mail is meant.
        Without junk, what was deleted, and copies in other folders.
    known
        Those, and older ones that answers may be to.
    stored
        The headers of the period, of all folders, copies included.
    attachments, folders
        Those of ``now``, and the mailbox's folders; None where only a frame was given.
    span
        The time that it is about; None: all.
    at
        Until when the mail is known; NaT where there is none.
    accounts
        Whose mail it is.
    me
        My addresses; none where nothing tells.
    tz
        Whose midnight ends a day.
    undated, aside
        Messages that are nowhere because they have no date, and that were set aside.
    """

    now: pd.DataFrame
    before: pd.DataFrame | None
    known: pd.DataFrame
    stored: pd.DataFrame
    attachments: pd.DataFrame | None
    folders: pd.DataFrame | None
    span: Span | None
    at: pd.Timestamp
    accounts: tuple[str, ...]
    me: frozenset[str]
    tz: str | tzinfo
    undated: int
    aside: int


def gather(
    mail: Session | pd.DataFrame,
    period: Period,
    made: datetime,
    tz: str | tzinfo,
    me: Me,
    progress: Any,
) -> Mail:
    """Read what a report is made of, or take it from a frame.

    Parameters
    ----------
    mail
        A session, or headers.
    period
        What it is about; None: all.
    made
        The moment that ``period`` looks back from.
    tz
        Whose midnight ends a day: as of `mailframe.analysis.volume`.
    me
        Who I am.
    progress
        As of a session's methods.

    Raises
    ------
    QueryError
        For what is neither, and for a period that nobody knows.
    NotSupportedError
        For an asynchronous session.
    """
    zone = zone_of(tz)
    span = None if period is None else span_of(period, pd.Timestamp(made), zone)
    if isinstance(mail, Session):
        headers = _read(mail, span, progress)
        folders: pd.DataFrame | None = mail.folders()
    elif isinstance(mail, pd.DataFrame):
        check_columns(mail, _NEEDED)
        headers, folders = mail, None
    elif isinstance(mail, AsyncSession):
        raise NotSupportedError(
            "A report is not made of an asynchronous session.",
            suggestion='Of its frame: mf.report(await session.headers(folder="*"), path).',
        )
    else:
        raise QueryError(
            f"A report is made of a session or of headers, not of a {type(mail).__name__}.",
            suggestion='mf.report(session, "report.html"), or of session.headers(folder="*").',
        )
    times = moments(headers, "date")
    # Of a period that has ended, its last moment: what came at midnight is of the next one.
    at = end_of(headers, None, "date") if span is None else span.end - _MOMENT
    aside = _aside(headers, folders)
    counted = ~aside & _first_copies(headers, ~aside)
    dated = (times >= _FIRST).to_numpy(dtype=bool)
    in_time = dated if span is None else dated & (times <= at).to_numpy(dtype=bool)
    here = in_time if span is None else in_time & (times >= span.begin).to_numpy(dtype=bool)
    now = headers[counted & here]
    before = None
    if span is not None:
        before = headers[counted & (times >= span.before_begin) & (times < span.before_end)]
    attachments = None
    if isinstance(mail, Session):
        # Only those that have some: of most messages it is known that they have none.
        attachments = mail.attachments(now[now["n_attachments"] > 0], progress=progress)
    return Mail(
        now=now,
        before=before,
        known=headers[counted & in_time],
        stored=headers if span is None else headers[here],
        attachments=attachments,
        folders=folders,
        span=span,
        at=at,
        accounts=_accounts(mail),
        me=_me(headers if len(headers) else _nothing(mail), folders, me),
        tz=tz,
        undated=0 if span is not None else int((~dated).sum()),
        aside=int((here & aside).sum()),
    )


def _aside(headers: pd.DataFrame, folders: pd.DataFrame | None) -> NDArray[np.bool_]:
    r"""Tell which messages are junk, or deleted: by their folder, or the flag \Deleted."""
    aside = np.logical_or.reduce([lies_in(headers, role) for role in _ASIDE])
    aside |= headers["folder"].isin(_with_role(folders, *_ASIDE)).to_numpy(dtype=bool)
    if "deleted" in headers.columns:
        aside |= headers["deleted"].astype("boolean").fillna(value=False).to_numpy(dtype=bool)
    result: NDArray[np.bool_] = aside
    return result


def _me(headers: pd.DataFrame, folders: pd.DataFrame | None, me: Me) -> frozenset[str]:
    sent = _with_role(folders, "\\Sent")
    if me is None and len(sent) and "folder" in headers.columns:
        # Whatever the folder is called, the server says that it is for this.
        names = text(headers, "folder")
        headers = headers.assign(folder=names.mask(names.isin(sent), "Sent"))
    return frozenset(my_sources(headers, me))


def _with_role(folders: pd.DataFrame | None, *roles: str) -> list[str]:
    if folders is None:
        return []
    return list(folders["name"][folders["special_use"].isin(roles)])


def _read(session: Session, span: Span | None, progress: Any) -> pd.DataFrame:
    criteria: Q | str = "ALL"
    if span is not None:
        # By whole days, a day more at both ends: the rows are cut by the moment afterwards.
        first = min(span.before_begin, span.begin - _EARLIER).tz_convert("UTC")
        last = span.end.tz_convert("UTC")
        day = pd.Timedelta(1, "D")
        criteria = Q(sent_since=(first - day).date(), sent_before=(last + 2 * day).date())
    return session.headers(criteria, folder="*", fields=FIELDS, progress=progress)


def _first_copies(headers: pd.DataFrame, among: NDArray[np.bool_]) -> NDArray[np.bool_]:
    """Tell which messages to count of those that lie in several folders.

    Copies have the same Message-ID and date: alarms of one machine may share an id. What was sent
    counts before the draft of it, and what was read before what was not.
    """
    ids = text(headers, "message_id")
    ids = ids.mask(ids == "").where(among)
    facts = pd.DataFrame({"id": ids.array, "date": moments(headers, "date").array})
    for name, worse in (("draft", True), ("seen", False)):
        if name in headers.columns:
            said = headers[name].astype("boolean").fillna(value=False).to_numpy(dtype=bool)
            facts[name] = said == worse
    order = facts.sort_values([*facts.columns[2:]], kind="stable") if facts.shape[1] > 2 else facts  # noqa: PLR2004 beside id and date
    again = order.duplicated(["id", "date"]).sort_index().to_numpy(dtype=bool)
    result: NDArray[np.bool_] = ~again | ids.isna().to_numpy(dtype=bool)
    return result


def _nothing(mail: Session | pd.DataFrame) -> pd.DataFrame:
    """Return what a mailbox without mail tells of whose it is."""
    return pd.DataFrame({"account": [*_accounts(mail)], "from_address": None}, dtype="str")


def _accounts(mail: Session | pd.DataFrame) -> tuple[str, ...]:
    if isinstance(mail, Session):
        return (mail.account,)
    if "account" not in mail.columns:
        return ()
    return tuple(text(mail, "account").dropna().unique())
