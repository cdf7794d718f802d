"""Where this machine keeps tokens: the file that ``MAILFRAME_TOKEN_FILE`` names, or the keyring."""

from __future__ import annotations

import os
from typing import TYPE_CHECKING

from mailframe.imap.accounts import has_keyring
from mailframe.imap.oauth.clients import TOKEN_FILE
from mailframe.imap.oauth.tokens import FileTokens, KeyringTokens

if TYPE_CHECKING:
    from mailframe.imap.oauth.tokens import Token, Tokens

__all__ = ["is_of", "kept_token", "place", "token_store"]


def place() -> str:
    """Return where tokens are kept, in words; empty where that is nowhere."""
    return os.environ.get(TOKEN_FILE) or ("the keyring" if has_keyring() else "")


def token_store() -> Tokens | None:
    """Return where `clients.authenticator_for` keeps tokens; None where that is nowhere."""
    file = os.environ.get(TOKEN_FILE)
    if file:
        return FileTokens(file)
    return KeyringTokens() if has_keyring() else None


def kept_token(username: str) -> Token | None:
    """Return an account's token as it is kept, whoever gave it out; None if there is none.

    Raises
    ------
    AuthenticationError
        As for `FileTokens.load` and `KeyringTokens.load`.
    """
    store = token_store()
    return None if store is None else store.load(username)


def is_of(token: Token, server: str, client_id: str) -> bool:
    """Whether a token was given to that client by that server: nobody else may see it."""
    return (token.server, token.client_id) == (server, client_id)
