"""What may be typed on the command line, and what was."""

from __future__ import annotations

import argparse
import os
import re
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from mailframe.criteria import Q, all_of, parse_search, to_tree
from mailframe.imap.tls import is_local

if TYPE_CHECKING:
    from mailframe.criteria import Node

__all__ = ["EPILOG", "TABLES", "criteria_of", "make_parser"]

DESCRIPTION = """\
Read a mailbox over IMAP, or mail in files, as tables. Nothing there is changed, but by move, mark
and delete with --apply.

The password is taken from the environment variable MAILFRAME_PASSWORD, the system's keyring (see
"mailframe login") or ~/.netrc; otherwise it is asked for. It is never part of the command, where
other users of the machine could see it."""

EPILOG = """\
examples:
  mailframe demo
  mailframe lab
  mailframe login       me@example.com
  mailframe whoami
  mailframe logout      me@example.com
  mailframe folders     me@example.com
  mailframe headers     imaps://me%40example.com@imap.example.com/INBOX --limit 20
  mailframe headers     imaps://me@imap.example.com/Archive --since 30d --to archive.parquet
  mailframe headers     'imaps://me@imap.example.com/*' --from alice --unseen
  mailframe bodies      imaps://me@imap.example.com --limit 10 --preview
  mailframe attachments imaps://me@imap.example.com --larger 1MB --to big.csv
  mailframe download    imaps://me@imap.example.com --since 1m --name '*.pdf' --into invoices
  mailframe message     imaps://me@imap.example.com 4711 --save letter.eml
  mailframe explain     imaps://me@imap.example.com --from alice --since 30d
  mailframe headers     imaps://me@imap.example.com/Archive --dataset archive
  mailframe watch       imaps://me@imap.example.com
  mailframe move        imaps://me@imap.example.com Archive/2025 --before 1y --create
  mailframe mark        imaps://me@imap.example.com --add seen --from newsletter --apply
  mailframe delete      imaps://me@imap.example.com --larger 10MB
  mailframe report      me@example.com --out report.html --period last-month
  mailframe inspect     letter.eml
  mailframe count       'imaps://me@imap.example.com/\\Junk'
  mailframe headers     ~/takeout.mbox --since 1y
  mailframe bodies      ~/Maildir --folder Sent/2026 --limit 10

a terminal shows a table, a pipe gets CSV, --to writes every column to a file.
exit status: 0 done; 1 it failed, and stderr says why and what to do; 2 wrong usage; 130 Ctrl-C."""

URL_HELP = (
    "me@example.com[/folder], whose server is found; or imaps://user@host[:port][/folder], or "
    "imap:// for STARTTLS; the folder is INBOX by default, may be a pattern (*) or a role "
    "(\\Sent). Or a path: an mbox, a Maildir, .eml files, or a folder of these"
)
#: More than a day is no patience.
MOST_SECONDS = 1e5
HIGHEST_PORT = 65_535

#: Commands that give a frame of messages: what they show, in a few words.
TABLES = {
    "headers": "one row a message: date, sender, subject, size, flags, attachments",
    "recipients": "one row an address: who wrote to whom",
    "bodies": "one row a message: its text; attachments are not downloaded",
    "attachments": "one row an attachment: name, type, size; nothing is downloaded",
    "hops": "one row for each server that a message passed, with time and delay",
}


