"""The asynchronous session: the same as the synchronous one, many at a time, ended at any time."""

from __future__ import annotations

import asyncio
import contextvars
import copy
import gc
import inspect
import itertools
import os
import pickle
import pty
import random
import signal
import subprocess
import sys
import termios
import threading
import traceback
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import TYPE_CHECKING, Any, NamedTuple

import pandas as pd
import pytest
from pandas.testing import assert_frame_equal

import mailframe as mf
from mailframe import aio, workers
from mailframe.aio import AsyncFrames, AsyncSession, Opening
from mailframe.exceptions import (
    AuthenticationError,
    ConnectionFailedError,
    FolderError,
    MailframeError,
    NotSupportedError,
    QueryError,
)
from mailframe.files import source as file_source
from mailframe.imap.wire import Wire
from mailframe.session import Session
from tests.conftest import CHECKOUT, require
from tests.faults.reading import some_messages
from tests.rigs import messages
from tests.rigs.proxy import FaultProxy

if TYPE_CHECKING:
    from collections.abc import Awaitable, Callable, Coroutine, Iterator
    from pathlib import Path

    from mailframe.imap.pool import Pool
    from tests.rigs.certificates import Certificates
    from tests.rigs.dovecot import Dovecot
    from tests.rigs.scripted import Connection, ScriptedServer

    Scripted = Callable[..., ScriptedServer]

FOLDERS = [f"Folder{number}" for number in range(8)]
EACH = 60
#: Seconds against waiting for ever; nothing here takes as many.
LONGEST = 60
#: Seconds without a byte after which a session gives up: nothing here waits for that.
PATIENCE = 600
#: Seconds each way, of a server that is far away.
DELAY = 0.03
#: What a session can do: methods and properties.
PUBLIC = sorted(name for name in dir(Session) if not name.startswith("_"))
ITERATED = ("stream", "watch")
AWAITED = [
    name
    for name in PUBLIC
    if name not in {*ITERATED, "tracing"} and inspect.isfunction(getattr(Session, name))
]
#: What a call needs.
NEEDED: dict[str, Any] = {"message": [1], "download": [pd.DataFrame()], "to_parquet": ["mail"]}


def run(main: Coroutine[Any, Any, Any]) -> Any:
    """Run, and see to it that nothing is left: no thread, nothing that asyncio complains of."""
    heard: list[dict[str, Any]] = []

    async def overheard() -> Any:
        asyncio.get_running_loop().set_exception_handler(lambda _, about: heard.append(about))
        async with asyncio.timeout(LONGEST):
            return await main

    result = asyncio.run(overheard())
    gc.collect()
    assert not heard
    no_threads()
    return result


def no_threads() -> None:
    """Wait for threads that are about to end."""
    for thread in threading.enumerate():
        if thread.name.startswith("mailframe"):
            thread.join(LONGEST)
            assert not thread.is_alive(), thread.name


async def true(event: threading.Event) -> None:
    """Wait for what another thread does."""
    assert await asyncio.to_thread(event.wait, LONGEST)


async def turns(until: Callable[[], object]) -> None:
    """Let the loop turn until something is so."""
    async with asyncio.timeout(LONGEST):
        while not until():  # noqa: ASYNC110 what other threads do sets no event of a loop
            await asyncio.sleep(0)


async def outcome(awaitable: Awaitable[Any]) -> Any:
    """Return what it returns, or raises."""
    try:
        return await awaitable
    except (Exception, asyncio.CancelledError) as error:
        task = asyncio.current_task()
        if task is not None and task.cancelling():  # it is the test that takes too long
            raise
        return error


def opening(server: Any, user: str = "me", password: str = "x", **options: Any) -> Opening:
    settings = {"security": "none", "timeout": PATIENCE, **options}
    return mf.connect_async(server.host, user, password=password, port=server.port, **settings)


def pool_of(session: AsyncSession) -> Pool:
    found: Pool = session._session._source._pool  # type: ignore[attr-defined]
    return found


def assert_whole(session: AsyncSession) -> None:
    """All connections are there for the next call, and nothing is under way."""
    pool = pool_of(session)
    assert sorted(map(id, pool._free)) == sorted(map(id, pool._all))
    assert 1 <= len(pool) <= pool.size
    assert (pool._lent, pool._opening, pool._apart) == ({}, set(), [])
    assert not session._at_work


def same(one: Any, other: Any) -> bool:
    if isinstance(one, pd.DataFrame):
        assert_frame_equal(comparable(one), comparable(other), check_categorical=False)
        return True
    return bool(one == other)


def comparable(frame: pd.DataFrame) -> pd.DataFrame:
    r"""Sort by folder: Dovecot lists them in another order each time, and sees \Marked later."""
    if "folder" not in frame.columns:
        return frame.drop(columns="flags").sort_values("name", ignore_index=True)
    return frame.sort_values("folder", kind="stable", ignore_index=True)


# -- what there is


def differences(name: str) -> list[str]:
    """Say in what the asynchronous method is not the synchronous one."""
    method, found = getattr(Session, name), getattr(AsyncSession, name, None)
    if found is None:
        return [f"AsyncSession has no {name}"]
    if isinstance(method, property):
        return [] if isinstance(found, property) and found.__doc__ == method.__doc__ else [name]
    ours, theirs = inspect.signature(found), inspect.signature(method)
    wrong = []
    if ours.parameters != theirs.parameters and name != "close":
        wrong.append(f"{ours} is not {theirs}")
    if name not in {"close", "tracing"} and found.__doc__ != method.__doc__:
        wrong.append("another description")
    if not found.__doc__:
        wrong.append("no description")
    return wrong


@pytest.mark.parametrize("name", PUBLIC)
def test_whatever_a_session_can_do_is_there_with_the_same_arguments(name: str) -> None:
    assert not differences(name)


