"""The command line: ``mailframe headers imaps://me@example.com@imap.example.com/INBOX``."""

from __future__ import annotations

import logging
import os
import ssl
import sys
from contextlib import contextmanager, suppress
from dataclasses import replace
from fnmatch import fnmatch
from typing import TYPE_CHECKING, Any

from mailframe.arguments import TABLES, criteria_of, make_parser
from mailframe.criteria import Q
from mailframe.exceptions import MailframeError, QueryError, SaveError
from mailframe.files.handle import unreadable
from mailframe.inspection import lay_open
from mailframe.parsing import parse_email
from mailframe.terminal import clean

if TYPE_CHECKING:
    import argparse
    from collections.abc import Callable, Iterator, Mapping, Sequence
    from pathlib import Path

    import pandas as pd

    from mailframe.parsing import Email
    from mailframe.session import Session

__all__ = ["main"]

LOGGED = "mailframe.imap.trace"
#: Files that are one message each.
MESSAGES = (".eml", ".mht", ".mhtml")


def main(arguments: Sequence[str] | None = None) -> int:
    """Run one command.

    Parameters
    ----------
    arguments
        Without the program's name; ``sys.argv`` by default.

    Returns
    -------
    int
        0 when it went well, 1 for an error of mailframe's, 130 after Ctrl-C. Wrong usage exits
        with 2.
    """
    options = make_parser().parse_args(arguments)
    with suppress(AttributeError):  # a terminal that cannot show a letter shows its number
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # see except
    try:
        with _dialogue_shown(getattr(options, "verbose", False)):
            status = _run(options)
        sys.stdout.flush()
    except MailframeError as error:
        print(clean(f"mailframe: {error}"), file=sys.stderr)
        return 1
    except BrokenPipeError:
        _write_no_more()  # whoever read our output has seen enough
        return 0
    except OSError as error:
        _write_no_more()
        print(f"mailframe: could not write the output: {error.strerror}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        return 130
    return status


def _write_no_more() -> None:
    """Let Python not try again, at its end, to write what could not be written."""
    with suppress(OSError, ValueError):
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())


def _run(options: argparse.Namespace) -> int:
    if options.command in ALONE:
        return ALONE[options.command](options)
    from mailframe import opening  # noqa: PLC0415 pandas; --help needs none

    where = options.url
    if options.command == "inspect" and options.uid is None and "path" in where:
        raw = _one_message(where["path"])
        if raw is not None:
            return _lay_open(parse_email(raw), options)
    if getattr(options, "folder", None):
        where["folder"] = options.folder
    if "path" in where:
        with opening.open(where["path"]) as session:
            return int(COMMANDS[options.command](session, options))
    context = _trusting(options.cafile) if options.cafile else None
    with opening.connect(
        where["host"],
        where["username"],
        port=where["port"],
        security=where["security"],
        ssl_context=context,
        timeout=options.timeout,
        proxy=options.proxy,
        readonly=options.command not in CHANGES,
        journal=getattr(options, "journal", None),
    ) as session:
        status: int = COMMANDS[options.command](session, options)
        return status


def _demo(options: argparse.Namespace) -> int:
    what = "a sample mailbox" if options.path is None else str(options.path)
    # Said first: on a machine just started what follows takes seconds to be imported.
    print(clean(f"mailframe demo: {what}, over IMAP\n"), flush=True)
    from mailframe import demonstration  # noqa: PLC0415 pandas and matplotlib

    which = {"messages": options.messages, "path": options.path}
    if options.serve is not None:
        return demonstration.serve(options.serve, **which)
    progress = sys.stderr.isatty() and not options.verbose
    return demonstration.show(into=options.into, progress=progress, **which)


def _lab(options: argparse.Namespace) -> int:
    from mailframe.lab import open_lab  # noqa: PLC0415 rarely used

    own = ["--no-browser"] if options.no_browser else []
    return open_lab(options.into, [*own, *options.options])


def _login(options: argparse.Namespace) -> int:
    from mailframe.signing_in import login  # noqa: PLC0415 rarely used

    return login(
        options.address,
        host=options.host,
        port=options.port,
        security=options.security,
        cafile=options.cafile,
        ssl_context=_trusting(options.cafile) if options.cafile else None,
        oauth=options.oauth,
        client_id=options.client_id,
        flow=options.flow,
        save=options.save,
    )


