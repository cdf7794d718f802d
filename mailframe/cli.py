"""The command line: ``mailframe headers imaps://me@example.com@imap.example.com/INBOX``."""

from __future__ import annotations

import argparse
import os
import shutil
import ssl
import sys
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING
from urllib.parse import unquote, urlsplit

from mailframe.criteria import Q, all_of, parse_search, to_tree
from mailframe.exceptions import MailframeError
from mailframe.imap.tls import is_local

if TYPE_CHECKING:
    from collections.abc import Sequence

    import pandas as pd

    from mailframe.session import Session

__all__ = ["main"]

DESCRIPTION = """\
Read a mailbox over IMAP as tables. Nothing on the server is changed.

The password is taken from the environment variable MAILFRAME_PASSWORD, or asked for; it is never
part of the command, where other users of the machine could see it."""

EPILOG = """\
examples:
  mailframe folders     imaps://me@imap.example.com
  mailframe headers     imaps://me%40example.com@imap.example.com/INBOX --limit 20
  mailframe headers     imaps://me@imap.example.com/Archive --since 30d --to archive.parquet
  mailframe attachments imaps://me@imap.example.com --larger 1MB --to big.csv"""

URL_HELP = (
    "imaps://user@host[:port][/folder], or imap:// for STARTTLS; the folder is INBOX by default"
)