def test_a_method_that_is_new_or_was_changed_shows(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(Session, "new", Session.headers, raising=False)
    assert differences("new") == ["AsyncSession has no new"]
    monkeypatch.setattr(Session, "headers", Session.bodies)
    assert len(differences("headers")) == 2


def test_nothing_is_there_that_a_session_has_not() -> None:
    assert not [n for n in dir(AsyncSession) if not n.startswith("_") and n not in PUBLIC]


@pytest.mark.parametrize("name", PUBLIC)
def test_coroutine_functions_are_known_as_such(name: str) -> None:
    found = getattr(AsyncSession, name)
    assert inspect.iscoroutinefunction(found) == (name in AWAITED)
    if name != "account":
        assert found.__qualname__ == f"AsyncSession.{name}"
        assert found.__module__ == "mailframe.aio"


def test_connect_async_takes_what_connect_takes() -> None:
    ours, theirs = inspect.signature(mf.connect_async), inspect.signature(mf.connect)
    assert ours.parameters == theirs.parameters
    assert (ours.return_annotation, theirs.return_annotation) == ("Opening", "Session")
    assert mf.connect_async.__doc__ is not None
    assert mf.connect.__doc__ is not None
    assert mf.connect_async.__doc__.startswith(mf.connect.__doc__.rstrip())
    assert "AsyncSession" in mf.connect_async.__doc__
    assert mf.connect_async.__name__ == mf.connect_async.__qualname__ == "connect_async"


# -- the same results


class Reading(NamedTuple):
    """A mailbox somewhere, and how it is opened."""

    open: Callable[[], Session]
    folder: str
    is_server: bool


@pytest.fixture(scope="module")
def folders(dovecot: Dovecot) -> str:
    """Return a user with eight folders of sixty messages, and INBOX; they are only read."""
    user = dovecot.new_user()
    dovecot.deliver(user, some_messages(EACH))
    for folder in FOLDERS:
        dovecot.deliver(user, some_messages(EACH), folder)
    return user


@pytest.fixture
def mbox(tmp_path: Path) -> Path:
    path = tmp_path / "mail.mbox"
    path.write_bytes(
        b"".join(
            b"From me Mon Jan  5 09:30:00 2026\n" + one.replace(b"\r\n", b"\n") + b"\n"
            for one in messages.many(50)
        )
    )
    return path


@pytest.fixture(params=["Dovecot", "the embedded server", "a file"])
def reading(request: pytest.FixtureRequest) -> Reading:
    if request.param == "a file":
        path = request.getfixturevalue("mbox")
        return Reading(lambda: mf.open(path), "INBOX", is_server=False)
    if request.param == "the embedded server":
        return Reading(mf.demo, "INBOX", is_server=True)
    dovecot, user = request.getfixturevalue("dovecot"), request.getfixturevalue("folders")

    def connect() -> Session:
        return mf.connect(
            dovecot.host, user, password=dovecot.password, port=dovecot.port, security="none"
        )

    return Reading(connect, FOLDERS[3], is_server=True)


@pytest.mark.parametrize(
    ("method", "options"),
    [
        ("folders", {}),
        ("search", {"criteria": "SUBJECT 1", "limit": 5}),
        ("count", {"folder": "*"}),
        ("headers", {"limit": 7, "fields": ["X-Nothing"], "progress": False}),
        ("recipients", {"criteria": mf.Q(subject="1")}),
        ("hops", {"limit": 3}),
        ("attachments", {}),
        ("bodies", {"html": True, "limit": 4}),
        ("bodies", {"preview": True, "limit": 4}),
    ],
)
def test_what_comes_back_is_the_same(reading: Reading, method: str, options: Any) -> None:
    async def main() -> None:
        async with AsyncSession(session) as ours:
            assert same(await getattr(ours, method)(**options), expected)

    with reading.open() as session:
        if method != "folders":
            options = {"folder": reading.folder, **options}
        expected = getattr(session, method)(**options)
        assert method == "hops" or not isinstance(expected, pd.DataFrame) or len(expected)
        run(main())


def test_messages_files_and_data_sets_are_the_same(reading: Reading, tmp_path: Path) -> None:
    async def main() -> None:
        async with AsyncSession(session) as ours:
            headers = await ours.headers(folder=where, limit=1)
            uid = int(headers["uid"].iloc[0])
            assert await ours.message(uid, folder=where) == session.message(uid, folder=where)
            rows = await ours.attachments(folder=where, limit=40)
            saved = await ours.download(rows, tmp_path / "ours")
            expected = session.download(rows, tmp_path / "theirs")
            assert len(saved) > 0
            assert_frame_equal(saved.drop(columns="path"), expected.drop(columns="path"))
            assert [(tmp_path / p).read_bytes() for p in saved["path"]] == [
                (tmp_path / p).read_bytes() for p in expected["path"]
            ]
            written = await ours.to_parquet(tmp_path / "set", folder=where, batch=20)
            assert written == tmp_path / "set"
            whole = session.headers(folder=where)
            assert pd.read_parquet(written)["uid"].to_list() == whole["uid"].to_list()
            pieces = [one async for one in ours.stream(folder=where, batch=20)]
            assert [len(one) for one in pieces[:-1]] == [20] * (len(pieces) - 1)
            assert_frame_equal(mf.concat(pieces), whole)

    where = reading.folder
    with reading.open() as session:
        run(main())


def test_what_only_a_server_has(reading: Reading) -> None:
    async def main() -> None:
        async with AsyncSession(session) as ours:
            assert ours.account == session.account
            assert repr(ours) == repr(session).replace("mailframe.S", "mailframe.AsyncS")
            assert "await session.headers()" in ours._repr_html_()
            if not reading.is_server:
                for call in (ours.capabilities, ours.explain, ours.trace):
                    with pytest.raises(NotSupportedError, match="erver"):
                        await call()
                with pytest.raises(NotSupportedError, match="erver"):
                    await anext(ours.watch())
                with pytest.raises(NotSupportedError, match="erver"):
                    async with ours.tracing():
                        pytest.fail("there is no dialogue")
                return
            assert await ours.capabilities() == session.capabilities()
            plan = await ours.explain("UNSEEN", "bodies")
            assert_frame_equal(plan.frame, session.explain("UNSEEN", "bodies").frame)
            async with ours.tracing() as trace:
                await asyncio.gather(ours.count(), ours.folders())
            commands = set(trace.frame["command"])
            assert {"LIST", "UID SEARCH"} <= commands or {"LIST", "SEARCH"} <= commands
            assert_frame_equal(await ours.trace(), session.trace())

    with reading.open() as session:
        run(main())


def test_watching_tells_what_arrives(dovecot: Dovecot, user: str) -> None:
    async def main() -> None:
        async with opening(dovecot, user, dovecot.password) as session:
            async with session.watch() as frames:
                dovecot.deliver(user, [messages.plain(1)])
                first = await anext(frames)
                dovecot.deliver(user, [messages.plain(2)])
                second = await anext(frames)
            assert [*first["subject"], *second["subject"]] == ["Message 1", "Message 2"]
            with pytest.raises(StopAsyncIteration):
                await anext(frames)
            assert not pool_of(session)._apart
            assert [one async for one in session.watch(duration=0.01)] == []

    run(main())


def test_errors_are_those_of_the_method_with_its_traceback(folders: str, dovecot: Dovecot) -> None:
    async def main() -> None:
        async with opening(dovecot, folders, dovecot.password) as session:
            with pytest.raises(FolderError, match="Nowhere") as caught:
                await session.headers(folder="Nowhere")
            places = [place.name for place in traceback.extract_tb(caught.value.__traceback__)]
            assert {"main", "headers"} <= set(places)
            assert "Nowhere" in "".join(caught.value._render_traceback_())
            with pytest.raises(QueryError):
                await session.count("NONSENSE (")
            with pytest.raises(QueryError):
                await anext(session.stream(batch=0))
            with pytest.raises(TypeError, match="unexpected keyword"):
                await session.headers(fold="INBOX")  # type: ignore[call-arg]
            assert_whole(session)
        with pytest.raises(AuthenticationError):
            await opening(dovecot, folders, "wrong")

    run(main())


def test_the_callers_context_variables_are_seen(mbox: Path) -> None:
    who = contextvars.ContextVar("who", default="nobody")
    seen: set[str] = set()

    class Bar:
        total = 0

        def update(self, _: int) -> None:
            seen.add(who.get())
            who.set("changed")

    async def main() -> None:
        async with AsyncSession(mf.open(mbox)) as session:
            who.set("me")
            await session.headers(progress=Bar())
            assert seen == {"me", "changed"}
            seen.clear()
            async for _ in session.stream(batch=20, progress=Bar()):
                assert who.get() == "me"
            assert seen == {"me", "changed"}

    run(main())


@pytest.mark.parametrize("error", [ZeroDivisionError, StopIteration, StopAsyncIteration])
def test_whatever_a_callback_raises_arrives(
    mbox: Path, tmp_path: Path, error: type[Exception]
) -> None:
    class Bar:
        total = 0

        def update(self, _: int) -> None:
            raise error

    async def main() -> None:
        async with AsyncSession(mf.open(mbox)) as session:
            rows = await session.attachments()
            for call in (
                session.headers(progress=Bar()),
                session.download(rows, tmp_path, progress=Bar()),
                anext(session.stream(progress=Bar())),
            ):
                failed = await outcome(call)
                assert isinstance(failed, error | RuntimeError), failed
            assert await session.count() == 50

    run(main())


def test_a_token_provider_that_has_no_more_keeps_nobody_waiting(scripted: Scripted) -> None:
    server = scripted(capabilities="IMAP4rev1 AUTH=XOAUTH2 SASL-IR")

    async def main() -> None:
        none: Iterator[str] = iter(())
        made = mf.connect_async(
            server.host,
            "me",
            token_provider=lambda _: next(none),
            port=server.port,
            security="none",
        )
        with pytest.raises((RuntimeError, AuthenticationError)):
            await made

    run(main())


# -- many at once


class Call(NamedTuple):
    """A call, and what comes of it."""

    method: str
    options: dict[str, Any]
    expected: Any

    def of(self, session: AsyncSession) -> Coroutine[Any, Any, Any]:
        called: Coroutine[Any, Any, Any] = getattr(session, self.method)(**self.options)
        return called


@pytest.fixture(scope="module")
def calls(dovecot: Dovecot, folders: str) -> list[Call]:
    """Return fifty calls of all kinds."""
    chance = random.Random(50)
    kinds = ["headers", "bodies", "count", "search", "attachments", "recipients", "hops"]
    made: list[Call] = []
    with mf.connect(
        dovecot.host, folders, password=dovecot.password, port=dovecot.port, security="none"
    ) as session:
        for method, place in zip(itertools.cycle(kinds), range(47), strict=False):
            options: dict[str, Any] = {"folder": chance.choice(FOLDERS)}
            if place % 10 == 9:
                options["folder"] = chance.sample(FOLDERS, 3)
            if method != "count":
                options["limit"] = chance.randrange(1, EACH)
            made.append(Call(method, options, getattr(session, method)(**options)))
        made.append(Call("headers", {"folder": "*"}, session.headers(folder="*")))
        made.append(Call("folders", {}, session.folders()))
        made.append(Call("message", {"uid": 3}, session.message(3)))
    return made


class Sockets:
    """How many are open at a time."""

    def __init__(self, monkeypatch: pytest.MonkeyPatch) -> None:
        self.most = 0
        self._all: list[Any] = []
        self._lock = threading.Lock()
        create = Wire._create_socket

        def counted(wire: Wire, timeout: float | None) -> Any:
            made = create(wire, timeout)
            with self._lock:
                self._all = [one for one in self._all if one.fileno() >= 0] + [made]
                self.most = max(self.most, len(self._all))
            return made

        monkeypatch.setattr(Wire, "_create_socket", counted)


@pytest.mark.parametrize("seed", range(3))
def test_fifty_calls_of_which_ten_are_cancelled(
    dovecot: Dovecot,
    folders: str,
    calls: list[Call],
    monkeypatch: pytest.MonkeyPatch,
    seed: int,
) -> None:
    sockets = Sockets(monkeypatch)
    chance = random.Random(seed)

    async def main(proxy: FaultProxy) -> None:
        async with opening(proxy, folders, dovecot.password, pool_size=4) as session:
            tasks = [asyncio.create_task(call.of(session)) for call in calls]
            victims: set[asyncio.Task[Any]] = set()
            while len(victims) < 10:
                await asyncio.sleep(chance.random() * DELAY)  # at whatever moment
                victim = chance.choice([t for t in tasks if not t.done() and t not in victims])
                victim.cancel()
                victims.add(victim)
            results = await asyncio.gather(*tasks, return_exceptions=True)
            for task, call, result in zip(tasks, calls, results, strict=True):
                if task in victims:
                    assert isinstance(result, asyncio.CancelledError)
                else:
                    assert same(result, call.expected), call
            assert_whole(session)
            assert session._workers._work_queue.empty()
            again = await asyncio.gather(*(call.of(session) for call in calls))
            assert all(
                same(result, call.expected) for call, result in zip(calls, again, strict=True)
            )
            assert_whole(session)

    with FaultProxy(dovecot.host, dovecot.port, delay=DELAY / 3) as proxy:
        run(main(proxy))
    # Those that were broken off were opened again, but never beside the others.
    assert sockets.most == 4


def test_eight_folders_together_take_a_third_of_the_round_trips(
    dovecot: Dovecot, folders: str
) -> None:
    """Counted on the busiest line: whoever waits, waits for that."""

    async def main(proxy: FaultProxy, *, together: bool) -> int:
        size = 4 if together else 1
        async with opening(proxy, folders, dovecot.password, pool_size=size) as session:
            reading = [session.headers(folder=folder) for folder in FOLDERS]
            if together:
                await asyncio.gather(*reading)  # opens the connections
                before = {line.number: line.round_trips for line in proxy.lines}
                frames = await asyncio.gather(*(session.headers(folder=f) for f in FOLDERS))
            else:
                frames = [await one for one in reading]
                before = {line.number: line.round_trips for line in proxy.lines}
                frames = [await session.headers(folder=f) for f in FOLDERS]
            assert [len(frame) for frame in frames] == [EACH] * len(FOLDERS)
            assert len(proxy.lines) == size
            return max(line.round_trips - before[line.number] for line in proxy.lines)

    trips = {}
    for together in (False, True):
        with FaultProxy(dovecot.host, dovecot.port, delay=DELAY) as proxy:
            trips[together] = run(main(proxy, together=together))
    assert trips[False] >= 3 * trips[True], trips


def test_a_task_group_ends_what_is_left_of_it(scripted: Scripted) -> None:
    asked = threading.Event()
    server = scripted({"UID SEARCH": silence(asked)}, messages={1: b"FLAGS ()"})

    async def main() -> None:
        async with opening(server) as session:
            waiting: list[asyncio.Task[int]] = []

            async def fail() -> None:
                await true(asked)
                raise ZeroDivisionError

            async def together() -> None:
                async with asyncio.TaskGroup() as group:
                    waiting[:] = [group.create_task(session.count()) for _ in range(20)]
                    group.create_task(fail())

            with pytest.raises(ExceptionGroup) as caught:
                await together()
            assert caught.group_contains(ZeroDivisionError)
            assert all(task.cancelled() for task in waiting)
            assert_whole(session)
            assert len(await session.folders()) == 1

    run(main())


# -- cancelled


def silence(asked: threading.Event) -> Callable[..., bytes]:
    """Return a handler that never answers, and says when it was asked."""

    def handle(*_: object) -> bytes:
        asked.set()
        return b""

    return handle


class Silent(NamedTuple):
    """A server that falls silent at one command, and the event of that."""

    server: ScriptedServer
    asked: threading.Event


@pytest.fixture
def silent(scripted: Scripted) -> Silent:
    asked = threading.Event()
    return Silent(scripted({"UID SEARCH": silence(asked)}, messages={1: b"FLAGS ()"}), asked)


def test_cancelled_before_it_starts_nothing_happens(silent: Silent) -> None:
    async def main() -> None:
        async with opening(silent.server) as session:
            task = asyncio.create_task(session.count())
            task.cancel()
            assert isinstance(await outcome(task), asyncio.CancelledError)
            assert not silent.asked.is_set()
            assert_whole(session)

    run(main())


@pytest.mark.parametrize("how", ["cancel", "timeout", "wait_for", "twice"])
def test_it_ends_though_the_server_never_answers(silent: Silent, how: str) -> None:
    async def main() -> None:
        async with opening(silent.server) as session:
            task = asyncio.create_task(session.count())
            await true(silent.asked)
            if how == "timeout":
                with pytest.raises(TimeoutError):
                    async with asyncio.timeout(0.01):
                        await task
            elif how == "wait_for":
                with pytest.raises(TimeoutError):
                    await asyncio.wait_for(task, 0.01)
            else:
                task.cancel()
                if how == "twice":
                    await asyncio.sleep(0)
                    task.cancel()
            assert isinstance(await outcome(task), asyncio.CancelledError)
            # The connection comes back by itself also where nobody has waited for that.
            assert len(await session.folders()) == 1
            await turns(lambda: not pool_of(session)._lent)
            assert_whole(session)

    run(main())


def test_a_connection_on_which_a_call_was_cancelled_was_not_lost(
    silent: Silent, caplog: pytest.LogCaptureFixture
) -> None:
    async def main() -> None:
        async with opening(silent.server, reconnect=0) as session:
            task = asyncio.create_task(session.count())
            await true(silent.asked)
            task.cancel()
            assert isinstance(await outcome(task), asyncio.CancelledError)
            assert len(await session.folders()) == 1
            assert_whole(session)

    run(main())
    assert "lost" not in caplog.text


def test_only_a_session_is_made_an_asynchronous_one() -> None:
    for wrong in ("me@example.com", Opening(mf.demo)):
        with pytest.raises(NotSupportedError, match="is no Session"):
            AsyncSession(wrong)  # type: ignore[arg-type] # that is the mistake


def test_cancelled_while_it_waits_for_a_connection(silent: Silent) -> None:
    async def main() -> None:
        async with opening(silent.server, pool_size=1) as session:
            first = asyncio.create_task(session.count())
            await true(silent.asked)
            others = [asyncio.create_task(session.folders()) for _ in range(20)]
            wanted = others.pop(7)
            await turns(lambda: len(session._at_work) == 21)
            for task in others:
                task.cancel()
            assert {type(await outcome(task)) for task in others} == {asyncio.CancelledError}
            assert not first.done()
            assert not wanted.done()
            first.cancel()
            assert len(await wanted) == 1
            assert isinstance(await outcome(first), asyncio.CancelledError)
            assert_whole(session)

    run(main())


def test_cancelled_while_connecting(scripted: Scripted) -> None:
    connected = threading.Event()

    def greet(_: Connection) -> bytes:
        connected.set()
        return b""

    server = scripted(greeting=greet)

    async def main() -> None:
        task = asyncio.create_task(opened(server))
        await true(connected)
        task.cancel()
        assert isinstance(await outcome(task), asyncio.CancelledError)
        server.connections[0].close()

    async def opened(server: Any) -> AsyncSession:
        return await opening(server, reconnect=0)

    run(main())


@pytest.mark.parametrize(
    "heard", ["greeting", "CAPABILITY", "LOGIN", "STARTTLS", "TLS", "TLS behind STARTTLS"]
)
def test_cancelled_while_the_server_is_silent_connecting_ends_at_once(
    scripted: Scripted, certificates: Certificates, monkeypatch: pytest.MonkeyPatch, heard: str
) -> None:
    monkeypatch.setattr(workers, "PARTING", 10 * LONGEST)
    is_heard = threading.Event()

    def say(words: bytes) -> Callable[..., bytes]:
        def answer(*_: object) -> bytes:
            is_heard.set()
            return words

        return answer

    options: dict[str, Any] = {"handlers": {heard: say(b"")}}
    if heard in {"greeting", "TLS"}:
        options = {"greeting": say(b"")}
    if "STARTTLS" in heard:
        words = b"" if heard == "STARTTLS" else b"<tag> OK begin\r\n"
        options = {"handlers": {"STARTTLS": say(words)}, "security": "starttls"}
        options["certificate"] = certificates.good
    security = {"TLS": "tls", "STARTTLS": "starttls", "TLS behind STARTTLS": "starttls"}
    server = scripted(**options)

    async def opened() -> AsyncSession:
        return await opening(server, security=security.get(heard, "none"))

    async def main() -> None:
        task = asyncio.create_task(opened())
        await true(is_heard)
        task.cancel()
        assert isinstance(await outcome(task), asyncio.CancelledError)

    run(main())


def test_a_session_that_was_opened_for_nobody_is_closed(scripted: Scripted) -> None:
    server = scripted()
    opened = threading.Event()
    sessions: list[Session] = []

    def open_session() -> Session:
        session = mf.connect(
            server.host, "me", password="x", port=server.port, security="none", timeout=PATIENCE
        )
        sessions.append(session)
        opened.set()
        return session

    async def main() -> None:
        task = asyncio.create_task(Opening(open_session))
        await asyncio.sleep(0)
        opened.wait(LONGEST)  # the loop stands still: it cannot hear of it before
        task.cancel()
        assert isinstance(await outcome(task), asyncio.CancelledError)

    run(main())
    assert sessions[0]._source._pool._is_closed  # type: ignore[attr-defined]
    assert server.commands("LOGOUT") == [b""]


def test_cancelled_while_another_connection_is_made(scripted: Scripted) -> None:
    asked, second = threading.Event(), threading.Event()

    def greet(connection: Connection) -> bytes:
        if connection.number != 2:
            return b"* OK ready\r\n"
        second.set()
        return b""

    server = scripted({"UID SEARCH": silence(asked)}, greeting=greet, messages={1: b"FLAGS ()"})

    async def main() -> None:
        async with opening(server) as session:
            first = asyncio.create_task(session.count())
            await true(asked)
            other = asyncio.create_task(session.folders())
            await true(second)
            other.cancel()
            assert isinstance(await outcome(other), asyncio.CancelledError)
            first.cancel()
            assert isinstance(await outcome(first), asyncio.CancelledError)
            assert len(await session.folders()) == 1
            server.connections[1].close()
            await turns(lambda: not pool_of(session)._opening)
            assert_whole(session)

    run(main())


def test_cancelled_over_several_connections(
    scripted: Scripted, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("mailframe.imap.pool.FAR", 0)
    asked = threading.Semaphore(0)

    def search(*_: object) -> bytes:
        asked.release()
        return b""

    server = scripted(
        {"UID SEARCH": search}, messages={1: b"FLAGS ()"}, folders=[b"INBOX", b"a", b"b", b"c"]
    )

    async def main() -> None:
        async with opening(server, pool_size=3) as session:
            task = asyncio.create_task(session.headers(folder="*"))
            for _ in range(3):
                assert await asyncio.to_thread(asked.acquire, timeout=LONGEST)
            task.cancel()
            assert isinstance(await outcome(task), asyncio.CancelledError)
            assert_whole(session)
            assert len(pool_of(session)) == 3
            assert len(await session.folders()) == 4

    run(main())


@pytest.mark.parametrize("method", ["bodies", "headers", "download", "to_parquet", "stream"])
def test_cancelled_midway_it_leaves_a_session_that_works(
    dovecot: Dovecot, folders: str, tmp_path: Path, method: str
) -> None:
    loop: asyncio.AbstractEventLoop
    task: asyncio.Task[Any]

    class Bar:
        total = seen = 0

        def update(self, n: int) -> None:
            if not self.seen:
                loop.call_soon_threadsafe(task.cancel)
            self.seen += n

    async def started(session: AsyncSession, bar: Bar) -> Any:
        match method:
            case "download":
                rows = await session.attachments(folder="*")
                return await session.download(rows, tmp_path / "files", progress=bar)
            case "to_parquet":
                return await session.to_parquet(
                    tmp_path / "set", folder="*", batch=50, progress=bar
                )
            case "stream":
                return [one async for one in session.stream(folder="*", batch=50, progress=bar)]
        return await getattr(session, method)(folder="*", progress=bar)

    def left_over() -> list[Path]:
        return list(tmp_path.rglob("*.part"))

    async def main(proxy: FaultProxy) -> None:
        nonlocal loop, task
        loop, bar = asyncio.get_running_loop(), Bar()
        async with opening(proxy, folders, dovecot.password) as session:
            await session.count(folder="*")
            task = asyncio.create_task(started(session, bar))
            assert isinstance(await outcome(task), asyncio.CancelledError)
            assert bar.seen < bar.total
            await turns(lambda: not pool_of(session)._lent)
            assert_whole(session)
            assert not left_over()
            whole = await session.headers(folder="*")
            assert len(whole) == EACH * 9
            if method == "to_parquet":
                path = await session.to_parquet(tmp_path / "set", folder="*", batch=50)
                assert pd.read_parquet(path)["uid"].to_list() == whole["uid"].to_list()

    with FaultProxy(dovecot.host, dovecot.port, delay=DELAY / 3) as proxy:
        run(main(proxy))


def test_cancelled_in_a_file_it_ends_at_the_next_message(
    mbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    looking, cancelled, looked_at = threading.Event(), threading.Event(), []
    is_match = file_source._is_match

    def match(box: Any, uid: int, *args: Any) -> bool:
        looked_at.append(uid)
        if len(looked_at) == 3:
            looking.set()
            assert cancelled.wait(LONGEST)
        return is_match(box, uid, *args)

    monkeypatch.setattr(file_source, "_is_match", match)

    async def main() -> None:
        async with AsyncSession(mf.open(mbox)) as session:
            task = asyncio.create_task(session.count("BODY nothing"))
            await true(looking)
            task.cancel()
            await asyncio.sleep(0)  # it is told
            cancelled.set()
            assert isinstance(await outcome(task), asyncio.CancelledError)
            assert len(looked_at) == 3
            assert await session.count() == 50

    run(main())


def test_a_thread_that_does_not_end_is_not_waited_for(
    mbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(workers, "PARTING", 0.01)
    reading, go_on = threading.Event(), threading.Event()

    class Bar:
        total = 0

        def update(self, _: int) -> None:
            reading.set()
            assert go_on.wait(2 * LONGEST)

    async def main() -> None:
        async with AsyncSession(mf.open(mbox)) as session:
            frames = session.stream(batch=20, progress=Bar())
            for call in (session.headers(progress=Bar()), anext(frames)):
                reading.clear()
                task = asyncio.ensure_future(call)
                await true(reading)
                task.cancel()
                assert isinstance(await outcome(task), asyncio.CancelledError)
            await frames.aclose()
            with pytest.raises(StopAsyncIteration):
                await anext(frames)
            assert await session.count() == 50
            go_on.set()

    run(main())


# -- loops


def test_one_loop_after_the_other(dovecot: Dovecot, folders: str) -> None:
    session: AsyncSession = asyncio.run(opening(dovecot, folders, dovecot.password))
    assert asyncio.run(session.count()) == EACH

    async def several() -> list[int]:
        return await asyncio.gather(*(session.count(folder=folder) for folder in FOLDERS))

    assert asyncio.run(several()) == [EACH] * 8
    assert_whole(session)
    run(session.close())


def test_two_loops_at_once(dovecot: Dovecot, folders: str, calls: list[Call]) -> None:
    session: AsyncSession = asyncio.run(opening(dovecot, folders, dovecot.password))

    async def several() -> None:
        for call, result in zip(
            calls, await asyncio.gather(*(call.of(session) for call in calls)), strict=True
        ):
            assert same(result, call.expected)

    with ThreadPoolExecutor(2) as threads:
        for done in [threads.submit(asyncio.run, several()) for _ in range(2)]:
            done.result(LONGEST)
    assert_whole(session)
    run(session.close())


def test_a_loop_that_ends_leaves_nothing_to_wait_for(silent: Silent) -> None:
    async def left() -> AsyncSession:
        session = await opening(silent.server)
        asyncio.get_running_loop().create_task(session.count())
        await true(silent.asked)
        return session

    session = asyncio.run(left())  # which cancels what is left
    assert_whole(session)
    run(session.close())


def test_a_loop_that_is_closed_before_the_work_is_done(silent: Silent) -> None:
    async def begun() -> tuple[AsyncSession, asyncio.Task[int]]:
        session = await opening(silent.server)
        task = asyncio.get_running_loop().create_task(session.count())
        await true(silent.asked)
        return session, task

    loop = asyncio.new_event_loop()
    session, task = loop.run_until_complete(begun())
    task._log_destroy_pending = False  # type: ignore[attr-defined] # that is meant
    loop.run_until_complete(loop.shutdown_default_executor())
    loop.close()
    run(session.close())
    with suppress(RuntimeError):  # its loop is closed
        task.get_coro().close()  # type: ignore[union-attr]


def test_a_child_process_has_threads_of_its_own(dovecot: Dovecot, folders: str) -> None:
    """In a process of its own, too: a fork takes no threads along."""
    done = program(
        """
        async def main():
            return await asyncio.gather(*(session.count(folder=f"Folder{n}") for n in range(8)))
        session = asyncio.run(opening)
        print(sum(asyncio.run(main())), flush=True)
        child = os.fork()
        print(asyncio.run(session.count()), flush=True)
        asyncio.run(session.close())
        if child:
            print(os.waitpid(child, 0)[1])
        """,
        dovecot,
        folders,
        dovecot.password,
    )
    assert done.stdout.split() == ["480", "60", "60", "0"], done.stderr


# -- closed


@pytest.mark.parametrize("name", [*AWAITED, *ITERATED])
def test_a_closed_session_says_so(mbox: Path, name: str) -> None:
    async def main() -> None:
        session = AsyncSession(mf.open(mbox))
        await session.close()
        await session.close()
        called = getattr(session, name)(*NEEDED.get(name, []))
        if name == "close":
            assert await called is None
            return
        with pytest.raises(ConnectionFailedError, match=r"is closed\.\nWhat to do: Open it again"):
            await (anext(called) if name in ITERATED else called)

    run(main())


def test_closing_ends_ten_calls_that_are_under_way(scripted: Scripted) -> None:
    asked, connecting = threading.Semaphore(0), threading.Semaphore(0)

    def search(*_: object) -> bytes:
        asked.release()
        return b""

    def greet(connection: Connection) -> bytes:
        if connection.number == 4:
            connecting.release()
            return b""
        return b"* OK ready\r\n"

    server = scripted(
        {"UID SEARCH": search},
        greeting=greet,
        messages={1: b"FLAGS ()"},
        capabilities="IMAP4rev1 IDLE ESEARCH",
    )

    async def main() -> None:
        session = await opening(server, pool_size=4)
        tasks = []
        for _ in range(3):
            tasks.append(asyncio.create_task(session.count()))
            assert await asyncio.to_thread(asked.acquire, timeout=LONGEST)
        tasks += [asyncio.create_task(session.headers()) for _ in range(7)]
        assert await asyncio.to_thread(connecting.acquire, timeout=LONGEST)
        closing = asyncio.create_task(session.close())
        await turns(lambda: session._is_closed)
        # Nobody can wake whoever waits for a greeting but the server.
        server.connections[3].close()
        for task in tasks:
            error = await outcome(task)
            assert isinstance(error, ConnectionFailedError), error
            assert "is closed" in str(error)
        await closing
        await session.close()

    run(main())


def test_closing_ends_what_is_read_from_files(mbox: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    looking, closed = threading.Event(), threading.Event()

    def match(*_: object) -> bool:
        looking.set()
        return closed.wait(LONGEST)

    monkeypatch.setattr(file_source, "_is_match", match)

    async def main() -> None:
        session = AsyncSession(mf.open(mbox))
        tasks = [asyncio.create_task(session.count("BODY nothing")) for _ in range(10)]
        await true(looking)
        await session.close()
        closed.set()
        for task in tasks:
            error = await outcome(task)
            assert isinstance(error, MailframeError), error
            assert "is closed" in str(error)

    run(main())


def test_closing_ends_streams_and_watches(scripted: Scripted) -> None:
    idling = threading.Event()

    def idle(_tag: bytes, _args: bytes, connection: Connection) -> bytes:
        connection.send(b"+ idling\r\n")
        idling.set()
        connection.read_line()
        return b"<tag> OK done\r\n"

    server = scripted(
        {"IDLE": idle}, messages={1: b"FLAGS ()"}, capabilities="IMAP4rev1 IDLE ESEARCH"
    )

    async def main() -> None:
        session = await opening(server)
        watching = asyncio.create_task(outcome(anext(session.watch())))
        await true(idling)
        await session.close()
        error = await watching
        assert isinstance(error, ConnectionFailedError)
        assert "is closed" in str(error)

    run(main())


def test_async_with_closes_also_after_an_error(scripted: Scripted) -> None:
    server = scripted()

    async def main() -> None:
        with pytest.raises(ZeroDivisionError):
            async with opening(server) as session:
                raise ZeroDivisionError
        with pytest.raises(ConnectionFailedError, match="is closed"):
            await session.count()

    run(main())
    assert len(server.commands("LOGOUT")) == 1


# -- programs


BEGIN = """
import asyncio, os, signal, sys, threading
import mailframe as mf
host, port, user, password = sys.argv[1:]
opening = mf.connect_async(
    host, user, password=password, port=int(port), security="none", timeout=600
)
"""


def program(
    code: str, server: Any, user: str = "me", password: str = "x"
) -> subprocess.CompletedProcess[str]:
    """Run a program to its end, which comes by itself."""
    code = BEGIN + inspect.cleandoc(code)
    where = [server.host, str(server.port), user, password]
    return subprocess.run(
        [sys.executable, "-X", "dev", "-c", code, *where],
        capture_output=True,
        text=True,
        cwd=CHECKOUT,
        timeout=LONGEST,
        check=False,
    )


@pytest.mark.parametrize(
    "code",
    [
        "asyncio.run(opening)",
        """
        session = asyncio.run(opening)
        print(asyncio.run(session.count()))
        """,
        """
        async def main():
            session = await opening
            global frames, waiting
            frames = session.watch()
            await frames.__aenter__()
            waiting = asyncio.create_task(anext(frames))
            await asyncio.sleep(0)
        asyncio.run(main())
        """,
        """
        async def main():
            global session, frames, waiting
            session = await opening
            frames = session.watch()
            await frames.__aenter__()
            waiting = asyncio.create_task(anext(frames))
            await asyncio.sleep(0)
        loop = asyncio.new_event_loop()
        loop.run_until_complete(main())
        """,
        """
        async def main():
            global session, frames
            session = await opening
            frames = session.stream(batch=1)
            await anext(frames)
        asyncio.run(main())
        """,
    ],
    ids=["opened", "used", "a watch", "a watch in a loop that is not closed", "a stream"],
)
def test_python_ends_though_a_session_was_never_closed(
    dovecot: Dovecot, folders: str, code: str
) -> None:
    done = program(code, dovecot, folders, dovecot.password)
    assert done.returncode == 0, done.stderr
    assert "Traceback" not in done.stderr
    assert "never retrieved" not in done.stderr


@pytest.mark.parametrize("command", ["count", "watch", "connecting"])
def test_ctrl_c_ends_a_program(scripted: Scripted, command: str) -> None:
    asked = threading.Event()

    def greet(_: Connection) -> bytes:
        if command == "connecting":
            asked.set()
            return b""
        return b"* OK ready\r\n"

    def idle(_tag: bytes, _args: bytes, connection: Connection) -> bytes:
        connection.send(b"+ idling\r\n")
        asked.set()
        return b""

    server = scripted(
        {"UID SEARCH": silence(asked)} if command == "count" else {"IDLE": idle},
        greeting=greet,
        messages={1: b"FLAGS ()"},
        capabilities="IMAP4rev1 IDLE",
    )
    call = "anext(session.watch())" if command == "watch" else "session.count()"
    code = f"""
async def main():
    try:
        async with opening as session:
            await {call}
    finally:
        print("left in order", flush=True)
asyncio.run(main())
"""
    process = subprocess.Popen(
        [sys.executable, "-c", BEGIN + code, server.host, str(server.port), "me", "x"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=CHECKOUT,
    )
    with process:
        assert asked.wait(LONGEST)
        process.send_signal(signal.SIGINT)
        said, complaints = process.communicate(timeout=LONGEST)
    assert said == "left in order\n"
    assert complaints.splitlines()[-1] == "KeyboardInterrupt"
    assert process.returncode == -signal.SIGINT
    assert "never retrieved" not in complaints


ON_A_TERMINAL = """
fcntl.ioctl(0, termios.TIOCSCTTY, 0)  # getpass opens /dev/tty
async def main():
    async with mf.connect_async(host, user, port=int(port), security="none") as session:
        print("messages:", await session.count())
asyncio.run(main())
"""


@pytest.mark.parametrize("typed", ["the password", "Ctrl-C"])
def test_a_question_in_a_terminal(dovecot: Dovecot, folders: str, typed: str) -> None:
    master, slave = pty.openpty()
    code = "import fcntl, termios" + BEGIN.partition("opening")[0] + ON_A_TERMINAL
    process = subprocess.Popen(
        [sys.executable, "-c", code, dovecot.host, str(dovecot.port), folders, ""],
        stdin=slave,
        stdout=slave,
        stderr=slave,
        cwd=CHECKOUT,
        start_new_session=True,
    )
    with process:
        shown = b""
        while b"Password for" not in shown:
            shown += os.read(master, 1024)
        while termios.tcgetattr(slave)[3] & termios.ECHO:  # it is turned off before the question
            assert process.poll() is None
        os.write(master, b"\x03" if typed == "Ctrl-C" else f"{dovecot.password}\n".encode())
        status = process.wait(LONGEST)
    shown += os.read(master, 1 << 16)
    echo = termios.tcgetattr(slave)[3] & termios.ECHO
    os.close(slave)
    os.close(master)
    assert dovecot.password.encode() not in shown
    assert echo, "whoever types next would not see it"
    if typed == "Ctrl-C":
        assert status == -signal.SIGINT
        assert b"KeyboardInterrupt" in shown.splitlines()[-1]  # in colours from 3.13 on
    else:
        assert status == 0
        assert f"messages: {EACH}".encode() in shown


# -- misuse


def test_with_in_place_of_async_with_says_what_to_write(mbox: Path, scripted: Scripted) -> None:
    async def main() -> None:
        async with AsyncSession(mf.open(mbox)) as session:
            with pytest.raises(NotSupportedError, match="async with"), session:  # type: ignore[attr-defined]
                pytest.fail("it is no such thing")
            with pytest.raises(NotSupportedError, match="async for"):
                list(session.stream())  # type: ignore[call-overload]
            with pytest.raises(NotSupportedError, match="async for"):
                next(iter(session.watch()))  # type: ignore[call-overload]

    run(main())
    server = scripted()
    with pytest.raises(NotSupportedError, match=r"async with mf\.connect_async"), opening(server):
        pytest.fail("it is no such thing")
    assert not server.connections


def test_a_session_that_is_not_open_yet_says_so(scripted: Scripted) -> None:
    server = scripted()
    made = opening(server)
    with pytest.raises(AttributeError, match=r"no headers: write session = await mf\.connect"):
        made.headers()
    assert "not open yet" in repr(made)
    made.close()  # as a coroutine that was never awaited
    assert not hasattr(made, "_repr_html_")
    assert not server.connections


def test_a_session_is_neither_copied_nor_pickled(mbox: Path) -> None:
    async def main() -> None:
        async with AsyncSession(mf.open(mbox)) as session:
            for how in (copy.copy, copy.deepcopy, pickle.dumps):
                with pytest.raises(NotSupportedError, match="copied or pickled"):
                    how(session)  # type: ignore[operator]

    run(main())


def test_an_opening_is_whatever_a_coroutine_is(scripted: Scripted) -> None:
    server = scripted(messages={1: b"FLAGS ()"})

    async def main() -> None:
        asyncio.get_running_loop().set_debug(True)
        async with asyncio.TaskGroup() as group:
            task = group.create_task(opening(server))
            assert "Opening" in repr(task) or "not open" in repr(task)
        sessions = [
            task.result(),
            await opening(server),
            *await asyncio.gather(opening(server), opening(server)),
            await asyncio.wait_for(opening(server), LONGEST),
            await asyncio.create_task(opening(server)),
        ]
        for session in sessions:
            assert await session.count() == 1
            await session.close()

    run(main())
    assert asyncio.iscoroutine(opening(server))
    thrown = opening(server)
    with pytest.raises(ZeroDivisionError):
        thrown.throw(ZeroDivisionError())


def test_two_tasks_on_the_same_frames(mbox: Path) -> None:
    reading, go_on = threading.Event(), threading.Event()

    class Bar:
        total = 0

        def update(self, _: int) -> None:
            reading.set()
            assert go_on.wait(2 * LONGEST)

    async def main() -> None:
        async with AsyncSession(mf.open(mbox)) as session:
            frames = session.stream(batch=20, progress=Bar())
            first = asyncio.ensure_future(anext(frames))
            await true(reading)
            with pytest.raises(RuntimeError, match="another task"):
                await anext(frames)
            go_on.set()
            assert len(await first) == 20
            assert [len(frame) async for frame in frames] == [20, 10]
            for _ in range(2):
                with pytest.raises(StopAsyncIteration):
                    await anext(frames)
            await frames.aclose()
            await frames.aclose()

    run(main())


def test_frames_that_were_never_begun_cost_nothing(scripted: Scripted) -> None:
    server = scripted()

    async def main() -> None:
        async with opening(server) as session:
            before = len(server.received)
            frames = session.watch()
            await frames.aclose()
            with pytest.raises(StopAsyncIteration):
                await anext(frames)
            del frames
            assert len(server.received) == before

    run(main())


def test_an_error_ends_the_frames(dovecot: Dovecot, folders: str) -> None:
    async def main() -> None:
        async with opening(dovecot, folders, dovecot.password) as session:
            for frames in (session.watch("Nowhere"), session.stream(folder="Nowhere")):
                with pytest.raises(FolderError):
                    await anext(frames)
                with pytest.raises(StopAsyncIteration):
                    await anext(frames)
            with pytest.raises(FolderError):
                async with session.watch("Nowhere"):
                    pytest.fail("there is no such folder")
            await turns(lambda: not pool_of(session)._apart)

    run(main())


# -- watching


class Idle:
    """A server that has nothing to tell."""

    def __init__(self, scripted: Scripted, **options: Any) -> None:
        self.idling = threading.Semaphore(0)
        self.server = scripted(
            {"IDLE": self._idle},
            messages={1: b"FLAGS ()"},
            capabilities="IMAP4rev1 IDLE ESEARCH",
            **options,
        )

    def _idle(self, _tag: bytes, _args: bytes, connection: Connection) -> bytes:
        connection.send(b"+ idling\r\n")
        self.idling.release()
        connection.read_line()
        return b"<tag> OK done\r\n"

    async def wait(self) -> None:
        assert await asyncio.to_thread(self.idling.acquire, timeout=LONGEST)


@pytest.fixture
def idle(scripted: Scripted) -> Idle:
    return Idle(scripted)


async def assert_unwatched(session: AsyncSession) -> None:
    """The watch's own connection goes, and the others are as they were."""
    await turns(lambda: not pool_of(session)._apart)
    assert await session.count() == 1
    assert_whole(session)


def test_a_watch_that_is_cancelled_ends_at_once(idle: Idle) -> None:
    async def main() -> None:
        async with opening(idle.server) as session:
            frames = session.watch()
            with pytest.raises(TimeoutError):
                await asyncio.wait_for(anext(frames), 0.01)
            task = asyncio.ensure_future(anext(frames))
            assert isinstance(await outcome(task), StopAsyncIteration)  # it has ended
            await assert_unwatched(session)
            watching = asyncio.create_task(outcome(anext(session.watch())))
            await idle.wait()
            watching.cancel()
            assert isinstance(await outcome(watching), asyncio.CancelledError)
            await assert_unwatched(session)

    run(main())


def test_whoever_waits_for_frames_that_are_closed_hears_that_they_end(idle: Idle) -> None:
    async def main() -> None:
        async with opening(idle.server) as session:
            frames = session.watch()
            waiting = asyncio.create_task(outcome(anext(frames)))
            await idle.wait()
            await frames.aclose()
            assert isinstance(await waiting, StopAsyncIteration)
            await assert_unwatched(session)

    run(main())


def test_frames_that_are_left_log_out(idle: Idle) -> None:
    async def main() -> None:
        async with opening(idle.server) as session:
            async with session.watch():
                assert len(pool_of(session)._apart) == 1
            await assert_unwatched(session)
            assert len(idle.server.commands("LOGOUT")) == 1

    run(main())


@pytest.mark.parametrize("how", ["break", "del", "error"])
def test_frames_that_are_dropped_give_their_connection_back(
    dovecot: Dovecot, user: str, how: str
) -> None:
    dovecot.deliver(user, messages.many(3))

    async def left(session: AsyncSession) -> None:
        before = await session.search(limit=1)
        dovecot.deliver(user, [messages.plain(4)])
        frames: AsyncFrames = session.watch(after=before)
        if how == "del":
            await anext(frames)
            del frames
            return
        async for _ in frames:
            if how == "error":
                raise ZeroDivisionError
            break

    async def main() -> None:
        async with opening(dovecot, user, dovecot.password) as session:
            failed = await outcome(left(session))
            assert failed is None or isinstance(failed, ZeroDivisionError)
            del failed
            gc.collect()
            await turns(lambda: not pool_of(session)._apart)
            assert await session.count() == 4
            assert_whole(session)

    run(main())


def test_frames_that_are_dropped_do_not_hold_the_loop_up(
    mbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    closed_by: list[threading.Thread] = []

    def begin() -> Any:
        try:
            while True:
                yield pd.DataFrame()
        finally:
            closed_by.append(threading.current_thread())

    async def main() -> None:
        async with AsyncSession(mf.open(mbox)) as session:
            monkeypatch.setattr(session._session, "stream", begin)
            async for _ in session.stream():
                break
            gc.collect()
            await turns(lambda: closed_by)
            assert closed_by != [threading.current_thread()]

    run(main())


def test_a_frame_that_is_ready_when_it_is_cancelled_gives_its_connection_back(
    mbox: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    made, closed = threading.Event(), threading.Event()

    def begin() -> Any:
        try:
            while True:
                made.set()
                yield pd.DataFrame()
        finally:
            closed.set()

    async def main() -> None:
        async with AsyncSession(mf.open(mbox)) as session:
            monkeypatch.setattr(session._session, "stream", begin)
            frames = session.stream()
            task = asyncio.ensure_future(anext(frames))
            await turns(lambda: session._at_work)
            assert made.wait(LONGEST)  # the loop stands still: it has not heard of it
            task.cancel()
            assert isinstance(await outcome(task), asyncio.CancelledError)
            await true(closed)

    run(main())


def test_watches_and_many_calls_do_not_starve_each_other(idle: Idle) -> None:
    count = aio.MOST_CALLS + 4

    async def main() -> None:
        async with opening(idle.server) as session:
            watches = [asyncio.create_task(outcome(anext(session.watch()))) for _ in range(count)]
            for _ in watches:
                await idle.wait()
            found = await asyncio.gather(*(session.count() for _ in range(count)))
            assert found == [1] * count
            assert [one async for one in session.stream(criteria="UID 9")] == []
            assert not any(task.done() for task in watches)
            for task in watches:
                task.cancel()
            for task in watches:
                assert isinstance(await outcome(task), asyncio.CancelledError)
            await assert_unwatched(session)

    run(main())


def test_one_task_watches_while_others_read(dovecot: Dovecot, user: str) -> None:
    dovecot.deliver(user, messages.many(5))
    count = 20

    async def main() -> None:
        async with opening(dovecot, user, dovecot.password) as session:
            seen: list[str] = []

            async def watch(frames: AsyncFrames) -> None:
                async for frame in frames:
                    seen.extend(frame["subject"])
                    if len(seen) >= count:
                        return

            async def read() -> None:
                while len(seen) < count:
                    assert len(await session.headers(limit=5)) == 5

            async with session.watch() as frames, asyncio.TaskGroup() as group:
                group.create_task(watch(frames))
                for _ in range(3):
                    group.create_task(read())
                for number in range(count):
                    dovecot.deliver(user, [messages.plain(100 + number)])
                    await asyncio.sleep(0)
            assert seen == [f"Message {100 + number}" for number in range(count)]
            assert_whole(session)

    run(main())


# -- types


TYPED = """
import asyncio
import mailframe as mf
import pandas as pd

async def main() -> None:
    async with mf.connect_async("imap.example.com", "me@example.com") as session:
        headers: pd.DataFrame = await session.headers("UNSEEN", limit=10)
        count: int = await session.count(mf.Q(seen=False), folder=["a", "b"])
        mail = await session.message(7, folder="Archive")
        subject: str | None = mail.subject
        async for frame in session.stream(what="bodies", batch=100):
            rows: int = len(frame)
        async with session.watch() as frames:
            new: pd.DataFrame = await anext(frames)
        names, found = await asyncio.gather(session.folders(), session.search())
        name: pd.DataFrame = names
        reveal_type(await session.headers())
        reveal_type(await mf.connect_async("me@example.com"))
    opened: mf.AsyncSession = await mf.connect_async("me@example.com")
    await opened.headers(limit="ten")  # wrong
    await opened.headers("ALL", "INBOX")  # wrong
    opened.stream(batches=3)  # wrong
    wrong: int = await opened.headers()  # wrong
    mf.connect_async(prot=993)  # wrong
"""


def test_types_are_those_of_the_session(tmp_path: Path) -> None:
    api = require("mypy.api", "mypy")
    path = tmp_path / "typed.py"
    path.write_text(TYPED)
    cache = CHECKOUT / ".mypy_cache"
    said, complaints, _ = api.run([str(path), "--strict", f"--cache-dir={cache}"])
    assert not complaints
    lines = TYPED.splitlines()
    expected = {number for number, line in enumerate(lines, 1) if "# wrong" in line}
    errors = [line for line in said.splitlines() if ": error: " in line]
    assert {int(line.split(":")[1]) for line in errors if path.name in line} == expected, said
    notes = [line for line in said.splitlines() if "Revealed type" in line]
    assert "DataFrame" in notes[0]
    assert "AsyncSession" in notes[1]
