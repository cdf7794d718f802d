"""What an OAuth server says, and what it means; any server by discovery, and known ones."""

from __future__ import annotations

import json
import socket
from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs, urlsplit

import pytest

from mailframe.exceptions import NotSupportedError
from mailframe.imap.oauth import OAuth2Authenticator, calls
from tests.imap.oauth.signing import MARK, ME, YOU, Clock, answering, document, refused
from tests.rigs.oauth import (
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

    from tests.rigs.certificates import Certificates
    from tests.rigs.scripted import ScriptedServer

    Answer = Callable[[OAuthRig, dict[str, str]], Any]

pytestmark = pytest.mark.filterwarnings(WARNINGS)


TENANT = "invalid-client MAILFRAME_MICROSOFT_TENANT"


def microsofts(words: str) -> dict[str, str]:
    return {"error": "invalid_request", "error_description": words}


@pytest.mark.parametrize(
    ("answer", "code"),
    [
        (answering("down", 503), "token-endpoint-down"),
        (answering("slow down", 429), "token-endpoint-down"),
        (answering("<p>Sign in to the hotel's network"), "token-endpoint-html"),
        (answering("<p>Not found", 404), "token-endpoint-html"),
        (answering("", 302, Location="https://hotel.example.com"), "token-endpoint-html"),
        (answering(""), "token-endpoint-html"),
        (answering("[]"), "token-endpoint-html"),
        (answering("{}"), "token-endpoint-html"),
        (answering({"access_token": ["x"]}), "token-endpoint-html"),
        (answering({"access_token": "x", "token_type": "mac"}), "token-endpoint-html"),
        (answering({"access_token": "x", "scope": 5}), "token-endpoint-html"),
        (answering({"error": {"odd": 1}}, 400), "authorization-refused"),
        (answering({"error": "invalid_client"}, 401), "invalid-client"),
        (answering({"error": "invalid_scope"}, 400), "invalid-scope"),
        (answering({"error": "redirect_uri_mismatch"}, 400), "redirect-mismatch"),
        (
            answering(
                {
                    "error": "invalid_grant",
                    "error_description": "AADSTS53003: Access has been …\r\nTrace ID: 1234",
                },
                400,
            ),
            "blocked-by-policy",
        ),
        (answering(microsofts("AADSTS50194: Not configured as multi-tenant"), 400), TENANT),
        (answering(microsofts("AADSTS50020: User does not exist in tenant"), 400), TENANT),
        (answering(microsofts("AADSTS700082: Expired due to inactivity"), 400), "invalid-grant"),
    ],
)
def test_a_token_endpoint_that_fails_is_told_of(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], answer: Answer, code: str
) -> None:
    oauth.faults[TOKEN] = answer
    error = refused(lambda: made(flow="browser").token(ME))
    assert error.code == code.partition(" ")[0]
    assert code.partition(" ")[2] in error.suggestion
    assert error.suggestion
    assert error.__cause__ is None
    assert error.__context__ is None


def test_a_token_endpoint_that_is_slow_is_told_of(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait(*_: object) -> tuple[str, int]:
        oauth.released.wait(30)
        return "", 200

    monkeypatch.setattr(calls, "TIMEOUT", (5.0, 0.3))
    oauth.faults[TOKEN] = wait
    error = refused(lambda: made().token(ME))
    assert error.code == "token-endpoint-down"
    assert "no answer in time" in error.reply


def test_an_answer_that_drips_is_not_waited_for_for_ever(clock: Clock) -> None:
    class Dripping:
        def read1(self, *_: object, **__: object) -> bytes:
            clock.now += 10  # less than is waited for a single byte
            return b" "

    with pytest.raises(TimeoutError):
        calls._content(Dripping())
    assert clock.now - clock.start < 80


def test_an_answer_that_takes_too_long_is_told_of(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], monkeypatch: pytest.MonkeyPatch
) -> None:
    authenticator = made()
    authenticator.token(ME)
    monkeypatch.setattr(calls, "_LONGEST_WAIT", -1.0)
    error = refused(lambda: authenticator.token(ME, fresh=True))
    assert error.code == "token-endpoint-down"
    assert "no answer in time" in error.reply
    assert oauth.asked(TOKEN, grant_type="refresh_token")


# -- a way out


def test_a_proxy_is_gone_through_whatever_the_environment_names(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], monkeypatch: pytest.MonkeyPatch
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        nowhere = f"http://localhost:{taken.getsockname()[1]}"
    monkeypatch.setenv("http_proxy", nowhere)
    monkeypatch.setenv("no_proxy", "")
    # Nothing listens where the endpoints are: the rig answers in the place of a proxy.
    oauth.faults[DISCOVERY] = answering(
        document(
            oauth,
            token_endpoint=f"{nowhere}{TOKEN}",
            userinfo_endpoint=f"{nowhere}/userinfo",
            revocation_endpoint=f"{nowhere}{REVOKE}",
        )
    )
    options = {"discovery_url": nowhere, "scopes": ["email"]}
    browser = oauth.browser(ME)
    monkeypatch.setattr("urllib.request.getproxies", dict)  # the browser has its own way
    authenticator = made(**options, proxy=oauth.url, open_browser=browser)
    assert oauth.knows(authenticator.token(ME))
    assert authenticator.revoke(ME)
    assert {path for path, _ in oauth.requests} >= {DISCOVERY, TOKEN, "/userinfo", REVOKE}
    assert refused(lambda: made(**options).token(ME)).code == "token-endpoint-down"


