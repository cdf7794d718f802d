"""One connection's life: every way in which it does not come about, and the selected folder."""

from __future__ import annotations

import socket
import ssl
from typing import TYPE_CHECKING

import pytest

from mailframe.exceptions import (
    CertificateError,
    CommandError,
    ConnectionFailedError,
    FolderError,
    MailframeError,
    NotSupportedError,
    QueryError,
    ServerTimeoutError,
    ThrottledError,
)
from mailframe.imap.auth import log_in
from mailframe.imap.connection import Connection
from mailframe.imap.tls import is_local
from tests.imap.replies import DONE

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.rigs import scripted as rig
    from tests.rigs.certificates import Certificates
    from tests.rigs.dovecot import Dovecot
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]
    Connected = Callable[..., Connection]
    Opened = Callable[..., Connection]


# -- no connection


def test_an_unknown_host_is_named() -> None:
    with pytest.raises(ConnectionFailedError, match="port 993") as caught:
        Connection("imap.example.invalid", timeout=5)
    assert "imap.example.invalid" in caught.value.suggestion


@pytest.mark.parametrize("host", ["imap..example.com", "a" * 64 + ".example.com", "nul\0.example"])
def test_a_host_that_cannot_be_one_is_an_error_in_our_words(host: str) -> None:
    with pytest.raises(ConnectionFailedError):
        Connection(host, timeout=5)


@pytest.mark.parametrize("security", ["tls", "starttls", "none"])
def test_a_closed_port_is_said_to_be_closed(security: str) -> None:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with pytest.raises(ConnectionFailedError, match="connection refused") as caught:
        Connection("127.0.0.1", port, security=security, timeout=5)
    assert str(port) in caught.value.tried
    assert isinstance(caught.value.__cause__, ConnectionRefusedError)


def test_an_unknown_security_is_refused_before_anything_is_sent() -> None:
    with pytest.raises(NotSupportedError, match='Use "tls"'):
        Connection("imap.example.invalid", security="ssl")


@pytest.mark.parametrize(
    ("greeting", "said"),
    [
        (b"* BYE Too many connections from your address\r\n", "Too many connections"),
        (b"220 smtp.example.com ESMTP\r\n", "220 smtp.example.com ESMTP"),
        (b"* NO not you\r\n", "not you"),
        (b"\r\n", ""),
    ],
)
def test_another_greeting_is_no_imap_server_and_is_shown(
    scripted: Scripted, connected: Connected, greeting: bytes, said: str
) -> None:
    with pytest.raises(MailframeError) as caught:
        connected(scripted(greeting=greeting))
    assert said in caught.value.reply
    assert "b'" not in caught.value.reply  # the server's words, not Python's


def test_a_server_that_hangs_up_at_once_is_an_error(
    scripted: Scripted, connected: Connected
) -> None:
    def hang_up(connection: rig.Connection) -> bytes:
        connection.close()
        return b""

    with pytest.raises(ConnectionFailedError):
        connected(scripted(greeting=hang_up))


@pytest.mark.parametrize("security", ["none", "tls"])
def test_a_server_that_never_greets_is_a_timeout(
    scripted: Scripted, connected: Connected, security: str
) -> None:
    # For "tls" it is the handshake that gets no answer.
    with pytest.raises(ServerTimeoutError, match=r"nothing for 0\.1 seconds"):
        connected(scripted(greeting=b""), security=security, timeout=0.1)


def test_plain_text_on_a_tls_port_is_a_timeout(scripted: Scripted, connected: Connected) -> None:
    with pytest.raises(ServerTimeoutError):
        connected(scripted(security="tls"), security="none", timeout=0.1)


def test_tls_on_a_plain_port_says_which_port_wants_what(
    scripted: Scripted, connected: Connected
) -> None:
    with pytest.raises(ConnectionFailedError, match="port 143"):
        connected(scripted(), security="tls")


