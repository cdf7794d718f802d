"""Signing in where there is no browser: by a code on another device, by a pasted address."""

from __future__ import annotations

import getpass
import io
import sys
import webbrowser
from typing import TYPE_CHECKING, Any

import pytest

from mailframe.exceptions import NotSupportedError
from mailframe.imap.oauth.flows import choose_flow
from tests.imap.oauth.signing import MARK, ME, Clock, answering, refused
from tests.rigs.oauth import (
    AUTHORIZE,
    DEVICE,
    DISCOVERY,
    TOKEN,
    WARNINGS,
    OAuthRig,
)

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.imap.oauth import OAuth2Authenticator

    Answer = Callable[[OAuthRig, dict[str, str]], Any]

pytestmark = pytest.mark.filterwarnings(WARNINGS)


def test_a_code_for_another_device_is_polled_for_as_often_as_the_server_wants(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], clock: Clock, told: list[str]
) -> None:
    oauth.pending = ["authorization_pending", "slow_down", "authorization_pending"]

    def consent() -> None:
        if len(clock.slept) == 4:
            [device] = oauth.devices.values()
            oauth.approve(device.user_code, ME)

    clock.at_sleep = consent
    token = made(flow="device", timeout=100).token(ME)
    assert oauth.knows(token)
    assert clock.slept == [5, 5, 10, 10]
    [(code, device)] = oauth.devices.items()
    assert device.user_code in told[0]
    assert f"{oauth.url}/device" in told[0]
    assert code not in "".join(told)


def fail_once(oauth: OAuthRig, clock: Clock) -> None:
    """Let the token endpoint be down for the first poll, and somebody consent meanwhile."""
    oauth.faults[TOKEN] = answering("down", 503)

    def consent() -> None:
        if len(clock.slept) == 2:
            del oauth.faults[TOKEN]
            [device] = oauth.devices.values()
            oauth.approve(device.user_code, ME)

    clock.at_sleep = consent


def test_polling_goes_on_more_slowly_when_the_server_fails(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], clock: Clock
) -> None:
    fail_once(oauth, clock)
    assert oauth.knows(made(flow="device").token(ME))
    assert clock.slept == [5, 10]


@pytest.mark.parametrize(
    ("word", "code"),
    [
        ("access_denied", "consent-denied"),
        ("authorization_declined", "consent-denied"),
        ("expired_token", "device-code-expired"),
        ("invalid_grant", "device-code-expired"),
        ("server_error", "token-endpoint-down"),
        ("something_else", "authorization-refused"),
    ],
)
def test_the_end_of_a_device_code_is_told_of(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], word: str, code: str
) -> None:
    oauth.pending = [word]
    error = refused(lambda: made(flow="device").token(ME))
    assert error.code == code
    assert word in error.reply


@pytest.mark.parametrize(("timeout", "code"), [(10_000, "device-code-expired"), (60, "no-answer")])
def test_a_device_code_is_not_polled_for_ever(
    made: Callable[..., OAuth2Authenticator], clock: Clock, timeout: float, code: str
) -> None:
    error = refused(lambda: made(flow="device", timeout=timeout).token(ME))
    assert error.code == code
    assert clock.now - clock.start <= 600 + 5


@pytest.mark.parametrize(
    ("field", "value"),
    [
        ("interval", 10**6),
        ("interval", 10**9),
        ("interval", "soon"),
        ("interval", -1),
        ("interval", None),
    ],
)
def test_an_odd_interval_is_kept_within_reason(
    oauth: OAuthRig,
    made: Callable[..., OAuth2Authenticator],
    clock: Clock,
    field: str,
    value: object,
) -> None:
    answer = {"device_code": "d", "user_code": "u", "verification_url": "https://example.com/d"}
    oauth.faults[DEVICE] = answering({**answer, "expires_in": 30, field: value})
    oauth.faults[TOKEN] = answering({"error": "authorization_pending"}, 400)
    refused(lambda: made(flow="device").token(ME))
    assert set(clock.slept) <= {5, 60}


def test_a_server_without_device_codes_says_so(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator]
) -> None:
    oauth.faults[DISCOVERY] = answering(
        {
            "authorization_endpoint": f"{oauth.url}{AUTHORIZE}",
            "token_endpoint": f"{oauth.url}{TOKEN}",
        }
    )
    with pytest.raises(NotSupportedError, match="paste"):
        made(flow="device").token(ME)


@pytest.fixture
def pasting(
    made: Callable[..., OAuth2Authenticator], told: list[str]
) -> Callable[..., OAuth2Authenticator]:
    """Return a function that makes an authenticator whose user pastes what a function returns."""

    def make(paste: Callable[[str], str], **options: Any) -> OAuth2Authenticator:
        def ask(_question: str) -> str:
            return paste(next(line for line in told[0].splitlines() if line.startswith("http")))

        return made(flow="paste", ask=ask, open_browser=lambda _: pytest.fail("opened"), **options)

    return make


