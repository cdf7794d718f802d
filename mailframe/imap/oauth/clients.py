"""The OAuth client that a user has registered: where its id is kept, so that it is given once.

mailframe has none of its own. Environment variables go before the keyring.
"""

from __future__ import annotations

import json
import logging
import os
import re
import threading
from pathlib import Path
from typing import NamedTuple

from mailframe.exceptions import AuthenticationError, NotSupportedError
from mailframe.imap.accounts import has_keyring
from mailframe.imap.credentials import Secret
from mailframe.imap.oauth.authenticator import OAuth2Authenticator
from mailframe.imap.oauth.endpoints import TENANT
from mailframe.imap.providers import oauth_settings

__all__ = ["Client", "authenticator_for", "find_client", "forget_client", "save_client"]

log = logging.getLogger(__name__)

#: The name of our entries in a keyring.
SERVICE = "mailframe-oauth-client"
TOKEN_FILE = "MAILFRAME_TOKEN_FILE"  # noqa: S105 the name of a variable


class Client(NamedTuple):
    """An application registered with a provider.

    Attributes
    ----------
    client_id, client_secret
        As its page there has them; a public client has no secret.
    """

    client_id: str
    client_secret: str

    def __repr__(self) -> str:
        return f"Client({self.client_id!r})"


class _Setup(NamedTuple):
    """What makes one authenticator another than the next. No secret is in its repr."""

    provider: str
    client_id: str
    client_secret: Secret
    proxy: Secret
    file: str
    in_keyring: bool
    tenant: str


#: Tokens in memory, and the one that could not be saved, are to outlast a single connection.
_MADE: dict[_Setup, OAuth2Authenticator] = {}
_LOCK = threading.Lock()


def variable(key: str) -> str:
    """Name the environment variable of a provider's client id.

    Examples
    --------
    >>> variable("google")
    'MAILFRAME_GOOGLE_CLIENT_ID'
    """
    return f"MAILFRAME_{re.sub('[^A-Z0-9]', '_', key.upper())}_CLIENT_ID"


def find_client(key: str) -> Client | None:
    """Return the client for a provider: from the environment, else from the keyring.

    Parameters
    ----------
    key
        ``"google"``, ``"microsoft"``, …
    """
    key = _canonical(key)
    name = variable(key)
    if os.environ.get(name):
        secret = os.environ.get(name.removesuffix("ID") + "SECRET", "")
        return Client(os.environ[name], secret)
    try:
        import keyring  # noqa: PLC0415 an extra

        kept = json.loads(keyring.get_password(SERVICE, key) or "null")
        return Client(str(kept["client_id"]), str(kept["client_secret"])) if kept else None
    except Exception:  # noqa: BLE001 no keyring, or one that cannot be read, is none
        return None


def save_client(key: str, client: Client) -> None:
    """Put the client for a provider into the keyring.

    Raises
    ------
    NotSupportedError
        If there is no keyring, or it does not keep it.
    """
    key, problem = _canonical(key), ""
    try:
        import keyring  # noqa: PLC0415 an extra

        keyring.set_password(SERVICE, key, json.dumps(client._asdict()))
    except Exception as error:  # noqa: BLE001 a back-end raises what its system does
        problem = type(error).__name__
    if problem or find_client(key) is None:
        raise NotSupportedError(
            f"This machine's keyring did not take the client id ({problem or 'it is not there'}).",
            suggestion=f"The environment variable {variable(key)} can hold it.",
        )


def forget_client(key: str) -> None:
    """Take the client for a provider out of the keyring, if it is there."""
    try:
        import keyring  # noqa: PLC0415 an extra

        keyring.delete_password(SERVICE, _canonical(key))
    except Exception:  # noqa: BLE001, S110 it was not there, or there is no keyring
        pass


def _canonical(key: str) -> str:
    """Return the name of a provider's settings; any other stays as it is."""
    try:
        return oauth_settings(key).key
    except NotSupportedError:
        return key


def authenticator_for(key: str, proxy: str | None = None) -> OAuth2Authenticator:
    """Return what gets tokens from a provider, by the client that was registered there.

    Tokens are kept in the file that ``MAILFRAME_TOKEN_FILE`` names, else in the keyring, and where
    there is none for as long as this process lasts: whoever asks again is given the same one.

    Parameters
    ----------
    key
        As for `oauth_settings`: ``"google"``, ``"microsoft"``, …
    proxy
        As for `OAuth2Authenticator`.

    Raises
    ------
    AuthenticationError
        If no client id is known.
    NotSupportedError
        If the provider is not.
    """
    settings = oauth_settings(key)
    client = find_client(settings.key)
    if client is None:
        name = variable(settings.key)
        raise AuthenticationError(
            f"Signing in to {settings.name} by OAuth takes a client id, and mailframe has none "
            "of its own.",
            suggestion=f"Register an application with {settings.name}, then set {name}"
            f"{' and ' + name.removesuffix('ID') + 'SECRET' if settings.needs_secret else ''}, "
            f'or pass oauth=OAuth2Authenticator(client_id="…", provider={settings.key!r}).',
            code="client-id-missing",
        )
    file = os.environ.get(TOKEN_FILE) or ""
    setup = _Setup(
        settings.key,
        client.client_id,
        Secret(client.client_secret),
        Secret(proxy or ""),
        os.path.realpath(Path(file).expanduser()) if file else "",
        not file and has_keyring(),
        os.environ.get(TENANT, ""),
    )
    with _LOCK:
        if setup not in _MADE:
            _MADE[setup] = _made(setup)
        return _MADE[setup]


def _made(setup: _Setup) -> OAuth2Authenticator:
    if _is_forgetful(setup) and not any(map(_is_forgetful, _MADE)):
        log.warning(
            "tokens are kept until this program ends: there is no keyring, and %s names no file",
            TOKEN_FILE,
        )
    return OAuth2Authenticator(
        setup.client_id,
        setup.client_secret.value or None,
        token_file=setup.file or None,
        provider=setup.provider,
        keyring=setup.in_keyring,
        proxy=setup.proxy.value or None,
    )


def _is_forgetful(setup: _Setup) -> bool:
    return not setup.file and not setup.in_keyring
