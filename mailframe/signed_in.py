"""What ``mailframe whoami`` and ``mailframe logout`` do: which secrets there are, and none."""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from typing import TYPE_CHECKING

from mailframe.exceptions import AuthenticationError, MailframeError, NotSupportedError
from mailframe.imap import accounts, credentials, netrc
from mailframe.imap.accounts import Account, find_account, has_keyring
from mailframe.imap.credentials import find_password
from mailframe.imap.providers import oauth_settings, provider_of, provider_of_host
from mailframe.imap.tls import PORTS
from mailframe.imap.way_in import WayIn, tokens_for
from mailframe.terminal import clean

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailframe.imap.oauth.tokens import Token

__all__ = ["SECURITY", "logout", "say", "whoami"]

#: How a connection is secured, in words.
SECURITY = {"tls": "TLS", "starttls": "STARTTLS", "none": "not encrypted"}


def whoami(address: str | None = None) -> int:
    """Print the accounts signed in to, and where their secrets would come from now.

    Nobody is asked for anything, neither people nor servers.

    Parameters
    ----------
    address
        Only this one, also if it was never signed in to; None for all.

    Returns
    -------
    int
        0.

    Raises
    ------
    MailframeError
        If nothing at all is known of the address.
    """
    listed = accounts.known() if address is None else [_whatever_is_known(address)]
    if not listed:
        print(
            "No account was signed in to on this machine: mailframe login me@example.com"
            if has_keyring()
            else "This machine has no keyring to remember accounts in; of any one, "
            "mailframe whoami me@example.com says what is known.",
            file=sys.stderr,
        )
        return 0
    import pandas as pd  # noqa: PLC0415 login needs none

    from mailframe.layout import lay_out  # noqa: PLC0415 likewise

    frame = pd.DataFrame([_row(account) for account in listed])
    if sys.stdout.isatty():
        say("\n".join(lay_out(frame, shutil.get_terminal_size().columns)))
    else:
        frame.to_csv(sys.stdout, index=False)
    return 0


def logout(address: str) -> int:
    """Forget an account and its secrets, as far as they are kept by mailframe.

    Parameters
    ----------
    address
        As it was signed in to.

    Returns
    -------
    int
        0.

    Raises
    ------
    MailframeError
        If there was nothing to forget.
    """
    account = find_account(address) or _at_provider(address)
    username = account.login or account.username
    done = [*_forget_tokens(username), *_forget_passwords(account)]
    if accounts.forget(address):
        done.append(f"{address} is no longer among the accounts signed in to.")
    for line in (*done, *_what_stays(username, account.host)):
        say(line)
    if not done:
        raise MailframeError(
            f"Nothing was kept for {address}.", suggestion="mailframe whoami lists what is."
        )
    return 0


def say(text: str) -> None:
    """Print a line at once: what follows it may take a while.

    Parameters
    ----------
    text
        Of anybody's making.
    """
    print(clean(text), flush=True)


# -- what is known


def _at_provider(address: str) -> Account:
    """Return the account as the table of providers has it; without a host if it does not."""
    provider = provider_of(address)
    if provider is None:
        return Account(address, "", PORTS["tls"], "tls", "password")
    login = address.rpartition("@")[0] if provider.username == "local part" else ""
    server = (provider.host, provider.port, provider.security)
    return Account(address, *server, "password", login=login)


def _whatever_is_known(address: str) -> Account:
    account = find_account(address) or _at_provider(address)
    if account.host or provider_of(address):
        return account
    try:
        find_password(address)
    except AuthenticationError:
        raise MailframeError(
            f"Nothing is known of {address}.", suggestion=f"mailframe login {shlex.quote(address)}"
        ) from None
    return account


