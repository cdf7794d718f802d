"""Where an OAuth server is asked for what: from the table of providers, or by discovery."""

from __future__ import annotations

import os
import re
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mailframe.exceptions import AuthenticationError
from mailframe.imap.oauth.calls import call, new_session, nobody, printable, refuse_clear_text
from mailframe.imap.providers import oauth_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["TENANT", "Endpoints", "discovered_endpoints", "is_microsofts", "known_endpoints"]

_WELL_KNOWN = "/.well-known/openid-configuration"
_MICROSOFT = "login.microsoftonline.com"
#: Whose accounts may sign in: a domain or an id, "organizations" or "consumers"; else all of them.
TENANT = "MAILFRAME_MICROSOFT_TENANT"


@dataclass(frozen=True, slots=True)
class Endpoints:
    """Where an OAuth server is asked for what; ``""`` is what it does not have.

    Attributes
    ----------
    server
        The key of its settings, or the address of its discovery document.
    name
        What people call it.
    authorization, token, device, revocation, userinfo
        RFC 6749 section 3, RFC 8628 section 3.1, RFC 7009, OpenID Connect Core section 5.3.
    scopes
        What to ask for.
    parameters
        What else the authorization request carries, as pairs.
    needs_secret
        No client goes without a secret.
    secret_in_header
        The client's secret goes by HTTP Basic authentication, not in the form.
    """

    server: str
    name: str
    authorization: str
    token: str
    device: str = ""
    revocation: str = ""
    userinfo: str = ""
    scopes: tuple[str, ...] = ()
    parameters: tuple[tuple[str, str], ...] = ()
    needs_secret: bool = False
    secret_in_header: bool = False


def is_microsofts(url: str) -> bool:
    """Whether an address is of the server that signs in to Microsoft 365 and Outlook.com."""
    try:
        return urlsplit(url).hostname == _MICROSOFT
    except ValueError:
        return False


def known_endpoints(key: str, scopes: Iterable[str] | None = None) -> Endpoints:
    """Return the endpoints of a provider in the table.

    Parameters
    ----------
    key
        As for `mailframe.imap.providers.oauth_settings`.
    scopes
        To ask for others than usual.

    Raises
    ------
    AuthenticationError
        If ``MAILFRAME_MICROSOFT_TENANT`` is no tenant.
    """
    settings = oauth_settings(key)
    at = _of_tenant if settings.key == "microsoft" else str
    return Endpoints(
        server=settings.key,
        name=settings.name,
        authorization=at(settings.authorization_endpoint),
        token=at(settings.token_endpoint),
        device=at(settings.device_endpoint or ""),
        revocation=settings.revocation_endpoint or "",
        scopes=tuple(scopes or settings.scopes),
        parameters=tuple(settings.parameters),
        needs_secret=settings.needs_secret,
    )


def discovered_endpoints(
    url: str, scopes: Iterable[str] | None = None, proxy: str = ""
) -> Endpoints:
    """Read an OpenID server's discovery document.

    The issuer in it is not compared with the address: Microsoft's for ``common`` holds a
    ``{tenantid}``. What is in it counts since it came over TLS from the address given.

    Parameters
    ----------
    url
        Of the document, or the issuer's.
    scopes
        What to ask for; by default who signs in, and leave to stay signed in;
        at Microsoft what opens a mailbox.
    proxy
        As for `calls.new_session`.

    Raises
    ------
    AuthenticationError
        If there is no such document, or it names an endpoint without TLS.
    """
    address = url if "/.well-known/" in url else url.rstrip("/") + _WELL_KNOWN
    refuse_clear_text(address)
    tried = f"Could not read the discovery document {address}."
    answer = call(
        new_session(proxy),
        lambda session: session.get(
            address, withhold_token=True, auth=nobody, allow_redirects=False
        ),
        tried,
    )
    texts = {name: value for name, value in answer.fields.items() if isinstance(value, str)}
    if not texts.get("authorization_endpoint") or not texts.get("token_endpoint"):
        raise AuthenticationError(
            tried,
            reply=answer.words,
            suggestion="It names no endpoints: check the address.",
            code="discovery-failed",
        )
    offered = _texts(answer.fields.get("scopes_supported"))
    lasting = ("offline_access",) if "offline_access" in offered else ()
    usual = ("openid", "email", *lasting)
    if is_microsofts(url):  # whose document does not name what opens a mailbox
        usual = oauth_settings("microsoft").scopes
    methods = _texts(answer.fields.get("token_endpoint_auth_methods_supported"))
    endpoints = Endpoints(
        server=url,
        name=urlsplit(address).hostname or address,
        authorization=texts["authorization_endpoint"],
        token=texts["token_endpoint"],
        device=texts.get("device_authorization_endpoint", ""),
        revocation=texts.get("revocation_endpoint", ""),
        userinfo=texts.get("userinfo_endpoint", ""),
        scopes=tuple(scopes or usual),
        # Where nothing is said there is HTTP Basic (OpenID Connect Discovery section 3).
        secret_in_header="client_secret_post" not in methods,
    )
    for one in ("authorization", "token", "device", "revocation", "userinfo"):
        if getattr(endpoints, one):
            refuse_clear_text(getattr(endpoints, one))
    return endpoints


def _of_tenant(url: str) -> str:
    """Return an endpoint of Microsoft's for the tenant that the environment names."""
    tenant = os.environ.get(TENANT, "").strip() or "common"
    if not re.fullmatch(r"[A-Za-z0-9][A-Za-z0-9.-]*+", tenant):
        raise AuthenticationError(
            f"What {TENANT} holds is no tenant: {printable(tenant)!r}.",
            suggestion="It is a domain (contoso.onmicrosoft.com) or the directory's id, from the "
            "Microsoft Entra admin center.",
            code="tenant-invalid",
        )
    return url.replace("/common/", f"/{tenant}/")


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
