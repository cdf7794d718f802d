"""Work that is broken off for good: nothing of it goes on, and nothing of it is taken for more."""

from __future__ import annotations

import gc
import signal
import socket
import threading
from collections import deque
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from typing import TYPE_CHECKING, Any

import pytest

from mailframe.exceptions import ConnectionFailedError, ThrottledError
from mailframe.imap import pool as pool_module
from mailframe.imap import source as source_module
from mailframe.imap.messages import read_messages
from mailframe.imap.wire import Command, Wire
from tests.faults.reading import sign_in
from tests.faults.test_pool import no_workers
from tests.faults.test_throttling import MESSAGE, once, refuse_beyond
from tests.imap.replies import MIXED, MIXED_HEADER, message
from tests.rigs.proxy import FaultProxy
from tests.rigs.scripted import _fetch, literal

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from contextlib import ExitStack
    from pathlib import Path

    from mailframe.session import Session
    from tests.faults.reading import Clock
    from tests.rigs.certificates import Certificates
    from tests.rigs.scripted import Connection, ScriptedServer

    Scripted = Callable[..., ScriptedServer]

#: Seconds in which one thread meets the other.
SOON = 60
BATCH = 10
FORGED = (
    b'* %d FETCH (UID %d FLAGS (\\Seen) INTERNALDATE "05-Jan-2026 09:30:00 +0000" RFC822.SIZE 9 '
    b'BODYSTRUCTURE ("text" "plain" NIL NIL NIL "7bit" 5 1) BODY[HEADER.FIELDS (FROM)] '
    + literal(b"From: ceo@example.com\r\nSubject: FORGED\r\n\r\n")
    + b")\r\n"
)

# A connection interrupted while it is made is closed when it is collected, which Python tells.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@pytest.fixture(autouse=True)
def _collected() -> Iterator[None]:
    """Let Python tell it here, and not in the midst of another test."""
    yield
    gc.collect()


@pytest.fixture(autouse=True)
def _watchdog() -> Iterator[None]:
    """End a test that hangs: it waits for what nobody will give it."""

    def bark(*_: object) -> None:
        pytest.fail(f"nothing for {SOON} seconds")

    before = signal.signal(signal.SIGALRM, bark)
    signal.alarm(SOON)
    yield
    signal.alarm(0)
    signal.signal(signal.SIGALRM, before)


# -- Ctrl-C, and once more


def interrupted_twice(session: Session, monkeypatch: pytest.MonkeyPatch, first: bytes) -> None:
    """Leave a loop over replies, and lose patience when so much of the rest has been read."""
    connection = session._source._pool.first
    waiting = deque([Command((b"NOOP",)), Command((b"UID FETCH 2 (BODY.PEEK[])",))])
    replies = connection.run(waiting, again=list)
    next(replies)
    fill = Wire._fill

    def impatient(wire: Wire) -> int:
        if wire._buffer.endswith(first):
            raise KeyboardInterrupt
        return fill(wire)

    with monkeypatch.context() as patch:
        patch.setattr(Wire, "_fill", impatient)
        with pytest.raises(KeyboardInterrupt):
            replies.close()


