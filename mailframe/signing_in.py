"""What ``mailframe login`` does: signing in to an account step by step, in plain words."""

from __future__ import annotations

import importlib.util
import re
import shlex
import sys
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from mailframe.exceptions import (
    AuthenticationError,
    ConnectionFailedError,
    MailframeError,
    NotSupportedError,
)
from mailframe.imap import accounts, credentials
from mailframe.imap.accounts import Account, find_account, has_keyring
from mailframe.imap.advice import explaining
from mailframe.imap.asking import NOBODY, ask, ask_secret
from mailframe.imap.connection import Connection
from mailframe.imap.credentials import Secret
from mailframe.imap.providers import oauth_settings
from mailframe.imap.tls import PORTS
from mailframe.imap.way_in import WayIn, confirm, find_way, tokens_for
from mailframe.signed_in import SECURITY, say
from mailframe.terminal import clean

if TYPE_CHECKING:
    import ssl
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from mailframe.imap.discovery import Found
    from mailframe.imap.oauth.authenticator import OAuth2Authenticator
    from mailframe.imap.oauth.clients import Client

__all__ = ["login"]

#: How advice that is meant for Python reads in a shell.
_IN_THE_SHELL = (
    (r"\bmf\.connect\('imap\.…', '[^']*'\)", "mailframe login {address} --host imap.…"),
    (r"\bauthenticator\.authorize\(username\)", "mailframe login {address} --oauth"),
    (r'\bssl_context=ssl\.create_default_context\(cafile="([^"]*)"\)', r"--cafile \1"),
    (r"\bmf\.credentials\.save\([^)]*\)", "mailframe login {address}"),
    (r"\b(security|flow|port)=['\"]?(\w+)['\"]?", r"--\1 \2"),
)


def login(
    address: str,
    *,
    host: str | None = None,
    port: int | None = None,
    security: str | None = None,
    cafile: Path | None = None,
    ssl_context: ssl.SSLContext | None = None,
    oauth: str | None = None,
    client_id: str | None = None,
    flow: str | None = None,
    save: bool | None = None,
) -> int:
    """Sign in to an account, asking on the terminal for what is not known.

    Where standard input is no terminal nobody is asked: then it takes what is known, or fails.

    Parameters
    ----------
    address
        ``"me@example.com"``; or any user name, with `host`.
    host, port, security
        The server, if it is not to be found.
    cafile, ssl_context
        The file of certificates that are trusted, and what was made of it.
    oauth
        The provider whose OAuth it is; empty for the one whose server it is; None for a password,
        unless tokens are all that is taken, or were taken the last time.
    client_id
        Of the application that was registered with it.
    flow
        ``"browser"``, ``"device"`` or ``"paste"``.
    save
        Whether it is kept in the keyring; None to ask.

    Returns
    -------
    int
        0; 1 where `save` was asked for and something was not kept.

    Raises
    ------
    MailframeError
        If it does not go well. Nothing is kept then.
    """
    with _in_the_shell(address):
        found = _find(address, host, port, security, oauth)
        found.cafile = cafile
        if oauth is not None or client_id or flow:
            found.oauth = _oauth_of(found.way, oauth or "")
        else:
            found.oauth = _usual_oauth(found.way, address)
        _check_place(found, save=save)
        if found.oauth:
            _sign_in_by_oauth(found, client_id, flow)
        else:
            _say_what_it_takes(found)
        messages = _connect(found, ssl_context)
    plural = "" if messages == 1 else "s"
    say(f"Signed in as {address}: {messages:,} message{plural} in INBOX.")
    status = _keep(found, save=save)
    say(f"\nIn Python:\n\n{found.in_python()}")
    return status


# -- the steps of signing in


