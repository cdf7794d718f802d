"""Whether what was granted is what was asked for: a mailbox's token, and the right account's."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING

from mailframe.exceptions import AuthenticationError
from mailframe.imap.oauth.calls import printable

if TYPE_CHECKING:
    from mailframe.imap.oauth.server import Granted, OAuthServer
    from mailframe.imap.oauth.tokens import Token

__all__ = ["check_account", "check_scope"]

log = logging.getLogger(__name__)

#: Of OpenID Connect: they open no mailbox, and servers may leave them out of what they granted.
_NOT_FOR_MAIL = {"openid", "email", "profile", "address", "phone", "offline_access"}


def check_scope(server: OAuthServer, token: Token) -> None:
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


def check_account(server: OAuthServer, granted: Granted, username: str) -> None:
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
