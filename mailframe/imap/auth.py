"""Logging in: with a password, or with an OAuth 2.0 token that somebody else obtains.

What is said is made in `sasl`; here it is sent. A secret stays in the local variables of this
module, and in what signs in again on a new connection: it is in no repr, no log line and no error,
not even where a server repeats it.
"""

from __future__ import annotations

import base64
import inspect
import logging
import os
import re
import threading
from dataclasses import dataclass
from typing import TYPE_CHECKING, Protocol, TypeAlias

from mailframe.exceptions import (
    AuthenticationError,
    ConnectionFailedError,
    MailframeError,
    NotSupportedError,
)
from mailframe.imap import sasl
from mailframe.imap.credentials import Secret
from mailframe.imap.exchange import Attempt, authenticate, is_in_already, not_offered, send
from mailframe.imap.names import quote
from mailframe.imap.sasl import sasl_oauthbearer, sasl_xoauth2

if TYPE_CHECKING:
    from collections.abc import Callable, Sequence

    from mailframe.imap.connection import Connection
    from mailframe.imap.exchange import Answer

__all__ = [
    "TokenProvider",
    "TokenSource",
    "log_in",
    "log_in_oauth2",
    "log_in_with_tokens",
    "sasl_oauthbearer",
    "sasl_xoauth2",
]

log = logging.getLogger(__name__)

_PASSWORDS = ("PLAIN", "LOGIN", "CRAM-MD5")
# RFC 6749 appendix A.12, without the space.
_TOKEN = re.compile(r"[!-~]+")
_NEXT = (
    "The access token may have expired, lack the scope for IMAP, or be another account's: sign in "
    "again."
)


class TokenSource(Protocol):
    """What obtains access tokens and keeps them, such as an `OAuth2Authenticator`."""

    def token(self, username: str, *, fresh: bool = False) -> str:
        """Return an access token.

        Parameters
        ----------
        username
            Whose.
        fresh
            Not the one kept: a server has refused it.
        """
        ...


#: What a session is given to sign in with tokens; a plain function may take ``fresh`` too.
TokenProvider: TypeAlias = "TokenSource | Callable[..., str]"


def log_in(
    connection: Connection,
    username: str,
    password: str | Secret,
    *,
    authorize_as: str | None = None,
    mechanism: str | None = None,
) -> None:
    """Log in with a password, by AUTHENTICATE PLAIN where offered, else by LOGIN.

    Parameters
    ----------
    connection
        Not logged in yet.
    username, password
        Any characters but CR, LF and NUL. What `find_password` returns is a password, too: then
        a refusal says where it came from.
    authorize_as
        Whose mailbox to open, if it is not the user's own: administrators may on some servers
        (Dovecot's master users). Needs PLAIN.
    mechanism
        ``"PLAIN"``, ``"LOGIN"`` or ``"CRAM-MD5"``, in place of the best that is offered. CRAM-MD5
        is chosen only where it is all there is.

    Raises
    ------
    InsecureLoginError
        If the password would go over the network in clear text; nothing was sent.
    AuthenticationError
        If the server refuses, or does not offer the mechanism.
    NotSupportedError
        For a mechanism that mailframe does not know.
    """
    secret = password if isinstance(password, Secret) else Secret(password)
    sasl.refuse_unsendable(username, secret.value, authorize_as or "")
    wanted = _known(mechanism, _PASSWORDS)
    if authorize_as and wanted not in {"", "PLAIN"}:
        raise NotSupportedError(
            f"{wanted} cannot open somebody else's mailbox.", suggestion='mechanism="PLAIN" can.'
        )
    sign_in = _PasswordLogin(username, secret, authorize_as or "", wanted)
    sign_in(connection)
    # Only now: a login that fails is not to be tried again and again.
    connection.sign_in = sign_in