def _whoami(options: argparse.Namespace) -> int:
    from mailframe.signed_in import whoami  # noqa: PLC0415 as above

    return whoami(options.address)


def _logout(options: argparse.Namespace) -> int:
    from mailframe.signed_in import logout  # noqa: PLC0415 as above

    return logout(options.address)


def _folders(session: Session, options: argparse.Namespace) -> int:
    return _show(session.folders(), "folders", options)


def _table(session: Session, options: argparse.Namespace) -> int:
    kind = options.command
    more = {}
    if kind == "headers":
        more = {"fields": options.field}
    elif kind == "bodies":
        kind = "bodies_own_text" if options.own_text else "bodies"
        kind = "previews" if options.preview else kind
        names = ("html", "own_text", "max_bytes", "preview")
        more = {name: getattr(options, name) for name in names}
    if options.dataset is None and options.overwrite:
        raise QueryError("--overwrite is for --dataset.", suggestion="Leave it out.")
    if options.dataset is not None and options.to is not None:
        raise QueryError("Either --to or --dataset.", suggestion="Leave one out.")
    if options.dataset is not None:
        session.to_parquet(
            options.dataset,
            criteria_of(options),
            options.command,
            overwrite=options.overwrite,
            **_which(options),
            **more,
        )
        print(f"written to {options.dataset}", file=sys.stderr)
        return 0
    read = getattr(session, options.command)
    return _show(read(criteria_of(options), **_which(options), **more), kind, options)


def _watch(session: Session, options: argparse.Namespace) -> int:
    from mailframe.printing import show_more  # noqa: PLC0415 as above

    coming = session.watch(
        options.url["folder"], changes=options.changes, duration=options.duration
    )
    print(f"watching {options.url['folder']!r}; Ctrl-C ends it", file=sys.stderr)
    is_first = True
    for frame in coming:
        show_more(frame, is_first=is_first)
        is_first = False
    return 0


def _download(session: Session, options: argparse.Namespace) -> int:
    import numpy as np  # noqa: PLC0415 as in _run

    rows = session.attachments(criteria_of(options), **_which(options))
    if not options.inline:
        rows = rows[~rows["inline"]]
    for column, pattern in (("filename", options.name), ("content_type", options.type)):
        if pattern:
            values = rows[column].astype("object").fillna("")
            wanted = [fnmatch(value.lower(), pattern.lower()) for value in values]
            rows = rows.loc[np.array(wanted, dtype=bool)]
    progress = _which(options)["progress"]
    saved = session.download(rows, options.into, overwrite=options.overwrite, progress=progress)
    _show(saved, "downloads", options)
    gone = int(saved["path"].isna().sum())
    if gone:
        print(f"mailframe: {gone} of {len(saved)} attachments have gone", file=sys.stderr)
    return int(gone > 0)


def _message(session: Session, options: argparse.Namespace) -> int:
    email = session.message(options.uid, folder=options.url["folder"])
    if options.save:
        path = email.save(options.save, overwrite=options.overwrite)
        print(f"saved as {path}", file=sys.stderr)
    else:
        print(_readable(email))
    return 0


def _inspect(session: Session, options: argparse.Namespace) -> int:
    folder, uid = options.url["folder"], options.uid
    if uid is None:
        keys = session.search(folder=folder, limit=2)
        if not len(keys):
            raise QueryError(f"There is no message in {folder!r}.")
        if len(keys) != 1:
            raise QueryError(
                f"Which message? There are {session.count(folder=folder):,} in {folder!r}.",
                suggestion="Add its UID, as 'mailframe headers' shows it.",
            )
        uid = int(keys["uid"].iloc[0])
    return _lay_open(session.message(uid, folder=folder), options)


def _lay_open(email: Email, options: argparse.Namespace) -> int:
    print(lay_open(email, whole=options.all))
    return 0


def _one_message(path: str) -> bytes | None:
    """Read a file that is one message, however damaged; None for a folder, and for many."""
    if path == "-":
        return sys.stdin.buffer.read()
    where = os.path.expanduser(path)  # noqa: PTH111 Path raises on NUL
    if not os.path.isfile(where) or not where.lower().endswith(MESSAGES):  # noqa: PTH113 likewise
        return None
    try:
        with open(where, "rb") as file:  # noqa: PTH123 likewise
            return file.read()
    except OSError as error:
        raise unreadable(path, error) from error


