"""``mailframe login``, ``whoami`` and ``logout``: signing in on a terminal, and out again."""

from __future__ import annotations

import base64
import fcntl
import io
import json
import logging
import os
import pty
import shutil
import subprocess
import sys
import termios
from typing import TYPE_CHECKING, Any, NoReturn

import pandas as pd
import pytest

import mailframe as mf
from mailframe import signing_in
from mailframe.cli import main
from mailframe.imap import accounts, discovery, way_in
from mailframe.imap.accounts import Account
from mailframe.imap.discovery import Found
from mailframe.imap.oauth import OAuth2Authenticator
from mailframe.imap.oauth.clients import Client, save_client
from mailframe.imap.oauth.tokens import KeyringTokens, Token
from mailframe.imap.providers import OAuthSettings, provider_of
from tests.conftest import CHECKOUT, missing, require
from tests.rigs.dovecot import Dovecot, dovecot_binary
from tests.rigs.oauth import AUTHORIZE, DEVICE, REVOKE, TOKEN, WARNINGS, OAuthRig, is_installed

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.rigs.keyrings import MemoryKeyring
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]
    Entries = dict[tuple[str, str], str]

MARK = "Zk9xQ7w-tV4bN8s"
ADDRESS = "me@corp.example"


@pytest.fixture(autouse=True)
def nobody_is_asked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sys, "stdin", io.StringIO())
    monkeypatch.setattr(signing_in, "ask_secret", lambda _: pytest.fail("a secret was asked for"))
    for module in (signing_in, way_in):
        monkeypatch.setattr(module, "ask", lambda _: pytest.fail("somebody was asked"))


@pytest.fixture
def keyring(monkeypatch: pytest.MonkeyPatch) -> Entries:
    """Return what is in the keyring of this test: (service, user name) to secret."""
    memory: MemoryKeyring = require("tests.rigs.keyrings", "keyring").MemoryKeyring()
    monkeypatch.setattr("keyring.core._keyring_backend", memory)
    return memory.kept


class Person:
    """Somebody before a terminal, who knows what to type.

    Attributes
    ----------
    typed
        What is typed, by how the question begins; ``None`` is the end of input.
    asked
        The questions.
    """

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.typed: dict[str, str | None] = {}
        self.asked: list[str] = []
        monkeypatch.setattr(signing_in, "_is_somebody_there", lambda: True)
        monkeypatch.setattr(signing_in, "ask_secret", self.answer)
        for module in (signing_in, way_in):
            monkeypatch.setattr(module, "ask", self.answer)

    def answer(self, question: str) -> str:
        self.asked.append(question)
        found = [text for start, text in self.typed.items() if question.startswith(start)]
        assert found, question
        if found[0] is None:
            raise EOFError
        return found[0]


@pytest.fixture
def person(monkeypatch: pytest.MonkeyPatch) -> Person:
    """Put somebody before the terminal."""
    return Person(monkeypatch)


@pytest.fixture
def account(dovecot: Dovecot) -> str:
    """Return an address with two messages on `dovecot`."""
    address = f"{dovecot.new_user()}@example.com"
    dovecot.deliver(address, [b"Subject: Hello\r\n\r\nYou\r\n"] * 2)
    return address


@pytest.fixture
def server(dovecot: Dovecot) -> list[str]:
    """Return the options that name `dovecot`."""
    authority = str(dovecot._certificate.authority)
    return ["--host", "localhost", "--port", str(dovecot.tls_port), "--cafile", authority]


@pytest.fixture
def found(monkeypatch: pytest.MonkeyPatch) -> Callable[..., None]:
    """Return a function that says what discovery finds."""

    def find(at: Any, **more: Any) -> None:
        def find_server(address: str, **_: object) -> Found:
            return Found(at.host, at.port, "none", address, **{"how": "as it says", **more})

        monkeypatch.setattr(discovery, "find_server", find_server)

    return find


