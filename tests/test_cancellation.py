"""Scopes: work in threads that somebody else may end, wherever it is at."""

from __future__ import annotations

import contextvars
import threading
from concurrent.futures import ThreadPoolExecutor
from typing import TYPE_CHECKING, Any

import pytest

import mailframe as mf
from mailframe.cancellation import Cancelled, Scope, check_cancelled, current_scope
from mailframe.exceptions import FolderError
from mailframe.progress import watched
from tests.rigs import messages

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path

    from tests.rigs.scripted import ScriptedServer

    Scripted = Callable[..., ScriptedServer]

#: Seconds against waiting for ever; nothing here takes one.
LONGEST = 60


def test_what_nobody_cancels_goes_on() -> None:
    check_cancelled()
    with current_scope().waking(pytest.fail):
        check_cancelled()
    assert Scope().run(lambda: "done") == "done"


def test_arguments_and_errors_pass_through() -> None:
    assert Scope().run(int, "ff", base=16) == 255
    with pytest.raises(ZeroDivisionError):
        Scope().run(lambda: 1 / 0)


def test_the_scope_is_current_while_it_runs_and_no_longer() -> None:
    before, outer, inner = current_scope(), Scope(), Scope()
    seen: list[Scope] = []

    def nested() -> None:
        seen.append(current_scope())
        inner.run(lambda: seen.append(current_scope()))
        seen.append(current_scope())

    outer.run(nested)
    assert seen == [outer, inner, outer]
    assert current_scope() is before


def test_a_thread_of_ones_own_is_in_nobodys_scope() -> None:
    def elsewhere() -> Scope:
        with ThreadPoolExecutor(1) as threads:
            return threads.submit(current_scope).result(LONGEST)

    nobodys = current_scope()
    assert Scope().run(elsewhere) is nobodys


def test_work_that_was_cancelled_before_does_not_begin() -> None:
    scope = Scope()
    scope.cancel()
    with pytest.raises(Cancelled):
        scope.run(pytest.fail)
    with pytest.raises(Cancelled), scope.waking(pytest.fail):
        pytest.fail("nobody would wake this")


def test_cancelled_is_no_error_that_anybody_goes_around() -> None:
    assert not issubclass(Cancelled, Exception)


def test_each_is_woken_once_however_often_it_is_cancelled() -> None:
    scope, woken = Scope(), []
    with scope.waking(lambda: woken.append("outer")), scope.waking(lambda: woken.append("inner")):
        scope.cancel()
        assert sorted(woken) == ["inner", "outer"]
    scope.cancel()
    assert len(woken) == 2


def test_nobody_is_woken_after_his_block() -> None:
    scope = Scope()
    with scope.waking(pytest.fail):
        pass
    with pytest.raises(ZeroDivisionError), scope.waking(pytest.fail):
        raise ZeroDivisionError
    scope.cancel()


def test_an_error_of_being_woken_is_told_as_what_it_is() -> None:
    scope = Scope()

    def lose() -> None:
        with scope.waking(list):
            scope.cancel()
            raise OSError("the line was shut down")

    with pytest.raises(Cancelled) as caught:
        lose()
    assert isinstance(caught.value.__cause__, OSError)
    with pytest.raises(OSError, match="by itself"), Scope().waking(list):
        raise OSError("by itself")


def test_an_interrupt_stays_one() -> None:
    scope = Scope()

    def interrupt() -> None:
        with scope.waking(list):
            scope.cancel()
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupt()


def test_whoever_waits_is_woken_from_another_thread() -> None:
    scope, waits, woken = Scope(), threading.Event(), threading.Event()

    def wait() -> None:
        with scope.waking(woken.set):
            waits.set()
            assert woken.wait(LONGEST)
            check_cancelled()

    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(scope.run, wait)
        assert waits.wait(LONGEST)
        scope.cancel()
        with pytest.raises(Cancelled):
            waiting.result(LONGEST)


def test_cancelling_reaches_what_a_scope_has_started() -> None:
    outer, inner = Scope(), Scope()

    def work() -> None:
        with current_scope().waking(inner.cancel):
            outer.cancel()
            inner.run(pytest.fail)

    with pytest.raises(Cancelled):
        outer.run(work)


def test_wakers_may_look_at_the_scope_that_wakes_them() -> None:
    scope = Scope()
    seen: list[bool] = []

    def wake() -> None:
        seen.append(scope.is_cancelled)
        if len(seen) == 1:
            scope.cancel()  # from within

    with scope.waking(wake):
        scope.cancel()
    assert seen == [True, True]


def test_a_scope_keeps_nothing_of_what_is_over() -> None:
    scope = Scope()
    for one in (scope, current_scope()):
        with one.waking(list):
            pass
        assert not one._wakers


def test_what_nobody_cancels_takes_no_lock() -> None:
    # After a fork a lock may be held for ever, by a thread that only the parent has.
    nobodys = contextvars.Context().run(current_scope)
    with ThreadPoolExecutor(1) as threads, nobodys._lock:

        def work() -> str:
            with current_scope().waking(list):
                return "done"

        assert threads.submit(work).result(LONGEST) == "done"


