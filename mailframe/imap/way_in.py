"""From an address to a connection that is logged in: which server, which method, which secret."""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import dataclass, field
from functools import partial
from typing import TYPE_CHECKING, Literal

from mailframe.cancellation import current_scope
from mailframe.exceptions import AuthenticationError, ConnectionFailedError, NotSupportedError
from mailframe.imap.accounts import find_account
from mailframe.imap.advice import explaining
from mailframe.imap.asking import NOBODY, ask, ask_secret
from mailframe.imap.auth import log_in, log_in_with_tokens
from mailframe.imap.credentials import Secret, find_password
from mailframe.imap.providers import oauth_settings, provider_of_host, providers
from mailframe.imap.tls import is_local

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.imap.auth import TokenProvider
    from mailframe.imap.connection import Connection
    from mailframe.imap.discovery import Found
    from mailframe.imap.providers import Provider

__all__ = ["WayIn", "confirm", "find_way", "tokens_for"]

log = logging.getLogger(__name__)

#: Servers that let somebody in and refuse the first folder: Outlook ("authenticated but not
#: connected"), 163 and 126 ("Unsafe Login"). There one is opened at once.
_LATE = {"outlook", "microsoft365", "163", "126"}
_EXAMPLES = (
    'mf.connect("imap.example.com", "me@example.com"), or mf.connect("me@example.com") to have '
    "the server found."
)


@dataclass(slots=True)
class WayIn:
    """How an account is signed in to.

    Attributes
    ----------
    host, port, security
        The server, as for `Connection`.
    username
        Who it is.
    how
        Where the server comes from, as the end of a sentence; empty where it was given.
    provider
        Whose server it is, if that is known.
    tokens
        Obtains OAuth tokens; None for a password.
    password
        If it was given, or has been found.
    authorize_as, mechanism
        As for `auth.log_in`.
    address
        The account, where the user name is only a part of it.
    is_vouched
        Whether the server was named, or is known; a password that is for any account goes to no
        other.
    """

    host: str
    username: str
    port: int | None = None
    security: str = "tls"
    how: str = ""
    provider: Provider | None = None
    tokens: TokenProvider | None = field(default=None, repr=False)
    password: str | Secret | None = field(default=None, repr=False)
    authorize_as: str | None = None
    mechanism: str | None = None
    address: str = ""
    is_vouched: bool = True

    @property
    def method(self) -> Literal["password", "oauth"]:
        """Which of the two it is."""
        return "password" if self.tokens is None else "oauth"

    def log_in(self, connect: Callable[[], Connection]) -> Connection:
        """Connect, and log in.

        Parameters
        ----------
        connect
            Makes a connection to `host`.

        Raises
        ------
        ConnectionFailedError
            If there is no server.
        AuthenticationError
            If it refuses; what that means is said, as far as the provider's words are known.
        """
        with explaining(self.host, self.username, self.method, self.provider):
            connection = connect()
            try:
                with current_scope().waking(connection.break_off):
                    self._log_in(connection)
            except BaseException:
                connection.close()
                raise
        return connection

    def _log_in(self, connection: Connection) -> None:
        if self.tokens is not None:
            if self.authorize_as:
                raise NotSupportedError(
                    "A token opens the mailbox it was given for, and no other.",
                    suggestion="authorize_as= needs a password, and a server that takes PLAIN.",
                )
            log_in_with_tokens(connection, self.username, self.tokens, mechanism=self.mechanism)
        else:
            # Asked for once there is a server to log in to: nobody types a password for nothing.
            self.password = self.find_password(self._prompt)
            log_in(
                connection,
                self.username,
                self.password,
                authorize_as=self.authorize_as,
                mechanism=self.mechanism,
            )
        if self.provider is not None and self.provider.key in _LATE:
            connection.select("INBOX")

    def find_password(self, prompt: Callable[[str], str] | None = None) -> Secret:
        """Return the password, kept under the address or the user name: see `credentials`.

        Raises
        ------
        AuthenticationError
            If there is none, and nobody to ask.
        """
        find = partial(find_password, host=self.host, is_general=self.is_vouched)
        if self.address and self.address != self.username:
            with suppress(AuthenticationError):
                return find(self.address, self.password)
        return find(self.username, self.password, prompt)

    def _prompt(self, question: str) -> str:
        accepts = self.provider.accepts if self.provider else ()
        if self.provider and "app-password" in accepts and "password" not in accepts:
            page = self.provider.app_password_url
            made = f" (not that of the account; made at {page})" if page else ""
            question = f"App password for {self.username}{made}: "
        return ask_secret(question)


