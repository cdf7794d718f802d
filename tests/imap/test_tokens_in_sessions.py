"""Signing in with tokens that somebody else obtains: on each connection, anew."""

from __future__ import annotations

import base64
import json
import logging
import threading
from contextlib import ExitStack
from importlib.util import find_spec
from typing import TYPE_CHECKING, Any, NoReturn

import pandas as pd
import pytest

from mailframe.exceptions import (
    AuthenticationError,
    ConnectionFailedError,
    InsecureLoginError,
    MailframeError,
    ThrottledError,
)
from mailframe.imap import auth
from mailframe.imap.auth import TokenProvider, log_in_with_tokens
from mailframe.imap.connection import Connection
from mailframe.imap.pool import Pool
from mailframe.imap.retry import Retry, persistently
from mailframe.imap.source import ImapSource
from mailframe.session import Session
from tests.conftest import missing
from tests.rigs import messages
from tests.rigs.dovecot import Dovecot, dovecot_binary
from tests.rigs.oauth import WARNINGS, OAuthRig
from tests.rigs.proxy import Fault, FaultProxy
from tests.rigs.scripted import in_turn

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from tests.rigs import scripted as rig
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]
    Connected = Callable[..., Connection]

pytestmark = pytest.mark.filterwarnings(WARNINGS)

USER = "me@example.com"
BOTH = "IMAP4rev1 SASL-IR AUTH=PLAIN AUTH=OAUTHBEARER AUTH=XOAUTH2"
REPORT = base64.b64encode(json.dumps({"status": "401", "schemes": "bearer"}).encode())
REFUSED = b"<tag> NO [AUTHENTICATIONFAILED] Invalid credentials\r\n"


class Tokens:
    """Something like an `OAuth2Authenticator`: keeps a token until another is wanted."""

    def __init__(self, *tokens: str) -> None:
        self.left = list(tokens)
        self.kept = self.left.pop(0)
        self.asked: list[tuple[str, bool]] = []

    def token(self, username: str, *, fresh: bool = False) -> str:
        self.asked.append((username, fresh))
        if fresh and self.left:
            self.kept = self.left.pop(0)
        return self.kept


def xoauth2(token: str) -> bytes:
    return base64.b64encode(f"user={USER}\1auth=Bearer {token}\1\1".encode())


def accepting(*tokens: str) -> rig.Function:
    """Return an AUTHENTICATE that takes these tokens, and reports others as Gmail does."""

    def authenticate(_tag: bytes, args: bytes, connection: rig.Connection) -> bytes:
        said = base64.b64decode(args.partition(b" ")[2])
        if said.partition(b"Bearer ")[2].partition(b"\1")[0].decode() in tokens:
            return b"<tag> OK in\r\n"
        connection.send(b"+ " + REPORT + b"\r\n")
        connection.read_line()
        return REFUSED

    return authenticate


def nobody(_username: str) -> NoReturn:
    pytest.fail("it was asked for a token without need")


# -- how a token is sent


@pytest.mark.parametrize(
    ("offered", "wanted", "taken"),
    [
        ("AUTH=OAUTHBEARER AUTH=XOAUTH2", None, b"XOAUTH2"),
        ("AUTH=OAUTHBEARER", None, b"OAUTHBEARER"),
        ("AUTH=OAUTHBEARER AUTH=XOAUTH2", "OAuthBearer", b"OAUTHBEARER"),
    ],
)
@pytest.mark.parametrize("initial_response", [" SASL-IR", ""])
def test_a_token_is_sent_by_what_is_offered(
    scripted: Scripted,
    connected: Connected,
    offered: str,
    wanted: str | None,
    taken: bytes,
    initial_response: str,
) -> None:
    server = scripted(capabilities=f"IMAP4rev1 AUTH=PLAIN {offered}{initial_response}")
    connection = connected(server)
    log_in_with_tokens(connection, USER, lambda username: f"for-{username}", mechanism=wanted)
    text = f"n,a={USER},\1host=127.0.0.1\1port={server.port}\1auth=Bearer for-{USER}\1\1"
    sent = xoauth2(f"for-{USER}") if taken == b"XOAUTH2" else base64.b64encode(text.encode())
    if initial_response:
        assert server.commands("AUTHENTICATE") == [taken + b" " + sent]
    else:
        assert server.commands("AUTHENTICATE") == [taken]
        assert sent in server.received
    assert connection.account == USER