@dataclass(frozen=True, slots=True)
class _PasswordLogin:
    """Signs in with a password, on the first connection and on each that follows."""

    username: str
    secret: Secret
    authorize_as: str
    wanted: str

    def __call__(self, connection: Connection) -> None:
        attempt = self._attempt()
        if is_in_already(connection, attempt.account):
            return
        connection.guard_secret()
        mechanism = sasl.for_password(
            connection.capabilities, self.wanted, for_another=bool(self.authorize_as)
        )
        if not mechanism:
            raise self._no_way(connection)
        secrets = [self.secret.value]
        if mechanism == sasl.COMMAND:
            pieces = (b"LOGIN ", *quote(self.username), b" ", *quote(self.secret.value))
            send(connection, attempt, pieces, secrets)
            return
        authenticate(connection, attempt, mechanism, self._answers(mechanism, secrets), secrets)

    def _attempt(self) -> Attempt:
        account = self.authorize_as or self.username
        who = f"{self.username} for {account}" if self.authorize_as else account
        how = f" with the password from {self.secret.where}" if self.secret.where else ""
        advice = [AuthenticationError.suggestion, self.secret.remedy]
        if "\xa0" in self.secret.value:  # as web pages show the groups of an app password
            advice.append("The password holds no-break spaces: enter it without any.")
        return Attempt(account, who, how, " ".join(filter(None, advice)))

    def _answers(self, mechanism: str, secrets: list[str]) -> list[Answer]:
        username, password = self.username, self.secret.value

        def solve(challenge: bytes) -> bytes:
            solved = sasl.solve_cram_md5(username, password, base64.b64decode(challenge))
            secrets.append(solved.rpartition(b" ")[2].decode())
            return solved

        if mechanism == "CRAM-MD5":
            return [solve]
        if mechanism == "LOGIN":  # asks for the one, then for the other, in whichever words
            return [lambda _: username.encode(), lambda _: password.encode()]
        return [lambda _: sasl.sasl_plain(username, password, self.authorize_as).encode()]

    def _no_way(self, connection: Connection) -> AuthenticationError:
        host = connection.host
        if self.authorize_as:
            tried = f"{host} cannot be asked for another's mailbox: it does not offer PLAIN."
            other = f"{self.authorize_as}*{self.username}"  # Dovecot's, if it has that set up
            advice = f"Sign in as {self.authorize_as}, or try {other!r} as the user name."
        elif self.wanted:
            tried = f"{host} does not offer {self.wanted}."
            advice = "Leave the mechanism out: then the best of those it offers is taken."
        else:
            tried = f"{host} accepts no password on this connection."
            advice = (
                "Sign in with OAuth."
                if connection.encrypted
                else "Use security='tls' or 'starttls', or sign in with OAuth."
            )
        return not_offered(connection, tried, advice)


class _TokenLogin:
    """Signs in with a token, for which it asks anew on each connection."""

    def __init__(self, username: str, provider: TokenProvider, wanted: str) -> None:
        token = getattr(provider, "token", None)
        call = token if callable(token) else provider
        if not callable(call):  # such as a token itself
            raise AuthenticationError(
                f"A token provider is a function, and this is of type {type(provider).__name__}.",
                suggestion="Given a user name, it returns an access token: "
                "token_provider=lambda username: ...",
            )
        self._username = username
        self._call: Callable[..., object] = call
        self._wanted = wanted
        self._has_been_in = False
        self._start_afresh()

    def _start_afresh(self) -> None:
        # After a fork a thread that is not there any more may hold the lock for ever.
        self._lock = threading.Lock()
        self._process = os.getpid()

    def __call__(self, connection: Connection) -> None:
        if is_in_already(connection, self._username):
            return
        # All this before anybody is asked for a token, which may take a browser.
        connection.guard_secret()
        mechanism = sasl.for_token(connection.capabilities, self._wanted)
        if not mechanism:
            how = self._wanted or " or ".join(sasl.FOR_TOKENS)
            raise _no_tokens(connection, how)
        token = self._ask()
        refused: AuthenticationError | None = None
        try:
            self._send(connection, mechanism, token)
        except AuthenticationError as error:
            refused = error
        if refused is None:
            self._has_been_in = True
            return
        another = self._other_than(token)
        if another is None:
            raise refused
        log.info("%s refused the token of %s: trying another", connection.host, self._username)
        try:
            self._send(connection, mechanism, another)
        except ConnectionFailedError:
            raise refused from None  # some servers hang up on whoever tries again
        self._has_been_in = True

    def _send(self, connection: Connection, mechanism: str, token: str) -> None:
        if mechanism == "XOAUTH2":
            text = sasl_xoauth2(self._username, token)
        else:
            text = sasl_oauthbearer(self._username, token, connection.host, connection.port)
        _send_bearer(connection, self._username, mechanism, text.encode(), [token])

    def _other_than(self, refused: str) -> str | None:
        """Ask again after a refusal; None if there is no other token to be had."""
        token = self._ask()  # another connection may have found out before us
        if token == refused and _takes_fresh(self._call):
            token = self._ask(fresh=True)
        return None if token == refused else token

    def _ask(self, **options: bool) -> str:
        if self._process != os.getpid():
            self._start_afresh()
        tried = f"Could not get an access token for {self._username}"
        try:
            # Several connections sign in side by side; refreshing is for one at a time.
            with self._lock:
                token = self._call(self._username, **options)
        except MailframeError as error:
            if self._has_been_in and error.code == "token-endpoint-down":
                # As when the mail server cannot be reached: a session tries again.
                raise ConnectionFailedError(
                    error.tried, reply=error.reply, suggestion=error.suggestion, code=error.code
                ) from error
            raise
        except (ConnectionError, TimeoutError) as error:
            raise ConnectionFailedError(f"{tried}: {type(error).__name__}.") from error
        except Exception as error:
            raise AuthenticationError(
                f"{tried}: the token provider raised {type(error).__name__}.",
                suggestion="What it says is the cause of this error (its __cause__).",
            ) from error
        if isinstance(token, str) and _TOKEN.fullmatch(token):
            return token
        kind = "something else" if isinstance(token, str) else f"a {type(token).__name__}"
        raise AuthenticationError(
            f"{tried}: the token provider returned {kind}.",
            suggestion="It returns the bare access token, as a str, without 'Bearer' in front of "
            "it and without a line break behind it.",
        )


