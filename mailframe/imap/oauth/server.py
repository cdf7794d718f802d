"""What an OAuth server is asked: codes, tokens, who signed in, to forget."""

from __future__ import annotations

import base64
import json
import time
from contextlib import suppress
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, NamedTuple

from mailframe.exceptions import AuthenticationError
from mailframe.imap.credentials import Secret
from mailframe.imap.oauth.calls import (
    call,
    new_session,
    nobody,
    odd,
    printable,
    refuse_clear_text,
)
from mailframe.imap.oauth.refusals import refusal
from mailframe.imap.oauth.tokens import Token

if TYPE_CHECKING:
    from authlib.integrations.requests_client import OAuth2Session

    from mailframe.imap.oauth.calls import Answer
    from mailframe.imap.oauth.endpoints import Endpoints

__all__ = ["DeviceCode", "Granted", "OAuthServer"]

_DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
#: Seconds, where the server does not say (RFC 8628 section 3.2 for the second).
_DEVICE_CODE_LASTS = 900
_DEVICE_INTERVAL = 5


@dataclass(frozen=True, slots=True)
class DeviceCode:
    """How to sign in on another device (RFC 8628 section 3.2); times in seconds."""

    device_code: str = field(repr=False)
    user_code: str
    address: str
    lasts: float
    interval: float


class Granted(NamedTuple):
    """What the token endpoint gave, or its refusal.

    Attributes
    ----------
    answer
        What it said.
    token
        None where it refused.
    """

    answer: Answer
    token: Token | None


