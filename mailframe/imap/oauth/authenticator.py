"""Access tokens for IMAP, for as long as somebody allows: signing in once, then refreshing."""

from __future__ import annotations

import getpass
import logging
import threading
import time
import webbrowser
from typing import TYPE_CHECKING
from urllib.parse import urlsplit

from mailframe.exceptions import AuthenticationError
from mailframe.imap.credentials import Secret
from mailframe.imap.oauth.calls import printable
from mailframe.imap.oauth.endpoints import discovered_endpoints, known_endpoints
from mailframe.imap.oauth.flows import FLOWS, Person, choose_flow, sign_in
from mailframe.imap.oauth.refusals import refusal
from mailframe.imap.oauth.server import OAuthServer
from mailframe.imap.oauth.tokens import FileTokens, KeyringTokens, MemoryTokens
from mailframe.imap.sasl import refuse_unsendable, sasl_xoauth2

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable

    from mailframe.imap.oauth.server import Granted
    from mailframe.imap.oauth.tokens import Token, Tokens

__all__ = ["OAuth2Authenticator"]

log = logging.getLogger(__name__)

#: A token is replaced when it has no more than these seconds to live.
MARGIN = 60
#: Of OpenID Connect: they open no mailbox, and servers may leave them out of what they granted.
_NOT_FOR_MAIL = {"openid", "email", "profile", "address", "phone", "offline_access"}


