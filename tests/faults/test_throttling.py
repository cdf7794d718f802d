"""A server that wants fewer requests gets fewer, and the user is told in one line."""

from __future__ import annotations

import logging
from typing import TYPE_CHECKING, Any

import pytest

from mailframe.exceptions import ThrottledError
from tests.faults.reading import sign_in
from tests.rigs.scripted import DEFAULTS, _fetch, in_turn, literal

if TYPE_CHECKING:
    from collections.abc import Callable

    from tests.faults.reading import Clock
    from tests.rigs.scripted import Connection, Function, ScriptedServer

    Scripted = Callable[..., ScriptedServer]

HEAD = literal(b"From: a@example.org\r\nDate: Mon, 5 Jan 2026 09:30:00 +0000\r\n\r\n")
MESSAGE = (
    b'FLAGS () INTERNALDATE "05-Jan-2026 09:30:00 +0000" RFC822.SIZE 100 '
    b'BODYSTRUCTURE ("text" "plain" ("charset" "us-ascii") NIL NIL "7bit" 5 1) '
    b"BODY[HEADER.FIELDS (FROM)] " + HEAD
)
MESSAGES = dict.fromkeys(range(1, 501), MESSAGE)
REFUSALS = (
    b"NO [THROTTLED] Account exceeded command or bandwidth limits",
    b"NO [OVERQUOTA] Account exceeded bandwidth limits",
    b"NO [LIMIT] Rate limit hit",
    b"NO [UNAVAILABLE] Temporary failure",
    b"NO [INUSE] Mailbox in use",
    b"NO Too many simultaneous connections. (Failure)",
    b"BAD Request is throttled. Suggested Backoff Time: 1500 milliseconds",
)


def once(name: str, reply: bytes) -> dict[str, Function]:
    """Answer the first command of that name so, the others as always."""

    def usual(tag: bytes, args: bytes, connection: Connection) -> Any:
        handler = DEFAULTS[name]
        return handler(tag, args, connection) if callable(handler) else handler

    return {name: in_turn(b"<tag> " + reply + b"\r\n", usual)}


def told(caplog: pytest.LogCaptureFixture) -> list[str]:
    return [
        record.getMessage()
        for record in caplog.records
        if record.levelno >= logging.WARNING and "fewer requests" in record.getMessage()
    ]


@pytest.mark.parametrize("reply", REFUSALS)
@pytest.mark.parametrize("command", ["EXAMINE", "UID SEARCH", "UID FETCH"])
def test_a_refused_command_is_sent_again_after_a_pause(
    scripted: Scripted,
    clock: Clock,
    caplog: pytest.LogCaptureFixture,
    reply: bytes,
    command: str,
) -> None:
    server = scripted(once(command, reply), messages=MESSAGES)
    with sign_in(server, "me", "secret", clock.retry()) as session:
        frame = session.headers(progress=False)
    assert list(frame["uid"]) == sorted(MESSAGES, reverse=True)
    assert len(clock.slept) == len(told(caplog)) == 1
    assert clock.slept[0] == (1.5 if b"1500" in reply else clock.slept[0])
    assert clock.slept[0] >= 1
    [line] = told(caplog)
    assert "\n" not in line
    assert reply.partition(b"]")[2].decode() in line