def test_nobody_is_asked_for_a_token_that_cannot_be_sent(
    scripted: Scripted, connected: Connected, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scripted(capabilities="IMAP4rev1 AUTH=PLAIN LOGINDISABLED")
    with pytest.raises(AuthenticationError, match="by XOAUTH2 or OAUTHBEARER") as caught:
        log_in_with_tokens(connected(server), USER, nobody)
    assert caught.value.reply == "AUTH=PLAIN LOGINDISABLED"
    server = scripted(capabilities="IMAP4rev1 AUTH=XOAUTH2")
    with pytest.raises(AuthenticationError, match=r"by OAUTHBEARER\."):
        log_in_with_tokens(connected(server), USER, nobody, mechanism="OAUTHBEARER")
    monkeypatch.setattr("mailframe.imap.connection.is_local", lambda _host: False)
    with pytest.raises(InsecureLoginError):
        log_in_with_tokens(connected(server), USER, nobody)
    assert server.commands("AUTHENTICATE") == []


def test_nobody_is_asked_for_a_token_that_is_not_needed(
    scripted: Scripted, connected: Connected
) -> None:
    connection = connected(scripted(greeting=b"* PREAUTH welcome\r\n"))
    log_in_with_tokens(connection, USER, nobody)
    assert connection.select("INBOX").account == USER


# -- a token that is refused


def test_a_fresh_token_is_asked_for_once_where_one_is_refused(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted({"AUTHENTICATE": accepting("fresh")}, capabilities=BOTH)
    tokens = Tokens("stale", "fresh", "fresher")
    connection = connected(server)
    log_in_with_tokens(connection, USER, tokens)
    assert tokens.asked == [(USER, False), (USER, False), (USER, True)]
    assert server.commands("AUTHENTICATE") == [
        b"XOAUTH2 " + xoauth2("stale"),
        b"XOAUTH2 " + xoauth2("fresh"),
    ]
    assert connection.account == USER


def test_a_method_that_takes_fresh_is_as_good_as_its_object(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted({"AUTHENTICATE": accepting("fresh")}, capabilities=BOTH)
    tokens = Tokens("stale", "fresh")
    log_in_with_tokens(connected(server), USER, tokens.token)
    assert tokens.asked[-1] == (USER, True)


def test_what_another_connection_was_given_meanwhile_is_tried_before_a_fresh_one(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted({"AUTHENTICATE": accepting("fresh")}, capabilities=BOTH)
    tokens = Tokens("stale", "never")
    first = server.handlers["AUTHENTICATE"]
    assert callable(first)

    def renewed_meanwhile(tag: bytes, args: bytes, connection: rig.Connection) -> Any:
        answer = first(tag, args, connection)
        tokens.kept = "fresh"
        return answer

    server.handlers["AUTHENTICATE"] = renewed_meanwhile
    log_in_with_tokens(connected(server), USER, tokens)
    assert tokens.asked == [(USER, False), (USER, False)]


def test_a_plain_function_is_asked_again_too(scripted: Scripted, connected: Connected) -> None:
    server = scripted({"AUTHENTICATE": accepting("second")}, capabilities=BOTH)
    given = ["first", "second", "third"]
    log_in_with_tokens(connected(server), USER, lambda _username: given.pop(0))
    assert given == ["third"]


@pytest.mark.parametrize("provider", [Tokens("stale"), lambda _username: "stale", str.lower])
def test_the_same_token_is_not_sent_twice(
    scripted: Scripted, connected: Connected, provider: TokenProvider
) -> None:
    server = scripted({"AUTHENTICATE": accepting("fresh")}, capabilities=BOTH)
    with pytest.raises(AuthenticationError) as caught:
        log_in_with_tokens(connected(server), USER, provider)
    assert len(server.commands("AUTHENTICATE")) == 1
    words = "NO [AUTHENTICATIONFAILED] Invalid credentials (status: 401, schemes: bearer)"
    assert caught.value.reply == words
    assert "access token" in caught.value.suggestion
    assert "app password" not in caught.value.suggestion


def test_a_second_refusal_is_the_last(scripted: Scripted, connected: Connected) -> None:
    server = scripted({"AUTHENTICATE": accepting()}, capabilities=BOTH)
    tokens = Tokens(*"abcdef")
    connection = connected(server)
    with pytest.raises(AuthenticationError, match="401"):
        log_in_with_tokens(connection, USER, tokens)
    assert len(server.commands("AUTHENTICATE")) == 2
    assert connection.sign_in is None


def test_a_server_that_wants_less_to_do_is_not_shown_another_token(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted({"AUTHENTICATE": b"<tag> NO [UNAVAILABLE] Busy\r\n"}, capabilities=BOTH)
    tokens = Tokens("good", "other")
    with pytest.raises(ThrottledError):
        log_in_with_tokens(connected(server), USER, tokens)
    assert len(tokens.asked) == 1


# -- somebody who gives no token


class NoToken(Exception):  # noqa: N818 as somebody else's may be called
    pass


def raising(error: BaseException) -> TokenProvider:
    def provider(_username: str) -> NoReturn:
        raise error

    return provider


def test_what_is_raised_instead_of_a_token_is_the_cause(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted(capabilities=BOTH)
    error = NoToken("canary")
    with pytest.raises(AuthenticationError, match="provider raised NoToken") as caught:
        log_in_with_tokens(connected(server), USER, raising(error))
    assert caught.value.__cause__ is error
    assert "canary" not in str(caught.value)
    assert server.commands("AUTHENTICATE") == []


@pytest.mark.parametrize("error", [ConnectionResetError("x"), TimeoutError("x")])
def test_a_network_that_fails_on_the_way_to_a_token_is_a_failed_connection(
    scripted: Scripted, connected: Connected, error: OSError
) -> None:
    with pytest.raises(ConnectionFailedError, match="access token") as caught:
        log_in_with_tokens(connected(scripted(capabilities=BOTH)), USER, raising(error))
    assert caught.value.__cause__ is error


@pytest.mark.parametrize(
    "error",
    [AuthenticationError("ours", code="token-endpoint-down"), MailframeError("x"), SystemExit(1)],
)
def test_what_speaks_for_itself_is_passed_on(
    scripted: Scripted, connected: Connected, error: BaseException
) -> None:
    with pytest.raises(type(error)) as caught:
        log_in_with_tokens(connected(scripted(capabilities=BOTH)), USER, raising(error))
    assert caught.value is error


@pytest.mark.parametrize(
    ("given", "named"),
    [
        (None, "a NoneType"),
        (b"canary", "a bytes"),
        ({"access_token": "canary"}, "a dict"),
        ("", "something else"),
        ("Bearer canary", "something else"),
        ("canary\n", "something else"),
        ("canary\0", "something else"),
        ("canary\udce9", "something else"),
        (f"user={USER}\1auth=Bearer canary\1\1", "something else"),
    ],
)
def test_what_is_no_token_is_not_sent_and_not_shown(
    scripted: Scripted, connected: Connected, given: Any, named: str
) -> None:
    server = scripted(capabilities=BOTH)
    with pytest.raises(AuthenticationError, match=f"returned {named}") as caught:
        log_in_with_tokens(connected(server), USER, lambda _username: given)
    assert "canary" not in str(caught.value)
    assert server.commands("AUTHENTICATE") == []


@pytest.mark.parametrize("given", ["canary", None, {"token": "canary"}])
def test_what_nobody_can_ask_is_refused_and_not_shown(
    scripted: Scripted, connected: Connected, given: Any
) -> None:
    with pytest.raises(AuthenticationError, match="is a function") as caught:
        log_in_with_tokens(connected(scripted(capabilities=BOTH)), USER, given)
    assert "canary" not in str(caught.value)


# -- one session, many connections


def test_each_connection_asks_anew(scripted: Scripted, connected: Connected) -> None:
    def hang_up(_tag: bytes, _args: bytes, connection: rig.Connection) -> None:
        connection.close()

    # Gmail ends a connection when its token's hour is over.
    noop = in_turn(hang_up, b"<tag> OK done\r\n")
    server = scripted({"NOOP": noop}, capabilities=BOTH)
    given = ["first", "second", "third"]
    connection = connected(server, retry=Retry())
    log_in_with_tokens(connection, USER, lambda _username: given.pop(0))
    connection.command(b"NOOP", tried="Could not wait.")
    connection.another().close()
    assert server.commands("AUTHENTICATE") == [
        b"XOAUTH2 " + xoauth2(token) for token in ("first", "second", "third")
    ]


def test_a_token_that_has_ended_meanwhile_is_replaced_when_the_connection_returns(
    scripted: Scripted, connected: Connected
) -> None:
    def token_ends(_tag: bytes, _args: bytes, connection: rig.Connection) -> None:
        server.handlers["AUTHENTICATE"] = accepting("fresh")
        connection.close()

    server = scripted(
        {"AUTHENTICATE": accepting("stale"), "NOOP": in_turn(token_ends, b"<tag> OK done\r\n")},
        capabilities=BOTH,
    )
    tokens = Tokens("stale", "fresh")
    connection = connected(server, retry=Retry())
    log_in_with_tokens(connection, USER, tokens)
    connection.command(b"NOOP", tried="Could not wait.")
    assert [fresh for _, fresh in tokens.asked] == [False, False, False, True]
    assert (connection.account, tokens.kept) == (USER, "fresh")


@pytest.mark.parametrize(
    "trouble",
    [TimeoutError("x"), ConnectionError("x"), AuthenticationError("x", code="token-endpoint-down")],
)
def test_a_token_endpoint_that_is_away_for_a_while_ends_no_session(
    scripted: Scripted, connected: Connected, trouble: Exception
) -> None:
    def hang_up(_tag: bytes, _args: bytes, connection: rig.Connection) -> None:
        connection.close()

    server = scripted({"NOOP": in_turn(hang_up, b"<tag> OK done\r\n")}, capabilities=BOTH)
    given: list[str | Exception] = ["first", trouble, trouble, "second"]

    def provider(_username: str) -> str:
        one = given.pop(0)
        if isinstance(one, Exception):
            raise one
        return one

    connection = connected(server, retry=Retry())
    log_in_with_tokens(connection, USER, provider)
    connection.command(b"NOOP", tried="Could not wait.")
    assert server.commands("AUTHENTICATE")[-1] == b"XOAUTH2 " + xoauth2("second")


def test_consent_that_was_withdrawn_ends_a_session_at_once(
    scripted: Scripted, connected: Connected
) -> None:
    def hang_up(_tag: bytes, _args: bytes, connection: rig.Connection) -> None:
        connection.close()

    server = scripted({"NOOP": hang_up}, capabilities=BOTH)
    asked = []

    def provider(username: str) -> str:
        asked.append(username)
        if len(asked) > 1:
            raise AuthenticationError("Withdrawn.", code="invalid-grant")
        return "first"

    connection = connected(server, retry=Retry())
    log_in_with_tokens(connection, USER, provider)
    with pytest.raises(AuthenticationError, match="Withdrawn"):
        connection.command(b"NOOP", tried="Could not wait.")
    assert len(asked) == 2


def test_a_server_that_does_not_wait_for_somebody_who_signs_in_is_connected_to_again(
    scripted: Scripted,
) -> None:
    server = scripted(capabilities=BOTH)
    asked = []

    def provider(username: str) -> str:
        asked.append(username)
        if len(asked) == 1:  # somebody looks for a phone; the server's patience ends
            server.connections[0].send(b"* BYE too slow\r\n")
            server.connections[0].close()
        return "token"

    def connect() -> Connection:
        connection = Connection(server.host, server.port, security="none", timeout=5)
        try:
            log_in_with_tokens(connection, USER, provider)
        except BaseException:
            connection.close()
            raise
        return connection

    connection = persistently(connect, Retry())
    assert connection.account == USER
    assert len(asked) == 2
    connection.close()


def test_threads_ask_one_at_a_time(scripted: Scripted, connected: Connected) -> None:
    def provider(_username: str) -> str:
        held.append(login._lock.locked())
        return "token"

    held: list[bool] = []
    login = auth._TokenLogin(USER, provider, "")
    login(connected(scripted(capabilities=BOTH)))
    assert held == [True]
    assert not login._lock.locked()


def test_a_process_does_not_wait_for_a_thread_of_its_parent(
    scripted: Scripted, connected: Connected
) -> None:
    login = auth._TokenLogin(USER, lambda _username: "token", "")
    login._lock.acquire()
    login._process = -1  # as after a fork, with another thread asking at that moment
    done = threading.Thread(
        target=login, args=(connected(scripted(capabilities=BOTH)),), daemon=True
    )
    done.start()
    done.join(10)
    assert not done.is_alive()


def test_no_token_is_kept_in_what_signs_in_again(
    scripted: Scripted, connected: Connected, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    connection = connected(scripted({"AUTHENTICATE": accepting("Zk9b")}, capabilities=BOTH))
    given = ["Zk9a", "Zk9b"]
    log_in_with_tokens(connection, USER, lambda _username: given.pop(0))
    assert connection.sign_in is not None
    assert "Zk9" not in repr(connection.sign_in) + repr(vars(connection.sign_in)) + caplog.text
    assert f"refused the token of {USER}: trying another" in caplog.text


# -- a real server, and real tokens


@pytest.fixture(scope="module")
def oauth_server() -> Iterator[OAuthRig]:
    if find_spec("oidc_provider_mock") is None:
        missing("oidc_provider_mock is missing; install it: pip install oidc-provider-mock")
    with OAuthRig() as server:
        yield server


@pytest.fixture(scope="module")
def guarded(oauth_server: OAuthRig) -> Iterator[Dovecot]:
    """Start a Dovecot that takes the tokens of the OAuth server."""
    if dovecot_binary() is None:
        missing("Dovecot is missing; install it: apt-get install dovecot-imapd")
    with Dovecot(oauth_server=oauth_server.url) as server:
        yield server


def granted(oauth_server: OAuthRig, user: str) -> str:
    return str(oauth_server.grant(user)["access_token"])


@pytest.mark.parametrize("mechanism", [None, "XOAUTH2", "OAUTHBEARER"])
def test_dovecot_takes_a_token_and_says_why_it_does_not(
    oauth_server: OAuthRig, guarded: Dovecot, connected: Connected, mechanism: str | None
) -> None:
    user = f"{guarded.new_user()}@example.com"
    connection = connected(guarded)
    with pytest.raises(AuthenticationError, match=r"\(status: (401|invalid_token)") as caught:
        log_in_with_tokens(connection, user, lambda _username: "no-token", mechanism=mechanism)
    assert "AUTHENTICATIONFAILED" in caught.value.reply
    token = granted(oauth_server, user)
    log_in_with_tokens(connection, user, lambda _username: token, mechanism=mechanism)
    assert connection.select("INBOX").account == user


def test_dovecot_does_not_take_the_token_of_another_account(
    oauth_server: OAuthRig, guarded: Dovecot, connected: Connected
) -> None:
    token = granted(oauth_server, "somebody.else@example.com")
    with pytest.raises(AuthenticationError, match="status: 40"):
        log_in_with_tokens(connected(guarded), USER, lambda _username: token)


@pytest.mark.parametrize("at", [4_000, 40_000])
def test_a_session_goes_on_with_another_token_where_one_ends_in_mid_fetch(
    oauth_server: OAuthRig, guarded: Dovecot, at: int
) -> None:
    user = f"{guarded.new_user()}@example.com"
    guarded.deliver(user, messages.many(150))
    tokens = Renewing(oauth_server, user)

    def read(faults: list[Fault]) -> tuple[list[pd.DataFrame], list[bool]]:
        with ExitStack() as stack:
            proxy = stack.enter_context(FaultProxy(guarded.host, guarded.port, faults))
            connection = Connection(
                proxy.host, proxy.port, security="none", timeout=5, retry=Retry()
            )
            log_in_with_tokens(connection, user, tokens)
            session = stack.enter_context(Session(ImapSource(connection, 1)))
            if faults:
                oauth_server.end(tokens.kept)
            frames = [session.headers(progress=False), session.bodies(progress=False)]
            return frames, [bool(line.broken) for line in proxy.lines]

    expected, undisturbed = read([])
    before = tokens.kept
    found, broken = read([Fault("cut", at=at)])
    assert (undisturbed, broken) == ([False], [True, False])
    assert tokens.kept != before
    for one, other in zip(found, expected, strict=True):
        pd.testing.assert_frame_equal(one, other)
    assert len(found[0]) == 150


def test_the_connections_of_a_pool_sign_in_with_another_token_where_one_has_ended(
    oauth_server: OAuthRig, guarded: Dovecot, connected: Connected
) -> None:
    user = f"{guarded.new_user()}@example.com"
    tokens = Renewing(oauth_server, user)
    first = connected(guarded, retry=Retry())
    log_in_with_tokens(first, user, tokens)
    oauth_server.end(tokens.kept)
    pool = Pool(first, 3)
    with pool.lend() as one, pool.lend() as two, pool.lend() as three:
        accounts = [each.select("INBOX").account for each in (one, two, three)]
    assert accounts == [user] * 3
    assert tokens.renewals == 1
    pool.close()


class Renewing:
    """Keeps a real token, and gets a fresh one only when it is told to."""

    def __init__(self, server: OAuthRig, user: str) -> None:
        self._server = server
        self.kept = granted(server, user)
        self.renewals = 0

    def token(self, username: str, *, fresh: bool = False) -> str:
        if fresh:
            self.renewals += 1
            self.kept = granted(self._server, username)
        return self.kept