def test_a_socks_proxy_without_its_library_says_what_to_install(
    made: Callable[..., OAuth2Authenticator], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(calls, "find_spec", lambda _: None)
    authenticator = made(proxy=f"socks5h://me:{MARK}@proxy.example.com:1080")
    with pytest.raises(NotSupportedError, match=r"requests\[socks\]") as caught:
        authenticator.token(ME)
    assert MARK not in shown(caught.value) + kept_behind(caught.value) + repr(vars(authenticator))


def test_a_server_that_cannot_be_reached_is_told_of(
    made: Callable[..., OAuth2Authenticator],
) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
    error = refused(lambda: made(discovery_url=f"http://localhost:{port}").token(ME))
    assert error.code == "token-endpoint-down"
    assert "refused" in error.reply


@pytest.mark.parametrize("kind", ["self_signed", "wrong_name", "expired"])
def test_a_server_that_is_not_trusted_is_sent_nothing(
    scripted: Callable[..., ScriptedServer],
    certificates: Certificates,
    made: Callable[..., OAuth2Authenticator],
    monkeypatch: pytest.MonkeyPatch,
    kind: str,
) -> None:
    monkeypatch.setenv("REQUESTS_CA_BUNDLE", str(certificates.authority))
    server = scripted(security="tls", certificate=getattr(certificates, kind))
    authenticator = made(discovery_url=f"https://localhost:{server.port}")
    error = refused(lambda: authenticator.token(ME))
    assert error.code == "token-endpoint-certificate"
    assert "certificate" in error.reply.lower()
    assert not server.received


def test_a_certificate_of_the_future_means_that_the_clock_is_behind() -> None:
    assert calls._not_trusted("tried", "certificate is not yet valid").code == "clock-skew"


def test_an_answer_without_end_is_cut(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator]
) -> None:
    oauth.faults[DISCOVERY] = answering(json.dumps({"x": "y" * 1_000_000}))
    assert refused(lambda: made().token(ME)).code == "token-endpoint-html"


def test_an_issuer_with_a_place_for_the_tenant_is_accepted(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator]
) -> None:
    oauth.faults[DISCOVERY] = answering(document(oauth))
    authenticator = made(discovery_url=f"{oauth.url}{DISCOVERY}", client_secret="s")
    oauth.client_secret, before = "s", oauth.client_secret
    try:
        assert oauth.knows(authenticator.token(ME))
    finally:
        oauth.client_secret = before


@pytest.mark.parametrize(
    ("changes", "code"),
    [
        ({"token_endpoint": "http://login.example.com/token"}, "insecure-endpoint"),
        ({"authorization_endpoint": "http://login.example.com/auth"}, "insecure-endpoint"),
        ({"authorization_endpoint": "javascript:alert(1)"}, "insecure-endpoint"),
        ({"authorization_endpoint": "file:///etc/passwd"}, "insecure-endpoint"),
        ({"device_authorization_endpoint": "http://login.example.com/d"}, "insecure-endpoint"),
        ({"revocation_endpoint": "http://["}, "insecure-endpoint"),
        ({"token_endpoint": None}, "discovery-failed"),
        ({"token_endpoint": 5}, "discovery-failed"),
        ({"authorization_endpoint": ""}, "discovery-failed"),
    ],
)
def test_a_discovery_document_with_bad_endpoints_is_refused(
    oauth: OAuthRig,
    made: Callable[..., OAuth2Authenticator],
    changes: dict[str, object],
    code: str,
) -> None:
    oauth.faults[DISCOVERY] = answering(document(oauth, **changes))
    authenticator = made(open_browser=lambda _: pytest.fail("opened"))
    assert refused(lambda: authenticator.token(ME)).code == code


def test_discovery_in_clear_text_is_refused(made: Callable[..., OAuth2Authenticator]) -> None:
    error = refused(lambda: made(discovery_url="http://login.example.com").token(ME))
    assert error.code == "insecure-endpoint"


def test_a_secret_goes_into_the_form_where_the_server_takes_it_there(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator]
) -> None:
    methods = ["client_secret_post", "client_secret_basic"]
    oauth.faults[DISCOVERY] = answering(
        document(oauth, token_endpoint_auth_methods_supported=methods)
    )
    made(client_secret=oauth.client_secret).token(ME)
    assert oauth.asked(TOKEN, client_secret=oauth.client_secret)


def test_a_secret_that_http_cannot_carry_is_not_shown(
    made: Callable[..., OAuth2Authenticator],
) -> None:
    secret = "ключ€"
    error = refused(lambda: made(client_secret=secret).token(ME))
    assert secret not in shown(error) + kept_behind(error)


# -- whose token, and for what


