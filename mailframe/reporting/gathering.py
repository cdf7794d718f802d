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
        The headers of the period, of all folders.
    attachments, folders
        Those of ``stored``, and the mailbox's folders; None where only a frame was given.
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
    at = span.end if span is not None else end_of(headers, None, "date")
    aside = np.logical_or.reduce([lies_in(headers, role) for role in _ASIDE])
    counted = ~aside & _first_copies(headers, ~aside)
    in_time = (times >= _FIRST) & (times < at if span is not None else times.notna())
    here = in_time if span is None else in_time & (times >= span.begin)
    before = None
    if span is not None:
        before = headers[counted & (times >= span.before_begin) & (times < span.before_end)]
    stored = headers[here | (times.isna() & (span is None))]
    attachments = None
    if isinstance(mail, Session):
        # Only those that have some: of most messages it is known that they have none.
        attachments = mail.attachments(stored[stored["n_attachments"] > 0], progress=progress)
    return Mail(
        now=headers[counted & here],
        before=before,
        known=headers[counted & in_time],
        stored=stored,
        attachments=attachments,
        folders=folders,
        span=span,
        at=at,
        accounts=_accounts(mail),
        me=frozenset(my_sources(headers if len(headers) else _nothing(mail), me)),
        tz=tz,
        undated=int(times.isna().sum()),
        aside=int((here & aside).sum()),
    )


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
    """Tell which messages were not met before in another folder, by their Message-IDs."""
    ids = text(headers, "message_id")
    ids = ids.mask(ids == "").where(among)
    result: NDArray[np.bool_] = (ids.isna() | ~ids.duplicated()).to_numpy(dtype=bool)
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