def log_in_with_tokens(
    connection: Connection,
    username: str,
    provider: TokenProvider,
    *,
    mechanism: str | None = None,
) -> None:
    """Log in with OAuth 2.0 access tokens, by XOAUTH2 or OAUTHBEARER, whichever is offered.

    Parameters
    ----------
    connection
        Not logged in yet.
    username
        The account.
    provider
        Given the user name, returns an access token; or a `TokenSource`. It is asked for every
        connection that is made, and once more where a token is refused: then with ``fresh=True``
        if it takes that. Threads ask it one at a time.
    mechanism
        ``"XOAUTH2"`` or ``"OAUTHBEARER"``; by default the first of them that is offered.

    Raises
    ------
    AuthenticationError
        If the server refuses, or there is no token.
    InsecureLoginError
        If the token would go over the network in clear text; nothing was sent.
    NotSupportedError
        For a mechanism that mailframe does not know.
    """
    sasl.refuse_unsendable(username)
    sign_in = _TokenLogin(username, provider, _known(mechanism, sasl.FOR_TOKENS))
    sign_in(connection)
    connection.sign_in = sign_in


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
    sasl.refuse_unsendable(username)
    initial = sasl.sasl_string(auth_string)
    mechanism = "XOAUTH2" if initial.startswith(b"user=") else "OAUTHBEARER"
    token = initial.partition(b"Bearer ")[2].partition(b"\1")[0].decode("utf-8", "replace")
    # The string itself holds the name as well, which is none; in base64 it is as good as the token.
    secrets = [token] if "\1" in auth_string else [token, auth_string]

    def sign_in(connection: Connection) -> None:
        if is_in_already(connection, username):
            return
        connection.guard_secret()
        if not connection.offers(f"AUTH={mechanism}"):
            raise _no_tokens(connection, mechanism)
        _send_bearer(connection, username, mechanism, initial, [*secrets])

    sign_in(connection)
    connection.sign_in = sign_in


def _known(mechanism: str | None, known: Sequence[str]) -> str:
    wanted = (mechanism or "").upper()
    if wanted and wanted not in known:
        raise NotSupportedError(
            f"mailframe cannot sign in so by {mechanism!r}.",
            suggestion=f"It can by {' or '.join(known)}.",
        )
    return wanted


def _no_tokens(connection: Connection, how: str) -> AuthenticationError:
    return not_offered(
        connection,
        f"{connection.host} does not accept OAuth tokens by {how}.",
        "Log in with a password or app password instead.",
    )


def _send_bearer(
    connection: Connection, username: str, mechanism: str, initial: bytes, secrets: list[str]
) -> None:
    attempt = Attempt(username, username, advice=_NEXT)
    authenticate(connection, attempt, mechanism, [lambda _: initial], secrets)


def _takes_fresh(call: Callable[..., object]) -> bool:
    try:
        return "fresh" in inspect.signature(call).parameters
    except (TypeError, ValueError):  # some that are written in C do not say
        return False
