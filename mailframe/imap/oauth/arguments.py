"""What an authenticator is told: refused at once where it cannot be right."""

from __future__ import annotations

import os
from numbers import Real  # numpy's, too
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mailframe.exceptions import AuthenticationError
from mailframe.imap.oauth.flows import FLOWS

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["check_arguments", "check_client", "scopes_of"]

_TEXTS = ("provider", "discovery_url", "flow", "redirect_uri", "proxy")


def check_client(client_id: object, client_secret: object) -> None:
    """Refuse a client that is none.

    Raises
    ------
    AuthenticationError
        If there is no id, with the code ``"client-id-missing"``.
    TypeError, ValueError
        If one of them is no text, or not one line of it.
    """
    if not client_id:
        raise AuthenticationError(
            "mailframe has no client id of its own.",
            suggestion="Register an application with the provider (Google Cloud console, "
            "Microsoft Entra admin center, …), and pass its client_id=.",
            code="client-id-missing",
        )
    for name, value in (("client_id", client_id), ("client_secret", client_secret or "")):
        if not isinstance(value, str):
            raise TypeError(f"{name} is a text, not of the type {type(value).__name__}.")
        if not value.isprintable():
            raise ValueError("client_id or client_secret was not copied right: a line break?")


def check_arguments(token_file: object, timeout: object, options: dict[str, Any]) -> None:
    """Refuse what does not go together, and what is of a wrong kind.

    Parameters
    ----------
    token_file, timeout
        As for `OAuth2Authenticator`.
    options
        Its other arguments by name, those whose value is a text or None, and ``keyring``.

    Raises
    ------
    TypeError, ValueError
        In words.
    """
    for name in _TEXTS:
        if not isinstance(options[name], str | None):
            kind = type(options[name]).__name__
            raise TypeError(f"{name} is a text or None, not of the type {kind}.")
    if not isinstance(token_file, str | os.PathLike | None):
        kind = type(token_file).__name__
        raise TypeError(f"token_file is a path or None, not of the type {kind}.")
    if isinstance(timeout, bool) or not isinstance(timeout, Real):
        raise TypeError(f"timeout is a number of seconds, not of the type {type(timeout).__name__}")
    if token_file is not None and options["keyring"]:
        raise ValueError("Tokens are kept in token_file or in the keyring, not in both.")
    if options["provider"] and options["discovery_url"]:
        raise ValueError("Name a provider or a discovery_url, not both.")
    flow, redirect_uri = options["flow"], options["redirect_uri"]
    if flow is not None and flow not in FLOWS:
        raise ValueError(f"flow={flow!r} is none of {', '.join(map(repr, FLOWS))}.")
    if redirect_uri is not None and not _is_address(redirect_uri):
        raise ValueError(f"redirect_uri={redirect_uri!r} is no address: http://127.0.0.1:8765")


def scopes_of(scopes: str | Iterable[str] | None) -> tuple[str, ...] | None:
    """Return scopes one by one; a single text has blanks between them, as in RFC 6749."""
    if scopes is None:
        return None
    return tuple(scopes.split()) if isinstance(scopes, str) else tuple(scopes)


def _is_address(redirect_uri: str) -> bool:
    try:
        parts = urlsplit(redirect_uri)
        return bool(parts.scheme and parts.hostname and parts.port != 0)
    except ValueError:  # a port that is none
        return False
