"""From an address to a session: the server found, the method chosen, refusals explained."""

from __future__ import annotations

import json
import logging
import ssl
import subprocess
import sys
from typing import TYPE_CHECKING, Any

import pytest

import mailframe as mf
from mailframe.exceptions import (
    AuthenticationError,
    CertificateError,
    ConnectionFailedError,
    MailframeError,
    NotSupportedError,
    QueryError,
)
from mailframe.imap import IMAPClient, OAuth2Authenticator, discovery, way_in
from mailframe.imap.accounts import Account, remember
from mailframe.imap.connection import Connection
from mailframe.imap.discovery import Found
from mailframe.imap.oauth import clients
from mailframe.imap.oauth.clients import (
    Client,
    authenticator_for,
    find_client,
    forget_client,
    save_client,
)
from mailframe.imap.providers import provider_of
from mailframe.imap.way_in import WayIn, find_way, tokens_for
from tests.conftest import require

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from tests.rigs.certificates import Certificates
    from tests.rigs.dovecot import Dovecot
    from tests.rigs.keyrings import MemoryKeyring
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]

ADDRESS = "me@example.org"
MARK = "Zk9xQ7w-tV4bN8s"


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[..., list[str]]:
    """Return a function that says what discovery finds; it returns who was looked for."""

    def find(host: str, port: int, security: str = "none", **more: Any) -> list[str]:
        asked: list[str] = []

        def find_server(address: str, **_: object) -> Found:
            asked.append(address)
            return Found(host, port, security, **{"username": address, "how": "it says", **more})

        monkeypatch.setattr(discovery, "find_server", find_server)
        return asked

    return find


