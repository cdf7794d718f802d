"""How long and how often something is tried again, before it is an error."""

from __future__ import annotations

import base64
import logging
import socket
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from types import SimpleNamespace
from typing import TYPE_CHECKING, Any

import pytest

from mailframe.exceptions import (
    ConnectionFailedError,
    FolderError,
    ThrottledError,
)
from mailframe.imap import fetch as fetch_module
from mailframe.imap import pool as pool_module
from mailframe.imap.folder_changes import create_folder
from mailframe.imap.wire import WINDOW, PlainWire
from tests.conftest import require
from tests.faults.reading import sign_in
from tests.faults.test_throttling import MESSAGE, REFUSALS, several, told
from tests.rigs.scripted import DEFAULTS, _fetch

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.reading import Clock
    from tests.rigs.scripted import Connection, Function, Reply, ScriptedServer

    Scripted = Callable[..., ScriptedServer]

CHUNK = 10
CHUNKS = 12
MESSAGES = dict.fromkeys(range(1, CHUNK * CHUNKS + 1), MESSAGE)
SILENCE = 30
#: Seconds in which one thread meets the other.
SOON = 60
CANARY = "canary-Zk9xQ7wRt5"


@pytest.fixture(autouse=True)
def _small_chunks(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(fetch_module, "CHUNK", CHUNK)


def usual(name: str, tag: bytes, args: bytes, connection: Connection) -> Reply:
    handler = DEFAULTS[name]
    return handler(tag, args, connection) if callable(handler) else handler


def at_first(count: int, name: str, reply: bytes) -> dict[str, Function]:
    """Answer so many commands of that name so, the others as always."""
    left = [reply] * count

    def handle(tag: bytes, args: bytes, connection: Connection) -> Reply:
        return b"<tag> %b\r\n" % left.pop() if left else usual(name, tag, args, connection)

    return {name: handle}


def fall_silent(clock: Clock) -> Function:
    """Answer nothing, until the client has waited long enough."""
    silent: set[int] = set()

    def handle(_tag: bytes, _args: bytes, connection: Connection) -> None:
        # Those of a window that stand behind it are not waited for one by one.
        clock.now += 0 if connection.number in silent else SILENCE
        silent.add(connection.number)
        connection.send(b"* OK still at work\r\n")  # which is nothing done
        connection.close()

    return handle


# -- a connection that is lost again and again


@pytest.mark.parametrize("name", ["EXAMINE", "UID SEARCH", "UID FETCH"])
def test_a_server_that_falls_silent_after_each_login_is_an_error_when_the_time_is_up(
    scripted: Scripted, clock: Clock, name: str
) -> None:
    server = scripted({name: fall_silent(clock)}, messages=MESSAGES)
    start = clock.now
    with sign_in(server, "me", "secret", clock.retry(60)) as session:
        with pytest.raises(ConnectionFailedError, match="for 60 seconds"):
            session.headers(progress=False)
        assert clock.now - start <= SILENCE + 60 + SILENCE
        assert len(server.connections) <= 4
        server.handlers |= DEFAULTS
        assert len(session.headers(progress=False)) == len(MESSAGES)


@pytest.mark.parametrize("name", ["UID SEARCH", "UID FETCH"])
def test_a_server_that_lets_in_and_hangs_up_is_not_run_against(
    scripted: Scripted, clock: Clock, name: str
) -> None:
    def hang_up(_tag: bytes, _args: bytes, connection: Connection) -> None:
        connection.close()

    server = scripted({name: hang_up}, messages=MESSAGES)
    with (
        sign_in(server, "me", "secret", clock.retry(5)) as session,
        pytest.raises(ConnectionFailedError),
    ):
        session.headers(progress=False)
    assert clock.slept[0] == 0
    assert min(clock.slept[1:]) > 0
    assert sum(clock.slept) <= 5
    assert len(server.commands("LOGIN")) == len(clock.slept) + 1 <= 12


def test_as_long_as_something_is_done_the_time_begins_anew(
    scripted: Scripted, clock: Clock
) -> None:
    served: set[int] = set()
    be_silent = fall_silent(clock)

    def serve_one(tag: bytes, args: bytes, connection: Connection) -> Reply:
        handler = be_silent if connection.number in served else _fetch
        served.add(connection.number)
        return handler(tag, args, connection)

    server = scripted({"UID FETCH": serve_one}, messages=MESSAGES)
    start = clock.now
    with sign_in(server, "me", "secret", clock.retry(60)) as session:
        assert len(session.headers(progress=False)) == len(MESSAGES)
    assert len(server.connections) == CHUNKS
    assert clock.now - start > 60


@pytest.mark.parametrize(
    ("name", "damaged"),
    [
        ("LOGIN", b"* \xff\xff ( garbage\r\n*\r\n<tag> OK\r\n"),
        ("LOGIN", b"A77 OK logged in\r\n"),
        ("EXAMINE", b"* 1 EXISTS\r\n<tag> OK without UIDVALIDITY\r\n"),
        ("CAPABILITY", b"<tag> NO busy\r\n"),
        ("CAPABILITY", b"* CAPABILITY \r\n<tag> BAD\r\n"),
    ],
)
def test_damage_while_it_is_connected_again_is_tried_again(
    scripted: Scripted, clock: Clock, name: str, damaged: bytes
) -> None:
    def on_the_second(tag: bytes, args: bytes, connection: Connection) -> Reply:
        return damaged if connection.number == 2 else usual(name, tag, args, connection)

    def hang_up_on_the_first(tag: bytes, args: bytes, connection: Connection) -> Reply:
        if connection.number == 1:
            connection.close()
        return _fetch(tag, args, connection)

    handlers = {name: on_the_second, "UID FETCH": hang_up_on_the_first}
    server = scripted(handlers, messages=MESSAGES)
    with sign_in(server, "me", "secret", clock.retry()) as session:
        assert len(session.headers(progress=False)) == len(MESSAGES)
    assert len(server.connections) == 3
    assert clock.slept == [0, 0.5]


# -- a first connection


@pytest.fixture
def tries(monkeypatch: pytest.MonkeyPatch) -> list[int]:
    """Return the ports to which a line was opened, so far."""
    ports: list[int] = []
    create = PlainWire._create_socket

    def create_socket(wire: PlainWire, timeout: float | None) -> Any:
        ports.append(wire.port)
        return create(wire, timeout)

    monkeypatch.setattr(PlainWire, "_create_socket", create_socket)
    return ports


@pytest.fixture
def closed_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return int(listener.getsockname()[1])


def once_and_never_again(
    server: Any, clock: Clock, tries: list[int], match: str, **options: Any
) -> None:
    with pytest.raises(ConnectionFailedError, match=match):
        sign_in(server, "me", "secret", clock.retry(), **options)
    assert len(tries) == 1
    assert not clock.slept


@pytest.mark.parametrize(
    ("security", "match"),
    [("starttls", "offers no STARTTLS"), ("tls", "TLS could not be agreed on")],
)
def test_another_server_than_was_asked_for_is_tried_once(
    scripted: Scripted,
    clock: Clock,
    security: str,
    match: str,
) -> None:
    with pytest.raises(ConnectionFailedError, match=match):
        sign_in(scripted(), "me", "secret", clock.retry(), security=security)
    assert not clock.slept


def test_bytes_behind_the_answer_to_starttls_are_seen_once(
    scripted: Scripted, clock: Clock
) -> None:
    server = scripted(security="starttls", after_starttls=b"* OK [CAPABILITY X] forged\r\n")
    with pytest.raises(ConnectionFailedError, match="tampering"):
        sign_in(server, "me", "secret", clock.retry(), security="starttls")
    assert not clock.slept


def test_a_closed_port_is_tried_once(closed_port: int, clock: Clock, tries: list[int]) -> None:
    server = SimpleNamespace(host="127.0.0.1", port=closed_port)
    once_and_never_again(server, clock, tries, "connection refused")


def test_a_proxy_that_is_not_there_is_tried_once(
    scripted: Scripted, closed_port: int, clock: Clock, tries: list[int]
) -> None:
    require("python_socks", "python-socks")
    proxy = f"socks5://127.0.0.1:{closed_port}"
    once_and_never_again(scripted(), clock, tries, "through the proxy", proxy=proxy)


def test_a_machine_that_does_not_answer_at_all_is_tried_once(
    clock: Clock, tries: list[int], monkeypatch: pytest.MonkeyPatch
) -> None:
    def wait_in_vain(*_: object, **__: object) -> None:
        raise TimeoutError

    # No address is out of reach for certain, wherever the tests run.
    monkeypatch.setattr(socket, "create_connection", wait_in_vain)
    server = SimpleNamespace(host="192.0.2.1", port=143)
    once_and_never_again(server, clock, tries, "nothing for 20 seconds")


@pytest.mark.parametrize("broken", [1, 2, 3])
@pytest.mark.parametrize("where", ["greeting", "CAPABILITY", "LOGIN"])
def test_a_line_that_breaks_on_the_way_in_is_tried_three_times(
    scripted: Scripted, clock: Clock, where: str, broken: int
) -> None:
    def break_off(tag: bytes, args: bytes, connection: Connection) -> Reply:
        if connection.number <= broken:
            connection.close()
        return usual(where, tag, args, connection)

    def greet(connection: Connection) -> bytes:
        if connection.number <= broken:
            connection.close()
        return b"* OK ready\r\n"

    greets = {"greeting": greet} if where == "greeting" else {}
    server = scripted({} if greets else {where: break_off}, **greets)
    if broken < 3:
        sign_in(server, "me", "secret", clock.retry()).close()
    else:
        with pytest.raises(ConnectionFailedError):
            sign_in(server, "me", "secret", clock.retry())
    assert len(server.connections) == min(broken + 1, 3)
    assert clock.slept == [0.5, 1][:broken]


# -- a server that wants fewer requests


@pytest.mark.parametrize(("reply", "pause"), [(REFUSALS[0], 5), (b"NO [LIMIT] wait 30 s", 30)])
def test_a_window_of_commands_refused_in_one_breath_is_one_plea(
    scripted: Scripted, clock: Clock, caplog: pytest.LogCaptureFixture, reply: bytes, pause: float
) -> None:
    server = scripted(at_first(WINDOW, "UID FETCH", reply), messages=MESSAGES)
    with sign_in(server, "me", "secret", clock.retry()) as session:
        assert len(session.headers(progress=False)) == len(MESSAGES)
    assert clock.slept == [pause]
    assert len(told(caplog)) == 1
    assert len(server.commands("UID FETCH")) == WINDOW + CHUNKS


@pytest.mark.parametrize("pleas", [2, 60])
def test_a_server_is_left_alone_as_often_as_its_pauses_are_short(
    scripted: Scripted, clock: Clock, pleas: int
) -> None:
    reply = b"NO [THROTTLED] try again in %d seconds" % (240 // pleas)
    handlers = at_first(pleas, "UID SEARCH", reply)
    server = scripted(handlers, messages=MESSAGES)
    with sign_in(server, "me", "secret", clock.retry(throttled=300)) as session:
        assert session.count() == len(MESSAGES)
    assert clock.slept == [240 // pleas] * pleas


@pytest.mark.parametrize("name", ["EXAMINE", "UID SEARCH", "UID FETCH"])
def test_what_is_waited_for_a_server_is_bounded_in_all(
    scripted: Scripted, clock: Clock, name: str
) -> None:
    reply = b"<tag> NO [THROTTLED] try again in 90 seconds\r\n"
    server = scripted({name: reply}, messages=MESSAGES)
    with (
        sign_in(server, "me", "secret", clock.retry(throttled=300)) as session,
        pytest.raises(ThrottledError, match="90 seconds"),
    ):
        session.headers(progress=False)
    assert clock.slept == [90, 90, 90]


def test_an_ok_that_wants_less_is_heeded_within_the_bound_and_the_longer_the_more_often(
    scripted: Scripted, clock: Clock
) -> None:
    said = b""

    def fetch(tag: bytes, args: bytes, connection: Connection) -> list[bytes]:
        *replies, _ = _fetch(tag, args, connection)
        return [*replies, b"<tag> OK " + said + b"\r\n"]

    server = scripted({"UID FETCH": fetch}, messages=dict.fromkeys(range(1, 41), MESSAGE))
    found = {}
    for said in (b"[THROTTLED] slowly", b"[throttled 5]", b"[THROTTLED] try again in 10 minutes"):
        clock.slept.clear()
        with sign_in(server, "me", "secret", clock.retry(throttled=30)) as session:
            assert len(session.headers(progress=False)) == 40
        found[said] = clock.slept.copy()
    assert list(found.values()) == [[5, 10, 20, 30], [5, 5, 5, 5], [30, 30, 30, 30]]


@pytest.mark.parametrize("kind", [b"OK", b"NO"])
def test_a_plea_between_the_replies_is_heeded(
    scripted: Scripted, clock: Clock, caplog: pytest.LogCaptureFixture, kind: bytes
) -> None:
    search = b"* " + kind + b" [THROTTLED] slowly, please\r\n* SEARCH 1\r\n<tag> OK done\r\n"
    server = scripted({"UID SEARCH": search}, messages=MESSAGES, capabilities="IMAP4rev1")
    with sign_in(server, "me", "secret", clock.retry()) as session:
        assert session.count() == 1
    assert clock.slept == [5]
    assert "slowly, please" in told(caplog)[0]


@pytest.mark.parametrize("way", ["IMAP4rev1", "IMAP4rev1 AUTH=PLAIN SASL-IR"])
@pytest.mark.parametrize("again", [False, True])
def test_a_plea_that_may_repeat_the_secret_is_told_without_its_words(
    scripted: Scripted,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    way: str,
    again: bool,  # noqa: FBT001 a parameter
) -> None:
    caplog.set_level(logging.DEBUG, logger="mailframe")

    def log_in(_tag: bytes, args: bytes, connection: Connection) -> bytes:
        if again and connection.number == 1:
            return b"<tag> OK logged in\r\n"
        return b"* OK [THROTTLED 3] %b\r\n<tag> OK [THROTTLED 4] welcome, you said %b\r\n" % (
            args,
            args,
        )

    server = scripted(
        {"LOGIN": log_in, "AUTHENTICATE": log_in}, messages=MESSAGES, capabilities=way
    )
    with sign_in(server, "me", CANARY, clock.retry()) as session:
        events: list[str] = []
        with session._source.listening(lambda event: events.append(str(event))):
            if again:
                server.connections[0].close()
            assert session.count() == len(MESSAGES)
    assert told(caplog)
    everything = "".join([caplog.text, *events, session.trace().to_csv()])
    secrets = [CANARY, base64.b64encode(f"\0me\0{CANARY}".encode()).decode()]
    assert not [one for one in secrets if one in everything]


@pytest.mark.parametrize("code", [b"OVERQUOTA", b"LIMIT", b"INUSE"])
def test_a_limit_that_is_reached_by_a_change_stays_so_and_is_not_waited_for(
    scripted: Scripted, clock: Clock, code: bytes
) -> None:
    server = scripted({"CREATE": b"<tag> NO [%b] no more folders\r\n" % code})
    with sign_in(server, "me", "secret", clock.retry()) as session:
        connection = session._source._pool.first
        with pytest.raises(FolderError, match="no more folders"):
            create_folder(connection, "New")
    assert not clock.slept
    assert len(server.commands("CREATE")) == 1


def test_a_change_that_was_not_done_yet_is_done_when_the_server_relents(
    scripted: Scripted, clock: Clock
) -> None:
    handlers = at_first(1, "NOOP", REFUSALS[0])
    server = scripted({"CREATE": handlers["NOOP"], "SUBSCRIBE": b"<tag> OK done\r\n"})
    with sign_in(server, "me", "secret", clock.retry()) as session:
        create_folder(session._source._pool.first, "New")
    assert clock.slept == [5]
    assert len(server.commands("CREATE")) == 2


# -- connections beside the first


@pytest.mark.usefixtures("far")
@pytest.mark.parametrize(
    "reply",
    [
        b"NO [AUTHENTICATIONFAILED] Maximum number of connections from user+IP exceeded",
        b"NO LOGIN failed.",
        b"NO [ALERT] enough",
        b"BAD what",
    ],
)
def test_another_connection_may_be_refused_in_any_words(
    scripted: Scripted, clock: Clock, caplog: pytest.LogCaptureFixture, reply: bytes
) -> None:
    def log_in(_tag: bytes, _args: bytes, connection: Connection) -> bytes:
        return b"<tag> " + (b"OK in" if connection.number == 1 else reply) + b"\r\n"

    server = scripted({"LOGIN": log_in}, messages=MESSAGES, folders=several(4))
    with sign_in(server, "me", "secret", clock.retry(), pool_size=4) as session:
        assert len(session.headers(folder="*", progress=False)) == 4 * len(MESSAGES)
        tried = len(server.connections)
        session.headers(folder="*", progress=False)
        assert len(server.connections) == tried
    assert "no more than 1 connections" in caplog.text


@pytest.mark.usefixtures("far")
def test_outlooks_way_to_refuse_another_connection_is_understood(
    scripted: Scripted, clock: Clock
) -> None:
    # It lets in, and then says this to every command.
    def capability(tag: bytes, args: bytes, connection: Connection) -> Reply:
        if connection.number > 1 and connection.is_authenticated:
            return b"<tag> BAD User is authenticated but not connected.\r\n"
        return usual("CAPABILITY", tag, args, connection)

    server = scripted({"CAPABILITY": capability}, messages=MESSAGES, folders=several(3))
    with sign_in(server, "me", "secret", clock.retry(), pool_size=3) as session:
        assert len(session.headers(folder="*", progress=False)) == 3 * len(MESSAGES)


@pytest.mark.usefixtures("far")
def test_a_connection_that_broke_as_it_was_opened_is_tried_again_after_a_respite(
    scripted: Scripted, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pool_module, "time", SimpleNamespace(monotonic=clock.time))

    reached = {number: threading.Event() for number in (1, 2, 3)}
    is_settled = threading.Event()

    def greet(connection: Connection) -> bytes:
        reached[connection.number].set()
        if connection.number > 2:
            is_settled.set()
        return b"* BYE busy\r\n" if connection.number == 2 else b"* OK ready\r\n"

    def borrow() -> None:
        with pool.lend():
            pass

    server = scripted(greeting=greet, messages=MESSAGES)
    with sign_in(server, "me", "secret", clock.retry(), pool_size=2) as session:
        pool = session._source._pool
        with ThreadPoolExecutor(1) as other:
            with pool.lend():
                waiting = other.submit(borrow)
                assert reached[2].wait(SOON)
            waiting.result()
            assert (pool.size, len(pool)) == (2, 1)
            wait = pool._changed.wait
            monkeypatch.setattr(pool._changed, "wait", lambda: (is_settled.set(), wait()))
            clock.now += pool_module.RESPITE - 1
            with pool.lend():
                waiting = other.submit(borrow)
                assert is_settled.wait(SOON)  # it waits for this one
                assert not reached[3].is_set()
            waiting.result()
            clock.now += 2
            with pool.lend():
                waiting = other.submit(borrow)
                assert reached[3].wait(SOON)
                waiting.result()
        assert (pool.size, len(pool)) == (2, 2)


@pytest.mark.usefixtures("far")
def test_idle_connections_that_are_too_many_are_closed(scripted: Scripted, clock: Clock) -> None:
    server = scripted(messages=MESSAGES)
    with sign_in(server, "me", "secret", clock.retry(), pool_size=4) as session:
        pool = session._source._pool
        with pool.lend(), pool.lend(), pool.lend(), pool.lend():
            pass
        assert len(pool) == len(server.connections) == 4
        pool.shrink()
        assert (len(pool), pool.size, len(server.commands("LOGOUT"))) == (3, 3, 1)
        with pool.lend(), pool.lend() as second:  # what is lent is closed when it comes back
            pool.shrink()
            pool.shrink()
            assert second.logged_in
        assert (len(pool), pool.size, len(server.commands("LOGOUT"))) == (1, 1, 3)
        assert pool.first.logged_in
        assert session.count() == len(MESSAGES)


@pytest.mark.parametrize("capabilities", ["IMAP4rev1", "IMAP4rev1 ID"])
@pytest.mark.parametrize(
    "behind", [b"* OK [THROTTLED 1] %b\r\n", b"* NO [THROTTLED] %b\r\n", b"* BYE %b\r\n"]
)
def test_what_stands_behind_the_ok_of_a_login_is_told_without_its_words(
    scripted: Scripted,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    behind: bytes,
    capabilities: str,
) -> None:
    caplog.set_level(logging.DEBUG, logger="mailframe")

    def log_in(tag: bytes, args: bytes, connection: Connection) -> None:
        ok = tag + b" OK [CAPABILITY %b] in\r\n" % capabilities.encode()
        connection.send(ok + behind.replace(b"%b", args))
        if b"BYE" in behind:
            connection.close()

    server = scripted({"LOGIN": log_in}, messages=MESSAGES, capabilities=capabilities)
    said = ""
    try:
        with sign_in(server, "me", CANARY, clock.retry(5)) as session:
            assert session.count() == len(MESSAGES)
    except ConnectionFailedError as error:
        assert b"BYE" in behind
        said = "".join(traceback.format_exception(error))
    assert CANARY not in caplog.text + said


def test_a_server_that_hangs_up_at_every_command_is_left_alone_however_much_time_there_is(
    scripted: Scripted, clock: Clock
) -> None:
    def hang_up(_tag: bytes, _args: bytes, connection: Connection) -> None:
        connection.close()

    server = scripted({"UID FETCH": hang_up}, messages=dict.fromkeys(range(1, 9000), b"FLAGS ()"))
    clock.most = 1000
    with (
        sign_in(server, "me", "secret", clock.retry(10**9)) as session,
        pytest.raises(ConnectionFailedError),
    ):
        session.headers(progress=False)
    assert len(server.connections) < 40
