"""What an authenticator is told: taken in every sensible form, and refused at once elsewhere."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from mailframe.exceptions import NotSupportedError
from mailframe.imap.oauth import OAuth2Authenticator
from mailframe.imap.oauth.endpoints import known_endpoints
from tests.imap.oauth.signing import MARK, ME, refused


@pytest.mark.parametrize(
    "options",
    [
        {"token_file": "tokens.json", "keyring": True},
        {"provider": "google", "discovery_url": "https://example.com"},
        {"flow": "carrier pigeon"},
        {"client_secret": f"{MARK}\n"},
        {"redirect_uri": "127.0.0.1:8765"},
        {"redirect_uri": "http://127.0.0.1:87650"},
    ],
)
def test_arguments_that_cannot_be_right_are_refused(options: dict[str, Any]) -> None:
    with pytest.raises(ValueError, match=r"both|none of|copied|no address") as caught:
        OAuth2Authenticator("client", **options)
    assert MARK not in str(caught.value)


@pytest.mark.parametrize(
    "options",
    [
        {"client_id": 5},
        {"client_secret": 5},
        {"token_file": 5},
        {"provider": 5},
        {"discovery_url": 5},
        {"flow": 5},
        {"redirect_uri": 5},
        {"proxy": 5},
        {"timeout": "5"},
        {"timeout": None},
    ],
)
def test_arguments_of_another_kind_are_named_at_once(options: dict[str, Any]) -> None:
    [name] = options
    with pytest.raises(TypeError, match=rf"^{name} is a (text|path|number)"):
        OAuth2Authenticator(**{"client_id": "client"} | options)


def test_a_number_of_seconds_may_be_of_numpys() -> None:
    assert OAuth2Authenticator("client", timeout=np.int64(5))._person.timeout == 5


@pytest.mark.parametrize("username", [None, 5, b"me", ""])
def test_who_is_no_text_has_no_token(username: Any) -> None:
    authenticator = OAuth2Authenticator("client", open_browser=lambda _: pytest.fail("opened"))
    for work in (authenticator.token, authenticator.get_auth_string, authenticator.authorize):
        with pytest.raises(TypeError, match="username"):
            work(username)


def test_without_a_client_id_it_says_where_to_get_one() -> None:
    assert refused(lambda: OAuth2Authenticator("")).code == "client-id-missing"


def test_an_unknown_provider_is_told_of_at_once() -> None:
    with pytest.raises(NotSupportedError, match="acme"):
        OAuth2Authenticator("client", provider="acme")


@pytest.mark.parametrize("scopes", ["a b", " a  b\n", ["a", "b"], ("a", "b"), iter("ab")])
def test_scopes_are_a_text_or_several(scopes: Any) -> None:
    assert OAuth2Authenticator("client", scopes=scopes).scopes == ("a", "b")


@pytest.mark.parametrize("provider", ["microsoft", "Microsoft", "outlook", "microsoft365"])
def test_a_provider_is_taken_by_any_of_its_names(provider: str) -> None:
    authenticator = OAuth2Authenticator("client", provider=provider)
    assert authenticator.provider == "microsoft"
    assert authenticator._redirect_uri == "http://localhost"
    assert known_endpoints(provider).server == "microsoft"


# -- Microsoft's tenants


def test_a_tenant_takes_the_place_of_all_of_them(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("MAILFRAME_MICROSOFT_TENANT", raising=False)
    common = known_endpoints("microsoft")
    monkeypatch.setenv("MAILFRAME_MICROSOFT_TENANT", "contoso.onmicrosoft.com")
    own = known_endpoints("microsoft")
    for name in ("authorization", "token", "device"):
        address = getattr(common, name)
        assert "/common/" in address
        assert getattr(own, name) == address.replace("common", "contoso.onmicrosoft.com")
    assert own.server == common.server
    assert "contoso" not in known_endpoints("google").token


@pytest.mark.parametrize("tenant", ["a/b", "..", "a b", "a?b", "a@b", "ü"])
def test_what_is_no_tenant_is_refused(monkeypatch: pytest.MonkeyPatch, tenant: str) -> None:
    monkeypatch.setenv("MAILFRAME_MICROSOFT_TENANT", tenant)
    authenticator = OAuth2Authenticator(
        "client", provider="microsoft", open_browser=lambda _: pytest.fail("opened")
    )
    error = refused(lambda: authenticator.token(ME))
    assert error.code == "tenant-invalid"
    assert "MAILFRAME_MICROSOFT_TENANT" in str(error)