@dataclass(slots=True)
class _Found:
    """What is known of an account so far.

    Attributes
    ----------
    address, way
        As whom, and where.
    is_named
        Whether the server is one that nobody would find by the address alone, without asking.
    oauth
        Whose tokens; empty for a password.
    client
        The application that gets these, if it was not known before.
    authenticator
        What holds the tokens, if somebody has just signed in for them.
    """

    address: str
    way: WayIn
    is_named: bool
    oauth: str = ""
    client: Client | None = field(default=None, repr=False)
    authenticator: OAuth2Authenticator | None = field(default=None, repr=False)
    cafile: Path | None = None
    is_remembered: bool = False

    @property
    def port(self) -> int:
        return self.way.port or PORTS[self.way.security]

    def account(self) -> Account:
        way = self.way
        login = "" if way.username == self.address else way.username
        server = (way.host, self.port, way.security)
        return Account(self.address, *server, way.method, self.oauth, login)

    def in_python(self) -> str:
        """Return the lines that open it from now on."""
        way, lines, given = self.way, ["import mailframe as mf"], [repr(self.address)]
        if (self.is_named and not self.is_remembered) or "@" not in self.address:
            given = [repr(way.host), repr(way.username)]
            if self.port != PORTS[way.security]:
                given.append(f"port={self.port}")
            if way.security != "tls":
                given.append(f'security="{way.security}"')
        if self.oauth and not (way.provider and way.provider.accepts == ("oauth",)):
            given.append(f'oauth="{self.oauth}"')
        if self.cafile is not None:
            lines = ["import ssl", *lines]
            lines.append(f"trusted = ssl.create_default_context(cafile={str(self.cafile)!r})")
            given.append("ssl_context=trusted")
        lines.append(f"session = mf.connect({', '.join(given)})")
        return "\n".join(f"    {line}" for line in lines)


def _find(
    address: str, host: str | None, port: int | None, security: str | None, oauth: str | None
) -> _Found:
    doubtful: list[Found] = []

    def is_confirmed(found: Found) -> bool:
        doubtful.append(found)
        return _is_somebody_there() and confirm(found)

    try:
        way = find_way(
            host,
            address,
            port=port,
            security=security or "tls",
            oauth=oauth or None,
            is_confirmed=is_confirmed,
        )
    except ConnectionFailedError as error:
        if doubtful:
            server = f"--host {doubtful[0].host} --port {doubtful[0].port}"
            error.suggestion = (
                "If that is the server of your mail, name it: mailframe login "
                f"{shlex.quote(address)} {server} --security {doubtful[0].security}"
            )
        elif error.code == "not-an-address":
            error.suggestion = (
                "The address, as in mailframe login me@example.com; or the server as well: "
                "mailframe login me --host imap.example.com"
            )
        raise
    if security and not host:
        way.port, way.security = port, security
    is_named = bool(host or port or security or doubtful)
    found = _Found(address, way, is_named)
    how = f", {way.how}" if way.how else ""
    say(f"Server: {way.host}, port {found.port}, {SECURITY[way.security]}{how}.")
    return found


def _oauth_of(way: WayIn, named: str) -> str:
    """Return whose OAuth it is that was asked for."""
    key = named or (way.provider.oauth if way.provider else "")
    if not key:
        raise NotSupportedError(
            f"Whose tokens {way.host} takes is not known.",
            suggestion="Name the provider: --oauth google, --oauth microsoft, …",
        )
    return oauth_settings(key).key


def _usual_oauth(way: WayIn, address: str) -> str:
    """Return whose OAuth it is if nobody has said which way to sign in; empty for a password."""
    account = find_account(address)
    if account is not None and account.oauth and account.host == way.host:
        return account.oauth
    key = way.provider.oauth if way.provider else ""
    if way.provider is not None and way.provider.accepts == ("oauth",):
        return key
    # As `mailframe.connect` would: with tokens where somebody has registered a client for them.
    return key if tokens_for(way) is not None else ""