def test_an_ok_that_says_throttled_is_taken_and_heeded(
    scripted: Scripted, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    def fetch(tag: bytes, args: bytes, connection: Connection) -> list[bytes]:
        *replies, _ = _fetch(tag, args, connection)
        return [*replies, b"<tag> OK [THROTTLED 7] Success, slowly\r\n"]

    server = scripted({"UID FETCH": fetch}, messages=MESSAGES)
    with sign_in(server, "me", "secret", clock.retry()) as session:
        assert len(session.headers(progress=False)) == len(MESSAGES)
    fetches = len(server.commands("UID FETCH"))
    assert clock.slept == [7] * fetches
    assert told(caplog)


def test_after_a_plea_one_command_is_in_flight_at_a_time(scripted: Scripted, clock: Clock) -> None:
    waiting: list[int] = []

    def fetch(tag: bytes, args: bytes, connection: Connection) -> list[bytes]:
        waiting.append(connection._buffer.count(b"UID FETCH"))
        return list(_fetch(tag, args, connection))

    handlers = {"UID FETCH": in_turn(b"<tag> NO [THROTTLED] slowly\r\n", fetch)}
    server = scripted(handlers, messages=dict.fromkeys(range(1, 8001), MESSAGE))
    with sign_in(server, "me", "secret", clock.retry()) as session:
        assert len(session.headers(progress=False)) == 8000
        waiting.clear()
        assert len(session.headers(progress=False)) == 8000
    assert not any(waiting)


@pytest.mark.parametrize("reply", REFUSALS[:3])
def test_a_server_that_never_relents_is_an_error_in_its_own_words(
    scripted: Scripted, clock: Clock, reply: bytes
) -> None:
    server = scripted({"UID FETCH": b"<tag> " + reply + b"\r\n"}, messages=MESSAGES)
    start = clock.now
    with sign_in(server, "me", "secret", clock.retry(throttled=300)) as session:
        with pytest.raises(ThrottledError) as caught:
            session.headers(progress=False)
        assert caught.value.reply == reply.decode()
        assert 0 < clock.now - start <= 600
        assert len(server.commands("UID FETCH")) < 30
        server.handlers["UID FETCH"] = once("UID FETCH", b"OK nothing")["UID FETCH"]
        assert len(session.headers(progress=False)) == len(MESSAGES)


def test_who_wants_no_second_try_hears_it_at_once(scripted: Scripted, clock: Clock) -> None:
    server = scripted(once("UID FETCH", REFUSALS[0]), messages=MESSAGES)
    with (
        sign_in(server, "me", "secret", clock.retry(0)) as session,
        pytest.raises(ThrottledError, match="What to do"),
    ):
        session.headers(progress=False)
    assert not clock.slept


# -- connections


def several(count: int) -> list[bytes]:
    return [b"INBOX", *(b"Folder%d" % number for number in range(1, count))]


def refuse_beyond(most: int, reply: bytes) -> Function:
    def login(_tag: bytes, _args: bytes, connection: Connection) -> bytes:
        alive = sum(one.is_authenticated for one in connection.server.connections)
        return b"<tag> " + (reply if alive >= most else b"OK logged in") + b"\r\n"

    return login


@pytest.mark.parametrize(
    "reply",
    [
        b"NO [LIMIT] Maximum number of connections from user+IP exceeded",
        b"NO [ALERT] Too many simultaneous connections. (Failure)",
        b"NO [UNAVAILABLE] Try later",
    ],
)
@pytest.mark.parametrize("most", [1, 2])
@pytest.mark.usefixtures("far")
def test_fewer_connections_are_used_where_the_server_allows_no_more(
    scripted: Scripted, clock: Clock, caplog: pytest.LogCaptureFixture, reply: bytes, most: int
) -> None:
    login = refuse_beyond(most, reply)
    server = scripted(
        {"LOGIN": login, "AUTHENTICATE": login}, messages=MESSAGES, folders=several(8)
    )
    with sign_in(server, "me", "secret", clock.retry(), pool_size=4) as session:
        frame = session.headers(folder="*", progress=False)
        assert len(frame) == 8 * len(MESSAGES)
        tried = len(server.connections)
        session.headers(folder="*", progress=False)
    assert len(server.connections) == tried <= most + 3
    assert sum(one.is_authenticated for one in server.connections) == most
    lines = [r.getMessage() for r in caplog.records if "connections" in r.getMessage()]
    assert lines
    assert all("\n" not in line for line in lines)


@pytest.mark.usefixtures("far")
def test_after_a_plea_fewer_connections_are_used(scripted: Scripted, clock: Clock) -> None:
    server = scripted(once("UID FETCH", REFUSALS[0]), messages=MESSAGES, folders=several(8))
    with sign_in(server, "me", "secret", clock.retry(), pool_size=4) as session:
        assert len(session.headers(folder="*", progress=False)) == 8 * len(MESSAGES)
        assert session._source._pool.size < 4
        before = len(server.connections)
        session.headers(folder="*", progress=False)
        assert len(server.connections) == before
        assert server.commands("LOGOUT")
