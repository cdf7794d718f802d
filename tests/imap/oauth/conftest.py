"""A real OAuth server, and authenticators with somebody who signs in."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import pytest

from mailframe.imap.oauth import OAuth2Authenticator
from mailframe.imap.oauth.redirect import Listener
from mailframe.imap.providers import OAuthSettings
from tests.conftest import missing
from tests.imap.oauth.signing import ME, Clock
from tests.rigs.oauth import (
    AUTHORIZE,
    TOKEN,
    OAuthRig,
    is_installed,
)

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    Answer = Callable[[OAuthRig, dict[str, str]], Any]


@pytest.fixture(scope="module")
def running() -> Iterator[OAuthRig]:
    if not is_installed():
        missing("oidc-provider-mock is missing; install it: pip install oidc-provider-mock")
    with OAuthRig() as server:
        yield server


@pytest.fixture
def oauth(running: OAuthRig) -> Iterator[OAuthRig]:
    running.reset()
    yield running
    running.released.set()


@pytest.fixture(autouse=True)
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    for module in ("authenticator", "flows", "server", "calls"):
        monkeypatch.setattr(f"mailframe.imap.oauth.{module}.time", clock)
    return clock


@pytest.fixture
def told() -> list[str]:
    """Return what whoever signs in was told."""
    return []


@pytest.fixture
def made(oauth: OAuthRig, told: list[str]) -> Callable[..., OAuth2Authenticator]:
    """Return a function that makes an authenticator, with somebody who signs in as `ME`."""

    def make(**options: Any) -> OAuth2Authenticator:
        settings: dict[str, Any] = {
            "client_id": oauth.client_id,
            "discovery_url": oauth.url,
            "flow": "browser",
            "timeout": 20,
            "tell": told.append,
            "ask": lambda _: pytest.fail("asked"),
        } | options
        settings.setdefault("open_browser", oauth.browser(ME))
        return OAuth2Authenticator(**settings)

    return make


@pytest.fixture
def listeners(monkeypatch: pytest.MonkeyPatch) -> list[Listener]:
    """Return the listeners that were made."""
    made: list[Listener] = []

    def make(redirect_uri: str, state: str) -> Listener:
        made.append(Listener(redirect_uri, state))
        return made[-1]

    monkeypatch.setattr("mailframe.imap.oauth.flows.Listener", make)
    return made


@pytest.fixture
def google(oauth: OAuthRig, monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Put the server in Google's place; return what an authenticator needs for it."""
    settings = OAuthSettings(
        key="google",
        name="Google",
        authorization_endpoint=f"{oauth.url}{AUTHORIZE}",
        token_endpoint=f"{oauth.url}{TOKEN}",
        scopes=("email",),
        parameters=(("access_type", "offline"), ("prompt", "consent")),
        needs_secret=True,
    )
    monkeypatch.setattr(
        "mailframe.imap.oauth.endpoints.oauth_settings", {"google": settings}.__getitem__
    )
    return {"discovery_url": None, "client_secret": oauth.client_secret}
