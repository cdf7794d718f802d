r"""A real OAuth 2.0 and OpenID server on a free port of this machine, and somebody who signs in.

::

    with OAuthRig() as server:
        browser = server.browser("me@example.com")
        authenticator = OAuth2Authenticator(
            server.client_id, discovery_url=server.url, open_browser=browser, flow="browser"
        )
        token = authenticator.token("me@example.com")

It is oidc-provider-mock, and around it what that lacks: PKCE is verified, a client without a
secret is let in, a wrong secret is not, refresh tokens rotate, and there are endpoints for devices,
for revoking, and for an IMAP server that asks what a token is worth (``/tokeninfo``). Tests with it
are marked ``pytest.mark.filterwarnings(WARNINGS)``.
"""

from __future__ import annotations

import base64
import hashlib
import importlib.util
import json
import os
import secrets
import threading
import time
import urllib.error
import urllib.request
import warnings
from contextlib import suppress
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from typing import TYPE_CHECKING, Any, Self
from urllib.parse import parse_qs, urlencode, urlsplit

if TYPE_CHECKING:
    from collections.abc import Callable

    import flask

    Fault = Callable[["OAuthRig", dict[str, str]], "flask.typing.ResponseReturnValue"]

#: For ``pytest.mark.filterwarnings``: of the mock, which answers 500 where warnings are errors.
WARNINGS = "ignore:get_jwt_config"
DEVICE_GRANT = "urn:ietf:params:oauth:grant-type:device_code"
AUTHORIZE, TOKEN = "/oauth2/authorize", "/oauth2/token"  # of oidc-provider-mock
DEVICE, REVOKE, TOKENINFO = "/oauth2/device", "/oauth2/revoke", "/tokeninfo"
DISCOVERY = "/.well-known/openid-configuration"


def is_installed() -> bool:
    """Tell whether there is an oidc-provider-mock, without importing it: that warns."""
    return importlib.util.find_spec("oidc_provider_mock") is not None


@dataclass
class Device:
    """A sign-in by device code that the server waits for."""

    scope: str
    user_code: str
    #: What it answers before the user has consented, one after the other.
    pending: list[str] = field(default_factory=list)
    user: str | None = None


