"""No secret of a sign-in is seen anywhere, whatever goes wrong."""

from __future__ import annotations

import html
import json
import logging
from typing import TYPE_CHECKING, Any
from urllib.parse import quote, quote_plus

import pytest

from mailframe.exceptions import AuthenticationError
from mailframe.imap.oauth.tokens import FileTokens
from tests.imap.oauth.signing import MARK, ME, answering, document
from tests.rigs.oauth import (
    DEVICE,
    DISCOVERY,
    REVOKE,
    TOKEN,
    WARNINGS,
    OAuthRig,
)
from tests.test_safety import kept_behind, shown

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from mailframe.imap.oauth import OAuth2Authenticator

    Answer = Callable[[OAuthRig, dict[str, str]], Any]

pytestmark = pytest.mark.filterwarnings(WARNINGS)


def echo(_rig: OAuthRig, form: dict[str, str]) -> Any:
    """Refuse, and repeat all that was sent, as it is and encoded."""
    ways = (str, quote, quote_plus, html.escape, json.dumps)
    words = " ".join(way(value) for value in form.values() for way in ways)
    return {"error": "invalid_request", "error_description": words}, 400


def echo_in_the_name(_rig: OAuthRig, form: dict[str, str]) -> Any:
    return {"error": " ".join(form.values())}, 400


def echo_late(_rig: OAuthRig, form: dict[str, str]) -> Any:
    """Repeat a secret where the words will be cut."""
    return {"error": "x", "error_description": "x" * 490 + form["client_secret"]}, 400


def echo_html(_rig: OAuthRig, form: dict[str, str]) -> Any:
    return f"<p>{form}", 500, {"X-Form": json.dumps(form)}


def nonsense(_rig: OAuthRig, form: dict[str, str]) -> Any:
    return json.dumps(form)[:-3], 200


FAILURES: dict[str, Answer | None] = {
    "none": None,
    "echo": echo,
    "echo in the name": echo_in_the_name,
    "echo late": echo_late,
    "echo as HTML": echo_html,
    "half a JSON": nonsense,
    "unavailable": answering("", 503),
}


@pytest.mark.parametrize("fails", FAILURES.values(), ids=FAILURES)
@pytest.mark.parametrize("at", ["code", "refresh", "device start", "device", "revoke"])
def test_no_secret_is_seen_anywhere(
    oauth: OAuthRig,
    made: Callable[..., OAuth2Authenticator],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capsys: pytest.CaptureFixture[str],
    told: list[str],
    tmp_path: Path,
    fails: Answer | None,
    at: str,
) -> None:
    caplog.set_level(logging.DEBUG)
    secret = f"{MARK}/+&%-client"
    monkeypatch.setattr(oauth, "client_secret", secret)
    oauth.faults[DISCOVERY] = answering(
        document(
            oauth,
            device_authorization_endpoint=f"{oauth.url}{DEVICE}",
            revocation_endpoint=f"{oauth.url}{REVOKE}",
            token_endpoint_auth_methods_supported=["client_secret_post"],
        )
    )
    browser = oauth.browser(ME)
    path = tmp_path / "tokens.json"
    authenticator = made(
        client_secret=secret,
        open_browser=browser,
        flow="device" if at.startswith("device") else "browser",
        token_file=path,
    )
    if at in {"refresh", "revoke"}:
        authenticator.token(ME)
    if at.startswith("device"):
        oauth.pending = ["access_denied"]
    if fails is not None:
        oauth.faults[{"device start": DEVICE, "revoke": REVOKE}.get(at, TOKEN)] = fails
    seen = ""
    try:
        if at == "revoke":
            authenticator.revoke(ME)
        else:
            authenticator.token(ME, fresh=at == "refresh")
    except AuthenticationError as error:
        seen = shown(error) + kept_behind(error)
    # What the server's threads log is not ours.
    records = [one for one in caplog.records if one.threadName == "MainThread"]
    seen += "\n".join(f"{one.getMessage()} {one.args}" for one in records)
    seen += repr(authenticator) + repr(vars(authenticator)) + repr(vars(authenticator._tokens))
    seen += repr(authenticator._server and vars(authenticator._server)) + "".join(told)
    seen += "".join(capsys.readouterr()) + "".join(page for _, _, page in browser.pages)
    assert not [one for one in secrets_of(oauth, path) if one in seen]


def secrets_of(oauth: OAuthRig, path: Path) -> set[str]:
    """Return all that was secret: sent, received or kept."""
    names = ("code", "code_verifier", "refresh_token", "device_code", "token", "client_secret")
    sent = {form[name] for _, form in oauth.requests for name in names if name in form}
    kept = FileTokens(path).load(ME)
    found = sent | {MARK} | set(oauth.devices)
    if kept:
        found |= {kept.access_token, kept.refresh_token}
    return found


def test_a_password_in_netrc_is_not_sent_to_an_oauth_server(
    oauth: OAuthRig,
    made: Callable[..., OAuth2Authenticator],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    path = tmp_path / "netrc"
    path.write_text(f"machine localhost login me password {MARK}\n")
    path.chmod(0o600)
    monkeypatch.setenv("NETRC", str(path))
    sent: list[str | None] = []

    def look(rig: OAuthRig, _form: dict[str, str]) -> None:
        sent.append(rig.header("Authorization"))

    oauth.faults = dict.fromkeys((DISCOVERY, TOKEN, "/userinfo"), look)
    token = made(scopes=["email"]).token(ME)
    assert sent == [None, None, f"Bearer {token}"]
