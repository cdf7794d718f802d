"""A mailbox as one HTML file, to be sent to a colleague, kept, or printed.

::

    gathering   the mail that it is about, from a session or a frame
    sections    what is said of it, section by section
    words       numbers as they are written
    document    HTML: the only place where something is escaped, or drawn
"""

from __future__ import annotations

import os
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

from mailframe.exceptions import SaveError
from mailframe.reporting.document import GENERATOR, page, shown
from mailframe.reporting.gathering import gather
from mailframe.reporting.sections import notes_of, sections_of
from mailframe.saving import write_file

if TYPE_CHECKING:
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
        an age until now, ``"30d"``, ``"6m"`` (months); or two moments. What is still to come does
        not count, and the time before is cut as far. Of a session only the mail
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
    however many folders it lies in; junk and deleted mail counts under storage alone. Who waits has
    waited for three days or more.

    Examples
    --------
    >>> import tempfile
    >>> import mailframe as mf
    >>> with mf.demo() as session, tempfile.TemporaryDirectory() as folder:
    ...     path = report(session, f"{folder}/report.html", period="2026-05", tz="Europe/Berlin")
    ...     path.read_text("utf-8").count("<h2>")
    8
    """
    place, replace = _place(path, overwrite=overwrite)
    made = datetime.now(UTC)
    mail = gather(session_or_frame, period, made, tz, me, progress)
    return write_file(place, _page(mail, made).encode(errors="replace"), overwrite=replace)


def _page(mail: Mail, made: datetime) -> str:
    accounts = [shown(one) for one in mail.accounts]
    several = f" and {len(accounts) - _MOST_ACCOUNTS:,} more" * (len(accounts) > _MOST_ACCOUNTS)
    name = mail.span.name if mail.span is not None else "all of it"
    lines = [", ".join(accounts[:_MOST_ACCOUNTS]) + several] if accounts else []
    notes = [*notes_of(mail), f"Made by mailframe on {made:%Y-%m-%d}."]
    return page(f"Mail: {name}", lines, sections_of(mail), notes)


def _place(path: str | os.PathLike[str], *, overwrite: bool) -> tuple[Path, bool]:
    """Look where the report is to go, before mail is read for minutes, and what it may replace.

    Raises
    ------
    SaveError
        If something else is there, or no folder.
    """
    place, obstacle, is_report = Path(path), "", False
    try:
        place = place.expanduser()
        if "\0" in str(place):
            obstacle = "no name of a file can hold a NUL"
        elif place.is_dir() or not place.parent.is_dir():
            obstacle = "that is a folder" if place.is_dir() else "there is no such folder"
        elif place.exists():
            is_report = _is_report(place)
            if not (is_report or overwrite):
                obstacle = "there is a file of that name, which is no report"
    except (OSError, ValueError, RuntimeError) as error:  # NUL in a path; ~ of nobody
        obstacle = str(error)
    if obstacle:
        raise SaveError(
            f"Could not write the report {os.fspath(path)!r}.",
            reply=obstacle,
            suggestion="Another name, in a folder that is there; or overwrite=True for a file.",
        )
    return place, overwrite or is_report


def _is_report(path: Path) -> bool:
    with path.open("rb") as file:
        head = file.read(_HEAD)
    return head.startswith(b"<!DOCTYPE html>") and GENERATOR.encode() in head