@pytest.fixture
def typed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Return which secrets were asked for; the answer is always `MARK`."""
    asked: list[str] = []

    def ask(question: str) -> str:
        asked.append(question)
        return MARK

    monkeypatch.setattr(way_in, "ask_secret", ask)
    return asked


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    """Return what is in the keyring of this test: (service, user name) to secret."""
    memory: MemoryKeyring = require("tests.rigs.keyrings", "keyring").MemoryKeyring()
    monkeypatch.setattr("keyring.core._keyring_backend", memory)
    return memory.kept


# -- which server


def test_an_address_is_all_it_takes(
    dovecot: Dovecot, user: str, found: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = found(dovecot.host, dovecot.port, username=user)
    dovecot.deliver(user, [b"Subject: Hello\r\n\r\nYou\r\n"])
    monkeypatch.setenv("MAILFRAME_PASSWORD_ME_EXAMPLE_ORG", dovecot.password)
    for arguments in ((ADDRESS,), (None, ADDRESS)):
        with mf.connect(*arguments, reconnect=0) as session:
            assert session.headers()["subject"].tolist() == ["Hello"]
    assert asked == [ADDRESS, ADDRESS]


def test_whoever_names_the_server_has_none_looked_for(
    dovecot: Dovecot, user: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(discovery, "find_server", lambda *_, **__: pytest.fail("looked for"))
    options: dict[str, Any] = {"port": dovecot.port, "security": "none"}
    with mf.connect(dovecot.host, user, password=dovecot.password, **options) as session:
        assert session.count() == 0


@pytest.mark.parametrize("arguments", [(), ("imap.example.com",), (None, "me"), ("", ""), ("me",)])
def test_what_is_neither_a_server_and_a_name_nor_an_address_is_refused(
    arguments: tuple[str | None, ...],
) -> None:
    with pytest.raises(ConnectionFailedError, match="or an address") as caught:
        mf.connect(*arguments)
    assert "mf.connect(" in caught.value.suggestion


@pytest.mark.parametrize("answer", ["", "n", "no", "what?", EOFError, NotImplementedError])
def test_no_password_goes_to_a_guess_without_a_yes(
    scripted: Scripted,
    found: Callable[..., list[str]],
    typed: list[str],
    monkeypatch: pytest.MonkeyPatch,
    answer: Any,
) -> None:
    server = scripted()
    found(server.host, server.port, is_guess=True, needs_confirmation="it only answers")
    questions = []

    def ask(question: str) -> str:
        questions.append(question)
        if isinstance(answer, str):
            return answer
        raise answer

    monkeypatch.setattr(way_in, "ask", ask)
    with pytest.raises(ConnectionFailedError, match="it only answers") as caught:
        mf.connect(ADDRESS)
    assert caught.value.code == "needs-confirmation"
    assert f"mf.connect({server.host!r}, {ADDRESS!r}, port={server.port}" in caught.value.suggestion
    assert server.host in questions[0]
    assert (server.connections, typed) == ([], [])


def test_after_a_yes_it_does(
    scripted: Scripted,
    found: Callable[..., list[str]],
    typed: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = scripted()
    found(server.host, server.port, is_guess=True, needs_confirmation="it only answers")
    monkeypatch.setattr(way_in, "ask", lambda _: " Y ")
    mf.connect(ADDRESS).close()
    assert typed == [f"Password for {ADDRESS}: "]


def test_a_port_of_ones_own_goes_before_the_one_found(found: Callable[..., list[str]]) -> None:
    found("imap.example.org", 993, "tls")
    way = find_way(ADDRESS, None, port=9993, is_confirmed=lambda _: False)
    assert (way.host, way.port, way.security) == ("imap.example.org", 9993, "tls")


# -- which method


@pytest.mark.parametrize(
    ("address", "has_client", "password", "kept", "expected"),
    [
        ("me@gmail.com", False, None, None, "password"),
        ("me@gmail.com", True, None, None, "oauth"),
        ("me@gmail.com", True, "given", None, "password"),
        ("me@gmail.com", True, None, "kept", "password"),
        ("me@outlook.com", True, None, "kept", "oauth"),
        ("me@outlook.com", False, "given", None, "password"),
        ("me@posteo.de", False, None, None, "password"),
    ],
)
def test_the_method_is_chosen(
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    has_client: bool,  # noqa: FBT001 a case
    password: str | None,
    kept: str | None,
    expected: str,
) -> None:
    provider = provider_of(address)
    assert provider is not None
    if has_client:
        monkeypatch.setenv(clients.variable(provider.oauth), "id")
        monkeypatch.setenv(clients.variable(provider.oauth).replace("ID", "SECRET"), "secret")
    if kept:
        monkeypatch.setenv("MAILFRAME_PASSWORD", kept)
    way = WayIn(provider.host, address, provider=provider, password=password)
    way.tokens = tokens_for(way)
    assert way.method == expected


@pytest.mark.usefixtures("keyring")
def test_an_account_that_was_signed_in_to_by_oauth_is_so_again(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAILFRAME_GOOGLE_CLIENT_ID", "id")
    monkeypatch.setenv("MAILFRAME_GOOGLE_CLIENT_SECRET", "secret")
    monkeypatch.setenv("MAILFRAME_PASSWORD", MARK)
    way = WayIn("imap.gmail.com", "me@gmail.com", provider=provider_of("me@gmail.com"))
    assert tokens_for(way) is None
    remember(Account("me@gmail.com", "imap.gmail.com", 993, "tls", "oauth", "google"))
    assert isinstance(tokens_for(way), OAuth2Authenticator)


def test_a_provider_that_takes_only_oauth_gets_no_password() -> None:
    with pytest.raises(AuthenticationError, match="takes no passwords any more") as caught:
        mf.connect("outlook.office365.com", "me@outlook.com")
    assert caught.value.code == "client-id-missing"
    assert "MAILFRAME_MICROSOFT_CLIENT_ID" in caught.value.suggestion


@pytest.mark.parametrize("oauth", [5, object(), ["google"]])
def test_what_gives_no_tokens_is_refused(oauth: Any) -> None:
    with pytest.raises(AuthenticationError, match="no way to get tokens"):
        mf.connect("imap.example.com", "me", oauth=oauth)


def test_an_unknown_provider_is_refused() -> None:
    with pytest.raises(NotSupportedError, match="gogle"):
        mf.connect("imap.example.com", "me", oauth="gogle")


def test_an_address_of_ones_own_domain_is_signed_in_to_where_its_provider_has_it(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(discovery, "find_server", lambda *_, **__: pytest.fail("looked for"))
    way = find_way("me@example.org", None, oauth="google", is_confirmed=lambda _: False)
    assert (way.host, way.port, way.username) == ("imap.gmail.com", 993, "me@example.org")


@pytest.mark.parametrize("name", ["google", "Google", "gmail"])
def test_a_provider_may_be_named_in_several_ways(
    monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setenv("MAILFRAME_GOOGLE_CLIENT_ID", "id")
    monkeypatch.setenv("MAILFRAME_GOOGLE_CLIENT_SECRET", "secret")
    way = find_way("me@example.org", None, oauth=name, is_confirmed=lambda _: False)
    assert way.host == "imap.gmail.com"
    assert isinstance(tokens_for(way, name), OAuth2Authenticator)


def test_the_token_of_a_provider_goes_to_nobody_else(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILFRAME_GOOGLE_CLIENT_ID", "id")
    monkeypatch.setenv("MAILFRAME_GOOGLE_CLIENT_SECRET", "secret")
    with pytest.raises(AuthenticationError, match="no server of Google") as caught:
        mf.connect("imap.example.org", "me@gmail.com", oauth="google")
    assert caught.value.code == "foreign-server"


@pytest.mark.parametrize("given", ["function", "source"])
def test_tokens_of_ones_own_sign_in(scripted: Scripted, given: str) -> None:
    server = scripted(capabilities="IMAP4rev1 SASL-IR AUTH=XOAUTH2")

    class Source:
        def token(self, username: str, *, fresh: bool = False) -> str:
            return f"{username}-{fresh}"

    options: dict[str, Any] = {"oauth": Source()}
    if given == "function":
        options = {"token_provider": lambda username: f"{username}-False"}
    host: dict[str, Any] = {"port": server.port, "security": "none"}
    mf.connect(server.host, "me", **host, **options).close()
    assert len(server.commands("AUTHENTICATE")) == 1


def test_an_app_password_is_asked_for_by_name(scripted: Scripted, typed: list[str]) -> None:
    server = scripted()
    way = WayIn(server.host, "me@icloud.com", provider=provider_of("me@icloud.com"))
    connect = lambda: Connection(server.host, server.port, security="none")  # noqa: E731
    way.log_in(connect).close()
    assert typed[0].startswith("App password for me@icloud.com (not that of the account; made at ")


def test_a_way_in_shows_no_secret() -> None:
    way = WayIn("imap.example.com", "me", password=MARK, tokens=lambda _: MARK)
    assert MARK not in repr(way)


def test_a_provider_s_authenticator_is_used_with_that_provider(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(discovery, "find_server", lambda *_, **__: pytest.fail("looked for"))
    one = OAuth2Authenticator("id", "secret", provider="google")
    way = find_way("me@example.org", None, oauth=one, is_confirmed=lambda _: True)
    assert way.host == "imap.gmail.com"


def test_a_token_opens_no_other_s_mailbox(scripted: Scripted) -> None:
    server = scripted()
    host: dict[str, Any] = {"port": server.port, "security": "none"}
    with pytest.raises(NotSupportedError, match="for, and no other"):
        mf.connect(server.host, "admin", authorize_as="bob", token_provider=lambda _: MARK, **host)
    assert not server.commands("AUTHENTICATE")


def test_a_password_and_tokens_are_one_too_many() -> None:
    with pytest.raises(AuthenticationError, match="one of them is enough"):
        mf.connect("localhost", "me", password=MARK, token_provider=lambda _: MARK)


def test_a_password_for_anybody_goes_to_no_server_that_was_only_found(
    scripted: Scripted,
    found: Callable[..., list[str]],
    typed: list[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    server = scripted()
    found(server.host, server.port)
    monkeypatch.setenv("MAILFRAME_PASSWORD", "for-another-account")
    mf.connect(ADDRESS).close()
    assert len(typed) == 1
    monkeypatch.setenv("MAILFRAME_PASSWORD_ME_EXAMPLE_ORG", "for-this-one")
    mf.connect(ADDRESS).close()
    assert len(typed) == 1
    assert b"for-another-account" not in server.clear_text


def test_a_secret_is_kept_under_the_address_where_the_login_is_a_part_of_it(
    scripted: Scripted, found: Callable[..., list[str]], monkeypatch: pytest.MonkeyPatch
) -> None:
    server = scripted()
    found(server.host, server.port, username="me")
    monkeypatch.setenv("MAILFRAME_PASSWORD_ME_EXAMPLE_ORG", MARK)
    mf.connect(ADDRESS).close()
    assert b'"me"' in server.clear_text
    assert MARK.encode() in server.clear_text


@pytest.mark.parametrize("name", ["password", "security", "authorize_as", "mechanism", "proxy"])
@pytest.mark.parametrize("value", [5, b"bytes", []])
def test_what_is_no_text_is_named(name: str, value: Any) -> None:
    with pytest.raises(QueryError, match=f"{name}= is a "):
        mf.connect("localhost", "me", **{name: value})


@pytest.mark.parametrize("where", ["imaps://me@imap.example.com", "imap.example.com:993", 5, "a b"])
def test_what_is_no_server_s_name_is_told(where: Any) -> None:
    arguments = (where,) if "@" in str(where) else (where, "me")
    with pytest.raises(ConnectionFailedError) as caught:
        mf.connect(*arguments, password=MARK)
    assert repr(where) in caught.value.tried


def test_a_context_is_no_path() -> None:
    with pytest.raises(QueryError, match="cafile="):
        mf.connect("localhost", "me", ssl_context="home.pem")  # type: ignore[arg-type]


def test_what_comes_through_a_pipe_is_no_password(scripted: Scripted) -> None:
    server = scripted()
    script = (
        "import mailframe as mf; "
        f"mf.connect({server.host!r}, 'me', port={server.port}, security='none')"
    )
    done = subprocess.run(
        [sys.executable, "-c", script],
        input="a line of data\n",
        capture_output=True,
        text=True,
        start_new_session=True,  # no terminal either
        timeout=60,
        check=False,
    )
    assert "No password for me" in done.stderr
    assert b"a line of data" not in server.clear_text


# -- what a refusal means


def sign_in(server: Any, user: str = "me", password: str = MARK, **options: Any) -> None:
    settings = {"port": server.port, "security": "none", "timeout": 5, "reconnect": 0} | options
    mf.connect(server.host, user, password=password, **settings).close()


def refused(*arguments: Any, **options: Any) -> MailframeError:
    with pytest.raises(MailframeError) as caught:
        sign_in(*arguments, **options)
    assert MARK not in f"{caught.value!r}{caught.value}"
    return caught.value


def test_a_wrong_password_is_told_as_such(dovecot: Dovecot, user: str) -> None:
    error = refused(dovecot, user)
    assert isinstance(error, AuthenticationError)
    assert error.code == "wrong-password"


@pytest.mark.parametrize(
    ("kind", "code"),
    [
        ("self_signed", "self-signed"),
        ("expired", "certificate-expired"),
        ("wrong_name", "certificate-name"),
    ],
)
@pytest.mark.parametrize("security", ["tls", "starttls"])
def test_trouble_with_a_certificate_is_told_apart(
    scripted: Scripted, certificates: Certificates, kind: str, code: str, security: str
) -> None:
    server = scripted(security=security, certificate=getattr(certificates, kind))
    context = certificates.good.client_context()
    error = refused(server, security=security, ssl_context=context)
    assert isinstance(error, CertificateError)
    assert error.code == code
    if code == "self-signed":
        assert "ssl.create_default_context(cafile=" in error.suggestion


def test_starttls_that_was_taken_away_is_told(scripted: Scripted) -> None:
    error = refused(scripted(security="none"), security="starttls")
    assert error.code == "starttls-stripped"


def test_a_closed_port_is_told() -> None:
    class Nobody:
        host, port = "127.0.0.1", 9  # discard: nothing listens there

    assert refused(Nobody()).code == "connection-refused"


def test_a_server_that_lets_in_and_refuses_every_folder_is_found_out_at_once(
    scripted: Scripted,
) -> None:
    server = scripted(
        {"EXAMINE": b"<tag> BAD User is authenticated but not connected.\r\n"},
        capabilities="IMAP4rev1 SASL-IR AUTH=XOAUTH2",
    )
    way = WayIn(server.host, "me@outlook.com", provider=provider_of("me@outlook.com"))
    way.tokens = lambda _: "token"
    with pytest.raises(MailframeError) as caught:
        way.log_in(lambda: Connection(server.host, server.port, security="none"))
    assert caught.value.code == "wrong-account"


@pytest.mark.parametrize(
    ("words", "code"),
    [
        ("[ALERT] Application-specific password required", "app-password-needed"),
        ("[AUTHENTICATIONFAILED] Invalid credentials (Failure)", "wrong-password"),
    ],
)
def test_a_client_explains_too(scripted: Scripted, words: str, code: str) -> None:
    server = scripted({"LOGIN": f"<tag> NO {words}\r\n".encode()})
    anything = ssl._create_unverified_context()
    with IMAPClient() as client:
        client.connect(server.host, server.port, use_ssl=False, ssl_context=anything)
        with pytest.raises(AuthenticationError) as caught:
            client.authenticate("me@gmail.com", MARK)
    assert caught.value.code == code


# -- the client id of whoever registered one


def test_a_client_comes_from_the_environment_before_the_keyring(
    keyring: dict[tuple[str, str], str], monkeypatch: pytest.MonkeyPatch
) -> None:
    assert find_client("google") is None
    save_client("google", Client("kept", MARK))
    assert find_client("google") == Client("kept", MARK)
    assert MARK not in repr(find_client("google"))
    assert json.loads(keyring[clients.SERVICE, "google"])["client_id"] == "kept"
    monkeypatch.setenv("MAILFRAME_GOOGLE_CLIENT_ID", "set")
    assert find_client("google") == Client("set", "")
    monkeypatch.delenv("MAILFRAME_GOOGLE_CLIENT_ID")
    forget_client("google")
    forget_client("google")
    assert find_client("google") is None


def test_a_machine_without_a_keyring_says_what_to_do_instead() -> None:
    with pytest.raises(NotSupportedError) as caught:
        save_client("mail.ru", Client("id", MARK))
    assert "MAILFRAME_MAIL_RU_CLIENT_ID" in caught.value.suggestion
    assert MARK not in f"{caught.value!r}{caught.value}"


def test_what_the_keyring_holds_may_be_rubbish(keyring: dict[tuple[str, str], str]) -> None:
    for rubbish in ("", "{", "[]", "{}", '"x"', "5"):
        keyring[clients.SERVICE, "google"] = rubbish
        assert find_client("google") is None


def test_tokens_are_kept_where_there_is_a_place_for_them(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, request: pytest.FixtureRequest
) -> None:
    monkeypatch.setenv("MAILFRAME_MICROSOFT_CLIENT_ID", "id")

    def place() -> str:
        return type(authenticator_for("microsoft")._tokens).__name__

    assert place() == "MemoryTokens"
    request.getfixturevalue("keyring")
    assert place() == "KeyringTokens"
    monkeypatch.setenv("MAILFRAME_TOKEN_FILE", str(tmp_path / "tokens.json"))
    assert place() == "FileTokens"


def test_an_authenticator_is_for_the_provider_that_was_named(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv("MAILFRAME_GOOGLE_CLIENT_ID", "id")
    monkeypatch.setenv("MAILFRAME_GOOGLE_CLIENT_SECRET", MARK)
    one = authenticator_for("google")
    assert isinstance(one, OAuth2Authenticator)
    assert (one.client_id, one.provider) == ("id", "google")
    assert MARK not in repr(one) + caplog.text