def _row(account: Account) -> dict[str, str]:
    provider = provider_of(account.username)
    if account.host:
        server = f"{account.host}:{account.port}, {SECURITY.get(account.security, '')}"
        method, secret = _method_and_secret(account)
    elif provider:
        server, method, secret = f"{provider.name} has no IMAP", "", ""
    else:
        method, secret = _method_and_secret(account)
        server = "to be found"
    return {"account": account.username, "secret": secret, "server": server, "method": method}


def _method_and_secret(account: Account) -> tuple[str, str]:
    """Return how it would be signed in to now, and where the secret would come from."""
    username = account.login or account.username
    provider = provider_of_host(account.host, account.username)
    way = WayIn(account.host, username, account.port, account.security, provider=provider)
    try:
        tokens = tokens_for(way, account.oauth or None)
        if tokens is not None:
            # Authlib and more: not for those who sign in with passwords.
            from mailframe.imap.oauth.places import is_of, kept_token, place  # noqa: PLC0415

            token = kept_token(username)
            key, client_id = getattr(tokens, "provider", ""), getattr(tokens, "client_id", "")
            has_some = token is not None and is_of(token, key, client_id)
            where = f"OAuth tokens in {place()}"
            return "oauth", where if has_some else "asked for, by OAuth"
    except MailframeError as error:
        missing = error.code == "client-id-missing"
        return "oauth", "asked for: no client id" if missing else error.tried
    try:
        return "password", find_password(username, host=account.host).where
    except AuthenticationError:
        return "password", "asked for"


# -- what is forgotten


def _forget_tokens(username: str) -> Iterator[str]:
    from mailframe.imap.oauth.places import place, token_store  # noqa: PLC0415 as above

    try:
        store = token_store()
        token = None if store is None else store.load(username)
        if store is None or token is None:
            return
        revoked = _revoke(username, token)
        with store.locked():
            store.forget(username)  # also where the server was not told
    except MailframeError as error:
        say(f"The tokens could not be forgotten. {error}")
    else:
        yield f"The OAuth tokens are gone from {place()}. {revoked}"


def _revoke(username: str, token: Token) -> str:
    """Have the server forget a token; return what became of it in words."""
    from mailframe.imap.oauth.authenticator import OAuth2Authenticator  # noqa: PLC0415 as above
    from mailframe.imap.oauth.clients import TOKEN_FILE, find_client  # noqa: PLC0415 as above

    name, client = token.server, None
    withdraw = "Withdraw the access in the settings of your account there."
    file = os.environ.get(TOKEN_FILE) or None
    provider = "" if "://" in token.server else token.server
    try:
        if provider:
            name, client = oauth_settings(provider).name, find_client(provider)
        secret = client.client_secret if client and client.client_id == token.client_id else ""
        authenticator = OAuth2Authenticator(
            token.client_id,
            secret or None,
            file,
            provider=provider or None,
            discovery_url=None if provider else token.server,
            keyring=file is None,
        )
        told = authenticator.revoke(username)
    except MailframeError as error:
        return f"{name} could not be told: {error.tried} {withdraw}"
    return f"{name} has revoked them." if told else f"{name} takes none back. {withdraw}"


def _forget_passwords(account: Account) -> Iterator[str]:
    if not has_keyring():
        return
    username = account.login or account.username
    for name in dict.fromkeys((username, account.username)):
        for host in dict.fromkeys(("", account.host)):
            try:
                if credentials.forget(name, host=host):
                    only = f" for {host}" if host else ""
                    yield f"The password of {name}{only} is gone from the keyring."
            except NotSupportedError as error:
                say(str(error))


def _what_stays(username: str, host: str) -> Iterator[str]:
    for name in (credentials.variable(username), credentials.VARIABLE):
        if os.environ.get(name):
            yield f"A password stays in the environment variable {name}: unset it yourself."
    path = netrc.where()
    try:
        stays = host and netrc.look_up(path, host, username)
    except netrc.LeftAsideError:  # whatever is in it is not used
        return
    if stays:
        yield f"A password stays in {path}: remove it there yourself."