@pytest.mark.parametrize("redirect_uri", [None, "http://localhost:8765", "https://localhost/back"])
def test_the_address_that_the_browser_ends_on_can_be_pasted(
    oauth: OAuthRig, pasting: Callable[..., OAuth2Authenticator], redirect_uri: str | None
) -> None:
    browser = oauth.browser(ME)
    authenticator = pasting(lambda url: f"  {browser.consent(url)}\n", redirect_uri=redirect_uri)
    assert oauth.knows(authenticator.token(ME))
    [form] = oauth.asked(TOKEN)
    assert form["redirect_uri"].startswith(redirect_uri or "http://127.0.0.1:")


def test_a_wrong_paste_is_asked_for_again_but_not_for_ever(
    oauth: OAuthRig, pasting: Callable[..., OAuth2Authenticator]
) -> None:
    browser = oauth.browser(ME)
    pastes = ["", "http://127.0.0.1/?code=x&state=y"]
    authenticator = pasting(lambda url: pastes.pop() if pastes else browser.consent(url))
    assert oauth.knows(authenticator.token(ME))
    error = refused(lambda: pasting(lambda _: "http://[").token(ME))
    assert error.code == "state-mismatch"


@pytest.mark.parametrize("error", [EOFError, NotImplementedError, OSError])  # pytest's is the last
def test_where_nobody_can_be_asked_it_says_so(
    pasting: Callable[..., OAuth2Authenticator], error: type[Exception]
) -> None:
    def nobody(_url: str) -> str:
        raise error(MARK)

    told = refused(lambda: pasting(nobody).token(ME))
    assert told.code == "no-answer"
    assert "Nobody can be asked here" in str(told)
    assert "seconds" not in str(told)
    assert told.__context__ is None


def test_whoever_asks_is_looked_for_when_somebody_is_asked(
    oauth: OAuthRig,
    made: Callable[..., OAuth2Authenticator],
    monkeypatch: pytest.MonkeyPatch,
    told: list[str],
) -> None:
    browser = oauth.browser(ME)
    authenticator = made(flow="paste", ask=None)

    def ask(_question: str) -> str:  # as a notebook's kernel does it
        return browser.consent(next(one for one in told[0].splitlines() if one[:4] == "http"))

    monkeypatch.setattr("getpass.getpass", ask)
    assert oauth.knows(authenticator.token(ME))


def test_what_comes_through_a_pipe_is_no_answer(
    made: Callable[..., OAuth2Authenticator], monkeypatch: pytest.MonkeyPatch
) -> None:
    data = io.StringIO("a line of data\n")
    monkeypatch.setattr("sys.stdin", data)
    monkeypatch.setattr("os.open", fail_to_open)  # no terminal to ask on
    monkeypatch.setattr("getpass.getpass", getpass.unix_getpass)
    authenticator = made(flow="paste", ask=None)
    assert refused(lambda: authenticator.token(ME)).code == "no-answer"
    assert data.read() == "a line of data\n"


def fail_to_open(*_: object) -> int:
    raise OSError(6, "No such device or address")


HERE = {"DISPLAY": ":0"}


@pytest.mark.parametrize(
    ("environ", "has_device", "browser", "flow"),
    [
        (HERE, True, "firefox", "browser"),
        ({"WAYLAND_DISPLAY": "wayland-0"}, False, "firefox", "browser"),
        ({}, True, "firefox", "device"),
        ({}, False, "firefox", "paste"),
        (HERE, True, "w3m", "device"),
        (HERE, False, None, "paste"),
        (HERE | {"SSH_CONNECTION": "192.0.2.1 50000 192.0.2.2 22"}, True, "firefox", "device"),
        (HERE | {"JUPYTERHUB_USER": "me"}, False, "firefox", "paste"),
        (HERE | {"COLAB_RELEASE_TAG": "release"}, False, "firefox", "paste"),
    ],
)
def test_the_way_to_sign_in_is_chosen_from_what_there_is(
    monkeypatch: pytest.MonkeyPatch,
    environ: dict[str, str],
    has_device: bool,  # noqa: FBT001 a case
    browser: str | None,
    flow: str,
) -> None:
    def controller() -> webbrowser.BaseBrowser:
        if browser is None:
            raise webbrowser.Error
        return webbrowser.GenericBrowser(browser)

    monkeypatch.setattr(sys, "platform", "linux")
    monkeypatch.setattr(webbrowser, "get", controller)
    assert choose_flow(environ, has_device=has_device) == flow


def test_the_choice_is_made_when_somebody_has_to_sign_in(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("SSH_CONNECTION", "192.0.2.1 50000 192.0.2.2 22")
    oauth.pending = ["access_denied"]
    assert refused(lambda: made(flow=None).token(ME)).code == "consent-denied"
    assert oauth.asked(DEVICE)