class OAuth2Authenticator:
    """Gets access tokens for IMAP, and keeps them fresh.

    The first use of an account has somebody sign in: in the browser if there is one on this
    computer, else by a code to be entered on another device, else by the address that the browser
    ends on. From then on tokens are refreshed. Threads and processes may share a token file.

    Parameters
    ----------
    client_id, client_secret
        Of an application that you registered with the provider; mailframe has none. A public
        client has no secret.
    token_file
        A JSON file for the tokens of any number of accounts, which nobody else may be able to
        read. Without it, and without `keyring`, they are gone with this object.
    provider
        ``"google"``, ``"microsoft"``, ``"yahoo"``, … (`mailframe.imap.providers.oauth_settings`);
        Google by default.
    discovery_url
        In place of a provider: an OpenID server's address, or that of its discovery document.
    scopes
        What to ask for, if other than usual.
    keyring
        Keep tokens in the system's keyring (extra ``keyring``) in place of a file.
    flow
        ``"browser"``, ``"device"`` or ``"paste"``; by default the first of them that works here.
    redirect_uri
        Where the browser comes back to, as registered. Without a port any free one is used
        (RFC 8252 section 7.3). By default ``"http://127.0.0.1"``, for Microsoft
        ``"http://localhost"``.
    timeout
        How long somebody has for signing in, in seconds.
    check_account
        Refuse the token of another account than the one asked for, where the server says whose it
        is. To be switched off for shared mailboxes and aliases.
    open_browser, ask, tell
        How whoever signs in is spoken to: show a page, ask for a line, show a line. What is typed
        in answer to `getpass` is kept in no notebook.

    Examples
    --------
    ::

        authenticator = OAuth2Authenticator(
            client_id="…apps.googleusercontent.com",
            client_secret=os.environ["CLIENT_SECRET"],
            token_file="tokens.json",
        )
        auth_string = authenticator.get_auth_string(username="me@gmail.com")
        client.authenticate_oauth2(username="me@gmail.com", auth_string=auth_string)
    """

    def __init__(  # noqa: PLR0913 most are for one provider or one kind of computer
        self,
        client_id: str,
        client_secret: str | None = None,
        token_file: str | os.PathLike[str] | None = None,
        *,
        provider: str | None = None,
        discovery_url: str | None = None,
        scopes: Iterable[str] | None = None,
        keyring: bool = False,
        flow: str | None = None,
        redirect_uri: str | None = None,
        timeout: float = 300,
        check_account: bool = True,
        open_browser: Callable[[str], object] = webbrowser.open,
        ask: Callable[[str], str] = getpass.getpass,
        tell: Callable[[str], object] = print,
    ) -> None:
        if token_file is not None and keyring:
            raise ValueError("Tokens are kept in token_file or in the keyring, not in both.")
        if provider and discovery_url:
            raise ValueError("Name a provider or a discovery_url, not both.")
        if flow is not None and flow not in FLOWS:
            raise ValueError(f"flow={flow!r} is none of {', '.join(map(repr, FLOWS))}.")
        if not client_id:
            raise AuthenticationError(
                "mailframe has no client id of its own.",
                suggestion="Register an application with the provider (Google Cloud console, "
                "Microsoft Entra admin center, …), and pass its client_id=.",
                code="client-id-missing",
            )
        if not f"{client_id}{client_secret or ''}".isprintable():
            raise ValueError("client_id or client_secret was not copied right: a line break?")
        if redirect_uri is not None and not _is_address(redirect_uri):
            raise ValueError(f"redirect_uri={redirect_uri!r} is no address: http://127.0.0.1:8765")
        self.client_id = client_id
        self.provider = None if discovery_url else provider or "google"
        self.discovery_url = discovery_url
        self.scopes = None if scopes is None else tuple(scopes)
        self._secret = Secret(client_secret or "")
        self._flow = flow
        local = "localhost" if self.provider == "microsoft" else "127.0.0.1"
        self._redirect_uri = redirect_uri or f"http://{local}"
        self._check_account = check_account
        self._person = Person(open_browser, ask, tell, timeout)
        self._tokens: Tokens = MemoryTokens()
        if token_file is not None:
            self._tokens = FileTokens(token_file)
        elif keyring:
            self._tokens = KeyringTokens()
        self._server: OAuthServer | None = None
        # One sign-in and one refresh at a time: a refresh token may be good for one use only.
        self._lock = threading.RLock()
        #: Which token each thread has been given, to know which one was refused.
        self._given = threading.local()

    def __repr__(self) -> str:
        where = self.discovery_url or self.provider
        return f"OAuth2Authenticator({self.client_id!r}, {where!r}, {self._tokens!r})"

    def get_auth_string(self, username: str) -> str:
        """Return the SASL string of XOAUTH2 with a valid token, not base64.

        Parameters
        ----------
        username
            The account.

        Raises
        ------
        AuthenticationError
            As for `token`.
        """
        return sasl_xoauth2(username, self.token(username))

    def token(self, username: str, *, fresh: bool = False) -> str:
        """Return a valid access token, after a refresh or a sign-in if need be.

        Parameters
        ----------
        username
            The account.
        fresh
            The one that this thread had last was refused by the IMAP server: get another.

        Raises
        ------
        AuthenticationError
            If there is none to be had; its ``code`` says why.
        """
        refuse_unsendable(username)
        with self._lock:
            token = self._load(username)
            if token is None:
                token = self._sign_in(username)
            elif not self._is_good(username, token, fresh=fresh):
                token = self._renew(username, token)
            self._remember(username, token)
            return token.access_token

    def authorize(self, username: str) -> None:
        """Have somebody sign in and consent, whatever tokens there are.

        Parameters
        ----------
        username
            The account.

        Raises
        ------
        AuthenticationError
            If nobody does, or it fails; its ``code`` says why. Tokens are as before then.
        """
        refuse_unsendable(username)
        with self._lock:
            self._sign_in(username)

    def revoke(self, username: str) -> bool:
        """Have the server forget the account's tokens, and forget them here.

        Parameters
        ----------
        username
            The account.

        Returns
        -------
        bool
            Whether the server was told. Microsoft has no way to: withdraw the access in the
            settings of the account.

        Raises
        ------
        AuthenticationError
            If the server cannot be told. The tokens are kept then, to try again.
        """
        with self._lock, self._tokens.locked():
            token = self._load(username)
            if token is None:
                return False
            server = self._connect()
            told = bool(server.endpoints.revocation)
            if told:
                server.revoke(token)
            self._tokens.forget(username)
        log.info("signed %s out of %s", username, server.endpoints.name)
        return told

    def _load(self, username: str) -> Token | None:
        token = self._tokens.load(username)
        if token is None:
            return None
        # One client's refresh token is of no use to another, and no other server may see it.
        mine = (self.client_id, self.discovery_url or self.provider)
        return token if (token.client_id, token.server) == mine else None

    def _is_good(self, username: str, token: Token, *, fresh: bool) -> bool:
        if not token.access_token:
            return False
        if token.expires_at is not None and token.expires_at <= time.time() + MARGIN:
            return False
        if not fresh:
            return True
        # The one refused is what this thread had; since then another may have got a new one.
        refused = getattr(self._given, "tokens", {}).get(username, token.access_token)
        return bool(token.access_token != refused)

    def _remember(self, username: str, token: Token) -> None:
        if not hasattr(self._given, "tokens"):
            self._given.tokens = {}
        self._given.tokens[username] = token.access_token

    def _renew(self, username: str, seen: Token) -> Token:
        """Refresh a token, unless another process has done so meanwhile."""
        with self._tokens.locked():
            token = self._load(username) or seen
            if token.access_token != seen.access_token and self._is_good(
                username, token, fresh=False
            ):
                return token
            server = self._connect()
            granted = self._refresh(server, username, token)
            if granted.token is None:
                # Keyrings have no locks: another process may have used this one up.
                newer = self._load(username)
                if newer is not None and newer.refresh_token != token.refresh_token:
                    granted = self._refresh(server, username, newer)
            if granted.token is None:
                raise refusal(server.endpoints, "refresh", granted.answer)
            self._tokens.save(username, granted.token)
        log.info("got a new token for %s from %s", username, server.endpoints.name)
        return granted.token

    def _refresh(self, server: OAuthServer, username: str, token: Token) -> Granted:
        if not token.refresh_token:
            raise AuthenticationError(
                f"The token for {username} has ended, and {server.endpoints.name} gave none to "
                "refresh it with.",
                suggestion="Sign in again: authenticator.authorize(username). To stay signed in, "
                "the scopes of most servers must have offline_access.",
                code="no-refresh-token",
            )
        return server.refresh(token)

    def _sign_in(self, username: str) -> Token:
        # What is wrong with the file is to be known before somebody signs in for nothing.
        self._tokens.load(username)
        with self._tokens.locked():
            pass
        server = self._connect()
        flow = self._flow or choose_flow(has_device=bool(server.endpoints.device))
        granted = sign_in(flow, server, username, self._redirect_uri, self._person)
        if granted.token is None:
            raise refusal(server.endpoints, "code", granted.answer)
        _check_scope(server, granted.token)
        if self._check_account:
            _check_account(server, granted, username)
        with self._tokens.locked():
            self._tokens.save(username, granted.token)
        log.info("signed in as %s at %s", username, server.endpoints.name)
        return granted.token

    def _connect(self) -> OAuthServer:
        """Find the server, the first time."""
        if self._server is None:
            if self.discovery_url:
                endpoints = discovered_endpoints(self.discovery_url, self.scopes)
            else:
                endpoints = known_endpoints(self.provider or "", self.scopes)
            if endpoints.needs_secret and not self._secret.value:
                raise AuthenticationError(
                    f"{endpoints.name} wants a client secret too.",
                    suggestion="It stands beside the client id, on the page where the application "
                    "is registered: client_secret=…",
                    code="client-secret-missing",
                )
            self._server = OAuthServer(endpoints, self.client_id, self._secret)
        return self._server


