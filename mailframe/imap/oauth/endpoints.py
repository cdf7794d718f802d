"""Where an OAuth server is asked for what: from the table of providers, or by discovery."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any
from urllib.parse import urlsplit

from mailframe.exceptions import AuthenticationError
from mailframe.imap.oauth.calls import call, new_session, nobody, refuse_clear_text
from mailframe.imap.providers import oauth_settings

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["Endpoints", "discovered_endpoints", "known_endpoints"]

_WELL_KNOWN = "/.well-known/openid-configuration"


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


def known_endpoints(key: str, scopes: Iterable[str] | None = None) -> Endpoints:
    """Return the endpoints of a provider in the table.

    Parameters
    ----------
    key
        As for `mailframe.imap.providers.oauth_settings`.
    scopes
        To ask for others than usual.
    """
    settings = oauth_settings(key)
    return Endpoints(
        server=key,
        name=settings.name,
        authorization=settings.authorization_endpoint,
        token=settings.token_endpoint,
        device=settings.device_endpoint or "",
        revocation=settings.revocation_endpoint or "",
        scopes=tuple(scopes or settings.scopes),
        parameters=tuple(settings.parameters),
        needs_secret=settings.needs_secret,
    )


def discovered_endpoints(url: str, scopes: Iterable[str] | None = None) -> Endpoints:
    """Read an OpenID server's discovery document.

    The issuer in it is not compared with the address: Microsoft's for ``common`` holds a
    ``{tenantid}``. What is in it counts since it came over TLS from the address given.

    Parameters
    ----------
    url
        Of the document, or the issuer's.
    scopes
        What to ask for; by default who signs in, and leave to stay signed in.

    Raises
    ------
    AuthenticationError
        If there is no such document, or it names an endpoint without TLS.
    """
    address = url if "/.well-known/" in url else url.rstrip("/") + _WELL_KNOWN
    refuse_clear_text(address)
    tried = f"Could not read the discovery document {address}."
    answer = call(
        new_session(),
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
    methods = _texts(answer.fields.get("token_endpoint_auth_methods_supported"))
    endpoints = Endpoints(
        server=url,
        name=urlsplit(address).hostname or address,
        authorization=texts["authorization_endpoint"],
        token=texts["token_endpoint"],
        device=texts.get("device_authorization_endpoint", ""),
        revocation=texts.get("revocation_endpoint", ""),
        userinfo=texts.get("userinfo_endpoint", ""),
        scopes=tuple(scopes or ("openid", "email", *lasting)),
        # Where nothing is said there is HTTP Basic (OpenID Connect Discovery section 3).
        secret_in_header="client_secret_post" not in methods,
    )
    for one in ("authorization", "token", "device", "revocation", "userinfo"):
        if getattr(endpoints, one):
            refuse_clear_text(getattr(endpoints, one))
    return endpoints


def _texts(value: Any) -> list[str]:
    return [one for one in value if isinstance(one, str)] if isinstance(value, list) else []
