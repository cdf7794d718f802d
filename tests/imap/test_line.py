"""The line to a server: what it is given, whether it still stands, and how it is left."""

from __future__ import annotations

import copy
import pickle
import select
import socket
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

import mailframe as mf
from mailframe.exceptions import ConnectionFailedError, NotSupportedError, ServerTimeoutError
from mailframe.imap import IMAPClient
from mailframe.imap import line as line_module
from mailframe.imap import wire as wire_module
from mailframe.imap.line import IDLE, PARTING
from tests.faults.reading import Clock

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.imap.connection import Connection
    from tests.rigs import scripted as rig
    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]
    Connected = Callable[..., Connection]
    Opened = Callable[..., Connection]

#: Seconds in which the server's words have come from one socket of this machine to the other.
SOON = 30
#: Bytes that fit in any socket buffer, and of them what is read at a time.
MANY, FEW = 24_000, 1000


def noop(connection: Connection) -> None:
    connection.command(b"NOOP", tried="Could not wait.")


def arrived(connection: Connection, size: int = 1) -> None:
    """Return when so many bytes have come, or the end."""
    sock = connection.wire.sock
    here = 0
    while here < size:
        assert select.select([sock], [], [], SOON)[0]
        now = len(sock.recv(size, socket.MSG_PEEK))
        if not now:
            return
        here = now


# -- what it is given


@pytest.fixture
def _nothing_is_opened(monkeypatch: pytest.MonkeyPatch) -> None:
    def open_mailbox(*args: object, **_: object) -> None:
        pytest.fail(f"opened {args}")

    monkeypatch.setattr(line_module, "open_mailbox", open_mailbox)


WRONG = {
    "host": [None, 5, "", " ", "a b", "imap.example.com ", "imaps://imap.example.com", "me@host",
             b"localhost", "a\nb"],
    "port": [-1, 0, 65536, 70000, True, False, "993", 993.0],
    "timeout": [None, 0, -1, "x", "30", float("nan"), float("inf"), 1e12, True, 1e-9],
    "reconnect": [None, "x", float("nan"), -1, True],
}  # fmt: skip


@pytest.mark.usefixtures("_nothing_is_opened")
@pytest.mark.parametrize(
    ("name", "value"), [(name, value) for name, values in WRONG.items() for value in values]
)
def test_a_wrong_argument_is_named_before_anything_is_opened(name: str, value: Any) -> None:
    arguments = {"host": "localhost", "password": "canary", name: value}
    with pytest.raises(ConnectionFailedError) as caught:
        mf.connect(arguments.pop("host"), "me", **arguments)
    assert repr(value) in caught.value.tried
    assert caught.value.suggestion
    assert "canary" not in str(caught.value)


@pytest.mark.parametrize("timeout", [5, 0.5, 10**6])
def test_any_time_that_a_socket_takes_is_a_timeout(
    scripted: Scripted, connected: Connected, timeout: float
) -> None:
    connection = connected(scripted(), timeout=timeout)
    assert connection.wire.sock.gettimeout() == timeout
    noop(connection)


# -- whether it still stands


@pytest.fixture
def wall(monkeypatch: pytest.MonkeyPatch) -> SimpleNamespace:
    """Return the time of the day, which goes on while a machine sleeps."""
    clock = SimpleNamespace(now=1_800_000_000.0)
    monkeypatch.setattr(line_module, "time", SimpleNamespace(time=lambda: clock.now))
    return clock


def test_a_machines_sleep_counts_as_idleness(
    scripted: Scripted, opened: Opened, wall: SimpleNamespace
) -> None:
    # The monotonic clock of Linux and of macOS stands still while the machine sleeps.
    server = scripted({"CHECK": b"<tag> OK done\r\n"})
    connection = opened(server, retry=Clock().retry())
    wall.now += IDLE - 1
    connection.command(b"CHECK", tried="")
    assert not server.commands("NOOP")
    wall.now += 8 * 3600
    connection.command(b"CHECK", tried="")
    assert len(server.commands("NOOP")) == 1
    connection.command(b"CHECK", tried="")
    assert len(server.commands("NOOP")) == 1


def test_a_clock_that_is_put_back_is_no_idleness_and_hides_none(
    scripted: Scripted, opened: Opened, wall: SimpleNamespace
) -> None:
    server = scripted({"CHECK": b"<tag> OK done\r\n"})
    clock = Clock()
    connection = opened(server, retry=clock.retry())
    wall.now -= 3600
    connection.command(b"CHECK", tried="")
    assert not server.commands("NOOP")
    wall.now -= 3600
    clock.now += IDLE + 1
    connection.command(b"CHECK", tried="")
    assert len(server.commands("NOOP")) == 1


