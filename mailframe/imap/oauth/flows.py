"""The three ways to sign in: a browser here, a code on another device, a pasted address.

Each ends with a token, or with an error that says what went wrong. None leaves a thread or a port
behind, whether it ends well, in an error or by Ctrl-C.
"""

from __future__ import annotations

import logging
import os
import secrets
import sys
import time
import webbrowser
from typing import TYPE_CHECKING, NamedTuple
from urllib.parse import urlsplit

from mailframe.exceptions import AuthenticationError, MailframeError, NotSupportedError
from mailframe.imap.asking import NOBODY
from mailframe.imap.oauth.calls import answer_of
from mailframe.imap.oauth.redirect import Listener, is_loopback, read_answer
from mailframe.imap.oauth.refusals import refusal

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping

    from mailframe.imap.oauth.redirect import Answer
    from mailframe.imap.oauth.server import DeviceCode, Granted, OAuthServer

__all__ = ["FLOWS", "Person", "choose_flow", "sign_in"]

log = logging.getLogger(__name__)

#: Another computer's, container's or service's: the browser is not where Python is.
_ELSEWHERE = (
    "SSH_CONNECTION",
    "SSH_TTY",
    "JUPYTERHUB_API_TOKEN",
    "JUPYTERHUB_USER",
    "BINDER_SERVICE_HOST",
    "COLAB_RELEASE_TAG",
    "KAGGLE_KERNEL_RUN_TYPE",
    "CODESPACES",
    "GITPOD_WORKSPACE_ID",
    "DATABRICKS_RUNTIME_VERSION",
    "KUBERNETES_SERVICE_HOST",
)
#: They show no scripts, and keep Python waiting until they are left.
_TEXT_BROWSERS = ("links", "elinks", "lynx", "w3m", "www-browser")
_ATTEMPTS = 3
#: Of a port that nobody asks for, for an address that is pasted: where browsers' ports are.
_PORTS = range(49152, 65536)
#: Seconds, as RFC 8628 section 3.5 has it.
_SLOWER_BY = 5
_LONGEST_INTERVAL = 60.0


class Person(NamedTuple):
    """How whoever signs in is spoken to.

    Attributes
    ----------
    open_browser
        Shows an address, like ``webbrowser.open``.
    ask
        Shows a question and returns the answer, like ``getpass.getpass``.
    tell
        Shows a line, like ``print``.
    timeout
        How long to wait, in seconds.
    """

    open_browser: Callable[[str], object]
    ask: Callable[[str], str]
    tell: Callable[[str], object]
    timeout: float


def choose_flow(environ: Mapping[str, str] | None = None, *, has_device: bool) -> str:
    """Choose a way to sign in: the browser if there is one here, else a code, else pasting.

    Parameters
    ----------
    environ
        The environment variables; this process' own by default.
    has_device
        Whether the server has a device endpoint.
    """
    environ = os.environ if environ is None else environ
    if _has_browser(environ):
        return "browser"
    return "device" if has_device else "paste"


def sign_in(
    flow: str, server: OAuthServer, username: str, redirect_uri: str, person: Person
) -> Granted:
    """Have somebody sign in and consent, and get the token.

    Parameters
    ----------
    flow
        ``"browser"``, ``"device"`` or ``"paste"``.
    server
        Where.
    username
        The account, filled in on the page where the server does so.
    redirect_uri
        Where the browser is sent back to; for ``"browser"`` on this computer, without a port for
        any.
    person
        Who signs in.

    Raises
    ------
    AuthenticationError
        If nobody signs in, consent is refused, or the server fails; its ``code`` says which.
    NotSupportedError
        If this server or redirect does not go with the flow.
    """
    return FLOWS[flow](server, username, redirect_uri, person)


def _by_browser(server: OAuthServer, username: str, redirect_uri: str, person: Person) -> Granted:
    if not is_loopback(redirect_uri):
        raise NotSupportedError(
            f"A browser sent to {redirect_uri} does not come back to Python.",
            suggestion='flow="paste" takes the address from you; or register '
            '"http://127.0.0.1" for the application.',
        )
    state, verifier = _random_texts()
    with Listener(redirect_uri, state) as listener:
        url = server.authorization_url(listener.redirect_uri, state, verifier, username)
        person.tell(f"Sign in with your browser. If it shows no page, open this one:\n{url}")
        try:
            person.open_browser(url)
        except (webbrowser.Error, OSError) as error:
            log.warning("no browser was opened: %s", error)  # the address can still be opened
        answer = listener.wait(person.timeout)
        if answer is None:
            raise _no_answer(server, person, others=listener.heard_others)
        came_to = listener.redirect_uri
    return server.exchange(_code(server, answer), verifier, came_to)