class OAuthServer:
    """One registered application's dealings with an OAuth server.

    Parameters
    ----------
    endpoints
        Where it is.
    client_id, secret
        The application; the secret of a public one is empty.
    proxy
        As for `calls.new_session`; it may hold a password.

    Raises
    ------
    AuthenticationError
        If an endpoint is not behind TLS.
    """

    def __init__(
        self, endpoints: Endpoints, client_id: str, secret: Secret, proxy: Secret | None = None
    ) -> None:
        self.endpoints = endpoints
        self.client_id = client_id
        self._secret = secret
        self._proxy = proxy or Secret("")
        refuse_clear_text(endpoints.authorization)
        refuse_clear_text(endpoints.token)

    def authorization_url(self, redirect_uri: str, state: str, verifier: str, login: str) -> str:
        """Return where the user signs in and consents, with PKCE (RFC 7636)."""
        with self._session() as session:
            url, _ = session.create_authorization_url(
                self.endpoints.authorization,
                state=state,
                code_verifier=verifier,
                redirect_uri=redirect_uri,
                scope=" ".join(self.endpoints.scopes),
                login_hint=login,
                **dict(self.endpoints.parameters),
            )
        return str(url)

    def exchange(self, code: str, verifier: str, redirect_uri: str) -> Granted:
        """Change a code for a token (RFC 6749 section 4.1.3).

        Raises
        ------
        AuthenticationError
            If the server refuses, or cannot be asked.
        """
        granted = self._fetch(
            (code, verifier),
            grant_type="authorization_code",
            code=code,
            code_verifier=verifier,
            redirect_uri=redirect_uri,
        )
        if granted.token is None:
            raise refusal(self.endpoints, "code", granted.answer)
        return granted

    def refresh(self, token: Token) -> Granted:
        """Ask for the next access token (RFC 6749 section 6); a refusal is returned."""
        granted = self._fetch(
            (token.refresh_token, token.access_token),
            grant_type="refresh_token",
            refresh_token=token.refresh_token,
        )
        new = granted.token
        if new is None or (new.refresh_token and new.scope):
            return granted
        # Most servers send no refresh token again: the old one goes on.
        refresh_token, scope = new.refresh_token or token.refresh_token, new.scope or token.scope
        kept = Token(
            new.access_token, refresh_token, new.expires_at, scope, new.client_id, new.server
        )
        return Granted(granted.answer, kept)

    def poll(self, device: DeviceCode) -> Granted:
        """Ask whether the user has consented (RFC 8628 section 3.4); a refusal is returned."""
        secrets = (device.device_code,)
        return self._fetch(secrets, grant_type=_DEVICE_GRANT, device_code=device.device_code)

    def start_device(self) -> DeviceCode:
        """Ask for a code to be entered on another device (RFC 8628 section 3.1).

        Raises
        ------
        AuthenticationError
            If the server refuses, or cannot be asked.
        """
        tried = f"Could not ask {self.endpoints.name} for a code."
        # The client's id comes with its authentication: sent twice, it would be invalid.
        fields = {"scope": " ".join(self.endpoints.scopes)}
        answer = self._post(self.endpoints.device, fields, tried)
        if answer.error:
            raise refusal(self.endpoints, "device", answer)
        said = answer.fields
        codes = (said.get("device_code"), said.get("user_code"))
        # The last is Google's name from before the RFC.
        names = ("verification_uri_complete", "verification_uri", "verification_url")
        address = next((str(said[name]) for name in names if said.get(name)), "")
        if not address or not all(isinstance(code, str) and code for code in codes):
            raise odd(tried, "no code")
        refuse_clear_text(address)
        return DeviceCode(
            str(codes[0]),
            printable(str(codes[1])),
            printable(address),
            _seconds(said.get("expires_in")) or _DEVICE_CODE_LASTS,
            _seconds(said.get("interval")) or _DEVICE_INTERVAL,
        )

    def revoke(self, token: Token) -> None:
        """Have a token forgotten, and those made from it (RFC 7009).

        Raises
        ------
        AuthenticationError
            If the server refuses, or cannot be asked.
        """
        tried = f"Could not revoke the token at {self.endpoints.name}."
        lasting = token.refresh_token or token.access_token
        refuse_clear_text(self.endpoints.revocation)
        answer = self._post(self.endpoints.revocation, {"token": lasting}, tried, lasting)
        # So says Google of a token that has gone already; RFC 7009 section 2.2 wants no error.
        if answer.error and answer.error not in {"invalid_token", "invalid_grant"}:
            raise AuthenticationError(
                tried,
                reply=answer.words,
                suggestion="Try again, or withdraw the access in the security settings of your "
                "account.",
                code="revocation-failed",
            )

    def accounts(self, granted: Granted) -> set[str]:
        """Return the names of who signed in, in lower case; empty where nobody says.

        The ID token came from the token endpoint over TLS, so that its signature need not be
        checked (OpenID Connect Core section 3.1.3.7).

        Raises
        ------
        AuthenticationError
            If the server cannot be asked.
        """
        claims = _claims(granted.answer.fields.get("id_token"))
        if not claims and granted.token and self.endpoints.userinfo:
            headers = {"Authorization": f"Bearer {granted.token.access_token}"}
            claims = call(
                new_session(self._proxy.value),
                lambda session: session.get(
                    self.endpoints.userinfo,
                    withhold_token=True,
                    auth=nobody,
                    headers=headers,
                    allow_redirects=False,
                ),
                f"Could not ask {self.endpoints.name} who signed in.",
                (granted.token.access_token,),
            ).fields
        names = (claims.get(one) for one in ("email", "preferred_username", "upn"))
        return {name.casefold() for name in names if isinstance(name, str)}

    def _fetch(self, secrets: tuple[str, ...], **fields: str) -> Granted:
        """Ask the token endpoint."""
        tried = f"Could not get a token from {self.endpoints.name}."
        asked = time.time()
        answer = call(
            self._session(),
            lambda session: session.fetch_token(
                self.endpoints.token, **fields, allow_redirects=False
            ),
            tried,
            (*secrets, self._secret.value),
        )
        if answer.error:
            return Granted(answer, None)
        said = answer.fields
        access, refresh, scope = (
            said.get(name) or "" for name in ("access_token", "refresh_token", "scope")
        )
        kind = str(said.get("token_type") or "Bearer")  # which some leave out
        if not access or kind.casefold() != "bearer":
            raise odd(tried, "no bearer token")
        if not all(isinstance(text, str) for text in (access, refresh, scope)):
            raise odd(tried, "tokens that are no text")
        lasts = _seconds(said.get("expires_in"))
        expires_at = asked + lasts if lasts else None
        server = self.endpoints.server
        return Granted(answer, Token(access, refresh, expires_at, scope, self.client_id, server))

    def _post(self, url: str, fields: dict[str, str], tried: str, *secrets: str) -> Answer:
        refuse_clear_text(url)

        def post(session: OAuth2Session) -> Any:
            auth = session.client_auth(session.token_endpoint_auth_method)
            return session.post(
                url, data=fields, withhold_token=True, auth=auth, allow_redirects=False
            )

        return call(self._session(), post, tried, (*secrets, self._secret.value))

    def _session(self) -> OAuth2Session:
        secret = self._secret.value
        method = "client_secret_basic" if self.endpoints.secret_in_header else "client_secret_post"
        return new_session(
            self._proxy.value,
            client_id=self.client_id,
            client_secret=secret or None,
            token_endpoint_auth_method=method if secret else "none",
            code_challenge_method="S256",
        )


def _claims(id_token: Any) -> dict[str, Any]:
    """Read what a signed token says (RFC 7519), without its signature."""
    claims = None
    with suppress(ValueError, IndexError):
        payload = str(id_token or "").split(".")[1]
        claims = json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4)))
    return claims if isinstance(claims, dict) else {}


def _seconds(value: Any) -> float:
    """Read a number of seconds, sent as a text by some; 0 for none."""
    with suppress(ValueError, TypeError, OverflowError):
        seconds = float(value)
        return seconds if 0 < seconds < 10**9 else 0  # not for infinity and NaN
    return 0
