"""Signing in by OAuth in a real browser: from the consent to the page that one may close."""

from __future__ import annotations

from typing import TYPE_CHECKING

import pytest

from mailframe.imap.oauth import OAuth2Authenticator
from tests.conftest import missing
from tests.rigs.oauth import WARNINGS, OAuthRig, is_installed

if TYPE_CHECKING:
    from collections.abc import Iterator

    from playwright.sync_api import BrowserContext

pytestmark = pytest.mark.filterwarnings(WARNINGS)

ME = "me@example.com"


@pytest.fixture
def oauth() -> Iterator[OAuthRig]:
    if not is_installed():
        missing("oidc-provider-mock is missing; install it: pip install oidc-provider-mock")
    with OAuthRig() as server:
        yield server


def test_a_browser_signs_in_and_shows_that_it_may_be_closed(
    context: BrowserContext, oauth: OAuthRig
) -> None:
    page = context.new_page()
    asked: list[str] = []
    page.on("request", lambda request: asked.append(request.url))

    def consent(url: str) -> None:
        page.goto(url)
        page.get_by_placeholder("sub").fill(ME)
        # The redirect is answered once this function has returned.
        page.get_by_role("button", name="Authorize").click(no_wait_after=True)

    authenticator = OAuth2Authenticator(
        oauth.client_id,
        discovery_url=oauth.url,
        flow="browser",
        timeout=30,
        open_browser=consent,
        tell=lambda _: None,
    )
    assert oauth.knows(authenticator.token(ME))
    page.get_by_text("Answer received").wait_for()
    page.get_by_text("You can close this page").wait_for()
    redirect = [url for url in asked if url.startswith("http://127.0.0.1:")]
    assert len([url for url in redirect if "code=" in url]) == 1
    assert all("code=" in url or url.endswith("/favicon.ico") for url in redirect)
