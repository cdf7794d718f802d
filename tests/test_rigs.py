"""The rigs do what they say: what the other tests stand on."""

from __future__ import annotations

import email
import email.policy
import imaplib
import socket
import ssl
import threading
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest

from tests.conftest import require
from tests.rigs import messages
from tests.rigs.dovecot import Dovecot, modified_utf7
from tests.rigs.scripted import ScriptedServer, in_turn, literal, uids_in

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rigs.certificates import Certificates
    from tests.rigs.scripted import Connection

    Scripted = Callable[..., ScriptedServer]


# -- Dovecot


def sign_in(dovecot: Dovecot, user: str) -> imaplib.IMAP4:
    client = imaplib.IMAP4(dovecot.host, dovecot.port)
    client.login(user, dovecot.password)
    return client


def test_dovecot_answers_in_plain_text_over_starttls_and_over_tls(
    dovecot: Dovecot, user: str
) -> None:
    plain = imaplib.IMAP4(dovecot.host, dovecot.port)
    upgraded = imaplib.IMAP4(dovecot.host, dovecot.port)
    upgraded.starttls(dovecot.ssl_context)
    tls = imaplib.IMAP4_SSL(dovecot.host, dovecot.tls_port, ssl_context=dovecot.ssl_context)
    for client in (plain, upgraded, tls):
        with client:
            assert client.login(user, dovecot.password)[0] == "OK"


def test_dovecot_refuses_a_wrong_password(dovecot: Dovecot, user: str) -> None:
    with (
        imaplib.IMAP4(dovecot.host, dovecot.port) as client,
        pytest.raises(imaplib.IMAP4.error, match="AUTHENTICATIONFAILED"),
    ):
        client.login(user, "wrong")


def test_delivered_bytes_flags_and_dates_come_back(dovecot: Dovecot, user: str) -> None:
    received = datetime(2020, 2, 3, 4, 5, 6, tzinfo=UTC)
    names = dovecot.deliver(
        user, [messages.plain(1), (messages.plain(2), ["\\Seen", "$Junk"], received)]
    )
    with sign_in(dovecot, user) as client:
        client.select(readonly=True)
        _, [(first, content), *_] = client.uid("FETCH", "1", "(FLAGS BODY.PEEK[])")
        _, [second] = client.uid("FETCH", "2", "(FLAGS INTERNALDATE)")
    assert content == messages.plain(1)
    assert b"\\Seen" not in first
    assert b"\\Seen" in second
    assert b"$Junk" in second
    assert b'"03-Feb-2020 04:05:06 +0000"' in second
    assert dovecot.uids(user) == {1: names[0], 2: names[1]}
    assert dovecot.flags(user) == {names[0]: set(), names[1]: {"\\Seen", "$Junk"}}


def test_flags_on_disk_show_what_a_client_changed(dovecot: Dovecot, user: str) -> None:
    [name] = dovecot.deliver(user, [messages.plain()])
    with sign_in(dovecot, user) as client:
        client.select()
        client.uid("STORE", "1", "+FLAGS", "(\\Flagged $Todo)")
        client.uid("FETCH", "1", "(BODY[])")
    assert dovecot.flags(user) == {name: {"\\Flagged", "\\Seen", "$Todo"}}


def test_recent_mail_is_taken_by_select_and_left_by_examine(dovecot: Dovecot, user: str) -> None:
    [name] = dovecot.deliver(user, [messages.plain()], recent=True)
    with sign_in(dovecot, user) as client:
        client.select(readonly=True)
        assert dovecot.flags(user) == {name: {"\\Recent"}}
        client.select()
        assert dovecot.flags(user) == {name: set()}


def test_a_subfolder_may_have_any_name(dovecot: Dovecot, user: str) -> None:
    folder = "Büro/Ablage & 日本"
    [name] = dovecot.deliver(user, [(messages.plain(), ["\\Answered"], None)], folder)
    with sign_in(dovecot, user) as client:
        status, [count] = client.select(f'"{modified_utf7(folder)}"', readonly=True)
    assert (status, count) == ("OK", b"1")
    assert dovecot.flags(user, folder) == {name: {"\\Answered"}}


def test_the_usual_folders_have_their_special_use(dovecot: Dovecot, user: str) -> None:
    with sign_in(dovecot, user) as client:
        _, folders = client.list()
    special = [line for line in folders if isinstance(line, bytes) and line.endswith(b"Sent")]
    assert special == [b'(\\HasNoChildren \\Sent) "/" Sent']


def test_mail_can_be_expunged_behind_the_clients_back(dovecot: Dovecot, user: str) -> None:
    [_, second] = dovecot.deliver(user, [messages.plain(1), messages.plain(2)])
    with sign_in(dovecot, user) as client:
        client.select(readonly=True)
        dovecot.expunge(user, 1)
        client.noop()
        assert client.response("EXPUNGE") == ("EXPUNGE", [b"1"])
    assert list(dovecot.flags(user)) == [second]


