"""The words with which a client signs in, and the server's to them: LOGIN and AUTHENTICATE.

What is sent is known here, so that it can be hidden where a server repeats it.
"""

from __future__ import annotations

import base64
import logging
from collections import deque
from dataclasses import dataclass
from itertools import groupby
from typing import TYPE_CHECKING, TypeAlias

from mailframe.exceptions import AuthenticationError, MailframeError
from mailframe.imap.responses import split_code
from mailframe.imap.sasl import in_words

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mailframe.imap.connection import Connection
    from mailframe.imap.responses import Reply

__all__ = ["Answer", "Attempt", "authenticate", "is_in_already", "not_offered", "send"]

log = logging.getLogger(__name__)

_HIDDEN = "•••"
#: So many characters of a secret in a row are as good as the secret.
_TELLING = 6

#: What is answered to a challenge, both decoded from base64 by whoever needs it decoded.
Answer: TypeAlias = "Callable[[bytes], bytes]"


@dataclass(frozen=True, slots=True)
class Attempt:
    """Who signs in, and what is said where that is refused.

    Attributes
    ----------
    account
        Whose mailbox it is.
    who
        The same, and who opens it if it is somebody else.
    how
        With what, as the end of a sentence.
    advice
        What to do if it is refused.
    """

    account: str
    who: str
    how: str = ""
    advice: str = ""


def is_in_already(connection: Connection, username: str) -> bool:
    """Take a connection that needs no login (PREAUTH, RFC 3501 section 7.1.4) as it is.

    Parameters
    ----------
    connection
        Before anything was sent to log in.
    username
        Whose it is taken to be.

    Raises
    ------
    AuthenticationError
        If it is logged in, by us.
    """
    if connection.username:
        raise AuthenticationError(
            f"This connection belongs to {connection.username} already.",
            suggestion="Connect once more for another account.",
        )
    if connection.logged_in:
        # In clear text, anyone on the way could greet so, and show mail of their own making.
        connection.guard_secret()
        connection.logged_in_as(username, b"")
    return connection.logged_in


def not_offered(connection: Connection, tried: str, advice: str) -> AuthenticationError:
    """Make the error of a server that does not offer what is needed; it shows what it offers.

    Parameters
    ----------
    connection
        Nothing was sent over it.
    tried, advice
        What was attempted, and what to do.
    """
    offered = sorted(
        one for one in connection.capabilities if one.startswith("AUTH=") or one == "LOGINDISABLED"
    )
    return AuthenticationError(
        tried, reply=" ".join(offered), suggestion=advice, code="mechanism-not-offered"
    )


def authenticate(
    connection: Connection,
    attempt: Attempt,
    mechanism: str,
    answers: Sequence[Answer],
    secrets: list[str],
) -> None:
    """Send AUTHENTICATE, and an answer to each challenge (RFC 3501 section 6.2.2).

    Parameters
    ----------
    connection
        Not logged in yet.
    attempt
        Who it is.
    mechanism
        Offered by the server.
    answers
        To its challenges, one after the other.
    secrets
        What is to be hidden; what is sent is added.

    Raises
    ------
    AuthenticationError
        If the server refuses.
    """
    waiting = deque(answers)
    reports: list[str] = []

    def encoded(answer: bytes) -> bytes:
        text = base64.b64encode(answer)
        if answer.decode() not in {attempt.account, attempt.who}:  # a name is no secret
            secrets.append(text.decode())
        return text

    def respond(challenge: bytes) -> bytes:
        if waiting:
            try:
                return encoded(waiting.popleft()(challenge))
            except ValueError:  # not base64
                return b"*"
        reports.append(in_words(challenge))
        # A challenge after everything was said is an error report, to be acknowledged: by an
        # empty line (XOAUTH2) or AQ== (RFC 7628 section 3.2.3); others have none, so give up.
        return {"XOAUTH2": b"", "OAUTHBEARER": b"AQ=="}.get(mechanism, b"*")

    pieces = [b"AUTHENTICATE ", mechanism.encode()]
    if mechanism not in {"CRAM-MD5", "LOGIN"} and connection.offers("SASL-IR"):
        pieces += [b" ", encoded(waiting.popleft()(b""))]  # RFC 4959
    send(connection, attempt, pieces, secrets, respond, reports)


def send(
    connection: Connection,
    attempt: Attempt,
    pieces: Sequence[bytes],
    secrets: Sequence[str],
    respond: Answer | None = None,
    reports: Sequence[str] = (),
) -> None:
    """Send the command that logs in; a secret in what comes back is hidden.

    Parameters
    ----------
    connection
        Not logged in yet.
    attempt
        Who it is.
    pieces
        The command.
    secrets
        What is to be hidden.
    respond
        Answers challenges.
    reports
        What the server has said in them.

    Raises
    ------
    AuthenticationError
        If the server refuses.
    """
    replies: list[Reply] = []
    failure: MailframeError | None = None
    tried = f"Could not log in to {connection.host} as {attempt.who}{attempt.how}."
    try:
        replies = connection.command(
            *pieces, tried=tried, error=AuthenticationError, respond=respond
        )
    except MailframeError as error:
        # Some servers repeat what they refuse, and the errors behind this one repeat it again.
        said = " ".join(filter(None, (error.reply, *reports)))
        is_refusal = isinstance(error, AuthenticationError)
        failure = type(error)(
            error.tried,
            reply=_redact(said, secrets),
            suggestion=attempt.advice if is_refusal else error.suggestion,
            code=error.code,
        )
    if failure is not None:  # raised out here, it has no context
        raise failure
    code, capabilities, _ = split_code(replies[-1].text)
    connection.logged_in_as(attempt.account, capabilities if code == "CAPABILITY" else b"")
    log.info("logged in to %s as %s", connection.host, attempt.who)


def _redact(text: str, secrets: Sequence[str]) -> str:
    """Hide secrets, also those that a server repeats in part, in another case or in base64."""
    forms = set()
    for secret in filter(None, secrets):
        escaped = secret.replace("\\", "\\\\").replace('"', '\\"')
        encoded = base64.b64encode(secret.encode()).decode()
        # As it is, as an IMAP string has it, and both as Python shows bytes.
        forms |= {form for one in (secret, escaped) for form in (one, repr(one.encode())[2:-1])}
        forms.add(encoded.rstrip("="))
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, _HIDDEN)
    telling = {
        form[start : start + _TELLING].lower()
        for form in forms
        for start in range(len(form) - _TELLING + 1)
    }
    lower = text.lower() if len(text.lower()) == len(text) else text  # some letters grow
    hidden = {
        place
        for start in range(len(text) - _TELLING + 1)
        if lower[start : start + _TELLING] in telling
        for place in range(start, start + _TELLING)
    }
    return "".join(
        _HIDDEN if is_hidden else "".join(text[place] for place in places)
        for is_hidden, places in groupby(range(len(text)), hidden.__contains__)
    )
