"""Logging in by each mechanism, for oneself and for somebody else, and what is not shown of it."""

from __future__ import annotations

import base64
import hashlib
import hmac
import logging
import pickle
import traceback
from typing import TYPE_CHECKING

import pytest

from mailframe.exceptions import AuthenticationError, MailframeError, NotSupportedError
from mailframe.imap.auth import log_in, log_in_with_tokens
from tests.conftest import missing
from tests.imap.test_trace import kept, leaks
from tests.rigs.dovecot import Dovecot, dovecot_binary

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from mailframe.imap.connection import Connection
    from tests.rigs import scripted as rig
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]
    Connected = Callable[..., Connection]

USER = "me@example.com"
REFUSED = b"<tag> NO [AUTHENTICATIONFAILED] Invalid credentials\r\n"


def encoded(text: str) -> bytes:
    return base64.b64encode(text.encode())


# -- mechanisms


def cram_md5(password: str, challenge: bytes = b"<1@example.com>") -> rig.Function:
    """Return an AUTHENTICATE that checks the answer to its challenge."""

    def authenticate(_tag: bytes, args: bytes, connection: rig.Connection) -> bytes:
        assert args == b"CRAM-MD5"  # never with an initial response
        connection.send(b"+ " + base64.b64encode(challenge) + b"\r\n")
        answer = base64.b64decode(connection.read_line())
        digest = hmac.new(password.encode(), challenge, hashlib.md5).hexdigest()
        return b"<tag> OK in\r\n" if answer == f"{USER} {digest}".encode() else REFUSED

    return authenticate


def asking(*questions: bytes) -> rig.Function:
    """Return an AUTHENTICATE that puts these questions, in base64, before it lets in."""

    def authenticate(_tag: bytes, _args: bytes, connection: rig.Connection) -> bytes:
        for question in questions:
            connection.send(b"+ " + base64.b64encode(question) + b"\r\n")
            if connection.read_line() == b"*":
                return b"<tag> BAD cancelled\r\n"
        return b"<tag> OK in\r\n"

    return authenticate


CRAM = "IMAP4rev1 SASL-IR AUTH=CRAM-MD5 LOGINDISABLED"
LOGIN = "IMAP4rev1 SASL-IR AUTH=LOGIN LOGINDISABLED"


@pytest.mark.parametrize("challenge", [b"<1@example.com>", b"", b"\0\xff"])
def test_cram_md5_is_used_where_it_is_all_there_is(
    scripted: Scripted, connected: Connected, challenge: bytes
) -> None:
    server = scripted({"AUTHENTICATE": cram_md5("pässwörd", challenge)}, capabilities=CRAM)
    connection = connected(server)
    log_in(connection, USER, "pässwörd")
    assert connection.account == USER
    assert base64.b64encode("pässwörd".encode()) not in server.clear_text


def test_cram_md5_can_be_asked_for(scripted: Scripted, connected: Connected) -> None:
    server = scripted(
        {"AUTHENTICATE": cram_md5("secret")}, capabilities="IMAP4rev1 AUTH=PLAIN AUTH=CRAM-MD5"
    )
    log_in(connected(server), USER, "secret", mechanism="cram-md5")
    assert b"secret" not in server.clear_text


def test_a_challenge_that_cannot_be_read_is_given_up(
    scripted: Scripted, connected: Connected
) -> None:
    def authenticate(_tag: bytes, _args: bytes, connection: rig.Connection) -> bytes:
        connection.send(b"+ a\r\n")
        assert connection.read_line() == b"*"
        return b"<tag> BAD cancelled\r\n"

    server = scripted({"AUTHENTICATE": authenticate}, capabilities=CRAM)
    with pytest.raises(AuthenticationError, match="cancelled"):
        log_in(connected(server), USER, "secret")


