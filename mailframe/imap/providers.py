"""Mail providers: where their IMAP servers are, what they accept, and whom to ask for a token.

The facts stand in ``providers.toml``, each with the page that says so and when it was looked up.
They were read, not tried: a server's own capabilities and words count for more.
"""

from __future__ import annotations

import functools
import tomllib
from dataclasses import dataclass
from importlib.resources import files
from typing import TYPE_CHECKING, Any

from mailframe.exceptions import NotSupportedError
from mailframe.imap.tls import is_local

if TYPE_CHECKING:
    from collections.abc import Iterable, Mapping

__all__ = [
    "OAuthSettings",
    "Provider",
    "oauth_settings",
    "provider_of",
    "provider_of_host",
    "provider_of_mx",
    "providers",
]

_LONGEST = 253  # a domain's name, RFC 1035 section 2.3.4


@dataclass(frozen=True, slots=True)
class Provider:
    """What is known of a mail provider.

    Attributes
    ----------
    key
        Its name in code: ``"gmail"``.
    name
        Its name among people.
    domains
        What follows the ``@`` in its own addresses; empty where all customers bring a domain.
    mx
        How the names of its MX hosts end, by which hosted domains are recognised.
    host, port, security
        Where its IMAP server is, as for `mailframe.connect`; no host where there is no IMAP.
    hosts
        Other names of the same server.
    username
        What to log in with: ``"address"`` or ``"local part"`` (what stands before the ``@``).
    accepts
        Out of ``"password"`` (the one of the account), ``"app-password"`` (one made for a
        program) and ``"oauth"``, the usual one first.
    oauth
        The key for `oauth_settings`; empty where there are none.
    app_password_url
        Where an app password is made.
    enable_imap_url
        Where IMAP is switched on, or where that is explained; empty where it always is.
    help_url
        The provider's own page about IMAP.
    limits
        Connections, traffic, size.
    quirks
        What else to know.
    sources
        Pairs: the page that says so, and when it was looked up.
    """

    key: str
    name: str
    host: str
    domains: tuple[str, ...] = ()
    mx: tuple[str, ...] = ()
    port: int = 993
    security: str = "tls"
    hosts: tuple[str, ...] = ()
    username: str = "address"
    accepts: tuple[str, ...] = ()
    oauth: str = ""
    app_password_url: str = ""
    enable_imap_url: str = ""
    help_url: str = ""
    limits: str = ""
    quirks: str = ""
    sources: tuple[tuple[str, str], ...] = ()


@dataclass(frozen=True, slots=True)
class OAuthSettings:
    """Where a provider gives out OAuth 2.0 tokens for IMAP.

    Attributes
    ----------
    key, name
        In code and among people.
    authorization_endpoint, token_endpoint
        RFC 6749 section 3.
    device_endpoint
        RFC 8628 section 3.1; None where there is none for IMAP's scope.
    revocation_endpoint
        RFC 7009; None where there is none.
    scopes
        What to ask for, in order.
    parameters
        What else the authorization request carries, as pairs.
    needs_secret
        Whether the token endpoint wants a client secret of installed applications too.
    sources
        Pairs: the page that says so, and when it was looked up.
    """

    key: str
    name: str
    authorization_endpoint: str
    token_endpoint: str
    device_endpoint: str | None = None
    revocation_endpoint: str | None = None
    scopes: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    needs_secret: bool = False
    sources: tuple[tuple[str, str], ...] = ()


@functools.cache
def _table() -> Mapping[str, Any]:
    """Read the table, once somebody asks for a provider."""
    text = files("mailframe.imap").joinpath("providers.toml").read_text("utf-8")
    return tomllib.loads(text)


def _frozen(value: Any) -> Any:
    return tuple(map(_frozen, value)) if isinstance(value, list) else value


def _fields(entry: Mapping[str, Any]) -> dict[str, Any]:
    return {name: _frozen(value) for name, value in entry.items()}