def _by_paste(server: OAuthServer, username: str, redirect_uri: str, person: Person) -> Granted:
    state, verifier = _random_texts()
    if is_loopback(redirect_uri) and not urlsplit(redirect_uri).port:
        parts = urlsplit(redirect_uri)
        redirect_uri = f"http://{parts.hostname}:{secrets.choice(_PORTS)}{parts.path}"
    url = server.authorization_url(redirect_uri, state, verifier, username)
    person.tell(
        f"1. Open this page in a browser, and sign in:\n{url}\n"
        f"2. You end on a page that cannot be shown; its address starts with {redirect_uri}\n"
        "3. Copy that whole address, and paste it here (it is not shown)."
    )
    for _ in range(_ATTEMPTS):
        query = _asked(server, person).partition("?")[2].partition("#")[0]
        answer = read_answer(query, state)
        if answer is not None:
            return server.exchange(_code(server, answer), verifier, redirect_uri)
        person.tell("That is not the address of this sign-in: copy all of it, with state=…")
    raise _wrong_state(server)


def _by_device(server: OAuthServer, _username: str, _redirect: str, person: Person) -> Granted:
    if not server.endpoints.device:
        raise NotSupportedError(
            f"{server.endpoints.name} gives no codes for other devices (or not for mail).",
            suggestion='Use flow="browser" on your own computer, flow="paste" elsewhere.',
        )
    device = server.start_device()
    person.tell(
        f"Open {device.address} on any device, and enter the code {device.user_code} if asked."
    )
    return _poll(server, device, person)


def _poll(server: OAuthServer, device: DeviceCode, person: Person) -> Granted:
    interval = min(device.interval, _LONGEST_INTERVAL)
    start = time.monotonic()
    while True:
        time.sleep(interval)
        try:
            granted = server.poll(device)
        except AuthenticationError as error:
            if error.code != "token-endpoint-down":
                raise
            # RFC 8628 section 3.5: after a timeout, less often.
            interval = min(2 * interval, _LONGEST_INTERVAL)
            log.info("%s does not answer, asking again", server.endpoints.name)
        else:
            if granted.token is not None:
                return granted
            if granted.answer.error == "slow_down":
                interval = min(interval + _SLOWER_BY, _LONGEST_INTERVAL)
            elif granted.answer.error != "authorization_pending":
                raise refusal(server.endpoints, "device", granted.answer)
        waited = time.monotonic() - start
        if waited >= device.lasts:
            raise refusal(server.endpoints, "device", answer_of({"error": "expired_token"}))
        if waited >= person.timeout:
            raise _no_answer(server, person, others=False)


#: The ways to sign in by name.
FLOWS: Mapping[str, Callable[[OAuthServer, str, str, Person], Granted]] = {
    "browser": _by_browser,
    "device": _by_device,
    "paste": _by_paste,
}


def _has_browser(environ: Mapping[str, str]) -> bool:
    if any(environ.get(name) for name in _ELSEWHERE):
        return False
    graphical = ("DISPLAY", "WAYLAND_DISPLAY")
    if sys.platform not in {"win32", "darwin"} and not any(map(environ.get, graphical)):
        return False
    try:
        browser = webbrowser.get()
    except webbrowser.Error:
        return False
    return getattr(browser, "name", "") not in _TEXT_BROWSERS


def _random_texts() -> tuple[str, str]:
    """Return a state, and a verifier of the length that RFC 7636 section 4.1 allows."""
    return secrets.token_urlsafe(32), secrets.token_urlsafe(48)


def _asked(server: OAuthServer, person: Person) -> str:
    try:
        return person.ask("Address: ").strip()
    except MailframeError:  # some are OSErrors, too
        raise
    except NOBODY:
        pass
    # Out here it has no context.
    raise AuthenticationError(
        f"Nobody can be asked here: signing in at {server.endpoints.name} takes somebody who can "
        "paste an address.",
        suggestion="Sign in once in a terminal or a notebook, with the tokens kept in a file or a "
        "keyring: MAILFRAME_TOKEN_FILE, token_file=. Then run this again.",
        code="no-answer",
    )


def _code(server: OAuthServer, answer: Answer) -> str:
    if answer.error or not answer.code:
        said = {"error": answer.error or "no code", "error_description": answer.description}
        raise refusal(server.endpoints, "code", answer_of(said))
    return answer.code


def _no_answer(server: OAuthServer, person: Person, *, others: bool) -> AuthenticationError:
    if others:
        return _wrong_state(server)
    return AuthenticationError(
        f"Nobody signed in at {server.endpoints.name} within {person.timeout:.0f} seconds.",
        suggestion="Sign in again: authenticator.authorize(username). Where Python runs on another "
        'computer than the browser, use flow="device" or flow="paste".',
        code="no-answer",
    )


def _wrong_state(server: OAuthServer) -> AuthenticationError:
    return AuthenticationError(
        f"The answer was not to this sign-in at {server.endpoints.name} (another state): it was "
        "not used.",
        suggestion="Sign in again, on the page that is opened then; close older ones. If it "
        "happens again, somebody may be trying to slip you their account.",
        code="state-mismatch",
    )
