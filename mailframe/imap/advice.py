"""What a refusal means, and what to do next at that provider.

The server's words are looked up in a table (`refusals`); the pages that the advice names are the
provider's own (``providers.toml``). What no rule knows is left as it is.
"""

from __future__ import annotations

import re
from contextlib import contextmanager
from typing import TYPE_CHECKING, Literal

from mailframe.exceptions import ConnectionFailedError, MailframeError
from mailframe.imap.failures import LOST, UNREACHED
from mailframe.imap.providers import oauth_settings, provider_of, provider_of_host
from mailframe.imap.refusals import NO_PASSWORD_OF_THE_ACCOUNT, RULES

if TYPE_CHECKING:
    from collections.abc import Iterator

    from mailframe.imap.providers import Provider
    from mailframe.imap.refusals import Rule

__all__ = ["explained", "explaining"]

_MOST = 10_000  # characters of a reply that are looked at; real ones have hundreds


def explained(
    error: MailframeError,
    *,
    host: str,
    username: str = "",
    method: Literal["password", "oauth"] = "password",
    provider: Provider | None = None,
) -> MailframeError:
    """Say what an error means and what to do, where the server's words tell.

    Parameters
    ----------
    error
        As it was raised while connecting, logging in or asking for a token. One that has a
        ``code`` is left as it is.
    host, username
        To whom, and as whom.
    method
        By which the login was tried.
    provider
        Whose server it is; by default it is found from ``host`` and ``username``.

    Returns
    -------
    MailframeError
        The same one, with ``code`` and ``suggestion``. What the suggestion says behind its class's
        general one stays.
    """
    if error.code not in {"", LOST, UNREACHED}:  # whoever gave it knew what to say
        return error
    provider = provider or provider_of_host(host, username)
    rule = next((one for one in RULES if _fits(one, error, method, provider)), None)
    if rule is None:
        return error
    error.code = rule.code
    if rule.advice:
        general = type(error).suggestion
        rest = error.suggestion.removeprefix(general) if general else ""
        if rest == error.suggestion:
            rest = ""
        facts = _facts(error, host, username, provider)
        error.suggestion = f"{rule.advice.format_map(facts)}{rest}"
    return error


@contextmanager
def explaining(
    host: str,
    username: str = "",
    method: Literal["password", "oauth"] = "password",
    provider: Provider | None = None,
) -> Iterator[None]:
    """Explain what is raised in a ``with`` block: see `explained`."""
    try:
        yield
    except MailframeError as error:
        explained(error, host=host, username=username, method=method, provider=provider)
        raise


def _fits(rule: Rule, error: MailframeError, method: str, provider: Provider | None) -> bool:
    if not isinstance(error, rule.kind) or rule.method not in {"", method}:
        return False
    names = {provider.key, provider.oauth} if provider else set()
    if provider and "app-password" in provider.accepts and "password" not in provider.accepts:
        names.add(NO_PASSWORD_OF_THE_ACCOUNT)
    if rule.whose and rule.whose.isdisjoint(names):
        return False
    words = error.reply
    if isinstance(error, ConnectionFailedError):
        # What we find before anybody answers.
        words = f"{error.tried}\n{words}\n{error.code}"
    return re.search(rule.words, words[:_MOST], re.IGNORECASE) is not None


def _facts(
    error: MailframeError, host: str, username: str, provider: Provider | None
) -> dict[str, str]:
    """Make the parts of the advice that depend on who it is."""
    user = username or "the account"
    port = re.search(r"port (\d{1,5})\b", error.tried)
    number = port[1] if port else str(provider.port if provider else 993)
    at_home = provider_of(username)
    is_elsewhere = at_home is not None and at_home.host not in {"", host}
    facts = {
        "host": host,
        "username": user,
        "name": provider.name if provider else host,
        "port": number,
        "pem": f"{host}.pem",
        "fetch": _fetching(host, number),
        "again": f"Sign in again: mailframe login {username}." if username else "Sign in again.",
        "oauth": (provider and provider.oauth) or "...",
        "scope": "for IMAP",
        "app_password": "Make one in the security settings of the account.",
        "switch_on": "Switch it on in the settings of the mailbox, on the website.",
        "form": "the whole address, with most providers",
        "or_app_password": " Many providers accept only an app password, made in the account's "
        "security settings.",
        "better": "An app password or OAuth avoids it.",
        "also_on": "",
        "real_host": f" ({at_home.host})" if at_home and is_elsewhere else "",
        "limits": "",
        "page": "",
    }
    return facts | (_facts_of(provider) if provider else {})


def _facts_of(provider: Provider) -> dict[str, str]:
    facts = {}
    is_local_part = provider.username == "local part"
    facts["form"] = "what stands before the @" if is_local_part else "the whole address"
    page = provider.app_password_url
    facts["or_app_password"] = ""
    if page and "app-password" in provider.accepts:
        facts["app_password"] = f"Make one: {page}."
        facts["or_app_password"] = (
            f" With two-factor authentication it has to be an app password: {page}."
        )
    if provider.enable_imap_url:
        where = (
            ", there too" if provider.enable_imap_url == page else f": {provider.enable_imap_url}"
        )
        facts["switch_on"] = f"Switch it on: {provider.enable_imap_url}."
        facts["also_on"] = f" IMAP has to be switched on as well{where}."
    elif provider.help_url:
        facts["switch_on"] = f"See {provider.help_url}."
    if provider.oauth:
        scopes = oauth_settings(provider.oauth).scopes
        facts["scope"] = " ".join(one for one in scopes if one != "offline_access")
    if provider.limits:
        facts["limits"] = f" {provider.name} allows: {provider.limits}."
    if provider.help_url:
        facts["page"] = f" {provider.name} on this: {provider.help_url}."
    return facts


def _fetching(host: str, port: str) -> str:
    """Show how to fetch a certificate without trusting it, on a port with TLS or with STARTTLS."""
    if port in {"143", "1143"}:
        return (
            f"    openssl s_client -starttls imap -connect {host}:{port} </dev/null "
            f"| openssl x509 -out {host}.pem"
        )
    return (
        "    import pathlib, ssl\n"
        f'    pathlib.Path("{host}.pem").write_text('
        f'ssl.get_server_certificate(("{host}", {port})))'
    )