@pytest.mark.parametrize(
    "capabilities",
    ["IMAP4rev1 X-M\xdcLL", "", "IMAP4", "IMAP4rev1 MESSAGELIMIT=", "IMAP4rev1 MESSAGELIMIT=many"],
)
@pytest.mark.parametrize("after_login", [False, True])
def test_odd_capabilities_are_survived_or_refused_in_our_words(
    scripted: Scripted,
    connected: Connected,
    capabilities: str,
    after_login: bool,  # noqa: FBT001 a parameter
) -> None:
    server = scripted(
        capabilities="IMAP4rev1" if after_login else capabilities,
        capabilities_after_login=capabilities or "IMAP4rev1",
    )
    try:
        connection = connected(server)
        log_in(connection, "me", "secret")
    except ConnectionFailedError:
        return
    assert connection.message_limit == 0


# -- certificates


@pytest.mark.parametrize(
    ("kind", "complaint"),
    [
        ("wrong_name", "not valid for"),
        ("expired", "has expired"),
        ("self_signed", "self-signed"),
    ],
)
@pytest.mark.parametrize("security", ["tls", "starttls", "starttls-if-offered"])
def test_a_bad_certificate_is_refused_in_openssls_words(
    scripted: Scripted,
    connected: Connected,
    certificates: Certificates,
    security: str,
    kind: str,
    complaint: str,
) -> None:
    served = "tls" if security == "tls" else "starttls"
    server = scripted(security=served, certificate=getattr(certificates, kind))
    context = certificates.good.client_context()
    with pytest.raises(CertificateError, match=complaint) as caught:
        connected(server, security=security, ssl_context=context)
    assert isinstance(caught.value.__cause__, ssl.SSLCertVerificationError)
    assert server.commands("LOGIN") == []


@pytest.mark.parametrize("security", ["tls", "starttls", "starttls-if-offered"])
def test_an_authority_that_nobody_knows_is_not_trusted_by_default(
    scripted: Scripted, connected: Connected, security: str
) -> None:
    server = scripted(security="tls" if security == "tls" else "starttls")
    with pytest.raises(CertificateError, match="ssl_context"):
        connected(server, security=security)


@pytest.mark.parametrize("security", ["tls", "starttls", "starttls-if-offered"])
@pytest.mark.parametrize("host", ["localhost", "127.0.0.1"])
def test_a_good_certificate_is_trusted_by_whoever_knows_its_authority(
    scripted: Scripted, connected: Connected, certificates: Certificates, security: str, host: str
) -> None:
    server = scripted(security="tls" if security == "tls" else "starttls")
    context = certificates.good.client_context()
    connection = connected(server, host=host, security=security, ssl_context=context)
    log_in(connection, "me", "canary")
    assert connection.encrypted
    assert b"canary" not in server.clear_text


# -- STARTTLS


def test_a_server_without_starttls_is_not_talked_to(
    scripted: Scripted, connected: Connected
) -> None:
    server = scripted()
    with pytest.raises(ConnectionFailedError, match="offers no STARTTLS"):
        connected(server, security="starttls")
    assert server.commands("LOGIN") == server.commands("STARTTLS") == []


@pytest.mark.parametrize("security", ["starttls", "starttls-if-offered"])
@pytest.mark.parametrize("injected", [b"* OK you are me\r\n", b"x", b"A1 OK\r\n"])
def test_bytes_behind_the_answer_to_starttls_break_it_off(
    scripted: Scripted,
    connected: Connected,
    certificates: Certificates,
    security: str,
    injected: bytes,
) -> None:
    server = scripted(security="starttls", after_starttls=injected)
    context = certificates.good.client_context()
    with pytest.raises(ConnectionFailedError, match="tampering"):
        connected(server, security=security, ssl_context=context)
    assert not server.connections[0].is_tls


