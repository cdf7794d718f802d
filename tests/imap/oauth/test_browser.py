"""Signing in with the browser of this computer."""

from __future__ import annotations

import base64
import hashlib
import os
import signal
import socket
import threading
import webbrowser
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mailframe.exceptions import NotSupportedError
from tests.imap.oauth.signing import ME, Clock, refused
from tests.rigs.oauth import (
    TOKEN,
    WARNINGS,
    OAuthRig,
    get,
)
from tests.test_safety import shown

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.imap.oauth import OAuth2Authenticator
    from mailframe.imap.oauth.redirect import Listener

    Answer = Callable[[OAuthRig, dict[str, str]], Any]

pytestmark = pytest.mark.filterwarnings(WARNINGS)


def test_a_sign_in_asks_for_a_code_with_state_and_proof(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator]
) -> None:
    browser = oauth.browser(ME)
    token = made(open_browser=browser).token(ME)
    assert oauth.knows(token)
    asked = parse_qs(urlsplit(browser.opened[0]).query)
    assert asked["login_hint"] == [ME]
    assert asked["code_challenge_method"] == ["S256"]
    assert asked["scope"] == ["openid email offline_access"]
    [form] = oauth.asked(TOKEN)
    digest = hashlib.sha256(form["code_verifier"].encode()).digest()
    assert base64.urlsafe_b64encode(digest).decode().rstrip("=") == asked["code_challenge"][0]
    assert len(form["code_verifier"]) >= 43
    assert form["redirect_uri"] == asked["redirect_uri"][0]
    assert form["redirect_uri"].startswith("http://127.0.0.1:")


def test_every_sign_in_has_a_state_and_a_verifier_of_its_own(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator]
) -> None:
    browser = oauth.browser(ME)
    authenticator = made(open_browser=browser)
    authenticator.authorize(ME)
    authenticator.authorize(ME)
    one, two = (parse_qs(urlsplit(url).query) for url in browser.opened)
    assert one["state"] != two["state"]
    assert one["code_challenge"] != two["code_challenge"]


def test_the_auth_string_is_that_of_xoauth2(made: Callable[..., OAuth2Authenticator]) -> None:
    authenticator = made()
    auth_string = authenticator.get_auth_string(username=ME)
    assert auth_string == f"user={ME}\1auth=Bearer {authenticator.token(ME)}\1\1"


@pytest.mark.parametrize("secret", [None, OAuthRig.client_secret])
def test_a_public_client_sends_no_secret_and_another_one_does(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], secret: str | None
) -> None:
    oauth.needs_secret = secret is not None
    made(client_secret=secret).token(ME)
    [form] = oauth.asked(TOKEN)
    assert "client_secret" not in form  # this server takes it by HTTP Basic only
    assert ("client_id" in form) == (secret is None)


def test_the_page_after_the_redirect_is_always_the_same(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator]
) -> None:
    browser = oauth.browser(ME)
    authenticator = made(open_browser=browser)
    authenticator.authorize(ME)
    authenticator.authorize(ME)
    browser.close()
    (status, headers, page), second = browser.pages
    assert second == (status, headers, page)
    assert status == 200
    assert "script" not in page
    assert "default-src 'none'" in headers["Content-Security-Policy"]
    assert headers["Referrer-Policy"] == "no-referrer"
    assert headers["Cache-Control"] == "no-store"


def test_a_browser_that_cannot_be_opened_leaves_the_address_to_the_user(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], told: list[str]
) -> None:
    browser = oauth.browser(ME)

    def fail(url: str) -> None:
        assert url in told[-1]
        browser(url)
        raise webbrowser.Error("no browser")

    assert oauth.knows(made(open_browser=fail).token(ME))


def test_a_fixed_port_is_used(oauth: OAuthRig, made: Callable[..., OAuth2Authenticator]) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    made(redirect_uri=f"http://127.0.0.1:{port}/back").token(ME)
    assert oauth.asked(TOKEN, redirect_uri=f"http://127.0.0.1:{port}/back")


def test_a_port_that_is_taken_is_told_of_before_a_browser_opens(
    made: Callable[..., OAuth2Authenticator],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        authenticator = made(
            redirect_uri=f"http://127.0.0.1:{port}", open_browser=lambda _: pytest.fail("opened")
        )
        error = refused(lambda: authenticator.token(ME))
    assert error.code == "redirect-port-taken"
    assert str(port) in str(error)


def test_a_redirect_to_elsewhere_needs_pasting(made: Callable[..., OAuth2Authenticator]) -> None:
    authenticator = made(redirect_uri="https://localhost/back")
    with pytest.raises(NotSupportedError, match="paste"):
        authenticator.token(ME)


def with_query(old: str, new: str) -> Callable[[str], str]:
    return lambda address: address.replace(old, new)


def test_an_answer_with_another_state_is_not_used(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], monkeypatch: pytest.MonkeyPatch
) -> None:
    browser = oauth.browser(ME, changes=with_query("state=", "state=x"))
    # Time is up once the browser has its page.
    late = Clock()
    late.monotonic = lambda: 1000.0 * len(browser.pages)  # type: ignore[method-assign]
    monkeypatch.setattr("mailframe.imap.oauth.redirect.time", late)
    error = refused(lambda: made(open_browser=browser).token(ME))
    assert error.code == "state-mismatch"
    assert browser.pages[0][0] == 400
    assert not oauth.asked(TOKEN)


def test_a_code_is_good_for_one_use(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator]
) -> None:
    made().token(ME)
    [used] = (form["code"] for form in oauth.asked(TOKEN))

    def replay(address: str) -> str:
        [code] = parse_qs(urlsplit(address).query)["code"]
        return address.replace(code, used)

    browser = oauth.browser(ME, changes=replay)
    error = refused(lambda: made(open_browser=browser).token(ME))
    assert error.code == "code-reused"
    assert used not in shown(error)


def test_denied_consent_is_told_of(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator]
) -> None:
    browser = oauth.browser(ME, denies=True)
    error = refused(lambda: made(open_browser=browser).token(ME))
    assert error.code == "consent-denied"
    assert "access_denied" in error.reply


def test_a_browser_that_never_comes_back_leaves_nothing_behind(
    made: Callable[..., OAuth2Authenticator], listeners: list[Listener]
) -> None:
    before = set(threading.enumerate())
    error = refused(lambda: made(open_browser=lambda _: None, timeout=0).token(ME))
    assert error.code == "no-answer"
    assert listeners[0]._socket.fileno() == -1
    ours = {one for one in threading.enumerate() if "process_request" not in one.name}
    assert not ours - before  # beside those of the OAuth server


@pytest.mark.skipif(os.name == "nt", reason="Windows interrupts otherwise")
def test_ctrl_c_ends_the_waiting_and_leaves_nothing_behind(
    made: Callable[..., OAuth2Authenticator], listeners: list[Listener]
) -> None:
    def interrupt(url: str) -> None:
        [redirect] = parse_qs(urlsplit(url).query)["redirect_uri"]

        def visit() -> None:
            get(f"{redirect}/favicon.ico")  # answered: it waits
            os.kill(os.getpid(), signal.SIGINT)

        thread = threading.Thread(target=visit)
        threads.append(thread)
        thread.start()

    threads: list[threading.Thread] = []
    with pytest.raises(KeyboardInterrupt):
        made(open_browser=interrupt, timeout=100).token(ME)
    threads[0].join(10)
    assert listeners[0]._socket.fileno() == -1
