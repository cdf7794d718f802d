"""The command line: ``mailframe headers imaps://me@example.com@imap.example.com/INBOX``."""

from __future__ import annotations

import argparse
import logging
import os
import ssl
import sys
from contextlib import suppress
from dataclasses import replace
from datetime import UTC, datetime
from fnmatch import fnmatch
from pathlib import Path
from typing import TYPE_CHECKING, Any
from urllib.parse import unquote, urlsplit

from mailframe.criteria import Q, all_of, parse_search, to_tree
from mailframe.exceptions import MailframeError, SaveError
from mailframe.imap.tls import is_local
from mailframe.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    import pandas as pd

    from mailframe.criteria import Node
    from mailframe.parsing import Email
    from mailframe.session import Session

__all__ = ["main"]

DESCRIPTION = """\
Read a mailbox over IMAP, or mail in files, as tables. Nothing there is changed.

The password is taken from the environment variable MAILFRAME_PASSWORD, or asked for; it is never
part of the command, where other users of the machine could see it."""

EPILOG = """\
examples:
  mailframe folders     imaps://me@imap.example.com
  mailframe headers     imaps://me%40example.com@imap.example.com/INBOX --limit 20
  mailframe headers     imaps://me@imap.example.com/Archive --since 30d --to archive.parquet
  mailframe headers     'imaps://me@imap.example.com/*' --from alice --unseen
  mailframe bodies      imaps://me@imap.example.com --limit 10 --preview
  mailframe attachments imaps://me@imap.example.com --larger 1MB --to big.csv
  mailframe download    imaps://me@imap.example.com --since 1m --name '*.pdf' --into invoices
  mailframe message     imaps://me@imap.example.com 4711 --save letter.eml
  mailframe explain     imaps://me@imap.example.com --from alice --since 30d
  mailframe count       'imaps://me@imap.example.com/\\Junk'
  mailframe headers     ~/takeout.mbox --since 1y
  mailframe bodies      ~/Maildir --folder Sent/2026 --limit 10

a terminal shows a table, a pipe gets CSV, --to writes every column to a file.
exit status: 0 done; 1 it failed, and stderr says why and what to do; 2 wrong usage; 130 Ctrl-C."""

URL_HELP = (
    "imaps://user@host[:port][/folder], or imap:// for STARTTLS; the folder is INBOX by default, "
    "may be a pattern (*) or a role (\\Sent). Or a path: an mbox, a Maildir, .eml files, or a "
    "folder of these"
)
LOGGED = "mailframe.imap.trace"
#: More than a day is no patience.
MOST_SECONDS = 1e5