@pytest.mark.parametrize("questions", [(b"Username:", b"Password:"), (b"User Name\0", b"Pw")])
def test_the_login_mechanism_is_used_where_there_is_nothing_else(
    scripted: Scripted, connected: Connected, questions: tuple[bytes, ...]
) -> None:
    server = scripted({"AUTHENTICATE": asking(*questions)}, capabilities=LOGIN)
    log_in(connected(server), USER, "pässwörd")
    assert server.commands("AUTHENTICATE") == [b"LOGIN"]
    place = server.received.index(encoded(USER))
    assert server.received[place + 1] == encoded("pässwörd")


def test_a_third_question_is_not_answered(scripted: Scripted, connected: Connected) -> None:
    server = scripted({"AUTHENTICATE": asking(b"1", b"2", b"3")}, capabilities=LOGIN)
    with pytest.raises(AuthenticationError, match="cancelled"):
        log_in(connected(server), USER, "secret")


def test_the_command_can_be_asked_for(scripted: Scripted, connected: Connected) -> None:
    server = scripted(capabilities="IMAP4rev1 AUTH=PLAIN AUTH=LOGIN")
    log_in(connected(server), USER, "secret", mechanism="LOGIN")
    assert len(server.commands("LOGIN")) == 1
    assert server.commands("AUTHENTICATE") == []


@pytest.mark.parametrize(
    ("mechanism", "capabilities"),
    [("CRAM-MD5", "AUTH=PLAIN AUTH=XOAUTH2"), ("PLAIN", "AUTH=CRAM-MD5"), ("LOGIN", CRAM)],
)
def test_a_mechanism_that_is_not_offered_is_refused_with_those_that_are(
    scripted: Scripted, connected: Connected, mechanism: str, capabilities: str
) -> None:
    server = scripted(capabilities=f"IMAP4rev1 {capabilities}")
    with pytest.raises(AuthenticationError, match=f"does not offer {mechanism}") as caught:
        log_in(connected(server), USER, "canary", mechanism=mechanism)
    words = [w for w in capabilities.split() if w.startswith(("AUTH=", "LOGINDISABLED"))]
    assert caught.value.reply == " ".join(sorted(words))
    assert caught.value.code == "mechanism-not-offered"
    assert not server.commands("AUTHENTICATE") + server.commands("LOGIN")


@pytest.mark.parametrize("login", [log_in, log_in_with_tokens])
def test_a_mechanism_that_we_do_not_know_is_refused_with_those_we_do(
    scripted: Scripted, connected: Connected, login: Callable[..., None]
) -> None:
    server = scripted(capabilities="IMAP4rev1 AUTH=SCRAM-SHA-256 AUTH=PLAIN AUTH=XOAUTH2")
    with pytest.raises(NotSupportedError, match=r"PLAIN or|XOAUTH2 or"):
        login(connected(server), USER, "canary", mechanism="SCRAM-SHA-256")
    assert not server.commands("AUTHENTICATE") + server.commands("LOGIN")


# -- somebody else's mailbox