def _is_address(redirect_uri: str) -> bool:
    try:
        parts = urlsplit(redirect_uri)
        return bool(parts.scheme and parts.hostname and parts.port != 0)
    except ValueError:  # a port that is none
        return False


def _check_scope(server: OAuthServer, token: Token) -> None:
    """Refuse a token that opens no mailbox, where the server says what it granted."""
    wanted = set(map(_plain, server.endpoints.scopes)) - _NOT_FOR_MAIL
    granted = set(map(_plain, token.scope.split()))
    if wanted and granted and not wanted & granted:
        raise AuthenticationError(
            f"{server.endpoints.name} granted a token that opens no mailbox.",
            reply=f"scope: {printable(token.scope)}",
            suggestion="Sign in again, and leave the box for mail ticked: "
            "authenticator.authorize(username).",
            code="token-without-scope",
        )


def _check_account(server: OAuthServer, granted: Granted, username: str) -> None:
    """Refuse the token of another account, where the server says whose it is."""
    try:
        accounts = {name for name in server.accounts(granted) if "@" in name}
    except AuthenticationError as error:  # the IMAP server will say so if it is the wrong one
        log.warning("nobody says who signed in: %s", error.tried)
        return
    if "@" in username and accounts and username.casefold() not in accounts:
        raise AuthenticationError(
            f"{printable(', '.join(sorted(accounts)))} signed in, not {username}.",
            suggestion=f"Sign in as {username}: in a private window if the browser chooses the "
            "account by itself. For a shared mailbox or an alias: check_account=False.",
            code="wrong-account",
        )


def _plain(scope: str) -> str:
    """Return what counts of a scope; Microsoft answers with or without the address in front."""
    return scope.rstrip("/").rpartition("/")[2].casefold()