@pytest.mark.usefixtures("dovecot")  # skipped where there is none
def test_dovecot_announces_and_limits_what_it_is_told() -> None:
    with Dovecot(capability="IMAP4rev1 UIDPLUS", max_connections=1, storage="mdbox") as server:
        user = server.new_user()
        server.deliver(user, [messages.plain()])
        server.import_mdbox(user)
        with sign_in(server, user) as client:
            _, [*_, capabilities] = client.capability()
            _, [count] = client.select(readonly=True)
            second = imaplib.IMAP4(server.host, server.port)
            with pytest.raises(imaplib.IMAP4.error, match="LIMIT"):
                second.login(user, server.password)
            second.shutdown()
    assert capabilities == b"IMAP4rev1 UIDPLUS"
    assert count == b"1"


# -- certificates


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        ("wrong_name", "not valid for 'localhost'"),
        ("expired", "certificate has expired"),
        ("self_signed", "self-signed certificate"),
    ],
)
def test_a_bad_certificate_is_bad_in_one_way(
    scripted: Scripted, certificates: Certificates, kind: str, complaint: str
) -> None:
    server = scripted(security="tls", certificate=getattr(certificates, kind))
    context = certificates.good.client_context()
    with pytest.raises(ssl.SSLCertVerificationError, match=complaint):
        imaplib.IMAP4_SSL("localhost", server.port, ssl_context=context)


# -- the scripted server


def talk(server: ScriptedServer) -> imaplib.IMAP4:
    client = imaplib.IMAP4(server.host, server.port)
    client.login("me", "secret")
    return client


def test_the_defaults_are_a_small_mailbox(scripted: Scripted) -> None:
    server = scripted(messages={3: b"FLAGS ()", 7: b"BODY[] " + literal(b"abc")}, uidvalidity=9)
    with talk(server) as client:
        assert client.list() == ("OK", [b'() "/" INBOX'])
        assert client.select(readonly=True) == ("OK", [b"2"])
        assert client.response("UIDVALIDITY") == ("UIDVALIDITY", [b"9"])
        assert client.response("UIDNEXT") == ("UIDNEXT", [b"8"])
        assert client.uid("SEARCH", "ALL") == ("OK", [b"3 7"])
        assert client.uid("FETCH", "4:*", "(BODY.PEEK[])") == (
            "OK",
            [(b"2 (UID 7 BODY[] {3}", b"abc"), b")"],
        )
    assert server.commands("UID FETCH") == [b"4:* (BODY.PEEK[])"]
    assert b"secret" in server.clear_text


def test_a_handler_is_bytes_a_function_or_several_in_turn(scripted: Scripted) -> None:
    def search(tag: bytes, args: bytes, _: Connection) -> list[bytes]:
        return [b"* SEARCH 1", b" 2\r\n", tag + b" OK " + args + b"\r\n"]

    server = scripted(
        {
            "uid search": search,
            "NOOP": in_turn(b"<tag> NO not now\r\n", b"<tag> OK now\r\n"),
        }
    )
    with talk(server) as client:
        client.select()
        assert client.uid("SEARCH", "UNSEEN") == ("OK", [b"1 2"])
        assert [client.noop() for _ in range(3)] == [
            ("NO", [b"not now"]),
            ("OK", [b"now"]),
            ("OK", [b"now"]),
        ]


def exchange(server: ScriptedServer, *pieces: bytes) -> bytes:
    """Send what imaplib would not, and read until the server hangs up."""
    with socket.create_connection((server.host, server.port)) as client:
        for piece in pieces:
            client.sendall(piece)
        return b"".join(iter(lambda: client.recv(4096), b""))


def test_literals_and_pipelined_commands_are_read_as_such(scripted: Scripted) -> None:
    server = scripted()
    replies = exchange(
        server,
        b"1 LOGIN {2}\r\nme {6+}\r\nse\r\n{9 {0}\r\n\r\n2 NOOP\r\n",
        b"3 LOG",
        b"OUT\r\n",
    )
    assert server.received == [
        b"1 LOGIN {2}\r\nme {6+}\r\nse\r\n{9 {0}\r\n",
        b"2 NOOP",
        b"3 LOGOUT",
    ]
    assert replies.count(b"+ go on\r\n") == 2
    assert replies.endswith(b"2 OK done\r\n* BYE see you\r\n3 OK bye\r\n")


def test_output_can_come_in_single_bytes(scripted: Scripted) -> None:
    with talk(scripted(split=1)) as client:
        assert client.noop() == ("OK", [b"done"])


def test_capabilities_may_grow_with_the_login(scripted: Scripted) -> None:
    server = scripted(capabilities="IMAP4rev1", capabilities_after_login="IMAP4rev1 MOVE")
    with imaplib.IMAP4(server.host, server.port) as client:
        assert client.capability() == ("OK", [b"IMAP4rev1"])
        client.login("me", "secret")
        assert client.capability() == ("OK", [b"IMAP4rev1 MOVE"])