def test_an_administrator_may_open_somebody_elses_mailbox(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted(capabilities="IMAP4rev1 AUTH=PLAIN SASL-IR AUTH=CRAM-MD5")
    connection = connected(server)
    log_in(connection, "ädmin", "secret", authorize_as=USER)
    assert server.commands("AUTHENTICATE") == [b"PLAIN " + encoded(f"{USER}\0ädmin\0secret")]
    assert (connection.account, connection.username) == (USER, USER)


def test_a_refused_administrator_is_named_with_whom_it_was_for(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted({"AUTHENTICATE": REFUSED}, capabilities="IMAP4rev1 AUTH=PLAIN")
    with pytest.raises(AuthenticationError, match=f"as admin for {USER}\\."):
        log_in(connected(server), "admin", "secret", authorize_as=USER)


def test_somebody_elses_mailbox_needs_plain(scripted: Scripted, connected: Connected) -> None:
    server = scripted(capabilities="IMAP4rev1 AUTH=CRAM-MD5")
    with pytest.raises(AuthenticationError, match=r"bob\*admin"):
        log_in(connected(server), "admin", "canary", authorize_as="bob")
    with pytest.raises(NotSupportedError, match="somebody else"):
        log_in(connected(server), "admin", "canary", authorize_as="bob", mechanism="LOGIN")
    assert not server.commands("AUTHENTICATE") + server.commands("LOGIN")


@pytest.mark.parametrize("character", ["\r", "\n", "\0", "\1", "\udce9"], ids=ascii)
def test_no_line_break_reaches_the_wire_in_any_name(
    scripted: Scripted, connected: Connected, character: str
) -> None:
    server = scripted(capabilities="IMAP4rev1 AUTH=PLAIN AUTH=XOAUTH2")
    asked: list[str] = []
    bad = f"x{character}A1 LOGOUT"
    for sign_in in (
        lambda: log_in(connected(server), bad, "secret"),
        lambda: log_in(connected(server), "me", bad, mechanism="LOGIN"),
        lambda: log_in(connected(server), "me", "secret", authorize_as=bad),
        lambda: log_in_with_tokens(connected(server), bad, asked.append),
        lambda: log_in_with_tokens(connected(server), "me", lambda _username: bad),
    ):
        with pytest.raises(AuthenticationError):
            sign_in()
    assert not server.commands("AUTHENTICATE") + server.commands("LOGIN") + asked
    assert server.commands("LOGOUT") == []


@pytest.fixture(scope="module")
def all_ways() -> Iterator[Dovecot]:
    """Start a Dovecot with all mechanisms, and with master users."""
    if dovecot_binary() is None:
        missing("Dovecot is missing; install it: apt-get install dovecot-imapd")
    extra = """
auth_mechanisms = plain login cram-md5
auth_master_user_separator = *
passdb {
  driver = static
  master = yes
  args = password=of-the-master
}
"""
    with Dovecot(extra=extra) as server:
        yield server


@pytest.mark.parametrize("mechanism", [None, "PLAIN", "LOGIN", "CRAM-MD5"])
def test_dovecot_lets_in_by_each_mechanism(
    all_ways: Dovecot, connected: Connected, mechanism: str | None
) -> None:
    user = all_ways.new_user()
    connection = connected(all_ways)
    with pytest.raises(AuthenticationError, match="AUTHENTICATIONFAILED"):
        log_in(connection, user, "wrong", mechanism=mechanism)
    log_in(connection, user, all_ways.password, mechanism=mechanism)
    assert connection.select("INBOX").exists == 0


@pytest.mark.parametrize("mechanism", ["cram-md5", "login"])
def test_dovecot_lets_in_by_all_there_is(connected: Connected, mechanism: str) -> None:
    if dovecot_binary() is None:
        missing("Dovecot is missing; install it: apt-get install dovecot-imapd")
    with Dovecot(extra=f"auth_mechanisms = {mechanism}") as server:
        user = server.new_user()
        connection = connected(server)
        log_in(connection, user, server.password)
        assert connection.select("INBOX").exists == 0
        connection.close()


def test_dovecots_master_reads_many_mailboxes(all_ways: Dovecot, connected: Connected) -> None:
    users = [all_ways.new_user() for _ in range(2)]
    for number, user in enumerate(users, 1):
        all_ways.deliver(user, [b"Subject: x\r\n\r\n"] * number)
    for number, user in enumerate(users, 1):
        connection = connected(all_ways)
        log_in(connection, "master", "of-the-master", authorize_as=user)
        assert connection.select("INBOX").exists == number
        assert connection.account == f"{user}@127.0.0.1"


def test_dovecot_does_not_take_a_users_password_for_the_masters(
    all_ways: Dovecot, connected: Connected
) -> None:
    with pytest.raises(AuthenticationError, match="AUTHENTICATIONFAILED"):
        log_in(connected(all_ways), "alice", all_ways.password, authorize_as="bob")


# -- what a server repeats

MARK = "Zk9xQ7wRt5"


def everything(args: bytes, connection: rig.Connection) -> bytes:
    """Return all that the client says to AUTHENTICATE, as it came and decoded."""
    heard = [args.partition(b" ")[2]]
    for question in (b"<1@example.com>", b"Password:"):
        connection.send(b"+ " + base64.b64encode(question) + b"\r\n")
        heard.append(connection.read_line())
        if heard[-1] in {b"*", b"", b"AQ=="}:
            break
    decoded = [base64.b64decode(one) for one in heard if one != b"*"]
    words = [word for text in decoded for word in text.replace(b"\0", b" ").split()]
    return b" ".join([*heard, *words])


SECRET_WAYS = {
    "CRAM-MD5": lambda it: log_in(it, USER, MARK, mechanism="CRAM-MD5"),
    "LOGIN": lambda it: log_in(it, USER, MARK, mechanism="LOGIN"),
    "PLAIN": lambda it: log_in(it, "admin", MARK, authorize_as=USER),
    "XOAUTH2": lambda it: log_in_with_tokens(it, USER, lambda _: MARK),
    "OAUTHBEARER": lambda it: log_in_with_tokens(it, USER, lambda _: MARK, mechanism="OAUTHBEARER"),
}
ALL = "IMAP4rev1 LOGINDISABLED " + " ".join(f"AUTH={way}" for way in SECRET_WAYS)


def forms(way: str) -> list[str]:
    """Return what must not be shown: the secret, and what is sent in its place."""
    digest = hmac.new(MARK.encode(), b"<1@example.com>", hashlib.md5).hexdigest()
    cram = encoded(f"{USER} {digest}").decode()
    plain = encoded(f"{USER}\0admin\0{MARK}").decode()
    extra = [digest, cram, digest[:16]] if way == "CRAM-MD5" else []
    return [MARK, plain, encoded(MARK).decode(), *extra]


@pytest.mark.parametrize("way", SECRET_WAYS)
@pytest.mark.parametrize("initial_response", [" SASL-IR", ""])
@pytest.mark.parametrize("hangs_up", [False, True])
def test_a_server_that_repeats_what_it_was_told_shows_no_secret(
    scripted: Scripted,
    connected: Connected,
    caplog: pytest.LogCaptureFixture,
    way: str,
    initial_response: str,
    hangs_up: bool,  # noqa: FBT001 a parameter
) -> None:
    heard = []

    def repeat(_tag: bytes, args: bytes, connection: rig.Connection) -> bytes | None:
        heard.append(everything(args, connection))
        if hangs_up:
            connection.send(b"* BYE " + heard[-1] + b"\r\n")
            connection.close()
            return None
        return b"<tag> NO " + heard[-1] + b"\r\n"

    caplog.set_level(logging.DEBUG)
    server = scripted({"AUTHENTICATE": repeat}, capabilities=ALL + initial_response)
    connection = connected(server)
    with pytest.raises(MailframeError) as caught:
        SECRET_WAYS[way](connection)
    error = caught.value
    shown = "".join(traceback.format_exception(error)) + repr(pickle.dumps(error)) + caplog.text
    assert any(form.encode() in heard[0] for form in forms(way))
    assert not [form for form in forms(way) if form in shown]
    assert leaks([*kept(connection), *shown.splitlines()]) == []
    assert not [form for form in forms(way) if form in "\n".join(kept(connection))]
    assert USER in shown


@pytest.mark.parametrize("way", SECRET_WAYS)
def test_a_login_that_succeeds_shows_no_secret(
    scripted: Scripted, connected: Connected, caplog: pytest.LogCaptureFixture, way: str
) -> None:
    def accept(_tag: bytes, args: bytes, connection: rig.Connection) -> bytes:
        if way in {"CRAM-MD5", "LOGIN"}:
            everything(args, connection)
        return b"<tag> OK in\r\n"

    caplog.set_level(logging.DEBUG)
    server = scripted({"AUTHENTICATE": accept}, capabilities=f"{ALL} SASL-IR")
    if way == "CRAM-MD5":
        server.handlers["AUTHENTICATE"] = cram_md5(MARK)
    connection = connected(server)
    SECRET_WAYS[way](connection)
    shown = [*caplog.text.splitlines(), *kept(connection), repr(connection.sign_in)]
    assert leaks(shown) == []
    assert not [form for form in forms(way) if form in "\n".join(shown)]
    assert [line for line in shown if f"AUTHENTICATE {way} ***" in line]