def test_a_second_ctrl_c_leaves_no_half_of_a_mail_to_be_taken_for_replies(
    scripted: Scripted, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    text = FORGED % (1, 1) + FORGED % (2, 2)
    first = text[:7]
    is_over = threading.Event()

    def fetch(tag: bytes, args: bytes, connection: Connection) -> Any:
        if b"BODY.PEEK[]" not in args:
            yield from _fetch(tag, args, connection)
            return
        yield b"* 2 FETCH (UID 2 BODY[] {%d}\r\n" % len(text) + first
        assert is_over.wait(SOON)
        yield text[len(first) :] + b")\r\n<tag> OK done\r\n"

    server = scripted({"UID FETCH": fetch}, messages={1: MESSAGE, 2: MESSAGE})
    with sign_in(server, "me", "secret", clock.retry()) as session:
        connection = session._source._pool.first
        connection.select("INBOX")
        interrupted_twice(session, monkeypatch, first)
        is_over.set()
        assert connection.wire.state == "LOGOUT"
        connection.return_to("INBOX", 1)
        found = list(read_messages(connection, [1, 2]))
        assert [(one.uid, one.flags) for one in found] == [(1, ()), (2, ())]
    assert len(server.connections) == 2


# -- an error that is kept, as a notebook keeps it


class Bad:
    """A progress bar that fails."""

    total = 0

    def update(self, _n: int) -> None:
        raise ZeroDivisionError


@pytest.mark.usefixtures("far")
@pytest.mark.parametrize("size", [1, 4])
@pytest.mark.parametrize("method", ["headers", "bodies", "attachments"])
def test_nothing_goes_on_behind_an_error_that_is_kept(
    scripted: Scripted, clock: Clock, monkeypatch: pytest.MonkeyPatch, method: str, size: int
) -> None:
    monkeypatch.setattr(source_module, "BATCH", BATCH)
    server = scripted(messages=dict.fromkeys(range(1, 100 * BATCH), MESSAGE))
    with sign_in(server, "me", "secret", clock.retry(), pool_size=size) as session:
        with pytest.raises(ZeroDivisionError) as kept:
            getattr(session, method)(progress=Bad())
        assert kept.traceback  # which holds all that was at work
        assert no_workers()
        pool = session._source._pool
        assert not pool._lent
        assert len(pool._free) == len(pool)
        asked = len(server.commands("UID FETCH"))
        assert asked < 50
        assert session.count() == 100 * BATCH - 1
        assert len(server.commands("UID FETCH")) == asked
        del kept


@pytest.mark.usefixtures("far")
def test_an_error_is_not_kept_back_by_what_others_wait_for(
    scripted: Scripted, clock: Clock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(source_module, "BATCH", BATCH)

    def answer_the_first(tag: bytes, args: bytes, connection: Connection) -> Any:
        if b"%d" % (10 * BATCH) in args:
            return _fetch(tag, args, connection)
        return None

    server = scripted(
        {"UID FETCH": answer_the_first}, messages=dict.fromkeys(range(1, 10 * BATCH + 1), MESSAGE)
    )
    retry = clock.retry(1)
    with (
        sign_in(server, "me", "secret", retry, pool_size=4, timeout=3) as session,
        pytest.raises(ZeroDivisionError),
    ):
        session.headers(progress=Bad())
    # Nobody lost patience, and nobody connected again.
    assert not clock.slept


def attached(text: bytes = b"hello") -> bytes:
    items = message(structure=MIXED, header=MIXED_HEADER)
    return items + b" BODY[2]<0> " + literal(text)


def test_a_download_that_fails_gives_its_connection_back_while_the_error_is_kept(
    scripted: Scripted, clock: Clock, tmp_path: Path
) -> None:
    server = scripted(messages={1: attached(), 2: attached()})
    with sign_in(server, "me", "secret", clock.retry()) as session:
        rows = session.attachments(progress=False)
        with pytest.raises(ZeroDivisionError) as kept:
            session.download(rows, tmp_path, progress=Bad())
        assert kept.traceback
        assert not session._source._pool._lent
        assert session.count() == 2
    assert len(server.connections) == 1


# -- a callback that wants more than there is


@pytest.mark.usefixtures("far")
@pytest.mark.parametrize("most", [1, 2])
def test_a_callback_of_a_download_may_ask_for_several_folders_and_is_answered(
    scripted: Scripted,
    clock: Clock,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    most: int,
) -> None:
    login = refuse_beyond(most, b"NO [LIMIT] no more connections")
    folders = [b"INBOX", b"A", b"B"]
    server = scripted({"LOGIN": login}, messages={1: attached()}, folders=folders)
    answers: list[Any] = []

    def wait_for_each_other(*_: object) -> None:
        pytest.fail("workers would wait for what this thread has in hand, and it for them")

    class Curious:
        total = 0

        def update(self, _n: int) -> None:
            if answers:
                return
            with monkeypatch.context() as patch:
                patch.setattr(pool_module, "ThreadPoolExecutor", wait_for_each_other)
                try:
                    answers.append(session.headers(folder=["A", "B"], progress=False))
                except ThrottledError as error:  # an answer too, and at once
                    answers.append(error)

    with sign_in(server, "me", "secret", clock.retry(), pool_size=4) as session:
        rows = session.attachments(progress=False)
        assert len(session.download(rows, tmp_path, progress=Curious())) == 1
        [answer] = answers
        if most == 1:
            assert "no more connections" in answer.reply
        else:
            assert list(answer["folder"]) == ["A", "B"]
        assert len(session.headers(folder=["A", "B"], progress=False)) == 2


# -- close() from another thread


def test_close_ends_what_another_thread_reads_and_waits_for_nobody(
    scripted: Scripted, clock: Clock
) -> None:
    begun, is_closed = threading.Event(), threading.Event()

    def fetch(tag: bytes, args: bytes, connection: Connection) -> Any:
        first, *others = _fetch(tag, args, connection)
        yield first[:50]
        begun.set()
        assert is_closed.wait(SOON)
        yield first[50:]
        yield from others

    server = scripted({"UID FETCH": fetch}, messages=dict.fromkeys(range(1, 100), MESSAGE))
    session = sign_in(server, "me", "secret", clock.retry())
    with ThreadPoolExecutor(1) as other:
        reading = other.submit(session.headers, progress=False)
        assert begun.wait(SOON)
        session.close()
        is_closed.set()
        with pytest.raises(ConnectionFailedError):
            reading.result()
    assert len(server.connections) == 1
    assert not clock.slept
    with pytest.raises(ConnectionFailedError, match="is closed"):
        session.count()
    session.close()


@pytest.mark.usefixtures("far")
def test_a_connection_that_is_opened_while_all_are_closed_is_closed_too(
    scripted: Scripted, clock: Clock
) -> None:
    begun, is_closed = threading.Event(), threading.Event()

    def log_in(_tag: bytes, _args: bytes, connection: Connection) -> bytes:
        if connection.number == 2:
            begun.set()
            assert is_closed.wait(SOON)
        return b"<tag> OK logged in\r\n"

    def borrow() -> None:
        with pool.lend():
            pytest.fail("lent by a pool that is closed")

    server = scripted({"LOGIN": log_in}, messages={1: MESSAGE})
    session = sign_in(server, "me", "secret", clock.retry(), pool_size=2)
    pool = session._source._pool
    with ThreadPoolExecutor(1) as other, pool.lend():
        waiting = other.submit(borrow)
        assert begun.wait(SOON)
        session.close()
        is_closed.set()
        with pytest.raises(ConnectionFailedError, match="is closed"):
            waiting.result()
    assert len(pool) == 0
    # The first one was broken off: somebody was at work with it.
    assert len(server.commands("LOGOUT")) == 1
    assert len(server.connections) == 2


def test_whoever_waits_for_a_connection_hears_that_there_will_be_none(
    scripted: Scripted, clock: Clock
) -> None:
    session = sign_in(scripted(messages={1: MESSAGE}), "me", "secret", clock.retry())
    with ThreadPoolExecutor(1) as other:
        with session._source._pool.lend():
            waiting = other.submit(session.count)
            session.close()
        with pytest.raises(ConnectionFailedError):
            waiting.result()


# -- what another thread is sending meanwhile


@pytest.mark.parametrize("how", ["break_off", "drop"])
def test_a_line_that_is_hung_up_sends_nothing_in_clear_text(
    scripted: Scripted,
    clock: Clock,
    stack: ExitStack,
    certificates: Certificates,
    monkeypatch: pytest.MonkeyPatch,
    how: str,
) -> None:
    server = scripted(security="tls", messages={1: MESSAGE})
    proxy = stack.enter_context(FaultProxy(server.host, server.port, record=True))
    options = {"security": "tls", "ssl_context": certificates.good.client_context()}
    session = stack.enter_context(sign_in(proxy, "me", "secret", clock.retry(), **options))
    connection = session._source._pool.first
    wire, shut_down, sent = connection.wire, socket.socket.shutdown, []

    def while_another_thread_signs_in(sock: socket.socket, way: int) -> None:
        if sock is wire.sock and not sent:
            sent.append(isinstance(sock, socket.socket))
            wire.send(b"A9 AUTHENTICATE PLAIN AG1lAHNlY3JldA==\r\n")
        shut_down(sock, way)

    monkeypatch.setattr(socket.socket, "shutdown", while_another_thread_signs_in)
    {"break_off": connection.break_off, "drop": wire.drop}[how]()
    assert sent
    monkeypatch.undo()
    session.close()
    proxy.settle()
    assert b"AUTHENTICATE" not in bytes(proxy.lines[0].said["C"])


def test_a_plea_that_is_broken_off_is_not_sent_again(scripted: Scripted, clock: Clock) -> None:
    reply = b"NO [THROTTLED] slowly"
    server = scripted(once("UID SEARCH", reply), messages={1: MESSAGE})
    with sign_in(server, "me", "secret", clock.retry()) as session:
        connection = session._source._pool.first
        clock.at_sleep = lambda _: connection.break_off()
        with pytest.raises(ConnectionFailedError):
            session.count()
        assert len(server.commands("UID SEARCH")) == 1
        clock.at_sleep = lambda _: None
        assert session.count() == 1


@pytest.mark.usefixtures("far")
def test_breaking_off_wakes_whoever_waits_for_a_silent_server(
    scripted: Scripted, clock: Clock
) -> None:
    asked = threading.Semaphore(0)

    def say_nothing(*_: object) -> bytes:
        asked.release()
        return b""

    def work(connection: Any, task: int) -> int:
        if task:
            connection.command(b"NOOP", tried="Could not wait.")
        return task

    server = scripted({"NOOP": say_nothing})
    options = {"pool_size": 4, "timeout": 10 * SOON}
    with sign_in(server, "me", "secret", clock.retry(), **options) as session:
        with closing(session._source._pool.spread(range(4), work, folder_of=str)) as each:
            assert next(each) == 0
            for _ in range(3):
                asked.acquire()
        assert no_workers()