#: What a terminal shows of each frame; a file gets every column.
SHOWN = {
    "folders": ["name", "special_use", "messages", "unseen", "size"],
    "headers": ["uid", "date", "from_address", "subject", "size", "n_attachments"],
    "attachments": ["uid", "filename", "content_type", "size", "inline"],
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
    try:
        frame = _read(options)
        _show(frame, options)
    except (MailframeError, _UnusableFileError) as error:
        print(f"mailframe: {error}", file=sys.stderr)
        return 1
    except BrokenPipeError:
        # Whoever read our output has seen enough; Python would complain once more at its end.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
    except KeyboardInterrupt:
        return 130
    return 0


class _UnusableFileError(Exception):
    """A file named on the command line cannot be read or written."""

    def __init__(self, what: str, path: Path, error: OSError) -> None:
        super().__init__(f"could not {what} {path}: {error.strerror or error}")


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(
        prog="mailframe",
        description=DESCRIPTION,
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    commands = parser.add_subparsers(dest="command", required=True, metavar="COMMAND")
    for name, help_ in (
        ("folders", "list the folders with their counts"),
        ("headers", "one row a message: date, sender, subject, size, flags, attachments"),
        ("attachments", "one row an attachment: name, type, size; nothing is downloaded"),
    ):
        command = commands.add_parser(name, help=help_, description=help_.capitalize() + ".")
        command.add_argument("url", type=_url, help=URL_HELP)
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
            "--timeout", type=float, default=30, metavar="SECONDS", help="30 by default"
        )
        if name != "folders":
            _add_criteria(command)
    return parser


def _add_criteria(command: argparse.ArgumentParser) -> None:
    which = command.add_argument_group("which messages (all of these conditions together)")
    which.add_argument("--limit", type=int, metavar="N", help="the newest N")
    which.add_argument("--since", metavar="WHEN", help="received since 2026-01-31, or 30d, 6m, 1y")
    which.add_argument("--before", metavar="WHEN", help="received before")
    which.add_argument("--from", dest="from_", metavar="TEXT", help="in the sender")
    which.add_argument("--subject", metavar="TEXT", help="in the subject")
    which.add_argument("--text", metavar="TEXT", help="anywhere in the message")
    which.add_argument("--larger", metavar="SIZE", help="larger than 1MB, 500kB, …")
    which.add_argument("--unseen", action="store_true", help="not yet read")
    which.add_argument("--search", metavar="CRITERIA", help='an IMAP search: "FLAGGED NOT SEEN"')


def _read(options: argparse.Namespace) -> pd.DataFrame:
    from mailframe.session import connect  # noqa: PLC0415 pandas; --help needs none

    where = options.url
    context = _trusting(options.cafile) if options.cafile else None
    with connect(
        where["host"],
        where["username"],
        port=where["port"],
        security=where["security"],
        ssl_context=context,
        timeout=options.timeout,
    ) as session:
        if options.command == "folders":
            return session.folders()
        return _messages(session, options)


def _messages(session: Session, options: argparse.Namespace) -> pd.DataFrame:
    names = ("since", "before", "from_", "subject", "text", "larger")
    conditions = {name: getattr(options, name) for name in names if getattr(options, name)}
    if options.unseen:
        conditions["seen"] = False
    trees = [to_tree(Q(**conditions), datetime.now(UTC))]
    if options.search:
        trees.append(parse_search(options.search))
    read = session.headers if options.command == "headers" else session.attachments
    progress = None if sys.stderr.isatty() else False
    return read(all_of(trees), folder=options.url["folder"], limit=options.limit, progress=progress)


def _trusting(path: Path) -> ssl.SSLContext:
    try:
        return ssl.create_default_context(cafile=path)
    except OSError as error:
        raise _UnusableFileError("read", path, error) from error


def _url(text: str) -> dict[str, object]:
    # What was typed is not repeated: a password may be part of it.
    try:
        parts = urlsplit(text)
        port = parts.port
    except ValueError as error:
        raise argparse.ArgumentTypeError("the port is no number up to 65535") from error
    if parts.password is not None:
        raise argparse.ArgumentTypeError(
            "a password in the URL could be read by others: set MAILFRAME_PASSWORD instead"
        )
    if parts.scheme not in {"imap", "imaps"} or not parts.hostname or not parts.username:
        raise argparse.ArgumentTypeError("the URL is not of the form imaps://user@host/folder")
    plain = "starttls-if-offered" if is_local(parts.hostname) else "starttls"
    return {
        "host": parts.hostname,
        "port": port,
        "username": unquote(parts.username),
        "folder": unquote(parts.path.strip("/")) or "INBOX",
        "security": "tls" if parts.scheme == "imaps" else plain,
    }


def _target(text: str) -> Path:
    path = Path(text)
    if path.suffix not in {".csv", ".parquet", ".json"}:
        raise argparse.ArgumentTypeError(f"{text!r} ends neither in .csv, .parquet nor .json")
    return path


def _show(frame: pd.DataFrame, options: argparse.Namespace) -> None:
    if options.to:
        try:
            _write(frame, options.to)
        except OSError as error:
            raise _UnusableFileError("write", options.to, error) from error
        print(f"{len(frame)} rows written to {options.to}", file=sys.stderr)
    elif sys.stdout.isatty():
        print(_table(frame, SHOWN[options.command]))
    else:
        frame.to_csv(sys.stdout, index=False)


def _write(frame: pd.DataFrame, path: Path) -> None:
    match path.suffix:
        case ".csv":
            frame.to_csv(path, index=False)
        case ".parquet":
            frame.to_parquet(path)
        case _:
            frame.to_json(path, orient="records", lines=True, date_format="iso")


def _table(frame: pd.DataFrame, columns: list[str]) -> str:
    if frame.empty:
        return "nothing found"
    shown = frame[columns].copy()
    if "date" in shown:
        shown["date"] = shown["date"].dt.strftime("%Y-%m-%d %H:%M")
    widest = max(20, (shutil.get_terminal_size().columns - 40) // 2)
    for name in ("from_address", "subject", "filename", "name"):
        if name in shown:
            # Mail may hold control characters, with which it could rule the terminal.
            clean = shown[name].str.replace(r"[\x00-\x1f\x7f-\x9f]", " ", regex=True)
            shown[name] = clean.str.slice(0, widest)
    return shown.astype("object").fillna("").to_string(index=False)