def _say_what_it_takes(found: _Found) -> None:
    provider = found.way.provider
    if provider is None:
        return
    page, name = provider.app_password_url, provider.name
    if "app-password" in provider.accepts:
        made = f", made here: {page}" if page else ""
        if "password" in provider.accepts:
            say(f"With two-factor authentication {name} wants an app password{made}")
        else:
            say(f"{name} wants an app password, not that of the account{made}")
    if provider.enable_imap_url not in {"", page}:
        say(f"IMAP has to be switched on: {provider.enable_imap_url}")
    if provider.oauth:
        say(f"To sign in without one: mailframe login {shlex.quote(found.address)} --oauth")


def _connect(found: _Found, ssl_context: ssl.SSLContext | None) -> int:
    """Sign in, and count the messages of INBOX."""
    way = found.way
    if way.tokens is None and not _is_somebody_there():
        way.password = way.find_password()

    def connect() -> Connection:
        connection = Connection(way.host, way.port, security=way.security, ssl_context=ssl_context)
        try:
            # Now that there is a server: nobody types a password for nothing.
            if way.tokens is None and way.password is None:
                way.password = _asked_password(way)
        except BaseException:
            connection.close()
            raise
        return connection

    connection = way.log_in(connect)
    try:
        with explaining(way.host, way.username, way.method, way.provider):
            return connection.select("INBOX").exists
    finally:
        connection.close()


def _asked_password(way: WayIn) -> Secret:
    try:
        known = way.find_password()
    except AuthenticationError:
        known = None
    accepts = way.provider.accepts if way.provider else ()
    only_app = "app-password" in accepts and "password" not in accepts
    what = "App password" if only_app else "Password"
    or_known = f" (Enter: that from {known.where})" if known else ""
    typed = _ask(ask_secret, f"{what} for {way.username}{or_known}: ")
    if typed:
        return Secret(typed, "prompt")
    if known is None:
        raise AuthenticationError(
            f"No password for {way.username}.", suggestion="Enter one; it is not shown."
        )
    return known


def _sign_in_by_oauth(found: _Found, client_id: str | None, flow: str | None) -> None:
    # Authlib, requests and webbrowser are for those who need them.
    from mailframe.imap.oauth.authenticator import OAuth2Authenticator  # noqa: PLC0415
    from mailframe.imap.oauth.clients import Client, find_client  # noqa: PLC0415
    from mailframe.imap.oauth.places import is_of, kept_token  # noqa: PLC0415 as above

    way, key = found.way, found.oauth
    client, tokens = find_client(key), None
    try:
        tokens = tokens_for(way, key)  # which also refuses to show them to a strange server
    except AuthenticationError as error:
        if error.code != "client-id-missing" or not _is_somebody_there():
            raise
    if not _is_somebody_there():
        token = kept_token(way.username)
        if token is None or client is None or not is_of(token, key, client.client_id):
            raise AuthenticationError(
                f"Nobody is there to sign in as {found.address} by OAuth.",
                suggestion="Run it once in a terminal: then the tokens are kept.",
                code="no-answer",
            )
        way.tokens = tokens
        return
    kept_token(way.username)  # what is wrong there is to be known before somebody signs in
    if client is None or client_id not in {None, client.client_id}:
        client = found.client = _asked_client(Client, key, client_id)
    found.authenticator = way.tokens = OAuth2Authenticator(
        client.client_id, client.client_secret or None, provider=key, flow=flow, tell=say
    )
    # Whatever tokens are kept: they may be what no longer works. And before there is a connection,
    # which no server leaves open for as long as that takes.
    found.authenticator.authorize(way.username)


def _asked_client(make: type[Client], key: str, client_id: str | None) -> Client:
    settings = oauth_settings(key)
    if not client_id:
        say(
            f"OAuth takes a client id. Register an application with {settings.name} to get one; "
            "mailframe has none of its own."
        )
        client_id = _ask(ask, "Client id: ").strip()
    if not client_id:
        raise AuthenticationError(
            f"No client id for {settings.name}.",
            suggestion="Enter one, or give it by --client-id.",
            code="client-id-missing",
        )
    none = "" if settings.needs_secret else " (Enter: there is none)"
    return make(client_id, _ask(ask_secret, f"Client secret{none}: ").strip())