def test_authenticate_takes_an_initial_response_or_asks(scripted: Scripted) -> None:
    server = scripted(capabilities="IMAP4rev1 AUTH=PLAIN")
    with imaplib.IMAP4(server.host, server.port) as client:
        assert client.authenticate("PLAIN", lambda _: b"\0me\0secret")[0] == "OK"
    assert server.received[2] == b"AG1lAHNlY3JldA=="
    exchange(server, b"1 AUTHENTICATE PLAIN AG1lAA==\r\n2 LOGOUT\r\n")
    assert server.connections[1].is_authenticated


def test_no_secret_is_in_clear_text_after_starttls(
    scripted: Scripted, certificates: Certificates
) -> None:
    server = scripted(security="starttls")
    with imaplib.IMAP4(server.host, server.port) as client:
        client.starttls(certificates.good.client_context())
        client.login("me", "secret")
    assert server.commands("LOGIN") == [b'me "secret"']
    assert b"STARTTLS\r\n" in server.clear_text
    assert b"secret" not in server.clear_text


def test_bytes_can_be_injected_behind_starttls(scripted: Scripted) -> None:
    server = scripted(security="starttls", after_starttls=b"* 9 EXISTS\r\n")
    with socket.create_connection((server.host, server.port)) as client:
        client.sendall(b"1 STARTTLS\r\n")
        received = b""
        while not received.endswith(b"EXISTS\r\n"):
            received += client.recv(4096)
    assert received == b"* OK ready\r\n1 OK begin TLS now\r\n* 9 EXISTS\r\n"


def test_a_greeting_may_say_goodbye_to_the_second_connection(scripted: Scripted) -> None:
    def greet(connection: Connection) -> bytes:
        return b"* BYE too many\r\n" if connection.number > 1 else b"* PREAUTH welcome\r\n"

    server = scripted(greeting=greet)
    with imaplib.IMAP4(server.host, server.port) as client:
        assert client.state == "AUTH"
        assert exchange(server) == b"* BYE too many\r\n"


@pytest.mark.parametrize(
    ("hang_up", "error"), [("close", imaplib.IMAP4.abort), ("reset", ConnectionResetError)]
)
def test_a_handler_can_hang_up(scripted: Scripted, hang_up: str, error: type[Exception]) -> None:
    server = scripted({"NOOP": lambda _tag, _args, connection: getattr(connection, hang_up)()})
    client = talk(server)
    with pytest.raises(error):
        client.noop()
    client.shutdown()


def test_silence_lasts_until_the_server_stops(scripted: Scripted) -> None:
    server = scripted({"NOOP": b""})
    client = imaplib.IMAP4(server.host, server.port, timeout=0.05)
    with pytest.raises(TimeoutError):
        client.noop()
    client.shutdown()


def test_stopping_leaves_no_thread(certificates: Certificates) -> None:
    with ScriptedServer(security="tls", certificate=certificates.good) as server:
        client = imaplib.IMAP4_SSL(
            server.host, server.port, ssl_context=certificates.good.client_context()
        )
    assert not [thread for thread in threading.enumerate() if "scripted" in thread.name]
    client.shutdown()


def test_a_handlers_error_reaches_the_test() -> None:
    def noop(*_: Any) -> bytes:
        message = "unexpected"
        raise AssertionError(message)

    with (
        pytest.raises(AssertionError, match="unexpected"),
        ScriptedServer({"NOOP": noop}) as server,
    ):
        exchange(server, b"1 NOOP\r\n")


def test_uid_sets_mean_what_imap_means() -> None:
    assert uids_in(b"2:3,9:*,1", [1, 2, 4, 8]) == [1, 2, 8]


# -- what a machine may lack


def test_what_is_missing_is_skipped_with_the_package_to_install(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.delenv("MAILFRAME_REQUIRE_ALL", raising=False)
    with pytest.raises(pytest.skip.Exception, match="install it: pip install no-such-package"):
        require("no_such_module", "no-such-package")


def test_what_is_missing_fails_where_nothing_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MAILFRAME_REQUIRE_ALL", "1")
    with pytest.raises(pytest.fail.Exception, match="install it: pip install no-such-package"):
        require("no_such_module", "no-such-package")
    assert require("email", "none") is email


# -- messages


def test_messages_are_the_same_each_time_and_have_crlf_throughout() -> None:
    every = [
        *messages.many(6),
        *messages.thread(),
        messages.raw_utf8_headers(),
        messages.undeclared_latin1(),
        messages.broken_base64(),
    ]
    assert messages.many(6) == every[:6]
    for message in every:
        assert message.count(b"\n") == message.count(b"\r\n") == message.count(b"\r")
        assert email.message_from_bytes(message, policy=email.policy.default)["From"]


def test_messages_have_the_structure_they_are_named_for() -> None:
    read = [
        email.message_from_bytes(message, policy=email.policy.default)
        for message in messages.many(6)
    ]
    assert [[part.get_content_type() for part in message.walk()] for message in read] == [
        ["multipart/alternative", "text/plain", "text/html"],
        ["multipart/mixed", "text/plain", "application/pdf"],
        ["text/plain"],
        ["multipart/related", "text/html", "image/png"],
        ["multipart/mixed", "text/plain", "message/rfc822", "text/plain"],
        ["text/plain"],
    ]
    assert not [defect for message in read for part in message.walk() for defect in part.defects]