def find_way(
    host: str | None,
    username: str | None,
    *,
    port: int | None = None,
    security: str = "tls",
    proxy: str | None = None,
    oauth: object = None,
    is_confirmed: Callable[[Found], bool],
) -> WayIn:
    """Find the server of an account, unless it is given.

    Parameters
    ----------
    host, username
        A server and a user name; or an address alone, as either of them.
    port, security, proxy
        As for `Connection`; where the server is found, its port and security are as well.
    oauth
        Where it names a provider, an address alone is one of that provider's.
    is_confirmed
        Asks whether a server that nobody vouches for is the right one.

    Raises
    ------
    ConnectionFailedError
        If there is no such server to be found, or it was not confirmed.
    """
    for one in (host, username):
        if one is not None and not isinstance(one, str):
            raise ConnectionFailedError(
                f"{one!r} is no name.",
                suggestion='mf.connect("imap.example.com", "me@example.com")',
            )
    if host and username:
        return WayIn(host, username, port, security, provider=provider_of_host(host, username))
    address = username or host or ""
    if "@" not in address:
        raise ConnectionFailedError(
            "A server and a user name are needed, or an address; and not "
            f"host={host!r}, username={username!r}.",
            suggestion=_EXAMPLES,
            code="not-an-address",
        )
    if "://" in address:
        raise ConnectionFailedError(
            f"{address!r} is a URL, and not an address or a server's name.",
            suggestion=_EXAMPLES,
            code="not-an-address",
        )
    # Tokens of a provider go to its servers, whatever is said elsewhere about the address.
    # A misspelt name is told before anybody is looked for.
    key = oauth_settings(oauth).key if isinstance(oauth, str) else getattr(oauth, "provider", None)
    account = find_account(address)
    if account is not None and (not key or account.oauth == key):  # nobody is asked twice
        return WayIn(
            account.host,
            account.login or address,
            port or account.port,
            account.security,
            how="as when it was last signed in to",
            provider=provider_of_host(account.host, address),
            address=address,
        )
    home = next((one for one in providers() if key and one.oauth == key), None)
    if home is not None:
        how = f"where {home.name} has it"
        return WayIn(home.host, address, port or home.port, home.security, how, home)
    # HTTP and XML are for those who need them.
    from mailframe.imap.discovery import find_server  # noqa: PLC0415

    found = find_server(address, proxy=proxy)
    log.info("the server of %s is %s, %s", address, found.host, found.how)
    if found.needs_confirmation and not is_confirmed(found):
        raise ConnectionFailedError(
            f"Did not sign in to {found.host}: {found.needs_confirmation}.",
            suggestion="If that is the server of your mail, name it: "
            f"mf.connect({found.host!r}, {found.username!r}, port={port or found.port}, "
            f"security={found.security!r}).",
            code="needs-confirmation",
        )
    return WayIn(
        found.host,
        found.username,
        port or found.port,
        security if port else found.security,
        how=found.how,
        provider=found.provider,
        address=address,
        is_vouched=found.provider is not None,
    )


def confirm(found: Found) -> bool:
    """Ask in the terminal or notebook whether a server is the right one; no where nobody is."""
    question = (
        f"Is {found.host} the server of your mail? Nobody vouches for it: "
        f"{found.needs_confirmation}. Sign in there? [y/N] "
    )
    try:
        return ask(question).strip().lower() in {"y", "yes"}
    except NOBODY:
        return False


def tokens_for(
    way: WayIn,
    oauth: object = None,
    token_provider: Callable[..., str] | None = None,
    *,
    proxy: str | None = None,
) -> TokenProvider | None:
    """Choose between a password and tokens.

    Parameters
    ----------
    way
        To which server, and with which password.
    oauth
        A provider's name or an `OAuth2Authenticator`, if one was given.
    token_provider
        What obtains tokens otherwise.
    proxy
        By way of which a provider is asked for them.

    Returns
    -------
    TokenProvider or None
        None for a password: where one is to be had, or the provider takes one.

    Raises
    ------
    AuthenticationError
        If the provider takes nothing but OAuth, and no client id is known.
    """
    given = token_provider or (None if isinstance(oauth, str) else oauth)
    if way.password is not None and (given or oauth):
        raise AuthenticationError(
            "A password and tokens were given: one of them is enough.",
            suggestion="Leave out password=, or oauth= and token_provider=.",
        )
    if given is not None:
        return _checked(given)
    key = oauth_settings(oauth).key if isinstance(oauth, str) else _oauth_of(way)
    if not key:
        return None
    home = provider_of_host(way.host, way.username)
    if (home is None or home.oauth != key) and not is_local(way.host):
        raise AuthenticationError(
            f"Did not sign in: {way.host} is no server of {oauth_settings(key).name}, whose token "
            "opens more than a mailbox there.",
            suggestion="Leave the server out, or pass an OAuth2Authenticator, which is used "
            "wherever it is passed.",
            code="foreign-server",
        )
    # Authlib, requests and webbrowser are for those who need them.
    from mailframe.imap.oauth.clients import authenticator_for  # noqa: PLC0415

    try:
        return authenticator_for(key, proxy)
    except AuthenticationError as error:
        if oauth is None:  # chosen by us: say why
            error.tried = f"{oauth_settings(key).name} takes no passwords any more. {error.tried}"
        raise


def _oauth_of(way: WayIn) -> str:
    """Name the provider whose tokens are taken unasked: where no password will do, or is known."""
    key = way.provider.oauth if way.provider else ""
    if way.provider is None or not key or way.password is not None:
        return ""
    kept = find_account(way.address or way.username)
    if way.provider.accepts == ("oauth",) or (kept is not None and kept.oauth == key):
        return key
    from mailframe.imap.oauth.clients import find_client  # noqa: PLC0415 as above

    return key if find_client(key) is not None and not _has_password(way) else ""


def _checked(given: object) -> TokenProvider:
    if callable(given) or callable(getattr(given, "token", None)):
        return given  # type: ignore[return-value] # it can be asked
    raise AuthenticationError(
        f"{type(given).__name__} is no way to get tokens.",
        suggestion='A provider\'s name ("google"), an OAuth2Authenticator, or a function from '
        "user name to token.",
    )


def _has_password(way: WayIn) -> bool:
    try:
        way.find_password()
    except AuthenticationError:
        return False
    return True