def make_parser() -> argparse.ArgumentParser:
    """Make the parser of the command line."""
    parser = argparse.ArgumentParser(
        prog="mailframe",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    _add_demo(commands)
    _add_lab(commands)
    _add_login(commands)
    _add_whoami_and_logout(commands)
    _add(commands, "folders", "list the folders with their counts", table=True)
    for name, help_ in TABLES.items():
        command = _add(commands, name, help_, table=True, criteria=True)
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
            command.add_argument(
                "--own-text",
                action="store_true",
                help="columns that tell the author's words from quotes and signature",
            )
            command.add_argument("--max-bytes", type=int, metavar="N", help="cut longer texts")
            command.add_argument("--preview", action="store_true", help="only how each text begins")
        command.add_argument(
            "--dataset",
            type=Path,
            metavar="FOLDER",
            help="write Parquet files to FOLDER as they come, for mailboxes of any size; broken "
            "off, the same command goes on with it",
        )
        command.add_argument(
            "--overwrite", action="store_true", help="begin the data set anew, if there is one"
        )

    command = _add(commands, "watch", "wait for mail, and show what comes, until Ctrl-C")
    command.add_argument(
        "--changes", action="store_true", help="also messages whose flags change, or that go"
    )
    command.add_argument(
        "--duration", type=_seconds, metavar="SECONDS", help="end after so many; never by default"
    )

    command = _add(commands, "download", "save attachments as files", table=True, criteria=True)
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

    command = _add(commands, "message", "show one whole message")
    command.add_argument("uid", type=int, help="its UID, as 'mailframe headers' shows it")
    command.add_argument("--save", type=Path, metavar="FILE.eml", help="save it as it was sent")
    command.add_argument("--overwrite", action="store_true", help="replace a file of the same name")

    command = _add(
        commands,
        "inspect",
        "lay one message open: its fields, parts and defects (- reads standard input)",
    )
    command.add_argument(
        "uid", type=int, nargs="?", help="its UID; needless where there is one message, as in .eml"
    )
    command.add_argument("--all", action="store_true", help="cut nothing short")

    command = _add(
        commands,
        "explain",
        "show the IMAP commands that a call would send, and what each does; none is sent",
        criteria=True,
    )
    command.add_argument(
        "--what", choices=[*TABLES, "search", "count"], default="headers", help="which call"
    )

    _add(commands, "count", "count messages", criteria=True)
    _add_report(commands)
    _add_changes(commands)
    return parser


def _add_changes(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    """Add what changes mail; each needs a criterion, so that nobody means everything unawares."""
    plan = "show which messages would be"
    move = _add(commands, "move", f"{plan} moved to another folder; --apply moves them")
    move.add_argument("target", metavar="TARGET", help="where to: a folder, or a role (\\Archive)")
    move.add_argument("--create", action="store_true", help="make that folder if it is not there")
    mark = _add(commands, "mark", f"{plan} marked; --apply marks them")
    for name, help_ in (
        ("add", "set seen, answered, flagged, draft, deleted, or a keyword; may be repeated"),
        ("remove", "take that off; may be repeated"),
    ):
        mark.add_argument(f"--{name}", action="append", default=[], metavar="FLAG", help=help_)
    delete = _add(commands, "delete", f"{plan} moved to the trash; --apply moves them")
    delete.add_argument(
        "--permanently", action="store_true", help="delete them for good, not into the trash"
    )
    for command in (move, mark, delete):
        command.add_argument("--apply", action="store_true", help="do it; else it is only shown")
        command.add_argument(
            "--journal", type=Path, metavar="FILE", help="add what is changed to FILE (JSON lines)"
        )
        _add_criteria(command, limited=True)


def _add_report(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = _add(commands, "report", "write what matters of all folders into one HTML file")
    command.add_argument(
        "--out",
        type=Path,
        default=Path("report.html"),
        metavar="FILE",
        help="report.html by default; an earlier report is replaced",
    )
    command.add_argument(
        "--period",
        default="last-month",
        metavar="WHEN",
        help="last-month by default; this-month, last-week, 2026, 2026-Q3, 2026-10, 30d, …; all",
    )
    command.add_argument(
        "--tz", default="local", metavar="ZONE", help="whose days: Europe/Berlin; this machine's"
    )
    command.add_argument(
        "--me", action="append", metavar="ADDRESS", help="an address of yours; may be repeated"
    )
    command.add_argument(
        "--overwrite", action="store_true", help="replace a file that is no report, too"
    )


def _add_demo(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = _add_alone(
        commands, "demo", "show what mailframe does, on a sample mailbox: no account is needed"
    )
    command.add_argument(
        "--messages",
        type=int,
        metavar="N",
        help="so many messages; all by default",
    )
    command.add_argument(
        "--path", type=Path, metavar="MAIL", help="mail in files instead; it is only read"
    )
    command.add_argument(
        "--into",
        type=Path,
        default=Path(),
        metavar="FOLDER",
        help="where pictures go; here by default",
    )
    command.add_argument(
        "--serve",
        type=_port,
        metavar="PORT",
        help="only serve the mailbox, to any mail program on this machine, until Ctrl-C; 0 takes "
        "a port that is free",
    )
    _add_verbose(command)


def _add_lab(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = _add_alone(commands, "lab", "open the notebooks of mailframe in JupyterLab")
    command.add_argument(
        "--into",
        type=Path,
        metavar="FOLDER",
        help="where copies of the notebooks go, never over a file; mailframe-notebooks by default, "
        "but those of a checkout are opened where they are",
    )
    command.add_argument("--no-browser", action="store_true", help="only print the address")
    command.add_argument(
        "options", nargs="*", metavar="OPTION", help="options of JupyterLab's own, behind a --"
    )


def _add_login(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    command = _add_alone(
        commands, "login", "sign in to an account, step by step, and keep what it takes"
    )
    command.add_argument("address", metavar="ADDRESS", help="me@example.com")
    command.add_argument("--host", help="the server; found from the address by default")
    command.add_argument(
        "--port", type=_port, metavar="N", help="its port, if it is an unusual one"
    )
    command.add_argument(
        "--security",
        choices=["tls", "starttls", "none"],
        help="tls by default; none for this machine alone",
    )
    _add_cafile(command)
    command.add_argument(
        "--oauth",
        nargs="?",
        const="",
        metavar="PROVIDER",
        help="sign in by OAuth; google, microsoft, …, where it is not clear whose",
    )
    command.add_argument(
        "--client-id", metavar="ID", help="of the application that you registered, for OAuth"
    )
    command.add_argument(
        "--flow",
        choices=["browser", "device", "paste"],
        help="how to sign in by OAuth: with the browser here, by a code on another device, or by "
        "pasting the address where a browser ends",
    )
    command.add_argument(
        "--save",
        action=argparse.BooleanOptionalAction,
        help="keep it in this machine's keyring, or do not; asked by default",
    )
    _add_verbose(command)


def _add_whoami_and_logout(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
) -> None:
    command = _add_alone(
        commands, "whoami", "list the accounts signed in to, and where their secrets come from"
    )
    command.add_argument("address", nargs="?", metavar="ADDRESS", help="only this one")
    command = _add_alone(commands, "logout", "forget an account and its secrets on this machine")
    command.add_argument("address", metavar="ADDRESS", help="me@example.com")


def _add_alone(
    commands: argparse._SubParsersAction[argparse.ArgumentParser], name: str, help_: str
) -> argparse.ArgumentParser:
    """Add a command that needs no mailbox."""
    return commands.add_parser(name, help=help_, description=f"{help_[0].upper()}{help_[1:]}.")


def _add_cafile(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "--cafile",
        type=Path,
        metavar="PEM",
        help="trust the certificates in this file, for a server with its own",
    )


def _add_verbose(command: argparse.ArgumentParser) -> None:
    command.add_argument(
        "-v", "--verbose", action="store_true", help="show the dialogue with the server on stderr"
    )


def _add(
    commands: argparse._SubParsersAction[argparse.ArgumentParser],
    name: str,
    help_: str,
    *,
    table: bool = False,
    criteria: bool = False,
) -> argparse.ArgumentParser:
    command = _add_alone(commands, name, help_)
    command.add_argument("url", type=_where, metavar="URL|PATH", help=URL_HELP)
    if name not in {"folders", "report"}:
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
    _add_cafile(command)
    command.add_argument(
        "--timeout", type=_seconds, default=30, metavar="SECONDS", help="30 by default"
    )
    command.add_argument(
        "--proxy", metavar="URL", help="the way out, such as socks5://localhost:1080"
    )
    _add_verbose(command)
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


def criteria_of(options: argparse.Namespace) -> Q | str | Node:
    """Put the conditions of a command together.

    Parameters
    ----------
    options
        From `make_parser`'s parser.
    """
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


def _where(text: str) -> dict[str, object]:
    if text == "-":  # standard input, which only inspect reads
        return {"path": text, "folder": "INBOX"}
    # A server's name alone, or an address, is told how a URL is written.
    if "://" not in text and (text.startswith(("/", ".", "~")) or os.path.exists(text)):  # noqa: PTH110 Path raises on NUL
        return {"path": text, "folder": "INBOX"}
    return _url(text)


#: ``me@example.com``, and a folder behind it.
_ADDRESS = re.compile(r"(?P<name>[^\s/:@]+@[^\s/:@]+\.[^\s/:@]+)(?P<folder>/.*)?")


def _url(text: str) -> dict[str, object]:
    # What was typed is not repeated: a password may be part of it.
    address = _ADDRESS.fullmatch(text)
    if address:  # the server is found, as mf.connect does
        folder = unquote((address["folder"] or "").strip("/")) or "INBOX"
        name = address["name"]
        return {"host": None, "port": None, "username": name, "folder": folder, "security": "tls"}
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
            "no file or folder is called so, and it is neither an address nor a URL like "
            "imaps://user@host/folder"
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
    try:
        seconds = float(text)
    except ValueError:
        seconds = 0
    if not 0 < seconds < MOST_SECONDS:
        raise argparse.ArgumentTypeError(f"{text} is no number of seconds to wait")
    return seconds


def _port(text: str) -> int:
    if not (text.isdecimal() and len(text) <= len(str(HIGHEST_PORT)) and int(text) <= HIGHEST_PORT):
        raise argparse.ArgumentTypeError(f"{text!r} is no port: these go from 0 to {HIGHEST_PORT}")
    return int(text)


def _target(text: str) -> Path:
    path = Path(text)
    if path.suffix not in {".csv", ".parquet", ".json"}:
        raise argparse.ArgumentTypeError(f"{text!r} ends neither in .csv, .parquet nor .json")
    return path