# -- what looks, and what is woken


class CancelAt:
    """A progress bar that cancels at the n-th message."""

    def __init__(self, scope: Scope, number: int) -> None:
        self.total = self.seen = 0
        self._scope = scope
        self._left = number

    def update(self, n: int) -> None:
        self.seen += n
        if self.seen >= self._left:
            self._scope.cancel()


@pytest.fixture
def mbox(tmp_path: Path) -> mf.Session:
    path = tmp_path / "mail.mbox"
    path.write_bytes(
        b"".join(
            b"From me Mon Jan  5 09:30:00 2026\n" + one.replace(b"\r\n", b"\n") + b"\n"
            for one in messages.many(50)
        )
    )
    return mf.open(path)


def test_reading_files_ends_at_the_next_message(mbox: mf.Session) -> None:
    scope = Scope()
    bar = CancelAt(scope, 10)
    with pytest.raises(Cancelled):
        scope.run(mbox.headers, progress=bar)
    assert bar.seen == 10
    assert len(mbox.headers()) == 50


def test_searching_files_ends_at_the_next_message(
    mbox: mf.Session, monkeypatch: pytest.MonkeyPatch
) -> None:
    from mailframe.files import source  # noqa: PLC0415 to be patched

    scope, looked_at = Scope(), []
    is_match = source._is_match

    def match(box: Any, uid: int, *args: Any) -> bool:
        looked_at.append(uid)
        if len(looked_at) == 7:
            scope.cancel()
        return is_match(box, uid, *args)

    monkeypatch.setattr(source, "_is_match", match)
    with pytest.raises(Cancelled):
        scope.run(mbox.count, "BODY nothing")
    assert len(looked_at) == 7
    looked_at.clear()
    assert mbox.count("BODY nothing") == 0
    assert len(looked_at) == 50


def test_what_counts_progress_looks_whether_anybody_wants_it() -> None:
    scope, counted = Scope(), []

    def work() -> None:
        with watched(None, 2, progress=False) as tick:  # type: ignore[arg-type] # nobody tells
            counted.append(tick(1))
            scope.cancel()
            counted.append(tick(1))

    with pytest.raises(Cancelled):
        scope.run(work)
    assert len(counted) == 1


@pytest.fixture
def silent(scripted: Scripted) -> Iterator[tuple[mf.Session, threading.Event]]:
    """Return a session on a server that does not answer to SEARCH, and the event of its asking."""
    asked = threading.Event()

    def search(*_: object) -> bytes:
        asked.set()
        return b""

    server = scripted({"UID SEARCH": search}, messages={1: b"FLAGS ()"})
    with mf.connect(
        server.host, "me", password="x", port=server.port, security="none", timeout=10 * LONGEST
    ) as session:
        yield session, asked


def test_whoever_waits_for_a_server_is_woken(silent: tuple[mf.Session, threading.Event]) -> None:
    session, asked = silent
    scope = Scope()
    with ThreadPoolExecutor(1) as threads:
        waiting = threads.submit(scope.run, session.count)
        assert asked.wait(LONGEST)
        scope.cancel()
        with pytest.raises(Cancelled):
            waiting.result(LONGEST)
    pool = session._source._pool  # type: ignore[attr-defined] # an ImapSource
    assert (pool._free, pool._lent) == (pool._all, {})


def test_whoever_waits_for_a_connection_is_woken_and_the_others_are_not(
    silent: tuple[mf.Session, threading.Event], monkeypatch: pytest.MonkeyPatch
) -> None:
    session, asked = silent
    pool = session._source._pool  # type: ignore[attr-defined] # an ImapSource
    pool.size = 1
    wait, at_the_pool = pool._changed.wait, threading.Semaphore(0)

    def waiting_there() -> None:
        at_the_pool.release()
        wait()

    monkeypatch.setattr(pool._changed, "wait", waiting_there)
    scopes = [Scope() for _ in range(3)]
    with ThreadPoolExecutor(3) as threads:
        first = threads.submit(scopes[0].run, session.count)
        assert asked.wait(LONGEST)
        second = threads.submit(scopes[1].run, session.count)
        assert at_the_pool.acquire(timeout=LONGEST)
        third = threads.submit(scopes[2].run, lambda: session.folders().size)
        assert at_the_pool.acquire(timeout=LONGEST)
        scopes[1].cancel()
        with pytest.raises(Cancelled):
            second.result(LONGEST)
        assert not first.done()
        # The third looks again, and goes on waiting: it was not it that was meant.
        assert at_the_pool.acquire(timeout=LONGEST)
        scopes[0].cancel()
        with pytest.raises(Cancelled):
            first.result(LONGEST)
        assert third.result(LONGEST) > 0  # it was given the connection, which is opened anew


def test_errors_that_have_nothing_to_do_with_it_stay(scripted: Scripted) -> None:
    server = scripted({"EXAMINE": b"<tag> NO there is none\r\n"})
    with (
        mf.connect(server.host, "me", password="x", port=server.port, security="none") as session,
        pytest.raises(FolderError),
    ):
        Scope().run(session.count, folder="Nowhere")