def test_a_heartbeat_that_nobody_answers_says_how_long_it_was_waited_for(
    scripted: Scripted, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(line_module, "HEARTBEAT", 0.05)
    clock = Clock()
    connection = opened(scripted({"NOOP": b""}), timeout=30, retry=clock.retry(0))
    clock.now += IDLE + 1
    with pytest.raises(ServerTimeoutError) as caught:
        connection.command(b"CHECK", tried="")
    assert caught.value.reply == "nothing for 0.05 seconds"


@pytest.mark.parametrize("bye", [b"* BYE", b"* bye", b"* 3 EXISTS\r\n* OK still here\r\n* Bye"])
@pytest.mark.parametrize("is_hung_up", [True, False])
def test_a_farewell_while_nothing_was_asked_is_the_reason_and_in_the_trace(
    scripted: Scripted,
    opened: Opened,
    bye: bytes,
    is_hung_up: bool,  # noqa: FBT001 a parameter
) -> None:
    server = scripted()
    connection = opened(server)
    words = bye + b" Autologout; idle for too long\r\n"
    server.connections[0].send(words)
    if is_hung_up:
        server.connections[0].close()
    arrived(connection, len(words))
    with pytest.raises(ConnectionFailedError, match="has ended the connection") as caught:
        noop(connection)
    assert caught.value.reply == "Autologout; idle for too long"
    last = connection.recorder.lines()[-1]
    assert last.direction == "S"
    assert last.line.upper() == "* BYE AUTOLOGOUT; IDLE FOR TOO LONG"
    assert not server.commands("NOOP")


def test_the_word_bye_within_other_words_ends_nothing(scripted: Scripted, opened: Opened) -> None:
    server = scripted()
    connection = opened(server)
    words = b"* OK * BYE is what I do not say\r\n* BYEBYE\r\n"
    server.connections[0].send(words)
    arrived(connection, len(words))
    noop(connection)
    assert len(server.commands("NOOP")) == 1


def test_no_more_is_read_ahead_of_a_command_than_there_is_room_for(
    scripted: Scripted, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(wire_module, "_UNASKED", 2 * FEW)
    monkeypatch.setattr(wire_module, "_RECEIVE", FEW)
    server = scripted()
    connection = opened(server)
    news = b"* 1 EXISTS\r\n" * (MANY // 12)
    server.connections[0].send(news)
    arrived(connection, len(news))
    assert connection.wire.has_ended() is None
    assert 2 * FEW <= len(connection.wire._buffer) < 3 * FEW
    assert connection.wire.sock.gettimeout() == connection.timeout
    noop(connection)  # which reads the rest


def test_an_interrupt_while_it_is_looked_whether_a_line_stands_drops_it(
    scripted: Scripted, opened: Opened, monkeypatch: pytest.MonkeyPatch
) -> None:
    connection = opened(scripted())

    def interrupt() -> int:
        raise KeyboardInterrupt

    monkeypatch.setattr(connection.wire, "_fill", interrupt)
    with pytest.raises(KeyboardInterrupt):
        noop(connection)
    assert connection.wire.state == "LOGOUT"
    assert connection.wire.sock.fileno() == -1


# -- how it is left


@pytest.mark.parametrize(("timeout", "waited"), [(3600, PARTING), (0.5, 0.5)])
def test_the_answer_to_logout_is_not_waited_for_as_others_are(
    scripted: Scripted,
    opened: Opened,
    monkeypatch: pytest.MonkeyPatch,
    timeout: float,
    waited: float,
) -> None:
    connection = opened(scripted(), timeout=timeout)
    wire, seen = connection.wire, []
    logout = wire.logout

    def parted() -> Any:
        seen.append(wire.sock.gettimeout())
        return logout()

    monkeypatch.setattr(wire, "logout", parted)
    connection.close()
    assert seen == [waited]


def test_a_line_that_was_lost_is_left_without_a_word(scripted: Scripted, opened: Opened) -> None:
    def hang_up(_tag: bytes, _args: bytes, connection: rig.Connection) -> None:
        connection.close()

    server = scripted({"NOOP": hang_up})
    connection = opened(server)
    with pytest.raises(ConnectionFailedError):
        noop(connection)
    connection.close()
    assert not server.commands("LOGOUT")


# -- one of a kind


COPIES = [pickle.dumps, copy.copy, copy.deepcopy]


@pytest.mark.parametrize("make", COPIES)
def test_a_connection_cannot_be_copied_and_goes_on(
    scripted: Scripted, opened: Opened, make: Callable[[object], object]
) -> None:
    connection = opened(scripted())
    with pytest.raises(NotSupportedError, match="copied or pickled") as caught:
        make(connection)
    assert caught.value.suggestion == "Connect where it is needed."
    noop(connection)


@pytest.mark.parametrize("make", COPIES)
def test_a_client_cannot_be_copied_and_goes_on(
    scripted: Scripted, make: Callable[[object], object]
) -> None:
    server = scripted()
    with IMAPClient() as client:
        client.connect(server.host, server.port, use_ssl=False, timeout=5)
        client.authenticate("me", "canary")
        with pytest.raises(NotSupportedError, match="copied or pickled"):
            make(client)
        assert [one.name for one in client.list_folders()] == ["INBOX"]