@pytest.mark.parametrize("security", ["starttls", "starttls-if-offered"])
@pytest.mark.parametrize("said", [b"NO not now", b"BAD what"])
def test_a_refused_starttls_is_not_gone_without(
    scripted: Scripted, connected: Connected, security: str, said: bytes
) -> None:
    server = scripted({"STARTTLS": b"<tag> " + said + b"\r\n"}, security="starttls")
    with pytest.raises(ConnectionFailedError, match=said.split()[-1].decode()) as caught:
        connected(server, security=security)
    assert "b'" not in caught.value.reply
    assert server.commands("LOGIN") == []


@pytest.mark.parametrize("offered", [True, False])
def test_a_greeting_that_says_logged_in_already_does_not_avoid_starttls(
    scripted: Scripted,
    connected: Connected,
    offered: bool,  # noqa: FBT001 a parameter
) -> None:
    # PREAUTH forged by somebody in between: STARTTLS is illegal after it (RFC 9051 section 11.3).
    server = scripted(greeting=b"* PREAUTH welcome\r\n", security="starttls" if offered else "none")
    with pytest.raises(ConnectionFailedError):
        connected(server, security="starttls")
    assert server.commands("EXAMINE") == []


def test_what_was_announced_before_tls_is_asked_again(
    scripted: Scripted, connected: Connected, certificates: Certificates
) -> None:
    def capability(_tag: bytes, _args: bytes, connection: rig.Connection) -> bytes:
        words = b"IMAP4rev1 AUTH=PLAIN" if connection.is_tls else b"IMAP4rev1 STARTTLS X-FORGED"
        return b"* CAPABILITY " + words + b"\r\n" + DONE

    server = scripted({"CAPABILITY": capability}, security="starttls")
    context = certificates.good.client_context()
    connection = connected(server, security="starttls", ssl_context=context)
    assert connection.capabilities == {"IMAP4REV1", "AUTH=PLAIN"}


@pytest.mark.parametrize(
    ("host", "local"),
    [
        ("localhost", True),
        ("LocalHost.", True),
        ("127.0.0.1", True),
        ("127.8.9.10", True),
        ("::1", True),
        ("[::1]", True),
        ("", False),
        ("localhost.example.com", False),
        ("127.0.0.1.example.com", False),
        ("example.com", False),
        ("10.0.0.1", False),
        ("0.0.0.0", False),
        ("::", False),
    ],
)
def test_only_this_machine_is_local(host: str, local: bool) -> None:  # noqa: FBT001 a parameter
    assert is_local(host) is local


# -- folders


def test_a_folder_is_examined_and_described(scripted: Scripted, opened: Opened) -> None:
    server = scripted(messages={3: b"", 9: b""}, uidvalidity=17)
    selected = opened(server, "Büro").the_selected()
    assert (selected.folder, selected.uidvalidity, selected.uidnext, selected.exists) == (
        "Büro",
        17,
        10,
        2,
    )
    assert selected.account == "me@example.com"
    assert server.commands("EXAMINE") == [b'"B&APw-ro"']
    assert server.commands("SELECT") == []


def test_a_folder_is_selected_only_to_write_to_it(scripted: Scripted, opened: Opened) -> None:
    server = scripted()
    opened(server).select("INBOX", readonly=False)
    assert server.commands("SELECT") == [b'"INBOX"']


@pytest.mark.parametrize("said", [b"NO [NONEXISTENT] no such folder", b"BAD no such folder"])
def test_a_folder_that_is_not_there_is_a_folder_error(
    scripted: Scripted, opened: Opened, said: bytes
) -> None:
    server = scripted({"EXAMINE": b"<tag> " + said + b"\r\n"})
    with pytest.raises(FolderError, match="'Nowhere'") as caught:
        opened(server, "Nowhere")
    assert caught.value.reply == said.decode()
    assert isinstance(caught.value, LookupError)


def test_after_a_failed_opening_no_folder_is_open(
    dovecot: Dovecot, user: str, opened: Opened
) -> None:
    connection = opened(dovecot, user=user)
    with pytest.raises(FolderError, match="Nowhere"):
        connection.select("Nowhere")
    with pytest.raises(FolderError, match="No folder is open"):
        connection.the_selected()
    assert connection.select("INBOX").exists == 0


