r"""Logging in: a password, or an OAuth 2.0 token that somebody else obtained.

The strings are SASL's (RFC 4422): PLAIN (RFC 4616), XOAUTH2 (Google's and Microsoft's) and
OAUTHBEARER (RFC 7628). A secret stays in the local variables of this module: it is in no repr, no
log line and no error, not even where a server repeats it.
"""

from __future__ import annotations

import base64
import binascii
import json
import logging
from typing import TYPE_CHECKING

from mailframe.exceptions import AuthenticationError, MailframeError
from mailframe.imap.names import quote
from mailframe.imap.responses import split_code

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mailframe.imap.connection import Connection
    from mailframe.imap.responses import Reply

__all__ = ["log_in", "log_in_oauth2", "sasl_xoauth2"]

log = logging.getLogger(__name__)

_HIDDEN = "•••"


def log_in(connection: Connection, username: str, password: str) -> None:
    """Log in with a password, by AUTHENTICATE PLAIN where offered, else by LOGIN.

    Parameters
    ----------
    connection
        Not logged in yet.
    username, password
        Any characters but CR, LF and NUL.

    Raises
    ------
    InsecureLoginError
        If the password would go over the network in clear text; nothing was sent.
    AuthenticationError
        If the server refuses.
    """
    _refuse_control_characters(username, password)
    _sign_in(connection, username, password)
    # Only now: a login that fails is not to be tried again and again.
    connection.sign_in = lambda again: _sign_in(again, username, password)


def _sign_in(connection: Connection, username: str, password: str) -> None:
    if _is_in_already(connection, username):
        return
    connection.guard_secret()
    if connection.offers("AUTH=PLAIN"):
        # The only way that carries UTF-8 (RFC 4616); LOGIN is for ASCII.
        initial = f"\0{username}\0{password}".encode()
        _authenticate(connection, username, "PLAIN", initial, secrets=(password,))
        return
    if connection.offers("LOGINDISABLED"):
        raise AuthenticationError(
            f"{connection.host} accepts no password on this connection.",
            suggestion="Use security='tls' or 'starttls', or sign in with OAuth.",
        )
    pieces = (b"LOGIN ", *quote(username), b" ", *quote(password))
    _send(connection, username, pieces, (password,))


def log_in_oauth2(connection: Connection, username: str, auth_string: str) -> None:
    """Log in with an OAuth 2.0 access token, by XOAUTH2 or OAUTHBEARER.

    Parameters
    ----------
    connection
        Not logged in yet.
    username
        The account.
    auth_string
        The SASL string: ``user=…^Aauth=Bearer …^A^A`` (XOAUTH2) or ``n,a=…,^A…auth=Bearer …^A^A``
        (OAUTHBEARER), ``^A`` being the control character 1; base64 of it is accepted too.

    Raises
    ------
    AuthenticationError
        If ``auth_string`` is a bare token, or the server refuses.
    InsecureLoginError
        If the token would go over the network in clear text; nothing was sent.
    """
    _refuse_control_characters(username, "")
    initial = _sasl_string(auth_string)
    _sign_in_oauth2(connection, username, auth_string, initial)
    connection.sign_in = lambda again: _sign_in_oauth2(again, username, auth_string, initial)


def _sign_in_oauth2(
    connection: Connection, username: str, auth_string: str, initial: bytes
) -> None:
    mechanism = "XOAUTH2" if initial.startswith(b"user=") else "OAUTHBEARER"
    if _is_in_already(connection, username):
        return
    connection.guard_secret()
    if not connection.offers(f"AUTH={mechanism}"):
        offered = sorted(c for c in connection.capabilities if c.startswith("AUTH="))
        raise AuthenticationError(
            f"{connection.host} does not accept OAuth tokens by {mechanism}.",
            reply=" ".join(offered),
            suggestion="Log in with a password or app password instead.",
        )
    token = initial.partition(b"Bearer ")[2].partition(b"\1")[0].decode("utf-8", "replace")
    _authenticate(connection, username, mechanism, initial, secrets=(token, auth_string))


def sasl_xoauth2(username: str, token: str) -> str:
    r"""Return the SASL string of XOAUTH2 for an access token, not base64.

    Parameters
    ----------
    username
        The account.
    token
        An OAuth 2.0 access token with the scope for IMAP.

    Examples
    --------
    >>> sasl_xoauth2("me@example.com", "ya29.x")
    'user=me@example.com\x01auth=Bearer ya29.x\x01\x01'
    """
    _refuse_control_characters(username, token)
    return f"user={username}\1auth=Bearer {token}\1\1"