#: Commands that give a frame of messages: what they show, in a few words.
TABLES = {
    "headers": "one row a message: date, sender, subject, size, flags, attachments",
    "recipients": "one row an address: who wrote to whom",
    "bodies": "one row a message: its text; attachments are not downloaded",
    "attachments": "one row an attachment: name, type, size; nothing is downloaded",
    "hops": "one row for each server that a message passed, with time and delay",
}


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
    options = _parser().parse_args(arguments)
    if options.verbose:
        _show_dialogue()
    with suppress(AttributeError):  # a terminal that cannot show a letter shows its number
        sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr] # see except
    try:
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


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mailframe",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add(commands, "folders", "list the folders with their counts", _folders, table=True)
    for name, help_ in TABLES.items():
        command = _add(commands, name, help_, _table, table=True, criteria=True)
        if name == "headers":
            command.add_argument(
                "--field",
                action="append",
                default=[],
                metavar="NAME",
                help="a column for one more header field, such as Delivered-To; may be repeated",
            )
        if name == "bodies":
            command.add_argument("--html", action="store_true", help="the HTML as well, as sent")
            command.add_argument("--max-bytes", type=int, metavar="N", help="cut longer texts")
            command.add_argument("--preview", action="store_true", help="only how each text begins")

    command = _add(
        commands, "download", "save attachments as files", _download, table=True, criteria=True
    )
    command.add_argument(
        "--into", type=Path, default=Path(), metavar="FOLDER", help="where to; here by default"
    )
    command.add_argument("--name", metavar="PATTERN", help="only files called like '*.pdf'")
    command.add_argument("--type", metavar="PATTERN", help="only types like 'image/*'")
    command.add_argument("--inline", action="store_true", help="also those shown within the text")
    command.add_argument(
        "--overwrite",
        action="store_true",
        help="replace files of the same name; otherwise a new one becomes 'name (2).ext'",
    )

    command = _add(commands, "message", "show one whole message", _message)
    command.add_argument("uid", type=int, help="its UID, as 'mailframe headers' shows it")
    command.add_argument("--save", type=Path, metavar="FILE.eml", help="save it as it was sent")
    command.add_argument("--overwrite", action="store_true", help="replace a file of the same name")

    command = _add(
        commands,
        "explain",
        "show the IMAP commands that a call would send, and what each does; none is sent",
        _explain,
        criteria=True,
    )
    command.add_argument(
        "--what", choices=[*TABLES, "search", "count"], default="headers", help="which call"
    )

    _add(commands, "count", "count messages", _count, criteria=True)
    return parser


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    help_: str,
    run: Callable[[Session, argparse.Namespace], int],
    *,
    table: bool = False,
    criteria: bool = False,
) -> argparse.ArgumentParser:
    command = commands.add_parser(name, help=help_, description=f"{help_[0].upper()}{help_[1:]}.")
    command.set_defaults(run=run)
    command.add_argument("url", type=_where, metavar="URL|PATH", help=URL_HELP)
    if name != "folders":
        command.add_argument(
            "--folder", metavar="NAME", help="the folder, instead of the URL's; * takes all of them"
        )
    if table:
        command.add_argument(
            "--to",
            type=_target,
            metavar="FILE",
            help="write all columns to FILE: .csv, .parquet or .json (rows as JSON lines)",
        )
    command.add_argument(
        "--cafile",
        type=Path,
        metavar="PEM",
        help="trust the certificates in this file, for a server with its own",
    )
    command.add_argument(
        "--timeout", type=_seconds, default=30, metavar="SECONDS", help="30 by default"
    )
    command.add_argument(
        "-v", "--verbose", action="store_true", help="show the dialogue with the server on stderr"
    )
    if criteria:
        _add_criteria(command, limited=name != "count")
    return command


def _add_criteria(command: argparse.ArgumentParser, *, limited: bool) -> None:
    which = command.add_argument_group("which messages (all of these conditions together)")
    if limited:
        which.add_argument("--limit", type=int, metavar="N", help="the newest N")
    which.add_argument("--since", metavar="WHEN", help="received since 2026-01-31, or 30d, 6m, 1y")
    which.add_argument("--before", metavar="WHEN", help="received before")
    which.add_argument("--from", dest="from_", metavar="TEXT", help="in the sender")
    which.add_argument("--subject", metavar="TEXT", help="in the subject")
    which.add_argument("--text", metavar="TEXT", help="anywhere in the message")
    which.add_argument("--larger", metavar="SIZE", help="larger than 1MB, 500kB, …")
    which.add_argument("--smaller", metavar="SIZE", help="smaller than that")
    which.add_argument("--unseen", action="store_true", help="not yet read")
    which.add_argument("--flagged", action="store_true", help="marked with a star")
    which.add_argument("--has-attachment", action="store_true", help="with an attachment")
    which.add_argument("--search", metavar="CRITERIA", help='an IMAP search: "FLAGGED NOT SEEN"')


def _criteria(options: argparse.Namespace) -> Q | str | Node:
    names = ("since", "before", "from_", "subject", "text", "larger", "smaller")
    conditions = {name: getattr(options, name) for name in names if getattr(options, name)}
    if options.unseen:
        conditions["seen"] = False
    if options.flagged:
        conditions["flagged"] = True
    if options.has_attachment:
        conditions["has_attachment"] = True
    if not options.search:
        return Q(**conditions) if conditions else "ALL"
    if not conditions:
        return str(options.search)
    return all_of([to_tree(Q(**conditions), datetime.now(UTC)), parse_search(options.search)])