@functools.cache
def providers() -> tuple[Provider, ...]:
    """Return all providers in the table, in its order."""
    return tuple(Provider(**_fields(entry)) for entry in _table()["provider"])


@functools.cache
def _domains() -> Mapping[str, Provider]:
    return {domain: one for one in reversed(providers()) for domain in one.domains}


def _plain(domain: str) -> str:
    """Bring a domain into the form it has in the table: lower case, ASCII, no dot at the end."""
    domain = domain.strip().rstrip(".").lower()
    if domain.isascii() or len(domain) > _LONGEST:
        return domain
    try:
        return domain.encode("idna").decode("ascii")
    except UnicodeError:  # no domain: not in the table
        return domain


def provider_of(address: str) -> Provider | None:
    """Return the provider of an address by its domain, None if that is not in the table.

    Parameters
    ----------
    address
        ``"me@example.com"``, or the domain alone, in any case.

    Examples
    --------
    >>> provider_of("somebody@gmail.com").host
    'imap.gmail.com'
    >>> provider_of("example.com") is None
    True
    """
    domain = _plain(address.rpartition("@")[2])
    # "*." in the table: its customers have a domain each below it.
    return _domains().get(domain) or _domains().get(f"*.{domain.partition('.')[2]}")


def provider_of_host(host: str, username: str = "") -> Provider | None:
    """Return the provider whose IMAP server has that name, None if it is nobody's in the table.

    Parameters
    ----------
    host
        As for `mailframe.connect`. Any server may be on this machine: what is there is nobody's
        but Proton's, whose address shows it.
    username
        Tells apart who shares a server: Gmail and Google Workspace, Outlook.com and Microsoft 365.

    Examples
    --------
    >>> provider_of_host("imap.gmail.com", "me@gmail.com").name
    'Gmail'
    >>> provider_of_host("imap.gmail.com", "me@example.com").name
    'Google Workspace'
    """
    name = _plain(host)
    known = provider_of(username) if "@" in username else None
    if is_local(name):
        return known if known is not None and is_local(known.host) else None
    found = [one for one in providers() if one.host and name in {one.host, *one.hosts}]
    if known in found or not found:
        return known if found else None
    # In the table, whoever serves its customers' domains stands behind who serves its own.
    return found[-1 if "@" in username else 0]


def provider_of_mx(hosts: Iterable[str]) -> Provider | None:
    """Return the provider that receives a domain's mail, None if it is nobody's in the table.

    Parameters
    ----------
    hosts
        The domain's MX hosts, most preferred first; the first that is known decides.

    Examples
    --------
    >>> provider_of_mx(["aspmx.l.google.com.", "alt1.aspmx.l.google.com."]).name
    'Google Workspace'
    """
    for host in map(_plain, hosts):
        # The longest decides: Yahoo's and AOL's hosts are in one domain.
        fitting = [
            (len(name), one)
            for one in providers()
            for name in one.mx
            if host == name or host.endswith(f".{name}")
        ]
        if fitting:
            return max(fitting, key=lambda pair: pair[0])[1]
    return None


def oauth_settings(key: str) -> OAuthSettings:
    """Return where and how a provider gives out tokens for IMAP.

    Parameters
    ----------
    key
        ``"google"``, ``"microsoft"``, ``"yahoo"``, … in any case; or the key of a provider whose
        tokens come from one of them: ``"gmail"``.

    Raises
    ------
    NotSupportedError
        If there are no settings under that name.

    Examples
    --------
    >>> oauth_settings("Gmail").key
    'google'
    """
    table = _table()["oauth"]
    name = key.strip().casefold()
    if name not in table:
        name = next((one.oauth for one in providers() if one.key == name), "")
    if name not in table:
        raise NotSupportedError(
            f"No OAuth settings are known for {key!r}.",
            suggestion=f"Known are {', '.join(sorted(table))}; any other server can be named by "
            "its OpenID discovery document.",
        )
    entry = _fields(table[name])
    parameters = tuple(entry.pop("parameters", {}).items())
    return OAuthSettings(key=name, parameters=parameters, **entry)
