"""Access tokens for IMAP, for as long as somebody allows: signing in once, then refreshing."""

from __future__ import annotations

import logging
import threading
import time
import webbrowser
from contextlib import nullcontext
from typing import TYPE_CHECKING

from mailframe.exceptions import AuthenticationError, SaveError
from mailframe.imap.asking import ask_secret
from mailframe.imap.credentials import Secret
from mailframe.imap.oauth.arguments import check_arguments, check_client, scopes_of
from mailframe.imap.oauth.endpoints import discovered_endpoints, is_microsofts, known_endpoints
from mailframe.imap.oauth.flows import Person, choose_flow, sign_in
from mailframe.imap.oauth.grants import check_account, check_scope
from mailframe.imap.oauth.refusals import refusal
from mailframe.imap.oauth.server import OAuthServer
from mailframe.imap.oauth.tokens import FileTokens, KeyringTokens, MemoryTokens
from mailframe.imap.providers import oauth_settings
from mailframe.imap.sasl import refuse_unsendable, sasl_xoauth2

if TYPE_CHECKING:
    import os
    from collections.abc import Callable, Iterable
    from contextlib import AbstractContextManager

    from mailframe.imap.oauth.server import Granted
    from mailframe.imap.oauth.tokens import Token, Tokens

__all__ = ["OAuth2Authenticator"]

log = logging.getLogger(__name__)

#: A token is replaced when it has no more than these seconds to live.
MARGIN = 60


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
        What to ask for, if other than usual; a single text has blanks between them.
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
    proxy
        The address of a proxy to go through, as for `mailframe.connect`; a SOCKS proxy needs
        ``requests[socks]``. The browser has settings of its own.
    open_browser, ask, tell
        How whoever signs in is spoken to: show a page, ask for a line, show a line. By default
        lines are asked for with `getpass`, whose answers are kept in no notebook.

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
        scopes: str | Iterable[str] | None = None,
        keyring: bool = False,
        flow: str | None = None,
        redirect_uri: str | None = None,
        timeout: float = 300,
        check_account: bool = True,
        proxy: str | None = None,
        open_browser: Callable[[str], object] = webbrowser.open,
        ask: Callable[[str], str] | None = None,
        tell: Callable[[str], object] = print,
    ) -> None:
        check_client(client_id, client_secret)
        texts = {
            "provider": provider,
            "discovery_url": discovery_url,
            "flow": flow,
            "redirect_uri": redirect_uri,
            "proxy": proxy,
        }
        check_arguments(token_file, timeout, texts | {"keyring": keyring})
        self.client_id = client_id
        self.provider = None if discovery_url else oauth_settings(provider or "google").key
        self.discovery_url = discovery_url
        self.scopes = scopes_of(scopes)
        self._secret = Secret(client_secret or "")
        self._proxy = Secret(proxy or "")
        self._flow = flow
        is_microsoft = self.provider == "microsoft" or is_microsofts(discovery_url or "")
        local = "localhost" if is_microsoft else "127.0.0.1"
        self._redirect_uri = redirect_uri or f"http://{local}"
        self._check_account = check_account
        self._person = Person(open_browser, ask or ask_secret, tell, timeout)
        self._tokens: Tokens = MemoryTokens()
        if token_file is not None:
            self._tokens = FileTokens(token_file)
        elif keyring:
            self._tokens = KeyringTokens()
        #: What could not be saved: the one before it may have been used up.
        self._unsaved = MemoryTokens()
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
        _refuse_odd(username)
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
        _refuse_odd(username)
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
            self._unsaved.forget(username)
            self._tokens.forget(username)
        log.info("signed %s out of %s", username, server.endpoints.name)
        return told

    def _load(self, username: str) -> Token | None:
        token = self._unsaved.load(username) or self._tokens.load(username)
        if token is None:
            return None
        # One client's refresh token is of no use to another, and no other server may see it.
        mine = (self.client_id, self.discovery_url or self.provider)
        return token if (token.client_id, token.server) == mine else None

    def _keep(self, username: str, token: Token, lock: AbstractContextManager[None]) -> None:
        """Save a token, or at least remember it: its refresh token may be the only good one."""
        try:
            with lock:
                self._tokens.save(username, token)
        except (AuthenticationError, SaveError) as error:
            self._unsaved.save(username, token)
            why = " ".join(filter(None, (error.tried, error.reply, error.suggestion)))
            log.warning("the token of %s is kept in memory only: %s", username, why)
        else:
            self._unsaved.forget(username)

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
            if granted.answer.error == "invalid_grant":
                self._unsaved.forget(username)  # another process may have signed in and saved
            if granted.token is None:
                # Keyrings have no locks: another process may have used this one up.
                newer = self._load(username)
                if newer is not None and newer.refresh_token != token.refresh_token:
                    granted = self._refresh(server, username, newer)
            if granted.token is None:
                raise refusal(server.endpoints, "refresh", granted.answer)
            self._keep(username, granted.token, nullcontext())
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
        check_scope(server, granted.token)
        if self._check_account:
            check_account(server, granted, username)
        self._keep(username, granted.token, self._tokens.locked())
        log.info("signed in as %s at %s", username, server.endpoints.name)
        return granted.token

    def _connect(self) -> OAuthServer:
        """Find the server, the first time."""
        if self._server is None:
            if self.discovery_url:
                endpoints = discovered_endpoints(self.discovery_url, self.scopes, self._proxy.value)
            else:
                endpoints = known_endpoints(self.provider or "", self.scopes)
            if endpoints.needs_secret and not self._secret.value:
                raise AuthenticationError(
                    f"{endpoints.name} wants a client secret too.",
                    suggestion="It stands beside the client id, on the page where the application "
                    "is registered: client_secret=…",
                    code="client-secret-missing",
                )
            self._server = OAuthServer(endpoints, self.client_id, self._secret, self._proxy)
        return self._server


def _refuse_odd(username: object) -> None:
    if not isinstance(username, str) or not username:
        raise TypeError(f"username is the account, a text: not {username!r}.")
    refuse_unsendable(username)