def read(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that must go well, and return what it says."""
    status = main(arguments)
    printed = capsys.readouterr()
    assert (status, printed.err) == (0, "")
    return printed.out


def refused(capsys: pytest.CaptureFixture[str], *arguments: str) -> str:
    """Run a command that must fail, and return what it says of that."""
    status = main(arguments)
    printed = capsys.readouterr()
    assert status == 1
    assert printed.err.startswith("mailframe: ")
    assert "Traceback" not in printed.err
    return printed.err


def connect_as_told(said: str, **options: Any) -> mf.Session:
    """Type into Python what the program said can be typed there."""
    lines = [line.strip() for line in said.partition("In Python:")[2].splitlines() if line.strip()]
    names: dict[str, Any] = {}
    if options:
        lines[-1] = lines[-1].removesuffix(")") + ", **options)"
        names["options"] = options
    exec("\n".join(lines), names)
    session: mf.Session = names["session"]
    return session


# -- with a password


def test_from_an_address_to_a_line_that_can_be_typed(
    dovecot: Dovecot,
    account: str,
    server: list[str],
    keyring: Entries,
    person: Person,
    capsys: pytest.CaptureFixture[str],
) -> None:
    person.typed = {"Password": dovecot.password, "Keep": ""}
    said = read(capsys, "login", account, *server)
    assert f"Server: localhost, port {dovecot.tls_port}, TLS." in said
    assert f"Signed in as {account}: 2 messages in INBOX." in said
    assert "Kept in the keyring." in said
    assert person.asked == [
        f"Password for {account}: ",
        "Keep it in this machine's keyring? [Y/n] ",
    ]
    assert f"session = mf.connect({account!r}, ssl_context=trusted)" in said
    assert keyring["mailframe:localhost", account] == dovecot.password
    with connect_as_told(said) as session:  # where nobody is asked any more
        assert session.count() == 2


@pytest.mark.parametrize("answer", ["n", "no", "what?", None])
def test_who_does_not_want_it_kept_finds_nothing_kept(
    dovecot: Dovecot,
    account: str,
    server: list[str],
    keyring: Entries,
    person: Person,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    answer: str | None,
) -> None:
    person.typed = {"Password": dovecot.password, "Keep": answer}
    said = read(capsys, "login", account, *server)
    assert keyring == {}
    assert f"mf.connect('localhost', {account!r}, port={dovecot.tls_port}" in said
    monkeypatch.setenv("MAILFRAME_PASSWORD", dovecot.password)
    with connect_as_told(said) as session:
        assert session.count() == 2


@pytest.mark.parametrize(("option", "kept"), [("--save", 2), ("--no-save", 0)])
def test_an_option_answers_the_question(
    dovecot: Dovecot,
    account: str,
    server: list[str],
    keyring: Entries,
    person: Person,
    capsys: pytest.CaptureFixture[str],
    option: str,
    kept: int,
) -> None:
    person.typed = {"Password": dovecot.password}
    read(capsys, "login", account, *server, option)
    assert len(keyring) == kept


@pytest.mark.parametrize("option", [(), ("--save",)])
def test_after_a_wrong_password_nothing_is_kept(
    account: str,
    server: list[str],
    keyring: Entries,
    person: Person,
    capsys: pytest.CaptureFixture[str],
    option: tuple[str, ...],
) -> None:
    person.typed = {"Password": MARK}
    said = refused(capsys, "login", account, *server, *option)
    assert "What to do: " in said
    assert MARK not in said
    assert keyring == {}


def test_a_certificate_that_is_not_trusted_is_told_before_a_password_is_asked_for(
    dovecot: Dovecot, account: str, person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    port = str(dovecot.tls_port)
    said = refused(capsys, "login", account, "--host", "localhost", "--port", port)
    assert "--cafile" in said
    assert "ssl_context=" not in said
    assert person.asked == []


def test_enter_takes_the_password_that_is_known(
    dovecot: Dovecot,
    account: str,
    server: list[str],
    keyring: Entries,
    person: Person,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAILFRAME_PASSWORD", dovecot.password)
    person.typed = {"Password": ""}
    said = read(capsys, "login", account, *server)
    assert "(Enter: that from the environment variable MAILFRAME_PASSWORD)" in person.asked[0]
    assert "Kept" not in said  # it was not typed: only the account is remembered
    assert [one for one in keyring if one[0] != accounts.SERVICE] == []
    assert read(capsys, "login", account, *server, "--save").count("Kept in the keyring.") == 1


def test_a_new_password_goes_before_the_one_that_is_known(
    dovecot: Dovecot,
    account: str,
    server: list[str],
    keyring: Entries,
    person: Person,
    capsys: pytest.CaptureFixture[str],
) -> None:
    keyring["mailframe:localhost", account] = "outdated"
    person.typed = {"Password": dovecot.password, "Keep": "y"}
    read(capsys, "login", account, *server)
    assert keyring["mailframe:localhost", account] == dovecot.password


@pytest.mark.usefixtures("keyring")
@pytest.mark.parametrize("nothing", ["", None])
def test_no_password_is_an_error(
    account: str,
    server: list[str],
    person: Person,
    capsys: pytest.CaptureFixture[str],
    nothing: str | None,
) -> None:
    person.typed = {"Password": nothing}
    assert "No password" in refused(capsys, "login", account, *server)


@pytest.mark.parametrize("at", ["Password", "Keep"])
def test_ctrl_c_keeps_nothing(
    dovecot: Dovecot,
    account: str,
    server: list[str],
    keyring: Entries,
    person: Person,
    monkeypatch: pytest.MonkeyPatch,
    at: str,
) -> None:
    def interrupt(question: str) -> str:
        if question.startswith(at):
            raise KeyboardInterrupt
        return dovecot.password

    monkeypatch.setattr(signing_in, "ask_secret", interrupt)
    monkeypatch.setattr("mailframe.signing_in.ask", interrupt)
    assert main(["login", account, *server]) == 130
    assert (keyring, person.asked) == ({}, [])


# -- without a keyring, without a terminal


def test_without_a_keyring_the_environment_variable_is_named(
    dovecot: Dovecot,
    account: str,
    server: list[str],
    person: Person,
    capsys: pytest.CaptureFixture[str],
) -> None:
    person.typed = {"Password": dovecot.password}
    said = read(capsys, "login", account, *server)
    name = f"MAILFRAME_PASSWORD_{account.upper().replace('@', '_').replace('.', '_')}"
    [line] = [line for line in said.splitlines() if "no keyring" in line]
    assert name in line
    assert f"mf.connect('localhost', {account!r}" in said


def test_without_a_keyring_saving_is_refused_before_anything_is_asked(
    account: str, server: list[str], person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    assert "no keyring" in refused(capsys, "login", account, *server, "--save")
    assert person.asked == []


@pytest.mark.parametrize("fails", ["set_password", "get_password"])
@pytest.mark.parametrize(("option", "status"), [((), 0), (("--save",), 1)])
def test_a_keyring_that_does_not_take_it_is_told(
    dovecot: Dovecot,
    account: str,
    server: list[str],
    keyring: Entries,
    person: Person,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    fails: str,
    option: tuple[str, ...],
    status: int,
) -> None:
    def fail(*_: object) -> NoReturn:
        raise RuntimeError(MARK)

    monkeypatch.setattr(f"tests.rigs.keyrings.MemoryKeyring.{fails}", fail)
    person.typed = {"Password": dovecot.password, "Keep": ""}
    assert main(["login", account, *server, *option]) == status
    said = capsys.readouterr().out
    assert "Signed in" in said
    assert "It was not kept." in said
    assert MARK not in said
    assert accounts.SERVICE not in dict(keyring)


def test_without_a_terminal_what_is_known_is_taken(
    dovecot: Dovecot,
    account: str,
    server: list[str],
    keyring: Entries,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setenv("MAILFRAME_PASSWORD", dovecot.password)
    said = read(capsys, "login", account, *server)
    assert "Signed in" in said
    assert [service for service, _ in keyring] == [accounts.SERVICE]


def test_without_a_terminal_and_a_password_it_is_an_error(
    account: str, server: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, "login", account, *server)
    assert "MAILFRAME_PASSWORD" in said
    assert f"mailframe login {account}" in said
    assert "mf." not in said


def test_without_a_terminal_no_guess_is_confirmed(
    scripted: Scripted, found: Callable[..., None], capsys: pytest.CaptureFixture[str]
) -> None:
    there = scripted()
    found(there, needs_confirmation="it only answers")
    said = refused(capsys, "login", ADDRESS)
    assert f"mailframe login {ADDRESS} --host {there.host} --port {there.port} --security" in said
    assert there.connections == []


@pytest.mark.parametrize("stdin", ["closed", "null", "pipe"])
def test_a_program_without_a_terminal_does_not_wait(
    account: str, server: list[str], stdin: str
) -> None:
    command = [sys.executable, "-m", "mailframe", "login", account, *server]
    if stdin == "closed":
        command = ["sh", "-c", 'exec "$@" <&-', "sh", *command]
    with subprocess.Popen(
        command,
        stdin=subprocess.PIPE if stdin == "pipe" else subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        start_new_session=True,
        text=True,
        env={**os.environ, "PYTHONPATH": str(CHECKOUT)},
    ) as process:
        assert process.wait(60) == 1  # while the pipe stays open
        assert process.stderr is not None
        assert "MAILFRAME_PASSWORD" in process.stderr.read()


# -- the server


def test_a_guess_is_asked_about_and_remembered(
    dovecot: Dovecot,
    account: str,
    found: Callable[..., None],
    person: Person,
    keyring: Entries,
    capsys: pytest.CaptureFixture[str],
) -> None:
    found(dovecot, how="guessed", needs_confirmation="it only answers")
    person.typed = {"Is ": "y", "Password": dovecot.password, "Keep": "y"}
    said = read(capsys, "login", account)
    assert f"Server: 127.0.0.1, port {dovecot.port}, not encrypted, guessed." in said
    assert f"session = mf.connect({account!r})" in said
    assert len(keyring) == 2
    person.typed = {}
    with connect_as_told(said) as session:
        assert session.count() == 2


def test_after_a_no_to_a_guess_nothing_goes_there(
    scripted: Scripted,
    found: Callable[..., None],
    person: Person,
    capsys: pytest.CaptureFixture[str],
) -> None:
    there = scripted()
    found(there, needs_confirmation="it only answers")
    person.typed = {"Is ": "n"}
    refused(capsys, "login", ADDRESS)
    assert there.connections == []


@pytest.mark.parametrize("arguments", [["me"], ["me@"], ["@"], ["me@corp.example\r\nx"]])
def test_what_is_no_address_is_told_in_words_of_the_shell(
    arguments: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    said = refused(capsys, "login", *arguments)
    assert "--host imap.example.com" in said
    assert "mf." not in said


@pytest.mark.usefixtures("keyring")
def test_the_page_for_an_app_password_is_shown_before_one_is_asked_for(
    scripted: Scripted,
    found: Callable[..., None],
    person: Person,
    capsys: pytest.CaptureFixture[str],
) -> None:
    provider = provider_of("me@icloud.com")
    assert provider is not None
    found(scripted(), provider=provider)
    person.typed = {"App password": "secret", "Keep": "n"}
    said = read(capsys, "login", "me@icloud.com")
    wants = "iCloud Mail wants an app password, not that of the account, made here:"
    assert f"{wants} {provider.app_password_url}" in said


# -- OAuth


@pytest.fixture(scope="module")
def running() -> Iterator[OAuthRig]:
    if not is_installed():
        missing("oidc-provider-mock is missing; install it: pip install oidc-provider-mock")
    with OAuthRig() as there:
        yield there


@pytest.fixture(scope="module")
def mail(running: OAuthRig) -> Iterator[Dovecot]:
    """Return a Dovecot that takes the tokens of `running`."""
    if dovecot_binary() is None:
        missing("Dovecot is missing; install it: apt-get install dovecot-imapd")
    with Dovecot(oauth_server=running.url) as there:
        yield there


@pytest.fixture
def oauth(running: OAuthRig, monkeypatch: pytest.MonkeyPatch) -> Iterator[OAuthRig]:
    """Put an OAuth server in Google's place."""
    running.reset()
    google = OAuthSettings(
        key="google",
        name="Google",
        authorization_endpoint=f"{running.url}{AUTHORIZE}",
        token_endpoint=f"{running.url}{TOKEN}",
        device_endpoint=f"{running.url}{DEVICE}",
        revocation_endpoint=f"{running.url}{REVOKE}",
        scopes=("openid", "email"),
    )
    monkeypatch.setattr(
        "mailframe.imap.oauth.endpoints.oauth_settings", {"google": google}.__getitem__
    )
    yield running
    running.released.set()


@pytest.fixture
def member(mail: Dovecot) -> str:
    address = f"{mail.new_user()}@example.com"
    mail.deliver(address, [b"Subject: Hello\r\n\r\nYou\r\n"])
    return address


@pytest.fixture
def at(mail: Dovecot) -> list[str]:
    authority = str(mail._certificate.authority)
    host = ["--host", "localhost", "--port", str(mail.tls_port), "--cafile", authority]
    return [*host, "--oauth", "google", "--flow", "browser"]


@pytest.fixture
def browser(oauth: OAuthRig, monkeypatch: pytest.MonkeyPatch) -> Callable[[str], None]:
    """Return a function that says who signs in with the browser."""

    def use(user: str) -> None:
        settings: dict[str, Any] = OAuth2Authenticator.__init__.__kwdefaults__ or {}
        monkeypatch.setitem(settings, "open_browser", oauth.browser(user))

    return use


@pytest.fixture
def known_client(oauth: OAuthRig, keyring: Entries) -> None:
    save_client("google", Client(oauth.client_id, oauth.client_secret))
    assert keyring


@pytest.mark.filterwarnings(WARNINGS)
def test_from_a_browser_to_an_account_that_is_kept_and_left(
    oauth: OAuthRig,
    member: str,
    at: list[str],
    browser: Callable[[str], None],
    keyring: Entries,
    person: Person,
    capsys: pytest.CaptureFixture[str],
) -> None:
    browser(member)
    person.typed = {
        "Client id": f" {oauth.client_id}", "Client secret": oauth.client_secret, "Keep": "",
    }  # fmt: skip
    said = read(capsys, "login", member, *at)
    assert "Register an application with Google" in said
    assert f"Signed in as {member}: 1 message in INBOX." in said
    assert f'session = mf.connect({member!r}, oauth="google", ssl_context=trusted)' in said
    assert {service for service, _ in keyring} == {
        "mailframe-accounts", "mailframe-oauth", "mailframe-oauth-client",
    }  # fmt: skip
    kept = json.loads(keyring["mailframe-oauth", member])["refresh_token"]
    assert oauth.knows(kept)
    person.typed = {}
    with connect_as_told(said) as session:
        assert session.count() == 1

    assert "OAuth tokens in the keyring" in read(capsys, "whoami")
    said = read(capsys, "logout", member)
    assert "Google has revoked them." in said
    assert not oauth.knows(kept)
    assert {service for service, _ in keyring} <= {"mailframe-accounts", "mailframe-oauth-client"}
    assert accounts.known() == []


@pytest.mark.filterwarnings(WARNINGS)
@pytest.mark.usefixtures("known_client")
def test_signing_in_again_does_not_rely_on_tokens_that_may_be_dead(
    oauth: OAuthRig,
    member: str,
    at: list[str],
    browser: Callable[[str], None],
    person: Person,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    dead = Token("", "dead", client_id=oauth.client_id, server="google")
    KeyringTokens().save(member, dead)
    port = int(at[at.index("--port") + 1])
    accounts.remember(Account(member, "localhost", port, "tls", "oauth", "google"))
    browser(member)
    monkeypatch.setattr("mailframe.imap.oauth.authenticator.choose_flow", lambda **_: "browser")
    person.typed = {"Keep": "y"}
    said = read(capsys, "login", member, "--cafile", at[at.index("--cafile") + 1])
    assert "as when it was last signed in to" in said
    assert KeyringTokens().load(member) != dead


@pytest.mark.filterwarnings(WARNINGS)
@pytest.mark.usefixtures("known_client")
def test_tokens_that_open_no_mailbox_are_not_kept_and_older_ones_stay(
    oauth: OAuthRig,
    scripted: Scripted,
    browser: Callable[[str], None],
    keyring: Entries,
    person: Person,
    capsys: pytest.CaptureFixture[str],
) -> None:
    there = scripted(
        {"AUTHENTICATE": b"<tag> NO [AUTHENTICATIONFAILED] no\r\n"},
        capabilities="IMAP4rev1 SASL-IR AUTH=XOAUTH2",
    )
    KeyringTokens().save(ADDRESS, Token("", "older", client_id=oauth.client_id, server="google"))
    before = dict(keyring)
    browser(ADDRESS)
    where = ["--host", there.host, "--port", str(there.port), "--security", "none"]
    refused(capsys, "login", ADDRESS, *where, "--oauth", "google", "--flow", "browser", "--save")
    assert keyring == before
    assert person.asked == []


@pytest.mark.filterwarnings(WARNINGS)
@pytest.mark.usefixtures("known_client", "person")
def test_nobody_connects_before_the_right_account_has_signed_in(
    scripted: Scripted,
    browser: Callable[[str], None],
    keyring: Entries,
    capsys: pytest.CaptureFixture[str],
) -> None:
    there, before = scripted(), dict(keyring)
    browser("you@example.com")
    where = ["--host", there.host, "--port", str(there.port), "--security", "none"]
    said = refused(capsys, "login", ADDRESS, *where, "--oauth", "google", "--flow", "browser")
    assert "you@example.com signed in" in said
    assert (there.connections, keyring) == ([], before)


@pytest.mark.filterwarnings(WARNINGS)
@pytest.mark.usefixtures("known_client")
def test_a_code_for_another_device_signs_in(
    oauth: OAuthRig,
    member: str,
    at: list[str],
    person: Person,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def consent(_seconds: float) -> None:
        [device] = [one for one in oauth.devices.values() if one.user is None]
        oauth.approve(device.user_code, member)

    monkeypatch.setattr("mailframe.imap.oauth.flows.time.sleep", consent)
    person.typed = {"Keep": "n"}
    said = read(capsys, "login", member, *at[:-1], "device")
    assert "enter the code" in said
    assert "Signed in" in said


@pytest.mark.filterwarnings(WARNINGS)
@pytest.mark.usefixtures("known_client")
def test_tokens_go_into_the_file_that_is_named(
    member: str,
    at: list[str],
    browser: Callable[[str], None],
    person: Person,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    file = tmp_path / "tokens.json"
    monkeypatch.setenv("MAILFRAME_TOKEN_FILE", str(file))
    browser(member)
    person.typed = {"Keep": ""}
    said = read(capsys, "login", member, *at)
    assert person.asked == [f"Keep it in {file}? [Y/n] "]
    assert f"Kept in {file}." in said
    assert file.stat().st_mode & 0o777 == 0o600
    assert str(file) in read(capsys, "whoami", member)
    assert str(file) in read(capsys, "logout", member)
    assert member not in file.read_text()


@pytest.mark.filterwarnings(WARNINGS)
def test_without_a_place_for_tokens_that_is_said_first(
    oauth: OAuthRig,
    member: str,
    at: list[str],
    browser: Callable[[str], None],
    person: Person,
    capsys: pytest.CaptureFixture[str],
) -> None:
    browser(member)
    person.typed = {"Client secret": oauth.client_secret}
    said = read(capsys, "login", member, *at, "--client-id", oauth.client_id)
    assert said.index("MAILFRAME_TOKEN_FILE") < said.index("Signed in")
    assert [one[:13] for one in person.asked] == ["Client secret"]


@pytest.mark.filterwarnings(WARNINGS)
@pytest.mark.usefixtures("known_client")
def test_without_a_terminal_only_tokens_that_are_kept_sign_in(
    oauth: OAuthRig, member: str, at: list[str], capsys: pytest.CaptureFixture[str]
) -> None:
    assert "Nobody is there" in refused(capsys, "login", member, *at)
    granted = oauth.grant(member)
    token = Token("", granted["refresh_token"], client_id="another's", server="google")
    KeyringTokens().save(member, token)
    assert "Nobody is there" in refused(capsys, "login", member, *at)
    token = Token("", granted["refresh_token"], client_id=oauth.client_id, server="google")
    KeyringTokens().save(member, token)
    assert "Signed in" in read(capsys, "login", member, *at)


def test_who_takes_only_tokens_is_asked_for_no_password(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAILFRAME_PASSWORD", MARK)
    said = refused(capsys, "login", "me@outlook.com")
    assert "MAILFRAME_MICROSOFT_CLIENT_ID" in said


def test_a_provider_that_is_not_known_has_to_be_named(capsys: pytest.CaptureFixture[str]) -> None:
    where = ["--host", "localhost", "--oauth"]
    assert "--oauth google" in refused(capsys, "login", ADDRESS, *where)
    assert "gogle" in refused(capsys, "login", ADDRESS, *where, "gogle")


def test_tokens_of_a_provider_are_shown_to_no_other_server(
    person: Person, capsys: pytest.CaptureFixture[str]
) -> None:
    where = ["--host", "imap.example.org", "--oauth", "google", "--client-id", "id"]
    assert "no server of Google" in refused(capsys, "login", ADDRESS, *where)
    assert person.asked == []


@pytest.mark.usefixtures("keyring")
@pytest.mark.parametrize("nothing", ["", None])
def test_no_client_id_is_an_error(
    person: Person, capsys: pytest.CaptureFixture[str], nothing: str | None
) -> None:
    person.typed = {"Client id": nothing}
    assert "--client-id" in refused(capsys, "login", "me@gmail.com", "--oauth")


# -- whoami


def table(capsys: pytest.CaptureFixture[str], *arguments: str) -> pd.DataFrame:
    text = read(capsys, "whoami", *arguments)
    return pd.read_csv(io.StringIO(text), keep_default_na=False).set_index("account")


@pytest.mark.usefixtures("keyring")
def test_whoami_lists_accounts_and_where_their_secrets_would_come_from(
    keyring: Entries,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    for name in ("keyring", "environment", "netrc", "nowhere"):
        accounts.remember(
            Account(f"{name}@example.com", f"imap.{name}.example", 993, "tls", "password")
        )
    accounts.remember(Account("o@example.com", "imap.gmail.com", 993, "tls", "oauth", "google"))
    keyring["mailframe:imap.keyring.example", "keyring@example.com"] = MARK
    monkeypatch.setenv("MAILFRAME_PASSWORD_ENVIRONMENT_EXAMPLE_COM", MARK)
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine imap.netrc.example login netrc@example.com password {MARK}")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    shown = table(capsys)
    assert MARK not in shown.to_string()
    assert shown["secret"].to_dict() == {
        "keyring@example.com": "the keyring",
        "environment@example.com": "the environment variable "
        "MAILFRAME_PASSWORD_ENVIRONMENT_EXAMPLE_COM",
        "netrc@example.com": str(netrc),
        "nowhere@example.com": "asked for",
        "o@example.com": "asked for: no client id",
    }
    assert shown["server"].iloc[0] == "imap.keyring.example:993, TLS"
    assert shown["method"].tolist() == ["password"] * 4 + ["oauth"]
    assert table(capsys, "NETRC@example.com").index.tolist() == ["netrc@example.com"]


@pytest.mark.parametrize(
    ("address", "server", "secret"),
    [
        ("me@posteo.de", "posteo.de:993, TLS", "asked for"),
        ("me@outlook.com", "outlook.office365.com:993, TLS", "asked for: no client id"),
        ("me@tuta.com", "Tuta has no IMAP", ""),
    ],
)
def test_whoami_knows_providers_without_asking_anybody(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    address: str,
    server: str,
    secret: str,
) -> None:
    monkeypatch.setattr("socket.socket.connect", lambda *_: pytest.fail("it went to the network"))
    shown = table(capsys, address)
    assert shown.loc[address, ["server", "secret"]].tolist() == [server, secret]


def test_whoami_says_when_nothing_is_known(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, request: Any
) -> None:
    assert "mailframe login me@corp.example" in refused(capsys, "whoami", ADDRESS)
    assert main(["whoami"]) == 0
    assert "no keyring" in capsys.readouterr().err
    request.getfixturevalue("keyring")
    assert main(["whoami"]) == 0
    printed = capsys.readouterr()
    assert (printed.out, "mailframe login" in printed.err) == ("", True)
    monkeypatch.setenv("MAILFRAME_PASSWORD", MARK)
    assert table(capsys, ADDRESS).loc[ADDRESS, "server"] == "to be found"


# -- logout


def test_logout_forgets_what_is_in_the_keyring_and_says_what_stays(
    keyring: Entries,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
) -> None:
    host = "mail.corp.example"
    accounts.remember(Account(ADDRESS, host, 993, "tls", "password", login="me"))
    others = {("mailframe", "you@corp.example"): "theirs", ("other", ADDRESS): "theirs"}
    keyring.update(others)
    for service in ("mailframe", f"mailframe:{host}"):
        for name in (ADDRESS, "me"):
            keyring[service, name] = MARK
    monkeypatch.setenv("MAILFRAME_PASSWORD", MARK)
    netrc = tmp_path / "netrc"
    netrc.write_text(f"machine {host} password {MARK}")
    netrc.chmod(0o600)
    monkeypatch.setenv("NETRC", str(netrc))
    said = read(capsys, "logout", "ME@corp.example")
    assert "MAILFRAME_PASSWORD: unset it yourself" in said
    assert f"A password stays in {netrc}" in said
    assert MARK not in said
    assert others.items() <= keyring.items()
    assert MARK not in keyring.values()
    assert accounts.known() == []


def test_logout_of_what_was_never_kept_is_an_error(capsys: pytest.CaptureFixture[str]) -> None:
    assert "Nothing was kept" in refused(capsys, "logout", ADDRESS)


@pytest.mark.filterwarnings(WARNINGS)
@pytest.mark.parametrize("why", ["down", "client unknown", "server unknown"])
def test_logout_forgets_tokens_also_where_the_server_is_not_told(
    oauth: OAuthRig,
    keyring: Entries,
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    why: str,
) -> None:
    oauth.needs_secret = True
    oauth.faults[REVOKE] = lambda *_: ("down", 503)
    monkeypatch.setattr("mailframe.imap.oauth.calls.time.sleep", lambda _: None)
    if why == "down":
        save_client("google", Client(oauth.client_id, oauth.client_secret))
    elif why == "client unknown":
        del oauth.faults[REVOKE]
    where = "nobody" if why == "server unknown" else "google"
    KeyringTokens().save(ADDRESS, Token("", MARK, client_id=oauth.client_id, server=where))
    said = read(capsys, "logout", ADDRESS)
    assert "could not be told" in said
    assert "Withdraw the access" in said
    assert MARK not in said + str(keyring)


def test_logout_says_where_tokens_cannot_be_taken_back(
    keyring: Entries, capsys: pytest.CaptureFixture[str]
) -> None:
    save_client("microsoft", Client("id", ""))
    KeyringTokens().save("me@outlook.com", Token("", MARK, client_id="id", server="microsoft"))
    said = read(capsys, "logout", "me@outlook.com")
    assert "takes none back" in said
    assert ("mailframe-oauth", "me@outlook.com") not in keyring


# -- secrets


@pytest.mark.usefixtures("keyring")
@pytest.mark.parametrize("accepted", [True, False])
def test_a_password_is_seen_nowhere(
    scripted: Scripted,
    person: Person,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    accepted: bool,  # noqa: FBT001 a case
) -> None:
    refusal = {"LOGIN": f"<tag> NO [AUTHENTICATIONFAILED] no {MARK}\r\n".encode()}
    there = scripted({} if accepted else refusal)
    caplog.set_level(logging.DEBUG)
    person.typed = {"Password": MARK, "Keep": "y"}
    where = ["--host", there.host, "--port", str(there.port), "--security", "none"]
    assert main(["login", ADDRESS, *where, "-v"]) == int(not accepted)
    main(["whoami"])
    main(["logout", ADDRESS])
    printed = capsys.readouterr()
    said = printed.out + printed.err + caplog.text + "".join(person.asked)
    assert "LOGIN" in said
    assert MARK not in said
    assert base64.b64encode(MARK.encode()).decode() not in said


@pytest.mark.filterwarnings(WARNINGS)
def test_no_token_or_client_secret_is_seen_anywhere(
    oauth: OAuthRig,
    member: str,
    at: list[str],
    browser: Callable[[str], None],
    keyring: Entries,
    person: Person,
    capsys: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
) -> None:
    caplog.set_level(logging.DEBUG)
    browser(member)
    person.typed = {"Client id": oauth.client_id, "Client secret": oauth.client_secret, "Keep": ""}
    assert main(["login", member, *at, "-v"]) == 0
    refresh_token = json.loads(keyring["mailframe-oauth", member])["refresh_token"]
    main(["whoami"])
    main(["logout", member])
    printed = capsys.readouterr()
    # The server of this test logs, too, in the same process.
    ours = [one for one in caplog.records if not one.name.startswith(("authlib", "oidc"))]
    logged = "".join(one.getMessage() for one in ours)
    assert "signed in as" in logged
    said = printed.out + printed.err + logged + "".join(person.asked)
    for secret in (refresh_token, oauth.client_secret):
        assert secret not in said


LOGIN = "host port security cafile oauth client-id flow save no-save verbose help"


@pytest.mark.parametrize(
    ("command", "options"), [("login", LOGIN), ("whoami", "help"), ("logout", "help")]
)
def test_help_names_every_option(
    command: str, options: str, capsys: pytest.CaptureFixture[str]
) -> None:
    with pytest.raises(SystemExit):
        main([command, "--help"])
    listed = capsys.readouterr().out.partition("options:")[2]
    lines = [line.strip() for line in listed.splitlines() if line.strip().startswith("-")]
    named = {word.strip(",") for line in lines for word in line.split() if word.startswith("--")}
    assert named == {f"--{option}" for option in options.split()}


def test_passwords_cannot_be_given_as_an_argument() -> None:
    with pytest.raises(SystemExit):
        main(["login", ADDRESS, "--password", "x"])


# -- the program, on a terminal

# getpass opens /dev/tty: the terminal has to be that of the process.
ON_A_TERMINAL = """
import fcntl, sys, termios
fcntl.ioctl(0, termios.TIOCSCTTY, 0)
from mailframe.cli import main
sys.exit(main(sys.argv[1:]))
"""


class Terminal:
    """The program on a terminal of its own, with a keyring in a file."""

    def __init__(self, keyring: Path, *arguments: str) -> None:
        self.shown = ""
        self._master, slave = pty.openpty()
        fcntl.ioctl(slave, termios.TIOCSWINSZ, b"\x28\0\x78\0\0\0\0\0")
        backend = "tests.rigs.keyrings.FileKeyring"
        self.process = subprocess.Popen(
            [sys.executable, "-c", ON_A_TERMINAL, *arguments],
            stdin=slave,
            stdout=slave,
            stderr=slave,
            start_new_session=True,
            env={
                **os.environ,
                "PYTHONPATH": str(CHECKOUT),
                "PYTHON_KEYRING_BACKEND": backend,
                "TEST_KEYRING": str(keyring),
                "COLUMNS": "120",
            },
        )
        os.close(slave)

    def answer(self, question: str, text: str) -> None:
        """Wait for a question, and type."""
        start = len(self.shown)
        while question not in self.shown[start:]:
            piece = self._read()
            assert piece, self.shown
        os.write(self._master, text.encode())

    def end(self) -> int:
        """Wait for the end; return the exit status."""
        while self._read():
            pass
        os.close(self._master)
        return self.process.wait(60)

    def _read(self) -> str:
        try:
            piece = os.read(self._master, 65536).decode()
        except OSError:  # Linux' way to say that the other end is closed
            return ""
        self.shown += piece
        return piece


@pytest.mark.skipif(shutil.which("sh") is None, reason="for systems with terminals")
def test_on_a_terminal_from_login_to_logout(
    dovecot: Dovecot, account: str, server: list[str], tmp_path: Path
) -> None:
    require("keyring", "keyring")
    keyring = tmp_path / "keyring.json"
    terminal = Terminal(keyring, "login", account, *server)
    terminal.answer("Password for", f"{dovecot.password}\n")
    terminal.answer("[Y/n]", "y\n")
    assert terminal.end() == 0, terminal.shown
    assert "2 messages in INBOX" in terminal.shown
    assert dovecot.password not in terminal.shown
    terminal = Terminal(keyring, "whoami")
    assert terminal.end() == 0
    [names, row] = terminal.shown.splitlines()
    assert names.split() == ["account", "secret", "server", "method"]
    assert account in row
    assert "the keyring" in row
    assert dovecot.password in keyring.read_text()
    terminal = Terminal(keyring, "logout", account)
    assert terminal.end() == 0
    assert dovecot.password not in keyring.read_text()
    assert Terminal(keyring, "logout", account).end() == 1


def test_ctrl_c_on_a_terminal_ends_the_program(
    account: str, server: list[str], tmp_path: Path
) -> None:
    require("keyring", "keyring")
    terminal = Terminal(tmp_path / "keyring.json", "login", account, *server)
    terminal.answer("Password for", "\x03")
    assert terminal.end() == 130
    assert "Traceback" not in terminal.shown
    assert not (tmp_path / "keyring.json").exists()