class OAuthRig:
    """An OAuth server that lives as long as the ``with`` block.

    Attributes
    ----------
    url
        Its issuer; the discovery document is below it.
    client_id, client_secret
        The one registered client. It may leave the secret out unless `needs_secret`.
    rotates
        Whether each refresh gives a new refresh token, and ends the old one.
    lasts
        Seconds for which it says that an access token is good; they are good for longer.
    faults
        What to answer in place of an endpoint's own answer, by path: a function of the rig and the
        form's fields that returns what a Flask view does, or None for the endpoint's own answer.
    requests
        What was asked for: path and fields of the form, in order.
    pending
        What a device code's polls are answered before the user consents: names of errors.
    clock_ahead
        By how many seconds its clock is wrong.
    released
        For faults that are to wait; set when the rig ends.
    """

    client_id = "mailframe-tests"
    client_secret = "s3cret-of-the-client"

    def __init__(self) -> None:
        self.reset()
        self._challenges: dict[str, str] = {}
        self._browsers: list[HttpBrowser] = []

    def __enter__(self) -> Self:
        with warnings.catch_warnings():
            import authlib.deprecate  # noqa: F401, PLC0415 it filters warnings: ours come after
            import flask  # noqa: PLC0415 not on every machine

            warnings.simplefilter("ignore")  # the mock imports what Authlib will rename
            import oidc_provider_mock  # noqa: PLC0415
            from werkzeug import serving  # noqa: PLC0415

            self._flask = flask
            self._app = oidc_provider_mock.app()
        self._extend(self._app)

        rig = self

        class Quiet(serving.WSGIRequestHandler):
            def log(self, *_: object) -> None:  # it would log the queries
                pass

            def date_time_string(self, timestamp: float | None = None) -> str:
                now = time.time() if timestamp is None else timestamp
                return super().date_time_string(now + rig.clock_ahead)

        self._before = os.environ.get("AUTHLIB_INSECURE_TRANSPORT")
        os.environ["AUTHLIB_INSECURE_TRANSPORT"] = "1"  # for the server's side
        self._server = serving.make_server(
            "127.0.0.1", 0, self._app, threaded=True, request_handler=Quiet
        )
        self.url = f"http://localhost:{self._server.server_port}"
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.02,))
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self.released.set()
        for browser in self._browsers:
            browser.close()
        self._server.shutdown()
        self._thread.join()
        self._server.server_close()
        if self._before is None:
            del os.environ["AUTHLIB_INSECURE_TRANSPORT"]

    # -- what a test does

    def reset(self) -> None:
        """Be as new, but for the tokens given out."""
        self.needs_secret = False
        self.rotates = False
        self.lasts = 3600
        self.faults: dict[str, Fault] = {}
        self.requests: list[tuple[str, dict[str, str]]] = []
        self.devices: dict[str, Device] = {}
        self.pending: list[str] = []
        self.clock_ahead = 0.0
        self.released = threading.Event()

    def browser(self, user: str = "", **options: Any) -> HttpBrowser:
        """Return a browser with somebody before it; ended with the rig."""
        browser = HttpBrowser(user, **options)
        self._browsers.append(browser)
        return browser

    def asked(self, path: str, **fields: str) -> list[dict[str, str]]:
        """Return the forms sent to a path that have these fields."""
        forms = [form for at, form in self.requests if at == path]
        return [form for form in forms if fields.items() <= form.items()]

    def approve(self, user_code: str, user: str) -> None:
        """Consent on another device."""
        [device] = [one for one in self.devices.values() if one.user_code == user_code]
        device.user = user

    def header(self, name: str) -> str | None:
        """Return a header of the request that is being answered, for faults."""
        return self._flask.request.headers.get(name)

    def grant(self, user: str, scope: str = "openid email") -> dict[str, Any]:
        """Make tokens for somebody, without a sign-in."""
        query = urlencode(
            {
                "client_id": self.client_id,
                "response_type": "code",
                "redirect_uri": "http://127.0.0.1",
                "scope": scope,
            }
        )
        client = self._app.test_client()
        response = client.post(f"{AUTHORIZE}?{query}", data={"sub": user})
        [code] = parse_qs(urlsplit(response.headers["Location"]).query)["code"]
        fields = {"grant_type": "authorization_code", "code": code}
        fields |= {"redirect_uri": "http://127.0.0.1", "client_id": self.client_id}
        answer = client.post(TOKEN, data=fields).get_json()
        return dict(answer)

    def end(self, access_token: str) -> None:
        """Let an access token have ended, as if its time were over."""
        token = self._storage.get_access_token(access_token)
        past = datetime.now(UTC) - timedelta(seconds=1)
        self._storage.store_access_token(replace(token, expires_at=past))

    def end_all(self) -> None:
        """Let every access token have ended."""
        for token in self._storage.access_tokens():
            self.end(token.token)

    def withdraw(self, user: str) -> None:
        """Take back somebody's consent: every token of theirs is gone."""
        self._app.test_client().post(f"/users/{user}/revoke-tokens")

    def knows(self, token: str) -> bool:
        """Tell whether a token, of either kind, is good for anything."""
        if self._storage.get_refresh_token(token):
            return True
        found = self._storage.get_access_token(token)
        return bool(found and not found.is_expired())

    # -- around the mock

    def _extend(self, app: flask.Flask) -> None:
        app.before_request(self._before_request)
        app.after_request(self._after_request)
        app.add_url_rule(DEVICE, view_func=self._start_device, methods=["POST"])
        app.add_url_rule(REVOKE, view_func=self._revoke, methods=["POST"])
        app.add_url_rule(TOKENINFO, view_func=self._tokeninfo)

    def _before_request(self) -> flask.typing.ResponseReturnValue | None:
        request = self._flask.request
        self._storage = self._flask.g.oidc_provider_mock_storage
        form = request.form.to_dict()
        self.requests.append((request.path, form))
        if request.path in self.faults:
            answer = self.faults[request.path](self, form)
            if answer is not None:
                return answer
        if any(len(values) > 1 for _, values in request.form.lists()):
            return error("invalid_request", "a parameter was sent twice")  # RFC 6749 section 3.2
        if request.path in {TOKEN, DEVICE, REVOKE}:
            refused = self._check_client(request)
            if refused:
                return refused
        if request.path == TOKEN and form.get("grant_type") == DEVICE_GRANT:
            return self._answer_poll(form["device_code"])
        if request.path == TOKEN and "code" in form and not self._proves(form):
            return error("invalid_grant", "the code verifier does not fit")
        return None

    def _after_request(self, response: flask.Response) -> flask.Response:
        request = self._flask.request
        if request.path in self.faults:
            return response
        if request.path == AUTHORIZE:
            self._after_authorize(request, response)
        elif request.path == TOKEN and response.status_code == 200:
            self._after_token(request, response)
        elif request.path == DISCOVERY:
            document = response.get_json()
            document["device_authorization_endpoint"] = f"{self.url}{DEVICE}"
            document["revocation_endpoint"] = f"{self.url}{REVOKE}"
            document["scopes_supported"] += ["offline_access"]
            response.data = json.dumps(document)
        return response

    def _start_device(self) -> flask.typing.ResponseReturnValue:
        code, user_code = secrets.token_urlsafe(24), secrets.token_hex(4).upper()
        scope = self._flask.request.form.get("scope", "")
        self.devices[code] = Device(scope, user_code, list(self.pending))
        return {
            "device_code": code,
            "user_code": user_code,
            "verification_uri": f"{self.url}/device",
            "expires_in": 600,
            "interval": 5,
        }

    def _revoke(self) -> flask.typing.ResponseReturnValue:
        token = self._flask.request.form["token"]
        refresh = self._storage.remove_refresh_token(token)
        self._storage.remove_access_token(refresh.access_token if refresh else token)
        return "", 200

    def _tokeninfo(self) -> flask.typing.ResponseReturnValue:
        token = self._flask.request.args["access_token"]
        found = self._storage.get_access_token(token)
        if found is None or found.is_expired():
            return error("invalid_token", "no such token")
        email = found.get_user().claims["email"]
        return {"email": email, "scope": found.scope, "expires_in": 100}

    def _check_client(self, request: flask.Request) -> flask.typing.ResponseReturnValue | None:
        basic = request.authorization
        client = (basic and basic.username) or request.form.get("client_id")
        secret = (basic and basic.password) or request.form.get("client_secret")
        wanted = {self.client_secret} if self.needs_secret else {self.client_secret, None}
        if client != self.client_id or secret not in wanted:
            return error("invalid_client", "unknown client or wrong secret", 401)
        if not basic:
            # The mock refuses public clients: it is told the secret that it does not check.
            text = base64.b64encode(f"{client}:public".encode()).decode()
            request.environ["HTTP_AUTHORIZATION"] = f"Basic {text}"
        return None

    def _after_authorize(self, request: flask.Request, response: flask.Response) -> None:
        target = response.headers.get("Location", "")
        answer = parse_qs(urlsplit(target).query)
        if "code" in answer:
            self._challenges[answer["code"][0]] = request.args.get("code_challenge", "")
        if "error" in answer and "state" not in answer:  # which RFC 6749 wants in errors too
            response.headers["Location"] = f"{target}&{urlencode({'state': request.args['state']})}"

    def _proves(self, form: dict[str, str]) -> bool:
        """Verify a code's challenge (RFC 7636 section 4.6); a code without one needs no proof."""
        digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
        given = base64.urlsafe_b64encode(digest).rstrip(b"=").decode()
        return self._challenges.get(form["code"], "") in {"", given}

    def _answer_poll(self, code: str) -> flask.typing.ResponseReturnValue:
        device = self.devices[code]
        if device.pending:
            word = device.pending.pop(0)
            return error(word, f"about {device.user_code}")
        if device.user is None:
            return error("authorization_pending", "")
        return self.grant(device.user, device.scope)

    def _after_token(self, request: flask.Request, response: flask.Response) -> None:
        answer = response.get_json()
        if "expires_in" in answer:
            answer["expires_in"] = self.lasts
        old = request.form.get("refresh_token")
        if old and self.rotates:
            known = self._storage.remove_refresh_token(old)
            answer["refresh_token"] = secrets.token_urlsafe(32)
            new = replace(known, token=answer["refresh_token"], access_token=answer["access_token"])
            self._storage.store_refresh_token(new)
        response.data = json.dumps(answer)