def test_a_folder_without_uidvalidity_is_refused(scripted: Scripted, opened: Opened) -> None:
    with pytest.raises(NotSupportedError, match="lasting UIDs"):
        opened(scripted({"EXAMINE": b"* 3 EXISTS\r\n" + DONE}))


def test_a_folder_without_uidnext_is_opened(scripted: Scripted, opened: Opened) -> None:
    examine = b"* OK [UIDVALIDITY 7] ok\r\n* 3 EXISTS\r\n" + DONE
    selected = opened(scripted({"EXAMINE": examine})).the_selected()
    assert (selected.uidnext, selected.exists) == (None, 3)


def test_no_command_needs_a_folder_before_one_is_open(
    scripted: Scripted, connected: Connected
) -> None:
    with pytest.raises(FolderError, match="No folder is open"):
        connected(scripted()).the_selected()


# -- commands


@pytest.mark.parametrize("code", [b"THROTTLED", b"LIMIT", b"UNAVAILABLE", b"INUSE", b"throttled"])
def test_codes_that_ask_for_less_are_a_throttled_error(
    scripted: Scripted, opened: Opened, code: bytes
) -> None:
    connection = opened(scripted({"NOOP": b"<tag> NO [%b] slowly\r\n" % code}))
    with pytest.raises(ThrottledError, match="slowly"):
        connection.command(b"NOOP", tried="Could not wait.", error=QueryError)


def test_other_refusals_are_the_error_asked_for(scripted: Scripted, opened: Opened) -> None:
    connection = opened(scripted({"NOOP": b"<tag> NO [CANNOT] no\r\n"}))
    with pytest.raises(CommandError, match="Could not wait") as caught:
        connection.command(b"NOOP", tried="Could not wait.")
    assert caught.value.reply == "NO [CANNOT] no"
    with pytest.raises(QueryError):
        connection.command(b"NOOP", tried="Could not wait.", error=QueryError)


def test_a_goodbye_is_the_reason_of_the_error(scripted: Scripted, opened: Opened) -> None:
    def goodbye(_tag: bytes, _args: bytes, connection: rig.Connection) -> None:
        connection.send(b"* BYE Autologout; idle for too long\r\n")
        connection.close()

    connection = opened(scripted({"NOOP": goodbye}))
    with pytest.raises(ConnectionFailedError, match="Autologout"):
        connection.command(b"NOOP", tried="Could not wait.")


def test_a_connection_that_failed_is_closed_and_stays_so(
    scripted: Scripted, opened: Opened
) -> None:
    connection = opened(scripted({"NOOP": b""}), timeout=0.05)
    with pytest.raises(ServerTimeoutError):
        connection.command(b"NOOP", tried="Could not wait.")
    with pytest.raises(ConnectionFailedError, match="was lost"):
        connection.command(b"CHECK", tried="Could not check.")
    connection.close()
    connection.close()


def test_closing_says_goodbye_once(scripted: Scripted, opened: Opened) -> None:
    server = scripted()
    connection = opened(server)
    connection.close()
    connection.close()
    assert len(server.commands("LOGOUT")) == 1
    assert not connection.logged_in
    with pytest.raises(ConnectionFailedError, match="is closed"):
        connection.select("INBOX")


def test_a_server_that_does_not_say_goodbye_does_not_hold_us(
    scripted: Scripted, opened: Opened
) -> None:
    connection = opened(scripted({"LOGOUT": b""}), timeout=0.05)
    connection.close()
    assert connection.wire.sock.fileno() == -1


def test_the_repr_says_where(scripted: Scripted, opened: Opened) -> None:
    server = scripted()
    assert repr(opened(server)) == f"<Connection 127.0.0.1:{server.port}, folder 'INBOX'>"