# -- keeping it


def _check_place(found: _Found, *, save: bool | None) -> None:
    """Say before anybody signs in that nothing will be kept, where that is known."""
    if save is False or _place(found):
        return
    if save:
        raise NotSupportedError(
            "This machine has no keyring to keep it in.", suggestion=_instead(found)
        )
    if found.oauth and _is_somebody_there():
        say(f"This machine has no keyring: the tokens will not be kept. {_instead(found)}")


def _place(found: _Found) -> str:
    """Return where the secrets would be kept, in words; empty where that is nowhere."""
    if found.oauth:
        from mailframe.imap.oauth.places import place  # noqa: PLC0415 as above

        return place()
    return "the keyring" if has_keyring() else ""


def _instead(found: _Found) -> str:
    if found.oauth:
        return "Set the environment variable MAILFRAME_TOKEN_FILE to a file of yours for them."
    name = credentials.variable(found.way.username)
    library = "" if importlib.util.find_spec("keyring") else " Or: pip install 'mailframe[keyring]'"
    return f"The environment variable {name} can hold the password.{library}"


def _keep(found: _Found, *, save: bool | None) -> int:
    """Keep what opens the account; return 1 if that was asked for and something is not kept."""
    place, is_new = _place(found), _is_new(found)
    if save is False:
        return 0
    if not place:
        if is_new and not found.oauth:
            say(f"This machine has no keyring to keep it in. {_instead(found)}")
        return 0
    if save is None and is_new:
        here = place if found.oauth else "this machine's keyring"
        answer = _ask(ask, f"Keep it in {here}? [Y/n] ", default="n")
        if answer.strip().lower() not in {"", "y", "yes"}:
            return 0
    if is_new or save:
        try:
            _keep_secrets(found)
        except MailframeError as error:
            say(f"It was not kept. {error}")
            return int(save is True)
        say(f"Kept in {place}.")
    found.is_remembered = accounts.remember(found.account())
    return 0


def _is_new(found: _Found) -> bool:
    """Whether somebody has just signed in for it, or typed it."""
    secret = found.way.password
    return found.authenticator is not None or (
        isinstance(secret, Secret) and secret.origin == "prompt"
    )


def _keep_secrets(found: _Found) -> None:
    if found.authenticator is not None:
        _keep_tokens(found)
        return
    secret = found.way.password
    if isinstance(secret, Secret) and secret.origin != "keyring":
        # For this server alone: elsewhere the same name may be somebody else's.
        credentials.save(found.way.username, secret.value, host=found.way.host)


def _keep_tokens(found: _Found) -> None:
    from mailframe.imap.oauth.clients import save_client  # noqa: PLC0415 as above
    from mailframe.imap.oauth.places import token_store  # noqa: PLC0415 as above

    store, username = token_store(), found.way.username
    # Until the mailbox was open they were in memory alone.
    token = found.authenticator._tokens.load(username)  # type: ignore[union-attr]  # noqa: SLF001
    if store is None or token is None:  # there is a place, and somebody has signed in
        return
    with store.locked():
        store.save(username, token)
    if found.client is not None:
        try:
            save_client(found.oauth, found.client)
        except NotSupportedError as error:  # the tokens are of use all the same
            say(str(error))


# -- the terminal


def _is_somebody_there() -> bool:
    return sys.stdin is not None and sys.stdin.isatty()


def _ask(how: Callable[[str], str], question: str, default: str = "") -> str:
    try:
        return how(clean(question))
    except NOBODY:
        print()  # the line on which it was not answered
        return default


@contextmanager
def _in_the_shell(address: str) -> Iterator[None]:
    """Have an error advise what can be typed in a shell."""
    try:
        yield
    except MailframeError as error:
        for pattern, words in _IN_THE_SHELL:
            written = words.replace("{address}", shlex.quote(address).replace("\\", r"\\"))
            error.suggestion = re.sub(pattern, written, error.suggestion)
        raise
