"""Messages from files, bytes and Python's own objects -> what can be put into a folder."""

from __future__ import annotations

import os
import re
from contextlib import suppress
from datetime import datetime
from email.message import Message
from email.policy import EmailPolicy
from pathlib import Path
from typing import TYPE_CHECKING, TypeAlias

from mailframe.actions import Letter
from mailframe.exceptions import MailFileError, QueryError
from mailframe.parsing import Email, parse_headers, split_header

if TYPE_CHECKING:
    from collections.abc import Sequence

__all__ = ["Mail", "letter_of"]

Mail: TypeAlias = "bytes | str | os.PathLike[str] | Message | Email"

_LINE_END = re.compile(rb"\r\n|\r|\n")
_FIELD = re.compile(rb"[!-9;-~]+[ \t]*:")


def letter_of(mail: Mail, flags: Sequence[str], date: datetime | None) -> Letter:
    """Read a message that is to be appended.

    Parameters
    ----------
    mail
        The path of an .eml file, the message as bytes, an `email.message.Message`, or an `Email`
        that was read whole.
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
    if not _FIELD.match(content):
        if content.startswith(b"From "):
            raise QueryError(
                "This is an mbox of messages, not one message.",
                suggestion="mf.open(path) reads it; message(uid).raw is one of its messages.",
            )
        raise QueryError(
            f"This is no message: it begins with {content[:40]!r}, and not with a header field.",
            suggestion="Give the path of an .eml file, the bytes of a message, or an EmailMessage.",
        )
    if b"\0" in content:
        raise QueryError(
            "A message with a NUL in it cannot be sent to a server (RFC 3501).",
            suggestion="Encode what is binary as base64: EmailMessage.add_attachment does.",
        )
    header, _ = split_header(content)
    return Letter(
        content,
        tuple(flags),
        None if date is None else _aware(date),
        parse_headers(header),
    )


def _aware(date: object) -> datetime:
    if isinstance(date, datetime) and date == date:  # noqa: PLR0124 pandas' NaT is a datetime
        if date.tzinfo is not None:
            return date
        with suppress(ValueError, OverflowError):  # the year 0 or 10000, elsewhere in the world
            # pandas' Timestamp knows no local time.
            return datetime.combine(date.date(), date.time()).astimezone()
    raise QueryError(
        f"date={date!r} is no time of arrival.",
        suggestion="Give a datetime: datetime(2026, 1, 31, 9, 30, tzinfo=UTC).",
    )


def _content(mail: Mail) -> bytes:
    if isinstance(mail, Email) and mail.raw is not None:
        content = mail.raw
    elif isinstance(mail, Message):
        content = _written(mail)
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


def _written(mail: Message) -> bytes:
    policy = mail.policy
    if isinstance(policy, EmailPolicy):
        # Headers in UTF-8 need a server with UTF8=ACCEPT (RFC 6855); those that were read and not
        # changed stay as they are, since a signature (DKIM) may be over them.
        policy = policy.clone(utf8=False, refold_source="none")
    try:
        return mail.as_bytes(policy=policy)
    except Exception as error:  # whatever the library stumbles over in a message half made
        raise QueryError(
            f"This message cannot be written: {error}.",
            suggestion="EmailMessage, with set_content(text), takes text in any script.",
        ) from error


def _read(path: str | os.PathLike[str]) -> bytes:
    try:
        return Path(path).expanduser().read_bytes()
    except (OSError, ValueError, RuntimeError) as error:  # the last for the home of nobody: ~x
        raise MailFileError(
            f"Could not read {os.fspath(path)[:200]!r}.",
            reply=getattr(error, "strerror", None) or str(error),
            suggestion="Give the path of an .eml file; a message itself is given as bytes.",
        ) from error