def _explain(session: Session, options: argparse.Namespace) -> int:
    which = {"folder": options.url["folder"], "limit": options.limit}
    criteria = criteria_of(options)
    plan = session.explain(criteria, options.what, **which)
    if not isinstance(criteria, str | Q):  # a tree, which nobody could type
        plan = replace(plan, call=f"mailframe {options.what}")
    print(plan)
    return 0


def _count(session: Session, options: argparse.Namespace) -> int:
    print(session.count(criteria_of(options), folder=options.url["folder"]))
    return 0


def _report(session: Session, options: argparse.Namespace) -> int:
    from mailframe.reporting import report  # noqa: PLC0415 as in _run, and matplotlib

    if options.url["folder"] != "INBOX":
        raise QueryError(
            "A report is of all folders.",
            suggestion="Leave the folder out. In Python mf.report() takes a frame of any.",
        )
    path = report(
        session,
        options.out,
        period=None if options.period.lower() == "all" else options.period,
        tz=options.tz,
        me=options.me,
        overwrite=options.overwrite,
        progress=_progress(options),
    )
    if sys.stderr.isatty():  # cron sends a letter about whatever is said
        print(f"written to {path}", file=sys.stderr)
    return 0


def _change(session: Session, options: argparse.Namespace) -> int:
    from mailframe.changes_shown import show_changes  # noqa: PLC0415 as in _run

    which = _which(options)
    criteria = criteria_of(options)
    if criteria == "ALL" and which["limit"] is None and not options.search:
        raise QueryError(
            "Which messages?", suggestion="Say it: --since 30d, --from alice; --search ALL for all."
        )
    progress = which.pop("progress")
    rows = session.search(criteria, **which)
    return show_changes(session, rows, options, progress=progress)


def _which(options: argparse.Namespace) -> dict[str, Any]:
    return {
        "folder": options.url["folder"],
        "limit": options.limit,
        "progress": _progress(options),
    }


def _progress(options: argparse.Namespace) -> bool | None:
    """Say whether a bar is shown: none where the dialogue is, or where nobody looks."""
    return None if sys.stderr.isatty() and not options.verbose else False


def _show(frame: pd.DataFrame, kind: str, options: argparse.Namespace) -> int:
    from mailframe.printing import show  # noqa: PLC0415 as above

    show(frame, kind, options.to)
    return 0


def _readable(email: Email) -> str:
    fields = {
        "From": email.sender,
        "To": ", ".join(map(str, email.to)),
        "Cc": ", ".join(map(str, email.cc)),
        "Date": "" if email.date is None else email.date.isoformat(" ", "minutes"),
        "Subject": email.subject or "",
        "Defects": "; ".join(email.defects),
    }
    lines = [f"{name}: {value}".replace("\n", " ") for name, value in fields.items() if value]
    return clean("\n".join([*lines, "", email.body.rstrip(), "", email.tree()]))


@contextmanager
def _dialogue_shown(wanted: bool) -> Iterator[None]:  # noqa: FBT001 the option itself
    """Show the dialogue on standard error, for as long as one command takes."""
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    dialogue = logging.getLogger(LOGGED)
    level = dialogue.level
    if wanted:
        dialogue.setLevel(logging.DEBUG)
        dialogue.addHandler(handler)
    try:
        yield
    finally:
        dialogue.removeHandler(handler)
        dialogue.setLevel(level)


def _trusting(path: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise SaveError(
            f"Could not read {path}.",
            reply=error.strerror or str(error),
            suggestion="--cafile wants a file with certificates in PEM form.",
        ) from error


#: Commands that need no mailbox.
ALONE: Mapping[str, Callable[[argparse.Namespace], int]] = {
    "demo": _demo,
    "lab": _lab,
    "login": _login,
    "whoami": _whoami,
    "logout": _logout,
}
#: Those that change mail.
CHANGES = ("move", "mark", "delete")
#: What each command does with a session.
COMMANDS: Mapping[str, Callable[[Session, argparse.Namespace], int]] = {
    **dict.fromkeys(TABLES, _table),
    **dict.fromkeys(CHANGES, _change),
    "folders": _folders,
    "watch": _watch,
    "download": _download,
    "message": _message,
    "inspect": _inspect,
    "explain": _explain,
    "count": _count,
    "report": _report,
}
