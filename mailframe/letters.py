"""Messages from files, bytes and Python's own objects -> what can be put into a folder."""

from __future__ import annotations

import os
import re
from datetime import datetime
from email.message import Message
from email.policy import SMTP
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from mailframe.actions import Action, Entry, Letter
from mailframe.exceptions import MailFileError, QueryError
from mailframe.parsing import parse_headers, split_header
from mailframe.plan import Plan
from mailframe.planning import missing_rights

if TYPE_CHECKING:
    from collections.abc import Iterable, Sequence

    from mailframe.plan import Writer
    from mailframe.source import WritableSource

__all__ = ["Mail", "draft_letters", "letter_of"]

Mail: TypeAlias = "bytes | str | os.PathLike[str] | Message"

_LINE_END = re.compile(rb"\r\n|\r|\n")
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")


def letter_of(mail: Mail, flags: Sequence[str], date: datetime | None) -> Letter:
    """Read a message that is to be appended.

    Parameters
    ----------
    mail
        The path of an .eml file, the message as bytes, or an `email.message.Message`.
    flags
        That it will have.
    date
        The time of its arrival; a naive one is local time.

    Raises
    ------
    MailFileError
        If the file cannot be read.
    QueryError
        If it is no message.
    """
    content = _content(mail)
    if content.startswith(b"From "):
        raise QueryError(
            "This is an mbox of messages, not one message.",
            suggestion="mf.open(path) reads it; message(uid).raw is one of its messages.",
        )
    if not _FIELD.match(content):
        raise QueryError(
            f"This is no message: it begins with {content[:40]!r}, and not with a header field.",
            suggestion="Give the path of an .eml file, the bytes of a message, or an EmailMessage.",
        )
    if b"\0" in content:
        raise QueryError("A message with a NUL in it cannot be sent to a server (RFC 3501).")
    if date is not None and not isinstance(date, datetime):
        raise QueryError(f"date={date!r} is no datetime.")
    header, _ = split_header(content)
    return Letter(
        content,
        tuple(flags),
        None if date is None else date.astimezone() if date.tzinfo is None else date,
        parse_headers(header),
    )


def draft_letters(
    source: WritableSource,
    letters: Sequence[Letter],
    folder: str,
    session: Writer,
    *,
    create: tuple[str, ...] = (),
) -> Plan:
    """Plan to put messages into a folder.

    Parameters
    ----------
    source
        Where it is.
    letters
        The messages.
    folder
        Its name.
    session
        Does it, later.
    create
        The folder, if it is still to be made.

    Raises
    ------
    QueryError
        If one is larger than the server takes.
    """
    _check_sizes(source, letters)
    since = None if folder in create else source.place(folder)
    validity = 0 if since is None else since.uidvalidity
    action = Action("append", folder, validity, since=since, letters=tuple(letters))
    entries = (
        Entry(
            folder, validity, place, "append", folder, letter.flags, (), "change", 0,
            sender=letter.headers.from_[0].address if letter.headers.from_ else None,
            subject=letter.headers.subject,
            date=letter.headers.date,
            size=len(letter.content),
            flags=(),
        )
        for place, letter in enumerate(letters)
    )  # fmt: skip
    warnings = [] if create else missing_rights(source, [action])
    actions = (action,) if letters else ()
    return Plan(source.account, tuple(entries), actions, create, tuple(warnings), session)


def _content(mail: Mail) -> bytes:
    if isinstance(mail, Message):
        content = mail.as_bytes(policy=SMTP)
    elif isinstance(mail, bytes | bytearray | memoryview):
        content = bytes(mail)
    elif isinstance(mail, str | os.PathLike):
        content = _read(mail)
    else:
        raise QueryError(
            f"A {type(mail).__name__} is no message.",
            suggestion="Give the path of an .eml file, the bytes of a message, or an EmailMessage.",
        )
    return _LINE_END.sub(b"\r\n", content)


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except (OSError, ValueError) as error:
        raise MailFileError(
            f"Could not read {os.fspath(path)[:200]!r}.",
            reply=getattr(error, "strerror", None) or str(error),
            suggestion="Give the path of an .eml file; a message itself is given as bytes.",
        ) from error


def _check_sizes(source: WritableSource, letters: Iterable[Letter]) -> None:
    limits = [word for word in source.capabilities() if word.startswith("APPENDLIMIT=")]
    most = int(limits[0].partition("=")[2]) if limits and limits[0][12:].isdigit() else None
    for letter in letters:
        if most is not None and len(letter.content) > most:
            raise QueryError(
                f"The message has {len(letter.content):,} bytes; the server takes {most:,} at most "
                "(APPENDLIMIT, RFC 7889)."
            )