def _is_in_already(connection: Connection, username: str) -> bool:
    """Take a connection that needs no login (PREAUTH, RFC 3501 section 7.1.4) as it is."""
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


def _sasl_string(auth_string: str) -> bytes:
    raw = auth_string.encode()
    if b"\1" not in raw:
        try:
            raw = base64.b64decode(raw, validate=True)
        except (binascii.Error, ValueError):
            raw = b""
    if b"\1auth=Bearer " not in raw or not raw.startswith((b"user=", b"n,")):
        raise AuthenticationError(
            "That is not a SASL string for OAuth.",
            suggestion="A bare access token does not say whose it is. Make the string with "
            "mailframe.imap.sasl_xoauth2(username, token).",
        )
    return raw


def _authenticate(
    connection: Connection,
    username: str,
    mechanism: str,
    initial: bytes,
    secrets: tuple[str, ...],
) -> None:
    encoded = base64.b64encode(initial)
    pending = [] if connection.offers("SASL-IR") else [encoded]
    reports: list[str] = []

    def respond(challenge: bytes) -> bytes:
        if pending:
            return pending.pop()
        reports.append(_in_words(challenge))
        # A challenge after everything was said is an error report, to be acknowledged: by an
        # empty line (XOAUTH2) or AQ== (RFC 7628 section 3.2.3); PLAIN has none, so give up.
        return {"XOAUTH2": b"", "OAUTHBEARER": b"AQ=="}.get(mechanism, b"*")

    pieces = [b"AUTHENTICATE ", mechanism.encode()]
    if not pending:
        pieces += [b" ", encoded]  # RFC 4959
    _send(connection, username, pieces, (*secrets, encoded.decode()), respond, reports)


def _send(
    connection: Connection,
    username: str,
    pieces: Sequence[bytes],
    secrets: tuple[str, ...],
    respond: Callable[[bytes], bytes] | None = None,
    reports: Sequence[str] = (),
) -> None:
    """Send the command that logs in; a secret in what comes back is hidden."""
    replies: list[Reply] = []
    failure: MailframeError | None = None
    tried = f"Could not log in to {connection.host} as {username}."
    try:
        replies = connection.command(
            *pieces, tried=tried, error=AuthenticationError, respond=respond
        )
    except MailframeError as error:
        # Some servers repeat what they refuse, and the errors behind this one repeat it again.
        said = " ".join(filter(None, (error.reply, *reports)))
        failure = type(error)(
            error.tried,
            reply=_redact(said, secrets),
            suggestion=error.suggestion,
            code=error.code,
        )
    if failure is not None:  # raised out here, it has no context
        raise failure
    code, capabilities, _ = split_code(replies[-1].text)
    connection.logged_in_as(username, capabilities if code == "CAPABILITY" else b"")
    log.info("logged in to %s as %s", connection.host, username)


def _redact(text: str, secrets: tuple[str, ...]) -> str:
    forms = set()
    for secret in filter(None, secrets):
        escaped = secret.replace("\\", "\\\\").replace('"', '\\"')
        # As it is, as an IMAP string has it, and both as Python shows bytes.
        forms |= {form for one in (secret, escaped) for form in (one, repr(one.encode())[2:-1])}
    for form in sorted(forms, key=len, reverse=True):
        text = text.replace(form, _HIDDEN)
    return text


def _in_words(challenge: bytes) -> str:
    """Read the error report of XOAUTH2 and OAUTHBEARER: base64 of a JSON object."""
    try:
        report = json.loads(base64.b64decode(challenge))
    except ValueError:
        return ""
    if not isinstance(report, dict):
        return ""
    return f"({', '.join(f'{name}: {value}' for name, value in report.items())})"


def _refuse_control_characters(username: str, secret: str) -> None:
    # In the user name they would end the command, in a SASL string the field (NUL, ^A).
    unsendable = any(c in text for c in "\r\n\0\1" for text in (username, secret))
    try:
        f"{username}{secret}".encode()
    except UnicodeEncodeError:  # half a character, as os.environ has for what is not UTF-8
        unsendable = True
    if unsendable:
        raise AuthenticationError(
            "The user name or secret holds a line break, control character or half a character.",
            suggestion="It may have come along when it was copied: enter it again.",
        ) from None