class HttpBrowser:
    """Somebody who signs in with a browser, by HTTP alone; to be handed in as ``open_browser``.

    Parameters
    ----------
    user
        Who signs in.
    denies
        Presses the other button.
    changes
        What to do to the address that the server sends the browser to.

    Attributes
    ----------
    opened
        The addresses it was shown.
    pages
        What came back from the redirects: status, headers, text.
    """

    def __init__(
        self, user: str, *, denies: bool = False, changes: Callable[[str], str] | None = None
    ) -> None:
        self._data = {"action": "deny"} if denies else {"sub": user}
        self._changes = changes or (lambda address: address)
        self._threads: list[threading.Thread] = []
        self.opened: list[str] = []
        self.pages: list[tuple[int, dict[str, str], str]] = []

    def __call__(self, url: str) -> bool:
        """Sign in, in a thread: whoever opened the browser goes on to wait for it."""
        thread = threading.Thread(target=self._sign_in, args=(url,))
        self._threads.append(thread)
        thread.start()
        return True

    def consent(self, url: str) -> str:
        """Sign in, and return where the server sends the browser to."""
        self.opened.append(url)
        urllib.request.urlopen(url, timeout=10).read()
        form = urlencode(self._data).encode()
        return self._changes(get(url, form)[1]["Location"])

    def close(self) -> None:
        for thread in self._threads:
            thread.join(10)

    def _sign_in(self, url: str) -> None:
        with suppress(OSError):  # nobody waits any more
            self.pages.append(get(self.consent(url)))


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *_: Any) -> None:
        return None


def get(
    url: str, data: bytes | None = None, headers: dict[str, str] | None = None
) -> tuple[int, dict[str, str], str]:
    """Ask for a page; return its status, headers and text, whatever the status."""
    request = urllib.request.Request(url, data, headers or {})
    try:
        response = urllib.request.build_opener(_NoRedirects).open(request, timeout=10)
    except urllib.error.HTTPError as error:
        response = error
    with response:
        return response.status, dict(response.headers), response.read().decode()


def error(name: str, words: str, status: int = 400) -> flask.typing.ResponseReturnValue:
    """Return a refusal as in RFC 6749 section 5.2."""
    return {"error": name, "error_description": words}, status
