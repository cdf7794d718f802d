"""A mailbox as one HTML file, to be sent to a colleague, kept, or printed.

::

    gathering   the mail that it is about, from a session or a frame
    sections    what is said of it, section by section
    words       numbers as they are written
    document    HTML: the only place where something is escaped, or drawn
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailframe.reporting.document import GENERATOR, page, shown
from mailframe.reporting.gathering import gather
from mailframe.reporting.sections import notes_of, sections_of
from mailframe.saving import write_file

if TYPE_CHECKING:
    import os
    from datetime import tzinfo

    import pandas as pd

    from mailframe.analysis.identity import Me
    from mailframe.analysis.spans import Period
    from mailframe.reporting.gathering import Mail
    from mailframe.session import Session

__all__ = ["report"]

#: Of a file, where it says what made it.
_HEAD = 2_000
_MOST_ACCOUNTS = 3


def report(
    session_or_frame: Session | pd.DataFrame,
    path: str | os.PathLike[str],
    *,
    period: Period = None,
    tz: str | tzinfo = "local",
    me: Me = None,
    overwrite: bool = False,
    progress: Any = None,
) -> Path:
    """Write what matters of a mailbox into one HTML file.

    It has headline numbers with those of the period before beside them, volume, rhythm, senders,
    reply times, who waits, newsletters, storage and attachments. It needs no other file, loads
    nothing, runs nothing, is laid out for telephones and for paper, too. Nothing is downloaded but
    headers, and nothing is changed.

    Parameters
    ----------
    session_or_frame
        A session, of which all folders are read; or headers, of all folders. Then there is nothing
        of attachments and folders; ``headers(folder="*", fields=["Auto-Submitted", "Precedence",
        "List-Post", "List-Unsubscribe-Post"])`` tells machines and newsletters best.
    path
        Of the file: ``"report.html"``, ``~`` is the home folder. An earlier report is replaced.
    period
        What it is about: ``"last-month"``, ``"this-year"``, also ``day``, ``week`` and
        ``quarter``; ``"2026"``, ``"2026-Q3"``, ``"2026-10"``, ``"2026-W41"``, ``"2026-10-05"``;
        an age until now, ``"30d"``, ``"6m"`` (months); or two moments. Of a session only the mail
        from the period, from the one before, and of 90 days before it is read. None: all mail,
        with nothing beside it.
    tz
        Whose midnight ends a day: ``"local"`` (this machine's), a name like ``"Europe/Berlin"``,
        or a tzinfo.
    me
        My address, several, or a frame with a column ``address``; None: what the mail tells. Where
        nothing does, there is nothing of what was sent and answered.
    overwrite
        Replace a file that is no report, too.
    progress
        As of `Session`.

    Returns
    -------
    Path
        Of the file. Without mail it says that there is none.

    Raises
    ------
    QueryError
        For a period or zone that nobody knows, a column that is missing, and what is neither a
        session nor a frame.
    SaveError
        If something else is at ``path``, or it cannot be written.
    NotSupportedError
        For an asynchronous session: give its frame.

    Notes
    -----
    What comes from mail is escaped, and the page forbids itself to load and to run anything (its
    Content-Security-Policy). A message counts when its Date says that it was sent, and once,
    however many folders it lies in; junk and deleted mail counts under storage alone.

    Examples
    --------
    >>> import tempfile
    >>> import mailframe as mf
    >>> with mf.demo() as session, tempfile.TemporaryDirectory() as folder:
    ...     path = report(session, f"{folder}/report.html", period="2026-05", tz="Europe/Berlin")
    ...     path.read_text("utf-8").count("<h2>")
    9
    """
    path = Path(path).expanduser()
    replace = overwrite or _is_report(path)
    made = datetime.now(UTC)
    mail = gather(session_or_frame, period, made, tz, me, progress)
    return write_file(path, _page(mail, made).encode(), overwrite=replace)


def _page(mail: Mail, made: datetime) -> str:
    accounts = [shown(one) for one in mail.accounts]
    several = f" and {len(accounts) - _MOST_ACCOUNTS:,} more" * (len(accounts) > _MOST_ACCOUNTS)
    name = mail.span.name if mail.span is not None else "all of it"
    lines = [", ".join(accounts[:_MOST_ACCOUNTS]) + several] if accounts else []
    notes = [*notes_of(mail), f"Made by mailframe on {made:%Y-%m-%d}."]
    return page(f"Mail: {name}", lines, sections_of(mail), notes)


def _is_report(path: Path) -> bool:
    try:
        with path.open("rb") as file:
            return GENERATOR.encode() in file.read(_HEAD)
    except (OSError, ValueError):  # ValueError: NUL in a path
        return False
