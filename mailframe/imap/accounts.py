"""Which accounts were signed in to on this machine: kept in the keyring, without any secret."""

from __future__ import annotations

import json
import logging
from typing import TYPE_CHECKING, Any, NamedTuple

from mailframe.imap.tls import PORTS

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Account", "find_account", "forget", "has_keyring", "known", "remember"]

log = logging.getLogger(__name__)

#: The name of our one entry in a keyring; keyrings can look up, but not list.
SERVICE = "mailframe-accounts"
_ENTRY = "accounts"
_METHODS = ("password", "oauth")
_HIGHEST_PORT = 65_535


class Account(NamedTuple):
    """An account that was signed in to.

    Attributes
    ----------
    username
        Who it is: the address.
    host, port, security
        The server, as for `mailframe.connect`.
    method
        ``"password"`` or ``"oauth"``.
    oauth
        Whose tokens, for the latter: a key for `providers.oauth_settings`.
    login
        What the server calls the user, if not by the address.
    """

    username: str
    host: str
    port: int
    security: str
    method: str
    oauth: str = ""
    login: str = ""


def remember(account: Account) -> bool:
    """Keep an account, in place of what was known of it.

    Returns
    -------
    bool
        Whether it is kept; not where there is no keyring.
    """
    accounts = _read()
    if accounts is None:
        return False
    kept = [*_others(accounts, account.username), account]
    return _write(kept) and find_account(account.username) == account


def known() -> list[Account]:
    """Return the accounts, the last signed in to last.

    Returns
    -------
    list of Account
        Empty where there is no keyring.
    """
    return _read() or []


def find_account(username: str) -> Account | None:
    """Return the account of that address, None if nobody has signed in to it.

    Parameters
    ----------
    username
        The address, in any case.
    """
    name = username.casefold()
    return next((one for one in known() if one.username.casefold() == name), None)


def forget(username: str) -> bool:
    """Remove an account.

    Parameters
    ----------
    username
        The address, in any case.

    Returns
    -------
    bool
        Whether it was there, and has gone.
    """
    accounts = _read() or []
    rest = _others(accounts, username)
    return len(rest) < len(accounts) and _write(rest)


def has_keyring() -> bool:
    """Whether this machine has a keyring that keeps what it is given."""
    try:
        import keyring  # noqa: PLC0415 an extra

        # What keeps nothing (null), or raises whatever is asked of it (fail), is not above 0.
        return float(keyring.get_keyring().priority) > 0
    except Exception:  # noqa: BLE001 a broken one is as good as none
        return False


def _others(accounts: Iterable[Account], username: str) -> list[Account]:
    return [one for one in accounts if one.username.casefold() != username.casefold()]


def _read() -> list[Account] | None:
    """Return what is kept; None where there is no keyring, or it cannot be read."""
    if not has_keyring():
        return None
    try:
        import keyring  # noqa: PLC0415 an extra

        text = keyring.get_password(SERVICE, _ENTRY)
    except Exception as error:  # noqa: BLE001 a back-end raises what its system does
        log.info("the keyring cannot be read (%s)", type(error).__name__)
        return None
    try:
        entries = json.loads(text or "[]")
    except (ValueError, RecursionError):
        entries = []
    found = map(_account_of, entries if isinstance(entries, list) else [])
    return [one for one in found if one is not None]


def _write(accounts: Iterable[Account]) -> bool:
    text = json.dumps([account._asdict() for account in accounts])
    try:
        import keyring  # noqa: PLC0415 an extra

        keyring.set_password(SERVICE, _ENTRY, text)
    except Exception as error:  # noqa: BLE001 as above
        log.info("the keyring did not take the account (%s)", type(error).__name__)
        return False
    return True


def _account_of(entry: Any) -> Account | None:
    """Read an account as it was kept; None for anything else: a password goes where this says."""
    if not isinstance(entry, dict):
        return None
    names = [name for name in Account._fields if name != "port"]
    texts = {name: entry.get(name, "") for name in names}
    port = entry.get("port")
    if not all(isinstance(text, str) and text.isprintable() for text in texts.values()):
        return None
    if not isinstance(port, int) or isinstance(port, bool) or not 0 < port <= _HIGHEST_PORT:
        return None
    if not texts["username"] or not texts["host"] or texts["method"] not in _METHODS:
        return None
    return Account(port=port, **texts) if texts["security"] in PORTS else None
