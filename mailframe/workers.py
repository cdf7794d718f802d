"""Work in threads that a coroutine waits for, and ends when nobody wants it any more."""

from __future__ import annotations

import asyncio
import functools
import signal
import threading
from concurrent.futures import Future
from contextlib import suppress
from contextvars import copy_context
from typing import TYPE_CHECKING, Any, TypeVar

from mailframe.cancellation import current_scope
from mailframe.notebook import turning

if TYPE_CHECKING:
    from collections.abc import Callable

    from mailframe.cancellation import Scope

__all__ = ["ask_in", "done", "end_of", "in_a_thread", "job_of"]

T = TypeVar("T")

#: Seconds that a cancelled call waits for its thread, which may be reaching for a host.
PARTING = 5


def job_of(work: Callable[[], T], scope: Scope) -> Callable[[], T]:
    """Make of work what a thread may do: with the caller's context variables, and an end."""
    context = copy_context()

    def job() -> T:
        try:
            return context.run(scope.run, work)
        except StopIteration as error:
            # No future of asyncio takes one: whoever waits would wait for ever.
            raise RuntimeError("what was called raised StopIteration") from error

    return job


def in_a_thread(work: Callable[[], T]) -> Future[T]:
    """Do something in a thread of its own, which does not keep Python from ending."""
    future: Future[T] = Future()
    threading.Thread(
        target=_fulfil, args=(future, work), name="mailframe-wait", daemon=True
    ).start()
    return future


def _fulfil(future: Future[T], work: Callable[[], T]) -> None:
    if future.set_running_or_notify_cancel():
        try:
            future.set_result(work())
        except BaseException as error:  # noqa: BLE001 it is whoever waits who gets it
            future.set_exception(error)


async def done(future: Future[T], scope: Scope) -> T:
    """Await a thread's work; end it, and wait until it has ended, when that is cancelled."""
    try:
        with turning():
            return await asyncio.wrap_future(future)
    except asyncio.CancelledError:
        scope.cancel()
        await end_of(future)
        raise


async def end_of(future: Future[Any]) -> None:
    """Wait until a thread's work has ended, in whatever way; not for ever."""
    loop, ended = asyncio.get_running_loop(), asyncio.Event()

    def tell(_: object) -> None:
        with suppress(RuntimeError):  # the loop may be closed by then
            loop.call_soon_threadsafe(ended.set)

    future.add_done_callback(tell)
    with suppress(TimeoutError):
        async with asyncio.timeout(PARTING):
            await ended.wait()


def ask_in(loop: asyncio.AbstractEventLoop, question: Callable[[], str]) -> str:
    """Have a question asked in the thread of a loop, which stands still meanwhile."""
    answer: Future[str] = Future()
    with current_scope().waking(answer.cancel):
        loop.call_soon_threadsafe(_fulfil, answer, functools.partial(_interruptibly, question))
        return answer.result()


def _interruptibly(question: Callable[[], str]) -> str:
    """Ask; Ctrl-C ends the question before it does what it does in this loop."""
    handler = signal.getsignal(signal.SIGINT)
    if not callable(handler) or threading.current_thread() is not threading.main_thread():
        return question()
    signal.signal(signal.SIGINT, signal.default_int_handler)
    try:
        return question()
    except KeyboardInterrupt:
        asyncio.get_running_loop().call_soon(handler, signal.SIGINT, None)
        raise EOFError("interrupted") from None
    finally:
        signal.signal(signal.SIGINT, handler)