def test_the_token_of_another_account_is_refused_and_not_kept(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], tmp_path: Path
) -> None:
    path = tmp_path / "tokens.json"
    error = refused(lambda: made(open_browser=oauth.browser(YOU), token_file=path).token(ME))
    assert error.code == "wrong-account"
    assert YOU in str(error)
    assert not path.exists()


def test_a_shared_mailbox_takes_the_token_of_another_account_when_told_to(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator]
) -> None:
    authenticator = made(open_browser=oauth.browser(YOU), check_account=False)
    assert oauth.knows(authenticator.token(ME))


def test_who_signed_in_is_asked_for_where_no_id_token_says_so(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator]
) -> None:
    oauth.faults[DISCOVERY] = answering(document(oauth, userinfo_endpoint=f"{oauth.url}/userinfo"))
    browser = oauth.browser(YOU)
    error = refused(lambda: made(open_browser=browser, scopes=["email"]).token(ME))
    assert error.code == "wrong-account"


def test_a_sign_in_is_not_lost_because_nobody_says_who_it_was(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator]
) -> None:
    oauth.faults[DISCOVERY] = answering(document(oauth, userinfo_endpoint=f"{oauth.url}/userinfo"))
    oauth.faults["/userinfo"] = answering("down", 503)
    assert oauth.knows(made(scopes=["email"]).token(ME))


@pytest.mark.parametrize(
    ("wanted", "granted", "is_good"),
    [
        ("https://mail.google.com/", "openid email", False),
        ("https://mail.google.com/", "https://mail.google.com/", True),
        ("https://outlook.office.com/IMAP.AccessAsUser.All", "IMAP.AccessAsUser.All", True),
        ("https://outlook.office.com/IMAP.AccessAsUser.All", "User.Read", False),
        ("https://mail.google.com/", "", True),
        ("openid email", "openid", True),
    ],
)
def test_a_token_that_opens_no_mailbox_is_refused(
    oauth: OAuthRig,
    made: Callable[..., OAuth2Authenticator],
    wanted: str,
    granted: str,
    is_good: bool,  # noqa: FBT001 a case
) -> None:
    oauth.faults[TOKEN] = answering({"access_token": "x", "scope": granted})
    authenticator = made(scopes=wanted.split())
    if is_good:
        assert authenticator.token(ME) == "x"
    else:
        assert refused(lambda: authenticator.token(ME)).code == "token-without-scope"


# -- known providers


def test_a_provider_is_google_unless_named(
    oauth: OAuthRig, made: Callable[..., OAuth2Authenticator], google: dict[str, Any]
) -> None:
    browser = oauth.browser(ME)
    made(**google, open_browser=browser).token(ME)
    asked = parse_qs(urlsplit(browser.opened[0]).query)
    assert asked["access_type"] == ["offline"]
    assert asked["prompt"] == ["consent"]
    assert asked["scope"] == ["email"]
    assert oauth.asked(TOKEN, client_secret=oauth.client_secret)


def test_where_a_provider_wants_a_secret_it_is_asked_for_first(
    made: Callable[..., OAuth2Authenticator], google: dict[str, Any]
) -> None:
    authenticator = made(**google | {"client_secret": None})
    assert refused(lambda: authenticator.token(ME)).code == "client-secret-missing"


def test_googles_tokens_of_applications_in_testing_end_after_seven_days(
    oauth: OAuthRig,
    made: Callable[..., OAuth2Authenticator],
    google: dict[str, Any],
    clock: Clock,
) -> None:
    authenticator = made(**google)
    authenticator.token(ME)
    oauth.withdraw(ME)
    clock.now += 3600
    oauth.clock_ahead = 3600
    error = refused(lambda: authenticator.token(ME))
    assert error.code == "invalid-grant"
    assert "7 days" in error.suggestion


def test_microsofts_redirect_goes_to_localhost() -> None:
    opened: list[str] = []
    authenticator = OAuth2Authenticator(
        "client", provider="microsoft", flow="browser", open_browser=opened.append, timeout=0
    )
    refused(lambda: authenticator.token(ME))
    [redirect] = parse_qs(urlsplit(opened[0]).query)["redirect_uri"]
    assert redirect.startswith("http://localhost:")
    assert opened[0].startswith("https://login.microsoftonline.com/common/")


def test_microsofts_own_discovery_document_asks_for_a_mailbox(
    oauth: OAuthRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    found = calls.answer_of(document(oauth) | {"scopes_supported": ["openid", "offline_access"]})
    monkeypatch.setattr("mailframe.imap.oauth.endpoints.call", lambda *_: found)
    opened: list[str] = []
    authenticator = OAuth2Authenticator(
        "client",
        discovery_url="https://login.microsoftonline.com/contoso.onmicrosoft.com/v2.0",
        flow="browser",
        open_browser=opened.append,
        timeout=0,
    )
    refused(lambda: authenticator.token(ME))
    asked = parse_qs(urlsplit(opened[0]).query)
    assert asked["redirect_uri"][0].startswith("http://localhost:")
    assert "https://outlook.office.com/IMAP.AccessAsUser.All" in asked["scope"][0].split()