def _run(options: argparse.Namespace) -> int:
    from mailframe import opening  # noqa: PLC0415 pandas; --help needs none

    where = options.url
    if getattr(options, "folder", None):
        where["folder"] = options.folder
    if "path" in where:
        with opening.open(where["path"]) as session:
            return int(options.run(session, options))
    context = _trusting(options.cafile) if options.cafile else None
    with opening.connect(
        where["host"],
        where["username"],
        port=where["port"],
        security=where["security"],
        ssl_context=context,
        timeout=options.timeout,
    ) as session:
        status: int = options.run(session, options)
        return status


def _folders(session: Session, options: argparse.Namespace) -> int:
    return _show(session.folders(), "folders", options)


def _table(session: Session, options: argparse.Namespace) -> int:
    kind = options.command
    more = {}
    if kind == "headers":
        more = {"fields": options.field}
    elif kind == "bodies":
        kind = "previews" if options.preview else "bodies"
        more = {name: getattr(options, name) for name in ("html", "max_bytes", "preview")}
    read = getattr(session, options.command)
    return _show(read(_criteria(options), **_which(options), **more), kind, options)


def _download(session: Session, options: argparse.Namespace) -> int:
    import numpy as np  # noqa: PLC0415 as in _run

    rows = session.attachments(_criteria(options), **_which(options))
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


def _explain(session: Session, options: argparse.Namespace) -> int:
    which = {"folder": options.url["folder"], "limit": options.limit}
    criteria = _criteria(options)
    plan = session.explain(criteria, options.what, **which)
    if not isinstance(criteria, str | Q):  # a tree, which nobody could type
        plan = replace(plan, call=f"mailframe {options.what}")
    print(plan)
    return 0


def _count(session: Session, options: argparse.Namespace) -> int:
    print(session.count(_criteria(options), folder=options.url["folder"]))
    return 0


def _which(options: argparse.Namespace) -> dict[str, Any]:
    progress = None if sys.stderr.isatty() and not options.verbose else False
    return {"folder": options.url["folder"], "limit": options.limit, "progress": progress}


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


def _show_dialogue() -> None:
    handler = logging.StreamHandler()
    handler.setFormatter(logging.Formatter("%(message)s"))
    dialogue = logging.getLogger(LOGGED)
    dialogue.setLevel(logging.DEBUG)
    dialogue.handlers = [handler]


def _trusting(path: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise SaveError(
            f"Could not read {path}.",
            reply=error.strerror or str(error),
            suggestion="--cafile wants a file with certificates in PEM form.",
        ) from error


def _where(text: str) -> dict[str, object]:
    # A server's name alone, or an address, is told how a URL is written.
    if "://" not in text and (text.startswith(("/", ".", "~")) or os.path.exists(text)):  # noqa: PTH110 Path raises on NUL
        return {"path": text, "folder": "INBOX"}
    return _url(text)


def _url(text: str) -> dict[str, object]:
    # What was typed is not repeated: a password may be part of it.
    try:
        # In the name of a folder these are letters like any other.
        parts = urlsplit(text.replace("#", "%23").replace("?", "%3F"))
        port = parts.port
    except ValueError as error:
        raise argparse.ArgumentTypeError("the port is no number up to 65535") from error
    if parts.password is not None:
        raise argparse.ArgumentTypeError(
            "a password in the URL could be read by others: set MAILFRAME_PASSWORD instead"
        )
    if parts.scheme not in {"imap", "imaps"} or not parts.hostname or not parts.username:
        raise argparse.ArgumentTypeError(
            "the URL is not of the form imaps://user@host/folder, and no file is called so"
        )
    plain = "starttls-if-offered" if is_local(parts.hostname) else "starttls"
    return {
        "host": parts.hostname,
        "port": port,
        "username": unquote(parts.username),
        "folder": unquote(parts.path.strip("/")) or "INBOX",
        "security": "tls" if parts.scheme == "imaps" else plain,
    }


def _seconds(text: str) -> float:
    seconds = float(text)
    if not 0 < seconds < MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds to wait")
    return seconds


def _target(text: str) -> Path:
    path = Path(text)
    if path.suffix not in {".csv", ".parquet", ".json"}:
        raise argparse.ArgumentTypeError(f"{text!r} ends neither in .csv, .parquet nor .json")
    return path
